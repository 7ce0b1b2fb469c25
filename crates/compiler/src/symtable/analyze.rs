//! Decides where each name lives.

use super::{Block, BlockId, BlockKind, Name, Reach, SymbolTable, symbol};
use crate::error::{Failure, Outcome};
use std::collections::{HashMap, HashSet};

type Names = HashSet<Name>;

pub(super) fn analyze(table: &mut SymbolTable) -> Outcome {
    let (mut free, mut global, mut type_params) = (Names::new(), Names::new(), Names::new());
    block(table, SymbolTable::TOP, None, &mut free, &mut global, &mut type_params, None)
}

/// What the analysis of one block finds out.
#[derive(Default)]
struct Found {
    reaches: HashMap<Name, Reach>,
    local: Names,
}

fn block(
    table: &mut SymbolTable,
    id: BlockId,
    mut bound: Option<Names>,
    free: &mut Names,
    global: &mut Names,
    type_params: &mut Names,
    class: Option<BlockId>,
) -> Outcome {
    let kind = table.blocks[id].kind;
    let (mut inner_global, mut inner_bound) = (Names::new(), Names::new());
    if kind == BlockKind::Class {
        // Names of a class are not seen inside it, so what is known around goes in before they are met.
        inner_global.extend(global.iter().cloned());
        inner_bound.extend(bound.iter().flatten().cloned());
    }
    let mut found = Found::default();
    for i in 0..table.blocks[id].symbols.list.len() {
        let (name, flags) = table.blocks[id].symbols.list[i].clone();
        let class = class.map(|class| &table.blocks[class]);
        let reach = name_reach(
            &table.blocks[id],
            &name,
            flags,
            Around { bound: &mut bound, free, global, type_params, class },
            &mut found.local,
        )?;
        found.reaches.insert(name, reach);
    }
    if kind == BlockKind::Class {
        inner_bound.extend(["__class__", "__classdict__", "__conditional_annotations__"].map(Name::from));
    } else {
        if kind.is_function_like() {
            inner_bound.extend(found.local.iter().cloned());
        }
        inner_bound.extend(bound.iter().flatten().cloned());
        inner_global.extend(global.iter().cloned());
    }
    let mut inner_free = Names::new();
    for i in 0..table.blocks[id].children.len() {
        let child = table.blocks[id].children[i];
        let child_class = match table.blocks[child].can_see_class_scope {
            true if kind == BlockKind::Class => Some(id),
            true => class,
            false => None,
        };
        let mut child_global = inner_global.clone();
        let mut child_type_params = type_params.clone();
        let mut child_free = Names::new();
        block(
            table,
            child,
            Some(inner_bound.clone()),
            &mut child_free,
            &mut child_global,
            &mut child_type_params,
            child_class,
        )?;
        inner_free.extend(child_free);
    }
    let this = &mut table.blocks[id];
    if kind.is_function_like() {
        for (name, reach) in &mut found.reaches {
            if *reach == Reach::Local && inner_free.remove(name) {
                *reach = Reach::Cell;
            }
        }
    } else if kind == BlockKind::Class {
        this.needs_class_closure |= inner_free.remove("__class__");
        this.needs_classdict |= inner_free.remove("__classdict__");
        this.has_conditional_annotations |= inner_free.remove("__conditional_annotations__");
    }
    record(this, &found.reaches, bound.as_ref(), &inner_free);
    free.extend(inner_free);
    Ok(())
}

/// What is known of the blocks around one.
struct Around<'a> {
    bound: &'a mut Option<Names>,
    free: &'a mut Names,
    global: &'a mut Names,
    type_params: &'a mut Names,
    class: Option<&'a Block>,
}

fn name_reach(
    block: &Block,
    name: &Name,
    flags: u32,
    around: Around<'_>,
    local: &mut Names,
) -> Outcome<Reach> {
    let error = |message: String| {
        let place = block.directives.iter().find(|(n, _)| n == name).map(|(_, range)| *range);
        Failure::at(place.unwrap_or_default(), message)
    };
    if flags & symbol::GLOBAL != 0 {
        if flags & symbol::NONLOCAL != 0 {
            return error(format!("name '{name}' is nonlocal and global"));
        }
        around.global.insert(name.clone());
        if let Some(bound) = around.bound {
            bound.remove(name);
        }
        return Ok(Reach::GlobalExplicit);
    }
    if flags & symbol::NONLOCAL != 0 {
        let Some(bound) = around.bound else {
            return error("nonlocal declaration not allowed at module level".into());
        };
        if !bound.contains(name) {
            return error(format!("no binding for nonlocal '{name}' found"));
        }
        if around.type_params.contains(name) {
            return error(format!("nonlocal binding not allowed for type parameter '{name}'"));
        }
        around.free.insert(name.clone());
        return Ok(Reach::Free);
    }
    if flags & symbol::BOUND != 0 {
        local.insert(name.clone());
        around.global.remove(name);
        if flags & symbol::TYPE_PARAM != 0 {
            around.type_params.insert(name.clone());
        } else {
            around.type_params.remove(name);
        }
        return Ok(Reach::Local);
    }
    if let Some(class) = around.class {
        // Such a name is looked up in the class and then in the module, never in functions around the class.
        let flags = class.symbols.flags(name);
        if flags & symbol::GLOBAL != 0 {
            return Ok(Reach::GlobalExplicit);
        }
        if flags & symbol::BOUND != 0 && flags & symbol::NONLOCAL == 0 {
            return Ok(Reach::GlobalImplicit);
        }
    }
    if around.bound.as_ref().is_some_and(|bound| bound.contains(name)) {
        around.free.insert(name.clone());
        return Ok(Reach::Free);
    }
    Ok(Reach::GlobalImplicit)
}

fn record(block: &mut Block, reaches: &HashMap<Name, Reach>, bound: Option<&Names>, free: &Names) {
    for (name, flags) in &mut block.symbols.list {
        if let Some(&reach) = reaches.get(name) {
            *flags |= (reach as u32) << symbol::SCOPE_OFFSET;
        }
    }
    let class = block.kind == BlockKind::Class || block.can_see_class_scope;
    let mut sorted: Vec<&Name> = free.iter().collect();
    sorted.sort();
    for name in sorted {
        if block.symbols.contains(name) {
            if class {
                let flags = block.symbols.flags(name);
                block.symbols.set(name, flags | symbol::FREE_CLASS);
            }
        } else if bound.is_none_or(|bound| bound.contains(name)) {
            block.symbols.set(name, (Reach::Free as u32) << symbol::SCOPE_OFFSET);
        }
    }
}

//! Decides where each name lives.

use super::{Block, BlockId, BlockKind, Name, Reach, SymbolTable, symbol};
use crate::error::{Failure, Outcome};
use std::collections::{HashMap, HashSet};

type Names = HashSet<Name>;

/// Names known around a block. A block changes them for the blocks in it, and puts them back: a copy for each block would
/// make a module with many functions quadratic.
#[derive(Debug, Default)]
struct Scoped {
    names: Names,
    /// What was changed: the name, and whether it was there.
    changes: Vec<(Name, bool)>,
}

impl Scoped {
    fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn insert(&mut self, name: &Name) {
        if self.names.insert(name.clone()) {
            self.changes.push((name.clone(), false));
        }
    }

    fn remove(&mut self, name: &Name) {
        if self.names.remove(name) {
            self.changes.push((name.clone(), true));
        }
    }

    fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Takes back what was changed since a mark; gives it, the first change last.
    fn undo(&mut self, mark: usize) -> Vec<(Name, bool)> {
        let undone: Vec<(Name, bool)> = self.changes.drain(mark..).rev().collect();
        for (name, was_there) in &undone {
            if *was_there {
                self.names.insert(name.clone());
            } else {
                self.names.remove(name);
            }
        }
        undone
    }

    /// Changes again what [`Scoped::undo`] took back.
    fn redo(&mut self, undone: Vec<(Name, bool)>) {
        for (name, was_there) in undone.iter().rev() {
            if *was_there { self.remove(name) } else { self.insert(name) }
        }
    }
}

/// What is known around a block.
#[derive(Debug, Default)]
struct Outer {
    /// Names of functions around.
    bound: Scoped,
    global: Scoped,
    type_params: Scoped,
}

impl Outer {
    fn marks(&self) -> [usize; 3] {
        [&self.bound, &self.global, &self.type_params].map(Scoped::mark)
    }

    fn undo(&mut self, [bound, global, type_params]: [usize; 3]) {
        self.bound.undo(bound);
        self.global.undo(global);
        self.type_params.undo(type_params);
    }
}

pub(super) fn analyze(table: &mut SymbolTable) -> Outcome {
    block(table, SymbolTable::TOP, &mut Outer::default(), None).map(drop)
}

/// What the analysis of one block finds out.
#[derive(Default)]
struct Found {
    reaches: HashMap<Name, Reach>,
    local: Names,
    free: Names,
}

/// Analyses a block and those in it. Gives the names that it needs from around.
fn block(table: &mut SymbolTable, id: BlockId, outer: &mut Outer, class: Option<BlockId>) -> Outcome<Names> {
    let kind = table.blocks[id].kind;
    let marks = outer.marks();
    let mut found = Found::default();
    for i in 0..table.blocks[id].symbols.list.len() {
        let (name, flags) = table.blocks[id].symbols.list[i].clone();
        let class = class.map(|class| &table.blocks[class]);
        let around = Around { is_top: id == SymbolTable::TOP, outer, class };
        let reach = name_reach(&table.blocks[id], &name, flags, around, &mut found)?;
        found.reaches.insert(name, reach);
    }
    let inside = outer.marks();
    // Names of a class are not seen inside it: what is known there is what was known before they were met.
    let mut class_changes = None;
    if kind == BlockKind::Class {
        class_changes = Some((outer.bound.undo(marks[0]), outer.global.undo(marks[1])));
        for name in ["__class__", "__classdict__", "__conditional_annotations__"] {
            outer.bound.insert(&Name::from(name));
        }
    } else if kind.is_function_like() {
        found.local.iter().for_each(|name| outer.bound.insert(name));
    }
    let mut inner_free = Names::new();
    for i in 0..table.blocks[id].children.len() {
        let child = table.blocks[id].children[i];
        let child_class = match table.blocks[child].can_see_class_scope {
            true if kind == BlockKind::Class => Some(id),
            true => class,
            false => None,
        };
        inner_free.extend(block(table, child, outer, child_class)?);
    }
    match class_changes {
        Some((bound, global)) => {
            outer.bound.undo(marks[0]);
            outer.bound.redo(bound);
            outer.global.redo(global);
        }
        None => outer.undo(inside),
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
    let bound = (id != SymbolTable::TOP).then_some(&outer.bound);
    record(this, &found.reaches, bound, &inner_free);
    outer.undo(marks);
    found.free.extend(inner_free);
    Ok(found.free)
}

/// What is known of the blocks around one.
struct Around<'a> {
    is_top: bool,
    outer: &'a mut Outer,
    class: Option<&'a Block>,
}

fn name_reach(
    block: &Block,
    name: &Name,
    flags: u32,
    around: Around<'_>,
    found: &mut Found,
) -> Outcome<Reach> {
    let outer = around.outer;
    let error = |message: String| {
        let place = block.directives.iter().find(|(n, _)| n == name).map(|(_, range)| *range);
        Failure::at(place.unwrap_or_default(), message)
    };
    if flags & symbol::GLOBAL != 0 {
        if flags & symbol::NONLOCAL != 0 {
            return error(format!("name '{name}' is nonlocal and global"));
        }
        outer.global.insert(name);
        outer.bound.remove(name);
        return Ok(Reach::GlobalExplicit);
    }
    if flags & symbol::NONLOCAL != 0 {
        if around.is_top {
            return error("nonlocal declaration not allowed at module level".into());
        }
        if !outer.bound.contains(name) {
            return error(format!("no binding for nonlocal '{name}' found"));
        }
        if outer.type_params.contains(name) {
            return error(format!("nonlocal binding not allowed for type parameter '{name}'"));
        }
        found.free.insert(name.clone());
        return Ok(Reach::Free);
    }
    if flags & symbol::BOUND != 0 {
        found.local.insert(name.clone());
        outer.global.remove(name);
        if flags & symbol::TYPE_PARAM != 0 {
            outer.type_params.insert(name);
        } else {
            outer.type_params.remove(name);
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
    if outer.bound.contains(name) {
        found.free.insert(name.clone());
        return Ok(Reach::Free);
    }
    Ok(Reach::GlobalImplicit)
}

fn record(block: &mut Block, reaches: &HashMap<Name, Reach>, bound: Option<&Scoped>, free: &Names) {
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

//! What `sub` puts in place of a match: literals and group references that take turns.

use super::match_object::Found;
use super::subject::empty_like;
use pellucid_object::{Interpreter, List, Payload, Res, TypeDef, TypeFlags, Value, Visitor, payload};

/// Payload of `_sre.SRE_Template`.
pub struct Template {
    /// What comes first.
    pub literal: Value,
    /// Groups, each with the literal that follows, if there is one.
    pub chunks: Vec<(usize, Option<Value>)>,
}

impl Payload for Template {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.literal);
        self.chunks.iter().filter_map(|(_, literal)| literal.as_ref()).for_each(visit);
    }
}

pub static TEMPLATE: TypeDef = TypeDef {
    name: "SRE_Template",
    module: "_sre",
    base: None,
    payload: payload::<Template>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[],
    getset: &[],
};

/// `_sre.template`. Errors: `TypeError` for a list that is none.
pub fn new(vm: &Interpreter, _pattern: &Value, items: &Value) -> Res {
    let Some(items) = items.downcast::<List>().map(List::items) else {
        let got = vm.type_name(items);
        return Err(vm.type_error(format!("template() argument 2 must be list, not {got}")));
    };
    let Some((literal, rest)) = items.split_first().filter(|(_, rest)| rest.len() % 2 == 0) else {
        return Err(vm.type_error("invalid template".to_string()));
    };
    let mut chunks = Vec::new();
    for pair in rest.chunks(2) {
        let [index, literal] = pair else { break };
        let Ok(index) = usize::try_from(vm.expect_i64(index)?) else {
            return Err(vm.type_error("invalid template".to_string()));
        };
        let literal = if vm.len(literal)? == 0 { None } else { Some(literal.clone()) };
        chunks.push((index, literal));
    }
    vm.alloc(&vm.type_for(&TEMPLATE)?, Template { literal: literal.clone(), chunks })
}

/// The template filled with what a match found. Errors: `IndexError` for a group that is not there.
pub fn expand(vm: &Interpreter, template: &Template, found: &Found) -> Res {
    if template.chunks.is_empty() {
        return Ok(template.literal.clone());
    }
    let mut parts = Vec::new();
    if vm.len(&template.literal)? > 0 {
        parts.push(template.literal.clone());
    }
    for (index, literal) in &template.chunks {
        let Some(range) = found.groups.get(*index) else {
            return Err(vm.index_error("no such group".to_string()));
        };
        if let Some((start, end)) = *range {
            parts.push(super::subject::piece(vm, &found.string, start, end)?);
        }
        parts.extend(literal.clone());
    }
    match parts.as_slice() {
        [] => empty_like(vm, &found.string),
        [one] => Ok(one.clone()),
        _ => {
            let list = vm.new_list(parts)?;
            vm.call_attr(&empty_like(vm, &found.string)?, "join", &[list])
        }
    }
}

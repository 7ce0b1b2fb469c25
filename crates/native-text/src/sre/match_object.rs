//! `re.Match`.

use super::pattern::Pattern;
use super::subject::{empty_like, piece};
use super::template::{self, Template};
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, Tuple,
    TypeDef, TypeFlags, UnOp, Value, Visitor, payload,
};

/// What a match found. Payload of `re.Match`.
pub struct Found {
    pub pattern: Ref<Pattern>,
    pub string: Value,
    /// Where the whole match and the groups stand; `None`: the group took no part.
    pub groups: Vec<Option<(usize, usize)>>,
    /// Number of the group that was closed last; 0: none.
    pub last_group: u32,
    pub pos: usize,
    pub endpos: usize,
}

impl Payload for Found {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.pattern.value());
        visit(&self.string);
    }
}

fn found<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Found> {
    value.downcast::<Found>().ok_or_else(|| vm.bug("no match"))
}

pub fn new(vm: &Interpreter, found: Found) -> Res {
    vm.alloc(&vm.type_for(&MATCH)?, found)
}

/// The number of a group given by number or name. Errors: `IndexError`.
fn group_number(vm: &Interpreter, found: &Found, key: &Value) -> Res<usize> {
    let is_index =
        key.as_int().is_some() || vm.type_of_ref(key).slots.unary[UnOp::Index as usize].get().is_some();
    let number = if is_index {
        let index = vm.index(key)?;
        vm.as_i64(&index)
    } else {
        match found.pattern.group_index.downcast::<Dict>() {
            Some(names) => match names.get(vm, key) {
                Ok(number) => number.and_then(|n| vm.as_i64(&n)),
                Err(raised) => {
                    drop(vm.take_raised(raised));
                    None
                }
            },
            None => None,
        }
    };
    match number.and_then(|n| usize::try_from(n).ok()).filter(|n| *n < found.groups.len()) {
        Some(number) => Ok(number),
        None => Err(vm.index_error("no such group".to_string())),
    }
}

/// The text of a group, or `default`.
fn text_of(vm: &Interpreter, found: &Found, number: usize, default: &Value) -> Res {
    match found.groups.get(number).copied().flatten() {
        Some((start, end)) => piece(vm, &found.string, start, end),
        None => Ok(default.clone()),
    }
}

fn group(vm: &Interpreter, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("Match.group() takes no keyword arguments".to_string()));
    }
    let Some((this, keys)) = call.values.split_first() else { return Err(vm.bug("a method without self")) };
    let found = found(vm, this)?;
    match keys {
        [] => text_of(vm, found, 0, &Value::NONE),
        [key] => text_of(vm, found, group_number(vm, found, key)?, &Value::NONE),
        _ => {
            let mut items = Vec::new();
            for key in keys {
                items.push(text_of(vm, found, group_number(vm, found, key)?, &Value::NONE)?);
            }
            vm.new_tuple(items)
        }
    }
}

fn get_item(vm: &Interpreter, this: &Value, key: &Value) -> Res {
    let found = found(vm, this)?;
    text_of(vm, found, group_number(vm, found, key)?, &Value::NONE)
}

fn groups(vm: &Interpreter, args: &Args) -> Res {
    let found = found(vm, args.req(0))?;
    let default = args.get(1).cloned().unwrap_or(Value::NONE);
    let items: Res<Vec<Value>> =
        (1..found.groups.len()).map(|number| text_of(vm, found, number, &default)).collect();
    vm.new_tuple(items?)
}

fn groupdict(vm: &Interpreter, args: &Args) -> Res {
    let found = found(vm, args.req(0))?;
    let default = args.get(1).cloned().unwrap_or(Value::NONE);
    let result = vm.new_dict()?;
    if let Some(names) = found.pattern.group_index.downcast::<Dict>() {
        for (name, number) in names.pairs() {
            let number = vm.as_i64(&number).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            result.set(vm, name, text_of(vm, found, number, &default)?)?;
        }
    }
    Ok(result.into_value())
}

/// The range of the group that an optional argument names.
fn range(vm: &Interpreter, args: &Args) -> Res<Option<(usize, usize)>> {
    let found = found(vm, args.req(0))?;
    let number = args.get(1).map_or(Ok(0), |key| group_number(vm, found, key))?;
    Ok(found.groups.get(number).copied().flatten())
}

fn pair(vm: &Interpreter, range: Option<(usize, usize)>) -> Res {
    let (start, end) = range.map_or((-1, -1), |(start, end)| (start as i64, end as i64));
    vm.new_tuple(vec![vm.new_int(start)?, vm.new_int(end)?])
}

fn start(vm: &Interpreter, args: &Args) -> Res {
    vm.new_int(range(vm, args)?.map_or(-1, |(start, _)| start as i64))
}

fn end(vm: &Interpreter, args: &Args) -> Res {
    vm.new_int(range(vm, args)?.map_or(-1, |(_, end)| end as i64))
}

fn span(vm: &Interpreter, args: &Args) -> Res {
    pair(vm, range(vm, args)?)
}

fn regs(vm: &Interpreter, this: &Value) -> Res {
    let items: Res<Vec<Value>> = found(vm, this)?.groups.iter().map(|range| pair(vm, *range)).collect();
    vm.new_tuple(items?)
}

fn last_group(vm: &Interpreter, this: &Value) -> Res {
    let found = found(vm, this)?;
    match found.pattern.index_group.downcast::<Tuple>() {
        Some(names) if found.last_group > 0 => {
            Ok(names.get(found.last_group as usize).unwrap_or(Value::NONE))
        }
        _ => Ok(Value::NONE),
    }
}

fn last_index(vm: &Interpreter, this: &Value) -> Res {
    match found(vm, this)?.last_group {
        0 => Ok(Value::NONE),
        number => vm.new_int(i64::from(number)),
    }
}

fn expand(vm: &Interpreter, args: &Args) -> Res {
    let found = found(vm, args.req(0))?;
    let compiled = super::pattern::compile_template(vm, found.pattern.value(), args.req(1))?;
    match compiled.downcast::<Template>() {
        Some(template) => {
            let result = template::expand(vm, template, found)?;
            // Even a template without text gives the kind of text that was matched.
            if result.is_none() { empty_like(vm, &found.string) } else { Ok(result) }
        }
        None => Ok(compiled),
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let found = found(vm, this)?;
    let text = vm.repr_lossy(&text_of(vm, found, 0, &Value::NONE)?)?;
    let text: String = text.chars().take(50).collect();
    let (start, end) = found.groups.first().copied().flatten().unwrap_or((0, 0));
    vm.new_str(&format!("<re.Match object; span=({start}, {end}), match={text}>"))
}

#[rustfmt::skip]
pub static MATCH: TypeDef = TypeDef {
    name: "Match",
    module: "re",
    base: None,
    payload: payload::<Found>(),
    flags: TypeFlags::NO_NEW,
    doc: "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.",
    slots: &[Slot::Repr(repr), Slot::GetItem(get_item)],
    methods: &[
        FunctionDef::new("group", "", "Return subgroup(s) of the match by indices or names.", NativeFn::Raw(group)),
        FunctionDef::new("groups", "($self, /, default=None)", "Return a tuple containing all the subgroups of the match, from 1.", NativeFn::Args(groups)),
        FunctionDef::new("groupdict", "($self, /, default=None)", "Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.", NativeFn::Args(groupdict)),
        FunctionDef::new("start", "($self, group=0, /)", "Return index of the start of the substring matched by group.", NativeFn::Args(start)),
        FunctionDef::new("end", "($self, group=0, /)", "Return index of the end of the substring matched by group.", NativeFn::Args(end)),
        FunctionDef::new("span", "($self, group=0, /)", "For match object m, return the 2-tuple (m.start(group), m.end(group)).", NativeFn::Args(span)),
        FunctionDef::new("expand", "($self, /, template)", "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.", NativeFn::Args(expand)),
        FunctionDef::new("__copy__", "($self, /)", "", NativeFn::F1(|_, this| Ok(this.clone()))),
        FunctionDef::new("__deepcopy__", "($self, memo, /)", "", NativeFn::F2(|_, this, _| Ok(this.clone()))),
        FunctionDef::class("__class_getitem__", "($type, object, /)", "See PEP 585", NativeFn::F2(pellucid_types::generic_alias::class_getitem)),
    ],
    getset: &[
        GetSetDef { name: "string", doc: "The string passed to match() or search().", get: |vm, this| Ok(found(vm, this)?.string.clone()), set: None },
        GetSetDef { name: "re", doc: "The regular expression object.", get: |vm, this| Ok(found(vm, this)?.pattern.value().clone()), set: None },
        GetSetDef { name: "pos", doc: "The index into the string at which the RE engine started looking for a match.", get: |vm, this| vm.new_int(found(vm, this)?.pos as i64), set: None },
        GetSetDef { name: "endpos", doc: "The index into the string beyond which the RE engine will not go.", get: |vm, this| vm.new_int(found(vm, this)?.endpos as i64), set: None },
        GetSetDef { name: "lastindex", doc: "The integer index of the last matched capturing group.", get: last_index, set: None },
        GetSetDef { name: "lastgroup", doc: "The name of the last matched capturing group.", get: last_group, set: None },
        GetSetDef { name: "regs", doc: "", get: regs, set: None },
    ],
};

//! `groupby` and the iterators over its groups.

use crate::slot_payload;
use crate::support::{ITSELF, bind, positional, this, word};
use pellucid_object::{CallArgs, Interpreter, Res, Slot, SlotWord, TypeDef, Value};
use std::cell::Cell;

/// Payload of `groupby`.
pub struct GroupBy {
    iterator: SlotWord,
    key_function: SlotWord,
    target_key: SlotWord,
    current_key: SlotWord,
    current_value: SlotWord,
    /// Number of the group that may still read; older ones have ended.
    group: Cell<u64>,
}
slot_payload!(GroupBy: iterator, key_function, target_key, current_key, current_value);

/// Payload of `_grouper`.
pub struct Grouper {
    parent: SlotWord,
    key: SlotWord,
    number: u64,
}
slot_payload!(Grouper: parent, key);

fn new_group_by(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "groupby", "(iterable, key=None)", call)?;
    let iterator = vm.iter(args.req(0))?;
    let payload = GroupBy {
        iterator: word(&iterator),
        key_function: SlotWord::new(args.some(1).cloned()),
        target_key: SlotWord::default(),
        current_key: SlotWord::default(),
        current_value: SlotWord::default(),
        group: Cell::new(0),
    };
    vm.alloc_subclass(cls, payload)
}

/// Reads one item and its key; false at the end.
fn step(vm: &Interpreter, it: &GroupBy) -> Res<bool> {
    let Some(iterator) = it.iterator.get() else { return Ok(false) };
    let Some(value) = vm.next(&iterator)? else { return Ok(false) };
    let key = match it.key_function.get() {
        Some(function) => vm.call_values(&function, std::slice::from_ref(&value))?,
        None => value.clone(),
    };
    it.current_value.set(Some(value));
    it.current_key.set(Some(key));
    Ok(true)
}

fn next_group(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<GroupBy>(vm, value)?;
    it.group.set(it.group.get() + 1);
    loop {
        match (it.current_key.get(), it.target_key.get()) {
            (Some(_), None) => break,
            (Some(current), Some(target)) if !vm.keys_equal(&target, &current)? => break,
            _ => {}
        }
        if !step(vm, it)? {
            return Ok(None);
        }
    }
    let Some(key) = it.current_key.get() else { return Ok(None) };
    it.target_key.set(Some(key.clone()));
    let group = new_grouper(vm, value, &key)?;
    vm.tuple_of([key, group]).map(Some)
}

fn new_grouper(vm: &Interpreter, parent: &Value, key: &Value) -> Res {
    let number = this::<GroupBy>(vm, parent)?.group.get();
    vm.alloc(&vm.type_for(&GROUPER)?, Grouper { parent: word(parent), key: word(key), number })
}

fn next_in_group(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let group = this::<Grouper>(vm, value)?;
    let (Some(parent), Some(target)) = (group.parent.get(), group.key.get()) else { return Ok(None) };
    let it = this::<GroupBy>(vm, &parent)?;
    if it.group.get() != group.number {
        return Ok(None);
    }
    if !it.current_value.is_set() && !step(vm, it)? {
        return Ok(None);
    }
    let Some(current) = it.current_key.get() else { return Ok(None) };
    if !vm.keys_equal(&target, &current)? {
        return Ok(None);
    }
    let item = it.current_value.replace(None);
    it.current_key.set(None);
    Ok(item)
}

pub static GROUP_BY: TypeDef = super::iterator::<GroupBy>(
    "groupby",
    "groupby(iterable, key=None)\n--\n\nRuns of items with equal keys: each key, and an iterator over its run.",
    &[Slot::New(new_group_by), ITSELF, Slot::Next(next_group)],
    &[],
);

pub static GROUPER: TypeDef = super::iterator::<Grouper>(
    "_grouper",
    "",
    &[
        Slot::New(|vm, _, call| {
            let args = positional(vm, "_grouper", call, 2, 2)?;
            this::<GroupBy>(vm, &args[0])?.group.update(|n| n + 1);
            new_grouper(vm, &args[0], &args[1])
        }),
        ITSELF,
        Slot::Next(next_in_group),
    ],
    &[],
);

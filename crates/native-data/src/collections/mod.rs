//! `_collections`: `deque`, `defaultdict`, `OrderedDict`, and what named tuples and counters need.

mod defaultdict;
pub mod deque;
pub mod ordered;
mod tuplegetter;

use pellucid_object::{Dict, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value, slots::SetFn};

/// Counts the items of an iterable in a mapping: `mapping[item] = mapping.get(item, 0) + 1`.
fn count_elements(vm: &Interpreter, mapping: &Value, iterable: &Value) -> Res {
    let one = vm.new_int(1)?;
    if let Some(dict) = plain_dict(vm, mapping)? {
        let add = |old: Value| match old.as_small_int().and_then(|i| Value::small_int(i + 1)) {
            Some(new) => Ok(new),
            None => vm.binary(pellucid_object::BinOp::Add, &old, &one),
        };
        vm.for_each(iterable, |item| {
            let hash = vm.hash(&item)?;
            let Some(i) = dict.find(vm, &item, hash)? else {
                return dict.set_hashed(vm, item, hash, one.clone());
            };
            let Some(old) = dict.value_at(i) else { return Ok(()) };
            let small = old.is_small_int();
            let new = add(old)?;
            // Adding small ints runs no Python code, so that entry is still the one.
            if small && dict.set_at(i, new.clone()).is_ok() {
                return Ok(());
            }
            dict.set_hashed(vm, item, hash, new)
        })?;
        return Ok(Value::NONE);
    }
    let get = vm.get_attr_str(mapping, "get")?;
    let zero = vm.new_int(0)?;
    vm.for_each(iterable, |item| {
        let old = vm.call_values(&get, &[item.clone(), zero.clone()])?;
        let new = vm.binary(pellucid_object::BinOp::Add, &old, &one)?;
        vm.set_item(mapping, &item, Some(&new))
    })?;
    Ok(Value::NONE)
}

/// The dict of a mapping whose class changes neither `get` nor `__setitem__`.
fn plain_dict<'a>(vm: &Interpreter, mapping: &'a Value) -> Res<Option<&'a Dict>> {
    let Some(dict) = mapping.downcast::<Dict>() else { return Ok(None) };
    let (ty, base) = (vm.type_of(mapping), &vm.types().dict);
    let same = |a: Option<SetFn>, b: Option<SetFn>| match (a, b) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        _ => false,
    };
    if !same(ty.slots.setitem.get(), base.slots.setitem.get()) {
        return Ok(None);
    }
    let name = vm.intern_static("get")?;
    let untouched = match (ty.lookup(vm, &name), base.lookup(vm, &name)) {
        (Some(a), Some(b)) => a.is(&b),
        _ => false,
    };
    Ok(Some(dict).filter(|_| untouched))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_collections",
    doc: "Containers beyond the builtin ones.",
    functions: &[FunctionDef::new(
        "_count_elements",
        "($module, mapping, iterable, /)",
        "Counts the items of an iterable in a mapping.",
        NativeFn::F2(count_elements),
    )],
    types: &[
        &deque::DEQUE,
        &defaultdict::DEFAULT_DICT,
        &ordered::ORDERED_DICT,
        &deque::DEQUE_ITERATOR,
        &deque::DEQUE_REVERSE_ITERATOR,
        &tuplegetter::TUPLE_GETTER,
    ],
    constants: &[],
    init: None,
};

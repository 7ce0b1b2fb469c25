//! The iterators of `str`, `bytes` and `bytearray`: an object and a position in it.

use pellucid_object::{
    ByteArray, Bytes, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Str, TypeDef,
    TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// Payload of these iterators.
pub struct Cursor {
    object: SlotWord,
    index: Cell<usize>,
}

impl Payload for Cursor {
    fn trace(&self, visit: &mut Visitor) {
        self.object.trace(visit);
    }
    fn clear(&self) {
        self.object.set(None);
    }
}

fn cursor<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Cursor> {
    value.downcast::<Cursor>().ok_or_else(|| vm.bug("no cursor"))
}

fn new(vm: &Interpreter, def: &'static TypeDef, object: &Value) -> Res {
    let payload = Cursor { object: SlotWord::new(Some(object.clone())), index: Cell::new(0) };
    vm.alloc(&vm.type_for(def)?, payload)
}

/// `iter(str)`.
pub fn over_str(vm: &Interpreter, object: &Value) -> Res {
    let ascii = object.downcast::<Str>().is_some_and(|s| s.text.is_ascii());
    new(vm, if ascii { &STR_ASCII_ITERATOR } else { &STR_ITERATOR }, object)
}

/// `iter(bytes)`.
pub fn over_bytes(vm: &Interpreter, object: &Value) -> Res {
    new(vm, &BYTES_ITERATOR, object)
}

/// `iter(bytearray)`.
pub fn over_bytearray(vm: &Interpreter, object: &Value) -> Res {
    new(vm, &BYTEARRAY_ITERATOR, object)
}

fn item(vm: &Interpreter, object: &Value, index: usize) -> Res<Option<Value>> {
    if let Some(s) = object.downcast::<Str>() {
        return s.text.get(index).map(|point| vm.str_of_point(point)).transpose();
    }
    let byte = match (object.downcast::<Bytes>(), object.downcast::<ByteArray>()) {
        (Some(bytes), _) => bytes.as_slice().get(index).copied(),
        (_, Some(array)) => array.borrow().get(index).copied(),
        _ => None,
    };
    byte.map(|b| vm.new_int(i64::from(b))).transpose()
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let cursor = cursor(vm, this)?;
    let Some(object) = cursor.object.get() else { return Ok(None) };
    let index = cursor.index.get();
    let item = item(vm, &object, index)?;
    match item {
        Some(_) => cursor.index.set(index + 1),
        None => cursor.object.set(None),
    }
    Ok(item)
}

fn length_hint(vm: &Interpreter, this: &Value) -> Res {
    let cursor = cursor(vm, this)?;
    let len = cursor.object.get().map_or(Ok(0), |object| vm.len(&object))?;
    vm.new_int(len.saturating_sub(cursor.index.get()) as i64)
}

fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let iter = crate::builtins::named(vm, "iter")?;
    let cursor = cursor(vm, this)?;
    match cursor.object.get() {
        Some(object) => {
            let index = vm.new_int(cursor.index.get() as i64)?;
            vm.new_tuple(vec![iter, vm.new_tuple(vec![object])?, index])
        }
        None => {
            let empty =
                if vm.type_name(this).starts_with("str") { vm.new_str("")? } else { vm.new_tuple(vec![])? };
            vm.new_tuple(vec![iter, vm.new_tuple(vec![empty])?])
        }
    }
}

fn set_state(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let index = vm.expect_i64(state)?;
    let cursor = cursor(vm, this)?;
    if let Some(object) = cursor.object.get() {
        let len = vm.len(&object)?;
        cursor.index.set(usize::try_from(index).unwrap_or(0).min(len));
    }
    Ok(Value::NONE)
}

const METHODS: &[FunctionDef] = &[
    FunctionDef::new("__length_hint__", "($self, /)", "How many items are left.", NativeFn::F1(length_hint)),
    FunctionDef::new("__reduce__", "($self, /)", "State for pickling.", NativeFn::F1(reduce)),
    FunctionDef::new("__setstate__", "($self, state, /)", "Sets the position.", NativeFn::F2(set_state)),
];

const fn def(name: &'static str) -> TypeDef {
    TypeDef {
        name,
        module: "builtins",
        base: None,
        payload: payload::<Cursor>(),
        flags: TypeFlags::NO_NEW,
        doc: "",
        slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
        methods: METHODS,
        getset: &[],
    }
}

pub static STR_ITERATOR: TypeDef = def("str_iterator");
pub static STR_ASCII_ITERATOR: TypeDef = def("str_ascii_iterator");
pub static BYTES_ITERATOR: TypeDef = def("bytes_iterator");
pub static BYTEARRAY_ITERATOR: TypeDef = def("bytearray_iterator");

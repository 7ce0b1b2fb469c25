//! `tee`: several iterators over one. What one of them has read and others have not stands in a chain of blocks;
//! blocks that all have passed are dropped.

use crate::slot_payload;
use crate::support::{ITSELF, positional, this, word};
use pellucid_object::{
    CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef, TypeFlags, Value,
    Visitor, payload,
};
use std::cell::{Cell, RefCell};

/// Values in a block.
const BLOCK: usize = 57;

/// Payload of a block.
pub struct TeeData {
    iterator: SlotWord,
    values: RefCell<Vec<Value>>,
    following: SlotWord,
    reading: Cell<bool>,
}

impl Payload for TeeData {
    fn trace(&self, visit: &mut Visitor) {
        self.iterator.trace(visit);
        self.values.borrow().iter().for_each(&mut *visit);
        self.following.trace(visit);
    }
    fn clear(&self) {
        self.iterator.set(None);
        let values = self.values.take();
        drop(values);
        self.following.set(None);
    }
}

/// Payload of a tee iterator: a place in the chain.
pub struct Tee {
    data: SlotWord,
    index: Cell<usize>,
}
slot_payload!(Tee: data);

fn new_data(vm: &Interpreter, iterator: &Value) -> Res {
    let payload = TeeData {
        iterator: word(iterator),
        values: RefCell::default(),
        following: SlotWord::default(),
        reading: Cell::new(false),
    };
    vm.alloc(&vm.type_for(&TEE_DATA)?, payload)
}

/// A tee iterator over `iterable`, one that shares with it when it is one itself.
fn from_iterable(vm: &Interpreter, cls: &Value, iterable: &Value) -> Res {
    let iterator = vm.iter(iterable)?;
    if iterator.downcast::<Tee>().is_some() {
        return copy(vm, &iterator);
    }
    let data = new_data(vm, &iterator)?;
    vm.alloc_subclass(cls, Tee { data: word(&data), index: Cell::new(0) })
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let tee = this::<Tee>(vm, value)?;
    let payload = Tee { data: SlotWord::new(tee.data.get()), index: tee.index.clone() };
    vm.alloc(&vm.type_for(&TEE)?, payload)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let tee = this::<Tee>(vm, value)?;
    let Some(mut data) = tee.data.get() else { return Ok(None) };
    if tee.index.get() >= BLOCK {
        let block = this::<TeeData>(vm, &data)?;
        let following = match block.following.get() {
            Some(following) => following,
            None => {
                let Some(iterator) = block.iterator.get() else { return Ok(None) };
                let made = new_data(vm, &iterator)?;
                block.following.set(Some(made.clone()));
                made
            }
        };
        tee.data.set(Some(following.clone()));
        tee.index.set(0);
        data = following;
    }
    let block = this::<TeeData>(vm, &data)?;
    let index = tee.index.get();
    let known = block.values.borrow().get(index).cloned();
    let item = match known {
        Some(item) => item,
        None => {
            if block.reading.get() {
                return Err(vm.runtime_error("cannot re-enter the tee iterator".to_string()));
            }
            let Some(iterator) = block.iterator.get() else { return Ok(None) };
            block.reading.set(true);
            let read = vm.next(&iterator);
            block.reading.set(false);
            let Some(item) = read? else { return Ok(None) };
            block.values.borrow_mut().push(item.clone());
            item
        }
    };
    tee.index.set(index + 1);
    Ok(Some(item))
}

/// `tee(iterable, n=2)`.
pub fn tee(vm: &Interpreter, call: &CallArgs) -> Res {
    let args = positional(vm, "tee", call, 1, 2)?;
    let count = args.get(1).map_or(Ok(2), |n| vm.expect_i64(n))?;
    let Ok(count) = usize::try_from(count) else {
        return Err(vm.value_error("n must be >= 0".to_string()));
    };
    let mut result = Vec::new();
    if result.try_reserve_exact(count).is_err() {
        return Err(vm.no_memory());
    }
    if count > 0 {
        let cls = vm.type_for(&TEE)?;
        result.push(from_iterable(vm, cls.value(), &args[0])?);
        while result.len() < count {
            result.push(copy(vm, &result[0])?);
        }
    }
    vm.new_tuple(result)
}

pub static TEE: TypeDef = TypeDef {
    name: "_tee",
    module: "itertools",
    base: None,
    payload: payload::<Tee>(),
    flags: TypeFlags::WEAKREF,
    doc: "_tee(iterable, /)\n--\n\nAn iterator that can be copied.",
    slots: &[
        Slot::New(|vm, cls, call| {
            let args = positional(vm, "_tee", call, 1, 1)?;
            from_iterable(vm, cls, &args[0])
        }),
        ITSELF,
        Slot::Next(next),
    ],
    methods: &[FunctionDef::new(
        "__copy__",
        "($self, /)",
        "An independent iterator at the same place.",
        NativeFn::F1(copy),
    )],
    getset: &[],
};

pub static TEE_DATA: TypeDef = TypeDef {
    name: "_tee_dataobject",
    module: "itertools",
    base: None,
    payload: payload::<TeeData>(),
    flags: TypeFlags::NO_NEW,
    doc: "Values that some of the iterators have yet to read.",
    slots: &[],
    methods: &[],
    getset: &[],
};

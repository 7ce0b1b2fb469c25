//! `count`, `cycle`, `repeat`.

use crate::slot_payload;
use crate::support::{ITSELF, bind, for_new, positional, this, word};
use pellucid_object::{
    BinOp, CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef, Value,
    Visitor, payload,
};
use std::cell::{Cell, RefCell};

// ---- count ----

/// Payload of `count`: the next number and the step.
pub struct Count {
    next: SlotWord,
    step: SlotWord,
}
slot_payload!(Count: next, step);

fn is_number(vm: &Interpreter, value: &Value) -> Res<bool> {
    if value.as_int().is_some()
        || value.downcast::<pellucid_object::float::Float>().is_some()
        || value.is_small_float()
    {
        return Ok(true);
    }
    let slots = &vm.type_of(value).slots;
    use pellucid_object::UnOp::{Float, Index, Int};
    Ok([Index, Int, Float].iter().any(|op| slots.unary[*op as usize].get().is_some())
        || vm.lookup_special(value, "__complex__")?.is_some())
}

fn new_count(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "count", "(start=0, step=1)", call)?;
    for i in 0..2 {
        if let Some(value) = args.get(i)
            && !is_number(vm, value)?
        {
            return Err(vm.type_error("a number is required".to_string()));
        }
    }
    let start = args.get(0).map_or_else(|| vm.new_int(0), |v| Ok(v.clone()))?;
    let step = args.get(1).map_or_else(|| vm.new_int(1), |v| Ok(v.clone()))?;
    vm.alloc_subclass(cls, Count { next: word(&start), step: word(&step) })
}

fn next_count(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let count = this::<Count>(vm, value)?;
    let (Some(current), Some(step)) = (count.next.get(), count.step.get()) else { return Ok(None) };
    let small = match (current.as_small_int(), step.as_small_int()) {
        (Some(a), Some(b)) => a.checked_add(b).and_then(Value::small_int),
        _ => None,
    };
    let following = match small {
        Some(value) => value,
        None => vm.binary(BinOp::Add, &current, &step)?,
    };
    count.next.set(Some(following));
    Ok(Some(current))
}

fn repr_count(vm: &Interpreter, value: &Value) -> Res {
    let count = this::<Count>(vm, value)?;
    let (next, step) = (count.next.get().unwrap_or(Value::NONE), count.step.get().unwrap_or(Value::NONE));
    let name = vm.type_of(value).name();
    let next = vm.repr_lossy(&next)?;
    if step.as_int().is_some() && vm.as_i64(&step) == Some(1) {
        return vm.new_str(&format!("{name}({next})"));
    }
    vm.new_str(&format!("{name}({next}, {})", vm.repr_lossy(&step)?))
}

pub static COUNT: TypeDef = super::iterator::<Count>(
    "count",
    "count(start=0, step=1)\n--\n\nNumbers from start, step apart, without end.",
    &[Slot::New(new_count), ITSELF, Slot::Next(next_count), Slot::Repr(repr_count)],
    &[],
);

// ---- cycle ----

/// Payload of `cycle`: the iterator during the first round, the values it gave after it.
pub struct Cycle {
    iterator: SlotWord,
    saved: RefCell<Vec<Value>>,
    index: Cell<usize>,
}

impl Payload for Cycle {
    fn trace(&self, visit: &mut Visitor) {
        self.iterator.trace(visit);
        self.saved.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        self.iterator.set(None);
        let saved = self.saved.take();
        drop(saved);
    }
}

fn new_cycle(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = positional(vm, "cycle", &for_new(cls, call), 1, 1)?;
    let iterator = vm.iter(&args[0])?;
    vm.alloc_subclass(
        cls,
        Cycle { iterator: word(&iterator), saved: RefCell::default(), index: Cell::new(0) },
    )
}

fn next_cycle(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let cycle = this::<Cycle>(vm, value)?;
    if let Some(iterator) = cycle.iterator.get() {
        if let Some(item) = vm.next(&iterator)? {
            let mut saved = cycle.saved.borrow_mut();
            if saved.try_reserve(1).is_err() {
                drop(saved);
                return Err(vm.no_memory());
            }
            saved.push(item.clone());
            return Ok(Some(item));
        }
        cycle.iterator.set(None);
    }
    let saved = cycle.saved.borrow();
    let index = cycle.index.get();
    let item = saved.get(index).cloned();
    cycle.index.set(if index + 1 >= saved.len() { 0 } else { index + 1 });
    Ok(item)
}

pub static CYCLE: TypeDef = super::iterator::<Cycle>(
    "cycle",
    "cycle(iterable, /)\n--\n\nThe items again and again.",
    &[Slot::New(new_cycle), ITSELF, Slot::Next(next_cycle)],
    &[],
);

// ---- repeat ----

/// Payload of `repeat`; a negative count is endless.
pub struct Repeat {
    element: SlotWord,
    left: Cell<i64>,
}
slot_payload!(Repeat: element);

fn new_repeat(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "repeat", "(object, times=<unrepresentable>)", call)?;
    let left = match args.get(1) {
        Some(times) => vm.expect_i64(times)?.max(0),
        None => -1,
    };
    vm.alloc_subclass(cls, Repeat { element: word(args.req(0)), left: Cell::new(left) })
}

fn next_repeat(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let repeat = this::<Repeat>(vm, value)?;
    match repeat.left.get() {
        0 => return Ok(None),
        left if left > 0 => repeat.left.set(left - 1),
        _ => {}
    }
    Ok(repeat.element.get())
}

fn repr_repeat(vm: &Interpreter, value: &Value) -> Res {
    let repeat = this::<Repeat>(vm, value)?;
    let element = vm.repr_lossy(&repeat.element.get().unwrap_or(Value::NONE))?;
    let name = vm.type_of(value).name();
    match repeat.left.get() {
        left if left < 0 => vm.new_str(&format!("{name}({element})")),
        left => vm.new_str(&format!("{name}({element}, {left})")),
    }
}

fn repeat_hint(vm: &Interpreter, value: &Value) -> Res {
    match this::<Repeat>(vm, value)?.left.get() {
        left if left < 0 => Err(vm.type_error("len() of unsized object".to_string())),
        left => vm.new_int(left),
    }
}

pub static REPEAT: TypeDef = TypeDef {
    name: "repeat",
    module: "itertools",
    base: None,
    payload: payload::<Repeat>(),
    flags: pellucid_object::TypeFlags::BASETYPE,
    doc: "repeat(object[, times])\n\nThe object so many times, or without end.",
    slots: &[Slot::New(new_repeat), ITSELF, Slot::Next(next_repeat), Slot::Repr(repr_repeat)],
    methods: &[FunctionDef::new(
        "__length_hint__",
        "($self, /)",
        "How many items are left.",
        NativeFn::F1(repeat_hint),
    )],
    getset: &[],
};

//! The type `range`: ints of any size, never laid out. Not here yet: slicing, `index`, `count`, `reversed`.

use pellucid_object::int::IBig;
use pellucid_object::{
    CallArgs, GetSetDef, Interpreter, Payload, Res, Slot, TypeDef, TypeFlags, Value, payload,
};
use std::cell::RefCell;

/// Payload of `range`, and of its iterator (which moves `start`).
pub struct Range {
    start: RefCell<IBig>,
    stop: IBig,
    step: IBig,
}

impl Payload for Range {
    const CONTAINER: bool = false;
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Range> {
    value.downcast::<Range>().ok_or_else(|| vm.type_error("a range was expected".to_string()))
}

fn big(vm: &Interpreter, value: &Value) -> Res<IBig> {
    Ok(vm.index(value)?.as_int().map_or_else(|| IBig::from(0), |i| i.to_big()))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("range() takes no keyword arguments".to_string()));
    }
    let (start, stop, step) = match args.values {
        [] => return Err(vm.type_error("range expected at least 1 argument, got 0".to_string())),
        [stop] => (IBig::from(0), big(vm, stop)?, IBig::from(1)),
        [start, stop] => (big(vm, start)?, big(vm, stop)?, IBig::from(1)),
        [start, stop, step] => (big(vm, start)?, big(vm, stop)?, big(vm, step)?),
        more => return Err(vm.type_error(format!("range expected at most 3 arguments, got {}", more.len()))),
    };
    if step == IBig::from(0) {
        return Err(vm.value_error("range() arg 3 must not be zero".to_string()));
    }
    vm.alloc_subclass(cls, Range { start: RefCell::new(start), stop, step })
}

impl Range {
    fn count(&self) -> IBig {
        let (zero, one) = (IBig::from(0), IBig::from(1));
        let start = self.start.borrow().clone();
        let (span, step) = if self.step > zero {
            (&self.stop - start, self.step.clone())
        } else {
            (start - &self.stop, -self.step.clone())
        };
        if span <= zero { zero } else { (span - &one) / step + one }
    }
}

fn len(vm: &Interpreter, value: &Value) -> Res<usize> {
    i64::try_from(&this(vm, value)?.count())
        .map(|n| n as usize)
        .map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t".to_string()))
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let range = this(vm, value)?;
    if !crate::seq::has_index(vm, key) {
        let name = vm.type_name(key);
        return Err(vm.type_error(format!("range indices must be integers or slices, not {name}")));
    }
    let (mut i, count, zero) = (big(vm, key)?, range.count(), IBig::from(0));
    if i < zero {
        i += &count;
    }
    if i < zero || i >= count {
        return Err(vm.index_error("range object index out of range".to_string()));
    }
    let item = range.start.borrow().clone() + i * &range.step;
    vm.new_big(item)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let range = this(vm, value)?;
    let (start, stop, step) = (range.start.borrow().clone(), &range.stop, &range.step);
    let tail = if *step == IBig::from(1) { String::new() } else { format!(", {step}") };
    vm.new_str(&format!("range({start}, {stop}{tail})"))
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let r = this(vm, value)?;
    let copy = Range { start: r.start.clone(), stop: r.stop.clone(), step: r.step.clone() };
    vm.alloc(&vm.type_for(&RANGE_ITERATOR)?, copy)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let range = this(vm, value)?;
    if range.count() == IBig::from(0) {
        return Ok(None);
    }
    let item = range.start.borrow().clone();
    *range.start.borrow_mut() += &range.step;
    vm.new_big(item).map(Some)
}

pub static RANGE_ITERATOR: TypeDef = TypeDef {
    name: "range_iterator",
    module: "builtins",
    base: None,
    payload: payload::<Range>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[],
};

pub static RANGE: TypeDef = TypeDef {
    name: "range",
    module: "builtins",
    base: None,
    payload: payload::<Range>(),
    flags: TypeFlags::SEQUENCE,
    doc: "range(stop)\nrange(start, stop[, step])\n\nInts from start up to stop, step apart.",
    slots: &[Slot::New(new), Slot::Repr(repr), Slot::Len(len), Slot::GetItem(get_item), Slot::Iter(iter)],
    methods: &[],
    getset: &[
        GetSetDef {
            name: "start",
            doc: "",
            get: |vm, v| vm.new_big(this(vm, v)?.start.borrow().clone()),
            set: None,
        },
        GetSetDef { name: "stop", doc: "", get: |vm, v| vm.new_big(this(vm, v)?.stop.clone()), set: None },
        GetSetDef { name: "step", doc: "", get: |vm, v| vm.new_big(this(vm, v)?.step.clone()), set: None },
    ],
};

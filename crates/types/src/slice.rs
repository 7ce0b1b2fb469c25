//! The type `slice`.

use crate::seq::{Writer, has_index};
use crate::tuple::XXH_PRIMES;
use pellucid_object::int::IBig;
use pellucid_object::{
    Args, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, TypeDef,
    TypeFlags, Value, Visitor, payload,
};

/// Payload of `slice`.
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}

impl Payload for Slice {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.start);
        visit(&self.stop);
        visit(&self.step);
    }
}

/// A slice applied to a length: `count` items from `start` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl Span {
    /// The places, in order.
    pub fn places(self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.count as i64).map(move |i| (self.start + i * self.step) as usize)
    }
}

/// A new slice object.
pub fn new_slice(vm: &Interpreter, start: Value, stop: Value, step: Value) -> Res {
    vm.alloc(&vm.type_for(&SLICE)?, Slice { start, stop, step })
}

/// An int as `i64`; beyond that, the extremes.
pub fn clamped(vm: &Interpreter, value: &Value) -> Res<i64> {
    let index = vm.index(value)?;
    Ok(match index.as_int() {
        Some(int) => match i64::try_from(&int.to_big()) {
            Ok(i) => i,
            Err(_) if int.to_big() < IBig::from(0) => i64::MIN,
            Err(_) => i64::MAX,
        },
        None => 0,
    })
}

fn part(vm: &Interpreter, value: &Value) -> Res<Option<i64>> {
    if value.is_none() {
        return Ok(None);
    }
    check_part(vm, value)?;
    clamped(vm, value).map(Some)
}

fn check_part(vm: &Interpreter, value: &Value) -> Res<()> {
    if has_index(vm, value) {
        return Ok(());
    }
    Err(vm.type_error("slice indices must be integers or None or have an __index__ method".to_string()))
}

/// The parts of a slice as numbers, before a length is known: (start, stop, step).
pub struct Parts(Option<i64>, Option<i64>, i64);

/// Reads the parts, which may run Python code. Errors: `TypeError`, `ValueError` for a step of zero.
pub fn parts(vm: &Interpreter, slice: &Slice) -> Res<Parts> {
    let step = part(vm, &slice.step)?.unwrap_or(1);
    if step == 0 {
        return Err(vm.value_error("slice step cannot be zero".to_string()));
    }
    let start = part(vm, &slice.start)?;
    let stop = part(vm, &slice.stop)?;
    Ok(Parts(start, stop, step.max(-i64::MAX)))
}

impl Parts {
    /// Bounds and step, which is not 0.
    pub fn new(start: Option<i64>, stop: Option<i64>, step: i64) -> Parts {
        Parts(start, stop, step)
    }

    /// Applies the slice to a length; runs no Python code.
    pub fn over(&self, len: usize) -> Span {
        let (step, len) = (self.2, len as i64);
        let (least, most) = if step < 0 { (-1, len - 1) } else { (0, len) };
        let fit = |i: i64| if i < 0 { i.saturating_add(len).max(least) } else { i.min(most) };
        let start = self.0.map_or(if step < 0 { most } else { least }, fit);
        let stop = self.1.map_or(if step < 0 { least } else { most }, fit);
        let count = if step < 0 && stop < start {
            (start - stop - 1) / -step + 1
        } else if step > 0 && start < stop {
            (stop - start - 1) / step + 1
        } else {
            0
        };
        Span { start, stop, step, count: count as usize }
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("slice() takes no keyword arguments".to_string()));
    }
    let (start, stop, step) = match args.values {
        [stop] => (Value::NONE, stop.clone(), Value::NONE),
        [start, stop] => (start.clone(), stop.clone(), Value::NONE),
        [start, stop, step] => (start.clone(), stop.clone(), step.clone()),
        [] => return Err(vm.type_error("slice expected at least 1 argument, got 0".to_string())),
        more => {
            return Err(vm.type_error(format!("slice expected at most 3 arguments, got {}", more.len())));
        }
    };
    vm.alloc_subclass(cls, Slice { start, stop, step })
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Slice> {
    value.downcast::<Slice>().ok_or_else(|| vm.type_error("a slice was expected".to_string()))
}

fn as_tuple(vm: &Interpreter, slice: &Slice) -> Res {
    vm.new_tuple(vec![slice.start.clone(), slice.stop.clone(), slice.step.clone()])
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let slice = this(vm, value)?;
    let mut w = Writer::default();
    w.push("slice(");
    w.push_repr(vm, &slice.start)?;
    w.push(", ");
    w.push_repr(vm, &slice.stop)?;
    w.push(", ");
    w.push_repr(vm, &slice.step)?;
    w.push(")");
    w.finish(vm)
}

/// The hash of CPython's slices: xxHash's way of mixing, as tuples do, without the length.
fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let slice = this(vm, value)?;
    let mut acc = XXH_PRIMES[2];
    for part in [&slice.start, &slice.stop, &slice.step] {
        acc = acc.wrapping_add((vm.hash(part)? as u64).wrapping_mul(XXH_PRIMES[1]));
        acc = acc.rotate_left(31).wrapping_mul(XXH_PRIMES[0]);
    }
    Ok(if acc == u64::MAX { 1546275796 } else { acc as i64 })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Slice>(), b.downcast::<Slice>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    vm.compare(op, &as_tuple(vm, x)?, &as_tuple(vm, y)?)
}

/// The start, stop and step that a slice means for `len` items, in numbers of any size. Errors: `TypeError`, `ValueError`.
pub fn bounds(vm: &Interpreter, slice: &Slice, len: &IBig) -> Res<[IBig; 3]> {
    let big =
        |v: &Value| -> Res<IBig> { Ok(vm.index(v)?.as_int().map_or_else(|| IBig::from(0), |i| i.to_big())) };
    let zero = IBig::from(0);
    let read = |v: &Value| -> Res<Option<IBig>> {
        if v.is_none() {
            return Ok(None);
        }
        check_part(vm, v)?;
        big(v).map(Some)
    };
    let step = read(&slice.step)?.unwrap_or_else(|| IBig::from(1));
    if step == zero {
        return Err(vm.value_error("slice step cannot be zero".to_string()));
    }
    let down = step < zero;
    let (least, most) =
        if down { (IBig::from(-1), len - IBig::from(1)) } else { (zero.clone(), len.clone()) };
    let fit = |i: IBig| if i < zero { (i + len).max(least.clone()) } else { i.min(most.clone()) };
    let start = read(&slice.start)?.map_or_else(|| if down { most.clone() } else { least.clone() }, fit);
    let stop = read(&slice.stop)?.map_or_else(|| if down { least.clone() } else { most.clone() }, fit);
    Ok([start, stop, step])
}

fn indices(vm: &Interpreter, args: &Args) -> Res {
    let slice = this(vm, args.req(0))?;
    let len = vm.index(args.req(1))?.as_int().map_or_else(|| IBig::from(0), |i| i.to_big());
    if len < IBig::from(0) {
        return Err(vm.value_error("length should not be negative".to_string()));
    }
    let [start, stop, step] = bounds(vm, slice, &len)?;
    vm.new_tuple(vec![vm.new_big(start)?, vm.new_big(stop)?, vm.new_big(step)?])
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let slice = this(vm, value)?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), as_tuple(vm, slice)?])
}

pub static SLICE: TypeDef = TypeDef {
    name: "slice",
    module: "builtins",
    base: None,
    payload: payload::<Slice>(),
    flags: TypeFlags::NONE,
    doc: "slice(stop)\nslice(start, stop[, step])\n\nWhat stands in the brackets of a[start:stop:step].",
    slots: &[Slot::New(new), Slot::Repr(repr), Slot::Compare(compare), Slot::Hash(hash)],
    methods: &[
        FunctionDef::new(
            "indices",
            "($self, length, /)",
            "The (start, stop, step) that the slice means for a sequence of this length.",
            NativeFn::Args(indices),
        ),
        FunctionDef::new("__reduce__", "($self, /)", "State for pickling.", NativeFn::F1(reduce)),
    ],
    getset: &[
        GetSetDef::member("start", "", |vm, v| Ok(this(vm, v)?.start.clone())),
        GetSetDef::member("stop", "", |vm, v| Ok(this(vm, v)?.stop.clone())),
        GetSetDef::member("step", "", |vm, v| Ok(this(vm, v)?.step.clone())),
    ],
};

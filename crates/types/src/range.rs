//! The type `range`: ints of any size, never laid out. Bounds that all are small ints are computed with as such.

use crate::slice::Slice;
use pellucid_object::int::IBig;
use pellucid_object::{
    CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, RangeIterator, Res, Slot,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};

/// Payload of `range`.
pub struct Range {
    /// Exact ints.
    pub start: Value,
    pub stop: Value,
    pub step: Value,
    len: Length,
}

/// How many values a range has.
enum Length {
    /// Every value, and the length, is a small int.
    Small(i64),
    Big(IBig),
}

impl Payload for Range {
    const CONTAINER: bool = false;
}

/// Payload of `longrange_iterator`.
pub struct LongIterator {
    next: RefCell<IBig>,
    step: IBig,
    left: RefCell<IBig>,
}

impl Payload for LongIterator {
    const CONTAINER: bool = false;
    fn trace(&self, _: &mut Visitor) {}
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Range> {
    value.downcast::<Range>().ok_or_else(|| vm.type_error("a range was expected".to_string()))
}

fn big(value: &Value) -> IBig {
    value.as_int().map_or_else(|| IBig::from(0), |i| i.to_big())
}

/// The length of a range of small ints, if no value of it leaves them.
fn small_length(start: i64, stop: i64, step: i64) -> i64 {
    let (from, to, by) = (i128::from(start), i128::from(stop), i128::from(step));
    let count =
        if by > 0 { (to - from + by - 1).div_euclid(by) } else { (from - to - by - 1).div_euclid(-by) };
    i64::try_from(count.max(0)).unwrap_or(i64::MAX)
}

fn big_length(start: &IBig, stop: &IBig, step: &IBig) -> IBig {
    let zero = IBig::from(0);
    let (span, by) = if *step > zero { (stop - start, step.clone()) } else { (start - stop, -step.clone()) };
    if span <= zero { zero } else { (span - IBig::from(1)) / by + IBig::from(1) }
}

/// A range. Errors: `ValueError` for a step of 0, `MemoryError`.
fn make(vm: &Interpreter, cls: &Value, start: Value, stop: Value, step: Value) -> Res {
    let small = (start.as_small_int(), stop.as_small_int(), step.as_small_int());
    let len = match small {
        (_, _, Some(0)) => return Err(vm.value_error("range() arg 3 must not be zero".to_string())),
        (Some(start), Some(stop), Some(step)) => Length::Small(small_length(start, stop, step)),
        _ => Length::Big(big_length(&big(&start), &big(&stop), &big(&step))),
    };
    vm.alloc_subclass(cls, Range { start, stop, step, len })
}

fn new_range(vm: &Interpreter, start: IBig, stop: IBig, step: IBig) -> Res {
    let cls = vm.type_for(&RANGE)?.into_value();
    make(vm, &cls, vm.new_big(start)?, vm.new_big(stop)?, vm.new_big(step)?)
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("range() takes no keyword arguments".to_string()));
    }
    let (zero, one) = (vm.new_int(0)?, vm.new_int(1)?);
    match args.values {
        [] => Err(vm.type_error("range expected at least 1 argument, got 0".to_string())),
        [stop] => make(vm, cls, zero, vm.index(stop)?, one),
        [start, stop] => make(vm, cls, vm.index(start)?, vm.index(stop)?, one),
        [start, stop, step] => make(vm, cls, vm.index(start)?, vm.index(stop)?, vm.index(step)?),
        more => Err(vm.type_error(format!("range expected at most 3 arguments, got {}", more.len()))),
    }
}

impl Range {
    fn big_len(&self) -> IBig {
        match &self.len {
            Length::Small(len) => IBig::from(*len),
            Length::Big(len) => len.clone(),
        }
    }

    /// The value at a position, which need not be in the range.
    fn value(&self, vm: &Interpreter, position: &IBig) -> Res {
        vm.new_big(big(&self.start) + position * big(&self.step))
    }

    /// The position of an int, if it is in the range.
    fn position(&self, wanted: &Value) -> Option<IBig> {
        if let (Length::Small(len), Some(start), Some(step), Some(i)) =
            (&self.len, self.start.as_small_int(), self.step.as_small_int(), wanted.as_small_int())
        {
            let distance = i128::from(i) - i128::from(start);
            let (at, rest) = (distance / i128::from(step), distance % i128::from(step));
            return (rest == 0 && at >= 0 && at < i128::from(*len)).then(|| IBig::from(at as i64));
        }
        let (distance, step, zero) = (big(wanted) - big(&self.start), big(&self.step), IBig::from(0));
        let (at, rest) = (&distance / &step, &distance % &step);
        (rest == zero && at >= zero && at < self.big_len()).then_some(at)
    }
}

fn len(vm: &Interpreter, value: &Value) -> Res<usize> {
    match &this(vm, value)?.len {
        Length::Small(len) => Ok(*len as usize),
        Length::Big(len) => i64::try_from(len)
            .map(|n| n as usize)
            .map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t".to_string())),
    }
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let range = this(vm, value)?;
    if let Some(item) = small_item(range, key) {
        return Ok(item);
    }
    if let Some(slice) = key.downcast::<Slice>() {
        return match small_slice(range, slice) {
            Some([start, stop, step]) => {
                let cls = vm.type_for(&RANGE)?.into_value();
                make(vm, &cls, vm.new_int(start)?, vm.new_int(stop)?, vm.new_int(step)?)
            }
            None => get_slice(vm, range, slice),
        };
    }
    if !crate::seq::has_index(vm, key) {
        let name = vm.type_name(key);
        return Err(vm.type_error(format!("range indices must be integers or slices, not {name}")));
    }
    let (mut i, count, zero) = (big(&vm.index(key)?), range.big_len(), IBig::from(0));
    if i < zero {
        i += &count;
    }
    if i < zero || i >= count {
        return Err(vm.index_error("range object index out of range".to_string()));
    }
    range.value(vm, &i)
}

/// [`get_item`] where all is small ints.
fn small_item(range: &Range, key: &Value) -> Option<Value> {
    let Length::Small(len) = range.len else { return None };
    let index = key.as_small_int()?;
    let index = if index < 0 { index + len } else { index };
    if !(0..len).contains(&index) {
        return None;
    }
    let (start, step) = (range.start.as_small_int()?, range.step.as_small_int()?);
    Value::small_int(start + index * step)
}

/// The bounds and the step of a part of a range without a step of its own, where all is small ints.
fn small_slice(range: &Range, slice: &Slice) -> Option<[i64; 3]> {
    let Length::Small(len) = range.len else { return None };
    if !slice.step.is_none() {
        return None;
    }
    let bound = |value: &Value, absent: i64| {
        if value.is_none() {
            return Some(absent);
        }
        let index = value.as_small_int()?;
        Some(if index < 0 { index + len } else { index }.clamp(0, len))
    };
    let (start, step) = (range.start.as_small_int()?, range.step.as_small_int()?);
    let at = |index: i64| start.checked_add(index.checked_mul(step)?);
    Some([at(bound(&slice.start, 0)?)?, at(bound(&slice.stop, len)?)?, step])
}

/// A part of a slice as an int, `None` for None.
fn slice_part(vm: &Interpreter, value: &Value) -> Res<Option<IBig>> {
    if value.is_none() {
        return Ok(None);
    }
    if !crate::seq::has_index(vm, value) {
        return Err(
            vm.type_error("slice indices must be integers or None or have an __index__ method".to_string())
        );
    }
    Ok(Some(big(&vm.index(value)?)))
}

fn get_slice(vm: &Interpreter, range: &Range, slice: &Slice) -> Res {
    let (zero, len) = (IBig::from(0), range.big_len());
    let step = slice_part(vm, &slice.step)?.unwrap_or_else(|| IBig::from(1));
    if step == zero {
        return Err(vm.value_error("slice step cannot be zero".to_string()));
    }
    let (least, most) =
        if step < zero { (IBig::from(-1), &len - IBig::from(1)) } else { (zero.clone(), len.clone()) };
    let fit = |i: IBig| {
        let i = if i < zero { i + &len } else { i };
        i.clamp(least.clone(), most.clone())
    };
    let backwards = step < zero;
    let start = slice_part(vm, &slice.start)?;
    let stop = slice_part(vm, &slice.stop)?;
    let start = start.map_or_else(|| if backwards { most.clone() } else { least.clone() }, fit);
    let stop = stop.map_or_else(|| if backwards { least.clone() } else { most.clone() }, fit);
    let (from, by) = (big(&range.start), big(&range.step));
    new_range(vm, &from + start * &by, from + stop * &by, step * by)
}

/// Ints (not of subclasses, which may compare as they like) are found by arithmetic.
fn exact_int(vm: &Interpreter, value: &Value) -> bool {
    value.is_bool() || vm.is_exact(value, &vm.types().int)
}

fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    if exact_int(vm, item) {
        return Ok(this(vm, value)?.position(&vm.index(item)?).is_some());
    }
    let iterator = iter(vm, value)?;
    while let Some(candidate) = vm.next(&iterator)? {
        if vm.keys_equal(&candidate, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn count(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    if exact_int(vm, item) {
        return vm.new_int(i64::from(contains(vm, value, item)?));
    }
    let mut count = 0;
    vm.for_each(value, |candidate| {
        count += i64::from(vm.keys_equal(&candidate, item)?);
        Ok(())
    })?;
    vm.new_int(count)
}

fn index(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let missing = |vm: &Interpreter| Ok(vm.value_error(format!("{} is not in range", vm.repr_lossy(item)?)));
    if exact_int(vm, item) {
        return match this(vm, value)?.position(&vm.index(item)?) {
            Some(position) => vm.new_big(position),
            None => Err(missing(vm)?),
        };
    }
    let iterator = iter(vm, value)?;
    let mut at = 0;
    while let Some(candidate) = vm.next(&iterator)? {
        if vm.keys_equal(&candidate, item)? {
            return vm.new_int(at);
        }
        at += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence".to_string()))
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let range = this(vm, value)?;
    let (start, stop, step) = (big(&range.start), big(&range.stop), big(&range.step));
    let tail = if step == IBig::from(1) { String::new() } else { format!(", {step}") };
    vm.new_str(&format!("range({start}, {stop}{tail})"))
}

/// Ranges are equal when they have the same values.
fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) = (a.downcast::<Range>(), b.downcast::<Range>(), op) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (len, one) = (x.big_len(), IBig::from(1));
    let equal = len == y.big_len()
        && (len == IBig::from(0)
            || (vm.keys_equal(&x.start, &y.start)? && (len == one || vm.keys_equal(&x.step, &y.step)?)));
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let range = this(vm, value)?;
    let len = range.big_len();
    let start = if len == IBig::from(0) { Value::NONE } else { range.start.clone() };
    let step = if len <= IBig::from(1) { Value::NONE } else { range.step.clone() };
    vm.hash(&vm.new_tuple(vec![vm.new_big(len)?, start, step])?)
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let range = this(vm, value)?;
    match (&range.len, range.start.as_small_int(), range.step.as_small_int()) {
        (Length::Small(len), Some(next), Some(step)) => small_iterator(vm, next, step, *len),
        _ => long_iterator(vm, big(&range.start), big(&range.step), range.big_len()),
    }
}

fn small_iterator(vm: &Interpreter, next: i64, step: i64, left: i64) -> Res {
    vm.alloc(
        &vm.type_for(&RANGE_ITERATOR)?,
        RangeIterator { next: Cell::new(next), step, left: Cell::new(left) },
    )
}

fn long_iterator(vm: &Interpreter, next: IBig, step: IBig, left: IBig) -> Res {
    let payload = LongIterator { next: RefCell::new(next), step, left: RefCell::new(left) };
    vm.alloc(&vm.type_for(&LONG_ITERATOR)?, payload)
}

fn reversed(vm: &Interpreter, value: &Value) -> Res {
    let range = this(vm, value)?;
    let len = range.big_len();
    let last = big(&range.start) + (&len - IBig::from(1)) * big(&range.step);
    let small = i64::try_from(&last).ok().and_then(|l| Value::small_int(l).map(|_| l));
    match (&range.len, small, range.step.as_small_int()) {
        (Length::Small(len), Some(last), Some(step)) => small_iterator(vm, last, -step, *len),
        _ => long_iterator(vm, last, -big(&range.step), len),
    }
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let range = this(vm, value)?;
    let args = vm.new_tuple(vec![range.start.clone(), range.stop.clone(), range.step.clone()])?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), args])
}

// ---- iterators ----

fn small(value: &Value) -> Option<&RangeIterator> {
    value.downcast::<RangeIterator>()
}

fn next_small(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    match small(value) {
        Some(iterator) => iterator.advance().map(|i| vm.new_int(i)).transpose(),
        None => Err(vm.bug("range iterator")),
    }
}

fn next_long(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(iterator) = value.downcast::<LongIterator>() else { return Err(vm.bug("long range iterator")) };
    if *iterator.left.borrow() <= IBig::from(0) {
        return Ok(None);
    }
    *iterator.left.borrow_mut() -= IBig::from(1);
    let value = iterator.next.borrow().clone();
    *iterator.next.borrow_mut() += &iterator.step;
    vm.new_big(value).map(Some)
}

/// (next, step, left) of either iterator.
fn state(vm: &Interpreter, value: &Value) -> Res<(IBig, IBig, IBig)> {
    match (small(value), value.downcast::<LongIterator>()) {
        (Some(it), _) => Ok((IBig::from(it.next.get()), IBig::from(it.step), IBig::from(it.left.get()))),
        (_, Some(it)) => Ok((it.next.borrow().clone(), it.step.clone(), it.left.borrow().clone())),
        _ => Err(vm.type_error("a range iterator was expected".to_string())),
    }
}

fn length_hint(vm: &Interpreter, value: &Value) -> Res {
    vm.new_big(state(vm, value)?.2)
}

/// A copy is `iter` of the range of what is left.
fn reduce_iterator(vm: &Interpreter, value: &Value) -> Res {
    let (next, step, left) = state(vm, value)?;
    let stop = &next + &left * &step;
    let range = new_range(vm, next, stop, step)?;
    let args = vm.new_tuple(vec![range])?;
    vm.new_tuple(vec![crate::builtins::named(vm, "iter")?, args, Value::NONE])
}

fn set_state(vm: &Interpreter, value: &Value, skip: &Value) -> Res {
    let (next, step, left) = state(vm, value)?;
    let skip = big(&vm.index(skip)?).clamp(IBig::from(0), left.clone());
    let (next, left) = (next + &skip * step, left - skip);
    match (small(value), value.downcast::<LongIterator>()) {
        (Some(it), _) => {
            it.next.set(i64::try_from(&next).unwrap_or(0));
            it.left.set(i64::try_from(&left).unwrap_or(0));
        }
        (_, Some(it)) => {
            *it.next.borrow_mut() = next;
            *it.left.borrow_mut() = left;
        }
        _ => {}
    }
    Ok(Value::NONE)
}

const ITERATOR_METHODS: &[FunctionDef] = &[
    FunctionDef::new("__length_hint__", "($self, /)", "How many values are left.", NativeFn::F1(length_hint)),
    FunctionDef::new("__reduce__", "($self, /)", "For pickling and copying.", NativeFn::F1(reduce_iterator)),
    FunctionDef::new("__setstate__", "($self, state, /)", "Skips that many values.", NativeFn::F2(set_state)),
];

pub static RANGE_ITERATOR: TypeDef = TypeDef {
    name: "range_iterator",
    module: "builtins",
    base: None,
    payload: payload::<RangeIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next_small)],
    methods: ITERATOR_METHODS,
    getset: &[],
};

pub static LONG_ITERATOR: TypeDef = TypeDef {
    name: "longrange_iterator",
    module: "builtins",
    base: None,
    payload: payload::<LongIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next_long)],
    methods: ITERATOR_METHODS,
    getset: &[],
};

const fn bound(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef::member(name, "", get)
}

pub static RANGE: TypeDef = TypeDef {
    name: "range",
    module: "builtins",
    base: None,
    payload: payload::<Range>(),
    flags: TypeFlags::SEQUENCE,
    doc: "range(stop)\nrange(start, stop[, step])\n\nInts from start up to stop, step apart.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Len(len),
        Slot::Bool(|vm, v| Ok(this(vm, v)?.big_len() != IBig::from(0))),
        Slot::GetItem(get_item),
        Slot::Contains(contains),
        Slot::Iter(iter),
        Slot::Compare(compare),
        Slot::Hash(hash),
    ],
    methods: &[
        FunctionDef::new(
            "count",
            "($self, value, /)",
            "How often a value is in the range.",
            NativeFn::F2(count),
        ),
        FunctionDef::new("index", "($self, value, /)", "The position of a value.", NativeFn::F2(index)),
        FunctionDef::new("__reversed__", "($self, /)", "Return a reverse iterator.", NativeFn::F1(reversed)),
        FunctionDef::new("__reduce__", "($self, /)", "For pickling and copying.", NativeFn::F1(reduce)),
    ],
    getset: &[
        bound("start", |vm, v| Ok(this(vm, v)?.start.clone())),
        bound("stop", |vm, v| Ok(this(vm, v)?.stop.clone())),
        bound("step", |vm, v| Ok(this(vm, v)?.step.clone())),
    ],
};

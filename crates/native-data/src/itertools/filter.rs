//! `compress`, `dropwhile`, `takewhile`, `filterfalse`, `islice`, `starmap`.

use crate::slot_payload;
use crate::support::{ITSELF, bind, for_new, positional, this, word};
use pellucid_object::{
    CallArgs, Interpreter, Raised, Res, Slot, SlotWord, Tuple, TypeDef, TypeFlags, Value, payload,
};
use std::cell::Cell;

// ---- compress ----

/// Payload of `compress`.
pub struct Compress {
    data: SlotWord,
    selectors: SlotWord,
}
slot_payload!(Compress: data, selectors);

fn next_compress(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Compress>(vm, value)?;
    let (Some(data), Some(selectors)) = (it.data.get(), it.selectors.get()) else { return Ok(None) };
    loop {
        let Some(item) = vm.next(&data)? else { return Ok(None) };
        let Some(selector) = vm.next(&selectors)? else { return Ok(None) };
        if vm.truthy(&selector)? {
            return Ok(Some(item));
        }
    }
}

pub static COMPRESS: TypeDef = super::iterator::<Compress>(
    "compress",
    "compress(data, selectors)\n--\n\nThe items of data whose selector is true.",
    &[
        Slot::New(|vm, cls, call| {
            let args = bind(vm, "compress", "(data, selectors)", call)?;
            let data = vm.iter(args.req(0))?;
            let selectors = vm.iter(args.req(1))?;
            vm.alloc_subclass(cls, Compress { data: word(&data), selectors: word(&selectors) })
        }),
        ITSELF,
        Slot::Next(next_compress),
    ],
    &[],
);

// ---- predicates ----

/// Payload of the iterators with a predicate and a mark.
pub struct Filtered {
    predicate: SlotWord,
    iterator: SlotWord,
    /// `dropwhile`: the first kept item was seen; `takewhile`: the end was reached.
    mark: Cell<bool>,
}
slot_payload!(Filtered: predicate, iterator);

fn new_filtered(vm: &Interpreter, cls: &Value, call: &CallArgs, name: &str) -> Res {
    let args = positional(vm, name, &for_new(cls, call), 2, 2)?;
    let iterator = vm.iter(&args[1])?;
    let payload = Filtered { predicate: word(&args[0]), iterator: word(&iterator), mark: Cell::new(false) };
    vm.alloc_subclass(cls, payload)
}

fn holds(vm: &Interpreter, predicate: &Value, item: &Value) -> Res<bool> {
    let result = vm.call_values(predicate, std::slice::from_ref(item))?;
    vm.truthy(&result)
}

fn next_drop(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Filtered>(vm, value)?;
    let (Some(predicate), Some(iterator)) = (it.predicate.get(), it.iterator.get()) else { return Ok(None) };
    loop {
        let Some(item) = vm.next(&iterator)? else { return Ok(None) };
        if it.mark.get() {
            return Ok(Some(item));
        }
        if !holds(vm, &predicate, &item)? {
            it.mark.set(true);
            return Ok(Some(item));
        }
    }
}

fn next_take(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Filtered>(vm, value)?;
    if it.mark.get() {
        return Ok(None);
    }
    let (Some(predicate), Some(iterator)) = (it.predicate.get(), it.iterator.get()) else { return Ok(None) };
    let Some(item) = vm.next(&iterator)? else { return Ok(None) };
    if holds(vm, &predicate, &item)? {
        return Ok(Some(item));
    }
    it.mark.set(true);
    Ok(None)
}

fn next_false(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Filtered>(vm, value)?;
    let (Some(predicate), Some(iterator)) = (it.predicate.get(), it.iterator.get()) else { return Ok(None) };
    let plain = predicate.is_none() || predicate.is(vm.types().bool.value());
    loop {
        let Some(item) = vm.next(&iterator)? else { return Ok(None) };
        let keep = if plain { vm.truthy(&item)? } else { holds(vm, &predicate, &item)? };
        if !keep {
            return Ok(Some(item));
        }
    }
}

pub static DROP_WHILE: TypeDef = super::iterator::<Filtered>(
    "dropwhile",
    "dropwhile(predicate, iterable, /)\n--\n\nThe items from the first on that the predicate refuses.",
    &[Slot::New(|vm, cls, call| new_filtered(vm, cls, call, "dropwhile")), ITSELF, Slot::Next(next_drop)],
    &[],
);

pub static TAKE_WHILE: TypeDef = super::iterator::<Filtered>(
    "takewhile",
    "takewhile(predicate, iterable, /)\n--\n\nThe items before the first that the predicate refuses.",
    &[Slot::New(|vm, cls, call| new_filtered(vm, cls, call, "takewhile")), ITSELF, Slot::Next(next_take)],
    &[],
);

pub static FILTER_FALSE: TypeDef = super::iterator::<Filtered>(
    "filterfalse",
    "filterfalse(function, iterable, /)\n--\n\nThe items of which the function is false.",
    &[Slot::New(|vm, cls, call| new_filtered(vm, cls, call, "filterfalse")), ITSELF, Slot::Next(next_false)],
    &[],
);

// ---- starmap ----

fn next_star(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Filtered>(vm, value)?;
    let (Some(function), Some(iterator)) = (it.predicate.get(), it.iterator.get()) else { return Ok(None) };
    let Some(item) = vm.next(&iterator)? else { return Ok(None) };
    let result = match item.downcast::<Tuple>() {
        Some(tuple) => vm.call_values(&function, tuple.as_slice()),
        None => vm.call_values(&function, &vm.collect(&item)?),
    };
    result.map(Some)
}

pub static STAR_MAP: TypeDef = super::iterator::<Filtered>(
    "starmap",
    "starmap(function, iterable, /)\n--\n\nThe function of each tuple of arguments.",
    &[Slot::New(|vm, cls, call| new_filtered(vm, cls, call, "starmap")), ITSELF, Slot::Next(next_star)],
    &[],
);

// ---- islice ----

/// Payload of `islice`.
pub struct Islice {
    iterator: SlotWord,
    next: Cell<u64>,
    stop: Option<u64>,
    step: u64,
    count: Cell<u64>,
}
slot_payload!(Islice: iterator);

fn bad_bound(vm: &Interpreter, what: &str) -> Raised {
    vm.value_error(format!("{what} must be None or an integer: 0 <= x <= sys.maxsize."))
}

/// A bound of a slice, `None` when it is left open.
fn bound(vm: &Interpreter, value: &Value, what: &str) -> Res<Option<u64>> {
    if value.is_none() {
        return Ok(None);
    }
    let index = match vm.index(value) {
        Ok(index) => index,
        Err(raised) => {
            drop(vm.take_raised(raised));
            return Err(bad_bound(vm, what));
        }
    };
    match vm.as_i64(&index).and_then(|i| u64::try_from(i).ok()) {
        Some(i) => Ok(Some(i)),
        None => Err(bad_bound(vm, what)),
    }
}

fn new_islice(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = positional(vm, "islice", &for_new(cls, call), 2, 4)?;
    let (start, stop, step) = match &args[1..] {
        [stop] => (0, bound(vm, stop, "Stop argument for islice()")?, 1),
        [start, stop, rest @ ..] => {
            let start = bound(vm, start, "Indices for islice()")?.unwrap_or(0);
            let stop = bound(vm, stop, "Stop argument for islice()")?;
            (start, stop, step_of(vm, rest.first())?)
        }
        [] => (0, None, 1),
    };
    let iterator = vm.iter(&args[0])?;
    let payload =
        Islice { iterator: word(&iterator), next: Cell::new(start), stop, step, count: Cell::new(0) };
    vm.alloc_subclass(cls, payload)
}

fn step_of(vm: &Interpreter, value: Option<&Value>) -> Res<u64> {
    let bad = || vm.value_error("Step for islice() must be a positive integer or None.".to_string());
    let Some(value) = value.filter(|v| !v.is_none()) else { return Ok(1) };
    match vm.index(value) {
        Ok(index) => vm.as_i64(&index).filter(|&i| i > 0).map(|i| i as u64).ok_or_else(bad),
        Err(raised) => {
            drop(vm.take_raised(raised));
            Err(bad())
        }
    }
}

fn next_islice(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Islice>(vm, value)?;
    let Some(iterator) = it.iterator.get() else { return Ok(None) };
    let end = || {
        it.iterator.set(None);
        Ok(None)
    };
    while it.count.get() < it.next.get() {
        if vm.next(&iterator)?.is_none() {
            return end();
        }
        it.count.set(it.count.get() + 1);
    }
    if it.stop.is_some_and(|stop| it.count.get() >= stop) {
        return end();
    }
    let Some(item) = vm.next(&iterator)? else { return end() };
    it.count.set(it.count.get() + 1);
    let next = it.next.get().saturating_add(it.step);
    it.next.set(it.stop.map_or(next, |stop| next.min(stop)));
    Ok(Some(item))
}

pub static ISLICE: TypeDef = TypeDef {
    name: "islice",
    module: "itertools",
    base: None,
    payload: payload::<Islice>(),
    flags: TypeFlags::BASETYPE,
    doc: "islice(iterable, stop)\nislice(iterable, start, stop[, step])\n\nThe items that a slice would take.",
    slots: &[Slot::New(new_islice), ITSELF, Slot::Next(next_islice)],
    methods: &[],
    getset: &[],
};

//! `accumulate`, `batched`, `chain`, `pairwise`, `zip_longest`.

use crate::slot_payload;
use crate::support::{CLASS_GETITEM, ITSELF, bind, for_new, no_keywords, positional, this, word};
use pellucid_object::slots::{Places, Unpacked};
use pellucid_object::{
    BinOp, CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef, Value,
    Visitor,
};
use std::cell::{Cell, RefCell};

// ---- accumulate ----

/// Payload of `accumulate`.
pub struct Accumulate {
    iterator: SlotWord,
    function: SlotWord,
    initial: SlotWord,
    total: SlotWord,
}
slot_payload!(Accumulate: iterator, function, initial, total);

fn new_accumulate(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "accumulate", "(iterable, func=None, *, initial=None)", call)?;
    let iterator = vm.iter(args.req(0))?;
    let payload = Accumulate {
        iterator: word(&iterator),
        function: SlotWord::new(args.some(1).cloned()),
        initial: SlotWord::new(args.some(2).cloned()),
        total: SlotWord::default(),
    };
    vm.alloc_subclass(cls, payload)
}

fn next_accumulate(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Accumulate>(vm, value)?;
    if let Some(initial) = it.initial.replace(None) {
        it.total.set(Some(initial.clone()));
        return Ok(Some(initial));
    }
    let Some(iterator) = it.iterator.get() else { return Ok(None) };
    let Some(item) = vm.next(&iterator)? else { return Ok(None) };
    let total = match (it.total.get(), it.function.get()) {
        (None, _) => item,
        (Some(total), None) => vm.binary(BinOp::Add, &total, &item)?,
        (Some(total), Some(function)) => vm.call_values(&function, &[total, item])?,
    };
    it.total.set(Some(total.clone()));
    Ok(Some(total))
}

pub static ACCUMULATE: TypeDef = super::iterator::<Accumulate>(
    "accumulate",
    "accumulate(iterable, func=None, *, initial=None)\n--\n\nThe sums, or other totals, so far.",
    &[Slot::New(new_accumulate), ITSELF, Slot::Next(next_accumulate)],
    &[],
);

// ---- batched ----

/// Payload of `batched`.
pub struct Batched {
    iterator: SlotWord,
    size: usize,
    strict: bool,
}
slot_payload!(Batched: iterator);

fn new_batched(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "batched", "(iterable, n, *, strict=False)", call)?;
    let size = vm.expect_i64(args.req(1))?;
    let strict = args.bool_or(vm, 2, false)?;
    if size < 1 {
        return Err(vm.value_error("n must be at least one".to_string()));
    }
    let iterator = vm.iter(args.req(0))?;
    vm.alloc_subclass(cls, Batched { iterator: word(&iterator), size: size as usize, strict })
}

fn next_batched(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Batched>(vm, value)?;
    let Some(iterator) = it.iterator.get() else { return Ok(None) };
    let mut items = Vec::new();
    while items.len() < it.size {
        let Some(item) = vm.next(&iterator)? else {
            it.iterator.set(None);
            if items.is_empty() {
                return Ok(None);
            }
            if it.strict {
                return Err(vm.value_error("batched(): incomplete batch".to_string()));
            }
            break;
        };
        if items.try_reserve(1).is_err() {
            return Err(vm.no_memory());
        }
        items.push(item);
    }
    vm.new_tuple(items).map(Some)
}

pub static BATCHED: TypeDef = super::iterator::<Batched>(
    "batched",
    "batched(iterable, n, *, strict=False)\n--\n\nTuples of n items; the last one may be shorter unless strict.",
    &[Slot::New(new_batched), ITSELF, Slot::Next(next_batched)],
    &[],
);

// ---- chain ----

/// Payload of `chain`: the iterator over the iterables, and the one that is being read.
pub struct Chain {
    source: SlotWord,
    active: SlotWord,
}
slot_payload!(Chain: source, active);

fn new_chain(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let call = for_new(cls, call);
    no_keywords(vm, "chain", &call)?;
    let source = vm.iter(&vm.new_tuple(call.values.to_vec())?)?;
    vm.alloc_subclass(cls, Chain { source: word(&source), active: SlotWord::default() })
}

fn from_iterable(vm: &Interpreter, cls: &Value, iterable: &Value) -> Res {
    let source = vm.iter(iterable)?;
    vm.alloc_subclass(cls, Chain { source: word(&source), active: SlotWord::default() })
}

fn next_chain(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<Chain>(vm, value)?;
    loop {
        let active = match it.active.get() {
            Some(active) => active,
            None => {
                let Some(source) = it.source.get() else { return Ok(None) };
                let following = match vm.next(&source) {
                    Ok(Some(iterable)) => vm.iter(&iterable),
                    Ok(None) => {
                        it.source.set(None);
                        return Ok(None);
                    }
                    Err(raised) => Err(raised),
                };
                match following {
                    Ok(active) => {
                        it.active.set(Some(active.clone()));
                        active
                    }
                    Err(raised) => {
                        it.source.set(None);
                        return Err(raised);
                    }
                }
            }
        };
        if let Some(item) = vm.next(&active)? {
            return Ok(Some(item));
        }
        it.active.set(None);
    }
}

pub static CHAIN: TypeDef = super::iterator::<Chain>(
    "chain",
    "chain(*iterables)\n--\n\nThe items of the first iterable, then those of the second, and so on.",
    &[Slot::New(new_chain), ITSELF, Slot::Next(next_chain)],
    &[
        FunctionDef::class(
            "from_iterable",
            "($type, iterable, /)",
            "As chain(), of one iterable of iterables, read lazily.",
            NativeFn::F2(from_iterable),
        ),
        CLASS_GETITEM,
    ],
);

// ---- pairwise ----

/// Payload of `pairwise`.
pub struct Pairwise {
    iterator: SlotWord,
    old: SlotWord,
}
slot_payload!(Pairwise: iterator, old);

fn next_pair(vm: &Interpreter, value: &Value) -> Res<Option<[Value; 2]>> {
    let it = this::<Pairwise>(vm, value)?;
    let Some(mut iterator) = it.iterator.get() else { return Ok(None) };
    let old = match it.old.get() {
        Some(old) => old,
        None => {
            let Some(old) = vm.next(&iterator)? else {
                it.iterator.set(None);
                return Ok(None);
            };
            it.old.set(Some(old.clone()));
            // Reading may have come back here and ended this very iterator.
            iterator = match it.iterator.get() {
                Some(iterator) => iterator,
                None => {
                    it.old.set(None);
                    return Ok(None);
                }
            };
            old
        }
    };
    let Some(new) = vm.next(&iterator)? else {
        it.iterator.set(None);
        it.old.set(None);
        return Ok(None);
    };
    it.old.set(Some(new.clone()));
    Ok(Some([old, new]))
}

fn next_pairwise(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    match next_pair(vm, value)? {
        Some(pair) => vm.tuple_of(pair).map(Some),
        None => Ok(None),
    }
}

fn next_pairwise_items(vm: &Interpreter, value: &Value, places: Places) -> Res<Unpacked> {
    if places.len() != 2 {
        return Ok(Unpacked::Other);
    }
    let Some([old, new]) = next_pair(vm, value)? else { return Ok(Unpacked::End) };
    places.put(0, old);
    places.put(1, new);
    Ok(Unpacked::Items)
}

pub static PAIRWISE: TypeDef = super::iterator::<Pairwise>(
    "pairwise",
    "pairwise(iterable, /)\n--\n\nEach item with the one after it.",
    &[
        Slot::New(|vm, cls, call| {
            let args = positional(vm, "pairwise", call, 1, 1)?;
            let iterator = vm.iter(&args[0])?;
            vm.alloc_subclass(cls, Pairwise { iterator: word(&iterator), old: SlotWord::default() })
        }),
        ITSELF,
        Slot::Next(next_pairwise),
        Slot::NextItems(next_pairwise_items),
    ],
    &[],
);

// ---- zip_longest ----

/// Payload of `zip_longest`; an iterator that ended is gone.
pub struct ZipLongest {
    iterators: RefCell<Vec<Option<Value>>>,
    active: Cell<usize>,
    fill: SlotWord,
}

impl Payload for ZipLongest {
    fn trace(&self, visit: &mut Visitor) {
        self.iterators.borrow().iter().flatten().for_each(&mut *visit);
        self.fill.trace(visit);
    }
    fn clear(&self) {
        let iterators = self.iterators.take();
        drop(iterators);
        self.fill.set(None);
    }
}

fn new_zip_longest(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let mut fill = Value::NONE;
    for (name, value) in call.keywords() {
        if vm.str_lossy(name) != "fillvalue" {
            let what = "zip_longest() got an unexpected keyword argument";
            return Err(vm.type_error(what.to_string()));
        }
        fill = value.clone();
    }
    let mut iterators = Vec::with_capacity(call.positional().len());
    for iterable in call.positional() {
        iterators.push(Some(vm.iter(iterable)?));
    }
    let active = Cell::new(iterators.len());
    vm.alloc_subclass(cls, ZipLongest { iterators: RefCell::new(iterators), active, fill: word(&fill) })
}

fn next_zip_longest(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<ZipLongest>(vm, value)?;
    let count = it.iterators.borrow().len();
    if count == 0 || it.active.get() == 0 {
        return Ok(None);
    }
    let fill = it.fill.get().unwrap_or(Value::NONE);
    let mut items = Vec::with_capacity(count);
    for i in 0..count {
        let iterator = it.iterators.borrow().get(i).and_then(Clone::clone);
        let Some(iterator) = iterator else {
            items.push(fill.clone());
            continue;
        };
        match vm.next(&iterator) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                it.active.set(it.active.get().saturating_sub(1));
                if it.active.get() == 0 {
                    return Ok(None);
                }
                let ended = it.iterators.borrow_mut().get_mut(i).and_then(Option::take);
                drop(ended);
                items.push(fill.clone());
            }
            Err(raised) => {
                it.active.set(0);
                return Err(raised);
            }
        }
    }
    vm.new_tuple(items).map(Some)
}

pub static ZIP_LONGEST: TypeDef = super::iterator::<ZipLongest>(
    "zip_longest",
    "zip_longest(*iterables, fillvalue=None)\n--\n\nTuples of one item of each, to the end of the longest.",
    &[Slot::New(new_zip_longest), ITSELF, Slot::Next(next_zip_longest)],
    &[],
);

//! `deque` and its iterators.
//!
//! `state` moves whenever an item appears, disappears or moves: an iterator, or a method that compares items, sees by
//! it that Python code changed the deque meanwhile.

use crate::support::{CLASS_GETITEM, positional, state_of, this};
use pellucid_object::{
    CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res, Slot, SlotWord,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use pellucid_types::seq;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// Payload of `deque`.
#[derive(Default)]
pub struct Deque {
    items: RefCell<VecDeque<Value>>,
    max: Cell<Option<usize>>,
    state: Cell<u64>,
}

impl Payload for Deque {
    fn trace(&self, visit: &mut Visitor) {
        self.items.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        let old = self.items.take();
        drop(old);
    }
}

impl Deque {
    fn touch(&self) {
        self.state.set(self.state.get().wrapping_add(1));
    }
    fn len(&self) -> usize {
        self.items.borrow().len()
    }
    fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow().get(index).cloned()
    }
    fn items(&self) -> Vec<Value> {
        self.items.borrow().iter().cloned().collect()
    }

    /// Adds at the right end, dropping from the left what is too much.
    fn push(&self, vm: &Interpreter, value: Value) -> Res<()> {
        self.touch();
        let mut items = self.items.borrow_mut();
        if items.len() == items.capacity() && items.try_reserve(1).is_err() {
            drop(items);
            return Err(vm.no_memory());
        }
        items.push_back(value);
        let surplus =
            if self.max.get().is_some_and(|max| items.len() > max) { items.pop_front() } else { None };
        drop(items);
        drop(surplus);
        Ok(())
    }

    fn push_left(&self, vm: &Interpreter, value: Value) -> Res<()> {
        self.touch();
        let mut items = self.items.borrow_mut();
        if items.len() == items.capacity() && items.try_reserve(1).is_err() {
            drop(items);
            return Err(vm.no_memory());
        }
        items.push_front(value);
        let surplus =
            if self.max.get().is_some_and(|max| items.len() > max) { items.pop_back() } else { None };
        drop(items);
        drop(surplus);
        Ok(())
    }

    fn clear_items(&self) {
        self.touch();
        let old = self.items.take();
        drop(old);
    }
}

fn deque<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Deque> {
    this::<Deque>(vm, value)
}

fn mutated(vm: &Interpreter) -> Raised {
    vm.runtime_error("deque mutated during iteration".to_string())
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let args = crate::support::bind(vm, "deque", "(iterable=(), maxlen=None)", call)?;
    let max = match args.some(1) {
        None => None,
        Some(max) if max.as_int().is_none() => {
            return Err(vm.type_error("an integer is required".to_string()));
        }
        Some(max) => match usize::try_from(vm.expect_i64(max)?) {
            Ok(max) => Some(max),
            Err(_) => return Err(vm.value_error("maxlen must be non-negative".to_string())),
        },
    };
    let this = deque(vm, value)?;
    this.max.set(max);
    if this.len() > 0 {
        this.clear_items();
    }
    match args.get(0) {
        Some(iterable) => extend_from(vm, value, iterable),
        None => Ok(()),
    }
}

/// What is to be added: a copy when the deque is extended by itself.
fn source(vm: &Interpreter, value: &Value, iterable: &Value) -> Res {
    if iterable.is(value) { vm.new_list(deque(vm, value)?.items()) } else { Ok(iterable.clone()) }
}

fn extend_from(vm: &Interpreter, value: &Value, iterable: &Value) -> Res<()> {
    let source = source(vm, value, iterable)?;
    let this = deque(vm, value)?;
    vm.for_each(&source, |item| this.push(vm, item))
}

fn extend(vm: &Interpreter, value: &Value, iterable: &Value) -> Res {
    extend_from(vm, value, iterable)?;
    Ok(Value::NONE)
}

fn extend_left(vm: &Interpreter, value: &Value, iterable: &Value) -> Res {
    let source = source(vm, value, iterable)?;
    let this = deque(vm, value)?;
    vm.for_each(&source, |item| this.push_left(vm, item))?;
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, value: &Value) -> Res {
    let this = deque(vm, value)?;
    this.touch();
    let item = this.items.borrow_mut().pop_back();
    item.ok_or_else(|| vm.index_error("pop from an empty deque".to_string()))
}

fn pop_left(vm: &Interpreter, value: &Value) -> Res {
    let this = deque(vm, value)?;
    this.touch();
    let item = this.items.borrow_mut().pop_front();
    item.ok_or_else(|| vm.index_error("pop from an empty deque".to_string()))
}

fn rotate(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, rest @ ..] = call.positional() else {
        return Err(vm.type_error("unbound method deque.rotate() needs an argument".to_string()));
    };
    let args = positional(vm, "rotate", &CallArgs { values: rest, names: call.names }, 0, 1)?;
    let n = args.first().map_or(Ok(1), |n| vm.expect_i64(n))?;
    let this = deque(vm, value)?;
    let mut items = this.items.borrow_mut();
    let len = items.len();
    if len > 1 {
        items.rotate_right(n.rem_euclid(len as i64) as usize);
        this.touch();
    }
    Ok(Value::NONE)
}

fn reverse(vm: &Interpreter, value: &Value) -> Res {
    let this = deque(vm, value)?;
    this.items.borrow_mut().make_contiguous().reverse();
    this.touch();
    Ok(Value::NONE)
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    deque(vm, value)?.clear_items();
    Ok(Value::NONE)
}

/// Walks over `start..stop` until `found` says so; the place. Errors: `changed` when the deque changes meanwhile.
fn search(
    vm: &Interpreter,
    this: &Deque,
    wanted: &Value,
    range: std::ops::Range<usize>,
    changed: fn(&Interpreter) -> Raised,
) -> Res<Option<usize>> {
    let state = this.state.get();
    for i in range {
        let Some(item) = this.get(i) else { return Err(changed(vm)) };
        let equal = vm.keys_equal(&item, wanted)?;
        if this.state.get() != state {
            return Err(changed(vm));
        }
        if equal {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

fn count(vm: &Interpreter, value: &Value, wanted: &Value) -> Res {
    let this = deque(vm, value)?;
    let (mut count, mut next, len) = (0, 0, this.len());
    while let Some(i) = search(vm, this, wanted, next..len, mutated)? {
        count += 1;
        next = i + 1;
    }
    vm.new_int(count)
}

fn contains(vm: &Interpreter, value: &Value, wanted: &Value) -> Res<bool> {
    let this = deque(vm, value)?;
    Ok(search(vm, this, wanted, 0..this.len(), mutated)?.is_some())
}

fn index(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, rest @ ..] = call.positional() else {
        return Err(vm.type_error("unbound method deque.index() needs an argument".to_string()));
    };
    let args = positional(vm, "index", &CallArgs { values: rest, names: call.names }, 1, 3)?;
    let start = seq::bound(vm, args.get(1), 0)?;
    let stop = seq::bound(vm, args.get(2), i64::MAX)?;
    let this = deque(vm, value)?;
    let (start, stop) = (seq::clamp(start, this.len()), seq::clamp(stop, this.len()));
    match search(vm, this, &args[0], start.min(stop)..stop, mutated)? {
        Some(i) => vm.new_int(i as i64),
        None => Err(vm.value_error(format!("{} is not in deque", vm.repr_lossy(&args[0])?))),
    }
}

fn remove(vm: &Interpreter, value: &Value, wanted: &Value) -> Res {
    let this = deque(vm, value)?;
    let changed = |vm: &Interpreter| vm.index_error("deque mutated during remove().".to_string());
    let Some(i) = search(vm, this, wanted, 0..this.len(), changed)? else {
        return Err(vm.value_error("deque.remove(x): x not in deque".to_string()));
    };
    this.touch();
    let old = this.items.borrow_mut().remove(i);
    drop(old);
    Ok(Value::NONE)
}

fn insert(vm: &Interpreter, value: &Value, index: &Value, item: &Value) -> Res {
    let index = vm.expect_i64(index)?;
    let this = deque(vm, value)?;
    if this.max.get() == Some(this.len()) {
        return Err(vm.index_error("deque already at its maximum size".to_string()));
    }
    let mut items = this.items.borrow_mut();
    if items.try_reserve(1).is_err() {
        drop(items);
        return Err(vm.no_memory());
    }
    let at = seq::clamp(index, items.len());
    items.insert(at, item.clone());
    this.touch();
    Ok(Value::NONE)
}

fn subscript(vm: &Interpreter, this: &Deque, key: &Value) -> Res<usize> {
    if !seq::has_index(vm, key) {
        let got = vm.type_name(key);
        return Err(vm.type_error(format!("sequence index must be integer, not '{got}'")));
    }
    let index = seq::index_i64(vm, key)?;
    seq::place(index, this.len()).ok_or_else(|| vm.index_error("deque index out of range".to_string()))
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let this = deque(vm, value)?;
    let place = subscript(vm, this, key)?;
    this.get(place).ok_or_else(|| vm.index_error("deque index out of range".to_string()))
}

fn set_item(vm: &Interpreter, value: &Value, key: &Value, new: Option<&Value>) -> Res<()> {
    let this = deque(vm, value)?;
    let place = subscript(vm, this, key)?;
    let old = match new {
        Some(new) => this.items.borrow_mut().get_mut(place).map(|slot| std::mem::replace(slot, new.clone())),
        None => {
            this.touch();
            this.items.borrow_mut().remove(place)
        }
    };
    drop(old);
    Ok(())
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let this = deque(vm, value)?;
    seq::guarded_repr(vm, value, "[...]", |w| {
        w.push(&vm.type_of(value).name());
        w.push("(");
        let list = vm.new_list(this.items())?;
        w.push_repr(vm, &list)?;
        if let Some(max) = this.max.get() {
            w.push(&format!(", maxlen={max}"));
        }
        w.push(")");
        Ok(())
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Deque>(), b.downcast::<Deque>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if (op == CmpOp::Eq || op == CmpOp::Ne) && (a.is(b) || x.len() != y.len()) {
        return Ok(Value::bool(a.is(b) == (op == CmpOp::Eq)));
    }
    let (sx, sy) = (x.state.get(), y.state.get());
    let mut i = 0;
    while let (Some(p), Some(q)) = (x.get(i), y.get(i)) {
        let equal = vm.keys_equal(&p, &q)?;
        if !equal {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.compare(op, &p, &q),
            };
        }
        if x.state.get() != sx || y.state.get() != sy {
            return Err(mutated(vm));
        }
        i += 1;
    }
    Ok(Value::bool(op.holds(x.len().cmp(&y.len()))))
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let this = deque(vm, value)?;
    if vm.is_exact(value, &vm.type_for(&DEQUE)?) {
        let copy = Deque {
            items: RefCell::new(this.items.borrow().clone()),
            max: this.max.clone(),
            state: Cell::new(0),
        };
        return vm.alloc(&vm.type_of(value), copy);
    }
    let cls = vm.type_of(value).into_value();
    let made = match this.max.get() {
        None => vm.call_values(&cls, std::slice::from_ref(value))?,
        Some(max) => vm.call_values(&cls, &[value.clone(), vm.new_int(max as i64)?])?,
    };
    if made.downcast::<Deque>().is_none() {
        let (cls, got) = (vm.type_name(value), vm.type_name(&made));
        return Err(vm.type_error(format!("{cls}() must return a deque, not {got}")));
    }
    Ok(made)
}

fn add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if b.downcast::<Deque>().is_none() {
        let got = vm.type_name(b);
        return Err(vm.type_error(format!("can only concatenate deque (not \"{got}\") to deque")));
    }
    let made = copy(vm, a)?;
    extend_from(vm, &made, b)?;
    Ok(made)
}

/// The items that `count` copies make, as many as `max` lets stay.
fn repeat_into(vm: &Interpreter, this: &Deque, count: i64) -> Res<()> {
    let items = this.items();
    let count = usize::try_from(count).unwrap_or(0);
    if items.is_empty() || count == 1 {
        return Ok(());
    }
    if count == 0 {
        this.clear_items();
        return Ok(());
    }
    let Some(total) = items.len().checked_mul(count) else { return Err(vm.no_memory()) };
    let kept = this.max.get().map_or(total, |max| max.min(total));
    let mut fresh = VecDeque::new();
    if fresh.try_reserve_exact(kept).is_err() {
        return Err(vm.no_memory());
    }
    fresh.extend((total - kept..total).map(|i| items[i % items.len()].clone()));
    this.touch();
    let old = this.items.replace(fresh);
    drop(old);
    Ok(())
}

fn repeat(vm: &Interpreter, value: &Value, count: i64) -> Res {
    let made = copy(vm, value)?;
    repeat_into(vm, deque(vm, &made)?, count)?;
    Ok(made)
}

fn repeat_inplace(vm: &Interpreter, value: &Value, count: i64) -> Res {
    repeat_into(vm, deque(vm, value)?, count)?;
    Ok(value.clone())
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let args = match deque(vm, value)?.max.get() {
        None => vm.new_tuple(Vec::new())?,
        Some(max) => vm.new_tuple(vec![vm.new_tuple(Vec::new())?, vm.new_int(max as i64)?])?,
    };
    let state = state_of(vm, value)?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), args, state, vm.iter(value)?])
}

// ---- iterators ----

/// Payload of both iterators.
pub struct DequeIterator {
    deque: SlotWord,
    left: Cell<usize>,
    state: Cell<u64>,
    backward: bool,
}

impl Payload for DequeIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.deque.trace(visit);
    }
    fn clear(&self) {
        self.deque.set(None);
    }
}

fn new_iterator(vm: &Interpreter, value: &Value, backward: bool) -> Res {
    let this = deque(vm, value)?;
    let it = DequeIterator {
        deque: SlotWord::new(Some(value.clone())),
        left: Cell::new(this.len()),
        state: Cell::new(this.state.get()),
        backward,
    };
    let def = if backward { &DEQUE_REVERSE_ITERATOR } else { &DEQUE_ITERATOR };
    vm.alloc(&vm.type_for(def)?, it)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<DequeIterator>(vm, value)?;
    let Some(source) = it.deque.get() else { return Ok(None) };
    let deque = deque(vm, &source)?;
    if deque.state.get() != it.state.get() {
        it.left.set(0);
        return Err(mutated(vm));
    }
    let Some(left) = it.left.get().checked_sub(1) else { return Ok(None) };
    it.left.set(left);
    Ok(deque.get(if it.backward { left } else { deque.len() - 1 - left }))
}

fn iterator_new(vm: &Interpreter, call: &CallArgs, backward: bool) -> Res {
    let name = if backward { "_deque_reverse_iterator" } else { "_deque_iterator" };
    let args = positional(vm, name, call, 1, 2)?;
    if args[0].downcast::<Deque>().is_none() {
        let got = vm.type_name(&args[0]);
        return Err(vm.type_error(format!("{name}() argument 1 must be collections.deque, not {got}")));
    }
    let skip = args.get(1).map_or(Ok(0), |n| vm.expect_i64(n))?;
    let made = new_iterator(vm, &args[0], backward)?;
    let it = this::<DequeIterator>(vm, &made)?;
    it.left.set(it.left.get().saturating_sub(usize::try_from(skip).unwrap_or(0)));
    Ok(made)
}

fn iterator_reduce(vm: &Interpreter, value: &Value) -> Res {
    let it = this::<DequeIterator>(vm, value)?;
    let source = it.deque.get().unwrap_or(Value::NONE);
    let len = source.downcast::<Deque>().map_or(0, Deque::len);
    let done = vm.new_int(len.saturating_sub(it.left.get()) as i64)?;
    let args = vm.new_tuple(vec![source, done])?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), args])
}

const fn iterator_def(name: &'static str, slots: &'static [Slot]) -> TypeDef {
    TypeDef {
        name,
        module: "collections",
        base: None,
        payload: payload::<DequeIterator>(),
        flags: TypeFlags::NONE,
        doc: "",
        slots,
        methods: ITERATOR_METHODS,
        getset: &[],
    }
}

static ITERATOR_METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "__length_hint__",
        "($self, /)",
        "How many items are left.",
        NativeFn::F1(|vm, v| vm.new_int(this::<DequeIterator>(vm, v)?.left.get() as i64)),
    ),
    FunctionDef::new("__reduce__", "($self, /)", "What pickling stores.", NativeFn::F1(iterator_reduce)),
];

pub static DEQUE_ITERATOR: TypeDef = iterator_def(
    "_deque_iterator",
    &[
        Slot::New(|vm, _, call| iterator_new(vm, call, false)),
        Slot::Iter(|_, v| Ok(v.clone())),
        Slot::Next(next),
    ],
);

pub static DEQUE_REVERSE_ITERATOR: TypeDef = iterator_def(
    "_deque_reverse_iterator",
    &[
        Slot::New(|vm, _, call| iterator_new(vm, call, true)),
        Slot::Iter(|_, v| Ok(v.clone())),
        Slot::Next(next),
    ],
);

static METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "append",
        "($self, item, /)",
        "Adds an item at the right end.",
        NativeFn::F2(|vm, v, item| deque(vm, v)?.push(vm, item.clone()).map(|()| Value::NONE)),
    ),
    FunctionDef::new(
        "appendleft",
        "($self, item, /)",
        "Adds an item at the left end.",
        NativeFn::F2(|vm, v, item| deque(vm, v)?.push_left(vm, item.clone()).map(|()| Value::NONE)),
    ),
    FunctionDef::new("clear", "($self, /)", "Takes out all items.", NativeFn::F1(clear)),
    FunctionDef::new("__copy__", "($self, /)", "A new deque of the same items.", NativeFn::F1(copy)),
    FunctionDef::new("copy", "($self, /)", "A new deque of the same items.", NativeFn::F1(copy)),
    FunctionDef::new("count", "($self, value, /)", "How many items equal the value.", NativeFn::F2(count)),
    FunctionDef::new(
        "extend",
        "($self, iterable, /)",
        "Adds the items of an iterable at the right end.",
        NativeFn::F2(extend),
    ),
    FunctionDef::new(
        "extendleft",
        "($self, iterable, /)",
        "Adds the items of an iterable at the left end, one after the other.",
        NativeFn::F2(extend_left),
    ),
    FunctionDef::new(
        "index",
        "($self, value, start=0, stop=sys.maxsize, /)",
        "The first place of a value; ValueError when there is none.",
        NativeFn::Raw(index),
    ),
    FunctionDef::new(
        "insert",
        "($self, index, value, /)",
        "Puts a value before a place.",
        NativeFn::F3(insert),
    ),
    FunctionDef::new("pop", "($self, /)", "Takes the last item out.", NativeFn::F1(pop)),
    FunctionDef::new("popleft", "($self, /)", "Takes the first item out.", NativeFn::F1(pop_left)),
    FunctionDef::new(
        "remove",
        "($self, value, /)",
        "Takes the first item out that equals the value.",
        NativeFn::F2(remove),
    ),
    FunctionDef::new("reverse", "($self, /)", "Turns the order round, in place.", NativeFn::F1(reverse)),
    FunctionDef::new(
        "rotate",
        "($self, n=1, /)",
        "Moves all items n places to the right, those that fall off to the left end.",
        NativeFn::Raw(rotate),
    ),
    FunctionDef::new(
        "__reversed__",
        "($self, /)",
        "An iterator from the end.",
        NativeFn::F1(|vm, v| new_iterator(vm, v, true)),
    ),
    FunctionDef::new("__reduce__", "($self, /)", "What pickling stores.", NativeFn::F1(reduce)),
    CLASS_GETITEM,
];

pub static DEQUE: TypeDef = TypeDef {
    name: "deque",
    module: "collections",
    base: None,
    payload: payload::<Deque>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::SEQUENCE).or(TypeFlags::WEAKREF),
    doc: "deque([iterable[, maxlen]])\n--\n\nA sequence that is fast at both ends; with maxlen, the other end gives way.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Deque::default())),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Len(|vm, v| Ok(deque(vm, v)?.len())),
        Slot::Contains(contains),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Iter(|vm, v| new_iterator(vm, v, false)),
        Slot::Concat(add),
        Slot::InplaceConcat(|vm, a, b| extend(vm, a, b).map(|_| a.clone())),
        Slot::Repeat(repeat),
        Slot::InplaceRepeat(repeat_inplace),
    ],
    methods: METHODS,
    getset: &[GetSetDef {
        name: "maxlen",
        doc: "The greatest length, or None.",
        get: |vm, v| match deque(vm, v)?.max.get() {
            Some(max) => vm.new_int(max as i64),
            None => Ok(Value::NONE),
        },
        set: None,
    }],
};

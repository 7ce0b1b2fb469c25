//! Iterators over iterators: `enumerate`, `zip`, `map`, `filter`, `reversed`, `iter(callable, sentinel)`, and what
//! `anext` with a default gives.

use crate::builtins::{self, bind};
use crate::generic_alias::CLASS_GETITEM;
use pellucid_object::protocol::SequenceIterator;
use pellucid_object::slots::{Places, Unpacked};
use pellucid_object::{
    BinOp, CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Raised, Res, Slot, SlotWord, Type, TypeDef,
    TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// `iter(it)` of an iterator is itself.
pub const ITER_SELF: Slot = Slot::Iter(|_, v| Ok(v.clone()));

/// Implements `Payload` for a struct from its `SlotWord` fields.
macro_rules! traced {
    ($ty:ty: $($field:ident),*) => {
        impl Payload for $ty {
            fn trace(&self, visit: &mut Visitor) {
                $(self.$field.trace(visit);)*
            }
            fn clear(&self) {
                $(self.$field.set(None);)*
            }
        }
    };
}

fn no_self(vm: &Interpreter) -> Raised {
    vm.type_error("the iterator is of another type".to_string())
}

fn or_none(word: &SlotWord) -> Value {
    word.get().unwrap_or(Value::NONE)
}

/// Refuses keywords, unless a subclass takes them in its own `__init__`.
fn no_keywords(vm: &Interpreter, cls: &Value, def: &'static TypeDef, call: &CallArgs) -> Res<()> {
    if call.names.is_empty() || cls.downcast::<Type>().is_some_and(Type::overrides_init) {
        return Ok(());
    }
    Err(vm.type_error(format!("{}() takes no keyword arguments", def.name)))
}

// ---- enumerate ----

/// Payload of `enumerate`. The source never changes, so that a cycle has another object for the collector to empty.
pub struct Enumerate {
    source: Value,
    index: SlotWord,
}

impl Payload for Enumerate {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.source);
        self.index.trace(visit);
    }
}

/// An enumeration of what is left in an iterator, whose next item has the number `index`.
pub fn enumerate_from(vm: &Interpreter, source: Value, index: i64) -> Res {
    let index = SlotWord::new(Some(vm.new_int(index)?));
    vm.alloc(&vm.type_for(&ENUMERATE)?, Enumerate { source, index })
}

fn enumerate_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = match (call.values, call.names) {
        ([], []) => {
            return Err(vm.type_error("enumerate() missing required argument 'iterable'".to_string()));
        }
        _ => bind(vm, "enumerate", "(iterable, start=0)", call)?,
    };
    let index = match args.get(1) {
        Some(start) => vm.index(start)?,
        None => vm.new_int(0)?,
    };
    let source = vm.iter(args.req(0))?;
    vm.alloc_subclass(cls, Enumerate { source, index: SlotWord::new(Some(index)) })
}

/// The next pair.
#[inline]
fn enumerate_advance(vm: &Interpreter, this: &Value) -> Res<Option<[Value; 2]>> {
    let Some(e) = this.downcast::<Enumerate>() else { return Err(no_self(vm)) };
    let Some(value) = vm.next(&e.source)? else { return Ok(None) };
    let index = or_none(&e.index);
    let next = match index.as_small_int() {
        Some(i) => vm.new_int(i + 1)?,
        None => vm.binary(BinOp::Add, &index, &vm.new_int(1)?)?,
    };
    e.index.set(Some(next));
    Ok(Some([index, value]))
}

fn enumerate_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    match enumerate_advance(vm, this)? {
        Some(pair) => vm.tuple_of(pair).map(Some),
        None => Ok(None),
    }
}

fn enumerate_next_items(vm: &Interpreter, this: &Value, places: Places) -> Res<Unpacked> {
    if places.len() != 2 {
        return Ok(Unpacked::Other);
    }
    let Some([index, value]) = enumerate_advance(vm, this)? else { return Ok(Unpacked::End) };
    places.put(0, index);
    places.put(1, value);
    Ok(Unpacked::Items)
}

pub static ENUMERATE: TypeDef = TypeDef {
    name: "enumerate",
    module: "builtins",
    base: None,
    payload: payload::<Enumerate>(),
    flags: TypeFlags::BASETYPE,
    doc: "enumerate(iterable, start=0)\n--\n\n\
          Return an enumerate object.\n\n  iterable\n    an object supporting iteration\n\nThe enumerate object yields \
          pairs containing a count (from start, which\ndefaults to zero) and a value yielded by the iterable argument.\n\n\
          enumerate is useful for obtaining an indexed list:\n    (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
    slots: &[
        Slot::New(enumerate_new),
        ITER_SELF,
        Slot::Next(enumerate_next),
        Slot::NextItems(enumerate_next_items),
    ],
    methods: &[
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(|vm, this| {
                let Some(e) = this.downcast::<Enumerate>() else { return Err(no_self(vm)) };
                let args = vm.new_tuple(vec![e.source.clone(), or_none(&e.index)])?;
                vm.new_tuple(vec![vm.type_of(this).into_value(), args])
            }),
        ),
        CLASS_GETITEM,
    ],
    getset: &[],
};

// ---- zip and map ----

/// Payload of `zip` and `map`. What it refers to never changes, so that a cycle has another object for the collector to empty.
pub struct Parallel {
    /// The function of `map`.
    function: Option<Value>,
    sources: Box<[Value]>,
    strict: Cell<bool>,
}

impl Payload for Parallel {
    fn trace(&self, visit: &mut Visitor) {
        self.function.iter().chain(&self.sources).for_each(visit);
    }
}

/// Reads the keyword `strict`.
fn strictness(vm: &Interpreter, name: &str, call: &CallArgs) -> Res<bool> {
    let mut strict = false;
    for (key, value) in call.keywords() {
        match vm.str_lossy(key).as_str() {
            "strict" => strict = vm.truthy(value)?,
            other => {
                return Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    Ok(strict)
}

fn zip_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let strict = strictness(vm, "zip", call)?;
    let sources = call.positional().iter().map(|v| vm.iter(v)).collect::<Res<Vec<_>>>()?;
    let payload = Parallel { function: None, sources: sources.into(), strict: Cell::new(strict) };
    vm.alloc_subclass(cls, payload)
}

fn map_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let takes_more = cls.downcast::<Type>().is_some_and(Type::overrides_init);
    let strict = if takes_more { false } else { strictness(vm, "map", call)? };
    let given = call.positional();
    if given.len() < 2 {
        return Err(vm.type_error("map() must have at least two arguments.".to_string()));
    }
    let sources = given[1..].iter().map(|v| vm.iter(v)).collect::<Res<Vec<_>>>()?;
    let payload =
        Parallel { function: Some(given[0].clone()), sources: sources.into(), strict: Cell::new(strict) };
    vm.alloc_subclass(cls, payload)
}

/// One item of each source, which `put` takes with its index; false when a source is at its end.
#[inline]
fn advance(
    vm: &Interpreter,
    parallel: &Parallel,
    name: &str,
    mut put: impl FnMut(usize, Value),
) -> Res<bool> {
    for (index, source) in parallel.sources.iter().enumerate() {
        match vm.next(source)? {
            Some(value) => put(index, value),
            None => return at_end(vm, parallel, name, index),
        }
    }
    Ok(!parallel.sources.is_empty())
}

/// Source `index` is at its end: so must be the others if their length matters.
#[cold]
fn at_end(vm: &Interpreter, parallel: &Parallel, name: &str, index: usize) -> Res<bool> {
    if !parallel.strict.get() {
        return Ok(false);
    }
    if index > 0 {
        return Err(uneven(vm, name, index, "shorter"));
    }
    for (index, source) in parallel.sources.iter().enumerate().skip(1) {
        if vm.next(source)?.is_some() {
            return Err(uneven(vm, name, index, "longer"));
        }
    }
    Ok(false)
}

/// As [`advance`], into places of its own for as many sources as are usual.
fn advance_all<R>(
    vm: &Interpreter,
    parallel: &Parallel,
    name: &str,
    f: impl FnOnce(&mut [Value]) -> Res<R>,
) -> Res<Option<R>> {
    let count = parallel.sources.len();
    let mut few = [const { Value::UNBOUND }; 4];
    let mut many = Vec::new();
    let places = match few.get_mut(..count) {
        Some(places) => places,
        None => {
            many.resize(count, Value::UNBOUND);
            many.as_mut_slice()
        }
    };
    if advance(vm, parallel, name, |index, value| places[index] = value)? {
        f(places).map(Some)
    } else {
        Ok(None)
    }
}

fn uneven(vm: &Interpreter, name: &str, index: usize, word: &str) -> Raised {
    let others = if index == 1 { " 1".to_string() } else { format!("s 1-{index}") };
    vm.value_error(format!("{name}() argument {} is {word} than argument{others}", index + 1))
}

fn zip_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(z) = this.downcast::<Parallel>() else { return Err(no_self(vm)) };
    advance_all(vm, z, "zip", |items| {
        vm.tuple_from(items.len(), |index| std::mem::replace(&mut items[index], Value::UNBOUND))
    })
}

fn zip_next_items(vm: &Interpreter, this: &Value, places: Places) -> Res<Unpacked> {
    let Some(z) = this.downcast::<Parallel>() else { return Err(no_self(vm)) };
    if z.sources.len() != places.len() {
        return Ok(Unpacked::Other);
    }
    let more = advance(vm, z, "zip", |index, value| places.put(index, value))?;
    Ok(if more { Unpacked::Items } else { Unpacked::End })
}

fn map_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(m) = this.downcast::<Parallel>() else { return Err(no_self(vm)) };
    let function = m.function.as_ref().unwrap_or(Value::none_ref());
    if let [source] = &*m.sources {
        return match vm.next(source)? {
            Some(value) => vm.call_values(function, std::slice::from_ref(&value)).map(Some),
            None => Ok(None),
        };
    }
    advance_all(vm, m, "map", |items| vm.call_values(function, items))
}

fn parallel_reduce(vm: &Interpreter, this: &Value) -> Res {
    let Some(p) = this.downcast::<Parallel>() else { return Err(no_self(vm)) };
    let args = p.function.iter().chain(&p.sources).cloned().collect();
    let mut parts = vec![vm.type_of(this).into_value(), vm.new_tuple(args)?];
    if p.strict.get() {
        parts.push(Value::TRUE);
    }
    vm.new_tuple(parts)
}

fn parallel_setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let Some(p) = this.downcast::<Parallel>() else { return Err(no_self(vm)) };
    p.strict.set(vm.truthy(state)?);
    Ok(Value::NONE)
}

static PARALLEL_METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling.",
        NativeFn::F1(parallel_reduce),
    ),
    FunctionDef::new(
        "__setstate__",
        "($self, object, /)",
        "Set state information for unpickling.",
        NativeFn::F2(parallel_setstate),
    ),
];

pub static ZIP: TypeDef = TypeDef {
    name: "zip",
    module: "builtins",
    base: None,
    payload: payload::<Parallel>(),
    flags: TypeFlags::BASETYPE,
    doc: "zip(*iterables, strict=False)\n--\n\n\
          The zip object yields n-length tuples, where n is the number of iterables\npassed as positional arguments to \
          zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().  This continues until the\n\
          shortest argument is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise \
          a ValueError.\n\n   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]",
    slots: &[Slot::New(zip_new), ITER_SELF, Slot::Next(zip_next), Slot::NextItems(zip_next_items)],
    methods: PARALLEL_METHODS,
    getset: &[],
};

pub static MAP: TypeDef = TypeDef {
    name: "map",
    module: "builtins",
    base: None,
    payload: payload::<Parallel>(),
    flags: TypeFlags::BASETYPE,
    doc: "map(function, iterable, /, *iterables, strict=False)\n--\n\n\
          Make an iterator that computes the function using arguments from\neach of the iterables.  Stops when the shortest \
          iterable is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a \
          ValueError.",
    slots: &[Slot::New(map_new), ITER_SELF, Slot::Next(map_next)],
    methods: PARALLEL_METHODS,
    getset: &[],
};

// ---- filter ----

/// Payload of `filter`. It never changes, so that a cycle has another object for the collector to empty.
pub struct Filter {
    function: Value,
    source: Value,
}

impl Payload for Filter {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.function);
        visit(&self.source);
    }
}

fn filter_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    no_keywords(vm, cls, &FILTER, call)?;
    match call.positional() {
        [function, iterable] => {
            let source = vm.iter(iterable)?;
            vm.alloc_subclass(cls, Filter { function: function.clone(), source })
        }
        given => Err(vm.type_error(format!("filter expected 2 arguments, got {}", given.len()))),
    }
}

fn filter_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(f) = this.downcast::<Filter>() else { return Err(no_self(vm)) };
    let Filter { function, source } = f;
    let plain = function.is_none() || function.is(vm.types().bool.value());
    while let Some(value) = vm.next(source)? {
        let good = if plain {
            vm.truthy(&value)?
        } else {
            let verdict = vm.call_values(function, std::slice::from_ref(&value))?;
            vm.truthy(&verdict)?
        };
        if good {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

pub static FILTER: TypeDef = TypeDef {
    name: "filter",
    module: "builtins",
    base: None,
    payload: payload::<Filter>(),
    flags: TypeFlags::BASETYPE,
    doc: "filter(function, iterable, /)\n--\n\n\
          Return an iterator yielding those items of iterable for which function(item)\nis true. If function is None, return \
          the items that are true.",
    slots: &[Slot::New(filter_new), ITER_SELF, Slot::Next(filter_next)],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling.",
        NativeFn::F1(|vm, this| {
            let Some(f) = this.downcast::<Filter>() else { return Err(no_self(vm)) };
            let args = vm.new_tuple(vec![f.function.clone(), f.source.clone()])?;
            vm.new_tuple(vec![vm.type_of(this).into_value(), args])
        }),
    )],
    getset: &[],
};

// ---- reversed ----

/// Payload of `reversed`: for sequences that do not bring their own reversed iterator.
pub struct Reversed {
    sequence: SlotWord,
    index: Cell<i64>,
}
traced!(Reversed: sequence);

fn reversed_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    no_keywords(vm, cls, &REVERSED, call)?;
    let [sequence] = call.positional() else {
        let given = call.positional().len();
        return Err(vm.type_error(format!("reversed expected 1 argument, got {given}")));
    };
    let not_reversible = || vm.type_error(format!("'{}' object is not reversible", vm.type_name(sequence)));
    if let Some(method) = vm.lookup_special(sequence, "__reversed__")? {
        if method.is_none() {
            return Err(not_reversible());
        }
        return vm.call_descriptor(&method, sequence, &[]);
    }
    let ty = vm.type_of_ref(sequence);
    if ty.slots.getitem.get().is_none() || ty.flags.get().contains(TypeFlags::MAPPING) {
        return Err(not_reversible());
    }
    let len = vm.len(sequence)? as i64;
    vm.alloc_subclass(
        cls,
        Reversed { sequence: SlotWord::new(Some(sequence.clone())), index: Cell::new(len - 1) },
    )
}

fn reversed_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(r) = this.downcast::<Reversed>() else { return Err(no_self(vm)) };
    let Some(sequence) = r.sequence.get() else { return Ok(None) };
    let index = r.index.get();
    if index >= 0 {
        match vm.get_item(&sequence, &vm.new_int(index)?) {
            Ok(value) => {
                r.index.set(index - 1);
                return Ok(Some(value));
            }
            Err(raised) => {
                let types = vm.exceptions();
                if !vm.raised_is(types.index_error()) && !vm.raised_is(types.stop_iteration()) {
                    return Err(raised);
                }
                drop(vm.take_raised(raised));
            }
        }
    }
    r.index.set(-1);
    r.sequence.set(None);
    Ok(None)
}

fn reversed_hint(vm: &Interpreter, this: &Value) -> Res {
    let Some(r) = this.downcast::<Reversed>() else { return Err(no_self(vm)) };
    let Some(sequence) = r.sequence.get() else { return vm.new_int(0) };
    let (len, left) = (vm.len(&sequence)? as i64, r.index.get() + 1);
    vm.new_int(if len < left { 0 } else { left })
}

fn reversed_reduce(vm: &Interpreter, this: &Value) -> Res {
    let Some(r) = this.downcast::<Reversed>() else { return Err(no_self(vm)) };
    let cls = vm.type_of(this).into_value();
    match r.sequence.get() {
        Some(sequence) => {
            let args = vm.new_tuple(vec![sequence])?;
            vm.new_tuple(vec![cls, args, vm.new_int(r.index.get())?])
        }
        None => {
            let empty = vm.new_tuple(Vec::new())?;
            vm.new_tuple(vec![cls, vm.new_tuple(vec![empty])?])
        }
    }
}

fn reversed_setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let Some(r) = this.downcast::<Reversed>() else { return Err(no_self(vm)) };
    let index = vm.expect_i64(state)?;
    if let Some(sequence) = r.sequence.get() {
        let len = vm.len(&sequence)? as i64;
        r.index.set(index.clamp(-1, len - 1));
    }
    Ok(Value::NONE)
}

pub static REVERSED: TypeDef = TypeDef {
    name: "reversed",
    module: "builtins",
    base: None,
    payload: payload::<Reversed>(),
    flags: TypeFlags::BASETYPE,
    doc: "reversed(sequence, /)\n--\n\n\
          Return a reverse iterator over the values of the given sequence.",
    slots: &[Slot::New(reversed_new), ITER_SELF, Slot::Next(reversed_next)],
    methods: &[
        FunctionDef::new(
            "__length_hint__",
            "($self, /)",
            "Private method returning an estimate of len(list(it)).",
            NativeFn::F1(reversed_hint),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(reversed_reduce),
        ),
        FunctionDef::new(
            "__setstate__",
            "($self, object, /)",
            "Set state information for unpickling.",
            NativeFn::F2(reversed_setstate),
        ),
    ],
    getset: &[],
};

// ---- iter(callable, sentinel) ----

/// Payload of `callable_iterator`.
pub struct CallIterator {
    function: SlotWord,
    sentinel: SlotWord,
}
traced!(CallIterator: function, sentinel);

/// `iter(function, sentinel)`.
pub fn call_iterator(vm: &Interpreter, function: &Value, sentinel: &Value) -> Res {
    let payload = CallIterator {
        function: SlotWord::new(Some(function.clone())),
        sentinel: SlotWord::new(Some(sentinel.clone())),
    };
    vm.alloc(&vm.type_for(&CALL_ITERATOR)?, payload)
}

fn call_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(c) = this.downcast::<CallIterator>() else { return Err(no_self(vm)) };
    let Some(function) = c.function.get() else { return Ok(None) };
    let end = match vm.call_values(&function, &[]) {
        Ok(value) => {
            let Some(sentinel) = c.sentinel.get() else { return Ok(None) };
            if !vm.keys_equal(&sentinel, &value)? {
                return Ok(Some(value));
            }
            Ok(None)
        }
        Err(raised) if vm.raised_is(vm.exceptions().stop_iteration()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => return Err(raised),
    };
    c.function.set(None);
    c.sentinel.set(None);
    end
}

fn call_reduce(vm: &Interpreter, this: &Value) -> Res {
    let Some(c) = this.downcast::<CallIterator>() else { return Err(no_self(vm)) };
    let iter = builtins::named(vm, "iter")?;
    let args = match (c.function.get(), c.sentinel.get()) {
        (Some(function), Some(sentinel)) => vec![function, sentinel],
        _ => vec![vm.new_tuple(Vec::new())?],
    };
    vm.new_tuple(vec![iter, vm.new_tuple(args)?])
}

pub static CALL_ITERATOR: TypeDef = TypeDef {
    name: "callable_iterator",
    module: "builtins",
    base: None,
    payload: payload::<CallIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[ITER_SELF, Slot::Next(call_next)],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling.",
        NativeFn::F1(call_reduce),
    )],
    getset: &[],
};

// ---- the iterator over objects with __getitem__ ----

fn sequence(vm: &Interpreter, this: &Value) -> Res<(Option<Value>, i64)> {
    match this.downcast::<SequenceIterator>() {
        Some(it) => Ok((it.sequence.get(), it.index.get())),
        None => Err(no_self(vm)),
    }
}

fn sequence_hint(vm: &Interpreter, this: &Value) -> Res {
    let (Some(sequence), index) = sequence(vm, this)? else { return vm.new_int(0) };
    if vm.type_of_ref(&sequence).slots.len.get().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.new_int((vm.len(&sequence)? as i64 - index).max(0))
}

fn sequence_reduce(vm: &Interpreter, this: &Value) -> Res {
    let iter = builtins::named(vm, "iter")?;
    let (sequence, index) = sequence(vm, this)?;
    match sequence {
        Some(sequence) => vm.new_tuple(vec![iter, vm.new_tuple(vec![sequence])?, vm.new_int(index)?]),
        None => {
            let empty = vm.new_tuple(Vec::new())?;
            vm.new_tuple(vec![iter, vm.new_tuple(vec![empty])?])
        }
    }
}

fn sequence_setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let Some(it) = this.downcast::<SequenceIterator>() else { return Err(no_self(vm)) };
    let index = vm.expect_i64(state)?;
    if it.sequence.is_set() {
        it.index.set(index.max(0));
    }
    Ok(Value::NONE)
}

/// What the core type `iterator` gets.
pub static SEQUENCE_ITERATOR: TypeDef = TypeDef {
    name: "iterator",
    module: "builtins",
    base: None,
    payload: payload::<SequenceIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[
        FunctionDef::new(
            "__length_hint__",
            "($self, /)",
            "Private method returning an estimate of len(list(it)).",
            NativeFn::F1(sequence_hint),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(sequence_reduce),
        ),
        FunctionDef::new(
            "__setstate__",
            "($self, object, /)",
            "Set state information for unpickling.",
            NativeFn::F2(sequence_setstate),
        ),
    ],
    getset: &[],
};

// ---- anext(iterator, default) ----

/// Payload of `anext_awaitable`.
pub struct AnextAwaitable {
    inner: SlotWord,
    default: SlotWord,
}
traced!(AnextAwaitable: inner, default);

/// Wraps an awaitable whose `StopAsyncIteration` becomes a default.
pub fn anext_awaitable(vm: &Interpreter, awaitable: Value, default: Value) -> Res {
    let payload =
        AnextAwaitable { inner: SlotWord::new(Some(awaitable)), default: SlotWord::new(Some(default)) };
    vm.alloc(&vm.type_for(&ANEXT_AWAITABLE)?, payload)
}

/// The iterator of the wrapped awaitable.
fn inner_iterator(vm: &Interpreter, this: &Value) -> Res {
    let inner = this.downcast::<AnextAwaitable>().and_then(|a| a.inner.get());
    let Some(inner) = inner else { return Err(no_self(vm)) };
    let Some(f) = vm.type_of_ref(&inner).slots.await_.get() else {
        if is_awaitable_generator(vm, &inner)? {
            return Ok(inner);
        }
        let name = vm.type_name(&inner);
        return Err(vm.type_error(format!("'{name}' object can't be awaited")));
    };
    let iterator = f(vm, &inner)?;
    if vm.type_of_ref(&iterator).slots.next.get().is_none() {
        let got = vm.type_name(&iterator);
        return Err(vm.type_error(format!("__await__() returned non-iterator of type '{got}'")));
    }
    Ok(iterator)
}

/// Whether a generator was made by a function that `types.coroutine` marked.
fn is_awaitable_generator(vm: &Interpreter, value: &Value) -> Res<bool> {
    const ITERABLE_COROUTINE: i64 = 0x100;
    let Some(code) = vm.get_attr_opt(value, "gi_code")? else { return Ok(false) };
    let flags = vm.get_attr_opt(&code, "co_flags")?;
    Ok(flags.and_then(|flags| vm.as_i64(&flags)).is_some_and(|flags| flags & ITERABLE_COROUTINE != 0))
}

/// `StopAsyncIteration` becomes `StopIteration(default)`.
fn with_default<T>(vm: &Interpreter, this: &Value, result: Res<T>) -> Res<T> {
    match result {
        Err(raised) if vm.raised_is(vm.exceptions().stop_async_iteration()) => {
            drop(vm.take_raised(raised));
            let default = this.downcast::<AnextAwaitable>().and_then(|a| a.default.get());
            Err(vm.stop_iteration(default))
        }
        other => other,
    }
}

fn anext_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    // The slot itself: the value of a `StopIteration` is wanted.
    let result = inner_iterator(vm, this).and_then(|it| match vm.type_of_ref(&it).slots.next.get() {
        Some(next) => next(vm, &it),
        None => Ok(None),
    });
    with_default(vm, this, result)
}

fn anext_forward(vm: &Interpreter, args: &CallArgs, name: &str) -> Res {
    let Some((this, rest)) = args.positional().split_first() else { return Err(no_self(vm)) };
    let result = inner_iterator(vm, this).and_then(|it| vm.call_attr(&it, name, rest));
    with_default(vm, this, result)
}

pub static ANEXT_AWAITABLE: TypeDef = TypeDef {
    name: "anext_awaitable",
    module: "builtins",
    base: None,
    payload: payload::<AnextAwaitable>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[ITER_SELF, Slot::Next(anext_next), Slot::Await(|_, v| Ok(v.clone()))],
    methods: &[
        FunctionDef::new("send", "", "", NativeFn::Raw(|vm, args| anext_forward(vm, args, "send"))),
        FunctionDef::new("throw", "", "", NativeFn::Raw(|vm, args| anext_forward(vm, args, "throw"))),
        FunctionDef::new("close", "", "", NativeFn::Raw(|vm, args| anext_forward(vm, args, "close"))),
    ],
    getset: &[],
};

/// `operator.length_hint`: `len`, else `__length_hint__`, else the default.
pub fn length_hint(vm: &Interpreter, value: &Value, default: usize) -> Res<usize> {
    if vm.type_of_ref(value).slots.len.get().is_some() {
        match vm.len(value) {
            Ok(len) => return Ok(len),
            Err(raised) if vm.raised_is(vm.exceptions().type_error()) => drop(vm.take_raised(raised)),
            Err(raised) => return Err(raised),
        }
    }
    let Some(method) = vm.lookup_special(value, "__length_hint__")? else { return Ok(default) };
    let result = match vm.call_descriptor(&method, value, &[]) {
        Ok(result) => result,
        Err(raised) if vm.raised_is(vm.exceptions().type_error()) => {
            drop(vm.take_raised(raised));
            return Ok(default);
        }
        Err(raised) => return Err(raised),
    };
    if result.is_not_implemented() {
        return Ok(default);
    }
    if result.as_int().is_none() {
        let name = vm.type_name(&result);
        return Err(vm.type_error(format!("__length_hint__ must be an integer, not {name}")));
    }
    match vm.as_i64(&result) {
        Some(n) if n >= 0 => Ok(n as usize),
        Some(_) => Err(vm.value_error("__length_hint__() should return >= 0".to_string())),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t".to_string())),
    }
}

/// To be asked before everything that a builtin iterable gives is kept. Errors: `MemoryError` when it says itself that
/// this is more than memory holds; what asking it raises.
pub fn expect_items(vm: &Interpreter, iterable: &Value) -> Res<()> {
    /// Fewer are kept without a question.
    const MANY: usize = 1 << 24;
    if vm.type_of_ref(iterable).flags.get().contains(TypeFlags::MUTABLE) {
        return Ok(());
    }
    let count = length_hint(vm, iterable, 0)?;
    if count > MANY {
        drop(crate::seq::reserve::<Value>(vm, Some(count))?);
    }
    Ok(())
}

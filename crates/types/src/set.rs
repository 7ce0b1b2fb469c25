//! The types `set` and `frozenset` and their iterator. Operations go through the tables in the order that CPython goes, so
//! that results are written in the same order.

use crate::generic_alias::CLASS_GETITEM;
use crate::iterators::ITER_SELF;
use crate::{builtins, seq};
use pellucid_object::{
    BinOp, CallArgs, CmpOp, Dict, FunctionDef, Interpreter, NativeFn, Payload, Ref, Res, Set, Slot, SlotWord,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// The set inside a value. Errors: `TypeError`.
pub fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Set> {
    value.downcast::<Set>().ok_or_else(|| {
        vm.type_error(format!("expected a 'set' object but received a '{}'", vm.type_name(value)))
    })
}

fn frozen(vm: &Interpreter, value: &Value) -> bool {
    vm.is_instance(value, &vm.types().frozenset)
}

/// A new set or frozenset, as `like` is one, with this table.
fn wrap(vm: &Interpreter, like: &Value, set: Set) -> Res {
    let types = vm.types();
    vm.alloc(if frozen(vm, like) { &types.frozenset } else { &types.set }, set)
}

fn copy_of(vm: &Interpreter, set: &Set) -> Res<Set> {
    let copy = Set::default();
    copy.merge(vm, set)?;
    Ok(copy)
}

/// A set of what an iterable gives.
fn gather(vm: &Interpreter, iterable: &Value) -> Res<Set> {
    let set = Set::default();
    add_all(vm, &set, iterable)?;
    Ok(set)
}

fn add_all(vm: &Interpreter, set: &Set, iterable: &Value) -> Res<()> {
    if let Some(other) = iterable.downcast_ref::<Set>() {
        return set.merge(vm, &other);
    }
    if vm.is_exact(iterable, &vm.types().dict)
        && let Some(dict) = iterable.downcast_ref::<Dict>()
    {
        let keys = dict.hashed_keys();
        set.reserve(vm, keys.len())?;
        return keys.into_iter().try_for_each(|(hash, key)| set.add_hashed(vm, key, hash).map(drop));
    }
    let add = |value| set.add(vm, value).map(drop);
    // Ints and strings hash and compare without Python code.
    let quiet = |value: Value| {
        if value.is_small_int() || vm.is_exact(&value, &vm.types().str) {
            return add(value).map(|()| None);
        }
        Ok(Some(value))
    };
    vm.for_each_quiet(iterable, quiet, add)
}

fn one_iterable<'a>(vm: &Interpreter, name: &str, call: &CallArgs<'a>) -> Res<Option<&'a Value>> {
    match call.positional() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        more => Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", more.len()))),
    }
}

fn set_new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Set::default())
}

fn set_init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let set = this(vm, value)?;
    if !call.names.is_empty() {
        return Err(vm.type_error("set() takes no keyword arguments".to_string()));
    }
    let iterable = one_iterable(vm, "set", call)?;
    set.clear_keys();
    iterable.map_or(Ok(()), |iterable| add_all(vm, set, iterable))
}

fn frozenset_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let exact = cls.is(vm.types().frozenset.value());
    if !call.names.is_empty() {
        let own_init = !exact && !inherits_init(vm, cls)?;
        if !own_init {
            return Err(vm.type_error("frozenset() takes no keyword arguments".to_string()));
        }
    }
    match one_iterable(vm, "frozenset", call)? {
        None => vm.alloc_subclass(cls, Set::default()),
        Some(same) if exact && vm.is_exact(same, &vm.types().frozenset) => Ok(same.clone()),
        Some(iterable) => vm.alloc_subclass(cls, gather(vm, iterable)?),
    }
}

/// Whether a class has the `__init__` of `object`.
fn inherits_init(vm: &Interpreter, cls: &Value) -> Res<bool> {
    let name = vm.intern_static("__init__")?;
    let mine = cls.downcast::<pellucid_object::Type>().and_then(|ty| ty.lookup(vm, &name));
    let theirs = vm.types().object.lookup(vm, &name);
    Ok(matches!((mine, theirs), (Some(a), Some(b)) if a.is(&b)))
}

// ---- asking ----

/// `item in set`; a set is looked for as the frozenset of its keys.
fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    let set = this(vm, value)?;
    match as_key(vm, set.contains(vm, item), item)? {
        Ok(found) => Ok(found),
        Err(key) => set.contains(vm, &key),
    }
}

/// The result, or the frozenset to try instead of an unhashable set.
fn as_key<T>(vm: &Interpreter, result: Res<T>, item: &Value) -> Res<Result<T, Value>> {
    match (result, item.downcast_ref::<Set>()) {
        (Err(raised), Some(inner)) if vm.raised_is(vm.exceptions().type_error()) => {
            drop(vm.take_raised(raised));
            let copy = copy_of(vm, &inner)?;
            vm.alloc(&vm.types().frozenset, copy).map(Err)
        }
        (result, _) => result.map(Ok),
    }
}

fn is_subset(vm: &Interpreter, small: &Set, big: &Set) -> Res<bool> {
    if small.len() > big.len() {
        return Ok(false);
    }
    for (hash, key) in small.entries() {
        if !big.contains_hashed(vm, &key, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast_ref::<Set>(), b.downcast_ref::<Set>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let equal = || -> Res<bool> {
        let differ = matches!((x.hash.get(), y.hash.get()), (Some(h), Some(g)) if h != g);
        Ok(x.len() == y.len() && !differ && is_subset(vm, &x, &y)?)
    };
    Ok(Value::bool(match op {
        CmpOp::Eq => equal()?,
        CmpOp::Ne => !equal()?,
        CmpOp::Le => is_subset(vm, &x, &y)?,
        CmpOp::Ge => is_subset(vm, &y, &x)?,
        CmpOp::Lt => x.len() < y.len() && is_subset(vm, &x, &y)?,
        CmpOp::Gt => x.len() > y.len() && is_subset(vm, &y, &x)?,
    }))
}

/// The hash of CPython's frozensets: the hashes of the keys, shuffled and joined without regard to order.
fn frozenset_hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let set = this(vm, value)?;
    if let Some(hash) = set.hash.get() {
        return Ok(hash);
    }
    let entries = set.entries();
    let mut hash = 0u64;
    for (h, _) in &entries {
        let h = *h as u64;
        hash ^= ((h ^ 89_869_747) ^ (h << 16)).wrapping_mul(3_644_798_167);
    }
    hash ^= (entries.len() as u64 + 1).wrapping_mul(1_927_868_237);
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
    let hash = if hash == u64::MAX { 590_923_713 } else { hash as i64 };
    set.hash.set(Some(hash));
    Ok(hash)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let set = this(vm, value)?;
    let name = vm.type_of(value).name();
    if set.is_empty() {
        return vm.new_str(&format!("{name}()"));
    }
    let plain = vm.is_exact(value, &vm.types().set);
    let keys = set.keys();
    seq::guarded_repr(vm, value, &format!("{name}(...)"), |w| {
        if !plain {
            w.push(&name);
            w.push("(");
        }
        w.push("{");
        for (i, key) in keys.iter().enumerate() {
            if i > 0 {
                w.push(", ");
            }
            w.push_repr(vm, key)?;
        }
        w.push(if plain { "}" } else { "})" });
        Ok(())
    })
}

// ---- operations that make a set ----

fn intersect(vm: &Interpreter, set: &Set, other: &Value) -> Res<Set> {
    let result = Set::default();
    match other.downcast_ref::<Set>() {
        Some(other) => {
            let (small, big): (&Set, &Set) =
                if other.len() > set.len() { (set, &other) } else { (&other, set) };
            for (hash, key) in small.entries() {
                if big.contains_hashed(vm, &key, hash)? {
                    result.add_hashed(vm, key, hash)?;
                }
            }
        }
        None => vm.for_each(other, |key| {
            let hash = vm.hash_key(&key, "a set element")?;
            if set.contains_hashed(vm, &key, hash)? {
                result.add_hashed(vm, key, hash)?;
            }
            Ok(())
        })?,
    }
    Ok(result)
}

fn subtract(vm: &Interpreter, set: &Set, other: &Value) -> Res<Set> {
    let (as_set, as_dict) = (other.downcast_ref::<Set>(), other.downcast_ref::<Dict>());
    let size = match (&as_set, &as_dict) {
        (Some(other), _) => other.len(),
        (_, Some(dict)) if vm.is_exact(other, &vm.types().dict) => dict.len(),
        _ => 0,
    };
    let direct = as_set.is_some() || as_dict.is_some() && vm.is_exact(other, &vm.types().dict);
    if !direct || set.len() >> 2 > size {
        let copy = copy_of(vm, set)?;
        subtract_from(vm, &copy, other)?;
        return Ok(copy);
    }
    let result = Set::default();
    for (hash, key) in set.entries() {
        let found = match (&as_set, &as_dict) {
            (Some(other), _) => other.contains_hashed(vm, &key, hash)?,
            (_, Some(dict)) => dict.find(vm, &key, hash)?.is_some(),
            _ => false,
        };
        if !found {
            result.add_hashed(vm, key, hash)?;
        }
    }
    Ok(result)
}

/// `set -= other`.
fn subtract_from(vm: &Interpreter, set: &Set, other: &Value) -> Res<()> {
    match other.downcast_ref::<Set>() {
        Some(other) if std::ptr::eq::<Set>(&*other, set) => set.clear_keys(),
        Some(other) => {
            let keys = if other.len() >> 3 > set.len() {
                intersect(vm, set, other.value())?.entries()
            } else {
                other.entries()
            };
            for (hash, key) in keys {
                drop(set.remove_hashed(vm, &key, hash)?);
            }
        }
        None => vm.for_each(other, |key| {
            let hash = vm.hash_key(&key, "a set element")?;
            set.remove_hashed(vm, &key, hash).map(drop)
        })?,
    }
    set.tidy(vm)
}

/// `set ^= other`.
fn exclusive_from(vm: &Interpreter, set: &Set, other: &Value) -> Res<()> {
    let entries = match other.downcast_ref::<Set>() {
        Some(other) if std::ptr::eq::<Set>(&*other, set) => {
            set.clear_keys();
            return Ok(());
        }
        Some(other) => other.entries(),
        None => gather(vm, other)?.entries(),
    };
    for (hash, key) in entries {
        match set.remove_hashed(vm, &key, hash)? {
            Some(old) => drop(old),
            None => drop(set.add_hashed(vm, key, hash)?),
        }
    }
    Ok(())
}

fn exclusive(vm: &Interpreter, set: &Value, other: &Value) -> Res<Set> {
    let result = gather(vm, other)?;
    exclusive_from(vm, &result, set)?;
    Ok(result)
}

/// Gives an operator whose operands both are sets.
fn sets(a: &Value, b: &Value) -> Option<(Ref<Set>, Ref<Set>)> {
    Some((a.downcast_ref::<Set>()?, b.downcast_ref::<Set>()?))
}

fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    let result = copy_of(vm, &x)?;
    result.merge(vm, &y)?;
    wrap(vm, a, result)
}

fn and(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, _)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    wrap(vm, a, intersect(vm, &x, b)?)
}

fn sub(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, _)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    wrap(vm, a, subtract(vm, &x, b)?)
}

fn xor(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if sets(a, b).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    wrap(vm, a, exclusive(vm, a, b)?)
}

fn or_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    x.merge(vm, &y)?;
    Ok(a.clone())
}

fn and_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, _)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    let result = intersect(vm, &x, b)?;
    x.swap(&result);
    Ok(a.clone())
}

fn sub_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, _)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    subtract_from(vm, &x, b)?;
    Ok(a.clone())
}

fn xor_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, _)) = sets(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    exclusive_from(vm, &x, b)?;
    Ok(a.clone())
}

// ---- methods ----

/// `self` and the other arguments of a method that takes any number of iterables.
fn many<'a>(vm: &Interpreter, name: &str, call: &CallArgs<'a>) -> Res<(&'a Value, &'a Set, &'a [Value])> {
    let Some((first, rest)) = call.positional().split_first() else {
        return Err(vm.type_error(format!("unbound method set.{name}() needs an argument")));
    };
    if !call.names.is_empty() {
        let ty = vm.type_name(first);
        return Err(vm.type_error(format!("{ty}.{name}() takes no keyword arguments")));
    }
    Ok((first, this(vm, first)?, rest))
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    if vm.is_exact(value, &vm.types().frozenset) {
        return Ok(value.clone());
    }
    let copied = copy_of(vm, this(vm, value)?)?;
    wrap(vm, value, copied)
}

fn union(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, set, others) = many(vm, "union", call)?;
    let result = copy_of(vm, set)?;
    others.iter().try_for_each(|other| add_all(vm, &result, other))?;
    wrap(vm, value, result)
}

fn intersection(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, set, others) = many(vm, "intersection", call)?;
    let mut result = None;
    for other in others {
        result = Some(intersect(vm, result.as_ref().unwrap_or(set), other)?);
    }
    match result {
        Some(result) => wrap(vm, value, result),
        None => wrap(vm, value, copy_of(vm, set)?),
    }
}

fn difference(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, set, others) = many(vm, "difference", call)?;
    let Some((first, rest)) = others.split_first() else { return copy(vm, value) };
    let result = subtract(vm, set, first)?;
    rest.iter().try_for_each(|other| subtract_from(vm, &result, other))?;
    wrap(vm, value, result)
}

fn symmetric_difference(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    this(vm, value)?;
    wrap(vm, value, exclusive(vm, value, other)?)
}

fn update(vm: &Interpreter, call: &CallArgs) -> Res {
    let (_, set, others) = many(vm, "update", call)?;
    others.iter().try_for_each(|other| add_all(vm, set, other))?;
    Ok(Value::NONE)
}

fn intersection_update(vm: &Interpreter, call: &CallArgs) -> Res {
    let (_, set, others) = many(vm, "intersection_update", call)?;
    let mut result = copy_of(vm, set)?;
    for other in others {
        result = intersect(vm, &result, other)?;
    }
    set.swap(&result);
    Ok(Value::NONE)
}

fn difference_update(vm: &Interpreter, call: &CallArgs) -> Res {
    let (_, set, others) = many(vm, "difference_update", call)?;
    others.iter().try_for_each(|other| subtract_from(vm, set, other))?;
    Ok(Value::NONE)
}

fn symmetric_difference_update(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    exclusive_from(vm, this(vm, value)?, other)?;
    Ok(Value::NONE)
}

fn is_disjoint(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    let set = this(vm, value)?;
    if let Some(other) = other.downcast_ref::<Set>() {
        let (small, big): (&Set, &Set) = if other.len() > set.len() { (set, &other) } else { (&other, set) };
        for (hash, key) in small.entries() {
            if big.contains_hashed(vm, &key, hash)? {
                return Ok(Value::FALSE);
            }
        }
        return Ok(Value::TRUE);
    }
    let it = vm.iter(other)?;
    while let Some(key) = vm.next(&it)? {
        if set.contains(vm, &key)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn is_subset_method(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    let set = this(vm, value)?;
    match other.downcast_ref::<Set>() {
        Some(other) => is_subset(vm, set, &other).map(Value::bool),
        None => Ok(Value::bool(intersect(vm, set, other)?.len() == set.len())),
    }
}

fn is_superset_method(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    let set = this(vm, value)?;
    if let Some(other) = other.downcast_ref::<Set>() {
        return is_subset(vm, &other, set).map(Value::bool);
    }
    let it = vm.iter(other)?;
    while let Some(key) = vm.next(&it)? {
        if !set.contains(vm, &key)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn add(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    this(vm, value)?.add(vm, item.clone())?;
    Ok(Value::NONE)
}

fn take(vm: &Interpreter, value: &Value, item: &Value) -> Res<Option<Value>> {
    let set = this(vm, value)?;
    match as_key(vm, set.remove(vm, item), item)? {
        Ok(found) => Ok(found),
        Err(key) => set.remove(vm, &key),
    }
}

fn remove(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    match take(vm, value, item)? {
        Some(_) => Ok(Value::NONE),
        None => Err(vm.key_error(item.clone())),
    }
}

fn discard(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    drop(take(vm, value, item)?);
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, value: &Value) -> Res {
    match this(vm, value)?.pop() {
        Some(key) => Ok(key),
        None => Err(vm.key_error(vm.new_str("pop from an empty set")?)),
    }
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    this(vm, value)?.clear_keys();
    Ok(Value::NONE)
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let keys = vm.new_list(this(vm, value)?.keys())?;
    let state = crate::object::instance_state(vm, value)?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), vm.new_tuple(vec![keys])?, state])
}

fn size_of(vm: &Interpreter, value: &Value) -> Res {
    let set = this(vm, value)?;
    vm.new_int((vm.type_of(value).object_size() + set.table_bytes()) as i64)
}

// ---- the iterator ----

/// Payload of `set_iterator`.
pub struct SetIterator {
    set: SlotWord,
    place: Cell<usize>,
    /// Keys that the set had at the start; `usize::MAX` after a change was noticed.
    expected: Cell<usize>,
    left: Cell<usize>,
}

impl Payload for SetIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.set.trace(visit);
    }
    fn clear(&self) {
        self.set.set(None);
    }
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let len = this(vm, value)?.len();
    let payload = SetIterator {
        set: SlotWord::new(Some(value.clone())),
        place: Cell::new(0),
        expected: Cell::new(len),
        left: Cell::new(len),
    };
    vm.alloc(&vm.type_for(&SET_ITERATOR)?, payload)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(it) = value.downcast::<SetIterator>() else { return Err(vm.bug("set iterator")) };
    let Some(owner) = it.set.get() else { return Ok(None) };
    let set = this(vm, &owner)?;
    if set.len() != it.expected.get() {
        it.expected.set(usize::MAX);
        return Err(vm.runtime_error("Set changed size during iteration".to_string()));
    }
    match set.key_from(it.place.get()) {
        Some((place, key)) => {
            it.place.set(place + 1);
            it.left.set(it.left.get().saturating_sub(1));
            Ok(Some(key))
        }
        None => {
            it.set.set(None);
            Ok(None)
        }
    }
}

fn remaining(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<SetIterator>() else { return Err(vm.bug("set iterator")) };
    let same = it.set.get().and_then(|s| s.downcast::<Set>().map(Set::len)) == Some(it.expected.get());
    vm.new_int(if same { it.left.get() as i64 } else { 0 })
}

fn iterator_reduce(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<SetIterator>() else { return Err(vm.bug("set iterator")) };
    let copy = SetIterator {
        set: SlotWord::new(it.set.get()),
        place: it.place.clone(),
        expected: it.expected.clone(),
        left: it.left.clone(),
    };
    let copy = vm.alloc(&vm.type_for(&SET_ITERATOR)?, copy)?;
    let iter = builtins::named(vm, "iter")?;
    let rest = vm.new_list(vm.collect(&copy)?)?;
    vm.new_tuple(vec![iter, vm.new_tuple(vec![rest])?])
}

pub static SET_ITERATOR: TypeDef = TypeDef {
    name: "set_iterator",
    module: "builtins",
    base: None,
    payload: payload::<SetIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[ITER_SELF, Slot::Next(next)],
    methods: &[
        FunctionDef::new(
            "__length_hint__",
            "($self, /)",
            "Private method returning an estimate of len(list(it)).",
            NativeFn::F1(remaining),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(iterator_reduce),
        ),
    ],
    getset: &[],
};

// ---- tables ----

const fn f1(name: &'static str, doc: &'static str, function: fn(&Interpreter, &Value) -> Res) -> FunctionDef {
    FunctionDef::new(name, "($self, /)", doc, NativeFn::F1(function))
}
const fn f2(
    name: &'static str,
    sig: &'static str,
    doc: &'static str,
    function: fn(&Interpreter, &Value, &Value) -> Res,
) -> FunctionDef {
    FunctionDef::new(name, sig, doc, NativeFn::F2(function))
}
const fn raw(
    name: &'static str,
    doc: &'static str,
    function: fn(&Interpreter, &CallArgs) -> Res,
) -> FunctionDef {
    FunctionDef::new(name, "($self, /, *others)", doc, NativeFn::Raw(function))
}

const CONTAINS: FunctionDef =
    f2("__contains__", "($self, object, /)", "x.__contains__(y) <==> y in x.", |vm, set, item| {
        contains(vm, set, item).map(Value::bool)
    });
const COPY: FunctionDef = f1("copy", "A set of the same items.", copy);
const UNION: FunctionDef = raw("union", "A new set of the items of this and all others.", union);
const INTERSECTION: FunctionDef = raw("intersection", "A new set of the items that all have.", intersection);
const DIFFERENCE: FunctionDef = raw("difference", "A new set of the items that no other has.", difference);
const SYMMETRIC: FunctionDef = f2(
    "symmetric_difference",
    "($self, other, /)",
    "A new set of the items that just one of both has.",
    symmetric_difference,
);
const DISJOINT: FunctionDef =
    f2("isdisjoint", "($self, other, /)", "Whether both have no item in common.", is_disjoint);
const SUBSET: FunctionDef =
    f2("issubset", "($self, other, /)", "Whether the other has all items of this.", is_subset_method);
const SUPERSET: FunctionDef =
    f2("issuperset", "($self, other, /)", "Whether this has all items of the other.", is_superset_method);
const REDUCE: FunctionDef = f1("__reduce__", "Return state information for pickling.", reduce);
const SIZEOF: FunctionDef = f1("__sizeof__", "Size of the set in memory, in bytes.", size_of);

const READING: [Slot; 6] = [
    Slot::Repr(repr),
    Slot::Compare(compare),
    Slot::Len(|vm, v| Ok(this(vm, v)?.len())),
    Slot::Contains(contains),
    Slot::Iter(iter),
    Slot::Binary(BinOp::Or, or),
];

pub static SET: TypeDef = TypeDef {
    name: "set",
    module: "builtins",
    base: None,
    payload: payload::<Set>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF).or(TypeFlags::WEAKREF),
    doc: "set(iterable=(), /)\n--\n\n\
          Build an unordered collection of unique elements.",
    slots: &[
        READING[0],
        READING[1],
        READING[2],
        READING[3],
        READING[4],
        READING[5],
        Slot::New(set_new),
        Slot::Init(set_init),
        Slot::Binary(BinOp::And, and),
        Slot::Binary(BinOp::Sub, sub),
        Slot::Binary(BinOp::Xor, xor),
        Slot::Inplace(BinOp::Or, or_inplace),
        Slot::Inplace(BinOp::And, and_inplace),
        Slot::Inplace(BinOp::Sub, sub_inplace),
        Slot::Inplace(BinOp::Xor, xor_inplace),
    ],
    methods: &[
        f2("add", "($self, object, /)", "Adds an item, unless it is there.", add),
        f1("clear", "Takes out all items.", clear),
        CONTAINS,
        COPY,
        f2("discard", "($self, object, /)", "Takes out an item, if it is there.", discard),
        DIFFERENCE,
        raw("difference_update", "Takes out the items that another has.", difference_update),
        INTERSECTION,
        raw("intersection_update", "Takes out the items that not all have.", intersection_update),
        DISJOINT,
        SUBSET,
        SUPERSET,
        f1("pop", "Takes out some item; it.", pop),
        REDUCE,
        f2("remove", "($self, object, /)", "Takes out an item, which must be there.", remove),
        SIZEOF,
        SYMMETRIC,
        f2(
            "symmetric_difference_update",
            "($self, other, /)",
            "Keeps and takes the items that just one of both has.",
            symmetric_difference_update,
        ),
        UNION,
        raw("update", "Adds the items of all others.", update),
        CLASS_GETITEM,
    ],
    getset: &[],
};

pub static FROZENSET: TypeDef = TypeDef {
    name: "frozenset",
    module: "builtins",
    base: None,
    payload: payload::<Set>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF).or(TypeFlags::WEAKREF),
    doc: "frozenset(iterable=(), /)\n--\n\n\
          Build an immutable unordered collection of unique elements.",
    slots: &[
        READING[0],
        READING[1],
        READING[2],
        READING[3],
        READING[4],
        READING[5],
        Slot::New(frozenset_new),
        Slot::Hash(frozenset_hash),
        Slot::Binary(BinOp::And, and),
        Slot::Binary(BinOp::Sub, sub),
        Slot::Binary(BinOp::Xor, xor),
    ],
    methods: &[
        CONTAINS,
        COPY,
        DIFFERENCE,
        INTERSECTION,
        DISJOINT,
        SUBSET,
        SUPERSET,
        REDUCE,
        SIZEOF,
        SYMMETRIC,
        UNION,
        CLASS_GETITEM,
    ],
    getset: &[],
};

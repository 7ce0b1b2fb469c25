//! The type `tuple` and its iterator.

use crate::generic_alias::CLASS_GETITEM;
use crate::seq::{self, Subscript};
use crate::slice::{self, Slice};
use pellucid_object::{
    Args, CallArgs, CmpOp, FunctionDef, Interpreter, NativeFn, Res, Slot, Tuple, TupleIterator, Type,
    TypeDef, TypeFlags, Value, payload,
};

/// The tuple inside a value. Errors: `TypeError`.
fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Tuple> {
    value.downcast::<Tuple>().ok_or_else(|| {
        vm.type_error(format!("expected a 'tuple' object but received a '{}'", vm.type_name(value)))
    })
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let exact = cls.is(vm.types().tuple.value());
    let plain = || cls.downcast::<Type>().is_none_or(|cls| seq::same_init(cls, &vm.types().tuple));
    if !args.names.is_empty() && (exact || plain()) {
        return Err(vm.type_error("tuple() takes no keyword arguments".to_string()));
    }
    let given = args.positional();
    if given.len() > 1 {
        return Err(vm.type_error(format!("tuple expected at most 1 argument, got {}", given.len())));
    }
    let items = match given.first() {
        Some(value) if exact && vm.is_exact(value, &vm.types().tuple) => return Ok(value.clone()),
        Some(iterable) => {
            crate::iterators::expect_items(vm, iterable)?;
            vm.collect(iterable)?
        }
        None => Vec::new(),
    };
    if exact { vm.new_tuple(items) } else { vm.alloc_subclass(cls, Tuple::new(items)) }
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let tuple = this(vm, value)?;
    match seq::subscript(vm, key, "tuple")? {
        Subscript::Index(i) => seq::place(i, tuple.len())
            .and_then(|i| tuple.get(i))
            .ok_or_else(|| vm.index_error("tuple index out of range".to_string())),
        Subscript::Slice(key) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            let span = slice::parts(vm, slice)?.over(tuple.len());
            if span.step == 1 && span.count == tuple.len() && vm.is_exact(value, &vm.types().tuple) {
                return Ok(value.clone());
            }
            vm.new_tuple(span.places().filter_map(|i| tuple.get(i)).collect())
        }
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let items = this(vm, value)?.items();
    seq::guarded_repr(vm, value, "(...)", |w| {
        w.push("(");
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                w.push(", ");
            }
            w.push_repr(vm, item)?;
        }
        w.push(if items.len() == 1 { ",)" } else { ")" });
        Ok(())
    })
}

/// What xxHash mixes with.
pub const XXH_PRIMES: [u64; 3] = [11400714785074694791, 14029467366897019727, 2870177450012600261];

/// The hash of CPython's tuples: xxHash's way of mixing the hashes of the items.
fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let tuple = this(vm, value)?;
    if tuple.hash.get() != -1 {
        return Ok(tuple.hash.get());
    }
    let _kept = value.clone();
    let items = tuple.as_slice();
    let mut acc = XXH_PRIMES[2];
    for item in items {
        acc = acc.wrapping_add((vm.hash(item)? as u64).wrapping_mul(XXH_PRIMES[1]));
        acc = acc.rotate_left(31).wrapping_mul(XXH_PRIMES[0]);
    }
    acc = acc.wrapping_add(items.len() as u64 ^ (XXH_PRIMES[2] ^ 3527539));
    let hash = if acc == u64::MAX { 1546275796 } else { acc as i64 };
    tuple.hash.set(hash);
    Ok(hash)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast_ref::<Tuple>(), b.downcast_ref::<Tuple>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if (op == CmpOp::Eq || op == CmpOp::Ne) && x.len() != y.len() {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    for (x, y) in x.as_slice().iter().zip(y.as_slice()) {
        if !vm.keys_equal(x, y)? {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.compare(op, x, y),
            };
        }
    }
    Ok(Value::bool(op.holds(x.len().cmp(&y.len()))))
}

fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    let _kept = value.clone();
    for candidate in this(vm, value)?.as_slice() {
        if vm.keys_equal(candidate, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn concat(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (x, Some(y)) = (this(vm, a)?, b.downcast_ref::<Tuple>()) else {
        let name = vm.type_name(b);
        return Err(vm.type_error(format!("can only concatenate tuple (not \"{name}\") to tuple")));
    };
    if x.is_empty() && vm.is_exact(b, &vm.types().tuple) {
        return Ok(b.clone());
    }
    if y.is_empty() && vm.is_exact(a, &vm.types().tuple) {
        return Ok(a.clone());
    }
    vm.new_tuple(seq::joined(vm, x.items(), y.items())?)
}

fn repeat(vm: &Interpreter, value: &Value, count: i64) -> Res {
    let tuple = this(vm, value)?;
    if (count == 1 || tuple.is_empty()) && vm.is_exact(value, &vm.types().tuple) {
        return Ok(value.clone());
    }
    vm.new_tuple(seq::repeat(vm, &tuple.items(), count)?)
}

fn index(vm: &Interpreter, args: &Args) -> Res {
    let tuple = this(vm, args.req(0))?;
    let (start, stop) = (seq::bound(vm, args.get(2), 0)?, seq::bound(vm, args.get(3), i64::MAX)?);
    let len = tuple.len();
    for i in seq::clamp(start, len)..seq::clamp(stop, len) {
        let Some(item) = tuple.get(i) else { break };
        if vm.keys_equal(&item, args.req(1))? {
            return vm.new_int(i as i64);
        }
    }
    Err(vm.value_error("tuple.index(x): x not in tuple".to_string()))
}

fn count(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let mut count = 0;
    for candidate in this(vm, value)?.as_slice() {
        count += i64::from(vm.keys_equal(candidate, item)?);
    }
    vm.new_int(count)
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = TupleIterator::new(value) else { return Err(vm.bug("no tuple")) };
    vm.alloc(&vm.type_for(&TUPLE_ITERATOR)?, it)
}

/// An iterator over a tuple from an index on.
pub fn iterator_from(vm: &Interpreter, tuple: &Value, index: i64) -> Res {
    let Some(it) = TupleIterator::new(tuple) else { return Err(vm.bug("no tuple")) };
    it.index.set(usize::try_from(index).unwrap_or(0));
    vm.alloc(&vm.type_for(&TUPLE_ITERATOR)?, it)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    match value.downcast::<TupleIterator>() {
        Some(it) => Ok(it.advance()),
        None => Err(vm.bug("tuple iterator")),
    }
}

fn remaining(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<TupleIterator>() else { return Err(vm.bug("tuple iterator")) };
    let len = it.tuple().and_then(|t| t.downcast::<Tuple>().map(|t| t.len())).unwrap_or(0);
    vm.new_int(len.saturating_sub(it.index.get()) as i64)
}

/// What is left, as arguments of `iter`: the tuple and the place; an empty tuple at the end.
fn iterator_reduce(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<TupleIterator>() else { return Err(vm.bug("tuple iterator")) };
    let iter = crate::builtins::named(vm, "iter")?;
    match it.tuple() {
        Some(tuple) => {
            let index = vm.new_int(it.index.get() as i64)?;
            vm.new_tuple(vec![iter, vm.new_tuple(vec![tuple])?, index])
        }
        None => {
            let empty = vm.new_tuple(Vec::new())?;
            vm.new_tuple(vec![iter, vm.new_tuple(vec![empty])?])
        }
    }
}

fn iterator_setstate(vm: &Interpreter, value: &Value, state: &Value) -> Res {
    let Some(it) = value.downcast::<TupleIterator>() else { return Err(vm.bug("tuple iterator")) };
    let index = vm.expect_i64(state)?;
    if let Some(tuple) = it.tuple() {
        let len = tuple.downcast::<Tuple>().map_or(0, Tuple::len);
        it.index.set(usize::try_from(index).unwrap_or(0).min(len));
    }
    Ok(Value::NONE)
}

fn get_new_args(vm: &Interpreter, value: &Value) -> Res {
    let copy = vm.new_tuple(this(vm, value)?.items())?;
    vm.new_tuple(vec![copy])
}

pub static TUPLE_ITERATOR: TypeDef = TypeDef {
    name: "tuple_iterator",
    module: "builtins",
    base: None,
    payload: payload::<TupleIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
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
        FunctionDef::new(
            "__setstate__",
            "($self, object, /)",
            "Set state information for unpickling.",
            NativeFn::F2(iterator_setstate),
        ),
    ],
    getset: &[],
};

pub static TUPLE: TypeDef = TypeDef {
    name: "tuple",
    module: "builtins",
    base: None,
    payload: payload::<Tuple>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::SEQUENCE).or(TypeFlags::MATCH_SELF),
    doc: "tuple(iterable=(), /)\n--\n\n\
          A sequence that cannot change. Without an argument it is empty, else it has the items of the iterable.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Len(|vm, v| Ok(this(vm, v)?.len())),
        Slot::GetItem(get_item),
        Slot::Contains(contains),
        Slot::Iter(iter),
        Slot::Concat(concat),
        Slot::Repeat(repeat),
    ],
    methods: &[
        FunctionDef::new(
            "index",
            "($self, value, start=0, stop=9223372036854775807, /)",
            "Place of the first equal item.",
            NativeFn::Args(index),
        ),
        FunctionDef::new("count", "($self, value, /)", "Number of equal items.", NativeFn::F2(count)),
        FunctionDef::new("__getnewargs__", "($self, /)", "", NativeFn::F1(get_new_args)),
        CLASS_GETITEM,
    ],
    getset: &[],
};

//! The type `list` and its iterators. Sorting stands in [`sort`](crate::sort).

use crate::builtins::method_args;
use crate::generic_alias::CLASS_GETITEM;
use crate::iterators;
use crate::seq::{self, Subscript};
use crate::slice::{self, Slice};
use crate::sort;
use pellucid_object::tuple::drop_from_the_end;
use pellucid_object::{
    Args, CallArgs, CmpOp, FunctionDef, Interpreter, List, ListIterator, NativeFn, Res, Slot, Type, TypeDef,
    TypeFlags, Value, payload,
};

/// The list inside a value. Errors: `TypeError`.
pub fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a List> {
    value.downcast::<List>().ok_or_else(|| {
        vm.type_error(format!("expected a 'list' object but received a '{}'", vm.type_name(value)))
    })
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, List::default())
}

fn makes_lists(vm: &Interpreter, cls: &Type) -> bool {
    match (cls.slots.new.get(), vm.types().list.slots.new.get()) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        _ => false,
    }
}

fn init(vm: &Interpreter, this_value: &Value, args: &CallArgs) -> Res<()> {
    let list = this(vm, this_value)?;
    // A class with a `__new__` of its own may take keywords that are nothing to `list`.
    if !args.names.is_empty() && makes_lists(vm, &vm.type_of(this_value)) {
        return Err(vm.type_error("list() takes no keyword arguments".to_string()));
    }
    let given = args.positional();
    if given.len() > 1 {
        return Err(vm.type_error(format!("list expected at most 1 argument, got {}", given.len())));
    }
    drop(list.empty());
    match given.first() {
        Some(iterable) => extend_with(vm, this_value, iterable),
        None => Ok(()),
    }
}

/// Appends what an iterable gives, item by item, so that the list grows while it is read.
fn extend_with(vm: &Interpreter, this_value: &Value, iterable: &Value) -> Res<()> {
    let list = this(vm, this_value)?;
    let types = vm.types();
    let itself = iterable.is(this_value);
    if itself || vm.is_exact(iterable, &types.list) || vm.is_exact(iterable, &types.tuple) {
        let more = if itself { list.items() } else { vm.collect(iterable)? };
        return list
            .with_mut(|items| {
                if items.try_reserve(more.len()).is_err() {
                    return Err(more);
                }
                items.extend(more);
                Ok(())
            })
            .map_err(|more| {
                drop(more);
                vm.no_memory()
            });
    }
    let iterator = vm.iter(iterable)?;
    iterators::expect_items(vm, iterable)?;
    // How much room to make: asked of the iterable as long as that is one of Python's own making.
    if vm.type_of_ref(iterable).flags.get().contains(TypeFlags::MUTABLE) {
        iterators::length_hint(vm, iterable, 8)?;
    }
    let mut push = |value| list.push(vm, value).map(|()| None);
    while let Some(value) = vm.drain(&iterator, &mut push)? {
        vm.poll()?;
        list.push(vm, value)?;
    }
    Ok(())
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let list = this(vm, value)?;
    match seq::subscript(vm, key, "list")? {
        Subscript::Index(i) => seq::place(i, list.len())
            .and_then(|i| list.get(i))
            .ok_or_else(|| vm.index_error("list index out of range".to_string())),
        Subscript::Slice(key) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            let parts = slice::parts(vm, slice)?;
            let items = list
                .with(|items| parts.over(items.len()).places().map(|i| items[i].clone()).collect::<Vec<_>>());
            vm.new_list(items)
        }
    }
}

fn set_item(vm: &Interpreter, value: &Value, key: &Value, new: Option<&Value>) -> Res<()> {
    let list = this(vm, value)?;
    let out_of_range = || vm.index_error("list assignment index out of range".to_string());
    match (seq::subscript(vm, key, "list")?, new) {
        (Subscript::Index(i), Some(new)) => {
            let i = seq::place(i, list.len()).ok_or_else(out_of_range)?;
            list.set(i, new.clone()).map_err(|_| out_of_range())
        }
        (Subscript::Index(i), None) => {
            let i = seq::place(i, list.len()).ok_or_else(out_of_range)?;
            drop(list.with_mut(|items| items.remove(i)));
            Ok(())
        }
        (Subscript::Slice(key), new) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            set_slice(vm, list, slice, new)
        }
    }
}

fn set_slice(vm: &Interpreter, list: &List, slice: &Slice, new: Option<&Value>) -> Res<()> {
    let parts = slice::parts(vm, slice)?;
    let plain = parts.over(0).step == 1;
    let Some(new) = new else {
        let removed: Vec<Value> = list.with_mut(|items| {
            let span = parts.over(items.len());
            let mut places: Vec<usize> = span.places().collect();
            places.sort_unstable();
            let (mut kept, mut removed) = (Vec::with_capacity(items.len()), Vec::new());
            let mut next = places.into_iter().peekable();
            for (i, item) in items.drain(..).enumerate() {
                if next.next_if_eq(&i).is_some() { removed.push(item) } else { kept.push(item) }
            }
            *items = kept;
            removed
        });
        if plain {
            drop_from_the_end(removed)
        } else {
            drop(removed)
        }
        return Ok(());
    };
    let fresh = match vm.collect(new) {
        Ok(fresh) => fresh,
        Err(raised)
            if vm.raised_is(vm.exceptions().type_error())
                && vm.type_of_ref(new).slots.iter.get().is_none() =>
        {
            drop(vm.take_raised(raised));
            let what =
                if plain { "can only assign an iterable" } else { "must assign iterable to extended slice" };
            return Err(vm.type_error(what.to_string()));
        }
        Err(raised) => return Err(raised),
    };
    // The length is read now: collecting may have run Python code.
    let span = parts.over(list.len());
    if plain {
        let (start, end) = (span.start as usize, span.stop.max(span.start) as usize);
        let old = list.with_mut(|items| items.splice(start..end, fresh).collect::<Vec<_>>());
        drop_from_the_end(old);
        return Ok(());
    }
    if fresh.len() != span.count {
        let (given, count) = (fresh.len(), span.count);
        return Err(vm.value_error(format!(
            "attempt to assign sequence of size {given} to extended slice of size {count}"
        )));
    }
    let old: Vec<Value> = list.with_mut(|items| {
        span.places().zip(fresh).map(|(i, value)| std::mem::replace(&mut items[i], value)).collect()
    });
    drop(old);
    Ok(())
}

fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    Ok({
        let list = this(vm, value)?;
        find(vm, list, item, 0, usize::MAX)?.is_some()
    })
}

/// The first place in `start..stop` with an item equal to `wanted`; the list may shrink meanwhile.
fn find(vm: &Interpreter, list: &List, wanted: &Value, start: usize, stop: usize) -> Res<Option<usize>> {
    let mut i = start;
    while i < stop {
        let Some(item) = list.get(i) else { break };
        if vm.keys_equal(&item, wanted)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let list = this(vm, value)?;
    seq::guarded_repr(vm, value, "[...]", |w| {
        w.push("[");
        let mut i = 0;
        while let Some(item) = list.get(i) {
            if i > 0 {
                w.push(", ");
            }
            w.push_repr(vm, &item)?;
            i += 1;
        }
        w.push("]");
        Ok(())
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast_ref::<List>(), b.downcast_ref::<List>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    seq::compare(vm, op, (&|| x.len(), &|i| x.get(i)), (&|| y.len(), &|i| y.get(i)))
}

fn concat(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (x, Some(y)) = (this(vm, a)?, b.downcast_ref::<List>()) else {
        let name = vm.type_name(b);
        return Err(vm.type_error(format!("can only concatenate list (not \"{name}\") to list")));
    };
    vm.new_list(seq::joined(vm, x.items(), y.items())?)
}

fn repeat(vm: &Interpreter, value: &Value, count: i64) -> Res {
    vm.new_list(seq::repeat(vm, &this(vm, value)?.items(), count)?)
}

fn inplace_concat(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    extend_with(vm, a, b)?;
    Ok(a.clone())
}

fn inplace_repeat(vm: &Interpreter, value: &Value, count: i64) -> Res {
    let list = this(vm, value)?;
    let items = seq::repeat(vm, &list.items(), count)?;
    drop(if items.is_empty() { list.empty() } else { list.replace(items) });
    Ok(value.clone())
}

fn append(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    this(vm, value)?.push(vm, item.clone())?;
    Ok(Value::NONE)
}

fn extend(vm: &Interpreter, value: &Value, iterable: &Value) -> Res {
    extend_with(vm, value, iterable)?;
    Ok(Value::NONE)
}

fn insert(vm: &Interpreter, value: &Value, index: &Value, item: &Value) -> Res {
    let list = this(vm, value)?;
    let index = vm.expect_i64(index)?;
    list.push(vm, item.clone())?;
    list.with_mut(|items| {
        let at = seq::clamp(index, items.len() - 1);
        items[at..].rotate_right(1);
    });
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, args) = method_args(vm, "pop", call, 0, 1)?;
    let list = this(vm, value)?;
    let Some(index) = args.first() else {
        let last = list.with_mut(|items| items.pop());
        return last.ok_or_else(|| vm.index_error("pop from empty list".to_string()));
    };
    let index = seq::index_i64(vm, index)?;
    if list.is_empty() {
        return Err(vm.index_error("pop from empty list".to_string()));
    }
    match seq::place(index, list.len()) {
        Some(i) => Ok(list.with_mut(|items| items.remove(i))),
        None => Err(vm.index_error("pop index out of range".to_string())),
    }
}

fn remove(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let list = this(vm, value)?;
    let Some(i) = find(vm, list, item, 0, usize::MAX)? else {
        return Err(vm.value_error("list.remove(x): x not in list".to_string()));
    };
    let removed = list.with_mut(|items| if i < items.len() { Some(items.remove(i)) } else { None });
    drop(removed);
    Ok(Value::NONE)
}

fn index(vm: &Interpreter, args: &Args) -> Res {
    let list = this(vm, args.req(0))?;
    let (start, stop) = (seq::bound(vm, args.get(2), 0)?, seq::bound(vm, args.get(3), i64::MAX)?);
    let len = list.len();
    let stop = if stop < 0 { seq::clamp(stop, len) } else { stop as usize };
    match find(vm, list, args.req(1), seq::clamp(start, len), stop)? {
        Some(i) => vm.new_int(i as i64),
        None => Err(vm.value_error("list.index(x): x not in list".to_string())),
    }
}

fn count(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let list = this(vm, value)?;
    let (mut count, mut i) = (0, 0);
    while let Some(candidate) = list.get(i) {
        count += i64::from(vm.keys_equal(&candidate, item)?);
        i += 1;
    }
    vm.new_int(count)
}

fn reverse(vm: &Interpreter, value: &Value) -> Res {
    this(vm, value)?.with_mut(|items| items.reverse());
    Ok(Value::NONE)
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    vm.new_list(this(vm, value)?.items())
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    drop_from_the_end(this(vm, value)?.empty());
    Ok(Value::NONE)
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = ListIterator::new(value, 0, 1) else { return Err(vm.bug("no list")) };
    vm.alloc(&vm.type_for(&LIST_ITERATOR)?, it)
}

fn reversed(vm: &Interpreter, value: &Value) -> Res {
    let last = this(vm, value)?.len() as i64 - 1;
    let Some(it) = ListIterator::new(value, last, -1) else { return Err(vm.bug("no list")) };
    vm.alloc(&vm.type_for(&LIST_REVERSE_ITERATOR)?, it)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    match value.downcast::<ListIterator>() {
        Some(iterator) => Ok(iterator.advance()),
        None => Err(vm.bug("list iterator")),
    }
}

fn remaining(vm: &Interpreter, value: &Value, forward: bool) -> Res {
    let Some(it) = value.downcast::<ListIterator>() else { return Err(vm.bug("list iterator")) };
    let len = it.list().and_then(|l| l.downcast::<List>().map(|l| l.len() as i64));
    let left = match len {
        None => 0,
        Some(len) if forward => (len - it.index.get()).max(0),
        Some(len) if it.index.get() < len => it.index.get() + 1,
        Some(_) => 0,
    };
    vm.new_int(left)
}

/// What is left, as arguments of `iter` or `reversed`: the list and the place; an empty list at the end.
fn iterator_reduce(vm: &Interpreter, value: &Value, function: &str) -> Res {
    let Some(it) = value.downcast::<ListIterator>() else { return Err(vm.bug("list iterator")) };
    let function = crate::builtins::named(vm, function)?;
    match it.list() {
        Some(list) => vm.new_tuple(vec![function, vm.new_tuple(vec![list])?, vm.new_int(it.index.get())?]),
        None => {
            let iter = crate::builtins::named(vm, "iter")?;
            let empty = vm.new_list(Vec::new())?;
            vm.new_tuple(vec![iter, vm.new_tuple(vec![empty])?])
        }
    }
}

fn iterator_setstate(vm: &Interpreter, value: &Value, state: &Value, forward: bool) -> Res {
    let Some(it) = value.downcast::<ListIterator>() else { return Err(vm.bug("list iterator")) };
    let index = vm.expect_i64(state)?;
    if let Some(list) = it.list() {
        let len = list.downcast::<List>().map_or(0, |l| l.len() as i64);
        it.index.set(if forward { index.clamp(0, len) } else { index.clamp(-1, len - 1) });
    }
    Ok(Value::NONE)
}

pub static LIST_ITERATOR: TypeDef = TypeDef {
    name: "list_iterator",
    module: "builtins",
    base: None,
    payload: payload::<ListIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
    methods: &[
        FunctionDef::new(
            "__length_hint__",
            "($self, /)",
            "Private method returning an estimate of len(list(it)).",
            NativeFn::F1(|vm, v| remaining(vm, v, true)),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(|vm, v| iterator_reduce(vm, v, "iter")),
        ),
        FunctionDef::new(
            "__setstate__",
            "($self, object, /)",
            "Set state information for unpickling.",
            NativeFn::F2(|vm, v, state| iterator_setstate(vm, v, state, true)),
        ),
    ],
    getset: &[],
};

pub static LIST_REVERSE_ITERATOR: TypeDef = TypeDef {
    name: "list_reverseiterator",
    module: "builtins",
    base: None,
    payload: payload::<ListIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
    methods: &[
        FunctionDef::new(
            "__length_hint__",
            "($self, /)",
            "Private method returning an estimate of len(list(it)).",
            NativeFn::F1(|vm, v| remaining(vm, v, false)),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(|vm, v| iterator_reduce(vm, v, "reversed")),
        ),
        FunctionDef::new(
            "__setstate__",
            "($self, object, /)",
            "Set state information for unpickling.",
            NativeFn::F2(|vm, v, state| iterator_setstate(vm, v, state, false)),
        ),
    ],
    getset: &[],
};

static METHODS: &[FunctionDef] = &[
    FunctionDef::new("append", "($self, object, /)", "Adds an item at the end.", NativeFn::F2(append)),
    FunctionDef::new("extend", "($self, iterable, /)", "Adds all items at the end.", NativeFn::F2(extend)),
    FunctionDef::new(
        "insert",
        "($self, index, object, /)",
        "Puts an item before a place.",
        NativeFn::F3(insert),
    ),
    FunctionDef::new(
        "pop",
        "($self, index=-1, /)",
        "Takes out an item, the last by default.",
        NativeFn::Raw(pop),
    ),
    FunctionDef::new("remove", "($self, value, /)", "Takes out the first equal item.", NativeFn::F2(remove)),
    FunctionDef::new(
        "index",
        "($self, value, start=0, stop=9223372036854775807, /)",
        "Place of the first equal item.",
        NativeFn::Args(index),
    ),
    FunctionDef::new("count", "($self, value, /)", "Number of equal items.", NativeFn::F2(count)),
    FunctionDef::new("reverse", "($self, /)", "Turns the order round, in place.", NativeFn::F1(reverse)),
    FunctionDef::new("copy", "($self, /)", "A new list of the same items.", NativeFn::F1(copy)),
    FunctionDef::new("clear", "($self, /)", "Takes out all items.", NativeFn::F1(clear)),
    FunctionDef::new(
        "sort",
        "($self, /, *, key=None, reverse=False)",
        "Sorts in place; equal items keep their order.",
        NativeFn::Args(sort::sort),
    ),
    FunctionDef::new("__reversed__", "($self, /)", "An iterator from the end.", NativeFn::F1(reversed)),
    FunctionDef::new("__getitem__", "($self, index, /)", "Return self[index].", NativeFn::F2(get_item)),
    FunctionDef::new(
        "__sizeof__",
        "($self, /)",
        "Size of the list in memory, in bytes.",
        NativeFn::F1(size_of),
    ),
    CLASS_GETITEM,
];

fn size_of(vm: &Interpreter, value: &Value) -> Res {
    let items = this(vm, value)?.with_mut(|items| items.capacity());
    vm.new_int((vm.type_of(value).object_size() + 8 * items) as i64)
}

pub static LIST: TypeDef = TypeDef {
    name: "list",
    module: "builtins",
    base: None,
    payload: payload::<List>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::SEQUENCE).or(TypeFlags::MATCH_SELF),
    doc: "list(iterable=(), /)\n--\n\n\
          A sequence that can change. Without an argument it is empty, else it has the items of the iterable.",
    slots: &[
        Slot::New(new),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Len(|vm, v| Ok(this(vm, v)?.len())),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Contains(contains),
        Slot::Iter(iter),
        Slot::Concat(concat),
        Slot::Repeat(repeat),
        Slot::InplaceConcat(inplace_concat),
        Slot::InplaceRepeat(inplace_repeat),
    ],
    methods: METHODS,
    getset: &[],
};

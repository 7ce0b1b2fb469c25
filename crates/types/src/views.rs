//! `dict_keys`, `dict_values`, `dict_items` and the iterators over dicts.

use crate::dict::this;
use crate::{builtins, seq};
use pellucid_object::slots::{Places, Unpacked};
use pellucid_object::{
    BinOp, CmpOp, DictCursor, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Set, Slot,
    SlotWord, Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};

/// Which part of the entries is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Keys,
    Values,
    Items,
}

/// Payload of the views.
pub struct View {
    pub dict: SlotWord,
    pub part: Part,
}

impl Payload for View {
    fn trace(&self, visit: &mut Visitor) {
        self.dict.trace(visit);
    }
    fn clear(&self) {
        self.dict.set(None);
    }
}

/// Payload of the iterators.
pub struct DictIterator {
    cursor: DictCursor,
    part: Part,
}

impl Payload for DictIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.cursor.trace(visit);
    }
    fn clear(&self) {
        self.cursor.clear();
    }
}

fn view(vm: &Interpreter, dict: &Value, part: Part) -> Res {
    this(vm, dict)?;
    let def = match part {
        Part::Keys => &DICT_KEYS,
        Part::Values => &DICT_VALUES,
        Part::Items => &DICT_ITEMS,
    };
    vm.alloc(&vm.type_for(def)?, View { dict: SlotWord::new(Some(dict.clone())), part })
}

/// `dict.keys()`.
pub fn keys(vm: &Interpreter, dict: &Value) -> Res {
    view(vm, dict, Part::Keys)
}
/// `dict.values()`.
pub fn values(vm: &Interpreter, dict: &Value) -> Res {
    view(vm, dict, Part::Values)
}
/// `dict.items()`.
pub fn items(vm: &Interpreter, dict: &Value) -> Res {
    view(vm, dict, Part::Items)
}

fn iterator(vm: &Interpreter, dict: &Value, part: Part, backward: bool) -> Res {
    let Some(cursor) = DictCursor::new(dict, backward) else { return this(vm, dict).map(|_| Value::NONE) };
    let def = match (part, backward) {
        (Part::Keys, false) => &KEY_ITERATOR,
        (Part::Values, false) => &VALUE_ITERATOR,
        (Part::Items, false) => &ITEM_ITERATOR,
        (Part::Keys, true) => &REVERSE_KEY_ITERATOR,
        (Part::Values, true) => &REVERSE_VALUE_ITERATOR,
        (Part::Items, true) => &REVERSE_ITEM_ITERATOR,
    };
    vm.alloc(&vm.type_for(def)?, DictIterator { cursor, part })
}

/// `iter(dict)`.
pub fn iter_keys(vm: &Interpreter, dict: &Value) -> Res {
    iterator(vm, dict, Part::Keys, false)
}
/// `reversed(dict)`.
pub fn reversed_keys(vm: &Interpreter, dict: &Value) -> Res {
    iterator(vm, dict, Part::Keys, true)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(it) = value.downcast::<DictIterator>() else { return Err(vm.bug("dict iterator")) };
    match it.part {
        Part::Keys => it.cursor.advance(vm, |key, _| key.clone()),
        Part::Values => it.cursor.advance(vm, |_, value| value.clone()),
        Part::Items => match it.cursor.advance(vm, |key, value| [key.clone(), value.clone()])? {
            Some(entry) => vm.tuple_of(entry).map(Some),
            None => Ok(None),
        },
    }
}

fn next_items(vm: &Interpreter, value: &Value, places: Places) -> Res<Unpacked> {
    let Some(it) = value.downcast::<DictIterator>() else { return Err(vm.bug("dict iterator")) };
    if places.len() != 2 {
        return Ok(Unpacked::Other);
    }
    let put = |key: &Value, value: &Value| {
        places.put(0, key.clone());
        places.put(1, value.clone());
    };
    Ok(match it.cursor.advance(vm, put)? {
        Some(()) => Unpacked::Items,
        None => Unpacked::End,
    })
}

fn remaining(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<DictIterator>() else { return Err(vm.bug("dict iterator")) };
    vm.new_int(it.cursor.remaining() as i64)
}

/// The dict behind a view and what the view shows of it.
fn parts(vm: &Interpreter, value: &Value) -> Res<(Value, Part)> {
    let view = value.downcast::<View>();
    match view.and_then(|v| Some((v.dict.get()?, v.part))) {
        Some(parts) => Ok(parts),
        None => Err(vm.type_error("a view of a dict was expected".to_string())),
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let name = vm.type_name(value);
    seq::guarded_repr(vm, value, "...", |w| {
        let list = vm.new_list(vm.collect(value)?)?;
        w.push(&name);
        w.push("(");
        w.push_repr(vm, &list)?;
        w.push(")");
        Ok(())
    })
}

fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    let (dict, part) = parts(vm, value)?;
    let dict = this(vm, &dict)?;
    if part == Part::Keys {
        return dict.contains(vm, item);
    }
    if part == Part::Values {
        for candidate in dict.values() {
            if vm.keys_equal(&candidate, item)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let pair = item.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [key, wanted] = pair.as_slice() else { return Ok(false) };
    match dict.get(vm, key)? {
        Some(found) => vm.keys_equal(&found, wanted),
        None => Ok(false),
    }
}

/// Whether a value is a view that behaves as a set.
fn is_set_view(value: &Value) -> bool {
    value.downcast::<View>().is_some_and(|v| v.part != Part::Values)
}

/// Whether every item of `small` is in `big`.
fn within(vm: &Interpreter, small: &Value, big: &Value) -> Res<bool> {
    let it = vm.iter(small)?;
    while let Some(item) = vm.next(&it)? {
        if !vm.contains(big, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keys and items compare as sets, with each other and with sets.
fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !is_set_view(a) || !is_set_view(b) && b.downcast::<Set>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (la, lb) = (vm.len(a)?, vm.len(b)?);
    Ok(Value::bool(match op {
        CmpOp::Eq => la == lb && within(vm, a, b)?,
        CmpOp::Ne => la != lb || !within(vm, a, b)?,
        CmpOp::Lt => la < lb && within(vm, a, b)?,
        CmpOp::Le => la <= lb && within(vm, a, b)?,
        CmpOp::Gt => la > lb && within(vm, b, a)?,
        CmpOp::Ge => la >= lb && within(vm, b, a)?,
    }))
}

/// A set of the items of an iterable.
fn set_of(vm: &Interpreter, iterable: &Value) -> Res {
    vm.call_values(vm.types().set.value(), std::slice::from_ref(iterable))
}

fn and(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    let len = vm.len(view)?;
    if vm.is_exact(other, &vm.types().set) && len <= vm.len(other)? {
        return vm.call_attr(other, "intersection", std::slice::from_ref(view));
    }
    if is_set_view(other) && vm.len(other)? > len {
        (view, other) = (other, view);
    }
    let result = Set::default();
    vm.for_each(other, |item| {
        if vm.contains(view, &item)? {
            result.add(vm, item)?;
        }
        Ok(())
    })?;
    vm.alloc(&vm.types().set, result)
}

fn changed_copy(vm: &Interpreter, a: &Value, b: &Value, method: &str) -> Res {
    let result = set_of(vm, a)?;
    vm.call_attr(&result, method, std::slice::from_ref(b))?;
    Ok(result)
}

fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    changed_copy(vm, a, b, "update")
}

fn sub(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    changed_copy(vm, a, b, "difference_update")
}

fn xor(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    changed_copy(vm, a, b, "symmetric_difference_update")
}

fn is_disjoint(vm: &Interpreter, view: &Value, other: &Value) -> Res {
    let (mut view, mut other) = (view.clone(), other.clone());
    if view.is(&other) {
        return Ok(Value::bool(vm.len(&view)? == 0));
    }
    let sized = other.downcast::<Set>().is_some() || is_set_view(&other);
    if sized && vm.len(&other)? > vm.len(&view)? {
        (view, other) = (other, view);
    }
    let it = vm.iter(&other)?;
    while let Some(item) = vm.next(&it)? {
        if vm.contains(&view, &item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

/// An iterator pickles as one over a list of what is left.
fn iterator_reduce(vm: &Interpreter, value: &Value) -> Res {
    let Some(it) = value.downcast::<DictIterator>() else { return Err(vm.bug("dict iterator")) };
    let copy = DictIterator { cursor: it.cursor.copy(), part: it.part };
    let copy = vm.alloc(&vm.type_of(value), copy)?;
    let iter = builtins::named(vm, "iter")?;
    let rest = vm.new_list(vm.collect(&copy)?)?;
    vm.new_tuple(vec![iter, vm.new_tuple(vec![rest])?])
}

const REVERSED: FunctionDef = FunctionDef::new(
    "__reversed__",
    "($self, /)",
    "An iterator from the end.",
    NativeFn::F1(|vm, v| {
        let (dict, part) = parts(vm, v)?;
        iterator(vm, &dict, part, true)
    }),
);

static SET_METHODS: &[FunctionDef] = &[
    REVERSED,
    FunctionDef::new(
        "isdisjoint",
        "($self, other, /)",
        "Whether the view and the other have no item in common.",
        NativeFn::F2(is_disjoint),
    ),
];

static VALUE_METHODS: &[FunctionDef] = &[REVERSED];

static MAPPING: &[GetSetDef] = &[GetSetDef {
    name: "mapping",
    doc: "dictionary that this view refers to",
    get: |vm, v| crate::mapping_proxy::new_proxy(vm, parts(vm, v)?.0),
    set: None,
}];

static HINT: &[FunctionDef] = &[
    FunctionDef::new("__length_hint__", "($self, /)", "How many entries are left.", NativeFn::F1(remaining)),
    FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling.",
        NativeFn::F1(iterator_reduce),
    ),
];

fn iter_view(vm: &Interpreter, value: &Value) -> Res {
    let (dict, part) = parts(vm, value)?;
    iterator(vm, &dict, part, false)
}

fn len(vm: &Interpreter, value: &Value) -> Res<usize> {
    let (dict, _) = parts(vm, value)?;
    Ok(this(vm, &dict)?.len())
}

static SET_LIKE: &[Slot] = &[
    Slot::Repr(repr),
    Slot::Iter(iter_view),
    Slot::Len(len),
    Slot::Contains(contains),
    Slot::Compare(compare),
    Slot::Binary(BinOp::And, and),
    Slot::Binary(BinOp::Or, or),
    Slot::Binary(BinOp::Sub, sub),
    Slot::Binary(BinOp::Xor, xor),
];

const fn def<T: Payload>(
    name: &'static str,
    slots: &'static [Slot],
    methods: &'static [FunctionDef],
    getset: &'static [GetSetDef],
) -> TypeDef {
    TypeDef {
        name,
        module: "builtins",
        base: None,
        payload: payload::<T>(),
        flags: TypeFlags::NO_NEW,
        doc: "",
        slots,
        methods,
        getset,
    }
}

static ITERATOR: &[Slot] = &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)];
static PAIR_ITERATOR: &[Slot] =
    &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next), Slot::NextItems(next_items)];

pub static KEY_ITERATOR: TypeDef = def::<DictIterator>("dict_keyiterator", ITERATOR, HINT, &[]);
pub static VALUE_ITERATOR: TypeDef = def::<DictIterator>("dict_valueiterator", ITERATOR, HINT, &[]);
pub static ITEM_ITERATOR: TypeDef = def::<DictIterator>("dict_itemiterator", PAIR_ITERATOR, HINT, &[]);
pub static REVERSE_KEY_ITERATOR: TypeDef =
    def::<DictIterator>("dict_reversekeyiterator", ITERATOR, HINT, &[]);
pub static REVERSE_VALUE_ITERATOR: TypeDef =
    def::<DictIterator>("dict_reversevalueiterator", ITERATOR, HINT, &[]);
pub static REVERSE_ITEM_ITERATOR: TypeDef =
    def::<DictIterator>("dict_reverseitemiterator", PAIR_ITERATOR, HINT, &[]);
pub static DICT_KEYS: TypeDef = def::<View>("dict_keys", SET_LIKE, SET_METHODS, MAPPING);
pub static DICT_ITEMS: TypeDef = def::<View>("dict_items", SET_LIKE, SET_METHODS, MAPPING);
pub static DICT_VALUES: TypeDef = def::<View>(
    "dict_values",
    &[Slot::Repr(repr), Slot::Iter(iter_view), Slot::Len(len)],
    VALUE_METHODS,
    MAPPING,
);

//! `OrderedDict`: a dict whose entries move to either end, that compares in order, and whose iterators notice every
//! change. A dict keeps the order of insertion already; what is special here is how strictly.

use crate::support::{CLASS_GETITEM, state_of, this};
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res,
    Slot, SlotWord, TypeDef, TypeFlags, Value, Visitor, class_new::DUNDER_DICT, payload,
};
use pellucid_types::builtins::named as builtin;
use pellucid_types::seq;
use pellucid_types::views::{self, Part, View};
use std::cell::Cell;

fn dict(vm: &Interpreter, value: &Value) -> Res<Ref<Dict>> {
    match value.downcast_ref::<Dict>() {
        Some(dict) => Ok(dict),
        None => Err(vm.type_error("an OrderedDict was expected".to_string())),
    }
}

fn is_ordered(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_instance(value, &vm.type_for(&ORDERED_DICT)?))
}

// ---- filling, as `MutableMapping.update` does it: by `self[key] = value` ----

fn add_pairs(vm: &Interpreter, target: &Value, pairs: &Value) -> Res<()> {
    vm.for_each(pairs, |pair| {
        let iterator = vm.iter(&pair)?;
        let next = |n: usize, s: &str| match vm.next(&iterator)? {
            Some(value) => Ok(value),
            None => Err(vm.value_error(format!("need more than {n} value{s} to unpack"))),
        };
        let (key, value) = (next(0, "s")?, next(1, "")?);
        if vm.next(&iterator)?.is_some() {
            return Err(vm.value_error("too many values to unpack (expected 2)".to_string()));
        }
        vm.set_item(target, &key, Some(&value))
    })
}

fn update_from(vm: &Interpreter, target: &Value, source: &Value) -> Res<()> {
    if vm.is_exact(source, &vm.types().dict) {
        return dict(vm, source)?
            .pairs()
            .iter()
            .try_for_each(|(key, value)| vm.set_item(target, key, Some(value)));
    }
    if let Some(keys) = vm.get_attr_opt(source, "keys")? {
        let keys = vm.call_values(&keys, &[])?;
        return vm.for_each(&keys, |key| {
            let value = vm.get_item(source, &key)?;
            vm.set_item(target, &key, Some(&value))
        });
    }
    match vm.get_attr_opt(source, "items")? {
        Some(items) => add_pairs(vm, target, &vm.call_values(&items, &[])?),
        None => add_pairs(vm, target, source),
    }
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let given = call.positional();
    if given.len() > 1 {
        return Err(vm.type_error(format!("expected at most 1 arguments, got {}", given.len())));
    }
    fill(vm, value, given.first(), call)
}

fn fill(vm: &Interpreter, target: &Value, source: Option<&Value>, call: &CallArgs) -> Res<()> {
    if let Some(source) = source {
        update_from(vm, target, source)?;
    }
    call.keywords().try_for_each(|(key, value)| vm.set_item(target, key, Some(value)))
}

fn update(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, given @ ..] = call.positional() else {
        return Err(vm.type_error("unbound method OrderedDict.update() needs an argument".to_string()));
    };
    if given.len() > 1 {
        let n = given.len();
        return Err(vm.type_error(format!("update() takes at most 1 positional argument ({n} given)")));
    }
    fill(vm, value, given.first(), call)?;
    Ok(Value::NONE)
}

// ---- methods ----

fn find(vm: &Interpreter, dict: &Dict, key: &Value) -> Res<Option<usize>> {
    let hash = vm.hash(key)?;
    dict.find(vm, key, hash)
}

fn move_to_end(vm: &Interpreter, args: &Args) -> Res {
    let dict = dict(vm, args.req(0))?;
    let last = args.bool_or(vm, 2, true)?;
    let Some(i) = find(vm, &dict, args.req(1))? else { return Err(vm.key_error(args.req(1).clone())) };
    if last {
        dict.move_to_end(vm, i)?
    } else {
        dict.move_to_front(vm, i)?
    }
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, args: &Args) -> Res {
    match (dict(vm, args.req(0))?.remove(vm, args.req(1))?, args.get(2)) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.key_error(args.req(1).clone())),
    }
}

fn pop_item(vm: &Interpreter, args: &Args) -> Res {
    let dict = dict(vm, args.req(0))?;
    let last = args.bool_or(vm, 1, true)?;
    let entry = if last { dict.entry_before(usize::MAX) } else { dict.entry_from(0) };
    match entry.and_then(|(i, ..)| dict.remove_at(vm, i)) {
        Some((key, value)) => vm.new_tuple(vec![key, value]),
        None => Err(vm.key_error(vm.new_str("dictionary is empty")?)),
    }
}

fn set_default(vm: &Interpreter, args: &Args) -> Res {
    let (value, key) = (args.req(0), args.req(1));
    let default = args.get(2).cloned().unwrap_or(Value::NONE);
    if vm.is_exact(value, &vm.type_for(&ORDERED_DICT)?) {
        return dict(vm, value)?.set_default(vm, key.clone(), default);
    }
    if vm.contains(value, key)? {
        return vm.get_item(value, key);
    }
    vm.set_item(value, key, Some(&default))?;
    Ok(default)
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let source = dict(vm, value)?;
    let exact = vm.is_exact(value, &vm.type_for(&ORDERED_DICT)?);
    let made = vm.call_values(vm.type_of(value).value(), &[])?;
    if exact {
        dict(vm, &made)?.update_from(vm, &source)?;
        return Ok(made);
    }
    for key in source.keys() {
        let item = vm.get_item(value, &key)?;
        vm.set_item(&made, &key, Some(&item))?;
    }
    Ok(made)
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let state = state_of(vm, value)?;
    let items = vm.iter(&vm.call_attr(value, "items", &[])?)?;
    let cls = vm.type_of(value).into_value();
    vm.new_tuple(vec![cls, vm.new_tuple(Vec::new())?, state, Value::NONE, items])
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let this = dict(vm, value)?;
    let name = vm.type_of(value).name();
    if this.is_empty() {
        return vm.new_str(&format!("{name}()"));
    }
    seq::guarded_repr(vm, value, "...", |w| {
        let copy = vm.new_dict()?;
        copy.update_from(vm, &this)?;
        w.push(&name);
        w.push("(");
        w.push_repr(vm, copy.value())?;
        w.push(")");
        Ok(())
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let Some(base) = vm.types().dict.slots.compare.get() else { return Ok(Value::NOT_IMPLEMENTED) };
    let equal = base(vm, a, b, CmpOp::Eq)?;
    if equal.is_not_implemented() || (op != CmpOp::Eq && op != CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let mut same = vm.truthy(&equal)?;
    if same && is_ordered(vm, a)? && is_ordered(vm, b)? {
        same = same_order(vm, &*dict(vm, a)?, &*dict(vm, b)?)?;
    }
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn same_order(vm: &Interpreter, a: &Dict, b: &Dict) -> Res<bool> {
    let versions = (a.keys_version(), b.keys_version());
    for (x, y) in a.keys().iter().zip(&b.keys()) {
        let equal = vm.keys_equal(x, y)?;
        if (a.keys_version(), b.keys_version()) != versions {
            return Err(vm.runtime_error("OrderedDict mutated during iteration".to_string()));
        }
        if !equal {
            return Ok(false);
        }
    }
    Ok(true)
}

fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if a.downcast::<Dict>().is_none() || b.downcast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let cls = if is_ordered(vm, a)? { vm.type_of(a) } else { vm.type_of(b) };
    let made = vm.call_values(cls.value(), std::slice::from_ref(a))?;
    update_from(vm, &made, b)?;
    Ok(made)
}

fn or_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    update_from(vm, a, b)?;
    Ok(a.clone())
}

// ---- views and iterators ----

fn view(vm: &Interpreter, value: &Value, part: Part) -> Res {
    let def = match part {
        Part::Keys => &KEYS,
        Part::Values => &VALUES,
        Part::Items => &ITEMS,
    };
    vm.alloc(&vm.type_for(def)?, View { dict: SlotWord::new(Some(value.clone())), part })
}

/// Payload of `odict_iterator`.
pub struct OrderedIterator {
    dict: SlotWord,
    part: Part,
    position: Cell<usize>,
    left: Cell<usize>,
    version: u64,
    backward: bool,
}

impl Payload for OrderedIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.dict.trace(visit);
    }
    fn clear(&self) {
        self.dict.set(None);
    }
}

fn iterate(vm: &Interpreter, value: &Value, part: Part, backward: bool) -> Res {
    let inner = dict(vm, value)?;
    let it = OrderedIterator {
        dict: SlotWord::new(Some(value.clone())),
        part,
        position: Cell::new(if backward { inner.entry_count() } else { 0 }),
        left: Cell::new(inner.len()),
        version: inner.keys_version(),
        backward,
    };
    vm.alloc(&vm.type_for(&ITERATOR)?, it)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = this::<OrderedIterator>(vm, value)?;
    let Some(source) = it.dict.get() else { return Ok(None) };
    let inner = dict(vm, &source)?;
    let Some(left) = it.left.get().checked_sub(1) else {
        it.dict.set(None);
        return Ok(None);
    };
    if inner.keys_version() != it.version {
        return Err(vm.runtime_error("OrderedDict mutated during iteration".to_string()));
    }
    let entry = match it.backward {
        false => inner.entry_from(it.position.get()),
        true => inner.entry_before(it.position.get()),
    };
    let Some((i, key, found)) = entry else {
        it.dict.set(None);
        return Ok(None);
    };
    it.left.set(left);
    it.position.set(if it.backward { i } else { i + 1 });
    if it.part == Part::Keys {
        return Ok(Some(key));
    }
    // A class may say itself what its values are.
    let found =
        if vm.is_exact(&source, &vm.type_for(&ORDERED_DICT)?) { found } else { vm.get_item(&source, &key)? };
    match it.part {
        Part::Items => vm.new_tuple(vec![key, found]).map(Some),
        _ => Ok(Some(found)),
    }
}

fn iterator_reduce(vm: &Interpreter, value: &Value) -> Res {
    let it = this::<OrderedIterator>(vm, value)?;
    let copy = vm.alloc(
        &vm.type_for(&ITERATOR)?,
        OrderedIterator {
            dict: SlotWord::new(it.dict.get()),
            part: it.part,
            position: it.position.clone(),
            left: it.left.clone(),
            version: it.version,
            backward: it.backward,
        },
    )?;
    let rest = vm.new_list(vm.collect(&copy)?)?;
    vm.new_tuple(vec![builtin(vm, "iter")?, vm.new_tuple(vec![rest])?])
}

static ITERATOR: TypeDef = TypeDef {
    name: "odict_iterator",
    module: "builtins",
    base: None,
    payload: payload::<OrderedIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "What pickling stores.",
        NativeFn::F1(iterator_reduce),
    )],
    getset: &[],
};

fn view_iter(vm: &Interpreter, value: &Value, backward: bool) -> Res {
    let view = this::<View>(vm, value)?;
    match view.dict.get() {
        Some(source) => iterate(vm, &source, view.part, backward),
        None => vm.iter(&vm.new_tuple(Vec::new())?),
    }
}

const fn view_def(name: &'static str, base: fn(&Interpreter) -> Ref<pellucid_object::Type>) -> TypeDef {
    TypeDef {
        name,
        module: "builtins",
        base: Some(base),
        payload: payload::<View>(),
        flags: TypeFlags::NO_NEW,
        doc: "",
        slots: &[Slot::Iter(|vm, v| view_iter(vm, v, false))],
        methods: VIEW_METHODS,
        getset: &[],
    }
}

static VIEW_METHODS: &[FunctionDef] = &[FunctionDef::new(
    "__reversed__",
    "($self, /)",
    "An iterator over the keys from the end.",
    NativeFn::F1(|vm, v| view_iter(vm, v, true)),
)];

/// The type of `def`, or `object` when memory is too short to make it.
fn base_type(vm: &Interpreter, def: &'static TypeDef) -> Ref<pellucid_object::Type> {
    match vm.type_for(def) {
        Ok(ty) => ty,
        Err(raised) => {
            drop(vm.take_raised(raised));
            vm.types().object.clone()
        }
    }
}

static KEYS: TypeDef = view_def("odict_keys", |vm| base_type(vm, &views::DICT_KEYS));
static VALUES: TypeDef = view_def("odict_values", |vm| base_type(vm, &views::DICT_VALUES));
static ITEMS: TypeDef = view_def("odict_items", |vm| base_type(vm, &views::DICT_ITEMS));

static METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "move_to_end",
        "($self, /, key, last=True)",
        "Moves an entry to the end, or to the start.",
        NativeFn::Args(move_to_end),
    ),
    FunctionDef::new(
        "pop",
        "($self, /, key, default=<unrepresentable>)",
        "Takes a key out; its value, or the default.",
        NativeFn::Args(pop),
    ),
    FunctionDef::new(
        "popitem",
        "($self, /, last=True)",
        "Takes the last pair out, or the first.",
        NativeFn::Args(pop_item),
    ),
    FunctionDef::new(
        "setdefault",
        "($self, /, key, default=None)",
        "The value, set to the default when the key is new.",
        NativeFn::Args(set_default),
    ),
    FunctionDef::new("update", "", "", NativeFn::Raw(update)),
    FunctionDef::new("copy", "($self, /)", "A new OrderedDict of the same entries.", NativeFn::F1(copy)),
    FunctionDef::new("keys", "($self, /)", "", NativeFn::F1(|vm, v| view(vm, v, Part::Keys))),
    FunctionDef::new("values", "($self, /)", "", NativeFn::F1(|vm, v| view(vm, v, Part::Values))),
    FunctionDef::new("items", "($self, /)", "", NativeFn::F1(|vm, v| view(vm, v, Part::Items))),
    FunctionDef::new(
        "__reversed__",
        "($self, /)",
        "An iterator over the keys from the end.",
        NativeFn::F1(|vm, v| iterate(vm, v, Part::Keys, true)),
    ),
    FunctionDef::new("__reduce__", "($self, /)", "What pickling stores.", NativeFn::F1(reduce)),
    CLASS_GETITEM,
];

static GETSET: &[GetSetDef] = &[DUNDER_DICT];

pub static ORDERED_DICT: TypeDef = TypeDef {
    name: "OrderedDict",
    module: "collections",
    base: Some(|vm| vm.types().dict.clone()),
    payload: payload::<Dict>(),
    flags: TypeFlags::BASETYPE
        .or(TypeFlags::MAPPING)
        .or(TypeFlags::MATCH_SELF)
        .or(TypeFlags::HAS_DICT)
        .or(TypeFlags::WEAKREF),
    doc: "A dict in which order counts.",
    slots: &[
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Iter(|vm, v| iterate(vm, v, Part::Keys, false)),
        Slot::Binary(BinOp::Or, or),
        Slot::Inplace(BinOp::Or, or_inplace),
    ],
    methods: METHODS,
    getset: GETSET,
};

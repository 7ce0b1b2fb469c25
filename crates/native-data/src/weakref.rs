//! `_weakref`: references and proxies that do not keep their object alive.

use crate::support::{self, CLASS_GETITEM, this};
use pellucid_object::weakref::WeakRef;
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, Dict, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Raised,
    Ref, Res, Slot, Str, Type, TypeDef, TypeFlags, UnOp, Value, payload,
};

// ---- references ----

fn check_target(vm: &Interpreter, target: &Value) -> Res<()> {
    let ty = vm.type_of_ref(target);
    if target.is_heap() && ty.flags.get().contains(TypeFlags::WEAKREF) {
        return Ok(());
    }
    Err(vm.type_error(format!("cannot create weak reference to '{}' object", vm.type_name(target))))
}

/// A reference of class `cls`; one without a callback is shared.
fn make(vm: &Interpreter, cls: &Ref<Type>, target: &Value, callback: Option<&Value>, share: bool) -> Res {
    check_target(vm, target)?;
    let callback = callback.filter(|c| !c.is_none());
    if share && callback.is_none() {
        let known =
            vm.weakrefs.of(target).into_iter().find(|r| {
                vm.is_exact(r, cls) && r.downcast::<WeakRef>().is_some_and(|w| !w.callback.is_set())
            });
        if let Some(known) = known {
            return Ok(known);
        }
    }
    let weak = WeakRef::default();
    weak.callback.set(callback.cloned());
    let reference = vm.alloc_subclass(cls.value(), weak)?;
    vm.weakrefs.register(&reference, target);
    Ok(reference)
}

fn ref_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let own = vm.type_for(&REFERENCE)?;
    let exact = cls.is(own.value());
    if exact && !call.names.is_empty() {
        return Err(vm.type_error("ref() takes no keyword arguments".to_string()));
    }
    let given = call.positional();
    let (target, callback) = match given {
        [target] => (target, None),
        [target, callback] => (target, Some(callback)),
        _ => {
            let (word, bound, s) = if given.is_empty() { ("least", 1, "") } else { ("most", 2, "s") };
            let n = given.len();
            return Err(vm.type_error(format!("__new__ expected at {word} {bound} argument{s}, got {n}")));
        }
    };
    match cls.downcast_ref::<Type>() {
        Some(ty) => make(vm, &ty, target, callback, exact),
        None => Err(vm.bug("a class is a type")),
    }
}

fn ref_init(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res<()> {
    match (call.names, call.values.len()) {
        ([], 1 | 2) => Ok(()),
        ([], n) => {
            let (word, bound, s) = if n == 0 { ("least", 1, "") } else { ("most", 2, "s") };
            Err(vm.type_error(format!("__init__ expected at {word} {bound} argument{s}, got {n}")))
        }
        _ => Err(vm.type_error("ref() takes no keyword arguments".to_string())),
    }
}

fn ref_call(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res {
    support::positional(vm, "weakref", call, 0, 0)?;
    Ok(this::<WeakRef>(vm, value)?.upgrade().unwrap_or(Value::NONE))
}

fn ref_hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let weak = this::<WeakRef>(vm, value)?;
    if let Some(hash) = weak.hash.get() {
        return Ok(hash);
    }
    let Some(target) = weak.upgrade() else {
        return Err(vm.type_error("weak object has gone away".to_string()));
    };
    let hash = vm.hash(&target)?;
    weak.hash.set(Some(hash));
    Ok(hash)
}

fn ref_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let own = vm.type_for(&REFERENCE)?;
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || !vm.is_instance(a, &own) || !vm.is_instance(b, &own) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match (this::<WeakRef>(vm, a)?.upgrade(), this::<WeakRef>(vm, b)?.upgrade()) {
        (Some(x), Some(y)) => vm.compare(op, &x, &y),
        _ => Ok(Value::bool(a.is(b) == (op == CmpOp::Eq))),
    }
}

fn show(vm: &Interpreter, value: &Value, kind: &str) -> Res {
    let at = value.bits();
    let Some(target) = this::<WeakRef>(vm, value)?.upgrade() else {
        return vm.new_str(&format!("<{kind} at {at:#x}; dead>"));
    };
    let (ty, there) = (vm.type_name(&target), target.bits());
    let name = match kind {
        "weakref" => match vm.lookup_special(&target, "__name__")? {
            Some(found) => Some(vm.bind_descriptor(&found, &target, vm.type_of_ref(&target).value())?),
            None => None,
        },
        _ => None,
    };
    let name = name.filter(|n| n.downcast::<Str>().is_some());
    vm.new_str(&match name {
        Some(name) => format!("<{kind} at {at:#x}; to '{ty}' at {there:#x} ({})>", vm.str_lossy(&name)),
        None => format!("<{kind} at {at:#x}; to '{ty}' at {there:#x}>"),
    })
}

/// `weakref.ref`.
pub static REFERENCE: TypeDef = TypeDef {
    name: "ReferenceType",
    module: "weakref",
    base: None,
    payload: payload::<WeakRef>(),
    flags: TypeFlags::BASETYPE,
    doc: "A reference that does not keep its object alive.",
    slots: &[
        Slot::New(ref_new),
        Slot::Init(ref_init),
        Slot::Call(ref_call),
        Slot::Hash(ref_hash),
        Slot::Compare(ref_compare),
        Slot::Repr(|vm, v| show(vm, v, "weakref")),
    ],
    methods: &[CLASS_GETITEM],
    getset: &[GetSetDef {
        name: "__callback__",
        doc: "",
        get: |vm, v| Ok(this::<WeakRef>(vm, v)?.callback.get().unwrap_or(Value::NONE)),
        set: None,
    }],
};

// ---- proxies ----

fn is_proxy(value: &Value, vm: &Interpreter) -> bool {
    value.downcast::<WeakRef>().is_some()
        && [&PROXY, &CALLABLE_PROXY]
            .iter()
            .any(|def| vm.type_for(def).is_ok_and(|ty| vm.is_exact(value, &ty)))
}

/// What a proxy stands for; other values stand for themselves. Errors: `ReferenceError`.
fn unwrap(vm: &Interpreter, value: &Value) -> Res {
    if !is_proxy(value, vm) {
        return Ok(value.clone());
    }
    match value.downcast::<WeakRef>().and_then(WeakRef::upgrade) {
        Some(target) => Ok(target),
        None => Err(gone(vm)),
    }
}

#[cold]
fn gone(vm: &Interpreter) -> Raised {
    vm.reference_error("weakly-referenced object no longer exists".to_string())
}

macro_rules! binary {
    ($op:ident) => {
        Slot::Binary(BinOp::$op, |vm, a, b| vm.binary(BinOp::$op, &unwrap(vm, a)?, &unwrap(vm, b)?))
    };
}
macro_rules! inplace {
    ($op:ident) => {
        Slot::Inplace(BinOp::$op, |vm, a, b| vm.inplace(BinOp::$op, &unwrap(vm, a)?, &unwrap(vm, b)?))
    };
}
macro_rules! unary {
    ($op:ident) => {
        Slot::Unary(UnOp::$op, |vm, a| vm.unary(UnOp::$op, &unwrap(vm, a)?))
    };
}

fn proxy_next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let target = unwrap(vm, value)?;
    if vm.type_of_ref(&target).slots.next.get().is_none() {
        let name = vm.type_name(&target);
        return Err(vm.type_error(format!("Weakref proxy referenced a non-iterator '{name}' object")));
    }
    vm.next(&target)
}

/// `float(x)` and `int(x)` need the type's own conversion.
fn convert(vm: &Interpreter, value: &Value, name: &'static str) -> Res {
    vm.call_method(&unwrap(vm, value)?, name, &[])
}

const PROXY_SLOTS: &[Slot] = &[
    Slot::Repr(|vm, v| show(vm, v, "weakproxy")),
    Slot::Str(|vm, v| vm.str(&unwrap(vm, v)?)),
    Slot::GetAttr(|vm, v, name| vm.get_attr(&unwrap(vm, v)?, name)),
    Slot::SetAttr(|vm, v, name, new| vm.set_attr(&unwrap(vm, v)?, name, new)),
    Slot::Compare(|vm, a, b, op| vm.compare(op, &unwrap(vm, a)?, &unwrap(vm, b)?)),
    Slot::Iter(|vm, v| vm.iter(&unwrap(vm, v)?)),
    Slot::Next(proxy_next),
    Slot::Bool(|vm, v| vm.truthy(&unwrap(vm, v)?)),
    Slot::Len(|vm, v| vm.len(&unwrap(vm, v)?)),
    Slot::GetItem(|vm, v, key| vm.get_item(&unwrap(vm, v)?, &unwrap(vm, key)?)),
    Slot::SetItem(|vm, v, key, new| vm.set_item(&unwrap(vm, v)?, key, new)),
    Slot::Contains(|vm, v, item| vm.contains(&unwrap(vm, v)?, item)),
    binary!(Add),
    binary!(Sub),
    binary!(Mul),
    binary!(MatMul),
    binary!(TrueDiv),
    binary!(FloorDiv),
    binary!(Mod),
    binary!(DivMod),
    binary!(Pow),
    binary!(LShift),
    binary!(RShift),
    binary!(And),
    binary!(Or),
    binary!(Xor),
    inplace!(Add),
    inplace!(Sub),
    inplace!(Mul),
    inplace!(MatMul),
    inplace!(TrueDiv),
    inplace!(FloorDiv),
    inplace!(Mod),
    inplace!(Pow),
    inplace!(LShift),
    inplace!(RShift),
    inplace!(And),
    inplace!(Or),
    inplace!(Xor),
    unary!(Neg),
    unary!(Pos),
    unary!(Invert),
    unary!(Abs),
    Slot::Unary(UnOp::Int, |vm, v| convert(vm, v, "__int__")),
    Slot::Unary(UnOp::Float, |vm, v| convert(vm, v, "__float__")),
    Slot::Unary(UnOp::Index, |vm, v| vm.index(&unwrap(vm, v)?)),
];

static PROXY_METHODS: &[FunctionDef] = &[
    FunctionDef::new("__bytes__", "($self, /)", "", NativeFn::F1(|vm, v| convert(vm, v, "__bytes__"))),
    FunctionDef::new("__reversed__", "($self, /)", "", NativeFn::F1(|vm, v| convert(vm, v, "__reversed__"))),
];

pub static PROXY: TypeDef = TypeDef {
    name: "ProxyType",
    module: "weakref",
    base: None,
    payload: payload::<WeakRef>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: PROXY_SLOTS,
    methods: PROXY_METHODS,
    getset: &[],
};

/// What proxies of callable objects have besides [`PROXY_SLOTS`].
const fn callable_slots() -> [Slot; PROXY_SLOTS.len() + 1] {
    let call = Slot::Call(|vm, v, args| vm.call(&unwrap(vm, v)?, args));
    let mut slots = [call; PROXY_SLOTS.len() + 1];
    let mut i = 0;
    while i < PROXY_SLOTS.len() {
        slots[i] = PROXY_SLOTS[i];
        i += 1;
    }
    slots
}

pub static CALLABLE_PROXY: TypeDef = TypeDef {
    name: "CallableProxyType",
    module: "weakref",
    base: None,
    payload: payload::<WeakRef>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &callable_slots(),
    methods: PROXY_METHODS,
    getset: &[],
};

fn proxy(vm: &Interpreter, call: &CallArgs) -> Res {
    let given = support::positional(vm, "proxy", call, 1, 2)?;
    let callable = support::is_callable(vm, &given[0]);
    let cls = vm.type_for(if callable { &CALLABLE_PROXY } else { &PROXY })?;
    make(vm, &cls, &given[0], given.get(1), true)
}

// ---- functions ----

/// The references and proxies of an object that Python code made: the shared reference, the shared proxy, then the others,
/// newest first.
fn visible(vm: &Interpreter, object: &Value) -> Res<Vec<Value>> {
    let own = vm.type_for(&REFERENCE)?;
    let mut found = vm.weakrefs.of(object);
    found.retain(|r| vm.is_instance(r, &own) || is_proxy(r, vm));
    let rank = |r: &Value| match r.downcast::<WeakRef>().is_some_and(|weak| weak.callback.is_set()) {
        false if vm.is_exact(r, &own) => 0,
        false if is_proxy(r, vm) => 1,
        _ => 2,
    };
    found.reverse();
    found.sort_by_key(rank);
    Ok(found)
}

fn get_weakref_count(vm: &Interpreter, object: &Value) -> Res {
    vm.new_int(visible(vm, object)?.len() as i64)
}

fn get_weakrefs(vm: &Interpreter, object: &Value) -> Res {
    vm.new_list(visible(vm, object)?)
}

/// Takes `key` out of a dict when its value is a reference that died.
fn remove_dead_weakref(vm: &Interpreter, args: &Args) -> Res {
    let Some(dict) = args.req(0).downcast::<Dict>() else {
        let got = vm.type_name(args.req(0));
        return Err(vm.type_error(format!("_remove_dead_weakref() argument 1 must be dict, not {got}")));
    };
    if let Some(found) = dict.get(vm, args.req(1))? {
        let Some(weak) = found.downcast::<WeakRef>() else {
            return Err(vm.type_error("not a weakref".to_string()));
        };
        if weak.upgrade().is_none() {
            drop(dict.remove(vm, args.req(1))?);
        }
    }
    Ok(Value::NONE)
}

/// A new reference, for natives that keep some.
pub fn new_reference(vm: &Interpreter, target: &Value, callback: Option<&Value>) -> Res {
    make(vm, &vm.type_for(&REFERENCE)?, target, callback, true)
}

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    let reference = vm.type_for(&REFERENCE)?.into_value();
    vm.set_attr_str(module, "ref", reference)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_weakref",
    doc: "Weak-reference support module.",
    functions: &[
        FunctionDef::new(
            "getweakrefcount",
            "(object, /)",
            "Return the number of weak references to 'object'.",
            NativeFn::F1(get_weakref_count),
        ),
        FunctionDef::new(
            "getweakrefs",
            "(object, /)",
            "Return a list of all weak reference objects pointing to 'object'.",
            NativeFn::F1(get_weakrefs),
        ),
        FunctionDef::new(
            "proxy",
            "(object, callback=None, /)",
            "A stand-in for an object that does not keep it alive; the callback is called when it dies.",
            NativeFn::Raw(proxy),
        ),
        FunctionDef::new(
            "_remove_dead_weakref",
            "(dct, key, /)",
            "Atomically remove key from dict if it points to a dead weakref.",
            NativeFn::Args(remove_dead_weakref),
        ),
    ],
    types: &[&REFERENCE, &PROXY, &CALLABLE_PROXY],
    constants: &[],
    init: Some(init),
};

//! What Python sees of functions written in Rust and of bound methods: names, signatures, text, comparison.

use pellucid_object::native::{
    BoundMethod, Builtin, FunctionDef as Def, GetSet, Member, MethodDescriptor, Module, Place,
};
use pellucid_object::protocol::identity_hash;
use pellucid_object::slots::SlotWrapper;
use pellucid_object::{
    CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, Type, TypeDef, TypeFlags,
    Value, payload,
};

fn or_none(value: Option<Value>) -> Res {
    Ok(value.unwrap_or(Value::NONE))
}

fn wrong(vm: &Interpreter) -> pellucid_object::Raised {
    vm.type_error("a function of another kind was expected".to_string())
}

fn text_or_none(vm: &Interpreter, text: &str) -> Res {
    if text.is_empty() { Ok(Value::NONE) } else { vm.new_str(text) }
}

fn qualname_of(vm: &Interpreter, ty: &Ref<Type>) -> String {
    ty.qualname.get().map_or_else(|| ty.name().to_string(), |q| vm.str_lossy(&q))
}

// ---- builtin_function_or_method ----

fn builtin<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Builtin> {
    value.downcast::<Builtin>().ok_or_else(|| wrong(vm))
}

/// What `__self__` shows: the object, class or module.
fn builtin_self(vm: &Interpreter, value: &Value) -> Res {
    or_none(builtin(vm, value)?.this.get())
}

fn builtin_qualname(vm: &Interpreter, value: &Value) -> Res {
    let b = builtin(vm, value)?;
    let name = b.def.name;
    match b.this.get() {
        None => vm.new_str(name),
        Some(this) if this.downcast::<Module>().is_some() => vm.new_str(name),
        Some(this) => {
            let owner = match this.downcast_ref::<Type>() {
                Some(ty) => ty,
                None => vm.type_of(&this),
            };
            vm.new_str(&format!("{}.{name}", qualname_of(vm, &owner)))
        }
    }
}

fn builtin_repr(vm: &Interpreter, value: &Value) -> Res {
    let b = builtin(vm, value)?;
    let name = b.def.name;
    match b.this.get() {
        Some(this) if this.downcast::<Module>().is_none() => {
            let (ty, at) = (vm.type_name(&this), this.bits());
            vm.new_str(&format!("<built-in method {name} of {ty} object at {at:#x}>"))
        }
        _ => vm.new_str(&format!("<built-in function {name}>")),
    }
}

fn builtin_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Builtin>(), b.downcast::<Builtin>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = std::ptr::eq(x.def, y.def)
        && match (x.this.get(), y.this.get()) {
            (Some(a), Some(b)) => a.is(&b),
            (None, None) => true,
            _ => false,
        };
    equality(vm, op, same)
}

fn equality(_: &Interpreter, op: CmpOp, same: bool) -> Res {
    match op {
        CmpOp::Eq => Ok(Value::bool(same)),
        CmpOp::Ne => Ok(Value::bool(!same)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn builtin_hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let b = builtin(vm, value)?;
    let this = b.this.get().map_or(0, |this| identity_hash(&this));
    Ok((this ^ (b.def as *const Def as i64 >> 4)).max(0))
}

/// A method pickles as `getattr(self, name)`, a function by its name.
fn builtin_reduce(vm: &Interpreter, value: &Value) -> Res {
    let b = builtin(vm, value)?;
    let name = vm.new_str(b.def.name)?;
    match b.this.get() {
        Some(this) if this.downcast::<Module>().is_none() => {
            let getattr = crate::builtins::named(vm, "getattr")?;
            vm.new_tuple(vec![getattr, vm.new_tuple(vec![this, name])?])
        }
        _ => Ok(name),
    }
}

pub static BUILTIN_FUNCTION: TypeDef = TypeDef {
    name: "builtin_function_or_method",
    module: "builtins",
    base: None,
    payload: payload::<Builtin>(),
    flags: TypeFlags::WEAKREF,
    doc: "",
    slots: &[Slot::Repr(builtin_repr), Slot::Compare(builtin_compare), Slot::Hash(builtin_hash)],
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(builtin_reduce))],
    getset: &[
        GetSetDef { name: "__name__", doc: "", get: |vm, v| vm.intern(builtin(vm, v)?.def.name), set: None },
        GetSetDef { name: "__qualname__", doc: "", get: builtin_qualname, set: None },
        GetSetDef { name: "__self__", doc: "", get: builtin_self, set: None },
        GetSetDef {
            name: "__module__",
            doc: "",
            get: |vm, v| or_none(builtin(vm, v)?.module.get()),
            set: Some(|vm, v, new| {
                builtin(vm, v)?.module.set(new.cloned());
                Ok(())
            }),
        },
        GetSetDef {
            name: "__doc__",
            doc: "",
            get: |vm, v| text_or_none(vm, builtin(vm, v)?.def.doc),
            set: None,
        },
        GetSetDef {
            name: "__text_signature__",
            doc: "",
            get: |vm, v| text_or_none(vm, builtin(vm, v)?.def.sig),
            set: None,
        },
    ],
};

// ---- descriptors ----

/// What all descriptors tell of themselves.
struct Facts {
    name: String,
    owner: Ref<Type>,
    doc: &'static str,
    signature: &'static str,
}

fn facts(vm: &Interpreter, value: &Value) -> Res<Facts> {
    let make = |name: &str, owner: &Ref<Type>, doc, signature| Facts {
        name: name.to_string(),
        owner: owner.clone(),
        doc,
        signature,
    };
    if let Some(d) = value.downcast::<MethodDescriptor>() {
        return Ok(make(d.def.name, &d.owner, d.def.doc, d.def.sig));
    }
    if let Some(d) = value.downcast::<SlotWrapper>() {
        return Ok(make(d.dunder.name, &d.owner, d.dunder.doc, d.dunder.sig));
    }
    if let Some(d) = value.downcast::<GetSet>() {
        return Ok(make(d.def.name, &d.owner, d.def.doc, ""));
    }
    if let Some(d) = value.downcast::<Member>() {
        let doc = match d.place {
            Place::Slot(_) => "",
            Place::Field(def) => def.doc,
        };
        return Ok(make(&vm.str_lossy(&d.name), &d.owner, doc, ""));
    }
    Err(wrong(vm))
}

fn descriptor_repr(vm: &Interpreter, value: &Value) -> Res {
    let Facts { name, owner, .. } = facts(vm, value)?;
    let owner = owner.message_name();
    vm.new_str(&match () {
        () if value.downcast::<SlotWrapper>().is_some() => {
            format!("<slot wrapper '{name}' of '{owner}' objects>")
        }
        () if value.downcast::<GetSet>().is_some() => format!("<attribute '{name}' of '{owner}' objects>"),
        () if value.downcast::<Member>().is_some() => format!("<member '{name}' of '{owner}' objects>"),
        () => format!("<method '{name}' of '{owner}' objects>"),
    })
}

fn descriptor_qualname(vm: &Interpreter, value: &Value) -> Res {
    let Facts { name, owner, .. } = facts(vm, value)?;
    vm.new_str(&format!("{}.{name}", qualname_of(vm, &owner)))
}

fn descriptor_reduce(vm: &Interpreter, value: &Value) -> Res {
    let Facts { name, owner, .. } = facts(vm, value)?;
    let getattr = crate::builtins::named(vm, "getattr")?;
    let args = vm.new_tuple(vec![owner.into_value(), vm.new_str(&name)?])?;
    vm.new_tuple(vec![getattr, args])
}

/// A class method descriptor is called with its class.
fn call_classmethod(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res {
    let Some(d) = value.downcast::<MethodDescriptor>() else { return Err(wrong(vm)) };
    let (name, owner) = (d.def.name, d.owner.name());
    let Some((cls, _)) = call.positional().split_first() else {
        return Err(vm.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument")));
    };
    let bound = vm.bind_descriptor(value, cls, cls)?;
    vm.call(&bound, &CallArgs { values: &call.values[1..], names: call.names })
}

const OBJCLASS: GetSetDef =
    GetSetDef { name: "__objclass__", doc: "", get: |vm, v| Ok(facts(vm, v)?.owner.into_value()), set: None };
const NAME: GetSetDef =
    GetSetDef { name: "__name__", doc: "", get: |vm, v| vm.intern(&facts(vm, v)?.name), set: None };
const QUALNAME: GetSetDef = GetSetDef { name: "__qualname__", doc: "", get: descriptor_qualname, set: None };
const DOC: GetSetDef =
    GetSetDef { name: "__doc__", doc: "", get: |vm, v| text_or_none(vm, facts(vm, v)?.doc), set: None };
const SIGNATURE: GetSetDef = GetSetDef {
    name: "__text_signature__",
    doc: "",
    get: |vm, v| text_or_none(vm, facts(vm, v)?.signature),
    set: None,
};
const REDUCE: FunctionDef = FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(descriptor_reduce));

pub static METHOD_DESCRIPTOR: TypeDef = TypeDef {
    name: "method_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<MethodDescriptor>(),
    flags: TypeFlags::METHOD_DESCRIPTOR,
    doc: "",
    slots: &[Slot::Repr(descriptor_repr)],
    methods: &[REDUCE],
    getset: &[OBJCLASS, NAME, QUALNAME, DOC, SIGNATURE],
};

pub static CLASSMETHOD_DESCRIPTOR: TypeDef = TypeDef {
    name: "classmethod_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<MethodDescriptor>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Repr(descriptor_repr), Slot::Call(call_classmethod)],
    methods: &[],
    getset: &[OBJCLASS, NAME, QUALNAME, DOC, SIGNATURE],
};

pub static WRAPPER_DESCRIPTOR: TypeDef = TypeDef {
    name: "wrapper_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<SlotWrapper>(),
    flags: TypeFlags::METHOD_DESCRIPTOR,
    doc: "",
    slots: &[Slot::Repr(descriptor_repr)],
    methods: &[REDUCE],
    getset: &[OBJCLASS, NAME, QUALNAME, DOC, SIGNATURE],
};

pub static GETSET_DESCRIPTOR: TypeDef = TypeDef {
    name: "getset_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<GetSet>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Repr(descriptor_repr)],
    methods: &[],
    getset: &[OBJCLASS, NAME, QUALNAME, DOC],
};

pub static MEMBER_DESCRIPTOR: TypeDef = TypeDef {
    name: "member_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<Member>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Repr(descriptor_repr)],
    methods: &[REDUCE],
    getset: &[OBJCLASS, NAME, QUALNAME, DOC],
};

// ---- method and method-wrapper ----

fn parts(vm: &Interpreter, value: &Value) -> Res<(Value, Value)> {
    let parts = value.downcast::<BoundMethod>().and_then(|m| Some((m.function.get()?, m.this.get()?)));
    parts.ok_or_else(|| wrong(vm))
}

fn method_new(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("method() takes no keyword arguments".to_string()));
    }
    let [function, this] = call.positional() else {
        let n = call.positional().len();
        return Err(vm.type_error(format!("method expected 2 arguments, got {n}")));
    };
    if !crate::builtins::callable_value(vm, function) {
        return Err(vm.type_error("first argument must be callable".to_string()));
    }
    if this.is_none() {
        return Err(vm.type_error("instance must not be None".to_string()));
    }
    vm.new_bound_method(function.clone(), this.clone())
}

/// An attribute that the method does not have is the function's.
fn method_getattr(vm: &Interpreter, value: &Value, name: &Value) -> Res {
    let name = vm.intern_value(name)?;
    if let Some(descr) = vm.type_of_ref(value).lookup(vm, &name) {
        return vm.bind_descriptor(&descr, value, vm.type_of_ref(value).value());
    }
    vm.get_attr(&parts(vm, value)?.0, &name)
}

fn method_repr(vm: &Interpreter, value: &Value) -> Res {
    let (function, this) = parts(vm, value)?;
    let mut name = vm.get_attr_opt(&function, "__qualname__")?;
    if name.is_none() {
        name = vm.get_attr_opt(&function, "__name__")?;
    }
    let name = name.filter(|n| n.downcast::<pellucid_object::Str>().is_some());
    let name = name.map_or_else(|| "?".to_string(), |n| vm.str_lossy(&n));
    vm.new_str(&format!("<bound method {name} of {}>", vm.repr_lossy(&this)?))
}

fn method_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    if a.downcast::<BoundMethod>().is_none()
        || !vm.type_of_ref(a).value().is(vm.type_of_ref(b).value())
        || !matches!(op, CmpOp::Eq | CmpOp::Ne)
    {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let ((f, x), (g, y)) = (parts(vm, a)?, parts(vm, b)?);
    let same = x.is(&y) && vm.keys_equal(&f, &g)?;
    equality(vm, op, same)
}

fn method_hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let (function, this) = parts(vm, value)?;
    Ok(identity_hash(&this) ^ vm.hash(&function)?)
}

fn method_get(_: &Interpreter, value: &Value, _: Option<&Value>, _: &Value) -> Res {
    Ok(value.clone())
}

fn method_reduce(vm: &Interpreter, value: &Value) -> Res {
    let (function, this) = parts(vm, value)?;
    let name = vm.get_attr_str(&function, "__name__")?;
    let getattr = crate::builtins::named(vm, "getattr")?;
    vm.new_tuple(vec![getattr, vm.new_tuple(vec![this, name])?])
}

pub static METHOD: TypeDef = TypeDef {
    name: "method",
    module: "builtins",
    base: None,
    payload: payload::<BoundMethod>(),
    flags: TypeFlags::WEAKREF,
    doc: "method(function, instance, /)\n--\n\nCreate a bound instance method object.",
    slots: &[
        Slot::New(method_new),
        Slot::GetAttr(method_getattr),
        Slot::Repr(method_repr),
        Slot::Compare(method_compare),
        Slot::Hash(method_hash),
        Slot::DescrGet(method_get),
    ],
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(method_reduce))],
    getset: &[
        GetSetDef::member("__func__", "the function (or other callable) implementing a method", |vm, v| {
            Ok(parts(vm, v)?.0)
        }),
        GetSetDef::member("__self__", "the instance to which a method is bound", |vm, v| Ok(parts(vm, v)?.1)),
        GetSetDef {
            name: "__doc__",
            doc: "",
            get: |vm, v| or_none(vm.get_attr_opt(&parts(vm, v)?.0, "__doc__")?),
            set: None,
        },
    ],
};

/// The facts of the slot wrapper inside a method-wrapper.
fn wrapper_facts(vm: &Interpreter, value: &Value) -> Res<Facts> {
    facts(vm, &parts(vm, value)?.0)
}

fn wrapper_repr(vm: &Interpreter, value: &Value) -> Res {
    let this = parts(vm, value)?.1;
    let name = wrapper_facts(vm, value)?.name;
    let (ty, at) = (vm.type_name(&this), this.bits());
    vm.new_str(&format!("<method-wrapper '{name}' of {ty} object at {at:#x}>"))
}

pub static METHOD_WRAPPER: TypeDef = TypeDef {
    name: "method-wrapper",
    module: "builtins",
    base: None,
    payload: payload::<BoundMethod>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Repr(wrapper_repr), Slot::Compare(method_compare), Slot::Hash(method_hash)],
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(method_reduce))],
    getset: &[
        GetSetDef::member("__self__", "", |vm, v| Ok(parts(vm, v)?.1)),
        GetSetDef {
            name: "__objclass__",
            doc: "",
            get: |vm, v| Ok(wrapper_facts(vm, v)?.owner.into_value()),
            set: None,
        },
        GetSetDef {
            name: "__name__",
            doc: "",
            get: |vm, v| vm.intern(&wrapper_facts(vm, v)?.name),
            set: None,
        },
        GetSetDef {
            name: "__qualname__",
            doc: "",
            get: |vm, v| descriptor_qualname(vm, &parts(vm, v)?.0),
            set: None,
        },
        GetSetDef {
            name: "__doc__",
            doc: "",
            get: |vm, v| text_or_none(vm, wrapper_facts(vm, v)?.doc),
            set: None,
        },
        GetSetDef {
            name: "__text_signature__",
            doc: "",
            get: |vm, v| text_or_none(vm, wrapper_facts(vm, v)?.signature),
            set: None,
        },
    ],
};

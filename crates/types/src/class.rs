//! `type` and `object`: making classes, and what can be asked of classes and plain objects.

use pellucid_object::{
    Args, BinOp, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, Str, Type,
    TypeDef, TypeFlags, Value, interpreter::Plain, payload,
};

fn class(vm: &Interpreter, value: &Value) -> Res<Ref<Type>> {
    match value.downcast_ref::<Type>() {
        Some(ty) => Ok(ty),
        None => Err(vm.type_error(format!("expected a type, got '{}'", vm.type_name(value)))),
    }
}

/// `type(object)` and `type(name, bases, namespace, **keywords)`.
fn new(vm: &Interpreter, meta: &Value, call: &CallArgs) -> Res {
    match call.positional() {
        [object] if meta.is(vm.types().type_.value()) && call.names.is_empty() => {
            Ok(vm.type_of(object).into_value())
        }
        [name, bases, namespace] => {
            let expect = |ok: bool, index: usize, want: &str, got: &Value| {
                if ok {
                    return Ok(());
                }
                let got = vm.type_name(got);
                Err(vm.type_error(format!("type.__new__() argument {index} must be {want}, not {got}")))
            };
            expect(name.downcast::<Str>().is_some(), 1, "str", name)?;
            expect(bases.downcast::<pellucid_object::Tuple>().is_some(), 2, "tuple", bases)?;
            expect(namespace.downcast::<Dict>().is_some(), 3, "dict", namespace)?;
            let (Some(namespace), bases) = (namespace.downcast_ref::<Dict>(), vm.collect(bases)?) else {
                return Err(vm.bug("checked above"));
            };
            let keywords: Vec<(Value, Value)> =
                call.keywords().map(|(k, v)| (k.clone(), v.clone())).collect();
            vm.new_class(meta, &vm.str_lossy(name), bases, &namespace, &keywords)
        }
        _ if meta.is(vm.types().type_.value()) => {
            Err(vm.type_error("type() takes 1 or 3 arguments".to_string()))
        }
        given => {
            Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({} given)", given.len())))
        }
    }
}

fn init(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res<()> {
    match call.positional().len() {
        1 if !call.names.is_empty() => {
            Err(vm.type_error("type.__init__() takes no keyword arguments".to_string()))
        }
        1 | 3 => Ok(()),
        _ => Err(vm.type_error("type.__init__() takes 1 or 3 arguments".to_string())),
    }
}

fn module_of(vm: &Interpreter, ty: &Type) -> Res<String> {
    let module = ty.lookup(vm, &vm.intern("__module__")?);
    Ok(module
        .filter(|m| m.downcast::<Str>().is_some())
        .map_or_else(|| "builtins".to_string(), |m| vm.str_lossy(&m)))
}

fn qualname(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    match ty.qualname.get() {
        Some(name) => Ok(name),
        None => vm.new_str(&ty.name()),
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let module = module_of(vm, &*class(vm, this)?)?;
    let name = vm.str_lossy(&qualname(vm, this)?);
    vm.new_str(&if module == "builtins" {
        format!("<class '{name}'>")
    } else {
        format!("<class '{module}.{name}'>")
    })
}

/// Refuses to change what builtin types are called.
fn check_settable(vm: &Interpreter, ty: &Type, what: &str, value: Option<&Value>) -> Res<()> {
    if !ty.flags.get().contains(TypeFlags::MUTABLE) {
        let name = ty.name();
        return Err(vm.type_error(format!("cannot set '{what}' attribute of immutable type '{name}'")));
    }
    match value {
        Some(_) => Ok(()),
        None => Err(vm.type_error(format!("cannot delete '{what}' attribute of type '{}'", ty.name()))),
    }
}

fn set_text(vm: &Interpreter, this: &Value, what: &str, value: Option<&Value>) -> Res<Option<Value>> {
    let ty = class(vm, this)?;
    check_settable(vm, &ty, what, value)?;
    match value {
        Some(value) if value.downcast::<Str>().is_none() => {
            let (name, got) = (ty.name(), vm.type_name(value));
            Err(vm.type_error(format!("can only assign string to {name}.{what}, not '{got}'")))
        }
        value => Ok(value.cloned()),
    }
}

fn set_name(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    if let Some(name) = set_text(vm, this, "__name__", value)? {
        let text = vm.str_lossy(&name);
        if text.contains('\0') {
            return Err(vm.value_error("type name must not contain null characters".to_string()));
        }
        class(vm, this)?.set_name(&text);
    }
    Ok(())
}

fn set_qualname(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let name = set_text(vm, this, "__qualname__", value)?;
    class(vm, this)?.qualname.set(name);
    Ok(())
}

fn set_module(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    check_settable(vm, &ty, "__module__", value)?;
    ty.modified();
    match (ty.namespace(), value) {
        (Some(dict), Some(value)) => dict.set(vm, vm.intern("__module__")?, value.clone()),
        _ => Err(vm.bug("type without a dict")),
    }
}

fn subclasses(vm: &Interpreter, this: &Value) -> Res {
    vm.new_list(class(vm, this)?.subclasses())
}

fn mro(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    let bases = ty.bases.get().map_or(Ok(Vec::new()), |b| vm.collect(&b))?;
    vm.new_list(vm.compute_mro(this, &bases)?)
}

fn instance_check(vm: &Interpreter, this: &Value, object: &Value) -> Res {
    let ty = class(vm, this)?;
    if vm.is_instance(object, &ty) {
        return Ok(Value::TRUE);
    }
    // A proxy may say that it is of another class.
    let claimed = vm.get_attr_opt(object, "__class__")?;
    Ok(Value::bool(claimed.and_then(|c| c.downcast_ref::<Type>()).is_some_and(|c| c.is_subtype_of(&ty))))
}

fn subclass_check(vm: &Interpreter, this: &Value, other: &Value) -> Res {
    let ty = class(vm, this)?;
    match other.downcast::<Type>() {
        Some(other) => Ok(Value::bool(other.is_subtype_of(&ty))),
        None => Err(vm.type_error("issubclass() arg 1 must be a class".to_string())),
    }
}

fn prepare(vm: &Interpreter, _: &Args) -> Res {
    Ok(vm.new_dict()?.into_value())
}

pub static TYPE: TypeDef = TypeDef {
    name: "type",
    module: "builtins",
    base: None,
    payload: payload::<Type>(),
    flags: TypeFlags::BASETYPE,
    doc: "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr), Slot::Binary(BinOp::Or, crate::union::or)],
    methods: &[
        FunctionDef::new("mro", "($self, /)", "Return a type's method resolution order.", NativeFn::F1(mro)),
        FunctionDef::new(
            "__subclasses__",
            "($self, /)",
            "Return a list of immediate subclasses.",
            NativeFn::F1(subclasses),
        ),
        FunctionDef::new(
            "__instancecheck__",
            "($self, instance, /)",
            "Check if an object is an instance.",
            NativeFn::F2(instance_check),
        ),
        FunctionDef::new(
            "__subclasscheck__",
            "($self, subclass, /)",
            "Check if a class is a subclass.",
            NativeFn::F2(subclass_check),
        ),
        FunctionDef::class(
            "__prepare__",
            "($cls, /, *args, **kwds)",
            "Create the namespace for the class statement",
            NativeFn::Args(prepare),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "__name__",
            doc: "",
            get: |vm, this| vm.new_str(&class(vm, this)?.name()),
            set: Some(set_name),
        },
        GetSetDef { name: "__qualname__", doc: "", get: qualname, set: Some(set_qualname) },
        GetSetDef {
            name: "__module__",
            doc: "",
            get: |vm, this| match class(vm, this)?.lookup(vm, &vm.intern("__module__")?) {
                Some(module) if module.downcast::<Str>().is_some() => Ok(module),
                _ => vm.new_str("builtins"),
            },
            set: Some(set_module),
        },
        GetSetDef {
            name: "__bases__",
            doc: "",
            get: |vm, this| match class(vm, this)?.bases.get() {
                Some(bases) => Ok(bases),
                None => vm.new_tuple(Vec::new()),
            },
            set: None,
        },
        GetSetDef {
            name: "__base__",
            doc: "",
            get: |vm, this| Ok(class(vm, this)?.base.get().unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef {
            name: "__mro__",
            doc: "",
            get: |vm, this| vm.new_tuple(class(vm, this)?.mro().to_vec()),
            set: None,
        },
    ],
};

fn get_class(vm: &Interpreter, this: &Value) -> Res {
    Ok(vm.type_of(this).into_value())
}

fn format(vm: &Interpreter, this: &Value, spec: &Value) -> Res {
    let text = vm.expect_str(spec)?;
    if text.is_empty() {
        return vm.str(this);
    }
    Err(vm.type_error(format!("unsupported format string passed to {}.__format__", vm.type_name(this))))
}

/// Names of the instance, of its class and of the bases; `dir()` sorts them.
fn dir(vm: &Interpreter, this: &Value) -> Res {
    let names = vm.new_dict()?;
    if let Some(own) = vm.attrs_dict(this)? {
        own.keys().into_iter().try_for_each(|name| names.set(vm, name, Value::NONE))?;
    }
    for ty in vm.type_of(this).mro().iter().filter_map(|t| t.downcast::<Type>()) {
        let Some(namespace) = ty.namespace() else { continue };
        namespace.keys().into_iter().try_for_each(|name| names.set(vm, name, Value::NONE))?;
    }
    vm.new_list(names.keys())
}

pub static OBJECT: TypeDef = TypeDef {
    name: "object",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::BASETYPE,
    doc: "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\n\
          instance that has no instance attributes and cannot be given any.\n",
    slots: &[],
    methods: &[
        FunctionDef::class(
            "__init_subclass__",
            "($cls, /)",
            "This method is called when a class is subclassed.",
            NativeFn::F1(|_, _| Ok(Value::NONE)),
        ),
        FunctionDef::class(
            "__subclasshook__",
            "($cls, object, /)",
            "Abstract classes can override this to customize issubclass().",
            NativeFn::F2(|_, _, _| Ok(Value::NOT_IMPLEMENTED)),
        ),
        FunctionDef::new(
            "__format__",
            "($self, format_spec, /)",
            "Default object formatter.",
            NativeFn::F2(format),
        ),
        FunctionDef::new("__dir__", "($self, /)", "Default dir() implementation.", NativeFn::F1(dir)),
    ],
    getset: &[GetSetDef { name: "__class__", doc: "the object's class", get: get_class, set: None }],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter() -> Box<Interpreter> {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("install");
        vm
    }

    fn make(vm: &Interpreter, args: &[Value]) -> Res {
        vm.call_values(vm.types().type_.value(), args)
    }

    #[test]
    fn classes_can_be_made_and_asked() {
        let vm = interpreter();
        let empty = vm.new_tuple(Vec::new()).expect("tuple");
        let namespace = || vm.new_dict().expect("dict").into_value();
        let a = make(&vm, &[vm.new_str("A").expect("str"), empty, namespace()]).expect("A");
        let bases = vm.new_tuple(vec![a.clone()]).expect("tuple");
        let b = make(&vm, &[vm.new_str("B").expect("str"), bases, namespace()]).expect("B");
        let object = vm.call_values(&b, &[]).expect("an instance");
        assert!(vm.get_attr_str(&object, "__class__").expect("class").is(&b));
        assert!(
            vm.call_attr(&a, "__instancecheck__", std::slice::from_ref(&object)).expect("check").is_true()
        );
        assert!(vm.call_attr(&b, "__subclasscheck__", std::slice::from_ref(&a)).is_ok_and(|v| !v.is_true()));
        let names = vm.call_attr(&b, "mro", &[]).and_then(|mro| vm.collect(&mro)).expect("mro");
        let names: Vec<String> = names.iter().map(|t| vm.repr_lossy(t).expect("repr")).collect();
        assert_eq!(names, ["<class 'B'>", "<class 'A'>", "<class 'object'>"]);
        vm.set_attr_str(&a, "__module__", vm.new_str("m").expect("str")).expect("set");
        assert_eq!(vm.repr_lossy(&b).expect("repr"), "<class 'm.B'>");
    }

    #[test]
    fn wrong_calls_are_refused_in_cpythons_words() {
        let vm = interpreter();
        let one = vm.new_int(1).expect("int");
        let text = vm.new_str("A").expect("str");
        let message = |result: Res| {
            let error = vm.take_raised(result.expect_err("refused"));
            vm.str_lossy(&vm.str(&error).expect("str"))
        };
        let dict = vm.new_dict().expect("dict").into_value();
        let empty = vm.new_tuple(Vec::new()).expect("tuple");
        assert_eq!(message(make(&vm, &[])), "type() takes 1 or 3 arguments");
        assert_eq!(
            message(make(&vm, &[one.clone(), empty.clone(), dict.clone()])),
            "type.__new__() argument 1 must be str, not int"
        );
        assert_eq!(
            message(make(&vm, &[text.clone(), one.clone(), dict.clone()])),
            "type.__new__() argument 2 must be tuple, not int"
        );
        let a = make(&vm, &[text, empty, dict]).expect("A");
        assert_eq!(message(vm.call_values(&a, std::slice::from_ref(&one))), "A() takes no arguments");
        let set = vm.set_attr_str(vm.types().dict.value(), "x", one).map(|()| Value::NONE);
        assert_eq!(message(set), "cannot set 'x' attribute of immutable type 'dict'");
    }
}

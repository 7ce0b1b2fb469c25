//! `object`: what every object can be asked, and how plain objects are pickled.

use pellucid_object::{
    CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, List, NativeFn, Ref, Res, Str, Tuple, Type, TypeDef,
    TypeFlags, Value, interpreter::Plain, payload,
};

fn get_class(vm: &Interpreter, this: &Value) -> Res {
    Ok(vm.type_of(this).into_value())
}

/// `object.__class__ = cls`.
fn set_class(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let Some(value) = value else {
        return Err(vm.type_error("can't delete __class__ attribute".to_string()));
    };
    let Some(fresh) = value.downcast_ref::<Type>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("__class__ must be set to a class, not '{got}' object")));
    };
    let old = vm.type_of(this);
    let mutable = |ty: &Ref<Type>| ty.flags.get().contains(TypeFlags::MUTABLE);
    let module = &vm.types().module;
    let modules = old.is_subtype_of(module) && fresh.is_subtype_of(module);
    let both_mutable = mutable(&old) && mutable(&fresh);
    if !modules && !both_mutable {
        let what = "__class__ assignment only supported for mutable types or ModuleType subclasses";
        return Err(vm.type_error(what.to_string()));
    }
    if !vm.set_class(this, &fresh) {
        let (new, old) = (fresh.name(), old.name());
        return Err(
            vm.type_error(format!("__class__ assignment: '{new}' object layout differs from '{old}'"))
        );
    }
    Ok(())
}

fn format(vm: &Interpreter, this: &Value, spec: &Value) -> Res {
    let Some(text) = spec.downcast::<Str>() else {
        let got = vm.type_name(spec);
        return Err(vm.type_error(format!("__format__() argument must be str, not {got}")));
    };
    if text.text.is_empty() {
        return vm.str(this);
    }
    Err(vm.type_error(format!("unsupported format string passed to {}.__format__", vm.type_name(this))))
}

/// Adds the names in the namespaces of a class and its bases.
pub fn add_class_names(vm: &Interpreter, names: &Dict, cls: &Value) -> Res<()> {
    if let Some(dict) = vm.get_attr_opt(cls, "__dict__")? {
        for key in vm.collect(&dict)? {
            names.set(vm, key, Value::NONE)?;
        }
    }
    if let Some(bases) = vm.get_attr_opt(cls, "__bases__")?
        && let Some(bases) = bases.downcast::<Tuple>()
    {
        for base in bases.items() {
            vm.nested(" while listing attributes", || add_class_names(vm, names, &base))?;
        }
    }
    Ok(())
}

/// Names of the instance, of its class and of the bases; `dir()` sorts them.
fn dir(vm: &Interpreter, this: &Value) -> Res {
    let names = vm.new_dict()?;
    if let Some(own) = vm.get_attr_opt(this, "__dict__")?
        && own.downcast::<Dict>().is_some()
    {
        vm.collect(&own)?.into_iter().try_for_each(|name| names.set(vm, name, Value::NONE))?;
    }
    if let Some(cls) = vm.get_attr_opt(this, "__class__")? {
        add_class_names(vm, &names, &cls)?;
    }
    vm.new_list(names.keys())
}

fn size_of(vm: &Interpreter, this: &Value) -> Res {
    vm.new_int(vm.type_of(this).object_size() as i64)
}

// ---- pickling ----

/// Names of the `__slots__` of a class and its bases, as `copyreg` remembers them.
fn slot_names(vm: &Interpreter, this: &Value) -> Res<Vec<Value>> {
    let ty = vm.type_of(this);
    let key = vm.intern_static("__slotnames__")?;
    let names = match ty.namespace().and_then(|ns| ns.get_interned(vm, &key)) {
        Some(names) => names,
        None if ty.slot_count.get() == 0 => return Ok(Vec::new()),
        None => {
            let copyreg = vm.import("copyreg")?;
            vm.call_attr(&copyreg, "_slotnames", std::slice::from_ref(ty.value()))?
        }
    };
    if names.is_none() {
        return Ok(Vec::new());
    }
    match names.downcast::<List>() {
        Some(list) => Ok(list.items()),
        None => Err(vm.type_error("copyreg._slotnames didn't return a list or None".to_string())),
    }
}

/// What `object.__getstate__` gives: the `__dict__`, or that and the slots, or `None`.
pub fn instance_state(vm: &Interpreter, this: &Value) -> Res {
    let dict = match vm.get_attr_opt(this, "__dict__")? {
        Some(dict) if dict.downcast::<Dict>().is_some_and(|d| d.is_empty()) => Value::NONE,
        Some(dict) => dict,
        None => Value::NONE,
    };
    let slots = vm.new_dict()?;
    for name in slot_names(vm, this)? {
        match vm.get_attr(this, &name) {
            Ok(value) => slots.set(vm, name, value)?,
            Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => drop(vm.take_raised(raised)),
            Err(raised) => return Err(raised),
        }
    }
    if slots.is_empty() { Ok(dict) } else { vm.new_tuple(vec![dict, slots.into_value()]) }
}

/// `__getstate__`, or the default one, which refuses objects whose contents Python cannot see.
pub(crate) fn state(vm: &Interpreter, this: &Value, all_visible: bool) -> Res {
    let method = vm.lookup_special(this, "__getstate__")?;
    let default = vm.types().object.lookup(vm, &vm.intern_static("__getstate__")?);
    let own = vm.attrs_get(this, &vm.intern_static("__getstate__")?)?;
    if own.is_some() || !matches!((&method, &default), (Some(a), Some(b)) if a.is(b)) {
        return vm.call_attr(this, "__getstate__", &[]);
    }
    let plain = this.downcast::<Plain>().is_some();
    if all_visible && !plain {
        return Err(vm.type_error(format!("cannot pickle '{}' object", vm.type_name(this))));
    }
    instance_state(vm, this)
}

/// The arguments for `__new__` that an object asks for: (args, kwargs).
fn new_arguments(vm: &Interpreter, this: &Value) -> Res<(Option<Value>, Option<Value>)> {
    if let Some(method) = vm.lookup_special(this, "__getnewargs_ex__")? {
        let both = vm.call_descriptor(&method, this, &[])?;
        let Some(pair) = both.downcast::<Tuple>() else {
            let got = vm.type_name(&both);
            return Err(vm.type_error(format!("__getnewargs_ex__ should return a tuple, not '{got}'")));
        };
        let (Some(args), Some(kwargs), 2) = (pair.get(0), pair.get(1), pair.len()) else {
            let n = pair.len();
            return Err(
                vm.value_error(format!("__getnewargs_ex__ should return a tuple of length 2, not {n}"))
            );
        };
        if args.downcast::<Tuple>().is_none() {
            let got = vm.type_name(&args);
            return Err(vm.type_error(format!(
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{got}'"
            )));
        }
        if kwargs.downcast::<Dict>().is_none() {
            let got = vm.type_name(&kwargs);
            return Err(vm.type_error(format!(
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{got}'"
            )));
        }
        return Ok((Some(args), Some(kwargs)));
    }
    let Some(method) = vm.lookup_special(this, "__getnewargs__")? else { return Ok((None, None)) };
    let args = vm.call_descriptor(&method, this, &[])?;
    if args.downcast::<Tuple>().is_none() {
        let got = vm.type_name(&args);
        return Err(vm.type_error(format!("__getnewargs__ should return a tuple, not '{got}'")));
    }
    Ok((Some(args), None))
}

/// What protocols 2 and up store: a call of `__new__`, the state, list items, dict items.
fn reduce_new(vm: &Interpreter, this: &Value) -> Res {
    let cls = vm.type_of(this);
    if cls.slots.new.get().is_none() || cls.flags.get().contains(TypeFlags::NO_NEW) {
        return Err(vm.type_error(format!("cannot pickle '{}' object", vm.type_name(this))));
    }
    let (args, kwargs) = new_arguments(vm, this)?;
    let has_args = args.is_some();
    let copyreg = vm.import("copyreg")?;
    let kwargs = kwargs.filter(|k| k.downcast::<Dict>().is_some_and(|d| !d.is_empty()));
    let (function, arguments) = match (kwargs, args) {
        (Some(kwargs), Some(args)) => {
            let function = vm.get_attr_str(&copyreg, "__newobj_ex__")?;
            (function, vm.new_tuple(vec![cls.value().clone(), args, kwargs])?)
        }
        (_, args) => {
            let function = vm.get_attr_str(&copyreg, "__newobj__")?;
            let mut items = vec![cls.value().clone()];
            if let Some(args) = args {
                items.extend(vm.collect(&args)?);
            }
            (function, vm.new_tuple(items)?)
        }
    };
    let (list, dict) = (this.downcast::<List>().is_some(), this.downcast::<Dict>().is_some());
    let state = state(vm, this, !(has_args || list || dict))?;
    let list_items = if list { vm.iter(this)? } else { Value::NONE };
    let dict_items = if dict {
        let items = vm.call_attr(this, "items", &[])?;
        vm.iter(&items)?
    } else {
        Value::NONE
    };
    vm.new_tuple(vec![function, arguments, state, list_items, dict_items])
}

fn reduce_by_protocol(vm: &Interpreter, this: &Value, protocol: i64) -> Res {
    if protocol >= 2 {
        return reduce_new(vm, this);
    }
    let copyreg = vm.import("copyreg")?;
    let protocol = vm.new_int(protocol)?;
    vm.call_attr(&copyreg, "_reduce_ex", &[this.clone(), protocol])
}

fn reduce(vm: &Interpreter, this: &Value) -> Res {
    reduce_by_protocol(vm, this, 0)
}

fn reduce_ex(vm: &Interpreter, this: &Value, protocol: &Value) -> Res {
    let protocol = vm.expect_i64(protocol)?;
    let name = vm.intern_static("__reduce__")?;
    if let Some(method) = vm.get_attr_opt(this, "__reduce__")? {
        let cls = vm.get_attr_str(this, "__class__")?;
        let found = vm.get_attr_opt(&cls, "__reduce__")?;
        let default = vm.types().object.lookup(vm, &name);
        let own = vm.attrs_get(this, &name)?.is_some();
        if own || !matches!((&found, &default), (Some(a), Some(b)) if a.is(b)) {
            return vm.call_values(&method, &[]);
        }
    }
    reduce_by_protocol(vm, this, protocol)
}

fn init_subclass(_: &Interpreter, _: &Value) -> Res {
    Ok(Value::NONE)
}

/// What `dir()` of a module shows: what its `__dir__` says, else its names.
pub fn module_dir(vm: &Interpreter, this: &Value) -> Res {
    let dict = match vm.get_attr_str(this, "__dict__")?.downcast_ref::<Dict>() {
        Some(dict) => dict,
        None => return Err(vm.type_error("<module>.__dict__ is not a dictionary".to_string())),
    };
    match dict.get_interned(vm, &vm.intern_static("__dir__")?) {
        Some(function) => vm.call(&function, &CallArgs::new(&[])),
        None => vm.new_list(dict.keys()),
    }
}

/// The methods `__lt__`, ... of `object` are slots; here is the rest.
pub static OBJECT: TypeDef = TypeDef {
    name: "object",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::BASETYPE,
    doc: "object()\n--\n\n\
          The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\n\
          instance that has no instance attributes and cannot be given any.\n",
    slots: &[],
    methods: &[
        FunctionDef::class(
            "__init_subclass__",
            "($cls, /)",
            "This method is called when a class is subclassed.\n\nThe default implementation does nothing. It may be\n\
             overridden to extend subclasses.",
            NativeFn::F1(init_subclass),
        ),
        FunctionDef::class(
            "__subclasshook__",
            "($cls, object, /)",
            "Abstract classes can override this to customize issubclass().\n\nThis is invoked early on by \
             abc.ABCMeta.__subclasscheck__().\nIt should return True, False or NotImplemented.  If it returns\n\
             NotImplemented, the normal algorithm is used.  Otherwise, it\noverrides the normal algorithm (and the outcome \
             is cached).",
            NativeFn::F2(|_, _, _| Ok(Value::NOT_IMPLEMENTED)),
        ),
        FunctionDef::new(
            "__format__",
            "($self, format_spec, /)",
            "Default object formatter.\n\nReturn str(self) if format_spec is empty. Raise TypeError otherwise.",
            NativeFn::F2(format),
        ),
        FunctionDef::new("__dir__", "($self, /)", "Default dir() implementation.", NativeFn::F1(dir)),
        FunctionDef::new(
            "__sizeof__",
            "($self, /)",
            "Size of object in memory, in bytes.",
            NativeFn::F1(size_of),
        ),
        FunctionDef::new("__getstate__", "($self, /)", "Helper for pickle.", NativeFn::F1(instance_state)),
        FunctionDef::new("__reduce__", "($self, /)", "Helper for pickle.", NativeFn::F1(reduce)),
        FunctionDef::new(
            "__reduce_ex__",
            "($self, protocol, /)",
            "Helper for pickle.",
            NativeFn::F2(reduce_ex),
        ),
    ],
    getset: &[GetSetDef {
        name: "__class__",
        doc: "the object's class",
        get: get_class,
        set: Some(set_class),
    }],
};

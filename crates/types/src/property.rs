//! `property`, `staticmethod`, `classmethod`: descriptors that wrap functions.

use crate::generic_alias::CLASS_GETITEM;
use pellucid_object::native::Wrapped;
use pellucid_object::{
    CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, Visitor, args::Signature, payload,
};
use std::cell::Cell;

/// Payload of `property`.
#[derive(Default)]
pub struct Property {
    get: SlotWord,
    set: SlotWord,
    delete: SlotWord,
    doc: SlotWord,
    /// The name it was assigned to in a class.
    name: SlotWord,
    /// The text came from the getter, so another getter brings its own.
    doc_of_getter: Cell<bool>,
}

impl Property {
    /// `fget`.
    pub fn getter(&self) -> Option<Value> {
        self.get.get()
    }
}

impl Payload for Property {
    fn trace(&self, visit: &mut Visitor) {
        for word in [&self.get, &self.set, &self.delete, &self.doc, &self.name] {
            word.trace(visit);
        }
    }
    fn clear(&self) {
        for word in [&self.get, &self.set, &self.delete, &self.doc, &self.name] {
            word.set(None);
        }
    }
}

fn property<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Property> {
    this.downcast::<Property>().ok_or_else(|| vm.type_error("expected a property".to_string()))
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Property::default())
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let signature = Signature::parse("(fget=None, fset=None, fdel=None, doc=None)");
    let args = signature.bind(vm, "property", false, call)?;
    let p = property(vm, this)?;
    p.get.set(args.some(0).cloned());
    p.set.set(args.some(1).cloned());
    p.delete.set(args.some(2).cloned());
    p.name.set(None);
    let (doc, from_getter) = match (args.some(3), args.some(0)) {
        (Some(doc), _) => (Some(doc.clone()), false),
        (None, Some(getter)) => match vm.get_attr_opt(getter, "__doc__")?.filter(|d| !d.is_none()) {
            Some(doc) => (Some(doc), true),
            None => (None, false),
        },
        (None, None) => (None, false),
    };
    p.doc_of_getter.set(from_getter);
    if vm.type_of_ref(this).value().is(vm.type_for(&PROPERTY)?.value()) {
        p.doc.set(doc);
        return Ok(());
    }
    // The class attribute `__doc__` of a subclass would hide the property's own.
    match vm.set_attr_str(this, "__doc__", doc.unwrap_or(Value::NONE)) {
        Err(raised) if !from_getter && vm.raised_is(vm.exceptions().attribute_error()) => {
            drop(vm.take_raised(raised));
            Ok(())
        }
        done => done,
    }
}

/// The name a property goes by: the one it was given in a class, else that of its getter.
fn name_of(vm: &Interpreter, p: &Property) -> Res<Option<Value>> {
    match (p.name.get(), p.get.get()) {
        (Some(name), _) => Ok(Some(name)),
        (None, Some(getter)) => vm.get_attr_opt(&getter, "__name__"),
        (None, None) => Ok(None),
    }
}

/// `property 'x' of 'C' object has no setter`.
fn refuse(vm: &Interpreter, p: &Property, object: &Value, what: &str) -> pellucid_object::Raised {
    let name = match name_of(vm, p) {
        Ok(Some(name)) => vm.repr_lossy(&name).map(|name| format!(" {name}")),
        Ok(None) => Ok(String::new()),
        Err(raised) => Err(raised),
    };
    match name {
        Err(raised) => raised,
        Ok(name) => {
            let ty = vm.type_of(object).qualified_name(vm);
            vm.attribute_error_text(format!("property{name} of '{ty}' object has no {what}"))
        }
    }
}

fn get(vm: &Interpreter, this: &Value, object: Option<&Value>, _: &Value) -> Res {
    let Some(object) = object else { return Ok(this.clone()) };
    let p = property(vm, this)?;
    match p.get.get() {
        Some(getter) => vm.call_values(&getter, std::slice::from_ref(object)),
        None => Err(refuse(vm, p, object, "getter")),
    }
}

fn set(vm: &Interpreter, this: &Value, object: &Value, value: Option<&Value>) -> Res<()> {
    let p = property(vm, this)?;
    match value {
        Some(value) => match p.set.get() {
            Some(setter) => vm.call_values(&setter, &[object.clone(), value.clone()]).map(drop),
            None => Err(refuse(vm, p, object, "setter")),
        },
        None => match p.delete.get() {
            Some(deleter) => vm.call_values(&deleter, std::slice::from_ref(object)).map(drop),
            None => Err(refuse(vm, p, object, "deleter")),
        },
    }
}

/// A copy of the property, of its own class, with one function replaced.
fn with(vm: &Interpreter, this: &Value, index: usize, function: &Value) -> Res {
    let p = property(vm, this)?;
    let mut parts = [&p.get, &p.set, &p.delete].map(|word| word.get().unwrap_or(Value::NONE)).to_vec();
    if !function.is_none() {
        parts[index] = function.clone();
    }
    let doc_comes = p.doc_of_getter.get() && !parts[0].is_none();
    parts.push(if doc_comes { Value::NONE } else { p.doc.get().unwrap_or(Value::NONE) });
    let copy = vm.call_values(vm.type_of(this).value(), &parts)?;
    if let Some(fresh) = copy.downcast::<Property>() {
        fresh.name.set(p.name.get());
    }
    Ok(copy)
}

fn set_name(vm: &Interpreter, call: &CallArgs) -> Res {
    let [this, _, name] = call.positional() else {
        let n = call.positional().len().saturating_sub(1);
        return Err(vm.type_error(format!("__set_name__() takes 2 positional arguments but {n} were given")));
    };
    property(vm, this)?.name.set(Some(name.clone()));
    Ok(Value::NONE)
}

fn get_name(vm: &Interpreter, this: &Value) -> Res {
    match name_of(vm, property(vm, this)?)? {
        Some(name) => Ok(name),
        None => {
            let ty = vm.type_name(this);
            Err(vm.attribute_error_text(format!("'{ty}' object has no attribute '__name__'")))
        }
    }
}

fn abstract_value(vm: &Interpreter, value: Option<Value>) -> Res<bool> {
    let flag = match value {
        Some(value) => vm.get_attr_opt(&value, "__isabstractmethod__")?,
        None => None,
    };
    flag.map_or(Ok(false), |flag| vm.truthy(&flag))
}

fn is_abstract(vm: &Interpreter, this: &Value) -> Res {
    let p = property(vm, this)?;
    for word in [&p.get, &p.set, &p.delete] {
        if abstract_value(vm, word.get())? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn or_none(value: Option<Value>) -> Res {
    Ok(value.unwrap_or(Value::NONE))
}

pub static PROPERTY: TypeDef = TypeDef {
    name: "property",
    module: "builtins",
    base: None,
    payload: payload::<Property>(),
    flags: TypeFlags::BASETYPE,
    doc: "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\n\
          Property attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to \
          be used for setting an attribute value\n  fdel\n    function to be used for del'ing an attribute\n  doc\n    \
          docstring\n",
    slots: &[Slot::New(new), Slot::Init(init), Slot::DescrGet(get), Slot::DescrSet(set)],
    methods: &[
        FunctionDef::new(
            "getter",
            "($self, fget, /)",
            "Descriptor to obtain a copy of the property with a different getter.",
            NativeFn::F2(|vm, this, f| with(vm, this, 0, f)),
        ),
        FunctionDef::new(
            "setter",
            "($self, fset, /)",
            "Descriptor to obtain a copy of the property with a different setter.",
            NativeFn::F2(|vm, this, f| with(vm, this, 1, f)),
        ),
        FunctionDef::new(
            "deleter",
            "($self, fdel, /)",
            "Descriptor to obtain a copy of the property with a different deleter.",
            NativeFn::F2(|vm, this, f| with(vm, this, 2, f)),
        ),
        FunctionDef::new(
            "__set_name__",
            "($self, owner, name, /)",
            "Method to set name of a property.",
            NativeFn::Raw(set_name),
        ),
    ],
    getset: &[
        GetSetDef::member("fget", "", |vm, this| or_none(property(vm, this)?.get.get())),
        GetSetDef::member("fset", "", |vm, this| or_none(property(vm, this)?.set.get())),
        GetSetDef::member("fdel", "", |vm, this| or_none(property(vm, this)?.delete.get())),
        GetSetDef {
            name: "__name__",
            doc: "",
            get: get_name,
            set: Some(|vm, this, value| {
                property(vm, this)?.name.set(value.cloned());
                Ok(())
            }),
        },
        GetSetDef { name: "__isabstractmethod__", doc: "", get: is_abstract, set: None },
        GetSetDef {
            name: "__doc__",
            doc: "",
            get: |vm, this| or_none(property(vm, this)?.doc.get()),
            set: Some(|vm, this, value| {
                property(vm, this)?.doc.set(value.cloned());
                Ok(())
            }),
        },
    ],
};

// ---- staticmethod and classmethod ----

fn new_wrapped(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Wrapped { callable: SlotWord::default() })
}

fn init_wrapped(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let ty = vm.type_name(this);
    if !call.names.is_empty() {
        return Err(vm.type_error(format!("{ty}() takes no keyword arguments")));
    }
    let ([function], Some(wrapped)) = (call.positional(), this.downcast::<Wrapped>()) else {
        let n = call.positional().len();
        return Err(vm.type_error(format!("{ty} expected 1 argument, got {n}")));
    };
    wrapped.callable.set(Some(function.clone()));
    for name in ["__module__", "__name__", "__qualname__", "__doc__"] {
        if let Some(value) = vm.get_attr_opt(function, name)? {
            vm.attrs_set(this, &vm.intern(name)?, value)?;
        }
    }
    Ok(())
}

/// An attribute of the function, remembered in the wrapper's own `__dict__`.
fn forwarded(vm: &Interpreter, this: &Value, name: &str) -> Res {
    let key = vm.intern(name)?;
    if let Some(known) = vm.attrs_get(this, &key)? {
        return Ok(known);
    }
    let value = vm.get_attr(&callable(vm, this)?, &key)?;
    vm.attrs_set(this, &key, value.clone())?;
    Ok(value)
}

fn set_forwarded(vm: &Interpreter, this: &Value, name: &str, value: Option<&Value>) -> Res<()> {
    let key = vm.intern(name)?;
    match value {
        Some(value) => vm.attrs_set(this, &key, value.clone()).map(drop),
        None if vm.attrs_delete(this, &key)? => Ok(()),
        None => {
            Err(vm.attribute_error_text(format!("'{}' object has no attribute '{name}'", vm.type_name(this))))
        }
    }
}

fn repr_wrapped(vm: &Interpreter, this: &Value) -> Res {
    let inner = vm.repr_lossy(&callable(vm, this)?)?;
    let kind = if vm.is_instance(this, &vm.types().classmethod) { "classmethod" } else { "staticmethod" };
    vm.new_str(&format!("<{kind}({inner})>"))
}

fn callable(_: &Interpreter, this: &Value) -> Res {
    or_none(this.downcast::<Wrapped>().and_then(|w| w.callable.get()))
}

const WRAPPED: TypeDef = TypeDef {
    name: "",
    module: "builtins",
    base: None,
    payload: payload::<Wrapped>(),
    flags: TypeFlags::BASETYPE,
    doc: "",
    slots: &[Slot::New(new_wrapped), Slot::Init(init_wrapped), Slot::Repr(repr_wrapped)],
    methods: &[CLASS_GETITEM],
    getset: &[
        GetSetDef::member("__func__", "", callable),
        GetSetDef::member("__wrapped__", "", callable),
        GetSetDef {
            name: "__isabstractmethod__",
            doc: "",
            get: |vm, this| {
                let function = this.downcast::<Wrapped>().and_then(|w| w.callable.get());
                abstract_value(vm, function).map(Value::bool)
            },
            set: None,
        },
        GetSetDef {
            name: "__annotations__",
            doc: "",
            get: |vm, this| forwarded(vm, this, "__annotations__"),
            set: Some(|vm, this, value| set_forwarded(vm, this, "__annotations__", value)),
        },
        GetSetDef {
            name: "__annotate__",
            doc: "",
            get: |vm, this| forwarded(vm, this, "__annotate__"),
            set: Some(|vm, this, value| set_forwarded(vm, this, "__annotate__", value)),
        },
    ],
};

pub static STATICMETHOD: TypeDef = TypeDef {
    name: "staticmethod",
    doc: "staticmethod(function, /)\n--\n\nConvert a function to be a static method.",
    ..WRAPPED
};

pub static CLASSMETHOD: TypeDef = TypeDef {
    name: "classmethod",
    doc: "classmethod(function, /)\n--\n\nConvert a function to be a class method.",
    ..WRAPPED
};

#[cfg(test)]
mod tests {
    use super::*;

    static ANSWER: FunctionDef =
        FunctionDef::new("answer", "(self, /)", "", NativeFn::F1(|vm, _| vm.new_int(42)));
    static IDENTITY: FunctionDef =
        FunctionDef::new("identity", "(x, /)", "", NativeFn::F1(|_, x| Ok(x.clone())));

    #[test]
    fn properties_compute_and_refuse() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("install");
        let ty = vm.type_for(&PROPERTY).expect("property");
        let getter = vm.new_builtin(&ANSWER, None, false, None).expect("a function");
        let property = vm.call_values(ty.value(), std::slice::from_ref(&getter)).expect("a property");
        let identity = vm.new_builtin(&IDENTITY, None, false, None).expect("a function");
        let wrap = |ty: &Value| vm.call_values(ty, std::slice::from_ref(&identity)).expect("wrapped");
        let namespace = vm.new_dict().expect("dict");
        for (name, value) in [
            ("x", property),
            ("s", wrap(vm.types().staticmethod.value())),
            ("c", wrap(vm.types().classmethod.value())),
        ] {
            namespace.set(&vm, vm.intern(name).expect("name"), value).expect("set");
        }
        let class = vm.new_class(vm.types().type_.value(), "C", Vec::new(), &namespace, &[]).expect("C");
        let object = vm.call_values(&class, &[]).expect("an instance");
        assert_eq!(vm.get_attr_str(&object, "x").expect("get").as_small_int(), Some(42));
        let raised = vm.set_attr_str(&object, "x", Value::NONE).expect_err("no setter");
        let error = vm.take_raised(raised);
        assert_eq!(vm.str_lossy(&vm.str(&error).expect("str")), "property 'x' of 'C' object has no setter");
        assert!(vm.call_attr(&object, "s", std::slice::from_ref(&object)).expect("static").is(&object));
        assert!(vm.call_attr(&object, "c", &[]).expect("class").is(&class));
    }
}

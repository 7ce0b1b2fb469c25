//! `property`, `staticmethod`, `classmethod`: descriptors that wrap functions.

use pellucid_object::native::Wrapped;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, Visitor, args::Signature, payload,
};

/// Payload of `property`.
#[derive(Default)]
pub struct Property {
    get: SlotWord,
    set: SlotWord,
    delete: SlotWord,
    doc: SlotWord,
    /// The name it was assigned to in a class.
    name: SlotWord,
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
    let doc = match (args.some(3), args.some(0)) {
        (Some(doc), _) => Some(doc.clone()),
        (None, Some(getter)) => vm.get_attr_opt(getter, "__doc__")?,
        (None, None) => None,
    };
    p.doc.set(doc);
    Ok(())
}

/// `property 'x' of 'C' object has no setter`.
fn refuse(vm: &Interpreter, p: &Property, object: &Value, what: &str) -> pellucid_object::Raised {
    let name = match p.name.get() {
        Some(name) => vm.repr_lossy(&name),
        None => Ok(String::new()),
    };
    match name {
        Err(raised) => raised,
        Ok(name) => {
            let space = if name.is_empty() { "" } else { " " };
            let ty = vm.type_name(object);
            vm.attribute_error_text(format!("property{space}{name} of '{ty}' object has no {what}"))
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
    parts[index] = function.clone();
    let copy = vm.call_values(vm.type_of(this).value(), &parts)?;
    if let Some(fresh) = copy.downcast::<Property>() {
        fresh.name.set(p.name.get());
        if index != 0 {
            fresh.doc.set(p.doc.get());
        }
    }
    Ok(copy)
}

fn set_name(vm: &Interpreter, args: &Args) -> Res {
    property(vm, args.req(0))?.name.set(Some(args.req(2).clone()));
    Ok(Value::NONE)
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
    doc: "Property attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to \
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
            NativeFn::Args(set_name),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "fget",
            doc: "",
            get: |vm, this| or_none(property(vm, this)?.get.get()),
            set: None,
        },
        GetSetDef {
            name: "fset",
            doc: "",
            get: |vm, this| or_none(property(vm, this)?.set.get()),
            set: None,
        },
        GetSetDef {
            name: "fdel",
            doc: "",
            get: |vm, this| or_none(property(vm, this)?.delete.get()),
            set: None,
        },
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
    match (call.positional(), this.downcast::<Wrapped>()) {
        ([function], Some(wrapped)) => {
            wrapped.callable.set(Some(function.clone()));
            Ok(())
        }
        (given, _) => Err(vm.type_error(format!("{ty} expected 1 argument, got {}", given.len()))),
    }
}

fn repr_wrapped(vm: &Interpreter, this: &Value) -> Res {
    let inner = vm.repr_lossy(&callable(vm, this)?)?;
    vm.new_str(&format!("<{}({inner})>", vm.type_name(this)))
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
    methods: &[],
    getset: &[
        GetSetDef { name: "__func__", doc: "", get: callable, set: None },
        GetSetDef { name: "__wrapped__", doc: "", get: callable, set: None },
    ],
};

pub static STATICMETHOD: TypeDef =
    TypeDef { name: "staticmethod", doc: "Convert a function to be a static method.", ..WRAPPED };

pub static CLASSMETHOD: TypeDef =
    TypeDef { name: "classmethod", doc: "Convert a function to be a class method.", ..WRAPPED };

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

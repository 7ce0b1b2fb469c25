//! The type `module`: a namespace with a name.

use crate::object::module_dir;
use pellucid_object::native::Module;
use pellucid_object::{
    CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, Str, TypeDef, TypeFlags,
    Value, payload,
};

fn namespace(vm: &Interpreter, this: &Value) -> Res<Ref<Dict>> {
    match vm.attrs_dict(this)? {
        Some(dict) if this.downcast::<Module>().is_some() => Ok(dict),
        _ => Err(vm.type_error("a module was expected".to_string())),
    }
}

fn own(vm: &Interpreter, this: &Value, name: &str) -> Res<Option<Value>> {
    namespace(vm, this)?.get_str(vm, &vm.intern(name)?)
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    let module = vm.alloc_subclass(cls, Module)?;
    vm.attrs_replace_dict(&module, vm.new_dict()?);
    Ok(module)
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let args = crate::builtins::bind(vm, "module", "(name, doc=None)", call)?;
    let name = args.req(0);
    if name.downcast::<Str>().is_none() {
        let got = vm.type_name(name);
        return Err(vm.type_error(format!("module() argument 'name' must be str, not {got}")));
    }
    let dict = namespace(vm, this)?;
    dict.set(vm, vm.intern_static("__name__")?, name.clone())?;
    dict.set(vm, vm.intern_static("__doc__")?, args.get(1).cloned().unwrap_or(Value::NONE))?;
    for key in ["__package__", "__loader__", "__spec__"] {
        dict.set(vm, vm.intern(key)?, Value::NONE)?;
    }
    Ok(())
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let spec = own(vm, this, "__spec__")?.filter(|s| !s.is_none());
    let (name, loader, origin, located) = match &spec {
        Some(spec) => (
            vm.get_attr_opt(spec, "name")?,
            vm.get_attr_opt(spec, "loader")?,
            vm.get_attr_opt(spec, "origin")?,
            match vm.get_attr_opt(spec, "has_location")? {
                Some(flag) => vm.truthy(&flag)?,
                None => false,
            },
        ),
        None => (own(vm, this, "__name__")?, own(vm, this, "__loader__")?, own(vm, this, "__file__")?, true),
    };
    let name = match name.filter(|n| !n.is_none()) {
        Some(name) => vm.repr_lossy(&name)?,
        None => "'?'".to_string(),
    };
    let text = match (origin.filter(|o| !o.is_none()), loader.filter(|l| !l.is_none())) {
        (Some(origin), _) if located => format!("<module {name} from {}>", vm.repr_lossy(&origin)?),
        (Some(origin), _) => format!("<module {name} ({})>", vm.str_lossy(&vm.str(&origin)?)),
        (None, Some(loader)) if &*vm.type_of(&loader).name() == "NamespaceLoader" => {
            format!("<module {name} (namespace)>")
        }
        (None, Some(loader)) => format!("<module {name} ({})>", vm.repr_lossy(&loader)?),
        (None, None) => format!("<module {name}>"),
    };
    vm.new_str(&text)
}

/// Whether a module is being imported right now.
fn initializing(vm: &Interpreter, this: &Value) -> Res<bool> {
    let Some(spec) = own(vm, this, "__spec__")?.filter(|s| !s.is_none()) else { return Ok(false) };
    match vm.get_attr_opt(&spec, "_initializing")? {
        Some(flag) => vm.truthy(&flag),
        None => Ok(false),
    }
}

// ---- annotations ----

fn get_annotations(vm: &Interpreter, this: &Value) -> Res {
    if let Some(known) = own(vm, this, "__annotations__")? {
        return Ok(known);
    }
    let annotate = get_annotate(vm, this)?;
    let annotations = match annotate.is_none() {
        true => vm.new_dict()?.into_value(),
        false => {
            let made = vm.call_values(&annotate, &[vm.new_int(1)?])?;
            if made.downcast::<Dict>().is_none() {
                let got = vm.type_name(&made);
                return Err(vm.type_error(format!("__annotate__() must return a dict, not {got}")));
            }
            made
        }
    };
    if !initializing(vm, this)? {
        namespace(vm, this)?.set(vm, vm.intern_static("__annotations__")?, annotations.clone())?;
    }
    Ok(annotations)
}

fn set_annotations(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let dict = namespace(vm, this)?;
    let (annotations, annotate) = (vm.intern_static("__annotations__")?, vm.intern_static("__annotate__")?);
    match value {
        Some(value) => dict.set(vm, annotations, value.clone())?,
        None => {
            if dict.remove(vm, &annotations)?.is_none() {
                return Err(vm.attribute_error_text("__annotations__".to_string()));
            }
        }
    }
    drop(dict.remove(vm, &annotate)?);
    Ok(())
}

fn get_annotate(vm: &Interpreter, this: &Value) -> Res {
    match own(vm, this, "__annotate__")? {
        Some(known) => Ok(known),
        None => {
            namespace(vm, this)?.set(vm, vm.intern_static("__annotate__")?, Value::NONE)?;
            Ok(Value::NONE)
        }
    }
}

fn set_annotate(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let Some(value) = value else {
        return Err(vm.type_error("cannot delete __annotate__ attribute".to_string()));
    };
    if !value.is_none() && !crate::builtins::callable_value(vm, value) {
        return Err(vm.type_error("__annotate__ must be callable or None".to_string()));
    }
    let dict = namespace(vm, this)?;
    dict.set(vm, vm.intern_static("__annotate__")?, value.clone())?;
    if !value.is_none() {
        drop(dict.remove(vm, &vm.intern_static("__annotations__")?)?);
    }
    Ok(())
}

pub static MODULE: TypeDef = TypeDef {
    name: "module",
    module: "builtins",
    base: None,
    payload: payload::<Module>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF),
    doc: "module(name, doc=None)\n--\n\n\
          Create a module object.\n\nThe name must be a string; the optional docstring can have any type.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr)],
    methods: &[FunctionDef::new(
        "__dir__",
        "($self, /)",
        "__dir__() -> list\nspecialized dir() implementation",
        NativeFn::F1(module_dir),
    )],
    getset: &[
        GetSetDef::member("__dict__", "", |vm, this| Ok(namespace(vm, this)?.into_value())),
        GetSetDef { name: "__annotations__", doc: "", get: get_annotations, set: Some(set_annotations) },
        GetSetDef { name: "__annotate__", doc: "", get: get_annotate, set: Some(set_annotate) },
    ],
};

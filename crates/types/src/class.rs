//! `type`: making classes, and what can be asked of them.

use crate::{codecs, int_methods};
use pellucid_object::class::split_signature;
use pellucid_object::{
    BinOp, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Raised, Ref, Res, Slot, Str, Tuple,
    Type, TypeDef, TypeFlags, Value, payload,
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
            expect(bases.downcast::<Tuple>().is_some(), 2, "tuple", bases)?;
            expect(namespace.downcast::<Dict>().is_some(), 3, "dict", namespace)?;
            let (Some(namespace), bases) = (namespace.downcast_ref::<Dict>(), vm.collect(bases)?) else {
                return Err(vm.bug("checked above"));
            };
            let keywords: Vec<(Value, Value)> =
                call.keywords().map(|(k, v)| (k.clone(), v.clone())).collect();
            for base in &bases {
                if base.downcast::<Type>().is_none() && vm.get_attr_opt(base, "__mro_entries__")?.is_some() {
                    return Err(vm.type_error(
                        "type() doesn't support MRO entry resolution; use types.new_class()".to_string(),
                    ));
                }
            }
            let winner = vm.most_derived_metaclass(meta, &bases)?;
            if !winner.is(meta)
                && let Some(f) = winner.downcast::<Type>().and_then(|ty| ty.slots.new.get())
                && !std::ptr::fn_addr_eq(f, new as pellucid_object::slots::CallFn)
            {
                return f(vm, &winner, call);
            }
            let name = name_text(vm, name)?;
            if let Some(doc) =
                namespace.get(vm, &vm.intern_static("__doc__")?)?.filter(|d| d.downcast::<Str>().is_some())
            {
                utf8(vm, &doc)?;
            }
            vm.new_class(meta, &name, bases, &namespace, &keywords)
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
    let module = ty.lookup(vm, &vm.intern_static("__module__")?);
    Ok(module
        .filter(|m| m.downcast::<Str>().is_some())
        .map_or_else(|| "builtins".to_string(), |m| vm.str_lossy(&m)))
}

fn qualname(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    match ty.qualname.get() {
        Some(name) => Ok(name),
        None => ty.name_object(vm),
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
        None => {
            Err(vm.type_error(format!("cannot delete '{what}' attribute of immutable type '{}'", ty.name())))
        }
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
        let (ty, text) = (class(vm, this)?, name_text(vm, &name)?);
        if !ty.qualname.is_set() {
            ty.qualname.set(Some(vm.new_str(&ty.name())?));
        }
        ty.set_name(&text);
    }
    Ok(())
}

/// Text that must not have surrogates. Errors: `UnicodeEncodeError`.
fn utf8(vm: &Interpreter, text: &Value) -> Res<String> {
    match text.downcast::<Str>().and_then(|s| s.text.to_utf8()) {
        Some(text) => Ok(text),
        None => codecs::encode(vm, text, None, None).map(|_| String::new()),
    }
}

/// The text of a class's name. Errors: `UnicodeEncodeError`, `ValueError`.
fn name_text(vm: &Interpreter, name: &Value) -> Res<String> {
    let text = utf8(vm, name)?;
    if text.contains('\0') {
        return Err(vm.value_error("type name must not contain null characters".to_string()));
    }
    Ok(text)
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
        (Some(dict), Some(value)) => {
            // A line number says nothing without its module.
            drop(dict.remove(vm, &vm.intern_static("__firstlineno__")?)?);
            dict.set(vm, vm.intern_static("__module__")?, value.clone())
        }
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
    vm.plain_isinstance(object, this).map(Value::bool)
}

fn subclass_check(vm: &Interpreter, this: &Value, other: &Value) -> Res {
    vm.plain_issubclass(other, this).map(Value::bool)
}

/// `A | B`.
fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    crate::union::or(vm, a, b)
}

fn dir(vm: &Interpreter, this: &Value) -> Res {
    class(vm, this)?;
    let names = vm.new_dict()?;
    crate::object::add_class_names(vm, &names, this)?;
    vm.new_list(names.keys())
}

fn size_of(vm: &Interpreter, this: &Value) -> Res {
    vm.new_int(vm.type_of(this).object_size() as i64)
}

fn own(vm: &Interpreter, ty: &Type, name: &str) -> Res<Option<Value>> {
    let name = vm.intern(name)?;
    Ok(ty.namespace().and_then(|dict| dict.get_interned(vm, &name)))
}

fn put(vm: &Interpreter, ty: &Type, name: &str, value: Value) -> Res<()> {
    let Some(dict) = ty.namespace() else { return Err(vm.bug("type without a dict")) };
    ty.modified();
    dict.set(vm, vm.intern(name)?, value)
}

fn take(vm: &Interpreter, ty: &Type, name: &str) -> Res<Option<Value>> {
    let Some(dict) = ty.namespace() else { return Err(vm.bug("type without a dict")) };
    ty.modified();
    dict.remove(vm, &vm.intern(name)?)
}

fn mutable(ty: &Type) -> bool {
    ty.flags.get().contains(TypeFlags::MUTABLE)
}

fn no_such(vm: &Interpreter, ty: &Type, name: &str) -> Raised {
    vm.attribute_error_text(format!("type object '{}' has no attribute '{name}'", ty.name()))
}

/// What a class attribute is when it is got from the class.
fn bound(vm: &Interpreter, value: Value, cls: &Value) -> Res {
    match vm.type_of_ref(&value).slots.descr_get.get() {
        Some(get) => get(vm, &value, None, cls),
        None => Ok(value),
    }
}

fn get_doc(vm: &Interpreter, this: &Value) -> Res {
    match own(vm, &*class(vm, this)?, "__doc__")? {
        Some(doc) => bound(vm, doc, this),
        None => Ok(Value::NONE),
    }
}

fn set_doc(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    check_settable(vm, &ty, "__doc__", value)?;
    put(vm, &ty, "__doc__", value.cloned().unwrap_or(Value::NONE))
}

fn get_annotate(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    if !mutable(&ty) {
        return Err(no_such(vm, &ty, "__annotate__"));
    }
    for name in ["__annotate__", "__annotate_func__"] {
        if let Some(function) = own(vm, &ty, name)? {
            return bound(vm, function, this);
        }
    }
    put(vm, &ty, "__annotate_func__", Value::NONE)?;
    Ok(Value::NONE)
}

fn set_annotate(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    let Some(value) = value else {
        return Err(vm.type_error("cannot delete __annotate__ attribute".to_string()));
    };
    check_settable(vm, &ty, "__annotate__", Some(value))?;
    if !value.is_none() && !crate::builtins::callable_value(vm, value) {
        return Err(vm.type_error("__annotate__ must be callable or None".to_string()));
    }
    put(vm, &ty, "__annotate_func__", value.clone())?;
    if !value.is_none() {
        drop(take(vm, &ty, "__annotations_cache__")?);
    }
    Ok(())
}

fn get_annotations(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    if !mutable(&ty) {
        return Err(no_such(vm, &ty, "__annotations__"));
    }
    for name in ["__annotations__", "__annotations_cache__"] {
        if let Some(known) = own(vm, &ty, name)? {
            return bound(vm, known, this);
        }
    }
    let annotate = vm.get_attr_str(this, "__annotate__")?;
    let annotations = if crate::builtins::callable_value(vm, &annotate) {
        let made = vm.call_values(&annotate, &[vm.new_int(1)?])?;
        if made.downcast::<Dict>().is_none() {
            let got = vm.type_name(&made);
            return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{got}'")));
        }
        made
    } else {
        vm.new_dict()?.into_value()
    };
    put(vm, &ty, "__annotations_cache__", annotations.clone())?;
    Ok(annotations)
}

fn set_annotations(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    if !mutable(&ty) {
        let name = ty.name();
        return Err(
            vm.type_error(format!("cannot set '__annotations__' attribute of immutable type '{name}'"))
        );
    }
    match value {
        Some(value) => {
            let name = match own(vm, &ty, "__annotations__")? {
                Some(_) => "__annotations__",
                None => "__annotations_cache__",
            };
            put(vm, &ty, name, value.clone())?;
        }
        None => {
            let mut found = take(vm, &ty, "__annotations__")?;
            if found.is_none() {
                found = take(vm, &ty, "__annotations_cache__")?;
            }
            if found.is_none() {
                return Err(vm.attribute_error_text("__annotations__".to_string()));
            }
        }
    }
    drop(take(vm, &ty, "__annotate_func__")?);
    drop(take(vm, &ty, "__annotate__")?);
    Ok(())
}

fn get_type_params(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    match own(vm, &ty, "__type_params__")? {
        Some(params) if mutable(&ty) => Ok(params),
        _ => vm.new_tuple(Vec::new()),
    }
}

fn set_type_params(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    check_settable(vm, &ty, "__type_params__", value)?;
    put(vm, &ty, "__type_params__", value.cloned().unwrap_or(Value::NONE))
}

fn get_abstract(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    let own = if this.is(vm.types().type_.value()) { None } else { own(vm, &ty, "__abstractmethods__")? };
    match own {
        Some(names) => Ok(names),
        None => Err(vm.attribute_error_text("__abstractmethods__".to_string())),
    }
}

fn set_abstract(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    let any = match value {
        Some(value) => {
            let any = vm.truthy(value)?;
            put(vm, &ty, "__abstractmethods__", value.clone())?;
            any
        }
        None => {
            if take(vm, &ty, "__abstractmethods__")?.is_none() {
                return Err(vm.attribute_error_text("__abstractmethods__".to_string()));
            }
            false
        }
    };
    let rest = ty.flags.get().0 & !TypeFlags::ABSTRACT.0;
    ty.flags.set(TypeFlags(if any { rest | TypeFlags::ABSTRACT.0 } else { rest }));
    Ok(())
}

fn set_bases(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let ty = class(vm, this)?;
    check_settable(vm, &ty, "__bases__", value)?;
    let Some(value) = value else { return Ok(()) };
    let name = ty.name();
    let Some(bases) = value.downcast::<Tuple>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("can only assign tuple to {name}.__bases__, not {got}")));
    };
    if bases.is_empty() {
        return Err(vm.type_error(format!("can only assign non-empty tuple to {name}.__bases__, not ()")));
    }
    for base in bases.items() {
        let Some(parent) = base.downcast::<Type>() else {
            let got = vm.type_name(&base);
            return Err(vm.type_error(format!("{name}.__bases__ must be tuple of classes, not '{got}'")));
        };
        // Within `mro()` a class may have bases already that its order does not show.
        let chained = std::iter::successors(base.downcast_ref::<Type>(), |at| at.base.get()?.downcast_ref());
        if parent.is_subtype_of(&ty) || chained.into_iter().any(|at| at.value().is(this)) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle".to_string()));
        }
    }
    vm.assign_bases(&ty, bases.items())
}

/// `__flags__`, with the bits that `inspect` and others look at where CPython has them.
fn flags(vm: &Interpreter, this: &Value) -> Res {
    let ty = class(vm, this)?;
    let types = vm.types();
    let mine = ty.flags.get();
    let mut bits: i64 = 1 << 12;
    let table = [
        (TypeFlags::SEQUENCE, 5),
        (TypeFlags::MAPPING, 6),
        (TypeFlags::NO_NEW, 7),
        (TypeFlags::BASETYPE, 10),
        (TypeFlags::METHOD_DESCRIPTOR, 17),
        (TypeFlags::ABSTRACT, 20),
        (TypeFlags::MATCH_SELF, 22),
    ];
    for (flag, bit) in table {
        bits |= i64::from(mine.contains(flag)) << bit;
    }
    bits |= i64::from(!mutable(&ty)) << 8;
    // Types of modules are made on the heap in CPython, which `copyreg` asks for.
    bits |= i64::from(mutable(&ty) || !ty.is_of_builtins()) << 9;
    bits |= i64::from(ty.payload.container || ty.object_size() > 16) << 14;
    let kinds = [
        (&types.int, 24),
        (&types.list, 25),
        (&types.tuple, 26),
        (&types.str, 28),
        (&types.dict, 29),
        (vm.exceptions().base_exception(), 30),
        (&types.type_, 31),
    ];
    for (kind, bit) in kinds {
        bits |= i64::from(ty.is_subtype_of(kind)) << bit;
    }
    vm.new_int(bits)
}

const fn read(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: None }
}

pub static TYPE: TypeDef = TypeDef {
    name: "type",
    module: "builtins",
    base: None,
    payload: payload::<Type>(),
    flags: TypeFlags::BASETYPE,
    doc: "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr), Slot::Binary(BinOp::Or, or)],
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
        FunctionDef::new(
            "__dir__",
            "($self, /)",
            "Specialized __dir__ implementation for types.",
            NativeFn::F1(dir),
        ),
        FunctionDef::new(
            "__sizeof__",
            "($self, /)",
            "Return memory consumption of the type object.",
            NativeFn::F1(size_of),
        ),
        FunctionDef::class(
            "__prepare__",
            "($cls, name, bases, /, **kwds)",
            "Create the namespace for the class statement",
            NativeFn::Raw(|vm, _| Ok(vm.new_dict()?.into_value())),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "__name__",
            doc: "",
            get: |vm, this| class(vm, this)?.name_object(vm),
            set: Some(set_name),
        },
        GetSetDef { name: "__qualname__", doc: "", get: qualname, set: Some(set_qualname) },
        GetSetDef {
            name: "__module__",
            doc: "",
            get: |vm, this| {
                let ty = class(vm, this)?;
                match own(vm, &ty, "__module__")? {
                    // The attribute of instances, as `type` and functions have.
                    Some(other) if !mutable(&ty) && other.downcast::<Str>().is_none() => {
                        vm.new_str("builtins")
                    }
                    Some(module) => Ok(module),
                    None if mutable(&ty) => Err(vm.attribute_error_text("__module__".to_string())),
                    None => vm.new_str("builtins"),
                }
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
            set: Some(set_bases),
        },
        GetSetDef::member("__base__", "", |vm, this| Ok(class(vm, this)?.base.get().unwrap_or(Value::NONE))),
        read("__mro__", |vm, this| match &*class(vm, this)?.mro() {
            // It is being made, and its metaclass is still asked for the order.
            [] => Ok(Value::NONE),
            order => vm.new_tuple(order.to_vec()),
        }),
        read("__dict__", |vm, this| match class(vm, this)?.dict.get() {
            Some(dict) => crate::mapping_proxy::new_proxy(vm, dict),
            None => Ok(Value::NONE),
        }),
        GetSetDef { name: "__doc__", doc: "", get: get_doc, set: Some(set_doc) },
        read("__text_signature__", |vm, this| {
            let ty = class(vm, this)?;
            match split_signature(&ty.name(), ty.doc.get()) {
                (Some(signature), _) => vm.new_str(signature),
                (None, _) => Ok(Value::NONE),
            }
        }),
        GetSetDef { name: "__annotations__", doc: "", get: get_annotations, set: Some(set_annotations) },
        GetSetDef { name: "__annotate__", doc: "", get: get_annotate, set: Some(set_annotate) },
        GetSetDef { name: "__type_params__", doc: "", get: get_type_params, set: Some(set_type_params) },
        GetSetDef { name: "__abstractmethods__", doc: "", get: get_abstract, set: Some(set_abstract) },
        GetSetDef::member("__flags__", "", flags),
        GetSetDef::member("__basicsize__", "", |vm, this| {
            let ty = class(vm, this)?;
            let int = ty.is_subtype_of(&vm.types().int);
            vm.new_int(if int { int_methods::basic_size(vm, &ty) } else { ty.object_size() as i64 })
        }),
        GetSetDef::member("__itemsize__", "", |vm, this| {
            // What CPython's objects of variable size have: digits of 30 bits, and pointers.
            let types = vm.types();
            let ty = class(vm, this)?;
            let size = match [&types.int, &types.tuple, &types.bytes].iter().position(|t| ty.is_subtype_of(t))
            {
                Some(0) => 4,
                Some(1) => 8,
                Some(_) => 1,
                None => 0,
            };
            vm.new_int(size)
        }),
        read("__dictoffset__", |vm, this| vm.new_int(class(vm, this)?.attrs_offset.get() as i64)),
        read("__weakrefoffset__", |vm, this| {
            let weak = class(vm, this)?.flags.get().contains(TypeFlags::WEAKREF);
            vm.new_int(if weak { 8 } else { 0 })
        }),
    ],
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

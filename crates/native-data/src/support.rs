//! What several modules of this crate need: payload access, argument binding, weak references held natively.

use pellucid_object::args::Signature;
use pellucid_object::weakref::WeakRef;
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Type, TypeDef, TypeFlags, Value,
    payload,
};

/// The payload of a value whose type was checked by whoever called. Errors: `TypeError`.
#[inline]
pub fn this<'a, T: Payload>(vm: &Interpreter, value: &'a Value) -> Res<&'a T> {
    match value.downcast::<T>() {
        Some(payload) => Ok(payload),
        None => Err(wrong_object(vm, value)),
    }
}

#[cold]
fn wrong_object(vm: &Interpreter, value: &Value) -> pellucid_object::Raised {
    vm.type_error(format!("the method does not apply to a '{}' object", vm.type_name(value)))
}

/// Binds the arguments of a constructor. Errors: `TypeError`.
pub fn bind<'a>(vm: &Interpreter, name: &str, signature: &str, call: &CallArgs<'a>) -> Res<Args<'a>> {
    Signature::parse(signature).bind(vm, name, false, call)
}

/// Refuses keyword arguments. Errors: `TypeError`.
pub fn no_keywords(vm: &Interpreter, name: &str, call: &CallArgs) -> Res<()> {
    if call.names.is_empty() {
        return Ok(());
    }
    Err(vm.type_error(format!("{name}() takes no keyword arguments")))
}

/// The arguments that `__new__` of a builtin type looks at: keywords are left to the `__init__` of a subclass that has one.
pub fn for_new<'a>(cls: &Value, call: &CallArgs<'a>) -> CallArgs<'a> {
    match cls.downcast::<Type>().is_some_and(Type::overrides_init) {
        true => CallArgs::new(call.positional()),
        false => *call,
    }
}

/// The arguments of a function that takes `least` to `most` of them, by position only. Errors: `TypeError`.
pub fn positional<'a>(
    vm: &Interpreter,
    name: &str,
    call: &CallArgs<'a>,
    least: usize,
    most: usize,
) -> Res<&'a [Value]> {
    no_keywords(vm, name, call)?;
    let n = call.values.len();
    if (least..=most).contains(&n) {
        return Ok(call.values);
    }
    let (word, bound) = match (least == most, n < least) {
        (true, _) => ("", least),
        (false, true) => ("at least ", least),
        (false, false) => ("at most ", most),
    };
    let s = if bound == 1 { "" } else { "s" };
    Err(vm.type_error(format!("{name} expected {word}{bound} argument{s}, got {n}")))
}

/// `__class_getitem__` of types that can be written `type[item]`.
pub const CLASS_GETITEM: FunctionDef = FunctionDef::class(
    "__class_getitem__",
    "($cls, object, /)",
    "The generic alias of the class with these arguments.",
    NativeFn::F2(pellucid_types::generic_alias::class_getitem),
);

/// A weak reference that only Rust code sees.
static SILENT_REFERENCE: TypeDef = TypeDef {
    name: "_reference",
    module: "_weakref",
    base: None,
    payload: payload::<WeakRef>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[],
    getset: &[],
};

/// A weak reference to `target`, without a callback. Errors: `MemoryError`.
pub fn weak(vm: &Interpreter, target: &Value) -> Res {
    let reference = vm.alloc(&vm.type_for(&SILENT_REFERENCE)?, WeakRef::default())?;
    vm.weakrefs.register(&reference, target);
    Ok(reference)
}

/// The object that a weak reference refers to, if it lives.
pub fn upgrade(reference: &Value) -> Option<Value> {
    reference.downcast::<WeakRef>()?.upgrade()
}

/// `object.__getstate__()`, for `__reduce__`.
pub fn state_of(vm: &Interpreter, object: &Value) -> Res {
    vm.call_method(object, "__getstate__", &[])
}

/// Whether a value can be called.
pub fn is_callable(vm: &Interpreter, value: &Value) -> bool {
    vm.type_of_ref(value).slots.call.get().is_some()
}

/// `Payload` of a struct whose named fields, all of them [`SlotWord`](pellucid_object::SlotWord)s, own values.
#[macro_export]
macro_rules! slot_payload {
    ($name:ident: $($field:ident),*) => {
        impl pellucid_object::Payload for $name {
            fn trace(&self, visit: &mut pellucid_object::Visitor) {
                $(self.$field.trace(visit);)*
            }
            fn clear(&self) {
                $(self.$field.set(None);)*
            }
        }
    };
}

/// A place for a value that was given.
pub fn word(value: &Value) -> pellucid_object::SlotWord {
    pellucid_object::SlotWord::new(Some(value.clone()))
}

/// `iter(self)` of iterators.
pub const ITSELF: pellucid_object::Slot = pellucid_object::Slot::Iter(|_, v| Ok(v.clone()));

/// `module.qualname` of a value's type, as `repr`s that can be evaluated show it; builtins without the module.
pub fn qualified_type_name(vm: &Interpreter, value: &Value) -> Res<String> {
    let ty = vm.type_of(value);
    let name = match vm.get_attr_opt(ty.value(), "__qualname__")? {
        Some(name) => vm.str_lossy(&name),
        None => ty.name().to_string(),
    };
    match vm.get_attr_opt(ty.value(), "__module__")? {
        Some(module) if !matches!(vm.str_lossy(&module).as_str(), "" | "builtins") => {
            Ok(format!("{}.{name}", vm.str_lossy(&module)))
        }
        _ => Ok(name),
    }
}

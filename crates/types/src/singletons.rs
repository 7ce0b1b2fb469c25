//! The types of `None`, `Ellipsis` and `NotImplemented`.

use pellucid_object::interpreter::Plain;
use pellucid_object::{
    CallArgs, FunctionDef, Interpreter, NativeFn, Res, Slot, TypeDef, TypeFlags, Value, payload,
};

fn no_arguments(vm: &Interpreter, name: &str, call: &CallArgs) -> Res<()> {
    if call.values.is_empty() {
        return Ok(());
    }
    Err(vm.type_error(format!("{name} takes no arguments")))
}

pub static NONE_TYPE: TypeDef = TypeDef {
    name: "NoneType",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NONE,
    doc: "NoneType()\n--\n\nThe type of the None singleton.",
    slots: &[
        Slot::New(|vm, _, call| no_arguments(vm, "NoneType", call).map(|()| Value::NONE)),
        Slot::Repr(|vm, _| vm.intern_static("None")),
        Slot::Bool(|_, _| Ok(false)),
        Slot::Hash(|_, _| Ok(0xfca8_6420)),
    ],
    methods: &[],
    getset: &[],
};

pub static ELLIPSIS_TYPE: TypeDef = TypeDef {
    name: "ellipsis",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NONE,
    doc: "ellipsis()\n--\n\nThe type of the Ellipsis singleton.",
    slots: &[
        Slot::New(|vm, _, call| no_arguments(vm, "EllipsisType", call).map(|()| Value::ELLIPSIS)),
        Slot::Repr(|vm, _| vm.intern_static("Ellipsis")),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "",
        NativeFn::F1(|vm, _| vm.new_str("Ellipsis")),
    )],
    getset: &[],
};

pub static NOT_IMPLEMENTED_TYPE: TypeDef = TypeDef {
    name: "NotImplementedType",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NONE,
    doc: "NotImplementedType()\n--\n\n\
          The type of the NotImplemented singleton.",
    slots: &[
        Slot::New(|vm, _, call| {
            no_arguments(vm, "NotImplementedType", call).map(|()| Value::NOT_IMPLEMENTED)
        }),
        Slot::Repr(|vm, _| vm.intern_static("NotImplemented")),
        Slot::Bool(|vm, _| {
            Err(vm.type_error("NotImplemented should not be used in a boolean context".to_string()))
        }),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "",
        NativeFn::F1(|vm, _| vm.new_str("NotImplemented")),
    )],
    getset: &[],
};

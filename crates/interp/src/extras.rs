//! What newer syntax needs beyond 3.10's opcodes: type parameters and template strings.

use pellucid_object::{Interpreter, Res, Value};

/// See `pellucid_bytecode::ops::Intrinsic`.
pub fn intrinsic1(vm: &Interpreter, number: u32, value: &Value) -> Res {
    pellucid_types::typing::intrinsic1(vm, number, value.clone())
}

/// See `pellucid_bytecode::ops::Intrinsic`.
pub fn intrinsic2(vm: &Interpreter, number: u32, first: &Value, second: &Value) -> Res {
    pellucid_types::typing::intrinsic2(vm, number, first.clone(), second.clone())
}

/// A `Template` of a tuple of strings and a tuple of interpolations.
pub fn template(vm: &Interpreter, strings: &Value, interpolations: &Value) -> Res {
    pellucid_types::template::new_template(vm, strings.clone(), interpolations.clone())
}

/// `Interpolation(value, expression, conversion, spec)`; `conversion`: none, str, repr, ascii.
pub fn interpolation(
    vm: &Interpreter,
    value: &Value,
    text: &Value,
    conversion: u32,
    spec: Option<Value>,
) -> Res {
    let conversion = match conversion {
        0 => Value::NONE,
        1 => vm.intern_static("s")?,
        2 => vm.intern_static("r")?,
        _ => vm.intern_static("a")?,
    };
    let spec = spec.map_or_else(|| vm.new_str(""), Ok)?;
    pellucid_types::template::new_interpolation(vm, value.clone(), text.clone(), conversion, spec)
}

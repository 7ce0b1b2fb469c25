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

/// `Template(*strings, *interpolations)` as a t-string makes it.
pub fn template(vm: &Interpreter, _strings: &Value, _interpolations: &Value) -> Res {
    Err(vm.not_implemented_error("template strings are not there yet".to_string()))
}

/// `Interpolation(value, expression, conversion, spec)`; `conversion`: none, str, repr, ascii.
pub fn interpolation(
    vm: &Interpreter,
    _value: &Value,
    _text: &Value,
    _conversion: u32,
    _spec: Option<Value>,
) -> Res {
    Err(vm.not_implemented_error("template strings are not there yet".to_string()))
}

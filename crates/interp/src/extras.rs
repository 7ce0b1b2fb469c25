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
pub fn template(vm: &Interpreter, strings: &Value, interpolations: &Value) -> Res {
    pellucid_types::template::build_template(vm, strings, interpolations)
}

/// `Interpolation(value, expression, conversion, spec)`; `conversion`: none, str, repr, ascii.
pub fn interpolation(vm: &Interpreter, value: &Value, expression: &Value, conversion: u32, spec: Option<Value>) -> Res {
    pellucid_types::template::build_interpolation(vm, value, expression, conversion, spec)
}

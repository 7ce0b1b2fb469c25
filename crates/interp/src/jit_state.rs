//! The module `sys._jit`: whether machine code is made and runs.

use crate::state::{state, thread};
use pellucid_object::{FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};

fn is_available(_: &Interpreter) -> Res {
    Ok(Value::TRUE)
}

fn is_enabled(vm: &Interpreter) -> Res {
    Ok(Value::bool(state(vm).tier.compile.get().is_some()))
}

/// Natives have no frame: the innermost one is the caller's.
fn is_active(vm: &Interpreter) -> Res {
    let st = state(vm);
    Ok(Value::bool(std::ptr::eq(st.tier.stepping.get(), thread(vm).top_ptr())))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "sys._jit",
    doc: "What is known of the machine-code compiler.",
    functions: &[
        FunctionDef::new("is_available", "()", "Whether this build has one.", NativeFn::F0(is_available)),
        FunctionDef::new("is_enabled", "()", "Whether hot code is compiled.", NativeFn::F0(is_enabled)),
        FunctionDef::new(
            "is_active",
            "()",
            "Whether the caller runs as machine code.",
            NativeFn::F0(is_active),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

//! `_typing`: what `typing` has natively. The types stand in `pellucid_types::typing`.

use pellucid_object::{FunctionDef, ModuleDef, NativeFn, constant};
use pellucid_types::typing;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_typing",
    doc: "The native part of typing.",
    functions: &[FunctionDef::new(
        "_idfunc",
        "($module, x, /)",
        "",
        NativeFn::F1(|_, value| Ok(value.clone())),
    )],
    types: typing::TYPES,
    constants: &[constant("NoDefault", typing::no_default_constant)],
    init: None,
};

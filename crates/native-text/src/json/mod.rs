//! `_json`: reading and writing JSON for `json`.
//!
//! Neither direction uses the native stack for nesting: [`scanner`] and [`encoder`] keep their own, and refuse what is deeper
//! than [`MAX_DEPTH`].

mod encoder;
mod scanner;
mod string;

use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Str, Value, constant,
};
pub use string::{ENCODE, ENCODE_ASCII};

/// Deepest nesting that is read or written.
pub const MAX_DEPTH: usize = 30_000;

#[cold]
fn too_deep(vm: &Interpreter, doing: &str) -> Raised {
    vm.recursion_error(format!("maximum recursion depth exceeded while {doing}"))
}

#[cold]
fn not_str(vm: &Interpreter, value: &Value) -> Raised {
    vm.type_error(format!("first argument must be a string, not {}", vm.type_name(value)))
}

fn scanstring(vm: &Interpreter, args: &Args) -> Res {
    let end = args.int(vm, 1)?;
    let strict = args.bool_or(vm, 2, true)?;
    let Some(s) = args.req(0).downcast::<Str>() else { return Err(not_str(vm, args.req(0))) };
    let (text, next) = string::scan(vm, args.req(0), &s.text, end, strict)?;
    vm.new_tuple(vec![text, vm.new_int(next as i64)?])
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "_json",
    doc: "json speedups\n",
    functions: &[
        FunctionDef::new("scanstring", "($module, string, end, strict=True, /)", "Scan the string for a JSON string; end is the index after the quote. Return the text and the index after the end quote.", NativeFn::Args(scanstring)),
    ],
    types: &[],
    constants: &[
        constant("make_scanner", |vm| Ok(vm.type_for(&scanner::SCANNER)?.into_value())),
        constant("make_encoder", |vm| Ok(vm.type_for(&encoder::ENCODER)?.into_value())),
    ],
    // These two are known again by their descriptions when an encoder gets them.
    init: Some(|vm, module| {
        for def in [&ENCODE, &ENCODE_ASCII] {
            let function = vm.new_builtin(def, Some(module.clone()), false, Some(vm.new_str("_json")?))?;
            vm.set_attr_str(module, def.name, function)?;
        }
        Ok(())
    }),
};

//! `_md5`.

use crate::digest::{SIGNATURE, fixed};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, TypeDef, constant};

fixed!(MD5, md5, "md5", "_md5", "md5", ::md5::Md5, 16, 64);

pub static MODULE: ModuleDef = ModuleDef {
    name: "_md5",
    doc: "",
    functions: &[FunctionDef::new("md5", SIGNATURE, "Return a new MD5 hash object.", NativeFn::Args(md5))],
    types: &[],
    constants: &[constant("MD5Type", |vm| Ok(vm.type_for(&MD5)?.into_value()))],
    init: None,
};

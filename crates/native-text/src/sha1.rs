//! `_sha1`.

use crate::digest::{SIGNATURE, fixed};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, TypeDef, constant};

fixed!(SHA1, sha1, "sha1", "_sha1", "sha1", ::sha1::Sha1, 20, 64);

pub static MODULE: ModuleDef = ModuleDef {
    name: "_sha1",
    doc: "",
    functions: &[FunctionDef::new("sha1", SIGNATURE, "Return a new SHA1 hash object.", NativeFn::Args(sha1))],
    types: &[],
    constants: &[constant("SHA1Type", |vm| Ok(vm.type_for(&SHA1)?.into_value()))],
    init: None,
};

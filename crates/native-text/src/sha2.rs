//! `_sha2`.

use crate::digest::{SIGNATURE, fixed};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, TypeDef};

fixed!(SHA224, sha224, "SHA224Type", "_sha2", "sha224", ::sha2::Sha224, 28, 64);
fixed!(SHA256, sha256, "SHA256Type", "_sha2", "sha256", ::sha2::Sha256, 32, 64);
fixed!(SHA384, sha384, "SHA384Type", "_sha2", "sha384", ::sha2::Sha384, 48, 128);
fixed!(SHA512, sha512, "SHA512Type", "_sha2", "sha512", ::sha2::Sha512, 64, 128);

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "_sha2",
    doc: "",
    functions: &[
        FunctionDef::new("sha224", SIGNATURE, "Return a new SHA-224 hash object.", NativeFn::Args(sha224)),
        FunctionDef::new("sha256", SIGNATURE, "Return a new SHA-256 hash object.", NativeFn::Args(sha256)),
        FunctionDef::new("sha384", SIGNATURE, "Return a new SHA-384 hash object.", NativeFn::Args(sha384)),
        FunctionDef::new("sha512", SIGNATURE, "Return a new SHA-512 hash object.", NativeFn::Args(sha512)),
    ],
    types: &[&SHA224, &SHA256, &SHA384, &SHA512],
    constants: &[],
    init: None,
};

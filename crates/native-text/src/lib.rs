//! Native modules about text and bytes: codecs, patterns, data formats, digests.
//!
//! One file (or folder) a module, each ending in its `pub static MODULE`; [`MODULES`] lists them.
#![forbid(unsafe_code)]

pub mod binascii;
pub mod blake2;
pub mod bz2;
pub mod codecs;
pub mod csv;
mod digest;
pub mod json;
pub mod md5;
pub mod sha1;
pub mod sha2;
pub mod sha3;
pub mod sre;
pub mod string_;
pub mod unicodedata;
pub mod zlib;

use pellucid_object::{Interpreter, ModuleDef, Res, Value};

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[
    &binascii::MODULE,
    &blake2::MODULE,
    &bz2::MODULE,
    &codecs::MODULE,
    &csv::MODULE,
    &json::MODULE,
    &md5::MODULE,
    &sha1::MODULE,
    &sha2::MODULE,
    &sha3::MODULE,
    &sre::MODULE,
    &string_::MODULE,
    &unicodedata::MODULE,
    &zlib::MODULE,
];

/// A new exception class of a module. Errors: `MemoryError`.
pub(crate) fn new_exception_class(vm: &Interpreter, module: &str, name: &str, base: &Value) -> Res {
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str(module)?)?;
    let bases = vm.new_tuple(vec![base.clone()])?;
    vm.call_values(vm.types().type_.value(), &[vm.new_str(name)?, bases, namespace.into_value()])
}

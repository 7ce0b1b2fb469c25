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

use pellucid_object::{Interpreter, ModuleDef, Raised, Ref, Res, Type, Value};
use std::cell::RefCell;

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

/// The exception class of a module, made at its first use: part of what an interpreter keeps for the module.
#[derive(Default)]
pub(crate) struct ModuleError(RefCell<Option<Value>>);

impl ModuleError {
    /// The class `module.name`. Errors: `MemoryError`.
    pub(crate) fn class(&self, vm: &Interpreter, module: &str, name: &str, base: &Ref<Type>) -> Res {
        if let Some(class) = self.0.borrow().as_ref() {
            return Ok(class.clone());
        }
        let class = new_exception_class(vm, module, name, base.value())?;
        *self.0.borrow_mut() = Some(class.clone());
        Ok(class)
    }
}

/// Raises a new exception of a class that may have to be made first.
#[cold]
pub(crate) fn raise_new(vm: &Interpreter, class: Res, message: &str) -> Raised {
    match class.and_then(|class| vm.call_values(&class, &[vm.new_str(message)?])) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// A new exception class of a module. Errors: `MemoryError`.
pub(crate) fn new_exception_class(vm: &Interpreter, module: &str, name: &str, base: &Value) -> Res {
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str(module)?)?;
    let bases = vm.new_tuple(vec![base.clone()])?;
    vm.call_values(vm.types().type_.value(), &[vm.new_str(name)?, bases, namespace.into_value()])
}

//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
//!
//! The types themselves and their storage stand in `pellucid_object`; [`install`] gives them slots and methods.
#![forbid(unsafe_code)]

pub mod class;
pub mod dict;
pub mod exception;
pub mod list;
pub mod property;
pub mod range;
pub mod seq;
pub mod slice;
pub mod sort;
pub mod str;
pub mod tuple;
pub mod views;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, Res};

/// Completes the core types of a fresh interpreter. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    vm.fill_type(&vm.types().object, &class::OBJECT)?;
    vm.fill_type(&vm.types().type_, &class::TYPE)?;
    vm.fill_type(&vm.types().staticmethod, &property::STATICMETHOD)?;
    vm.fill_type(&vm.types().classmethod, &property::CLASSMETHOD)?;
    vm.fill_type(&vm.types().str, &str::STR)?;
    vm.fill_type(&vm.types().list, &list::LIST)?;
    vm.fill_type(&vm.types().tuple, &tuple::TUPLE)?;
    vm.fill_type(&vm.types().dict, &dict::DICT)?;
    exception::install(vm)?;
    Ok(())
}

//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
//!
//! The types themselves and their storage stand in `pellucid_object`; [`install`] gives them slots and methods.
#![forbid(unsafe_code)]

pub mod bool;
pub mod bytes;
pub mod class;
pub mod codecs;
pub mod cursor;
pub mod dict;
pub mod exception;
pub mod float;
pub mod generic_alias;
pub mod int;
pub mod list;
pub mod number;
pub mod os_error;
pub mod property;
pub mod range;
pub mod seq;
pub mod slice;
pub mod sort;
pub mod str;
pub mod structseq;
pub mod tuple;
pub mod typing;
pub mod union;
pub mod views;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, Res};

/// Completes the core types of a fresh interpreter. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    let types = vm.types();
    vm.fill_type(&types.object, &class::OBJECT)?;
    vm.fill_type(&types.type_, &class::TYPE)?;
    vm.fill_type(&types.staticmethod, &property::STATICMETHOD)?;
    vm.fill_type(&types.classmethod, &property::CLASSMETHOD)?;
    vm.fill_type(&types.int, &int::INT)?;
    vm.fill_type(&types.bool, &bool::BOOL)?;
    // What `bool` does not say itself is what `int` says, not `object`.
    vm.refresh_slots(&types.bool)?;
    vm.fill_type(&types.float, &float::FLOAT)?;
    vm.fill_type(&types.str, &str::STR)?;
    vm.fill_type(&types.list, &list::LIST)?;
    vm.fill_type(&types.tuple, &tuple::TUPLE)?;
    vm.fill_type(&types.dict, &dict::DICT)?;
    vm.fill_type(&types.bytes, &bytes::BYTES)?;
    vm.fill_type(&types.bytearray, &bytes::array::BYTEARRAY)?;
    exception::install(vm)?;
    codecs::error::install(vm)
}

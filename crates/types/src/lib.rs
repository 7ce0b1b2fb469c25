//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
//!
//! The types themselves and their storage stand in `pellucid_object`; [`install`] gives them slots and methods.
#![forbid(unsafe_code)]

pub mod bool;
pub mod builtins;
pub mod bytes;
pub mod class;
pub mod codecs;
pub mod complex;
pub mod cursor;
pub mod dict;
pub mod exception;
pub mod exception_fields;
pub mod exception_group;
pub mod float;
pub mod format;
pub mod functions;
pub mod generic_alias;
pub mod int;
mod int_methods;
mod int_text;
pub mod iterators;
pub mod list;
pub mod mapping_proxy;
pub mod memoryview;
pub mod module;
pub mod namespace;
pub mod number;
pub mod number_builtins;
pub mod object;
pub mod os_error;
pub mod property;
pub mod range;
pub mod seq;
pub mod set;
pub mod singletons;
pub mod slice;
pub mod sort;
pub mod str;
pub mod structseq;
pub mod template;
pub mod tuple;
pub mod typing;
pub mod union;
pub mod views;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, Res, TypeDef};

/// The types of the module `builtins` that are no core types of the object model.
pub static TYPES: &[&TypeDef] = &[
    &complex::COMPLEX,
    &iterators::ENUMERATE,
    &iterators::FILTER,
    &iterators::MAP,
    &iterators::REVERSED,
    &iterators::ZIP,
    &memoryview::MEMORYVIEW,
    &property::PROPERTY,
    &memoryview::MEMORYVIEW,
    &range::RANGE,
    &slice::SLICE,
];

/// Completes the core types of a fresh interpreter. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    let types = vm.types();
    vm.fill_type(&types.object, &object::OBJECT)?;
    vm.fill_type(&types.type_, &class::TYPE)?;
    vm.fill_type(&types.none_type, &singletons::NONE_TYPE)?;
    vm.fill_type(&types.ellipsis_type, &singletons::ELLIPSIS_TYPE)?;
    vm.fill_type(&types.not_implemented_type, &singletons::NOT_IMPLEMENTED_TYPE)?;
    vm.fill_type(&types.module, &module::MODULE)?;
    vm.fill_type(&types.builtin_function, &functions::BUILTIN_FUNCTION)?;
    vm.fill_type(&types.method_descriptor, &functions::METHOD_DESCRIPTOR)?;
    vm.fill_type(&types.classmethod_descriptor, &functions::CLASSMETHOD_DESCRIPTOR)?;
    vm.fill_type(&types.wrapper_descriptor, &functions::WRAPPER_DESCRIPTOR)?;
    vm.fill_type(&types.getset_descriptor, &functions::GETSET_DESCRIPTOR)?;
    vm.fill_type(&types.member_descriptor, &functions::MEMBER_DESCRIPTOR)?;
    vm.fill_type(&types.method, &functions::METHOD)?;
    vm.fill_type(&types.method_wrapper, &functions::METHOD_WRAPPER)?;
    vm.fill_type(&types.sequence_iterator, &iterators::SEQUENCE_ITERATOR)?;
    vm.fill_type(&types.staticmethod, &property::STATICMETHOD)?;
    vm.fill_type(&types.classmethod, &property::CLASSMETHOD)?;
    vm.fill_type(&types.int, &int::INT)?;
    // What `bool` does not say itself is what `int` says, not `object`.
    types.bool.slots.reset();
    vm.fill_type(&types.bool, &bool::BOOL)?;
    vm.refresh_slots(&types.bool)?;
    vm.fill_type(&types.float, &float::FLOAT)?;
    vm.fill_type(&types.str, &str::STR)?;
    vm.fill_type(&types.list, &list::LIST)?;
    vm.fill_type(&types.tuple, &tuple::TUPLE)?;
    vm.fill_type(&types.dict, &dict::DICT)?;
    vm.fill_type(&types.bytes, &bytes::BYTES)?;
    vm.fill_type(&types.bytearray, &bytes::array::BYTEARRAY)?;
    vm.fill_type(&types.set, &set::SET)?;
    vm.fill_type(&types.frozenset, &set::FROZENSET)?;
    memoryview::install(vm);
    template::install(vm)?;
    exception::install(vm)?;
    codecs::error::install(vm)
}

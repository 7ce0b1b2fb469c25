//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
#![forbid(unsafe_code)]

pub mod dict;
pub mod list;
pub mod seq;
pub mod slice;
pub mod sort;
pub mod tuple;
pub mod views;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, Ref, Res, Type, Value};

/// Gives the core types their methods. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    vm.fill_type(&vm.types().list.clone(), &list::LIST)?;
    vm.fill_type(&vm.types().tuple.clone(), &tuple::TUPLE)?;
    vm.fill_type(&vm.types().dict.clone(), &dict::DICT)?;
    unhashable(vm, &vm.types().list)?;
    unhashable(vm, &vm.types().dict)?;
    Ok(())
}

/// `__hash__ = None`, as types have it whose objects cannot be hashed.
fn unhashable(vm: &Interpreter, ty: &Ref<Type>) -> Res<()> {
    ty.modified();
    match ty.namespace() {
        Some(dict) => dict.set(vm, vm.intern("__hash__")?, Value::NONE),
        None => Ok(()),
    }
}

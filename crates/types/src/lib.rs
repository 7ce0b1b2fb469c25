//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
#![forbid(unsafe_code)]

pub mod list;
pub mod seq;
pub mod slice;
pub mod sort;
pub mod tuple;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, Ref, Res, Type, Value};

/// Gives the core types their methods. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    vm.fill_type(&vm.types().list.clone(), &list::LIST)?;
    vm.fill_type(&vm.types().tuple.clone(), &tuple::TUPLE)?;
    unhashable(vm, &vm.types().list)?;
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

//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
#![forbid(unsafe_code)]

pub mod int;
pub mod number;

use pellucid_object::{Interpreter, Res};

/// Gives the core types of an interpreter their slots, methods and attributes.
pub fn install(vm: &Interpreter) -> Res<()> {
    vm.fill_type(&vm.types().int.clone(), &int::INT)?;
    Ok(())
}

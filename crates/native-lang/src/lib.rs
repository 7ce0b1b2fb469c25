//! Native modules about the language itself (`_ast`, `_tokenize`, `_symtable`), and the `compile` hook.
//!
//! ```text
//! source -> syntax::parse -> tree -> compiler -> code object
//!                              ^ |
//!                   ast nodes -+ +-> ast nodes
//! ```
//! Start reading at [`compile`], then [`ast`].

#![forbid(unsafe_code)]

pub mod ast;
pub mod compile;
pub mod symtable;
pub mod tokenize;
pub mod types_module;
mod values;
mod warn;

pub(crate) use values::number;
pub(crate) use warn::{warn, warn_explicit};

use pellucid_object::{Interpreter, ModuleDef};

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] =
    &[&ast::MODULE, &symtable::MODULE, &tokenize::MODULE, &types_module::MODULE];

/// Installs the `compile` hook.
pub fn install(vm: &Interpreter) {
    vm.hooks.compile.set(Some(compile::compile));
}

//! Read-only views of bytecode, caches, heap, counts and time, as native modules.
//!
//! The Python half is in `py`: `dis`, `opcode` and `_opcode_metadata`, which take the place of CPython's modules of
//! these names in the embedded library.
#![forbid(unsafe_code)]

mod form;
mod marshal;
mod opcode;

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[&marshal::MODULE, &opcode::MODULE];

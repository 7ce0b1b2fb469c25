//! Read-only views of bytecode, caches, heap, counts and time, as native modules.
//!
//! The Python half is in `py`: `dis`, `opcode`, `_opcode_metadata` and `cProfile`, which take the place of CPython's modules of
//! these names in the embedded library, and `pellucid`, which shows machine code.
#![forbid(unsafe_code)]

mod form;
mod lsprof;
mod machine;
mod marshal;
mod opcode;
mod tracemalloc;

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] =
    &[&lsprof::MODULE, &machine::MODULE, &marshal::MODULE, &opcode::MODULE, &tracemalloc::MODULE];

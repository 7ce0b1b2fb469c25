//! Read-only views of bytecode, caches, heap, counts and time, as native modules.

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[];

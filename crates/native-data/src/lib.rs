//! Native modules that hold and walk data: collections, iterators, references, functions about functions.
//!
//! One file (or folder) a module, each ending in its `pub static MODULE`; [`MODULES`] lists them.
#![forbid(unsafe_code)]

pub mod abc;
pub mod collections;
pub mod contextvars;
pub mod functools;
pub mod gc;
pub mod itertools;
pub mod pickle;
pub mod queue;
pub mod support;
pub mod typing;
pub mod weakref;

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[
    &abc::MODULE,
    &collections::MODULE,
    &contextvars::MODULE,
    &functools::MODULE,
    &gc::MODULE,
    &itertools::MODULE,
    &pickle::MODULE,
    &queue::MODULE,
    &typing::MODULE,
    &weakref::MODULE,
];

//! Native modules of numbers and operators: mathematics, random numbers, packed data, and the algorithms behind `operator`,
//! `bisect`, `heapq` and `statistics`.
//!
//! One file (or folder) a module, each ending in its `pub static MODULE`; [`MODULES`] lists them.
#![forbid(unsafe_code)]

pub mod array;
pub mod bisect;
pub mod cmath;
pub mod heapq;
pub mod math;
pub mod operator;
pub mod random;
pub mod statistics;
pub mod structs;

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[
    &array::MODULE,
    &bisect::MODULE,
    &cmath::MODULE,
    &heapq::MODULE,
    &math::MODULE,
    &operator::MODULE,
    &random::MODULE,
    &statistics::MODULE,
    &structs::MODULE,
];

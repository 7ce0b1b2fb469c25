//! Native modules about text and bytes: codecs, patterns, data formats, digests.
//!
//! One file (or folder) a module, each ending in its `pub static MODULE`; [`MODULES`] lists them.
#![forbid(unsafe_code)]

pub mod codecs;
pub mod json;
pub mod sre;

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[&codecs::MODULE, &json::MODULE, &sre::MODULE];

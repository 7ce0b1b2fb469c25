//! Native modules: text.

use pellucid_object::ModuleDef;

/// The modules of this crate.
pub static MODULES: &[&ModuleDef] = &[];

//! Native modules: core.

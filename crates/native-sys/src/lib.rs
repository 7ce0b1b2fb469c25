//! Native modules: sys.

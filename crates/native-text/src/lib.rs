//! Native modules: text.

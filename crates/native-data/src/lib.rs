//! Native modules: data.

//! The embedding API: puts the parts together.

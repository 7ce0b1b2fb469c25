//! pellucid-lens

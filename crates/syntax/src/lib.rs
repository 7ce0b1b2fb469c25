//! pellucid-syntax

//! pellucid-compiler

//! pellucid-memory

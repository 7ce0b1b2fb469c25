//! pellucid-types

//! pellucid-object

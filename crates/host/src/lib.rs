//! pellucid-host

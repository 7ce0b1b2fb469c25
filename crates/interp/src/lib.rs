//! pellucid-interp

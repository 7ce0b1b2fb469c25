//! pellucid-notebook

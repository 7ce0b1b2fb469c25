//! pellucid-repl

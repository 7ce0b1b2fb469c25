//! pellucid-bytecode

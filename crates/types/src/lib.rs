//! What Python sees of the builtin types: one file or folder a type, each ending in its `TypeDef`.
#![forbid(unsafe_code)]

//! Read-only views of bytecode, caches, heap, counts and time, as native modules.

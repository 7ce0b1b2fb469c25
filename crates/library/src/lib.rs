//! The Python half of the standard library, compiled when this crate is built and embedded.

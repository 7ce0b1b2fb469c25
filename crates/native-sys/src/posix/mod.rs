//! `posix`: the system.

pub mod path;

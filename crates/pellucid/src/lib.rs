//! The embedding API: puts the parts together.
//!
//! ```text
//!   Config ──▶ Pellucid ──▶ run_source · run_file · run_module · run_stdin
//!                 │ object, types, interp, native modules ([`modules`]), the library, the import system
//!                 └▶ end(): atexit, modules fall in order, the exit code
//! ```
//!
//! Start with `config.rs` (what an interpreter is started with), then `start.rs`. The import system is `import.rs`
//! (modules that need no file: quick and native) and `importlib.rs` (all others, by the library's own `importlib`).
//!
//! Invariants
//! - Nothing global: two [`Pellucid`]s in two threads share nothing that changes.
//! - What is not needed does not run: `importlib`, `site` and `traceback` are imported when something asks for them.
#![forbid(unsafe_code)]

pub mod config;
mod errors;
mod imp;
mod import;
mod importer;
mod importlib;
pub mod modules;
mod paths;
mod run;
mod shutdown;
mod start;
mod stdio;

pub use config::{Config, Flags};
pub use errors::INTERRUPTED;
pub use pellucid_host::{Capability, Host};
pub use pellucid_host::{end_by_interrupt, is_forked};
pub use pellucid_jit as jit;
pub use pellucid_object::{Interpreter, Raised, Res, Value};
pub use start::{Pellucid, on_big_stack};

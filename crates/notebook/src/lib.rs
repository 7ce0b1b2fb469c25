//! Notebooks: files of nbformat 3 and 4, run cell by cell.
//!
//! ```text
//!   FILE.ipynb ──▶ Notebook (JSON as it is) ──▶ cells ──▶ the shell (py/pellucid_shell) ──▶ outputs ──▶ --save
//! ```
//!
//! The file stays the JSON value that was read, so what is saved keeps everything that nobody here knows of. The shell,
//! with IPython's magics, is Python code of ours that the library embeds.
#![forbid(unsafe_code)]

mod file;
mod run;

pub use file::{Error, Notebook};
pub use run::run;

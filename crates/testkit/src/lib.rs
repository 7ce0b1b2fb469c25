//! Test support: the runner of file tests, random input ([`random`]), and two ways of running Python compared by random
//! programs ([`generate`], [`differential`], [`shrink`]).
//!
//! A case is a program `tests/lang/<topic>/<case>.py` beside what it must print, `<case>.out`; with `<case>.err` also what
//! it must write to standard error, and with `<case>.in` what it reads. Head comments change how it is run:
//!
//! ```text
//! # test: exit 3            the exit code (else 0)
//! # test: options -O -B     options of the interpreter
//! # test: args a b          arguments of the program
//! # test: modes plain       only in these modes
//! ```
//!
//! Every case runs in every mode that is asked for ([`Mode`]); the answers must be the same. `known_failures.txt` lists
//! cases that fail, one a line, `topic/case` or `topic/case mode`: a listed one that passes fails the run.
#![forbid(unsafe_code)]

pub mod differential;
pub mod generate;
pub mod lang;
pub mod process;
pub mod random;
pub mod shrink;

pub use lang::{Mode, Outcome, run};

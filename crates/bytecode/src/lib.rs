//! Pellucid's public bytecode: CPython 3.10's wordcode with a few opcodes of its own.
//!
//! An instruction is two bytes, opcode and argument; `EXTENDED_ARG` in front widens the argument.
//! What 3.10 has no opcodes for (exception groups, type parameters, template strings) is in numbers
//! it leaves free, so a listing reads as every text about Python's bytecode shows it.
//!
//! - [`ops`]: the opcodes, one table.
//! - [`code`]: a code object as plain data.
//! - [`lines`]: which line an instruction belongs to.
//! - [`positions`]: lines and columns of each instruction, for tracebacks.
//! - [`decode`]: the instructions of a code object, and where they jump.
//! - [`dis`]: their listing.
//! - [`marshal`]: constants and code as bytes.
//! - [`pyc`]: files of compiled modules.
//! - [`verify`]: whether code from outside is safe to run.
#![forbid(unsafe_code)]

pub mod code;
pub mod decode;
pub mod dis;
pub mod lines;
pub mod marshal;
pub mod ops;
pub mod positions;
pub mod pyc;
pub mod verify;

pub use code::{Code, Const, Str, Wtf8};
pub use ops::Op;

//! From bytes to a syntax tree: decoding of source, the parser behind one function, and SyntaxErrors in CPython's words.
//!
//! ```text
//! bytes -> Source (text, lines) -> parse -> Parsed (ruff's tree, its source, its warnings)
//!                                    \-> SyntaxError (kind, message, place)
//! ```
//! Start reading at [`source`] and [`parse`]. `ruff_python_parser` is named in [`parse`] alone.
//!
//! Invariants
//! - Every position is an offset into [`Source::text`]: line ends are `\n` there, a byte order mark is gone.
//! - A [`Parsed`] tree is at most [`MAX_DEPTH`] levels deep, and its destruction never recurses deeper than that.
//! - Absent on purpose: scopes (symbol table errors are the compiler's) and Python objects.

#![forbid(unsafe_code)]

mod depth;
mod diagnose;
mod encoding;
mod error;
mod parse;
mod source;
pub mod strings;
pub mod tokenizer;

pub use depth::{MAX_DEPTH, with_stack_for};
pub use encoding::declared_encoding;
pub use error::{ErrorKind, Metadata, SyntaxError};
pub use parse::{Flags, Mode, Parsed, parse, parse_with};
pub use ruff_python_ast as ast;
pub use ruff_text_size as text_size;
pub use source::{Position, Source, StringOverride};
pub use strings::Warning;

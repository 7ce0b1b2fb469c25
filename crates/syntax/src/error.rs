//! What `compile` can find wrong with source, worded and placed as CPython does.

use crate::source::Source;
use ruff_text_size::{TextRange, TextSize};
use std::fmt;

/// Which Python exception the error becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`.
    Syntax,
    /// `IndentationError`.
    Indentation,
    /// `TabError`.
    Tab,
    /// `_IncompleteInputError`: more lines could make it valid (asked for by interactive consoles).
    Incomplete,
    /// `ValueError`.
    Value,
    /// `RecursionError`.
    Recursion,
    /// `MemoryError`.
    Memory,
}

/// An error of the source. `line` is 0 when there is no place to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub message: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub offset: usize,
    /// As [`SyntaxError::line`], of the first character after the fault; 0: not reported.
    pub end_line: usize,
    /// As [`SyntaxError::offset`]; -1 where CPython knows the line only.
    pub end_offset: isize,
    /// The text of the line, when the source is at hand.
    pub text: Option<String>,
    /// For a plain `invalid syntax`: what a search for mistyped keywords starts from (`_metadata` of the exception).
    pub metadata: Option<Box<Metadata>>,
}

/// The last statement that was understood, and the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub line: usize,
    /// In bytes, from 0.
    pub column: usize,
    pub source: String,
}

impl SyntaxError {
    /// An error that has no place.
    pub fn without_place(kind: ErrorKind, message: impl Into<String>) -> SyntaxError {
        let message = message.into();
        SyntaxError {
            kind,
            message,
            line: 0,
            offset: 0,
            end_line: 0,
            end_offset: 0,
            text: None,
            metadata: None,
        }
    }

    /// Source that cannot be decoded: it has no lines yet, which CPython reports as line 0, offset -1.
    pub fn of_encoding(message: impl Into<String>) -> SyntaxError {
        SyntaxError { end_offset: -1, ..SyntaxError::without_place(ErrorKind::Syntax, message) }
    }

    /// Whether this is about source that cannot be decoded.
    pub fn is_of_encoding(&self) -> bool {
        self.line == 0 && self.end_offset < 0
    }

    /// A `SyntaxError` about a piece of source.
    pub fn at(source: &Source, range: TextRange, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(ErrorKind::Syntax, source, range.start(), Some(range.end()), message)
    }

    /// An error of any kind that starts at `start`; without `end` only the start is reported.
    pub fn new(
        kind: ErrorKind,
        source: &Source,
        start: TextSize,
        end: Option<TextSize>,
        message: impl Into<String>,
    ) -> SyntaxError {
        let from = source.position(start);
        let to = end.map(|end| source.position(end));
        SyntaxError {
            kind,
            message: message.into(),
            line: from.line,
            offset: from.column_chars + 1,
            end_line: to.map_or(0, |to| to.line),
            end_offset: to.map_or(0, |to| to.column_chars as isize + 1),
            text: source.has_text().then(|| source.line_text(from.line).to_string()),
            metadata: None,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

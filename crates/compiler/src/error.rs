//! What is wrong with a program whose syntax is right.

use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{ErrorKind, Source, SyntaxError};

/// An error, and the piece of source it is about.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: ErrorKind,
    message: String,
    range: Option<TextRange>,
}

/// The result of a step of compilation.
pub type Outcome<T = ()> = Result<T, Box<Failure>>;

impl Failure {
    /// A `SyntaxError` about a piece of source.
    pub fn at<T>(range: TextRange, message: impl Into<String>) -> Outcome<T> {
        Err(Box::new(Failure { kind: ErrorKind::Syntax, message: message.into(), range: Some(range) }))
    }

    /// An error that has no place.
    pub fn of_kind<T>(kind: ErrorKind, message: impl Into<String>) -> Outcome<T> {
        Err(Box::new(Failure { kind, message: message.into(), range: None }))
    }

    /// The error as the syntax crate words its own.
    pub fn into_syntax_error(self, source: &Source) -> SyntaxError {
        match self.range {
            Some(range) => {
                SyntaxError::new(self.kind, source, range.start(), Some(range.end()), self.message)
            }
            None => SyntaxError::without_place(self.kind, self.message),
        }
    }
}

//! The parser behind one function.

use crate::depth;
use crate::error::{ErrorKind, SyntaxError};
use crate::source::Source;
use crate::strings::{self, Warning};
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::ParseOptions;
use ruff_text_size::Ranged;

/// What is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression.
    Eval,
    /// One interactive statement.
    Single,
    /// A signature type comment, `(int, str) -> bool`. The tree is a module of two expression statements: the tuple of
    /// the arguments, and the result.
    FuncType,
}

/// A tree with the source that its ranges point into.
#[derive(Debug)]
pub struct Parsed {
    pub module: Mod,
    pub source: Source,
    pub mode: Mode,
    /// Invalid escapes and the like, in order.
    pub warnings: Vec<Warning>,
    /// Depth of the tree: see [`crate::with_stack_for`].
    pub depth: usize,
}

impl Parsed {
    /// A tree that was built by hand. Errors: it is too deep.
    pub fn from_tree(module: Mod, source: Source, mode: Mode) -> Result<Parsed, SyntaxError> {
        let depth = depth::measure(&module);
        let parsed = Parsed { module, source, mode, warnings: Vec::new(), depth };
        if depth > depth::MAX_DEPTH { Err(too_deep()) } else { Ok(parsed) }
    }
}

impl Drop for Parsed {
    fn drop(&mut self) {
        depth::dismantle(&mut self.module, self.depth);
    }
}

fn too_deep() -> SyntaxError {
    SyntaxError::without_place(ErrorKind::Recursion, "maximum recursion depth exceeded during compilation")
}

/// Parses source. Errors: what is wrong with it, in CPython's words.
pub fn parse(source: Source, mode: Mode) -> Result<Parsed, SyntaxError> {
    if memchr::memchr(0, source.text().as_bytes()).is_some() {
        return Err(SyntaxError::without_place(
            ErrorKind::Syntax,
            "source code string cannot contain null bytes",
        ));
    }
    let ruff_mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        _ => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY314);
    let parsed = ruff_python_parser::parse_unchecked(source.text(), options);
    let found = parsed
        .errors()
        .iter()
        .map(|e| e.location)
        .chain(parsed.unsupported_syntax_errors().iter().map(|e| e.range))
        .next();
    let warnings = if found.is_none() { strings::warnings(&source, parsed.tokens()) } else { Vec::new() };
    let module = parsed.into_syntax();
    let depth = depth::measure(&module);
    let parsed = Parsed { module, source, mode, warnings, depth };
    if let Some(range) = found {
        return Err(SyntaxError::at(&parsed.source, range, "invalid syntax"));
    }
    if depth > depth::MAX_DEPTH {
        return Err(too_deep());
    }
    debug_assert!(parsed.module.range().end().to_usize() <= parsed.source.text().len());
    Ok(parsed)
}

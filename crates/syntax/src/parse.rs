//! The parser behind one function.

use crate::depth;
use crate::diagnose::diagnose;
use crate::error::{ErrorKind, SyntaxError};
use crate::source::Source;
use crate::strings::{self, Warning};
use ruff_python_ast::token::{TokenKind, Tokens};
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
        let (depth, _) = depth::measure(&module);
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

/// Options of parsing that `compile` flags ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Source that ends too early is [`ErrorKind::Incomplete`].
    pub allow_incomplete: bool,
    /// The end of interactive source does not end open blocks.
    pub dont_imply_dedent: bool,
    /// `<>` instead of `!=`.
    pub barry: bool,
    /// Digits of a decimal int that are converted.
    pub max_digits: usize,
}

impl Default for Flags {
    fn default() -> Flags {
        Flags { allow_incomplete: false, dont_imply_dedent: false, barry: false, max_digits: 4300 }
    }
}

/// Parses source. Errors: what is wrong with it, in CPython's words.
pub fn parse(source: Source, mode: Mode) -> Result<Parsed, SyntaxError> {
    parse_with(source, mode, Flags::default())
}

/// As [`parse`], with options.
pub fn parse_with(source: Source, mode: Mode, flags: Flags) -> Result<Parsed, SyntaxError> {
    if memchr::memchr(0, source.text().as_bytes()).is_some() {
        let message = "source code string cannot contain null bytes";
        return Err(SyntaxError::without_place(ErrorKind::Syntax, message));
    }
    let checked = is_risky(source.text()) && is_deep(source.text())
        || mode == Mode::Single
        || mode == Mode::FuncType
        || flags.barry;
    if checked && let Some(error) = diagnose(source.text(), mode, flags) {
        return Err(error);
    }
    let ruff_mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        _ => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY314);
    let parsed = ruff_python_parser::parse_unchecked(source.text(), options);
    let errors = parsed.errors().iter().map(|e| e.location);
    let unsupported = parsed.unsupported_syntax_errors().iter().map(|e| e.range);
    let found = errors.chain(unsupported).next();
    let suspicious = found.is_some() || has_suspicious_token(parsed.tokens(), flags.max_digits);
    let warnings = if found.is_none() { strings::warnings(&source, parsed.tokens()) } else { Vec::new() };
    let module = parsed.into_syntax();
    let (depth, odd_pattern) = depth::measure(&module);
    let suspicious = suspicious || odd_pattern;
    let parsed = Parsed { module, source, mode, warnings, depth };
    if suspicious
        && !checked
        && let Some(error) = diagnose(parsed.source.text(), mode, flags)
    {
        return Err(error);
    }
    if let Some(range) = found {
        return Err(SyntaxError::at(&parsed.source, range, "invalid syntax"));
    }
    if depth > depth::MAX_DEPTH { Err(too_deep()) } else { Ok(parsed) }
}

/// Levels of blocks that CPython's tokenizer refuses.
const MAX_INDENT: usize = 100;

/// Nesting of strings with fields, and of fields within the specifications of fields.
const MAX_STRINGS: usize = 149;
const MAX_FIELDS: usize = 3;

/// Whether there is something that the parser lets pass and CPython does not: deep indentation, very long numbers,
/// fields in strings in fields. May be true for what is fine.
fn has_suspicious_token(tokens: &Tokens, max_digits: usize) -> bool {
    let mut depth = 0usize;
    // Braces open in each string with fields.
    let mut strings: Vec<usize> = Vec::new();
    tokens.iter().any(|token| match token.kind() {
        TokenKind::Indent => {
            depth += 1;
            depth >= MAX_INDENT
        }
        TokenKind::Dedent => {
            depth = depth.saturating_sub(1);
            false
        }
        TokenKind::Int => token.range().len().to_usize() > max_digits,
        TokenKind::FStringStart | TokenKind::TStringStart => {
            strings.push(0);
            strings.len() > MAX_STRINGS
        }
        TokenKind::FStringEnd | TokenKind::TStringEnd => {
            strings.pop();
            false
        }
        TokenKind::Lbrace => strings.last_mut().is_some_and(|braces| {
            *braces += 1;
            *braces > MAX_FIELDS
        }),
        TokenKind::Rbrace => {
            if let Some(braces) = strings.last_mut() {
                *braces = braces.saturating_sub(1);
            }
            false
        }
        _ => false,
    })
}

/// From here on nesting is looked at before the parser sees it.
const RISKY_BRACKETS: usize = 200;
const RISKY_OPERATORS: usize = 2_000;

/// Whether nesting could be so deep that the parser would need much memory for its stack. May be wrong where strings
/// and comments look like code: that costs time only.
fn is_risky(text: &str) -> bool {
    if text.len() < RISKY_BRACKETS {
        return false;
    }
    let (mut brackets, mut operators, mut lambdas) = (0usize, 0usize, 0usize);
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b',' => operators = 0,
            b'+' | b'-' | b'~' | b'*' => operators += 1,
            b'l' if bytes[at..].starts_with(b"lambda") => lambdas += 1,
            b'n' if bytes[at..].starts_with(b"not") => operators += 1,
            b'e' if bytes[at..].starts_with(b"else") => operators += 1,
            b'a' if bytes[at..].starts_with(b"async") || bytes[at..].starts_with(b"await") => operators += 1,
            _ => continue,
        }
        if brackets > RISKY_BRACKETS || operators > RISKY_OPERATORS || lambdas > RISKY_OPERATORS {
            return true;
        }
    }
    false
}

/// The same question, answered by tokens: exact, but slower.
fn is_deep(text: &str) -> bool {
    use crate::tokenizer::{TokenKind as K, Tokenizer, TokenizerOptions};
    let mut tokenizer = Tokenizer::new(text, TokenizerOptions::default());
    let (mut operators, mut lambdas) = (0usize, 0usize);
    loop {
        let Ok(token) = tokenizer.get() else { return true };
        match token.kind {
            K::EndMarker => return false,
            K::Newline => (operators, lambdas) = (0, 0),
            K::Comma => operators = 0,
            K::Plus | K::Minus | K::Tilde | K::Star | K::DoubleStar => operators += 1,
            K::Name => match text.get(token.start..token.end) {
                Some("lambda") => lambdas += 1,
                Some("not" | "else" | "async" | "await") => operators += 1,
                _ => {}
            },
            _ => {}
        }
        if tokenizer.brackets().len() > RISKY_BRACKETS
            || operators > RISKY_OPERATORS
            || lambdas > RISKY_OPERATORS
        {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_deep, is_risky};

    #[test]
    fn many_statements_are_not_deep() {
        let many = "x = not -y if z else +1\n".repeat(5_000);
        assert!(is_risky(&many) && !is_deep(&many));
        let one = format!("x = ({})\n", "not\n".repeat(5_000));
        assert!(is_risky(&one) && is_deep(&one));
        let string = format!("x = '{}'\n", "(".repeat(5_000));
        assert!(is_risky(&string) && !is_deep(&string));
        let lambdas = format!("x = {}0\n", "lambda: \\\n".repeat(5_000));
        assert!(is_risky(&lambdas) && is_deep(&lambdas));
    }
}

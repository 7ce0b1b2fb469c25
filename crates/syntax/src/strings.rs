//! Values of string literals as Python has them, and what is dubious about their escapes.
//!
//! The tree holds literals as `str`, where a lone surrogate (`'\ud800'`) has become U+FFFD. The functions here give
//! WTF-8: they look at the source again where that matters.

use crate::source::{Source, StringOverride};
use ruff_python_ast::str::TripleQuotes;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{self as ast, AnyStringFlags, StringFlags};
use ruff_text_size::{Ranged, TextRange, TextSize};
use std::borrow::Cow;

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A `SyntaxWarning` found while parsing; `range` is where the error points when warnings are errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub message: String,
    pub range: TextRange,
    /// The line that the warning is reported on.
    pub line: usize,
}

/// The value of one piece of a string literal, WTF-8.
pub fn literal_value<'a>(source: &Source, literal: &'a ast::StringLiteral) -> Cow<'a, [u8]> {
    if let Some(StringOverride::Text(text)) = source.override_at(literal.start()) {
        return Cow::Owned(text.clone());
    }
    if !literal.value.contains(REPLACEMENT) || !source.has_text() || literal.flags.prefix().is_raw() {
        return Cow::Borrowed(literal.value.as_bytes());
    }
    Cow::Owned(unescape(source.slice(literal.content_range()), false))
}

/// The value of a string expression, its pieces joined, WTF-8.
pub fn string_value<'a>(source: &Source, string: &'a ast::ExprStringLiteral) -> Cow<'a, [u8]> {
    let mut parts = string.value.iter();
    match (parts.next(), parts.next()) {
        (Some(only), None) => literal_value(source, only),
        _ => Cow::Owned(
            string.value.iter().flat_map(|part| literal_value(source, part).into_owned()).collect(),
        ),
    }
}

/// The value of the text between the fields of an f-string or t-string, WTF-8. `raw`: the string has an `r` prefix.
pub fn element_value<'a>(
    source: &Source,
    element: &'a ast::InterpolatedStringLiteralElement,
    raw: bool,
) -> Cow<'a, [u8]> {
    if let Some(StringOverride::Text(text)) = source.override_at(element.start()) {
        return Cow::Owned(text.clone());
    }
    if raw || !element.value.contains(REPLACEMENT) || !source.has_text() {
        return Cow::Borrowed(element.value.as_bytes());
    }
    Cow::Owned(unescape(source.slice(element.range), true))
}

/// Decodes the escapes of a `str` literal's contents (which a parser has found to be valid).
fn unescape(text: &str, braces: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if braces && matches!(c, '{' | '}') && rest.starts_with(c) {
            rest = &rest[1..];
        }
        if c != '\\' {
            push(&mut out, c as u32);
            continue;
        }
        let Some(kind) = rest.chars().next() else {
            out.push(b'\\');
            break;
        };
        rest = &rest[kind.len_utf8()..];
        match kind {
            '\n' => {}
            '\\' | '\'' | '"' => push(&mut out, kind as u32),
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '0'..='7' => {
                let more = rest.bytes().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let digits = &rest[..more];
                rest = &rest[more..];
                let first = kind as u32 - '0' as u32;
                push(&mut out, digits.bytes().fold(first, |n, b| n * 8 + u32::from(b - b'0')));
            }
            'x' | 'u' | 'U' => {
                let count = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits = rest.get(..count).unwrap_or("");
                rest = rest.get(count..).unwrap_or("");
                push(&mut out, u32::from_str_radix(digits, 16).unwrap_or(REPLACEMENT as u32));
            }
            'N' => {
                let end = rest.find('}').unwrap_or(rest.len());
                let name = rest.get(1..end).unwrap_or("");
                rest = rest.get(end + 1..).unwrap_or("");
                push(&mut out, unicode_names2::character(name).unwrap_or(REPLACEMENT) as u32);
            }
            other => {
                out.push(b'\\');
                push(&mut out, other as u32);
            }
        }
    }
    out
}

/// Appends a code point as UTF-8, surrogates as three bytes. A low surrogate after a high one stays one of a pair, as
/// in CPython's strings.
fn push(out: &mut Vec<u8>, point: u32) {
    match char::from_u32(point) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([
            0xe0 | (point >> 12) as u8,
            0x80 | (point >> 6 & 0x3f) as u8,
            0x80 | (point & 0x3f) as u8,
        ]),
    }
}

/// Escapes that mean nothing, in the string tokens of a module; numbers that run into a keyword.
pub(crate) fn warnings(source: &Source, tokens: &Tokens) -> Vec<Warning> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token.kind(), TokenKind::Int | TokenKind::Float | TokenKind::Complex)
            && let Some(next) = tokens.get(at + 1)
            && next.start() == token.end()
            && next.kind().is_keyword()
        {
            let kind = number_kind(token.kind(), source.slice(token.range()));
            let (range, line) = (token.range(), source.line(token.start()));
            found.push(Warning { message: format!("invalid {kind} literal"), range, line });
            continue;
        }
        let (open, close) = match token.kind() {
            TokenKind::String => (true, true),
            TokenKind::FStringMiddle | TokenKind::TStringMiddle => (false, false),
            _ => continue,
        };
        let Some(flags) = token.string_flags() else { continue };
        if flags.is_raw_string() {
            continue;
        }
        let mut text = source.slice(token.range());
        if !close && text.ends_with('\\') {
            // The brace behind it, which starts a field, is what it would escape.
            text = source.slice(TextRange::new(token.start(), token.end() + TextSize::from(1)));
        }
        if memchr::memchr(b'\\', text.as_bytes()).is_none() {
            continue;
        }
        let start = if open { opener_len(flags) } else { 0 };
        let end = if close { text.len().saturating_sub(closer_len(flags)) } else { text.len() };
        let contents = text.get(start..end).unwrap_or("");
        let bytes = flags.prefix().is_bytes();
        if let Some(message) = invalid_escape(contents, bytes) {
            found.push(Warning { message, range: token.range(), line: source.line(token.start()) });
        }
    }
    found
}

/// What CPython calls a number written so.
fn number_kind(kind: TokenKind, text: &str) -> &'static str {
    let prefix = text.as_bytes().get(1).map(u8::to_ascii_lowercase);
    match (kind, prefix) {
        (TokenKind::Complex, _) => "imaginary",
        (TokenKind::Int, Some(b'x')) => "hexadecimal",
        (TokenKind::Int, Some(b'o')) => "octal",
        (TokenKind::Int, Some(b'b')) => "binary",
        _ => "decimal",
    }
}

fn closer_len(flags: AnyStringFlags) -> usize {
    if flags.triple_quotes() == TripleQuotes::Yes { 3 } else { 1 }
}

fn opener_len(flags: AnyStringFlags) -> usize {
    flags.opener_len().to_usize()
}

/// The warning about the first escape of a literal's contents that means nothing.
pub fn invalid_escape(contents: &str, bytes: bool) -> Option<String> {
    let mut chars = contents.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        let kind = chars.next()?;
        match kind {
            '\n' | '\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' => {}
            'N' | 'u' | 'U' if !bytes => {}
            '0'..='7' => {
                let mut digits = String::from(kind);
                while digits.len() < 3
                    && let Some(&next @ '0'..='7') = chars.peek()
                {
                    digits.push(next);
                    chars.next();
                }
                if digits.len() == 3 && kind > '3' {
                    return Some(format!(
                        "\"\\{digits}\" is an invalid octal escape sequence. Such sequences will not work in the \
                         future. Did you mean \"\\\\{digits}\"? A raw string is also an option."
                    ));
                }
            }
            other => {
                return Some(format!(
                    "\"\\{other}\" is an invalid escape sequence. Such sequences will not work in the future. Did \
                     you mean \"\\\\{other}\"? A raw string is also an option."
                ));
            }
        }
    }
    None
}

/// The text of an interpolation's expression as a t-string keeps it (`Interpolation.expression`): from the brace to what
/// ends the expression, without blanks and `=` at its end.
pub fn expression_text<'a>(source: &'a Source, element: &'a ast::InterpolatedElement) -> Cow<'a, str> {
    if let Some(StringOverride::Text(text)) = source.override_at(element.start()) {
        return Cow::Owned(String::from_utf8_lossy(text).into_owned());
    }
    let start = element.start() + TextSize::from(1);
    let mut end = element.expression.end();
    let rest = source.slice(TextRange::new(end, element.end()));
    // Closing parentheses, blanks and comments may stand between the expression and what ends it.
    let mut comment = false;
    for c in rest.chars() {
        match c {
            '\n' => comment = false,
            _ if comment => {}
            '#' => comment = true,
            '!' | ':' | '}' => break,
            _ => {}
        }
        end += TextSize::of(c);
    }
    let text = source.slice(TextRange::new(start, end));
    Cow::Borrowed(text.trim_end_matches(|c: char| c.is_whitespace() || c == '='))
}

/// What `f"{x=}"` shows before the value: the text of the field without comments.
pub fn debug_text(debug: &ast::DebugText) -> Cow<'_, str> {
    if !debug.as_str().contains('#') {
        return Cow::Borrowed(debug.as_str());
    }
    let mut text = String::new();
    let mut quote = None;
    let mut chars = debug.as_str().chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(open) => quote = if c == open { None } else { Some(open) },
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '#' => {
                if chars.any(|c| c == '\n') {
                    text.push('\n');
                }
                continue;
            }
            None => {}
        }
        text.push(c);
    }
    Cow::Owned(text)
}

//! Tokens as CPython's tokenizer cuts them, one at a time, with its errors.
//!
//! The parser has its own lexer; this one serves `_tokenize` and the wording of errors, where not only the tokens count
//! but also what has been read when an error comes up: `line` moves on when the first character of the next line is
//! read, and a token without text has no column.

use crate::error::{ErrorKind, SyntaxError};

/// Kinds of tokens, with the numbers of Python's `token` module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TokenKind {
    EndMarker = 0,
    Name,
    Number,
    String,
    Newline,
    Indent,
    Dedent,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    Colon,
    Comma,
    Semicolon,
    Plus,
    Minus,
    Star,
    Slash,
    Bar,
    Ampersand,
    Less,
    Greater,
    Equal,
    Dot,
    Percent,
    LeftBrace,
    RightBrace,
    EqEqual,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Tilde,
    Caret,
    LeftShift,
    RightShift,
    DoubleStar,
    PlusEqual,
    MinusEqual,
    StarEqual,
    SlashEqual,
    PercentEqual,
    AmpersandEqual,
    BarEqual,
    CaretEqual,
    LeftShiftEqual,
    RightShiftEqual,
    DoubleStarEqual,
    DoubleSlash,
    DoubleSlashEqual,
    At,
    AtEqual,
    Arrow,
    Ellipsis,
    ColonEqual,
    Exclamation,
    Op,
    TypeIgnore,
    TypeComment,
    SoftKeyword,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    Comment,
    Nl,
}

impl TokenKind {
    /// Whether the token can go over several lines.
    pub fn is_string(self) -> bool {
        matches!(self, TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle)
    }
    /// Whether `tokenize` calls it `OP`.
    pub fn is_operator(self) -> bool {
        (TokenKind::LeftParen as u8..=TokenKind::Op as u8).contains(&(self as u8))
    }
}

/// A token; columns are bytes from 0, -1 for tokens without text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    /// Offsets of the text.
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub column: i32,
    pub end_line: usize,
    pub end_column: i32,
}

/// Why there is no next token.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenError {
    /// An error worded and placed by the tokenizer.
    Syntax(SyntaxError),
    /// The source ends within brackets or after a backslash.
    EndOfFile,
    /// A dedent to no outer level.
    Dedent,
    /// Tabs and spaces mixed so that the depth depends on the width of tabs.
    TabSpace,
    /// Too many levels of indentation.
    TooDeep,
    /// Text after a backslash.
    Continuation,
}

const MAX_INDENT: usize = 100;
const MAX_LEVEL: usize = 200;
const MAX_STRINGS: usize = 150;
const MAX_FIELDS: i32 = 3;
const TAB: usize = 8;

/// An opening bracket that has not been closed.
#[derive(Clone, Copy, Debug)]
pub struct Bracket {
    pub open: u8,
    pub line: usize,
    /// Bytes from the start of the line.
    pub column: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum ModeKind {
    Regular,
    Text,
}

/// A string with fields that is being read; the first one of the stack is the source itself.
#[derive(Clone)]
struct Mode {
    kind: ModeKind,
    brackets: i32,
    /// Bracket depth at which the open field started; -1: in none.
    field_start: i32,
    quote: u8,
    quotes: usize,
    raw: bool,
    template: bool,
    start: usize,
    first_line: usize,
    line_start: usize,
    in_spec: bool,
    in_debug: bool,
}

impl Mode {
    fn regular() -> Mode {
        Mode {
            kind: ModeKind::Regular,
            brackets: 0,
            field_start: -1,
            quote: 0,
            quotes: 0,
            raw: false,
            template: false,
            start: 0,
            first_line: 0,
            line_start: 0,
            in_spec: false,
            in_debug: false,
        }
    }
    fn in_field(&self) -> bool {
        self.field_start >= 0
    }
    fn at_top_of_field(&self) -> bool {
        self.brackets == self.field_start + 1 && self.in_field()
    }
    fn prefix(&self) -> char {
        if self.template { 't' } else { 'f' }
    }
}

/// How the source is cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenizerOptions {
    /// Comments and line ends within statements are tokens, unmatched brackets and odd numbers no errors: `tokenize`
    /// wants that.
    pub extra_tokens: bool,
}

#[derive(Clone)]
pub struct Tokenizer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    cur: usize,
    start: usize,
    line_start: usize,
    line_end: usize,
    line: usize,
    first_line: usize,
    multi_line_start: usize,
    at_line_start: bool,
    pending: i32,
    indents: Vec<(usize, usize)>,
    brackets: Vec<Bracket>,
    modes: Vec<Mode>,
    continued: bool,
    comment_newline: bool,
    done: bool,
    /// The error is that the source ends within a string of several lines.
    cut_short: bool,
    /// Start of the text that errors show: the line, with those before it that it continues.
    shown_start: usize,
    has_start: bool,
    options: TokenizerOptions,
}

type Got = Result<Token, TokenError>;

fn is_name_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 128
}
fn is_name_char(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 128
}

impl<'a> Tokenizer<'a> {
    /// A tokenizer of text whose line ends are `\n`.
    pub fn new(text: &'a str, options: TokenizerOptions) -> Tokenizer<'a> {
        Tokenizer {
            text,
            bytes: text.as_bytes(),
            cur: 0,
            start: 0,
            line_start: 0,
            line_end: 0,
            line: 0,
            first_line: 0,
            multi_line_start: 0,
            at_line_start: true,
            pending: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            modes: vec![Mode::regular()],
            continued: false,
            comment_newline: false,
            done: false,
            cut_short: false,
            shown_start: 0,
            has_start: false,
            options,
        }
    }

    /// The same tokenizer for text that starts with what it has read so far. Who has only a part of the text tries with
    /// a copy and, when that [is done](Tokenizer::is_done), again with more.
    pub fn with_text(self, text: &str) -> Tokenizer<'_> {
        Tokenizer { text, bytes: text.as_bytes(), ..self }
    }

    pub fn line(&self) -> usize {
        self.line
    }
    /// Bytes read of the current line.
    pub fn column(&self) -> usize {
        self.cur.saturating_sub(self.line_start)
    }
    /// Brackets that are open.
    pub fn brackets(&self) -> &[Bracket] {
        &self.brackets
    }
    /// Whether the source has been read to its end.
    pub fn is_done(&self) -> bool {
        self.done
    }
    /// Whether the source ended where more of it could have made it valid.
    pub fn wants_more(&self) -> bool {
        self.done || self.cut_short
    }
    /// The text from the start of the current line (or of the first line that it continues) to its end.
    pub fn shown(&self) -> &'a str {
        self.text.get(self.shown_start..self.line_end).unwrap_or("")
    }
    /// Bytes read since the start of [`Tokenizer::shown`].
    pub fn shown_column(&self) -> usize {
        self.cur.saturating_sub(self.shown_start)
    }
    /// Where the line of a token's text starts: the first one of a string of several lines.
    pub fn token_line_start(&self, kind: TokenKind) -> usize {
        if kind.is_string() { self.multi_line_start } else { self.line_start }
    }
    /// Where the current line ends, its line end included.
    pub fn line_end(&self) -> usize {
        self.line_end
    }
    /// Offset of the current line.
    pub fn line_start(&self) -> usize {
        self.line_start
    }
    /// Levels of indentation.
    pub fn indent_depth(&self) -> usize {
        self.indents.len() - 1
    }
    /// Makes the next tokens the dedents that end all blocks (an interactive statement ends with its source).
    pub fn end_blocks(&mut self) {
        self.pending = -(self.indent_depth() as i32);
        self.indents.truncate(1);
    }

    fn next(&mut self) -> Option<u8> {
        if self.cur == self.line_end {
            if self.done || self.cur == self.bytes.len() {
                self.done = true;
                return None;
            }
            self.line_start = self.cur;
            if !self.has_start {
                self.shown_start = self.cur;
            }
            let rest = &self.bytes[self.cur..];
            self.line_end = memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |at| self.cur + at + 1);
            self.line += 1;
        }
        let c = self.bytes[self.cur];
        self.cur += 1;
        Some(c)
    }

    fn back(&mut self, c: Option<u8>) {
        if c.is_some() {
            self.cur -= 1;
        }
    }

    fn mode(&mut self) -> &mut Mode {
        let last = self.modes.len() - 1;
        &mut self.modes[last]
    }
    /// Whether a string with fields is open.
    pub fn in_string(&self) -> bool {
        self.modes.len() > 1
    }

    fn token(&self, kind: TokenKind, span: Option<(usize, usize)>) -> Token {
        let multi = kind.is_string();
        let line = if multi { self.first_line } else { self.line };
        let line_start = if multi { self.multi_line_start } else { self.line_start };
        let column = |at: usize, from: usize| if at >= from { (at - from) as i32 } else { -1 };
        match span {
            Some((start, end)) => Token {
                kind,
                start,
                end,
                line,
                column: column(start, line_start),
                end_line: self.line,
                end_column: column(end, self.line_start),
            },
            None => Token {
                kind,
                start: self.cur,
                end: self.cur,
                line,
                column: -1,
                end_line: self.line,
                end_column: -1,
            },
        }
    }

    /// The span of tokens without text.
    fn no_text(&self) -> Option<(usize, usize)> {
        self.options.extra_tokens.then_some((self.cur, self.cur))
    }

    fn here(&self, kind: TokenKind) -> Got {
        Ok(self.token(kind, Some((self.start, self.cur))))
    }

    /// An error of the current line, from the character at a byte to that before another, by default where reading stands.
    fn error_at(&self, bytes: Option<(usize, usize)>, message: String) -> TokenError {
        let line = self.text.get(self.line_start..self.line_end).unwrap_or("");
        let characters = |end: usize| {
            let before = self.text.get(self.line_start..end.max(self.line_start));
            before.map_or(self.column(), |before| before.chars().count())
        };
        let (offset, end_offset) = match bytes {
            Some((start, end)) => (characters(start) + 1, characters(end) as isize),
            None => (characters(self.cur), characters(self.cur) as isize),
        };
        TokenError::Syntax(SyntaxError {
            kind: ErrorKind::Syntax,
            message,
            line: self.line,
            offset,
            end_line: self.line,
            end_offset,
            text: Some(line.trim_end_matches('\n').to_string()),
            metadata: None,
        })
    }

    fn error(&self, message: impl Into<String>) -> TokenError {
        self.error_at(None, message.into())
    }

    /// The next token. After an error there is none.
    pub fn get(&mut self) -> Got {
        match self.mode().kind {
            ModeKind::Regular => self.get_regular(),
            ModeKind::Text => self.get_text(),
        }
    }

    fn get_regular(&mut self) -> Got {
        loop {
            let mut blank_line = false;
            self.has_start = false;
            if self.at_line_start {
                self.at_line_start = false;
                blank_line = self.indentation()?;
            }
            self.start = self.cur;
            if self.pending < 0 {
                self.pending += 1;
                return Ok(self.token(TokenKind::Dedent, self.no_text()));
            }
            if self.pending > 0 {
                self.pending -= 1;
                let span = self.options.extra_tokens.then_some((self.line_start, self.cur));
                return Ok(self.token(TokenKind::Indent, span));
            }
            if let Some(token) = self.logical_line(blank_line)? {
                return Ok(token);
            }
        }
    }

    /// Reads the blanks at the start of a line; true when there is nothing else but a comment.
    fn indentation(&mut self) -> Result<bool, TokenError> {
        let (mut column, mut alternative, mut continued) = (0, 0, 0);
        let c = loop {
            let c = self.next();
            match c {
                Some(b' ') => {
                    column += 1;
                    alternative += 1;
                }
                Some(b'\t') => {
                    column = (column / TAB + 1) * TAB;
                    alternative += 1;
                }
                Some(b'\x0c') => {
                    column = 0;
                    alternative = 0;
                }
                Some(b'\\') => {
                    // The first line of a continued indentation decides.
                    if continued == 0 {
                        continued = column;
                    }
                    self.continuation()?;
                }
                _ => break c,
            }
        };
        self.back(c);
        if matches!(c, Some(b'#' | b'\n' | b'\r')) {
            return Ok(true);
        }
        if !self.brackets.is_empty() {
            return Ok(false);
        }
        if continued != 0 {
            column = continued;
            alternative = continued;
        }
        let (top, top_alternative) = self.indents.last().copied().unwrap_or_default();
        if column == top {
            if alternative != top_alternative {
                return Err(self.tab_space());
            }
        } else if column > top {
            if self.indents.len() >= MAX_INDENT {
                self.cur = self.line_end;
                return Err(TokenError::TooDeep);
            }
            if alternative <= top_alternative {
                return Err(self.tab_space());
            }
            self.pending += 1;
            self.indents.push((column, alternative));
        } else {
            while self.indents.len() > 1 && column < self.indents.last().map_or(0, |i| i.0) {
                self.pending -= 1;
                self.indents.pop();
            }
            let (top, top_alternative) = self.indents.last().copied().unwrap_or_default();
            if column != top {
                self.cur = self.line_end;
                return Err(TokenError::Dedent);
            }
            if alternative != top_alternative {
                return Err(self.tab_space());
            }
        }
        Ok(false)
    }

    fn tab_space(&mut self) -> TokenError {
        self.cur = self.line_end;
        TokenError::TabSpace
    }

    /// What follows a backslash: a line end and more.
    fn continuation(&mut self) -> Result<(), TokenError> {
        let mut c = self.next();
        if c == Some(b'\r') {
            c = self.next();
        }
        if c != Some(b'\n') {
            return Err(TokenError::Continuation);
        }
        let c = self.next();
        if c.is_none() {
            self.cur = self.bytes.len();
            return Err(TokenError::EndOfFile);
        }
        self.back(c);
        Ok(())
    }

    /// The next token of the line, or `None` when the line had none that counts.
    fn logical_line(&mut self, blank_line: bool) -> Result<Option<Token>, TokenError> {
        loop {
            self.has_start = false;
            let c = loop {
                let c = self.next();
                if !matches!(c, Some(b' ' | b'\t' | b'\x0c')) {
                    break c;
                }
            };
            // A token on a line of its own starts where its text does.
            self.start = if c.is_some() { self.cur - 1 } else { self.cur };
            self.has_start = true;
            let mut c = c;
            if c == Some(b'#') {
                while !matches!(c, None | Some(b'\n' | b'\r')) {
                    c = self.next();
                }
                if self.options.extra_tokens {
                    self.back(c);
                    self.comment_newline = blank_line && self.brackets.is_empty();
                    return self.here(TokenKind::Comment).map(Some);
                }
            }
            let Some(c) = c else {
                if !self.brackets.is_empty() {
                    return Err(TokenError::EndOfFile);
                }
                return Ok(Some(self.token(TokenKind::EndMarker, self.no_text())));
            };
            if is_name_start(c) {
                return self.name_or_string(c).map(Some);
            }
            let mut c = c;
            if c == b'\r'
                && let Some(next) = self.next()
            {
                c = next;
            }
            if c == b'\n' {
                self.at_line_start = true;
                if blank_line || !self.brackets.is_empty() {
                    if self.options.extra_tokens {
                        return Ok(Some(self.token(TokenKind::Nl, Some((self.start, self.cur)))));
                    }
                    return Ok(None);
                }
                if self.comment_newline && self.options.extra_tokens {
                    self.comment_newline = false;
                    return Ok(Some(self.token(TokenKind::Nl, Some((self.start, self.cur)))));
                }
                self.continued = false;
                return Ok(Some(self.token(TokenKind::Newline, Some((self.start, self.cur)))));
            }
            if c == b'.' {
                return self.dot().map(Some);
            }
            if c.is_ascii_digit() {
                return self.number(c).map(Some);
            }
            if c == b'\'' || c == b'"' {
                return self.string(c).map(Some);
            }
            if c == b'\\' {
                self.continuation()?;
                self.continued = true;
                continue;
            }
            return self.operator(c).map(Some);
        }
    }

    fn name_or_string(&mut self, first: u8) -> Got {
        // How often each of b, r, u, f, t may still come before a quote.
        let (mut b, mut r, mut u, mut f, mut t) = (false, false, false, false, false);
        let mut c = Some(first);
        loop {
            let seen = match c.map(|c| c.to_ascii_lowercase()) {
                Some(b'b') if !b => &mut b,
                Some(b'u') if !u => &mut u,
                Some(b'r') if !r => &mut r,
                Some(b'f') if !f => &mut f,
                Some(b't') if !t => &mut t,
                _ => break,
            };
            *seen = true;
            c = self.next();
            if let Some(quote @ (b'"' | b'\'')) = c {
                self.check_prefixes([
                    (u, b, "u", "b"),
                    (u, r, "u", "r"),
                    (u, f, "u", "f"),
                    (u, t, "u", "t"),
                ])?;
                self.check_prefixes([
                    (b, f, "b", "f"),
                    (b, t, "b", "t"),
                    (f, t, "f", "t"),
                    (false, false, "", ""),
                ])?;
                return if f || t { self.string_with_fields(quote, r, t) } else { self.string(quote) };
            }
        }
        let mut ascii = first < 128;
        while let Some(next) = c
            && is_name_char(next)
        {
            ascii &= next < 128;
            c = self.next();
        }
        self.back(c);
        if !ascii {
            self.check_identifier()?;
        }
        self.here(TokenKind::Name)
    }

    fn check_prefixes(&self, pairs: [(bool, bool, &str, &str); 4]) -> Result<(), TokenError> {
        for (first, second, a, b) in pairs {
            if first && second {
                let message = format!("'{a}' and '{b}' prefixes are incompatible");
                return Err(self.error_at(Some((self.start, self.cur)), message));
            }
        }
        Ok(())
    }

    /// Errors: a character that names cannot have.
    fn check_identifier(&mut self) -> Result<(), TokenError> {
        let text = self.text;
        let Some(name) = text.get(self.start..self.cur) else { return Ok(()) };
        let valid = |(index, c): &(usize, char)| {
            if *index == 0 {
                *c == '_' || unicode_ident::is_xid_start(*c)
            } else {
                unicode_ident::is_xid_continue(*c)
            }
        };
        let Some((index, c)) = name.char_indices().find(|at| !valid(at)) else { return Ok(()) };
        self.cur = self.start + index + c.len_utf8();
        let code = c as u32;
        if is_printable(c) {
            Err(self.error(format!("invalid character '{c}' (U+{code:04X})")))
        } else {
            Err(self.error(format!("invalid non-printable character U+{code:04X}")))
        }
    }

    fn dot(&mut self) -> Got {
        let c = self.next();
        match c {
            Some(c) if c.is_ascii_digit() => self.fraction(Some(c)),
            Some(b'.') => {
                let c = self.next();
                if c == Some(b'.') {
                    return self.here(TokenKind::Ellipsis);
                }
                self.back(c);
                self.back(Some(b'.'));
                self.here(TokenKind::Dot)
            }
            c => {
                self.back(c);
                self.here(TokenKind::Dot)
            }
        }
    }

    fn operator(&mut self, c: u8) -> Got {
        if matches!(c, b':' | b'}' | b'!' | b'{') && self.in_string() && self.mode().in_field() {
            let mode = self.mode();
            let cursor = mode.brackets - i32::from(c != b'{');
            if c == b':' && cursor == mode.field_start {
                mode.kind = ModeKind::Text;
                mode.in_spec = true;
                return self.here(TokenKind::Colon);
            }
        }
        let second = self.next();
        if let Some(two) = second.and_then(|second| two_chars(c, second)) {
            let third = self.next();
            if let Some(three) = third.and_then(|third| three_chars(two, third)) {
                return self.here(three);
            }
            self.back(third);
            return self.here(two);
        }
        self.back(second);
        match c {
            b'(' | b'[' | b'{' => {
                if self.brackets.len() >= MAX_LEVEL {
                    return Err(self.error("too many nested parentheses"));
                }
                let column = self.start - self.line_start;
                self.brackets.push(Bracket { open: c, line: self.line, column });
                if self.in_string() {
                    self.mode().brackets += 1;
                }
            }
            b')' | b']' | b'}' => self.close(c)?,
            _ => {}
        }
        if c < 32 || c == 127 {
            return Err(self.error(format!("invalid non-printable character U+{c:04X}")));
        }
        if c == b'=' && self.mode().at_top_of_field() {
            self.mode().in_debug = true;
        }
        self.here(one_char(c))
    }

    fn close(&mut self, c: u8) -> Result<(), TokenError> {
        let extra = self.options.extra_tokens;
        let in_string = self.in_string();
        if in_string && self.mode().brackets == 0 && c == b'}' {
            let prefix = self.mode().prefix();
            return Err(self.error(format!("{prefix}-string: single '}}' is not allowed")));
        }
        let close = char::from(c);
        if !extra && self.brackets.is_empty() {
            return Err(self.error(format!("unmatched '{close}'")));
        }
        if let Some(open) = self.brackets.pop() {
            let matches = matches!((open.open, c), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
            if !extra && !matches {
                if in_string && open.open == b'{' {
                    let mode = self.mode();
                    if mode.brackets - 1 == mode.field_start {
                        let prefix = mode.prefix();
                        return Err(self.error(format!("{prefix}-string: unmatched '{close}'")));
                    }
                }
                let opening = char::from(open.open);
                let message =
                    format!("closing parenthesis '{close}' does not match opening parenthesis '{opening}'");
                return Err(self.error(if open.line != self.line {
                    format!("{message} on line {}", open.line)
                } else {
                    message
                }));
            }
        }
        if in_string {
            let mode = self.mode();
            mode.brackets -= 1;
            if mode.brackets < 0 {
                let prefix = mode.prefix();
                return Err(self.error(format!("{prefix}-string: unmatched '{close}'")));
            }
            if c == b'}' && mode.brackets == mode.field_start {
                mode.field_start -= 1;
                mode.kind = ModeKind::Text;
                mode.in_spec = false;
                mode.in_debug = false;
            }
        }
        Ok(())
    }

    // Strings.

    fn string(&mut self, quote: u8) -> Got {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let mut quotes = 1;
        let mut end_quotes = 0;
        let mut escaped_quote = false;
        let mut c = self.next();
        if c == Some(quote) {
            c = self.next();
            if c == Some(quote) {
                quotes = 3;
            } else {
                end_quotes = 1;
            }
        }
        if c != Some(quote) {
            self.back(c);
        }
        while end_quotes != quotes {
            let mut c = self.next();
            if c == Some(b'\r') {
                c = self.next();
            }
            if c.is_none() || (quotes == 1 && c == Some(b'\n')) {
                return Err(self.unterminated(quote, quotes, escaped_quote));
            }
            if c == Some(quote) {
                end_quotes += 1;
                continue;
            }
            end_quotes = 0;
            if c == Some(b'\\') && self.next() == Some(quote) {
                escaped_quote = true;
            }
        }
        self.here(TokenKind::String)
    }

    fn unterminated(&mut self, quote: u8, quotes: usize, escaped_quote: bool) -> TokenError {
        // The place is the start of the string; the line that was reached is named.
        let reached = self.line;
        if quotes == 3 && self.done {
            self.cut_short = true;
        }
        if self.in_string() {
            let mode = self.mode();
            if mode.quote == quote && mode.quotes == quotes {
                let prefix = mode.prefix();
                self.rewind_to_string(self.start, self.first_line, self.multi_line_start);
                return self.error(format!("{prefix}-string: expecting '}}'"));
            }
        }
        self.rewind_to_string(self.start, self.first_line, self.multi_line_start);
        let kind = if quotes == 3 {
            "unterminated triple-quoted string literal"
        } else {
            "unterminated string literal"
        };
        let hint = if quotes == 1 && escaped_quote { "; perhaps you escaped the end quote?" } else { "" };
        self.error(format!("{kind} (detected at line {reached}){hint}"))
    }

    fn rewind_to_string(&mut self, start: usize, line: usize, line_start: usize) {
        self.cur = start + 1;
        self.line = line;
        self.line_start = line_start;
        let rest = &self.bytes[line_start..];
        self.line_end = memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |at| line_start + at + 1);
    }

    fn string_with_fields(&mut self, quote: u8, raw: bool, template: bool) -> Got {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let mut quotes = 1;
        let second = self.next();
        if second == Some(quote) {
            let third = self.next();
            if third == Some(quote) {
                quotes = 3;
            } else {
                self.back(third);
                self.back(second);
            }
        } else {
            self.back(second);
        }
        if self.modes.len() >= MAX_STRINGS {
            let message = "too many nested f-strings or t-strings";
            return Err(self.error(message));
        }
        self.modes.push(Mode {
            kind: ModeKind::Text,
            quote,
            quotes,
            raw,
            template,
            start: self.start,
            first_line: self.line,
            line_start: self.line_start,
            ..Mode::regular()
        });
        self.here(if template { TokenKind::TStringStart } else { TokenKind::FStringStart })
    }

    fn open_field(&mut self) -> Result<(), TokenError> {
        let mode = self.mode();
        mode.field_start += 1;
        let (deep, prefix) = (mode.field_start >= MAX_FIELDS, mode.prefix());
        mode.kind = ModeKind::Regular;
        if deep {
            return Err(self.error(format!("{prefix}-string: expressions nested too deeply")));
        }
        Ok(())
    }

    /// The next token of a string with fields: text, the start of a field, or the end.
    fn get_text(&mut self) -> Got {
        self.start = self.cur;
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let (quote, quotes, raw, template) = {
            let mode = self.mode();
            (mode.quote, mode.quotes, mode.raw, mode.template)
        };
        let c = self.next();
        if c == Some(b'{') {
            let peek = self.next();
            self.back(peek);
            self.back(c);
            if peek != Some(b'{') {
                self.open_field()?;
                return self.get_regular();
            }
        } else {
            self.back(c);
        }
        // A line may just have begun: the token starts on it.
        if self.start == self.line_start {
            self.first_line = self.line;
            self.multi_line_start = self.line_start;
        }
        let (end_kind, middle) = if template {
            (TokenKind::TStringEnd, TokenKind::TStringMiddle)
        } else {
            (TokenKind::FStringEnd, TokenKind::FStringMiddle)
        };
        let ending =
            self.bytes.get(self.cur..self.cur + quotes).is_some_and(|end| end.iter().all(|&b| b == quote));
        if ending {
            for _ in 0..quotes {
                self.next();
            }
            self.modes.pop();
            return self.here(end_kind);
        }
        let mut end_quotes = 0;
        let mut named = false;
        while end_quotes != quotes {
            let c = self.next();
            let mode = self.mode();
            let in_spec = mode.in_spec && mode.in_field();
            let Some(c) = c.filter(|&c| quotes == 3 || c != b'\n') else {
                if in_spec && c == Some(b'\n') {
                    let prefix = self.mode().prefix();
                    return Err(self.error(format!(
                        "{prefix}-string: newlines are not allowed in format specifiers for single quoted \
                         {prefix}-strings"
                    )));
                }
                return Err(self.unterminated_fields());
            };
            if c == quote {
                end_quotes += 1;
                continue;
            }
            end_quotes = 0;
            match c {
                b'{' => {
                    let peek = self.next();
                    if peek != Some(b'{') || in_spec {
                        self.back(peek);
                        self.back(Some(c));
                        self.open_field()?;
                        return self.here(middle);
                    }
                    return Ok(self.token(middle, Some((self.start, self.cur - 1))));
                }
                b'}' => {
                    if named {
                        return self.here(middle);
                    }
                    let peek = self.next();
                    let depth = self.mode().brackets;
                    if peek == Some(b'}') && !in_spec && depth == 0 {
                        return Ok(self.token(middle, Some((self.start, self.cur - 1))));
                    }
                    self.back(peek);
                    self.back(Some(c));
                    self.mode().kind = ModeKind::Regular;
                    return self.here(middle);
                }
                b'\\' => {
                    let peek = self.next();
                    if matches!(peek, Some(b'{' | b'}')) {
                        self.back(peek);
                    } else if !raw && peek == Some(b'N') {
                        let brace = self.next();
                        if brace == Some(b'{') {
                            named = true;
                        } else {
                            self.back(brace);
                        }
                    }
                }
                _ => {}
            }
        }
        for _ in 0..quotes {
            self.back(Some(quote));
        }
        self.here(middle)
    }

    fn unterminated_fields(&mut self) -> TokenError {
        let reached = self.line;
        let mode = self.mode();
        let (prefix, quotes) = (mode.prefix(), mode.quotes);
        let (start, line, line_start) = (mode.start, mode.first_line, mode.line_start);
        self.rewind_to_string(start, line, line_start);
        let kind = if quotes == 3 { "triple-quoted " } else { "" };
        self.error(format!("unterminated {kind}{prefix}-string literal (detected at line {reached})"))
    }

    // Numbers.

    fn digits(&mut self, valid: fn(u8) -> bool, what: &str) -> Result<Option<u8>, TokenError> {
        let mut c = self.next();
        loop {
            while c.is_some_and(valid) {
                c = self.next();
            }
            if c != Some(b'_') {
                return Ok(c);
            }
            c = self.next();
            if !c.is_some_and(valid) {
                self.back(c);
                return Err(self.number_error(what));
            }
        }
    }

    fn number_error(&mut self, what: &str) -> TokenError {
        self.error(format!("invalid {what} literal"))
    }

    fn decimal_tail(&mut self) -> Result<Option<u8>, TokenError> {
        self.digits(|c| c.is_ascii_digit(), "decimal")
    }

    fn number(&mut self, first: u8) -> Got {
        if first != b'0' {
            let c = self.decimal_tail()?;
            return self.after_digits(c);
        }
        let c = self.next();
        match c {
            Some(b'x' | b'X') => self.radix(|c| c.is_ascii_hexdigit(), "hexadecimal"),
            Some(b'o' | b'O') => self.radix(|c| (b'0'..=b'7').contains(&c), "octal"),
            Some(b'b' | b'B') => self.radix(|c| c == b'0' || c == b'1', "binary"),
            _ => self.zeros(c),
        }
    }

    fn radix(&mut self, valid: fn(u8) -> bool, what: &str) -> Got {
        let mut c = self.next();
        loop {
            if c == Some(b'_') {
                c = self.next();
            }
            if !c.is_some_and(valid) {
                if what != "hexadecimal"
                    && let Some(digit) = c.filter(u8::is_ascii_digit)
                {
                    let digit = char::from(digit);
                    return Err(self.error(format!("invalid digit '{digit}' in {what} literal")));
                }
                self.back(c);
                return Err(self.number_error(what));
            }
            while c.is_some_and(valid) {
                c = self.next();
            }
            if c != Some(b'_') {
                break;
            }
        }
        if what != "hexadecimal"
            && let Some(digit) = c.filter(u8::is_ascii_digit)
        {
            let digit = char::from(digit);
            return Err(self.error(format!("invalid digit '{digit}' in {what} literal")));
        }
        self.end_number(c, what)
    }

    /// A number that starts with zero: more zeros, or what turns out to be a float.
    fn zeros(&mut self, c: Option<u8>) -> Got {
        let mut c = c;
        loop {
            if c == Some(b'_') {
                c = self.next();
                if !c.is_some_and(|c| c.is_ascii_digit()) {
                    self.back(c);
                    return Err(self.number_error("decimal"));
                }
            }
            if c != Some(b'0') {
                break;
            }
            c = self.next();
        }
        let zeros_end = self.cur;
        let mut nonzero = false;
        if c.is_some_and(|c| c.is_ascii_digit()) {
            nonzero = true;
            c = self.decimal_tail()?;
        }
        match c {
            Some(b'.') => {
                let c = self.next();
                self.fraction(c)
            }
            Some(b'e' | b'E') => self.exponent(c),
            Some(b'j' | b'J') => self.imaginary(),
            // The `tokenize` module takes such numbers.
            _ if nonzero && !self.options.extra_tokens => {
                self.back(c);
                let message = "leading zeros in decimal integer literals are not permitted; use an 0o prefix for \
                               octal integers";
                Err(self.error_at(Some((self.start, zeros_end)), message.to_string()))
            }
            _ => self.end_number(c, "decimal"),
        }
    }

    fn after_digits(&mut self, c: Option<u8>) -> Got {
        match c {
            Some(b'.') => {
                let c = self.next();
                self.fraction(c)
            }
            Some(b'e' | b'E') => self.exponent(c),
            Some(b'j' | b'J') => self.imaginary(),
            _ => self.end_number(c, "decimal"),
        }
    }

    fn fraction(&mut self, c: Option<u8>) -> Got {
        let mut c = c;
        if c.is_some_and(|c| c.is_ascii_digit()) {
            c = self.decimal_tail()?;
        }
        match c {
            Some(b'e' | b'E') => self.exponent(c),
            Some(b'j' | b'J') => self.imaginary(),
            _ => self.end_number(c, "decimal"),
        }
    }

    fn exponent(&mut self, e: Option<u8>) -> Got {
        let mut c = self.next();
        if matches!(c, Some(b'+' | b'-')) {
            c = self.next();
            if !c.is_some_and(|c| c.is_ascii_digit()) {
                self.back(c);
                return Err(self.number_error("decimal"));
            }
        } else if !c.is_some_and(|c| c.is_ascii_digit()) {
            self.back(c);
            return self.end_number(e, "decimal");
        }
        let c = self.decimal_tail()?;
        if matches!(c, Some(b'j' | b'J')) { self.imaginary() } else { self.end_number(c, "decimal") }
    }

    fn imaginary(&mut self) -> Got {
        let c = self.next();
        self.end_number(c, "imaginary")
    }

    /// The character after a number: keywords may follow it at once, other names not.
    fn end_number(&mut self, c: Option<u8>, what: &str) -> Got {
        let keywords: &[&str] = match c {
            Some(b'a') => &["and"],
            Some(b'e') => &["else"],
            Some(b'f') => &["for"],
            Some(b'i') => &["in", "if", "is"],
            Some(b'o') => &["or"],
            Some(b'n') => &["not"],
            _ => &[],
        };
        self.back(c);
        let rest = &self.bytes[self.cur..];
        if !self.options.extra_tokens
            && !keywords.iter().any(|keyword| rest.starts_with(keyword.as_bytes()))
            && let Some(next) = c
            && next < 128
            && is_name_char(next)
        {
            return Err(self.number_error(what));
        }
        self.here(TokenKind::Number)
    }
}

/// Whether `str.isprintable` holds for the character.
fn is_printable(c: char) -> bool {
    !matches!(c, '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}'
        | '\u{e0000}'..='\u{10ffff}')
        && !c.is_control()
}

fn one_char(c: u8) -> TokenKind {
    use TokenKind as T;
    match c {
        b'(' => T::LeftParen,
        b')' => T::RightParen,
        b'[' => T::LeftBracket,
        b']' => T::RightBracket,
        b':' => T::Colon,
        b',' => T::Comma,
        b';' => T::Semicolon,
        b'+' => T::Plus,
        b'-' => T::Minus,
        b'*' => T::Star,
        b'/' => T::Slash,
        b'|' => T::Bar,
        b'&' => T::Ampersand,
        b'<' => T::Less,
        b'>' => T::Greater,
        b'=' => T::Equal,
        b'.' => T::Dot,
        b'%' => T::Percent,
        b'{' => T::LeftBrace,
        b'}' => T::RightBrace,
        b'~' => T::Tilde,
        b'^' => T::Caret,
        b'@' => T::At,
        b'!' => T::Exclamation,
        _ => T::Op,
    }
}

fn two_chars(a: u8, b: u8) -> Option<TokenKind> {
    use TokenKind as T;
    Some(match (a, b) {
        (b'!', b'=') | (b'<', b'>') => T::NotEqual,
        (b'%', b'=') => T::PercentEqual,
        (b'&', b'=') => T::AmpersandEqual,
        (b'*', b'*') => T::DoubleStar,
        (b'*', b'=') => T::StarEqual,
        (b'+', b'=') => T::PlusEqual,
        (b'-', b'=') => T::MinusEqual,
        (b'-', b'>') => T::Arrow,
        (b'/', b'/') => T::DoubleSlash,
        (b'/', b'=') => T::SlashEqual,
        (b':', b'=') => T::ColonEqual,
        (b'<', b'<') => T::LeftShift,
        (b'<', b'=') => T::LessEqual,
        (b'=', b'=') => T::EqEqual,
        (b'>', b'=') => T::GreaterEqual,
        (b'>', b'>') => T::RightShift,
        (b'@', b'=') => T::AtEqual,
        (b'^', b'=') => T::CaretEqual,
        (b'|', b'=') => T::BarEqual,
        _ => return None,
    })
}

fn three_chars(two: TokenKind, c: u8) -> Option<TokenKind> {
    use TokenKind as T;
    match (two, c) {
        (T::DoubleStar, b'=') => Some(T::DoubleStarEqual),
        (T::DoubleSlash, b'=') => Some(T::DoubleSlashEqual),
        (T::LeftShift, b'=') => Some(T::LeftShiftEqual),
        (T::RightShift, b'=') => Some(T::RightShiftEqual),
        _ => None,
    }
}

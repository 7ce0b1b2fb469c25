//! What is wrong with source that does not parse, in CPython's words and places.
//!
//! CPython finds its errors by trying: a grammar of ordered alternatives is run over the tokens, and when it fails it is
//! run again with further alternatives that match typical mistakes. Which error is found, and where, follows from the
//! order in which things are tried and from the tokens that were looked at, so this module recognises the language in
//! the same way. It makes no tree for others, only nodes with the little that messages need; it runs only after the
//! parser has refused the source.
//!
//! Start reading at [`diagnose`]; the grammar is in `expr`, `call`, `target`, `stmt`, `block`, `params` and `pattern`.
//!
//! Conventions: a rule is a method that returns `None` when it does not match and leaves the position where it
//! matched otherwise; [`Parser::attempt`] goes back on failure. A rule named `wrong_*` matches mistakes: it runs in the
//! second pass only, and the first of its alternatives that matches decides, whether it raises or not.

mod block;
mod call;
mod expr;
mod node;
mod params;
mod pattern;
mod stmt;
mod target;
mod text;

use crate::error::{ErrorKind, Metadata, SyntaxError};
use crate::parse::{Flags, Mode};
use crate::tokenizer::{Token, TokenError, TokenKind, Tokenizer, TokenizerOptions};
use node::{Node, NodeKind};
use std::collections::HashMap;

type K = TokenKind;
/// Index of a node.
type Id = u32;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The deepest nesting of rules that are guarded.
const MAX_DEPTH: usize = 3_000;

/// A place in the source: lines from 1, columns in bytes from 0.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: usize,
    column: i32,
    end_line: usize,
    end_column: i32,
}

impl Place {
    /// From the start of this place to the end of the other.
    fn to(self, end: Place) -> Place {
        Place { end_line: end.end_line, end_column: end.end_column, ..self }
    }
}

#[derive(Clone, Copy)]
struct Tok {
    token: Token,
    keyword: bool,
    /// The token stands for an error of the tokenizer.
    error: bool,
    /// Brackets open after it.
    level: usize,
}

impl Tok {
    fn place(&self) -> Place {
        let t = &self.token;
        Place { line: t.line, column: t.column, end_line: t.end_line, end_column: t.end_column }
    }
}

/// Rules whose result is kept for each position.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rule {
    Expression,
    StarExpression,
    Disjunction,
    Conjunction,
    Inversion,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Term,
    Factor,
    AwaitPrimary,
    Primary,
    Atom,
    Strings,
    Arguments,
    StarTarget,
    StarAtomTarget,
    TargetPrimary,
    DeleteTarget,
    SimpleStatement,
    Block,
    ClosedPattern,
    StarPattern,
    TypeParam,
    WrongNamed,
    GenExp,
}

struct Parser<'a> {
    source: &'a str,
    tokenizer: Tokenizer<'a>,
    tokens: Vec<Tok>,
    mark: usize,
    /// The second pass: rules for mistakes are on.
    second: bool,
    error: Option<SyntaxError>,
    /// How the tokenizer failed, other than with an error of its own words.
    nodes: Vec<Node>,
    memo: HashMap<(Rule, usize, bool), (Option<Id>, usize)>,
    depth: usize,
    mode: Mode,
    flags: Flags,
    started: bool,
    last_statement: Place,
}

/// What is wrong with the source; `None` when nothing is.
pub(crate) fn diagnose(text: &str, mode: Mode, flags: Flags) -> Option<SyntaxError> {
    let with_newline;
    let source = if mode == Mode::Exec && !text.ends_with('\n') && !text.is_empty() {
        with_newline = format!("{text}\n");
        &with_newline
    } else {
        text
    };
    let mut parser = Parser {
        source,
        tokenizer: Tokenizer::new(source, TokenizerOptions::default()),
        tokens: Vec::new(),
        mark: 0,
        second: false,
        error: None,
        nodes: Vec::new(),
        memo: HashMap::new(),
        depth: 0,
        mode,
        flags,
        started: false,
        last_statement: Place { line: 0, column: 0, end_line: 0, end_column: 0 },
    };
    parser.run()
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Option<SyntaxError> {
        if self.start_rule().is_some() && self.error.is_none() {
            return self.check_single();
        }
        if self.flags.allow_incomplete && self.tokenizer.wants_more() {
            self.error = None;
            let place = self.tokens.last().map(Tok::place);
            self.raise_last("incomplete input");
            let mut error = self.error.take();
            if let Some(error) = &mut error {
                error.kind = ErrorKind::Incomplete;
            }
            return error.filter(|_| place.is_some());
        }
        let last = self.tokens.len().checked_sub(1);
        if self.error.is_none() {
            self.mark = 0;
            self.memo.clear();
            self.second = true;
            self.start_rule();
        }
        self.settle(last);
        self.error.take()
    }

    fn start_rule(&mut self) -> Option<()> {
        match self.mode {
            Mode::Exec => self.file(),
            Mode::Single => self.interactive(),
            Mode::Eval => self.eval(),
            Mode::FuncType => self.func_type(),
        }
    }

    /// After one interactive statement there may be blanks and comments only.
    fn check_single(&mut self) -> Option<SyntaxError> {
        if self.mode != Mode::Single || self.tokens.last().is_some_and(|t| t.token.kind == K::EndMarker) {
            return None;
        }
        let rest = self.source.get(self.tokens.last().map_or(0, |t| t.token.end)..)?;
        let mut more = rest.lines().map(|line| line.trim_start_matches([' ', '\t', '\x0c', ';']));
        if more.all(|line| line.is_empty() || line.starts_with('#')) {
            return None;
        }
        self.raise_last("multiple statements found while compiling a single statement");
        self.error.take()
    }

    /// Settles on an error: the one that was raised, or `invalid syntax` at the last token of the first pass. One of the
    /// tokenizer further on counts more.
    fn settle(&mut self, last: Option<usize>) {
        if self.error.is_some() {
            let from_tokenizer = self.tokens.last().is_some_and(|t| t.error);
            let syntax = self.error.as_ref().is_some_and(|e| {
                matches!(e.kind, ErrorKind::Syntax | ErrorKind::Indentation | ErrorKind::Tab)
            });
            if syntax && !from_tokenizer && !self.tokenizer.is_done() {
                self.scan_rest();
            }
            self.note_last_statement();
            return;
        }
        let Some(last) = last.and_then(|last| self.tokens.get(last)).copied() else {
            let message = "error at start before reading any input";
            self.error = Some(SyntaxError::without_place(ErrorKind::Syntax, message));
            return;
        };
        match last.token.kind {
            K::Indent => self.raise_indentation("unexpected indent"),
            K::Dedent => self.raise_indentation("unexpected unindent"),
            _ => {
                self.raise(last.place(), "invalid syntax");
                self.note_last_statement();
                self.scan_rest();
            }
        }
    }

    fn note_last_statement(&mut self) {
        let place = self.last_statement;
        if let Some(error) = self.error.as_mut().filter(|error| error.kind == ErrorKind::Syntax) {
            error.metadata = Some(Box::new(Metadata {
                line: place.line,
                column: place.column.max(0) as usize,
                source: self.source.to_string(),
            }));
        }
    }

    /// Reads the rest of the source for errors of the tokenizer.
    fn scan_rest(&mut self) {
        let line = self.tokens.last().map_or(0, |t| t.token.line);
        let kept = self.error.take();
        loop {
            match self.tokenizer.get() {
                Ok(token) if token.kind == K::EndMarker => break,
                Ok(_) => {}
                // Within a string's field the error found there says more.
                Err(TokenError::Syntax(_)) if self.tokenizer.in_string() => break,
                Err(TokenError::Syntax(error)) => {
                    self.error = Some(error);
                    break;
                }
                Err(_) => {
                    if let Some(bracket) = self.tokenizer.brackets().last()
                        && line > bracket.line
                    {
                        self.raise_unclosed();
                    }
                    break;
                }
            }
        }
        if self.error.is_none() {
            self.error = kept;
        }
    }

    // Tokens.

    fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// The token at the position, read if need be.
    fn peek(&mut self) -> Option<Tok> {
        if self.failed() {
            return None;
        }
        if self.mark == self.tokens.len() {
            self.read()?;
        }
        self.tokens.get(self.mark).copied()
    }

    fn read(&mut self) -> Option<()> {
        match self.tokenizer.get() {
            Ok(mut token) => {
                if self.mode == Mode::Single && token.kind == K::EndMarker && self.started {
                    token.kind = K::Newline;
                    self.started = false;
                    if self.tokenizer.indent_depth() > 0 && !self.flags.dont_imply_dedent {
                        self.tokenizer.end_blocks();
                    }
                } else {
                    self.started = true;
                }
                let keyword = token.kind == K::Name && {
                    let text = self.source.get(token.start..token.end).unwrap_or("");
                    KEYWORDS.binary_search(&text).is_ok()
                };
                let level = self.tokenizer.brackets().len();
                self.tokens.push(Tok { token, keyword, error: false, level });
                Some(())
            }
            Err(error) => {
                let at = self.tokenizer.line();
                let token = Token {
                    kind: K::Op,
                    start: 0,
                    end: 0,
                    line: at,
                    column: -1,
                    end_line: at,
                    end_column: -1,
                };
                let level = self.tokenizer.brackets().len();
                self.tokens.push(Tok { token, keyword: false, error: true, level });
                self.tokenizer_error(error);
                None
            }
        }
    }

    fn tokenizer_error(&mut self, error: TokenError) {
        let line = self.tokenizer.line();
        let at = |column: i32| Place { line, column, end_line: line, end_column: -1 };
        match error {
            TokenError::Syntax(error) => self.error = Some(error),
            TokenError::EndOfFile if self.tokenizer.brackets().is_empty() => {
                self.raise_last("unexpected EOF while parsing");
            }
            TokenError::EndOfFile => self.raise_unclosed(),
            TokenError::Dedent => {
                self.raise_indentation("unindent does not match any outer indentation level");
            }
            TokenError::TabSpace => {
                self.raise_kind(ErrorKind::Tab, at(0), "inconsistent use of tabs and spaces in indentation");
            }
            TokenError::TooDeep => {
                self.raise_kind(ErrorKind::Indentation, at(0), "too many levels of indentation");
            }
            TokenError::Continuation => {
                let column = self.tokenizer.shown_column() as i32 - 1;
                self.raise(at(column), "unexpected character after line continuation character");
            }
        }
    }

    fn text_of(&self, index: usize) -> &'a str {
        self.tokens.get(index).and_then(|t| self.source.get(t.token.start..t.token.end)).unwrap_or("")
    }

    /// Takes a token of the kind.
    fn tok(&mut self, kind: K) -> Option<usize> {
        let tok = self.peek()?;
        if tok.token.kind == kind && !tok.keyword {
            self.mark += 1;
            Some(self.mark - 1)
        } else {
            None
        }
    }

    /// Takes any of the kinds.
    fn any(&mut self, kinds: &[K]) -> Option<usize> {
        let tok = self.peek()?;
        if kinds.contains(&tok.token.kind) && !tok.keyword {
            self.mark += 1;
            Some(self.mark - 1)
        } else {
            None
        }
    }

    /// Takes a keyword.
    fn kw(&mut self, word: &str) -> Option<usize> {
        let tok = self.peek()?;
        if tok.keyword && self.text_of(self.mark) == word {
            self.mark += 1;
            Some(self.mark - 1)
        } else {
            None
        }
    }

    /// Takes a name that is a keyword in some places only.
    fn soft(&mut self, word: &str) -> Option<usize> {
        let tok = self.peek()?;
        if tok.token.kind == K::Name && !tok.keyword && self.text_of(self.mark) == word {
            self.mark += 1;
            Some(self.mark - 1)
        } else {
            None
        }
    }

    fn place(&self, token: usize) -> Place {
        self.tokens.get(token).map_or(Place { line: 1, column: 0, end_line: 1, end_column: 0 }, Tok::place)
    }

    // Trying.

    /// Runs a rule; on failure the position is as before.
    fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.failed() {
            return None;
        }
        let mark = self.mark;
        let found = rule(self).filter(|_| self.error.is_none());
        if found.is_none() {
            self.mark = mark;
        }
        found
    }

    /// Matches without moving.
    fn ahead<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<()> {
        let mark = self.mark;
        let found = rule(self).is_some();
        self.mark = mark;
        if self.failed() || !found { None } else { Some(()) }
    }

    /// Matches where the rule does not.
    fn not<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<()> {
        let mark = self.mark;
        let found = rule(self).is_some();
        self.mark = mark;
        if self.failed() || found { None } else { Some(()) }
    }

    /// The rule or nothing; `None` only after an error.
    fn opt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        let found = self.attempt(rule);
        if self.failed() { None } else { Some(found) }
    }

    /// The rule any number of times; `None` only after an error.
    fn many<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut found = Vec::new();
        while let Some(item) = self.attempt(&mut rule) {
            found.push(item);
        }
        if self.failed() { None } else { Some(found) }
    }

    fn some<T>(&mut self, rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.many(rule).filter(|found| !found.is_empty())
    }

    /// The rule once or more, commas between.
    fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut found = vec![rule(self)?];
        while let Some(item) = self.attempt(|p| {
            p.tok(K::Comma)?;
            rule(p)
        }) {
            found.push(item);
        }
        if self.failed() { None } else { Some(found) }
    }

    /// Runs a rule for mistakes in the second pass; `None` when it raised.
    fn wrong<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<()> {
        if self.second {
            let mark = self.mark;
            rule(self);
            self.mark = mark;
        }
        if self.failed() { None } else { Some(()) }
    }

    /// Runs a rule once for each position.
    fn memo(&mut self, rule: Rule, run: impl FnOnce(&mut Self) -> Option<Id>) -> Option<Id> {
        if self.failed() {
            return None;
        }
        let mark = self.mark;
        // What was found without looking for mistakes says nothing about them.
        let key = (rule, mark, self.second);
        if let Some((found, end)) = self.memo.get(&key) {
            let found = *found;
            if found.is_some() {
                self.mark = *end;
            }
            return found;
        }
        let found = self.attempt(run);
        if !self.failed() {
            self.memo.insert(key, (found, self.mark));
        }
        found
    }

    /// Runs a rule that can contain itself, with stack enough.
    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let found = if self.depth > MAX_DEPTH {
            if !self.failed() {
                let message = "Parser stack overflowed - Python source too complex to parse";
                self.error = Some(SyntaxError::without_place(ErrorKind::Memory, message));
            }
            None
        } else {
            stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, || run(self))
        };
        self.depth -= 1;
        found
    }

    // Nodes.

    fn node(&mut self, kind: NodeKind, start: usize, children: Vec<Id>) -> Id {
        let from = self.place(start);
        let end = (0..self.mark).rev().find(|&i| {
            !matches!(self.tokens[i].token.kind, K::Newline | K::Indent | K::Dedent | K::EndMarker)
        });
        let place = from.to(self.place(end.unwrap_or(start)));
        self.nodes.push(Node { kind, place, children });
        self.nodes.len() as Id - 1
    }

    fn kind(&self, id: Id) -> NodeKind {
        self.nodes.get(id as usize).map_or(NodeKind::Other, |n| n.kind)
    }
    fn at(&self, id: Id) -> Place {
        self.nodes
            .get(id as usize)
            .map_or(Place { line: 1, column: 0, end_line: 1, end_column: 0 }, |n| n.place)
    }
    fn children(&self, id: Id) -> Vec<Id> {
        self.nodes.get(id as usize).map_or_else(Vec::new, |n| n.children.clone())
    }
    fn name_of(&self, id: Id) -> &'static str {
        self.kind(id).describe()
    }

    // Raising.

    /// The line that an error shows.
    fn shown_line(&self, line: usize) -> String {
        if self.tokenizer.line() <= line && !self.tokenizer.shown().is_empty() {
            return self.tokenizer.shown().to_string();
        }
        self.source.split('\n').nth(line.saturating_sub(1)).unwrap_or("").to_string()
    }

    fn raise_raw(&mut self, kind: ErrorKind, place: [i64; 4], message: &str) {
        if self.failed() {
            return;
        }
        let [line, column, end_line, end_column] = place;
        let text = self.shown_line(line as usize);
        let chars = |text: &str, column: i64| -> i64 {
            if column <= 0 {
                return column;
            }
            let bytes = (column as usize).min(text.len() + 1);
            let whole = (0..=bytes.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
            let count = text.get(..whole).unwrap_or("").chars().count();
            (count + usize::from(whole < bytes)) as i64
        };
        self.error = Some(SyntaxError {
            kind,
            message: message.to_string(),
            line: line as usize,
            offset: chars(&text, column).max(0) as usize,
            end_line: end_line as usize,
            // Counted on the first line, even for an end on another one.
            end_offset: chars(&text, end_column) as isize,
            text: Some(text),
            metadata: None,
        });
    }

    fn raise_kind(&mut self, kind: ErrorKind, place: Place, message: &str) {
        let numbers = [
            place.line as i64,
            i64::from(place.column) + 1,
            place.end_line as i64,
            i64::from(place.end_column) + 1,
        ];
        self.raise_raw(kind, numbers, message);
    }

    fn raise(&mut self, place: Place, message: &str) {
        self.raise_kind(ErrorKind::Syntax, place, message);
    }

    /// From the start of a place to where the tokenizer is.
    fn raise_from(&mut self, place: Place, message: &str) {
        let end = self.tokenizer.column() as i64;
        let numbers = [place.line as i64, i64::from(place.column) + 1, self.tokenizer.line() as i64, end];
        self.raise_raw(ErrorKind::Syntax, numbers, message);
    }

    fn raise_token(&mut self, kind: ErrorKind, token: Option<Tok>, message: &str) {
        let Some(tok) = token else {
            return self.raise_raw(kind, [0, 0, 0, 0], message);
        };
        let place = tok.place();
        let column =
            if place.column == -1 { self.tokenizer.column() as i64 } else { i64::from(place.column) + 1 };
        let end = if place.end_column == -1 { -1 } else { i64::from(place.end_column) + 1 };
        self.raise_raw(kind, [place.line as i64, column, place.end_line as i64, end], message);
    }

    /// At the last token that was read.
    fn raise_last(&mut self, message: &str) {
        self.raise_token(ErrorKind::Syntax, self.tokens.last().copied(), message);
    }
    fn raise_indentation(&mut self, message: &str) {
        self.raise_token(ErrorKind::Indentation, self.tokens.last().copied(), message);
    }

    /// At the token that comes next.
    fn raise_next(&mut self, message: &str) {
        if let Some(next) = self.peek() {
            self.raise_token(ErrorKind::Syntax, Some(next), message);
        }
    }

    fn raise_unclosed(&mut self) {
        let Some(bracket) = self.tokenizer.brackets().last().copied() else { return };
        let place = Place {
            line: bracket.line,
            column: bracket.column as i32,
            end_line: bracket.line,
            end_column: -1,
        };
        self.raise(place, &format!("'{}' was never closed", char::from(bracket.open)));
    }

    /// Takes the token or raises that it was expected.
    fn forced(&mut self, kind: K, shown: &str) -> Option<usize> {
        let next = self.peek()?;
        if next.token.kind == kind && !next.keyword {
            self.mark += 1;
            return Some(self.mark - 1);
        }
        self.raise(next.place(), &format!("expected '{shown}'"));
        None
    }

    /// The block that a colon and a line end announce is not there.
    fn missing_block(&mut self) -> Option<()> {
        self.tok(K::Newline)?;
        self.not(|p| p.tok(K::Indent))
    }

    fn raise_missing_block(&mut self, what: &str, keyword: usize) {
        let line = self.place(keyword).line;
        self.raise_indentation(&format!("expected an indented block after {what} on line {line}"));
    }
}

/// The first alternative that matches.
macro_rules! first {
    ($p:ident: $($rule:expr;)+) => {{
        $(
            if let Some(found) = $p.attempt($rule) {
                return Some(found);
            }
            if $p.failed() {
                return None;
            }
        )+
        None
    }};
}
use first;

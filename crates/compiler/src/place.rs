//! Where instructions come from, and where CPython says that nodes are.

use pellucid_syntax::ast::{self, Expr};
use pellucid_syntax::text_size::{Ranged, TextRange, TextSize};
use pellucid_syntax::{Source, ast::Stmt};

/// The place of an instruction: its line, and the range of source it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1; [`Place::NO_LINE`] if the instruction belongs to none.
    pub line: i32,
    /// The source, if columns are known.
    pub range: Option<TextRange>,
}

impl Place {
    /// The line of an instruction that belongs to none.
    pub const NO_LINE: i32 = -1;

    /// Of instructions that stand for nothing in the source.
    pub const NONE: Place = Place { line: Place::NO_LINE, range: None };

    /// Of instructions that are where the one in front of them in the code is.
    pub const SAME: Place = Place { line: 0, range: None };

    /// A line without columns.
    pub fn line(line: u32) -> Place {
        Place { line: i32::try_from(line).unwrap_or(i32::MAX), range: None }
    }
}

/// Finds lines quickly when asked for places near each other.
#[derive(Debug)]
pub struct Places<'a> {
    source: &'a Source,
    /// The line found last: its start, the next line's start, its number.
    last: (TextSize, TextSize, i32),
}

impl<'a> Places<'a> {
    /// The places of a source.
    pub fn new(source: &'a Source) -> Places<'a> {
        Places { source, last: (TextSize::from(0), TextSize::from(0), 1) }
    }

    /// The source.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// The line of an offset.
    pub fn line(&mut self, at: TextSize) -> i32 {
        let (start, end, line) = self.last;
        if start <= at && at < end {
            return line;
        }
        let line = self.source.line(at);
        let number = i32::try_from(line).unwrap_or(i32::MAX);
        if self.source.has_text() {
            self.last = (self.source.line_start(line), self.source.line_start(line + 1), number);
        }
        number
    }

    /// The place of a range.
    pub fn of(&mut self, range: TextRange) -> Place {
        Place { line: self.line(range.start()), range: Some(range) }
    }
}

/// The range of a statement without its decorators: CPython counts a definition from its keyword.
pub fn definition(source: &Source, decorators: &[ast::Decorator], range: TextRange) -> TextRange {
    let Some(last) = decorators.last() else { return range };
    if !source.has_text() || last.end() >= range.end() {
        return range;
    }
    let mut rest = source.slice(TextRange::new(last.end(), range.end()));
    let mut start = last.end();
    loop {
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
        let comment = match rest.get(skipped..) {
            Some(text) if text.starts_with('#') => text.find('\n').unwrap_or(text.len()),
            _ => 0,
        };
        start += TextSize::from((skipped + comment) as u32);
        rest = rest.get(skipped + comment..).unwrap_or("");
        if comment == 0 {
            return TextRange::new(start.min(range.end()), range.end());
        }
    }
}

/// The range of any statement as CPython counts it.
pub fn statement(source: &Source, stmt: &Stmt) -> TextRange {
    match stmt {
        Stmt::FunctionDef(f) => definition(source, &f.decorator_list, f.range),
        Stmt::ClassDef(c) => definition(source, &c.decorator_list, c.range),
        _ => stmt.range(),
    }
}

/// The one argument of a call that is a generator expression borrowing the call's parentheses.
pub fn bare_generator(arguments: &ast::Arguments) -> Option<&ast::ExprGenerator> {
    match (&*arguments.args, arguments.keywords.is_empty()) {
        ([Expr::Generator(generator)], true) if !generator.parenthesized => Some(generator),
        _ => None,
    }
}

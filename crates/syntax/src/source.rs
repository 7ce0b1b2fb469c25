//! Source text and its lines.

use crate::encoding;
use crate::error::SyntaxError;
use ruff_text_size::{TextRange, TextSize};
use std::collections::HashMap;

/// A place in the source as Python counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// 1-based.
    pub line: usize,
    /// 0-based, in bytes of UTF-8 (`col_offset` of nodes).
    pub column: usize,
    /// 0-based, in characters.
    pub column_chars: usize,
}

/// The value of a literal that was not written in any source: see [`Source::synthetic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringOverride {
    /// WTF-8.
    Text(Vec<u8>),
}

/// Decoded source with its line starts, or the table of positions of a tree that has no source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    text: String,
    /// All of it, so that columns in bytes and in characters are the same.
    ascii: bool,
    line_starts: Vec<u32>,
    /// The encoding that was declared, when there was a declaration.
    encoding: Option<String>,
    synthetic: Option<Synthetic>,
}

#[derive(Clone, Debug, Default)]
struct Synthetic {
    places: Vec<[Position; 2]>,
    overrides: HashMap<u32, StringOverride>,
}

impl Synthetic {
    fn position(&self, at: TextSize) -> Position {
        let at = at.to_u32();
        let (index, side) = if at > u32::MAX / 2 { (u32::MAX - at, 1) } else { (at, 0) };
        let place = self.places.get(index as usize).map(|place| place[side]);
        place.unwrap_or(Position { line: 1, ..Position::default() })
    }
}

impl Source {
    /// Decodes source as PEP 263 says: byte order mark, coding comment, UTF-8 otherwise. Errors as CPython words them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Source, SyntaxError> {
        let decoded = encoding::decode(bytes)?;
        let mut source = Source::from_text(decoded.text);
        source.encoding = decoded.declared;
        Ok(source)
    }

    /// Source that was decoded from a declared encoding.
    pub fn from_decoded(text: String, encoding: String) -> Source {
        Source { encoding: Some(encoding), ..Source::from_text(text) }
    }

    /// Source that is text already. Line ends become `\n`; a byte order mark at the start is dropped.
    pub fn from_text(text: String) -> Source {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_string(),
            None => text,
        };
        let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
        let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1);
        let line_starts = std::iter::once(0).chain(starts).collect();
        Source { ascii: text.is_ascii(), text, line_starts, encoding: None, synthetic: None }
    }

    /// The source of a tree that was built by hand: start and end of its nodes stand in `places`, which the nodes point
    /// to with [`Source::synthetic_range`]. String literals take their value from `overrides` (by start offset) where
    /// the tree's own `str` cannot hold it.
    pub fn synthetic(places: Vec<[Position; 2]>, overrides: HashMap<u32, StringOverride>) -> Source {
        Source { synthetic: Some(Synthetic { places, overrides }), ..Source::default() }
    }

    /// The range that stands for an entry of the table. When parents come before children, these ranges nest as those
    /// of parsed nodes do.
    pub fn synthetic_range(index: u32) -> TextRange {
        let index = index.min(u32::MAX / 2);
        TextRange::new(TextSize::from(index), TextSize::from(u32::MAX - index))
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// False for [`Source::synthetic`].
    pub fn has_text(&self) -> bool {
        self.synthetic.is_none()
    }

    /// The encoding named by a coding comment or byte order mark.
    pub fn declared_encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    pub(crate) fn override_at(&self, start: TextSize) -> Option<&StringOverride> {
        self.synthetic.as_ref()?.overrides.get(&start.to_u32())
    }

    /// The text of a range; empty where there is none.
    pub fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or("")
    }

    /// Where a definition starts without its decorators: at `def` or `class` (or the `async` before it).
    pub fn definition_start(
        &self,
        range: TextRange,
        name: TextRange,
        keyword: &str,
        is_async: bool,
    ) -> TextSize {
        if !self.has_text() {
            return range.start();
        }
        let blank = |c: char| c.is_whitespace() || c == '\\';
        let text = self.slice(TextRange::new(range.start(), name.start())).trim_end_matches(blank);
        let mut rest = text.strip_suffix(keyword).unwrap_or(text);
        if is_async {
            let trimmed = rest.trim_end_matches(blank);
            rest = trimmed.strip_suffix("async").unwrap_or(trimmed);
        }
        range.start() + TextSize::of(rest)
    }

    /// Line (from 1) of an offset.
    pub fn line(&self, at: TextSize) -> usize {
        match &self.synthetic {
            Some(synthetic) => synthetic.position(at).line,
            None => self.line_starts.partition_point(|&start| start <= at.to_u32()),
        }
    }

    /// Where an offset is.
    pub fn position(&self, at: TextSize) -> Position {
        if let Some(synthetic) = &self.synthetic {
            return synthetic.position(at);
        }
        let line = self.line(at);
        let start = self.line_starts.get(line - 1).map_or(0, |&start| start as usize);
        let end = at.to_usize().min(self.text.len());
        let before = self.text.get(start..end).unwrap_or("");
        let column_chars =
            if self.ascii || before.is_ascii() { before.len() } else { before.chars().count() };
        Position { line, column: end - start, column_chars }
    }

    /// Line (from 1) and column in bytes (from 0) of an offset.
    pub fn line_and_column(&self, at: TextSize) -> (usize, usize) {
        if let Some(synthetic) = &self.synthetic {
            let position = synthetic.position(at);
            return (position.line, position.column);
        }
        let line = self.line(at);
        let start = self.line_starts.get(line - 1).map_or(0, |&start| start as usize);
        (line, at.to_usize().min(self.text.len()) - start)
    }

    /// How many lines there are; the text after the last line end counts as one.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// Offset of the start of a line (from 1).
    pub fn line_start(&self, line: usize) -> TextSize {
        let start = line.checked_sub(1).and_then(|index| self.line_starts.get(index));
        TextSize::from(start.copied().unwrap_or(self.text.len() as u32))
    }

    /// A line (from 1) with its line end; empty where there is none.
    pub fn line_text(&self, line: usize) -> &str {
        let start = self.line_start(line).to_usize();
        let end = self.line_starts.get(line).map_or(self.text.len(), |&end| end as usize);
        self.text.get(start..end).unwrap_or("")
    }
}

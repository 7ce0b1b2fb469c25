//! Cutting texts. Results are ranges, so that callers make objects of the pieces without an extra copy.

use super::case::is_space;
use super::{NoMemory, Text};
use std::ops::Range;

/// Ranges of code points of a text, in order.
pub type Pieces = Vec<Range<usize>>;

fn add(pieces: &mut Pieces, piece: Range<usize>) -> Result<(), NoMemory> {
    pieces.try_reserve(1)?;
    pieces.push(piece);
    Ok(())
}

/// What ends a line for `str.splitlines`.
pub fn is_line_break(point: u32) -> bool {
    matches!(point, 0x0a..=0x0d | 0x1c..=0x1e | 0x85 | 0x2028 | 0x2029)
}

impl Text {
    fn is_space_at(&self, index: usize) -> bool {
        self.get(index).is_some_and(is_space)
    }

    /// Pieces between runs of whitespace; at most `limit` cuts from the left.
    pub fn split_whitespace(&self, limit: Option<usize>) -> Result<Pieces, NoMemory> {
        let (mut pieces, mut at, len) = (Vec::new(), 0, self.len());
        loop {
            while at < len && self.is_space_at(at) {
                at += 1;
            }
            if at == len {
                return Ok(pieces);
            }
            if limit.is_some_and(|limit| pieces.len() >= limit) {
                // What is left keeps its trailing whitespace.
                add(&mut pieces, at..len)?;
                return Ok(pieces);
            }
            let start = at;
            while at < len && !self.is_space_at(at) {
                at += 1;
            }
            add(&mut pieces, start..at)?;
        }
    }

    /// The same with the cuts counted from the right.
    pub fn rsplit_whitespace(&self, limit: Option<usize>) -> Result<Pieces, NoMemory> {
        let (mut pieces, mut at) = (Vec::new(), self.len());
        loop {
            while at > 0 && self.is_space_at(at - 1) {
                at -= 1;
            }
            if at == 0 {
                break;
            }
            if limit.is_some_and(|limit| pieces.len() >= limit) {
                add(&mut pieces, 0..at)?;
                break;
            }
            let end = at;
            while at > 0 && !self.is_space_at(at - 1) {
                at -= 1;
            }
            add(&mut pieces, at..end)?;
        }
        pieces.reverse();
        Ok(pieces)
    }

    /// Pieces between occurrences of `separator` (not empty); at most `limit` cuts from the left.
    pub fn split(&self, separator: &Text, limit: Option<usize>) -> Result<Pieces, NoMemory> {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for at in self.matches(separator, 0, self.len()).take(limit.unwrap_or(usize::MAX)) {
            add(&mut pieces, from..at)?;
            from = at + separator.len();
        }
        add(&mut pieces, from..self.len())?;
        Ok(pieces)
    }

    /// The same with the cuts counted from the right.
    pub fn rsplit(&self, separator: &Text, limit: Option<usize>) -> Result<Pieces, NoMemory> {
        let (mut pieces, mut end) = (Vec::new(), self.len());
        while !separator.is_empty() && limit.is_none_or(|limit| pieces.len() < limit) {
            let Some(at) = self.rfind(separator, 0, end) else { break };
            add(&mut pieces, at + separator.len()..end)?;
            end = at;
        }
        add(&mut pieces, 0..end)?;
        pieces.reverse();
        Ok(pieces)
    }

    /// The lines; each with its line break when `keep_ends`.
    pub fn split_lines(&self, keep_ends: bool) -> Result<Pieces, NoMemory> {
        let (mut pieces, mut at, len) = (Vec::new(), 0, self.len());
        while at < len {
            let start = at;
            while at < len && !self.get(at).is_some_and(is_line_break) {
                at += 1;
            }
            let end = at;
            if at < len {
                let crlf = self.get(at) == Some(0x0d) && self.get(at + 1) == Some(0x0a);
                at += if crlf { 2 } else { 1 };
            }
            add(&mut pieces, start..if keep_ends { at } else { end })?;
        }
        Ok(pieces)
    }

    /// What is left without whitespace (or the code points of `set`) at the chosen ends.
    pub fn strip(&self, set: Option<&Text>, ends: StripEnds) -> Range<usize> {
        let gone = |point: u32| match set {
            None => is_space(point),
            Some(set) => set.code_points().any(|p| p == point),
        };
        let (mut start, mut end) = (0, self.len());
        if ends != StripEnds::Right {
            while start < end && self.get(start).is_some_and(gone) {
                start += 1;
            }
        }
        if ends != StripEnds::Left {
            while start < end && self.get(end - 1).is_some_and(gone) {
                end -= 1;
            }
        }
        start..end
    }
}

/// The ends that [`Text::strip`] works on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StripEnds {
    Left,
    Right,
    Both,
}

//! Cutting texts. Results are ranges, so that callers make objects of the pieces without an extra copy; what is cut from the
//! left is given piece by piece.

use super::case::is_space;
use super::{NoMemory, Text, Unit, with_units};
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

fn whitespace_pieces<T: Unit, E>(
    units: &[T],
    limit: usize,
    mut piece: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut count, mut at) = (0, 0);
    loop {
        at += units[at..].iter().take_while(|u| is_space(u.point())).count();
        if at == units.len() {
            return Ok(());
        }
        if count >= limit {
            // What is left keeps its trailing whitespace.
            return piece(at..units.len());
        }
        let start = at;
        at += units[at..].iter().take_while(|u| !is_space(u.point())).count();
        piece(start..at)?;
        count += 1;
    }
}

fn whitespace_pieces_from_right<T: Unit>(units: &[T], limit: usize) -> Result<Pieces, NoMemory> {
    let (mut pieces, mut at) = (Vec::new(), units.len());
    loop {
        at -= units[..at].iter().rev().take_while(|u| is_space(u.point())).count();
        if at == 0 {
            break;
        }
        if pieces.len() >= limit {
            add(&mut pieces, 0..at)?;
            break;
        }
        let end = at;
        at -= units[..at].iter().rev().take_while(|u| !is_space(u.point())).count();
        add(&mut pieces, at..end)?;
    }
    pieces.reverse();
    Ok(pieces)
}

fn lines<T: Unit>(units: &[T], keep_ends: bool) -> Result<Pieces, NoMemory> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < units.len() {
        let start = at;
        at += units[at..].iter().take_while(|u| !is_line_break(u.point())).count();
        let end = at;
        at += match &units[at..] {
            [] => 0,
            [cr, lf, ..] if cr.point() == 0x0d && lf.point() == 0x0a => 2,
            _ => 1,
        };
        add(&mut pieces, start..if keep_ends { at } else { end })?;
    }
    Ok(pieces)
}

impl Text {
    /// Calls `piece` with each piece between runs of whitespace; at most `limit` cuts from the left.
    pub fn split_whitespace<E>(
        &self,
        limit: Option<usize>,
        piece: impl FnMut(Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        with_units!(self, units => whitespace_pieces(units, limit.unwrap_or(usize::MAX), piece))
    }

    /// The same with the cuts counted from the right.
    pub fn rsplit_whitespace(&self, limit: Option<usize>) -> Result<Pieces, NoMemory> {
        with_units!(self, units => whitespace_pieces_from_right(units, limit.unwrap_or(usize::MAX)))
    }

    /// Calls `piece` with each piece between occurrences of `separator` (not empty); at most `limit` cuts from the left.
    pub fn split<E>(
        &self,
        separator: &Text,
        limit: Option<usize>,
        mut piece: impl FnMut(Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = 0;
        for at in self.matches(separator, 0, self.len()).take(limit.unwrap_or(usize::MAX)) {
            piece(from..at)?;
            from = at + separator.len();
        }
        piece(from..self.len())
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
        with_units!(self, units => lines(units, keep_ends))
    }

    /// What is left without whitespace (or the code points of `set`) at the chosen ends.
    pub fn strip(&self, set: Option<&Text>, ends: StripEnds) -> Range<usize> {
        let gone = |point: &u32| match set {
            None => is_space(*point),
            Some(set) => set.code_points().any(|p| p == *point),
        };
        let (left, right) = (ends != StripEnds::Right, ends != StripEnds::Left);
        let start = if left { self.code_points().take_while(gone).count() } else { 0 };
        let rest = self.code_points_in(start, self.len());
        let cut = if right { rest.rev().take_while(gone).count() } else { 0 };
        start..self.len() - cut
    }
}

/// The ends that [`Text::strip`] works on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StripEnds {
    Left,
    Right,
    Both,
}

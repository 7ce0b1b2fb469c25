//! The line table, in the format of 3.10's `co_linetable`.
//!
//! Pairs of bytes: how many bytes of code the range has, and by how much its line differs from the
//! line before. The difference -128 means the range has no line and leaves the count as it is.

/// A range of code and its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    /// Offset of its first byte.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
    /// Its line, if it has one.
    pub line: Option<i32>,
}

/// The line table of ranges that follow each other from offset 0, `start` of each being ignored
/// in favour of the `end` before it.
pub fn encode(first_line: i32, ranges: impl IntoIterator<Item = LineRange>) -> Vec<u8> {
    let mut table = Vec::new();
    let (mut at, mut line) = (0u32, i64::from(first_line));
    for range in ranges {
        let mut size = range.end.saturating_sub(at);
        if size == 0 {
            continue;
        }
        at = range.end;
        let none = range.line.is_none();
        if let Some(new) = range.line {
            let mut delta = i64::from(new) - line;
            line = i64::from(new);
            while !(-127..=127).contains(&delta) {
                let step = delta.clamp(-127, 127);
                table.extend([0, step as i8 as u8]);
                delta -= step;
            }
            let piece = size.min(254);
            table.extend([piece as u8, delta as i8 as u8]);
            size -= piece;
        }
        while size > 0 {
            let piece = size.min(254);
            table.extend([piece as u8, if none { 0x80 } else { 0 }]);
            size -= piece;
        }
    }
    table
}

/// The ranges of a line table, empty ones left out. A byte without its pair is ignored.
pub fn decode(first_line: i32, table: &[u8]) -> impl Iterator<Item = LineRange> + '_ {
    let (mut line, mut at) = (first_line, 0u32);
    table.chunks_exact(2).filter_map(move |pair| {
        let start = at;
        at = at.saturating_add(u32::from(pair[0]));
        let delta = pair[1] as i8;
        if delta != -128 {
            line = line.saturating_add(i32::from(delta));
        }
        (at > start).then_some(LineRange { start, end: at, line: (delta != -128).then_some(line) })
    })
}

/// Offsets at which a line starts, and the line, as `dis.findlinestarts` gives them.
pub fn find_line_starts(first_line: i32, table: &[u8]) -> impl Iterator<Item = (u32, i32)> + '_ {
    let mut last = None;
    decode(first_line, table).filter_map(move |range| {
        let line = range.line?;
        (last.replace(line) != Some(line)).then_some((range.start, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut start = 0;
        let mut ranges = Vec::new();
        for (size, line) in
            [(4, Some(2)), (600, Some(900)), (2, None), (300, None), (6, Some(1)), (2, Some(1))]
        {
            ranges.push(LineRange { start, end: start + size, line });
            start += size;
        }
        let table = encode(1, ranges.iter().copied());
        let decoded: Vec<_> = decode(1, &table).collect();
        for offset in 0..start {
            let line = |r: &[LineRange]| r.iter().find(|r| offset >= r.start && offset < r.end).unwrap().line;
            assert_eq!(line(&ranges), line(&decoded), "{offset}");
        }
        assert_eq!(find_line_starts(1, &table).collect::<Vec<_>>(), [(0, 2), (4, 900), (906, 1)]);
    }
}

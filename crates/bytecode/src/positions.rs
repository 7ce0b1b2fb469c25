//! Where in the source each instruction comes from: lines and columns, for tracebacks.
//!
//! The table is a sequence of runs, one for the instructions in a row that share a position. Numbers
//! are varints: seven bits a byte, low bits first, the high bit set on all but the last byte. Signed
//! numbers are zigzag coded (0, -1, 1, -2, ... as 0, 1, 2, 3, ...). A run is
//!
//! - `length << 2 | kind`, the length in instructions;
//! - kind 0, no position: nothing more;
//! - kind 1, lines only: signed distance of the line from that of the run before (at first from the
//!   code object's first line), signed distance of the end line from the line;
//! - kind 2, lines and columns: the same, then column and end column.
//!
//! Columns count bytes of UTF-8 from 0. Reading never fails: a table that is cut short or makes no
//! sense ends early, and instructions behind its end have no position.

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line it starts in, from 1.
    pub line: u32,
    /// The line it ends in.
    pub end_line: u32,
    /// The columns it starts at and ends before, in bytes from 0.
    pub columns: Option<(u32, u32)>,
}

/// The table of the positions of all instructions, in order.
pub fn encode(first_line: u32, positions: impl IntoIterator<Item = Option<Position>>) -> Vec<u8> {
    let mut table = Vec::new();
    let mut line = first_line;
    let mut run: Option<(Option<Position>, u64)> = None;
    for position in positions {
        match &mut run {
            Some((same, length)) if *same == position => *length += 1,
            _ => {
                if let Some((done, length)) = run {
                    write_run(&mut table, &mut line, done, length);
                }
                run = Some((position, 1));
            }
        }
    }
    if let Some((done, length)) = run {
        write_run(&mut table, &mut line, done, length);
    }
    table
}

fn write_run(table: &mut Vec<u8>, line: &mut u32, position: Option<Position>, length: u64) {
    let Some(p) = position else { return write_varint(table, length << 2) };
    write_varint(table, length << 2 | if p.columns.is_some() { 2 } else { 1 });
    write_signed(table, i64::from(p.line) - i64::from(*line));
    write_signed(table, i64::from(p.end_line) - i64::from(p.line));
    if let Some((start, end)) = p.columns {
        write_varint(table, u64::from(start));
        write_varint(table, u64::from(end));
    }
    *line = p.line;
}

fn write_varint(table: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        table.push(number as u8 | 0x80);
        number >>= 7;
    }
    table.push(number as u8);
}

fn write_signed(table: &mut Vec<u8>, number: i64) {
    write_varint(table, (number << 1 ^ number >> 63) as u64);
}

/// A run of instructions that share a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How many instructions, `EXTENDED_ARG` counting as one.
    pub length: u64,
    /// Their position, if they have one.
    pub position: Option<Position>,
}

/// Reads a table run by run.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    table: &'a [u8],
    line: u32,
}

/// The runs of a table.
pub fn runs(first_line: u32, table: &[u8]) -> Runs<'_> {
    Runs { table, line: first_line }
}

/// The position of the instruction at a byte offset of the code.
pub fn at_offset(first_line: u32, table: &[u8], offset: u32) -> Option<Position> {
    let index = u64::from(offset / 2);
    let mut end = 0u64;
    runs(first_line, table).find_map(|run| {
        end = end.saturating_add(run.length);
        (index < end).then_some(run.position)
    })?
}

impl Runs<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let (&byte, rest) = self.table.split_first()?;
            self.table = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn moved(&mut self, from: u32) -> Option<u32> {
        let coded = self.varint()?;
        let delta = (coded >> 1) as i64 ^ -((coded & 1) as i64);
        u32::try_from(i64::from(from).checked_add(delta)?).ok()
    }

    fn run(&mut self) -> Option<Run> {
        let head = self.varint()?;
        let length = head >> 2;
        if head & 3 == 0 {
            return Some(Run { length, position: None });
        }
        let line = self.moved(self.line)?;
        let end_line = self.moved(line)?;
        let columns = match head & 3 {
            1 => None,
            2 => Some((u32::try_from(self.varint()?).ok()?, u32::try_from(self.varint()?).ok()?)),
            _ => return None,
        };
        self.line = line;
        Some(Run { length, position: Some(Position { line, end_line, columns }) })
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let run = self.run();
        if run.is_none() {
            self.table = &[];
        }
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let at = |line, end_line, columns| Some(Position { line, end_line, columns });
        let positions = [
            at(7, 7, Some((4, 300))),
            at(7, 7, Some((4, 300))),
            None,
            at(2, 90_000, None),
            at(u32::MAX, 0, Some((u32::MAX, 0))),
            at(1, 1, Some((0, 0))),
        ];
        let table = encode(5, positions);
        for (i, position) in positions.iter().enumerate() {
            assert_eq!(at_offset(5, &table, i as u32 * 2), *position);
        }
        assert_eq!(at_offset(5, &table, 12), None);
        assert_eq!(runs(5, &table).count(), 5);
    }

    #[test]
    fn any_bytes_can_be_read() {
        for length in 0..40usize {
            for seed in 0..200usize {
                let bytes: Vec<u8> =
                    (0..length).map(|i| (((i + 1) * (seed * 7919 + 13)) >> 3) as u8).collect();
                assert!(runs(1, &bytes).count() <= length);
            }
        }
    }
}

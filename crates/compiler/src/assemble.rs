//! From blocks to bytes: offsets, `EXTENDED_ARG`, lines and positions.

use crate::flow::{Graph, Instr};
use crate::place::{Place, Places};
use pellucid_bytecode::Op;
use pellucid_bytecode::lines::{self, LineRange};
use pellucid_bytecode::ops::Operand;
use pellucid_bytecode::positions::{self, Position};

/// The bytes of a code object.
pub struct Assembled {
    /// The instructions.
    pub code: Vec<u8>,
    /// Their lines.
    pub linetable: Vec<u8>,
    /// Their lines and columns.
    pub positions: Vec<u8>,
}

/// Assembles the code, whose first line is given.
pub fn assemble(graph: &Graph, first_line: u32, places: &mut Places<'_>) -> Assembled {
    let mut instrs: Vec<(Instr, u32)> = Vec::new();
    // Index of the first instruction of each block.
    let mut starts = std::collections::HashMap::new();
    for id in graph.order() {
        starts.insert(id, instrs.len());
        instrs.extend(graph.block(id).instrs.iter().map(|&i| (i, i.arg)));
    }
    let mut before = Place::NONE;
    for (instr, _) in &mut instrs {
        if instr.place == Place::SAME {
            instr.place = before;
        }
        before = instr.place;
    }
    // Arguments of jumps depend on sizes, which depend on arguments: repeated until nothing changes.
    let mut offsets: Vec<u32> = Vec::with_capacity(instrs.len() + 1);
    let mut sizes: Vec<u32> =
        instrs.iter().map(|&(i, arg)| if i.target.is_some() { 1 } else { size(arg) }).collect();
    loop {
        offsets.clear();
        let mut at = 0;
        for &size in &sizes {
            offsets.push(at);
            at += size;
        }
        offsets.push(at);
        let mut changed = false;
        for (index, (instr, arg)) in instrs.iter_mut().enumerate() {
            let Some(target) = instr.target else { continue };
            let target = starts.get(&target).map_or(at, |&start| offsets[start]);
            *arg = match instr.op.operand() {
                Operand::JumpRelative => target.saturating_sub(offsets[index + 1]),
                _ => target,
            };
            let needed = size(*arg);
            if needed != sizes[index] {
                sizes[index] = needed;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut code = Vec::with_capacity(2 * offsets.last().copied().unwrap_or(0) as usize);
    for (index, (instr, arg)) in instrs.iter().enumerate() {
        for byte in (1..sizes[index]).rev() {
            code.extend([Op::ExtendedArg as u8, (arg >> (8 * byte)) as u8]);
        }
        code.extend([instr.op as u8, *arg as u8]);
    }
    let ranges = instrs.iter().enumerate().map(|(i, (instr, _))| (instr.place.line, i));
    Assembled {
        code,
        linetable: line_table(first_line, ranges, &offsets),
        positions: position_table(first_line, &instrs, &sizes, places),
    }
}

/// In instructions.
fn size(arg: u32) -> u32 {
    match arg {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    }
}

fn line_table(first_line: u32, lines: impl Iterator<Item = (i32, usize)>, offsets: &[u32]) -> Vec<u8> {
    let mut ranges: Vec<LineRange> = Vec::new();
    for (line, index) in lines {
        let line = (line >= 0).then_some(line);
        let (start, end) = (2 * offsets[index], 2 * offsets[index + 1]);
        match ranges.last_mut() {
            Some(last) if last.line == line => last.end = end,
            _ => ranges.push(LineRange { start, end, line }),
        }
    }
    lines::encode(i32::try_from(first_line).unwrap_or(i32::MAX), ranges)
}

fn position_table(
    first_line: u32,
    instrs: &[(Instr, u32)],
    sizes: &[u32],
    places: &mut Places<'_>,
) -> Vec<u8> {
    let mut last: Option<(Place, Option<Position>)> = None;
    let mut all = Vec::with_capacity(instrs.len());
    for (index, (instr, _)) in instrs.iter().enumerate() {
        let position = match last {
            Some((place, position)) if place == instr.place => position,
            _ => position(instr.place, places),
        };
        last = Some((instr.place, position));
        all.extend(std::iter::repeat_n(position, sizes[index] as usize));
    }
    positions::encode(first_line, all)
}

fn position(place: Place, places: &mut Places<'_>) -> Option<Position> {
    let line = u32::try_from(place.line).ok()?;
    let Some(range) = place.range else { return Some(Position { line, end_line: line, columns: None }) };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let source = places.source();
    let (start_line, start) = source.line_and_column(range.start());
    let (end_line, end) = source.line_and_column(range.end());
    Some(Position {
        line: number(start_line),
        end_line: number(end_line),
        columns: Some((number(start), number(end))),
    })
}

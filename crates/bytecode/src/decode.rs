//! The instructions of a code object's bytes.

use crate::ops::{Op, Operand};
use std::collections::BTreeSet;

/// An instruction, with the argument that its prefixes made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instr {
    /// Offset of the opcode's byte, behind the prefixes.
    pub offset: u32,
    /// The opcode's number, known or not.
    pub number: u8,
    /// The argument, 0 for an opcode without one.
    pub arg: u32,
}

impl Instr {
    /// The opcode, if the number is one.
    pub fn op(&self) -> Option<Op> {
        Op::from_u8(self.number)
    }

    /// The offset a jump goes to, which may be outside of the code.
    pub fn target(&self) -> Option<u64> {
        match self.op()?.operand() {
            Operand::JumpRelative => Some(u64::from(self.offset) + 2 + 2 * u64::from(self.arg)),
            Operand::JumpAbsolute => Some(2 * u64::from(self.arg)),
            _ => None,
        }
    }
}

/// Iterates over the instructions; `EXTENDED_ARG` is one too, as in `dis`.
#[derive(Clone, Debug)]
pub struct Instrs<'a> {
    code: &'a [u8],
    offset: usize,
    extended: u32,
}

/// The instructions of `code`. An odd byte at the end is ignored.
pub fn instrs(code: &[u8]) -> Instrs<'_> {
    Instrs { code, offset: 0, extended: 0 }
}

impl Iterator for Instrs<'_> {
    type Item = Instr;

    fn next(&mut self) -> Option<Instr> {
        let &[number, byte] = self.code.get(self.offset..self.offset + 2)? else { return None };
        let offset = u32::try_from(self.offset).ok()?;
        self.offset += 2;
        let arg = if number >= crate::ops::HAVE_ARGUMENT { self.extended | u32::from(byte) } else { 0 };
        self.extended = if number == Op::ExtendedArg as u8 { arg << 8 } else { 0 };
        Some(Instr { offset, number, arg })
    }
}

/// The offsets that jumps go to.
pub fn jump_targets(code: &[u8]) -> BTreeSet<u64> {
    instrs(code).filter_map(|i| i.target()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_widen_the_argument() {
        let code = [144, 1, 144, 2, 113, 3, 9, 7, 110, 1, 144];
        let args: Vec<_> = instrs(&code).map(|i| (i.offset, i.arg)).collect();
        assert_eq!(args, [(0, 1), (2, 0x102), (4, 0x10203), (6, 0), (8, 1)]);
        assert_eq!(jump_targets(&code).into_iter().collect::<Vec<_>>(), [12, 0x20406]);
    }
}

//! Tuples that are not made as long as nobody needs them.

use super::state::Slot;
use super::{Build, Builder};
use crate::ir::{New, Op, Ty, Val};
use pellucid_interp::form::Instr;
use std::rc::Rc;

/// Most items of a tuple that is not made at once.
const FEW: usize = 8;

impl Builder<'_> {
    /// `r[a] = (r[b], ...)` of `d` temporaries.
    pub(crate) fn build_tuple(&mut self, instr: Instr) -> Build<bool> {
        let first = self.slot(instr.b);
        let registers = first..first + instr.d as usize;
        if instr.d as usize > FEW || instr.d == 0 {
            return Ok(false);
        }
        let loose = |slot: &Slot| match slot {
            Slot::Now { val, .. } | Slot::Borrowed(val) => Some(*val),
            _ => None,
        };
        let items: Option<Rc<[Val]>> = self.state.slots[registers.clone()].iter().map(loose).collect();
        let slot = match items {
            Some(items) => {
                self.graph.tally.add("tuples not made", 1);
                registers.for_each(|at| self.set_slot(at, Slot::Dead));
                let at = self.slot(instr.a);
                self.give_up(at);
                self.virtual_tuple(&items)
            }
            None => {
                let mut words = Vec::new();
                for at in 0..instr.d as i16 {
                    let val = self.operand(instr.b + at)?;
                    words.push(self.owned(val));
                }
                let word = self.new_tuple(&words);
                registers.for_each(|at| self.give_up(at));
                let at = self.slot(instr.a);
                self.give_up(at);
                self.emit(Op::StoreReg(at as u16), &[word], None, None);
                Slot::Mem(Some(word))
            }
        };
        let at = self.slot(instr.a);
        self.set_slot(at, slot);
        Ok(true)
    }

    /// A tuple that is not made, of numbers and words that somebody else owns.
    pub(crate) fn virtual_tuple(&mut self, items: &[Val]) -> Slot {
        self.tuples += 1;
        Slot::Tuple(self.tuples, items.into())
    }

    /// Makes a tuple after all. All registers that hold it have the same one.
    pub(crate) fn make_tuple(&mut self, number: u32, items: &[Val], reg: u16) -> Slot {
        self.graph.tally.add("tuples made after all", 1);
        let words: Vec<Val> = items.iter().map(|item| self.owned(*item)).collect();
        let word = self.new_tuple(&words);
        self.emit(Op::StoreReg(reg), &[word], None, None);
        for at in 0..self.state.slots.len() {
            if at != reg as usize && matches!(self.state.slots[at], Slot::Tuple(other, _) if other == number)
            {
                self.set_slot(at, Slot::Borrowed(word));
            }
        }
        Slot::Mem(Some(word))
    }

    /// Makes a tuple of words that it takes over.
    fn new_tuple(&mut self, words: &[Val]) -> Val {
        let exit = self.exit_here();
        let word = self.emit(Op::New(New::Tuple), words, Some(Ty::Word), Some(exit));
        let ty = self.vm.types().tuple.value().bits();
        self.state.learn(Op::GuardType { ty, stable: true }, word, None, word);
        word
    }

    /// A number or a word that somebody else owns, as a word with a reference to give away.
    fn owned(&mut self, val: Val) -> Val {
        if self.graph.ty(val) == Ty::Float {
            return self.emit(Op::BoxFloat, &[val], Some(Ty::Word), None);
        }
        let word = self.boxed(val);
        if !self.is_plain(word) {
            self.emit(Op::Inc, &[word], None, None);
        }
        word
    }

    /// Whether a register holds something that somebody else owns.
    pub(crate) fn borrows(&self, slot: &Slot) -> bool {
        match slot {
            Slot::Borrowed(_) => true,
            Slot::Tuple(_, items) => {
                items.iter().any(|item| self.graph.ty(*item) == Ty::Word && !self.is_plain(*item))
            }
            _ => false,
        }
    }

    /// The items of a tuple that was not made.
    pub(crate) fn virtual_items(&self, operand: i16) -> Option<Rc<[Val]>> {
        let at = (operand >= 0).then(|| self.slot(operand))?;
        match self.state.slots.get(at) {
            Some(Slot::Tuple(_, items)) => Some(items.clone()),
            _ => None,
        }
    }
}

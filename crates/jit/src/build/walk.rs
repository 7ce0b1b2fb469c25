//! Loops over lists, and over enumerations of lists, whose iterators are not made: the register of the iterator owns the list.

use super::state::Slot;
use super::{Build, Builder, FAR, Flow};
use crate::ir::{New, Op, Region, Ty, Val};
use pellucid_interp::form::Instr;
use pellucid_interp::hot::kinds;
use pellucid_object::Value;
use pellucid_object::protocol::CmpOp;

impl Builder<'_> {
    /// `iter(x)` of a list, or of what is such an iterator already.
    pub(crate) fn walk(&mut self, instr: Instr) -> Build<bool> {
        if instr.b < 0 {
            return Ok(false);
        }
        let (from, to) = (self.slot(instr.b), self.slot(instr.a));
        if let slot @ Slot::Walk(..) = self.state.slots[from].clone() {
            if !self.is_temporary(instr.b)? {
                return Ok(false);
            }
            if from != to {
                self.move_walk(from, to, slot);
            }
            return Ok(true);
        }
        let seen = self.seen(|seen| seen.b.get())?;
        if self.state.slots[from].is_virtual() || self.is_dead_end()? {
            return Ok(false);
        }
        let Some(list) = self.guarded_list(instr.b, seen == kinds::LIST)? else { return Ok(false) };
        self.begin_walk(instr.b, to, list, None)?;
        Ok(true)
    }

    /// An operand that is an exact list, if it is known to be one or `seen` to be.
    fn guarded_list(&mut self, operand: i16, seen: bool) -> Build<Option<Val>> {
        let word = self.operand(operand)?;
        let guard = Op::GuardType { ty: self.vm.types().list.value().bits(), stable: true };
        if self.graph.ty(word) != Ty::Word || !seen && self.state.fact(guard, word, None).is_none() {
            return Ok(None);
        }
        Ok(Some(self.guard(guard, &[word], Ty::Word)))
    }

    /// Register `to` owns the list in `operand`, which is consumed if it is a temporary.
    fn begin_walk(&mut self, operand: i16, to: usize, list: Val, start: Option<Val>) -> Build {
        let from = self.slot(operand);
        let held = self.is_temporary(operand)? && matches!(self.state.slots[from], Slot::Mem(_));
        if held && from != to {
            self.move_word(from, to);
        } else if !held {
            self.emit(Op::Inc, &[list], None, None);
            self.release(operand)?;
            self.give_up(to);
            self.emit(Op::StoreReg(to as u16), &[list], None, None);
        }
        let first = self.int(0);
        self.set_slot(to, Slot::Walk(list, first, start));
        Ok(())
    }

    /// A walk goes on from another register.
    pub(crate) fn move_walk(&mut self, from: usize, to: usize, slot: Slot) {
        let Slot::Walk(list, ..) = slot else { return };
        self.give_up(to);
        self.emit(Op::StoreReg(to as u16), &[list], None, None);
        let unbound = self.unbound();
        self.emit(Op::StoreReg(from as u16), &[unbound], None, None);
        self.set_slot(from, Slot::Dead);
        self.set_slot(to, slot);
    }

    /// `enumerate(x)` of a list. `None`: it is something else.
    pub(crate) fn enumerate(
        &mut self,
        instr: Instr,
        word: Val,
        callee: (i16, bool, &Value),
        argument: i16,
    ) -> Build<Option<Flow>> {
        let seen = self.seen(|seen| seen.b.get())?;
        let at = self.slot(argument);
        if self.is_dead_end()? || self.state.slots[at].is_virtual() {
            return Ok(None);
        }
        let Some(list) = self.guarded_list(argument, seen == kinds::LIST)? else { return Ok(None) };
        let (callee, guarded, value) = callee;
        if guarded {
            self.guard(Op::GuardIs(value.bits()), &[word], Ty::Word);
        }
        self.keep.push(value.clone());
        let first = self.int(0);
        if callee == instr.a {
            self.release(callee)?;
        }
        let to = self.slot(instr.a);
        self.begin_walk(argument, to, list, Some(first))?;
        if callee != instr.a {
            self.release(callee)?;
        }
        Ok(Some(Flow::Next))
    }

    /// Makes the iterator after all.
    pub(crate) fn make_walk(&mut self, (list, index, start): (Val, Val, Option<Val>), reg: u16) -> Slot {
        let exit = self.exit_here();
        let args: Vec<Val> = [list, index].into_iter().chain(start).collect();
        let what = if start.is_some() { New::Enumerate } else { New::ListIter };
        let word = self.emit(Op::New(what), &args, Some(Ty::Word), Some(exit));
        self.emit(Op::StoreReg(reg), &[word], None, None);
        Slot::Mem(Some(word))
    }

    /// The next item of a walk.
    pub(crate) fn next_of_walk(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let at = self.slot(instr.b);
        let Slot::Walk(list, index, start) = self.state.slots[at] else { return Ok(None) };
        let len = self.load(Region::List, self.layout.list_len, list, Ty::Raw);
        let items = self.load(Region::List, self.layout.list_items, list, Ty::Raw);
        let end = self.pure(Op::RawToInt, &[len], Ty::Int);
        let more = self.pure(Op::CmpInt(CmpOp::Lt), &[index, end], Ty::Bool);
        let before = self.state.clone();
        let (then, other) = self.split(more);
        let context = self.context.clone();
        self.now = then;
        self.clear_exit();
        self.store_item();
        let item = self.emit(Op::Item, &[items, index], Some(Ty::Word), None);
        let one = self.int(1);
        self.graph.bounds.insert(index, FAR);
        let after = self.pure(Op::IntAddQuick, &[index, one], Ty::Int);
        self.set_slot(at, Slot::Walk(list, after, start));
        match start {
            // Enumerations that machine code begins do so with 0.
            Some(_) => {
                let pair = self.virtual_tuple(&[index, item]);
                let to = self.slot(instr.a);
                self.put(to, pair);
            }
            None => self.result(instr.a, item),
        }
        self.bury(self.pc + 1)?;
        self.go(&context, self.pc + 1)?;
        self.now = other;
        self.state = before;
        self.clear_exit();
        self.give_up(at);
        self.bury(instr.d)?;
        self.go(&context, instr.d)?;
        Ok(Some(Flow::Done))
    }
}

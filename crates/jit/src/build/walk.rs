//! Loops over lists and tuples, and over enumerations of such, whose iterators are not made: the register of the iterator owns the
//! list or tuple.

use super::state::Slot;
use super::{Build, Builder, FAR, Flow};
use crate::ir::{New, Op, Region, Ty, Val};
use pellucid_interp::form::Instr;
use pellucid_interp::hot::kinds;
use pellucid_object::protocol::CmpOp;
use pellucid_object::{Ref, Type, Value};

impl Builder<'_> {
    /// `iter(x)` of a list or tuple, or of what is such an iterator already.
    pub(crate) fn walk(&mut self, instr: Instr) -> Build<bool> {
        let to = self.slot(instr.a);
        if instr.b < 0 {
            let Some(tuple) = self.guarded_sequence(instr.b, 0)? else { return Ok(false) };
            self.begin_walk(instr.b, to, tuple, None)?;
            return Ok(true);
        }
        let from = self.slot(instr.b);
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
        let Some(list) = self.guarded_sequence(instr.b, seen)? else { return Ok(false) };
        self.begin_walk(instr.b, to, list, None)?;
        Ok(true)
    }

    /// An operand that is an exact list or tuple, if it is known to be one or `seen` to be.
    fn guarded_sequence(&mut self, operand: i16, seen: u16) -> Build<Option<Val>> {
        let word = self.operand(operand)?;
        if self.graph.ty(word) != Ty::Word {
            return Ok(None);
        }
        let types = self.vm.types();
        let guard = |ty: &Ref<Type>| Op::GuardType { ty: ty.value().bits(), stable: true };
        let (list, tuple) = (guard(&types.list), guard(&types.tuple));
        let known = |guard: Op| self.state.fact(guard, word, None).is_some();
        let constant = operand < 0 && self.vm.is_exact(&self.const_value(operand)?, &types.tuple);
        if known(list) || seen == kinds::LIST && !known(tuple) {
            return Ok(Some(self.guard(list, &[word], Ty::Word)));
        }
        if known(tuple) || seen == kinds::TUPLE || constant {
            let word = self.guard(tuple, &[word], Ty::Word);
            self.walked_tuples.insert(word);
            return Ok(Some(word));
        }
        Ok(None)
    }

    /// The number of items of what is walked over, and the address of the first.
    fn walked(&mut self, sequence: Val) -> (Val, Val) {
        if self.walked_tuples.contains(&sequence) {
            let len = self.pure(Op::TupleLen, &[sequence], Ty::Raw);
            return (len, self.pure(Op::TupleItems, &[sequence], Ty::Raw));
        }
        let len = self.load(Region::List, self.layout.list_len, sequence, Ty::Raw);
        (len, self.load(Region::List, self.layout.list_items, sequence, Ty::Raw))
    }

    /// Register `to` owns the list in `operand`, which is consumed if it is a temporary.
    fn begin_walk(&mut self, operand: i16, to: usize, list: Val, start: Option<Val>) -> Build {
        let temporary = operand >= 0 && self.is_temporary(operand)?;
        let held = temporary.then(|| self.slot(operand));
        let held = held.filter(|from| matches!(self.state.slots[*from], Slot::Mem(_)));
        if let Some(from) = held {
            if from != to {
                self.move_word(from, to);
            }
        } else {
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
        let Some(list) = self.guarded_sequence(argument, seen)? else { return Ok(None) };
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
        let (len, items) = self.walked(list);
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
        self.end_loop(instr)
    }

    /// A loop ends here: its iterator dies, and control goes behind it.
    pub(crate) fn end_loop(&mut self, instr: Instr) -> Build<Option<Flow>> {
        self.clear_exit();
        let at = self.slot(instr.b);
        self.give_up(at);
        self.bury(instr.d)?;
        let context = self.context.clone();
        self.go(&context, instr.d)?;
        Ok(Some(Flow::Done))
    }
}

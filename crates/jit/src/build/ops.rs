//! One instruction after the other.

use super::state::{ContextKind, Slot};
use super::{Build, Builder, EXACT, Flow, Stop};
use crate::ir::{Op, SMALL, StepSite, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::Instr;
use pellucid_interp::hot::{Seen, kinds};
use pellucid_interp::one::{always_raises, binary_operator, comparison, generic_effect, generic_name};
use pellucid_interp::ops::Op as Code;
use pellucid_interp::translate::{NO_STEP, operand_of};
use pellucid_object::Value;
use pellucid_object::native::{Builtin, MethodDescriptor};
use pellucid_object::protocol::{BinOp, CmpOp};

/// After so many exits at an instruction it is done out of line.
pub const DEAD_END: u16 = 3;
/// The same where there is something between: code for all that may be expected, by way of a function.
pub const LAST_END: u16 = 40;

/// What numbers an operation works on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Ints,
    Floats,
    /// Words of ints or floats.
    Mixed,
}

impl Builder<'_> {
    /// Whether machine code left here too often.
    pub(crate) fn is_dead_end(&self) -> Build<bool> {
        self.seen(|seen| seen.failed.get() >= DEAD_END)
    }

    /// Whether it did even where it was prepared for all that may be expected.
    pub(crate) fn is_last_end(&self) -> Build<bool> {
        self.seen(|seen| seen.failed.get() >= LAST_END)
    }

    pub(crate) fn instruction(&mut self) -> Build<Flow> {
        let instr = self.instr(self.pc)?;
        if let Some((op, _)) = binary_operator(instr.op) {
            return self.binary(instr, op);
        }
        if let Some((op, jumps)) = comparison(instr.op) {
            return self.compare(instr, op, jumps);
        }
        let done = match instr.op {
            Code::Nop => true,
            Code::Move => self.move_(instr)?,
            Code::Take => self.take(instr)?,
            Code::Swap => self.swap(instr)?,
            Code::LoadConst => {
                let value = self.code()?.consts.get(instr.d as usize).cloned().ok_or(Stop::No("constant"))?;
                let val = self.of_value(&value);
                self.result(instr.a, val);
                true
            }
            Code::Drop => {
                let at = self.slot(instr.a);
                self.give_up(at);
                true
            }
            Code::CheckLocal => return self.check_local(instr),
            Code::Neg => self.negate(instr)?,
            Code::Not => self.not(instr)?,
            Code::Is | Code::JumpIs => return self.is(instr),
            Code::Jump => {
                let context = self.context.clone();
                self.go(&context, instr.d)?;
                return Ok(Flow::Done);
            }
            Code::JumpBack | Code::ForBack if self.context.activation.level == 0 && instr.d < self.entry => {
                // The interpreter counts the turn of a loop around the one that is compiled.
                self.leave("");
                return Ok(Flow::Done);
            }
            Code::JumpBack | Code::ForBack => {
                self.poll();
                let context = self.context.clone();
                self.go(&context, instr.d)?;
                return Ok(Flow::Done);
            }
            Code::JumpIfFalse | Code::JumpIfTrue => return self.jump_if(instr),
            Code::LoadGlobal => self.load_global(instr)?,
            Code::LoadDeref => self.load_deref(instr)?,
            Code::LoadAttr => self.load_attr(instr)?,
            Code::StoreAttr => self.store_attr(instr)?,
            Code::LoadMethod => self.load_method(instr)?,
            Code::LoadSubscr => {
                if self.load_subscr(instr)? {
                    true
                } else if let Some(flow) = self.get_item(instr)? {
                    return Ok(flow);
                } else {
                    !self.is_dead_end()? && self.quick_item(instr)?
                }
            }
            Code::StoreSubscr => {
                if self.store_subscr(instr)? {
                    true
                } else if let Some(flow) = self.set_item(instr)? {
                    return Ok(flow);
                } else {
                    !self.is_dead_end()? && self.quick_set_item(instr)?
                }
            }
            Code::BuildTuple => self.build_tuple(instr)?,
            Code::ListAppend => self.list_append(instr)?,
            Code::Call => {
                if let Some(flow) = self.call(instr, instr.b, instr.b + 1, instr.c as usize)? {
                    return Ok(flow);
                }
                false
            }
            Code::CallMethod => {
                let at = self.slot(instr.b);
                if let Slot::Now { val, clean: true } = self.state.slots[at]
                    && self.graph.inst(val).op == Op::Word(Value::UNBOUND.bits())
                {
                    // Memory holds the empty place.
                    self.set_slot(at, Slot::Dead);
                    if let Some(flow) = self.call(instr, instr.b + 1, instr.b + 2, instr.c as usize)? {
                        return Ok(flow);
                    }
                }
                let is_method = matches!(self.state.slots[at], Slot::Borrowed(_))
                    || matches!(self.state.slots[at], Slot::Mem(_))
                        && self.seen(|seen| {
                            seen.target()
                                .is_some_and(|target| target.downcast::<MethodDescriptor>().is_some())
                        })?;
                if is_method
                    && let Some(flow) = self.call(instr, instr.b, instr.b + 1, instr.c as usize + 1)?
                {
                    return Ok(flow);
                }
                false
            }
            Code::Comprehension => {
                if let Some(flow) = self.comprehension(instr)? {
                    return Ok(flow);
                }
                false
            }
            Code::GetIter => self.walk(instr)? || self.get_iter(instr)?,
            Code::UnpackSequence | Code::UnpackTwo => self.unpack(instr)?,
            Code::ForIter => return self.for_iter(instr),
            Code::Return if self.context_is_inlined() => return self.inlined_return(instr),
            Code::Return => return self.root_return(instr),
            Code::Yield | Code::YieldFrom => {
                self.leave("");
                return Ok(Flow::Done);
            }
            Code::JumpIfFalseKeep | Code::JumpIfTrueKeep => return self.jump_keeping(instr),
            Code::Contains | Code::JumpContains => return self.contains(instr),
            Code::JumpIfNotExcMatch => return self.step_jump(instr),
            Code::LoadSlice => self.load_slice(instr)?,
            Code::StoreSlice => self.store_slice(instr)?,
            Code::BuildList | Code::BuildMap => self.build_few(instr)?,
            Code::Format => self.format(instr)?,
            Code::BuildString => self.build_string(instr)?,
            Code::Invert => self.invert(instr)?,
            _ => false,
        };
        if !done {
            self.step(instr)?;
        }
        if always_raises(&instr) {
            self.leave("");
            return Ok(Flow::Done);
        }
        Ok(Flow::Next)
    }

    fn context_is_inlined(&self) -> bool {
        self.context.activation.level > 0
    }

    pub(crate) fn poll(&mut self) {
        if matches!(self.context.kind, ContextKind::Turn { .. }) {
            return;
        }
        let exit = self.exit_at(self.pc, "poll");
        self.emit(Op::Poll, &[], None, Some(exit));
    }

    /// `r[a] = rk(b)`
    fn move_(&mut self, instr: Instr) -> Build<bool> {
        if self.virtual_items(instr.b).is_some() {
            let (from, to) = (self.slot(instr.b), self.slot(instr.a));
            let slot = self.state.slots[from].clone();
            self.put(to, slot);
            return Ok(true);
        }
        let val = self.operand(instr.b)?;
        self.result(instr.a, val);
        Ok(true)
    }

    /// `r[a] = r[b]`, which is consumed.
    fn take(&mut self, instr: Instr) -> Build<bool> {
        let (from, to) = (self.slot(instr.b), self.slot(instr.a));
        let slot = self.state.slots[from].clone();
        match slot {
            Slot::Mem(_) => {
                self.move_word(from, to);
                return Ok(true);
            }
            Slot::Walk(..) => {
                self.move_walk(from, to, slot);
                return Ok(true);
            }
            _ => {}
        }
        self.set_slot(from, Slot::Dead);
        self.put(to, slot.moved());
        Ok(true)
    }

    /// The word that memory owns in one register moves to another.
    pub(crate) fn move_word(&mut self, from: usize, to: usize) {
        let word = self.mem_word(from);
        self.give_up(to);
        self.emit(Op::StoreReg(to as u16), &[word], None, None);
        if !self.is_plain(word) {
            let unbound = self.unbound();
            self.emit(Op::StoreReg(from as u16), &[unbound], None, None);
        }
        self.set_slot(from, Slot::Dead);
        self.set_slot(to, Slot::Mem(Some(word)));
    }

    fn swap(&mut self, instr: Instr) -> Build<bool> {
        let (a, b) = (self.slot(instr.a), self.slot(instr.b));
        let memory = |slot: &Slot| matches!(slot, Slot::Mem(_) | Slot::Walk(..));
        let (x, y) = (self.state.slots[a].clone(), self.state.slots[b].clone());
        if memory(&x) || memory(&y) {
            self.own(a)?;
            self.own(b)?;
            let (x, y) = (self.memory_word(a), self.memory_word(b));
            self.emit(Op::StoreReg(a as u16), &[y], None, None);
            self.emit(Op::StoreReg(b as u16), &[x], None, None);
            self.set_slot(a, Slot::Mem(Some(y)));
            self.set_slot(b, Slot::Mem(Some(x)));
            return Ok(true);
        }
        self.set_slot(a, y.moved());
        self.set_slot(b, x.moved());
        Ok(true)
    }

    /// The word in memory of a register that was owned.
    fn memory_word(&mut self, at: usize) -> Val {
        match self.state.slots[at].clone() {
            Slot::Now { val, .. } => self.boxed(val),
            Slot::Mem(_) => self.mem_word(at),
            _ => self.unbound(),
        }
    }

    fn check_local(&mut self, instr: Instr) -> Build<Flow> {
        let val = self.operand(instr.a)?;
        if self.graph.ty(val) != Ty::Word {
            return Ok(Flow::Next);
        }
        let unbound = Value::UNBOUND.bits();
        if self.graph.inst(val).op == Op::Word(unbound) {
            self.leave("unbound");
            return Ok(Flow::Done);
        }
        self.guard(Op::GuardNot(unbound), &[val], Ty::Word);
        Ok(Flow::Next)
    }

    // Numbers.

    /// The kind of an operand: known, or else seen.
    pub(crate) fn operand_kind(&self, val: Val, seen: u16) -> u16 {
        match self.graph.ty(val) {
            Ty::Int => kinds::INT,
            Ty::Float => kinds::FLOAT,
            Ty::Bool => kinds::BOOL,
            _ if self.state.fact(Op::GuardInt, val, None).is_some() => kinds::INT,
            _ if self.state.fact(Op::GuardFloat, val, None).is_some() => kinds::FLOAT,
            _ => seen,
        }
    }

    /// Both operands as numbers of one type, if they are that or were seen to be.
    fn numbers(&mut self, instr: Instr) -> Build<Option<(Numbers, Val, Val)>> {
        let (x, y) = (self.operand(instr.b)?, self.operand(instr.c)?);
        let (seen_b, seen_c) = self.seen(|seen| (seen.b.get(), seen.c.get()))?;
        let (p, q) = (self.operand_kind(x, seen_b), self.operand_kind(y, seen_c));
        let typed = |b: &Self, v: Val| matches!(b.graph.ty(v), Ty::Int | Ty::Float);
        if self.is_dead_end()? && !(typed(self, x) && typed(self, y)) {
            return Ok(None);
        }
        let number = |kind| kind != 0 && kind & !kinds::NUMBERS == 0;
        if !number(p) || !number(q) {
            return Ok(None);
        }
        let is_float = |kind| kind & !kinds::FLOATS == 0;
        let divides = matches!(instr.op, Code::TrueDiv | Code::InplaceTrueDiv);
        if is_float(p) || is_float(q) || divides && (p, q) != (kinds::INT, kinds::INT) {
            let (x, y) = (self.equal_float(x, p), self.equal_float(y, q));
            return Ok(Some((Numbers::Floats, x, y)));
        }
        if p != kinds::INT || q != kinds::INT {
            return Ok(Some((Numbers::Mixed, self.boxed(x), self.boxed(y))));
        }
        let (x, y) = (self.number(x, p), self.number(y, q));
        Ok(Some((Numbers::Ints, x, y)))
    }

    /// A number as a float that is equal to it.
    fn equal_float(&mut self, val: Val, kind: u16) -> Val {
        if self.graph.ty(val) == Ty::Word && kind != kinds::FLOAT && kind != kinds::INT {
            let floats = kind & kinds::INT == 0;
            let guard = if floats { Op::GuardAnyFloat } else { Op::GuardNumber };
            return self.guard(guard, &[val], Ty::Float);
        }
        let number = self.number(val, kind);
        self.guard_exact(number);
        self.as_float(number)
    }

    pub(crate) fn number(&mut self, val: Val, kind: u16) -> Val {
        match (self.graph.ty(val), kind) {
            (Ty::Int | Ty::Float, _) => val,
            (_, kinds::INT) => self.guard(Op::GuardInt, &[val], Ty::Int),
            _ => self.guard(Op::GuardFloat, &[val], Ty::Float),
        }
    }

    pub(crate) fn as_float(&mut self, val: Val) -> Val {
        if self.graph.ty(val) == Ty::Float {
            return val;
        }
        if let Some(n) = self.graph.as_int(val) {
            return self.constant(Op::Float((n as f64).to_bits()), Ty::Float);
        }
        self.pure(Op::IntToFloat, &[val], Ty::Float)
    }

    /// An operation that may not be possible.
    fn checked(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        self.guard(op, args, ty)
    }

    fn binary(&mut self, instr: Instr, op: BinOp) -> Build<Flow> {
        let Some((numbers, x, y)) = self.numbers(instr)? else {
            if let Some(flow) = self.operator_method(instr, op)? {
                return Ok(flow);
            }
            let in_place = binary_operator(instr.op).is_some_and(|(_, in_place)| in_place);
            if !self.quick_binary(instr, op, in_place)? {
                self.step(instr)?;
            }
            return Ok(Flow::Next);
        };
        let result = match numbers {
            Numbers::Ints => self.int_binary(op, x, y),
            Numbers::Floats => self.float_binary(op, x, y),
            Numbers::Mixed if matches!(op, BinOp::Add | BinOp::Sub | BinOp::Mul) => {
                return self.arith(instr, op, x, y);
            }
            Numbers::Mixed => None,
        };
        match result {
            Some(result) => {
                self.release(instr.c)?;
                self.release(instr.b)?;
                self.result(instr.a, result);
            }
            None => {
                let in_place = binary_operator(instr.op).is_some_and(|(_, in_place)| in_place);
                if !self.quick_binary(instr, op, in_place)? {
                    self.step(instr)?;
                }
            }
        }
        Ok(Flow::Next)
    }

    /// Words of numbers, ints at one time and floats at another.
    fn arith(&mut self, instr: Instr, op: BinOp, x: Val, y: Val) -> Build<Flow> {
        let exit = self.exit_here();
        let word = self.emit(Op::Arith(op), &[x, y], Some(Ty::Word), Some(exit));
        self.release(instr.c)?;
        self.release(instr.b)?;
        let at = self.slot(instr.a);
        self.give_up(at);
        self.emit(Op::StoreReg(at as u16), &[word], None, None);
        self.set_slot(at, Slot::Mem(Some(word)));
        Ok(Flow::Next)
    }

    fn int_binary(&mut self, op: BinOp, x: Val, y: Val) -> Option<Val> {
        if let (Some(p), Some(q)) = (self.graph.as_int(x), self.graph.as_int(y)) {
            let folded = match op {
                BinOp::Add => p.checked_add(q),
                BinOp::Sub => p.checked_sub(q),
                BinOp::Mul => p.checked_mul(q),
                _ => None,
            };
            if let Some(n) = folded.filter(|n| Value::small_int(*n).is_some()) {
                return Some(self.int(n));
            }
        }
        Some(match op {
            BinOp::Add if self.graph.as_int(y) == Some(0) => x,
            BinOp::Add if self.graph.as_int(x) == Some(0) => y,
            BinOp::Add | BinOp::Sub => return self.add(op, x, y),
            BinOp::Mul => self.checked(Op::IntMul, &[x, y], Ty::Int),
            BinOp::FloorDiv => self.checked(Op::IntFloorDiv, &[x, y], Ty::Int),
            BinOp::Mod => self.checked(Op::IntMod, &[x, y], Ty::Int),
            BinOp::LShift => self.checked(Op::IntShl, &[x, y], Ty::Int),
            BinOp::RShift => self.checked(Op::IntShr, &[x, y], Ty::Int),
            BinOp::And => self.pure(Op::IntAnd, &[x, y], Ty::Int),
            BinOp::Or => self.pure(Op::IntOr, &[x, y], Ty::Int),
            BinOp::Xor => self.pure(Op::IntXor, &[x, y], Ty::Int),
            BinOp::TrueDiv => {
                for val in [x, y] {
                    self.guard_exact(val);
                }
                let (x, y) = (self.as_float(x), self.as_float(y));
                self.checked(Op::FloatDiv, &[x, y], Ty::Float)
            }
            BinOp::Pow if self.graph.as_int(y) == Some(2) => self.checked(Op::IntMul, &[x, x], Ty::Int),
            _ => return None,
        })
    }

    /// A sum or difference: unchecked where the operands are known to be near enough.
    fn add(&mut self, op: BinOp, x: Val, y: Val) -> Option<Val> {
        let (quick, checked) = match op {
            BinOp::Add => (Op::IntAddQuick, Op::IntAdd),
            _ => (Op::IntSubQuick, Op::IntSub),
        };
        let sum = self.graph.bound(x).zip(self.graph.bound(y)).and_then(|(a, b)| a.checked_add(b));
        if let Some(bound) = sum.filter(|sum| *sum < SMALL) {
            let result = self.pure(quick, &[x, y], Ty::Int);
            self.graph.bounds.insert(result, bound);
            return Some(result);
        }
        let result = self.checked(checked, &[x, y], Ty::Int);
        if self.seen(|seen| seen.failed.get()).unwrap_or(1) > 0 {
            self.graph.far.insert(result);
        }
        Some(result)
    }

    fn float_binary(&mut self, op: BinOp, x: Val, y: Val) -> Option<Val> {
        let square = op == BinOp::Pow && self.graph.as_int(y) == Some(2);
        let (x, y) = (self.as_float(x), self.as_float(y));
        Some(match op {
            BinOp::Add => self.pure(Op::FloatAdd, &[x, y], Ty::Float),
            BinOp::Sub => self.pure(Op::FloatSub, &[x, y], Ty::Float),
            BinOp::Mul => self.pure(Op::FloatMul, &[x, y], Ty::Float),
            BinOp::TrueDiv => self.checked(Op::FloatDiv, &[x, y], Ty::Float),
            BinOp::Pow if square => self.checked(Op::FloatSquare, &[x], Ty::Float),
            _ => return None,
        })
    }

    /// Leaves when an int is not exactly a float.
    fn guard_exact(&mut self, val: Val) {
        if self.graph.ty(val) != Ty::Int || self.graph.as_int(val).is_some_and(|n| n.abs() < EXACT) {
            return;
        }
        for (op, bound) in [(CmpOp::Lt, EXACT), (CmpOp::Gt, -EXACT)] {
            let bound = self.int(bound);
            let within = self.pure(Op::CmpInt(op), &[val, bound], Ty::Bool);
            self.guard(Op::GuardTrue, &[within], Ty::Bool);
        }
    }

    fn negate(&mut self, instr: Instr) -> Build<bool> {
        let val = self.operand(instr.b)?;
        let seen = self.seen(|seen| seen.b.get())?;
        let kind = self.operand_kind(val, seen);
        if !(kind == kinds::INT || kind == kinds::FLOAT) || self.is_dead_end()? {
            return Ok(false);
        }
        let val = self.number(val, kind);
        let result = if kind == kinds::INT {
            self.checked(Op::IntNeg, &[val], Ty::Int)
        } else {
            self.pure(Op::FloatNeg, &[val], Ty::Float)
        };
        self.release(instr.b)?;
        self.result(instr.a, result);
        Ok(true)
    }

    fn invert(&mut self, instr: Instr) -> Build<bool> {
        let val = self.operand(instr.b)?;
        let seen = self.seen(|seen| seen.b.get())?;
        if self.operand_kind(val, seen) != kinds::INT || self.is_dead_end()? {
            return Ok(false);
        }
        let (val, ones) = (self.number(val, kinds::INT), self.int(-1));
        let result = self.pure(Op::IntXor, &[val, ones], Ty::Int);
        self.release(instr.b)?;
        self.result(instr.a, result);
        Ok(true)
    }

    // Tests.

    fn compare(&mut self, instr: Instr, op: CmpOp, jumps: bool) -> Build<Flow> {
        let Some((numbers, x, y)) = self.numbers(instr)? else {
            if let Some(flow) = self.comparison_method(instr, op)? {
                return Ok(flow);
            }
            return match self.quick_compare(instr, op)? {
                Some(test) if jumps => self.jump(instr, test, instr.a != 0),
                Some(test) => {
                    self.result(instr.a, test);
                    Ok(Flow::Next)
                }
                None => self.compare_out_of_line(instr, jumps),
            };
        };
        let test = match numbers {
            Numbers::Ints => match (self.graph.as_int(x), self.graph.as_int(y)) {
                (Some(p), Some(q)) => self.constant(Op::Bool(op.holds(p.cmp(&q))), Ty::Bool),
                _ => self.pure(Op::CmpInt(op), &[x, y], Ty::Bool),
            },
            Numbers::Floats => {
                self.guard_exact(x);
                self.guard_exact(y);
                let (x, y) = (self.as_float(x), self.as_float(y));
                self.pure(Op::CmpFloat(op), &[x, y], Ty::Bool)
            }
            Numbers::Mixed => self.checked(Op::CmpNumber(op), &[x, y], Ty::Bool),
        };
        self.release(instr.c)?;
        self.release(instr.b)?;
        if jumps {
            return self.jump(instr, test, instr.a != 0);
        }
        self.result(instr.a, test);
        Ok(Flow::Next)
    }

    fn compare_out_of_line(&mut self, instr: Instr, jumps: bool) -> Build<Flow> {
        if jumps {
            return self.step_jump(instr);
        }
        self.step(instr)?;
        Ok(Flow::Next)
    }

    /// Jumps when `test` is `sense`; the operands were consumed.
    pub(crate) fn jump(&mut self, instr: Instr, test: Val, sense: bool) -> Build<Flow> {
        let next = self.pc + 1;
        let dying = self.take_dying();
        if let Op::Bool(known) = self.graph.inst(test).op {
            self.jump_to_instr(if known == sense { instr.d } else { next }, dying)?;
            return Ok(Flow::Done);
        }
        let state = self.state.clone();
        let (then, other) = self.split(test);
        let (taken, on) = if sense { (then, other) } else { (other, then) };
        self.now = taken;
        self.jump_to_instr(instr.d, dying.clone())?;
        self.now = on;
        self.state = state;
        self.jump_to_instr(next, dying)?;
        Ok(Flow::Done)
    }

    /// Goes on at an instruction, behind which operands die.
    fn jump_to_instr(&mut self, target: u32, dying: Vec<Val>) -> Build {
        self.clear_exit();
        self.dying = dying;
        self.bury(target)?;
        if target <= self.pc && !matches!(self.context.kind, ContextKind::Turn { .. }) {
            // The interpreter polls at the loop's first instruction.
            let exit = self.exit_at(target, "poll");
            self.emit(Op::Poll, &[], None, Some(exit));
        }
        let context = self.context.clone();
        self.go(&context, target)
    }

    fn not(&mut self, instr: Instr) -> Build<bool> {
        let Some(test) = self.truth(instr.b)? else { return Ok(false) };
        self.release(instr.b)?;
        let result = self.pure(Op::Not, &[test], Ty::Bool);
        self.result(instr.a, result);
        Ok(true)
    }

    /// Whether an operand is true, if that is quickly known.
    pub(crate) fn truth(&mut self, operand: i16) -> Build<Option<Val>> {
        let val = self.operand(operand)?;
        let seen = self.seen(|seen| seen.b.get())?;
        match self.graph.ty(val) {
            Ty::Bool => return Ok(Some(val)),
            Ty::Int => {
                let zero = self.int(0);
                return Ok(Some(self.pure(Op::CmpInt(CmpOp::Ne), &[val, zero], Ty::Bool)));
            }
            Ty::Float => {
                let zero = self.constant(Op::Float(0), Ty::Float);
                return Ok(Some(self.pure(Op::CmpFloat(CmpOp::Ne), &[val, zero], Ty::Bool)));
            }
            _ => {}
        }
        if let Op::Word(bits) = self.graph.inst(val).op {
            for (value, truth) in [(Value::TRUE, true), (Value::FALSE, false), (Value::NONE, false)] {
                if value.bits() == bits {
                    return Ok(Some(self.constant(Op::Bool(truth), Ty::Bool)));
                }
            }
        }
        if self.is_dead_end()? {
            return Ok(None);
        }
        Ok(match seen {
            kinds::BOOL => Some(self.guard(Op::GuardBool, &[val], Ty::Bool)),
            kinds::INT => {
                let int = self.guard(Op::GuardInt, &[val], Ty::Int);
                let zero = self.int(0);
                Some(self.pure(Op::CmpInt(CmpOp::Ne), &[int, zero], Ty::Bool))
            }
            _ => self.quick_truth(val, seen),
        })
    }

    fn jump_if(&mut self, instr: Instr) -> Build<Flow> {
        let Some(test) = self.truth(instr.b)? else { return self.step_jump(instr) };
        self.release(instr.b)?;
        self.jump(instr, test, instr.op == Code::JumpIfTrue)
    }

    /// Jumps keeping the tested temporary, or goes on without it.
    fn jump_keeping(&mut self, instr: Instr) -> Build<Flow> {
        let at = self.slot(instr.b);
        if instr.d <= self.pc {
            return self.step_jump(instr);
        }
        let Some(test) = self.truth(instr.b)? else { return self.step_jump(instr) };
        let (taken, next) = (instr.d, self.pc + 1);
        let state = self.state.clone();
        let (yes, no) = self.split(test);
        let (jump, on) = if instr.op == Code::JumpIfTrueKeep { (yes, no) } else { (no, yes) };
        let context = self.context.clone();
        self.now = jump;
        self.go(&context, taken)?;
        self.now = on;
        self.state = state;
        self.give_up(at);
        self.bury(next)?;
        self.go(&context, next)?;
        Ok(Flow::Done)
    }

    fn is(&mut self, instr: Instr) -> Build<Flow> {
        let jumps = instr.op == Code::JumpIs;
        let temporary = |b: &Self, operand: i16| -> Build<bool> {
            let held = operand >= 0 && b.is_temporary(operand)?;
            Ok(held && matches!(b.state.slots[b.slot(operand)], Slot::Mem(_)))
        };
        if jumps && (temporary(self, instr.b)? || temporary(self, instr.c)?) {
            return self.step_jump(instr);
        }
        let (x, y) = (self.operand_word(instr.b)?, self.operand_word(instr.c)?);
        let test = if x == y {
            self.constant(Op::Bool(true), Ty::Bool)
        } else {
            self.pure(Op::Same, &[x, y], Ty::Bool)
        };
        self.release(instr.c)?;
        self.release(instr.b)?;
        if jumps {
            return self.jump(instr, test, instr.a != 0);
        }
        let result = if instr.d != 0 { self.pure(Op::Not, &[test], Ty::Bool) } else { test };
        self.result(instr.a, result);
        Ok(Flow::Next)
    }

    // Out of line.

    /// Has the interpreter's own code do the instruction.
    pub(crate) fn step(&mut self, instr: Instr) -> Build<Val> {
        if self.context.activation.call.as_ref().is_some_and(|call| !call.framed) {
            self.in_vain.push(Stop::Frame(self.inlining_keys()));
        }
        self.store_item();
        let operands = self.stepped(instr)?;
        // Calls of Python functions cost little more than they do in line.
        let is_call =
            |seen: &Seen| seen.target().is_some_and(|target| target.downcast::<CodeObject>().is_some());
        let ran = self.seen(|seen| if is_call(seen) { 0 } else { u64::from(seen.ran.get()) })?;
        self.ran_out_of_line += ran;
        self.graph.tally.add("instructions out of line", 1);
        let on = self.worked_on(instr)?;
        self.note(&format!("out of line {}{on} ({ran} times)", instr.op.name()));
        self.own_all(&operands)?;
        let exit = self.step_exit();
        let activation = &self.context.activation;
        let site = StepSite { code: activation.code.bits(), level: activation.level, pc: self.pc };
        self.graph.steps.push(site);
        let site = self.graph.steps.len() as u32 - 1;
        let jumps = self.emit(Op::Step(site), &[], Some(Ty::Bool), Some(exit));
        self.state.forget_memory();
        for at in &operands {
            if self.is_temporary((*at - self.context.activation.base) as i16)? {
                self.set_slot(*at, Slot::Dead);
                self.emit(Op::Clobber(*at as u16), &[], None, None);
            }
        }
        for register in self.step_results(instr)? {
            self.set_slot(register, Slot::Mem(None));
            self.emit(Op::Clobber(register as u16), &[], None, None);
        }
        Ok(jumps)
    }

    /// For the listing: the callee, wordcode or kinds of operands of an instruction.
    fn worked_on(&self, instr: Instr) -> Build<String> {
        if instr.op == Code::Generic {
            return Ok(format!(" {}", generic_name(&instr)));
        }
        self.seen(|seen| match seen.target() {
            Some(target) => format!(" {}", self.name_of(&target)),
            None => format!(" {}, {}, {}", seen.a.get(), seen.b.get(), seen.c.get()),
        })
    }

    fn name_of(&self, value: &Value) -> String {
        if let Some(method) = value.downcast::<MethodDescriptor>() {
            return method.def.name.to_string();
        }
        if let Some(builtin) = value.downcast::<Builtin>() {
            return builtin.def.name.to_string();
        }
        match value.downcast::<pellucid_object::Type>() {
            Some(ty) => ty.name().to_string(),
            None => self.vm.type_name(value).to_string(),
        }
    }

    /// The calls that brought the current activation here.
    fn inlining_keys(&self) -> Vec<super::state::Key> {
        let mut keys = Vec::new();
        let mut context = Some(&self.context);
        while let Some(c) = context {
            if c.kind == ContextKind::Inlined {
                keys.push(c.prefix.clone());
            }
            context = c.parent.as_ref();
        }
        keys
    }

    /// All that an instruction done out of line may look at stands in memory.
    fn own_all(&mut self, operands: &[usize]) -> Build {
        for at in operands {
            self.own(*at)?;
        }
        for at in 0..self.state.slots.len() {
            let slot = &self.state.slots[at];
            if !slot.is_virtual() || self.borrows(slot) {
                self.own(at)?;
            }
        }
        Ok(())
    }

    /// An instruction done out of line that decides a jump.
    pub(crate) fn step_jump(&mut self, instr: Instr) -> Build<Flow> {
        let jumps = self.step(instr)?;
        let state = self.state.clone();
        let (then, other) = self.split(jumps);
        let context = self.context.clone();
        let (taken, next) = (instr.d, self.pc + 1);
        self.now = then;
        self.after_step_jump(instr, true)?;
        if taken <= self.pc {
            let exit = self.exit_at(taken, "poll");
            self.emit(Op::Poll, &[], None, Some(exit));
        }
        self.go(&context, taken)?;
        self.now = other;
        self.state = state;
        self.after_step_jump(instr, false)?;
        self.go(&context, next)?;
        Ok(Flow::Done)
    }

    /// What a jumping instruction leaves in its registers.
    pub(crate) fn after_step_jump(&mut self, instr: Instr, taken: bool) -> Build {
        match instr.op {
            Code::ForIter => {
                let at = self.slot(instr.b);
                self.set_slot(at, if taken { Slot::Dead } else { Slot::Mem(None) });
                if taken && self.is_temporary(instr.a)? {
                    let at = self.slot(instr.a);
                    self.set_slot(at, Slot::Dead);
                }
            }
            Code::JumpIfFalseKeep | Code::JumpIfTrueKeep => {
                let at = self.slot(instr.b);
                self.set_slot(at, if taken { Slot::Mem(None) } else { Slot::Dead });
            }
            _ => {}
        }
        Ok(())
    }

    /// The registers that an instruction done out of line reads, so that they must stand in memory.
    fn stepped(&mut self, instr: Instr) -> Build<Vec<usize>> {
        use Code::*;
        let mut operands: Vec<i16> = Vec::new();
        match instr.op {
            Call | CallKw => operands.extend(instr.b..=instr.b + instr.c),
            CallMethod => operands.extend(instr.b..=instr.b + 1 + instr.c),
            BuildTuple | BuildList | BuildString | BuildMap | BuildSet => {
                operands.extend(instr.b..instr.b + instr.d as i16)
            }
            Generic => {
                let first = self.with_form(|form| form.first_temp as i16)?;
                operands.extend(first..instr.a);
            }
            StoreSubscr | MapAdd => operands.extend([instr.a, instr.b, instr.c]),
            LoadSlice => {
                operands.extend([instr.b, instr.c, operand_of(instr.d)]);
                operands.extend((instr.e != NO_STEP).then(|| operand_of(instr.e)));
            }
            StoreSlice => operands.extend([instr.a, instr.b, instr.c, instr.d as u16 as i16]),
            LoadGlobal | LoadName | LoadConst | CheckLocal | DeleteLocal | MakeComprehension
            | LoadSuperAttr | LoadSuperMethod => {}
            LoadDeref => operands.push(instr.b),
            StoreDeref => operands.extend([instr.a, instr.b]),
            Comprehension | GetIter | ForIter | Format | UnpackSequence | UnpackTwo | LoadAttr
            | LoadMethod | StoreName | StoreGlobal | Neg | Pos | Invert | Not | Move | Take | JumpIfFalse
            | JumpIfTrue | JumpIfFalseKeep | JumpIfTrueKeep => operands.push(instr.b),
            Drop => operands.push(instr.a),
            Swap => operands.extend([instr.a, instr.b]),
            _ => operands.extend([instr.b, instr.c]),
        }
        // Those are not consumed.
        let kept = match instr.op {
            ListAppend | MapAdd | SetAdd => Some(instr.b),
            _ => None,
        };
        let live = |r: &i16| *r >= 0 && Some(*r) != kept;
        Ok(operands.into_iter().filter(live).map(|r| self.slot(r)).collect())
    }

    /// The registers that an instruction done out of line writes.
    fn step_results(&mut self, instr: Instr) -> Build<Vec<usize>> {
        if instr.op == Code::Generic {
            let first = self.with_form(|form| form.first_temp as i64)?;
            let effect = generic_effect(&instr).ok_or(Stop::No("unknown wordcode"))?;
            let top = i64::from(instr.a) + effect;
            return Ok((first..top).map(|r| self.slot(r as i16)).collect());
        }
        if matches!(instr.op, Code::ForIter | Code::DeleteLocal) {
            return Ok(vec![self.slot(instr.a)]);
        }
        Ok(super::flow::writes(&instr).into_iter().map(|r| self.slot(r)).collect())
    }
}

//! Operators and items of objects whose class defines them in Python: the method is inlined where it is asked.

use super::state::{CallSite, Slot};
use super::{Build, Builder, Flow};
use crate::ir::{Op, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::Instr;
use pellucid_interp::frame::Ret;
use pellucid_interp::function::Function;
use pellucid_interp::hot::kinds;
use pellucid_interp::one::{binary_operator, comparison};
use pellucid_object::{BinOp, CmpOp, Type, TypeFlags, Value};

/// A method that can be inlined, and the class it was found on.
struct Method {
    class: Value,
    version: u32,
    function: Value,
    code: Value,
}

impl Builder<'_> {
    /// The Python function that `name` is on the class that the current instruction saw first, if it can be inlined.
    fn seen_method(&mut self, name: &Value, given: usize) -> Build<Option<Method>> {
        let Some(class) = self.seen(|seen| seen.target())? else { return Ok(None) };
        let Some(ty) = class.downcast::<Type>().filter(|ty| ty.flags.get().contains(TypeFlags::MUTABLE))
        else {
            return Ok(None);
        };
        let version = ty.version();
        let Some(function) = ty.lookup(self.vm, name).filter(|_| version != 0) else { return Ok(None) };
        let Some(code) = function.downcast::<Function>().and_then(|f| f.code.get()) else { return Ok(None) };
        let takes = code.downcast::<CodeObject>().and_then(CodeObject::ready_form).map(|form| form.argcount);
        if takes != Some(given as u16) || !self.may_inline(&code, given)? {
            return Ok(None);
        }
        Ok(Some(Method { class, version, function, code }))
    }

    /// Guards that `receiver` has the method, and goes on in its code. A `consumed` operand's word goes over to it.
    fn inline_method(
        &mut self,
        instr: Instr,
        receiver: Val,
        method: Method,
        operands: &[i16],
        ret: Ret,
    ) -> Build<Option<Flow>> {
        self.guard_class(receiver, &method.class, u64::from(method.version));
        let function = self.word(method.function.bits());
        self.keep.extend([method.class, method.function]);
        self.guard_code(function, &method.code);
        let window = self.context_registers()?;
        if self.state.slots.len() < window + operands.len() {
            self.state.slots.resize(window + operands.len(), Slot::Dead);
        }
        for (index, operand) in operands.iter().enumerate() {
            self.pass_operand(*operand, window + index, ret != Ret::Operator)?;
        }
        let dst = if ret == Ret::Discard { 0 } else { instr.a };
        let site = CallSite { function, pc: self.pc, dst, ret, object: None, framed: false, callee: None };
        self.inline(site, method.code, window, operands.len(), 0)
    }

    /// Makes an operand an argument in register `to`. A temporary that is consumed moves, others are shared.
    fn pass_operand(&mut self, operand: i16, to: usize, consumed: bool) -> Build {
        let consumed = consumed && operand >= 0 && self.is_temporary(operand)?;
        if !consumed {
            let val = self.operand(operand)?;
            let slot = self.held(val);
            self.set_slot(to, slot);
            return Ok(());
        }
        let from = self.slot(operand);
        if let Slot::Mem(_) = self.state.slots[from] {
            self.move_word(from, to);
            return Ok(());
        }
        if let walk @ Slot::Walk(..) = self.state.slots[from].clone() {
            self.move_walk(from, to, walk);
            return Ok(());
        }
        let slot = std::mem::replace(&mut self.state.slots[from], Slot::Dead).moved();
        self.set_slot(to, slot);
        Ok(())
    }

    /// `container[key]`
    pub(crate) fn get_item(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let name = self.machine.names.__getitem__.clone();
        let Some(container) = self.dunder_receiver(instr.b)? else { return Ok(None) };
        let Some(method) = self.seen_method(&name, 2)? else { return Ok(None) };
        self.inline_method(instr, container, method, &[instr.b, instr.c], Ret::Call)
    }

    /// `container[key] = value`
    pub(crate) fn set_item(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let name = self.machine.names.__setitem__.clone();
        let Some(container) = self.dunder_receiver(instr.a)? else { return Ok(None) };
        let Some(method) = self.seen_method(&name, 3)? else { return Ok(None) };
        self.inline_method(instr, container, method, &[instr.a, instr.b, instr.c], Ret::Discard)
    }

    /// An operand that may have a method, as a word.
    fn dunder_receiver(&mut self, operand: i16) -> Build<Option<Val>> {
        if operand < 0 || self.is_dead_end()? {
            return Ok(None);
        }
        self.object(operand)
    }

    /// `a op b`
    pub(crate) fn operator_method(&mut self, instr: Instr, op: BinOp) -> Build<Option<Flow>> {
        let name = self.machine.names.binary(op).clone();
        self.operator(instr, &name, Some(op))
    }

    /// `a < b` and its like.
    pub(crate) fn comparison_method(&mut self, instr: Instr, op: CmpOp) -> Build<Option<Flow>> {
        let name = self.machine.names.compare(op).clone();
        self.operator(instr, &name, None)
    }

    fn operator(&mut self, instr: Instr, name: &Value, op: Option<BinOp>) -> Build<Option<Flow>> {
        let Some(a) = self.dunder_receiver(instr.b)? else { return Ok(None) };
        let Some(method) = self.seen_method(name, 2)? else { return Ok(None) };
        let in_place = binary_operator(instr.op).is_some_and(|(_, in_place)| in_place);
        if in_place
            && let (Some(op), Some(ty)) = (op, method.class.downcast::<Type>())
            && ty.slots.inplace[op as usize].get().is_some()
        {
            return Ok(None);
        }
        if !self.guard_not_refined(instr.c, &method.class)? {
            return Ok(None);
        }
        self.inline_method(instr, a, method, &[instr.b, instr.c], Ret::Operator)
    }

    /// Guards that the class of an operator's second operand does not refine the first one's, so that the first is asked first.
    fn guard_not_refined(&mut self, operand: i16, class: &Value) -> Build<bool> {
        let val = self.operand(operand)?;
        if self.graph.ty(val) != Ty::Word || self.is_plain(val) {
            return Ok(true);
        }
        let (other, seen) = self.seen(|seen| (seen.other(), seen.c.get()))?;
        match (other, seen) {
            (_, kinds::INT) => drop(self.guard(Op::GuardInt, &[val], Ty::Int)),
            (_, kinds::FLOAT) => drop(self.guard(Op::GuardFloat, &[val], Ty::Float)),
            (_, kinds::NONE | kinds::BOOL) => drop(self.guard(Op::GuardPlain, &[val], Ty::Word)),
            (Some(other), _) => {
                let Some((first, second)) = class.downcast_ref::<Type>().zip(other.downcast_ref::<Type>())
                else {
                    return Ok(false);
                };
                if !other.is(class) && second.is_subtype_of(&first) {
                    return Ok(false);
                }
                let stable = !second.flags.get().contains(TypeFlags::MUTABLE);
                self.guard(Op::GuardType { ty: other.bits(), stable }, &[val], Ty::Word);
                self.keep.push(other);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The method of an operator returns: where its value is not one that does it (`NotImplemented`), or where a jump depends on it and
    /// it is no bool, the interpreter goes on. Gives what a jump depends on. `None`: that is so.
    pub(crate) fn operator_value(
        &mut self,
        ret: Instr,
        val: Val,
        caller: Instr,
    ) -> Build<Option<Option<Val>>> {
        let refused = Value::NOT_IMPLEMENTED.bits();
        match self.graph.inst(val).op {
            Op::Word(bits) if bits == refused => return Ok(None),
            _ if self.graph.ty(val) == Ty::Word => drop(self.guard(Op::GuardNot(refused), &[val], Ty::Word)),
            _ => {}
        }
        if !comparison(caller.op).is_some_and(|(_, jumps)| jumps) {
            return Ok(Some(None));
        }
        Ok(self.truth(ret.b)?.map(Some))
    }
}

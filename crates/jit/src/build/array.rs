//! Items of arrays, which are numbers without objects.

use super::{Build, Builder};
use crate::ir::{Machine, Op, Region, Ty, Val};
use pellucid_interp::form::Instr;
use pellucid_object::array::Array;
use pellucid_object::{Type, TypeFlags};

impl Builder<'_> {
    /// How the items of an array lie in memory, their address, and the index of one, all guarded. The array's type is the one that
    /// was seen.
    pub(crate) fn array_item(
        &mut self,
        container: i16,
        index: i16,
        seen: u16,
    ) -> Build<Option<(Machine, Val, Val)>> {
        let Some((ty, letter)) = self.seen_array()? else { return Ok(None) };
        let Some(kind) = Machine::of_code(letter) else { return Ok(None) };
        let Some(array) = self.object(container)? else { return Ok(None) };
        let Some(index) = self.index(index, seen)? else { return Ok(None) };
        let array = self.guard(Op::GuardType { ty, stable: true }, &[array], Ty::Word);
        let code = self.load8(Region::Tuple, self.layout.array_code, array);
        self.guard(Op::GuardIs(letter as u64), &[code], Ty::Raw);
        let items = self.load(Region::List, self.layout.array_items, array, Ty::Raw);
        let bytes = self.load(Region::List, self.layout.array_bytes, array, Ty::Raw);
        let len = match kind.log_size() {
            0 => bytes,
            by => self.pure(Op::RawShr(by), &[bytes], Ty::Raw),
        };
        let index = self.within(index, len)?;
        Ok(Some((kind, items, index)))
    }

    /// The type of the arrays that the current instruction saw, and their code.
    fn seen_array(&self) -> Build<Option<(u64, char)>> {
        let (target, letter) = self.seen(|seen| (seen.target(), seen.code.get()))?;
        Ok(target.filter(|_| letter != 0).and_then(|class| {
            let ty = class.downcast::<Type>()?;
            let exact = !ty.flags.get().contains(TypeFlags::MUTABLE);
            (exact && ty.holds::<Array>()).then(|| (class.bits(), letter as char))
        }))
    }

    pub(crate) fn load_array_item(&mut self, kind: Machine, items: Val, index: Val) -> Val {
        self.guard(Op::ArrayItem(kind), &[items, index], kind.ty())
    }

    pub(crate) fn store_array_item(&mut self, instr: Instr) -> Build<bool> {
        let seen = self.seen(|seen| (seen.c.get(), seen.b.get()))?;
        let value = self.operand(instr.c)?;
        let kind = self.operand_kind(value, seen.0);
        let is_number =
            kind == pellucid_interp::hot::kinds::INT || kind == pellucid_interp::hot::kinds::FLOAT;
        if !is_number {
            return Ok(false);
        }
        let Some((machine, items, index)) = self.array_item(instr.a, instr.b, seen.1)? else {
            return Ok(false);
        };
        let number = self.number(value, kind);
        let number = match machine.ty() {
            Ty::Float => self.as_float(number),
            _ if self.graph.ty(number) == Ty::Int => number,
            _ => return Ok(false),
        };
        let exit = self.exit_here();
        self.emit(Op::SetArrayItem(machine), &[items, index, number], None, Some(exit));
        self.state.forget(Region::Packed);
        if matches!(machine, Machine::F64 | Machine::I64) {
            self.state.learn(Op::ArrayItem(machine), items, Some(index), number);
        }
        self.release(instr.c)?;
        self.release(instr.b)?;
        self.release(instr.a)?;
        Ok(true)
    }
}

//! Comprehensions are inlined as calls are; the function that runs is the one around them.

use super::state::CallSite;
use super::{Build, Builder, Flow};
use crate::ir::{Op, Region, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::Instr;
use pellucid_interp::frame::{Frame, Ret};
use pellucid_object::Value;

impl Builder<'_> {
    /// `r[a] =` what the comprehension `d` makes of the iterator in `r[b]`. `None`: done out of line.
    pub(crate) fn comprehension(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let found = self.with_form(|form| {
            let comprehension = form.comprehensions.get(instr.d as usize)?;
            Some((comprehension.code as usize, comprehension.cells.clone()))
        })?;
        let Some((code, cells)) = found else { return Ok(None) };
        let Some(code) = self.code()?.consts.get(code).cloned() else { return Ok(None) };
        if !self.may_inline_comprehension(&code)? {
            return Ok(None);
        }
        let cells = cells.iter().map(|cell| self.operand_word(*cell)).collect::<Build<Vec<Val>>>()?;
        let function = match &self.context.activation.call {
            Some(call) => call.function,
            None => {
                let frame = self.constant(Op::Frame, Ty::Raw);
                self.load(Region::Frame, std::mem::offset_of!(Frame, function), frame, Ty::Word)
            }
        };
        let site = CallSite {
            function,
            pc: self.pc,
            dst: instr.a,
            ret: Ret::Call,
            object: None,
            framed: false,
            callee: None,
        };
        let base = self.slot(instr.b);
        self.inline_sharing(site, code, base, 1, 0, &cells)
    }

    fn may_inline_comprehension(&self, code: &Value) -> Build<bool> {
        let Some(form) = code.downcast::<CodeObject>().and_then(CodeObject::ready_form) else {
            return Ok(false);
        };
        let plain = form.woven.is_none() && !form.generator && form.ncells == 0;
        Ok(plain && self.has_room_for(code, form.instrs.len()))
    }
}

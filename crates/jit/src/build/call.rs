//! Calls, returns, and iteration.

use super::state::{Activation, CallSite, Context, ContextKind, Slot};
use super::{Build, Builder, Flow, Stop};
use crate::ir::{Op, Region, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::Instr;
use pellucid_interp::function::Function;
use pellucid_interp::hot::kinds;
use pellucid_object::Value;
use pellucid_object::layout;
use pellucid_object::native::Builtin;
use pellucid_object::protocol::CmpOp;
use std::rc::Rc;

/// Most instructions of a function that is inlined, of all that are inlined, and how deep.
const CALLEE: usize = 80;
const INLINED: usize = 1500;
const DEEPEST: u32 = 5;

/// Ends of ranges beyond which adding a step could leave the word.
const FAR: i64 = 1 << 60;

impl Builder<'_> {
    /// A call of what stands in register `callee`, with `given` arguments from register `first` on. False: done out of line.
    pub(crate) fn call(
        &mut self,
        instr: Instr,
        callee: i16,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let target = self.seen(|seen| seen.target())?;
        let word = self.operand_word(callee)?;
        let known = match self.graph.inst(word).op {
            // SAFETY: words of heap objects in the graph are kept by the builder or by the code that it builds.
            Op::Word(bits) => Some(unsafe { Value::borrow_bits(&bits).clone() }),
            _ => None,
        };
        let code = match &known {
            Some(value) => value.downcast::<Function>().and_then(|function| function.code.get()),
            None => target.clone().filter(|value| value.downcast::<CodeObject>().is_some()),
        };
        if let Some(code) = code {
            return self.inline(instr, word, known.is_some(), code, first, given);
        }
        let guarded = known.is_none();
        match known.or(target).filter(Value::is_heap) {
            Some(value) => self.builtin(instr, word, guarded, value, callee, first, given),
            None => Ok(None),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn inline(
        &mut self,
        instr: Instr,
        word: Val,
        known: bool,
        code: Value,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let Some(data) = code.downcast::<CodeObject>() else { return Ok(None) };
        let Some(form) = data.ready_form() else { return Ok(None) };
        let mut key = self.context.prefix.clone();
        key.push(self.pc);
        let depth = self.context.activation.level + 1;
        let length = form.instrs.len();
        let fits = form.simple
            && form.woven.is_none()
            && form.argcount as usize == given
            && length <= CALLEE
            && self.inlined + length <= INLINED
            && depth <= DEEPEST
            && !self.root.is_generator()
            && !self.is_active(&code)
            && !self.lessons.outlined.contains(&key);
        if !fits {
            return Ok(None);
        }
        let (registers, variables) = (form.nregs as usize, form.first_temp as usize);
        if !known {
            let ty = self.machine.function.value().bits();
            let function = self.guard(Op::GuardType { ty, stable: true }, &[word], Ty::Word);
            let offset = layout::PAYLOAD + std::mem::offset_of!(Function, code);
            let held = self.load(Region::Header, offset, function, Ty::Raw);
            self.guard(Op::GuardIs(code.bits()), &[held], Ty::Raw);
        }
        let base = self.slot(first);
        self.registers = self.registers.max(base + registers + 1);
        let unbound = self.unbound();
        if self.state.slots.len() < base + registers {
            self.state.slots.resize(base + registers, Slot::Dead);
        }
        for at in base + given..base + registers {
            let local = at < base + variables;
            self.set_slot(at, if local { Slot::Now { val: unbound, clean: false } } else { Slot::Dead });
        }
        self.levels = self.levels.max(depth);
        self.inlined += length;
        self.keep.push(code.clone());
        self.note(&format!("inlined {} in", self.vm.str_lossy(&data.qualname)));
        let call = CallSite { function: word, pc: self.pc, dst: instr.a, object: None };
        let mut prefix = key;
        prefix.push(0);
        let parent = self.context.clone();
        let context = Rc::new(Context {
            prefix,
            activation: Rc::new(Activation { code, base, level: depth, call: Some(call) }),
            kind: ContextKind::Inlined,
            parent: Some(parent),
        });
        self.go(&context, 0)?;
        Ok(Some(Flow::Done))
    }

    fn is_active(&self, code: &Value) -> bool {
        let mut context = Some(&self.context);
        while let Some(c) = context {
            if c.activation.code.is(code) {
                return true;
            }
            context = c.parent.as_ref();
        }
        false
    }

    /// `return` of an inlined activation.
    pub(crate) fn inlined_return(&mut self, instr: Instr) -> Build<Flow> {
        let mut inner = self.context.clone();
        while inner.kind != ContextKind::Inlined {
            inner = inner.parent.clone().ok_or(Stop::No("a return of nothing"))?;
        }
        let Some(call) = inner.activation.call.clone() else { return Err(Stop::No("a return of nothing")) };
        let outer = inner.parent.clone().ok_or(Stop::No("a return of nothing"))?;
        let base = inner.activation.base;
        let val = self.operand(instr.b)?;
        // A local's word moves out, for the local dies.
        let moved = instr.b >= 0
            && matches!(self.state.slots[self.slot(instr.b)], Slot::Mem(_))
            && !self.is_plain(val);
        if moved {
            let unbound = self.unbound();
            let at = self.slot(instr.b);
            self.emit(Op::StoreReg(at as u16), &[unbound], None, None);
            self.set_slot(at, Slot::Dead);
        }
        for at in base..self.state.slots.len() {
            self.give_up(at);
        }
        self.context = outer;
        self.pc = call.pc;
        // The register of the callee.
        let caller = self.instr(call.pc)?;
        let callee = self.slot(caller.b);
        self.give_up(callee);
        let length = self.context_registers()?;
        self.state.slots.truncate(length);
        let at = self.slot(call.dst);
        if moved {
            self.give_up(at);
            self.emit(Op::StoreReg(at as u16), &[val], None, None);
            self.set_slot(at, Slot::Mem(Some(val)));
        } else {
            self.result(call.dst, val);
        }
        self.bury(call.pc + 1)?;
        let context = self.context.clone();
        self.go(&context, call.pc + 1)?;
        Ok(Flow::Done)
    }

    fn context_registers(&self) -> Build<usize> {
        let registers = self.with_form(|form| form.nregs as usize)?;
        Ok(self.context.activation.base + registers)
    }

    /// A call of a builtin that is known here.
    #[allow(clippy::too_many_arguments)]
    fn builtin(
        &mut self,
        instr: Instr,
        word: Val,
        guarded: bool,
        value: Value,
        callee: i16,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let is_range = self.vm.type_for(&pellucid_types::range::RANGE).is_ok_and(|ty| ty.value().is(&value));
        let name = match value.downcast::<Builtin>() {
            Some(builtin) if !builtin.pass_this => builtin.def.name,
            _ if is_range => "range",
            _ => return Ok(None),
        };
        let args: Vec<i16> = (0..given as i16).map(|by| first + by).collect();
        let result = match (name, &args[..]) {
            ("range", _) if (1..=3).contains(&given) => self.range(&args)?,
            ("len", [list]) => self.len(*list)?,
            _ => None,
        };
        let Some(result) = result else { return Ok(None) };
        if guarded {
            self.guard(Op::GuardIs(value.bits()), &[word], Ty::Word);
        }
        self.keep.push(value);
        for arg in &args {
            self.release(*arg)?;
        }
        self.release(callee)?;
        let at = self.slot(instr.a);
        self.put(at, result);
        Ok(Some(Flow::Next))
    }

    fn range(&mut self, args: &[i16]) -> Build<Option<Slot>> {
        let mut ints = Vec::new();
        for arg in args {
            let val = self.operand(*arg)?;
            let val = match self.graph.ty(val) {
                Ty::Int => val,
                Ty::Word if self.is_dead_end()? => return Ok(None),
                Ty::Word => self.guard(Op::GuardInt, &[val], Ty::Int),
                _ => return Ok(None),
            };
            ints.push(val);
        }
        let (zero, one) = (self.int(0), self.int(1));
        let (start, stop, step) = match ints[..] {
            [stop] => (zero, stop, one),
            [start, stop] => (start, stop, one),
            [start, stop, step] => (start, stop, step),
            _ => return Ok(None),
        };
        let Some(step) = self.graph.as_int(step).filter(|s| *s != 0 && s.unsigned_abs() < 1 << 40) else {
            return Ok(None);
        };
        for (val, op, far) in [(start, CmpOp::Gt, -FAR), (stop, CmpOp::Lt, FAR)]
            .into_iter()
            .chain([(start, CmpOp::Lt, FAR), (stop, CmpOp::Gt, -FAR)])
        {
            if self.graph.as_int(val).is_some_and(|n| n.abs() < FAR) {
                continue;
            }
            let far = self.int(far);
            let near = self.pure(Op::CmpInt(op), &[val, far], Ty::Bool);
            self.guard(Op::GuardTrue, &[near], Ty::Bool);
        }
        Ok(Some(Slot::Range(start, stop, step)))
    }

    fn len(&mut self, operand: i16) -> Build<Option<Slot>> {
        let val = self.operand(operand)?;
        if self.graph.ty(val) != Ty::Word {
            return Ok(None);
        }
        let list = self.vm.types().list.value().bits();
        let guard = Op::GuardType { ty: list, stable: true };
        // Arguments are not observed by kind: the guard may be wrong, which the exit's count tells.
        if self.is_dead_end()?
            || self.state.fact(guard, val, None).is_none() && !self.looks_like_list(operand)?
        {
            return Ok(None);
        }
        let list = self.guard(guard, &[val], Ty::Word);
        let len = self.load(Region::List, self.layout.list_len, list, Ty::Raw);
        let len = self.pure(Op::RawToInt, &[len], Ty::Int);
        Ok(Some(Slot::Now { val: len, clean: false }))
    }

    /// Whether the instructions that put a call's argument into its register saw a list.
    fn looks_like_list(&self, register: i16) -> Build<bool> {
        let pc = self.pc as usize;
        self.with_form(|form| {
            let writer = (0..pc).rev().find(|at| super::flow::writes(&form.instrs[*at]).contains(&register));
            writer.is_some_and(|at| {
                let move_ = form.instrs[at].op == pellucid_interp::ops::Op::Move;
                move_ && form.seen()[at].b.get() == kinds::LIST
            })
        })
    }

    /// `iter(x)`: of a range that was not made.
    pub(crate) fn get_iter(&mut self, instr: Instr) -> Build<bool> {
        if instr.b < 0 {
            return Ok(false);
        }
        let from = self.slot(instr.b);
        let Slot::Range(start, stop, step) = self.state.slots[from] else { return Ok(false) };
        self.release(instr.b)?;
        let at = self.slot(instr.a);
        self.put(at, Slot::RangeIter(start, stop, step));
        Ok(true)
    }

    /// At a loop over a range whose iterator exists: its state is taken over, and the object is given up.
    pub(crate) fn take_iterator(&mut self) -> Build {
        let instr = self.instr(self.pc)?;
        if instr.op != pellucid_interp::ops::Op::ForIter {
            return Ok(());
        }
        let at = self.slot(instr.b);
        let ty = self.machine.range_iterator.value().bits();
        if !matches!(self.state.slots[at], Slot::Mem(_))
            || self.context.activation.level > 0
            || self.seen(|seen| seen.target())?.is_none_or(|target| target.bits() != ty)
            || self.is_dead_end()?
        {
            return Ok(());
        }
        // The step of the iterator that is there now is taken for that of all.
        let Some(step) = self.root_step(instr.b) else { return Ok(()) };
        let word = self.mem_word(at);
        let iterator = self.guard(Op::GuardType { ty, stable: true }, &[word], Ty::Word);
        let one = self.constant(Op::Raw(1), Ty::Raw);
        let count = self.load32(Region::Iter, layout::REFCOUNT, iterator);
        let alone = self.pure(Op::Same, &[count, one], Ty::Bool);
        self.guard(Op::GuardTrue, &[alone], Ty::Bool);
        let field = |offset: usize| layout::PAYLOAD + offset;
        use pellucid_object::RangeIterator as R;
        let held = self.load(Region::Iter, field(std::mem::offset_of!(R, step)), iterator, Ty::Raw);
        self.guard(Op::GuardIs(step as u64), &[held], Ty::Raw);
        let next = self.load(Region::Iter, field(std::mem::offset_of!(R, next)), iterator, Ty::Raw);
        let left = self.load(Region::Iter, field(std::mem::offset_of!(R, left)), iterator, Ty::Raw);
        let (next, left) =
            (self.pure(Op::RawToInt, &[next], Ty::Int), self.pure(Op::RawToInt, &[left], Ty::Int));
        let exit = self.exit_here();
        let by = self.int(step);
        let way = self.emit(Op::IntMul, &[left, by], Some(Ty::Int), Some(exit));
        let stop = self.emit(Op::IntAdd, &[next, way], Some(Ty::Int), Some(exit));
        for (val, op, far) in [(stop, CmpOp::Lt, FAR), (stop, CmpOp::Gt, -FAR)] {
            let far = self.int(far);
            let near = self.pure(Op::CmpInt(op), &[val, far], Ty::Bool);
            self.guard(Op::GuardTrue, &[near], Ty::Bool);
        }
        self.put(at, Slot::RangeIter(next, stop, step));
        self.bury(self.pc)
    }

    fn root_step(&self, register: i16) -> Option<i64> {
        let value = self.root.reg(register as usize);
        if !pellucid_interp::run::is_exact(&self.machine.range_iterator, value) {
            return None;
        }
        Some(value.downcast::<pellucid_object::RangeIterator>()?.step)
            .filter(|s| *s != 0 && s.unsigned_abs() < 1 << 40)
    }

    /// The next value of a loop.
    pub(crate) fn for_iter(&mut self, instr: Instr) -> Build<Flow> {
        let iterator = self.slot(instr.b);
        let Slot::RangeIter(next, stop, step) = self.state.slots[iterator] else {
            return self.step_jump(instr);
        };
        let op = if step > 0 { CmpOp::Lt } else { CmpOp::Gt };
        let more = match (self.graph.as_int(next), self.graph.as_int(stop)) {
            (Some(next), Some(stop)) => Err(op.holds(next.cmp(&stop))),
            _ => Ok(self.pure(Op::CmpInt(op), &[next, stop], Ty::Bool)),
        };
        let before = self.state.clone();
        let now = self.now;
        let (then, other) = match more {
            Ok(more) => self.split(more),
            Err(_) => (now, now),
        };
        let context = self.context.clone();
        if more != Err(false) {
            self.now = then;
            self.next_of_range(instr, next, step)?;
            self.bury(self.pc + 1)?;
            self.go(&context, self.pc + 1)?;
        }
        if more != Err(true) {
            self.now = other;
            self.state = before;
            self.set_slot(iterator, Slot::Dead);
            self.go(&context, instr.d)?;
        }
        Ok(Flow::Done)
    }

    fn next_of_range(&mut self, instr: Instr, next: Val, step: i64) -> Build {
        let iterator = self.slot(instr.b);
        let Slot::RangeIter(_, stop, _) = self.state.slots[iterator] else { return Ok(()) };
        let after = match self.graph.as_int(next) {
            Some(n) => self.int(n + step),
            None => {
                let by = self.int(step);
                self.pure(Op::IntAddQuick, &[next, by], Ty::Int)
            }
        };
        self.set_slot(iterator, Slot::RangeIter(after, stop, step));
        self.result(instr.a, next);
        Ok(())
    }
}

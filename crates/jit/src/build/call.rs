//! Calls, returns, and iteration.

use super::state::{Activation, CallSite, Context, ContextKind, Slot};
use super::{Build, Builder, FAR, Flow, Stop};
use crate::ir::{New, Op, Region, Site, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::Instr;
use pellucid_interp::frame::Ret;
use pellucid_interp::function::Function;
use pellucid_interp::hot::kinds;
use pellucid_interp::quick::Quick;
use pellucid_object::layout;
use pellucid_object::native::{Builtin, MethodDescriptor};
use pellucid_object::protocol::CmpOp;
use pellucid_object::{Type, TypeFlags, Value};
use std::rc::Rc;

/// Most instructions of a function that is inlined, of all that are inlined, and how deep.
const CALLEE: usize = 80;
const INLINED: usize = 600;
const DEEPEST: u32 = 4;

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
        if let Some(choices) = self.choices.get(&word).cloned() {
            return self.call_one_of(instr, word, &choices, first, given);
        }
        let known = match self.graph.inst(word).op {
            // SAFETY: words of heap objects in the graph are kept by the builder or by the code that it builds.
            Op::Word(bits) => Some(unsafe { Value::borrow_bits(&bits).clone() }),
            _ => None,
        };
        if known.is_none() && self.is_dead_end()? {
            return Ok(None);
        }
        if let Some(class) = known.clone().or_else(|| target.clone())
            && class.downcast::<Type>().is_some()
            && let Some(flow) = self.instantiate(instr, word, known.is_some(), class, callee, given)?
        {
            return Ok(Some(flow));
        }
        let code = match &known {
            Some(value) => value.downcast::<Function>().and_then(|function| function.code.get()),
            None => target.clone().filter(|value| value.downcast::<CodeObject>().is_some()),
        };
        if let Some(code) = code {
            if !self.may_inline(&code, given)? {
                return Ok(None);
            }
            let omitted = argcount(&code) - given;
            if omitted > 0 && !self.fill_in(known.as_ref(), first, given, omitted)? {
                return Ok(None);
            }
            if known.is_none() {
                self.guard_code(word, &code);
            }
            let given = given + omitted;
            let base = self.slot(first);
            let site = CallSite {
                function: word,
                pc: self.pc,
                dst: instr.a,
                ret: Ret::Call,
                object: None,
                framed: false,
                callee: Some(self.slot(callee)),
            };
            return self.inline(site, code, base, given, 0);
        }
        let guarded = known.is_none();
        match known.or(target).filter(Value::is_heap) {
            Some(value) => self.builtin(instr, word, guarded, value, callee, first, given),
            None => self.quick_bound(instr, word, callee, first, given),
        }
    }

    /// Guards that a callee is a function with this code.
    pub(crate) fn guard_code(&mut self, callee: Val, code: &Value) {
        let ty = self.machine.function.value().bits();
        let function = self.guard(Op::GuardType { ty, stable: true }, &[callee], Ty::Word);
        let offset = layout::PAYLOAD + std::mem::offset_of!(Function, code);
        let held = self.load(Region::Header, offset, function, Ty::Raw);
        self.guard(Op::GuardIs(code.bits()), &[held], Ty::Raw);
    }

    /// Puts the defaults of the last `omitted` parameters behind the arguments. False: that cannot be done here.
    fn fill_in(&mut self, known: Option<&Value>, first: i16, given: usize, omitted: usize) -> Build<bool> {
        let Some(value) = known else { return Ok(false) };
        let Some(function) = value.downcast::<Function>() else { return Ok(false) };
        let Some(defaults) = function.defaults.get() else { return Ok(false) };
        let items = defaults.downcast::<pellucid_object::Tuple>().map(|t| t.items()).unwrap_or_default();
        let Some(from) = items.len().checked_sub(omitted) else { return Ok(false) };
        let word = self.word(value.bits());
        self.keep.push(value.clone());
        let offset = layout::PAYLOAD + std::mem::offset_of!(Function, defaults);
        let held = self.load(Region::Header, offset, word, Ty::Raw);
        self.guard(Op::GuardIs(defaults.bits()), &[held], Ty::Raw);
        self.keep.push(defaults);
        let base = self.slot(first);
        let end = base + given + omitted;
        if self.state.slots.len() < end {
            self.state.slots.resize(end, Slot::Dead);
        }
        for (by, item) in items[from..].iter().enumerate() {
            let val = self.of_value(item);
            let slot = self.held(val);
            self.set_slot(base + given + by, slot);
        }
        Ok(true)
    }

    /// Where the current instruction stands among inlined calls.
    fn site_key(&self) -> super::state::Key {
        let mut key = self.context.prefix.clone();
        key.push(self.pc);
        key
    }

    pub(crate) fn may_inline(&self, code: &Value, given: usize) -> Build<bool> {
        let Some(form) = code.downcast::<CodeObject>().and_then(CodeObject::ready_form) else {
            return Ok(false);
        };
        let fits = form.simple && form.woven.is_none() && form.argcount as usize >= given;
        Ok(fits && self.has_room_for(code, form.instrs.len()))
    }

    /// Whether code of this length can still be inlined here.
    pub(crate) fn has_room_for(&self, code: &Value, length: usize) -> bool {
        length <= CALLEE
            && self.inlined + length <= INLINED
            && self.context.activation.level < DEEPEST
            && !self.root.is_generator()
            && !self.is_active(code)
    }

    /// A call of one of several functions: each is inlined where that is the one.
    fn call_one_of(
        &mut self,
        instr: Instr,
        word: Val,
        choices: &[Value],
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let code = |value: &Value| value.downcast::<Function>().and_then(|f| f.code.get());
        let codes: Option<Vec<Value>> = choices.iter().map(code).collect();
        let Some(codes) = codes else { return Ok(None) };
        for code in &codes {
            if !self.may_inline(code, given)? || argcount(code) != given {
                return Ok(None);
            }
        }
        let callee = Some(self.slot(instr.b));
        let base = self.slot(first);
        let outer = self.context.clone();
        let here = self.pc;
        for (index, (choice, code)) in choices.iter().zip(codes).enumerate() {
            let function = self.word(choice.bits());
            self.keep.push(choice.clone());
            let is = self.pure(Op::Same, &[word, function], Ty::Bool);
            let (then, other) = self.split(is);
            let state = self.state.clone();
            self.now = then;
            self.guard_code(function, &code);
            let site = CallSite {
                function,
                pc: here,
                dst: instr.a,
                ret: Ret::Call,
                object: None,
                framed: false,
                callee,
            };
            self.inline(site, code, base, given, index as u32)?;
            (self.now, self.state) = (other, state);
            (self.context, self.pc) = (outer.clone(), here);
            self.exit_here = None;
        }
        if self.is_dead_end()? {
            self.step(instr)?;
            return Ok(Some(Flow::Next));
        }
        self.leave("guard");
        Ok(Some(Flow::Done))
    }

    /// Goes on in the callee's code, whose window begins at `base`. `variant` tells apart what is inlined at one call.
    pub(crate) fn inline(
        &mut self,
        site: CallSite,
        code: Value,
        base: usize,
        given: usize,
        variant: u32,
    ) -> Build<Option<Flow>> {
        self.inline_sharing(site, code, base, given, variant, &[])
    }

    /// As [`Builder::inline`]; the words of the cells that the callee shares are its last variables.
    pub(crate) fn inline_sharing(
        &mut self,
        mut site: CallSite,
        code: Value,
        base: usize,
        given: usize,
        variant: u32,
        cells: &[Val],
    ) -> Build<Option<Flow>> {
        let Some(data) = code.downcast::<CodeObject>() else { return Ok(None) };
        let Some(form) = data.ready_form() else { return Ok(None) };
        let level = self.context.activation.level + 1;
        let (registers, variables, length) =
            (form.nregs as usize, form.first_temp as usize, form.instrs.len());
        let mut prefix = self.site_key();
        prefix.push(variant);
        site.framed = self.lessons.framed.contains(&prefix);
        self.graph.tally.add("calls inlined", 1);
        self.note(&format!("inlined {} in", self.vm.str_lossy(&data.qualname)));
        if site.framed {
            self.push_frame(&site, &code, base);
        }
        self.registers = self.registers.max(base + registers + 1);
        let unbound = self.unbound();
        if self.state.slots.len() < base + registers {
            self.state.slots.resize(base + registers, Slot::Dead);
        }
        for at in base + given..base + registers {
            let local = at < base + variables;
            self.set_slot(at, if local { Slot::Now { val: unbound, clean: false } } else { Slot::Dead });
        }
        for (index, cell) in cells.iter().enumerate() {
            let at = base + variables - cells.len() + index;
            self.set_slot(at, Slot::Borrowed(*cell));
        }
        self.levels = self.levels.max(level);
        self.inlined += length;
        self.keep.push(code.clone());
        let parent = self.context.clone();
        let context = Rc::new(Context {
            prefix,
            activation: Rc::new(Activation { code, base, level, call: Some(site) }),
            kind: ContextKind::Inlined,
            parent: Some(parent),
        });
        self.go(&context, 0)?;
        Ok(Some(Flow::Done))
    }

    /// Makes the callee's frame, which takes the function over.
    fn push_frame(&mut self, site: &CallSite, code: &Value, base: usize) {
        let held = site.callee.filter(|at| matches!(self.state.slots[*at], Slot::Mem(_)));
        match held {
            Some(at) => {
                let unbound = self.unbound();
                self.emit(Op::StoreReg(at as u16), &[unbound], None, None);
            }
            None => drop(self.emit(Op::Inc, &[site.function], None, None)),
        }
        if let Some(at) = site.callee {
            self.set_slot(at, Slot::Dead);
        }
        let caller = &self.context.activation;
        self.graph.sites.push(Site {
            code: code.bits(),
            base: base as u16,
            caller: caller.level,
            call: self.pc,
            dst: site.dst,
            ret: site.ret,
            caller_code: caller.code.bits(),
        });
        let index = self.graph.sites.len() as u32 - 1;
        let args: Vec<Val> = [Some(site.function), site.object].into_iter().flatten().collect();
        self.emit(Op::PushFrame(index), &args, None, None);
    }

    /// A call of a class that makes instances of the plainest kind and has a Python `__init__`, or none.
    fn instantiate(
        &mut self,
        instr: Instr,
        word: Val,
        known: bool,
        class: Value,
        callee: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let Some(init) = pellucid_interp::python_init(self.vm, &class) else { return Ok(None) };
        let Some(version) = class.downcast::<Type>().map(Type::version).filter(|v| *v != 0) else {
            return Ok(None);
        };
        let Some(code) = init.downcast::<Function>().and_then(|f| f.code.get()) else { return Ok(None) };
        if instr.op != pellucid_interp::ops::Op::Call
            || self.is_dead_end()?
            || !self.may_inline(&code, given + 1)?
            || argcount(&code) != given + 1
            || changes_self(&code)
        {
            return Ok(None);
        }
        if !known {
            self.guard(Op::GuardIs(class.bits()), &[word], Ty::Word);
        }
        let address = self.constant(Op::Raw(class.bits() as i64), Ty::Raw);
        let held = self.load32(Region::Header, layout::TYPE_VERSION, address);
        self.guard(Op::GuardIs(u64::from(version)), &[held], Ty::Raw);
        self.keep.extend([class.clone(), init.clone()]);
        let function = self.word(init.bits());
        self.guard_code(function, &code);
        let exit = self.exit_here();
        let object = self.emit(Op::Instance, &[word], Some(Ty::Word), Some(exit));
        self.learn_instance(object, &class);
        // The instance takes the register of the class.
        let at = self.slot(callee);
        self.give_up(at);
        self.emit(Op::StoreReg(at as u16), &[object], None, None);
        self.set_slot(at, Slot::Mem(Some(object)));
        // The class stays alive, for the instance has it.
        for word in self.take_dying() {
            self.emit(Op::Dec, &[word], None, None);
        }
        let base = self.slot(callee);
        let site = CallSite {
            function,
            pc: self.pc,
            dst: instr.a,
            ret: Ret::Init,
            object: Some(object),
            framed: false,
            callee: None,
        };
        self.inline(site, code, base, given + 1, 0)
    }

    /// What is known of a fresh instance.
    fn learn_instance(&mut self, object: Val, class: &Value) {
        let Some(ty) = class.downcast::<Type>() else { return };
        let stable = !ty.flags.get().contains(TypeFlags::MUTABLE);
        self.state.learn(Op::GuardType { ty: class.bits(), stable }, object, None, object);
        if ty.attrs_offset.get() != 0
            && let Some(shape) = ty.known_root_shape()
        {
            let root = self.constant(Op::Raw(shape as i64), Ty::Raw);
            let load = Op::Load { region: Region::Shape, offset: ty.attrs_offset.get() as i32 };
            self.state.learn(load, object, None, root);
            self.state.learn(Op::GuardIs(shape), root, None, root);
        }
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
        // A tuple that was not made is returned as such.
        let tuple = self.virtual_items(instr.b).filter(|_| call.ret == Ret::Call);
        let whole = tuple.is_some().then(|| self.state.slots[self.slot(instr.b)].clone());
        let mut val = match &tuple {
            Some(items) => items[0],
            None => self.operand(instr.b)?,
        };
        if let Some(object) = call.object {
            // `__init__` gives None.
            let word = self.operand_word(instr.b)?;
            self.guard(Op::GuardIs(Value::NONE.bits()), &[word], Ty::Word);
            if self.state.slots[base] == Slot::Mem(Some(object)) {
                let unbound = self.unbound();
                self.emit(Op::StoreReg(base as u16), &[unbound], None, None);
                self.set_slot(base, Slot::Dead);
            } else {
                self.emit(Op::Inc, &[object], None, None);
            }
            val = object;
        }
        let mut test = None;
        if call.ret == Ret::Operator {
            let caller = self.caller_instr(&outer, call.pc)?;
            match self.operator_value(instr, val, caller)? {
                Some(known) => test = known,
                None => {
                    self.leave("");
                    return Ok(Flow::Done);
                }
            }
        }
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
        if call.framed {
            self.emit(Op::PopFrame, &[], None, None);
        }
        for at in (base..self.state.slots.len()).rev() {
            self.give_up(at);
        }
        self.context = outer;
        self.pc = call.pc;
        // The register of the callee.
        if let Some(callee) = call.callee {
            self.give_up(callee);
        }
        let length = self.context_registers()?;
        self.state.slots.resize(length, Slot::Dead);
        let owned = moved || call.object.is_some();
        match call.ret {
            Ret::Discard if owned => self.dies(val),
            Ret::Discard => {}
            Ret::Operator => {
                let caller = self.instr(call.pc)?;
                self.release(caller.c)?;
                self.release(caller.b)?;
                match test {
                    Some(test) => {
                        if owned {
                            self.dies(val);
                        }
                        return self.jump(caller, test, caller.a != 0);
                    }
                    None => self.returned(call.dst, val, owned),
                }
            }
            _ => match whole {
                Some(tuple) => {
                    let at = self.slot(call.dst);
                    self.put(at, tuple);
                }
                None => self.returned(call.dst, val, owned),
            },
        }
        self.bury(call.pc + 1)?;
        let context = self.context.clone();
        self.go(&context, call.pc + 1)?;
        Ok(Flow::Done)
    }

    /// `return` of the root: the interpreter takes the value out of its register. The variables die there; those that are no
    /// heap words in memory need not be put there before.
    pub(crate) fn root_return(&mut self, instr: Instr) -> Build<Flow> {
        self.store_item();
        if instr.b >= 0 {
            let at = self.slot(instr.b);
            self.own(at)?;
        }
        for slot in &mut self.state.slots {
            if !matches!(slot, Slot::Mem(_) | Slot::Now { clean: true, .. }) {
                *slot = Slot::Dead;
            }
        }
        self.clear_exit();
        self.leave("");
        Ok(Flow::Done)
    }

    /// Puts the value of a call into a register; an `owned` one has a reference to give away.
    pub(crate) fn returned(&mut self, dst: i16, val: Val, owned: bool) {
        if !owned {
            return self.result(dst, val);
        }
        let at = self.slot(dst);
        self.give_up(at);
        self.emit(Op::StoreReg(at as u16), &[val], None, None);
        self.set_slot(at, Slot::Mem(Some(val)));
    }

    /// The instruction of an activation further out at which a call stands.
    fn caller_instr(&mut self, outer: &Rc<Context>, pc: u32) -> Build<Instr> {
        let here = std::mem::replace(&mut self.context, outer.clone());
        let instr = self.instr(pc);
        self.context = here;
        instr
    }

    pub(crate) fn context_registers(&self) -> Build<usize> {
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
        let enumerates = |ty: &Value| {
            let known = self.vm.type_for(&pellucid_types::iterators::ENUMERATE);
            known.is_ok_and(|known| known.value().is(ty))
        };
        if given == 1 && enumerates(&value) {
            return self.enumerate(instr, word, (callee, guarded, &value), first);
        }
        let is_range = self.vm.type_for(&pellucid_types::range::RANGE).is_ok_and(|ty| ty.value().is(&value));
        if let Some(method) = value.downcast::<MethodDescriptor>() {
            let is_list = method.owner.value().is(self.vm.types().list.value());
            if method.def.name == "append"
                && given == 2
                && is_list
                && !guarded
                && let Some(flow) = self.append(instr, callee, first)?
            {
                return Ok(Some(flow));
            }
            return self.quick_call(instr, word, !guarded, &value, callee, first, given);
        }
        let name = match value.downcast::<Builtin>() {
            Some(builtin) if !builtin.pass_this => builtin.def.name,
            _ if is_range => "range",
            _ => "",
        };
        let args: Vec<i16> = (0..given as i16).map(|by| first + by).collect();
        let result = match (name, &args[..]) {
            ("range", _) if (1..=3).contains(&given) => self.range(&args)?,
            ("len", [list]) => self.len(*list)?,
            ("", [range]) if self.is_reversed(&value) => self.reversed(*range)?,
            _ => None,
        };
        let Some(result) = result else {
            return self.quick_call(instr, word, !guarded, &value, callee, first, given);
        };
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

    /// `list.append(x)` of what was found to be a list.
    fn append(&mut self, instr: Instr, callee: i16, first: i16) -> Build<Option<Flow>> {
        let list = self.operand_word(first)?;
        let ty = self.vm.types().list.value().bits();
        if self.state.fact(Op::GuardType { ty, stable: true }, list, None).is_none() {
            return Ok(None);
        }
        self.store_item();
        let value = self.operand_word(first + 1)?;
        let exit = self.exit_here();
        self.emit(Op::New(New::Append), &[list, value], None, Some(exit));
        self.state.forget(Region::List);
        self.state.forget(Region::Items);
        self.release(first + 1)?;
        self.release(first)?;
        self.release(callee)?;
        let none = self.word(Value::NONE.bits());
        self.result(instr.a, none);
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
        self.graph.tally.add("ranges not made", 1);
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

    fn is_reversed(&self, value: &Value) -> bool {
        let ty = self.vm.type_for(&pellucid_types::iterators::REVERSED);
        ty.is_ok_and(|ty| ty.value().is(value))
    }

    /// `reversed` of a range in steps of 1 that was not made.
    fn reversed(&mut self, operand: i16) -> Build<Option<Slot>> {
        let Slot::Range(start, stop, 1) = self.state.slots[self.slot(operand)] else { return Ok(None) };
        let one = self.int(1);
        let mut before = |val: Val| match self.graph.as_int(val) {
            Some(n) => self.int(n - 1),
            None => self.pure(Op::IntSubQuick, &[val, one], Ty::Int),
        };
        let (last, end) = (before(stop), before(start));
        Ok(Some(Slot::RangeIter(last, end, -1)))
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
        if let slot @ Slot::RangeIter(..) = self.state.slots[from].clone() {
            self.set_slot(from, Slot::Dead);
            let at = self.slot(instr.a);
            self.put(at, slot);
            return Ok(true);
        }
        let Slot::Range(start, stop, step) = self.state.slots[from] else { return self.quick_iter(instr) };
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
        if let Some(flow) = self.next_of_walk(instr)? {
            return Ok(flow);
        }
        let Slot::RangeIter(next, stop, step) = self.state.slots[iterator] else {
            if let Some(flow) = self.next_of_list(instr)? {
                return Ok(flow);
            }
            return match self.quick_next(instr)? {
                Some(flow) => Ok(flow),
                None => self.step_jump(instr),
            };
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

    /// The next item of a list. Its end is left to the interpreter's code.
    fn next_of_list(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let ty = self.machine.list_iterator.value().bits();
        let at = self.slot(instr.b);
        let seen = self.seen(|seen| seen.target())?.is_some_and(|target| target.bits() == ty);
        if !seen || self.is_dead_end()? || !matches!(self.state.slots[at], Slot::Mem(_)) {
            return Ok(None);
        }
        let word = self.mem_word(at);
        let iterator = self.guard(Op::GuardType { ty, stable: true }, &[word], Ty::Word);
        let list = self.load(Region::Iter, layout::LIST_ITERATOR_LIST, iterator, Ty::Word);
        let list = self.guard(Op::GuardNot(0), &[list], Ty::Word);
        let index = self.load(Region::Iter, layout::LIST_ITERATOR_INDEX, iterator, Ty::Raw);
        let len = self.load(Region::List, self.layout.list_len, list, Ty::Raw);
        let items = self.load(Region::List, self.layout.list_items, list, Ty::Raw);
        let (place, end) =
            (self.pure(Op::RawToInt, &[index], Ty::Int), self.pure(Op::RawToInt, &[len], Ty::Int));
        let more = self.pure(Op::CmpInt(CmpOp::Lt), &[place, end], Ty::Bool);
        let before = self.state.clone();
        let (then, other) = self.split(more);
        let context = self.context.clone();
        self.now = then;
        self.store_item();
        let item = self.emit(Op::Item, &[items, place], Some(Ty::Word), None);
        let after = self.pure(Op::RawAdd(1), &[index], Ty::Raw);
        self.store(Region::Iter, layout::LIST_ITERATOR_INDEX, iterator, after);
        self.result(instr.a, item);
        self.bury(self.pc + 1)?;
        self.go(&context, self.pc + 1)?;
        self.now = other;
        self.state = before;
        self.exit_here = None;
        // The iterator learns that it is at its end, and gives the list up.
        self.own_borrowed()?;
        self.quick(Quick::Next, &[iterator]);
        self.give_up(at);
        self.bury(instr.d)?;
        self.go(&context, instr.d)?;
        Ok(Some(Flow::Done))
    }

    /// The items of a tuple or list of as many as there are targets.
    pub(crate) fn unpack(&mut self, instr: Instr) -> Build<bool> {
        let seen = self.seen(|seen| seen.b.get())?;
        let two = instr.op == pellucid_interp::ops::Op::UnpackTwo;
        let count = if two { 2 } else { instr.d as usize };
        if let Some(items) = self.virtual_items(instr.b).filter(|items| items.len() == count) {
            self.unpacked(instr, &items)?;
            return Ok(true);
        }
        let val = self.operand(instr.b)?;
        if self.is_dead_end()? || self.graph.ty(val) != Ty::Word {
            return Ok(false);
        }
        let items: Vec<Val> = match (seen, layout::small_tuple(count)) {
            (kinds::TUPLE, Some((place, word, first))) => {
                let ty = self.vm.types().tuple.value().bits();
                let tuple = self.guard(Op::GuardType { ty, stable: true }, &[val], Ty::Word);
                let held = self.load(Region::Tuple, place, tuple, Ty::Raw);
                self.guard(Op::GuardIs(word), &[held], Ty::Raw);
                (0..count).map(|at| self.load(Region::Tuple, first + 8 * at, tuple, Ty::Word)).collect()
            }
            (kinds::LIST, _) if count <= 8 => {
                let ty = self.vm.types().list.value().bits();
                let list = self.guard(Op::GuardType { ty, stable: true }, &[val], Ty::Word);
                let len = self.load(Region::List, self.layout.list_len, list, Ty::Raw);
                self.guard(Op::GuardIs(count as u64), &[len], Ty::Raw);
                let items = self.load(Region::List, self.layout.list_items, list, Ty::Raw);
                let indexes: Vec<Val> = (0..count).map(|at| self.int(at as i64)).collect();
                indexes.into_iter().map(|at| self.item(items, at)).collect()
            }
            _ => return Ok(false),
        };
        self.unpacked(instr, &items)?;
        Ok(true)
    }

    /// Puts the items of what is unpacked into their registers.
    fn unpacked(&mut self, instr: Instr, items: &[Val]) -> Build {
        self.release(instr.b)?;
        let two = instr.op == pellucid_interp::ops::Op::UnpackTwo;
        for (index, item) in items.iter().enumerate() {
            let to = match two {
                true => [instr.a, instr.c][index],
                false => instr.a + (items.len() - 1 - index) as i16,
            };
            self.result(to, *item);
        }
        Ok(())
    }

    fn next_of_range(&mut self, instr: Instr, next: Val, step: i64) -> Build {
        let iterator = self.slot(instr.b);
        let Slot::RangeIter(_, stop, _) = self.state.slots[iterator] else { return Ok(()) };
        let after = match self.graph.as_int(next) {
            Some(n) => self.int(n + step),
            None => {
                let by = self.int(step);
                // Within the range: see `FAR`.
                self.graph.bounds.insert(next, FAR);
                self.pure(Op::IntAddQuick, &[next, by], Ty::Int)
            }
        };
        self.set_slot(iterator, Slot::RangeIter(after, stop, step));
        self.result(instr.a, next);
        Ok(())
    }
}

/// How many parameters code has, when it can be inlined.
fn argcount(code: &Value) -> usize {
    let form = code.downcast::<CodeObject>().and_then(CodeObject::ready_form);
    form.map_or(0, |form| form.argcount as usize)
}

/// Whether a function may give its first parameter another value.
fn changes_self(code: &Value) -> bool {
    let form = code.downcast::<CodeObject>().and_then(CodeObject::ready_form);
    form.is_none_or(|form| {
        form.instrs.iter().any(|instr| {
            super::flow::writes(instr).contains(&0) && instr.op != pellucid_interp::ops::Op::Generic
        })
    })
}

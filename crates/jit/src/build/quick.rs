//! Operations on builtin containers and strings that run no Python code: calls of quick functions
//! ([`pellucid_interp::quick`]), which need no frames and no registers in memory.

use super::state::Slot;
use super::{Build, Builder, Flow};
use crate::ir::{Op, Region, Ty, Val};
use crate::opt;
use pellucid_interp::form::Instr;
use pellucid_interp::hot::kinds;
use pellucid_interp::ops::Op as Code;
use pellucid_interp::quick::{self, Gives, Quick};
use pellucid_interp::translate::{NO_STEP, operand_of};
use pellucid_object::native::{Builtin, MethodDescriptor};
use pellucid_object::protocol::{BinOp, CmpOp};
use pellucid_object::{Ref, Type, Value, layout};

/// Values that live in the word, but for `Ellipsis` and the like.
const SIMPLE: u16 = kinds::INT | kinds::FLOAT | kinds::BOOL | kinds::NONE;
const SEQUENCES: u16 = kinds::LIST | kinds::TUPLE;

impl Builder<'_> {
    /// Calls a quick function with words; leaves where it gives nothing.
    pub(crate) fn quick(&mut self, what: Quick, args: &[Val]) -> Val {
        self.store_item();
        let exit = self.exit_here();
        let ty = match what.gives() {
            Gives::Owned => Ty::Word,
            Gives::Int => Ty::Int,
            Gives::Truth => Ty::Bool,
            Gives::Done => Ty::Raw,
        };
        let val = self.emit(Op::Quick(what), args, Some(ty), Some(exit));
        opt::changed_by(what).iter().for_each(|region| self.state.forget(*region));
        val
    }

    /// The same with operands.
    fn quick_on(&mut self, what: Quick, operands: &[i16]) -> Build<Val> {
        let words =
            operands.iter().map(|operand| self.operand_word(*operand)).collect::<Build<Vec<Val>>>()?;
        Ok(self.quick(what, &words))
    }

    /// The same as a whole instruction: operands that are temporaries die, in this order.
    fn quick_instr(&mut self, what: Quick, operands: &[i16], dying: &[i16], dst: i16) -> Build<bool> {
        let val = self.quick_on(what, operands)?;
        for operand in dying {
            self.release(*operand)?;
        }
        match what.gives() {
            Gives::Owned => self.returned(dst, val, true),
            Gives::Int | Gives::Truth => self.result(dst, val),
            Gives::Done => {}
        }
        Ok(true)
    }

    /// Learns that a word is an object of exactly this type.
    fn learn_class(&mut self, word: Val, ty: u64) {
        self.state.learn(Op::GuardType { ty, stable: true }, word, None, word);
    }

    /// Whether values of these kinds were seen, objects being of one of these types: `class` is the one type that was seen.
    fn is_builtin(&self, kind: u16, class: Option<&Value>, types: &[&Ref<Type>]) -> bool {
        if kind & kinds::OTHER != 0 || kind == 0 {
            return false;
        }
        let known = |class: &Value| types.iter().any(|ty| class.is(ty.value()));
        // Ints of a word and others are of one type.
        kind & kinds::OBJECT == 0 || class.map_or(kind & (kinds::INT | kinds::FLOAT) != 0, known)
    }

    /// The kinds of both operands, when all are of builtin types.
    fn builtin_operands(&mut self, instr: Instr) -> Build<Option<(u16, u16)>> {
        let (x, y) = (self.operand(instr.b)?, self.operand(instr.c)?);
        let (seen_b, seen_c, b, c) =
            self.seen(|seen| (seen.b.get(), seen.c.get(), seen.target(), seen.other()))?;
        let (p, q) = (self.operand_kind(x, seen_b), self.operand_kind(y, seen_c));
        let types = self.vm.types();
        let plain = [&types.int, &types.float, &types.bytes];
        let builtin = self.is_builtin(p, b.as_ref(), &plain) && self.is_builtin(q, c.as_ref(), &plain);
        Ok((builtin && !self.is_dead_end()?).then_some((p, q)))
    }

    /// `a op b`
    pub(crate) fn quick_binary(&mut self, instr: Instr, op: BinOp, in_place: bool) -> Build<bool> {
        let Some((p, q)) = self.builtin_operands(instr)? else { return Ok(false) };
        if op == BinOp::Mod && p & (kinds::STR | kinds::OBJECT) != 0 && p & SIMPLE == 0 {
            return Ok(false);
        }
        if (p | q) & kinds::DICT != 0 {
            return Ok(false);
        }
        if in_place && p & kinds::LIST != 0 {
            return self.extend(instr, op);
        }
        if op == BinOp::Add && p == kinds::STR && q == kinds::STR {
            return self.add_text(instr);
        }
        let (x, y) = (self.operand_word(instr.b)?, self.operand_word(instr.c)?);
        let number = self.constant(Op::Raw(quick::operator_number(op)), Ty::Raw);
        let result = self.quick(Quick::Binary, &[x, y, number]);
        self.release(instr.c)?;
        self.release(instr.b)?;
        self.returned(instr.a, result, true);
        Ok(true)
    }

    /// `a += b` of lists.
    fn extend(&mut self, instr: Instr, op: BinOp) -> Build<bool> {
        let at = self.slot(instr.b);
        let stays = instr.a == instr.b && matches!(self.state.slots[at], Slot::Mem(_));
        if op != BinOp::Add || instr.b < 0 {
            return Ok(false);
        }
        let list = self.operand_word(instr.b)?;
        let other = self.operand_word(instr.c)?;
        self.quick(Quick::Extend, &[list, other]);
        self.release(instr.c)?;
        if !stays {
            let word = self.operand_owned(instr.b)?;
            self.returned(instr.a, word, true);
        }
        Ok(true)
    }

    /// `a + b` of strings: in place where `a` goes nowhere else.
    fn add_text(&mut self, instr: Instr) -> Build<bool> {
        // A variable that shares the text must count as a holder.
        self.own_borrowed()?;
        let (x, y) = (self.operand_word(instr.b)?, self.operand_word(instr.c)?);
        let ty = self.vm.types().str.value().bits();
        let held = instr.b >= 0 && matches!(self.state.slots[self.slot(instr.b)], Slot::Mem(_));
        let mine = held && instr.b != instr.c && (instr.a == instr.b || self.is_temporary(instr.b)?);
        if !mine {
            let number = self.constant(Op::Raw(quick::operator_number(BinOp::Add)), Ty::Raw);
            let sum = self.quick(Quick::Binary, &[x, y, number]);
            self.release(instr.c)?;
            self.release(instr.b)?;
            self.returned(instr.a, sum, true);
            self.learn_class(sum, ty);
            return Ok(true);
        }
        let sum = self.quick(Quick::AddText, &[x, y]);
        let from = self.slot(instr.b);
        if instr.a != instr.b {
            let unbound = self.unbound();
            self.emit(Op::StoreReg(from as u16), &[unbound], None, None);
        }
        self.set_slot(from, Slot::Dead);
        self.release(instr.c)?;
        self.returned(instr.a, sum, true);
        self.learn_class(sum, ty);
        Ok(true)
    }

    /// `a < b` and its like; gives the test, the operands having been consumed.
    pub(crate) fn quick_compare(&mut self, instr: Instr, op: CmpOp) -> Build<Option<Val>> {
        let Some((p, q)) = self.builtin_operands(instr)? else { return Ok(None) };
        if (p | q) & kinds::DICT != 0 {
            return Ok(None);
        }
        let (x, y) = (self.operand_word(instr.b)?, self.operand_word(instr.c)?);
        let number = self.constant(Op::Raw(quick::comparison_number(op)), Ty::Raw);
        let test = self.quick(Quick::Compare, &[x, y, number]);
        self.release(instr.c)?;
        self.release(instr.b)?;
        Ok(Some(test))
    }

    /// Whether a word is true.
    pub(crate) fn quick_truth(&mut self, word: Val, seen: u16) -> Option<Val> {
        (seen != 0 && seen & kinds::OTHER == 0).then(|| self.quick(Quick::Truth, &[word]))
    }

    /// `b in c`; gives the test, the operands having been consumed.
    pub(crate) fn quick_contains(&mut self, instr: Instr) -> Build<Option<Val>> {
        let (seen, class) = self.seen(|seen| (seen.c.get(), seen.target()))?;
        let container = self.operand(instr.c)?;
        let types = self.vm.types();
        if self.is_dead_end()?
            || self.graph.ty(container) != Ty::Word
            || seen & SIMPLE != 0
            || !self.is_builtin(seen, class.as_ref(), &[&types.set, &types.frozenset, &types.bytes])
        {
            return Ok(None);
        }
        let test = self.quick_on(Quick::Contains, &[instr.c, instr.b])?;
        self.release(instr.c)?;
        self.release(instr.b)?;
        Ok(Some(test))
    }

    /// `Contains` and the jump on it.
    pub(crate) fn contains(&mut self, instr: Instr) -> Build<Flow> {
        let jumps = instr.op == Code::JumpContains;
        match self.quick_contains(instr)? {
            Some(test) if jumps => self.jump(instr, test, instr.a != 0),
            Some(test) => {
                let result = if instr.d != 0 { self.pure(Op::Not, &[test], Ty::Bool) } else { test };
                self.result(instr.a, result);
                Ok(Flow::Next)
            }
            None if jumps => self.step_jump(instr),
            None => {
                self.step(instr)?;
                Ok(Flow::Next)
            }
        }
    }

    /// `b[c]`
    pub(crate) fn quick_item(&mut self, instr: Instr) -> Build<bool> {
        let (seen, class) = self.seen(|seen| (seen.b.get(), seen.target()))?;
        let container = self.operand(instr.b)?;
        let types = self.vm.types();
        if self.graph.ty(container) != Ty::Word
            || seen & SIMPLE != 0
            || !self.is_builtin(seen, class.as_ref(), &[&types.bytes, &types.bytearray])
        {
            return Ok(false);
        }
        let what = if seen == kinds::DICT { Quick::DictItem } else { Quick::Item };
        self.quick_instr(what, &[instr.b, instr.c], &[instr.c, instr.b], instr.a)
    }

    /// `a[b] = c`
    pub(crate) fn quick_set_item(&mut self, instr: Instr) -> Build<bool> {
        let (seen, class) = self.seen(|seen| (seen.a.get(), seen.target()))?;
        let container = self.operand(instr.a)?;
        if self.graph.ty(container) != Ty::Word {
            return Ok(false);
        }
        let operands = [instr.a, instr.b, instr.c];
        if seen == kinds::DICT {
            let old = self.quick_on(Quick::SetDictItem, &operands)?;
            self.dies(old);
        } else if class.is_some_and(|class| class.is(self.vm.types().bytearray.value())) {
            self.quick_on(Quick::SetByte, &operands)?;
        } else {
            return Ok(false);
        }
        self.release(instr.c)?;
        self.release(instr.b)?;
        self.release(instr.a)?;
        Ok(true)
    }

    /// `b[c:d]`
    pub(crate) fn load_slice(&mut self, instr: Instr) -> Build<bool> {
        let (seen, class) = self.seen(|seen| (seen.b.get(), seen.target()))?;
        let container = self.operand(instr.b)?;
        if self.is_dead_end()?
            || self.graph.ty(container) != Ty::Word
            || seen & (SIMPLE | kinds::DICT) != 0
            || !self.is_builtin(seen, class.as_ref(), &[&self.vm.types().bytes])
        {
            return Ok(false);
        }
        let end = operand_of(instr.d);
        if instr.e == NO_STEP {
            let operands = [instr.b, instr.c, end];
            return self.quick_instr(Quick::Slice, &operands, &[end, instr.c, instr.b], instr.a);
        }
        let step = operand_of(instr.e);
        let operands = [instr.b, instr.c, end, step];
        self.quick_instr(Quick::StepSlice, &operands, &[step, end, instr.c, instr.b], instr.a)
    }

    /// `a[b:d] = c` of lists.
    pub(crate) fn store_slice(&mut self, instr: Instr) -> Build<bool> {
        if self.is_dead_end()? {
            return Ok(false);
        }
        let end = operand_of(instr.d);
        let old = self.quick_on(Quick::SetSlice, &[instr.a, instr.b, end, instr.c])?;
        self.dies(old);
        for operand in [end, instr.b, instr.a, instr.c] {
            self.release(operand)?;
        }
        Ok(true)
    }

    /// `iter(b)` of a builtin container.
    pub(crate) fn quick_iter(&mut self, instr: Instr) -> Build<bool> {
        let (seen, class) = self.seen(|seen| (seen.b.get(), seen.target()))?;
        let container = self.operand(instr.b)?;
        let types = self.vm.types();
        if self.is_dead_end()?
            || self.graph.ty(container) != Ty::Word
            || seen & SIMPLE != 0
            || !self.is_builtin(seen, class.as_ref(), &[&types.set, &types.frozenset, &types.bytes])
        {
            return Ok(false);
        }
        self.quick_instr(Quick::Iter, &[instr.b], &[instr.b], instr.a)
    }

    /// The next value of an iterator that runs no Python code.
    pub(crate) fn quick_next(&mut self, instr: Instr) -> Build<Option<Flow>> {
        let at = self.slot(instr.b);
        let Some(class) = self.seen(|seen| seen.target())? else { return Ok(None) };
        if self.is_dead_end()?
            || !matches!(self.state.slots[at], Slot::Mem(_))
            || !quick::is_plain_iterator(self.vm, &class)
        {
            return Ok(None);
        }
        let word = self.mem_word(at);
        let iterator = self.guard(Op::GuardType { ty: class.bits(), stable: true }, &[word], Ty::Word);
        self.keep.push(class);
        // At its end it gives up what it iterated over.
        self.own_borrowed()?;
        let next = self.quick(Quick::Next, &[iterator]);
        let unbound = self.unbound();
        let ends = self.pure(Op::Same, &[next, unbound], Ty::Bool);
        let before = self.state.clone();
        let (end, more) = self.split(ends);
        let context = self.context.clone();
        self.now = more;
        self.returned(instr.a, next, true);
        self.bury(self.pc + 1)?;
        self.go(&context, self.pc + 1)?;
        self.now = end;
        self.state = before;
        self.end_loop(instr)
    }

    /// A list or dict of a few items.
    pub(crate) fn build_few(&mut self, instr: Instr) -> Build<bool> {
        let types = self.vm.types();
        let (what, ty) = match (instr.op, instr.d) {
            (Code::BuildList, 0) => (Quick::List0, &types.list),
            (Code::BuildList, 1) => (Quick::List1, &types.list),
            (Code::BuildList, 2) => (Quick::List2, &types.list),
            (Code::BuildList, 3) => (Quick::List3, &types.list),
            (Code::BuildMap, 0) => (Quick::Dict0, &types.dict),
            _ => return Ok(false),
        };
        let ty = ty.value().bits();
        let items: Vec<i16> = (instr.b..instr.b + instr.d as i16).collect();
        let made = self.quick_on(what, &items)?;
        for item in items {
            self.release(item)?;
        }
        self.returned(instr.a, made, true);
        self.learn_class(made, ty);
        Ok(true)
    }

    /// `f"{b}"`
    pub(crate) fn format(&mut self, instr: Instr) -> Build<bool> {
        let val = self.operand(instr.b)?;
        let seen = self.seen(|seen| seen.b.get())?;
        let kind = self.operand_kind(val, seen);
        if self.is_dead_end()? || instr.d > 1 || kind == 0 || kind & !(kinds::INT | kinds::STR) != 0 {
            return Ok(false);
        }
        self.quick_instr(Quick::Format, &[instr.b], &[instr.b], instr.a)
    }

    /// The strings in a row of registers as one.
    pub(crate) fn build_string(&mut self, instr: Instr) -> Build<bool> {
        if self.is_dead_end()? {
            return Ok(false);
        }
        let parts: Vec<i16> = (instr.b..instr.b + instr.d as i16).collect();
        for part in &parts {
            let at = self.slot(*part);
            self.own(at)?;
        }
        let first = self.slot(instr.b);
        let address = self.pure(Op::RegAddress(first as u16), &[], Ty::Raw);
        let count = self.constant(Op::Raw(i64::from(instr.d)), Ty::Raw);
        let text = self.quick(Quick::Join, &[address, count]);
        for part in parts {
            self.release(part)?;
        }
        self.returned(instr.a, text, true);
        self.learn_class(text, self.vm.types().str.value().bits());
        Ok(true)
    }

    // Calls.

    /// A call of a native function, method or class that a quick function stands for. `known`: the callee is this one.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn quick_call(
        &mut self,
        instr: Instr,
        word: Val,
        known: bool,
        value: &Value,
        callee: i16,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        if self.is_dead_end()? {
            return Ok(None);
        }
        let found = match value.downcast::<MethodDescriptor>() {
            Some(method) => self.quick_method(method.owner.value(), method.def.name, given)?,
            None => self.quick_function(value, given)?,
        };
        let Some(call) = found else { return Ok(None) };
        if !known {
            self.guard(Op::GuardIs(value.bits()), &[word], Ty::Word);
        }
        self.keep.push(value.clone());
        let callee_word = self.word(value.bits());
        self.finish_quick_call(instr, call, callee_word, None, callee, first, given)
    }

    /// A call of a method of a builtin type that was bound before.
    pub(crate) fn quick_bound(
        &mut self,
        instr: Instr,
        word: Val,
        callee: i16,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let (def, owner) = self.seen(|seen| (seen.native.get(), seen.other()))?;
        let Some((owner, def)) = owner.zip(def) else { return Ok(None) };
        if self.is_dead_end()? || self.graph.ty(word) != Ty::Word {
            return Ok(None);
        }
        let Some(mut call) = self.quick_method(&owner, def.name, given + 1)? else { return Ok(None) };
        // The object is not among the arguments of what was bound.
        call.what = match call.what {
            Quick::Method1 => Quick::Call0,
            Quick::Method2 => Quick::Call1,
            Quick::Method3 => Quick::Call2,
            what => what,
        };
        let builtin = self.vm.types().builtin_function.value().bits();
        let word = self.guard(Op::GuardType { ty: builtin, stable: true }, &[word], Ty::Word);
        let field = |offset: usize| layout::PAYLOAD + offset;
        let held = self.load(Region::Tuple, field(std::mem::offset_of!(Builtin, def)), word, Ty::Raw);
        self.guard(Op::GuardIs(std::ptr::from_ref(def) as u64), &[held], Ty::Raw);
        let this = self.load(Region::Tuple, field(std::mem::offset_of!(Builtin, this)), word, Ty::Word);
        self.guard(Op::GuardNot(0), &[this], Ty::Word);
        let this = self.guard(Op::GuardType { ty: owner.bits(), stable: true }, &[this], Ty::Word);
        self.keep.push(owner);
        let this = (!call.with_callee).then_some(this);
        self.finish_quick_call(instr, call, word, this, callee, first, given)
    }

    #[allow(clippy::too_many_arguments)]
    fn finish_quick_call(
        &mut self,
        instr: Instr,
        call: QuickCall,
        callee_word: Val,
        this: Option<Val>,
        callee: i16,
        first: i16,
        given: usize,
    ) -> Build<Option<Flow>> {
        let args: Vec<i16> = (first..first + given as i16).collect();
        let mut words: Vec<Val> = call.with_callee.then_some(callee_word).into_iter().chain(this).collect();
        for arg in &args {
            words.push(self.operand_word(*arg)?);
        }
        words.extend(call.last.iter().map(|value| self.of_value(value)));
        let val = self.quick(call.what, &words);
        for arg in &args {
            self.release(*arg)?;
        }
        self.release(callee)?;
        match call.what.gives() {
            Gives::Owned => self.returned(instr.a, val, true),
            Gives::Int | Gives::Truth => self.result(instr.a, val),
            Gives::Done => {
                let none = self.word(Value::NONE.bits());
                self.result(instr.a, none);
            }
        }
        if let Some(ty) = call.class {
            self.learn_class(val, ty);
        }
        Ok(Some(Flow::Next))
    }

    /// The quick function for a method of a builtin type; its object is the first of the arguments.
    fn quick_method(&self, owner: &Value, name: &str, given: usize) -> Build<Option<QuickCall>> {
        let types = self.vm.types();
        let (seen_b, seen_c) = self.seen(|seen| (seen.b.get(), seen.c.get()))?;
        let is = |ty: &Ref<Type>| owner.is(ty.value());
        let call = QuickCall::new;
        let (list, dict) = (is(&types.list), is(&types.dict));
        Ok(match (name, given) {
            ("append", 2) if list => call(Quick::Append),
            ("pop", 1) if list => call(Quick::Pop),
            ("pop", 2) if list => call(Quick::PopAt),
            ("insert", 3) if list => call(Quick::Insert),
            ("reverse", 1) if list => call(Quick::Reverse),
            ("extend", 2) if list && seen_b & !SEQUENCES == 0 => call(Quick::Extend),
            ("get", 2) if dict => {
                call(Quick::DictGet).map(|call| QuickCall { last: Some(Value::NONE), ..call })
            }
            ("get", 3) if dict => call(Quick::DictGet),
            ("add", 2) if is(&types.set) => call(Quick::SetAdd),
            ("keys" | "values" | "items" | "copy", 1) if dict => QuickCall::on_callee(Quick::CallSafe),
            ("copy", 1) if list => QuickCall::on_callee(Quick::CallSafe),
            (_, 1..=3) if quick::is_quiet_method(owner, name) && are_plain(given - 1, seen_b, seen_c) => {
                QuickCall::on_callee([Quick::Method1, Quick::Method2, Quick::Method3][given - 1])
            }
            _ => None,
        })
    }

    /// The quick function for a native function or a class.
    fn quick_function(&self, value: &Value, given: usize) -> Build<Option<QuickCall>> {
        let types = self.vm.types();
        let (seen_b, seen_c) = self.seen(|seen| (seen.b.get(), seen.c.get()))?;
        let builtin = value
            .downcast::<Builtin>()
            .filter(|builtin| !builtin.pass_this && quick::is_of_builtins(self.vm, builtin))
            .map(|builtin| builtin.def.name);
        let is = |ty: &Ref<Type>| value.is(ty.value());
        let call = QuickCall::new;
        let making = |what: Quick| call(what).map(|call| QuickCall { class: Some(value.bits()), ..call });
        let iterable = seen_b != 0 && seen_b & (SIMPLE | kinds::OTHER) == 0;
        Ok(match (builtin, given) {
            (Some("len"), 1) => call(Quick::Len),
            (Some("isinstance"), 2) => call(Quick::IsInstance),
            (Some("id"), 1) => call(Quick::Id),
            (None, 1) if is(&types.type_) => call(Quick::Class),
            (None, 1) if is(&types.bool) => call(Quick::Truth),
            (None, 0) if is(&types.list) => making(Quick::List0),
            (None, 0) if is(&types.dict) => making(Quick::Dict0),
            (None, 1) if is(&types.list) && iterable => making(Quick::NewList),
            (None, 1) if is(&types.tuple) && iterable => making(Quick::NewTuple),
            (_, 0..=3) if quick::is_quiet(self.vm, value) && are_plain(given, seen_b, seen_c) => {
                QuickCall::on_callee([Quick::Call0, Quick::Call1, Quick::Call2, Quick::Call3][given])
            }
            _ => None,
        })
    }
}

/// Whether the first arguments, of so many, may be plain values, or sequences of such.
fn are_plain(given: usize, first: u16, second: u16) -> bool {
    let plain = |kind: u16| kind & (kinds::DICT | kinds::OTHER) == 0;
    (given < 1 || plain(first)) && (given < 2 || plain(second))
}

/// How a quick function stands for a callee.
struct QuickCall {
    what: Quick,
    /// It takes the callee first.
    with_callee: bool,
    /// A last argument that was omitted.
    last: Option<Value>,
    /// The type of what it gives.
    class: Option<u64>,
}

impl QuickCall {
    fn new(what: Quick) -> Option<QuickCall> {
        Some(QuickCall { what, with_callee: false, last: None, class: None })
    }
    fn on_callee(what: Quick) -> Option<QuickCall> {
        Some(QuickCall { what, with_callee: true, last: None, class: None })
    }
}

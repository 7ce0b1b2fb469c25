//! Control: where ways part, meet and turn back.

use super::state::{Activation, Context, ContextKind, Header, Key, Pending, Slot, State};
use super::{Build, Builder, Flow, LARGEST, Stop};
use crate::ir::{self, Block, Edge, Op, Origin, Term, Ty, Val};
use pellucid_interp::form::{Form, Instr};
use pellucid_interp::hot::{Place, kinds};
use pellucid_interp::ops::Op as Code;
use std::rc::Rc;

/// Loops of at most so many turns are unrolled, if they do not become longer than so many instructions.
const MOST_TURNS: i64 = 8;
const UNROLLED: usize = 160;

impl Builder<'_> {
    fn key(context: &Context, pc: u32) -> Key {
        let mut key = context.prefix.clone();
        key.push(pc);
        key
    }

    /// Control goes from the end of the current block to an instruction.
    pub fn go(&mut self, from: &Rc<Context>, pc: u32) -> Build {
        let context = self.arrive(from, pc);
        if context.activation.level == 0 && pc < self.entry {
            // A loop around the one that is compiled: it is entered from its own first instruction only.
            return self.leave_to(context, pc);
        }
        let key = Self::key(&context, pc);
        if self.headers.contains_key(&key) {
            return self.turn_back(key, pc);
        }
        let edge = (self.now, self.state.clone());
        let pending = self.pending.entry(key).or_insert_with(|| Pending { context, pc, edges: Vec::new() });
        pending.edges.push(edge);
        Ok(())
    }

    fn leave_to(&mut self, context: Rc<Context>, pc: u32) -> Build {
        let (here, at) = (std::mem::replace(&mut self.context, context), std::mem::replace(&mut self.pc, pc));
        self.leave("");
        (self.context, self.pc) = (here, at);
        Ok(())
    }

    /// The context in which an instruction of the same activation is reached: a turn of an unrolled loop ends.
    fn arrive(&self, from: &Rc<Context>, pc: u32) -> Rc<Context> {
        let mut context = from.clone();
        while let ContextKind::Turn { header, last, turn } = context.kind {
            let Some(parent) = context.parent.clone() else { break };
            if pc == header {
                return Self::turn(&parent, header, last, turn + 1);
            }
            if (header..=last).contains(&pc) {
                break;
            }
            context = parent;
        }
        context
    }

    fn turn(parent: &Rc<Context>, header: u32, last: u32, turn: u32) -> Rc<Context> {
        let mut prefix = parent.prefix.clone();
        prefix.extend([header, turn + 1]);
        Rc::new(Context {
            prefix,
            activation: parent.activation.clone(),
            kind: ContextKind::Turn { header, last, turn },
            parent: Some(parent.clone()),
        })
    }

    /// Ends the current block with a branch to two fresh ones.
    pub fn split(&mut self, condition: Val) -> (Block, Block) {
        let origin = (self.context.activation.level, self.pc);
        let then = self.graph.new_block(origin);
        let other = self.graph.new_block(origin);
        let now = self.now;
        let edge = |block| Edge { block: Some(block), args: Vec::new() };
        self.graph.block(now).term = Term::Branch(condition, edge(then), edge(other));
        (then, other)
    }

    /// Goes on at an instruction to which ways lead.
    pub fn begin(&mut self, key: Key, pending: Pending) -> Build {
        let Pending { context, pc, edges } = pending;
        self.context = context;
        self.pc = pc;
        self.exit_here = None;
        self.meet(edges)?;
        let found = self.with_form(|form| form.loops.iter().position(|l| l.header == pc))?;
        let inside = matches!(self.context.kind, ContextKind::Turn { header, .. } if header == pc);
        let Some(index) = found.filter(|_| !inside) else { return Ok(()) };
        if let Some(last) = self.unrolls(index)? {
            self.graph.tally.add("loops unrolled", 1);
            self.note("unrolled");
            let parent = self.context.clone();
            self.context = Self::turn(&parent, pc, last, 0);
            return Ok(());
        }
        self.loop_header(key, index)
    }

    /// What is emitted from now on comes from the current instruction.
    fn note_origin(&mut self) {
        let Activation { code, level, .. } = &*self.context.activation;
        self.graph.comes_from(Origin { code: code.bits(), level: *level, pc: self.pc });
    }

    pub fn note(&mut self, what: &str) {
        let line = self.context.activation.code().map(|code| {
            let offset =
                code.ready_form().and_then(|f| f.offsets.get(self.pc as usize).copied()).unwrap_or(0);
            (self.vm.str_lossy(&code.qualname), code.line_at(offset).unwrap_or(0))
        });
        if let Some((name, line)) = line {
            self.notes.push(format!("{what}: {name}, line {line}"));
        }
    }

    /// Builds instructions until control leaves.
    pub fn straight(&mut self) -> Build {
        let mut first = true;
        loop {
            if self.graph.insts.len() > LARGEST {
                return Err(Stop::No("too large"));
            }
            if !first && self.must_wait()? {
                let context = self.context.clone();
                return self.go(&context, self.pc);
            }
            first = false;
            let ran = self.seen(|seen| {
                seen.consider();
                seen.ran.get()
            })?;
            self.ran += u64::from(ran);
            if ran == 0 {
                self.leave(crate::exit::NEVER_REACHED);
                return Ok(());
            }
            self.exit_here = None;
            self.note_origin();
            let next = self.pc + 1;
            match self.instruction()? {
                Flow::Done => return Ok(()),
                Flow::Next => self.bury(next)?,
            }
            self.pc = next;
        }
    }

    /// Whether something else is to be built before the current instruction, or it begins a loop.
    fn must_wait(&self) -> Build<bool> {
        let key = Self::key(&self.context, self.pc);
        let earlier = self.pending.first_key_value().is_some_and(|(first, _)| *first <= key);
        let pc = self.pc;
        Ok(earlier || self.with_form(|form| form.loops.iter().any(|l| l.header == pc))?)
    }

    /// Joins ways: afterwards the current block and state are those behind all of them.
    fn meet(&mut self, mut edges: Vec<(Block, State)>) -> Build {
        if edges.len() == 1 {
            let Some((block, state)) = edges.pop() else { return Ok(()) };
            self.now = block;
            self.state = state;
            return Ok(());
        }
        let block = self.graph.new_block((self.context.activation.level, self.pc));
        let length = edges.iter().map(|(_, s)| s.slots.len()).min().unwrap_or(0);
        let mut plans: Vec<Meeting> = (0..length).map(|index| self.meeting(index, &edges)).collect();
        make_shared_tuples(&mut plans, &edges);
        let mut facts: Option<State> = None;
        let mut args = Vec::new();
        for (from, state) in edges {
            self.now = from;
            self.state = state;
            self.state.slots.truncate(length);
            self.store_item();
            let mut passed = Vec::new();
            for (index, plan) in plans.iter().enumerate() {
                self.pass(index, plan, &mut passed)?;
            }
            args.push((self.now, passed));
            match &mut facts {
                None => facts = Some(self.state.clone()),
                Some(known) => known.meet_facts(&self.state),
            }
        }
        for (from, passed) in args {
            self.graph.block(from).term = Term::Jump(Edge { block: Some(block), args: passed });
        }
        let facts = facts.map(|s| s.facts).unwrap_or_default();
        let slots = plans.into_iter().map(|plan| self.met(block, plan)).collect();
        self.now = block;
        self.state = State { slots, facts, item: None };
        Ok(())
    }

    /// What a register is where ways meet.
    fn meeting(&self, index: usize, edges: &[(Block, State)]) -> Meeting {
        let slots: Vec<&Slot> = edges.iter().map(|(_, state)| &state.slots[index]).collect();
        if slots.iter().all(|slot| *slot == slots[0]) {
            return Meeting::Same(slots[0].clone());
        }
        let now = |slot: &&Slot| match slot {
            Slot::Now { val, .. } => Some(*val),
            _ => None,
        };
        if let Some(vals) = slots.iter().map(now).collect::<Option<Vec<Val>>>() {
            let ty = self.graph.ty(vals[0]);
            if vals.iter().all(|v| *v == vals[0]) {
                return Meeting::Same(Slot::Now { val: vals[0], clean: false });
            }
            if vals.iter().all(|v| self.graph.ty(*v) == ty) {
                return Meeting::Param(ty);
            }
            if vals.iter().all(|v| self.graph.ty(*v) != Ty::Float) {
                return Meeting::Param(Ty::Word);
            }
        }
        let word = |slot: &&Slot| match slot {
            Slot::Borrowed(_) => true,
            Slot::Now { val, .. } => self.graph.ty(*val) != Ty::Float,
            _ => false,
        };
        if slots.iter().all(word) {
            return Meeting::Borrowed;
        }
        if let Slot::RangeIter(_, stop, step) = slots[0]
            && slots.iter().all(|s| matches!(s, Slot::RangeIter(_, b, c) if b == stop && c == step))
        {
            return Meeting::RangeIter(*stop, *step);
        }
        if let Slot::Walk(list, _, start) = slots[0]
            && slots.iter().all(|s| matches!(s, Slot::Walk(l, _, n) if l == list && n == start))
        {
            return Meeting::Walk(*list, *start);
        }
        Meeting::Memory
    }

    /// At the end of a way: makes the register what it is to be.
    fn pass(&mut self, index: usize, plan: &Meeting, passed: &mut Vec<Val>) -> Build {
        match (plan, self.state.slots[index].clone()) {
            (Meeting::Same(_), _) => {}
            (Meeting::Param(ty), Slot::Now { val, .. }) => {
                passed.push(if *ty == Ty::Word { self.boxed(val) } else { val });
            }
            (Meeting::Borrowed, Slot::Now { val, .. }) => passed.push(self.boxed(val)),
            (Meeting::Borrowed, Slot::Borrowed(word)) => passed.push(word),
            (Meeting::RangeIter(..), Slot::RangeIter(next, _, _)) => passed.push(next),
            (Meeting::Walk(..), Slot::Walk(_, index, _)) => passed.push(index),
            _ => self.own(index)?,
        }
        Ok(())
    }

    fn met(&mut self, block: Block, plan: Meeting) -> Slot {
        match plan {
            Meeting::Same(slot) => slot,
            Meeting::Param(ty) => Slot::Now { val: self.graph.param(block, ty), clean: false },
            Meeting::Borrowed => Slot::Borrowed(self.graph.param(block, Ty::Word)),
            Meeting::RangeIter(stop, step) => Slot::RangeIter(self.graph.param(block, Ty::Int), stop, step),
            Meeting::Walk(list, start) => Slot::Walk(list, self.graph.param(block, Ty::Int), start),
            Meeting::Memory => Slot::Mem(None),
        }
    }

    /// The last instruction of a loop at the current one that is to be unrolled.
    fn unrolls(&mut self, index: usize) -> Build<Option<u32>> {
        let instr = self.instr(self.pc)?;
        if instr.op != Code::ForIter {
            return Ok(None);
        }
        let Slot::RangeIter(next, stop, step) = self.state.slots[self.slot(instr.b)] else { return Ok(None) };
        let (Some(next), Some(stop)) = (self.graph.as_int(next), self.graph.as_int(stop)) else {
            return Ok(None);
        };
        let turns = if step > 0 { (stop - next).max(0) } else { (next - stop).max(0) };
        let turns = (turns as u64).div_ceil(step.unsigned_abs()) as i64;
        self.with_form(|form| {
            let own = &form.loops[index];
            let length = (own.last - own.header) as usize;
            let inner = form.loops.iter().any(|l| l.header > own.header && l.last <= own.last);
            let unrolls = turns <= MOST_TURNS && length * turns as usize <= UNROLLED && !inner;
            unrolls.then_some(own.last)
        })
    }

    /// Begins a loop: registers that it changes become parameters of its first block.
    fn loop_header(&mut self, key: Key, index: usize) -> Build {
        let base = self.context.activation.base;
        self.store_item();
        let mut written = self.with_form(|form| written(form, index))?;
        let widened = self.lessons.widened.keys().filter(|(at, _)| *at == key);
        written.extend(widened.map(|(_, slot)| slot - base));
        written.sort_unstable();
        written.dedup();
        self.own_borrowed()?;
        self.take_iterator()?;
        for register in &written {
            self.settle_type(&key, base + register, index)?;
        }
        // A tuple was made that other registers hold too.
        self.own_borrowed()?;
        let exit = self.exit_at(self.pc, crate::exit::BEFORE_LOOP);
        let before = self.now;
        let block = self.graph.new_block((self.context.activation.level, self.pc));
        self.graph.block(block).header = Some(ir::Header { before, exit });
        let mut params = Vec::new();
        let mut args = Vec::new();
        for register in written {
            let at = base + register;
            let new = match self.state.slots[at].clone() {
                Slot::Now { val, .. } => {
                    let ty = self.graph.ty(val);
                    args.push(val);
                    params.push((at, ty));
                    Slot::Now { val: self.graph.param(block, ty), clean: false }
                }
                Slot::RangeIter(next, stop, step) => {
                    args.push(next);
                    params.push((at, Ty::Int));
                    Slot::RangeIter(self.graph.param(block, Ty::Int), stop, step)
                }
                Slot::Walk(list, index, start) => {
                    args.push(index);
                    params.push((at, Ty::Int));
                    Slot::Walk(list, self.graph.param(block, Ty::Int), start)
                }
                Slot::Mem(_) => Slot::Mem(None),
                slot => slot,
            };
            self.set_slot(at, new);
        }
        self.graph.block(before).term = Term::Jump(Edge { block: Some(block), args });
        self.state.forget_memory();
        self.now = block;
        self.headers.insert(key, Header { block, slots: self.state.slots.clone(), params });
        Ok(())
    }

    /// Before a loop: the register's value, of which memory may know more than is known here, becomes a number when the
    /// loop uses it as one.
    fn settle_type(&mut self, key: &Key, at: usize, index: usize) -> Build {
        let level = self.lessons.widened.get(&(key.clone(), at)).copied().unwrap_or(0);
        match self.state.slots[at].clone() {
            Slot::Mem(_) if level == 0 => {
                let base = self.context.activation.base;
                let register = (at - base) as i16;
                let word = self.mem_word(at);
                let known = [Op::GuardInt, Op::GuardFloat]
                    .into_iter()
                    .find_map(|guard| Some((guard, self.state.fact(guard, word, None)?)));
                let used = self.with_form(|form| used_as(form, index, register))?;
                let guard = match (known, used) {
                    (Some((guard, _)), _) => guard,
                    (None, Some(kinds::INT)) => Op::GuardInt,
                    (None, Some(kinds::FLOAT)) => Op::GuardFloat,
                    _ => match self.root_kind(at) {
                        Some(kinds::INT) => Op::GuardInt,
                        Some(kinds::NONE | kinds::BOOL | kinds::OTHER) => {
                            let val = self.guard(Op::GuardPlain, &[word], Ty::Word);
                            self.set_slot(at, Slot::Now { val, clean: true });
                            return Ok(());
                        }
                        _ => return Ok(()),
                    },
                };
                if self.graph.inst(word).op == Op::BoxFloat {
                    return Ok(());
                }
                let ty = if guard == Op::GuardInt { Ty::Int } else { Ty::Float };
                let val = self.guard(guard, &[word], ty);
                self.set_slot(at, Slot::Now { val, clean: true });
            }
            Slot::Now { .. } if level >= 2 => {
                self.own(at)?;
                // Memory owns a float's object, or holds a word that is none.
                let word = match self.state.slots[at].clone() {
                    Slot::Now { val, .. } => self.boxed(val),
                    _ => return Ok(()),
                };
                self.set_slot(at, Slot::Mem(Some(word)));
            }
            Slot::Now { val, .. } if level == 1 => {
                if self.graph.ty(val) == Ty::Float {
                    return self.own(at);
                }
                let word = self.boxed(val);
                self.set_slot(at, Slot::Now { val: word, clean: false });
            }
            Slot::Range(..) | Slot::RangeIter(..) | Slot::Walk(..) if level > 0 => self.own(at)?,
            Slot::Range(..) | Slot::Tuple(..) => self.own(at)?,
            _ => {}
        }
        Ok(())
    }

    /// The kind of what is in a register of the root's frame while this is compiled.
    fn root_kind(&self, at: usize) -> Option<u16> {
        let place = matches!(self.place, Place::Loop(_)) && self.context.activation.level == 0;
        place.then(|| pellucid_interp::hot::kind_of(self.vm, self.root.reg(at)))
    }

    /// Control turns back to the first block of a loop.
    fn turn_back(&mut self, key: Key, pc: u32) -> Build {
        self.store_item();
        let header = self.headers[&key].clone();
        // Exits of guards here go on in the loop's activation.
        let context = self.context.clone();
        self.context = self.arrive(&context, pc);
        let here = std::mem::replace(&mut self.pc, pc);
        self.exit_here = None;
        let mut args = Vec::new();
        for at in 0..header.slots.len() {
            let param = header.params.iter().find(|(slot, _)| *slot == at).map(|(_, ty)| *ty);
            self.match_slot(&key, at, &header.slots[at], param, &mut args)?;
        }
        let args = header
            .params
            .iter()
            .filter_map(|(at, _)| args.iter().find(|(slot, _)| slot == at).map(|(_, val)| *val))
            .collect();
        let now = self.now;
        self.graph.block(now).term = Term::Jump(Edge { block: Some(header.block), args });
        self.context = context;
        self.pc = here;
        self.exit_here = None;
        Ok(())
    }

    fn match_slot(
        &mut self,
        key: &Key,
        at: usize,
        wanted: &Slot,
        param: Option<Ty>,
        args: &mut Vec<(usize, Val)>,
    ) -> Build {
        let slot = self.state.slots.get(at).cloned().unwrap_or(Slot::Dead);
        let level = match &slot {
            Slot::Mem(_) | Slot::Borrowed(_) => 2,
            _ => 1,
        };
        let mut widen = |builder: &mut Self| {
            builder.in_vain.push(Stop::Widen(key.clone(), at, level));
            // Anything will do: this graph goes nowhere.
            let val = match param {
                Some(Ty::Float) => builder.constant(Op::Float(0), Ty::Float),
                Some(Ty::Bool) => builder.constant(Op::Bool(false), Ty::Bool),
                Some(Ty::Word) => builder.unbound(),
                _ => builder.int(0),
            };
            args.push((at, val));
            Ok(())
        };
        match (wanted, slot) {
            (Slot::Dead, Slot::Dead) => {}
            (Slot::Dead, slot) => {
                self.trouble = format!("register {at} lives on at {key:?}: {slot:?}");
                return Err(Stop::No("a temporary lives on"));
            }
            (Slot::Now { val, .. }, slot) => {
                let Some(ty) = param else {
                    return if matches!(slot, Slot::Now { val: v, .. } if v == *val) {
                        Ok(())
                    } else {
                        widen(self)
                    };
                };
                let Some(val) = self.as_type(at, ty)? else { return widen(self) };
                args.push((at, val));
            }
            (Slot::RangeIter(_, stop, step), Slot::RangeIter(next, s, t)) if *stop == s && *step == t => {
                args.push((at, next));
            }
            (Slot::Walk(list, _, start), Slot::Walk(l, index, n)) if *list == l && *start == n => {
                args.push((at, index));
            }
            (Slot::Walk(..), _) => return widen(self),
            (Slot::Tuple(..), slot) if *wanted == slot => {}
            (Slot::RangeIter(..) | Slot::Range(..) | Slot::Tuple(..), _) => return widen(self),
            (Slot::Mem(Some(a)), Slot::Mem(Some(b))) if *a == b => {}
            (Slot::Mem(Some(_)), _) => return widen(self),
            (Slot::Mem(None), _) => {
                self.own(at)?;
                if let Slot::Now { .. } = self.state.slots[at] {
                    self.set_slot(at, Slot::Mem(None));
                }
            }
            (Slot::Borrowed(_), _) => return Err(Stop::No("a borrowed word at a loop")),
        }
        Ok(())
    }

    /// The value of a register as a type, where it is of that type; memory holds no heap word then.
    fn as_type(&mut self, at: usize, ty: Ty) -> Build<Option<Val>> {
        let guard = match ty {
            Ty::Int => Op::GuardInt,
            Ty::Float => Op::GuardFloat,
            Ty::Bool => Op::GuardBool,
            Ty::Word => {
                return Ok(match self.state.slots[at] {
                    Slot::Now { val, .. } if self.graph.ty(val) != Ty::Float => Some(self.boxed(val)),
                    _ => None,
                });
            }
            Ty::Raw => return Ok(None),
        };
        Ok(match self.state.slots[at].clone() {
            Slot::Now { val, .. } if self.graph.ty(val) == ty => Some(val),
            Slot::Now { val, .. } if self.graph.ty(val) == Ty::Word => self.state.fact(guard, val, None),
            Slot::Mem(_) => {
                let word = self.mem_word(at);
                if self.graph.inst(word).op == Op::BoxFloat {
                    let val = self.state.fact(guard, word, None);
                    if val.is_some() {
                        self.give_up(at);
                        self.bury(self.pc)?;
                    }
                    return Ok(val);
                }
                Some(self.guard(guard, &[word], ty))
            }
            Slot::Borrowed(word) => Some(self.guard(guard, &[word], ty)),
            _ => None,
        })
    }
}

/// How a register meets.
enum Meeting {
    Same(Slot),
    Param(Ty),
    Borrowed,
    RangeIter(Val, i64),
    Walk(Val, Option<Val>),
    Memory,
}

/// A tuple that is to be made for one register is made for all that hold it.
fn make_shared_tuples(plans: &mut [Meeting], edges: &[(Block, State)]) {
    let number = |slot: &Slot| match slot {
        Slot::Tuple(number, _) => Some(*number),
        _ => None,
    };
    let made: Vec<u32> = plans
        .iter()
        .enumerate()
        .filter(|(_, plan)| !matches!(plan, Meeting::Same(Slot::Tuple(..))))
        .flat_map(|(at, _)| edges.iter().filter_map(move |(_, state)| number(&state.slots[at])))
        .collect();
    for plan in plans {
        if matches!(plan, Meeting::Same(slot) if number(slot).is_some_and(|n| made.contains(&n))) {
            *plan = Meeting::Memory;
        }
    }
}

/// The registers that an instruction writes, and the iterators whose state it changes.
pub fn writes(instr: &Instr) -> Vec<i16> {
    use Code::*;
    match instr.op {
        Nop | Drop | CheckLocal | StoreName | StoreGlobal | StoreAttr | StoreSubscr | StoreSlice
        | StoreDeref | ListAppend | MapAdd | SetAdd | Return | Jump | JumpBack | ForBack | JumpIfFalse
        | JumpIfTrue | JumpIfFalseKeep | JumpIfTrueKeep | JumpIs | JumpContains | JumpLt | JumpLe
        | JumpEq | JumpNe | JumpGt | JumpGe | JumpIfNotExcMatch | Generic => Vec::new(),
        Swap => vec![instr.a, instr.b],
        LoadMethod | LoadSuperMethod => vec![instr.a, instr.a + 1],
        ForIter => vec![instr.a, instr.b],
        UnpackTwo => vec![instr.a, instr.c],
        UnpackSequence => (0..instr.d as i16).map(|by| instr.a + by).collect(),
        _ => vec![instr.a],
    }
}

/// The registers that a loop changes.
fn written(form: &Form, index: usize) -> Vec<usize> {
    let own = &form.loops[index];
    let body = &form.instrs[own.header as usize..=own.last as usize];
    let mut registers: Vec<usize> = body.iter().flat_map(writes).map(|r| r as usize).collect();
    registers.sort_unstable();
    registers.dedup();
    registers
}

/// The one kind of value that a loop was seen to find in a register when it reads that before it writes it.
fn used_as(form: &Form, index: usize, register: i16) -> Option<u16> {
    use pellucid_interp::hot::{Operands, operands};
    let own = &form.loops[index];
    let mut seen_kinds = 0;
    let mut written = false;
    let mut first_read = false;
    for at in own.header as usize..=own.last as usize {
        let (instr, seen) = (&form.instrs[at], &form.seen()[at]);
        let mut read = |operand: i16, kinds: u16| {
            if operand == register {
                first_read |= !written;
                seen_kinds |= kinds;
            }
        };
        match operands(instr.op) {
            Operands::None => {}
            Operands::B => read(instr.b, seen.b.get()),
            Operands::BC => {
                read(instr.b, seen.b.get());
                read(instr.c, seen.c.get());
            }
            Operands::ABC => {
                read(instr.a, seen.a.get());
                read(instr.b, seen.b.get());
                read(instr.c, seen.c.get());
            }
        }
        written |= writes(instr).contains(&register);
    }
    (first_read && seen_kinds.count_ones() == 1).then_some(seen_kinds)
}

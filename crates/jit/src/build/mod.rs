//! From the private form to the graph.
//!
//! Code is built in its own order, inlined calls and unrolled turns of loops in the place where they stand
//! ([`state::Key`]), so that when an instruction is reached all ways that lead there forwards are known. What a register
//! holds is known as far as it can be ([`state::Slot`]): numbers are not put into memory before somebody may look,
//! and words that memory owns already are used without being counted.
//!
//! Types come from what is known, and where nothing is known from what the interpreter saw ([`Seen`]), behind a guard. A
//! loop's first block is built on the assumption that a register has the same type at each turn; where that turns
//! out to be wrong, everything is built again without it ([`Stop::Widen`]).

mod array;
mod attr;
mod call;
mod comprehension;
mod dunder;
mod flow;
mod ops;
mod quick;
pub mod state;
mod tuple;
mod walk;

use crate::ir::{Block, Exit, ExitFrame, ExitId, Graph, Inst, New, Op, Put, Region, Term, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::{Form, Instr};
use pellucid_interp::frame::Frame;
use pellucid_interp::hot::{Place, Seen};
use pellucid_interp::state::State as Machine;
use pellucid_object::layout::Layout;
use pellucid_object::{Interpreter, Value};
use state::{Activation, Context, ContextKind, Header, Key, Pending, Slot, State};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// Why a graph was not finished.
#[derive(Debug)]
pub enum Stop {
    /// The register of the loop at this place has not the assumed type: assume so little.
    Widen(Key, usize, u8),
    /// The calls at these places need frames.
    Frame(Vec<Key>),
    /// Not to be compiled.
    No(&'static str),
}

pub type Build<T = ()> = Result<T, Stop>;

/// What was found out by building in vain.
#[derive(Default)]
pub struct Lessons {
    /// How little is assumed of registers at the beginning of loops: 1 a word that is no object, 2 nothing.
    pub widened: HashMap<(Key, usize), u8>,
    pub framed: HashSet<Key>,
}

impl Lessons {
    /// Learns from what one graph was built in vain for.
    pub fn learn(&mut self, stops: Vec<Stop>) {
        let before = self.widened.clone();
        for stop in stops {
            match stop {
                Stop::Widen(key, slot, level) => {
                    let place = (key, slot);
                    let level = level.max(before.get(&place).map_or(0, |known| known + 1));
                    let known = self.widened.entry(place).or_insert(0);
                    *known = level.max(*known);
                }
                Stop::Frame(keys) => self.framed.extend(keys),
                Stop::No(_) => {}
            }
        }
    }
}

/// Where control goes behind an instruction.
pub(crate) enum Flow {
    Next,
    /// It is taken care of.
    Done,
}

/// Ints up to here are floats without loss.
pub const EXACT: i64 = 1 << 53;

/// Ends of ranges beyond which adding a step could leave the word.
const FAR: i64 = 1 << 60;

/// Most instructions of a graph.
const LARGEST: usize = 8_000;

pub struct Builder<'a> {
    pub vm: &'a Interpreter,
    pub machine: &'a Machine,
    pub layout: Layout,
    pub root: &'a Frame,
    pub place: Place,
    pub lessons: &'a Lessons,
    pub graph: Graph,
    pub now: Block,
    pub state: State,
    pub context: Rc<Context>,
    pub pc: u32,
    /// Where machine code is entered.
    pub entry: u32,
    pub pending: BTreeMap<Key, Pending>,
    pub headers: HashMap<Key, Header>,
    /// Values that the code refers to and must keep.
    pub keep: Vec<Value>,
    /// Registers that are used, counted from the root's, and how deep calls are inlined.
    pub registers: usize,
    pub levels: u32,
    pub inlined: usize,
    /// How often instructions ran that were built, and how often those that are done out of line.
    pub ran: u64,
    pub ran_out_of_line: u64,
    pub notes: Vec<String>,
    pub trouble: String,
    constants: HashMap<Op, Val>,
    /// Values that are one of several functions, as known.
    pub choices: HashMap<Val, Vec<Value>>,
    /// What dies behind the current instruction.
    dying: Vec<Val>,
    /// While that is prepared: the instruction behind.
    burying: Option<u32>,
    /// What is walked over and is a tuple.
    walked_tuples: HashSet<Val>,
    /// How many tuples were not made.
    tuples: u32,
    exit_here: Option<(u32, ExitId)>,
    /// What was assumed in vain so far: the graph is built to its end, to find all of it, and then again.
    pub in_vain: Vec<Stop>,
}

impl<'a> Builder<'a> {
    pub fn new(
        vm: &'a Interpreter,
        machine: &'a Machine,
        layout: Layout,
        root: &'a Frame,
        place: Place,
        lessons: &'a Lessons,
    ) -> Builder<'a> {
        let activation = Activation { code: root.code.clone(), base: 0, level: 0, call: None };
        let context = Context {
            prefix: Vec::new(),
            activation: Rc::new(activation),
            kind: ContextKind::Root,
            parent: None,
        };
        let mut graph = Graph::default();
        let entry = graph.new_block((0, 0));
        Builder {
            vm,
            machine,
            layout,
            root,
            place,
            lessons,
            graph,
            now: entry,
            state: State { slots: Vec::new(), facts: Rc::default(), item: None },
            context: Rc::new(context),
            pc: 0,
            entry: 0,
            pending: BTreeMap::new(),
            headers: HashMap::new(),
            keep: Vec::new(),
            registers: root.form().nregs as usize,
            levels: 0,
            inlined: 0,
            ran: 0,
            ran_out_of_line: 0,
            notes: Vec::new(),
            trouble: String::new(),
            constants: HashMap::new(),
            choices: HashMap::new(),
            dying: Vec::new(),
            burying: None,
            walked_tuples: HashSet::new(),
            tuples: 0,
            exit_here: None,
            in_vain: Vec::new(),
        }
    }

    /// Builds all that the place leads to.
    pub fn build(&mut self) -> Build {
        let form = self.root.form();
        let pc = match self.place {
            Place::Call => 0,
            Place::Loop(index) => form.loops[index].header,
        };
        self.entry = pc;
        self.state.slots = (0..form.nregs as usize)
            .map(|register| if register < form.first_temp as usize { Slot::Mem(None) } else { Slot::Dead })
            .collect();
        if self.place == Place::Call {
            let parameters = pellucid_interp::translate::parameter_count(&self.code()?.code);
            let val = self.unbound();
            self.state.slots[parameters..form.nlocals as usize].fill(Slot::Now { val, clean: true });
        }
        let live = self.live_temporaries(form, pc);
        for register in form.first_temp as usize..form.first_temp as usize + live {
            self.state.slots[register] = Slot::Mem(None);
        }
        // The entry block holds constants; code begins behind it.
        let first = self.graph.new_block((0, pc));
        self.graph.block(self.now).term =
            Term::Jump(crate::ir::Edge { block: Some(first), args: Vec::new() });
        self.now = first;
        let context = self.context.clone();
        self.go(&context, pc)?;
        while let Some((key, pending)) = self.pending.pop_first() {
            self.begin(key, pending)?;
            self.straight()?;
        }
        Ok(())
    }

    /// Temporaries that are live where a loop begins, as the innermost frame has them: all up to the last that holds something.
    fn live_temporaries(&self, form: &Form, pc: u32) -> usize {
        if self.place == Place::Call {
            return 0;
        }
        let first = form.first_temp as usize;
        // Iterators of loops around the place stand in the registers of their `ForIter`; the one at the place itself too.
        let iterators = form.instrs.iter().enumerate().filter(|(at, instr)| {
            let around = *at <= pc as usize && instr.d as usize > pc as usize;
            instr.op == pellucid_interp::ops::Op::ForIter && around
        });
        let highest = iterators.map(|(_, instr)| instr.b as usize + 1 - first).max().unwrap_or(0);
        let held = (first..form.nregs as usize).rev().find(|r| self.root.reg(*r).is_heap());
        highest.max(held.map_or(0, |r| r + 1 - first))
    }

    pub fn code(&self) -> Build<&CodeObject> {
        self.context.activation.code().ok_or(Stop::No("no code"))
    }

    pub fn with_form<T>(&self, f: impl FnOnce(&Form) -> T) -> Build<T> {
        let form = self.code()?.ready_form().ok_or(Stop::No("code without a form"))?;
        Ok(f(form))
    }

    /// An instruction of the current form; `d` of a jump is the index of its target.
    pub fn instr(&self, pc: u32) -> Build<Instr> {
        let instr = self.with_form(|form| {
            let mut instr = form.instrs.get(pc as usize).copied()?;
            if pellucid_interp::translate::is_jump(instr.op) {
                instr.d = form.target(pc as usize) as u32;
            }
            Some(instr)
        })?;
        instr.ok_or(Stop::No("code without an end"))
    }

    /// What the interpreter saw at an instruction of the current form.
    pub fn seen<T>(&self, f: impl FnOnce(&Seen) -> T) -> Build<T> {
        let pc = self.pc as usize;
        self.with_form(|form| f(&form.seen()[pc]))
    }

    /// The index of a register among the root's.
    pub fn slot(&self, register: i16) -> usize {
        self.context.activation.base + register as usize
    }

    pub fn is_temporary(&self, register: i16) -> Build<bool> {
        self.with_form(|form| register >= form.first_temp as i16)
    }

    // Instructions of the graph.

    pub fn emit(&mut self, op: Op, args: &[Val], ty: Option<Ty>, exit: Option<ExitId>) -> Val {
        let val = self.graph.value(Inst { op, args: args.to_vec(), ty, exit });
        let now = self.now;
        self.graph.block(now).insts.push(val);
        val
    }

    /// A computation, or what is known of it already.
    pub fn pure(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        let key = (args.first().copied(), args.get(1).copied());
        if args.len() <= 2
            && let (Some(a), b) = key
        {
            if let Some(known) = self.state.fact(op, a, b) {
                return known;
            }
            let val = self.emit(op, args, Some(ty), None);
            self.state.learn(op, a, b, val);
            return val;
        }
        self.emit(op, args, Some(ty), None)
    }

    pub fn constant(&mut self, op: Op, ty: Ty) -> Val {
        if let Some(known) = self.constants.get(&op) {
            return *known;
        }
        let val = self.graph.value(Inst { op, args: Vec::new(), ty: Some(ty), exit: None });
        self.graph.block(Block(0)).insts.push(val);
        self.constants.insert(op, val);
        val
    }
    pub fn int(&mut self, n: i64) -> Val {
        self.constant(Op::Int(n), Ty::Int)
    }
    pub fn word(&mut self, bits: u64) -> Val {
        self.constant(Op::Word(bits), Ty::Word)
    }
    pub fn unbound(&mut self) -> Val {
        self.word(Value::UNBOUND.bits())
    }

    pub fn load(&mut self, region: Region, offset: usize, base: Val, ty: Ty) -> Val {
        self.load_op(Op::Load { region, offset: offset as i32 }, base, ty)
    }
    pub fn load32(&mut self, region: Region, offset: usize, base: Val) -> Val {
        self.load_op(Op::Load32 { region, offset: offset as i32 }, base, Ty::Raw)
    }
    pub fn load8(&mut self, region: Region, offset: usize, base: Val) -> Val {
        self.load_op(Op::Load8 { region, offset: offset as i32 }, base, Ty::Raw)
    }
    fn load_op(&mut self, op: Op, base: Val, ty: Ty) -> Val {
        if let Some(known) = self.state.fact(op, base, None) {
            self.graph.tally.add("loads known", 1);
            return known;
        }
        let val = self.emit(op, &[base], Some(ty), None);
        self.state.learn(op, base, None, val);
        val
    }
    /// Stores a word; other loads at this offset are not known any more.
    pub fn store(&mut self, region: Region, offset: usize, base: Val, val: Val) {
        let op = Op::Store { region, offset: offset as i32 };
        self.emit(op, &[base, val], None, None);
        let load = Op::Load { region, offset: offset as i32 };
        Rc::make_mut(&mut self.state.facts).retain(|(known, _, _), _| *known != load);
        self.state.learn(load, base, None, val);
    }

    /// A guard, unless it is known to hold; gives its result.
    pub fn guard(&mut self, op: Op, args: &[Val], ty: Ty) -> Val {
        if let Some(known) = self.state.fact(op, args[0], args.get(1).copied()) {
            self.graph.tally.add("guards known to hold", 1);
            return known;
        }
        let exit = self.exit_here();
        let val = self.emit(op, args, Some(ty), Some(exit));
        self.state.learn(op, args[0], args.get(1).copied(), val);
        val
    }

    // Exits.

    /// An exit that goes on at the current instruction.
    pub fn exit_here(&mut self) -> ExitId {
        if let Some(next) = self.burying {
            // The instruction is done, but for what it gave up.
            let exit = self.exit_at(next, "what died ran code");
            self.graph.exits[exit.0 as usize].drops.clone_from(&self.dying);
            return exit;
        }
        let pc = self.pc;
        if let Some((known, exit)) = self.exit_here
            && known == pc
        {
            return exit;
        }
        let exit = self.exit_at(pc, "guard");
        self.exit_here = Some((pc, exit));
        exit
    }

    /// An exit that goes on at an instruction of the current activation, with all that is known now.
    pub fn exit_at(&mut self, pc: u32, why: &'static str) -> ExitId {
        let puts =
            self.puts(|slot| !matches!(slot, Slot::Dead | Slot::Mem(_) | Slot::Now { clean: true, .. }));
        let frames = self.exit_frames();
        let item = self.state.item;
        self.graph.exits.push(Exit { pc, frames, puts, item, drops: Vec::new(), why });
        ExitId(self.graph.exits.len() as u32 - 1)
    }

    fn puts(&self, which: impl Fn(&Slot) -> bool) -> Vec<(u16, Put)> {
        let slots = self.state.slots.iter().enumerate().filter(|(_, slot)| which(slot));
        let mut tuples: Vec<(u32, u16)> = Vec::new();
        slots
            .filter_map(|(index, slot)| {
                let put = match slot {
                    Slot::Dead | Slot::Mem(_) => return None,
                    Slot::Now { val, .. } | Slot::Borrowed(val) => Put::Val(*val),
                    Slot::Range(a, b, step) => Put::Range(*a, *b, *step),
                    Slot::RangeIter(a, b, step) => Put::RangeIter(*a, *b, *step),
                    Slot::Walk(_, index, start) => Put::Walk(*index, *start),
                    Slot::Tuple(number, items) => match tuples.iter().find(|(known, _)| known == number) {
                        Some((_, register)) => Put::Again(*register),
                        None => {
                            tuples.push((*number, index as u16));
                            Put::Tuple(items.clone())
                        }
                    },
                };
                Some((index as u16, put))
            })
            .collect()
    }

    /// What a step leaves to be put when it does not come back: iterators that were not made.
    pub fn step_exit(&mut self) -> ExitId {
        let puts = self.puts(Slot::is_virtual);
        let (frames, drops) = (Vec::new(), Vec::new());
        self.graph.exits.push(Exit { pc: u32::MAX, frames, puts, item: None, drops, why: "step" });
        ExitId(self.graph.exits.len() as u32 - 1)
    }

    fn exit_frames(&self) -> Vec<ExitFrame> {
        let mut frames = Vec::new();
        let mut context = Some(&self.context);
        while let Some(c) = context {
            if c.kind == ContextKind::Inlined
                && let Some(call) = &c.activation.call
            {
                frames.push(ExitFrame {
                    function: call.function,
                    code: c.activation.code.bits(),
                    base: c.activation.base as u16,
                    call: call.pc,
                    dst: call.dst,
                    ret: call.ret,
                    object: call.object,
                    framed: call.framed,
                    callee: call.callee.map(|register| register as u16),
                });
            }
            context = c.parent.as_ref();
        }
        frames.reverse();
        frames
    }

    /// Ends the current block with an exit at the current instruction.
    pub fn leave(&mut self, why: &'static str) {
        let exit = self.exit_at(self.pc, why);
        let now = self.now;
        self.graph.block(now).term = Term::Exit(exit);
    }

    /// The state has changed: exits of the instruction do not stand for it any more.
    pub fn clear_exit(&mut self) {
        self.exit_here = None;
    }

    // Registers.

    pub fn set_slot(&mut self, index: usize, slot: Slot) {
        self.exit_here = None;
        self.state.slots[index] = slot;
    }

    /// The word in a register that memory owns.
    pub fn mem_word(&mut self, index: usize) -> Val {
        if let Slot::Mem(Some(val)) = self.state.slots[index] {
            return val;
        }
        let val = self.emit(Op::LoadReg(index as u16), &[], Some(Ty::Word), None);
        self.state.slots[index] = Slot::Mem(Some(val));
        val
    }

    /// Whether a word certainly is no heap word.
    pub fn is_plain(&self, word: Val) -> bool {
        match self.graph.inst(word).op {
            Op::Word(bits) => bits & 7 != 0,
            Op::BoxInt | Op::BoxBool | Op::GuardPlain => true,
            Op::BoxFloat => false,
            _ => [Op::GuardInt, Op::GuardFloat, Op::GuardBool, Op::GuardPlain]
                .iter()
                .any(|guard| self.state.fact(*guard, word, None).is_some()),
        }
    }

    /// The word of a value that is not a float.
    pub fn boxed(&mut self, val: Val) -> Val {
        match self.graph.ty(val) {
            Ty::Int => {
                if let Some(n) = self.graph.as_int(val) {
                    return self.word((n << 1) as u64 | 1);
                }
                let word = self.pure(Op::BoxInt, &[val], Ty::Word);
                self.state.learn(Op::GuardInt, word, None, val);
                word
            }
            Ty::Bool => {
                let word = self.pure(Op::BoxBool, &[val], Ty::Word);
                self.state.learn(Op::GuardBool, word, None, val);
                word
            }
            _ => val,
        }
    }

    /// Puts what a register holds into memory, which owns it then.
    pub fn own(&mut self, index: usize) -> Build {
        let slot = self.state.slots[index].clone();
        let reg = index as u16;
        let new = match slot {
            Slot::Dead | Slot::Mem(_) | Slot::Now { clean: true, .. } => return Ok(()),
            Slot::Now { val, .. } if self.graph.ty(val) == Ty::Float => {
                let word = self.emit(Op::BoxFloat, &[val], Some(Ty::Word), None);
                self.emit(Op::StoreReg(reg), &[word], None, None);
                self.state.learn(Op::GuardFloat, word, None, val);
                Slot::Mem(Some(word))
            }
            Slot::Now { val, .. } => {
                let word = self.boxed(val);
                self.emit(Op::StoreReg(reg), &[word], None, None);
                Slot::Now { val, clean: true }
            }
            Slot::Borrowed(word) => {
                self.graph.tally.add("borrowed values counted after all", 1);
                if !self.is_plain(word) {
                    self.emit(Op::Inc, &[word], None, None);
                }
                self.emit(Op::StoreReg(reg), &[word], None, None);
                Slot::Mem(Some(word))
            }
            Slot::Range(start, stop, step) => self.make(New::Range(step), start, stop, reg),
            Slot::RangeIter(next, stop, step) => self.make(New::RangeIter(step), next, stop, reg),
            Slot::Walk(list, index, start) => self.make_walk((list, index, start), reg),
            Slot::Tuple(number, items) => self.make_tuple(number, &items, reg),
        };
        self.set_slot(index, new);
        Ok(())
    }

    fn make(&mut self, what: New, a: Val, b: Val, reg: u16) -> Slot {
        self.graph.tally.add("ranges made after all", 1);
        let exit = self.exit_here();
        let word = self.emit(Op::New(what), &[a, b], Some(Ty::Word), Some(exit));
        self.emit(Op::StoreReg(reg), &[word], None, None);
        Slot::Mem(Some(word))
    }

    /// Stores the item that was put off.
    pub fn store_item(&mut self) {
        if let Some((items, index, val)) = self.state.item.take() {
            let word = self.boxed(val);
            self.emit(Op::SetItem, &[items, index, word], None, None);
            self.exit_here = None;
        }
    }

    pub fn own_borrowed(&mut self) -> Build {
        for index in 0..self.state.slots.len() {
            if self.borrows(&self.state.slots[index]) {
                self.own(index)?;
            }
        }
        Ok(())
    }

    /// Makes a register hold `new`. What memory owned there dies behind the instruction.
    pub fn put(&mut self, index: usize, new: Slot) {
        self.give_up(index);
        self.set_slot(index, new);
    }

    /// The register holds nothing any more; memory's word dies behind the instruction.
    pub fn give_up(&mut self, index: usize) {
        if let Slot::Mem(_) = self.state.slots[index] {
            let word = self.mem_word(index);
            if !self.is_plain(word) {
                let unbound = self.unbound();
                self.emit(Op::StoreReg(index as u16), &[unbound], None, None);
                self.dying.push(word);
            }
        }
        if let Slot::Walk(list, ..) = self.state.slots[index] {
            let unbound = self.unbound();
            self.emit(Op::StoreReg(index as u16), &[unbound], None, None);
            self.dying.push(list);
        }
        self.set_slot(index, Slot::Dead);
    }

    /// Something that was taken out of the heap dies behind the instruction.
    pub fn dies(&mut self, word: Val) {
        if !self.is_plain(word) {
            self.dying.push(word);
        }
    }

    pub(crate) fn take_dying(&mut self) -> Vec<Val> {
        std::mem::take(&mut self.dying)
    }

    /// Lets die what the instruction gave up; afterwards control is at instruction `next`.
    pub fn bury(&mut self, next: u32) -> Build {
        if self.dying.is_empty() {
            return Ok(());
        }
        self.store_item();
        self.burying = Some(next);
        let owned = self.own_borrowed();
        self.burying = None;
        owned?;
        let dying = std::mem::take(&mut self.dying);
        for (index, word) in dying.iter().copied().enumerate() {
            let exit = self.exit_at(next, "what died ran code");
            self.graph.exits[exit.0 as usize].drops = dying[index + 1..].to_vec();
            self.emit(Op::Dec, &[word], None, Some(exit));
        }
        Ok(())
    }

    /// Consumes an operand that is a temporary.
    pub fn release(&mut self, operand: i16) -> Build {
        if operand >= 0 && self.is_temporary(operand)? {
            let index = self.slot(operand);
            self.give_up(index);
        }
        Ok(())
    }

    // Operands.

    /// A constant of the current code.
    pub fn const_value(&self, operand: i16) -> Build<Value> {
        let code = self.code()?;
        let index = (code.consts.len() as i64 + i64::from(operand)) as usize;
        code.consts.get(index).cloned().ok_or(Stop::No("no such constant"))
    }

    pub fn of_value(&mut self, value: &Value) -> Val {
        match (value.as_small_int(), value.as_small_float()) {
            (Some(n), _) => self.int(n),
            (_, Some(f)) => self.constant(Op::Float(f.to_bits()), Ty::Float),
            _ => self.word(value.bits()),
        }
    }

    /// An operand as it is known: a number, or a word.
    pub fn operand(&mut self, operand: i16) -> Build<Val> {
        if operand < 0 {
            let value = self.const_value(operand)?;
            return Ok(self.of_value(&value));
        }
        let index = self.slot(operand);
        match self.state.slots[index].clone() {
            Slot::Dead => Err(Stop::No("a dead register is read")),
            Slot::Mem(_) => Ok(self.mem_word(index)),
            Slot::Now { val, .. } | Slot::Borrowed(val) => Ok(val),
            Slot::Range(..) | Slot::RangeIter(..) | Slot::Walk(..) | Slot::Tuple(..) => {
                self.own(index)?;
                Ok(self.mem_word(index))
            }
        }
    }

    /// An operand as a word that stays owned by whoever owns it.
    pub fn operand_word(&mut self, operand: i16) -> Build<Val> {
        let val = self.operand(operand)?;
        if self.graph.ty(val) == Ty::Float {
            if operand < 0 {
                let value = self.const_value(operand)?;
                return Ok(self.word(value.bits()));
            }
            let index = self.slot(operand);
            self.own(index)?;
            return Ok(self.mem_word(index));
        }
        Ok(self.boxed(val))
    }

    /// An operand as a word with a reference to give away; a temporary is consumed.
    pub fn operand_owned(&mut self, operand: i16) -> Build<Val> {
        let temporary = operand >= 0 && self.is_temporary(operand)?;
        let val = self.operand(operand)?;
        let index = if operand >= 0 { self.slot(operand) } else { 0 };
        if self.graph.ty(val) == Ty::Float {
            if temporary {
                self.give_up(index);
            }
            return Ok(self.emit(Op::BoxFloat, &[val], Some(Ty::Word), None));
        }
        let word = self.boxed(val);
        if temporary && matches!(self.state.slots[index], Slot::Mem(_)) {
            if !self.is_plain(word) {
                let unbound = self.unbound();
                self.emit(Op::StoreReg(index as u16), &[unbound], None, None);
            }
            self.set_slot(index, Slot::Dead);
            return Ok(word);
        }
        if !self.is_plain(word) {
            self.emit(Op::Inc, &[word], None, None);
        }
        if temporary {
            self.set_slot(index, Slot::Dead);
        }
        Ok(word)
    }

    /// How a register holds a value that is no heap word, or that somebody else owns.
    pub fn held(&self, val: Val) -> Slot {
        match self.graph.ty(val) {
            Ty::Word if !self.is_plain(val) => Slot::Borrowed(val),
            _ => Slot::Now { val, clean: false },
        }
    }

    /// Puts such a value into the register `a`.
    pub fn result(&mut self, a: i16, val: Val) {
        let (index, slot) = (self.slot(a), self.held(val));
        if matches!(slot, Slot::Borrowed(_)) {
            self.graph.tally.add("values borrowed, not counted", 1);
        }
        self.put(index, slot);
    }
}

//! The compiler's own intermediate form: typed values in static single assignment, blocks with parameters.
//!
//! It stands between the private form, whose instructions mean whatever their operands' types make of them, and
//! Cranelift, which knows nothing of Python. Types are known here: a guard turns a word into a number or a known object,
//! or leaves through an exit. What can be seen only at this level is done at this level (`opt.rs`); what every
//! compiler does is left to Cranelift.
//!
//! A Python int that lives in a word is kept doubled (`2n`): the word is `2n + 1`, additions overflow exactly when the
//! result does not fit a word, and a list item's address is a quarter of a multiplication away.

use crate::record::Tally;
use pellucid_interp::frame::Ret;
use pellucid_interp::quick::Quick;
use pellucid_object::protocol::{BinOp, CmpOp};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};
use std::rc::Rc;

/// Ints of less than this are added without a check, a few at a time.
pub const NEAR: i64 = 1 << 59;
/// Ints from here on do not fit a word.
pub const SMALL: i64 = 1 << 62;

/// A value: the result of an instruction, or a block's parameter. Index into [`Graph::insts`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Val(pub u32);

/// Index into [`Graph::blocks`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Block(pub u32);

/// Index into [`Graph::exits`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExitId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    /// A Python int that fits a word, doubled.
    Int,
    Float,
    Bool,
    /// Any value's word, borrowed.
    Word,
    /// Addresses, lengths, versions.
    Raw,
}

/// What part of the heap a load reads or a store writes: loads and stores of different regions never meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Region {
    /// A frame's record: does not change while its code runs.
    Frame,
    /// Types of objects, versions of types, code of functions.
    Header,
    /// Shapes of objects.
    Shape,
    /// Addresses and lengths of lists.
    List,
    /// Items of lists.
    Items,
    /// Attributes that stand in objects.
    Attrs,
    /// Entries and versions of dicts.
    Dict,
    /// State of iterators.
    Iter,
    /// Items of tuples: nothing writes there.
    Tuple,
    /// Items of arrays.
    Packed,
}

/// How an item of an array lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Machine {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    F32,
    F64,
}

impl Machine {
    /// By the type code of an array; `None` for items that need not fit a Python int of one word, and text.
    pub fn of_code(letter: char) -> Option<Machine> {
        Some(match letter {
            'b' => Machine::I8,
            'B' => Machine::U8,
            'h' => Machine::I16,
            'H' => Machine::U16,
            'i' => Machine::I32,
            'I' => Machine::U32,
            'l' | 'q' => Machine::I64,
            'f' => Machine::F32,
            'd' => Machine::F64,
            _ => return None,
        })
    }
    /// Bytes of an item, as a power of two.
    pub fn log_size(self) -> u8 {
        match self {
            Machine::I8 | Machine::U8 => 0,
            Machine::I16 | Machine::U16 => 1,
            Machine::I32 | Machine::U32 | Machine::F32 => 2,
            Machine::I64 | Machine::F64 => 3,
        }
    }
    /// What an item is in the graph.
    pub fn ty(self) -> Ty {
        if matches!(self, Machine::F32 | Machine::F64) { Ty::Float } else { Ty::Int }
    }
}

/// What an instruction does. Letters in the comments are its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A block's parameter.
    Param,
    /// A Python int.
    Int(i64),
    /// A float by its bits.
    Float(u64),
    Bool(bool),
    /// A word that somebody else owns, or that needs no owner.
    Word(u64),
    Raw(i64),
    /// The frame's record.
    Frame,
    /// The word of a register.
    LoadReg(u16),
    /// Puts a word into a register, which loses what it held without counting.
    StoreReg(u16),
    /// A word at an offset from `a`.
    Load {
        region: Region,
        offset: i32,
    },
    /// 32 bits, unsigned.
    Load32 {
        region: Region,
        offset: i32,
    },
    /// A byte.
    Load8 {
        region: Region,
        offset: i32,
    },
    Store {
        region: Region,
        offset: i32,
    },
    /// The item `b` of the items at `a`.
    Item,
    /// Item `b` of the items at `a` becomes the word `c`.
    SetItem,
    /// The item `b` of the array whose items are at `a`; takes the exit when that is no int of one word.
    ArrayItem(Machine),
    /// Item `b` of such an array becomes the number `c`; takes the exit when that does not fit.
    SetArrayItem(Machine),
    BoxInt,
    /// May make an object, which the result then owns.
    BoxFloat,
    BoxBool,
    GuardInt,
    GuardFloat,
    GuardBool,
    /// A float, be it in the word or on the heap.
    GuardAnyFloat,
    /// An int or any float, as a float that is equal to it.
    GuardNumber,
    /// An int of less than `NEAR`.
    GuardNear,
    /// A word that is no object, and one that is.
    GuardPlain,
    GuardHeap,
    /// An object whose type is at this address. `stable`: objects never change to or from this type.
    GuardType {
        ty: u64,
        stable: bool,
    },
    /// `a` is this very word.
    GuardIs(u64),
    GuardNot(u64),
    GuardTrue,
    /// The index `a`, which is within the length `b`.
    Bound,
    /// The index `a` of something of the length `b`; a negative one counts from the end.
    FromEnd,
    /// The attribute `b`, or the method, of `a` that one of the caches at this address knows; takes the exit when none does.
    KnownAttr(u64),
    KnownMethod(u64),
    /// The same for storing `c`: gives what stood there before, which nobody owns then.
    StoreKnown(u64),
    IntToFloat,
    /// A machine int to a Python one that is known to fit.
    RawToInt,
    IntAdd,
    IntSub,
    IntMul,
    /// Cannot overflow, by a guard before.
    IntAddQuick,
    IntSubQuick,
    IntNeg,
    IntFloorDiv,
    IntMod,
    IntAnd,
    IntOr,
    IntXor,
    IntShl,
    IntShr,
    FloatAdd,
    FloatSub,
    FloatMul,
    FloatDiv,
    FloatNeg,
    /// `a ** 2`; takes the exit when that is too large.
    FloatSquare,
    /// The words of two numbers, ints or floats, give that of another one, which may be a new object.
    Arith(BinOp),
    /// Two such words are compared.
    CmpNumber(CmpOp),
    CmpInt(CmpOp),
    CmpFloat(CmpOp),
    RawAdd(i64),
    /// Shifted to the right.
    RawShr(u8),
    /// The item `b` of the exact tuple `a`; takes the exit when there is none.
    TupleItem,
    /// The number of items of the exact tuple `a`, and the address of the first.
    TupleLen,
    TupleItems,
    /// `a` itself: what a guard that was shared gives.
    Itself,
    /// Two words are the same.
    Same,
    Not,
    /// Counts a reference to `a` more.
    Inc,
    /// Counts one less; the last one ends the object. When Python code ran, the exit is taken. Without an exit it is not the last.
    Dec,
    /// An instruction, index into [`Graph::steps`], done out of line on its frame's registers. True: it jumps.
    Step(u32),
    /// Makes the frame of an inlined call, index into [`Graph::sites`], whose function is `a` and, of a class that is called,
    /// whose instance is `b`.
    PushFrame(u32),
    /// Takes the innermost frame off again.
    PopFrame,
    /// A new instance of the class `a`, which the result owns; takes the exit without memory.
    Instance,
    /// A step before has written this register.
    Clobber(u16),
    /// Takes the exit when the interpreter has something to look at.
    Poll,
    /// The same where no object was made since the last time, so that no collection can be due.
    PollFlag,
    /// A new float, tuple, ... see [`New`].
    New(New),
    /// A quick function is called with words; takes the exit when it gives nothing.
    Quick(Quick),
    /// The address of a register.
    RegAddress(u16),
}

/// Objects that machine code makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum New {
    /// `a.append(b)` of an exact list; takes the exit without memory.
    Append,
    /// A range from `a` to `b` by this step, and an iterator of one. Take the exit without memory.
    Range(i64),
    RangeIter(i64),
    /// An iterator over the list or tuple `a`, whose reference it takes, from index `b` on. Takes the exit without memory.
    ListIter,
    /// The same as an enumeration, in which the first item of the list has the number `c`.
    Enumerate,
    /// A tuple of words with a reference each, which it takes over. Takes the exit without memory.
    Tuple,
}

#[derive(Clone, Debug)]
pub struct Inst {
    pub op: Op,
    pub args: Vec<Val>,
    pub ty: Option<Ty>,
    /// Where it leaves when it cannot go on.
    pub exit: Option<ExitId>,
}

#[derive(Clone, Debug, Default)]
pub struct Edge {
    pub block: Option<Block>,
    pub args: Vec<Val>,
}

#[derive(Clone, Debug, Default)]
pub enum Term {
    #[default]
    Open,
    Jump(Edge),
    Branch(Val, Edge, Edge),
    Exit(ExitId),
}

#[derive(Clone, Debug, Default)]
pub struct BlockData {
    pub params: Vec<Val>,
    pub insts: Vec<Val>,
    pub term: Term,
    /// Of a loop's first block.
    pub header: Option<Header>,
    /// For the listing: level of inlining and instruction.
    pub origin: (u32, u32),
}

/// A loop's first block.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// The block before it.
    pub before: Block,
    /// The exit that stands for the state in which the loop is entered.
    pub exit: ExitId,
}

/// How a value is put back into a register.
#[derive(Clone, Debug)]
pub enum Put {
    Val(Val),
    /// A range iterator with its next value, end and step.
    RangeIter(Val, Val, i64),
    /// A range: start, stop, step.
    Range(Val, Val, i64),
    /// An iterator over the list that the register holds, or an enumeration of it: the next index, and the number of the first
    /// item.
    Walk(Val, Option<Val>),
    /// A tuple of these.
    Tuple(Rc<[Val]>),
    /// The object that was put into this register.
    Again(u16),
}

/// An activation that was inlined, for which a frame must be made at an exit.
#[derive(Clone, Debug)]
pub struct ExitFrame {
    /// The function, a word.
    pub function: Val,
    /// The address of its code object.
    pub code: u64,
    /// First register of its window, counted from the root's.
    pub base: u16,
    /// Index of the call in the caller's form, and the register of the caller that gets the result.
    pub call: u32,
    pub dst: i16,
    /// What becomes of the value. Of a class that is called (`Ret::Init`): the instance.
    pub ret: Ret,
    pub object: Option<Val>,
    /// The frame exists already.
    pub framed: bool,
    /// The register that holds the callee, which the frame takes over, counted from the root's.
    pub callee: Option<u16>,
}

/// An inlined call for which a frame is made.
#[derive(Clone, Debug)]
pub struct Site {
    pub code: u64,
    pub base: u16,
    /// The level of the caller, its call's index, and its register for the result.
    pub caller: u32,
    pub call: u32,
    pub dst: i16,
    pub ret: Ret,
    /// The caller's code object.
    pub caller_code: u64,
}

/// An instruction done out of line.
#[derive(Clone, Copy, Debug)]
pub struct StepSite {
    /// The code object, how deep it is inlined, and the index of the instruction.
    pub code: u64,
    pub level: u32,
    pub pc: u32,
}

/// A way back to the interpreter: all that it needs and that is not in the registers.
#[derive(Clone, Debug)]
pub struct Exit {
    /// The instruction of the innermost frame's form at which it goes on.
    pub pc: u32,
    /// Frames inside the root's.
    pub frames: Vec<ExitFrame>,
    pub puts: Vec<(u16, Put)>,
    /// An item of a list that is still to be stored: the items, the index, the value, which is no heap word.
    pub item: Option<(Val, Val, Val)>,
    /// Words that die on the way: something died before them, and ran code.
    pub drops: Vec<Val>,
    pub why: &'static str,
}

impl Exit {
    /// The values it needs.
    pub fn values(&self) -> Vec<Val> {
        let mut values = Vec::new();
        for (_, put) in &self.puts {
            match put {
                Put::Val(v) => values.push(*v),
                Put::RangeIter(a, b, _) | Put::Range(a, b, _) => values.extend([*a, *b]),
                Put::Walk(index, start) => values.extend([*index].into_iter().chain(*start)),
                Put::Tuple(items) => values.extend(items.iter()),
                Put::Again(_) => {}
            }
        }
        for frame in &self.frames {
            values.push(frame.function);
            values.extend(frame.object);
        }
        if let Some((items, index, value)) = self.item {
            values.extend([items, index, value]);
        }
        values.extend(&self.drops);
        values
    }
}

/// An instruction of the private form that was built, in the place where it was inlined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The code object.
    pub code: u64,
    pub level: u32,
    pub pc: u32,
}

/// A piece of code in this form.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub insts: Vec<Inst>,
    /// Of each instruction the one of the private form that it comes from: index into `origins`.
    pub from: Vec<u32>,
    pub origins: Vec<Origin>,
    pub blocks: Vec<BlockData>,
    pub exits: Vec<Exit>,
    pub sites: Vec<Site>,
    pub steps: Vec<StepSite>,
    /// What the absolute values of ints are less than, where that is known.
    pub bounds: HashMap<Val, i64>,
    /// Sums that were seen not to be near.
    pub far: HashSet<Val>,
    /// What was done while it was built and improved, counted where it is done.
    pub tally: Tally,
}

impl Graph {
    pub fn inst(&self, val: Val) -> &Inst {
        &self.insts[val.0 as usize]
    }
    pub fn ty(&self, val: Val) -> Ty {
        self.inst(val).ty.unwrap_or(Ty::Raw)
    }
    pub fn new_block(&mut self, origin: (u32, u32)) -> Block {
        self.blocks.push(BlockData { origin, ..BlockData::default() });
        Block(self.blocks.len() as u32 - 1)
    }
    /// What is made from now on comes from this instruction.
    pub fn comes_from(&mut self, origin: Origin) {
        if self.origins.last() != Some(&origin) {
            self.origins.push(origin);
        }
    }
    /// Counts what remains to be seen of floats at the end.
    pub fn count_floats(&mut self) {
        let of = |test: &dyn Fn(&Inst) -> bool| {
            self.blocks.iter().flat_map(|b| &b.insts).filter(|v| test(self.inst(**v))).count()
        };
        use Op::{FloatAdd, FloatDiv, FloatMul, FloatNeg, FloatSquare, FloatSub};
        let results =
            of(&|inst| matches!(inst.op, FloatAdd | FloatSub | FloatMul | FloatDiv | FloatNeg | FloatSquare));
        let boxed = of(&|inst| inst.op == Op::BoxFloat);
        self.tally.add("floats computed", results);
        self.tally.add("floats boxed", boxed);
    }
    /// Where a value comes from.
    pub fn origin(&self, val: Val) -> Option<Origin> {
        self.origins.get(*self.from.get(val.0 as usize)? as usize).copied()
    }
    /// `new` was made in place of `old`, or for it.
    pub fn inherits(&mut self, new: Val, old: Val) {
        self.from[new.0 as usize] = self.from[old.0 as usize];
    }
    pub fn block(&mut self, block: Block) -> &mut BlockData {
        &mut self.blocks[block.0 as usize]
    }
    /// A value that is in no block yet.
    pub fn value(&mut self, inst: Inst) -> Val {
        self.insts.push(inst);
        self.from.push(self.origins.len().saturating_sub(1) as u32);
        Val(self.insts.len() as u32 - 1)
    }
    pub fn param(&mut self, block: Block, ty: Ty) -> Val {
        let val = self.value(Inst { op: Op::Param, args: Vec::new(), ty: Some(ty), exit: None });
        self.block(block).params.push(val);
        val
    }
    /// What an int's absolute value is less than.
    pub fn bound(&self, val: Val) -> Option<i64> {
        match self.as_int(val) {
            Some(n) => n.checked_abs().map(|n| n + 1),
            None => self.bounds.get(&val).copied(),
        }
    }
    /// The int, when the value is a constant.
    pub fn as_int(&self, val: Val) -> Option<i64> {
        match self.inst(val).op {
            Op::Int(n) => Some(n),
            _ => None,
        }
    }
}

impl Op {
    /// Whether it only computes: it may be moved, merged and left out.
    pub fn is_pure(self) -> bool {
        use Op::*;
        let depends = matches!(
            self,
            Param
                | LoadReg(_)
                | Load { .. }
                | Load32 { .. }
                | Load8 { .. }
                | Item
                | ArrayItem(_)
                | BoxFloat
                | KnownAttr(_)
                | KnownMethod(_)
        );
        !depends && !self.has_effect()
    }
    /// What it reads that a store may change.
    pub fn reads(self) -> Option<Region> {
        match self {
            Op::Load { region, .. } | Op::Load32 { region, .. } | Op::Load8 { region, .. } => Some(region),
            Op::Item => Some(Region::Items),
            Op::ArrayItem(_) => Some(Region::Packed),
            Op::GuardType { stable: false, .. } => Some(Region::Header),
            _ => None,
        }
    }
    /// Whether it changes something.
    pub fn has_effect(self) -> bool {
        use Op::*;
        matches!(
            self,
            StoreReg(_)
                | Store { .. }
                | SetItem
                | StoreKnown(_)
                | SetArrayItem(_)
                | Inc
                | Dec
                | Step(_)
                | PushFrame(_)
                | PopFrame
                | Instance
                | Arith(_)
                | Clobber(_)
                | Poll
                | PollFlag
                | New(_)
                | Quick(_)
        )
    }
}

impl Inst {
    /// Whether it must stay though nobody uses its value: it has an effect, or where it leaves something is raised or the
    /// types are others than those that the code behind is made for. A sum that overflows and is not used does neither.
    pub fn is_needed(&self) -> bool {
        let may_go = matches!(self.op, Op::IntAdd | Op::IntSub | Op::IntMul | Op::IntNeg);
        self.op.has_effect() || self.exit.is_some() && !may_go
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

fn list(values: &[Val]) -> String {
    values.iter().map(Val::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&mut |word| format!("{word:#x}")))
    }
}

impl Graph {
    /// The text form; `name` words addresses, versions and whatever else differs from run to run.
    ///
    /// Behind the blocks stand the exits: the instruction at which the interpreter goes on, the reason, the frames that are made
    /// for inlined calls, and what is put into registers.
    pub fn text(&self, name: &mut dyn FnMut(u64) -> String) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out, name);
        out
    }

    fn write(&self, f: &mut String, name: &mut dyn FnMut(u64) -> String) -> fmt::Result {
        for (index, block) in self.blocks.iter().enumerate() {
            let params: Vec<String> =
                block.params.iter().map(|p| format!("{p}: {:?}", self.ty(*p))).collect();
            let loops = if block.header.is_some() { " loop" } else { "" };
            let (level, pc) = block.origin;
            writeln!(f, "b{index}({}):{loops}  ; {level}:{pc}", params.join(", "))?;
            for val in &block.insts {
                let inst = self.inst(*val);
                let mut line = String::from("    ");
                if let Some(ty) = inst.ty {
                    write!(line, "{val}: {ty:?} = ")?;
                }
                write!(line, "{} {}", self.op_text(inst, name), list(&inst.args))?;
                if let Some(exit) = inst.exit {
                    write!(line, " or x{}", exit.0)?;
                }
                writeln!(f, "{}", line.trim_end())?;
            }
            let edge = |e: &Edge| format!("b{}({})", e.block.map_or(9999, |b| b.0), list(&e.args));
            match &block.term {
                Term::Open => writeln!(f, "    open")?,
                Term::Jump(e) => writeln!(f, "    jump {}", edge(e))?,
                Term::Branch(v, a, b) => writeln!(f, "    if {v} {} else {}", edge(a), edge(b))?,
                Term::Exit(x) => writeln!(f, "    exit x{}", x.0)?,
            }
        }
        for (index, exit) in self.exits.iter().enumerate() {
            let mut parts = vec![format!("x{index}: to {} ({})", exit.pc, exit.why)];
            parts.extend(exit.frames.iter().map(|frame| format!("in {}", name(frame.code))));
            let puts: Vec<String> = exit.puts.iter().map(|(r, p)| format!("r{r} = {}", p.text())).collect();
            parts.extend((!puts.is_empty()).then(|| puts.join(", ")));
            if let Some((items, at, val)) = exit.item {
                parts.push(format!("item {at} of {items} = {val}"));
            }
            parts.extend((!exit.drops.is_empty()).then(|| format!("dies {}", list(&exit.drops))));
            writeln!(f, "{}", parts.join(" "))?;
        }
        Ok(())
    }
}

impl Graph {
    fn op_text(&self, inst: &Inst, name: &mut dyn FnMut(u64) -> String) -> String {
        let raw = inst.args.first().is_some_and(|arg| self.ty(*arg) == Ty::Raw);
        let mut number = |n: u64, raw: bool| if raw && n < NAMELESS { n.to_string() } else { name(n) };
        match inst.op {
            Op::Word(bits) => format!("Word {}", number(bits, false)),
            Op::Raw(n) => format!("Raw {}", number(n as u64, true)),
            Op::Float(bits) => format!("Float {:?}", f64::from_bits(bits)),
            Op::Int(n) => format!("Int {n}"),
            Op::Bool(b) => format!("Bool {b}"),
            Op::LoadReg(reg) => format!("Load r{reg}"),
            Op::StoreReg(reg) => format!("Store r{reg}"),
            Op::Clobber(reg) => format!("Clobber r{reg}"),
            Op::Load { region, offset } => format!("Load {region:?}+{offset}"),
            Op::Load32 { region, offset } => format!("Load32 {region:?}+{offset}"),
            Op::Store { region, offset } => format!("Store {region:?}+{offset}"),
            Op::GuardType { ty, .. } => format!("GuardType {}", number(ty, false)),
            Op::GuardIs(bits) => format!("GuardIs {}", number(bits, raw)),
            Op::GuardNot(bits) => format!("GuardNot {}", number(bits, raw)),
            // The address of their caches says nothing.
            Op::KnownAttr(_) => "KnownAttr".to_string(),
            Op::KnownMethod(_) => "KnownMethod".to_string(),
            Op::StoreKnown(_) => "StoreKnown".to_string(),
            op => format!("{op:?}"),
        }
    }
}

/// From here on a raw number is an address or a version.
const NAMELESS: u64 = 10;

impl Put {
    fn text(&self) -> String {
        match self {
            Put::Val(val) => val.to_string(),
            Put::Range(start, stop, step) => format!("range({start}, {stop}, {step})"),
            Put::RangeIter(next, stop, step) => format!("iter(range({next}, {stop}, {step}))"),
            Put::Walk(index, None) => format!("iterator at {index}"),
            Put::Walk(index, Some(start)) => format!("enumeration at {index} from {start}"),
            Put::Tuple(items) => format!("({})", list(items)),
            Put::Again(register) => format!("r{register}"),
        }
    }
}

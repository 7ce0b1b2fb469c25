//! The private form of a code object: what the interpreter runs.

use crate::hot::{Heat, Loop, Native, Seen};
use crate::ops::Op;
use std::cell::{Cell, OnceCell, RefCell};

/// One instruction; see [`Op`] for what the operands mean.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    pub op: Op,
    /// Which operands are temporaries, which are consumed: `TEMP_A`, `TEMP_B`, `TEMP_C`.
    pub temps: u8,
    pub a: i16,
    pub b: i16,
    pub c: i16,
    /// Of a jump forwards the index of its target, of one backwards that of its loop.
    pub d: u32,
    /// Of an instruction with a cache, which one; of a jump, how far its target lies ahead, in bytes.
    pub e: u32,
}
/// In [`Instr::temps`]: operand `a` is a temporary, and so on.
pub const TEMP_A: u8 = 1;
pub const TEMP_B: u8 = 2;
pub const TEMP_C: u8 = 4;

impl Instr {
    /// An instruction of which nothing is known beyond its operands.
    pub fn new(op: Op, a: i16, b: i16, c: i16, d: u32) -> Instr {
        Instr { op, temps: 0, a, b, c, d, e: 0 }
    }
}

// The loop advances by this size.
const _: () = assert!(size_of::<Instr>() == 16);

/// An inline cache: what its instruction has learnt. Which fields mean what stands with the instruction's handler;
/// all zero means that nothing is known.
#[derive(Default, Debug)]
pub struct Cache {
    /// A type version or a keys version.
    pub version: Cell<u64>,
    /// A shape's address, or a second version.
    pub shape: Cell<u64>,
    /// A borrowed value's word, or an index.
    pub value: Cell<u64>,
    /// What kind of thing was learnt.
    pub kind: Cell<u16>,
    /// Which word of an object is to be `shape`: its offset in bytes.
    pub place: Cell<u16>,
    /// An index, or the offset of another word.
    pub index: Cell<u32>,
    /// How often something else was to be learnt.
    pub retired: Cell<u16>,
    /// What was learnt before: the instruction sees objects of several types.
    pub others: OnceCell<Box<[Cache; OTHERS]>>,
}

/// How much of what an instruction has learnt is kept beside the last.
pub const OTHERS: usize = 3;
/// After so many changes most are not learnt any more.
const RESTLESS: u16 = 64;

impl Cache {
    /// Keeps what was learnt, for something else is to be learnt now. False: that is not worth it, for it changes all the
    /// time, or nothing can be learnt here.
    pub fn retire(&self) -> bool {
        let retired = self.retired.get();
        self.retired.set(retired.wrapping_add(1));
        if retired >= RESTLESS && !retired.is_multiple_of(RESTLESS) {
            return false;
        }
        if self.kind.get() == 0 {
            return true;
        }
        let others = self.others.get_or_init(Box::default);
        let same = |c: &&Cache| c.version.get() == self.version.get() && c.shape.get() == self.shape.get();
        let free = others.iter().find(same).or_else(|| others.iter().find(|c| c.kind.get() == 0));
        let to = free.unwrap_or(&others[usize::from(retired) % OTHERS]);
        to.version.set(self.version.get());
        to.shape.set(self.shape.get());
        to.value.set(self.value.get());
        to.place.set(self.place.get());
        to.index.set(self.index.get());
        to.kind.set(self.kind.replace(0));
        true
    }

    /// Everything that is known, the last first.
    pub fn entries(&self) -> impl Iterator<Item = &Cache> {
        let others = self.others.get().into_iter().flat_map(|others| others.iter());
        std::iter::once(self).chain(others).filter(|c| c.kind.get() != 0)
    }
}

/// A block that is open at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Exceptions go to instruction `target`, temporaries from `level` on being dropped.
    Try { target: u32, level: u16 },
    /// An exception is being handled: what was handled before stands at `level`.
    Handler { level: u16 },
}

/// An entry of the chains of open blocks: the innermost block and the entry of those around it, plus one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenBlock {
    pub block: Block,
    pub outer: u16,
}

/// A comprehension in the code: it runs as part of its function, for which no function object is made.
#[derive(Debug)]
pub struct Comprehension {
    /// Its code: index of a constant.
    pub code: u32,
    /// The registers of the cells that it shares.
    pub cells: Box<[i16]>,
}

/// A code object translated.
pub struct Form {
    pub instrs: Box<[Instr]>,
    pub caches: Box<[Cache]>,
    pub comprehensions: Box<[Comprehension]>,
    /// For each instruction the byte offset in the wordcode.
    pub offsets: Box<[u32]>,
    /// For each instruction the innermost open block: index into `blocks` plus one, 0 for none.
    pub open: Box<[u16]>,
    pub blocks: Box<[OpenBlock]>,
    /// Number of local variables.
    pub nlocals: u16,
    /// Number of cell variables, which follow the locals.
    pub ncells: u16,
    /// Number of free variables, which follow the cells.
    pub nfrees: u16,
    /// Index of the first temporary.
    pub first_temp: u16,
    /// Registers of a window.
    pub nregs: u16,
    pub argcount: u16,
    /// Neither keyword-only parameters nor stars.
    pub positional: bool,
    /// That, and no cells, no free variables: `argcount` arguments are bound where they stand.
    pub plain: bool,
    /// Plain, and no generator: a call with `argcount` arguments only has to make a window.
    pub simple: bool,
    /// No generator, no keyword-only parameters and no cells: a call without keywords needs no look at the code.
    pub quick: bool,
    /// There is a parameter for surplus arguments.
    pub star: bool,
    /// There is one for surplus keywords.
    pub double_star: bool,
    /// A call makes a generator, coroutine or asynchronous generator.
    pub generator: bool,
    /// For each cell variable the parameter of the same name, or -1.
    pub cell_params: Box<[i16]>,
    /// Of a form with events in it: where they stand.
    pub woven: Option<Box<crate::instrument::weave::Woven>>,
    /// The targets of backward jumps, whose `e` is the index here.
    pub loops: Box<[Loop]>,
    /// How often it was called.
    pub calls: Heat,
    /// What each instruction was seen to work on, once that was asked.
    pub seen: OnceCell<Box<[Seen]>>,
    /// The period in which it was last observed.
    pub period: Cell<u32>,
    /// Machine code made of this.
    pub natives: RefCell<Vec<Box<dyn Native>>>,
}

impl Form {
    /// Which instruction `instr` is.
    #[inline]
    pub fn index_of(&self, instr: *const Instr) -> usize {
        (instr as usize).wrapping_sub(self.instrs.as_ptr() as usize) / size_of::<Instr>()
    }

    /// The index of the instruction to which that at `at`, a jump, jumps.
    pub fn target(&self, at: usize) -> usize {
        let ahead = self.instrs[at].e as i32 as isize / size_of::<Instr>() as isize;
        at.wrapping_add_signed(ahead)
    }

    /// What each instruction was seen to work on.
    pub fn seen(&self) -> &[Seen] {
        self.seen.get_or_init(|| self.instrs.iter().map(|_| Seen::default()).collect())
    }

    /// The wordcode offset of an instruction.
    pub fn offset_of(&self, instr: *const Instr) -> u32 {
        self.offsets.get(self.index_of(instr)).copied().unwrap_or(0)
    }
}

//! What is known at a point of the code while the graph is built.

use crate::ir::{Block, Op, Region, Ty, Val};
use pellucid_interp::code::CodeObject;
use pellucid_interp::frame::Ret;
use pellucid_object::Value;
use std::collections::HashMap;
use std::rc::Rc;

/// Where the value of a register is.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// Nothing live; memory holds no heap word.
    Dead,
    /// Memory owns the word; here it is, if it was read.
    Mem(Option<Val>),
    /// The value, which is no heap word. Memory holds no heap word, and, with `clean`, this very word.
    Now { val: Val, clean: bool },
    /// A word that somebody else owns for now. Memory holds no heap word.
    Borrowed(Val),
    /// A range that was not made: start, stop, step.
    Range(Val, Val, i64),
    /// An iterator over a range that was not made: next value, stop, step.
    RangeIter(Val, Val, i64),
    /// An iterator over a list that was not made; memory owns the list in its place. The list, the index of the next item and, if
    /// that is an enumeration, the number of the first one.
    Walk(Val, Val, Option<Val>),
    /// A tuple that was not made: its number, as several registers may hold it, and its items, numbers or words that somebody
    /// else owns.
    Tuple(u32, Rc<[Val]>),
}

impl Slot {
    /// Whether it stands for an object that was not made.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Slot::Range(..) | Slot::RangeIter(..) | Slot::Walk(..) | Slot::Tuple(..))
    }
    /// The same in another register, whose memory does not hold the word.
    pub fn moved(self) -> Slot {
        match self {
            Slot::Now { val, .. } => Slot::Now { val, clean: false },
            slot => slot,
        }
    }
}

/// An activation: the root's, or one that was inlined.
pub struct Activation {
    /// Its code object.
    pub code: Value,
    /// First register, counted from the root's.
    pub base: usize,
    pub level: u32,
    /// Of an inlined one.
    pub call: Option<CallSite>,
}

impl Activation {
    pub fn code(&self) -> Option<&CodeObject> {
        self.code.downcast::<CodeObject>()
    }
}

#[derive(Clone, Debug)]
pub struct CallSite {
    pub function: Val,
    /// Index of the call in the caller's form, and the caller's register for the result.
    pub pc: u32,
    pub dst: i16,
    /// What becomes of the value. Of a class that is called (`Ret::Init`): the instance.
    pub ret: Ret,
    pub object: Option<Val>,
    /// The call has a frame of its own.
    pub framed: bool,
    /// The register that holds the callee, counted from the root's.
    pub callee: Option<usize>,
}

/// Which copy of the code is built: inlined calls and unrolled turns nest.
pub struct Context {
    /// Where it stands in the order in which code is built.
    pub prefix: Vec<u32>,
    pub activation: Rc<Activation>,
    pub kind: ContextKind,
    pub parent: Option<Rc<Context>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextKind {
    Root,
    /// A turn of an unrolled loop from instruction `header` to `last`.
    Turn {
        header: u32,
        last: u32,
        turn: u32,
    },
    Inlined,
}

/// The order of code: what is before comes first.
pub type Key = Vec<u32>;

/// A fact: an operation on arguments whose result is known.
pub type FactKey = (Op, Val, Option<Val>);

#[derive(Clone)]
pub struct State {
    pub slots: Vec<Slot>,
    /// Loads and guards that hold here.
    pub facts: Rc<HashMap<FactKey, Val>>,
    /// An item of a list that is not stored yet: the items, the index, the value, which like the one before it is no heap word.
    pub item: Option<(Val, Val, Val)>,
}

impl State {
    pub fn fact(&self, op: Op, a: Val, b: Option<Val>) -> Option<Val> {
        self.facts.get(&(op, a, b)).copied()
    }
    pub fn learn(&mut self, op: Op, a: Val, b: Option<Val>, result: Val) {
        Rc::make_mut(&mut self.facts).insert((op, a, b), result);
    }
    /// Something wrote to a region.
    pub fn forget(&mut self, region: Region) {
        if self.facts.keys().any(|(op, _, _)| op.reads() == Some(region)) {
            Rc::make_mut(&mut self.facts).retain(|(op, _, _), _| op.reads() != Some(region));
        }
    }
    /// Unknown code ran.
    pub fn forget_memory(&mut self) {
        Rc::make_mut(&mut self.facts).retain(|(op, _, _), _| {
            op.reads().is_none_or(|region| matches!(region, Region::Frame | Region::Tuple))
        });
    }
    /// What holds in both.
    pub fn meet_facts(&mut self, other: &State) {
        if Rc::ptr_eq(&self.facts, &other.facts) {
            return;
        }
        let others = &other.facts;
        Rc::make_mut(&mut self.facts).retain(|key, val| others.get(key) == Some(val));
    }
}

/// Control that waits to go on at an instruction.
pub struct Pending {
    pub context: Rc<Context>,
    pub pc: u32,
    /// Blocks that lead there, open, and what is known at their ends.
    pub edges: Vec<(Block, State)>,
}

/// A loop whose first block was built.
#[derive(Clone)]
pub struct Header {
    pub block: Block,
    pub slots: Vec<Slot>,
    /// The registers that are parameters of the block, in order.
    pub params: Vec<(usize, Ty)>,
}

//! The flow graph of one code object, and the optimiser that works on it.
//!
//! Instructions are in basic blocks: a jump, return or raise ends one. Blocks have two orders, which CPython's optimiser
//! depends on: the order in which they were made (`BlockId`), and the order of the code (`next`). The passes here, and
//! the order they run in, are those of 3.10.

mod optimize;

use crate::place::Place;
use pellucid_bytecode::Op;

/// The number of a block: blocks are numbered as they are made.
pub type BlockId = usize;

/// An instruction before it has an offset.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    /// The opcode.
    pub op: Op,
    /// Its argument, unless it is a jump.
    pub arg: u32,
    /// The block a jump goes to.
    pub target: Option<BlockId>,
    /// Where it comes from.
    pub place: Place,
}

impl Instr {
    /// Whether it goes elsewhere, or arranges that exceptions do.
    fn is_jump(&self) -> bool {
        self.target.is_some()
    }

    fn is_unconditional_jump(&self) -> bool {
        matches!(self.op, Op::JumpAbsolute | Op::JumpForward)
    }

    /// Whether it goes elsewhere on its own, not in case of an exception.
    fn is_real_jump(&self) -> bool {
        self.is_jump() && !matches!(self.op, Op::SetupFinally | Op::SetupWith | Op::SetupAsyncWith)
    }

    fn leaves(&self) -> bool {
        matches!(self.op, Op::ReturnValue | Op::RaiseVarargs | Op::Reraise)
    }
}

/// Instructions that run one after the other.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The instructions.
    pub instrs: Vec<Instr>,
    /// The block that follows in the code.
    pub next: Option<BlockId>,
    /// It ends in a return or raise.
    exit: bool,
    /// The end is not reached.
    no_fallthrough: bool,
    predecessors: u32,
    /// A block further on: this one and those up to it are empty, and stay so.
    skip: Option<BlockId>,
}

/// The blocks of one code object; the first is where it starts.
#[derive(Debug)]
pub struct Graph {
    blocks: Vec<Block>,
    current: BlockId,
}

/// The constants that instructions refer to.
pub trait ConstTable {
    /// Whether a constant is true.
    fn truth(&self, index: u32) -> bool;
    /// The index of the tuple of these constants.
    fn tuple(&mut self, items: &[u32]) -> u32;
    /// Forgets all constants from an index on.
    fn truncate(&mut self, len: usize);
}

impl Default for Graph {
    fn default() -> Graph {
        Graph { blocks: vec![Block::default()], current: 0 }
    }
}

/// Where the code starts.
pub const ENTRY: BlockId = 0;

impl Graph {
    /// A block that is not yet part of the code.
    pub fn new_block(&mut self) -> BlockId {
        self.blocks.push(Block::default());
        self.blocks.len() - 1
    }

    /// Continues in a block, which follows the current one.
    pub fn use_next(&mut self, block: BlockId) {
        self.blocks[self.current].next = Some(block);
        self.current = block;
    }

    /// Continues in a new block.
    pub fn start_block(&mut self) {
        let block = self.new_block();
        self.use_next(block);
    }

    /// Appends an instruction.
    pub fn push(&mut self, instr: Instr) {
        let ends = |i: &Instr| i.is_jump() || i.leaves();
        if self.blocks[self.current].instrs.last().is_some_and(ends) {
            self.start_block();
        }
        self.blocks[self.current].instrs.push(instr);
    }

    /// Puts instructions in front of all others.
    pub fn prepend(&mut self, instrs: Vec<Instr>) {
        self.blocks[ENTRY].instrs.splice(0..0, instrs);
    }

    /// Whether the code so far ends in a return.
    pub fn ends_in_return(&self) -> bool {
        self.blocks[self.current].instrs.last().is_some_and(|i| i.op == Op::ReturnValue)
    }

    /// The line of the first instruction, if it is there and has one.
    pub fn first_line(&self) -> Option<u32> {
        let line = self.blocks[ENTRY].instrs.first()?.place.line;
        u32::try_from(line).ok().filter(|&line| line > 0)
    }

    /// The blocks in the order of the code.
    pub fn in_order(&self) -> impl Iterator<Item = &Block> {
        self.order().map(|id| &self.blocks[id])
    }

    /// The block of a number.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id]
    }

    /// The blocks in the order of the code.
    pub fn order(&self) -> impl Iterator<Item = BlockId> + '_ {
        std::iter::successors(Some(ENTRY), |&id| self.blocks[id].next)
    }

    /// The most values on the stack at once. `None`: the ways to a block disagree, which is a bug of the compiler.
    pub fn stack_depth(&self, start: u32) -> Option<u32> {
        let mut depths: Vec<Option<i64>> = vec![None; self.blocks.len()];
        let mut most = i64::from(start);
        let mut todo = vec![ENTRY];
        depths[ENTRY] = Some(most);
        let mut reach = |id: BlockId, depth: i64, todo: &mut Vec<BlockId>| match depths[id] {
            Some(known) => debug_assert_eq!(known, depth, "stack depth at a join"),
            None => {
                depths[id] = Some(depth);
                todo.push(id);
            }
        };
        let mut starts = vec![i64::from(start); 1];
        while let (Some(id), Some(mut depth)) = (todo.pop(), starts.pop()) {
            let block = &self.blocks[id];
            let mut falls = true;
            for instr in &block.instrs {
                if let Some(target) = instr.target {
                    let there = depth + i64::from(instr.op.stack_effect(instr.arg, Some(true)));
                    most = most.max(there);
                    let before = todo.len();
                    reach(target, there, &mut todo);
                    if todo.len() > before {
                        starts.push(there);
                    }
                }
                depth += i64::from(instr.op.stack_effect(instr.arg, Some(false)));
                most = most.max(depth);
                if depth < 0 {
                    return None;
                }
                if instr.leaves() || instr.is_unconditional_jump() {
                    falls = false;
                    break;
                }
            }
            if let (true, Some(next)) = (falls, block.next) {
                let before = todo.len();
                reach(next, depth, &mut todo);
                if todo.len() > before {
                    starts.push(depth);
                }
            }
        }
        u32::try_from(most).ok()
    }
}

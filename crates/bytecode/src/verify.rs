//! Whether code from outside is safe to run.
//!
//! Every way through the code is followed once. Checked are the shape of instructions, the ranges of
//! arguments, the jumps, and that every instruction is reached with one stack depth and one block
//! stack, the depth staying between what open blocks rely on and `stacksize`. What kinds of values
//! are on the stack is not checked: that the interpreter does as it takes them.

use crate::code::{Code, Const, flags};
use crate::decode::{Instr, instrs};
use crate::ops::{COMPARE, Intrinsic, Op, Operand};
use std::fmt;

/// The most blocks open at once.
pub const MAX_BLOCKS: usize = 40;

/// The largest `stacksize` that is accepted.
pub const MAX_STACK: u32 = 1 << 24;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The code is empty, too long, or half of an instruction is missing.
    Length,
    /// More parameters than local variables, or a stack beyond [`MAX_STACK`].
    Header,
    /// A number that is no opcode.
    UnknownOp,
    /// An `EXTENDED_ARG` too much, or in front of nothing it could extend.
    Prefix,
    /// An argument out of its range.
    Argument,
    /// A jump to where no instruction starts.
    Jump,
    /// The code ends without a return, raise or jump.
    End,
    /// Values are taken that are not there, or that an open block relies on.
    Underflow,
    /// More values than `stacksize`.
    Overflow,
    /// Two ways to an instruction differ in their stack or blocks.
    Inconsistent,
    /// Blocks are too deep, or closed in the wrong way.
    Block,
    /// A yield outside of a generator.
    Yield,
}

/// What is wrong, and at which offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub problem: Problem,
    /// Offset of the instruction.
    pub offset: u32,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid bytecode at offset {}: {:?}", self.offset, self.problem)
    }
}

impl std::error::Error for Error {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Try(i64),
    Handler(i64),
}

impl Block {
    /// The values it relies on: a handler on the three of the exception handled before, too.
    fn floor(self) -> i64 {
        match self {
            Block::Try(level) => level,
            Block::Handler(level) => level + 3,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
struct State {
    depth: i64,
    blocks: Vec<Block>,
}

/// How many values an instruction looks at, and how many of these it takes off before it may raise.
fn takes(op: Op, arg: u32) -> (i64, i64) {
    use Op::*;
    let n = i64::from(arg);
    let effect = i64::from(op.stack_effect(arg, Some(false)));
    let both = |n| (n, n);
    match op {
        DupTop => (1, 0),
        DupTopTwo | RotTwo | MatchKeys => (2, 0),
        RotThree => (3, 0),
        RotFour => (4, 0),
        RotN => (n, 0),
        GetLen | MatchMapping | MatchSequence | GetAnext | ImportFrom | SetupAsyncWith => (1, 0),
        CopyDictWithoutKeys => (2, 1),
        WithExceptStart => (7, 0),
        JumpIfFalseOrPop | JumpIfTrueOrPop | ForIter => (1, 1),
        ListAppend | SetAdd | ListExtend | SetUpdate | DictUpdate => (n + 1, 1),
        DictMerge | MapAdd => (n + 2, if op == MapAdd { 2 } else { 1 }),
        PopExcept => (3, 0),
        EndAsyncFor => (7, 3),
        Nop | SetupAnnotations | PopBlock | JumpForward | JumpAbsolute | SetupFinally | DeleteName
        | DeleteGlobal | DeleteFast | DeleteDeref | ExtendedArg => both(0),
        PopTop | PrintExpr | ReturnValue | ImportStar | StoreSubscr | DeleteSubscr | StoreName
        | StoreAttr | DeleteAttr | StoreGlobal | StoreFast | StoreDeref | PopJumpIfFalse | PopJumpIfTrue
        | JumpIfNotExcMatch | RaiseVarargs | Reraise | GenStart => both(-effect),
        CheckEgMatch => both(2),
        MatchClass => both(3),
        BeforeAsyncWith | LoadMethod | UnpackSequence | UnpackEx | SetupWith => both(1),
        // All others push one result.
        _ => both(1 - effect),
    }
}

fn argument_in_range(code: &Code, op: Op, arg: u32) -> bool {
    let index = arg as usize;
    match op.operand() {
        Operand::Const => return index < code.consts.len(),
        Operand::Name => return index < code.names.len(),
        Operand::Local => return index < code.varnames.len(),
        Operand::Cell => return index < code.cellvars.len() + code.freevars.len(),
        Operand::Compare => return index < COMPARE.len(),
        Operand::None | Operand::JumpRelative | Operand::JumpAbsolute => return true,
        Operand::Raw => {}
    }
    match op {
        Op::IsOp | Op::ContainsOp | Op::CallFunctionEx | Op::Reraise => arg <= 1,
        Op::RaiseVarargs | Op::GenStart => arg <= 2,
        Op::FormatValue => arg <= 7,
        Op::MakeFunction => arg <= 15,
        Op::BuildSlice => arg == 2 || arg == 3,
        Op::BuildInterpolation => arg >> 2 <= 3 && arg & 2 == 0,
        Op::Intrinsic1 => Intrinsic::from_arg(arg).is_some_and(|i| i.arity() == 1),
        Op::Intrinsic2 => Intrinsic::from_arg(arg).is_some_and(|i| i.arity() == 2),
        Op::ListAppend | Op::SetAdd | Op::MapAdd | Op::ListExtend | Op::SetUpdate | Op::DictMerge => arg > 0,
        Op::DictUpdate => arg > 0,
        _ => arg < 1 << 28,
    }
}

/// Checks the code and all code among its constants.
pub fn verify(code: &Code) -> Result<(), Error> {
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        verify_one(code)?;
        let mut lists: Vec<&[Const]> = vec![&code.consts];
        while let Some(list) = lists.pop() {
            for c in list {
                match c {
                    Const::Code(inner) => todo.push(inner),
                    Const::Tuple(items) | Const::FrozenSet(items) => lists.push(items),
                    Const::Slice(items) => lists.push(&items[..]),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Checks the code without that among its constants.
pub fn verify_one(code: &Code) -> Result<(), Error> {
    let fail = |problem, offset| Err(Error { problem, offset });
    let bytes = &code.code;
    if bytes.is_empty() || !bytes.len().is_multiple_of(2) || bytes.len() > 1 << 30 {
        return fail(Problem::Length, 0);
    }
    let stars = u64::from(code.flags & flags::VARARGS != 0) + u64::from(code.flags & flags::VARKEYWORDS != 0);
    let parameters = u64::from(code.argcount) + u64::from(code.kwonlyargcount) + stars;
    if parameters > code.varnames.len() as u64
        || code.posonlyargcount > code.argcount
        || code.stacksize > MAX_STACK
    {
        return fail(Problem::Header, 0);
    }
    let all: Vec<Instr> = instrs(bytes).collect();
    let mut prefixes = 0;
    // Whether an instruction starts here that is no second half of a prefixed one.
    let mut starts = Vec::with_capacity(all.len());
    for i in &all {
        let Some(op) = i.op() else { return fail(Problem::UnknownOp, i.offset) };
        starts.push(prefixes == 0);
        if op == Op::ExtendedArg {
            prefixes += 1;
            if prefixes > 3 {
                return fail(Problem::Prefix, i.offset);
            }
            continue;
        }
        if prefixes > 0 && !op.has_arg() {
            return fail(Problem::Prefix, i.offset);
        }
        prefixes = 0;
        if !argument_in_range(code, op, i.arg) {
            return fail(Problem::Argument, i.offset);
        }
    }
    for i in &all {
        if let Some(target) = i.target()
            && !usize::try_from(target / 2).is_ok_and(|t| starts.get(t) == Some(&true))
        {
            return fail(Problem::Jump, i.offset);
        }
    }
    let generator = code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
    let mut states: Vec<Option<State>> = vec![None; all.len()];
    // A generator starts with the value first sent into it.
    states[0] = Some(State { depth: i64::from(generator), blocks: Vec::new() });
    if i64::from(generator) > i64::from(code.stacksize) {
        return fail(Problem::Overflow, 0);
    }
    let mut todo = vec![0];
    while let Some(index) = todo.pop() {
        let (instr, Some(state)) = (all[index], states[index].clone()) else { continue };
        let Some(op) = instr.op() else { continue };
        let offset = instr.offset;
        if matches!(op, Op::YieldValue | Op::YieldFrom) && !generator {
            return fail(Problem::Yield, offset);
        }
        for (jump, state) in step(op, instr.arg, state).map_err(|problem| Error { problem, offset })? {
            if state.depth > i64::from(code.stacksize) {
                return fail(Problem::Overflow, offset);
            }
            let next = match instr.target() {
                Some(target) if jump => (target / 2) as usize,
                _ => index + 1,
            };
            match states.get_mut(next) {
                None => return fail(Problem::End, offset),
                Some(Some(known)) if *known != state => return fail(Problem::Inconsistent, all[next].offset),
                Some(Some(_)) => {}
                Some(unknown) => {
                    *unknown = Some(state);
                    todo.push(next);
                }
            }
        }
    }
    Ok(())
}

/// The states behind an instruction, and whether it is a jump that leads there.
fn step(op: Op, arg: u32, state: State) -> Result<Vec<(bool, State)>, Problem> {
    let floor = state.blocks.last().map_or(0, |b| b.floor());
    let (reads, pops) = takes(op, arg);
    if state.depth < reads || state.depth - pops < floor {
        return Err(Problem::Underflow);
    }
    let ways: &[bool] = match op {
        Op::ReturnValue if state.depth != 1 || !state.blocks.is_empty() => return Err(Problem::Block),
        Op::Reraise if arg != 0 && state.blocks.is_empty() => return Err(Problem::Block),
        Op::ReturnValue | Op::RaiseVarargs | Op::Reraise => &[],
        Op::JumpForward | Op::JumpAbsolute => &[true],
        op if op.is_jump() => &[false, true],
        _ => &[false],
    };
    let mut out = Vec::with_capacity(2);
    for &jump in ways {
        let mut blocks = state.blocks.clone();
        let depth = state.depth + i64::from(op.stack_effect(arg, Some(jump)));
        match op {
            Op::SetupFinally | Op::SetupWith | Op::SetupAsyncWith => {
                let level = state.depth + i64::from(op.stack_effect(arg, Some(true))) - 6;
                blocks.push(if jump { Block::Handler(level) } else { Block::Try(level) });
                if blocks.len() > MAX_BLOCKS {
                    return Err(Problem::Block);
                }
            }
            Op::PopBlock => match blocks.pop() {
                Some(Block::Try(_)) => {}
                _ => return Err(Problem::Block),
            },
            Op::PopExcept | Op::EndAsyncFor => match blocks.pop() {
                Some(Block::Handler(_)) => {}
                _ => return Err(Problem::Block),
            },
            _ => {}
        }
        if depth < blocks.last().map_or(0, |b| b.floor()) {
            return Err(Problem::Underflow);
        }
        out.push((jump, State { depth, blocks }));
    }
    Ok(out)
}

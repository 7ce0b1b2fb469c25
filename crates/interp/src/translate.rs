//! From wordcode to the private form, by abstract interpretation of the value stack.
//!
//! A stack entry is symbolic while it can be: a local or a constant that was only loaded stays in its place and becomes an
//! operand of the instruction that uses it. The temporary of stack position `p` is register `first_temp + p`; wherever
//! ways meet, all entries stand in their temporaries. An instruction whose result is stored into a local
//! at once writes the local itself. The block stack is known at each instruction, so `SETUP_FINALLY` and
//! `POP_BLOCK` leave only entries in a table.
//!
//! Invariant of running code: a temporary that holds nothing live holds no heap word.

use crate::form::{Block, Comprehension, Form, Instr, OpenBlock, TEMP_A, TEMP_B, TEMP_C};
use crate::hot::{Heat, Loop};
use crate::ops::Op;
use pellucid_bytecode::code::flags;
use pellucid_bytecode::ops::Op as Word;
use pellucid_bytecode::{Code, Const, decode};
use smallvec::SmallVec;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

/// Why code cannot be translated: it is malformed, or larger than registers can address.
#[derive(Debug)]
pub struct Malformed(pub &'static str);

pub type Done<T = ()> = Result<T, Malformed>;

/// Registers and constants that an operand can name.
const MOST: usize = 32_000;

/// An instruction of wordcode, prefixes folded in.
#[derive(Clone, Copy, Debug)]
pub struct WordInstr {
    pub op: Word,
    pub arg: u32,
    /// Byte offset.
    pub offset: u32,
    /// Index of the instruction a jump goes to.
    pub target: usize,
}

/// A translation before its jumps have found their targets: what [`crate::instrument::weave`] works on.
pub struct Draft<'a> {
    pub words: &'a [WordInstr],
    /// What runs. The `d` of a jump is the index of a word.
    pub instrs: Vec<Instr>,
    /// For each instruction the byte offset in the wordcode.
    pub offsets: Vec<u32>,
    /// For each instruction the innermost open block.
    pub open: Vec<u16>,
    /// For each word that is reached its first instruction, which may be that of the next one; `u32::MAX` for the others.
    pub starts: Vec<u32>,
    /// For each word the innermost open block.
    pub word_open: Vec<u16>,
    /// For each word whether it is the handler of a block.
    pub handlers: Vec<bool>,
}

/// Adds to a draft and resolves its jumps; what [`Form::woven`] is to hold.
pub type Weaver<'w> = &'w dyn Fn(&mut Draft) -> Done<crate::instrument::weave::Woven>;

/// What is known where control enters an instruction.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    depth: usize,
    open: u16,
    assigned: Locals,
}

/// A bit a local variable.
type Locals = SmallVec<[u64; 2]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sym {
    /// In its temporary.
    Temp,
    /// The local variable, not copied yet.
    Local(i16),
    /// The constant.
    Const(usize),
    /// The function of a comprehension, which need not be made: index into `comprehensions`.
    Comprehension(usize),
}

/// Which opcodes end a way through the code.
fn ends_way(op: Word) -> bool {
    matches!(
        op,
        Word::ReturnValue | Word::RaiseVarargs | Word::Reraise | Word::JumpForward | Word::JumpAbsolute
    )
}

struct Translator<'a> {
    code: &'a Code,
    words: Vec<WordInstr>,
    leader: Vec<bool>,
    /// A jump goes there (leaders also stand behind jumps).
    target: Vec<bool>,
    entries: Vec<Option<Entry>>,
    blocks: Vec<OpenBlock>,
    block_ids: HashMap<(u32, u16, bool, u16), u16>,
    /// Locals with a `DELETE_FAST` anywhere: never assumed to be assigned.
    deleted: Vec<u64>,
    instrs: Vec<Instr>,
    offsets: Vec<u32>,
    open: Vec<u16>,
    starts: Vec<u32>,
    stack: Vec<Sym>,
    assigned: Locals,
    now_open: u16,
    now_offset: u32,
    first_temp: usize,
    most_depth: usize,
    caches: u32,
    comprehensions: Vec<Comprehension>,
    /// Events will be woven in, which belong to single steps.
    weaving: bool,
    /// The last instruction writes the temporary on top of the stack, and may write a local instead.
    producer: Option<usize>,
    /// The word that would copy the keywords of a call, which are passed on as they are.
    uncopied: Option<usize>,
}

/// Translates a code object that [`pellucid_bytecode::verify`] accepts.
pub fn translate(code: &Code) -> Result<Form, Malformed> {
    translate_with(code, None)
}

/// As [`translate`]; `weaver` puts more instructions between those that the wordcode asks for.
pub fn translate_with(code: &Code, weaver: Option<Weaver>) -> Result<Form, Malformed> {
    let nlocals = code.varnames.len();
    let (ncells, nfrees) = (code.cellvars.len(), code.freevars.len());
    let first_temp = nlocals + ncells + nfrees;
    if first_temp + code.stacksize as usize + 8 > MOST {
        return Err(Malformed("too many variables"));
    }
    let words = decode_words(code)?;
    let count = words.len();
    let mut t = Translator {
        code,
        leader: vec![false; count],
        target: vec![false; count],
        entries: vec![None; count],
        blocks: Vec::new(),
        block_ids: HashMap::new(),
        deleted: vec![0; nlocals.div_ceil(64)],
        instrs: Vec::with_capacity(count),
        offsets: Vec::with_capacity(count),
        open: Vec::with_capacity(count),
        starts: vec![u32::MAX; count],
        stack: Vec::new(),
        assigned: Locals::new(),
        now_open: 0,
        now_offset: 0,
        first_temp,
        most_depth: 0,
        caches: 0,
        comprehensions: Vec::new(),
        weaving: weaver.is_some(),
        producer: None,
        uncopied: None,
        words,
    };
    t.find_leaders();
    t.flow()?;
    t.emit_all()?;
    let woven = match weaver {
        Some(weaver) => Some(Box::new(t.weave(weaver)?)),
        None => {
            t.patch_targets()?;
            None
        }
    };
    t.patch_blocks();
    Ok(t.finish(woven))
}

/// The instructions of wordcode, prefixes folded into what they extend.
pub fn decode_words(code: &Code) -> Done<Vec<WordInstr>> {
    const NOWHERE: usize = usize::MAX;
    let mut words = Vec::with_capacity(code.code.len() / 2);
    // For each two bytes of wordcode the instruction. A jump to a prefix is a jump to the instruction it extends.
    let mut at_offset = vec![NOWHERE; code.code.len() / 2];
    let mut start = 0;
    for instr in decode::instrs(&code.code) {
        let op = instr.op().ok_or(Malformed("unknown opcode"))?;
        if op == Word::ExtendedArg {
            continue;
        }
        let end = instr.offset as usize / 2 + 1;
        at_offset.get_mut(start..end).unwrap_or_default().fill(words.len());
        start = end;
        words.push((WordInstr { op, arg: instr.arg, offset: instr.offset, target: 0 }, instr.target()));
    }
    words
        .into_iter()
        .map(|(mut word, target)| {
            if let Some(target) = target {
                let place = usize::try_from(target / 2).ok().filter(|_| target.is_multiple_of(2));
                let found = place.and_then(|place| at_offset.get(place)).filter(|at| **at != NOWHERE);
                word.target = *found.ok_or(Malformed("jump to nowhere"))?;
            }
            Ok(word)
        })
        .collect()
}

impl Translator<'_> {
    fn find_leaders(&mut self) {
        for i in 0..self.words.len() {
            let word = self.words[i];
            if word.op.is_jump() {
                self.leader[word.target] = true;
                self.target[word.target] = true;
                if i + 1 < self.leader.len() {
                    self.leader[i + 1] = true;
                }
            }
            if ends_way(word.op) && i + 1 < self.leader.len() {
                self.leader[i + 1] = true;
            }
            if word.op == Word::DeleteFast {
                set_bit(&mut self.deleted, word.arg as usize);
            }
        }
    }

    /// Depth, open blocks and assigned locals at the start of every instruction that can be reached.
    fn flow(&mut self) -> Done {
        let generator = self.code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
        let mut assigned = Locals::from_elem(0, self.code.varnames.len().div_ceil(64));
        (0..parameter_count(self.code)).for_each(|i| set_bit(&mut assigned, i));
        self.clear_deleted(&mut assigned);
        let depth = usize::from(generator);
        let mut todo = vec![0];
        self.entries[0] = Some(Entry { depth, open: 0, assigned });
        while let Some(at) = todo.pop() {
            let Some(entry) = self.entries[at].clone() else { continue };
            let word = self.words[at];
            if word.op.is_jump() {
                let next = self.step(word, &entry, true)?;
                self.reach(word.target, next, &mut todo)?;
            }
            if !ends_way(word.op) {
                let next = self.step(word, &entry, false)?;
                self.reach(at + 1, next, &mut todo)?;
            }
        }
        Ok(())
    }

    fn clear_deleted(&self, assigned: &mut [u64]) {
        assigned.iter_mut().zip(&self.deleted).for_each(|(a, d)| *a &= !d);
    }

    fn reach(&mut self, at: usize, next: Entry, todo: &mut Vec<usize>) -> Done {
        let place = self.entries.get_mut(at).ok_or(Malformed("code ends without a return"))?;
        match place {
            None => *place = Some(next),
            Some(known) => {
                if known.depth != next.depth || known.open != next.open {
                    return Err(Malformed("inconsistent stack"));
                }
                let mut changed = false;
                for (a, b) in known.assigned.iter_mut().zip(&next.assigned) {
                    changed |= *a & !b != 0;
                    *a &= b;
                }
                if !changed {
                    return Ok(());
                }
            }
        }
        todo.push(at);
        Ok(())
    }

    /// The state behind `word`, when it jumps or when it does not.
    fn step(&mut self, word: WordInstr, entry: &Entry, jump: bool) -> Done<Entry> {
        let mut next = entry.clone();
        let depth = entry.depth as i64 + i64::from(word.op.stack_effect(word.arg, Some(jump)));
        next.depth = usize::try_from(depth).map_err(|_| Malformed("stack underflow"))?;
        self.most_depth = self.most_depth.max(next.depth).max(entry.depth);
        match word.op {
            Word::SetupFinally | Word::SetupWith | Word::SetupAsyncWith => {
                let level = (entry.depth as i64 + i64::from(word.op.stack_effect(word.arg, Some(true))) - 6)
                    .max(0) as u16;
                let block = if jump {
                    Block::Handler { level }
                } else {
                    Block::Try { target: word.target as u32, level }
                };
                next.open = self.open_block(block, entry.open);
            }
            Word::PopBlock | Word::PopExcept | Word::EndAsyncFor => {
                let top = usize::from(entry.open).checked_sub(1).ok_or(Malformed("no block to pop"))?;
                next.open = self.blocks[top].outer;
            }
            Word::StoreFast => {
                set_bit(&mut next.assigned, word.arg as usize);
                let mut assigned = std::mem::take(&mut next.assigned);
                self.clear_deleted(&mut assigned);
                next.assigned = assigned;
            }
            _ => {}
        }
        Ok(next)
    }

    fn open_block(&mut self, block: Block, outer: u16) -> u16 {
        let key = match block {
            Block::Try { target, level } => (target, level, true, outer),
            Block::Handler { level } => (0, level, false, outer),
        };
        let blocks = &mut self.blocks;
        *self.block_ids.entry(key).or_insert_with(|| {
            blocks.push(OpenBlock { block, outer });
            blocks.len() as u16
        })
    }

    fn emit_all(&mut self) -> Done {
        let mut skip = 0;
        for at in 0..self.words.len() {
            let Some(entry) = self.entries[at].clone() else { continue };
            if self.leader[at] || at == 0 {
                self.stack = vec![Sym::Temp; entry.depth];
                self.assigned = entry.assigned;
                self.producer = None;
            }
            self.starts[at] = self.instrs.len() as u32;
            self.now_open = entry.open;
            let word = self.words[at];
            self.now_offset = word.offset;
            if skip > 0 {
                skip -= 1;
                if word.op == Word::StoreFast {
                    self.stack.pop();
                    if !has_bit(&self.deleted, word.arg as usize) {
                        set_bit(&mut self.assigned, word.arg as usize);
                    }
                }
                continue;
            }
            skip = self.emit_word(at, word)?;
            let falls = !ends_way(word.op) && self.leader.get(at + 1 + skip).is_some_and(|l| *l);
            if falls && !word.op.is_jump() {
                self.settle_all();
            }
        }
        Ok(())
    }

    fn patch_targets(&mut self) -> Done {
        let starts = &self.starts;
        for instr in &mut self.instrs {
            if is_jump(instr.op) {
                instr.d = starts[instr.d as usize];
                if instr.d == u32::MAX {
                    return Err(Malformed("jump to nowhere"));
                }
            }
        }
        Ok(())
    }

    fn patch_blocks(&mut self) {
        let starts = &self.starts;
        for open in &mut self.blocks {
            if let Block::Try { target, .. } = &mut open.block {
                // The handler of a block that nothing in can raise is never reached.
                *target = starts[*target as usize];
            }
        }
    }

    fn weave(&mut self, weaver: Weaver) -> Done<crate::instrument::weave::Woven> {
        let mut handlers = vec![false; self.words.len()];
        for open in &self.blocks {
            if let Block::Try { target, .. } = open.block {
                handlers[target as usize] = true;
            }
        }
        let mut draft = Draft {
            words: &self.words,
            instrs: std::mem::take(&mut self.instrs),
            offsets: std::mem::take(&mut self.offsets),
            open: std::mem::take(&mut self.open),
            starts: std::mem::take(&mut self.starts),
            word_open: self.entries.iter().map(|e| e.as_ref().map_or(0, |e| e.open)).collect(),
            handlers,
        };
        let woven = weaver(&mut draft)?;
        let Draft { instrs, offsets, open, starts, .. } = draft;
        (self.instrs, self.offsets, self.open, self.starts) = (instrs, offsets, open, starts);
        Ok(woven)
    }

    /// Marks the operands that are temporaries and measures the jumps.
    fn complete(&mut self) {
        let temp = |register: i16, mark: u8| if register >= self.first_temp as i16 { mark } else { 0 };
        for (at, instr) in self.instrs.iter_mut().enumerate() {
            instr.temps = temp(instr.a, TEMP_A) | temp(instr.b, TEMP_B) | temp(instr.c, TEMP_C);
            if is_jump(instr.op) {
                let ahead = (i64::from(instr.d) - at as i64) * size_of::<Instr>() as i64;
                instr.e = ahead as i32 as u32;
            }
        }
    }

    /// Gives each backward jump the loop that it turns.
    fn find_loops(&mut self) -> Box<[Loop]> {
        let mut loops: Vec<Loop> = Vec::new();
        let mut known = HashMap::new();
        for (at, instr) in self.instrs.iter_mut().enumerate() {
            if !is_jump(instr.op) || instr.d as usize > at {
                continue;
            }
            let index = *known.entry(instr.d).or_insert_with(|| {
                loops.push(Loop { heat: Heat::default(), header: instr.d, last: at as u32 });
                loops.len() - 1
            });
            loops[index].last = at as u32;
            instr.d = index as u32;
        }
        loops.into()
    }

    fn finish(mut self, woven: Option<Box<crate::instrument::weave::Woven>>) -> Form {
        self.complete();
        let loops = self.find_loops();
        let code = self.code;
        let nregs = self.first_temp + self.most_depth + 1;
        let generator = code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
        let star = code.flags & flags::VARARGS != 0;
        let double_star = code.flags & flags::VARKEYWORDS != 0;
        let positional = !star && !double_star && code.kwonlyargcount == 0;
        let plain = positional && code.cellvars.is_empty() && code.freevars.is_empty();
        let parameters = parameter_count(code);
        let cell_params = code
            .cellvars
            .iter()
            .map(|name| code.varnames[..parameters].iter().position(|v| v == name).map_or(-1, |i| i as i16))
            .collect();
        Form {
            instrs: self.instrs.into(),
            comprehensions: self.comprehensions.into(),
            caches: (0..self.caches).map(|_| Default::default()).collect(),
            offsets: self.offsets.into(),
            open: self.open.into(),
            blocks: self.blocks.into(),
            nlocals: code.varnames.len() as u16,
            ncells: code.cellvars.len() as u16,
            nfrees: code.freevars.len() as u16,
            first_temp: self.first_temp as u16,
            nregs: nregs as u16,
            argcount: code.argcount as u16,
            positional,
            simple: !generator && plain,
            plain,
            quick: !generator && code.kwonlyargcount == 0 && code.cellvars.is_empty(),
            star,
            double_star,
            generator,
            cell_params,
            woven,
            loops,
            calls: Heat::default(),
            seen: OnceCell::new(),
            period: Cell::new(0),
            natives: RefCell::default(),
        }
    }
}

/// Parameters of every kind, stars included.
pub fn parameter_count(code: &Code) -> usize {
    let stars =
        usize::from(code.flags & flags::VARARGS != 0) + usize::from(code.flags & flags::VARKEYWORDS != 0);
    (code.argcount + code.kwonlyargcount) as usize + stars
}

fn set_bit(bits: &mut [u64], index: usize) {
    if let Some(word) = bits.get_mut(index / 64) {
        *word |= 1 << (index % 64);
    }
}

fn has_bit(bits: &[u64], index: usize) -> bool {
    bits.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 != 0)
}

/// Whether `d` is a target.
pub fn is_jump(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        JumpLt
            | JumpLe
            | JumpEq
            | JumpNe
            | JumpGt
            | JumpGe
            | JumpIs
            | JumpContains
            | Jump
            | JumpBack
            | JumpIfFalse
            | JumpIfTrue
            | JumpIfFalseKeep
            | JumpIfTrueKeep
            | ForIter
            | ForBack
            | JumpIfNotExcMatch
    )
}

// ---- emission ----
impl Translator<'_> {
    fn emit(&mut self, op: Op, a: i16, b: i16, c: i16, d: u32) -> usize {
        self.producer = None;
        self.instrs.push(Instr::new(op, a, b, c, d));
        self.offsets.push(self.now_offset);
        self.open.push(self.now_open);
        self.instrs.len() - 1
    }

    fn with_cache(&mut self, instr: usize) {
        self.instrs[instr].e = self.caches;
        self.caches += 1;
    }

    fn temp(&self, position: usize) -> i16 {
        (self.first_temp + position) as i16
    }

    /// The next free temporary.
    fn next_temp(&self) -> i16 {
        self.temp(self.stack.len())
    }

    /// The operand for a stack entry at `position`.
    fn operand(&mut self, position: usize, sym: Sym) -> i16 {
        match sym {
            Sym::Temp => self.temp(position),
            Sym::Local(local) => local,
            Sym::Const(index) => {
                let from_end = self.code.consts.len() - index;
                if from_end <= MOST {
                    return -(from_end as i16);
                }
                let temp = self.temp(position);
                self.emit(Op::LoadConst, temp, 0, 0, index as u32);
                temp
            }
            Sym::Comprehension(index) => {
                let temp = self.temp(position);
                self.emit(Op::MakeComprehension, temp, 0, 0, index as u32);
                temp
            }
        }
    }

    fn pop(&mut self) -> Done<i16> {
        let sym = self.stack.pop().ok_or(Malformed("stack underflow"))?;
        Ok(self.operand(self.stack.len(), sym))
    }

    /// As [`Self::pop`], for instructions that expect a register.
    fn pop_register(&mut self) -> Done<i16> {
        if matches!(self.stack.last(), Some(Sym::Const(_))) {
            self.settle(self.stack.len() - 1);
        }
        self.pop()
    }

    /// Pushes the result of instruction `instr`, which writes the next temporary.
    fn push_result(&mut self, instr: usize) {
        self.stack.push(Sym::Temp);
        self.producer = Some(instr);
    }

    /// Brings a stack entry into its temporary.
    fn settle(&mut self, position: usize) {
        let (sym, temp) = (self.stack[position], self.temp(position));
        match sym {
            Sym::Temp => return,
            // One that is too far from the end is loaded to be an operand.
            Sym::Const(_) => match self.operand(position, sym) {
                operand if operand < 0 => drop(self.emit(Op::Move, temp, operand, 0, 0)),
                _ => {}
            },
            Sym::Local(local) => drop(self.emit(Op::Move, temp, local, 0, 0)),
            Sym::Comprehension(_) => drop(self.operand(position, sym)),
        }
        self.stack[position] = Sym::Temp;
    }

    fn settle_top(&mut self, count: usize) -> Done {
        let from = self.stack.len().checked_sub(count).ok_or(Malformed("stack underflow"))?;
        (from..self.stack.len()).for_each(|position| self.settle(position));
        Ok(())
    }

    fn settle_all(&mut self) {
        (0..self.stack.len()).for_each(|position| self.settle(position));
    }

    fn binary(&mut self, op: Op, d: u32) -> Done {
        let c = self.pop()?;
        let b = self.pop()?;
        let dst = self.next_temp();
        let instr = self.emit(op, dst, b, c, d);
        self.push_result(instr);
        Ok(())
    }

    fn unary(&mut self, op: Op, d: u32) -> Done<usize> {
        let b = self.pop()?;
        let dst = self.next_temp();
        let instr = self.emit(op, dst, b, 0, d);
        self.push_result(instr);
        Ok(instr)
    }

    fn load_fast(&mut self, local: u32) {
        if !has_bit(&self.assigned, local as usize) {
            self.emit(Op::CheckLocal, local as i16, 0, 0, 0);
            if !has_bit(&self.deleted, local as usize) {
                set_bit(&mut self.assigned, local as usize);
            }
        }
        self.stack.push(Sym::Local(local as i16));
        self.producer = None;
    }

    fn store_fast(&mut self, local: u32) -> Done {
        let local = local as i16;
        let producer = self.producer;
        let sym = self.stack.pop().ok_or(Malformed("stack underflow"))?;
        let position = self.stack.len();
        let aliased = self.stack.contains(&Sym::Local(local));
        match producer {
            Some(instr) if !aliased && sym == Sym::Temp => self.instrs[instr].a = local,
            _ => {
                self.unalias(local);
                let operand = self.operand(position, sym);
                let op = if operand >= self.first_temp as i16 { Op::Take } else { Op::Move };
                if operand != local {
                    self.emit(op, local, operand, 0, 0);
                }
            }
        }
        self.producer = None;
        if !has_bit(&self.deleted, local as usize) {
            set_bit(&mut self.assigned, local as usize);
        }
        Ok(())
    }

    /// Copies the local into the temporaries of the stack entries that stand for it.
    fn unalias(&mut self, local: i16) {
        for position in 0..self.stack.len() {
            if self.stack[position] == Sym::Local(local) {
                self.settle(position);
            }
        }
    }

    fn conditional_jump(&mut self, op: Op, sense: i16, target: usize) -> Done {
        let b = self.pop()?;
        // The operand's own temporary lies above what is settled.
        self.settle_all();
        self.emit(op, sense, b, 0, target as u32);
        Ok(())
    }

    fn comparing_jump(&mut self, op: Op, sense: bool, target: usize) -> Done {
        let c = self.pop()?;
        let b = self.pop()?;
        self.settle_all();
        self.emit(op, i16::from(sense), b, c, target as u32);
        Ok(())
    }

    /// A test whose result only decides a jump is one instruction with it. How many of the next ones are done.
    fn fused(&mut self, at: usize, value_op: Op, jump_op: Op, invert: bool) -> Done<usize> {
        let next = self.words.get(at + 1).copied();
        if let Some(next) = next
            && !self.leader[at + 1]
            && matches!(next.op, Word::PopJumpIfFalse | Word::PopJumpIfTrue)
        {
            let sense = (next.op == Word::PopJumpIfTrue) != invert;
            self.comparing_jump(jump_op, sense, next.target)?;
            return Ok(1);
        }
        self.binary(value_op, u32::from(invert))?;
        Ok(0)
    }

    fn call(&mut self, op: Op, callee_words: usize, count: u32, d: u32) -> Done {
        let count = count as usize;
        self.settle_top(count + callee_words)?;
        self.stack.truncate(self.stack.len() - count - callee_words);
        let base = self.next_temp();
        let instr = self.emit(op, base, base, count as i16, d);
        self.push_result(instr);
        Ok(())
    }

    /// The temporary of the container at `depth` that something is added to.
    fn container(&mut self, depth: u32) -> Done<i16> {
        let position = self.below_top(depth as usize)?;
        self.settle(position);
        Ok(self.temp(position))
    }

    fn build(&mut self, op: Op, count: u32) -> Done {
        self.settle_top(count as usize)?;
        self.stack.truncate(self.stack.len() - count as usize);
        let base = self.next_temp();
        let instr = self.emit(op, base, base, 0, count);
        self.push_result(instr);
        Ok(())
    }

    /// Moves the top below `count - 1` others. Entries that are not in temporaries yet need no instruction.
    fn rotate(&mut self, count: usize) -> Done {
        let low = self.stack.len().checked_sub(count).ok_or(Malformed("stack underflow"))?;
        let top = self.stack.len() - 1;
        let settled = |sym: &Sym| *sym == Sym::Temp;
        if self.stack[low..top].iter().any(settled) {
            (low..top).rev().for_each(|position| self.exchange(position, position + 1));
            return Ok(());
        }
        if self.stack[top] == Sym::Temp {
            let (from, to) = (self.temp(top), self.temp(low));
            match self.producer {
                Some(instr) => self.instrs[instr].a = to,
                None => drop(self.emit(Op::Take, to, from, 0, 0)),
            }
        }
        self.stack[low..].rotate_right(1);
        self.producer = None;
        Ok(())
    }

    /// Turns the order of the topmost entries round, as a tuple does that is taken apart where it was made.
    fn reverse(&mut self, count: usize) -> Done {
        let low = self.stack.len().checked_sub(count).ok_or(Malformed("stack underflow"))?;
        (0..count / 2).for_each(|i| self.exchange(low + i, low + count - 1 - i));
        Ok(())
    }

    /// Exchanges two entries.
    fn exchange(&mut self, below: usize, above: usize) {
        let (first, second) = (self.stack[below], self.stack[above]);
        let (low, high) = (self.temp(below), self.temp(above));
        match (first, second) {
            (Sym::Temp, Sym::Temp) => drop(self.emit(Op::Swap, low, high, 0, 0)),
            (Sym::Temp, _) => drop(self.emit(Op::Take, high, low, 0, 0)),
            (_, Sym::Temp) => drop(self.emit(Op::Take, low, high, 0, 0)),
            _ => {}
        }
        self.stack[below] = second;
        self.stack[above] = first;
        self.producer = None;
    }

    /// Pushes a copy of the entry at `position`.
    fn duplicate(&mut self, position: usize) {
        match self.stack[position] {
            Sym::Temp => {
                let (from, to) = (self.temp(position), self.next_temp());
                self.emit(Op::Move, to, from, 0, 0);
                self.stack.push(Sym::Temp);
            }
            sym => self.stack.push(sym),
        }
    }

    /// Whether constant `index`, loaded at `at`, is the code of a comprehension whose function is made there.
    fn makes_comprehension(&self, at: usize, index: u32) -> bool {
        self.is_comprehension(index) && self.makes_function(at + 1, 0)
    }

    /// Whether the two instructions from `at` on load a name and make a function with these flags.
    fn makes_function(&self, at: usize, flags: u32) -> bool {
        let next = |by: usize| self.words.get(at + by).filter(|_| !self.leader[at + by]);
        next(0).is_some_and(|w| w.op == Word::LoadConst)
            && next(1).is_some_and(|w| w.op == Word::MakeFunction && w.arg == flags)
    }

    /// Whether a constant is the code of a comprehension or generator expression that is no coroutine.
    fn is_comprehension(&self, index: u32) -> bool {
        let Some(Const::Code(code)) = self.code.consts.get(index as usize) else { return false };
        let known: [&[u8]; 4] = [b"<listcomp>", b"<setcomp>", b"<dictcomp>", b"<genexpr>"];
        code.flags & (flags::COROUTINE | flags::ASYNC_GENERATOR) == 0
            && code.argcount == 1
            && known.contains(&&*code.name.0)
    }

    /// The registers of the `count` cells on top of the stack, when a comprehension's function is made of them at `at`.
    fn closure_of_comprehension(&self, at: usize, count: usize) -> Option<Box<[i16]>> {
        let load = self.words.get(at + 1).filter(|w| w.op == Word::LoadConst && !self.leader[at + 1])?;
        if !self.is_comprehension(load.arg) || !self.makes_function(at + 2, 8) {
            return None;
        }
        let from = self.stack.len().checked_sub(count)?;
        let cells = self.code.varnames.len()..self.first_temp;
        let cell = |sym: &Sym| match sym {
            Sym::Local(register) if cells.contains(&(*register as usize)) => Some(*register),
            _ => None,
        };
        self.stack[from..].iter().map(cell).collect()
    }

    fn comprehension(&mut self, code: u32, cells: Box<[i16]>) {
        self.stack.push(Sym::Comprehension(self.comprehensions.len()));
        self.comprehensions.push(Comprehension { code, cells });
        self.producer = None;
    }

    /// Calls the comprehension below the iterator on top of the stack.
    fn call_comprehension(&mut self, index: usize) -> Done {
        self.settle_top(1)?;
        self.stack.truncate(self.stack.len() - 2);
        let dst = self.next_temp();
        let instr = self.emit(Op::Comprehension, dst, dst + 1, 0, index as u32);
        self.push_result(instr);
        Ok(())
    }

    /// The variables that the two words from `at` on store, which are different and which nothing jumps between.
    fn stores_two(&self, at: usize) -> Option<(i16, i16)> {
        let store = |at: usize| {
            let word = self.words.get(at).filter(|word| word.op == Word::StoreFast && !self.leader[at])?;
            i16::try_from(word.arg).ok()
        };
        let (first, second) = (store(at)?, store(at + 1)?);
        (first != second).then_some((first, second))
    }

    /// Whether the words from `at` on only exchange two variables that were just loaded.
    fn exchanges_locals(&self, at: usize) -> bool {
        let [.., Sym::Local(second), Sym::Local(first)] = self.stack[..] else { return false };
        let others = &self.stack[..self.stack.len() - 2];
        self.stores_two(at + 1) == Some((first, second))
            && !others.contains(&Sym::Local(first))
            && !others.contains(&Sym::Local(second))
    }

    /// `super().name` makes no `super` object: how many of the words behind the one that loads `super` are done with it.
    fn super_look_up(&mut self, at: usize, global: u32) -> Option<usize> {
        let [call, look_up] = self.words.get(at + 1..at + 3)? else { return None };
        let op = match look_up.op {
            Word::LoadMethod => Op::LoadSuperMethod,
            Word::LoadAttr => Op::LoadSuperAttr,
            _ => return None,
        };
        let joined = self.leader[at + 1] || self.leader[at + 2];
        if joined || (call.op, call.arg) != (Word::CallFunction, 0) || self.code.argcount == 0 {
            return None;
        }
        let is = |name: &pellucid_bytecode::Wtf8, text: &[u8]| *name.0 == *text;
        if !self.code.names.get(global as usize).is_some_and(|name| is(name, b"super")) {
            return None;
        }
        let class = self.code.freevars.iter().position(|name| is(name, b"__class__"))?;
        let cell = self.code.varnames.len() + self.code.cellvars.len() + class;
        let (name, offset) = (look_up.arg, look_up.offset);
        let global = i16::try_from(global).ok()?;
        self.now_offset = offset;
        let dst = self.next_temp();
        let instr = self.emit(op, dst, global, cell as i16, name);
        // One cache for the global, one for the attribute.
        self.with_cache(instr);
        self.caches += 1;
        if op == Op::LoadSuperMethod {
            self.stack.extend([Sym::Temp, Sym::Temp]);
        } else {
            self.push_result(instr);
        }
        Some(2)
    }

    /// The word that copies the keywords of a call into the dict that `at` makes, when the call has no other keywords and
    /// nothing but plain look-ups stands between: the call may take the mapping itself.
    fn sole_mapping(&self, at: usize) -> Option<usize> {
        let plain = |w: &WordInstr| {
            matches!(
                w.op,
                Word::LoadFast | Word::LoadDeref | Word::LoadGlobal | Word::LoadName | Word::LoadConst
            )
        };
        let rest = &self.words[at + 1..];
        let loads = rest.iter().take_while(|w| plain(w)).count();
        let [merge, call] = rest.get(loads..loads + 2)? else { return None };
        let fits = (merge.op, merge.arg, call.op, call.arg) == (Word::DictMerge, 1, Word::CallFunctionEx, 1);
        let joined = self.leader[at + 1..=at + loads + 2].contains(&true);
        (fits && !joined).then_some(at + 1 + loads)
    }

    /// Whether the list on top of the stack is made a tuple only to be passed on as arguments.
    fn passed_on(&self, at: usize) -> bool {
        let next = self.words.get(at + 1).filter(|_| !self.leader[at + 1]);
        next.is_some_and(|next| match next.op {
            Word::CallFunctionEx => next.arg == 0,
            Word::BuildMap => next.arg == 0 && self.sole_mapping(at + 1).is_some(),
            _ => false,
        })
    }

    fn below_top(&self, count: usize) -> Done<usize> {
        self.stack.len().checked_sub(count).ok_or(Malformed("stack underflow"))
    }

    /// A slice that is only a subscript is never made. How many of the next instructions are done with this one.
    fn build_slice(&mut self, at: usize, word: WordInstr) -> Done<usize> {
        let next = self.words.get(at + 1).filter(|_| !self.leader[at + 1]);
        match next.map(|next| next.op) {
            Some(Word::BinarySubscr) => {
                let step = if word.arg == 3 { operand_word(self.pop()?) } else { NO_STEP };
                let (stop, start, container) = (self.pop()?, self.pop()?, self.pop()?);
                let dst = self.next_temp();
                let instr = self.emit(Op::LoadSlice, dst, container, start, operand_word(stop));
                self.instrs[instr].e = step;
                self.push_result(instr);
                Ok(1)
            }
            Some(Word::StoreSubscr) if word.arg == 2 => {
                let (stop, start) = (self.pop()?, self.pop()?);
                let (container, value) = (self.pop()?, self.pop()?);
                self.emit(Op::StoreSlice, container, start, value, operand_word(stop));
                Ok(1)
            }
            _ => self.generic(word).map(|()| 0),
        }
    }

    /// An instruction that works on its operands as on a stack.
    fn generic(&mut self, word: WordInstr) -> Done {
        self.settle_all();
        let top = self.next_temp();
        self.emit(Op::Generic, top, word.op as i16, 0, word.arg);
        let depth = self.stack.len() as i64 + i64::from(word.op.stack_effect(word.arg, Some(false)));
        let depth = usize::try_from(depth).map_err(|_| Malformed("stack underflow"))?;
        self.stack = vec![Sym::Temp; depth];
        Ok(())
    }

    /// Emits one instruction; how many of the next ones are done with it.
    fn emit_word(&mut self, at: usize, word: WordInstr) -> Done<usize> {
        use Word::*;
        let arg = word.arg;
        if let Some(op) = binary_op(word.op) {
            self.binary(op, 0)?;
            return Ok(0);
        }
        match word.op {
            Nop => drop(self.emit(Op::Nop, 0, 0, 0, 0)),
            ExtendedArg | SetupFinally | SetupAsyncWith | PopBlock => {}
            GenStart => drop(self.stack.pop()),
            PopTop => {
                if self.stack.pop().ok_or(Malformed("stack underflow"))? == Sym::Temp {
                    let temp = self.next_temp();
                    self.emit(Op::Drop, temp, 0, 0, 0);
                }
                self.producer = None;
            }
            RotTwo if self.exchanges_locals(at) => {
                if let [.., Sym::Local(b), Sym::Local(a)] = self.stack[..] {
                    self.emit(Op::Swap, a, b, 0, 0);
                }
                return Ok(2);
            }
            RotTwo => self.rotate(2)?,
            RotThree => self.rotate(3)?,
            RotFour => self.rotate(4)?,
            RotN => self.rotate(arg as usize)?,
            DupTop => {
                let position = self.below_top(1)?;
                self.duplicate(position);
                self.producer = None;
            }
            DupTopTwo => {
                let position = self.below_top(2)?;
                self.duplicate(position);
                self.duplicate(position + 1);
                self.producer = None;
            }
            BuildSlice => return self.build_slice(at, word),
            UnaryPositive => drop(self.unary(Op::Pos, 0)?),
            UnaryNegative => drop(self.unary(Op::Neg, 0)?),
            UnaryInvert => drop(self.unary(Op::Invert, 0)?),
            UnaryNot => drop(self.unary(Op::Not, 0)?),
            BinarySubscr => {
                let key = self.pop()?;
                let container = self.pop_register()?;
                let dst = self.next_temp();
                let instr = self.emit(Op::LoadSubscr, dst, container, key, 0);
                self.push_result(instr);
            }
            StoreSubscr => {
                let key = self.pop()?;
                let container = self.pop_register()?;
                let value = self.pop()?;
                self.emit(Op::StoreSubscr, container, key, value, 0);
            }
            LoadConst if self.makes_comprehension(at, arg) => {
                self.comprehension(arg, Box::default());
                return Ok(2);
            }
            LoadConst => {
                self.stack.push(Sym::Const(arg as usize));
                self.producer = None;
            }
            LoadFast => self.load_fast(arg),
            StoreFast => self.store_fast(arg)?,
            DeleteFast => {
                self.unalias(arg as i16);
                self.emit(Op::DeleteLocal, arg as i16, 0, 0, 0);
            }
            CompareOp => {
                let by = arg as usize;
                return self.fused(at, Op::Lt.offset(by), Op::JumpLt.offset(by), false);
            }
            IsOp => return self.fused(at, Op::Is, Op::JumpIs, arg != 0),
            ContainsOp => return self.fused(at, Op::Contains, Op::JumpContains, arg != 0),
            JumpForward | JumpAbsolute => {
                self.settle_all();
                match word.target <= at {
                    true => self.jump_back(word.target),
                    false => drop(self.emit(Op::Jump, 0, 0, 0, word.target as u32)),
                }
            }
            PopJumpIfFalse => self.conditional_jump(Op::JumpIfFalse, 0, word.target)?,
            PopJumpIfTrue => self.conditional_jump(Op::JumpIfTrue, 0, word.target)?,
            JumpIfFalseOrPop | JumpIfTrueOrPop => {
                self.settle_all();
                let temp = self.temp(self.stack.len().saturating_sub(1));
                let op = if word.op == JumpIfFalseOrPop { Op::JumpIfFalseKeep } else { Op::JumpIfTrueKeep };
                self.emit(op, 0, temp, 0, word.target as u32);
                self.stack.pop();
            }
            JumpIfNotExcMatch => self.comparing_jump(Op::JumpIfNotExcMatch, false, word.target)?,
            LoadGlobal if let Some(done) = self.super_look_up(at, arg) => return Ok(done),
            LoadGlobal | LoadName => {
                let op = if word.op == LoadGlobal { Op::LoadGlobal } else { Op::LoadName };
                let dst = self.next_temp();
                let instr = self.emit(op, dst, 0, 0, arg);
                self.with_cache(instr);
                self.push_result(instr);
            }
            StoreName | StoreGlobal => {
                let b = self.pop()?;
                let op = if word.op == StoreName { Op::StoreName } else { Op::StoreGlobal };
                let instr = self.emit(op, 0, b, 0, arg);
                self.with_cache(instr);
            }
            LoadAttr => {
                let object = self.pop_register()?;
                let dst = self.next_temp();
                let instr = self.emit(Op::LoadAttr, dst, object, 0, arg);
                self.with_cache(instr);
                self.push_result(instr);
            }
            StoreAttr => {
                let object = self.pop_register()?;
                let value = self.pop()?;
                let instr = self.emit(Op::StoreAttr, 0, object, value, arg);
                self.with_cache(instr);
            }
            LoadMethod => {
                let b = self.pop_register()?;
                let dst = self.next_temp();
                let instr = self.emit(Op::LoadMethod, dst, b, 0, arg);
                self.with_cache(instr);
                self.stack.extend([Sym::Temp, Sym::Temp]);
            }
            CallMethod => self.call(Op::CallMethod, 2, arg, 0)?,
            CallFunction => match self.stack.len().checked_sub(2).map(|at| self.stack[at]) {
                Some(Sym::Comprehension(index)) if arg == 1 => self.call_comprehension(index)?,
                _ => self.call(Op::Call, 1, arg, 0)?,
            },
            CallFunctionKw => match self.stack.pop() {
                Some(Sym::Const(names)) => self.call(Op::CallKw, 1, arg, names as u32)?,
                _ => return Err(Malformed("keyword names are no constant")),
            },
            LoadDeref => {
                let dst = self.next_temp();
                let cell = (self.code.varnames.len() + arg as usize) as i16;
                let instr = self.emit(Op::LoadDeref, dst, cell, 0, 0);
                self.push_result(instr);
            }
            StoreDeref => {
                let b = self.pop()?;
                let cell = (self.code.varnames.len() + arg as usize) as i16;
                self.emit(Op::StoreDeref, cell, b, 0, 0);
            }
            LoadClosure => {
                // The cells of a frame are never exchanged.
                self.stack.push(Sym::Local((self.code.varnames.len() + arg as usize) as i16));
                self.producer = None;
            }
            GetIter => drop(self.unary(Op::GetIter, 0)?),
            ForIter => return self.for_iter(at, word),
            BuildTuple => {
                if let Some(cells) = self.closure_of_comprehension(at, arg as usize) {
                    self.stack.truncate(self.stack.len() - cells.len());
                    self.comprehension(self.words[at + 1].arg, cells);
                    return Ok(3);
                }
                let next = self.words.get(at + 1).filter(|_| !self.leader[at + 1]);
                if next.is_some_and(|next| next.op == Word::UnpackSequence && next.arg == arg) {
                    self.reverse(arg as usize)?;
                    return Ok(1);
                }
                self.build(Op::BuildTuple, arg)?;
            }
            BuildList => self.build(Op::BuildList, arg)?,
            ListToTuple if self.passed_on(at) => self.producer = None,
            BuildMap if arg == 0 && self.sole_mapping(at).is_some() => {
                self.uncopied = self.sole_mapping(at);
                self.producer = None;
            }
            DictMerge if self.uncopied == Some(at) => self.producer = None,
            BuildMap => self.build(Op::BuildMap, 2 * arg)?,
            BuildSet => self.build(Op::BuildSet, arg)?,
            BuildString => self.build(Op::BuildString, arg)?,
            FormatValue if arg & 4 == 0 => drop(self.unary(Op::Format, arg & 3)?),
            ListAppend | SetAdd => {
                let c = self.pop()?;
                let b = self.container(arg)?;
                self.emit(if word.op == ListAppend { Op::ListAppend } else { Op::SetAdd }, 0, b, c, 0);
            }
            MapAdd => {
                let (c, a) = (self.pop()?, self.pop()?);
                let b = self.container(arg)?;
                self.emit(Op::MapAdd, a, b, c, 0);
            }
            UnpackSequence if arg == 2 && self.stores_two(at + 1).is_some() => {
                let b = self.pop()?;
                let Some((first, second)) = self.stores_two(at + 1) else {
                    return Err(Malformed("no two variables"));
                };
                self.unalias(first);
                self.unalias(second);
                self.emit(Op::UnpackTwo, first, b, second, 0);
                self.stack.extend([Sym::Temp, Sym::Temp]);
                return Ok(2);
            }
            UnpackSequence => {
                let b = self.pop()?;
                let dst = self.next_temp();
                self.emit(Op::UnpackSequence, dst, b, 0, arg);
                (0..arg).for_each(|_| self.stack.push(Sym::Temp));
            }
            ReturnValue => {
                let b = self.pop()?;
                self.emit(Op::Return, 0, b, 0, 0);
            }
            YieldValue => {
                // While the generator sleeps all its values stand where the frame's owner looks for them.
                self.unary(Op::Yield, 0)?;
            }
            YieldFrom => {
                self.settle_all();
                let top = self.stack.len().checked_sub(2).ok_or(Malformed("stack underflow"))?;
                let (receiver, sent) = (self.temp(top), self.temp(top + 1));
                self.emit(Op::YieldFrom, receiver, sent, 0, 0);
                self.stack.pop();
            }
            SetupWith => {
                // The block is open only behind this instruction.
                self.generic(word)?;
            }
            _ => self.generic(word)?,
        }
        Ok(0)
    }

    /// Ends the body of a loop. Where the loop's head is a `ForIter`, that is done at once.
    fn jump_back(&mut self, target: usize) {
        let head = self.starts[target] as usize;
        let head = self.instrs.get(head).copied();
        let Some(head) = head.filter(|head| head.op == Op::ForIter && !self.weaving) else {
            self.emit(Op::JumpBack, 0, 0, 0, target as u32);
            return;
        };
        // What the iterator raises is raised in the loop's head.
        let now = (self.now_offset, self.now_open);
        self.now_offset = self.words[target].offset;
        self.now_open = self.entries[target].as_ref().map_or(0, |entry| entry.open);
        self.emit(Op::ForBack, head.a, head.b, 0, target as u32);
        (self.now_offset, self.now_open) = now;
    }

    /// The loop's variable is written at once when the body starts by storing it.
    fn for_iter(&mut self, at: usize, word: WordInstr) -> Done<usize> {
        self.settle_all();
        let iterator = self.temp(self.stack.len().checked_sub(1).ok_or(Malformed("stack underflow"))?);
        let next = self.words.get(at + 1).copied();
        let stored = next.filter(|next| next.op == Word::StoreFast && !self.target[at + 1]);
        let dst = stored.map_or(self.next_temp(), |next| next.arg as i16);
        self.emit(Op::ForIter, dst, iterator, 0, word.target as u32);
        Ok(usize::from(stored.is_some()))
    }
}

/// In place of the step of a `LoadSlice` that has none.
pub const NO_STEP: u32 = u32::MAX;

/// An operand that stands where a number does; see [`operand_of`].
fn operand_word(operand: i16) -> u32 {
    u32::from(operand as u16)
}

/// The operand that [`operand_word`] wrote.
#[inline(always)]
pub fn operand_of(word: u32) -> i16 {
    word as u16 as i16
}

/// Wordcode's binary operators.
fn binary_op(word: Word) -> Option<Op> {
    use Word::*;
    Some(match word {
        BinaryAdd => Op::Add,
        BinarySubtract => Op::Sub,
        BinaryMultiply => Op::Mul,
        BinaryMatrixMultiply => Op::MatMul,
        BinaryTrueDivide => Op::TrueDiv,
        BinaryFloorDivide => Op::FloorDiv,
        BinaryModulo => Op::Mod,
        BinaryPower => Op::Pow,
        BinaryLshift => Op::LShift,
        BinaryRshift => Op::RShift,
        BinaryAnd => Op::And,
        BinaryOr => Op::Or,
        BinaryXor => Op::Xor,
        InplaceAdd => Op::InplaceAdd,
        InplaceSubtract => Op::InplaceSub,
        InplaceMultiply => Op::InplaceMul,
        InplaceMatrixMultiply => Op::InplaceMatMul,
        InplaceTrueDivide => Op::InplaceTrueDiv,
        InplaceFloorDivide => Op::InplaceFloorDiv,
        InplaceModulo => Op::InplaceMod,
        InplacePower => Op::InplacePow,
        InplaceLshift => Op::InplaceLShift,
        InplaceRshift => Op::InplaceRShift,
        InplaceAnd => Op::InplaceAnd,
        InplaceOr => Op::InplaceOr,
        InplaceXor => Op::InplaceXor,
        _ => return None,
    })
}

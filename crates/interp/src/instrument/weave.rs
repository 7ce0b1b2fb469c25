//! Forms with events in them.
//!
//! A form that tools watch is the plain form of the same code with more instructions between its own: an *event* is a
//! `Generic` instruction that names no wordcode but one of [`Woven::sites`]. Windows, constants and blocks are the same,
//! and each instruction of the plain form has its counterpart, so that a frame can change from one form to another wherever
//! its loop looks at the frame anew.
//!
//! Whether a line begins depends on where control comes from: a jump from the same line enters behind the event, one from
//! another line at it. So nothing has to remember lines while code runs; only handlers of exceptions, entered
//! from anywhere, compare when they are entered ([`Woven::handler_entry`]).
//!
//! The two ways of a branch are two events: one behind the jump, one in a *trampoline* at the end of the form through which
//! the jump is taken.
//!
//! Offsets are those of 3.10's wordcode. It has no RESUME, NOT_TAKEN, END_FOR and the like: where CPython 3.14 reports an
//! event at one of these, it is reported at the instruction that they belong to.

use super::events::{self, bit};
use crate::form::{Form, Instr};
use crate::ops::Op;
use crate::translate::{Done, Draft, Malformed, is_jump};
use pellucid_bytecode::ops::Op as Word;
use pellucid_bytecode::{Code, lines};
use std::collections::HashMap;

/// Where an instruction of a woven form stands, comparable between all forms of a code object: the plain instruction that
/// follows (or is meant), the word, and the rank among what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub plain: u32,
    pub word: u32,
    pub rank: u8,
}

const START: u8 = 0;
const PAD: u8 = 1;
const LINE: u8 = 2;
/// Behind the event of a line.
pub const BODY: u8 = 3;
const OWN: u8 = 4;
const AFTER: u8 = 5;

/// An event in a form.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    pub event: u8,
    /// Byte offset of the wordcode instruction it belongs to.
    pub offset: u32,
    /// The line; where a jump goes.
    pub arg: u32,
    /// The plain instruction it belongs to.
    pub plain: u32,
    /// Where control continues behind it.
    pub next: Key,
}

/// What a form with events knows of them.
#[derive(Debug)]
pub struct Woven {
    /// The set of events that the form has.
    pub plan: u32,
    pub sites: Box<[Site]>,
    /// For each instruction of the plain form its counterpart.
    pub from_plain: Box<[u32]>,
    /// For each instruction where it stands; those of trampolines come last and are not in order.
    pub keys: Box<[Key]>,
    /// Number of instructions before the trampolines.
    pub main: u32,
    /// For each word its byte offset and the first plain instruction, `u32::MAX` when it is never reached.
    pub words: Box<[(u32, u32)]>,
    /// Where handlers are entered that begin a line: the instruction behind the event, and the line.
    handler_lines: HashMap<u32, (u32, u32)>,
}

impl Woven {
    /// The first instruction that stands at `key` or behind.
    pub fn position(&self, key: Key) -> usize {
        let main = &self.keys[..self.main as usize];
        main.partition_point(|known| *known < key).min(main.len().saturating_sub(1))
    }

    /// Where a handler is entered by an exception that was raised on line `from`.
    pub fn handler_entry(&self, target: u32, from: Option<u32>) -> u32 {
        match self.handler_lines.get(&target) {
            Some((behind, line)) if Some(*line) == from => *behind,
            _ => target,
        }
    }
}

/// Where an instruction of `form` stands.
pub fn key_of(form: &Form, index: usize) -> Key {
    match &form.woven {
        Some(woven) => woven.keys[index.min(woven.keys.len() - 1)],
        None => real(index as u32),
    }
}

/// The key of a plain instruction's counterpart.
pub fn real(plain: u32) -> Key {
    Key { plain, word: u32::MAX, rank: 0 }
}

/// The first instruction of `form` that stands at `key` or behind.
pub fn position(form: &Form, key: Key) -> usize {
    match &form.woven {
        Some(woven) => woven.position(key),
        None => (key.plain as usize).min(form.instrs.len().saturating_sub(1)),
    }
}

/// The operand `b` of a `Generic` instruction that is an event.
pub const EVENT: i16 = -1;

/// The site of an event's instruction.
pub fn site<'f>(form: &'f Form, instr: &Instr) -> Option<&'f Site> {
    if instr.op != Op::Generic || instr.b != EVENT {
        return None;
    }
    form.woven.as_ref()?.sites.get(instr.d as usize)
}

/// The line of each word.
pub fn word_lines(code: &Code, offsets: impl Iterator<Item = u32>) -> Vec<Option<u32>> {
    let ranges: Vec<lines::LineRange> = lines::decode(code.firstlineno as i32, &code.linetable).collect();
    let line_of = |offset: u32| {
        let at = ranges.partition_point(|range| range.end <= offset);
        ranges.get(at).filter(|range| range.start <= offset)?.line.and_then(|line| u32::try_from(line).ok())
    };
    offsets.map(line_of).collect()
}

/// A jump of the plain form, to be resolved at the end.
struct Jump {
    /// Its index in the new form.
    at: usize,
    /// The word that jumps.
    from: usize,
    /// The word it goes to.
    to: usize,
    /// It is taken through a trampoline with these events.
    events: Vec<u8>,
}

struct Weaver<'d> {
    words: &'d [crate::translate::WordInstr],
    starts: &'d [u32],
    handlers: &'d [bool],
    plan: u32,
    lines: Vec<Option<u32>>,
    instrs: Vec<Instr>,
    offsets: Vec<u32>,
    open: Vec<u16>,
    keys: Vec<Key>,
    sites: Vec<Site>,
    jumps: Vec<Jump>,
}

/// Puts the events of `plan` into a draft and resolves its jumps.
pub fn weave(code: &Code, plan: u32, draft: &mut Draft) -> Done<Woven> {
    let words = draft.words;
    let (instrs, offsets, open) = (
        std::mem::take(&mut draft.instrs),
        std::mem::take(&mut draft.offsets),
        std::mem::take(&mut draft.open),
    );
    let starts = draft.starts.clone();
    let reached: Vec<usize> = (0..words.len()).filter(|w| starts[*w] != u32::MAX).collect();
    let mut w = Weaver {
        words,
        starts: &starts,
        handlers: &draft.handlers,
        plan,
        lines: word_lines(code, words.iter().map(|word| word.offset)),
        instrs: Vec::with_capacity(2 * instrs.len()),
        offsets: Vec::new(),
        open: Vec::new(),
        keys: Vec::new(),
        sites: Vec::new(),
        jumps: Vec::new(),
    };
    let begins = w.line_starts(&reached, &draft.handlers);
    let mut entry = vec![u32::MAX; words.len()];
    let mut behind = vec![u32::MAX; words.len()];
    let mut from_plain = vec![0u32; instrs.len()];
    let mut folded = false;
    for (k, &word) in reached.iter().enumerate() {
        let from = starts[word] as usize;
        let to = reached.get(k + 1).map_or(instrs.len(), |next| starts[*next] as usize);
        let at = (words[word].offset, draft.word_open[word]);
        let previous = k.checked_sub(1).map(|k| reached[k]).filter(|p| falls_through(words[*p].op));
        entry[word] = w.instrs.len() as u32;
        if k == 0 && w.wants(events::PY_START) {
            w.event(events::PY_START, word, from, START, (0, 0), 0);
            entry[word] = w.instrs.len() as u32;
        }
        if begins[word] && w.wants(events::LINE) && !folded {
            let line = w.lines[word].unwrap_or(0);
            if previous.is_some_and(|p| w.lines[p] == w.lines[word]) {
                // Control falls in here on the same line; jumps from other lines are why the event is there.
                let pad = Instr::new(Op::Jump, 0, 0, 0, w.instrs.len() as u32 + 2);
                w.push(pad, at, Key { plain: from as u32, word: word as u32, rank: PAD });
            }
            entry[word] = w.instrs.len() as u32;
            w.event(events::LINE, word, from, LINE, at, line);
        }
        behind[word] = w.instrs.len() as u32;
        if w.wants(events::INSTRUCTION) && !folded {
            w.event(events::INSTRUCTION, word, from, BODY, at, 0);
        }
        // A test and the jump on it are one instruction: both announce themselves before it.
        folded = false;
        let mut jumper = word;
        if let Some(&next) = reached.get(k + 1)
            && is_conditional(words[next].op)
            && starts.get(next + 1).is_none_or(|after| *after == starts[next])
            && instrs[from..to].iter().any(|i| is_jump(i.op))
            && !is_jump_word(words[word].op)
        {
            folded = true;
            jumper = next;
            let at = (words[next].offset, draft.word_open[next]);
            if begins[next] && w.wants(events::LINE) {
                let line = w.lines[next].unwrap_or(0);
                w.event(events::LINE, next, from, LINE, at, line);
            }
            if w.wants(events::INSTRUCTION) {
                w.event(events::INSTRUCTION, next, from, BODY, at, 0);
            }
        }
        for plain in from..to {
            from_plain[plain] =
                w.instruction(word, jumper, plain, instrs[plain], (offsets[plain], open[plain]))?;
        }
    }
    let main = w.instrs.len() as u32;
    w.resolve_jumps(&begins, &entry, &behind)?;
    let handler_lines = (0..words.len())
        .filter(|word| draft.handlers[*word] && entry[*word] != u32::MAX && entry[*word] != behind[*word])
        .filter_map(|word| Some((entry[word], (behind[word], w.lines[word]?))))
        .collect();
    let woven = Woven {
        plan,
        sites: w.sites.into(),
        from_plain: from_plain.into(),
        keys: w.keys.into(),
        main,
        words: words.iter().zip(&starts).map(|(word, start)| (word.offset, *start)).collect(),
        handler_lines,
    };
    (draft.instrs, draft.offsets, draft.open) = (w.instrs, w.offsets, w.open);
    draft.starts = entry;
    Ok(woven)
}

fn falls_through(op: Word) -> bool {
    !matches!(
        op,
        Word::ReturnValue | Word::RaiseVarargs | Word::Reraise | Word::JumpForward | Word::JumpAbsolute
    )
}

fn is_conditional(op: Word) -> bool {
    matches!(op, Word::PopJumpIfFalse | Word::PopJumpIfTrue)
}

/// Whether a word jumps in the course of things (and does not only open a block).
fn is_jump_word(op: Word) -> bool {
    op.is_jump() && !matches!(op, Word::SetupFinally | Word::SetupWith | Word::SetupAsyncWith)
}

impl Weaver<'_> {
    fn wants(&self, event: u8) -> bool {
        self.plan & bit(event) != 0
    }

    /// Which words can begin a line.
    fn line_starts(&self, reached: &[usize], handlers: &[bool]) -> Vec<bool> {
        let mut begins = vec![false; self.words.len()];
        let mut previous: Option<Option<u32>> = None;
        for &word in reached {
            let op = self.words[word].op;
            if op == Word::GenStart {
                continue;
            }
            let line = self.lines[word];
            if previous.is_none_or(|p| p != line) || handlers[word] {
                begins[word] = line.is_some();
            }
            previous = Some(line);
            if is_jump_word(op) {
                let target = self.words[word].target;
                if self.lines[target] != line && self.lines[target].is_some() {
                    begins[target] = true;
                }
            }
        }
        begins
    }

    fn push(&mut self, instr: Instr, (offset, open): (u32, u16), key: Key) -> usize {
        self.instrs.push(instr);
        self.offsets.push(offset);
        self.open.push(open);
        self.keys.push(key);
        self.instrs.len() - 1
    }

    fn event(&mut self, event: u8, word: usize, plain: usize, rank: u8, at: (u32, u16), arg: u32) -> usize {
        let key = Key { plain: plain as u32, word: word as u32, rank };
        let next = Key { rank: rank + 1, ..key };
        self.site(Site { event, offset: at.0, arg, plain: plain as u32, next }, at, key)
    }

    fn site(&mut self, site: Site, at: (u32, u16), key: Key) -> usize {
        let d = self.sites.len() as u32;
        self.sites.push(site);
        self.push(Instr::new(Op::Generic, 0, EVENT, 0, d), at, key)
    }

    /// An instruction of the plain form, and the events around it. Its index.
    fn instruction(
        &mut self,
        word: usize,
        jumper: usize,
        plain: usize,
        instr: Instr,
        at: (u32, u16),
    ) -> Done<u32> {
        use Op::*;
        let own = Key { plain: plain as u32, word: word as u32, rank: OWN };
        let target_offset = |w: &Self, target: u32| w.words.get(target as usize).map_or(0, |t| t.offset);
        match instr.op {
            Call | CallMethod | CallKw | LoadSuperAttr | LoadSuperMethod if self.wants(events::CALL) => {
                self.event(events::CALL, word, plain, OWN, at, 0);
            }
            Generic if instr.b == Word::CallFunctionEx as i16 && self.wants(events::CALL) => {
                self.event(events::CALL, word, plain, OWN, at, 0);
            }
            Return if self.wants(events::PY_RETURN) => {
                self.event(events::PY_RETURN, word, plain, OWN, at, 0);
            }
            Yield if self.wants(events::PY_YIELD) => {
                self.event(events::PY_YIELD, word, plain, OWN, at, 0);
            }
            YieldFrom if self.wants(events::PY_RESUME) => {
                // The generator that wakes up here enters one instruction earlier (`instrument::woken`).
                let over = Instr::new(Jump, 0, 0, 0, self.instrs.len() as u32 + 2);
                self.push(over, at, own);
                self.event(events::PY_RESUME, word, plain, OWN, at, 0);
            }
            Jump | JumpBack => {
                let to = target_offset(self, instr.d);
                // 3.10 jumps over handlers, which CPython has at the end of the code by now.
                let over_handler = self.handlers.get(word + 1).is_some_and(|handler| *handler);
                if self.wants(events::JUMP) && !over_handler {
                    self.event(events::JUMP, word, plain, OWN, at, to);
                }
                if self.loops_on_line(jumper, instr.d as usize) {
                    self.event(events::LOOP, word, plain, OWN, at, self.lines[jumper].unwrap_or(0));
                }
            }
            ForIter if self.plan & (bit(events::STOP_ITERATION) | bit(events::RAISE)) != 0 => {
                self.event(events::STOP_ITERATION, word, plain, OWN, at, 0);
            }
            _ => {}
        }
        let index = self.push(instr, at, real(plain as u32));
        match instr.op {
            Yield if self.wants(events::PY_RESUME) => {
                self.event(events::PY_RESUME, word, plain + 1, AFTER, at, 0);
            }
            Jump | JumpBack => {
                self.jumps.push(crate::instrument::weave::Jump {
                    at: index,
                    from: jumper,
                    to: instr.d as usize,
                    events: Vec::new(),
                });
            }
            op if is_jump(op) => {
                let to = instr.d as usize;
                let offset = self.words[jumper].offset;
                let mut taken = Vec::new();
                if self.wants(events::BRANCH_RIGHT) {
                    taken.push(events::BRANCH_RIGHT);
                }
                if self.loops_on_line(jumper, to) {
                    taken.push(events::LOOP);
                }
                self.jumps.push(crate::instrument::weave::Jump {
                    at: index,
                    from: jumper,
                    to,
                    events: taken,
                });
                if self.wants(events::BRANCH_LEFT) {
                    let next = self.words.get(jumper + 1).map_or(0, |next| next.offset);
                    self.event(events::BRANCH_LEFT, jumper, plain + 1, AFTER, (offset, at.1), next);
                }
            }
            _ => {}
        }
        Ok(index as u32)
    }

    /// Whether a jump goes backwards on one line, and somebody wants to know.
    fn loops_on_line(&self, from: usize, to: usize) -> bool {
        self.wants(events::LOOP)
            && to <= from
            && self.lines[from] == self.lines[to]
            && self.lines[from].is_some()
    }

    fn resolve_jumps(&mut self, begins: &[bool], entry: &[u32], behind: &[u32]) -> Done {
        for jump in std::mem::take(&mut self.jumps) {
            let new_line = begins[jump.to] && self.lines[jump.from] != self.lines[jump.to];
            let target = if new_line { entry[jump.to] } else { behind[jump.to] };
            if target == u32::MAX {
                return Err(Malformed("jump to nowhere"));
            }
            self.instrs[jump.at].d = target;
            if jump.events.is_empty() {
                continue;
            }
            self.instrs[jump.at].d = self.instrs.len() as u32;
            let at = (self.words[jump.from].offset, self.open[jump.at]);
            let rank = if new_line { LINE } else { BODY };
            let next = Key { plain: self.starts[jump.to], word: jump.to as u32, rank };
            let plain = self.keys[jump.at].plain;
            for event in jump.events {
                let arg = match event {
                    events::LOOP => self.lines[jump.from].unwrap_or(0),
                    _ => self.words[jump.to].offset,
                };
                self.site(Site { event, offset: at.0, arg, plain, next }, at, next);
            }
            self.push(Instr::new(Op::Jump, 0, 0, 0, target), at, next);
        }
        Ok(())
    }
}

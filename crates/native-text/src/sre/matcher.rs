//! The matcher: a backtracking machine with a stack of its own, so that no pattern or text makes the native stack deep.
//!
//! What can be undone is on the stack: choices that are left, and old values of marks and loop counters. Failing pops
//! until a choice is found. The matcher polls now and then, so that a pattern that takes for ever can be stopped.

use super::program::{Fold, Hint, Inst, MAX_REPEAT, One, Pc, Place, Program, Sealed, is_word};
use pellucid_object::{Interpreter, Res};

/// Text that can be matched: code points of one width.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether there is nothing to match")]
pub trait Units: Copy {
    fn len(&self) -> usize;
    /// The code point at `at`, which is within bounds.
    fn at(&self, at: usize) -> u32;
    /// The first place from `from` on, and before `end`, where `prefix` stands.
    fn find(&self, prefix: &[u32], from: usize, end: usize) -> Option<usize>;
    /// The first place of one code point.
    fn find_one(&self, point: u32, from: usize, end: usize) -> Option<usize>;
}

impl Units for &[u8] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }
    #[inline(always)]
    fn at(&self, at: usize) -> u32 {
        self.get(at).map_or(0, |b| u32::from(*b))
    }
    fn find(&self, prefix: &[u32], from: usize, end: usize) -> Option<usize> {
        let hay = self.get(from..end)?;
        if let [one] = prefix {
            return memchr::memchr(u8::try_from(*one).ok()?, hay).map(|at| from + at);
        }
        let mut needle = [0; 64];
        let len = prefix.len().min(needle.len());
        for (to, point) in needle.iter_mut().zip(prefix) {
            *to = u8::try_from(*point).ok()?;
        }
        let mut at = from;
        loop {
            at += memchr::memmem::find(self.get(at..end)?, &needle[..len])?;
            if len == prefix.len()
                || self
                    .get(at..end)?
                    .iter()
                    .map(|b| u32::from(*b))
                    .take(prefix.len())
                    .eq(prefix.iter().copied())
            {
                return Some(at);
            }
            at += 1;
        }
    }
    fn find_one(&self, point: u32, from: usize, end: usize) -> Option<usize> {
        memchr::memchr(u8::try_from(point).ok()?, self.get(from..end)?).map(|at| from + at)
    }
}

macro_rules! wide_units {
    ($ty:ty) => {
        impl Units for &[$ty] {
            #[inline(always)]
            fn len(&self) -> usize {
                <[$ty]>::len(self)
            }
            #[inline(always)]
            fn at(&self, at: usize) -> u32 {
                self.get(at).map_or(0, |u| u32::from(*u))
            }
            fn find(&self, prefix: &[u32], from: usize, end: usize) -> Option<usize> {
                let hay = self.get(from..end)?;
                let same = |window: &[$ty]| window.iter().zip(prefix).all(|(u, p)| u32::from(*u) == *p);
                hay.windows(prefix.len().max(1)).position(same).map(|at| from + at)
            }
            fn find_one(&self, point: u32, from: usize, end: usize) -> Option<usize> {
                let point = <$ty>::try_from(point).ok()?;
                self.get(from..end)?.iter().position(|u| *u == point).map(|at| from + at)
            }
        }
    };
}
wide_units!(u16);
wide_units!(u32);

/// No position.
pub const NONE: usize = usize::MAX;

/// How many code points from `at` on match, at most `most`.
fn run_of<U: Units>(text: U, one: &One, at: usize, most: usize) -> usize {
    match one {
        One::Any => most,
        One::AnyButLineBreak => text.find_one(0x0a, at, at + most).map_or(most, |found| found - at),
        One::Set(Fold::None, set) => (at..at + most).take_while(|i| set.has(text.at(*i))).count(),
        _ => (at..at + most).take_while(|i| one.matches(text.at(*i))).count(),
    }
}

/// A choice that is left, or something to be undone.
enum Frame {
    Choice {
        pc: Pc,
        at: usize,
    },
    /// Alternatives from `next` on.
    Branch {
        pc: Pc,
        next: u32,
        at: usize,
    },
    /// One code point less, down to `least`.
    Greedy {
        pc: Pc,
        least: usize,
        at: usize,
    },
    /// One code point more.
    Lazy {
        pc: Pc,
        at: usize,
        left: u32,
    },
    /// Another round of a lazy loop.
    Round {
        index: u32,
        at: usize,
    },
    Mark {
        index: u32,
        old: usize,
    },
    LastGroup {
        old: u32,
    },
    Loop {
        index: u32,
        count: u32,
        last: usize,
    },
    /// Where a sealed group began. `outer`: the place of the one around it on the stack.
    Sealed {
        pc: Pc,
        at: usize,
        outer: u32,
    },
}

const NO_SEAL: u32 = u32::MAX;

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the start position.
    Match,
    /// At the start position, up to the end.
    FullMatch,
    /// At every position.
    Search,
}

/// The state of matching one text; reused from match to match.
pub struct Matcher<'p> {
    program: &'p Program,
    marks: Vec<usize>,
    /// Number of the group that was closed last; 0: none.
    pub last_group: u32,
    loops: Vec<(u32, usize)>,
    stack: Vec<Frame>,
    seal: u32,
    steps: u32,
}

impl<'p> Matcher<'p> {
    pub fn new(program: &'p Program) -> Matcher<'p> {
        Matcher {
            program,
            marks: vec![NONE; program.groups as usize * 2],
            last_group: 0,
            loops: vec![(0, NONE); program.loops.len()],
            stack: Vec::new(),
            seal: NO_SEAL,
            steps: 0,
        }
    }

    /// Where the groups start and end, `NONE` where they do not.
    pub fn marks(&self) -> &[usize] {
        &self.marks
    }

    fn reset(&mut self) {
        // Filling nothing, where there is nothing, is slow on some processors.
        if !self.marks.is_empty() {
            self.marks.fill(NONE);
        }
        self.last_group = 0;
        self.stack.clear();
        self.seal = NO_SEAL;
    }

    /// Matches `text[..end]` from `start` on: where the match starts and ends. A match that is empty at `not_empty_at` does
    /// not count. Errors: what polling raises, `MemoryError`.
    pub fn run<U: Units>(
        &mut self,
        vm: &Interpreter,
        text: U,
        (start, end): (usize, usize),
        mode: Mode,
        not_empty_at: usize,
    ) -> Res<Option<(usize, usize)>> {
        if start > end || end - start < self.program.least {
            return Ok(None);
        }
        let whole = mode == Mode::FullMatch;
        if mode != Mode::Search {
            self.reset();
            return Ok(self.run_at(vm, text, (start, end), whole, not_empty_at)?.map(|stop| (start, stop)));
        }
        let last = end - self.program.least;
        let mut at = start;
        loop {
            let candidate = match &self.program.hint {
                Hint::Prefix(prefix) => text.find(prefix, at, end),
                Hint::First(set) => (at..end).find(|at| set.has(text.at(*at))),
                Hint::Low(low) => (at..end).find(|at| low.get(text.at(*at) as usize).is_none_or(|b| *b)),
                Hint::None => Some(at),
            };
            at = match candidate {
                Some(candidate) if candidate <= last => candidate,
                _ => return Ok(None),
            };
            self.reset();
            if let Some(stop) = self.run_at(vm, text, (at, end), whole, not_empty_at)? {
                return Ok(Some((at, stop)));
            }
            if self.program.anchored || at >= last {
                return Ok(None);
            }
            at += 1;
            self.tick(vm)?;
        }
    }

    /// Counts a step; polls when there were many.
    #[inline(always)]
    fn tick(&mut self, vm: &Interpreter) -> Res<()> {
        self.steps += 1;
        if self.steps & 0xffff == 0 { vm.poll() } else { Ok(()) }
    }

    #[inline(always)]
    fn push(&mut self, vm: &Interpreter, frame: Frame) -> Res<()> {
        if self.stack.len() == self.stack.capacity() && self.stack.try_reserve(1).is_err() {
            return Err(vm.no_memory());
        }
        self.stack.push(frame);
        Ok(())
    }

    fn set_mark(&mut self, vm: &Interpreter, index: u32, at: usize) -> Res<()> {
        let old = std::mem::replace(&mut self.marks[index as usize], at);
        self.push(vm, Frame::Mark { index, old })?;
        if index & 1 == 1 {
            let old = std::mem::replace(&mut self.last_group, index / 2 + 1);
            self.push(vm, Frame::LastGroup { old })?;
        }
        Ok(())
    }

    fn set_loop(&mut self, vm: &Interpreter, index: u32, count: u32, last: usize) -> Res<()> {
        let (old_count, old_last) = std::mem::replace(&mut self.loops[index as usize], (count, last));
        self.push(vm, Frame::Loop { index, count: old_count, last: old_last })
    }

    fn group(&self, group: u32) -> Option<(usize, usize)> {
        let (start, end) = (self.marks[2 * group as usize], self.marks[2 * group as usize + 1]);
        (start != NONE && end != NONE && start <= end).then_some((start, end))
    }

    /// Takes the innermost seal away with the choices above it. What was marked meanwhile stays, and stays to be undone,
    /// when `keep`; else it is undone here. Where the group began.
    fn unseal(&mut self, keep: bool) -> usize {
        let base = self.seal as usize;
        let mut began = 0;
        if let Some(Frame::Sealed { at, outer, .. }) = self.stack.get(base) {
            began = *at;
            self.seal = *outer;
        }
        if keep {
            let mut to = base;
            for from in base..self.stack.len() {
                let undoes = matches!(
                    self.stack[from],
                    Frame::Mark { .. } | Frame::LastGroup { .. } | Frame::Loop { .. }
                );
                if undoes {
                    self.stack.swap(to, from);
                    to += 1;
                }
            }
            self.stack.truncate(to);
        } else {
            while self.stack.len() > base {
                if let Some(frame) = self.stack.pop() {
                    self.undo(&frame);
                }
            }
        }
        began
    }

    #[inline(always)]
    fn undo(&mut self, frame: &Frame) {
        match frame {
            Frame::Mark { index, old } => self.marks[*index as usize] = *old,
            Frame::LastGroup { old } => self.last_group = *old,
            Frame::Loop { index, count, last } => self.loops[*index as usize] = (*count, *last),
            _ => {}
        }
    }

    fn at_place<U: Units>(&self, text: U, at: usize, end: usize, place: Place) -> bool {
        match place {
            Place::Beginning => at == 0,
            Place::BeginningOfLine => at == 0 || text.at(at - 1) == 0x0a,
            Place::End => at == end || at + 1 == end && text.at(at) == 0x0a,
            Place::EndOfLine => at == end || text.at(at) == 0x0a,
            Place::VeryEnd => at == end,
            Place::Boundary(fold) | Place::NoBoundary(fold) => {
                let before = at > 0 && is_word(fold, text.at(at - 1));
                let after = at < end && is_word(fold, text.at(at));
                (before != after) == matches!(place, Place::Boundary(_))
            }
        }
    }

    /// Matches at `start`; where the match ends.
    fn run_at<U: Units>(
        &mut self,
        vm: &Interpreter,
        text: U,
        (start, end): (usize, usize),
        whole: bool,
        not_empty_at: usize,
    ) -> Res<Option<usize>> {
        let program = self.program;
        let end = end.min(text.len());
        let (mut pc, mut at) = (0, start);
        loop {
            self.tick(vm)?;
            let Some(inst) = program.insts.get(pc as usize) else { return Ok(None) };
            pc += 1;
            let matched = match inst {
                Inst::Literal(literal) => {
                    let same = at < end && text.at(at) == *literal;
                    at += usize::from(same);
                    same
                }
                Inst::One(one) => {
                    let same = at < end && one.matches(text.at(at));
                    at += usize::from(same);
                    same
                }
                Inst::Place(place) => self.at_place(text, at, end, *place),
                Inst::Mark(index) => {
                    self.set_mark(vm, *index, at)?;
                    true
                }
                Inst::Jump(target) => {
                    pc = *target;
                    true
                }
                Inst::Branch(_) => match self.branch(vm, text, pc - 1, 0, (at, end))? {
                    Some(target) => {
                        pc = target;
                        true
                    }
                    None => false,
                },
                Inst::Greedy(repeat) => {
                    let most = usize::try_from(repeat.most).unwrap_or(usize::MAX).min(end - at);
                    let taken = run_of(text, &repeat.one, at, most);
                    let least = at + repeat.least as usize;
                    if at + taken < least {
                        false
                    } else {
                        match self.greedy(vm, text, pc - 1, (least, at + taken), end)? {
                            Some((target, place)) => {
                                (pc, at) = (target, place);
                                true
                            }
                            None => false,
                        }
                    }
                }
                Inst::Possessive(repeat) => {
                    let most = usize::try_from(repeat.most).unwrap_or(usize::MAX).min(end - at);
                    let taken = run_of(text, &repeat.one, at, most);
                    at += taken;
                    pc = repeat.next;
                    taken >= repeat.least as usize
                }
                Inst::Lazy(repeat) => {
                    let least = repeat.least as usize;
                    let enough =
                        end - at >= least && (at..at + least).all(|i| repeat.one.matches(text.at(i)));
                    if enough {
                        at += least;
                        let left = match repeat.most {
                            MAX_REPEAT => MAX_REPEAT,
                            most => most - repeat.least,
                        };
                        match self.lazy(vm, text, pc - 1, (at, end), left)? {
                            Some((target, place)) => {
                                (pc, at) = (target, place);
                                true
                            }
                            None => false,
                        }
                    } else {
                        false
                    }
                }
                Inst::Enter(index, until) => {
                    self.set_loop(vm, *index, 0, NONE)?;
                    pc = *until;
                    true
                }
                Inst::GreedyUntil(index) => {
                    let l = &program.loops[*index as usize];
                    let (count, last) = self.loops[*index as usize];
                    if count < l.least {
                        self.set_loop(vm, *index, count + 1, last)?;
                        pc = l.body;
                    } else if (count < l.most || l.most == MAX_REPEAT) && at != last {
                        self.push(vm, Frame::Choice { pc: l.exit, at })?;
                        self.set_loop(vm, *index, count.saturating_add(1), at)?;
                        pc = l.body;
                    } else {
                        pc = l.exit;
                    }
                    true
                }
                Inst::LazyUntil(index) => {
                    let l = &program.loops[*index as usize];
                    let (count, last) = self.loops[*index as usize];
                    if count < l.least {
                        self.set_loop(vm, *index, count + 1, last)?;
                        pc = l.body;
                    } else {
                        self.push(vm, Frame::Round { index: *index, at })?;
                        pc = l.exit;
                    }
                    true
                }
                Inst::PossessiveUntil(index) => {
                    let l = &program.loops[*index as usize];
                    let (count, last) = self.loops[*index as usize];
                    let more = count < l.least || (count < l.most || l.most == MAX_REPEAT) && at != last;
                    if more {
                        let outer = std::mem::replace(&mut self.seal, self.stack.len() as u32);
                        self.push(vm, Frame::Sealed { pc: pc - 1, at, outer })?;
                        pc = l.body;
                    } else {
                        pc = l.exit;
                    }
                    true
                }
                Inst::Seal { kind, back, exit } => match at.checked_sub(*back as usize) {
                    Some(from) => {
                        let outer = std::mem::replace(&mut self.seal, self.stack.len() as u32);
                        self.push(vm, Frame::Sealed { pc: pc - 1, at, outer })?;
                        at = from;
                        true
                    }
                    None if *kind == Sealed::NotAhead => {
                        pc = *exit;
                        true
                    }
                    None => false,
                },
                Inst::Unseal(kind) => match kind {
                    Sealed::Atomic => {
                        self.unseal(true);
                        true
                    }
                    Sealed::Ahead => {
                        at = self.unseal(true);
                        true
                    }
                    Sealed::NotAhead => {
                        self.unseal(false);
                        false
                    }
                    Sealed::Round(index) => {
                        let began = self.unseal(true);
                        let (count, _) = self.loops[*index as usize];
                        self.set_loop(vm, *index, count.saturating_add(1), began)?;
                        let l = &program.loops[*index as usize];
                        // A round that took nothing would be taken for ever.
                        pc = if at == began && count + 1 >= l.least { l.exit } else { l.body - 1 };
                        true
                    }
                },
                Inst::GroupRef(fold, group) => match self.group(*group) {
                    Some((from, to)) if to - from <= end - at => {
                        let same = (0..to - from)
                            .all(|i| fold.apply(text.at(from + i)) == fold.apply(text.at(at + i)));
                        if same {
                            at += to - from;
                        }
                        same
                    }
                    _ => false,
                },
                Inst::IfGroup(group, otherwise) => {
                    if self.group(*group).is_none() {
                        pc = *otherwise;
                    }
                    true
                }
                Inst::Success => {
                    if (!whole || at == end) && !(at == start && at == not_empty_at) {
                        return Ok(Some(at));
                    }
                    false
                }
                Inst::Fail => false,
            };
            if !matched {
                match self.backtrack(vm, text, end)? {
                    Some((next, place)) => (pc, at) = (next, place),
                    None => return Ok(None),
                }
            }
        }
    }

    /// The next alternative that can match here; a choice is left when there are more.
    fn branch<U: Units>(
        &mut self,
        vm: &Interpreter,
        text: U,
        pc: Pc,
        from: u32,
        (at, end): (usize, usize),
    ) -> Res<Option<Pc>> {
        let Some(Inst::Branch(alternatives)) = self.program.insts.get(pc as usize) else { return Ok(None) };
        let here = if at < end { Some(text.at(at)) } else { None };
        let rest = alternatives.iter().enumerate().skip(from as usize);
        let mut possible = rest.filter(|(_, a)| a.first.is_none() || a.first == here);
        let Some((_, first)) = possible.next() else { return Ok(None) };
        let target = first.pc;
        if let Some((next, _)) = possible.next() {
            self.push(vm, Frame::Branch { pc, next: next as u32, at })?;
        }
        Ok(Some(target))
    }

    /// Goes on behind a greedy repeat that ends at `to` or, when that fails, before it.
    fn greedy<U: Units>(
        &mut self,
        vm: &Interpreter,
        text: U,
        pc: Pc,
        (least, to): (usize, usize),
        end: usize,
    ) -> Res<Option<(Pc, usize)>> {
        let Some(Inst::Greedy(repeat)) = self.program.insts.get(pc as usize) else { return Ok(None) };
        let mut at = to;
        if let Some(literal) = repeat.then {
            while at >= end || text.at(at) != literal {
                if at <= least {
                    return Ok(None);
                }
                at -= 1;
            }
        }
        if at > least {
            self.push(vm, Frame::Greedy { pc, least, at: at - 1 })?;
        }
        Ok(Some((repeat.next, at)))
    }

    /// Goes on behind a lazy repeat that ends at `at` or, when that fails, behind it.
    fn lazy<U: Units>(
        &mut self,
        vm: &Interpreter,
        text: U,
        pc: Pc,
        (at, end): (usize, usize),
        left: u32,
    ) -> Res<Option<(Pc, usize)>> {
        let Some(Inst::Lazy(repeat)) = self.program.insts.get(pc as usize) else { return Ok(None) };
        let (mut at, mut left) = (at, left);
        if let Some(literal) = repeat.then {
            // Only where the literal stands can the rest match.
            while at < end && text.at(at) != literal {
                if left == 0 || !repeat.one.matches(text.at(at)) {
                    return Ok(None);
                }
                at += 1;
                left -= u32::from(left != MAX_REPEAT);
            }
        }
        if left > 0 && at < end {
            self.push(vm, Frame::Lazy { pc, at, left })?;
        }
        Ok(Some((repeat.next, at)))
    }

    /// Undoes what was done since the last choice and takes another one.
    fn backtrack<U: Units>(&mut self, vm: &Interpreter, text: U, end: usize) -> Res<Option<(Pc, usize)>> {
        loop {
            let Some(frame) = self.stack.pop() else { return Ok(None) };
            match frame {
                Frame::Choice { pc, at } => return Ok(Some((pc, at))),
                Frame::Branch { pc, next, at } => {
                    if let Some(target) = self.branch(vm, text, pc, next, (at, end))? {
                        return Ok(Some((target, at)));
                    }
                }
                Frame::Greedy { pc, least, at } => {
                    if let Some(found) = self.greedy(vm, text, pc, (least, at), end)? {
                        return Ok(Some(found));
                    }
                }
                Frame::Lazy { pc, at, left } => {
                    let Some(Inst::Lazy(repeat)) = self.program.insts.get(pc as usize) else { continue };
                    if at < end && repeat.one.matches(text.at(at)) {
                        let left = left - u32::from(left != MAX_REPEAT);
                        if let Some(found) = self.lazy(vm, text, pc, (at + 1, end), left)? {
                            return Ok(Some(found));
                        }
                    }
                }
                Frame::Round { index, at } => {
                    let l = &self.program.loops[index as usize];
                    let (count, last) = self.loops[index as usize];
                    if (count < l.most || l.most == MAX_REPEAT) && at != last {
                        self.set_loop(vm, index, count.saturating_add(1), at)?;
                        return Ok(Some((l.body, at)));
                    }
                }
                Frame::Sealed { pc, at, outer } => {
                    self.seal = outer;
                    match self.program.insts.get(pc as usize) {
                        Some(Inst::Seal { kind: Sealed::NotAhead, exit, .. }) => {
                            return Ok(Some((*exit, at)));
                        }
                        Some(Inst::PossessiveUntil(index)) => {
                            let l = &self.program.loops[*index as usize];
                            if self.loops[*index as usize].0 >= l.least {
                                return Ok(Some((l.exit, at)));
                            }
                        }
                        _ => {}
                    }
                }
                other => self.undo(&other),
            }
        }
    }
}

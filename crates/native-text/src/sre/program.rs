//! Patterns as the matcher runs them: the code words of `re._compiler`, checked and turned into instructions.
//!
//! The words come from Python code, so nothing in them is trusted: what is no pattern is refused ([`Invalid`]), and every
//! index in a [`Program`] is within bounds.

use pellucid_object::text::{case, split, unicode};
use std::collections::HashMap;

/// Number that `re._constants` must agree with.
pub const MAGIC: i64 = 20230612;
/// A repeat without an upper bound.
pub const MAX_REPEAT: u32 = u32::MAX;
/// Most groups of a pattern.
pub const MAX_GROUPS: u32 = MAX_REPEAT / 4;

/// The words are no pattern.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid;

/// The words' opcodes, in the order of `re._constants.OPCODES`.
mod op {
    pub const FAILURE: u32 = 0;
    pub const SUCCESS: u32 = 1;
    pub const ANY: u32 = 2;
    pub const ANY_ALL: u32 = 3;
    pub const ASSERT: u32 = 4;
    pub const ASSERT_NOT: u32 = 5;
    pub const AT: u32 = 6;
    pub const BRANCH: u32 = 7;
    pub const CATEGORY: u32 = 8;
    pub const CHARSET: u32 = 9;
    pub const BIGCHARSET: u32 = 10;
    pub const GROUPREF: u32 = 11;
    pub const GROUPREF_EXISTS: u32 = 12;
    pub const IN: u32 = 13;
    pub const INFO: u32 = 14;
    pub const JUMP: u32 = 15;
    pub const LITERAL: u32 = 16;
    pub const MARK: u32 = 17;
    pub const MAX_UNTIL: u32 = 18;
    pub const MIN_UNTIL: u32 = 19;
    pub const NOT_LITERAL: u32 = 20;
    pub const NEGATE: u32 = 21;
    pub const RANGE: u32 = 22;
    pub const REPEAT: u32 = 23;
    pub const REPEAT_ONE: u32 = 24;
    pub const MIN_REPEAT_ONE: u32 = 26;
    pub const ATOMIC_GROUP: u32 = 27;
    pub const POSSESSIVE_REPEAT: u32 = 28;
    pub const POSSESSIVE_REPEAT_ONE: u32 = 29;
    pub const GROUPREF_IGNORE: u32 = 30;
    pub const IN_IGNORE: u32 = 31;
    pub const LITERAL_IGNORE: u32 = 32;
    pub const NOT_LITERAL_IGNORE: u32 = 33;
    pub const GROUPREF_LOC_IGNORE: u32 = 34;
    pub const IN_LOC_IGNORE: u32 = 35;
    pub const LITERAL_LOC_IGNORE: u32 = 36;
    pub const NOT_LITERAL_LOC_IGNORE: u32 = 37;
    pub const GROUPREF_UNI_IGNORE: u32 = 38;
    pub const IN_UNI_IGNORE: u32 = 39;
    pub const LITERAL_UNI_IGNORE: u32 = 40;
    pub const NOT_LITERAL_UNI_IGNORE: u32 = 41;
    pub const RANGE_UNI_IGNORE: u32 = 42;
}

/// How letters of different case are taken as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    None,
    Ascii,
    Locale,
    Unicode,
}

/// The lower case of ASCII letters.
pub fn lower_ascii(point: u32) -> u32 {
    if point < 0x80 { u32::from((point as u8).to_ascii_lowercase()) } else { point }
}

fn upper_ascii(point: u32) -> u32 {
    if point < 0x80 { u32::from((point as u8).to_ascii_uppercase()) } else { point }
}

impl Fold {
    /// The code point that stands for all its cases.
    #[inline]
    pub fn apply(self, point: u32) -> u32 {
        match self {
            Fold::None => point,
            Fold::Ascii | Fold::Locale => lower_ascii(point),
            Fold::Unicode => unicode::lower(point),
        }
    }
}

/// A category as the words name it.
fn category(code: u32, point: u32) -> Option<bool> {
    let ascii = |test: fn(&u8) -> bool| u8::try_from(point).is_ok_and(|b| b.is_ascii() && test(&b));
    let word = || ascii(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let plain = match code & !1 {
        0 => ascii(u8::is_ascii_digit),
        2 => ascii(|b| matches!(b, 9..=13 | b' ')),
        4 | 8 => word(),
        6 => point == 0x0a,
        10 => case::is_decimal(point),
        12 => case::is_space(point),
        14 => point == 0x5f || word() || point >= 0x80 && case::is_alnum(point),
        16 => split::is_line_break(point),
        _ => return None,
    };
    Some(plain != (code & 1 == 1))
}

/// Whether the code point belongs to words, as `\b` sees it.
#[inline]
pub fn is_word(kind: Fold, point: u32) -> bool {
    if point < 0x80 {
        return (point as u8).is_ascii_alphanumeric() || point == 0x5f;
    }
    kind == Fold::Unicode && case::is_alnum(point)
}

/// A part of a set.
enum Part {
    Range(u32, u32),
    /// A range that also holds what has its upper case in it.
    RangeAnyCase(u32, u32),
    Category(u32),
    /// 256 bits a block, blocks by the high byte.
    Blocks(Vec<u8>, Vec<[u32; 8]>),
    Negate,
}

/// A set of code points.
pub struct Set {
    parts: Vec<Part>,
    /// The answers for the first 256.
    low: [u64; 4],
}

impl Set {
    #[inline(always)]
    pub fn has(&self, point: u32) -> bool {
        if point < 256 {
            return self.low[point as usize >> 6] >> (point & 63) & 1 != 0;
        }
        self.look(point)
    }

    fn look(&self, point: u32) -> bool {
        let mut wanted = true;
        for part in &self.parts {
            let hit = match part {
                Part::Negate => {
                    wanted = !wanted;
                    false
                }
                Part::Range(low, high) => (*low..=*high).contains(&point),
                Part::RangeAnyCase(low, high) => {
                    (*low..=*high).contains(&point) || (*low..=*high).contains(&unicode::upper(point))
                }
                Part::Category(code) => category(*code, point) == Some(true),
                Part::Blocks(index, blocks) => index
                    .get(point as usize >> 8)
                    .and_then(|block| blocks.get(usize::from(*block)))
                    .is_some_and(|block| block[(point & 255) as usize >> 5] >> (point & 31) & 1 != 0),
            };
            if hit {
                return wanted;
            }
        }
        !wanted
    }

    fn read(words: &[u32]) -> Result<(Set, usize), Invalid> {
        let (mut parts, mut at) = (Vec::new(), 0);
        let word = |at: usize| words.get(at).copied().ok_or(Invalid);
        loop {
            let code = word(at)?;
            at += 1;
            match code {
                op::FAILURE => break,
                op::NEGATE => parts.push(Part::Negate),
                op::LITERAL => {
                    parts.push(Part::Range(word(at)?, word(at)?));
                    at += 1;
                }
                op::RANGE => {
                    parts.push(Part::Range(word(at)?, word(at + 1)?));
                    at += 2;
                }
                op::RANGE_UNI_IGNORE => {
                    parts.push(Part::RangeAnyCase(word(at)?, word(at + 1)?));
                    at += 2;
                }
                op::CATEGORY => {
                    category(word(at)?, 0).ok_or(Invalid)?;
                    parts.push(Part::Category(word(at)?));
                    at += 1;
                }
                op::CHARSET => {
                    parts.push(Part::Blocks(vec![0], vec![block(words, at)?]));
                    at += 8;
                }
                op::BIGCHARSET => {
                    let count = word(at)? as usize;
                    let index: Vec<u8> = words
                        .get(at + 1..at + 65)
                        .ok_or(Invalid)?
                        .iter()
                        .flat_map(|w| w.to_ne_bytes())
                        .collect();
                    at += 65;
                    if count > 256 || index.iter().any(|i| usize::from(*i) >= count) {
                        return Err(Invalid);
                    }
                    let blocks: Result<Vec<_>, _> = (0..count).map(|i| block(words, at + 8 * i)).collect();
                    parts.push(Part::Blocks(index, blocks?));
                    at += 8 * count;
                }
                _ => return Err(Invalid),
            }
        }
        let mut set = Set { parts, low: [0; 4] };
        for point in 0..256 {
            if set.look(point) {
                set.low[point as usize >> 6] |= 1 << (point & 63);
            }
        }
        Ok((set, at))
    }
}

fn block(words: &[u32], at: usize) -> Result<[u32; 8], Invalid> {
    words.get(at..at + 8).and_then(|words| words.try_into().ok()).ok_or(Invalid)
}

/// What matches one code point.
pub enum One {
    Any,
    AnyButLineBreak,
    Literal(Fold, u32),
    NotLiteral(Fold, u32),
    Set(Fold, Set),
    Category(u32),
}

impl One {
    #[inline(always)]
    pub fn matches(&self, point: u32) -> bool {
        match self {
            One::Any => true,
            One::AnyButLineBreak => point != 0x0a,
            One::Literal(Fold::None, literal) => point == *literal,
            One::NotLiteral(Fold::None, literal) => point != *literal,
            One::Set(Fold::None, set) => set.has(point),
            One::Category(code) => category(*code, point) == Some(true),
            _ => self.matches_folded(point),
        }
    }

    fn matches_folded(&self, point: u32) -> bool {
        match self {
            One::Literal(fold, literal) => same_letter(*fold, *literal, point),
            One::NotLiteral(fold, literal) => !same_letter(*fold, *literal, point),
            One::Set(Fold::Locale, set) => set.has(lower_ascii(point)) || set.has(upper_ascii(point)),
            One::Set(fold, set) => set.has(fold.apply(point)),
            _ => false,
        }
    }
}

fn same_letter(fold: Fold, literal: u32, point: u32) -> bool {
    match fold {
        Fold::Locale => literal == point || lower_ascii(point) == literal || upper_ascii(point) == literal,
        _ => fold.apply(point) == literal,
    }
}

/// Places in the text that match without taking anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Beginning,
    BeginningOfLine,
    End,
    EndOfLine,
    VeryEnd,
    Boundary(Fold),
    NoBoundary(Fold),
}

/// Index of an instruction.
pub type Pc = u32;

/// A repeat of one code point.
pub struct RepeatOne {
    pub one: One,
    pub least: u32,
    pub most: u32,
    /// The literal that must follow, if that is known.
    pub then: Option<u32>,
    pub next: Pc,
}

/// A repeat of anything else. Its count and last position stand in the matcher under its index.
pub struct Loop {
    pub least: u32,
    pub most: u32,
    pub body: Pc,
    pub exit: Pc,
}

/// An alternative, and the literal that it starts with, if that is known.
pub struct Alternative {
    pub first: Option<u32>,
    pub pc: Pc,
}

/// How a group that cannot be entered again is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sealed {
    Atomic,
    Ahead,
    NotAhead,
    /// One round of a possessive repeat; the index of the loop.
    Round(u32),
}

/// An instruction.
pub enum Inst {
    One(One),
    Literal(u32),
    Place(Place),
    Mark(u32),
    Jump(Pc),
    Branch(Vec<Alternative>),
    Greedy(RepeatOne),
    Lazy(RepeatOne),
    Possessive(RepeatOne),
    /// Starts loop `.0` and goes on at `.1`.
    Enter(u32, Pc),
    GreedyUntil(u32),
    LazyUntil(u32),
    PossessiveUntil(u32),
    /// What follows, up to the matching `Unseal`, is matched once and for all; `back` code points are stepped back first.
    Seal {
        kind: Sealed,
        back: u32,
        exit: Pc,
    },
    Unseal(Sealed),
    GroupRef(Fold, u32),
    /// Goes to the second when the group was not matched.
    IfGroup(u32, Pc),
    Success,
    Fail,
}

/// What a search can look for before it tries to match.
pub enum Hint {
    None,
    /// Every match starts with these.
    Prefix(Vec<u32>),
    /// Every match starts with one of these.
    First(Set),
    /// What a match starts with, if it is below 256, is one of these.
    Low(Box<[bool; 256]>),
}

/// A pattern ready to run.
pub struct Program {
    pub insts: Vec<Inst>,
    pub loops: Vec<Loop>,
    pub groups: u32,
    /// Fewest code points of a match.
    pub least: usize,
    pub hint: Hint,
    /// Only the beginning of the text can match.
    pub anchored: bool,
}

/// What a word at some offset is, when it is no opcode of its own.
enum Special {
    /// The skip word of an alternative.
    Skip,
    Until(u32),
    Unseal(Sealed),
}

struct Reader<'a> {
    words: &'a [u32],
    insts: Vec<Inst>,
    loops: Vec<Loop>,
    groups: u32,
    special: HashMap<usize, Special>,
    /// Word offset to instruction.
    starts: HashMap<usize, Pc>,
}

fn fold_of(base: u32, code: u32) -> Fold {
    // The families stand in the order ASCII, locale, Unicode, four codes apart.
    match (code - base) / 4 {
        0 => Fold::Ascii,
        1 => Fold::Locale,
        _ => Fold::Unicode,
    }
}

impl Reader<'_> {
    fn word(&self, at: usize) -> Result<u32, Invalid> {
        self.words.get(at).copied().ok_or(Invalid)
    }

    /// Where the skip word at `at` leads.
    fn target(&self, at: usize) -> Result<usize, Invalid> {
        let target = at.checked_add(self.word(at)? as usize).ok_or(Invalid)?;
        if target <= at || target > self.words.len() { Err(Invalid) } else { Ok(target) }
    }

    /// What matches one code point at `at`, and the offset behind it.
    fn one(&self, at: usize) -> Result<(One, usize), Invalid> {
        let code = self.word(at)?;
        Ok(match code {
            op::ANY => (One::AnyButLineBreak, at + 1),
            op::ANY_ALL => (One::Any, at + 1),
            op::CATEGORY => {
                category(self.word(at + 1)?, 0).ok_or(Invalid)?;
                (One::Category(self.word(at + 1)?), at + 2)
            }
            op::LITERAL => (One::Literal(Fold::None, self.word(at + 1)?), at + 2),
            op::NOT_LITERAL => (One::NotLiteral(Fold::None, self.word(at + 1)?), at + 2),
            op::LITERAL_IGNORE | op::LITERAL_LOC_IGNORE | op::LITERAL_UNI_IGNORE => {
                (One::Literal(fold_of(op::LITERAL_IGNORE, code), self.word(at + 1)?), at + 2)
            }
            op::NOT_LITERAL_IGNORE | op::NOT_LITERAL_LOC_IGNORE | op::NOT_LITERAL_UNI_IGNORE => {
                (One::NotLiteral(fold_of(op::NOT_LITERAL_IGNORE, code), self.word(at + 1)?), at + 2)
            }
            op::IN | op::IN_IGNORE | op::IN_LOC_IGNORE | op::IN_UNI_IGNORE => {
                let fold = if code == op::IN { Fold::None } else { fold_of(op::IN_IGNORE, code) };
                let end = self.target(at + 1)?;
                let (set, len) = Set::read(self.words.get(at + 2..end).ok_or(Invalid)?)?;
                if at + 2 + len != end {
                    return Err(Invalid);
                }
                (One::Set(fold, set), end)
            }
            _ => return Err(Invalid),
        })
    }

    fn place(code: u32) -> Result<Place, Invalid> {
        Ok(match code {
            0 | 2 => Place::Beginning,
            1 => Place::BeginningOfLine,
            3 => Place::Boundary(Fold::Ascii),
            4 => Place::NoBoundary(Fold::Ascii),
            5 => Place::End,
            6 => Place::EndOfLine,
            7 => Place::VeryEnd,
            8 => Place::Boundary(Fold::Locale),
            9 => Place::NoBoundary(Fold::Locale),
            10 => Place::Boundary(Fold::Unicode),
            11 => Place::NoBoundary(Fold::Unicode),
            _ => return Err(Invalid),
        })
    }

    fn group(&self, at: usize) -> Result<u32, Invalid> {
        let group = self.word(at)?;
        if group < self.groups { Ok(group) } else { Err(Invalid) }
    }

    fn bounds(&self, at: usize) -> Result<(u32, u32), Invalid> {
        let (least, most) = (self.word(at)?, self.word(at + 1)?);
        if least > most { Err(Invalid) } else { Ok((least, most)) }
    }

    /// Reads one instruction; the offset of the next. Targets are word offsets until [`Reader::link`].
    fn read(&mut self, at: usize) -> Result<usize, Invalid> {
        match self.special.remove(&at) {
            Some(Special::Skip) => return Ok(at + 1),
            Some(Special::Unseal(kind)) => {
                if self.word(at)? != op::SUCCESS {
                    return Err(Invalid);
                }
                self.insts.push(Inst::Unseal(kind));
                return Ok(at + 1);
            }
            Some(Special::Until(index)) => {
                self.insts.push(match self.word(at)? {
                    op::MAX_UNTIL => Inst::GreedyUntil(index),
                    op::MIN_UNTIL => Inst::LazyUntil(index),
                    _ => return Err(Invalid),
                });
                return Ok(at + 1);
            }
            None => {}
        }
        let code = self.word(at)?;
        match code {
            op::SUCCESS => self.insts.push(Inst::Success),
            op::FAILURE => self.insts.push(Inst::Fail),
            op::LITERAL => {
                self.insts.push(Inst::Literal(self.word(at + 1)?));
                return Ok(at + 2);
            }
            op::AT => {
                self.insts.push(Inst::Place(Self::place(self.word(at + 1)?)?));
                return Ok(at + 2);
            }
            op::MARK => {
                let mark = self.word(at + 1)?;
                if mark / 2 >= self.groups {
                    return Err(Invalid);
                }
                self.insts.push(Inst::Mark(mark));
                return Ok(at + 2);
            }
            op::JUMP => {
                let target = self.target(at + 1)?;
                self.insts.push(Inst::Jump(target as Pc));
                return Ok(at + 2);
            }
            op::INFO => return self.target(at + 1),
            op::BRANCH => return self.read_branch(at),
            op::REPEAT_ONE | op::MIN_REPEAT_ONE | op::POSSESSIVE_REPEAT_ONE => {
                return self.read_repeat_one(at, code);
            }
            op::REPEAT => {
                let until = self.target(at + 1)?;
                let (least, most) = self.bounds(at + 2)?;
                let index = self.loops.len() as u32;
                self.loops.push(Loop { least, most, body: at as Pc + 4, exit: until as Pc + 1 });
                self.special.insert(until, Special::Until(index));
                self.insts.push(Inst::Enter(index, until as Pc));
                return Ok(at + 4);
            }
            op::POSSESSIVE_REPEAT => {
                // Its head is an instruction of its own, which the end of each round goes back to.
                let after = self.target(at + 1)?;
                let (least, most) = self.bounds(at + 2)?;
                let index = self.loops.len() as u32;
                self.loops.push(Loop { least, most, body: at as Pc + 4, exit: after as Pc + 1 });
                self.special.insert(after, Special::Unseal(Sealed::Round(index)));
                self.insts.push(Inst::Enter(index, at as Pc + 3));
                self.starts.insert(at + 3, self.insts.len() as Pc);
                self.insts.push(Inst::PossessiveUntil(index));
                return Ok(at + 4);
            }
            op::ATOMIC_GROUP => {
                let exit = self.target(at + 1)?;
                self.special.insert(exit - 1, Special::Unseal(Sealed::Atomic));
                self.insts.push(Inst::Seal { kind: Sealed::Atomic, back: 0, exit: exit as Pc });
                return Ok(at + 2);
            }
            op::ASSERT | op::ASSERT_NOT => {
                let exit = self.target(at + 1)?;
                let kind = if code == op::ASSERT { Sealed::Ahead } else { Sealed::NotAhead };
                self.special.insert(exit - 1, Special::Unseal(kind));
                self.insts.push(Inst::Seal { kind, back: self.word(at + 2)?, exit: exit as Pc });
                return Ok(at + 3);
            }
            op::GROUPREF => {
                self.insts.push(Inst::GroupRef(Fold::None, self.group(at + 1)?));
                return Ok(at + 2);
            }
            op::GROUPREF_IGNORE | op::GROUPREF_LOC_IGNORE | op::GROUPREF_UNI_IGNORE => {
                let fold = fold_of(op::GROUPREF_IGNORE, code);
                self.insts.push(Inst::GroupRef(fold, self.group(at + 1)?));
                return Ok(at + 2);
            }
            op::GROUPREF_EXISTS => {
                let target = at + 1 + self.word(at + 2)? as usize;
                self.insts.push(Inst::IfGroup(self.group(at + 1)?, target as Pc));
                return Ok(at + 3);
            }
            _ => {
                let (one, next) = self.one(at)?;
                self.insts.push(Inst::One(one));
                return Ok(next);
            }
        }
        Ok(at + 1)
    }

    fn read_branch(&mut self, at: usize) -> Result<usize, Invalid> {
        let mut alternatives = Vec::new();
        let mut skip = at + 1;
        while self.word(skip)? != 0 {
            let first = match (self.word(skip + 1)?, self.word(skip + 2)) {
                (op::LITERAL, Ok(literal)) => Some(literal),
                _ => None,
            };
            alternatives.push(Alternative { first, pc: skip as Pc + 1 });
            self.special.insert(skip, Special::Skip);
            skip = self.target(skip)?;
        }
        self.special.insert(skip, Special::Skip);
        if alternatives.is_empty() {
            return Err(Invalid);
        }
        self.insts.push(Inst::Branch(alternatives));
        Ok(at + 1)
    }

    fn read_repeat_one(&mut self, at: usize, code: u32) -> Result<usize, Invalid> {
        let next = self.target(at + 1)?;
        let (least, most) = self.bounds(at + 2)?;
        let (one, end) = self.one(at + 4)?;
        if self.word(end)? != op::SUCCESS || end + 1 != next {
            return Err(Invalid);
        }
        let repeat = RepeatOne { one, least, most, then: None, next: next as Pc };
        self.insts.push(match code {
            op::REPEAT_ONE => Inst::Greedy(repeat),
            op::MIN_REPEAT_ONE => Inst::Lazy(repeat),
            _ => Inst::Possessive(repeat),
        });
        Ok(next)
    }

    /// Turns word offsets into indices of instructions.
    fn link(&mut self) -> Result<(), Invalid> {
        let starts = &self.starts;
        let find = |pc: &mut Pc| -> Result<(), Invalid> {
            *pc = *starts.get(&(*pc as usize)).ok_or(Invalid)?;
            Ok(())
        };
        for inst in &mut self.insts {
            match inst {
                Inst::Jump(pc) | Inst::Enter(_, pc) | Inst::IfGroup(_, pc) => find(pc)?,
                Inst::Seal { exit, .. } => find(exit)?,
                Inst::Greedy(r) | Inst::Lazy(r) | Inst::Possessive(r) => find(&mut r.next)?,
                Inst::Branch(alternatives) => {
                    alternatives.iter_mut().try_for_each(|a| find(&mut a.pc))?;
                }
                _ => {}
            }
        }
        for l in &mut self.loops {
            find(&mut l.body)?;
            find(&mut l.exit)?;
        }
        let literals: Vec<Option<u32>> = (0..self.insts.len()).map(|pc| self.literal_at(pc)).collect();
        for inst in &mut self.insts {
            if let Inst::Greedy(r) | Inst::Lazy(r) = inst {
                r.then = literals.get(r.next as usize).copied().flatten();
            }
        }
        Ok(())
    }

    /// The literal that must stand where instruction `pc` is reached; marks take nothing.
    fn literal_at(&self, pc: usize) -> Option<u32> {
        match self.insts.iter().skip(pc).find(|inst| !matches!(inst, Inst::Mark(_)))? {
            Inst::Literal(literal) => Some(*literal),
            _ => None,
        }
    }

    /// The hint that the instructions themselves give, where the compiler has found none.
    fn starts_low(&self) -> Hint {
        let mut low = Box::new([false; 256]);
        let mut steps = 0;
        match self.starts_at(0, &mut low, &mut steps) {
            Some(()) if low.contains(&false) => Hint::Low(low),
            _ => Hint::None,
        }
    }

    /// Notes what can be taken first from instruction `pc` on; `None` when it may be anything, or nothing.
    fn starts_at(&self, pc: Pc, low: &mut [bool; 256], steps: &mut usize) -> Option<()> {
        const MOST_STEPS: usize = 200;
        let mut pc = pc;
        loop {
            *steps += 1;
            if *steps > MOST_STEPS {
                return None;
            }
            let inst = self.insts.get(pc as usize)?;
            pc += 1;
            match inst {
                // They take nothing: what follows must match here too.
                Inst::Mark(_) | Inst::Place(_) | Inst::Unseal(Sealed::Atomic) => {}
                Inst::Seal { kind: Sealed::Atomic, .. } => {}
                Inst::Seal { kind: Sealed::NotAhead, exit, .. } => pc = *exit,
                Inst::Jump(target) => pc = *target,
                Inst::Enter(_, until) => pc = *until,
                Inst::GreedyUntil(index) | Inst::LazyUntil(index) => {
                    let l = self.loops.get(*index as usize)?;
                    if l.least == 0 {
                        self.starts_at(l.exit, low, steps)?;
                    }
                    pc = l.body;
                }
                Inst::Branch(alternatives) => {
                    return alternatives.iter().try_for_each(|a| self.starts_at(a.pc, low, steps));
                }
                Inst::Literal(literal) => {
                    note(low, |point| point == *literal);
                    return Some(());
                }
                Inst::One(one) => {
                    note(low, |point| one.matches(point));
                    return Some(());
                }
                Inst::Greedy(repeat) | Inst::Lazy(repeat) | Inst::Possessive(repeat) => {
                    note(low, |point| repeat.one.matches(point));
                    if repeat.least > 0 {
                        return Some(());
                    }
                    pc = repeat.next;
                }
                _ => return None,
            }
        }
    }

    /// The least length and the hint of the INFO block at the start.
    fn info(&self) -> Result<(usize, Hint), Invalid> {
        const PREFIX: u32 = 1;
        const CHARSET: u32 = 4;
        if self.word(0)? != op::INFO {
            return Ok((0, Hint::None));
        }
        let end = self.target(1)?;
        let (mask, least) = (self.word(2)?, self.word(3)? as usize);
        let hint = if mask & PREFIX != 0 {
            let len = self.word(5)? as usize;
            Hint::Prefix(self.words.get(7..7 + len).filter(|_| 7 + len <= end).ok_or(Invalid)?.to_vec())
        } else if mask & CHARSET != 0 {
            Hint::First(Set::read(self.words.get(5..end).ok_or(Invalid)?)?.0)
        } else {
            Hint::None
        };
        Ok((least, hint))
    }
}

fn note(low: &mut [bool; 256], starts: impl Fn(u32) -> bool) {
    for (place, point) in low.iter_mut().zip(0..) {
        *place |= starts(point);
    }
}

impl Program {
    /// Reads the words of a pattern with so many groups.
    pub fn read(words: &[u32], groups: u32) -> Result<Program, Invalid> {
        if groups > MAX_GROUPS || words.len() >= Pc::MAX as usize {
            return Err(Invalid);
        }
        let mut reader = Reader {
            words,
            insts: Vec::new(),
            loops: Vec::new(),
            groups,
            special: HashMap::new(),
            starts: HashMap::new(),
        };
        let mut at = 0;
        while at < words.len() {
            reader.starts.insert(at, reader.insts.len() as Pc);
            at = reader.read(at)?;
        }
        if at != words.len() || !reader.special.is_empty() || words.last() != Some(&op::SUCCESS) {
            return Err(Invalid);
        }
        reader.link()?;
        let (least, mut hint) = reader.info()?;
        if matches!(hint, Hint::None) && least > 0 {
            hint = reader.starts_low();
        }
        let anchored = matches!(reader.insts.first(), Some(Inst::Place(Place::Beginning)));
        Ok(Program { insts: reader.insts, loops: reader.loops, groups, least, hint, anchored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused() {
        let read = |words: &[u32]| Program::read(words, 0).map(|p| p.insts.len());
        assert_eq!(read(&[op::SUCCESS]), Ok(1));
        assert_eq!(read(&[op::LITERAL, 97, op::SUCCESS]), Ok(2));
        for words in [
            &[][..],
            &[99],
            &[op::LITERAL],
            &[op::JUMP, 0, op::SUCCESS],
            &[op::JUMP, 9, op::SUCCESS],
            &[op::MARK, 0, op::SUCCESS],
            &[op::IN, 9, op::FAILURE, op::SUCCESS],
            &[op::BRANCH, 0, op::SUCCESS],
            &[op::BRANCH, 4, op::LITERAL],
            &[op::REPEAT_ONE, 6, 2, 1, op::ANY, op::SUCCESS, op::SUCCESS],
            &[op::GROUPREF, 0, op::SUCCESS],
        ] {
            assert_eq!(read(words), Err(Invalid), "{words:?}");
        }
    }

    #[test]
    fn what_a_match_starts_with_is_found() {
        // ([0-9]?x|y+)z, as the compiler writes it.
        let words = [
            op::INFO,
            4,
            0,
            2,
            u32::MAX,
            op::BRANCH,
            15,
            op::REPEAT_ONE,
            9,
            0,
            1,
            op::IN,
            5,
            op::RANGE,
            48,
            57,
            op::FAILURE,
            op::SUCCESS,
        ];
        assert!(Program::read(&words, 0).is_err());
        let words = [
            op::INFO,
            4,
            0,
            2,
            u32::MAX,
            op::REPEAT_ONE,
            10,
            0,
            1,
            op::IN,
            5,
            op::RANGE,
            48,
            57,
            op::FAILURE,
            op::SUCCESS,
            op::LITERAL,
            120,
            op::LITERAL,
            122,
            op::SUCCESS,
        ];
        let program = Program::read(&words, 0);
        let Ok(Program { hint: Hint::Low(low), .. }) = program else { panic!("no hint") };
        let found: Vec<usize> = (0..256).filter(|&point| low[point]).collect();
        assert_eq!(found, (48..58).chain([120]).collect::<Vec<_>>());
    }
}

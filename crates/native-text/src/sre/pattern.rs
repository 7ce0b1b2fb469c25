//! `re.Pattern` and its scanner.

use super::match_object::{self, Found};
use super::matcher::{Matcher, Mode, NONE};
use super::program::{Invalid, Program};
use super::subject::{Subject, empty_like};
use super::template::{self, Template};
use pellucid_object::{
    Args, CallArgs, CmpOp, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, Str,
    TextBuilder, Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// Payload of `re.Pattern`.
pub struct Pattern {
    program: Program,
    code: Vec<u32>,
    source: Value,
    flags: i64,
    /// `None` for a pattern without a source, which matches either kind of text.
    pub is_bytes: Option<bool>,
    /// Names to numbers.
    pub group_index: Value,
    /// Numbers to names.
    pub index_group: Value,
}

impl Payload for Pattern {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.source);
        visit(&self.group_index);
        visit(&self.index_group);
    }
}

/// Makes a pattern. Errors: `RuntimeError` for words that are none, `TypeError`.
pub fn new(
    vm: &Interpreter,
    source: &Value,
    flags: i64,
    code: Vec<u32>,
    groups: i64,
    group_index: &Value,
    index_group: &Value,
) -> Res {
    let invalid = || vm.runtime_error("invalid SRE code".to_string());
    if group_index.downcast::<Dict>().is_none() {
        let got = vm.type_name(group_index);
        return Err(vm.type_error(format!("compile() argument 'groupindex' must be dict, not {got}")));
    }
    if index_group.downcast::<Tuple>().is_none() {
        let got = vm.type_name(index_group);
        return Err(vm.type_error(format!("compile() argument 'indexgroup' must be tuple, not {got}")));
    }
    let is_bytes = if source.is_none() {
        None
    } else if source.downcast::<Str>().is_some() {
        Some(false)
    } else {
        vm.bytes_like(source)?;
        Some(true)
    };
    let groups = u32::try_from(groups).map_err(|_| invalid())?;
    let program = Program::read(&code, groups).map_err(|Invalid| invalid())?;
    let payload = Pattern {
        program,
        code,
        source: source.clone(),
        flags,
        is_bytes,
        group_index: group_index.clone(),
        index_group: index_group.clone(),
    };
    vm.alloc(&vm.type_for(&PATTERN)?, payload)
}

fn pattern(vm: &Interpreter, value: &Value) -> Res<Ref<Pattern>> {
    value.downcast_ref::<Pattern>().ok_or_else(|| vm.bug("no pattern"))
}

/// A search under way: the pattern, the text and the place it has come to.
struct Walk<'a> {
    vm: &'a Interpreter,
    pattern: &'a Ref<Pattern>,
    subject: &'a Subject,
    matcher: Matcher<'a>,
    pos: usize,
    at: usize,
    end: usize,
    not_empty_at: usize,
    begin: usize,
}

impl<'a> Walk<'a> {
    fn new(
        vm: &'a Interpreter,
        pattern: &'a Ref<Pattern>,
        subject: &'a Subject,
        (pos, end): (usize, usize),
    ) -> Walk<'a> {
        let matcher = Matcher::new(&pattern.program);
        Walk { vm, pattern, subject, matcher, pos, at: pos, end, not_empty_at: NONE, begin: pos }
    }

    /// The next match. Two matches do not touch where both are empty.
    fn next(&mut self, mode: Mode) -> Res<bool> {
        let range = (self.at, self.end);
        let Some((start, stop)) =
            self.subject.run(self.vm, &mut self.matcher, range, mode, self.not_empty_at)?
        else {
            return Ok(false);
        };
        self.not_empty_at = if start == stop { stop } else { NONE };
        (self.begin, self.at) = (start, stop);
        Ok(true)
    }

    fn group_range(&self, number: usize) -> Option<(usize, usize)> {
        if number == 0 {
            return Some((self.begin, self.at));
        }
        let marks = self.matcher.marks();
        match (marks.get(2 * number - 2), marks.get(2 * number - 1)) {
            (Some(&start), Some(&end)) if start != NONE && end != NONE && start <= end => Some((start, end)),
            _ => None,
        }
    }

    /// The text of a group, or `None`.
    fn group(&self, number: usize) -> Res<Option<Value>> {
        self.group_range(number).map(|(start, end)| self.subject.piece(self.vm, start, end)).transpose()
    }

    fn groups(&self) -> usize {
        self.pattern.program.groups as usize
    }

    fn found(&self) -> Found {
        Found {
            pattern: self.pattern.clone(),
            string: self.subject.value.clone(),
            groups: (0..=self.groups()).map(|number| self.group_range(number)).collect(),
            last_group: self.matcher.last_group,
            pos: self.pos,
            endpos: self.end,
        }
    }
}

/// The arguments `string`, `pos`, `endpos` of a method.
fn arguments(vm: &Interpreter, name: &str, call: &CallArgs) -> Res<(Ref<Pattern>, Subject, (usize, usize))> {
    let Some((this, rest)) = call.values.split_first() else { return Err(vm.bug("a method without self")) };
    let pattern = pattern(vm, this)?;
    let bound;
    let (string, pos, endpos) = match (rest, call.names) {
        ([string], []) => (Some(string), None, None),
        ([string, pos], []) => (Some(string), Some(pos), None),
        _ => {
            let rest = CallArgs { values: rest, names: call.names };
            bound = pellucid_types::seq::bind(vm, name, ["string", "pos", "endpos"], &rest)?;
            (bound[0].as_ref(), bound[1].as_ref(), bound[2].as_ref())
        }
    };
    let Some(string) = string else {
        return Err(vm.type_error(format!("{name}() missing required argument 'string' (pos 1)")));
    };
    let place = |value: Option<&Value>, default: i64| value.map_or(Ok(default), |v| vm.expect_i64(v));
    let (pos, endpos) = (place(pos, 0)?, place(endpos, i64::MAX)?);
    let subject = Subject::new(vm, &pattern, string)?;
    let range = subject.clamp(pos, endpos);
    Ok((pattern, subject, range))
}

fn once(vm: &Interpreter, name: &str, call: &CallArgs, mode: Mode) -> Res {
    let (pattern, subject, range) = arguments(vm, name, call)?;
    let mut walk = Walk::new(vm, &pattern, &subject, range);
    if walk.next(mode)? { match_object::new(vm, walk.found()) } else { Ok(Value::NONE) }
}

fn findall(vm: &Interpreter, call: &CallArgs) -> Res {
    let (pattern, subject, range) = arguments(vm, "findall", call)?;
    let mut walk = Walk::new(vm, &pattern, &subject, range);
    let empty = empty_like(vm, &subject.value)?;
    let mut items = Vec::new();
    while walk.next(Mode::Search)? {
        let text = |number: usize| Ok(walk.group(number)?.unwrap_or_else(|| empty.clone()));
        let item = match walk.groups() {
            0 => text(0)?,
            1 => text(1)?,
            n => vm.new_tuple((1..=n).map(text).collect::<Res<Vec<Value>>>()?)?,
        };
        push(vm, &mut items, item)?;
    }
    vm.new_list(items)
}

fn push(vm: &Interpreter, items: &mut Vec<Value>, item: Value) -> Res<()> {
    if items.try_reserve(1).is_err() {
        return Err(vm.no_memory());
    }
    items.push(item);
    Ok(())
}

/// How many matches are wanted: all when the argument is 0, none when it is negative.
fn limit(vm: &Interpreter, args: &Args, index: usize) -> Res<usize> {
    Ok(match args.int_or(vm, index, 0)? {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(0),
    })
}

fn split(vm: &Interpreter, args: &Args) -> Res {
    let pattern = pattern(vm, args.req(0))?;
    let limit = limit(vm, args, 2)?;
    let subject = Subject::new(vm, &pattern, args.req(1))?;
    let len = subject.len();
    let mut walk = Walk::new(vm, &pattern, &subject, (0, len));
    let (mut items, mut last, mut cuts) = (Vec::new(), 0, 0);
    while cuts < limit && walk.next(Mode::Search)? {
        push(vm, &mut items, subject.piece(vm, last, walk.begin)?)?;
        for number in 1..=walk.groups() {
            push(vm, &mut items, walk.group(number)?.unwrap_or(Value::NONE))?;
        }
        last = walk.at;
        cuts += 1;
    }
    push(vm, &mut items, subject.piece(vm, last, len)?)?;
    vm.new_list(items)
}

/// `re._compile_template(pattern, text)`.
pub fn compile_template(vm: &Interpreter, pattern: &Value, text: &Value) -> Res {
    let module = vm.import("re")?;
    vm.call_attr(&module, "_compile_template", &[pattern.clone(), text.clone()])
}

/// What replaces a match.
enum Replacement {
    Literal(Value),
    Template(Ref<Template>),
    Call(Value),
}

fn replacement(vm: &Interpreter, pattern: &Value, value: &Value) -> Res<Replacement> {
    if vm.type_of_ref(value).slots.call.get().is_some() {
        return Ok(Replacement::Call(value.clone()));
    }
    let plain = match value.downcast::<Str>() {
        Some(s) => !s.text.code_points().any(|p| p == 0x5c),
        None => vm.has_buffer(value) && !vm.bytes_like(value)?.bytes().contains(&b'\\'),
    };
    if plain {
        return Ok(Replacement::Literal(value.clone()));
    }
    let compiled = compile_template(vm, pattern, value)?;
    Ok(match compiled.downcast_ref::<Template>() {
        Some(template) if template.chunks.is_empty() => Replacement::Literal(template.literal.clone()),
        Some(template) => Replacement::Template(template),
        None => Replacement::Literal(compiled),
    })
}

/// The new text and the number of replacements.
fn replaced(vm: &Interpreter, args: &Args) -> Res<(Value, usize)> {
    let this = pattern(vm, args.req(0))?;
    let limit = limit(vm, args, 3)?;
    let replacement = replacement(vm, args.req(0), args.req(1))?;
    let subject = Subject::new(vm, &this, args.req(2))?;
    let len = subject.len();
    let mut walk = Walk::new(vm, &this, &subject, (0, len));
    let whole = (subject.value.downcast::<Str>(), &replacement);
    if let (Some(text), Replacement::Literal(new)) = whole
        && let Some(new) = new.downcast::<Str>()
    {
        // Text for text needs no list of pieces.
        let mut builder = TextBuilder::with_kind(text.text.kind());
        let (mut last, mut count) = (0, 0);
        let full = |_| vm.no_memory();
        while count < limit && walk.next(Mode::Search)? {
            builder.push_range(&text.text, last, walk.begin).map_err(full)?;
            builder.push_text(&new.text).map_err(full)?;
            last = walk.at;
            count += 1;
        }
        if count == 0 {
            return Ok((subject.piece(vm, 0, len)?, 0));
        }
        builder.push_range(&text.text, last, len).map_err(full)?;
        return Ok((vm.made_text(builder.finish())?, count));
    }
    let (mut items, mut last, mut count) = (Vec::new(), 0, 0);
    while count < limit && walk.next(Mode::Search)? {
        if last < walk.begin {
            push(vm, &mut items, subject.piece(vm, last, walk.begin)?)?;
        }
        let item = match &replacement {
            Replacement::Literal(literal) => literal.clone(),
            Replacement::Template(template) => template::expand(vm, template, &walk.found())?,
            Replacement::Call(function) => {
                vm.call_values(function, &[match_object::new(vm, walk.found())?])?
            }
        };
        if !item.is_none() {
            push(vm, &mut items, item)?;
        }
        last = walk.at;
        count += 1;
    }
    if last < len {
        push(vm, &mut items, subject.piece(vm, last, len)?)?;
    }
    let empty = empty_like(vm, &subject.value)?;
    if items.is_empty() {
        return Ok((empty, count));
    }
    let list = vm.new_list(items)?;
    Ok((vm.call_attr(&empty, "join", &[list])?, count))
}

fn sub(vm: &Interpreter, args: &Args) -> Res {
    Ok(replaced(vm, args)?.0)
}

fn subn(vm: &Interpreter, args: &Args) -> Res {
    let (text, count) = replaced(vm, args)?;
    vm.new_tuple(vec![text, vm.new_int(count as i64)?])
}

/// Payload of `_sre.SRE_Scanner`.
pub struct Scanner {
    pattern: Ref<Pattern>,
    subject: Subject,
    pos: usize,
    end: usize,
    /// `NONE` when it has come to its end.
    at: Cell<usize>,
    not_empty_at: Cell<usize>,
}

impl Payload for Scanner {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.pattern.value());
        self.subject.trace(visit);
    }
}

fn new_scanner(vm: &Interpreter, name: &str, call: &CallArgs) -> Res {
    let (pattern, subject, (pos, end)) = arguments(vm, name, call)?;
    let scanner = Scanner { pattern, subject, pos, end, at: Cell::new(pos), not_empty_at: Cell::new(NONE) };
    vm.alloc(&vm.type_for(&SCANNER)?, scanner)
}

fn scan(vm: &Interpreter, this: &Value, mode: Mode) -> Res {
    let Some(scanner) = this.downcast::<Scanner>() else { return Err(vm.bug("no scanner")) };
    let at = scanner.at.get();
    if at == NONE {
        return Ok(Value::NONE);
    }
    let mut walk = Walk::new(vm, &scanner.pattern, &scanner.subject, (at, scanner.end));
    walk.pos = scanner.pos;
    walk.not_empty_at = scanner.not_empty_at.get();
    if !walk.next(mode)? {
        scanner.at.set(NONE);
        return Ok(Value::NONE);
    }
    scanner.at.set(walk.at);
    scanner.not_empty_at.set(walk.not_empty_at);
    match_object::new(vm, walk.found())
}

fn finditer(vm: &Interpreter, call: &CallArgs) -> Res {
    let scanner = new_scanner(vm, "finditer", call)?;
    let search = vm.get_attr_str(&scanner, "search")?;
    pellucid_types::iterators::call_iterator(vm, &search, &Value::NONE)
}

static SCANNER: TypeDef = TypeDef {
    name: "SRE_Scanner",
    module: "_sre",
    base: None,
    payload: payload::<Scanner>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[
        FunctionDef::new("match", "($self, /)", "", NativeFn::F1(|vm, this| scan(vm, this, Mode::Match))),
        FunctionDef::new("search", "($self, /)", "", NativeFn::F1(|vm, this| scan(vm, this, Mode::Search))),
    ],
    getset: &[GetSetDef {
        name: "pattern",
        doc: "",
        get: |vm, this| match this.downcast::<Scanner>() {
            Some(scanner) => Ok(scanner.pattern.value().clone()),
            None => Err(vm.bug("no scanner")),
        },
        set: None,
    }],
};

/// The flags as `re` names them.
const FLAGS: [(i64, &str); 8] = [
    (2, "IGNORECASE"),
    (4, "LOCALE"),
    (8, "MULTILINE"),
    (16, "DOTALL"),
    (32, "UNICODE"),
    (64, "VERBOSE"),
    (128, "DEBUG"),
    (256, "ASCII"),
];

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let pattern = pattern(vm, this)?;
    let mut flags = pattern.flags;
    // Every pattern of text is a Unicode one unless it says otherwise.
    if pattern.is_bytes == Some(false) && flags & (4 | 32 | 256) == 32 {
        flags &= !32;
    }
    let source: String = vm.repr_lossy(&pattern.source)?.chars().take(200).collect();
    let mut names: Vec<String> =
        FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| format!("re.{name}")).collect();
    let rest = FLAGS.iter().fold(flags, |rest, (bit, _)| rest & !bit);
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    vm.new_str(&match names.as_slice() {
        [] => format!("re.compile({source})"),
        _ => format!("re.compile({source}, {})", names.join("|")),
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) =
        (a.downcast_ref::<Pattern>(), b.downcast_ref::<Pattern>(), op)
    else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = a.is(b)
        || x.flags == y.flags
            && x.is_bytes == y.is_bytes
            && x.program.groups == y.program.groups
            && x.code == y.code
            && {
                let same = vm.compare(CmpOp::Eq, &x.source, &y.source)?;
                vm.truthy(&same)?
            };
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn hash(vm: &Interpreter, this: &Value) -> Res<i64> {
    let pattern = pattern(vm, this)?;
    let source = vm.hash(&pattern.source)?;
    let code = pattern.code.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
        (hash ^ u64::from(*word)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = source ^ code as i64 ^ pattern.flags ^ i64::from(pattern.program.groups);
    Ok(if hash == -1 { -2 } else { hash })
}

#[rustfmt::skip]
pub static PATTERN: TypeDef = TypeDef {
    name: "Pattern",
    module: "re",
    base: None,
    payload: payload::<Pattern>(),
    flags: TypeFlags::NO_NEW.or(TypeFlags::WEAKREF),
    doc: "Compiled regular expression object.",
    slots: &[Slot::Repr(repr), Slot::Hash(hash), Slot::Compare(compare)],
    methods: &[
        FunctionDef::new("match", "($self, /, string, pos=0, endpos=sys.maxsize)", "Matches zero or more characters at the beginning of the string.", NativeFn::Raw(|vm, call| once(vm, "match", call, Mode::Match))),
        FunctionDef::new("fullmatch", "($self, /, string, pos=0, endpos=sys.maxsize)", "Matches against all of the string.", NativeFn::Raw(|vm, call| once(vm, "fullmatch", call, Mode::FullMatch))),
        FunctionDef::new("search", "($self, /, string, pos=0, endpos=sys.maxsize)", "Scan through string looking for a match, and return a corresponding match object instance.", NativeFn::Raw(|vm, call| once(vm, "search", call, Mode::Search))),
        FunctionDef::new("findall", "($self, /, string, pos=0, endpos=sys.maxsize)", "Return a list of all non-overlapping matches of pattern in string.", NativeFn::Raw(findall)),
        FunctionDef::new("finditer", "($self, /, string, pos=0, endpos=sys.maxsize)", "Return an iterator over all non-overlapping matches for the RE pattern in string.", NativeFn::Raw(finditer)),
        FunctionDef::new("scanner", "($self, /, string, pos=0, endpos=sys.maxsize)", "", NativeFn::Raw(|vm, call| new_scanner(vm, "scanner", call))),
        FunctionDef::new("split", "($self, /, string, maxsplit=0)", "Split string by the occurrences of pattern.", NativeFn::Args(split)),
        FunctionDef::new("sub", "($self, /, repl, string, count=0)", "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl.", NativeFn::Args(sub)),
        FunctionDef::new("subn", "($self, /, repl, string, count=0)", "Return the tuple (new_string, number_of_subs_made).", NativeFn::Args(subn)),
        FunctionDef::new("__copy__", "($self, /)", "", NativeFn::F1(|_, this| Ok(this.clone()))),
        FunctionDef::new("__deepcopy__", "($self, memo, /)", "", NativeFn::F2(|_, this, _| Ok(this.clone()))),
        FunctionDef::class("__class_getitem__", "($type, object, /)", "See PEP 585", NativeFn::F2(pellucid_types::generic_alias::class_getitem)),
    ],
    getset: &[
        GetSetDef { name: "pattern", doc: "The pattern string from which the RE object was compiled.", get: |vm, this| Ok(pattern(vm, this)?.source.clone()), set: None },
        GetSetDef { name: "flags", doc: "The regex matching flags.", get: |vm, this| vm.new_int(pattern(vm, this)?.flags), set: None },
        GetSetDef { name: "groups", doc: "The number of capturing groups in the pattern.", get: |vm, this| vm.new_int(i64::from(pattern(vm, this)?.program.groups)), set: None },
        GetSetDef { name: "groupindex", doc: "A dictionary mapping group names to group numbers.", get: |vm, this| pellucid_types::mapping_proxy::new_proxy(vm, pattern(vm, this)?.group_index.clone()), set: None },
    ],
};

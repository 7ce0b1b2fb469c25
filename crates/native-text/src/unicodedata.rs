//! `unicodedata`: what the Unicode Character Database says of characters.

use pellucid_object::text::unicode;
use pellucid_object::{
    CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Str, TypeDef,
    TypeFlags, Value, constant, payload,
};
use rustpython_unicode::data::{LookupResult, Ucd};
use rustpython_unicode::normalize;
use rustpython_unicode::normalize::NormalizeForm;
use rustpython_wtf8::{CodePoint, Wtf8Buf};

/// Payload of `unicodedata.UCD`: the database at version 3.2.0.
struct Old;

impl Payload for Old {
    const CONTAINER: bool = false;
}

/// One of the two databases.
#[derive(Clone, Copy)]
enum Db {
    New,
    Old,
}

/// Ideographs whose decomposition was corrected after version 3.2.0: what was wrong, what is right.
const CORRECTED: [(u32, u32, u32); 5] = [
    (0x2f868, 0x2136a, 0x36fc),
    (0x2f874, 0x5f33, 0x5f53),
    (0x2f91f, 0x43ab, 0x243ab),
    (0x2f95f, 0x7aae, 0x7aee),
    (0x2f9bf, 0x4d57, 0x45d7),
];

/// Balinese vowel signs that were marks without a width.
const ONCE_MARKS: [u32; 3] = [0x1b3a, 0x1b3c, 0x1b42];

/// The first ideograph for a million; later a million millions.
const MILLION: u32 = 0x5146;

impl Db {
    fn data(self) -> Ucd {
        Ucd::new(matches!(self, Db::New))
    }

    fn is_new(self) -> bool {
        matches!(self, Db::New)
    }

    /// Whether the database knows the code point.
    fn has(self, c: CodePoint) -> bool {
        let point = c.to_u32();
        match self {
            Db::New => !unicode::is_newer(point),
            Db::Old => c.to_char().is_none_or(|c| self.data().membership(c)),
        }
    }

    fn numeric(self, c: CodePoint) -> Option<f64> {
        match c.to_u32() {
            MILLION => Some(1e6),
            point if unicode::is_newer_number(point) => None,
            _ if !self.has(c) => None,
            _ => self.data().numeric(c),
        }
    }

    fn category(self, c: CodePoint) -> &'static str {
        match c.to_u32() {
            unicode::ONCE_LOWER => "Ll",
            _ if !self.has(c) => "Cn",
            _ => self.data().category(c),
        }
    }

    fn bidirectional(self, c: CodePoint) -> &'static str {
        let point = c.to_u32();
        match self {
            _ if (0xd800..0xe000).contains(&point) => "L",
            Db::New if ONCE_MARKS.contains(&point) => "NSM",
            _ if self.category(c) == "Cn" => "",
            _ => self.data().bidirectional(c),
        }
    }

    fn decomposition(self, c: CodePoint) -> String {
        let point = c.to_u32();
        if is_hangul(c) || !self.has(c) {
            return String::new();
        }
        match CORRECTED.iter().find(|(of, _, _)| *of == point) {
            Some((_, _, right)) => format!("{right:04X}"),
            None => self.data().decomposition(c),
        }
    }

    fn east_asian_width(self, c: CodePoint) -> &'static str {
        match c.to_u32() {
            // What is not assigned on the ideographic planes is wide.
            point if self.is_new() && !self.has(c) => {
                if point >> 17 == 1 {
                    "W"
                } else {
                    "N"
                }
            }
            _ => self.data().east_asian_width(c),
        }
    }

    /// The normal form of what the database knows; the rest stays, and nothing composes across it.
    fn normalize(self, form: NormalizeForm, text: &Wtf8Buf) -> Wtf8Buf {
        let (mut result, mut run) = (Wtf8Buf::new(), Wtf8Buf::new());
        let finish = |run: &mut Wtf8Buf, result: &mut Wtf8Buf| {
            result.push_wtf8(&normalize::normalize(form, run));
            run.clear();
        };
        for c in text.code_points() {
            let wrong = CORRECTED.iter().find(|(of, _, _)| !self.is_new() && *of == c.to_u32());
            if let Some(c) = wrong.and_then(|(_, wrong, _)| CodePoint::from_u32(*wrong)) {
                run.push(c);
            } else if self.has(c) {
                run.push(c);
            } else {
                finish(&mut run, &mut result);
                result.push(c);
            }
        }
        finish(&mut run, &mut result);
        result
    }
}

const NEW: Db = Db::New;
const OLD: Db = Db::Old;

/// One character as an argument. Errors: `TypeError`.
fn character(vm: &Interpreter, name: &str, position: &str, value: &Value) -> Res<CodePoint> {
    let point = value.downcast::<Str>().filter(|s| s.text.len() == 1).and_then(|s| s.text.get(0));
    match point.and_then(CodePoint::from_u32) {
        Some(point) => Ok(point),
        None => {
            let got = vm.type_name(value);
            Err(vm.type_error(format!("{name}() argument{position} must be a unicode character, not {got}")))
        }
    }
}

/// A value that a character has, else the default argument, else `ValueError`.
fn or_default(vm: &Interpreter, found: Option<Value>, default: Option<&Value>, what: &str) -> Res {
    match (found, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.value_error(what.to_string())),
    }
}

fn name(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let c = character(vm, "name", " 1", &args[0])?;
    let name = if ucd.has(c) { unicode::name(c.to_u32()) } else { None };
    let value = name.map(|name| vm.new_str(&name)).transpose()?;
    or_default(vm, value, args.get(1), "no such name")
}

fn decimal(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let found = Some(character(vm, "decimal", " 1", &args[0])?)
        .filter(|c| ucd.has(*c))
        .and_then(|c| ucd.data().decimal(c));
    let value = found.map(|n| vm.new_int(n as i64)).transpose()?;
    or_default(vm, value, args.get(1), "not a decimal")
}

fn digit(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let found = Some(character(vm, "digit", " 1", &args[0])?)
        .filter(|c| ucd.has(*c))
        .and_then(|c| ucd.data().digit(c));
    let value = found.map(|n| vm.new_int(n as i64)).transpose()?;
    or_default(vm, value, args.get(1), "not a digit")
}

fn numeric(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let found = ucd.numeric(character(vm, "numeric", " 1", &args[0])?);
    let value = found.map(|n| vm.new_float(n)).transpose()?;
    or_default(vm, value, args.get(1), "not a numeric character")
}

fn lookup(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let name = match args[0].downcast::<Str>() {
        Some(s) => s.text.to_string(),
        None => String::from_utf8_lossy(&vm.bytes_like(&args[0])?.bytes()).into_owned(),
    };
    match ucd.data().lookup(&name) {
        Some(LookupResult::Character(c)) if unicode::is_known_as(c, &name) => vm.str_of_point(u32::from(c)),
        Some(LookupResult::Sequence(text)) => vm.new_str(text),
        _ => Err(vm.key_error(vm.new_str(&format!("undefined character name '{name}'"))?)),
    }
}

fn form(vm: &Interpreter, value: &Value) -> Res<NormalizeForm> {
    match vm.expect_str(value)?.parse::<NormalizeForm>() {
        Ok(form) => Ok(form),
        Err(()) => Err(vm.value_error("invalid normalization form".to_string())),
    }
}

fn wtf8(vm: &Interpreter, name: &str, value: &Value) -> Res<Wtf8Buf> {
    let Some(s) = value.downcast::<Str>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("{name}() argument 2 must be str, not {got}")));
    };
    let bytes = s.text.to_wtf8().map_err(|_| vm.no_memory())?;
    Wtf8Buf::from_bytes(bytes).map_err(|_| vm.bug("text is no WTF-8"))
}

fn normalized(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let form = form(vm, &args[0])?;
    if args[1].downcast::<Str>().is_some_and(|s| s.text.is_ascii()) {
        return vm.str(&args[1]);
    }
    let result = ucd.normalize(form, &wtf8(vm, "normalize", &args[1])?);
    let points: Vec<u32> = result.code_points().map(CodePoint::to_u32).collect();
    vm.made_text(pellucid_object::Text::from_code_points(&points))
}

fn is_normalized(vm: &Interpreter, ucd: Db, args: &[Value]) -> Res {
    let form = form(vm, &args[0])?;
    let text = wtf8(vm, "is_normalized", &args[1])?;
    Ok(Value::bool(text.is_ascii() || ucd.normalize(form, &text) == text))
}

/// Syllables that are composed by rule: the database has no decomposition for them.
fn is_hangul(c: CodePoint) -> bool {
    (0xac00..0xd7a4).contains(&c.to_u32())
}

/// The arguments, whose number is checked. A method has `self` before them.
fn counted<'a>(
    vm: &Interpreter,
    name: &str,
    call: &CallArgs<'a>,
    skip: usize,
    (least, most): (usize, usize),
) -> Res<&'a [Value]> {
    if !call.names.is_empty() {
        return Err(vm.type_error(format!("unicodedata.{name}() takes no keyword arguments")));
    }
    let args = call.values.get(skip..).unwrap_or_default();
    if args.len() < least || args.len() > most {
        let given = args.len();
        if least == 1 && most == 1 {
            return Err(
                vm.type_error(format!("unicodedata.{name}() takes exactly one argument ({given} given)"))
            );
        }
        let (word, count) = if given < least { ("at least ", least) } else { ("at most ", most) };
        let (word, s) = (if least == most { "" } else { word }, if count == 1 { "" } else { "s" });
        return Err(vm.type_error(format!("{name} expected {word}{count} argument{s}, got {given}")));
    }
    Ok(args)
}

macro_rules! function {
    ($ucd:expr, $skip:literal, $name:literal, $sig:literal, $counts:expr, $doc:literal, $f:expr) => {
        FunctionDef::new(
            $name,
            $sig,
            $doc,
            NativeFn::Raw(|vm, call| {
                let f: fn(&Interpreter, Db, &[Value]) -> Res = $f;
                f(vm, $ucd, counted(vm, $name, call, $skip, $counts)?)
            }),
        )
    };
}
macro_rules! property {
    ($ucd:expr, $skip:literal, $name:literal, $doc:literal, $f:expr) => {
        function!($ucd, $skip, $name, "($self, chr, /)", (1, 1), $doc, |vm, ucd, args| {
            let get: fn(&Interpreter, Db, CodePoint) -> Res = $f;
            get(vm, ucd, character(vm, $name, "", &args[0])?)
        })
    };
}
macro_rules! functions {
    ($ucd:expr, $skip:literal) => {
        &[
            function!(
                $ucd,
                $skip,
                "name",
                "($self, chr, default=None, /)",
                (1, 2),
                "Returns the name assigned to the character chr as a string.",
                name
            ),
            function!(
                $ucd,
                $skip,
                "lookup",
                "($self, name, /)",
                (1, 1),
                "Look up character by name.",
                lookup
            ),
            function!(
                $ucd,
                $skip,
                "decimal",
                "($self, chr, default=None, /)",
                (1, 2),
                "Converts a Unicode character into its equivalent decimal value.",
                decimal
            ),
            function!(
                $ucd,
                $skip,
                "digit",
                "($self, chr, default=None, /)",
                (1, 2),
                "Converts a Unicode character into its equivalent digit value.",
                digit
            ),
            function!(
                $ucd,
                $skip,
                "numeric",
                "($self, chr, default=None, /)",
                (1, 2),
                "Converts a Unicode character into its equivalent numeric value.",
                numeric
            ),
            function!(
                $ucd,
                $skip,
                "normalize",
                "($self, form, unistr, /)",
                (2, 2),
                "Return the normal form 'form' for the Unicode string unistr.",
                normalized
            ),
            function!(
                $ucd,
                $skip,
                "is_normalized",
                "($self, form, unistr, /)",
                (2, 2),
                "Return whether the Unicode string unistr is in the normal form 'form'.",
                is_normalized
            ),
            property!(
                $ucd,
                $skip,
                "category",
                "Returns the general category assigned to the character chr as string.",
                |vm, ucd, c| vm.new_str(ucd.category(c))
            ),
            property!(
                $ucd,
                $skip,
                "bidirectional",
                "Returns the bidirectional class assigned to the character chr as string.",
                |vm, ucd, c| vm.new_str(ucd.bidirectional(c))
            ),
            property!(
                $ucd,
                $skip,
                "combining",
                "Returns the canonical combining class assigned to the character chr as integer.",
                |vm, ucd, c| vm.new_int(if ucd.has(c) { i64::from(ucd.data().combining(c)) } else { 0 })
            ),
            property!(
                $ucd,
                $skip,
                "mirrored",
                "Returns the mirrored property assigned to the character chr as integer.",
                |vm, ucd, c| vm.new_int(if ucd.has(c) { i64::from(ucd.data().mirrored(c)) } else { 0 })
            ),
            property!(
                $ucd,
                $skip,
                "east_asian_width",
                "Returns the east asian width assigned to the character chr as string.",
                |vm, ucd, c| vm.new_str(ucd.east_asian_width(c))
            ),
            property!(
                $ucd,
                $skip,
                "decomposition",
                "Returns the character decomposition mapping assigned to the character chr as string.",
                |vm, ucd, c| vm.new_str(&ucd.decomposition(c))
            ),
        ]
    };
}

#[rustfmt::skip]
static UCD: TypeDef = TypeDef {
    name: "UCD",
    module: "unicodedata",
    base: None,
    payload: payload::<Old>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: functions!(OLD, 1),
    getset: &[GetSetDef { name: "unidata_version", doc: "", get: |vm, _| vm.new_str(&OLD.data().unidata_version()), set: None }],
};

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "unicodedata",
    doc: "This module provides access to the Unicode Character Database.",
    functions: functions!(NEW, 0),
    types: &[&UCD],
    constants: &[
        constant("unidata_version", |vm| vm.new_str(unicode::VERSION)),
        constant("ucd_3_2_0", |vm| vm.alloc(&vm.type_for(&UCD)?, Old)),
    ],
    init: None,
};

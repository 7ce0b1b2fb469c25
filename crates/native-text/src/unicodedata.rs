//! `unicodedata`: what the Unicode Character Database says of characters.

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

const NEW: Ucd = Ucd::new(true);
const OLD: Ucd = Ucd::new(false);

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

fn name(vm: &Interpreter, ucd: Ucd, args: &[Value]) -> Res {
    let c = character(vm, "name", " 1", &args[0])?.to_char().filter(|c| ucd.membership(*c));
    let name = c.and_then(rustpython_unicode::data::character_name);
    let value = name.map(|name| vm.new_str(&name)).transpose()?;
    or_default(vm, value, args.get(1), "no such name")
}

fn decimal(vm: &Interpreter, ucd: Ucd, args: &[Value]) -> Res {
    let found = ucd.decimal(character(vm, "decimal", " 1", &args[0])?);
    let value = found.map(|n| vm.new_int(n as i64)).transpose()?;
    or_default(vm, value, args.get(1), "not a decimal")
}

fn digit(vm: &Interpreter, ucd: Ucd, args: &[Value]) -> Res {
    let found = ucd.digit(character(vm, "digit", " 1", &args[0])?);
    let value = found.map(|n| vm.new_int(n as i64)).transpose()?;
    or_default(vm, value, args.get(1), "not a digit")
}

fn numeric(vm: &Interpreter, ucd: Ucd, args: &[Value]) -> Res {
    let found = ucd.numeric(character(vm, "numeric", " 1", &args[0])?);
    let value = found.map(|n| vm.new_float(n)).transpose()?;
    or_default(vm, value, args.get(1), "not a numeric character")
}

fn lookup(vm: &Interpreter, ucd: Ucd, args: &[Value]) -> Res {
    let name = match args[0].downcast::<Str>() {
        Some(s) => s.text.to_string(),
        None => String::from_utf8_lossy(&vm.bytes_like(&args[0])?.bytes()).into_owned(),
    };
    match ucd.lookup(&name) {
        Some(LookupResult::Character(c)) => vm.str_of_point(u32::from(c)),
        Some(LookupResult::Sequence(text)) => vm.new_str(text),
        None => Err(vm.key_error(vm.new_str(&format!("undefined character name '{name}'"))?)),
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

fn normalized(vm: &Interpreter, _: Ucd, args: &[Value]) -> Res {
    let form = form(vm, &args[0])?;
    if args[1].downcast::<Str>().is_some_and(|s| s.text.is_ascii()) {
        return vm.str(&args[1]);
    }
    let result = normalize::normalize(form, &wtf8(vm, "normalize", &args[1])?);
    let points: Vec<u32> = result.code_points().map(CodePoint::to_u32).collect();
    vm.made_text(pellucid_object::Text::from_code_points(&points))
}

fn is_normalized(vm: &Interpreter, _: Ucd, args: &[Value]) -> Res {
    let form = form(vm, &args[0])?;
    Ok(Value::bool(normalize::is_normalized(form, &wtf8(vm, "is_normalized", &args[1])?)))
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
                let f: fn(&Interpreter, Ucd, &[Value]) -> Res = $f;
                f(vm, $ucd, counted(vm, $name, call, $skip, $counts)?)
            }),
        )
    };
}
macro_rules! property {
    ($ucd:expr, $skip:literal, $name:literal, $doc:literal, $f:expr) => {
        function!($ucd, $skip, $name, "($self, chr, /)", (1, 1), $doc, |vm, ucd, args| {
            let get: fn(&Interpreter, Ucd, CodePoint) -> Res = $f;
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
                |vm, ucd, c| vm.new_str(if ucd.category(c) == "Cn" { "" } else { ucd.bidirectional(c) })
            ),
            property!(
                $ucd,
                $skip,
                "combining",
                "Returns the canonical combining class assigned to the character chr as integer.",
                |vm, ucd, c| vm.new_int(i64::from(ucd.combining(c)))
            ),
            property!(
                $ucd,
                $skip,
                "mirrored",
                "Returns the mirrored property assigned to the character chr as integer.",
                |vm, ucd, c| vm.new_int(i64::from(ucd.mirrored(c)))
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
                |vm, ucd, c| vm.new_str(&if is_hangul(c) { String::new() } else { ucd.decomposition(c) })
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
    getset: &[GetSetDef { name: "unidata_version", doc: "", get: |vm, _| vm.new_str(&OLD.unidata_version()), set: None }],
};

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "unicodedata",
    doc: "This module provides access to the Unicode Character Database.",
    functions: functions!(NEW, 0),
    types: &[&UCD],
    constants: &[
        constant("unidata_version", |vm| vm.new_str(&NEW.unidata_version())),
        constant("ucd_3_2_0", |vm| vm.alloc(&vm.type_for(&UCD)?, Old)),
    ],
    init: None,
};

//! JSON strings, in both directions.

use pellucid_object::text::{NoMemory, Slice};
use pellucid_object::{FunctionDef, Interpreter, NativeFn, Raised, Res, Str, Text, TextBuilder, Value};

/// A stored code point.
pub trait Unit: Copy + Eq + std::hash::Hash {
    fn point(self) -> u32;
}

impl Unit for u8 {
    #[inline(always)]
    fn point(self) -> u32 {
        u32::from(self)
    }
}
impl Unit for u16 {
    #[inline(always)]
    fn point(self) -> u32 {
        u32::from(self)
    }
}
impl Unit for u32 {
    #[inline(always)]
    fn point(self) -> u32 {
        self
    }
}

/// `json.decoder.JSONDecodeError`, raised.
#[cold]
pub fn decode_error(vm: &Interpreter, message: &str, document: &Value, at: usize) -> Raised {
    let make = || {
        let module = vm.import("json.decoder")?;
        let error = vm.get_attr_str(&module, "JSONDecodeError")?;
        vm.call_values(&error, &[vm.new_str(message)?, document.clone(), vm.new_int(at as i64)?])
    };
    match make() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// A string as it stands in the document.
pub enum Scanned {
    /// Without escapes: the text between the quotes.
    Plain(usize, usize),
    Text(Text),
}

/// Reads a string whose opening quote stands before `begin`: what it is, and the place behind the closing quote.
pub fn scan_units<T: Unit>(
    vm: &Interpreter,
    document: &Value,
    text: &Text,
    units: &[T],
    begin: usize,
    strict: bool,
) -> Res<(Scanned, usize)> {
    let unterminated = || {
        // The quote may be before the start of what was given.
        decode_error_at(vm, "Unterminated string starting at", document, begin as i64 - 1)
    };
    let special = |u: &T| matches!(u.point(), 0x22 | 0x5c | 0..0x20);
    let mut at = begin;
    let mut builder: Option<TextBuilder> = None;
    let mut copied = begin;
    loop {
        at += units.get(at..).unwrap_or_default().iter().take_while(|u| !special(u)).count();
        let Some(unit) = units.get(at) else { return Err(unterminated()) };
        match unit.point() {
            0x22 => {
                return match builder {
                    None => Ok((Scanned::Plain(begin, at), at + 1)),
                    Some(mut builder) => {
                        let done = builder.push_range(text, copied, at).and_then(|()| builder.finish());
                        let text = done.map_err(|NoMemory| vm.no_memory())?;
                        Ok((Scanned::Text(text), at + 1))
                    }
                };
            }
            0x5c => {
                let Some(letter) = units.get(at + 1) else { return Err(unterminated()) };
                let (point, next) = match letter.point() {
                    0x22 => (0x22, at + 2),
                    0x5c => (0x5c, at + 2),
                    0x2f => (0x2f, at + 2),
                    0x62 => (8, at + 2),
                    0x66 => (12, at + 2),
                    0x6e => (10, at + 2),
                    0x72 => (13, at + 2),
                    0x74 => (9, at + 2),
                    0x75 => unicode_escape(vm, document, units, at + 1)?,
                    _ => return Err(decode_error(vm, "Invalid \\escape", document, at)),
                };
                let builder = builder.get_or_insert_with(TextBuilder::new);
                builder
                    .push_range(text, copied, at)
                    .and_then(|()| builder.push(point))
                    .map_err(|NoMemory| vm.no_memory())?;
                at = next;
                copied = next;
            }
            _ if strict => return Err(decode_error(vm, "Invalid control character at", document, at)),
            _ => at += 1,
        }
    }
}

#[cold]
fn decode_error_at(vm: &Interpreter, message: &str, document: &Value, at: i64) -> Raised {
    let make = || {
        let module = vm.import("json.decoder")?;
        let error = vm.get_attr_str(&module, "JSONDecodeError")?;
        vm.call_values(&error, &[vm.new_str(message)?, document.clone(), vm.new_int(at)?])
    };
    match make() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// Four hexadecimal digits, with at least one more unit behind them.
fn four_digits<T: Unit>(units: &[T], at: usize) -> Option<u32> {
    let digits = units.get(at..at + 4).filter(|_| units.len() > at + 4)?;
    digits.iter().try_fold(0, |value, digit| {
        Some(value << 4 | char::from_u32(digit.point()).and_then(|c| c.to_digit(16))?)
    })
}

/// The code point of an escape whose `u` stands at `at`, and the place behind it. Two surrogates are one code point.
fn unicode_escape<T: Unit>(vm: &Interpreter, document: &Value, units: &[T], at: usize) -> Res<(u32, usize)> {
    let Some(first) = four_digits(units, at + 1) else {
        return Err(decode_error(vm, "Invalid \\uXXXX escape", document, at));
    };
    let next = at + 5;
    if (0xd800..0xdc00).contains(&first)
        && units.get(next).is_some_and(|u| u.point() == 0x5c)
        && units.get(next + 1).is_some_and(|u| u.point() == 0x75)
        && let Some(second @ 0xdc00..0xe000) = four_digits(units, next + 2)
    {
        return Ok((0x10000 + ((first & 0x3ff) << 10 | second & 0x3ff), next + 6));
    }
    Ok((first, next))
}

/// `scanstring`. Errors: `ValueError` when `end` lies outside, `JSONDecodeError`.
pub fn scan(vm: &Interpreter, document: &Value, text: &Text, end: i64, strict: bool) -> Res<(Value, usize)> {
    let Some(begin) = usize::try_from(end).ok().filter(|begin| *begin <= text.len()) else {
        return Err(vm.value_error("end is out of bounds".to_string()));
    };
    let (scanned, next) = match text.units() {
        Slice::One(units) => scan_units(vm, document, text, units, begin, strict)?,
        Slice::Two(units) => scan_units(vm, document, text, units, begin, strict)?,
        Slice::Four(units) => scan_units(vm, document, text, units, begin, strict)?,
    };
    let value = match scanned {
        Scanned::Plain(start, end) => vm.made_text(text.slice(start, end))?,
        Scanned::Text(text) => vm.new_text(text)?,
    };
    Ok((value, next))
}

/// Appends a string with quotes and escapes.
pub fn push_quoted(builder: &mut TextBuilder, text: &Text, ascii: bool) -> Result<(), NoMemory> {
    let plain = |p: u32| match p {
        0x22 | 0x5c | 0..0x20 => false,
        0x20..0x7f => true,
        _ => !ascii,
    };
    builder.push_char('"')?;
    let (mut at, len) = (0, text.len());
    while at < len {
        let good = text.code_points_in(at, len).take_while(|p| plain(*p)).count();
        builder.push_range(text, at, at + good)?;
        at += good;
        let Some(point) = text.get(at) else { break };
        at += 1;
        match point {
            0x22 => builder.push_str("\\\"")?,
            0x5c => builder.push_str("\\\\")?,
            8 => builder.push_str("\\b")?,
            9 => builder.push_str("\\t")?,
            10 => builder.push_str("\\n")?,
            12 => builder.push_str("\\f")?,
            13 => builder.push_str("\\r")?,
            0..0x10000 => push_unit(builder, point)?,
            _ => {
                push_unit(builder, 0xd800 | (point - 0x10000) >> 10)?;
                push_unit(builder, 0xdc00 | point & 0x3ff)?;
            }
        }
    }
    builder.push_char('"')
}

fn push_unit(builder: &mut TextBuilder, unit: u32) -> Result<(), NoMemory> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    builder.push_str("\\u")?;
    [12, 8, 4, 0].iter().try_for_each(|shift| builder.push(u32::from(DIGITS[(unit >> shift & 15) as usize])))
}

fn quoted(vm: &Interpreter, value: &Value, ascii: bool) -> Res {
    let Some(s) = value.downcast::<Str>() else { return Err(super::not_str(vm, value)) };
    let mut builder = TextBuilder::new();
    let done = push_quoted(&mut builder, &s.text, ascii).and_then(|()| builder.finish());
    vm.made_text(done)
}

pub static ENCODE: FunctionDef = FunctionDef::new(
    "encode_basestring",
    "($module, string, /)",
    "Return a JSON representation of a Python string",
    NativeFn::F1(|vm, value| quoted(vm, value, false)),
);

pub static ENCODE_ASCII: FunctionDef = FunctionDef::new(
    "encode_basestring_ascii",
    "($module, string, /)",
    "Return an ASCII-only JSON representation of a Python string",
    NativeFn::F1(|vm, value| quoted(vm, value, true)),
);

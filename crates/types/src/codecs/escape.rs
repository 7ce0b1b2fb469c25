//! Backslash escapes: `unicode_escape`, `raw_unicode_escape`, and the escapes of bytes literals.

use super::Decoder;
use pellucid_object::text::NoMemory;
use pellucid_object::{Interpreter, Raised, Res, Text, TextBuilder, Value};

/// Writes a `str` with escapes for all but printable ASCII.
pub fn unicode_escape_encode(vm: &Interpreter, object: &Value) -> Res {
    let text = vm.expect_text(object)?;
    let mut builder = TextBuilder::new();
    let mut write = || {
        for point in text.code_points() {
            match point {
                0x09 => builder.push_str("\\t")?,
                0x0a => builder.push_str("\\n")?,
                0x0d => builder.push_str("\\r")?,
                0x5c => builder.push_str("\\\\")?,
                0x20..0x7f => builder.push(point)?,
                _ => pellucid_object::text::repr::push_escape(&mut builder, point)?,
            }
        }
        Ok(())
    };
    write().map_err(|NoMemory| vm.no_memory())?;
    finish(vm, builder)
}

/// Writes a `str` with escapes for what Latin-1 lacks.
pub fn raw_unicode_escape_encode(vm: &Interpreter, object: &Value) -> Res {
    let text = vm.expect_text(object)?;
    let mut builder = TextBuilder::new();
    let mut write = || {
        for point in text.code_points() {
            match point {
                0..0x100 => builder.push(point)?,
                _ => pellucid_object::text::repr::push_escape(&mut builder, point)?,
            }
        }
        Ok(())
    };
    write().map_err(|NoMemory| vm.no_memory())?;
    finish(vm, builder)
}

fn finish(vm: &Interpreter, builder: TextBuilder) -> Res {
    let text = builder.finish().map_err(|_| vm.no_memory())?;
    vm.bytes_from(text.as_latin1().unwrap_or_default())
}

/// Hexadecimal digits at the start of `bytes`: their value, and how many of `wanted` there are.
fn hex_digits(bytes: &[u8], wanted: usize) -> (u32, usize) {
    let digits = bytes.iter().take(wanted).map_while(|b| char::from(*b).to_digit(16));
    digits.fold((0, 0), |(value, count), digit| (value << 4 | digit, count + 1))
}

/// Octal digits at the start of `bytes`, three at most: their value and number.
fn octal_digits(bytes: &[u8]) -> (u32, usize) {
    let digits = bytes.iter().take(3).map_while(|b| char::from(*b).to_digit(8));
    digits.fold((0, 0), |(value, count), digit| (value << 3 | digit, count + 1))
}

fn simple_escape(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'\\' | b'\'' | b'"' => byte,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    }))
}

/// The first escape of a text that means nothing: a letter, or the octal number of no byte.
#[derive(Default)]
struct Meaningless(Option<u32>);

impl Meaningless {
    fn see(&mut self, what: u32) {
        self.0.get_or_insert(what);
    }

    /// Warns of it, if there was one; `prefix` is that of the literal. Errors: the warning, when a filter says so.
    fn warn(&self, vm: &Interpreter, prefix: &str) -> Res<()> {
        let Some(what) = self.0 else { return Ok(()) };
        let kind = if what > 0xff { "octal escape" } else { "escape" };
        let shown = match char::from_u32(what) {
            Some(letter) if what <= 0xff => letter.to_string(),
            _ => format!("{what:o}"),
        };
        let message = format!(
            "{prefix}\"\\{shown}\" is an invalid {kind} sequence. Such sequences will not work in the future. "
        );
        vm.warn(vm.exceptions().deprecation_warning(), &message)
    }
}

/// An escape as it was read.
enum Escape {
    Point(u32, usize),
    /// Nothing: a line that goes on.
    Nothing(usize),
    /// No escape: the backslash stands for itself.
    Plain,
    /// (bytes, why)
    Bad(usize, &'static str),
}

/// `\N{name}` at the start of `bytes`.
fn named(bytes: &[u8]) -> Escape {
    const MALFORMED: &str = "malformed \\N character escape";
    if bytes.get(2) != Some(&b'{') {
        return Escape::Bad(2.min(bytes.len()), MALFORMED);
    }
    let Some(end) = memchr::memchr(b'}', bytes) else { return Escape::Bad(bytes.len(), MALFORMED) };
    if end == 3 {
        return Escape::Bad(3, MALFORMED);
    }
    let name = std::str::from_utf8(&bytes[3..end]).unwrap_or_default();
    match pellucid_object::text::unicode::lookup(name) {
        Some(c) => Escape::Point(u32::from(c), end + 1),
        None => Escape::Bad(end + 1, "unknown Unicode character name"),
    }
}

/// The escape at the start of `bytes`, which begins with a backslash.
fn unicode_escape(bytes: &[u8]) -> Escape {
    let Some(&letter) = bytes.get(1) else { return Escape::Bad(1, "\\ at end of string") };
    if let Some(point) = simple_escape(letter) {
        return Escape::Point(point, 2);
    }
    let (wanted, truncated) = match letter {
        b'\n' => return Escape::Nothing(2),
        b'0'..=b'7' => {
            let (value, count) = octal_digits(&bytes[1..]);
            return Escape::Point(value, 1 + count);
        }
        b'x' => (2, "truncated \\xXX escape"),
        b'u' => (4, "truncated \\uXXXX escape"),
        b'U' => (8, "truncated \\UXXXXXXXX escape"),
        b'N' => return named(bytes),
        _ => return Escape::Plain,
    };
    match hex_digits(&bytes[2..], wanted) {
        (_, count) if count < wanted => Escape::Bad(2 + count, truncated),
        (value @ 0x110000.., count) => {
            let _ = value;
            Escape::Bad(2 + count, "illegal Unicode character")
        }
        (value, count) => Escape::Point(value, 2 + count),
    }
}

/// Reads escapes; other bytes are Latin-1. Unless `last`, an incomplete escape at the end is left.
pub fn unicode_escape_decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    last: bool,
) -> Res<(Value, usize)> {
    let mut decoder = Decoder::new(vm, "unicodeescape", bytes, object, errors);
    let mut meaningless = Meaningless::default();
    while let Some(&byte) = decoder.rest().first() {
        if byte != b'\\' {
            decoder.push(u32::from(byte))?;
            decoder.at += 1;
            continue;
        }
        let at = decoder.at;
        match unicode_escape(decoder.rest()) {
            Escape::Point(point, len) => {
                if point > 0xff && decoder.rest().get(1).is_some_and(u8::is_ascii_digit) {
                    meaningless.see(point);
                }
                decoder.push(point)?;
                decoder.at += len;
            }
            Escape::Nothing(len) => decoder.at += len,
            Escape::Plain => {
                decoder.push(u32::from(b'\\'))?;
                decoder.at += 1;
                if let Some(&letter) = decoder.rest().first() {
                    meaningless.see(u32::from(letter));
                    decoder.push(u32::from(letter))?;
                    decoder.at += 1;
                }
            }
            Escape::Bad(len, _) if !last && len == decoder.rest().len() => break,
            Escape::Bad(len, reason) => decoder.malformed((at, at + len), reason)?,
        }
    }
    let result = decoder.finish()?;
    meaningless.warn(vm, "")?;
    Ok(result)
}

/// Reads `\u` and `\U` escapes; other bytes are Latin-1, backslashes included.
pub fn raw_unicode_escape_decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    last: bool,
) -> Res<(Value, usize)> {
    let mut decoder = Decoder::new(vm, "rawunicodeescape", bytes, object, errors);
    while let Some(&byte) = decoder.rest().first() {
        let at = decoder.at;
        let (wanted, truncated) = match (byte, decoder.rest().get(1)) {
            (b'\\', Some(b'u')) => (4, "truncated \\uXXXX escape"),
            (b'\\', Some(b'U')) => (8, "truncated \\UXXXXXXXX escape"),
            (b'\\', None) if !last => break,
            (b'\\', Some(&next)) => {
                // A backslash that follows a backslash starts no escape.
                decoder.push(u32::from(byte))?;
                decoder.push(u32::from(next))?;
                decoder.at += 2;
                continue;
            }
            _ => {
                decoder.push(u32::from(byte))?;
                decoder.at += 1;
                continue;
            }
        };
        let (value, count) = hex_digits(&decoder.rest()[2..], wanted);
        if count < wanted {
            if !last && 2 + count == decoder.rest().len() {
                break;
            }
            decoder.malformed((at, at + 2 + count), truncated)?;
        } else if value >= 0x110000 {
            decoder.malformed((at, at + 2 + count), "\\Uxxxxxxxx out of range")?;
        } else {
            decoder.push(value)?;
            decoder.at += 2 + count;
        }
    }
    decoder.finish()
}

#[cold]
fn bad_hex(vm: &Interpreter, errors: Option<&str>, at: usize) -> Raised {
    match errors {
        None | Some("strict") => vm.value_error(format!("invalid \\x escape at position {at}")),
        Some(other) => vm.value_error(format!("decoding error; unknown error handling code: {other}")),
    }
}

/// `codecs.escape_decode`: the escapes of a bytes literal.
pub fn bytes_escape_decode(vm: &Interpreter, bytes: &[u8], errors: Option<&str>) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    if out.try_reserve(bytes.len()).is_err() {
        return Err(vm.no_memory());
    }
    let (mut at, mut meaningless) = (0, Meaningless::default());
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let Some(&letter) = bytes.get(at + 1) else {
            return Err(vm.value_error("Trailing \\ in string".to_string()));
        };
        match letter {
            b'\n' => at += 2,
            b'0'..=b'7' => {
                let (value, count) = octal_digits(&bytes[at + 1..]);
                if value > 0xff {
                    meaningless.see(value);
                }
                out.push(value as u8);
                at += 1 + count;
            }
            b'x' => {
                let (value, count) = hex_digits(&bytes[at + 2..], 2);
                match (count, errors) {
                    (2, _) => out.push(value as u8),
                    (_, Some("replace")) => out.push(b'?'),
                    (_, Some("ignore")) => {}
                    _ => return Err(bad_hex(vm, errors, at)),
                }
                at += 2 + count;
            }
            _ => {
                match simple_escape(letter) {
                    Some(point) => out.push(point as u8),
                    None => {
                        meaningless.see(u32::from(letter));
                        out.extend([b'\\', letter]);
                    }
                }
                at += 2;
            }
        }
    }
    meaningless.warn(vm, "b")?;
    Ok(out)
}

/// `codecs.escape_encode`: bytes as they stand in a literal.
pub fn bytes_escape_encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' => out.extend([b'\\', byte]),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            0x20..0x7f => out.push(byte),
            _ => out.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    out
}

/// The characters of a `str` of escapes as bytes, for decoders that take text.
pub fn text_bytes(vm: &Interpreter, text: &Text) -> Res<Vec<u8>> {
    text.to_wtf8().map_err(|_| vm.no_memory())
}

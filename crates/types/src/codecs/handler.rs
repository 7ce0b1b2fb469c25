//! Error handlers: what stands in the place of what cannot be encoded or decoded.
//!
//! The well-known names are handled here, without a call; they are also functions, for `codecs.lookup_error`. Other names
//! are looked up among the registered ones and called with the exception.

use super::error::{self, Fault};
use super::registry;
use pellucid_object::text::repr::push_escape;
use pellucid_object::{Bytes, Interpreter, NativeFn, Raised, Res, Str, Text, TextBuilder, Tuple, Value};
use std::borrow::Cow;

/// The handlers that need no call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
    NameReplace,
    SurrogateEscape,
    SurrogatePass,
}

impl Known {
    pub const ALL: [(&'static str, Known); 8] = [
        ("strict", Known::Strict),
        ("ignore", Known::Ignore),
        ("replace", Known::Replace),
        ("backslashreplace", Known::BackslashReplace),
        ("xmlcharrefreplace", Known::XmlCharRefReplace),
        ("namereplace", Known::NameReplace),
        ("surrogateescape", Known::SurrogateEscape),
        ("surrogatepass", Known::SurrogatePass),
    ];

    pub fn named(name: &str) -> Option<Known> {
        Known::ALL.iter().find(|(n, _)| *n == name).map(|(_, known)| *known)
    }
}

/// What a handler puts in place of what could not be encoded.
pub enum Substitute {
    Text(Text),
    Bytes(Vec<u8>),
}

fn is_surrogate(point: u32) -> bool {
    (0xd800..0xe000).contains(&point)
}

/// How an encoding writes a lone surrogate, for `surrogatepass`.
#[derive(Clone, Copy)]
enum Wide {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

fn wide(encoding: &str) -> Option<Wide> {
    let name: String = encoding.to_ascii_lowercase().replace(['_', ' '], "-");
    let rest = name.strip_prefix("utf")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let native = cfg!(target_endian = "big");
    Some(match rest {
        "8" | "-8" => Wide::Utf8,
        "16" => Wide::Utf16 { big: native },
        "16-le" | "16le" => Wide::Utf16 { big: false },
        "16-be" | "16be" => Wide::Utf16 { big: true },
        "32" => Wide::Utf32 { big: native },
        "32-le" | "32le" => Wide::Utf32 { big: false },
        "32-be" | "32be" => Wide::Utf32 { big: true },
        _ => return None,
    })
}

/// What a known handler does with code points that cannot be encoded; `None`: it raises.
fn encode_known(known: Known, encoding: &str, text: &Text, fault: (usize, usize)) -> Option<Substitute> {
    let (start, end) = fault;
    let points = text.code_points_in(start, end);
    let mut builder = TextBuilder::new();
    match known {
        Known::Strict => return None,
        Known::Ignore => {}
        Known::Replace => builder.push_repeated(u32::from('?'), end.saturating_sub(start)).ok()?,
        Known::BackslashReplace => points.clone().try_for_each(|p| push_escape(&mut builder, p)).ok()?,
        Known::XmlCharRefReplace => {
            points.clone().try_for_each(|p| builder.push_str(&format!("&#{p};"))).ok()?;
        }
        Known::NameReplace => {
            for point in points {
                match pellucid_object::text::unicode::name(point) {
                    Some(name) => builder.push_str(&format!("\\N{{{name}}}")).ok()?,
                    None => push_escape(&mut builder, point).ok()?,
                }
            }
        }
        Known::SurrogateEscape => {
            let mut bytes = Vec::new();
            for point in points {
                if !(0xdc80..0xdd00).contains(&point) {
                    return None;
                }
                bytes.push((point - 0xdc00) as u8);
            }
            return Some(Substitute::Bytes(bytes));
        }
        Known::SurrogatePass => {
            let wide = wide(encoding)?;
            let mut bytes = Vec::new();
            for point in points {
                if !is_surrogate(point) {
                    return None;
                }
                match wide {
                    Wide::Utf8 => pellucid_object::text::push_wtf8(&mut bytes, point),
                    Wide::Utf16 { big: true } => bytes.extend((point as u16).to_be_bytes()),
                    Wide::Utf16 { big: false } => bytes.extend((point as u16).to_le_bytes()),
                    Wide::Utf32 { big: true } => bytes.extend(point.to_be_bytes()),
                    Wide::Utf32 { big: false } => bytes.extend(point.to_le_bytes()),
                }
            }
            return Some(Substitute::Bytes(bytes));
        }
    }
    builder.finish().ok().map(Substitute::Text)
}

/// What a known handler does with bytes that cannot be decoded: the text, and where decoding goes on; `None`: it raises.
fn decode_known(known: Known, encoding: &str, bytes: &[u8], fault: (usize, usize)) -> Option<(Text, usize)> {
    let (start, end) = fault;
    let bad = bytes.get(start..end)?;
    let mut builder = TextBuilder::new();
    let mut resume = end;
    match known {
        Known::Strict | Known::XmlCharRefReplace | Known::NameReplace => return None,
        Known::Ignore => {}
        Known::Replace => builder.push(0xfffd).ok()?,
        Known::BackslashReplace => {
            bad.iter().try_for_each(|b| builder.push_str(&format!("\\x{b:02x}"))).ok()?;
        }
        Known::SurrogateEscape => {
            let high = bad.iter().take(4).take_while(|b| **b >= 0x80).count();
            if high == 0 {
                return None;
            }
            bad[..high].iter().try_for_each(|b| builder.push(0xdc00 + u32::from(*b))).ok()?;
            resume = start + high;
        }
        Known::SurrogatePass => {
            let rest = &bytes[start..];
            let (point, size) = match (wide(encoding)?, rest) {
                (Wide::Utf8, [0xed, a @ 0xa0..=0xbf, b @ 0x80..=0xbf, ..]) => {
                    (0xd000 | u32::from(a & 0x3f) << 6 | u32::from(b & 0x3f), 3)
                }
                (Wide::Utf16 { big: true }, [a, b, ..]) => (u32::from(u16::from_be_bytes([*a, *b])), 2),
                (Wide::Utf16 { big: false }, [a, b, ..]) => (u32::from(u16::from_le_bytes([*a, *b])), 2),
                (Wide::Utf32 { big: true }, [a, b, c, d, ..]) => (u32::from_be_bytes([*a, *b, *c, *d]), 4),
                (Wide::Utf32 { big: false }, [a, b, c, d, ..]) => (u32::from_le_bytes([*a, *b, *c, *d]), 4),
                _ => return None,
            };
            if !is_surrogate(point) {
                return None;
            }
            builder.push(point).ok()?;
            resume = start + size;
        }
    }
    builder.finish().ok().map(|text| (text, resume))
}

#[cold]
fn not_handled(vm: &Interpreter, exception: &Value) -> Raised {
    let name = vm.type_name(exception);
    vm.type_error(format!("don't know how to handle {name} in error callback"))
}

/// A known handler called as a function with an exception.
pub fn call_known(vm: &Interpreter, known: Known, exception: &Value) -> Res {
    let types = vm.exceptions();
    if known == Known::Strict {
        if !pellucid_object::protocol::is_exception(exception) {
            return Err(vm.type_error("codec must pass exception instance".to_string()));
        }
        return Err(vm.raise(exception.clone()));
    }
    let is = |ty| vm.is_instance(exception, ty);
    let result = if is(types.unicode_encode_error()) {
        let Fault { object, start, end } = error::fault(vm, exception)?;
        let text = vm.expect_text(&object)?;
        let encoding = error::encoding(vm, exception)?;
        encode_known(known, &encoding, text, (start, end.max(start))).map(|s| (s, end))
    } else if is(types.unicode_decode_error()) {
        if matches!(known, Known::XmlCharRefReplace | Known::NameReplace) {
            return Err(not_handled(vm, exception));
        }
        let Fault { object, start, end } = error::fault(vm, exception)?;
        let bytes = vm.expect_bytes(&object)?;
        let encoding = error::encoding(vm, exception)?;
        decode_known(known, &encoding, bytes, (start, end.max(start)))
            .map(|(text, at)| (Substitute::Text(text), at))
    } else if is(types.unicode_translate_error()) {
        let Fault { object, start, end } = error::fault(vm, exception)?;
        match known {
            Known::Ignore => Some((Substitute::Text(Text::empty()), end)),
            Known::Replace => {
                let text = Text::from_code_point(0xfffd).and_then(|t| t.repeat(end.saturating_sub(start)));
                Some((Substitute::Text(text.map_err(|_| vm.no_memory())?), end))
            }
            Known::BackslashReplace => {
                let text = vm.expect_text(&object)?;
                encode_known(known, "", text, (start, end)).map(|s| (s, end))
            }
            _ => return Err(not_handled(vm, exception)),
        }
    } else {
        return Err(not_handled(vm, exception));
    };
    match result {
        Some((Substitute::Text(text), at)) => vm.new_tuple(vec![vm.new_text(text)?, vm.new_int(at as i64)?]),
        Some((Substitute::Bytes(bytes), at)) => {
            vm.new_tuple(vec![vm.new_bytes(bytes)?, vm.new_int(at as i64)?])
        }
        None => Err(vm.raise(exception.clone())),
    }
}

/// The position that a handler written in Python asked for.
fn resume_at(vm: &Interpreter, value: &Value, len: usize) -> Res<usize> {
    let at = vm.expect_i64(value)?;
    let real = if at < 0 { at.saturating_add(len as i64) } else { at };
    match usize::try_from(real) {
        Ok(real) if real <= len => Ok(real),
        _ => Err(vm.index_error(format!("position {at} from error handler out of bounds"))),
    }
}

/// Encoding under way: the object, the handler and what was written.
pub struct Encoder<'a> {
    pub vm: &'a Interpreter,
    encoding: &'a str,
    errors: &'a str,
    object: &'a Value,
    exception: Option<Value>,
    pub out: Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// `object` is a `str`.
    pub fn new(
        vm: &'a Interpreter,
        encoding: &'a str,
        object: &'a Value,
        errors: Option<&'a str>,
    ) -> Encoder<'a> {
        let errors = errors.unwrap_or("strict");
        Encoder { vm, encoding, errors, object, exception: None, out: Vec::new() }
    }

    pub fn text(&self) -> Res<&'a Text> {
        self.vm.expect_text(self.object)
    }

    /// The exception for a fault, raised.
    #[cold]
    pub fn refuse(&mut self, place: (usize, usize), reason: &str) -> Raised {
        match self.exception_for(place, reason) {
            Ok(exception) => self.vm.raise(exception),
            Err(raised) => raised,
        }
    }

    fn exception_for(&mut self, place: (usize, usize), reason: &str) -> Res {
        if let Some(exception) = &self.exception {
            error::update(self.vm, exception, place, reason)?;
            return Ok(exception.clone());
        }
        let ty = self.vm.exceptions().unicode_encode_error().clone();
        let exception = error::new(self.vm, &ty, Some(self.encoding), self.object, place, reason)?;
        self.exception = Some(exception.clone());
        Ok(exception)
    }

    /// What to write instead of the code points of `place`, and where to go on. Errors: what the handler raises.
    #[cold]
    pub fn unencodable(&mut self, place: (usize, usize), reason: &str) -> Res<(Substitute, usize)> {
        let text = self.text()?;
        if let Some(known) = Known::named(self.errors) {
            if known == Known::SurrogateEscape {
                // As far as it goes: the first code point that is no escaped byte is the fault.
                let escaped = text
                    .code_points_in(place.0, place.1)
                    .take_while(|p| (0xdc80..0xdd00).contains(p))
                    .count();
                if escaped > 0 {
                    let place = (place.0, place.0 + escaped);
                    if let Some(found) = encode_known(known, self.encoding, text, place) {
                        return Ok((found, place.1));
                    }
                }
                return Err(self.refuse(place, reason));
            }
            return match encode_known(known, self.encoding, text, place) {
                Some(found) => Ok((found, place.1)),
                None => Err(self.refuse(place, reason)),
            };
        }
        let vm = self.vm;
        let handler = registry::lookup_error(vm, self.errors)?;
        let exception = self.exception_for(place, reason)?;
        let result = vm.call_values(&handler, &[exception])?;
        let wrong = || vm.type_error("encoding error handler must return (str/bytes, int) tuple".to_string());
        let Some(items) = result.downcast::<Tuple>().map(Tuple::items) else { return Err(wrong()) };
        let [substitute, at] = items.as_slice() else { return Err(wrong()) };
        let found = match (substitute.downcast::<Str>(), substitute.downcast::<Bytes>()) {
            (Some(s), _) => Substitute::Text(s.text.try_clone().map_err(|_| vm.no_memory())?),
            (_, Some(bytes)) => Substitute::Bytes(vm.copied(bytes.as_slice())?),
            _ => return Err(wrong()),
        };
        Ok((found, resume_at(vm, at, text.len())?))
    }

    /// Makes room for `more` bytes. Errors: `MemoryError`.
    pub fn reserve(&mut self, more: usize) -> Res<()> {
        self.out.try_reserve(more).map_err(|_| self.vm.no_memory())
    }

    pub fn extend(&mut self, bytes: &[u8]) -> Res<()> {
        self.reserve(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    pub fn finish(self) -> Res {
        self.vm.new_bytes(self.out)
    }
}

/// Decoding under way: the bytes, the handler, the position and what was read.
pub struct Decoder<'a> {
    pub vm: &'a Interpreter,
    pub encoding: Cow<'a, str>,
    errors: &'a str,
    bytes: Cow<'a, [u8]>,
    /// The `bytes` object that `bytes` stands in, made when an exception needs it.
    object: Option<Value>,
    exception: Option<Value>,
    pub out: TextBuilder,
    pub at: usize,
}

impl<'a> Decoder<'a> {
    /// `object` is the `bytes` object that holds `bytes`, if there is one.
    pub fn new(
        vm: &'a Interpreter,
        encoding: &'a str,
        bytes: &'a [u8],
        object: Option<&Value>,
        errors: Option<&'a str>,
    ) -> Decoder<'a> {
        Decoder {
            vm,
            encoding: Cow::Borrowed(encoding),
            errors: errors.unwrap_or("strict"),
            bytes: Cow::Borrowed(bytes),
            object: object.filter(|o| o.downcast::<Bytes>().is_some()).cloned(),
            exception: None,
            out: TextBuilder::new(),
            at: 0,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes from the position on.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn exception_for(&mut self, place: (usize, usize), reason: &str) -> Res {
        if let Some(exception) = &self.exception {
            error::update(self.vm, exception, place, reason)?;
            return Ok(exception.clone());
        }
        let object = match &self.object {
            Some(object) => object.clone(),
            None => self.vm.bytes_from(&self.bytes)?,
        };
        let ty = self.vm.exceptions().unicode_decode_error().clone();
        let exception = error::new(self.vm, &ty, Some(&self.encoding), &object, place, reason)?;
        self.exception = Some(exception.clone());
        self.object = Some(object);
        Ok(exception)
    }

    /// Writes what stands for the bytes of `place` and moves on. Errors: what the handler raises.
    #[cold]
    pub fn malformed(&mut self, place: (usize, usize), reason: &str) -> Res<()> {
        let vm = self.vm;
        if let Some(known) = Known::named(self.errors) {
            return match decode_known(known, &self.encoding, &self.bytes, place) {
                Some((text, at)) => {
                    self.at = at;
                    self.push_text(&text)
                }
                None => {
                    let exception = self.exception_for(place, reason)?;
                    Err(vm.raise(exception))
                }
            };
        }
        let handler = registry::lookup_error(vm, self.errors)?;
        let exception = self.exception_for(place, reason)?;
        let result = vm.call_values(&handler, std::slice::from_ref(&exception))?;
        let wrong = || vm.type_error("decoding error handler must return (str, int) tuple".to_string());
        let Some(items) = result.downcast::<Tuple>().map(Tuple::items) else { return Err(wrong()) };
        let [text, at] = items.as_slice() else { return Err(wrong()) };
        let Some(s) = text.downcast::<Str>() else { return Err(wrong()) };
        // The handler may have put other bytes in place.
        let object = error::fault_object(vm, &exception)?;
        if !self.object.as_ref().is_some_and(|old| old.is(&object)) {
            self.bytes = Cow::Owned(vm.copied(vm.expect_bytes(&object)?)?);
            self.object = Some(object);
        }
        self.at = resume_at(vm, at, self.bytes.len())?;
        self.push_text(&s.text)
    }

    pub fn push(&mut self, point: u32) -> Res<()> {
        self.out.push(point).map_err(|_| self.vm.no_memory())
    }

    pub fn push_str(&mut self, text: &str) -> Res<()> {
        self.out.push_str(text).map_err(|_| self.vm.no_memory())
    }

    pub fn push_text(&mut self, text: &Text) -> Res<()> {
        self.out.push_text(text).map_err(|_| self.vm.no_memory())
    }

    /// The text, and how many bytes it came from.
    pub fn finish(self) -> Res<(Value, usize)> {
        let (vm, at) = (self.vm, self.at);
        Ok((vm.made_text(self.out.finish())?, at))
    }
}

macro_rules! function {
    ($name:literal, $known:ident, $doc:literal) => {
        pellucid_object::FunctionDef::new(
            $name,
            "($module, exception, /)",
            $doc,
            NativeFn::F1(|vm, e| call_known(vm, Known::$known, e)),
        )
    };
}

/// The known handlers as functions, in the order of [`Known::ALL`].
pub static FUNCTIONS: [pellucid_object::FunctionDef; 8] = [
    function!("strict_errors", Strict, "Implements the 'strict' error handling."),
    function!("ignore_errors", Ignore, "Implements the 'ignore' error handling."),
    function!("replace_errors", Replace, "Implements the 'replace' error handling."),
    function!(
        "backslashreplace_errors",
        BackslashReplace,
        "Implements the 'backslashreplace' error handling."
    ),
    function!(
        "xmlcharrefreplace_errors",
        XmlCharRefReplace,
        "Implements the 'xmlcharrefreplace' error handling."
    ),
    function!("namereplace_errors", NameReplace, "Implements the 'namereplace' error handling."),
    function!("surrogateescape", SurrogateEscape, "Implements the 'surrogateescape' error handling."),
    function!("surrogatepass", SurrogatePass, "Implements the 'surrogatepass' error handling."),
];

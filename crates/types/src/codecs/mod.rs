//! Between text and bytes: the encodings that need no Python code, error handlers, and the codec registry.
//!
//! [`encode`] and [`decode`] are `str.encode` and `bytes.decode`: a few names are known here ([`Encoding`]), others go
//! through the [`registry`], which asks the library's `encodings`. The module `_codecs` offers all of it to Python.

pub mod charmap;
pub mod error;
pub mod escape;
pub mod handler;
pub mod registry;
pub mod single;
pub mod utf16;
pub mod utf32;
pub mod utf7;
pub mod utf8;

use handler::{Decoder, Encoder};
use pellucid_object::{Bytes, Interpreter, Res, Str, Value};
use std::borrow::Cow;

/// The order of the bytes of a wider unit. `Native` writes and reads a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteOrder {
    Native,
    Little,
    Big,
}

/// The encodings that [`encode`] and [`decode`] know without asking the registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Utf8,
    Utf16,
    Utf32,
    Ascii,
    Latin1,
}

impl Encoding {
    /// By one of the usual names, in any case, with `-` or `_`.
    pub fn named(name: &str) -> Option<Encoding> {
        let mut buffer = [0; 12];
        let buffer = buffer.get_mut(..name.len())?;
        for (to, from) in buffer.iter_mut().zip(name.bytes()) {
            *to = if from == b'_' { b'-' } else { from.to_ascii_lowercase() };
        }
        Some(match &*buffer {
            b"utf-8" | b"utf8" => Encoding::Utf8,
            b"utf-16" | b"utf16" => Encoding::Utf16,
            b"utf-32" | b"utf32" => Encoding::Utf32,
            b"ascii" | b"us-ascii" => Encoding::Ascii,
            b"latin-1" | b"latin1" | b"iso-8859-1" | b"iso8859-1" => Encoding::Latin1,
            _ => return None,
        })
    }
}

/// The text of an `encoding` or `errors` argument. Errors: `TypeError`, `ValueError` for a null character.
pub fn name_argument<'a>(
    vm: &Interpreter,
    value: &'a Value,
    function: &str,
    parameter: &str,
) -> Res<Cow<'a, str>> {
    let Some(s) = value.downcast::<Str>() else {
        let got = if value.is_none() { "None".into() } else { vm.type_name(value) };
        return Err(vm.type_error(format!("{function}() argument '{parameter}' must be str, not {got}")));
    };
    let text = match s.text.as_ascii() {
        Some(ascii) => Cow::Borrowed(ascii),
        None => match s.text.to_utf8() {
            Some(text) => Cow::Owned(text),
            None => return Err(error::raise_encode(vm, "utf-8", value, (0, 1), "surrogates not allowed")),
        },
    };
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character".to_string()));
    }
    Ok(text)
}

/// Encodes a `str` with a known encoding.
pub fn encode_with(vm: &Interpreter, encoding: Encoding, text: &Value, errors: Option<&str>) -> Res {
    match encoding {
        Encoding::Utf8 => utf8::encode(vm, text, errors),
        Encoding::Utf16 => utf16::encode(vm, text, errors, ByteOrder::Native),
        Encoding::Utf32 => utf32::encode(vm, text, errors, ByteOrder::Native),
        Encoding::Ascii => single::encode(vm, text, errors, &single::ASCII),
        Encoding::Latin1 => single::encode(vm, text, errors, &single::LATIN1),
    }
}

/// In development an unknown error handler is found out even when nothing goes wrong. Errors: `LookupError`.
fn check_handler(vm: &Interpreter, errors: Option<&str>) -> Res<()> {
    match errors {
        Some(errors) if vm.dev_mode.get() => registry::lookup_error(vm, errors).map(drop),
        _ => Ok(()),
    }
}

/// `str.encode`: a `bytes` object. Errors: `UnicodeEncodeError`, `LookupError`, what codecs and handlers raise.
pub fn encode(vm: &Interpreter, text: &Value, encoding: Option<&str>, errors: Option<&str>) -> Res {
    check_handler(vm, errors)?;
    let name = encoding.unwrap_or("utf-8");
    registry::check_errors(vm, errors)?;
    if let Some(known) = Encoding::named(name) {
        return encode_with(vm, known, text, errors);
    }
    let codec = registry::lookup_text(vm, name, "codecs.encode()")?;
    let result = registry::call(vm, &codec, registry::Direction::Encode, text, name, errors)?;
    if result.downcast::<Bytes>().is_some() {
        return Ok(result);
    }
    if let Some(array) = result.downcast::<pellucid_object::ByteArray>() {
        return vm.bytes_from(&array.borrow());
    }
    let got = vm.type_name(&result);
    Err(vm.type_error(format!(
        "'{name}' encoder returned '{got}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types"
    )))
}

/// Decodes bytes with a known encoding. `object` is the `bytes` object they stand in, if they do.
pub fn decode_with(
    vm: &Interpreter,
    encoding: Encoding,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
) -> Res {
    match encoding {
        Encoding::Utf8 => Ok(utf8::decode(vm, bytes, object, errors, true)?.0),
        Encoding::Utf16 => Ok(utf16::decode(vm, bytes, object, errors, ByteOrder::Native, true)?.text),
        Encoding::Utf32 => Ok(utf32::decode(vm, bytes, object, errors, ByteOrder::Native, true)?.text),
        Encoding::Ascii => Ok(single::decode_ascii(vm, bytes, object, errors)?.0),
        Encoding::Latin1 => vm.made_text(pellucid_object::Text::from_latin1(bytes)),
    }
}

/// `bytes.decode` of any bytes-like object: a `str`. Errors: `UnicodeDecodeError`, `LookupError`, what codecs and
/// handlers raise.
pub fn decode(vm: &Interpreter, object: &Value, encoding: Option<&str>, errors: Option<&str>) -> Res {
    check_handler(vm, errors)?;
    let name = encoding.unwrap_or("utf-8");
    registry::check_errors(vm, errors)?;
    if let Some(known) = Encoding::named(name) {
        return with_bytes(vm, object, |bytes, object| decode_with(vm, known, bytes, object, errors));
    }
    // Nothing is nothing in any encoding, even one that there is not.
    if !registry::checks(vm) && vm.bytes_like(object)?.is_empty() {
        return vm.new_str("");
    }
    let codec = registry::lookup_text(vm, name, "codecs.decode()")?;
    let result = registry::call(vm, &codec, registry::Direction::Decode, object, name, errors)?;
    if result.downcast::<Str>().is_some() {
        return Ok(result);
    }
    let got = vm.type_name(&result);
    Err(vm.type_error(format!(
        "'{name}' decoder returned '{got}' instead of 'str'; use codecs.decode() to decode to arbitrary types"
    )))
}

/// Calls `f` with the bytes of a bytes-like object, copied when they could change meanwhile, and with the object when
/// it is `bytes`.
pub fn with_bytes<R>(
    vm: &Interpreter,
    object: &Value,
    f: impl FnOnce(&[u8], Option<&Value>) -> Res<R>,
) -> Res<R> {
    if let Some(bytes) = object.downcast::<Bytes>() {
        return f(bytes.as_slice(), Some(object));
    }
    let like = vm.bytes_like(object)?;
    let copy = vm.copied(&like.bytes())?;
    drop(like);
    f(&copy, None)
}

/// What a decoder of wide units found.
pub struct Decoded {
    pub text: Value,
    /// Bytes read.
    pub consumed: usize,
    /// The order that the bytes turned out to have.
    pub order: ByteOrder,
}

//! Encodings whose bytes are the first code points: ASCII and Latin-1.

use super::handler::Substitute;
use super::{Decoder, Encoder};
use pellucid_object::{Interpreter, Res, Text, Value};

/// One of the two.
pub struct Range {
    name: &'static str,
    /// First code point that has no byte.
    limit: u32,
    reason: &'static str,
}

pub static ASCII: Range = Range { name: "ascii", limit: 0x80, reason: "ordinal not in range(128)" };
pub static LATIN1: Range = Range { name: "latin-1", limit: 0x100, reason: "ordinal not in range(256)" };

/// Encodes a `str`.
pub fn encode(vm: &Interpreter, object: &Value, errors: Option<&str>, range: &Range) -> Res {
    let text = vm.expect_text(object)?;
    match (text.as_ascii(), text.as_latin1()) {
        (Some(ascii), _) => return vm.bytes_from(ascii.as_bytes()),
        (_, Some(bytes)) if range.limit == 0x100 => return vm.bytes_from(bytes),
        _ => {}
    }
    let mut encoder = Encoder::new(vm, range.name, object, errors);
    encoder.reserve(text.len())?;
    let mut at = 0;
    while at < text.len() {
        let good = text.code_points_in(at, text.len()).take_while(|p| *p < range.limit).count();
        encoder.reserve(good)?;
        encoder.out.extend(text.code_points_in(at, at + good).map(|p| p as u8));
        at += good;
        let bad = text.code_points_in(at, text.len()).take_while(|p| *p >= range.limit).count();
        if bad == 0 {
            continue;
        }
        let place = (at, at + bad);
        let (substitute, resume) = encoder.unencodable(place, range.reason)?;
        match substitute {
            Substitute::Bytes(bytes) => encoder.extend(&bytes)?,
            Substitute::Text(text) => {
                if text.code_points().any(|p| p >= range.limit) {
                    return Err(encoder.refuse(place, range.reason));
                }
                encoder.reserve(text.len())?;
                encoder.out.extend(text.code_points().map(|p| p as u8));
            }
        }
        at = resume;
    }
    encoder.finish()
}

/// Decodes ASCII: the text, and how many bytes were read.
pub fn decode_ascii(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
) -> Res<(Value, usize)> {
    if bytes.is_ascii() {
        return Ok((vm.made_text(Text::from_latin1(bytes))?, bytes.len()));
    }
    let mut decoder = Decoder::new(vm, ASCII.name, bytes, object, errors);
    loop {
        let good: Vec<u8> = decoder.rest().iter().copied().take_while(u8::is_ascii).collect();
        decoder.push_str(std::str::from_utf8(&good).unwrap_or_default())?;
        decoder.at += good.len();
        if decoder.rest().is_empty() {
            return decoder.finish();
        }
        let at = decoder.at;
        decoder.malformed((at, at + 1), ASCII.reason)?;
    }
}

//! UTF-8.

use super::handler::Substitute;
use super::{Decoder, Encoder};
use pellucid_object::text::push_wtf8;
use pellucid_object::{Interpreter, Res, Text, Value};

const NAME: &str = "utf-8";

/// Encodes a `str`.
pub fn encode(vm: &Interpreter, object: &Value, errors: Option<&str>) -> Res {
    let text = vm.expect_text(object)?;
    if let Some(ascii) = text.as_ascii() {
        return vm.bytes_from(ascii.as_bytes());
    }
    let is_lone = |p: &u32| (0xd800..0xe000).contains(p);
    if text.as_latin1().is_some() || !text.code_points().any(|p| is_lone(&p)) {
        return vm.new_bytes(text.to_wtf8().map_err(|_| vm.no_memory())?);
    }
    let mut encoder = Encoder::new(vm, NAME, object, errors);
    encoder.reserve(text.len())?;
    let mut at = 0;
    while at < text.len() {
        let good = text.code_points_in(at, text.len()).take_while(|p| !is_lone(p)).count();
        encoder.reserve(good.saturating_mul(4))?;
        text.code_points_in(at, at + good).for_each(|p| push_wtf8(&mut encoder.out, p));
        at += good;
        let bad = text.code_points_in(at, text.len()).take_while(is_lone).count();
        if bad == 0 {
            continue;
        }
        let place = (at, at + bad);
        let (substitute, resume) = encoder.unencodable(place, "surrogates not allowed")?;
        match substitute {
            Substitute::Bytes(bytes) => encoder.extend(&bytes)?,
            Substitute::Text(text) => match text.as_ascii() {
                Some(ascii) => encoder.extend(ascii.as_bytes())?,
                None => return Err(encoder.refuse(place, "surrogates not allowed")),
            },
        }
        at = resume;
    }
    encoder.finish()
}

/// Decodes: the text, and how many bytes were read. Unless `last`, an incomplete character at the end is left.
pub fn decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    last: bool,
) -> Res<(Value, usize)> {
    if bytes.is_ascii() {
        return Ok((vm.made_text(Text::from_latin1(bytes))?, bytes.len()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((vm.made_text(Text::from_utf8(text))?, bytes.len()));
    }
    let mut decoder = Decoder::new(vm, NAME, bytes, object, errors);
    loop {
        let rest = decoder.rest();
        let error = match std::str::from_utf8(rest) {
            Ok(text) => {
                let (text, len) = (text.to_string(), rest.len());
                decoder.push_str(&text)?;
                decoder.at += len;
                return decoder.finish();
            }
            Err(error) => error,
        };
        let (good, bad) = rest.split_at(error.valid_up_to());
        let (first, left) = (bad.first().copied().unwrap_or(0), bad.len());
        let cut_surrogate = matches!(bad, [0xed, 0xa0..=0xbf]);
        let text = String::from_utf8_lossy(good).into_owned();
        decoder.push_str(&text)?;
        decoder.at += text.len();
        let at = decoder.at;
        match error.error_len() {
            None if !last => return decoder.finish(),
            None => decoder.malformed((at, at + left), "unexpected end of data")?,
            Some(_) if !last && cut_surrogate => return decoder.finish(),
            Some(1) if !(0xc2..=0xf4).contains(&first) => {
                decoder.malformed((at, at + 1), "invalid start byte")?;
            }
            Some(len) => decoder.malformed((at, at + len), "invalid continuation byte")?,
        }
    }
}

//! UTF-32.

use super::handler::Substitute;
use super::{ByteOrder, Decoded, Decoder, Encoder};
use pellucid_object::{Interpreter, Res, Value};

fn is_big(order: ByteOrder) -> bool {
    match order {
        ByteOrder::Native => cfg!(target_endian = "big"),
        ByteOrder::Little => false,
        ByteOrder::Big => true,
    }
}

/// Encodes a `str`; a mark comes first unless the order is given.
pub fn encode(vm: &Interpreter, object: &Value, errors: Option<&str>, order: ByteOrder) -> Res {
    let text = vm.expect_text(object)?;
    let name = match order {
        ByteOrder::Native => "utf-32",
        ByteOrder::Little => "utf-32-le",
        ByteOrder::Big => "utf-32-be",
    };
    let big = is_big(order);
    let mut encoder = Encoder::new(vm, name, object, errors);
    let unit = |out: &mut Vec<u8>, u: u32| out.extend(if big { u.to_be_bytes() } else { u.to_le_bytes() });
    encoder.reserve(text.len().saturating_add(1).saturating_mul(4))?;
    if order == ByteOrder::Native {
        unit(&mut encoder.out, 0xfeff);
    }
    let mut at = 0;
    while let Some(point) = text.get(at) {
        if (0xd800..0xe000).contains(&point) {
            let place = (at, at + 1);
            let (substitute, resume) = encoder.unencodable(place, "surrogates not allowed")?;
            match substitute {
                Substitute::Bytes(bytes) if bytes.len() % 4 == 0 => encoder.extend(&bytes)?,
                Substitute::Text(text) if text.is_ascii() => {
                    encoder.reserve(text.len().saturating_mul(4))?;
                    text.code_points().for_each(|p| unit(&mut encoder.out, p));
                }
                _ => return Err(encoder.refuse(place, "surrogates not allowed")),
            }
            at = resume;
            continue;
        }
        encoder.reserve(4)?;
        unit(&mut encoder.out, point);
        at += 1;
    }
    encoder.finish()
}

/// Decodes. With order `Native` a mark at the start decides; unless `last`, incomplete characters at the end are left.
pub fn decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    order: ByteOrder,
    last: bool,
) -> Res<Decoded> {
    let (order, skip) = match (order, bytes) {
        (ByteOrder::Native, [0xff, 0xfe, 0, 0, ..]) => (ByteOrder::Little, 4),
        (ByteOrder::Native, [0, 0, 0xfe, 0xff, ..]) => (ByteOrder::Big, 4),
        _ => (order, 0),
    };
    let big = is_big(order);
    let name = if big { "utf-32-be" } else { "utf-32-le" };
    let mut decoder = Decoder::new(vm, name, bytes, object, errors);
    decoder.at = skip;
    loop {
        let at = decoder.at;
        let (point, left) = match decoder.rest() {
            [] => break,
            [a, b, c, d, ..] if big => (u32::from_be_bytes([*a, *b, *c, *d]), 4),
            [a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]), 4),
            few => (0, few.len()),
        };
        match (left, point) {
            (4, 0xd800..0xe000) => {
                let what = "code point in surrogate code point range(0xd800, 0xe000)";
                decoder.malformed((at, at + 4), what)?;
            }
            (4, 0..0x110000) => {
                decoder.push(point)?;
                decoder.at += 4;
            }
            (4, _) => decoder.malformed((at, at + 4), "code point not in range(0x110000)")?,
            _ if !last => break,
            _ => decoder.malformed((at, at + left), "truncated data")?,
        }
    }
    let (text, consumed) = decoder.finish()?;
    Ok(Decoded { text, consumed, order })
}

//! UTF-16.

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
        ByteOrder::Native => "utf-16",
        ByteOrder::Little => "utf-16-le",
        ByteOrder::Big => "utf-16-be",
    };
    let big = is_big(order);
    let mut encoder = Encoder::new(vm, name, object, errors);
    let unit = |out: &mut Vec<u8>, u: u16| out.extend(if big { u.to_be_bytes() } else { u.to_le_bytes() });
    encoder.reserve(text.len().saturating_add(1).saturating_mul(2))?;
    if order == ByteOrder::Native {
        unit(&mut encoder.out, 0xfeff);
    }
    let mut at = 0;
    while let Some(point) = text.get(at) {
        encoder.reserve(4)?;
        match point {
            0xd800..0xe000 => {
                let place = (at, at + 1);
                let (substitute, resume) = encoder.unencodable(place, "surrogates not allowed")?;
                match substitute {
                    Substitute::Bytes(bytes) if bytes.len() % 2 == 0 => encoder.extend(&bytes)?,
                    Substitute::Text(text) if text.is_ascii() => {
                        encoder.reserve(text.len().saturating_mul(2))?;
                        text.code_points().for_each(|p| unit(&mut encoder.out, p as u16));
                    }
                    _ => return Err(encoder.refuse(place, "surrogates not allowed")),
                }
                at = resume;
                continue;
            }
            0..0x10000 => unit(&mut encoder.out, point as u16),
            _ => {
                let rest = point - 0x10000;
                unit(&mut encoder.out, 0xd800 | (rest >> 10) as u16);
                unit(&mut encoder.out, 0xdc00 | (rest & 0x3ff) as u16);
            }
        }
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
        (ByteOrder::Native, [0xff, 0xfe, ..]) => (ByteOrder::Little, 2),
        (ByteOrder::Native, [0xfe, 0xff, ..]) => (ByteOrder::Big, 2),
        _ => (order, 0),
    };
    let big = is_big(order);
    let name = if big { "utf-16-be" } else { "utf-16-le" };
    let mut decoder = Decoder::new(vm, name, bytes, object, errors);
    decoder.at = skip;
    let unit = |pair: &[u8]| match pair {
        [a, b] if big => u32::from(u16::from_be_bytes([*a, *b])),
        [a, b] => u32::from(u16::from_le_bytes([*a, *b])),
        _ => 0,
    };
    loop {
        let at = decoder.at;
        let rest = decoder.rest();
        let left = rest.len();
        if left == 0 || left == 1 && !last {
            break;
        }
        if left == 1 {
            decoder.malformed((at, at + 1), "truncated data")?;
            continue;
        }
        let first = unit(&rest[..2]);
        match first {
            0xd800..0xdc00 if left < 4 => {
                if !last {
                    break;
                }
                decoder.malformed((at, at + left), "unexpected end of data")?;
            }
            0xd800..0xdc00 => {
                let second = unit(&rest[2..4]);
                if (0xdc00..0xe000).contains(&second) {
                    decoder.push(0x10000 + ((first & 0x3ff) << 10 | second & 0x3ff))?;
                    decoder.at += 4;
                } else {
                    decoder.malformed((at, at + 2), "illegal UTF-16 surrogate")?;
                }
            }
            0xdc00..0xe000 => decoder.malformed((at, at + 2), "illegal encoding")?,
            _ => {
                decoder.push(first)?;
                decoder.at += 2;
            }
        }
    }
    let (text, consumed) = decoder.finish()?;
    Ok(Decoded { text, consumed, order })
}

//! UTF-7: ASCII, with other characters as base64 of UTF-16 between `+` and `-`.

use super::Decoder;
use pellucid_object::{Interpreter, Res, Value};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_value(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Whether the encoder writes the code point as itself.
fn is_direct(point: u32) -> bool {
    match point {
        0x2b | 0x5c | 0x7e => false,
        0x09 | 0x0a | 0x0d | 0x20..0x7f => true,
        _ => false,
    }
}

/// Encodes a `str`. Lone surrogates are written as they are.
pub fn encode(vm: &Interpreter, object: &Value) -> Res {
    let text = vm.expect_text(object)?;
    let mut out: Vec<u8> = Vec::new();
    let (mut shifted, mut bits, mut buffer) = (false, 0, 0u64);
    for point in text.code_points() {
        if out.try_reserve(10).is_err() {
            return Err(vm.no_memory());
        }
        if shifted && is_direct(point) {
            if bits > 0 {
                out.push(ALPHABET[(buffer << (6 - bits) & 63) as usize]);
                (bits, buffer) = (0, 0);
            }
            shifted = false;
            // What could be read as base64, or as the end of it, needs the end written out.
            if base64_value(point as u8).is_some() || point == 0x2d {
                out.push(b'-');
            }
            out.push(point as u8);
            continue;
        }
        if !shifted {
            match point {
                0x2b => {
                    out.extend(b"+-");
                    continue;
                }
                _ if is_direct(point) => {
                    out.push(point as u8);
                    continue;
                }
                _ => {
                    out.push(b'+');
                    shifted = true;
                }
            }
        }
        let mut put = |unit: u32| {
            buffer = buffer << 16 | u64::from(unit);
            bits += 16;
            while bits >= 6 {
                bits -= 6;
                out.push(ALPHABET[(buffer >> bits & 63) as usize]);
            }
            buffer &= (1 << bits) - 1;
        };
        if point >= 0x10000 {
            put(0xd800 | (point - 0x10000) >> 10);
            put(0xdc00 | point & 0x3ff);
        } else {
            put(point);
        }
    }
    if bits > 0 {
        out.push(ALPHABET[(buffer << (6 - bits) & 63) as usize]);
    }
    if shifted {
        out.push(b'-');
    }
    vm.new_bytes(out)
}

/// Decodes: the text, and how many bytes were read. Unless `last`, an open base64 section at the end is left.
pub fn decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    last: bool,
) -> Res<(Value, usize)> {
    let mut decoder = Decoder::new(vm, "utf7", bytes, object, errors);
    let (mut shifted, mut bits, mut buffer, mut high) = (false, 0, 0u32, 0u32);
    let (mut start, mut written_at_start) = (0, 0);
    loop {
        let at = decoder.at;
        let Some(&byte) = decoder.rest().first() else {
            if shifted && last && (high != 0 || bits >= 6 || bits > 0 && buffer != 0) {
                shifted = false;
                let end = decoder.bytes().len();
                decoder.malformed((start, end), "unterminated shift sequence")?;
                continue;
            }
            break;
        };
        if shifted {
            if let Some(value) = base64_value(byte) {
                buffer = buffer << 6 | value;
                bits += 6;
                decoder.at += 1;
                if bits >= 16 {
                    bits -= 16;
                    let unit = buffer >> bits;
                    buffer &= (1 << bits) - 1;
                    if high != 0 {
                        if (0xdc00..0xe000).contains(&unit) {
                            decoder.push(0x10000 + ((high & 0x3ff) << 10 | unit & 0x3ff))?;
                            high = 0;
                            continue;
                        }
                        decoder.push(high)?;
                        high = 0;
                    }
                    if (0xd800..0xdc00).contains(&unit) {
                        high = unit;
                    } else {
                        decoder.push(unit)?;
                    }
                }
                continue;
            }
            shifted = false;
            if bits >= 6 {
                decoder.malformed((start, at + 1), "partial character in shift sequence")?;
                continue;
            }
            if bits > 0 && buffer != 0 {
                decoder.malformed((start, at + 1), "non-zero padding bits in shift sequence")?;
                continue;
            }
            if high != 0 && byte < 0x80 && byte != b'+' {
                decoder.push(high)?;
            }
            high = 0;
            if byte == b'-' {
                decoder.at += 1;
            }
        } else if byte == b'+' {
            start = at;
            match decoder.rest().get(1) {
                Some(b'-') => {
                    decoder.push(u32::from(b'+'))?;
                    decoder.at += 2;
                }
                Some(next) if base64_value(*next).is_none() => {
                    decoder.malformed((at, at + 2), "ill-formed sequence")?;
                }
                _ => {
                    decoder.at += 1;
                    (shifted, bits, buffer, high) = (true, 0, 0, 0);
                    written_at_start = decoder.out.len();
                }
            }
        } else if byte < 0x80 {
            decoder.push(u32::from(byte))?;
            decoder.at += 1;
        } else {
            start = at;
            decoder.malformed((at, at + 1), "unexpected special character")?;
        }
    }
    if shifted && !last {
        decoder.out.truncate(written_at_start);
        decoder.at = start;
    }
    decoder.finish()
}

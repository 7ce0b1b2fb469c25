//! `binascii`: bytes as base64, hexadecimal, uuencoded and quoted-printable text, and checksums.

use crate::ModuleError;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Value, constant};

/// The exception class of this interpreter's module.
#[derive(Default)]
struct State {
    error: ModuleError,
}

fn error_class(vm: &Interpreter) -> Res {
    vm.state::<State>().error.class(vm, "binascii", "Error", vm.exceptions().value_error())
}

/// `binascii.Error`, raised.
#[cold]
fn error(vm: &Interpreter, message: &str) -> Raised {
    crate::raise_new(vm, error_class(vm), message)
}

fn bytes(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    vm.copied(&vm.bytes_like(value)?.bytes())
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Not a character of base64.
const NONE: u8 = 0xff;

const fn base64_values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 64 {
        table[BASE64[i] as usize] = i as u8;
        i += 1;
    }
    table
}
static VALUES: [u8; 256] = base64_values();

fn b2a_base64(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.bytes_like(args.req(0))?;
    let newline = args.bool_or(vm, 1, true)?;
    let data = data.bytes();
    let mut out: Vec<u8> =
        pellucid_types::seq::reserve(vm, (data.len() / 3 + 1).checked_mul(4).map(|n| n + 1))?;
    for chunk in data.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        let digit = |shift: u32| BASE64[(group >> shift & 63) as usize];
        out.extend([digit(18), digit(12)]);
        out.push(if chunk.len() > 1 { digit(6) } else { b'=' });
        out.push(if chunk.len() > 2 { digit(0) } else { b'=' });
    }
    if newline {
        out.push(b'\n');
    }
    drop(data);
    vm.new_bytes(out)
}

fn a2b_base64(vm: &Interpreter, args: &Args) -> Res {
    let strict = args.bool_or(vm, 1, false)?;
    let data = vm.ascii_or_bytes(args.req(0))?;
    if strict && data.first() == Some(&b'=') {
        return Err(error(vm, "Leading padding not allowed"));
    }
    let mut out: Vec<u8> = pellucid_types::seq::reserve(vm, Some(data.len() / 4 * 3 + 3))?;
    let (mut quad, mut left, mut pads, mut started) = (0, 0u8, 0, false);
    for (i, &byte) in data.iter().enumerate() {
        if byte == b'=' {
            started = true;
            pads += 1;
            if quad >= 2 && quad + pads >= 4 {
                if strict && i + 1 < data.len() {
                    return Err(error(vm, "Excess data after padding"));
                }
                return vm.new_bytes(out);
            }
            if strict && quad == 0 {
                return Err(error(vm, "Excess padding not allowed"));
            }
            continue;
        }
        let value = VALUES[usize::from(byte)];
        if value == NONE {
            if strict {
                return Err(error(vm, "Only base64 data is allowed"));
            }
            continue;
        }
        if strict && started {
            return Err(error(vm, "Discontinuous padding not allowed"));
        }
        pads = 0;
        match quad {
            0 => left = value,
            1 => {
                out.push(left << 2 | value >> 4);
                left = value & 15;
            }
            2 => {
                out.push(left << 4 | value >> 2);
                left = value & 3;
            }
            _ => {
                out.push(left << 6 | value);
                left = 0;
            }
        }
        quad = (quad + 1) % 4;
    }
    match quad {
        0 => vm.new_bytes(out),
        1 => {
            let count = out.len() / 3 * 4 + 1;
            Err(error(
                vm,
                &format!(
                    "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than \
                     a multiple of 4"
                ),
            ))
        }
        _ => Err(error(vm, "Incorrect padding")),
    }
}

fn hexlify(vm: &Interpreter, args: &Args) -> Res {
    let group = args.int_or(vm, 2, 1)?;
    let data = bytes(vm, args.req(0))?;
    vm.new_bytes(pellucid_types::bytes::hex_text(vm, &data, args.get(1), group)?)
}

fn unhexlify(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.ascii_or_bytes(args.req(0))?;
    if data.len() % 2 == 1 {
        return Err(error(vm, "Odd-length string"));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4 | digit(*low)?) as u8),
        _ => None,
    };
    match data.chunks(2).map(pair).collect::<Option<Vec<u8>>>() {
        Some(bytes) => vm.new_bytes(bytes),
        None => Err(error(vm, "Non-hexadecimal digit found")),
    }
}

fn a2b_uu(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.ascii_or_bytes(args.req(0))?;
    let (first, rest) = data.split_first().map_or((0, &[][..]), |(first, rest)| (*first, rest));
    let len = usize::from(first.wrapping_sub(b' ') & 0x3f);
    let mut out = Vec::with_capacity(len);
    let mut rest = rest.iter();
    let (mut bits, mut buffer) = (0, 0u32);
    while out.len() < len {
        // A line that ends early goes on with zeros.
        let value = match rest.next().copied() {
            None | Some(b'\n' | b'\r') => 0,
            Some(byte @ b' '..=b'`') => u32::from((byte - b' ') & 0x3f),
            Some(_) => return Err(error(vm, "Illegal char")),
        };
        buffer = buffer << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits & 0xff) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    // One character of padding may follow, and the end of the line.
    if rest.any(|byte| !matches!(byte, b' ' | b'`' | b'\n' | b'\r')) {
        return Err(error(vm, "Trailing garbage"));
    }
    vm.new_bytes(out)
}

fn b2a_uu(vm: &Interpreter, args: &Args) -> Res {
    let backtick = args.bool_or(vm, 1, false)?;
    let data = bytes(vm, args.req(0))?;
    if data.len() > 45 {
        return Err(error(vm, "At most 45 bytes at once"));
    }
    let digit = |value: u32| match value as u8 {
        0 if backtick => b'`',
        value => value + b' ',
    };
    let mut out = vec![digit(data.len() as u32)];
    for chunk in data.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        out.extend([18, 12, 6, 0].map(|shift| digit(group >> shift & 63)));
    }
    out.push(b'\n');
    vm.new_bytes(out)
}

fn a2b_qp(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.ascii_or_bytes(args.req(0))?;
    let header = args.bool_or(vm, 1, false)?;
    let mut out = Vec::with_capacity(data.len());
    let mut at = 0;
    while let Some(&byte) = data.get(at) {
        at += 1;
        match byte {
            b'=' => match (data.get(at), data.get(at + 1)) {
                (None, _) => break,
                (Some(b'\n' | b'\r'), _) => {
                    // A soft line break: what stands up to the end of the line is skipped.
                    at += memchr::memchr(b'\n', &data[at..]).map_or(data.len() - at, |n| n + 1);
                }
                (Some(b'='), _) => {
                    out.push(b'=');
                    at += 1;
                }
                (Some(high), Some(low)) => {
                    match (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) {
                        (Some(high), Some(low)) => {
                            out.push((high << 4 | low) as u8);
                            at += 2;
                        }
                        _ => out.push(b'='),
                    }
                }
                _ => out.push(b'='),
            },
            b'_' if header => out.push(b' '),
            _ => out.push(byte),
        }
    }
    vm.new_bytes(out)
}

fn b2a_qp(vm: &Interpreter, args: &Args) -> Res {
    const WIDTH: usize = 76;
    let data = bytes(vm, args.req(0))?;
    let quote_tabs = args.bool_or(vm, 1, false)?;
    let is_text = args.bool_or(vm, 2, true)?;
    let header = args.bool_or(vm, 3, false)?;
    // The kind of line ends of the first line decides for soft breaks.
    let crlf = memchr::memchr(b'\n', &data).is_some_and(|at| at > 0 && data[at - 1] == b'\r');
    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out: Vec<u8> = Vec::with_capacity(data.len() + data.len() / 8);
    let mut line = 0;
    let mut at = 0;
    while let Some(&byte) = data.get(at) {
        let next = data.get(at + 1).copied();
        let ends_line =
            matches!(next, None | Some(b'\n')) || next == Some(b'\r') && data.get(at + 2) == Some(&b'\n');
        let dot = byte == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0));
        let quoted = byte > 126
            || byte == b'='
            || header && byte == b'_'
            || dot
            || !is_text && matches!(byte, b'\r' | b'\n')
            || matches!(byte, b' ' | b'\t') && at + 1 == data.len()
            || byte < 33 && !matches!(byte, b'\r' | b'\n' | b'\t' | b' ')
            || byte < 33 && !matches!(byte, b'\r' | b'\n') && quote_tabs;
        let plain_break = is_text && (byte == b'\n' || byte == b'\r' && next == Some(b'\n'));
        if plain_break {
            // Whitespace at the end of a line would get lost.
            if let Some(last @ (b' ' | b'\t')) = out.last().copied() {
                out.pop();
                out.extend(format!("={last:02X}").bytes());
            }
            out.extend_from_slice(line_end);
            line = 0;
            at += if byte == b'\r' { 2 } else { 1 };
            continue;
        }
        let width = if quoted { 3 } else { 1 };
        if line + width >= WIDTH && !(ends_line && !quoted && line + width == WIDTH) {
            out.push(b'=');
            out.extend_from_slice(line_end);
            line = 0;
        }
        if quoted {
            out.extend(format!("={byte:02X}").bytes());
        } else {
            out.push(if header && byte == b' ' { b'_' } else { byte });
        }
        line += width;
        at += 1;
    }
    vm.new_bytes(out)
}

/// A start value as 32 bits.
fn start(vm: &Interpreter, args: &Args, index: usize) -> Res<u32> {
    match args.get(index) {
        None => Ok(0),
        Some(value) => {
            let index = vm.index(value)?;
            let mask = pellucid_object::int::IBig::from(u32::MAX);
            let low = index.as_int().map(|i| i.to_big() & mask);
            Ok(low.and_then(|low| u32::try_from(low).ok()).unwrap_or(0))
        }
    }
}

/// `crc32` of this module and of `zlib`.
pub fn crc32(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.bytes_like(args.req(0))?;
    let mut hasher = crc32fast::Hasher::new_with_initial(start(vm, args, 1)?);
    hasher.update(&data.bytes());
    vm.new_int(i64::from(hasher.finalize()))
}

fn crc_hqx(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.bytes_like(args.req(0))?;
    let mut crc = start(vm, args, 1)? & 0xffff;
    for byte in data.bytes().iter() {
        crc ^= u32::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
        crc &= 0xffff;
    }
    vm.new_int(i64::from(crc))
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "binascii",
    doc: "Conversion between binary data and ASCII",
    functions: &[
        FunctionDef::new("a2b_uu", "($module, data, /)", "Decode a line of uuencoded data.", NativeFn::Args(a2b_uu)),
        FunctionDef::new("b2a_uu", "($module, data, /, *, backtick=False)", "Uuencode line of data.", NativeFn::Args(b2a_uu)),
        FunctionDef::new("a2b_base64", "($module, data, /, *, strict_mode=False)", "Decode a line of base64 data.", NativeFn::Args(a2b_base64)),
        FunctionDef::new("b2a_base64", "($module, data, /, *, newline=True)", "Base64-code line of data.", NativeFn::Args(b2a_base64)),
        FunctionDef::new("a2b_hex", "($module, hexstr, /)", "Binary data of hexadecimal representation.", NativeFn::Args(unhexlify)),
        FunctionDef::new("unhexlify", "($module, hexstr, /)", "Binary data of hexadecimal representation.", NativeFn::Args(unhexlify)),
        FunctionDef::new("b2a_hex", "($module, /, data, sep=None, bytes_per_sep=1)", "Hexadecimal representation of binary data.", NativeFn::Args(hexlify)),
        FunctionDef::new("hexlify", "($module, /, data, sep=None, bytes_per_sep=1)", "Hexadecimal representation of binary data.", NativeFn::Args(hexlify)),
        FunctionDef::new("a2b_qp", "($module, /, data, header=False)", "Decode a string of qp-encoded data.", NativeFn::Args(a2b_qp)),
        FunctionDef::new("b2a_qp", "($module, /, data, quotetabs=False, istext=True, header=False)", "Encode a string using quoted-printable encoding.", NativeFn::Args(b2a_qp)),
        FunctionDef::new("crc32", "($module, data, crc=0, /)", "Compute CRC-32 incrementally.", NativeFn::Args(crc32)),
        FunctionDef::new("crc_hqx", "($module, data, crc, /)", "Compute CRC-CCITT incrementally.", NativeFn::Args(crc_hqx)),
    ],
    types: &[],
    constants: &[
        constant("Error", error_class),
        constant("Incomplete", |vm| crate::new_exception_class(vm, "binascii", "Incomplete", vm.exceptions().exception().value())),
    ],
    init: None,
};

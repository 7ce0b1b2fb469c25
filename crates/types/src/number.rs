//! What ints and floats share: conversions, exact comparison, hashing, and the text both constructors accept.

use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{CallArgs, Interpreter, Raised, Res, Value};
use std::cmp::Ordering;

/// The digits zero of the decimal digit runs of Unicode outside ASCII.
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50,
    0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
    0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
];

/// Raised by every division by zero, of ints and floats alike.
#[cold]
pub fn division_by_zero(vm: &Interpreter) -> Raised {
    vm.zero_division_error("division by zero".to_string())
}

/// The nearest float, ties to even. Errors: `OverflowError`.
pub fn int_to_f64(vm: &Interpreter, int: &IntRef) -> Res<f64> {
    let f = match int {
        IntRef::Small(i) => *i as f64,
        IntRef::Big(big) => big.to_f64().value(),
    };
    if f.is_finite() {
        Ok(f)
    } else {
        Err(vm.overflow_error("int too large to convert to float".to_string()))
    }
}

/// An int or float operand as a float; `None` for other types. Errors: `OverflowError`.
pub fn operand(vm: &Interpreter, value: &Value) -> Res<Option<f64>> {
    match (value.as_float(), value.as_int()) {
        (Some(f), _) => Ok(Some(f)),
        (None, Some(int)) => int_to_f64(vm, &int).map(Some),
        (None, None) => Ok(None),
    }
}

/// A finite float as (mantissa, exponent of two), exactly; the mantissa has the float's sign.
pub fn decompose(f: f64) -> (i64, i32) {
    let bits = f.to_bits();
    let (field, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i64);
    let (mantissa, exponent) =
        if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    (if f < 0.0 { -mantissa } else { mantissa }, exponent)
}

/// A finite float as an int, towards zero.
pub fn truncate(f: f64) -> IBig {
    let (mantissa, exponent) = decompose(f.trunc());
    if exponent >= 0 {
        IBig::from(mantissa) << exponent as usize
    } else {
        // The fraction is gone, so what is shifted out is zeros.
        IBig::from(f.trunc() as i64)
    }
}

/// An int object for a float. Errors: `ValueError` for NaN, `OverflowError` for an infinity.
pub fn float_to_int(vm: &Interpreter, f: f64) -> Res {
    if f.is_nan() {
        return Err(vm.value_error("cannot convert float NaN to integer".to_string()));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert float infinity to integer".to_string()));
    }
    if f.abs() < 9e18 { vm.new_int(f as i64) } else { vm.new_big(truncate(f)) }
}

/// Compares an int and a float by their exact values; `None` with NaN.
pub fn compare_int_float(int: &IntRef, f: f64) -> Option<Ordering> {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    if let IntRef::Small(i) = int
        && i.unsigned_abs() <= 1 << 53
    {
        return (*i as f64).partial_cmp(&f);
    }
    let whole = truncate(f);
    let fraction = f - f.trunc();
    Some(int.to_big().cmp(&whole).then(0.0f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}

/// The correctly rounded value of `mantissa * 2^exponent`, ties to even; infinite when too large. A mantissa whose
/// lowest bit stands for "and some more" rounds rightly when it has at least 55 bits.
pub fn scale(mantissa: u64, exponent: i32) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let exponent = exponent.clamp(-4000, 4000);
    let bits = 64 - mantissa.leading_zeros() as i32;
    let lowest = (bits + exponent - 53).max(-1074);
    let drop = lowest - exponent;
    let (kept, exponent) = if drop <= 0 {
        (mantissa, exponent)
    } else if drop > 64 {
        (0, lowest)
    } else {
        let wide = u128::from(mantissa);
        let (kept, rest, half) = (wide >> drop, wide & ((1 << drop) - 1), 1u128 << (drop - 1));
        let up = rest > half || rest == half && kept & 1 == 1;
        (kept as u64 + u64::from(up), lowest)
    };
    if exponent > 1023 {
        return f64::INFINITY;
    }
    let power = |k: i32| f64::from_bits(((k + 1023) as u64) << 52);
    kept as f64 * power(exponent / 2) * power(exponent - exponent / 2)
}

/// Hash of a float: equal to the hash of an int of the same value. NaN hashes to 0 (callers use identity for it).
pub fn hash_f64(f: f64) -> i64 {
    const BITS: i32 = 61;
    const MODULUS: u64 = (1 << 61) - 1;
    if f.is_infinite() {
        return if f > 0.0 { 314159 } else { -314159 };
    }
    if f.is_nan() {
        return 0;
    }
    let (mantissa, exponent) = decompose(f);
    let x = mantissa.unsigned_abs();
    let turn = exponent.rem_euclid(BITS) as u32;
    let rotated = (x << turn & MODULUS) | (u128::from(x) >> (BITS as u32 - turn)) as u64;
    let hash = if rotated == MODULUS { 0 } else { rotated as i64 };
    let hash = if mantissa < 0 { -hash } else { hash };
    if hash == -1 { -2 } else { hash }
}

/// The text of a number as ASCII: decimal digits of any script become `0` to `9`, spaces around it fall. Other
/// characters stay, so that parsing refuses them.
pub fn normalise(text: &str) -> String {
    let space = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    text.trim_matches(space).chars().map(to_ascii_digit).collect()
}

fn to_ascii_digit(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let point = u32::from(c);
    let run = ZEROS.partition_point(|&zero| zero <= point);
    match run.checked_sub(1).and_then(|i| ZEROS.get(i)) {
        Some(zero) if point - zero < 10 => char::from(b'0' + (point - zero) as u8),
        _ => c,
    }
}

/// Text in quotes, as messages show the argument of a constructor.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            '\0'..'\x20' | '\x7f'..='\u{a0}' | '\u{ad}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Checks the arguments of a constructor that takes at most one, by position. Errors: `TypeError`.
pub fn one_argument<'a>(vm: &Interpreter, name: &str, args: &CallArgs<'a>) -> Res<Option<&'a Value>> {
    if !args.names.is_empty() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        more => Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", more.len()))),
    }
}

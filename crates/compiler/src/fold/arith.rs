//! Operators on constants. `None`: the operation raises, or its result would be too large to keep.

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};
use pellucid_bytecode::{Const, Wtf8};
use pellucid_syntax::ast::{Operator, UnaryOp};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bits of an int.
const MAX_INT: usize = 128;
/// Items of a tuple.
const MAX_ITEMS: usize = 256;
/// Characters of a str, bytes of a bytes.
const MAX_TEXT: usize = 4096;
/// Items of a tuple with those of the tuples in it.
const MAX_TOTAL: i64 = 1024;

pub(super) fn parse_int(text: &str) -> Const {
    let plain: String = text.chars().filter(|&c| c != '_').collect();
    let lower = plain.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        _ => (lower.as_str(), 10),
    };
    int(UBig::from_str_radix(digits, radix).map(IBig::from).unwrap_or_default())
}

fn int(value: IBig) -> Const {
    match i64::try_from(&value) {
        Ok(small) => Const::Int(small),
        Err(_) => Const::BigInt(value),
    }
}

fn as_int(value: &Const) -> Option<IBig> {
    match value {
        Const::Int(n) => Some(IBig::from(*n)),
        Const::BigInt(n) => Some(n.clone()),
        Const::True => Some(IBig::from(1)),
        Const::False => Some(IBig::from(0)),
        _ => None,
    }
}

fn bits(value: &IBig) -> usize {
    value.clone().unsigned_abs().bit_len()
}

/// An int as CPython converts it: `None` if it is too large.
fn int_to_float(value: &IBig) -> Option<f64> {
    let float = value.to_f64().value();
    float.is_finite().then_some(float)
}

fn as_float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(f) => Some(*f),
        _ => int_to_float(&as_int(value)?),
    }
}

fn as_complex(value: &Const) -> Option<(f64, f64)> {
    match value {
        Const::Complex(re, im) => Some((*re, *im)),
        _ => Some((as_float(value)?, 0.0)),
    }
}

pub(super) fn truth(value: &Const) -> bool {
    match value {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::BigInt(_) | Const::Slice(_) | Const::Code(_) => true,
        Const::Int(n) => *n != 0,
        Const::Float(f) => *f != 0.0,
        Const::Complex(re, im) => *re != 0.0 || *im != 0.0,
        Const::Str(s) => !s.0.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(items) | Const::FrozenSet(items) => !items.is_empty(),
    }
}

/// Whether two constants are equal as Python's `==` has it.
pub(super) fn equal(a: &Const, b: &Const) -> bool {
    match (a, b) {
        (Const::Tuple(a), Const::Tuple(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ => match (as_int(a), as_int(b)) {
            (Some(a), Some(b)) => a == b,
            _ => match (as_complex(a), as_complex(b)) {
                (Some(a), Some(b)) => a == b,
                _ => a == b,
            },
        },
    }
}

/// The same for constants that are [`equal`].
pub(super) fn hash(value: &Const) -> u64 {
    let mut hasher = DefaultHasher::new();
    write_hash(value, &mut hasher);
    hasher.finish()
}

fn write_hash(value: &Const, hasher: &mut DefaultHasher) {
    match value {
        Const::Str(text) => text.0.hash(hasher),
        Const::Bytes(bytes) => bytes.hash(hasher),
        Const::Tuple(items) => items.iter().for_each(|item| write_hash(item, hasher)),
        Const::Int(n) => n.hash(hasher),
        Const::True => 1i64.hash(hasher),
        Const::False => 0i64.hash(hasher),
        Const::BigInt(n) => match i64::try_from(n.clone()) {
            Ok(n) => n.hash(hasher),
            // As the float that may be equal to it.
            Err(_) => n.to_f64().value().to_bits().hash(hasher),
        },
        Const::Float(re) | Const::Complex(re, _) => {
            let small = *re as i64;
            if small as f64 == *re && small != i64::MAX {
                small.hash(hasher);
            } else {
                re.to_bits().hash(hasher);
            }
        }
        // Rare: told apart by comparing.
        Const::None | Const::Ellipsis | Const::FrozenSet(_) | Const::Slice(_) | Const::Code(_) => {}
    }
}

pub(super) fn unary(op: UnaryOp, value: &Const) -> Option<Const> {
    if op == UnaryOp::Not {
        return Some(if truth(value) { Const::False } else { Const::True });
    }
    // `~True` warns when it runs.
    if op == UnaryOp::Invert && matches!(value, Const::True | Const::False) {
        return None;
    }
    if let Some(n) = as_int(value) {
        return Some(int(match op {
            UnaryOp::USub => -n,
            UnaryOp::Invert => -n - IBig::from(1),
            UnaryOp::UAdd | UnaryOp::Not => n,
        }));
    }
    match (op, value) {
        (UnaryOp::UAdd, Const::Float(_) | Const::Complex(..)) => Some(value.clone()),
        (UnaryOp::USub, Const::Float(f)) => Some(Const::Float(-f)),
        (UnaryOp::USub, Const::Complex(re, im)) => Some(Const::Complex(-re, -im)),
        _ => None,
    }
}

pub(super) fn binary(op: Operator, a: &Const, b: &Const) -> Option<Const> {
    match (as_int(a), as_int(b)) {
        (Some(x), Some(y)) => {
            let both_bools = matches!((a, b), (Const::True | Const::False, Const::True | Const::False));
            let result = integers(op, x, y)?;
            let bitwise = matches!(op, Operator::BitAnd | Operator::BitOr | Operator::BitXor);
            return Some(match result {
                Const::Int(n) if both_bools && bitwise => {
                    if n == 0 {
                        Const::False
                    } else {
                        Const::True
                    }
                }
                other => other,
            });
        }
        (Some(n), None) if op == Operator::Mult && length(b).is_some() => return repeat(b, &n),
        (None, Some(n)) if op == Operator::Mult && length(a).is_some() => return repeat(a, &n),
        _ => {}
    }
    match (a, b) {
        (Const::Str(x), Const::Str(y)) if op == Operator::Add => {
            Some(Const::Str(Wtf8([&x.0[..], &y.0[..]].concat().into())))
        }
        (Const::Bytes(x), Const::Bytes(y)) if op == Operator::Add => {
            Some(Const::Bytes([&x[..], &y[..]].concat().into()))
        }
        (Const::Tuple(x), Const::Tuple(y)) if op == Operator::Add => {
            Some(Const::Tuple(x.iter().chain(y).cloned().collect()))
        }
        (Const::Complex(..), _) | (_, Const::Complex(..)) => complexes(op, a, b),
        (Const::Float(_), _) | (_, Const::Float(_)) => floats(op, as_float(a)?, as_float(b)?),
        _ => None,
    }
}

fn length(value: &Const) -> Option<usize> {
    match value {
        Const::Str(s) => Some(s.0.iter().filter(|&&b| b & 0xc0 != 0x80).count()),
        Const::Bytes(b) => Some(b.len()),
        Const::Tuple(items) => Some(items.len()),
        _ => None,
    }
}

fn repeat(value: &Const, times: &IBig) -> Option<Const> {
    let len = length(value)?;
    let times = match i64::try_from(times) {
        Ok(n) => n,
        Err(_) if len == 0 => 0,
        Err(_) => return None,
    };
    let limit = if matches!(value, Const::Tuple(_)) { MAX_ITEMS } else { MAX_TEXT };
    if let Some(most) = limit.checked_div(len) {
        if times < 0 || times > most as i64 {
            return None;
        }
        if let Const::Tuple(items) = value
            && times > 0
            && complexity(items, MAX_TOTAL / times) < 0
        {
            return None;
        }
    }
    let times = if len == 0 { 0 } else { times as usize };
    Some(match value {
        Const::Str(s) => Const::Str(Wtf8(s.0.repeat(times).into())),
        Const::Bytes(b) => Const::Bytes(b.repeat(times).into()),
        Const::Tuple(items) => {
            Const::Tuple(std::iter::repeat_n(items, times).flat_map(|t| t.iter().cloned()).collect())
        }
        _ => return None,
    })
}

/// What is left of `limit` when all items are counted; negative: too many.
fn complexity(items: &[Const], mut limit: i64) -> i64 {
    limit -= items.len() as i64;
    for item in items {
        if limit < 0 {
            break;
        }
        if let Const::Tuple(inner) = item {
            limit = complexity(inner, limit);
        }
    }
    limit
}

fn integers(op: Operator, a: IBig, b: IBig) -> Option<Const> {
    let zero = IBig::from(0);
    Some(int(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => {
            if a != zero && b != zero && bits(&a) + bits(&b) > MAX_INT {
                return None;
            }
            a * b
        }
        Operator::Div => return true_divide(&a, &b),
        Operator::FloorDiv | Operator::Mod if b == zero => return None,
        Operator::FloorDiv => floor_divide(a, b).0,
        Operator::Mod => floor_divide(a, b).1,
        Operator::Pow => return power(a, b),
        Operator::LShift => {
            if b < zero {
                return None;
            }
            if a == zero {
                return Some(Const::Int(0));
            }
            let by = usize::try_from(&b).ok()?;
            if by > MAX_INT || bits(&a) > MAX_INT - by {
                return None;
            }
            a << by
        }
        Operator::RShift => {
            if b < zero {
                return None;
            }
            match usize::try_from(&b) {
                Ok(by) => a >> by,
                Err(_) if a < zero => IBig::from(-1),
                Err(_) => zero,
            }
        }
        Operator::BitOr => a | b,
        Operator::BitXor => a ^ b,
        Operator::BitAnd => a & b,
        Operator::MatMult => return None,
    }))
}

fn floor_divide(a: IBig, b: IBig) -> (IBig, IBig) {
    let zero = IBig::from(0);
    let quotient = &a / &b;
    let rest = &a - &quotient * &b;
    if rest != zero && (rest < zero) != (b < zero) {
        (quotient - IBig::from(1), rest + b)
    } else {
        (quotient, rest)
    }
}

/// The quotient, rounded once: to the nearest, ties to even.
fn true_divide(a: &IBig, b: &IBig) -> Option<Const> {
    let zero = IBig::from(0);
    if *b == zero {
        return None;
    }
    if bits(a) <= 53 && bits(b) <= 53 {
        return Some(Const::Float(int_to_float(a)? / int_to_float(b)?));
    }
    // Scaled so that the quotient has 64 bits or so and a last bit that says whether anything was cut off.
    let negative = (*a < zero) != (*b < zero);
    let (x, y) = (a.clone().unsigned_abs(), b.clone().unsigned_abs());
    let shift = 66i64 + y.bit_len() as i64 - x.bit_len() as i64;
    let (x, y) = if shift >= 0 { (x << shift as usize, y) } else { (x, y << (-shift) as usize) };
    let quotient = &x / &y;
    let sticky = &quotient * &y != x;
    let scaled = quotient << 1usize | UBig::from(u8::from(sticky));
    let exponent = -(shift + 1);
    let float = scale(scaled, exponent)?;
    Some(Const::Float(if negative { -float } else { float }))
}

/// `value * 2 ** exponent`, rounded once; `None` if it is too large.
fn scale(value: UBig, exponent: i64) -> Option<f64> {
    let len = value.bit_len() as i64;
    // The place of the lowest bit that the float keeps: denormal numbers keep fewer bits.
    let lowest = (len - 53).max(-1074 - exponent).max(0);
    let kept = &value >> lowest as usize;
    let rest = &value - (&kept << lowest as usize);
    let half = UBig::from(1u8) << (lowest.max(1) - 1) as usize;
    let odd = kept.bit(0);
    let up = lowest > 0 && (rest > half || rest == half && odd);
    let rounded = kept + UBig::from(u8::from(up));
    let mantissa = u64::try_from(&rounded).ok()? as f64;
    let power = exponent + lowest;
    // Two steps, because the power alone may be out of the range of floats.
    let first = power.clamp(-1000, 1000);
    let float = mantissa * 2f64.powi(first as i32) * 2f64.powi((power - first).clamp(-1000, 1000) as i32);
    float.is_finite().then_some(float)
}

fn power(a: IBig, b: IBig) -> Option<Const> {
    let zero = IBig::from(0);
    if b < zero {
        return float_power(int_to_float(&a)?, int_to_float(&b)?);
    }
    if a != zero && b > zero {
        let exponent = usize::try_from(&b).ok()?;
        if bits(&a) > MAX_INT / exponent {
            return None;
        }
        return Some(int(a.pow(exponent)));
    }
    Some(Const::Int(i64::from(b == zero)))
}

fn floats(op: Operator, a: f64, b: f64) -> Option<Const> {
    Some(Const::Float(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div | Operator::FloorDiv | Operator::Mod if b == 0.0 => return None,
        Operator::Div => a / b,
        Operator::FloorDiv => float_divmod(a, b).0,
        Operator::Mod => float_divmod(a, b).1,
        Operator::Pow => return float_power(a, b),
        _ => return None,
    }))
}

fn float_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 {
        if (b < 0.0) != (rest < 0.0) {
            rest += b;
            quotient -= 1.0;
        }
    } else {
        rest = 0f64.copysign(b);
    }
    let floor = if quotient != 0.0 {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0f64.copysign(a / b)
    };
    (floor, rest)
}

fn float_power(a: f64, b: f64) -> Option<Const> {
    if a == 0.0 && b < 0.0 {
        return None;
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        // A complex number: left to run time.
        return None;
    }
    let result = a.powf(b);
    (result.is_finite() || !a.is_finite() || !b.is_finite()).then_some(Const::Float(result))
}

/// The imaginary part of a real operand is left out, as 3.14 does it: it is no zero that could have a sign.
fn complexes(op: Operator, a: &Const, b: &Const) -> Option<Const> {
    let complex = |value: &Const| match value {
        Const::Complex(re, im) => Some((*re, *im)),
        _ => None,
    };
    let (re, im) = match (complex(a), complex(b)) {
        (Some(a), Some(b)) => match op {
            Operator::Add => (a.0 + b.0, a.1 + b.1),
            Operator::Sub => (a.0 - b.0, a.1 - b.1),
            Operator::Mult => (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0),
            Operator::Div => complex_divide(a, b)?,
            _ => return None,
        },
        (Some(a), None) => {
            let b = as_float(b)?;
            match op {
                Operator::Add => (a.0 + b, a.1),
                Operator::Sub => (a.0 - b, a.1),
                Operator::Mult => (a.0 * b, a.1 * b),
                Operator::Div if b != 0.0 => (a.0 / b, a.1 / b),
                _ => return None,
            }
        }
        (None, Some(b)) => {
            let a = as_float(a)?;
            match op {
                Operator::Add => (a + b.0, b.1),
                Operator::Sub => (a - b.0, -b.1),
                Operator::Mult => (a * b.0, a * b.1),
                // Division, powers: left to run time, where their last digits come from one implementation.
                _ => return None,
            }
        }
        (None, None) => return None,
    };
    Some(Const::Complex(re, im))
}

fn complex_divide(a: (f64, f64), b: (f64, f64)) -> Option<(f64, f64)> {
    if b.0.abs() >= b.1.abs() {
        if b.0 == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        Some(((a.0 + a.1 * ratio) / denominator, (a.1 - a.0 * ratio) / denominator))
    } else if b.1.abs() >= b.0.abs() {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        Some(((a.0 * ratio + a.1) / denominator, (a.1 * ratio - a.0) / denominator))
    } else {
        Some((f64::NAN, f64::NAN))
    }
}

pub(super) fn subscript(value: &Const, index: &Const) -> Option<Const> {
    let len = length(value)?;
    let index = i64::try_from(&as_int(index)?).ok()?;
    let at = if index < 0 { index + len as i64 } else { index };
    let at = usize::try_from(at).ok().filter(|&at| at < len)?;
    match value {
        Const::Bytes(b) => b.get(at).map(|&b| Const::Int(b.into())),
        Const::Tuple(items) => items.get(at).cloned(),
        Const::Str(s) => {
            let mut starts = (0..s.0.len()).filter(|&i| s.0[i] & 0xc0 != 0x80).skip(at);
            let start = starts.next()?;
            let end = starts.next().unwrap_or(s.0.len());
            Some(Const::Str(Wtf8(s.0[start..end].into())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_once() {
        let check = |a: &str, b: &str, expected: f64| {
            let (a, b) = (parse_int(a), parse_int(b));
            assert_eq!(binary(Operator::Div, &a, &b), Some(Const::Float(expected)));
        };
        check("7", "2", 3.5);
        check("9007199254740993", "1", 9007199254740992.0);
        check("9007199254740993", "3", 3002399751580331.0);
        check("123456789012345678901234567890", "987654321", 1.249_999_988_734_375e20);
        check("1", "0x1000000000000000000000000000", 1.0 / 2f64.powi(108));
    }

    #[test]
    fn limits() {
        let text = Const::Str("ab".into());
        assert!(binary(Operator::Mult, &text, &Const::Int(2048)).is_some());
        assert!(binary(Operator::Mult, &text, &Const::Int(2049)).is_none());
        assert!(binary(Operator::Mult, &Const::Int(-1), &text).is_none());
        assert!(binary(Operator::Pow, &Const::Int(2), &Const::Int(64)).is_some());
        assert!(binary(Operator::Pow, &Const::Int(2), &Const::Int(65)).is_none());
        assert!(binary(Operator::LShift, &Const::Int(1), &Const::Int(128)).is_none());
        assert_eq!(binary(Operator::Mod, &Const::Int(-7), &Const::Int(3)), Some(Const::Int(2)));
        assert_eq!(binary(Operator::BitOr, &Const::True, &Const::False), Some(Const::True));
    }
}

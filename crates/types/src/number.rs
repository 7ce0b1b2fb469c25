//! What ints and floats share: conversions and exact comparison.

use pellucid_object::bytes::{ByteArray, Bytes};
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::text::case;
use pellucid_object::{Interpreter, Raised, Res, Text, UnOp, Value};
use std::cmp::Ordering;

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

/// An argument of a function of real numbers: a float, or what `__float__` or `__index__` gives. Errors: `TypeError`.
pub fn to_f64(vm: &Interpreter, value: &Value) -> Res<f64> {
    if let Some(f) = value.as_float() {
        return Ok(f);
    }
    if let Some(int) = value.as_int()
        && vm.is_exact(value, &vm.types().int)
    {
        return int_to_f64(vm, &int);
    }
    if let Some(f) = converted(vm, value)? {
        return Ok(f);
    }
    if slot(vm, value, UnOp::Index).is_some() {
        let index = vm.index(value)?;
        return index.as_int().map_or(Ok(0.0), |int| int_to_f64(vm, &int));
    }
    Err(vm.type_error(format!("must be real number, not {}", vm.type_name(value))))
}

/// What `__float__` gives; `None` when the value has none. Errors: `TypeError`.
pub(crate) fn converted(vm: &Interpreter, value: &Value) -> Res<Option<f64>> {
    let Some(convert) = slot(vm, value, UnOp::Float) else { return Ok(None) };
    let result = convert(vm, value)?;
    let Some(f) = result.as_float() else {
        let (name, got) = (vm.type_name(value), vm.type_name(&result));
        return Err(vm.type_error(format!("{name}.__float__ returned non-float (type {got})")));
    };
    if !vm.is_exact(&result, &vm.types().float) {
        let (name, got) = (vm.type_name(value), vm.type_name(&result));
        deprecated(
            vm,
            &format!(
                "{name}.__float__ returned non-float (type {got}).  The ability to return an instance of a strict \
                 subclass of float is deprecated, and may be removed in a future version of Python."
            ),
        )?;
    }
    Ok(Some(f))
}

fn slot(vm: &Interpreter, value: &Value, op: UnOp) -> Option<pellucid_object::slots::UnaryFn> {
    vm.type_of_ref(value).slots.unary[op as usize].get()
}

/// Whether [`to_f64`] has something to go by.
pub fn is_real(vm: &Interpreter, value: &Value) -> bool {
    value.as_float().is_some()
        || slot(vm, value, UnOp::Float).is_some()
        || slot(vm, value, UnOp::Index).is_some()
}

/// An int argument of any size: an int or what `__index__` gives. Errors: `TypeError`.
pub fn to_big(vm: &Interpreter, value: &Value) -> Res<IBig> {
    if let Some(int) = value.as_int() {
        return Ok(int.to_big());
    }
    let index = vm.index(value)?;
    match index.as_int() {
        Some(int) => Ok(int.to_big()),
        None => Err(vm.bug("an index is an int")),
    }
}

/// Warns of deprecated use. Errors: `DeprecationWarning` when warnings are errors.
pub fn deprecated(vm: &Interpreter, message: &str) -> Res<()> {
    let category = vm.exceptions().deprecation_warning().clone();
    vm.warn(&category, message)
}

/// The hash of a float that is no NaN: its value modulo 2^61 - 1, as equal ints have it.
pub fn hash_float(f: f64) -> i64 {
    const BITS: i32 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    if f.is_infinite() {
        return if f > 0.0 { 314_159 } else { -314_159 };
    }
    let (mantissa, exponent) = decompose(f);
    let product = (u128::from(mantissa.unsigned_abs()) << exponent.rem_euclid(BITS)) % u128::from(MODULUS);
    let reduced = if mantissa < 0 { -(product as i64) } else { product as i64 };
    if reduced == -1 { -2 } else { reduced }
}

/// The text of a number with all digits and spaces in ASCII; `None` when another character is in it.
pub fn ascii_number(text: &Text) -> Option<Vec<u8>> {
    if let Some(ascii) = text.as_ascii() {
        return Some(ascii.as_bytes().to_vec());
    }
    text.code_points()
        .map(|point| match point {
            0..0x80 => Some(point as u8),
            _ if case::is_space(point) => Some(b' '),
            _ => Some(b'0' + u8::try_from(case::decimal_value(point)?).ok()?),
        })
        .collect()
}

/// Drops underscores that stand between two digits; `None` when one stands elsewhere.
pub fn without_underscores(text: &[u8]) -> Option<Vec<u8>> {
    let mut result = Vec::with_capacity(text.len());
    for (i, &b) in text.iter().enumerate() {
        if b != b'_' {
            result.push(b);
            continue;
        }
        let digit = |i: Option<usize>| i.and_then(|i| text.get(i)).is_some_and(u8::is_ascii_digit);
        if !digit(i.checked_sub(1)) || !digit(Some(i + 1)) {
            return None;
        }
    }
    Some(result)
}

/// White space around a number in ASCII text.
pub fn trim(text: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | 9..=13);
    let start = text.iter().position(|b| !space(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !space(b)).map_or(start, |i| i + 1);
    &text[start..end]
}

/// The float that the text starts with, and its length; no float: `None`.
pub fn float_prefix(text: &[u8]) -> (Option<f64>, usize) {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let body = &text[sign..];
    let starts = |word: &[u8]| body.len() >= word.len() && body[..word.len()].eq_ignore_ascii_case(word);
    let special = [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)];
    for (word, value) in special {
        if starts(word) {
            let value = if text[0] == b'-' { -value } else { value };
            return (Some(value), sign + word.len());
        }
    }
    let digits = |from: usize| body[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if body.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return (None, 0);
    }
    if let Some(b'e' | b'E') = body.get(end) {
        let signed = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        let count = if end + 1 + signed <= body.len() { digits(end + 1 + signed) } else { 0 };
        if count > 0 {
            end += 1 + signed + count;
        }
    }
    let used = &text[..sign + end];
    let value = std::str::from_utf8(used).ok().and_then(|s| s.parse().ok());
    (value, sign + end)
}

/// The bytes of a bytes-like object; `None` for other objects.
pub fn buffer(vm: &Interpreter, value: &Value) -> Res<Option<Vec<u8>>> {
    if !vm.has_buffer(value) {
        return Ok(None);
    }
    let shown = vm.bytes_like(value)?;
    let copy = vm.copied(&shown.bytes())?;
    Ok(Some(copy))
}

/// Whether the value is a `bytes` or a `bytearray`.
pub fn is_bytes(value: &Value) -> bool {
    value.downcast::<Bytes>().is_some() || value.downcast::<ByteArray>().is_some()
}

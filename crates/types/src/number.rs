//! What ints and floats share: conversions and exact comparison.

use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Interpreter, Raised, Res, Value};
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

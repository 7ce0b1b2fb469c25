//! `float`: operators, comparison, hash and `repr`.

use crate::number;
use pellucid_object::float::Float;
use pellucid_object::{BinOp, CmpOp, Interpreter, Res, Slot, TypeDef, TypeFlags, UnOp, Value, payload};
use std::cmp::Ordering;

/// Both operands as floats, `None` when one is neither int nor float. Errors: `OverflowError`.
fn operands(vm: &Interpreter, a: &Value, b: &Value) -> Res<Option<(f64, f64)>> {
    match (number::operand(vm, a)?, number::operand(vm, b)?) {
        (Some(x), Some(y)) => Ok(Some((x, y))),
        _ => Ok(None),
    }
}

fn arithmetic(vm: &Interpreter, a: &Value, b: &Value, f: fn(&Interpreter, f64, f64) -> Res<f64>) -> Res {
    match operands(vm, a, b)? {
        Some((x, y)) => vm.new_float(f(vm, x, y)?),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn div(vm: &Interpreter, x: f64, y: f64) -> Res<f64> {
    if y == 0.0 { Err(number::division_by_zero(vm)) } else { Ok(x / y) }
}

/// Floor quotient and remainder with the divisor's sign; zeros keep the signs that Python gives them.
fn floor_divmod(vm: &Interpreter, x: f64, y: f64) -> Res<(f64, f64)> {
    if y == 0.0 {
        return Err(number::division_by_zero(vm));
    }
    let mut remainder = x % y;
    let mut quotient = (x - remainder) / y;
    if remainder == 0.0 {
        remainder = 0f64.copysign(y);
    } else if (y < 0.0) != (remainder < 0.0) {
        remainder += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return Ok((0f64.copysign(x / y), remainder));
    }
    let floor = quotient.floor();
    Ok((if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder))
}

fn divmod(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = operands(vm, a, b)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let (quotient, remainder) = floor_divmod(vm, x, y)?;
    vm.new_tuple(vec![vm.new_float(quotient)?, vm.new_float(remainder)?])
}

fn pow(vm: &Interpreter, x: f64, y: f64) -> Res<f64> {
    if x == 0.0 && y < 0.0 {
        return Err(vm.zero_division_error("zero to a negative power".to_string()));
    }
    if x < 0.0 && x.is_finite() && y.is_finite() && y != y.floor() {
        return Err(
            vm.not_implemented_error("a negative float to a fractional power needs complex".to_string())
        );
    }
    let result = x.powf(y);
    if result.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(vm.overflow_error("(34, 'Numerical result out of range')".to_string()));
    }
    Ok(result)
}

fn compare(_: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let Some(x) = a.as_float() else { return Ok(Value::NOT_IMPLEMENTED) };
    let ordering = match (b.as_float(), b.as_int()) {
        (Some(y), _) => x.partial_cmp(&y),
        (None, Some(int)) => number::compare_int_float(&int, x).map(Ordering::reverse),
        (None, None) => return Ok(Value::NOT_IMPLEMENTED),
    };
    Ok(Value::bool(match ordering {
        Some(ordering) => op.holds(ordering),
        None => op == CmpOp::Ne,
    }))
}

/// The value modulo 2^61 - 1, so that equal ints and floats hash alike; a NaN hashes by identity.
fn hash(vm: &Interpreter, this: &Value) -> Res<i64> {
    const BITS: i32 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    let f = this.as_float().unwrap_or(0.0);
    if f.is_nan() {
        return Ok(pellucid_object::protocol::identity_hash(this));
    }
    if f.is_infinite() {
        return Ok(if f > 0.0 { 314_159 } else { -314_159 });
    }
    if f.abs() < 9e15 && f == f.trunc() {
        return vm.hash(&vm.new_int(f as i64)?);
    }
    let (mantissa, exponent) = number::decompose(f);
    let shift = exponent.rem_euclid(BITS);
    let product = (u128::from(mantissa.unsigned_abs()) << shift) % u128::from(MODULUS);
    let reduced = if mantissa < 0 { -(product as i64) } else { product as i64 };
    Ok(if reduced == -1 { -2 } else { reduced })
}

/// The shortest text that reads back as the same float; an exponent below 1e-4 and from 1e16.
pub fn text(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_string();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let scientific = shortest(f);
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    if f == 0.0 || (1e-4..1e16).contains(&f.abs()) {
        let decimals = digits.trim_start_matches('-').replace('.', "").len() as i64;
        let exponent: i64 = exponent.parse().unwrap_or(0);
        return format!("{f:.*}", (decimals - 1 - exponent).max(1) as usize);
    }
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// The fewest digits that read back as `f`, in the form `1.5e-7`. Among equally short ones the formatter may take the one
/// further from an even last digit where two are equally near; rounding the exact value to as many digits takes the even one.
fn shortest(f: f64) -> String {
    let found = format!("{f:e}");
    let digits = found.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{f:.*e}", digits.saturating_sub(1));
    if rounded.parse() == Ok(f) { rounded } else { found }
}

fn to_int(vm: &Interpreter, this: &Value) -> Res {
    let f = this.as_float().unwrap_or(0.0);
    if f.is_nan() {
        return Err(vm.value_error("cannot convert float NaN to integer".to_string()));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert float infinity to integer".to_string()));
    }
    vm.new_big(number::truncate(f))
}

fn unary(vm: &Interpreter, this: &Value, f: fn(f64) -> f64) -> Res {
    vm.new_float(f(this.as_float().unwrap_or(0.0)))
}

pub static FLOAT: TypeDef = TypeDef {
    name: "float",
    module: "builtins",
    base: None,
    payload: payload::<Float>(),
    flags: TypeFlags::BASETYPE,
    doc: "",
    slots: &[
        Slot::Repr(|vm, this| vm.new_str(&text(this.as_float().unwrap_or(0.0)))),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Bool(|_, this| Ok(this.as_float() != Some(0.0))),
        Slot::Binary(BinOp::Add, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(x + y))),
        Slot::Binary(BinOp::Sub, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(x - y))),
        Slot::Binary(BinOp::Mul, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(x * y))),
        Slot::Binary(BinOp::TrueDiv, |vm, a, b| arithmetic(vm, a, b, div)),
        Slot::Binary(BinOp::FloorDiv, |vm, a, b| {
            arithmetic(vm, a, b, |vm, x, y| Ok(floor_divmod(vm, x, y)?.0))
        }),
        Slot::Binary(BinOp::Mod, |vm, a, b| arithmetic(vm, a, b, |vm, x, y| Ok(floor_divmod(vm, x, y)?.1))),
        Slot::Binary(BinOp::DivMod, divmod),
        Slot::Binary(BinOp::Pow, |vm, a, b| arithmetic(vm, a, b, pow)),
        Slot::Unary(UnOp::Neg, |vm, this| unary(vm, this, |f| -f)),
        Slot::Unary(UnOp::Pos, |vm, this| unary(vm, this, |f| f)),
        Slot::Unary(UnOp::Abs, |vm, this| unary(vm, this, f64::abs)),
        Slot::Unary(UnOp::Int, to_int),
        Slot::Unary(UnOp::Float, |vm, this| unary(vm, this, |f| f)),
    ],
    methods: &[],
    getset: &[],
};

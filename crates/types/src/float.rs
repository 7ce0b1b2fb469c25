//! `float`: operators, comparison, hash, text, construction and methods.

use crate::{complex, number};
use pellucid_object::float::Float;
use pellucid_object::int::IBig;
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Raised, Res, Slot, Str,
    Type, TypeDef, TypeFlags, UnOp, Value, payload,
};
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

/// `x ** y` of two floats; a negative number to a fractional power is complex.
fn pow(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = operands(vm, a, b)? else { return Ok(Value::NOT_IMPLEMENTED) };
    power(vm, x, y)
}

/// As `pow`, for numbers.
pub(crate) fn power(vm: &Interpreter, x: f64, y: f64) -> Res {
    if x == 0.0 && y < 0.0 && y.is_finite() {
        return Err(vm.zero_division_error("zero to a negative power".to_string()));
    }
    if x < 0.0 && x.is_finite() && y.is_finite() && y != y.floor() {
        let (re, im) = complex::power(vm, (x, 0.0), (y, 0.0))?;
        return complex::new_complex(vm, re, im);
    }
    let result = x.powf(y);
    if result.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(out_of_range(vm));
    }
    vm.new_float(result)
}

/// `OverflowError(34, 'Numerical result out of range')`.
#[cold]
pub(crate) fn out_of_range(vm: &Interpreter) -> Raised {
    let args = vm.new_int(34).and_then(|n| Ok(vec![n, vm.new_str("Numerical result out of range")?]));
    match args {
        Ok(args) => vm.raise_with(&vm.exceptions().overflow_error().clone(), args),
        Err(raised) => raised,
    }
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

/// A NaN hashes by identity.
fn hash(_: &Interpreter, this: &Value) -> Res<i64> {
    let f = this.as_float().unwrap_or(0.0);
    Ok(if f.is_nan() { pellucid_object::protocol::identity_hash(this) } else { number::hash_float(f) })
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
/// That needs an exact value of one digit more, which floats of few digits do not have.
pub(crate) fn shortest(f: f64) -> String {
    let found = format!("{f:e}");
    let digits = found.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    if digits < 15 {
        return found;
    }
    let rounded = format!("{f:.*e}", digits.saturating_sub(1));
    if rounded.parse() == Ok(f) { rounded } else { found }
}

fn to_int(vm: &Interpreter, this: &Value) -> Res {
    whole(vm, this.as_float().unwrap_or(0.0))
}

/// A float as an int, towards zero. Errors: `ValueError`, `OverflowError`.
pub fn whole(vm: &Interpreter, f: f64) -> Res {
    if f.abs() < 4e18 {
        return vm.new_int(f as i64);
    }
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

/// The exact float of an instance.
fn exact(vm: &Interpreter, this: &Value) -> Res {
    if vm.is_exact(this, &vm.types().float) { Ok(this.clone()) } else { unary(vm, this, |f| f) }
}

// ---- construction ----

/// Reads `text`; `shown` is what messages show. Errors: `ValueError`.
fn parse(vm: &Interpreter, text: Option<Vec<u8>>, shown: &Value) -> Res<f64> {
    let parsed = text.and_then(|text| {
        let text = number::without_underscores(number::trim(&text))?;
        match number::float_prefix(&text) {
            (value, used) if used == text.len() => value,
            _ => None,
        }
    });
    match parsed {
        Some(f) => Ok(f),
        None => {
            let repr = vm.repr_lossy(shown)?;
            Err(vm.value_error(format!("could not convert string to float: {repr}")))
        }
    }
}

/// The float that `float(value)` gives. Errors: `TypeError`, `ValueError`, `OverflowError`.
pub fn from_object(vm: &Interpreter, value: &Value) -> Res<f64> {
    let text = value.downcast::<Str>();
    if let Some(s) = text
        && vm.is_exact(value, &vm.types().str)
    {
        return parse(vm, number::ascii_number(&s.text), value);
    }
    if number::is_real(vm, value) {
        // A subclass may say another number than the one it holds.
        if !vm.is_exact(value, &vm.types().float)
            && let Some(f) = number::converted(vm, value)?
        {
            return Ok(f);
        }
        return number::to_f64(vm, value);
    }
    if let Some(s) = text {
        return parse(vm, number::ascii_number(&s.text), value);
    }
    if let Some(bytes) = number::buffer(vm, value)? {
        return parse(vm, bytes.is_ascii().then_some(bytes), value);
    }
    let got = vm.type_name(value);
    Err(vm.type_error(format!("float() argument must be a string or a real number, not '{got}'")))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let exact = vm.types().float.value().is(cls);
    let plain = || cls.downcast::<Type>().is_none_or(|cls| crate::seq::same_init(cls, &vm.types().float));
    if !args.names.is_empty() && (exact || plain()) {
        return Err(vm.type_error("float() takes no keyword arguments".to_string()));
    }
    let f = match args.positional() {
        [] => 0.0,
        [value] if exact && vm.is_exact(value, &vm.types().float) => return Ok(value.clone()),
        [value] => from_object(vm, value)?,
        given => return Err(vm.type_error(format!("float expected at most 1 argument, got {}", given.len()))),
    };
    if exact { vm.new_float(f) } else { vm.alloc_subclass(cls, Float(f)) }
}

fn from_number(vm: &Interpreter, cls: &Value, value: &Value) -> Res {
    let exact = vm.types().float.value().is(cls);
    if exact && vm.is_exact(value, &vm.types().float) {
        return Ok(value.clone());
    }
    let result = vm.new_float(number::to_f64(vm, value)?)?;
    if exact { Ok(result) } else { vm.call_values(cls, &[result]) }
}

// ---- methods ----

fn as_integer_ratio(vm: &Interpreter, this: &Value) -> Res {
    let f = this.as_float().unwrap_or(0.0);
    if f.is_nan() {
        return Err(vm.value_error("cannot convert NaN to integer ratio".to_string()));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert Infinity to integer ratio".to_string()));
    }
    let (mut mantissa, mut exponent) = number::decompose(f);
    if mantissa == 0 {
        return vm.new_tuple(vec![vm.new_int(0)?, vm.new_int(1)?]);
    }
    let zeros = mantissa.trailing_zeros() as i32;
    mantissa >>= zeros;
    exponent += zeros;
    let (top, bottom) = if exponent >= 0 {
        (IBig::from(mantissa) << exponent as usize, IBig::ONE)
    } else {
        (IBig::from(mantissa), IBig::ONE << exponent.unsigned_abs() as usize)
    };
    vm.new_tuple(vec![vm.new_big(top)?, vm.new_big(bottom)?])
}

fn hex(vm: &Interpreter, this: &Value) -> Res {
    let f = this.as_float().unwrap_or(0.0);
    if !f.is_finite() {
        return vm.new_str(&text(f));
    }
    let sign = if f.is_sign_negative() { "-" } else { "" };
    if f == 0.0 {
        return vm.new_str(&format!("{sign}0x0.0p+0"));
    }
    let bits = f.to_bits();
    let (field, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let (lead, exponent) = if field == 0 { (0, -1022) } else { (1, field - 1023) };
    vm.new_str(&format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}"))
}

/// The float that a hexadecimal text is.
fn parse_hex(vm: &Interpreter, text: &str) -> Res<f64> {
    let bad = || vm.value_error("invalid hexadecimal floating-point string".to_string());
    let text = std::str::from_utf8(number::trim(text.as_bytes())).map_err(|_| bad())?;
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = |f: f64| if negative { -f } else { f };
    match body.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Ok(signed(f64::INFINITY)),
        "nan" => return Ok(signed(f64::NAN)),
        _ => {}
    }
    let body = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")).unwrap_or(body);
    let (digits, exponent) = match body.split_once(['p', 'P']) {
        Some((digits, exponent)) => {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            let least = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
            (digits, exponent.parse::<i64>().ok().filter(|e| e.abs() < i64::MAX / 2).unwrap_or(least))
        }
        None => (body, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0
        || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_hexdigit())
    {
        return Err(bad());
    }
    // 60 bits exactly, and the lowest bit for whatever follows.
    let (mut mantissa, mut dropped) = (0u64, 0i64);
    for b in whole.bytes().chain(fraction.bytes()) {
        let digit = u64::from((b as char).to_digit(16).unwrap_or(0));
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= u64::from(digit != 0);
            dropped += 4;
        }
    }
    let exponent = exponent.saturating_add(dropped).saturating_sub(4 * fraction.len() as i64);
    let f = number::scale(mantissa, exponent.clamp(-100_000, 100_000) as i32);
    if f.is_infinite() {
        return Err(vm.overflow_error("hexadecimal value too large to represent as a float".to_string()));
    }
    Ok(signed(f))
}

fn fromhex(vm: &Interpreter, cls: &Value, text: &Value) -> Res {
    if text.downcast::<Str>().is_none() {
        return Err(vm.type_error("bad argument type for built-in operation".to_string()));
    }
    let result = vm.new_float(parse_hex(vm, &vm.str_lossy(text))?)?;
    if vm.types().float.value().is(cls) { Ok(result) } else { vm.call_values(cls, &[result]) }
}

/// `f` rounded half to even at 10^-digits. Errors: `OverflowError`.
fn round_at(vm: &Interpreter, f: f64, digits: i64) -> Res<f64> {
    if digits > 323 || !f.is_finite() || f == 0.0 {
        return Ok(f);
    }
    if digits < -308 {
        return Ok(0.0 * f);
    }
    if digits >= 0 {
        return Ok(format!("{f:.*}", digits as usize).parse().unwrap_or(f));
    }
    let unit = IBig::from(10).pow(digits.unsigned_abs() as usize);
    let whole = number::truncate(f.abs());
    let (mut quotient, remainder) = (&whole / &unit, &whole % &unit);
    let twice = remainder * IBig::from(2);
    let odd = &quotient % IBig::from(2) != IBig::ZERO;
    if twice > unit || twice == unit && (odd || f.fract() != 0.0) {
        quotient += IBig::ONE;
    }
    let rounded = (quotient * unit).to_f64().value();
    if rounded.is_infinite() {
        return Err(vm.overflow_error("rounded value too large to represent".to_string()));
    }
    Ok(rounded.copysign(f))
}

fn round(vm: &Interpreter, args: &Args) -> Res {
    let f = args.req(0).as_float().unwrap_or(0.0);
    match args.some(1) {
        None => whole(vm, f.round_ties_even()),
        Some(digits) => {
            let index = vm.index(digits)?;
            let digits = match index.as_int() {
                Some(int) => vm.as_i64(&index).unwrap_or(if int.is_negative() { i64::MIN } else { i64::MAX }),
                None => 0,
            };
            vm.new_float(round_at(vm, f, digits)?)
        }
    }
}

fn getformat(vm: &Interpreter, _: &Value, kind: &Value) -> Res {
    if kind.downcast::<Str>().is_none() {
        let got = vm.type_name(kind);
        return Err(vm.type_error(format!("__getformat__() argument must be str, not {got}")));
    }
    match vm.str_lossy(kind).as_str() {
        "double" | "float" if cfg!(target_endian = "little") => vm.new_str("IEEE, little-endian"),
        "double" | "float" => vm.new_str("IEEE, big-endian"),
        _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'".to_string())),
    }
}

const fn method(name: &'static str, doc: &'static str, f: fn(&Interpreter, &Value) -> Res) -> FunctionDef {
    FunctionDef::new(name, "($self, /)", doc, NativeFn::F1(f))
}

pub static FLOAT: TypeDef = TypeDef {
    name: "float",
    module: "builtins",
    base: None,
    payload: payload::<Float>(),
    flags: TypeFlags::BASETYPE,
    doc: "float(x=0, /)\n--\n\n\
          Convert a string or number to a floating-point number, if possible.",
    slots: &[
        Slot::New(new),
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
        Slot::Binary(BinOp::Pow, pow),
        Slot::Unary(UnOp::Neg, |vm, this| unary(vm, this, |f| -f)),
        Slot::Unary(UnOp::Pos, exact),
        Slot::Unary(UnOp::Abs, |vm, this| unary(vm, this, f64::abs)),
        Slot::Unary(UnOp::Int, to_int),
        Slot::Unary(UnOp::Float, exact),
    ],
    methods: &[
        FunctionDef::class(
            "from_number",
            "($type, number, /)",
            "Convert real number to a floating-point number.",
            NativeFn::F2(from_number),
        ),
        method("conjugate", "Return self, the complex conjugate of any float.", exact),
        method("__trunc__", "Return the Integral closest to x between 0 and x.", to_int),
        method("__floor__", "Return the floor as an Integral.", |vm, this| {
            whole(vm, this.as_float().unwrap_or(0.0).floor())
        }),
        method("__ceil__", "Return the ceiling as an Integral.", |vm, this| {
            whole(vm, this.as_float().unwrap_or(0.0).ceil())
        }),
        FunctionDef::new(
            "__round__",
            "($self, ndigits=None, /)",
            "Return the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, work like built-in \
             round(x, ndigits).",
            NativeFn::Args(round),
        ),
        method(
            "as_integer_ratio",
            "Return a pair of integers, whose ratio is exactly equal to the original float.",
            as_integer_ratio,
        ),
        FunctionDef::class(
            "fromhex",
            "($type, string, /)",
            "Create a floating-point number from a hexadecimal string.",
            NativeFn::F2(fromhex),
        ),
        method("hex", "Return a hexadecimal representation of a floating-point number.", hex),
        method("is_integer", "Return True if the float is an integer.", |_, this| {
            let f = this.as_float().unwrap_or(0.0);
            Ok(Value::bool(f.is_finite() && f == f.trunc()))
        }),
        method("__getnewargs__", "", |vm, this| vm.new_tuple(vec![exact(vm, this)?])),
        FunctionDef::class(
            "__getformat__",
            "($type, typestr, /)",
            "You probably don't want to use this function.",
            NativeFn::F2(getformat),
        ),
        FunctionDef::new(
            "__format__",
            "($self, format_spec, /)",
            "Formats the float according to format_spec.",
            NativeFn::F2(crate::format::numbers::float_format_method),
        ),
    ],
    getset: &[
        GetSetDef { name: "real", doc: "the real part of a complex number", get: exact, set: None },
        GetSetDef {
            name: "imag",
            doc: "the imaginary part of a complex number",
            get: |vm, _| vm.new_float(0.0),
            set: None,
        },
    ],
};

//! The module `cmath`. Functions of finite arguments follow Kahan's "Branch cuts for complex elementary functions"; where
//! an argument is infinite or no number, tables say what annex G of the C standard asks for.

use crate::math::{domain_error, range_error};
use pellucid_host::libm;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Value, constant};
use pellucid_types::complex::{new_complex, quotient, to_complex};
use pellucid_types::number::to_f64;
use std::f64::consts::{E, FRAC_PI_2, LN_2, LN_10, PI};

type Pair = (f64, f64);

/// Why a function has no value at a point.
enum Fault {
    Domain,
    Range,
}

type Outcome = Result<Pair, Fault>;

#[cold]
fn raise(vm: &Interpreter, fault: Fault) -> Raised {
    match fault {
        Fault::Domain => domain_error(vm),
        Fault::Range => range_error(vm),
    }
}

/// Beyond this, squares of halves overflow.
const LARGE: f64 = f64::MAX / 4.0;
/// Square root of [`LARGE`].
const SQRT_LARGE: f64 = 6.703903964971298e153;
/// Logarithm of [`LARGE`].
const LOG_LARGE: f64 = 708.3964185322641;
/// Square root of the least normal float.
const SQRT_LEAST: f64 = 1.4916681462400413e-154;

// ---- special values: rows by the real part, columns by the imaginary part ----

type Table = [[Pair; 7]; 7];

const N: f64 = f64::NAN;
const I: f64 = f64::INFINITY;
const P: f64 = PI;
const P12: f64 = FRAC_PI_2;
const P14: f64 = std::f64::consts::FRAC_PI_4;
const P34: f64 = 3.0 * std::f64::consts::FRAC_PI_4;

/// Row or column: -inf, negative, -0, +0, positive, +inf, nan.
fn class(x: f64) -> usize {
    match (x.is_nan(), x.is_infinite(), x == 0.0, x.is_sign_negative()) {
        (true, ..) => 6,
        (_, true, _, true) => 0,
        (_, true, _, false) => 5,
        (_, _, true, true) => 2,
        (_, _, true, false) => 3,
        (_, _, _, true) => 1,
        _ => 4,
    }
}

fn is_finite(z: Pair) -> bool {
    z.0.is_finite() && z.1.is_finite()
}

fn special(z: Pair, table: &Table) -> Option<Pair> {
    if is_finite(z) { None } else { Some(table[class(z.0)][class(z.1)]) }
}

static ACOS: Table = [
    [(P34, I), (P, I), (P, I), (P, -I), (P, -I), (P34, -I), (N, I)],
    [(P12, I), (N, N), (N, N), (N, N), (N, N), (P12, -I), (N, N)],
    [(P12, I), (N, N), (N, N), (N, N), (N, N), (P12, -I), (P12, N)],
    [(P12, I), (N, N), (N, N), (N, N), (N, N), (P12, -I), (P12, N)],
    [(P12, I), (N, N), (N, N), (N, N), (N, N), (P12, -I), (N, N)],
    [(P14, I), (0.0, I), (0.0, I), (0.0, -I), (0.0, -I), (P14, -I), (N, I)],
    [(N, I), (N, N), (N, N), (N, N), (N, N), (N, -I), (N, N)],
];
static ACOSH: Table = [
    [(I, -P34), (I, -P), (I, -P), (I, P), (I, P), (I, P34), (I, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), (N, N), (N, N), (N, N), (N, N), (I, N), (N, N)],
];
static ASINH: Table = [
    [(-I, -P14), (-I, -0.0), (-I, -0.0), (-I, 0.0), (-I, 0.0), (-I, P14), (-I, N)],
    [(-I, -P12), (N, N), (N, N), (N, N), (N, N), (-I, P12), (N, N)],
    [(-I, -P12), (N, N), (N, N), (N, N), (N, N), (-I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (I, N), (N, N)],
];
static ATANH: Table = [
    [(-0.0, -P12), (-0.0, -P12), (-0.0, -P12), (-0.0, P12), (-0.0, P12), (-0.0, P12), (-0.0, N)],
    [(-0.0, -P12), (N, N), (N, N), (N, N), (N, N), (-0.0, P12), (N, N)],
    [(-0.0, -P12), (N, N), (N, N), (N, N), (N, N), (-0.0, P12), (-0.0, N)],
    [(0.0, -P12), (N, N), (N, N), (N, N), (N, N), (0.0, P12), (0.0, N)],
    [(0.0, -P12), (N, N), (N, N), (N, N), (N, N), (0.0, P12), (N, N)],
    [(0.0, -P12), (0.0, -P12), (0.0, -P12), (0.0, P12), (0.0, P12), (0.0, P12), (0.0, N)],
    [(0.0, -P12), (N, N), (N, N), (N, N), (N, N), (0.0, P12), (N, N)],
];
static COSH: Table = [
    [(N, N), (N, N), (I, 0.0), (I, -0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, 0.0)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, 0.0)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (I, -0.0), (I, 0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, 0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];
static EXP: Table = [
    [(0.0, 0.0), (N, N), (0.0, -0.0), (0.0, 0.0), (N, N), (0.0, 0.0), (0.0, 0.0)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (I, -0.0), (I, 0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];
static LOG: Table = [
    [(I, -P34), (I, -P), (I, -P), (I, P), (I, P), (I, P34), (I, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P12), (N, N), (N, N), (N, N), (N, N), (I, P12), (N, N)],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), (N, N), (N, N), (N, N), (N, N), (I, N), (N, N)],
];
static SINH: Table = [
    [(N, N), (N, N), (-I, -0.0), (-I, 0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (0.0, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (0.0, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (I, -0.0), (I, 0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];
static SQRT: Table = [
    [(I, -I), (0.0, -I), (0.0, -I), (0.0, I), (0.0, I), (I, I), (N, I)],
    [(I, -I), (N, N), (N, N), (N, N), (N, N), (I, I), (N, N)],
    [(I, -I), (N, N), (N, N), (N, N), (N, N), (I, I), (N, N)],
    [(I, -I), (N, N), (N, N), (N, N), (N, N), (I, I), (N, N)],
    [(I, -I), (N, N), (N, N), (N, N), (N, N), (I, I), (N, N)],
    [(I, -I), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, I), (I, N)],
    [(I, -I), (N, N), (N, N), (N, N), (N, N), (I, I), (N, N)],
];
static TANH: Table = [
    [(-1.0, 0.0), (N, N), (-1.0, -0.0), (-1.0, 0.0), (N, N), (-1.0, 0.0), (-1.0, 0.0)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(1.0, 0.0), (N, N), (1.0, -0.0), (1.0, 0.0), (N, N), (1.0, 0.0), (1.0, 0.0)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];
static RECT: Table = [
    [(N, N), (N, N), (-I, 0.0), (-I, -0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(0.0, 0.0), (N, N), (N, N), (N, N), (N, N), (0.0, 0.0), (0.0, 0.0)],
    [(0.0, 0.0), (N, N), (N, N), (N, N), (N, N), (0.0, 0.0), (0.0, 0.0)],
    [(N, N), (N, N), (N, N), (N, N), (N, N), (N, N), (N, N)],
    [(N, N), (N, N), (I, -0.0), (I, 0.0), (N, N), (N, N), (I, N)],
    [(N, N), (N, N), (N, 0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

// ---- functions ----

/// `log(abs(z))` of a large number.
fn log_large(z: Pair) -> f64 {
    (z.0 / 2.0).hypot(z.1 / 2.0).ln()
}

fn is_large(z: Pair) -> bool {
    z.0.abs() > LARGE || z.1.abs() > LARGE
}

fn sqrt(z: Pair) -> Pair {
    const UP: i32 = 53;
    const DOWN: i32 = -27;
    if let Some(r) = special(z, &SQRT) {
        return r;
    }
    if z.0 == 0.0 && z.1 == 0.0 {
        return (0.0, z.1);
    }
    let (mut ax, ay) = (z.0.abs(), z.1.abs());
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        ax = libm::ldexp(ax, UP);
        libm::ldexp((ax + ax.hypot(libm::ldexp(ay, UP))).sqrt(), DOWN)
    } else {
        ax /= 8.0;
        2.0 * (ax + ax.hypot(ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if z.0 >= 0.0 { (s, d.copysign(z.1)) } else { (d, s.copysign(z.1)) }
}

fn acos(z: Pair) -> Pair {
    if let Some(r) = special(z, &ACOS) {
        return r;
    }
    if is_large(z) {
        return (z.1.abs().atan2(z.0), (log_large(z) + LN_2 * 2.0).copysign(-z.1));
    }
    let s1 = sqrt((1.0 - z.0, -z.1));
    let s2 = sqrt((1.0 + z.0, z.1));
    (2.0 * s1.0.atan2(s2.0), libm::asinh(s2.0 * s1.1 - s2.1 * s1.0))
}

fn acosh(z: Pair) -> Pair {
    if let Some(r) = special(z, &ACOSH) {
        return r;
    }
    if is_large(z) {
        return (log_large(z) + LN_2 * 2.0, z.1.atan2(z.0));
    }
    let s1 = sqrt((z.0 - 1.0, z.1));
    let s2 = sqrt((z.0 + 1.0, z.1));
    (libm::asinh(s1.0 * s2.0 + s1.1 * s2.1), 2.0 * s1.1.atan2(s2.0))
}

fn asinh(z: Pair) -> Pair {
    if let Some(r) = special(z, &ASINH) {
        return r;
    }
    if is_large(z) {
        return ((log_large(z) + LN_2 * 2.0).copysign(z.0), z.1.atan2(z.0.abs()));
    }
    let s1 = sqrt((1.0 + z.1, -z.0));
    let s2 = sqrt((1.0 - z.1, z.0));
    (libm::asinh(s1.0 * s2.1 - s2.0 * s1.1), z.1.atan2(s1.0 * s2.0 - s1.1 * s2.1))
}

fn asin(z: Pair) -> Pair {
    let s = asinh((-z.1, z.0));
    (s.1, -s.0)
}

fn atanh(z: Pair) -> Outcome {
    if let Some(r) = special(z, &ATANH) {
        return Ok(r);
    }
    if z.0.is_sign_negative() {
        return atanh((-z.0, -z.1)).map(|r| (-r.0, -r.1));
    }
    let ay = z.1.abs();
    if z.0 > SQRT_LARGE || ay > SQRT_LARGE {
        let h = (z.0 / 2.0).hypot(z.1 / 2.0);
        return Ok((z.0 / 4.0 / h / h, -FRAC_PI_2.copysign(-z.1)));
    }
    if z.0 == 1.0 && ay < SQRT_LEAST {
        if ay == 0.0 {
            return Err(Fault::Domain);
        }
        return Ok((-(ay.sqrt() / ay.hypot(2.0).sqrt()).ln(), (2f64.atan2(-ay) / 2.0).copysign(z.1)));
    }
    let rest = 1.0 - z.0;
    let re = log1p(4.0 * z.0 / (rest * rest + ay * ay)) / 4.0;
    Ok((re, -(-2.0 * z.1).atan2(rest * (1.0 + z.0) - ay * ay) / 2.0))
}

fn atan(z: Pair) -> Outcome {
    atanh((-z.1, z.0)).map(|s| (s.1, -s.0))
}

fn log1p(x: f64) -> f64 {
    if x == 0.0 { x } else { x.ln_1p() }
}

/// Infinite results of finite arguments are too large.
fn checked(r: Pair) -> Outcome {
    if r.0.is_infinite() || r.1.is_infinite() { Err(Fault::Range) } else { Ok(r) }
}

fn cosh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !is_finite(z) {
        if y.is_infinite() && !x.is_nan() {
            return Err(Fault::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            return Ok((I.copysign(y.cos()), I.copysign(y.sin()).copysign(y.sin() * x.signum())));
        }
        return Ok(COSH[class(x)][class(y)]);
    }
    if x.abs() > LOG_LARGE {
        let less = x - 1f64.copysign(x);
        return checked((y.cos() * less.cosh() * E, y.sin() * less.sinh() * E));
    }
    checked((y.cos() * x.cosh(), y.sin() * x.sinh()))
}

fn cos(z: Pair) -> Outcome {
    cosh((-z.1, z.0))
}

fn sinh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !is_finite(z) {
        if y.is_infinite() && !x.is_nan() {
            return Err(Fault::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            return Ok((I.copysign(y.cos() * x.signum()), I.copysign(y.sin())));
        }
        return Ok(SINH[class(x)][class(y)]);
    }
    if x.abs() > LOG_LARGE {
        let less = x - 1f64.copysign(x);
        return checked((y.cos() * less.sinh() * E, y.sin() * less.cosh() * E));
    }
    checked((y.cos() * x.sinh(), y.sin() * x.cosh()))
}

fn sin(z: Pair) -> Outcome {
    sinh((-z.1, z.0)).map(|s| (s.1, -s.0))
}

fn tanh(z: Pair) -> Outcome {
    let (x, y) = z;
    if !is_finite(z) {
        if y.is_infinite() && x.is_finite() {
            return Err(Fault::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            return Ok((x.signum(), 0f64.copysign(2.0 * y.sin() * y.cos())));
        }
        return Ok(TANH[class(x)][class(y)]);
    }
    if x.abs() > LOG_LARGE {
        return Ok((1f64.copysign(x), 4.0 * y.sin() * y.cos() * (-2.0 * x.abs()).exp()));
    }
    let (tx, ty, cx) = (x.tanh(), y.tan(), 1.0 / x.cosh());
    let txty = tx * ty;
    let divisor = 1.0 + txty * txty;
    Ok((tx * (1.0 + ty * ty) / divisor, ((ty / divisor) * cx) * cx))
}

fn tan(z: Pair) -> Outcome {
    tanh((-z.1, z.0)).map(|s| (s.1, -s.0))
}

fn exp(z: Pair) -> Outcome {
    let (x, y) = z;
    if !is_finite(z) {
        if y.is_infinite() && (x.is_finite() || x == I) {
            return Err(Fault::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let size = if x > 0.0 { I } else { 0.0 };
            return Ok((size.copysign(y.cos()), size.copysign(y.sin())));
        }
        return Ok(EXP[class(x)][class(y)]);
    }
    if x > LOG_LARGE {
        let l = (x - 1.0).exp();
        return checked((l * y.cos() * E, l * y.sin() * E));
    }
    let l = x.exp();
    checked((l * y.cos(), l * y.sin()))
}

fn log(z: Pair) -> Outcome {
    if let Some(r) = special(z, &LOG) {
        return Ok(r);
    }
    let (ax, ay) = (z.0.abs(), z.1.abs());
    let re = if is_large(z) {
        log_large(z) + LN_2
    } else if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        if ax == 0.0 && ay == 0.0 {
            return Err(Fault::Domain);
        }
        libm::ldexp(ax, 53).hypot(libm::ldexp(ay, 53)).ln() - 53.0 * LN_2
    } else {
        let h = ax.hypot(ay);
        if (0.71..=1.73).contains(&h) {
            let (more, less) = if ax > ay { (ax, ay) } else { (ay, ax) };
            log1p((more - 1.0) * (more + 1.0) + less * less) / 2.0
        } else {
            h.ln()
        }
    };
    Ok((re, z.1.atan2(z.0)))
}

fn rect(r: f64, phi: f64) -> Outcome {
    if !is_finite((r, phi)) {
        if r != 0.0 && !r.is_nan() && phi.is_infinite() {
            return Err(Fault::Domain);
        }
        if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            return Ok((I.copysign(phi.cos() * r.signum()), I.copysign(phi.sin() * r.signum())));
        }
        return Ok(RECT[class(r)][class(phi)]);
    }
    if phi == 0.0 {
        return Ok((r, r * phi));
    }
    Ok((r * phi.cos(), r * phi.sin()))
}

// ---- what Python sees ----

fn made(vm: &Interpreter, outcome: Outcome) -> Res {
    match outcome {
        Ok((re, im)) => new_complex(vm, re, im),
        Err(fault) => Err(raise(vm, fault)),
    }
}

fn logarithm(vm: &Interpreter, args: &Args) -> Res {
    let top = log(to_complex(vm, args.req(0))?);
    let Some(base) = args.get(1) else { return made(vm, top) };
    let bottom = log(to_complex(vm, base)?);
    made(vm, top.and_then(|top| quotient(top, bottom?).ok_or(Fault::Domain)))
}

fn phase(vm: &Interpreter, value: &Value) -> Res {
    let z = to_complex(vm, value)?;
    vm.new_float(z.1.atan2(z.0))
}

fn polar(vm: &Interpreter, value: &Value) -> Res {
    let z = to_complex(vm, value)?;
    let size = z.0.hypot(z.1);
    if size.is_infinite() && is_finite(z) {
        return Err(range_error(vm));
    }
    vm.new_tuple(vec![vm.new_float(size)?, vm.new_float(z.1.atan2(z.0))?])
}

fn isclose(vm: &Interpreter, args: &Args) -> Res {
    let (a, b) = (to_complex(vm, args.req(0))?, to_complex(vm, args.req(1))?);
    let relative = args.get(2).map_or(Ok(1e-9), |v| to_f64(vm, v))?;
    let absolute = args.get(3).map_or(Ok(0.0), |v| to_f64(vm, v))?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative".to_string()));
    }
    if a == b {
        return Ok(Value::TRUE);
    }
    let infinite = |z: Pair| z.0.is_infinite() || z.1.is_infinite();
    if infinite(a) || infinite(b) {
        return Ok(Value::FALSE);
    }
    let size = |z: Pair| z.0.hypot(z.1);
    let difference = size((a.0 - b.0, a.1 - b.1));
    let near = difference <= relative * size(b) || difference <= relative * size(a) || difference <= absolute;
    Ok(Value::bool(near))
}

fn asks(vm: &Interpreter, value: &Value, f: fn(Pair) -> bool) -> Res {
    Ok(Value::bool(f(to_complex(vm, value)?)))
}

macro_rules! unary {
    ($name:literal, $doc:literal, $f:expr) => {
        FunctionDef::new($name, "(z, /)", $doc, NativeFn::F1(|vm, z| made(vm, $f(to_complex(vm, z)?))))
    };
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "cmath",
    doc: "This module provides access to mathematical functions for complex\nnumbers.",
    functions: &[
        unary!("acos", "Return the arc cosine of z.", |z| Ok(acos(z))),
        unary!("acosh", "Return the inverse hyperbolic cosine of z.", |z| Ok(acosh(z))),
        unary!("asin", "Return the arc sine of z.", |z| Ok(asin(z))),
        unary!("asinh", "Return the inverse hyperbolic sine of z.", |z| Ok(asinh(z))),
        unary!("atan", "Return the arc tangent of z.", atan),
        unary!("atanh", "Return the inverse hyperbolic tangent of z.", atanh),
        unary!("cos", "Return the cosine of z.", cos),
        unary!("cosh", "Return the hyperbolic cosine of z.", cosh),
        unary!("exp", "Return the exponential value e**z.", exp),
        unary!("log10", "Return the base-10 logarithm of z.", |z| log(z).map(|r| (r.0 / LN_10, r.1 / LN_10))),
        unary!("sin", "Return the sine of z.", sin),
        unary!("sinh", "Return the hyperbolic sine of z.", sinh),
        unary!("sqrt", "Return the square root of z.", |z| Ok(sqrt(z))),
        unary!("tan", "Return the tangent of z.", tan),
        unary!("tanh", "Return the hyperbolic tangent of z.", tanh),
        FunctionDef::new(
            "log",
            "(z, base=<unrepresentable>, /)",
            "log(z[, base]) -> the logarithm of z to the given base.\n\nIf the base is not specified, returns the natural \
             logarithm (base e) of z.",
            NativeFn::Args(logarithm),
        ),
        FunctionDef::new(
            "phase",
            "(z, /)",
            "Return argument, also known as the phase angle, of a complex.",
            NativeFn::F1(phase),
        ),
        FunctionDef::new(
            "polar",
            "(z, /)",
            "Convert a complex from rectangular coordinates to polar coordinates.\n\nr is the distance from 0 and phi the \
             phase angle.",
            NativeFn::F1(polar),
        ),
        FunctionDef::new(
            "rect",
            "(r, phi, /)",
            "Convert from polar coordinates to rectangular coordinates.",
            NativeFn::F2(|vm, r, phi| made(vm, rect(to_f64(vm, r)?, to_f64(vm, phi)?))),
        ),
        FunctionDef::new(
            "isclose",
            "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
            "Determine whether two complex numbers are close in value.",
            NativeFn::Args(isclose),
        ),
        FunctionDef::new(
            "isfinite",
            "(z, /)",
            "Return True if both the real and imaginary parts of z are finite, else False.",
            NativeFn::F1(|vm, z| asks(vm, z, is_finite)),
        ),
        FunctionDef::new(
            "isinf",
            "(z, /)",
            "Checks if the real or imaginary part of z is infinite.",
            NativeFn::F1(|vm, z| asks(vm, z, |z| z.0.is_infinite() || z.1.is_infinite())),
        ),
        FunctionDef::new(
            "isnan",
            "(z, /)",
            "Checks if the real or imaginary part of z not a number (NaN).",
            NativeFn::F1(|vm, z| asks(vm, z, |z| z.0.is_nan() || z.1.is_nan())),
        ),
    ],
    types: &[],
    constants: &[
        constant("pi", |vm| vm.new_float(PI)),
        constant("e", |vm| vm.new_float(E)),
        constant("tau", |vm| vm.new_float(std::f64::consts::TAU)),
        constant("inf", |vm| vm.new_float(I)),
        constant("infj", |vm| new_complex(vm, 0.0, I)),
        constant("nan", |vm| vm.new_float(N)),
        constant("nanj", |vm| new_complex(vm, 0.0, N)),
    ],
    init: None,
};

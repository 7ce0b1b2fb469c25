//! The module `math`.

mod float;
mod int;

pub(crate) use float::{Fault, frexp, norm};
pub use int::frexp as frexp_int;

use float::{ExactSum, SumError, Triple};
use pellucid_host::libm;
use pellucid_object::int::IntRef;
use pellucid_object::{
    Args, BinOp, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Tuple, Value, constant,
};
use pellucid_types::number::{int_to_f64, to_f64};
use std::f64::consts::PI;

#[cold]
pub(crate) fn domain_error(vm: &Interpreter) -> Raised {
    vm.value_error("math domain error".to_string())
}

#[cold]
pub(crate) fn range_error(vm: &Interpreter) -> Raised {
    vm.overflow_error("math range error".to_string())
}

/// `expected a nonnegative input, got -1.0`.
#[cold]
fn expected(vm: &Interpreter, what: &str, x: f64) -> Raised {
    if what.is_empty() {
        return domain_error(vm);
    }
    vm.value_error(format!("expected {what}, got {}", pellucid_types::float::text(x)))
}

/// What an infinite result of a finite argument means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Infinity {
    Overflow,
    Singularity,
}

/// `f(x)`; `wanted` says in messages which arguments have a value.
fn unary(vm: &Interpreter, value: &Value, f: impl Fn(f64) -> f64, infinity: Infinity, wanted: &str) -> Res {
    let x = to_f64(vm, value)?;
    let r = f(x);
    if r.is_nan() && !x.is_nan() {
        return Err(expected(vm, wanted, x));
    }
    if r.is_infinite() && x.is_finite() {
        return Err(match infinity {
            Infinity::Overflow => range_error(vm),
            Infinity::Singularity => expected(vm, wanted, x),
        });
    }
    vm.new_float(r)
}

/// A function of one float, as a row of the table.
macro_rules! unary {
    ($name:literal, $doc:literal, $f:expr) => {
        unary!($name, $doc, $f, Singularity, "")
    };
    ($name:literal, $doc:literal, $f:expr, $infinity:ident) => {
        unary!($name, $doc, $f, $infinity, "")
    };
    ($name:literal, $doc:literal, $f:expr, $infinity:ident, $wanted:literal) => {
        FunctionDef::new(
            $name,
            "(x, /)",
            $doc,
            NativeFn::F1(|vm, x| unary(vm, x, $f, Infinity::$infinity, $wanted)),
        )
    };
}

fn binary(vm: &Interpreter, x: &Value, y: &Value, f: impl Fn(f64, f64) -> f64) -> Res {
    let (x, y) = (to_f64(vm, x)?, to_f64(vm, y)?);
    let r = f(x, y);
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain_error(vm));
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(range_error(vm));
    }
    vm.new_float(r)
}

fn faulty(vm: &Interpreter, result: Result<f64, Fault>, wanted: &str, x: f64) -> Res {
    match result {
        Ok(r) => vm.new_float(r),
        Err(Fault::Domain) => Err(expected(vm, wanted, x)),
        Err(Fault::Range) => Err(range_error(vm)),
    }
}

// ---- rounding ----

/// `floor`, `ceil`: of floats at once, of others by the method, else by way of a float.
fn rounded(vm: &Interpreter, value: &Value, method: &'static str, f: fn(f64) -> f64) -> Res {
    if !vm.is_exact(value, &vm.types().float)
        && let Some(found) = vm.lookup_special(value, method)?
    {
        return vm.call_descriptor(&found, value, &[]);
    }
    pellucid_types::float::whole(vm, f(to_f64(vm, value)?))
}

fn trunc(vm: &Interpreter, value: &Value) -> Res {
    if let Some(f) = value.as_float().filter(|_| vm.is_exact(value, &vm.types().float)) {
        return pellucid_types::float::whole(vm, f);
    }
    match vm.lookup_special(value, "__trunc__")? {
        Some(method) => vm.call_descriptor(&method, value, &[]),
        None => {
            let name = vm.type_name(value);
            Err(vm.type_error(format!("type {name} doesn't define __trunc__ method")))
        }
    }
}

// ---- logarithms and powers ----

/// Logarithm of a number of any size; `of_two` is that of 2.
fn logarithm(vm: &Interpreter, value: &Value, f: fn(f64) -> f64) -> Res<f64> {
    if let Some(int) = value.as_int() {
        if int.is_zero() || int.is_negative() {
            return Err(vm.value_error("expected a positive input".to_string()));
        }
        return Ok(match int {
            IntRef::Small(i) => f(i as f64),
            IntRef::Big(big) => {
                let x = big.to_f64().value();
                if x.is_finite() {
                    f(x)
                } else {
                    let (mantissa, exponent) = frexp_int(big);
                    f(mantissa) + f(2.0) * exponent as f64
                }
            }
        });
    }
    let x = to_f64(vm, value)?;
    if x <= 0.0 {
        return Err(expected(vm, "a positive input", x));
    }
    Ok(f(x))
}

fn log(vm: &Interpreter, args: &Args) -> Res {
    let top = logarithm(vm, args.req(0), f64::ln)?;
    let Some(base) = args.get(1) else { return vm.new_float(top) };
    let bottom = logarithm(vm, base, f64::ln)?;
    if bottom == 0.0 {
        return Err(vm.zero_division_error("division by zero".to_string()));
    }
    vm.new_float(top / bottom)
}

fn pow(vm: &Interpreter, x: &Value, y: &Value) -> Res {
    let (x, y) = (to_f64(vm, x)?, to_f64(vm, y)?);
    let r = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if r.is_nan() || r.is_infinite() && x == 0.0 {
            return Err(domain_error(vm));
        }
        if r.is_infinite() {
            return Err(range_error(vm));
        }
    }
    vm.new_float(r)
}

fn fmod(vm: &Interpreter, x: &Value, y: &Value) -> Res {
    let (x, y) = (to_f64(vm, x)?, to_f64(vm, y)?);
    if y.is_infinite() && x.is_finite() {
        return vm.new_float(x);
    }
    let r = x % y;
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain_error(vm));
    }
    vm.new_float(r)
}

fn fma(vm: &Interpreter, x: &Value, y: &Value, z: &Value) -> Res {
    let (x, y, z) = (to_f64(vm, x)?, to_f64(vm, y)?, to_f64(vm, z)?);
    let r = x.mul_add(y, z);
    if r.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return Err(vm.value_error("invalid operation in fma".to_string()));
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(vm.overflow_error("overflow in fma".to_string()));
    }
    vm.new_float(r)
}

// ---- parts of floats ----

fn frexp_pair(vm: &Interpreter, value: &Value) -> Res {
    let (mantissa, exponent) = frexp(to_f64(vm, value)?);
    vm.new_tuple(vec![vm.new_float(mantissa)?, vm.new_int(i64::from(exponent))?])
}

fn modf(vm: &Interpreter, value: &Value) -> Res {
    let x = to_f64(vm, value)?;
    let (fraction, whole) =
        if x.is_infinite() { (0f64.copysign(x), x) } else { (x.fract().copysign(x), x.trunc()) };
    let fraction = if x.is_nan() { x } else { fraction };
    vm.new_tuple(vec![vm.new_float(fraction)?, vm.new_float(whole)?])
}

fn ldexp(vm: &Interpreter, x: &Value, exponent: &Value) -> Res {
    let x = to_f64(vm, x)?;
    let Some(int) = exponent.as_int() else {
        return Err(vm.type_error("Expected an int as second argument to ldexp.".to_string()));
    };
    if x == 0.0 || !x.is_finite() {
        return vm.new_float(x);
    }
    let exponent = match int {
        IntRef::Small(i) => i.clamp(-1_000_000, 1_000_000) as i32,
        IntRef::Big(_) if int.is_negative() => -1_000_000,
        IntRef::Big(_) => 1_000_000,
    };
    match libm::ldexp(x, exponent) {
        r if r.is_infinite() => Err(range_error(vm)),
        r => vm.new_float(r),
    }
}

fn nextafter(vm: &Interpreter, args: &Args) -> Res {
    let (x, y) = (to_f64(vm, args.req(0))?, to_f64(vm, args.req(1))?);
    let steps = match args.some(2) {
        None => {
            // One step down to zero keeps the sign, as it does in C.
            let next = float::next_after(x, y, 1);
            return vm.new_float(if next == 0.0 && x != 0.0 { next.copysign(x) } else { next });
        }
        Some(steps) => {
            let index = vm.index(steps)?;
            match index.as_int() {
                Some(int) if int.is_negative() => {
                    return Err(vm.value_error("steps must be a non-negative integer".to_string()));
                }
                Some(IntRef::Small(steps)) => steps as u64,
                _ => u64::MAX,
            }
        }
    };
    vm.new_float(float::next_after(x, y, steps))
}

fn isclose(vm: &Interpreter, args: &Args) -> Res {
    let (a, b) = (to_f64(vm, args.req(0))?, to_f64(vm, args.req(1))?);
    let relative = args.get(2).map_or(Ok(1e-9), |v| to_f64(vm, v))?;
    let absolute = args.get(3).map_or(Ok(0.0), |v| to_f64(vm, v))?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative".to_string()));
    }
    if a == b {
        return Ok(Value::TRUE);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(Value::FALSE);
    }
    let difference = (b - a).abs();
    let near =
        difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute;
    Ok(Value::bool(near))
}

fn asks(vm: &Interpreter, value: &Value, f: fn(f64) -> bool) -> Res {
    Ok(Value::bool(f(to_f64(vm, value)?)))
}

// ---- many numbers ----

fn floats(vm: &Interpreter, values: &[Value]) -> Res<Vec<f64>> {
    values.iter().map(|v| to_f64(vm, v)).collect()
}

fn hypot(vm: &Interpreter, args: &Args) -> Res {
    let items = args.req(0).downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let mut coordinates = floats(vm, &items)?;
    vm.new_float(norm(&mut coordinates))
}

fn dist(vm: &Interpreter, p: &Value, q: &Value) -> Res {
    let (p, q) = (vm.collect(p)?, vm.collect(q)?);
    if p.len() != q.len() {
        return Err(vm.value_error("both points must have the same number of dimensions".to_string()));
    }
    let mut differences = Vec::with_capacity(p.len());
    for (a, b) in p.iter().zip(&q) {
        differences.push((to_f64(vm, a)? - to_f64(vm, b)?).abs());
    }
    vm.new_float(norm(&mut differences))
}

fn sum_error(vm: &Interpreter, error: SumError) -> Raised {
    match error {
        SumError::Overflow => vm.overflow_error("intermediate overflow in fsum".to_string()),
        SumError::OppositeInfinities => vm.value_error("-inf + inf in fsum".to_string()),
    }
}

fn fsum(vm: &Interpreter, iterable: &Value) -> Res {
    let mut sum = ExactSum::default();
    vm.for_each(iterable, |value| {
        let x = to_f64(vm, &value)?;
        sum.add(x).map_err(|error| sum_error(vm, error))
    })?;
    let total = sum.total().map_err(|error| sum_error(vm, error))?;
    vm.new_float(total)
}

fn prod(vm: &Interpreter, args: &Args) -> Res {
    let iterator = vm.iter(args.req(0))?;
    let mut product = match args.get(1) {
        Some(start) => start.clone(),
        None => vm.new_int(1)?,
    };
    while let Some(item) = vm.next(&iterator)? {
        if let (Some(a), Some(b)) = (product.as_small_int(), item.as_small_int())
            && let Some(result) = a.checked_mul(b)
        {
            product = vm.new_int(result)?;
        } else {
            product = vm.binary(BinOp::Mul, &product, &item)?;
        }
    }
    Ok(product)
}

/// A running sum of products. Sums of ints and of floats are held apart, each until the first product that is none.
struct Products {
    total: Value,
    ints: Path<i64>,
    floats: Path<Triple>,
}

/// A sum held apart.
#[derive(Clone, Copy)]
enum Path<T> {
    Unused,
    Sum(T),
    Closed,
}

impl<T: Default + Copy> Path<T> {
    /// The sum so far, while the path is open.
    fn sum(&self) -> Option<T> {
        match self {
            Path::Unused => Some(T::default()),
            Path::Sum(sum) => Some(*sum),
            Path::Closed => None,
        }
    }

    /// Closes the path; the sum, if there is one.
    fn close(&mut self) -> Option<T> {
        match std::mem::replace(self, Path::Closed) {
            Path::Sum(sum) => Some(sum),
            Path::Unused | Path::Closed => None,
        }
    }
}

impl Products {
    fn close_ints(&mut self, vm: &Interpreter) -> Res<()> {
        if let Some(sum) = self.ints.close() {
            self.total = vm.binary(BinOp::Add, &self.total, &vm.new_int(sum)?)?;
        }
        Ok(())
    }

    fn close_floats(&mut self, vm: &Interpreter) -> Res<()> {
        if let Some(sum) = self.floats.close() {
            self.total = vm.binary(BinOp::Add, &self.total, &vm.new_float(sum.total())?)?;
        }
        Ok(())
    }

    fn add(&mut self, vm: &Interpreter, p: &Value, q: &Value) -> Res<()> {
        let exact_int = |v: &Value| vm.is_exact(v, &vm.types().int);
        if let Some(sum) = self.ints.sum() {
            let product = match (vm.as_i64(p), vm.as_i64(q)) {
                (Some(a), Some(b)) if exact_int(p) && exact_int(q) => a.checked_mul(b),
                _ => None,
            };
            if let Some(sum) = product.and_then(|product| sum.checked_add(product)) {
                self.ints = Path::Sum(sum);
                return Ok(());
            }
            self.close_ints(vm)?;
        }
        if let Some(mut sum) = self.floats.sum() {
            let exact_float = |v: &Value| vm.is_exact(v, &vm.types().float);
            let number = |v: &Value| match v.as_int() {
                Some(int) if v.is_bool() || exact_int(v) => {
                    int_to_f64(vm, &int).map_err(|raised| drop(vm.take_raised(raised))).ok()
                }
                _ => v.as_float().filter(|_| exact_float(v)),
            };
            if (exact_float(p) || exact_float(q))
                && let (Some(a), Some(b)) = (number(p), number(q))
            {
                sum.add_product(a, b);
                if sum.total().is_finite() {
                    self.floats = Path::Sum(sum);
                    return Ok(());
                }
            }
            self.close_floats(vm)?;
        }
        let product = vm.binary(BinOp::Mul, p, q)?;
        self.total = vm.binary(BinOp::Add, &self.total, &product)?;
        Ok(())
    }
}

fn sumprod(vm: &Interpreter, p: &Value, q: &Value) -> Res {
    let (left, right) = (vm.iter(p)?, vm.iter(q)?);
    let mut products = Products { total: vm.new_int(0)?, ints: Path::Unused, floats: Path::Unused };
    loop {
        match (vm.next(&left)?, vm.next(&right)?) {
            (Some(a), Some(b)) => products.add(vm, &a, &b)?,
            (None, None) => break,
            _ => return Err(vm.value_error("Inputs are not the same length".to_string())),
        }
    }
    products.close_ints(vm)?;
    products.close_floats(vm)?;
    Ok(products.total)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "math",
    doc: "This module provides access to the mathematical functions\ndefined by the C standard.",
    functions: &[
        unary!(
            "acos",
            "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi.",
            f64::acos,
            Singularity,
            "a number in range from -1 up to 1"
        ),
        unary!(
            "acosh",
            "Return the inverse hyperbolic cosine of x.",
            libm::acosh,
            Singularity,
            "argument value not less than 1"
        ),
        unary!(
            "asin",
            "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.",
            f64::asin,
            Singularity,
            "a number in range from -1 up to 1"
        ),
        unary!("asinh", "Return the inverse hyperbolic sine of x.", libm::asinh),
        unary!(
            "atan",
            "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.",
            f64::atan
        ),
        unary!(
            "atanh",
            "Return the inverse hyperbolic tangent of x.",
            libm::atanh,
            Singularity,
            "a number between -1 and 1"
        ),
        unary!("cbrt", "Return the cube root of x.", f64::cbrt),
        unary!(
            "cos",
            "Return the cosine of x (measured in radians).",
            f64::cos,
            Singularity,
            "a finite input"
        ),
        unary!("cosh", "Return the hyperbolic cosine of x.", f64::cosh, Overflow),
        unary!("erf", "Error function at x.", libm::erf),
        unary!("erfc", "Complementary error function at x.", libm::erfc),
        unary!("exp", "Return e raised to the power of x.", f64::exp, Overflow),
        unary!("exp2", "Return 2 raised to the power of x.", f64::exp2, Overflow),
        unary!(
            "expm1",
            "Return exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.",
            f64::exp_m1,
            Overflow
        ),
        unary!("fabs", "Return the absolute value of the float x.", f64::abs),
        unary!(
            "log1p",
            "Return the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero.",
            |x: f64| if x == 0.0 { x } else { x.ln_1p() },
            Singularity,
            "argument value > -1"
        ),
        unary!("sin", "Return the sine of x (measured in radians).", f64::sin, Singularity, "a finite input"),
        unary!("sinh", "Return the hyperbolic sine of x.", f64::sinh, Overflow),
        unary!("sqrt", "Return the square root of x.", f64::sqrt, Singularity, "a nonnegative input"),
        unary!(
            "tan",
            "Return the tangent of x (measured in radians).",
            f64::tan,
            Singularity,
            "a finite input"
        ),
        unary!("tanh", "Return the hyperbolic tangent of x.", f64::tanh),
        FunctionDef::new(
            "gamma",
            "(x, /)",
            "Gamma function at x.",
            NativeFn::F1(|vm, value| {
                let x = to_f64(vm, value)?;
                faulty(vm, float::gamma(x), "a noninteger or positive integer", x)
            }),
        ),
        FunctionDef::new(
            "lgamma",
            "(x, /)",
            "Natural logarithm of absolute value of Gamma function at x.",
            NativeFn::F1(|vm, value| {
                let x = to_f64(vm, value)?;
                faulty(vm, float::log_gamma(x), "a noninteger or positive integer", x)
            }),
        ),
        FunctionDef::new(
            "atan2",
            "(y, x, /)",
            "Return the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both x and y are considered.",
            NativeFn::F2(|vm, y, x| binary(vm, y, x, f64::atan2)),
        ),
        FunctionDef::new(
            "copysign",
            "(x, y, /)",
            "Return a float with the magnitude (absolute value) of x but the sign of y.\n\nOn platforms that support signed zeros, copysign(1.0, -0.0)\nreturns -1.0.\n",
            NativeFn::F2(|vm, x, y| vm.new_float(to_f64(vm, x)?.copysign(to_f64(vm, y)?))),
        ),
        FunctionDef::new(
            "remainder",
            "(x, y, /)",
            "Difference between x and the closest integer multiple of y.\n\nReturn x - n*y where n*y is the closest integer multiple of y.\nIn the case where x is exactly halfway between two multiples of\ny, the nearest even value of n is used. The result is always exact.",
            NativeFn::F2(|vm, x, y| {
                let (x, y) = (to_f64(vm, x)?, to_f64(vm, y)?);
                faulty(vm, float::remainder(x, y), "", x)
            }),
        ),
        FunctionDef::new(
            "fmod",
            "(x, y, /)",
            "Return fmod(x, y), according to platform C.\n\nx % y may differ.",
            NativeFn::F2(fmod),
        ),
        FunctionDef::new("pow", "(x, y, /)", "Return x**y (x to the power of y).", NativeFn::F2(pow)),
        FunctionDef::new(
            "fma",
            "(x, y, z, /)",
            "Fused multiply-add operation.\n\nCompute (x * y) + z with a single round.",
            NativeFn::F3(fma),
        ),
        FunctionDef::new(
            "log",
            "(x, base=<unrepresentable>, /)",
            "log(x, [base=math.e])\nReturn the logarithm of x to the given base.\n\nIf the base is not specified, returns the natural logarithm (base e) of x.",
            NativeFn::Args(log),
        ),
        FunctionDef::new(
            "log2",
            "(x, /)",
            "Return the base 2 logarithm of x.",
            NativeFn::F1(|vm, x| vm.new_float(logarithm(vm, x, f64::log2)?)),
        ),
        FunctionDef::new(
            "log10",
            "(x, /)",
            "Return the base 10 logarithm of x.",
            NativeFn::F1(|vm, x| vm.new_float(logarithm(vm, x, f64::log10)?)),
        ),
        FunctionDef::new(
            "degrees",
            "(x, /)",
            "Convert angle x from radians to degrees.",
            NativeFn::F1(|vm, x| vm.new_float(to_f64(vm, x)? * (180.0 / PI))),
        ),
        FunctionDef::new(
            "radians",
            "(x, /)",
            "Convert angle x from degrees to radians.",
            NativeFn::F1(|vm, x| vm.new_float(to_f64(vm, x)? * (PI / 180.0))),
        ),
        FunctionDef::new(
            "floor",
            "(x, /)",
            "Return the floor of x as an Integral.\n\nThis is the largest integer <= x.",
            NativeFn::F1(|vm, x| rounded(vm, x, "__floor__", f64::floor)),
        ),
        FunctionDef::new(
            "ceil",
            "(x, /)",
            "Return the ceiling of x as an Integral.\n\nThis is the smallest integer >= x.",
            NativeFn::F1(|vm, x| rounded(vm, x, "__ceil__", f64::ceil)),
        ),
        FunctionDef::new(
            "trunc",
            "(x, /)",
            "Truncates the Real x to the nearest Integral toward 0.\n\nUses the __trunc__ magic method.",
            NativeFn::F1(trunc),
        ),
        FunctionDef::new(
            "frexp",
            "(x, /)",
            "Return the mantissa and exponent of x, as pair (m, e).\n\nm is a float and e is an int, such that x = m * 2.**e.\nIf x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.",
            NativeFn::F1(frexp_pair),
        ),
        FunctionDef::new(
            "modf",
            "(x, /)",
            "Return the fractional and integer parts of x.\n\nBoth results carry the sign of x and are floats.",
            NativeFn::F1(modf),
        ),
        FunctionDef::new(
            "ldexp",
            "(x, i, /)",
            "Return x * (2**i).\n\nThis is essentially the inverse of frexp().",
            NativeFn::F2(ldexp),
        ),
        FunctionDef::new(
            "nextafter",
            "(x, y, /, *, steps=None)",
            "Return the floating-point value the given number of steps after x towards y.\n\nIf steps is not specified or is None, it defaults to 1.\n\nRaises a TypeError, if x or y is not a double, or if steps is not an integer.\nRaises ValueError if steps is negative.",
            NativeFn::Args(nextafter),
        ),
        FunctionDef::new(
            "ulp",
            "(x, /)",
            "Return the value of the least significant bit of the float x.",
            NativeFn::F1(|vm, x| vm.new_float(float::ulp(to_f64(vm, x)?))),
        ),
        FunctionDef::new(
            "isclose",
            "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
            "Determine whether two floating-point numbers are close in value.\n\n  rel_tol\n    maximum difference for being considered \"close\", relative to the\n    magnitude of the input values\n  abs_tol\n    maximum difference for being considered \"close\", regardless of the\n    magnitude of the input values",
            NativeFn::Args(isclose),
        ),
        FunctionDef::new(
            "isfinite",
            "(x, /)",
            "Return True if x is neither an infinity nor a NaN, and False otherwise.",
            NativeFn::F1(|vm, x| asks(vm, x, f64::is_finite)),
        ),
        FunctionDef::new(
            "isinf",
            "(x, /)",
            "Return True if x is a positive or negative infinity, and False otherwise.",
            NativeFn::F1(|vm, x| asks(vm, x, f64::is_infinite)),
        ),
        FunctionDef::new(
            "isnan",
            "(x, /)",
            "Return True if x is a NaN (not a number), and False otherwise.",
            NativeFn::F1(|vm, x| asks(vm, x, f64::is_nan)),
        ),
        FunctionDef::new(
            "hypot",
            "(*coordinates)",
            "Multidimensional Euclidean distance from the origin to a point.\n\nRoughly equivalent to:\n    sqrt(sum(x**2 for x in coordinates))\n\nFor a two dimensional point (x, y), gives the hypotenuse\nusing the Pythagorean theorem:  sqrt(x*x + y*y).",
            NativeFn::Args(hypot),
        ),
        FunctionDef::new(
            "dist",
            "(p, q, /)",
            "Return the Euclidean distance between two points p and q.\n\nThe points should be specified as sequences (or iterables) of\ncoordinates.  Both inputs must have the same dimension.",
            NativeFn::F2(dist),
        ),
        FunctionDef::new(
            "fsum",
            "(seq, /)",
            "Return an accurate floating-point sum of values in the iterable seq.\n\nAssumes IEEE-754 floating-point arithmetic.",
            NativeFn::F1(fsum),
        ),
        FunctionDef::new(
            "prod",
            "(iterable, /, *, start=1)",
            "Calculate the product of all the elements in the input iterable.\n\nThe default start value for the product is 1.\n\nWhen the iterable is empty, return the start value.  This function is\nintended specifically for use with numeric values and may reject\nnon-numeric types.",
            NativeFn::Args(prod),
        ),
        FunctionDef::new(
            "sumprod",
            "(p, q, /)",
            "Return the sum of products of values from two iterables p and q.\n\nRoughly equivalent to:\n\n    sum(itertools.starmap(operator.mul, zip(p, q, strict=True)))\n\nFor float and mixed int/float inputs, the intermediate products\nand sums are computed with extended precision.",
            NativeFn::F2(sumprod),
        ),
        FunctionDef::new("gcd", "(*integers)", "Greatest Common Divisor.", NativeFn::Args(int::gcd)),
        FunctionDef::new("lcm", "(*integers)", "Least Common Multiple.", NativeFn::Args(int::lcm)),
        FunctionDef::new(
            "isqrt",
            "(n, /)",
            "Return the integer part of the square root of the input.",
            NativeFn::F1(int::isqrt),
        ),
        FunctionDef::new("factorial", "(n, /)", "Find n!.", NativeFn::F1(int::factorial)),
        FunctionDef::new(
            "perm",
            "(n, k=None, /)",
            "Number of ways to choose k items from n items without repetition and with order.\n\nEvaluates to n! / (n - k)! when k <= n and evaluates\nto zero when k > n.\n\nIf k is not specified or is None, then k defaults to n\nand the function returns n!.\n\nRaises ValueError if either of the arguments is negative.",
            NativeFn::Args(int::perm),
        ),
        FunctionDef::new(
            "comb",
            "(n, k, /)",
            "Number of ways to choose k items from n items without repetition and without order.\n\nEvaluates to n! / (k! * (n - k)!) when k <= n and evaluates\nto zero when k > n.\n\nAlso called the binomial coefficient because it is equivalent\nto the coefficient of k-th term in polynomial expansion of the\nexpression (1 + x)**n.\n\nRaises ValueError if either of the arguments is negative.",
            NativeFn::F2(int::comb),
        ),
    ],
    types: &[],
    constants: &[
        constant("pi", |vm| vm.new_float(PI)),
        constant("e", |vm| vm.new_float(std::f64::consts::E)),
        constant("tau", |vm| vm.new_float(std::f64::consts::TAU)),
        constant("inf", |vm| vm.new_float(f64::INFINITY)),
        constant("nan", |vm| vm.new_float(f64::NAN)),
    ],
    init: None,
};

//! `complex`: construction, arithmetic with real and complex operands, comparison, text.

use crate::format::float_text::{Style, float_text};
use crate::format::numbers::complex_format_method;
use crate::number;
use pellucid_object::complex::Complex;
use pellucid_object::{
    BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Raised, Res, Slot, Str, Text,
    TypeDef, TypeFlags, UnOp, Value, payload,
};

/// Real and imaginary part of a complex number (or of an instance of a subclass).
pub fn parts(value: &Value) -> Option<(f64, f64)> {
    value.downcast::<Complex>().map(|c| (c.re, c.im))
}

/// A new complex number.
pub fn new_complex(vm: &Interpreter, re: f64, im: f64) -> Res {
    vm.alloc(&vm.type_for(&COMPLEX)?, Complex { re, im })
}

/// An operand of arithmetic: reals are not turned into complex numbers, so that signs of zeros stay.
#[derive(Clone, Copy)]
enum Operand {
    Real(f64),
    Complex(f64, f64),
}

impl Operand {
    fn parts(self) -> (f64, f64) {
        match self {
            Operand::Real(x) => (x, 0.0),
            Operand::Complex(re, im) => (re, im),
        }
    }
}

fn operand(vm: &Interpreter, value: &Value) -> Res<Option<Operand>> {
    match parts(value) {
        Some((re, im)) => Ok(Some(Operand::Complex(re, im))),
        None => Ok(number::operand(vm, value)?.map(Operand::Real)),
    }
}

type Pair = (f64, f64);

/// Applies `f` to two operands.
fn arithmetic(
    vm: &Interpreter,
    a: &Value,
    b: &Value,
    f: fn(&Interpreter, Operand, Operand) -> Res<Pair>,
) -> Res {
    match (operand(vm, a)?, operand(vm, b)?) {
        (Some(x), Some(y)) => {
            let (re, im) = f(vm, x, y)?;
            new_complex(vm, re, im)
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn add(x: Operand, y: Operand) -> Pair {
    match (x, y) {
        (Operand::Complex(a, b), Operand::Complex(c, d)) => (a + c, b + d),
        (Operand::Complex(a, b), Operand::Real(c)) | (Operand::Real(c), Operand::Complex(a, b)) => (a + c, b),
        (Operand::Real(a), Operand::Real(b)) => (a + b, 0.0),
    }
}

fn sub(x: Operand, y: Operand) -> Pair {
    match (x, y) {
        (Operand::Complex(a, b), Operand::Complex(c, d)) => (a - c, b - d),
        (Operand::Complex(a, b), Operand::Real(c)) => (a - c, b),
        (Operand::Real(a), Operand::Complex(c, d)) => (a - c, -d),
        (Operand::Real(a), Operand::Real(b)) => (a - b, 0.0),
    }
}

fn mul(x: Operand, y: Operand) -> Pair {
    match (x, y) {
        (Operand::Complex(a, b), Operand::Complex(c, d)) => product((a, b), (c, d)),
        (Operand::Complex(a, b), Operand::Real(c)) | (Operand::Real(c), Operand::Complex(a, b)) => {
            (a * c, b * c)
        }
        (Operand::Real(a), Operand::Real(b)) => (a * b, 0.0),
    }
}

/// An infinite part as ±1, a finite one as ±0.
fn boxed(x: f64) -> f64 {
    f64::from(u8::from(x.is_infinite())).copysign(x)
}

fn nan_to_zero(x: f64) -> f64 {
    if x.is_nan() { 0f64.copysign(x) } else { x }
}

/// The product; infinities that would come out as two NaNs are recovered (C11, annex G.5.1).
pub fn product((mut a, mut b): Pair, (mut c, mut d): Pair) -> Pair {
    let (ac, bd, ad, bc) = (a * c, b * d, a * d, b * c);
    let result = (ac - bd, ad + bc);
    if !result.0.is_nan() || !result.1.is_nan() {
        return result;
    }
    let mut again = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, c, d) = (boxed(a), boxed(b), nan_to_zero(c), nan_to_zero(d));
        again = true;
    }
    if c.is_infinite() || d.is_infinite() {
        (c, d, a, b) = (boxed(c), boxed(d), nan_to_zero(a), nan_to_zero(b));
        again = true;
    }
    if !again && [ac, bd, ad, bc].iter().any(|x| x.is_infinite()) {
        (a, b, c, d) = (nan_to_zero(a), nan_to_zero(b), nan_to_zero(c), nan_to_zero(d));
        again = true;
    }
    if again { (f64::INFINITY * (a * c - b * d), f64::INFINITY * (a * d + b * c)) } else { result }
}

/// The quotient by Smith's method, with infinities and zeros recovered (C11, annex G.5.2); `None`: division by zero.
pub fn quotient(a: Pair, b: Pair) -> Option<Pair> {
    let (size_re, size_im) = (b.0.abs(), b.1.abs());
    let result = if size_re >= size_im {
        if size_re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        ((a.0 + a.1 * ratio) / divisor, (a.1 - a.0 * ratio) / divisor)
    } else if size_im >= size_re {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        ((a.0 * ratio + a.1) / divisor, (a.1 * ratio - a.0) / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan() && result.1.is_nan() {
        let infinite = |p: Pair| p.0.is_infinite() || p.1.is_infinite();
        let finite = |p: Pair| p.0.is_finite() && p.1.is_finite();
        if infinite(a) && finite(b) {
            let (x, y) = (boxed(a.0), boxed(a.1));
            return Some((f64::INFINITY * (x * b.0 + y * b.1), f64::INFINITY * (y * b.0 - x * b.1)));
        }
        if infinite(b) && finite(a) {
            let (x, y) = (boxed(b.0), boxed(b.1));
            return Some((0.0 * (a.0 * x + a.1 * y), 0.0 * (a.1 * x - a.0 * y)));
        }
    }
    Some(result)
}

/// A real number divided by a complex one.
fn real_quotient(a: f64, b: Pair) -> Option<Pair> {
    let (size_re, size_im) = (b.0.abs(), b.1.abs());
    let result = if size_re >= size_im {
        if size_re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        (a / divisor, (-a * ratio) / divisor)
    } else if size_im >= size_re {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        ((a * ratio) / divisor, (-a) / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan()
        && result.1.is_nan()
        && a.is_finite()
        && (size_re.is_infinite() || size_im.is_infinite())
    {
        return Some((0.0 * (a * boxed(b.0)), 0.0 * (-a * boxed(b.1))));
    }
    Some(result)
}

fn div(vm: &Interpreter, x: Operand, y: Operand) -> Res<Pair> {
    let result = match (x, y) {
        (_, Operand::Real(0.0)) => None,
        (Operand::Complex(a, b), Operand::Real(c)) => Some((a / c, b / c)),
        (Operand::Real(a), Operand::Complex(c, d)) => real_quotient(a, (c, d)),
        _ => quotient(x.parts(), y.parts()),
    };
    result.ok_or_else(|| number::division_by_zero(vm))
}

fn natural_power(base: Pair, exponent: u32) -> Pair {
    let (mut result, mut square, mut left): (Option<Pair>, Pair, u32) = (None, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = Some(result.map_or(square, |r| product(r, square)));
        }
        left >>= 1;
        if left > 0 {
            square = product(square, square);
        }
    }
    result.unwrap_or((1.0, 0.0))
}

/// `base ** exponent`. Errors: `ZeroDivisionError`, `OverflowError`.
pub fn power(vm: &Interpreter, base: Pair, exponent: Pair) -> Res<Pair> {
    let zero_power =
        |vm: &Interpreter| vm.zero_division_error("zero to a negative or complex power".to_string());
    let whole = exponent.1 == 0.0 && exponent.0 == exponent.0.floor() && exponent.0.abs() <= 100.0;
    let result = if whole {
        let size = natural_power(base, exponent.0.abs() as u32);
        if exponent.0 < 0.0 { quotient((1.0, 0.0), size).ok_or_else(|| zero_power(vm))? } else { size }
    } else if base == (0.0, 0.0) {
        if exponent.1 != 0.0 || exponent.0 < 0.0 {
            return Err(zero_power(vm));
        }
        (0.0, 0.0)
    } else {
        let size = base.0.hypot(base.1);
        let mut length = size.powf(exponent.0);
        let angle = base.1.atan2(base.0);
        let mut phase = angle * exponent.0;
        if exponent.1 != 0.0 {
            length /= (angle * exponent.1).exp();
            phase += exponent.1 * size.ln();
        }
        (length * phase.cos(), length * phase.sin())
    };
    if result.0.is_infinite() || result.1.is_infinite() {
        return Err(vm.overflow_error("complex exponentiation".to_string()));
    }
    Ok(result)
}

fn compare(_: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some((re, im)), CmpOp::Eq | CmpOp::Ne) = (parts(a), op) else { return Ok(Value::NOT_IMPLEMENTED) };
    let equal = match (parts(b), b.as_float(), b.as_int()) {
        (Some(other), _, _) => (re, im) == other,
        (_, Some(f), _) => re == f && im == 0.0,
        (_, _, Some(int)) => im == 0.0 && number::compare_int_float(&int, re).is_some_and(|o| o.is_eq()),
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

fn hash(_: &Interpreter, this: &Value) -> Res<i64> {
    let (re, im) = parts(this).unwrap_or((0.0, 0.0));
    if re.is_nan() || im.is_nan() {
        return Ok(pellucid_object::protocol::identity_hash(this));
    }
    let hash = number::hash_float(re).wrapping_add(number::hash_float(im).wrapping_mul(1_000_003));
    Ok(if hash == -1 { -2 } else { hash })
}

/// `repr` of a complex number.
pub fn text(re: f64, im: f64) -> String {
    let style = Style {
        code: b'r',
        uppercase: false,
        precision: 0,
        alternate: false,
        add_dot_zero: false,
        no_negative_zero: false,
    };
    let show = |f: f64| float_text(f, &style).unwrap_or_default();
    let imaginary = show(im);
    if re == 0.0 && re.is_sign_positive() {
        return format!("{imaginary}j");
    }
    let plus = if imaginary.starts_with('-') { "" } else { "+" };
    format!("({}{plus}{imaginary}j)", show(re))
}

fn size(vm: &Interpreter, this: &Value) -> Res {
    let (re, im) = parts(this).unwrap_or((0.0, 0.0));
    let size = re.hypot(im);
    if size.is_infinite() && re.is_finite() && im.is_finite() {
        return Err(vm.overflow_error("absolute value too large".to_string()));
    }
    vm.new_float(size)
}

/// The exact complex of an instance.
fn exact(vm: &Interpreter, this: &Value) -> Res {
    let (re, im) = parts(this).unwrap_or((0.0, 0.0));
    if vm.is_exact(this, &vm.type_for(&COMPLEX)?) { Ok(this.clone()) } else { new_complex(vm, re, im) }
}

fn map(vm: &Interpreter, this: &Value, f: fn(f64, f64) -> Pair) -> Res {
    let (re, im) = parts(this).unwrap_or((0.0, 0.0));
    let (re, im) = f(re, im);
    new_complex(vm, re, im)
}

// ---- construction ----

/// What `__complex__` gives, if the value has it. Errors: `TypeError`.
pub fn from_special(vm: &Interpreter, value: &Value) -> Res<Option<Pair>> {
    if let Some(pair) = parts(value)
        && vm.is_exact(value, &vm.type_for(&COMPLEX)?)
    {
        return Ok(Some(pair));
    }
    let Some(method) = vm.lookup_special(value, "__complex__")? else { return Ok(None) };
    let result = vm.call_descriptor(&method, value, &[])?;
    match parts(&result) {
        Some(pair) => {
            if !vm.is_exact(&result, &vm.type_for(&COMPLEX)?) {
                let got = vm.type_name(&result);
                number::deprecated(
                    vm,
                    &format!(
                        "__complex__ returned non-complex (type {got}).  The ability to return an instance of a strict \
                         subclass of complex is deprecated, and may be removed in a future version of Python."
                    ),
                )?;
            }
            Ok(Some(pair))
        }
        None => {
            let got = vm.type_name(&result);
            Err(vm.type_error(format!("__complex__ returned non-complex (type {got})")))
        }
    }
}

/// A complex number for what functions of complex arguments take. Errors: `TypeError`.
pub fn to_complex(vm: &Interpreter, value: &Value) -> Res<Pair> {
    match from_special(vm, value)? {
        Some(pair) => Ok(pair),
        None => Ok((number::to_f64(vm, value)?, 0.0)),
    }
}

fn malformed(vm: &Interpreter) -> Raised {
    vm.value_error("complex() arg is a malformed string".to_string())
}

fn parse(vm: &Interpreter, value: &Value, text: &Text) -> Res<Pair> {
    let bad_number = |vm: &Interpreter| match vm.repr_lossy(value) {
        Ok(repr) => vm.value_error(format!("could not convert string to complex: {repr}")),
        Err(raised) => raised,
    };
    let Some(bytes) = number::ascii_number(text) else { return Err(malformed(vm)) };
    let bytes = match number::without_underscores(&bytes) {
        Some(bytes) => bytes,
        None => return Err(bad_number(vm)),
    };
    let mut s = number::trim(&bytes);
    if let Some(inner) = s.strip_prefix(b"(") {
        s = match number::trim(inner).strip_suffix(b")") {
            Some(inner) => number::trim(inner),
            None => return Err(malformed(vm)),
        };
    }
    parse_parts(s).ok_or_else(|| malformed(vm))
}

/// `real`, `imagj`, `real+imagj`; an imaginary part may be a bare sign.
fn parse_parts(s: &[u8]) -> Option<Pair> {
    let is_j = |b: u8| b == b'j' || b == b'J';
    let unit = |s: &[u8]| match s {
        [b'+', rest @ ..] => (1.0, rest.len()),
        [b'-', rest @ ..] => (-1.0, rest.len()),
        _ => (1.0, s.len()),
    };
    let (first, used) = number::float_prefix(s);
    match first {
        Some(x) => {
            let rest = s.get(used..)?;
            match rest.first() {
                None => Some((x, 0.0)),
                Some(&b) if is_j(b) => (rest.len() == 1).then_some((0.0, x)),
                Some(b'+' | b'-') => {
                    let (second, used) = number::float_prefix(rest);
                    let (im, tail) = match second {
                        Some(im) => (im, rest.get(used..)?),
                        None => (unit(rest).0, rest.get(1..)?),
                    };
                    matches!(tail, [b] if is_j(*b)).then_some((x, im))
                }
                Some(_) => None,
            }
        }
        None => {
            let (sign, len) = unit(s);
            let tail = s.get(s.len() - len..)?;
            matches!(tail, [b] if is_j(*b)).then_some((0.0, sign))
        }
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let given = args.positional();
    if given.len() + args.names.len() > 2 {
        let n = given.len() + args.names.len();
        return Err(vm.type_error(format!("complex() takes at most 2 arguments ({n} given)")));
    }
    let (mut real, mut imag) = (given.first(), given.get(1));
    for (name, value) in args.keywords() {
        let name = vm.str_lossy(name);
        let place = match name.as_str() {
            "real" => &mut real,
            "imag" => &mut imag,
            _ => {
                return Err(vm.type_error(format!("complex() got an unexpected keyword argument '{name}'")));
            }
        };
        if place.is_some() {
            let position = if name == "real" { 1 } else { 2 };
            return Err(vm.type_error(format!(
                "argument for complex() given by name ('{name}') and position ({position})"
            )));
        }
        *place = Some(value);
    }
    let (re, im) = match (real, imag) {
        (None, None) => (0.0, 0.0),
        (Some(value), None) if args.names.is_empty() => {
            if vm.is_exact(value, &vm.type_for(&COMPLEX)?) && vm.type_for(&COMPLEX)?.value().is(cls) {
                return Ok(value.clone());
            }
            single(vm, value)?
        }
        (real, imag) => pair(vm, real, imag)?,
    };
    vm.alloc_subclass(cls, Complex { re, im })
}

/// `complex(x)`.
fn single(vm: &Interpreter, value: &Value) -> Res<Pair> {
    if let Some(s) = value.downcast::<Str>() {
        return parse(vm, value, &s.text);
    }
    if let Some(pair) = from_special(vm, value)? {
        return Ok(pair);
    }
    if !number::is_real(vm, value) {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("complex() argument must be a string or a number, not {got}")));
    }
    Ok((number::to_f64(vm, value)?, 0.0))
}

/// `complex(real, imag)`: `real + imag*1j`, also when they are complex themselves.
fn pair(vm: &Interpreter, real: Option<&Value>, imag: Option<&Value>) -> Res<Pair> {
    let refuse = |which: &str, value: &Value| {
        let got = vm.type_name(value);
        Err(vm.type_error(format!("complex() argument '{which}' must be a real number, not {got}")))
    };
    let warn = |which: &str, value: &Value| {
        let got = vm.type_name(value);
        number::deprecated(vm, &format!("complex() argument '{which}' must be a real number, not {got}"))
    };
    let mut re = (0.0, None);
    if let Some(value) = real {
        if value.downcast::<Str>().is_some() {
            return refuse("real", value);
        }
        re = match from_special(vm, value)? {
            Some((x, y)) => {
                warn("real", value)?;
                (x, Some(y))
            }
            None if !number::is_real(vm, value) => return refuse("real", value),
            None => (number::to_f64(vm, value)?, None),
        };
    }
    let mut im = (0.0, None);
    if let Some(value) = imag {
        im = match parts(value) {
            Some((x, y)) => {
                warn("imag", value)?;
                (x, Some(y))
            }
            None if !number::is_real(vm, value) => return refuse("imag", value),
            None => (number::to_f64(vm, value)?, None),
        };
    }
    Ok((
        im.1.map_or(re.0, |y: f64| re.0 - y),
        match re.1 {
            Some(y) if imag.is_some() => im.0 + y,
            Some(y) => y,
            None => im.0,
        },
    ))
}

fn from_number(vm: &Interpreter, cls: &Value, value: &Value) -> Res {
    let complex = vm.type_for(&COMPLEX)?;
    if vm.is_exact(value, &complex) && complex.value().is(cls) {
        return Ok(value.clone());
    }
    let (re, im) = to_complex(vm, value)?;
    let result = new_complex(vm, re, im)?;
    if complex.value().is(cls) { Ok(result) } else { vm.call_values(cls, &[result]) }
}

pub static COMPLEX: TypeDef = TypeDef {
    name: "complex",
    module: "builtins",
    base: None,
    payload: payload::<Complex>(),
    flags: TypeFlags::BASETYPE,
    doc: "complex(real=0, imag=0)\n--\n\n\
          Create a complex number from a string or numbers.\n\nIf a string is given, parse it as a complex number.\n\
          If a single number is given, convert it to a complex number.\nIf the 'real' or 'imag' arguments are given, \
          create a complex number\nwith the specified real and imaginary components.",
    slots: &[
        Slot::New(new),
        Slot::Repr(|vm, this| {
            let (re, im) = parts(this).unwrap_or((0.0, 0.0));
            vm.new_str(&text(re, im))
        }),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Bool(|_, this| Ok(parts(this) != Some((0.0, 0.0)))),
        Slot::Binary(BinOp::Add, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(add(x, y)))),
        Slot::Binary(BinOp::Sub, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(sub(x, y)))),
        Slot::Binary(BinOp::Mul, |vm, a, b| arithmetic(vm, a, b, |_, x, y| Ok(mul(x, y)))),
        Slot::Binary(BinOp::TrueDiv, |vm, a, b| arithmetic(vm, a, b, div)),
        Slot::Binary(BinOp::Pow, |vm, a, b| arithmetic(vm, a, b, |vm, x, y| power(vm, x.parts(), y.parts()))),
        Slot::Unary(UnOp::Neg, |vm, this| map(vm, this, |re, im| (-re, -im))),
        Slot::Unary(UnOp::Pos, exact),
        Slot::Unary(UnOp::Abs, size),
    ],
    methods: &[
        FunctionDef::new(
            "conjugate",
            "($self, /)",
            "Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.",
            NativeFn::F1(|vm, this| map(vm, this, |re, im| (re, -im))),
        ),
        FunctionDef::new(
            "__complex__",
            "($self, /)",
            "Convert this value to exact type complex.",
            NativeFn::F1(exact),
        ),
        FunctionDef::new(
            "__format__",
            "($self, format_spec, /)",
            "Convert to a string according to format_spec.",
            NativeFn::F2(complex_format_method),
        ),
        FunctionDef::new(
            "__getnewargs__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                let (re, im) = parts(this).unwrap_or((0.0, 0.0));
                vm.new_tuple(vec![vm.new_float(re)?, vm.new_float(im)?])
            }),
        ),
        FunctionDef::class(
            "from_number",
            "($type, number, /)",
            "Convert number to a complex floating-point number.",
            NativeFn::F2(from_number),
        ),
    ],
    getset: &[
        GetSetDef::member("real", "the real part of a complex number", |vm, this| {
            vm.new_float(parts(this).unwrap_or((0.0, 0.0)).0)
        }),
        GetSetDef::member("imag", "the imaginary part of a complex number", |vm, this| {
            vm.new_float(parts(this).unwrap_or((0.0, 0.0)).1)
        }),
    ],
};

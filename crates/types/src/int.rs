//! The type `int`: arithmetic on small ints with overflow to big ones, bit operations, comparison, and its table.

use crate::float;
pub use crate::int_methods::{BytesError, from_number, int_bytes, int_from_bytes};
use crate::int_methods::{METHODS, exact, new};
pub use crate::int_text::decimal_text;
use crate::number::{self, compare_int_float, division_by_zero, int_to_f64};
use dashu_int::ops::{Abs, BitTest, UnsignedAbs};
use pellucid_object::int::{IBig, Int, IntRef, Work};
use pellucid_object::{
    BinOp, CmpOp, GetSetDef, Interpreter, Res, Slot, TypeDef, TypeFlags, UnOp, Value, payload,
};

fn operands<'a>(a: &'a Value, b: &'a Value) -> Option<(IntRef<'a>, IntRef<'a>)> {
    Some((a.as_int()?, b.as_int()?))
}

fn bits(int: &IBig) -> u128 {
    int.bit_len() as u128
}

macro_rules! arithmetic {
    ($name:ident, $checked:ident, $op:tt, $work:ident) => {
        fn $name(vm: &Interpreter, a: &Value, b: &Value) -> Res {
            let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
            if let (IntRef::Small(x), IntRef::Small(y)) = (&x, &y)
                && let Some(result) = x.$checked(*y)
            {
                return vm.new_int(result);
            }
            match (x, y) {
                (IntRef::Big(x), IntRef::Small(y)) => {
                    vm.expect_bits(bits(x) + 64, Work::$work)?;
                    vm.new_big(x $op y)
                }
                (x, y) => {
                    let (x, y) = (x.big(), y.big());
                    vm.expect_bits(bits(&x) + bits(&y), Work::$work)?;
                    vm.new_big(&*x $op &*y)
                }
            }
        }
    };
}
arithmetic!(add, checked_add, +, Little);
arithmetic!(sub, checked_sub, -, Little);
arithmetic!(mul, checked_mul, *, Much);

macro_rules! bitwise {
    ($name:ident, $op:tt) => {
        fn $name(vm: &Interpreter, a: &Value, b: &Value) -> Res {
            match operands(a, b) {
                None => Ok(Value::NOT_IMPLEMENTED),
                Some((IntRef::Small(x), IntRef::Small(y))) => vm.new_int(x $op y),
                Some((x, y)) => {
                    let (x, y) = (x.big(), y.big());
                    vm.expect_bits(bits(&x) + bits(&y), Work::Little)?;
                    vm.new_big(&*x $op &*y)
                }
            }
        }
    };
}
bitwise!(and, &);
bitwise!(or, |);
bitwise!(xor, ^);

/// Floor division and its remainder; `None` when the quotient overflows. `b` is not 0.
fn small_divmod(a: i64, b: i64) -> Option<(i64, i64)> {
    let (q, r) = (a.checked_div(b)?, a.checked_rem(b)?);
    Some(if r != 0 && (r < 0) != (b < 0) { (q - 1, r + b) } else { (q, r) })
}

/// Floor division and its remainder. `b` is not 0.
pub(crate) fn big_divmod(a: &IBig, b: &IBig) -> (IBig, IBig) {
    let zero = IBig::from(0);
    let (q, r) = (a / b, a % b);
    if r != zero && (r < zero) != (*b < zero) { (q - IBig::from(1), r + b) } else { (q, r) }
}

enum Quotient {
    Small(i64, i64),
    Big(IBig, IBig),
}

/// `divmod` of two ints; `None` for other operands. Errors: `ZeroDivisionError`.
fn quotient(vm: &Interpreter, a: &Value, b: &Value) -> Res<Option<Quotient>> {
    let Some((x, y)) = operands(a, b) else { return Ok(None) };
    if let IntRef::Small(0) = y {
        return Err(division_by_zero(vm));
    }
    if let (IntRef::Small(x), IntRef::Small(y)) = (&x, &y)
        && let Some((q, r)) = small_divmod(*x, *y)
    {
        return Ok(Some(Quotient::Small(q, r)));
    }
    let (x, y) = (x.big(), y.big());
    vm.expect_bits(bits(&x) + bits(&y), Work::Much)?;
    let (q, r) = big_divmod(&x, &y);
    Ok(Some(Quotient::Big(q, r)))
}

fn floordiv(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    match quotient(vm, a, b)? {
        None => Ok(Value::NOT_IMPLEMENTED),
        Some(Quotient::Small(q, _)) => vm.new_int(q),
        Some(Quotient::Big(q, _)) => vm.new_big(q),
    }
}

fn modulo(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    match quotient(vm, a, b)? {
        None => Ok(Value::NOT_IMPLEMENTED),
        Some(Quotient::Small(_, r)) => vm.new_int(r),
        Some(Quotient::Big(_, r)) => vm.new_big(r),
    }
}

fn divmod(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (q, r) = match quotient(vm, a, b)? {
        None => return Ok(Value::NOT_IMPLEMENTED),
        Some(Quotient::Small(q, r)) => (vm.new_int(q)?, vm.new_int(r)?),
        Some(Quotient::Big(q, r)) => (vm.new_big(q)?, vm.new_big(r)?),
    };
    vm.new_tuple(vec![q, r])
}

fn truediv(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    const EXACT: u64 = 1 << 53;
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    match (&x, &y) {
        (_, IntRef::Small(0)) => Err(division_by_zero(vm)),
        (IntRef::Small(x), IntRef::Small(y)) if x.unsigned_abs() <= EXACT && y.unsigned_abs() <= EXACT => {
            vm.new_float(*x as f64 / *y as f64)
        }
        _ => match big_truediv(&x.big(), &y.big()) {
            f if f.is_finite() => vm.new_float(f),
            _ => Err(vm.overflow_error("integer division result too large for a float".to_string())),
        },
    }
}

/// The float nearest to `a / b`: 55 bits of the quotient and a sticky bit, rounded once. `b` is not 0.
fn big_truediv(a: &IBig, b: &IBig) -> f64 {
    let zero = IBig::from(0);
    let negative = (*a < zero) != (*b < zero);
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    let shift = a.bit_len() as i64 - b.bit_len() as i64 - 60;
    if a.bit_len() == 0 || shift < -1400 {
        return if negative { -0.0 } else { 0.0 };
    }
    if shift > 1100 {
        return f64::INFINITY;
    }
    let (a, b) = if shift < 0 { (a << shift.unsigned_abs() as usize, b) } else { (a, b << shift as usize) };
    let (q, r) = (&a / &b, &a % &b);
    let q = u64::try_from(&q).unwrap_or(u64::MAX) | u64::from(r.bit_len() != 0);
    let f = number::scale(q, shift as i32);
    if negative { -f } else { f }
}

fn lshift(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    let count = shift_count(vm, &y)?;
    match (&x, count) {
        (IntRef::Small(0), _) => vm.new_int(0),
        (_, None) => Err(vm.overflow_error("too many digits in integer".to_string())),
        (IntRef::Small(x), Some(n)) if n < 62 && x.unsigned_abs().leading_zeros() as usize > n + 1 => {
            vm.new_int(x << n)
        }
        (x, Some(n)) => {
            let x = x.big();
            vm.expect_bits(bits(&x) + n as u128, Work::Little)?;
            vm.new_big(&*x << n)
        }
    }
}

fn rshift(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    match (x, shift_count(vm, &y)?) {
        (IntRef::Small(x), Some(n)) => vm.new_int(x >> n.min(63)),
        (IntRef::Small(x), None) => vm.new_int(x >> 63),
        (IntRef::Big(x), Some(n)) => vm.new_big(x >> n),
        (IntRef::Big(x), None) => vm.new_int(if *x < IBig::from(0) { -1 } else { 0 }),
    }
}

/// The count of a shift; `None` when it is astronomical. Errors: `ValueError` when negative.
fn shift_count(vm: &Interpreter, count: &IntRef) -> Res<Option<usize>> {
    let negative = match count {
        IntRef::Small(n) => *n < 0,
        IntRef::Big(n) => **n < IBig::from(0),
    };
    if negative {
        return Err(vm.value_error("negative shift count".to_string()));
    }
    Ok(match count {
        IntRef::Small(n) => usize::try_from(*n).ok(),
        IntRef::Big(_) => None,
    })
}

fn pow(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_negative() {
        return float::power(vm, int_to_f64(vm, &x)?, int_to_f64(vm, &y)?);
    }
    if let (IntRef::Small(base), IntRef::Small(exponent)) = (&x, &y)
        && let Some(result) = u32::try_from(*exponent).ok().and_then(|n| base.checked_pow(n))
    {
        return vm.new_int(result);
    }
    if let IntRef::Small(base @ -1..=1) = x {
        return vm.new_int(if base == -1 && !y.big().bit(0) { 1 } else { base });
    }
    let base = x.big();
    match y {
        IntRef::Small(n) => {
            vm.expect_bits(bits(&base).saturating_mul(n.unsigned_abs().into()), Work::Much)?;
            vm.new_big(base.pow(n as usize))
        }
        IntRef::Big(_) => Err(vm.no_memory()),
    }
}

/// A negated int; also `-2^62` leaves the word.
fn neg(vm: &Interpreter, a: &Value) -> Res {
    match a.as_int() {
        Some(IntRef::Small(i)) if i != i64::MIN => vm.new_int(-i),
        Some(int) => vm.new_big(-int.to_big()),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn abs(vm: &Interpreter, a: &Value) -> Res {
    match a.as_int() {
        Some(IntRef::Small(i)) if i != i64::MIN => vm.new_int(i.abs()),
        Some(int) => vm.new_big(int.to_big().abs()),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn invert(vm: &Interpreter, a: &Value) -> Res {
    match a.as_int() {
        Some(IntRef::Small(i)) => vm.new_int(!i),
        Some(IntRef::Big(b)) => vm.new_big(!b.clone()),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn to_float(vm: &Interpreter, a: &Value) -> Res {
    match a.as_int() {
        Some(int) => vm.new_float(int_to_f64(vm, &int)?),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn is_true(_: &Interpreter, a: &Value) -> Res<bool> {
    Ok(!matches!(a.as_int(), Some(IntRef::Small(0))))
}

fn hash(vm: &Interpreter, a: &Value) -> Res<i64> {
    vm.hash_of_int(a).ok_or_else(|| vm.bug("hash of no int"))
}

fn compare(_: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let Some(x) = a.as_int() else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Some(y) = b.as_int() {
        let ordering = match (&x, &y) {
            (IntRef::Small(x), IntRef::Small(y)) => x.cmp(y),
            _ => x.big().cmp(&y.big()),
        };
        return Ok(Value::bool(op.holds(ordering)));
    }
    match b.as_float() {
        Some(f) => Ok(Value::bool(compare_int_float(&x, f).map_or(op == CmpOp::Ne, |o| op.holds(o)))),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn repr(vm: &Interpreter, a: &Value) -> Res {
    match a.as_int() {
        Some(IntRef::Small(int)) => vm.str_of_int(int),
        Some(int) => vm.new_str(&decimal_text(vm, &int)?),
        None => Err(vm.bug("repr of no int")),
    }
}

const fn binary(op: BinOp, f: pellucid_object::slots::BinaryFn) -> Slot {
    Slot::Binary(op, f)
}

const fn getter(name: &'static str, doc: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc, get, set: None }
}

/// The type `int`.
pub static INT: TypeDef = TypeDef {
    name: "int",
    module: "builtins",
    base: None,
    payload: payload::<Int>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF),
    doc: "int([x]) -> integer\nint(x, base=10) -> integer\n\n\
        Make an int from a number (its fraction is dropped) or from text in a base; 0 without arguments.\n\
        Base 0 reads the base from the prefix of the text.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Bool(is_true),
        binary(BinOp::Add, add),
        binary(BinOp::Sub, sub),
        binary(BinOp::Mul, mul),
        binary(BinOp::TrueDiv, truediv),
        binary(BinOp::FloorDiv, floordiv),
        binary(BinOp::Mod, modulo),
        binary(BinOp::DivMod, divmod),
        binary(BinOp::Pow, pow),
        binary(BinOp::LShift, lshift),
        binary(BinOp::RShift, rshift),
        binary(BinOp::And, and),
        binary(BinOp::Or, or),
        binary(BinOp::Xor, xor),
        Slot::Unary(UnOp::Neg, neg),
        Slot::Unary(UnOp::Pos, exact),
        Slot::Unary(UnOp::Invert, invert),
        Slot::Unary(UnOp::Abs, abs),
        Slot::Unary(UnOp::Int, exact),
        Slot::Unary(UnOp::Float, to_float),
        Slot::Unary(UnOp::Index, exact),
    ],
    methods: METHODS,
    getset: &[
        getter("real", "the real part of a complex number", exact),
        getter("imag", "the imaginary part of a complex number", |vm, _| vm.new_int(0)),
        getter("numerator", "the numerator of a rational number in lowest terms", exact),
        getter("denominator", "the denominator of a rational number in lowest terms", |vm, _| vm.new_int(1)),
    ],
};

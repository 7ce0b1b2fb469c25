//! Operations on ints and floats of which machine code knows no more than that they are one or the other.

use pellucid_object::Value;
use pellucid_object::protocol::{BinOp, CmpOp};

/// Ints up to here are floats without loss.
pub const EXACT: u64 = 1 << 53;

/// The address of the function that does an operation: it gives a word that is no object, or 0 when it cannot.
pub fn arith(op: BinOp) -> Option<usize> {
    Some(match op {
        BinOp::Add => add as *const () as usize,
        BinOp::Sub => sub as *const () as usize,
        BinOp::Mul => mul as *const () as usize,
        BinOp::TrueDiv => div as *const () as usize,
        _ => return None,
    })
}

#[inline(always)]
fn operate(
    x: u64,
    y: u64,
    ints: impl FnOnce(i64, i64) -> Option<i64>,
    floats: impl FnOnce(f64, f64) -> Option<f64>,
) -> u64 {
    // SAFETY: machine code passes live words.
    let (x, y) = unsafe { (Value::borrow_bits(&x), Value::borrow_bits(&y)) };
    let result = match (x.as_small_int(), y.as_small_int()) {
        (Some(a), Some(b)) => ints(a, b).and_then(Value::small_int),
        (a, b) => {
            let float =
                |int: Option<i64>, word: &Value| int.map(|n| n as f64).or_else(|| word.as_small_float());
            match (float(a, x), float(b, y)) {
                (Some(a), Some(b)) => floats(a, b).and_then(Value::small_float),
                _ => None,
            }
        }
    };
    result.map_or(0, Value::into_bits)
}

extern "C" fn add(x: u64, y: u64) -> u64 {
    operate(x, y, i64::checked_add, |a, b| Some(a + b))
}

extern "C" fn sub(x: u64, y: u64) -> u64 {
    operate(x, y, i64::checked_sub, |a, b| Some(a - b))
}

extern "C" fn mul(x: u64, y: u64) -> u64 {
    operate(x, y, i64::checked_mul, |a, b| Some(a * b))
}

extern "C" fn div(x: u64, y: u64) -> u64 {
    operate(x, y, |_, _| None, |a, b| (b != 0.0).then(|| a / b))
}

/// A comparison, `op` being a [`CmpOp`]; 2 when it cannot be done here.
pub extern "C" fn compare(x: u64, y: u64, op: u64) -> u64 {
    // SAFETY: as for `operate`.
    let (x, y) = unsafe { (Value::borrow_bits(&x), Value::borrow_bits(&y)) };
    let float = |word: &Value| match word.as_small_int() {
        Some(n) if n.unsigned_abs() < EXACT => Some(n as f64),
        Some(_) => None,
        None => word.as_small_float(),
    };
    let order = match (x.as_small_int(), y.as_small_int()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => float(x).zip(float(y)).and_then(|(a, b)| a.partial_cmp(&b)),
    };
    const OPS: [CmpOp; 6] = [CmpOp::Lt, CmpOp::Le, CmpOp::Eq, CmpOp::Ne, CmpOp::Gt, CmpOp::Ge];
    match (order, OPS.iter().find(|known| **known as u64 == op)) {
        (Some(order), Some(op)) => u64::from(op.holds(order)),
        _ => 2,
    }
}

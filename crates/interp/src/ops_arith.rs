//! Operators, comparisons, tests.
//!
//! The fast paths compute on value words: a small int `n` is the word `2n + 1`.

use crate::dunder;
use crate::form::Instr;
use crate::frame::{Frame, Thread};
use crate::state::State;
use pellucid_object::protocol::{BinOp, CmpOp, UnOp};
use pellucid_object::{Dict, Interpreter, List, Res, Str, Tuple, Value};

/// A small int from its word.
#[inline(always)]
fn word(bits: i64) -> Value {
    debug_assert!(bits & 1 != 0);
    // SAFETY: an odd word is a small int, which owns nothing.
    unsafe { Value::from_bits(bits as u64) }
}

#[inline(always)]
fn ints(a: &Value, b: &Value) -> Option<(i64, i64)> {
    let (x, y) = (a.bits() as i64, b.bits() as i64);
    if x & y & 1 != 0 { Some((x, y)) } else { None }
}

#[inline(always)]
pub fn int_add(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    (x - 1).checked_add(y).map(word)
}

#[inline(always)]
pub fn int_sub(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    x.checked_sub(y - 1).map(word)
}

#[inline(always)]
pub fn int_mul(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    (x - 1).checked_mul(y >> 1).map(|product| word(product | 1))
}

#[inline(always)]
pub fn int_floor_div(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    let (x, y) = (x >> 1, y >> 1);
    if y == 0 {
        return None;
    }
    let quotient = x / y;
    let quotient = if x % y != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient };
    Value::small_int(quotient)
}

#[inline(always)]
pub fn int_mod(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    let (x, y) = (x >> 1, y >> 1);
    if y == 0 {
        return None;
    }
    let rest = x % y;
    let rest = if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest };
    Some(word(rest << 1 | 1))
}

#[inline(always)]
pub fn int_and(a: &Value, b: &Value) -> Option<Value> {
    ints(a, b).map(|(x, y)| word(x & y))
}

#[inline(always)]
pub fn int_or(a: &Value, b: &Value) -> Option<Value> {
    ints(a, b).map(|(x, y)| word(x | y))
}

#[inline(always)]
pub fn int_xor(a: &Value, b: &Value) -> Option<Value> {
    ints(a, b).map(|(x, y)| word(x ^ y | 1))
}

#[inline(always)]
pub fn int_rshift(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    let by = y >> 1;
    if by < 0 { None } else { Some(word((x >> by.min(62)) | 1)) }
}

#[inline(always)]
pub fn int_lshift(a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = ints(a, b)?;
    let by = y >> 1;
    if !(0..62).contains(&by) {
        return None;
    }
    let shifted = (x - 1) << by;
    if shifted >> by == x - 1 { Some(word(shifted | 1)) } else { None }
}

/// The value of an operand: a register, or a constant for a negative index.
///
/// # Safety
/// `frame` is live and `index` an operand of its form. The borrow ends before the register is written.
#[inline(always)]
pub unsafe fn rk<'a>(frame: *mut Frame, index: i16) -> &'a Value {
    // SAFETY: by the contract.
    unsafe {
        if index < 0 {
            &*(*frame).consts_end.offset(index as isize)
        } else {
            &*(*frame).regs.offset(index as isize)
        }
    }
}

/// Consumes an operand: a temporary dies, locals and constants stay.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn release(frame: *mut Frame, index: i16) {
    // SAFETY: by the contract.
    unsafe {
        if index as isize >= (*(*frame).form).first_temp as isize {
            drop((*frame).regs.offset(index as isize).replace(Value::UNBOUND));
        }
    }
}

/// Stores a result, the operands having been consumed.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn set(frame: *mut Frame, index: i16, value: Value) {
    // SAFETY: by the contract.
    unsafe { drop((*frame).regs.offset(index as isize).replace(value)) }
}

/// A number as a float, when it is an exact float or small int.
#[inline(always)]
fn number(value: &Value) -> Option<f64> {
    value.as_small_float().or_else(|| value.as_small_int().map(|i| i as f64))
}

/// Float arithmetic on words, at least one operand being a float.
#[inline(always)]
fn float_binary(op: BinOp, a: &Value, b: &Value) -> Option<f64> {
    if !a.is_small_float() && !b.is_small_float() {
        return None;
    }
    let (x, y) = (number(a)?, number(b)?);
    match op {
        BinOp::Add => Some(x + y),
        BinOp::Sub => Some(x - y),
        BinOp::Mul => Some(x * y),
        BinOp::TrueDiv if y != 0.0 => Some(x / y),
        _ => None,
    }
}

/// A binary operator in general; true when a frame was pushed.
///
/// # Safety
/// As for [`rk`]; `pc` is the instruction, and the frame is the innermost one.
#[inline(never)]
pub unsafe fn binary(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    op: BinOp,
    inplace: bool,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (a, b) = (rk(frame, i.b), rk(frame, i.c));
        let value = if let Some(float) = float_binary(op, a, b) {
            vm.new_float(float)?
        } else if op == BinOp::Add && exact_str(vm, a) && exact_str(vm, b) {
            add_text(vm, frame, &i)?
        } else if let Some(method) = dunder::binary_method(vm, st, op, inplace, a, b) {
            match dunder::enter_operator(vm, st, thread, frame, pc, method)? {
                None => return Ok(true),
                Some(value) => value,
            }
        } else if inplace {
            vm.inplace(op, a, b)?
        } else {
            vm.binary(op, a, b)?
        };
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(false)
    }
}

#[inline(always)]
fn exact_str(vm: &Interpreter, value: &Value) -> bool {
    value.header().is_some_and(|header| header.ty.get() as u64 == vm.types().str.value().bits())
}

/// The sum of two strings: the left one itself, grown, when it goes into its own variable or nowhere else.
///
/// # Safety
/// As for [`rk`]; both operands are exact strings.
unsafe fn add_text(vm: &Interpreter, frame: *mut Frame, i: &Instr) -> Res {
    // SAFETY: by the contract.
    unsafe {
        let right = rk(frame, i.c);
        let mine = i.b == i.a || i.b as isize >= (*(*frame).form).first_temp as isize;
        if mine && i.b >= 0 && i.c != i.b {
            let left = &mut *(*frame).regs.offset(i.b as isize);
            if vm.str_append(left, right.payload_unchecked::<Str>())? {
                return Ok(std::mem::replace(left, Value::UNBOUND));
            }
        }
        vm.str_concat(rk(frame, i.b), right)
    }
}

/// What a comparison of exact strings says.
#[inline(always)]
fn text_compare(vm: &Interpreter, op: CmpOp, a: &Value, b: &Value) -> Option<bool> {
    if !exact_str(vm, a) || !exact_str(vm, b) {
        return None;
    }
    let (x, y) = (&a.downcast::<Str>()?.text, &b.downcast::<Str>()?.text);
    Some(match op {
        CmpOp::Eq => a.is(b) || x == y,
        CmpOp::Ne => !a.is(b) && x != y,
        _ => op.holds(x.cmp(y)),
    })
}

/// # Safety
/// As for [`binary`].
#[inline(never)]
pub unsafe fn unary(vm: &Interpreter, frame: *mut Frame, pc: *const Instr, op: UnOp) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let a = rk(frame, i.b);
        let value = match (op, a.as_small_int(), a.as_small_float()) {
            (UnOp::Neg, Some(n), _) => vm.new_int(-n)?,
            (UnOp::Invert, Some(n), _) => vm.new_int(!n)?,
            (UnOp::Neg, _, Some(f)) => vm.new_float(-f)?,
            _ => vm.unary(op, a)?,
        };
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(())
    }
}

/// # Safety
/// As for [`binary`].
pub unsafe fn not(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let value = Value::bool(!vm.truthy(rk(frame, i.b))?);
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(())
    }
}

/// What a comparison of floats on words says.
#[inline(always)]
fn float_compare(op: CmpOp, a: &Value, b: &Value) -> Option<bool> {
    if !a.is_small_float() && !b.is_small_float() {
        return None;
    }
    // Ints beyond 2^53 would lose digits.
    let exact = |v: &Value| v.as_small_int().is_none_or(|i| i.unsigned_abs() < 1 << 53);
    if !exact(a) || !exact(b) {
        return None;
    }
    Some(floats_hold(op, number(a)?, number(b)?))
}

/// Whether a comparison of floats holds.
#[inline(always)]
pub fn floats_hold(op: CmpOp, x: f64, y: f64) -> bool {
    match op {
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
    }
}

/// A small int or common float negated.
#[inline(always)]
pub fn negated(value: &Value) -> Option<Value> {
    match value.as_small_int() {
        Some(n) => Value::small_int(-n),
        None => Value::small_float(-value.as_small_float()?),
    }
}

/// A comparison in general; true when a frame was pushed.
///
/// # Safety
/// As for [`binary`].
#[inline(never)]
pub unsafe fn compare(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    op: CmpOp,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (a, b) = (rk(frame, i.b), rk(frame, i.c));
        let value = if let Some(holds) = text_compare(vm, op, a, b).or_else(|| float_compare(op, a, b)) {
            Value::bool(holds)
        } else if let Some(method) = dunder::compare_method(vm, st, op, a, b) {
            match dunder::enter_operator(vm, st, thread, frame, pc, method)? {
                None => return Ok(true),
                Some(value) => value,
            }
        } else {
            vm.compare(op, a, b)?
        };
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(false)
    }
}

/// Whether a comparison decides to jump; `None` when a frame was pushed.
///
/// # Safety
/// As for [`binary`].
#[inline(never)]
pub unsafe fn compare_test(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    op: CmpOp,
) -> Res<Option<bool>> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (a, b) = (rk(frame, i.b), rk(frame, i.c));
        let holds = if let Some(holds) = text_compare(vm, op, a, b).or_else(|| float_compare(op, a, b)) {
            holds
        } else {
            let result = match dunder::compare_method(vm, st, op, a, b) {
                Some(method) => match dunder::enter_operator(vm, st, thread, frame, pc, method)? {
                    None => return Ok(None),
                    Some(value) => value,
                },
                None => vm.compare(op, a, b)?,
            };
            vm.truthy(&result)?
        };
        release(frame, i.c);
        release(frame, i.b);
        Ok(Some(holds == (i.a != 0)))
    }
}

/// # Safety
/// As for [`binary`].
pub unsafe fn is(frame: *mut Frame, pc: *const Instr) {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let same = rk(frame, i.b).is(rk(frame, i.c));
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, Value::bool(same != (i.d != 0)));
    }
}

/// `item in container`.
fn is_in(vm: &Interpreter, item: &Value, container: &Value) -> Res<bool> {
    let Some(ty) = container.header().map(|header| header.ty.get() as u64) else {
        return vm.contains(container, item);
    };
    let types = vm.types();
    // All but the equality that somebody must be asked about.
    let among = |items: &[Value]| {
        for other in items {
            if vm.plainly_equal(other, item)? {
                return Some(true);
            }
        }
        Some(false)
    };
    let found = match () {
        () if ty == types.dict.value().bits() => match container.downcast::<Dict>() {
            Some(dict) => return dict.contains(vm, item),
            None => None,
        },
        () if ty == types.tuple.value().bits() => container.downcast::<Tuple>().and_then(|t| t.with(among)),
        () if ty == types.list.value().bits() => container.downcast::<List>().and_then(|l| l.with(among)),
        () => None,
    };
    match found {
        Some(found) => Ok(found),
        None => vm.contains(container, item),
    }
}

/// The truth of an int, bool or None that lives in the word.
#[inline(always)]
pub fn word_truth(value: &Value) -> Option<bool> {
    match () {
        () if value.is_bool() => Some(value.is_true()),
        () if value.is_small_int() => Some(value.bits() != 1),
        () if value.is_none() => Some(false),
        () => None,
    }
}

/// The truth of a value.
#[inline]
fn truth(vm: &Interpreter, value: &Value) -> Res<bool> {
    let Some(header) = value.header() else { return vm.truthy(value) };
    let (ty, types) = (header.ty.get() as u64, vm.types());
    let len = match () {
        () if ty == types.list.value().bits() => value.downcast::<List>().map(List::len),
        () if ty == types.str.value().bits() => value.downcast::<Str>().map(|s| s.text.len()),
        () if ty == types.tuple.value().bits() => value.downcast::<Tuple>().map(Tuple::len),
        () if ty == types.dict.value().bits() => value.downcast::<Dict>().map(Dict::len),
        () => None,
    };
    match len {
        Some(len) => Ok(len != 0),
        None => vm.truthy(value),
    }
}

/// # Safety
/// As for [`binary`].
pub unsafe fn contains(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let found = is_in(vm, rk(frame, i.b), rk(frame, i.c))?;
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, Value::bool(found != (i.d != 0)));
        Ok(())
    }
}

/// # Safety
/// As for [`binary`].
pub unsafe fn contains_test(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let found = is_in(vm, rk(frame, i.b), rk(frame, i.c))?;
        release(frame, i.c);
        release(frame, i.b);
        Ok(found == (i.a != 0))
    }
}

/// Whether the operand's truth is `sense`.
///
/// # Safety
/// As for [`binary`].
#[inline(never)]
pub unsafe fn test(vm: &Interpreter, frame: *mut Frame, pc: *const Instr, sense: bool) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let truth = truth(vm, rk(frame, i.b))?;
        release(frame, i.b);
        Ok(truth == sense)
    }
}

/// As [`test`], the operand being kept when it is so.
///
/// # Safety
/// As for [`binary`].
pub unsafe fn test_keep(vm: &Interpreter, frame: *mut Frame, pc: *const Instr, sense: bool) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let truth = truth(vm, rk(frame, i.b))?;
        if truth != sense {
            release(frame, i.b);
        }
        Ok(truth == sense)
    }
}

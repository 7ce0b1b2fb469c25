//! Methods behind operators that a class defines in Python: they run in the loop of the code that uses the operator.

use crate::form::Instr;
use crate::frame::{Frame, Ret, Thread};
use crate::function::Function;
use crate::ops::Op;
use crate::ops_arith::{release, rk, set};
use crate::run::{Entered, enter, is_function};
use crate::state::State;
use pellucid_bytecode::code::flags;
use pellucid_object::{BinOp, CmpOp, Interpreter, Res, TypeFlags, Value};

/// The Python function that `name` is on the class of `object`.
#[inline]
pub fn python_method(vm: &Interpreter, st: &State, object: &Value, name: &Value) -> Option<Value> {
    let ty = vm.type_of_ref(object);
    if !ty.flags.get().contains(TypeFlags::MUTABLE) {
        return None;
    }
    ty.lookup(vm, name).filter(|method| is_function(st, method))
}

/// Calls `method` with copies of `args`; its frame is pushed, or, for a generator, its value given.
///
/// # Safety
/// `frame` is the innermost frame, and its `pc` is up to date.
#[allow(clippy::too_many_arguments)]
pub unsafe fn enter_method(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    method: Value,
    args: &[&Value],
    ret: Ret,
    dst: i16,
) -> Res<Entered> {
    // SAFETY: by the contract; words behind the innermost window are free.
    unsafe {
        if crate::poll::pending(vm) {
            crate::poll::poll(vm)?;
        }
        let window = (*frame).end;
        if !thread.ready(window, args.len() + 1) {
            return Err(thread.too_deep(vm));
        }
        for (index, value) in args.iter().enumerate() {
            window.add(index).write((*value).clone());
        }
        enter(vm, st, thread, method, window, args.len(), &[], ret, dst, None)
    }
}

/// `iter(object)` where `__iter__` is a generator function: its generator is made without a native call. `None`: it is
/// something else.
///
/// # Safety
/// As for [`enter_method`].
pub unsafe fn generator_iter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    object: &Value,
) -> Res<Option<Value>> {
    let Some(method) = python_method(vm, st, object, &st.names.__iter__) else { return Ok(None) };
    // SAFETY: `method` is a function; the rest by the contract.
    unsafe {
        let kind = method.payload_unchecked::<Function>().code().code.flags;
        if kind & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != flags::GENERATOR {
            return Ok(None);
        }
        match enter_method(vm, st, thread, frame, method, &[object], Ret::Native, 0)? {
            Entered::Value(iterator) => Ok(Some(iterator)),
            Entered::Frame => Err(vm.bug("a generator function that makes no generator")),
        }
    }
}

/// The Python function that `a op b` asks first.
pub fn binary_method(
    vm: &Interpreter,
    st: &State,
    op: BinOp,
    inplace: bool,
    a: &Value,
    b: &Value,
) -> Option<Value> {
    let changes = || vm.type_of_ref(a).slots.inplace[op as usize].get().is_some();
    let method = python_method(vm, st, a, st.names.binary(op))?;
    let refused = refined(vm, a, b) || inplace && changes();
    (!refused).then_some(method)
}

/// The Python function that `a op b` asks first.
pub fn compare_method(vm: &Interpreter, st: &State, op: CmpOp, a: &Value, b: &Value) -> Option<Value> {
    python_method(vm, st, a, st.names.compare(op)).filter(|_| !refined(vm, a, b))
}

/// Whether the class of `b` refines that of `a`, so that its methods may be asked first.
fn refined(vm: &Interpreter, a: &Value, b: &Value) -> bool {
    let (ta, tb) = (vm.type_of_ref(a), vm.type_of_ref(b));
    !ta.value().is(tb.value()) && tb.is_subtype_of(ta)
}

/// Calls the method of the operator at `pc`, whose operands stay where they are. Its value, if it is a generator.
///
/// # Safety
/// As for [`enter_method`]; `pc` is the instruction, of the operands `b` and `c`.
pub unsafe fn enter_operator(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    method: Value,
) -> Res<Option<Value>> {
    // SAFETY: by the contract.
    unsafe {
        let args = [rk(frame, (*pc).b), rk(frame, (*pc).c)];
        match enter_method(vm, st, thread, frame, method, &args, Ret::Operator, (*pc).a)? {
            Entered::Frame => Ok(None),
            Entered::Value(value) => Ok(Some(value)),
        }
    }
}

/// The method of the operator at `pc` has returned: if it does not do it, others are asked. Whether to jump.
///
/// # Safety
/// `frame` is the innermost frame, at the instruction `pc`, and its `pc` is up to date.
pub unsafe fn operator_returned(
    vm: &Interpreter,
    frame: *mut Frame,
    pc: *const Instr,
    value: Value,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (a, b) = (rk(frame, i.b), rk(frame, i.c));
        let value = match operator(i.op) {
            _ if !value.is_not_implemented() => value,
            Some(Operator::Binary(op, inplace)) => vm.binary_refused(op, inplace, a, b)?,
            Some(Operator::Compare(op)) => vm.compare_refused(op, a, b)?,
            None => return Err(vm.bug("a value for no operator")),
        };
        let jumps = i.op as usize >= Op::JumpLt as usize;
        let jump = jumps && vm.truthy(&value)? == (i.a != 0);
        release(frame, i.c);
        release(frame, i.b);
        if !jumps {
            set(frame, i.a, value);
        }
        Ok(jump)
    }
}

enum Operator {
    Binary(BinOp, bool),
    Compare(CmpOp),
}

/// The operator of an instruction: families stand in the order of [`BinOp`] and [`CmpOp`].
fn operator(op: Op) -> Option<Operator> {
    let from = |first: Op| (op as usize).wrapping_sub(first as usize);
    if let Some(op) = BinOp::ALL.get(from(Op::Add)) {
        return Some(Operator::Binary(*op, false));
    }
    if let Some(op) = BinOp::ALL.get(from(Op::InplaceAdd)) {
        return Some(Operator::Binary(*op, true));
    }
    let compare = CmpOp::ALL.get(from(Op::Lt)).or_else(|| CmpOp::ALL.get(from(Op::JumpLt)))?;
    Some(Operator::Compare(*compare))
}

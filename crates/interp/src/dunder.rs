//! Methods behind operators that a class defines in Python: they run in the loop of the code that uses the operator.

use crate::frame::{Frame, Ret, Thread};
use crate::function::Function;
use crate::run::{Entered, enter, is_function};
use crate::state::State;
use pellucid_bytecode::code::flags;
use pellucid_object::{Interpreter, Res, TypeFlags, Value};

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

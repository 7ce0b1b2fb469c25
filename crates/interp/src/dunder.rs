//! Methods behind operators that a class defines in Python: they run in the loop of the code that uses the operator.

use crate::frame::{Frame, Ret, Thread};
use crate::run::{Entered, enter, is_function};
use crate::state::State;
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

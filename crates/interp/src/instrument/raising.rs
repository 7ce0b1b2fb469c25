//! Events of exceptions on their way.

use super::fire::fire;
use super::{events, monitors};
use crate::frame::{Frame, Thread};
use pellucid_object::{Interpreter, Value};

/// Whether unwinding has to tell of anything.
pub fn wanted(vm: &Interpreter, thread: &Thread) -> bool {
    monitors(vm).unwinding.get() && thread.tracing.depth.get() == 0
}

/// Tells of `event`; the exception that goes on: that one, or what a callback raised. True: it is another.
///
/// # Safety
/// `frame` is the innermost frame, live, its `pc` up to date.
pub unsafe fn tell(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    event: u8,
    exception: Value,
) -> (Value, bool) {
    // SAFETY: by the contract.
    let (offset, hidden) = unsafe { ((*frame).offset(), super::is_comprehension((*frame).code())) };
    if hidden {
        return (exception, false);
    }
    // SAFETY: by the contract.
    match unsafe { fire(vm, thread, frame, event, offset, std::slice::from_ref(&exception)) } {
        Ok(()) => (exception, false),
        Err(raised) => (vm.take_raised(raised), true),
    }
}

/// The event of an exception that is raised, or raised again.
pub fn raise_event(again: bool) -> u8 {
    if again { events::RERAISE } else { events::RAISE }
}

/// Tells of exception handlers that an exception leaves. CPython's code has a handler around each of them, which cleans up and
/// raises again; ours does without.
///
/// # Safety
/// As for [`tell`].
pub unsafe fn tell_left(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    count: usize,
    mut exception: Value,
) -> Value {
    for event in [events::EXCEPTION_HANDLED, events::RERAISE].repeat(count) {
        // SAFETY: by the contract.
        exception = unsafe { tell(vm, thread, frame, event, exception).0 };
    }
    exception
}

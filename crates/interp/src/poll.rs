//! What the loop looks at on its way: the collector, signals, limits.

use crate::form::Instr;
use crate::frame::{Frame, Thread};
use crate::instrument;
use crate::state::State;
use pellucid_object::{Interpreter, Res};

/// Whether there is something to do.
#[inline(always)]
pub fn pending(vm: &Interpreter) -> bool {
    vm.heap.collect_due() || vm.attention.load(std::sync::atomic::Ordering::Relaxed)
}

/// Does it. Errors: what signal handlers and limits raise.
#[cold]
#[inline(never)]
pub fn poll(vm: &Interpreter) -> Res<()> {
    if vm.heap.collect_due() {
        vm.collect_garbage(vm.heap.due_generation());
    }
    if vm.attention.load(std::sync::atomic::Ordering::Relaxed) {
        vm.poll()?;
    }
    Ok(())
}

/// As [`poll`], from the loop at the instruction `pc`. True: the loop must read the frame's record again.
///
/// # Safety
/// `frame` is the innermost frame and its loop is at `pc`, which has not been executed.
#[cold]
#[inline(never)]
pub unsafe fn poll_loop(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    poll(vm)?;
    if !instrument::stale(st) {
        return Ok(false);
    }
    // SAFETY: by the contract.
    unsafe { instrument::boundary(vm, thread, frame, pc, false) }
}

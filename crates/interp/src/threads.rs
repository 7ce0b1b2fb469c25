//! A stack for each Python thread: how `pellucid_object::gil` lets another thread's frames take over.

use crate::frame::Thread;
use crate::state::state;
use pellucid_object::gil::ThreadHooks;
use pellucid_object::{Interpreter, Res};
use std::ptr::NonNull;

pub const HOOKS: ThreadHooks = ThreadHooks { make, swap, end };

fn make(vm: &Interpreter) -> Res<NonNull<()>> {
    match Thread::new() {
        Some(thread) => {
            crate::instrument::thread_begins(vm, &*thread);
            Ok(NonNull::from(Box::leak(thread)).cast())
        }
        None => Err(vm.no_memory()),
    }
}

fn swap(vm: &Interpreter, stack: NonNull<()>) -> NonNull<()> {
    let old = state(vm).thread.replace(stack.cast::<Thread>().as_ptr());
    // The place holds a stack from `install` on, so that there always is an old one.
    NonNull::new(old).map_or(stack, NonNull::cast)
}

fn end(vm: &Interpreter, stack: NonNull<()>) {
    // SAFETY: the stack came from `make`, its thread is over, and whoever runs next swaps another one in first.
    let thread = unsafe { Box::from_raw(stack.cast::<Thread>().as_ptr()) };
    crate::instrument::thread_ends(vm, &thread);
}

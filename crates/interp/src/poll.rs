//! What the loop looks at on its way: the collector, signals, limits.

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

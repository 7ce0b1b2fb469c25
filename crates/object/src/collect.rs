//! The collector's view of Python objects: how to traverse, finalise and clear them. The algorithm itself is
//! `pellucid_memory`'s and knows no type.

use crate::class::TypeFlags;
use crate::heap;
use crate::interpreter::Interpreter;
use crate::value::Value;
use pellucid_memory::{CollectorOps, Header};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

struct Ops<'a>(&'a Interpreter);

/// A value for an object that somebody else keeps alive.
///
/// # Safety
/// `object` is live while the result is used.
unsafe fn borrowed(object: NonNull<Header>) -> ManuallyDrop<Value> {
    // SAFETY: never dropped, so no reference is given up.
    ManuallyDrop::new(unsafe { Value::from_header(object) })
}

// SAFETY of every block below: the collector passes live, tracked containers.
impl CollectorOps for Ops<'_> {
    unsafe fn traverse(&self, object: NonNull<Header>, visit: &mut dyn FnMut(NonNull<Header>)) {
        // SAFETY: see above.
        heap::trace_object(unsafe { object.as_ref() }, &mut |value| {
            if let Some(header) = value.header() {
                visit(NonNull::from(header));
            }
        });
    }

    unsafe fn has_finalizer(&self, object: NonNull<Header>) -> bool {
        // SAFETY: see above.
        heap::type_of_header(unsafe { object.as_ref() }).flags.get().contains(TypeFlags::HAS_FINALIZER)
    }

    unsafe fn finalize(&self, object: NonNull<Header>) {
        // SAFETY: see above.
        let value = unsafe { borrowed(object) };
        self.0.run_finalizer(&value);
    }

    unsafe fn handle_weakrefs(&self, garbage: &[NonNull<Header>]) {
        // SAFETY: see above.
        unsafe { self.clear_weakrefs(garbage) }
    }

    unsafe fn clear_weakrefs(&self, garbage: &[NonNull<Header>]) {
        self.0.weakrefs.objects_die(self.0, garbage);
    }

    unsafe fn clear(&self, object: NonNull<Header>) {
        // SAFETY: see above.
        heap::clear_object(unsafe { object.as_ref() });
    }

    unsafe fn incref(&self, object: NonNull<Header>) {
        // SAFETY: see above; the clone is what the collector asked for.
        std::mem::forget((*unsafe { borrowed(object) }).clone());
    }

    unsafe fn decref(&self, object: NonNull<Header>) {
        // SAFETY: the collector gives up a reference that it owns.
        drop(unsafe { Value::from_header(object) });
    }
}

impl Interpreter {
    /// Collects `generation` (0 to 2) and the younger ones; how many objects were unreachable.
    pub fn collect_garbage(&self, generation: usize) -> usize {
        // SAFETY: no borrow of an object's storage is held here, and the operations tell the truth about objects.
        unsafe { self.heap.collect(generation, &Ops(self)) }.collected
    }
}

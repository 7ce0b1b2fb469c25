//! The cycle collector.

use crate::header::Header;
use std::ptr::NonNull;

/// What the collector must be able to do with objects; implemented by the layer that knows types.
///
/// All methods are called with blocks that are allocated, `TRACKED`, and alive.
pub trait CollectorOps {
    /// Calls `visit` for each owned reference of `obj` to a heap object, once per reference. Must neither allocate blocks nor run Python code.
    ///
    /// # Safety
    /// `obj` is a live, tracked container.
    unsafe fn traverse(&self, obj: NonNull<Header>, visit: &mut dyn FnMut(NonNull<Header>));
    /// Whether the object has a finaliser to be run before it is cleared.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn has_finalizer(&self, obj: NonNull<Header>) -> bool;
    /// Runs the finaliser. The collector asks only for objects that are not yet `FINALIZED` and sets that flag afterwards.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`]. The collector holds a reference to every object of the garbage.
    unsafe fn finalize(&self, obj: NonNull<Header>);
    /// Clears the weak references to the garbage and calls those callbacks whose weak reference is not itself garbage.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn handle_weakrefs(&self, garbage: &[NonNull<Header>]);
    /// Called once more after the finalisers, for what is really going to be cleared: weak references made by finalisers are cleared here, without callbacks.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn clear_weakrefs(&self, _garbage: &[NonNull<Header>]) {}
    /// Offers the garbage instead of clearing it (`gc.DEBUG_SAVEALL`): `true` when the objects were taken and are to stay alive.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn save_garbage(&self, _garbage: &[NonNull<Header>]) -> bool {
        false
    }
    /// Drops the references that `obj` owns, so that cycles through it fall apart. May run Python code.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn clear(&self, obj: NonNull<Header>);
    /// Adds a reference.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn incref(&self, obj: NonNull<Header>);
    /// Drops a reference; the object is destroyed and its block freed when it was the last one.
    ///
    /// # Safety
    /// The caller gives up a reference that it owns.
    unsafe fn decref(&self, obj: NonNull<Header>);
}

/// What one collection did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct CollectStats {
    /// Containers that were candidates.
    pub examined: usize,
    /// Unreachable objects found (what `gc.collect()` returns).
    pub collected: usize,
    /// Objects that were resurrected by a finaliser.
    pub resurrected: usize,
    /// Unreachable objects that could not be freed (kept by `save_garbage`).
    pub uncollectable: usize,
    /// The collection did not take place: one is under way already, or there was no memory for the side table.
    pub skipped: bool,
}

//! What an interpreter takes from the system outside of its blocks: items of lists, tables of dicts, text, digits.
//!
//! Such buffers are ordinary `Vec`s and `String`s. The process's allocator counts them, thread by thread, for the
//! interpreter that the thread runs: an addition each time, and once in 64 KiB a look at the limit. Over the limit the
//! interpreter's alarm is raised, so that its next poll can raise `MemoryError`; the request itself is met, since most
//! callers could not bear a refusal. So buffers may pass the limit by what one operation takes; code whose input
//! decides how much that is asks [`crate::Heap::fits`] first. Only a request of more than twice the limit is refused:
//! nobody gets there by growing step by step.
//!
//! When the system itself refuses, a reserve is given up for the request and the alarm raised.
//!
//! Arenas, large blocks and stacks come from [`std::alloc::System`] and are accounted by the heap or not at all.

use crate::buffers::Buffers;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicUsize, Ordering};

/// What threads count in together, for one interpreter.
#[derive(Debug)]
pub struct Meter {
    /// Bytes of buffers, as far as threads have reported them.
    buffers: AtomicIsize,
    /// Bytes that the heap accounts.
    blocks: AtomicUsize,
    limit: AtomicUsize,
    /// Set when the limit is passed.
    alarm: Arc<AtomicBool>,
}

/// A thread reports when it has this much.
const STEP: isize = 64 << 10;

struct Counting {
    /// Bytes not yet reported.
    pending: Cell<isize>,
    /// Owned; null: nobody counts.
    meter: Cell<*const Meter>,
}

thread_local! {
    static COUNTING: Counting = const { Counting { pending: Cell::new(0), meter: Cell::new(ptr::null()) } };
}

impl Meter {
    /// A meter that raises `alarm`.
    pub fn new(alarm: Arc<AtomicBool>) -> Arc<Meter> {
        Arc::new(Meter {
            buffers: AtomicIsize::new(0),
            blocks: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
            alarm,
        })
    }

    /// Lets this thread count for this meter from now on.
    #[inline]
    pub fn enter(self: &Arc<Self>) {
        let current = COUNTING.with(|counting| counting.meter.get());
        if current != Arc::as_ptr(self) {
            switch(Some(self.clone()));
        }
    }

    /// Lets this thread count no more, if it counts for this meter.
    pub fn leave(self: &Arc<Self>) {
        let current = COUNTING.with(|counting| counting.meter.get());
        if current == Arc::as_ptr(self) {
            switch(None);
        }
    }

    /// Bytes of buffers.
    pub fn buffers(&self) -> usize {
        self.buffers.load(Ordering::Relaxed).max(0) as usize
    }

    pub(crate) fn set_blocks(&self, bytes: usize) {
        self.blocks.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// Whether more is in use than the limit allows, or the system has refused memory since the last question.
    pub(crate) fn is_over(&self) -> bool {
        report();
        let refused = ALLOCATOR.refused.swap(false, Ordering::Relaxed);
        if refused {
            ALLOCATOR.refill();
        }
        refused || self.total() > self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn raise_alarm(&self) {
        self.alarm.store(true, Ordering::SeqCst);
    }

    fn total(&self) -> usize {
        self.buffers().saturating_add(self.blocks.load(Ordering::Relaxed))
    }

    fn add(&self, bytes: isize) {
        self.buffers.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 && self.total() > self.limit.load(Ordering::Relaxed) {
            self.alarm.store(true, Ordering::SeqCst);
        }
    }
}

/// Counts for another meter from now on.
fn switch(to: Option<Arc<Meter>>) {
    report();
    if to.is_some() {
        ALLOCATOR.refill();
    }
    let to = to.map_or(ptr::null(), Arc::into_raw);
    let old = COUNTING.with(|counting| counting.meter.replace(to));
    if !old.is_null() {
        // SAFETY: the pointer came from `into_raw` and has just left the only place that held it.
        drop(unsafe { Arc::from_raw(old) });
    }
}

/// Tells the meter what this thread has counted.
#[cold]
#[inline(never)]
fn report() {
    COUNTING.with(|counting| {
        let bytes = counting.pending.replace(0);
        // SAFETY: the thread owns a reference to its meter; nothing below allocates.
        if let Some(meter) = unsafe { counting.meter.get().as_ref() } {
            meter.add(bytes);
        }
    });
}

#[inline]
fn count(bytes: isize) {
    let pending = COUNTING.with(|counting| {
        let pending = counting.pending.get() + bytes;
        counting.pending.set(pending);
        pending
    });
    if pending.unsigned_abs() >= STEP as usize {
        report();
    }
}

/// Whether a request is beyond all that the limit could mean.
#[inline]
fn absurd(size: usize) -> bool {
    size >= STEP as usize && beyond_limit(size)
}

#[cold]
fn beyond_limit(size: usize) -> bool {
    COUNTING.with(|counting| {
        // SAFETY: the thread owns a reference to its meter.
        let meter = unsafe { counting.meter.get().as_ref() };
        meter.is_some_and(|meter| size / 2 > meter.limit.load(Ordering::Relaxed))
    })
}

/// The process's allocator: that for buffers, counted.
struct Counted {
    /// Given up when the system refuses a request.
    reserve: AtomicPtr<u8>,
    refused: AtomicBool,
}

#[global_allocator]
static ALLOCATOR: Counted =
    Counted { reserve: AtomicPtr::new(ptr::null_mut()), refused: AtomicBool::new(false) };

/// Address space only, as nobody writes to it.
const RESERVE: Option<Layout> = match Layout::from_size_align(16 << 20, 4096) {
    Ok(layout) => Some(layout),
    Err(_) => None,
};

impl Counted {
    fn refill(&self) {
        if let Some(layout) = RESERVE
            && self.reserve.load(Ordering::Relaxed).is_null()
        {
            // SAFETY: the layout is not empty.
            let fresh = unsafe { System.alloc(layout) };
            let kept =
                self.reserve.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Relaxed);
            if kept.is_err() && !fresh.is_null() {
                // SAFETY: allocated above with this layout, and nobody else knows it.
                unsafe { System.dealloc(fresh, layout) };
            }
        }
    }

    /// The system has refused: gives the reserve up. Whether there was one.
    #[cold]
    fn give_up_reserve(&self) -> bool {
        self.refused.store(true, Ordering::Relaxed);
        COUNTING.with(|counting| {
            // SAFETY: the thread owns a reference to its meter.
            if let Some(meter) = unsafe { counting.meter.get().as_ref() } {
                meter.alarm.store(true, Ordering::SeqCst);
            }
        });
        let reserve = self.reserve.swap(ptr::null_mut(), Ordering::AcqRel);
        match RESERVE {
            Some(layout) if !reserve.is_null() => {
                // SAFETY: allocated in `refill` with this layout; the swap made it ours.
                unsafe { System.dealloc(reserve, layout) };
                true
            }
            _ => false,
        }
    }
}

// SAFETY: everything is passed on to the system's allocator; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counted {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if absurd(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: passed on from the caller.
        let mut place = unsafe { Buffers.alloc(layout) };
        if place.is_null() && self.give_up_reserve() {
            // SAFETY: as above.
            place = unsafe { Buffers.alloc(layout) };
        }
        if !place.is_null() {
            count(layout.size() as isize);
        }
        place
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if absurd(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: passed on from the caller.
        let mut place = unsafe { Buffers.alloc_zeroed(layout) };
        if place.is_null() && self.give_up_reserve() {
            // SAFETY: as above.
            place = unsafe { Buffers.alloc_zeroed(layout) };
        }
        if !place.is_null() {
            count(layout.size() as isize);
        }
        place
    }

    #[inline]
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: passed on from the caller.
        unsafe { Buffers.dealloc(place, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if absurd(size) {
            return ptr::null_mut();
        }
        // SAFETY: passed on from the caller.
        let mut moved = unsafe { Buffers.realloc(place, layout, size) };
        if moved.is_null() && self.give_up_reserve() {
            // SAFETY: as above; a failed `realloc` leaves the old block as it was.
            moved = unsafe { Buffers.realloc(place, layout, size) };
        }
        if !moved.is_null() {
            count(size as isize - layout.size() as isize);
        }
        moved
    }
}

//! Small buffers: what Rust's own collections (`Vec`, `Box`, `String`) take in small pieces.
//!
//! The items of a list or tuple stand in such a buffer, and a Python program makes and frees them by the million. The
//! system's allocator keeps only a handful of free blocks a size at hand in each thread (glibc: seven); this one keeps up
//! to [`BATCH`], in size classes of 16 bytes up to [`LARGEST`], taken from the system in chunks. A thread that
//! frees what others allocate hands whole batches to them. Memory is not given back to the system.
//!
//! This is about speed only: it knows no interpreter. Objects live in a [`Heap`](crate::Heap).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;

/// Largest size that is handled here.
const LARGEST: usize = 512;
const CLASSES: usize = LARGEST / 16;
/// How many blocks of a class a thread keeps before it hands them on.
const BATCH: usize = 2048;
const CHUNK: usize = 64 << 10;

/// A free block. The least block has room for both.
struct Block {
    next: *mut Block,
    /// In the first block of a batch: the next batch.
    batch: *mut Block,
}

/// What a thread has at hand.
struct Lists {
    free: [Cell<*mut Block>; CLASSES],
    counts: [Cell<usize>; CLASSES],
    /// The rest of the current chunk.
    rest: Cell<*mut u8>,
    rest_len: Cell<usize>,
}

/// Batches that no thread owns.
struct Batches([*mut Block; CLASSES]);

// SAFETY: the blocks behind the pointers are free memory that only the holder of the lock reaches.
unsafe impl Send for Batches {}

static BATCHES: Mutex<Batches> = Mutex::new(Batches([ptr::null_mut(); CLASSES]));

thread_local! {
    static LISTS: Lists = const {
        Lists {
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            counts: [const { Cell::new(0) }; CLASSES],
            rest: Cell::new(ptr::null_mut()),
            rest_len: Cell::new(0),
        }
    };
}

impl Lists {
    #[inline(always)]
    fn take(&self, class: usize) -> *mut u8 {
        let block = self.free[class].get();
        if block.is_null() {
            return self.refill(class);
        }
        // SAFETY: a block in the list is free memory that this thread owns.
        self.free[class].set(unsafe { (*block).next });
        self.counts[class].set(self.counts[class].get().saturating_sub(1));
        block.cast()
    }

    #[inline(always)]
    fn put(&self, class: usize, block: *mut u8) {
        let block = block.cast::<Block>();
        // SAFETY: the block was just given up, is large enough and 16-byte aligned.
        unsafe { (&raw mut (*block).next).write(self.free[class].get()) };
        self.free[class].set(block);
        let count = self.counts[class].get() + 1;
        self.counts[class].set(count);
        if count >= BATCH {
            self.hand_on(class);
        }
    }

    /// Gives the blocks of a class to whoever needs them.
    #[cold]
    fn hand_on(&self, class: usize) {
        self.counts[class].set(0);
        // Nobody waits here: a forked child may find the lock taken for ever, and keeps its blocks then.
        let Ok(mut batches) = BATCHES.try_lock() else { return };
        let first = self.free[class].replace(ptr::null_mut());
        if !first.is_null() {
            // SAFETY: the list was this thread's.
            unsafe { (&raw mut (*first).batch).write(batches.0[class]) };
            batches.0[class] = first;
        }
    }

    #[cold]
    fn refill(&self, class: usize) -> *mut u8 {
        if let Some(block) = self.adopt(class) {
            return block;
        }
        let size = (class + 1) * 16;
        if self.rest_len.get() < size {
            // What is left of the old chunk is a block of a smaller class.
            if let Some(class) = (self.rest_len.get() / 16).checked_sub(1) {
                self.put(class, self.rest.get());
            }
            // SAFETY: the layout is not empty.
            let chunk = unsafe { System.alloc(Layout::from_size_align_unchecked(CHUNK, 16)) };
            self.rest.set(chunk);
            self.rest_len.set(if chunk.is_null() { 0 } else { CHUNK });
            if chunk.is_null() {
                return chunk;
            }
        }
        let block = self.rest.get();
        self.rest.set(block.wrapping_add(size));
        self.rest_len.set(self.rest_len.get() - size);
        block
    }

    /// Takes a batch over; its first block.
    fn adopt(&self, class: usize) -> Option<*mut u8> {
        let mut batches = BATCHES.try_lock().ok()?;
        let first = batches.0[class];
        if first.is_null() {
            return None;
        }
        // SAFETY: under the lock nobody else reaches the batch.
        unsafe {
            batches.0[class] = (*first).batch;
            self.free[class].set((*first).next);
        }
        self.counts[class].set(BATCH - 1);
        Some(first.cast())
    }
}

/// Hands all that the running thread keeps to other threads; for its end.
pub fn retire_thread() {
    LISTS.with(|lists| (0..CLASSES).for_each(|class| lists.hand_on(class)));
}

/// The size class, when the layout is handled here.
#[inline(always)]
fn class_of(size: usize, align: usize) -> Option<usize> {
    if size <= LARGEST && align <= 16 { Some(size.saturating_sub(1) / 16) } else { None }
}

/// The allocator, which `meter.rs` counts for.
pub struct Buffers;

// SAFETY: blocks are as large as their class and 16-byte aligned; each is in one list or in use; larger layouts are the
// system's own business. Nothing unwinds: locks are only ever held over pointer assignments.
unsafe impl GlobalAlloc for Buffers {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class_of(layout.size(), layout.align()) {
            Some(class) => LISTS.with(|lists| lists.take(class)),
            // SAFETY: passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class_of(layout.size(), layout.align()) {
            Some(class) => LISTS.with(|lists| lists.put(class, block)),
            // SAFETY: passed on.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class_of(layout.size(), layout.align()).is_none() {
            // SAFETY: passed on.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the block has the layout's size.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, new) = (class_of(layout.size(), layout.align()), class_of(size, layout.align()));
        if old == new {
            // SAFETY: passed on, or the block is large enough already.
            return if old.is_some() { block } else { unsafe { System.realloc(block, layout, size) } };
        }
        // SAFETY: the contract is that of `realloc`; both blocks hold the bytes copied.
        unsafe {
            let fresh = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !fresh.is_null() {
                ptr::copy_nonoverlapping(block, fresh, layout.size().min(size));
                self.dealloc(block, layout);
            }
            fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn a_freed_block_is_used_again() {
        // SAFETY: every block is used within its size and freed once.
        unsafe {
            let a = Buffers.alloc(layout(40));
            Buffers.dealloc(a, layout(40));
            let b = Buffers.alloc(layout(48));
            assert_eq!(a, b);
            b.write_bytes(1, 48);
            let c = Buffers.realloc(b, layout(48), 600);
            assert_eq!((*c, *c.add(39)), (1, 1));
            let d = Buffers.realloc(c, layout(600), 3);
            assert_eq!(*d, 1);
            Buffers.dealloc(d, layout(3));
        }
    }

    #[test]
    fn what_one_thread_frees_another_one_uses() {
        let addresses: Vec<usize> = (0..BATCH)
            // SAFETY: freed below, once.
            .map(|_| unsafe { Buffers.alloc(layout(496)) } as usize)
            .collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for address in &addresses {
                    // SAFETY: allocated above with this layout.
                    unsafe { Buffers.dealloc(*address as *mut u8, layout(496)) };
                }
            });
        });
        // SAFETY: a fresh block, freed at once.
        let again = unsafe { Buffers.alloc(layout(496)) };
        assert!(addresses.contains(&(again as usize)));
        // SAFETY: see above.
        unsafe { Buffers.dealloc(again, layout(496)) };
    }
}

//! Blocks that come from the system, one by one: those above 512 bytes, and all of them when pools are bypassed.
//!
//! A [`Large`] prefix stands before the block and links it into one of four lists: blocks that are no containers, and the
//! containers of generation 0, 1, and 2 with the frozen. So the collector finds them as it finds pools, and a heap
//! that is dropped can give all of them back.

use crate::header::Header;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::NonNull;

/// List of the blocks that are no containers. The containers of generation `g` are on list `g + 1`.
pub(crate) const PLAIN: usize = 0;
/// Number of lists.
pub(crate) const LISTS: usize = 4;

/// What stands before a large block.
#[derive(Debug)]
#[repr(C, align(16))]
pub(crate) struct Large {
    next: Cell<Option<NonNull<Large>>>,
    previous: Cell<Option<NonNull<Large>>>,
    /// Bytes of the block without this prefix.
    size: usize,
    list: Cell<u32>,
    /// The collector's count.
    pub(crate) refs: Cell<u32>,
}

const PREFIX: usize = size_of::<Large>();
const _: () = assert!(PREFIX == 32);

impl Large {
    /// The prefix of a large block.
    #[inline]
    pub(crate) fn of(block: NonNull<Header>) -> *mut Large {
        block.as_ptr().cast::<u8>().wrapping_sub(PREFIX).cast()
    }

    /// The block behind the prefix.
    pub(crate) fn block(this: NonNull<Large>) -> NonNull<Header> {
        // SAFETY: a prefix is always followed by its block, in one allocation.
        unsafe { this.cast::<u8>().add(PREFIX) }.cast()
    }

    pub(crate) fn next(&self) -> Option<NonNull<Large>> {
        self.next.get()
    }
}

/// What a block of this size costs, prefix included.
pub(crate) fn cost(size: usize) -> Option<usize> {
    size.max(size_of::<Header>()).checked_add(PREFIX)
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(cost(size)?, 16).ok()
}

/// The large blocks of a heap.
#[derive(Debug, Default)]
pub(crate) struct LargeBlocks {
    heads: [Cell<Option<NonNull<Large>>>; LISTS],
    pub(crate) count: Cell<usize>,
    /// Bytes with prefixes.
    pub(crate) bytes: Cell<usize>,
}

impl LargeBlocks {
    pub(crate) fn head(&self, list: usize) -> Option<NonNull<Large>> {
        self.heads[list].get()
    }

    /// Allocates a block; `None`: the system refused.
    pub(crate) fn alloc(&self, size: usize, container: bool) -> Option<NonNull<u8>> {
        let layout = layout(size)?;
        // SAFETY: the size is not zero.
        let place = NonNull::new(unsafe { System.alloc(layout) })?.cast::<Large>();
        let prefix = Large {
            next: Cell::new(None),
            previous: Cell::new(None),
            size,
            list: Cell::new(0),
            refs: Cell::new(0),
        };
        // SAFETY: fresh memory of the right size and alignment.
        unsafe { place.write(prefix) };
        // SAFETY: the block was just made.
        unsafe { self.link(place, if container { PLAIN + 1 } else { PLAIN }) };
        self.count.set(self.count.get() + 1);
        self.bytes.set(self.bytes.get() + layout.size());
        Some(Large::block(place).cast())
    }

    /// Gives a block back and says what it had cost.
    ///
    /// # Safety
    /// `block` came from `alloc` of this table and is not used any more.
    pub(crate) unsafe fn free(&self, block: NonNull<Header>) -> usize {
        let Some(place) = NonNull::new(Large::of(block)) else { return 0 };
        // SAFETY: the block is live until the end of this function.
        unsafe { self.unlink(place) };
        // SAFETY: as above.
        let size = unsafe { place.as_ref() }.size;
        let Some(layout) = layout(size) else { return 0 };
        self.count.set(self.count.get() - 1);
        self.bytes.set(self.bytes.get() - layout.size());
        // SAFETY: the block came from `alloc` with this layout, which depends on the size alone.
        unsafe { System.dealloc(place.as_ptr().cast(), layout) };
        layout.size()
    }

    /// Puts a container on the list of a generation.
    ///
    /// # Safety
    /// `block` is a live large block of this table.
    pub(crate) unsafe fn set_generation(&self, block: NonNull<Header>, generation: u32) {
        let Some(place) = NonNull::new(Large::of(block)) else { return };
        // SAFETY: the caller's promise.
        unsafe {
            self.unlink(place);
            self.link(place, (generation as usize).min(2) + 1);
        }
    }

    /// # Safety
    /// `place` is live and on no list; `list` is below `LISTS`.
    unsafe fn link(&self, place: NonNull<Large>, list: usize) {
        // SAFETY: the caller's promise; what the lists hold is live.
        unsafe {
            let next = self.heads[list].replace(Some(place));
            place.as_ref().list.set(list as u32);
            place.as_ref().next.set(next);
            place.as_ref().previous.set(None);
            if let Some(next) = next {
                next.as_ref().previous.set(Some(place));
            }
        }
    }

    /// # Safety
    /// `place` is live and on a list.
    unsafe fn unlink(&self, place: NonNull<Large>) {
        // SAFETY: the caller's promise; what the lists hold is live.
        unsafe {
            let (next, previous) = (place.as_ref().next.take(), place.as_ref().previous.take());
            match previous {
                Some(previous) => previous.as_ref().next.set(next),
                None => self.heads[place.as_ref().list.get() as usize].set(next),
            }
            if let Some(next) = next {
                next.as_ref().previous.set(previous);
            }
        }
    }
}

impl Drop for LargeBlocks {
    fn drop(&mut self) {
        for list in 0..LISTS {
            while let Some(place) = self.head(list) {
                // SAFETY: the block is on a list, hence live; the table is dropped with its heap, nobody uses it any more.
                unsafe { self.free(Large::block(place)) };
            }
        }
    }
}

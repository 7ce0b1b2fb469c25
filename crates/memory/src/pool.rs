//! Pools: sixteen kibibytes of blocks of one size, either all containers or none.
//!
//! # What it is
//! The small-object allocator serves blocks up to 512 bytes in 32 size classes, 16 bytes apart. Each class has two
//! families of pools, one for containers and one for the rest, so that the collector can walk the containers of a heap
//! by walking pools, and containers need no link fields (CPython spends 16 bytes on each).
//!
//! # Data structures
//! A pool begins with its [`Pool`] header; blocks follow. The pool of a block is found by masking the block's address.
//! A free block has `Header::FREE` in the place of its flags and the link of the pool's free list in the place of its
//! type. Blocks beyond `carved` have never been used and are not on the free list: memory is touched only as far
//! as it is needed, and the walk stops there.
//!
//! A pool is in one of three states:
//! - *current*: its class allocates from it;
//! - *partial*: it has free blocks and waits in the list of its class;
//! - *full*: nobody knows it; the next block that is freed puts it on the partial list.
//!
//! # The countdown
//! Freeing must notice two things: a full pool that is full no more, and a pool that has become empty. Both are one test,
//! because `countdown` holds the number of used blocks for a current or partial pool but 1 for a full one: whenever it
//! reaches zero there is something to do (`Heap::pool_event`), and otherwise nothing. Allocating is a pop and an
//! increment, freeing a push and a decrement.
//!
//! # Order
//! The free list is last in, first out, within the pool: a temporary reuses the block that is still in the cache.
//!
//! # The young
//! `LINK_YOUNG` and `LINK_MIDDLE` are lists of container pools which may hold objects of generation 0 and 1. A pool enters the
//! young list when it becomes current, which is the only way to get new blocks in it; so allocation itself
//! pays nothing for generations. Which blocks are young their own flags say.
//!
//! # Rejected
//! A bitmap of used blocks in the header: it costs a division and two more writes for each allocation, and the walk reads the
//! headers of the blocks anyhow. A free list in the `Heap` in place of the pool: freeing would have to look whether the pool is current.

use crate::arena::POOL_SIZE;
use crate::header::Header;
use std::cell::Cell;
use std::ptr::NonNull;

/// Spacing of the size classes, and alignment of blocks.
pub(crate) const GRAIN: usize = 16;
/// The largest block of a pool.
pub(crate) const MAX_SMALL: usize = 512;
/// Number of size classes.
pub(crate) const CLASSES: usize = MAX_SMALL / GRAIN;

/// Index of the links for the list of partial pools.
pub(crate) const LINK_PARTIAL: usize = 0;
/// Index of the links for the list of pools with young containers.
pub(crate) const LINK_YOUNG: usize = 1;
/// Index of the links for the list of pools with containers of the middle generation.
pub(crate) const LINK_MIDDLE: usize = 2;

/// Bytes before the first block.
const FIRST_BLOCK: usize = size_of::<Pool>().next_multiple_of(GRAIN);
/// How many bytes of blocks are put on the free list at a time.
const CARVE: usize = 2048;
/// `Pool::side` outside of collections.
pub(crate) const NO_SIDE: usize = usize::MAX;

/// Where a pool stands; see the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Current,
    Partial,
    Full,
}

/// One membership of a pool in a doubly linked list.
#[derive(Debug)]
struct Link {
    listed: Cell<bool>,
    next: Cell<Option<NonNull<Pool>>>,
    previous: Cell<Option<NonNull<Pool>>>,
}

/// The header of a pool.
#[derive(Debug)]
pub(crate) struct Pool {
    /// First block of the free list, or null.
    free: Cell<*mut Header>,
    /// Used blocks, or 1 for a full pool.
    countdown: Cell<u32>,
    /// Blocks that were ever on the free list.
    carved: Cell<u32>,
    capacity: u32,
    block_size: u32,
    /// `ceil(2^32 / block_size)`, for dividing offsets.
    reciprocal: u32,
    pub(crate) arena: u32,
    pub(crate) class: u8,
    pub(crate) container: bool,
    pub(crate) state: Cell<State>,
    /// Where the counts of this pool begin in the collector's side table.
    pub(crate) side: Cell<usize>,
    /// The pool's memory, with the right to all of it, which a reference to this header does not have.
    memory: NonNull<u8>,
    links: [Link; 3],
}

impl Pool {
    /// Makes a pool in fresh memory.
    ///
    /// # Safety
    /// `memory` is `POOL_SIZE` bytes, aligned to `POOL_SIZE`, and nobody else uses it. `class` is below `CLASSES`.
    pub(crate) unsafe fn init(memory: NonNull<u8>, arena: u32, class: u8, container: bool) -> NonNull<Pool> {
        let block_size = (class as usize + 1) * GRAIN;
        let link = || Link { listed: Cell::new(false), next: Cell::new(None), previous: Cell::new(None) };
        let pool = Pool {
            free: Cell::new(std::ptr::null_mut()),
            countdown: Cell::new(0),
            carved: Cell::new(0),
            capacity: ((POOL_SIZE - FIRST_BLOCK) / block_size) as u32,
            block_size: block_size as u32,
            reciprocal: (1u64 << 32).div_ceil(block_size as u64) as u32,
            arena,
            class,
            container,
            state: Cell::new(State::Current),
            side: Cell::new(NO_SIDE),
            memory,
            links: [link(), link(), link()],
        };
        let place = memory.cast::<Pool>();
        // SAFETY: the memory is large and aligned enough and is ours.
        unsafe { place.write(pool) };
        place
    }

    /// The pool that a block lies in.
    #[inline]
    pub(crate) fn of(block: NonNull<u8>) -> *mut Pool {
        block.as_ptr().map_addr(|address| address & !(POOL_SIZE - 1)).cast()
    }

    /// Takes a block from the free list.
    #[inline]
    pub(crate) fn pop(&self) -> Option<NonNull<Header>> {
        let block = NonNull::new(self.free.get())?;
        // SAFETY: what is on the free list is a free block of this pool, its header is ours.
        let link = unsafe { block.as_ref() }.ty.get();
        self.free.set(link.cast::<Header>().cast_mut());
        self.countdown.set(self.countdown.get() + 1);
        Some(block)
    }

    /// Puts a block on the free list; `true` when the pool needs attention.
    ///
    /// # Safety
    /// `block` is an allocated block of this pool that nobody uses any more.
    #[inline]
    pub(crate) unsafe fn push(&self, block: NonNull<Header>) -> bool {
        // SAFETY: the block is ours from here on; it has room for a header.
        let header = unsafe { block.as_ref() };
        debug_assert!(!header.has(Header::FREE), "block freed twice");
        header.flags.set(Header::FREE);
        header.ty.set(self.free.get().cast_const().cast());
        self.free.set(block.as_ptr());
        let left = self.countdown.get().wrapping_sub(1);
        self.countdown.set(left);
        left == 0
    }

    /// Puts more blocks on the empty free list; `false` when the pool is used up.
    #[cold]
    pub(crate) fn carve(&self) -> bool {
        debug_assert!(self.free.get().is_null());
        let from = self.carved.get();
        let batch = (CARVE as u32 / self.block_size).max(1);
        let to = self.capacity.min(from + batch);
        let mut next: *mut Header = std::ptr::null_mut();
        // From the last to the first, so that addresses rise as blocks are handed out.
        for index in (from..to).rev() {
            let block = self.block(index);
            // SAFETY: a block below `capacity` lies in the pool; nobody has used it yet.
            unsafe {
                block.write(Header {
                    refcount: Cell::new(0),
                    flags: Cell::new(Header::FREE),
                    ty: Cell::new(next.cast_const().cast()),
                });
            }
            next = block.as_ptr();
        }
        self.free.set(next);
        self.carved.set(to);
        to > from
    }

    /// Whether nothing can be allocated here.
    pub(crate) fn exhausted(&self) -> bool {
        self.free.get().is_null() && self.carved.get() == self.capacity
    }

    /// The state becomes `Full`: the pool is exhausted and leaves its class.
    pub(crate) fn set_full(&self) {
        debug_assert!(self.exhausted() && self.countdown.get() == self.capacity);
        self.state.set(State::Full);
        self.countdown.set(1);
    }

    /// The state becomes `Partial`: a block of the full pool was freed.
    pub(crate) fn set_partial_from_full(&self) {
        self.state.set(State::Partial);
        self.countdown.set(self.capacity - 1);
    }

    /// Used blocks.
    pub(crate) fn used(&self) -> usize {
        match self.state.get() {
            State::Full => self.capacity as usize,
            State::Current | State::Partial => self.countdown.get() as usize,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity as usize
    }

    pub(crate) fn block_size(&self) -> usize {
        self.block_size as usize
    }

    /// Blocks that the walk must look at.
    pub(crate) fn carved(&self) -> u32 {
        self.carved.get()
    }

    /// The block of an index below `capacity`.
    #[inline]
    pub(crate) fn block(&self, index: u32) -> NonNull<Header> {
        debug_assert!(index < self.capacity);
        let offset = FIRST_BLOCK + index as usize * self.block_size as usize;
        // SAFETY: the offset is inside of the pool.
        unsafe { self.memory.add(offset) }.cast()
    }

    /// The pointer to this pool with the right to all of its memory.
    #[inline]
    pub(crate) fn whole(&self) -> NonNull<Pool> {
        self.memory.cast()
    }

    /// The index of a block of this pool.
    #[inline]
    pub(crate) fn index_of(&self, block: NonNull<Header>) -> usize {
        let offset = (block.addr().get() & (POOL_SIZE - 1)).wrapping_sub(FIRST_BLOCK) as u64;
        ((offset * u64::from(self.reciprocal)) >> 32) as usize
    }

    /// Calls `f` for each allocated block.
    #[inline]
    pub(crate) fn each_used(&self, mut f: impl FnMut(NonNull<Header>)) {
        let mut index = 0;
        while index < self.carved() {
            let block = self.block(index);
            // SAFETY: a carved block has a header, free or not.
            if !unsafe { block.as_ref() }.has(Header::FREE) {
                f(block);
            }
            index += 1;
        }
    }

    /// The next pool on the list with these links.
    pub(crate) fn next(&self, which: usize) -> Option<NonNull<Pool>> {
        self.links[which].next.get()
    }
}

/// A doubly linked list of pools, through one of their three pairs of links.
#[derive(Debug, Default)]
pub(crate) struct PoolList {
    head: Cell<Option<NonNull<Pool>>>,
}

impl PoolList {
    pub(crate) fn head(&self) -> Option<NonNull<Pool>> {
        self.head.get()
    }

    /// Puts `pool` in front, unless it is on the list.
    ///
    /// # Safety
    /// `pool` and the pools of this list are live; this list is the only one that uses the links `which`, or the pool's class tells which one does.
    pub(crate) unsafe fn add(&self, which: usize, pool: NonNull<Pool>) {
        // SAFETY: the caller says that the pools are live.
        let link = unsafe { &pool.as_ref().links[which] };
        if link.listed.replace(true) {
            return;
        }
        let next = self.head.replace(Some(pool));
        link.next.set(next);
        link.previous.set(None);
        if let Some(next) = next {
            // SAFETY: as above.
            unsafe { &next.as_ref().links[which] }.previous.set(Some(pool));
        }
    }

    /// Takes `pool` out, if it is on the list.
    ///
    /// # Safety
    /// As for `add`.
    pub(crate) unsafe fn remove(&self, which: usize, pool: NonNull<Pool>) {
        // SAFETY: the caller says that the pools are live.
        let link = unsafe { &pool.as_ref().links[which] };
        if !link.listed.replace(false) {
            return;
        }
        let (next, previous) = (link.next.take(), link.previous.take());
        match previous {
            // SAFETY: as above.
            Some(previous) => unsafe { &previous.as_ref().links[which] }.next.set(next),
            None => self.head.set(next),
        }
        if let Some(next) = next {
            // SAFETY: as above.
            unsafe { &next.as_ref().links[which] }.previous.set(previous);
        }
    }

    /// Takes out the first pool.
    ///
    /// # Safety
    /// As for `add`.
    pub(crate) unsafe fn pop(&self, which: usize) -> Option<NonNull<Pool>> {
        let pool = self.head.get()?;
        // SAFETY: the caller's promise.
        unsafe { self.remove(which, pool) };
        Some(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocal_divides_all_offsets() {
        for class in 0..CLASSES {
            let size = ((class + 1) * GRAIN) as u64;
            let reciprocal = (1u64 << 32).div_ceil(size);
            for offset in 0..POOL_SIZE as u64 {
                assert_eq!((offset * reciprocal) >> 32, offset / size, "size {size}");
            }
        }
    }
}

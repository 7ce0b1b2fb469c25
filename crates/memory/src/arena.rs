//! Arenas: one mebibyte each from the system, cut into 64 pools.
//!
//! The state of an arena is one word: a bit per pool, set when the pool is free. An arena whose bits are all set goes
//! back to the system, but for one that is kept so that a program which breathes around a boundary does not ask the
//! system each time. Pools are taken from the arena with the lowest index that has one; so the arenas at the end of the
//! table run empty and can be given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

/// Bytes of an arena, and its alignment.
pub(crate) const ARENA_SIZE: usize = 1 << 20;
/// Bytes of a pool, and its alignment.
pub(crate) const POOL_SIZE: usize = 1 << 14;
/// Pools of an arena: one bit each in a word.
pub(crate) const POOLS_PER_ARENA: usize = ARENA_SIZE / POOL_SIZE;

const ALL_FREE: u64 = u64::MAX;
const _: () = assert!(POOLS_PER_ARENA == 64);

fn layout() -> Option<Layout> {
    Layout::from_size_align(ARENA_SIZE, ARENA_SIZE).ok()
}

#[derive(Debug)]
struct Arena {
    /// `None`: the slot is vacant.
    base: Option<NonNull<u8>>,
    /// Bit `i`: pool `i` is free. A vacant slot has none.
    free: u64,
}

/// All arenas of a heap.
#[derive(Debug, Default)]
pub(crate) struct Arenas {
    table: Vec<Arena>,
    /// No arena below this index has a free pool.
    first_usable: usize,
    /// Arenas without a used pool.
    empty: usize,
    pub(crate) held: usize,
    pub(crate) allocated: usize,
    pub(crate) peak: usize,
}

impl Arenas {
    /// A pool-sized, pool-aligned piece of memory and the index of its arena. `None`: the system refused.
    pub(crate) fn acquire(&mut self) -> Option<(NonNull<u8>, u32)> {
        while self.table.get(self.first_usable).is_some_and(|arena| arena.free == 0) {
            self.first_usable += 1;
        }
        if self.first_usable == self.table.len() {
            self.first_usable = self.add()?;
        }
        let index = self.first_usable;
        let arena = self.table.get_mut(index)?;
        let base = arena.base?;
        if arena.free == ALL_FREE {
            self.empty -= 1;
        }
        let pool = arena.free.trailing_zeros() as usize;
        arena.free &= arena.free - 1;
        // SAFETY: `free` was not zero, so `pool` is below 64 and the offset is inside of the arena.
        Some((unsafe { base.add(pool * POOL_SIZE) }, u32::try_from(index).ok()?))
    }

    /// Adds an arena and says where.
    #[cold]
    fn add(&mut self) -> Option<usize> {
        let vacant = self.table.iter().position(|arena| arena.base.is_none());
        if vacant.is_none() {
            self.table.try_reserve(1).ok()?;
        }
        // SAFETY: the size is not zero.
        let base = NonNull::new(unsafe { System.alloc(layout()?) })?;
        let arena = Arena { base: Some(base), free: ALL_FREE };
        self.empty += 1;
        self.held += 1;
        self.allocated += 1;
        self.peak = self.peak.max(self.held);
        match vacant.and_then(|index| self.table.get_mut(index).map(|slot| (index, slot))) {
            Some((index, slot)) => {
                *slot = arena;
                Some(index)
            }
            None => {
                self.table.push(arena);
                Some(self.table.len() - 1)
            }
        }
    }

    /// Takes a pool back.
    ///
    /// # Safety
    /// `pool` came from `acquire` of this table together with `index`, and nobody uses it any more.
    pub(crate) unsafe fn release(&mut self, pool: NonNull<u8>, index: u32) {
        let index = index as usize;
        let Some(arena) = self.table.get_mut(index) else { return };
        let Some(base) = arena.base else { return };
        let number = (pool.addr().get() - base.addr().get()) / POOL_SIZE;
        debug_assert!(number < POOLS_PER_ARENA && arena.free & (1 << number) == 0);
        arena.free |= 1 << number;
        self.first_usable = self.first_usable.min(index);
        if arena.free == ALL_FREE {
            self.empty += 1;
            if self.empty > 1 {
                arena.base = None;
                arena.free = 0;
                self.empty -= 1;
                self.held -= 1;
                // SAFETY: the arena came from `alloc` with this layout and holds no used pool.
                unsafe { free_arena(base) };
            }
        }
    }

    /// The base of the `number`th pool in arena `index` when it is in use; `Err` beyond the last arena.
    pub(crate) fn pool_at(&self, index: usize, number: usize) -> Result<Option<NonNull<u8>>, ()> {
        let arena = self.table.get(index).ok_or(())?;
        let Some(base) = arena.base else { return Ok(None) };
        if number >= POOLS_PER_ARENA || arena.free & (1 << number) != 0 {
            return Ok(None);
        }
        // SAFETY: `number` is below 64.
        Ok(Some(unsafe { base.add(number * POOL_SIZE) }))
    }
}

/// # Safety
/// `base` came from `Arenas::add` and is not used any more.
unsafe fn free_arena(base: NonNull<u8>) {
    if let Some(layout) = layout() {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(base.as_ptr(), layout) };
    }
}

impl Drop for Arenas {
    fn drop(&mut self) {
        for base in self.table.drain(..).filter_map(|arena| arena.base) {
            // SAFETY: the table is dropped with its heap, nobody can reach the blocks any more.
            unsafe { free_arena(base) };
        }
    }
}

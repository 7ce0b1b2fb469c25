//! The heap of one interpreter: where blocks come from and what they cost.
//!
//! `alloc` and `free` are a few instructions each when the pool of the class has a free block; all else is out of line.
//! Accounting is by what the system sees: a pool counts whole from the moment it gets a class until its last
//! block is freed, a large block counts with its prefix, and buffers outside of blocks are counted by `meter.rs`. A
//! limit is checked where that sum grows, never in the fast path.
//!
//! Measured with `examples/pairs.rs` on the two-core development machine: a pair of `alloc` and `free` of 48 bytes takes 2.3 ns, 2.8 ns for a container,
//! 6.8 ns with the system's allocator.

use crate::arena::{ARENA_SIZE, Arenas, POOL_SIZE, POOLS_PER_ARENA};
use crate::header::Header;
use crate::large::{self, Large, LargeBlocks};
use crate::meter::Meter;
use crate::pool::{CLASSES, GRAIN, LINK_MIDDLE, LINK_PARTIAL, LINK_YOUNG, MAX_SMALL, Pool, PoolList, State};
use crate::schedule::Schedule;
use crate::stats::{ClassStats, Stats, Stress};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The families of pools: a size class, container or not.
const FAMILIES: usize = CLASSES * 2;

/// The heap of one interpreter: allocator, accounting and collector.
///
/// Not `Sync`; all methods take `&self`. Dropping it gives all memory back to the system without destroying objects.
#[derive(Debug)]
pub struct Heap {
    /// The pool from which a family allocates.
    current: [Cell<Option<NonNull<Pool>>>; FAMILIES],
    /// Largest size that pools serve: `MAX_SMALL`, or 0 when they are bypassed.
    small_limit: Cell<usize>,
    /// When and what to collect; the count of young containers.
    pub(crate) schedule: Schedule,
    partial: [PoolList; FAMILIES],
    /// Container pools that may hold objects of generation 0.
    pub(crate) young: PoolList,
    /// Container pools that may hold objects of generation 1.
    pub(crate) middle: PoolList,
    arenas: RefCell<Arenas>,
    pub(crate) large: LargeBlocks,
    /// Pools that belong to a class.
    pools: Cell<usize>,
    /// Bytes that count against the limit.
    used: Cell<usize>,
    peak: Cell<usize>,
    charged: Cell<usize>,
    limit: Cell<usize>,
    /// Who is told of each block. Meanwhile `current` is empty and `small_limit` 0: every call goes out of line, and the fast
    /// paths need not ask.
    observed: RefCell<Option<Observed>>,
    /// What counts instead of the limit after that was reached, until memory is well below the limit again; 0 otherwise.
    grace: Cell<usize>,
    /// Beyond this much a full collection should be tried before the limit is reached; `usize::MAX`: not now.
    pressure: Cell<usize>,
    /// Such a collection is due.
    pressed: Cell<bool>,
    /// How often the limit was reached since memory was last plenty.
    refusals: Cell<u32>,
    meter: Arc<Meter>,
}

/// Is told of each block.
pub trait Observer {
    /// A block was allocated; nothing is written to it yet.
    fn allocated(&self, block: NonNull<u8>, size: usize);
    /// A block is about to be freed.
    fn freed(&self, block: NonNull<u8>);
}

/// An observer, and what was put aside for it.
#[derive(Clone)]
struct Observed {
    observer: Rc<dyn Observer>,
    current: Rc<[Cell<Option<NonNull<Pool>>>]>,
    small_limit: usize,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observed")
    }
}

impl Default for Heap {
    fn default() -> Heap {
        Heap::new()
    }
}

/// The family of a size from 0 to `MAX_SMALL`.
#[inline]
fn family_of(size: usize, container: bool) -> usize {
    (size.saturating_sub(1) / GRAIN) * 2 + container as usize
}

impl Heap {
    /// An empty heap without a limit.
    pub fn new() -> Heap {
        Heap::with_alarm(Arc::default())
    }

    /// As [`Heap::new`]; `alarm` is set when buffers outside of blocks pass the limit.
    pub fn with_alarm(alarm: Arc<AtomicBool>) -> Heap {
        Heap {
            current: std::array::from_fn(|_| Cell::new(None)),
            small_limit: Cell::new(MAX_SMALL),
            schedule: Schedule::new(),
            partial: std::array::from_fn(|_| PoolList::default()),
            young: PoolList::default(),
            middle: PoolList::default(),
            arenas: RefCell::default(),
            large: LargeBlocks::default(),
            pools: Cell::new(0),
            used: Cell::new(0),
            peak: Cell::new(0),
            charged: Cell::new(0),
            limit: Cell::new(usize::MAX),
            observed: RefCell::default(),
            grace: Cell::new(0),
            pressure: Cell::new(usize::MAX),
            pressed: Cell::new(false),
            refusals: Cell::new(0),
            meter: Meter::new(alarm),
        }
    }

    /// Tells `observer` of each block from now on, or nobody.
    pub fn set_observer(&self, observer: Option<Rc<dyn Observer>>) {
        let old = self.observed.take();
        if let Some(old) = old {
            for (slot, kept) in self.current.iter().zip(old.current.iter()) {
                slot.set(kept.take());
            }
            self.small_limit.set(old.small_limit);
        }
        if let Some(observer) = observer {
            let current = self.current.iter().map(|slot| Cell::new(slot.take())).collect();
            let small_limit = self.small_limit.replace(0);
            *self.observed.borrow_mut() = Some(Observed { observer, current, small_limit });
        }
    }

    /// `alloc_slow` while an observer is there.
    #[cold]
    fn alloc_observed(&self, observed: &Observed, size: usize, container: bool) -> Option<NonNull<Header>> {
        let place = (size <= MAX_SMALL).then(|| family_of(size, container));
        self.small_limit.set(observed.small_limit);
        if let Some(family) = place {
            self.current[family].set(observed.current[family].take());
        }
        let block = self.alloc_any(size, container);
        if let Some(family) = place {
            observed.current[family].set(self.current[family].take());
        }
        self.small_limit.set(0);
        if let Some(block) = block {
            observed.observer.allocated(block.cast(), size);
        }
        block
    }

    /// Takes a block that no pool takes at once: a large one, or any while an observer is there.
    ///
    /// # Safety
    /// As for [`Heap::free`].
    #[cold]
    #[inline(never)]
    unsafe fn free_slow(&self, block: NonNull<u8>, size: usize) {
        let observed = self.observed.borrow().clone();
        if let Some(observed) = observed {
            observed.observer.freed(block);
            if size <= observed.small_limit {
                // SAFETY: a block of this size came from a pool, which is live while a block of it is used.
                let pool = unsafe { &*Pool::of(block) };
                // SAFETY: the block belongs to this pool, and the caller gives it up.
                if unsafe { pool.push(block.cast()) } {
                    self.pool_event(pool);
                }
                return;
            }
        }
        // SAFETY: a block of this size is a large one, and the caller gives it up.
        let bytes = unsafe { self.large.free(block.cast()) };
        self.shrink(bytes);
    }

    /// Counts the buffers of the threads that entered it.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Allocates a block of `size` bytes, header included, aligned to 16.
    ///
    /// The header is written (count 1, no flags, null type), the rest is not. A container becomes visible to the collector when its
    /// owner sets `Header::TRACKED`. `None`: over the limit, or the system has no memory.
    #[inline]
    pub fn alloc(&self, size: usize, container: bool) -> Option<NonNull<u8>> {
        let block = if size <= MAX_SMALL
            && let Some(pool) = self.current[family_of(size, container)].get()
            // SAFETY: a current pool is live.
            && let Some(block) = unsafe { pool.as_ref() }.pop()
        {
            block
        } else {
            self.alloc_slow(size, container)?
        };
        if container {
            self.schedule.born();
        }
        if cfg!(debug_assertions) {
            // SAFETY: the block has at least `size` bytes. Whoever reads what it has not written shall notice.
            unsafe { block.cast::<u8>().write_bytes(0xcb, size) };
        }
        // SAFETY: the block is fresh, aligned, and no smaller than a header.
        unsafe {
            block.write(Header {
                refcount: Cell::new(1),
                flags: Cell::new(0),
                ty: Cell::new(std::ptr::null()),
            });
        }
        Some(block.cast())
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `block` came from `alloc` of this heap with the same `size` and `container`, was not freed yet, and nobody uses it any more.
    #[inline]
    pub unsafe fn free(&self, block: NonNull<u8>, size: usize, container: bool) {
        if container {
            self.schedule.died();
        }
        if cfg!(debug_assertions) && size > size_of::<Header>() {
            // SAFETY: the block has `size` bytes and nobody uses it; the header stays, for the check of double frees.
            unsafe { block.add(size_of::<Header>()).write_bytes(0xdb, size - size_of::<Header>()) };
        }
        if size <= self.small_limit.get() {
            // SAFETY: a block of this size came from a pool, which is live while a block of it is used.
            let pool = unsafe { &*Pool::of(block) };
            debug_assert_eq!(family_of(size, container), pool.class as usize * 2 + pool.container as usize);
            // SAFETY: the block belongs to this pool, and the caller gives it up.
            if unsafe { pool.push(block.cast()) } {
                self.pool_event(pool);
            }
        } else {
            // SAFETY: by the contract.
            unsafe { self.free_slow(block, size) }
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, size: usize, container: bool) -> Option<NonNull<Header>> {
        let observed = self.observed.borrow().clone();
        match observed {
            Some(observed) => self.alloc_observed(&observed, size, container),
            None => self.alloc_any(size, container),
        }
    }

    fn alloc_any(&self, size: usize, container: bool) -> Option<NonNull<Header>> {
        if size > self.small_limit.get() {
            let bytes = large::cost(size)?;
            if !self.grow(bytes) {
                return None;
            }
            let block = self.large.alloc(size, container);
            if block.is_none() {
                self.shrink(bytes);
            }
            return block.map(NonNull::cast);
        }
        let family = family_of(size, container);
        loop {
            let pool = match self.current[family].get() {
                Some(pool) => pool,
                None => self.next_pool(family)?,
            };
            // SAFETY: a current pool is live.
            let pool = unsafe { pool.as_ref() };
            if let Some(block) = pool.pop() {
                return Some(block);
            }
            if !pool.carve() {
                pool.set_full();
                self.current[family].set(None);
            }
        }
    }

    /// Makes a partial or a new pool the current one.
    fn next_pool(&self, family: usize) -> Option<NonNull<Pool>> {
        let (class, container) = (family / 2, family % 2 == 1);
        // SAFETY: the pools of the list are live, and only this family's list uses their links.
        let pool = match unsafe { self.partial[family].pop(LINK_PARTIAL) } {
            Some(pool) => pool,
            None => {
                if !self.grow(POOL_SIZE) {
                    return None;
                }
                let Some((memory, arena)) = self.arenas.borrow_mut().acquire() else {
                    self.shrink(POOL_SIZE);
                    return None;
                };
                self.pools.set(self.pools.get() + 1);
                // SAFETY: the memory is a pool of an arena, fresh and ours; `family` is below `FAMILIES`.
                unsafe { Pool::init(memory, arena, class as u8, container) }
            }
        };
        // SAFETY: live, see above.
        unsafe { pool.as_ref() }.state.set(State::Current);
        if container {
            // SAFETY: live; the links belong to the young list.
            unsafe { self.young.add(LINK_YOUNG, pool) };
        }
        self.current[family].set(Some(pool));
        Some(pool)
    }

    /// The countdown of a pool has reached zero: it is full no more, or empty.
    #[cold]
    #[inline(never)]
    fn pool_event(&self, pool: &Pool) {
        let family = pool.class as usize * 2 + pool.container as usize;
        match pool.state.get() {
            State::Full => {
                pool.set_partial_from_full();
                // SAFETY: the pool is live, and its links belong to the list of its family.
                unsafe { self.partial[family].add(LINK_PARTIAL, pool.whole()) };
            }
            // SAFETY: the pool is live and empty.
            State::Partial => unsafe {
                self.partial[family].remove(LINK_PARTIAL, pool.whole());
                self.release(pool.whole());
            },
            // It stays for the next allocation; `trim` takes it when memory is short.
            State::Current => {}
        }
    }

    /// Gives an empty pool back to its arena.
    ///
    /// # Safety
    /// The pool is live, without used blocks, neither current nor on the partial list.
    unsafe fn release(&self, pool: NonNull<Pool>) {
        // SAFETY: the pool is live until it is released.
        unsafe {
            self.young.remove(LINK_YOUNG, pool);
            self.middle.remove(LINK_MIDDLE, pool);
            let arena = pool.as_ref().arena;
            self.arenas.borrow_mut().release(pool.cast(), arena);
        }
        self.pools.set(self.pools.get() - 1);
        self.shrink(POOL_SIZE);
    }

    /// Gives back the pools that are kept though they are empty.
    pub fn trim(&self) {
        for slot in &self.current {
            // SAFETY: a current pool is live.
            if let Some(pool) = slot.get().filter(|pool| unsafe { pool.as_ref() }.used() == 0) {
                slot.set(None);
                // SAFETY: it is empty and current no more.
                unsafe { self.release(pool) };
            }
        }
    }

    /// Counts `bytes` more, unless that passes the limit even after trimming.
    fn grow(&self, bytes: usize) -> bool {
        let fits = self.fits(bytes);
        if fits {
            let sum = self.used.get() + bytes;
            self.used.set(sum);
            self.peak.set(self.peak.get().max(sum + self.meter.buffers()));
            self.meter.set_blocks(sum);
            if self.used() > self.pressure.get() {
                self.ask_for_collection();
            }
        }
        fits
    }

    /// Counts `bytes` less.
    fn shrink(&self, bytes: usize) {
        let rest = self.used.get().saturating_sub(bytes);
        self.used.set(rest);
        self.meter.set_blocks(rest);
        let limit = self.limit.get();
        if self.pressure.get() == usize::MAX && limit != usize::MAX && self.used() < limit - limit / 4 {
            self.pressure.set(limit - limit / 8);
            self.refusals.set(0);
        }
    }

    /// Whether `bytes` more would stay within the limit, perhaps after trimming.
    pub fn fits(&self, bytes: usize) -> bool {
        let fits = || self.used().checked_add(bytes).is_some_and(|sum| sum <= self.limit_now());
        fits() || {
            self.trim();
            fits()
        }
    }

    /// The limit, or what stands in for it.
    fn limit_now(&self) -> usize {
        let limit = self.limit.get();
        if self.grace.get() != 0 && self.used() <= limit - Self::slack(limit) {
            self.grace.set(0);
            self.meter.set_limit(limit);
        }
        limit.max(self.grace.get())
    }

    /// How far above the limit handlers of `MemoryError` may go, and how far below it all is well again.
    fn slack(limit: usize) -> usize {
        (limit / 16).min(1 << 20)
    }

    /// Whether buffers have passed the limit, or the system has refused memory.
    pub fn is_over(&self) -> bool {
        self.limit_now();
        self.meter.is_over()
    }

    /// The limit was reached, and whoever handles that needs a little memory: grants it once, until memory is well
    /// below the limit again.
    pub fn grant_grace(&self) {
        let limit = self.limit_now();
        if limit != usize::MAX && self.grace.get() == 0 {
            let grace = limit.max(self.used()).saturating_add(Self::slack(limit));
            self.grace.set(grace);
            self.meter.set_limit(grace);
        }
        // The garbage may be what somebody holds who is about to let it go: ask again, but less and less often.
        self.refusals.set(self.refusals.get().saturating_add(1));
        if limit != usize::MAX && self.refusals.get().is_power_of_two() {
            self.ask_for_collection();
        }
    }

    #[cold]
    fn ask_for_collection(&self) {
        self.pressure.set(usize::MAX);
        self.pressed.set(true);
        self.meter.raise_alarm();
    }

    /// Whether memory is so short that a full collection should run now.
    pub fn take_pressure(&self) -> bool {
        self.pressed.replace(false)
    }

    /// A full collection has run because memory is short: the next one is due half the way to the limit.
    pub fn relieved(&self) {
        let limit = self.limit.get();
        let next = self.used().saturating_add((limit.saturating_sub(self.used()) / 2).max(limit / 16));
        self.pressure.set(if next < limit { next } else { usize::MAX });
    }

    /// Limits what the heap may hold, in bytes; `None` lifts the limit. A limit below `used` lets nothing grow until enough is freed.
    pub fn set_limit(&self, bytes: Option<usize>) {
        let bytes = bytes.unwrap_or(usize::MAX);
        self.limit.set(bytes);
        self.grace.set(0);
        self.pressure.set(bytes - bytes / 8);
        self.meter.set_limit(bytes);
    }

    /// The limit in force.
    pub fn limit(&self) -> Option<usize> {
        Some(self.limit.get()).filter(|&limit| limit != usize::MAX)
    }

    /// Bytes that count against the limit: pools in use, large blocks, buffers.
    pub fn used(&self) -> usize {
        self.used.get().saturating_add(self.meter.buffers())
    }

    /// The most that `used` has been since the start or the last `reset_peak`.
    pub fn peak(&self) -> usize {
        self.peak.get()
    }

    /// Starts measuring the peak anew.
    pub fn reset_peak(&self) {
        self.peak.set(self.used());
    }

    /// Accounts for a buffer outside of blocks; `false`, and nothing charged, when that would pass the limit.
    pub fn charge(&self, bytes: usize) -> bool {
        let fits = self.grow(bytes);
        if fits {
            self.charged.set(self.charged.get() + bytes);
        }
        fits
    }

    /// Takes back what `charge` accounted.
    pub fn discharge(&self, bytes: usize) {
        debug_assert!(bytes <= self.charged.get(), "more discharged than charged");
        let bytes = bytes.min(self.charged.get());
        self.charged.set(self.charged.get() - bytes);
        self.shrink(bytes);
    }

    /// Blocks allocated now. Looks at every pool.
    pub fn allocated_blocks(&self) -> usize {
        let mut blocks = self.large.count.get();
        self.each_pool(|pool| blocks += pool.used());
        blocks
    }

    /// Everything that the allocator knows about itself. Looks at every pool.
    pub fn stats(&self) -> Stats {
        let mut families = [ClassStats::default(); FAMILIES];
        self.each_pool(|pool| {
            let family = &mut families[pool.class as usize * 2 + pool.container as usize];
            family.block_size = pool.block_size();
            family.container = pool.container;
            family.pools += 1;
            family.used_blocks += pool.used();
            family.free_blocks += pool.capacity() - pool.used();
        });
        let arenas = self.arenas.borrow();
        Stats {
            arenas: arenas.held,
            arenas_allocated: arenas.allocated,
            arenas_peak: arenas.peak,
            arena_size: ARENA_SIZE,
            pool_size: POOL_SIZE,
            free_pools: (arenas.held * POOLS_PER_ARENA).saturating_sub(self.pools.get()),
            classes: families.into_iter().filter(|family| family.pools > 0).collect(),
            large_blocks: self.large.count.get(),
            large_bytes: self.large.bytes.get(),
            charged_bytes: self.charged.get(),
        }
    }

    /// Switches stress modes. Pools can be bypassed or not only while no block is allocated; later that wish is ignored.
    pub fn set_stress(&self, stress: Stress) {
        self.schedule.set_collect_every(stress.collect_every);
        if self.allocated_blocks() == 0 {
            self.trim();
            self.small_limit.set(if stress.bypass_pools { 0 } else { MAX_SMALL });
        }
    }

    /// Calls `f` for every pool that belongs to a class. `f` may allocate.
    pub(crate) fn each_pool(&self, mut f: impl FnMut(&Pool)) {
        let mut arena = 0;
        loop {
            for number in 0..POOLS_PER_ARENA {
                let place = self.arenas.borrow().pool_at(arena, number);
                match place {
                    Err(()) => return,
                    Ok(None) => {}
                    // SAFETY: a pool that is not free was initialised and is live.
                    Ok(Some(place)) => f(unsafe { place.cast::<Pool>().as_ref() }),
                }
            }
            arena += 1;
        }
    }

    /// Calls `f` for every large container.
    pub(crate) fn each_large_container(&self, mut f: impl FnMut(NonNull<Header>)) {
        for list in large::PLAIN + 1..large::LISTS {
            let mut next = self.large.head(list);
            while let Some(place) = next {
                // SAFETY: what is on a list is live.
                next = unsafe { place.as_ref() }.next();
                f(Large::block(place));
            }
        }
    }

    /// Calls `f` for every live tracked container. `f` must not free blocks of this heap.
    pub fn walk(&self, mut f: impl FnMut(NonNull<Header>)) {
        // SAFETY: the walk yields allocated blocks only, whose headers `alloc` wrote.
        let tracked = |block: NonNull<Header>| unsafe { block.as_ref() }.has(Header::TRACKED);
        self.each_pool(|pool| {
            if pool.container {
                pool.each_used(|block| {
                    if tracked(block) {
                        f(block);
                    }
                });
            }
        });
        self.each_large_container(|block| {
            if tracked(block) {
                f(block);
            }
        });
    }

    /// Puts the current container pools back on the young list, after a collection has emptied it.
    pub(crate) fn relist_current(&self) {
        for slot in self.current.iter().skip(1).step_by(2) {
            if let Some(pool) = slot.get() {
                // SAFETY: a current pool is live.
                unsafe { self.young.add(LINK_YOUNG, pool) };
            }
        }
    }
}

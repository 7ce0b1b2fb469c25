//! The heap of one interpreter.

use crate::cycles::{CollectStats, CollectorOps};
use crate::header::Header;
use std::alloc::{Layout, alloc, dealloc};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::NonNull;

/// Stress modes, for tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stress {
    /// A collection is due after every allocation of a container.
    pub collect_every: bool,
    /// Each block comes from the system, so that tools see uses after free. Takes effect only while the heap is empty.
    pub bypass_pools: bool,
}

/// The pools of one size class.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ClassStats {
    /// Bytes of a block.
    pub block_size: usize,
    /// Whether the blocks are containers.
    pub container: bool,
    /// Pools of the class.
    pub pools: usize,
    /// Allocated blocks.
    pub used_blocks: usize,
    /// Free blocks.
    pub free_blocks: usize,
}

/// The counts of one generation, as `gc.get_stats()` shows them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct GenerationStats {
    /// Collections that ran.
    pub collections: usize,
    /// Objects collected.
    pub collected: usize,
    /// Objects found unreachable and not freed.
    pub uncollectable: usize,
}

/// What the heap knows about itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Arenas held now.
    pub arenas: usize,
    /// Arenas ever taken from the system.
    pub arenas_allocated: usize,
    /// Most arenas held at once.
    pub arenas_peak: usize,
    /// Pools that hold no block.
    pub free_pools: usize,
    /// One entry per size class and kind that has pools.
    pub classes: Vec<ClassStats>,
    /// Blocks that came from the system.
    pub large_blocks: usize,
    /// Their bytes.
    pub large_bytes: usize,
    /// Bytes charged for buffers outside of blocks.
    pub charged_bytes: usize,
}

/// The heap of one interpreter: allocator, accounting and collector. Neither `Send`-shared nor `Sync`; all methods take `&self`.
#[derive(Debug)]
pub struct Heap {
    used: Cell<usize>,
    charged: Cell<usize>,
    limit: Cell<usize>,
    young: Cell<usize>,
    stress: Cell<Stress>,
    enabled: Cell<bool>,
    thresholds: Cell<[usize; 3]>,
    counts: Cell<[usize; 3]>,
    live: RefCell<HashMap<NonNull<u8>, (usize, bool)>>,
}

impl Default for Heap {
    fn default() -> Heap {
        Heap::new()
    }
}

impl Heap {
    /// An empty heap without a limit.
    pub fn new() -> Heap {
        Heap {
            used: Cell::new(0),
            charged: Cell::new(0),
            limit: Cell::new(usize::MAX),
            young: Cell::new(0),
            stress: Cell::new(Stress::default()),
            enabled: Cell::new(true),
            thresholds: Cell::new([2000, 10, 0]),
            counts: Cell::new([0; 3]),
            live: RefCell::new(HashMap::new()),
        }
    }

    /// Allocates a block of `size` bytes, header included, aligned to 16. The header is written (count 1, no flags, null type), the rest is not.
    /// `None`: over the limit, or the system has no memory.
    pub fn alloc(&self, size: usize, container: bool) -> Option<NonNull<u8>> {
        let size = size.max(16);
        let layout = Layout::from_size_align(size, 16).ok()?;
        if self.used.get().checked_add(size)? > self.limit.get() {
            return None;
        }
        // SAFETY: the size is not zero.
        let block = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: the block is fresh, aligned, and at least 16 bytes.
        unsafe {
            block.cast::<Header>().write(Header {
                refcount: Cell::new(1),
                flags: Cell::new(0),
                ty: Cell::new(std::ptr::null()),
            })
        };
        self.used.set(self.used.get() + size);
        if container {
            self.young.set(self.young.get() + 1);
        }
        self.live.borrow_mut().insert(block, (size, container));
        Some(block)
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `block` came from `alloc` of this heap with the same `size` and `container`, is not freed yet, and nobody uses it any more.
    pub unsafe fn free(&self, block: NonNull<u8>, size: usize, container: bool) {
        let size = size.max(16);
        self.live.borrow_mut().remove(&block);
        self.used.set(self.used.get().saturating_sub(size));
        if container {
            self.young.set(self.young.get().saturating_sub(1));
        }
        if let Ok(layout) = Layout::from_size_align(size, 16) {
            // SAFETY: the caller says that the block came from `alloc` with this size.
            unsafe { dealloc(block.as_ptr(), layout) };
        }
    }

    /// Limits what the heap may hold, in bytes; `None` lifts the limit.
    pub fn set_limit(&self, bytes: Option<usize>) {
        self.limit.set(bytes.unwrap_or(usize::MAX));
    }

    /// The limit in force.
    pub fn limit(&self) -> Option<usize> {
        Some(self.limit.get()).filter(|&limit| limit != usize::MAX)
    }

    /// Bytes in allocated blocks and charged buffers.
    pub fn used(&self) -> usize {
        self.used.get()
    }

    /// Accounts for a buffer outside of blocks; `false`, and nothing charged, when that would pass the limit.
    pub fn charge(&self, bytes: usize) -> bool {
        match self.used.get().checked_add(bytes) {
            Some(sum) if sum <= self.limit.get() => {
                self.used.set(sum);
                self.charged.set(self.charged.get() + bytes);
                true
            }
            _ => false,
        }
    }

    /// Takes back what `charge` accounted.
    pub fn discharge(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_sub(bytes));
        self.charged.set(self.charged.get().saturating_sub(bytes));
    }

    /// Blocks allocated now.
    pub fn allocated_blocks(&self) -> usize {
        self.live.borrow().len()
    }

    /// Everything that the heap knows about itself.
    pub fn stats(&self) -> Stats {
        Stats {
            large_blocks: self.allocated_blocks(),
            large_bytes: self.used.get() - self.charged.get(),
            charged_bytes: self.charged.get(),
            ..Stats::default()
        }
    }

    /// Switches stress modes.
    pub fn set_stress(&self, stress: Stress) {
        self.stress.set(stress);
    }

    /// Net allocations of containers since the last collection.
    #[inline]
    pub fn young_count(&self) -> usize {
        self.young.get()
    }

    /// Whether an automatic collection should run now. Cheap; ask at safe points.
    #[inline]
    pub fn collect_due(&self) -> bool {
        self.enabled.get() && self.young.get() > self.thresholds.get()[0]
    }

    /// The generation that an automatic collection should collect now.
    pub fn due_generation(&self) -> usize {
        0
    }

    /// The thresholds of the three generations, as `gc.get_threshold()`.
    pub fn thresholds(&self) -> [usize; 3] {
        self.thresholds.get()
    }

    /// Sets the thresholds; a first threshold of 0 turns automatic collections off.
    pub fn set_thresholds(&self, thresholds: [usize; 3]) {
        self.thresholds.set(thresholds);
    }

    /// The counts that are compared with the thresholds, as `gc.get_count()`.
    pub fn counts(&self) -> [usize; 3] {
        [self.young.get(), self.counts.get()[1], self.counts.get()[2]]
    }

    /// Lets automatic collections happen.
    pub fn enable(&self) {
        self.enabled.set(true);
    }

    /// Stops automatic collections.
    pub fn disable(&self) {
        self.enabled.set(false);
    }

    /// Whether automatic collections may happen.
    pub fn is_enabled(&self) -> bool {
        self.enabled.get()
    }

    /// Calls `f` for every live tracked container. `f` must not allocate or free blocks of this heap.
    pub fn walk(&self, mut f: impl FnMut(NonNull<Header>)) {
        for (block, &(_, container)) in self.live.borrow().iter() {
            let header = block.cast::<Header>();
            // SAFETY: the block is live, its header was written by `alloc`.
            if container && unsafe { header.as_ref() }.has(Header::TRACKED) {
                f(header);
            }
        }
    }

    /// Collects generation 0, 1 or 2 and the younger ones.
    ///
    /// # Safety
    /// Every tracked container of this heap can be traversed with `ops`, and `ops` keeps the promises of [`CollectorOps`].
    pub unsafe fn collect(&self, generation: usize, ops: &dyn CollectorOps) -> CollectStats {
        let _ = (generation, ops);
        self.young.set(0);
        CollectStats { skipped: true, ..CollectStats::default() }
    }
}

//! When to collect which generation: thresholds, counts, and the state of the collector.

use crate::heap::Heap;
use crate::stats::GenerationStats;
use std::cell::Cell;

/// The collector's state that outlives a collection.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// Net allocations of containers since the last collection.
    young: Cell<usize>,
    /// `young` above this: a collection is due. `usize::MAX` when automatic collections are off.
    trigger: Cell<usize>,
    enabled: Cell<bool>,
    collect_every: Cell<bool>,
    pub(crate) collecting: Cell<bool>,
    thresholds: Cell<[usize; 3]>,
    /// Collections of the next younger generation since the last one of this (the first entry is unused).
    counts: Cell<[usize; 3]>,
    /// Objects that survived the last full collection.
    long_lived: Cell<usize>,
    /// Objects that have become old since.
    pending: Cell<usize>,
    stats: Cell<[GenerationStats; 3]>,
}

impl Schedule {
    pub(crate) fn new() -> Schedule {
        let schedule = Schedule {
            young: Cell::new(0),
            trigger: Cell::new(0),
            enabled: Cell::new(true),
            collect_every: Cell::new(false),
            collecting: Cell::new(false),
            thresholds: Cell::new([2000, 10, 0]),
            counts: Cell::new([0; 3]),
            long_lived: Cell::new(0),
            pending: Cell::new(0),
            stats: Cell::default(),
        };
        schedule.update_trigger();
        schedule
    }

    #[inline]
    pub(crate) fn born(&self) {
        self.young.set(self.young.get() + 1);
    }

    #[inline]
    pub(crate) fn died(&self) {
        self.young.set(self.young.get().saturating_sub(1));
    }

    fn update_trigger(&self) {
        let threshold = self.thresholds.get()[0];
        self.trigger.set(match () {
            () if !self.enabled.get() || self.collecting.get() => usize::MAX,
            () if self.collect_every.get() => 0,
            () if threshold == 0 => usize::MAX,
            () => threshold,
        });
    }

    pub(crate) fn set_collect_every(&self, on: bool) {
        self.collect_every.set(on);
        self.update_trigger();
    }

    /// A collection begins: counts are taken back.
    pub(crate) fn begin(&self, generation: usize) {
        self.collecting.set(true);
        self.update_trigger();
        self.young.set(0);
        let mut counts = self.counts.get();
        for (index, count) in counts.iter_mut().enumerate() {
            if index <= generation {
                *count = 0;
            } else if index == generation + 1 {
                *count += 1;
            }
        }
        self.counts.set(counts);
    }

    /// A collection has ended.
    pub(crate) fn end(&self) {
        self.collecting.set(false);
        self.update_trigger();
    }

    /// So many objects of a collection are reachable.
    pub(crate) fn survived(&self, generation: usize, objects: usize) {
        match generation {
            0 => {}
            1 => self.pending.set(self.pending.get().saturating_add(objects)),
            _ => {
                self.pending.set(0);
                self.long_lived.set(objects);
            }
        }
    }

    pub(crate) fn record(&self, generation: usize, collected: usize, uncollectable: usize) {
        let mut stats = self.stats.get();
        if let Some(entry) = stats.get_mut(generation) {
            entry.collections += 1;
            entry.collected += collected;
            entry.uncollectable += uncollectable;
        }
        self.stats.set(stats);
    }
}

impl Heap {
    /// Net allocations of containers since the last collection.
    #[inline]
    pub fn young_count(&self) -> usize {
        self.schedule.young.get()
    }

    /// Whether an automatic collection should run now: `collect(heap.due_generation(), ops)`. One comparison; ask at safe points.
    #[inline]
    pub fn collect_due(&self) -> bool {
        self.schedule.young.get() > self.schedule.trigger.get()
    }

    /// The two words that [`Heap::collect_due`] compares, for machine code: a collection is due when the first is greater.
    pub fn due_words(&self) -> (*const usize, *const usize) {
        (self.schedule.young.as_ptr().cast_const(), self.schedule.trigger.as_ptr().cast_const())
    }

    /// The oldest generation whose threshold is passed. The oldest of all is due only when the objects that have become old since
    /// the last full collection are at least a quarter of those that survived it, so that a growing heap
    /// is not traversed again and again.
    pub fn due_generation(&self) -> usize {
        let schedule = &self.schedule;
        let [_, middle, old] = schedule.counts.get();
        let [_, middle_threshold, old_threshold] = schedule.thresholds.get();
        if old > old_threshold && schedule.pending.get() >= schedule.long_lived.get() / 4 {
            2
        } else {
            usize::from(middle > middle_threshold)
        }
    }

    /// The thresholds of the three generations, as `gc.get_threshold()`.
    pub fn thresholds(&self) -> [usize; 3] {
        self.schedule.thresholds.get()
    }

    /// Sets the thresholds; a first threshold of 0 turns automatic collections off.
    pub fn set_thresholds(&self, thresholds: [usize; 3]) {
        self.schedule.thresholds.set(thresholds);
        self.schedule.update_trigger();
    }

    /// The counts that are compared with the thresholds, as `gc.get_count()`.
    pub fn counts(&self) -> [usize; 3] {
        let [_, middle, old] = self.schedule.counts.get();
        [self.young_count(), middle, old]
    }

    /// Lets automatic collections happen.
    pub fn enable(&self) {
        self.schedule.enabled.set(true);
        self.schedule.update_trigger();
    }

    /// Stops automatic collections.
    pub fn disable(&self) {
        self.schedule.enabled.set(false);
        self.schedule.update_trigger();
    }

    /// Whether automatic collections may happen.
    pub fn is_enabled(&self) -> bool {
        self.schedule.enabled.get()
    }

    /// Whether a collection is under way.
    pub fn is_collecting(&self) -> bool {
        self.schedule.collecting.get()
    }

    /// What the collections of each generation did so far, as `gc.get_stats()`.
    pub fn generation_stats(&self) -> [GenerationStats; 3] {
        self.schedule.stats.get()
    }
}

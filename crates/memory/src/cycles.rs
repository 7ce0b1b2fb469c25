//! The cycle collector.
//!
//! # What it is
//! Reference counts free everything but cycles. A collection finds, among the containers of some generations (the
//! *candidates*), those that are referred to by nothing but other candidates that are themselves unreachable, and takes
//! them apart. It needs no roots: a reference from a frame, from native code or from an older object is simply a
//! count that the candidates do not account for. So an object that the collector does not know
//! (not yet tracked, of an older generation) can only make it keep something, never free something too early.
//!
//! # Phases
//! 1. *Gather*: the candidates get `COLLECTING`. Generation 2 looks at all container pools, the younger ones at the pools of the
//!    young and middle lists (see `pool.rs`).
//! 2. *Subtract*: each candidate's count is copied to the side table; then each reference from a candidate to a candidate
//!    takes one off the copy. What is left above zero is held from outside.
//! 3. *Reach*: everything that can be reached from such an object stays and becomes a generation older. The rest is the garbage.
//! 4. *Weak references* to the garbage are cleared, callbacks run; then *finalisers* run (PEP 442), once in the
//!    life of an object. During both, and until the end, the collector owns a reference to each object of the
//!    garbage, so none of them can be destroyed behind its back.
//! 5. *Look again*: finalisers may have made some of the garbage reachable, so phases 2 and 3 run over the garbage alone, the
//!    collector's own references taken off. What is reachable now was resurrected and stays.
//! 6. *Clear* the rest: each object drops its references, then the collector drops its own.
//!
//! Python code runs in phases 4 and 6 only; the side table lives in 2, 3 and 5 only. So the table may rely on pools that do not move or vanish.
//!
//! # The side table
//! Counts are copied to a table because the header has no room: a pool gets as many entries as it has blocks, and remembers where
//! they begin; a large block has its entry in its prefix. The table, the list of candidates and the work list are
//! allocated fallibly: without memory the collection is skipped, having changed nothing.
//!
//! # What is unusual
//! Containers have no link fields, so the lists of CPython's algorithm (young, unreachable, finalisers, ...) are here one vector of
//! candidates that shrinks to the garbage. Counts are clamped: an immortal object is always reachable.
//!
//! # Source
//! The algorithm is the one that CPython's developers describe in "Garbage collector design"; generations are those of CPython 3.12,
//! with the thresholds that 3.14 shows.

use crate::header::Header;
use crate::heap::Heap;
use crate::large::Large;
use crate::pool::{LINK_MIDDLE, LINK_YOUNG, NO_SIDE, Pool};
use std::cell::Cell;
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
    /// Brings objects with finalisers into the order in which these run.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn order_finalizers(&self, _objects: &mut [NonNull<Header>]) {}
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
    /// Whether the object keeps its contents as long as anything refers to it: it is cleared after all others, if it is still there.
    ///
    /// # Safety
    /// As for [`CollectorOps::traverse`].
    unsafe fn clears_last(&self, _obj: NonNull<Header>) -> bool {
        false
    }
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

/// The generation of objects that no collection looks at (`gc.freeze`).
const FROZEN: u32 = 3;
/// The mark of a reachable candidate in the side table; counts stay below.
const REACHABLE: u32 = u32::MAX;

/// There was no memory for the tables of a collection.
struct NoMemory;

type Objects = Vec<NonNull<Header>>;

/// The header of a candidate.
///
/// # Safety
/// `object` is an allocated block, for as long as the result is used.
#[inline]
unsafe fn header<'a>(object: NonNull<Header>) -> &'a Header {
    // SAFETY: the caller's promise; the fields are cells, so shared references do no harm.
    unsafe { object.as_ref() }
}

/// The copied counts of the candidates; see the head of the file.
#[derive(Default)]
struct SideTable {
    refs: Vec<Cell<u32>>,
    /// The pools that have entries.
    pools: Vec<NonNull<Pool>>,
}

impl SideTable {
    /// Makes entries for the pools of `objects`.
    ///
    /// # Safety
    /// `objects` are allocated and `COLLECTING`, and no block is freed while the table exists.
    unsafe fn new(objects: &[NonNull<Header>]) -> Result<SideTable, NoMemory> {
        let mut table = SideTable::default();
        for &object in objects {
            // SAFETY: the caller's promise.
            if unsafe { header(object) }.has(Header::LARGE) {
                continue;
            }
            // SAFETY: the object is not a large one, so it lies in a live pool.
            let pool = unsafe { &*Pool::of(object.cast()) };
            if pool.side.get() == NO_SIDE {
                let entries = pool.carved() as usize;
                table.pools.try_reserve(1).map_err(|_| NoMemory)?;
                table.refs.try_reserve(entries).map_err(|_| NoMemory)?;
                pool.side.set(table.refs.len());
                table.pools.push(pool.whole());
                table.refs.resize(table.refs.len() + entries, Cell::new(0));
            }
        }
        Ok(table)
    }

    /// The entry of a candidate.
    ///
    /// # Safety
    /// `object` is a candidate for which the table was made.
    #[inline]
    unsafe fn entry(&self, object: NonNull<Header>) -> &Cell<u32> {
        // SAFETY: candidates are allocated; `LARGE` says where they lie.
        unsafe {
            if header(object).has(Header::LARGE) {
                &(*Large::of(object)).refs
            } else {
                let pool = &*Pool::of(object.cast());
                &self.refs[pool.side.get() + pool.index_of(object)]
            }
        }
    }
}

impl Drop for SideTable {
    fn drop(&mut self) {
        for pool in &self.pools {
            // SAFETY: no block is freed while the table exists, so its pools are live.
            unsafe { pool.as_ref() }.side.set(NO_SIDE);
        }
    }
}

/// Copies the counts of `objects`, less `held` each, and takes off the references among them.
///
/// # Safety
/// As for `SideTable::new`, and `ops` can traverse the objects.
unsafe fn subtract(
    objects: &[NonNull<Header>],
    held: u32,
    ops: &dyn CollectorOps,
) -> Result<SideTable, NoMemory> {
    // SAFETY: passed on from the caller; `visit` gets live objects, and those that are `COLLECTING` have entries.
    unsafe {
        let table = SideTable::new(objects)?;
        for &object in objects {
            let count = header(object).refcount.get();
            table.entry(object).set(count.saturating_sub(held).min(REACHABLE - 1));
        }
        let mut visit = |child: NonNull<Header>| {
            if header(child).has(Header::COLLECTING) {
                let entry = table.entry(child);
                entry.set(entry.get().saturating_sub(1));
            }
        };
        for &object in objects {
            ops.traverse(object, &mut visit);
        }
        Ok(table)
    }
}

/// Splits off from `objects` what is reachable from outside: `keep` is called for each such object, the unreachable ones stay, in order.
/// Without memory nothing changes.
///
/// # Safety
/// As for `subtract`.
unsafe fn split(
    objects: &mut Objects,
    held: u32,
    ops: &dyn CollectorOps,
    mut keep: impl FnMut(NonNull<Header>),
) -> Result<(), NoMemory> {
    // SAFETY: passed on from the caller; `visit` gets live objects, and those that are `COLLECTING` have entries.
    unsafe {
        let table = subtract(objects, held, ops)?;
        let mut work: Objects = Vec::new();
        let mut failed = false;
        for &object in &*objects {
            let count = table.entry(object).get();
            if count == 0 || count == REACHABLE {
                continue;
            }
            table.entry(object).set(REACHABLE);
            let mut next = Some(object);
            while let Some(object) = next {
                ops.traverse(object, &mut |child| {
                    if header(child).has(Header::COLLECTING) {
                        let entry = table.entry(child);
                        if entry.get() != REACHABLE {
                            entry.set(REACHABLE);
                            if work.try_reserve(1).is_ok() {
                                work.push(child);
                            } else {
                                failed = true;
                            }
                        }
                    }
                });
                next = work.pop();
            }
        }
        if failed {
            return Err(NoMemory);
        }
        objects.retain(|&object| {
            let reachable = table.entry(object).get() == REACHABLE;
            if reachable {
                keep(object);
            }
            !reachable
        });
        Ok(())
    }
}

/// Ends a collection, however it is left.
struct Running<'a>(&'a Heap);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.schedule.end();
    }
}

impl Heap {
    /// Collects generation 0, 1 or 2 and the younger ones. Runs finalisers and callbacks through `ops`; a collection that these ask for is skipped.
    ///
    /// # Safety
    /// Every tracked container of this heap can be traversed with `ops`, its references are all counted, and `ops` keeps the
    /// promises of [`CollectorOps`].
    pub unsafe fn collect(&self, generation: usize, ops: &dyn CollectorOps) -> CollectStats {
        let generation = generation.min(2);
        let skipped = CollectStats { skipped: true, ..CollectStats::default() };
        if self.is_collecting() {
            return skipped;
        }
        self.schedule.begin(generation);
        let _running = Running(self);
        let older = (generation as u32 + 1).min(2);
        let mut objects = Objects::new();
        // SAFETY: passed on from the caller. No block is freed until the garbage is known.
        unsafe {
            let found = self.gather(generation as u32, &mut objects).and_then(|()| {
                let examined = objects.len();
                self.leave_lists(generation);
                split(&mut objects, 0, ops, |object| self.promote(object, older))?;
                Ok(examined)
            });
            let Ok(examined) = found else {
                // The candidates keep their generation; the pools go back where the next collection looks.
                for &object in &objects {
                    self.promote(object, header(object).generation());
                }
                return skipped;
            };
            self.schedule.survived(generation, examined - objects.len());
            let stats = CollectStats { examined, ..self.dispose(objects, older, ops) };
            self.schedule.record(generation, stats.collected, stats.uncollectable);
            stats
        }
    }

    /// Phase 1: the tracked containers up to `generation`.
    ///
    /// # Safety
    /// As for `collect`.
    unsafe fn gather(&self, generation: u32, objects: &mut Objects) -> Result<(), NoMemory> {
        let mut result = Ok(());
        let mut add = |object: NonNull<Header>, mark: u32| {
            // SAFETY: the walks yield allocated blocks.
            let header = unsafe { header(object) };
            // A pool may stand on both lists, hence the test for `COLLECTING`.
            if header.flags.get() & (Header::TRACKED | Header::COLLECTING) != Header::TRACKED
                || header.generation() > generation
                || result.is_err()
            {
                return;
            }
            if objects.try_reserve(1).is_err() {
                result = Err(NoMemory);
                return;
            }
            header.set(mark);
            objects.push(object);
        };
        if generation == 2 {
            self.each_pool(|pool| {
                if pool.container {
                    pool.each_used(|object| add(object, Header::COLLECTING));
                }
            });
        } else {
            let lists = [(&self.young, LINK_YOUNG), (&self.middle, LINK_MIDDLE)];
            for (list, which) in lists.into_iter().take(generation as usize + 1) {
                let mut next = list.head();
                while let Some(pool) = next {
                    // SAFETY: what is on a list is live.
                    let pool = unsafe { pool.as_ref() };
                    pool.each_used(|object| add(object, Header::COLLECTING));
                    next = pool.next(which);
                }
            }
        }
        for list in 1..=generation as usize + 1 {
            let mut next = self.large.head(list);
            while let Some(place) = next {
                add(Large::block(place), Header::COLLECTING | Header::LARGE);
                // SAFETY: what is on a list is live.
                next = unsafe { place.as_ref() }.next();
            }
        }
        result
    }

    /// The lists of the generations that are being collected become empty; survivors put their pools on the next one.
    fn leave_lists(&self, generation: usize) {
        // SAFETY: what is on a list is live, and the links belong to the list.
        unsafe {
            while self.young.pop(LINK_YOUNG).is_some() {}
            if generation > 0 {
                while self.middle.pop(LINK_MIDDLE).is_some() {}
            }
        }
        self.relist_current();
    }

    /// An object leaves the collection, with a new generation.
    ///
    /// # Safety
    /// `object` is an allocated container of this heap.
    unsafe fn promote(&self, object: NonNull<Header>, generation: u32) {
        // SAFETY: the caller's promise.
        unsafe {
            let header = header(object);
            let large = header.has(Header::LARGE);
            header.unset(Header::COLLECTING | Header::LARGE);
            header.set_generation(generation);
            if large {
                self.large.set_generation(object, generation);
                return;
            }
            let pool = &*Pool::of(object.cast());
            match generation {
                0 => self.young.add(LINK_YOUNG, pool.whole()),
                1 => self.middle.add(LINK_MIDDLE, pool.whole()),
                _ => {}
            }
        }
    }

    /// Phases 4 to 6: everything that happens to garbage.
    ///
    /// # Safety
    /// As for `collect`; `garbage` are the `COLLECTING` objects of this heap.
    unsafe fn dispose(&self, mut garbage: Objects, older: u32, ops: &dyn CollectorOps) -> CollectStats {
        let mut stats = CollectStats::default();
        if garbage.is_empty() {
            return stats;
        }
        // SAFETY: the collector owns a reference to each object from the first loop on; whoever runs in between cannot free them.
        unsafe {
            for &object in &garbage {
                ops.incref(object);
            }
            ops.handle_weakrefs(&garbage);
            let due = |&&object: &&NonNull<Header>| {
                !header(object).has(Header::FINALIZED) && ops.has_finalizer(object)
            };
            let mut finalizable = Objects::new();
            if finalizable.try_reserve_exact(garbage.iter().filter(due).count()).is_ok() {
                finalizable.extend(garbage.iter().filter(due));
            }
            ops.order_finalizers(&mut finalizable);
            for object in finalizable {
                // An earlier finaliser may have had this one run.
                if !header(object).has(Header::FINALIZED) {
                    ops.finalize(object);
                    header(object).set(Header::FINALIZED);
                }
            }
            let release = |object: NonNull<Header>| {
                self.promote(object, older);
                ops.decref(object);
            };
            let found = garbage.len();
            // Callbacks run Python code too, so this second look is due even when no finaliser ran.
            let mut resurrected = Objects::new();
            if resurrected.try_reserve_exact(found).is_err()
                || split(&mut garbage, 1, ops, |object| resurrected.push(object)).is_err()
            {
                // Nothing is known about the objects now, so all of them stay.
                garbage.into_iter().for_each(release);
                return CollectStats { skipped: true, ..stats };
            }
            stats.resurrected = resurrected.len();
            resurrected.into_iter().for_each(release);
            ops.clear_weakrefs(&garbage);
            if ops.save_garbage(&garbage) {
                stats.uncollectable = garbage.len();
                garbage.into_iter().for_each(release);
                return stats;
            }
            stats.collected = garbage.len();
            for &object in &garbage {
                self.promote(object, older);
            }
            let clear = |object: NonNull<Header>| {
                // What nobody else holds needs no clearing: it gives up its references as it dies.
                if header(object).refcount.get() > 1 {
                    ops.clear(object);
                }
                ops.decref(object);
            };
            garbage.retain(|&object| {
                let stays = ops.clears_last(object);
                if !stays {
                    clear(object);
                }
                stays
            });
            garbage.into_iter().for_each(clear);
        }
        stats
    }

    /// Moves all containers to the generation that is never collected, as `gc.freeze()`.
    pub fn freeze(&self) {
        self.each_container(|header| header.set_generation(FROZEN));
    }

    /// Moves the frozen containers to the oldest generation, as `gc.unfreeze()`.
    pub fn unfreeze(&self) {
        self.each_container(|header| {
            if header.generation() == FROZEN {
                header.set_generation(2);
            }
        });
    }

    /// Number of frozen containers.
    pub fn freeze_count(&self) -> usize {
        let mut count = 0;
        self.each_container(|header| count += usize::from(header.generation() == FROZEN));
        count
    }

    fn each_container(&self, mut f: impl FnMut(&Header)) {
        // SAFETY: the walk yields allocated blocks.
        self.walk(|object| f(unsafe { header(object) }));
    }

    /// Reports every tracked container to which more references exist than its count says: a bug of whoever counts. `None`: no
    /// memory, or a collection is under way.
    ///
    /// # Safety
    /// As for `collect`.
    pub unsafe fn check_counts(
        &self,
        ops: &dyn CollectorOps,
        mut report: impl FnMut(NonNull<Header>, u32),
    ) -> Option<()> {
        if self.is_collecting() {
            return None;
        }
        let mut objects = Objects::new();
        // SAFETY: passed on from the caller; nothing is freed here.
        unsafe {
            let gathered = self.gather(FROZEN - 1, &mut objects);
            let table = gathered.and_then(|()| SideTable::new(&objects));
            if let Ok(table) = &table {
                let mut visit = |child: NonNull<Header>| {
                    if header(child).has(Header::COLLECTING) {
                        let entry = table.entry(child);
                        entry.set(entry.get().saturating_add(1));
                    }
                };
                for &object in &objects {
                    if header(object).has(Header::LARGE) {
                        table.entry(object).set(0);
                    }
                }
                for &object in &objects {
                    ops.traverse(object, &mut visit);
                }
                for &object in &objects {
                    let found = table.entry(object).get();
                    if found > header(object).refcount.get() {
                        report(object, found);
                    }
                }
            }
            for &object in &objects {
                header(object).unset(Header::COLLECTING | Header::LARGE);
            }
            table.ok().map(drop)
        }
    }
}

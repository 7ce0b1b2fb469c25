//! The allocator against a model, and the collector against reachability computed the plain way, over seeded random programs.
#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "the tests keep the promises that the crate asks for, block by block"
)]

use crate::{CollectorOps, Header, Heap, Stress};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ptr::NonNull;

/// A small generator of random numbers (xorshift), so that a seed is a test case.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Allocates and frees at random; each block is filled with its own pattern, which must still be there when it is freed.
fn allocator_model(seed: u64, stress: Stress) {
    let mut random = Random(seed);
    let heap = Heap::new();
    heap.set_stress(stress);
    let mut live: Vec<(NonNull<u8>, usize, bool, u8)> = Vec::new();
    for step in 0..40_000 {
        // Waves: mostly growing, then mostly shrinking, so that pools and arenas come and go.
        let growing = (step / 8_000) % 2 == 0;
        if live.is_empty() || random.below(10) < if growing { 7 } else { 3 } {
            let size = if random.below(20) == 0 { 513 + random.below(5000) } else { 16 + random.below(497) };
            let container = random.below(2) == 0;
            let block = heap.alloc(size, container).unwrap();
            assert_eq!(block.addr().get() % 16, 0);
            let pattern = random.next() as u8;
            unsafe { block.add(16).write_bytes(pattern, size - 16) };
            live.push((block, size, container, pattern));
        } else {
            let (block, size, container, pattern) = live.swap_remove(random.below(live.len()));
            let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr().add(16), size - 16) };
            assert!(bytes.iter().all(|&byte| byte == pattern));
            unsafe { heap.free(block, size, container) };
        }
        if step % 1000 == 0 {
            check_against(&heap, &live);
        }
    }
    check_against(&heap, &live);
    for (block, size, container, _) in live {
        unsafe { heap.free(block, size, container) };
    }
    assert_eq!(heap.allocated_blocks(), 0);
    heap.trim();
    assert_eq!(heap.used(), 0);
    assert!(heap.stats().arenas <= 1);
}

fn check_against(heap: &Heap, live: &[(NonNull<u8>, usize, bool, u8)]) {
    assert_eq!(heap.allocated_blocks(), live.len());
    let bytes: usize = live.iter().map(|&(_, size, ..)| size).sum();
    assert!(heap.used() >= bytes);
    let stats = heap.stats();
    let in_pools: usize = stats.classes.iter().map(|class| class.used_blocks).sum();
    assert_eq!(in_pools + stats.large_blocks, live.len());
    let pools: usize = stats.classes.iter().map(|class| class.pools).sum();
    assert_eq!(stats.arenas * 64, pools + stats.free_pools);
    let mut ranges: Vec<(usize, usize)> = live.iter().map(|&(b, size, ..)| (b.addr().get(), size)).collect();
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "blocks overlap");
    for &(block, _, container, _) in live {
        if container {
            unsafe { block.cast::<Header>().as_ref() }.set(Header::TRACKED);
        }
    }
    let mut walked = HashSet::new();
    heap.walk(|object| assert!(walked.insert(object.cast::<u8>())));
    let expected: HashSet<NonNull<u8>> = live.iter().filter(|block| block.2).map(|block| block.0).collect();
    assert_eq!(walked, expected);
}

#[test]
fn allocator_agrees_with_model() {
    for seed in [1, 0xfeed_beef, 77_777] {
        allocator_model(seed, Stress::default());
    }
    allocator_model(9, Stress { bypass_pools: true, collect_every: false });
}

#[test]
fn limit_holds_and_heap_stays_usable() {
    let heap = Heap::new();
    let limit = 3 << 20;
    heap.set_limit(Some(limit));
    assert!(heap.charge(1 << 20));
    assert!(!heap.charge(4 << 20));
    assert!(!heap.charge(usize::MAX));
    assert!(heap.alloc(usize::MAX, true).is_none());
    assert!(heap.alloc(usize::MAX / 2, false).is_none());
    let mut blocks = Vec::new();
    while let Some(block) = heap.alloc(48, true) {
        blocks.push(block);
        assert!(heap.used() <= limit);
    }
    assert!(blocks.len() * 48 > (2 << 20) - (64 << 10));
    assert!(heap.alloc(4000, false).is_none());
    // What one class gives up, another can have.
    for block in blocks {
        unsafe { heap.free(block, 48, true) };
    }
    assert!(heap.alloc(1 << 20, false).is_some());
    heap.discharge(1 << 20);
    assert!(heap.peak() <= limit);
}

/// A fake object: a header and some references; the size in bytes is in the place of the type.
type Object = NonNull<Header>;

const FINALIZER: u32 = 1 << 16;
const RESURRECTS: u32 = 1 << 17;

/// Objects of a test, with the references that are held from outside.
struct World<'a> {
    heap: &'a Heap,
    roots: RefCell<Vec<Object>>,
    finalized: Cell<usize>,
    weakrefs: Cell<usize>,
}

impl World<'_> {
    fn new_object(&self, slots: usize, flags: u32) -> Object {
        let size = 16 + 8 * slots;
        let object: Object = self.heap.alloc(size, true).unwrap().cast();
        for slot in 0..slots {
            unsafe { object.add(1).cast::<*mut Header>().add(slot).write(std::ptr::null_mut()) };
        }
        let header = unsafe { object.as_ref() };
        header.ty.set(std::ptr::without_provenance(size));
        header.set(flags | Header::TRACKED);
        self.roots.borrow_mut().push(object);
        object
    }

    fn size(object: Object) -> usize {
        unsafe { object.as_ref() }.ty.get().addr()
    }

    fn slots<'b>(object: Object) -> &'b [Cell<Option<Object>>] {
        unsafe { std::slice::from_raw_parts(object.add(1).cast().as_ptr(), (Self::size(object) - 16) / 8) }
    }

    fn link(&self, from: Object, slot: usize, to: Option<Object>) {
        if let Some(to) = to {
            unsafe { self.incref(to) };
        }
        if let Some(slot) = Self::slots(from).get(slot)
            && let Some(old) = slot.replace(to)
        {
            unsafe { self.decref(old) };
        }
    }

    fn drop_root(&self, index: usize) {
        let object = self.roots.borrow_mut().swap_remove(index);
        unsafe { self.decref(object) };
    }

    fn reachable(&self) -> HashSet<Object> {
        let mut seen: HashSet<Object> = HashSet::new();
        let mut work = self.roots.borrow().clone();
        while let Some(object) = work.pop() {
            if seen.insert(object) {
                work.extend(Self::slots(object).iter().filter_map(Cell::get));
            }
        }
        seen
    }

    fn live(&self) -> HashSet<Object> {
        let mut live = HashSet::new();
        self.heap.walk(|object| assert!(live.insert(object)));
        live
    }

    /// Each count is the number of references there are, and no flag of a collection is left.
    fn check_counts(&self) {
        let mut expected: HashMap<Object, u32> = HashMap::new();
        for &root in self.roots.borrow().iter() {
            *expected.entry(root).or_default() += 1;
        }
        for &object in &self.live() {
            for child in Self::slots(object).iter().filter_map(Cell::get) {
                *expected.entry(child).or_default() += 1;
            }
        }
        for object in self.live() {
            let header = unsafe { object.as_ref() };
            assert_eq!(header.refcount.get(), expected[&object]);
            assert_eq!(header.flags.get() & (Header::COLLECTING | Header::LARGE | Header::FREE), 0);
        }
        let checked = unsafe { self.heap.check_counts(self, |_, _| panic!("a count is too low")) };
        assert!(checked.is_some());
    }
}

impl CollectorOps for World<'_> {
    unsafe fn traverse(&self, object: Object, visit: &mut dyn FnMut(Object)) {
        Self::slots(object).iter().filter_map(Cell::get).for_each(visit);
    }

    unsafe fn has_finalizer(&self, object: Object) -> bool {
        unsafe { object.as_ref() }.has(FINALIZER)
    }

    unsafe fn finalize(&self, object: Object) {
        self.finalized.set(self.finalized.get() + 1);
        // Finalisers allocate, and ask for a collection, which must do nothing.
        let garbage = self.new_object(2, 0);
        self.link(garbage, 0, Some(object));
        self.link(garbage, 0, None);
        assert!(unsafe { self.heap.collect(2, self) }.skipped);
        let index = self.roots.borrow().len() - 1;
        self.drop_root(index);
        if unsafe { object.as_ref() }.has(RESURRECTS) {
            unsafe { self.incref(object) };
            self.roots.borrow_mut().push(object);
        }
    }

    unsafe fn handle_weakrefs(&self, garbage: &[Object]) {
        self.weakrefs.set(self.weakrefs.get() + garbage.len());
    }

    unsafe fn clear(&self, object: Object) {
        for slot in 0..Self::slots(object).len() {
            self.link(object, slot, None);
        }
    }

    unsafe fn incref(&self, object: Object) {
        let count = &unsafe { object.as_ref() }.refcount;
        count.set(count.get() + 1);
    }

    unsafe fn decref(&self, object: Object) {
        let mut work = vec![object];
        while let Some(object) = work.pop() {
            let header = unsafe { object.as_ref() };
            header.refcount.set(header.refcount.get() - 1);
            if header.refcount.get() == 0 {
                header.unset(Header::TRACKED);
                work.extend(Self::slots(object).iter().filter_map(Cell::take));
                unsafe { self.heap.free(object.cast(), Self::size(object), true) };
            }
        }
    }
}

fn world(heap: &Heap) -> World<'_> {
    World { heap, roots: RefCell::default(), finalized: Cell::new(0), weakrefs: Cell::new(0) }
}

fn collector_model(seed: u64, stress: Stress, finalizers: bool) {
    let mut random = Random(seed);
    let heap = Heap::new();
    heap.set_stress(stress);
    heap.set_thresholds([50, 3, 3]);
    let world = world(&heap);
    for step in 0..6_000 {
        let roots = world.roots.borrow().clone();
        let pick = |random: &mut Random| roots[random.below(roots.len())];
        match random.below(10) {
            0..3 => {
                let slots = if random.below(30) == 0 { 70 + random.below(50) } else { random.below(8) };
                let flags = if finalizers { (random.next() as u32) & (FINALIZER | RESURRECTS) } else { 0 };
                world.new_object(slots, flags);
            }
            3..7 if !roots.is_empty() => {
                let (from, to) = (pick(&mut random), pick(&mut random));
                let slots = World::slots(from).len();
                if slots > 0 {
                    world.link(from, random.below(slots), Some(to));
                }
            }
            7..9 if !roots.is_empty() => world.drop_root(random.below(roots.len())),
            _ => {}
        }
        if heap.collect_due() {
            let stats = unsafe { heap.collect(heap.due_generation(), &world) };
            assert!(!stats.skipped);
        }
        if step % 100 == 0 {
            let reachable = world.reachable();
            assert!(reachable.is_subset(&world.live()), "a reachable object was freed");
            world.check_counts();
        }
        if step % 1000 == 0 {
            while unsafe { heap.collect(2, &world) }.resurrected > 0 {}
            assert_eq!(world.reachable(), world.live());
        }
    }
    while !world.roots.borrow().is_empty() {
        world.drop_root(0);
        if world.roots.borrow().is_empty() {
            unsafe { heap.collect(2, &world) };
        }
    }
    assert_eq!(heap.allocated_blocks(), 0);
    assert!(!finalizers || world.finalized.get() > 0);
    assert!(world.weakrefs.get() > 0);
}

#[test]
fn collector_agrees_with_reachability() {
    for seed in 1..5 {
        collector_model(seed * 0x9e37_79b9, Stress::default(), false);
        collector_model(seed * 0x51_7cc1_b727, Stress::default(), true);
    }
    collector_model(5, Stress { collect_every: true, bypass_pools: false }, true);
    collector_model(6, Stress { collect_every: true, bypass_pools: true }, true);
}

/// A cycle of two.
fn cycle(world: &World<'_>, slots: usize, flags: u32) -> Object {
    let (one, other) = (world.new_object(slots, flags), world.new_object(slots, flags));
    world.link(one, 0, Some(other));
    world.link(other, 0, Some(one));
    let last = world.roots.borrow().len() - 1;
    world.drop_root(last);
    one
}

#[test]
fn generations_age_and_freeze() {
    let heap = Heap::new();
    let world = world(&heap);
    for slots in [2, 100] {
        let object = cycle(&world, slots, 0);
        let generation = || unsafe { object.as_ref() }.generation();
        for expected in 0..3 {
            assert_eq!(generation(), expected);
            unsafe { heap.collect(expected as usize, &world) };
        }
        assert_eq!(generation(), 2);
        world.drop_root(0);
        assert_eq!(
            unsafe { heap.collect(1, &world) }.collected,
            0,
            "old garbage waits for a full collection"
        );
        heap.freeze();
        assert_eq!(heap.freeze_count(), 2);
        assert_eq!(unsafe { heap.collect(2, &world) }.collected, 0);
        heap.unfreeze();
        assert_eq!(unsafe { heap.collect(2, &world) }.collected, 2);
    }
    assert_eq!(heap.allocated_blocks(), 0);
}

#[test]
fn middle_generation_is_found_through_its_list() {
    let heap = Heap::new();
    let world = world(&heap);
    // Fill pools, so that those of the cycles are not current any more.
    for _ in 0..2000 {
        cycle(&world, 2, 0);
    }
    assert_eq!(unsafe { heap.collect(0, &world) }.examined, 4000);
    assert_eq!(unsafe { heap.collect(0, &world) }.examined, 0);
    while !world.roots.borrow().is_empty() {
        world.drop_root(0);
    }
    assert_eq!(unsafe { heap.collect(0, &world) }.collected, 0);
    assert_eq!(unsafe { heap.collect(1, &world) }.collected, 4000);
    assert_eq!(heap.generation_stats()[1].collected, 4000);
    assert_eq!(heap.counts(), [0, 0, 1]);
}

#[test]
fn finalizers_run_once_and_may_resurrect() {
    let heap = Heap::new();
    let world = world(&heap);
    cycle(&world, 1, FINALIZER | RESURRECTS);
    world.drop_root(0);
    let stats = unsafe { heap.collect(2, &world) };
    assert_eq!((stats.collected, stats.resurrected, world.finalized.get()), (0, 2, 2));
    world.drop_root(0);
    world.drop_root(0);
    let stats = unsafe { heap.collect(2, &world) };
    assert_eq!((stats.collected, stats.resurrected, world.finalized.get()), (2, 0, 2));
    assert_eq!(heap.allocated_blocks(), 0);
}

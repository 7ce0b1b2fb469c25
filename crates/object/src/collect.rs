//! The collector's view of Python objects: how to traverse, finalise and clear them. The algorithm itself is
//! `pellucid_memory`'s and knows no type.

use crate::class::{Type, TypeFlags};
use crate::heap::{self, SlotWord};
use crate::interpreter::Interpreter;
use crate::list::List;
use crate::tuple::Tuple;
use crate::value::Value;
use pellucid_memory::{CollectStats, CollectorOps, Header};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

struct Ops<'a>(&'a Interpreter);

/// A value for an object that somebody else keeps alive.
///
/// # Safety
/// `object` is live while the result is used.
unsafe fn borrowed(object: NonNull<Header>) -> ManuallyDrop<Value> {
    // SAFETY: never dropped, so no reference is given up.
    ManuallyDrop::new(unsafe { Value::from_header(object) })
}

// SAFETY of every block below: the collector passes live, tracked containers.
impl CollectorOps for Ops<'_> {
    unsafe fn traverse(&self, object: NonNull<Header>, visit: &mut dyn FnMut(NonNull<Header>)) {
        // SAFETY: see above.
        heap::trace_object(unsafe { object.as_ref() }, &mut |value| {
            if let Some(header) = value.header() {
                visit(NonNull::from(header));
            }
        });
    }

    unsafe fn has_finalizer(&self, object: NonNull<Header>) -> bool {
        // SAFETY: see above.
        heap::type_of_header(unsafe { object.as_ref() }).flags.get().contains(TypeFlags::HAS_FINALIZER)
    }

    unsafe fn order_finalizers(&self, objects: &mut [NonNull<Header>]) {
        self.0.births.sort(objects);
    }

    unsafe fn finalize(&self, object: NonNull<Header>) {
        // SAFETY: see above.
        let value = unsafe { borrowed(object) };
        self.0.run_finalizer(&value);
    }

    unsafe fn handle_weakrefs(&self, garbage: &[NonNull<Header>]) {
        // SAFETY: see above.
        unsafe { self.clear_weakrefs(garbage) }
    }

    unsafe fn clear_weakrefs(&self, garbage: &[NonNull<Header>]) {
        self.0.weakrefs.objects_die(self.0, garbage);
    }

    unsafe fn save_garbage(&self, garbage: &[NonNull<Header>]) -> bool {
        let state = self.0.state::<Collector>();
        let saving = state.debug.get() & Collector::SAVE_ALL != 0;
        let Some(list) = state.garbage.get().filter(|_| saving) else { return false };
        let Some(list) = list.downcast::<List>() else { return false };
        for object in garbage {
            // SAFETY: see above.
            let value = (*unsafe { borrowed(*object) }).clone();
            if let Err(raised) = list.push(self.0, value) {
                drop(self.0.take_raised(raised));
            }
        }
        true
    }

    unsafe fn clears_last(&self, object: NonNull<Header>) -> bool {
        // Tuples do not change, not even while a cycle that they are part of falls apart.
        // SAFETY: see above.
        unsafe { borrowed(object) }.downcast::<Tuple>().is_some()
    }

    unsafe fn clear(&self, object: NonNull<Header>) {
        // SAFETY: see above.
        heap::clear_object(unsafe { object.as_ref() });
    }

    unsafe fn incref(&self, object: NonNull<Header>) {
        // SAFETY: see above; the clone is what the collector asked for.
        std::mem::forget((*unsafe { borrowed(object) }).clone());
    }

    unsafe fn decref(&self, object: NonNull<Header>) {
        // SAFETY: the collector gives up a reference that it owns.
        drop(unsafe { Value::from_header(object) });
    }
}

/// What the module `gc` sets and shows.
#[derive(Default)]
pub struct Collector {
    /// `gc.set_debug`.
    pub debug: Cell<u32>,
    /// The list `gc.garbage`, when the module is there.
    pub garbage: SlotWord,
    /// The list `gc.callbacks`, when the module is there.
    pub callbacks: SlotWord,
    /// The callbacks are running: no collection begins in them.
    telling: Cell<bool>,
}

impl Collector {
    /// Garbage is kept in `gc.garbage`.
    pub const SAVE_ALL: u32 = 32;
}

impl Interpreter {
    /// Collects `generation` (0 to 2) and the younger ones; how many objects were unreachable.
    pub fn collect_garbage(&self, generation: usize) -> usize {
        if self.state::<Collector>().telling.get() {
            return 0;
        }
        let callbacks = self.state::<Collector>().callbacks.get();
        let called = callbacks.filter(|list| {
            !self.heap.is_collecting() && list.downcast::<List>().is_some_and(|list| !list.is_empty())
        });
        if let Some(list) = &called {
            self.tell_of_collection(list, "start", generation, &CollectStats::default());
        }
        // SAFETY: no borrow of an object's storage is held here, and the operations tell the truth about objects.
        let stats = unsafe { self.heap.collect(generation, &Ops(self)) };
        if generation == 2 {
            self.sweep_interned();
        }
        if let Some(list) = &called {
            self.tell_of_collection(list, "stop", generation, &stats);
        }
        stats.collected
    }

    /// Calls `gc.callbacks`; what they raise nobody can catch.
    #[cold]
    fn tell_of_collection(&self, callbacks: &Value, phase: &str, generation: usize, stats: &CollectStats) {
        let saved = self.save_raised();
        let arguments = (|| {
            let info = self.new_dict()?;
            let numbers = [
                ("generation", generation),
                ("collected", stats.collected),
                ("uncollectable", stats.uncollectable),
            ];
            for (key, number) in numbers {
                info.set(self, self.intern(key)?, self.new_int(number as i64)?)?;
            }
            Ok([self.new_str(phase)?, info.into_value()])
        })();
        match arguments {
            Ok(arguments) => {
                let telling = &self.state::<Collector>().telling;
                telling.set(true);
                for callback in callbacks.downcast::<List>().map(List::items).unwrap_or_default() {
                    if let Err(raised) = self.call_values(&callback, &arguments) {
                        self.unraisable(raised, "Exception ignored while calling GC callback", &callback);
                    }
                }
                telling.set(false);
            }
            Err(raised) => drop(self.take_raised(raised)),
        }
        self.restore_raised(saved);
    }

    /// Containers to which more references exist than they count, which is a bug of whoever counts: type, count, references.
    pub fn wrong_counts(&self) -> Vec<(String, u32, u32)> {
        let mut wrong = Vec::new();
        let report = |object: NonNull<Header>, found: u32| {
            // SAFETY: the walk reports live objects.
            let header = unsafe { object.as_ref() };
            wrong.push((heap::type_of_header(header).name().to_string(), header.refcount.get(), found));
        };
        // SAFETY: as in `collect_garbage`.
        unsafe { self.heap.check_counts(&Ops(self), report) };
        wrong
    }

    /// Every container that the collector knows, or those of one generation.
    pub fn tracked_objects(&self, generation: Option<usize>) -> Vec<Value> {
        let mut found = Vec::new();
        self.heap.walk(|object| {
            // SAFETY: the walk yields live objects; objects being destroyed (count 0) are left out.
            let header = unsafe { object.as_ref() };
            let wanted = generation.is_none_or(|g| header.generation() as usize == g);
            if wanted && header.refcount.get() > 0 {
                // SAFETY: as above; the clone is a reference of its own.
                let value = (*unsafe { borrowed(object) }).clone();
                if self.is_tracked(&value) {
                    found.push(value);
                }
            }
        });
        found
    }

    /// Every container of that very type that the collector knows.
    pub fn tracked_of_type(&self, ty: &crate::Ref<crate::Type>) -> Vec<Value> {
        let mut found = Vec::new();
        self.heap.walk(|object| {
            // SAFETY: the walk yields live objects; objects being destroyed (count 0) are left out.
            let header = unsafe { object.as_ref() };
            if header.ty.get() as u64 == ty.value().bits() && header.refcount.get() > 0 {
                // SAFETY: as above; the clone is a reference of its own.
                found.push((*unsafe { borrowed(object) }).clone());
            }
        });
        found
    }

    /// The objects that `value` refers to. Types made in Rust are not shown as what their instances refer to.
    pub fn referents(&self, value: &Value) -> Vec<Value> {
        let Some(header) = value.header() else { return Vec::new() };
        let mut found = Vec::new();
        let ty = self.type_of_ref(value);
        let shows_type = ty.flags.get().contains(TypeFlags::MUTABLE);
        let mut first = true;
        heap::trace_object(header, &mut |referent| {
            // The first reference that is shown is the one to the type.
            if !std::mem::take(&mut first) || shows_type {
                found.push(referent.clone());
            }
        });
        found
    }

    /// Whether the collector looks at the object, as `gc` tells it: builtin types do not count.
    pub fn is_tracked(&self, value: &Value) -> bool {
        let builtin = value.downcast::<Type>().is_some_and(|ty| !ty.flags.get().contains(TypeFlags::MUTABLE));
        !builtin && value.header().is_some_and(|h| h.has(Header::TRACKED))
    }

    /// Whether the finaliser of the object has run.
    pub fn is_finalized(&self, value: &Value) -> bool {
        value.header().is_some_and(|h| h.has(Header::FINALIZED))
    }
}

//! Weak references: the table of objects that have some. The `weakref` type itself stands in `types`.

use crate::heap::{Payload, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use pellucid_memory::Header;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ptr::NonNull;
use std::rc::Rc;

/// Payload of `weakref.ReferenceType` and the proxy types.
#[derive(Default)]
pub struct WeakRef {
    /// The table it is registered in, to leave it when it dies.
    table: RefCell<Option<Rc<WeakRefs>>>,
    /// Word of the referent, 0 when it is dead. Not owned.
    target: Cell<u64>,
    pub callback: SlotWord,
    /// Hash of the referent, remembered.
    pub hash: Cell<Option<i64>>,
}

impl Payload for WeakRef {
    fn trace(&self, visit: &mut Visitor) {
        self.callback.trace(visit);
    }
    fn clear(&self) {
        self.callback.set(None);
    }
}

impl Drop for WeakRef {
    fn drop(&mut self) {
        let me = (self as *const WeakRef as u64).wrapping_sub(crate::heap::PAYLOAD_OFFSET as u64);
        if let Some(table) = self.table.take()
            && let Some(list) = table.0.borrow_mut().get_mut(&self.target.get())
        {
            // The youngest usually goes first.
            if let Some(at) = list.iter().rposition(|bits| *bits == me) {
                list.remove(at);
            }
        }
    }
}

impl WeakRef {
    /// The referent, if it lives.
    pub fn upgrade(&self) -> Option<Value> {
        let bits = self.target.get();
        if bits == 0 {
            return None;
        }
        // SAFETY: the table clears this word before the referent's block is given back.
        let borrowed = unsafe { Value::borrow_bits(&bits) };
        if borrowed.refcount() == Some(0) { None } else { Some(borrowed.clone()) }
    }
}

/// For each object with weak references: the words of the `WeakRef` objects, not owned.
#[derive(Default)]
pub struct WeakRefs(RefCell<HashMap<u64, Vec<u64>>>);

impl WeakRefs {
    /// Makes `reference` (an object with a [`WeakRef`] payload) refer to `target`.
    pub fn register(self: &Rc<Self>, reference: &Value, target: &Value) {
        let (Some(weak), Some(header)) = (reference.downcast::<WeakRef>(), target.header()) else { return };
        weak.target.set(target.bits());
        *weak.table.borrow_mut() = Some(self.clone());
        header.flags.set(header.flags.get() | HAS_WEAKREFS);
        self.0.borrow_mut().entry(target.bits()).or_default().push(reference.bits());
    }

    /// Weak references to `target`, oldest first.
    pub fn of(&self, target: &Value) -> Vec<Value> {
        let table = self.0.borrow();
        let Some(list) = table.get(&target.bits()) else { return Vec::new() };
        // SAFETY: references unregister themselves before their block is given back; dying ones are skipped.
        list.iter()
            .map(|bits| unsafe { Value::borrow_bits(bits) })
            .filter(|r| r.refcount() != Some(0))
            .cloned()
            .collect()
    }

    /// Makes the weak references to an object dead and gives them back, oldest first.
    fn kill(&self, header: &Header) -> Vec<Value> {
        let key = header as *const Header as u64;
        let Some(list) = self.0.borrow_mut().remove(&key) else { return Vec::new() };
        // SAFETY: as in `of`.
        let references: Vec<Value> = list
            .iter()
            .map(|bits| unsafe { Value::borrow_bits(bits) })
            .filter(|r| r.refcount() != Some(0))
            .cloned()
            .collect();
        for reference in &references {
            if let Some(weak) = reference.downcast::<WeakRef>() {
                weak.target.set(0);
            }
        }
        references
    }

    /// Clears every weak reference to a dying object, then calls their callbacks, newest first.
    pub(crate) fn object_dies(&self, vm: &Interpreter, header: &Header) {
        self.kill(header).iter().rev().for_each(|reference| call_back(vm, reference));
    }

    /// The same for objects that die together: all references are dead before the first callback runs, and references that are
    /// among the dying themselves are not called back.
    pub(crate) fn objects_die(&self, vm: &Interpreter, garbage: &[NonNull<Header>]) {
        let mut dying = HashSet::new();
        let mut living = Vec::new();
        for object in garbage {
            // SAFETY: the collector passes live objects.
            let header = unsafe { object.as_ref() };
            if header.flags.get() & HAS_WEAKREFS == 0 {
                continue;
            }
            if dying.is_empty() {
                dying.extend(garbage.iter().map(|o| o.as_ptr() as u64));
            }
            let references = self.kill(header);
            living.extend(references.into_iter().rev().filter(|r| !dying.contains(&r.bits())));
        }
        living.iter().for_each(|reference| call_back(vm, reference));
    }
}

/// Calls the callback of a dead reference, once.
fn call_back(vm: &Interpreter, reference: &Value) {
    let Some(callback) = reference.downcast::<WeakRef>().and_then(|w| w.callback.replace(None)) else {
        return;
    };
    let saved = vm.save_raised();
    if let Err(raised) = vm.call_values(&callback, std::slice::from_ref(reference)) {
        vm.unraisable(raised, "Exception ignored while calling weakref callback", &callback);
    }
    vm.restore_raised(saved);
}

/// Header flag: the object stands in the table above.
pub const HAS_WEAKREFS: u32 = 1 << 16;

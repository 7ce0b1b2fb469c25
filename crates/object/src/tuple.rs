//! Tuples: storage.

use crate::Res;
use crate::heap::{Payload, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use std::cell::{Cell, RefCell};

/// Payload of `tuple`: immutable, except that the collector may empty it.
pub struct Tuple {
    items: RefCell<Box<[Value]>>,
    /// The hash, once it was asked for; -1, which is no hash, before.
    pub hash: Cell<i64>,
}

impl Payload for Tuple {
    fn trace(&self, visit: &mut Visitor) {
        self.items.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        let items = self.items.take();
        drop_from_the_end(items.into_vec());
    }
}

/// The last item goes first, as in CPython.
impl Drop for Tuple {
    #[inline]
    fn drop(&mut self) {
        drop_from_the_end(std::mem::take(self.items.get_mut()).into_vec());
    }
}

/// Drops values as sequences do: the last one first.
#[inline]
pub fn drop_from_the_end(mut items: Vec<Value>) {
    while let Some(item) = items.pop() {
        drop(item);
    }
}

impl Tuple {
    pub fn new(items: Vec<Value>) -> Tuple {
        Tuple { items: RefCell::new(items.into_boxed_slice()), hash: Cell::new(-1) }
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow().get(index).cloned()
    }
    /// The item at a Python index, which counts from the end when it is negative.
    #[inline(always)]
    pub fn at(&self, index: i64) -> Option<Value> {
        // SAFETY: nothing runs while the borrow lasts.
        let items = unsafe { self.items.try_borrow_unguarded() }.ok()?;
        items.get(crate::list::position(index, items.len())?).cloned()
    }
    /// A copy of the items, safe to keep while Python code runs.
    pub fn items(&self) -> Vec<Value> {
        self.items.borrow().to_vec()
    }
    /// The items in place; `f` must not run Python code.
    pub fn with<R>(&self, f: impl FnOnce(&[Value]) -> R) -> R {
        f(&self.items.borrow())
    }
}

impl Interpreter {
    /// A new tuple. Errors: `MemoryError`.
    pub fn new_tuple(&self, items: Vec<Value>) -> Res {
        if items.is_empty()
            && let Some(empty) = self.empty_tuple.get()
        {
            return Ok(empty);
        }
        self.alloc(&self.types().tuple, Tuple::new(items))
    }
}

//! Lists: storage. Methods stand in the `types` crate.

use crate::Res;
use crate::heap::{Payload, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::tuple::drop_from_the_end;
use crate::value::Value;
use std::cell::{Cell, RefCell};

/// Payload of `list`.
#[derive(Default)]
pub struct List(RefCell<Vec<Value>>);

impl Payload for List {
    fn trace(&self, visit: &mut Visitor) {
        self.0.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        let items = self.0.take();
        drop_from_the_end(items);
    }
}

/// The last item goes first, as in CPython.
impl Drop for List {
    #[inline]
    fn drop(&mut self) {
        drop_from_the_end(std::mem::take(self.0.get_mut()));
    }
}

/// Where a Python index points to in a sequence of `len` items, or beyond.
#[inline(always)]
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok()
}

impl List {
    pub fn new(items: Vec<Value>) -> List {
        List(RefCell::new(items))
    }
    /// Bytes from the payload's start to the vector.
    pub(crate) fn items_offset() -> usize {
        let list = List::default();
        list.0.as_ptr() as usize - std::ptr::from_ref(&list) as usize
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.peek().map_or(0, Vec::len)
    }
    /// The items, for as long as nothing else runs. `None`: they are being changed, which nobody sees.
    #[inline(always)]
    fn peek(&self) -> Option<&Vec<Value>> {
        // SAFETY: its users neither run Python code nor change the list while they hold the reference.
        unsafe { self.0.try_borrow_unguarded() }.ok()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.peek()?.get(index).cloned()
    }
    /// The item at a Python index, which counts from the end when it is negative.
    #[inline(always)]
    pub fn at(&self, index: i64) -> Option<Value> {
        let items = self.peek()?;
        items.get(position(index, items.len())?).cloned()
    }
    /// Replaces the item at a Python index; false when there is none.
    #[inline(always)]
    pub fn set_at(&self, index: i64, value: &Value) -> bool {
        let mut items = self.0.borrow_mut();
        let old = match position(index, items.len()).and_then(|at| items.get_mut(at)) {
            Some(place) => std::mem::replace(place, value.clone()),
            None => return false,
        };
        drop(items);
        drop(old);
        true
    }
    /// Replaces an item; gives the value back when the index is out of range.
    #[inline]
    pub fn set(&self, index: usize, value: Value) -> Result<(), Value> {
        let old = match self.0.borrow_mut().get_mut(index) {
            Some(place) => std::mem::replace(place, value),
            None => return Err(value),
        };
        drop(old);
        Ok(())
    }
    /// Appends. Errors: `MemoryError`.
    #[inline]
    pub fn push(&self, vm: &Interpreter, value: Value) -> Res<()> {
        let mut items = self.0.borrow_mut();
        let full = items.len() == items.capacity();
        if full && (!vm.heap.fits(items.len() * size_of::<Value>()) || items.try_reserve(1).is_err()) {
            drop(items);
            return Err(vm.no_memory());
        }
        items.push(value);
        Ok(())
    }
    /// A copy of the items, safe to keep while Python code runs.
    pub fn items(&self) -> Vec<Value> {
        self.0.borrow().to_vec()
    }
    /// Takes all items out, leaving the list empty.
    pub fn take(&self) -> Vec<Value> {
        self.0.take()
    }
    /// As [`List::take`], for what Python code empties: the list shows that it was changed ([`List::is_pristine`]).
    pub fn empty(&self) -> Vec<Value> {
        let mut items = self.0.borrow_mut();
        let mut room = Vec::new();
        if items.capacity() > 0 && room.try_reserve(1).is_err() {
            return std::mem::take(&mut *items);
        }
        std::mem::replace(&mut *items, room)
    }
    /// Whether nobody has put anything in since the list was made or taken, even if it went again.
    pub fn is_pristine(&self) -> bool {
        self.0.borrow().capacity() == 0
    }
    /// Puts other items in; the old ones are returned so that they die outside.
    pub fn replace(&self, items: Vec<Value>) -> Vec<Value> {
        self.0.replace(items)
    }
    /// The items in place; `f` must not run Python code (comparisons and drops do).
    pub fn with<R>(&self, f: impl FnOnce(&[Value]) -> R) -> R {
        f(&self.0.borrow())
    }
    /// As [`List::with`], to change; values removed must be returned by `f`, not dropped inside it.
    pub fn with_mut<R>(&self, f: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
}

/// Payload of `list_iterator` and `list_reverseiterator`, which the loop reads.
pub struct ListIterator {
    /// A list, or nothing at the end.
    list: SlotWord,
    pub index: Cell<i64>,
    /// 1, or -1 from the end.
    step: i64,
}

impl Payload for ListIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.list.trace(visit);
    }
    fn clear(&self) {
        self.list.set(None);
    }
}

impl ListIterator {
    /// Bytes from the payload's start to the list and to the index.
    pub(crate) const LIST_OFFSET: usize = std::mem::offset_of!(ListIterator, list);
    pub(crate) const INDEX_OFFSET: usize = std::mem::offset_of!(ListIterator, index);

    /// From `index` on, `step` being 1, or -1 for the way back. `None`: that is no list.
    pub fn new(list: &Value, index: i64, step: i64) -> Option<ListIterator> {
        list.downcast::<List>()?;
        Some(ListIterator { list: SlotWord::new(Some(list.clone())), index: Cell::new(index), step })
    }
    /// The list, until the end.
    pub fn list(&self) -> Option<Value> {
        self.list.get()
    }
    /// The next item.
    #[inline]
    pub fn advance(&self) -> Option<Value> {
        let index = self.index.get();
        // SAFETY: `new` took a list; an item is copied, which replaces nothing.
        let list = unsafe { self.list.peek()?.payload_unchecked::<List>() };
        // SAFETY: nothing runs while the borrow lasts.
        let item = unsafe { list.0.try_borrow_unguarded() }.ok()?.get(index as usize).cloned();
        match item {
            Some(item) => {
                self.index.set(index + self.step);
                Some(item)
            }
            None => {
                self.list.set(None);
                None
            }
        }
    }
}

impl Interpreter {
    /// A new list. Errors: `MemoryError`.
    pub fn new_list(&self, items: Vec<Value>) -> Res {
        // SAFETY: that type's objects hold a `List`, and it is no class made in Python.
        unsafe { self.alloc_exact(&self.types().list, List::new(items)) }
    }
}

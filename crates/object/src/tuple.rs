//! Tuples: storage. Up to four items stand in the object itself, more in a buffer beside it.
//!
//! Tuples are the commonest objects after ints, and nearly all have two or three items: those are one block, made and freed once.

use crate::Res;
use crate::heap::{Payload, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use std::cell::Cell;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of};

/// Payload of `tuple`. Immutable, so that no cycle goes through tuples alone: the collector finds another object in it to empty.
#[repr(C)]
pub struct Tuple {
    /// The hash, once it was asked for; -1, which is no hash, before.
    pub hash: Cell<i64>,
    len: usize,
    items: Items,
}

/// How many items the object itself has room for.
const FEW: usize = 4;

/// Which of the two it is, the tuple's length tells.
#[repr(C)]
union Items {
    /// The first `len` of them are values.
    few: ManuallyDrop<[MaybeUninit<Value>; FEW]>,
    /// The buffer of a vector of `len` items that has no further room.
    many: *mut Value,
}

// With the header a block of 64 bytes.
const _: () = assert!(size_of::<Tuple>() == 48);

impl Payload for Tuple {
    fn trace(&self, visit: &mut Visitor) {
        self.as_slice().iter().for_each(visit);
    }
}

/// The last item goes first, as in CPython.
impl Drop for Tuple {
    #[inline]
    fn drop(&mut self) {
        if self.len > FEW {
            // SAFETY: `Tuple::new` took the buffer of a box of this length apart.
            let items =
                unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.items.many, self.len)) };
            return drop_from_the_end(items.into_vec());
        }
        // SAFETY: the first `len` words are values, dropped once.
        unsafe {
            let few = &mut *self.items.few;
            for word in few[..self.len].iter_mut().rev() {
                word.assume_init_drop();
            }
        }
    }
}

/// Drops values as sequences do: the last one first.
#[inline]
pub fn drop_from_the_end<T>(mut items: Vec<T>) {
    while let Some(item) = items.pop() {
        drop(item);
    }
}

impl Tuple {
    /// For machine code: bytes from the payload's start to the word that tells a tuple of few items, to the first item, and
    /// that word for a tuple of `len` items.
    pub(crate) fn few_layout(len: usize) -> Option<(usize, usize, u64)> {
        let fits = len <= FEW;
        fits.then_some((offset_of!(Tuple, len), offset_of!(Tuple, items), len as u64))
    }

    pub fn new(items: Vec<Value>) -> Tuple {
        let len = items.len();
        let items = if len <= FEW {
            let mut few = [const { MaybeUninit::uninit() }; FEW];
            for (place, item) in few.iter_mut().zip(items) {
                place.write(item);
            }
            Items { few: ManuallyDrop::new(few) }
        } else {
            Items { many: Box::into_raw(items.into_boxed_slice()).cast() }
        };
        Tuple { hash: Cell::new(-1), len, items }
    }

    /// The items in place. They stay as they are while the tuple lives.
    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: the length tells where the items are, and that many there are.
        unsafe {
            let items =
                if self.len <= FEW { (&raw const self.items.few).cast::<Value>() } else { self.items.many };
            std::slice::from_raw_parts(items, self.len)
        }
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.as_slice().get(index).cloned()
    }
    /// The item at a Python index, which counts from the end when it is negative.
    #[inline(always)]
    pub fn at(&self, index: i64) -> Option<Value> {
        let items = self.as_slice();
        items.get(crate::list::position(index, items.len())?).cloned()
    }
    /// A copy of the items, to keep longer than the tuple may live.
    pub fn items(&self) -> Vec<Value> {
        self.as_slice().to_vec()
    }
    /// The items in place, for `f`.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(&[Value]) -> R) -> R {
        f(self.as_slice())
    }
}

/// Payload of `tuple_iterator`, which the loop reads.
pub struct TupleIterator {
    /// A tuple, or nothing at the end.
    tuple: SlotWord,
    pub index: Cell<usize>,
}

impl Payload for TupleIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.tuple.trace(visit);
    }
    fn clear(&self) {
        self.tuple.set(None);
    }
}

impl TupleIterator {
    /// From the first item on. `None`: that is no tuple.
    pub fn new(tuple: &Value) -> Option<TupleIterator> {
        tuple.downcast::<Tuple>()?;
        Some(TupleIterator { tuple: SlotWord::new(Some(tuple.clone())), index: Cell::new(0) })
    }
    /// The tuple, until the end.
    pub fn tuple(&self) -> Option<Value> {
        self.tuple.get()
    }
    /// The next item.
    #[inline]
    pub fn advance(&self) -> Option<Value> {
        let index = self.index.get();
        // SAFETY: `new` took a tuple; an item is copied, which replaces nothing.
        let item = unsafe { self.tuple.peek()?.payload_unchecked::<Tuple>() }.get(index);
        match item {
            Some(item) => {
                self.index.set(index + 1);
                Some(item)
            }
            None => {
                self.tuple.set(None);
                None
            }
        }
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
        let ty = &self.types().tuple;
        // SAFETY: that type's objects hold a `Tuple`, and it is no class made in Python.
        unsafe { self.alloc_exact(ty, Tuple::new(items)) }
    }

    /// A new tuple of one to four items, without a buffer on the way. Errors: `MemoryError`.
    #[inline]
    pub fn tuple_of<const N: usize>(&self, items: [Value; N]) -> Res {
        const { assert!(N > 0 && N <= FEW) };
        let mut items = items.into_iter();
        self.few_tuple(N, |_| items.next().unwrap_or(Value::NONE))
    }

    /// A new tuple of `len` items, which `item` gives by their index, without running Python code. Errors: `MemoryError`.
    #[inline(always)]
    pub fn tuple_from(&self, len: usize, mut item: impl FnMut(usize) -> Value) -> Res {
        match len {
            1..=FEW => self.few_tuple(len, item),
            _ => self.new_tuple((0..len).map(&mut item).collect()),
        }
    }

    /// A tuple of no more than `FEW` items, written where it stands.
    #[inline(always)]
    fn few_tuple(&self, len: usize, mut item: impl FnMut(usize) -> Value) -> Res {
        let ty = &self.types().tuple;
        // SAFETY: that type's objects hold a `Tuple`, and it is no class made in Python; every part of it is written.
        unsafe {
            self.alloc_in_place::<Tuple>(ty, |tuple| {
                (&raw mut (*tuple).hash).write(Cell::new(-1));
                (&raw mut (*tuple).len).write(len);
                let words = (&raw mut (*tuple).items.few).cast::<Value>();
                for index in 0..len.min(FEW) {
                    words.add(index).write(item(index));
                }
            })
        }
    }
}

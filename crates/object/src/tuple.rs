//! Tuples: storage. Up to four items stand in the object itself, more in a buffer beside it.
//!
//! Tuples are the commonest objects after ints, and nearly all have two or three items: those are one block, made and freed once.

use crate::Res;
use crate::heap::{Payload, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use std::cell::Cell;
use std::mem::ManuallyDrop;

/// Payload of `tuple`. Immutable, so that no cycle goes through tuples alone: the collector finds another object in it to empty.
pub struct Tuple {
    items: ManuallyDrop<Items>,
    /// The hash, once it was asked for; -1, which is no hash, before.
    pub hash: Cell<i64>,
}

/// How many items the object itself has room for.
const FEW: usize = 4;

enum Items {
    /// The first `len` words are the items.
    Few {
        len: u32,
        words: [Value; FEW],
    },
    Many(Box<[Value]>),
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
        match &mut *self.items {
            Items::Few { len, words } => {
                let mut at = (*len as usize).min(FEW);
                while at > 0 {
                    at -= 1;
                    drop(std::mem::replace(&mut words[at], Value::UNBOUND));
                }
            }
            Items::Many(items) => drop_from_the_end(std::mem::take(items).into_vec()),
        }
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
    /// For machine code: bytes from the payload's start to the word that tells a tuple of few items, to the first item, and
    /// that word for a tuple of `len` items.
    pub(crate) fn few_layout(len: usize) -> Option<(usize, usize, u64)> {
        let tuple = Tuple::few(len.min(FEW), |_| Value::NONE);
        let start = std::ptr::from_ref(&tuple).addr();
        let Items::Few { len, words } = &*tuple.items else { return None };
        let (head, first) = (std::ptr::from_ref(len).addr() - start, words.as_ptr().addr() - start);
        // The word before the items holds the length and tells that they are few.
        let place = first.checked_sub(8).filter(|place| (*place..first).contains(&head))?;
        // SAFETY: those eight bytes lie in the tuple, and both halves are written: the tag and the length.
        let word = unsafe { std::ptr::from_ref(&tuple).byte_add(place).cast::<u64>().read() };
        Some((place, first, word))
    }
    pub fn new(items: Vec<Value>) -> Tuple {
        match items.len() {
            len @ 0..=FEW => {
                let mut items = items.into_iter();
                Tuple::few(len, |_| items.next().unwrap_or(Value::NONE))
            }
            _ => Tuple::of(Items::Many(items.into_boxed_slice())),
        }
    }

    /// A tuple of `len` items, no more than `FEW`, which `item` gives by their index.
    #[inline(always)]
    fn few(len: usize, mut item: impl FnMut(usize) -> Value) -> Tuple {
        let words = std::array::from_fn(|index| if index < len { item(index) } else { Value::UNBOUND });
        Tuple::of(Items::Few { len: len as u32, words })
    }

    #[inline(always)]
    fn of(items: Items) -> Tuple {
        Tuple { items: ManuallyDrop::new(items), hash: Cell::new(-1) }
    }

    /// The items in place. They stay as they are while the tuple lives.
    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        match &*self.items {
            Items::Few { len, words } => &words[..(*len as usize).min(FEW)],
            Items::Many(items) => items,
        }
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
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
        self.alloc_tuple(Tuple::new(items))
    }

    #[inline(always)]
    fn alloc_tuple(&self, tuple: Tuple) -> Res {
        // SAFETY: that type's objects hold a `Tuple`, and it is no class made in Python.
        unsafe { self.alloc_exact(&self.types().tuple, tuple) }
    }

    /// A new tuple of one to four items, without a buffer on the way. Errors: `MemoryError`.
    #[inline]
    pub fn tuple_of<const N: usize>(&self, items: [Value; N]) -> Res {
        const { assert!(N > 0 && N <= FEW) };
        let mut items = items.into_iter();
        let tuple = Tuple::few(N, |_| items.next().unwrap_or(Value::NONE));
        self.alloc_tuple(tuple)
    }

    /// A new tuple of `len` items, which `item` gives by their index. Errors: `MemoryError`.
    #[inline(always)]
    pub fn tuple_from(&self, len: usize, mut item: impl FnMut(usize) -> Value) -> Res {
        match len {
            1..=FEW => self.alloc_tuple(Tuple::few(len, item)),
            _ => self.new_tuple((0..len).map(&mut item).collect()),
        }
    }
}

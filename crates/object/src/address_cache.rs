//! A direct-mapped cache from addresses of statics to values.

use crate::value::Value;
use std::cell::Cell;

const ENTRIES: usize = 1024;

#[derive(Clone, Default)]
struct Entry {
    address: Cell<usize>,
    len: Cell<usize>,
    /// A borrowed value's word.
    word: Cell<u64>,
}

/// Remembers values that somebody else owns until [`AddressCache::clear`].
pub(crate) struct AddressCache(Box<[Entry]>);

impl Default for AddressCache {
    fn default() -> Self {
        AddressCache(vec![Entry::default(); ENTRIES].into())
    }
}

impl AddressCache {
    #[inline(always)]
    fn entry(&self, address: usize) -> &Entry {
        &self.0[(address ^ address >> 10) % ENTRIES]
    }

    /// What was remembered for a static of that address and length; names in the program text may begin at one address.
    #[inline(always)]
    pub fn get(&self, address: usize, len: usize) -> Option<Value> {
        let entry = self.entry(address);
        if entry.address.get() != address || entry.len.get() != len {
            return None;
        }
        let word = entry.word.get();
        // SAFETY: by the contract of `set` the value lives as long as the entry.
        Some(unsafe { Value::borrow_bits(&word) }.clone())
    }

    /// Remembers a value.
    ///
    /// # Safety
    /// The value is owned by a table that gives nothing up before it has called [`AddressCache::clear`].
    pub unsafe fn set(&self, address: usize, len: usize, value: &Value) {
        let entry = self.entry(address);
        entry.address.set(address);
        entry.len.set(len);
        entry.word.set(value.bits());
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|entry| entry.address.set(0));
    }
}

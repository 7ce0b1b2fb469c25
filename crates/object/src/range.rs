//! The iterator of ranges: storage, which the loop and machine code read.

use crate::heap::Payload;
use std::cell::Cell;

/// Payload of `range_iterator`, whose values all are small ints.
#[repr(C)]
pub struct RangeIterator {
    pub next: Cell<i64>,
    pub step: i64,
    /// How many values are left.
    pub left: Cell<i64>,
}

impl Payload for RangeIterator {
    const CONTAINER: bool = false;
}

impl RangeIterator {
    /// The next value.
    #[inline(always)]
    pub fn advance(&self) -> Option<i64> {
        let left = self.left.get();
        if left <= 0 {
            return None;
        }
        let value = self.next.get();
        self.left.set(left - 1);
        // One step behind the last value may leave 64 bits; nobody looks at it.
        self.next.set(value.wrapping_add(self.step));
        Some(value)
    }
}

//! Where machine code finds what it reads: offsets in bytes from the start of a heap object or struct.
//!
//! The standard library does not promise how a `Vec` is laid out, so that is measured, once, on a vector that is known.

use crate::array::Array;
use crate::attrs::Attrs;
use crate::class::Type;
use crate::dict::Dict;
use crate::heap::PAYLOAD_OFFSET;
use crate::list::List;
use crate::value::Value;
use std::mem::offset_of;

/// Of every heap object: where its payload begins.
pub const PAYLOAD: usize = PAYLOAD_OFFSET;
/// Of every heap object: its count (32 bits), and the word of its type.
pub const REFCOUNT: usize = offset_of!(pellucid_memory::Header, refcount);
pub const TYPE: usize = offset_of!(pellucid_memory::Header, ty);
/// Of an [`Attrs`]: its shape, and its first inline attribute.
pub const SHAPE: usize = 0;
pub const INLINE_WORDS: usize = size_of::<Attrs>();
/// Of an [`Attrs`]: the address of what stands out of line; of that: the word of the dict.
pub const EXTRA: usize = Attrs::EXTRA_OFFSET;
pub const EXTRA_DICT: usize = Attrs::DICT_OFFSET;
/// Of the object that is a type: its version (32 bits).
pub const TYPE_VERSION: usize = PAYLOAD_OFFSET + Type::VERSION_OFFSET;

/// Of a list iterator: its list, and the index of the next item.
pub const LIST_ITERATOR_LIST: usize = PAYLOAD_OFFSET + crate::list::ListIterator::LIST_OFFSET;
pub const LIST_ITERATOR_INDEX: usize = PAYLOAD_OFFSET + crate::list::ListIterator::INDEX_OFFSET;

/// A tuple of `len` items, when those stand in the object itself: where the word stands that tells so, that word, and where the
/// first item stands. `None` for more items.
pub fn small_tuple(len: usize) -> Option<(usize, u64, usize)> {
    let (place, first, word) = crate::tuple::Tuple::few_layout(len).filter(|_| len <= 4)?;
    Some((PAYLOAD_OFFSET + place, word, PAYLOAD_OFFSET + first))
}

/// Offsets that had to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Of a list: the address of its items, and their number.
    pub list_items: usize,
    pub list_len: usize,
    /// Of the payload of a dict: its keys' version, and the address of its entries.
    pub dict_version: usize,
    pub dict_entries: usize,
    /// Bytes from an entry to the next, and from its start to its value.
    pub entry_size: usize,
    pub entry_value: usize,
    /// Of an array: its type code (a byte), the address of its items, and how many bytes they are.
    pub array_code: usize,
    pub array_items: usize,
    pub array_bytes: usize,
}

impl Layout {
    /// `None` when something is not where it can be found.
    pub fn measure() -> Option<Layout> {
        let (vec_address, vec_len) = vec_offsets(Value::NONE)?;
        let list = PAYLOAD_OFFSET + List::items_offset();
        let (version, entries, size, value) = Dict::offsets()?;
        let (bytes_address, bytes_len) = vec_offsets(0u8)?;
        let (code, bytes) = Array::offsets();
        let bytes = PAYLOAD_OFFSET + bytes;
        Some(Layout {
            list_items: list + vec_address,
            list_len: list + vec_len,
            dict_version: version,
            dict_entries: entries + vec_address,
            entry_size: size,
            entry_value: value,
            array_code: PAYLOAD_OFFSET + code,
            array_items: bytes + bytes_address,
            array_bytes: bytes + bytes_len,
        })
    }
}

/// Where a `Vec` has its address and its length; `item` may be any.
fn vec_offsets<T: Clone>(item: T) -> Option<(usize, usize)> {
    const WORDS: usize = size_of::<Vec<u8>>() / 8;
    let mut vec: Vec<T> = Vec::with_capacity(50);
    vec.extend(std::iter::repeat_n(item, 3));
    let address = vec.as_ptr() as usize;
    let (length, capacity) = (vec.len(), vec.capacity());
    if length == capacity {
        return None;
    }
    // SAFETY: a vector is three words, all initialised.
    let words: [usize; WORDS] = unsafe { std::ptr::from_ref(&vec).cast::<[usize; WORDS]>().read() };
    let find = |what: usize| words.iter().position(|word| *word == what).map(|at| at * 8);
    Some((find(address)?, find(length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_items_stand_behind_their_number() {
        let words: Vec<u64> = (0..=4).filter_map(small_tuple).map(|(_, word, _)| word).collect();
        assert_eq!(words.len(), 5);
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(small_tuple(5).is_none());
    }

    #[test]
    fn a_list_is_where_it_is_said_to_be() {
        let layout = Layout::measure().expect("measured");
        let list = List::new(vec![Value::NONE, Value::TRUE]);
        let base = std::ptr::from_ref(&list).cast::<u8>();
        let word = |offset: usize| {
            // SAFETY: offsets lie in the list.
            unsafe { base.add(offset - PAYLOAD_OFFSET).cast::<usize>().read() }
        };
        assert_eq!(word(layout.list_len), 2);
        list.with(|items| assert_eq!(word(layout.list_items), items.as_ptr() as usize));
    }
}

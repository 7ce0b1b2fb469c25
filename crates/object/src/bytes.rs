//! `bytes` and `bytearray`: storage and what they show as buffers. Methods stand in the `types` crate.

use crate::buffer::{Buffer, BytesRef, Layout, Memory, flags, memory_of};
use crate::heap::{Payload, SlotWord};
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::{Raised, Res};
use siphasher::sip::SipHasher13;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::hash::Hasher;

/// Payload of `bytes`.
pub struct Bytes {
    data: Box<[u8]>,
    hash: Cell<Option<i64>>,
}

impl Payload for Bytes {
    const CONTAINER: bool = false;
}

impl Bytes {
    pub fn new(data: Vec<u8>) -> Bytes {
        Bytes { data: data.into_boxed_slice(), hash: Cell::new(None) }
    }
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }
}

impl Memory for Bytes {
    fn bytes(&self) -> BytesRef<'_> {
        BytesRef::Plain(&self.data)
    }
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        None
    }
    fn exports(&self) -> Option<&Cell<usize>> {
        None
    }
}

/// Payload of `bytearray`.
#[derive(Default)]
pub struct ByteArray {
    data: RefCell<Vec<u8>>,
    exports: Cell<usize>,
}

impl Payload for ByteArray {
    const CONTAINER: bool = false;
}

impl ByteArray {
    pub fn new(data: Vec<u8>) -> ByteArray {
        ByteArray { data: RefCell::new(data), exports: Cell::new(0) }
    }
    pub fn len(&self) -> usize {
        self.data.borrow().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The bytes in place, not to be kept across Python code.
    pub fn borrow(&self) -> Ref<'_, [u8]> {
        Ref::map(self.data.borrow(), Vec::as_slice)
    }
    /// The bytes in place, to change without changing their number.
    pub fn borrow_mut(&self) -> RefMut<'_, [u8]> {
        RefMut::map(self.data.borrow_mut(), Vec::as_mut_slice)
    }
    /// Changes the bytes and perhaps their number. Errors: `BufferError` while somebody looks at them.
    pub fn resize_with<R>(&self, vm: &Interpreter, f: impl FnOnce(&mut Vec<u8>) -> R) -> Res<R> {
        self.check_resizable(vm)?;
        Ok(f(&mut self.data.borrow_mut()))
    }
    /// Errors: `BufferError` while somebody looks at the bytes.
    pub fn check_resizable(&self, vm: &Interpreter) -> Res<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("Existing exports of data: object cannot be re-sized".to_string()));
        }
        Ok(())
    }
    pub fn capacity(&self) -> usize {
        self.data.borrow().capacity()
    }
}

impl Memory for ByteArray {
    fn bytes(&self) -> BytesRef<'_> {
        BytesRef::Guarded(self.borrow())
    }
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        Some(self.borrow_mut())
    }
    fn exports(&self) -> Option<&Cell<usize>> {
        Some(&self.exports)
    }
}

/// The `buffer` slot of `bytes`.
pub fn bytes_buffer(vm: &Interpreter, value: &Value, wanted: u32) -> Res<Buffer> {
    let Some(bytes) = value.downcast::<Bytes>() else { return Err(vm.bug("buffer of no bytes")) };
    if wanted & flags::WRITABLE != 0 {
        return Err(vm.buffer_error("Object is not writable.".to_string()));
    }
    Ok(Buffer::new(value, memory_of::<Bytes>, Layout::bytes(bytes.data.len(), true)))
}

/// The `buffer` slot of `bytearray`.
pub fn bytearray_buffer(vm: &Interpreter, value: &Value, _: u32) -> Res<Buffer> {
    let Some(array) = value.downcast::<ByteArray>() else { return Err(vm.bug("buffer of no bytearray")) };
    Ok(Buffer::new(value, memory_of::<ByteArray>, Layout::bytes(array.len(), false)))
}

impl Interpreter {
    /// A new `bytes`; the empty one and those of one byte are shared. Errors: `MemoryError`.
    pub fn new_bytes(&self, data: Vec<u8>) -> Res {
        let place = match data.as_slice() {
            [] => EMPTY,
            [byte] => usize::from(*byte),
            _ => return self.alloc(&self.types().bytes, Bytes::new(data)),
        };
        if let Some(found) = self.small_bytes.get(place) {
            return Ok(found);
        }
        let value = self.alloc(&self.types().bytes, Bytes::new(data))?;
        self.small_bytes.put(place, &value);
        Ok(value)
    }

    /// A copy of `data` as `bytes`. Errors: `MemoryError`.
    pub fn bytes_from(&self, data: &[u8]) -> Res {
        self.new_bytes(self.copied(data)?)
    }

    /// A copy. Errors: `MemoryError`.
    pub fn copied(&self, data: &[u8]) -> Res<Vec<u8>> {
        let mut copy = Vec::new();
        match copy.try_reserve_exact(data.len()) {
            Ok(()) => copy.extend_from_slice(data),
            Err(_) => return Err(self.no_memory()),
        }
        Ok(copy)
    }

    /// A new `bytearray`. Errors: `MemoryError`.
    pub fn new_bytearray(&self, data: Vec<u8>) -> Res {
        self.alloc(&self.types().bytearray, ByteArray::new(data))
    }

    /// The bytes of a `bytes` object. Errors: `TypeError`.
    pub fn expect_bytes<'a>(&self, value: &'a Value) -> Res<&'a [u8]> {
        match value.downcast::<Bytes>() {
            Some(bytes) => Ok(bytes.as_slice()),
            None => Err(self.expected_bytes(value)),
        }
    }

    #[cold]
    fn expected_bytes(&self, value: &Value) -> Raised {
        self.type_error(format!("expected bytes, {} found", self.type_name(value)))
    }

    /// The hash of bytes, equal to that of the `str` with these code points; computed once.
    pub fn bytes_hash(&self, bytes: &Bytes) -> i64 {
        bytes.hash.get().unwrap_or_else(|| {
            let hash = self.hash_of_bytes(&bytes.data);
            bytes.hash.set(Some(hash));
            hash
        })
    }

    pub fn hash_of_bytes(&self, bytes: &[u8]) -> i64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        hasher.write(bytes);
        match hasher.finish() as i64 {
            _ if bytes.is_empty() => 0,
            -1 => -2,
            hash => hash,
        }
    }
}

/// Shared values by index, made when they are first asked for: one for each of the first 256 code points or bytes, and
/// the empty one.
pub(crate) struct Shared(Box<[SlotWord]>);

/// Where the empty one stands.
pub(crate) const EMPTY: usize = 256;

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared((0..=EMPTY).map(|_| SlotWord::default()).collect())
    }
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<Value> {
        self.0.get(index)?.get()
    }
    pub(crate) fn put(&self, index: usize, value: &Value) {
        if let Some(place) = self.0.get(index) {
            place.set(Some(value.clone()));
        }
    }
    pub(crate) fn take(&self) -> Vec<Option<Value>> {
        self.0.iter().map(|place| place.replace(None)).collect()
    }
}

//! The storage of `array.array`: items of one machine type in a row, for its methods and for machine code, which reads and
//! writes them in place.

use crate::buffer::{BytesRef, Memory};
use crate::heap::Payload;
use crate::{Interpreter, Res, Value};
use std::cell::{Cell, Ref, RefCell, RefMut};

/// A type code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(u8);

/// All type codes, in the order of `array.typecodes`.
pub const CODES: &str = "bBuwhHiIlLqQfd";

impl Code {
    pub fn new(code: u32) -> Option<Code> {
        let byte = u8::try_from(code).ok()?;
        CODES.as_bytes().contains(&byte).then_some(Code(byte))
    }
    #[inline]
    pub fn letter(self) -> char {
        self.0 as char
    }
    /// Bytes of an item.
    #[inline]
    pub fn size(self) -> usize {
        match self.0 {
            b'b' | b'B' => 1,
            b'h' | b'H' => 2,
            b'i' | b'I' | b'f' | b'u' | b'w' => 4,
            _ => 8,
        }
    }
    pub fn is_text(self) -> bool {
        matches!(self.0, b'u' | b'w')
    }
    pub fn is_float(self) -> bool {
        matches!(self.0, b'f' | b'd')
    }
    pub fn is_signed(self) -> bool {
        self.0.is_ascii_lowercase()
    }
    /// The item's format as `struct` and memory views write it.
    pub fn format(self) -> &'static str {
        match self.0 {
            b'b' => "b",
            b'B' => "B",
            b'h' => "h",
            b'H' => "H",
            b'i' => "i",
            b'I' => "I",
            b'l' => "l",
            b'L' => "L",
            b'q' => "q",
            b'Q' => "Q",
            b'f' => "f",
            b'd' => "d",
            _ => "w",
        }
    }
}

/// Payload of `array.array`.
pub struct Array {
    code: Code,
    data: RefCell<Vec<u8>>,
    exports: Cell<usize>,
}

impl Payload for Array {
    const CONTAINER: bool = false;
}

impl Memory for Array {
    fn bytes(&self) -> BytesRef<'_> {
        BytesRef::Guarded(Ref::map(self.data.borrow(), |data| &data[..]))
    }
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        Some(RefMut::map(self.data.borrow_mut(), |data| &mut data[..]))
    }
    fn exports(&self) -> Option<&Cell<usize>> {
        Some(&self.exports)
    }
}

impl Array {
    /// Items of this code; `data` is a multiple of their size.
    pub fn new(code: Code, data: Vec<u8>) -> Array {
        Array { code, data: RefCell::new(data), exports: Cell::new(0) }
    }
    #[inline]
    pub fn code(&self) -> Code {
        self.code
    }
    /// The bytes of all items. Nobody may run Python code while they are borrowed.
    #[inline]
    pub fn data(&self) -> &RefCell<Vec<u8>> {
        &self.data
    }
    /// How many look at the memory, which must not move then.
    pub fn exports(&self) -> usize {
        self.exports.get()
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.data.borrow().len() / self.code.size()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn copy_bytes(&self, vm: &Interpreter) -> Res<Vec<u8>> {
        vm.copied(&self.data.borrow())
    }
    /// Refuses to change the length while somebody looks at the memory. Errors: `BufferError`.
    pub fn check_resizable(&self, vm: &Interpreter) -> Res<()> {
        if self.exports.get() == 0 {
            return Ok(());
        }
        Err(vm.buffer_error("cannot resize an array that is exporting buffers".to_string()))
    }
    /// Puts `bytes` in the place of the items `start..end`.
    pub fn splice(&self, vm: &Interpreter, start: usize, end: usize, bytes: &[u8]) -> Res<()> {
        let (size, len) = (self.code.size(), self.data.borrow().len());
        let end = (end * size).min(len);
        let start = (start * size).min(end);
        if end - start != bytes.len() {
            self.check_resizable(vm)?;
        }
        let mut data = self.data.borrow_mut();
        if data.try_reserve(bytes.len()).is_err() {
            drop(data);
            return Err(vm.no_memory());
        }
        data.splice(start..end, bytes.iter().copied());
        Ok(())
    }
    pub fn append(&self, vm: &Interpreter, bytes: &[u8]) -> Res<()> {
        let end = self.len();
        if bytes.is_empty() {
            return Ok(());
        }
        self.splice(vm, end, end, bytes)
    }
    /// An item of the common types, when it is a common float or small int.
    #[inline]
    pub fn quick_get(&self, index: usize) -> Option<Value> {
        let data = self.data.borrow();
        let at = index * self.code.size();
        match self.code.letter() {
            'd' => Value::small_float(f64::from_ne_bytes(*data.get(at..)?.first_chunk()?)),
            'l' | 'q' => Value::small_int(i64::from_ne_bytes(*data.get(at..)?.first_chunk()?)),
            'i' => Value::small_int(i64::from(i32::from_ne_bytes(*data.get(at..)?.first_chunk()?))),
            'B' => Value::small_int(i64::from(*data.get(at)?)),
            _ => None,
        }
    }
    /// Stores an item of the common types; false when it is not one.
    #[inline]
    pub fn quick_set(&self, index: usize, new: &Value) -> bool {
        let mut data = self.data.borrow_mut();
        let at = index * self.code.size();
        let bytes = match (self.code.letter(), new.as_small_float(), new.as_small_int()) {
            ('d', Some(float), _) => float.to_ne_bytes(),
            ('l' | 'q', _, Some(int)) => int.to_ne_bytes(),
            _ => return false,
        };
        data.get_mut(at..at + 8).is_some_and(|place| {
            place.copy_from_slice(&bytes);
            true
        })
    }
    /// Stores an item. False when the index is out of range.
    #[inline]
    pub fn set(&self, index: usize, item: &[u8]) -> bool {
        let size = self.code.size();
        match self.data.borrow_mut().get_mut(index * size..(index + 1) * size) {
            Some(place) => {
                place.copy_from_slice(item);
                true
            }
            None => false,
        }
    }
    /// For machine code: where an array has its code, and its vector of bytes.
    pub(crate) fn offsets() -> (usize, usize) {
        let array = Array::new(Code(b'b'), Vec::new());
        let start = std::ptr::from_ref(&array) as usize;
        let vec = array.data.as_ptr() as usize;
        (std::mem::offset_of!(Array, code), vec - start)
    }
}

//! The buffer protocol: how an object shows its memory to others.
//!
//! A payload that has memory to show implements [`Memory`]; the `buffer` slot of its type answers with a [`Buffer`], which
//! says how that memory is laid out and counts as an export while it lives. An object whose memory could move (a
//! `bytearray`) refuses to do so while its count is not 0.
//!
//! Bytes are lent as [`BytesRef`] and `RefMut`. As with every borrow of storage, neither may live across anything that can
//! run Python code; the `Buffer` itself may.

use crate::heap::{Payload, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::{Bytes, Raised, Res, Str};
use std::cell::{Cell, Ref, RefMut};
use std::ops::Deref;
use std::rc::Rc;

/// What is asked of an exporter: the bits of `inspect.BufferFlags`.
pub mod flags {
    pub const SIMPLE: u32 = 0;
    pub const WRITABLE: u32 = 1;
    pub const FORMAT: u32 = 4;
    pub const ND: u32 = 8;
    pub const STRIDES: u32 = 0x10 | ND;
    pub const C_CONTIGUOUS: u32 = 0x20 | STRIDES;
    pub const F_CONTIGUOUS: u32 = 0x40 | STRIDES;
    pub const ANY_CONTIGUOUS: u32 = 0x80 | STRIDES;
    pub const INDIRECT: u32 = 0x100 | STRIDES;
    pub const CONTIG: u32 = ND | WRITABLE;
    pub const FULL: u32 = INDIRECT | WRITABLE | FORMAT;
    pub const FULL_RO: u32 = INDIRECT | FORMAT;
}

/// Bytes lent out.
pub enum BytesRef<'a> {
    Plain(&'a [u8]),
    Guarded(Ref<'a, [u8]>),
}

impl Deref for BytesRef<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            BytesRef::Plain(bytes) => bytes,
            BytesRef::Guarded(bytes) => bytes,
        }
    }
}

impl<'a> BytesRef<'a> {
    /// The bytes `start..end`, clamped.
    pub fn range(self, start: usize, end: usize) -> BytesRef<'a> {
        fn cut(bytes: &[u8], start: usize, end: usize) -> &[u8] {
            let end = end.min(bytes.len());
            &bytes[start.min(end)..end]
        }
        match self {
            BytesRef::Plain(bytes) => BytesRef::Plain(cut(bytes, start, end)),
            BytesRef::Guarded(bytes) => BytesRef::Guarded(Ref::map(bytes, |b| cut(b, start, end))),
        }
    }
}

/// Memory that can be shown. Implemented by payloads.
pub trait Memory {
    fn bytes(&self) -> BytesRef<'_>;
    /// `None` when the memory is read-only.
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>>;
    /// Where exports are counted; `None` when the memory never moves.
    fn exports(&self) -> Option<&Cell<usize>>;
}

/// Finds the memory in an object.
pub type MemoryOf = fn(&Value) -> Option<&dyn Memory>;
/// Finds a count of exports in an object.
pub type CountOf = fn(&Value) -> Option<&Cell<usize>>;
/// Tells an exporter written in Python that its buffer is not used any more: (interpreter, exporter, view).
pub type OnRelease = fn(&Interpreter, &Value, &Value);

/// The memory of `T` in a value: what exporters put into [`Buffer::new`].
pub fn memory_of<T: Payload + Memory>(value: &Value) -> Option<&dyn Memory> {
    value.downcast::<T>().map(|payload| payload as &dyn Memory)
}

/// How memory is laid out.
#[derive(Clone, PartialEq, Eq)]
pub struct Layout {
    pub readonly: bool,
    /// As the `struct` module writes it.
    pub format: Rc<str>,
    pub itemsize: usize,
    pub shape: Rc<[usize]>,
    /// Bytes between neighbours of each dimension.
    pub strides: Rc<[isize]>,
    /// Where the first item starts.
    pub offset: usize,
}

impl Layout {
    /// `len` bytes in a row.
    pub fn bytes(len: usize, readonly: bool) -> Layout {
        Layout::items("B", 1, len, readonly)
    }

    /// `count` items in a row.
    pub fn items(format: &str, itemsize: usize, count: usize, readonly: bool) -> Layout {
        Layout {
            readonly,
            format: format.into(),
            itemsize,
            shape: Rc::new([count]),
            strides: Rc::new([itemsize as isize]),
            offset: 0,
        }
    }

    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// Number of items.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of all items together.
    pub fn len(&self) -> usize {
        self.count() * self.itemsize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_dense<'a>(&self, dimensions: impl Iterator<Item = (&'a usize, &'a isize)>) -> bool {
        if self.count() == 0 {
            return true;
        }
        let mut expected = self.itemsize as isize;
        for (&size, &stride) in dimensions {
            if size > 1 && stride != expected {
                return false;
            }
            expected *= size as isize;
        }
        true
    }

    /// Rows one after the other, without gaps.
    pub fn is_c_contiguous(&self) -> bool {
        self.is_dense(self.shape.iter().zip(self.strides.iter()).rev())
    }

    /// Columns one after the other, without gaps.
    pub fn is_f_contiguous(&self) -> bool {
        self.is_dense(self.shape.iter().zip(self.strides.iter()))
    }

    /// Strides of rows without gaps.
    pub fn c_strides(itemsize: usize, shape: &[usize]) -> Rc<[isize]> {
        let mut strides = vec![0; shape.len()];
        let mut next = itemsize as isize;
        for (stride, &size) in strides.iter_mut().zip(shape).rev() {
            *stride = next;
            next = next.saturating_mul(size as isize);
        }
        strides.into()
    }

    /// Byte offsets of the items: the last index runs fastest (`C`), or the first (`F`).
    pub fn offsets(&self, fortran: bool) -> Offsets<'_> {
        Offsets {
            layout: self,
            index: vec![0; self.ndim()],
            at: self.offset as isize,
            left: self.count(),
            fortran,
        }
    }
}

/// See [`Layout::offsets`].
pub struct Offsets<'a> {
    layout: &'a Layout,
    index: Vec<usize>,
    at: isize,
    left: usize,
    fortran: bool,
}

impl Iterator for Offsets<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let result = self.at;
        let n = self.index.len();
        for step in 0..n {
            let d = if self.fortran { step } else { n - 1 - step };
            self.index[d] += 1;
            self.at += self.layout.strides[d];
            if self.index[d] < self.layout.shape[d] {
                break;
            }
            self.at -= self.layout.strides[d] * self.layout.shape[d] as isize;
            self.index[d] = 0;
        }
        usize::try_from(result).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// One export of an object's memory, shared by the buffers that look at it. Ends with the last of them.
struct Export {
    /// What `memoryview.obj` says.
    object: Value,
    /// The object that has the memory; mostly the same.
    holder: Value,
    memory_of: MemoryOf,
    /// A view that the memory was got from, which must not be released meanwhile.
    via: Option<(Value, CountOf)>,
    on_release: Option<OnRelease>,
}

fn change(count: Option<&Cell<usize>>, by: isize) {
    if let Some(count) = count {
        count.set(count.get().wrapping_add_signed(by));
    }
}

impl Export {
    fn memory(&self) -> Option<&dyn Memory> {
        (self.memory_of)(&self.holder)
    }

    fn new(
        object: &Value,
        holder: &Value,
        memory_of: MemoryOf,
        via: Option<(&Value, CountOf)>,
        on_release: Option<OnRelease>,
    ) -> Rc<Export> {
        change(memory_of(holder).and_then(Memory::exports), 1);
        if let Some((view, count_of)) = via {
            change(count_of(view), 1);
        }
        Rc::new(Export {
            object: object.clone(),
            holder: holder.clone(),
            memory_of,
            via: via.map(|(view, count_of)| (view.clone(), count_of)),
            on_release,
        })
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        change(self.memory().and_then(Memory::exports), -1);
        if let Some((view, count_of)) = &self.via {
            change(count_of(view), -1);
        }
        if let (Some(on_release), Some(header)) = (self.on_release, self.object.header()) {
            let ty = crate::heap::type_ref_of_header(header).clone();
            if let Some(vm) = ty.interpreter() {
                on_release(vm, &self.object, self.via.as_ref().map_or(&self.holder, |(view, _)| view));
            }
        }
    }
}

/// Memory shown by an object. While it lives, the object must not move that memory.
pub struct Buffer {
    export: Rc<Export>,
    pub layout: Layout,
}

impl Buffer {
    /// The memory of `object`, which `memory_of` finds in it.
    pub fn new(object: &Value, memory_of: MemoryOf, layout: Layout) -> Buffer {
        Buffer { export: Export::new(object, object, memory_of, None, None), layout }
    }

    /// The same memory in another layout.
    pub fn with_layout(&self, layout: Layout) -> Buffer {
        Buffer { export: self.export.clone(), layout }
    }

    /// The same as another export by way of `view`, whose count goes up.
    pub fn through(&self, view: &Value, count_of: CountOf) -> Buffer {
        let e = &self.export;
        let export = Export::new(&e.object, &e.holder, e.memory_of, Some((view, count_of)), None);
        Buffer { export, layout: self.layout.clone() }
    }

    /// The same for `object`, which is told when the buffer goes away.
    pub fn exported_by(&self, object: &Value, on_release: OnRelease) -> Buffer {
        let e = &self.export;
        let via = e.via.as_ref().map(|(view, count_of)| (view, *count_of));
        let export = Export::new(object, &e.holder, e.memory_of, via, Some(on_release));
        Buffer { export, layout: self.layout.clone() }
    }

    /// What `memoryview.obj` says.
    pub fn object(&self) -> &Value {
        &self.export.object
    }

    /// Whether both look at one object's memory.
    pub fn shares_memory(&self, other: &Buffer) -> bool {
        self.export.holder.is(&other.export.holder)
    }

    /// Shows the values that this buffer alone owns.
    pub fn trace(&self, visit: &mut Visitor) {
        if Rc::strong_count(&self.export) > 1 {
            return;
        }
        visit(&self.export.object);
        visit(&self.export.holder);
        if let Some((view, _)) = &self.export.via {
            visit(view);
        }
    }

    fn memory(&self) -> Option<&dyn Memory> {
        self.export.memory()
    }

    /// All the memory of the holder; items are found in it by their offsets.
    pub fn whole(&self) -> BytesRef<'_> {
        self.memory().map_or(BytesRef::Plain(&[]), Memory::bytes)
    }

    /// All the memory, to write to; `None` when it or this view of it is read-only.
    pub fn whole_mut(&self) -> Option<RefMut<'_, [u8]>> {
        if self.layout.readonly { None } else { self.memory()?.bytes_mut() }
    }

    /// The bytes of a C-contiguous buffer.
    pub fn bytes(&self) -> BytesRef<'_> {
        let start = self.layout.offset;
        self.whole().range(start, start + self.layout.len())
    }

    /// The bytes of a C-contiguous buffer, to write to; `None` when it is read-only.
    pub fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        let (start, end) = (self.layout.offset, self.layout.offset + self.layout.len());
        Some(RefMut::map(self.whole_mut()?, |bytes| {
            let end = end.min(bytes.len());
            &mut bytes[start.min(end)..end]
        }))
    }

    /// The bytes of all items in a row. Errors: `MemoryError`.
    pub fn to_vec(&self, vm: &Interpreter, fortran: bool) -> Res<Vec<u8>> {
        let layout = &self.layout;
        let mut result = Vec::new();
        if result.try_reserve_exact(layout.len()).is_err() {
            return Err(vm.no_memory());
        }
        if if fortran { layout.is_f_contiguous() } else { layout.is_c_contiguous() } {
            result.extend_from_slice(&self.bytes());
            return Ok(result);
        }
        let whole = self.whole();
        for at in layout.offsets(fortran) {
            result.extend_from_slice(whole.get(at..at + layout.itemsize).unwrap_or_default());
        }
        Ok(result)
    }
}

/// Bytes of any object that shows them in a row.
pub struct BytesLike(Shown);

enum Shown {
    /// Exact `bytes`, which need no export.
    Bytes(crate::heap::Ref<Bytes>),
    Buffer(Buffer),
}

impl BytesLike {
    pub fn bytes(&self) -> BytesRef<'_> {
        match &self.0 {
            Shown::Bytes(bytes) => BytesRef::Plain(bytes.as_slice()),
            Shown::Buffer(buffer) => buffer.bytes(),
        }
    }
    pub fn len(&self) -> usize {
        match &self.0 {
            Shown::Bytes(bytes) => bytes.as_slice().len(),
            Shown::Buffer(buffer) => buffer.layout.len(),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Dimensions of the object's buffer.
    pub fn ndim(&self) -> usize {
        match &self.0 {
            Shown::Bytes(_) => 1,
            Shown::Buffer(buffer) => buffer.layout.ndim(),
        }
    }
    pub fn trace(&self, visit: &mut Visitor) {
        match &self.0 {
            Shown::Bytes(bytes) => visit(bytes.value()),
            Shown::Buffer(buffer) => buffer.trace(visit),
        }
    }
    /// Whether the bytes are those of `object`.
    pub fn is_of(&self, object: &Value) -> bool {
        match &self.0 {
            Shown::Bytes(bytes) => bytes.value().is(object),
            Shown::Buffer(buffer) => buffer.object().is(object),
        }
    }
    /// The bytes, to write to; `None` when they are read-only.
    pub fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        match &self.0 {
            Shown::Bytes(_) => None,
            Shown::Buffer(buffer) => buffer.bytes_mut(),
        }
    }
    /// A copy. Errors: `MemoryError`.
    pub fn to_vec(&self, vm: &Interpreter) -> Res<Vec<u8>> {
        vm.copied(&self.bytes())
    }
}

impl Interpreter {
    /// Whether the value has a buffer to show.
    pub fn has_buffer(&self, value: &Value) -> bool {
        self.type_of_ref(value).slots.buffer.get().is_some()
    }

    /// What the object shows. Errors: `TypeError` when it shows nothing, `BufferError` when not as asked.
    pub fn buffer(&self, value: &Value, flags: u32) -> Res<Buffer> {
        match self.type_of_ref(value).slots.buffer.get() {
            Some(f) => f(self, value, flags),
            None => Err(self.not_bytes_like(value)),
        }
    }

    #[cold]
    pub fn not_bytes_like(&self, value: &Value) -> Raised {
        self.type_error(format!("a bytes-like object is required, not '{}'", self.type_name(value)))
    }

    /// An argument that must show bytes in a row. Errors: `TypeError`, `BufferError`.
    pub fn bytes_like(&self, value: &Value) -> Res<BytesLike> {
        if self.is_exact(value, &self.types().bytes)
            && let Some(bytes) = value.downcast_ref::<Bytes>()
        {
            return Ok(BytesLike(Shown::Bytes(bytes)));
        }
        let buffer = self.buffer(value, flags::SIMPLE)?;
        if !buffer.layout.is_c_contiguous() {
            return Err(self.buffer_error("memoryview: underlying buffer is not C-contiguous".to_string()));
        }
        Ok(BytesLike(Shown::Buffer(buffer)))
    }

    /// An argument that must show bytes in a row to be written to, of the function `name`. Errors: `TypeError`,
    /// `BufferError`.
    pub fn writable_bytes(&self, value: &Value, name: &str) -> Res<BytesLike> {
        let refuse = |vm: &Interpreter| {
            let got = vm.type_name(value);
            vm.type_error(format!("{name}() argument must be read-write bytes-like object, not {got}"))
        };
        if !self.has_buffer(value) {
            return Err(refuse(self));
        }
        let buffer = match self.buffer(value, flags::WRITABLE) {
            Ok(buffer) => buffer,
            Err(raised) if self.raised_is(self.exceptions().buffer_error()) => {
                drop(self.take_raised(raised));
                return Err(refuse(self));
            }
            Err(raised) => return Err(raised),
        };
        if buffer.layout.readonly {
            return Err(refuse(self));
        }
        if !buffer.layout.is_c_contiguous() {
            return Err(self.buffer_error("memoryview: underlying buffer is not C-contiguous".to_string()));
        }
        Ok(BytesLike(Shown::Buffer(buffer)))
    }

    /// A copy of the bytes of a `str` (as ASCII) or of a bytes-like object, as `binascii` and others take them.
    /// Errors: `ValueError` for text beyond ASCII, `TypeError`.
    pub fn ascii_or_bytes(&self, value: &Value) -> Res<Vec<u8>> {
        if let Some(s) = value.downcast::<Str>() {
            return match s.text.as_ascii() {
                Some(text) => Ok(text.as_bytes().to_vec()),
                None => {
                    Err(self.value_error("string argument should contain only ASCII characters".to_string()))
                }
            };
        }
        if !self.has_buffer(value) {
            return Err(self.type_error(format!(
                "argument should be bytes, buffer or ASCII string, not '{}'",
                self.type_name(value)
            )));
        }
        self.bytes_like(value)?.to_vec(self)
    }

    /// A `memoryview` of a buffer. Errors: `MemoryError`.
    pub fn new_memoryview(&self, buffer: Buffer) -> Res {
        match self.hooks.memoryview.get() {
            Some(make) => make(self, buffer),
            None => Err(self.system_error("no memoryview".to_string())),
        }
    }
}

/// The `buffer` slot of classes that define `__buffer__` in Python.
pub(crate) fn python_buffer(vm: &Interpreter, object: &Value, flags: u32) -> Res<Buffer> {
    let view = vm.call_method(object, "__buffer__", &[vm.new_int(i64::from(flags))?])?;
    if !vm.hooks.is_memoryview.get().is_some_and(|is| is(&view)) {
        let got = vm.type_name(&view);
        return Err(vm.type_error(format!("__buffer__ returned non-memoryview object (got {got})")));
    }
    let inner = vm.buffer(&view, flags)?;
    Ok(inner.exported_by(object, python_release))
}

fn python_release(vm: &Interpreter, object: &Value, view: &Value) {
    let saved = vm.save_raised();
    let done = match vm.lookup_special(object, "__release_buffer__") {
        Ok(Some(method)) => vm.call_descriptor(&method, object, std::slice::from_ref(view)).map(drop),
        Ok(None) => Ok(()),
        Err(raised) => Err(raised),
    };
    if let Err(raised) = done {
        vm.unraisable(raised, "Exception ignored in __release_buffer__", object);
    }
    vm.restore_raised(saved);
}

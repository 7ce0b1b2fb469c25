//! Heap objects: header, payload, optional slots and attributes.
//!
//! ```text
//! | Header 16 | payload T | __slots__ words | Attrs 16 | inline attribute words |
//! ```
//! The payload is a plain Rust value described by its [`PayloadInfo`]; a Python subclass of a builtin type has the
//! same payload followed by slots and attributes. Which parts exist, and where, stands in the [`Type`].
//!
//! Destruction: the last `Drop` of a [`Value`] calls [`destroy`], which runs the finaliser (PEP 442, it may
//! resurrect), weak-reference callbacks, then drops the parts and gives the block back. Long chains are cut by a
//! queue ("trashcan") so that destruction never recurses deeply.

use crate::attrs::Attrs;
use crate::class::{Type, TypeFlags};
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::words::WordMap;
use crate::{Raised, Res};
use pellucid_memory::Header;
use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

/// Sees each owned reference once.
pub type Visitor<'a> = dyn FnMut(&Value) + 'a;

/// What a Rust type must offer to be the payload of heap objects.
///
/// Safe to implement: a wrong `trace` can make the collector free too little or clear a live object's fields, but
/// never break memory, because the collector only ever calls `clear` and drops references.
pub trait Payload: 'static {
    /// False for payloads that hold no [`Value`]: the collector never looks at them.
    const CONTAINER: bool = true;
    /// Shows each `Value` that the payload owns, once. Must not run Python code.
    fn trace(&self, _visit: &mut Visitor) {}
    /// Gives up every reference that can be part of a cycle; called by the collector on garbage.
    fn clear(&self) {}
}

/// A payload type as data, for code that does not know it statically.
pub struct PayloadInfo {
    pub type_id: TypeId,
    pub size: usize,
    pub container: bool,
    trace: unsafe fn(*const u8, &mut Visitor),
    clear: unsafe fn(*const u8),
    drop: unsafe fn(*mut u8),
}

/// The [`PayloadInfo`] of `T`.
pub const fn payload<T: Payload>() -> PayloadInfo {
    assert!(align_of::<T>() <= 16);
    PayloadInfo {
        type_id: TypeId::of::<T>(),
        size: size_of::<T>(),
        container: T::CONTAINER,
        // SAFETY: the users of `PayloadInfo` below pass a pointer to a live `T`.
        trace: |p, visit| unsafe { (*(p as *const T)).trace(visit) },
        // SAFETY: as for `trace`.
        clear: |p| unsafe { (*(p as *const T)).clear() },
        // SAFETY: as for `trace`; dropped once, when the object dies.
        drop: |p| unsafe { std::ptr::drop_in_place(p as *mut T) },
    }
}

/// A heap object with a known payload.
#[repr(C)]
pub struct Object<T> {
    header: Header,
    pub payload: T,
}

/// Offset of the payload in every heap object, bytes.
pub const PAYLOAD_OFFSET: usize = 16;
const _: () = assert!(size_of::<Header>() == PAYLOAD_OFFSET);

/// An owned reference to a heap object whose payload is a `T`.
#[repr(transparent)]
pub struct Ref<T: Payload>(Value, PhantomData<T>);

impl<T: Payload> Ref<T> {
    pub fn value(&self) -> &Value {
        &self.0
    }
    pub fn into_value(self) -> Value {
        self.0
    }

    /// What is known to be such an object.
    ///
    /// # Safety
    /// The value is a heap object whose payload is a `T`.
    pub(crate) unsafe fn assume(value: Value) -> Ref<T> {
        Ref(value, PhantomData)
    }
}

impl<T: Payload> Clone for Ref<T> {
    #[inline]
    fn clone(&self) -> Self {
        Ref(self.0.clone(), PhantomData)
    }
}

impl<T: Payload> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a `Ref<T>` is only made for heap objects whose payload is a `T`.
        unsafe { &*payload_ptr(self.0.bits() as *const Header).cast::<T>() }
    }
}

#[inline(always)]
fn payload_ptr(header: *const Header) -> *const u8 {
    header.cast::<u8>().wrapping_add(PAYLOAD_OFFSET)
}

/// The type of a live heap object.
#[inline(always)]
pub fn type_of_header(header: &Header) -> &Type {
    // SAFETY: `ty` is set before an object becomes reachable and points to a live `Object<Type>`: objects own a
    // reference to their type.
    unsafe { &(*(header.ty.get() as *const Object<Type>)).payload }
}

impl Value {
    /// The payload, if this is a heap object (or a subclass instance) that holds a `T`.
    #[inline]
    pub fn downcast<T: Payload>(&self) -> Option<&T> {
        let header = self.header()?;
        if type_of_header(header).payload.type_id == TypeId::of::<T>() {
            // SAFETY: the payload of this type is a `T`.
            Some(unsafe { &*payload_ptr(header).cast::<T>() })
        } else {
            None
        }
    }

    /// As [`Value::downcast`], as an owned reference.
    #[inline]
    pub fn downcast_ref<T: Payload>(&self) -> Option<Ref<T>> {
        self.downcast::<T>()?;
        Some(Ref(self.clone(), PhantomData))
    }

    /// The payload, without a check.
    ///
    /// # Safety
    /// The value is a heap object whose payload is a `T`.
    #[inline(always)]
    pub unsafe fn payload_unchecked<T: Payload>(&self) -> &T {
        // SAFETY: by the contract of this function.
        unsafe { &*payload_ptr(self.bits() as *const Header).cast::<T>() }
    }

    /// The payload to change in place, when this is the only reference to the object.
    pub fn unique_payload_mut<T: Payload>(&mut self) -> Option<&mut T> {
        self.downcast::<T>()?;
        let header = self.header()?;
        if header.refcount.get() != 1 {
            return None;
        }
        // SAFETY: the payload is a `T`; `self` is borrowed mutably and holds the one reference, so no other borrow of
        // the payload can exist.
        Some(unsafe { &mut *payload_ptr(header).cast_mut().cast::<T>() })
    }

    /// Number of references to the object; `None` for values that live in the word.
    pub fn refcount(&self) -> Option<u32> {
        self.header().map(|h| h.refcount.get())
    }

    /// Words of `__slots__`, and attributes, of this object.
    #[inline(always)]
    pub fn attrs(&self) -> Option<&Attrs> {
        let header = self.header()?;
        let offset = type_of_header(header).attrs_offset.get();
        if offset == 0 {
            return None;
        }
        // SAFETY: the type says that an `Attrs` stands there.
        Some(unsafe { &*header_part(header, offset).cast::<Attrs>() })
    }

    /// The word of `__slots__` entry `index`; the unbound word when it is not set.
    #[inline]
    pub fn slot_word(&self, index: usize) -> Option<&SlotWord> {
        let header = self.header()?;
        let ty = type_of_header(header);
        if index >= ty.slot_count.get() {
            return None;
        }
        // SAFETY: the type says that so many words stand behind the payload.
        Some(unsafe { &*header_part(header, ty.slots_offset() + 8 * index).cast::<SlotWord>() })
    }
}

fn header_part(header: &Header, offset: usize) -> *const u8 {
    (header as *const Header).cast::<u8>().wrapping_add(offset)
}

/// A place that owns a value or nothing; reading clones, writing drops the old value after the new one is in place,
/// so that Python code run by that drop finds a sound object.
#[repr(transparent)]
#[derive(Default)]
pub struct SlotWord(Cell<u64>);

impl SlotWord {
    #[inline(always)]
    pub fn new(value: Option<Value>) -> SlotWord {
        SlotWord(Cell::new(value.map_or(0, Value::into_bits)))
    }
    #[inline(always)]
    pub fn get(&self) -> Option<Value> {
        let bits = self.0.get();
        if bits == 0 {
            return None;
        }
        // SAFETY: a non-zero word is a value that this place owns; it stays owned, the clone counts.
        Some(unsafe { Value::borrow_bits(&bits).clone() })
    }
    /// The word itself, 0 when the place is empty: for caches and for callers that only look.
    #[inline(always)]
    pub fn raw(&self) -> u64 {
        self.0.get()
    }
    #[inline(always)]
    pub fn is_set(&self) -> bool {
        self.0.get() != 0
    }
    /// The value in place, not counted.
    ///
    /// # Safety
    /// Nobody replaces it while the result is used.
    #[inline(always)]
    pub unsafe fn peek(&self) -> Option<&Value> {
        // SAFETY: a non-zero word is a value that this place owns, for long enough by the contract.
        if self.is_set() { Some(unsafe { &*self.0.as_ptr().cast::<Value>() }) } else { None }
    }
    /// The old value, replaced.
    #[inline(always)]
    pub fn replace(&self, value: Option<Value>) -> Option<Value> {
        let old = self.0.replace(value.map_or(0, Value::into_bits));
        // SAFETY: the place gave up the reference it owned.
        if old == 0 { None } else { Some(unsafe { Value::from_bits(old) }) }
    }
    #[inline(always)]
    pub fn set(&self, value: Option<Value>) {
        drop(self.replace(value));
    }
    pub fn trace(&self, visit: &mut Visitor) {
        let bits = self.0.get();
        if bits != 0 {
            // SAFETY: as in `get`; the visitor only looks.
            visit(unsafe { Value::borrow_bits(&bits) });
        }
    }
}

impl Drop for SlotWord {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl Interpreter {
    /// A new object of builtin type `ty` with this payload.
    /// Errors: `MemoryError`.
    pub fn alloc<T: Payload>(&self, ty: &Ref<Type>, payload: T) -> Res {
        if ty.payload.type_id != TypeId::of::<T>() {
            return Err(self.wrong_payload(ty));
        }
        // SAFETY: the payload matches the type, as was just checked.
        unsafe { self.alloc_raw(ty, payload) }
    }

    #[cold]
    fn wrong_payload(&self, ty: &Type) -> Raised {
        self.bug(&format!("objects of type '{}' have another payload", ty.name()))
    }

    /// A new object of class `cls`, which must be a type whose payload is a `T` (a subclass of the builtin).
    /// Errors: `TypeError` when it is not, `MemoryError`.
    pub fn alloc_subclass<T: Payload>(&self, cls: &Value, payload: T) -> Res {
        match cls.downcast_ref::<Type>() {
            Some(ty) if ty.payload.type_id == TypeId::of::<T>() => {
                // SAFETY: just checked.
                unsafe { self.alloc_raw(&ty, payload) }
            }
            Some(ty) => Err(self.type_error(format!("object layout of '{}' differs", ty.name()))),
            None => Err(self.type_error("expected a type".to_string())),
        }
    }

    /// As [`Interpreter::alloc`], for types whose objects are a payload and nothing else: no check, no parts behind it.
    ///
    /// # Safety
    /// `ty` is a builtin type without slots and attributes, and its payload is a `T`.
    #[inline(always)]
    pub(crate) unsafe fn alloc_exact<T: Payload>(&self, ty: &Ref<Type>, payload: T) -> Res {
        // SAFETY: by the contract; the payload is written whole.
        unsafe { self.alloc_in_place::<T>(ty, |place| place.write(payload)) }
    }

    /// As [`Interpreter::alloc_exact`]; `write` writes the payload where it stands.
    ///
    /// # Safety
    /// As there, and `write` writes all that `T` needs to be one, without running Python code.
    #[inline(always)]
    pub(crate) unsafe fn alloc_in_place<T: Payload>(
        &self,
        ty: &Ref<Type>,
        write: impl FnOnce(*mut T),
    ) -> Res {
        let size = PAYLOAD_OFFSET + size_of::<T>().next_multiple_of(8);
        let Some(block) = self.heap.alloc(size, T::CONTAINER) else {
            return Err(self.no_memory());
        };
        let header = block.cast::<Header>();
        // SAFETY: the block is `size` bytes, 16-byte aligned and nobody else's.
        unsafe {
            write(payload_ptr(header.as_ptr()).cast_mut().cast::<T>());
            header.as_ref().ty.set(ty.value().bits() as *const ());
            std::mem::forget(ty.value().clone());
            if T::CONTAINER {
                header.as_ref().set(Header::TRACKED);
            }
            Ok(Value::from_header(header))
        }
    }

    /// # Safety
    /// Objects of `ty` have a payload `T`.
    unsafe fn alloc_raw<T: Payload>(&self, ty: &Ref<Type>, payload: T) -> Res {
        let parts = PAYLOAD_OFFSET + size_of::<T>().next_multiple_of(8);
        let size = if ty.adds_to_payload() { ty.object_size() } else { parts };
        let container = ty.holds_references();
        let Some(block) = self.heap.alloc(size, container) else {
            drop(payload);
            return Err(self.no_memory());
        };
        let header = block.cast::<Header>();
        // SAFETY: the block is `size` bytes, 16-byte aligned and nobody else's.
        unsafe {
            header.as_ref().ty.set(ty.value().bits() as *const ());
            std::mem::forget(ty.value().clone());
            payload_ptr(header.as_ptr()).cast_mut().cast::<T>().write(payload);
            let parts = PAYLOAD_OFFSET + size_of::<T>().next_multiple_of(8);
            if size > parts {
                self.write_parts(ty, block, parts);
            }
            if container {
                header.as_ref().set(Header::TRACKED);
            }
            if ty.flags.get().contains(AGES_COUNT) {
                self.births.note(header.as_ref());
            }
            Ok(Value::from_header(header))
        }
    }

    /// Writes what stands behind the payload of a new object: empty slots and attributes.
    ///
    /// # Safety
    /// The block is a new object of `ty`, in which all from `parts` on is to be written.
    #[inline(never)]
    unsafe fn write_parts(&self, ty: &Ref<Type>, block: NonNull<u8>, parts: usize) {
        // SAFETY: by the contract.
        unsafe {
            block.as_ptr().add(parts).write_bytes(0, ty.object_size() - parts);
            if ty.attrs_offset.get() != 0 {
                let attrs = block.as_ptr().add(ty.attrs_offset.get()).cast::<Attrs>();
                (*attrs).init(ty.root_shape());
            }
        }
    }
}

/// Ends an object whose last reference is gone.
///
/// # Safety
/// The count of `object` has just reached 0.
#[cold]
#[inline(never)]
pub(crate) unsafe fn destroy(object: NonNull<Header>) {
    // SAFETY: the object is intact until its parts are dropped below.
    let header = unsafe { object.as_ref() };
    let ty = type_of_header(header);
    let Some(interp) = ty.interpreter() else { return };
    if ty.flags.get().contains(TypeFlags::HAS_FINALIZER) && !finalize(interp, header) {
        return;
    }
    const UNUSUAL: u32 = crate::weakref::HAS_WEAKREFS | Births::NOTED | SIZED;
    if !ty.holds_references() && header.flags.get() & UNUSUAL == 0 {
        // A payload and nothing else, which refers to nothing: no chain hangs on it.
        // SAFETY: nothing refers to the object any more; it gives up the reference to its type with its block.
        unsafe {
            (ty.payload.drop)(payload_ptr(header).cast_mut());
            let (size, ty) = (ty.object_size(), Value::from_bits(header.ty.get() as u64));
            interp.heap.free(object.cast(), size, false);
            drop(ty);
        }
        return;
    }
    if header.flags.get() & (crate::weakref::HAS_WEAKREFS | Births::NOTED) != 0 {
        farewell(interp, header);
    }
    // Python code that runs while the parts die may ask for a collection, which must not find half an object.
    header.unset(Header::TRACKED);
    let depth = interp.destroy_depth.get();
    if depth >= MAX_DESTROY_DEPTH {
        interp.trashcan.borrow_mut().push(object);
        return;
    }
    interp.destroy_depth.set(depth + 1);
    // SAFETY: nothing refers to the object any more.
    unsafe { release_parts(interp, object) };
    if depth == 0 && !interp.trashcan.borrow().is_empty() {
        empty_trashcan(interp);
    }
    interp.destroy_depth.set(depth);
}

/// Who wanted to be told of the object's end is told.
#[cold]
#[inline(never)]
fn farewell(interp: &Interpreter, header: &Header) {
    header.refcount.set(1);
    interp.weakrefs.object_dies(interp, header);
    header.refcount.set(0);
    interp.births.forget(header);
}

#[cold]
#[inline(never)]
fn empty_trashcan(interp: &Interpreter) {
    loop {
        let next = interp.trashcan.borrow_mut().pop();
        let Some(next) = next else { return };
        // SAFETY: objects in the trashcan are unreachable and intact.
        unsafe { release_parts(interp, next) };
    }
}

/// Chains longer than this are destroyed from a queue instead of the native stack.
const MAX_DESTROY_DEPTH: usize = 64;

/// Runs `__del__` or the native finaliser once. False when the object was resurrected.
fn finalize(interp: &Interpreter, header: &Header) -> bool {
    if header.flags.get() & Header::FINALIZED != 0 {
        return true;
    }
    header.flags.set(header.flags.get() | Header::FINALIZED);
    header.refcount.set(1);
    // SAFETY: the count was raised to 1 for this temporary reference.
    let value = std::mem::ManuallyDrop::new(unsafe { Value::from_header(NonNull::from(header)) });
    interp.run_finalizer(&value);
    let left = header.refcount.get() - 1;
    header.refcount.set(left);
    left == 0
}

/// # Safety
/// The object is intact and unreachable.
#[inline(always)]
unsafe fn release_parts(interp: &Interpreter, object: NonNull<Header>) {
    // SAFETY: the object is intact; each part is dropped once, then the block is given back.
    unsafe {
        let header = object.as_ref();
        let ty_bits = header.ty.get() as u64;
        let ty = type_of_header(header);
        if ty.adds_to_payload() || header.flags.get() & SIZED != 0 {
            return release_all_parts(interp, object);
        }
        let payload = ty.payload;
        let container = ty.holds_references();
        (payload.drop)(object.as_ptr().cast::<u8>().add(PAYLOAD_OFFSET));
        let size = PAYLOAD_OFFSET + payload.size.next_multiple_of(8);
        interp.heap.free(object.cast(), size, container);
        if ty_bits != object.as_ptr() as u64 {
            // The object's reference to its type. The type `type` is its own: that went with the block.
            drop(Value::from_bits(ty_bits));
        }
    }
}

/// [`release_parts`] of an object with slots or attributes behind the payload.
///
/// # Safety
/// As for that.
#[inline(never)]
unsafe fn release_all_parts(interp: &Interpreter, object: NonNull<Header>) {
    // SAFETY: as there.
    unsafe {
        let header = object.as_ref();
        let ty = Ref::<Type>(Value::from_bits(header.ty.get() as u64), PhantomData);
        let base = object.as_ptr().cast::<u8>();
        if ty.attrs_offset.get() != 0 {
            (*base.add(ty.attrs_offset.get()).cast::<Attrs>()).release();
        }
        for index in 0..ty.slot_count.get() {
            std::ptr::drop_in_place(base.add(ty.slots_offset() + 8 * index).cast::<SlotWord>());
        }
        let size = block_size(header, &ty);
        let container = ty.holds_references();
        (ty.payload.drop)(base.add(PAYLOAD_OFFSET));
        interp.heap.free(object.cast(), size, container);
    }
}

/// Header flag: the object's size stands in the flags: it was made as an instance of another class, or its attributes stand in a
/// dict.
const SIZED: u32 = 1 << 17;
/// Where the size stands in the flags, in words.
const SIZE_SHIFT: u32 = 18;
const SIZE_MASK: u32 = 0x3ff;

/// Bytes of the block of an object.
fn block_size(header: &Header, ty: &Type) -> usize {
    let flags = header.flags.get();
    if flags & SIZED != 0 {
        return ((flags >> SIZE_SHIFT) & SIZE_MASK) as usize * 8;
    }
    match ty.attrs_offset.get() {
        0 => ty.object_size(),
        offset => {
            // SAFETY: the type says that an `Attrs` stands there.
            let attrs = unsafe { &*header_part(header, offset).cast::<Attrs>() };
            match attrs.shape() {
                Some(shape) if !shape.dictionary => offset + size_of::<Attrs>() + 8 * shape.inline,
                // Too large for the flags: all instances are of one size.
                _ => ty.object_size(),
            }
        }
    }
}

/// Notes the size of an object whose shape or type is about to change to one that does not tell it. False: it is too large.
pub(crate) fn keep_size(object: &Value) -> bool {
    let Some(header) = object.header() else { return false };
    let words = block_size(header, type_of_header(header)) / 8;
    if words > SIZE_MASK as usize {
        return false;
    }
    let flags = header.flags.get() & !(SIZE_MASK << SIZE_SHIFT);
    header.flags.set(flags | SIZED | (words as u32) << SIZE_SHIFT);
    true
}

/// Makes `object` an instance of `class`. Its attributes stand in a dict, so that only payload and slots matter; false when
/// those differ.
pub(crate) fn change_class(object: &Value, class: &Ref<Type>) -> bool {
    let Some(header) = object.header() else { return false };
    let old = type_of_header(header);
    let fits = old.payload.type_id == class.payload.type_id
        && old.slot_count.get() == class.slot_count.get()
        && old.attrs_offset.get() == class.attrs_offset.get()
        && old.holds_references() == class.holds_references()
        && object.attrs().is_none_or(|attrs| attrs.dict().is_some());
    if !fits || !keep_size(object) {
        return false;
    }
    if class.flags.get().contains(TypeFlags::HAS_FINALIZER) {
        header.flags.set(header.flags.get() & !Header::FINALIZED);
    }
    let old_bits = header.ty.replace(class.value().clone().into_bits() as *const ()) as u64;
    // SAFETY: the object owned a reference to its old type, which is given up here; the new one took its place.
    drop(unsafe { Value::from_bits(old_bits) });
    true
}

/// Shows every reference that a heap object owns: its type, payload, slots and attributes.
pub fn trace_object(header: &Header, visit: &mut Visitor) {
    let ty = type_of_header(header);
    // SAFETY: the object is live, its parts are where its type says.
    unsafe {
        let ty_bits = header.ty.get() as u64;
        visit(Value::borrow_bits(&ty_bits));
        (ty.payload.trace)(payload_ptr(header), visit);
        for index in 0..ty.slot_count.get() {
            (*header_part(header, ty.slots_offset() + 8 * index).cast::<SlotWord>()).trace(visit);
        }
        if ty.attrs_offset.get() != 0 {
            (*header_part(header, ty.attrs_offset.get()).cast::<Attrs>()).trace(visit);
        }
    }
}

/// Makes a garbage object give up its references.
pub fn clear_object(header: &Header) {
    let ty = type_of_header(header);
    // SAFETY: the object is live, its parts are where its type says.
    unsafe {
        (ty.payload.clear)(payload_ptr(header));
        for index in 0..ty.slot_count.get() {
            (*header_part(header, ty.slots_offset() + 8 * index).cast::<SlotWord>()).set(None);
        }
        if ty.attrs_offset.get() != 0 {
            (*header_part(header, ty.attrs_offset.get()).cast::<Attrs>()).clear();
        }
    }
}

/// Classes written in Python with a finaliser: the collector runs those of older objects first, so their age is noted.
const AGES_COUNT: TypeFlags = TypeFlags::MUTABLE.or(TypeFlags::HAS_FINALIZER);

/// In which order objects with finalisers were made. Blocks are used again, so that addresses do not tell.
#[derive(Default)]
pub(crate) struct Births {
    order: RefCell<WordMap<u64, u64>>,
    next: Cell<u64>,
}

impl Births {
    /// Header flag: the object stands in the table.
    const NOTED: u32 = 1 << 28;

    #[cold]
    fn note(&self, header: &Header) {
        let mut order = self.order.borrow_mut();
        // An object that is not in the table counts as old: without memory the order is another, nothing else.
        if order.try_reserve(1).is_ok() {
            order.insert(header as *const Header as u64, self.next.replace(self.next.get() + 1));
            header.flags.set(header.flags.get() | Births::NOTED);
        }
    }

    fn forget(&self, header: &Header) {
        if header.flags.get() & Births::NOTED != 0 {
            self.order.borrow_mut().remove(&(header as *const Header as u64));
        }
    }

    /// Brings the older objects before the younger ones.
    pub(crate) fn sort(&self, objects: &mut [NonNull<Header>]) {
        let order = self.order.borrow();
        objects.sort_by_key(|object| order.get(&(object.as_ptr() as u64)).copied());
    }
}

/// Raised by allocation; kept here so that the cold path is out of line.
impl Interpreter {
    #[cold]
    pub fn no_memory(&self) -> Raised {
        self.raise_memory_error()
    }
}

/// Makes the first object: the type `type`, which is its own type.
pub(crate) fn alloc_type_of_types(interp: &Interpreter, bare: Type) -> Option<Ref<Type>> {
    let size = bare.object_size();
    let header = interp.heap.alloc(size, true)?.cast::<Header>();
    // SAFETY: the block is fresh and large enough for header and payload.
    unsafe {
        header.as_ref().ty.set(header.as_ptr().cast_const().cast());
        payload_ptr(header.as_ptr()).cast_mut().cast::<Type>().write(bare);
        header.as_ref().set(Header::TRACKED);
        let value = Value::from_header(header);
        // The type owns a reference to itself, as every object does to its type.
        std::mem::forget(value.clone());
        Some(Ref(value, PhantomData))
    }
}

/// The type of a live heap object, as a typed reference borrowed from the object.
#[inline(always)]
pub fn type_ref_of_header(header: &Header) -> &Ref<Type> {
    // SAFETY: `ty` holds the address of the type object, which is the word of a `Value`, hence of a `Ref`; the object owns a
    // reference to its type, so it lives as long as the borrow.
    unsafe { &*(&header.ty as *const Cell<*const ()>).cast::<Ref<Type>>() }
}

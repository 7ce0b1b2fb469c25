//! `mmap`: files as memory.

use crate::{libc_constants, set_ints};
use pellucid_host::{MapRequest, Mapping, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_object::buffer::{Buffer, BytesRef, Layout, Memory, flags, memory_of};
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    SlotWord, TypeDef, TypeFlags, Value, Visitor, constant, payload,
};
use pellucid_types::seq::{bind, bound, clamp, index_i64, place};
use pellucid_types::slice::{Slice, Span, parts};
use std::cell::{Cell, Ref, RefCell, RefMut};

/// How the memory may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Default,
    Read,
    Write,
    Copy,
}

/// Payload of `mmap`.
struct Mmap {
    mapping: RefCell<Option<Mapping>>,
    position: Cell<usize>,
    exports: Cell<usize>,
    access: Cell<Access>,
    /// The file, a descriptor of our own; -1: none.
    fd: Cell<i32>,
    offset: i64,
    flags: i32,
}

impl Payload for Mmap {
    const CONTAINER: bool = false;
}

impl Memory for Mmap {
    fn bytes(&self) -> BytesRef<'_> {
        BytesRef::Guarded(Ref::map(self.mapping.borrow(), |mapping| {
            mapping.as_ref().map_or(&[][..], Mapping::bytes)
        }))
    }
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        if self.access.get() == Access::Read {
            return None;
        }
        RefMut::filter_map(self.mapping.borrow_mut(), |mapping| mapping.as_mut().and_then(Mapping::bytes_mut))
            .ok()
    }
    fn exports(&self) -> Option<&Cell<usize>> {
        Some(&self.exports)
    }
}

/// An open map. Errors: `ValueError` when it is closed.
fn open<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Mmap> {
    let map = any(vm, value)?;
    if map.mapping.borrow().is_none() {
        return Err(vm.value_error("mmap closed or invalid".to_string()));
    }
    Ok(map)
}

fn any<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Mmap> {
    value.downcast::<Mmap>().ok_or_else(|| vm.type_error("an mmap was expected".to_string()))
}

impl Mmap {
    fn len(&self) -> usize {
        self.mapping.borrow().as_ref().map_or(0, Mapping::len)
    }

    /// A copy of some of the bytes. Errors: `MemoryError`.
    fn copy(&self, vm: &Interpreter, start: usize, end: usize) -> Res<Vec<u8>> {
        vm.copied(&self.bytes().range(start, end))
    }

    /// Overwrites bytes; false when they do not lie inside. Errors: `TypeError` when the map is read-only.
    fn put(&self, vm: &Interpreter, start: usize, bytes: &[u8]) -> Res<bool> {
        let Some(mut memory) = self.bytes_mut() else { return Err(read_only(vm)) };
        match start.checked_add(bytes.len()).and_then(|end| memory.get_mut(start..end)) {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn check_writable(&self, vm: &Interpreter) -> Res<()> {
        if self.access.get() == Access::Read { Err(read_only(vm)) } else { Ok(()) }
    }

    fn check_resizable(&self, vm: &Interpreter) -> Res<()> {
        if self.exports.get() > 0 {
            return Err(vm.buffer_error("mmap can't resize with extant pointers exported.".to_string()));
        }
        if matches!(self.access.get(), Access::Read | Access::Copy) {
            let text = "mmap can't resize a readonly or copy-on-write memory map.";
            return Err(vm.type_error(text.to_string()));
        }
        Ok(())
    }
}

#[cold]
fn read_only(vm: &Interpreter) -> Raised {
    vm.type_error("mmap can't modify a readonly memory map.".to_string())
}

// ---- making ----

/// Checks the length against the file's; the length to map. Errors: `ValueError`, `OSError`.
fn fitting_length(vm: &Interpreter, fd: i32, length: u64, offset: i64) -> Res<u64> {
    if fd == -1 {
        return Ok(length);
    }
    let stat = vm.host().fstat(fd).map_err(|error| vm.os_error(error))?;
    if !stat.is_file() {
        return Ok(length);
    }
    let left = (stat.size as i128) - i128::from(offset);
    if length == 0 {
        if stat.size == 0 {
            return Err(vm.value_error("cannot mmap an empty file".to_string()));
        }
        if left <= 0 {
            return Err(vm.value_error("mmap offset is greater than file size".to_string()));
        }
        return Ok(left as u64);
    }
    if left < i128::from(length) {
        return Err(vm.value_error("mmap length is greater than file size".to_string()));
    }
    Ok(length)
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let names = ["fileno", "length", "flags", "prot", "access", "offset", "trackfd"];
    let [fileno, length, flags, protection, access, offset, track] = bind(vm, "mmap", names, call)?;
    let (Some(fileno), Some(length)) = (fileno, length) else {
        let missing = if call.values.is_empty() { "'fileno' (pos 1)" } else { "'length' (pos 2)" };
        return Err(vm.type_error(format!("mmap() missing required argument {missing}")));
    };
    let number = |value: Option<&Value>, default: i32| value.map_or(Ok(default), |value| c_int(vm, value));
    let fd = c_int(vm, &fileno)?;
    let length = index_size(vm, &length)?;
    let access_number = number(access.as_ref(), 0)?;
    let given = flags.is_some() || protection.is_some();
    let mut flags_number = number(flags.as_ref(), libc::MAP_SHARED)?;
    let mut protection = number(protection.as_ref(), libc::PROT_READ | libc::PROT_WRITE)?;
    let offset = offset.map_or(Ok(0), |offset| vm.expect_i64(&offset))?;
    let track = track.map_or(Ok(true), |track| vm.truthy(&track))?;
    let int = |number: i64| vm.new_int(number);
    vm.audit("mmap.__new__", &[int(fd.into())?, int(length)?, int(access_number.into())?, int(offset)?])?;
    let Ok(length) = u64::try_from(length) else {
        return Err(vm.overflow_error("memory mapped length must be positive".to_string()));
    };
    if offset < 0 {
        return Err(vm.overflow_error("memory mapped offset must be positive".to_string()));
    }
    if access_number != 0 && given {
        return Err(vm.value_error("mmap can't specify both access and flags, prot.".to_string()));
    }
    let read_write = libc::PROT_READ | libc::PROT_WRITE;
    let access = match access_number {
        0 if protection & read_write == read_write => Access::Default,
        0 if protection & libc::PROT_WRITE != 0 => Access::Write,
        0 => Access::Read,
        1 => {
            (flags_number, protection) = (libc::MAP_SHARED, libc::PROT_READ);
            Access::Read
        }
        2 => {
            (flags_number, protection) = (libc::MAP_SHARED, read_write);
            Access::Write
        }
        3 => {
            (flags_number, protection) = (libc::MAP_PRIVATE, read_write);
            Access::Copy
        }
        _ => return Err(vm.value_error("mmap invalid access parameter.".to_string())),
    };
    let length = fitting_length(vm, fd, length, offset)?;
    let length =
        usize::try_from(length).map_err(|_| vm.value_error("mmap length is too large".to_string()))?;
    let host = vm.host();
    let own = if fd == -1 {
        flags_number |= libc::MAP_ANONYMOUS;
        -1
    } else if track {
        host.dup(fd).map_err(|error| vm.os_error(error))?
    } else {
        -1
    };
    let request = MapRequest { fd, length, protection, flags: flags_number, offset };
    let mapping = match host.map(request) {
        Ok(mapping) => mapping,
        Err(error) => {
            if own != -1 {
                // What is told is the first error.
                let _closed = host.close(own);
            }
            return Err(vm.os_error(error));
        }
    };
    let map = Mmap {
        mapping: RefCell::new(Some(mapping)),
        position: Cell::new(0),
        exports: Cell::new(0),
        access: Cell::new(access),
        fd: Cell::new(own),
        offset,
        flags: flags_number,
    };
    vm.alloc_subclass(cls, map)
}

fn index_size(vm: &Interpreter, value: &Value) -> Res<i64> {
    let index = vm.index(value)?;
    vm.as_i64(&index)
        .ok_or_else(|| vm.overflow_error("cannot fit 'int' into an index-sized integer".to_string()))
}

fn close(vm: &Interpreter, value: &Value) -> Res {
    let map = any(vm, value)?;
    if map.exports.get() > 0 {
        return Err(vm.buffer_error("cannot close exported pointers exist".to_string()));
    }
    let mapping = map.mapping.take();
    let fd = map.fd.replace(-1);
    drop(mapping);
    if fd >= 0 {
        return crate::done(vm, vm.host().close(fd));
    }
    Ok(Value::NONE)
}

fn finalize(vm: &Interpreter, value: &Value) {
    if let Some(map) = value.downcast::<Mmap>()
        && map.fd.get() >= 0
    {
        // Nobody is left who could be told.
        let _closed = vm.host().close(map.fd.replace(-1));
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let map = any(vm, value)?;
    let name = vm.full_type_name(value);
    let access = match map.access.get() {
        Access::Default => "ACCESS_DEFAULT",
        Access::Read => "ACCESS_READ",
        Access::Write => "ACCESS_WRITE",
        Access::Copy => "ACCESS_COPY",
    };
    if map.mapping.borrow().is_none() {
        return vm.new_str(&format!("<{name} closed=True>"));
    }
    let (length, position, offset) = (map.len(), map.position.get(), map.offset);
    vm.new_str(&format!(
        "<{name} closed=False, access={access}, length={length}, pos={position}, offset={offset}>"
    ))
}

// ---- as a file ----

fn read(vm: &Interpreter, args: &Args) -> Res {
    let map = open(vm, args.req(0))?;
    let wanted = match args.some(1) {
        None => -1,
        Some(value) => index_i64(vm, value)?,
    };
    open(vm, args.req(0))?;
    let start = map.position.get().min(map.len());
    let left = map.len() - start;
    let count = usize::try_from(wanted).map_or(left, |wanted| wanted.min(left));
    let bytes = map.copy(vm, start, start + count)?;
    map.position.set(start + count);
    vm.new_bytes(bytes)
}

fn read_byte(vm: &Interpreter, value: &Value) -> Res {
    let map = open(vm, value)?;
    let position = map.position.get();
    let byte = map.bytes().get(position).copied();
    match byte {
        Some(byte) => {
            map.position.set(position + 1);
            vm.new_int(byte.into())
        }
        None => Err(vm.value_error("read byte out of range".to_string())),
    }
}

fn readline(vm: &Interpreter, value: &Value) -> Res {
    let map = open(vm, value)?;
    let start = map.position.get().min(map.len());
    let end = match memchr::memchr(b'\n', &map.bytes()[start.min(map.bytes().len())..]) {
        Some(at) => start + at + 1,
        None => map.len(),
    };
    let line = map.copy(vm, start, end)?;
    map.position.set(end);
    vm.new_bytes(line)
}

fn write(vm: &Interpreter, value: &Value, data: &Value) -> Res {
    let map = open(vm, value)?;
    let bytes = vm.bytes_like(data)?.bytes().to_vec();
    map.check_writable(vm)?;
    open(vm, value)?;
    let position = map.position.get();
    if !map.put(vm, position, &bytes)? {
        return Err(vm.value_error("data out of range".to_string()));
    }
    map.position.set(position + bytes.len());
    vm.new_int(bytes.len() as i64)
}

fn write_byte(vm: &Interpreter, value: &Value, byte: &Value) -> Res {
    let map = open(vm, value)?;
    let number = vm.expect_i64(byte)?;
    let Ok(number) = u8::try_from(number) else {
        let text = if number < 0 {
            "unsigned byte integer is less than minimum"
        } else {
            "unsigned byte integer is greater than maximum"
        };
        return Err(vm.overflow_error(text.to_string()));
    };
    map.check_writable(vm)?;
    let position = map.position.get();
    if !map.put(vm, position, &[number])? {
        return Err(vm.value_error("write byte out of range".to_string()));
    }
    map.position.set(position + 1);
    Ok(Value::NONE)
}

fn seek(vm: &Interpreter, args: &Args) -> Res {
    let map = open(vm, args.req(0))?;
    let distance = index_i64(vm, args.req(1))?;
    let from = match args.get(2).map_or(Ok(0), |how| c_int(vm, how))? {
        0 => 0,
        1 => map.position.get(),
        2 => map.len(),
        _ => return Err(vm.value_error("unknown seek type".to_string())),
    };
    let target = (from as i64).checked_add(distance).and_then(|target| usize::try_from(target).ok());
    match target.filter(|target| *target <= map.len()) {
        Some(target) => {
            map.position.set(target);
            vm.new_int(target as i64)
        }
        None => Err(vm.value_error("seek out of range".to_string())),
    }
}

fn size(vm: &Interpreter, value: &Value) -> Res {
    let map = open(vm, value)?;
    if map.fd.get() < 0 {
        return vm.new_int(map.len() as i64);
    }
    match vm.host().fstat(map.fd.get()) {
        Ok(stat) => vm.new_int(stat.size),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn resize(vm: &Interpreter, value: &Value, length: &Value) -> Res {
    let map = open(vm, value)?;
    let length = index_i64(vm, length)?;
    open(vm, value)?;
    map.check_resizable(vm)?;
    let Some(length) =
        usize::try_from(length).ok().filter(|length| *length > 0 && *length as i64 <= i64::MAX - map.offset)
    else {
        return Err(vm.value_error("new size out of range".to_string()));
    };
    if map.fd.get() == -1 && map.flags & libc::MAP_PRIVATE == 0 && length > map.len() {
        return Err(vm.value_error("mmap: can't expand a shared anonymous mapping on Linux".to_string()));
    }
    if map.fd.get() != -1
        && let Err(error) = vm.host().ftruncate(map.fd.get(), (map.offset + length as i64) as u64)
    {
        return Err(vm.os_error(error));
    }
    let resized = match &mut *map.mapping.borrow_mut() {
        Some(mapping) => mapping.resize(length),
        None => Ok(()),
    };
    crate::done(vm, resized)
}

fn flush(vm: &Interpreter, args: &Args) -> Res {
    let map = open(vm, args.req(0))?;
    let offset = args.get(1).map_or(Ok(0), |value| index_i64(vm, value))?;
    let size = match args.get(2) {
        Some(value) => index_i64(vm, value)?,
        None => map.len() as i64 - offset,
    };
    let inside = offset >= 0 && size >= 0 && map.len() as i64 - offset >= size;
    if !inside {
        return Err(vm.value_error("flush values out of range".to_string()));
    }
    if matches!(map.access.get(), Access::Read | Access::Copy) {
        return Ok(Value::NONE);
    }
    let flushed = match &*map.mapping.borrow() {
        Some(mapping) => mapping.flush(offset as usize, size as usize, libc::MS_SYNC),
        None => Ok(()),
    };
    crate::done(vm, flushed)
}

fn madvise(vm: &Interpreter, args: &Args) -> Res {
    let map = open(vm, args.req(0))?;
    let advice = c_int(vm, args.req(1))?;
    let start = args.get(2).map_or(Ok(0), |value| index_i64(vm, value))?;
    let length = match args.some(3) {
        Some(value) => index_i64(vm, value)?,
        None => map.len() as i64,
    };
    if start < 0 || start >= map.len() as i64 {
        return Err(vm.value_error("madvise start out of bounds".to_string()));
    }
    if length < 0 {
        return Err(vm.value_error("madvise length invalid".to_string()));
    }
    if start.checked_add(length).is_none() {
        return Err(vm.overflow_error("madvise length too large".to_string()));
    }
    let length = (length as usize).min(map.len() - start as usize);
    let advised = match &*map.mapping.borrow() {
        Some(mapping) => mapping.advise(start as usize, length, advice),
        None => Ok(()),
    };
    crate::done(vm, advised)
}

fn move_bytes(vm: &Interpreter, args: &Args) -> Res {
    let map = open(vm, args.req(0))?;
    let (to, from, count) =
        (index_i64(vm, args.req(1))?, index_i64(vm, args.req(2))?, index_i64(vm, args.req(3))?);
    map.check_writable(vm)?;
    let length = map.len() as i64;
    if to < 0 || from < 0 || count < 0 || length - to < count || length - from < count {
        return Err(vm.value_error("source, destination, or count out of range".to_string()));
    }
    match map.bytes_mut() {
        Some(mut memory) => memory.copy_within(from as usize..(from + count) as usize, to as usize),
        None => return Err(read_only(vm)),
    }
    Ok(Value::NONE)
}

fn find_either(vm: &Interpreter, args: &Args, from_end: bool) -> Res {
    let map = open(vm, args.req(0))?;
    let needle = vm.bytes_like(args.req(1))?.bytes().to_vec();
    let start = bound(vm, args.some(2), map.position.get() as i64)?;
    let end = bound(vm, args.some(3), map.len() as i64)?;
    let (start, end) = (clamp(start, map.len()), clamp(end, map.len()));
    let memory = map.bytes().range(start, end.max(start));
    let found = if start > end {
        None
    } else if from_end {
        memchr::memmem::rfind(&memory, &needle)
    } else {
        memchr::memmem::find(&memory, &needle)
    };
    drop(memory);
    vm.new_int(found.map_or(-1, |at| (start + at) as i64))
}

// ---- as a sequence ----

fn getitem(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let map = open(vm, value)?;
    if let Some(slice) = key.downcast::<Slice>() {
        let parts = parts(vm, slice)?;
        open(vm, value)?;
        let span = parts.over(map.len());
        if span.step == 1 {
            let start = span.start.max(0) as usize;
            return vm.new_bytes(map.copy(vm, start, start + span.count)?);
        }
        let memory = map.bytes();
        let bytes: Vec<u8> = span.places().filter_map(|at| memory.get(at).copied()).collect();
        drop(memory);
        return vm.new_bytes(bytes);
    }
    if !pellucid_types::seq::has_index(vm, key) {
        return Err(vm.type_error("mmap indices must be integers".to_string()));
    }
    let index = index_i64(vm, key)?;
    open(vm, value)?;
    let byte = place(index, map.len()).and_then(|at| map.bytes().get(at).copied());
    match byte {
        Some(byte) => vm.new_int(byte.into()),
        None => Err(vm.index_error("mmap index out of range".to_string())),
    }
}

fn setitem(vm: &Interpreter, value: &Value, key: &Value, item: Option<&Value>) -> Res<()> {
    let map = open(vm, value)?;
    map.check_writable(vm)?;
    if let Some(slice) = key.downcast::<Slice>() {
        let parts = parts(vm, slice)?;
        let Some(item) = item else {
            return Err(vm.type_error("mmap object doesn't support slice deletion".to_string()));
        };
        let bytes = vm.bytes_like(item)?.bytes().to_vec();
        open(vm, value)?;
        return set_slice(vm, map, parts.over(map.len()), &bytes);
    }
    if !pellucid_types::seq::has_index(vm, key) {
        return Err(vm.type_error("mmap indices must be integers".to_string()));
    }
    let index = index_i64(vm, key)?;
    let Some(at) = place(index, map.len()) else {
        return Err(vm.index_error("mmap index out of range".to_string()));
    };
    let Some(item) = item else {
        return Err(vm.type_error("mmap doesn't support item deletion".to_string()));
    };
    if !pellucid_types::seq::has_index(vm, item) {
        return Err(vm.type_error("mmap item value must be an int".to_string()));
    }
    let number = index_i64(vm, item)?;
    let Ok(byte) = u8::try_from(number) else {
        return Err(vm.value_error("mmap item value must be in range(0, 256)".to_string()));
    };
    open(vm, value)?;
    if map.put(vm, at, &[byte])? {
        Ok(())
    } else {
        Err(vm.index_error("mmap index out of range".to_string()))
    }
}

fn set_slice(vm: &Interpreter, map: &Mmap, span: Span, bytes: &[u8]) -> Res<()> {
    if bytes.len() != span.count {
        return Err(vm.index_error("mmap slice assignment is wrong size".to_string()));
    }
    let Some(mut memory) = map.bytes_mut() else { return Err(read_only(vm)) };
    for (at, byte) in span.places().zip(bytes) {
        if let Some(place) = memory.get_mut(at) {
            *place = *byte;
        }
    }
    Ok(())
}

fn buffer(vm: &Interpreter, value: &Value, wanted: u32) -> Res<Buffer> {
    let map = open(vm, value)?;
    let read_only = map.access.get() == Access::Read;
    if read_only && wanted & flags::WRITABLE != 0 {
        return Err(vm.buffer_error("Object is not writable.".to_string()));
    }
    Ok(Buffer::new(value, memory_of::<Mmap>, Layout::bytes(map.len(), read_only)))
}

/// Payload of the iterator, which gives `bytes` of one byte each.
struct MmapIterator {
    map: SlotWord,
    at: Cell<usize>,
}

impl Payload for MmapIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.map.trace(visit);
    }
    fn clear(&self) {
        self.map.set(None);
    }
}

fn iterate(vm: &Interpreter, value: &Value) -> Res {
    let iterator = MmapIterator { map: SlotWord::new(Some(value.clone())), at: Cell::new(0) };
    vm.alloc(&vm.type_for(&ITERATOR)?, iterator)
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(iterator) = value.downcast::<MmapIterator>() else { return Ok(None) };
    let Some(map) = iterator.map.get() else { return Ok(None) };
    let at = iterator.at.get();
    let byte = open(vm, &map)?.bytes().get(at).copied();
    match byte {
        Some(byte) => {
            iterator.at.set(at + 1);
            vm.new_bytes(vec![byte]).map(Some)
        }
        None => {
            iterator.map.set(None);
            Ok(None)
        }
    }
}

static ITERATOR: TypeDef = TypeDef {
    name: "iterator",
    module: "builtins",
    base: None,
    payload: payload::<MmapIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[],
};

static MMAP: TypeDef = TypeDef {
    name: "mmap",
    module: "mmap",
    base: None,
    payload: payload::<Mmap>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF).or(TypeFlags::HAS_FINALIZER),
    doc: "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\nMaps length bytes from the file specified by the file descriptor fileno,\nand returns a mmap object.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Len(|vm, value| Ok(open(vm, value)?.len())),
        Slot::GetItem(getitem),
        Slot::SetItem(setitem),
        Slot::Iter(iterate),
        Slot::Buffer(buffer),
        Slot::Finalize(finalize),
    ],
    methods: &[
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
        FunctionDef::new(
            "find",
            "($self, view, start=None, end=None, /)",
            "",
            NativeFn::Args(|vm, args| find_either(vm, args, false)),
        ),
        FunctionDef::new(
            "rfind",
            "($self, view, start=None, end=None, /)",
            "",
            NativeFn::Args(|vm, args| find_either(vm, args, true)),
        ),
        FunctionDef::new("flush", "($self, offset=0, size=None, /)", "", NativeFn::Args(flush)),
        FunctionDef::new("madvise", "($self, option, start=0, length=None, /)", "", NativeFn::Args(madvise)),
        FunctionDef::new("move", "($self, dest, src, count, /)", "", NativeFn::Args(move_bytes)),
        FunctionDef::new("read", "($self, n=None, /)", "", NativeFn::Args(read)),
        FunctionDef::new("read_byte", "($self, /)", "", NativeFn::F1(read_byte)),
        FunctionDef::new("readline", "($self, /)", "", NativeFn::F1(readline)),
        FunctionDef::new("resize", "($self, newsize, /)", "", NativeFn::F2(resize)),
        FunctionDef::new("seek", "($self, pos, whence=0, /)", "", NativeFn::Args(seek)),
        FunctionDef::new("seekable", "($self, /)", "", NativeFn::F1(|_, _| Ok(Value::TRUE))),
        FunctionDef::new("size", "($self, /)", "", NativeFn::F1(size)),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "",
            NativeFn::F1(|vm, value| vm.new_int(open(vm, value)?.position.get() as i64)),
        ),
        FunctionDef::new("write", "($self, bytes, /)", "", NativeFn::F2(write)),
        FunctionDef::new("write_byte", "($self, byte, /)", "", NativeFn::F2(write_byte)),
        FunctionDef::new(
            "__enter__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, value| {
                open(vm, value)?;
                Ok(value.clone())
            }),
        ),
        FunctionDef::new(
            "__exit__",
            "($self, exc_type, exc_value, traceback, /)",
            "",
            NativeFn::Args(|vm, args| vm.call_method(args.req(0), "close", &[])),
        ),
    ],
    getset: &[GetSetDef {
        name: "closed",
        doc: "",
        get: |vm, value| Ok(Value::bool(any(vm, value)?.mapping.borrow().is_none())),
        set: None,
    }],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "mmap",
    doc: "",
    functions: &[],
    types: &[&MMAP],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().os_error().value().clone())),
        constant("PAGESIZE", |vm| vm.new_int(vm.host().page_size() as i64)),
        constant("ALLOCATIONGRANULARITY", |vm| vm.new_int(vm.host().page_size() as i64)),
    ],
    init: Some(|vm, module| {
        set_ints(
            vm,
            module,
            libc_constants!(PROT_EXEC PROT_READ PROT_WRITE MAP_SHARED MAP_PRIVATE MAP_DENYWRITE MAP_EXECUTABLE MAP_ANON
                MAP_ANONYMOUS MAP_POPULATE MAP_STACK MAP_NORESERVE MAP_NONBLOCK MAP_HUGETLB MAP_LOCKED MAP_FIXED_NOREPLACE
                MAP_GROWSDOWN MAP_32BIT MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL
                MADV_WILLNEED MADV_DONTNEED MADV_REMOVE MADV_DONTFORK MADV_DOFORK MADV_HWPOISON MADV_MERGEABLE
                MADV_UNMERGEABLE MADV_SOFT_OFFLINE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP MADV_DODUMP MADV_FREE),
        )?;
        set_ints(
            vm,
            module,
            &[("ACCESS_DEFAULT", 0), ("ACCESS_READ", 1), ("ACCESS_WRITE", 2), ("ACCESS_COPY", 3)],
        )
    }),
};

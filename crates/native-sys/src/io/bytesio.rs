//! `BytesIO`: a binary stream in memory.

use super::base::{BUFFERED_IO_BASE, STREAM, store};
use super::{base_type, closed, size_argument};
use pellucid_object::buffer::{BytesRef, Layout, Memory, memory_of};
use pellucid_object::heap::SlotWord;
use pellucid_object::{
    Args, Buffer, Bytes, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res,
    Slot, Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell, RefMut};

/// Payload of `BytesIO`.
#[derive(Default)]
pub struct BytesIo {
    data: RefCell<Vec<u8>>,
    /// A `bytes` object equal to the data, as long as nothing was written.
    whole: SlotWord,
    position: Cell<usize>,
    exports: Cell<usize>,
    closed: Cell<bool>,
}

impl Payload for BytesIo {
    const CONTAINER: bool = false;
}

impl Memory for BytesIo {
    fn bytes(&self) -> BytesRef<'_> {
        BytesRef::Guarded(std::cell::Ref::map(self.data.borrow(), Vec::as_slice))
    }
    fn bytes_mut(&self) -> Option<RefMut<'_, [u8]>> {
        Some(RefMut::map(self.data.borrow_mut(), Vec::as_mut_slice))
    }
    fn exports(&self) -> Option<&Cell<usize>> {
        Some(&self.exports)
    }
}

fn stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a BytesIo> {
    match this.downcast::<BytesIo>() {
        Some(me) if me.closed.get() => Err(closed(vm)),
        Some(me) => Ok(me),
        None => Err(vm.type_error("a BytesIO was expected".to_string())),
    }
}

fn any_stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a BytesIo> {
    this.downcast::<BytesIo>().ok_or_else(|| vm.type_error("a BytesIO was expected".to_string()))
}

#[cold]
fn exported(vm: &Interpreter) -> Raised {
    vm.buffer_error("Existing exports of data: object cannot be re-sized".to_string())
}

fn check_exports(vm: &Interpreter, me: &BytesIo) -> Res<()> {
    if me.exports.get() == 0 { Ok(()) } else { Err(exported(vm)) }
}

/// The data are about to change.
fn changes(me: &BytesIo) {
    let old = me.whole.replace(None);
    drop(old);
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let mut initial = None;
    match call.positional() {
        [] => {}
        [one] => initial = Some(one.clone()),
        more => {
            let n = more.len();
            return Err(vm.type_error(format!("BytesIO() takes at most 1 argument ({n} given)")));
        }
    }
    for (name, value) in call.keywords() {
        match vm.str_lossy(name).as_str() {
            "initial_bytes" if initial.is_none() => initial = Some(value.clone()),
            other => {
                return Err(vm.type_error(format!("BytesIO() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let me = any_stream(vm, this)?;
    check_exports(vm, me)?;
    changes(me);
    me.closed.set(false);
    me.position.set(0);
    let (data, whole) = match initial.filter(|value| !value.is_none()) {
        Some(value) if vm.is_exact(&value, &vm.types().bytes) => {
            let bytes = value.downcast::<Bytes>().map(Bytes::as_slice).unwrap_or_default();
            (vm.copied(bytes)?, Some(value.clone()))
        }
        Some(value) => (vm.bytes_like(&value)?.to_vec(vm)?, None),
        None => (Vec::new(), None),
    };
    me.data.replace(data);
    me.whole.set(whole);
    Ok(())
}

/// The next bytes, at most `size`, and moves past them.
fn take(vm: &Interpreter, me: &BytesIo, size: Option<usize>) -> Res {
    let data = me.data.borrow();
    let start = me.position.get().min(data.len());
    let end = size.map_or(data.len(), |size| start.saturating_add(size).min(data.len()));
    if start == 0
        && end == data.len()
        && let Some(whole) = me.whole.get()
    {
        me.position.set(end);
        return Ok(whole);
    }
    let part = vm.copied(&data[start..end])?;
    drop(data);
    if end > start {
        me.position.set(end);
    }
    vm.new_bytes(part)
}

fn read(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    take(vm, me, size_argument(vm, args.get(1))?)
}

/// How long the line at the position is, at most `limit`.
fn line_length(me: &BytesIo, limit: Option<usize>) -> usize {
    let data = me.data.borrow();
    let rest = data.get(me.position.get()..).unwrap_or_default();
    let rest = &rest[..limit.map_or(rest.len(), |limit| limit.min(rest.len()))];
    memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
}

fn readline(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    let limit = size_argument(vm, args.get(1))?;
    take(vm, me, Some(line_length(me, limit)))
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let me = stream(vm, this)?;
    match line_length(me, None) {
        0 => Ok(None),
        length => take(vm, me, Some(length)).map(Some),
    }
}

fn readlines(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    let most = size_argument(vm, args.get(1))?.filter(|most| *most > 0);
    let (mut lines, mut total) = (Vec::new(), 0);
    loop {
        let length = line_length(me, None);
        if length == 0 {
            break;
        }
        lines.push(take(vm, me, Some(length))?);
        total += length;
        if most.is_some_and(|most| total >= most) {
            break;
        }
    }
    vm.new_list(lines)
}

fn readinto(vm: &Interpreter, this: &Value, target: &Value) -> Res {
    let me = stream(vm, this)?;
    let target = vm.writable_bytes(target, "readinto")?;
    let part = {
        let data = me.data.borrow();
        let rest = data.get(me.position.get()..).unwrap_or_default();
        vm.copied(&rest[..rest.len().min(target.len())])?
    };
    store(vm, &target, &part)?;
    me.position.set(me.position.get() + part.len());
    vm.new_int(part.len() as i64)
}

fn put(vm: &Interpreter, me: &BytesIo, bytes: &[u8]) -> Res<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    changes(me);
    let start = me.position.get();
    let Some(end) = start.checked_add(bytes.len()).filter(|end| isize::try_from(*end).is_ok()) else {
        return Err(vm.overflow_error("new buffer size too large".to_string()));
    };
    let mut data = me.data.borrow_mut();
    if end > data.len() {
        let more = end - data.len();
        data.try_reserve(more).map_err(|_| vm.no_memory())?;
        if start >= data.len() {
            // A seek beyond the end leaves zeroes.
            data.resize(start, 0);
            data.extend_from_slice(bytes);
        } else {
            data.truncate(start);
            data.extend_from_slice(bytes);
        }
    } else if let Some(place) = data.get_mut(start..end) {
        place.copy_from_slice(bytes);
    }
    drop(data);
    me.position.set(end);
    Ok(())
}

fn write(vm: &Interpreter, this: &Value, data: &Value) -> Res {
    let me = stream(vm, this)?;
    check_exports(vm, me)?;
    let data = vm.bytes_like(data)?;
    if data.is_of(this) {
        return Err(exported(vm));
    }
    let guard = data.bytes();
    put(vm, me, &guard)?;
    vm.new_int(data.len() as i64)
}

fn writelines(vm: &Interpreter, this: &Value, lines: &Value) -> Res {
    stream(vm, this)?;
    vm.for_each(lines, |line| write(vm, this, &line).map(drop))?;
    Ok(Value::NONE)
}

fn seek(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    let offset = vm.expect_i64(args.req(1))?;
    let from = args.int_or(vm, 2, 0)?;
    if offset < 0 && from == 0 {
        return Err(vm.value_error(format!("negative seek value {offset}")));
    }
    let base = match from {
        0 => 0,
        1 => me.position.get(),
        2 => me.data.borrow().len(),
        _ => return Err(vm.value_error(format!("invalid whence ({from}, should be 0, 1 or 2)"))),
    };
    let Some(target) = i64::try_from(base).ok().and_then(|base| base.checked_add(offset)) else {
        return Err(vm.overflow_error("new position too large".to_string()));
    };
    me.position.set(usize::try_from(target).unwrap_or(0));
    vm.new_int(target.max(0))
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    check_exports(vm, me)?;
    let size = match args.some(1) {
        Some(value) => {
            let size = vm.expect_i64(value)?;
            usize::try_from(size).map_err(|_| vm.value_error(format!("negative size value {size}")))?
        }
        None => me.position.get(),
    };
    if size < me.data.borrow().len() {
        changes(me);
        me.data.borrow_mut().truncate(size);
    }
    vm.new_int(size as i64)
}

fn getvalue(vm: &Interpreter, this: &Value) -> Res {
    let me = stream(vm, this)?;
    if let Some(whole) = me.whole.get().filter(|_| me.exports.get() == 0) {
        return Ok(whole);
    }
    let copy = vm.copied(&me.data.borrow())?;
    let value = vm.new_bytes(copy)?;
    if me.exports.get() == 0 {
        me.whole.set(Some(value.clone()));
    }
    Ok(value)
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    let me = any_stream(vm, this)?;
    check_exports(vm, me)?;
    me.closed.set(true);
    changes(me);
    let old = me.data.take();
    drop(old);
    Ok(Value::NONE)
}

fn getstate(vm: &Interpreter, this: &Value) -> Res {
    let me = stream(vm, this)?;
    let value = getvalue(vm, this)?;
    let dict = match vm.attrs_dict(this)?.filter(|dict| !dict.is_empty()) {
        Some(dict) => {
            let copy = vm.new_dict()?;
            copy.update_from(vm, &dict)?;
            copy.into_value()
        }
        None => Value::NONE,
    };
    vm.new_tuple(vec![value, vm.new_int(me.position.get() as i64)?, dict])
}

fn setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let name = vm.type_name(this);
    let parts = state.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    if parts.len() < 3 {
        let got = vm.type_name(state);
        return Err(vm.type_error(format!("{name}.__setstate__ argument should be 3-tuple, got {got}")));
    }
    let me = any_stream(vm, this)?;
    check_exports(vm, me)?;
    changes(me);
    me.position.set(0);
    me.closed.set(false);
    me.data.replace(Vec::new());
    let initial = vm.bytes_like(&parts[0])?.to_vec(vm)?;
    me.data.replace(initial);
    if parts[1].as_int().is_none() {
        let got = vm.type_name(&parts[1]);
        return Err(vm.type_error(format!("second item of state must be an integer, not {got}")));
    }
    match usize::try_from(vm.expect_i64(&parts[1])?) {
        Ok(position) => me.position.set(position),
        Err(_) => return Err(vm.value_error("position value cannot be negative".to_string())),
    }
    if !parts[2].is_none() {
        let Some(dict) = parts[2].downcast::<Dict>() else {
            let got = vm.type_name(&parts[2]);
            return Err(vm.type_error(format!("third item of state should be a dict, got a {got}")));
        };
        if let Some(own) = vm.attrs_dict(this)? {
            own.update_from(vm, dict)?;
        }
    }
    Ok(Value::NONE)
}

fn getbuffer(vm: &Interpreter, this: &Value) -> Res {
    let me = stream(vm, this)?;
    changes(me);
    let holder = BytesIoBuffer { source: SlotWord::new(Some(this.clone())) };
    let holder = vm.alloc(&vm.type_for(&BYTES_IO_BUFFER)?, holder)?;
    let buffer = vm.buffer(&holder, pellucid_object::buffer::flags::FULL)?;
    vm.new_memoryview(buffer)
}

/// Payload of `_BytesIOBuffer`: what `getbuffer()` gives shows the stream's memory.
struct BytesIoBuffer {
    source: SlotWord,
}

impl Payload for BytesIoBuffer {
    fn trace(&self, visit: &mut Visitor) {
        self.source.trace(visit);
    }
    fn clear(&self) {
        self.source.set(None);
    }
}

fn show(vm: &Interpreter, holder: &Value, _: u32) -> Res<Buffer> {
    let source = holder.downcast::<BytesIoBuffer>().and_then(|holder| holder.source.get());
    match source.as_ref().and_then(|source| Some((source, source.downcast::<BytesIo>()?))) {
        Some((source, me)) => {
            let layout = Layout::bytes(me.data.borrow().len(), false);
            Ok(Buffer::new(source, memory_of::<BytesIo>, layout))
        }
        None => Err(vm.buffer_error("the stream is gone".to_string())),
    }
}

pub static BYTES_IO_BUFFER: TypeDef = TypeDef {
    name: "_BytesIOBuffer",
    module: "_io",
    base: None,
    payload: payload::<BytesIoBuffer>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Buffer(show)],
    methods: &[],
    getset: &[],
};

macro_rules! says_yes {
    ($name:literal, $doc:literal) => {
        FunctionDef::new(
            $name,
            "($self, /)",
            $doc,
            NativeFn::F1(|vm, this| {
                stream(vm, this)?;
                Ok(Value::TRUE)
            }),
        )
    };
}

pub static BYTES_IO: TypeDef = TypeDef {
    name: "BytesIO",
    module: "_io",
    base: Some(|vm| base_type(vm, &BUFFERED_IO_BASE)),
    payload: payload::<BytesIo>(),
    flags: STREAM,
    doc: "BytesIO(initial_bytes=b'')\n--\n\n\
          Buffered I/O implementation using an in-memory bytes buffer.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, BytesIo::default())),
        Slot::Init(init),
        Slot::Next(next),
        Slot::Iter(|vm, this| {
            stream(vm, this)?;
            Ok(this.clone())
        }),
        Slot::Finalize(|vm, this| {
            // Only a subclass can have something to do at its end.
            if !vm.type_for(&BYTES_IO).is_ok_and(|ty| vm.is_exact(this, &ty)) {
                super::base::finalize(vm, this);
            }
        }),
    ],
    methods: &[
        FunctionDef::new(
            "read",
            "($self, size=-1, /)",
            "Read at most size bytes, returned as a bytes object.",
            NativeFn::Args(read),
        ),
        FunctionDef::new(
            "read1",
            "($self, size=-1, /)",
            "Read at most size bytes, returned as a bytes object.",
            NativeFn::Args(read),
        ),
        FunctionDef::new(
            "readline",
            "($self, size=-1, /)",
            "Next line from the file, as a bytes object.",
            NativeFn::Args(readline),
        ),
        FunctionDef::new(
            "readlines",
            "($self, size=None, /)",
            "List of bytes objects, each a line from the file.",
            NativeFn::Args(readlines),
        ),
        FunctionDef::new("readinto", "($self, buffer, /)", "Read bytes into buffer.", NativeFn::F2(readinto)),
        FunctionDef::new("write", "($self, b, /)", "Write bytes to file.", NativeFn::F2(write)),
        FunctionDef::new(
            "writelines",
            "($self, lines, /)",
            "Write lines to the file.",
            NativeFn::F2(writelines),
        ),
        FunctionDef::new(
            "seek",
            "($self, pos, whence=0, /)",
            "Change stream position.",
            NativeFn::Args(seek),
        ),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "Current file position, an integer.",
            NativeFn::F1(|vm, this| vm.new_int(stream(vm, this)?.position.get() as i64)),
        ),
        FunctionDef::new(
            "truncate",
            "($self, size=None, /)",
            "Truncate the file to at most size bytes.",
            NativeFn::Args(truncate),
        ),
        FunctionDef::new(
            "getvalue",
            "($self, /)",
            "Retrieve the entire contents of the BytesIO object.",
            NativeFn::F1(getvalue),
        ),
        FunctionDef::new(
            "getbuffer",
            "($self, /)",
            "Get a read-write view over the contents of the BytesIO object.",
            NativeFn::F1(getbuffer),
        ),
        FunctionDef::new("close", "($self, /)", "Disable all I/O operations.", NativeFn::F1(close)),
        FunctionDef::new(
            "flush",
            "($self, /)",
            "Does nothing.",
            NativeFn::F1(|vm, this| {
                stream(vm, this)?;
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "isatty",
            "($self, /)",
            "Always returns False.",
            NativeFn::F1(|vm, this| {
                stream(vm, this)?;
                Ok(Value::FALSE)
            }),
        ),
        says_yes!("readable", "Returns True if the IO object can be read."),
        says_yes!("writable", "Returns True if the IO object can be written."),
        says_yes!("seekable", "Returns True if the IO object can be seeked."),
        FunctionDef::new("__getstate__", "($self, /)", "", NativeFn::F1(getstate)),
        FunctionDef::new("__setstate__", "($self, state, /)", "", NativeFn::F2(setstate)),
        FunctionDef::new(
            "__sizeof__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                let me = any_stream(vm, this)?;
                let size = vm.type_of(this).object_size() + me.data.borrow().capacity();
                vm.new_int(size as i64)
            }),
        ),
    ],
    getset: &[GetSetDef {
        name: "closed",
        doc: "True if the file is closed.",
        get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.closed.get())),
        set: None,
    }],
};

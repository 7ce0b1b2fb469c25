//! The base classes, which also are what Python classes of streams are built on.

use super::{ask, base_type, closed, is_closed, size_argument, unsupported};
use pellucid_object::interpreter::Plain;
use pellucid_object::{
    Args, ByteArray, Bytes, FunctionDef, GetSetDef, Interpreter, NativeFn, Res, Slot, TypeDef, TypeFlags,
    Value, payload,
};

const CLOSED: &str = "__IOBase_closed";

/// Errors: `ValueError` when `this.closed` is true.
pub fn check_closed(vm: &Interpreter, this: &Value) -> Res<()> {
    if is_closed(vm, this)? { Err(closed(vm)) } else { Ok(()) }
}

/// Errors: `UnsupportedOperation` unless `this.readable()` and the like are true.
pub fn check_readable(vm: &Interpreter, this: &Value) -> Res<()> {
    if ask(vm, this, "readable")? { Ok(()) } else { Err(unsupported(vm, "File or stream is not readable.")) }
}
pub fn check_writable(vm: &Interpreter, this: &Value) -> Res<()> {
    if ask(vm, this, "writable")? { Ok(()) } else { Err(unsupported(vm, "File or stream is not writable.")) }
}
pub fn check_seekable(vm: &Interpreter, this: &Value) -> Res<()> {
    if ask(vm, this, "seekable")? { Ok(()) } else { Err(unsupported(vm, "File or stream is not seekable.")) }
}

fn flush(vm: &Interpreter, this: &Value) -> Res {
    check_closed(vm, this)?;
    Ok(Value::NONE)
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    if vm.get_attr_opt(this, CLOSED)?.is_some() {
        return Ok(Value::NONE);
    }
    let (flush, note) =
        (|| vm.call_attr(this, "flush", &[]).map(drop), || vm.set_attr_str(this, CLOSED, Value::TRUE));
    super::and_finally(vm, flush, note)?;
    Ok(Value::NONE)
}

/// What happens to a stream that nobody closed: it is closed, with a warning when it held something of the system.
pub fn finalize(vm: &Interpreter, this: &Value) {
    let saved = vm.save_raised();
    let open = match is_closed(vm, this) {
        Ok(closed) => !closed,
        Err(raised) => {
            // A stream that cannot even say so has nothing that could be closed.
            drop(vm.take_raised(raised));
            false
        }
    };
    if open {
        if let Err(raised) = vm.set_attr_str(this, "_finalizing", Value::TRUE) {
            drop(vm.take_raised(raised));
        }
        if let Err(raised) = vm.call_attr(this, "close", &[]) {
            crate::report_ignored(vm, raised, "Exception ignored while finalizing file", this);
        }
    }
    vm.restore_raised(saved);
}

/// `readline` by means of `peek`, if there is one, and `read`.
fn readline(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let limit = size_argument(vm, args.get(1))?;
    let peek = vm.get_attr_opt(this, "peek")?;
    let one = vm.new_int(1)?;
    let mut line = Vec::new();
    while limit.is_none_or(|limit| line.len() < limit) {
        let mut wanted = 1;
        if let Some(peek) = &peek {
            let ahead = vm.call_values(peek, std::slice::from_ref(&one))?;
            let Some(ahead) = ahead.downcast::<Bytes>() else {
                let name = vm.type_name(&ahead);
                let text = format!("peek() should have returned a bytes object, not '{name}'");
                return Err(vm.raise_text(&vm.exceptions().os_error().clone(), &text));
            };
            let ahead = ahead.as_slice();
            if !ahead.is_empty() {
                let left = limit.map_or(usize::MAX, |limit| limit - line.len());
                let part = &ahead[..ahead.len().min(left)];
                wanted = memchr::memchr(b'\n', part).map_or(part.len(), |at| at + 1);
            }
        }
        let read = vm.call_attr(this, "read", &[vm.new_int(wanted as i64)?])?;
        let Some(bytes) = read.downcast::<Bytes>() else {
            let name = vm.type_name(&read);
            let text = format!("read() should have returned a bytes object, not '{name}'");
            return Err(vm.raise_text(&vm.exceptions().os_error().clone(), &text));
        };
        let bytes = bytes.as_slice();
        if bytes.is_empty() {
            break;
        }
        line.extend_from_slice(bytes);
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    vm.new_bytes(line)
}

fn readlines(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let hint = size_argument(vm, args.get(1))?.filter(|hint| *hint > 0);
    let iterator = vm.iter(this)?;
    let (mut lines, mut length) = (Vec::new(), 0);
    while let Some(line) = vm.next(&iterator)? {
        if hint.is_some() {
            length += vm.len(&line)?;
        }
        lines.push(line);
        if hint.is_some_and(|hint| length > hint) {
            break;
        }
    }
    vm.new_list(lines)
}

fn writelines(vm: &Interpreter, this: &Value, lines: &Value) -> Res {
    check_closed(vm, this)?;
    let iterator = vm.iter(lines)?;
    while let Some(line) = vm.next(&iterator)? {
        vm.call_attr(this, "write", std::slice::from_ref(&line))?;
    }
    Ok(Value::NONE)
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let line = vm.call_attr(this, "readline", &[])?;
    Ok(if vm.len(&line)? == 0 { None } else { Some(line) })
}

macro_rules! refuses {
    ($($name:literal $sig:literal $doc:literal;)*) => {
        [$(FunctionDef::new($name, $sig, $doc, NativeFn::Raw(|vm, _| Err(unsupported(vm, $name))))),*]
    };
}

macro_rules! says_no {
    ($name:literal, $doc:literal) => {
        FunctionDef::new($name, "($self, /)", $doc, NativeFn::F1(|_, _| Ok(Value::FALSE)))
    };
}

macro_rules! checks {
    ($name:literal, $check:ident) => {
        FunctionDef::new(
            $name,
            "($self, /)",
            "",
            NativeFn::Raw(|vm, args| match args.values.first() {
                Some(this) => $check(vm, this).map(|()| Value::TRUE),
                None => Err(vm.bug("a method without self")),
            }),
        )
    };
}

const IO_REFUSES: [FunctionDef; 3] = refuses!(
    "seek" "($self, offset, whence=0, /)" "Change the stream position to the given byte offset.";
    "truncate" "($self, size=None, /)" "Truncate file to size bytes.";
    "fileno" "($self, /)" "Return underlying file descriptor if one exists.";
);

pub static IO_BASE: TypeDef = TypeDef {
    name: "_IOBase",
    module: "_io",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF).or(TypeFlags::HAS_FINALIZER),
    doc: "The abstract base class for all I/O classes.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Plain)),
        Slot::Finalize(finalize),
        Slot::Iter(|vm, this| {
            check_closed(vm, this)?;
            Ok(this.clone())
        }),
        Slot::Next(next),
    ],
    methods: &[
        copy(&IO_REFUSES[0]),
        copy(&IO_REFUSES[1]),
        copy(&IO_REFUSES[2]),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "Return current stream position.",
            NativeFn::F1(|vm, this| vm.call_attr(this, "seek", &[vm.new_int(0)?, vm.new_int(1)?])),
        ),
        FunctionDef::new("flush", "($self, /)", "Flush write buffers, if applicable.", NativeFn::F1(flush)),
        FunctionDef::new("close", "($self, /)", "Flush and close the IO object.", NativeFn::F1(close)),
        says_no!("seekable", "Return whether object supports random access."),
        says_no!("readable", "Return whether object was opened for reading."),
        says_no!("writable", "Return whether object was opened for writing."),
        checks!("_checkClosed", check_closed),
        checks!("_checkSeekable", check_seekable),
        checks!("_checkReadable", check_readable),
        checks!("_checkWritable", check_writable),
        FunctionDef::new(
            "isatty",
            "($self, /)",
            "Return whether this is an 'interactive' stream.",
            NativeFn::F1(|vm, this| {
                check_closed(vm, this)?;
                Ok(Value::FALSE)
            }),
        ),
        FunctionDef::new(
            "__enter__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                check_closed(vm, this)?;
                Ok(this.clone())
            }),
        ),
        FunctionDef::new(
            "__exit__",
            "($self, /, *args)",
            "",
            NativeFn::Raw(|vm, args| match args.values.first() {
                Some(this) => vm.call_attr(this, "close", &[]),
                None => Err(vm.bug("a method without self")),
            }),
        ),
        FunctionDef::new(
            "readline",
            "($self, size=-1, /)",
            "Read and return a line from the stream.",
            NativeFn::Args(readline),
        ),
        FunctionDef::new(
            "readlines",
            "($self, hint=-1, /)",
            "Return a list of lines from the stream.",
            NativeFn::Args(readlines),
        ),
        FunctionDef::new(
            "writelines",
            "($self, lines, /)",
            "Write a list of lines to stream.",
            NativeFn::F2(writelines),
        ),
    ],
    getset: &[GetSetDef {
        name: "closed",
        doc: "",
        get: |vm, this| Ok(Value::bool(vm.get_attr_opt(this, CLOSED)?.is_some())),
        set: None,
    }],
};

/// A table entry once more: entries are plain data.
const fn copy(def: &FunctionDef) -> FunctionDef {
    FunctionDef { name: def.name, sig: def.sig, doc: def.doc, function: def.function, binding: def.binding }
}

fn raw_read(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let Some(size) = size_argument(vm, args.get(1))? else { return vm.call_attr(this, "readall", &[]) };
    let mut room = Vec::new();
    room.try_reserve_exact(size).map_err(|_| vm.no_memory())?;
    room.resize(size, 0);
    let room = vm.new_bytearray(room)?;
    let got = vm.call_attr(this, "readinto", std::slice::from_ref(&room))?;
    if got.is_none() {
        return Ok(got);
    }
    let Some(array) = room.downcast::<ByteArray>() else { return Err(vm.bug("a bytearray was made")) };
    let got = vm.expect_i64(&got)?;
    match usize::try_from(got).ok().filter(|got| *got <= size) {
        Some(got) => {
            let bytes = array.borrow().get(..got).map(<[u8]>::to_vec).unwrap_or_default();
            vm.new_bytes(bytes)
        }
        None => Err(vm.value_error(format!("readinto returned {got} outside buffer size {size}"))),
    }
}

fn raw_readall(vm: &Interpreter, this: &Value) -> Res {
    let size = vm.new_int(super::DEFAULT_BUFFER_SIZE as i64)?;
    let mut all = Vec::new();
    let mut first = true;
    loop {
        let part = vm.call_attr(this, "read", std::slice::from_ref(&size))?;
        if part.is_none() {
            return if first { Ok(part) } else { vm.new_bytes(all) };
        }
        let Some(bytes) = part.downcast::<Bytes>() else {
            return Err(vm.type_error("read() should return bytes".to_string()));
        };
        if bytes.as_slice().is_empty() {
            return vm.new_bytes(all);
        }
        all.try_reserve(bytes.as_slice().len()).map_err(|_| vm.no_memory())?;
        all.extend_from_slice(bytes.as_slice());
        first = false;
    }
}

const RAW_REFUSES: [FunctionDef; 2] = refuses!(
    "readinto" "($self, buffer, /)" "";
    "write" "($self, b, /)" "";
);

pub static RAW_IO_BASE: TypeDef = TypeDef {
    name: "_RawIOBase",
    module: "_io",
    base: Some(|vm| base_type(vm, &IO_BASE)),
    payload: payload::<Plain>(),
    flags: STREAM,
    doc: "Base class for raw binary I/O.",
    slots: &[],
    methods: &[
        FunctionDef::new("read", "($self, size=-1, /)", "", NativeFn::Args(raw_read)),
        FunctionDef::new(
            "readall",
            "($self, /)",
            "Read until EOF, using multiple read() call.",
            NativeFn::F1(raw_readall),
        ),
        copy(&RAW_REFUSES[0]),
        copy(&RAW_REFUSES[1]),
    ],
    getset: &[],
};

/// Flags of every stream type.
pub const STREAM: TypeFlags =
    TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF).or(TypeFlags::HAS_FINALIZER);

/// `readinto` by means of `read` or `read1`.
fn read_into_with(vm: &Interpreter, this: &Value, target: &Value, name: &str) -> Res {
    let buffer = vm.writable_bytes(target, if name == "read" { "readinto" } else { "readinto1" })?;
    let size = buffer.len();
    let data = vm.call_attr(this, name, &[vm.new_int(size as i64)?])?;
    let Some(bytes) = data.downcast::<Bytes>() else {
        return Err(vm.type_error("read() should return bytes".to_string()));
    };
    let bytes = bytes.as_slice();
    if bytes.len() > size {
        return Err(vm.value_error(format!(
            "read() returned too much data: {size} bytes requested, {} returned",
            bytes.len()
        )));
    }
    store(vm, &buffer, bytes)?;
    vm.new_int(bytes.len() as i64)
}

/// Writes bytes to the beginning of a writable buffer that is long enough.
pub fn store(vm: &Interpreter, target: &pellucid_object::buffer::BytesLike, bytes: &[u8]) -> Res<()> {
    match target.bytes_mut() {
        Some(mut memory) => match memory.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(vm.buffer_error("the buffer has become shorter".to_string())),
        },
        None => Err(vm.buffer_error("Object is not writable.".to_string())),
    }
}

const BUFFERED_REFUSES: [FunctionDef; 4] = refuses!(
    "detach" "($self, /)" "Disconnect this buffer from its underlying raw stream and return it.";
    "read" "($self, size=-1, /)" "Read and return up to n bytes.";
    "read1" "($self, size=-1, /)" "Read and return up to size bytes, with at most one read() call.";
    "write" "($self, b, /)" "Write buffer b to the IO stream.";
);

pub static BUFFERED_IO_BASE: TypeDef = TypeDef {
    name: "_BufferedIOBase",
    module: "_io",
    base: Some(|vm| base_type(vm, &IO_BASE)),
    payload: payload::<Plain>(),
    flags: STREAM,
    doc: "Base class for buffered IO objects.",
    slots: &[],
    methods: &[
        copy(&BUFFERED_REFUSES[0]),
        copy(&BUFFERED_REFUSES[1]),
        copy(&BUFFERED_REFUSES[2]),
        copy(&BUFFERED_REFUSES[3]),
        FunctionDef::new(
            "readinto",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, this, target| read_into_with(vm, this, target, "read")),
        ),
        FunctionDef::new(
            "readinto1",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, this, target| read_into_with(vm, this, target, "read1")),
        ),
    ],
    getset: &[],
};

const TEXT_REFUSES: [FunctionDef; 4] = refuses!(
    "detach" "($self, /)" "Separate the underlying buffer from the TextIOBase and return it.";
    "read" "($self, size=-1, /)" "Read at most size characters from stream.";
    "readline" "($self, size=-1, /)" "Read until newline or EOF.";
    "write" "($self, s, /)" "Write string s to stream.";
);

macro_rules! none {
    ($name:literal, $doc:literal) => {
        GetSetDef { name: $name, doc: $doc, get: |_, _| Ok(Value::NONE), set: None }
    };
}

pub static TEXT_IO_BASE: TypeDef = TypeDef {
    name: "_TextIOBase",
    module: "_io",
    base: Some(|vm| base_type(vm, &IO_BASE)),
    payload: payload::<Plain>(),
    flags: STREAM,
    doc: "Base class for text I/O.",
    slots: &[],
    methods: &[
        copy(&TEXT_REFUSES[0]),
        copy(&TEXT_REFUSES[1]),
        copy(&TEXT_REFUSES[2]),
        copy(&TEXT_REFUSES[3]),
    ],
    getset: &[
        none!("encoding", "Encoding of the text stream."),
        none!("newlines", "Line endings translated so far."),
        none!("errors", "The error setting of the decoder or encoder."),
    ],
};

//! `BufferedReader`, `BufferedWriter` and `BufferedRandom`.
//!
//! One payload for the three. Data that were read ahead stand in `read[pos..]`, data not yet written in `write`; at most
//! one of the two holds any. The raw stream stands at the end of what was read ahead, or where `write` is to go.
//!
//! Threads take turns at a buffer through its lock, because raw reads and writes let other threads run.

use super::base::{BUFFERED_IO_BASE, STREAM, check_readable, check_seekable, check_writable, store};
use super::fileio::{self, FileIo};
use super::{DEFAULT_BUFFER_SIZE, and_finally, ask, base_type, is_closed, size_argument, unsupported};
use crate::lock::OwnedLock;
use pellucid_host::{Seek, libc};
use pellucid_object::heap::SlotWord;
use pellucid_object::{
    Args, ByteArray, Bytes, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res,
    Slot, TypeDef, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Reader,
    Writer,
    Random,
}

#[derive(Default)]
struct Data {
    size: usize,
    read: Vec<u8>,
    pos: usize,
    write: Vec<u8>,
}

impl Data {
    fn ahead(&self) -> &[u8] {
        self.read.get(self.pos..).unwrap_or_default()
    }
    fn forget_ahead(&mut self) {
        self.read.clear();
        self.pos = 0;
    }
}

/// Payload of the buffered streams.
pub struct Buffered {
    kind: Kind,
    raw: SlotWord,
    /// The raw stream is a `FileIO` as it is: no need to go through its methods.
    direct: Cell<bool>,
    ready: Cell<bool>,
    detached: Cell<bool>,
    finalizing: Cell<bool>,
    data: RefCell<Data>,
    lock: OwnedLock,
}

impl Payload for Buffered {
    fn trace(&self, visit: &mut Visitor) {
        self.raw.trace(visit);
    }
    fn clear(&self) {
        self.ready.set(false);
        self.raw.set(None);
    }
}

impl Buffered {
    fn new(kind: Kind) -> Buffered {
        Buffered {
            kind,
            raw: SlotWord::default(),
            direct: Cell::new(false),
            ready: Cell::new(false),
            detached: Cell::new(false),
            finalizing: Cell::new(false),
            data: RefCell::default(),
            lock: OwnedLock::default(),
        }
    }
    fn reads(&self) -> bool {
        self.kind != Kind::Writer
    }
    fn writes(&self) -> bool {
        self.kind != Kind::Reader
    }
}

fn any_stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Buffered> {
    this.downcast::<Buffered>().ok_or_else(|| vm.type_error("a buffered stream was expected".to_string()))
}

/// The stream and its raw stream. Errors: `ValueError` when there is none.
fn stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<(&'a Buffered, Value)> {
    let me = any_stream(vm, this)?;
    match me.raw.get().filter(|_| me.ready.get()) {
        Some(raw) => Ok((me, raw)),
        None => Err(no_raw(vm, me)),
    }
}

#[cold]
fn no_raw(vm: &Interpreter, me: &Buffered) -> Raised {
    let text = if me.detached.get() {
        "raw stream has been detached"
    } else {
        "I/O operation on uninitialized object"
    };
    vm.value_error(text.to_string())
}

fn raw_is_closed(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<bool> {
    match raw.downcast::<FileIo>() {
        Some(file) if me.direct.get() => Ok(file.is_closed()),
        _ => is_closed(vm, raw),
    }
}

/// As [`stream`]. Errors: `ValueError` when it is closed, too.
fn open<'a>(vm: &Interpreter, this: &'a Value, doing: &str) -> Res<(&'a Buffered, Value)> {
    let (me, raw) = stream(vm, this)?;
    if raw_is_closed(vm, me, &raw)? {
        return Err(vm.value_error(format!("{doing} closed file")));
    }
    Ok((me, raw))
}

/// Runs `f` with the stream's lock. Errors: `RuntimeError` when this thread has it already (a signal handler, say).
fn locked<R>(vm: &Interpreter, this: &Value, me: &Buffered, f: impl FnOnce() -> Res<R>) -> Res<R> {
    if me.lock.is_mine(vm) {
        let shown = vm.repr_lossy(this)?;
        return Err(vm.runtime_error(format!("reentrant call inside {shown}")));
    }
    me.lock.acquire(vm, None)?;
    let result = f();
    me.lock.release(vm);
    result
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let name = vm.type_name(this);
    let (mut raw, mut size) = (None, None);
    match call.positional() {
        [] => {}
        [one] => raw = Some(one.clone()),
        [one, two] => (raw, size) = (Some(one.clone()), Some(two.clone())),
        more => {
            let n = more.len();
            return Err(vm.type_error(format!("{name}() takes at most 2 arguments ({n} given)")));
        }
    }
    for (key, value) in call.keywords() {
        match vm.str_lossy(key).as_str() {
            "raw" if raw.is_none() => raw = Some(value.clone()),
            "buffer_size" if size.is_none() => size = Some(value.clone()),
            other => {
                return Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let Some(raw) = raw else {
        return Err(vm.type_error(format!("{name}() missing required argument 'raw' (pos 1)")));
    };
    let size = size.map_or(Ok(DEFAULT_BUFFER_SIZE as i64), |size| vm.expect_i64(&size))?;
    initialize(vm, this, &raw, size)
}

fn initialize(vm: &Interpreter, this: &Value, raw: &Value, size: i64) -> Res<()> {
    let me = any_stream(vm, this)?;
    me.ready.set(false);
    me.detached.set(false);
    match me.kind {
        Kind::Reader => check_readable(vm, raw)?,
        Kind::Writer => check_writable(vm, raw)?,
        Kind::Random => {
            check_seekable(vm, raw)?;
            check_readable(vm, raw)?;
            check_writable(vm, raw)?;
        }
    }
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return Err(vm.value_error("buffer size must be strictly positive".to_string()));
    };
    if isize::try_from(size).is_err() || size > isize::MAX as usize - 64 {
        return Err(vm.no_memory());
    }
    // The room is taken when it is needed, but a size that can never be had is refused now.
    if size > 1 << 40 {
        return Err(vm.no_memory());
    }
    me.data.replace(Data { size, ..Data::default() });
    me.direct.set(vm.is_exact(raw, &vm.type_for(&fileio::FILE_IO)?));
    me.raw.set(Some(raw.clone()));
    me.ready.set(true);
    Ok(())
}

/// A buffered stream over a raw one, for `open`.
pub fn new_buffered(vm: &Interpreter, raw: &Value, reads: bool, writes: bool, size: i64) -> Res {
    let (def, kind) = match (reads, writes) {
        (true, true) => (&RANDOM, Kind::Random),
        (false, _) => (&WRITER, Kind::Writer),
        _ => (&READER, Kind::Reader),
    };
    let this = vm.alloc(&vm.type_for(def)?, Buffered::new(kind))?;
    initialize(vm, &this, raw, size)?;
    Ok(this)
}

// ---- the raw stream ----

fn bad_length(vm: &Interpreter, doing: &str, got: i64, most: usize) -> Raised {
    let ty = vm.exceptions().os_error().clone();
    vm.raise_text(
        &ty,
        &format!("raw {doing} returned invalid length {got} (should have been between 0 and {most})"),
    )
}

/// The number that a raw `readinto` or `write` returned. Errors: `OSError` for nonsense.
fn checked_count(vm: &Interpreter, doing: &str, got: &Value, most: usize) -> Res<usize> {
    let count = match vm.index(got).map(|index| vm.as_i64(&index)) {
        Ok(count) => count.unwrap_or(-1),
        Err(raised) => {
            let cause = vm.take_raised(raised);
            let ty = vm.exceptions().os_error().clone();
            let raised = vm.raise_text(&ty, &format!("raw {doing} failed"));
            let error = vm.take_raised(raised);
            if let Some(exception) = error.downcast::<pellucid_object::Exception>() {
                exception.cause.set(Some(cause.clone()));
                exception.context.set(Some(cause));
                exception.suppress_context.set(true);
            }
            return Err(vm.raise_as_is(error));
        }
    };
    usize::try_from(count).ok().filter(|n| *n <= most).ok_or_else(|| bad_length(vm, doing, count, most))
}

/// One raw read of at most `size` bytes onto the end of `out`; `None` when nothing is there yet.
fn raw_read(
    vm: &Interpreter,
    me: &Buffered,
    raw: &Value,
    out: &mut Vec<u8>,
    size: usize,
) -> Res<Option<usize>> {
    let start = out.len();
    if let Some(file) = raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        out.try_reserve(size).map_err(|_| vm.no_memory())?;
        out.resize(start + size, 0);
        let got = fileio::read_some(vm, file, &mut out[start..]);
        out.truncate(start + got.as_ref().ok().copied().flatten().unwrap_or(0));
        return got;
    }
    let mut room = Vec::new();
    room.try_reserve_exact(size).map_err(|_| vm.no_memory())?;
    room.resize(size, 0);
    let room = vm.new_bytearray(room)?;
    let view = vm.new_memoryview(vm.buffer(&room, pellucid_object::buffer::flags::FULL)?)?;
    let got = retried(vm, || vm.call_attr(raw, "readinto", std::slice::from_ref(&view)))?;
    if got.is_none() {
        return Ok(None);
    }
    let count = checked_count(vm, "readinto()", &got, size)?;
    if let Some(array) = room.downcast::<ByteArray>() {
        out.try_reserve(count).map_err(|_| vm.no_memory())?;
        out.extend_from_slice(array.borrow().get(..count).unwrap_or_default());
    }
    Ok(Some(count))
}

/// Tries again while `InterruptedError` is raised; handlers of signals run in between.
fn retried(vm: &Interpreter, call: impl Fn() -> Res) -> Res {
    loop {
        match call() {
            Err(raised) if vm.raised_is(vm.exceptions().interrupted_error()) => {
                drop(vm.take_raised(raised));
                vm.poll()?;
            }
            other => return other,
        }
    }
}

/// One raw write; `None` when nothing can be written yet.
fn raw_write(vm: &Interpreter, me: &Buffered, raw: &Value, bytes: &[u8]) -> Res<Option<usize>> {
    if let Some(file) = raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        return fileio::write_some(vm, file, bytes);
    }
    let data = vm.bytes_from(bytes)?;
    let view = vm.new_memoryview(vm.buffer(&data, pellucid_object::buffer::flags::FULL_RO)?)?;
    let got = retried(vm, || vm.call_attr(raw, "write", std::slice::from_ref(&view)))?;
    if got.is_none() {
        return Ok(None);
    }
    checked_count(vm, "write()", &got, bytes.len()).map(Some)
}

fn raw_seek(vm: &Interpreter, me: &Buffered, raw: &Value, offset: i64, from: i64) -> Res<i64> {
    if let Some(file) = raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        let from = match from {
            0 => Seek::Start,
            1 => Seek::Current,
            _ => Seek::End,
        };
        return fileio::seek_to(vm, file, offset, from);
    }
    let got = vm.call_attr(raw, "seek", &[vm.new_int(offset)?, vm.new_int(from)?])?;
    checked_position(vm, &got)
}

fn raw_tell(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<i64> {
    if let Some(file) = raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        return fileio::seek_to(vm, file, 0, Seek::Current);
    }
    let got = vm.call_attr(raw, "tell", &[])?;
    checked_position(vm, &got)
}

fn checked_position(vm: &Interpreter, got: &Value) -> Res<i64> {
    let position = vm.expect_i64(got)?;
    if position < 0 {
        let ty = vm.exceptions().os_error().clone();
        return Err(vm.raise_text(&ty, &format!("Raw stream returned invalid position {position}")));
    }
    Ok(position)
}

// ---- flushing ----

/// `BlockingIOError` for a write that could not be finished.
fn would_block(vm: &Interpreter, written: usize) -> Raised {
    let ty = vm.exceptions().blocking_io_error().clone();
    let args = || -> Res<Vec<Value>> {
        Ok(vec![
            vm.new_int(i64::from(libc::EAGAIN))?,
            vm.new_str("write could not complete without blocking")?,
            vm.new_int(written as i64)?,
        ])
    };
    match args() {
        Ok(args) => vm.raise_with(&ty, args),
        Err(raised) => raised,
    }
}

/// Writes out what is waiting. Errors: `BlockingIOError`, those of the raw stream; what is not written stays.
fn flush_writes(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<()> {
    loop {
        // Taken out: other threads do not look at it (we have the lock), and a signal handler must not find it borrowed.
        let waiting = std::mem::take(&mut me.data.borrow_mut().write);
        if waiting.is_empty() {
            me.data.borrow_mut().write = waiting;
            return Ok(());
        }
        let result = raw_write(vm, me, raw, &waiting);
        let mut rest = waiting;
        let written = result.as_ref().ok().copied().flatten().unwrap_or(0);
        rest.drain(..written);
        let mut data = me.data.borrow_mut();
        debug_assert!(data.write.is_empty());
        data.write = rest;
        drop(data);
        match result {
            Err(raised) => return Err(raised),
            Ok(None) => return Err(would_block(vm, 0)),
            Ok(Some(_)) => vm.poll()?,
        }
    }
}

/// Writes out what is waiting, and moves the raw stream back to where the reader is.
fn flush_and_rewind(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<()> {
    if me.writes() {
        flush_writes(vm, me, raw)?;
    }
    if me.reads() {
        let ahead = me.data.borrow().ahead().len();
        if ahead > 0 {
            raw_seek(vm, me, raw, -(ahead as i64), 1)?;
        }
        me.data.borrow_mut().forget_ahead();
    }
    Ok(())
}

/// Before a read: nothing may wait to be written.
fn flush_before_read(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<()> {
    if me.writes() && !me.data.borrow().write.is_empty() { flush_writes(vm, me, raw) } else { Ok(()) }
}

fn flush(vm: &Interpreter, this: &Value) -> Res {
    let (me, raw) = open(vm, this, "flush of")?;
    if me.kind == Kind::Reader {
        return vm.call_attr(&raw, "flush", &[]);
    }
    locked(vm, this, me, || match me.kind {
        Kind::Random => flush_and_rewind(vm, me, &raw),
        _ => flush_writes(vm, me, &raw),
    })?;
    Ok(Value::NONE)
}

// ---- reading ----

/// Fills the empty buffer with one raw read; `None` when nothing is there yet, 0 at the end.
fn fill(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<Option<usize>> {
    let (mut room, size) = {
        let mut data = me.data.borrow_mut();
        data.forget_ahead();
        (std::mem::take(&mut data.read), data.size)
    };
    let got = raw_read(vm, me, raw, &mut room, size);
    let mut data = me.data.borrow_mut();
    data.read = room;
    data.pos = 0;
    got
}

/// Moves up to `size` bytes that were read ahead to the end of `out`.
fn take_ahead(me: &Buffered, out: &mut Vec<u8>, size: usize) -> usize {
    let mut data = me.data.borrow_mut();
    let count = data.ahead().len().min(size);
    let start = data.pos;
    out.extend_from_slice(&data.read[start..start + count]);
    data.pos += count;
    count
}

/// Reads until there are `size` bytes, the end, or nothing is there yet; `None` for the last when there are no bytes.
fn read_bytes(vm: &Interpreter, me: &Buffered, raw: &Value, size: usize) -> Res<Option<Vec<u8>>> {
    let mut out = Vec::new();
    out.try_reserve(size.min(1 << 30)).map_err(|_| vm.no_memory())?;
    take_ahead(me, &mut out, size);
    if out.len() == size {
        return Ok(Some(out));
    }
    flush_before_read(vm, me, raw)?;
    let buffer_size = me.data.borrow().size;
    while out.len() < size {
        let left = size - out.len();
        // Whole buffers' worth goes straight to the caller.
        let got = if left >= buffer_size {
            raw_read(vm, me, raw, &mut out, left / buffer_size * buffer_size)?
        } else {
            let got = fill(vm, me, raw)?;
            take_ahead(me, &mut out, left);
            got
        };
        match got {
            Some(0) => break,
            None if out.is_empty() => return Ok(None),
            None => break,
            Some(_) => vm.poll()?,
        }
    }
    Ok(Some(out))
}

/// Reads to the end; `None` when nothing is there yet.
fn read_rest(vm: &Interpreter, me: &Buffered, raw: &Value) -> Res<Option<Vec<u8>>> {
    let mut out = Vec::new();
    take_ahead(me, &mut out, usize::MAX);
    flush_before_read(vm, me, raw)?;
    me.data.borrow_mut().forget_ahead();
    if let Some(file) = raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        return Ok(match fileio::read_all(vm, file)? {
            Some(rest) if out.is_empty() => Some(rest),
            Some(rest) => {
                out.extend_from_slice(&rest);
                Some(out)
            }
            None if out.is_empty() => None,
            None => Some(out),
        });
    }
    if let Some(readall) = vm.get_attr_opt(raw, "readall")? {
        let rest = vm.call_values(&readall, &[])?;
        return match rest.downcast::<Bytes>() {
            Some(bytes) => {
                out.extend_from_slice(bytes.as_slice());
                Ok(Some(out))
            }
            None if rest.is_none() => Ok(Some(out).filter(|out| !out.is_empty())),
            None => Err(vm.type_error("readall() should return bytes".to_string())),
        };
    }
    loop {
        let part = vm.call_attr(raw, "read", &[])?;
        match part.downcast::<Bytes>() {
            Some(bytes) if bytes.as_slice().is_empty() => return Ok(Some(out)),
            Some(bytes) => out.extend_from_slice(bytes.as_slice()),
            None if part.is_none() => return Ok(Some(out).filter(|out| !out.is_empty())),
            None => return Err(vm.type_error("read() should return bytes".to_string())),
        }
    }
}

fn bytes_or_none(vm: &Interpreter, bytes: Option<Vec<u8>>) -> Res {
    bytes.map_or(Ok(Value::NONE), |bytes| vm.new_bytes(bytes))
}

fn require_reads(vm: &Interpreter, me: &Buffered) -> Res<()> {
    if me.reads() { Ok(()) } else { Err(unsupported(vm, "read")) }
}

fn read(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, _) = stream(vm, this)?;
    require_reads(vm, me)?;
    let size = match args.some(1) {
        Some(value) => {
            size_argument(vm, Some(value))?;
            let size = vm.expect_i64(value)?;
            if size < -1 {
                return Err(vm.value_error("read length must be non-negative or -1".to_string()));
            }
            usize::try_from(size).ok()
        }
        None => None,
    };
    let (me, raw) = open(vm, this, "read of")?;
    if let Some(size) = size {
        // What is there already needs no lock of the raw stream.
        let mut data = me.data.borrow_mut();
        if data.ahead().len() >= size && me.lock.count() == 0 {
            let start = data.pos;
            data.pos += size;
            let part = vm.copied(&data.read[start..start + size])?;
            drop(data);
            return vm.new_bytes(part);
        }
    }
    let bytes = locked(vm, this, me, || match size {
        Some(size) => read_bytes(vm, me, &raw, size),
        None => read_rest(vm, me, &raw),
    })?;
    bytes_or_none(vm, bytes)
}

/// One read, for `TextIOWrapper`.
pub fn direct_read1(vm: &Interpreter, this: &Value, size: usize) -> Res<Vec<u8>> {
    let (me, raw) = open(vm, this, "read of")?;
    locked(vm, this, me, || read_once(vm, me, &raw, Some(size)))
}

/// As `read()` to the end, for `TextIOWrapper`.
pub fn direct_read_all(vm: &Interpreter, this: &Value) -> Res<Option<Vec<u8>>> {
    let (me, raw) = open(vm, this, "read of")?;
    locked(vm, this, me, || read_rest(vm, me, &raw))
}

fn read_once(vm: &Interpreter, me: &Buffered, raw: &Value, size: Option<usize>) -> Res<Vec<u8>> {
    let size = size.unwrap_or_else(|| me.data.borrow().size);
    let mut out = Vec::new();
    if size == 0 || take_ahead(me, &mut out, size) > 0 {
        return Ok(out);
    }
    flush_before_read(vm, me, raw)?;
    me.data.borrow_mut().forget_ahead();
    raw_read(vm, me, raw, &mut out, size)?;
    Ok(out)
}

fn read1(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, _) = stream(vm, this)?;
    require_reads(vm, me)?;
    let size = args.int_or(vm, 1, -1)?;
    let (me, raw) = open(vm, this, "read of")?;
    let bytes = locked(vm, this, me, || read_once(vm, me, &raw, usize::try_from(size).ok()))?;
    vm.new_bytes(bytes)
}

fn read_into(vm: &Interpreter, this: &Value, target: &Value, once: bool) -> Res {
    let (me, _) = stream(vm, this)?;
    require_reads(vm, me)?;
    let target = vm.writable_bytes(target, if once { "readinto1" } else { "readinto" })?;
    let (me, raw) = open(vm, this, "readinto of")?;
    let size = target.len();
    let bytes = locked(vm, this, me, || {
        if once {
            if size == 0 {
                return Ok(Some(Vec::new()));
            }
            let mut out = Vec::new();
            if take_ahead(me, &mut out, size) > 0 {
                return Ok(Some(out));
            }
            flush_before_read(vm, me, &raw)?;
            me.data.borrow_mut().forget_ahead();
            let got = raw_read(vm, me, &raw, &mut out, size)?;
            return Ok(got.map(|_| out));
        }
        read_bytes(vm, me, &raw, size)
    })?;
    match bytes {
        Some(bytes) => {
            store(vm, &target, &bytes)?;
            vm.new_int(bytes.len() as i64)
        }
        None => Ok(Value::NONE),
    }
}

fn peek(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    args.int_or(vm, 1, 0)?;
    let (me, _) = stream(vm, this)?;
    require_reads(vm, me)?;
    let (me, raw) = open(vm, this, "peek of")?;
    locked(vm, this, me, || {
        if me.writes() {
            flush_writes(vm, me, &raw)?;
        }
        if me.data.borrow().ahead().is_empty() {
            fill(vm, me, &raw)?;
        }
        Ok(())
    })?;
    let ahead = vm.copied(me.data.borrow().ahead())?;
    vm.new_bytes(ahead)
}

fn line(vm: &Interpreter, this: &Value, me: &Buffered, raw: &Value, limit: Option<usize>) -> Res {
    let limit = limit.unwrap_or(usize::MAX);
    // The common case: the whole line is there.
    let mut line = Vec::new();
    let ended = |me: &Buffered, line: &mut Vec<u8>| {
        let mut data = me.data.borrow_mut();
        let ahead = data.ahead();
        let part = &ahead[..ahead.len().min(limit - line.len())];
        let (count, found) = match memchr::memchr(b'\n', part) {
            Some(at) => (at + 1, true),
            None => (part.len(), false),
        };
        line.extend_from_slice(&part[..count]);
        data.pos += count;
        found || line.len() >= limit
    };
    if me.lock.count() == 0 && ended(me, &mut line) {
        return vm.new_bytes(line);
    }
    locked(vm, this, me, || {
        flush_before_read(vm, me, raw)?;
        while !ended(me, &mut line) {
            match fill(vm, me, raw)? {
                None | Some(0) => break,
                Some(_) => vm.poll()?,
            }
        }
        Ok(())
    })?;
    vm.new_bytes(line)
}

fn readline(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, _) = stream(vm, this)?;
    require_reads(vm, me)?;
    let limit = size_argument(vm, args.get(1))?;
    let (me, raw) = open(vm, this, "readline of")?;
    line(vm, this, me, &raw, limit)
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let (me, raw) = open(vm, this, "readline of")?;
    let ours = vm.type_for(&READER)?;
    let text = if vm.is_exact(this, &ours) || vm.is_exact(this, &vm.type_for(&RANDOM)?) {
        line(vm, this, me, &raw, None)?
    } else {
        let text = vm.call_attr(this, "readline", &[])?;
        if text.downcast::<Bytes>().is_none() {
            let name = vm.type_name(&text);
            let ty = vm.exceptions().os_error().clone();
            let message = format!("readline() should have returned a bytes object, not '{name}'");
            return Err(vm.raise_text(&ty, &message));
        }
        text
    };
    Ok(Some(text).filter(|text| text.downcast::<Bytes>().is_some_and(|b| !b.as_slice().is_empty())))
}

// ---- writing ----

/// Writes through the buffer. Errors: `BlockingIOError` with the number of bytes taken, those of the raw stream.
fn put(vm: &Interpreter, me: &Buffered, raw: &Value, bytes: &[u8]) -> Res<()> {
    if me.reads() {
        // Where the reader is, there the bytes go.
        let ahead = me.data.borrow().ahead().len();
        if ahead > 0 {
            raw_seek(vm, me, raw, -(ahead as i64), 1)?;
        }
        me.data.borrow_mut().forget_ahead();
    }
    let (size, waiting) = {
        let data = me.data.borrow();
        (data.size, data.write.len())
    };
    if waiting + bytes.len() <= size {
        let mut data = me.data.borrow_mut();
        data.write.try_reserve(bytes.len()).map_err(|_| vm.no_memory())?;
        data.write.extend_from_slice(bytes);
        return Ok(());
    }
    // The buffer is full: out with it.
    if let Err(raised) = flush_writes(vm, me, raw) {
        if !vm.raised_is(vm.exceptions().blocking_io_error()) {
            return Err(raised);
        }
        // Take what fits, and say how much that was.
        let mut data = me.data.borrow_mut();
        let fits = size.saturating_sub(data.write.len());
        if bytes.len() <= fits {
            data.write.extend_from_slice(bytes);
            drop(data);
            drop(vm.take_raised(raised));
            return Ok(());
        }
        data.write.extend_from_slice(&bytes[..fits]);
        drop(data);
        drop(vm.take_raised(raised));
        return Err(would_block(vm, fits));
    }
    let mut done = 0;
    while bytes.len() - done > size {
        match raw_write(vm, me, raw, &bytes[done..])? {
            Some(count) => done += count,
            None => {
                let rest = &bytes[done..];
                let fits = rest.len().min(size);
                me.data.borrow_mut().write.extend_from_slice(&rest[..fits]);
                return if rest.len() > size { Err(would_block(vm, done + fits)) } else { Ok(()) };
            }
        }
        vm.poll()?;
    }
    let mut data = me.data.borrow_mut();
    data.write.try_reserve(bytes.len() - done).map_err(|_| vm.no_memory())?;
    data.write.extend_from_slice(&bytes[done..]);
    Ok(())
}

fn require_writes(vm: &Interpreter, me: &Buffered) -> Res<()> {
    if me.writes() { Ok(()) } else { Err(unsupported(vm, "write")) }
}

fn write(vm: &Interpreter, this: &Value, data: &Value) -> Res {
    let (me, _) = stream(vm, this)?;
    require_writes(vm, me)?;
    let data = vm.bytes_like(data)?;
    direct_write(vm, this, &data)?;
    vm.new_int(data.len() as i64)
}

fn direct_write(vm: &Interpreter, this: &Value, data: &pellucid_object::BytesLike) -> Res<()> {
    let (me, raw) = open(vm, this, "write to")?;
    locked(vm, this, me, || match data.bytes() {
        pellucid_object::BytesRef::Plain(bytes) => put(vm, me, &raw, bytes),
        pellucid_object::BytesRef::Guarded(bytes) => {
            let copy = vm.copied(&bytes)?;
            drop(bytes);
            put(vm, me, &raw, &copy)
        }
    })
}

/// `write` of a writer of ours, for `TextIOWrapper`.
pub fn write_slice(vm: &Interpreter, this: &Value, bytes: &[u8]) -> Res<()> {
    let (me, raw) = open(vm, this, "write to")?;
    locked(vm, this, me, || put(vm, me, &raw, bytes))
}

/// `flush` of a writer of ours, for `TextIOWrapper`.
pub fn flush_directly(vm: &Interpreter, this: &Value) -> Res<()> {
    flush(vm, this).map(drop)
}

/// Whether a value is a writer as it is, not of a subclass.
pub fn is_plain_writer(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_exact(value, &vm.type_for(&WRITER)?))
}

/// Whether a value is a reader as it is, not of a subclass.
pub fn is_plain_reader(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_exact(value, &vm.type_for(&READER)?))
}

/// Whether a value of one of our types is closed; `None` for others.
pub fn known_closed(vm: &Interpreter, value: &Value) -> Res<Option<bool>> {
    if !is_plain_writer(vm, value)? && !is_plain_reader(vm, value)? {
        return Ok(None);
    }
    let (me, raw) = stream(vm, value)?;
    raw_is_closed(vm, me, &raw).map(Some)
}

// ---- position ----

fn tell(vm: &Interpreter, this: &Value) -> Res {
    let (me, raw) = stream(vm, this)?;
    let position = raw_tell(vm, me, &raw)?;
    let data = me.data.borrow();
    // A raw stream may lie about its position; it never is below 0.
    let position = position - data.ahead().len() as i64 + data.write.len() as i64;
    drop(data);
    vm.new_int(position.max(0))
}

fn seek(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, raw) = stream(vm, this)?;
    let target = args.req(1);
    let from = args.int_or(vm, 2, 0)?;
    if !(0..=4).contains(&from) {
        return Err(vm.value_error(format!("whence value {from} unsupported")));
    }
    if raw_is_closed(vm, me, &raw)? {
        return Err(vm.value_error("seek of closed file".to_string()));
    }
    let seekable = match raw.downcast::<FileIo>().filter(|_| me.direct.get()) {
        Some(file) => fileio::is_seekable(vm, file)?,
        None => ask(vm, &raw, "seekable")?,
    };
    if !seekable {
        return Err(unsupported(vm, "File or stream is not seekable."));
    }
    let target = vm.expect_i64(target)?;
    if from > 2 {
        // Holes and data are the raw stream's business.
        let position = locked(vm, this, me, || {
            flush_and_rewind(vm, me, &raw)?;
            vm.call_attr(&raw, "seek", &[vm.new_int(target)?, vm.new_int(from)?])
        })?;
        return Ok(position);
    }
    if from != 2 && me.reads() {
        // A short way inside of what was read ahead costs nothing.
        let position = raw_tell(vm, me, &raw)?;
        let mut data = me.data.borrow_mut();
        if data.write.is_empty() && !data.read.is_empty() {
            let here = position - data.ahead().len() as i64;
            let wanted = if from == 0 { target } else { here.saturating_add(target) };
            let start = here - data.pos as i64;
            if wanted >= start && wanted <= position && me.lock.count() == 0 {
                data.pos = (wanted - start) as usize;
                drop(data);
                return vm.new_int(wanted);
            }
        }
    }
    let position = locked(vm, this, me, || {
        if me.writes() {
            flush_writes(vm, me, &raw)?;
        }
        let mut target = target;
        if from == 1 {
            target -= me.data.borrow().ahead().len() as i64;
        }
        let position = raw_seek(vm, me, &raw, target, from)?;
        me.data.borrow_mut().forget_ahead();
        Ok(position)
    })?;
    vm.new_int(position)
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, _) = stream(vm, this)?;
    if !me.writes() {
        return Err(unsupported(vm, "truncate"));
    }
    let (me, raw) = open(vm, this, "truncate of")?;
    let size = args.get(1).cloned().unwrap_or(Value::NONE);
    locked(vm, this, me, || {
        flush_and_rewind(vm, me, &raw)?;
        vm.call_attr(&raw, "truncate", &[size])
    })
}

// ---- the rest ----

fn close(vm: &Interpreter, this: &Value) -> Res {
    let me = any_stream(vm, this)?;
    let Some(raw) = me.raw.get().filter(|_| me.ready.get()) else {
        return if me.detached.get() { Ok(Value::NONE) } else { Err(no_raw(vm, me)) };
    };
    if raw_is_closed(vm, me, &raw)? {
        return Ok(Value::NONE);
    }
    if me.finalizing.get() {
        warn_unclosed(vm, &raw, this);
    }
    // A subclass may have a `flush` of its own.
    let flush = || vm.call_attr(this, "flush", &[]).map(drop);
    let close = || {
        let done = vm.call_attr(&raw, "close", &[]).map(drop);
        let size = me.data.borrow().size;
        me.data.replace(Data { size, ..Data::default() });
        done
    };
    and_finally(vm, flush, close)?;
    Ok(Value::NONE)
}

fn warn_unclosed(vm: &Interpreter, raw: &Value, source: &Value) {
    let saved = vm.save_raised();
    if let Err(raised) = vm.call_attr(raw, "_dealloc_warn", std::slice::from_ref(source)) {
        // Not every raw stream warns.
        drop(vm.take_raised(raised));
    }
    vm.restore_raised(saved);
}

fn finalize(vm: &Interpreter, this: &Value) {
    if let Some(me) = this.downcast::<Buffered>()
        && me.direct.get()
        && let Some(raw) = me.raw.get()
        && raw.downcast::<FileIo>().is_some_and(FileIo::is_closed)
    {
        return;
    }
    super::base::finalize(vm, this);
}

fn detach(vm: &Interpreter, this: &Value) -> Res {
    let (me, raw) = stream(vm, this)?;
    vm.call_attr(this, "flush", &[])?;
    me.raw.set(None);
    me.detached.set(true);
    me.ready.set(false);
    Ok(raw)
}

macro_rules! passes_on {
    ($name:literal, $doc:literal) => {
        FunctionDef::new(
            $name,
            "($self, /)",
            $doc,
            NativeFn::F1(|vm, this| {
                let (_, raw) = stream(vm, this)?;
                vm.call_attr(&raw, $name, &[])
            }),
        )
    };
}

macro_rules! attribute {
    ($name:literal) => {
        GetSetDef {
            name: $name,
            doc: "",
            get: |vm, this| {
                let (_, raw) = stream(vm, this)?;
                vm.get_attr_str(&raw, $name)
            },
            set: None,
        }
    };
}

const GETSET: &[GetSetDef] = &[
    attribute!("closed"),
    attribute!("name"),
    attribute!("mode"),
    GetSetDef {
        name: "raw",
        doc: "",
        get: |vm, this| Ok(any_stream(vm, this)?.raw.get().unwrap_or(Value::NONE)),
        set: None,
    },
    GetSetDef {
        name: "_finalizing",
        doc: "",
        get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.finalizing.get())),
        set: Some(|vm, this, value| {
            any_stream(vm, this)?.finalizing.set(value.map_or(Ok(false), |value| vm.truthy(value))?);
            Ok(())
        }),
    },
];

fn dealloc_warn(vm: &Interpreter, this: &Value, source: &Value) -> Res {
    let me = any_stream(vm, this)?;
    if let Some(raw) = me.raw.get().filter(|_| me.ready.get()) {
        warn_unclosed(vm, &raw, source);
    }
    Ok(Value::NONE)
}

macro_rules! common {
    ($($more:expr),* $(,)?) => {
        &[
            $($more,)*
            passes_on!("seekable", ""),
            passes_on!("fileno", ""),
            passes_on!("isatty", ""),
            FunctionDef::new("flush", "($self, /)", "", NativeFn::F1(flush)),
            FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
            FunctionDef::new("detach", "($self, /)", "", NativeFn::F1(detach)),
            FunctionDef::new("tell", "($self, /)", "", NativeFn::F1(tell)),
            FunctionDef::new("seek", "($self, target, whence=0, /)", "", NativeFn::Args(seek)),
            FunctionDef::new("truncate", "($self, pos=None, /)", "", NativeFn::Args(truncate)),
            FunctionDef::new("_dealloc_warn", "($self, source, /)", "", NativeFn::F2(dealloc_warn)),
            FunctionDef::new(
                "__sizeof__",
                "($self, /)",
                "",
                NativeFn::F1(|vm, this| {
                    let size = vm.type_of(this).object_size() + any_stream(vm, this)?.data.borrow().size;
                    vm.new_int(size as i64)
                }),
            ),
            super::REDUCE,
            super::REDUCE_EX,
        ]
    };
}

macro_rules! buffered_type {
    ($name:literal, $kind:expr, $doc:literal, $methods:expr) => {
        TypeDef {
            name: $name,
            module: "_io",
            base: Some(|vm| base_type(vm, &BUFFERED_IO_BASE)),
            payload: payload::<Buffered>(),
            flags: STREAM,
            doc: $doc,
            slots: &[
                Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Buffered::new($kind))),
                Slot::Init(init),
                Slot::Repr(super::named_repr),
                Slot::Finalize(finalize),
                Slot::Next(next),
            ],
            methods: $methods,
            getset: GETSET,
        }
    };
}

pub static READER: TypeDef = buffered_type!(
    "BufferedReader",
    Kind::Reader,
    "Create a new buffered reader using the given readable raw IO object.",
    common!(
        passes_on!("readable", ""),
        FunctionDef::new("read", "($self, size=-1, /)", "", NativeFn::Args(read)),
        FunctionDef::new("read1", "($self, size=-1, /)", "", NativeFn::Args(read1)),
        FunctionDef::new("peek", "($self, size=0, /)", "", NativeFn::Args(peek)),
        FunctionDef::new(
            "readinto",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, a, b| read_into(vm, a, b, false))
        ),
        FunctionDef::new(
            "readinto1",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, a, b| read_into(vm, a, b, true))
        ),
        FunctionDef::new("readline", "($self, size=-1, /)", "", NativeFn::Args(readline)),
    )
);

pub static WRITER: TypeDef = buffered_type!(
    "BufferedWriter",
    Kind::Writer,
    "A buffer for a writeable sequential RawIO object.",
    common!(
        passes_on!("writable", ""),
        FunctionDef::new("write", "($self, buffer, /)", "", NativeFn::F2(write)),
    )
);

pub static RANDOM: TypeDef = buffered_type!(
    "BufferedRandom",
    Kind::Random,
    "A buffered interface to random access streams.",
    common!(
        passes_on!("readable", ""),
        passes_on!("writable", ""),
        FunctionDef::new("read", "($self, size=-1, /)", "", NativeFn::Args(read)),
        FunctionDef::new("read1", "($self, size=-1, /)", "", NativeFn::Args(read1)),
        FunctionDef::new("peek", "($self, size=0, /)", "", NativeFn::Args(peek)),
        FunctionDef::new(
            "readinto",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, a, b| read_into(vm, a, b, false))
        ),
        FunctionDef::new(
            "readinto1",
            "($self, buffer, /)",
            "",
            NativeFn::F2(|vm, a, b| read_into(vm, a, b, true))
        ),
        FunctionDef::new("readline", "($self, size=-1, /)", "", NativeFn::Args(readline)),
        FunctionDef::new("write", "($self, buffer, /)", "", NativeFn::F2(write)),
    )
);

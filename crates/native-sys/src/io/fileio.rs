//! `FileIO`: a file of the system by its descriptor.

use super::base::{RAW_IO_BASE, STREAM, store};
use super::{base_type, size_argument, unsupported};
use pellucid_host::{Error, Place, Seek, libc};
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res, Slot, Str, TypeDef,
    Value, payload,
};
use std::cell::Cell;

/// Payload of `FileIO`.
pub struct FileIo {
    /// -1 when closed.
    fd: Cell<i32>,
    created: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    appending: Cell<bool>,
    seekable: Cell<Option<bool>>,
    closefd: Cell<bool>,
    finalizing: Cell<bool>,
    block_size: Cell<i64>,
    /// What kind of file it was when it was opened.
    is_character_device: Cell<bool>,
    size: Cell<Option<i64>>,
}

impl Payload for FileIo {
    const CONTAINER: bool = false;
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode {
    pub created: bool,
    pub readable: bool,
    pub writable: bool,
    pub appending: bool,
    pub truncates: bool,
}

impl Mode {
    /// Reads `r`, `wb+` and the like; `None` when it is none.
    pub fn parse(text: &str) -> Option<Result<Mode, ()>> {
        let (mut mode, mut kinds, mut plus) = (Mode::default(), 0, false);
        for c in text.chars() {
            match c {
                'x' => (mode.created, mode.writable) = (true, true),
                'r' => mode.readable = true,
                'w' => (mode.writable, mode.truncates) = (true, true),
                'a' => (mode.writable, mode.appending) = (true, true),
                'b' => continue,
                '+' if plus => return Some(Err(())),
                '+' => {
                    plus = true;
                    continue;
                }
                _ => return None,
            }
            kinds += 1;
            if kinds > 1 {
                return Some(Err(()));
            }
        }
        if kinds == 0 {
            return Some(Err(()));
        }
        if plus {
            (mode.readable, mode.writable) = (true, true);
        }
        Some(Ok(mode))
    }

    fn flags(self) -> i32 {
        let access = match (self.readable, self.writable) {
            (true, true) => libc::O_RDWR,
            (true, false) => libc::O_RDONLY,
            _ => libc::O_WRONLY,
        };
        let mut flags = access | libc::O_CLOEXEC;
        if self.created {
            flags |= libc::O_EXCL | libc::O_CREAT;
        }
        if self.truncates {
            flags |= libc::O_CREAT | libc::O_TRUNC;
        }
        if self.appending {
            flags |= libc::O_APPEND | libc::O_CREAT;
        }
        flags
    }
}

impl Default for FileIo {
    fn default() -> FileIo {
        FileIo {
            fd: Cell::new(-1),
            created: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            appending: Cell::new(false),
            seekable: Cell::new(None),
            closefd: Cell::new(true),
            finalizing: Cell::new(false),
            block_size: Cell::new(super::DEFAULT_BUFFER_SIZE as i64),
            is_character_device: Cell::new(false),
            size: Cell::new(None),
        }
    }
}

impl FileIo {
    pub fn block_size(&self) -> i64 {
        self.block_size.get()
    }

    pub fn fd(&self) -> i32 {
        self.fd.get()
    }

    pub fn is_closed(&self) -> bool {
        self.fd.get() < 0
    }
}

pub(crate) fn file<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a FileIo> {
    this.downcast::<FileIo>().ok_or_else(|| vm.type_error("a FileIO was expected".to_string()))
}

#[cold]
fn closed(vm: &Interpreter) -> Raised {
    vm.value_error("I/O operation on closed file".to_string())
}

/// The descriptor of an open file. Errors: `ValueError`.
fn open_fd(vm: &Interpreter, file: &FileIo) -> Res<i32> {
    if file.is_closed() { Err(closed(vm)) } else { Ok(file.fd.get()) }
}

fn to_read(vm: &Interpreter, file: &FileIo) -> Res<i32> {
    let fd = open_fd(vm, file)?;
    if file.readable.get() { Ok(fd) } else { Err(unsupported(vm, "File not open for reading")) }
}

fn to_write(vm: &Interpreter, file: &FileIo) -> Res<i32> {
    let fd = open_fd(vm, file)?;
    if file.writable.get() { Ok(fd) } else { Err(unsupported(vm, "File not open for writing")) }
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let bound = SIGNATURE.bind(vm, call)?;
    let [name, mode, closefd, opener] = &bound;
    let Some(name) = name else {
        return Err(vm.type_error("FileIO() missing required argument 'file' (pos 1)".to_string()));
    };
    let mode = match mode {
        Some(mode) if mode.downcast::<Str>().is_some() => vm.str_lossy(mode),
        Some(mode) => {
            let got = vm.type_name(mode);
            return Err(vm.type_error(format!("FileIO() argument 'mode' must be str, not {got}")));
        }
        None => "r".to_string(),
    };
    let closefd = closefd.as_ref().map_or(Ok(true), |value| vm.truthy(value))?;
    initialize(vm, this, name, &mode, closefd, opener.as_ref())
}

/// The parameters of the constructor, by position or by name.
struct Parameters(&'static str, [&'static str; 4]);

static SIGNATURE: Parameters = Parameters("FileIO", ["file", "mode", "closefd", "opener"]);

impl Parameters {
    fn bind(&self, vm: &Interpreter, call: &CallArgs) -> Res<[Option<Value>; 4]> {
        let mut bound = [const { None }; 4];
        let given = call.positional();
        if given.len() > bound.len() {
            let (name, n) = (self.0, given.len());
            return Err(vm.type_error(format!("{name}() takes at most 4 arguments ({n} given)")));
        }
        for (place, value) in bound.iter_mut().zip(given) {
            *place = Some(value.clone());
        }
        for (name, value) in call.keywords() {
            let text = vm.str_lossy(name);
            match self.1.iter().position(|known| *known == text) {
                Some(index) if bound[index].is_none() => bound[index] = Some(value.clone()),
                Some(index) => {
                    let (function, position) = (self.0, index + 1);
                    return Err(vm.type_error(format!(
                        "argument for {function}() given by name ('{text}') and position ({position})"
                    )));
                }
                None => {
                    let function = self.0;
                    return Err(
                        vm.type_error(format!("{function}() got an unexpected keyword argument '{text}'"))
                    );
                }
            }
        }
        Ok(bound)
    }
}

/// `FileIO.__init__`, from Rust too.
pub fn initialize(
    vm: &Interpreter,
    this: &Value,
    name: &Value,
    mode: &str,
    closefd: bool,
    opener: Option<&Value>,
) -> Res<()> {
    let me = file(vm, this)?;
    if !me.is_closed() {
        if me.closefd.get() {
            close_descriptor(vm, me)?;
        } else {
            me.fd.set(-1);
        }
    }
    let given = given_descriptor(vm, name)?;
    let path = match given {
        Some(_) => None,
        None => Some(crate::posix::path::fs_path_bytes(vm, name)?),
    };
    let parsed = match Mode::parse(mode) {
        Some(Ok(parsed)) => parsed,
        Some(Err(())) => {
            let text = "Must have exactly one of create/read/write/append mode and at most one plus";
            return Err(vm.value_error(text.to_string()));
        }
        None => return Err(vm.value_error(format!("invalid mode: {mode}"))),
    };
    me.created.set(parsed.created);
    me.readable.set(parsed.readable);
    me.writable.set(parsed.writable);
    me.appending.set(parsed.appending);
    me.seekable.set(None);
    me.closefd.set(closefd);
    me.size.set(None);
    let flags = parsed.flags();
    vm.audit("open", &[name.clone(), vm.new_str(mode)?, vm.new_int(i64::from(flags))?])?;
    let (fd, ours) = match (given, path) {
        (Some(fd), _) => (fd, false),
        (None, path) => {
            if !closefd {
                return Err(vm.value_error("Cannot use closefd=False with file name".to_string()));
            }
            let path = path.unwrap_or_default();
            let fd = match opener.filter(|opener| !opener.is_none()) {
                None => open_path(vm, name, &path, flags)?,
                Some(opener) => open_with(vm, opener, name, flags)?,
            };
            (fd, true)
        }
    };
    me.fd.set(fd);
    let done = look_at(vm, me, this, name);
    if done.is_err() && !ours {
        // Who gave it may still want it.
        me.fd.set(-1);
    } else if done.is_err() {
        let saved = vm.save_raised();
        if let Err(raised) = close_descriptor(vm, me) {
            drop(vm.take_raised(raised));
        }
        vm.restore_raised(saved);
    }
    done
}

/// The descriptor when that is what was given. Errors: `ValueError` for negative ones.
fn given_descriptor(vm: &Interpreter, name: &Value) -> Res<Option<i32>> {
    if name.is_bool() {
        vm.warn(vm.exceptions().runtime_warning(), "bool is used as a file descriptor")?;
    }
    if name.as_int().is_none() && !pellucid_types::seq::has_index(vm, name) {
        return Ok(None);
    }
    let fd = crate::sys::c_int(vm, name)?;
    if fd < 0 {
        return Err(vm.value_error("negative file descriptor".to_string()));
    }
    Ok(Some(fd))
}

fn open_path(vm: &Interpreter, name: &Value, path: &[u8], flags: i32) -> Res<i32> {
    let host = vm.host();
    let opened = vm.retry(|| vm.allow_threads(|| host.open(Place::new(path), flags, 0o666)))?;
    opened.map_err(|error| vm.os_error_at(error, name))
}

fn open_with(vm: &Interpreter, opener: &Value, name: &Value, flags: i32) -> Res<i32> {
    let fd = vm.call_values(opener, &[name.clone(), vm.new_int(i64::from(flags))?])?;
    if fd.as_int().is_none() {
        return Err(vm.type_error("expected integer from opener".to_string()));
    }
    let fd = crate::sys::c_int(vm, &fd)?;
    if fd < 0 {
        return Err(vm.value_error(format!("opener returned {fd}")));
    }
    vm.host().set_inheritable(fd, false).map_err(|error| vm.os_error(error))?;
    Ok(fd)
}

/// Looks at what was opened. Errors: `OSError` for directories and bad descriptors.
fn look_at(vm: &Interpreter, me: &FileIo, this: &Value, name: &Value) -> Res<()> {
    let fd = me.fd.get();
    match vm.host().fstat(fd) {
        Ok(stat) if stat.is_dir() => return Err(vm.os_error_at(Error::os(libc::EISDIR), name)),
        Ok(stat) => {
            if stat.blksize > 1 {
                me.block_size.set(stat.blksize);
            }
            me.is_character_device.set(stat.mode & libc::S_IFMT == libc::S_IFCHR);
            if stat.is_file() {
                me.size.set(Some(stat.size));
            }
        }
        // Some file systems cannot tell; reading and writing works all the same.
        Err(error) if error.errno == libc::EBADF => return Err(vm.os_error(error)),
        Err(_) => {}
    }
    vm.set_attr_str(this, "name", name.clone())?;
    if me.appending.get() {
        match vm.host().lseek(fd, 0, Seek::End) {
            Ok(_) => {}
            Err(error) if error.errno == libc::ESPIPE => {}
            Err(error) => return Err(vm.os_error(error)),
        }
    }
    Ok(())
}

/// A `FileIO` for a path or a descriptor. Errors: as its constructor.
pub fn new_file(vm: &Interpreter, name: &Value, mode: &str, closefd: bool, opener: Option<&Value>) -> Res {
    let this = vm.alloc(&vm.type_for(&FILE_IO)?, FileIo::default())?;
    initialize(vm, &this, name, mode, closefd, opener)?;
    Ok(this)
}

fn close_descriptor(vm: &Interpreter, me: &FileIo) -> Res<()> {
    let fd = me.fd.replace(-1);
    if fd < 0 {
        return Ok(());
    }
    let host = vm.host();
    match vm.allow_threads(|| host.close(fd)) {
        Ok(()) => Ok(()),
        // The descriptor is gone all the same.
        Err(error) if error.is_interrupted() => vm.poll(),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// Warns of a file that nobody closed.
fn warn_unclosed(vm: &Interpreter, me: &FileIo, source: &Value) {
    if me.is_closed() || !me.closefd.get() {
        return;
    }
    let saved = vm.save_raised();
    let warned = vm.repr(source).and_then(|shown| {
        crate::warnings::warn_resource(vm, source, &format!("unclosed file {}", vm.str_lossy(&shown)))
    });
    if let Err(raised) = warned {
        if vm.raised_is(vm.exceptions().warning()) {
            crate::report_ignored(vm, raised, "Exception ignored while finalizing file", source);
        } else {
            drop(vm.take_raised(raised));
        }
    }
    vm.restore_raised(saved);
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    let me = file(vm, this)?;
    let base_close = || -> Res<()> {
        // What the base class does at closing: `flush` of a subclass, and its mark.
        let base = vm.type_for(&super::base::RAW_IO_BASE)?;
        let close = vm.get_attr_str(base.value(), "close")?;
        vm.call_values(&close, std::slice::from_ref(this)).map(drop)
    };
    if !me.closefd.get() {
        // The base flushes, which wants it open.
        let done = base_close();
        me.fd.set(-1);
        done?;
        return Ok(Value::NONE);
    }
    let exact = vm.is_exact(this, &vm.type_for(&FILE_IO)?);
    let rest = || -> Res<()> {
        if me.finalizing.get() {
            warn_unclosed(vm, me, this);
        }
        close_descriptor(vm, me)
    };
    if exact {
        rest()?;
    } else {
        super::and_finally(vm, base_close, rest)?;
    }
    Ok(Value::NONE)
}

fn finalize(vm: &Interpreter, this: &Value) {
    match this.downcast::<FileIo>() {
        Some(me) if me.is_closed() => {}
        _ => super::base::finalize(vm, this),
    }
}

/// Reads once; `None` when nothing is there yet. Errors: `ValueError`, `UnsupportedOperation`, `OSError`.
pub fn read_some(vm: &Interpreter, me: &FileIo, room: &mut [u8]) -> Res<Option<usize>> {
    let fd = to_read(vm, me)?;
    let host = vm.host();
    match vm.retry(|| vm.allow_threads(|| host.read(fd, room)))? {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.errno == libc::EAGAIN => Ok(None),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// Writes once; `None` when nothing can be written yet. Errors: as [`read_some`].
pub fn write_some(vm: &Interpreter, me: &FileIo, bytes: &[u8]) -> Res<Option<usize>> {
    let fd = to_write(vm, me)?;
    let host = vm.host();
    match vm.retry(|| vm.allow_threads(|| host.write(fd, bytes)))? {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.errno == libc::EAGAIN => Ok(None),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// Reads to the end; `None` when nothing is there yet. Errors: as [`read_some`], `MemoryError`.
pub fn read_all(vm: &Interpreter, me: &FileIo) -> Res<Option<Vec<u8>>> {
    let fd = to_read(vm, me)?;
    // A regular file says how much is to come; one byte more shows its end in the same read.
    let ahead = match (me.size.get(), vm.host().lseek(fd, 0, Seek::Current)) {
        (Some(size), Ok(position)) if size > 0 => {
            usize::try_from(size.saturating_sub_unsigned(position)).unwrap_or(0).saturating_add(1)
        }
        _ => 0,
    };
    let mut all = Vec::new();
    let mut room = ahead.max(8 << 10);
    loop {
        let start = all.len();
        all.try_reserve(room).map_err(|_| vm.no_memory())?;
        all.resize(start + room, 0);
        let count = read_some(vm, me, &mut all[start..])?;
        all.truncate(start + count.unwrap_or(0));
        match count {
            None if start == 0 => return Ok(None),
            None | Some(0) => {
                all.shrink_to_fit();
                return Ok(Some(all));
            }
            Some(_) => {}
        }
        // Grows with what is there, so that a large file takes few reads.
        room = (all.len() / 2).clamp(8 << 10, 64 << 20);
    }
}

fn read(vm: &Interpreter, args: &Args) -> Res {
    let me = file(vm, args.req(0))?;
    to_read(vm, me)?;
    let Some(size) = size_argument(vm, args.get(1))? else { return readall(vm, args.req(0)) };
    let mut room = Vec::new();
    // More than this no system gives at once.
    let size = size.min(0x7fff_f000);
    room.try_reserve_exact(size).map_err(|_| vm.no_memory())?;
    room.resize(size, 0);
    match read_some(vm, me, &mut room)? {
        Some(count) => {
            room.truncate(count);
            vm.new_bytes(room)
        }
        None => Ok(Value::NONE),
    }
}

fn readall(vm: &Interpreter, this: &Value) -> Res {
    match read_all(vm, file(vm, this)?)? {
        Some(bytes) => vm.new_bytes(bytes),
        None => Ok(Value::NONE),
    }
}

fn readinto(vm: &Interpreter, this: &Value, target: &Value) -> Res {
    let me = file(vm, this)?;
    to_read(vm, me)?;
    let target = vm.writable_bytes(target, "readinto")?;
    let mut room = vec![0; target.len().min(0x7fff_f000)];
    match read_some(vm, me, &mut room)? {
        Some(count) => {
            store(vm, &target, &room[..count])?;
            vm.new_int(count as i64)
        }
        None => Ok(Value::NONE),
    }
}

fn write(vm: &Interpreter, this: &Value, data: &Value) -> Res {
    let me = file(vm, this)?;
    to_write(vm, me)?;
    let data = vm.bytes_like(data)?;
    // Copied unless it cannot change while other threads run.
    let owned;
    let guard = data.bytes();
    let bytes: &[u8] = match &guard {
        pellucid_object::buffer::BytesRef::Plain(bytes) => bytes,
        pellucid_object::buffer::BytesRef::Guarded(bytes) => {
            owned = vm.copied(bytes)?;
            &owned
        }
    };
    match write_some(vm, me, bytes)? {
        Some(count) => vm.new_int(count as i64),
        None => Ok(Value::NONE),
    }
}

fn whence(vm: &Interpreter, value: i64) -> Res<Seek> {
    match value {
        0 => Ok(Seek::Start),
        1 => Ok(Seek::Current),
        2 => Ok(Seek::End),
        _ => Err(vm.os_error(Error::os(libc::EINVAL))),
    }
}

/// Moves the position and says where it is. Errors: `ValueError`, `OSError`.
pub fn seek_to(vm: &Interpreter, me: &FileIo, offset: i64, from: Seek) -> Res<i64> {
    let fd = open_fd(vm, me)?;
    match vm.host().lseek(fd, offset, from) {
        Ok(position) => {
            if me.seekable.get().is_none() {
                me.seekable.set(Some(true));
            }
            Ok(position as i64)
        }
        Err(error) => Err(vm.os_error(error)),
    }
}

fn seek(vm: &Interpreter, args: &Args) -> Res {
    let me = file(vm, args.req(0))?;
    open_fd(vm, me)?;
    let offset = args.req(1);
    if offset.as_float().is_some() {
        return Err(vm.type_error("an integer is required".to_string()));
    }
    let offset = vm.expect_i64(offset)?;
    let from = args.int_or(vm, 2, 0)?;
    let position = match from {
        // Holes and data: numbers that only the system knows.
        3 | 4 => {
            vm.host().lseek_raw(me.fd.get(), offset, from as i32).map_err(|error| vm.os_error(error))? as i64
        }
        _ => seek_to(vm, me, offset, whence(vm, from)?)?,
    };
    vm.new_int(position)
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let me = file(vm, args.req(0))?;
    let fd = to_write(vm, me)?;
    let size = match args.some(1) {
        Some(size) => vm.expect_i64(size)?,
        None => seek_to(vm, me, 0, Seek::Current)?,
    };
    let Ok(length) = u64::try_from(size) else { return Err(vm.os_error(Error::os(libc::EINVAL))) };
    let host = vm.host();
    let done = vm.retry(|| vm.allow_threads(|| host.ftruncate(fd, length)))?;
    done.map_err(|error| vm.os_error(error))?;
    me.size.set(None);
    vm.new_int(size)
}

/// Whether the position can be moved. Errors: `ValueError`.
pub fn is_seekable(vm: &Interpreter, me: &FileIo) -> Res<bool> {
    let fd = open_fd(vm, me)?;
    if let Some(known) = me.seekable.get() {
        return Ok(known);
    }
    let seekable = vm.host().lseek(fd, 0, Seek::Current).is_ok();
    me.seekable.set(Some(seekable));
    Ok(seekable)
}

/// Whether it is a terminal. Errors: `ValueError`.
pub fn isatty(vm: &Interpreter, me: &FileIo) -> Res<bool> {
    Ok(vm.host().isatty(open_fd(vm, me)?))
}

/// As [`isatty`], without asking the system when the file was no device when it was opened.
pub fn isatty_open_only(vm: &Interpreter, me: &FileIo) -> Res<bool> {
    Ok(me.is_character_device.get() && isatty(vm, me)?)
}

fn mode_text(me: &FileIo) -> &'static str {
    let (readable, writable) = (me.readable.get(), me.writable.get());
    match (me.created.get(), me.appending.get(), readable, writable) {
        (true, _, true, _) => "xb+",
        (true, _, false, _) => "xb",
        (_, true, true, _) => "ab+",
        (_, true, false, _) => "ab",
        (_, _, true, true) => "rb+",
        (_, _, true, false) => "rb",
        _ => "wb",
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let me = file(vm, this)?;
    let ty = super::shown_type_name(vm, &vm.type_of(this))?;
    if me.is_closed() {
        return vm.new_str(&format!("<{ty} [closed]>"));
    }
    let closefd = if me.closefd.get() { "True" } else { "False" };
    let mut writer = pellucid_types::seq::Writer::default();
    match super::name_of(vm, this)? {
        Some(name) => {
            writer.push(&format!("<{ty} name="));
            super::guarded_name(vm, this, &name, &mut writer)?;
        }
        None => writer.push(&format!("<{ty} fd={}", me.fd.get())),
    }
    writer.push(&format!(" mode='{}' closefd={closefd}>", mode_text(me)));
    writer.finish(vm)
}

fn set_finalizing(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    file(vm, this)?.finalizing.set(value.map_or(Ok(false), |value| vm.truthy(value))?);
    Ok(())
}

pub static FILE_IO: TypeDef = TypeDef {
    name: "FileIO",
    module: "_io",
    base: Some(|vm| base_type(vm, &RAW_IO_BASE)),
    payload: payload::<FileIo>(),
    flags: STREAM,
    doc: "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nOpen a file.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, FileIo::default())),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Finalize(finalize),
    ],
    methods: &[
        FunctionDef::new(
            "read",
            "($self, size=-1, /)",
            "Read at most size bytes, returned as bytes.",
            NativeFn::Args(read),
        ),
        FunctionDef::new(
            "readall",
            "($self, /)",
            "Read all data from the file, returned as bytes.",
            NativeFn::F1(readall),
        ),
        FunctionDef::new(
            "readinto",
            "($self, buffer, /)",
            "Same as RawIOBase.readinto().",
            NativeFn::F2(readinto),
        ),
        FunctionDef::new(
            "write",
            "($self, b, /)",
            "Write buffer b to file, return number of bytes written.",
            NativeFn::F2(write),
        ),
        FunctionDef::new(
            "seek",
            "($self, pos, whence=0, /)",
            "Move to new file position and return the file position.",
            NativeFn::Args(seek),
        ),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "Current file position.",
            NativeFn::F1(|vm, this| vm.new_int(seek_to(vm, file(vm, this)?, 0, Seek::Current)?)),
        ),
        FunctionDef::new(
            "truncate",
            "($self, size=None, /)",
            "Truncate the file to at most size bytes and return the truncated size.",
            NativeFn::Args(truncate),
        ),
        FunctionDef::new("close", "($self, /)", "Close the file.", NativeFn::F1(close)),
        FunctionDef::new(
            "seekable",
            "($self, /)",
            "True if file supports random-access.",
            NativeFn::F1(|vm, this| is_seekable(vm, file(vm, this)?).map(Value::bool)),
        ),
        FunctionDef::new(
            "readable",
            "($self, /)",
            "True if file was opened in a read mode.",
            NativeFn::F1(|vm, this| {
                let me = file(vm, this)?;
                open_fd(vm, me)?;
                Ok(Value::bool(me.readable.get()))
            }),
        ),
        FunctionDef::new(
            "writable",
            "($self, /)",
            "True if file was opened in a write mode.",
            NativeFn::F1(|vm, this| {
                let me = file(vm, this)?;
                open_fd(vm, me)?;
                Ok(Value::bool(me.writable.get()))
            }),
        ),
        FunctionDef::new(
            "fileno",
            "($self, /)",
            "Return the underlying file descriptor (an integer).",
            NativeFn::F1(|vm, this| vm.new_int(i64::from(open_fd(vm, file(vm, this)?)?))),
        ),
        FunctionDef::new(
            "isatty",
            "($self, /)",
            "True if the file is connected to a TTY device.",
            NativeFn::F1(|vm, this| isatty(vm, file(vm, this)?).map(Value::bool)),
        ),
        FunctionDef::new(
            "_isatty_open_only",
            "($self, /)",
            "Cheap form of isatty for a file that was just opened.",
            NativeFn::F1(|vm, this| isatty_open_only(vm, file(vm, this)?).map(Value::bool)),
        ),
        FunctionDef::new(
            "_dealloc_warn",
            "($self, source, /)",
            "",
            NativeFn::F2(|vm, this, source| {
                warn_unclosed(vm, file(vm, this)?, source);
                Ok(Value::NONE)
            }),
        ),
        super::REDUCE,
        super::REDUCE_EX,
    ],
    getset: &[
        GetSetDef {
            name: "closed",
            doc: "True if the file is closed",
            get: |vm, this| Ok(Value::bool(file(vm, this)?.is_closed())),
            set: None,
        },
        GetSetDef {
            name: "closefd",
            doc: "True if the file descriptor will be closed by close().",
            get: |vm, this| Ok(Value::bool(file(vm, this)?.closefd.get())),
            set: None,
        },
        GetSetDef {
            name: "mode",
            doc: "String giving the file mode",
            get: |vm, this| vm.new_str(mode_text(file(vm, this)?)),
            set: None,
        },
        GetSetDef {
            name: "_blksize",
            doc: "Stat st_blksize if available",
            get: |vm, this| vm.new_int(file(vm, this)?.block_size.get()),
            set: Some(|vm, this, value| {
                let size = value.map_or(Ok(0), |value| vm.expect_i64(value))?;
                file(vm, this)?.block_size.set(size);
                Ok(())
            }),
        },
        GetSetDef {
            name: "_finalizing",
            doc: "",
            get: |vm, this| Ok(Value::bool(file(vm, this)?.finalizing.get())),
            set: Some(set_finalizing),
        },
    ],
};

//! Making, changing and removing files, and working on open ones.

use super::path::{Accepts, Of, PathArg, Target, descriptor, dir_fd, path_arg};
use pellucid_host::{Error, Host, Place, Result, Seek, Timestamp, XattrTarget, libc};
use pellucid_object::{Args, FunctionDef, Interpreter, NativeFn, Res, Tuple, Value};

/// `None`, or the `OSError`.
fn done(vm: &Interpreter, result: Result<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// `None`, or the `OSError` that names the path.
fn done_at(vm: &Interpreter, result: Result<()>, path: &PathArg) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(path.error(vm, error)),
    }
}

/// Calls the host while other threads run, again when a signal came.
fn call<T: Send>(vm: &Interpreter, mut f: impl FnMut(&Host) -> Result<T> + Send) -> Res<T> {
    let host = vm.host();
    let result = vm.retry(|| vm.allow_threads(|| f(host)))?;
    result.map_err(|error| vm.os_error(error))
}

fn mode_arg(vm: &Interpreter, value: Option<&Value>, default: u32) -> Res<u32> {
    value.map_or(Ok(default), |value| Ok(crate::sys::c_int(vm, value)?.cast_unsigned()))
}

fn open(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("open", "path"))?;
    let flags = crate::sys::c_int(vm, args.req(1))?;
    let mode = mode_arg(vm, args.get(2), 0o777)?;
    let dir_fd = dir_fd(vm, args.get(3))?;
    vm.audit("open", &[path.value.clone(), Value::NONE, vm.new_int(i64::from(flags))?])?;
    let place = path.place(dir_fd);
    let host = vm.host();
    let result = vm.retry(|| vm.allow_threads(|| host.open(place, flags, mode)))?;
    vm.new_int(i64::from(result.map_err(|error| path.error(vm, error))?))
}

fn close(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let host = vm.host();
    match vm.allow_threads(|| host.close(fd)) {
        Err(error) if error.is_interrupted() => vm.poll().map(|()| Value::NONE),
        result => done(vm, result),
    }
}

fn read(vm: &Interpreter, fd: &Value, length: &Value) -> Res {
    let (fd, length) = (descriptor(vm, fd)?, room_length(vm, length)?);
    let mut room = room(vm, length)?;
    let count = call(vm, |host| host.read(fd, &mut room))?;
    room.truncate(count);
    vm.new_bytes(room)
}

fn room_length(vm: &Interpreter, length: &Value) -> Res<usize> {
    match usize::try_from(vm.expect_i64(length)?) {
        Ok(length) => Ok(length.min(0x7fff_f000)),
        Err(_) => Err(vm.os_error(Error::os(libc::EINVAL))),
    }
}

fn room(vm: &Interpreter, length: usize) -> Res<Vec<u8>> {
    let mut room = Vec::new();
    room.try_reserve_exact(length).map_err(|_| vm.no_memory())?;
    room.resize(length, 0);
    Ok(room)
}

fn write(vm: &Interpreter, fd: &Value, data: &Value) -> Res {
    let fd = descriptor(vm, fd)?;
    let bytes = vm.bytes_like(data)?.to_vec(vm)?;
    let count = call(vm, |host| host.write(fd, &bytes))?;
    vm.new_int(count as i64)
}

fn pread(vm: &Interpreter, fd: &Value, length: &Value, offset: &Value) -> Res {
    let (fd, length) = (descriptor(vm, fd)?, room_length(vm, length)?);
    let offset = file_offset(vm, offset)?;
    let mut room = room(vm, length)?;
    let count = call(vm, |host| host.pread(fd, &mut room, offset))?;
    room.truncate(count);
    vm.new_bytes(room)
}

fn pwrite(vm: &Interpreter, fd: &Value, data: &Value, offset: &Value) -> Res {
    let fd = descriptor(vm, fd)?;
    let offset = file_offset(vm, offset)?;
    let bytes = vm.bytes_like(data)?.to_vec(vm)?;
    let count = call(vm, |host| host.pwrite(fd, &bytes, offset))?;
    vm.new_int(count as i64)
}

fn file_offset(vm: &Interpreter, value: &Value) -> Res<u64> {
    u64::try_from(vm.expect_i64(value)?).map_err(|_| vm.os_error(Error::os(libc::EINVAL)))
}

/// Writable buffers: copies to be read into, and where they go afterwards.
fn read_into(
    vm: &Interpreter,
    buffers: &Value,
    function: &str,
    f: impl FnOnce(&mut [Vec<u8>]) -> Res<usize>,
) -> Res {
    let items = sequence(vm, buffers, function)?;
    let targets: Res<Vec<_>> = items.iter().map(|item| vm.writable_bytes(item, function)).collect();
    let targets = targets?;
    let rooms: Res<Vec<Vec<u8>>> = targets.iter().map(|target| room(vm, target.len())).collect();
    let mut rooms = rooms?;
    let total = f(&mut rooms)?;
    let mut left = total;
    for (target, room) in targets.iter().zip(&rooms) {
        let count = left.min(room.len());
        crate::io::base::store(vm, target, &room[..count])?;
        left -= count;
    }
    vm.new_int(total as i64)
}

fn sequence(vm: &Interpreter, buffers: &Value, function: &str) -> Res<Vec<Value>> {
    let ty = vm.type_of(buffers);
    if ty.slots.getitem.get().is_none() || buffers.downcast::<pellucid_object::Dict>().is_some() {
        return Err(vm.type_error(format!("{function}() arg 2 must be a sequence")));
    }
    vm.collect(buffers)
}

fn write_list(vm: &Interpreter, buffers: &Value, function: &str) -> Res<Vec<Vec<u8>>> {
    sequence(vm, buffers, function)?.iter().map(|item| vm.bytes_like(item)?.to_vec(vm)).collect()
}

fn readv(vm: &Interpreter, fd: &Value, buffers: &Value) -> Res {
    let fd = descriptor(vm, fd)?;
    read_into(vm, buffers, "readv", |rooms| call(vm, |host| host.readv(fd, rooms)))
}

fn writev(vm: &Interpreter, fd: &Value, buffers: &Value) -> Res {
    let fd = descriptor(vm, fd)?;
    let list = write_list(vm, buffers, "writev")?;
    vm.new_int(call(vm, |host| host.writev(fd, &list))? as i64)
}

fn preadv(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let (offset, flags) = (args.int(vm, 2)?, args.int_or(vm, 3, 0)? as i32);
    read_into(vm, args.req(1), "preadv", |rooms| call(vm, |host| host.preadv(fd, rooms, offset, flags)))
}

fn pwritev(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let (offset, flags) = (args.int(vm, 2)?, args.int_or(vm, 3, 0)? as i32);
    let list = write_list(vm, args.req(1), "pwritev")?;
    vm.new_int(call(vm, |host| host.pwritev(fd, &list, offset, flags))? as i64)
}

fn lseek(vm: &Interpreter, fd: &Value, position: &Value, whence: &Value) -> Res {
    let (fd, position) = (descriptor(vm, fd)?, vm.expect_i64(position)?);
    let whence = crate::sys::c_int(vm, whence)?;
    let result = match whence {
        0 if position >= 0 => vm.host().lseek(fd, position, Seek::Start),
        1 => vm.host().lseek(fd, position, Seek::Current),
        _ => vm.host().lseek_raw(fd, position, whence),
    };
    vm.new_int(result.map_err(|error| vm.os_error(error))? as i64)
}

fn dup2(vm: &Interpreter, args: &Args) -> Res {
    let (fd, to) = (descriptor(vm, args.req(0))?, descriptor(vm, args.req(1))?);
    let inheritable = args.bool_or(vm, 2, true)?;
    let fd = vm.host().dup2(fd, to, inheritable).map_err(|error| vm.os_error(error))?;
    vm.new_int(i64::from(fd))
}

fn pair(vm: &Interpreter, pair: Result<(i32, i32)>) -> Res {
    let (one, other) = pair.map_err(|error| vm.os_error(error))?;
    vm.new_tuple(vec![vm.new_int(i64::from(one))?, vm.new_int(i64::from(other))?])
}

fn pipe2(vm: &Interpreter, flags: &Value) -> Res {
    let flags = crate::sys::c_int(vm, flags)?;
    if flags & !(libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_DIRECT) != 0 {
        return Err(vm.os_error(Error::os(libc::EINVAL)));
    }
    let host = vm.host();
    let ends = host.pipe().map_err(|error| vm.os_error(error))?;
    for fd in [ends.0, ends.1] {
        let set = || -> Result<()> {
            host.set_inheritable(fd, flags & libc::O_CLOEXEC == 0)?;
            if flags & libc::O_NONBLOCK != 0 { host.set_blocking(fd, false) } else { Ok(()) }
        };
        set().map_err(|error| vm.os_error(error))?;
    }
    pair(vm, Ok(ends))
}

/// Two paths with directories to start from.
fn two_paths(
    vm: &Interpreter,
    args: &Args,
    function: &'static str,
    f: impl FnOnce(Place<'_>, Place<'_>) -> Result<()>,
) -> Res {
    let from = path_arg(vm, args.get(0), Accepts::Path, Of(function, "src"))?;
    let to = path_arg(vm, args.get(1), Accepts::Path, Of(function, "dst"))?;
    let (from_fd, to_fd) = (dir_fd(vm, args.get(2))?, dir_fd(vm, args.get(3))?);
    let shown = |fd: Option<i32>| vm.new_int(i64::from(fd.unwrap_or(-1)));
    let event = if function == "link" { "os.link" } else { "os.rename" };
    vm.audit(event, &[from.value.clone(), to.value.clone(), shown(from_fd)?, shown(to_fd)?])?;
    match f(from.place(from_fd), to.place(to_fd)) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error_with(error, Some(&from.value), Some(&to.value))),
    }
}

fn rename(vm: &Interpreter, args: &Args) -> Res {
    two_paths(vm, args, "rename", |from, to| vm.host().rename(from, to))
}

fn replace(vm: &Interpreter, args: &Args) -> Res {
    two_paths(vm, args, "replace", |from, to| vm.host().rename(from, to))
}

fn link(vm: &Interpreter, args: &Args) -> Res {
    let follow = args.bool_or(vm, 4, true)?;
    two_paths(vm, args, "link", |from, to| vm.host().link(from, to, follow))
}

fn symlink(vm: &Interpreter, args: &Args) -> Res {
    let target = path_arg(vm, args.get(0), Accepts::Path, Of("symlink", "src"))?;
    let place = path_arg(vm, args.get(1), Accepts::Path, Of("symlink", "dst"))?;
    let dir_fd = dir_fd(vm, args.get(3))?;
    let shown = vm.new_int(i64::from(dir_fd.unwrap_or(-1)))?;
    vm.audit("os.symlink", &[target.value.clone(), place.value.clone(), shown])?;
    match vm.host().symlink(target.bytes(), place.place(dir_fd)) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error_with(error, Some(&target.value), Some(&place.value))),
    }
}

/// A function of one path with `dir_fd` as its second argument.
fn with_path(
    vm: &Interpreter,
    args: &Args,
    function: &'static str,
    event: &str,
    f: fn(&Host, Place<'_>) -> Result<()>,
) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of(function, "path"))?;
    let dir_fd = dir_fd(vm, args.get(1))?;
    vm.audit(event, &[path.value.clone(), vm.new_int(i64::from(dir_fd.unwrap_or(-1)))?])?;
    let (host, place) = (vm.host(), path.place(dir_fd));
    let result = vm.allow_threads(|| f(host, place));
    done_at(vm, result, &path)
}

/// A function of one path with a mode, and `dir_fd` as its third argument.
fn with_mode(
    vm: &Interpreter,
    args: &Args,
    function: &'static str,
    default: u32,
    f: fn(&Host, Place<'_>, u32) -> Result<()>,
) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of(function, "path"))?;
    let mode = mode_arg(vm, args.get(1), default)?;
    let dir_fd = dir_fd(vm, args.get(2))?;
    if function == "mkdir" {
        let (mode, fd) = (vm.new_int(mode.into())?, vm.new_int(i64::from(dir_fd.unwrap_or(-1)))?);
        vm.audit("os.mkdir", &[path.value.clone(), mode, fd])?;
    }
    done_at(vm, f(vm.host(), path.place(dir_fd), mode), &path)
}

fn mknod(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("mknod", "path"))?;
    let mode = mode_arg(vm, args.get(1), 0o600)?;
    let device = args.int_or(vm, 2, 0)?.cast_unsigned();
    let dir_fd = dir_fd(vm, args.get(3))?;
    done_at(vm, vm.host().mknod(path.place(dir_fd), mode, device), &path)
}

fn readlink(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("readlink", "path"))?;
    let dir_fd = dir_fd(vm, args.get(1))?;
    match vm.host().readlink(path.place(dir_fd)) {
        Ok(bytes) => path.text(vm, bytes),
        Err(error) => Err(path.error(vm, error)),
    }
}

fn chdir(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("chdir", "path"))?;
    vm.audit("os.chdir", std::slice::from_ref(&path.value))?;
    let result = match &path.target {
        Target::Fd(fd) => vm.host().fchdir(*fd),
        Target::Path(bytes) => vm.host().chdir(bytes),
    };
    done_at(vm, result, &path)
}

fn chmod(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("chmod", "path"))?;
    let mode = crate::sys::c_int(vm, args.req(1))?;
    let dir_fd = dir_fd(vm, args.get(2))?;
    let follow = args.bool_or(vm, 3, true)?;
    let (shown, fd) = (vm.new_int(i64::from(mode))?, vm.new_int(i64::from(dir_fd.unwrap_or(-1)))?);
    vm.audit("os.chmod", &[path.value.clone(), shown, fd])?;
    let result = match &path.target {
        Target::Fd(fd) => vm.host().fchmod(*fd, mode.cast_unsigned()),
        Target::Path(bytes) => vm.host().chmod(Place::at(dir_fd, bytes), mode.cast_unsigned(), follow),
    };
    match result {
        Err(error) if !follow && matches!(error.errno, libc::EOPNOTSUPP | libc::ENOSYS) => {
            let text = "chmod: follow_symlinks unavailable on this platform";
            Err(vm.not_implemented_error(text.to_string()))
        }
        result => done_at(vm, result, &path),
    }
}

/// A user or group id; -1 keeps what it is. Errors: `TypeError`, `OverflowError`.
pub fn id_arg(vm: &Interpreter, value: &Value, what: &str) -> Res<Option<u32>> {
    if value.as_int().is_none() && !pellucid_types::seq::has_index(vm, value) {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("{what} should be integer, not {name}")));
    }
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(-1) => Ok(None),
        Some(id) if id < 0 => Err(vm.overflow_error(format!("{what} is less than minimum"))),
        Some(id) => match u32::try_from(id) {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(vm.overflow_error(format!("{what} is greater than maximum"))),
        },
        None => {
            let negative = vm.repr_lossy(&index)?.starts_with('-');
            let side = if negative { "less than minimum" } else { "greater than maximum" };
            Err(vm.overflow_error(format!("{what} is {side}")))
        }
    }
}

fn chown(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("chown", "path"))?;
    let (uid, gid) = (id_arg(vm, args.req(1), "uid")?, id_arg(vm, args.req(2), "gid")?);
    let dir_fd = dir_fd(vm, args.get(3))?;
    let follow = args.bool_or(vm, 4, true)?;
    let result = match &path.target {
        Target::Fd(_) if dir_fd.is_some() => {
            return Err(vm.value_error("chown: can't specify both dir_fd and fd".to_string()));
        }
        Target::Fd(_) if !follow => {
            return Err(vm.value_error("chown: cannot use fd and follow_symlinks together".to_string()));
        }
        Target::Fd(fd) => vm.host().fchown(*fd, uid, gid),
        Target::Path(bytes) => vm.host().chown(Place::at(dir_fd, bytes), uid, gid, follow),
    };
    done_at(vm, result, &path)
}

fn lchown(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("lchown", "path"))?;
    let (uid, gid) = (id_arg(vm, args.req(1), "uid")?, id_arg(vm, args.req(2), "gid")?);
    done_at(vm, vm.host().chown(path.place(None), uid, gid, false), &path)
}

fn fchown(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let (uid, gid) = (id_arg(vm, args.req(1), "uid")?, id_arg(vm, args.req(2), "gid")?);
    done(vm, vm.host().fchown(fd, uid, gid))
}

/// A time of `utime` in seconds, rounded down to nanoseconds.
fn timestamp(vm: &Interpreter, value: &Value) -> Res<Timestamp> {
    let total = match value.as_float() {
        Some(f) if f.is_nan() => {
            return Err(vm.value_error("Invalid value NaN (not a number)".to_string()));
        }
        Some(f) => {
            let seconds = f.floor();
            if !(-9.2e18..9.2e18).contains(&seconds) {
                return Err(vm.overflow_error("timestamp out of range for platform time_t".to_string()));
            }
            let rest = ((f - seconds) * 1e9).floor() as i128;
            seconds as i128 * 1_000_000_000 + rest
        }
        None => {
            let index = vm.index(value)?;
            let seconds = vm
                .as_i64(&index)
                .ok_or_else(|| vm.overflow_error("timestamp out of range for platform time_t".to_string()))?;
            i128::from(seconds) * 1_000_000_000
        }
    };
    from_nanoseconds(vm, total)
}

fn from_nanoseconds(vm: &Interpreter, total: i128) -> Res<Timestamp> {
    match i64::try_from(total.div_euclid(1_000_000_000)) {
        Ok(seconds) => Ok(Timestamp::At(seconds, total.rem_euclid(1_000_000_000) as u32)),
        Err(_) => Err(vm.overflow_error("timestamp out of range for platform time_t".to_string())),
    }
}

fn nanosecond_stamp(vm: &Interpreter, value: &Value) -> Res<Timestamp> {
    let index = vm.index(value)?;
    let total = match index.as_int() {
        Some(int) => i128::try_from(&int.to_big()).ok(),
        None => None,
    };
    match total {
        Some(total) => from_nanoseconds(vm, total),
        None => Err(vm.overflow_error("Python int too large to convert to C long".to_string())),
    }
}

fn pair_of(vm: &Interpreter, value: &Value, message: &str) -> Res<[Value; 2]> {
    match value.downcast::<Tuple>().map(Tuple::items).as_deref() {
        Some([one, two]) => Ok([one.clone(), two.clone()]),
        _ => Err(vm.type_error(message.to_string())),
    }
}

fn utime(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("utime", "path"))?;
    let times = args.some(1);
    let ns = args.get(2);
    let dir_fd = dir_fd(vm, args.get(3))?;
    let follow = args.bool_or(vm, 4, true)?;
    if times.is_some() && ns.is_some() {
        let text = "utime: you may specify either 'times' or 'ns' but not both";
        return Err(vm.value_error(text.to_string()));
    }
    let (accessed, modified) = match (times, ns) {
        (Some(times), _) => {
            let text = "utime: 'times' must be either a tuple of two ints or None";
            let [one, two] = pair_of(vm, times, text)?;
            (timestamp(vm, &one)?, timestamp(vm, &two)?)
        }
        (None, Some(ns)) => {
            let [one, two] = pair_of(vm, ns, "utime: 'ns' must be a tuple of two ints")?;
            (nanosecond_stamp(vm, &one)?, nanosecond_stamp(vm, &two)?)
        }
        (None, None) => (Timestamp::Now, Timestamp::Now),
    };
    let result = match &path.target {
        Target::Fd(_) if dir_fd.is_some() => {
            return Err(vm.value_error("utime: can't specify dir_fd without matching path".to_string()));
        }
        Target::Fd(_) if !follow => {
            return Err(vm.value_error("utime: cannot use fd and follow_symlinks together".to_string()));
        }
        Target::Fd(fd) => vm.host().futime(*fd, accessed, modified),
        Target::Path(bytes) => vm.host().utime(Place::at(dir_fd, bytes), accessed, modified, follow),
    };
    done_at(vm, result, &path)
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("truncate", "path"))?;
    let Ok(length) = u64::try_from(args.int(vm, 1)?) else {
        return Err(path.error(vm, Error::os(libc::EINVAL)));
    };
    vm.audit("os.truncate", &[path.value.clone(), args.req(1).clone()])?;
    let result = match &path.target {
        Target::Fd(fd) => vm.host().ftruncate(*fd, length),
        Target::Path(bytes) => vm.host().truncate(bytes, length),
    };
    done_at(vm, result, &path)
}

fn ftruncate(vm: &Interpreter, fd: &Value, length: &Value) -> Res {
    let fd = descriptor(vm, fd)?;
    let length = file_offset(vm, length)?;
    call(vm, |host| host.ftruncate(fd, length))?;
    Ok(Value::NONE)
}

fn fsync(vm: &Interpreter, value: &Value, data_only: bool) -> Res {
    let fd = super::path::file_descriptor(vm, value)?;
    call(vm, |host| host.fsync(fd, data_only))?;
    Ok(Value::NONE)
}

fn sendfile(vm: &Interpreter, args: &Args) -> Res {
    let (to, from) = (descriptor(vm, args.req(0))?, descriptor(vm, args.req(1))?);
    let offset = args.some(2).map(|value| vm.expect_i64(value)).transpose()?;
    let length = room_length(vm, args.req(3))?;
    vm.new_int(call(vm, |host| host.sendfile(to, from, offset, length))? as i64)
}

fn copy_file_range(vm: &Interpreter, args: &Args) -> Res {
    let (from, to) = (descriptor(vm, args.req(0))?, descriptor(vm, args.req(1))?);
    let Ok(length) = usize::try_from(args.int(vm, 2)?) else {
        return Err(vm.value_error("negative value for 'count' not allowed".to_string()));
    };
    let a = args.some(3).map(|value| vm.expect_i64(value)).transpose()?;
    let b = args.some(4).map(|value| vm.expect_i64(value)).transpose()?;
    vm.new_int(call(vm, |host| host.copy_file_range(from, to, length, a, b))? as i64)
}

fn splice(vm: &Interpreter, args: &Args) -> Res {
    let (from, to) = (descriptor(vm, args.req(0))?, descriptor(vm, args.req(1))?);
    let Ok(length) = usize::try_from(args.int(vm, 2)?) else {
        return Err(vm.value_error("negative value for 'count' not allowed".to_string()));
    };
    let a = args.some(3).map(|value| vm.expect_i64(value)).transpose()?;
    let b = args.some(4).map(|value| vm.expect_i64(value)).transpose()?;
    let flags = args.int_or(vm, 5, 0)? as u32;
    vm.new_int(call(vm, |host| host.splice(from, to, length, a, b, flags))? as i64)
}

fn umask(vm: &Interpreter, mask: &Value) -> Res {
    let mask = crate::sys::c_int(vm, mask)?.cast_unsigned();
    let old = vm.host().umask(mask).map_err(|error| vm.os_error(error))?;
    vm.new_int(old.into())
}

/// The target of a function for extended attributes.
fn xattr_target<'a>(
    vm: &Interpreter,
    path: &'a PathArg,
    follow: bool,
    function: &str,
) -> Res<XattrTarget<'a>> {
    match &path.target {
        Target::Fd(_) if !follow => {
            Err(vm.value_error(format!("{function}: cannot use fd and follow_symlinks together")))
        }
        Target::Fd(fd) => Ok(XattrTarget::Fd(*fd)),
        Target::Path(bytes) => Ok(XattrTarget::Path { path: bytes, follow }),
    }
}

fn getxattr(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("getxattr", "path"))?;
    let name = path_arg(vm, args.get(1), Accepts::Path, Of("getxattr", "attribute"))?;
    let target = xattr_target(vm, &path, args.bool_or(vm, 2, true)?, "getxattr")?;
    let value = vm.host().getxattr(&target, name.bytes()).map_err(|error| path.error(vm, error))?;
    vm.new_bytes(value)
}

fn setxattr(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("setxattr", "path"))?;
    let name = path_arg(vm, args.get(1), Accepts::Path, Of("setxattr", "attribute"))?;
    let value = vm.bytes_like(args.req(2))?.to_vec(vm)?;
    let flags = args.int_or(vm, 3, 0)? as i32;
    let target = xattr_target(vm, &path, args.bool_or(vm, 4, true)?, "setxattr")?;
    done_at(vm, vm.host().setxattr(&target, name.bytes(), &value, flags), &path)
}

fn removexattr(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("removexattr", "path"))?;
    let name = path_arg(vm, args.get(1), Accepts::Path, Of("removexattr", "attribute"))?;
    let target = xattr_target(vm, &path, args.bool_or(vm, 2, true)?, "removexattr")?;
    done_at(vm, vm.host().removexattr(&target, name.bytes()), &path)
}

fn listxattr(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathFdOrNone, Of("listxattr", "path"))?;
    let target = xattr_target(vm, &path, args.bool_or(vm, 1, true)?, "listxattr")?;
    let names = vm.host().listxattr(&target).map_err(|error| path.error(vm, error))?;
    let names: Res<Vec<Value>> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| vm.fs_decode(name))
        .collect();
    vm.new_list(names?)
}

fn memfd_create(vm: &Interpreter, args: &Args) -> Res {
    let name = path_arg(vm, args.get(0), Accepts::Path, Of("memfd_create", "name"))?;
    let flags = args.int_or(vm, 1, i64::from(libc::MFD_CLOEXEC))? as u32;
    vm.new_int(vm.host().memfd(name.bytes(), flags).map_err(|error| vm.os_error(error))?.into())
}

fn eventfd(vm: &Interpreter, args: &Args) -> Res {
    let initial = args.int(vm, 0)? as u32;
    let flags = args.int_or(vm, 1, i64::from(libc::EFD_CLOEXEC))? as i32;
    vm.new_int(vm.host().eventfd(initial, flags).map_err(|error| vm.os_error(error))?.into())
}

fn eventfd_read(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let mut room = [0; 8];
    call(vm, |host| host.read(fd, &mut room))?;
    crate::thread::new_ident(vm, u64::from_ne_bytes(room))
}

fn eventfd_write(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let value = crate::thread::expect_ident(vm, args.req(1))?;
    call(vm, |host| host.write(fd, &value.to_ne_bytes()))?;
    Ok(Value::NONE)
}

fn lockf(vm: &Interpreter, fd: &Value, command: &Value, length: &Value) -> Res {
    let (fd, command) = (descriptor(vm, fd)?, crate::sys::c_int(vm, command)?);
    let length = vm.expect_i64(length)?;
    call(vm, |host| host.lockf(fd, command, length))?;
    Ok(Value::NONE)
}

fn fadvise(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let (offset, length, advice) = (args.int(vm, 1)?, args.int(vm, 2)?, args.int(vm, 3)? as i32);
    call(vm, |host| host.advise(fd, offset, length, advice))?;
    Ok(Value::NONE)
}

fn fallocate(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let (offset, length) = (args.int(vm, 1)?, args.int(vm, 2)?);
    call(vm, |host| host.allocate(fd, offset, length))?;
    Ok(Value::NONE)
}

macro_rules! simple {
    ($name:literal, $sig:literal, $doc:literal, $f:expr) => {
        FunctionDef::new($name, $sig, $doc, $f)
    };
}

pub const FUNCTIONS: &[FunctionDef] = &[
    simple!(
        "open",
        "(path, flags, mode=511, *, dir_fd=None)",
        "Open a file for low level IO.  Returns a file descriptor (integer).",
        NativeFn::Args(open)
    ),
    simple!("close", "(fd)", "Close a file descriptor.", NativeFn::Args(close)),
    simple!(
        "closerange",
        "(fd_low, fd_high, /)",
        "Closes all file descriptors in [fd_low, fd_high), ignoring errors.",
        NativeFn::F2(|vm, low, high| {
            let (low, high) = (crate::sys::c_int(vm, low)?, crate::sys::c_int(vm, high)?);
            done(vm, vm.host().close_range(low, high))
        })
    ),
    simple!(
        "read",
        "(fd, length, /)",
        "Read from a file descriptor.  Returns a bytes object.",
        NativeFn::F2(read)
    ),
    simple!(
        "readinto",
        "(fd, buffer, /)",
        "Read into a buffer object from a file descriptor.",
        NativeFn::F2(|vm, fd, buffer| {
            let fd = descriptor(vm, fd)?;
            let target = vm.writable_bytes(buffer, "readinto")?;
            let mut room = room(vm, target.len().min(0x7fff_f000))?;
            let count = call(vm, |host| host.read(fd, &mut room))?;
            crate::io::base::store(vm, &target, &room[..count])?;
            vm.new_int(count as i64)
        })
    ),
    simple!("write", "(fd, data, /)", "Write a bytes object to a file descriptor.", NativeFn::F2(write)),
    simple!(
        "pread",
        "(fd, length, offset, /)",
        "Read a number of bytes from a file descriptor starting at a particular offset.",
        NativeFn::F3(pread)
    ),
    simple!(
        "pwrite",
        "(fd, buffer, offset, /)",
        "Write bytes to a file descriptor starting at a particular offset.",
        NativeFn::F3(pwrite)
    ),
    simple!(
        "readv",
        "(fd, buffers, /)",
        "Read from a file descriptor fd into an iterable of buffers.",
        NativeFn::F2(readv)
    ),
    simple!(
        "writev",
        "(fd, buffers, /)",
        "Iterate over buffers, and write the contents of each to a file descriptor.",
        NativeFn::F2(writev)
    ),
    simple!(
        "preadv",
        "(fd, buffers, offset, flags=0, /)",
        "Reads from a file descriptor into a number of mutable bytes-like objects.",
        NativeFn::Args(preadv)
    ),
    simple!(
        "pwritev",
        "(fd, buffers, offset, flags=0, /)",
        "Writes the contents of bytes-like objects to a file descriptor at a given offset.",
        NativeFn::Args(pwritev)
    ),
    simple!(
        "lseek",
        "(fd, position, whence, /)",
        "Set the position of a file descriptor.  Return the new position.",
        NativeFn::F3(lseek)
    ),
    simple!(
        "dup",
        "(fd, /)",
        "Return a duplicate of a file descriptor.",
        NativeFn::F1(|vm, fd| {
            let fd = vm.host().dup(descriptor(vm, fd)?).map_err(|error| vm.os_error(error))?;
            vm.new_int(i64::from(fd))
        })
    ),
    simple!("dup2", "(fd, fd2, inheritable=True)", "Duplicate file descriptor.", NativeFn::Args(dup2)),
    simple!("pipe", "()", "Create a pipe.", NativeFn::F0(|vm| pair(vm, vm.host().pipe()))),
    simple!("pipe2", "(flags, /)", "Create a pipe with flags set atomically.", NativeFn::F1(pipe2)),
    simple!(
        "isatty",
        "(fd, /)",
        "Return True if the fd is connected to a terminal.",
        NativeFn::F1(|vm, fd| { Ok(Value::bool(vm.host().isatty(descriptor(vm, fd)?))) })
    ),
    simple!(
        "ttyname",
        "(fd, /)",
        "Return the name of the terminal device connected to 'fd'.",
        NativeFn::F1(|vm, fd| {
            match vm.host().ttyname(descriptor(vm, fd)?) {
                Ok(name) => vm.fs_decode(&name),
                Err(error) => Err(vm.os_error(error)),
            }
        })
    ),
    simple!(
        "get_inheritable",
        "(fd, /)",
        "Get the close-on-exe flag of the specified file descriptor.",
        NativeFn::F1(|vm, fd| {
            vm.host().inheritable(descriptor(vm, fd)?).map(Value::bool).map_err(|error| vm.os_error(error))
        })
    ),
    simple!(
        "set_inheritable",
        "(fd, inheritable, /)",
        "Set the inheritable flag of the specified file descriptor.",
        NativeFn::F2(|vm, fd, value| {
            let value = crate::sys::c_int(vm, value)? != 0;
            done(vm, vm.host().set_inheritable(descriptor(vm, fd)?, value))
        })
    ),
    simple!(
        "get_blocking",
        "(fd, /)",
        "Get the blocking mode of the file descriptor.",
        NativeFn::F1(|vm, fd| {
            vm.host().blocking(descriptor(vm, fd)?).map(Value::bool).map_err(|error| vm.os_error(error))
        })
    ),
    simple!(
        "set_blocking",
        "(fd, blocking, /)",
        "Set the blocking mode of the specified file descriptor.",
        NativeFn::F2(|vm, fd, value| {
            let value = vm.truthy(value)?;
            done(vm, vm.host().set_blocking(descriptor(vm, fd)?, value))
        })
    ),
    simple!("fsync", "(fd)", "Force write of fd to disk.", NativeFn::F1(|vm, fd| fsync(vm, fd, false))),
    simple!(
        "fdatasync",
        "(fd)",
        "Force write of fd to disk without forcing update of metadata.",
        NativeFn::F1(|vm, fd| fsync(vm, fd, true))
    ),
    simple!(
        "sync",
        "()",
        "Force write of everything to disk.",
        NativeFn::F0(|vm| done(vm, vm.host().sync()))
    ),
    simple!(
        "ftruncate",
        "(fd, length, /)",
        "Truncate a file, specified by file descriptor, to a specific length.",
        NativeFn::F2(ftruncate)
    ),
    simple!(
        "truncate",
        "(path, length)",
        "Truncate a file, specified by path, to a specific length.",
        NativeFn::Args(truncate)
    ),
    simple!(
        "rename",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        "Rename a file or directory.",
        NativeFn::Args(rename)
    ),
    simple!(
        "replace",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        "Rename a file or directory, overwriting the destination.",
        NativeFn::Args(replace)
    ),
    simple!(
        "link",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)",
        "Create a hard link to a file.",
        NativeFn::Args(link)
    ),
    simple!(
        "symlink",
        "(src, dst, target_is_directory=False, *, dir_fd=None)",
        "Create a symbolic link pointing to src named dst.",
        NativeFn::Args(symlink)
    ),
    simple!(
        "readlink",
        "(path, *, dir_fd=None)",
        "Return a string representing the path to which the symbolic link points.",
        NativeFn::Args(readlink)
    ),
    simple!(
        "unlink",
        "(path, *, dir_fd=None)",
        "Remove a file (same as remove()).",
        NativeFn::Args(|vm, args| with_path(vm, args, "unlink", "os.remove", Host::unlink))
    ),
    simple!(
        "remove",
        "(path, *, dir_fd=None)",
        "Remove a file (same as unlink()).",
        NativeFn::Args(|vm, args| with_path(vm, args, "remove", "os.remove", Host::unlink))
    ),
    simple!(
        "rmdir",
        "(path, *, dir_fd=None)",
        "Remove a directory.",
        NativeFn::Args(|vm, args| with_path(vm, args, "rmdir", "os.rmdir", Host::rmdir))
    ),
    simple!(
        "mkdir",
        "(path, mode=511, *, dir_fd=None)",
        "Create a directory.",
        NativeFn::Args(|vm, args| with_mode(vm, args, "mkdir", 0o777, Host::mkdir))
    ),
    simple!(
        "mkfifo",
        "(path, mode=438, *, dir_fd=None)",
        "Create a \"fifo\" (a POSIX named pipe).",
        NativeFn::Args(|vm, args| with_mode(vm, args, "mkfifo", 0o666, Host::mkfifo))
    ),
    simple!(
        "mknod",
        "(path, mode=384, device=0, *, dir_fd=None)",
        "Create a node in the file system.",
        NativeFn::Args(mknod)
    ),
    simple!(
        "chdir",
        "(path)",
        "Change the current working directory to the specified path.",
        NativeFn::Args(chdir)
    ),
    simple!(
        "fchdir",
        "(fd)",
        "Change to the directory of the given file descriptor.",
        NativeFn::F1(|vm, fd| {
            let fd = super::path::file_descriptor(vm, fd)?;
            done(vm, vm.host().fchdir(fd))
        })
    ),
    simple!(
        "getcwd",
        "()",
        "Return a unicode string representing the current working directory.",
        NativeFn::F0(|vm| {
            let path = vm.host().getcwd().map_err(|error| vm.os_error(error))?;
            vm.fs_decode(&path)
        })
    ),
    simple!(
        "getcwdb",
        "()",
        "Return a bytes string representing the current working directory.",
        NativeFn::F0(|vm| {
            let path = vm.host().getcwd().map_err(|error| vm.os_error(error))?;
            vm.new_bytes(path)
        })
    ),
    simple!(
        "chmod",
        "(path, mode, *, dir_fd=None, follow_symlinks=True)",
        "Change the access permissions of a file.",
        NativeFn::Args(chmod)
    ),
    simple!(
        "fchmod",
        "(fd, mode)",
        "Change the access permissions of the file given by file descriptor fd.",
        NativeFn::Args(|vm, args| {
            let (fd, mode) = (descriptor(vm, args.req(0))?, crate::sys::c_int(vm, args.req(1))?);
            done(vm, vm.host().fchmod(fd, mode.cast_unsigned()))
        })
    ),
    simple!(
        "chown",
        "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)",
        "Change the owner and group id of path to the numeric uid and gid.",
        NativeFn::Args(chown)
    ),
    simple!(
        "lchown",
        "(path, uid, gid)",
        "Change the owner and group id of path, without following symbolic links.",
        NativeFn::Args(lchown)
    ),
    simple!(
        "fchown",
        "(fd, uid, gid)",
        "Change the owner and group id of the file specified by file descriptor.",
        NativeFn::Args(fchown)
    ),
    simple!(
        "utime",
        "(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)",
        "Set the access and modified time of path.",
        NativeFn::Args(utime)
    ),
    simple!(
        "umask",
        "(mask, /)",
        "Set the current numeric umask and return the previous umask.",
        NativeFn::F1(umask)
    ),
    simple!(
        "sendfile",
        "(out_fd, in_fd, offset, count)",
        "Copy count bytes from file descriptor in_fd to file descriptor out_fd.",
        NativeFn::Args(sendfile)
    ),
    simple!(
        "copy_file_range",
        "(src, dst, count, offset_src=None, offset_dst=None)",
        "Copy count bytes from one file descriptor to another.",
        NativeFn::Args(copy_file_range)
    ),
    simple!(
        "splice",
        "(src, dst, count, offset_src=None, offset_dst=None, flags=0)",
        "Transfer count bytes from one pipe to a descriptor or vice versa.",
        NativeFn::Args(splice)
    ),
    simple!(
        "getxattr",
        "(path, attribute, *, follow_symlinks=True)",
        "Return the value of extended attribute attribute on path.",
        NativeFn::Args(getxattr)
    ),
    simple!(
        "setxattr",
        "(path, attribute, value, flags=0, *, follow_symlinks=True)",
        "Set extended attribute attribute on path to value.",
        NativeFn::Args(setxattr)
    ),
    simple!(
        "removexattr",
        "(path, attribute, *, follow_symlinks=True)",
        "Remove extended attribute attribute on path.",
        NativeFn::Args(removexattr)
    ),
    simple!(
        "listxattr",
        "(path=None, *, follow_symlinks=True)",
        "Return a list of extended attributes on path.",
        NativeFn::Args(listxattr)
    ),
    simple!("memfd_create", "(name, flags=MFD_CLOEXEC)", "", NativeFn::Args(memfd_create)),
    simple!(
        "eventfd",
        "(initval, flags=EFD_CLOEXEC)",
        "Creates and returns an event notification file descriptor.",
        NativeFn::Args(eventfd)
    ),
    simple!("eventfd_read", "(fd)", "Read eventfd value", NativeFn::Args(eventfd_read)),
    simple!("eventfd_write", "(fd, value)", "Write eventfd value.", NativeFn::Args(eventfd_write)),
    simple!(
        "lockf",
        "(fd, command, length, /)",
        "Apply, test or remove a POSIX lock on an open file descriptor.",
        NativeFn::F3(lockf)
    ),
    simple!(
        "posix_fadvise",
        "(fd, offset, length, advice, /)",
        "Announce an intention to access data in a specific pattern.",
        NativeFn::Args(fadvise)
    ),
    simple!(
        "posix_fallocate",
        "(fd, offset, length, /)",
        "Ensure a file has allocated at least a particular number of bytes on disk.",
        NativeFn::Args(fallocate)
    ),
];

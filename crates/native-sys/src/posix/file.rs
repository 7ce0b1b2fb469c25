//! Files by name and by descriptor.

use super::path::{PathOrFd, fspath, open_directory, path_bytes, path_or_fd};
use pellucid_object::host::{Place, Seek, Timestamp};
use pellucid_object::{Args, FunctionDef, Interpreter, NativeFn, Res, Value};

fn fd(vm: &Interpreter, args: &Args, index: usize) -> Res<i32> {
    let number = args.int(vm, index)?;
    i32::try_from(number)
        .map_err(|_| vm.overflow_error("Python int too large to convert to C int".to_string()))
}

fn number_u32(vm: &Interpreter, args: &Args, index: usize, default: u32) -> Res<u32> {
    let number = args.int_or(vm, index, i64::from(default))?;
    u32::try_from(number)
        .map_err(|_| vm.overflow_error("value must be a non-negative 32-bit int".to_string()))
}

fn none<T>(_: T) -> Value {
    Value::NONE
}

/// Calls the host with a path and, for `dir_fd`, the directory it starts from; an error names the path.
fn with_path<T>(
    vm: &Interpreter,
    args: &Args,
    path: usize,
    dir_fd: Option<usize>,
    mut call: impl FnMut(Place<'_>) -> pellucid_object::host::Result<T>,
) -> Res<T> {
    let path = fspath(vm, args.req(path))?;
    let bytes = path_bytes(vm, &path)?;
    let base = match dir_fd {
        Some(index) => open_directory(vm, args.get(index))?,
        None => None,
    };
    vm.retry(|| call(Place::at(base, &bytes)))?.map_err(|error| vm.os_error_at(error, &path))
}

fn open(vm: &Interpreter, args: &Args) -> Res {
    let (flags, mode) = (fd(vm, args, 1)?, number_u32(vm, args, 2, 0o777)?);
    vm.audit("open", &[args.req(0).clone(), Value::NONE, args.req(1).clone()])?;
    let cloexec = pellucid_object::host::libc::O_CLOEXEC;
    let fd = with_path(vm, args, 0, Some(3), |place| vm.host().open(place, flags | cloexec, mode))?;
    vm.new_int(i64::from(fd))
}

fn close(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.host().close(fd).map(none).map_err(|error| vm.os_error(error))
}

fn closerange(vm: &Interpreter, args: &Args) -> Res {
    for number in fd(vm, args, 0)?..fd(vm, args, 1)? {
        // Descriptors that are not open are no error here.
        let _ = vm.host().close(number);
    }
    Ok(Value::NONE)
}

fn read(vm: &Interpreter, args: &Args) -> Res {
    let (fd, length) = (fd(vm, args, 0)?, args.int(vm, 1)?);
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.os_error(pellucid_object::host::Error::os(pellucid_object::host::libc::EINVAL)));
    };
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(length).is_err() {
        return Err(vm.no_memory());
    }
    buffer.resize(length, 0);
    let host = vm.host().clone();
    let count =
        vm.retry(|| vm.allow_threads(|| host.read(fd, &mut buffer)))?.map_err(|error| vm.os_error(error))?;
    buffer.truncate(count);
    vm.new_bytes(buffer)
}

fn write(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    let data = vm.bytes_like(args.req(1))?.bytes().to_vec();
    let host = vm.host().clone();
    let count =
        vm.retry(|| vm.allow_threads(|| host.write(fd, &data)))?.map_err(|error| vm.os_error(error))?;
    vm.new_int(count as i64)
}

fn lseek(vm: &Interpreter, args: &Args) -> Res {
    let (fd, offset, whence) = (fd(vm, args, 0)?, args.int(vm, 1)?, args.int(vm, 2)?);
    let host = vm.host();
    let place = match whence {
        0 if offset < 0 => Err(pellucid_object::host::Error::os(pellucid_object::host::libc::EINVAL)),
        0 => host.lseek(fd, offset, Seek::Start),
        1 => host.lseek(fd, offset, Seek::Current),
        2 => host.lseek(fd, offset, Seek::End),
        other => host.lseek_raw(fd, offset, other as i32),
    };
    vm.new_int(place.map_err(|error| vm.os_error(error))? as i64)
}

fn pipe(vm: &Interpreter) -> Res {
    let (read, write) = vm.host().pipe().map_err(|error| vm.os_error(error))?;
    vm.new_tuple(vec![vm.new_int(i64::from(read))?, vm.new_int(i64::from(write))?])
}

fn dup(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.new_int(i64::from(vm.host().dup(fd).map_err(|error| vm.os_error(error))?))
}

fn dup2(vm: &Interpreter, args: &Args) -> Res {
    let (from, to, inheritable) = (fd(vm, args, 0)?, fd(vm, args, 1)?, args.bool_or(vm, 2, true)?);
    vm.new_int(i64::from(vm.host().dup2(from, to, inheritable).map_err(|error| vm.os_error(error))?))
}

fn isatty(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    Ok(Value::bool(vm.host().isatty(fd)))
}

fn ttyname(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.fs_decode(&vm.host().ttyname(fd).map_err(|error| vm.os_error(error))?)
}

fn get_inheritable(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.host().inheritable(fd).map(Value::bool).map_err(|error| vm.os_error(error))
}

fn set_inheritable(vm: &Interpreter, args: &Args) -> Res {
    let (fd, flag) = (fd(vm, args, 0)?, args.bool_or(vm, 1, true)?);
    vm.host().set_inheritable(fd, flag).map(none).map_err(|error| vm.os_error(error))
}

fn get_blocking(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.host().blocking(fd).map(Value::bool).map_err(|error| vm.os_error(error))
}

fn set_blocking(vm: &Interpreter, args: &Args) -> Res {
    let (fd, flag) = (fd(vm, args, 0)?, args.bool_or(vm, 1, true)?);
    vm.host().set_blocking(fd, flag).map(none).map_err(|error| vm.os_error(error))
}

fn fsync(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.host().fsync(fd, false).map(none).map_err(|error| vm.os_error(error))
}

fn fdatasync(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    vm.host().fsync(fd, true).map(none).map_err(|error| vm.os_error(error))
}

fn length(vm: &Interpreter, args: &Args, index: usize) -> Res<u64> {
    let invalid = pellucid_object::host::Error::os(pellucid_object::host::libc::EINVAL);
    u64::try_from(args.int(vm, index)?).map_err(|_| vm.os_error(invalid))
}

fn ftruncate(vm: &Interpreter, args: &Args) -> Res {
    let (fd, length) = (fd(vm, args, 0)?, length(vm, args, 1)?);
    vm.host().ftruncate(fd, length).map(none).map_err(|error| vm.os_error(error))
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let length = length(vm, args, 1)?;
    let done = match path_or_fd(vm, args.req(0), "truncate")? {
        PathOrFd::Fd(fd) => vm.host().ftruncate(fd, length),
        PathOrFd::Path(path) => vm.host().truncate(&path, length),
    };
    done.map(none).map_err(|error| vm.os_error_at(error, args.req(0)))
}

fn access(vm: &Interpreter, args: &Args) -> Res {
    let mode = number_u32(vm, args, 1, 0)?;
    let (effective, follow) = (args.bool_or(vm, 3, false)?, args.bool_or(vm, 4, true)?);
    let path = fspath(vm, args.req(0))?;
    let bytes = path_bytes(vm, &path)?;
    let base = open_directory(vm, args.get(2))?;
    // What cannot be asked is not accessible.
    Ok(Value::bool(vm.host().access(Place::at(base, &bytes), mode, effective, follow).unwrap_or(false)))
}

fn mkdir(vm: &Interpreter, args: &Args) -> Res {
    let mode = number_u32(vm, args, 1, 0o777)?;
    with_path(vm, args, 0, Some(2), |place| vm.host().mkdir(place, mode)).map(none)
}

fn rmdir(vm: &Interpreter, args: &Args) -> Res {
    with_path(vm, args, 0, Some(1), |place| vm.host().rmdir(place)).map(none)
}

fn unlink(vm: &Interpreter, args: &Args) -> Res {
    with_path(vm, args, 0, Some(1), |place| vm.host().unlink(place)).map(none)
}

fn rename(vm: &Interpreter, args: &Args) -> Res {
    let (from, to) = (fspath(vm, args.req(0))?, fspath(vm, args.req(1))?);
    let (from_bytes, to_bytes) = (path_bytes(vm, &from)?, path_bytes(vm, &to)?);
    let bases = (open_directory(vm, args.get(2))?, open_directory(vm, args.get(3))?);
    vm.host()
        .rename(Place::at(bases.0, &from_bytes), Place::at(bases.1, &to_bytes))
        .map(none)
        .map_err(|error| vm.os_error_with(error, Some(&from), Some(&to)))
}

fn link(vm: &Interpreter, args: &Args) -> Res {
    let (from, to) = (fspath(vm, args.req(0))?, fspath(vm, args.req(1))?);
    let (from_bytes, to_bytes) = (path_bytes(vm, &from)?, path_bytes(vm, &to)?);
    let bases = (open_directory(vm, args.get(2))?, open_directory(vm, args.get(3))?);
    let follow = args.bool_or(vm, 4, true)?;
    vm.host()
        .link(Place::at(bases.0, &from_bytes), Place::at(bases.1, &to_bytes), follow)
        .map(none)
        .map_err(|error| vm.os_error_with(error, Some(&from), Some(&to)))
}

fn symlink(vm: &Interpreter, args: &Args) -> Res {
    let (target, path) = (fspath(vm, args.req(0))?, fspath(vm, args.req(1))?);
    let (target_bytes, bytes) = (path_bytes(vm, &target)?, path_bytes(vm, &path)?);
    let base = open_directory(vm, args.get(3))?;
    vm.host()
        .symlink(&target_bytes, Place::at(base, &bytes))
        .map(none)
        .map_err(|error| vm.os_error_with(error, Some(&target), Some(&path)))
}

fn readlink(vm: &Interpreter, args: &Args) -> Res {
    let bytes = with_path(vm, args, 0, Some(1), |place| vm.host().readlink(place))?;
    super::path::like(vm, args.req(0), bytes)
}

fn chmod(vm: &Interpreter, args: &Args) -> Res {
    let (mode, follow) = (number_u32(vm, args, 1, 0)?, args.bool_or(vm, 3, true)?);
    match path_or_fd(vm, args.req(0), "chmod")? {
        PathOrFd::Fd(fd) => vm.host().fchmod(fd, mode).map(none).map_err(|error| vm.os_error(error)),
        PathOrFd::Path(_) => {
            with_path(vm, args, 0, Some(2), |place| vm.host().chmod(place, mode, follow)).map(none)
        }
    }
}

fn fchmod(vm: &Interpreter, args: &Args) -> Res {
    let (fd, mode) = (fd(vm, args, 0)?, number_u32(vm, args, 1, 0)?);
    vm.host().fchmod(fd, mode).map(none).map_err(|error| vm.os_error(error))
}

/// An id, -1 being none.
fn id(vm: &Interpreter, args: &Args, index: usize) -> Res<Option<u32>> {
    match args.int(vm, index)? {
        -1 => Ok(None),
        id => u32::try_from(id).map(Some).map_err(|_| vm.overflow_error("id is out of range".to_string())),
    }
}

fn chown(vm: &Interpreter, args: &Args) -> Res {
    let (uid, gid, follow) = (id(vm, args, 1)?, id(vm, args, 2)?, args.bool_or(vm, 4, true)?);
    match path_or_fd(vm, args.req(0), "chown")? {
        PathOrFd::Fd(fd) => vm.host().fchown(fd, uid, gid).map(none).map_err(|error| vm.os_error(error)),
        PathOrFd::Path(_) => {
            with_path(vm, args, 0, Some(3), |place| vm.host().chown(place, uid, gid, follow)).map(none)
        }
    }
}

fn time_of(vm: &Interpreter, value: &Value) -> Res<Timestamp> {
    let nanoseconds = crate::time::nanoseconds(vm, value, crate::time::Round::Floor)?;
    Ok(timestamp(nanoseconds))
}

fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::At(nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000) as u32)
}

fn utime(vm: &Interpreter, args: &Args) -> Res {
    let pair = |value: &Value, what: &str| {
        let items = vm.collect(value)?;
        match <[Value; 2]>::try_from(items) {
            Ok(pair) => Ok(pair),
            Err(_) => Err(vm.type_error(format!("utime: '{what}' must be a tuple of two ints"))),
        }
    };
    let times = args.get(1).filter(|v| !v.is_none());
    let ns = args.get(2).filter(|v| !v.is_none());
    let (accessed, modified) = match (times, ns) {
        (Some(_), Some(_)) => {
            let what = "utime: you may specify either 'times' or 'ns' but not both";
            return Err(vm.value_error(what.to_string()));
        }
        (Some(times), None) => {
            let [a, m] = pair(times, "times")?;
            (time_of(vm, &a)?, time_of(vm, &m)?)
        }
        (None, Some(ns)) => {
            let [a, m] = pair(ns, "ns")?;
            (timestamp(vm.expect_i64(&a)?), timestamp(vm.expect_i64(&m)?))
        }
        (None, None) => (Timestamp::Now, Timestamp::Now),
    };
    let follow = args.bool_or(vm, 4, true)?;
    match path_or_fd(vm, args.req(0), "utime")? {
        PathOrFd::Fd(fd) => {
            vm.host().futime(fd, accessed, modified).map(none).map_err(|error| vm.os_error(error))
        }
        PathOrFd::Path(_) => {
            with_path(vm, args, 0, Some(3), |place| vm.host().utime(place, accessed, modified, follow))
                .map(none)
        }
    }
}

fn mkfifo(vm: &Interpreter, args: &Args) -> Res {
    let mode = number_u32(vm, args, 1, 0o666)?;
    with_path(vm, args, 0, Some(2), |place| vm.host().mkfifo(place, mode)).map(none)
}

fn device_encoding(vm: &Interpreter, args: &Args) -> Res {
    let fd = fd(vm, args, 0)?;
    if vm.host().isatty(fd) { vm.new_str("UTF-8") } else { Ok(Value::NONE) }
}

const fn f(
    name: &'static str,
    sig: &'static str,
    doc: &'static str,
    call: fn(&Interpreter, &Args) -> Res,
) -> FunctionDef {
    FunctionDef::new(name, sig, doc, NativeFn::Args(call))
}

pub const FUNCTIONS: &[FunctionDef] = &[
    f("open", "(path, flags, mode=511, *, dir_fd=None)", "Open a file; its descriptor.", open),
    f("close", "(fd)", "Close a file descriptor.", close),
    f("closerange", "(fd_low, fd_high, /)", "Close all file descriptors in a range.", closerange),
    f("read", "(fd, length, /)", "Read at most that many bytes.", read),
    f("write", "(fd, data, /)", "Write bytes; how many were written.", write),
    f("lseek", "(fd, position, whence, /)", "Move the position of a descriptor.", lseek),
    FunctionDef::new("pipe", "()", "Create a pipe: (read end, write end).", NativeFn::F0(pipe)),
    f("dup", "(fd, /)", "A duplicate of a file descriptor.", dup),
    f("dup2", "(fd, fd2, inheritable=True)", "Duplicate a file descriptor onto another.", dup2),
    f("isatty", "(fd, /)", "Whether the descriptor is a terminal.", isatty),
    f("ttyname", "(fd, /)", "The name of the terminal.", ttyname),
    f("get_inheritable", "(fd, /)", "Whether child processes inherit the descriptor.", get_inheritable),
    f("set_inheritable", "(fd, inheritable, /)", "Set whether child processes inherit it.", set_inheritable),
    f("get_blocking", "(fd, /)", "Whether the descriptor blocks.", get_blocking),
    f("set_blocking", "(fd, blocking, /)", "Set whether the descriptor blocks.", set_blocking),
    f("fsync", "(fd)", "Force a file to disk.", fsync),
    f("fdatasync", "(fd)", "Force a file's data to disk.", fdatasync),
    f("ftruncate", "(fd, length, /)", "Cut or extend an open file.", ftruncate),
    f("truncate", "(path, length)", "Cut or extend a file.", truncate),
    f(
        "access",
        "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)",
        "Whether a path can be accessed.",
        access,
    ),
    f("mkdir", "(path, mode=511, *, dir_fd=None)", "Create a directory.", mkdir),
    f("rmdir", "(path, *, dir_fd=None)", "Remove an empty directory.", rmdir),
    f("unlink", "(path, *, dir_fd=None)", "Remove a file.", unlink),
    f("remove", "(path, *, dir_fd=None)", "Remove a file.", unlink),
    f("rename", "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", "Rename a file or directory.", rename),
    f(
        "replace",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        "Rename, overwriting the destination.",
        rename,
    ),
    f(
        "link",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)",
        "Create a hard link.",
        link,
    ),
    f("symlink", "(src, dst, target_is_directory=False, *, dir_fd=None)", "Create a symbolic link.", symlink),
    f("readlink", "(path, *, dir_fd=None)", "What a symbolic link points to.", readlink),
    f("chmod", "(path, mode, *, dir_fd=None, follow_symlinks=True)", "Change permissions.", chmod),
    f("fchmod", "(fd, mode)", "Change permissions of an open file.", fchmod),
    f("chown", "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)", "Change the owner.", chown),
    f(
        "utime",
        "(path, times=None, *, ns=None, dir_fd=None, follow_symlinks=True)",
        "Set access and modification time.",
        utime,
    ),
    f("mkfifo", "(path, mode=438, *, dir_fd=None)", "Create a named pipe.", mkfifo),
    f("device_encoding", "(fd)", "The encoding of a terminal, or None.", device_encoding),
];

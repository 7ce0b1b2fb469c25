//! `stat` and its kin.

use super::path::{PathOrFd, fspath, open_directory, path_bytes, path_or_fd};
use pellucid_object::host::{Place, Stat, StatVfs};
use pellucid_object::{Args, FunctionDef, Interpreter, NativeFn, Res, Value};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};

static STAT_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("stat_result", "os", "What stat(), fstat() and lstat() tell of a file."),
    fields: &[
        ("st_mode", "protection bits"),
        ("st_ino", "inode"),
        ("st_dev", "device"),
        ("st_nlink", "number of hard links"),
        ("st_uid", "user ID of owner"),
        ("st_gid", "group ID of owner"),
        ("st_size", "total size, in bytes"),
        ("", ""),
        ("", ""),
        ("", ""),
        ("st_atime", "time of last access"),
        ("st_mtime", "time of last modification"),
        ("st_ctime", "time of last change"),
        ("st_atime_ns", "time of last access in nanoseconds"),
        ("st_mtime_ns", "time of last modification in nanoseconds"),
        ("st_ctime_ns", "time of last change in nanoseconds"),
        ("st_blksize", "blocksize for filesystem I/O"),
        ("st_blocks", "number of blocks allocated"),
        ("st_rdev", "device type (if inode device)"),
    ],
    visible: 10,
};

static STATVFS_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("statvfs_result", "os", "What statvfs() and fstatvfs() tell of a file system."),
    fields: &[
        ("f_bsize", ""),
        ("f_frsize", ""),
        ("f_blocks", ""),
        ("f_bfree", ""),
        ("f_bavail", ""),
        ("f_files", ""),
        ("f_ffree", ""),
        ("f_favail", ""),
        ("f_flag", ""),
        ("f_namemax", ""),
        ("f_fsid", ""),
    ],
    visible: 10,
};

pub fn add_types(vm: &Interpreter, module: &Value) -> Res<()> {
    vm.set_attr_str(module, "stat_result", structseq_type(vm, &STAT_RESULT)?.into_value())?;
    vm.set_attr_str(module, "statvfs_result", structseq_type(vm, &STATVFS_RESULT)?.into_value())
}

fn unsigned(vm: &Interpreter, number: u64) -> Res {
    match i64::try_from(number) {
        Ok(number) => vm.new_int(number),
        Err(_) => vm.new_big(number.into()),
    }
}

/// `os.stat_result` of what the host found.
pub fn stat_result(vm: &Interpreter, stat: &Stat) -> Res {
    let int = |number: i64| vm.new_int(number);
    let big = |nanoseconds: i128| vm.new_big(nanoseconds.into());
    let whole = |nanoseconds: i128| vm.new_int(nanoseconds.div_euclid(1_000_000_000) as i64);
    let float = |nanoseconds: i128| {
        let (seconds, rest) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
        vm.new_float(seconds as f64 + 1e-9 * rest as f64)
    };
    let times = [i128::from(stat.atime_ns), i128::from(stat.mtime_ns), i128::from(stat.ctime_ns)];
    let mut values = vec![
        int(i64::from(stat.mode))?,
        unsigned(vm, stat.ino)?,
        unsigned(vm, stat.dev)?,
        unsigned(vm, stat.nlink)?,
        int(i64::from(stat.uid))?,
        int(i64::from(stat.gid))?,
        int(stat.size)?,
    ];
    for time in times {
        values.push(whole(time)?);
    }
    for time in times {
        values.push(float(time)?);
    }
    for time in times {
        values.push(big(time)?);
    }
    values.extend([int(stat.blksize)?, int(stat.blocks)?, unsigned(vm, stat.rdev)?]);
    new_structseq(vm, &STAT_RESULT, values)
}

fn stat(vm: &Interpreter, args: &Args) -> Res {
    let follow = args.bool_or(vm, 2, true)?;
    match path_or_fd(vm, args.req(0), "stat")? {
        PathOrFd::Fd(fd) => stat_result(vm, &vm.host().fstat(fd).map_err(|error| vm.os_error(error))?),
        PathOrFd::Path(bytes) => {
            let base = open_directory(vm, args.get(1))?;
            let path = fspath(vm, args.req(0))?;
            let found = vm.host().stat(Place::at(base, &bytes), follow);
            stat_result(vm, &found.map_err(|error| vm.os_error_at(error, &path))?)
        }
    }
}

fn lstat(vm: &Interpreter, args: &Args) -> Res {
    let path = fspath(vm, args.req(0))?;
    let bytes = path_bytes(vm, &path)?;
    let base = open_directory(vm, args.get(1))?;
    let found = vm.host().lstat(Place::at(base, &bytes));
    stat_result(vm, &found.map_err(|error| vm.os_error_at(error, &path))?)
}

fn fstat(vm: &Interpreter, args: &Args) -> Res {
    let Ok(fd) = i32::try_from(args.int(vm, 0)?) else {
        return Err(vm.overflow_error("fd is greater than maximum".to_string()));
    };
    stat_result(vm, &vm.host().fstat(fd).map_err(|error| vm.os_error(error))?)
}

fn statvfs_result(vm: &Interpreter, s: &StatVfs) -> Res {
    let numbers = [
        s.bsize, s.frsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree, s.favail, s.flag, s.namemax, s.fsid,
    ];
    let values = numbers.into_iter().map(|number| unsigned(vm, number)).collect::<Res<Vec<Value>>>()?;
    new_structseq(vm, &STATVFS_RESULT, values)
}

fn statvfs(vm: &Interpreter, args: &Args) -> Res {
    let found = match path_or_fd(vm, args.req(0), "statvfs")? {
        PathOrFd::Fd(fd) => vm.host().fstatvfs(fd),
        PathOrFd::Path(path) => vm.host().statvfs(&path),
    };
    statvfs_result(vm, &found.map_err(|error| vm.os_error_at(error, args.req(0)))?)
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "stat",
        "(path, *, dir_fd=None, follow_symlinks=True)",
        "What the system tells of a file.",
        NativeFn::Args(stat),
    ),
    FunctionDef::new(
        "lstat",
        "(path, *, dir_fd=None)",
        "As stat(), of a symbolic link itself.",
        NativeFn::Args(lstat),
    ),
    FunctionDef::new("fstat", "(fd)", "As stat(), of an open file.", NativeFn::Args(fstat)),
    FunctionDef::new("statvfs", "(path)", "What the system tells of a file system.", NativeFn::Args(statvfs)),
];

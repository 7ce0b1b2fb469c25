//! What the system knows about files: `stat`, `statvfs`, `scandir`, `listdir`, `access`.

use super::path::{Accepts, Of, PathArg, Target, descriptor, dir_fd, path_arg};
use pellucid_host::{DirEntry, EntryKind, Place, Stat, StatVfs};
use pellucid_object::heap::SlotWord;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, TypeDef, TypeFlags,
    Value, Visitor, payload,
};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq};
use std::cell::{Cell, RefCell};

pub static STAT_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("stat_result", "os", "stat_result: Result from stat, fstat, or lstat."),
    fields: &[
        ("st_mode", "protection bits"),
        ("st_ino", "inode"),
        ("st_dev", "device"),
        ("st_nlink", "number of hard links"),
        ("st_uid", "user ID of owner"),
        ("st_gid", "group ID of owner"),
        ("st_size", "total size, in bytes"),
        ("", "integer time of last access"),
        ("", "integer time of last modification"),
        ("", "integer time of last change"),
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

pub static STATVFS_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("statvfs_result", "os", "statvfs_result: Result from statvfs or fstatvfs."),
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

fn unsigned(vm: &Interpreter, number: u64) -> Res {
    crate::thread::new_ident(vm, number)
}

fn wide(vm: &Interpreter, number: i128) -> Res {
    match i64::try_from(number) {
        Ok(small) => vm.new_int(small),
        Err(_) => vm.new_big(pellucid_object::int::IBig::from(number)),
    }
}

fn new_stat(vm: &Interpreter, s: &Stat) -> Res {
    const SECOND: i128 = 1_000_000_000;
    let times = [s.atime_ns, s.mtime_ns, s.ctime_ns];
    let mut values = vec![
        vm.new_int(s.mode.into())?,
        unsigned(vm, s.ino)?,
        unsigned(vm, s.dev)?,
        unsigned(vm, s.nlink)?,
        vm.new_int(s.uid.into())?,
        vm.new_int(s.gid.into())?,
        vm.new_int(s.size)?,
    ];
    for time in times {
        values.push(wide(vm, time.div_euclid(SECOND))?);
    }
    for time in times {
        let (seconds, rest) = (time.div_euclid(SECOND), time.rem_euclid(SECOND));
        values.push(vm.new_float(seconds as f64 + 1e-9 * rest as f64)?);
    }
    for time in times {
        values.push(wide(vm, time)?);
    }
    values.push(vm.new_int(s.blksize)?);
    values.push(vm.new_int(s.blocks)?);
    values.push(unsigned(vm, s.rdev)?);
    new_structseq(vm, &STAT_RESULT, values)
}

fn new_statvfs(vm: &Interpreter, s: &StatVfs) -> Res {
    let values: Res<Vec<Value>> = [
        s.bsize, s.frsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree, s.favail, s.flag, s.namemax, s.fsid,
    ]
    .into_iter()
    .map(|number| unsigned(vm, number))
    .collect();
    new_structseq(vm, &STATVFS_RESULT, values?)
}

fn stat_path(vm: &Interpreter, path: &PathArg, dir_fd: Option<i32>, follow: bool, function: &str) -> Res {
    let host = vm.host();
    let result = match &path.target {
        Target::Fd(_) if dir_fd.is_some() => {
            return Err(vm.value_error(format!("{function}: can't specify dir_fd without matching path")));
        }
        Target::Fd(_) if !follow => {
            return Err(vm.value_error(format!("{function}: cannot use fd and follow_symlinks together")));
        }
        Target::Fd(fd) => {
            let fd = *fd;
            vm.allow_threads(|| host.fstat(fd))
        }
        Target::Path(bytes) => {
            let place = Place::at(dir_fd, bytes);
            vm.allow_threads(|| host.stat(place, follow))
        }
    };
    match result {
        Ok(stat) => new_stat(vm, &stat),
        Err(error) => Err(path.error(vm, error)),
    }
}

fn stat(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("stat", "path"))?;
    let (dir_fd, follow) = (dir_fd(vm, args.get(1))?, args.bool_or(vm, 2, true)?);
    stat_path(vm, &path, dir_fd, follow, "stat")
}

fn lstat(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("lstat", "path"))?;
    stat_path(vm, &path, dir_fd(vm, args.get(1))?, false, "lstat")
}

fn fstat(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    let host = vm.host();
    let result = vm.retry(|| vm.allow_threads(|| host.fstat(fd)))?;
    new_stat(vm, &result.map_err(|error| vm.os_error(error))?)
}

fn statvfs(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("statvfs", "path"))?;
    let result = match &path.target {
        Target::Fd(fd) => vm.host().fstatvfs(*fd),
        Target::Path(bytes) => vm.host().statvfs(bytes),
    };
    new_statvfs(vm, &result.map_err(|error| path.error(vm, error))?)
}

fn fstatvfs(vm: &Interpreter, fd: &Value) -> Res {
    let result = vm.host().fstatvfs(descriptor(vm, fd)?);
    new_statvfs(vm, &result.map_err(|error| vm.os_error(error))?)
}

fn access(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::Path, Of("access", "path"))?;
    let mode = crate::sys::c_int(vm, args.req(1))?;
    let dir_fd = dir_fd(vm, args.get(2))?;
    let (effective, follow) = (args.bool_or(vm, 3, false)?, args.bool_or(vm, 4, true)?);
    let place = path.place(dir_fd);
    let host = vm.host();
    let allowed = vm.allow_threads(|| host.access(place, mode.cast_unsigned(), effective, follow));
    Ok(Value::bool(allowed.unwrap_or(false)))
}

fn listdir(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathFdOrNone, Of("listdir", "path"))?;
    vm.audit("os.listdir", std::slice::from_ref(&path.value))?;
    let entries = entries(vm, &path)?;
    let names: Res<Vec<Value>> = entries.into_iter().map(|entry| path.text(vm, entry.name)).collect();
    vm.new_list(names?)
}

fn entries(vm: &Interpreter, path: &PathArg) -> Res<Vec<DirEntry>> {
    let host = vm.host();
    let result = match &path.target {
        Target::Fd(fd) => {
            let fd = *fd;
            vm.allow_threads(|| host.scandir_fd(fd))
        }
        Target::Path(bytes) => vm.allow_threads(|| host.scandir(bytes)),
    };
    result.map_err(|error| path.error(vm, error))
}

// ---- scandir ----

/// Payload of `os.DirEntry`.
struct Entry {
    name: SlotWord,
    path: SlotWord,
    /// The path for calls: from the directory's descriptor when there is one.
    bytes: Vec<u8>,
    dir_fd: Option<i32>,
    kind: EntryKind,
    ino: u64,
    stat: SlotWord,
    lstat: SlotWord,
}

impl Payload for Entry {
    fn trace(&self, visit: &mut Visitor) {
        for word in [&self.name, &self.path, &self.stat, &self.lstat] {
            word.trace(visit);
        }
    }
}

fn entry<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Entry> {
    this.downcast::<Entry>().ok_or_else(|| vm.type_error("a DirEntry was expected".to_string()))
}

fn entry_stat(vm: &Interpreter, me: &Entry, follow: bool) -> Res {
    let word = if follow { &me.stat } else { &me.lstat };
    if let Some(found) = word.get() {
        return Ok(found);
    }
    // What is no link is the same either way.
    if follow && !is_symlink(vm, me)? {
        let result = entry_stat(vm, me, false)?;
        me.stat.set(Some(result.clone()));
        return Ok(result);
    }
    let result = vm.host().stat(Place::at(me.dir_fd, &me.bytes), follow);
    let result = result.map_err(|error| vm.os_error_at(error, &me.path.get().unwrap_or(Value::NONE)))?;
    let value = new_stat(vm, &result)?;
    word.set(Some(value.clone()));
    Ok(value)
}

fn is_symlink(vm: &Interpreter, me: &Entry) -> Res<bool> {
    match me.kind {
        EntryKind::Symlink => Ok(true),
        EntryKind::Unknown => has_kind(vm, me, false, 0o120_000),
        _ => Ok(false),
    }
}

/// Whether `stat` says that it is of this kind. A file that is gone is of none.
fn has_kind(vm: &Interpreter, me: &Entry, follow: bool, kind: u32) -> Res<bool> {
    let known = match me.kind {
        EntryKind::Directory => Some(0o040_000),
        EntryKind::File => Some(0o100_000),
        EntryKind::Symlink if !follow => Some(0o120_000),
        _ => None,
    };
    if let Some(known) = known {
        return Ok(known == kind);
    }
    match entry_stat(vm, me, follow) {
        Ok(stat) => {
            let mode = vm.expect_i64(&vm.get_attr_str(&stat, "st_mode")?)?;
            Ok(mode as u32 & 0o170_000 == kind)
        }
        Err(raised) if vm.raised_is(vm.exceptions().file_not_found_error()) => {
            drop(vm.take_raised(raised));
            Ok(false)
        }
        Err(raised) => Err(raised),
    }
}

fn entry_repr(vm: &Interpreter, this: &Value) -> Res {
    let name = entry(vm, this)?.name.get().unwrap_or(Value::NONE);
    let mut writer = pellucid_types::seq::Writer::default();
    writer.push("<DirEntry ");
    writer.push_repr(vm, &name)?;
    writer.push(">");
    writer.finish(vm)
}

pub static DIR_ENTRY: TypeDef = TypeDef {
    name: "DirEntry",
    module: "posix",
    base: None,
    payload: payload::<Entry>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[
        Slot::New(|vm, _, _| Err(vm.type_error("cannot create 'posix.DirEntry' instances".to_string()))),
        Slot::Repr(entry_repr),
    ],
    methods: &[
        FunctionDef::new(
            "is_dir",
            "($self, /, *, follow_symlinks=True)",
            "Return True if the entry is a directory; cached per entry.",
            NativeFn::Args(|vm, args| {
                let follow = args.bool_or(vm, 1, true)?;
                has_kind(vm, entry(vm, args.req(0))?, follow, 0o040_000).map(Value::bool)
            }),
        ),
        FunctionDef::new(
            "is_file",
            "($self, /, *, follow_symlinks=True)",
            "Return True if the entry is a file; cached per entry.",
            NativeFn::Args(|vm, args| {
                let follow = args.bool_or(vm, 1, true)?;
                has_kind(vm, entry(vm, args.req(0))?, follow, 0o100_000).map(Value::bool)
            }),
        ),
        FunctionDef::new(
            "is_symlink",
            "($self, /)",
            "Return True if the entry is a symbolic link; cached per entry.",
            NativeFn::F1(|vm, this| is_symlink(vm, entry(vm, this)?).map(Value::bool)),
        ),
        FunctionDef::new(
            "is_junction",
            "($self, /)",
            "Return True if the entry is a junction; cached per entry.",
            NativeFn::F1(|_, _| Ok(Value::FALSE)),
        ),
        FunctionDef::new(
            "stat",
            "($self, /, *, follow_symlinks=True)",
            "Return stat_result object for the entry; cached per entry.",
            NativeFn::Args(|vm, args| {
                let follow = args.bool_or(vm, 1, true)?;
                entry_stat(vm, entry(vm, args.req(0))?, follow)
            }),
        ),
        FunctionDef::new(
            "inode",
            "($self, /)",
            "Return inode of the entry; cached per entry.",
            NativeFn::F1(|vm, this| unsigned(vm, entry(vm, this)?.ino)),
        ),
        FunctionDef::new(
            "__fspath__",
            "($self, /)",
            "Return the path for the entry.",
            NativeFn::F1(|vm, this| Ok(entry(vm, this)?.path.get().unwrap_or(Value::NONE))),
        ),
        FunctionDef::class(
            "__class_getitem__",
            "($type, item, /)",
            "See PEP 585",
            NativeFn::F2(pellucid_types::generic_alias::class_getitem),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "name",
            doc: "the entry's base filename, relative to scandir() \"path\" argument",
            get: |vm, this| Ok(entry(vm, this)?.name.get().unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef {
            name: "path",
            doc: "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)",
            get: |vm, this| Ok(entry(vm, this)?.path.get().unwrap_or(Value::NONE)),
            set: None,
        },
    ],
};

/// Payload of what `scandir` returns.
struct Scan {
    path: PathArg,
    entries: RefCell<std::vec::IntoIter<DirEntry>>,
    finished: Cell<bool>,
}

impl Payload for Scan {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.path.value);
    }
}

fn scandir(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathFdOrNone, Of("scandir", "path"))?;
    vm.audit("os.scandir", std::slice::from_ref(&path.value))?;
    let entries = entries(vm, &path)?.into_iter();
    let scan = Scan { path, entries: RefCell::new(entries), finished: Cell::new(false) };
    vm.alloc(&vm.type_for(&SCAN)?, scan)
}

fn scan<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Scan> {
    this.downcast::<Scan>().ok_or_else(|| vm.type_error("a ScandirIterator was expected".to_string()))
}

fn scan_next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let me = scan(vm, this)?;
    let next = if me.finished.get() { None } else { me.entries.borrow_mut().next() };
    let Some(found) = next else {
        me.finished.set(true);
        return Ok(None);
    };
    let (path, bytes, dir_fd) = match &me.path.target {
        Target::Fd(fd) => (found.name.clone(), found.name.clone(), Some(*fd)),
        Target::Path(folder) => {
            let mut full = folder.clone();
            if full.last().is_some_and(|last| *last != b'/') {
                full.push(b'/');
            }
            full.extend_from_slice(&found.name);
            (full.clone(), full, None)
        }
    };
    let entry = Entry {
        name: SlotWord::new(Some(me.path.text(vm, found.name)?)),
        path: SlotWord::new(Some(me.path.text(vm, path)?)),
        bytes,
        dir_fd,
        kind: found.kind,
        ino: found.ino,
        stat: SlotWord::default(),
        lstat: SlotWord::default(),
    };
    vm.alloc(&vm.type_for(&DIR_ENTRY)?, entry).map(Some)
}

fn scan_close(vm: &Interpreter, this: &Value) -> Res {
    scan(vm, this)?.finished.set(true);
    Ok(Value::NONE)
}

fn scan_finalize(vm: &Interpreter, this: &Value) {
    let Some(me) = this.downcast::<Scan>() else { return };
    if me.finished.replace(true) {
        return;
    }
    let saved = vm.save_raised();
    let warned = vm.repr_lossy(this).and_then(|shown| {
        crate::warnings::warn_resource(vm, this, &format!("unclosed scandir iterator {shown}"))
    });
    if let Err(raised) = warned {
        crate::report_ignored(vm, raised, "Exception ignored while finalizing scandir iterator", this);
    }
    vm.restore_raised(saved);
}

static SCAN: TypeDef = TypeDef {
    name: "ScandirIterator",
    module: "posix",
    base: None,
    payload: payload::<Scan>(),
    flags: TypeFlags::NO_NEW.or(TypeFlags::HAS_FINALIZER),
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(scan_next), Slot::Finalize(scan_finalize)],
    methods: &[
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(scan_close)),
        FunctionDef::new("__enter__", "($self, /)", "", NativeFn::F1(|_, this| Ok(this.clone()))),
        FunctionDef::new(
            "__exit__",
            "($self, /, *args)",
            "",
            NativeFn::Raw(|vm, args: &CallArgs| match args.values.first() {
                Some(this) => scan_close(vm, this),
                None => Err(vm.bug("a method without self")),
            }),
        ),
    ],
    getset: &[],
};

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "stat",
        "(path, *, dir_fd=None, follow_symlinks=True)",
        "Perform a stat system call on the given path.",
        NativeFn::Args(stat),
    ),
    FunctionDef::new(
        "lstat",
        "(path, *, dir_fd=None)",
        "Perform a stat system call on the given path, without following symbolic links.",
        NativeFn::Args(lstat),
    ),
    FunctionDef::new(
        "fstat",
        "(fd)",
        "Perform a stat system call on the given file descriptor.",
        NativeFn::Args(fstat),
    ),
    FunctionDef::new(
        "statvfs",
        "(path)",
        "Perform a statvfs system call on the given path.",
        NativeFn::Args(statvfs),
    ),
    FunctionDef::new(
        "fstatvfs",
        "(fd, /)",
        "Perform an fstatvfs system call on the given fd.",
        NativeFn::F1(fstatvfs),
    ),
    FunctionDef::new(
        "access",
        "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)",
        "Use the real uid/gid to test for access to a path.",
        NativeFn::Args(access),
    ),
    FunctionDef::new(
        "listdir",
        "(path=None)",
        "Return a list containing the names of the files in the directory.",
        NativeFn::Args(listdir),
    ),
    FunctionDef::new(
        "scandir",
        "(path=None)",
        "Return an iterator of DirEntry objects for given path.",
        NativeFn::Args(scandir),
    ),
];

//! Directories: listing, scanning, the working directory.

use super::path::{PathOrFd, fspath, like, path_or_fd};
use super::stat::stat_result;
use pellucid_object::host::{DirEntry, EntryKind, Place};
use pellucid_object::{
    Args, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef, TypeFlags,
    Value, Visitor, payload,
};
use std::cell::RefCell;

/// Payload of `os.DirEntry`.
pub struct Entry {
    name: Value,
    path: Value,
    bytes: Vec<u8>,
    kind: EntryKind,
    ino: u64,
    /// What `stat` found, with and without following links.
    stats: [SlotWord; 2],
}

impl Payload for Entry {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        visit(&self.path);
        self.stats.iter().for_each(|word| word.trace(visit));
    }
}

/// Payload of the iterator that `scandir` gives.
pub struct Scan {
    entries: RefCell<std::vec::IntoIter<DirEntry>>,
    /// The directory as it was named.
    path: Value,
    prefix: Vec<u8>,
}

impl Payload for Scan {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.path);
    }
}

fn directory_argument(vm: &Interpreter, args: &Args, function: &str) -> Res<(Value, PathOrFd)> {
    match args.get(0).filter(|v| !v.is_none()) {
        None => Ok((vm.new_str(".")?, PathOrFd::Path(b".".to_vec()))),
        Some(value) => match path_or_fd(vm, value, function)? {
            PathOrFd::Fd(fd) => Ok((value.clone(), PathOrFd::Fd(fd))),
            PathOrFd::Path(bytes) => Ok((fspath(vm, value)?, PathOrFd::Path(bytes))),
        },
    }
}

fn read_entries(vm: &Interpreter, path: &Value, at: &PathOrFd) -> Res<Vec<DirEntry>> {
    let entries = match at {
        PathOrFd::Fd(fd) => vm.host().scandir_fd(*fd),
        PathOrFd::Path(bytes) => vm.host().scandir(bytes),
    };
    entries.map_err(|error| vm.os_error_at(error, path))
}

fn listdir(vm: &Interpreter, args: &Args) -> Res {
    let (path, at) = directory_argument(vm, args, "listdir")?;
    vm.audit("os.listdir", std::slice::from_ref(&path))?;
    let entries = read_entries(vm, &path, &at)?;
    vm.new_list(entries.into_iter().map(|e| like(vm, &path, e.name)).collect::<Res<Vec<Value>>>()?)
}

fn scandir(vm: &Interpreter, args: &Args) -> Res {
    let (path, at) = directory_argument(vm, args, "scandir")?;
    vm.audit("os.scandir", std::slice::from_ref(&path))?;
    let entries = read_entries(vm, &path, &at)?;
    let prefix = match at {
        PathOrFd::Fd(_) => Vec::new(),
        PathOrFd::Path(mut bytes) => {
            if bytes.last() != Some(&b'/') {
                bytes.push(b'/');
            }
            bytes
        }
    };
    vm.alloc(&vm.type_for(&SCAN)?, Scan { entries: RefCell::new(entries.into_iter()), path, prefix })
}

fn scan<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Scan> {
    value.downcast::<Scan>().ok_or_else(|| vm.type_error("a scandir iterator was expected".to_string()))
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let scan = scan(vm, value)?;
    let Some(found) = scan.entries.borrow_mut().next() else { return Ok(None) };
    let mut bytes = scan.prefix.clone();
    bytes.extend_from_slice(&found.name);
    let is_fd = scan.path.as_int().is_some();
    let model = if is_fd { &Value::NONE } else { &scan.path };
    let name = like(vm, model, found.name.clone())?;
    let path = if is_fd || *scan.prefix == *b"./" && scan.path_is_default(vm) {
        like(vm, model, if is_fd { found.name } else { bytes.clone() })?
    } else {
        like(vm, model, bytes.clone())?
    };
    let entry = Entry { name, path, bytes, kind: found.kind, ino: found.ino, stats: Default::default() };
    vm.alloc(&vm.type_for(&DIR_ENTRY)?, entry).map(Some)
}

impl Scan {
    fn path_is_default(&self, vm: &Interpreter) -> bool {
        vm.str_lossy(&self.path) == "."
    }
}

fn close(vm: &Interpreter, value: &Value) -> Res {
    *scan(vm, value)?.entries.borrow_mut() = Vec::new().into_iter();
    Ok(Value::NONE)
}

static SCAN: TypeDef = TypeDef {
    name: "ScandirIterator",
    module: "posix",
    base: None,
    payload: payload::<Scan>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(next)],
    methods: &[
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
        FunctionDef::new("__enter__", "($self, /)", "", NativeFn::F1(|_, v| Ok(v.clone()))),
        FunctionDef::new(
            "__exit__",
            "($self, /, *args)",
            "",
            NativeFn::Args(|vm, args| close(vm, args.req(0))),
        ),
    ],
    getset: &[],
};

fn entry<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Entry> {
    value.downcast::<Entry>().ok_or_else(|| vm.type_error("an os.DirEntry was expected".to_string()))
}

fn entry_stat(vm: &Interpreter, args: &Args) -> Res {
    let follow = args.bool_or(vm, 1, true)?;
    let entry = entry(vm, args.req(0))?;
    let place = &entry.stats[usize::from(follow)];
    if let Some(known) = place.get() {
        return Ok(known);
    }
    let found = vm.host().stat(Place::new(&entry.bytes), follow);
    let result = stat_result(vm, &found.map_err(|error| vm.os_error_at(error, &entry.path))?)?;
    place.set(Some(result.clone()));
    Ok(result)
}

/// Whether the entry is of a kind; what has gone meanwhile is of none.
fn is_kind(vm: &Interpreter, args: &Args, kind: EntryKind) -> Res {
    let follow = args.bool_or(vm, 1, true)?;
    let entry = entry(vm, args.req(0))?;
    let known = entry.kind != EntryKind::Unknown && (entry.kind != EntryKind::Symlink || !follow);
    if known {
        return Ok(Value::bool(entry.kind == kind));
    }
    match vm.host().stat(Place::new(&entry.bytes), follow) {
        Ok(stat) => Ok(Value::bool(match kind {
            EntryKind::Directory => stat.is_dir(),
            _ => stat.is_file(),
        })),
        Err(error) if error.errno == pellucid_object::host::libc::ENOENT => Ok(Value::FALSE),
        Err(error) => Err(vm.os_error_at(error, &entry.path)),
    }
}

fn is_symlink(vm: &Interpreter, value: &Value) -> Res {
    let entry = entry(vm, value)?;
    match entry.kind {
        EntryKind::Unknown => {
            Ok(Value::bool(vm.host().lstat(Place::new(&entry.bytes)).is_ok_and(|stat| stat.is_symlink())))
        }
        kind => Ok(Value::bool(kind == EntryKind::Symlink)),
    }
}

static DIR_ENTRY: TypeDef = TypeDef {
    name: "DirEntry",
    module: "os",
    base: None,
    payload: payload::<Entry>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Repr(|vm, v| {
        let name = vm.repr_lossy(&entry(vm, v)?.name)?;
        vm.new_str(&format!("<DirEntry {name}>"))
    })],
    methods: &[
        FunctionDef::new(
            "is_dir",
            "($self, /, *, follow_symlinks=True)",
            "Whether it is a directory.",
            NativeFn::Args(|vm, args| is_kind(vm, args, EntryKind::Directory)),
        ),
        FunctionDef::new(
            "is_file",
            "($self, /, *, follow_symlinks=True)",
            "Whether it is a file.",
            NativeFn::Args(|vm, args| is_kind(vm, args, EntryKind::File)),
        ),
        FunctionDef::new(
            "is_symlink",
            "($self, /)",
            "Whether it is a symbolic link.",
            NativeFn::F1(is_symlink),
        ),
        FunctionDef::new("is_junction", "($self, /)", "", NativeFn::F1(|_, _| Ok(Value::FALSE))),
        FunctionDef::new(
            "stat",
            "($self, /, *, follow_symlinks=True)",
            "What the system tells of it.",
            NativeFn::Args(entry_stat),
        ),
        FunctionDef::new(
            "inode",
            "($self, /)",
            "Its inode.",
            NativeFn::F1(|vm, v| vm.new_big(entry(vm, v)?.ino.into())),
        ),
        FunctionDef::new(
            "__fspath__",
            "($self, /)",
            "Its path.",
            NativeFn::F1(|vm, v| Ok(entry(vm, v)?.path.clone())),
        ),
        FunctionDef::class(
            "__class_getitem__",
            "($cls, item, /)",
            "See PEP 585",
            NativeFn::F2(pellucid_types::generic_alias::class_getitem),
        ),
    ],
    getset: &[
        GetSetDef { name: "name", doc: "", get: |vm, v| Ok(entry(vm, v)?.name.clone()), set: None },
        GetSetDef { name: "path", doc: "", get: |vm, v| Ok(entry(vm, v)?.path.clone()), set: None },
    ],
};

pub fn add_types(vm: &Interpreter, module: &Value) -> Res<()> {
    vm.set_attr_str(module, "DirEntry", vm.type_for(&DIR_ENTRY)?.into_value())
}

fn getcwd(vm: &Interpreter) -> Res {
    vm.fs_decode(&vm.host().getcwd().map_err(|error| vm.os_error(error))?)
}

fn getcwdb(vm: &Interpreter) -> Res {
    vm.new_bytes(vm.host().getcwd().map_err(|error| vm.os_error(error))?)
}

fn chdir(vm: &Interpreter, args: &Args) -> Res {
    let done = match path_or_fd(vm, args.req(0), "chdir")? {
        PathOrFd::Fd(fd) => vm.host().fchdir(fd),
        PathOrFd::Path(path) => vm.host().chdir(&path),
    };
    done.map(|()| Value::NONE).map_err(|error| vm.os_error_at(error, args.req(0)))
}

fn fchdir(vm: &Interpreter, args: &Args) -> Res {
    let fd = args.int(vm, 0)? as i32;
    vm.host().fchdir(fd).map(|()| Value::NONE).map_err(|error| vm.os_error(error))
}

fn umask(vm: &Interpreter, args: &Args) -> Res {
    let mask = args.int(vm, 0)? as u32;
    vm.new_int(i64::from(vm.host().umask(mask).map_err(|error| vm.os_error(error))?))
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new("listdir", "(path=None)", "The names in a directory.", NativeFn::Args(listdir)),
    FunctionDef::new(
        "scandir",
        "(path=None)",
        "An iterator of the entries of a directory.",
        NativeFn::Args(scandir),
    ),
    FunctionDef::new("getcwd", "()", "The working directory.", NativeFn::F0(getcwd)),
    FunctionDef::new("getcwdb", "()", "The working directory as bytes.", NativeFn::F0(getcwdb)),
    FunctionDef::new("chdir", "(path)", "Change the working directory.", NativeFn::Args(chdir)),
    FunctionDef::new("fchdir", "(fd)", "Change to the directory of a descriptor.", NativeFn::Args(fchdir)),
    FunctionDef::new("umask", "(mask, /)", "Set the file creation mask; the old one.", NativeFn::Args(umask)),
];

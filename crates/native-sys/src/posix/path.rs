//! Paths as arguments: `str`, `bytes`, objects with `__fspath__`, and descriptors where they are allowed.

use pellucid_object::{Args, Bytes, FunctionDef, Interpreter, NativeFn, Res, Str, Value};

/// `os.fspath(path)`. Errors: `TypeError`.
pub fn fspath(vm: &Interpreter, path: &Value) -> Res {
    if path.downcast::<Str>().is_some() || path.downcast::<Bytes>().is_some() {
        return Ok(path.clone());
    }
    let Some(method) = vm.lookup_special(path, "__fspath__")?.filter(|method| !method.is_none()) else {
        let name = vm.type_name(path);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")));
    };
    let result = vm.call_descriptor(&method, path, &[])?;
    if result.downcast::<Str>().is_some() || result.downcast::<Bytes>().is_some() {
        return Ok(result);
    }
    let (name, got) = (vm.type_name(path), vm.type_name(&result));
    Err(vm.type_error(format!("expected {name}.__fspath__() to return str or bytes, not {got}")))
}

/// The bytes of a path. Errors: `TypeError`, `ValueError` for a null character, `UnicodeEncodeError`.
pub fn fs_path_bytes(vm: &Interpreter, path: &Value) -> Res<Vec<u8>> {
    let path = fspath(vm, path)?;
    path_bytes(vm, &path)
}

/// As [`fs_path_bytes`] for what is `str` or `bytes` already.
pub fn path_bytes(vm: &Interpreter, path: &Value) -> Res<Vec<u8>> {
    let bytes = match path.downcast::<Bytes>() {
        Some(bytes) => bytes.as_slice().to_vec(),
        None => vm.fs_encode(path)?,
    };
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null byte".to_string()));
    }
    Ok(bytes)
}

/// A path, or an open descriptor.
pub enum PathOrFd {
    Path(Vec<u8>),
    Fd(i32),
}

/// An argument that may be a path or a descriptor. Errors: `TypeError`, `ValueError`, `UnicodeEncodeError`.
pub fn path_or_fd(vm: &Interpreter, value: &Value, function: &str) -> Res<PathOrFd> {
    if value.as_int().is_some() {
        let number = vm.expect_i64(value)?;
        return match i32::try_from(number) {
            Ok(fd) => Ok(PathOrFd::Fd(fd)),
            Err(_) => Err(vm.overflow_error("fd is greater than maximum".to_string())),
        };
    }
    let is_path = value.downcast::<Str>().is_some()
        || value.downcast::<Bytes>().is_some()
        || vm.lookup_special(value, "__fspath__")?.is_some();
    if !is_path {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!(
            "{function}: path should be string, bytes, os.PathLike or integer, not {got}"
        )));
    }
    fs_path_bytes(vm, value).map(PathOrFd::Path)
}

/// The argument `dir_fd`. Errors: `TypeError`.
pub fn open_directory(vm: &Interpreter, value: Option<&Value>) -> Res<Option<i32>> {
    match value.filter(|v| !v.is_none()) {
        None => Ok(None),
        Some(value) => match i32::try_from(vm.expect_i64(value)?) {
            Ok(fd) => Ok(Some(fd)),
            Err(_) => Err(vm.overflow_error("fd is greater than maximum".to_string())),
        },
    }
}

/// A path of the system, as `bytes` when `model` is, else as `str`.
pub fn like(vm: &Interpreter, model: &Value, bytes: Vec<u8>) -> Res {
    if model.downcast::<Bytes>().is_some() { vm.new_bytes(bytes) } else { vm.fs_decode(&bytes) }
}

fn kind_test(
    vm: &Interpreter,
    path: &Value,
    test: fn(pellucid_object::host::Stat) -> bool,
    follow: bool,
) -> Res {
    let found = match path_or_fd(vm, path, "stat") {
        Ok(PathOrFd::Fd(fd)) => vm.host().fstat(fd),
        Ok(PathOrFd::Path(bytes)) => vm.host().stat(pellucid_object::host::Place::new(&bytes), follow),
        // A path that no file can have names none.
        Err(raised) if vm.raised_is(vm.exceptions().value_error()) => {
            drop(vm.take_raised(raised));
            return Ok(Value::FALSE);
        }
        Err(raised) => return Err(raised),
    };
    Ok(Value::bool(found.is_ok_and(test)))
}

/// A path without `.`, `..` and double slashes, as far as text alone can tell.
fn normalized(path: &[u8]) -> Vec<u8> {
    let slashes = path.iter().take_while(|b| **b == b'/').count();
    let root: &[u8] = match slashes {
        0 => b"",
        2 => b"//",
        _ => b"/",
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            b".." if !root.is_empty() && parts.is_empty() => {}
            part => parts.push(part),
        }
    }
    let mut result = root.to_vec();
    result.extend(parts.join(&b'/'));
    if result.is_empty() { b".".to_vec() } else { result }
}

fn normpath(vm: &Interpreter, args: &Args) -> Res {
    let path = fspath(vm, args.req(0))?;
    let bytes = match path.downcast::<Bytes>() {
        Some(bytes) => bytes.as_slice().to_vec(),
        None => vm.fs_encode(&path)?,
    };
    like(vm, &path, normalized(&bytes))
}

/// (drive, root, tail); there are no drives here.
fn splitroot(vm: &Interpreter, args: &Args) -> Res {
    let path = fspath(vm, args.req(0))?;
    let bytes = match path.downcast::<Bytes>() {
        Some(bytes) => bytes.as_slice().to_vec(),
        None => vm.fs_encode(&path)?,
    };
    let root = match bytes.iter().take_while(|b| **b == b'/').count() {
        0 => 0,
        2 => 2,
        _ => 1,
    };
    let parts = [Vec::new(), bytes[..root].to_vec(), bytes[root..].to_vec()];
    let parts = parts.into_iter().map(|part| like(vm, &path, part)).collect::<Res<Vec<Value>>>()?;
    vm.new_tuple(parts)
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "fspath",
        "(path)",
        "The text or bytes of a path.",
        NativeFn::Args(|vm, args| fspath(vm, args.req(0))),
    ),
    FunctionDef::new("_path_normpath", "(path)", "", NativeFn::Args(normpath)),
    FunctionDef::new("_path_splitroot_ex", "(path, /)", "", NativeFn::Args(splitroot)),
    FunctionDef::new(
        "_path_isdir",
        "(path, /)",
        "",
        NativeFn::Args(|vm, args| kind_test(vm, args.req(0), pellucid_object::host::Stat::is_dir, true)),
    ),
    FunctionDef::new(
        "_path_isfile",
        "(path, /)",
        "",
        NativeFn::Args(|vm, args| kind_test(vm, args.req(0), pellucid_object::host::Stat::is_file, true)),
    ),
    FunctionDef::new(
        "_path_islink",
        "(path, /)",
        "",
        NativeFn::Args(|vm, args| kind_test(vm, args.req(0), pellucid_object::host::Stat::is_symlink, false)),
    ),
    FunctionDef::new(
        "_path_exists",
        "(path, /)",
        "",
        NativeFn::Args(|vm, args| kind_test(vm, args.req(0), |_| true, true)),
    ),
    FunctionDef::new(
        "_path_lexists",
        "(path, /)",
        "",
        NativeFn::Args(|vm, args| kind_test(vm, args.req(0), |_| true, false)),
    ),
    FunctionDef::new("_path_isjunction", "(path, /)", "", NativeFn::Args(|_, _| Ok(Value::FALSE))),
    FunctionDef::new("_path_isdevdrive", "(path, /)", "", NativeFn::Args(|_, _| Ok(Value::FALSE))),
];

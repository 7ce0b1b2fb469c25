//! Paths as arguments (`str`, `bytes`, objects with `__fspath__`, and descriptors where they are allowed), and what is worked out on
//! paths alone.

use pellucid_host::{Error, Place};
use pellucid_object::{Args, Bytes, FunctionDef, Interpreter, NativeFn, Raised, Res, Str, Text, Value};

/// `os.fspath(path)`. Errors: `TypeError`.
pub fn fspath(vm: &Interpreter, path: &Value) -> Res {
    if is_text(path) {
        return Ok(path.clone());
    }
    let Some(method) = vm.lookup_special(path, "__fspath__")?.filter(|method| !method.is_none()) else {
        let name = vm.type_name(path);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")));
    };
    let result = vm.call_descriptor(&method, path, &[])?;
    if is_text(&result) {
        return Ok(result);
    }
    let (name, got) = (vm.type_name(path), vm.type_name(&result));
    Err(vm.type_error(format!("expected {name}.__fspath__() to return str or bytes, not {got}")))
}

fn is_text(value: &Value) -> bool {
    value.downcast::<Str>().is_some() || value.downcast::<Bytes>().is_some()
}

/// The bytes of a path. Errors: `TypeError`, `ValueError` for a null character, `UnicodeEncodeError`.
pub fn fs_path_bytes(vm: &Interpreter, path: &Value) -> Res<Vec<u8>> {
    let path = fspath(vm, path)?;
    let bytes = text_bytes(vm, &path)?;
    if bytes.contains(&0) {
        let what = if path.downcast::<Str>().is_some() { "character" } else { "byte" };
        return Err(vm.value_error(format!("embedded null {what}")));
    }
    Ok(bytes)
}

fn text_bytes(vm: &Interpreter, text: &Value) -> Res<Vec<u8>> {
    match text.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes.as_slice().to_vec()),
        None => vm.fs_encode(text),
    }
}

/// What a path argument names.
pub enum Target {
    Path(Vec<u8>),
    Fd(i32),
}

/// A path argument.
pub struct PathArg {
    /// As it was given, for errors.
    pub value: Value,
    pub target: Target,
    /// Results are `bytes` as well.
    pub is_bytes: bool,
}

/// What a function accepts for a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    Path,
    PathOrFd,
    PathOrNone,
    PathFdOrNone,
}

impl Accepts {
    fn words(self) -> &'static str {
        match self {
            Accepts::Path => "string, bytes or os.PathLike",
            Accepts::PathOrFd => "string, bytes, os.PathLike or integer",
            Accepts::PathOrNone => "string, bytes, os.PathLike or None",
            Accepts::PathFdOrNone => "string, bytes, os.PathLike, integer or None",
        }
    }
    fn fd(self) -> bool {
        matches!(self, Accepts::PathOrFd | Accepts::PathFdOrNone)
    }
    fn none(self) -> bool {
        matches!(self, Accepts::PathOrNone | Accepts::PathFdOrNone)
    }
}

/// A function and one of its arguments, as messages name them.
#[derive(Clone, Copy)]
pub struct Of(pub &'static str, pub &'static str);

/// Reads a path argument. `None` means the directory `.` where it is accepted. Errors: `TypeError`, `ValueError`.
pub fn path_arg(vm: &Interpreter, value: Option<&Value>, accepts: Accepts, of: Of) -> Res<PathArg> {
    let Of(function, argument) = of;
    let value = match value {
        Some(value) => value.clone(),
        None if accepts.none() => Value::NONE,
        None => return Err(vm.type_error(format!("{function}() missing required argument '{argument}'"))),
    };
    if value.is_none() && accepts.none() {
        return Ok(PathArg { value, target: Target::Path(b".".to_vec()), is_bytes: false });
    }
    if is_text(&value) {
        return text_arg(vm, value.clone(), &value, of);
    }
    if accepts.fd() && (value.as_int().is_some() || pellucid_types::seq::has_index(vm, &value)) {
        if value.is_bool() {
            vm.warn(vm.exceptions().runtime_warning(), "bool is used as a file descriptor")?;
        }
        let fd = descriptor(vm, &value)?;
        return Ok(PathArg { value, target: Target::Fd(fd), is_bytes: false });
    }
    let method = vm.lookup_special(&value, "__fspath__")?.filter(|method| !method.is_none());
    let Some(method) = method else { return Err(refuse(vm, accepts, of, &value)) };
    let text = vm.call_descriptor(&method, &value, &[])?;
    if !is_text(&text) {
        let (name, got) = (vm.type_name(&value), vm.type_name(&text));
        return Err(vm.type_error(format!("expected {name}.__fspath__() to return str or bytes, not {got}")));
    }
    text_arg(vm, value, &text, of)
}

fn text_arg(vm: &Interpreter, value: Value, text: &Value, of: Of) -> Res<PathArg> {
    let bytes = text_bytes(vm, text)?;
    if bytes.contains(&0) {
        let Of(function, argument) = of;
        let what = if text.downcast::<Str>().is_some() { "character" } else { "byte" };
        return Err(vm.value_error(format!("{function}: embedded null {what} in {argument}")));
    }
    Ok(PathArg { value, target: Target::Path(bytes), is_bytes: text.downcast::<Bytes>().is_some() })
}

#[cold]
fn refuse(vm: &Interpreter, accepts: Accepts, of: Of, value: &Value) -> Raised {
    let Of(function, argument) = of;
    let name = vm.type_name(value);
    vm.type_error(format!("{function}: {argument} should be {}, not {name}", accepts.words()))
}

/// A descriptor argument. Errors: `TypeError`, `OverflowError`.
pub fn descriptor(vm: &Interpreter, value: &Value) -> Res<i32> {
    let index = vm.index(value)?;
    let bounded = vm.as_i64(&index).and_then(|i| i32::try_from(i).ok());
    bounded.ok_or_else(|| {
        let negative = vm.repr_lossy(&index).is_ok_and(|text| text.starts_with('-'));
        let (side, limit) = if negative { ("less", "minimum") } else { ("greater", "maximum") };
        vm.overflow_error(format!("fd is {side} than {limit}"))
    })
}

/// A descriptor, or an object with `fileno()`. Errors: `TypeError`, `ValueError` when negative.
pub fn file_descriptor(vm: &Interpreter, value: &Value) -> Res<i32> {
    if value.is_bool() {
        vm.warn(vm.exceptions().runtime_warning(), "bool is used as a file descriptor")?;
    }
    let fd = if value.as_int().is_some() {
        crate::sys::c_int(vm, value)?
    } else {
        let Some(fileno) = vm.get_attr_opt(value, "fileno")? else {
            let text = "argument must be an int, or have a fileno() method.";
            return Err(vm.type_error(text.to_string()));
        };
        let fd = vm.call_values(&fileno, &[])?;
        if fd.as_int().is_none() {
            return Err(vm.type_error("fileno() returned a non-integer".to_string()));
        }
        crate::sys::c_int(vm, &fd)?
    };
    if fd < 0 {
        return Err(vm.value_error(format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}

/// A `dir_fd` argument. Errors: `TypeError`.
pub fn dir_fd(vm: &Interpreter, value: Option<&Value>) -> Res<Option<i32>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if value.as_int().is_none() && !pellucid_types::seq::has_index(vm, value) {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("argument should be integer or None, not {name}")));
    }
    if value.is_bool() {
        vm.warn(vm.exceptions().runtime_warning(), "bool is used as a file descriptor")?;
    }
    descriptor(vm, value).map(Some)
}

impl PathArg {
    /// The bytes of the path; empty for a descriptor.
    pub fn bytes(&self) -> &[u8] {
        match &self.target {
            Target::Path(bytes) => bytes,
            Target::Fd(_) => &[],
        }
    }

    pub fn place(&self, dir_fd: Option<i32>) -> Place<'_> {
        Place::at(dir_fd, self.bytes())
    }

    /// The `OSError` of a call with this path.
    #[cold]
    pub fn error(&self, vm: &Interpreter, error: Error) -> Raised {
        // An omitted path is not named.
        if self.value.is_none() { vm.os_error(error) } else { vm.os_error_at(error, &self.value) }
    }

    /// A result in the kind of string that the path was.
    pub fn text(&self, vm: &Interpreter, bytes: Vec<u8>) -> Res {
        if self.is_bytes { vm.new_bytes(bytes) } else { vm.fs_decode(&bytes) }
    }
}

// ---- working on paths alone ----

/// The parts of a path before its first component: the root, then the rest.
fn root_length(path: &Text) -> usize {
    let slash = |i: usize| path.get(i) == Some(u32::from(b'/'));
    match (slash(0), slash(1), slash(2)) {
        (false, ..) => 0,
        // Two slashes are a root of their own, three or more are one.
        (true, true, false) => 2,
        _ => 1,
    }
}

fn path_text(vm: &Interpreter, value: &Value) -> Res<(Text, bool)> {
    let path = fspath(vm, value)?;
    let no_memory = |_| vm.no_memory();
    match path.downcast::<Bytes>() {
        Some(bytes) => Ok((Text::from_latin1(bytes.as_slice()).map_err(no_memory)?, true)),
        None => Ok((vm.expect_text(&path)?.try_clone().map_err(no_memory)?, false)),
    }
}

fn new_path(vm: &Interpreter, text: Text, is_bytes: bool) -> Res {
    if !is_bytes {
        return vm.new_text(text);
    }
    match text.as_latin1() {
        Some(bytes) => vm.bytes_from(bytes),
        None => Err(vm.bug("bytes are Latin-1")),
    }
}

fn normpath(vm: &Interpreter, path: &Value) -> Res {
    let (text, is_bytes) = path_text(vm, path)?;
    let slash = u32::from(b'/');
    let root = root_length(&text);
    let points: Vec<u32> = text.code_points().collect();
    let dot = u32::from(b'.');
    let mut parts: Vec<&[u32]> = Vec::new();
    for part in points[root..].split(|point| *point == slash) {
        if part.is_empty() || part == [dot] {
            continue;
        }
        if part == [dot, dot] {
            match parts.last() {
                Some(last) if *last != [dot, dot] => {
                    parts.pop();
                    continue;
                }
                // Nothing is above the root.
                None if root > 0 => continue,
                _ => {}
            }
        }
        parts.push(part);
    }
    let mut result = points[..root].to_vec();
    result.extend(parts.join(&[slash][..]));
    if result.is_empty() {
        result.push(dot);
    }
    let text = Text::from_code_points(&result).map_err(|_| vm.no_memory())?;
    new_path(vm, text, is_bytes)
}

fn splitroot(vm: &Interpreter, path: &Value) -> Res {
    let (text, is_bytes) = path_text(vm, path)?;
    let root = root_length(&text);
    let part = |start: usize, end: usize| -> Res {
        let part = text.slice(start, end).map_err(|_| vm.no_memory())?;
        new_path(vm, part, is_bytes)
    };
    vm.new_tuple(vec![part(0, 0)?, part(0, root)?, part(root, text.len())?])
}

fn fspath_function(vm: &Interpreter, args: &Args) -> Res {
    fspath(vm, args.req(0))
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "fspath",
        "(path)",
        "Return the file system path representation of the object.",
        NativeFn::Args(fspath_function),
    ),
    FunctionDef::new(
        "_path_normpath",
        "(path)",
        "Normalize path, eliminating double slashes, etc.",
        NativeFn::F1(normpath),
    ),
    FunctionDef::new(
        "_path_splitroot_ex",
        "(p)",
        "Split a pathname into drive, root and tail.",
        NativeFn::F1(splitroot),
    ),
];

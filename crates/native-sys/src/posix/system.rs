//! The machine and the environment: names, processors, random bytes, terminals, configuration.

use super::names::{CONFSTR_NAMES, PATHCONF_NAMES, SYSCONF_NAMES};
use super::path::{Accepts, Of, Target, descriptor, file_descriptor, fs_path_bytes, path_arg};
use pellucid_host::{Error, libc};
use pellucid_object::{Args, Bytes, FunctionDef, Interpreter, NativeFn, Res, Str, Value};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq};

pub static UNAME_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("uname_result", "posix", "uname_result: Result from os.uname()."),
    fields: &[
        ("sysname", "operating system name"),
        ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"),
        ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ],
    visible: 5,
};

pub static TERMINAL_SIZE: StructSeqDef = StructSeqDef {
    ty: constructible("terminal_size", "os", "A tuple of (columns, lines) for holding terminal window size"),
    fields: &[
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ],
    visible: 2,
};

pub static TIMES_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("times_result", "posix", "times_result: Result from os.times()."),
    fields: &[
        ("user", "user time"),
        ("system", "system time"),
        ("children_user", "user time of children"),
        ("children_system", "system time of children"),
        ("elapsed", "elapsed time since an arbitrary point in the past"),
    ],
    visible: 5,
};

fn uname(vm: &Interpreter) -> Res {
    let names = vm.host().uname().map_err(|error| vm.os_error(error))?;
    let values: Res<Vec<Value>> =
        [names.sysname, names.nodename, names.release, names.version, names.machine]
            .iter()
            .map(|name| vm.fs_decode(name))
            .collect();
    new_structseq(vm, &UNAME_RESULT, values?)
}

fn get_terminal_size(vm: &Interpreter, args: &Args) -> Res {
    let fd = match args.get(0) {
        Some(fd) => descriptor(vm, fd)?,
        None => 1,
    };
    let size = vm.host().terminal_size(fd).map_err(|error| vm.os_error(error))?;
    let values = vec![vm.new_int(size.columns.into())?, vm.new_int(size.lines.into())?];
    new_structseq(vm, &TERMINAL_SIZE, values)
}

fn times(vm: &Interpreter) -> Res {
    let times = vm.host().times().map_err(|error| vm.os_error(error))?;
    let values: Res<Vec<Value>> = times.into_iter().map(|seconds| vm.new_float(seconds)).collect();
    new_structseq(vm, &TIMES_RESULT, values?)
}

fn getloadavg(vm: &Interpreter) -> Res {
    let Ok(load) = vm.host().load_average() else {
        let ty = vm.exceptions().os_error().clone();
        return Err(vm.raise_text(&ty, "Load averages are unobtainable"));
    };
    let values: Res<Vec<Value>> = load.into_iter().map(|average| vm.new_float(average)).collect();
    vm.new_tuple(values?)
}

fn cpu_count(vm: &Interpreter) -> Res {
    let forced = vm.state::<crate::sys::Startup>().with(|config| config.cpu_count);
    match forced.map_or_else(|| vm.host().cpu_count().ok(), Some) {
        Some(count) if count > 0 => vm.new_int(count as i64),
        _ => Ok(Value::NONE),
    }
}

fn urandom(vm: &Interpreter, size: &Value) -> Res {
    let Ok(size) = usize::try_from(vm.expect_i64(size)?) else {
        return Err(vm.value_error("negative argument not allowed".to_string()));
    };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| vm.no_memory())?;
    bytes.resize(size, 0);
    vm.host().random(&mut bytes).map_err(|error| vm.os_error(error))?;
    vm.new_bytes(bytes)
}

fn getrandom(vm: &Interpreter, args: &Args) -> Res {
    let Ok(size) = usize::try_from(args.int(vm, 0)?) else {
        return Err(vm.os_error(Error::os(libc::EINVAL)));
    };
    let flags = args.int_or(vm, 1, 0)? as u32;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| vm.no_memory())?;
    bytes.resize(size, 0);
    let host = vm.host();
    let count = vm.retry(|| vm.allow_threads(|| host.getrandom(&mut bytes, flags)))?;
    bytes.truncate(count.map_err(|error| vm.os_error(error))?);
    vm.new_bytes(bytes)
}

/// The number of a name of the configuration, or a number. Errors: `TypeError`, `ValueError`.
fn config_name(vm: &Interpreter, value: &Value, names: &[(&str, i32)]) -> Res<i32> {
    if value.downcast::<Str>().is_some() {
        let name = vm.str_lossy(value);
        return match names.iter().find(|(known, _)| *known == name) {
            Some((_, number)) => Ok(*number),
            None => Err(vm.value_error("unrecognized configuration name".to_string())),
        };
    }
    if value.as_int().is_none() && !pellucid_types::seq::has_index(vm, value) {
        return Err(vm.type_error("configuration names must be strings or integers".to_string()));
    }
    crate::sys::c_int(vm, value)
}

fn limit(vm: &Interpreter, value: Option<i64>) -> Res {
    vm.new_int(value.unwrap_or(-1))
}

fn sysconf(vm: &Interpreter, name: &Value) -> Res {
    let name = config_name(vm, name, SYSCONF_NAMES)?;
    limit(vm, vm.host().sysconf(name).map_err(|error| vm.os_error(error))?)
}

fn confstr(vm: &Interpreter, name: &Value) -> Res {
    let name = config_name(vm, name, CONFSTR_NAMES)?;
    match vm.host().confstr(name).map_err(|error| vm.os_error(error))? {
        Some(text) => vm.fs_decode(&text),
        None => Ok(Value::NONE),
    }
}

fn pathconf(vm: &Interpreter, args: &Args) -> Res {
    let path = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("pathconf", "path"))?;
    let name = config_name(vm, args.req(1), PATHCONF_NAMES)?;
    let result = match &path.target {
        Target::Fd(fd) => vm.host().fpathconf(*fd, name),
        Target::Path(bytes) => vm.host().pathconf(bytes, name),
    };
    limit(vm, result.map_err(|error| path.error(vm, error))?)
}

fn fpathconf(vm: &Interpreter, fd: &Value, name: &Value) -> Res {
    let (fd, name) = (file_descriptor(vm, fd)?, config_name(vm, name, PATHCONF_NAMES)?);
    limit(vm, vm.host().fpathconf(fd, name).map_err(|error| vm.os_error(error))?)
}

fn strerror(vm: &Interpreter, code: &Value) -> Res {
    let code = crate::sys::c_int(vm, code)?;
    vm.new_str(&Error::os(code).message())
}

/// A name or value for the environment. Errors: `TypeError`, `ValueError`.
fn variable(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    if value.downcast::<Bytes>().is_none() && value.downcast::<Str>().is_none() {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")));
    }
    fs_path_bytes(vm, value)
}

fn putenv(vm: &Interpreter, name: &Value, value: &Value) -> Res {
    let (name_bytes, value_bytes) = (variable(vm, name)?, variable(vm, value)?);
    if name_bytes.contains(&b'=') {
        return Err(vm.value_error("illegal environment variable name".to_string()));
    }
    vm.audit("os.putenv", &[name.clone(), value.clone()])?;
    match vm.host().putenv(&name_bytes, &value_bytes) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn unsetenv(vm: &Interpreter, name: &Value) -> Res {
    let bytes = variable(vm, name)?;
    vm.audit("os.unsetenv", std::slice::from_ref(name))?;
    match vm.host().unsetenv(&bytes) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// The environment as a dict of `bytes`.
pub fn environ(vm: &Interpreter) -> Res {
    let dict = vm.new_dict()?;
    for (name, value) in vm.host().environ() {
        dict.set_default(vm, vm.new_bytes(name)?, vm.new_bytes(value)?)?;
    }
    Ok(dict.into_value())
}

fn device_encoding(vm: &Interpreter, args: &Args) -> Res {
    let fd = descriptor(vm, args.req(0))?;
    if vm.host().isatty(fd) { vm.new_str(crate::io::text::locale_encoding(vm)) } else { Ok(Value::NONE) }
}

/// Parts of a device number as the system packs them.
fn device(vm: &Interpreter, value: &Value) -> Res<u64> {
    // -1 says that there is no device.
    if vm.as_i64(value) == Some(-1) { Ok(u64::MAX) } else { crate::thread::expect_ident(vm, value) }
}

/// A major or minor number.
fn device_part(vm: &Interpreter, value: &Value) -> Res<u32> {
    let number = device(vm, value)?;
    if number == u64::MAX {
        return Ok(u32::MAX);
    }
    u32::try_from(number)
        .map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int".to_string()))
}

fn new_device(vm: &Interpreter, device: u64) -> Res {
    if device == u64::MAX { vm.new_int(-1) } else { crate::thread::new_ident(vm, device) }
}

fn new_device_part(vm: &Interpreter, part: u32) -> Res {
    vm.new_int(if part == u32::MAX { -1 } else { part.into() })
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "uname",
        "()",
        "Return an object identifying the current operating system.",
        NativeFn::F0(uname),
    ),
    FunctionDef::new(
        "get_terminal_size",
        "(fd=<unrepresentable>, /)",
        "Return the size of the terminal window as (columns, lines).",
        NativeFn::Args(get_terminal_size),
    ),
    FunctionDef::new(
        "times",
        "()",
        "Return a collection containing process timing information.",
        NativeFn::F0(times),
    ),
    FunctionDef::new(
        "getloadavg",
        "()",
        "Return average recent system load information.",
        NativeFn::F0(getloadavg),
    ),
    FunctionDef::new(
        "cpu_count",
        "()",
        "Return the number of logical CPUs in the system.",
        NativeFn::F0(cpu_count),
    ),
    FunctionDef::new(
        "urandom",
        "(size, /)",
        "Return a bytes object containing random bytes suitable for cryptographic use.",
        NativeFn::F1(urandom),
    ),
    FunctionDef::new(
        "getrandom",
        "(size, flags=0)",
        "Obtain a series of random bytes.",
        NativeFn::Args(getrandom),
    ),
    FunctionDef::new(
        "sysconf",
        "(name, /)",
        "Return an integer-valued system configuration variable.",
        NativeFn::F1(sysconf),
    ),
    FunctionDef::new(
        "confstr",
        "(name, /)",
        "Return a string-valued system configuration variable.",
        NativeFn::F1(confstr),
    ),
    FunctionDef::new(
        "pathconf",
        "(path, name)",
        "Return the configuration limit name for the file or directory path.",
        NativeFn::Args(pathconf),
    ),
    FunctionDef::new(
        "fpathconf",
        "(fd, name, /)",
        "Return the configuration limit name for the file descriptor fd.",
        NativeFn::F2(fpathconf),
    ),
    FunctionDef::new(
        "strerror",
        "(code, /)",
        "Translate an error code to a message string.",
        NativeFn::F1(strerror),
    ),
    FunctionDef::new(
        "putenv",
        "(name, value, /)",
        "Change or add an environment variable.",
        NativeFn::F2(putenv),
    ),
    FunctionDef::new("unsetenv", "(name, /)", "Delete an environment variable.", NativeFn::F1(unsetenv)),
    FunctionDef::new("_create_environ", "()", "Create the environment dictionary.", NativeFn::F0(environ)),
    FunctionDef::new(
        "device_encoding",
        "(fd)",
        "Return a string describing the encoding of a terminal's file descriptor.",
        NativeFn::Args(device_encoding),
    ),
    FunctionDef::new(
        "ctermid",
        "()",
        "Return the name of the controlling terminal for this process.",
        NativeFn::F0(|vm| vm.new_str("/dev/tty")),
    ),
    FunctionDef::new(
        "major",
        "(device, /)",
        "Extracts a device major number from a raw device number.",
        NativeFn::F1(|vm, value| new_device_part(vm, libc::major(device(vm, value)?))),
    ),
    FunctionDef::new(
        "minor",
        "(device, /)",
        "Extracts a device minor number from a raw device number.",
        NativeFn::F1(|vm, value| new_device_part(vm, libc::minor(device(vm, value)?))),
    ),
    FunctionDef::new(
        "makedev",
        "(major, minor, /)",
        "Composes a raw device number from the major and minor device numbers.",
        NativeFn::F2(|vm, major, minor| {
            let (major, minor) = (device_part(vm, major)?, device_part(vm, minor)?);
            new_device(vm, libc::makedev(major, minor))
        }),
    ),
    FunctionDef::new(
        "_inputhook",
        "()",
        "Calls PyOS_CallInputHook droppong the GIL first",
        NativeFn::F0(|vm| vm.new_int(0)),
    ),
    FunctionDef::new(
        "_is_inputhook_installed",
        "()",
        "Checks if PyOS_CallInputHook is set",
        NativeFn::F0(|_| Ok(Value::FALSE)),
    ),
];

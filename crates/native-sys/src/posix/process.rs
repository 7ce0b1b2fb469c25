//! Processes, the environment, the machine.

use super::path::{fs_path_bytes, fspath};
use pellucid_object::host::TerminalSize;
use pellucid_object::{Args, FunctionDef, Interpreter, NativeFn, Res, Value};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};

static UNAME_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("uname_result", "posix", "What uname() tells of the system."),
    fields: &[("sysname", ""), ("nodename", ""), ("release", ""), ("version", ""), ("machine", "")],
    visible: 5,
};
static TERMINAL_SIZE: StructSeqDef = StructSeqDef {
    ty: constructible("terminal_size", "os", "The size of a terminal window."),
    fields: &[("columns", "width"), ("lines", "height")],
    visible: 2,
};
static TIMES_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("times_result", "posix", "What times() tells of this process."),
    fields: &[("user", ""), ("system", ""), ("children_user", ""), ("children_system", ""), ("elapsed", "")],
    visible: 5,
};

pub fn add_types(vm: &Interpreter, module: &Value) -> Res<()> {
    for (name, def) in
        [("uname_result", &UNAME_RESULT), ("terminal_size", &TERMINAL_SIZE), ("times_result", &TIMES_RESULT)]
    {
        vm.set_attr_str(module, name, structseq_type(vm, def)?.into_value())?;
    }
    Ok(())
}

/// The environment as a dict of bytes.
pub fn environment(vm: &Interpreter) -> Res {
    let dict = vm.new_dict()?;
    for (name, value) in vm.host().environ() {
        dict.set(vm, vm.new_bytes(name)?, vm.new_bytes(value)?)?;
    }
    Ok(dict.into_value())
}

fn putenv(vm: &Interpreter, args: &Args) -> Res {
    let (name, value) = (fs_path_bytes(vm, args.req(0))?, fs_path_bytes(vm, args.req(1))?);
    vm.host().putenv(&name, &value).map(|()| Value::NONE).map_err(|error| vm.os_error(error))
}

fn unsetenv(vm: &Interpreter, args: &Args) -> Res {
    let name = fs_path_bytes(vm, args.req(0))?;
    vm.host().unsetenv(&name).map(|()| Value::NONE).map_err(|error| vm.os_error(error))
}

fn int(vm: &Interpreter, number: impl Into<i64>) -> Res {
    vm.new_int(number.into())
}

fn pid(vm: &Interpreter, args: &Args, index: usize) -> Res<i32> {
    i32::try_from(args.int(vm, index)?)
        .map_err(|_| vm.overflow_error("signed integer is greater than maximum".to_string()))
}

fn kill(vm: &Interpreter, args: &Args) -> Res {
    let (pid, signal) = (pid(vm, args, 0)?, pid(vm, args, 1)?);
    vm.host().kill(pid, signal).map_err(|error| vm.os_error(error))?;
    vm.poll()?;
    Ok(Value::NONE)
}

fn waitpid(vm: &Interpreter, args: &Args) -> Res {
    let (pid, options) = (pid(vm, args, 0)?, pid(vm, args, 1)?);
    let host = vm.host().clone();
    let found =
        vm.retry(|| vm.allow_threads(|| host.waitpid(pid, options)))?.map_err(|error| vm.os_error(error))?;
    vm.new_tuple(vec![int(vm, found.pid)?, int(vm, found.status)?])
}

fn status(vm: &Interpreter, args: &Args) -> Res<i32> {
    pid(vm, args, 0)
}

fn exit_code(vm: &Interpreter, args: &Args) -> Res {
    use pellucid_object::host::libc::{WEXITSTATUS, WIFEXITED, WIFSIGNALED, WTERMSIG};
    let status = status(vm, args)?;
    if WIFEXITED(status) {
        return int(vm, WEXITSTATUS(status));
    }
    if WIFSIGNALED(status) {
        return int(vm, -WTERMSIG(status));
    }
    Err(vm.value_error(format!("invalid wait status: {status}")))
}

fn uname(vm: &Interpreter) -> Res {
    let names = vm.host().uname().map_err(|error| vm.os_error(error))?;
    let fields = [names.sysname, names.nodename, names.release, names.version, names.machine];
    let values = fields.iter().map(|field| vm.fs_decode(field)).collect::<Res<Vec<Value>>>()?;
    new_structseq(vm, &UNAME_RESULT, values)
}

fn times(vm: &Interpreter) -> Res {
    let times = vm.host().times().map_err(|error| vm.os_error(error))?;
    let values = times.into_iter().map(|time| vm.new_float(time)).collect::<Res<Vec<Value>>>()?;
    new_structseq(vm, &TIMES_RESULT, values)
}

fn get_terminal_size(vm: &Interpreter, args: &Args) -> Res {
    let fd = match args.get(0) {
        Some(fd) => vm.expect_i64(fd)? as i32,
        None => 1,
    };
    let TerminalSize { columns, lines } = vm.host().terminal_size(fd).map_err(|error| vm.os_error(error))?;
    new_structseq(vm, &TERMINAL_SIZE, vec![int(vm, columns)?, int(vm, lines)?])
}

fn random_bytes(vm: &Interpreter, args: &Args) -> Res {
    let Ok(size) = usize::try_from(args.int(vm, 0)?) else {
        return Err(vm.value_error("negative argument not allowed".to_string()));
    };
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(size).is_err() {
        return Err(vm.no_memory());
    }
    buffer.resize(size, 0);
    vm.host().random(&mut buffer).map_err(|error| vm.os_error(error))?;
    vm.new_bytes(buffer)
}

fn strerror(vm: &Interpreter, args: &Args) -> Res {
    let code = pid(vm, args, 0)?;
    vm.new_str(&pellucid_object::host::Error::os(code).message())
}

fn cpu_count(vm: &Interpreter) -> Res {
    match vm.host().cpu_count() {
        Ok(count) => int(vm, count as i64),
        Err(_) => Ok(Value::NONE),
    }
}

fn affinity(vm: &Interpreter, _: &Args) -> Res {
    let count = vm.host().usable_cpus().map_err(|error| vm.os_error(error))?;
    vm.new_set((0..count as i64).map(|i| int(vm, i)).collect::<Res<Vec<Value>>>()?)
}

fn load_average(vm: &Interpreter) -> Res {
    let loads = vm.host().load_average().map_err(|error| vm.os_error(error))?;
    vm.new_tuple(loads.into_iter().map(|load| vm.new_float(load)).collect::<Res<Vec<Value>>>()?)
}

fn sysconf(vm: &Interpreter, args: &Args) -> Res {
    let name = args.req(0);
    let number = match name.as_int() {
        Some(_) => vm.expect_i64(name)?,
        None => {
            let name = vm.expect_str(name)?;
            match super::constants::SYSCONF.iter().find(|(known, _)| *known == name) {
                Some((_, number)) => *number,
                None => return Err(vm.value_error("unrecognized configuration name".to_string())),
            }
        }
    };
    let value = vm.host().sysconf(number as i32).map_err(|error| vm.os_error(error))?;
    int(vm, value.unwrap_or(-1))
}

/// A list of arguments as bytes. Errors: `TypeError`, `ValueError`.
fn argument_list(vm: &Interpreter, value: &Value, function: &str) -> Res<Vec<Vec<u8>>> {
    let items = vm.collect(value)?;
    if items.is_empty() {
        return Err(vm.value_error(format!("{function}() arg 2 must not be empty")));
    }
    items.iter().map(|item| fs_path_bytes(vm, item)).collect()
}

fn execv(vm: &Interpreter, args: &Args) -> Res {
    let path = fspath(vm, args.req(0))?;
    let arguments = argument_list(vm, args.req(1), "execv")?;
    let result = vm.host().exec(&fs_path_bytes(vm, &path)?, &arguments, None);
    result.map(|()| Value::NONE).map_err(|error| vm.os_error_at(error, &path))
}

fn execve(vm: &Interpreter, args: &Args) -> Res {
    let path = fspath(vm, args.req(0))?;
    let arguments = argument_list(vm, args.req(1), "execve")?;
    let environment = vm.new_dict()?;
    vm.call_method(environment.value(), "update", std::slice::from_ref(args.req(2)))?;
    let pairs = environment
        .pairs()
        .iter()
        .map(|(name, value)| Ok((fs_path_bytes(vm, name)?, fs_path_bytes(vm, value)?)))
        .collect::<Res<Vec<_>>>()?;
    let result = vm.host().exec(&fs_path_bytes(vm, &path)?, &arguments, Some(pairs));
    result.map(|()| Value::NONE).map_err(|error| vm.os_error_at(error, &path))
}

fn exit(vm: &Interpreter, args: &Args) -> Res {
    let status = pid(vm, args, 0)?;
    vm.host().exit_now(status);
    Err(vm.system_error("the host does not let this process end".to_string()))
}

fn environ_update(vm: &Interpreter) -> Res {
    environment(vm)
}

macro_rules! wait_test {
    ($name:literal, $f:ident, bool) => {
        FunctionDef::new(
            $name,
            "(status)",
            "",
            NativeFn::Args(|vm, args| Ok(Value::bool(pellucid_object::host::libc::$f(status(vm, args)?)))),
        )
    };
    ($name:literal, $f:ident) => {
        FunctionDef::new(
            $name,
            "(status)",
            "",
            NativeFn::Args(|vm, args| int(vm, pellucid_object::host::libc::$f(status(vm, args)?))),
        )
    };
}

macro_rules! id {
    ($name:literal, $field:ident) => {
        FunctionDef::new(
            $name,
            "()",
            "",
            NativeFn::F0(|vm| int(vm, vm.host().ids().map_err(|error| vm.os_error(error))?.$field)),
        )
    };
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new("putenv", "(name, value, /)", "Set an environment variable.", NativeFn::Args(putenv)),
    FunctionDef::new("unsetenv", "(name, /)", "Remove an environment variable.", NativeFn::Args(unsetenv)),
    FunctionDef::new(
        "_create_environ",
        "()",
        "The environment of the process.",
        NativeFn::F0(environ_update),
    ),
    FunctionDef::new(
        "getpid",
        "()",
        "The id of this process.",
        NativeFn::F0(|vm| int(vm, vm.host().getpid())),
    ),
    FunctionDef::new(
        "getppid",
        "()",
        "The id of the parent process.",
        NativeFn::F0(|vm| int(vm, vm.host().getppid().map_err(|error| vm.os_error(error))?)),
    ),
    id!("getuid", uid),
    id!("geteuid", euid),
    id!("getgid", gid),
    id!("getegid", egid),
    FunctionDef::new(
        "getgroups",
        "()",
        "The groups of this process.",
        NativeFn::F0(|vm| {
            let groups = vm.host().groups().map_err(|error| vm.os_error(error))?;
            vm.new_list(groups.into_iter().map(|g| int(vm, g)).collect::<Res<Vec<Value>>>()?)
        }),
    ),
    FunctionDef::new("kill", "(pid, signal, /)", "Send a signal to a process.", NativeFn::Args(kill)),
    FunctionDef::new(
        "waitpid",
        "(pid, options, /)",
        "Wait for a child: (pid, status).",
        NativeFn::Args(waitpid),
    ),
    FunctionDef::new(
        "waitstatus_to_exitcode",
        "(status)",
        "The exit code of a wait status.",
        NativeFn::Args(exit_code),
    ),
    wait_test!("WIFEXITED", WIFEXITED, bool),
    wait_test!("WIFSIGNALED", WIFSIGNALED, bool),
    wait_test!("WIFSTOPPED", WIFSTOPPED, bool),
    wait_test!("WIFCONTINUED", WIFCONTINUED, bool),
    wait_test!("WCOREDUMP", WCOREDUMP, bool),
    wait_test!("WEXITSTATUS", WEXITSTATUS),
    wait_test!("WTERMSIG", WTERMSIG),
    wait_test!("WSTOPSIG", WSTOPSIG),
    FunctionDef::new("uname", "()", "What the system is.", NativeFn::F0(uname)),
    FunctionDef::new("times", "()", "Times of this process and its children.", NativeFn::F0(times)),
    FunctionDef::new(
        "get_terminal_size",
        "(fd=1, /)",
        "The size of a terminal.",
        NativeFn::Args(get_terminal_size),
    ),
    FunctionDef::new("urandom", "(size, /)", "Random bytes.", NativeFn::Args(random_bytes)),
    FunctionDef::new("getrandom", "(size, flags=0)", "Random bytes.", NativeFn::Args(random_bytes)),
    FunctionDef::new("strerror", "(code, /)", "The text of an error number.", NativeFn::Args(strerror)),
    FunctionDef::new("cpu_count", "()", "The number of processors.", NativeFn::F0(cpu_count)),
    FunctionDef::new(
        "sched_getaffinity",
        "(pid, /)",
        "Processors that may be used.",
        NativeFn::Args(affinity),
    ),
    FunctionDef::new(
        "getloadavg",
        "()",
        "Load averages over 1, 5 and 15 minutes.",
        NativeFn::F0(load_average),
    ),
    FunctionDef::new("sysconf", "(name, /)", "A configuration value of the system.", NativeFn::Args(sysconf)),
    FunctionDef::new("execv", "(path, argv, /)", "Replace this process by a program.", NativeFn::Args(execv)),
    FunctionDef::new(
        "execve",
        "(path, argv, env)",
        "As execv(), with an environment.",
        NativeFn::Args(execve),
    ),
    FunctionDef::new("_exit", "(status)", "End the process at once.", NativeFn::Args(exit)),
];

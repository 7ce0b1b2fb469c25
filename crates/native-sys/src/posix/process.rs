//! Processes: who they are, starting, awaiting and signalling them.

use super::files::id_arg;
use super::path::{Accepts, Of, Target, descriptor, fs_path_bytes, path_arg};
use pellucid_host::{IdCall, Result, Spawn, Usage, libc};
use pellucid_object::{Args, Dict, FunctionDef, Interpreter, List, NativeFn, Res, Tuple, Value};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq};
use std::cell::RefCell;

fn done(vm: &Interpreter, result: Result<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn number<T: Into<i64>>(vm: &Interpreter, result: Result<T>) -> Res {
    match result {
        Ok(number) => vm.new_int(number.into()),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn c_int(vm: &Interpreter, value: &Value) -> Res<i32> {
    crate::sys::c_int(vm, value)
}

// ---- fork ----

/// Functions of `os.register_at_fork`.
#[derive(Default)]
struct AtFork {
    before: RefCell<Vec<Value>>,
    in_child: RefCell<Vec<Value>>,
    in_parent: RefCell<Vec<Value>>,
}

fn register_at_fork(vm: &Interpreter, args: &Args) -> Res {
    let functions = [args.get(0), args.get(1), args.get(2)];
    if functions.iter().all(Option::is_none) {
        return Err(vm.type_error("At least one argument is required.".to_string()));
    }
    for (function, name) in functions.iter().zip(["before", "after_in_child", "after_in_parent"]) {
        if let Some(function) = function
            && vm.type_of(function).slots.call.get().is_none()
        {
            let got = vm.type_name(function);
            return Err(vm.type_error(format!("'{name}' must be callable, not {got}")));
        }
    }
    let hooks = vm.state::<AtFork>();
    for (function, list) in functions.into_iter().zip([&hooks.before, &hooks.in_child, &hooks.in_parent]) {
        if let Some(function) = function {
            list.borrow_mut().push(function.clone());
        }
    }
    Ok(Value::NONE)
}

fn run_hooks<'a>(vm: &Interpreter, hooks: impl Iterator<Item = &'a Value>) {
    for hook in hooks {
        if let Err(raised) = vm.call_values(hook, &[]) {
            vm.unraisable(raised, "Exception ignored in fork hook", hook);
        }
    }
}

/// What is done before a fork.
pub fn before_fork(vm: &Interpreter) {
    let hooks = vm.state::<AtFork>().before.borrow().clone();
    run_hooks(vm, hooks.iter().rev());
}

/// What is done in the parent after a fork.
pub fn after_fork_in_parent(vm: &Interpreter) {
    let hooks = vm.state::<AtFork>().in_parent.borrow().clone();
    run_hooks(vm, hooks.iter());
}

/// What is done in the child after a fork.
pub fn after_fork_in_child(vm: &Interpreter) {
    crate::thread::after_fork_in_child(vm);
    let hooks = vm.state::<AtFork>().in_child.borrow().clone();
    run_hooks(vm, hooks.iter());
}

fn warn_of_threads(vm: &Interpreter, function: &str) -> Res<()> {
    if vm.gil().threads() == 1 {
        return Ok(());
    }
    let pid = vm.host().getpid();
    vm.warn(
        vm.exceptions().deprecation_warning(),
        &format!(
            "This process (pid={pid}) is multi-threaded, use of {function}() may lead to deadlocks in the child."
        ),
    )
}

fn fork_with<T>(
    vm: &Interpreter,
    f: impl FnOnce() -> Result<T>,
    is_child: impl FnOnce(&T) -> bool,
) -> Res<T> {
    before_fork(vm);
    let result = f();
    match &result {
        Ok(value) if is_child(value) => after_fork_in_child(vm),
        _ => after_fork_in_parent(vm),
    }
    result.map_err(|error| vm.os_error(error))
}

fn fork(vm: &Interpreter) -> Res {
    if crate::sys::is_finalizing(vm) {
        let ty = vm.exceptions().python_finalization_error().clone();
        return Err(vm.raise_text(&ty, "can't fork at interpreter shutdown"));
    }
    vm.audit("os.fork", &[])?;
    let pid = fork_with(vm, || vm.host().fork(), |pid| *pid == 0)?;
    if pid != 0 {
        warn_of_threads(vm, "fork")?;
    }
    vm.new_int(pid.into())
}

fn forkpty(vm: &Interpreter) -> Res {
    vm.audit("os.forkpty", &[])?;
    let host = vm.host();
    let (control, terminal) = host.openpty().map_err(|error| vm.os_error(error))?;
    let pid = fork_with(vm, || host.fork(), |pid| *pid == 0)?;
    let result = if pid == 0 {
        host.close(control).and_then(|()| host.login_tty(terminal))
    } else {
        host.close(terminal)
    };
    result.map_err(|error| vm.os_error(error))?;
    let fd = if pid == 0 { -1 } else { control };
    vm.new_tuple(vec![vm.new_int(pid.into())?, vm.new_int(fd.into())?])
}

// ---- exec, spawn, system ----

/// The strings of an argument list. Errors: `TypeError`, `ValueError`.
fn argument_list(vm: &Interpreter, argv: &Value, function: &str, position: &str) -> Res<Vec<Vec<u8>>> {
    if argv.downcast::<List>().is_none() && argv.downcast::<Tuple>().is_none() {
        return Err(vm.type_error(format!("{function}() {position} must be a tuple or list")));
    }
    let items = vm.collect(argv)?;
    items.iter().map(|item| fs_path_bytes(vm, item)).collect()
}

/// Pairs of an environment given as a mapping. Errors: `TypeError`, `ValueError`.
fn environment_pairs(vm: &Interpreter, env: &Value) -> Res<Vec<(Vec<u8>, Vec<u8>)>> {
    let (keys, values) = (vm.call_attr(env, "keys", &[])?, vm.call_attr(env, "values", &[])?);
    let (keys, values) = (vm.collect(&keys)?, vm.collect(&values)?);
    let mut pairs = Vec::new();
    for (key, value) in keys.iter().zip(&values) {
        let (name, value) = (fs_path_bytes(vm, key)?, fs_path_bytes(vm, value)?);
        if name.is_empty() || name[1..].contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name".to_string()));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn checked_arguments(vm: &Interpreter, argv: &Value, function: &str) -> Res<Vec<Vec<u8>>> {
    let arguments = argument_list(vm, argv, function, "arg 2")?;
    match arguments.first() {
        None => Err(vm.value_error(format!("{function}() arg 2 must not be empty"))),
        Some(first) if first.is_empty() => {
            Err(vm.value_error(format!("{function}() arg 2 first element cannot be empty")))
        }
        Some(_) => Ok(arguments),
    }
}

fn execv(vm: &Interpreter, path: &Value, argv: &Value) -> Res {
    let file = path_arg(vm, Some(path), Accepts::Path, Of("execv", "path"))?;
    let arguments = checked_arguments(vm, argv, "execv")?;
    vm.audit("os.exec", &[file.value.clone(), argv.clone(), Value::NONE])?;
    match vm.host().exec(file.bytes(), &arguments, None) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(file.error(vm, error)),
    }
}

fn execve(vm: &Interpreter, args: &Args) -> Res {
    let file = path_arg(vm, args.get(0), Accepts::PathOrFd, Of("execve", "path"))?;
    let arguments = checked_arguments(vm, args.req(1), "execve")?;
    let env = args.req(2);
    if env.downcast::<Dict>().is_none() && vm.get_attr_opt(env, "keys")?.is_none() {
        return Err(vm.type_error("execve: environment must be a mapping object".to_string()));
    }
    let environment = environment_pairs(vm, env)?;
    vm.audit("os.exec", &[file.value.clone(), args.req(1).clone(), env.clone()])?;
    let path = match &file.target {
        Target::Path(bytes) => bytes.clone(),
        Target::Fd(fd) => format!("/proc/self/fd/{fd}").into_bytes(),
    };
    match vm.host().exec(&path, &arguments, Some(environment)) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(file.error(vm, error)),
    }
}

fn system(vm: &Interpreter, args: &Args) -> Res {
    let command = fs_path_bytes(vm, args.req(0))?;
    vm.audit("os.system", &[vm.new_bytes(command.clone())?])?;
    let spawn = Spawn {
        executables: vec![b"/bin/sh".to_vec()],
        arguments: vec![b"sh".to_vec(), b"-c".to_vec(), command],
        ..Spawn::default()
    };
    let host = vm.host();
    let pid = host.spawn(&spawn).map_err(|error| vm.os_error(error))?;
    let outcome = vm.retry(|| vm.allow_threads(|| host.waitpid(pid, 0)))?;
    vm.new_int(outcome.map_err(|error| vm.os_error(error))?.status.into())
}

// ---- waiting ----

fn wait_pair(vm: &Interpreter, pid: i32, options: i32) -> Res {
    let host = vm.host();
    let outcome = vm.retry(|| vm.allow_threads(|| host.waitpid(pid, options)))?;
    let outcome = outcome.map_err(|error| vm.os_error(error))?;
    vm.new_tuple(vec![vm.new_int(outcome.pid.into())?, vm.new_int(outcome.status.into())?])
}

fn wait4(vm: &Interpreter, pid: i32, options: i32) -> Res {
    let host = vm.host();
    let result = vm.retry(|| vm.allow_threads(|| host.wait4(pid, options)))?;
    let (outcome, usage) = result.map_err(|error| vm.os_error(error))?;
    let (pid, status) = (vm.new_int(outcome.pid.into())?, vm.new_int(outcome.status.into())?);
    vm.new_tuple(vec![pid, status, new_usage(vm, &usage)?])
}

pub static STRUCT_RUSAGE: StructSeqDef = StructSeqDef {
    ty: constructible("struct_rusage", "resource", "struct_rusage: Result from getrusage."),
    fields: &[
        ("ru_utime", "user time used"),
        ("ru_stime", "system time used"),
        ("ru_maxrss", "max. resident set size"),
        ("ru_ixrss", "shared memory size"),
        ("ru_idrss", "unshared data size"),
        ("ru_isrss", "unshared stack size"),
        ("ru_minflt", "page faults not requiring I/O"),
        ("ru_majflt", "page faults requiring I/O"),
        ("ru_nswap", "number of swap outs"),
        ("ru_inblock", "block input operations"),
        ("ru_oublock", "block output operations"),
        ("ru_msgsnd", "IPC messages sent"),
        ("ru_msgrcv", "IPC messages received"),
        ("ru_nsignals", "signals received"),
        ("ru_nvcsw", "voluntary context switches"),
        ("ru_nivcsw", "involuntary context switches"),
    ],
    visible: 16,
};

/// A `resource.struct_rusage`.
pub fn new_usage(vm: &Interpreter, usage: &Usage) -> Res {
    let mut values = vec![vm.new_float(usage.user_seconds)?, vm.new_float(usage.system_seconds)?];
    for number in usage.numbers {
        values.push(vm.new_int(number)?);
    }
    new_structseq(vm, &STRUCT_RUSAGE, values)
}

pub static WAITID_RESULT: StructSeqDef = StructSeqDef {
    ty: constructible("waitid_result", "posix", "waitid_result: Result from waitid."),
    fields: &[("si_pid", ""), ("si_uid", ""), ("si_signo", ""), ("si_status", ""), ("si_code", "")],
    visible: 5,
};

fn waitid(vm: &Interpreter, args: &Args) -> Res {
    let (kind, id, options) = (
        c_int(vm, args.req(0))?.cast_unsigned(),
        c_int(vm, args.req(1))?.cast_unsigned(),
        c_int(vm, args.req(2))?,
    );
    let host = vm.host();
    let result = vm.retry(|| vm.allow_threads(|| host.waitid(kind, id, options)))?;
    match result.map_err(|error| vm.os_error(error))? {
        None => Ok(Value::NONE),
        Some(numbers) => {
            let values: Res<Vec<Value>> = numbers.into_iter().map(|n| vm.new_int(n)).collect();
            new_structseq(vm, &WAITID_RESULT, values?)
        }
    }
}

fn exit_code(vm: &Interpreter, status: &Value) -> Res {
    let status = c_int(vm, status)?;
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else if libc::WIFSIGNALED(status) {
        -libc::WTERMSIG(status)
    } else if libc::WIFSTOPPED(status) {
        let signal = libc::WSTOPSIG(status);
        return Err(vm.value_error(format!("process stopped by delivery of signal {signal}")));
    } else {
        return Err(vm.value_error(format!("invalid wait status: {status}")));
    };
    vm.new_int(code.into())
}

macro_rules! status {
    ($name:ident, bool) => {
        FunctionDef::new(
            stringify!($name),
            "(status)",
            "",
            NativeFn::F1(|vm, status| Ok(Value::bool(libc::$name(c_int(vm, status)?)))),
        )
    };
    ($name:ident) => {
        FunctionDef::new(
            stringify!($name),
            "(status)",
            "",
            NativeFn::F1(|vm, status| vm.new_int(libc::$name(c_int(vm, status)?).into())),
        )
    };
}

// ---- ids ----

/// A user or group id where -1 stands for none.
fn any_id(vm: &Interpreter, value: &Value, what: &str) -> Res<u32> {
    Ok(id_arg(vm, value, what)?.unwrap_or(u32::MAX))
}

fn ids(vm: &Interpreter, ids: Result<[u32; 3]>) -> Res {
    let ids = ids.map_err(|error| vm.os_error(error))?;
    let values: Res<Vec<Value>> = ids.into_iter().map(|id| vm.new_int(id.into())).collect();
    vm.new_tuple(values?)
}

fn id_list(vm: &Interpreter, list: Result<Vec<u32>>) -> Res {
    let list = list.map_err(|error| vm.os_error(error))?;
    let values: Res<Vec<Value>> = list.into_iter().map(|id| vm.new_int(id.into())).collect();
    vm.new_list(values?)
}

fn setgroups(vm: &Interpreter, groups: &Value) -> Res {
    if vm.type_of(groups).slots.getitem.get().is_none() {
        return Err(vm.type_error("setgroups argument must be a sequence".to_string()));
    }
    let list: Res<Vec<u32>> = vm.collect(groups)?.iter().map(|item| any_id(vm, item, "gid")).collect();
    done(vm, vm.host().set_groups(&list?))
}

fn affinity(vm: &Interpreter, pid: &Value) -> Res {
    let list = vm.host().affinity(c_int(vm, pid)?).map_err(|error| vm.os_error(error))?;
    let numbers: Res<Vec<Value>> = list.into_iter().map(|cpu| vm.new_int(cpu as i64)).collect();
    vm.new_set(numbers?)
}

fn set_affinity(vm: &Interpreter, pid: &Value, mask: &Value) -> Res {
    let pid = c_int(vm, pid)?;
    let mut list = Vec::new();
    for item in vm.collect(mask)? {
        if item.as_int().is_none() {
            let name = vm.type_name(&item);
            return Err(vm.type_error(format!("expected an iterator of ints, but iterator yielded {name}")));
        }
        match usize::try_from(vm.expect_i64(&item)?) {
            Ok(cpu) => list.push(cpu),
            Err(_) => return Err(vm.value_error("negative CPU number".to_string())),
        }
    }
    done(vm, vm.host().set_affinity(pid, &list))
}

fn kill(vm: &Interpreter, pid: &Value, signal: &Value) -> Res {
    let (pid_number, signal_number) = (c_int(vm, pid)?, c_int(vm, signal)?);
    vm.audit("os.kill", &[pid.clone(), signal.clone()])?;
    done(vm, vm.host().kill(pid_number, signal_number))?;
    // A signal to ourselves is handled before the next line.
    vm.poll()?;
    Ok(Value::NONE)
}

fn exit_now(vm: &Interpreter, args: &Args) -> Res {
    let status = c_int(vm, args.req(0))?;
    Err(vm.os_error(vm.host().exit_now(status)))
}

macro_rules! set_id {
    ($name:literal, $what:literal, $call:ident) => {
        FunctionDef::new(
            $name,
            concat!("(", $what, ", /)"),
            "",
            NativeFn::F1(|vm, id| done(vm, vm.host().set_id(IdCall::$call, any_id(vm, id, $what)?))),
        )
    };
}

macro_rules! get {
    ($name:literal, $doc:literal, $f:expr) => {
        FunctionDef::new($name, "()", $doc, NativeFn::F0(|vm| number(vm, $f(vm))))
    };
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new("fork", "()", "Fork a child process.", NativeFn::F0(fork)),
    FunctionDef::new(
        "forkpty",
        "()",
        "Fork a new process with a new pseudo-terminal as controlling tty.",
        NativeFn::F0(forkpty),
    ),
    FunctionDef::new(
        "register_at_fork",
        "(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)",
        "Register functions to be called when forking a new process.",
        NativeFn::Args(register_at_fork),
    ),
    FunctionDef::new(
        "execv",
        "(path, argv, /)",
        "Execute an executable path with arguments, replacing current process.",
        NativeFn::F2(execv),
    ),
    FunctionDef::new(
        "execve",
        "(path, argv, env)",
        "Execute an executable path with arguments, replacing current process.",
        NativeFn::Args(execve),
    ),
    FunctionDef::new("system", "(command)", "Execute the command in a subshell.", NativeFn::Args(system)),
    FunctionDef::new(
        "_exit",
        "(status)",
        "Exit to the system with specified status, without normal exit processing.",
        NativeFn::Args(exit_now),
    ),
    FunctionDef::new(
        "abort",
        "()",
        "Abort the interpreter immediately.",
        NativeFn::F0(|vm| Err(vm.os_error(vm.host().abort()))),
    ),
    FunctionDef::new("kill", "(pid, signal, /)", "Kill a process with a signal.", NativeFn::F2(kill)),
    FunctionDef::new(
        "killpg",
        "(pgid, signal, /)",
        "Kill a process group with a signal.",
        NativeFn::F2(|vm, group, signal| {
            done(vm, vm.host().killpg(c_int(vm, group)?, c_int(vm, signal)?))?;
            vm.poll()?;
            Ok(Value::NONE)
        }),
    ),
    FunctionDef::new(
        "wait",
        "()",
        "Wait for completion of a child process.",
        NativeFn::F0(|vm| wait_pair(vm, -1, 0)),
    ),
    FunctionDef::new(
        "waitpid",
        "(pid, options, /)",
        "Wait for completion of a given child process.",
        NativeFn::F2(|vm, pid, options| wait_pair(vm, c_int(vm, pid)?, c_int(vm, options)?)),
    ),
    FunctionDef::new(
        "wait3",
        "(options)",
        "Wait for completion of a child process.",
        NativeFn::F1(|vm, options| wait4(vm, -1, c_int(vm, options)?)),
    ),
    FunctionDef::new(
        "wait4",
        "(pid, options)",
        "Wait for completion of a specific child process.",
        NativeFn::F2(|vm, pid, options| wait4(vm, c_int(vm, pid)?, c_int(vm, options)?)),
    ),
    FunctionDef::new(
        "waitid",
        "(idtype, id, options, /)",
        "Returns the result of waiting for a process or processes.",
        NativeFn::Args(waitid),
    ),
    FunctionDef::new(
        "waitstatus_to_exitcode",
        "(status)",
        "Convert a wait status to an exit code.",
        NativeFn::F1(exit_code),
    ),
    status!(WIFEXITED, bool),
    status!(WIFSIGNALED, bool),
    status!(WIFSTOPPED, bool),
    status!(WIFCONTINUED, bool),
    status!(WCOREDUMP, bool),
    status!(WEXITSTATUS),
    status!(WTERMSIG),
    status!(WSTOPSIG),
    get!("getpid", "Return the current process id.", |vm: &Interpreter| Result::Ok(vm.host().getpid())),
    get!("getppid", "Return the parent's process id.", |vm: &Interpreter| vm.host().getppid()),
    get!("getuid", "Return the current process's user id.", |vm: &Interpreter| vm
        .host()
        .ids()
        .map(|ids| ids.uid)),
    get!("geteuid", "Return the current process's effective user id.", |vm: &Interpreter| vm
        .host()
        .ids()
        .map(|ids| ids.euid)),
    get!("getgid", "Return the current process's group id.", |vm: &Interpreter| vm
        .host()
        .ids()
        .map(|ids| ids.gid)),
    get!("getegid", "Return the current process's effective group id.", |vm: &Interpreter| vm
        .host()
        .ids()
        .map(|ids| ids.egid)),
    get!("getpgrp", "Return the current process group id.", |vm: &Interpreter| vm.host().getpgid(0)),
    FunctionDef::new(
        "getpgid",
        "(pid)",
        "Call the system call getpgid(), and return the result.",
        NativeFn::F1(|vm, pid| number(vm, vm.host().getpgid(c_int(vm, pid)?))),
    ),
    FunctionDef::new(
        "getsid",
        "(pid, /)",
        "Call the system call getsid(pid) and return the result.",
        NativeFn::F1(|vm, pid| number(vm, vm.host().getsid(c_int(vm, pid)?))),
    ),
    FunctionDef::new(
        "setpgid",
        "(pid, pgrp, /)",
        "Call the system call setpgid(pid, pgrp).",
        NativeFn::F2(|vm, pid, group| done(vm, vm.host().setpgid(c_int(vm, pid)?, c_int(vm, group)?))),
    ),
    FunctionDef::new(
        "setpgrp",
        "()",
        "Make the current process the leader of its process group.",
        NativeFn::F0(|vm| done(vm, vm.host().setpgid(0, 0))),
    ),
    FunctionDef::new(
        "setsid",
        "()",
        "Call the system call setsid().",
        NativeFn::F0(|vm| done(vm, vm.host().setsid().map(drop))),
    ),
    FunctionDef::new(
        "getresuid",
        "()",
        "Return a tuple of the current process's real, effective, and saved user ids.",
        NativeFn::F0(|vm| ids(vm, vm.host().user_ids())),
    ),
    FunctionDef::new(
        "getresgid",
        "()",
        "Return a tuple of the current process's real, effective, and saved group ids.",
        NativeFn::F0(|vm| ids(vm, vm.host().group_ids())),
    ),
    FunctionDef::new(
        "getgroups",
        "()",
        "Return list of supplemental group IDs for the process.",
        NativeFn::F0(|vm| id_list(vm, vm.host().groups())),
    ),
    FunctionDef::new(
        "getgrouplist",
        "(user, group, /)",
        "Returns a list of groups to which a user belongs.",
        NativeFn::F2(|vm, user, group| {
            let (user, group) = (fs_path_bytes(vm, user)?, any_id(vm, group, "gid")?);
            id_list(vm, vm.host().groups_of(&user, group))
        }),
    ),
    FunctionDef::new(
        "initgroups",
        "(username, gid, /)",
        "Initialize the group access list.",
        NativeFn::F2(|vm, user, group| {
            let (user, group) = (fs_path_bytes(vm, user)?, any_id(vm, group, "gid")?);
            done(vm, vm.host().init_groups(&user, group))
        }),
    ),
    FunctionDef::new(
        "setgroups",
        "(groups, /)",
        "Set the groups of the current process to list.",
        NativeFn::F1(setgroups),
    ),
    set_id!("setuid", "uid", User),
    set_id!("seteuid", "euid", EffectiveUser),
    set_id!("setgid", "gid", Group),
    set_id!("setegid", "egid", EffectiveGroup),
    FunctionDef::new(
        "setreuid",
        "(ruid, euid, /)",
        "",
        NativeFn::F2(|vm, a, b| {
            done(vm, vm.host().set_users(any_id(vm, a, "ruid")?, any_id(vm, b, "euid")?, None))
        }),
    ),
    FunctionDef::new(
        "setregid",
        "(rgid, egid, /)",
        "",
        NativeFn::F2(|vm, a, b| {
            done(vm, vm.host().set_group_ids(any_id(vm, a, "rgid")?, any_id(vm, b, "egid")?, None))
        }),
    ),
    FunctionDef::new(
        "setresuid",
        "(ruid, euid, suid, /)",
        "",
        NativeFn::F3(|vm, a, b, c| {
            let saved = any_id(vm, c, "suid")?;
            done(vm, vm.host().set_users(any_id(vm, a, "ruid")?, any_id(vm, b, "euid")?, Some(saved)))
        }),
    ),
    FunctionDef::new(
        "setresgid",
        "(rgid, egid, sgid, /)",
        "",
        NativeFn::F3(|vm, a, b, c| {
            let saved = any_id(vm, c, "sgid")?;
            done(vm, vm.host().set_group_ids(any_id(vm, a, "rgid")?, any_id(vm, b, "egid")?, Some(saved)))
        }),
    ),
    FunctionDef::new(
        "getlogin",
        "()",
        "Return the actual login name.",
        NativeFn::F0(|vm| match vm.host().login_name() {
            Ok(name) => vm.fs_decode(&name),
            Err(error) => Err(vm.os_error(error)),
        }),
    ),
    FunctionDef::new(
        "nice",
        "(increment, /)",
        "Add increment to the priority of process and return the new priority.",
        NativeFn::F1(|vm, n| number(vm, vm.host().nice(c_int(vm, n)?))),
    ),
    FunctionDef::new(
        "getpriority",
        "(which, who)",
        "Return program scheduling priority.",
        NativeFn::F2(|vm, which, who| {
            number(vm, vm.host().priority(c_int(vm, which)?.cast_unsigned(), c_int(vm, who)?.cast_unsigned()))
        }),
    ),
    FunctionDef::new(
        "setpriority",
        "(which, who, priority)",
        "Set program scheduling priority.",
        NativeFn::F3(|vm, which, who, priority| {
            let (which, who) = (c_int(vm, which)?.cast_unsigned(), c_int(vm, who)?.cast_unsigned());
            done(vm, vm.host().set_priority(which, who, c_int(vm, priority)?))
        }),
    ),
    FunctionDef::new(
        "sched_yield",
        "()",
        "Voluntarily relinquish the CPU.",
        NativeFn::F0(|vm| {
            let host = vm.host();
            done(vm, vm.allow_threads(|| host.sched_yield()))
        }),
    ),
    FunctionDef::new(
        "sched_get_priority_max",
        "(policy)",
        "Get the maximum scheduling priority for policy.",
        NativeFn::F1(|vm, policy| number(vm, vm.host().sched_priority_limit(c_int(vm, policy)?, true))),
    ),
    FunctionDef::new(
        "sched_get_priority_min",
        "(policy)",
        "Get the minimum scheduling priority for policy.",
        NativeFn::F1(|vm, policy| number(vm, vm.host().sched_priority_limit(c_int(vm, policy)?, false))),
    ),
    FunctionDef::new(
        "sched_getscheduler",
        "(pid, /)",
        "Get the scheduling policy for the process identified by pid.",
        NativeFn::F1(|vm, pid| number(vm, vm.host().scheduler(c_int(vm, pid)?))),
    ),
    FunctionDef::new(
        "sched_getaffinity",
        "(pid, /)",
        "Return the affinity of the process identified by pid (or the current process if zero).",
        NativeFn::F1(affinity),
    ),
    FunctionDef::new(
        "sched_setaffinity",
        "(pid, mask, /)",
        "Set the CPU affinity of the process identified by pid to mask.",
        NativeFn::F2(set_affinity),
    ),
    FunctionDef::new(
        "pidfd_open",
        "(pid, flags=0)",
        "Return a file descriptor referring to the process *pid*.",
        NativeFn::Args(|vm, args| {
            let flags = args.int_or(vm, 1, 0)? as u32;
            number(vm, vm.host().pidfd_open(c_int(vm, args.req(0))?, flags))
        }),
    ),
    FunctionDef::new(
        "openpty",
        "()",
        "Open a pseudo-terminal.",
        NativeFn::F0(|vm| {
            let (control, terminal) = vm.host().openpty().map_err(|error| vm.os_error(error))?;
            vm.new_tuple(vec![vm.new_int(control.into())?, vm.new_int(terminal.into())?])
        }),
    ),
    FunctionDef::new(
        "login_tty",
        "(fd, /)",
        "Prepare the tty of which fd is a file descriptor for a new login session.",
        NativeFn::F1(|vm, fd| done(vm, vm.host().login_tty(descriptor(vm, fd)?))),
    ),
    FunctionDef::new(
        "tcgetpgrp",
        "(fd, /)",
        "Return the process group associated with the terminal specified by fd.",
        NativeFn::F1(|vm, fd| number(vm, vm.host().foreground(descriptor(vm, fd)?))),
    ),
    FunctionDef::new(
        "tcsetpgrp",
        "(fd, pgid, /)",
        "Set the process group associated with the terminal specified by fd.",
        NativeFn::F2(|vm, fd, group| {
            done(vm, vm.host().set_foreground(descriptor(vm, fd)?, c_int(vm, group)?))
        }),
    ),
    FunctionDef::new(
        "chroot",
        "(path)",
        "Change root directory to path.",
        NativeFn::Args(|vm, args| {
            let path = path_arg(vm, args.get(0), Accepts::Path, Of("chroot", "path"))?;
            match vm.host().chroot(path.bytes()) {
                Ok(()) => Ok(Value::NONE),
                Err(error) => Err(path.error(vm, error)),
            }
        }),
    ),
];

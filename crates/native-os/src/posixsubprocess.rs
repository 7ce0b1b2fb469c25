//! `_posixsubprocess`: how `subprocess` starts programs.

use pellucid_host::ForkExec;
use pellucid_native_sys::posix::files::id_arg;
use pellucid_native_sys::posix::path::fs_path_bytes;
use pellucid_native_sys::posix::process::{after_fork_in_child, after_fork_in_parent, before_fork};
use pellucid_native_sys::sys::{c_int, is_finalizing};
use pellucid_object::bytes::Bytes;
use pellucid_object::{Args, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Res, Tuple, Value};

fn is_sequence(value: &Value) -> bool {
    value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some()
}

/// The bytes objects of a sequence, each without a 0. Errors: `TypeError`, `ValueError`.
fn byte_strings(vm: &Interpreter, sequence: &Value) -> Res<Vec<Vec<u8>>> {
    let items = vm.collect(sequence)?;
    let one = |item: &Value| -> Res<Vec<u8>> {
        match item.downcast::<Bytes>().map(Bytes::as_slice) {
            Some(bytes) if bytes.contains(&0) => Err(vm.value_error("embedded null byte".to_string())),
            Some(bytes) => Ok(bytes.to_vec()),
            None => {
                let got = vm.type_name(item);
                Err(vm.type_error(format!("expected bytes, {got} found")))
            }
        }
    };
    items.iter().map(one).collect()
}

/// Descriptors to keep: ints in rising order. Errors: `ValueError`.
fn descriptors(vm: &Interpreter, tuple: &Value) -> Res<Vec<i32>> {
    let bad = || vm.value_error("bad value(s) in fds_to_keep".to_string());
    let Some(items) = tuple.downcast::<Tuple>().map(Tuple::items) else {
        return Err(
            vm.type_error(format!("fork_exec() argument 4 must be tuple, not {}", vm.type_name(tuple)))
        );
    };
    let mut result: Vec<i32> = Vec::new();
    for item in &items {
        let fd =
            vm.as_i64(item).and_then(|fd| i32::try_from(fd).ok()).filter(|fd| *fd >= 0).ok_or_else(bad)?;
        if result.last().is_some_and(|last| *last >= fd) {
            return Err(bad());
        }
        result.push(fd);
    }
    Ok(result)
}

/// Supplementary groups. Errors: `TypeError`, `ValueError`.
fn groups(vm: &Interpreter, value: &Value) -> Res<Option<Vec<u32>>> {
    if value.is_none() {
        return Ok(None);
    }
    if !is_sequence(value) {
        return Err(vm.type_error("setgroups argument must be a sequence".to_string()));
    }
    let items = vm.collect(value)?;
    if items.len() > 65_536 {
        return Err(vm.value_error("too many extra_groups".to_string()));
    }
    let one = |item: &Value| -> Res<u32> {
        if item.as_int().is_none() {
            return Err(vm.type_error("groups must be integers".to_string()));
        }
        match id_arg(vm, item, "gid") {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(vm.value_error("invalid group id".to_string())),
            Err(raised) => {
                drop(vm.take_raised(raised));
                Err(vm.value_error("invalid group id".to_string()))
            }
        }
    };
    items.iter().map(one).collect::<Res<Vec<u32>>>().map(Some)
}

fn id(vm: &Interpreter, value: &Value, name: &str) -> Res<Option<u32>> {
    if value.is_none() {
        return Ok(None);
    }
    Ok(Some(id_arg(vm, value, name)?.unwrap_or(u32::MAX)))
}

fn fork_exec(vm: &Interpreter, args: &Args) -> Res {
    let number = |index: usize| c_int(vm, args.req(index));
    let preexec = args.some(21).cloned();
    let close_fds = vm.truthy(args.req(2))?;
    let error_write = number(13)?;
    if close_fds && error_write < 3 {
        return Err(vm.value_error("errpipe_write must be >= 3".to_string()));
    }
    let keep = descriptors(vm, args.req(3))?;
    if preexec.is_some() && is_finalizing(vm) {
        let ty = vm.exceptions().python_finalization_error().clone();
        return Err(vm.raise_text(&ty, "preexec_fn not supported at interpreter shutdown"));
    }
    let executables = byte_strings(vm, args.req(1))?;
    let arguments = match args.some(0) {
        None => Vec::new(),
        Some(list) => {
            if !is_sequence(list) {
                return Err(vm.type_error("argv must be a tuple or list".to_string()));
            }
            vm.collect(list)?.iter().map(|item| fs_path_bytes(vm, item)).collect::<Res<Vec<_>>>()?
        }
    };
    let environment = args.some(5).map(|list| byte_strings(vm, list)).transpose()?;
    let directory = args.some(4).map(|path| fs_path_bytes(vm, path)).transpose()?;
    let process_group = number(16)?;
    let groups = groups(vm, args.req(18))?;
    let mask = number(20)?;
    let what = ForkExec {
        arguments: &arguments,
        executables: &executables,
        close_fds,
        keep: &keep,
        directory: directory.as_deref(),
        environment,
        parent_input: number(7)?,
        child_input: number(6)?,
        parent_output: number(8)?,
        child_output: number(9)?,
        parent_error: number(10)?,
        child_error: number(11)?,
        error_read: number(12)?,
        error_write,
        restore_signals: vm.truthy(args.req(14))?,
        new_session: vm.truthy(args.req(15))?,
        process_group: (process_group >= 0).then_some(process_group),
        gid: id(vm, args.req(17), "gid")?,
        groups: groups.as_deref(),
        uid: id(vm, args.req(19), "uid")?,
        umask: u32::try_from(mask).ok(),
    };
    let Some(function) = preexec else {
        return match vm.host().fork_exec(&what, None) {
            Ok(pid) => vm.new_int(pid.into()),
            Err(error) => Err(vm.os_error(error)),
        };
    };
    before_fork(vm);
    let mut run = || {
        after_fork_in_child(vm);
        match vm.call_values(&function, &[]) {
            Ok(_) => true,
            Err(raised) => {
                drop(vm.take_raised(raised));
                false
            }
        }
    };
    let result = vm.host().fork_exec(&what, Some(&mut run));
    after_fork_in_parent(vm);
    match result {
        Ok(pid) => vm.new_int(pid.into()),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_posixsubprocess",
    doc: "A POSIX helper for the subprocess module.",
    functions: &[FunctionDef::new(
        "fork_exec",
        "(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, \
         errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, /)",
        "Spawn a fresh new child process.\n\nFork a child process, close parent file descriptors as appropriate in the\nchild and dup the few that are needed before calling exec() in the child\nprocess.",
        NativeFn::Args(fork_exec),
    )],
    types: &[],
    constants: &[],
    init: None,
};

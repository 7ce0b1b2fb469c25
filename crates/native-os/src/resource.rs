//! `resource`: what processes use and may use.

use crate::{libc_constants, set_ints};
use pellucid_host::{Error, libc};
use pellucid_native_sys::posix::process::{STRUCT_RUSAGE, new_usage};
use pellucid_native_sys::sys::c_int;
use pellucid_object::{
    Args, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Raised, Res, Tuple, Value, constant,
};
use pellucid_types::structseq::structseq_type;

/// Number of resources that have limits.
const RESOURCES: i32 = 16;

fn getrusage(vm: &Interpreter, who: &Value) -> Res {
    let who = c_int(vm, who)?;
    match vm.host().usage(who) {
        Ok(usage) => new_usage(vm, &usage),
        Err(error) if error.errno == libc::EINVAL => Err(vm.value_error("invalid who parameter".to_string())),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn resource(vm: &Interpreter, value: &Value) -> Res<i32> {
    let number = c_int(vm, value)?;
    if (0..RESOURCES).contains(&number) {
        return Ok(number);
    }
    Err(vm.value_error("invalid resource specified".to_string()))
}

fn pair(vm: &Interpreter, (soft, hard): (u64, u64)) -> Res {
    vm.new_tuple(vec![vm.new_int(soft as i64)?, vm.new_int(hard as i64)?])
}

fn limit(vm: &Interpreter, value: &Value) -> Res<u64> {
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(limit) => Ok(limit as u64),
        None => Err(vm.overflow_error("int too big to convert".to_string())),
    }
}

fn limits(vm: &Interpreter, value: &Value) -> Res<(u64, u64)> {
    let items = match (value.downcast::<Tuple>(), value.downcast::<List>()) {
        (Some(tuple), _) => tuple.items(),
        _ => vm.collect(value)?,
    };
    match &items[..] {
        [soft, hard] => Ok((limit(vm, soft)?, limit(vm, hard)?)),
        _ => Err(vm.value_error("expected a tuple of 2 integers".to_string())),
    }
}

#[cold]
fn failed(vm: &Interpreter, error: Error) -> Raised {
    match error.errno {
        libc::EINVAL => vm.value_error("current limit exceeds maximum limit".to_string()),
        libc::EPERM if error.denied.is_none() => {
            vm.value_error("not allowed to raise maximum limit".to_string())
        }
        _ => vm.os_error(error),
    }
}

fn getrlimit(vm: &Interpreter, which: &Value) -> Res {
    let which = resource(vm, which)?;
    match vm.host().limit(which) {
        Ok(limits) => pair(vm, limits),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn setrlimit(vm: &Interpreter, which: &Value, new: &Value) -> Res {
    let number = resource(vm, which)?;
    vm.audit("resource.setrlimit", &[which.clone(), new.clone()])?;
    let limits = limits(vm, new)?;
    match vm.host().limits_of(0, number, Some(limits)) {
        Ok(_) => Ok(Value::NONE),
        Err(error) => Err(failed(vm, error)),
    }
}

fn prlimit(vm: &Interpreter, args: &Args) -> Res {
    let pid = c_int(vm, args.req(0))?;
    let number = resource(vm, args.req(1))?;
    let new = args.get(2);
    vm.audit(
        "resource.prlimit",
        &[args.req(0).clone(), args.req(1).clone(), new.cloned().unwrap_or(Value::NONE)],
    )?;
    let limits = new.filter(|new| !new.is_none()).map(|new| limits(vm, new)).transpose()?;
    match vm.host().limits_of(pid, number, limits) {
        Ok(old) => pair(vm, old),
        Err(error) if error.errno == libc::EINVAL => {
            Err(vm.value_error("current limit exceeds maximum limit".to_string()))
        }
        Err(error) => Err(vm.os_error(error)),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "resource",
    doc: "",
    functions: &[
        FunctionDef::new("getrusage", "(who, /)", "", NativeFn::F1(getrusage)),
        FunctionDef::new("getrlimit", "(resource, /)", "", NativeFn::F1(getrlimit)),
        FunctionDef::new("setrlimit", "(resource, limits, /)", "", NativeFn::F2(setrlimit)),
        FunctionDef::new("prlimit", "(pid, resource, limits=None, /)", "", NativeFn::Args(prlimit)),
        FunctionDef::new(
            "getpagesize",
            "()",
            "",
            NativeFn::F0(|vm| vm.new_int(vm.host().page_size() as i64)),
        ),
    ],
    types: &[],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().os_error().value().clone())),
        constant("struct_rusage", |vm| Ok(structseq_type(vm, &STRUCT_RUSAGE)?.into_value())),
        constant("RLIM_INFINITY", |vm| vm.new_int(libc::RLIM_INFINITY as i64)),
    ],
    init: Some(|vm, module| {
        set_ints(
            vm,
            module,
            libc_constants!(RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_NOFILE RLIMIT_AS
                RLIMIT_RSS RLIMIT_NPROC RLIMIT_MEMLOCK RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME
                RLIMIT_SIGPENDING RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD),
        )?;
        set_ints(vm, module, &[("RLIMIT_OFILE", libc::RLIMIT_NOFILE as i64)])
    }),
};

//! How the system shares processors out among processes.

use pellucid_object::{Args, CallArgs, FunctionDef, Interpreter, NativeFn, Res, Slot, Tuple, TypeDef, Value};
use pellucid_types::structseq::{
    StructSeqDef, build_structseq, constructible, new_structseq, structseq_type,
};

/// `sched_param(sched_priority)`: made from the one value, not from a sequence.
pub static SCHED_PARAM: StructSeqDef = StructSeqDef {
    ty: TypeDef {
        slots: &[Slot::New(new_param), Slot::Repr(pellucid_types::structseq::repr)],
        ..constructible("sched_param", "posix", "Currently has only one field: sched_priority")
    },
    fields: &[("sched_priority", "the scheduling priority")],
    visible: 1,
};

fn new_param(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let [priority] = pellucid_types::seq::bind(vm, "sched_param", ["sched_priority"], call)?;
    match priority {
        Some(priority) => build_structseq(vm, cls, &SCHED_PARAM, vec![priority]),
        None => {
            Err(vm.type_error("sched_param() missing required argument 'sched_priority' (pos 1)".to_string()))
        }
    }
}

/// The priority in a `sched_param`. Errors: `TypeError`, `OverflowError`.
fn priority(vm: &Interpreter, param: &Value) -> Res<i32> {
    if !vm.is_exact(param, &structseq_type(vm, &SCHED_PARAM)?) {
        return Err(vm.type_error("must have a sched_param object".to_string()));
    }
    let value = param.downcast::<Tuple>().and_then(|tuple| tuple.get(0)).unwrap_or(Value::NONE);
    let number = vm.expect_i64(&value)?;
    i32::try_from(number).map_err(|_| vm.overflow_error("sched_priority out of range".to_string()))
}

fn getparam(vm: &Interpreter, pid: &Value) -> Res {
    let pid = crate::sys::c_int(vm, pid)?;
    match vm.host().scheduling_priority(pid) {
        Ok(priority) => new_structseq(vm, &SCHED_PARAM, vec![vm.new_int(priority.into())?]),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn setparam(vm: &Interpreter, pid: &Value, param: &Value) -> Res {
    let pid = crate::sys::c_int(vm, pid)?;
    let priority = priority(vm, param)?;
    match vm.host().set_scheduling(pid, None, priority) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn setscheduler(vm: &Interpreter, args: &Args) -> Res {
    let (pid, policy) = (crate::sys::c_int(vm, args.req(0))?, crate::sys::c_int(vm, args.req(1))?);
    let priority = priority(vm, args.req(2))?;
    match vm.host().set_scheduling(pid, Some(policy), priority) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn rr_interval(vm: &Interpreter, pid: &Value) -> Res {
    let pid = crate::sys::c_int(vm, pid)?;
    match vm.host().round_robin_interval(pid) {
        Ok(interval) => vm.new_float(interval.as_secs_f64()),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub const FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "sched_getparam",
        "(pid, /)",
        "Returns scheduling parameters for the process identified by pid.",
        NativeFn::F1(getparam),
    ),
    FunctionDef::new(
        "sched_setparam",
        "(pid, param, /)",
        "Set scheduling parameters for the process identified by pid.",
        NativeFn::F2(setparam),
    ),
    FunctionDef::new(
        "sched_setscheduler",
        "(pid, policy, param, /)",
        "Set the scheduling policy for the process identified by pid.",
        NativeFn::Args(setscheduler),
    ),
    FunctionDef::new(
        "sched_rr_get_interval",
        "(pid, /)",
        "Return the round-robin quantum for the process identified by pid, in seconds.",
        NativeFn::F1(rr_interval),
    ),
];

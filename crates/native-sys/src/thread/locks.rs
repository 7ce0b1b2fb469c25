//! The types `lock` and `RLock`.

use crate::lock::{OwnedLock, RawLock};
use crate::time::{Round, nanoseconds};
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, Tuple, TypeDef, TypeFlags, Value,
    payload,
};
use std::time::Duration;

/// `_thread.TIMEOUT_MAX` in seconds.
pub const TIMEOUT_MAX: i64 = 9_223_372_036;

/// Payload of `lock`.
#[derive(Default)]
pub struct Lock(pub RawLock);

impl Payload for Lock {
    const CONTAINER: bool = false;
}

/// Payload of `RLock`.
#[derive(Default)]
pub struct RLock(pub OwnedLock);

impl Payload for RLock {
    const CONTAINER: bool = false;
}

fn lock<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a RawLock> {
    this.downcast::<Lock>()
        .map(|lock| &lock.0)
        .ok_or_else(|| vm.type_error("a lock was expected".to_string()))
}

fn rlock<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a OwnedLock> {
    this.downcast::<RLock>()
        .map(|lock| &lock.0)
        .ok_or_else(|| vm.type_error("an RLock was expected".to_string()))
}

/// The arguments of `acquire`: `Some(None)` waits for ever, `Some(0)` does not wait.
fn wanted(vm: &Interpreter, args: &Args) -> Res<Option<Duration>> {
    let blocking = args.bool_or(vm, 1, true)?;
    let timeout = match args.get(2) {
        Some(value) => nanoseconds(vm, value, Round::Up)?,
        None => -1_000_000_000,
    };
    let unset = timeout == -1_000_000_000;
    if !blocking {
        if !unset {
            return Err(vm.value_error("can't specify a timeout for a non-blocking call".to_string()));
        }
        return Ok(Some(Duration::ZERO));
    }
    if unset {
        return Ok(None);
    }
    match u64::try_from(timeout) {
        Ok(length) if timeout / 1_000_000_000 <= TIMEOUT_MAX => Ok(Some(Duration::from_nanos(length))),
        Ok(_) => Err(vm.overflow_error("timeout value is too large".to_string())),
        Err(_) => Err(vm.value_error("timeout value must be a non-negative number".to_string())),
    }
}

fn acquire(vm: &Interpreter, args: &Args) -> Res {
    let lock = lock(vm, args.req(0))?;
    match wanted(vm, args)? {
        Some(Duration::ZERO) => Ok(Value::bool(lock.try_acquire())),
        timeout => lock.acquire(vm, timeout).map(Value::bool),
    }
}

fn release(vm: &Interpreter, this: &Value) -> Res {
    if lock(vm, this)?.release() {
        return Ok(Value::NONE);
    }
    Err(vm.runtime_error("release unlocked lock".to_string()))
}

fn locked(vm: &Interpreter, this: &Value) -> Res {
    Ok(Value::bool(lock(vm, this)?.is_held()))
}

fn enter(vm: &Interpreter, this: &Value) -> Res {
    lock(vm, this)?.acquire(vm, None).map(Value::bool)
}

fn at_fork(vm: &Interpreter, this: &Value) -> Res {
    lock(vm, this)?.reset();
    Ok(Value::NONE)
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let state = if lock(vm, this)?.is_held() { "locked" } else { "unlocked" };
    vm.new_str(&format!("<{state} _thread.lock object at {:#x}>", this.bits()))
}

fn no_arguments(vm: &Interpreter, name: &str, args: &CallArgs) -> Res<()> {
    if args.values.is_empty() {
        return Ok(());
    }
    let given = args.values.len();
    Err(vm.type_error(format!("{name}() takes no arguments ({given} given)")))
}

macro_rules! aliases {
    ($first:literal, $second:literal, $sig:literal, $doc:literal, $function:expr) => {
        [FunctionDef::new($first, $sig, $doc, $function), FunctionDef::new($second, $sig, $doc, $function)]
    };
}

const ACQUIRE: [FunctionDef; 2] = aliases!(
    "acquire",
    "acquire_lock",
    "($self, /, blocking=True, timeout=-1)",
    "Lock the lock.",
    NativeFn::Args(acquire)
);
const RELEASE: [FunctionDef; 2] =
    aliases!("release", "release_lock", "($self, /)", "Release the lock.", NativeFn::F1(release));
const LOCKED: [FunctionDef; 2] = aliases!(
    "locked",
    "locked_lock",
    "($self, /)",
    "Return whether the lock is in the locked state.",
    NativeFn::F1(locked)
);

const fn first([one, _]: [FunctionDef; 2]) -> FunctionDef {
    one
}

const fn second([_, two]: [FunctionDef; 2]) -> FunctionDef {
    two
}

pub static LOCK: TypeDef = TypeDef {
    name: "lock",
    module: "_thread",
    base: None,
    payload: payload::<Lock>(),
    flags: TypeFlags::WEAKREF,
    doc: "lock()\n--\n\n\
          A lock object is a synchronization primitive.",
    slots: &[
        Slot::New(|vm, cls, args| {
            no_arguments(vm, "lock", args)?;
            vm.alloc_subclass(cls, Lock::default())
        }),
        Slot::Repr(repr),
    ],
    methods: &[
        first(ACQUIRE),
        second(ACQUIRE),
        first(RELEASE),
        second(RELEASE),
        first(LOCKED),
        second(LOCKED),
        FunctionDef::new("__enter__", "($self, /)", "Lock the lock.", NativeFn::F1(enter)),
        FunctionDef::new(
            "__exit__",
            "($self, /, *exc_info)",
            "Release the lock.",
            NativeFn::Raw(|vm, args| exit(vm, args, release)),
        ),
        FunctionDef::new("_at_fork_reinit", "($self, /)", "", NativeFn::F1(at_fork)),
    ],
    getset: &[],
};

fn exit(vm: &Interpreter, args: &CallArgs, release: fn(&Interpreter, &Value) -> Res) -> Res {
    match args.values.first() {
        Some(this) => release(vm, this),
        None => Err(vm.type_error("__exit__() needs a lock".to_string())),
    }
}

fn r_acquire(vm: &Interpreter, args: &Args) -> Res {
    rlock(vm, args.req(0))?.acquire(vm, wanted(vm, args)?).map(Value::bool)
}

fn r_release(vm: &Interpreter, this: &Value) -> Res {
    if rlock(vm, this)?.release(vm) {
        return Ok(Value::NONE);
    }
    Err(vm.runtime_error("cannot release un-acquired lock".to_string()))
}

fn r_release_save(vm: &Interpreter, this: &Value) -> Res {
    match rlock(vm, this)?.release_all(vm) {
        Some((count, owner)) => {
            vm.new_tuple(vec![vm.new_int(count as i64)?, crate::thread::new_ident(vm, owner)?])
        }
        None => Err(vm.runtime_error("cannot release un-acquired lock".to_string())),
    }
}

fn r_acquire_restore(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let parts = state.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [count, owner] = parts.as_slice() else {
        return Err(vm.type_error("_acquire_restore() argument 1 must be tuple".to_string()));
    };
    let count = usize::try_from(vm.expect_i64(count)?).unwrap_or(0);
    let owner = crate::thread::expect_ident(vm, owner)?;
    rlock(vm, this)?.acquire_all(vm, count, owner)?;
    Ok(Value::NONE)
}

fn r_repr(vm: &Interpreter, this: &Value) -> Res {
    let lock = rlock(vm, this)?;
    let (owner, count) = (lock.owner(), lock.count());
    let state = if count > 0 { "locked" } else { "unlocked" };
    let name = vm.type_name(this);
    let name = if &*name == "RLock" { "_thread.RLock".to_string() } else { name.to_string() };
    vm.new_str(&format!("<{state} {name} object owner={owner} count={count} at {:#x}>", this.bits()))
}

pub static RLOCK: TypeDef = TypeDef {
    name: "RLock",
    module: "_thread",
    base: None,
    payload: payload::<RLock>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF),
    doc: "A lock that the thread that has it may take again.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, RLock::default())), Slot::Repr(r_repr)],
    methods: &[
        FunctionDef::new(
            "acquire",
            "($self, /, blocking=True, timeout=-1)",
            "Lock the lock.",
            NativeFn::Args(r_acquire),
        ),
        FunctionDef::new("release", "($self, /)", "Release the lock.", NativeFn::F1(r_release)),
        FunctionDef::new(
            "locked",
            "($self, /)",
            "Return a boolean indicating whether this object is locked right now.",
            NativeFn::F1(|vm, this| Ok(Value::bool(rlock(vm, this)?.count() > 0))),
        ),
        FunctionDef::new(
            "__enter__",
            "($self, /)",
            "Lock the lock.",
            NativeFn::F1(|vm, this| rlock(vm, this)?.acquire(vm, None).map(Value::bool)),
        ),
        FunctionDef::new(
            "__exit__",
            "($self, /, *exc_info)",
            "Release the lock.",
            NativeFn::Raw(|vm, args| exit(vm, args, r_release)),
        ),
        FunctionDef::new(
            "_is_owned",
            "($self, /)",
            "For internal use by `threading.Condition`.",
            NativeFn::F1(|vm, this| Ok(Value::bool(rlock(vm, this)?.is_mine(vm)))),
        ),
        FunctionDef::new(
            "_recursion_count",
            "($self, /)",
            "For internal use by reentrancy checks.",
            NativeFn::F1(|vm, this| {
                let lock = rlock(vm, this)?;
                vm.new_int(if lock.is_mine(vm) { lock.count() as i64 } else { 0 })
            }),
        ),
        FunctionDef::new(
            "_release_save",
            "($self, /)",
            "For internal use by `threading.Condition`.",
            NativeFn::F1(r_release_save),
        ),
        FunctionDef::new(
            "_acquire_restore",
            "($self, state, /)",
            "For internal use by `threading.Condition`.",
            NativeFn::F2(r_acquire_restore),
        ),
        FunctionDef::new(
            "_at_fork_reinit",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                rlock(vm, this)?.reset();
                Ok(Value::NONE)
            }),
        ),
    ],
    getset: &[],
};

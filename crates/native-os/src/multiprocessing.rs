//! `_multiprocessing`: locks that processes share.

use crate::waiting::{Until, waiting};
use pellucid_host::{Semaphore, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_native_sys::time::seconds_as_f64;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    TypeDef, TypeFlags, Value, constant, payload,
};
use pellucid_types::seq::bind;
use std::cell::Cell;
use std::time::Duration;

/// A lock that its owner may take again.
const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;

/// Payload of `SemLock`.
struct SemLock {
    semaphore: Semaphore,
    kind: i32,
    most: i32,
    name: Option<String>,
    /// How often the thread has it that took it last.
    count: Cell<i32>,
    owner: Cell<u64>,
}

impl Payload for SemLock {
    const CONTAINER: bool = false;
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a SemLock> {
    value.downcast::<SemLock>().ok_or_else(|| vm.type_error("a SemLock was expected".to_string()))
}

impl SemLock {
    fn is_mine(&self, vm: &Interpreter) -> bool {
        self.count.get() > 0 && self.owner.get() == vm.gil().ident()
    }
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let names = ["kind", "value", "maxvalue", "name", "unlink"];
    let [Some(kind), Some(value), Some(most), Some(name), Some(unlink)] = bind(vm, "SemLock", names, call)?
    else {
        return Err(
            vm.type_error(format!("SemLock() missing required argument (got {} of 5)", call.values.len()))
        );
    };
    let (kind, value, most) = (c_int(vm, &kind)?, c_int(vm, &value)?, c_int(vm, &most)?);
    let (name, unlink) = (vm.expect_str(&name)?, vm.truthy(&unlink)?);
    if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
        return Err(vm.value_error("unrecognized kind".to_string()));
    }
    let failed = |error| vm.os_error(error);
    let start = u32::try_from(value).map_err(|_| failed(pellucid_host::Error::os(libc::EINVAL)))?;
    let host = vm.host();
    let semaphore = host.make_semaphore(name.as_bytes(), start).map_err(failed)?;
    if unlink {
        host.remove_semaphore(name.as_bytes()).map_err(failed)?;
    }
    let name = (!unlink).then_some(name);
    vm.alloc_subclass(cls, SemLock { semaphore, kind, most, name, count: Cell::new(0), owner: Cell::new(0) })
}

fn rebuild(vm: &Interpreter, args: &Args) -> Res {
    let (cls, kind, most) = (args.req(0), c_int(vm, args.req(2))?, c_int(vm, args.req(3))?);
    let Some(name) = args.some(4).map(|name| vm.expect_str(name)).transpose()? else {
        return Err(vm.value_error("a semaphore without a name cannot be opened again".to_string()));
    };
    let semaphore = vm.host().open_semaphore(name.as_bytes()).map_err(|error| vm.os_error(error))?;
    vm.alloc_subclass(
        cls,
        SemLock { semaphore, kind, most, name: Some(name), count: Cell::new(0), owner: Cell::new(0) },
    )
}

fn acquire(vm: &Interpreter, args: &Args) -> Res {
    let lock = this(vm, args.req(0))?;
    let block = args.bool_or(vm, 1, true)?;
    let timeout = match args.some(2) {
        None => None,
        Some(value) => {
            let seconds = seconds_as_f64(vm, value)?;
            Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
        }
    };
    take(vm, lock, block, timeout)
}

fn take(vm: &Interpreter, lock: &SemLock, block: bool, timeout: Option<Duration>) -> Res {
    if lock.kind == RECURSIVE_MUTEX && lock.is_mine(vm) {
        lock.count.set(lock.count.get() + 1);
        return Ok(Value::TRUE);
    }
    let semaphore = &lock.semaphore;
    let mut taken = semaphore.try_wait().map_err(|error| vm.os_error(error))?;
    if !taken && block {
        let until = match timeout {
            Some(timeout) if timeout > Duration::from_secs(1 << 32) => Until::Ever,
            timeout => Until::after(vm, timeout)?,
        };
        taken = waiting(vm, until, |left| semaphore.wait(left))?.map_err(|error| vm.os_error(error))?;
    }
    if taken {
        lock.count.set(lock.count.get() + 1);
        lock.owner.set(vm.gil().ident());
    }
    Ok(Value::bool(taken))
}

#[cold]
fn too_often(vm: &Interpreter) -> Raised {
    vm.value_error("semaphore or lock released too many times".to_string())
}

fn release(vm: &Interpreter, value: &Value) -> Res {
    let lock = this(vm, value)?;
    if lock.kind == RECURSIVE_MUTEX {
        if !lock.is_mine(vm) {
            return Err(
                vm.assertion_error("attempt to release recursive lock not owned by thread".to_string())
            );
        }
        if lock.count.get() > 1 {
            lock.count.set(lock.count.get() - 1);
            return Ok(Value::NONE);
        }
    } else if lock.semaphore.value().map_err(|error| vm.os_error(error))? >= lock.most {
        return Err(too_often(vm));
    }
    lock.semaphore.post().map_err(|error| vm.os_error(error))?;
    lock.count.set(lock.count.get() - 1);
    Ok(Value::NONE)
}

fn value_of(vm: &Interpreter, lock: &SemLock) -> Res<i32> {
    lock.semaphore.value().map(|value| value.max(0)).map_err(|error| vm.os_error(error))
}

static SEM_LOCK: TypeDef = TypeDef {
    name: "SemLock",
    module: "_multiprocessing",
    base: None,
    payload: payload::<SemLock>(),
    flags: TypeFlags::BASETYPE,
    doc: "Semaphore/Mutex type",
    slots: &[Slot::New(new)],
    methods: &[
        FunctionDef::new(
            "acquire",
            "($self, /, block=True, timeout=None)",
            "Acquire the semaphore/lock.",
            NativeFn::Args(acquire),
        ),
        FunctionDef::new("release", "($self, /)", "Release the semaphore/lock.", NativeFn::F1(release)),
        FunctionDef::new(
            "_count",
            "($self, /)",
            "Num of `acquire()`s minus num of `release()`s for this process.",
            NativeFn::F1(|vm, value| vm.new_int(this(vm, value)?.count.get().into())),
        ),
        FunctionDef::new(
            "_is_mine",
            "($self, /)",
            "Whether the lock is owned by this thread.",
            NativeFn::F1(|vm, value| Ok(Value::bool(this(vm, value)?.is_mine(vm)))),
        ),
        FunctionDef::new(
            "_get_value",
            "($self, /)",
            "Get the value of the semaphore.",
            NativeFn::F1(|vm, value| {
                let lock = this(vm, value)?;
                vm.new_int(value_of(vm, lock)?.into())
            }),
        ),
        FunctionDef::new(
            "_is_zero",
            "($self, /)",
            "Return whether semaphore has value zero.",
            NativeFn::F1(|vm, value| {
                let lock = this(vm, value)?;
                Ok(Value::bool(value_of(vm, lock)? == 0))
            }),
        ),
        FunctionDef::new(
            "_after_fork",
            "($self, /)",
            "Rezero the net acquisition count after fork().",
            NativeFn::F1(|vm, value| {
                this(vm, value)?.count.set(0);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::class(
            "_rebuild",
            "($type, handle, kind, maxvalue, name, /)",
            "",
            NativeFn::Args(rebuild),
        ),
        FunctionDef::new(
            "__enter__",
            "($self, /)",
            "Enter the semaphore/lock.",
            NativeFn::F1(|vm, value| {
                let lock = this(vm, value)?;
                take(vm, lock, true, None)
            }),
        ),
        FunctionDef::new(
            "__exit__",
            "($self, exc_type=None, exc_value=None, exc_tb=None, /)",
            "Exit the semaphore/lock.",
            NativeFn::Args(|vm, args| release(vm, args.req(0))),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "handle",
            doc: "",
            get: |vm, value| vm.new_int(this(vm, value)?.semaphore.address() as i64),
            set: None,
        },
        GetSetDef {
            name: "kind",
            doc: "",
            get: |vm, value| vm.new_int(this(vm, value)?.kind.into()),
            set: None,
        },
        GetSetDef {
            name: "maxvalue",
            doc: "",
            get: |vm, value| vm.new_int(this(vm, value)?.most.into()),
            set: None,
        },
        GetSetDef {
            name: "name",
            doc: "",
            get: |vm, value| match &this(vm, value)?.name {
                Some(name) => vm.new_str(name),
                None => Ok(Value::NONE),
            },
            set: None,
        },
    ],
};

fn sem_unlink(vm: &Interpreter, name: &Value) -> Res {
    let name = vm.expect_str(name)?;
    crate::done(vm, vm.host().remove_semaphore(name.as_bytes()))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_multiprocessing",
    doc: "",
    functions: &[FunctionDef::new("sem_unlink", "(name, /)", "", NativeFn::F1(sem_unlink))],
    types: &[&SEM_LOCK],
    constants: &[constant("flags", |vm| {
        let flags = vm.new_dict()?;
        for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
            flags.set(vm, vm.new_str(name)?, vm.new_int(1)?)?;
        }
        Ok(flags.into_value())
    })],
    init: Some(|vm, _| {
        // Class attributes, as the library reads them.
        let cls = vm.type_for(&SEM_LOCK)?;
        if let Some(namespace) = cls.namespace() {
            namespace.set(vm, vm.intern("SEM_VALUE_MAX")?, vm.new_int(i32::MAX.into())?)?;
            cls.modified();
        }
        Ok(())
    }),
};

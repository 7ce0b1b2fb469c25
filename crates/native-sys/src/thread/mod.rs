//! `_thread`: threads, their locks and what belongs to each of them.

mod local;
mod locks;

pub use locks::{Lock, RLock};

use crate::lock::Event;
use locks::TIMEOUT_MAX;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Slot,
    Tuple, TypeDef, TypeFlags, Value, constant, payload,
};
use pellucid_types::structseq::{StructSeqDef, constructible, structseq_type};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

/// Stack of a thread unless `stack_size` says otherwise: as much as the main thread usually has, twice.
const DEFAULT_STACK: usize = 16 << 20;

/// What the module knows of the interpreter's threads.
#[derive(Default)]
struct Threads {
    /// Handles of threads that the interpreter's end waits for.
    awaited: RefCell<Vec<Rc<Shared>>>,
    /// What belongs to handles that Python code has.
    known: RefCell<Vec<Weak<Shared>>>,
    running: Cell<usize>,
    stack_size: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    NotStarted,
    Starting,
    Running,
    Done,
}

/// What a handle and its thread have in common.
struct Shared {
    state: Cell<State>,
    ident: Cell<u64>,
    done: Event,
}

impl Shared {
    fn new() -> Rc<Shared> {
        Rc::new(Shared { state: Cell::new(State::NotStarted), ident: Cell::new(0), done: Event::default() })
    }
}

/// What belongs to a new handle.
fn new_shared(vm: &Interpreter) -> Rc<Shared> {
    let shared = Shared::new();
    let threads = vm.state::<Threads>();
    let mut known = threads.known.borrow_mut();
    if known.len() == known.capacity() {
        known.retain(|shared| shared.strong_count() > 0);
    }
    known.push(Rc::downgrade(&shared));
    shared
}

/// Payload of `_ThreadHandle`.
struct Handle(Rc<Shared>);

impl Payload for Handle {
    const CONTAINER: bool = false;
}

fn handle(vm: &Interpreter, this: &Value) -> Res<Rc<Shared>> {
    match this.downcast::<Handle>() {
        Some(handle) => Ok(handle.0.clone()),
        None => Err(vm.type_error("'handle' must be a _ThreadHandle".to_string())),
    }
}

/// An ident as an int.
pub fn new_ident(vm: &Interpreter, ident: u64) -> Res {
    match i64::try_from(ident) {
        Ok(small) => vm.new_int(small),
        Err(_) => vm.new_big(IBig::from(ident)),
    }
}

/// The ident in an int. Errors: `TypeError`, `OverflowError`.
pub fn expect_ident(vm: &Interpreter, value: &Value) -> Res<u64> {
    let number = match value.as_int() {
        Some(IntRef::Small(i)) => u64::try_from(i).ok(),
        Some(IntRef::Big(big)) => u64::try_from(big).ok(),
        None => {
            let name = vm.type_name(value);
            return Err(vm.type_error(format!("thread ident must be an int, not {name}")));
        }
    };
    number.ok_or_else(|| vm.overflow_error("Python int too large to convert to C unsigned long".to_string()))
}

fn handle_repr(vm: &Interpreter, this: &Value) -> Res {
    let ident = handle(vm, this)?.ident.get();
    vm.new_str(&format!("<_ThreadHandle object: ident={ident}>"))
}

fn join_shared(vm: &Interpreter, shared: &Shared, timeout: Option<Duration>) -> Res<()> {
    if shared.state.get() == State::NotStarted {
        return Err(vm.runtime_error("thread not started".to_string()));
    }
    if shared.state.get() != State::Done && shared.ident.get() == vm.gil().ident() {
        return Err(vm.runtime_error("Cannot join current thread".to_string()));
    }
    shared.done.wait(vm, timeout).map(drop)
}

fn join(vm: &Interpreter, args: &Args) -> Res {
    let shared = handle(vm, args.req(0))?;
    let timeout = match args.some(1) {
        Some(value) => {
            let length = crate::time::nanoseconds(vm, value, crate::time::Round::Up)?;
            // A negative timeout is none, as it always was.
            u64::try_from(length).ok().map(Duration::from_nanos)
        }
        None => None,
    };
    join_shared(vm, &shared, timeout)?;
    Ok(Value::NONE)
}

static HANDLE: TypeDef = TypeDef {
    name: "_ThreadHandle",
    module: "_thread",
    base: None,
    payload: payload::<Handle>(),
    flags: TypeFlags::NONE,
    doc: "A thread that can be joined.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Handle(new_shared(vm)))), Slot::Repr(handle_repr)],
    methods: &[
        FunctionDef::new(
            "join",
            "($self, timeout=None, /)",
            "Wait until the thread is done.",
            NativeFn::Args(join),
        ),
        FunctionDef::new(
            "is_done",
            "($self, /)",
            "Whether the thread is done.",
            NativeFn::F1(|vm, this| Ok(Value::bool(handle(vm, this)?.done.is_set()))),
        ),
        FunctionDef::new(
            "_set_done",
            "($self, /)",
            "Say that the thread is done.",
            NativeFn::F1(|vm, this| {
                let shared = handle(vm, this)?;
                if shared.state.get() == State::NotStarted {
                    return Err(vm.runtime_error("thread not started".to_string()));
                }
                shared.state.set(State::Done);
                shared.done.set();
                Ok(Value::NONE)
            }),
        ),
    ],
    getset: &[GetSetDef {
        name: "ident",
        doc: "",
        get: |vm, this| new_ident(vm, handle(vm, this)?.ident.get()),
        set: None,
    }],
};

/// What a thread calls.
struct Task {
    function: Value,
    args: Vec<Value>,
    keywords: Vec<(Value, Value)>,
}

impl Task {
    fn run(self, vm: &Interpreter) {
        let (names, values): (Vec<Value>, Vec<Value>) = self.keywords.into_iter().unzip();
        let mut all = self.args;
        all.extend(values);
        let result = vm.call(&self.function, &CallArgs { values: &all, names: &names });
        match result {
            Ok(value) => drop(value),
            Err(raised) if vm.raised_is(vm.exceptions().system_exit()) => drop(vm.take_raised(raised)),
            Err(raised) => {
                crate::report_ignored(vm, raised, "Exception ignored in thread started by", &self.function);
            }
        }
    }
}

/// Starts a thread. Errors: `RuntimeError` when the system has none, `PythonFinalizationError`.
fn start(vm: &Interpreter, task: Task, shared: Rc<Shared>, daemon: bool) -> Res<()> {
    if crate::sys::is_finalizing(vm) {
        let ty = vm.exceptions().python_finalization_error().clone();
        return Err(vm.raise_text(&ty, "can't create new thread at interpreter shutdown"));
    }
    if shared.state.get() != State::NotStarted {
        return Err(vm.runtime_error("thread already started".to_string()));
    }
    shared.state.set(State::Starting);
    let threads = vm.state::<Threads>();
    let stack = if threads.stack_size.get() == 0 { DEFAULT_STACK } else { threads.stack_size.get() };
    let mine = shared.clone();
    let body = Box::new(move |vm: &Interpreter| {
        mine.ident.set(vm.gil().ident());
        mine.state.set(State::Running);
        task.run(vm);
        let threads = vm.state::<Threads>();
        threads.running.set(threads.running.get().saturating_sub(1));
        threads.awaited.borrow_mut().retain(|other| !Rc::ptr_eq(other, &mine));
        // Who joins comes back only when this thread has given the interpreter's lock back, for good.
        mine.state.set(State::Done);
        mine.done.set();
    });
    threads.running.set(threads.running.get() + 1);
    if !daemon {
        threads.awaited.borrow_mut().push(shared.clone());
    }
    if vm.start_thread("", stack, body)?.is_err() {
        threads.running.set(threads.running.get().saturating_sub(1));
        threads.awaited.borrow_mut().retain(|other| !Rc::ptr_eq(other, &shared));
        shared.state.set(State::NotStarted);
        return Err(vm.runtime_error("can't start new thread".to_string()));
    }
    // The ident is there as soon as the thread had its first turn.
    while shared.state.get() == State::Starting {
        vm.allow_threads(std::thread::yield_now);
    }
    Ok(())
}

fn is_callable(vm: &Interpreter, value: &Value) -> bool {
    vm.type_of(value).slots.call.get().is_some()
}

fn start_new_thread(vm: &Interpreter, args: &Args) -> Res {
    let (function, positional) = (args.req(0), args.req(1));
    if !is_callable(vm, function) {
        return Err(vm.type_error("first arg must be callable".to_string()));
    }
    let Some(tuple) = positional.downcast::<Tuple>() else {
        return Err(vm.type_error("2nd arg must be a tuple".to_string()));
    };
    let keywords = match args.get(2) {
        Some(keywords) => match keywords.downcast::<Dict>() {
            Some(dict) => dict.pairs(),
            None => return Err(vm.type_error("optional 3rd arg must be a dictionary".to_string())),
        },
        None => Vec::new(),
    };
    let shown = args.get(2).cloned().unwrap_or(Value::NONE);
    vm.audit("_thread.start_new_thread", &[function.clone(), positional.clone(), shown])?;
    let shared = Shared::new();
    let task = Task { function: function.clone(), args: tuple.items(), keywords };
    start(vm, task, shared.clone(), true)?;
    new_ident(vm, shared.ident.get())
}

fn start_joinable_thread(vm: &Interpreter, args: &Args) -> Res {
    let function = args.req(0);
    if !is_callable(vm, function) {
        return Err(vm.type_error("thread function must be callable".to_string()));
    }
    let this = match args.some(1) {
        Some(this) => this.clone(),
        None => vm.alloc(&vm.type_for(&HANDLE)?, Handle(new_shared(vm)))?,
    };
    let shared = handle(vm, &this)?;
    let daemon = args.bool_or(vm, 2, true)?;
    vm.audit(
        "_thread.start_joinable_thread",
        &[function.clone(), vm.new_int(i64::from(daemon))?, this.clone()],
    )?;
    start(vm, Task { function: function.clone(), args: Vec::new(), keywords: Vec::new() }, shared, daemon)?;
    Ok(this)
}

fn make_thread_handle(vm: &Interpreter, ident: &Value) -> Res {
    let ident = expect_ident(vm, ident)?;
    let shared = new_shared(vm);
    shared.ident.set(ident);
    shared.state.set(State::Running);
    vm.alloc(&vm.type_for(&HANDLE)?, Handle(shared))
}

/// Waits for all threads that are not daemons. Errors: what handlers of signals raise.
pub fn shutdown(vm: &Interpreter) -> Res<()> {
    let threads = vm.state::<Threads>();
    loop {
        let me = vm.gil().ident();
        let next = threads.awaited.borrow().iter().find(|shared| shared.ident.get() != me).cloned();
        let Some(shared) = next else { return Ok(()) };
        join_shared(vm, &shared, None)?;
        threads.awaited.borrow_mut().retain(|other| !Rc::ptr_eq(other, &shared));
    }
}

/// After a fork, in the child: the other threads are not there.
pub fn after_fork_in_child(vm: &Interpreter) {
    vm.gil().only_this_thread();
    let threads = vm.state::<Threads>();
    threads.running.set(0);
    let me = vm.gil().ident();
    let gone = threads.awaited.take();
    for shared in gone {
        if shared.ident.get() == me {
            threads.awaited.borrow_mut().push(shared);
        } else {
            shared.state.set(State::Done);
            shared.done.set();
        }
    }
    let known: Vec<Rc<Shared>> = threads.known.borrow().iter().filter_map(Weak::upgrade).collect();
    for shared in
        known.iter().filter(|shared| shared.ident.get() != me && shared.state.get() != State::NotStarted)
    {
        shared.state.set(State::Done);
        shared.done.set();
    }
}

fn stack_size(vm: &Interpreter, args: &Args) -> Res {
    let size = args.int_or(vm, 0, 0)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error("size must be 0 or a positive value".to_string()));
    };
    if size != 0 && size < 32 << 10 {
        return Err(vm.value_error(format!("size not valid: {size} bytes")));
    }
    let threads = vm.state::<Threads>();
    let old = threads.stack_size.get();
    // No number of arguments changes it, as long as none is given.
    if args.get(0).is_some() {
        threads.stack_size.set(size);
    }
    vm.new_int(old as i64)
}

fn exit(vm: &Interpreter) -> Res {
    let ty = vm.exceptions().system_exit().clone();
    Err(vm.raise_with(&ty, Vec::new()))
}

fn interrupt_main(vm: &Interpreter, args: &Args) -> Res {
    let signal = args.int_or(vm, 0, i64::from(pellucid_host::libc::SIGINT))?;
    crate::signal::simulate(vm, signal)?;
    if vm.gil().is_main() {
        vm.poll()?;
    }
    Ok(Value::NONE)
}

/// The argument of `threading.excepthook`.
static EXCEPT_HOOK_ARGS: StructSeqDef = StructSeqDef {
    ty: constructible(
        "_ExceptHookArgs",
        "_thread",
        "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
    ),
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("thread", "Thread"),
    ],
    visible: 4,
};

fn excepthook(vm: &Interpreter, args: &Value) -> Res {
    if !vm.is_instance(args, &structseq_type(vm, &EXCEPT_HOOK_ARGS)?) {
        return Err(vm.type_error("_thread.excepthook argument type must be ExceptHookArgs".to_string()));
    }
    let fields = args.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [ty, value, _, thread] = fields.as_slice() else { return Err(vm.bug("thread hook")) };
    if ty.is(vm.exceptions().system_exit().value()) {
        return Ok(Value::NONE);
    }
    let mut file = crate::sys::hooks::stream(vm, "stderr")?;
    if file.is_none() && !thread.is_none() {
        // The stream that the thread remembered while it was started.
        file = vm.get_attr_opt(thread, "_stderr")?.filter(|file| !file.is_none());
    }
    let Some(file) = file else { return Ok(Value::NONE) };
    let name = if thread.is_none() { None } else { vm.get_attr_opt(thread, "name")? };
    let name = match name {
        Some(name) => vm.str(&name)?,
        None => vm.str(&new_ident(vm, vm.gil().ident())?)?,
    };
    crate::sys::hooks::write(vm, &file, &format!("Exception in thread {}:\n", vm.str_lossy(&name)))?;
    crate::sys::hooks::print_exception(vm, value)?;
    Ok(Value::NONE)
}

fn allocate_lock(vm: &Interpreter) -> Res {
    vm.alloc(&vm.type_for(&locks::LOCK)?, Lock::default())
}

fn set_name(vm: &Interpreter, name: &Value) -> Res {
    pellucid_host::set_thread_name(&vm.fs_encode(name)?);
    Ok(Value::NONE)
}

/// Makes a lock type final for Python code but known by two names.
fn lock_type(vm: &Interpreter) -> Res {
    Ok(vm.type_for(&locks::LOCK)?.into_value())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_thread",
    doc: "This module provides primitive operations to write multi-threaded programs.",
    functions: &[
        FunctionDef::new(
            "start_new_thread",
            "(function, args, kwargs={}, /)",
            "Start a new thread and return its identifier.",
            NativeFn::Args(start_new_thread),
        ),
        FunctionDef::new(
            "start_new",
            "(function, args, kwargs={}, /)",
            "An obsolete synonym of start_new_thread().",
            NativeFn::Args(start_new_thread),
        ),
        FunctionDef::new(
            "start_joinable_thread",
            "(function, handle=None, daemon=True)",
            "*For internal use only*: start a new thread.",
            NativeFn::Args(start_joinable_thread),
        ),
        FunctionDef::new(
            "_make_thread_handle",
            "(ident, /)",
            "Internal only. Make a thread handle for a thread not created by the module.",
            NativeFn::F1(make_thread_handle),
        ),
        FunctionDef::new("allocate_lock", "()", "Create a new lock object.", NativeFn::F0(allocate_lock)),
        FunctionDef::new(
            "allocate",
            "()",
            "An obsolete synonym of allocate_lock().",
            NativeFn::F0(allocate_lock),
        ),
        FunctionDef::new(
            "get_ident",
            "()",
            "Return a non-zero integer that uniquely identifies the current thread.",
            NativeFn::F0(|vm| new_ident(vm, vm.gil().ident())),
        ),
        FunctionDef::new(
            "_get_main_thread_ident",
            "()",
            "Internal only. Return a non-zero integer that uniquely identifies the main thread.",
            NativeFn::F0(|vm| new_ident(vm, vm.gil().main_ident())),
        ),
        FunctionDef::new(
            "get_native_id",
            "()",
            "Return a non-negative integer identifying the thread as reported by the OS (kernel).",
            NativeFn::F0(|vm| new_ident(vm, pellucid_host::native_thread_id())),
        ),
        FunctionDef::new(
            "_count",
            "()",
            "Return the number of currently running Python threads, excluding the main thread.",
            NativeFn::F0(|vm| vm.new_int(vm.state::<Threads>().running.get() as i64)),
        ),
        FunctionDef::new(
            "stack_size",
            "(size=0, /)",
            "Return the thread stack size used when creating new threads.",
            NativeFn::Args(stack_size),
        ),
        FunctionDef::new("exit", "()", "Like raising SystemExit in this thread.", NativeFn::F0(exit)),
        FunctionDef::new("exit_thread", "()", "An obsolete synonym of exit().", NativeFn::F0(exit)),
        FunctionDef::new(
            "interrupt_main",
            "(signum=signal.SIGINT, /)",
            "Simulate the arrival of the given signal in the main thread.",
            NativeFn::Args(interrupt_main),
        ),
        FunctionDef::new(
            "_excepthook",
            "(args, /)",
            "Handle uncaught Thread.run() exception.",
            NativeFn::F1(excepthook),
        ),
        FunctionDef::new(
            "_is_main_interpreter",
            "()",
            "Return True if the current interpreter is the main Python interpreter.",
            NativeFn::F0(|_| Ok(Value::TRUE)),
        ),
        FunctionDef::new(
            "daemon_threads_allowed",
            "()",
            "Return True if daemon threads are allowed in the current interpreter.",
            NativeFn::F0(|_| Ok(Value::TRUE)),
        ),
        FunctionDef::new(
            "_shutdown",
            "()",
            "Wait for all non-daemon threads to exit.",
            NativeFn::F0(|vm| {
                shutdown(vm)?;
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new("set_name", "(name)", "Set the name of the current thread.", NativeFn::F1(set_name)),
    ],
    types: &[&locks::LOCK, &locks::RLOCK, &local::LOCAL, &HANDLE],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().runtime_error().value().clone())),
        constant("LockType", lock_type),
        constant("_ExceptHookArgs", |vm| Ok(structseq_type(vm, &EXCEPT_HOOK_ARGS)?.into_value())),
        constant("TIMEOUT_MAX", |vm| vm.new_float(TIMEOUT_MAX as f64)),
        constant("_NAME_MAXLEN", |vm| vm.new_int(15)),
    ],
    init: None,
};

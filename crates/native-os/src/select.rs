//! `select`: waiting for many descriptors.

use crate::waiting::{Until, timeout_nanoseconds, waiting};
use crate::{libc_constants, set_ints};
use pellucid_host::{Error, PollEntry, SELECT_LIMIT, libc};
use pellucid_native_sys::posix::path::file_descriptor;
use pellucid_native_sys::sys::c_int;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, List, ModuleDef, NativeFn, Payload, Res, Slot,
    TypeDef, TypeFlags, Value, constant, payload,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

// ---- select ----

/// The objects of an argument with their descriptors. A list may change while its objects are asked for them.
/// Errors: `TypeError`, `ValueError`.
fn objects(vm: &Interpreter, value: &Value) -> Res<Vec<(Value, i32)>> {
    let mut result = Vec::new();
    let mut add = |item: Value| -> Res<()> {
        let fd = file_descriptor(vm, &item)?;
        if fd >= SELECT_LIMIT {
            return Err(vm.value_error("filedescriptor out of range in select()".to_string()));
        }
        if result.len() >= SELECT_LIMIT as usize {
            return Err(vm.value_error("too many file descriptors in select()".to_string()));
        }
        result.push((item, fd));
        Ok(())
    };
    if let Some(list) = value.downcast::<List>() {
        let mut index = 0;
        while let Some(item) = list.get(index) {
            add(item)?;
            index += 1;
        }
        return Ok(result);
    }
    let ty = vm.type_of(value);
    if ty.slots.iter.get().is_none() && ty.slots.getitem.get().is_none() {
        return Err(vm.type_error("arguments 1-3 must be sequences".to_string()));
    }
    vm.collect(value)?.into_iter().try_for_each(add)?;
    Ok(result)
}

fn select(vm: &Interpreter, args: &Args) -> Res {
    let timeout = match args.some(3) {
        None => None,
        Some(value) => {
            let length = timeout_nanoseconds(vm, value, "timeout must be a float or None")?;
            match u64::try_from(length) {
                Ok(length) => Some(Duration::from_nanos(length)),
                Err(_) => return Err(vm.value_error("timeout must be non-negative".to_string())),
            }
        }
    };
    let lists = [objects(vm, args.req(0))?, objects(vm, args.req(1))?, objects(vm, args.req(2))?];
    let fds: Vec<Vec<i32>> = lists.iter().map(|list| list.iter().map(|(_, fd)| *fd).collect()).collect();
    let host = vm.host();
    let until = Until::after(vm, timeout)?;
    let ready = waiting(vm, until, |left| host.select([&fds[0], &fds[1], &fds[2]], left))?
        .map_err(|error| vm.os_error(error))?;
    let mut result = Vec::new();
    for (list, ready) in lists.iter().zip(&ready) {
        let found = list.iter().filter(|(_, fd)| ready.contains(fd)).map(|(object, _)| object.clone());
        result.push(vm.new_list(found.collect())?);
    }
    vm.new_tuple(result)
}

// ---- poll ----

/// Payload of `select.poll`.
#[derive(Default)]
struct Poll {
    entries: RefCell<Vec<(i32, u16)>>,
    running: Cell<bool>,
}

impl Payload for Poll {
    const CONTAINER: bool = false;
}

fn this<'a, T: Payload>(vm: &Interpreter, value: &'a Value) -> Res<&'a T> {
    value
        .downcast::<T>()
        .ok_or_else(|| vm.type_error("an object of the select module was expected".to_string()))
}

/// A mask of events. Errors: `TypeError`, `ValueError`, `OverflowError`.
fn mask(vm: &Interpreter, value: Option<&Value>, default: u32, most: u32, of: &str) -> Res<u32> {
    let Some(value) = value else { return Ok(default) };
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(mask) if mask < 0 => Err(vm.value_error("value must be positive".to_string())),
        Some(mask) if mask <= i64::from(most) => Ok(mask as u32),
        None if vm.repr_lossy(&index)?.starts_with('-') => {
            Err(vm.value_error("value must be positive".to_string()))
        }
        _ => Err(vm.overflow_error(format!("Python int too large for C unsigned {of}"))),
    }
}

const ANY: u32 = (libc::POLLIN | libc::POLLPRI | libc::POLLOUT) as u32;

fn poll_register(vm: &Interpreter, args: &Args) -> Res {
    let fd = file_descriptor(vm, args.req(1))?;
    let events = mask(vm, args.get(2), ANY, 0xffff, "short")? as u16;
    let mut entries = this::<Poll>(vm, args.req(0))?.entries.borrow_mut();
    match entries.iter_mut().find(|entry| entry.0 == fd) {
        Some(entry) => entry.1 = events,
        None => entries.push((fd, events)),
    }
    Ok(Value::NONE)
}

fn poll_modify(vm: &Interpreter, args: &Args) -> Res {
    let fd = file_descriptor(vm, args.req(1))?;
    let events = mask(vm, args.get(2), 0, 0xffff, "short")? as u16;
    match this::<Poll>(vm, args.req(0))?.entries.borrow_mut().iter_mut().find(|entry| entry.0 == fd) {
        Some(entry) => entry.1 = events,
        None => return Err(vm.os_error(Error::os(libc::ENOENT))),
    }
    Ok(Value::NONE)
}

fn poll_unregister(vm: &Interpreter, poll: &Value, fd: &Value) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let mut entries = this::<Poll>(vm, poll)?.entries.borrow_mut();
    match entries.iter().position(|entry| entry.0 == fd) {
        Some(index) => {
            entries.remove(index);
            Ok(Value::NONE)
        }
        None => {
            drop(entries);
            Err(vm.key_error(vm.new_int(fd.into())?))
        }
    }
}

/// A timeout in milliseconds; `None` for ever. Errors: `TypeError`, `OverflowError`.
fn milliseconds(vm: &Interpreter, value: Option<&Value>) -> Res<Option<Duration>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    let too_large = || vm.overflow_error("timeout is too large".to_string());
    let count = if let Some(f) = value.as_float() {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)".to_string()));
        }
        let up = if f < 0.0 { f.floor() } else { f.ceil() };
        if up.abs() > 9e12 {
            return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t".to_string()));
        }
        up as i64
    } else {
        let index = match vm.index(value) {
            Ok(index) => index,
            Err(raised) if vm.raised_is(vm.exceptions().type_error()) => {
                drop(vm.take_raised(raised));
                return Err(vm.type_error("timeout must be an integer or None".to_string()));
            }
            Err(raised) => return Err(raised),
        };
        vm.as_i64(&index)
            .ok_or_else(|| vm.overflow_error("timestamp too large to convert to C PyTime_t".to_string()))?
    };
    match u64::try_from(count) {
        Ok(count) if count <= i32::MAX as u64 => Ok(Some(Duration::from_millis(count))),
        Ok(_) => Err(too_large()),
        Err(_) if count < i64::from(i32::MIN) => Err(too_large()),
        Err(_) => Ok(None),
    }
}

fn poll_poll(vm: &Interpreter, args: &Args) -> Res {
    let timeout = milliseconds(vm, args.get(1))?;
    let poll = this::<Poll>(vm, args.req(0))?;
    if poll.running.replace(true) {
        return Err(vm.runtime_error("concurrent poll() invocation".to_string()));
    }
    let mut entries: Vec<PollEntry> = poll
        .entries
        .borrow()
        .iter()
        .map(|(fd, events)| PollEntry { fd: *fd, events: *events, revents: 0 })
        .collect();
    let host = vm.host();
    let result =
        Until::after(vm, timeout).and_then(|until| waiting(vm, until, |left| host.poll(&mut entries, left)));
    poll.running.set(false);
    result?.map_err(|error| vm.os_error(error))?;
    pairs(vm, entries.iter().filter(|e| e.revents != 0).map(|e| (e.fd, u32::from(e.revents))))
}

/// A list of (descriptor, events).
fn pairs(vm: &Interpreter, events: impl Iterator<Item = (i32, u32)>) -> Res {
    let pair =
        |(fd, events): (i32, u32)| vm.new_tuple(vec![vm.new_int(fd.into())?, vm.new_int(events.into())?]);
    vm.new_list(events.map(pair).collect::<Res<Vec<_>>>()?)
}

static POLL: TypeDef = TypeDef {
    name: "poll",
    module: "select",
    base: None,
    payload: payload::<Poll>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[
        FunctionDef::new(
            "register",
            "($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)",
            "Register a file descriptor with the polling object.",
            NativeFn::Args(poll_register),
        ),
        FunctionDef::new(
            "modify",
            "($self, fd, eventmask, /)",
            "Modify an already registered file descriptor.",
            NativeFn::Args(poll_modify),
        ),
        FunctionDef::new(
            "unregister",
            "($self, fd, /)",
            "Remove a file descriptor being tracked by the polling object.",
            NativeFn::F2(poll_unregister),
        ),
        FunctionDef::new(
            "poll",
            "($self, timeout=None, /)",
            "Polls the set of registered file descriptors.",
            NativeFn::Args(poll_poll),
        ),
    ],
    getset: &[],
};

// ---- epoll ----

/// Payload of `select.epoll`: the descriptor, -1 when closed.
struct Epoll(Cell<i32>);

impl Payload for Epoll {
    const CONTAINER: bool = false;
}

/// An epoll object's descriptor. Errors: `ValueError` when it is closed.
fn open_epoll(vm: &Interpreter, value: &Value) -> Res<i32> {
    match this::<Epoll>(vm, value)?.0.get() {
        -1 => Err(vm.value_error("I/O operation on closed epoll object".to_string())),
        fd => Ok(fd),
    }
}

fn epoll_new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let [hint, flags] = pellucid_types::seq::bind(vm, "epoll", ["sizehint", "flags"], call)?;
    let hint = hint.map_or(Ok(-1), |value| c_int(vm, &value))?;
    let flags = flags.map_or(Ok(0), |value| c_int(vm, &value))?;
    if hint != -1 && hint <= 0 {
        return Err(vm.value_error("negative sizehint".to_string()));
    }
    if flags & !libc::EPOLL_CLOEXEC != 0 {
        let ty = vm.exceptions().os_error().clone();
        return Err(vm.raise_text(&ty, "invalid flags"));
    }
    let fd = vm.host().epoll().map_err(|error| vm.os_error(error))?;
    vm.alloc_subclass(cls, Epoll(Cell::new(fd)))
}

fn epoll_fromfd(vm: &Interpreter, cls: &Value, fd: &Value) -> Res {
    let fd = c_int(vm, fd)?;
    vm.alloc_subclass(cls, Epoll(Cell::new(fd)))
}

fn epoll_close(vm: &Interpreter, value: &Value) -> Res {
    match this::<Epoll>(vm, value)?.0.replace(-1) {
        -1 => Ok(Value::NONE),
        fd => crate::done(vm, vm.host().close(fd)),
    }
}

fn epoll_finalize(vm: &Interpreter, value: &Value) {
    if let Some(epoll) = value.downcast::<Epoll>()
        && epoll.0.get() >= 0
    {
        // Nobody is left who could be told.
        let _closed = vm.host().close(epoll.0.replace(-1));
    }
}

fn epoll_control(vm: &Interpreter, args: &Args, operation: i32, events: u32) -> Res {
    let epoll = open_epoll(vm, args.req(0))?;
    let fd = file_descriptor(vm, args.req(1))?;
    crate::done(vm, vm.host().epoll_control(epoll, operation, fd, events))
}

fn epoll_register(vm: &Interpreter, args: &Args) -> Res {
    let events = mask(vm, args.get(2), ANY, u32::MAX, "int")?;
    epoll_control(vm, args, libc::EPOLL_CTL_ADD, events)
}

fn epoll_modify(vm: &Interpreter, args: &Args) -> Res {
    let events = mask(vm, args.get(2), 0, u32::MAX, "int")?;
    epoll_control(vm, args, libc::EPOLL_CTL_MOD, events)
}

fn epoll_unregister(vm: &Interpreter, args: &Args) -> Res {
    epoll_control(vm, args, libc::EPOLL_CTL_DEL, 0)
}

fn epoll_poll(vm: &Interpreter, args: &Args) -> Res {
    let epoll = open_epoll(vm, args.req(0))?;
    let timeout = match args.some(1) {
        None => None,
        Some(value) => {
            let length = timeout_nanoseconds(vm, value, "timeout must be an integer or None")?;
            if length / 1_000_000 > i64::from(i32::MAX) || length / 1_000_000 < i64::from(i32::MIN) {
                return Err(vm.overflow_error("timeout is too large".to_string()));
            }
            u64::try_from(length).ok().map(Duration::from_nanos)
        }
    };
    let most = match args.get(2).map_or(Ok(-1), |value| c_int(vm, value))? {
        -1 => SELECT_LIMIT as usize - 1,
        most if most > 0 => most as usize,
        most => return Err(vm.value_error(format!("maxevents must be greater than 0, got {most}"))),
    };
    let host = vm.host();
    let until = Until::after(vm, timeout)?;
    let events =
        waiting(vm, until, |left| host.epoll_wait(epoll, most, left))?.map_err(|error| vm.os_error(error))?;
    pairs(vm, events.iter().map(|event| (event.fd, event.events)))
}

static EPOLL: TypeDef = TypeDef {
    name: "epoll",
    module: "select",
    base: None,
    payload: payload::<Epoll>(),
    flags: TypeFlags::HAS_FINALIZER,
    doc: "select.epoll(sizehint=-1, flags=0)\n\nReturns an epolling object\n\nsizehint must be a positive integer or -1 for the default size. The\nsizehint is used to optimize internal data structures. It doesn't limit\nthe maximum number of monitored events.",
    slots: &[Slot::New(epoll_new), Slot::Finalize(epoll_finalize)],
    methods: &[
        FunctionDef::class(
            "fromfd",
            "($type, fd, /)",
            "Create an epoll object from a given control fd.",
            NativeFn::F2(epoll_fromfd),
        ),
        FunctionDef::new(
            "close",
            "($self, /)",
            "Close the epoll control file descriptor.\n\nFurther operations on the epoll object will raise an exception.",
            NativeFn::F1(epoll_close),
        ),
        FunctionDef::new(
            "fileno",
            "($self, /)",
            "Return the epoll control file descriptor.",
            NativeFn::F1(|vm, this| vm.new_int(open_epoll(vm, this)?.into())),
        ),
        FunctionDef::new(
            "register",
            "($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)",
            "Registers a new fd or raises an OSError if the fd is already registered.",
            NativeFn::Args(epoll_register),
        ),
        FunctionDef::new(
            "modify",
            "($self, /, fd, eventmask)",
            "Modify event mask for a registered file descriptor.",
            NativeFn::Args(epoll_modify),
        ),
        FunctionDef::new(
            "unregister",
            "($self, /, fd)",
            "Remove a registered file descriptor from the epoll object.",
            NativeFn::Args(epoll_unregister),
        ),
        FunctionDef::new(
            "poll",
            "($self, /, timeout=None, maxevents=-1)",
            "Wait for events on the epoll file descriptor.",
            NativeFn::Args(epoll_poll),
        ),
        FunctionDef::new(
            "__enter__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                open_epoll(vm, this)?;
                Ok(this.clone())
            }),
        ),
        FunctionDef::new(
            "__exit__",
            "($self, exc_type=None, exc_value=None, exc_tb=None, /)",
            "",
            NativeFn::Args(|vm, args| vm.call_method(args.req(0), "close", &[])),
        ),
    ],
    getset: &[GetSetDef {
        name: "closed",
        doc: "True if the epoll handler is closed",
        get: |vm, value| Ok(Value::bool(this::<Epoll>(vm, value)?.0.get() < 0)),
        set: None,
    }],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "select",
    doc: "This module supports asynchronous I/O on multiple file descriptors.",
    functions: &[
        FunctionDef::new(
            "select",
            "(rlist, wlist, xlist, timeout=None, /)",
            "Wait until one or more file descriptors are ready for some kind of I/O.",
            NativeFn::Args(select),
        ),
        FunctionDef::new(
            "poll",
            "()",
            "Returns a polling object.",
            NativeFn::F0(|vm| vm.alloc(&vm.type_for(&POLL)?, Poll::default())),
        ),
    ],
    types: &[&EPOLL],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().os_error().value().clone())),
        constant("PIPE_BUF", |vm| vm.new_int(libc::PIPE_BUF as i64)),
    ],
    init: Some(init),
};

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    set_ints(
        vm,
        module,
        libc_constants!(POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND
            POLLRDHUP EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLONESHOT EPOLLEXCLUSIVE EPOLLRDNORM
            EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND EPOLLMSG EPOLLWAKEUP EPOLL_CLOEXEC),
    )?;
    set_ints(vm, module, &[("EPOLLET", 1 << 31), ("POLLMSG", 0x400)])
}

//! The type `socket`.
//!
//! A socket with a timeout does not block in the system: it is waited for with `poll`, so that handlers of signals run in between and
//! the whole call keeps to the time.

use super::address::{make, parse};
use super::message;
use crate::waiting::{Until, blocking, waiting};
use pellucid_host::{Address, Error, PollEntry, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_native_sys::time::{Round, nanoseconds};
use pellucid_native_sys::warnings::warn_resource;
use pellucid_object::{
    Args, BytesLike, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res, Slot,
    TypeDef, TypeFlags, Value, payload,
};
use std::cell::Cell;
use std::time::Duration;

/// No timeout: calls wait as long as it takes.
const BLOCKING: i64 = -1;

/// Payload of `socket`.
pub struct Socket {
    /// -1 when closed.
    fd: Cell<i32>,
    family: Cell<i32>,
    kind: Cell<i32>,
    protocol: Cell<i32>,
    /// Nanoseconds; 0: never wait; negative: no limit.
    timeout: Cell<i64>,
}

impl Payload for Socket {
    const CONTAINER: bool = false;
}

/// The timeout of new sockets.
pub struct DefaultTimeout(Cell<i64>);

impl Default for DefaultTimeout {
    fn default() -> DefaultTimeout {
        DefaultTimeout(Cell::new(BLOCKING))
    }
}

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Read,
    Write,
}

pub fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Socket> {
    value.downcast::<Socket>().ok_or_else(|| vm.type_error("a socket was expected".to_string()))
}

#[cold]
pub fn timed_out(vm: &Interpreter) -> Raised {
    vm.raise_text(&vm.exceptions().timeout_error().clone(), "timed out")
}

/// Waits until a descriptor is ready. False when the time is over. Errors: what handlers of signals raise.
fn wait_for(vm: &Interpreter, fd: i32, ready: Ready, until: Until) -> Res<Result<bool, Error>> {
    let host = vm.host();
    let events = match ready {
        Ready::Read => libc::POLLIN,
        Ready::Write => libc::POLLOUT,
    } as u16;
    waiting(vm, until, |left| {
        let mut entries = [PollEntry { fd, events, revents: 0 }];
        host.poll(&mut entries, left).map(|count| count > 0)
    })
}

impl Socket {
    pub fn fd(&self) -> i32 {
        self.fd.get()
    }

    pub fn family(&self) -> i32 {
        self.family.get()
    }

    fn until(&self, vm: &Interpreter) -> Res<Until> {
        Until::after(vm, u64::try_from(self.timeout.get()).ok().map(Duration::from_nanos))
    }

    /// Does a call that may have to wait, within the socket's timeout. Errors: `OSError`, `TimeoutError`, what handlers raise.
    pub fn call<T: Send>(
        &self,
        vm: &Interpreter,
        ready: Ready,
        call: impl FnMut(i32) -> Result<T, Error> + Send,
    ) -> Res<T> {
        let until = self.until(vm)?;
        self.call_until(vm, ready, until, call)
    }

    /// As [`Socket::call`], until the given time.
    pub fn call_until<T: Send>(
        &self,
        vm: &Interpreter,
        ready: Ready,
        until: Until,
        mut call: impl FnMut(i32) -> Result<T, Error> + Send,
    ) -> Res<T> {
        let timed = self.timeout.get() > 0;
        loop {
            let fd = self.fd.get();
            if timed && fd >= 0 && !wait_for(vm, fd, ready, until)?.map_err(|error| vm.os_error(error))? {
                return Err(timed_out(vm));
            }
            match blocking(vm, || call(fd))? {
                Ok(value) => return Ok(value),
                // What was ready may have been taken by somebody else.
                Err(error) if timed && error.errno == libc::EAGAIN => {}
                Err(error) => return Err(vm.os_error(error)),
            }
        }
    }
}

// ---- making ----

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    let socket = Socket {
        fd: Cell::new(-1),
        family: Cell::new(0),
        kind: Cell::new(0),
        protocol: Cell::new(0),
        timeout: Cell::new(vm.state::<DefaultTimeout>().0.get()),
    };
    vm.alloc_subclass(cls, socket)
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let names = ["family", "type", "proto", "fileno"];
    let [family, kind, protocol, fileno] = pellucid_types::seq::bind(vm, "socket", names, call)?;
    let number = |value: Option<Value>| value.map_or(Ok(-1), |value| c_int(vm, &value));
    let (mut family, mut kind, mut protocol) = (number(family)?, number(kind)?, number(protocol)?);
    let fileno = fileno.filter(|fileno| !fileno.is_none());
    let int = |number: i32| vm.new_int(number.into());
    vm.audit("socket.__new__", &[value.clone(), int(family)?, int(kind)?, int(protocol)?])?;
    let host = vm.host();
    let fd = match fileno {
        Some(fileno) => {
            if fileno.as_float().is_some() {
                return Err(vm.type_error("integer argument expected, got float".to_string()));
            }
            let fd = c_int(vm, &fileno)?;
            if fd < 0 {
                return Err(vm.value_error("negative file descriptor".to_string()));
            }
            match host.socket_name(fd) {
                Ok(address) if family == -1 => family = address.family(),
                Ok(_) => {}
                Err(error) if family == -1 || matches!(error.errno, libc::EBADF | libc::ENOTSOCK) => {
                    return Err(vm.os_error(error));
                }
                Err(_) => {}
            }
            let option = |option: i32| {
                host.socket_option(fd, libc::SOL_SOCKET, option).map_err(|error| vm.os_error(error))
            };
            if kind == -1 {
                kind = option(libc::SO_TYPE)?;
            }
            if protocol == -1 {
                protocol = option(libc::SO_PROTOCOL)?;
            }
            fd
        }
        None => {
            family = if family == -1 { libc::AF_INET } else { family };
            kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
            protocol = if protocol == -1 { 0 } else { protocol };
            host.socket(family, kind, protocol).map_err(|error| vm.os_error(error))?
        }
    };
    set_up(vm, value, fd, family, kind, protocol)
}

/// Fills a socket object. Errors: `OSError`.
fn set_up(vm: &Interpreter, value: &Value, fd: i32, family: i32, kind: i32, protocol: i32) -> Res<()> {
    let socket = this(vm, value)?;
    socket.fd.set(fd);
    socket.family.set(family);
    socket.kind.set(kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC));
    socket.protocol.set(protocol);
    if kind & libc::SOCK_NONBLOCK != 0 {
        socket.timeout.set(0);
        return Ok(());
    }
    let timeout = vm.state::<DefaultTimeout>().0.get();
    socket.timeout.set(timeout);
    if timeout >= 0 {
        vm.host().set_blocking(fd, false).map_err(|error| vm.os_error(error))?;
    }
    Ok(())
}

/// A socket object of the base type for an open descriptor. Errors: `OSError`, `MemoryError`.
pub fn wrap(vm: &Interpreter, fd: i32, family: i32, kind: i32, protocol: i32) -> Res {
    let cls = vm.type_for(&SOCKET)?.into_value();
    let value = new(vm, &cls, &CallArgs::new(&[]))?;
    set_up(vm, &value, fd, family, kind, protocol)?;
    Ok(value)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let s = this(vm, value)?;
    vm.new_str(&format!(
        "<socket object, fd={}, family={}, type={}, proto={}>",
        s.fd.get(),
        s.family.get(),
        s.kind.get(),
        s.protocol.get()
    ))
}

fn finalize(vm: &Interpreter, value: &Value) {
    let Some(socket) = value.downcast::<Socket>().filter(|socket| socket.fd.get() >= 0) else { return };
    let saved = vm.save_raised();
    let told = vm.repr_lossy(value).and_then(|shown| warn_resource(vm, value, &format!("unclosed {shown}")));
    if let Err(raised) = told {
        if vm.raised_is(vm.exceptions().warning()) {
            vm.unraisable(raised, "Exception ignored in finalizing socket", value);
        } else {
            drop(vm.take_raised(raised));
        }
    }
    // Nobody is left who could be told.
    let _closed = vm.host().close(socket.fd.replace(-1));
    vm.restore_raised(saved);
}

// ---- closing, naming ----

fn close(vm: &Interpreter, value: &Value) -> Res {
    match this(vm, value)?.fd.replace(-1) {
        -1 => Ok(Value::NONE),
        fd => close_descriptor(vm, fd),
    }
}

/// Closes a descriptor; that the other side was faster is no error. Errors: `OSError`.
pub fn close_descriptor(vm: &Interpreter, fd: i32) -> Res {
    let host = vm.host();
    match vm.allow_threads(|| host.close(fd)) {
        Ok(()) => Ok(Value::NONE),
        Err(error) if error.errno == libc::ECONNRESET => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn detach(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int(this(vm, value)?.fd.replace(-1).into())
}

fn bind(vm: &Interpreter, value: &Value, address: &Value) -> Res {
    let socket = this(vm, value)?;
    let target = parse(vm, socket.family(), address, "bind")?;
    vm.audit("socket.bind", &[value.clone(), address.clone()])?;
    let (host, fd) = (vm.host(), socket.fd());
    crate::done(vm, vm.allow_threads(|| host.bind(fd, &target)))
}

fn listen(vm: &Interpreter, args: &Args) -> Res {
    let backlog = match args.get(1) {
        Some(value) => c_int(vm, value)?.max(0),
        None => libc::SOMAXCONN.min(128),
    };
    let (host, fd) = (vm.host(), this(vm, args.req(0))?.fd());
    crate::done(vm, vm.allow_threads(|| host.listen(fd, backlog)))
}

fn accept(vm: &Interpreter, value: &Value) -> Res {
    let host = vm.host();
    let (fd, address) = this(vm, value)?.call(vm, Ready::Read, |fd| host.accept(fd))?;
    vm.new_tuple(vec![vm.new_int(fd.into())?, make(vm, &address)?])
}

fn name(vm: &Interpreter, result: Result<Address, Error>) -> Res {
    match result {
        Ok(address) => make(vm, &address),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn shutdown(vm: &Interpreter, value: &Value, how: &Value) -> Res {
    let how = c_int(vm, how)?;
    let (host, fd) = (vm.host(), this(vm, value)?.fd());
    crate::done(vm, vm.allow_threads(|| host.shutdown(fd, how)))
}

// ---- connecting ----

/// Connects; the inner result is what the system says. Errors: what handlers raise, `TimeoutError` as `None`.
fn connect_to(vm: &Interpreter, socket: &Socket, target: &Address) -> Res<Result<(), Option<Error>>> {
    let host = vm.host();
    let fd = socket.fd();
    let until = socket.until(vm)?;
    let timeout = socket.timeout.get();
    match vm.allow_threads(|| host.connect(fd, target)) {
        Ok(()) => return Ok(Ok(())),
        Err(error) if error.is_interrupted() => {
            vm.poll()?;
            if timeout == 0 {
                return Ok(Err(Some(error)));
            }
        }
        Err(error) if timeout > 0 && error.errno == libc::EINPROGRESS => {}
        Err(error) => return Ok(Err(Some(error))),
    }
    // It goes on by itself: the socket can be written to when it is done.
    match wait_for(vm, fd, Ready::Write, until)? {
        Ok(true) => {}
        Ok(false) => return Ok(Err(None)),
        Err(error) => return Ok(Err(Some(error))),
    }
    Ok(match host.socket_option(fd, libc::SOL_SOCKET, libc::SO_ERROR) {
        Ok(0 | libc::EISCONN) => Ok(()),
        Ok(errno) => Err(Some(Error::os(errno))),
        Err(error) => Err(Some(error)),
    })
}

fn connect(vm: &Interpreter, value: &Value, address: &Value) -> Res {
    let socket = this(vm, value)?;
    let target = parse(vm, socket.family(), address, "connect")?;
    vm.audit("socket.connect", &[value.clone(), address.clone()])?;
    match connect_to(vm, socket, &target)? {
        Ok(()) => Ok(Value::NONE),
        Err(Some(error)) => Err(vm.os_error(error)),
        Err(None) => Err(timed_out(vm)),
    }
}

fn connect_ex(vm: &Interpreter, value: &Value, address: &Value) -> Res {
    let socket = this(vm, value)?;
    let target = parse(vm, socket.family(), address, "connect_ex")?;
    vm.audit("socket.connect", &[value.clone(), address.clone()])?;
    let errno = match connect_to(vm, socket, &target)? {
        Ok(()) => 0,
        Err(Some(error)) => error.errno,
        Err(None) => libc::EAGAIN,
    };
    vm.new_int(errno.into())
}

// ---- options, timeouts ----

/// A timeout argument in nanoseconds, [`BLOCKING`] for `None`. Errors: `TypeError`, `ValueError`, `OverflowError`.
fn timeout_argument(vm: &Interpreter, value: &Value) -> Res<i64> {
    if value.is_none() {
        return Ok(BLOCKING);
    }
    let timeout = nanoseconds(vm, value, Round::Up)?;
    if timeout < 0 {
        return Err(vm.value_error("Timeout value out of range".to_string()));
    }
    if timeout / 1_000_000 > i64::from(i32::MAX) {
        return Err(vm.overflow_error("timeout doesn't fit into C timeval".to_string()));
    }
    Ok(timeout)
}

fn timeout_value(vm: &Interpreter, timeout: i64) -> Res {
    if timeout < 0 { Ok(Value::NONE) } else { vm.new_float(timeout as f64 / 1e9) }
}

fn set_timeout(vm: &Interpreter, socket: &Socket, timeout: i64) -> Res {
    socket.timeout.set(timeout);
    crate::done(vm, vm.host().set_blocking(socket.fd(), timeout < 0))
}

pub fn getdefaulttimeout(vm: &Interpreter) -> Res {
    timeout_value(vm, vm.state::<DefaultTimeout>().0.get())
}

pub fn setdefaulttimeout(vm: &Interpreter, value: &Value) -> Res {
    let timeout = timeout_argument(vm, value)?;
    vm.state::<DefaultTimeout>().0.set(timeout);
    Ok(Value::NONE)
}

fn setsockopt(vm: &Interpreter, args: &Args) -> Res {
    let (host, fd) = (vm.host(), this(vm, args.req(0))?.fd());
    let (level, option) = (c_int(vm, args.req(1))?, c_int(vm, args.req(2))?);
    let value = args.req(3);
    if let Some(length) = args.get(4) {
        if !value.is_none() {
            let got = vm.type_name(value);
            return Err(vm.type_error(format!("socket option should be NoneType, not {got}")));
        }
        let length = vm.expect_i64(length)? as u32;
        return crate::done(vm, host.set_socket_option_empty(fd, level, option, length));
    }
    if value.is_none() {
        return Err(
            vm.type_error("setsockopt() requires 4 arguments when the third argument is None".to_string())
        );
    }
    if value.as_int().is_some() {
        let number = c_int(vm, value)?;
        return crate::done(vm, host.set_socket_option(fd, level, option, &number.to_ne_bytes()));
    }
    if !vm.has_buffer(value) {
        return Err(vm.not_bytes_like(value));
    }
    let bytes = vm.bytes_like(value)?.bytes().to_vec();
    crate::done(vm, host.set_socket_option(fd, level, option, &bytes))
}

fn getsockopt(vm: &Interpreter, args: &Args) -> Res {
    let (host, fd) = (vm.host(), this(vm, args.req(0))?.fd());
    let (level, option) = (c_int(vm, args.req(1))?, c_int(vm, args.req(2))?);
    match args.get(3).map_or(Ok(0), |room| c_int(vm, room))? {
        0 => match host.socket_option(fd, level, option) {
            Ok(number) => vm.new_int(number.into()),
            Err(error) => Err(vm.os_error(error)),
        },
        room @ 1..=1024 => match host.socket_option_bytes(fd, level, option, room as usize) {
            Ok(bytes) => vm.new_bytes(bytes),
            Err(error) => Err(vm.os_error(error)),
        },
        _ => {
            let ty = vm.exceptions().os_error().clone();
            Err(vm.raise_text(&ty, "getsockopt buflen out of range"))
        }
    }
}

// ---- sending, receiving ----

/// Room for that many bytes. Errors: `MemoryError`.
pub fn room(vm: &Interpreter, size: usize) -> Res<Vec<u8>> {
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(size).is_err() {
        return Err(vm.no_memory());
    }
    bytes.resize(size, 0);
    Ok(bytes)
}

/// A size argument. Errors: `TypeError`, `ValueError` when negative.
fn size_argument(vm: &Interpreter, value: &Value, function: &str) -> Res<usize> {
    let size = vm.expect_i64(value)?;
    usize::try_from(size).map_err(|_| vm.value_error(format!("negative buffersize in {function}")))
}

fn flags(vm: &Interpreter, args: &Args, index: usize) -> Res<i32> {
    args.get(index).map_or(Ok(0), |value| c_int(vm, value))
}

fn recv(vm: &Interpreter, args: &Args) -> Res {
    let size = size_argument(vm, args.req(1), "recv")?;
    let flags = flags(vm, args, 2)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let mut bytes = room(vm, size)?;
    let count = socket.call(vm, Ready::Read, |fd| host.recv(fd, &mut bytes, flags))?;
    bytes.truncate(count);
    vm.new_bytes(bytes)
}

fn recvfrom(vm: &Interpreter, args: &Args) -> Res {
    let size = size_argument(vm, args.req(1), "recvfrom")?;
    let flags = flags(vm, args, 2)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let mut bytes = room(vm, size)?;
    let (count, from) = socket.call(vm, Ready::Read, |fd| host.recv_from(fd, &mut bytes, flags))?;
    bytes.truncate(count);
    vm.new_tuple(vec![vm.new_bytes(bytes)?, make(vm, &from)?])
}

/// How much to receive into a buffer. Errors: `ValueError`.
fn into_size(
    vm: &Interpreter,
    args: &Args,
    buffer: &BytesLike,
    function: &str,
    too_small: &str,
) -> Res<usize> {
    match args.get(2).map_or(Ok(0), |size| size_argument(vm, size, function))? {
        0 => Ok(buffer.len()),
        size if size > buffer.len() => Err(vm.value_error(too_small.to_string())),
        size => Ok(size),
    }
}

/// Copies into a buffer what was received.
pub fn fill(buffer: &BytesLike, bytes: &[u8]) {
    if let Some(mut place) = buffer.bytes_mut() {
        let length = bytes.len().min(place.len());
        place[..length].copy_from_slice(&bytes[..length]);
    }
}

fn recv_into(vm: &Interpreter, args: &Args) -> Res {
    let buffer = vm.writable_bytes(args.req(1), "recv_into")?;
    let size = into_size(vm, args, &buffer, "recv_into", "buffer too small for requested bytes")?;
    let flags = flags(vm, args, 3)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let mut bytes = room(vm, size)?;
    let count = socket.call(vm, Ready::Read, |fd| host.recv(fd, &mut bytes, flags))?;
    fill(&buffer, &bytes[..count.min(size)]);
    vm.new_int(count as i64)
}

fn recvfrom_into(vm: &Interpreter, args: &Args) -> Res {
    let buffer = vm.writable_bytes(args.req(1), "recvfrom_into")?;
    let too_small = "nbytes is greater than the length of the buffer";
    let size = into_size(vm, args, &buffer, "recvfrom_into", too_small)?;
    let flags = flags(vm, args, 3)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let mut bytes = room(vm, size)?;
    let (count, from) = socket.call(vm, Ready::Read, |fd| host.recv_from(fd, &mut bytes, flags))?;
    fill(&buffer, &bytes[..count.min(size)]);
    vm.new_tuple(vec![vm.new_int(count as i64)?, make(vm, &from)?])
}

/// The bytes to send. What a buffer holds may change while other threads run, so it is copied.
pub fn to_send(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let buffer = vm.bytes_like(value)?;
    vm.copied(&buffer.bytes())
}

fn send(vm: &Interpreter, args: &Args) -> Res {
    let bytes = to_send(vm, args.req(1))?;
    let flags = flags(vm, args, 2)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let count = socket.call(vm, Ready::Write, |fd| host.send(fd, &bytes, flags, None))?;
    vm.new_int(count as i64)
}

fn sendall(vm: &Interpreter, args: &Args) -> Res {
    let bytes = to_send(vm, args.req(1))?;
    let flags = flags(vm, args, 2)?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let until = socket.until(vm)?;
    let mut rest = &bytes[..];
    loop {
        let count = socket.call_until(vm, Ready::Write, until, |fd| host.send(fd, rest, flags, None))?;
        rest = rest.get(count..).unwrap_or_default();
        vm.poll()?;
        if rest.is_empty() {
            return Ok(Value::NONE);
        }
    }
}

/// `sendto(data[, flags], address)`: counts its arguments before it looks at them.
fn sendto(vm: &Interpreter, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("socket.sendto() takes no keyword arguments".to_string()));
    }
    let (value, data, flags, address) = match call.positional() {
        [value, data, address] => (value, data, 0, address),
        [value, data, flags, address] => (value, data, c_int(vm, flags)?, address),
        other => {
            let given = other.len().saturating_sub(1);
            return Err(vm.type_error(format!("sendto() takes 2 or 3 arguments ({given} given)")));
        }
    };
    let bytes = to_send(vm, data)?;
    let (host, socket) = (vm.host(), this(vm, value)?);
    let target = parse(vm, socket.family(), address, "sendto")?;
    vm.audit("socket.sendto", &[value.clone(), address.clone()])?;
    let count = socket.call(vm, Ready::Write, |fd| host.send(fd, &bytes, flags, Some(&target)))?;
    vm.new_int(count as i64)
}

macro_rules! number_of {
    ($name:literal, $field:ident, $doc:literal) => {
        GetSetDef {
            name: $name,
            doc: $doc,
            get: |vm, value| vm.new_int(this(vm, value)?.$field.get().into()),
            set: None,
        }
    };
}

pub static SOCKET: TypeDef = TypeDef {
    name: "socket",
    module: "_socket",
    base: None,
    payload: payload::<Socket>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_FINALIZER),
    doc: "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\nOpen a socket of the given type.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr), Slot::Finalize(finalize)],
    methods: &[
        FunctionDef::new(
            "_accept",
            "($self, /)",
            "_accept() -> (integer, address info)\n\nWait for an incoming connection.",
            NativeFn::F1(accept),
        ),
        FunctionDef::new(
            "bind",
            "($self, address, /)",
            "bind(address)\n\nBind the socket to a local address.",
            NativeFn::F2(bind),
        ),
        FunctionDef::new(
            "close",
            "($self, /)",
            "close()\n\nClose the socket.  It cannot be used after this call.",
            NativeFn::F1(close),
        ),
        FunctionDef::new(
            "connect",
            "($self, address, /)",
            "connect(address)\n\nConnect the socket to a remote address.",
            NativeFn::F2(connect),
        ),
        FunctionDef::new(
            "connect_ex",
            "($self, address, /)",
            "connect_ex(address) -> errno\n\nThis is like connect(address), but returns an error code (the errno value)\ninstead of raising an exception when an error occurs.",
            NativeFn::F2(connect_ex),
        ),
        FunctionDef::new(
            "detach",
            "($self, /)",
            "detach()\n\nClose the socket object without closing the underlying file descriptor.",
            NativeFn::F1(detach),
        ),
        FunctionDef::new(
            "fileno",
            "($self, /)",
            "fileno() -> integer\n\nReturn the integer file descriptor of the socket.",
            NativeFn::F1(|vm, value| vm.new_int(this(vm, value)?.fd().into())),
        ),
        FunctionDef::new(
            "getpeername",
            "($self, /)",
            "getpeername() -> address info\n\nReturn the address of the remote endpoint.",
            NativeFn::F1(|vm, value| {
                let fd = this(vm, value)?.fd();
                name(vm, vm.host().peer_name(fd))
            }),
        ),
        FunctionDef::new(
            "getsockname",
            "($self, /)",
            "getsockname() -> address info\n\nReturn the address of the local endpoint.",
            NativeFn::F1(|vm, value| {
                let fd = this(vm, value)?.fd();
                name(vm, vm.host().socket_name(fd))
            }),
        ),
        FunctionDef::new(
            "getsockopt",
            "($self, level, option, buffersize=0, /)",
            "getsockopt(level, option[, buffersize]) -> value\n\nGet a socket option.",
            NativeFn::Args(getsockopt),
        ),
        FunctionDef::new(
            "setsockopt",
            "($self, level, option, value, optlen=None, /)",
            "setsockopt(level, option, value)\n\nSet a socket option.",
            NativeFn::Args(setsockopt),
        ),
        FunctionDef::new(
            "gettimeout",
            "($self, /)",
            "gettimeout() -> timeout\n\nReturns the timeout in seconds (float) associated with socket operations.",
            NativeFn::F1(|vm, value| timeout_value(vm, this(vm, value)?.timeout.get())),
        ),
        FunctionDef::new(
            "settimeout",
            "($self, timeout, /)",
            "settimeout(timeout)\n\nSet a timeout on socket operations.",
            NativeFn::F2(|vm, value, timeout| {
                let timeout = timeout_argument(vm, timeout)?;
                set_timeout(vm, this(vm, value)?, timeout)
            }),
        ),
        FunctionDef::new(
            "getblocking",
            "($self, /)",
            "getblocking()\n\nReturns True if socket is in blocking mode, or False if it\nis in non-blocking mode.",
            NativeFn::F1(|vm, value| Ok(Value::bool(this(vm, value)?.timeout.get() != 0))),
        ),
        FunctionDef::new(
            "setblocking",
            "($self, flag, /)",
            "setblocking(flag)\n\nSet the socket to blocking (flag is true) or non-blocking (false).",
            NativeFn::F2(|vm, value, flag| {
                let timeout = if vm.truthy(flag)? { BLOCKING } else { 0 };
                set_timeout(vm, this(vm, value)?, timeout)
            }),
        ),
        FunctionDef::new(
            "listen",
            "($self, backlog=None, /)",
            "listen([backlog])\n\nEnable a server to accept connections.",
            NativeFn::Args(listen),
        ),
        FunctionDef::new(
            "recv",
            "($self, buffersize, flags=0, /)",
            "recv(buffersize[, flags]) -> data\n\nReceive up to buffersize bytes from the socket.",
            NativeFn::Args(recv),
        ),
        FunctionDef::new(
            "recv_into",
            "($self, /, buffer, nbytes=0, flags=0)",
            "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nA version of recv() that stores its data into a buffer.",
            NativeFn::Args(recv_into),
        ),
        FunctionDef::new(
            "recvfrom",
            "($self, buffersize, flags=0, /)",
            "recvfrom(buffersize[, flags]) -> (data, address info)\n\nLike recv(buffersize, flags) but also return the sender's address info.",
            NativeFn::Args(recvfrom),
        ),
        FunctionDef::new(
            "recvfrom_into",
            "($self, /, buffer, nbytes=0, flags=0)",
            "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\nLike recv_into(buffer[, nbytes[, flags]]) but also return the sender's address info.",
            NativeFn::Args(recvfrom_into),
        ),
        FunctionDef::new(
            "recvmsg",
            "($self, bufsize, ancbufsize=0, flags=0, /)",
            "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceive normal data and ancillary data from the socket.",
            NativeFn::Args(message::recvmsg),
        ),
        FunctionDef::new(
            "recvmsg_into",
            "($self, buffers, ancbufsize=0, flags=0, /)",
            "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nReceive normal data and ancillary data, scattering the data into buffers.",
            NativeFn::Args(message::recvmsg_into),
        ),
        FunctionDef::new(
            "send",
            "($self, data, flags=0, /)",
            "send(data[, flags]) -> count\n\nSend a data string to the socket.",
            NativeFn::Args(send),
        ),
        FunctionDef::new(
            "sendall",
            "($self, data, flags=0, /)",
            "sendall(data[, flags])\n\nSend a data string to the socket, until all is sent or an error occurs.",
            NativeFn::Args(sendall),
        ),
        FunctionDef::new(
            "sendto",
            "",
            "sendto(data[, flags], address) -> count\n\nLike send(data, flags) but allows specifying the destination address.",
            NativeFn::Raw(sendto),
        ),
        FunctionDef::new(
            "sendmsg",
            "($self, buffers, ancdata=(), flags=0, address=None, /)",
            "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSend normal and ancillary data to the socket, gathering the data from buffers.",
            NativeFn::Args(message::sendmsg),
        ),
        FunctionDef::new(
            "shutdown",
            "($self, how, /)",
            "shutdown(flag)\n\nShut down the reading side of the socket, the writing side, or both.",
            NativeFn::F2(shutdown),
        ),
    ],
    getset: &[
        number_of!("family", family, "the socket family"),
        number_of!("type", kind, "the socket type"),
        number_of!("proto", protocol, "the socket protocol"),
        GetSetDef {
            name: "timeout",
            doc: "the socket timeout",
            get: |vm, value| timeout_value(vm, this(vm, value)?.timeout.get()),
            set: None,
        },
    ],
};

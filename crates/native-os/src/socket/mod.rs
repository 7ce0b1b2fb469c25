//! `_socket`: the network.
//!
//! `object.rs` is the type, `address.rs` turns addresses into Python values and back, `names.rs` looks names up, `message.rs` has
//! messages with several buffers.

mod address;
mod constants;
mod message;
mod names;
mod object;

use pellucid_host::libc;
use pellucid_native_sys::new_exception_class;
use pellucid_native_sys::sys::c_int;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, SlotWord, Value, constant};
use std::rc::Rc;

/// The module's own exception classes.
#[derive(Default)]
pub struct Classes {
    gaierror: SlotWord,
    herror: SlotWord,
}

/// The exception classes, made on first use. Errors: `MemoryError`.
fn classes(vm: &Interpreter) -> Res<Rc<Classes>> {
    let classes = vm.state::<Classes>();
    if !classes.gaierror.is_set() {
        let base = vm.exceptions().os_error().value().clone();
        classes.gaierror.set(Some(new_exception_class(vm, "socket", "gaierror", &base)?));
        classes.herror.set(Some(new_exception_class(vm, "socket", "herror", &base)?));
    }
    Ok(classes)
}

fn socketpair(vm: &Interpreter, args: &Args) -> Res {
    let number = |index: usize, default: i32| args.get(index).map_or(Ok(default), |value| c_int(vm, value));
    let (family, kind, protocol) = (number(0, libc::AF_UNIX)?, number(1, libc::SOCK_STREAM)?, number(2, 0)?);
    let (a, b) = vm.host().socketpair(family, kind, protocol).map_err(|error| vm.os_error(error))?;
    let first = object::wrap(vm, a, family, kind, protocol)?;
    let second = object::wrap(vm, b, family, kind, protocol)?;
    vm.new_tuple(vec![first, second])
}

fn close(vm: &Interpreter, fd: &Value) -> Res {
    object::close_descriptor(vm, c_int(vm, fd)?)
}

fn dup(vm: &Interpreter, fd: &Value) -> Res {
    let fd = c_int(vm, fd)?;
    match vm.host().dup(fd) {
        Ok(fd) => vm.new_int(fd.into()),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_socket",
    doc: "Implementation module for socket operations.\n\nSee the socket module for documentation.",
    functions: &[
        FunctionDef::new(
            "gethostbyname",
            "(host, /)",
            "gethostbyname(host) -> address\n\nReturn the IP address (a string of the form '255.255.255.255') for a host.",
            NativeFn::F1(names::gethostbyname),
        ),
        FunctionDef::new(
            "gethostbyname_ex",
            "(host, /)",
            "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nReturn the true host name, a list of aliases, and a list of IP addresses,\nfor a host.  The host argument is a string giving a host name or IP number.",
            NativeFn::F1(names::gethostbyname_ex),
        ),
        FunctionDef::new(
            "gethostbyaddr",
            "(host, /)",
            "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nReturn the true host name, a list of aliases, and a list of IP addresses,\nfor a host.  The host argument is a string giving a host name or IP number.",
            NativeFn::F1(names::gethostbyaddr),
        ),
        FunctionDef::new(
            "gethostname",
            "()",
            "gethostname() -> string\n\nReturn the current host name.",
            NativeFn::F0(names::gethostname),
        ),
        FunctionDef::new(
            "sethostname",
            "(name, /)",
            "sethostname(name)\n\nSets the hostname to name.",
            NativeFn::F1(names::sethostname),
        ),
        FunctionDef::new(
            "getservbyname",
            "(servicename, protocolname=None, /)",
            "getservbyname(servicename[, protocolname]) -> integer\n\nReturn a port number from a service name and protocol name.",
            NativeFn::Args(names::getservbyname),
        ),
        FunctionDef::new(
            "getservbyport",
            "(port, protocolname=None, /)",
            "getservbyport(port[, protocolname]) -> string\n\nReturn the service name from a port number and protocol name.",
            NativeFn::Args(names::getservbyport),
        ),
        FunctionDef::new(
            "getprotobyname",
            "(name, /)",
            "getprotobyname(name) -> integer\n\nReturn the protocol number for the named protocol.  (Rarely used.)",
            NativeFn::F1(names::getprotobyname),
        ),
        FunctionDef::new(
            "close",
            "(fd, /)",
            "close(integer) -> None\n\nClose an integer socket file descriptor.",
            NativeFn::F1(close),
        ),
        FunctionDef::new(
            "dup",
            "(fd, /)",
            "dup(integer) -> integer\n\nDuplicate an integer socket file descriptor.",
            NativeFn::F1(dup),
        ),
        FunctionDef::new(
            "socketpair",
            "(family=AF_UNIX, type=SOCK_STREAM, proto=0, /)",
            "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nCreate a pair of socket objects from the sockets returned by the platform\nsocketpair() function.",
            NativeFn::Args(socketpair),
        ),
        FunctionDef::new(
            "ntohs",
            "(x, /)",
            "Convert a 16-bit unsigned integer from network to host byte order.",
            NativeFn::F1(names::ntohs),
        ),
        FunctionDef::new(
            "ntohl",
            "(x, /)",
            "Convert a 32-bit unsigned integer from network to host byte order.",
            NativeFn::F1(names::swap_long),
        ),
        FunctionDef::new(
            "htons",
            "(x, /)",
            "Convert a 16-bit unsigned integer from host to network byte order.",
            NativeFn::F1(names::htons),
        ),
        FunctionDef::new(
            "htonl",
            "(x, /)",
            "Convert a 32-bit unsigned integer from host to network byte order.",
            NativeFn::F1(names::swap_long),
        ),
        FunctionDef::new(
            "inet_aton",
            "(ip_addr, /)",
            "Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format used in low-level network functions.",
            NativeFn::F1(names::inet_aton),
        ),
        FunctionDef::new(
            "inet_ntoa",
            "(packed_ip, /)",
            "Convert an IP address from 32-bit packed binary format to string format.",
            NativeFn::F1(names::inet_ntoa),
        ),
        FunctionDef::new(
            "inet_pton",
            "(af, ip, /)",
            "inet_pton(af, ip) -> packed IP address string\n\nConvert an IP address from string format to a packed string suitable\nfor use with low-level network functions.",
            NativeFn::F2(names::inet_pton),
        ),
        FunctionDef::new(
            "inet_ntop",
            "(af, packed_ip, /)",
            "inet_ntop(af, packed_ip) -> string formatted IP address\n\nConvert a packed IP address of the given family to string format.",
            NativeFn::F2(names::inet_ntop),
        ),
        FunctionDef::new(
            "getaddrinfo",
            "(host, port, family=0, type=0, proto=0, flags=0)",
            "getaddrinfo(host, port [, family, type, proto, flags])\n    -> list of (family, type, proto, canonname, sockaddr)\n\nResolve host and port into addrinfo struct.",
            NativeFn::Args(names::getaddrinfo),
        ),
        FunctionDef::new(
            "getnameinfo",
            "(sockaddr, flags, /)",
            "getnameinfo(sockaddr, flags) --> (host, port)\n\nGet host and port for a sockaddr.",
            NativeFn::F2(names::getnameinfo),
        ),
        FunctionDef::new(
            "getdefaulttimeout",
            "()",
            "getdefaulttimeout() -> timeout\n\nReturns the default timeout in seconds (float) for new socket objects.",
            NativeFn::F0(object::getdefaulttimeout),
        ),
        FunctionDef::new(
            "setdefaulttimeout",
            "(timeout, /)",
            "setdefaulttimeout(timeout)\n\nSet the default timeout in seconds (float) for new socket objects.",
            NativeFn::F1(object::setdefaulttimeout),
        ),
        FunctionDef::new(
            "if_nameindex",
            "()",
            "if_nameindex()\n\nReturns a list of network interface information (index, name) tuples.",
            NativeFn::F0(names::if_nameindex),
        ),
        FunctionDef::new(
            "if_nametoindex",
            "(oname, /)",
            "Returns the interface index corresponding to the interface name if_name.",
            NativeFn::F1(names::if_nametoindex),
        ),
        FunctionDef::new(
            "if_indextoname",
            "(if_index, /)",
            "Returns the interface name corresponding to the interface index if_index.",
            NativeFn::F1(names::if_indextoname),
        ),
        FunctionDef::new(
            "CMSG_LEN",
            "(length, /)",
            "CMSG_LEN(length) -> control message length",
            NativeFn::F1(message::cmsg_len),
        ),
        FunctionDef::new(
            "CMSG_SPACE",
            "(length, /)",
            "CMSG_SPACE(length) -> buffer size",
            NativeFn::F1(message::cmsg_space),
        ),
    ],
    types: &[&object::SOCKET],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().os_error().value().clone())),
        constant("timeout", |vm| Ok(vm.exceptions().timeout_error().value().clone())),
        constant("gaierror", |vm| Ok(classes(vm)?.gaierror.get().unwrap_or(Value::NONE))),
        constant("herror", |vm| Ok(classes(vm)?.herror.get().unwrap_or(Value::NONE))),
        constant("SocketType", |vm| Ok(vm.type_for(&object::SOCKET)?.into_value())),
        constant("has_ipv6", |_| Ok(Value::TRUE)),
    ],
    init: Some(constants::add),
};

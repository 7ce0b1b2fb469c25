//! Addresses of sockets as Python has them: tuples, paths.

use super::names::{self, host_argument};
use pellucid_host::{Address, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_object::bytes::Bytes;
use pellucid_object::{Interpreter, Raised, Res, Str, Tuple, Value};

fn port_number(vm: &Interpreter, value: &Value, function: &str) -> Res<u16> {
    let port = c_int(vm, value)?;
    u16::try_from(port).map_err(|_| vm.overflow_error(format!("{function}(): port must be 0-65535.")))
}

fn family_name(family: i32) -> &'static str {
    match family {
        libc::AF_INET => "AF_INET",
        libc::AF_INET6 => "AF_INET6",
        libc::AF_NETLINK => "AF_NETLINK",
        libc::AF_VSOCK => "AF_VSOCK",
        _ => "AF_PACKET",
    }
}

/// The items of an address that must be a tuple. Errors: `TypeError`.
fn items(vm: &Interpreter, value: &Value, family: i32, function: &str) -> Res<Vec<Value>> {
    match value.downcast::<Tuple>() {
        Some(tuple) => Ok(tuple.items()),
        None => {
            let (name, got) = (family_name(family), vm.type_name(value));
            Err(vm.type_error(format!("{function}(): {name} address must be tuple, not {got}")))
        }
    }
}

fn wrong_count(vm: &Interpreter, family: i32, count: usize) -> Raised {
    let words = match family {
        libc::AF_INET => "AF_INET address must be a pair (host, port)".to_string(),
        libc::AF_INET6 => "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])".to_string(),
        libc::AF_NETLINK => "AF_NETLINK address must be a pair (pid, groups)".to_string(),
        libc::AF_VSOCK => "AF_VSOCK address must be a pair (CID, port)".to_string(),
        _ if count < 2 => format!("getsockaddrarg() takes at least 2 arguments ({count} given)"),
        _ => format!("getsockaddrarg() takes at most 5 arguments ({count} given)"),
    };
    vm.type_error(words)
}

fn unsigned(vm: &Interpreter, value: &Value) -> Res<u32> {
    Ok(vm.expect_i64(value)? as u32)
}

/// The address that a Python value names for a socket of that family. Errors: `TypeError`, `OverflowError`, `OSError`.
pub fn parse(vm: &Interpreter, family: i32, value: &Value, function: &str) -> Res<Address> {
    match family {
        libc::AF_UNIX => unix(vm, value),
        libc::AF_INET => match &items(vm, value, family, function)?[..] {
            [host, port] => {
                let host = host_argument(vm, host)?;
                let port = port_number(vm, port, function)?;
                let found = names::one_address(vm, &host, libc::AF_INET)?;
                Ok(with_port(found, port, 0, 0))
            }
            other => Err(wrong_count(vm, family, other.len())),
        },
        libc::AF_INET6 => {
            let items = items(vm, value, family, function)?;
            let (host, port) = match &items[..] {
                [host, port] | [host, port, _] | [host, port, _, _] => (host, port),
                other => return Err(wrong_count(vm, family, other.len())),
            };
            let host = host_argument(vm, host)?;
            let port = c_int(vm, port)?;
            let flow = items.get(2).map_or(Ok(0), |flow| unsigned(vm, flow))?;
            let scope = items.get(3).map_or(Ok(0), |scope| unsigned(vm, scope))?;
            let port = u16::try_from(port)
                .map_err(|_| vm.overflow_error(format!("{function}(): port must be 0-65535.")))?;
            if flow > 0xf_ffff {
                return Err(vm.overflow_error(format!("{function}(): flowinfo must be 0-1048575.")));
            }
            let found = names::one_address(vm, &host, libc::AF_INET6)?;
            let scope = match (&found, scope) {
                (Address::Inet6 { scope, .. }, 0) => *scope,
                (_, scope) => scope,
            };
            Ok(with_port(found, port, flow, scope))
        }
        libc::AF_NETLINK => match &items(vm, value, family, function)?[..] {
            [pid, groups] => Ok(Address::Netlink { pid: unsigned(vm, pid)?, groups: unsigned(vm, groups)? }),
            other => Err(wrong_count(vm, family, other.len())),
        },
        libc::AF_VSOCK => match &items(vm, value, family, function)?[..] {
            [cid, port] => Ok(Address::Vsock { cid: unsigned(vm, cid)?, port: unsigned(vm, port)? }),
            other => Err(wrong_count(vm, family, other.len())),
        },
        libc::AF_PACKET => packet(vm, &items(vm, value, family, function)?, function),
        _ => {
            let ty = vm.exceptions().os_error().clone();
            Err(vm.raise_text(&ty, &format!("{function}(): bad family")))
        }
    }
}

fn with_port(address: Address, new_port: u16, new_flow: u32, new_scope: u32) -> Address {
    match address {
        Address::Inet { ip, .. } => Address::Inet { ip, port: new_port },
        Address::Inet6 { ip, .. } => Address::Inet6 { ip, port: new_port, flow: new_flow, scope: new_scope },
        other => other,
    }
}

/// A path, or an abstract name that starts with 0.
fn unix(vm: &Interpreter, value: &Value) -> Res<Address> {
    let bytes = if value.downcast::<Str>().is_some() {
        vm.fs_encode(value)?
    } else if vm.has_buffer(value) {
        vm.bytes_like(value)?.bytes().to_vec()
    } else {
        return Err(vm.not_bytes_like(value));
    };
    let abstract_name = bytes.first() == Some(&0);
    if bytes.len() + usize::from(!abstract_name) > pellucid_host::UNIX_PATH_MAX {
        let ty = vm.exceptions().os_error().clone();
        return Err(vm.raise_text(&ty, "AF_UNIX path too long"));
    }
    Ok(Address::Unix(bytes))
}

fn packet(vm: &Interpreter, items: &[Value], function: &str) -> Res<Address> {
    let (Some(name), Some(protocol)) = (items.first(), items.get(1)) else {
        return Err(wrong_count(vm, libc::AF_PACKET, items.len()));
    };
    if items.len() > 5 {
        return Err(wrong_count(vm, libc::AF_PACKET, items.len()));
    }
    let name = vm.fs_encode(name)?;
    let number = |index: usize| items.get(index).map_or(Ok(0), |value| c_int(vm, value));
    let protocol = c_int(vm, protocol)?;
    let bytes = items.get(4).map_or(Ok(Vec::new()), |value| Ok(vm.bytes_like(value)?.bytes().to_vec()))?;
    if bytes.len() > 8 {
        return Err(vm.value_error("hardware address must be 8 bytes or less".to_string()));
    }
    let protocol = u16::try_from(protocol)
        .map_err(|_| vm.overflow_error(format!("{function}(): proto must be 0-65535.")))?;
    let interface = vm.host().interface_number(&name).map_err(|error| vm.os_error(error))? as i32;
    Ok(Address::Packet { protocol, interface, kind: number(2)? as u8, hardware: number(3)? as u16, bytes })
}

/// The text of an IP address.
pub fn ip_text(address: &Address) -> String {
    match address {
        Address::Inet { ip, .. } => std::net::Ipv4Addr::from(*ip).to_string(),
        Address::Inet6 { ip, .. } => ipv6_text(ip),
        _ => String::new(),
    }
}

/// As the C library writes it.
pub fn ipv6_text(ip: &[u8; 16]) -> String {
    let address = std::net::Ipv6Addr::from(*ip);
    // The C library shows addresses that are compatible with IPv4 with dots as well.
    match ip {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if *a != 0 || *b != 0 => {
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => address.to_string(),
    }
}

/// An address as Python has it. Errors: `MemoryError`, `OSError`.
pub fn make(vm: &Interpreter, address: &Address) -> Res {
    match address {
        Address::None => Ok(Value::NONE),
        Address::Inet { port, .. } => {
            vm.new_tuple(vec![vm.new_str(&ip_text(address))?, vm.new_int((*port).into())?])
        }
        Address::Inet6 { port, flow, scope, .. } => vm.new_tuple(vec![
            vm.new_str(&ip_text(address))?,
            vm.new_int((*port).into())?,
            vm.new_int((*flow).into())?,
            vm.new_int((*scope).into())?,
        ]),
        Address::Unix(path) if path.first() == Some(&0) => vm.new_bytes(path.clone()),
        Address::Unix(path) => vm.fs_decode(path),
        Address::Netlink { pid, groups } => {
            vm.new_tuple(vec![vm.new_int((*pid).into())?, vm.new_int((*groups).into())?])
        }
        Address::Vsock { cid, port } => {
            vm.new_tuple(vec![vm.new_int((*cid).into())?, vm.new_int((*port).into())?])
        }
        Address::Packet { protocol, interface, hardware, kind, bytes } => {
            // The interface may be gone by now.
            let name = vm.host().interface_name(*interface as u32).unwrap_or_default();
            vm.new_tuple(vec![
                vm.fs_decode(&name)?,
                vm.new_int((*protocol).into())?,
                vm.new_int((*kind).into())?,
                vm.new_int((*hardware).into())?,
                vm.new_bytes(bytes.clone())?,
            ])
        }
        Address::Other { family, bytes } => {
            vm.new_tuple(vec![vm.new_int((*family).into())?, vm.new_bytes(bytes.clone())?])
        }
    }
}

/// The bytes of a `bytes` or `bytearray`.
pub fn plain_bytes(value: &Value) -> Option<Vec<u8>> {
    match value.downcast::<Bytes>() {
        Some(bytes) => Some(bytes.as_slice().to_vec()),
        None => value.downcast::<pellucid_object::ByteArray>().map(|bytes| bytes.borrow().to_vec()),
    }
}

//! Names of hosts, services, protocols and interfaces; addresses as text and as bytes.

use super::address::{ip_text, ipv6_text, make, plain_bytes};
use super::{Classes, classes};
use pellucid_host::{Address, Error, HostEntry, Unresolved, Wanted, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_object::{Args, Interpreter, Raised, Res, SlotWord, Str, Tuple, Value};

/// Raises what a look-up failed with: `gaierror`, `herror` or `OSError`.
fn unresolved(vm: &Interpreter, error: Unresolved, class: fn(&Classes) -> &SlotWord) -> Raised {
    let (code, words) = match error {
        Unresolved::System(error) => return vm.os_error(error),
        Unresolved::Resolver(code, words) => (code, words),
    };
    let make = || -> Res<Value> {
        let classes = classes(vm)?;
        let class = class(&classes).get().unwrap_or(Value::NONE);
        vm.call_values(&class, &[vm.new_int(code.into())?, vm.new_str(&words)?])
    };
    match make() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

pub fn gai_error(vm: &Interpreter, error: Unresolved) -> Raised {
    unresolved(vm, error, |classes| &classes.gaierror)
}

fn h_error(vm: &Interpreter, error: Unresolved) -> Raised {
    unresolved(vm, error, |classes| &classes.herror)
}

fn os_error_text(vm: &Interpreter, words: &str) -> Raised {
    vm.raise_text(&vm.exceptions().os_error().clone(), words)
}

/// Whether encoding to IDNA would change nothing.
fn is_plain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    text.split('.').all(|label| (1..64).contains(&label.len()))
}

/// The bytes of a name: text in the encoding of domain names. Errors: `UnicodeError`.
fn idna(vm: &Interpreter, name: &Value) -> Res<Vec<u8>> {
    if let Some(text) = name.downcast::<Str>().and_then(|s| s.text.as_ascii())
        && (text.is_empty() || is_plain(text))
    {
        return Ok(text.as_bytes().to_vec());
    }
    let encoded = vm.call_attr(name, "encode", &[vm.new_str("idna")?])?;
    Ok(vm.expect_bytes(&encoded)?.to_vec())
}

/// A host argument as bytes. Errors: `TypeError`, `UnicodeError`.
pub fn host_argument(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let bytes = if value.downcast::<Str>().is_some() {
        idna(vm, value)?
    } else if let Some(bytes) = plain_bytes(value) {
        bytes
    } else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("str, bytes or bytearray expected, not {got}")));
    };
    if bytes.contains(&0) {
        return Err(vm.type_error("host name must not contain null character".to_string()));
    }
    Ok(bytes)
}

fn resolve(
    vm: &Interpreter,
    host: Option<&[u8]>,
    service: Option<&[u8]>,
    wanted: Wanted,
) -> Res<Vec<pellucid_host::Found>> {
    let system = vm.host();
    vm.allow_threads(|| system.resolve(host, service, wanted)).map_err(|error| gai_error(vm, error))
}

/// The first address of a host; "" is any, "<broadcast>" all. Errors: `OSError`.
pub fn one_address(vm: &Interpreter, host: &[u8], family: i32) -> Res<Address> {
    if host.is_empty() {
        let wanted = Wanted { flags: libc::AI_PASSIVE, family, kind: libc::SOCK_DGRAM, protocol: 0 };
        let found = resolve(vm, None, Some(b"0"), wanted)?;
        return match &found[..] {
            [only] => Ok(only.address.clone()),
            [] => Err(os_error_text(vm, "no address found")),
            _ => Err(os_error_text(vm, "wildcard resolved to multiple address")),
        };
    }
    if host == b"255.255.255.255" || host == b"<broadcast>" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return Err(os_error_text(vm, "address family mismatched"));
        }
        return Ok(Address::Inet { ip: [255; 4], port: 0 });
    }
    let text = String::from_utf8_lossy(host);
    if family != libc::AF_INET6
        && let Ok(ip) = text.parse::<std::net::Ipv4Addr>()
    {
        return Ok(Address::Inet { ip: ip.octets(), port: 0 });
    }
    if family != libc::AF_INET
        && let Ok(ip) = text.parse::<std::net::Ipv6Addr>()
    {
        return Ok(Address::Inet6 { ip: ip.octets(), port: 0, flow: 0, scope: 0 });
    }
    let found = resolve(vm, Some(host), None, Wanted { family, ..Wanted::default() })?;
    match found.into_iter().next() {
        Some(found) => Ok(found.address),
        None => Err(os_error_text(vm, "no address found")),
    }
}

pub fn getaddrinfo(vm: &Interpreter, args: &Args) -> Res {
    let host = match args.req(0) {
        host if host.is_none() => None,
        host if host.downcast::<Str>().is_some() => Some(idna(vm, host)?),
        host => match plain_bytes(host) {
            Some(bytes) => Some(bytes),
            None => {
                return Err(vm.type_error("getaddrinfo() argument 1 must be string or None".to_string()));
            }
        },
    };
    let service = match args.req(1) {
        port if port.is_none() => None,
        port if port.as_int().is_some() => {
            let number = vm
                .as_i64(port)
                .ok_or_else(|| vm.overflow_error("Python int too large to convert to C long".to_string()))?;
            Some(number.to_string().into_bytes())
        }
        port if port.downcast::<Str>().is_some() => Some(
            vm.expect_text(port)?
                .to_utf8()
                .map_or_else(|| vm.fs_encode(port), |text| Ok(text.into_bytes()))?,
        ),
        port => match plain_bytes(port) {
            Some(bytes) => Some(bytes),
            None => return Err(os_error_text(vm, "Int or String expected")),
        },
    };
    let number = |index: usize| args.get(index).map_or(Ok(0), |value| c_int(vm, value));
    let wanted = Wanted { family: number(2)?, kind: number(3)?, protocol: number(4)?, flags: number(5)? };
    let or_none = |index: usize| args.req(index).clone();
    vm.audit(
        "socket.getaddrinfo",
        &[
            or_none(0),
            or_none(1),
            vm.new_int(wanted.family.into())?,
            vm.new_int(wanted.kind.into())?,
            vm.new_int(wanted.protocol.into())?,
        ],
    )?;
    if service.as_ref().is_some_and(|text| text.contains(&0))
        || host.as_ref().is_some_and(|text| text.contains(&0))
    {
        return Err(vm.value_error("embedded null character".to_string()));
    }
    let found = resolve(vm, host.as_deref(), service.as_deref(), wanted)?;
    let mut result = Vec::new();
    for found in &found {
        let canonical = found.canonical.clone().unwrap_or_default();
        result.push(vm.new_tuple(vec![
            vm.new_int(found.family.into())?,
            vm.new_int(found.kind.into())?,
            vm.new_int(found.protocol.into())?,
            vm.fs_decode(&canonical)?,
            make(vm, &found.address)?,
        ])?);
    }
    vm.new_list(result)
}

pub fn getnameinfo(vm: &Interpreter, sockaddr: &Value, flags: &Value) -> Res {
    let flags = c_int(vm, flags)?;
    let Some(items) = sockaddr.downcast::<Tuple>().map(Tuple::items) else {
        return Err(vm.type_error("getnameinfo() argument 1 must be a tuple".to_string()));
    };
    let illegal = || vm.type_error("getnameinfo(): illegal sockaddr argument".to_string());
    let (Some(host), Some(port)) = (items.first(), items.get(1)) else { return Err(illegal()) };
    if items.len() > 4 || host.downcast::<Str>().is_none() {
        return Err(illegal());
    }
    let port = c_int(vm, port)?;
    let number = |index: usize| items.get(index).map_or(Ok(0), |value| vm.expect_i64(value));
    let (flow, scope) = (number(2)? as u32, number(3)? as u32);
    if flow > 0xf_ffff {
        return Err(vm.overflow_error("getnameinfo(): flowinfo must be 0-1048575.".to_string()));
    }
    vm.audit("socket.getnameinfo", std::slice::from_ref(sockaddr))?;
    let name = vm.fs_encode(host)?;
    let wanted = Wanted { flags: libc::AI_NUMERICHOST, kind: libc::SOCK_DGRAM, ..Wanted::default() };
    let found = resolve(vm, Some(&name), Some(port.to_string().as_bytes()), wanted)?;
    let [only] = &found[..] else {
        return Err(os_error_text(vm, "sockaddr resolved to multiple addresses"));
    };
    let address = match only.address.clone() {
        Address::Inet { .. } if items.len() != 2 => {
            return Err(os_error_text(vm, "IPv4 sockaddr must be 2 tuple"));
        }
        Address::Inet6 { ip, port, .. } => Address::Inet6 { ip, port, flow, scope },
        other => other,
    };
    let system = vm.host();
    let (host, service) =
        vm.allow_threads(|| system.name_of(&address, flags)).map_err(|error| gai_error(vm, error))?;
    vm.new_tuple(vec![vm.fs_decode(&host)?, vm.fs_decode(&service)?])
}

pub fn gethostbyname(vm: &Interpreter, name: &Value) -> Res {
    let host = host_argument(vm, name)?;
    vm.audit("socket.gethostbyname", std::slice::from_ref(name))?;
    let address = one_address(vm, &host, libc::AF_INET)?;
    vm.new_str(&ip_text(&address))
}

fn host_entry(vm: &Interpreter, entry: &HostEntry) -> Res {
    let aliases = entry.aliases.iter().map(|alias| vm.fs_decode(alias)).collect::<Res<Vec<_>>>()?;
    let addresses =
        entry.addresses.iter().map(|address| vm.new_str(&ip_text(address))).collect::<Res<Vec<_>>>()?;
    vm.new_tuple(vec![vm.fs_decode(&entry.name)?, vm.new_list(aliases)?, vm.new_list(addresses)?])
}

pub fn gethostbyname_ex(vm: &Interpreter, name: &Value) -> Res {
    let host = host_argument(vm, name)?;
    vm.audit("socket.gethostbyname", std::slice::from_ref(name))?;
    one_address(vm, &host, libc::AF_INET)?;
    let system = vm.host();
    let entry = vm.allow_threads(|| system.host_by_name(&host)).map_err(|error| h_error(vm, error))?;
    host_entry(vm, &entry)
}

pub fn gethostbyaddr(vm: &Interpreter, name: &Value) -> Res {
    let host = host_argument(vm, name)?;
    vm.audit("socket.gethostbyaddr", std::slice::from_ref(name))?;
    let address = one_address(vm, &host, libc::AF_UNSPEC)?;
    let system = vm.host();
    let entry = vm.allow_threads(|| system.host_by_address(&address)).map_err(|error| h_error(vm, error))?;
    host_entry(vm, &entry)
}

/// The text of a name of a service or protocol. Errors: `TypeError`, `UnicodeEncodeError`.
fn name_bytes(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    vm.expect_str(value).map(String::into_bytes)
}

pub fn getservbyname(vm: &Interpreter, args: &Args) -> Res {
    let name = name_bytes(vm, args.req(0))?;
    let protocol = args.get(1).map(|value| name_bytes(vm, value)).transpose()?;
    vm.audit("socket.getservbyname", &[args.req(0).clone(), args.req(1).clone()])?;
    match vm.host().service_port(&name, protocol.as_deref()) {
        Ok(Some(port)) => vm.new_int(port.into()),
        Ok(None) => Err(os_error_text(vm, "service/proto not found")),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub fn getservbyport(vm: &Interpreter, args: &Args) -> Res {
    let port = c_int(vm, args.req(0))?;
    let protocol = args.get(1).map(|value| name_bytes(vm, value)).transpose()?;
    let port = u16::try_from(port)
        .map_err(|_| vm.overflow_error("getservbyport: port must be 0-65535.".to_string()))?;
    vm.audit("socket.getservbyport", &[args.req(0).clone(), args.req(1).clone()])?;
    match vm.host().service_name(port, protocol.as_deref()) {
        Ok(Some(name)) => vm.fs_decode(&name),
        Ok(None) => Err(os_error_text(vm, "port/proto not found")),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub fn getprotobyname(vm: &Interpreter, name: &Value) -> Res {
    let name = name_bytes(vm, name)?;
    match vm.host().protocol_number(&name) {
        Ok(Some(number)) => vm.new_int(number.into()),
        Ok(None) => Err(os_error_text(vm, "protocol not found")),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub fn gethostname(vm: &Interpreter) -> Res {
    vm.audit("socket.gethostname", &[])?;
    match vm.host().host_name() {
        Ok(name) => vm.fs_decode(&name),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub fn sethostname(vm: &Interpreter, name: &Value) -> Res {
    let bytes = match plain_bytes(name) {
        Some(bytes) => bytes,
        None => vm.fs_encode(name)?,
    };
    vm.audit("socket.sethostname", std::slice::from_ref(name))?;
    crate::done(vm, vm.host().set_host_name(&bytes))
}

// ---- interfaces ----

pub fn if_nameindex(vm: &Interpreter) -> Res {
    let interfaces = vm.host().interfaces().map_err(|error| vm.os_error(error))?;
    let pair = |(number, name): &(u32, Vec<u8>)| {
        vm.new_tuple(vec![vm.new_int((*number).into())?, vm.fs_decode(name)?])
    };
    vm.new_list(interfaces.iter().map(pair).collect::<Res<Vec<_>>>()?)
}

pub fn if_nametoindex(vm: &Interpreter, name: &Value) -> Res {
    let bytes = match plain_bytes(name) {
        Some(bytes) => bytes,
        None => vm.fs_encode(name)?,
    };
    match vm.host().interface_number(&bytes) {
        Ok(number) => vm.new_int(number.into()),
        Err(error) => Err(vm.os_error(error)),
    }
}

pub fn if_indextoname(vm: &Interpreter, index: &Value) -> Res {
    let index = vm.index(index)?;
    let too_large = || vm.overflow_error("index is too large".to_string());
    let number = match vm.as_i64(&index) {
        Some(number) if number < 0 => {
            return Err(vm.overflow_error("can't convert negative value to unsigned int".to_string()));
        }
        Some(number) => u32::try_from(number).map_err(|_| too_large())?,
        None => return Err(too_large()),
    };
    match vm.host().interface_name(number) {
        Ok(name) => vm.fs_decode(&name),
        Err(error) => Err(vm.os_error(error)),
    }
}

// ---- addresses as text and as bytes ----

/// An IPv4 address in any of the old ways of writing: one to four parts, decimal, octal or hexadecimal.
fn old_ipv4(text: &str) -> Option<[u8; 4]> {
    // What follows a blank is ignored.
    let text = text.split(|c: char| c.is_ascii_whitespace()).next()?;
    let parts: Vec<u32> = text.split('.').map(old_number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 32 - 8 * first.len() as u32;
    if room < 32 && *last >> room != 0 {
        return None;
    }
    let high = first.iter().enumerate().fold(0, |sum, (i, part)| sum | part << (24 - 8 * i as u32));
    Some((high | last).to_be_bytes())
}

fn old_number(text: &str) -> Option<u32> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some(hexadecimal) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return if hexadecimal.starts_with('+') { None } else { u32::from_str_radix(hexadecimal, 16).ok() };
    }
    if text.len() > 1 && text.starts_with('0') {
        return u32::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}

pub fn inet_aton(vm: &Interpreter, text: &Value) -> Res {
    let text = vm.expect_str(text)?;
    match old_ipv4(&text) {
        Some(bytes) => vm.new_bytes(bytes.to_vec()),
        None => Err(os_error_text(vm, "illegal IP address string passed to inet_aton")),
    }
}

pub fn inet_ntoa(vm: &Interpreter, packed: &Value) -> Res {
    let bytes = vm.bytes_like(packed)?.bytes().to_vec();
    match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(ip) => vm.new_str(&std::net::Ipv4Addr::from(ip).to_string()),
        Err(_) => Err(os_error_text(vm, "packed IP wrong length")),
    }
}

pub fn inet_pton(vm: &Interpreter, family: &Value, text: &Value) -> Res {
    let family = c_int(vm, family)?;
    let text = vm.expect_str(text)?;
    let illegal = || os_error_text(vm, "illegal IP address string passed to inet_pton");
    match family {
        libc::AF_INET => match text.parse::<std::net::Ipv4Addr>() {
            Ok(ip) => vm.new_bytes(ip.octets().to_vec()),
            Err(_) => Err(illegal()),
        },
        libc::AF_INET6 => match text.parse::<std::net::Ipv6Addr>() {
            Ok(ip) => vm.new_bytes(ip.octets().to_vec()),
            Err(_) => Err(illegal()),
        },
        _ => Err(vm.os_error(Error::os(libc::EAFNOSUPPORT))),
    }
}

pub fn inet_ntop(vm: &Interpreter, family: &Value, packed: &Value) -> Res {
    let family = c_int(vm, family)?;
    let bytes = vm.bytes_like(packed)?.bytes().to_vec();
    let invalid = || vm.value_error("invalid length of packed IP address string".to_string());
    match family {
        libc::AF_INET => match <[u8; 4]>::try_from(&bytes[..]) {
            Ok(ip) => vm.new_str(&std::net::Ipv4Addr::from(ip).to_string()),
            Err(_) => Err(invalid()),
        },
        libc::AF_INET6 => match <[u8; 16]>::try_from(&bytes[..]) {
            Ok(ip) => vm.new_str(&ipv6_text(&ip)),
            Err(_) => Err(invalid()),
        },
        _ => Err(vm.value_error(format!("unknown address family {family}"))),
    }
}

// ---- byte order ----

fn unsigned(vm: &Interpreter, value: &Value, function: &str, bits: u32) -> Res<u32> {
    let index = if value.as_int().is_some() || bits == 16 {
        vm.index(value)?
    } else {
        return Err(vm.type_error(format!("expected int, {} found", vm.type_name(value))));
    };
    match vm.as_i64(&index) {
        Some(number) if number >= 0 && number < 1 << bits => Ok(number as u32),
        Some(number) if number < 0 => Err(vm.overflow_error(if bits == 16 {
            format!("{function}: can't convert negative Python int to C 16-bit unsigned integer")
        } else {
            "can't convert negative value to unsigned int".to_string()
        })),
        _ => Err(vm.overflow_error(if bits == 16 {
            format!("{function}: Python int too large to convert to C 16-bit unsigned integer")
        } else {
            "int larger than 32 bits".to_string()
        })),
    }
}

pub fn ntohs(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int(u16::from_be(unsigned(vm, value, "ntohs", 16)? as u16).into())
}

pub fn htons(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int((unsigned(vm, value, "htons", 16)? as u16).to_be().into())
}

pub fn swap_long(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int(unsigned(vm, value, "", 32)?.to_be().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_ways_to_write_an_address() {
        assert_eq!(old_ipv4("1.2.3.4"), Some([1, 2, 3, 4]));
        assert_eq!(old_ipv4("0x7f.1"), Some([127, 0, 0, 1]));
        assert_eq!(old_ipv4("010.1.65535"), Some([8, 1, 255, 255]));
        assert_eq!(old_ipv4("4294967295"), Some([255; 4]));
        for wrong in ["", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "a.b", "1..2", "0x", "08"] {
            assert_eq!(old_ipv4(wrong), None, "{wrong}");
        }
    }
}

//! Addresses of sockets, as data and as the system has them.

use std::mem::{offset_of, size_of};

/// The address of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// None at all: the peer of a socket that is not connected.
    None,
    Inet {
        ip: [u8; 4],
        port: u16,
    },
    Inet6 {
        ip: [u8; 16],
        port: u16,
        flow: u32,
        scope: u32,
    },
    /// A path, or an abstract name that starts with 0; empty when unnamed.
    Unix(Vec<u8>),
    Netlink {
        pid: u32,
        groups: u32,
    },
    Packet {
        protocol: u16,
        interface: i32,
        hardware: u16,
        kind: u8,
        bytes: Vec<u8>,
    },
    Vsock {
        cid: u32,
        port: u32,
    },
    /// The bytes behind the family, of families that are not known here.
    Other {
        family: u16,
        bytes: Vec<u8>,
    },
}

/// An address as bytes that the system reads and writes.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Raw {
    pub bytes: [u8; 128],
    pub length: u32,
}

impl Raw {
    pub(crate) fn empty() -> Raw {
        Raw { bytes: [0; 128], length: 128 }
    }

    pub(crate) fn pointer(&self) -> *const libc::sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn pointer_mut(&mut self) -> *mut libc::sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut result = [0; N];
        if let Some(bytes) = self.bytes.get(at..at + N) {
            result.copy_from_slice(bytes);
        }
        result
    }
}

const UNIX_PATH: usize = offset_of!(libc::sockaddr_un, sun_path);
/// Most bytes of a path, the 0 at its end included.
pub const UNIX_PATH_MAX: usize = size_of::<libc::sockaddr_un>() - UNIX_PATH;

impl Address {
    /// `AF_INET` and its like.
    pub fn family(&self) -> i32 {
        match self {
            Address::None => libc::AF_UNSPEC,
            Address::Inet { .. } => libc::AF_INET,
            Address::Inet6 { .. } => libc::AF_INET6,
            Address::Unix(_) => libc::AF_UNIX,
            Address::Netlink { .. } => libc::AF_NETLINK,
            Address::Packet { .. } => libc::AF_PACKET,
            Address::Vsock { .. } => libc::AF_VSOCK,
            Address::Other { family, .. } => i32::from(*family),
        }
    }

    /// As the system wants it; `None` when it is too long.
    pub(crate) fn to_raw(&self) -> Option<Raw> {
        let mut raw = Raw::empty();
        raw.put(0, &(self.family() as u16).to_ne_bytes());
        raw.length = match self {
            Address::None => size_of::<libc::sa_family_t>(),
            Address::Inet { ip, port } => {
                raw.put(offset_of!(libc::sockaddr_in, sin_port), &port.to_be_bytes());
                raw.put(offset_of!(libc::sockaddr_in, sin_addr), ip);
                size_of::<libc::sockaddr_in>()
            }
            Address::Inet6 { ip, port, flow, scope } => {
                raw.put(offset_of!(libc::sockaddr_in6, sin6_port), &port.to_be_bytes());
                raw.put(offset_of!(libc::sockaddr_in6, sin6_flowinfo), &flow.to_be_bytes());
                raw.put(offset_of!(libc::sockaddr_in6, sin6_addr), ip);
                raw.put(offset_of!(libc::sockaddr_in6, sin6_scope_id), &scope.to_ne_bytes());
                size_of::<libc::sockaddr_in6>()
            }
            Address::Unix(path) => {
                let abstract_name = path.first().is_none_or(|first| *first == 0);
                // A path ends with 0, an abstract name with its length.
                let length = path.len() + usize::from(!abstract_name);
                if length > UNIX_PATH_MAX {
                    return None;
                }
                raw.put(UNIX_PATH, path);
                UNIX_PATH + length
            }
            Address::Netlink { pid, groups } => {
                raw.put(offset_of!(libc::sockaddr_nl, nl_pid), &pid.to_ne_bytes());
                raw.put(offset_of!(libc::sockaddr_nl, nl_groups), &groups.to_ne_bytes());
                size_of::<libc::sockaddr_nl>()
            }
            Address::Packet { protocol, interface, hardware, kind, bytes } => {
                if bytes.len() > 8 {
                    return None;
                }
                raw.put(offset_of!(libc::sockaddr_ll, sll_protocol), &protocol.to_be_bytes());
                raw.put(offset_of!(libc::sockaddr_ll, sll_ifindex), &interface.to_ne_bytes());
                raw.put(offset_of!(libc::sockaddr_ll, sll_hatype), &hardware.to_ne_bytes());
                raw.put(offset_of!(libc::sockaddr_ll, sll_pkttype), &[*kind]);
                raw.put(offset_of!(libc::sockaddr_ll, sll_halen), &[bytes.len() as u8]);
                raw.put(offset_of!(libc::sockaddr_ll, sll_addr), bytes);
                size_of::<libc::sockaddr_ll>()
            }
            Address::Vsock { cid, port } => {
                raw.put(offset_of!(libc::sockaddr_vm, svm_port), &port.to_ne_bytes());
                raw.put(offset_of!(libc::sockaddr_vm, svm_cid), &cid.to_ne_bytes());
                size_of::<libc::sockaddr_vm>()
            }
            Address::Other { bytes, .. } => {
                if bytes.len() > 126 {
                    return None;
                }
                raw.put(2, bytes);
                2 + bytes.len()
            }
        } as u32;
        Some(raw)
    }

    /// From what the system wrote.
    pub(crate) fn from_raw(raw: &Raw) -> Address {
        let length = (raw.length as usize).min(raw.bytes.len());
        if length < size_of::<libc::sa_family_t>() {
            return Address::None;
        }
        let family = u16::from_ne_bytes(raw.get(0));
        match i32::from(family) {
            libc::AF_INET => Address::Inet {
                ip: raw.get(offset_of!(libc::sockaddr_in, sin_addr)),
                port: u16::from_be_bytes(raw.get(offset_of!(libc::sockaddr_in, sin_port))),
            },
            libc::AF_INET6 => Address::Inet6 {
                ip: raw.get(offset_of!(libc::sockaddr_in6, sin6_addr)),
                port: u16::from_be_bytes(raw.get(offset_of!(libc::sockaddr_in6, sin6_port))),
                flow: u32::from_be_bytes(raw.get(offset_of!(libc::sockaddr_in6, sin6_flowinfo))),
                scope: u32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_in6, sin6_scope_id))),
            },
            libc::AF_UNIX => {
                let path = raw.bytes.get(UNIX_PATH..length).unwrap_or_default();
                let end = match path.first() {
                    Some(0) => path.len(),
                    _ => path.iter().position(|byte| *byte == 0).unwrap_or(path.len()),
                };
                Address::Unix(path[..end].to_vec())
            }
            libc::AF_NETLINK => Address::Netlink {
                pid: u32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_nl, nl_pid))),
                groups: u32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_nl, nl_groups))),
            },
            libc::AF_PACKET => {
                let [halen] = raw.get::<1>(offset_of!(libc::sockaddr_ll, sll_halen));
                let [kind] = raw.get::<1>(offset_of!(libc::sockaddr_ll, sll_pkttype));
                let bytes: [u8; 8] = raw.get(offset_of!(libc::sockaddr_ll, sll_addr));
                Address::Packet {
                    protocol: u16::from_be_bytes(raw.get(offset_of!(libc::sockaddr_ll, sll_protocol))),
                    interface: i32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_ll, sll_ifindex))),
                    hardware: u16::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_ll, sll_hatype))),
                    kind,
                    bytes: bytes[..usize::from(halen).min(8)].to_vec(),
                }
            }
            libc::AF_VSOCK => Address::Vsock {
                cid: u32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_vm, svm_cid))),
                port: u32::from_ne_bytes(raw.get(offset_of!(libc::sockaddr_vm, svm_port))),
            },
            _ => Address::Other { family, bytes: raw.bytes[2..length].to_vec() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_way_to_the_system_and_back() {
        let all = [
            Address::Inet { ip: [127, 0, 0, 1], port: 8080 },
            Address::Inet6 { ip: [1; 16], port: 443, flow: 7, scope: 3 },
            Address::Unix(b"/tmp/socket".to_vec()),
            Address::Unix(b"\0name".to_vec()),
            Address::Unix(Vec::new()),
            Address::Netlink { pid: 5, groups: 6 },
            Address::Packet {
                protocol: 3,
                interface: 2,
                hardware: 1,
                kind: 4,
                bytes: vec![1, 2, 3, 4, 5, 6],
            },
            Address::Vsock { cid: 1, port: 2 },
            Address::Other { family: 99, bytes: vec![1, 2, 3] },
        ];
        for address in all {
            let raw = address.to_raw().expect("short enough");
            assert_eq!(Address::from_raw(&raw), address);
        }
        assert!(Address::Unix(vec![b'x'; 108]).to_raw().is_none());
        assert!(Address::Unix(vec![b'x'; 107]).to_raw().is_some());
    }
}

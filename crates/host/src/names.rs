//! Names of the network: hosts, services, protocols, interfaces.

use crate::address::{Address, Raw};
use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::ffi::{CStr, CString, c_char};

/// Why a name was not found: a number of the resolver (`EAI_NONAME`, ...) or an error of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// With the resolver's words.
    Resolver(i32, String),
    System(Error),
}

/// One way to reach a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
    pub canonical: Option<Vec<u8>>,
    pub address: Address,
}

/// What [`Host::resolve`] looks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    pub flags: i32,
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
}

/// A host in the old tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    pub name: Vec<u8>,
    pub aliases: Vec<Vec<u8>>,
    pub addresses: Vec<Address>,
}

#[repr(C)]
struct Hostent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    family: libc::c_int,
    length: libc::c_int,
    addresses: *mut *mut c_char,
}

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        result: *mut Hostent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut Hostent,
        error: *mut libc::c_int,
    ) -> libc::c_int;
    fn gethostbyaddr_r(
        address: *const libc::c_void,
        address_length: libc::socklen_t,
        family: libc::c_int,
        result: *mut Hostent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut Hostent,
        error: *mut libc::c_int,
    ) -> libc::c_int;
    fn hstrerror(error: libc::c_int) -> *const c_char;
}

/// Rooms for the strings of an entry, ever larger.
const ROOMS: [usize; 3] = [1 << 13, 1 << 17, 1 << 21];

fn text(bytes: &[u8]) -> std::result::Result<CString, Unresolved> {
    CString::new(bytes).map_err(|_| Unresolved::System(Error::os(libc::EINVAL)))
}

fn resolver(code: i32) -> Unresolved {
    if code == libc::EAI_SYSTEM {
        return Unresolved::System(std::io::Error::last_os_error().into());
    }
    // SAFETY: the text belongs to the C library, never changes, and is copied.
    let words = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    Unresolved::Resolver(code, words)
}

fn host_error(code: i32) -> Unresolved {
    // SAFETY: as for `gai_strerror`.
    let words = unsafe { CStr::from_ptr(hstrerror(code)) }.to_string_lossy().into_owned();
    Unresolved::Resolver(code, words)
}

/// # Safety
/// A list that ends with a null pointer, or null.
unsafe fn each(mut list: *mut *mut c_char, mut f: impl FnMut(*const c_char)) {
    // SAFETY: by the contract.
    unsafe {
        while !list.is_null() && !(*list).is_null() {
            f(*list);
            list = list.add(1);
        }
    }
}

/// # Safety
/// The entry was filled by the C library and what it points to lives.
unsafe fn entry(found: &Hostent) -> HostEntry {
    let mut result = HostEntry { name: Vec::new(), aliases: Vec::new(), addresses: Vec::new() };
    // SAFETY: by the contract; addresses have the length that the entry says.
    unsafe {
        if !found.name.is_null() {
            result.name = CStr::from_ptr(found.name).to_bytes().to_vec();
        }
        each(found.aliases, |alias| result.aliases.push(CStr::from_ptr(alias).to_bytes().to_vec()));
        each(found.addresses, |address| {
            let bytes = std::slice::from_raw_parts(address.cast::<u8>(), found.length.max(0) as usize);
            if let Ok(ip) = <[u8; 4]>::try_from(bytes) {
                result.addresses.push(Address::Inet { ip, port: 0 });
            } else if let Ok(ip) = <[u8; 16]>::try_from(bytes) {
                result.addresses.push(Address::Inet6 { ip, port: 0, flow: 0, scope: 0 });
            }
        });
    }
    result
}

/// Calls a look-up with ever more room. The look-up gives (result, found, error of the resolver).
fn with_room(
    mut call: impl FnMut(&mut Hostent, &mut [u8]) -> (i32, *mut Hostent, i32),
) -> std::result::Result<HostEntry, Unresolved> {
    for room in ROOMS {
        let mut buffer = vec![0u8; room];
        let null = std::ptr::null_mut();
        let mut place =
            Hostent { name: null, aliases: null.cast(), family: 0, length: 0, addresses: null.cast() };
        let (result, found, error) = call(&mut place, &mut buffer);
        if result == libc::ERANGE {
            continue;
        }
        if found.is_null() {
            return Err(host_error(error));
        }
        // SAFETY: the C library has filled the entry; its strings are in the buffer.
        return Ok(unsafe { entry(&*found) });
    }
    Err(Unresolved::System(Error::os(libc::ENOMEM)))
}

impl Host {
    fn may_resolve(&self) -> std::result::Result<(), Unresolved> {
        self.need(Capability::Network).map_err(Unresolved::System)
    }

    /// The ways to reach a host and a service (`getaddrinfo`).
    pub fn resolve(
        &self,
        host: Option<&[u8]>,
        service: Option<&[u8]>,
        wanted: Wanted,
    ) -> std::result::Result<Vec<Found>, Unresolved> {
        self.may_resolve()?;
        let host = host.map(text).transpose()?;
        let service = service.map(text).transpose()?;
        let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        let mut result = Vec::new();
        // SAFETY: the strings end with 0; the list is read while it lives and freed once.
        unsafe {
            let mut hints: libc::addrinfo = std::mem::zeroed();
            hints.ai_flags = wanted.flags;
            hints.ai_family = wanted.family;
            hints.ai_socktype = wanted.kind;
            hints.ai_protocol = wanted.protocol;
            let mut list = std::ptr::null_mut();
            let code = libc::getaddrinfo(pointer(&host), pointer(&service), &hints, &mut list);
            if code != 0 {
                return Err(resolver(code));
            }
            let mut at = list;
            while !at.is_null() {
                let found = &*at;
                let mut raw = Raw::empty();
                raw.length = found.ai_addrlen.min(128);
                if !found.ai_addr.is_null() {
                    let bytes = std::slice::from_raw_parts(found.ai_addr.cast::<u8>(), raw.length as usize);
                    raw.bytes[..bytes.len()].copy_from_slice(bytes);
                }
                let canonical = &found.ai_canonname;
                result.push(Found {
                    family: found.ai_family,
                    kind: found.ai_socktype,
                    protocol: found.ai_protocol,
                    canonical: (!canonical.is_null()).then(|| CStr::from_ptr(*canonical).to_bytes().to_vec()),
                    address: Address::from_raw(&raw),
                });
                at = found.ai_next;
            }
            libc::freeaddrinfo(list);
        }
        Ok(result)
    }

    /// Names of an address: of its host and of its service.
    pub fn name_of(
        &self,
        address: &Address,
        flags: i32,
    ) -> std::result::Result<(Vec<u8>, Vec<u8>), Unresolved> {
        self.may_resolve()?;
        let raw = address.to_raw().ok_or(Unresolved::System(Error::os(libc::ENAMETOOLONG)))?;
        let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
        // SAFETY: all places are valid for their lengths.
        let code = unsafe {
            libc::getnameinfo(
                raw.pointer(),
                raw.length,
                host.as_mut_ptr().cast(),
                host.len() as libc::socklen_t,
                service.as_mut_ptr().cast(),
                service.len() as libc::socklen_t,
                flags,
            )
        };
        if code != 0 {
            return Err(resolver(code));
        }
        let cut = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        Ok((cut(&host), cut(&service)))
    }

    /// A host by name in the old way, IPv4 only.
    pub fn host_by_name(&self, name: &[u8]) -> std::result::Result<HostEntry, Unresolved> {
        self.may_resolve()?;
        let name = text(name)?;
        with_room(|place, buffer| {
            let (mut found, mut error) = (std::ptr::null_mut(), 0);
            // SAFETY: all places are valid for their lengths.
            let result = unsafe {
                gethostbyname_r(
                    name.as_ptr(),
                    place,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    &mut found,
                    &mut error,
                )
            };
            (result, found, error)
        })
    }

    /// A host by its address in the old way.
    pub fn host_by_address(&self, address: &Address) -> std::result::Result<HostEntry, Unresolved> {
        self.may_resolve()?;
        let bytes = match address {
            Address::Inet { ip, .. } => ip.to_vec(),
            Address::Inet6 { ip, .. } => ip.to_vec(),
            _ => return Err(Unresolved::System(Error::os(libc::EAFNOSUPPORT))),
        };
        with_room(|place, buffer| {
            let (mut found, mut error) = (std::ptr::null_mut(), 0);
            // SAFETY: all places are valid for their lengths.
            let result = unsafe {
                gethostbyaddr_r(
                    bytes.as_ptr().cast(),
                    bytes.len() as libc::socklen_t,
                    address.family(),
                    place,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    &mut found,
                    &mut error,
                )
            };
            (result, found, error)
        })
    }

    /// The port of a service, of any protocol or of one.
    pub fn service_port(&self, name: &[u8], protocol: Option<&[u8]>) -> Result<Option<u16>> {
        self.need(Capability::System)?;
        let _tables = self.tables();
        let (Ok(name), Ok(protocol)) = (CString::new(name), protocol.map(CString::new).transpose()) else {
            return Ok(None);
        };
        // SAFETY: the strings end with 0; the entry is read while the tables are locked.
        unsafe {
            let found = libc::getservbyname(
                name.as_ptr(),
                protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()),
            );
            Ok((!found.is_null()).then(|| u16::from_be((*found).s_port as u16)))
        }
    }

    /// The name of the service at a port.
    pub fn service_name(&self, port: u16, protocol: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        self.need(Capability::System)?;
        let _tables = self.tables();
        let Ok(protocol) = protocol.map(CString::new).transpose() else { return Ok(None) };
        // SAFETY: as for `service_port`.
        unsafe {
            let found = libc::getservbyport(
                i32::from(port.to_be()),
                protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()),
            );
            Ok((!found.is_null()).then(|| CStr::from_ptr((*found).s_name).to_bytes().to_vec()))
        }
    }

    /// The number of a protocol.
    pub fn protocol_number(&self, name: &[u8]) -> Result<Option<i32>> {
        self.need(Capability::System)?;
        let _tables = self.tables();
        let Ok(name) = CString::new(name) else { return Ok(None) };
        // SAFETY: as for `service_port`.
        unsafe {
            let found = libc::getprotobyname(name.as_ptr());
            Ok((!found.is_null()).then(|| (*found).p_proto))
        }
    }

    /// The name of this machine.
    pub fn host_name(&self) -> Result<Vec<u8>> {
        Ok(self.uname()?.nodename)
    }

    /// Names this machine.
    pub fn set_host_name(&self, name: &[u8]) -> Result<()> {
        self.need(Capability::System)?;
        self.need(Capability::Processes)?;
        // SAFETY: the name is valid for its length.
        match unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }

    /// The interfaces of the network: number and name.
    pub fn interfaces(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        self.need(Capability::System)?;
        let mut result = Vec::new();
        // SAFETY: the list ends with a null name, is read while it lives and freed once.
        unsafe {
            let list = libc::if_nameindex();
            if list.is_null() {
                return Err(std::io::Error::last_os_error().into());
            }
            let mut at = list;
            while (*at).if_index != 0 && !(*at).if_name.is_null() {
                result.push(((*at).if_index, CStr::from_ptr((*at).if_name).to_bytes().to_vec()));
                at = at.add(1);
            }
            libc::if_freenameindex(list);
        }
        Ok(result)
    }

    /// The number of an interface.
    pub fn interface_number(&self, name: &[u8]) -> Result<u32> {
        self.need(Capability::System)?;
        let name = CString::new(name).map_err(|_| Error::os(libc::EINVAL))?;
        // SAFETY: the name ends with 0.
        match unsafe { libc::if_nametoindex(name.as_ptr()) } {
            0 => Err(std::io::Error::last_os_error().into()),
            number => Ok(number),
        }
    }

    /// The name of an interface.
    pub fn interface_name(&self, number: u32) -> Result<Vec<u8>> {
        self.need(Capability::System)?;
        let mut name = [0u8; libc::IF_NAMESIZE];
        // SAFETY: the place is as long as names may be.
        if unsafe { libc::if_indextoname(number, name.as_mut_ptr().cast()) }.is_null() {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
    }
}

//! Sockets.

use crate::address::{Address, Raw};
use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::os::fd::AsRawFd;

/// A piece of what goes beside the bytes of a message: open files, credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    pub level: i32,
    pub kind: i32,
    pub bytes: Vec<u8>,
}

/// A received message.
#[derive(Debug)]
pub struct Message {
    /// Bytes received, filled into the buffers one after the other.
    pub length: usize,
    pub controls: Vec<Control>,
    /// `MSG_TRUNC` and its like.
    pub flags: i32,
    pub from: Address,
}

fn number(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

fn size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| std::io::Error::last_os_error().into())
}

/// What an address that is too long is answered with.
fn raw(address: &Address) -> Result<Raw> {
    address.to_raw().ok_or(Error::os(libc::ENAMETOOLONG))
}

/// Room for a control with that many bytes, padding included; `None` when there is no such number.
pub fn control_space(length: usize) -> Option<usize> {
    let align = size_of::<usize>() - 1;
    let head = (size_of::<libc::cmsghdr>() + align) & !align;
    let padded = |length: usize| (length + align) & !align;
    (length <= i32::MAX as usize - head - padded(1)).then(|| padded(length) + head)
}

/// The length of a control with that many bytes, without padding at its end.
pub fn control_length(length: usize) -> Option<usize> {
    let align = size_of::<usize>() - 1;
    let head = (size_of::<libc::cmsghdr>() + align) & !align;
    length.checked_add(head).filter(|length| *length <= i32::MAX as usize)
}

fn encode(controls: &[Control]) -> Result<Vec<u64>> {
    let mut bytes: Vec<u8> = Vec::new();
    for control in controls {
        let invalid = Error::os(libc::EINVAL);
        let space = control_space(control.bytes.len()).ok_or(invalid)?;
        let length = control_length(control.bytes.len()).ok_or(invalid)?;
        let end = bytes.len() + space;
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&control.level.to_ne_bytes());
        bytes.extend_from_slice(&control.kind.to_ne_bytes());
        bytes.extend_from_slice(&control.bytes);
        bytes.resize(end, 0);
    }
    // Words, so that the place is aligned as the system wants it.
    Ok(bytes.chunks(8).map(word).collect())
}

fn word(chunk: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(chunk) {
        *place = *byte;
    }
    u64::from_ne_bytes(bytes)
}

/// Reads controls. A last one that was cut off is shown as far as it came.
fn decode(words: &[u64], length: usize) -> Vec<Control> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect();
    let mut controls = Vec::new();
    let mut at = 0;
    const HEAD: usize = size_of::<libc::cmsghdr>();
    while let Some(head) = bytes.get(at..at + HEAD) {
        let mut whole = [0; 8];
        whole.copy_from_slice(&head[..8]);
        let whole = usize::from_ne_bytes(whole);
        if whole < HEAD {
            break;
        }
        let int =
            |from: usize| i32::from_ne_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]);
        let end = (at + whole).min(bytes.len());
        controls.push(Control { level: int(8), kind: int(12), bytes: bytes[at + HEAD..end].to_vec() });
        at += (whole + 7) & !7;
    }
    controls
}

fn slices(buffers: &[Vec<u8>]) -> Vec<libc::iovec> {
    buffers
        .iter()
        .map(|buffer| libc::iovec { iov_base: buffer.as_ptr().cast_mut().cast(), iov_len: buffer.len() })
        .collect()
}

impl Host {
    /// A new socket, not inherited.
    pub fn socket(&self, family: i32, kind: i32, protocol: i32) -> Result<i32> {
        self.need(Capability::Network)?;
        // SAFETY: numbers only.
        let fd = number(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) })?;
        self.note_open(fd);
        Ok(fd)
    }

    /// Two sockets that are connected.
    pub fn socketpair(&self, family: i32, kind: i32, protocol: i32) -> Result<(i32, i32)> {
        let mut pair = [0; 2];
        // SAFETY: the place holds two numbers.
        number(unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, protocol, pair.as_mut_ptr()) })?;
        pair.iter().for_each(|&fd| self.note_open(fd));
        Ok((pair[0], pair[1]))
    }

    /// Gives a socket its address.
    pub fn bind(&self, fd: i32, address: &Address) -> Result<()> {
        let (fd, raw) = (self.fd(fd)?.as_raw_fd(), raw(address)?);
        // SAFETY: the address is valid for its length.
        number(unsafe { libc::bind(fd, raw.pointer(), raw.length) }).map(drop)
    }

    /// Connects a socket.
    pub fn connect(&self, fd: i32, address: &Address) -> Result<()> {
        let (fd, raw) = (self.fd(fd)?.as_raw_fd(), raw(address)?);
        // SAFETY: the address is valid for its length.
        number(unsafe { libc::connect(fd, raw.pointer(), raw.length) }).map(drop)
    }

    /// Lets others connect.
    pub fn listen(&self, fd: i32, backlog: i32) -> Result<()> {
        // SAFETY: numbers only.
        number(unsafe { libc::listen(self.fd(fd)?.as_raw_fd(), backlog) }).map(drop)
    }

    /// Takes a connection: its socket, not inherited, and who it is.
    pub fn accept(&self, fd: i32) -> Result<(i32, Address)> {
        let mut from = Raw::empty();
        let mut length = from.length;
        // SAFETY: the place is valid for the length given.
        let fd = number(unsafe {
            libc::accept4(self.fd(fd)?.as_raw_fd(), from.pointer_mut(), &mut length, libc::SOCK_CLOEXEC)
        })?;
        self.note_open(fd);
        from.length = length;
        Ok((fd, Address::from_raw(&from)))
    }

    /// A socket's own address.
    pub fn socket_name(&self, fd: i32) -> Result<Address> {
        let mut name = Raw::empty();
        let mut length = name.length;
        // SAFETY: the place is valid for the length given.
        number(unsafe { libc::getsockname(self.fd(fd)?.as_raw_fd(), name.pointer_mut(), &mut length) })?;
        name.length = length;
        Ok(Address::from_raw(&name))
    }

    /// The address that a socket is connected to.
    pub fn peer_name(&self, fd: i32) -> Result<Address> {
        let mut name = Raw::empty();
        let mut length = name.length;
        // SAFETY: the place is valid for the length given.
        number(unsafe { libc::getpeername(self.fd(fd)?.as_raw_fd(), name.pointer_mut(), &mut length) })?;
        name.length = length;
        Ok(Address::from_raw(&name))
    }

    /// Ends one direction or both.
    pub fn shutdown(&self, fd: i32, how: i32) -> Result<()> {
        // SAFETY: numbers only.
        number(unsafe { libc::shutdown(self.fd(fd)?.as_raw_fd(), how) }).map(drop)
    }

    /// Sends, to an address if there is one. Never raises `SIGPIPE`.
    pub fn send(&self, fd: i32, bytes: &[u8], flags: i32, to: Option<&Address>) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let to = to.map(raw).transpose()?;
        let (pointer, length) = to.as_ref().map_or((std::ptr::null(), 0), |raw| (raw.pointer(), raw.length));
        // SAFETY: bytes and address are valid for their lengths.
        size(unsafe { libc::sendto(fd, bytes.as_ptr().cast(), bytes.len(), flags, pointer, length) })
    }

    /// Receives, and says from where when `wants_address`.
    pub fn recv(&self, fd: i32, buffer: &mut [u8], flags: i32) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: the buffer is valid for its length.
        size(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags) })
    }

    /// Receives, and says from where.
    pub fn recv_from(&self, fd: i32, buffer: &mut [u8], flags: i32) -> Result<(usize, Address)> {
        let fd = self.fd(fd)?.as_raw_fd();
        let mut from = Raw::empty();
        let mut length = from.length;
        // SAFETY: buffer and address are valid for their lengths.
        let count = size(unsafe {
            libc::recvfrom(
                fd,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                flags,
                from.pointer_mut(),
                &mut length,
            )
        })?;
        from.length = length;
        Ok((count, Address::from_raw(&from)))
    }

    /// Sends the buffers as one message, with what goes beside it.
    pub fn send_message(
        &self,
        fd: i32,
        buffers: &[Vec<u8>],
        controls: &[Control],
        flags: i32,
        to: Option<&Address>,
    ) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let to = to.map(raw).transpose()?;
        let mut slices = slices(buffers);
        let mut words = encode(controls)?;
        // SAFETY: zeroes are a valid `msghdr`; what it points to outlives the call, and nothing of it is written to.
        unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            if let Some(to) = &to {
                message.msg_name = to.pointer().cast_mut().cast();
                message.msg_namelen = to.length;
            }
            message.msg_iov = slices.as_mut_ptr();
            message.msg_iovlen = slices.len();
            if !words.is_empty() {
                message.msg_control = words.as_mut_ptr().cast();
                message.msg_controllen = words.len() * 8;
            }
            size(libc::sendmsg(fd, &message, flags))
        }
    }

    /// Receives a message into the buffers, with at most so many bytes of what goes beside it. Open files that come with it are not
    /// inherited only if the flags say so.
    pub fn recv_message(
        &self,
        fd: i32,
        buffers: &mut [Vec<u8>],
        control_room: usize,
        flags: i32,
    ) -> Result<Message> {
        let fd = self.fd(fd)?.as_raw_fd();
        let mut slices: Vec<libc::iovec> = buffers
            .iter_mut()
            .map(|buffer| libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() })
            .collect();
        let mut words: Vec<u64> = Vec::new();
        let count = control_room.div_ceil(8);
        words.try_reserve_exact(count).map_err(|_| Error::os(libc::ENOMEM))?;
        words.resize(count, 0);
        let mut from = Raw::empty();
        // SAFETY: zeroes are a valid `msghdr`; what it points to outlives the call and is as long as it says.
        let (length, message) = unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_name = from.pointer_mut().cast();
            message.msg_namelen = from.length;
            message.msg_iov = slices.as_mut_ptr();
            message.msg_iovlen = slices.len();
            if control_room > 0 {
                message.msg_control = words.as_mut_ptr().cast();
                message.msg_controllen = control_room;
            }
            (size(libc::recvmsg(fd, &mut message, flags))?, message)
        };
        from.length = message.msg_namelen;
        let controls = decode(&words, message.msg_controllen);
        for control in controls.iter().filter(|c| c.level == libc::SOL_SOCKET && c.kind == libc::SCM_RIGHTS) {
            for fd in control.bytes.chunks_exact(4) {
                self.note_open(i32::from_ne_bytes([fd[0], fd[1], fd[2], fd[3]]));
            }
        }
        Ok(Message { length, controls, flags: message.msg_flags, from: Address::from_raw(&from) })
    }

    /// An option as a number.
    pub fn socket_option(&self, fd: i32, level: i32, option: i32) -> Result<i32> {
        let mut value = 0i32;
        let mut length = 4;
        // SAFETY: the place is valid for the length given.
        number(unsafe {
            libc::getsockopt(self.fd(fd)?.as_raw_fd(), level, option, (&raw mut value).cast(), &mut length)
        })?;
        Ok(value)
    }

    /// An option as bytes, at most so many.
    pub fn socket_option_bytes(&self, fd: i32, level: i32, option: i32, room: usize) -> Result<Vec<u8>> {
        let mut value = vec![0u8; room];
        let mut length = room as libc::socklen_t;
        // SAFETY: the place is valid for the length given.
        number(unsafe {
            libc::getsockopt(self.fd(fd)?.as_raw_fd(), level, option, value.as_mut_ptr().cast(), &mut length)
        })?;
        value.truncate(length as usize);
        Ok(value)
    }

    /// Sets an option from bytes.
    pub fn set_socket_option(&self, fd: i32, level: i32, option: i32, value: &[u8]) -> Result<()> {
        let length = libc::socklen_t::try_from(value.len()).map_err(|_| Error::os(libc::EINVAL))?;
        // SAFETY: the bytes are valid for their length.
        number(unsafe {
            libc::setsockopt(self.fd(fd)?.as_raw_fd(), level, option, value.as_ptr().cast(), length)
        })
        .map(drop)
    }

    /// Sets an option that takes a length and no bytes.
    pub fn set_socket_option_empty(&self, fd: i32, level: i32, option: i32, length: u32) -> Result<()> {
        // SAFETY: the system reads nothing from a null pointer, it answers EFAULT.
        number(unsafe { libc::setsockopt(self.fd(fd)?.as_raw_fd(), level, option, std::ptr::null(), length) })
            .map(drop)
    }
}

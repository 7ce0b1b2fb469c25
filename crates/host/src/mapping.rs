//! Files mapped into memory.
//!
//! A mapping may be shared with other processes, and its file may be cut: then what is read changes, or the system ends the process with
//! `SIGBUS`, as with every program that maps files.

use crate::error::{Error, Result};
use crate::grant::Host;
use std::os::fd::AsRawFd;

/// A span of memory that belongs to the one who holds this; unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    start: *mut u8,
    length: usize,
    readable: bool,
    writable: bool,
}

/// What [`Host::map`] makes.
#[derive(Debug, Clone, Copy)]
pub struct MapRequest {
    /// The file; -1: memory without one.
    pub fd: i32,
    pub length: usize,
    /// `PROT_READ` and its like.
    pub protection: i32,
    /// `MAP_SHARED` and its like.
    pub flags: i32,
    pub offset: i64,
}

impl Host {
    /// Maps a file, or memory without one.
    pub fn map(&self, request: MapRequest) -> Result<Mapping> {
        let MapRequest { fd, length, protection, flags, offset } = request;
        if flags & libc::MAP_FIXED != 0 || length == 0 {
            // A fixed place could be somebody else's.
            return Err(Error::os(libc::EINVAL));
        }
        let fd = if fd == -1 { -1 } else { self.fd(fd)?.as_raw_fd() };
        // SAFETY: the system chooses a place that nobody uses.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        let writable = protection & libc::PROT_WRITE != 0;
        Ok(Mapping {
            start: start.cast(),
            length,
            readable: writable || protection & libc::PROT_READ != 0,
            writable,
        })
    }
}

impl Mapping {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Empty when the memory must not be read.
    pub fn bytes(&self) -> &[u8] {
        if !self.readable {
            return &[];
        }
        // SAFETY: the span is mapped and readable while `self` lives.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// `None` when the memory is read-only.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        // SAFETY: the span is mapped, writable, and borrowed for as long as the result lives.
        self.writable.then(|| unsafe { std::slice::from_raw_parts_mut(self.start, self.length) })
    }

    /// Writes a part to the file.
    pub fn flush(&self, offset: usize, length: usize, flags: i32) -> Result<()> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(Error::os(libc::EINVAL));
        }
        // SAFETY: the part lies inside the span.
        match unsafe { libc::msync(self.start.add(offset).cast(), length, flags) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }

    /// Tells the system how a part will be used. Advice that gives the memory away or takes it from children is the caller's wish.
    pub fn advise(&self, offset: usize, length: usize, advice: i32) -> Result<()> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(Error::os(libc::EINVAL));
        }
        // SAFETY: the part lies inside the span, and stays mapped whatever the advice.
        match unsafe { libc::madvise(self.start.add(offset).cast(), length, advice) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }

    /// Changes the length; the memory may move.
    pub fn resize(&mut self, length: usize) -> Result<()> {
        if length == 0 {
            return Err(Error::os(libc::EINVAL));
        }
        // SAFETY: the span is ours, and nobody borrows it while `self` is borrowed exclusively.
        let start = unsafe { libc::mremap(self.start.cast(), self.length, length, libc::MREMAP_MAYMOVE) };
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        (self.start, self.length) = (start.cast(), length);
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the span is ours and nobody uses it any more.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

//! Open files by descriptor.

use crate::error::{Error, Result};
use crate::files::{Timestamp, owner};
use crate::grant::{Capability, Host};
use crate::stat::{Stat, StatVfs};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FlockOperation, Mode, OFlags, SeekFrom, Timestamps};
use rustix::io::FdFlags;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

/// Where a seek starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// The start of the file.
    Start,
    /// The present position.
    Current,
    /// The end of the file.
    End,
}

/// A descriptor to wait for, with the bits of the `select` module (`POLLIN`, `POLLOUT`, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollEntry {
    /// The descriptor.
    pub fd: i32,
    /// What is waited for.
    pub events: u16,
    /// What has come.
    pub revents: u16,
}

impl Host {
    /// Reads at most as much as `buffer` holds; 0 at the end.
    pub fn read(&self, fd: i32, buffer: &mut [u8]) -> Result<usize> {
        Ok(rustix::io::read(self.fd(fd)?, buffer)?)
    }

    /// Reads from a position and leaves the file's own as it is.
    pub fn pread(&self, fd: i32, buffer: &mut [u8], offset: u64) -> Result<usize> {
        Ok(rustix::io::pread(self.fd(fd)?, buffer, offset)?)
    }

    /// Writes as much of `bytes` as the system takes.
    pub fn write(&self, fd: i32, bytes: &[u8]) -> Result<usize> {
        Ok(rustix::io::write(self.fd(fd)?, bytes)?)
    }

    /// Writes at a position and leaves the file's own as it is.
    pub fn pwrite(&self, fd: i32, bytes: &[u8], offset: u64) -> Result<usize> {
        Ok(rustix::io::pwrite(self.fd(fd)?, bytes, offset)?)
    }

    /// Moves the position and says where it is.
    pub fn lseek(&self, fd: i32, offset: i64, from: Seek) -> Result<u64> {
        let position = match from {
            Seek::Start => SeekFrom::Start(u64::try_from(offset).map_err(|_| Error::os(libc::EINVAL))?),
            Seek::Current => SeekFrom::Current(offset),
            Seek::End => SeekFrom::End(offset),
        };
        Ok(rustix::fs::seek(self.fd(fd)?, position)?)
    }

    /// As [`Host::lseek`] with the system's number for where to start.
    pub fn lseek_raw(&self, fd: i32, offset: i64, whence: i32) -> Result<u64> {
        use std::os::fd::AsRawFd;
        // SAFETY: numbers only.
        let position = unsafe { libc::lseek(self.fd(fd)?.as_raw_fd(), offset, whence) };
        u64::try_from(position).map_err(|_| std::io::Error::last_os_error().into())
    }

    /// Closes a descriptor.
    pub fn close(&self, fd: i32) -> Result<()> {
        self.fd(fd)?;
        self.note_closed(fd);
        // SAFETY: Python owns its descriptors by number and closes them by number; see `Host::fd`. No owner in Rust has this one.
        let result = unsafe { libc::close(fd) };
        if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
    }

    /// What the system knows about an open file.
    pub fn fstat(&self, fd: i32) -> Result<Stat> {
        Ok(rustix::fs::fstat(self.fd(fd)?)?.into())
    }

    /// What the system knows about the file system of an open file.
    pub fn fstatvfs(&self, fd: i32) -> Result<StatVfs> {
        Ok(rustix::fs::fstatvfs(self.fd(fd)?)?.into())
    }

    /// Cuts or extends an open file.
    pub fn ftruncate(&self, fd: i32, length: u64) -> Result<()> {
        Ok(rustix::fs::ftruncate(self.fd(fd)?, length)?)
    }

    /// Sets permissions of an open file.
    pub fn fchmod(&self, fd: i32, permissions: u32) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        Ok(rustix::fs::fchmod(self.fd(fd)?, Mode::from_bits_retain(permissions & 0o7777))?)
    }

    /// Sets owner and group of an open file.
    pub fn fchown(&self, fd: i32, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        let (uid, gid) = owner(uid, gid)?;
        Ok(rustix::fs::fchown(self.fd(fd)?, uid, gid)?)
    }

    /// Sets the times of an open file.
    pub fn futime(&self, fd: i32, accessed: Timestamp, modified: Timestamp) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        let times = Timestamps { last_access: accessed.spec(), last_modification: modified.spec() };
        Ok(rustix::fs::futimens(self.fd(fd)?, &times)?)
    }

    /// Waits until a file is on its device; `data_only`: without what does not matter for reading it.
    pub fn fsync(&self, fd: i32, data_only: bool) -> Result<()> {
        let fd = self.fd(fd)?;
        Ok(if data_only { rustix::fs::fdatasync(fd) } else { rustix::fs::fsync(fd) }?)
    }

    /// Locks or unlocks a whole file, with the bits of `fcntl.flock`.
    pub fn flock(&self, fd: i32, operation: i32) -> Result<()> {
        let non_blocking = operation & libc::LOCK_NB != 0;
        let operation = match (operation & !libc::LOCK_NB, non_blocking) {
            (libc::LOCK_SH, false) => FlockOperation::LockShared,
            (libc::LOCK_SH, true) => FlockOperation::NonBlockingLockShared,
            (libc::LOCK_EX, false) => FlockOperation::LockExclusive,
            (libc::LOCK_EX, true) => FlockOperation::NonBlockingLockExclusive,
            (libc::LOCK_UN, false) => FlockOperation::Unlock,
            (libc::LOCK_UN, true) => FlockOperation::NonBlockingUnlock,
            _ => return Err(Error::os(libc::EINVAL)),
        };
        Ok(rustix::fs::flock(self.fd(fd)?, operation)?)
    }

    /// A pipe: the end to read from, the end to write to. Neither is inherited.
    pub fn pipe(&self) -> Result<(i32, i32)> {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok((self.adopt(reader), self.adopt(writer)))
    }

    /// Another descriptor for the same open file, not inherited.
    pub fn dup(&self, fd: i32) -> Result<i32> {
        Ok(self.adopt(rustix::io::fcntl_dupfd_cloexec(self.fd(fd)?, 0)?))
    }

    /// Makes `to` a descriptor of the same open file, closing what it was.
    pub fn dup2(&self, fd: i32, to: i32, inheritable: bool) -> Result<i32> {
        let from = self.fd(fd)?;
        if to < 0 {
            return Err(Error::os(libc::EBADF));
        }
        if self.fd(to).is_err() && !self.grants(Capability::ForeignFds) {
            return Err(Error::denied(Capability::ForeignFds));
        }
        if fd == to {
            rustix::io::fcntl_getfd(from)?;
            self.set_inheritable(to, inheritable)?;
            return Ok(to);
        }
        // SAFETY: the number is not negative; the owner made here is given up again below, closed or not.
        let mut target = unsafe { OwnedFd::from_raw_fd(to) };
        let flags = if inheritable { rustix::io::DupFlags::empty() } else { rustix::io::DupFlags::CLOEXEC };
        let result = rustix::io::dup3(from, &mut target, flags);
        let to = target.into_raw_fd();
        result?;
        self.note_open(to);
        Ok(to)
    }

    /// Whether processes started later inherit the descriptor.
    pub fn inheritable(&self, fd: i32) -> Result<bool> {
        Ok(!rustix::io::fcntl_getfd(self.fd(fd)?)?.contains(FdFlags::CLOEXEC))
    }

    /// Says whether processes started later inherit the descriptor.
    pub fn set_inheritable(&self, fd: i32, inheritable: bool) -> Result<()> {
        let flags = if inheritable { FdFlags::empty() } else { FdFlags::CLOEXEC };
        Ok(rustix::io::fcntl_setfd(self.fd(fd)?, flags)?)
    }

    /// Whether reads and writes wait.
    pub fn blocking(&self, fd: i32) -> Result<bool> {
        Ok(!rustix::fs::fcntl_getfl(self.fd(fd)?)?.contains(OFlags::NONBLOCK))
    }

    /// Says whether reads and writes wait.
    pub fn set_blocking(&self, fd: i32, blocking: bool) -> Result<()> {
        let fd = self.fd(fd)?;
        let mut flags = rustix::fs::fcntl_getfl(fd)?;
        flags.set(OFlags::NONBLOCK, !blocking);
        Ok(rustix::fs::fcntl_setfl(fd, flags)?)
    }

    /// The status flags of an open file (`fcntl.F_GETFL`).
    pub fn status_flags(&self, fd: i32) -> Result<i32> {
        Ok(rustix::fs::fcntl_getfl(self.fd(fd)?)?.bits().cast_signed())
    }

    /// Whether the descriptor is a terminal.
    pub fn isatty(&self, fd: i32) -> bool {
        self.fd(fd).is_ok_and(rustix::termios::isatty)
    }

    /// The path of a terminal.
    pub fn ttyname(&self, fd: i32) -> Result<Vec<u8>> {
        Ok(rustix::termios::ttyname(self.fd(fd)?, Vec::new())?.into_bytes())
    }

    /// Waits until one of the descriptors is ready and says how many are; `None` waits for ever. Descriptors that
    /// this host must not use are reported with `POLLNVAL`, negative ones are ignored.
    pub fn poll(&self, entries: &mut [PollEntry], timeout: Option<Duration>) -> Result<usize> {
        let timeout = timeout.map(timespec);
        let mut refused = 0;
        let mut fds = Vec::new();
        fds.try_reserve(entries.len()).map_err(|_| Error::os(libc::ENOMEM))?;
        for entry in entries.iter_mut() {
            entry.revents = 0;
            if entry.fd < 0 {
                continue;
            }
            match self.fd(entry.fd) {
                Ok(fd) => fds.push(PollFd::from_borrowed_fd(fd, PollFlags::from_bits_retain(entry.events))),
                Err(_) => {
                    entry.revents = PollFlags::NVAL.bits();
                    refused += 1;
                }
            }
        }
        // Who is told of a bad descriptor does not wait for the good ones.
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = if refused > 0 { Some(&at_once) } else { timeout.as_ref() };
        let ready = rustix::event::poll(&mut fds, timeout)?;
        let mut answers = fds.iter();
        for entry in entries.iter_mut().filter(|entry| entry.fd >= 0 && entry.revents == 0) {
            if let Some(answer) = answers.next() {
                entry.revents = answer.revents().bits();
            }
        }
        Ok(ready + refused)
    }

    /// Whether the number is an open descriptor that this host may use.
    pub fn is_open(&self, fd: i32) -> bool {
        self.fd(fd).is_ok_and(|fd| rustix::io::fcntl_getfd(fd).is_ok())
    }
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

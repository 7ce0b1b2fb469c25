//! Moving bytes in other ways than by `read` and `write`, and what else is done to open files.

use crate::error::{Error, Result};
use crate::files::Place;
use crate::grant::{Capability, Host};
use std::ffi::CString;
use std::os::fd::AsRawFd;

fn count(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| std::io::Error::last_os_error().into())
}

fn done(result: i32) -> Result<()> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
}

fn number(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

pub(crate) fn c_path(path: &[u8]) -> Result<CString> {
    CString::new(path).map_err(|_| Error::os(libc::EINVAL))
}

fn read_list(buffers: &mut [Vec<u8>]) -> Vec<libc::iovec> {
    buffers.iter_mut().map(|b| libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() }).collect()
}

fn write_list(buffers: &[Vec<u8>]) -> Vec<libc::iovec> {
    buffers.iter().map(|b| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() }).collect()
}

impl Host {
    /// Reads into several buffers, filled in order.
    pub fn readv(&self, fd: i32, buffers: &mut [Vec<u8>]) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let list = read_list(buffers);
        // SAFETY: each entry describes a buffer that is ours for the call.
        count(unsafe { libc::readv(fd, list.as_ptr(), list.len() as i32) })
    }

    /// Writes several buffers in order.
    pub fn writev(&self, fd: i32, buffers: &[Vec<u8>]) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let list = write_list(buffers);
        // SAFETY: each entry describes a buffer that is only read.
        count(unsafe { libc::writev(fd, list.as_ptr(), list.len() as i32) })
    }

    /// As [`Host::readv`], from a position, with the flags of `preadv2`.
    pub fn preadv(&self, fd: i32, buffers: &mut [Vec<u8>], offset: i64, flags: i32) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let list = read_list(buffers);
        // SAFETY: as in `readv`.
        count(unsafe { libc::preadv2(fd, list.as_ptr(), list.len() as i32, offset, flags) })
    }

    /// As [`Host::writev`], at a position, with the flags of `pwritev2`.
    pub fn pwritev(&self, fd: i32, buffers: &[Vec<u8>], offset: i64, flags: i32) -> Result<usize> {
        let fd = self.fd(fd)?.as_raw_fd();
        let list = write_list(buffers);
        // SAFETY: as in `writev`.
        count(unsafe { libc::pwritev2(fd, list.as_ptr(), list.len() as i32, offset, flags) })
    }

    /// Sends bytes from one descriptor to another; without an offset from the present position.
    pub fn sendfile(&self, to: i32, from: i32, offset: Option<i64>, length: usize) -> Result<usize> {
        let (to, from) = (self.fd(to)?.as_raw_fd(), self.fd(from)?.as_raw_fd());
        let mut offset = offset;
        let place = offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        // SAFETY: the offset is valid for the call or a null pointer.
        count(unsafe { libc::sendfile(to, from, place, length) })
    }

    /// Copies bytes between two files inside of the system.
    pub fn copy_file_range(
        &self,
        from: i32,
        to: i32,
        length: usize,
        from_offset: Option<i64>,
        to_offset: Option<i64>,
    ) -> Result<usize> {
        let (from, to) = (self.fd(from)?.as_raw_fd(), self.fd(to)?.as_raw_fd());
        let (mut from_offset, mut to_offset) = (from_offset, to_offset);
        let place =
            |offset: &mut Option<i64>| offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        let (a, b) = (place(&mut from_offset), place(&mut to_offset));
        // SAFETY: the offsets are valid for the call or null pointers.
        count(unsafe { libc::copy_file_range(from, a, to, b, length, 0) })
    }

    /// Moves bytes between a pipe and another descriptor inside of the system.
    pub fn splice(
        &self,
        from: i32,
        to: i32,
        length: usize,
        from_offset: Option<i64>,
        to_offset: Option<i64>,
        flags: u32,
    ) -> Result<usize> {
        let (from, to) = (self.fd(from)?.as_raw_fd(), self.fd(to)?.as_raw_fd());
        let (mut from_offset, mut to_offset) = (from_offset, to_offset);
        let place =
            |offset: &mut Option<i64>| offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        let (a, b) = (place(&mut from_offset), place(&mut to_offset));
        // SAFETY: the offsets are valid for the call or null pointers.
        count(unsafe { libc::splice(from, a, to, b, length, flags) })
    }

    /// Says how a file will be used.
    pub fn advise(&self, fd: i32, offset: i64, length: i64, advice: i32) -> Result<()> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: numbers only.
        match unsafe { libc::posix_fadvise(fd, offset, length, advice) } {
            0 => Ok(()),
            errno => Err(Error::os(errno)),
        }
    }

    /// Makes sure that a file has room on its device.
    pub fn allocate(&self, fd: i32, offset: i64, length: i64) -> Result<()> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: numbers only.
        match unsafe { libc::posix_fallocate(fd, offset, length) } {
            0 => Ok(()),
            errno => Err(Error::os(errno)),
        }
    }

    /// Locks a part of a file with the commands of `lockf`.
    pub fn lockf(&self, fd: i32, command: i32, length: i64) -> Result<()> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: numbers only.
        done(unsafe { libc::lockf(fd, command, length) })
    }

    /// Locks a part of a file as `fcntl.lockf` does: a type of lock, from where, how long, waiting or not.
    pub fn lock_part(
        &self,
        fd: i32,
        kind: i32,
        start: i64,
        length: i64,
        whence: i32,
        wait: bool,
    ) -> Result<()> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: zeroes are a valid `flock`.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = kind as libc::c_short;
        lock.l_whence = whence as libc::c_short;
        lock.l_start = start;
        lock.l_len = length;
        let command = if wait { libc::F_SETLKW } else { libc::F_SETLK };
        // SAFETY: the lock is valid for the call.
        done(unsafe { libc::fcntl(fd, command, &lock) })
    }

    /// `fcntl` with a number.
    pub fn fcntl(&self, fd: i32, command: i32, argument: i64) -> Result<i32> {
        let fd = self.fd(fd)?.as_raw_fd();
        if matches!(command, libc::F_SETLK | libc::F_SETLKW | libc::F_GETLK) {
            // These want an address, not a number.
            return Err(Error::os(libc::EFAULT));
        }
        // SAFETY: commands that take an address were refused above or get a number that the system checks.
        let result = number(unsafe { libc::fcntl(fd, command, argument) })?;
        if command == libc::F_DUPFD || command == libc::F_DUPFD_CLOEXEC {
            self.note_open(result);
        }
        Ok(result)
    }

    /// `fcntl` with bytes that the system may change.
    pub fn fcntl_bytes(&self, fd: i32, command: i32, bytes: &mut [u8; 1024]) -> Result<i32> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: no command reads or writes more than the 1024 bytes there are.
        number(unsafe { libc::fcntl(fd, command, bytes.as_mut_ptr()) })
    }

    /// `ioctl` with a number.
    pub fn ioctl(&self, fd: i32, request: u64, argument: i64) -> Result<i32> {
        let fd = self.fd(fd)?.as_raw_fd();
        self.need(Capability::ForeignFds)?;
        // SAFETY: the request is the caller's; with a number instead of an address the system answers EFAULT where it wants one.
        number(unsafe { libc::ioctl(fd, request as libc::c_ulong, argument) })
    }

    /// `ioctl` with bytes that the system may change. The room is larger than any request of the system needs.
    pub fn ioctl_bytes(&self, fd: i32, request: u64, bytes: &mut Vec<u8>) -> Result<i32> {
        let fd = self.fd(fd)?.as_raw_fd();
        self.need(Capability::ForeignFds)?;
        let length = bytes.len();
        // The size of an argument stands in 14 bits of the request; older requests are small.
        bytes.resize(length.max(1 << 14), 0);
        // SAFETY: as many bytes are there as a request can name.
        let result = unsafe { libc::ioctl(fd, request as libc::c_ulong, bytes.as_mut_ptr()) };
        bytes.truncate(length);
        number(result)
    }

    /// A file in memory.
    pub fn memfd(&self, name: &[u8], flags: u32) -> Result<i32> {
        let name = c_path(name)?;
        // SAFETY: the name is valid for the call.
        let fd = number(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
        self.note_open(fd);
        Ok(fd)
    }

    /// A counter as a descriptor.
    pub fn eventfd(&self, initial: u32, flags: i32) -> Result<i32> {
        // SAFETY: numbers only.
        let fd = number(unsafe { libc::eventfd(initial, flags) })?;
        self.note_open(fd);
        Ok(fd)
    }

    /// A process as a descriptor.
    pub fn pidfd_open(&self, pid: i32, flags: u32) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        let fd = number(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) } as i32)?;
        self.note_open(fd);
        Ok(fd)
    }

    /// Makes a special file.
    pub fn mknod(&self, place: Place<'_>, mode: u32, device: u64) -> Result<()> {
        use std::os::fd::AsFd;
        self.need(Capability::WriteFiles)?;
        let (base, path) = (self.base(place)?, c_path(place.bytes())?);
        // SAFETY: the path is valid for the call.
        done(unsafe { libc::mknodat(base.as_fd().as_raw_fd(), path.as_ptr(), mode, device) })
    }

    /// An extended attribute of a file.
    pub fn getxattr(&self, target: &XattrTarget, name: &[u8]) -> Result<Vec<u8>> {
        self.need(Capability::ReadFiles)?;
        let name = c_path(name)?;
        grown(|room| {
            // SAFETY: the room is valid for the call, and so are the strings.
            unsafe {
                let (data, size) = (room.as_mut_ptr().cast(), room.len());
                match target {
                    XattrTarget::Fd(fd) => {
                        Ok(libc::fgetxattr(self.fd(*fd)?.as_raw_fd(), name.as_ptr(), data, size))
                    }
                    XattrTarget::Path { path, follow } => {
                        let path = self.xattr_path(path)?;
                        Ok(if *follow {
                            libc::getxattr(path.as_ptr(), name.as_ptr(), data, size)
                        } else {
                            libc::lgetxattr(path.as_ptr(), name.as_ptr(), data, size)
                        })
                    }
                }
            }
        })
    }

    /// The names of the extended attributes of a file, each ended by a 0.
    pub fn listxattr(&self, target: &XattrTarget) -> Result<Vec<u8>> {
        self.need(Capability::ReadFiles)?;
        grown(|room| {
            // SAFETY: the room is valid for the call, and so is the path.
            unsafe {
                let (data, size) = (room.as_mut_ptr().cast(), room.len());
                match target {
                    XattrTarget::Fd(fd) => Ok(libc::flistxattr(self.fd(*fd)?.as_raw_fd(), data, size)),
                    XattrTarget::Path { path, follow } => {
                        let path = self.xattr_path(path)?;
                        Ok(if *follow {
                            libc::listxattr(path.as_ptr(), data, size)
                        } else {
                            libc::llistxattr(path.as_ptr(), data, size)
                        })
                    }
                }
            }
        })
    }

    /// Sets an extended attribute of a file.
    pub fn setxattr(&self, target: &XattrTarget, name: &[u8], value: &[u8], flags: i32) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        let name = c_path(name)?;
        // SAFETY: all strings and the value are valid for the call.
        unsafe {
            let (data, size) = (value.as_ptr().cast(), value.len());
            done(match target {
                XattrTarget::Fd(fd) => {
                    libc::fsetxattr(self.fd(*fd)?.as_raw_fd(), name.as_ptr(), data, size, flags)
                }
                XattrTarget::Path { path, follow } => {
                    let path = self.xattr_path(path)?;
                    if *follow {
                        libc::setxattr(path.as_ptr(), name.as_ptr(), data, size, flags)
                    } else {
                        libc::lsetxattr(path.as_ptr(), name.as_ptr(), data, size, flags)
                    }
                }
            })
        }
    }

    /// Removes an extended attribute of a file.
    pub fn removexattr(&self, target: &XattrTarget, name: &[u8]) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        let name = c_path(name)?;
        // SAFETY: all strings are valid for the call.
        unsafe {
            done(match target {
                XattrTarget::Fd(fd) => libc::fremovexattr(self.fd(*fd)?.as_raw_fd(), name.as_ptr()),
                XattrTarget::Path { path, follow } => {
                    let path = self.xattr_path(path)?;
                    if *follow {
                        libc::removexattr(path.as_ptr(), name.as_ptr())
                    } else {
                        libc::lremovexattr(path.as_ptr(), name.as_ptr())
                    }
                }
            })
        }
    }

    /// The calls for extended attributes know no directory to start from: the path gets it in front.
    fn xattr_path(&self, path: &[u8]) -> Result<CString> {
        match self.directory() {
            Some(directory) if !path.starts_with(b"/") => {
                let mut full = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
                full.extend_from_slice(path);
                c_path(&full)
            }
            _ => c_path(path),
        }
    }

    /// A limit of a file system, by a number of `pathconf_names`; `None`: there is none.
    pub fn pathconf(&self, path: &[u8], name: i32) -> Result<Option<i64>> {
        self.need(Capability::ReadFiles)?;
        let path = self.xattr_path(path)?;
        // SAFETY: the path is valid for the call, errno is the thread's own.
        unsafe {
            *libc::__errno_location() = 0;
            limit(libc::pathconf(path.as_ptr(), name))
        }
    }

    /// As [`Host::pathconf`] for an open file.
    pub fn fpathconf(&self, fd: i32, name: i32) -> Result<Option<i64>> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: numbers only, errno is the thread's own.
        unsafe {
            *libc::__errno_location() = 0;
            limit(libc::fpathconf(fd, name))
        }
    }
}

/// What a limit function said; errno was 0 before.
fn limit(value: libc::c_long) -> Result<Option<i64>> {
    // SAFETY: the location of errno is the thread's own.
    match (value, unsafe { *libc::__errno_location() }) {
        (-1, 0) => Ok(None),
        (-1, errno) => Err(Error::os(errno)),
        (value, _) => Ok(Some(value)),
    }
}

/// What has extended attributes.
pub enum XattrTarget<'a> {
    Fd(i32),
    Path { path: &'a [u8], follow: bool },
}

/// Calls until the room is large enough.
fn grown(mut call: impl FnMut(&mut [u8]) -> Result<isize>) -> Result<Vec<u8>> {
    for size in [128, 1 << 16] {
        let mut room = vec![0; size];
        match count(call(&mut room)?) {
            Ok(length) => {
                room.truncate(length);
                return Ok(room);
            }
            Err(error) if error.errno == libc::ERANGE => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::os(libc::ERANGE))
}

//! Files and directories by name.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use crate::stat::{Stat, StatVfs};
use rustix::fs::{Access, AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// A path, with the directory from which it starts when it is relative (`dir_fd` of the functions in `os`).
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    dir_fd: Option<i32>,
    path: &'a [u8],
}

impl<'a> Place<'a> {
    /// A path from the working directory.
    pub const fn new(path: &'a [u8]) -> Place<'a> {
        Place { dir_fd: None, path }
    }

    /// A path from an open directory, or from the working directory for `None`.
    pub const fn at(dir_fd: Option<i32>, path: &'a [u8]) -> Place<'a> {
        Place { dir_fd, path }
    }
}

impl Place<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.path
    }
}

impl<'a> From<&'a [u8]> for Place<'a> {
    fn from(path: &'a [u8]) -> Place<'a> {
        Place::new(path)
    }
}

/// A time for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamp {
    /// The present.
    Now,
    /// What it is already.
    Keep,
    /// Seconds since 1970 and nanoseconds below a milliard.
    At(i64, u32),
}

impl Timestamp {
    pub(crate) fn spec(self) -> Timespec {
        match self {
            Timestamp::Now => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
            Timestamp::Keep => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
            Timestamp::At(seconds, nanoseconds) => Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
        }
    }
}

/// The directory of a place, kept open while a call is under way.
pub(crate) enum Base<'a> {
    Given(BorrowedFd<'a>),
    Own(Arc<OwnedFd>),
    Process,
}

impl AsFd for Base<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Base::Given(fd) => *fd,
            Base::Own(fd) => fd.as_fd(),
            Base::Process => CWD,
        }
    }
}

fn mode(bits: u32) -> Mode {
    Mode::from_bits_retain(bits & 0o7777)
}

fn follow(follow_symlinks: bool) -> AtFlags {
    if follow_symlinks { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW }
}

impl Host {
    /// The directory from which a place starts.
    pub(crate) fn base(&self, place: Place<'_>) -> Result<Base<'_>> {
        // A path that starts at the root needs no directory, not even a valid one.
        Ok(match place.dir_fd {
            Some(fd) if !place.path.starts_with(b"/") => Base::Given(self.fd(fd)?),
            _ => self.directory().map_or(Base::Process, Base::Own),
        })
    }

    fn readable<'a>(&'a self, place: Place<'_>) -> Result<Base<'a>> {
        self.need(Capability::ReadFiles)?;
        self.base(place)
    }

    fn writable<'a>(&'a self, place: Place<'_>) -> Result<Base<'a>> {
        self.need(Capability::WriteFiles)?;
        self.base(place)
    }

    /// Opens a file with the flags of `os.open` and gives a descriptor that is not inherited.
    pub fn open(&self, place: Place<'_>, flags: i32, permissions: u32) -> Result<i32> {
        Ok(self.adopt(self.open_owned(place, flags, permissions)?))
    }

    pub(crate) fn open_owned(&self, place: Place<'_>, flags: i32, permissions: u32) -> Result<OwnedFd> {
        let access = flags & libc::O_ACCMODE;
        if access != libc::O_WRONLY {
            self.need(Capability::ReadFiles)?;
        }
        if access != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0 {
            self.need(Capability::WriteFiles)?;
        }
        let flags = OFlags::from_bits_retain(flags.cast_unsigned()) | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self.base(place)?, place.path, flags, mode(permissions))?)
    }

    /// What the system knows about a file.
    pub fn stat(&self, place: Place<'_>, follow_symlinks: bool) -> Result<Stat> {
        let base = self.readable(place)?;
        Ok(rustix::fs::statat(base, place.path, follow(follow_symlinks))?.into())
    }

    /// `stat` of the link itself.
    pub fn lstat(&self, place: Place<'_>) -> Result<Stat> {
        self.stat(place, false)
    }

    /// What the system knows about the file system of a path.
    pub fn statvfs(&self, path: &[u8]) -> Result<StatVfs> {
        self.need(Capability::ReadFiles)?;
        match self.directory() {
            None => Ok(rustix::fs::statvfs(path)?.into()),
            Some(_) => {
                let flags = libc::O_RDONLY | libc::O_NONBLOCK;
                Ok(rustix::fs::fstatvfs(self.open_owned(Place::new(path), flags, 0)?)?.into())
            }
        }
    }

    /// Whether the access with the bits `R_OK`, `W_OK`, `X_OK` would be allowed. `effective_ids`: for the effective user.
    pub fn access(
        &self,
        place: Place<'_>,
        bits: u32,
        effective_ids: bool,
        follow_symlinks: bool,
    ) -> Result<bool> {
        let base = self.readable(place)?;
        if bits & Access::WRITE_OK.bits() != 0 && !self.grants(Capability::WriteFiles) {
            return Ok(false);
        }
        let mut flags = follow(follow_symlinks);
        flags.set(AtFlags::EACCESS, effective_ids);
        Ok(rustix::fs::accessat(base, place.path, Access::from_bits_truncate(bits), flags).is_ok())
    }

    /// Makes a directory.
    pub fn mkdir(&self, place: Place<'_>, permissions: u32) -> Result<()> {
        Ok(rustix::fs::mkdirat(self.writable(place)?, place.path, mode(permissions))?)
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, place: Place<'_>) -> Result<()> {
        Ok(rustix::fs::unlinkat(self.writable(place)?, place.path, AtFlags::REMOVEDIR)?)
    }

    /// Removes a name of a file.
    pub fn unlink(&self, place: Place<'_>) -> Result<()> {
        Ok(rustix::fs::unlinkat(self.writable(place)?, place.path, AtFlags::empty())?)
    }

    /// Renames; replaces what has the new name.
    pub fn rename(&self, from: Place<'_>, to: Place<'_>) -> Result<()> {
        Ok(rustix::fs::renameat(self.writable(from)?, from.path, self.writable(to)?, to.path)?)
    }

    /// What a symbolic link says.
    pub fn readlink(&self, place: Place<'_>) -> Result<Vec<u8>> {
        let base = self.readable(place)?;
        Ok(rustix::fs::readlinkat(base, place.path, Vec::new())?.into_bytes())
    }

    /// Makes a symbolic link at `place` that says `target`.
    pub fn symlink(&self, target: &[u8], place: Place<'_>) -> Result<()> {
        Ok(rustix::fs::symlinkat(target, self.writable(place)?, place.path)?)
    }

    /// Gives a file another name.
    pub fn link(&self, from: Place<'_>, to: Place<'_>, follow_symlinks: bool) -> Result<()> {
        let flags = if follow_symlinks { AtFlags::SYMLINK_FOLLOW } else { AtFlags::empty() };
        Ok(rustix::fs::linkat(self.writable(from)?, from.path, self.writable(to)?, to.path, flags)?)
    }

    /// Sets permissions.
    pub fn chmod(&self, place: Place<'_>, permissions: u32, follow_symlinks: bool) -> Result<()> {
        let base = self.writable(place)?;
        Ok(rustix::fs::chmodat(base, place.path, mode(permissions), follow(follow_symlinks))?)
    }

    /// Sets owner and group; `None` keeps.
    pub fn chown(
        &self,
        place: Place<'_>,
        uid: Option<u32>,
        gid: Option<u32>,
        follow_symlinks: bool,
    ) -> Result<()> {
        let base = self.writable(place)?;
        let (uid, gid) = owner(uid, gid)?;
        Ok(rustix::fs::chownat(base, place.path, uid, gid, follow(follow_symlinks))?)
    }

    /// Sets the times of the last access and the last change.
    pub fn utime(
        &self,
        place: Place<'_>,
        accessed: Timestamp,
        modified: Timestamp,
        follow_symlinks: bool,
    ) -> Result<()> {
        let base = self.writable(place)?;
        let times = Timestamps { last_access: accessed.spec(), last_modification: modified.spec() };
        Ok(rustix::fs::utimensat(base, place.path, &times, follow(follow_symlinks))?)
    }

    /// Cuts or extends a file.
    pub fn truncate(&self, path: &[u8], length: u64) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        let base = self.base(Place::new(path))?;
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(base, path, flags, Mode::empty())?;
        Ok(rustix::fs::ftruncate(file, length)?)
    }

    /// Makes a named pipe.
    pub fn mkfifo(&self, place: Place<'_>, permissions: u32) -> Result<()> {
        let base = self.writable(place)?;
        let kind = rustix::fs::FileType::Fifo;
        Ok(rustix::fs::mknodat(base, place.path, kind, mode(permissions), 0)?)
    }

    /// The working directory.
    pub fn getcwd(&self) -> Result<Vec<u8>> {
        self.need(Capability::ReadFiles)?;
        let Some(directory) = self.directory() else {
            return Ok(rustix::process::getcwd(Vec::new())?.into_bytes());
        };
        use std::os::fd::AsRawFd;
        let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new())?.into_bytes();
        if rustix::fs::fstat(&directory)?.st_nlink == 0 { Err(Error::os(libc::ENOENT)) } else { Ok(path) }
    }

    /// Changes the working directory of this host.
    pub fn chdir(&self, path: &[u8]) -> Result<()> {
        let base = self.readable(Place::new(path))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        self.enter(rustix::fs::openat(base, path, flags, Mode::empty())?)
    }

    /// Changes the working directory of this host to an open directory.
    pub fn fchdir(&self, fd: i32) -> Result<()> {
        self.need(Capability::ReadFiles)?;
        if !Stat::from(rustix::fs::fstat(self.fd(fd)?)?).is_dir() {
            return Err(Error::os(libc::ENOTDIR));
        }
        self.enter(rustix::io::fcntl_dupfd_cloexec(self.fd(fd)?, 3)?)
    }

    fn enter(&self, directory: OwnedFd) -> Result<()> {
        // A directory can be entered only with the permission to search it.
        rustix::fs::accessat(&directory, ".", Access::EXEC_OK, AtFlags::empty())?;
        // Out of the way: programs expect the next descriptor to have the lowest free number.
        let away = rustix::io::fcntl_dupfd_cloexec(&directory, 512);
        self.set_directory(away.unwrap_or(directory));
        Ok(())
    }

    /// Sets the file creation mask of the process and gives the former one.
    pub fn umask(&self, mask: u32) -> Result<u32> {
        self.need(Capability::WriteFiles)?;
        Ok(rustix::process::umask(mode(mask & 0o777)).bits())
    }
}

/// Owner and group for `chown`. All ones is not a user: the system takes it for "keep".
pub(crate) fn owner(uid: Option<u32>, gid: Option<u32>) -> Result<(Option<Uid>, Option<Gid>)> {
    if uid == Some(u32::MAX) || gid == Some(u32::MAX) {
        return Err(Error::os(libc::EINVAL));
    }
    Ok((uid.map(Uid::from_raw), gid.map(Gid::from_raw)))
}

//! Directories as lists of entries.

use crate::error::Result;
use crate::files::Place;
use crate::grant::{Capability, Host};
use rustix::fs::{Dir, FileType};

/// What an entry is, as far as the directory itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, a pipe or a socket.
    Other,
    /// The file system does not say; ask `lstat`.
    Unknown,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name, without the directory.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Number of the file in its device.
    pub ino: u64,
}

impl Host {
    /// The entries of a directory but for `.` and `..`, in the order of the system.
    pub fn scandir(&self, path: &[u8]) -> Result<Vec<DirEntry>> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        self.need(Capability::ReadFiles)?;
        entries(Dir::new(self.open_owned(Place::new(path), flags, 0)?)?)
    }

    /// The entries of an open directory.
    pub fn scandir_fd(&self, fd: i32) -> Result<Vec<DirEntry>> {
        self.need(Capability::ReadFiles)?;
        entries(Dir::read_from(self.fd(fd)?)?)
    }

    /// The names in a directory.
    pub fn listdir(&self, path: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(self.scandir(path)?.into_iter().map(|entry| entry.name).collect())
    }
}

fn entries(dir: Dir) -> Result<Vec<DirEntry>> {
    let mut list = Vec::new();
    for entry in dir {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Directory,
            FileType::Symlink => EntryKind::Symlink,
            FileType::Unknown => EntryKind::Unknown,
            _ => EntryKind::Other,
        };
        list.push(DirEntry { name: name.to_vec(), kind, ino: entry.ino() });
    }
    Ok(list)
}

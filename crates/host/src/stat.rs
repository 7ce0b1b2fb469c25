//! What the system knows about a file.

/// The fields of `os.stat_result`. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Type and permissions.
    pub mode: u32,
    /// Number of the file in its device.
    pub ino: u64,
    /// The device.
    pub dev: u64,
    /// Names of the file.
    pub nlink: u64,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Bytes.
    pub size: i64,
    /// Last read, in nanoseconds.
    pub atime_ns: i128,
    /// Last change of the contents, in nanoseconds.
    pub mtime_ns: i128,
    /// Last change of the file's data in its directory, in nanoseconds.
    pub ctime_ns: i128,
    /// Bytes of a good read or write.
    pub blksize: i64,
    /// Blocks of 512 bytes in use.
    pub blocks: i64,
    /// The device that a device file stands for.
    pub rdev: u64,
}

impl Stat {
    fn is(self, kind: u32) -> bool {
        self.mode & 0o170_000 == kind
    }

    /// Whether it is a directory.
    pub fn is_dir(self) -> bool {
        self.is(0o040_000)
    }

    /// Whether it is a regular file.
    pub fn is_file(self) -> bool {
        self.is(0o100_000)
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(self) -> bool {
        self.is(0o120_000)
    }
}

#[expect(clippy::unnecessary_cast, reason = "the types differ between systems")]
impl From<rustix::fs::Stat> for Stat {
    fn from(stat: rustix::fs::Stat) -> Stat {
        let time =
            |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Stat {
            mode: stat.st_mode as u32,
            ino: stat.st_ino as u64,
            dev: stat.st_dev as u64,
            nlink: stat.st_nlink as u64,
            uid: stat.st_uid as u32,
            gid: stat.st_gid as u32,
            size: stat.st_size as i64,
            atime_ns: time(stat.st_atime as i64, stat.st_atime_nsec as i64),
            mtime_ns: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime_ns: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            blksize: stat.st_blksize as i64,
            blocks: stat.st_blocks as i64,
            rdev: stat.st_rdev as u64,
        }
    }
}

/// The fields of `os.statvfs_result`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatVfs {
    /// Bytes of a block.
    pub bsize: u64,
    /// Bytes of a fragment.
    pub frsize: u64,
    /// Fragments.
    pub blocks: u64,
    /// Free blocks.
    pub bfree: u64,
    /// Free blocks for ordinary users.
    pub bavail: u64,
    /// Inodes.
    pub files: u64,
    /// Free inodes.
    pub ffree: u64,
    /// Free inodes for ordinary users.
    pub favail: u64,
    /// The file system.
    pub fsid: u64,
    /// Mount flags.
    pub flag: u64,
    /// Longest name.
    pub namemax: u64,
}

impl From<rustix::fs::StatVfs> for StatVfs {
    fn from(stat: rustix::fs::StatVfs) -> StatVfs {
        StatVfs {
            bsize: stat.f_bsize,
            frsize: stat.f_frsize,
            blocks: stat.f_blocks,
            bfree: stat.f_bfree,
            bavail: stat.f_bavail,
            files: stat.f_files,
            ffree: stat.f_ffree,
            favail: stat.f_favail,
            fsid: stat.f_fsid,
            flag: stat.f_flag.bits(),
            namemax: stat.f_namemax,
        }
    }
}

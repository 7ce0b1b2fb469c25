//! The machine: names, processors, random bytes, terminals.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use rustix::rand::GetRandomFlags;

/// The fields of `os.uname_result`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uname {
    /// The operating system.
    pub sysname: Vec<u8>,
    /// The machine's name in its network.
    pub nodename: Vec<u8>,
    /// The release of the system.
    pub release: Vec<u8>,
    /// The version of the release.
    pub version: Vec<u8>,
    /// The kind of machine.
    pub machine: Vec<u8>,
}

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Width.
    pub columns: u16,
    /// Height.
    pub lines: u16,
}

impl Host {
    /// Fills `buffer` with random bytes. Interrupted or not, all of it.
    pub fn random(&self, buffer: &mut [u8]) -> Result<()> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.getrandom(rest, 0) {
                Ok(count) => done += count,
                Err(error) if error.is_interrupted() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Random bytes with the flags of `os.getrandom`; how many it were.
    pub fn getrandom(&self, buffer: &mut [u8], flags: u32) -> Result<usize> {
        self.need(Capability::Random)?;
        Ok(rustix::rand::getrandom(buffer, GetRandomFlags::from_bits_retain(flags))?)
    }

    /// The names of system and machine.
    pub fn uname(&self) -> Result<Uname> {
        self.need(Capability::System)?;
        let names = rustix::system::uname();
        Ok(Uname {
            sysname: names.sysname().to_bytes().to_vec(),
            nodename: names.nodename().to_bytes().to_vec(),
            release: names.release().to_bytes().to_vec(),
            version: names.version().to_bytes().to_vec(),
            machine: names.machine().to_bytes().to_vec(),
        })
    }

    /// Processors that are switched on.
    pub fn cpu_count(&self) -> Result<usize> {
        self.need(Capability::System)?;
        // SAFETY: the call takes a number and touches no memory of ours.
        let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
        usize::try_from(count).map_err(|_| Error::os(libc::ENOSYS))
    }

    /// Processors that this process may use.
    pub fn usable_cpus(&self) -> Result<usize> {
        self.need(Capability::System)?;
        Ok(std::thread::available_parallelism()?.get())
    }

    /// The load averages of 1, 5 and 15 minutes.
    pub fn load_average(&self) -> Result<[f64; 3]> {
        self.need(Capability::System)?;
        let mut load = [0.0; 3];
        // SAFETY: the array has room for three numbers.
        if unsafe { libc::getloadavg(load.as_mut_ptr(), 3) } == 3 {
            Ok(load)
        } else {
            Err(Error::os(libc::ENOSYS))
        }
    }

    /// A value of `sysconf`; `None`: unlimited.
    pub fn sysconf(&self, name: i32) -> Result<Option<i64>> {
        self.need(Capability::System)?;
        // `sysconf` reports an error through errno alone, and -1 without one means that there is no limit.
        // SAFETY: the calls touch no memory but the thread's own errno.
        let (value, errno) = unsafe {
            *libc::__errno_location() = 0;
            (libc::sysconf(name), *libc::__errno_location())
        };
        match (value, errno) {
            (-1, 0) => Ok(None),
            (-1, errno) => Err(Error::os(errno)),
            (value, _) => Ok(Some(value)),
        }
    }

    /// Bytes of a page of memory.
    pub fn page_size(&self) -> usize {
        rustix::param::page_size()
    }

    /// Ticks of `os.times` in a second.
    pub fn clock_ticks(&self) -> u64 {
        rustix::param::clock_ticks_per_second()
    }

    /// The path of the program that this process runs.
    pub fn executable(&self) -> Result<Vec<u8>> {
        use std::os::unix::ffi::OsStringExt;
        self.need(Capability::System)?;
        Ok(std::env::current_exe()?.into_os_string().into_vec())
    }

    /// The size of a terminal.
    pub fn terminal_size(&self, fd: i32) -> Result<TerminalSize> {
        let size = rustix::termios::tcgetwinsize(self.fd(fd)?)?;
        Ok(TerminalSize { columns: size.ws_col, lines: size.ws_row })
    }
}

/// Bytes of address space that the process may still take; `None` when there is no limit (`ulimit -v`).
pub fn address_space_left() -> Option<usize> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current?;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().next()?.parse().ok()?;
    let taken = pages.saturating_mul(rustix::param::page_size() as u64);
    usize::try_from(limit.saturating_sub(taken)).ok()
}

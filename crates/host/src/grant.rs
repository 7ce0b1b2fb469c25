//! Capabilities, and the host that holds them.

use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that an interpreter may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Capability {
    /// Read files and directories, and what is known about them.
    ReadFiles,
    /// Make, change and remove files and directories.
    WriteFiles,
    /// Start with the environment of the process. Without it the environment is empty, but the interpreter's own.
    Environment,
    /// Read clocks. Sleeping needs it too.
    Clock,
    /// Get random bytes from the system.
    Random,
    /// See, start, await and signal processes.
    Processes,
    /// Use the file descriptors 0, 1 and 2.
    Stdio,
    /// Use file descriptors that this host has not opened.
    ForeignFds,
    /// Learn about the machine and the user: names, processors, ids.
    System,
    /// Make sockets, and ask for names of hosts.
    Network,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 10] = [
        Capability::ReadFiles,
        Capability::WriteFiles,
        Capability::Environment,
        Capability::Clock,
        Capability::Random,
        Capability::Processes,
        Capability::Stdio,
        Capability::ForeignFds,
        Capability::System,
        Capability::Network,
    ];

    /// What messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::ReadFiles => "reading files",
            Capability::WriteFiles => "writing files",
            Capability::Environment => "the environment",
            Capability::Clock => "clocks",
            Capability::Random => "random bytes of the system",
            Capability::Processes => "processes",
            Capability::Stdio => "standard streams",
            Capability::ForeignFds => "foreign file descriptors",
            Capability::System => "information about the system",
            Capability::Network => "the network",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// Says what a [`Host`] grants.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    granted: u32,
    environment: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Builder {
    /// Grants a capability.
    pub fn grant(mut self, capability: Capability) -> Builder {
        self.granted |= capability.bit();
        self
    }

    /// Denies a capability.
    pub fn deny(mut self, capability: Capability) -> Builder {
        self.granted &= !capability.bit();
        self
    }

    /// Sets a variable of the environment with which the host starts, granted or not.
    pub fn variable(mut self, name: &[u8], value: &[u8]) -> Builder {
        self.environment.push((name.to_vec(), value.to_vec()));
        self
    }

    /// Makes the host.
    pub fn build(self) -> Host {
        let mut environment = BTreeMap::new();
        if self.granted & Capability::Environment.bit() != 0 {
            environment.extend(crate::env::of_process());
        }
        environment.extend(self.environment);
        Host {
            granted: self.granted,
            environment: Mutex::new(environment),
            directory: Mutex::new(None),
            descriptors: Mutex::default(),
        }
    }
}

/// What one interpreter has of the world; see the head of the crate.
#[derive(Debug)]
pub struct Host {
    granted: u32,
    environment: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The working directory, once the interpreter has left that of the process.
    directory: Mutex<Option<Arc<OwnedFd>>>,
    /// Descriptors that were opened here. Not kept when foreign ones are granted.
    descriptors: Mutex<BTreeSet<i32>>,
}

/// The C library walks its tables of users and groups with one position for the whole process.
static TABLES: Mutex<()> = Mutex::new(());

/// Locks, and takes what is there even if a thread panicked with the lock: the data are whole between any two of our statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// A host that grants everything.
    pub fn all() -> Host {
        Capability::ALL.into_iter().fold(Builder::default(), Builder::grant).build()
    }

    /// A host that grants nothing.
    pub fn none() -> Host {
        Builder::default().build()
    }

    /// Starts with nothing granted.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Whether a capability is granted.
    pub fn grants(&self, capability: Capability) -> bool {
        self.granted & capability.bit() != 0
    }

    pub(crate) fn need(&self, capability: Capability) -> Result<()> {
        if self.grants(capability) { Ok(()) } else { Err(Error::denied(capability)) }
    }

    /// Held while a table of the C library is walked.
    pub(crate) fn tables(&self) -> MutexGuard<'static, ()> {
        lock(&TABLES)
    }

    pub(crate) fn environment(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        lock(&self.environment)
    }

    /// The working directory, when it is not that of the process.
    pub(crate) fn directory(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.directory).clone()
    }

    pub(crate) fn set_directory(&self, directory: OwnedFd) {
        *lock(&self.directory) = Some(Arc::new(directory));
    }

    /// Hands a descriptor over to Python, which knows it by its number.
    pub(crate) fn adopt(&self, fd: OwnedFd) -> i32 {
        use std::os::fd::IntoRawFd;
        let fd = fd.into_raw_fd();
        self.note_open(fd);
        fd
    }

    pub(crate) fn note_open(&self, fd: i32) {
        if !self.grants(Capability::ForeignFds) {
            lock(&self.descriptors).insert(fd);
        }
    }

    pub(crate) fn note_closed(&self, fd: i32) {
        if !self.grants(Capability::ForeignFds) {
            lock(&self.descriptors).remove(&fd);
        }
    }

    /// The descriptor behind a number that Python gave, if this host may use it.
    pub(crate) fn fd(&self, fd: i32) -> Result<BorrowedFd<'_>> {
        if fd < 0 {
            return Err(Error::os(libc::EBADF));
        }
        if !lock(&self.descriptors).contains(&fd) {
            if fd <= 2 {
                self.need(Capability::Stdio)?;
            } else if !self.grants(Capability::ForeignFds) {
                return Err(Error::os(libc::EBADF));
            }
        }
        // SAFETY: the number is not negative. Python code may close a descriptor at any time, then the system answers EBADF, or
        // works on whatever has got the number since; that is what Python programs expect of numbers, and it touches no memory.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        use std::os::fd::FromRawFd;
        let descriptors = std::mem::take(&mut *lock(&self.descriptors));
        for fd in descriptors.into_iter().filter(|&fd| fd > 2) {
            // SAFETY: this host opened the descriptor and it was not closed through it; nobody else was given the number.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }
}

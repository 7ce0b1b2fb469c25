//! Starting processes.
//!
//! The standard library forks and executes. What it does not offer is done between the two, in [`in_child`], where only calls
//! are made that are safe in a child of a process with threads: no allocation, no locks.

use crate::error::{Error, Result};
use crate::files::Place;
use crate::grant::{Capability, Host};
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A process to be started.
#[derive(Debug, Clone, Default)]
pub struct Spawn {
    /// Paths to try, in order, while they do not exist.
    pub executables: Vec<Vec<u8>>,
    /// The arguments, the name of the program first.
    pub arguments: Vec<Vec<u8>>,
    /// The environment; `None`: that of the host.
    pub environment: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// The working directory; `None`: that of the host.
    pub directory: Option<Vec<u8>>,
    /// Descriptors for standard input, output and error; `None` inherits.
    pub stdio: [Option<i32>; 3],
    /// Descriptors that the child gets under the same number.
    pub pass_fds: Vec<i32>,
    /// No other descriptors, not even inheritable ones.
    pub close_fds: bool,
    /// Default actions for the signals that we ignore (`SIGPIPE`, `SIGXFSZ`).
    pub restore_signals: bool,
    /// At the head of a new session.
    pub new_session: bool,
    /// In this process group; 0: its own.
    pub process_group: Option<i32>,
    /// As this group.
    pub gid: Option<u32>,
    /// As this user.
    pub uid: Option<u32>,
    /// With this file creation mask.
    pub umask: Option<u32>,
}

/// What `in_child` needs; made before the fork.
struct InChild {
    directory: Option<OwnedFd>,
    pass_fds: Vec<i32>,
    close_fds: bool,
    restore_signals: bool,
    new_session: bool,
    umask: Option<u32>,
}

impl Host {
    /// Starts a process and gives its id. It must be awaited with `waitpid`.
    pub fn spawn(&self, spawn: &Spawn) -> Result<i32> {
        self.need(Capability::Processes)?;
        let mut error = Error::os(libc::ENOENT);
        for executable in &spawn.executables {
            match self.command(spawn, executable)?.spawn() {
                // The handle is dropped without waiting: Python waits by number.
                Ok(child) => return Ok(child.id().cast_signed()),
                Err(cause) => {
                    error = cause.into();
                    if !matches!(error.errno, libc::ENOENT | libc::ENOTDIR) {
                        break;
                    }
                }
            }
        }
        Err(error)
    }

    /// Replaces this process by another program. Returns only in failure. `environment`: `None` is that of the host.
    pub fn exec(
        &self,
        path: &[u8],
        arguments: &[Vec<u8>],
        environment: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    ) -> Result<()> {
        self.need(Capability::Processes)?;
        let spawn = Spawn { arguments: arguments.to_vec(), environment, ..Spawn::default() };
        Err(self.command(&spawn, path)?.exec().into())
    }

    /// The directory in which the child starts, open.
    fn start_directory(&self, spawn: &Spawn) -> Result<Option<OwnedFd>> {
        match (&spawn.directory, self.directory()) {
            (Some(path), _) => {
                let flags = libc::O_PATH | libc::O_DIRECTORY;
                self.open_owned(Place::new(path), flags, 0).map(Some)
            }
            (None, Some(own)) => Ok(Some(own.try_clone()?)),
            (None, None) => Ok(None),
        }
    }

    fn command(&self, spawn: &Spawn, executable: &[u8]) -> Result<Command> {
        // Without a slash the standard library would search PATH, which is the caller's business.
        let mut path = Vec::new();
        if !executable.contains(&b'/') {
            path.extend_from_slice(b"./");
        }
        path.extend_from_slice(executable);
        let mut command = Command::new(OsStr::from_bytes(&path));
        if let Some((name, rest)) = spawn.arguments.split_first() {
            command.arg0(OsStr::from_bytes(name));
            command.args(rest.iter().map(|argument| OsStr::from_bytes(argument)));
        }
        command.env_clear();
        for (name, value) in spawn.environment.clone().unwrap_or_else(|| self.environ()) {
            command.env(OsStr::from_bytes(&name), OsStr::from_bytes(&value));
        }
        let mut stdio = [None, None, None];
        for (slot, fd) in stdio.iter_mut().zip(spawn.stdio) {
            *slot = match fd {
                Some(fd) => Some(Stdio::from(rustix::io::fcntl_dupfd_cloexec(self.fd(fd)?, 3)?)),
                None if self.grants(Capability::Stdio) => None,
                None => Some(Stdio::null()),
            };
        }
        let [input, output, error] = stdio;
        command.stdin(input.unwrap_or_else(Stdio::inherit));
        command.stdout(output.unwrap_or_else(Stdio::inherit));
        command.stderr(error.unwrap_or_else(Stdio::inherit));
        if let Some(group) = spawn.process_group {
            command.process_group(group);
        }
        if let Some(gid) = spawn.gid {
            command.gid(gid);
        }
        if let Some(uid) = spawn.uid {
            command.uid(uid);
        }
        for &fd in &spawn.pass_fds {
            self.fd(fd)?;
        }
        let child = InChild {
            directory: self.start_directory(spawn)?,
            pass_fds: spawn.pass_fds.clone(),
            // Descriptors of the neighbours are no business of a child either.
            close_fds: spawn.close_fds || !self.grants(Capability::ForeignFds),
            restore_signals: spawn.restore_signals,
            new_session: spawn.new_session,
            umask: spawn.umask,
        };
        // SAFETY: `in_child` makes system calls only; it neither allocates nor takes locks.
        unsafe { command.pre_exec(move || in_child(&child)) };
        Ok(command)
    }
}

fn check(result: i32) -> std::io::Result<()> {
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Runs in the child, before the program.
fn in_child(child: &InChild) -> std::io::Result<()> {
    // SAFETY: numbers only, in a process that has one thread now and is about to become another program.
    unsafe {
        if let Some(directory) = &child.directory {
            check(libc::fchdir(directory.as_raw_fd()))?;
        }
        if let Some(mask) = child.umask {
            libc::umask(mask as libc::mode_t);
        }
        if child.restore_signals {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
        }
        if child.new_session {
            check(libc::setsid())?;
        }
        if child.close_fds {
            // Marked, not closed: the standard library still needs its pipe to report a failure.
            let flags = libc::CLOSE_RANGE_CLOEXEC;
            if libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, flags) == -1 {
                let last = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as i32;
                for fd in 3..last {
                    libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
                }
            }
        }
        for &fd in &child.pass_fds {
            check(libc::fcntl(fd, libc::F_SETFD, 0))?;
        }
    }
    Ok(())
}

//! Processes: ids, signals, waiting.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};

/// The users and groups of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// The user.
    pub uid: u32,
    /// The user whose rights count.
    pub euid: u32,
    /// The group.
    pub gid: u32,
    /// The group whose rights count.
    pub egid: u32,
}

/// What `waitpid` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOutcome {
    /// The process, or 0 when none has changed its state.
    pub pid: i32,
    /// The status as the system codes it, for `os.waitstatus_to_exitcode`.
    pub status: i32,
}

/// The result of a call of the C library that says -1 for an error.
fn check(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

impl Host {
    /// The id of this process. It says nothing about others, so it is always granted.
    pub fn getpid(&self) -> i32 {
        std::process::id().cast_signed()
    }

    /// The id of the parent.
    pub fn getppid(&self) -> Result<i32> {
        self.need(Capability::Processes)?;
        Ok(std::os::unix::process::parent_id().cast_signed())
    }

    /// User and group ids.
    pub fn ids(&self) -> Result<Ids> {
        self.need(Capability::System)?;
        Ok(Ids {
            uid: rustix::process::getuid().as_raw(),
            euid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            egid: rustix::process::getegid().as_raw(),
        })
    }

    /// The groups to which the user belongs besides.
    pub fn groups(&self) -> Result<Vec<u32>> {
        self.need(Capability::System)?;
        Ok(rustix::process::getgroups()?.into_iter().map(|group| group.as_raw()).collect())
    }

    /// The process group of a process; 0 is this one.
    pub fn getpgid(&self, pid: i32) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::getpgid(pid) })
    }

    /// Moves a process to a group; 0 is this process, or a group of its own.
    pub fn setpgid(&self, pid: i32, group: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::setpgid(pid, group) }).map(drop)
    }

    /// The session of a process; 0 is this one.
    pub fn getsid(&self, pid: i32) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::getsid(pid) })
    }

    /// Starts a session with this process at its head.
    pub fn setsid(&self) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: no arguments.
        check(unsafe { libc::setsid() })
    }

    /// Sends a signal to a process, or to groups as `kill(2)` says.
    pub fn kill(&self, pid: i32, signal: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only; what the signal does is for its receiver to say.
        check(unsafe { libc::kill(pid, signal) }).map(drop)
    }

    /// Sends a signal to a process group.
    pub fn killpg(&self, group: i32, signal: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::killpg(group, signal) }).map(drop)
    }

    /// Waits for a child process, with pid and options as `os.waitpid` has them.
    pub fn waitpid(&self, pid: i32, options: i32) -> Result<WaitOutcome> {
        self.need(Capability::Processes)?;
        let mut status = 0;
        // SAFETY: `status` is valid for the call.
        let pid = check(unsafe { libc::waitpid(pid, &mut status, options) })?;
        Ok(WaitOutcome { pid, status })
    }

    /// Changes the priority of this process and gives the new one.
    pub fn nice(&self, increment: i32) -> Result<i32> {
        self.need(Capability::Processes)?;
        Ok(rustix::process::nice(increment)?)
    }

    /// Processor seconds of user and system for this process and for its finished children, and seconds of an arbitrary clock: `os.times`.
    pub fn times(&self) -> Result<[f64; 5]> {
        self.need(Capability::Clock)?;
        let mut tms = libc::tms { tms_utime: 0, tms_stime: 0, tms_cutime: 0, tms_cstime: 0 };
        // SAFETY: `tms` is valid for the call.
        let elapsed = unsafe { libc::times(&mut tms) };
        if elapsed == -1 {
            return Err(Error::os(libc::EINVAL));
        }
        let ticks = self.clock_ticks().max(1) as f64;
        let all = [tms.tms_utime, tms.tms_stime, tms.tms_cutime, tms.tms_cstime, elapsed];
        Ok(all.map(|count| count as f64 / ticks))
    }
}

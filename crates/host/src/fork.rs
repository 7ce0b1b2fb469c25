//! `fork`, and starting programs as `subprocess` does.
//!
//! After a fork the child has one thread, the one that forked; locks that others held stay locked for ever. Between fork and exec only
//! calls are made that are safe then, unless Python code was given to run there, which is what `preexec_fn` asks for.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::ffi::{CString, c_char};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// This process began as a fork of one that runs interpreters.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether this process began as a fork: its first thread is not there, so that the one that runs must end the process itself.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::SeqCst)
}

/// What [`Host::fork_exec`] starts.
pub struct ForkExec<'a> {
    /// Arguments; `None`: only `executables` and the Python function matter.
    pub arguments: &'a [Vec<u8>],
    /// Paths to try, in order.
    pub executables: &'a [Vec<u8>],
    pub close_fds: bool,
    /// Descriptors to keep, sorted.
    pub keep: &'a [i32],
    pub directory: Option<&'a [u8]>,
    /// `NAME=value`; `None`: the environment of the host.
    pub environment: Option<Vec<Vec<u8>>>,
    /// Parent's and child's ends of standard input, output and error, -1 for none.
    pub parent_input: i32,
    pub child_input: i32,
    pub parent_output: i32,
    pub child_output: i32,
    pub parent_error: i32,
    pub child_error: i32,
    pub error_read: i32,
    /// Where the child reports a failure.
    pub error_write: i32,
    pub restore_signals: bool,
    pub new_session: bool,
    pub process_group: Option<i32>,
    pub gid: Option<u32>,
    pub groups: Option<&'a [u32]>,
    pub uid: Option<u32>,
    pub umask: Option<u32>,
}

/// What failed in the child: the number, and whether it was before `exec`.
struct Failure {
    errno: i32,
    before_exec: bool,
    /// It was the change to the working directory.
    directory: bool,
}

fn last_errno() -> i32 {
    // SAFETY: the location of errno is the thread's own.
    unsafe { *libc::__errno_location() }
}

fn check(result: i32) -> std::result::Result<(), Failure> {
    if result == -1 {
        Err(Failure { errno: last_errno(), before_exec: true, directory: false })
    } else {
        Ok(())
    }
}

fn strings(list: &[Vec<u8>]) -> Result<Vec<CString>> {
    list.iter().map(|text| CString::new(text.clone()).map_err(|_| Error::os(libc::EINVAL))).collect()
}

fn pointers(list: &[CString]) -> Vec<*const c_char> {
    list.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

impl Host {
    /// Copies the process: 0 in the child.
    pub fn fork(&self) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: the child goes on with this thread alone. Rust's own locks that other threads may hold are those of the allocator (which
        // the C library makes usable again in the child) and of standard output, which this program does not use.
        match unsafe { libc::fork() } {
            -1 => Err(std::io::Error::last_os_error().into()),
            0 => {
                FORKED.store(true, Ordering::SeqCst);
                crate::signal::receive_here_after_fork();
                Ok(0)
            }
            pid => Ok(pid),
        }
    }

    /// Ends the process at once.
    pub fn exit_now(&self, status: i32) -> Error {
        if let Err(denied) = self.need(Capability::Processes) {
            return denied;
        }
        // SAFETY: nothing of ours runs afterwards.
        unsafe { libc::_exit(status) }
    }

    /// Ends the process with `SIGABRT`.
    pub fn abort(&self) -> Error {
        if let Err(denied) = self.need(Capability::Processes) {
            return denied;
        }
        std::process::abort()
    }

    /// The environment as `exec` takes it.
    fn environment_strings(&self) -> Result<Vec<CString>> {
        let joined: Vec<Vec<u8>> = self
            .environ()
            .into_iter()
            .map(|(name, value)| [name.as_slice(), b"=", value.as_slice()].concat())
            .collect();
        strings(&joined)
    }

    /// Forks and executes a program. A failure in the child is written to `error_write` as
    /// `OSError:<errno in hex>:<"noexec" when it was before the exec, "noexec:chdir" in changing the directory>`. `before_exec` runs in the child.
    pub fn fork_exec(&self, what: &ForkExec, before_exec: Option<&mut dyn FnMut() -> bool>) -> Result<i32> {
        self.need(Capability::Processes)?;
        let executables = strings(what.executables)?;
        let arguments = strings(what.arguments)?;
        let environment = match &what.environment {
            Some(list) => strings(list)?,
            None => self.environment_strings()?,
        };
        let directory = match what.directory {
            Some(path) => Some(CString::new(path).map_err(|_| Error::os(libc::EINVAL))?),
            None => None,
        };
        let own = self.directory();
        let own_environment = before_exec.is_some() && what.environment.is_none();
        let (arguments, environment) = (pointers(&arguments), pointers(&environment));
        // SAFETY: see `fork`; without a Python function the child makes system calls only.
        match unsafe { libc::fork() } {
            -1 => Err(std::io::Error::last_os_error().into()),
            0 => {
                FORKED.store(true, Ordering::SeqCst);
                crate::signal::receive_here_after_fork();
                let mut preexec_failed = false;
                let failure = in_child(
                    what,
                    directory.as_deref(),
                    own.as_deref().map(AsRawFd::as_raw_fd),
                    before_exec,
                    &mut preexec_failed,
                )
                .err()
                .unwrap_or_else(|| {
                    if !own_environment {
                        return execute(&executables, &arguments, &environment);
                    }
                    // The function may have changed the environment.
                    match self.environment_strings() {
                        Ok(changed) => execute(&executables, &arguments, &pointers(&changed)),
                        Err(error) => Failure { errno: error.errno, before_exec: true, directory: false },
                    }
                });
                report(what.error_write, &failure, preexec_failed);
                // SAFETY: nothing of ours runs afterwards.
                unsafe { libc::_exit(255) }
            }
            pid => Ok(pid),
        }
    }
}

/// Tries the executables; says why none could be run.
fn execute(executables: &[CString], arguments: &[*const c_char], environment: &[*const c_char]) -> Failure {
    let mut saved = 0;
    let mut errno = libc::ENOENT;
    for executable in executables {
        // SAFETY: all strings end with 0 and the lists with a null pointer.
        unsafe { libc::execve(executable.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        errno = last_errno();
        if errno != libc::ENOENT && errno != libc::ENOTDIR && saved == 0 {
            saved = errno;
        }
    }
    Failure { errno: if saved != 0 { saved } else { errno }, before_exec: false, directory: false }
}

fn report(fd: i32, failure: &Failure, preexec_failed: bool) {
    let mut text = [0u8; 64];
    let mut length = 0;
    let mut push = |bytes: &[u8]| {
        for byte in bytes {
            if let Some(place) = text.get_mut(length) {
                *place = *byte;
                length += 1;
            }
        }
    };
    if preexec_failed {
        push(b"SubprocessError:0:Exception occurred in preexec_fn.");
    } else {
        push(b"OSError:");
        let mut started = false;
        for shift in (0..8).rev() {
            let digit = (failure.errno as u32 >> (shift * 4)) & 0xf;
            started |= digit != 0 || shift == 0;
            if started {
                push(&[b"0123456789ABCDEF"[digit as usize]]);
            }
        }
        push(b":");
        if failure.before_exec {
            push(b"noexec");
        }
        if failure.directory {
            push(b":chdir");
        }
    }
    // SAFETY: the text is valid for its length.
    unsafe { libc::write(fd, text.as_ptr().cast(), length) };
}

/// Makes a descriptor heritable: moves it out of the way of 0, 1 and 2 when it stands there by chance.
fn set_inheritable(fd: i32) -> std::result::Result<(), Failure> {
    // SAFETY: numbers only.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFD);
        check(flags)?;
        check(libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC))
    }
}

/// Everything between fork and exec, in CPython's order.
fn in_child(
    what: &ForkExec,
    directory: Option<&std::ffi::CStr>,
    own_directory: Option<i32>,
    before_exec: Option<&mut dyn FnMut() -> bool>,
    preexec_failed: &mut bool,
) -> std::result::Result<(), Failure> {
    for &fd in what.keep.iter().filter(|&&fd| fd != what.error_write) {
        set_inheritable(fd)?;
    }
    for fd in [what.parent_input, what.parent_output, what.parent_error] {
        if fd != -1 {
            // SAFETY: a number only.
            unsafe { libc::close(fd) };
        }
    }
    // SAFETY: a number only.
    unsafe { libc::close(what.error_read) };
    let mut output = what.child_output;
    let mut error = what.child_error;
    // A descriptor that stands where another one goes is moved first.
    // SAFETY: numbers only.
    unsafe {
        if output == 0 {
            output = libc::dup(output);
            check(output)?;
        }
        while error == 0 || error == 1 {
            error = libc::dup(error);
            check(error)?;
        }
    }
    for (from, to) in [(what.child_input, 0), (output, 1), (error, 2)] {
        if from == to {
            set_inheritable(from)?;
        } else if from != -1 {
            // SAFETY: numbers only.
            check(unsafe { libc::dup2(from, to) })?;
        }
    }
    // Those that nobody asked to keep are closed by `exec`, or with all others below.
    // SAFETY: system calls with numbers and strings that outlive them.
    unsafe {
        match (directory, own_directory) {
            (Some(path), own) => {
                if let Some(own) = own {
                    check(libc::fchdir(own))?;
                }
                check(libc::chdir(path.as_ptr()))
                    .map_err(|failure| Failure { directory: true, ..failure })?;
            }
            (None, Some(own)) => check(libc::fchdir(own))?,
            (None, None) => {}
        }
        if let Some(mask) = what.umask {
            libc::umask(mask as libc::mode_t);
        }
        if what.restore_signals {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
        }
        if what.new_session {
            check(libc::setsid())?;
        }
        if let Some(group) = what.process_group {
            check(libc::setpgid(0, group))?;
        }
        if let Some(groups) = what.groups {
            check(libc::setgroups(groups.len(), groups.as_ptr()))?;
        }
        if let Some(gid) = what.gid {
            check(libc::setregid(gid, gid))?;
        }
        if let Some(uid) = what.uid {
            check(libc::setreuid(uid, uid))?;
        }
    }
    if let Some(run) = before_exec
        && !run()
    {
        *preexec_failed = true;
        return Err(Failure { errno: 0, before_exec: true, directory: false });
    }
    if what.close_fds {
        close_others(what.keep);
    }
    Ok(())
}

/// Closes all descriptors from 3 on but those to keep (sorted).
fn close_others(keep: &[i32]) {
    let mut start = 3;
    for &fd in keep.iter().filter(|&&fd| fd >= 3) {
        if fd > start {
            close_span(start as u32, fd as u32 - 1);
        }
        start = start.max(fd + 1);
    }
    close_span(start as u32, u32::MAX);
}

fn close_span(first: u32, last: u32) {
    // SAFETY: numbers only.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0u32) == -1 {
            let most = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as u32;
            for fd in first..=last.min(most) {
                libc::close(fd as i32);
            }
        }
    }
}

/// Closes the descriptors of a range; errors are not told.
impl Host {
    pub fn close_range(&self, low: i32, high: i32) -> Result<()> {
        if !self.grants(Capability::ForeignFds) {
            for fd in low.max(0)..high.clamp(0, 65_536) {
                if self.fd(fd).is_ok() {
                    let _closed = self.close(fd);
                }
            }
            return Ok(());
        }
        if high > low.max(0) {
            close_span(low.max(0) as u32, high as u32 - 1);
        }
        Ok(())
    }
}

//! Signals. They belong to the process: one interpreter at a time receives them.
//!
//! A handler of the system may do next to nothing. Ours notes the number, writes it to the wake-up descriptor if there is one, and sets
//! a flag that the interpreter's loop looks at. The statics here are what a handler can reach.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering};

/// One more than the greatest number.
pub const SIGNAL_COUNT: usize = 65;

static PENDING: [AtomicBool; SIGNAL_COUNT] = [const { AtomicBool::new(false) }; SIGNAL_COUNT];
static WAKEUP: AtomicI32 = AtomicI32::new(-1);
/// Errno of a failed write to the wake-up descriptor.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);
/// The flag to set. An `Arc` that was given away for good, so that a handler never meets freed memory.
static ATTENTION: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

/// What happens when a signal comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// What the system does.
    Default,
    /// Nothing.
    Ignore,
    /// It is noted for the interpreter.
    Note,
    /// Something that was set up outside of this module.
    Foreign,
}

/// The thread that runs handlers: what it waits for is to be interrupted.
static RECEIVER: AtomicU64 = AtomicU64::new(0);
/// Signals passed on to that thread only to wake it.
static PASSED_ON: [AtomicBool; SIGNAL_COUNT] = [const { AtomicBool::new(false) }; SIGNAL_COUNT];

extern "C" fn note(signal: libc::c_int) {
    // SAFETY: the location of errno is the thread's own.
    let errno = unsafe { *libc::__errno_location() };
    let passed_on = usize::try_from(signal).ok().and_then(|index| PASSED_ON.get(index));
    let receiver = RECEIVER.load(Ordering::SeqCst);
    if crate::thread::thread_ident() == receiver || receiver == 0 {
        if !passed_on.is_some_and(|passed_on| passed_on.swap(false, Ordering::SeqCst)) {
            mark(signal);
        }
    } else {
        mark(signal);
        if let Some(passed_on) = passed_on {
            passed_on.store(true, Ordering::SeqCst);
            // SAFETY: the receiver is the main thread of the interpreter that receives signals, which lives as long as that one;
            // `pthread_kill` may be called in a handler.
            unsafe { libc::pthread_kill(receiver as libc::pthread_t, signal) };
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Notes a signal, as its arrival does. Safe in a handler: atomics and `write` only.
fn mark(signal: i32) {
    let Some(pending) = usize::try_from(signal).ok().and_then(|index| PENDING.get(index)) else { return };
    pending.store(true, Ordering::SeqCst);
    let attention = ATTENTION.load(Ordering::SeqCst);
    if !attention.is_null() {
        // SAFETY: the pointer came from `Arc::into_raw` and is never freed.
        unsafe { (*attention).store(true, Ordering::SeqCst) };
    }
    let fd = WAKEUP.load(Ordering::SeqCst);
    if fd >= 0 {
        let byte = signal as u8;
        // SAFETY: one byte is read from a valid place; a bad descriptor is reported, not followed.
        if unsafe { libc::write(fd, (&raw const byte).cast(), 1) } < 0 {
            // SAFETY: the location of errno is the thread's own.
            WAKEUP_ERROR.store(unsafe { *libc::__errno_location() }, Ordering::SeqCst);
        }
    }
}

/// Signals that say that the program is broken, with CPython's words for them.
pub const FAULTS: [(i32, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

/// Where faults are told, -1: nowhere.
static FAULT_FD: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell_fault(signal: libc::c_int) {
    let fd = FAULT_FD.load(Ordering::SeqCst);
    let words = FAULTS.iter().find(|(number, _)| *number == signal).map_or("Unknown signal", |found| found.1);
    for text in ["Fatal Python error: ", words, "\n\n"] {
        // SAFETY: the text is valid for its length, and `write` may be called in a handler.
        unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    }
    // SAFETY: numbers only; the signal comes again and does what the system does.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

impl Host {
    /// Tells of faults before the process dies of them; `None`: not any more.
    pub fn tell_faults(&self, fd: Option<i32>) -> Result<()> {
        self.need(Capability::Processes)?;
        let was = FAULT_FD.swap(fd.unwrap_or(-1), Ordering::SeqCst);
        if (was >= 0) == fd.is_some() {
            return Ok(());
        }
        for (signal, _) in FAULTS {
            // SAFETY: zeroes are a valid `sigaction`; the handler makes calls only that are safe in one. It runs on the stack that the
            // standard library has set up for overflows of the stack.
            unsafe {
                let mut new: libc::sigaction = std::mem::zeroed();
                if fd.is_some() {
                    new.sa_sigaction = tell_fault as extern "C" fn(libc::c_int) as usize;
                    new.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
                } else {
                    new.sa_sigaction = libc::SIG_DFL;
                }
                libc::sigemptyset(&mut new.sa_mask);
                check(libc::sigaction(signal, &new, std::ptr::null_mut()))?;
            }
        }
        Ok(())
    }
}

/// Ends the process by `SIGINT`, so that whoever waits for it sees that it was interrupted. Comes back when the signal is put off.
pub fn end_by_interrupt() {
    // SAFETY: numbers only.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_DFL);
        libc::kill(libc::getpid(), libc::SIGINT);
    }
}

/// In the child of a fork the thread that forked is the only one.
pub(crate) fn receive_here_after_fork() {
    if RECEIVER.load(Ordering::SeqCst) != 0 {
        RECEIVER.store(crate::thread::thread_ident(), Ordering::SeqCst);
    }
    PASSED_ON.iter().for_each(|passed_on| passed_on.store(false, Ordering::SeqCst));
}

/// Puts off all signals in the running thread until the result is dropped: other threads get them.
pub fn leave_signals_to_others() -> SignalsLeft {
    // SAFETY: both sets are valid for the calls.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
        SignalsLeft(old)
    }
}

/// See [`leave_signals_to_others`].
pub struct SignalsLeft(libc::sigset_t);

impl Drop for SignalsLeft {
    fn drop(&mut self) {
        // SAFETY: the set came from the system.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

fn check(result: i32) -> Result<()> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
}

/// A set of signals as the system has it.
fn sigset(signals: &[i32]) -> Result<libc::sigset_t> {
    // SAFETY: `sigemptyset` fills the zeroed set; `sigaddset` refuses numbers that it does not know.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &signal in signals {
            if libc::sigaddset(&mut set, signal) == -1 {
                return Err(std::io::Error::last_os_error().into());
            }
        }
        Ok(set)
    }
}

fn members(set: &libc::sigset_t) -> Vec<i32> {
    // SAFETY: the set is valid; numbers out of range are answered with -1.
    (1..SIGNAL_COUNT as i32).filter(|&signal| unsafe { libc::sigismember(set, signal) } == 1).collect()
}

/// What `sigwaitinfo` says of a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignalInfo {
    pub signo: i32,
    pub code: i32,
    pub errno: i32,
    pub pid: i32,
    pub uid: u32,
    pub status: i32,
    pub band: i64,
}

fn info_of(info: &libc::siginfo_t) -> SignalInfo {
    // SAFETY: the fields of the union are plain numbers; the system has filled what belongs to the signal.
    unsafe {
        SignalInfo {
            signo: info.si_signo,
            code: info.si_code,
            errno: info.si_errno,
            pid: info.si_pid(),
            uid: info.si_uid(),
            status: info.si_status(),
            band: 0,
        }
    }
}

impl Host {
    /// From now on signals are noted for whoever reads this flag; the system calls of the running thread are interrupted.
    pub fn receive_signals(&self, attention: Arc<AtomicBool>) -> Result<()> {
        self.need(Capability::Processes)?;
        // The former flag is not freed: a handler may be looking at it right now.
        ATTENTION.store(Arc::into_raw(attention).cast_mut(), Ordering::SeqCst);
        RECEIVER.store(crate::thread::thread_ident(), Ordering::SeqCst);
        Ok(())
    }

    /// As [`Host::receive_signals`], when nobody receives them yet.
    pub fn receive_signals_once(&self, attention: Arc<AtomicBool>) -> Result<()> {
        self.need(Capability::Processes)?;
        if ATTENTION.load(Ordering::SeqCst).is_null() { self.receive_signals(attention) } else { Ok(()) }
    }

    /// Sets what happens when a signal comes.
    pub fn set_signal_action(&self, signal: i32, action: Action) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: zeroes are a valid `sigaction`; `note` is safe as a handler.
        unsafe {
            let mut new: libc::sigaction = std::mem::zeroed();
            new.sa_sigaction = match action {
                Action::Default => libc::SIG_DFL,
                Action::Ignore => libc::SIG_IGN,
                Action::Note => note as extern "C" fn(libc::c_int) as usize,
                Action::Foreign => return Err(Error::os(libc::EINVAL)),
            };
            libc::sigemptyset(&mut new.sa_mask);
            check(libc::sigaction(signal, &new, std::ptr::null_mut()))
        }
    }

    /// What happens when a signal comes.
    pub fn signal_action(&self, signal: i32) -> Result<Action> {
        self.need(Capability::Processes)?;
        // SAFETY: zeroes are a valid `sigaction`, which the call fills.
        unsafe {
            let mut old: libc::sigaction = std::mem::zeroed();
            check(libc::sigaction(signal, std::ptr::null(), &mut old))?;
            Ok(match old.sa_sigaction {
                libc::SIG_DFL => Action::Default,
                libc::SIG_IGN => Action::Ignore,
                handler if handler == note as extern "C" fn(libc::c_int) as usize => Action::Note,
                _ => Action::Foreign,
            })
        }
    }

    /// Whether system calls go on after this signal instead of failing with `EINTR`.
    pub fn set_signal_restarts(&self, signal: i32, restarts: bool) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: the action is read, changed in its flags and written back.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            check(libc::sigaction(signal, std::ptr::null(), &mut action))?;
            if restarts {
                action.sa_flags |= libc::SA_RESTART;
            } else {
                action.sa_flags &= !libc::SA_RESTART;
            }
            check(libc::sigaction(signal, &action, std::ptr::null_mut()))
        }
    }

    /// The signals that have come since the last time, least number first.
    pub fn take_signals(&self) -> Vec<i32> {
        if !self.grants(Capability::Processes) {
            return Vec::new();
        }
        (1..SIGNAL_COUNT).filter(|&i| PENDING[i].swap(false, Ordering::SeqCst)).map(|i| i as i32).collect()
    }

    /// Whether a signal has come that nobody has taken.
    pub fn has_signals(&self) -> bool {
        PENDING.iter().any(|pending| pending.load(Ordering::SeqCst))
    }

    /// Notes a signal as if it had come.
    pub fn simulate_signal(&self, signal: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        mark(signal);
        Ok(())
    }

    /// Sets the descriptor to which numbers of signals are written, -1 for none; the former one.
    pub fn set_wakeup(&self, fd: i32) -> Result<i32> {
        self.need(Capability::Processes)?;
        Ok(WAKEUP.swap(fd, Ordering::SeqCst))
    }

    /// The error of the last write to the wake-up descriptor, once.
    pub fn take_wakeup_error(&self) -> Option<Error> {
        match WAKEUP_ERROR.swap(0, Ordering::SeqCst) {
            0 => None,
            errno => Some(Error::os(errno)),
        }
    }

    /// Sends a signal to the running thread.
    pub fn raise_signal(&self, signal: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        match unsafe { libc::raise(signal) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }

    /// Sends a signal to a thread of this process.
    pub fn thread_kill(&self, thread: u64, signal: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: the number came from `thread_ident`; the C library answers ESRCH for a thread that has ended and was joined. Threads of
        // ours are never joined through the C library before they end, so the number stays valid memory or fails.
        match unsafe { libc::pthread_kill(thread as libc::pthread_t, signal) } {
            0 => Ok(()),
            errno => Err(Error::os(errno)),
        }
    }

    /// Changes which signals the running thread puts off, as `how` says; the former ones.
    pub fn thread_sigmask(&self, how: i32, signals: &[i32]) -> Result<Vec<i32>> {
        self.need(Capability::Processes)?;
        let set = sigset(signals)?;
        // SAFETY: both sets are valid for the call.
        unsafe {
            let mut old: libc::sigset_t = std::mem::zeroed();
            match libc::pthread_sigmask(how, &set, &mut old) {
                0 => Ok(members(&old)),
                errno => Err(Error::os(errno)),
            }
        }
    }

    /// Signals that have come and are put off.
    pub fn pending_signals(&self) -> Result<Vec<i32>> {
        self.need(Capability::Processes)?;
        // SAFETY: the set is valid for the call.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            check(libc::sigpending(&mut set))?;
            Ok(members(&set))
        }
    }

    /// Numbers that are signals, without those that the C library keeps for itself.
    pub fn valid_signals(&self) -> Vec<i32> {
        // SAFETY: the set is valid for the call.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut set);
            members(&set)
        }
    }

    /// Waits for one of these signals, which should be put off, and takes it.
    pub fn wait_signal(&self, signals: &[i32]) -> Result<i32> {
        self.need(Capability::Processes)?;
        let set = sigset(signals)?;
        let mut signal = 0;
        // SAFETY: both places are valid for the call.
        match unsafe { libc::sigwait(&set, &mut signal) } {
            0 => Ok(signal),
            errno => Err(Error::os(errno)),
        }
    }

    /// As [`Host::wait_signal`], with what is known of it; `None` when the time is over.
    pub fn wait_signal_info(
        &self,
        signals: &[i32],
        timeout: Option<std::time::Duration>,
    ) -> Result<Option<SignalInfo>> {
        self.need(Capability::Processes)?;
        let set = sigset(signals)?;
        // SAFETY: all places are valid for the calls.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let result = match timeout {
                None => libc::sigwaitinfo(&set, &mut info),
                Some(length) => {
                    let time = libc::timespec {
                        tv_sec: i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
                        tv_nsec: length.subsec_nanos().into(),
                    };
                    libc::sigtimedwait(&set, &mut info, &time)
                }
            };
            if result == -1 {
                let error: Error = std::io::Error::last_os_error().into();
                return if timeout.is_some() && error.errno == libc::EAGAIN { Ok(None) } else { Err(error) };
            }
            Ok(Some(info_of(&info)))
        }
    }

    /// Waits until a signal comes.
    pub fn pause(&self) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: no arguments; it always ends with EINTR.
        unsafe { libc::pause() };
        Ok(())
    }

    /// Sends `SIGALRM` after some seconds; how many were left of the former one.
    pub fn alarm(&self, seconds: u32) -> Result<u32> {
        self.need(Capability::Processes)?;
        // SAFETY: a number only.
        Ok(unsafe { libc::alarm(seconds) })
    }

    /// Sets an interval timer (first time and repetition in microseconds); what it was.
    pub fn set_timer(&self, which: i32, first: i64, repeat: i64) -> Result<(i64, i64)> {
        self.need(Capability::Processes)?;
        let new = libc::itimerval { it_interval: timeval(repeat), it_value: timeval(first) };
        let mut old = libc::itimerval { it_interval: timeval(0), it_value: timeval(0) };
        // SAFETY: both places are valid for the call.
        check(unsafe { libc::setitimer(which as _, &new, &mut old) })?;
        Ok((microseconds(old.it_value), microseconds(old.it_interval)))
    }

    /// An interval timer: time left and repetition in microseconds.
    pub fn timer(&self, which: i32) -> Result<(i64, i64)> {
        self.need(Capability::Processes)?;
        let mut now = libc::itimerval { it_interval: timeval(0), it_value: timeval(0) };
        // SAFETY: the place is valid for the call.
        check(unsafe { libc::getitimer(which as _, &mut now) })?;
        Ok((microseconds(now.it_value), microseconds(now.it_interval)))
    }

    /// The system's words for a signal.
    pub fn signal_text(&self, signal: i32) -> Option<String> {
        // SAFETY: the text belongs to the C library and is copied at once.
        unsafe {
            let text = libc::strsignal(signal);
            if text.is_null() {
                return None;
            }
            Some(std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }
}

fn timeval(microseconds: i64) -> libc::timeval {
    libc::timeval { tv_sec: microseconds.div_euclid(1_000_000), tv_usec: microseconds.rem_euclid(1_000_000) }
}

fn microseconds(time: libc::timeval) -> i64 {
    time.tv_sec * 1_000_000 + time.tv_usec
}

//! `_signal`: what Python code does when signals come.
//!
//! The host notes signals as they come; [`run_pending`] is called at polls of the main thread and runs the handlers.

use crate::time::{Round, nanoseconds};
use pellucid_host::libc;
use pellucid_host::{Action, SIGNAL_COUNT};
use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value, constant, heap::SlotWord,
};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};
use std::cell::{Cell, RefCell};

/// The handlers by number: callables, `SIG_DFL`, `SIG_IGN`, or `None` for what was set up outside of Python.
struct State {
    handlers: Vec<SlotWord>,
    warn_on_full_buffer: Cell<bool>,
    itimer_error: SlotWord,
    /// Functions in Rust that are called before the handlers.
    observers: RefCell<Vec<(i32, Observer)>>,
}

/// Called when a signal has come, in the main thread. False: the Python handler is not called.
pub type Observer = fn(&Interpreter, i32) -> bool;

/// Calls a function of Rust when a signal comes; the former one of that signal is forgotten.
pub fn observe(vm: &Interpreter, signal: i32, observer: Option<Observer>) {
    let state = vm.state::<State>();
    let mut observers = state.observers.borrow_mut();
    observers.retain(|(number, _)| *number != signal);
    observers.extend(observer.map(|observer| (signal, observer)));
    drop(observers);
    vm.add_poller(run_pending);
}

impl Default for State {
    fn default() -> State {
        State {
            handlers: (0..SIGNAL_COUNT).map(|_| SlotWord::default()).collect(),
            warn_on_full_buffer: Cell::new(true),
            itimer_error: SlotWord::default(),
            observers: RefCell::default(),
        }
    }
}

const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;

/// Makes this interpreter the one that receives signals, with Python's usual handlers: `KeyboardInterrupt` for `SIGINT`, and errors of
/// system calls instead of `SIGPIPE` and `SIGXFSZ`. Errors: `OSError` when processes are not granted.
pub fn install(vm: &Interpreter) -> Res<()> {
    let host = vm.host();
    let fail = |error| vm.os_error(error);
    host.receive_signals(vm.attention.clone()).map_err(fail)?;
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        host.set_signal_action(signal, Action::Ignore).map_err(fail)?;
    }
    let module = vm.import("_signal")?;
    if host.signal_action(libc::SIGINT).map_err(fail)? == Action::Default {
        let handler = vm.get_attr_str(&module, "default_int_handler")?;
        host.set_signal_action(libc::SIGINT, Action::Note).map_err(fail)?;
        set_handler(vm, libc::SIGINT, Some(handler));
    }
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        set_handler(vm, signal, Some(vm.new_int(SIG_IGN)?));
    }
    vm.add_poller(run_pending);
    Ok(())
}

/// Lets the handlers go: the interpreter is ending.
pub fn finish(vm: &Interpreter) {
    let state = vm.state::<State>();
    state.handlers.iter().for_each(|handler| handler.set(None));
}

fn set_handler(vm: &Interpreter, signal: i32, handler: Option<Value>) -> Option<Value> {
    let state = vm.state::<State>();
    let word = usize::try_from(signal).ok().and_then(|index| state.handlers.get(index))?;
    word.replace(handler)
}

fn handler(vm: &Interpreter, signal: i32) -> Option<Value> {
    let state = vm.state::<State>();
    usize::try_from(signal).ok().and_then(|index| state.handlers.get(index)).and_then(SlotWord::get)
}

/// Runs the handlers of signals that have come, if this is the main thread. Errors: what they raise.
pub fn run_pending(vm: &Interpreter) -> Res<()> {
    let host = vm.host();
    if !host.has_signals() {
        return Ok(());
    }
    if !vm.gil().is_main() {
        return Ok(());
    }
    if let Some(error) = host.take_wakeup_error() {
        report_wakeup_error(vm, error)?;
    }
    let mut signals = host.take_signals().into_iter();
    let state = vm.state::<State>();
    while let Some(signal) = signals.next() {
        let observer =
            state.observers.borrow().iter().find(|(number, _)| *number == signal).map(|found| found.1);
        if observer.is_some_and(|observer| !observer(vm, signal)) {
            continue;
        }
        let handler = match handler(vm, signal) {
            Some(handler) if !handler.is_none() && handler.as_int().is_none() => handler,
            None if !crate::sys::is_finalizing(vm) => continue,
            // It was taken away after the signal had come.
            _ => {
                let ty = vm.exceptions().os_error().clone();
                let raised = vm.raise_text(&ty, &format!("Signal {signal} ignored due to race condition"));
                let exception = vm.take_raised(raised);
                crate::sys::report_unraisable(vm, &exception, "", &Value::NONE);
                continue;
            }
        };
        let frame = match vm.hooks.frame.get() {
            Some(frame) => frame(vm, 0)?.unwrap_or(Value::NONE),
            None => Value::NONE,
        };
        if let Err(raised) = vm.call_values(&handler, &[vm.new_int(i64::from(signal))?, frame]) {
            // The others are not lost: they come at the next poll.
            for later in signals {
                simulate_quietly(vm, later);
            }
            return Err(raised);
        }
    }
    Ok(())
}

fn simulate_quietly(vm: &Interpreter, signal: i32) {
    // Only a host that does not grant processes refuses, and then no signal was taken from it.
    let noted = vm.host().simulate_signal(signal);
    debug_assert!(noted.is_ok());
}

fn report_wakeup_error(vm: &Interpreter, error: pellucid_host::Error) -> Res<()> {
    let full = matches!(error.errno, libc::EAGAIN);
    if full && !vm.state::<State>().warn_on_full_buffer.get() {
        return Ok(());
    }
    let raised = vm.os_error(error);
    let exception = vm.take_raised(raised);
    let text = "Exception ignored while trying to write to the signal wakeup fd";
    crate::sys::report_unraisable(vm, &exception, text, &Value::NONE);
    Ok(())
}

/// Notes a signal as if it had come, if it has a handler in Python. Errors: `ValueError`.
pub fn simulate(vm: &Interpreter, signal: i64) -> Res<()> {
    let number = match i32::try_from(signal) {
        Ok(number) if (1..SIGNAL_COUNT as i32).contains(&number) => number,
        _ => return Err(vm.value_error("signal number out of range".to_string())),
    };
    match handler(vm, number) {
        None if crate::sys::is_finalizing(vm) => {
            vm.host().simulate_signal(number).map_err(|error| vm.os_error(error))?;
            vm.attention.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }
        Some(handler) if !handler.is_none() && handler.as_int().is_none() => {
            vm.host().simulate_signal(number).map_err(|error| vm.os_error(error))?;
            vm.attention.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn number(vm: &Interpreter, value: &Value) -> Res<i32> {
    let number = crate::sys::c_int(vm, value)?;
    if (1..SIGNAL_COUNT as i32).contains(&number) {
        return Ok(number);
    }
    Err(vm.value_error("signal number out of range".to_string()))
}

fn require_main(vm: &Interpreter, what: &str) -> Res<()> {
    if vm.gil().is_main() {
        return Ok(());
    }
    Err(vm.value_error(format!("{what} only works in main thread of the main interpreter")))
}

fn signal(vm: &Interpreter, signum: &Value, new: &Value) -> Res {
    let signal = crate::sys::c_int(vm, signum)?;
    require_main(vm, "signal")?;
    if !(1..SIGNAL_COUNT as i32).contains(&signal) {
        return Err(vm.value_error("signal number out of range".to_string()));
    }
    let action = match vm.as_i64(new) {
        Some(SIG_DFL) => Action::Default,
        Some(SIG_IGN) => Action::Ignore,
        _ if vm.type_of(new).slots.call.get().is_some() => Action::Note,
        _ => {
            let text = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object";
            return Err(vm.type_error(text.to_string()));
        }
    };
    vm.add_poller(run_pending);
    run_pending(vm)?;
    let old = getsignal_number(vm, signal)?;
    let host = vm.host();
    host.receive_signals_once(vm.attention.clone()).map_err(|error| vm.os_error(error))?;
    host.set_signal_action(signal, action).map_err(|error| vm.os_error(error))?;
    let stored = match action {
        Action::Default => vm.new_int(SIG_DFL)?,
        Action::Ignore => vm.new_int(SIG_IGN)?,
        _ => new.clone(),
    };
    drop(set_handler(vm, signal, Some(stored)));
    Ok(old)
}

/// The handler; what nobody has set through this module is asked of the system.
fn getsignal_number(vm: &Interpreter, signal: i32) -> Res {
    if let Some(handler) = handler(vm, signal) {
        return Ok(handler);
    }
    match vm.host().signal_action(signal) {
        Ok(Action::Default) => vm.new_int(SIG_DFL),
        Ok(Action::Ignore) => vm.new_int(SIG_IGN),
        Ok(_) | Err(_) => Ok(Value::NONE),
    }
}

fn default_int_handler(vm: &Interpreter, signum: &Value, _frame: &Value) -> Res {
    crate::sys::c_int(vm, signum)?;
    let ty = vm.exceptions().keyboard_interrupt().clone();
    Err(vm.raise_with(&ty, Vec::new()))
}

fn set_wakeup_fd(vm: &Interpreter, args: &Args) -> Res {
    let fd = crate::sys::c_int(vm, args.req(0))?;
    let warn = args.bool_or(vm, 1, true)?;
    require_main(vm, "set_wakeup_fd")?;
    let host = vm.host();
    if fd != -1 {
        host.fstat(fd).map_err(|error| vm.os_error(error))?;
        if host.blocking(fd).map_err(|error| vm.os_error(error))? {
            return Err(vm.value_error(format!("the fd {fd} must be in non-blocking mode")));
        }
    }
    let old = host.set_wakeup(fd).map_err(|error| vm.os_error(error))?;
    vm.state::<State>().warn_on_full_buffer.set(warn);
    vm.new_int(i64::from(old))
}

/// An iterable of signals. Errors: `ValueError` for numbers that are none.
fn signal_list(vm: &Interpreter, iterable: &Value) -> Res<Vec<i32>> {
    vm.collect(iterable)?
        .iter()
        .map(|item| {
            let index = vm.index(item)?;
            let number = vm.as_i64(&index).unwrap_or(-1);
            if let Ok(number) = i32::try_from(number)
                && (1..SIGNAL_COUNT as i32).contains(&number)
            {
                return Ok(number);
            }
            Err(vm.value_error(format!("signal number {number} out of range [1; {}]", SIGNAL_COUNT - 1)))
        })
        .collect()
}

fn signal_set(vm: &Interpreter, signals: Vec<i32>) -> Res {
    let numbers: Res<Vec<Value>> = signals.into_iter().map(|signal| vm.new_int(i64::from(signal))).collect();
    vm.new_set(numbers?)
}

fn pthread_sigmask(vm: &Interpreter, how: &Value, mask: &Value) -> Res {
    let how = crate::sys::c_int(vm, how)?;
    let signals = signal_list(vm, mask)?;
    let old = vm.host().thread_sigmask(how, &signals).map_err(|error| vm.os_error(error))?;
    // Signals that were put off may have come in between.
    vm.poll()?;
    signal_set(vm, old)
}

fn sigwait(vm: &Interpreter, mask: &Value) -> Res {
    let signals = signal_list(vm, mask)?;
    let host = vm.host();
    let signal = vm.allow_threads(|| host.wait_signal(&signals)).map_err(|error| vm.os_error(error))?;
    vm.new_int(i64::from(signal))
}

static SIGINFO: StructSeqDef = StructSeqDef {
    ty: constructible("struct_siginfo", "signal", "struct_siginfo: Result from sigwaitinfo or sigtimedwait."),
    fields: &[
        ("si_signo", "signal number"),
        ("si_code", "signal code"),
        ("si_errno", "errno associated with this signal"),
        ("si_pid", "sending process ID"),
        ("si_uid", "real user ID of sending process"),
        ("si_status", "exit value or signal"),
        ("si_band", "band event for SIGPOLL"),
    ],
    visible: 7,
};

fn wait_info(vm: &Interpreter, mask: &Value, timeout: Option<std::time::Duration>) -> Res {
    let signals = signal_list(vm, mask)?;
    let host = vm.host();
    let info = vm.retry(|| vm.allow_threads(|| host.wait_signal_info(&signals, timeout)))?;
    let Some(info) = info.map_err(|error| vm.os_error(error))? else { return Ok(Value::NONE) };
    let int = |i: i64| vm.new_int(i);
    let values = vec![
        int(info.signo.into())?,
        int(info.code.into())?,
        int(info.errno.into())?,
        int(info.pid.into())?,
        int(info.uid.into())?,
        int(info.status.into())?,
        int(info.band)?,
    ];
    new_structseq(vm, &SIGINFO, values)
}

fn sigtimedwait(vm: &Interpreter, mask: &Value, timeout: &Value) -> Res {
    match u64::try_from(nanoseconds(vm, timeout, Round::Ceiling)?) {
        Ok(length) => wait_info(vm, mask, Some(std::time::Duration::from_nanos(length))),
        Err(_) => Err(vm.value_error("timeout must be non-negative".to_string())),
    }
}

fn pause(vm: &Interpreter) -> Res {
    let host = vm.host();
    vm.allow_threads(|| host.pause()).map_err(|error| vm.os_error(error))?;
    vm.poll()?;
    Ok(Value::NONE)
}

/// `signal.ItimerError`, a subclass of `OSError` by another name.
fn itimer_error(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(found) = state.itimer_error.get() {
        return Ok(found);
    }
    let base = vm.exceptions().os_error().value().clone();
    let class = crate::new_exception_class(vm, "signal", "itimer_error", &base)?;
    state.itimer_error.set(Some(class.clone()));
    Ok(class)
}

fn raise_itimer_error(vm: &Interpreter, error: pellucid_host::Error) -> pellucid_object::Raised {
    let made = itimer_error(vm).and_then(|class| {
        vm.call_values(&class, &[vm.new_int(i64::from(error.errno))?, vm.new_str(&error.to_string())?])
    });
    match made {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

fn timer_pair(vm: &Interpreter, (first, repeat): (i64, i64)) -> Res {
    vm.new_tuple(vec![vm.new_float(first as f64 / 1e6)?, vm.new_float(repeat as f64 / 1e6)?])
}

fn setitimer(vm: &Interpreter, args: &Args) -> Res {
    let which = crate::sys::c_int(vm, args.req(0))?;
    // A time that is shorter than the clock's step is not none.
    let microseconds = |value: &Value| -> Res<i64> {
        let length = nanoseconds(vm, value, Round::Ceiling)?;
        Ok(length.div_euclid(1000) + i64::from(length.rem_euclid(1000) > 0))
    };
    let first = microseconds(args.req(1))?;
    let repeat = args.get(2).map_or(Ok(0), microseconds)?;
    match vm.host().set_timer(which, first, repeat) {
        Ok(old) => timer_pair(vm, old),
        Err(error) => Err(raise_itimer_error(vm, error)),
    }
}

fn getitimer(vm: &Interpreter, which: &Value) -> Res {
    match vm.host().timer(crate::sys::c_int(vm, which)?) {
        Ok(now) => timer_pair(vm, now),
        Err(error) => Err(raise_itimer_error(vm, error)),
    }
}

fn strsignal(vm: &Interpreter, signum: &Value) -> Res {
    let signal = number(vm, signum)?;
    match vm.host().signal_text(signal) {
        Some(text) if !text.starts_with("Unknown signal") => vm.new_str(&text),
        _ => Ok(Value::NONE),
    }
}

fn nothing(vm: &Interpreter, result: pellucid_host::Result<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {
        &[$((stringify!($name), libc::$name as i64)),*]
    };
}

static NUMBERS: &[(&str, i64)] = numbers!(
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT
    SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPOLL SIGPWR SIGSYS
    SIG_BLOCK SIG_UNBLOCK SIG_SETMASK ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF
);

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    let others = [
        ("SIG_DFL", SIG_DFL),
        ("SIG_IGN", SIG_IGN),
        ("NSIG", SIGNAL_COUNT as i64),
        ("SIGIOT", i64::from(libc::SIGABRT)),
        ("SIGCLD", i64::from(libc::SIGCHLD)),
        ("SIGRTMIN", i64::from(libc::SIGRTMIN())),
        ("SIGRTMAX", i64::from(libc::SIGRTMAX())),
    ];
    for (name, number) in NUMBERS.iter().chain(&others) {
        vm.set_attr_str(module, name, vm.new_int(*number)?)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_signal",
    doc: "This module provides mechanisms to use signal handlers in Python.",
    functions: &[
        FunctionDef::new(
            "signal",
            "(signalnum, handler, /)",
            "Set the action for the given signal.",
            NativeFn::F2(signal),
        ),
        FunctionDef::new(
            "getsignal",
            "(signalnum, /)",
            "Return the current action for the given signal.",
            NativeFn::F1(|vm, signum| getsignal_number(vm, number(vm, signum)?)),
        ),
        FunctionDef::new(
            "default_int_handler",
            "(signalnum, frame, /)",
            "The default handler for SIGINT installed by Python.",
            NativeFn::F2(default_int_handler),
        ),
        FunctionDef::new(
            "raise_signal",
            "(signalnum, /)",
            "Send a signal to the executing process.",
            NativeFn::F1(|vm, signum| {
                let signal = crate::sys::c_int(vm, signum)?;
                nothing(vm, vm.host().raise_signal(signal))?;
                vm.poll()?;
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "set_wakeup_fd",
            "(fd, /, *, warn_on_full_buffer=True)",
            "Sets the fd to be written to (with the signal number) when a signal comes in.",
            NativeFn::Args(set_wakeup_fd),
        ),
        FunctionDef::new(
            "siginterrupt",
            "(signalnum, flag, /)",
            "Change system call restart behaviour.",
            NativeFn::F2(|vm, signum, flag| {
                let signal = number(vm, signum)?;
                let restarts = vm.expect_i64(flag)? == 0;
                nothing(vm, vm.host().set_signal_restarts(signal, restarts))
            }),
        ),
        FunctionDef::new(
            "pthread_kill",
            "(thread_id, signalnum, /)",
            "Send a signal to a thread.",
            NativeFn::F2(|vm, thread, signum| {
                let thread = crate::thread::expect_ident(vm, thread)?;
                let signal = crate::sys::c_int(vm, signum)?;
                nothing(vm, vm.host().thread_kill(thread, signal))?;
                vm.poll()?;
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "pthread_sigmask",
            "(how, mask, /)",
            "Fetch and/or change the signal mask of the calling thread.",
            NativeFn::F2(pthread_sigmask),
        ),
        FunctionDef::new(
            "sigpending",
            "()",
            "Examine pending signals.",
            NativeFn::F0(|vm| {
                let signals = vm.host().pending_signals().map_err(|error| vm.os_error(error))?;
                signal_set(vm, signals)
            }),
        ),
        FunctionDef::new("sigwait", "(sigset, /)", "Wait for a signal.", NativeFn::F1(sigwait)),
        FunctionDef::new(
            "sigwaitinfo",
            "(sigset, /)",
            "Wait synchronously until one of the signals in *sigset* is delivered.",
            NativeFn::F1(|vm, mask| wait_info(vm, mask, None)),
        ),
        FunctionDef::new(
            "sigtimedwait",
            "(sigset, timeout, /)",
            "Like sigwaitinfo(), but with a timeout.",
            NativeFn::F2(sigtimedwait),
        ),
        FunctionDef::new("pause", "()", "Wait until a signal arrives.", NativeFn::F0(pause)),
        FunctionDef::new(
            "alarm",
            "(seconds, /)",
            "Arrange for SIGALRM to arrive after the given number of seconds.",
            NativeFn::F1(|vm, seconds| {
                let seconds = crate::sys::c_int(vm, seconds)?.cast_unsigned();
                let left = vm.host().alarm(seconds).map_err(|error| vm.os_error(error))?;
                vm.new_int(i64::from(left))
            }),
        ),
        FunctionDef::new(
            "setitimer",
            "(which, seconds, interval=0.0, /)",
            "Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).",
            NativeFn::Args(setitimer),
        ),
        FunctionDef::new(
            "getitimer",
            "(which, /)",
            "Returns current value of given itimer.",
            NativeFn::F1(getitimer),
        ),
        FunctionDef::new(
            "strsignal",
            "(signalnum, /)",
            "Return the system description of the given signal.",
            NativeFn::F1(strsignal),
        ),
        FunctionDef::new(
            "valid_signals",
            "()",
            "Return a set of valid signal numbers on this platform.",
            NativeFn::F0(|vm| signal_set(vm, vm.host().valid_signals())),
        ),
    ],
    types: &[],
    constants: &[
        constant("ItimerError", itimer_error),
        constant("struct_siginfo", |vm| Ok(structseq_type(vm, &SIGINFO)?.into_value())),
    ],
    init: Some(init),
};

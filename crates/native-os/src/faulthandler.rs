//! `faulthandler`: shows where threads are when something goes wrong.
//!
//! Tracebacks on request, after a time, and for a signal are those of all Python threads. A fault (`SIGSEGV` and its like) is named
//! before the process dies of it; frames are not walked then, for nothing of the interpreter can be trusted.

use pellucid_host::{Action, Error, FAULTS, SIGNAL_COUNT};
use pellucid_native_sys::lock::Event;
use pellucid_native_sys::signal::observe;
use pellucid_native_sys::sys::c_int;
use pellucid_native_sys::time::{Round, nanoseconds};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, SlotWord, Value};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Most frames of a thread that are shown.
const MOST_FRAMES: usize = 100;
/// Most code points of a name that are shown.
const LONGEST_NAME: usize = 500;
const WATCHDOG_STACK: usize = 1 << 20;

/// What was asked for.
#[derive(Default)]
struct State {
    enabled: Cell<bool>,
    /// Kept open for faults.
    file: SlotWord,
    /// Set to call off a traceback that was to come later.
    watchdog: RefCell<Option<Arc<Event>>>,
    watchdog_file: SlotWord,
    registered: RefCell<Vec<Registered>>,
}

struct Registered {
    signal: i32,
    fd: i32,
    file: Value,
    all_threads: bool,
    chain: bool,
    former: Action,
}

/// The descriptor of a file argument, and the file to keep. Errors: `RuntimeError`, `ValueError`, `TypeError`.
fn descriptor(vm: &Interpreter, file: Option<&Value>) -> Res<(i32, Value)> {
    let file = match file.filter(|file| !file.is_none()) {
        Some(file) => file.clone(),
        None => match vm.sys_attr("stderr")? {
            None => return Err(vm.runtime_error("unable to get sys.stderr".to_string())),
            Some(file) if file.is_none() => return Err(vm.runtime_error("sys.stderr is None".to_string())),
            Some(file) => file,
        },
    };
    if file.as_int().is_some() {
        let fd = c_int(vm, &file)?;
        if fd < 0 {
            return Err(vm.value_error("file is not a valid file descripter".to_string()));
        }
        return Ok((fd, Value::NONE));
    }
    let fd = vm.call_method(&file, "fileno", &[])?;
    if fd.as_int().is_none() {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor".to_string()));
    }
    let fd = c_int(vm, &fd)?;
    if let Err(raised) = vm.call_method(&file, "flush", &[]) {
        drop(vm.take_raised(raised));
    }
    Ok((fd, file))
}

/// Writes all of it; what cannot be written is lost, as with every report of a fault.
fn write_all(vm: &Interpreter, fd: i32, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match vm.host().write(fd, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.is_interrupted() => {}
            Err(Error { .. }) => return,
        }
    }
}

// ---- tracebacks as text ----

fn push_name(text: &mut String, name: &str) {
    for (index, c) in name.chars().enumerate() {
        if index >= LONGEST_NAME {
            text.push_str("...");
            return;
        }
        let escaped = match c {
            ' '..='~' => {
                text.push(c);
                continue;
            }
            c if (c as u32) < 0x100 => format!("\\x{:02x}", c as u32),
            c if (c as u32) < 0x1_0000 => format!("\\u{:04x}", c as u32),
            c => format!("\\U{:08x}", c as u32),
        };
        text.push_str(&escaped);
    }
}

/// The lines of a frame and of those that called it. Errors: `MemoryError`.
fn push_frames(vm: &Interpreter, text: &mut String, innermost: Option<Value>) -> Res<()> {
    let mut frame = innermost;
    if frame.is_none() {
        text.push_str("  <no Python frame>\n");
    }
    let mut shown = 0;
    while let Some(current) = frame {
        if shown >= MOST_FRAMES {
            text.push_str("  ...\n");
            break;
        }
        let code = vm.get_attr_str(&current, "f_code")?;
        let file = vm.get_attr_str(&code, "co_filename")?;
        let line = vm.get_attr_str(&current, "f_lineno")?;
        let name = vm.get_attr_str(&code, "co_name")?;
        text.push_str("  File \"");
        push_name(text, &vm.str_lossy(&file));
        text.push_str("\", line ");
        match vm.as_i64(&line) {
            Some(line) => text.push_str(&line.to_string()),
            None => text.push_str("???"),
        }
        text.push_str(" in ");
        push_name(text, &vm.str_lossy(&name));
        text.push('\n');
        shown += 1;
        frame = Some(vm.get_attr_str(&current, "f_back")?).filter(|frame| !frame.is_none());
    }
    Ok(())
}

/// Where all threads are, or the running one alone.
fn traceback(vm: &Interpreter, all_threads: bool, current: Option<u64>) -> Res<String> {
    let frames = vm.frames_of_threads()?;
    let mut text = String::new();
    if !all_threads {
        text.push_str("Stack (most recent call first):\n");
        let own = vm.gil().ident();
        push_frames(vm, &mut text, frames.into_iter().find(|(ident, _)| *ident == own).map(|found| found.1))?;
        return Ok(text);
    }
    for (index, (ident, frame)) in frames.into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let kind = if Some(ident) == current { "Current thread" } else { "Thread" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{kind} 0x{ident:016x} (most recent call first):");
        push_frames(vm, &mut text, Some(frame))?;
    }
    Ok(text)
}

fn dump_traceback(vm: &Interpreter, args: &Args) -> Res {
    let (fd, _) = descriptor(vm, args.get(0))?;
    let all_threads = args.bool_or(vm, 1, true)?;
    let text = traceback(vm, all_threads, Some(vm.gil().ident()))?;
    write_all(vm, fd, &text);
    Ok(Value::NONE)
}

// ---- faults ----

fn enable(vm: &Interpreter, args: &Args) -> Res {
    let (fd, file) = descriptor(vm, args.get(0))?;
    enable_on(vm, fd, file)
}

fn enable_on(vm: &Interpreter, fd: i32, file: Value) -> Res {
    vm.host().tell_faults(Some(fd)).map_err(|error| vm.os_error(error))?;
    let state = vm.state::<State>();
    state.enabled.set(true);
    state.file.set(Some(file));
    Ok(Value::NONE)
}

/// What `-X faulthandler` does. Errors: `OSError`.
pub fn enable_at_start(vm: &Interpreter) -> Res<()> {
    enable_on(vm, 2, Value::NONE).map(drop)
}

fn disable(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    let was = state.enabled.replace(false);
    if was {
        vm.host().tell_faults(None).map_err(|error| vm.os_error(error))?;
        state.file.set(None);
    }
    Ok(Value::bool(was))
}

// ---- later ----

/// `Timeout (0:00:01.500000)!`
fn timeout_header(length: Duration) -> String {
    let (seconds, micros) = (length.as_secs(), length.subsec_micros());
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros == 0 {
        format!("Timeout ({hours}:{minutes:02}:{rest:02})!\n")
    } else {
        format!("Timeout ({hours}:{minutes:02}:{rest:02}.{micros:06})!\n")
    }
}

fn cancel(vm: &Interpreter) {
    let state = vm.state::<State>();
    if let Some(event) = state.watchdog.take() {
        event.set();
    }
    state.watchdog_file.set(None);
}

fn dump_traceback_later(vm: &Interpreter, args: &Args) -> Res {
    let length = nanoseconds(vm, args.req(0), Round::Up)?;
    let repeat = args.bool_or(vm, 1, false)?;
    let exit = args.bool_or(vm, 3, false)?;
    let length = match u64::try_from(length / 1000) {
        Ok(micros) if micros > 0 => Duration::from_micros(micros),
        _ => return Err(vm.value_error("timeout must be greater than 0".to_string())),
    };
    let (fd, file) = descriptor(vm, args.get(2))?;
    cancel(vm);
    let event: Arc<Event> = Arc::default();
    let state = vm.state::<State>();
    *state.watchdog.borrow_mut() = Some(event.clone());
    state.watchdog_file.set(Some(file));
    let body = Box::new(move |vm: &Interpreter| watch(vm, &event, length, repeat, exit, fd));
    match vm.start_thread("faulthandler", WATCHDOG_STACK, body)? {
        Ok(()) => Ok(Value::NONE),
        Err(_) => {
            cancel(vm);
            Err(vm.runtime_error("unable to start watchdog thread".to_string()))
        }
    }
}

/// What the watching thread does.
fn watch(vm: &Interpreter, called_off: &Event, length: Duration, repeat: bool, exit: bool, fd: i32) {
    loop {
        match called_off.wait(vm, Some(length)) {
            Ok(false) => {}
            Ok(true) => return,
            Err(raised) => {
                drop(vm.take_raised(raised));
                return;
            }
        }
        write_all(vm, fd, &timeout_header(length));
        match traceback(vm, true, None) {
            Ok(text) => write_all(vm, fd, &text),
            Err(raised) => drop(vm.take_raised(raised)),
        }
        if exit {
            // Only a host that does not grant processes lets us go on.
            let _denied = vm.host().exit_now(1);
        }
        if !repeat {
            return;
        }
    }
}

// ---- signals of the user ----

fn signal_number(vm: &Interpreter, value: &Value) -> Res<i32> {
    let signal = c_int(vm, value)?;
    if FAULTS.iter().any(|(number, _)| *number == signal) {
        return Err(vm.runtime_error(format!("signal {signal} cannot be registered, use enable() instead")));
    }
    if !(1..SIGNAL_COUNT as i32).contains(&signal) {
        return Err(vm.value_error("signal number out of range".to_string()));
    }
    Ok(signal)
}

fn register(vm: &Interpreter, args: &Args) -> Res {
    let signal = signal_number(vm, args.req(0))?;
    let (fd, file) = descriptor(vm, args.get(1))?;
    let all_threads = args.bool_or(vm, 2, true)?;
    let chain = args.bool_or(vm, 3, false)?;
    let host = vm.host();
    let failed = |error| vm.os_error(error);
    let state = vm.state::<State>();
    let known =
        state.registered.borrow().iter().find(|known| known.signal == signal).map(|known| known.former);
    let former = match known {
        Some(former) => former,
        None => host.signal_action(signal).map_err(failed)?,
    };
    host.receive_signals_once(vm.attention.clone()).map_err(failed)?;
    host.set_signal_action(signal, Action::Note).map_err(failed)?;
    let replaced: Vec<Registered> = {
        let mut list = state.registered.borrow_mut();
        let (old, kept) = std::mem::take(&mut *list).into_iter().partition(|known| known.signal == signal);
        *list = kept;
        list.push(Registered { signal, fd, file, all_threads, chain, former });
        old
    };
    drop(replaced);
    observe(vm, signal, Some(show_for_signal));
    Ok(Value::NONE)
}

/// A registered signal has come. Says whether the Python handler is called as well.
fn show_for_signal(vm: &Interpreter, signal: i32) -> bool {
    let state = vm.state::<State>();
    let found = state
        .registered
        .borrow()
        .iter()
        .find(|known| known.signal == signal)
        .map(|known| (known.fd, known.all_threads, known.chain, known.former));
    let Some((fd, all_threads, chain, former)) = found else { return true };
    match traceback(vm, all_threads, Some(vm.gil().ident())) {
        Ok(text) => write_all(vm, fd, &text),
        Err(raised) => drop(vm.take_raised(raised)),
    }
    if chain && former == Action::Default {
        let host = vm.host();
        // The signal comes again and does what it would have done; if the process lives on, we are there for the next one.
        let _again = host
            .set_signal_action(signal, Action::Default)
            .and_then(|()| host.raise_signal(signal))
            .and_then(|()| host.set_signal_action(signal, Action::Note));
    }
    chain
}

fn unregister(vm: &Interpreter, signal: &Value) -> Res {
    let signal = signal_number(vm, signal)?;
    let state = vm.state::<State>();
    let removed = {
        let mut list = state.registered.borrow_mut();
        list.iter().position(|known| known.signal == signal).map(|index| list.remove(index))
    };
    let Some(known) = removed else { return Ok(Value::FALSE) };
    observe(vm, signal, None);
    if known.former != Action::Foreign {
        vm.host().set_signal_action(signal, known.former).map_err(|error| vm.os_error(error))?;
    }
    drop(known.file);
    Ok(Value::TRUE)
}

fn raise(vm: &Interpreter, signal: i32) -> Res {
    crate::done(vm, vm.host().raise_signal(signal))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "faulthandler",
    doc: "faulthandler module.",
    functions: &[
        FunctionDef::new(
            "enable",
            "(file=sys.stderr, all_threads=True, c_stack=True)",
            "Enable the fault handler.",
            NativeFn::Args(enable),
        ),
        FunctionDef::new("disable", "()", "Disable the fault handler.", NativeFn::F0(disable)),
        FunctionDef::new(
            "is_enabled",
            "()",
            "Check if the handler is enabled.",
            NativeFn::F0(|vm| Ok(Value::bool(vm.state::<State>().enabled.get()))),
        ),
        FunctionDef::new(
            "dump_traceback",
            "(file=sys.stderr, all_threads=True)",
            "Dump the traceback of the current thread into file.",
            NativeFn::Args(dump_traceback),
        ),
        FunctionDef::new(
            "dump_traceback_later",
            "(timeout, repeat=False, file=sys.stderr, exit=False)",
            "Dump the traceback of all threads in timeout seconds.",
            NativeFn::Args(dump_traceback_later),
        ),
        FunctionDef::new(
            "cancel_dump_traceback_later",
            "()",
            "Cancel the previous call to dump_traceback_later().",
            NativeFn::F0(|vm| {
                cancel(vm);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "register",
            "(signum, file=sys.stderr, all_threads=True, chain=False)",
            "Register a handler for the signal 'signum'.",
            NativeFn::Args(register),
        ),
        FunctionDef::new(
            "unregister",
            "(signum, /)",
            "Unregister the handler of the signal 'signum' registered by register().",
            NativeFn::F1(unregister),
        ),
        FunctionDef::new(
            "_sigsegv",
            "(release_gil=False, /)",
            "Raise a SIGSEGV signal.",
            NativeFn::Args(|vm, _| raise(vm, pellucid_host::libc::SIGSEGV)),
        ),
        FunctionDef::new(
            "_sigabrt",
            "()",
            "Raise a SIGABRT signal.",
            NativeFn::F0(|vm| raise(vm, pellucid_host::libc::SIGABRT)),
        ),
        FunctionDef::new(
            "_sigfpe",
            "()",
            "Raise a SIGFPE signal.",
            NativeFn::F0(|vm| raise(vm, pellucid_host::libc::SIGFPE)),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_show_fractions_when_there_are_any() {
        assert_eq!(timeout_header(Duration::from_secs(3661)), "Timeout (1:01:01)!\n");
        assert_eq!(timeout_header(Duration::from_micros(1_500_000)), "Timeout (0:00:01.500000)!\n");
    }

    #[test]
    fn names_are_escaped_and_cut() {
        let mut text = String::new();
        push_name(&mut text, "a\u{e9}\u{20ac}\u{1f600}");
        assert_eq!(text, "a\\xe9\\u20ac\\U0001f600");
        text.clear();
        push_name(&mut text, &"x".repeat(501));
        assert_eq!(text.len(), 503);
    }
}

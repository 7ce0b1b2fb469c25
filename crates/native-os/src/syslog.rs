//! `syslog`: messages for the system's log, sent to its socket.

use crate::{libc_constants, set_ints};
use pellucid_host::{Address, Clock, libc};
use pellucid_native_sys::sys::c_int;
use pellucid_native_sys::time::read;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Str, Value};
use std::cell::{Cell, RefCell};

/// What `openlog` has set.
struct State {
    open: Cell<bool>,
    ident: RefCell<Option<String>>,
    options: Cell<i32>,
    facility: Cell<i32>,
    mask: Cell<i32>,
    /// The socket, once something was sent.
    fd: Cell<i32>,
}

impl Default for State {
    fn default() -> State {
        State {
            open: Cell::new(false),
            ident: RefCell::new(None),
            options: Cell::new(0),
            facility: Cell::new(libc::LOG_USER),
            mask: Cell::new(0xff),
            fd: Cell::new(-1),
        }
    }
}

/// The name of the program: the last part of `sys.argv[0]`.
fn program_name(vm: &Interpreter) -> Res<Option<String>> {
    let Some(argv) = vm.sys_attr("argv")? else { return Ok(None) };
    let Some(first) = vm.collect(&argv)?.into_iter().next() else { return Ok(None) };
    if first.downcast::<Str>().is_none() {
        return Ok(None);
    }
    let path = vm.str_lossy(&first);
    let name = path.rsplit('/').next().unwrap_or_default().to_string();
    Ok((!name.is_empty()).then_some(name))
}

fn openlog(vm: &Interpreter, args: &Args) -> Res {
    let ident = match args.some(0) {
        Some(ident) => Some(vm.expect_str(ident)?),
        None => program_name(vm)?,
    };
    let options = args.get(1).map_or(Ok(0), |value| c_int(vm, value))?;
    let facility = args.get(2).map_or(Ok(libc::LOG_USER), |value| c_int(vm, value))?;
    let shown = match &ident {
        Some(ident) => vm.new_str(ident)?,
        None => Value::NONE,
    };
    vm.audit("syslog.openlog", &[shown, vm.new_int(options.into())?, vm.new_int(facility.into())?])?;
    let state = vm.state::<State>();
    *state.ident.borrow_mut() = ident;
    state.options.set(options);
    state.facility.set(facility);
    state.open.set(true);
    Ok(Value::NONE)
}

fn closelog(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if state.open.replace(false) {
        vm.audit("syslog.closelog", &[])?;
        *state.ident.borrow_mut() = None;
        let fd = state.fd.replace(-1);
        if fd >= 0 {
            return crate::done(vm, vm.host().close(fd));
        }
    }
    Ok(Value::NONE)
}

fn syslog(vm: &Interpreter, args: &Args) -> Res {
    let (priority, message) = match args.get(1) {
        Some(message) => (c_int(vm, args.req(0))?, message),
        None => (libc::LOG_INFO, args.req(0)),
    };
    let text = vm.expect_str(message)?;
    vm.audit("syslog.syslog", &[vm.new_int(priority.into())?, message.clone()])?;
    let state = vm.state::<State>();
    if !state.open.get() {
        let ident = program_name(vm)?;
        *state.ident.borrow_mut() = ident;
        state.open.set(true);
    }
    if state.mask.get() >> (priority & 7) & 1 == 0 {
        return Ok(Value::NONE);
    }
    let priority = if priority & !7 == 0 { priority | state.facility.get() } else { priority };
    let line = line(vm, &state, priority, &text)?;
    // The log may not be there; as in C nobody is told.
    send(vm, &state, &line);
    Ok(Value::NONE)
}

/// A line of the log's protocol.
fn line(vm: &Interpreter, state: &State, priority: i32, text: &str) -> Res<Vec<u8>> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = read(vm, Clock::Realtime)?.div_euclid(1_000_000_000);
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let time = vm.host().local_time(seconds).map_err(|error| vm.os_error(error))?;
    let month = usize::try_from(time.month - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    let ident = state.ident.borrow().clone().unwrap_or_default();
    let pid = if state.options.get() & libc::LOG_PID != 0 {
        format!("[{}]", vm.host().getpid())
    } else {
        String::new()
    };
    let (day, hour, minute, second) = (time.day, time.hour, time.minute, time.second);
    Ok(format!("<{priority}>{month} {day:2} {hour:02}:{minute:02}:{second:02} {ident}{pid}: {text}")
        .into_bytes())
}

fn send(vm: &Interpreter, state: &State, line: &[u8]) {
    let host = vm.host();
    if state.fd.get() < 0 {
        let Ok(fd) = host.socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0) else { return };
        if host.connect(fd, &Address::Unix(b"/dev/log".to_vec())).is_err() {
            let _closed = host.close(fd);
            return;
        }
        state.fd.set(fd);
    }
    let fd = state.fd.get();
    let sent = vm.allow_threads(|| host.send(fd, line, libc::MSG_NOSIGNAL, None));
    if sent.is_err() {
        state.fd.set(-1);
        let _closed = host.close(fd);
    }
}

fn setlogmask(vm: &Interpreter, mask: &Value) -> Res {
    let new = c_int(vm, mask)?;
    vm.audit("syslog.setlogmask", std::slice::from_ref(mask))?;
    let state = vm.state::<State>();
    let old = state.mask.get();
    if new != 0 {
        state.mask.set(new);
    }
    vm.new_int(old.into())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "syslog",
    doc: "",
    functions: &[
        FunctionDef::new(
            "openlog",
            "(ident=None, logoption=0, facility=syslog.LOG_USER)",
            "Set logging options of subsequent syslog() calls.",
            NativeFn::Args(openlog),
        ),
        FunctionDef::new(
            "closelog",
            "()",
            "Reset the syslog module values and call the system library closelog().",
            NativeFn::F0(closelog),
        ),
        FunctionDef::new(
            "syslog",
            "(priority, message=None, /)",
            "syslog([priority=LOG_INFO,] message)\nSend the string message to the system logger.",
            NativeFn::Args(syslog),
        ),
        FunctionDef::new(
            "setlogmask",
            "(maskpri, /)",
            "Set the priority mask to maskpri and return the previous mask value.",
            NativeFn::F1(setlogmask),
        ),
        FunctionDef::new(
            "LOG_MASK",
            "(pri, /)",
            "Calculates the mask for the individual priority pri.",
            NativeFn::F1(|vm, priority| {
                let priority = c_int(vm, priority)?;
                vm.new_int(1i64.checked_shl(priority as u32).unwrap_or(0))
            }),
        ),
        FunctionDef::new(
            "LOG_UPTO",
            "(pri, /)",
            "Calculates the mask for all priorities up to and including pri.",
            NativeFn::F1(|vm, priority| {
                let priority = c_int(vm, priority)?;
                vm.new_int(1i64.checked_shl(priority.wrapping_add(1) as u32).unwrap_or(0) - 1)
            }),
        ),
    ],
    types: &[],
    constants: &[],
    init: Some(|vm, module| {
        set_ints(
            vm,
            module,
            libc_constants!(LOG_EMERG LOG_ALERT LOG_CRIT LOG_ERR LOG_WARNING LOG_NOTICE LOG_INFO LOG_DEBUG LOG_PID LOG_CONS
                LOG_NDELAY LOG_ODELAY LOG_NOWAIT LOG_PERROR LOG_KERN LOG_USER LOG_MAIL LOG_DAEMON LOG_AUTH LOG_SYSLOG
                LOG_LPR LOG_NEWS LOG_UUCP LOG_CRON LOG_AUTHPRIV LOG_FTP LOG_LOCAL0 LOG_LOCAL1 LOG_LOCAL2 LOG_LOCAL3
                LOG_LOCAL4 LOG_LOCAL5 LOG_LOCAL6 LOG_LOCAL7),
        )
    }),
};

//! `termios`: settings of terminals.

use crate::waiting::blocking;
use crate::{libc_constants, set_ints};
use pellucid_host::{Error, TerminalControl, TerminalSettings, libc};
use pellucid_native_sys::new_exception_class;
use pellucid_native_sys::posix::path::file_descriptor;
use pellucid_native_sys::sys::c_int;
use pellucid_object::bytes::Bytes;
use pellucid_object::{
    FunctionDef, Interpreter, List, ModuleDef, NativeFn, Raised, Res, SlotWord, Tuple, Value, constant,
};

/// The class `termios.error`.
#[derive(Default)]
struct State {
    error: SlotWord,
}

fn error_class(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(class) = state.error.get() {
        return Ok(class);
    }
    let base = vm.exceptions().exception().value().clone();
    let class = new_exception_class(vm, "termios", "error", &base)?;
    state.error.set(Some(class.clone()));
    Ok(class)
}

#[cold]
fn failed(vm: &Interpreter, error: Error) -> Raised {
    let make = || {
        vm.call_values(&error_class(vm)?, &[vm.new_int(error.errno.into())?, vm.new_str(&error.to_string())?])
    };
    match make() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

fn done(vm: &Interpreter, result: Result<(), Error>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(failed(vm, error)),
    }
}

fn tcgetattr(vm: &Interpreter, fd: &Value) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let settings = vm.host().terminal_settings(fd).map_err(|error| failed(vm, error))?;
    let canonical = settings.flags[3] & libc::ICANON != 0;
    let mut characters = Vec::new();
    for (index, byte) in settings.characters.iter().enumerate() {
        // Without lines these two are numbers: how many bytes, how long.
        let is_number = !canonical && (index == libc::VMIN || index == libc::VTIME);
        characters.push(if is_number { vm.new_int((*byte).into())? } else { vm.new_bytes(vec![*byte])? });
    }
    let mut items = Vec::new();
    for number in settings.flags.iter().chain([&settings.input_speed, &settings.output_speed]) {
        items.push(vm.new_int((*number).into())?);
    }
    items.push(vm.new_list(characters)?);
    vm.new_list(items)
}

fn list_items(value: &Value) -> Option<Vec<Value>> {
    value.downcast::<List>().map(|list| list.items())
}

/// The settings in a list as `tcgetattr` gives it. Errors: `TypeError`, `OverflowError`.
fn settings(vm: &Interpreter, attributes: &Value, room: usize) -> Res<TerminalSettings> {
    let items = list_items(attributes).filter(|items| items.len() == 7);
    let Some(items) = items else {
        return Err(vm.type_error("tcsetattr, arg 3: must be 7 element list".to_string()));
    };
    let number = |index: usize| -> Res<u32> {
        let index = vm.index(&items[index])?;
        vm.as_i64(&index).map(|number| number as u32).ok_or_else(|| {
            vm.overflow_error("Python int too large to convert to C unsigned long".to_string())
        })
    };
    let flags = [number(0)?, number(1)?, number(2)?, number(3)?];
    let (input_speed, output_speed) = (number(4)?, number(5)?);
    let Some(list) = list_items(&items[6]).filter(|list| list.len() == room) else {
        return Err(vm.type_error(format!("tcsetattr: attributes[6] must be {room} element list")));
    };
    let mut characters = Vec::new();
    for item in &list {
        characters.push(match item.downcast::<Bytes>().map(Bytes::as_slice) {
            Some([byte]) => *byte,
            None if item.as_int().is_some() => vm.expect_i64(item)? as u8,
            _ => {
                let text = "tcsetattr: elements of attributes must be characters or integers";
                return Err(vm.type_error(text.to_string()));
            }
        });
    }
    Ok(TerminalSettings { flags, input_speed, output_speed, characters })
}

fn tcsetattr(vm: &Interpreter, fd: &Value, when: &Value, attributes: &Value) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let when = c_int(vm, when)?;
    let old = vm.host().terminal_settings(fd);
    let room = old.as_ref().map_or(libc::NCCS, |old| old.characters.len());
    let settings = settings(vm, attributes, room)?;
    old.map_err(|error| failed(vm, error))?;
    let host = vm.host();
    let result = blocking(vm, || host.set_terminal_settings(fd, when, &settings))?;
    done(vm, result)
}

fn control(vm: &Interpreter, fd: &Value, what: TerminalControl) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let host = vm.host();
    let result = blocking(vm, || host.terminal_control(fd, what))?;
    done(vm, result)
}

fn tcgetwinsize(vm: &Interpreter, fd: &Value) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let size = vm.host().terminal_size(fd).map_err(|error| failed(vm, error))?;
    vm.new_tuple(vec![vm.new_int(size.lines.into())?, vm.new_int(size.columns.into())?])
}

fn tcsetwinsize(vm: &Interpreter, fd: &Value, size: &Value) -> Res {
    let fd = file_descriptor(vm, fd)?;
    let items = match (size.downcast::<Tuple>(), list_items(size)) {
        (Some(tuple), _) => tuple.items(),
        (None, Some(items)) => items,
        (None, None) => {
            return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence".to_string()));
        }
    };
    let [lines, columns] = &items[..] else {
        return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence".to_string()));
    };
    let number = |value: &Value| -> Res<u16> {
        let number = vm.expect_i64(value)?;
        u16::try_from(number).map_err(|_| vm.overflow_error("winsize value(s) out of range.".to_string()))
    };
    let (lines, columns) = (number(lines)?, number(columns)?);
    done(vm, vm.host().set_terminal_size(fd, lines, columns))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "termios",
    doc: "This module provides an interface to the Posix calls for tty I/O control.",
    functions: &[
        FunctionDef::new(
            "tcgetattr",
            "(fd, /)",
            "Get the tty attributes for file descriptor fd.",
            NativeFn::F1(tcgetattr),
        ),
        FunctionDef::new(
            "tcsetattr",
            "(fd, when, attributes, /)",
            "Set the tty attributes for file descriptor fd.",
            NativeFn::F3(tcsetattr),
        ),
        FunctionDef::new(
            "tcsendbreak",
            "(fd, duration, /)",
            "Send a break on file descriptor fd.",
            NativeFn::F2(|vm, fd, duration| {
                let duration = c_int(vm, duration)?;
                control(vm, fd, TerminalControl::Break(duration))
            }),
        ),
        FunctionDef::new(
            "tcdrain",
            "(fd, /)",
            "Wait until all output written to file descriptor fd has been transmitted.",
            NativeFn::F1(|vm, fd| control(vm, fd, TerminalControl::Drain)),
        ),
        FunctionDef::new(
            "tcflush",
            "(fd, queue, /)",
            "Discard queued data on file descriptor fd.",
            NativeFn::F2(|vm, fd, queue| {
                let queue = c_int(vm, queue)?;
                control(vm, fd, TerminalControl::Flush(queue))
            }),
        ),
        FunctionDef::new(
            "tcflow",
            "(fd, action, /)",
            "Suspend or resume input or output on file descriptor fd.",
            NativeFn::F2(|vm, fd, action| {
                let action = c_int(vm, action)?;
                control(vm, fd, TerminalControl::Flow(action))
            }),
        ),
        FunctionDef::new(
            "tcgetwinsize",
            "(fd, /)",
            "Get the tty winsize for file descriptor fd.",
            NativeFn::F1(tcgetwinsize),
        ),
        FunctionDef::new(
            "tcsetwinsize",
            "(fd, winsize, /)",
            "Set the tty winsize for file descriptor fd.",
            NativeFn::F2(tcsetwinsize),
        ),
    ],
    types: &[],
    constants: &[constant("error", error_class)],
    init: Some(init),
};

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    set_ints(
        vm,
        module,
        libc_constants!(B0 B50 B75 B110 B134 B150 B200 B300 B600 B1200 B1800 B2400 B4800 B9600 B19200 B38400 B57600
            B115200 B230400 B460800 B500000 B576000 B921600 B1000000 B1152000 B1500000 B2000000 B2500000 B3000000
            B3500000 B4000000 TCSANOW TCSADRAIN TCSAFLUSH TCIFLUSH TCOFLUSH TCIOFLUSH TCOOFF TCOON TCIOFF TCION IGNBRK
            BRKINT IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8 OPOST OLCUC ONLCR
            OCRNL ONOCR ONLRET OFILL OFDEL NLDLY CRDLY TABDLY BSDLY VTDLY FFDLY NL0 NL1 CR0 CR1 CR2 CR3 TAB0 TAB1
            TAB2 TAB3 BS0 BS1 VT0 VT1 FF0 FF1 CSIZE CSTOPB CREAD PARENB PARODD HUPCL CLOCAL CRTSCTS CS5 CS6 CS7 CS8
            CBAUD CBAUDEX CIBAUD CMSPAR ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL ECHOCTL ECHOPRT ECHOKE FLUSHO NOFLSH
            TOSTOP PENDIN IEXTEN EXTPROC EXTA EXTB XTABS VINTR VQUIT VERASE VKILL VEOF VTIME VMIN VSWTC VSTART VSTOP
            VSUSP VEOL VREPRINT VDISCARD VWERASE VLNEXT VEOL2 NCCS FIOCLEX FIONCLEX FIONBIO FIONREAD FIOASYNC TCGETA
            TCGETS TCSBRK TCSBRKP TCSETA TCSETAF TCSETAW TCSETS TCSETSF TCSETSW TCXONC TIOCCONS TIOCEXCL TIOCGETD
            TIOCGICOUNT TIOCGLCKTRMIOS TIOCGPGRP TIOCGSERIAL TIOCGSOFTCAR TIOCGWINSZ TIOCINQ TIOCLINUX TIOCMBIC TIOCMBIS
            TIOCMGET TIOCMIWAIT TIOCMSET TIOCM_CAR TIOCM_CD TIOCM_CTS TIOCM_DSR TIOCM_DTR TIOCM_LE TIOCM_RI TIOCM_RNG
            TIOCM_RTS TIOCM_SR TIOCM_ST TIOCNOTTY TIOCNXCL TIOCOUTQ TIOCPKT TIOCSCTTY TIOCSERCONFIG TIOCSERGETLSR
            TIOCSERGETMULTI TIOCSERSETMULTI TIOCSETD TIOCSLCKTRMIOS TIOCSPGRP TIOCSSERIAL TIOCSSOFTCAR TIOCSTI
            TIOCSWINSZ TCFLSH),
    )?;
    set_ints(
        vm,
        module,
        &[
            ("VSWTCH", 7),
            ("CDEL", 0x7f),
            ("CINTR", 3),
            ("CQUIT", 0x1c),
            ("CERASE", 0x7f),
            ("CKILL", 0x15),
            ("CEOF", 4),
            ("CSTART", 0x11),
            ("CSTOP", 0x13),
            ("CSUSP", 0x1a),
            ("CEOL", 0),
            ("CEOL2", 0),
            ("CRPRNT", 0x12),
            ("CWERASE", 0x17),
            ("CLNEXT", 0x16),
            ("CFLUSH", 0xf),
            ("CESC", 0x5c),
            ("CNUL", 0),
            ("CSWTCH", 0),
            ("CDSUSP", 0x19),
            ("NCC", 8),
            ("IOCSIZE_SHIFT", 16),
            ("IOCSIZE_MASK", 0x3fff_0000),
            ("N_TTY", 0),
            ("N_SLIP", 1),
            ("N_MOUSE", 2),
            ("N_PPP", 3),
            ("N_STRIP", 4),
            ("TIOCPKT_DATA", 0),
            ("TIOCPKT_FLUSHREAD", 1),
            ("TIOCPKT_FLUSHWRITE", 2),
            ("TIOCPKT_STOP", 4),
            ("TIOCPKT_START", 8),
            ("TIOCPKT_NOSTOP", 16),
            ("TIOCPKT_DOSTOP", 32),
            ("TIOCSERGWILD", 0x5454),
            ("TIOCSERSWILD", 0x5455),
            ("TIOCSERGSTRUCT", 0x5458),
            ("TIOCSER_TEMT", 1),
            ("TIOCGPTN", 0x8004_5430),
            ("TIOCSPTLCK", 0x4004_5431),
        ],
    )
}

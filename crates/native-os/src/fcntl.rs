//! `fcntl`: control of open files.

use crate::waiting::blocking;
use crate::{done, libc_constants, set_ints};
use pellucid_host::libc;
use pellucid_native_sys::posix::path::file_descriptor;
use pellucid_native_sys::sys::c_int;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Str, Value};

/// Most bytes of an argument of `fcntl`.
const ROOM: usize = 1024;

/// The third argument: a number, or bytes.
enum Argument {
    Number(i64),
    Bytes(Vec<u8>),
}

#[cold]
fn refuse(vm: &Interpreter, function: &str, value: &Value) -> Raised {
    let got = vm.type_name(value);
    vm.type_error(format!(
        "{function}() argument 3 must be an integer, a bytes-like object, or a string, not {got}"
    ))
}

/// The low 32 bits of an int, as the system's calls take it. Errors: `TypeError`, `OverflowError`.
fn number(vm: &Interpreter, value: &Value) -> Res<i64> {
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(number) if i32::try_from(number).is_ok() || u32::try_from(number).is_ok() => Ok(number),
        _ => c_int(vm, &index).map(i64::from),
    }
}

fn argument(vm: &Interpreter, value: Option<&Value>, function: &str) -> Res<Argument> {
    let Some(value) = value else { return Ok(Argument::Number(0)) };
    if value.as_int().is_some() || pellucid_types::seq::has_index(vm, value) {
        return number(vm, value).map(Argument::Number);
    }
    let bytes = if value.downcast::<Str>().is_some() {
        vm.expect_str(value)?.into_bytes()
    } else if vm.has_buffer(value) {
        vm.bytes_like(value)?.bytes().to_vec()
    } else {
        return Err(refuse(vm, function, value));
    };
    if bytes.len() > ROOM {
        return Err(vm.value_error(format!("{function} argument 3 is too long")));
    }
    Ok(Argument::Bytes(bytes))
}

fn fcntl(vm: &Interpreter, args: &Args) -> Res {
    let fd = file_descriptor(vm, args.req(0))?;
    let command = c_int(vm, args.req(1))?;
    let given = args.get(2).cloned().map_or_else(|| vm.new_int(0), Ok)?;
    vm.audit("fcntl.fcntl", &[args.req(0).clone(), args.req(1).clone(), given])?;
    let host = vm.host();
    match argument(vm, args.get(2), "fcntl")? {
        Argument::Number(number) => {
            let result =
                blocking(vm, || host.fcntl(fd, command, number))?.map_err(|error| vm.os_error(error))?;
            vm.new_int(result.into())
        }
        Argument::Bytes(bytes) => {
            let mut room = [0; ROOM];
            room[..bytes.len()].copy_from_slice(&bytes);
            blocking(vm, || host.fcntl_bytes(fd, command, &mut room))?.map_err(|error| vm.os_error(error))?;
            vm.new_bytes(room[..bytes.len()].to_vec())
        }
    }
}

/// The code of a request: 32 or 64 bits, signed or not.
fn request(vm: &Interpreter, value: &Value) -> Res<u64> {
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(request) => Ok(request as u64),
        None => Err(vm.overflow_error("Python int too large to convert to C unsigned long".to_string())),
    }
}

fn ioctl(vm: &Interpreter, args: &Args) -> Res {
    let fd = file_descriptor(vm, args.req(0))?;
    let request = request(vm, args.req(1))?;
    let given = args.get(2).cloned().map_or_else(|| vm.new_int(0), Ok)?;
    vm.audit("fcntl.ioctl", &[args.req(0).clone(), args.req(1).clone(), given.clone()])?;
    let host = vm.host();
    let mutate = args.bool_or(vm, 3, true)?;
    if given.as_int().is_none() && given.downcast::<Str>().is_none() && vm.has_buffer(&given) {
        let buffer = vm.bytes_like(&given)?;
        let mut bytes = buffer.bytes().to_vec();
        let changes = mutate && !vm.buffer(&given, 0)?.layout.readonly;
        if !changes && bytes.len() > ROOM {
            return Err(vm.value_error("ioctl argument 3 is too long".to_string()));
        }
        let result = blocking(vm, || host.ioctl_bytes(fd, request, &mut bytes))?
            .map_err(|error| vm.os_error(error))?;
        if !changes {
            return vm.new_bytes(bytes);
        }
        if let Some(mut place) = buffer.bytes_mut() {
            let length = bytes.len().min(place.len());
            place[..length].copy_from_slice(&bytes[..length]);
        }
        return vm.new_int(result.into());
    }
    match argument(vm, args.get(2), "ioctl")? {
        Argument::Number(number) => {
            let result =
                blocking(vm, || host.ioctl(fd, request, number))?.map_err(|error| vm.os_error(error))?;
            vm.new_int(result.into())
        }
        Argument::Bytes(mut bytes) => {
            blocking(vm, || host.ioctl_bytes(fd, request, &mut bytes))?
                .map_err(|error| vm.os_error(error))?;
            vm.new_bytes(bytes)
        }
    }
}

fn flock(vm: &Interpreter, fd: &Value, operation: &Value) -> Res {
    let number = file_descriptor(vm, fd)?;
    let operation_number = c_int(vm, operation)?;
    vm.audit("fcntl.flock", &[fd.clone(), operation.clone()])?;
    let host = vm.host();
    let result = blocking(vm, || host.flock(number, operation_number))?;
    done(vm, result)
}

fn lockf(vm: &Interpreter, args: &Args) -> Res {
    let fd = file_descriptor(vm, args.req(0))?;
    let operation = c_int(vm, args.req(1))?;
    let offset = |index: usize| args.get(index).map_or(Ok(0), |value| vm.expect_i64(value));
    let (length, start) = (offset(2)?, offset(3)?);
    let whence = args.get(4).map_or(Ok(0), |value| c_int(vm, value))?;
    let or_zero = |index: usize| args.get(index).cloned().map_or_else(|| vm.new_int(0), Ok);
    vm.audit(
        "fcntl.lockf",
        &[args.req(0).clone(), args.req(1).clone(), or_zero(2)?, or_zero(3)?, or_zero(4)?],
    )?;
    let kind = if operation == libc::LOCK_UN {
        libc::F_UNLCK
    } else if operation & libc::LOCK_SH != 0 {
        libc::F_RDLCK
    } else if operation & libc::LOCK_EX != 0 {
        libc::F_WRLCK
    } else {
        return Err(vm.value_error("unrecognized lockf argument".to_string()));
    };
    let wait = operation & libc::LOCK_NB == 0;
    let host = vm.host();
    let result = blocking(vm, || host.lock_part(fd, kind, start, length, whence, wait))?;
    done(vm, result)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "fcntl",
    doc: "This module performs file control and I/O control on file\ndescriptors.  It is an interface to the fcntl() and ioctl() Unix\nroutines.  File descriptors can be obtained with the fileno() method of\na file or socket object.",
    functions: &[
        FunctionDef::new(
            "fcntl",
            "(fd, cmd, arg=0, /)",
            "Perform the operation `cmd` on file descriptor fd.",
            NativeFn::Args(fcntl),
        ),
        FunctionDef::new(
            "ioctl",
            "(fd, request, arg=0, mutate_flag=True, /)",
            "Perform the operation request on file descriptor fd.",
            NativeFn::Args(ioctl),
        ),
        FunctionDef::new(
            "flock",
            "(fd, operation, /)",
            "Perform the lock operation `operation` on file descriptor `fd`.",
            NativeFn::F2(flock),
        ),
        FunctionDef::new(
            "lockf",
            "(fd, cmd, len=0, start=0, whence=0, /)",
            "A wrapper around the fcntl() locking calls.",
            NativeFn::Args(lockf),
        ),
    ],
    types: &[],
    constants: &[],
    init: Some(init),
};

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    set_ints(
        vm,
        module,
        libc_constants!(LOCK_SH LOCK_EX LOCK_NB LOCK_UN F_DUPFD
            F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_OFD_GETLK F_OFD_SETLK
            F_OFD_SETLKW F_GETOWN F_SETOWN F_RDLCK F_WRLCK F_UNLCK FD_CLOEXEC F_SETLEASE F_GETLEASE F_NOTIFY
            F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE
            FICLONE FICLONERANGE),
    )?;
    set_ints(
        vm,
        module,
        &[
            ("LOCK_MAND", 32),
            ("LOCK_READ", 64),
            ("LOCK_WRITE", 128),
            ("LOCK_RW", 192),
            ("F_EXLCK", 4),
            ("F_SHLCK", 8),
            ("F_GETLK64", 5),
            ("F_SETLK64", 6),
            ("F_SETLKW64", 7),
            ("F_SETSIG", 10),
            ("F_GETSIG", 11),
            ("F_SETOWN_EX", 15),
            ("F_GETOWN_EX", 16),
            ("F_GET_RW_HINT", 1035),
            ("F_SET_RW_HINT", 1036),
            ("F_GET_FILE_RW_HINT", 1037),
            ("F_SET_FILE_RW_HINT", 1038),
            ("F_OWNER_TID", 0),
            ("F_OWNER_PID", 1),
            ("F_OWNER_PGRP", 2),
            ("FASYNC", 0x2000),
            ("DN_ACCESS", 1),
            ("DN_MODIFY", 2),
            ("DN_CREATE", 4),
            ("DN_DELETE", 8),
            ("DN_RENAME", 16),
            ("DN_ATTRIB", 32),
            ("DN_MULTISHOT", 0x8000_0000),
            ("RWH_WRITE_LIFE_NOT_SET", 0),
            ("RWH_WRITE_LIFE_NONE", 1),
            ("RWH_WRITE_LIFE_SHORT", 2),
            ("RWH_WRITE_LIFE_MEDIUM", 3),
            ("RWH_WRITE_LIFE_LONG", 4),
            ("RWH_WRITE_LIFE_EXTREME", 5),
            ("F_SEAL_FUTURE_WRITE", 16),
        ],
    )
}

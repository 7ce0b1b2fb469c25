//! `_posixshmem`: memory that processes share by name.

use crate::waiting::blocking;
use pellucid_native_sys::sys::c_int;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};

fn name(vm: &Interpreter, value: &Value, function: &str) -> Res<Vec<u8>> {
    if value.downcast::<pellucid_object::Str>().is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("{function}() argument 'path' must be str, not {got}")));
    }
    let bytes = vm.fs_encode(value)?;
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null character".to_string()));
    }
    Ok(bytes)
}

fn shm_open(vm: &Interpreter, args: &Args) -> Res {
    let path = name(vm, args.req(0), "shm_open")?;
    let flags = c_int(vm, args.req(1))?;
    let mode = args.get(2).map_or(Ok(0o777), |mode| c_int(vm, mode))?;
    let host = vm.host();
    match blocking(vm, || host.open_shared_memory(&path, flags, mode as u32))? {
        Ok(fd) => vm.new_int(fd.into()),
        Err(error) => Err(vm.os_error_at(error, args.req(0))),
    }
}

fn shm_unlink(vm: &Interpreter, args: &Args) -> Res {
    let path = name(vm, args.req(0), "shm_unlink")?;
    let host = vm.host();
    match blocking(vm, || host.remove_shared_memory(&path))? {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error_at(error, args.req(0))),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_posixshmem",
    doc: "POSIX shared memory module",
    functions: &[
        FunctionDef::new(
            "shm_open",
            "(path, flags, mode=511)",
            "Open a shared memory object.  Returns a file descriptor (integer).",
            NativeFn::Args(shm_open),
        ),
        FunctionDef::new(
            "shm_unlink",
            "(path)",
            "Remove a shared memory object (similar to unlink()).",
            NativeFn::Args(shm_unlink),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

//! `sys.stdin`, `sys.stdout` and `sys.stderr`.

use crate::config::Config;
use crate::import;
use pellucid_object::{CallArgs, Interpreter, Res, Value};

/// Makes the standard streams from the descriptors 0, 1 and 2, and sets them in `sys`.
pub fn install(vm: &Interpreter, sys: &Value, config: &Config) -> Res<()> {
    let (encoding, errors) = encoding_of(config);
    for (fd, name) in [(0, "stdin"), (1, "stdout"), (2, "stderr")] {
        let stream = if config.stdio && vm.host().is_open(fd) {
            let errors = if fd == 2 { "backslashreplace" } else { errors.as_str() };
            open(vm, fd, &encoding, errors, config.unbuffered)?
        } else {
            Value::NONE
        };
        vm.set_attr_str(sys, name, stream.clone())?;
        vm.set_attr_str(sys, &format!("__{name}__"), stream)?;
    }
    Ok(())
}

/// The encoding of the streams, and how input and output treat what does not fit.
fn encoding_of(config: &Config) -> (String, String) {
    let variable = |name: &[u8]| {
        let value = config.host.getenv(name).filter(|value| !value.is_empty());
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    };
    let locale = variable(b"LC_ALL").or_else(|| variable(b"LC_CTYPE")).or_else(|| variable(b"LANG"));
    let plain = locale.is_none_or(|locale| locale == "C" || locale == "POSIX");
    let default = if plain || config.flags.utf8_mode > 0 { "surrogateescape" } else { "strict" };
    let Some(wanted) = &config.io_encoding else { return ("utf-8".into(), default.into()) };
    let (encoding, errors) = wanted.split_once(':').unwrap_or((wanted, ""));
    let encoding = if encoding.is_empty() { "utf-8" } else { encoding };
    let errors = match errors {
        "" if encoding == "utf-8" => default,
        "" => "strict",
        errors => errors,
    };
    (encoding.to_string(), errors.to_string())
}

fn open(vm: &Interpreter, fd: i32, encoding: &str, errors: &str, unbuffered: bool) -> Res {
    let io = import::import_absolute(vm, &vm.intern_static("_io")?)?;
    let write = fd != 0;
    let terminal = vm.host().isatty(fd);
    // Without a buffer, writing through the text layer leaves nothing behind.
    let raw_only = unbuffered && write;
    let values = [
        vm.new_int(fd.into())?,
        vm.new_str(if write { "wb" } else { "rb" })?,
        vm.new_int(if raw_only { 0 } else { -1 })?,
        Value::FALSE,
    ];
    let names = [vm.intern_static("closefd")?];
    let buffer = vm.call(&vm.get_attr_str(&io, "open")?, &CallArgs { values: &values, names: &names })?;
    let raw = if raw_only { buffer.clone() } else { vm.get_attr_str(&buffer, "raw")? };
    let name = ["<stdin>", "<stdout>", "<stderr>"][fd as usize % 3];
    vm.set_attr_str(&raw, "name", vm.new_str(name)?)?;
    let values = [
        buffer,
        vm.new_str(encoding)?,
        vm.new_str(errors)?,
        vm.new_str("\n")?,
        Value::bool(!unbuffered && (terminal || fd == 2)),
        Value::bool(unbuffered),
    ];
    let names = ["encoding", "errors", "newline", "line_buffering", "write_through"];
    let names = names.iter().map(|name| vm.intern(name)).collect::<Res<Vec<_>>>()?;
    let stream =
        vm.call(&vm.get_attr_str(&io, "TextIOWrapper")?, &CallArgs { values: &values, names: &names })?;
    vm.set_attr_str(&stream, "mode", vm.new_str(if write { "w" } else { "r" })?)?;
    Ok(stream)
}

/// Writes to a stream of `sys`; straight to the descriptor when there is no stream.
pub fn print(vm: &Interpreter, stream: &str, text: &str) {
    let written = || -> Res<bool> {
        let Some(sys) = vm.sys.get() else { return Ok(false) };
        match vm.get_attr_opt(&sys, stream)? {
            Some(file) if !file.is_none() => {
                vm.call_attr(&file, "write", &[vm.new_str(text)?])?;
                vm.call_attr(&file, "flush", &[])?;
                Ok(true)
            }
            _ => Ok(false),
        }
    };
    let saved = vm.save_raised();
    if !matches!(written(), Ok(true)) {
        drop(vm.save_raised());
        let fd = if stream == "stdout" { 1 } else { 2 };
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match vm.host().write(fd, rest) {
                Ok(count) if count > 0 => rest = &rest[count..],
                Err(error) if error.is_interrupted() => {}
                // Nobody is there to be told.
                _ => break,
            }
        }
    }
    vm.restore_raised(saved);
}

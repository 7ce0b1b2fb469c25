//! `open`: which layers a file gets.

use super::buffered::new_buffered;
use super::fileio::{self, FileIo, new_file};
use super::stringio::newline_argument;
use super::text::{self, Options};
use super::{DEFAULT_BUFFER_SIZE, ask};
use pellucid_object::{Args, Interpreter, Res, Str, Value};

/// A mode of `open`.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

impl Mode {
    /// `None` when a letter is unknown or stands twice.
    fn parse(text: &str) -> Option<Mode> {
        let mut mode = Mode::default();
        for letter in text.chars() {
            let flag = match letter {
                'x' => &mut mode.creating,
                'r' => &mut mode.reading,
                'w' => &mut mode.writing,
                'a' => &mut mode.appending,
                '+' => &mut mode.updating,
                't' => &mut mode.text,
                'b' => &mut mode.binary,
                _ => return None,
            };
            if std::mem::replace(flag, true) {
                return None;
            }
        }
        Some(mode)
    }

    fn raw(&self) -> String {
        let mut raw = String::new();
        for (is, letter) in [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ] {
            if is {
                raw.push(letter);
            }
        }
        raw
    }
}

/// A `str` or nothing. Errors: `TypeError`.
fn text_argument(vm: &Interpreter, value: Option<&Value>, name: &str) -> Res<Option<String>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if value.downcast::<Str>().is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("open() argument '{name}' must be str or None, not {got}")));
    }
    pellucid_types::codecs::name_argument(vm, value, "open", name).map(|text| Some(text.into_owned()))
}

pub(super) fn open(vm: &Interpreter, args: &Args) -> Res {
    let file = args.req(0);
    let mode_text = match args.get(1) {
        Some(mode) if mode.downcast::<Str>().is_some() => vm.str_lossy(mode),
        Some(mode) => {
            let got = vm.type_name(mode);
            return Err(vm.type_error(format!("open() argument 'mode' must be str, not {got}")));
        }
        None => "r".to_string(),
    };
    let buffering = match args.get(2) {
        Some(value) => i64::from(crate::sys::c_int(vm, value)?),
        None => -1,
    };
    let encoding = text_argument(vm, args.get(3), "encoding")?;
    let errors = text_argument(vm, args.get(4), "errors")?;
    let newline = text_argument(vm, args.get(5), "newline")?;
    let closefd = args.bool_or(vm, 6, true)?;
    let target = if file.as_int().is_some() { file.clone() } else { crate::posix::path::fspath(vm, file)? };
    let Some(mode) = Mode::parse(&mode_text) else {
        return Err(vm.value_error(format!("invalid mode: '{mode_text}'")));
    };
    check(vm, &mode, buffering, encoding.as_deref(), errors.as_deref(), newline.as_deref())?;
    let raw = new_file(vm, &target, &mode.raw(), closefd, args.some(7))?;
    let newline_value = args.get(5);
    match layers(
        vm,
        &raw,
        &mode,
        &mode_text,
        buffering,
        encoding.as_deref(),
        errors.as_deref(),
        newline_value,
    ) {
        Ok(stream) => Ok(stream),
        Err(raised) => {
            let saved = vm.take_raised(raised);
            if let Err(raised) = vm.call_attr(&raw, "close", &[]) {
                drop(vm.take_raised(raised));
            }
            Err(vm.raise_as_is(saved))
        }
    }
}

fn check(
    vm: &Interpreter,
    mode: &Mode,
    buffering: i64,
    encoding: Option<&str>,
    errors: Option<&str>,
    newline: Option<&str>,
) -> Res<()> {
    let refuse = |text: &str| Err(vm.value_error(text.to_string()));
    if mode.text && mode.binary {
        return refuse("can't have text and binary mode at once");
    }
    let kinds = [mode.creating, mode.reading, mode.writing, mode.appending];
    if kinds.iter().filter(|is| **is).count() != 1 {
        return refuse("must have exactly one of create/read/write/append mode");
    }
    if mode.binary {
        if encoding.is_some() {
            return refuse("binary mode doesn't take an encoding argument");
        }
        if errors.is_some() {
            return refuse("binary mode doesn't take an errors argument");
        }
        if newline.is_some() {
            return refuse("binary mode doesn't take a newline argument");
        }
        if buffering == 1 {
            let category = vm.exceptions().runtime_warning().clone();
            vm.warn(
                &category,
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
            )?;
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "these are the arguments of `open`")]
fn layers(
    vm: &Interpreter,
    raw: &Value,
    mode: &Mode,
    mode_text: &str,
    buffering: i64,
    encoding: Option<&str>,
    errors: Option<&str>,
    newline: Option<&Value>,
) -> Res {
    let Some(file) = raw.downcast::<FileIo>() else { return Err(vm.bug("a FileIO was made")) };
    let terminal = buffering < 0 && fileio::isatty_open_only(vm, file)?;
    let mut line_buffering = false;
    let mut size = buffering;
    if buffering == 1 || terminal {
        size = -1;
        line_buffering = true;
    }
    if size < 0 {
        size = file.block_size().min(8 << 20).max(DEFAULT_BUFFER_SIZE as i64);
    }
    if buffering < -1 {
        return Err(vm.value_error("invalid buffering size".to_string()));
    }
    if buffering == 0 {
        if !mode.binary {
            return Err(vm.value_error("can't have unbuffered text I/O".to_string()));
        }
        return Ok(raw.clone());
    }
    let writes = mode.creating || mode.writing || mode.appending;
    let buffer = match (mode.updating, writes) {
        (true, _) => new_buffered(vm, raw, true, true, size)?,
        (false, writes) => new_buffered(vm, raw, !writes, writes, size)?,
    };
    if mode.binary {
        return Ok(buffer);
    }
    let options = Options {
        encoding,
        errors,
        newline: newline_argument(vm, newline, "open")?,
        line_buffering,
        write_through: false,
    };
    if encoding.is_none()
        && vm.state::<crate::sys::Startup>().with(|config| config.flags.warn_default_encoding) != 0
    {
        let category = vm.exceptions().encoding_warning().clone();
        vm.warn(&category, "'encoding' argument not specified")?;
    }
    let stream = text::new_text(vm, &buffer, &options)?;
    vm.set_attr_str(&stream, "mode", vm.new_str(mode_text)?)?;
    Ok(stream)
}

pub(super) fn open_code(vm: &Interpreter, args: &Args) -> Res {
    let path = args.req(0);
    if path.downcast::<Str>().is_none() {
        let got = vm.type_name(path);
        return Err(vm.type_error(format!("open_code() argument 'path' must be str, not {got}")));
    }
    let raw = new_file(vm, path, "rb", true, None)?;
    new_buffered(vm, &raw, true, false, DEFAULT_BUFFER_SIZE as i64)
}

pub(super) fn text_encoding(vm: &Interpreter, args: &Args) -> Res {
    let encoding = args.req(0);
    if !encoding.is_none() {
        return Ok(encoding.clone());
    }
    let (warns, utf8_mode) = vm
        .state::<crate::sys::Startup>()
        .with(|config| (config.flags.warn_default_encoding != 0, config.flags.utf8_mode != 0));
    if warns {
        let level = args.int_or(vm, 1, 2)?;
        let category = vm.exceptions().encoding_warning().value().clone();
        crate::warnings::warn_text(vm, &category, "'encoding' argument not specified", level)?;
    }
    vm.new_str(if utf8_mode { "utf-8" } else { "locale" })
}

/// A standard stream over a descriptor, as `sys.stdout` is: text, in lines when it is a terminal.
/// Errors: `OSError` when the descriptor is not open.
pub fn open_stream(vm: &Interpreter, fd: i32, name: &str, writes: bool) -> Res {
    let config = vm.state::<crate::sys::Startup>().get();
    let mode = if writes { "wb" } else { "rb" };
    let raw = new_file(vm, &vm.new_int(i64::from(fd))?, mode, false, None)?;
    let terminal = ask(vm, &raw, "isatty")?;
    let unbuffered = config.unbuffered && writes;
    let buffer = if unbuffered {
        raw.clone()
    } else {
        new_buffered(vm, &raw, !writes, writes, DEFAULT_BUFFER_SIZE as i64)?
    };
    vm.set_attr_str(&raw, "name", vm.new_str(name)?)?;
    let errors = if name == "<stderr>" { "backslashreplace" } else { "strict" };
    let (encoding, mut errors) = match &config.stdio_encoding {
        Some((encoding, handler)) => (
            if encoding.is_empty() { "utf-8" } else { encoding.as_str() },
            if handler.is_empty() { errors } else { handler.as_str() },
        ),
        None => (
            "utf-8",
            if config.flags.utf8_mode != 0 && errors == "strict" { "surrogateescape" } else { errors },
        ),
    };
    if name == "<stderr>" {
        errors = "backslashreplace";
    }
    let options = Options {
        encoding: Some(encoding),
        errors: Some(errors),
        // What is read has all ends of lines translated, what is written none.
        newline: if writes { Some("\n") } else { None },
        line_buffering: (terminal || name == "<stderr>") && !unbuffered,
        write_through: unbuffered,
    };
    let stream = text::new_text(vm, &buffer, &options)?;
    vm.set_attr_str(&stream, "mode", vm.new_str(if writes { "w" } else { "r" })?)?;
    Ok(stream)
}

/// `open(path, "r", encoding=...)` from Rust. Errors: as `open`.
pub fn open_text(vm: &Interpreter, path: &Value, encoding: &str) -> Res {
    let raw = new_file(vm, path, "r", true, None)?;
    let buffer = new_buffered(vm, &raw, true, false, DEFAULT_BUFFER_SIZE as i64)?;
    let options = Options {
        encoding: Some(encoding),
        errors: None,
        newline: None,
        line_buffering: false,
        write_through: false,
    };
    text::new_text(vm, &buffer, &options)
}

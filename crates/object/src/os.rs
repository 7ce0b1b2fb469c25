//! The system as an interpreter sees it: its [`Host`], paths as strings, errors of the system as exceptions.

use crate::heap::Ref;
use crate::interpreter::Interpreter;
use crate::text::{Text, TextBuilder, push_wtf8};
use crate::value::Value;
use crate::{Raised, Res, Str};
use pellucid_host::{Error, Host};
use std::sync::Arc;

impl Interpreter {
    /// The way to the system. Grants nothing until [`Interpreter::set_host`] was called.
    pub fn host(&self) -> &Arc<Host> {
        self.host.get_or_init(|| Arc::new(Host::none()))
    }

    /// Gives the interpreter its host, once and before anything uses it. False when it has one already.
    pub fn set_host(&self, host: Arc<Host>) -> bool {
        self.host.set(host).is_ok()
    }

    /// A path or another string of the system as `str`: bytes that are not UTF-8 become lone surrogates.
    /// Errors: `MemoryError`.
    pub fn fs_decode(&self, bytes: &[u8]) -> Res {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.new_str(text),
            Err(_) => {
                let text = escape_bytes(bytes).map_err(|_| self.no_memory())?;
                self.new_text(text)
            }
        }
    }

    /// The bytes of a `str` for the system; lone surrogates that stand for bytes become those bytes.
    /// Errors: `TypeError`, `UnicodeEncodeError`.
    pub fn fs_encode(&self, value: &Value) -> Res<Vec<u8>> {
        let Some(s) = value.downcast::<Str>() else {
            return Err(self.type_error(format!("expected str, not {}", self.type_name(value))));
        };
        if let Some(text) = s.text.as_ascii() {
            return Ok(text.as_bytes().to_vec());
        }
        let mut bytes = Vec::new();
        bytes.try_reserve(s.text.size_in_bytes()).map_err(|_| self.no_memory())?;
        for (position, point) in s.text.code_points().enumerate() {
            match point {
                0xdc80..=0xdcff => bytes.push((point - 0xdc00) as u8),
                0xd800..=0xdfff => return Err(self.cannot_encode(value, position)),
                _ => push_wtf8(&mut bytes, point),
            }
        }
        Ok(bytes)
    }

    #[cold]
    fn cannot_encode(&self, value: &Value, position: usize) -> Raised {
        let ty = self.exceptions().unicode_encode_error().clone();
        let args = || -> Res<Vec<Value>> {
            Ok(vec![
                self.new_str("utf-8")?,
                value.clone(),
                self.new_int(position as i64)?,
                self.new_int(position as i64 + 1)?,
                self.new_str("surrogates not allowed")?,
            ])
        };
        match args() {
            Ok(args) => self.raise_with(&ty, args),
            Err(raised) => raised,
        }
    }

    /// Raises the `OSError` for an error of the host.
    #[cold]
    pub fn os_error(&self, error: Error) -> Raised {
        self.os_error_with(error, None, None)
    }

    /// As [`Interpreter::os_error`], naming the file.
    #[cold]
    pub fn os_error_at(&self, error: Error, filename: &Value) -> Raised {
        self.os_error_with(error, Some(filename), None)
    }

    /// As [`Interpreter::os_error`], naming two files (`os.rename`).
    #[cold]
    pub fn os_error_with(&self, error: Error, filename: Option<&Value>, second: Option<&Value>) -> Raised {
        let ty = self.exceptions().os_error().clone();
        let args = || -> Res<Vec<Value>> {
            let mut args = vec![self.new_int(i64::from(error.errno))?, self.new_str(&error.to_string())?];
            if let Some(name) = filename {
                args.push(name.clone());
            }
            if let Some(name) = second {
                args.extend([Value::NONE, name.clone()]);
            }
            Ok(args)
        };
        match args() {
            Ok(args) => self.raise_with(&ty, args),
            Err(raised) => raised,
        }
    }

    /// Calls the host until no signal interrupts it; between tries handlers of signals run.
    /// Errors: the call's own, and what handlers raise.
    pub fn retry<T>(&self, mut call: impl FnMut() -> pellucid_host::Result<T>) -> Res<Result<T, Error>> {
        loop {
            match call() {
                Err(error) if error.is_interrupted() => self.poll()?,
                other => return Ok(other),
            }
        }
    }

    /// The type that `OSError(errno, ...)` makes.
    pub fn os_error_type(&self, errno: i64) -> Ref<crate::Type> {
        use pellucid_host::libc::*;
        let types = self.exceptions();
        let ty = match i32::try_from(errno).unwrap_or(0) {
            EAGAIN | EALREADY | EINPROGRESS => types.blocking_io_error(),
            EPIPE | ESHUTDOWN => types.brokenpipe_error(),
            ECHILD => types.child_process_error(),
            ECONNABORTED => types.connection_aborted_error(),
            ECONNREFUSED => types.connection_refused_error(),
            ECONNRESET => types.connection_reset_error(),
            EEXIST => types.file_exists_error(),
            ENOENT => types.file_not_found_error(),
            EISDIR => types.is_a_directory_error(),
            ENOTDIR => types.not_a_directory_error(),
            EINTR => types.interrupted_error(),
            EACCES | EPERM => types.permission_error(),
            ESRCH => types.process_lookup_error(),
            ETIMEDOUT => types.timeout_error(),
            _ => types.os_error(),
        };
        ty.clone()
    }
}

/// Audit events (`sys.audit`).
impl Interpreter {
    /// Tells the audit hooks of an event. Errors: what a hook raises, which forbids the event.
    #[inline]
    pub fn audit(&self, event: &str, args: &[Value]) -> Res<()> {
        if self.audit_hooks.borrow().is_empty() { Ok(()) } else { self.tell_hooks(event, args) }
    }

    #[cold]
    fn tell_hooks(&self, event: &str, args: &[Value]) -> Res<()> {
        let (event, args) = (self.new_str(event)?, self.new_tuple(args.to_vec())?);
        let hooks = self.audit_hooks.borrow().clone();
        hooks.iter().try_for_each(|hook| self.call_values(hook, &[event.clone(), args.clone()]).map(drop))
    }

    /// Adds a hook that is told of every later event. It cannot be removed.
    pub fn add_audit_hook(&self, hook: Value) {
        self.audit_hooks.borrow_mut().push(hook);
    }
}

/// Bytes that are no UTF-8 one by one as lone surrogates.
fn escape_bytes(bytes: &[u8]) -> Result<Text, crate::text::NoMemory> {
    let mut builder = TextBuilder::new();
    for chunk in bytes.utf8_chunks() {
        builder.push_str(chunk.valid())?;
        for byte in chunk.invalid() {
            builder.push(0xdc00 + u32::from(*byte))?;
        }
    }
    builder.finish()
}

//! How `TextIOWrapper` encodes and decodes: the common encodings here, all others through incremental codecs in Python.

use super::newline::{Newlines, state_bytes};
use pellucid_object::{Bytes, CallArgs, Interpreter, Res, Str, Tuple, Value};
use pellucid_types::codecs::{self, Encoding, registry, single, utf8};
use std::cell::RefCell;

/// The encodings that are done here. The wide ones have marks and orders of bytes, which their codecs keep.
fn native(name: &str) -> Option<Encoding> {
    Encoding::named(name).filter(|e| matches!(e, Encoding::Utf8 | Encoding::Ascii | Encoding::Latin1))
}

/// Checks that there is such a text encoding. Errors: `LookupError`.
pub fn check_encoding(vm: &Interpreter, name: &str) -> Res<()> {
    if native(name).is_some() {
        return Ok(());
    }
    registry::lookup_text(vm, name, "codecs.open()").map(drop)
}

/// An incremental codec in Python.
fn incremental(vm: &Interpreter, name: &str, errors: &str, which: &str) -> Res {
    let codec = registry::lookup_text(vm, name, "codecs.open()")?;
    let class = vm.get_attr_str(&codec, which)?;
    vm.call_values(&class, &[vm.new_str(errors)?])
}

enum Inner {
    Native { encoding: Encoding, pending: RefCell<Vec<u8>> },
    Python(Value),
}

/// A decoder with its memory.
pub struct TextDecoder {
    inner: Inner,
    errors: String,
    newlines: Option<Newlines>,
}

/// The state of a decoder: bytes not yet decoded, and flags.
pub type State = (Vec<u8>, i64);

impl TextDecoder {
    pub fn new(vm: &Interpreter, name: &str, errors: &str, newlines: Option<Newlines>) -> Res<TextDecoder> {
        let inner = match native(name) {
            Some(encoding) => Inner::Native { encoding, pending: RefCell::default() },
            None => Inner::Python(incremental(vm, name, errors, "incrementaldecoder")?),
        };
        Ok(TextDecoder { inner, errors: errors.to_string(), newlines })
    }

    pub fn trace(&self, visit: &mut pellucid_object::Visitor) {
        if let Inner::Python(decoder) = &self.inner {
            visit(decoder);
        }
    }

    pub fn newlines(&self) -> Option<&Newlines> {
        self.newlines.as_ref()
    }

    /// Decodes the next bytes to a `str`. Errors: `UnicodeDecodeError`, what codecs and handlers raise.
    pub fn decode(&self, vm: &Interpreter, bytes: Vec<u8>, last: bool) -> Res {
        let text = match &self.inner {
            Inner::Native { encoding, pending } => self.decode_native(vm, *encoding, pending, bytes, last)?,
            Inner::Python(decoder) => {
                let text = vm.call_attr(decoder, "decode", &[vm.new_bytes(bytes)?, Value::bool(last)])?;
                if text.downcast::<Str>().is_none() {
                    let name = vm.type_name(&text);
                    return Err(vm.type_error(format!("decoder should return a string result, not '{name}'")));
                }
                text
            }
        };
        match &self.newlines {
            Some(newlines) => newlines.decode_value(vm, text, last),
            None => Ok(text),
        }
    }

    fn decode_native(
        &self,
        vm: &Interpreter,
        encoding: Encoding,
        pending: &RefCell<Vec<u8>>,
        bytes: Vec<u8>,
        last: bool,
    ) -> Res {
        let errors = Some(self.errors.as_str());
        match encoding {
            Encoding::Latin1 => codecs::decode_with(vm, encoding, &bytes, None, errors),
            Encoding::Ascii => Ok(single::decode_ascii(vm, &bytes, None, errors)?.0),
            _ => {
                let mut all = pending.take();
                let all = if all.is_empty() {
                    bytes
                } else {
                    all.extend_from_slice(&bytes);
                    all
                };
                match utf8::decode(vm, &all, None, errors, last) {
                    Ok((text, used)) => {
                        if used < all.len() {
                            pending.replace(all[used..].to_vec());
                        }
                        Ok(text)
                    }
                    Err(raised) => Err(raised),
                }
            }
        }
    }

    /// Errors: `TypeError` when a codec's state is none.
    pub fn state(&self, vm: &Interpreter) -> Res<State> {
        let (bytes, flags) = match &self.inner {
            Inner::Native { pending, .. } => (pending.borrow().clone(), 0),
            Inner::Python(decoder) => {
                let state = vm.call_attr(decoder, "getstate", &[])?;
                let parts = state.downcast::<Tuple>().map(Tuple::items);
                let Some([bytes, flags]) = parts.as_deref() else {
                    return Err(vm.type_error("illegal decoder state".to_string()));
                };
                (state_bytes(vm, bytes)?.to_vec(), vm.expect_i64(flags)?)
            }
        };
        Ok(match &self.newlines {
            Some(newlines) => (bytes, flags << 1 | i64::from(newlines.is_pending())),
            None => (bytes, flags),
        })
    }

    pub fn set_state(&self, vm: &Interpreter, state: State) -> Res<()> {
        let (bytes, mut flags) = state;
        if let Some(newlines) = &self.newlines {
            newlines.set_pending(flags & 1 != 0);
            flags >>= 1;
        }
        match &self.inner {
            Inner::Native { pending, .. } => {
                pending.replace(bytes);
                Ok(())
            }
            Inner::Python(decoder) => {
                let state = vm.new_tuple(vec![vm.new_bytes(bytes)?, vm.new_int(flags)?])?;
                vm.call_attr(decoder, "setstate", &[state]).map(drop)
            }
        }
    }

    pub fn reset(&self, vm: &Interpreter) -> Res<()> {
        if let Some(newlines) = &self.newlines {
            newlines.set_pending(false);
        }
        match &self.inner {
            Inner::Native { pending, .. } => {
                pending.borrow_mut().clear();
                Ok(())
            }
            Inner::Python(decoder) => vm.call_attr(decoder, "reset", &[]).map(drop),
        }
    }
}

enum Outer {
    Native(Encoding),
    Python(Value),
}

/// An encoder.
pub struct TextEncoder {
    outer: Outer,
    errors: String,
}

impl TextEncoder {
    pub fn new(vm: &Interpreter, name: &str, errors: &str) -> Res<TextEncoder> {
        let outer = match native(name) {
            Some(encoding) => Outer::Native(encoding),
            None => Outer::Python(incremental(vm, name, errors, "incrementalencoder")?),
        };
        Ok(TextEncoder { outer, errors: errors.to_string() })
    }

    pub fn trace(&self, visit: &mut pellucid_object::Visitor) {
        if let Outer::Python(encoder) = &self.outer {
            visit(encoder);
        }
    }

    /// The bytes of a `str` that need no work: ASCII in all these encodings, and Latin-1 in its own.
    pub fn plain_bytes<'a>(&self, text: &'a Str) -> Option<&'a [u8]> {
        match &self.outer {
            Outer::Native(Encoding::Latin1) => text.text.as_latin1(),
            Outer::Native(_) => text.text.as_ascii().map(str::as_bytes),
            Outer::Python(_) => None,
        }
    }

    /// Encodes a `str` to `bytes`. Errors: `UnicodeEncodeError`, what codecs and handlers raise.
    pub fn encode(&self, vm: &Interpreter, text: &Value) -> Res {
        match &self.outer {
            Outer::Native(encoding) => codecs::encode_with(vm, *encoding, text, Some(&self.errors)),
            Outer::Python(encoder) => {
                let encode = vm.get_attr_str(encoder, "encode")?;
                let bytes = vm.call(&encode, &CallArgs::new(std::slice::from_ref(text)))?;
                if bytes.downcast::<Bytes>().is_none() {
                    let name = vm.type_name(&bytes);
                    return Err(vm.type_error(format!("encoder should return a bytes object, not '{name}'")));
                }
                Ok(bytes)
            }
        }
    }

    /// As at the start of a stream, or in its middle: only there no mark is written.
    pub fn restart(&self, vm: &Interpreter, at_start: bool) -> Res<()> {
        match &self.outer {
            Outer::Native(_) => Ok(()),
            Outer::Python(encoder) if at_start => vm.call_attr(encoder, "reset", &[]).map(drop),
            Outer::Python(encoder) => vm.call_attr(encoder, "setstate", &[vm.new_int(0)?]).map(drop),
        }
    }
}

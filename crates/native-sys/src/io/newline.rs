//! Line ends: translation while decoding, and finding them.

use pellucid_object::heap::SlotWord;
use pellucid_object::int::IntRef;
use pellucid_object::text::TextBuilder;
use pellucid_object::{
    Args, Bytes, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, Str, Text,
    Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

const CR: u8 = 1;
const LF: u8 = 2;
const CRLF: u8 = 4;

/// Recognises `\n`, `\r` and `\r\n`, and makes `\n` of all when asked to. A `\r` at the end of a piece waits for the next.
#[derive(Default)]
pub struct Newlines {
    translate: Cell<bool>,
    pending: Cell<bool>,
    seen: Cell<u8>,
}

impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines { translate: Cell::new(translate), ..Newlines::default() }
    }

    pub fn is_pending(&self) -> bool {
        self.pending.get()
    }
    pub fn set_pending(&self, pending: bool) {
        self.pending.set(pending);
    }

    /// Forgets what it has seen.
    pub fn reset(&self) {
        self.pending.set(false);
        self.seen.set(0);
    }

    /// The next piece of text. Errors: `MemoryError`.
    pub fn decode(&self, vm: &Interpreter, text: Text, last: bool) -> Res<Text> {
        let out_of_memory = |_| vm.no_memory();
        let mut text = text;
        if self.pending.get() && (last || !text.is_empty()) {
            let cr = Text::from_code_point(u32::from(b'\r')).map_err(out_of_memory)?;
            text = cr.concat(&text).map_err(out_of_memory)?;
            self.pending.set(false);
        }
        if !last && !text.is_empty() && text.get(text.len() - 1) == Some(u32::from(b'\r')) {
            text = text.slice(0, text.len() - 1).map_err(out_of_memory)?;
            self.pending.set(true);
        }
        self.scan(vm, text)
    }

    /// As [`Newlines::decode`] for a `str` object, which stays itself when nothing has to change.
    pub fn decode_value(&self, vm: &Interpreter, value: Value, last: bool) -> Res {
        let Some(s) = value.downcast::<Str>() else { return Err(vm.bug("a str was expected")) };
        if !self.pending.get()
            && let Some(bytes) = s.text.as_latin1()
            && memchr::memchr(b'\r', bytes).is_none()
        {
            if self.seen.get() & LF == 0 && memchr::memchr(b'\n', bytes).is_some() {
                self.seen.set(self.seen.get() | LF);
            }
            return Ok(value);
        }
        let text = s.text.try_clone().map_err(|_| vm.no_memory())?;
        vm.new_text(self.decode(vm, text, last)?)
    }

    fn scan(&self, vm: &Interpreter, text: Text) -> Res<Text> {
        let has_cr = match text.as_latin1() {
            Some(bytes) => {
                if memchr::memchr(b'\r', bytes).is_none() {
                    if self.seen.get() & LF == 0 && memchr::memchr(b'\n', bytes).is_some() {
                        self.seen.set(self.seen.get() | LF);
                    }
                    return Ok(text);
                }
                true
            }
            None => text.code_points().any(|point| point == u32::from(b'\r')),
        };
        if !has_cr {
            if text.code_points().any(|point| point == u32::from(b'\n')) {
                self.seen.set(self.seen.get() | LF);
            }
            return Ok(text);
        }
        let translate = self.translate.get();
        let mut seen = self.seen.get();
        let mut out = TextBuilder::with_kind(text.kind());
        let mut points = text.code_points().peekable();
        while let Some(point) = points.next() {
            let mut put = point;
            if point == u32::from(b'\n') {
                seen |= LF;
            } else if point == u32::from(b'\r') {
                if points.peek() == Some(&u32::from(b'\n')) {
                    seen |= CRLF;
                    points.next();
                    if !translate {
                        out.push(point).map_err(|_| vm.no_memory())?;
                    }
                } else {
                    seen |= CR;
                    if !translate {
                        out.push(point).map_err(|_| vm.no_memory())?;
                        continue;
                    }
                }
                put = u32::from(b'\n');
            }
            out.push(put).map_err(|_| vm.no_memory())?;
        }
        self.seen.set(seen);
        if translate { out.finish().map_err(|_| vm.no_memory()) } else { Ok(text) }
    }

    /// `newlines`: `None`, a `str`, or a tuple of them.
    pub fn seen(&self, vm: &Interpreter) -> Res {
        let mut found = Vec::new();
        for (bit, text) in [(CR, "\r"), (LF, "\n"), (CRLF, "\r\n")] {
            if self.seen.get() & bit != 0 {
                found.push(vm.new_str(text)?);
            }
        }
        match found.len() {
            0 => Ok(Value::NONE),
            1 => Ok(found.swap_remove(0)),
            _ => vm.new_tuple(found),
        }
    }
}

/// Where lines end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnd {
    /// At `\n` alone: other ends were translated.
    Newline,
    /// At `\n`, `\r` and `\r\n`.
    Universal,
    /// At `\r`.
    Return,
    /// At `\r\n`.
    Both,
}

impl LineEnd {
    /// The end (behind the line end) of the line that starts at `start`, or else from where to look on when there is
    /// more text.
    pub fn find(self, text: &Text, start: usize) -> Result<usize, usize> {
        match text.as_latin1() {
            Some(bytes) => self.find_in(bytes.get(start..).unwrap_or_default(), bytes.len(), start),
            None => self.find_wide(text, start),
        }
    }

    fn find_in(self, rest: &[u8], len: usize, start: usize) -> Result<usize, usize> {
        match self {
            LineEnd::Newline => memchr::memchr(b'\n', rest).map(|at| start + at + 1).ok_or(len),
            LineEnd::Return => memchr::memchr(b'\r', rest).map(|at| start + at + 1).ok_or(len),
            LineEnd::Universal => match memchr::memchr2(b'\n', b'\r', rest) {
                Some(at) if rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n') => Ok(start + at + 2),
                Some(at) => Ok(start + at + 1),
                None => Err(len),
            },
            LineEnd::Both => match memchr::memmem::find(rest, b"\r\n") {
                Some(at) => Ok(start + at + 2),
                None if rest.last() == Some(&b'\r') => Err(len - 1),
                None => Err(len),
            },
        }
    }

    fn find_wide(self, text: &Text, start: usize) -> Result<usize, usize> {
        const N: u32 = b'\n' as u32;
        const R: u32 = b'\r' as u32;
        let len = text.len();
        for (at, point) in text.code_points_in(start, len).enumerate() {
            let end = start + at + 1;
            match (self, point) {
                (LineEnd::Newline | LineEnd::Universal, N) | (LineEnd::Return, R) => return Ok(end),
                (LineEnd::Universal, R) => {
                    return Ok(if text.get(end) == Some(N) { end + 1 } else { end });
                }
                (LineEnd::Both, R) if text.get(end) == Some(N) => return Ok(end + 1),
                (LineEnd::Both, R) if end == len => return Err(len - 1),
                _ => {}
            }
        }
        Err(len)
    }
}

/// Payload of `IncrementalNewlineDecoder`.
pub struct NewlineDecoder {
    decoder: SlotWord,
    newlines: Newlines,
    errors: SlotWord,
    ready: Cell<bool>,
}

impl Payload for NewlineDecoder {
    fn trace(&self, visit: &mut Visitor) {
        self.decoder.trace(visit);
        self.errors.trace(visit);
    }
    fn clear(&self) {
        self.decoder.set(None);
        self.errors.set(None);
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a NewlineDecoder> {
    match value.downcast::<NewlineDecoder>() {
        Some(me) if me.ready.get() => Ok(me),
        _ => Err(vm.value_error("IncrementalNewlineDecoder.__init__() not called".to_string())),
    }
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    const NAMES: [&str; 3] = ["decoder", "translate", "errors"];
    let mut bound = [const { None }; 3];
    for (place, value) in bound.iter_mut().zip(call.positional()) {
        *place = Some(value.clone());
    }
    for (name, value) in call.keywords() {
        let text = vm.str_lossy(name);
        match NAMES.iter().position(|known| *known == text) {
            Some(index) => bound[index] = Some(value.clone()),
            None => {
                return Err(vm.type_error(format!(
                    "IncrementalNewlineDecoder() got an unexpected keyword argument '{text}'"
                )));
            }
        }
    }
    let [decoder, translate, errors] = bound;
    let (Some(decoder), Some(translate)) = (decoder, translate) else {
        let missing = NAMES[usize::from(!call.positional().is_empty())];
        let position = usize::from(!call.positional().is_empty()) + 1;
        return Err(vm.type_error(format!(
            "IncrementalNewlineDecoder() missing required argument '{missing}' (pos {position})"
        )));
    };
    let Some(me) = value.downcast::<NewlineDecoder>() else { return Err(vm.bug("newline decoder")) };
    me.newlines.translate.set(vm.truthy(&translate)?);
    me.newlines.reset();
    me.decoder.set(Some(decoder).filter(|decoder| !decoder.is_none()));
    me.errors.set(errors);
    me.ready.set(true);
    Ok(())
}

fn decode(vm: &Interpreter, args: &Args) -> Res {
    let me = this(vm, args.req(0))?;
    let input = args.req(1);
    let last = args.bool_or(vm, 2, false)?;
    let decoded = match me.decoder.get() {
        Some(decoder) => {
            let decode = vm.get_attr_str(&decoder, "decode")?;
            let names = [vm.intern_static("final")?];
            vm.call(&decode, &CallArgs { values: &[input.clone(), Value::bool(last)], names: &names })?
        }
        None => input.clone(),
    };
    let Some(s) = decoded.downcast::<Str>() else {
        let name = vm.type_name(&decoded);
        return Err(vm.type_error(format!("decoder should return a string result, not '{name}'")));
    };
    let text = s.text.try_clone().map_err(|_| vm.no_memory())?;
    vm.new_text(me.newlines.decode(vm, text, last)?)
}

fn getstate(vm: &Interpreter, value: &Value) -> Res {
    let me = this(vm, value)?;
    let (buffer, flag) = match me.decoder.get() {
        Some(decoder) => {
            let state = vm.call_attr(&decoder, "getstate", &[])?;
            let parts = state.downcast::<Tuple>().map(Tuple::items);
            let Some([buffer, flag]) = parts.as_deref() else {
                return Err(vm.type_error("illegal decoder state".to_string()));
            };
            let Some(flag) = flag.as_int().map(|int| int.to_big()) else {
                return Err(vm.type_error("illegal decoder state".to_string()));
            };
            (buffer.clone(), flag << 1)
        }
        None => (vm.new_bytes(Vec::new())?, IntRef::Small(0).to_big()),
    };
    let flag = if me.newlines.is_pending() { flag | IntRef::Small(1).to_big() } else { flag };
    vm.new_tuple(vec![buffer, vm.new_big(flag)?])
}

fn setstate(vm: &Interpreter, value: &Value, state: &Value) -> Res {
    let me = this(vm, value)?;
    let Some(parts) = state.downcast::<Tuple>().map(Tuple::items) else {
        return Err(vm.type_error("state argument must be a tuple".to_string()));
    };
    let [buffer, flag] = parts.as_slice() else {
        return Err(vm.type_error("setstate(): illegal state argument".to_string()));
    };
    let Some(flag) = flag.as_int().map(|int| int.to_big()) else {
        return Err(vm.type_error("setstate(): illegal state argument".to_string()));
    };
    me.newlines.set_pending(is_odd(&flag));
    if let Some(decoder) = me.decoder.get() {
        let inner = vm.new_tuple(vec![buffer.clone(), vm.new_big(flag >> 1)?])?;
        return vm.call_attr(&decoder, "setstate", &[inner]);
    }
    Ok(Value::NONE)
}

fn is_odd(flag: &pellucid_object::int::IBig) -> bool {
    flag.clone() & IntRef::Small(1).to_big() == IntRef::Small(1).to_big()
}

fn reset(vm: &Interpreter, value: &Value) -> Res {
    let me = this(vm, value)?;
    me.newlines.reset();
    match me.decoder.get() {
        Some(decoder) => vm.call_attr(&decoder, "reset", &[]),
        None => Ok(Value::NONE),
    }
}

/// The bytes of a decoder's state. Errors: `TypeError`.
pub fn state_bytes<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a [u8]> {
    match value.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes.as_slice()),
        None => {
            let name = vm.type_name(value);
            Err(vm.type_error(format!(
                "illegal decoder state: the first item should be a bytes object, not '{name}'"
            )))
        }
    }
}

pub static INCREMENTAL_NEWLINE_DECODER: TypeDef = TypeDef {
    name: "IncrementalNewlineDecoder",
    module: "_io",
    base: None,
    payload: payload::<NewlineDecoder>(),
    flags: TypeFlags::BASETYPE,
    doc: "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\n\
          Codec used when reading a file in universal newlines mode.",
    slots: &[
        Slot::New(|vm, cls, _| {
            let fresh = NewlineDecoder {
                decoder: SlotWord::default(),
                newlines: Newlines::default(),
                errors: SlotWord::default(),
                ready: Cell::new(false),
            };
            vm.alloc_subclass(cls, fresh)
        }),
        Slot::Init(init),
    ],
    methods: &[
        FunctionDef::new("decode", "($self, /, input, final=False)", "", NativeFn::Args(decode)),
        FunctionDef::new("getstate", "($self, /)", "", NativeFn::F1(getstate)),
        FunctionDef::new("setstate", "($self, state, /)", "", NativeFn::F2(setstate)),
        FunctionDef::new("reset", "($self, /)", "", NativeFn::F1(reset)),
    ],
    getset: &[GetSetDef {
        name: "newlines",
        doc: "",
        get: |vm, value| this(vm, value)?.newlines.seen(vm),
        set: None,
    }],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_are_found() {
        for wide in ["", "€"] {
            let text = |s: &str| Text::from_utf8(&format!("{s}{wide}")).expect("text");
            assert_eq!(LineEnd::Newline.find(&text("a\r\nb"), 0), Ok(3));
            assert_eq!(LineEnd::Universal.find(&text("a\rb"), 0), Ok(2));
            assert_eq!(LineEnd::Universal.find(&text("a\r\nb"), 0), Ok(3));
            assert_eq!(LineEnd::Return.find(&text("ab\rc"), 1), Ok(3));
            assert_eq!(LineEnd::Both.find(&text("a\rb\r\nc"), 0), Ok(5));
        }
        let text = Text::from_utf8("ab\r").expect("text");
        assert_eq!(LineEnd::Both.find(&text, 0), Err(2));
        assert_eq!(LineEnd::Newline.find(&text, 0), Err(3));
    }
}

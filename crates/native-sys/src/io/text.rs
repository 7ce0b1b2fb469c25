//! `TextIOWrapper`: text over a binary stream.
//!
//! Text that was decoded and not yet read stands in `decoded`, from `used` on. While the position can be told, `snapshot` holds the
//! decoder's flags and the bytes that `decoded` came from: from these `tell` works out where in the bytes a
//! character stands (see `text_position`). What is written is encoded at once and collected in `pending`.

use super::base::{STREAM, TEXT_IO_BASE};
use super::buffered;
use super::decoder::{TextDecoder, TextEncoder, check_encoding};
use super::newline::{LineEnd, Newlines};
use super::stringio::newline_argument;
use super::{and_finally, ask, base_type, closed, is_closed, size_argument, unsupported};
use pellucid_object::heap::SlotWord;
use pellucid_object::{
    Args, Bytes, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Raised, Res, Slot, Str,
    Text, TypeDef, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Payload of `TextIOWrapper`.
#[derive(Default)]
pub struct TextIo {
    pub(super) buffer: SlotWord,
    encoding: SlotWord,
    errors: SlotWord,
    /// The buffer is a `BufferedReader` or `BufferedWriter` as it is.
    direct_reader: Cell<bool>,
    direct_writer: Cell<bool>,
    pub(super) decoder: RefCell<Option<Rc<TextDecoder>>>,
    encoder: RefCell<Option<Rc<TextEncoder>>>,
    newline: Cell<Option<&'static str>>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    pub(super) seekable: Cell<bool>,
    pub(super) telling: Cell<bool>,
    has_read1: Cell<bool>,
    pending: RefCell<Vec<u8>>,
    chunk_size: Cell<usize>,
    pub(super) decoded: SlotWord,
    pub(super) used: Cell<usize>,
    pub(super) snapshot: RefCell<Option<(i64, Vec<u8>)>>,
    /// Bytes a character, of the last chunk.
    pub(super) bytes_per_character: Cell<f64>,
    ready: Cell<bool>,
    detached: Cell<bool>,
    finalizing: Cell<bool>,
}

impl Payload for TextIo {
    fn trace(&self, visit: &mut Visitor) {
        self.buffer.trace(visit);
        if let Some(decoder) = &*self.decoder.borrow() {
            decoder.trace(visit);
        }
        if let Some(encoder) = &*self.encoder.borrow() {
            encoder.trace(visit);
        }
    }
    fn clear(&self) {
        self.ready.set(false);
        self.buffer.set(None);
        let gone = (self.decoder.take(), self.encoder.take());
        drop(gone);
    }
}

const CHUNK: usize = 8192;

fn any_stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a TextIo> {
    this.downcast::<TextIo>().ok_or_else(|| vm.type_error("a TextIOWrapper was expected".to_string()))
}

/// The stream and its buffer. Errors: `ValueError` when there is none.
pub(super) fn stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<(&'a TextIo, Value)> {
    let me = any_stream(vm, this)?;
    match me.buffer.get().filter(|_| me.ready.get()) {
        Some(buffer) => Ok((me, buffer)),
        None => Err(no_buffer(vm, me)),
    }
}

#[cold]
fn no_buffer(vm: &Interpreter, me: &TextIo) -> Raised {
    let text = if me.detached.get() {
        "underlying buffer has been detached"
    } else {
        "I/O operation on uninitialized object"
    };
    vm.value_error(text.to_string())
}

/// As [`stream`]. Errors: `ValueError` when it is closed, too.
pub(super) fn open<'a>(vm: &Interpreter, this: &'a Value) -> Res<(&'a TextIo, Value)> {
    let (me, buffer) = stream(vm, this)?;
    let is_exact = vm.is_exact(this, &vm.type_for(&TEXT_IO_WRAPPER)?);
    let is_closed = match buffered::known_closed(vm, &buffer)? {
        Some(known) if is_exact => known,
        _ => is_closed(vm, this)?,
    };
    if is_closed { Err(closed(vm)) } else { Ok((me, buffer)) }
}

/// What a wrapper is made with.
pub struct Options<'a> {
    pub encoding: Option<&'a str>,
    pub errors: Option<&'a str>,
    pub newline: Option<&'static str>,
    pub line_buffering: bool,
    pub write_through: bool,
}

fn optional_name(vm: &Interpreter, value: Option<&Value>, parameter: &str) -> Res<Option<String>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if value.downcast::<Str>().is_none() {
        let got = vm.type_name(value);
        return Err(
            vm.type_error(format!("TextIOWrapper() argument '{parameter}' must be str or None, not {got}"))
        );
    }
    pellucid_types::codecs::name_argument(vm, value, "TextIOWrapper", parameter)
        .map(|text| Some(text.into_owned()))
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    const NAMES: [&str; 6] = ["buffer", "encoding", "errors", "newline", "line_buffering", "write_through"];
    let given = call.positional();
    if given.len() > NAMES.len() {
        let n = given.len();
        return Err(vm.type_error(format!("TextIOWrapper() takes at most 6 arguments ({n} given)")));
    }
    let mut bound = [const { None }; 6];
    for (place, value) in bound.iter_mut().zip(given) {
        *place = Some(value.clone());
    }
    for (name, value) in call.keywords() {
        let text = vm.str_lossy(name);
        match NAMES.iter().position(|known| *known == text) {
            Some(index) if bound[index].is_none() => bound[index] = Some(value.clone()),
            Some(index) => {
                let position = index + 1;
                return Err(vm.type_error(format!(
                    "argument for TextIOWrapper() given by name ('{text}') and position ({position})"
                )));
            }
            None => {
                return Err(
                    vm.type_error(format!("TextIOWrapper() got an unexpected keyword argument '{text}'"))
                );
            }
        }
    }
    let [buffer, encoding, errors, newline, line_buffering, write_through] = &bound;
    let Some(buffer) = buffer else {
        let text = "TextIOWrapper() missing required argument 'buffer' (pos 1)";
        return Err(vm.type_error(text.to_string()));
    };
    let me = any_stream(vm, this)?;
    me.ready.set(false);
    let encoding = optional_name(vm, encoding.as_ref(), "encoding")?;
    let errors = optional_name(vm, errors.as_ref(), "errors")?;
    let options = Options {
        encoding: encoding.as_deref(),
        errors: errors.as_deref(),
        newline: newline_argument(vm, newline.as_ref(), "TextIOWrapper")?,
        line_buffering: line_buffering.as_ref().map_or(Ok(false), |value| vm.truthy(value))?,
        write_through: write_through.as_ref().map_or(Ok(false), |value| vm.truthy(value))?,
    };
    if options.encoding.is_none()
        && vm.state::<crate::sys::Startup>().with(|config| config.flags.warn_default_encoding) != 0
    {
        let category = vm.exceptions().encoding_warning().clone();
        vm.warn(&category, "'encoding' argument not specified")?;
    }
    initialize(vm, this, buffer, &options)
}

/// The encoding of the locale, by the name that streams show.
pub fn locale_encoding(vm: &Interpreter) -> &'static str {
    let utf8_mode = vm.state::<crate::sys::Startup>().with(|config| config.flags.utf8_mode);
    if utf8_mode != 0 { "utf-8" } else { "UTF-8" }
}

fn initialize(vm: &Interpreter, this: &Value, buffer: &Value, options: &Options) -> Res<()> {
    let me = any_stream(vm, this)?;
    me.ready.set(false);
    me.detached.set(false);
    let encoding = match options.encoding {
        None | Some("locale") => locale_encoding(vm),
        Some(name) => name,
    };
    check_encoding(vm, encoding)?;
    let errors = options.errors.unwrap_or("strict");
    me.encoding.set(Some(vm.new_str(encoding)?));
    me.errors.set(Some(vm.intern(errors)?));
    me.line_buffering.set(options.line_buffering);
    me.write_through.set(options.write_through);
    me.newline.set(options.newline);
    me.chunk_size.set(CHUNK);
    me.pending.borrow_mut().clear();
    forget_decoded(me);
    me.snapshot.replace(None);
    me.bytes_per_character.set(0.0);
    me.direct_reader.set(buffered::is_plain_reader(vm, buffer)?);
    me.direct_writer.set(buffered::is_plain_writer(vm, buffer)?);
    let decoder = if ask(vm, buffer, "readable")? { Some(make_decoder(vm, me)?) } else { None };
    let encoder = if ask(vm, buffer, "writable")? {
        Some(Rc::new(TextEncoder::new(vm, encoding, errors)?))
    } else {
        None
    };
    me.decoder.replace(decoder);
    me.encoder.replace(encoder);
    let seekable = ask(vm, buffer, "seekable")?;
    me.seekable.set(seekable);
    me.telling.set(seekable);
    me.has_read1.set(me.direct_reader.get() || vm.get_attr_opt(buffer, "read1")?.is_some());
    me.buffer.set(Some(buffer.clone()));
    restart_encoder_in_middle(vm, me, buffer)?;
    me.ready.set(true);
    Ok(())
}

/// What is appended to a file gets no mark of its encoding.
fn restart_encoder_in_middle(vm: &Interpreter, me: &TextIo, buffer: &Value) -> Res<()> {
    let encoder = me.encoder.borrow().clone();
    if let Some(encoder) = encoder.filter(|_| me.seekable.get()) {
        let position = vm.call_attr(buffer, "tell", &[])?;
        let zero = vm.new_int(0)?;
        if !vm.keys_equal(&position, &zero)? {
            encoder.restart(vm, false)?;
        }
    }
    Ok(())
}

fn make_decoder(vm: &Interpreter, me: &TextIo) -> Res<Rc<TextDecoder>> {
    let newline = me.newline.get();
    // "" recognises all ends of lines and keeps them; None makes \n of them.
    let newlines = newline.is_none_or(str::is_empty).then(|| Newlines::new(newline.is_none()));
    let (encoding, errors) = (setting(vm, &me.encoding), setting(vm, &me.errors));
    TextDecoder::new(vm, &encoding, &errors, newlines).map(Rc::new)
}

fn setting(vm: &Interpreter, word: &SlotWord) -> String {
    word.get().map(|value| vm.str_lossy(&value)).unwrap_or_default()
}

fn line_ends(me: &TextIo) -> LineEnd {
    match me.newline.get() {
        Some("") => LineEnd::Universal,
        Some("\r") => LineEnd::Return,
        Some("\r\n") => LineEnd::Both,
        _ => LineEnd::Newline,
    }
}

/// A wrapper from Rust. Errors: as its constructor.
pub fn new_text(vm: &Interpreter, buffer: &Value, options: &Options) -> Res {
    let this = vm.alloc(&vm.type_for(&TEXT_IO_WRAPPER)?, TextIo::default())?;
    initialize(vm, &this, buffer, options)?;
    Ok(this)
}

pub(super) fn forget_decoded(me: &TextIo) {
    me.used.set(0);
    me.decoded.set(None);
}

// ---- writing ----

/// Hands what was collected to the buffer.
pub(super) fn flush_pending(vm: &Interpreter, me: &TextIo, buffer: &Value) -> Res<()> {
    let bytes = me.pending.take();
    if bytes.is_empty() {
        me.pending.replace(bytes);
        return Ok(());
    }
    if me.direct_writer.get() {
        let done = buffered::write_slice(vm, buffer, &bytes);
        if me.pending.borrow().is_empty() {
            // The room is used again.
            let mut room = bytes;
            room.clear();
            me.pending.replace(room);
        }
        return done;
    }
    let data = vm.new_bytes(bytes)?;
    loop {
        match vm.call_attr(buffer, "write", std::slice::from_ref(&data)) {
            Err(raised) if vm.raised_is(vm.exceptions().interrupted_error()) => {
                drop(vm.take_raised(raised));
                vm.poll()?;
            }
            other => return other.map(drop),
        }
    }
}

fn flush_buffer(vm: &Interpreter, me: &TextIo, buffer: &Value) -> Res<()> {
    if me.direct_writer.get() {
        return buffered::flush_directly(vm, buffer);
    }
    vm.call_attr(buffer, "flush", &[]).map(drop)
}

fn write(vm: &Interpreter, this: &Value, value: &Value) -> Res {
    let Some(s) = value.downcast::<Str>() else {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("write() argument must be str, not {name}")));
    };
    let (me, buffer) = open(vm, this)?;
    let Some(encoder) = me.encoder.borrow().clone() else { return Err(unsupported(vm, "not writable")) };
    let translated = translate(vm, me, value, s)?;
    let written = translated.as_ref().unwrap_or(value);
    let Some(text) = written.downcast::<Str>() else { return Err(vm.bug("a str was expected")) };
    let flushes = me.line_buffering.get() && has_line_end(&s.text);
    let chunk = me.chunk_size.get();
    let encoded;
    let bytes = match encoder.plain_bytes(text) {
        Some(bytes) => bytes,
        None => {
            encoded = encoder.encode(vm, written)?;
            encoded.downcast::<Bytes>().map(Bytes::as_slice).unwrap_or_default()
        }
    };
    let waiting = me.pending.borrow().len();
    if waiting > 0 && waiting + bytes.len() > chunk {
        flush_pending(vm, me, &buffer)?;
    }
    {
        let mut pending = me.pending.borrow_mut();
        pending.try_reserve(bytes.len()).map_err(|_| vm.no_memory())?;
        pending.extend_from_slice(bytes);
    }
    if me.pending.borrow().len() >= chunk || flushes || me.write_through.get() {
        flush_pending(vm, me, &buffer)?;
    }
    if flushes {
        flush_buffer(vm, me, &buffer)?;
    }
    if me.snapshot.borrow().is_some() {
        forget_decoded(me);
        me.snapshot.replace(None);
    }
    let decoder = me.decoder.borrow().clone();
    if let Some(decoder) = decoder {
        decoder.reset(vm)?;
    }
    vm.new_int(s.text.len() as i64)
}

/// With the stream's own line ends; `None` when that is what it has.
fn translate(vm: &Interpreter, me: &TextIo, value: &Value, s: &Str) -> Res<Option<Value>> {
    let Some(newline @ ("\r" | "\r\n")) = me.newline.get() else { return Ok(None) };
    let no_memory = |_| vm.no_memory();
    let (old, new) =
        (Text::from_utf8("\n").map_err(no_memory)?, Text::from_utf8(newline).map_err(no_memory)?);
    match s.text.replace(&old, &new, None).map_err(no_memory)? {
        Some(text) => vm.new_text(text).map(Some),
        None => Ok(Some(value.clone())),
    }
}

fn has_line_end(text: &Text) -> bool {
    match text.as_latin1() {
        Some(bytes) => memchr::memchr2(b'\n', b'\r', bytes).is_some(),
        None => text.code_points().any(|point| point == u32::from(b'\n') || point == u32::from(b'\r')),
    }
}

fn flush(vm: &Interpreter, this: &Value) -> Res {
    let (me, buffer) = open(vm, this)?;
    me.telling.set(me.seekable.get());
    flush_pending(vm, me, &buffer)?;
    flush_buffer(vm, me, &buffer)?;
    Ok(Value::NONE)
}

// ---- reading ----

/// Text that was decoded and not read, at most `size` characters; moves past it.
fn take_decoded(vm: &Interpreter, me: &TextIo, size: Option<usize>) -> Res<Option<Value>> {
    let Some(decoded) = me.decoded.get() else { return Ok(None) };
    let Some(s) = decoded.downcast::<Str>() else { return Ok(None) };
    let start = me.used.get();
    let left = s.text.len().saturating_sub(start);
    let count = size.map_or(left, |size| size.min(left));
    if count == 0 {
        return Ok(None);
    }
    me.used.set(start + count);
    if start == 0 && count == s.text.len() {
        return Ok(Some(decoded));
    }
    vm.made_text(s.text.slice(start, start + count)).map(Some)
}

/// Reads and decodes a chunk; false at the end.
fn read_chunk(vm: &Interpreter, me: &TextIo, buffer: &Value, hint: usize) -> Res<bool> {
    let Some(decoder) = me.decoder.borrow().clone() else { return Err(unsupported(vm, "not readable")) };
    let state = if me.telling.get() { Some(decoder.state(vm)?) } else { None };
    let wanted = if hint > 0 { (me.bytes_per_character.get().max(1.0) * hint as f64) as usize } else { 0 };
    let size = wanted.max(me.chunk_size.get());
    let bytes = if me.direct_reader.get() {
        buffered::direct_read1(vm, buffer, size)?
    } else {
        let name = if me.has_read1.get() { "read1" } else { "read" };
        let data = vm.call_attr(buffer, name, &[vm.new_int(size as i64)?])?;
        if !vm.has_buffer(&data) {
            let got = vm.type_name(&data);
            return Err(vm.type_error(format!(
                "underlying {name}() should have returned a bytes-like object, not '{got}'"
            )));
        }
        vm.bytes_like(&data)?.to_vec(vm)?
    };
    let count = bytes.len();
    let snapshot = state.map(|(mut ahead, flags)| {
        ahead.extend_from_slice(&bytes);
        (flags, ahead)
    });
    let text = decoder.decode(vm, bytes, count == 0)?;
    let characters = text.downcast::<Str>().map_or(0, |s| s.text.len());
    me.used.set(0);
    me.decoded.set(Some(text));
    if characters > 0 {
        me.bytes_per_character.set(count as f64 / characters as f64);
    } else {
        me.bytes_per_character.set(0.0);
    }
    if let Some(snapshot) = snapshot {
        me.snapshot.replace(Some(snapshot));
    }
    Ok(count > 0 || characters > 0)
}

/// Pieces of text as one `str`.
fn joined(vm: &Interpreter, mut pieces: Vec<Value>) -> Res {
    match pieces.len() {
        0 => vm.new_str(""),
        1 => Ok(pieces.swap_remove(0)),
        _ => {
            let mut builder = pellucid_object::text::TextBuilder::new();
            for piece in pieces.iter().filter_map(Value::downcast::<Str>) {
                builder.push_text(&piece.text).map_err(|_| vm.no_memory())?;
            }
            vm.made_text(builder.finish())
        }
    }
}

fn read(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let size = size_argument(vm, args.get(1))?;
    let (me, buffer) = open(vm, this)?;
    let Some(decoder) = me.decoder.borrow().clone() else { return Err(unsupported(vm, "not readable")) };
    flush_pending(vm, me, &buffer)?;
    let Some(size) = size else {
        let bytes = if me.direct_reader.get() {
            buffered::direct_read_all(vm, &buffer)?
        } else {
            let data = vm.call_attr(&buffer, "read", &[])?;
            if data.is_none() { None } else { Some(vm.bytes_like(&data)?.to_vec(vm)?) }
        };
        let Some(bytes) = bytes else {
            let ty = vm.exceptions().blocking_io_error().clone();
            return Err(vm.raise_text(&ty, "Read returned None."));
        };
        let text = decoder.decode(vm, bytes, true)?;
        let rest = take_decoded(vm, me, None)?;
        if me.snapshot.borrow().is_some() {
            forget_decoded(me);
            me.snapshot.replace(None);
        }
        return joined(vm, rest.into_iter().chain([text]).collect());
    };
    let (mut pieces, mut left) = (Vec::new(), size);
    loop {
        if let Some(piece) = take_decoded(vm, me, Some(left))? {
            left -= piece.downcast::<Str>().map_or(0, |s| s.text.len());
            pieces.push(piece);
        }
        if left == 0 || !read_chunk(vm, me, &buffer, left)? {
            break;
        }
        vm.poll()?;
    }
    joined(vm, pieces)
}

fn line(vm: &Interpreter, me: &TextIo, buffer: &Value, limit: Option<usize>) -> Res {
    if !me.pending.borrow().is_empty() {
        flush_pending(vm, me, buffer)?;
    }
    let ends = line_ends(me);
    let limit = limit.unwrap_or(usize::MAX);
    let mut pieces: Vec<Value> = Vec::new();
    let mut length = 0;
    // A `\r` that ended a piece and may belong to the `\r\n` that ends the line.
    let mut carried: Option<Value> = None;
    loop {
        let mut decoded = me.decoded.get();
        let mut start = me.used.get();
        let empty = |decoded: &Option<Value>, start: usize| {
            decoded.as_ref().and_then(Value::downcast::<Str>).is_none_or(|s| start >= s.text.len())
        };
        while empty(&decoded, start) {
            if !read_chunk(vm, me, buffer, 0)? {
                forget_decoded(me);
                me.snapshot.replace(None);
                pieces.extend(carried);
                return joined(vm, pieces);
            }
            vm.poll()?;
            (decoded, start) = (me.decoded.get(), 0);
        }
        let Some(mut value) = decoded else { return Err(vm.bug("decoded text")) };
        let before = start;
        let carry = carried.take();
        if let Some(cr) = &carry {
            value = joined(vm, vec![cr.clone(), value])?;
            start = 0;
        }
        let added = usize::from(carry.is_some());
        let Some(s) = value.downcast::<Str>() else { return Err(vm.bug("decoded text")) };
        let room = limit - length;
        let (mut end, found) = match ends.find(&s.text, start) {
            Ok(end) => (end, true),
            Err(end) => (end, false),
        };
        let cut = end - start >= room;
        if cut {
            end = start + room;
        }
        let part = if start == 0 && end == s.text.len() {
            value.clone()
        } else {
            vm.made_text(s.text.slice(start, end))?
        };
        length += end - start;
        if end > start {
            pieces.push(part);
        }
        if found || cut {
            me.used.set(if added == 0 { end } else { before + end - added });
            return joined(vm, pieces);
        }
        // The rest, if any, is a `\r` at the very end.
        if end < s.text.len() {
            carried = Some(vm.made_text(s.text.slice(end, s.text.len()))?);
        }
        forget_decoded(me);
    }
}

fn readline(vm: &Interpreter, args: &Args) -> Res {
    let limit = size_argument(vm, args.get(1))?;
    let (me, buffer) = open(vm, args.req(0))?;
    if me.decoder.borrow().is_none() {
        return Err(unsupported(vm, "not readable"));
    }
    line(vm, me, &buffer, limit)
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let me = any_stream(vm, this)?;
    stream(vm, this)?;
    me.telling.set(false);
    let text = if vm.is_exact(this, &vm.type_for(&TEXT_IO_WRAPPER)?) {
        let (me, buffer) = open(vm, this)?;
        if me.decoder.borrow().is_none() {
            return Err(unsupported(vm, "not readable"));
        }
        line(vm, me, &buffer, None)?
    } else {
        let text = vm.call_attr(this, "readline", &[])?;
        if text.downcast::<Str>().is_none() {
            let name = vm.type_name(&text);
            let ty = vm.exceptions().os_error().clone();
            let message = format!("readline() should have returned a str object, not '{name}'");
            return Err(vm.raise_text(&ty, &message));
        }
        text
    };
    if text.downcast::<Str>().is_some_and(|s| s.text.is_empty()) {
        me.snapshot.replace(None);
        me.telling.set(me.seekable.get());
        return Ok(None);
    }
    Ok(Some(text))
}

// ---- settings ----

pub(super) fn restart_encoder(vm: &Interpreter, me: &TextIo, at_start: bool) -> Res<()> {
    let encoder = me.encoder.borrow().clone();
    encoder.map_or(Ok(()), |encoder| encoder.restart(vm, at_start))
}

fn reconfigure(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, buffer) = stream(vm, this)?;
    let changes_newline = args.get(3).is_some();
    let changes_codec = args.some(1).is_some() || args.some(2).is_some() || changes_newline;
    if me.decoded.get().is_some() && changes_codec {
        let text = "It is not possible to set the encoding or newline of stream after the first read";
        return Err(unsupported(vm, text));
    }
    for (index, what) in [(1, "encoding"), (2, "errors")] {
        if let Some(value) = args.some(index)
            && value.downcast::<Str>().is_none()
        {
            let got = vm.type_name(value);
            return Err(
                vm.type_error(format!("reconfigure() argument '{what}' must be str or None, not {got}"))
            );
        }
    }
    let newline =
        if changes_newline { newline_argument(vm, args.get(3), "reconfigure")? } else { me.newline.get() };
    let flag = |index: usize, now: bool| -> Res<bool> {
        match args.some(index) {
            Some(value) => Ok(crate::sys::c_int(vm, value)? != 0),
            None => Ok(now),
        }
    };
    let line_buffering = flag(4, me.line_buffering.get())?;
    let write_through = flag(5, me.write_through.get())?;
    vm.call_attr(this, "flush", &[])?;
    me.bytes_per_character.set(0.0);
    if changes_codec {
        change_codec(vm, me, &buffer, args.some(1), args.some(2), newline)?;
    }
    me.line_buffering.set(line_buffering);
    me.write_through.set(write_through);
    Ok(Value::NONE)
}

fn change_codec(
    vm: &Interpreter,
    me: &TextIo,
    buffer: &Value,
    encoding: Option<&Value>,
    errors: Option<&Value>,
    newline: Option<&'static str>,
) -> Res<()> {
    let new_encoding = match encoding {
        Some(value) if vm.str_lossy(value) == "locale" => vm.new_str(locale_encoding(vm))?,
        Some(value) => value.clone(),
        None => me.encoding.get().unwrap_or(Value::NONE),
    };
    let new_errors = match (errors, encoding) {
        (Some(errors), _) => errors.clone(),
        // A new encoding starts out strict.
        (None, Some(_)) => vm.intern_static("strict")?,
        (None, None) => me.errors.get().unwrap_or(Value::NONE),
    };
    let (name, errors) = (vm.str_lossy(&new_encoding), vm.str_lossy(&new_errors));
    check_encoding(vm, &name)?;
    let old = (me.newline.replace(newline), me.encoding.get(), me.errors.get());
    me.encoding.set(Some(new_encoding));
    me.errors.set(Some(new_errors));
    let made = (|| -> Res<()> {
        let decoder = if me.decoder.borrow().is_some() { Some(make_decoder(vm, me)?) } else { None };
        let encoder = if me.encoder.borrow().is_some() {
            Some(Rc::new(TextEncoder::new(vm, &name, &errors)?))
        } else {
            None
        };
        me.decoder.replace(decoder);
        me.encoder.replace(encoder);
        restart_encoder_in_middle(vm, me, buffer)
    })();
    if made.is_err() {
        me.newline.set(old.0);
        me.encoding.set(old.1);
        me.errors.set(old.2);
    }
    made
}

fn detach(vm: &Interpreter, this: &Value) -> Res {
    let (me, buffer) = stream(vm, this)?;
    vm.call_attr(this, "flush", &[])?;
    me.buffer.set(None);
    me.detached.set(true);
    me.ready.set(false);
    Ok(buffer)
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    let (me, buffer) = stream(vm, this)?;
    if is_closed(vm, this)? {
        return Ok(Value::NONE);
    }
    if me.finalizing.get() {
        let saved = vm.save_raised();
        if let Err(raised) = vm.call_attr(&buffer, "_dealloc_warn", std::slice::from_ref(this)) {
            // Not every buffer warns.
            drop(vm.take_raised(raised));
        }
        vm.restore_raised(saved);
    }
    and_finally(
        vm,
        || vm.call_attr(this, "flush", &[]).map(drop),
        || vm.call_attr(&buffer, "close", &[]).map(drop),
    )?;
    Ok(Value::NONE)
}

fn finalize(vm: &Interpreter, this: &Value) {
    if let Some(me) = this.downcast::<TextIo>()
        && let Some(buffer) = me.buffer.get()
        && matches!(buffered::known_closed(vm, &buffer), Ok(Some(true)))
    {
        return;
    }
    super::base::finalize(vm, this);
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (_, buffer) = stream(vm, this)?;
    vm.call_attr(this, "flush", &[])?;
    vm.call_attr(&buffer, "truncate", &[args.get(1).cloned().unwrap_or(Value::NONE)])
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let me = any_stream(vm, this)?;
    stream(vm, this)?;
    let mut writer = pellucid_types::seq::Writer::default();
    writer.push("<_io.TextIOWrapper");
    if let Some(name) = super::name_of(vm, this)? {
        writer.push(" name=");
        super::guarded_name(vm, this, &name, &mut writer)?;
    }
    if let Some(mode) = vm.get_attr_opt(this, "mode")? {
        writer.push(" mode=");
        writer.push_repr(vm, &mode)?;
    }
    writer.push(" encoding=");
    writer.push_repr(vm, &me.encoding.get().unwrap_or(Value::NONE))?;
    writer.push(">");
    writer.finish(vm)
}

macro_rules! passes_on {
    ($name:literal, $doc:literal) => {
        FunctionDef::new(
            $name,
            "($self, /)",
            $doc,
            NativeFn::F1(|vm, this| {
                let (_, buffer) = stream(vm, this)?;
                vm.call_attr(&buffer, $name, &[])
            }),
        )
    };
}

macro_rules! attribute {
    ($name:literal) => {
        GetSetDef {
            name: $name,
            doc: "",
            get: |vm, this| {
                let (_, buffer) = stream(vm, this)?;
                vm.get_attr_str(&buffer, $name)
            },
            set: None,
        }
    };
}

fn set_chunk_size(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let (me, _) = stream(vm, this)?;
    let Some(value) = value else {
        return Err(vm.attribute_error_text("cannot delete attribute".to_string()));
    };
    match usize::try_from(vm.expect_i64(value)?) {
        Ok(size @ 1..) => {
            me.chunk_size.set(size);
            Ok(())
        }
        _ => Err(vm.value_error("a strictly positive integer is required".to_string())),
    }
}

pub static TEXT_IO_WRAPPER: TypeDef = TypeDef {
    name: "TextIOWrapper",
    module: "_io",
    base: Some(|vm| base_type(vm, &TEXT_IO_BASE)),
    payload: payload::<TextIo>(),
    flags: STREAM,
    doc: "TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)\n--\n\n\
          Character and line based layer over a BufferedIOBase object, buffer.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, TextIo::default())),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Next(next),
        Slot::Finalize(finalize),
    ],
    methods: &[
        FunctionDef::new("write", "($self, text, /)", "", NativeFn::F2(write)),
        FunctionDef::new("read", "($self, size=-1, /)", "", NativeFn::Args(read)),
        FunctionDef::new("readline", "($self, size=-1, /)", "", NativeFn::Args(readline)),
        FunctionDef::new("flush", "($self, /)", "", NativeFn::F1(flush)),
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
        FunctionDef::new("detach", "($self, /)", "", NativeFn::F1(detach)),
        FunctionDef::new(
            "reconfigure",
            "($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)",
            "Reconfigure the text stream with new parameters.",
            NativeFn::Args(reconfigure),
        ),
        FunctionDef::new(
            "seek",
            "($self, cookie, whence=0, /)",
            "Set the stream position, and return the new stream position.",
            NativeFn::Args(super::text_position::seek),
        ),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "Return the stream position as an opaque number.",
            NativeFn::F1(super::text_position::tell),
        ),
        FunctionDef::new("truncate", "($self, pos=None, /)", "", NativeFn::Args(truncate)),
        passes_on!("fileno", ""),
        passes_on!("isatty", ""),
        passes_on!("readable", ""),
        passes_on!("writable", ""),
        passes_on!("seekable", ""),
        super::REDUCE,
        super::REDUCE_EX,
    ],
    getset: &[
        attribute!("closed"),
        attribute!("name"),
        GetSetDef {
            name: "buffer",
            doc: "",
            get: |vm, this| Ok(any_stream(vm, this)?.buffer.get().unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef {
            name: "encoding",
            doc: "",
            get: |vm, this| Ok(any_stream(vm, this)?.encoding.get().unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef {
            name: "errors",
            doc: "",
            get: |vm, this| {
                let me = any_stream(vm, this)?;
                if me.errors.is_set() {
                    Ok(me.errors.get().unwrap_or(Value::NONE))
                } else {
                    Err(no_buffer(vm, me))
                }
            },
            set: None,
        },
        GetSetDef {
            name: "newlines",
            doc: "",
            get: |vm, this| {
                let (me, _) = stream(vm, this)?;
                let decoder = me.decoder.borrow().clone();
                match decoder.as_ref().and_then(|decoder| decoder.newlines()) {
                    Some(newlines) => newlines.seen(vm),
                    None => Ok(Value::NONE),
                }
            },
            set: None,
        },
        GetSetDef {
            name: "line_buffering",
            doc: "",
            get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.line_buffering.get())),
            set: None,
        },
        GetSetDef {
            name: "write_through",
            doc: "",
            get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.write_through.get())),
            set: None,
        },
        GetSetDef {
            name: "_CHUNK_SIZE",
            doc: "",
            get: |vm, this| vm.new_int(stream(vm, this)?.0.chunk_size.get() as i64),
            set: Some(set_chunk_size),
        },
        GetSetDef {
            name: "_finalizing",
            doc: "",
            get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.finalizing.get())),
            set: Some(|vm, this, value| {
                any_stream(vm, this)?.finalizing.set(value.map_or(Ok(false), |value| vm.truthy(value))?);
                Ok(())
            }),
        },
    ],
};

//! `StringIO`: a text stream in memory.
//!
//! As long as text is only appended it grows in a builder; a read or write elsewhere unfolds it to code points, until the
//! stream is emptied.

use super::base::{STREAM, TEXT_IO_BASE};
use super::newline::{LineEnd, Newlines};
use super::{base_type, closed, size_argument};
use pellucid_object::text::TextBuilder;
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, Str, Text,
    Tuple, TypeDef, Value, payload,
};
use std::cell::{Cell, RefCell};

enum Store {
    /// Everything was appended, and the position is the end.
    Appended(TextBuilder),
    Points(Vec<u32>),
}

/// Payload of `StringIO`.
pub struct StringIo {
    store: RefCell<Store>,
    position: Cell<usize>,
    closed: Cell<bool>,
    ready: Cell<bool>,
    /// Set when `\r\n` and `\r` are recognised in what is written.
    newlines: RefCell<Option<Newlines>>,
    ends: Cell<LineEnd>,
    /// What is written for `\n`, unless that is itself.
    write_newline: Cell<Option<&'static str>>,
    /// The `newline` argument.
    newline: Cell<Option<&'static str>>,
}

impl Payload for StringIo {
    const CONTAINER: bool = false;
}

impl Default for StringIo {
    fn default() -> StringIo {
        StringIo {
            store: RefCell::new(Store::Appended(TextBuilder::new())),
            position: Cell::new(0),
            closed: Cell::new(false),
            ready: Cell::new(false),
            newlines: RefCell::new(None),
            ends: Cell::new(LineEnd::Newline),
            write_newline: Cell::new(None),
            newline: Cell::new(Some("\n")),
        }
    }
}

fn any_stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a StringIo> {
    match this.downcast::<StringIo>() {
        Some(me) if me.ready.get() => Ok(me),
        Some(_) => Err(vm.value_error("I/O operation on uninitialized object".to_string())),
        None => Err(vm.type_error("a StringIO was expected".to_string())),
    }
}

fn stream<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a StringIo> {
    let me = any_stream(vm, this)?;
    if me.closed.get() { Err(closed(vm)) } else { Ok(me) }
}

/// The `newline` argument of text streams. Errors: `TypeError`, `ValueError`.
pub fn newline_argument(
    vm: &Interpreter,
    value: Option<&Value>,
    function: &str,
) -> Res<Option<&'static str>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if value.downcast::<Str>().is_none() {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("{function}() argument 'newline' must be str or None, not {name}")));
    }
    match vm.str_lossy(value).as_str() {
        "" => Ok(Some("")),
        "\n" => Ok(Some("\n")),
        "\r" => Ok(Some("\r")),
        "\r\n" => Ok(Some("\r\n")),
        _ => Err(vm.value_error(format!("illegal newline value: {}", vm.repr_lossy(value)?))),
    }
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let Some(me) = this.downcast::<StringIo>() else { return Err(vm.bug("a StringIO was expected")) };
    let (mut initial, mut newline) = (None, None);
    match call.positional() {
        [] => {}
        [one] => initial = Some(one.clone()),
        [one, two] => (initial, newline) = (Some(one.clone()), Some(two.clone())),
        more => {
            let n = more.len();
            return Err(vm.type_error(format!("StringIO() takes at most 2 arguments ({n} given)")));
        }
    }
    for (name, value) in call.keywords() {
        match vm.str_lossy(name).as_str() {
            "initial_value" if initial.is_none() => initial = Some(value.clone()),
            "newline" if newline.is_none() => newline = Some(value.clone()),
            other => {
                return Err(vm.type_error(format!("StringIO() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let newline = match newline {
        Some(value) => newline_argument(vm, Some(&value), "StringIO")?,
        None => Some("\n"),
    };
    let initial = initial.filter(|value| !value.is_none());
    if let Some(value) = &initial
        && value.downcast::<Str>().is_none()
    {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("initial_value must be str or None, not {name}")));
    }
    set_up(me, newline);
    if let Some(value) = initial.filter(|value| value.downcast::<Str>().is_some_and(|s| !s.text.is_empty())) {
        put(vm, me, &value)?;
    }
    me.position.set(0);
    Ok(())
}

fn set_up(me: &StringIo, newline: Option<&'static str>) {
    me.store.replace(Store::Appended(TextBuilder::new()));
    me.position.set(0);
    me.closed.set(false);
    me.newline.set(newline);
    let universal = newline.is_none_or(str::is_empty);
    me.newlines.replace(universal.then(|| Newlines::new(newline.is_none())));
    me.ends.set(match newline {
        Some("") => LineEnd::Universal,
        Some("\r") => LineEnd::Return,
        Some("\r\n") => LineEnd::Both,
        _ => LineEnd::Newline,
    });
    me.write_newline.set(newline.filter(|newline| matches!(*newline, "\r" | "\r\n")));
    me.ready.set(true);
}

/// All text, whatever the position. Errors: `MemoryError`.
fn whole(vm: &Interpreter, me: &StringIo) -> Res<Text> {
    let mut store = me.store.borrow_mut();
    let no_memory = |_| vm.no_memory();
    match &mut *store {
        Store::Appended(builder) => {
            let text = std::mem::replace(builder, TextBuilder::new()).finish().map_err(no_memory)?;
            builder.push_text(&text).map_err(no_memory)?;
            Ok(text)
        }
        Store::Points(points) => Text::from_code_points(points).map_err(no_memory),
    }
}

/// Unfolds the text to code points. Errors: `MemoryError`.
fn unfold(vm: &Interpreter, me: &StringIo) -> Res<()> {
    let mut store = me.store.borrow_mut();
    if let Store::Appended(builder) = &mut *store {
        let text = std::mem::replace(builder, TextBuilder::new()).finish().map_err(|_| vm.no_memory())?;
        let mut points = Vec::new();
        points.try_reserve_exact(text.len()).map_err(|_| vm.no_memory())?;
        points.extend(text.code_points());
        *store = Store::Points(points);
    }
    Ok(())
}

/// Writes at the position, over what is there.
fn put(vm: &Interpreter, me: &StringIo, value: &Value) -> Res<()> {
    let Some(s) = value.downcast::<Str>() else { return Err(vm.bug("a str was expected")) };
    let no_memory = |_| vm.no_memory();
    let mut changed = None;
    if let Some(newlines) = &*me.newlines.borrow() {
        let copy = s.text.try_clone().map_err(no_memory)?;
        changed = Some(newlines.decode(vm, copy, true)?);
    }
    if let Some(newline) = me.write_newline.get() {
        let (old, new) =
            (Text::from_utf8("\n").map_err(no_memory)?, Text::from_utf8(newline).map_err(no_memory)?);
        if let Some(replaced) =
            changed.as_ref().unwrap_or(&s.text).replace(&old, &new, None).map_err(no_memory)?
        {
            changed = Some(replaced);
        }
    }
    let text = changed.as_ref().unwrap_or(&s.text);
    let start = me.position.get();
    {
        let mut store = me.store.borrow_mut();
        if let Store::Appended(builder) = &mut *store
            && builder.len() == start
        {
            builder.push_text(text).map_err(no_memory)?;
            me.position.set(start + text.len());
            return Ok(());
        }
    }
    unfold(vm, me)?;
    let mut store = me.store.borrow_mut();
    let Store::Points(points) = &mut *store else { return Err(vm.bug("unfolded")) };
    let Some(end) = start.checked_add(text.len()).filter(|end| *end < isize::MAX as usize / 4) else {
        return Err(vm.overflow_error("new position too large".to_string()));
    };
    if end > points.len() {
        points.try_reserve(end - points.len()).map_err(|_| vm.no_memory())?;
        // A seek beyond the end leaves null characters.
        points.resize(end, 0);
    }
    points.iter_mut().skip(start).zip(text.code_points()).for_each(|(place, point)| *place = point);
    me.position.set(end);
    Ok(())
}

fn write(vm: &Interpreter, this: &Value, value: &Value) -> Res {
    let me = any_stream(vm, this)?;
    let Some(s) = value.downcast::<Str>() else {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("string argument expected, got '{name}'")));
    };
    if me.closed.get() {
        return Err(closed(vm));
    }
    if !s.text.is_empty() {
        put(vm, me, value)?;
    }
    vm.new_int(s.text.len() as i64)
}

/// The next code points, at most `size`, and moves past them.
fn take(vm: &Interpreter, me: &StringIo, size: Option<usize>) -> Res {
    let start = me.position.get();
    if start == 0 && size.is_none() {
        let text = whole(vm, me)?;
        me.position.set(text.len());
        return vm.new_text(text);
    }
    unfold(vm, me)?;
    let store = me.store.borrow();
    let Store::Points(points) = &*store else { return Err(vm.bug("unfolded")) };
    let start = start.min(points.len());
    let end = size.map_or(points.len(), |size| start.saturating_add(size).min(points.len()));
    let text = Text::from_code_points(&points[start..end]).map_err(|_| vm.no_memory())?;
    if end > start {
        me.position.set(end);
    }
    vm.new_text(text)
}

fn line(vm: &Interpreter, me: &StringIo, limit: Option<usize>) -> Res {
    unfold(vm, me)?;
    let length = {
        let store = me.store.borrow();
        let Store::Points(points) = &*store else { return Err(vm.bug("unfolded")) };
        let rest = points.get(me.position.get()..).unwrap_or_default();
        let rest = &rest[..limit.map_or(rest.len(), |limit| limit.min(rest.len()))];
        line_length(me.ends.get(), rest)
    };
    take(vm, me, Some(length))
}

fn line_length(ends: LineEnd, rest: &[u32]) -> usize {
    const N: u32 = b'\n' as u32;
    const R: u32 = b'\r' as u32;
    for (at, point) in rest.iter().enumerate() {
        match (ends, *point) {
            (LineEnd::Newline | LineEnd::Universal, N) | (LineEnd::Return, R) => return at + 1,
            (LineEnd::Universal, R) => return at + 1 + usize::from(rest.get(at + 1) == Some(&N)),
            (LineEnd::Both, R) if rest.get(at + 1) == Some(&N) => return at + 2,
            _ => {}
        }
    }
    rest.len()
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let me = stream(vm, this)?;
    let line = if vm.is_exact(this, &vm.type_for(&STRING_IO)?) {
        line(vm, me, None)?
    } else {
        let line = vm.call_attr(this, "readline", &[])?;
        if line.downcast::<Str>().is_none() {
            let name = vm.type_name(&line);
            let text = format!("readline() should have returned a str object, not '{name}'");
            return Err(vm.raise_text(&vm.exceptions().os_error().clone(), &text));
        }
        line
    };
    Ok(Some(line).filter(|line| line.downcast::<Str>().is_some_and(|s| !s.text.is_empty())))
}

fn seek(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    let offset = vm.expect_i64(args.req(1))?;
    let from = args.int_or(vm, 2, 0)?;
    match from {
        0..=2 => {}
        _ => return Err(vm.value_error(format!("Invalid whence ({from}, should be 0, 1 or 2)"))),
    }
    if from == 0 && offset < 0 {
        return Err(vm.value_error(format!("Negative seek position {offset}")));
    }
    if from != 0 && offset != 0 {
        let ty = vm.exceptions().os_error().clone();
        return Err(vm.raise_text(&ty, "Can't do nonzero cur-relative seeks"));
    }
    let target = match from {
        0 => usize::try_from(offset).unwrap_or(0),
        1 => me.position.get(),
        _ => length(me),
    };
    me.position.set(target);
    vm.new_int(target as i64)
}

fn length(me: &StringIo) -> usize {
    match &*me.store.borrow() {
        Store::Appended(builder) => builder.len(),
        Store::Points(points) => points.len(),
    }
}

fn truncate(vm: &Interpreter, args: &Args) -> Res {
    let me = stream(vm, args.req(0))?;
    let size = match args.some(1) {
        Some(value) => {
            let size = vm.expect_i64(value)?;
            usize::try_from(size).map_err(|_| vm.value_error(format!("Negative size value {size}")))?
        }
        None => me.position.get(),
    };
    if size == 0 {
        me.store.replace(Store::Appended(TextBuilder::new()));
    } else if size < length(me) {
        unfold(vm, me)?;
        if let Store::Points(points) = &mut *me.store.borrow_mut() {
            points.truncate(size);
        }
    }
    vm.new_int(size as i64)
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    let me = any_stream(vm, this)?;
    me.closed.set(true);
    me.store.replace(Store::Appended(TextBuilder::new()));
    Ok(Value::NONE)
}

fn getstate(vm: &Interpreter, this: &Value) -> Res {
    let me = stream(vm, this)?;
    let newline = me.newline.get().map_or(Ok(Value::NONE), |newline| vm.new_str(newline))?;
    let dict = match vm.attrs_dict(this)?.filter(|dict| !dict.is_empty()) {
        Some(dict) => {
            let copy = vm.new_dict()?;
            copy.update_from(vm, &dict)?;
            copy.into_value()
        }
        None => Value::NONE,
    };
    let position = vm.new_int(me.position.get() as i64)?;
    vm.new_tuple(vec![vm.new_text(whole(vm, me)?)?, newline, position, dict])
}

fn setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let Some(me) = this.downcast::<StringIo>() else { return Err(vm.bug("a StringIO was expected")) };
    let parts = state.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [value, newline, position, dict, ..] = parts.as_slice() else {
        let (name, got) = (vm.type_name(this), vm.type_name(state));
        return Err(vm.type_error(format!("{name}.__setstate__ argument should be 4-tuple, got {got}")));
    };
    set_up(me, newline_argument(vm, Some(newline), "StringIO")?);
    // The text was translated when it was written.
    if let Some(s) = value.downcast::<Str>() {
        me.store.replace(Store::Points(s.text.code_points().collect()));
    } else if !value.is_none() {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("initial_value must be str or None, not {name}")));
    }
    if position.as_int().is_none() {
        let name = vm.type_name(position);
        return Err(vm.type_error(format!("third item of state must be an integer, got {name}")));
    }
    match usize::try_from(vm.expect_i64(position)?) {
        Ok(position) => me.position.set(position),
        Err(_) => return Err(vm.value_error("position value cannot be negative".to_string())),
    }
    if !dict.is_none() {
        let Some(dict) = dict.downcast::<Dict>() else {
            let got = vm.type_name(dict);
            return Err(vm.type_error(format!("fourth item of state should be a dict, got a {got}")));
        };
        if let Some(own) = vm.attrs_dict(this)? {
            own.update_from(vm, dict)?;
        }
    }
    Ok(Value::NONE)
}

macro_rules! says_yes {
    ($name:literal, $doc:literal) => {
        FunctionDef::new(
            $name,
            "($self, /)",
            $doc,
            NativeFn::F1(|vm, this| {
                stream(vm, this)?;
                Ok(Value::TRUE)
            }),
        )
    };
}

pub static STRING_IO: TypeDef = TypeDef {
    name: "StringIO",
    module: "_io",
    base: Some(|vm| base_type(vm, &TEXT_IO_BASE)),
    payload: payload::<StringIo>(),
    flags: STREAM,
    doc: "StringIO(initial_value='', newline='\\n')\n--\n\n\
          Text I/O implementation using an in-memory buffer.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, StringIo::default())),
        Slot::Init(init),
        Slot::Iter(|vm, this| {
            stream(vm, this)?;
            Ok(this.clone())
        }),
        Slot::Next(next),
        Slot::Finalize(|vm, this| {
            // Only a subclass can have something to do at its end.
            if !vm.type_for(&STRING_IO).is_ok_and(|ty| vm.is_exact(this, &ty)) {
                super::base::finalize(vm, this);
            }
        }),
    ],
    methods: &[
        FunctionDef::new("write", "($self, s, /)", "Write string to file.", NativeFn::F2(write)),
        FunctionDef::new(
            "read",
            "($self, size=-1, /)",
            "Read at most size characters, returned as a string.",
            NativeFn::Args(|vm, args| {
                let me = stream(vm, args.req(0))?;
                take(vm, me, size_argument(vm, args.get(1))?)
            }),
        ),
        FunctionDef::new(
            "readline",
            "($self, size=-1, /)",
            "Read until newline or EOF.",
            NativeFn::Args(|vm, args| {
                let me = stream(vm, args.req(0))?;
                line(vm, me, size_argument(vm, args.get(1))?)
            }),
        ),
        FunctionDef::new(
            "seek",
            "($self, pos, whence=0, /)",
            "Change stream position.",
            NativeFn::Args(seek),
        ),
        FunctionDef::new(
            "tell",
            "($self, /)",
            "Tell the current file position.",
            NativeFn::F1(|vm, this| vm.new_int(stream(vm, this)?.position.get() as i64)),
        ),
        FunctionDef::new(
            "truncate",
            "($self, pos=None, /)",
            "Truncate size to pos.",
            NativeFn::Args(truncate),
        ),
        FunctionDef::new(
            "getvalue",
            "($self, /)",
            "Retrieve the entire contents of the object.",
            NativeFn::F1(|vm, this| vm.new_text(whole(vm, stream(vm, this)?)?)),
        ),
        FunctionDef::new("close", "($self, /)", "Close the IO object.", NativeFn::F1(close)),
        says_yes!("readable", "Returns True if the IO object can be read."),
        says_yes!("writable", "Returns True if the IO object can be written."),
        says_yes!("seekable", "Returns True if the IO object can be seeked."),
        FunctionDef::new("__getstate__", "($self, /)", "", NativeFn::F1(getstate)),
        FunctionDef::new("__setstate__", "($self, state, /)", "", NativeFn::F2(setstate)),
    ],
    getset: &[
        GetSetDef {
            name: "closed",
            doc: "",
            get: |vm, this| Ok(Value::bool(any_stream(vm, this)?.closed.get())),
            set: None,
        },
        GetSetDef {
            name: "newlines",
            doc: "",
            get: |vm, this| match &*stream(vm, this)?.newlines.borrow() {
                Some(newlines) => newlines.seen(vm),
                None => Ok(Value::NONE),
            },
            set: None,
        },
        GetSetDef {
            name: "line_buffering",
            doc: "",
            get: |vm, this| {
                stream(vm, this)?;
                Ok(Value::FALSE)
            },
            set: None,
        },
    ],
};

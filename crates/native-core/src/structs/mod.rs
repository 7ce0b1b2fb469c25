//! The module `_struct`: values packed into bytes and back.

mod format;

pub use format::{Format, half_from_f64, half_to_f64};

use pellucid_object::buffer::Buffer;
use pellucid_object::bytes::Bytes;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    SlotWord, Str, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// As many formats are kept ready.
const CACHE_SIZE: usize = 100;

/// How many objects are known that say a format.
const RECENT: usize = 16;

/// A format, and the object that said it.
type Known = (Value, Rc<Format>);

/// The class `struct.error`, and formats read before.
#[derive(Default)]
struct State {
    error: SlotWord,
    cache: RefCell<HashMap<Vec<u8>, Rc<Format>>>,
    /// Formats by the addresses of the objects that said them, which are kept.
    recent: RefCell<[Option<Known>; RECENT]>,
}

/// The class `struct.error`, made on first use.
fn error_class(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(class) = state.error.get() {
        return Ok(class);
    }
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str("struct")?)?;
    let bases = vm.new_tuple(vec![vm.exceptions().exception().value().clone()])?;
    let class =
        vm.call_values(vm.types().type_.value(), &[vm.new_str("error")?, bases, namespace.into_value()])?;
    state.error.set(Some(class.clone()));
    Ok(class)
}

/// Raises `struct.error`.
#[cold]
pub(crate) fn struct_error(vm: &Interpreter, message: &str) -> Raised {
    let made = error_class(vm).and_then(|class| vm.call_values(&class, &[vm.new_str(message)?]));
    match made {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// The format that a `str` or `bytes` says. Errors: `TypeError`, `struct.error`.
fn read_format(vm: &Interpreter, value: &Value) -> Res<Rc<Format>> {
    let state = vm.state::<State>();
    let place = (value.bits() >> 4) as usize % RECENT;
    if let Some((known, format)) = &state.recent.borrow()[place]
        && known.is(value)
    {
        return Ok(format.clone());
    }
    let format = known_format(vm, &state, value)?;
    let types = vm.types();
    if vm.is_exact(value, &types.str) || vm.is_exact(value, &types.bytes) {
        let old = state.recent.borrow_mut()[place].replace((value.clone(), format.clone()));
        drop(old);
    }
    Ok(format)
}

/// As [`read_format`], by what the text is.
fn known_format(vm: &Interpreter, state: &State, value: &Value) -> Res<Rc<Format>> {
    let text: Cow<[u8]> = match (value.downcast::<Str>(), value.downcast::<Bytes>()) {
        (Some(s), _) => match s.text.as_ascii() {
            Some(ascii) => Cow::Borrowed(ascii.as_bytes()),
            None => Cow::Owned(vm.str_lossy(value).into_bytes()),
        },
        (_, Some(bytes)) => Cow::Borrowed(bytes.as_slice()),
        _ => {
            let got = vm.type_name(value);
            return Err(
                vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {got}"))
            );
        }
    };
    if let Some(found) = state.cache.borrow().get(&*text) {
        return Ok(found.clone());
    }
    let format = match Format::parse(&text) {
        Ok(format) => Rc::new(format),
        Err(error) => return Err(struct_error(vm, error.message())),
    };
    let mut cache = state.cache.borrow_mut();
    if cache.len() >= CACHE_SIZE {
        cache.clear();
    }
    cache.insert(text.into_owned(), format.clone());
    Ok(format)
}

// ---- packing and unpacking ----

fn pack_values(vm: &Interpreter, format: &Format, values: &[Value], name: &str) -> Res<Vec<u8>> {
    if values.len() != format.values {
        let (wanted, got) = (format.values, values.len());
        return Err(struct_error(vm, &format!("{name} expected {wanted} items for packing (got {got})")));
    }
    format.pack(vm, values)
}

fn unpack_exactly(vm: &Interpreter, format: &Format, source: &Value) -> Res {
    if let Some(bytes) = source.downcast::<Bytes>().map(Bytes::as_slice)
        && bytes.len() == format.size
    {
        return vm.new_tuple(format.unpack(vm, bytes)?);
    }
    let shown = vm.bytes_like(source)?;
    if shown.len() != format.size {
        return Err(struct_error(vm, &format!("unpack requires a buffer of {} bytes", format.size)));
    }
    let bytes = vm.copied(&shown.bytes())?;
    vm.new_tuple(format.unpack(vm, &bytes)?)
}

/// Where `size` bytes start in a buffer of `len`: offsets count from the end when negative. Errors: `struct.error`.
fn place(vm: &Interpreter, packing: bool, size: usize, offset: i64, len: usize) -> Res<usize> {
    let start = if offset < 0 {
        if offset.saturating_add_unsigned(size as u64) > 0 {
            let what = if packing { "no space to pack" } else { "not enough data to unpack" };
            return Err(struct_error(vm, &format!("{what} {size} bytes at offset {offset}")));
        }
        match len.checked_add_signed(offset as isize) {
            Some(start) => start,
            None => {
                return Err(struct_error(vm, &format!("offset {offset} out of range for {len}-byte buffer")));
            }
        }
    } else {
        offset as usize
    };
    if len < start || len - start < size {
        let (name, doing) = if packing { ("pack_into", "packing") } else { ("unpack_from", "unpacking") };
        return Err(struct_error(
            vm,
            &format!(
                "{name} requires a buffer of at least {} bytes for {doing} {size} bytes at offset {start} (actual buffer \
                 size is {len})",
                size.saturating_add(start)
            ),
        ));
    }
    Ok(start)
}

fn unpack_at(vm: &Interpreter, format: &Format, source: &Value, offset: i64) -> Res {
    if let Some(bytes) = source.downcast::<Bytes>().map(Bytes::as_slice) {
        let start = place(vm, false, format.size, offset, bytes.len())?;
        let part = bytes.get(start..start + format.size).unwrap_or_default();
        return vm.new_tuple(format.unpack(vm, part)?);
    }
    let shown = vm.bytes_like(source)?;
    let start = place(vm, false, format.size, offset, shown.len())?;
    let bytes = vm.copied(&shown.bytes().range(start, start + format.size))?;
    vm.new_tuple(format.unpack(vm, &bytes)?)
}

/// `args` is what follows the format: buffer, offset, values.
fn pack_into_buffer(vm: &Interpreter, format: &Format, args: &[Value]) -> Res {
    let (target, offset, values) = match args {
        [] => return Err(struct_error(vm, "pack_into expected buffer argument")),
        [_] => return Err(struct_error(vm, "pack_into expected offset argument")),
        [target, offset, values @ ..] => (target, offset, values),
    };
    if values.len() != format.values {
        let (wanted, got) = (format.values, values.len());
        return Err(struct_error(vm, &format!("pack_into expected {wanted} items for packing (got {got})")));
    }
    let shown = writable(vm, target)?;
    let offset = pellucid_types::seq::index_i64(vm, offset)?;
    let start = place(vm, true, format.size, offset, shown.layout.len())?;
    let packed = format.pack(vm, values)?;
    match shown.bytes_mut() {
        Some(mut bytes) if bytes.len() >= start + packed.len() => {
            bytes[start..start + packed.len()].copy_from_slice(&packed);
            Ok(Value::NONE)
        }
        _ => Err(vm.bug("a writable buffer of checked length")),
    }
}

fn writable(vm: &Interpreter, target: &Value) -> Res<Buffer> {
    let refuse = || {
        let got = vm.type_name(target);
        vm.type_error(format!("argument must be read-write bytes-like object, not {got}"))
    };
    if !vm.has_buffer(target) {
        return Err(refuse());
    }
    match vm.buffer(target, pellucid_object::buffer::flags::WRITABLE) {
        Ok(buffer) if !buffer.layout.readonly && buffer.layout.is_c_contiguous() => Ok(buffer),
        Ok(_) => Err(refuse()),
        Err(raised) if vm.raised_is(vm.exceptions().buffer_error()) => {
            drop(vm.take_raised(raised));
            Err(refuse())
        }
        Err(raised) => Err(raised),
    }
}

fn iterate(vm: &Interpreter, format: &Rc<Format>, source: &Value) -> Res {
    if format.size == 0 {
        return Err(struct_error(vm, "cannot iteratively unpack with a struct of length 0"));
    }
    let buffer = vm.buffer(source, pellucid_object::buffer::flags::SIMPLE)?;
    if buffer.layout.len() % format.size != 0 {
        return Err(struct_error(
            vm,
            &format!("iterative unpacking requires a buffer of a multiple of {} bytes", format.size),
        ));
    }
    let payload =
        UnpackIterator { format: format.clone(), buffer: RefCell::new(Some(buffer)), at: Cell::new(0) };
    vm.alloc(&vm.type_for(&UNPACK_ITERATOR)?, payload)
}

/// Payload of the iterator that `iter_unpack` gives.
struct UnpackIterator {
    format: Rc<Format>,
    buffer: RefCell<Option<Buffer>>,
    at: Cell<usize>,
}

impl Payload for UnpackIterator {
    fn trace(&self, visit: &mut Visitor) {
        if let Some(buffer) = &*self.buffer.borrow() {
            buffer.trace(visit);
        }
    }
    fn clear(&self) {
        let buffer = self.buffer.take();
        drop(buffer);
    }
}

fn next_unpacked(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(iterator) = this.downcast::<UnpackIterator>() else { return Err(vm.bug("no unpack_iterator")) };
    let (start, size) = (iterator.at.get(), iterator.format.size);
    let bytes = match &*iterator.buffer.borrow() {
        Some(buffer) if buffer.layout.len() >= start + size => {
            vm.copied(&buffer.bytes().range(start, start + size)).map(Some)
        }
        _ => Ok(None),
    }?;
    let Some(bytes) = bytes else {
        let buffer = iterator.buffer.take();
        drop(buffer);
        return Ok(None);
    };
    iterator.at.set(start + size);
    vm.new_tuple(iterator.format.unpack(vm, &bytes)?).map(Some)
}

fn unpacked_left(vm: &Interpreter, this: &Value) -> Res {
    let Some(iterator) = this.downcast::<UnpackIterator>() else { return Err(vm.bug("no unpack_iterator")) };
    let left = match &*iterator.buffer.borrow() {
        Some(buffer) => buffer.layout.len().saturating_sub(iterator.at.get()) / iterator.format.size,
        None => 0,
    };
    vm.new_int(left as i64)
}

static UNPACK_ITERATOR: TypeDef = TypeDef {
    name: "unpack_iterator",
    module: "_struct",
    base: None,
    payload: payload::<UnpackIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next_unpacked)],
    methods: &[FunctionDef::new("__length_hint__", "($self, /)", "", NativeFn::F1(unpacked_left))],
    getset: &[],
};

// ---- Struct ----

/// Payload of `Struct`; there is no format until `__init__` has run.
#[derive(Default)]
struct Struct(RefCell<Option<Rc<Format>>>);

impl Payload for Struct {
    const CONTAINER: bool = false;
}

fn new_struct(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Struct::default())
}

fn init_struct(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res<()> {
    let [format] = pellucid_types::seq::bind(vm, "Struct", ["format"], args)?;
    let Some(format) = format else {
        return Err(vm.type_error("Struct() missing required argument 'format' (pos 1)".to_string()));
    };
    let format = read_format(vm, &format)?;
    match this.downcast::<Struct>() {
        Some(s) => {
            s.0.replace(Some(format));
            Ok(())
        }
        None => Err(vm.bug("no Struct")),
    }
}

fn format_of(vm: &Interpreter, this: &Value) -> Res<Rc<Format>> {
    match this.downcast::<Struct>().and_then(|s| s.0.borrow().clone()) {
        Some(format) => Ok(format),
        None => Err(vm.runtime_error("Struct object is not initialized".to_string())),
    }
}

/// `self` and the other arguments of a method without keywords. Errors: `TypeError`.
fn method_args<'a>(vm: &Interpreter, name: &str, args: &CallArgs<'a>) -> Res<(&'a Value, &'a [Value])> {
    if !args.names.is_empty() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.values {
        [first, rest @ ..] => Ok((first, rest)),
        [] => Err(vm.type_error("missing format argument".to_string())),
    }
}

static STRUCT: TypeDef = TypeDef {
    name: "Struct",
    module: "_struct",
    base: None,
    payload: payload::<Struct>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF),
    doc: "Struct(fmt) --> compiled struct object",
    slots: &[
        Slot::New(new_struct),
        Slot::Init(init_struct),
        Slot::Repr(|vm, this| {
            let format = vm.new_str(&String::from_utf8_lossy(&format_of(vm, this)?.text))?;
            let repr = vm.repr_lossy(&format)?;
            vm.new_str(&format!("{}({repr})", vm.type_of(this).name()))
        }),
    ],
    methods: &[
        FunctionDef::new(
            "pack",
            "($self, /, *values)",
            "pack(v1, v2, ...) -> bytes\n\nReturn a bytes object containing values v1, v2, ... packed according\nto the format \
             string Struct.format.",
            NativeFn::Raw(|vm, args| {
                let (this, values) = method_args(vm, "pack", args)?;
                vm.new_bytes(pack_values(vm, &*format_of(vm, this)?, values, "pack")?)
            }),
        ),
        FunctionDef::new(
            "pack_into",
            "($self, /, buffer, offset, *values)",
            "pack_into(buffer, offset, v1, v2, ...)\n\nPack the values v1, v2, ... according to the format string \
             Struct.format\nand write the packed bytes into the writable buffer buf starting at offset.",
            NativeFn::Raw(|vm, args| {
                let (this, rest) = method_args(vm, "pack_into", args)?;
                pack_into_buffer(vm, &*format_of(vm, this)?, rest)
            }),
        ),
        FunctionDef::new(
            "unpack",
            "($self, buffer, /)",
            "Return a tuple containing unpacked values.\n\nUnpack according to the format string Struct.format. The buffer's \
             size\nin bytes must be Struct.size.",
            NativeFn::F2(|vm, this, source| unpack_exactly(vm, &*format_of(vm, this)?, source)),
        ),
        FunctionDef::new(
            "unpack_from",
            "($self, /, buffer, offset=0)",
            "Return a tuple containing unpacked values.\n\nValues are unpacked according to the format string \
             Struct.format.\n\nThe buffer's size in bytes, starting at position offset, must be\nat least Struct.size.",
            NativeFn::Args(|vm, args: &Args| {
                unpack_at(vm, &*format_of(vm, args.req(0))?, args.req(1), args.int_or(vm, 2, 0)?)
            }),
        ),
        FunctionDef::new(
            "iter_unpack",
            "($self, buffer, /)",
            "Return an iterator yielding tuples.\n\nTuples are unpacked from the given bytes source, like a repeated\n\
             invocation of unpack_from().",
            NativeFn::F2(|vm, this, source| iterate(vm, &format_of(vm, this)?, source)),
        ),
        FunctionDef::new(
            "__sizeof__",
            "($self, /)",
            "Returns size in memory, in bytes.",
            NativeFn::F1(|vm, this| vm.new_int(88 + 32 * format_of(vm, this)?.values as i64)),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "format",
            doc: "struct format string",
            get: |vm, this| vm.new_str(&String::from_utf8_lossy(&format_of(vm, this)?.text)),
            set: None,
        },
        GetSetDef {
            name: "size",
            doc: "struct size in bytes",
            get: |vm, this| vm.new_int(format_of(vm, this)?.size as i64),
            set: None,
        },
    ],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_struct",
    doc: "Functions to convert between Python values and C structs.\nPython bytes objects are used to hold the data representing \
          the C struct\nand also as format strings (explained below) to describe the layout of data\nin the C struct.",
    functions: &[
        FunctionDef::new(
            "_clearcache",
            "()",
            "Clear the internal cache.",
            NativeFn::F0(|vm| {
                vm.state::<State>().cache.borrow_mut().clear();
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "calcsize",
            "(format, /)",
            "Return size in bytes of the struct described by the format string.",
            NativeFn::F1(|vm, format| vm.new_int(read_format(vm, format)?.size as i64)),
        ),
        FunctionDef::new(
            "iter_unpack",
            "(format, buffer, /)",
            "Return an iterator yielding tuples unpacked from the given bytes.\n\nThe bytes are unpacked according to the format \
             string, like\na repeated invocation of unpack_from().\n\nRequires that the bytes length be a multiple of the format \
             struct size.",
            NativeFn::F2(|vm, format, source| iterate(vm, &read_format(vm, format)?, source)),
        ),
        FunctionDef::new(
            "pack",
            "(format, /, *values)",
            "pack(format, v1, v2, ...) -> bytes\n\nReturn a bytes object containing the values v1, v2, ... packed according\nto the \
             format string.",
            NativeFn::Raw(|vm, args| {
                let (format, values) = method_args(vm, "pack", args)?;
                vm.new_bytes(pack_values(vm, &*read_format(vm, format)?, values, "pack")?)
            }),
        ),
        FunctionDef::new(
            "pack_into",
            "(format, buffer, offset, /, *values)",
            "pack_into(format, buffer, offset, v1, v2, ...)\n\nPack the values v1, v2, ... according to the format string and \
             write\nthe packed bytes into the writable buffer buf starting at offset.",
            NativeFn::Raw(|vm, args| {
                let (format, rest) = method_args(vm, "pack_into", args)?;
                pack_into_buffer(vm, &*read_format(vm, format)?, rest)
            }),
        ),
        FunctionDef::new(
            "unpack",
            "(format, buffer, /)",
            "Return a tuple containing values unpacked according to the format string.\n\nThe buffer's size in bytes must be \
             calcsize(format).",
            NativeFn::F2(|vm, format, source| unpack_exactly(vm, &*read_format(vm, format)?, source)),
        ),
        FunctionDef::new(
            "unpack_from",
            "(format, /, buffer, offset=0)",
            "Return a tuple containing values unpacked according to the format string.\n\nThe buffer's size, minus offset, must be \
             at least calcsize(format).",
            NativeFn::Args(|vm, args: &Args| {
                unpack_at(vm, &*read_format(vm, args.req(0))?, args.req(1), args.int_or(vm, 2, 0)?)
            }),
        ),
    ],
    types: &[&STRUCT],
    constants: &[],
    init: Some(|vm, module| vm.set_attr_str(module, "error", error_class(vm)?)),
};

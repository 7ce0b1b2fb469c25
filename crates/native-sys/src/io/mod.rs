//! `_io`: files, buffers and text streams.
//!
//! [`fileio`] reads and writes descriptors, [`buffered`] collects small reads and writes, [`text`] encodes and decodes.
//! Each layer calls the next one directly when that is one of ours as it is, and by its methods when it is a subclass or
//! another object.

pub mod base;
pub mod buffered;
pub mod bytesio;
pub mod decoder;
pub mod fileio;
pub mod newline;
mod open;
pub mod pair;
pub mod stringio;
pub mod text;
mod text_position;

pub use open::{open_stream, open_text};

use pellucid_object::heap::SlotWord;
use pellucid_object::{
    FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Ref, Res, Type, TypeDef, Value, constant,
};

/// Bytes that a buffer holds unless told otherwise.
pub const DEFAULT_BUFFER_SIZE: usize = 128 << 10;

#[derive(Default)]
struct State {
    unsupported: SlotWord,
}

/// `io.UnsupportedOperation`. Errors: `MemoryError`.
pub fn unsupported_operation(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(found) = state.unsupported.get() {
        return Ok(found);
    }
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str("io")?)?;
    let types = vm.exceptions();
    let bases = vm.new_tuple(vec![types.os_error().value().clone(), types.value_error().value().clone()])?;
    let name = vm.new_str("UnsupportedOperation")?;
    let class = vm.call_values(vm.types().type_.value(), &[name, bases, namespace.into_value()])?;
    state.unsupported.set(Some(class.clone()));
    Ok(class)
}

/// Raises `io.UnsupportedOperation`.
#[cold]
pub fn unsupported(vm: &Interpreter, message: &str) -> Raised {
    let made = unsupported_operation(vm).and_then(|class| vm.call_values(&class, &[vm.new_str(message)?]));
    match made {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

#[cold]
pub(crate) fn closed(vm: &Interpreter) -> Raised {
    vm.value_error("I/O operation on closed file.".to_string())
}

/// A size argument: `None` for the Python `None`, for nothing, and for negative numbers. Errors: `TypeError`.
pub(crate) fn size_argument(vm: &Interpreter, value: Option<&Value>) -> Res<Option<usize>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if value.as_int().is_none() && !pellucid_types::seq::has_index(vm, value) {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("argument should be integer or None, not '{name}'")));
    }
    Ok(usize::try_from(vm.expect_i64(value)?).ok())
}

/// Asks `object.name()` for a truth value.
pub(crate) fn ask(vm: &Interpreter, object: &Value, name: &str) -> Res<bool> {
    let answer = vm.call_attr(object, name, &[])?;
    vm.truthy(&answer)
}

/// `object.closed`.
pub(crate) fn is_closed(vm: &Interpreter, object: &Value) -> Res<bool> {
    let answer = vm.get_attr_str(object, "closed")?;
    vm.truthy(&answer)
}

/// Runs `last` whatever `first` did; when both raise, the second exception has the first as its context.
pub(crate) fn and_finally(
    vm: &Interpreter,
    first: impl FnOnce() -> Res<()>,
    last: impl FnOnce() -> Res<()>,
) -> Res<()> {
    let Err(raised) = first() else { return last() };
    let earlier = vm.take_raised(raised);
    match last() {
        Ok(()) => Err(vm.raise_as_is(earlier)),
        Err(raised) => {
            let later = vm.take_raised(raised);
            if let Some(exception) = later.downcast::<pellucid_object::Exception>()
                && exception.context.get().is_none()
                && !later.is(&earlier)
            {
                exception.context.set(Some(earlier));
            }
            Err(vm.raise_as_is(later))
        }
    }
}

/// `<_io.Kind name=...>` for a stream that may have a name.
pub(crate) fn named_repr(vm: &Interpreter, this: &Value) -> Res {
    let ty = vm.type_of(this);
    let name = shown_type_name(vm, &ty)?;
    match name_of(vm, this)? {
        None => vm.new_str(&format!("<{name}>")),
        Some(file) => {
            let mut writer = pellucid_types::seq::Writer::default();
            writer.push(&format!("<{name} name="));
            guarded_name(vm, this, &file, &mut writer)?;
            writer.push(">");
            writer.finish(vm)
        }
    }
}

/// The `name` attribute; `None` when there is none or it cannot be told (the raw stream is gone).
pub(crate) fn name_of(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    match vm.get_attr_opt(this, "name") {
        Ok(found) => Ok(found),
        Err(raised) if vm.raised_is(vm.exceptions().value_error()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// Streams whose names are being written.
#[derive(Default)]
struct Shown(std::cell::RefCell<Vec<u64>>);

pub(crate) fn guarded_name(
    vm: &Interpreter,
    this: &Value,
    name: &Value,
    writer: &mut pellucid_types::seq::Writer,
) -> Res<()> {
    let shown = vm.thread_state::<Shown>();
    if shown.0.borrow().contains(&this.bits()) {
        let name = shown_type_name(vm, &vm.type_of(this))?;
        return Err(vm.runtime_error(format!("reentrant call inside {name}.__repr__")));
    }
    shown.0.borrow_mut().push(this.bits());
    let done = writer.push_repr(vm, name);
    shown.0.borrow_mut().pop();
    done
}

/// The name of a type as C's `tp_name` has it: with the module for types of ours.
pub(crate) fn shown_type_name(vm: &Interpreter, ty: &Ref<Type>) -> Res<String> {
    use pellucid_object::TypeFlags;
    let name = ty.name();
    if ty.flags.get().contains(TypeFlags::MUTABLE) {
        return Ok(name.to_string());
    }
    let module = vm.get_attr_opt(ty.value(), "__module__")?;
    Ok(format!("{}.{name}", module.map_or_else(|| "_io".to_string(), |m| vm.str_lossy(&m))))
}

/// `__reduce__` and `__reduce_ex__` of streams that hold something of the system.
pub(crate) fn cannot_pickle(vm: &Interpreter, args: &pellucid_object::CallArgs) -> Res {
    let name = match args.values.first() {
        Some(this) => shown_type_name(vm, &vm.type_of(this))?,
        None => String::new(),
    };
    Err(vm.type_error(format!("cannot pickle '{name}' instances")))
}

pub(crate) const REDUCE: FunctionDef = FunctionDef::new("__reduce__", "", "", NativeFn::Raw(cannot_pickle));
pub(crate) const REDUCE_EX: FunctionDef =
    FunctionDef::new("__reduce_ex__", "", "", NativeFn::Raw(cannot_pickle));

/// The type made from a definition, for `TypeDef::base`. Types are made once and memory for them is there from then on.
pub(crate) fn base_type(vm: &Interpreter, def: &'static TypeDef) -> Ref<Type> {
    match vm.type_for(def) {
        Ok(ty) => ty,
        Err(raised) => {
            drop(vm.take_raised(raised));
            vm.types().object.clone()
        }
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_io",
    doc: "The io module provides the Python interfaces to stream handling.",
    functions: &[
        FunctionDef::new(
            "open",
            "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
            "Open file and return a stream.  Raise OSError upon failure.",
            NativeFn::Args(open::open),
        ),
        FunctionDef::new(
            "open_code",
            "(path)",
            "Opens the provided file with the intent to import the contents.",
            NativeFn::Args(open::open_code),
        ),
        FunctionDef::new(
            "text_encoding",
            "(encoding, stacklevel=2, /)",
            "A helper function to choose the text encoding.",
            NativeFn::Args(open::text_encoding),
        ),
    ],
    types: &[
        &base::IO_BASE,
        &base::RAW_IO_BASE,
        &base::BUFFERED_IO_BASE,
        &base::TEXT_IO_BASE,
        &fileio::FILE_IO,
        &bytesio::BYTES_IO,
        &stringio::STRING_IO,
        &newline::INCREMENTAL_NEWLINE_DECODER,
        &buffered::READER,
        &buffered::WRITER,
        &buffered::RANDOM,
        &pair::RW_PAIR,
        &text::TEXT_IO_WRAPPER,
    ],
    constants: &[
        constant("DEFAULT_BUFFER_SIZE", |vm| vm.new_int(DEFAULT_BUFFER_SIZE as i64)),
        constant("UnsupportedOperation", unsupported_operation),
        constant("BlockingIOError", |vm| Ok(vm.exceptions().blocking_io_error().value().clone())),
        constant("_BytesIOBuffer", |vm| Ok(vm.type_for(&bytesio::BYTES_IO_BUFFER)?.into_value())),
    ],
    init: None,
};

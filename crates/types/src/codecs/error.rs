//! `UnicodeEncodeError`, `UnicodeDecodeError` and `UnicodeTranslateError`: their fields and texts.

use crate::exception;
use pellucid_object::text::repr::push_escape;
use pellucid_object::{
    CallArgs, Exception, GetSetDef, Interpreter, Raised, Ref, Res, Slot, Str, Text, TextBuilder, Type,
    TypeDef, TypeFlags, Value, payload,
};

/// Places of the fields in [`Exception::fields`].
const ENCODING: usize = 0;
const OBJECT: usize = 1;
const START: usize = 2;
const END: usize = 3;
const REASON: usize = 4;

/// What went wrong where, as read from an exception.
pub struct Fault {
    pub object: Value,
    pub start: usize,
    pub end: usize,
}

fn exception(vm: &Interpreter, value: &Value) -> Res<Ref<Exception>> {
    value.downcast_ref::<Exception>().ok_or_else(|| vm.bug("no exception"))
}

fn store(vm: &Interpreter, this: &Value, args: &[Value], has_encoding: bool) -> Res<()> {
    let e = exception(vm, this)?;
    let mut fields = args.iter();
    let mut position = 0;
    let mut next = |want: &str, ok: fn(&Value) -> bool| -> Res<Value> {
        position += 1;
        match fields.next() {
            Some(value) if ok(value) => Ok(value.clone()),
            Some(value) => {
                let got = if value.is_none() { "None".into() } else { vm.type_name(value) };
                Err(vm.type_error(format!("argument {position} must be {want}, not {got}")))
            }
            None => Err(vm.bug("counted before")),
        }
    };
    let is_str: fn(&Value) -> bool = |v| v.downcast::<Str>().is_some();
    let encoding = if has_encoding { Some(next("str", is_str)?) } else { None };
    let decoding = vm.is_instance(this, vm.exceptions().unicode_decode_error());
    let object = if decoding {
        let object = next("", |_| true)?;
        match object.downcast::<pellucid_object::Bytes>() {
            Some(_) => object,
            None => {
                let like = vm.bytes_like(&object)?;
                let copy = vm.copied(&like.bytes())?;
                vm.new_bytes(copy)?
            }
        }
    } else {
        next("str", is_str)?
    };
    let int = |value: Value| -> Res { vm.new_int(vm.expect_i64(&value)?) };
    let start = int(next("", |_| true)?)?;
    let end = int(next("", |_| true)?)?;
    let reason = next("str", is_str)?;
    e.set_field(ENCODING, encoding);
    e.set_field(OBJECT, Some(object));
    e.set_field(START, Some(start));
    e.set_field(END, Some(end));
    e.set_field(REASON, Some(reason));
    Ok(())
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs, count: usize) -> Res<()> {
    exception::init(vm, this, call)?;
    let args = call.positional();
    if args.len() != count {
        let given = args.len();
        return Err(vm.type_error(format!("function takes exactly {count} arguments ({given} given)")));
    }
    store(vm, this, args, count == 5)
}

fn field(vm: &Interpreter, this: &Value, index: usize) -> Res {
    match exception(vm, this)?.field(index) {
        Some(value) => Ok(value),
        None => Ok(Value::NONE),
    }
}

fn set_field(vm: &Interpreter, this: &Value, index: usize, value: Option<&Value>) -> Res<()> {
    let value = match (index, value) {
        (START | END, Some(value)) => Some(vm.new_int(vm.expect_i64(value)?)?),
        (START | END, None) => {
            return Err(vm.type_error("can't delete numeric/char attribute".to_string()));
        }
        (_, value) => value.cloned(),
    };
    exception(vm, this)?.set_field(index, value);
    Ok(())
}

fn position(vm: &Interpreter, this: &Value, index: usize) -> Res<i64> {
    Ok(exception(vm, this)?.field(index).and_then(|v| vm.as_i64(&v)).unwrap_or(0))
}

fn named(vm: &Interpreter, this: &Value, index: usize) -> Res<Option<String>> {
    match exception(vm, this)?.field(index) {
        Some(value) => Ok(Some(vm.str_lossy(&vm.str(&value)?))),
        None => Ok(None),
    }
}

fn str(vm: &Interpreter, this: &Value) -> Res {
    let Some(object) = exception(vm, this)?.field(OBJECT) else { return vm.new_str("") };
    let reason = named(vm, this, REASON)?.unwrap_or_default();
    let (start, end) = (position(vm, this, START)?, position(vm, this, END)?);
    let decoding = vm.is_instance(this, vm.exceptions().unicode_decode_error());
    let (one, many) = if decoding { ("byte", "bytes") } else { ("character", "characters") };
    let subject = match named(vm, this, ENCODING)? {
        Some(encoding) => {
            let verb = if decoding { "decode" } else { "encode" };
            format!("'{encoding}' codec can't {verb} ")
        }
        None => "can't translate ".to_string(),
    };
    let single = if end == start.saturating_add(1) { usize::try_from(start).ok() } else { None };
    let shown = match (object.downcast::<Str>(), object.downcast::<pellucid_object::Bytes>(), single) {
        (_, _, None) => None,
        (Some(s), _, Some(at)) => s.text.get(at).map(escaped),
        (_, Some(bytes), Some(at)) => bytes.as_slice().get(at).map(|b| format!("0x{b:02x}")),
        _ => None,
    };
    vm.new_str(&match shown {
        Some(shown) => format!("{subject}{one} {shown} in position {start}: {reason}"),
        None => format!("{subject}{many} in position {start}-{}: {reason}", end.saturating_sub(1)),
    })
}

/// A code point as an escape in quotes.
fn escaped(point: u32) -> String {
    let mut builder = TextBuilder::new();
    let text = push_escape(&mut builder, point).and_then(|()| builder.finish());
    format!("'{}'", text.unwrap_or_else(|_| Text::empty()))
}

macro_rules! field_def {
    ($name:literal, $index:expr, $doc:literal) => {
        GetSetDef {
            name: $name,
            doc: $doc,
            get: |vm, this| field(vm, this, $index),
            set: Some(|vm, this, value| set_field(vm, this, $index, value)),
        }
    };
}

const fn def(
    name: &'static str,
    slots: &'static [Slot],
    getset: &'static [GetSetDef],
    doc: &'static str,
) -> TypeDef {
    TypeDef {
        name,
        module: "builtins",
        base: None,
        payload: payload::<Exception>(),
        flags: TypeFlags::BASETYPE,
        doc,
        slots,
        methods: &[],
        getset,
    }
}

const CODING_FIELDS: &[GetSetDef] = &[
    field_def!("encoding", ENCODING, "exception encoding"),
    field_def!("object", OBJECT, "exception object"),
    field_def!("start", START, "exception start"),
    field_def!("end", END, "exception end"),
    field_def!("reason", REASON, "exception reason"),
];

static ENCODE_ERROR: TypeDef = def(
    "UnicodeEncodeError",
    &[Slot::Init(|vm, this, call| init(vm, this, call, 5)), Slot::Str(str)],
    CODING_FIELDS,
    "Unicode encoding error.",
);
static DECODE_ERROR: TypeDef = def(
    "UnicodeDecodeError",
    &[Slot::Init(|vm, this, call| init(vm, this, call, 5)), Slot::Str(str)],
    CODING_FIELDS,
    "Unicode decoding error.",
);
static TRANSLATE_ERROR: TypeDef = def(
    "UnicodeTranslateError",
    &[Slot::Init(|vm, this, call| init(vm, this, call, 4)), Slot::Str(str)],
    &[
        field_def!("object", OBJECT, "exception object"),
        field_def!("start", START, "exception start"),
        field_def!("end", END, "exception end"),
        field_def!("reason", REASON, "exception reason"),
    ],
    "Unicode translation error.",
);

/// Fills the three types.
pub fn install(vm: &Interpreter) -> Res<()> {
    let types = vm.exceptions();
    let pairs: [(&Ref<Type>, &'static TypeDef); 3] = [
        (types.unicode_encode_error(), &ENCODE_ERROR),
        (types.unicode_decode_error(), &DECODE_ERROR),
        (types.unicode_translate_error(), &TRANSLATE_ERROR),
    ];
    for (ty, def) in pairs {
        vm.fill_type(ty, def)?;
        vm.refresh_slots(ty)?;
    }
    Ok(())
}

/// A new exception of `ty`. Errors: `MemoryError`.
pub fn new(
    vm: &Interpreter,
    ty: &Ref<Type>,
    encoding: Option<&str>,
    object: &Value,
    (start, end): (usize, usize),
    reason: &str,
) -> Res {
    let mut args = Vec::new();
    if let Some(encoding) = encoding {
        args.push(vm.new_str(encoding)?);
    }
    args.push(object.clone());
    args.push(vm.new_int(start as i64)?);
    args.push(vm.new_int(end as i64)?);
    args.push(vm.new_str(reason)?);
    vm.call_values(ty.value(), &args)
}

/// What an error handler reads from the exception it got; positions are clamped to the object.
pub fn fault(vm: &Interpreter, this: &Value) -> Res<Fault> {
    let Some(object) = exception(vm, this)?.field(OBJECT) else {
        return Err(vm.type_error("object attribute not set".to_string()));
    };
    let len = vm.len(&object)? as i64;
    let start = position(vm, this, START)?.clamp(0, (len - 1).max(0));
    let end = position(vm, this, END)?.max(1).min(len).max(0);
    Ok(Fault { object, start: start as usize, end: end as usize })
}

/// The encoding that an exception names.
pub fn encoding(vm: &Interpreter, this: &Value) -> Res<String> {
    Ok(named(vm, this, ENCODING)?.unwrap_or_default())
}

/// Changes where and why, so that one exception object serves several faults of a run.
pub fn update(vm: &Interpreter, this: &Value, (start, end): (usize, usize), reason: &str) -> Res<()> {
    let e = exception(vm, this)?;
    e.set_field(START, Some(vm.new_int(start as i64)?));
    e.set_field(END, Some(vm.new_int(end as i64)?));
    e.set_field(REASON, Some(vm.new_str(reason)?));
    Ok(())
}

/// Raises `UnicodeEncodeError`.
#[cold]
pub fn raise_encode(
    vm: &Interpreter,
    encoding: &str,
    object: &Value,
    place: (usize, usize),
    reason: &str,
) -> Raised {
    let ty = vm.exceptions().unicode_encode_error().clone();
    match new(vm, &ty, Some(encoding), object, place, reason) {
        Ok(e) => vm.raise(e),
        Err(raised) => raised,
    }
}

/// The object of an exception, which a handler may have replaced.
pub fn fault_object(vm: &Interpreter, this: &Value) -> Res {
    match exception(vm, this)?.field(OBJECT) {
        Some(object) if object.downcast::<pellucid_object::Bytes>().is_some() => Ok(object),
        _ => Err(vm.type_error("object attribute must be bytes".to_string())),
    }
}

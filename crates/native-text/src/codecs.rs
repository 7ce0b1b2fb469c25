//! `_codecs`: the codec registry and the encodings that need no Python code.

use pellucid_object::{Args, Bytes, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Str, Value};
use pellucid_types::codecs::{
    self, ByteOrder, Encoding, charmap, escape, registry, single, utf7, utf8, utf16, utf32,
};

/// A `str` argument that names something. Errors: `TypeError`, `ValueError` for a null character.
fn name(vm: &Interpreter, args: &Args, index: usize, function: &str) -> Res<Option<String>> {
    match args.get(index) {
        Some(value) => {
            let Some(s) = value.downcast::<Str>() else {
                let (n, got) = (index + 1, vm.type_name(value));
                return Err(vm.type_error(format!("{function}() argument {n} must be str, not {got}")));
            };
            let text = s.text.to_string();
            if text.contains('\0') {
                return Err(vm.value_error("embedded null character".to_string()));
            }
            Ok(Some(text))
        }
        None => Ok(None),
    }
}

/// The `errors` argument: `None` is the default.
fn errors(vm: &Interpreter, args: &Args, index: usize, function: &str) -> Res<Option<String>> {
    if args.get(index).is_some_and(Value::is_none) {
        return Ok(None);
    }
    name(vm, args, index, function)
}

fn required(vm: &Interpreter, args: &Args, index: usize, function: &str) -> Res<String> {
    Ok(name(vm, args, index, function)?.unwrap_or_default())
}

fn register(vm: &Interpreter, function: &Value) -> Res {
    registry::register(vm, function).map(|()| Value::NONE)
}

fn unregister(vm: &Interpreter, function: &Value) -> Res {
    registry::unregister(vm, function);
    Ok(Value::NONE)
}

fn lookup(vm: &Interpreter, args: &Args) -> Res {
    registry::lookup(vm, &required(vm, args, 0, "lookup")?)
}

fn through_codec(vm: &Interpreter, args: &Args, function: &str, direction: registry::Direction) -> Res {
    let given = |index, parameter| {
        args.get(index).map(|v| codecs::name_argument(vm, v, function, parameter)).transpose()
    };
    let encoding = given(1, "encoding")?.unwrap_or("utf-8".into());
    let errors = given(2, "errors")?;
    let codec = registry::lookup(vm, &encoding)?;
    registry::call(vm, &codec, direction, args.req(0), &encoding, errors.as_deref())
}

fn register_error(vm: &Interpreter, args: &Args) -> Res {
    let name = required(vm, args, 0, "register_error")?;
    registry::register_error(vm, &name, args.req(1)).map(|()| Value::NONE)
}

fn unregister_error(vm: &Interpreter, args: &Args) -> Res {
    let name = required(vm, args, 0, "_unregister_error")?;
    registry::unregister_error(vm, &name).map(Value::bool)
}

fn lookup_error(vm: &Interpreter, args: &Args) -> Res {
    registry::lookup_error(vm, &required(vm, args, 0, "lookup_error")?)
}

fn normalize_encoding(vm: &Interpreter, args: &Args) -> Res {
    // Only the runs of other characters become underscores; case stays.
    let name = required(vm, args, 0, "_normalize_encoding")?;
    let mut result = String::new();
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !result.is_empty() {
                result.push('_');
            }
            gap = false;
            result.push(c);
        } else {
            gap = true;
        }
    }
    vm.new_str(&result)
}

/// What an encoder returns: the bytes and the number of characters.
fn encoded(vm: &Interpreter, text: &Value, bytes: Value) -> Res {
    let len = vm.expect_text(text)?.len();
    vm.new_tuple(vec![bytes, vm.new_int(len as i64)?])
}

type Encode = fn(&Interpreter, &Value, Option<&str>) -> Res;

fn encode(vm: &Interpreter, args: &Args, function: &str, f: Encode) -> Res {
    let text = args.req(0);
    if text.downcast::<Str>().is_none() {
        let got = vm.type_name(text);
        return Err(vm.type_error(format!("{function}() argument 1 must be str, not {got}")));
    }
    let errors = errors(vm, args, 1, function)?;
    encoded(vm, text, f(vm, text, errors.as_deref())?)
}

/// What a decoder returns: the text and the number of bytes.
fn decoded(vm: &Interpreter, (text, read): (Value, usize)) -> Res {
    vm.new_tuple(vec![text, vm.new_int(read as i64)?])
}

type Decode = fn(&Interpreter, &[u8], Option<&Value>, Option<&str>, bool) -> Res<(Value, usize)>;

/// A decoder whose third argument says whether the input is complete; `last` when it is left out.
fn decode(vm: &Interpreter, args: &Args, function: &str, last: bool, f: Decode) -> Res {
    let errors = errors(vm, args, 1, function)?;
    let last = args.bool_or(vm, 2, last)?;
    let result =
        codecs::with_bytes(vm, args.req(0), |bytes, object| f(vm, bytes, object, errors.as_deref(), last))?;
    decoded(vm, result)
}

/// A decoder that also takes text, whose characters are written as UTF-8 first.
fn decode_text(vm: &Interpreter, args: &Args, function: &str, f: Decode) -> Res {
    let errors = errors(vm, args, 1, function)?;
    let last = args.bool_or(vm, 2, true)?;
    let result = match args.req(0).downcast::<Str>() {
        Some(s) => f(vm, &escape::text_bytes(vm, &s.text)?, None, errors.as_deref(), last)?,
        None => codecs::with_bytes(vm, args.req(0), |bytes, object| {
            f(vm, bytes, object, errors.as_deref(), last)
        })?,
    };
    decoded(vm, result)
}

fn order_of(vm: &Interpreter, args: &Args, index: usize) -> Res<ByteOrder> {
    Ok(match args.int_or(vm, index, 0)? {
        0 => ByteOrder::Native,
        i64::MIN..0 => ByteOrder::Little,
        _ => ByteOrder::Big,
    })
}

fn utf_16_encode(vm: &Interpreter, args: &Args) -> Res {
    let order = order_of(vm, args, 2)?;
    let errors = errors(vm, args, 1, "utf_16_encode")?;
    encoded(vm, args.req(0), utf16::encode(vm, args.req(0), errors.as_deref(), order)?)
}

fn utf_32_encode(vm: &Interpreter, args: &Args) -> Res {
    let order = order_of(vm, args, 2)?;
    let errors = errors(vm, args, 1, "utf_32_encode")?;
    encoded(vm, args.req(0), utf32::encode(vm, args.req(0), errors.as_deref(), order)?)
}

type WideDecode =
    fn(&Interpreter, &[u8], Option<&Value>, Option<&str>, ByteOrder, bool) -> Res<codecs::Decoded>;

/// `utf_16_ex_decode` and `utf_32_ex_decode`, which also tell the order found: -1, 0, 1.
fn decode_wide(vm: &Interpreter, args: &Args, function: &str, f: WideDecode) -> Res {
    let errors = errors(vm, args, 1, function)?;
    let order = order_of(vm, args, 2)?;
    let last = args.bool_or(vm, 3, false)?;
    let result = codecs::with_bytes(vm, args.req(0), |bytes, object| {
        f(vm, bytes, object, errors.as_deref(), order, last)
    })?;
    let order = match result.order {
        ByteOrder::Little => -1,
        ByteOrder::Native => 0,
        ByteOrder::Big => 1,
    };
    vm.new_tuple(vec![result.text, vm.new_int(result.consumed as i64)?, vm.new_int(order)?])
}

fn charmap_encode(vm: &Interpreter, args: &Args) -> Res {
    let errors = errors(vm, args, 1, "charmap_encode")?;
    let text = args.req(0);
    vm.expect_text(text)?;
    let bytes = match args.some(2) {
        Some(mapping) => charmap::encode(vm, text, errors.as_deref(), mapping)?,
        None => single::encode(vm, text, errors.as_deref(), &single::LATIN1)?,
    };
    encoded(vm, text, bytes)
}

fn charmap_decode(vm: &Interpreter, args: &Args) -> Res {
    let errors = errors(vm, args, 1, "charmap_decode")?;
    let result = codecs::with_bytes(vm, args.req(0), |bytes, object| {
        charmap::decode(vm, bytes, object, errors.as_deref(), args.some(2))
    })?;
    decoded(vm, result)
}

fn escape_decode(vm: &Interpreter, args: &Args) -> Res {
    let errors = errors(vm, args, 1, "escape_decode")?;
    let bytes = match args.req(0).downcast::<Str>() {
        Some(s) => escape::text_bytes(vm, &s.text)?,
        None => vm.copied(&vm.bytes_like(args.req(0))?.bytes())?,
    };
    let result = escape::bytes_escape_decode(vm, &bytes, errors.as_deref())?;
    decoded(vm, (vm.new_bytes(result)?, bytes.len()))
}

fn escape_encode(vm: &Interpreter, args: &Args) -> Res {
    let Some(bytes) = args.req(0).downcast::<Bytes>() else {
        let got = vm.type_name(args.req(0));
        return Err(vm.type_error(format!("escape_encode() argument 1 must be bytes, not {got}")));
    };
    let result = escape::bytes_escape_encode(bytes.as_slice());
    decoded(vm, (vm.new_bytes(result)?, bytes.as_slice().len()))
}

fn readbuffer_encode(vm: &Interpreter, args: &Args) -> Res {
    let bytes = match args.req(0).downcast::<Str>() {
        Some(_) => utf8::encode(vm, args.req(0), None)?,
        None => vm.new_bytes(vm.copied(&vm.bytes_like(args.req(0))?.bytes())?)?,
    };
    let len = vm.len(&bytes)?;
    decoded(vm, (bytes, len))
}

macro_rules! encoder {
    ($name:literal, $f:expr) => {
        FunctionDef::new(
            $name,
            "($module, str, errors=None, /)",
            "Encode a string; return the bytes and the number of characters.",
            NativeFn::Args(|vm, args| encode(vm, args, $name, $f)),
        )
    };
}
macro_rules! decoder {
    ($name:literal, $f:expr) => {
        FunctionDef::new(
            $name,
            "($module, data, errors=None, final=False, /)",
            "Decode bytes; return the string and the number of bytes.",
            NativeFn::Args(|vm, args| decode(vm, args, $name, false, $f)),
        )
    };
}
macro_rules! whole_decoder {
    ($name:literal, $f:expr) => {
        FunctionDef::new(
            $name,
            "($module, data, errors=None, /)",
            "Decode bytes; return the string and the number of bytes.",
            NativeFn::Args(|vm, args| decode(vm, args, $name, true, $f)),
        )
    };
}
macro_rules! ordered {
    ($module:ident, $order:ident) => {
        |vm, bytes, object, errors, last| {
            let found = $module::decode(vm, bytes, object, errors, ByteOrder::$order, last)?;
            Ok((found.text, found.consumed))
        }
    };
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "_codecs",
    doc: "",
    functions: &[
        FunctionDef::new("register", "($module, search_function, /)", "Register a codec search function.", NativeFn::F1(register)),
        FunctionDef::new("unregister", "($module, search_function, /)", "Unregister a codec search function and clear the registry's cache.", NativeFn::F1(unregister)),
        FunctionDef::new("lookup", "($module, encoding, /)", "Looks up a codec tuple in the Python codec registry and returns a CodecInfo object.", NativeFn::Args(lookup)),
        FunctionDef::new("encode", "($module, /, obj, encoding='utf-8', errors='strict')", "Encodes obj using the codec registered for encoding.", NativeFn::Args(|vm, args| through_codec(vm, args, "encode", registry::Direction::Encode))),
        FunctionDef::new("decode", "($module, /, obj, encoding='utf-8', errors='strict')", "Decodes obj using the codec registered for encoding.", NativeFn::Args(|vm, args| through_codec(vm, args, "decode", registry::Direction::Decode))),
        FunctionDef::new("register_error", "($module, errors, handler, /)", "Register the specified error handler under the name errors.", NativeFn::Args(register_error)),
        FunctionDef::new("_unregister_error", "($module, errors, /)", "Un-register the specified error handler.", NativeFn::Args(unregister_error)),
        FunctionDef::new("lookup_error", "($module, name, /)", "Return the error handler for the specified error handling name.", NativeFn::Args(lookup_error)),
        FunctionDef::new("_normalize_encoding", "($module, encoding, /)", "Normalize an encoding name, without its case.", NativeFn::Args(normalize_encoding)),
        encoder!("utf_8_encode", utf8::encode),
        decoder!("utf_8_decode", utf8::decode),
        encoder!("utf_7_encode", |vm, text, _| utf7::encode(vm, text)),
        decoder!("utf_7_decode", utf7::decode),
        FunctionDef::new("utf_16_encode", "($module, str, errors=None, byteorder=0, /)", "Encode as UTF-16.", NativeFn::Args(utf_16_encode)),
        encoder!("utf_16_le_encode", |vm, text, errors| utf16::encode(vm, text, errors, ByteOrder::Little)),
        encoder!("utf_16_be_encode", |vm, text, errors| utf16::encode(vm, text, errors, ByteOrder::Big)),
        decoder!("utf_16_decode", ordered!(utf16, Native)),
        decoder!("utf_16_le_decode", ordered!(utf16, Little)),
        decoder!("utf_16_be_decode", ordered!(utf16, Big)),
        FunctionDef::new("utf_16_ex_decode", "($module, data, errors=None, byteorder=0, final=False, /)", "Decode UTF-16 and tell the byte order.", NativeFn::Args(|vm, args| decode_wide(vm, args, "utf_16_ex_decode", utf16::decode))),
        FunctionDef::new("utf_32_encode", "($module, str, errors=None, byteorder=0, /)", "Encode as UTF-32.", NativeFn::Args(utf_32_encode)),
        encoder!("utf_32_le_encode", |vm, text, errors| utf32::encode(vm, text, errors, ByteOrder::Little)),
        encoder!("utf_32_be_encode", |vm, text, errors| utf32::encode(vm, text, errors, ByteOrder::Big)),
        decoder!("utf_32_decode", ordered!(utf32, Native)),
        decoder!("utf_32_le_decode", ordered!(utf32, Little)),
        decoder!("utf_32_be_decode", ordered!(utf32, Big)),
        FunctionDef::new("utf_32_ex_decode", "($module, data, errors=None, byteorder=0, final=False, /)", "Decode UTF-32 and tell the byte order.", NativeFn::Args(|vm, args| decode_wide(vm, args, "utf_32_ex_decode", utf32::decode))),
        encoder!("latin_1_encode", |vm, text, errors| codecs::encode_with(vm, Encoding::Latin1, text, errors)),
        whole_decoder!("latin_1_decode", |vm, bytes, object, errors, _| Ok((codecs::decode_with(vm, Encoding::Latin1, bytes, object, errors)?, bytes.len()))),
        encoder!("ascii_encode", |vm, text, errors| codecs::encode_with(vm, Encoding::Ascii, text, errors)),
        whole_decoder!("ascii_decode", |vm, bytes, object, errors, _| single::decode_ascii(vm, bytes, object, errors)),
        encoder!("unicode_escape_encode", |vm, text, _| escape::unicode_escape_encode(vm, text)),
        FunctionDef::new("unicode_escape_decode", "($module, data, errors=None, final=True, /)", "Read backslash escapes.", NativeFn::Args(|vm, args| decode_text(vm, args, "unicode_escape_decode", escape::unicode_escape_decode))),
        encoder!("raw_unicode_escape_encode", |vm, text, _| escape::raw_unicode_escape_encode(vm, text)),
        FunctionDef::new("raw_unicode_escape_decode", "($module, data, errors=None, final=True, /)", "Read \\u and \\U escapes.", NativeFn::Args(|vm, args| decode_text(vm, args, "raw_unicode_escape_decode", escape::raw_unicode_escape_decode))),
        FunctionDef::new("charmap_encode", "($module, str, errors=None, mapping=None, /)", "Encode through a mapping.", NativeFn::Args(charmap_encode)),
        FunctionDef::new("charmap_decode", "($module, data, errors=None, mapping=None, /)", "Decode through a mapping.", NativeFn::Args(charmap_decode)),
        FunctionDef::new("charmap_build", "($module, map, /)", "Return the mapping that encodes what the string decodes.", NativeFn::F1(charmap::build)),
        FunctionDef::new("escape_decode", "($module, data, errors=None, /)", "Read the escapes of a bytes literal.", NativeFn::Args(escape_decode)),
        FunctionDef::new("escape_encode", "($module, data, errors=None, /)", "Write bytes as in a literal.", NativeFn::Args(escape_encode)),
        FunctionDef::new("readbuffer_encode", "($module, data, errors=None, /)", "Return the bytes of a buffer, or of a string as UTF-8.", NativeFn::Args(readbuffer_encode)),
    ],
    types: &[],
    constants: &[],
    init: None,
};

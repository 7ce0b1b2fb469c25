//! Character maps: a `str` of 256 characters to decode, any mapping to decode and encode, and the compact map that
//! `codecs.charmap_build` makes.

use super::handler::Substitute;
use super::{Decoder, Encoder};
use pellucid_object::{
    Bytes, Dict, FunctionDef, Interpreter, NativeFn, Payload, Raised, Res, Str, TypeDef, TypeFlags, Value,
    payload,
};

const UNDEFINED: u32 = 0xfffe;
const REASON: &str = "character maps to <undefined>";

/// Payload of `EncodingMap`: pairs of code point and byte, sorted.
pub struct EncodingMap(Vec<(u32, u8)>);

impl Payload for EncodingMap {
    const CONTAINER: bool = false;
}

pub static ENCODING_MAP: TypeDef = TypeDef {
    name: "EncodingMap",
    module: "builtins",
    base: None,
    payload: payload::<EncodingMap>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[FunctionDef::new(
        "size",
        "($self, /)",
        "Return the size (in bytes) of this object.",
        NativeFn::F1(|vm, this| match this.downcast::<EncodingMap>() {
            Some(map) => vm.new_int((map.0.len() * 8) as i64),
            None => Err(vm.bug("no map")),
        }),
    )],
    getset: &[],
};

/// `codecs.charmap_build`: from the characters of the bytes 0, 1, 2, ... A short table becomes a dict.
pub fn build(vm: &Interpreter, table: &Value) -> Res {
    let text = vm.expect_text(table)?;
    if text.len() < 256 {
        let dict = vm.new_dict()?;
        for (byte, point) in text.code_points().enumerate() {
            dict.set(vm, vm.new_int(i64::from(point))?, vm.new_int(byte as i64)?)?;
        }
        return Ok(dict.into_value());
    }
    let mut pairs: Vec<(u32, u8)> =
        text.code_points().take(256).zip(0..=255).filter(|(p, _)| *p != UNDEFINED).collect();
    // A character that stands twice is encoded as its last byte.
    pairs.reverse();
    pairs.sort_by_key(|(point, _)| *point);
    pairs.dedup_by_key(|(point, _)| *point);
    vm.alloc(&vm.type_for(&ENCODING_MAP)?, EncodingMap(pairs))
}

fn look_up(vm: &Interpreter, mapping: &Value, key: u32) -> Res<Option<Value>> {
    let key = vm.new_int(i64::from(key))?;
    let found = match mapping.downcast::<Dict>() {
        Some(dict) if vm.is_exact(mapping, &vm.types().dict) => return dict.get(vm, &key),
        _ => vm.get_item(mapping, &key),
    };
    match found {
        Ok(value) => Ok(Some(value)),
        Err(raised) if vm.raised_is(vm.exceptions().lookup_error()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// The bytes that a code point maps to; `None` when it maps to nothing.
fn encode_point(vm: &Interpreter, mapping: &Value, point: u32, out: &mut Vec<u8>) -> Res<bool> {
    if let Some(map) = mapping.downcast::<EncodingMap>() {
        return Ok(match map.0.binary_search_by_key(&point, |(p, _)| *p) {
            Ok(at) => {
                out.push(map.0[at].1);
                true
            }
            Err(_) => false,
        });
    }
    let Some(value) = look_up(vm, mapping, point)?.filter(|v| !v.is_none()) else { return Ok(false) };
    if value.as_int().is_some() {
        return match vm.as_i64(&value).and_then(|i| u8::try_from(i).ok()) {
            Some(byte) => {
                out.push(byte);
                Ok(true)
            }
            None => Err(vm.type_error("character mapping must be in range(256)".to_string())),
        };
    }
    match value.downcast::<Bytes>() {
        Some(bytes) => {
            out.extend_from_slice(bytes.as_slice());
            Ok(true)
        }
        None => {
            let got = vm.type_name(&value);
            Err(vm.type_error(format!("character mapping must return integer, bytes or None, not {got}")))
        }
    }
}

/// Encodes a `str` through a mapping from code points to bytes.
pub fn encode(vm: &Interpreter, object: &Value, errors: Option<&str>, mapping: &Value) -> Res {
    let text = vm.expect_text(object)?;
    let mut encoder = Encoder::new(vm, "charmap", object, errors);
    encoder.reserve(text.len())?;
    let mut at = 0;
    while let Some(point) = text.get(at) {
        encoder.reserve(1)?;
        if encode_point(vm, mapping, point, &mut encoder.out)? {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while let Some(point) = text.get(end) {
            if encode_point(vm, mapping, point, &mut Vec::new())? {
                break;
            }
            end += 1;
        }
        let (substitute, resume) = encoder.unencodable((at, end), REASON)?;
        match substitute {
            Substitute::Bytes(bytes) => encoder.extend(&bytes)?,
            Substitute::Text(text) => {
                for point in text.code_points() {
                    if !encode_point(vm, mapping, point, &mut encoder.out)? {
                        return Err(encoder.refuse((at, end), REASON));
                    }
                }
            }
        }
        at = resume;
    }
    encoder.finish()
}

#[cold]
fn out_of_range(vm: &Interpreter) -> Raised {
    vm.type_error("character mapping must be in range(0x110000)".to_string())
}

/// Decodes through a mapping from bytes to characters; Latin-1 without one.
pub fn decode(
    vm: &Interpreter,
    bytes: &[u8],
    object: Option<&Value>,
    errors: Option<&str>,
    mapping: Option<&Value>,
) -> Res<(Value, usize)> {
    let Some(mapping) = mapping else {
        let text = pellucid_object::Text::from_latin1(bytes);
        return Ok((vm.made_text(text)?, bytes.len()));
    };
    let mut decoder = Decoder::new(vm, "charmap", bytes, object, errors);
    let table = mapping.downcast::<Str>().filter(|_| vm.is_exact(mapping, &vm.types().str));
    while let Some(&byte) = decoder.rest().first() {
        let at = decoder.at;
        if let Some(table) = table {
            match table.text.get(usize::from(byte)) {
                Some(point) if point != UNDEFINED => {
                    decoder.push(point)?;
                    decoder.at += 1;
                }
                _ => decoder.malformed((at, at + 1), REASON)?,
            }
            continue;
        }
        let Some(value) = look_up(vm, mapping, u32::from(byte))?.filter(|v| !v.is_none()) else {
            decoder.malformed((at, at + 1), REASON)?;
            continue;
        };
        if value.as_int().is_some() {
            let point = vm.as_i64(&value).and_then(|i| u32::try_from(i).ok()).filter(|p| *p < 0x110000);
            match point {
                Some(UNDEFINED) => {
                    decoder.malformed((at, at + 1), REASON)?;
                    continue;
                }
                Some(point) => decoder.push(point)?,
                None => return Err(out_of_range(vm)),
            }
        } else if let Some(s) = value.downcast::<Str>() {
            if s.text.len() == 1 && s.text.get(0) == Some(UNDEFINED) {
                decoder.malformed((at, at + 1), REASON)?;
                continue;
            }
            decoder.push_text(&s.text)?;
        } else {
            return Err(vm.type_error("character mapping must return integer, None or str".to_string()));
        }
        decoder.at += 1;
    }
    decoder.finish()
}

//! `str.translate` and `str.maketrans`.

use super::text;
use pellucid_object::text::NoMemory;
use pellucid_object::text::layout::Translated;
use pellucid_object::{Dict, Interpreter, Raised, Res, Str, TextBuilder, Value};

/// An item of a translation table, looked up. Errors: what looking up raises, unless it is a `LookupError`.
fn look_up(vm: &Interpreter, table: &Value, point: u32) -> Res<Translated> {
    let key = vm.new_int(i64::from(point))?;
    let found = match table.downcast::<Dict>() {
        Some(dict) if vm.is_exact(table, &vm.types().dict) => match dict.get(vm, &key)? {
            Some(value) => value,
            None => return Ok(Translated::Keep),
        },
        _ => match vm.get_item(table, &key) {
            Ok(value) => value,
            Err(raised) if vm.raised_is(vm.exceptions().lookup_error()) => {
                drop(vm.take_raised(raised));
                return Ok(Translated::Keep);
            }
            Err(raised) => return Err(raised),
        },
    };
    if found.is_none() {
        return Ok(Translated::Delete);
    }
    if found.as_int().is_some() {
        let point = vm.as_i64(&found).and_then(|i| u32::try_from(i).ok()).filter(|p| *p < 0x110000);
        return match point {
            Some(point) => Ok(Translated::Point(point)),
            None => Err(vm.value_error("character mapping must be in range(0x110000)".to_string())),
        };
    }
    match found.downcast::<Str>() {
        Some(s) => Ok(Translated::Text(s.text.try_clone().map_err(|_| vm.no_memory())?)),
        None => Err(vm.type_error("character mapping must return integer, None or str".to_string())),
    }
}

pub fn translate(vm: &Interpreter, this: &Value, table: &Value) -> Res {
    let text = text(vm, this)?;
    let mut builder = TextBuilder::with_kind(text.kind());
    // What ASCII characters became: most texts are long and use few characters.
    let mut known: [Option<Translated>; 128] = [const { None }; 128];
    let put = |builder: &mut TextBuilder, point: u32, to: &Translated| -> Result<(), NoMemory> {
        match to {
            Translated::Keep => builder.push(point),
            Translated::Delete => Ok(()),
            Translated::Point(point) => builder.push(*point),
            Translated::Text(text) => builder.push_text(text),
        }
    };
    let simple = match text.as_ascii() {
        Some(ascii) => translate_ascii(vm, table, ascii.as_bytes(), &mut builder)?,
        None => 0,
    };
    for point in text.code_points_in(simple, text.len()) {
        let done = match known.get(point as usize) {
            Some(Some(to)) => put(&mut builder, point, to),
            _ => {
                let to = look_up(vm, table, point)?;
                let done = put(&mut builder, point, &to);
                if let Some(place) = known.get_mut(point as usize) {
                    *place = Some(to);
                }
                done
            }
        };
        done.map_err(|NoMemory| vm.no_memory())?;
    }
    vm.made_text(builder.finish())
}

/// Translates as long as ASCII characters become one each, or nothing: how many were done.
fn translate_ascii(vm: &Interpreter, table: &Value, ascii: &[u8], builder: &mut TextBuilder) -> Res<usize> {
    const DELETED: u8 = 0x80;
    const UNKNOWN: u8 = 0xff;
    let mut known = [UNKNOWN; 128];
    let mut result = Vec::new();
    result.try_reserve_exact(ascii.len()).map_err(|_| vm.no_memory())?;
    let mut done = 0;
    for &byte in ascii {
        if known[usize::from(byte & 0x7f)] == UNKNOWN {
            known[usize::from(byte & 0x7f)] = match look_up(vm, table, u32::from(byte))? {
                Translated::Keep => byte,
                Translated::Delete => DELETED,
                Translated::Point(point @ ..0x80) => point as u8,
                _ => break,
            };
        }
        match known[usize::from(byte & 0x7f)] {
            DELETED => {}
            translated => result.push(translated),
        }
        done += 1;
    }
    let translated = std::str::from_utf8(&result).unwrap_or_default();
    builder.push_str(translated).map_err(|NoMemory| vm.no_memory())?;
    Ok(done)
}

#[cold]
fn not_str(vm: &Interpreter, position: usize, value: &Value) -> Raised {
    let got = vm.type_name(value);
    vm.type_error(format!("maketrans() argument {position} must be str, not {got}"))
}

pub fn maketrans(vm: &Interpreter, args: &[Value]) -> Res {
    let result = vm.new_dict()?;
    match args {
        [mapping] => {
            let Some(mapping) = mapping.downcast::<Dict>() else {
                let what = "if you give only one argument to maketrans it must be a dict";
                return Err(vm.type_error(what.to_string()));
            };
            for (key, value) in mapping.pairs() {
                let key = if let Some(s) = key.downcast::<Str>() {
                    match (s.text.len(), s.text.get(0)) {
                        (1, Some(point)) => vm.new_int(i64::from(point))?,
                        _ => {
                            let what = "string keys in translate table must be of length 1";
                            return Err(vm.value_error(what.to_string()));
                        }
                    }
                } else if key.as_int().is_some() {
                    key
                } else {
                    let what = "keys in translate table must be strings or integers";
                    return Err(vm.type_error(what.to_string()));
                };
                result.set(vm, key, value)?;
            }
        }
        [from, to, rest @ ..] => {
            let Some(to) = to.downcast::<Str>() else { return Err(not_str(vm, 2, to)) };
            if let Some(gone) = rest.first()
                && gone.downcast::<Str>().is_none()
            {
                return Err(not_str(vm, 3, gone));
            }
            let Some(from) = from.downcast::<Str>() else {
                let what = "first maketrans argument must be a string if there is a second argument";
                return Err(vm.type_error(what.to_string()));
            };
            if from.text.len() != to.text.len() {
                let what = "the first two maketrans arguments must have equal length";
                return Err(vm.value_error(what.to_string()));
            }
            for (f, t) in from.text.code_points().zip(to.text.code_points()) {
                result.set(vm, vm.new_int(i64::from(f))?, vm.new_int(i64::from(t))?)?;
            }
            if let Some(gone) = rest.first().and_then(|g| g.downcast::<Str>()) {
                for point in gone.text.code_points() {
                    result.set(vm, vm.new_int(i64::from(point))?, Value::NONE)?;
                }
            }
        }
        [] => return Err(vm.bug("counted before")),
    }
    Ok(result.into_value())
}

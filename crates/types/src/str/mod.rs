//! `str`. Here: the constructor and the operators; [`methods`] has the methods. The characters stand in
//! `pellucid_object::Text`.

mod methods;
mod translate;

use crate::codecs;
use crate::seq::{self, Subscript};
use crate::slice::{self, Slice};
use pellucid_object::{
    BinOp, CallArgs, CmpOp, Interpreter, Res, Slot, Str, Text, TypeDef, TypeFlags, Value, payload,
};
use std::ops::Range;

pub(crate) fn text<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Text> {
    match value.downcast::<Str>() {
        Some(s) => Ok(&s.text),
        None => Err(vm.type_error(format!(
            "descriptor requires a 'str' object but received a '{}'",
            vm.type_name(value)
        ))),
    }
}

/// A new `str` from code points.
pub fn from_code_points(vm: &Interpreter, points: &[u32]) -> Res {
    vm.made_text(Text::from_code_points(points))
}

/// What an operation that changes nothing gives back: the object itself when it is exactly `str`, else a copy.
fn unchanged(vm: &Interpreter, this: &Value) -> Res {
    if vm.is_exact(this, &vm.types().str) {
        return Ok(this.clone());
    }
    vm.made_text(text(vm, this)?.try_clone())
}

/// A part of the text; the whole object where it is the whole text.
fn piece(vm: &Interpreter, this: &Value, range: Range<usize>) -> Res {
    let text = text(vm, this)?;
    if range.len() == text.len() {
        return unchanged(vm, this);
    }
    vm.text_piece(text, range.start, range.end)
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    vm.made_text(text(vm, this)?.repr())
}

fn compare(_: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(match op {
        CmpOp::Eq => x.text == y.text,
        CmpOp::Ne => x.text != y.text,
        _ => op.holds(x.text.cmp(&y.text)),
    }))
}

fn hash(vm: &Interpreter, this: &Value) -> Res<i64> {
    match this.downcast::<Str>() {
        Some(s) => Ok(vm.str_hash(s)),
        None => Err(vm.bug("hash of no str")),
    }
}

fn len(vm: &Interpreter, this: &Value) -> Res<usize> {
    Ok(text(vm, this)?.len())
}

fn add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some(left) = a.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let Some(right) = b.downcast::<Str>() else {
        let got = vm.type_name(b);
        return Err(vm.type_error(format!("can only concatenate str (not \"{got}\") to str")));
    };
    if right.text.is_empty() {
        return unchanged(vm, a);
    }
    if left.text.is_empty() {
        return unchanged(vm, b);
    }
    vm.made_text(left.text.concat(&right.text))
}

fn repeat(vm: &Interpreter, this: &Value, count: i64) -> Res {
    match count {
        1 => unchanged(vm, this),
        count => {
            let (text, times) = (text(vm, this)?, usize::try_from(count).unwrap_or(0));
            vm.expect_room(text.size_in_bytes().saturating_mul(times))?;
            vm.made_text(text.repeat(times))
        }
    }
}

fn get_item(vm: &Interpreter, this: &Value, key: &Value) -> Res {
    if !seq::has_index(vm, key) && key.downcast::<Slice>().is_none() {
        let got = vm.type_name(key);
        return Err(vm.type_error(format!("string indices must be integers, not '{got}'")));
    }
    let text = text(vm, this)?;
    match seq::subscript(vm, key, "string")? {
        Subscript::Index(i) => match seq::place(i, text.len()).and_then(|i| text.get(i)) {
            Some(point) => vm.str_of_point(point),
            None => Err(vm.index_error("string index out of range".to_string())),
        },
        Subscript::Slice(key) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            let span = slice::parts(vm, slice)?.over(text.len());
            if span.step == 1 || span.count == 0 {
                let start = span.start.max(0) as usize;
                return piece(vm, this, start..start + span.count);
            }
            vm.made_text(text.slice_step(span.start as usize, span.step as isize, span.count))
        }
    }
}

fn contains(vm: &Interpreter, this: &Value, item: &Value) -> Res<bool> {
    let Some(needle) = item.downcast::<Str>() else {
        let got = vm.type_name(item);
        return Err(vm.type_error(format!("'in <string>' requires string as left operand, not {got}")));
    };
    Ok(text(vm, this)?.contains(&needle.text))
}

fn str(vm: &Interpreter, this: &Value) -> Res {
    unchanged(vm, this)
}

/// The text of bytes, for `str(object, encoding, errors)`.
fn decoded(vm: &Interpreter, object: &Value, encoding: Option<&str>, errors: Option<&str>) -> Res {
    if object.downcast::<Str>().is_some() {
        return Err(vm.type_error("decoding str is not supported".to_string()));
    }
    if !vm.has_buffer(object) {
        let got = vm.type_name(object);
        return Err(vm.type_error(format!("decoding to str: need a bytes-like object, {got} found")));
    }
    codecs::decode(vm, object, encoding, errors)
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let exact = cls.is(vm.types().str.value());
    let made = match (args.values, args.names) {
        ([], []) => vm.new_str("")?,
        ([object], []) => vm.str(object)?,
        _ => {
            let total = args.values.len();
            if total > 3 && !args.names.is_empty() {
                return Err(vm.type_error(format!("str() takes at most 3 arguments ({total} given)")));
            }
            if total > 3 {
                return Err(vm.type_error(format!("str expected at most 3 arguments, got {total}")));
            }
            let [object, encoding, errors] = seq::bind(vm, "str", ["object", "encoding", "errors"], args)?;
            let name =
                |value: Option<_>, name| value.map(|v| codecs::name_argument(vm, v, "str", name)).transpose();
            let (encoding, errors) = (name(encoding.as_ref(), "encoding")?, name(errors.as_ref(), "errors")?);
            match object {
                None => vm.new_str("")?,
                Some(object) if encoding.is_none() && errors.is_none() => vm.str(&object)?,
                Some(object) => decoded(vm, &object, encoding.as_deref(), errors.as_deref())?,
            }
        }
    };
    if exact {
        return Ok(made);
    }
    let copy = text(vm, &made)?.try_clone().map_err(|_| vm.no_memory())?;
    vm.alloc_subclass(cls, Str::new(copy))
}

pub static STR: TypeDef = TypeDef {
    name: "str",
    module: "builtins",
    base: None,
    payload: payload::<Str>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF),
    doc: "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\nThe text of an object: what its \
          __str__ says, or its __repr__. With an encoding or errors,\nthe text that the bytes of the object mean.\n\
          encoding defaults to 'utf-8'.\nerrors defaults to 'strict'.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Str(str),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Len(len),
        Slot::GetItem(get_item),
        Slot::Contains(contains),
        Slot::Iter(crate::cursor::over_str),
        Slot::Concat(add),
        Slot::Repeat(repeat),
        Slot::Binary(BinOp::Mod, |vm, a, b| match a.downcast::<Str>() {
            Some(s) => crate::format::percent_format_str(vm, &s.text, b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }),
    ],
    methods: methods::METHODS,
    getset: &[],
};

#[cfg(test)]
mod tests;

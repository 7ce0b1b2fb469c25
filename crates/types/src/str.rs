//! `str`: operators and iteration. The characters stand in `pellucid_object::Text`.

use pellucid_object::text::NoMemory;
use pellucid_object::{
    BinOp, CmpOp, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Str, Text, TypeDef,
    TypeFlags, UnOp, Value, Visitor, payload,
};
use std::cell::Cell;
use std::cmp::Ordering;

fn text<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Text> {
    match value.downcast::<Str>() {
        Some(s) => Ok(&s.text),
        None => Err(vm.type_error(format!("expected str instance, {} found", vm.type_name(value)))),
    }
}

/// A new `str` from code points.
pub fn from_code_points(vm: &Interpreter, points: &[u32]) -> Res {
    match Text::from_code_points(points) {
        Ok(text) => vm.new_text(text),
        Err(NoMemory) => Err(vm.no_memory()),
    }
}

/// A new `str`, or `MemoryError`.
fn made(vm: &Interpreter, text: Result<Text, NoMemory>) -> Res {
    match text {
        Ok(text) => vm.new_text(text),
        Err(NoMemory) => Err(vm.no_memory()),
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    made(vm, text(vm, this)?.repr())
}

fn compare(_: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let ordering = match (op, x.text == y.text) {
        (_, true) => Ordering::Equal,
        (CmpOp::Eq | CmpOp::Ne, false) => Ordering::Less,
        _ => x.text.code_points().cmp(y.text.code_points()),
    };
    Ok(Value::bool(op.holds(ordering)))
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
    made(vm, left.text.concat(&right.text))
}

fn mul(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (this, times) = if a.downcast::<Str>().is_some() { (a, b) } else { (b, a) };
    if times.as_int().is_none() && vm.type_of(times).slots.unary[UnOp::Index as usize].get().is_none() {
        let got = vm.type_name(times);
        return Err(vm.type_error(format!("can't multiply sequence by non-int of type '{got}'")));
    }
    let index = vm.index(times)?;
    let Some(times) = vm.as_i64(&index) else {
        return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer".to_string()));
    };
    made(vm, text(vm, this)?.repeat(usize::try_from(times).unwrap_or(0)))
}

fn get_item(vm: &Interpreter, this: &Value, key: &Value) -> Res {
    let text = text(vm, this)?;
    if key.as_int().is_none() && vm.type_of(key).slots.unary[UnOp::Index as usize].get().is_none() {
        let got = vm.type_name(key);
        return Err(vm.type_error(format!("string indices must be integers, not '{got}'")));
    }
    let index = vm.index(key)?;
    let Some(index) = vm.as_i64(&index) else {
        return Err(vm.index_error("cannot fit 'int' into an index-sized integer".to_string()));
    };
    let index = if index < 0 { index.saturating_add_unsigned(text.len() as u64) } else { index };
    match usize::try_from(index).ok().and_then(|i| text.get(i)) {
        Some(point) => from_code_points(vm, &[point]),
        None => Err(vm.index_error("string index out of range".to_string())),
    }
}

fn contains(vm: &Interpreter, this: &Value, item: &Value) -> Res<bool> {
    let Some(needle) = item.downcast::<Str>() else {
        let got = vm.type_name(item);
        return Err(vm.type_error(format!("'in <string>' requires string as left operand, not {got}")));
    };
    let hay = text(vm, this)?;
    Ok(hay.contains(&needle.text))
}

fn join(vm: &Interpreter, this: &Value, iterable: &Value) -> Res {
    let items = vm.collect(iterable)?;
    let mut parts = Vec::new();
    if parts.try_reserve_exact(items.len()).is_err() {
        return Err(vm.no_memory());
    }
    for (index, item) in items.iter().enumerate() {
        match item.downcast::<Str>() {
            Some(s) => parts.push(&s.text),
            None => {
                let got = vm.type_name(item);
                return Err(
                    vm.type_error(format!("sequence item {index}: expected str instance, {got} found"))
                );
            }
        }
    }
    made(vm, text(vm, this)?.join(&parts))
}

/// Payload of `str_iterator`.
pub struct StrIterator {
    text: SlotWord,
    index: Cell<usize>,
}

impl Payload for StrIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.text.trace(visit);
    }
    fn clear(&self) {
        self.text.set(None);
    }
}

fn iter(vm: &Interpreter, this: &Value) -> Res {
    let payload = StrIterator { text: SlotWord::new(Some(this.clone())), index: Cell::new(0) };
    vm.alloc(&vm.type_for(&STR_ITERATOR)?, payload)
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(iterator) = this.downcast::<StrIterator>() else { return Err(vm.bug("no str iterator")) };
    let Some(string) = iterator.text.get() else { return Ok(None) };
    let index = iterator.index.get();
    match text(vm, &string)?.get(index) {
        Some(point) => {
            iterator.index.set(index + 1);
            from_code_points(vm, &[point]).map(Some)
        }
        None => {
            iterator.text.set(None);
            Ok(None)
        }
    }
}

static STR_ITERATOR: TypeDef = TypeDef {
    name: "str_iterator",
    module: "builtins",
    base: None,
    payload: payload::<StrIterator>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[],
};

pub static STR: TypeDef = TypeDef {
    name: "str",
    module: "builtins",
    base: None,
    payload: payload::<Str>(),
    flags: TypeFlags::BASETYPE,
    doc: "",
    slots: &[
        Slot::Repr(repr),
        Slot::Str(|vm, this| from_code_points(vm, &text(vm, this)?.code_points().collect::<Vec<_>>())),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Len(len),
        Slot::GetItem(get_item),
        Slot::Contains(contains),
        Slot::Iter(iter),
        Slot::Binary(BinOp::Add, add),
        Slot::Binary(BinOp::Mul, mul),
    ],
    methods: &[
        FunctionDef::new(
            "lower",
            "($self, /)",
            "Return a copy of the string converted to lowercase.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.to_lower())),
        ),
        FunctionDef::new(
            "upper",
            "($self, /)",
            "Return a copy of the string converted to uppercase.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.to_upper())),
        ),
        FunctionDef::new(
            "casefold",
            "($self, /)",
            "Return a version of the string suitable for caseless comparisons.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.casefold())),
        ),
        FunctionDef::new(
            "title",
            "($self, /)",
            "Return a version of the string where each word is titlecased.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.to_title())),
        ),
        FunctionDef::new(
            "capitalize",
            "($self, /)",
            "Return a capitalized version of the string.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.capitalize())),
        ),
        FunctionDef::new(
            "swapcase",
            "($self, /)",
            "Convert uppercase characters to lowercase and lowercase characters to uppercase.",
            NativeFn::F1(|vm, this| made(vm, text(vm, this)?.swapcase())),
        ),
        FunctionDef::new(
            "isascii",
            "($self, /)",
            "Tell whether the string is ASCII.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_ascii()))),
        ),
        FunctionDef::new(
            "isalpha",
            "($self, /)",
            "Tell whether the string is alphabetic.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_alpha()))),
        ),
        FunctionDef::new(
            "isalnum",
            "($self, /)",
            "Tell whether the string is alpha-numeric.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_alnum()))),
        ),
        FunctionDef::new(
            "isdecimal",
            "($self, /)",
            "Tell whether the string is a decimal string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_decimal()))),
        ),
        FunctionDef::new(
            "isdigit",
            "($self, /)",
            "Tell whether the string is a digit string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_digit()))),
        ),
        FunctionDef::new(
            "isnumeric",
            "($self, /)",
            "Tell whether the string is a numeric string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_numeric()))),
        ),
        FunctionDef::new(
            "isspace",
            "($self, /)",
            "Tell whether the string is whitespace.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_space()))),
        ),
        FunctionDef::new(
            "isprintable",
            "($self, /)",
            "Tell whether the string is printable.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_printable()))),
        ),
        FunctionDef::new(
            "islower",
            "($self, /)",
            "Tell whether the string is a lowercase string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_lower()))),
        ),
        FunctionDef::new(
            "isupper",
            "($self, /)",
            "Tell whether the string is an uppercase string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_upper()))),
        ),
        FunctionDef::new(
            "istitle",
            "($self, /)",
            "Tell whether the string is a title-cased string.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_title()))),
        ),
        FunctionDef::new(
            "isidentifier",
            "($self, /)",
            "Tell whether the string is a valid Python identifier.",
            NativeFn::F1(|vm, this| Ok(Value::bool(text(vm, this)?.is_identifier()))),
        ),
        FunctionDef::new(
            "join",
            "($self, iterable, /)",
            "Concatenate any number of strings, this one between them.",
            NativeFn::F2(join),
        ),
    ],
    getset: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_quotes_and_escapes_as_cpython_does() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("install");
        for (points, expected) in [
            ("it's", r#""it's""#),
            ("\"'", r#"'"\''"#),
            ("a\n\t\r\\\0\u{7f}", r"'a\n\t\r\\\x00\x7f'"),
            ("é\u{a0}\u{200b}\u{e000}\u{1f600}", "'é\\xa0\\u200b\\ue000\u{1f600}'"),
        ] {
            let value = vm.new_str(points).expect("str");
            assert_eq!(vm.repr_lossy(&value).expect("repr"), expected);
        }
        let lone = from_code_points(&vm, &[0xd800]).expect("str");
        assert_eq!(vm.repr_lossy(&lone).expect("repr"), r"'\ud800'");
    }

    #[test]
    fn operators() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("install");
        let string = |s: &str| vm.new_str(s).expect("str");
        let int = |i: i64| vm.new_int(i).expect("int");
        let shown = |result: Res| match result {
            Ok(value) => vm.str_lossy(&value),
            Err(raised) => vm.str_lossy(&vm.str(&vm.take_raised(raised)).expect("str")),
        };
        assert_eq!(shown(vm.binary(BinOp::Add, &string("añ"), &string("€"))), "añ€");
        assert_eq!(shown(vm.binary(BinOp::Mul, &int(3), &string("ab"))), "ababab");
        assert_eq!(shown(vm.binary(BinOp::Mul, &string("ab"), &int(-1))), "");
        assert_eq!(
            shown(vm.binary(BinOp::Add, &string("a"), &int(1))),
            "can only concatenate str (not \"int\") to str"
        );
        assert_eq!(shown(vm.get_item(&string("añ€"), &int(-1))), "€");
        assert_eq!(shown(vm.get_item(&string("a"), &int(1))), "string index out of range");
        assert_eq!(
            shown(vm.get_item(&string("a"), &Value::NONE)),
            "string indices must be integers, not 'NoneType'"
        );
        assert!(vm.contains(&string("x€yz"), &string("€y")).expect("no error"));
        assert!(vm.compare(CmpOp::Lt, &string("Z"), &string("é")).expect("no error").is_true());
        let parts = vm.new_list(vec![string("a"), string("ñ")]).expect("list");
        assert_eq!(shown(vm.call_attr(&string(", "), "join", &[parts])), "a, ñ");
        let wrong = vm.new_list(vec![int(1)]).expect("list");
        assert_eq!(
            shown(vm.call_attr(&string(""), "join", &[wrong])),
            "sequence item 0: expected str instance, int found"
        );
        assert_eq!(shown(vm.call_attr(&string("Straße ŉ"), "upper", &[])), "STRASSE ʼN");
        assert!(vm.call_attr(&string("x1"), "isidentifier", &[]).expect("no error").is_true());
        let letters = vm.collect(&string("añ€")).expect("letters");
        assert_eq!(letters.iter().map(|v| vm.str_lossy(v)).collect::<Vec<_>>(), ["a", "ñ", "€"]);
    }
}

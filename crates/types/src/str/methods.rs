//! The methods of `str`.

use super::{piece, text, translate, unchanged};
use crate::codecs;
use crate::format::{format_map, format_text, spec_text, str_format};
use crate::seq;
use pellucid_object::text::split::{Pieces, StripEnds};
use pellucid_object::text::{Kind, NoMemory};
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, List, NativeFn, Raised, Res, Str, Text, Tuple, Value,
};
use std::ops::Range;

/// `self` and the other positional arguments, whose number is checked. Errors: `TypeError`.
fn positional<'a>(
    vm: &Interpreter,
    name: &str,
    call: &CallArgs<'a>,
    least: usize,
    most: usize,
) -> Res<(&'a Value, &'a [Value])> {
    if !call.names.is_empty() {
        return Err(vm.type_error(format!("str.{name}() takes no keyword arguments")));
    }
    let Some((this, rest)) = call.values.split_first() else { return Err(vm.bug("a method without self")) };
    if rest.len() < least || rest.len() > most {
        let (word, count) = if rest.len() < least { ("at least", least) } else { ("at most", most) };
        let (word, s) = (if least == most { "" } else { word }, if count == 1 { "" } else { "s" });
        let gap = if word.is_empty() { "" } else { " " };
        let given = rest.len();
        return Err(vm.type_error(format!("{name} expected {word}{gap}{count} argument{s}, got {given}")));
    }
    Ok((this, rest))
}

/// The text of argument `position`. Errors: `TypeError`.
fn argument<'a>(vm: &Interpreter, name: &str, position: &str, value: &'a Value) -> Res<&'a Text> {
    match value.downcast::<Str>() {
        Some(s) => Ok(&s.text),
        None => {
            let got = if value.is_none() { "None".into() } else { vm.type_name(value) };
            Err(vm.type_error(format!("{name}() argument{position} must be str, not {got}")))
        }
    }
}

type Find = fn(&Text, &Text, usize, usize) -> Option<usize>;

fn found(vm: &Interpreter, name: &str, call: &CallArgs, find: Find) -> Res<Option<usize>> {
    let (this, rest) = positional(vm, name, call, 1, 3)?;
    let needle = argument(vm, name, " 1", &rest[0])?;
    let hay = text(vm, this)?;
    if rest.len() == 1 {
        return Ok(find(hay, needle, 0, hay.len()));
    }
    let (start, end) = seq::bounds(vm, rest.get(1), rest.get(2))?(hay.len());
    Ok(find(hay, needle, start, end))
}

fn place_or(vm: &Interpreter, place: Option<usize>) -> Res {
    vm.new_int(place.map_or(-1, |at| at as i64))
}

fn must_find(vm: &Interpreter, place: Option<usize>) -> Res {
    match place {
        Some(at) => vm.new_int(at as i64),
        None => Err(vm.value_error("substring not found".to_string())),
    }
}

fn count(vm: &Interpreter, call: &CallArgs) -> Res {
    let (this, rest) = positional(vm, "count", call, 1, 3)?;
    let needle = argument(vm, "count", " 1", &rest[0])?;
    let hay = text(vm, this)?;
    let (start, end) = seq::bounds(vm, rest.get(1), rest.get(2))?(hay.len());
    vm.new_int(hay.count(needle, start, end) as i64)
}

/// `startswith` and `endswith`.
fn affix(vm: &Interpreter, name: &str, call: &CallArgs, at_end: bool) -> Res {
    let (this, rest) = positional(vm, name, call, 1, 3)?;
    let hay = text(vm, this)?;
    let (start, end) = match rest {
        [_] => (0, hay.len()),
        _ => seq::bounds(vm, rest.get(1), rest.get(2))?(hay.len()),
    };
    let fits = |affix: &Text| {
        let Some(room) = end.checked_sub(start).filter(|room| affix.len() <= *room) else { return false };
        hay.has_at(if at_end { start + room - affix.len() } else { start }, affix)
    };
    if let Some(s) = rest[0].downcast::<Str>() {
        return Ok(Value::bool(fits(&s.text)));
    }
    let Some(tuple) = rest[0].downcast::<Tuple>() else {
        let got = vm.type_name(&rest[0]);
        return Err(vm.type_error(format!("{name} first arg must be str or a tuple of str, not {got}")));
    };
    for value in tuple.items() {
        match value.downcast::<Str>() {
            Some(s) if fits(&s.text) => return Ok(Value::TRUE),
            Some(_) => {}
            None => {
                let got = vm.type_name(&value);
                return Err(vm.type_error(format!("tuple for {name} must only contain str, not {got}")));
            }
        }
    }
    Ok(Value::FALSE)
}

/// A list of pieces, of each of which `cut` tells the function it is called with.
fn pieces(
    vm: &Interpreter,
    this: &Value,
    cut: impl FnOnce(&Text, &mut dyn FnMut(Range<usize>) -> Res<()>) -> Res<()>,
) -> Res {
    const FEW: usize = 8;
    let mut items = seq::reserve(vm, Some(FEW))?;
    cut(text(vm, this)?, &mut |range| {
        items.try_reserve(1).map_err(|_| vm.no_memory())?;
        items.push(piece(vm, this, range)?);
        Ok(())
    })?;
    vm.new_list(items)
}

fn piece_by_piece(
    vm: &Interpreter,
    ranges: Result<Pieces, NoMemory>,
    piece: &mut dyn FnMut(Range<usize>) -> Res<()>,
) -> Res<()> {
    ranges.map_err(|NoMemory| vm.no_memory())?.into_iter().try_for_each(piece)
}

/// `split` and `rsplit`.
fn split(vm: &Interpreter, name: &str, call: &CallArgs, from_right: bool) -> Res {
    let Some((this, rest)) = call.values.split_first() else { return Err(vm.bug("a method without self")) };
    let bound;
    let (separator, limit) = match (rest, call.names) {
        ([], []) => (None, None),
        ([separator], []) => (Some(separator), None),
        _ => {
            bound = seq::bind(vm, name, ["sep", "maxsplit"], &CallArgs { values: rest, names: call.names })?;
            (bound[0].as_ref(), bound[1].as_ref())
        }
    };
    let limit = match limit {
        Some(value) => usize::try_from(vm.expect_i64(value)?).ok(),
        None => None,
    };
    match separator.filter(|s| !s.is_none()) {
        None if from_right => {
            pieces(vm, this, |hay, piece| piece_by_piece(vm, hay.rsplit_whitespace(limit), piece))
        }
        None => pieces(vm, this, |hay, piece| hay.split_whitespace(limit, piece)),
        Some(separator) => match separator.downcast::<Str>() {
            Some(s) if s.text.is_empty() => Err(vm.value_error("empty separator".to_string())),
            Some(s) if from_right => {
                pieces(vm, this, |hay, piece| piece_by_piece(vm, hay.rsplit(&s.text, limit), piece))
            }
            Some(s) => match (text(vm, this)?.as_ascii(), s.text.as_ascii().map(str::as_bytes)) {
                (Some(hay), Some([separator])) => split_at_bytes(vm, this, hay, *separator, limit),
                _ => pieces(vm, this, |hay, piece| hay.split(&s.text, limit, piece)),
            },
            None => {
                let got = vm.type_name(separator);
                Err(vm.type_error(format!("must be str or None, not {got}")))
            }
        },
    }
}

/// Splits the ASCII text of `this` at a character.
fn split_at_bytes(vm: &Interpreter, this: &Value, hay: &str, separator: u8, limit: Option<usize>) -> Res {
    let text = text(vm, this)?;
    let mut items = seq::reserve(vm, Some(8))?;
    let mut start = 0;
    for at in memchr::memchr_iter(separator, hay.as_bytes()).take(limit.unwrap_or(usize::MAX)) {
        items.try_reserve(1).map_err(|_| vm.no_memory())?;
        items.push(vm.text_piece(text, start, at)?);
        start = at + 1;
    }
    items.try_reserve(1).map_err(|_| vm.no_memory())?;
    items.push(piece(vm, this, start..hay.len())?);
    vm.new_list(items)
}

fn splitlines(vm: &Interpreter, args: &Args) -> Res {
    let keep = args.bool_or(vm, 1, false)?;
    pieces(vm, args.req(0), |hay, piece| piece_by_piece(vm, hay.split_lines(keep), piece))
}

/// The three parts around a separator; without one, the whole stands first or last.
fn parts(vm: &Interpreter, this: &Value, separator: &Value, from_right: bool) -> Res {
    let Some(sep) = separator.downcast::<Str>() else {
        return Err(vm.type_error(format!("must be str, not {}", vm.type_name(separator))));
    };
    if sep.text.is_empty() {
        return Err(vm.value_error("empty separator".to_string()));
    }
    let hay = text(vm, this)?;
    let len = hay.len();
    let place = if from_right { hay.rfind(&sep.text, 0, len) } else { hay.find(&sep.text, 0, len) };
    let empty = || vm.new_str("");
    let items = match place {
        Some(at) => vec![
            piece(vm, this, 0..at)?,
            unchanged(vm, separator)?,
            piece(vm, this, at + sep.text.len()..len)?,
        ],
        None if from_right => vec![empty()?, empty()?, unchanged(vm, this)?],
        None => vec![unchanged(vm, this)?, empty()?, empty()?],
    };
    vm.new_tuple(items)
}

#[cold]
fn not_joinable(vm: &Interpreter, index: usize, item: &Value) -> Raised {
    let got = vm.type_name(item);
    vm.type_error(format!("sequence item {index}: expected str instance, {got} found"))
}

fn join(vm: &Interpreter, this: &Value, iterable: &Value) -> Res {
    let iterates = vm.type_of_ref(iterable).slots.iter.get().is_some()
        || vm.type_of_ref(iterable).slots.getitem.get().is_some();
    if !iterates {
        return Err(vm.type_error("can only join an iterable".to_string()));
    }
    // Nothing runs while the items of a list are borrowed.
    let joined = |items: &[Value]| joined(vm, text(vm, this)?, items);
    let done = if vm.is_exact(iterable, &vm.types().list)
        && let Some(list) = iterable.downcast::<List>()
    {
        list.with(joined)?
    } else if vm.is_exact(iterable, &vm.types().tuple)
        && let Some(tuple) = iterable.downcast::<Tuple>()
    {
        tuple.with(joined)?
    } else {
        joined(&vm.collect(iterable)?)?
    };
    match done {
        Joined::Text(text) => Ok(text),
        Joined::One(one) => Ok(one),
        Joined::NoStr(index, item) => Err(not_joinable(vm, index, &item)),
    }
}

/// What became of strings to be joined.
enum Joined {
    Text(Value),
    /// There was only this one.
    One(Value),
    /// The item at that index cannot be joined.
    NoStr(usize, Value),
}

fn joined(vm: &Interpreter, separator: &Text, items: &[Value]) -> Res<Joined> {
    if let [one] = items
        && vm.is_exact(one, &vm.types().str)
    {
        return Ok(Joined::One(one.clone()));
    }
    let text = |item: &Value| item.downcast::<Str>().is_some();
    if let Some(index) = items.iter().position(|item| !text(item)) {
        return Ok(Joined::NoStr(index, items[index].clone()));
    }
    let parts = items.iter().filter_map(|item| item.downcast::<Str>()).map(|s| &s.text);
    vm.str_join(separator, parts).map(Joined::Text)
}

fn replace(vm: &Interpreter, call: &CallArgs) -> Res {
    let Some((this, rest)) = call.values.split_first() else { return Err(vm.bug("a method without self")) };
    let given = rest.len() - call.names.len().min(rest.len());
    if given < 2 {
        return Err(vm.type_error(format!("replace() takes at least 2 positional arguments ({given} given)")));
    }
    let bound;
    let count = match (rest, call.names) {
        ([_, _], []) => None,
        ([_, _, count], []) => Some(count),
        _ => {
            bound =
                seq::bind(vm, "replace", ["", "", "count"], &CallArgs { values: rest, names: call.names })?;
            bound[2].as_ref()
        }
    };
    let (old, new) = (argument(vm, "replace", " 1", &rest[0])?, argument(vm, "replace", " 2", &rest[1])?);
    let limit = match count {
        Some(value) => usize::try_from(vm.expect_i64(value)?).ok(),
        None => None,
    };
    match text(vm, this)?.replace(old, new, limit) {
        Ok(Some(text)) => vm.new_text(text),
        Ok(None) => unchanged(vm, this),
        Err(NoMemory) => Err(vm.no_memory()),
    }
}

fn strip(vm: &Interpreter, name: &str, call: &CallArgs, ends: StripEnds) -> Res {
    let (this, rest) = positional(vm, name, call, 0, 1)?;
    let set = match rest.first().filter(|v| !v.is_none()) {
        None => None,
        Some(value) => match value.downcast::<Str>() {
            Some(s) => Some(&s.text),
            None => return Err(vm.type_error(format!("{name} arg must be None or str"))),
        },
    };
    piece(vm, this, text(vm, this)?.strip(set, ends))
}

fn remove_affix(vm: &Interpreter, this: &Value, affix: &Value, prefix: bool) -> Res {
    let affix = argument(vm, if prefix { "removeprefix" } else { "removesuffix" }, "", affix)?;
    let hay = text(vm, this)?;
    let range = match prefix {
        true if hay.starts_with(affix) => affix.len()..hay.len(),
        false if hay.ends_with(affix) => 0..hay.len() - affix.len(),
        _ => 0..hay.len(),
    };
    piece(vm, this, range)
}

/// The fill character of `center` and its like. Errors: `TypeError`.
fn fill(vm: &Interpreter, value: Option<&Value>) -> Res<u32> {
    let Some(value) = value else { return Ok(u32::from(' ')) };
    let Some(s) = value.downcast::<Str>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("The fill character must be a unicode character, not {got}")));
    };
    match (s.text.len(), s.text.get(0)) {
        (1, Some(point)) => Ok(point),
        _ => Err(vm.type_error("The fill character must be exactly one character long".to_string())),
    }
}

type Pad = fn(&Text, usize, u32) -> Result<Text, NoMemory>;

fn padded(vm: &Interpreter, args: &Args, pad: Pad) -> Res {
    let width = usize::try_from(args.int(vm, 1)?).unwrap_or(0);
    let fill = fill(vm, args.get(2))?;
    let text = text(vm, args.req(0))?;
    if width <= text.len() {
        return unchanged(vm, args.req(0));
    }
    vm.made_text(pad(text, width, fill))
}

fn zfill(vm: &Interpreter, args: &Args) -> Res {
    let width = usize::try_from(args.int(vm, 1)?).unwrap_or(0);
    let text = text(vm, args.req(0))?;
    if width <= text.len() {
        return unchanged(vm, args.req(0));
    }
    vm.made_text(text.zfill(width))
}

fn expandtabs(vm: &Interpreter, args: &Args) -> Res {
    let size = usize::try_from(args.int_or(vm, 1, 8)?).unwrap_or(0);
    match text(vm, args.req(0))?.expand_tabs(size) {
        Ok(text) => vm.new_text(text),
        Err(NoMemory) => Err(vm.overflow_error("new string is too long".to_string())),
    }
}

fn encode(vm: &Interpreter, args: &Args) -> Res {
    let name =
        |index, name| args.get(index).map(|v| codecs::name_argument(vm, v, "encode", name)).transpose();
    let (encoding, errors) = (name(1, "encoding")?, name(2, "errors")?);
    codecs::encode(vm, args.req(0), encoding.as_deref(), errors.as_deref())
}

fn test(vm: &Interpreter, this: &Value, holds: fn(&Text) -> bool) -> Res {
    Ok(Value::bool(holds(text(vm, this)?)))
}

fn map(vm: &Interpreter, this: &Value, f: fn(&Text) -> Result<Text, NoMemory>) -> Res {
    vm.made_text(f(text(vm, this)?))
}

/// Bytes of the object in CPython, which programs that weigh objects expect.
fn sizeof(vm: &Interpreter, this: &Value) -> Res {
    let text = text(vm, this)?;
    vm.new_int(match text.kind() {
        Kind::Ascii => 41 + text.len(),
        Kind::Latin1 => 57 + text.len(),
        Kind::Ucs2 => 58 + 2 * text.len(),
        Kind::Ucs4 => 60 + 4 * text.len(),
    } as i64)
}

fn getnewargs(vm: &Interpreter, this: &Value) -> Res {
    let copy = vm.made_text(text(vm, this)?.try_clone())?;
    vm.new_tuple(vec![copy])
}

#[rustfmt::skip]
pub(super) const METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "__format__",
        "($self, format_spec, /)",
        "Return a formatted version of the string as described by format_spec.",
        NativeFn::F2(|vm, this, spec| format_text(vm, this, text(vm, this)?, spec_text(vm, spec)?)),
    ),
    FunctionDef::new(
        "format",
        "($self, /, *args, **kwargs)",
        "Return a formatted version of the string, using substitutions from args and kwargs.\n\n\
         The substitutions are identified by braces ('{' and '}').",
        NativeFn::Raw(|vm, args| match args.positional() {
            [this, ..] => {
                let rest = CallArgs { values: &args.values[1..], names: args.names };
                str_format(vm, text(vm, this)?, &rest)
            }
            [] => Err(vm.type_error("unbound method str.format() needs an argument".to_string())),
        }),
    ),
    FunctionDef::new(
        "format_map",
        "($self, mapping, /)",
        "Return a formatted version of the string, using substitutions from mapping.\n\n\
         The substitutions are identified by braces ('{' and '}').",
        NativeFn::F2(|vm, this, mapping| format_map(vm, text(vm, this)?, mapping)),
    ),
    FunctionDef::new("find", "($self, sub, start=None, end=None, /)", "Return the lowest index in the string where substring sub is found, or -1.", NativeFn::Raw(|vm, call| place_or(vm, found(vm, "find", call, Text::find)?))),
    FunctionDef::new("rfind", "($self, sub, start=None, end=None, /)", "Return the highest index in the string where substring sub is found, or -1.", NativeFn::Raw(|vm, call| place_or(vm, found(vm, "rfind", call, Text::rfind)?))),
    FunctionDef::new("index", "($self, sub, start=None, end=None, /)", "Return the lowest index where sub is found; raise ValueError when it is not.", NativeFn::Raw(|vm, call| must_find(vm, found(vm, "index", call, Text::find)?))),
    FunctionDef::new("rindex", "($self, sub, start=None, end=None, /)", "Return the highest index where sub is found; raise ValueError when it is not.", NativeFn::Raw(|vm, call| must_find(vm, found(vm, "rindex", call, Text::rfind)?))),
    FunctionDef::new("count", "($self, sub, start=None, end=None, /)", "Return the number of non-overlapping occurrences of substring sub.", NativeFn::Raw(count)),
    FunctionDef::new("startswith", "($self, prefix, start=None, end=None, /)", "Return True if the string starts with the prefix, or with one of a tuple.", NativeFn::Raw(|vm, call| affix(vm, "startswith", call, false))),
    FunctionDef::new("endswith", "($self, suffix, start=None, end=None, /)", "Return True if the string ends with the suffix, or with one of a tuple.", NativeFn::Raw(|vm, call| affix(vm, "endswith", call, true))),
    FunctionDef::new("split", "($self, /, sep=None, maxsplit=-1)", "Return a list of the substrings between separators, cut from the left.", NativeFn::Raw(|vm, call| split(vm, "split", call, false))),
    FunctionDef::new("rsplit", "($self, /, sep=None, maxsplit=-1)", "Return a list of the substrings between separators, cut from the right.", NativeFn::Raw(|vm, call| split(vm, "rsplit", call, true))),
    FunctionDef::new("splitlines", "($self, /, keepends=False)", "Return a list of the lines.", NativeFn::Args(splitlines)),
    FunctionDef::new("partition", "($self, sep, /)", "Return the parts before, at and after the first separator.", NativeFn::F2(|vm, this, sep| parts(vm, this, sep, false))),
    FunctionDef::new("rpartition", "($self, sep, /)", "Return the parts before, at and after the last separator.", NativeFn::F2(|vm, this, sep| parts(vm, this, sep, true))),
    FunctionDef::new("join", "($self, iterable, /)", "Concatenate any number of strings, this one between them.", NativeFn::F2(join)),
    FunctionDef::new("replace", "($self, old, new, /, count=-1)", "Return a copy with occurrences of old replaced by new.", NativeFn::Raw(replace)),
    FunctionDef::new("strip", "($self, chars=None, /)", "Strip the characters, or whitespace, from both ends.", NativeFn::Raw(|vm, call| strip(vm, "strip", call, StripEnds::Both))),
    FunctionDef::new("lstrip", "($self, chars=None, /)", "Strip the characters, or whitespace, from the start.", NativeFn::Raw(|vm, call| strip(vm, "lstrip", call, StripEnds::Left))),
    FunctionDef::new("rstrip", "($self, chars=None, /)", "Strip the characters, or whitespace, from the end.", NativeFn::Raw(|vm, call| strip(vm, "rstrip", call, StripEnds::Right))),
    FunctionDef::new("removeprefix", "($self, prefix, /)", "Return a copy without the prefix, if it is there.", NativeFn::F2(|vm, this, affix| remove_affix(vm, this, affix, true))),
    FunctionDef::new("removesuffix", "($self, suffix, /)", "Return a copy without the suffix, if it is there.", NativeFn::F2(|vm, this, affix| remove_affix(vm, this, affix, false))),
    FunctionDef::new("center", "($self, width, fillchar=' ', /)", "Return a centered string of the given width.", NativeFn::Args(|vm, args| padded(vm, args, Text::center))),
    FunctionDef::new("ljust", "($self, width, fillchar=' ', /)", "Return a left-justified string of the given width.", NativeFn::Args(|vm, args| padded(vm, args, Text::ljust))),
    FunctionDef::new("rjust", "($self, width, fillchar=' ', /)", "Return a right-justified string of the given width.", NativeFn::Args(|vm, args| padded(vm, args, Text::rjust))),
    FunctionDef::new("zfill", "($self, width, /)", "Pad on the left with zeros, after the sign.", NativeFn::Args(zfill)),
    FunctionDef::new("expandtabs", "($self, /, tabsize=8)", "Return a copy where tabs are spaces.", NativeFn::Args(expandtabs)),
    FunctionDef::new("translate", "($self, table, /)", "Replace each character in the string using the given translation table.", NativeFn::F2(translate::translate)),
    FunctionDef::fixed("maketrans", "(x, y=None, z=None, /)", "Return a translation table usable for str.translate().", NativeFn::Raw(|vm, call| {
        let given = call.positional();
        if given.is_empty() || given.len() > 3 {
            let (word, n, s) = if given.is_empty() { ("least", 1, "") } else { ("most", 3, "s") };
            return Err(vm.type_error(format!("maketrans expected at {word} {n} argument{s}, got {}", given.len())));
        }
        translate::maketrans(vm, given)
    })),
    FunctionDef::new("encode", "($self, /, encoding='utf-8', errors='strict')", "Encode the string using the codec registered for encoding.", NativeFn::Args(encode)),
    FunctionDef::new("lower", "($self, /)", "Return a copy of the string converted to lowercase.", NativeFn::F1(|vm, this| map(vm, this, Text::to_lower))),
    FunctionDef::new("upper", "($self, /)", "Return a copy of the string converted to uppercase.", NativeFn::F1(|vm, this| map(vm, this, Text::to_upper))),
    FunctionDef::new("casefold", "($self, /)", "Return a version of the string suitable for caseless comparisons.", NativeFn::F1(|vm, this| map(vm, this, Text::casefold))),
    FunctionDef::new("title", "($self, /)", "Return a version of the string where each word is titlecased.", NativeFn::F1(|vm, this| map(vm, this, Text::to_title))),
    FunctionDef::new("capitalize", "($self, /)", "Return a capitalized version of the string.", NativeFn::F1(|vm, this| map(vm, this, Text::capitalize))),
    FunctionDef::new("swapcase", "($self, /)", "Convert uppercase characters to lowercase and lowercase characters to uppercase.", NativeFn::F1(|vm, this| map(vm, this, Text::swapcase))),
    FunctionDef::new("isascii", "($self, /)", "Return True if all characters in the string are ASCII, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_ascii))),
    FunctionDef::new("isalpha", "($self, /)", "Return True if the string is an alphabetic string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_alpha))),
    FunctionDef::new("isalnum", "($self, /)", "Return True if the string is an alpha-numeric string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_alnum))),
    FunctionDef::new("isdecimal", "($self, /)", "Return True if the string is a decimal string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_decimal))),
    FunctionDef::new("isdigit", "($self, /)", "Return True if the string is a digit string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_digit))),
    FunctionDef::new("isnumeric", "($self, /)", "Return True if the string is a numeric string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_numeric))),
    FunctionDef::new("isspace", "($self, /)", "Return True if the string is a whitespace string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_space))),
    FunctionDef::new("isprintable", "($self, /)", "Return True if all characters in the string are printable, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_printable))),
    FunctionDef::new("islower", "($self, /)", "Return True if the string is a lowercase string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_lower))),
    FunctionDef::new("isupper", "($self, /)", "Return True if the string is an uppercase string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_upper))),
    FunctionDef::new("istitle", "($self, /)", "Return True if the string is a title-cased string, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_title))),
    FunctionDef::new("isidentifier", "($self, /)", "Return True if the string is a valid Python identifier, False otherwise.", NativeFn::F1(|vm, this| test(vm, this, Text::is_identifier))),
    FunctionDef::new("__sizeof__", "($self, /)", "Return the size of the string in memory, in bytes.", NativeFn::F1(sizeof)),
    FunctionDef::new("__getnewargs__", "($self, /)", "", NativeFn::F1(getnewargs)),
];

//! `bytes` and `bytearray`. Here: what both share, and `bytes` itself; [`array`] has what only `bytearray` does,
//! [`search`] the algorithms.

pub mod array;
pub mod search;

use crate::codecs;
use crate::format::percent_format_bytes;
use crate::seq::{self, Subscript};
use crate::slice::{self, Slice};
use pellucid_object::buffer::BytesLike;
use pellucid_object::bytes::bytes_buffer;
use pellucid_object::{
    Args, BinOp, ByteArray, Bytes, BytesRef, CallArgs, CmpOp, FunctionDef, Interpreter, List, NativeFn,
    Raised, Res, Slot, Str, Tuple, TypeDef, TypeFlags, Value, payload,
};
use std::ops::Range;

/// The bytes of a `bytes` or `bytearray`. Not to be kept across Python code.
pub(crate) fn data<'a>(vm: &Interpreter, value: &'a Value) -> Res<BytesRef<'a>> {
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Ok(BytesRef::Plain(bytes.as_slice()));
    }
    match value.downcast::<ByteArray>() {
        Some(array) => Ok(BytesRef::Guarded(array.borrow())),
        None => Err(vm.not_bytes_like(value)),
    }
}

/// A new object of the kind of `like`: `bytearray` or `bytes`.
fn same(vm: &Interpreter, like: &Value, bytes: Vec<u8>) -> Res {
    if like.downcast::<ByteArray>().is_some() { vm.new_bytearray(bytes) } else { vm.new_bytes(bytes) }
}

/// What a method that changes nothing gives back: the object itself when it is exactly `bytes`, else a copy.
fn unchanged(vm: &Interpreter, this: &Value) -> Res {
    if vm.is_exact(this, &vm.types().bytes) {
        return Ok(this.clone());
    }
    let copy = vm.copied(&data(vm, this)?)?;
    same(vm, this, copy)
}

fn piece(vm: &Interpreter, this: &Value, range: Range<usize>) -> Res {
    let copy = vm.copied(data(vm, this)?.get(range).unwrap_or_default())?;
    same(vm, this, copy)
}

fn pieces(vm: &Interpreter, this: &Value, ranges: Vec<Range<usize>>) -> Res {
    let parts: Res<Vec<Value>> = ranges.into_iter().map(|range| piece(vm, this, range)).collect();
    vm.new_list(parts?)
}

/// A byte given as an int. Errors: `TypeError`, `ValueError`.
pub(crate) fn byte(vm: &Interpreter, value: &Value) -> Res<u8> {
    let index = vm.index(value)?;
    match vm.as_i64(&index).and_then(|i| u8::try_from(i).ok()) {
        Some(byte) => Ok(byte),
        None => Err(vm.value_error("byte must be in range(0, 256)".to_string())),
    }
}

/// What is searched for: one byte or several.
enum Needle {
    Byte([u8; 1]),
    Like(BytesLike),
}

impl Needle {
    fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Needle::Byte(byte) => f(byte),
            Needle::Like(like) => f(&like.bytes()),
        }
    }
}

fn needle(vm: &Interpreter, value: &Value) -> Res<Needle> {
    if vm.has_buffer(value) {
        return vm.bytes_like(value).map(Needle::Like);
    }
    if !seq::has_index(vm, value) {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("argument should be integer or bytes-like object, not '{got}'")));
    }
    byte(vm, value).map(|b| Needle::Byte([b]))
}

type Find = fn(&[u8], &[u8], usize, usize) -> Option<usize>;

fn found(vm: &Interpreter, args: &Args, find: Find) -> Res<Option<usize>> {
    let bounds = seq::bounds(vm, args.get(2), args.get(3))?;
    let needle = needle(vm, args.req(1))?;
    let hay = data(vm, args.req(0))?;
    let (start, end) = bounds(hay.len());
    Ok(needle.with(|needle| find(&hay, needle, start, end)))
}

fn place_or(vm: &Interpreter, place: Option<usize>) -> Res {
    vm.new_int(place.map_or(-1, |at| at as i64))
}

fn find(vm: &Interpreter, args: &Args) -> Res {
    place_or(vm, found(vm, args, search::find)?)
}

fn rfind(vm: &Interpreter, args: &Args) -> Res {
    place_or(vm, found(vm, args, search::rfind)?)
}

fn must_find(vm: &Interpreter, place: Option<usize>) -> Res {
    match place {
        Some(at) => vm.new_int(at as i64),
        None => Err(vm.value_error("subsection not found".to_string())),
    }
}

fn index(vm: &Interpreter, args: &Args) -> Res {
    must_find(vm, found(vm, args, search::find)?)
}

fn rindex(vm: &Interpreter, args: &Args) -> Res {
    must_find(vm, found(vm, args, search::rfind)?)
}

fn count(vm: &Interpreter, args: &Args) -> Res {
    let bounds = seq::bounds(vm, args.get(2), args.get(3))?;
    let needle = needle(vm, args.req(1))?;
    let hay = data(vm, args.req(0))?;
    let (start, end) = bounds(hay.len());
    vm.new_int(needle.with(|needle| search::count(&hay, needle, start, end)) as i64)
}

fn contains(vm: &Interpreter, this: &Value, item: &Value) -> Res<bool> {
    let needle = if seq::has_index(vm, item) {
        Needle::Byte([byte(vm, item)?])
    } else {
        Needle::Like(vm.bytes_like(item)?)
    };
    let hay = data(vm, this)?;
    Ok(needle.with(|needle| search::find(&hay, needle, 0, hay.len())).is_some())
}

/// `startswith` and `endswith`.
fn affix(vm: &Interpreter, args: &Args, name: &str, fits: fn(&[u8], &[u8]) -> bool) -> Res {
    let bounds = seq::bounds(vm, args.get(2), args.get(3))?;
    let one = |value: &Value| -> Res<bool> {
        let like = vm.bytes_like(value)?;
        let hay = data(vm, args.req(0))?;
        let (start, end) = bounds(hay.len());
        Ok(hay.get(start..end).is_some_and(|part| fits(part, &like.bytes())))
    };
    let wanted = args.req(1);
    if let Some(tuple) = wanted.downcast::<Tuple>() {
        for value in tuple.items() {
            if one(&value)? {
                return Ok(Value::TRUE);
            }
        }
        return Ok(Value::FALSE);
    }
    if !vm.has_buffer(wanted) {
        let got = vm.type_name(wanted);
        return Err(vm.type_error(format!("{name} first arg must be bytes or a tuple of bytes, not {got}")));
    }
    one(wanted).map(Value::bool)
}

fn startswith(vm: &Interpreter, args: &Args) -> Res {
    affix(vm, args, "startswith", |part, affix| part.starts_with(affix))
}

fn endswith(vm: &Interpreter, args: &Args) -> Res {
    affix(vm, args, "endswith", |part, affix| part.ends_with(affix))
}

fn limit(vm: &Interpreter, value: Option<&Value>) -> Res<Option<usize>> {
    value.map_or(Ok(None), |v| Ok(usize::try_from(vm.expect_i64(v)?).ok()))
}

/// A separator that is not empty. Errors: `TypeError`, `ValueError`.
fn separator(vm: &Interpreter, value: &Value) -> Res<BytesLike> {
    let separator = vm.bytes_like(value)?;
    if separator.is_empty() {
        return Err(vm.value_error("empty separator".to_string()));
    }
    Ok(separator)
}

fn split(vm: &Interpreter, args: &Args) -> Res {
    let limit = limit(vm, args.get(2))?;
    let this = args.req(0);
    let ranges = match args.some(1) {
        Some(value) => search::split(&data(vm, this)?, &separator(vm, value)?.bytes(), limit),
        None => search::split_whitespace(&data(vm, this)?, limit),
    };
    pieces(vm, this, ranges)
}

fn rsplit(vm: &Interpreter, args: &Args) -> Res {
    let limit = limit(vm, args.get(2))?;
    let this = args.req(0);
    let ranges = match args.some(1) {
        Some(value) => search::rsplit(&data(vm, this)?, &separator(vm, value)?.bytes(), limit),
        None => search::rsplit_whitespace(&data(vm, this)?, limit),
    };
    pieces(vm, this, ranges)
}

fn splitlines(vm: &Interpreter, args: &Args) -> Res {
    let keep = args.bool_or(vm, 1, false)?;
    let ranges = search::split_lines(&data(vm, args.req(0))?, keep);
    pieces(vm, args.req(0), ranges)
}

/// The three parts around a place of the separator; without one, the whole stands first or last.
fn parts(vm: &Interpreter, this: &Value, sep: &Value, from_right: bool) -> Res {
    let separator = separator(vm, sep)?;
    let (len, place) = {
        let (bytes, needle) = (data(vm, this)?, separator.bytes());
        let find = if from_right { search::rfind } else { search::find };
        (bytes.len(), find(&bytes, &needle, 0, bytes.len()))
    };
    let empty = || same(vm, this, Vec::new());
    let items = match place {
        Some(at) => {
            let middle = vm.copied(&separator.bytes())?;
            vec![
                piece(vm, this, 0..at)?,
                same(vm, this, middle)?,
                piece(vm, this, at + separator.len()..len)?,
            ]
        }
        None if from_right => vec![empty()?, empty()?, unchanged(vm, this)?],
        None => vec![unchanged(vm, this)?, empty()?, empty()?],
    };
    vm.new_tuple(items)
}

fn join(vm: &Interpreter, this: &Value, iterable: &Value) -> Res {
    enum Part<'a> {
        Bytes(&'a [u8]),
        Like(BytesLike),
    }
    // Whoever is asked for parts cannot resize what stands between them.
    let gap = vm.bytes_like(this)?;
    let items = match vm.collect(iterable) {
        Ok(items) => items,
        Err(raised) if vm.type_of_ref(iterable).slots.iter.get().is_none() => {
            if !vm.raised_is(vm.exceptions().type_error()) {
                return Err(raised);
            }
            drop(vm.take_raised(raised));
            return Err(vm.type_error("can only join an iterable".to_string()));
        }
        Err(raised) => return Err(raised),
    };
    let mut parts = seq::reserve(vm, Some(items.len()))?;
    for (index, item) in items.iter().enumerate() {
        parts.push(match item.downcast::<Bytes>() {
            Some(bytes) => Part::Bytes(bytes.as_slice()),
            None if vm.has_buffer(item) => Part::Like(vm.bytes_like(item)?),
            None => {
                let got = vm.type_name(item);
                return Err(vm.type_error(format!(
                    "sequence item {index}: expected a bytes-like object, {got} found"
                )));
            }
        });
    }
    let gap = gap.bytes();
    let len = |part: &Part| match part {
        Part::Bytes(bytes) => bytes.len(),
        Part::Like(like) => like.len(),
    };
    let gaps = gap.len().checked_mul(parts.len().saturating_sub(1));
    let total = parts.iter().try_fold(gaps, |sum, part| Some(sum?.checked_add(len(part)))).flatten();
    let mut result: Vec<u8> = seq::reserve(vm, total)?;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            result.extend_from_slice(&gap);
        }
        match part {
            Part::Bytes(bytes) => result.extend_from_slice(bytes),
            Part::Like(like) => result.extend_from_slice(&like.bytes()),
        }
    }
    drop(gap);
    same(vm, this, result)
}

fn replace(vm: &Interpreter, args: &Args) -> Res {
    let limit = limit(vm, args.get(3))?;
    let this = args.req(0);
    let (old, new) = (vm.bytes_like(args.req(1))?, vm.bytes_like(args.req(2))?);
    let replaced = search::replace(&data(vm, this)?, &old.bytes(), &new.bytes(), limit);
    match replaced {
        Ok(Some(bytes)) => same(vm, this, bytes),
        Ok(None) => unchanged(vm, this),
        Err(()) => Err(vm.overflow_error("replace bytes is too long".to_string())),
    }
}

/// The fill byte of `center` and its like.
fn fill(vm: &Interpreter, value: Option<&Value>, name: &str) -> Res<u8> {
    let Some(value) = value else { return Ok(b' ') };
    let one = value.downcast::<Bytes>().is_some() || value.downcast::<ByteArray>().is_some();
    match if one { data(vm, value)?.to_vec() } else { Vec::new() }.as_slice() {
        [byte] => Ok(*byte),
        _ => {
            let got = vm.type_name(value);
            Err(vm.type_error(format!("{name}() argument 2 must be a byte string of length 1, not {got}")))
        }
    }
}

/// `left` and `right` fill bytes around.
fn padded(vm: &Interpreter, this: &Value, left: usize, right: usize, fill: u8) -> Res {
    if left == 0 && right == 0 {
        return unchanged(vm, this);
    }
    let bytes = data(vm, this)?;
    let total = left.checked_add(right).and_then(|n| n.checked_add(bytes.len()));
    let mut result: Vec<u8> = seq::reserve(vm, total)?;
    result.resize(left, fill);
    result.extend_from_slice(&bytes);
    result.resize(left + bytes.len() + right, fill);
    drop(bytes);
    same(vm, this, result)
}

/// How many fill bytes a width asks for, and the width.
fn padding(vm: &Interpreter, args: &Args) -> Res<(usize, usize)> {
    let width = usize::try_from(args.int(vm, 1)?).unwrap_or(0);
    Ok((width.saturating_sub(data(vm, args.req(0))?.len()), width))
}

fn center(vm: &Interpreter, args: &Args) -> Res {
    let (pad, width) = padding(vm, args)?;
    let left = pad / 2 + (pad & width & 1);
    padded(vm, args.req(0), left, pad - left, fill(vm, args.get(2), "center")?)
}

fn ljust(vm: &Interpreter, args: &Args) -> Res {
    let (pad, _) = padding(vm, args)?;
    padded(vm, args.req(0), 0, pad, fill(vm, args.get(2), "ljust")?)
}

fn rjust(vm: &Interpreter, args: &Args) -> Res {
    let (pad, _) = padding(vm, args)?;
    padded(vm, args.req(0), pad, 0, fill(vm, args.get(2), "rjust")?)
}

fn zfill(vm: &Interpreter, args: &Args) -> Res {
    let (pad, _) = padding(vm, args)?;
    if pad == 0 {
        return unchanged(vm, args.req(0));
    }
    let bytes = data(vm, args.req(0))?;
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut result: Vec<u8> = seq::reserve(vm, bytes.len().checked_add(pad))?;
    result.extend_from_slice(&bytes[..sign]);
    result.resize(sign + pad, b'0');
    result.extend_from_slice(&bytes[sign..]);
    drop(bytes);
    same(vm, args.req(0), result)
}

fn stripped(vm: &Interpreter, args: &Args, left: bool, right: bool) -> Res {
    let this = args.req(0);
    let range = match args.some(1) {
        None => search::strip(&data(vm, this)?, left, right, search::is_space),
        Some(value) => {
            let set = vm.bytes_like(value)?;
            let mut gone = [false; 256];
            set.bytes().iter().for_each(|b| gone[usize::from(*b)] = true);
            search::strip(&data(vm, this)?, left, right, |b| gone[usize::from(b)])
        }
    };
    if range.len() == data(vm, this)?.len() {
        return unchanged(vm, this);
    }
    piece(vm, this, range)
}

fn remove_affix(vm: &Interpreter, this: &Value, affix: &Value, prefix: bool) -> Res {
    let affix = vm.bytes_like(affix)?;
    let range = {
        let (bytes, affix) = (data(vm, this)?, affix.bytes());
        match prefix {
            true if bytes.starts_with(&affix) => affix.len()..bytes.len(),
            false if bytes.ends_with(&affix) => 0..bytes.len() - affix.len(),
            _ => 0..bytes.len(),
        }
    };
    if range.len() == data(vm, this)?.len() {
        return unchanged(vm, this);
    }
    piece(vm, this, range)
}

fn expandtabs(vm: &Interpreter, args: &Args) -> Res {
    let size = usize::try_from(args.int_or(vm, 1, 8)?).unwrap_or(0);
    let expanded = search::expand_tabs(&data(vm, args.req(0))?, size);
    match expanded {
        Some(bytes) => same(vm, args.req(0), bytes),
        None => Err(vm.overflow_error("result too long".to_string())),
    }
}

fn translate(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let table = match args.some(1) {
        Some(value) => Some(vm.bytes_like(value)?),
        None => None,
    };
    if table.as_ref().is_some_and(|t| t.len() != 256) {
        return Err(vm.value_error("translation table must be 256 characters long".to_string()));
    }
    let mut deleted = [false; 256];
    if let Some(value) = args.get(2) {
        vm.bytes_like(value)?.bytes().iter().for_each(|b| deleted[usize::from(*b)] = true);
    }
    let result: Vec<u8> = {
        let table = table.as_ref().map(BytesLike::bytes);
        let map = |b: &u8| match &table {
            Some(table) => table.get(usize::from(*b)).copied().unwrap_or(*b),
            None => *b,
        };
        let bytes = data(vm, this)?;
        let mut result = seq::reserve(vm, Some(bytes.len()))?;
        result.extend(bytes.iter().filter(|b| !deleted[usize::from(**b)]).map(map));
        result
    };
    if *result == *data(vm, this)? {
        return unchanged(vm, this);
    }
    same(vm, this, result)
}

fn maketrans(vm: &Interpreter, from: &Value, to: &Value) -> Res {
    let (from, to) = (vm.bytes_like(from)?, vm.bytes_like(to)?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length".to_string()));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (f, t) in from.bytes().iter().zip(to.bytes().iter()) {
        table[usize::from(*f)] = *t;
    }
    vm.new_bytes(table)
}

/// A copy changed in place by `map`.
fn mapped(vm: &Interpreter, this: &Value, map: impl FnOnce(&mut [u8])) -> Res {
    let mut copy = vm.copied(&data(vm, this)?)?;
    map(&mut copy);
    same(vm, this, copy)
}

fn all(vm: &Interpreter, this: &Value, test: fn(&u8) -> bool) -> Res {
    let bytes = data(vm, this)?;
    Ok(Value::bool(!bytes.is_empty() && bytes.iter().all(test)))
}

/// Whether all letters are of one case, and there is one.
fn cased(vm: &Interpreter, this: &Value, wanted: fn(&u8) -> bool, other: fn(&u8) -> bool) -> Res {
    let bytes = data(vm, this)?;
    Ok(Value::bool(bytes.iter().any(wanted) && !bytes.iter().any(other)))
}

fn swapcase(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| b.is_ascii_alphabetic()).for_each(|b| *b ^= 0x20);
}

fn capitalize(bytes: &mut [u8]) {
    bytes.make_ascii_lowercase();
    if let Some(first) = bytes.first_mut() {
        first.make_ascii_uppercase();
    }
}

/// Bytes as hexadecimal text, as `bytes.hex`, `memoryview.hex` and `binascii.hexlify` give it.
/// Errors: `TypeError`, `ValueError` for a bad separator, `MemoryError`.
pub fn hex_text(vm: &Interpreter, bytes: &[u8], separator: Option<&Value>, group: i64) -> Res<Vec<u8>> {
    let separator = match separator {
        None => None,
        Some(value) => {
            if vm.len(value)? != 1 {
                return Err(vm.value_error("sep must be length 1.".to_string()));
            }
            let byte = match (value.downcast::<Str>(), value.downcast::<Bytes>()) {
                (Some(s), _) => s.text.get(0).unwrap_or(0),
                (_, Some(bytes)) => bytes.as_slice().first().copied().unwrap_or(0).into(),
                _ => return Err(vm.type_error("sep must be str or bytes.".to_string())),
            };
            match u8::try_from(byte) {
                Ok(byte @ 0..0x80) => Some(byte),
                _ => return Err(vm.value_error("sep must be ASCII.".to_string())),
            }
        }
    };
    search::hex(bytes, separator, group).ok_or_else(|| vm.no_memory())
}

fn hex(vm: &Interpreter, args: &Args) -> Res {
    let group = args.int_or(vm, 2, 1)?;
    let copy = vm.copied(&data(vm, args.req(0))?)?;
    let digits = hex_text(vm, &copy, args.get(1), group)?;
    vm.made_text(pellucid_object::Text::from_latin1(&digits))
}

/// Bytes from pairs of hexadecimal digits with whitespace between them. Errors: `ValueError` that names the place.
fn unhex(vm: &Interpreter, digits: impl Iterator<Item = u32>) -> Res<Vec<u8>> {
    let refuse = |at: usize| -> Raised {
        vm.value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}"))
    };
    let (mut result, mut high) = (Vec::new(), None);
    for (at, point) in digits.enumerate() {
        let digit = char::from_u32(point).and_then(|c| c.to_digit(16));
        match (digit, high) {
            (Some(digit), None) => high = Some(digit),
            (Some(digit), Some(h)) => {
                if result.try_reserve(1).is_err() {
                    return Err(vm.no_memory());
                }
                result.push((h << 4 | digit) as u8);
                high = None;
            }
            (None, None) if u8::try_from(point).is_ok_and(search::is_space) => {}
            (None, _) => return Err(refuse(at)),
        }
    }
    if high.is_some() {
        let what = "fromhex() arg must contain an even number of hexadecimal digits";
        return Err(vm.value_error(what.to_string()));
    }
    Ok(result)
}

fn fromhex(vm: &Interpreter, cls: &Value, digits: &Value) -> Res {
    let result = match digits.downcast::<Str>() {
        Some(s) => unhex(vm, s.text.code_points())?,
        None if vm.has_buffer(digits) => {
            let copy = vm.copied(&vm.bytes_like(digits)?.bytes())?;
            unhex(vm, copy.iter().map(|b| u32::from(*b)))?
        }
        None => {
            let got = vm.type_name(digits);
            return Err(vm.type_error(format!("fromhex() argument must be str or bytes-like, not {got}")));
        }
    };
    let array =
        cls.downcast_ref::<pellucid_object::Type>().is_some_and(|ty| ty.is_subtype_of(&vm.types().bytearray));
    let made = if array { vm.new_bytearray(result)? } else { vm.new_bytes(result)? };
    let exact = if array { &vm.types().bytearray } else { &vm.types().bytes };
    if cls.is(exact.value()) { Ok(made) } else { vm.call_values(cls, &[made]) }
}

fn decode(vm: &Interpreter, args: &Args) -> Res {
    let text =
        |index, name| args.get(index).map(|v| codecs::name_argument(vm, v, "decode", name)).transpose();
    let (encoding, errors) = (text(1, "encoding")?, text(2, "errors")?);
    codecs::decode(vm, args.req(0), encoding.as_deref(), errors.as_deref())
}

fn add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if a.downcast::<Bytes>().is_none() && a.downcast::<ByteArray>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    if let (Some(left), Some(right)) = (a.downcast::<Bytes>(), b.downcast::<Bytes>()) {
        let (left, right) = (left.as_slice(), right.as_slice());
        let mut result = seq::reserve(vm, left.len().checked_add(right.len()))?;
        result.extend_from_slice(left);
        result.extend_from_slice(right);
        return vm.new_bytes(result);
    }
    if !vm.has_buffer(b) {
        let (a, b) = (vm.type_name(a), vm.type_name(b));
        return Err(vm.type_error(format!("can't concat {b} to {a}")));
    }
    let right = vm.bytes_like(b)?;
    let result = {
        let (left, right) = (data(vm, a)?, right.bytes());
        let mut result = seq::reserve(vm, left.len().checked_add(right.len()))?;
        result.extend_from_slice(&left);
        result.extend_from_slice(&right);
        result
    };
    same(vm, a, result)
}

/// `bytes` repeated. Errors: `MemoryError`.
pub(crate) fn repeated(vm: &Interpreter, bytes: &[u8], times: usize) -> Res<Vec<u8>> {
    let total = bytes.len().checked_mul(times);
    let mut result: Vec<u8> = seq::reserve(vm, total)?;
    let total = total.unwrap_or(0);
    if let [byte] = bytes {
        result.resize(total, *byte);
    } else if total > 0 {
        result.extend_from_slice(bytes);
        while result.len() < total {
            let more = result.len().min(total - result.len());
            result.extend_from_within(..more);
        }
    }
    Ok(result)
}

fn repeat(vm: &Interpreter, this: &Value, count: i64) -> Res {
    if count == 1 {
        return unchanged(vm, this);
    }
    let result = repeated(vm, &data(vm, this)?, usize::try_from(count).unwrap_or(0))?;
    same(vm, this, result)
}

fn get_item(vm: &Interpreter, this: &Value, key: &Value) -> Res {
    let array = this.downcast::<ByteArray>().is_some();
    match seq::subscript(vm, key, if array { "bytearray" } else { "byte" })? {
        Subscript::Index(i) => {
            let bytes = data(vm, this)?;
            match seq::place(i, bytes.len()).and_then(|i| bytes.get(i).copied()) {
                Some(byte) => vm.new_int(i64::from(byte)),
                None if array => Err(vm.index_error("bytearray index out of range".to_string())),
                None => Err(vm.index_error("index out of range".to_string())),
            }
        }
        Subscript::Slice(key) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            let parts = slice::parts(vm, slice)?;
            let bytes = data(vm, this)?;
            let span = parts.over(bytes.len());
            if span.step == 1 {
                if span.count == bytes.len() {
                    drop(bytes);
                    return unchanged(vm, this);
                }
                let start = span.start as usize;
                let copy = vm.copied(bytes.get(start..start + span.count).unwrap_or_default())?;
                drop(bytes);
                return same(vm, this, copy);
            }
            let mut copy = seq::reserve(vm, Some(span.count))?;
            copy.extend(span.places().filter_map(|i| bytes.get(i).copied()));
            drop(bytes);
            same(vm, this, copy)
        }
    }
}

fn len(vm: &Interpreter, this: &Value) -> Res<usize> {
    Ok(data(vm, this)?.len())
}

/// What both types do.
macro_rules! methods {
    ($($own:expr),* $(,)?) => {
        &[
            FunctionDef::new("find", "($self, sub, start=None, end=None, /)", "Return the lowest index in the bytes where sub is found, or -1.", NativeFn::Args(find)),
            FunctionDef::new("rfind", "($self, sub, start=None, end=None, /)", "Return the highest index in the bytes where sub is found, or -1.", NativeFn::Args(rfind)),
            FunctionDef::new("index", "($self, sub, start=None, end=None, /)", "Return the lowest index where sub is found; raise ValueError when it is not.", NativeFn::Args(index)),
            FunctionDef::new("rindex", "($self, sub, start=None, end=None, /)", "Return the highest index where sub is found; raise ValueError when it is not.", NativeFn::Args(rindex)),
            FunctionDef::new("count", "($self, sub, start=None, end=None, /)", "Return the number of non-overlapping occurrences of sub.", NativeFn::Args(count)),
            FunctionDef::new("startswith", "($self, prefix, start=None, end=None, /)", "Return True if the bytes start with the prefix, or with one of a tuple.", NativeFn::Args(startswith)),
            FunctionDef::new("endswith", "($self, suffix, start=None, end=None, /)", "Return True if the bytes end with the suffix, or with one of a tuple.", NativeFn::Args(endswith)),
            FunctionDef::new("split", "($self, /, sep=None, maxsplit=-1)", "Return a list of the sections between separators, from the left.", NativeFn::Args(split)),
            FunctionDef::new("rsplit", "($self, /, sep=None, maxsplit=-1)", "Return a list of the sections between separators, from the right.", NativeFn::Args(rsplit)),
            FunctionDef::new("splitlines", "($self, /, keepends=False)", "Return a list of the lines.", NativeFn::Args(splitlines)),
            FunctionDef::new("partition", "($self, sep, /)", "Return the parts before, at and after the first separator.", NativeFn::F2(|vm, this, sep| parts(vm, this, sep, false))),
            FunctionDef::new("rpartition", "($self, sep, /)", "Return the parts before, at and after the last separator.", NativeFn::F2(|vm, this, sep| parts(vm, this, sep, true))),
            FunctionDef::new("join", "($self, iterable_of_bytes, /)", "Concatenate any number of bytes objects, these ones between them.", NativeFn::F2(join)),
            FunctionDef::new("replace", "($self, old, new, count=-1, /)", "Return a copy with occurrences of old replaced by new.", NativeFn::Args(replace)),
            FunctionDef::new("center", "($self, width, fillchar=b' ', /)", "Return centered bytes of the given width.", NativeFn::Args(center)),
            FunctionDef::new("ljust", "($self, width, fillchar=b' ', /)", "Return left-justified bytes of the given width.", NativeFn::Args(ljust)),
            FunctionDef::new("rjust", "($self, width, fillchar=b' ', /)", "Return right-justified bytes of the given width.", NativeFn::Args(rjust)),
            FunctionDef::new("zfill", "($self, width, /)", "Pad on the left with zeros, after the sign.", NativeFn::Args(zfill)),
            FunctionDef::new("strip", "($self, bytes=None, /)", "Strip bytes of the argument, or whitespace, from both ends.", NativeFn::Args(|vm, args| stripped(vm, args, true, true))),
            FunctionDef::new("lstrip", "($self, bytes=None, /)", "Strip bytes of the argument, or whitespace, from the start.", NativeFn::Args(|vm, args| stripped(vm, args, true, false))),
            FunctionDef::new("rstrip", "($self, bytes=None, /)", "Strip bytes of the argument, or whitespace, from the end.", NativeFn::Args(|vm, args| stripped(vm, args, false, true))),
            FunctionDef::new("removeprefix", "($self, prefix, /)", "Return a copy without the prefix, if it is there.", NativeFn::F2(|vm, this, affix| remove_affix(vm, this, affix, true))),
            FunctionDef::new("removesuffix", "($self, suffix, /)", "Return a copy without the suffix, if it is there.", NativeFn::F2(|vm, this, affix| remove_affix(vm, this, affix, false))),
            FunctionDef::new("expandtabs", "($self, /, tabsize=8)", "Return a copy where tabs are spaces.", NativeFn::Args(expandtabs)),
            FunctionDef::new("translate", "($self, table, /, delete=b'')", "Return a copy mapped by a table of 256 bytes, without the bytes of delete.", NativeFn::Args(translate)),
            FunctionDef::fixed("maketrans", "(frm, to, /)", "Return a translation table that maps each byte of frm to the one of to.", NativeFn::F2(maketrans)),
            FunctionDef::new("lower", "($self, /)", "Return a copy in lower case.", NativeFn::F1(|vm, this| mapped(vm, this, <[u8]>::make_ascii_lowercase))),
            FunctionDef::new("upper", "($self, /)", "Return a copy in upper case.", NativeFn::F1(|vm, this| mapped(vm, this, <[u8]>::make_ascii_uppercase))),
            FunctionDef::new("title", "($self, /)", "Return a copy where words start in upper case.", NativeFn::F1(|vm, this| mapped(vm, this, search::title))),
            FunctionDef::new("capitalize", "($self, /)", "Return a copy with the first byte in upper case, the rest in lower case.", NativeFn::F1(|vm, this| mapped(vm, this, capitalize))),
            FunctionDef::new("swapcase", "($self, /)", "Return a copy with the cases exchanged.", NativeFn::F1(|vm, this| mapped(vm, this, swapcase))),
            FunctionDef::new("isalnum", "($self, /)", "Tell whether all bytes are letters or digits, and there is one.", NativeFn::F1(|vm, this| all(vm, this, u8::is_ascii_alphanumeric))),
            FunctionDef::new("isalpha", "($self, /)", "Tell whether all bytes are letters, and there is one.", NativeFn::F1(|vm, this| all(vm, this, u8::is_ascii_alphabetic))),
            FunctionDef::new("isdigit", "($self, /)", "Tell whether all bytes are digits, and there is one.", NativeFn::F1(|vm, this| all(vm, this, u8::is_ascii_digit))),
            FunctionDef::new("isspace", "($self, /)", "Tell whether all bytes are whitespace, and there is one.", NativeFn::F1(|vm, this| all(vm, this, |b| search::is_space(*b)))),
            FunctionDef::new("isascii", "($self, /)", "Tell whether all bytes are below 128.", NativeFn::F1(|vm, this| Ok(Value::bool(data(vm, this)?.is_ascii())))),
            FunctionDef::new("islower", "($self, /)", "Tell whether all letters are lower case, and there is one.", NativeFn::F1(|vm, this| cased(vm, this, u8::is_ascii_lowercase, u8::is_ascii_uppercase))),
            FunctionDef::new("isupper", "($self, /)", "Tell whether all letters are upper case, and there is one.", NativeFn::F1(|vm, this| cased(vm, this, u8::is_ascii_uppercase, u8::is_ascii_lowercase))),
            FunctionDef::new("istitle", "($self, /)", "Tell whether words start in upper case and go on in lower case.", NativeFn::F1(|vm, this| Ok(Value::bool(search::is_title(&data(vm, this)?))))),
            FunctionDef::new("hex", "($self, /, sep=None, bytes_per_sep=1)", "Return the bytes as hexadecimal text.", NativeFn::Args(hex)),
            FunctionDef::class("fromhex", "($type, string, /)", "Create from hexadecimal text.", NativeFn::F2(fromhex)),
            FunctionDef::new("decode", "($self, /, encoding='utf-8', errors='strict')", "Decode the bytes using the codec registered for encoding.", NativeFn::Args(decode)),
            $($own,)*
        ]
    };
}
pub(crate) use methods;

/// What `bytes(...)` and `bytearray(...)` contain. Errors: `TypeError`, `ValueError`, ...
fn contents(vm: &Interpreter, kind: &str, args: &CallArgs) -> Res<Vec<u8>> {
    let [source, encoding, errors] = seq::bind(vm, kind, ["source", "encoding", "errors"], args)?;
    let text = |value: Option<_>, name| value.map(|v| codecs::name_argument(vm, v, kind, name)).transpose();
    let (encoding, errors) = (text(encoding.as_ref(), "encoding")?, text(errors.as_ref(), "errors")?);
    if let Some(source) = &source
        && source.downcast::<Str>().is_some()
    {
        if encoding.is_none() {
            return Err(vm.type_error("string argument without an encoding".to_string()));
        }
        let bytes = codecs::encode(vm, source, encoding.as_deref(), errors.as_deref())?;
        return vm.copied(vm.expect_bytes(&bytes)?);
    }
    if encoding.is_some() {
        return Err(vm.type_error("encoding without a string argument".to_string()));
    }
    if errors.is_some() {
        return Err(vm.type_error("errors without a string argument".to_string()));
    }
    let Some(source) = source else { return Ok(Vec::new()) };
    if seq::has_index(vm, &source) {
        match vm.index(&source) {
            Ok(index) => {
                let Some(count) = vm.as_i64(&index) else {
                    let what = "cannot fit 'int' into an index-sized integer";
                    return Err(vm.overflow_error(what.to_string()));
                };
                let Ok(count) = usize::try_from(count) else {
                    return Err(vm.value_error("negative count".to_string()));
                };
                let mut zeros = seq::reserve(vm, Some(count))?;
                zeros.resize(count, 0);
                return Ok(zeros);
            }
            // An object that only pretends to be an index may still be an iterable.
            Err(raised) if vm.raised_is(vm.exceptions().type_error()) => drop(vm.take_raised(raised)),
            Err(raised) => return Err(raised),
        }
    }
    from_object(vm, kind, &source)
}

/// The bytes of a bytes-like object or of an iterable of ints.
pub(crate) fn from_object(vm: &Interpreter, kind: &str, source: &Value) -> Res<Vec<u8>> {
    if vm.has_buffer(source) {
        return vm.buffer(source, pellucid_object::buffer::flags::FULL_RO)?.to_vec(vm, false);
    }
    let sequence = vm.type_of_ref(source).slots.iter.get().is_some()
        || vm.type_of_ref(source).slots.getitem.get().is_some();
    if !sequence {
        let got = vm.type_name(source);
        return Err(vm.type_error(format!("cannot convert '{got}' object to {kind}")));
    }
    let mut result = Vec::new();
    if vm.is_exact(source, &vm.types().list)
        && let Some(done) = source.downcast::<List>().map(|list| list.with(small_bytes))
        && let Some(bytes) = done
    {
        return Ok(bytes);
    }
    vm.for_each(source, |item| {
        let index = vm.index(&item)?;
        let Some(byte) = vm.as_i64(&index).and_then(|i| u8::try_from(i).ok()) else {
            let what = if kind == "bytes" { "bytes" } else { "byte" };
            return Err(vm.value_error(format!("{what} must be in range(0, 256)")));
        };
        if result.try_reserve(1).is_err() {
            return Err(vm.no_memory());
        }
        result.push(byte);
        Ok(())
    })?;
    Ok(result)
}

/// The bytes that small ints are; `None` when there are others, or no memory.
fn small_bytes(items: &[Value]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(items.len()).ok()?;
    for item in items {
        bytes.push(u8::try_from(item.as_small_int()?).ok()?);
    }
    Some(bytes)
}

/// The result of `__bytes__`, if the object has that method.
pub fn dunder_bytes(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(method) = vm.lookup_special(value, "__bytes__")? else { return Ok(None) };
    let result = vm.call_descriptor(&method, value, &[])?;
    if result.downcast::<Bytes>().is_some() {
        return Ok(Some(result));
    }
    Err(vm.type_error(format!("__bytes__ returned non-bytes (type {})", vm.type_name(&result))))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let exact = cls.is(vm.types().bytes.value());
    if let ([source], true) = (args.positional(), args.names.is_empty()) {
        if vm.is_exact(source, &vm.types().bytes) {
            if exact {
                return Ok(source.clone());
            }
        } else if let Some(result) = dunder_bytes(vm, source)? {
            if exact {
                return Ok(result);
            }
            return vm.alloc_subclass(cls, Bytes::new(vm.copied(vm.expect_bytes(&result)?)?));
        }
    }
    let bytes = contents(vm, "bytes", args)?;
    if exact { vm.new_bytes(bytes) } else { vm.alloc_subclass(cls, Bytes::new(bytes)) }
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Bytes>(), b.downcast::<Bytes>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let _ = vm;
    Ok(Value::bool(op.holds(x.as_slice().cmp(y.as_slice()))))
}

fn hash(vm: &Interpreter, this: &Value) -> Res<i64> {
    match this.downcast::<Bytes>() {
        Some(bytes) => Ok(vm.bytes_hash(bytes)),
        None => Err(vm.bug("hash of no bytes")),
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let text = search::repr(&data(vm, this)?, "b", false);
    vm.new_str(&text)
}

fn percent(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    match a.downcast::<Bytes>() {
        Some(bytes) => vm.new_bytes(percent_format_bytes(vm, bytes.as_slice(), b)?),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn getnewargs(vm: &Interpreter, this: &Value) -> Res {
    let copy = vm.bytes_from(&data(vm, this)?)?;
    vm.new_tuple(vec![copy])
}

fn to_bytes(vm: &Interpreter, this: &Value) -> Res {
    if vm.is_exact(this, &vm.types().bytes) {
        return Ok(this.clone());
    }
    vm.bytes_from(&data(vm, this)?)
}

#[rustfmt::skip]
pub static BYTES: TypeDef = TypeDef {
    name: "bytes",
    module: "builtins",
    base: None,
    payload: payload::<Bytes>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF),
    doc: "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n\
          bytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n\
          bytes(int) -> so many null bytes\nbytes() -> empty bytes object",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Str(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Len(len),
        Slot::GetItem(get_item),
        Slot::Contains(contains),
        Slot::Iter(crate::cursor::over_bytes),
        Slot::Concat(add),
        Slot::Repeat(repeat),
        Slot::Binary(BinOp::Mod, percent),
        Slot::Buffer(bytes_buffer),
    ],
    methods: methods![
        FunctionDef::new("__getnewargs__", "($self, /)", "", NativeFn::F1(getnewargs)),
        FunctionDef::new("__bytes__", "($self, /)", "Convert this value to exact type bytes.", NativeFn::F1(to_bytes)),
        FunctionDef::new("__sizeof__", "($self, /)", "Size of object in memory, in bytes.", NativeFn::F1(|vm, this| vm.new_int(33 + data(vm, this)?.len() as i64))),
    ],
    getset: &[],
};

//! The module `array`: values of one machine type in a row.

mod items;
mod pickle;

use items::Items;
use pellucid_object::array::{Array, CODES, Code};
use pellucid_object::buffer::{Buffer, Layout, memory_of};
use pellucid_object::bytes::{ByteArray, Bytes};
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, List, ModuleDef, NativeFn, Payload,
    Raised, Res, Slot, SlotWord, Str, Text, Tuple, TypeDef, TypeFlags, Value, Visitor, constant, payload,
};
use pellucid_types::seq::{bound, clamp, has_index, index_i64, place, times};
use pellucid_types::slice::{Slice, Span, parts};
use std::cell::Cell;

/// The item at an index.
fn item(vm: &Interpreter, array: &Array, index: usize) -> Res<Option<Value>> {
    let size = array.code().size();
    let mut item = [0; 8];
    match array.data().borrow().get(index * size..(index + 1) * size) {
        Some(bytes) => item[..size].copy_from_slice(bytes),
        None => return Ok(None),
    }
    array.code().get(vm, &item[..size]).map(Some)
}

/// All items.
fn values(vm: &Interpreter, array: &Array) -> Res<Vec<Value>> {
    let mut values = pellucid_types::seq::reserve(vm, Some(array.len()))?;
    let mut index = 0;
    while let Some(value) = item(vm, array, index)? {
        values.push(value);
        index += 1;
    }
    Ok(values)
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Array> {
    match value.downcast::<Array>() {
        Some(array) => Ok(array),
        None => Err(vm.type_error(format!("an array was expected, not {}", vm.type_name(value)))),
    }
}

/// A new array of the base type.
fn made(vm: &Interpreter, code: Code, data: Vec<u8>) -> Res {
    vm.alloc(&vm.type_for(&ARRAY)?, Array::new(code, data))
}

#[cold]
fn uneven(vm: &Interpreter) -> Raised {
    vm.value_error("bytes length not a multiple of item size".to_string())
}

#[cold]
fn bad_argument(vm: &Interpreter) -> Raised {
    vm.type_error("bad argument type for built-in operation".to_string())
}

// ---- construction ----

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let ty = vm.type_for(&ARRAY)?;
    if ty.value().is(cls) && !args.names.is_empty() {
        return Err(vm.type_error("array.array() takes no keyword arguments".to_string()));
    }
    let (code, initial) = match args.positional() {
        [code] => (code, None),
        [code, initial] => (code, Some(initial)),
        [] => return Err(vm.type_error("array() takes at least 1 argument (0 given)".to_string())),
        more => {
            let n = more.len();
            return Err(vm.type_error(format!("array() takes at most 2 arguments ({n} given)")));
        }
    };
    let letter = code.downcast::<Str>().filter(|s| s.text.len() == 1).and_then(|s| s.text.get(0));
    let Some(letter) = letter else {
        let got = vm.type_name(code);
        return Err(vm.type_error(format!("array() argument 1 must be a unicode character, not {got}")));
    };
    let Some(code) = Code::new(letter) else {
        let what = "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)";
        return Err(vm.value_error(what.to_string()));
    };
    if code.letter() == 'u' {
        pellucid_types::number::deprecated(
            vm,
            "The 'u' type code is deprecated and will be removed in Python 3.16",
        )?;
    }
    let result = vm.alloc_subclass(cls, Array::new(code, Vec::new()))?;
    if let Some(initial) = initial {
        initialise(vm, this(vm, &result)?, initial)?;
    }
    Ok(result)
}

fn initialise(vm: &Interpreter, array: &Array, initial: &Value) -> Res<()> {
    let refuse = |what: &str| {
        let code = array.code().letter();
        Err(vm.type_error(format!("cannot use a {what} to initialize an array with typecode '{code}'")))
    };
    if let Some(s) = initial.downcast::<Str>() {
        if !array.code().is_text() {
            return refuse("str");
        }
        return array.append(vm, &text_bytes(&s.text));
    }
    if let Some(other) = initial.downcast::<Array>() {
        if other.code().is_text() && !array.code().is_text() {
            return refuse("unicode array");
        }
        if other.code() == array.code() {
            return array.append(vm, &other.copy_bytes(vm)?);
        }
        for value in values(vm, other)? {
            array.append(vm, &array.code().put(vm, &value)?)?;
        }
        return Ok(());
    }
    if initial.downcast::<Bytes>().is_some() || initial.downcast::<ByteArray>().is_some() {
        return append_bytes(vm, array, initial);
    }
    if !(initial.downcast::<List>().is_some() || initial.downcast::<Tuple>().is_some()) {
        return vm.for_each(initial, |value| array.append(vm, &array.code().put(vm, &value)?));
    }
    for value in vm.collect(initial)? {
        array.append(vm, &array.code().put(vm, &value)?)?;
    }
    Ok(())
}

fn text_bytes(text: &Text) -> Vec<u8> {
    text.code_points().flat_map(u32::to_ne_bytes).collect()
}

fn append_bytes(vm: &Interpreter, array: &Array, source: &Value) -> Res<()> {
    let bytes = {
        let shown = vm.bytes_like(source)?;
        vm.copied(&shown.bytes())?
    };
    if bytes.len() % array.code().size() != 0 {
        return Err(uneven(vm));
    }
    array.append(vm, &bytes)
}

// ---- items and slices ----

enum Key {
    Index(i64),
    Slice(Span),
}

fn key(vm: &Interpreter, array: &Array, key: &Value) -> Res<Key> {
    if let Some(slice) = key.downcast::<Slice>() {
        let parts = parts(vm, slice)?;
        return Ok(Key::Slice(parts.over(array.len())));
    }
    if !has_index(vm, key) {
        return Err(vm.type_error("array indices must be integers".to_string()));
    }
    index_i64(vm, key).map(Key::Index)
}

fn get_item(vm: &Interpreter, value: &Value, subscript: &Value) -> Res {
    let array = this(vm, value)?;
    if let Some(index) = subscript.as_small_int().and_then(|index| place(index, array.len()))
        && let Some(item) = array.quick_get(index)
    {
        return Ok(item);
    }
    match key(vm, array, subscript)? {
        Key::Index(index) => {
            let found = match place(index, array.len()) {
                Some(index) => item(vm, array, index)?,
                None => None,
            };
            found.ok_or_else(|| vm.index_error("array index out of range".to_string()))
        }
        Key::Slice(span) => {
            let bytes = picked(vm, array, span)?;
            made(vm, array.code(), bytes)
        }
    }
}

/// The bytes of the items of a slice.
fn picked(vm: &Interpreter, array: &Array, span: Span) -> Res<Vec<u8>> {
    let size = array.code().size();
    let mut bytes = pellucid_types::seq::reserve(vm, span.count.checked_mul(size))?;
    let data = array.data().borrow();
    for at in span.places() {
        bytes.extend_from_slice(data.get(at * size..(at + 1) * size).unwrap_or_default());
    }
    Ok(bytes)
}

fn set_item(vm: &Interpreter, value: &Value, subscript: &Value, new: Option<&Value>) -> Res<()> {
    let array = this(vm, value)?;
    if let (Some(index), Some(new)) = (subscript.as_small_int(), new)
        && let Some(index) = place(index, array.len())
        && array.quick_set(index, new)
    {
        return Ok(());
    }
    match (key(vm, array, subscript)?, new) {
        (Key::Index(index), new) => {
            let out = || vm.index_error("array assignment index out of range".to_string());
            let index = place(index, array.len()).ok_or_else(out)?;
            match new {
                Some(new) => {
                    let item = array.code().put(vm, new)?;
                    if array.set(index, &item) { Ok(()) } else { Err(out()) }
                }
                None => array.splice(vm, index, index + 1, &[]),
            }
        }
        (Key::Slice(span), Some(new)) => {
            let Some(other) = new.downcast::<Array>() else {
                let got = vm.type_name(new);
                return Err(vm.type_error(format!("can only assign array (not \"{got}\") to array slice")));
            };
            if other.code() != array.code() {
                return Err(bad_argument(vm));
            }
            let bytes = other.copy_bytes(vm)?;
            assign_slice(vm, array, span, &bytes)
        }
        (Key::Slice(span), None) => delete_slice(vm, array, span),
    }
}

fn assign_slice(vm: &Interpreter, array: &Array, span: Span, bytes: &[u8]) -> Res<()> {
    let size = array.code().size();
    if span.step == 1 {
        let start = span.start.max(0) as usize;
        return array.splice(vm, start, start + span.count, bytes);
    }
    let count = bytes.len() / size;
    if count != span.count {
        return Err(vm.value_error(format!(
            "attempt to assign array of size {count} to extended slice of size {}",
            span.count
        )));
    }
    for (at, item) in span.places().zip(bytes.chunks_exact(size)) {
        array.set(at, item);
    }
    Ok(())
}

fn delete_slice(vm: &Interpreter, array: &Array, span: Span) -> Res<()> {
    if span.count == 0 {
        return Ok(());
    }
    array.check_resizable(vm)?;
    let size = array.code().size();
    let mut gone: Vec<usize> = span.places().collect();
    gone.sort_unstable();
    let mut gone = gone.into_iter().peekable();
    let mut data = array.data().borrow_mut();
    let mut kept = 0;
    for at in 0..data.len() / size {
        if gone.peek() == Some(&at) {
            gone.next();
        } else {
            data.copy_within(at * size..(at + 1) * size, kept * size);
            kept += 1;
        }
    }
    data.truncate(kept * size);
    Ok(())
}

// ---- operators ----

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Array>(), b.downcast::<Array>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && x.len() != y.len() {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && x.code() == y.code() && !x.code().is_float() {
        let equal = *x.data().borrow() == *y.data().borrow();
        return Ok(Value::bool(equal == (op == CmpOp::Eq)));
    }
    let mut index = 0;
    while let (Some(v), Some(w)) = (item(vm, x, index)?, item(vm, y, index)?) {
        if !vm.truthy(&vm.compare(CmpOp::Eq, &v, &w)?)? {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.compare(op, &v, &w),
            };
        }
        index += 1;
    }
    Ok(Value::bool(op.holds(x.len().cmp(&y.len()))))
}

fn add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some(x) = a.downcast::<Array>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let Some(y) = b.downcast::<Array>() else {
        let got = vm.type_name(b);
        return Err(vm.type_error(format!("can only append array (not \"{got}\") to array")));
    };
    if x.code() != y.code() {
        return Err(bad_argument(vm));
    }
    let mut bytes = x.copy_bytes(vm)?;
    let more = y.data().borrow();
    if bytes.try_reserve(more.len()).is_err() {
        return Err(vm.no_memory());
    }
    bytes.extend_from_slice(&more);
    drop(more);
    made(vm, x.code(), bytes)
}

/// The bytes of an array `count` times. Errors: `MemoryError`.
fn repeated(vm: &Interpreter, array: &Array, count: i64) -> Res<Vec<u8>> {
    let count = usize::try_from(count).unwrap_or(0);
    let data = array.data().borrow();
    let mut bytes = pellucid_types::seq::reserve(vm, data.len().checked_mul(count))?;
    if !data.is_empty() {
        (0..count).for_each(|_| bytes.extend_from_slice(&data));
    }
    Ok(bytes)
}

fn multiply(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (array, count) = if a.downcast::<Array>().is_some() { (a, b) } else { (b, a) };
    let Some(n) = times(vm, count)? else {
        let got = vm.type_name(count);
        return Err(vm.type_error(format!("can't multiply sequence by non-int of type '{got}'")));
    };
    let array = this(vm, array)?;
    let bytes = repeated(vm, array, n)?;
    made(vm, array.code(), bytes)
}

fn in_place_add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if b.downcast::<Array>().is_none() {
        let got = vm.type_name(b);
        return Err(vm.type_error(format!("can only extend with array (not \"{got}\")")));
    }
    extend(vm, a, b)?;
    Ok(a.clone())
}

fn in_place_multiply(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let array = this(vm, a)?;
    let Some(n) = times(vm, b)? else {
        let got = vm.type_name(b);
        return Err(vm.type_error(format!("can't multiply sequence by non-int of type '{got}'")));
    };
    let bytes = repeated(vm, array, n)?;
    if bytes.len() != array.data().borrow().len() {
        array.check_resizable(vm)?;
    }
    array.data().replace(bytes);
    Ok(a.clone())
}

fn contains(vm: &Interpreter, value: &Value, item: &Value) -> Res<bool> {
    Ok(position(vm, this(vm, value)?, item, 0, usize::MAX)?.is_some())
}

/// Where the first item equal to `wanted` stands in `start..end`.
fn position(vm: &Interpreter, array: &Array, wanted: &Value, start: usize, end: usize) -> Res<Option<usize>> {
    let mut index = start;
    while index < end
        && let Some(candidate) = item(vm, array, index)?
    {
        if vm.keys_equal(&candidate, wanted)? {
            return Ok(Some(index));
        }
        index += 1;
    }
    Ok(None)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    let (name, code) = (vm.type_name(value), array.code().letter());
    let name = name.rsplit('.').next().unwrap_or_default().to_string();
    if array.is_empty() {
        return vm.new_str(&format!("{name}('{code}')"));
    }
    let items =
        if array.code().is_text() { to_unicode(vm, value)? } else { vm.new_list(values(vm, array)?)? };
    let mut w = pellucid_types::seq::Writer::default();
    w.push(&format!("{name}('{code}', "));
    w.push_repr(vm, &items)?;
    w.push(")");
    w.finish(vm)
}

// ---- methods ----

fn append(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let array = this(vm, value)?;
    array.append(vm, &array.code().put(vm, item)?)?;
    Ok(Value::NONE)
}

fn extend(vm: &Interpreter, value: &Value, other: &Value) -> Res {
    let array = this(vm, value)?;
    if let Some(other) = other.downcast::<Array>() {
        if other.code() != array.code() {
            return Err(vm.type_error("can only extend with array of same kind".to_string()));
        }
        array.append(vm, &other.copy_bytes(vm)?)?;
        return Ok(Value::NONE);
    }
    vm.for_each(other, |item| array.append(vm, &array.code().put(vm, &item)?))?;
    Ok(Value::NONE)
}

fn insert(vm: &Interpreter, value: &Value, index: &Value, item: &Value) -> Res {
    let array = this(vm, value)?;
    let index = vm.expect_i64(index)?;
    let item = array.code().put(vm, item)?;
    let at = clamp(index, array.len());
    array.splice(vm, at, at, &item)?;
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, args: &Args) -> Res {
    let array = this(vm, args.req(0))?;
    let index = args.int_or(vm, 1, -1)?;
    if array.is_empty() {
        return Err(vm.index_error("pop from empty array".to_string()));
    }
    let out = || vm.index_error("pop index out of range".to_string());
    let index = place(index, array.len()).ok_or_else(out)?;
    let item = item(vm, array, index)?.ok_or_else(out)?;
    array.splice(vm, index, index + 1, &[])?;
    Ok(item)
}

fn remove(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let array = this(vm, value)?;
    match position(vm, array, item, 0, usize::MAX)? {
        Some(index) => {
            array.splice(vm, index, index + 1, &[])?;
            Ok(Value::NONE)
        }
        None => Err(vm.value_error("array.remove(x): x not in array".to_string())),
    }
}

fn index(vm: &Interpreter, args: &Args) -> Res {
    let array = this(vm, args.req(0))?;
    let start = clamp(bound(vm, args.get(2), 0)?, array.len());
    let end = clamp(bound(vm, args.get(3), i64::MAX)?, array.len());
    match position(vm, array, args.req(1), start, end)? {
        Some(index) => vm.new_int(index as i64),
        None => Err(vm.value_error("array.index(x): x not in array".to_string())),
    }
}

fn count(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let array = this(vm, value)?;
    let (mut count, mut at) = (0, 0);
    while let Some(found) = position(vm, array, item, at, usize::MAX)? {
        count += 1;
        at = found + 1;
    }
    vm.new_int(count)
}

fn reverse(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    let mut data = array.data().borrow_mut();
    data.reverse();
    data.chunks_exact_mut(array.code().size()).for_each(<[u8]>::reverse);
    Ok(Value::NONE)
}

fn byteswap(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    array.data().borrow_mut().chunks_exact_mut(array.code().size()).for_each(<[u8]>::reverse);
    Ok(Value::NONE)
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    let end = array.len();
    array.splice(vm, 0, end, &[])?;
    Ok(Value::NONE)
}

fn from_list(vm: &Interpreter, value: &Value, list: &Value) -> Res {
    let array = this(vm, value)?;
    let Some(items) = list.downcast::<List>().map(List::items) else {
        return Err(vm.type_error("arg must be list".to_string()));
    };
    let mut bytes = Vec::new();
    for item in &items {
        bytes.extend(array.code().put(vm, item)?);
        if list.downcast::<List>().is_some_and(|l| l.len() != items.len()) {
            return Err(vm.runtime_error("list changed size during iteration".to_string()));
        }
    }
    array.append(vm, &bytes)?;
    Ok(Value::NONE)
}

fn from_bytes(vm: &Interpreter, value: &Value, source: &Value) -> Res {
    append_bytes(vm, this(vm, value)?, source)?;
    Ok(Value::NONE)
}

fn from_unicode(vm: &Interpreter, value: &Value, source: &Value) -> Res {
    let array = this(vm, value)?;
    let Some(s) = source.downcast::<Str>() else {
        let got = vm.type_name(source);
        return Err(vm.type_error(format!("fromunicode() argument must be str, not {got}")));
    };
    if !array.code().is_text() {
        let what = "fromunicode() may only be called on unicode type arrays ('u' or 'w')";
        return Err(vm.value_error(what.to_string()));
    }
    array.append(vm, &text_bytes(&s.text))?;
    Ok(Value::NONE)
}

fn to_unicode(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    if !array.code().is_text() {
        let what = "tounicode() may only be called on unicode type arrays ('u' or 'w')";
        return Err(vm.value_error(what.to_string()));
    }
    let points: Vec<u32> =
        array.data().borrow().chunks_exact(4).map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
    if let Some(point) = points.iter().find(|p| **p >= 0x11_0000) {
        return Err(vm.value_error(format!("character U+{point:x} is not in range [U+0000; U+10ffff]")));
    }
    match Text::from_code_points(&points) {
        Ok(text) => vm.new_text(text),
        Err(_) => Err(vm.no_memory()),
    }
}

fn from_file(vm: &Interpreter, value: &Value, file: &Value, count: &Value) -> Res {
    let array = this(vm, value)?;
    let count = vm.expect_i64(count)?;
    let Ok(count) = usize::try_from(count) else {
        return Err(vm.value_error("negative count".to_string()));
    };
    let Some(total) = count.checked_mul(array.code().size()).and_then(|n| i64::try_from(n).ok()) else {
        return Err(vm.no_memory());
    };
    let bytes = vm.call_attr(file, "read", &[vm.new_int(total)?])?;
    let Some(read) = bytes.downcast::<Bytes>().map(|b| b.as_slice().len()) else {
        return Err(vm.type_error("read() didn't return bytes".to_string()));
    };
    append_bytes(vm, array, &bytes)?;
    if read as i64 != total {
        return Err(vm.eof_error("read() didn't return enough bytes".to_string()));
    }
    Ok(Value::NONE)
}

fn to_file(vm: &Interpreter, value: &Value, file: &Value) -> Res {
    const BLOCK: usize = 64 * 1024;
    let array = this(vm, value)?;
    let mut at = 0;
    loop {
        let block = {
            let data = array.data().borrow();
            vm.copied(data.get(at..(at + BLOCK).min(data.len())).unwrap_or_default())?
        };
        if block.is_empty() {
            return Ok(Value::NONE);
        }
        at += block.len();
        vm.call_attr(file, "write", &[vm.new_bytes(block)?])?;
    }
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    let bytes = array.copy_bytes(vm)?;
    made(vm, array.code(), bytes)
}

fn buffer_info(vm: &Interpreter, value: &Value) -> Res {
    let array = this(vm, value)?;
    let (address, len) = (array.data().borrow().as_ptr() as usize, array.len());
    vm.new_tuple(vec![vm.new_int(address as i64)?, vm.new_int(len as i64)?])
}

fn buffer(vm: &Interpreter, value: &Value, _: u32) -> Res<Buffer> {
    let array = this(vm, value)?;
    let layout = Layout::items(array.code().format(), array.code().size(), array.len(), false);
    Ok(Buffer::new(value, memory_of::<Array>, layout))
}

// ---- iteration ----

/// Payload of `arrayiterator`.
struct ArrayIterator {
    array: SlotWord,
    index: Cell<usize>,
}

impl Payload for ArrayIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.array.trace(visit);
    }
    fn clear(&self) {
        self.array.set(None);
    }
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let payload = ArrayIterator { array: SlotWord::new(Some(value.clone())), index: Cell::new(0) };
    vm.alloc(&vm.type_for(&ARRAY_ITERATOR)?, payload)
}

fn iterator<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a ArrayIterator> {
    value.downcast::<ArrayIterator>().ok_or_else(|| vm.bug("no arrayiterator"))
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = iterator(vm, value)?;
    let Some(array) = it.array.get() else { return Ok(None) };
    let index = it.index.get();
    let next = item(vm, this(vm, &array)?, index)?;
    match next {
        Some(_) => it.index.set(index + 1),
        None => it.array.set(None),
    }
    Ok(next)
}

fn reduce_iterator(vm: &Interpreter, value: &Value) -> Res {
    let it = iterator(vm, value)?;
    let builtin = |name: &str| pellucid_types::builtins::named(vm, name);
    match it.array.get() {
        Some(array) => {
            let args = vm.new_tuple(vec![array])?;
            vm.new_tuple(vec![builtin("iter")?, args, vm.new_int(it.index.get() as i64)?])
        }
        None => vm.new_tuple(vec![builtin("iter")?, vm.new_tuple(vec![vm.new_tuple(Vec::new())?])?]),
    }
}

fn set_iterator_state(vm: &Interpreter, value: &Value, state: &Value) -> Res {
    let it = iterator(vm, value)?;
    let index = vm.expect_i64(state)?.max(0) as usize;
    let len = it.array.get().and_then(|a| a.downcast::<Array>().map(Array::len)).unwrap_or(0);
    it.index.set(index.min(len));
    Ok(Value::NONE)
}

static ARRAY_ITERATOR: TypeDef = TypeDef {
    name: "arrayiterator",
    module: "array",
    base: None,
    payload: payload::<ArrayIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling.",
            NativeFn::F1(reduce_iterator),
        ),
        FunctionDef::new(
            "__setstate__",
            "($self, state, /)",
            "Set state information for unpickling.",
            NativeFn::F2(set_iterator_state),
        ),
    ],
    getset: &[],
};

const fn method(name: &'static str, doc: &'static str, f: fn(&Interpreter, &Value) -> Res) -> FunctionDef {
    FunctionDef::new(name, "($self, /)", doc, NativeFn::F1(f))
}

pub static ARRAY: TypeDef = TypeDef {
    name: "array",
    module: "array",
    base: None,
    payload: payload::<Array>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF).or(TypeFlags::SEQUENCE),
    doc: "array(typecode [, initializer]) -> array\n\nReturn a new array whose items are restricted by typecode, and\ninitialized from \
          the optional initializer value, which must be a list,\nstring or iterable over elements of the appropriate type.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Len(|vm, value| Ok(this(vm, value)?.len())),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Contains(contains),
        Slot::Iter(iter),
        Slot::Binary(BinOp::Add, add),
        Slot::Binary(BinOp::Mul, multiply),
        Slot::Inplace(BinOp::Add, in_place_add),
        Slot::Inplace(BinOp::Mul, in_place_multiply),
        Slot::Buffer(buffer),
    ],
    methods: &[
        FunctionDef::new(
            "append",
            "($self, v, /)",
            "Append new value v to the end of the array.",
            NativeFn::F2(append),
        ),
        method(
            "buffer_info",
            "Return a tuple (address, length) giving the current memory address and the length in items of the buffer used to hold array's contents.",
            buffer_info,
        ),
        method("byteswap", "Byteswap all items of the array.", byteswap),
        method("clear", "Remove all items from the array.", clear),
        FunctionDef::new(
            "count",
            "($self, v, /)",
            "Return number of occurrences of v in the array.",
            NativeFn::F2(count),
        ),
        FunctionDef::new(
            "extend",
            "($self, bb, /)",
            "Append items to the end of the array.",
            NativeFn::F2(extend),
        ),
        FunctionDef::new(
            "fromfile",
            "($self, f, n, /)",
            "Read n objects from the file object f and append them to the end of the array.",
            NativeFn::F3(from_file),
        ),
        FunctionDef::new(
            "fromlist",
            "($self, list, /)",
            "Append items to array from list.",
            NativeFn::F2(from_list),
        ),
        FunctionDef::new(
            "frombytes",
            "($self, buffer, /)",
            "Appends items from the string, interpreting it as an array of machine values, as if it had been read from a file using the fromfile() method.",
            NativeFn::F2(from_bytes),
        ),
        FunctionDef::new(
            "fromunicode",
            "($self, ustr, /)",
            "Extends this array with data from the unicode string ustr.",
            NativeFn::F2(from_unicode),
        ),
        FunctionDef::new(
            "index",
            "($self, v, start=0, stop=9223372036854775807, /)",
            "Return index of first occurrence of v in the array.\n\nRaise ValueError if the value is not present.",
            NativeFn::Args(index),
        ),
        FunctionDef::new(
            "insert",
            "($self, i, v, /)",
            "Insert a new item v into the array before position i.",
            NativeFn::F3(insert),
        ),
        FunctionDef::new(
            "pop",
            "($self, i=-1, /)",
            "Return the i-th element and delete it from the array.\n\ni defaults to -1.",
            NativeFn::Args(pop),
        ),
        FunctionDef::new(
            "remove",
            "($self, v, /)",
            "Remove the first occurrence of v in the array.",
            NativeFn::F2(remove),
        ),
        method("reverse", "Reverse the order of the items in the array.", reverse),
        method(
            "tobytes",
            "Convert the array to an array of machine values and return the bytes representation.",
            |vm, value| vm.new_bytes(this(vm, value)?.copy_bytes(vm)?),
        ),
        FunctionDef::new(
            "tofile",
            "($self, f, /)",
            "Write all items (as machine values) to the file object f.",
            NativeFn::F2(to_file),
        ),
        method("tolist", "Convert array to an ordinary list with the same items.", |vm, value| {
            vm.new_list(values(vm, this(vm, value)?)?)
        }),
        method("tounicode", "Extends this array with data from the unicode string ustr.", to_unicode),
        method("__copy__", "Return a copy of the array.", copy),
        FunctionDef::new(
            "__deepcopy__",
            "($self, unused, /)",
            "Return a copy of the array.",
            NativeFn::F2(|vm, value, _| copy(vm, value)),
        ),
        FunctionDef::new(
            "__reduce_ex__",
            "($self, value, /)",
            "Return state information for pickling.",
            NativeFn::F2(pickle::reduce),
        ),
        method("__sizeof__", "Size of the array in memory, in bytes.", |vm, value| {
            vm.new_int(64 + this(vm, value)?.data().borrow().len() as i64)
        }),
        pellucid_types::generic_alias::CLASS_GETITEM,
    ],
    getset: &[
        GetSetDef {
            name: "typecode",
            doc: "the typecode character used to create the array",
            get: |vm, value| vm.new_str(&this(vm, value)?.code().letter().to_string()),
            set: None,
        },
        GetSetDef {
            name: "itemsize",
            doc: "the size, in bytes, of one array item",
            get: |vm, value| vm.new_int(this(vm, value)?.code().size() as i64),
            set: None,
        },
    ],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "array",
    doc: "This module defines an object type which can efficiently represent\nan array of basic values: characters, integers, \
          floating-point\nnumbers.  Arrays are sequence types and behave very much like lists,\nexcept that the type of objects stored \
          in them is constrained.\n",
    functions: &[FunctionDef::new(
        "_array_reconstructor",
        "(arraytype, typecode, mformat_code, items, /)",
        "Internal. Used for pickling support.",
        NativeFn::Args(pickle::reconstruct),
    )],
    types: &[&ARRAY],
    constants: &[
        constant("typecodes", |vm| vm.new_str(CODES)),
        constant("ArrayType", |vm| Ok(vm.type_for(&ARRAY)?.into_value())),
    ],
    init: Some(register),
};

/// An array is a `MutableSequence`.
fn register(vm: &Interpreter, _: &Value) -> Res<()> {
    if vm.hooks.import.get().is_none() {
        return Ok(());
    }
    let abc = vm.get_attr_str(&vm.import("collections.abc")?, "MutableSequence")?;
    vm.call_attr(&abc, "register", &[vm.type_for(&ARRAY)?.into_value()]).map(drop)
}

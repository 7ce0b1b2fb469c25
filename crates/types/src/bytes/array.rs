//! `bytearray`: what changes in place.

use super::{
    add, byte, center, contains, contents, count, data, decode, endswith, expandtabs, find, from_object,
    fromhex, get_item, hex, index, join, len, ljust, maketrans, mapped, methods, parts, remove_affix, repeat,
    replace, rfind, rindex, rjust, rsplit, search, split, splitlines, startswith, stripped, translate, zfill,
};
use super::{all, capitalize, cased, swapcase};
use crate::seq::{self, Subscript};
use crate::slice::{self, Slice};
use pellucid_object::bytes::bytearray_buffer;
use pellucid_object::{
    Args, BinOp, ByteArray, CallArgs, CmpOp, FunctionDef, Interpreter, NativeFn, Ref, Res, Slot, Str,
    TypeDef, TypeFlags, Value, payload,
};

fn array(vm: &Interpreter, value: &Value) -> Res<Ref<ByteArray>> {
    value.downcast_ref::<ByteArray>().ok_or_else(|| {
        vm.type_error(format!("expected a 'bytearray' object but received a '{}'", vm.type_name(value)))
    })
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, ByteArray::default())
}

fn init(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res<()> {
    let array = array(vm, this)?;
    let bytes = contents(vm, "bytearray", args)?;
    array.resize_with(vm, |data| *data = bytes)
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let name = vm.type_name(this);
    let text = search::repr(&data(vm, this)?, &format!("{name}(b"), true);
    vm.new_str(&format!("{text})"))
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    if a.downcast::<ByteArray>().is_none() || !vm.has_buffer(b) || b.downcast::<Str>().is_some() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let Ok(right) = vm.bytes_like(b).map_err(|raised| drop(vm.take_raised(raised))) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(op.holds((*data(vm, a)?).cmp(&*right.bytes()))))
}

/// Bytes to be put into an array, copied so that the source may be the array itself.
fn source(vm: &Interpreter, value: &Value, refusal: impl FnOnce() -> String) -> Res<Vec<u8>> {
    if vm.has_buffer(value) {
        return vm.copied(&vm.bytes_like(value)?.bytes());
    }
    let iterable = vm.type_of_ref(value).slots.iter.get().is_some()
        || vm.type_of_ref(value).slots.getitem.get().is_some();
    if !iterable || value.downcast::<Str>().is_some() {
        return Err(vm.type_error(refusal()));
    }
    from_object(vm, "bytearray", value)
}

fn set_item(vm: &Interpreter, this: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let array = array(vm, this)?;
    match seq::subscript(vm, key, "bytearray")? {
        Subscript::Index(i) => {
            let byte = value.map(|v| byte(vm, v)).transpose()?;
            let Some(at) = seq::place(i, array.len()) else {
                return Err(vm.index_error("bytearray index out of range".to_string()));
            };
            match byte {
                Some(byte) => array.borrow_mut()[at] = byte,
                None => array.resize_with(vm, |data| data.remove(at)).map(|_| ())?,
            }
            Ok(())
        }
        Subscript::Slice(key) => {
            let Some(slice) = key.downcast::<Slice>() else { return Err(vm.bug("slice")) };
            let parts = slice::parts(vm, slice)?;
            let new = match value {
                None => None,
                Some(value) => Some(source(vm, value, || {
                    "can assign only bytes, buffers, or iterables of ints in range(0, 256)".to_string()
                })?),
            };
            let span = parts.over(array.len());
            match new {
                Some(new) => assign(vm, &array, span, new),
                None => delete(vm, &array, span),
            }
        }
    }
}

fn assign(vm: &Interpreter, array: &ByteArray, span: slice::Span, new: Vec<u8>) -> Res<()> {
    if span.step == 1 {
        let start = span.start as usize;
        let end = start + span.count;
        if new.len() == span.count {
            array.borrow_mut()[start..end].copy_from_slice(&new);
            return Ok(());
        }
        return array.resize_with(vm, |data| drop(data.splice(start..end, new)));
    }
    if new.is_empty() {
        return delete(vm, array, span);
    }
    if new.len() != span.count {
        let (given, wanted) = (new.len(), span.count);
        return Err(vm.value_error(format!(
            "attempt to assign bytes of size {given} to extended slice of size {wanted}"
        )));
    }
    let mut data = array.borrow_mut();
    for (at, byte) in span.places().zip(new) {
        data[at] = byte;
    }
    Ok(())
}

fn delete(vm: &Interpreter, array: &ByteArray, span: slice::Span) -> Res<()> {
    if span.count == 0 {
        return Ok(());
    }
    array.resize_with(vm, |data| {
        if span.step == 1 {
            let start = span.start as usize;
            drop(data.drain(start..start + span.count));
            return;
        }
        let mut places: Vec<usize> = span.places().collect();
        places.sort_unstable();
        let (mut next, mut at) = (places.into_iter().peekable(), 0);
        data.retain(|_| {
            let gone = next.next_if_eq(&at).is_some();
            at += 1;
            !gone
        });
    })
}

/// Makes room and appends. Errors: `MemoryError`, `BufferError`.
fn append_all(vm: &Interpreter, array: &ByteArray, bytes: &[u8]) -> Res<()> {
    let done = array
        .resize_with(vm, |data| data.try_reserve(bytes.len()).map(|()| data.extend_from_slice(bytes)))?;
    done.map_err(|_| vm.no_memory())
}

fn append(vm: &Interpreter, this: &Value, item: &Value) -> Res {
    let byte = byte(vm, item)?;
    append_all(vm, &*array(vm, this)?, &[byte])?;
    Ok(Value::NONE)
}

fn extend(vm: &Interpreter, this: &Value, items: &Value) -> Res {
    let array = array(vm, this)?;
    let bytes = source(vm, items, || match items.downcast::<Str>() {
        Some(_) => format!("expected iterable of integers; got: '{}'", vm.type_name(items)),
        None => format!("can't extend bytearray with {}", vm.type_name(items)),
    })?;
    append_all(vm, &array, &bytes)?;
    Ok(Value::NONE)
}

fn insert(vm: &Interpreter, args: &Args) -> Res {
    let array = array(vm, args.req(0))?;
    let at = args.int(vm, 1)?;
    let byte = byte(vm, args.req(2))?;
    let at = seq::clamp(at, array.len());
    let done = array.resize_with(vm, |data| data.try_reserve(1).map(|()| data.insert(at, byte)))?;
    done.map_err(|_| vm.no_memory())?;
    Ok(Value::NONE)
}

fn pop(vm: &Interpreter, args: &Args) -> Res {
    let array = array(vm, args.req(0))?;
    let at = args.int_or(vm, 1, -1)?;
    if array.is_empty() {
        return Err(vm.index_error("pop from empty bytearray".to_string()));
    }
    let Some(at) = seq::place(at, array.len()) else {
        return Err(vm.index_error("pop index out of range".to_string()));
    };
    let byte = array.resize_with(vm, |data| data.remove(at))?;
    vm.new_int(i64::from(byte))
}

fn remove(vm: &Interpreter, this: &Value, item: &Value) -> Res {
    let byte = byte(vm, item)?;
    let array = array(vm, this)?;
    let place = memchr::memchr(byte, &array.borrow());
    match place {
        Some(at) => array.resize_with(vm, |data| data.remove(at)).map(|_| ())?,
        None => return Err(vm.value_error("value not found in bytearray".to_string())),
    }
    Ok(Value::NONE)
}

fn clear(vm: &Interpreter, this: &Value) -> Res {
    array(vm, this)?.resize_with(vm, |data| *data = Vec::new())?;
    Ok(Value::NONE)
}

fn reverse(vm: &Interpreter, this: &Value) -> Res {
    array(vm, this)?.borrow_mut().reverse();
    Ok(Value::NONE)
}

fn copy(vm: &Interpreter, this: &Value) -> Res {
    let copy = vm.copied(&data(vm, this)?)?;
    vm.new_bytearray(copy)
}

fn resize(vm: &Interpreter, args: &Args) -> Res {
    let array = array(vm, args.req(0))?;
    let size = args.int(vm, 1)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error(format!("bytearray.resize(): new size must be >= 0, got {size}")));
    };
    let done = array.resize_with(vm, |data| {
        data.try_reserve(size.saturating_sub(data.len())).map(|()| data.resize(size, 0))
    })?;
    done.map_err(|_| vm.no_memory())?;
    Ok(Value::NONE)
}

fn in_place_add(vm: &Interpreter, this: &Value, other: &Value) -> Res {
    if !vm.has_buffer(other) {
        let (a, b) = (vm.type_name(this), vm.type_name(other));
        return Err(vm.type_error(format!("can't concat {b} to {a}")));
    }
    let bytes = vm.copied(&vm.bytes_like(other)?.bytes())?;
    append_all(vm, &*array(vm, this)?, &bytes)?;
    Ok(this.clone())
}

fn in_place_repeat(vm: &Interpreter, this: &Value, times: i64) -> Res {
    let times = usize::try_from(times).unwrap_or(0);
    let array = array(vm, this)?;
    array.check_resizable(vm)?;
    let result = super::repeated(vm, &array.borrow(), times)?;
    array.resize_with(vm, |data| *data = result)?;
    Ok(this.clone())
}

/// State for pickling: text for old protocols, which know no bytes.
fn reduced(vm: &Interpreter, this: &Value, protocol: i64) -> Res {
    let bytes = vm.copied(&data(vm, this)?)?;
    let args = match bytes.is_empty() {
        true => Vec::new(),
        false if protocol < 3 => {
            vec![vm.made_text(pellucid_object::Text::from_latin1(&bytes))?, vm.new_str("latin-1")?]
        }
        false => vec![vm.new_bytes(bytes)?],
    };
    let state = crate::object::state(vm, this, false)?;
    vm.new_tuple(vec![vm.type_of(this).into_value(), vm.new_tuple(args)?, state])
}

fn percent(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let Some(array) = a.downcast::<ByteArray>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let template = array.borrow().to_vec();
    vm.new_bytearray(crate::format::percent_format_bytes(vm, &template, b)?)
}

#[rustfmt::skip]
pub static BYTEARRAY: TypeDef = TypeDef {
    name: "bytearray",
    module: "builtins",
    base: None,
    payload: payload::<ByteArray>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF),
    doc: "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n\
          bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n\
          bytearray(int) -> so many null bytes\nbytearray() -> empty bytes array",
    slots: &[
        Slot::New(new),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Str(repr),
        Slot::Compare(compare),
        Slot::Len(len),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Contains(contains),
        Slot::Iter(crate::cursor::over_bytearray),
        Slot::Concat(add),
        Slot::Repeat(repeat),
        Slot::InplaceConcat(in_place_add),
        Slot::InplaceRepeat(in_place_repeat),
        Slot::Binary(BinOp::Mod, percent),
        Slot::Buffer(bytearray_buffer),
    ],
    methods: methods![
        FunctionDef::new("append", "($self, item, /)", "Append a single item to the end of the bytearray.", NativeFn::F2(append)),
        FunctionDef::new("extend", "($self, iterable_of_ints, /)", "Append all the items from the iterator or sequence.", NativeFn::F2(extend)),
        FunctionDef::new("insert", "($self, index, item, /)", "Insert a single item before the given index.", NativeFn::Args(insert)),
        FunctionDef::new("pop", "($self, index=-1, /)", "Remove and return a single item.", NativeFn::Args(pop)),
        FunctionDef::new("remove", "($self, value, /)", "Remove the first occurrence of a value.", NativeFn::F2(remove)),
        FunctionDef::new("clear", "($self, /)", "Remove all items.", NativeFn::F1(clear)),
        FunctionDef::new("reverse", "($self, /)", "Reverse the order of the values in place.", NativeFn::F1(reverse)),
        FunctionDef::new("copy", "($self, /)", "Return a copy.", NativeFn::F1(copy)),
        FunctionDef::new("resize", "($self, size, /)", "Cut, or lengthen with zeros, to a size.", NativeFn::Args(resize)),
        FunctionDef::new("__alloc__", "($self, /)", "Number of bytes actually allocated.", NativeFn::F1(|vm, this| vm.new_int(array(vm, this)?.capacity() as i64 + 1))),
        FunctionDef::new("__sizeof__", "($self, /)", "Size of the object in memory, in bytes.", NativeFn::F1(|vm, this| vm.new_int(57 + array(vm, this)?.capacity() as i64))),
        FunctionDef::new("__reduce__", "($self, /)", "State for pickling.", NativeFn::F1(|vm, this| reduced(vm, this, 2))),
        FunctionDef::new("__reduce_ex__", "($self, proto=0, /)", "State for pickling.", NativeFn::Args(|vm, args| reduced(vm, args.req(0), args.int_or(vm, 1, 0)?))),
    ],
    getset: &[],
};

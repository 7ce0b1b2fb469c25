//! `memoryview`: an object's memory seen as items of one type, in one or more dimensions.

use crate::seq;
use crate::slice::{self, Slice};
use pellucid_object::buffer::{Layout, flags};
use pellucid_object::{
    Args, Buffer, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, List, NativeFn, Payload, Raised, Res,
    Slot, SlotWord, Str, Tuple, TypeDef, TypeFlags, UnOp, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Most dimensions.
const MAX_DIMENSIONS: usize = 64;

/// Payload of `memoryview`.
pub struct MemoryView {
    /// `None`: released.
    buffer: RefCell<Option<Rc<Buffer>>>,
    exports: Cell<usize>,
    hash: Cell<Option<i64>>,
}

impl Payload for MemoryView {
    fn trace(&self, visit: &mut Visitor) {
        if let Some(buffer) = self.buffer.borrow().as_ref().filter(|b| Rc::strong_count(b) == 1) {
            buffer.trace(visit);
        }
    }
    fn clear(&self) {
        let buffer = self.buffer.take();
        drop(buffer);
    }
}

fn exports(value: &Value) -> Option<&Cell<usize>> {
    value.downcast::<MemoryView>().map(|view| &view.exports)
}

/// Puts the hooks of this type in place.
pub fn install(vm: &Interpreter) {
    vm.hooks.memoryview.set(Some(new_view));
    vm.hooks.is_memoryview.set(Some(|value| value.downcast::<MemoryView>().is_some()));
}

/// A new `memoryview` of a buffer.
pub fn new_view(vm: &Interpreter, buffer: Buffer) -> Res {
    let view = MemoryView {
        buffer: RefCell::new(Some(Rc::new(buffer))),
        exports: Cell::new(0),
        hash: Cell::new(None),
    };
    vm.alloc(&vm.type_for(&MEMORYVIEW)?, view)
}

fn view<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a MemoryView> {
    value.downcast::<MemoryView>().ok_or_else(|| vm.bug("no memoryview"))
}

/// The buffer of a view. Errors: `ValueError` when it was released.
fn buffer(vm: &Interpreter, value: &Value) -> Res<Rc<Buffer>> {
    let found = view(vm, value)?.buffer.borrow().clone();
    found.ok_or_else(|| vm.value_error("operation forbidden on released memoryview object".to_string()))
}

/// A view of any object that shows a buffer.
fn of(vm: &Interpreter, object: &Value, wanted: u32) -> Res {
    if object.downcast::<MemoryView>().is_some() {
        let inner = buffer(vm, object)?;
        return new_view(vm, inner.with_layout(inner.layout.clone()));
    }
    if !vm.has_buffer(object) {
        let got = vm.type_name(object);
        return Err(vm.type_error(format!("memoryview: a bytes-like object is required, not '{got}'")));
    }
    let buffer = vm.buffer(object, wanted)?;
    if buffer.layout.ndim() > MAX_DIMENSIONS {
        let what = format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        return Err(vm.value_error(what));
    }
    new_view(vm, buffer)
}

fn new(vm: &Interpreter, _: &Value, args: &CallArgs) -> Res {
    let [object] = seq::bind(vm, "memoryview", ["object"], args)?;
    match object {
        Some(object) => of(vm, &object, flags::FULL_RO),
        None => Err(vm.type_error("memoryview() missing required argument 'object' (pos 1)".to_string())),
    }
}

fn from_flags(vm: &Interpreter, args: &Args) -> Res {
    let wanted = u32::try_from(args.int(vm, 2)?).unwrap_or(flags::FULL_RO);
    of(vm, args.req(1), wanted)
}

/// The `buffer` slot: the same memory, refused when it is not laid out as wanted.
fn show(vm: &Interpreter, value: &Value, wanted: u32) -> Res<Buffer> {
    let inner = buffer(vm, value)?;
    let layout = &inner.layout;
    let asks = |bits: u32| wanted & bits == bits;
    let refuse = |what: &str| Err(vm.buffer_error(format!("memoryview: underlying buffer is not {what}")));
    let (c, f) = (layout.is_c_contiguous(), layout.is_f_contiguous());
    if asks(flags::WRITABLE) && layout.readonly {
        return refuse("writable");
    }
    if !c && (asks(flags::C_CONTIGUOUS) || !asks(flags::STRIDES)) {
        return refuse("C-contiguous");
    }
    if asks(flags::F_CONTIGUOUS) && !f {
        return refuse("Fortran contiguous");
    }
    if asks(flags::ANY_CONTIGUOUS) && !c && !f {
        return refuse("contiguous");
    }
    if !asks(flags::ND) && asks(flags::FORMAT) {
        let what = "memoryview: cannot cast to unsigned bytes if the format flag is present";
        return Err(vm.buffer_error(what.to_string()));
    }
    Ok(inner.through(value, exports))
}

// ---- single items ----

/// A native format of one character.
fn native(format: &str) -> Option<char> {
    let mut chars = format.strip_prefix('@').unwrap_or(format).chars();
    let c = chars.next()?;
    (chars.next().is_none() && size_of_format(c).is_some()).then_some(c)
}

fn size_of_format(format: char) -> Option<usize> {
    Some(match format {
        'c' | 'b' | 'B' | '?' => 1,
        'h' | 'H' | 'e' => 2,
        'i' | 'I' | 'f' => 4,
        'l' | 'L' | 'q' | 'Q' | 'n' | 'N' | 'd' | 'P' => 8,
        _ => return None,
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    array
}

/// The value of one item.
fn unpack(vm: &Interpreter, format: char, bytes: &[u8]) -> Res {
    let signed = |i: i64| vm.new_int(i);
    let unsigned = |u: u64| match i64::try_from(u) {
        Ok(i) => vm.new_int(i),
        Err(_) => vm.new_big(pellucid_object::int::IBig::from(u)),
    };
    match format {
        'c' => vm.new_bytes(bytes.to_vec()),
        'b' => signed(i64::from(i8::from_ne_bytes(fixed(bytes)))),
        'B' => signed(i64::from(u8::from_ne_bytes(fixed(bytes)))),
        '?' => Ok(Value::bool(bytes.iter().any(|b| *b != 0))),
        'h' => signed(i64::from(i16::from_ne_bytes(fixed(bytes)))),
        'H' => signed(i64::from(u16::from_ne_bytes(fixed(bytes)))),
        'i' => signed(i64::from(i32::from_ne_bytes(fixed(bytes)))),
        'I' => signed(i64::from(u32::from_ne_bytes(fixed(bytes)))),
        'l' | 'q' | 'n' => signed(i64::from_ne_bytes(fixed(bytes))),
        'L' | 'Q' | 'N' | 'P' => unsigned(u64::from_ne_bytes(fixed(bytes))),
        'f' => vm.new_float(f64::from(f32::from_ne_bytes(fixed(bytes)))),
        'd' => vm.new_float(f64::from_ne_bytes(fixed(bytes))),
        'e' => vm.new_float(half(u16::from_ne_bytes(fixed(bytes)))),
        _ => Err(vm.not_implemented_error(format!("memoryview: format {format} not supported"))),
    }
}

/// A 16-bit float as a number.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// A number as a 16-bit float, ties to even; `None` when it is too large.
fn to_half(f: f64) -> Option<u16> {
    let sign = if f.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = f.abs();
    if f.is_nan() {
        return Some(sign | 0x7e00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7c00);
    }
    // Below the least normal number the steps are 2^-24 wide, above it 2^(exponent - 10).
    let exponent = if magnitude < 2f64.powi(-14) { -14 } else { ((magnitude.to_bits() >> 52) as i32) - 1023 };
    let steps = (magnitude / 2f64.powi(exponent - 10)).round_ties_even();
    let bits = if exponent == -14 && steps < 1024.0 { steps as u32 } else { ((exponent + 15) as u32) << 10 };
    let bits = if bits < 1024 && steps < 1024.0 { bits } else { bits + steps as u32 - 1024 };
    u16::try_from(bits).ok().filter(|b| *b < 0x7c00).map(|b| sign | b)
}

/// A real number as a float. Errors: `TypeError`.
fn real(vm: &Interpreter, value: &Value) -> Res<f64> {
    if let Some(number) = crate::number::operand(vm, value)? {
        return Ok(number);
    }
    let unary = &vm.type_of_ref(value).slots.unary;
    if let Some(convert) = unary[UnOp::Float as usize].get()
        && let Some(number) = convert(vm, value)?.as_float()
    {
        return Ok(number);
    }
    let index = vm.index(value)?;
    match crate::number::operand(vm, &index)? {
        Some(number) => Ok(number),
        None => Err(vm.type_error(format!("must be real number, not {}", vm.type_name(value)))),
    }
}

/// The bytes of one item. Errors: `TypeError`, `ValueError`.
fn pack(vm: &Interpreter, format: char, value: &Value) -> Res<Vec<u8>> {
    let bad_type = || vm.type_error(format!("memoryview: invalid type for format '{format}'"));
    let bad_value = || vm.value_error(format!("memoryview: invalid value for format '{format}'"));
    let type_or = |raised: Raised| -> Raised {
        if vm.raised_is(vm.exceptions().type_error()) {
            drop(vm.take_raised(raised));
            return bad_type();
        }
        raised
    };
    macro_rules! int {
        ($ty:ty) => {{
            let index = vm.index(value).map_err(type_or)?;
            let big = index.as_int().map(|i| i.to_big()).ok_or_else(bad_type)?;
            <$ty>::try_from(&big).map_err(|_| bad_value())?.to_ne_bytes().to_vec()
        }};
    }
    Ok(match format {
        'c' => match value.downcast::<pellucid_object::Bytes>() {
            Some(bytes) if bytes.as_slice().len() == 1 => bytes.as_slice().to_vec(),
            Some(_) => return Err(bad_value()),
            None => return Err(bad_type()),
        },
        'b' => int!(i8),
        'B' => int!(u8),
        'h' => int!(i16),
        'H' => int!(u16),
        'i' => int!(i32),
        'I' => int!(u32),
        'l' | 'q' | 'n' => int!(i64),
        'L' | 'Q' | 'N' | 'P' => int!(u64),
        '?' => vec![u8::from(vm.truthy(value)?)],
        'f' | 'd' | 'e' => {
            let number = real(vm, value).map_err(type_or)?;
            match format {
                'd' => number.to_ne_bytes().to_vec(),
                'f' => (number as f32).to_ne_bytes().to_vec(),
                _ => match to_half(number) {
                    Some(bits) => bits.to_ne_bytes().to_vec(),
                    None => {
                        let what = "float too large to pack with e format";
                        return Err(vm.overflow_error(what.to_string()));
                    }
                },
            }
        }
        _ => return Err(vm.not_implemented_error(format!("memoryview: format {format} not supported"))),
    })
}

/// The format of a view that single items can be read of. Errors: `NotImplementedError`.
fn item_format(vm: &Interpreter, layout: &Layout) -> Res<char> {
    native(&layout.format).ok_or_else(|| {
        vm.not_implemented_error(format!("memoryview: format {} not supported", layout.format))
    })
}

fn item_at(vm: &Interpreter, buffer: &Buffer, at: usize) -> Res {
    let format = item_format(vm, &buffer.layout)?;
    let size = buffer.layout.itemsize;
    let bytes = buffer.whole().get(at..at + size).unwrap_or_default().to_vec();
    unpack(vm, format, &bytes)
}

// ---- subscripts ----

fn place(vm: &Interpreter, layout: &Layout, indices: &[i64]) -> Res<usize> {
    let mut at = layout.offset as isize;
    for (dimension, index) in indices.iter().enumerate() {
        let (size, stride) = (layout.shape[dimension], layout.strides[dimension]);
        let Some(index) = seq::place(*index, size) else {
            return Err(vm.index_error(format!("index out of bounds on dimension {}", dimension + 1)));
        };
        at += index as isize * stride;
    }
    usize::try_from(at).map_err(|_| vm.bug("a negative place"))
}

/// The indices of a tuple of ints; `None` when it is none.
fn indices(vm: &Interpreter, key: &Value) -> Res<Option<Vec<i64>>> {
    let Some(items) = key.downcast::<Tuple>().map(Tuple::items) else { return Ok(None) };
    if !items.iter().all(|item| seq::has_index(vm, item)) {
        return Ok(None);
    }
    items.iter().map(|item| seq::index_i64(vm, item)).collect::<Res<Vec<i64>>>().map(Some)
}

fn is_slices(key: &Value) -> bool {
    key.downcast::<Tuple>()
        .is_some_and(|t| !t.is_empty() && t.items().iter().all(|i| i.downcast::<Slice>().is_some()))
}

/// Where the item of `key` stands. Errors: those of wrong keys.
fn item_place(vm: &Interpreter, layout: &Layout, key: &Value) -> Res<usize> {
    if layout.ndim() == 0 {
        let whole = key.is_ellipsis() || key.downcast::<Tuple>().is_some_and(Tuple::is_empty);
        if whole {
            return Ok(layout.offset);
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory".to_string()));
    }
    if let Some(list) = indices(vm, key)? {
        if list.len() < layout.ndim() {
            return Err(vm.not_implemented_error("sub-views are not implemented".to_string()));
        }
        if list.len() > layout.ndim() {
            let (n, k) = (layout.ndim(), list.len());
            return Err(vm.type_error(format!("cannot index {n}-dimension view with {k}-element tuple")));
        }
        return place(vm, layout, &list);
    }
    if seq::has_index(vm, key) {
        let index = seq::index_i64(vm, key)?;
        if layout.ndim() > 1 {
            let what = "multi-dimensional sub-views are not implemented";
            return Err(vm.not_implemented_error(what.to_string()));
        }
        return place(vm, layout, &[index]);
    }
    if is_slices(key) {
        return Err(vm.not_implemented_error("multi-dimensional slicing is not implemented".to_string()));
    }
    Err(vm.type_error("memoryview: invalid slice key".to_string()))
}

/// The layout of a slice along the first dimension.
fn sliced(vm: &Interpreter, layout: &Layout, slice: &Slice) -> Res<Layout> {
    let parts = slice::parts(vm, slice)?;
    let span = parts.over(layout.shape.first().copied().unwrap_or(0));
    let (mut shape, mut strides) = (layout.shape.to_vec(), layout.strides.to_vec());
    let start = span.start.max(0) as isize * strides[0];
    shape[0] = span.count;
    strides[0] = strides[0].saturating_mul(span.step as isize);
    let offset = if span.count == 0 { layout.offset } else { layout.offset.wrapping_add_signed(start) };
    Ok(Layout { shape: shape.into(), strides: strides.into(), offset, ..layout.clone() })
}

fn get_item(vm: &Interpreter, this: &Value, key: &Value) -> Res {
    let buffer = buffer(vm, this)?;
    let layout = &buffer.layout;
    if layout.ndim() == 0 && key.is_ellipsis() {
        return Ok(this.clone());
    }
    if let Some(slice) = key.downcast::<Slice>()
        && layout.ndim() > 0
    {
        return new_view(vm, buffer.with_layout(sliced(vm, layout, slice)?));
    }
    item_format_unless_subview(vm, layout, key)?;
    if key.is_small_int() {
        return item_at(vm, &buffer, item_place(vm, layout, key)?);
    }
    // Reading the key may release the view: nothing is held meanwhile.
    let layout = layout.clone();
    drop(buffer);
    let at = item_place(vm, &layout, key)?;
    item_at(vm, &*self::buffer(vm, this)?, at)
}

/// The format is complained about before the key, except where the key asks for what is not implemented.
fn item_format_unless_subview(vm: &Interpreter, layout: &Layout, key: &Value) -> Res<()> {
    if seq::has_index(vm, key) || key.downcast::<Tuple>().is_some_and(|_| !is_slices(key)) {
        item_format(vm, layout)?;
    }
    Ok(())
}

fn set_item(vm: &Interpreter, this: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    // Reading the key and the value may release the view: nothing is held meanwhile.
    let layout = buffer(vm, this)?.layout.clone();
    let format = item_format(vm, &layout)?;
    if layout.readonly {
        return Err(vm.type_error("cannot modify read-only memory".to_string()));
    }
    let Some(value) = value else { return Err(vm.type_error("cannot delete memory".to_string())) };
    if let Some(slice) = key.downcast::<Slice>()
        && layout.ndim() == 1
    {
        let layout = sliced(vm, &layout, slice)?;
        return assign(vm, &buffer(vm, this)?.with_layout(layout), value);
    }
    if key.downcast::<Slice>().is_some() && layout.ndim() > 1 {
        let what = "memoryview slice assignments are currently restricted to ndim = 1";
        return Err(vm.not_implemented_error(what.to_string()));
    }
    let at = item_place(vm, &layout, key)?;
    buffer(vm, this)?;
    let bytes = pack(vm, format, value)?;
    write_at(vm, &*buffer(vm, this)?, at, &bytes)
}

fn write_at(vm: &Interpreter, buffer: &Buffer, at: usize, bytes: &[u8]) -> Res<()> {
    let Some(mut whole) = buffer.whole_mut() else {
        return Err(vm.type_error("cannot modify read-only memory".to_string()));
    };
    if let Some(place) = whole.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
    Ok(())
}

/// Copies the items of `value` into `target`. Errors: `ValueError` when they are laid out in another way.
fn assign(vm: &Interpreter, target: &Buffer, value: &Value) -> Res<()> {
    let source = vm.buffer(value, flags::FULL_RO)?;
    let plain = |format: &str| format.strip_prefix('@').unwrap_or(format).to_string();
    let (to, from) = (&target.layout, &source.layout);
    if plain(&to.format) != plain(&from.format) || to.itemsize != from.itemsize || to.shape != from.shape {
        let what = "memoryview assignment: lvalue and rvalue have different structures";
        return Err(vm.value_error(what.to_string()));
    }
    let bytes = source.to_vec(vm, false)?;
    let Some(mut whole) = target.whole_mut() else {
        return Err(vm.type_error("cannot modify read-only memory".to_string()));
    };
    for (at, item) in to.offsets(false).zip(bytes.chunks(to.itemsize.max(1))) {
        if let Some(place) = whole.get_mut(at..at + item.len()) {
            place.copy_from_slice(item);
        }
    }
    Ok(())
}

// ---- whole views ----

fn len(vm: &Interpreter, this: &Value) -> Res<usize> {
    match buffer(vm, this)?.layout.shape.first() {
        Some(len) => Ok(*len),
        None => Err(vm.type_error("0-dim memory has no length".to_string())),
    }
}

/// Nested lists of the items from byte `at` on, in the dimensions from `dimension` on.
fn lists(vm: &Interpreter, buffer: &Buffer, at: isize, dimension: usize) -> Res {
    let layout = &buffer.layout;
    let (size, stride) = (layout.shape[dimension], layout.strides[dimension]);
    let last = dimension + 1 == layout.ndim();
    let mut items = seq::reserve(vm, Some(size))?;
    for i in 0..size {
        let at = at + i as isize * stride;
        items.push(match usize::try_from(at) {
            Ok(at) if last => item_at(vm, buffer, at)?,
            _ if last => return Err(vm.bug("a negative place")),
            _ => lists(vm, buffer, at, dimension + 1)?,
        });
    }
    vm.new_list(items)
}

fn tolist(vm: &Interpreter, this: &Value) -> Res {
    let buffer = buffer(vm, this)?;
    item_format(vm, &buffer.layout)?;
    match buffer.layout.ndim() {
        0 => item_at(vm, &buffer, buffer.layout.offset),
        _ => lists(vm, &buffer, buffer.layout.offset as isize, 0),
    }
}

fn tobytes(vm: &Interpreter, args: &Args) -> Res {
    let buffer = buffer(vm, args.req(0))?;
    let order = match args.some(1) {
        Some(order) => vm.expect_str(order)?,
        None => "C".to_string(),
    };
    let layout = &buffer.layout;
    let fortran = match order.as_str() {
        "C" => false,
        "F" => true,
        "A" => layout.is_f_contiguous() && !layout.is_c_contiguous(),
        _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'".to_string())),
    };
    vm.new_bytes(buffer.to_vec(vm, fortran)?)
}

fn hex(vm: &Interpreter, args: &Args) -> Res {
    let group = args.int_or(vm, 2, 1)?;
    let bytes = buffer(vm, args.req(0))?.to_vec(vm, false)?;
    let digits = crate::bytes::hex_text(vm, &bytes, args.get(1), group)?;
    vm.made_text(pellucid_object::Text::from_latin1(&digits))
}

fn toreadonly(vm: &Interpreter, this: &Value) -> Res {
    let buffer = buffer(vm, this)?;
    new_view(vm, buffer.with_layout(Layout { readonly: true, ..buffer.layout.clone() }))
}

fn release(vm: &Interpreter, this: &Value) -> Res {
    let view = view(vm, this)?;
    let exports = view.exports.get();
    if exports > 0 && view.buffer.borrow().is_some() {
        let s = if exports == 1 { "" } else { "s" };
        return Err(vm.buffer_error(format!("memoryview has {exports} exported buffer{s}")));
    }
    let buffer = view.buffer.take();
    drop(buffer);
    Ok(Value::NONE)
}

fn enter(vm: &Interpreter, this: &Value) -> Res {
    buffer(vm, this)?;
    Ok(this.clone())
}

/// The shape argument of `cast`.
fn new_shape(vm: &Interpreter, value: &Value) -> Res<Vec<usize>> {
    if value.downcast::<List>().is_none() && value.downcast::<Tuple>().is_none() {
        return Err(vm.type_error("shape must be a list or a tuple".to_string()));
    }
    let items = vm.collect(value)?;
    if items.len() > MAX_DIMENSIONS {
        let what = format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        return Err(vm.value_error(what));
    }
    let mut shape = Vec::new();
    for item in &items {
        if item.as_int().is_none() {
            let what = "memoryview.cast(): elements of shape must be integers";
            return Err(vm.type_error(what.to_string()));
        }
        match vm.as_i64(item).and_then(|i| usize::try_from(i).ok()).filter(|n| *n > 0) {
            Some(size) => shape.push(size),
            None => {
                let what = "memoryview.cast(): elements of shape must be integers > 0";
                return Err(vm.value_error(what.to_string()));
            }
        }
    }
    Ok(shape)
}

fn cast(vm: &Interpreter, args: &Args) -> Res {
    let buffer = buffer(vm, args.req(0))?;
    let layout = &buffer.layout;
    let Some(format) = args.req(1).downcast::<Str>().map(|s| s.text.to_string()) else {
        let got = vm.type_name(args.req(1));
        return Err(vm.type_error(format!("cast() argument 'format' must be str, not {got}")));
    };
    if !layout.is_c_contiguous() {
        let what = "memoryview: casts are restricted to C-contiguous views";
        return Err(vm.type_error(what.to_string()));
    }
    let shape = args.get(2).map(|v| new_shape(vm, v)).transpose()?;
    if (shape.is_some() || layout.ndim() != 1) && layout.shape.contains(&0) {
        let what = "memoryview: cannot cast view with zeros in shape or strides";
        return Err(vm.type_error(what.to_string()));
    }
    if let Some(shape) = &shape
        && shape.len() != 1
        && layout.ndim() != 1
    {
        return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D".to_string()));
    }
    let single = |which: &str, format: &str| {
        native(format).ok_or_else(|| {
            vm.value_error(format!(
                "memoryview: {which} format must be a native single character format prefixed with an optional '@'"
            ))
        })
    };
    let to = single("destination", &format)?;
    let from = single("source", &layout.format)?;
    let is_byte = |c: char| matches!(c, 'b' | 'B' | 'c');
    if !is_byte(to) && !is_byte(from) {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats".to_string()));
    }
    let itemsize = size_of_format(to).unwrap_or(1);
    let total = layout.len();
    if total % itemsize != 0 {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize".to_string()));
    }
    let shape = match shape {
        None => vec![total / itemsize],
        Some(shape) => {
            let size = shape.iter().try_fold(itemsize, |all, n| all.checked_mul(*n));
            match size {
                Some(size) if size == total => shape,
                Some(_) => {
                    let what = "memoryview: product(shape) * itemsize != buffer size";
                    return Err(vm.type_error(what.to_string()));
                }
                None => {
                    let what = "memoryview.cast(): product(shape) > SSIZE_MAX";
                    return Err(vm.value_error(what.to_string()));
                }
            }
        }
    };
    let strides = Layout::c_strides(itemsize, &shape);
    new_view(
        vm,
        buffer.with_layout(Layout {
            format: format.as_str().into(),
            itemsize,
            shape: shape.into(),
            strides,
            ..layout.clone()
        }),
    )
}

/// The items of a buffer as values, through `struct` when the format is no single native one.
fn values(vm: &Interpreter, buffer: &Buffer) -> Res<Option<Vec<Value>>> {
    let layout = &buffer.layout;
    let bytes = buffer.to_vec(vm, false)?;
    let items = bytes.chunks(layout.itemsize.max(1));
    if let Some(format) = native(&layout.format) {
        return items.map(|item| unpack(vm, format, item)).collect::<Res<_>>().map(Some);
    }
    let module = vm.import("struct")?;
    let format = vm.new_str(&layout.format)?;
    let mut values = Vec::new();
    for item in items {
        match vm.call_attr(&module, "unpack", &[format.clone(), vm.bytes_from(item)?]) {
            Ok(value) => values.push(value),
            Err(raised) => {
                let error = vm.get_attr_str(&module, "error")?.downcast_ref::<pellucid_object::Type>();
                if error.is_some_and(|error| vm.raised_is(&error)) {
                    drop(vm.take_raised(raised));
                    return Ok(None);
                }
                return Err(raised);
            }
        }
    }
    Ok(Some(values))
}

fn equal(vm: &Interpreter, a: &Buffer, b: &Buffer) -> Res<bool> {
    if a.layout.shape != b.layout.shape {
        return Ok(false);
    }
    if let (Some(x), Some(y)) = (native(&a.layout.format), native(&b.layout.format))
        && x == y
        && !matches!(x, 'f' | 'd' | 'e' | '?')
    {
        return Ok(a.to_vec(vm, false)? == b.to_vec(vm, false)?);
    }
    let (Some(x), Some(y)) = (values(vm, a)?, values(vm, b)?) else { return Ok(false) };
    for (x, y) in x.iter().zip(&y) {
        let same = vm.compare(CmpOp::Eq, x, y)?;
        if !vm.truthy(&same)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (CmpOp::Eq | CmpOp::Ne) = op else { return Ok(Value::NOT_IMPLEMENTED) };
    let mine = view(vm, a)?.buffer.borrow().clone();
    let theirs = match b.downcast::<MemoryView>() {
        Some(other) => other.buffer.borrow().clone(),
        None if !vm.has_buffer(b) => return Ok(Value::NOT_IMPLEMENTED),
        None => match vm.buffer(b, flags::FULL_RO) {
            Ok(buffer) => Some(Rc::new(buffer)),
            Err(raised) => {
                drop(vm.take_raised(raised));
                return Ok(Value::NOT_IMPLEMENTED);
            }
        },
    };
    let same = match (mine, theirs) {
        (Some(mine), Some(theirs)) => equal(vm, &mine, &theirs)?,
        _ => a.is(b),
    };
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn hash(vm: &Interpreter, this: &Value) -> Res<i64> {
    let view = view(vm, this)?;
    if let Some(hash) = view.hash.get() {
        return Ok(hash);
    }
    let buffer = buffer(vm, this)?;
    if !buffer.layout.readonly {
        return Err(vm.value_error("cannot hash writable memoryview object".to_string()));
    }
    if !native(&buffer.layout.format).is_some_and(|c| matches!(c, 'b' | 'B' | 'c')) {
        let what = "memoryview: hashing is restricted to formats 'B', 'b' or 'c'";
        return Err(vm.value_error(what.to_string()));
    }
    // Objects that cannot be hashed may change behind the view.
    if buffer.object().downcast::<pellucid_object::Bytes>().is_none() {
        vm.hash(buffer.object())?;
    }
    let hash = vm.hash_of_bytes(&buffer.to_vec(vm, false)?);
    view.hash.set(Some(hash));
    Ok(hash)
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let released = view(vm, this)?.buffer.borrow().is_none();
    let what = if released { "released memory" } else { "memory" };
    vm.new_str(&format!("<{what} at {:#x}>", this.bits()))
}

fn count(vm: &Interpreter, this: &Value, wanted: &Value) -> Res {
    let mut count = 0;
    vm.for_each(this, |item| {
        count += i64::from(vm.keys_equal(&item, wanted)?);
        Ok(())
    })?;
    vm.new_int(count)
}

fn index(vm: &Interpreter, args: &Args) -> Res {
    let buffer = buffer(vm, args.req(0))?;
    if buffer.layout.ndim() != 1 {
        let what = "multi-dimensional lookup is not implemented";
        let what = if buffer.layout.ndim() == 0 { "invalid lookup on 0-dim memory" } else { what };
        return Err(match buffer.layout.ndim() {
            0 => vm.type_error(what.to_string()),
            _ => vm.not_implemented_error(what.to_string()),
        });
    }
    let (start, stop) = (seq::bound(vm, args.get(2), 0)?, seq::bound(vm, args.get(3), i64::MAX)?);
    let len = len(vm, args.req(0))?;
    for i in seq::clamp(start, len)..seq::clamp(stop, len) {
        let item = get_item(vm, args.req(0), &vm.new_int(i as i64)?)?;
        if vm.keys_equal(&item, args.req(1))? {
            return vm.new_int(i as i64);
        }
    }
    Err(vm.value_error("memoryview.index(x): x not found".to_string()))
}

fn ints<T: Copy>(vm: &Interpreter, numbers: &[T], as_i64: fn(T) -> i64) -> Res {
    let items: Res<Vec<Value>> = numbers.iter().map(|n| vm.new_int(as_i64(*n))).collect();
    vm.new_tuple(items?)
}

/// Payload of `memory_iterator`.
pub struct MemoryIterator {
    view: SlotWord,
    index: Cell<usize>,
}

impl Payload for MemoryIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.view.trace(visit);
    }
    fn clear(&self) {
        self.view.set(None);
    }
}

fn iter(vm: &Interpreter, this: &Value) -> Res {
    let buffer = buffer(vm, this)?;
    if buffer.layout.ndim() == 0 {
        return Err(vm.type_error("invalid indexing of 0-dim memory".to_string()));
    }
    if buffer.layout.ndim() > 1 {
        let what = "multi-dimensional sub-views are not implemented";
        return Err(vm.not_implemented_error(what.to_string()));
    }
    item_format(vm, &buffer.layout)?;
    let payload = MemoryIterator { view: SlotWord::new(Some(this.clone())), index: Cell::new(0) };
    vm.alloc(&vm.type_for(&MEMORY_ITERATOR)?, payload)
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(iterator) = this.downcast::<MemoryIterator>() else { return Err(vm.bug("no iterator")) };
    let Some(view) = iterator.view.get() else { return Ok(None) };
    let (buffer, index) = (buffer(vm, &view)?, iterator.index.get());
    if index >= buffer.layout.shape.first().copied().unwrap_or(0) {
        iterator.view.set(None);
        return Ok(None);
    }
    iterator.index.set(index + 1);
    item_at(vm, &buffer, place(vm, &buffer.layout, &[index as i64])?).map(Some)
}

static MEMORY_ITERATOR: TypeDef = TypeDef {
    name: "memory_iterator",
    module: "builtins",
    base: None,
    payload: payload::<MemoryIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[],
};

macro_rules! property {
    ($name:literal, $doc:literal, $get:expr) => {
        GetSetDef {
            name: $name,
            doc: $doc,
            get: |vm, this| {
                let get: fn(&Interpreter, &Buffer) -> Res = $get;
                get(vm, &*buffer(vm, this)?)
            },
            set: None,
        }
    };
}

#[rustfmt::skip]
pub static MEMORYVIEW: TypeDef = TypeDef {
    name: "memoryview",
    module: "builtins",
    base: None,
    payload: payload::<MemoryView>(),
    flags: TypeFlags::SEQUENCE.or(TypeFlags::WEAKREF),
    doc: "memoryview(object)\n--\n\n\
          Create a new memoryview object which references the given object.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Len(len),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Iter(iter),
        Slot::Buffer(show),
    ],
    methods: &[
        FunctionDef::new("release", "($self, /)", "Release the underlying buffer exposed by the memoryview object.", NativeFn::F1(release)),
        FunctionDef::new("tobytes", "($self, /, order='C')", "Return the data in the buffer as a byte string.", NativeFn::Args(tobytes)),
        FunctionDef::new("tolist", "($self, /)", "Return the data in the buffer as a list of elements.", NativeFn::F1(tolist)),
        FunctionDef::new("hex", "($self, /, sep=None, bytes_per_sep=1)", "Return the data in the buffer as hexadecimal text.", NativeFn::Args(hex)),
        FunctionDef::new("cast", "($self, /, format, shape=None)", "Cast a memoryview to a new format or shape.", NativeFn::Args(cast)),
        FunctionDef::new("toreadonly", "($self, /)", "Return a readonly version of the memoryview.", NativeFn::F1(toreadonly)),
        FunctionDef::new("count", "($self, value, /)", "Count the number of occurrences of a value.", NativeFn::F2(count)),
        FunctionDef::new("index", "($self, value, start=0, stop=9223372036854775807, /)", "Return the index of the first occurrence of a value.", NativeFn::Args(index)),
        FunctionDef::new("__enter__", "($self, /)", "", NativeFn::F1(enter)),
        FunctionDef::new("__exit__", "($self, /, *args)", "", NativeFn::Args(|vm, args| release(vm, args.req(0)))),
        FunctionDef::class("_from_flags", "($type, /, object, flags)", "", NativeFn::Args(from_flags)),
    ],
    getset: &[
        property!("obj", "The underlying object of the memoryview.", |_, b| Ok(b.object().clone())),
        property!("nbytes", "The amount of space in bytes that the array would use in a contiguous representation.", |vm, b| vm.new_int(b.layout.len() as i64)),
        property!("readonly", "A bool indicating whether the memory is read only.", |_, b| Ok(Value::bool(b.layout.readonly))),
        property!("itemsize", "The size in bytes of each element of the memoryview.", |vm, b| vm.new_int(b.layout.itemsize as i64)),
        property!("format", "A string containing the format (in struct module style) for each element in the view.", |vm, b| vm.new_str(&b.layout.format)),
        property!("ndim", "An integer indicating how many dimensions of a multi-dimensional array the memory represents.", |vm, b| vm.new_int(b.layout.ndim() as i64)),
        property!("shape", "A tuple of ndim integers giving the shape of the memory as an N-dimensional array.", |vm, b| ints(vm, &b.layout.shape, |n| n as i64)),
        property!("strides", "A tuple of ndim integers giving the size in bytes to access each element for each dimension of the array.", |vm, b| ints(vm, &b.layout.strides, |n| n as i64)),
        property!("suboffsets", "A tuple of integers used internally for PIL-style arrays.", |vm, _| vm.new_tuple(Vec::new())),
        property!("c_contiguous", "A bool indicating whether the memory is C contiguous.", |_, b| Ok(Value::bool(b.layout.is_c_contiguous()))),
        property!("f_contiguous", "A bool indicating whether the memory is Fortran contiguous.", |_, b| Ok(Value::bool(b.layout.is_f_contiguous()))),
        property!("contiguous", "A bool indicating whether the memory is contiguous.", |_, b| Ok(Value::bool(b.layout.is_c_contiguous() || b.layout.is_f_contiguous()))),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memoryviews_cast_slice_and_hold_their_object() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("types");
        let vm = &*vm;
        let ints = |items: &[i64]| items.iter().map(|&i| vm.new_int(i).expect("int")).collect::<Vec<_>>();
        let int = |i: i64| vm.new_int(i).expect("int");
        let error = |result: Res| {
            let e = vm.take_raised(result.expect_err("refused"));
            format!("{}: {}", vm.type_name(&e), vm.str_lossy(&vm.str(&e).expect("str")))
        };
        let slice = |parts: [Option<i64>; 3]| {
            let [a, b, c] = parts.map(|p| p.map_or(Value::NONE, int));
            crate::slice::new_slice(vm, a, b, c).expect("slice")
        };
        let array = vm.new_bytearray((0..24).collect()).expect("bytearray");
        let view = vm.call_values(
            vm.type_for(&crate::memoryview::MEMORYVIEW).expect("type").value(),
            std::slice::from_ref(&array),
        );
        let view = view.expect("view");
        let show = |v: Res| vm.repr_lossy(&v.expect("a result")).expect("repr");
        let format = vm.new_str("h").expect("str");
        let shape = vm.new_list(ints(&[2, 3, 2])).expect("list");
        let cube = vm.call_attr(&view, "cast", &[format, shape]).expect("cast");
        assert_eq!(
            show(vm.call_attr(&cube, "tolist", &[])),
            "[[[256, 770], [1284, 1798], [2312, 2826]], [[3340, 3854], [4368, 4882], [5396, 5910]]]"
        );
        let back = vm.get_item(&view, &slice([None, None, Some(-8)])).expect("slice");
        assert_eq!(show(vm.call_attr(&back, "tobytes", &[])), "b'\\x17\\x0f\\x07'");
        vm.set_item(&view, &slice([Some(0), Some(2), None]), Some(&vm.bytes_from(b"xy").expect("bytes")))
            .expect("set");
        assert_eq!(show(vm.get_item(&cube, &vm.new_tuple(ints(&[0, 0, 0])).expect("tuple"))), "31096");
        assert_eq!(
            error(vm.set_item(&view, &int(0), Some(&int(256))).map(|()| Value::NONE)),
            "ValueError: memoryview: invalid value for format 'B'"
        );
        assert_eq!(
            error(vm.call_attr(&array, "pop", &[])),
            "BufferError: Existing exports of data: object cannot be re-sized"
        );
        for v in [&view, &cube, &back] {
            vm.call_attr(v, "release", &[]).expect("release");
        }
        vm.call_attr(&array, "pop", &[]).expect("pop");
        assert_eq!(
            error(vm.len(&view).map(|_| Value::NONE)),
            "ValueError: operation forbidden on released memoryview object"
        );
    }
}

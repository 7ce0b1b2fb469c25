//! `int`: construction and methods.

use crate::int_text::{Parsed, from_text};
use crate::{bytes, number};
use dashu_int::UBig;
use dashu_int::ops::{BitTest, UnsignedAbs};
use pellucid_object::int::{IBig, Int, IntRef};
use pellucid_object::{Args, Bytes, CallArgs, FunctionDef, Interpreter, NativeFn, Res, Str, UnOp, Value};

/// The exact int of a value that is one: itself, or the number of a bool or subclass instance.
pub(crate) fn exact(vm: &Interpreter, a: &Value) -> Res {
    if vm.is_exact(a, &vm.types().int) { Ok(a.clone()) } else { vm.index(a) }
}

fn parsed_value(vm: &Interpreter, parsed: Parsed) -> Res {
    match parsed {
        Parsed::Small(i) => vm.new_int(i),
        Parsed::Big(big) => vm.new_big(big),
    }
}

/// `int(value)` of a number: `__int__`, then `__index__`. Errors: `TypeError` for others.
pub fn from_number(vm: &Interpreter, value: &Value) -> Res {
    match converted(vm, value)? {
        Some(int) => Ok(int),
        None => Err(not_a_number(vm, value)),
    }
}

#[cold]
fn not_a_number(vm: &Interpreter, value: &Value) -> pellucid_object::Raised {
    let got = vm.type_name(value);
    vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{got}'"
    ))
}

/// What `__int__` or `__index__` gives, as an exact int; `None` when the value has neither.
fn converted(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    if vm.is_exact(value, &vm.types().int) {
        return Ok(Some(value.clone()));
    }
    let slots = &vm.type_of_ref(value).slots.unary;
    if let Some(convert) = slots[UnOp::Int as usize].get() {
        let result = convert(vm, value)?;
        if vm.is_exact(&result, &vm.types().int) {
            return Ok(Some(result));
        }
        let got = vm.type_name(&result);
        if result.as_int().is_none() {
            return Err(vm.type_error(format!("__int__ returned non-int (type {got})")));
        }
        number::deprecated(
            vm,
            &format!(
                "__int__ returned non-int (type {got}).  The ability to return an instance of a strict subclass of int \
                 is deprecated, and may be removed in a future version of Python."
            ),
        )?;
        return exact(vm, &result).map(Some);
    }
    if slots[UnOp::Index as usize].get().is_some() {
        return exact(vm, &vm.index(value)?).map(Some);
    }
    Ok(None)
}

fn from_object(vm: &Interpreter, value: &Value) -> Res {
    if let Some(int) = converted(vm, value)? {
        return Ok(int);
    }
    match from_text(vm, value, 10)? {
        Some(parsed) => parsed_value(vm, parsed),
        None => Err(not_a_number(vm, value)),
    }
}

fn from_base(vm: &Interpreter, value: &Value, base: &Value) -> Res {
    let index = vm.index(base)?;
    let base = match vm.as_i64(&index) {
        Some(base) if base == 0 || (2..=36).contains(&base) => base as u32,
        _ => return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0".to_string())),
    };
    let text = value.downcast::<Str>().is_some() || number::is_bytes(value);
    match if text { from_text(vm, value, base)? } else { None } {
        Some(parsed) => parsed_value(vm, parsed),
        None => Err(vm.type_error("int() can't convert non-string with explicit base".to_string())),
    }
}

/// `int.__new__`.
pub(crate) fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let given = args.positional();
    if given.len() > 2 {
        return Err(vm.type_error(format!("int expected at most 2 arguments, got {}", given.len())));
    }
    let mut base = given.get(1);
    for (name, value) in args.keywords() {
        let name = vm.str_lossy(name);
        if name != "base" {
            return Err(vm.type_error(format!("int() got an unexpected keyword argument '{name}'")));
        }
        if base.is_some() {
            return Err(
                vm.type_error("argument for int() given by name ('base') and position (2)".to_string())
            );
        }
        base = Some(value);
    }
    let value = match (given.first(), base) {
        (None, None) => vm.new_int(0)?,
        (None, Some(_)) => return Err(vm.type_error("int() missing string argument".to_string())),
        (Some(value), None) => from_object(vm, value)?,
        (Some(value), Some(base)) => from_base(vm, value, base)?,
    };
    if vm.types().int.value().is(cls) {
        return Ok(value);
    }
    vm.alloc_subclass(cls, Int(number::to_big(vm, &value)?))
}

// ---- methods ----

fn this(vm: &Interpreter, value: &Value) -> Res<IBig> {
    number::to_big(vm, value)
}

fn bit_length(vm: &Interpreter, value: &Value) -> Res {
    let bits = match value.as_int() {
        Some(IntRef::Small(i)) => 64 - i.unsigned_abs().leading_zeros() as usize,
        Some(IntRef::Big(b)) => b.unsigned_abs().bit_len(),
        None => 0,
    };
    vm.new_int(bits as i64)
}

fn bit_count(vm: &Interpreter, value: &Value) -> Res {
    let ones = match value.as_int() {
        Some(IntRef::Small(i)) => i.unsigned_abs().count_ones() as usize,
        Some(IntRef::Big(b)) => b.unsigned_abs().count_ones(),
        None => 0,
    };
    vm.new_int(ones as i64)
}

#[derive(Clone, Copy, PartialEq)]
enum ByteOrder {
    Little,
    Big,
}

fn byte_order(vm: &Interpreter, function: &str, order: Option<&Value>) -> Res<ByteOrder> {
    let Some(order) = order else { return Ok(ByteOrder::Big) };
    if order.downcast::<Str>().is_none() {
        let got = vm.type_name(order);
        return Err(vm.type_error(format!("{function}() argument 'byteorder' must be str, not {got}")));
    }
    match vm.str_lossy(order).as_str() {
        "little" => Ok(ByteOrder::Little),
        "big" => Ok(ByteOrder::Big),
        _ => Err(vm.value_error("byteorder must be either 'little' or 'big'".to_string())),
    }
}

/// Whether a number has so many bytes, of which there are eight at most.
fn fits(number: i64, length: usize, signed: bool) -> bool {
    let bits = 8 * length as u32 - u32::from(signed);
    let shown = if signed && number < 0 { !number } else { number };
    shown >= 0 && 64 - shown.leading_zeros() <= bits
}

fn to_bytes(vm: &Interpreter, args: &Args) -> Res {
    let length = args.int_or(vm, 1, 1)?;
    let order = byte_order(vm, "to_bytes", args.get(2))?;
    let signed = args.bool_or(vm, 3, false)?;
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.value_error("length argument must be non-negative".to_string()));
    };
    if let Some(number) = args.req(0).as_small_int()
        && (1..=8).contains(&length)
        && fits(number, length, signed)
    {
        let (low, high) = (number.to_le_bytes(), number.to_be_bytes());
        return vm.bytes_from(match order {
            ByteOrder::Little => &low[..length],
            ByteOrder::Big => &high[8 - length..],
        });
    }
    let value = this(vm, args.req(0))?;
    let mut bytes = match int_bytes(&value, length, signed) {
        Ok(bytes) => bytes,
        Err(BytesError::Negative) => {
            return Err(vm.overflow_error("can't convert negative int to unsigned".to_string()));
        }
        Err(BytesError::TooBig) => return Err(vm.overflow_error("int too big to convert".to_string())),
        Err(BytesError::NoMemory) => return Err(vm.no_memory()),
    };
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    vm.new_bytes(bytes)
}

/// Why an int has no bytes of a given length.
#[derive(Debug, PartialEq, Eq)]
pub enum BytesError {
    Negative,
    TooBig,
    NoMemory,
}

/// An int as `length` bytes, the lowest first; negative ones in two's complement.
pub fn int_bytes(value: &IBig, length: usize, signed: bool) -> Result<Vec<u8>, BytesError> {
    let negative = *value < IBig::ZERO;
    if negative && !signed {
        return Err(BytesError::Negative);
    }
    // The bits of -n - 1 are those of n turned over.
    let shown = if negative { -value - IBig::ONE } else { value.clone() };
    let magnitude = shown.unsigned_abs();
    if magnitude.bit_len() + usize::from(signed) > length.saturating_mul(8)
        && !(length == 0 && value == &IBig::ZERO)
    {
        return Err(BytesError::TooBig);
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| BytesError::NoMemory)?;
    bytes.extend_from_slice(&magnitude.to_le_bytes());
    bytes.resize(length, 0);
    if negative {
        bytes.iter_mut().for_each(|b| *b = !*b);
    }
    Ok(bytes)
}

/// The int that bytes are, the lowest first.
pub fn int_from_bytes(bytes: &[u8], signed: bool) -> IBig {
    if signed && bytes.last().is_some_and(|b| b & 0x80 != 0) {
        let turned: Vec<u8> = bytes.iter().map(|b| !b).collect();
        return -IBig::from(UBig::from_le_bytes(&turned)) - IBig::ONE;
    }
    IBig::from(UBig::from_le_bytes(bytes))
}

/// The int that bytes are, when it fits.
fn few_bytes(bytes: &[u8], order: ByteOrder, signed: bool) -> Option<i64> {
    if bytes.len() > 8 {
        return None;
    }
    let step = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    let number = match order {
        ByteOrder::Big => bytes.iter().fold(0, step),
        ByteOrder::Little => bytes.iter().rev().fold(0, step),
    };
    if signed {
        // The highest bit of the bytes becomes that of the word, and comes back.
        let unused = 64 - 8 * bytes.len() as u32;
        return Some((number.checked_shl(unused).unwrap_or(0) as i64).checked_shr(unused).unwrap_or(0));
    }
    i64::try_from(number).ok()
}

fn from_bytes(vm: &Interpreter, args: &Args) -> Res {
    let order = byte_order(vm, "from_bytes", args.get(2))?;
    let signed = args.bool_or(vm, 3, false)?;
    let source = args.req(1);
    let cls = args.req(0);
    if let Some(bytes) = source.downcast::<Bytes>().filter(|_| vm.is_exact(source, &vm.types().bytes))
        && let Some(number) = few_bytes(bytes.as_slice(), order, signed)
        && vm.types().int.value().is(cls)
    {
        return vm.new_int(number);
    }
    let mut bytes = match bytes::dunder_bytes(vm, source)? {
        Some(result) => vm.copied(vm.expect_bytes(&result)?)?,
        None if source.downcast::<Str>().is_some() => {
            return Err(vm.type_error("cannot convert 'str' object to bytes".to_string()));
        }
        None => bytes::from_object(vm, "bytes", source)?,
    };
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    let result = vm.new_big(int_from_bytes(&bytes, signed))?;
    if vm.types().int.value().is(cls) { Ok(result) } else { vm.call_values(cls, &[result]) }
}

/// `value` rounded half to even to a multiple of 10^`places`.
fn round_to(value: &IBig, places: usize) -> IBig {
    if places as u128 * 3 > value.unsigned_abs().bit_len() as u128 + 4 {
        // 10^places is more than twice the number.
        return IBig::ZERO;
    }
    let unit = IBig::from(10).pow(places);
    let (mut quotient, remainder) = crate::int::big_divmod(value, &unit);
    let twice = remainder * IBig::from(2);
    if twice > unit || twice == unit && quotient.bit(0) {
        quotient += IBig::ONE;
    }
    quotient * unit
}

fn round(vm: &Interpreter, args: &Args) -> Res {
    let this_value = args.req(0);
    let Some(digits) = args.some(1) else { return exact(vm, this_value) };
    let digits = vm.index(digits)?;
    if digits.as_int().is_none_or(|d| !d.is_negative()) {
        return exact(vm, this_value);
    }
    let places = vm.as_i64(&digits).map_or(usize::MAX, |d| d.unsigned_abs() as usize);
    vm.new_big(round_to(&this(vm, this_value)?, places))
}

fn as_integer_ratio(vm: &Interpreter, value: &Value) -> Res {
    vm.new_tuple(vec![exact(vm, value)?, vm.new_int(1)?])
}

/// The `__basicsize__` of `int` and of its subclasses: what they add to the 24 bytes that an int takes in CPython beside its digits.
pub(crate) fn basic_size(vm: &Interpreter, ty: &pellucid_object::Type) -> i64 {
    24 + ty.object_size() as i64 - vm.types().int.object_size() as i64
}

/// What CPython's representation of 30 bits a digit takes.
fn sizeof(vm: &Interpreter, value: &Value) -> Res {
    let bits = this(vm, value)?.unsigned_abs().bit_len();
    vm.new_int(basic_size(vm, &vm.type_of(value)) + 4 * bits.div_ceil(30).max(1) as i64)
}

const fn method(name: &'static str, doc: &'static str, f: fn(&Interpreter, &Value) -> Res) -> FunctionDef {
    FunctionDef::new(name, "($self, /)", doc, NativeFn::F1(f))
}

/// The methods of `int`.
pub(crate) static METHODS: &[FunctionDef] = &[
    method("conjugate", "Returns self, the complex conjugate of any int.", exact),
    method("bit_length", "Number of bits necessary to represent self in binary.", bit_length),
    method(
        "bit_count",
        "Number of ones in the binary representation of the absolute value of self.",
        bit_count,
    ),
    FunctionDef::new(
        "to_bytes",
        "($self, /, length=1, byteorder='big', *, signed=False)",
        "Return an array of bytes representing an integer.",
        NativeFn::Args(to_bytes),
    ),
    FunctionDef::class(
        "from_bytes",
        "($type, /, bytes, byteorder='big', *, signed=False)",
        "Return the integer represented by the given array of bytes.",
        NativeFn::Args(from_bytes),
    ),
    method(
        "as_integer_ratio",
        "Return a pair of integers, whose ratio is equal to the original int.",
        as_integer_ratio,
    ),
    method("__trunc__", "Truncating an Integral returns itself.", exact),
    method("__floor__", "Flooring an Integral returns itself.", exact),
    method("__ceil__", "Ceiling of an Integral returns itself.", exact),
    FunctionDef::new(
        "__round__",
        "($self, ndigits=None, /)",
        "Rounding an Integral returns itself.\n\nRounding with an ndigits argument also returns an integer.",
        NativeFn::Args(round),
    ),
    method("__getnewargs__", "", |vm, value| vm.new_tuple(vec![exact(vm, value)?])),
    FunctionDef::new(
        "__format__",
        "($self, format_spec, /)",
        "Convert to a string according to format_spec.",
        NativeFn::F2(crate::format::numbers::int_format_method),
    ),
    method("__sizeof__", "Returns size in memory, in bytes.", sizeof),
    method(
        "is_integer",
        "Returns True. Exists for duck type compatibility with float.is_integer.",
        |_, _| Ok(Value::TRUE),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        for (value, length, signed, bytes) in [
            (0i64, 0, false, vec![]),
            (255, 1, false, vec![255]),
            (-1, 2, true, vec![255, 255]),
            (-128, 1, true, vec![128]),
            (256, 2, false, vec![0, 1]),
        ] {
            let value = IBig::from(value);
            assert_eq!(int_bytes(&value, length, signed).as_ref(), Ok(&bytes));
            assert_eq!(int_from_bytes(&bytes, signed), value);
        }
        assert_eq!(int_bytes(&IBig::from(128), 1, true), Err(BytesError::TooBig));
        assert_eq!(int_bytes(&IBig::from(-1), 1, false), Err(BytesError::Negative));
        assert_eq!(int_bytes(&IBig::from(-129), 1, true), Err(BytesError::TooBig));
    }

    #[test]
    fn rounding_goes_to_even() {
        for (value, places, expected) in [
            (15, 1, 20),
            (25, 1, 20),
            (-25, 1, -20),
            (-26, 1, -30),
            (5, 9, 0),
            (49, 2, 0),
            (51, 2, 100),
            (50, 2, 0),
        ] {
            assert_eq!(round_to(&IBig::from(value), places), IBig::from(expected));
        }
    }
}

//! Formats of packed data: reading them, and what they do to values and bytes.

use pellucid_object::bytes::{ByteArray, Bytes};
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Interpreter, Raised, Res, Value};
use pellucid_types::complex::{new_complex, to_complex};
use pellucid_types::int::int_bytes;
use pellucid_types::number::to_f64;
use pellucid_types::seq::has_index;

/// Values of one kind in a row.
#[derive(Debug)]
struct Item {
    code: u8,
    offset: usize,
    /// Bytes of one value.
    size: usize,
    count: usize,
}

/// A format that was read.
#[derive(Debug)]
pub struct Format {
    /// The text it was read from.
    pub text: Vec<u8>,
    pub size: usize,
    /// Number of values.
    pub values: usize,
    little: bool,
    /// Sizes are the machine's own: floats are cast, not checked.
    native: bool,
    items: Vec<Item>,
}

/// Why a format cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum FormatError {
    BadChar,
    CountAlone,
    TooLong,
    Null,
}

impl FormatError {
    pub fn message(&self) -> &'static str {
        match self {
            FormatError::BadChar => "bad char in struct format",
            FormatError::CountAlone => "repeat count given without format specifier",
            FormatError::TooLong => "total struct size too long",
            FormatError::Null => "embedded null character",
        }
    }
}

/// Size and alignment of a type code; `None` when there is no such code.
fn layout(code: u8, native: bool) -> Option<(usize, usize)> {
    let size = match code {
        b'x' | b'b' | b'B' | b'c' | b's' | b'p' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' => return Some(if native { (8, 8) } else { (4, 1) }),
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => 8,
        b'F' => return Some((8, if native { 4 } else { 1 })),
        b'D' => return Some((16, if native { 8 } else { 1 })),
        _ => return None,
    };
    Some((size, if native { size } else { 1 }))
}

impl Format {
    /// Reads a format.
    pub fn parse(text: &[u8]) -> Result<Format, FormatError> {
        if text.contains(&0) {
            return Err(FormatError::Null);
        }
        let (native, aligned, little, mut rest) = match text {
            [b'@', rest @ ..] => (true, true, cfg!(target_endian = "little"), rest),
            [b'=', rest @ ..] => (false, false, cfg!(target_endian = "little"), rest),
            [b'<', rest @ ..] => (false, false, true, rest),
            [b'>' | b'!', rest @ ..] => (false, false, false, rest),
            _ => (true, true, cfg!(target_endian = "little"), text),
        };
        let mut format =
            Format { text: text.to_vec(), size: 0, values: 0, little, native, items: Vec::new() };
        while let [first, tail @ ..] = rest {
            rest = tail;
            if first.is_ascii_whitespace() || *first == 0x0b {
                continue;
            }
            let (mut code, mut count) = (*first, None);
            while code.is_ascii_digit() {
                let so_far = count.unwrap_or(0usize).checked_mul(10);
                count = so_far.and_then(|n| n.checked_add(usize::from(code - b'0')));
                if count.is_none_or(|n| i64::try_from(n).is_err()) {
                    return Err(FormatError::TooLong);
                }
                match rest {
                    [next, tail @ ..] => (code, rest) = (*next, tail),
                    [] => return Err(FormatError::CountAlone),
                }
            }
            format.add(code, count.unwrap_or(1), aligned)?;
        }
        Ok(format)
    }

    fn add(&mut self, code: u8, count: usize, aligned: bool) -> Result<(), FormatError> {
        let (size, align) = layout(code, self.native).ok_or(FormatError::BadChar)?;
        let align = if aligned { align } else { 1 };
        let offset = self.size.checked_next_multiple_of(align).ok_or(FormatError::TooLong)?;
        let total = size.checked_mul(count).and_then(|bytes| bytes.checked_add(offset));
        self.size = total.filter(|n| i64::try_from(*n).is_ok()).ok_or(FormatError::TooLong)?;
        match code {
            b'x' => {}
            b's' | b'p' => {
                self.items.push(Item { code, offset, size: count, count: 1 });
                self.values += 1;
            }
            _ if count == 0 => {}
            _ => {
                self.items.push(Item { code, offset, size, count });
                self.values += count;
            }
        }
        Ok(())
    }

    /// The values as bytes. Errors: `struct.error` and others.
    pub fn pack(&self, vm: &Interpreter, values: &[Value]) -> Res<Vec<u8>> {
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(self.size).is_err() {
            return Err(vm.no_memory());
        }
        bytes.resize(self.size, 0);
        let mut values = values.iter();
        for item in &self.items {
            for i in 0..item.count {
                let Some(value) = values.next() else { return Err(vm.bug("too few values to pack")) };
                let start = item.offset + i * item.size;
                if let Some(number) = value.as_small_int().and_then(|i| few_bytes(item, i))
                    && let Some(place) = bytes.get_mut(start..start + item.size)
                {
                    place.copy_from_slice(&number[..item.size]);
                    self.order(place);
                    continue;
                }
                let packed = self.pack_one(vm, item, value)?;
                if let Some(place) = bytes.get_mut(start..start + packed.len()) {
                    place.copy_from_slice(&packed);
                }
            }
        }
        Ok(bytes)
    }

    fn pack_one(&self, vm: &Interpreter, item: &Item, value: &Value) -> Res<Vec<u8>> {
        let wide = |f: f64| f.to_le_bytes().to_vec();
        let mut bytes = match item.code {
            b'c' => match value.downcast::<Bytes>().map(Bytes::as_slice) {
                Some([byte]) => vec![*byte],
                _ => return Err(error(vm, "char format requires a bytes object of length 1")),
            },
            b's' | b'p' => return pack_text(vm, item, value),
            b'?' => vec![u8::from(vm.truthy(value)?)],
            b'e' => {
                half_from_f64(float(vm, value)?).ok_or_else(|| too_large(vm, 'e'))?.to_le_bytes().to_vec()
            }
            b'f' => self.single(vm, float(vm, value)?)?.to_vec(),
            b'd' => wide(float(vm, value)?),
            b'F' | b'D' => {
                let (re, im) = complex(vm, value)?;
                let half = |x: f64| -> Res<Vec<u8>> {
                    let mut bytes = if item.code == b'D' { wide(x) } else { self.single(vm, x)?.to_vec() };
                    self.order(&mut bytes);
                    Ok(bytes)
                };
                let mut bytes = half(re)?;
                bytes.extend(half(im)?);
                return Ok(bytes);
            }
            b'P' => pointer(vm, value)?,
            code => pack_int(vm, code, item.size, value)?,
        };
        self.order(&mut bytes);
        Ok(bytes)
    }

    /// Little-endian bytes in the order of the format, or back.
    fn order(&self, bytes: &mut [u8]) {
        if !self.little {
            bytes.reverse();
        }
    }

    fn single(&self, vm: &Interpreter, f: f64) -> Res<[u8; 4]> {
        let single = f as f32;
        if !self.native && single.is_infinite() && f.is_finite() {
            return Err(too_large(vm, 'f'));
        }
        Ok(single.to_le_bytes())
    }

    /// The values in `bytes`, which has the size of the format.
    pub fn unpack(&self, vm: &Interpreter, bytes: &[u8]) -> Res<Vec<Value>> {
        let mut values = pellucid_types::seq::reserve(vm, Some(self.values))?;
        for item in &self.items {
            for i in 0..item.count {
                let start = item.offset + i * item.size;
                let Some(part) = bytes.get(start..start + item.size) else {
                    return Err(vm.bug("too few bytes to unpack"));
                };
                values.push(self.unpack_one(vm, item.code, part)?);
            }
        }
        Ok(values)
    }

    fn unpack_one(&self, vm: &Interpreter, code: u8, part: &[u8]) -> Res {
        let ordered = || {
            let mut bytes = [0; 8];
            for (i, b) in part.iter().take(8).enumerate() {
                bytes[if self.little { i } else { part.len() - 1 - i }] = *b;
            }
            bytes
        };
        match code {
            b'c' | b's' => vm.bytes_from(part),
            b'p' => {
                let [len, rest @ ..] = part else { return vm.bytes_from(b"") };
                vm.bytes_from(&rest[..usize::from(*len).min(rest.len())])
            }
            b'?' => Ok(Value::bool(part.iter().any(|b| *b != 0))),
            b'e' => {
                let bytes = ordered();
                vm.new_float(half_to_f64(u16::from_le_bytes([bytes[0], bytes[1]])))
            }
            b'f' => vm.new_float(self.read_float(part)),
            b'd' => vm.new_float(self.read_float(part)),
            b'F' | b'D' => {
                let (re, im) = part.split_at(part.len() / 2);
                new_complex(vm, self.read_float(re), self.read_float(im))
            }
            b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
                let shift = 64 - 8 * part.len().min(8) as u32;
                vm.new_int(i64::from_le_bytes(ordered()) << shift >> shift)
            }
            _ => {
                let value = u64::from_le_bytes(ordered());
                match i64::try_from(value) {
                    Ok(value) => vm.new_int(value),
                    Err(_) => vm.new_big(IBig::from(value)),
                }
            }
        }
    }

    /// A float of four or eight bytes.
    fn read_float(&self, part: &[u8]) -> f64 {
        match (<[u8; 4]>::try_from(part), <[u8; 8]>::try_from(part)) {
            (Ok(mut single), _) => {
                self.order(&mut single);
                f64::from(f32::from_le_bytes(single))
            }
            (_, Ok(mut double)) => {
                self.order(&mut double);
                f64::from_le_bytes(double)
            }
            _ => 0.0,
        }
    }
}

#[cold]
fn error(vm: &Interpreter, message: &str) -> Raised {
    super::struct_error(vm, message)
}

#[cold]
fn too_large(vm: &Interpreter, code: char) -> Raised {
    vm.overflow_error(format!("float too large to pack with {code} format"))
}

/// Errors become `struct.error` with this message.
fn reworded<T>(vm: &Interpreter, result: Res<T>, message: &str) -> Res<T> {
    result.map_err(|raised| {
        drop(vm.take_raised(raised));
        error(vm, message)
    })
}

fn float(vm: &Interpreter, value: &Value) -> Res<f64> {
    reworded(vm, to_f64(vm, value), "required argument is not a float")
}

fn complex(vm: &Interpreter, value: &Value) -> Res<(f64, f64)> {
    reworded(vm, to_complex(vm, value), "required argument is not a complex")
}

fn integer(vm: &Interpreter, value: &Value) -> Res {
    if value.as_int().is_some() {
        return Ok(value.clone());
    }
    if !has_index(vm, value) {
        return Err(error(vm, "required argument is not an integer"));
    }
    vm.index(value)
}

fn pack_int(vm: &Interpreter, code: u8, size: usize, value: &Value) -> Res<Vec<u8>> {
    let number = integer(vm, value)?;
    let signed = code.is_ascii_lowercase();
    let bits = 8 * size as u32;
    let small = match number.as_int() {
        Some(IntRef::Small(i)) => Some(i),
        _ => None,
    };
    let fits = match small {
        Some(i) if signed => bits == 64 || (-(1i64 << (bits - 1))..1i64 << (bits - 1)).contains(&i),
        Some(i) => i >= 0 && (bits == 64 || i < 1i64 << bits),
        None => false,
    };
    if let (true, Some(i)) = (fits, small) {
        return Ok(i.to_le_bytes()[..size].to_vec());
    }
    let big = number.as_int().map(|int| int.to_big()).unwrap_or_default();
    if let Ok(bytes) = int_bytes(&big, size, signed) {
        return Ok(bytes);
    }
    let (least, most) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    Err(error(vm, &format!("'{}' format requires {least} <= number <= {most}", code as char)))
}

/// The bytes of an int that fits into the type of an item.
fn few_bytes(item: &Item, number: i64) -> Option<[u8; 8]> {
    if !matches!(item.code, b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'l' | b'L' | b'q' | b'Q') {
        return None;
    }
    let bits = 8 * item.size as u32;
    let fits = if item.code.is_ascii_lowercase() {
        let shown = if number < 0 { !number } else { number };
        64 - shown.leading_zeros() < bits
    } else {
        number >= 0 && 64 - number.leading_zeros() <= bits
    };
    fits.then(|| number.to_le_bytes())
}

fn pointer(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let number = integer(vm, value)?;
    let big = number.as_int().map(|int| int.to_big()).unwrap_or_default();
    int_bytes(&big, 8, big < IBig::ZERO).map_err(|_| error(vm, "int too large to convert"))
}

/// `s` and `p`: as many bytes as there is room for.
fn pack_text(vm: &Interpreter, item: &Item, value: &Value) -> Res<Vec<u8>> {
    let borrowed;
    let text: &[u8] = match (value.downcast::<Bytes>(), value.downcast::<ByteArray>()) {
        (Some(bytes), _) => bytes.as_slice(),
        (_, Some(array)) => {
            borrowed = array.borrow().to_vec();
            &borrowed
        }
        _ => {
            let code = item.code as char;
            return Err(error(vm, &format!("argument for '{code}' must be a bytes object")));
        }
    };
    if item.code == b's' {
        return vm.copied(&text[..text.len().min(item.size)]);
    }
    if item.size == 0 {
        return Ok(Vec::new());
    }
    let len = text.len().min(item.size - 1);
    let mut bytes = vec![len.min(255) as u8];
    bytes.extend_from_slice(&text[..len]);
    Ok(bytes)
}

/// The nearest half-precision float, ties to even; `None` when it is too large.
pub fn half_from_f64(f: f64) -> Option<u16> {
    let sign = if f.is_sign_negative() { 0x8000 } else { 0 };
    if f.is_nan() {
        return Some(sign | 0x7e00);
    }
    if f.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let a = f.abs();
    if a >= 65520.0 {
        return None;
    }
    // In units of the last place: 2^-24 for subnormal numbers, else 2^(exponent - 10).
    let exponent = if a < 6.103515625e-05 { -14 } else { (a.to_bits() >> 52) as i32 - 1023 };
    let units = (a * 2f64.powi(10 - exponent)).round_ties_even() as u16;
    // A mantissa that rounds up to the next power of two carries into the exponent by itself.
    let field = if a < 6.103515625e-05 { units } else { (((exponent + 14) as u16) << 10) + units };
    Some(sign | field)
}

/// A half-precision float, exactly.
pub fn half_to_f64(bits: u16) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits & 0x8000 != 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_trip() {
        for bits in 0..=u16::MAX {
            let f = half_to_f64(bits);
            if !f.is_nan() {
                assert_eq!(half_from_f64(f), Some(bits), "{bits:#x}");
            }
        }
        assert_eq!(half_from_f64(65519.99), Some(0x7bff));
        assert_eq!(half_from_f64(65520.0), None);
    }

    #[test]
    fn sizes_are_those_of_the_machine_or_standard() {
        let size = |text: &str| Format::parse(text.as_bytes()).map(|f| f.size);
        assert_eq!(size("ci0l"), Ok(8));
        assert_eq!(size("<ciq"), Ok(13));
        assert_eq!(size("i i\n h"), Ok(10));
        assert_eq!(size("<n"), Err(FormatError::BadChar));
        assert_eq!(size("3"), Err(FormatError::CountAlone));
        assert_eq!(size("4611686018427387904i"), Err(FormatError::TooLong));
    }
}

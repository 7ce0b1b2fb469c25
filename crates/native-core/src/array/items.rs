//! Items of arrays: from memory to values and back.

use pellucid_object::array::Code;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Interpreter, Res, Str, Value};
use pellucid_types::int::{BytesError, int_bytes};
use pellucid_types::number::to_f64;

/// What items of a type code are as values.
pub trait Items: Sized {
    /// The value of an item.
    fn get(self, vm: &Interpreter, item: &[u8]) -> Res;
    /// The bytes of a value. Errors: `TypeError`, `OverflowError`.
    fn put(self, vm: &Interpreter, value: &Value) -> Res<Vec<u8>>;
}

impl Items for Code {
    fn get(self, vm: &Interpreter, item: &[u8]) -> Res {
        let mut bytes = [0u8; 8];
        for (place, byte) in bytes.iter_mut().zip(item) {
            *place = *byte;
        }
        let shift = 64 - 8 * self.size() as u32;
        let unsigned = u64::from_ne_bytes(bytes) << shift >> shift;
        match self.letter() {
            'u' | 'w' => {
                let point = unsigned as u32;
                match pellucid_object::Text::from_code_point(point) {
                    _ if point >= 0x11_0000 => {
                        Err(vm
                            .value_error(format!("character U+{point:x} is not in range [U+0000; U+10ffff]")))
                    }
                    Ok(text) => vm.new_text(text),
                    Err(_) => Err(vm.no_memory()),
                }
            }
            'f' => vm.new_float(f64::from(f32::from_bits(unsigned as u32))),
            'd' => vm.new_float(f64::from_bits(unsigned)),
            _ if self.is_signed() => vm.new_int((unsigned << shift) as i64 >> shift),
            _ => match i64::try_from(unsigned) {
                Ok(value) => vm.new_int(value),
                Err(_) => vm.new_big(IBig::from(unsigned)),
            },
        }
    }

    fn put(self, vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
        match self.letter() {
            'u' | 'w' => match value.downcast::<Str>() {
                Some(s) if s.text.len() == 1 => Ok(s.text.get(0).unwrap_or(0).to_ne_bytes().to_vec()),
                _ => Err(vm.type_error("array item must be unicode character".to_string())),
            },
            'f' => Ok((to_f64(vm, value)? as f32).to_ne_bytes().to_vec()),
            'd' => Ok(to_f64(vm, value)?.to_ne_bytes().to_vec()),
            'q' | 'Q' => wide(self, vm, value),
            'I' | 'L' => unsigned(self, vm, value),
            _ => signed(self, vm, value),
        }
    }
}

/// `b`, `B`, `h`, `H`, `i`, `l`: by way of a C `long`, then in words of the type.
fn signed(code: Code, vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let index = vm.index(value)?;
    let Some(number) = vm.as_i64(&index) else {
        return Err(vm.overflow_error("Python int too large to convert to C long".to_string()));
    };
    // What is too large even for the type it is read as is said to be so for that type.
    let limits: &[(&str, i64, i64)] = match code.letter() {
        'b' => &[
            ("signed short integer", i16::MIN as i64, i16::MAX as i64),
            ("signed char", i8::MIN as i64, i8::MAX as i64),
        ],
        'B' => &[("unsigned byte integer", 0, u8::MAX as i64)],
        'h' => &[("signed short integer", i16::MIN as i64, i16::MAX as i64)],
        'H' => {
            &[("signed integer", i32::MIN as i64, i32::MAX as i64), ("unsigned short", 0, u16::MAX as i64)]
        }
        'i' => &[("signed integer", i32::MIN as i64, i32::MAX as i64)],
        _ => &[],
    };
    for (name, least, most) in limits {
        if number < *least {
            return Err(vm.overflow_error(format!("{name} is less than minimum")));
        }
        if number > *most {
            return Err(vm.overflow_error(format!("{name} is greater than maximum")));
        }
    }
    Ok(native(number as u64, code.size()))
}

fn unsigned(code: Code, vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let index = vm.index(value)?;
    let number = match index.as_int() {
        Some(int) if int.is_negative() => {
            return Err(vm.overflow_error("can't convert negative value to unsigned int".to_string()));
        }
        Some(IntRef::Small(i)) => Some(i as u64),
        Some(IntRef::Big(b)) => u64::try_from(b).ok(),
        None => None,
    };
    let Some(number) = number else {
        return Err(vm.overflow_error("Python int too large to convert to C unsigned long".to_string()));
    };
    if code.size() == 4 && number > u64::from(u32::MAX) {
        return Err(vm.overflow_error("unsigned int is greater than maximum".to_string()));
    }
    Ok(native(number, code.size()))
}

fn wide(code: Code, vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let big = pellucid_types::number::to_big(vm, value)?;
    match int_bytes(&big, 8, code.is_signed()) {
        Ok(mut bytes) => {
            if cfg!(target_endian = "big") {
                bytes.reverse();
            }
            Ok(bytes)
        }
        Err(BytesError::Negative) => {
            Err(vm.overflow_error("can't convert negative int to unsigned".to_string()))
        }
        Err(_) => Err(vm.overflow_error("int too big to convert".to_string())),
    }
}

/// The low `size` bytes in the order of the machine.
fn native(number: u64, size: usize) -> Vec<u8> {
    let bytes = number.to_ne_bytes();
    if cfg!(target_endian = "big") { bytes[8 - size..].to_vec() } else { bytes[..size].to_vec() }
}

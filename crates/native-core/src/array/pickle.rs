//! Arrays as pickles: machine formats, and arrays made from those of other machines.

use super::items::Items;
use super::{Array, this};
use pellucid_object::array::Code;
use pellucid_object::bytes::Bytes;
use pellucid_object::{Args, Interpreter, Res, Str, Type, Value};

/// A machine format: what items are, bytes of one, big-endian or not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Int { size: usize, signed: bool, big: bool },
    Float { size: usize, big: bool },
    Text { size: usize, big: bool },
}

impl Format {
    fn from_number(number: i64) -> Option<Format> {
        let n = u8::try_from(number).ok()?;
        let big = n & 1 == 1;
        Some(match n {
            0 | 1 => Format::Int { size: 1, signed: n == 1, big: false },
            2..=13 => {
                let size = 2 << ((n - 2) / 4);
                Format::Int { size, signed: (n - 2) / 2 % 2 == 1, big }
            }
            14 | 15 => Format::Float { size: 4, big },
            16 | 17 => Format::Float { size: 8, big },
            18 | 19 => Format::Text { size: 2, big },
            20 | 21 => Format::Text { size: 4, big },
            _ => return None,
        })
    }

    /// The format of an array on this machine, as a number.
    fn number_of(code: Code) -> i64 {
        let big = i64::from(cfg!(target_endian = "big"));
        match (code.is_text(), code.is_float(), code.size()) {
            (true, ..) => 20 + big,
            (_, true, 4) => 14 + big,
            (_, true, _) => 16 + big,
            (_, _, 1) => i64::from(code.is_signed()),
            (_, _, size) => 2 + 4 * (size as i64 / 4) + 2 * i64::from(code.is_signed()) + big,
        }
    }

    fn size(self) -> usize {
        match self {
            Format::Int { size, .. } | Format::Float { size, .. } | Format::Text { size, .. } => size,
        }
    }

    fn big(self) -> bool {
        match self {
            Format::Int { big, .. } | Format::Float { big, .. } | Format::Text { big, .. } => big,
        }
    }
}

/// `array.__reduce_ex__(protocol)`.
pub fn reduce(vm: &Interpreter, value: &Value, protocol: &Value) -> Res {
    let array = this(vm, value)?;
    let Some(protocol) = protocol.as_int().and_then(|_| vm.as_i64(protocol)) else {
        return Err(vm.type_error("__reduce_ex__ argument should be an integer".to_string()));
    };
    let state = vm.get_attr_opt(value, "__dict__")?.unwrap_or(Value::NONE);
    let ty = vm.type_of(value).into_value();
    let code = vm.new_str(&array.code().letter().to_string())?;
    if protocol < 3 {
        let items = vm.new_list(super::values(vm, array)?)?;
        return vm.new_tuple(vec![ty, vm.new_tuple(vec![code, items])?, state]);
    }
    let function = vm.get_attr_str(&vm.import("array")?, "_array_reconstructor")?;
    let bytes = vm.new_bytes(array.copy_bytes(vm)?)?;
    let format = vm.new_int(Format::number_of(array.code()))?;
    vm.new_tuple(vec![function, vm.new_tuple(vec![ty, code, format, bytes])?, state])
}

/// `array._array_reconstructor(arraytype, typecode, mformat_code, items)`.
pub fn reconstruct(vm: &Interpreter, args: &Args) -> Res {
    let class = args.req(0);
    let Some(ty) = class.downcast_ref::<Type>() else {
        let got = vm.type_name(class);
        return Err(vm.type_error(format!("first argument must be a type object, not {got}")));
    };
    let array_type = vm.type_for(&super::ARRAY)?;
    if !ty.is_subtype_of(&array_type) {
        return Err(vm.type_error(format!("{} is not a subtype of {}", ty.name(), array_type.name())));
    }
    let letter = args.req(1).downcast::<Str>().filter(|s| s.text.len() == 1).and_then(|s| s.text.get(0));
    let Some(letter) = letter else {
        let got = vm.type_name(args.req(1));
        return Err(vm.type_error(format!(
            "_array_reconstructor() argument 2 must be a unicode character, not {got}"
        )));
    };
    let number = args.int(vm, 2)?;
    let Some(code) = Code::new(letter) else {
        return Err(vm.value_error("second argument must be a valid type code".to_string()));
    };
    let Some(format) = Format::from_number(number) else {
        return Err(vm.value_error("third argument must be a valid machine format code.".to_string()));
    };
    let Some(bytes) = args.req(3).downcast::<Bytes>() else {
        let got = vm.type_name(args.req(3));
        return Err(vm.type_error(format!("fourth argument should be bytes, not {got}")));
    };
    let mut data = vm.copied(bytes.as_slice())?;
    if data.len() % format.size() != 0 {
        return Err(vm.value_error("bytes length not a multiple of item size".to_string()));
    }
    if format.size() > 1 && format.big() != cfg!(target_endian = "big") {
        data.chunks_exact_mut(format.size()).for_each(<[u8]>::reverse);
    }
    if Format::from_number(Format::number_of(code)).is_some_and(|own| own.size() == format.size())
        && same_kind(code, format)
    {
        return vm.alloc_subclass(class, Array::new(code, data));
    }
    converted(vm, class, code, format, &data)
}

fn same_kind(code: Code, format: Format) -> bool {
    match format {
        Format::Int { signed, .. } => !code.is_text() && !code.is_float() && signed == code.is_signed(),
        Format::Float { .. } => code.is_float(),
        Format::Text { .. } => code.is_text(),
    }
}

/// An array of `code` from items of another kind; ints keep their size, whatever the code says.
fn converted(vm: &Interpreter, class: &Value, code: Code, format: Format, data: &[u8]) -> Res {
    let source = match format {
        Format::Int { size, signed, .. } => {
            let letters = ["bB", "hH", "iI", "lL"][size.trailing_zeros() as usize & 3];
            Code::new(u32::from(letters.as_bytes()[usize::from(!signed)]))
        }
        Format::Float { size: 4, .. } => Code::new(u32::from('f')),
        Format::Float { .. } => Code::new(u32::from('d')),
        Format::Text { .. } => Code::new(u32::from('w')),
    };
    let Some(source) = source else { return Err(vm.bug("a format has a type code")) };
    if let Format::Int { .. } = format {
        return vm.alloc_subclass(class, Array::new(source, vm.copied(data)?));
    }
    let mut result = Vec::new();
    if let Format::Text { size: 2, .. } = format {
        let units: Vec<u16> = data.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]])).collect();
        for point in
            char::decode_utf16(units).map(|c| c.map_or_else(|e| u32::from(e.unpaired_surrogate()), u32::from))
        {
            result.extend_from_slice(&point.to_ne_bytes());
        }
        return vm.alloc_subclass(class, Array::new(code, result));
    }
    for item in data.chunks_exact(source.size()) {
        result.extend(code.put(vm, &source.get(vm, item)?)?);
    }
    vm.alloc_subclass(class, Array::new(code, result))
}

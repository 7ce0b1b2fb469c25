//! Ints from text and to text, within the limit on digits.

use crate::number;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Interpreter, Raised, Res, Str, Value};
use std::borrow::Cow;

/// Ints of fewer digits are never refused, whatever the limit.
const LIMIT_THRESHOLD: usize = 640;

/// The decimal text of an int. Errors: `ValueError` beyond the limit on digits.
pub fn decimal_text(vm: &Interpreter, int: &IntRef) -> Res<String> {
    let big = match int {
        IntRef::Small(i) => return Ok(i.to_string()),
        IntRef::Big(big) => big,
    };
    let limit = vm.int_max_str_digits.get();
    // A bit is 0.30103 digits: what is too long is refused before the work is done.
    let bits = dashu_int::ops::BitTest::bit_len(*big);
    let digits = bits.saturating_sub(1) as u128 * 30_102 / 100_000 + 1;
    let limited = limit != 0 && digits > LIMIT_THRESHOLD as u128;
    let text = if limited && digits > limit as u128 { None } else { Some(big.to_string()) };
    match text {
        Some(text) if !limited || text.len() - usize::from(text.starts_with('-')) <= limit => Ok(text),
        _ => Err(vm.value_error(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion; \
             use sys.set_int_max_str_digits() to increase the limit"
        ))),
    }
}

/// An int that was read.
pub enum Parsed {
    Small(i64),
    Big(IBig),
}

/// Why a text is no int.
enum Fault {
    /// Found to be wrong when read in this base.
    Syntax(u32),
    TooLong(usize),
}

/// The digits of `text` without the underscores between them; `None` when something else is in it.
fn digits_of(text: &[u8], base: u32) -> Option<Cow<'_, [u8]>> {
    // The common case first, without branches.
    if base <= 10
        && !text.is_empty()
        && text.iter().fold(true, |ok, b| ok & (b.wrapping_sub(b'0') < base as u8))
    {
        return Some(Cow::Borrowed(text));
    }
    let mut digits = Vec::with_capacity(text.len());
    let mut after_digit = false;
    for &b in text {
        match (b, after_digit) {
            (b'_', true) => after_digit = false,
            _ if (b as char).to_digit(36).is_some_and(|d| d < base) => {
                digits.push(b);
                after_digit = true;
            }
            _ => return None,
        }
    }
    after_digit.then_some(Cow::Owned(digits))
}

/// Reads `text`, with white space around it, in `base` (0: by prefix).
fn parse(text: &[u8], base: u32, limit: usize) -> Result<Parsed, Fault> {
    let text = number::trim(text);
    let (negative, mut text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let asked = base;
    let fault = || Fault::Syntax(asked);
    let prefix_base = match text {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let old_octal = base == 0 && prefix_base == 0 && text.first() == Some(&b'0');
    let base = match (base, prefix_base) {
        (0, 0) => 10,
        (0, found) => found,
        (base, _) => base,
    };
    if base == prefix_base {
        text = &text[2..];
        if let [b'_', rest @ ..] = text {
            text = rest;
        }
    }
    let digits = digits_of(text, base).ok_or_else(fault)?;
    if !base.is_power_of_two() && limit != 0 && digits.len() > limit.max(LIMIT_THRESHOLD) {
        return Err(Fault::TooLong(digits.len()));
    }
    let Ok(digits) = std::str::from_utf8(&digits) else { return Err(fault()) };
    let parsed = match i64::from_str_radix(digits, base) {
        Ok(value) => Parsed::Small(if negative { -value } else { value }),
        Err(_) => match IBig::from_str_radix(digits, base) {
            Ok(value) => Parsed::Big(if negative { -value } else { value }),
            Err(_) => return Err(fault()),
        },
    };
    match parsed {
        Parsed::Small(0) => Ok(parsed),
        _ if old_octal => Err(fault()),
        _ => Ok(parsed),
    }
}

/// Reads `text`; `shown` is what messages show. Errors: `ValueError`.
fn parse_shown(vm: &Interpreter, text: Option<&[u8]>, base: u32, shown: &Value) -> Res<Parsed> {
    let limit = vm.int_max_str_digits.get();
    match text.map_or(Err(Fault::Syntax(base)), |text| parse(text, base, limit)) {
        Ok(parsed) => Ok(parsed),
        Err(Fault::Syntax(base)) => Err(invalid_literal(vm, base, shown)),
        Err(Fault::TooLong(len)) => Err(vm.value_error(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion: value has {len} digits; \
             use sys.set_int_max_str_digits() to increase the limit"
        ))),
    }
}

#[cold]
fn invalid_literal(vm: &Interpreter, base: u32, shown: &Value) -> Raised {
    match vm.repr_lossy(shown) {
        Ok(repr) => {
            let repr: String = repr.chars().take(200).collect();
            vm.value_error(format!("invalid literal for int() with base {base}: {repr}"))
        }
        Err(raised) => raised,
    }
}

/// Digits so few that they make a small int, in base 10.
fn few_digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i64::from(digit))
    })
}

/// The int that a `str` or a bytes-like object says; `None` for other objects. Errors: `ValueError`.
pub fn from_text(vm: &Interpreter, value: &Value, base: u32) -> Res<Option<Parsed>> {
    if let Some(s) = value.downcast::<Str>() {
        if base == 10
            && let Some(number) = s.text.as_ascii().and_then(|text| few_digits(text.as_bytes()))
        {
            return Ok(Some(Parsed::Small(number)));
        }
        let text = number::ascii_number(&s.text);
        return parse_shown(vm, text.as_deref(), base, value).map(Some);
    }
    match number::buffer(vm, value)? {
        Some(bytes) => {
            let shown = vm.bytes_from(&bytes)?;
            parse_shown(vm, Some(&bytes), base, &shown).map(Some)
        }
        None => Ok(None),
    }
}

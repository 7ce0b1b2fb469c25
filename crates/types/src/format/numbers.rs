//! Numbers laid out by a format specifier.

use super::float_text::{Style, float_text};
use super::spec::{Grouping, Spec};
use super::{Output, spec_text};
use crate::complex;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Interpreter, Res, Text, Value};
use std::borrow::Cow;

/// A number as text in parts.
struct Parts<'a> {
    negative: bool,
    prefix: &'a str,
    digits: &'a str,
    point: bool,
    fraction: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes the text of a float apart.
    fn of_float(text: &'a str) -> Parts<'a> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits_end = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(digits_end(text));
        let (point, rest) = match rest.strip_prefix('.') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (fraction, rest) = rest.split_at(if point { digits_end(rest) } else { 0 });
        Parts { negative, prefix: "", digits, point, fraction, rest }
    }
}

/// Digits with separators between groups counted from the right, filled with zeros to `least` characters.
fn group_whole(vm: &Interpreter, digits: &str, grouping: Grouping, least: usize) -> Res<String> {
    let mut text = String::new();
    let Some(separator) = grouping.separator() else {
        let zeros = least.saturating_sub(digits.len());
        if text.try_reserve(zeros.saturating_add(digits.len())).is_err() {
            return Err(vm.no_memory());
        }
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(digits);
        return Ok(text);
    };
    let mut reversed: Vec<u8> = Vec::new();
    let room = digits.len().max(least);
    if reversed.try_reserve(room.saturating_add(room / 3 + 2)).is_err() {
        return Err(vm.no_memory());
    }
    let mut left = digits.bytes().rev();
    let (mut in_group, mut missing) = (0, least as i64);
    loop {
        let digit = left.next();
        if digit.is_none() && missing <= 0 {
            break;
        }
        if in_group == grouping.size() {
            reversed.push(separator as u8);
            missing -= 1;
            in_group = 0;
            // A separator is always followed by a digit.
        }
        reversed.push(digit.unwrap_or(b'0'));
        missing -= 1;
        in_group += 1;
    }
    reversed.reverse();
    String::from_utf8(reversed).map_err(|_| vm.bug("digits are ASCII"))
}

/// The digits behind the point, grouped from the point on.
fn group_fraction(digits: &str, grouping: Grouping) -> String {
    match grouping.separator() {
        None => digits.to_string(),
        Some(separator) => {
            let mut text = String::new();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && i % grouping.size() == 0 {
                    text.push(separator);
                }
                text.push(c);
            }
            text
        }
    }
}

fn sign_of(parts: &Parts, spec: &Spec) -> &'static str {
    match (parts.negative, spec.sign) {
        (true, _) => "-",
        (false, Some(b'+')) => "+",
        (false, Some(b' ')) => " ",
        _ => "",
    }
}

/// Writes a number with its sign, prefix, groups and padding.
fn write_number(out: &mut Output, parts: &Parts, spec: &Spec) -> Res<()> {
    let sign = sign_of(parts, spec);
    let fraction = match spec.fraction_grouping {
        Grouping::None => Cow::Borrowed(parts.fraction),
        grouping => Cow::Owned(group_fraction(parts.fraction, grouping)),
    };
    let others =
        sign.len() + parts.prefix.len() + usize::from(parts.point) + fraction.len() + parts.rest.len();
    let width = spec.width.unwrap_or(0);
    let zero_filled = spec.fill == u32::from('0') && spec.align == b'=';
    let least = if zero_filled { width.saturating_sub(others) } else { 0 };
    let whole = if parts.digits.is_empty() || spec.grouping == Grouping::None && least <= parts.digits.len() {
        Cow::Borrowed(parts.digits)
    } else {
        Cow::Owned(group_whole(out.vm, parts.digits, spec.grouping, least)?)
    };
    let padding = width.saturating_sub(others + whole.len());
    let (left, inner, right) = match spec.align {
        b'<' => (0, 0, padding),
        b'^' => (padding / 2, 0, padding - padding / 2),
        b'=' => (0, padding, 0),
        _ => (padding, 0, 0),
    };
    out.repeated(spec.fill, left)?;
    out.str(sign)?;
    if spec.kind == u32::from('X') {
        out.str(&parts.prefix.to_ascii_uppercase())?;
    } else {
        out.str(parts.prefix)?;
    }
    out.repeated(spec.fill, inner)?;
    out.str(&whole)?;
    if parts.point {
        out.str(".")?;
    }
    out.str(&fraction)?;
    out.str(parts.rest)?;
    out.repeated(spec.fill, right)
}

/// The digits of an int, without its sign.
pub enum Digits {
    /// The bytes from that place on.
    Few([u8; 64], usize),
    Many(String),
}

impl Digits {
    pub fn as_str(&self) -> &str {
        match self {
            Digits::Few(bytes, from) => std::str::from_utf8(&bytes[*from..]).unwrap_or_default(),
            Digits::Many(text) => text,
        }
    }
    pub fn make_ascii_uppercase(&mut self) {
        match self {
            Digits::Few(bytes, _) => bytes.make_ascii_uppercase(),
            Digits::Many(text) => text.make_ascii_uppercase(),
        }
    }
}

fn few_digits(mut number: u64, base: u64) -> Digits {
    let (mut bytes, mut from) = ([0; 64], 64);
    loop {
        from -= 1;
        bytes[from] = b"0123456789abcdef"[(number % base) as usize & 15];
        number /= base;
        if number == 0 {
            return Digits::Few(bytes, from);
        }
    }
}

/// The digits of an int's absolute value in base 2, 8, 10 or 16, and whether it is negative. Errors: `ValueError`.
pub fn int_digits(vm: &Interpreter, int: &IntRef, base: u32) -> Res<(bool, Digits)> {
    let text = match (int, base) {
        (IntRef::Small(i), base) => {
            let number = i.unsigned_abs();
            // A division by a known number is none.
            let digits = match base {
                2 => few_digits(number, 2),
                8 => few_digits(number, 8),
                10 => few_digits(number, 10),
                _ => few_digits(number, 16),
            };
            return Ok((*i < 0, digits));
        }
        (_, 10) => crate::int::decimal_text(vm, int)?,
        (IntRef::Big(b), base) => b.in_radix(base as u8).to_string(),
    };
    Ok(match text.strip_prefix('-') {
        Some(digits) => (true, Digits::Many(digits.to_string())),
        None => (false, Digits::Many(text)),
    })
}

/// `int.__format__`. Errors: `ValueError`, `OverflowError`.
pub fn format_int(vm: &Interpreter, value: &Value, spec: &Text) -> Res {
    if spec.is_empty() {
        return vm.str(value);
    }
    let spec = Spec::parse(vm, value, spec, u32::from('d'), b'>')?;
    let Some(int) = value.as_int() else { return Err(vm.bug("format of no int")) };
    let (base, prefix) = match u8::try_from(spec.kind).unwrap_or(b'?') {
        b'b' => (2, "0b"),
        b'o' => (8, "0o"),
        b'x' | b'X' => (16, "0x"),
        b'd' | b'n' => (10, ""),
        b'c' => (0, ""),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => {
            let f = crate::number::int_to_f64(vm, &int)?;
            return write_float(vm, value, f, &spec);
        }
        _ => return Err(spec.unknown_kind(vm, value)),
    };
    if spec.precision.is_some() {
        return Err(vm.value_error("Precision not allowed in integer format specifier".to_string()));
    }
    if spec.no_negative_zero {
        let what = "Negative zero coercion (z) not allowed in integer format specifier";
        return Err(vm.value_error(what.to_string()));
    }
    let mut out = Output::new(vm);
    if base == 0 {
        write_character(vm, &mut out, &int, &spec)?;
        return out.finish();
    }
    let (negative, mut digits) = int_digits(vm, &int, base)?;
    if spec.kind == u32::from('X') {
        digits.make_ascii_uppercase();
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let parts = Parts { negative, prefix, digits: digits.as_str(), point: false, fraction: "", rest: "" };
    write_number(&mut out, &parts, &spec)?;
    out.finish()
}

/// Format code `c`: the int is a code point.
fn write_character(vm: &Interpreter, out: &mut Output, int: &IntRef, spec: &Spec) -> Res<()> {
    if spec.sign.is_some() {
        return Err(vm.value_error("Sign not allowed with integer format specifier 'c'".to_string()));
    }
    if spec.alternate {
        let what = "Alternate form (#) not allowed with integer format specifier 'c'";
        return Err(vm.value_error(what.to_string()));
    }
    let point = match int {
        IntRef::Small(i) => u32::try_from(*i).ok().filter(|p| *p < 0x11_0000),
        IntRef::Big(_) => {
            return Err(vm.overflow_error("Python int too large to convert to C long".to_string()));
        }
    };
    let Some(point) = point else {
        return Err(vm.overflow_error("%c arg not in range(0x110000)".to_string()));
    };
    let padding = spec.width.unwrap_or(0).saturating_sub(1);
    let left = match spec.align {
        b'<' => 0,
        b'^' => padding / 2,
        _ => padding,
    };
    out.repeated(spec.fill, left)?;
    out.point(point)?;
    out.repeated(spec.fill, padding - left)
}

/// `float.__format__`. Errors: `ValueError`.
pub fn format_float(vm: &Interpreter, value: &Value, spec: &Text) -> Res {
    if spec.is_empty() {
        return vm.str(value);
    }
    let spec = Spec::parse(vm, value, spec, 0, b'>')?;
    write_float(vm, value, value.as_float().unwrap_or(0.0), &spec)
}

/// The style that a type letter asks for, `None` for other letters.
fn style_of(spec: &Spec) -> Option<Style> {
    let kind = u8::try_from(spec.kind).unwrap_or(b'?');
    let (code, add_dot_zero) = match (kind, spec.precision) {
        (b'e' | b'E', _) => (b'e', false),
        (b'f' | b'F' | b'%', _) => (b'f', false),
        (b'g' | b'G' | b'n', _) => (b'g', false),
        (0, None) => (b'r', true),
        (0, Some(_)) => (b'g', true),
        _ => return None,
    };
    Some(Style {
        code,
        uppercase: matches!(kind, b'E' | b'F' | b'G'),
        precision: spec.precision.unwrap_or(6),
        alternate: spec.alternate,
        add_dot_zero,
        no_negative_zero: spec.no_negative_zero,
    })
}

fn check_precision(vm: &Interpreter, spec: &Spec) -> Res<()> {
    if spec.precision.is_some_and(|p| i32::try_from(p).is_err()) {
        return Err(vm.value_error("precision too big".to_string()));
    }
    Ok(())
}

fn write_float(vm: &Interpreter, value: &Value, f: f64, spec: &Spec) -> Res {
    check_precision(vm, spec)?;
    let Some(style) = style_of(spec) else { return Err(spec.unknown_kind(vm, value)) };
    let percent = spec.kind == u32::from('%');
    let Some(mut text) = float_text(if percent { f * 100.0 } else { f }, &style) else {
        return Err(vm.no_memory());
    };
    if percent {
        text.push('%');
    }
    let mut out = Output::new(vm);
    write_number(&mut out, &Parts::of_float(&text), spec)?;
    out.finish()
}

/// `complex.__format__`. Errors: `ValueError`.
pub fn format_complex(vm: &Interpreter, value: &Value, spec: &Text) -> Res {
    if spec.is_empty() {
        return vm.str(value);
    }
    let Some((re, im)) = complex::parts(value) else { return Err(vm.bug("format of no complex")) };
    let spec = Spec::parse(vm, value, spec, 0, b'>')?;
    check_precision(vm, &spec)?;
    let Some(style) = style_of(&spec).filter(|_| spec.kind != u32::from('%')) else {
        return Err(spec.unknown_kind(vm, value));
    };
    if spec.fill == u32::from('0') {
        return Err(vm.value_error("Zero padding is not allowed in complex format specifier".to_string()));
    }
    if spec.align == b'=' {
        let what = "'=' alignment flag is not allowed in complex format specifier";
        return Err(vm.value_error(what.to_string()));
    }
    let bare = spec.kind == 0;
    let style = Style { add_dot_zero: false, ..style };
    let (Some(real), Some(imaginary)) = (float_text(re, &style), float_text(im, &style)) else {
        return Err(vm.no_memory());
    };
    let skip_real = bare && re == 0.0 && re.is_sign_positive();
    let inner = Spec { width: None, align: b'>', fill: u32::from(' '), ..spec.clone() };
    let mut out = Output::new(vm);
    if !skip_real {
        write_number(&mut out, &Parts::of_float(&real), &inner)?;
    }
    let sign = if skip_real { spec.sign } else { Some(b'+') };
    write_number(&mut out, &Parts::of_float(&imaginary), &Spec { sign, ..inner })?;
    out.str("j")?;
    let text = out.finish()?;
    let Some(body) = text.downcast::<pellucid_object::Str>() else { return Err(vm.bug("no str")) };
    let brackets = bare && !skip_real;
    let len = body.text.len() + 2 * usize::from(brackets);
    let padding = spec.width.unwrap_or(0).saturating_sub(len);
    let left = match spec.align {
        b'<' => 0,
        b'^' => padding / 2,
        _ => padding,
    };
    let mut out = Output::new(vm);
    out.repeated(spec.fill, left)?;
    out.str(if brackets { "(" } else { "" })?;
    out.text(&body.text)?;
    out.str(if brackets { ")" } else { "" })?;
    out.repeated(spec.fill, padding - left)?;
    out.finish()
}

/// `int.__format__` as a method.
pub fn int_format_method(vm: &Interpreter, this: &Value, spec: &Value) -> Res {
    format_int(vm, this, spec_text(vm, spec)?)
}

/// `float.__format__` as a method.
pub fn float_format_method(vm: &Interpreter, this: &Value, spec: &Value) -> Res {
    format_float(vm, this, spec_text(vm, spec)?)
}

/// `complex.__format__` as a method.
pub fn complex_format_method(vm: &Interpreter, this: &Value, spec: &Value) -> Res {
    format_complex(vm, this, spec_text(vm, spec)?)
}

/// `0x1f`, `-0b101`, ...: `hex`, `oct` and `bin`. Errors: `TypeError`.
pub fn prefixed(vm: &Interpreter, value: &Value, base: u32, prefix: &str) -> Res {
    let index = vm.index(value)?;
    let zero = IBig::ZERO;
    let int = index.as_int().unwrap_or(IntRef::Big(&zero));
    let (negative, digits) = int_digits(vm, &int, base)?;
    let mut out = Output::new(vm);
    out.str(if negative { "-" } else { "" })?;
    out.str(prefix)?;
    out.str(digits.as_str())?;
    out.finish()
}

//! The format specifier: `[[fill]align][sign]["z"]["#"]["0"][width][grouping]["." precision [grouping]][type]`.

use pellucid_object::text::case::decimal_value;
use pellucid_object::{Interpreter, Raised, Res, Text, Value};

/// What stands between groups of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    None,
    Comma,
    Underscore,
    /// `_` between groups of four digits: hexadecimal, octal, binary.
    UnderscoreFour,
}

impl Grouping {
    /// Digits of a group.
    pub fn size(self) -> usize {
        if self == Grouping::UnderscoreFour { 4 } else { 3 }
    }
    pub fn separator(self) -> Option<char> {
        match self {
            Grouping::None => None,
            Grouping::Comma => Some(','),
            Grouping::Underscore | Grouping::UnderscoreFour => Some('_'),
        }
    }
}

/// A format specifier that was read.
#[derive(Clone, Debug)]
pub struct Spec {
    pub fill: u32,
    /// One of `<`, `>`, `^`, `=`.
    pub align: u8,
    /// One of `+`, `-` and the space.
    pub sign: Option<u8>,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub width: Option<usize>,
    pub grouping: Grouping,
    pub precision: Option<usize>,
    pub fraction_grouping: Grouping,
    /// The type letter; 0 when there is none and the default has none either.
    pub kind: u32,
}

fn is_align(point: Option<u32>) -> Option<u8> {
    let byte = u8::try_from(point?).ok()?;
    matches!(byte, b'<' | b'>' | b'^' | b'=').then_some(byte)
}

struct Reader<'a> {
    vm: &'a Interpreter,
    text: &'a Text,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<u32> {
        self.text.get(self.at + ahead)
    }
    fn eat(&mut self, c: char) -> bool {
        let found = self.peek(0) == Some(u32::from(c));
        self.at += usize::from(found);
        found
    }
    fn left(&self) -> usize {
        self.text.len() - self.at
    }
    fn integer(&mut self) -> Res<Option<usize>> {
        let (value, end) = read_integer(self.vm, self.text, self.at, self.text.len())?;
        self.at = end;
        Ok(value)
    }
    fn grouping(&mut self) -> Res<Grouping> {
        let comma = self.eat(',');
        let underscore = self.eat('_');
        if underscore && (comma || self.peek(0) == Some(u32::from(','))) {
            return Err(self.vm.value_error("Cannot specify both ',' and '_'.".to_string()));
        }
        Ok(match (comma, underscore) {
            (true, _) => Grouping::Comma,
            (_, true) => Grouping::Underscore,
            _ => Grouping::None,
        })
    }
}

/// Reads decimal digits from `start`: their value, if there are any, and where they end. Errors: `ValueError`.
pub fn read_integer(vm: &Interpreter, text: &Text, start: usize, end: usize) -> Res<(Option<usize>, usize)> {
    let (mut value, mut at) = (None, start);
    while at < end
        && let Some(digit) = text.get(at).and_then(decimal_value)
    {
        let next = (value.unwrap_or(0i64)).checked_mul(10).and_then(|v| v.checked_add(i64::from(digit)));
        let Some(next) = next else {
            return Err(vm.value_error("Too many decimal digits in format string".to_string()));
        };
        value = Some(next);
        at += 1;
    }
    Ok((value.map(|v| v as usize), at))
}

impl Spec {
    /// Reads `text`, the specifier for `value`. Errors: `ValueError`.
    pub fn parse(vm: &Interpreter, value: &Value, text: &Text, kind: u32, align: u8) -> Res<Spec> {
        let mut spec = Spec {
            fill: u32::from(' '),
            align,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: None,
            grouping: Grouping::None,
            precision: None,
            fraction_grouping: Grouping::None,
            kind,
        };
        let mut r = Reader { vm, text, at: 0 };
        let (mut fill_given, mut align_given) = (false, false);
        if let (Some(fill), Some(align)) = (r.peek(0), is_align(r.peek(1))) {
            (spec.fill, spec.align, r.at) = (fill, align, 2);
            (fill_given, align_given) = (true, true);
        } else if let Some(align) = is_align(r.peek(0)) {
            (spec.align, r.at) = (align, 1);
            align_given = true;
        }
        if let Some(sign @ (0x20 | 0x2b | 0x2d)) = r.peek(0) {
            spec.sign = Some(sign as u8);
            r.at += 1;
        }
        spec.no_negative_zero = r.eat('z');
        spec.alternate = r.eat('#');
        if !fill_given && r.eat('0') {
            spec.fill = u32::from('0');
            if !align_given && align == b'>' {
                spec.align = b'=';
            }
        }
        spec.width = r.integer()?;
        spec.grouping = r.grouping()?;
        if r.eat('.') {
            spec.precision = r.integer()?;
            spec.fraction_grouping = r.grouping()?;
            if spec.precision.is_none() && spec.fraction_grouping == Grouping::None {
                return Err(vm.value_error("Format specifier missing precision".to_string()));
            }
        }
        match (r.left(), r.peek(0)) {
            (0, _) | (_, None) => {}
            (1, Some(kind)) => spec.kind = kind,
            _ => {
                let name = vm.type_name(value);
                let message = format!("Invalid format specifier '{text}' for object of type '{name}'");
                return Err(vm.value_error(message));
            }
        }
        spec.check_grouping(vm)?;
        Ok(spec)
    }

    fn check_grouping(&mut self, vm: &Interpreter) -> Res<()> {
        let kind = u8::try_from(self.kind).unwrap_or(b'?');
        if self.grouping != Grouping::None {
            match kind {
                b'd' | b'e' | b'f' | b'g' | b'E' | b'G' | b'%' | b'F' | 0 => {}
                b'b' | b'o' | b'x' | b'X' if self.grouping == Grouping::Underscore => {
                    self.grouping = Grouping::UnderscoreFour;
                }
                _ => return Err(self.wrong_grouping(vm, self.grouping)),
            }
        }
        if kind == b'n' && self.fraction_grouping != Grouping::None {
            return Err(self.wrong_grouping(vm, self.fraction_grouping));
        }
        Ok(())
    }

    #[cold]
    fn wrong_grouping(&self, vm: &Interpreter, grouping: Grouping) -> Raised {
        let separator = grouping.separator().unwrap_or(',');
        vm.value_error(format!("Cannot specify '{separator}' with {}.", quoted(self.kind)))
    }

    /// `Unknown format code 'q' for object of type 'int'`.
    #[cold]
    pub fn unknown_kind(&self, vm: &Interpreter, value: &Value) -> Raised {
        let (code, name) = (quoted(self.kind), vm.type_name(value));
        vm.value_error(format!("Unknown format code {code} for object of type '{name}'"))
    }
}

/// A format code as messages show it.
fn quoted(code: u32) -> String {
    match char::from_u32(code) {
        Some(c) if code > 32 && code < 128 => format!("'{c}'"),
        _ => format!("'\\x{code:x}'"),
    }
}

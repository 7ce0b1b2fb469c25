//! `'...' % args` for `str` and `bytes`. Bytes are handled as the text whose code points they are.

use super::float_text::{Style, float_text};
use super::{Output, ascii, numbers};
use crate::number;
use pellucid_object::{Interpreter, Raised, Res, Str, Text, Tuple, Value};

/// `template % args` for `str`. Errors: `TypeError`, `ValueError`, `OverflowError`.
pub fn percent_format_str(vm: &Interpreter, template: &Text, args: &Value) -> Res {
    format(vm, template, args, false)?.finish()
}

/// `template % args` for byte strings: the bytes of the result.
pub fn percent_format_bytes(vm: &Interpreter, template: &[u8], args: &Value) -> Res<Vec<u8>> {
    let template = Text::from_latin1(template).map_err(|_| vm.no_memory())?;
    let result = format(vm, &template, args, true)?.finish()?;
    match result.downcast::<Str>().and_then(|s| s.text.as_latin1()) {
        Some(bytes) => vm.copied(bytes),
        None => Err(vm.bug("bytes formatting wrote a wide character")),
    }
}

/// The arguments: a tuple is taken item by item, a mapping by keys, anything else once.
struct Arguments {
    items: Vec<Value>,
    next: usize,
    mapping: Option<Value>,
}

impl Arguments {
    fn of(vm: &Interpreter, args: &Value, in_bytes: bool) -> Arguments {
        let tuple = args.downcast::<Tuple>();
        let is_text = args.downcast::<Str>().is_some() || in_bytes && number::is_bytes(args);
        let subscriptable = vm.type_of_ref(args).slots.getitem.get().is_some();
        Arguments {
            items: tuple.map_or_else(|| vec![args.clone()], Tuple::items),
            next: 0,
            mapping: (tuple.is_none() && !is_text && subscriptable).then(|| args.clone()),
        }
    }
    fn take(&mut self, vm: &Interpreter) -> Res {
        match self.items.get(self.next) {
            Some(value) => {
                self.next += 1;
                Ok(value.clone())
            }
            None => Err(vm.type_error("not enough arguments for format string".to_string())),
        }
    }
}

/// One conversion: `%(key)-08.3lf`.
#[derive(Default, Clone, Copy)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    code: u32,
}

struct Formatter<'a> {
    vm: &'a Interpreter,
    template: &'a Text,
    at: usize,
    arguments: Arguments,
    in_bytes: bool,
    out: Output<'a>,
}

fn format<'a>(vm: &'a Interpreter, template: &'a Text, args: &Value, in_bytes: bool) -> Res<Output<'a>> {
    let arguments = Arguments::of(vm, args, in_bytes);
    let mut f = Formatter { vm, template, at: 0, arguments, in_bytes, out: Output::new(vm) };
    let len = template.len();
    while f.at < len {
        let start = f.at;
        f.at = next_percent(template, start);
        f.out.range(template, start, f.at)?;
        if f.at < len {
            f.at += 1;
            if f.peek() == Some('%') {
                f.at += 1;
                f.out.str("%")?;
                continue;
            }
            if f.quick()? {
                continue;
            }
            let conversion = f.parse()?;
            f.convert(&conversion)?;
        }
    }
    if f.arguments.next < f.arguments.items.len() && f.arguments.mapping.is_none() {
        let kind = if in_bytes { "bytes" } else { "string" };
        return Err(vm.type_error(format!("not all arguments converted during {kind} formatting")));
    }
    Ok(f.out)
}

/// Where the next conversion begins, or the template ends.
fn next_percent(template: &Text, from: usize) -> usize {
    let rest = template.len() - from;
    let found = match template.as_latin1() {
        Some(units) => memchr::memchr(b'%', &units[from..]),
        None => template.code_points_in(from, from + rest).position(|point| point == u32::from('%')),
    };
    from + found.unwrap_or(rest)
}

impl Formatter<'_> {
    /// `%s` of strings, `%s` and `%d` of ints, as most conversions are; false when it is something else.
    fn quick(&mut self) -> Res<bool> {
        let code = self.peek();
        if self.in_bytes || !matches!(code, Some('s' | 'd')) {
            return Ok(false);
        }
        let Some(value) = self.arguments.items.get(self.arguments.next) else { return Ok(false) };
        if let Some(number) = value.as_small_int() {
            self.out.int(number)?;
        } else if code == Some('s')
            && self.vm.is_exact(value, &self.vm.types().str)
            && let Some(s) = value.downcast::<Str>()
        {
            self.out.text(&s.text)?;
        } else {
            return Ok(false);
        }
        self.arguments.next += 1;
        self.at += 1;
        Ok(true)
    }

    fn peek(&self) -> Option<char> {
        self.template.get(self.at).map(|p| char::from_u32(p).unwrap_or('\u{fffd}'))
    }
    fn incomplete(&self) -> Raised {
        self.vm.value_error("incomplete format".to_string())
    }

    fn parse(&mut self) -> Res<Conversion> {
        let mut c = Conversion::default();
        if self.peek() == Some('(') {
            self.key()?;
        }
        loop {
            match self.peek() {
                Some('-') => c.left = true,
                Some('+') => c.plus = true,
                Some(' ') => c.space = true,
                Some('#') => c.alternate = true,
                Some('0') => c.zero = true,
                _ => break,
            }
            self.at += 1;
        }
        if self.peek() == Some('*') {
            let width = self.star()?;
            c.left |= width < 0;
            c.width = width.unsigned_abs() as usize;
        } else {
            c.width = self.number(i64::MAX, "width too big")?;
        }
        if self.peek() == Some('.') {
            self.at += 1;
            c.precision = Some(if self.peek() == Some('*') {
                let precision = self.star()?;
                if i32::try_from(precision).is_err() {
                    return Err(self
                        .vm
                        .overflow_error("Python int too large to convert to C int".to_string()));
                }
                usize::try_from(precision).unwrap_or(0)
            } else {
                let what = if self.in_bytes { "prec too big" } else { "precision too big" };
                self.number(i64::from(i32::MAX), what)?
            });
        }
        if let Some('h' | 'l' | 'L') = self.peek() {
            self.at += 1;
        }
        c.code = self.template.get(self.at).ok_or_else(|| self.incomplete())?;
        self.at += 1;
        Ok(c)
    }

    /// `(key)`: what the mapping holds is the only argument from here on.
    fn key(&mut self) -> Res<()> {
        let Some(mapping) = self.arguments.mapping.clone() else {
            return Err(self.vm.type_error("format requires a mapping".to_string()));
        };
        self.at += 1;
        let (start, mut depth) = (self.at, 1);
        while depth > 0 {
            match self.peek() {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some(_) => {}
                None => return Err(self.vm.value_error("incomplete format key".to_string())),
            }
            self.at += 1;
        }
        let key = self.template.slice(start, self.at - 1).map_err(|_| self.vm.no_memory())?;
        let key = if self.in_bytes {
            self.vm.bytes_from(key.as_latin1().unwrap_or_default())?
        } else {
            self.vm.new_text(key)?
        };
        self.arguments.items = vec![self.vm.get_item(&mapping, &key)?];
        self.arguments.next = 0;
        Ok(())
    }

    fn star(&mut self) -> Res<i64> {
        self.at += 1;
        let value = self.arguments.take(self.vm)?;
        let result = match value.as_int() {
            None => return Err(self.vm.type_error("* wants int".to_string())),
            Some(_) => self.vm.as_i64(&value),
        };
        result
            .filter(|i| *i != i64::MIN)
            .ok_or_else(|| self.vm.overflow_error("Python int too large to convert to C ssize_t".to_string()))
    }

    fn number(&mut self, most: i64, too_big: &str) -> Res<usize> {
        let mut value = 0i64;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            value = match value.checked_mul(10).and_then(|v| v.checked_add(i64::from(digit))) {
                Some(value) if value <= most => value,
                _ => return Err(self.vm.value_error(too_big.to_string())),
            };
            self.at += 1;
        }
        Ok(value as usize)
    }

    fn convert(&mut self, c: &Conversion) -> Res<()> {
        let code = char::from_u32(c.code).unwrap_or('\u{fffd}');
        let known = if self.in_bytes { "sbracdiuoxXeEfFgG" } else { "sracdiuoxXeEfFgG" };
        let value = self.arguments.take(self.vm)?;
        if !known.contains(code) {
            let shown = if self.in_bytes || (31 < c.code && c.code < 128) { code } else { '?' };
            return Err(self.vm.value_error(format!(
                "unsupported format character '{shown}' (0x{:x}) at index {}",
                c.code,
                self.at - 1
            )));
        }
        match (code, self.in_bytes) {
            ('s', false) => self.put_str(&self.vm.str(&value)?, c),
            ('s' | 'b', true) => {
                let bytes = self.bytes_of(&value)?;
                let text = Text::from_latin1(&bytes).map_err(|_| self.vm.no_memory())?;
                self.put_text(&text, c)
            }
            ('r', false) => self.put_str(&self.vm.repr(&value)?, c),
            ('a', _) | ('r', true) => self.put_str(&ascii(self.vm, &value)?, c),
            ('c', _) => {
                let text = if self.in_bytes {
                    Text::from_latin1(&[self.byte(&value)?]).map_err(|_| self.vm.no_memory())?
                } else {
                    self.character(&value)?
                };
                self.put_text(&text, &Conversion { precision: None, ..*c })
            }
            ('d' | 'i' | 'u' | 'o' | 'x' | 'X', _) => self.int(code, &value, c),
            _ => self.float(code, &value, c),
        }
    }

    fn put_str(&mut self, value: &Value, c: &Conversion) -> Res<()> {
        match value.downcast::<Str>() {
            Some(s) => self.put_text(&s.text, c),
            None => Err(self.vm.bug("text of no str")),
        }
    }

    fn put_text(&mut self, text: &Text, c: &Conversion) -> Res<()> {
        let len = c.precision.unwrap_or(usize::MAX).min(text.len());
        let padding = c.width.saturating_sub(len);
        self.out.repeated(32, if c.left { 0 } else { padding })?;
        self.out.range(text, 0, len)?;
        self.out.repeated(32, if c.left { padding } else { 0 })
    }

    /// The text of `%c` for `str`.
    fn character(&self, value: &Value) -> Res<Text> {
        let vm = self.vm;
        if let Some(s) = value.downcast::<Str>() {
            return match s.text.len() {
                1 => s.text.try_clone().map_err(|_| vm.no_memory()),
                n => Err(vm.type_error(format!(
                    "%c requires an int or a unicode character, not a string of length {n}"
                ))),
            };
        }
        if !crate::seq::has_index(vm, value) {
            let got = vm.full_type_name(value);
            return Err(vm.type_error(format!("%c requires an int or a unicode character, not {got}")));
        }
        let index = vm.index(value)?;
        match vm.as_i64(&index).and_then(|i| u32::try_from(i).ok()).filter(|p| *p < 0x11_0000) {
            Some(point) => Text::from_code_point(point).map_err(|_| vm.no_memory()),
            None => Err(vm.overflow_error("%c arg not in range(0x110000)".to_string())),
        }
    }

    /// The bytes of `%b`. Errors: `TypeError`.
    fn bytes_of(&self, value: &Value) -> Res<Vec<u8>> {
        let vm = self.vm;
        if !number::is_bytes(value)
            && let Some(result) = crate::bytes::dunder_bytes(vm, value)?
        {
            return vm.copied(vm.expect_bytes(&result)?);
        }
        match number::buffer(vm, value)? {
            Some(bytes) => Ok(bytes),
            None => Err(vm.type_error(format!(
                "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
                vm.type_name(value)
            ))),
        }
    }

    fn byte(&self, value: &Value) -> Res<u8> {
        let vm = self.vm;
        if crate::seq::has_index(vm, value) {
            let index = vm.index(value)?;
            return match vm.as_i64(&index).and_then(|i| u8::try_from(i).ok()) {
                Some(byte) => Ok(byte),
                None => Err(vm.overflow_error("%c arg not in range(256)".to_string())),
            };
        }
        let what = "%c requires an integer in range(256) or a single byte, not";
        let name = vm.type_name(value);
        let bytes = if number::is_bytes(value) { number::buffer(vm, value)? } else { None };
        match bytes.as_deref() {
            Some([byte]) => Ok(*byte),
            Some(bytes) => Err(vm.type_error(format!("{what} a {name} object of length {}", bytes.len()))),
            None => Err(vm.type_error(format!("{what} {}", vm.full_type_name(value)))),
        }
    }

    fn int(&mut self, code: char, value: &Value, c: &Conversion) -> Res<()> {
        let vm = self.vm;
        let number = self.as_int(code, value)?;
        let Some(int) = number.as_int() else { return Err(vm.bug("int() gave no int")) };
        let (base, prefix) = match code {
            'o' => (8, "0o"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let (negative, mut digits) = numbers::int_digits(vm, &int, base)?;
        if code == 'X' {
            digits.make_ascii_uppercase();
        }
        let zeros = c.precision.unwrap_or(0).saturating_sub(digits.as_str().len());
        self.put_number(negative, if c.alternate { prefix } else { "" }, zeros, digits.as_str(), c)
    }

    /// The int that a conversion shows. Errors: `TypeError`.
    fn as_int(&self, code: char, value: &Value) -> Res {
        let vm = self.vm;
        if value.as_int().is_some() {
            return Ok(value.clone());
        }
        let exact = matches!(code, 'o' | 'x' | 'X');
        let slots = &vm.type_of_ref(value).slots.unary;
        let able = |op: pellucid_object::UnOp| slots[op as usize].get().is_some();
        use pellucid_object::UnOp;
        let number = able(UnOp::Index)
            || able(UnOp::Int)
            || able(UnOp::Float)
            || crate::complex::parts(value).is_some();
        let result = match (number, exact) {
            (false, _) => None,
            (true, true) => Some(vm.index(value)),
            (true, false) => Some(crate::int::from_number(vm, value)),
        };
        match result {
            Some(Ok(int)) => Ok(int),
            Some(Err(raised)) if !vm.raised_is(vm.exceptions().type_error()) => Err(raised),
            other => {
                if let Some(Err(raised)) = other {
                    drop(vm.take_raised(raised));
                }
                let what = if exact { "an integer" } else { "a real number" };
                let got = vm.type_name(value);
                Err(vm.type_error(format!("%{code} format: {what} is required, not {got}")))
            }
        }
    }

    fn float(&mut self, code: char, value: &Value, c: &Conversion) -> Res<()> {
        let vm = self.vm;
        let f = match number::to_f64(vm, value) {
            Err(raised) if self.in_bytes && vm.raised_is(vm.exceptions().type_error()) => {
                drop(vm.take_raised(raised));
                let got = vm.type_name(value);
                return Err(vm.type_error(format!("float argument required, not {got}")));
            }
            other => other?,
        };
        let style = Style {
            code: code.to_ascii_lowercase() as u8,
            uppercase: code.is_ascii_uppercase(),
            precision: c.precision.unwrap_or(6),
            alternate: c.alternate,
            add_dot_zero: false,
            no_negative_zero: false,
        };
        let Some(text) = float_text(f, &style) else { return Err(vm.no_memory()) };
        match text.strip_prefix('-') {
            Some(digits) => self.put_number(true, "", 0, digits, c),
            None => self.put_number(false, "", 0, &text, c),
        }
    }

    fn put_number(
        &mut self,
        negative: bool,
        prefix: &str,
        zeros: usize,
        digits: &str,
        c: &Conversion,
    ) -> Res<()> {
        let sign = match (negative, c.plus, c.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let len = (sign.len() + prefix.len() + digits.len()).saturating_add(zeros);
        let padding = c.width.saturating_sub(len);
        let (left, inner, right) = match (c.left, c.zero) {
            (true, _) => (0, 0, padding),
            (false, true) => (0, padding, 0),
            (false, false) => (padding, 0, 0),
        };
        let zero = u32::from('0');
        self.out.repeated(32, left)?;
        self.out.str(sign)?;
        self.out.str(prefix)?;
        self.out.repeated(zero, inner)?;
        self.out.repeated(zero, zeros)?;
        self.out.str(digits)?;
        self.out.repeated(32, right)
    }
}

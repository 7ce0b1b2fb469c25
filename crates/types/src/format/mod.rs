//! Formatting: the mini-language of `format(value, spec)`, `'...' % args`, and `str.format`.
//!
//! [`spec`] reads a format specifier, [`float_text`] turns floats into digits, [`numbers`] lays out ints, floats and
//! complex numbers, [`percent`] is `%` for `str` and `bytes`, [`template`] is `str.format`.

pub mod float_text;
pub mod numbers;
pub mod percent;
pub mod spec;
pub mod template;

pub use numbers::{format_complex, format_float, format_int};
pub use percent::{percent_format_bytes, percent_format_str};
pub use spec::Spec;
pub use template::{format_map, str_format};

use pellucid_object::text::NoMemory;
use pellucid_object::{Interpreter, Res, Str, Text, TextBuilder, Value};

/// A text that grows, with `MemoryError` for the memory that is not there.
pub struct Output<'a> {
    vm: &'a Interpreter,
    builder: TextBuilder,
}

impl<'a> Output<'a> {
    pub fn new(vm: &'a Interpreter) -> Output<'a> {
        Output { vm, builder: TextBuilder::new() }
    }
    fn done(&self, result: Result<(), NoMemory>) -> Res<()> {
        result.map_err(|NoMemory| self.vm.no_memory())
    }
    pub fn point(&mut self, point: u32) -> Res<()> {
        let result = self.builder.push(point);
        self.done(result)
    }
    pub fn repeated(&mut self, point: u32, times: usize) -> Res<()> {
        let result = self.builder.push_repeated(point, times);
        self.done(result)
    }
    pub fn str(&mut self, text: &str) -> Res<()> {
        let result = self.builder.push_str(text);
        self.done(result)
    }
    /// The digits of a number, and its sign.
    pub fn int(&mut self, number: i64) -> Res<()> {
        let result = self.builder.push_int(number);
        self.done(result)
    }
    pub fn text(&mut self, text: &Text) -> Res<()> {
        let result = self.builder.push_text(text);
        self.done(result)
    }
    pub fn range(&mut self, text: &Text, start: usize, end: usize) -> Res<()> {
        let result = self.builder.push_range(text, start, end);
        self.done(result)
    }
    /// The text of a `str` object.
    pub fn value(&mut self, value: &Value) -> Res<()> {
        match value.downcast::<Str>() {
            Some(s) => self.text(&s.text),
            None => Err(self.vm.bug("text of no str")),
        }
    }
    /// The `str` object.
    pub fn finish(self) -> Res {
        match self.builder.finish() {
            Ok(text) => self.vm.new_text(text),
            Err(NoMemory) => Err(self.vm.no_memory()),
        }
    }
}

/// The text of the argument of a `__format__` method. Errors: `TypeError`.
pub fn spec_text<'a>(vm: &Interpreter, spec: &'a Value) -> Res<&'a Text> {
    match spec.downcast::<Str>() {
        Some(s) => Ok(&s.text),
        None => {
            let got = vm.type_name(spec);
            Err(vm.type_error(format!("__format__() argument must be str, not {got}")))
        }
    }
}

/// `format(value, spec)`: exact ints, floats and strings need no method to be looked up. Errors: what `__format__` raises.
pub fn format_value(vm: &Interpreter, value: &Value, spec: &Value) -> Res {
    if let Some(text) = spec.downcast::<Str>().map(|s| &s.text) {
        let types = vm.types();
        if vm.is_exact(value, &types.int) {
            return format_int(vm, value, text);
        }
        if vm.is_exact(value, &types.float) {
            return format_float(vm, value, text);
        }
        if vm.is_exact(value, &types.str)
            && let Some(s) = value.downcast::<Str>()
        {
            return format_text(vm, value, &s.text, text);
        }
    }
    vm.format(value, spec)
}

/// `str.__format__`: `text` laid out as `spec` says; `value` names the type in messages. Errors: `ValueError`.
pub fn format_text(vm: &Interpreter, value: &Value, text: &Text, spec: &Text) -> Res {
    if spec.is_empty() {
        return vm.str(value);
    }
    let spec = Spec::parse(vm, value, spec, u32::from('s'), b'<')?;
    if spec.kind != u32::from('s') {
        return Err(spec.unknown_kind(vm, value));
    }
    let refused = |what: &str| Err(vm.value_error(format!("{what} not allowed in string format specifier")));
    match spec.sign {
        Some(b' ') => return refused("Space"),
        Some(_) => return refused("Sign"),
        None => {}
    }
    if spec.no_negative_zero {
        return refused("Negative zero coercion (z)");
    }
    if spec.alternate {
        return refused("Alternate form (#)");
    }
    if spec.align == b'=' {
        return refused("'=' alignment");
    }
    let len = spec.precision.unwrap_or(usize::MAX).min(text.len());
    let padding = spec.width.unwrap_or(0).saturating_sub(len);
    let left = match spec.align {
        b'>' => padding,
        b'^' => padding / 2,
        _ => 0,
    };
    let mut out = Output::new(vm);
    out.repeated(spec.fill, left)?;
    out.range(text, 0, len)?;
    out.repeated(spec.fill, padding - left)?;
    out.finish()
}

/// `ascii(value)`, a `str` object. Errors: what `__repr__` raises.
pub fn ascii(vm: &Interpreter, value: &Value) -> Res {
    let repr = vm.repr(value)?;
    let Some(s) = repr.downcast::<Str>() else { return Err(vm.bug("repr of no str")) };
    if s.text.is_ascii() {
        return Ok(repr.clone());
    }
    let mut builder = TextBuilder::new();
    let mut escape = || {
        for point in s.text.code_points() {
            if point < 0x80 {
                builder.push(point)?;
            } else {
                pellucid_object::text::repr::push_escape(&mut builder, point)?;
            }
        }
        Ok(())
    };
    match escape().and_then(|()| builder.finish()) {
        Ok(text) => vm.new_text(text),
        Err(NoMemory) => Err(vm.no_memory()),
    }
}

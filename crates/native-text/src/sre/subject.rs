//! The text that a pattern is matched against.

use super::matcher::{Matcher, Mode};
use super::pattern::Pattern;
use pellucid_object::text::Slice;
use pellucid_object::{Bytes, BytesLike, Interpreter, Res, Str, Value, Visitor};

/// A `str` or bytes-like object; bytes that could change meanwhile are copied, and cannot move.
pub struct Subject {
    pub value: Value,
    copy: Option<(Vec<u8>, BytesLike)>,
}

impl Subject {
    /// Errors: `TypeError` when the object is no text, or of the other kind than the pattern.
    pub fn new(vm: &Interpreter, pattern: &Pattern, value: &Value) -> Res<Subject> {
        let is_str = value.downcast::<Str>().is_some();
        if !is_str && !vm.has_buffer(value) {
            let got = vm.type_name(value);
            return Err(vm.type_error(format!("expected string or bytes-like object, got '{got}'")));
        }
        match pattern.is_bytes {
            Some(true) if is_str => {
                let what = "cannot use a bytes pattern on a string-like object";
                return Err(vm.type_error(what.to_string()));
            }
            Some(false) if !is_str => {
                let what = "cannot use a string pattern on a bytes-like object";
                return Err(vm.type_error(what.to_string()));
            }
            _ => {}
        }
        let copy = if is_str || value.downcast::<Bytes>().is_some() {
            None
        } else {
            let like = vm.bytes_like(value)?;
            let copy = vm.copied(&like.bytes())?;
            Some((copy, like))
        };
        Ok(Subject { value: value.clone(), copy })
    }

    pub fn trace(&self, visit: &mut Visitor) {
        visit(&self.value);
        if let Some((_, like)) = &self.copy {
            like.trace(visit);
        }
    }

    fn units(&self) -> Slice<'_> {
        match (&self.copy, self.value.downcast::<Str>(), self.value.downcast::<Bytes>()) {
            (Some((copy, _)), _, _) => Slice::One(copy),
            (_, Some(s), _) => s.text.units(),
            (_, _, Some(bytes)) => Slice::One(bytes.as_slice()),
            _ => Slice::One(&[]),
        }
    }

    /// Number of code points or bytes.
    pub fn len(&self) -> usize {
        match self.units() {
            Slice::One(units) => units.len(),
            Slice::Two(units) => units.len(),
            Slice::Four(units) => units.len(),
        }
    }

    /// `pos` and `endpos` as places.
    pub fn clamp(&self, pos: i64, end: i64) -> (usize, usize) {
        let len = self.len();
        let end = usize::try_from(end).unwrap_or(0).min(len);
        let pos = usize::try_from(pos).unwrap_or(0).min(len);
        (pos, end)
    }

    pub fn run(
        &self,
        vm: &Interpreter,
        matcher: &mut Matcher,
        range: (usize, usize),
        mode: Mode,
        not_empty_at: usize,
    ) -> Res<Option<(usize, usize)>> {
        match self.units() {
            Slice::One(units) => matcher.run(vm, units, range, mode, not_empty_at),
            Slice::Two(units) => matcher.run(vm, units, range, mode, not_empty_at),
            Slice::Four(units) => matcher.run(vm, units, range, mode, not_empty_at),
        }
    }

    /// The part `start..end`.
    pub fn piece(&self, vm: &Interpreter, start: usize, end: usize) -> Res {
        match &self.copy {
            Some((copy, _)) => vm.bytes_from(copy.get(start..end).unwrap_or_default()),
            None => piece(vm, &self.value, start, end),
        }
    }
}

/// A part of a `str` or of what a bytes-like object holds now.
pub fn piece(vm: &Interpreter, value: &Value, start: usize, end: usize) -> Res {
    if let Some(s) = value.downcast::<Str>() {
        if start == 0 && end == s.text.len() && vm.is_exact(value, &vm.types().str) {
            return Ok(value.clone());
        }
        return vm.made_text(s.text.slice(start, end));
    }
    if let Some(bytes) = value.downcast::<Bytes>() {
        if start == 0 && end == bytes.as_slice().len() && vm.is_exact(value, &vm.types().bytes) {
            return Ok(value.clone());
        }
        return vm.bytes_from(bytes.as_slice().get(start..end).unwrap_or_default());
    }
    let like = vm.bytes_like(value)?;
    let bytes = like.bytes();
    let end = end.min(bytes.len());
    let copy = vm.copied(&bytes[start.min(end)..end])?;
    drop(bytes);
    vm.new_bytes(copy)
}

/// `""` or `b""`, as the object has it.
pub fn empty_like(vm: &Interpreter, value: &Value) -> Res {
    if value.downcast::<Str>().is_some() { vm.new_str("") } else { vm.new_bytes(Vec::new()) }
}

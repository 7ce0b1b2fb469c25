//! `str` objects: storage, hashing, interning.

use crate::Res;
use crate::bytes::EMPTY;
use crate::heap::Payload;
use crate::interpreter::Interpreter;
use crate::text::{NoMemory, SHORT, Text};
use crate::value::Value;
use siphasher::sip::SipHasher13;
use std::cell::Cell;
use std::hash::Hasher;

/// Longer than any text that stands in its object.
const TOO_LONG: &str = match std::str::from_utf8(&[b' '; SHORT + 1]) {
    Ok(text) => text,
    Err(_) => "",
};

/// Payload of `str`.
pub struct Str {
    pub text: Text,
    /// -1 until it is asked for: no hash is -1.
    hash: Cell<i64>,
    /// It is the one object of its name; comparing words decides equality with other interned strings.
    pub interned: Cell<bool>,
}

impl Payload for Str {
    const CONTAINER: bool = false;
}

impl Str {
    pub fn new(text: Text) -> Str {
        Str { text, hash: Cell::new(-1), interned: Cell::new(false) }
    }
}

impl Interpreter {
    /// A new `str`. Errors: `MemoryError`.
    pub fn new_str(&self, text: &str) -> Res {
        match Text::from_utf8(text) {
            Ok(text) => self.new_text(text),
            Err(_) => Err(self.no_memory()),
        }
    }

    /// A new `str`; the empty one and those of one code point below 256 are shared. Errors: `MemoryError`.
    pub fn new_text(&self, text: Text) -> Res {
        if text.len() > 1 {
            return self.alloc(&self.types().str, Str::new(text));
        }
        self.new_small_text(text)
    }

    fn new_small_text(&self, text: Text) -> Res {
        let place = match text.get(0) {
            None => EMPTY,
            Some(point @ 0..256) => point as usize,
            _ => return self.alloc(&self.types().str, Str::new(text)),
        };
        if let Some(found) = self.small_strs.get(place) {
            return Ok(found);
        }
        let value = self.alloc(&self.types().str, Str::new(text))?;
        self.small_strs.put(place, &value);
        Ok(value)
    }

    /// A new `str` of a few ASCII characters, two or more, which `fill` appends; `None` when it gives up. They are written where they
    /// stay: a processor waits for what it has just written byte by byte when it is to be copied. Errors: `MemoryError`.
    #[inline]
    fn filled_str(&self, fill: impl FnOnce(&mut Text) -> bool) -> Res<Option<Value>> {
        let mut made = self.alloc(&self.types().str, Str::new(Text::empty()))?;
        let filled = made.unique_payload_mut::<Str>().is_some_and(|s| fill(&mut s.text));
        Ok(filled.then_some(made))
    }

    /// The `str` of a number. Errors: `MemoryError`.
    pub fn str_of_int(&self, number: i64) -> Res {
        let mut buffer = itoa::Buffer::new();
        match buffer.format(number).as_bytes() {
            [digit] => self.str_of_point(u32::from(*digit)),
            digits => match self.filled_str(|text| text.append_short(digits))? {
                Some(made) => Ok(made),
                None => self.new_text(Text::from_int(number)),
            },
        }
    }

    /// `separator.join(parts)`. Errors: `MemoryError`.
    pub fn str_join<'a>(&self, separator: &'a Text, parts: impl Iterator<Item = &'a Text> + Clone) -> Res {
        let mut total = 0usize;
        let mut between = "";
        for part in parts.clone() {
            let Some(ascii) = part.as_ascii().filter(|_| total <= SHORT) else {
                return self.made_text(separator.join(parts));
            };
            total += between.len() + ascii.len();
            // A separator that is no ASCII makes the sum too large.
            between = separator.as_ascii().unwrap_or(TOO_LONG);
        }
        if (2..=SHORT).contains(&total) {
            let bytes = |text: &'a Text| text.as_ascii().map(str::as_bytes).unwrap_or_default();
            let made = self.filled_str(|text| {
                parts.clone().enumerate().all(|(i, part)| {
                    (i == 0 || text.append_short(bytes(separator))) && text.append_short(bytes(part))
                })
            })?;
            if let Some(made) = made {
                return Ok(made);
            }
        }
        self.made_text(separator.join(parts))
    }

    /// `text[start..end]`; the piece must lie in the text. Errors: `MemoryError`.
    #[inline]
    pub fn text_piece(&self, text: &Text, start: usize, end: usize) -> Res {
        let known = match (end.saturating_sub(start), text.get(start)) {
            (0, _) => self.small_strs.get(EMPTY),
            (1, Some(point)) => self.small_strs.get(point as usize).filter(|_| point < 256),
            _ => None,
        };
        if let Some(known) = known {
            return Ok(known);
        }
        if let Some(piece) = text.as_ascii().and_then(|ascii| ascii.as_bytes().get(start..end))
            && (2..=SHORT).contains(&piece.len())
            && let Some(made) = self.filled_str(|text| text.append_short(piece))?
        {
            return Ok(made);
        }
        self.made_text(text.slice(start, end))
    }

    /// The `str` of one code point (below 0x110000). Errors: `MemoryError`.
    #[inline]
    pub fn str_of_point(&self, point: u32) -> Res {
        if point < 256
            && let Some(found) = self.small_strs.get(point as usize)
        {
            return Ok(found);
        }
        self.made_text(Text::from_code_point(point))
    }

    /// A new `str`, or `MemoryError`.
    pub fn made_text(&self, text: Result<Text, NoMemory>) -> Res {
        match text {
            Ok(text) => self.new_text(text),
            Err(NoMemory) => Err(self.no_memory()),
        }
    }

    /// The text of a `str` argument. Errors: `TypeError`.
    pub fn expect_text<'a>(&self, value: &'a Value) -> Res<&'a Text> {
        match value.downcast::<Str>() {
            Some(s) => Ok(&s.text),
            None => Err(self.type_error(format!("expected str instance, {} found", self.type_name(value)))),
        }
    }

    /// The hash of a string: SipHash-1-3 keyed as CPython does it, which gives CPython's numbers for equal seeds;
    /// computed once.
    #[inline]
    pub fn str_hash(&self, s: &Str) -> i64 {
        let known = s.hash.get();
        if known != -1 { known } else { self.compute_str_hash(s) }
    }

    #[cold]
    fn compute_str_hash(&self, s: &Str) -> i64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        s.text.hash_bytes(&mut hasher);
        let hash = match hasher.finish() as i64 {
            _ if s.text.is_empty() => 0,
            -1 => -2,
            hash => hash,
        };
        s.hash.set(hash);
        hash
    }

    /// `left += right`, of exact strings, in place if nobody else holds `left`: a loop of it is linear. False: somebody does.
    /// Errors: `MemoryError`.
    pub fn str_append(&self, left: &mut Value, right: &Str) -> Res<bool> {
        // Shared strings and interned ones have other holders, so a unique one is nobody's key.
        let Some(s) = left.unique_payload_mut::<Str>().filter(|s| !s.interned.get()) else {
            return Ok(false);
        };
        s.hash.set(-1);
        s.text.append(&right.text).map_err(|NoMemory| self.no_memory())?;
        Ok(true)
    }

    /// `left + right` of exact strings. Errors: `MemoryError`.
    pub fn str_concat(&self, left: &Value, right: &Value) -> Res {
        match (left.downcast::<Str>(), right.downcast::<Str>()) {
            (Some(_), Some(r)) if r.text.is_empty() => Ok(left.clone()),
            (Some(l), Some(_)) if l.text.is_empty() => Ok(right.clone()),
            (Some(l), Some(r)) => {
                if let (Some(a), Some(b)) = (l.text.as_ascii(), r.text.as_ascii())
                    && a.len() + b.len() <= SHORT
                    && let Some(made) = self.filled_str(|text| {
                        text.append_short(a.as_bytes()) && text.append_short(b.as_bytes())
                    })?
                {
                    return Ok(made);
                }
                self.made_text(l.text.concat(&r.text))
            }
            _ => Err(self.bug("concatenation of no str")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_seed_0_hashes_are_those_of_cpython() {
        let vm = Interpreter::new().expect("memory");
        for (text, expected) in HASHES {
            let value = vm.new_str(text).expect("str");
            assert_eq!(vm.hash(&value), Ok(expected), "{text:?}");
        }
    }

    /// Printed by CPython 3.13 with PYTHONHASHSEED=0.
    const HASHES: [(&str, i64); 5] = [
        ("abc", -4_594_863_902_769_663_758),
        ("añ", 5_410_408_504_109_440_236),
        ("€", -5_529_981_157_763_016_009),
        ("\u{1f600}", -3_536_540_696_076_613_844),
        ("", 0),
    ];
}

//! `str` objects: storage, hashing, interning.

use crate::Res;
use crate::heap::Payload;
use crate::interpreter::Interpreter;
use crate::text::Text;
use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Payload of `str`.
pub struct Str {
    pub text: Text,
    hash: Cell<Option<i64>>,
    /// It is the one object of its name; comparing words decides equality with other interned strings.
    pub interned: Cell<bool>,
}

impl Payload for Str {
    const CONTAINER: bool = false;
}

impl Str {
    pub fn new(text: Text) -> Str {
        Str { text, hash: Cell::new(None), interned: Cell::new(false) }
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

    pub fn new_text(&self, text: Text) -> Res {
        self.alloc(&self.types().str, Str::new(text))
    }

    /// The hash of a string: SipHash-1-3 keyed by the interpreter's seed; computed once.
    #[inline]
    pub fn str_hash(&self, s: &Str) -> i64 {
        s.hash.get().unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            self.hash_seed.get().hash(&mut hasher);
            s.text.hash(&mut hasher);
            let hash = hasher.finish() as i64;
            let hash = if hash == -1 { -2 } else { hash };
            s.hash.set(Some(hash));
            hash
        })
    }
}

//! Floats that do not fit the word.

use crate::Res;
use crate::heap::Payload;
use crate::interpreter::Interpreter;
use crate::value::Value;

/// Payload of `float` objects on the heap (and of subclasses of `float`).
pub struct Float(pub f64);

impl Payload for Float {
    const CONTAINER: bool = false;
}

impl Interpreter {
    #[inline]
    pub fn new_float(&self, f: f64) -> Res {
        match Value::small_float(f) {
            Some(value) => Ok(value),
            None => self.alloc(&self.types().float, Float(f)),
        }
    }
}

impl Value {
    /// The number, if this is a `float` (or a subclass instance).
    #[inline]
    pub fn as_float(&self) -> Option<f64> {
        self.as_small_float().or_else(|| self.downcast::<Float>().map(|f| f.0))
    }
}

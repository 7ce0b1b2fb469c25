//! Ints: small ones live in the word, others hold an `IBig`. A `bool` is an int.

use crate::Res;
use crate::heap::Payload;
use crate::interpreter::Interpreter;
use crate::value::Value;
pub use dashu_int::{IBig, UBig};
use std::borrow::Cow;

/// Payload of `int` objects on the heap: ints of more than 63 bits, and instances of subclasses.
pub struct Int(pub IBig);

impl Payload for Int {
    const CONTAINER: bool = false;
}

/// An int as Rust code computes with it.
pub enum IntRef<'a> {
    Small(i64),
    Big(&'a IBig),
}

impl IntRef<'_> {
    /// The number as an `IBig`, borrowed when it is one.
    #[inline]
    pub fn big(&self) -> Cow<'_, IBig> {
        match self {
            IntRef::Small(i) => Cow::Owned(IBig::from(*i)),
            IntRef::Big(b) => Cow::Borrowed(b),
        }
    }
    pub fn is_zero(&self) -> bool {
        matches!(self, IntRef::Small(0))
    }
    pub fn is_negative(&self) -> bool {
        match self {
            IntRef::Small(i) => *i < 0,
            IntRef::Big(b) => **b < IBig::ZERO,
        }
    }
    pub fn to_big(&self) -> IBig {
        match self {
            IntRef::Small(i) => IBig::from(*i),
            IntRef::Big(b) => (*b).clone(),
        }
    }
}

impl Value {
    /// The int (or bool, or subclass instance) as a number.
    #[inline]
    pub fn as_int(&self) -> Option<IntRef<'_>> {
        if let Some(i) = self.as_small_int() {
            return Some(IntRef::Small(i));
        }
        if self.is_bool() {
            return Some(IntRef::Small(i64::from(self.is_true())));
        }
        let int = self.downcast::<Int>()?;
        Some(i64::try_from(&int.0).map_or(IntRef::Big(&int.0), IntRef::Small))
    }
}

/// Ints of more bits than this are not made.
const MOST_BITS: u128 = 1 << 33;

/// Ints of fewer bits are made without a question.
const FEW_BITS: u128 = 1 << 19;

/// How many times the memory of its result an operation on ints may need.
#[derive(Clone, Copy)]
pub enum Work {
    /// Additions, shifts.
    Little = 2,
    /// Multiplications and what is made of them: the fast algorithms spread their numbers out.
    Much = 16,
}

impl Interpreter {
    /// To be asked before an int of so many bits is computed. Errors: `MemoryError`.
    #[inline]
    pub fn expect_bits(&self, bits: u128, work: Work) -> Res<()> {
        match bits {
            ..FEW_BITS => Ok(()),
            FEW_BITS..=MOST_BITS => self.expect_room(bits as usize / 8 * work as usize),
            _ => Err(self.no_memory()),
        }
    }

    #[inline]
    pub fn new_int(&self, i: i64) -> Res {
        match Value::small_int(i) {
            Some(value) => Ok(value),
            None => self.alloc(&self.types().int, Int(IBig::from(i))),
        }
    }

    /// An int of any size, in the word when it fits.
    pub fn new_big(&self, big: IBig) -> Res {
        match i64::try_from(&big).ok().and_then(Value::small_int) {
            Some(value) => Ok(value),
            None => self.alloc(&self.types().int, Int(big)),
        }
    }

    /// The int as `i64`, `None` when it is no int or too big.
    pub fn as_i64(&self, value: &Value) -> Option<i64> {
        match value.as_int()? {
            IntRef::Small(i) => Some(i),
            IntRef::Big(_) => None,
        }
    }
}

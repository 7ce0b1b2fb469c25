//! The value word: one 64-bit tagged word that is any Python value.
//!
//! | low bits | meaning |
//! |---|---|
//! | `xxx1`  | small int, 63 bits, two's complement, shifted left by one |
//! | `xx10`  | common float: exponent rotated into the low bits (the "flonum" of CRuby, `rb_float_new_inline`) |
//! | `x100`  | `None`, `False`, `True`, `Ellipsis`, `NotImplemented`, unbound |
//! | `x000`  | pointer to a heap object that starts with a [`Header`](pellucid_memory::Header) |
//!
//! A `Value` owns one reference: `Clone` counts up, `Drop` counts down and destroys at zero. Neither touches
//! memory for ints, common floats and singletons. The word is never 0, so `Option<Value>` and
//! [`Res`](crate::Res) are one word as well.

use crate::heap;
use pellucid_memory::Header;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::ptr::NonNull;

/// Any Python value, owned. One word; see the module's text for the encoding.
#[repr(transparent)]
pub struct Value(NonZeroU64, PhantomData<*const ()>);

// The interpreter's registers, caches and machine code all assume one word.
const _: () = assert!(size_of::<Option<Value>>() == 8);

const NONE: u64 = 0x04;
const FALSE: u64 = 0x0c;
const TRUE: u64 = 0x14;
const ELLIPSIS: u64 = 0x1c;
const NOT_IMPLEMENTED: u64 = 0x24;
const UNBOUND: u64 = 0x2c;
const FLOAT_ZERO: u64 = 0x8000_0000_0000_0002;
/// A float's sign in its word.
const SIGN: u64 = 4;

/// Least int held in the word.
pub const SMALL_INT_MIN: i64 = -(1 << 62);
/// Greatest int held in the word.
pub const SMALL_INT_MAX: i64 = (1 << 62) - 1;

impl Value {
    pub const NONE: Value = Value::word(NONE);
    pub const FALSE: Value = Value::word(FALSE);
    pub const TRUE: Value = Value::word(TRUE);
    pub const ELLIPSIS: Value = Value::word(ELLIPSIS);
    pub const NOT_IMPLEMENTED: Value = Value::word(NOT_IMPLEMENTED);
    /// What a register holds before its variable is assigned; never visible to Python code.
    pub const UNBOUND: Value = Value::word(UNBOUND);

    #[inline(always)]
    const fn word(bits: u64) -> Value {
        match NonZeroU64::new(bits) {
            Some(bits) => Value(bits, PhantomData),
            None => panic!("a value word is never 0"),
        }
    }

    /// The word itself, for hashing by identity, caches and `id()`.
    #[inline(always)]
    pub fn bits(&self) -> u64 {
        self.0.get()
    }

    /// Gives up ownership: the caller owes one [`Value::from_bits`].
    #[inline(always)]
    pub fn into_bits(self) -> u64 {
        ManuallyDrop::new(self).0.get()
    }

    /// Takes over the reference that `bits` owns.
    ///
    /// # Safety
    /// `bits` came from [`Value::into_bits`] and is taken back once.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Value {
        // SAFETY: words that come from a `Value` are not 0.
        Value(unsafe { NonZeroU64::new_unchecked(bits) }, PhantomData)
    }

    /// A value seen through a word that somebody else owns.
    ///
    /// # Safety
    /// `bits` holds a live value for as long as the result is used.
    #[inline(always)]
    pub unsafe fn borrow_bits(bits: &u64) -> &Value {
        // SAFETY: `Value` is a transparent wrapper of a non-zero word.
        unsafe { &*(bits as *const u64 as *const Value) }
    }

    /// `None`, borrowed for ever.
    pub fn none_ref() -> &'static Value {
        // SAFETY: the singleton lives in the word, so there is nothing to keep alive.
        unsafe { Value::borrow_bits(&NONE) }
    }

    #[inline(always)]
    pub fn bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// The int as a word, or `None` when it needs a heap object.
    #[inline(always)]
    pub fn small_int(i: i64) -> Option<Value> {
        if (SMALL_INT_MIN..=SMALL_INT_MAX).contains(&i) {
            // SAFETY: an odd word is a small int, which owns nothing.
            Some(unsafe { Value::from_bits((i << 1) as u64 | 1) })
        } else {
            None
        }
    }

    #[inline(always)]
    pub fn is_small_int(&self) -> bool {
        self.bits() & 1 != 0
    }

    #[inline(always)]
    pub fn as_small_int(&self) -> Option<i64> {
        if self.is_small_int() { Some(self.bits() as i64 >> 1) } else { None }
    }

    /// The float as a word, or `None` when its exponent needs a heap object.
    #[inline(always)]
    pub fn small_float(f: f64) -> Option<Value> {
        // The three bits behind the sign are 011 or 100 in a common float. Rotated, the last of them comes to the top and the
        // others to the bottom, which reads 10 in either case once the top bit was added.
        let rotated = f.to_bits().rotate_left(3);
        let word = rotated.wrapping_add(rotated >> 63);
        if word & 3 == 2 && word & !SIGN != FLOAT_ZERO {
            // SAFETY: a word that ends so is a float, which owns nothing.
            Some(unsafe { Value::from_bits(word) })
        } else if rotated & !SIGN == 0 {
            Some(Value::word(FLOAT_ZERO | rotated))
        } else {
            None
        }
    }

    #[inline(always)]
    pub fn is_small_float(&self) -> bool {
        self.bits() & 3 == 2
    }

    #[inline(always)]
    pub fn as_small_float(&self) -> Option<f64> {
        let word = self.bits();
        if word & 3 != 2 {
            None
        } else if word & !SIGN == FLOAT_ZERO {
            Some(f64::from_bits((word & SIGN) << 61))
        } else {
            Some(f64::from_bits((word - (word >> 63)).rotate_right(3)))
        }
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.bits() == NONE
    }

    #[inline(always)]
    pub fn is_true(&self) -> bool {
        self.bits() == TRUE
    }

    #[inline(always)]
    pub fn is_bool(&self) -> bool {
        self.bits() == TRUE || self.bits() == FALSE
    }

    #[inline(always)]
    pub fn is_not_implemented(&self) -> bool {
        self.bits() == NOT_IMPLEMENTED
    }

    #[inline(always)]
    pub fn is_ellipsis(&self) -> bool {
        self.bits() == ELLIPSIS
    }

    #[inline(always)]
    pub fn is_unbound(&self) -> bool {
        self.bits() == UNBOUND
    }

    /// `a is b`. Equal small ints and floats are the same word, hence identical.
    #[inline(always)]
    pub fn is(&self, other: &Value) -> bool {
        self.bits() == other.bits()
    }

    #[inline(always)]
    pub fn is_heap(&self) -> bool {
        self.bits() & 7 == 0
    }

    /// The heap object, if this is one.
    #[inline(always)]
    pub fn header(&self) -> Option<&Header> {
        // SAFETY: a word with clear low bits points to a live header while `self` owns a reference.
        if self.is_heap() { Some(unsafe { &*(self.bits() as *const Header) }) } else { None }
    }

    /// An owned value for a pointer whose reference is handed over.
    ///
    /// # Safety
    /// `object` is a live heap object and its caller owns one reference, which it gives up.
    #[inline(always)]
    pub unsafe fn from_header(object: NonNull<Header>) -> Value {
        // SAFETY: a pointer to an object is the word of the object; the rest by the contract.
        unsafe { Value::from_bits(object.as_ptr() as u64) }
    }

    /// `None` for the unbound word, else the value.
    #[inline(always)]
    pub fn bound(self) -> Option<Value> {
        if self.is_unbound() { None } else { Some(self) }
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if let Some(header) = self.header() {
            header.refcount.set(header.refcount.get().wrapping_add(1));
        }
        Value(self.0, PhantomData)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(header) = self.header() {
            let count = header.refcount.get().wrapping_sub(1);
            header.refcount.set(count);
            if count == 0 {
                std::hint::cold_path();
                // SAFETY: the last reference is gone, nobody can reach the object any more.
                unsafe { heap::destroy(NonNull::from(header)) }
            }
        }
    }
}

/// The word: showing more would need the interpreter.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.as_small_int(), self.as_small_float()) {
            (Some(i), _) => write!(f, "Value({i})"),
            (_, Some(x)) => write!(f, "Value({x:?})"),
            _ => write!(f, "Value({:#x})", self.bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_round_trip_within_63_bits() {
        for i in [0, 1, -1, 42, SMALL_INT_MIN, SMALL_INT_MAX] {
            assert_eq!(Value::small_int(i).and_then(|v| v.as_small_int()), Some(i));
        }
        assert!(Value::small_int(SMALL_INT_MAX + 1).is_none());
        assert!(Value::small_int(SMALL_INT_MIN - 1).is_none());
    }

    #[test]
    fn common_floats_live_in_the_word() {
        for f in [0.0, 1.0, -1.0, 0.1, 1e76, -3.5e-70, std::f64::consts::PI] {
            assert_eq!(Value::small_float(f).and_then(|v| v.as_small_float()), Some(f), "{f}");
        }
        let negative = Value::small_float(-0.0).and_then(|v| v.as_small_float());
        assert!(negative.is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
        let taken = f64::from_bits(0x3000_0000_0000_0000);
        for f in [f64::INFINITY, f64::NAN, 1e300, 5e-324, taken, -taken] {
            assert!(Value::small_float(f).is_none(), "{f}");
        }
    }
}

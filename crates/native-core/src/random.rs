//! The module `_random`: the Mersenne Twister MT19937.

use dashu_int::UBig;
use dashu_int::ops::UnsignedAbs;
use pellucid_object::int::IBig;
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Slot, Tuple, TypeDef,
    TypeFlags, Value, payload,
};
use std::cell::RefCell;

const N: usize = 624;
const M: usize = 397;

/// State of the generator.
pub struct Twister {
    words: Box<[u32; N]>,
    /// Words used up.
    at: usize,
}

impl Twister {
    fn from_word(seed: u32) -> Twister {
        let mut words = Box::new([0u32; N]);
        words[0] = seed;
        for i in 1..N {
            let before = words[i - 1];
            words[i] = 1_812_433_253u32.wrapping_mul(before ^ before >> 30).wrapping_add(i as u32);
        }
        Twister { words, at: N }
    }

    /// Seeds from any number of words.
    pub fn from_key(key: &[u32]) -> Twister {
        let mut state = Twister::from_word(19_650_218);
        let words = &mut state.words;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let before = words[i - 1];
            words[i] = (words[i] ^ (before ^ before >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                words[0] = words[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let before = words[i - 1];
            words[i] =
                (words[i] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                words[0] = words[N - 1];
                i = 1;
            }
        }
        words[0] = 0x8000_0000;
        state
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        if self.at >= N {
            self.refill();
        }
        let mut y = self.words[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn refill(&mut self) {
        let words = &mut self.words;
        for k in 0..N {
            let y = words[k] & 0x8000_0000 | words[(k + 1) % N] & 0x7fff_ffff;
            let twist = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            words[k] = words[(k + M) % N] ^ y >> 1 ^ twist;
        }
        self.at = 0;
    }

    /// A float in [0, 1) with 53 random bits.
    pub fn float(&mut self) -> f64 {
        let (a, b) = (self.word() >> 5, self.word() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// Payload of `_random.Random`.
struct Random(RefCell<Twister>);

impl Payload for Random {
    const CONTAINER: bool = false;
}

fn generator<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a RefCell<Twister>> {
    match this.downcast::<Random>() {
        Some(random) => Ok(&random.0),
        None => Err(vm.bug("no generator")),
    }
}

/// A generator for a seed: the absolute value of an int, the hash of anything else, random without one.
fn seeded(vm: &Interpreter, seed: Option<&Value>) -> Res<Twister> {
    let Some(seed) = seed.filter(|s| !s.is_none()) else {
        let mut bytes = [0u8; 4 * 8];
        if vm.host().random(&mut bytes).is_err() {
            // Without the right to random bytes, time and address must do.
            let mixed = vm as *const Interpreter as u64 ^ vm.hash_key.0;
            bytes[..8].copy_from_slice(&mixed.to_le_bytes());
        }
        let key: Vec<u32> =
            bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        return Ok(Twister::from_key(&key));
    };
    let magnitude = match seed.as_int() {
        Some(int) => int.to_big().unsigned_abs(),
        None => UBig::from(vm.hash(seed)? as u64),
    };
    let mut key: Vec<u32> = magnitude
        .to_le_bytes()
        .chunks(4)
        .map(|b| b.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        .collect();
    if key.is_empty() {
        key.push(0);
    }
    Ok(Twister::from_key(&key))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let exact = vm.type_for(&RANDOM)?.value().is(cls);
    if exact && !args.names.is_empty() {
        return Err(vm.type_error("Random() takes no keyword arguments".to_string()));
    }
    let given = args.positional();
    if exact && given.len() > 1 {
        let n = given.len();
        return Err(vm.type_error(format!("Random expected at most 1 argument, got {n}")));
    }
    // A subclass seeds in its `__init__`.
    let state = if exact { seeded(vm, given.first())? } else { Twister::from_word(5489) };
    vm.alloc_subclass(cls, Random(RefCell::new(state)))
}

/// Arguments were looked at by [`new`]; subclasses that keep this `__init__` are seeded here.
fn init(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res<()> {
    if !vm.is_exact(this, &vm.type_for(&RANDOM)?) {
        let state = seeded(vm, args.positional().first())?;
        generator(vm, this)?.replace(state);
    }
    Ok(())
}

fn seed(vm: &Interpreter, args: &Args) -> Res {
    let state = seeded(vm, args.get(1))?;
    generator(vm, args.req(0))?.replace(state);
    Ok(Value::NONE)
}

fn random(vm: &Interpreter, this: &Value) -> Res {
    let f = generator(vm, this)?.borrow_mut().float();
    vm.new_float(f)
}

fn getrandbits(vm: &Interpreter, this: &Value, count: &Value) -> Res {
    let index = vm.index(count)?;
    let Some(count) = vm.as_i64(&index) else {
        return Err(vm.overflow_error("Python int too large to convert to C int".to_string()));
    };
    let Ok(mut left) = usize::try_from(count) else {
        return Err(vm.value_error("number of bits must be non-negative".to_string()));
    };
    let mut state = generator(vm, this)?.borrow_mut();
    if left == 0 {
        return vm.new_int(0);
    }
    if left <= 32 {
        return vm.new_int(i64::from(state.word() >> (32 - left)));
    }
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(left / 8 + 4).is_err() {
        drop(state);
        return Err(vm.no_memory());
    }
    while left > 0 {
        let mut word = state.word();
        if left < 32 {
            word >>= 32 - left;
        }
        bytes.extend_from_slice(&word.to_le_bytes());
        left = left.saturating_sub(32);
    }
    drop(state);
    vm.new_big(IBig::from(UBig::from_le_bytes(&bytes)))
}

fn getstate(vm: &Interpreter, this: &Value) -> Res {
    let state = generator(vm, this)?.borrow();
    let words = state.words.iter().map(|w| i64::from(*w)).chain([state.at as i64]);
    let items = words.map(|w| vm.new_int(w)).collect::<Res<Vec<Value>>>()?;
    drop(state);
    vm.new_tuple(items)
}

fn setstate(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    let Some(items) = state.downcast::<Tuple>().map(Tuple::items) else {
        return Err(vm.type_error("state vector must be a tuple".to_string()));
    };
    if items.len() != N + 1 {
        return Err(vm.value_error("state vector is the wrong size".to_string()));
    }
    let mut words = Box::new([0u32; N]);
    for (word, item) in words.iter_mut().zip(&items) {
        let Some(int) = item.as_int() else {
            let got = vm.type_name(item);
            return Err(vm.type_error(format!("expected an int, not {got}")));
        };
        if int.is_negative() {
            return Err(vm.overflow_error("can't convert negative value to unsigned int".to_string()));
        }
        let Some(value) = vm.as_i64(item) else {
            return Err(vm.overflow_error("Python int too large to convert to C unsigned long".to_string()));
        };
        *word = value as u32;
    }
    let at = vm.expect_i64(&items[N])?;
    let Some(at) = usize::try_from(at).ok().filter(|at| *at <= N) else {
        return Err(vm.value_error("invalid state".to_string()));
    };
    generator(vm, this)?.replace(Twister { words, at });
    Ok(Value::NONE)
}

pub static RANDOM: TypeDef = TypeDef {
    name: "Random",
    module: "_random",
    base: None,
    payload: payload::<Random>(),
    flags: TypeFlags::BASETYPE,
    doc: "Random() -> create a random number generator with its own internal state.",
    slots: &[Slot::New(new), Slot::Init(init)],
    methods: &[
        FunctionDef::new(
            "random",
            "($self, /)",
            "random() -> x in the interval [0, 1).",
            NativeFn::F1(random),
        ),
        FunctionDef::new(
            "seed",
            "($self, n=None, /)",
            "seed([n]) -> None.\n\nDefaults to use urandom and falls back to a combination\nof the current time and the process \
             identifier.",
            NativeFn::Args(seed),
        ),
        FunctionDef::new(
            "getstate",
            "($self, /)",
            "getstate() -> tuple containing the current state.",
            NativeFn::F1(getstate),
        ),
        FunctionDef::new(
            "setstate",
            "($self, state, /)",
            "setstate(state) -> None.  Restores generator state.",
            NativeFn::F2(setstate),
        ),
        FunctionDef::new(
            "getrandbits",
            "($self, k, /)",
            "getrandbits(k) -> x.  Generates an int with k random bits.",
            NativeFn::F2(getrandbits),
        ),
    ],
    getset: &[],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_random",
    doc: "Module implements the Mersenne Twister random number generator.",
    functions: &[],
    types: &[&RANDOM],
    constants: &[],
    init: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sequence() {
        // First outputs of mt19937ar for the key {0x123, 0x234, 0x345, 0x456}.
        let mut state = Twister::from_key(&[0x123, 0x234, 0x345, 0x456]);
        let first: Vec<u32> = (0..4).map(|_| state.word()).collect();
        assert_eq!(first, [1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783]);
    }
}

//! The builtin functions of numbers: `abs`, `bin`, `divmod`, `hex`, `oct`, `pow`, `round`, `sum`.

use crate::complex;
use crate::format::numbers::prefixed;
use pellucid_object::int::IntRef;
use pellucid_object::{Args, BinOp, FunctionDef, Interpreter, NativeFn, Res, Str, UnOp, Value};

fn round(vm: &Interpreter, args: &Args) -> Res {
    let value = args.req(0);
    let Some(method) = vm.lookup_special(value, "__round__")? else {
        let name = vm.type_name(value);
        return Err(vm.type_error(format!("type {name} doesn't define __round__ method")));
    };
    match args.some(1) {
        None => vm.call_descriptor(&method, value, &[]),
        Some(digits) => vm.call_descriptor(&method, value, std::slice::from_ref(digits)),
    }
}

fn pow(vm: &Interpreter, args: &Args) -> Res {
    vm.power(args.req(0), args.req(1), args.some(2).unwrap_or(&Value::NONE))
}

/// A sum of floats with the error carried along (Neumaier's algorithm).
#[derive(Clone, Copy)]
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn new(start: f64) -> Compensated {
        Compensated { high: start, low: 0.0 }
    }
    fn add(&mut self, x: f64) {
        let total = self.high + x;
        self.low +=
            if self.high.abs() >= x.abs() { (self.high - total) + x } else { (x - total) + self.high };
        self.high = total;
    }
    fn total(self) -> f64 {
        if self.low != 0.0 && self.low.is_finite() { self.high + self.low } else { self.high }
    }
}

/// How a running sum is held.
enum Sum {
    Int(i64),
    Float(Compensated),
    Complex(Compensated, Compensated),
    Any(Value),
}

impl Sum {
    /// Adds an item in the word of the sum's own type; false when it is none.
    fn add_quick(&mut self, item: &Value) -> bool {
        match (self, item.as_small_int(), item.as_small_float()) {
            (Sum::Int(total), Some(item), _) => match total.checked_add(item) {
                Some(sum) => {
                    *total = sum;
                    true
                }
                None => false,
            },
            (Sum::Float(total), _, Some(item)) => {
                total.add(item);
                true
            }
            _ => false,
        }
    }
    fn start(vm: &Interpreter, value: &Value) -> Sum {
        match value.as_small_int() {
            Some(i) => Sum::Int(i),
            None => Sum::of(vm, value.clone()),
        }
    }
    fn of(vm: &Interpreter, value: Value) -> Sum {
        if let Some(f) = value.as_float().filter(|_| vm.is_exact(&value, &vm.types().float)) {
            return Sum::Float(Compensated::new(f));
        }
        match complex::parts(&value) {
            Some((re, im)) if is_exact_complex(vm, &value) => {
                Sum::Complex(Compensated::new(re), Compensated::new(im))
            }
            _ => Sum::Any(value),
        }
    }
    fn value(self, vm: &Interpreter) -> Res {
        match self {
            Sum::Int(i) => vm.new_int(i),
            Sum::Float(sum) => vm.new_float(sum.total()),
            Sum::Complex(re, im) => complex::new_complex(vm, re.total(), im.total()),
            Sum::Any(value) => Ok(value),
        }
    }
    /// Adds an item; what does not fit the way the sum is held goes through `+`.
    fn add(self, vm: &Interpreter, item: &Value) -> Res<Sum> {
        let small = |item: &Value| match item.as_int() {
            Some(IntRef::Small(i)) => Some(i),
            _ => None,
        };
        let float = |item: &Value| item.as_float().filter(|_| vm.is_exact(item, &vm.types().float));
        match self {
            Sum::Int(sum) => {
                let exact = item.is_small_int() || item.is_bool() || vm.is_exact(item, &vm.types().int);
                if exact
                    && let Some(i) = small(item)
                    && let Some(total) = sum.checked_add(i)
                {
                    return Ok(Sum::Int(total));
                }
                Ok(Sum::of(vm, vm.binary(BinOp::Add, &vm.new_int(sum)?, item)?))
            }
            Sum::Float(mut sum) => {
                if let Some(f) = float(item).or_else(|| small(item).map(|i| i as f64)) {
                    sum.add(f);
                    return Ok(Sum::Float(sum));
                }
                Ok(Sum::of(vm, vm.binary(BinOp::Add, &vm.new_float(sum.total())?, item)?))
            }
            Sum::Complex(mut re, mut im) => {
                if let Some((x, y)) = complex::parts(item).filter(|_| is_exact_complex(vm, item)) {
                    re.add(x);
                    im.add(y);
                    return Ok(Sum::Complex(re, im));
                }
                if let Some(f) = float(item).or_else(|| small(item).map(|i| i as f64)) {
                    re.add(f);
                    return Ok(Sum::Complex(re, im));
                }
                let sum = complex::new_complex(vm, re.total(), im.total())?;
                Ok(Sum::of(vm, vm.binary(BinOp::Add, &sum, item)?))
            }
            Sum::Any(sum) => Ok(Sum::Any(vm.binary(BinOp::Add, &sum, item)?)),
        }
    }
}

fn is_exact_complex(vm: &Interpreter, value: &Value) -> bool {
    vm.type_for(&complex::COMPLEX).is_ok_and(|ty| vm.is_exact(value, &ty))
}

fn sum(vm: &Interpreter, args: &Args) -> Res {
    let iterator = vm.iter(args.req(0))?;
    let start = match args.get(1) {
        None => vm.new_int(0)?,
        Some(start) => start.clone(),
    };
    let refused = if start.downcast::<Str>().is_some() {
        Some("strings [use ''.join(seq) instead]")
    } else if vm.is_instance(&start, &vm.types().bytes) {
        Some("bytes [use b''.join(seq) instead]")
    } else if vm.is_instance(&start, &vm.types().bytearray) {
        Some("bytearray [use b''.join(seq) instead]")
    } else {
        None
    };
    if let Some(what) = refused {
        return Err(vm.type_error(format!("sum() can't sum {what}")));
    }
    let mut sum = Sum::start(vm, &start);
    loop {
        let mut quick = |item: Value| Ok(if sum.add_quick(&item) { None } else { Some(item) });
        let Some(item) = vm.drain(&iterator, &mut quick)? else { break };
        sum = sum.add(vm, &item)?;
    }
    sum.value(vm)
}

/// The functions, for the module `builtins`.
pub static FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "abs",
        "(number, /)",
        "Return the absolute value of the argument.",
        NativeFn::F1(|vm, value| vm.unary(UnOp::Abs, value)),
    ),
    FunctionDef::new(
        "bin",
        "(number, /)",
        "Return the binary representation of an integer.\n\n   >>> bin(2796202)\n   '0b1010101010101010101010'",
        NativeFn::F1(|vm, value| prefixed(vm, value, 2, "0b")),
    ),
    FunctionDef::new(
        "divmod",
        "(x, y, /)",
        "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.",
        NativeFn::F2(|vm, x, y| vm.binary(BinOp::DivMod, x, y)),
    ),
    FunctionDef::new(
        "hex",
        "(number, /)",
        "Return the hexadecimal representation of an integer.\n\n   >>> hex(12648430)\n   '0xc0ffee'",
        NativeFn::F1(|vm, value| prefixed(vm, value, 16, "0x")),
    ),
    FunctionDef::new(
        "oct",
        "(number, /)",
        "Return the octal representation of an integer.\n\n   >>> oct(342391)\n   '0o1234567'",
        NativeFn::F1(|vm, value| prefixed(vm, value, 8, "0o")),
    ),
    FunctionDef::new(
        "pow",
        "(base, exp, mod=None)",
        "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.",
        NativeFn::Args(pow),
    ),
    FunctionDef::new(
        "round",
        "(number, ndigits=None)",
        "Round a number to a given precision in decimal digits.\n\nThe return value is an integer if ndigits is omitted or \
         None.  Otherwise\nthe return value has the same type as the number.  ndigits may be negative.",
        NativeFn::Args(round),
    ),
    FunctionDef::new(
        "sum",
        "(iterable, /, start=0)",
        "Return the sum of a 'start' value (default: 0) plus an iterable of numbers",
        NativeFn::Args(sum),
    ),
];

//! Functions of ints: divisors, roots, products, ways to choose.

use dashu_int::UBig;
use dashu_int::ops::{BitTest, Gcd, SquareRoot, UnsignedAbs};
use pellucid_object::int::{IBig, IntRef, Work};
use pellucid_object::{Args, Interpreter, Res, Tuple, Value};
use pellucid_types::number::to_big;

fn arguments(args: &Args) -> Vec<Value> {
    args.req(0).downcast::<Tuple>().map(Tuple::items).unwrap_or_default()
}

fn small_gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn natural(value: &IBig) -> UBig {
    value.unsigned_abs()
}

fn big_gcd(a: &UBig, b: &UBig) -> UBig {
    match (a.is_zero(), b.is_zero()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => Gcd::gcd(a, b),
    }
}

/// `math.gcd(*integers)`.
pub fn gcd(vm: &Interpreter, args: &Args) -> Res {
    let mut small = 0u64;
    let mut big: Option<UBig> = None;
    for value in arguments(args) {
        let index = vm.index(&value)?;
        match (index.as_int(), &mut big) {
            (Some(IntRef::Small(i)), None) => small = small_gcd(small, i.unsigned_abs()),
            (Some(int), big) => {
                let other = natural(&int.to_big());
                *big = Some(big_gcd(&big.take().unwrap_or_else(|| UBig::from(small)), &other));
            }
            (None, _) => return Err(vm.bug("an index is an int")),
        }
    }
    match big {
        Some(big) => vm.new_big(IBig::from(big)),
        None => vm.new_big(IBig::from(small)),
    }
}

/// `math.lcm(*integers)`.
pub fn lcm(vm: &Interpreter, args: &Args) -> Res {
    let mut result = UBig::from(1u8);
    for value in arguments(args) {
        let other = natural(&to_big(vm, &value)?);
        if result.is_zero() || other.is_zero() {
            result = UBig::from(0u8);
            continue;
        }
        let divisor = Gcd::gcd(&result, &other);
        result = result / divisor * other;
    }
    vm.new_big(IBig::from(result))
}

/// `math.isqrt(n)`.
pub fn isqrt(vm: &Interpreter, value: &Value) -> Res {
    let n = to_big(vm, value)?;
    if n < IBig::ZERO {
        return Err(vm.value_error("isqrt() argument must be nonnegative".to_string()));
    }
    vm.new_big(IBig::from(natural(&n).sqrt()))
}

/// The product of `from..=to`, by halves so that factors are about as long as each other.
fn range_product(vm: &Interpreter, from: u64, to: u64) -> Res<UBig> {
    if from > to {
        return Ok(UBig::from(1u8));
    }
    if to - from < 8 {
        return Ok((from..=to).fold(UBig::from(1u8), |product, i| product * UBig::from(i)));
    }
    vm.poll()?;
    vm.expect_bits(u128::from(to - from).saturating_mul(u128::from(from.max(2).ilog2())), Work::Much)?;
    let middle = from + (to - from) / 2;
    Ok(range_product(vm, from, middle)? * range_product(vm, middle + 1, to)?)
}

/// `math.factorial(n)`.
pub fn factorial(vm: &Interpreter, value: &Value) -> Res {
    let n = to_big(vm, value)?;
    if n < IBig::ZERO {
        return Err(vm.value_error("factorial() not defined for negative values".to_string()));
    }
    let Some(n) = i64::try_from(&n).ok().map(i64::unsigned_abs) else {
        return Err(vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX)));
    };
    let product = range_product(vm, 2, n)?;
    vm.new_big(IBig::from(product))
}

/// Both arguments of `perm` and `comb`, not negative.
fn pair(vm: &Interpreter, n: &Value, k: &Value) -> Res<(UBig, UBig)> {
    let (n, k) = (to_big(vm, n)?, to_big(vm, k)?);
    for (value, name) in [(&n, "n"), (&k, "k")] {
        if *value < IBig::ZERO {
            return Err(vm.value_error(format!("{name} must be a non-negative integer")));
        }
    }
    Ok((natural(&n), natural(&k)))
}

/// `n (n-1) ... (n-k+1)`.
fn falling(vm: &Interpreter, n: &UBig, k: u64) -> Res<UBig> {
    if let Ok(n) = u64::try_from(n) {
        return range_product(vm, n - k + 1, n);
    }
    match k {
        0 => Ok(UBig::from(1u8)),
        1 => Ok(n.clone()),
        _ => {
            vm.poll()?;
            vm.expect_bits(u128::from(k).saturating_mul(n.bit_len() as u128), Work::Much)?;
            let half = k / 2;
            Ok(falling(vm, n, half)? * falling(vm, &(n - UBig::from(half)), k - half)?)
        }
    }
}

/// `math.perm(n, k=None)`.
pub fn perm(vm: &Interpreter, args: &Args) -> Res {
    let Some(k) = args.some(1) else { return factorial(vm, args.req(0)) };
    let (n, k) = pair(vm, args.req(0), k)?;
    if n < k {
        return vm.new_int(0);
    }
    let Some(k) = u64::try_from(&k).ok().filter(|k| i64::try_from(*k).is_ok()) else {
        return Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX)));
    };
    let product = falling(vm, &n, k)?;
    vm.new_big(IBig::from(product))
}

/// `math.comb(n, k)`.
pub fn comb(vm: &Interpreter, n: &Value, k: &Value) -> Res {
    let (n, k) = pair(vm, n, k)?;
    if n < k {
        return vm.new_int(0);
    }
    let other = &n - &k;
    let k = if other < k { other } else { k };
    let Some(k) = u64::try_from(&k).ok().filter(|k| i64::try_from(*k).is_ok()) else {
        return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
    };
    let ways = choose(vm, &n, k)?;
    vm.new_big(IBig::from(ways))
}

/// The number of ways to choose `k` of `n`.
fn choose(vm: &Interpreter, n: &UBig, k: u64) -> Res<UBig> {
    if k == 0 {
        return Ok(UBig::from(1u8));
    }
    if let (true, Ok(n)) = (k <= 60, u64::try_from(n)) {
        let mut result = 1u128;
        for i in 0..k {
            match result.checked_mul(u128::from(n - i)) {
                Some(product) => result = product / u128::from(i + 1),
                None => return Ok(falling(vm, &UBig::from(n), k)? / range_product(vm, 2, k)?),
            }
        }
        return Ok(UBig::from(result));
    }
    if k <= 60 {
        return Ok(falling(vm, n, k)? / range_product(vm, 2, k)?);
    }
    // C(n, k) = C(n, j) C(n-j, k-j) / C(k, j)
    vm.poll()?;
    let j = k / 2;
    let rest = n - UBig::from(j);
    Ok(choose(vm, n, j)? * choose(vm, &rest, k - j)? / choose(vm, &UBig::from(k), j)?)
}

/// A positive int as mantissa in [0.5, 1) and exponent.
pub fn frexp(big: &IBig) -> (f64, i64) {
    let magnitude = natural(big);
    let bits = magnitude.bit_len();
    let kept = bits.saturating_sub(62);
    let mut top = u64::try_from(&(&magnitude >> kept)).unwrap_or(u64::MAX);
    if kept > 0 && magnitude.trailing_zeros().is_some_and(|zeros| zeros < kept) {
        top |= 1;
    }
    let exponent = (bits - kept) as i32;
    (pellucid_types::number::scale(top, -exponent), bits as i64)
}

//! Functions of floats that take more than one call: norms, sums without error, gamma, neighbours.

use std::f64::consts::PI;

/// A number as an unevaluated sum of two floats.
#[derive(Clone, Copy)]
struct Double {
    high: f64,
    low: f64,
}

/// The exact sum, when `a` is not the smaller one.
fn fast_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    Double { high, low: (a - high) + b }
}

/// The exact sum (Knuth).
fn exact_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let z = high - a;
    Double { high, low: (a - (high - z)) + (b - z) }
}

/// The exact product.
fn exact_product(a: f64, b: f64) -> Double {
    let high = a * b;
    Double { high, low: a.mul_add(b, -high) }
}

/// `frexp`: mantissa in ±[0.5, 1), exponent.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE { (x * 2f64.powi(54), -54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent + shift)
}

/// The Euclidean norm, within one unit of the last place: squares are summed without error after scaling by a power of
/// two, and the root is corrected once.
pub fn norm(values: &mut [f64]) -> f64 {
    let max = values.iter().fold(0.0f64, |max, x| if x.abs() > max { x.abs() } else { max });
    if values.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    if values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if max == 0.0 || values.len() <= 1 {
        return max;
    }
    let (_, exponent) = frexp(max);
    if exponent < -1023 {
        values.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm(values);
    }
    let scale = pellucid_host::libm::ldexp(1.0, -exponent);
    let (mut sum, mut low_products, mut low_sums) = (1.0, 0.0, 0.0);
    let mut add = |product: Double, sum: &mut f64| {
        let next = fast_sum(*sum, product.high);
        *sum = next.high;
        low_products += product.low;
        low_sums += next.low;
        *sum - 1.0 + (low_products + low_sums)
    };
    let mut square = 0.0;
    for x in values.iter() {
        let x = x.abs() * scale;
        square = add(exact_product(x, x), &mut sum);
    }
    let mut root = square.sqrt();
    let rest = add(exact_product(-root, root), &mut sum);
    root += rest / (2.0 * root);
    root / scale
}

/// Why a sum has no value.
#[derive(Debug, PartialEq, Eq)]
pub enum SumError {
    Overflow,
    OppositeInfinities,
}

/// A running sum without error: partial sums that do not overlap, the largest last (Shewchuk).
#[derive(Default)]
pub struct ExactSum {
    partials: Vec<f64>,
    special: f64,
    infinities: f64,
}

impl ExactSum {
    pub fn add(&mut self, value: f64) -> Result<(), SumError> {
        let mut x = value;
        let mut kept = 0;
        for j in 0..self.partials.len() {
            let mut y = self.partials[j];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let sum = fast_sum(x, y);
            if sum.low != 0.0 {
                self.partials[kept] = sum.low;
                kept += 1;
            }
            x = sum.high;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            if !x.is_finite() {
                if value.is_finite() {
                    return Err(SumError::Overflow);
                }
                if value.is_infinite() {
                    self.infinities += value;
                }
                self.special += value;
                self.partials.clear();
            } else {
                self.partials.push(x);
            }
        }
        Ok(())
    }

    /// The sum, rounded once.
    pub fn total(mut self) -> Result<f64, SumError> {
        if self.special != 0.0 {
            return if self.infinities.is_nan() {
                Err(SumError::OppositeInfinities)
            } else {
                Ok(self.special)
            };
        }
        let Some(mut high) = self.partials.pop() else { return Ok(0.0) };
        let mut low = 0.0;
        while let Some(y) = self.partials.pop() {
            let sum = fast_sum(high, y);
            (high, low) = (sum.high, sum.low);
            if low != 0.0 {
                break;
            }
        }
        // Half-way cases round to even only if nothing lies below.
        if let Some(&next) = self.partials.last()
            && (low < 0.0 && next < 0.0 || low > 0.0 && next > 0.0)
        {
            let twice = low * 2.0;
            let rounded = high + twice;
            if twice == rounded - high {
                high = rounded;
            }
        }
        Ok(high)
    }
}

/// A sum of products in three floats.
#[derive(Clone, Copy, Default)]
pub struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    pub fn add_product(&mut self, x: f64, y: f64) {
        let product = exact_product(x, y);
        let sum = exact_sum(self.high, product.high);
        let first = exact_sum(self.low, product.low);
        let second = exact_sum(first.high, sum.low);
        *self = Triple { high: sum.high, low: second.high, tiny: self.tiny + first.low + second.low };
    }
    pub fn total(self) -> f64 {
        let last = exact_sum(self.low, self.tiny);
        let sum = exact_sum(self.high, last.high);
        sum.high + (sum.low + last.low)
    }
}

const LANCZOS_G: f64 = 6.024_680_040_776_73;
const LANCZOS_G_MINUS_HALF: f64 = 5.524_680_040_776_73;
/// Coefficients of the numerator, the constant one first.
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
const NUMERATOR: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
/// The denominator is x (x+1) ... (x+11).
const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

fn lanczos_sum(x: f64) -> f64 {
    let step: fn(f64, f64, f64) -> f64 =
        if x < 5.0 { |sum, x, c| sum * x + c } else { |sum, x, c| sum / x + c };
    let sum = |coefficients: &[f64; 13]| {
        if x < 5.0 {
            coefficients.iter().rev().fold(0.0, |sum, c| step(sum, x, *c))
        } else {
            coefficients.iter().fold(0.0, |sum, c| step(sum, x, *c))
        }
    };
    sum(&NUMERATOR) / sum(&DENOMINATOR)
}

/// `sin(pi * x)`, exact at multiples of a quarter turn.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let result = match (2.0 * y).round() as i32 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1f64.copysign(x) * result
}

/// Why a function has no value at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Domain,
    Range,
}

/// The gamma function by Lanczos' approximation.
pub fn gamma(x: f64) -> Result<f64, Fault> {
    if !x.is_finite() {
        return if x.is_nan() || x > 0.0 { Ok(x) } else { Err(Fault::Domain) };
    }
    if x == 0.0 {
        return Err(Fault::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(Fault::Domain);
        }
        if x <= 23.0 {
            // Factorials up to 22! are exact.
            return Ok((1..x as u64).fold(1.0, |product, i| product * i as f64));
        }
    }
    let size = x.abs();
    let in_range = |r: f64| if r.is_infinite() { Err(Fault::Range) } else { Ok(r) };
    if size < 1e-20 {
        return in_range(1.0 / x);
    }
    if size > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(Fault::Range) };
    }
    let y = size + LANCZOS_G_MINUS_HALF;
    let error = if size > LANCZOS_G_MINUS_HALF {
        let q = y - size;
        q - LANCZOS_G_MINUS_HALF
    } else {
        let q = y - LANCZOS_G_MINUS_HALF;
        q - size
    };
    let z = error * LANCZOS_G / y;
    let power = |mut r: f64, f: fn(f64, f64) -> f64| {
        if size < 140.0 {
            f(r, y.powf(size - 0.5))
        } else {
            let root = y.powf(size / 2.0 - 0.25);
            r = f(r, root);
            f(r, root)
        }
    };
    let result = if x < 0.0 {
        let mut r = -PI / sin_pi(size) / size * y.exp() / lanczos_sum(size);
        r -= z * r;
        power(r, |a, b| a / b)
    } else {
        let mut r = lanczos_sum(size) / y.exp();
        r += z * r;
        power(r, |a, b| a * b)
    };
    in_range(result)
}

/// The logarithm of the absolute value of the gamma function.
pub fn log_gamma(x: f64) -> Result<f64, Fault> {
    const LOG_PI: f64 = 1.1447298858494002;
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(Fault::Domain) } else { Ok(0.0) };
    }
    let size = x.abs();
    if size < 1e-20 {
        return Ok(-size.ln());
    }
    let mut r = lanczos_sum(size).ln() - LANCZOS_G;
    r += (size - 0.5) * ((size + LANCZOS_G - 0.5).ln() - 1.0);
    if x < 0.0 {
        r = LOG_PI - sin_pi(size).abs().ln() - size.ln() - r;
    }
    if r.is_infinite() { Err(Fault::Range) } else { Ok(r) }
}

/// IEEE 754 remainder: `x - n*y` with `n` nearest to `x/y`, ties to even.
pub fn remainder(x: f64, y: f64) -> Result<f64, Fault> {
    if x.is_nan() {
        return Ok(x);
    }
    if y.is_nan() {
        return Ok(y);
    }
    if x.is_infinite() || y == 0.0 {
        return Err(Fault::Domain);
    }
    if y.is_infinite() {
        return Ok(x);
    }
    let (a, b) = (x.abs(), y.abs());
    let m = a % b;
    let c = b - m;
    let r = if m < c {
        m
    } else if m > c {
        -c
    } else {
        m - 2.0 * ((0.5 * (a - m)) % b)
    };
    Ok(1f64.copysign(x) * r)
}

/// The float `steps` floats away from `x` towards `y`.
pub fn next_after(x: f64, y: f64, steps: u64) -> f64 {
    if steps == 0 || x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    // Floats in order are integers in order, counted from zero in both directions.
    let place = |f: f64| {
        let size = i128::from(f.to_bits() & !(1 << 63));
        if f.is_sign_negative() { -size } else { size }
    };
    let (from, to) = (place(x), place(y));
    if from == to {
        return if x == y && steps > 0 { y } else { x };
    }
    let steps = i128::from(steps);
    let at = if from < to { (from + steps).min(to) } else { (from - steps).max(to) };
    if at == to {
        return y;
    }
    let result = f64::from_bits(at.unsigned_abs() as u64);
    if at < 0 || at == 0 && x.is_sign_negative() { -result } else { result }
}

/// The value of the lowest bit of `x`.
pub fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.abs();
    if x.is_infinite() {
        return x;
    }
    let up = f64::from_bits(x.to_bits() + 1);
    if up.is_infinite() { x - f64::from_bits(x.to_bits() - 1) } else { up - x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours() {
        assert_eq!(next_after(0.0, 1.0, 1), 5e-324);
        assert_eq!(next_after(5e-324, -1.0, 2), -5e-324);
        assert_eq!(next_after(1.0, f64::INFINITY, 1), 1.0 + f64::EPSILON);
        assert_eq!(next_after(1.0, 2.0, u64::MAX), 2.0);
        assert_eq!(ulp(f64::MAX), 1.99584030953472e+292);
    }

    #[test]
    fn sums_are_exact() {
        let mut sum = ExactSum::default();
        for x in [1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50] {
            sum.add(x).expect("finite");
        }
        assert_eq!(sum.total(), Ok(1e-100));
    }

    #[test]
    fn numbers_are_taken_apart() {
        assert_eq!(frexp(8.0), (0.5, 4));
        assert_eq!(frexp(5e-324), (0.5, -1073));
        assert_eq!(frexp(-0.75), (-0.75, 0));
    }
}

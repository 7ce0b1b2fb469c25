//! Functions of the system's mathematical library that `std` does not offer, or computes in its own way: results are
//! those of every other program on the machine.

mod system {
    use std::ffi::{c_double, c_int};

    // SAFETY: the signatures are those of the C standard; the functions only compute.
    unsafe extern "C" {
        pub safe fn acosh(x: c_double) -> c_double;
        pub safe fn asinh(x: c_double) -> c_double;
        pub safe fn atanh(x: c_double) -> c_double;
        pub safe fn erf(x: c_double) -> c_double;
        pub safe fn erfc(x: c_double) -> c_double;
        pub safe fn ldexp(x: c_double, exponent: c_int) -> c_double;
    }
}

/// Inverse hyperbolic cosine.
pub fn acosh(x: f64) -> f64 {
    system::acosh(x)
}

/// Inverse hyperbolic sine.
pub fn asinh(x: f64) -> f64 {
    system::asinh(x)
}

/// Inverse hyperbolic tangent.
pub fn atanh(x: f64) -> f64 {
    system::atanh(x)
}

/// Error function.
pub fn erf(x: f64) -> f64 {
    system::erf(x)
}

/// `1 - erf(x)`.
pub fn erfc(x: f64) -> f64 {
    system::erfc(x)
}

/// `x * 2^exponent`, rounded once.
pub fn ldexp(x: f64, exponent: i32) -> f64 {
    system::ldexp(x, exponent)
}

//! Functions of the system's mathematical library that `std` does not offer, or computes in its own way: results are
//! those of every other program on the machine.

use std::ffi::{c_double, c_int};

unsafe extern "C" {
    pub safe fn acosh(x: c_double) -> c_double;
    pub safe fn asinh(x: c_double) -> c_double;
    pub safe fn atanh(x: c_double) -> c_double;
    pub safe fn erf(x: c_double) -> c_double;
    pub safe fn erfc(x: c_double) -> c_double;
    pub safe fn ldexp(x: c_double, exponent: c_int) -> c_double;
}

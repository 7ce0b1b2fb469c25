//! Test support: the runner of file tests, program generators, oracles.

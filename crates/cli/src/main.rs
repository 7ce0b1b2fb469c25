//! The command line: `FILE`, `-c`, `-m`, `-`, standard input, notebooks.
fn main() {}

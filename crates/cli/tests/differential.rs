//! Random programs answer the same in two configurations of the binary.
//!
//! `PELLUCID_LEFT` and `PELLUCID_RIGHT` say how, as options with `NAME=value` in front for the environment; without them
//! the interpreter alone is compared with machine code made as early as possible. `PELLUCID_CASES` and `PELLUCID_SEED`
//! choose the programs. For longer runs, or other executables, see `crates/testkit/src/bin/differential.rs`.

use pellucid_testkit::differential::{Configuration, Plan, compare};
use std::path::Path;

#[test]
fn configurations_agree() {
    let binary = Path::new(env!("CARGO_BIN_EXE_pellucid"));
    let way = |name: &str, usual: &str| {
        let words = std::env::var(name).unwrap_or_else(|_| usual.to_string());
        Configuration::parse(&words, Some(binary)).expect("options")
    };
    let plan = Plan::new(way("PELLUCID_LEFT", "-X jit=off"), way("PELLUCID_RIGHT", "-X jit=eager"), 10);
    let summary = compare(&plan).expect("programs can be run");
    assert!(summary.finds.is_empty(), "{}", summary.finds.join("\n"));
    assert_eq!(summary.slow, 0, "programs that took too long");
}

//! Random programs answer the same in two configurations of the binary.
//!
//! `PELLUCID_LEFT` and `PELLUCID_RIGHT` say how, as options with `NAME=value` in front for the environment; without them
//! the binary is compared with itself under the strictest checks that it has. `PELLUCID_CASES` and `PELLUCID_SEED` choose the
//! programs. For longer runs, or other executables, see `crates/testkit/src/bin/differential.rs`.

use pellucid_testkit::differential::{Configuration, Plan, compare};
use std::path::Path;

/// Objects whose memory is not shared, and a proof at the end that nothing is left.
const STRICTEST: &str = if cfg!(debug_assertions) { "-X stress=no-pools" } else { "" };

#[test]
fn configurations_agree() {
    let binary = Path::new(env!("CARGO_BIN_EXE_pellucid"));
    let way = |name: &str, usual: &str| {
        let words = std::env::var(name).unwrap_or_else(|_| usual.to_string());
        Configuration::parse(&words, Some(binary)).expect("options")
    };
    let plan = Plan::new(way("PELLUCID_LEFT", ""), way("PELLUCID_RIGHT", STRICTEST), 15);
    let summary = compare(&plan).expect("programs can be run");
    assert!(summary.finds.is_empty(), "{}", summary.finds.join("\n"));
    assert_eq!(summary.slow, 0, "programs that took too long");
}

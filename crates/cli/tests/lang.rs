//! Runs the built binary over `tests/lang`; arguments are parts of names of cases.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lang");
    pellucid_testkit::run(Path::new(env!("CARGO_BIN_EXE_pellucid")), &root, &filters)
}

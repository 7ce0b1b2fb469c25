//! The command line: `FILE`, `-c`, `-m`, `-`, standard input, notebooks.
#![forbid(unsafe_code)]

mod options;
mod program;

use options::{Options, Request};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    match options::parse(&arguments) {
        Ok(Request::Run(options)) => run(options),
        Ok(Request::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprint!("{message}");
            ExitCode::from(if message.starts_with("Fatal Python error") { 1 } else { 2 })
        }
    }
}

fn run(options: Options) -> ExitCode {
    let status = pellucid_runtime::on_big_stack(move || {
        let status = program::run(options);
        if status == pellucid_runtime::INTERRUPTED {
            pellucid_runtime::end_by_interrupt();
        }
        // In the child of a fork nobody waits for this thread.
        if pellucid_runtime::is_forked() { std::process::exit(status & 0xff) } else { status }
    });
    ExitCode::from((status & 0xff) as u8)
}

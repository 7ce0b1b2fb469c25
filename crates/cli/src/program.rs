//! Runs what the command line asked for.

use crate::options::{Options, Program, VERSION};
use pellucid_notebook::Notebook;
use pellucid_runtime::{Pellucid, Res};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Starts an interpreter, runs the program, ends the interpreter. Gives the exit code.
pub fn run(options: Options) -> i32 {
    let Options { program, config, inspect, interactive, skip_first_line, save } = options;
    let quiet = config.flags.quiet;
    let terminal = config.host.isatty(0);
    let pellucid = match Pellucid::start(config) {
        Ok(pellucid) => pellucid,
        Err(message) => {
            eprintln!("Fatal Python error: {message}");
            return 1;
        }
    };
    let prompt_only = program == Program::Stdin && (interactive || terminal);
    let mut status;
    if prompt_only {
        if !quiet {
            pellucid_repl::greet(&pellucid);
        }
        status = settle(&pellucid, pellucid.start_prompt().map(|()| 0));
        if status == 0 {
            status = pellucid_repl::run(&pellucid);
        }
    } else {
        let result = match program {
            Program::Command(source) => pellucid.main_command(&source).map(|()| 0),
            Program::Module(name) => pellucid.main_module(&name).map(|()| 0),
            Program::Stdin => pellucid.main_stdin().map(|()| 0),
            Program::File(path) if path.ends_with(b".ipynb") => notebook(&pellucid, &path, save.as_ref()),
            Program::File(path) => file(&pellucid, &path, skip_first_line),
        };
        status = settle(&pellucid, result);
        if inspect || pellucid.wants_prompt() {
            status = pellucid_repl::run(&pellucid);
        }
    }
    pellucid.end_with_process(status)
}

/// The exit code of what was run; an exception is shown.
fn settle(pellucid: &Pellucid, result: Res<i32>) -> i32 {
    result.unwrap_or_else(|raised| pellucid.uncaught(raised))
}

fn file(pellucid: &Pellucid, path: &[u8], skip_first_line: bool) -> Res<i32> {
    if let Err(error) = pellucid.readable(path) {
        let shown = String::from_utf8_lossy(path);
        pellucid.complain(&format!(
            "pellucid: can't open file '{shown}': [Errno {}] {}\n",
            error.errno,
            error.message()
        ));
        return Ok(2);
    }
    pellucid.main_file(path, skip_first_line).map(|()| 0)
}

fn notebook(pellucid: &Pellucid, path: &[u8], save: Option<&OsString>) -> Res<i32> {
    let shown = String::from_utf8_lossy(path);
    let complain = |text: String| {
        pellucid.complain(&format!("pellucid: {text}\n"));
        Ok(2)
    };
    let bytes = match pellucid.read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return complain(format!(
                "can't open file '{shown}': [Errno {}] {}",
                error.errno,
                error.message()
            ));
        }
    };
    let mut notebook = match Notebook::parse(&bytes) {
        Ok(notebook) => notebook,
        Err(error) => return complain(format!("{shown}: {error}")),
    };
    pellucid.search_beside(path)?;
    let result = pellucid_notebook::run(pellucid, &mut notebook);
    if let Some(file) = save
        && let Err(error) = pellucid.write(file.as_bytes(), notebook.to_json(VERSION).as_bytes())
    {
        complain(format!("can't write '{}': {}", file.to_string_lossy(), error.message()))?;
        return result.map(|_| 2);
    }
    result
}

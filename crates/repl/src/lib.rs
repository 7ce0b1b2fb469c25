//! The interactive prompt.
//!
//! Statements are gathered line by line until the library's `codeop` says that they are complete, then run in
//! `__main__`; `sys.displayhook` shows what expressions give. On a terminal lines are edited, completed with the
//! library's `rlcompleter` and remembered; elsewhere they are read as they come.
#![forbid(unsafe_code)]

mod input;

use input::{Input, Line};
use pellucid_runtime::{Pellucid, Raised, Res, Value};

/// Runs the prompt until the input ends or the program asks to exit. Gives the exit code.
pub fn run(pellucid: &Pellucid) -> i32 {
    let mut input = Input::new(pellucid);
    let status = match Session::new(pellucid) {
        Ok(session) => session.run(&mut input),
        Err(raised) => pellucid.uncaught(raised),
    };
    input.save();
    status
}

/// Writes what greets at the prompt.
pub fn greet(pellucid: &Pellucid) {
    let version = pellucid.vm().import("sys").and_then(|sys| {
        let version = pellucid.vm().get_attr_str(&sys, "version")?;
        Ok(pellucid.vm().str_lossy(&version))
    });
    match version {
        Ok(version) => pellucid.complain(&format!(
            "Python {version}\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n"
        )),
        Err(raised) => drop(pellucid.vm().take_raised(raised)),
    }
}

struct Session<'a> {
    pellucid: &'a Pellucid,
    sys: Value,
    /// `codeop.CommandCompiler()`: remembers `from __future__` imports.
    compile: Value,
}

/// What a line did.
enum Step {
    /// More lines belong to the statement.
    Incomplete,
    Done,
    Exit(i32),
}

impl<'a> Session<'a> {
    fn new(pellucid: &'a Pellucid) -> Res<Session<'a>> {
        let vm = pellucid.vm();
        let sys = vm.import("sys")?;
        for (name, prompt) in [("ps1", ">>> "), ("ps2", "... ")] {
            if vm.get_attr_opt(&sys, name)?.is_none() {
                vm.set_attr_str(&sys, name, vm.new_str(prompt)?)?;
            }
        }
        let codeop = vm.import("codeop")?;
        let compile = vm.call_attr(&codeop, "CommandCompiler", &[])?;
        Ok(Session { pellucid, sys, compile })
    }

    fn run(&self, input: &mut Input) -> i32 {
        let mut gathered = String::new();
        loop {
            let prompt = self.prompt(if gathered.is_empty() { "ps1" } else { "ps2" });
            match input.line(&prompt) {
                Line::Text(line) => {
                    gathered.push_str(&line);
                    match self.step(&gathered) {
                        Step::Incomplete => gathered.push('\n'),
                        Step::Done => gathered.clear(),
                        Step::Exit(status) => return status,
                    }
                }
                Line::Interrupted => {
                    gathered.clear();
                    self.pellucid.complain("\nKeyboardInterrupt\n");
                }
                Line::End => {
                    if !gathered.is_empty()
                        && let Step::Exit(status) = self.step(&format!("{gathered}\n"))
                    {
                        return status;
                    }
                    self.pellucid.complain("\n");
                    return 0;
                }
            }
        }
    }

    fn prompt(&self, name: &str) -> String {
        let vm = self.pellucid.vm();
        let text = vm.get_attr_str(&self.sys, name).and_then(|prompt| vm.str(&prompt));
        match text {
            Ok(text) => vm.str_lossy(&text),
            Err(raised) => {
                drop(vm.take_raised(raised));
                String::new()
            }
        }
    }

    fn step(&self, source: &str) -> Step {
        let vm = self.pellucid.vm();
        let compiled = || -> Res {
            let arguments = [vm.new_str(source)?, vm.new_str("<stdin>")?, vm.new_str("single")?];
            vm.call_values(&self.compile, &arguments)
        };
        match compiled() {
            Ok(code) if code.is_none() => Step::Incomplete,
            Ok(code) => match self.pellucid.run_code(&code) {
                Ok(_) => Step::Done,
                Err(raised) => self.failed(raised),
            },
            Err(raised) => self.failed(raised),
        }
    }

    fn failed(&self, raised: Raised) -> Step {
        let vm = self.pellucid.vm();
        if vm.raised_is(vm.exceptions().system_exit()) {
            return Step::Exit(self.pellucid.uncaught(raised));
        }
        self.pellucid.uncaught(raised);
        Step::Done
    }
}

//! The runner of `tests/lang`.

use crate::process::{self, Run, difference};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, io, thread};

/// How a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// As a user would.
    Plain,
    /// No machine code.
    Interpreter,
    /// Everything is compiled after its first turn or call.
    Eager,
    /// The same, and every guard of machine code fails once though it holds.
    Guards,
    /// The cycle collector runs at each safe point after an allocation, and counts are checked at the end.
    Collect,
    /// The allocator gives each object memory of its own, and counts are checked at the end.
    NoPools,
}

impl Mode {
    const ALL: [Mode; 6] =
        [Mode::Plain, Mode::Interpreter, Mode::Eager, Mode::Guards, Mode::Collect, Mode::NoPools];

    fn name(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Interpreter => "interpreter",
            Mode::Eager => "eager",
            Mode::Guards => "guards",
            Mode::Collect => "collect",
            Mode::NoPools => "no-pools",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Mode::Plain => &[],
            Mode::Interpreter => &["-X", "jit=off"],
            Mode::Eager => &["-X", "jit=eager"],
            Mode::Guards => &["-X", "jit=eager", "-X", "jit_fail=once"],
            Mode::Collect => &["-X", "stress=collect"],
            Mode::NoPools => &["-X", "stress=no-pools"],
        }
    }

    /// How long a case may take.
    fn patience(self) -> Duration {
        Duration::from_secs(if matches!(self, Mode::Collect | Mode::Eager | Mode::Guards) { 300 } else { 60 })
    }
}

/// What became of a case in a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What was wrong.
    Failed(String),
}

struct Case {
    /// `topic/case`.
    name: String,
    file: PathBuf,
    exit: i32,
    options: Vec<String>,
    arguments: Vec<String>,
    modes: Vec<Mode>,
}

impl Case {
    fn read(root: &Path, file: &Path) -> io::Result<Case> {
        let name = file.strip_prefix(root).unwrap_or(file).with_extension("");
        let mut case = Case {
            name: name.to_string_lossy().replace('\\', "/"),
            file: file.to_path_buf(),
            exit: 0,
            options: Vec::new(),
            arguments: Vec::new(),
            modes: Mode::ALL.to_vec(),
        };
        let text = fs::read_to_string(file)?;
        for line in text.lines().take_while(|line| line.starts_with('#')) {
            let Some(directive) = line.strip_prefix("# test:") else { continue };
            let mut words = directive.split_whitespace().map(str::to_string);
            match words.next().as_deref() {
                Some("exit") => case.exit = words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
                Some("options") => case.options = words.collect(),
                Some("args") => case.arguments = words.collect(),
                Some("modes") => {
                    let wanted: Vec<String> = words.collect();
                    case.modes.retain(|mode| wanted.iter().any(|word| word == mode.name()));
                }
                _ => return Err(io::Error::other(format!("{}: not understood: {line}", file.display()))),
            }
        }
        Ok(case)
    }

    fn beside(&self, extension: &str) -> PathBuf {
        self.file.with_extension(extension)
    }

    fn run(&self, binary: &Path, mode: Mode) -> io::Result<Run> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let input = fs::read(self.beside("in")).unwrap_or_default();
        let mut command = Command::new(binary);
        command
            .args(mode.options())
            .args(&self.options)
            .arg(self.file.file_name().unwrap_or_default())
            .args(&self.arguments)
            .current_dir(folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONIOENCODING", "utf-8")
            .env_remove("PYTHONPATH");
        process::run(&mut command, &input, mode.patience())
    }

    fn check(&self, run: &Run) -> Outcome {
        let err = String::from_utf8_lossy(&run.err);
        let Some(status) = run.status else { return Outcome::Failed(format!("took too long\n{err}")) };
        let expected = fs::read(self.beside("out")).unwrap_or_default();
        if expected != run.out {
            let difference = difference(&expected, &run.out);
            return Outcome::Failed(format!("standard output differs\n{difference}\nstandard error:\n{err}"));
        }
        if let Ok(expected) = fs::read(self.beside("err")) {
            let got = without_folder(&run.err, self.file.parent());
            if expected != got {
                return Outcome::Failed(format!("standard error differs\n{}", difference(&expected, &got)));
            }
        }
        if status != self.exit {
            return Outcome::Failed(format!("exit code {status}, not {}\n{err}", self.exit));
        }
        Outcome::Passed
    }
}

/// Tracebacks name the file with its folder, which differs from machine to machine.
fn without_folder(text: &[u8], folder: Option<&Path>) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).into_owned();
    match folder.and_then(|folder| folder.canonicalize().ok()) {
        Some(folder) => text.replace(&format!("{}/", folder.display()), "").into_bytes(),
        None => text.into_bytes(),
    }
}

fn cases(root: &Path, folder: &Path, found: &mut Vec<Case>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            cases(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "py")
            && path.with_extension("out").exists()
        {
            found.push(Case::read(root, &path)?);
        }
    }
    Ok(())
}

fn known_failures(root: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(root.join("known_failures.txt")).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_string)
        .collect()
}

/// The modes in `PELLUCID_MODES` (`plain,collect`); without it all, but those that the binary does not have.
fn wanted_modes() -> Vec<Mode> {
    match env::var("PELLUCID_MODES") {
        Ok(list) => {
            Mode::ALL.into_iter().filter(|mode| list.split(',').any(|word| word == mode.name())).collect()
        }
        // Stress modes exist in debug builds, of which this is one if the binary is.
        Err(_) if cfg!(debug_assertions) => Mode::ALL.to_vec(),
        Err(_) => vec![Mode::Plain, Mode::Interpreter, Mode::Eager],
    }
}

/// Runs all cases below a folder with a binary, those whose names contain one of the filters if there are any.
/// `PELLUCID_BLESS=1` writes what was printed as what is expected, which must then be looked at.
pub fn run(binary: &Path, root: &Path, filters: &[String]) -> ExitCode {
    match run_all(binary, root, filters) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", root.display());
            ExitCode::FAILURE
        }
    }
}

fn run_all(binary: &Path, root: &Path, filters: &[String]) -> io::Result<bool> {
    let mut found = Vec::new();
    cases(root, root, &mut found)?;
    found.retain(|case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter)));
    let bless = env::var_os("PELLUCID_BLESS").is_some_and(|value| value == "1");
    let known = known_failures(root);
    let modes = wanted_modes();
    let jobs: Vec<(&Case, Mode)> = found
        .iter()
        .flat_map(|case| modes.iter().filter(|m| case.modes.contains(m)).map(move |&m| (case, m)))
        .collect();
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    let work = || {
        while let Some((case, mode)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(complaint) = attempt(binary, case, *mode, &known, bless) {
                complaints.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(complaint);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(2, |count| count.get());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut complaints = complaints.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    complaints.sort();
    for complaint in &complaints {
        println!("{complaint}\n");
    }
    println!("{} cases in {} runs, {} wrong", found.len(), jobs.len(), complaints.len());
    Ok(complaints.is_empty())
}

fn attempt(binary: &Path, case: &Case, mode: Mode, known: &BTreeSet<String>, bless: bool) -> Option<String> {
    let name = format!("{} {}", case.name, mode.name());
    let run = match case.run(binary, mode) {
        Ok(run) => run,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    if bless && mode == Mode::Plain {
        let written = fs::write(case.beside("out"), &run.out).and_then(|()| {
            let err = case.beside("err");
            if err.exists() { fs::write(err, without_folder(&run.err, case.file.parent())) } else { Ok(()) }
        });
        return written.err().map(|error| format!("{name}: {error}"));
    }
    let expected_to_fail = known.contains(&case.name) || known.contains(&name);
    match (case.check(&run), expected_to_fail) {
        (Outcome::Passed, false) | (Outcome::Failed(_), true) => None,
        (Outcome::Passed, true) => Some(format!("{name}: passes now; take it off known_failures.txt")),
        (Outcome::Failed(what), false) => Some(format!("{name}: {what}")),
    }
}

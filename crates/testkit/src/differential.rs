//! Runs random programs in two configurations, of the same binary or of two, and compares what they print and how they end.

use crate::generate::program;
use crate::process::{self, Run, difference};
use crate::random::Random;
use crate::shrink::shrink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// How to run a program: an executable, its options, its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    pub executable: PathBuf,
    pub options: Vec<String>,
    pub environment: Vec<(String, String)>,
}

impl Configuration {
    /// From words as a shell would take them: `NAME=value` in front for the environment, the executable unless one is
    /// given, options. Without quotes.
    pub fn parse(words: &str, executable: Option<&Path>) -> Result<Configuration, String> {
        let mut words = words.split_whitespace().map(str::to_string).peekable();
        let mut environment = Vec::new();
        while let Some(word) = words.next_if(|word| word.contains('=') && !word.starts_with('-')) {
            environment
                .extend(word.split_once('=').map(|(name, value)| (name.to_string(), value.to_string())));
        }
        let executable = match executable {
            Some(executable) => executable.to_path_buf(),
            None => words.next().ok_or("an executable is missing")?.into(),
        };
        Ok(Configuration { executable, options: words.collect(), environment })
    }

    fn run(&self, file: &Path, patience: Duration) -> io::Result<Run> {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.options)
            .arg(file)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONIOENCODING", "utf-8")
            .env_remove("PYTHONPATH")
            .envs(self.environment.iter().cloned());
        process::run(&mut command, b"", patience)
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    pub left: Configuration,
    pub right: Configuration,
    pub first_seed: u64,
    pub cases: u64,
    /// No new case begins after that time.
    pub time: Option<Duration>,
    pub jobs: usize,
    /// How long a program may take.
    pub patience: Duration,
    /// Where finds are kept, as they were and shrunk.
    pub save: PathBuf,
    /// How often a find may be run to make it smaller.
    pub attempts: usize,
}

impl Plan {
    /// The seeds that `PELLUCID_SEED` and `PELLUCID_CASES` say, else the first `cases`.
    pub fn new(left: Configuration, right: Configuration, cases: u64) -> Plan {
        let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
        Plan {
            left,
            right,
            first_seed: number("PELLUCID_SEED").unwrap_or(1),
            cases: number("PELLUCID_CASES").unwrap_or(cases),
            time: None,
            jobs: 1,
            patience: Duration::from_secs(60),
            save: env::temp_dir().join("pellucid-differential"),
            attempts: 600,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub cases: usize,
    /// Programs that took too long in one configuration or both.
    pub slow: usize,
    /// One text a find.
    pub finds: Vec<String>,
}

/// Compares all programs of a plan.
pub fn compare(plan: &Plan) -> io::Result<Summary> {
    fs::create_dir_all(&plan.save)?;
    let (next, done, slow) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let finds = Mutex::new(Vec::new());
    let began = Instant::now();
    let work = || -> io::Result<()> {
        loop {
            let case = next.fetch_add(1, Ordering::Relaxed);
            if case >= plan.cases || plan.time.is_some_and(|time| began.elapsed() > time) {
                return Ok(());
            }
            let seed = plan.first_seed + case;
            let name = format!("seed-{seed}");
            let verdict = check(plan, &name, &program(&mut Random::new(seed)))?;
            done.fetch_add(1, Ordering::Relaxed);
            match verdict {
                Verdict::Same => {}
                Verdict::Slow => {
                    slow.fetch_add(1, Ordering::Relaxed);
                    eprintln!("PELLUCID_SEED={seed} PELLUCID_CASES=1: takes too long");
                }
                Verdict::Different(what) => {
                    let small = keep(plan, &name, &program(&mut Random::new(seed)))?;
                    let text =
                        format!("PELLUCID_SEED={seed} PELLUCID_CASES=1: {what}\n  {}", small.display());
                    eprintln!("{text}");
                    finds.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(text);
                }
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let ends = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ends.collect::<io::Result<Vec<()>>>()
    })?;
    Ok(Summary {
        cases: done.into_inner(),
        slow: slow.into_inner(),
        finds: finds.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()),
    })
}

enum Verdict {
    Same,
    Slow,
    Different(String),
}

/// Runs a program in both configurations.
fn check(plan: &Plan, name: &str, source: &str) -> io::Result<Verdict> {
    let file = plan.save.join(format!("{name}.running.py"));
    fs::write(&file, source)?;
    let runs = (plan.left.run(&file, plan.patience), plan.right.run(&file, plan.patience));
    fs::remove_file(&file)?;
    let (left, right) = (runs.0?, runs.1?);
    if left.status.is_none() || right.status.is_none() {
        return Ok(Verdict::Slow);
    }
    Ok(verdict(&left, &right).map_or(Verdict::Same, Verdict::Different))
}

/// How two runs differ. A program handles its exceptions, so that another end than 0 is wrong in both.
fn verdict(left: &Run, right: &Run) -> Option<String> {
    let first_error = |run: &Run| {
        let text = String::from_utf8_lossy(&run.err).into_owned();
        text.lines().last().unwrap_or_default().to_string()
    };
    if left.out != right.out {
        return Some(format!("output differs, {}", difference(&left.out, &right.out)));
    }
    let (left_error, right_error) = (first_error(left), first_error(right));
    // An exception that the program did not provide for, and the same in both.
    if left.status == Some(1) && right.status == Some(1) && left_error == right_error {
        return None;
    }
    if left.status != Some(0) || right.status != Some(0) {
        return Some(format!("ends {:?} ({left_error}) and {:?} ({right_error})", left.status, right.status));
    }
    None
}

/// Saves a find as it is and as small as it gets, and gives the name of the latter.
fn keep(plan: &Plan, name: &str, source: &str) -> io::Result<PathBuf> {
    fs::write(plan.save.join(format!("{name}.py")), source)?;
    // What cannot be run does not show it.
    let shows = |text: &str| matches!(check_runnable(plan, name, text), Ok(true));
    let small = if shows(source) { shrink(source, plan.attempts, shows) } else { source.to_string() };
    let file = plan.save.join(format!("{name}.min.py"));
    fs::write(&file, small)?;
    Ok(file)
}

/// Whether a changed program still shows a difference, one that is not about being a program or not.
fn check_runnable(plan: &Plan, name: &str, source: &str) -> io::Result<bool> {
    let file = plan.save.join(format!("{name}.shrinking.py"));
    fs::write(&file, source)?;
    let patience = plan.patience.min(Duration::from_secs(5));
    let compiles = |run: &Run| {
        let text = String::from_utf8_lossy(&run.err);
        run.status.is_some() && !text.contains("SyntaxError") && !text.contains("IndentationError")
    };
    let left = plan.left.run(&file, patience)?;
    let still = compiles(&left) && {
        let right = plan.right.run(&file, patience)?;
        compiles(&right) && (left.out != right.out || left.status != right.status || crashed(&left))
    };
    fs::remove_file(&file)?;
    Ok(still)
}

/// Whether a run ended as no Python program does by itself.
fn crashed(run: &Run) -> bool {
    !matches!(run.status, Some(0..=2))
}

/// Compares one saved program and makes it smaller if it shows a difference.
pub fn compare_file(plan: &Plan, file: &Path) -> io::Result<Option<String>> {
    fs::create_dir_all(&plan.save)?;
    let source = fs::read_to_string(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match check(plan, &name, &source)? {
        Verdict::Same => Ok(None),
        Verdict::Slow => Ok(Some("took too long".to_string())),
        Verdict::Different(what) => {
            let small = keep(plan, &name, &source)?;
            Ok(Some(format!("{what}\n  {}", small.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Configuration;
    use std::path::Path;

    #[test]
    fn a_configuration_is_words() {
        let found = Configuration::parse("A=1 B=x=y python -X jit=off", None).unwrap();
        assert_eq!(found.executable, Path::new("python"));
        assert_eq!(found.options, ["-X", "jit=off"]);
        assert_eq!(found.environment, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
        assert!(Configuration::parse("A=1", None).is_err());
    }
}

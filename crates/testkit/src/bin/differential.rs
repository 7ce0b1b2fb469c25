//! Compares two ways of running Python by random programs:
//!
//! ```text
//! cargo run -p pellucid-testkit --bin differential -- --left "target/release/pellucid -X jit=off" \
//!     --right "target/release/pellucid -X jit=eager" --cases 1000
//! ```
//!
//! A way is an executable with options, with `NAME=value` in front for its environment. Finds are saved and made small.
#![forbid(unsafe_code)]

use lexopt::prelude::{Long, Value, ValueExt};
use pellucid_testkit::differential::{Configuration, Plan, compare, compare_file};
use pellucid_testkit::generate::program;
use pellucid_testkit::random::Random;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: differential --left WAY --right WAY [--cases N] [--seed N] [--seconds N] [--jobs N] \
                     [--patience SECONDS] [--attempts N] [--save FOLDER] [FILE...]\n       differential --print SEED";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("differential: {error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// What an option does to the plan, which is made when the options were read.
type Setting = Box<dyn Fn(&mut Plan)>;

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let mut parser = lexopt::Parser::from_env();
    let (mut ways, mut files): ([Option<Configuration>; 2], Vec<PathBuf>) = ([None, None], Vec::new());
    let mut settings: Vec<Setting> = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("left") => ways[0] = Some(Configuration::parse(&parser.value()?.string()?, None)?),
            Long("right") => ways[1] = Some(Configuration::parse(&parser.value()?.string()?, None)?),
            Long("print") => {
                print!("{}", program(&mut Random::new(parser.value()?.parse()?)));
                return Ok(true);
            }
            Long("save") => {
                let folder = PathBuf::from(parser.value()?);
                settings.push(Box::new(move |plan| plan.save = folder.clone()));
            }
            Long(name) => {
                let name = name.to_string();
                let number: u64 = parser.value()?.parse()?;
                settings.push(match name.as_str() {
                    "cases" => Box::new(move |plan| plan.cases = number),
                    "seed" => Box::new(move |plan| plan.first_seed = number),
                    "seconds" => Box::new(move |plan| plan.time = Some(Duration::from_secs(number))),
                    "jobs" => Box::new(move |plan| plan.jobs = number as usize),
                    "patience" => Box::new(move |plan| plan.patience = Duration::from_secs(number)),
                    "attempts" => Box::new(move |plan| plan.attempts = number as usize),
                    _ => return Err(format!("no such option: --{name}").into()),
                });
            }
            Value(file) => files.push(file.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    let [Some(left), Some(right)] = ways else { return Err("two ways are needed".into()) };
    let mut plan = Plan::new(left, right, 1000);
    settings.iter().for_each(|set| set(&mut plan));
    if !files.is_empty() {
        let mut same = true;
        for file in files {
            if let Some(what) = compare_file(&plan, &file)? {
                println!("{}: {what}", file.display());
                same = false;
            }
        }
        return Ok(same);
    }
    let summary = compare(&plan)?;
    println!("{} programs, {} too slow, {} finds", summary.cases, summary.slow, summary.finds.len());
    Ok(summary.finds.is_empty())
}

//! Random input without end, on stable Rust: `cargo run --release -- TARGET [SECONDS [SEED]]`.
//!
//! A case that panics, kills the process or takes longer than a minute is a find: its seed is the last line of output, and
//! running with that seed shows it again. Targets: see [`TARGETS`].
#![forbid(unsafe_code)]

#[path = "../../crates/pellucid/tests/common/mod.rs"]
mod common;

use common::{Sandbox, programs, sure};
use pellucid_runtime::on_big_stack;
use pellucid_testkit::random::{Random, changed, damaged, program};
use std::io::Write;
use std::time::{Duration, Instant};

type Target = fn(&Sandbox, &mut Random, &[String]);

/// What can be fuzzed: name and one case.
const TARGETS: &[(&str, Target)] =
    &[("parser", parser), ("compiler", compiler), ("marshal", marshal), ("programs", run_program)];

/// An interpreter lives for so many cases.
const CASES: u64 = 500;

/// Sources with changes through `ast.parse`.
fn parser(sandbox: &Sandbox, random: &mut Random, sources: &[String]) {
    let source = changed(random, sources);
    let source = sure(sandbox.vm().new_str(&source));
    sandbox.expect_no_bug(&sandbox.call("ast", "parse", &[source]));
}

/// Sources with changes through the compiler; what it emits must pass the verifier.
fn compiler(sandbox: &Sandbox, random: &mut Random, sources: &[String]) {
    let code = sandbox.compile(&changed(random, sources));
    sandbox.expect_no_bug(&code);
    if let Ok(code) = code {
        let bytes = sandbox.dumps(code).expect("code has a form in bytes");
        sandbox.loads(bytes).expect("compiled code is valid");
    }
}

/// Damaged compiled code, loaded and run.
fn marshal(sandbox: &Sandbox, random: &mut Random, sources: &[String]) {
    let source = &sources[random.below(sources.len())];
    let Ok(code) = sandbox.compile(source) else { return };
    let bytes = sandbox.dumps(code).expect("code has a form in bytes");
    let bytes = sandbox.limited(|vm| vm.expect_bytes(&bytes).map(<[u8]>::to_vec)).expect("bytes");
    let bytes = sure(sandbox.vm().new_bytes(damaged(random, &bytes)));
    if let Ok(code) = sandbox.loads(bytes)
        && &*sandbox.vm().type_name(&code) == "code"
    {
        // Whether it raises is its own affair.
        let _ = sandbox.exec(&code);
    }
}

/// Random programs, run.
fn run_program(sandbox: &Sandbox, random: &mut Random, _: &[String]) {
    if let Ok(code) = sandbox.compile(&program(random)) {
        sandbox.expect_no_bug(&sandbox.exec(&code));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = arguments.first().map_or("", String::as_str);
    let Some((name, target)) = TARGETS.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: pellucid-fuzz {} [SECONDS [SEED]]", names.join("|"));
        std::process::exit(2);
    };
    let number =
        |at: usize, usual: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (seconds, first) = (number(1, 60), number(2, 1));
    let sources = programs();
    on_big_stack(|| {
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut seed = first;
        while Instant::now() < until {
            let sandbox = Sandbox::new(400 << 20);
            for _ in 0..CASES {
                print!("\r{name} {seed}");
                // A terminal that cannot be written to shows nothing.
                let _ = std::io::stdout().flush();
                target(&sandbox, &mut Random::new(seed), &sources);
                seed += 1;
                if Instant::now() > until {
                    break;
                }
            }
        }
        println!("\r{name}: {} cases", seed - first);
    });
}

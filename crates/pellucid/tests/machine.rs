//! What machine code is said to do happens: the programs of `machine`, each with a function `f` and its `answer`.
//!
//! Lines `# claim: what >= n` (or `= n`) at the head of a program are held against what was counted while the machine code of `f`
//! that was made last was compiled. Where a file `.txt` stands beside a program, the graph of that code, as it is built
//! and as it is improved, must be the one there; `PELLUCID_BLESS=1` writes those files. Offsets in objects are left
//! out of them, for they are the business of Rust's compiler.

use pellucid_interp::code::CodeObject;
use pellucid_interp::function::Function;
use pellucid_jit::{Code, Options};
use pellucid_runtime::{Config, Pellucid, on_big_stack};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

struct Seen {
    answer: String,
    tally: HashMap<String, u32>,
    graphs: String,
    notes: Vec<String>,
}

/// Runs a program with or without machine code.
fn run(source: &str, compiles: bool) -> Result<Seen, String> {
    let options = Options {
        loop_heat: 20,
        call_heat: 20,
        observe: 12,
        eager: true,
        record: true,
        ..Options::default()
    };
    let config = Config { jit: compiles.then_some(options), hash_seed: Some(0), ..Config::default() };
    let pellucid = Pellucid::start(config)?;
    let vm = pellucid.vm();
    let seen = (|| {
        pellucid.run_source(source.as_bytes(), "<test>")?;
        let answer = pellucid.eval("repr(answer)").map(|text| vm.str_lossy(&text))?;
        Ok((answer, pellucid.eval("f")?))
    })();
    let seen = match seen {
        Ok((answer, function)) => {
            let code =
                function.downcast::<Function>().and_then(|f| f.code.get()).ok_or("f is no function")?;
            let form =
                code.downcast::<CodeObject>().and_then(|code| code.plain_form()).ok_or("f never ran")?;
            let natives = form.natives.borrow();
            let last = natives.last().and_then(|native| native.as_any().downcast_ref::<Code>());
            let mut seen = Seen { answer, tally: HashMap::new(), graphs: String::new(), notes: Vec::new() };
            if let Some(code) = last {
                seen.tally = code.record.tally.iter().map(|(what, n)| (what.to_string(), n)).collect();
                seen.notes = code.record.notes.clone();
                for stage in ["built", "improved"] {
                    let text = code.record.stages.iter().find(|(name, _)| *name == stage);
                    let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
                    seen.graphs += &format!("{stage}:\n{}\n", without_offsets(text));
                }
            }
            Ok(seen)
        }
        Err(raised) => Err(format!("raised {}", vm.type_name(&vm.take_raised(raised)))),
    };
    pellucid.end(0);
    seen
}

/// `Load List+24 v3` without the number.
fn without_offsets(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('+') {
        let (before, behind) = rest.split_at(at);
        out += before;
        rest = behind[1..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

/// What is wrong with a program.
fn check(file: &Path) -> Result<(), String> {
    let source = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let (compiled, interpreted) = (run(&source, true)?, run(&source, false)?);
    if compiled.answer != interpreted.answer {
        return Err(format!("gives {}, not {}", compiled.answer, interpreted.answer));
    }
    for claim in source.lines().filter_map(|line| line.strip_prefix("# claim: ")) {
        let words: Vec<&str> = claim.split(' ').collect();
        let [what @ .., sign, number] = words.as_slice() else { return Err(format!("what is {claim:?}?")) };
        let number: u32 = number.parse().map_err(|_| format!("what is {claim:?}?"))?;
        let counted = compiled.tally.get(&what.join(" ")).copied().unwrap_or(0);
        let holds = match *sign {
            ">=" => counted >= number,
            "=" => counted == number,
            _ => return Err(format!("what is {claim:?}?")),
        };
        if !holds {
            let counts: Vec<String> = compiled.tally.iter().map(|(what, n)| format!("{what}: {n}")).collect();
            let (notes, counts) = (compiled.notes.join("\n"), counts.join("\n"));
            return Err(format!("{claim}: it is {counted}\n{notes}\n{counts}"));
        }
    }
    let expected = file.with_extension("txt");
    if !expected.exists() {
        return Ok(());
    }
    if std::env::var_os("PELLUCID_BLESS").is_some() {
        return fs::write(&expected, &compiled.graphs).map_err(|error| error.to_string());
    }
    let wanted = fs::read_to_string(&expected).map_err(|error| error.to_string())?;
    let differs = wanted.lines().zip(compiled.graphs.lines()).position(|(a, b)| a != b);
    match differs {
        None if wanted.lines().count() == compiled.graphs.lines().count() => Ok(()),
        _ => Err(format!(
            "another graph, from line {} on:\n{}",
            differs.map_or(wanted.lines().count(), |at| at) + 1,
            compiled.graphs
        )),
    }
}

#[test]
fn machine_code_does_what_is_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machine");
    let entries = fs::read_dir(&folder).expect("the programs");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
    files.sort();
    assert!(!files.is_empty());
    let wrong = on_big_stack(move || {
        let wrong = files.iter().filter_map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            check(file).err().map(|why| format!("{name}: {why}"))
        });
        wrong.collect::<Vec<String>>()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

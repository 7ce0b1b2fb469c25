//! The code of each `tests/dis/*.py` against its `.dis`, which CPython 3.10 printed.

use pellucid_bytecode::{Code, Const, Wtf8, dis, verify};
use pellucid_compiler::{Options, compile};
use pellucid_syntax::{Mode, Source, parse};
use std::fmt::Write;
use std::path::Path;

/// Constants as Python shows them, without the addresses of code objects.
fn repr(value: &Const) -> String {
    match value {
        Const::Code(code) => format!(
            "<code object {}, file \"{}\", line {}>",
            code.name.to_lossy(),
            code.filename.to_lossy(),
            code.firstlineno
        ),
        _ => dis::repr(value),
    }
}

fn dump(code: &Code, out: &mut Vec<String>) {
    out.push(format!(
        "code {}: argcount {}, posonly {}, kwonly {}, stacksize {}, flags {:#x}, line {}",
        code.name.to_lossy(),
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.stacksize,
        code.flags,
        code.firstlineno
    ));
    let lists: [(&str, &[Wtf8]); 4] = [
        ("names", &code.names),
        ("varnames", &code.varnames),
        ("cellvars", &code.cellvars),
        ("freevars", &code.freevars),
    ];
    for (what, names) in lists {
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(Wtf8::to_lossy).collect();
            out.push(format!("{what}: {}", names.join(" ")));
        }
    }
    out.push(dis::listing_with(code, None, &repr));
    for value in &code.consts {
        if let Const::Code(inner) = value {
            dump(inner, out);
        }
    }
}

fn check(path: &Path) -> Result<(), String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let parsed = parse(Source::from_text(read(path)?), Mode::Exec).map_err(|e| format!("{name}: {e}"))?;
    let options = Options { like_3_10: true, ..Options::default() };
    let code = compile(&parsed, &name, &options).map_err(|e| format!("{name}: {e}"))?;
    verify::verify(&code).map_err(|e| format!("{name}: {e}"))?;
    let mut out = Vec::new();
    dump(&code, &mut out);
    let (ours, expected) = (out.join("\n"), read(&path.with_extension("dis"))?);
    let mut report = String::new();
    for (number, (a, b)) in
        ours.lines().zip(expected.lines()).enumerate().filter(|(_, (a, b))| a != b).take(4)
    {
        let _ = write!(report, "\n  line {}: expected {b:?}\n  {:>9}{a:?}", number + 1, "");
    }
    match ours == expected {
        true => Ok(()),
        false => Err(format!("{name} differs:{report}")),
    }
}

#[test]
fn listings_are_those_of_cpython_3_10() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dis");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    files.sort();
    assert!(files.len() >= 60, "{} cases", files.len());
    let failures: Vec<String> = files.iter().filter_map(|path| check(path).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

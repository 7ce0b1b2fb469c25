//! Prints all that a compiled file's code objects hold, for comparison with another compiler.
//!
//! `dump [--plain] FILE...`; `--plain`: class bodies as 3.10 has them.

use pellucid_bytecode::dis::repr;
use pellucid_bytecode::lines;
use pellucid_bytecode::{Code, Const, decode};
use pellucid_compiler::{Options, compile_with_warnings};
use pellucid_syntax::{Mode, Source, parse};
use std::fmt::Write;

fn constant(value: &Const) -> String {
    match value {
        Const::Code(code) => format!("<code {}>", code.name.to_lossy()),
        Const::FrozenSet(items) => {
            let mut items: Vec<String> = items.iter().map(constant).collect();
            items.sort();
            format!("frozenset({})", items.join(", "))
        }
        Const::Tuple(items) => format!("({})", items.iter().map(constant).collect::<Vec<_>>().join(", ")),
        _ => repr(value),
    }
}

fn dump(code: &Code, out: &mut String) {
    let names = |names: &[pellucid_bytecode::Wtf8]| {
        names.iter().map(|n| n.to_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    let _ = writeln!(
        out,
        "code {} {} {} {} stack={} flags={:#x} line={}",
        code.name.to_lossy(),
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.stacksize,
        code.flags,
        code.firstlineno
    );
    let _ = writeln!(out, " names {}", names(&code.names));
    let _ = writeln!(out, " varnames {}", names(&code.varnames));
    let _ = writeln!(out, " cellvars {}", names(&code.cellvars));
    let _ = writeln!(out, " freevars {}", names(&code.freevars));
    for value in &code.consts {
        let _ = writeln!(out, " const {}", constant(value));
    }
    let ranges: Vec<_> =
        lines::decode(i32::try_from(code.firstlineno).unwrap_or(1), &code.linetable).collect();
    for instr in decode::instrs(&code.code) {
        let line = ranges
            .iter()
            .find(|r| r.start <= instr.offset && instr.offset < r.end)
            .and_then(|r| r.line)
            .map_or("None".to_string(), |l| l.to_string());
        let name = instr.op().map_or("?", |op| op.name());
        let _ = writeln!(out, " {} {} {} {}", line, instr.offset, name, instr.arg);
    }
    for value in &code.consts {
        if let Const::Code(inner) = value {
            dump(inner, out);
        }
    }
}

fn placed(e: &pellucid_syntax::SyntaxError) -> String {
    format!("{e} at {}:{}-{}:{}", e.line, e.offset, e.end_line, e.end_offset)
}

fn main() {
    let mut options = Options::default();
    for file in std::env::args().skip(1) {
        if file == "--plain" {
            options.like_3_10 = true;
            continue;
        }
        let mut out = String::new();
        let code = std::fs::read(&file).map_err(|e| e.to_string()).and_then(|bytes| {
            let parsed = Source::from_bytes(&bytes)
                .and_then(|source| parse(source, Mode::Exec))
                .map_err(|e| format!("parse: {}", placed(&e)))?;
            let compiled = compile_with_warnings(&parsed, &file, &options)
                .map_err(|e| format!("compile: {}", placed(&e)))?;
            for warning in compiled.warnings {
                let line = parsed.source.line(warning.range.start());
                eprintln!("warning {line} {}", warning.message);
            }
            let code = compiled.code;
            pellucid_bytecode::verify::verify(&code).map_err(|e| format!("verify: {e}"))?;
            Ok(code)
        });
        println!("file {file}");
        match code {
            Ok(code) => {
                dump(&code, &mut out);
                print!("{out}");
            }
            Err(error) => println!("error {error}"),
        }
    }
}

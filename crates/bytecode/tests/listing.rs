//! What 3.10 compiled of `listing/sample.py`: it is read, verified and listed as there.
//!
//! `sample.marshal` holds its code in our record, `sample.dis` what `dis.disassemble` of 3.10.13
//! printed for each code object, addresses written as 0x0.

use pellucid_bytecode::code::{Code, Const};
use pellucid_bytecode::{dis, marshal, verify};

fn sample() -> Code {
    marshal::read_code(include_bytes!("listing/sample.marshal")).unwrap()
}

fn list_all(code: &Code, out: &mut Vec<String>) {
    out.push(format!("# {}\n{}", code.name.to_lossy(), dis::listing(code, None)));
    for c in &code.consts {
        if let Const::Code(inner) = c {
            list_all(inner, out);
        }
    }
}

fn without_addresses(text: &str) -> String {
    let mut parts = text.split(" at 0x");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out += " at 0x0";
        out += part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out
}

#[test]
fn listings_are_those_of_3_10() {
    let mut ours = Vec::new();
    list_all(&sample(), &mut ours);
    let ours = without_addresses(&ours.join("\n"));
    for (ours, theirs) in ours.lines().zip(include_str!("listing/sample.dis").lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours, include_str!("listing/sample.dis"));
}

#[test]
fn what_3_10_compiles_is_accepted_and_survives_marshal() {
    let code = sample();
    verify::verify(&code).unwrap();
    let bytes = marshal::write_code(&code).unwrap();
    assert_eq!(marshal::read_code(&bytes).unwrap(), code);
    assert!(bytes.len() < include_bytes!("listing/sample.marshal").len());
}

//! Int and float operators against results that CPython 3.13 printed: `a op b result`.

use pellucid_object::int::IBig;
use pellucid_object::{BinOp, CmpOp, Interpreter, Res, Value};

fn number(vm: &Interpreter, text: &str) -> Value {
    match text {
        "True" => Value::TRUE,
        _ if text.contains(['.', 'e', 'n']) => vm.new_float(text.parse().expect("a float")).expect("memory"),
        _ => vm.new_big(text.parse::<IBig>().expect("an int")).expect("memory"),
    }
}

fn apply(vm: &Interpreter, a: &Value, op: &str, b: &Value) -> Res {
    if op == "hash" {
        return vm.new_int(vm.hash(a)?);
    }
    if let Some(op) = CmpOp::ALL.iter().find(|o| o.sign() == op) {
        return vm.compare(*op, a, b);
    }
    let op = if op == "**" { BinOp::Pow.sign() } else { op };
    let op = BinOp::ALL.iter().find(|o| o.sign() == op).expect("an operator");
    vm.binary(*op, a, b)
}

/// Runs each line; results are shown by `show`.
fn check(table: &str, show: fn(&Interpreter, &Value) -> String) {
    let vm = Interpreter::new().expect("memory");
    pellucid_types::install(&vm).expect("install");
    for line in table.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (a, op, b, expected) = match words[0] {
            "hash" => (words[1], "hash", words[2], words[3]),
            _ => (words[0], words[1], words[2], words[3]),
        };
        let got = match apply(&vm, &number(&vm, a), op, &number(&vm, b)) {
            Err(raised) => vm.type_name(&vm.take_raised(raised)).to_string(),
            Ok(value) => show(&vm, &value),
        };
        assert_eq!(got, expected, "{line}");
    }
}

/// Floats stand in this table as their bits in hexadecimal.
#[test]
fn ints_compute_as_in_cpython() {
    check(include_str!("int_operators.txt"), |vm, value| match value.as_float() {
        Some(f) => format!("{:016x}", f.to_bits()),
        None => vm.repr_lossy(value).expect("repr"),
    });
}

#[test]
fn floats_compute_and_print_as_in_cpython() {
    check(include_str!("float_operators.txt"), |vm, value| vm.repr_lossy(value).expect("repr"));
}

//! Int operators against results that CPython 3.13 printed: `a op b result`, floats as their bits in hexadecimal.

use pellucid_object::int::IBig;
use pellucid_object::{BinOp, CmpOp, Interpreter, Res, Value};

fn number(vm: &Interpreter, text: &str) -> Value {
    match text {
        "True" => Value::TRUE,
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

#[test]
fn results_are_those_of_cpython() {
    let vm = Interpreter::new().expect("memory");
    pellucid_types::install(&vm).expect("install");
    let mut lines = 0;
    for line in include_str!("int_operators.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (a, op, b, expected) = match words[0] {
            "hash" => (words[1], "hash", words[2], words[3]),
            _ => (words[0], words[1], words[2], words[3]),
        };
        let got = match apply(&vm, &number(&vm, a), op, &number(&vm, b)) {
            Err(raised) => vm.type_name(&vm.take_raised(raised)).to_string(),
            Ok(value) => match value.as_float() {
                Some(f) => format!("{:016x}", f.to_bits()),
                None => vm.repr_lossy(&value).expect("repr"),
            },
        };
        assert_eq!(got, expected, "{line}");
        lines += 1;
    }
    assert!(lines > 3000);
}

//! Tables of calls and what CPython printed for them. A line is `function|argument|...|expected`, where `.name` is a
//! method of the first argument and `%` the operator; expected is a `repr`, or type and message of an exception.

use pellucid_object::int::IBig;
use pellucid_object::{BinOp, Interpreter, Res, Value};

fn literal(vm: &Interpreter, text: &str) -> Value {
    let quoted = |quote: &str| text.strip_prefix(quote).and_then(|t| t.strip_suffix('\''));
    let made = match text {
        "True" => Ok(Value::TRUE),
        "None" => Ok(Value::NONE),
        _ if text.starts_with("b'") => vm.new_bytes(quoted("b'").expect("bytes").as_bytes().to_vec()),
        _ if text.starts_with('\'') => vm.new_str(quoted("'").expect("a str")),
        _ if text.starts_with('(') && text.contains(';') => {
            let items = text.trim_matches(['(', ')']).split(';').filter(|t| !t.is_empty());
            vm.new_tuple(items.map(|t| literal(vm, t)).collect())
        }
        _ if text.ends_with('j') || text.starts_with('(') => {
            let text = vm.new_str(text).expect("memory");
            let complex = vm.type_for(&pellucid_types::complex::COMPLEX).expect("type");
            vm.call_values(complex.value(), &[text])
        }
        _ if text.contains(['.', 'e', 'n']) => vm.new_float(text.parse().expect("a float")),
        _ => vm.new_big(text.parse::<IBig>().expect("an int")),
    };
    made.unwrap_or_else(|_| panic!("{text}"))
}

/// `resolve` finds the object that the first part of a function's name says.
fn call(vm: &Interpreter, resolve: fn(&Interpreter, &str) -> Res, name: &str, args: &[Value]) -> Res {
    if let Some(method) = name.strip_prefix('.') {
        return vm.call_attr(&args[0], method, &args[1..]);
    }
    if name == "%" {
        return vm.binary(BinOp::Mod, &args[0], &args[1]);
    }
    let (object, attribute) = name.split_once('.').unwrap_or((name, ""));
    let function = resolve(vm, object)?;
    if attribute.is_empty() {
        vm.call_values(&function, args)
    } else {
        vm.call_attr(&function, attribute, args)
    }
}

/// Makes each call of a table; panics with those that give something else.
pub fn check(table: &str, resolve: fn(&Interpreter, &str) -> Res) {
    let vm = Interpreter::new().expect("memory");
    pellucid_types::install(&vm).expect("install");
    drop(pellucid_types::builtins::make_builtins(&vm).expect("builtins"));
    let mut wrong = Vec::new();
    for line in table.lines() {
        let mut words: Vec<&str> = line.split('|').collect();
        let expected = words.pop().unwrap_or_default();
        let args: Vec<Value> = words[1..].iter().map(|w| literal(&vm, w)).collect();
        let got = match call(&vm, resolve, words[0], &args) {
            Ok(value) => vm.repr_lossy(&value).expect("repr"),
            Err(raised) => {
                let exception = vm.take_raised(raised);
                let message = vm.str(&exception).expect("str");
                format!("{}: {}", vm.type_name(&exception), vm.str_lossy(&message))
            }
        };
        if got != expected {
            wrong.push(format!("{line}\n    {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

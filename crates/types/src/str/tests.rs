//! Results and messages printed by CPython 3.13.

use super::*;

fn interpreter() -> Box<Interpreter> {
    let vm = Interpreter::new().expect("memory");
    crate::install(&vm).expect("install");
    vm
}

#[test]
fn repr_quotes_and_escapes_as_cpython_does() {
    let vm = interpreter();
    for (points, expected) in [
        ("it's", r#""it's""#),
        ("\"'", r#"'"\''"#),
        ("a\n\t\r\\\0\u{7f}", r"'a\n\t\r\\\x00\x7f'"),
        ("é\u{a0}\u{200b}\u{e000}\u{1f600}", "'é\\xa0\\u200b\\ue000\u{1f600}'"),
    ] {
        let value = vm.new_str(points).expect("str");
        assert_eq!(vm.repr_lossy(&value).expect("repr"), expected);
    }
    let lone = from_code_points(&vm, &[0xd800]).expect("str");
    assert_eq!(vm.repr_lossy(&lone).expect("repr"), r"'\ud800'");
}

#[test]
fn operators_and_methods() {
    let vm = interpreter();
    let string = |s: &str| vm.new_str(s).expect("str");
    let int = |i: i64| vm.new_int(i).expect("int");
    let shown = |result: Res| match result {
        Ok(value) => vm.repr_lossy(&value).expect("repr"),
        Err(raised) => vm.str_lossy(&vm.str(&vm.take_raised(raised)).expect("str")),
    };
    let call = |this: &str, name: &str, args: &[Value]| shown(vm.call_attr(&string(this), name, args));
    assert_eq!(shown(vm.binary(BinOp::Add, &string("añ"), &string("€"))), "'añ€'");
    assert_eq!(shown(vm.binary(BinOp::Mul, &int(3), &string("ab"))), "'ababab'");
    assert_eq!(shown(vm.binary(BinOp::Mul, &string("ab"), &int(-1))), "''");
    assert_eq!(
        shown(vm.binary(BinOp::Add, &string("a"), &int(1))),
        "can only concatenate str (not \"int\") to str"
    );
    assert_eq!(shown(vm.get_item(&string("añ€"), &int(-1))), "'€'");
    assert_eq!(shown(vm.get_item(&string("a"), &int(1))), "string index out of range");
    assert_eq!(
        shown(vm.get_item(&string("a"), &Value::NONE)),
        "string indices must be integers, not 'NoneType'"
    );
    assert!(vm.contains(&string("x€yz"), &string("€y")).expect("no error"));
    assert!(vm.compare(CmpOp::Lt, &string("Z"), &string("é")).expect("no error").is_true());
    let parts = vm.new_list(vec![string("a"), string("ñ")]).expect("list");
    assert_eq!(call(", ", "join", &[parts]), "'a, ñ'");
    let wrong = vm.new_list(vec![int(1)]).expect("list");
    assert_eq!(call("", "join", &[wrong]), "sequence item 0: expected str instance, int found");
    assert_eq!(call("Straße ŉ", "upper", &[]), "'STRASSE ʼN'");
    assert_eq!(call("x1", "isidentifier", &[]), "True");
    assert_eq!(call("a b  c", "split", &[]), "['a', 'b', 'c']");
    assert_eq!(call("a,b,c", "rsplit", &[string(","), int(1)]), "['a,b', 'c']");
    assert_eq!(call("a\r\nb", "splitlines", &[]), "['a', 'b']");
    assert_eq!(call("a-b", "partition", &[string("-")]), "('a', '-', 'b')");
    assert_eq!(call("aXbX", "replace", &[string("X"), string("yy")]), "'ayybyy'");
    assert_eq!(call("abc", "find", &[string("c"), int(-1)]), "2");
    assert_eq!(
        call("abc", "startswith", &[int(1)]),
        "startswith first arg must be str or a tuple of str, not int"
    );
    assert_eq!(call("abc", "index", &[string("x")]), "substring not found");
    assert_eq!(call("  a ", "strip", &[]), "'a'");
    assert_eq!(call("ab", "center", &[int(5), string("*")]), "'**ab*'");
    assert_eq!(call("é", "encode", &[]), "b'\\xc3\\xa9'");
    let table = vm.call_attr(vm.types().str.value(), "maketrans", &[string("ab"), string("x€"), string("c")]);
    assert_eq!(call("abcd", "translate", &[table.expect("table")]), "'x€d'");
}

#[test]
fn appending_to_a_string_that_nobody_else_holds_keeps_the_object() {
    let vm = interpreter();
    let part = vm.new_str("0123456789").expect("str");
    let mut sum = vm.made_text(Text::from_utf8("ab€").and_then(|t| t.repeat(20))).expect("str");
    let hash = vm.hash(&sum).expect("hash");
    let added = part.downcast::<Str>().expect("str");
    for _ in 0..100 {
        assert_eq!(vm.str_append(&mut sum, added), Ok(true));
    }
    assert_ne!(vm.hash(&sum).expect("hash"), hash);
    assert_eq!(vm.len(&sum).expect("len"), 60 + 1000);
    let held = sum.clone();
    assert_eq!(vm.str_append(&mut sum, added), Ok(false));
    sum = vm.str_concat(&sum, &part).expect("append");
    assert_eq!((vm.len(&held).expect("len"), vm.len(&sum).expect("len")), (1060, 1070));
}

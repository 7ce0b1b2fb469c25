//! What the types do, in results and in the words of their errors.

use pellucid_object::{CallArgs, CmpOp, Exception, Interpreter, Res, Tuple, Value};

struct Py(Box<Interpreter>);

impl Py {
    fn new() -> Py {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("types");
        Py(vm)
    }
    fn ints(&self, items: &[i64]) -> Vec<Value> {
        items.iter().map(|&i| self.0.new_int(i).expect("int")).collect()
    }
    fn list(&self, items: &[i64]) -> Value {
        self.0.new_list(self.ints(items)).expect("list")
    }
    fn tuple(&self, items: &[i64]) -> Value {
        self.0.new_tuple(self.ints(items)).expect("tuple")
    }
    fn int(&self, i: i64) -> Value {
        self.0.new_int(i).expect("int")
    }
    fn slice(&self, parts: [Option<i64>; 3]) -> Value {
        let [a, b, c] = parts.map(|p| p.map_or(Value::NONE, |i| self.int(i)));
        crate::slice::new_slice(&self.0, a, b, c).expect("slice")
    }
    fn method(&self, this: &Value, name: &str, args: &[Value]) -> Res {
        self.0.call_attr(this, name, args)
    }
    /// The ints of an iterable.
    fn read(&self, value: &Value) -> Vec<i64> {
        self.0.collect(value).expect("iterable").iter().filter_map(Value::as_small_int).collect()
    }
    fn error<T>(&self, result: Res<T>) -> String {
        let Err(raised) = result else { panic!("no error") };
        let exception = self.0.take_raised(raised);
        let args = exception.downcast::<Exception>().and_then(|e| e.args.get()).expect("args");
        let first = args.downcast::<Tuple>().and_then(|t| t.get(0)).expect("a message");
        format!("{}: {}", self.0.type_name(&exception), self.0.str_lossy(&first))
    }
}

#[test]
fn a_list_is_made_changed_and_read() {
    let py = Py::new();
    let list = py.list(&[3, 1, 2]);
    py.method(&list, "append", &[py.int(7)]).expect("append");
    py.method(&list, "insert", &[py.int(-1), py.int(9)]).expect("insert");
    assert_eq!(py.read(&list), [3, 1, 2, 9, 7]);
    assert_eq!(py.method(&list, "pop", &[]).expect("pop").as_small_int(), Some(7));
    py.method(&list, "extend", std::slice::from_ref(&list)).expect("extend");
    py.method(&list, "remove", &[py.int(3)]).expect("remove");
    assert_eq!(py.read(&list), [1, 2, 9, 3, 1, 2, 9]);
    py.method(&list, "sort", &[]).expect("sort");
    assert_eq!(py.read(&list), [1, 1, 2, 2, 3, 9, 9]);
    assert_eq!(py.error(py.method(&list, "index", &[py.int(4)])), "ValueError: list.index(x): x not in list");
    assert_eq!(py.error(py.0.get_item(&list, &py.int(7))), "IndexError: list index out of range");
    assert_eq!(
        py.error(py.0.get_item(&list, &Value::NONE)),
        "TypeError: list indices must be integers or slices, not NoneType"
    );
    assert_eq!(py.error(py.0.hash(&list)), "TypeError: unhashable type: 'list'");
    py.method(&list, "clear", &[]).expect("clear");
    assert_eq!(py.error(py.method(&list, "pop", &[])), "IndexError: pop from empty list");
}

#[test]
fn slices_of_lists_are_read_assigned_and_deleted() {
    let py = Py::new();
    let list = py.list(&[0, 1, 2, 3, 4, 5]);
    let back = py.0.get_item(&list, &py.slice([None, None, Some(-2)])).expect("slice");
    assert_eq!(py.read(&back), [5, 3, 1]);
    py.0.set_item(&list, &py.slice([Some(1), Some(3), None]), Some(&py.list(&[9]))).expect("assign");
    assert_eq!(py.read(&list), [0, 9, 3, 4, 5]);
    py.0.set_item(&list, &py.slice([None, None, Some(-2)]), None).expect("delete");
    assert_eq!(py.read(&list), [9, 4]);
    py.0.set_item(&list, &py.slice([Some(5), Some(0), None]), Some(&list)).expect("assign");
    assert_eq!(py.read(&list), [9, 4, 9, 4]);
    let result = py.0.set_item(&list, &py.slice([None, None, Some(2)]), Some(&py.list(&[1])));
    assert_eq!(
        py.error(result),
        "ValueError: attempt to assign sequence of size 1 to extended slice of size 2"
    );
    let zero = py.0.get_item(&list, &py.slice([None, None, Some(0)]));
    assert_eq!(py.error(zero), "ValueError: slice step cannot be zero");
    let indices =
        py.method(&py.slice([Some(-3), None, Some(-1)]), "indices", &[py.int(10)]).expect("indices");
    assert_eq!(py.read(&indices), [7, -1, -1]);
}

#[test]
fn iterators_see_a_list_change_and_stay_at_their_end() {
    let py = Py::new();
    let list = py.list(&[1]);
    let it = py.0.iter(&list).expect("iterator");
    let next = || py.0.next(&it).expect("next").and_then(|v| v.as_small_int());
    assert_eq!(next(), Some(1));
    py.method(&list, "append", &[py.int(2)]).expect("append");
    assert_eq!((next(), next()), (Some(2), None));
    py.method(&list, "append", &[py.int(3)]).expect("append");
    assert_eq!(next(), None);
}

#[test]
fn sorting_is_stable_and_keeps_all_items_on_errors() {
    let py = Py::new();
    let list = py.list(&[2, 1, 3]);
    let sort = py.0.get_attr_str(&list, "sort").expect("sort");
    let names = [py.0.intern("key").expect("name"), py.0.intern("reverse").expect("name")];
    // A key that is the same for all: the order stays, in reverse too.
    let same = py.0.get_attr_str(&py.list(&[]), "count").expect("count");
    py.0.call(&sort, &CallArgs { values: &[same, Value::TRUE], names: &names }).expect("sort");
    assert_eq!(py.read(&list), [2, 1, 3]);
    let many: Vec<i64> = (0..1000).map(|i| i * 7919 % 1009).collect();
    let list = py.list(&many);
    py.method(&list, "sort", &[]).expect("sort");
    assert!(py.read(&list).is_sorted());
    let mixed = py.0.new_list(vec![py.int(2), Value::NONE, py.int(1)]).expect("list");
    assert_eq!(
        py.error(py.method(&mixed, "sort", &[])),
        "TypeError: '<' not supported between instances of 'NoneType' and 'int'"
    );
    assert_eq!(py.0.len(&mixed).expect("len"), 3);
}

#[test]
fn tuples_compare_hash_and_repeat() {
    let py = Py::new();
    let (a, b) = (py.tuple(&[1, 2]), py.tuple(&[1, 3]));
    assert!(py.0.compare(CmpOp::Ne, &a, &b).expect("compare").is_true());
    assert_eq!(py.0.hash(&py.tuple(&[1, 2, 3])).expect("hash"), 529344067295497451);
    let sum = py.0.binary(pellucid_object::BinOp::Add, &py.list(&[1]), &a);
    assert_eq!(py.error(sum), "TypeError: can only concatenate list (not \"tuple\") to list");
    let twice = py.0.binary(pellucid_object::BinOp::Mul, &py.int(2), &a);
    assert_eq!(py.read(&twice.expect("repeat")), [1, 2, 1, 2]);
    assert_eq!(py.error(py.method(&a, "index", &[py.int(9)])), "ValueError: tuple.index(x): x not in tuple");
}

#[test]
fn a_list_inside_itself_is_written_with_dots() {
    let py = Py::new();
    let list = py.0.new_list(Vec::new()).expect("list");
    py.method(&list, "append", std::slice::from_ref(&list)).expect("append");
    assert_eq!(py.0.repr_lossy(&list).expect("repr"), "[[...]]");
}

#[test]
fn dicts_are_filled_read_and_compared() {
    let py = Py::new();
    let make = || {
        let pairs = py.0.new_list(vec![py.tuple(&[1, 10]), py.tuple(&[2, 20])]).expect("list");
        py.0.call_values(py.0.types().dict.value(), &[pairs]).expect("dict")
    };
    let dict = make();
    assert!(py.0.compare(CmpOp::Eq, &dict, &make()).expect("compare").is_true());
    assert_eq!(py.read(&py.method(&dict, "values", &[]).expect("values")), [10, 20]);
    assert_eq!(py.read(&py.method(&dict, "__reversed__", &[]).expect("reversed")), [2, 1]);
    assert_eq!(py.method(&dict, "get", &[py.int(3), py.int(7)]).expect("get").as_small_int(), Some(7));
    assert!(py.error(py.0.get_item(&dict, &py.int(3))).starts_with("KeyError"));
    assert_eq!(py.read(&py.method(&dict, "popitem", &[]).expect("popitem")), [2, 20]);
    let bad = py.0.call_values(py.0.types().dict.value(), &[py.list(&[1])]);
    assert_eq!(py.error(bad), "TypeError: object is not iterable");
    let short = py.0.new_list(vec![py.tuple(&[1])]).expect("list");
    assert_eq!(
        py.error(py.method(&dict, "update", &[short])),
        "ValueError: dictionary update sequence element #0 has length 1; 2 is required"
    );
    let it = py.0.iter(&dict).expect("iterator");
    py.0.set_item(&dict, &py.int(5), Some(&Value::NONE)).expect("set");
    assert_eq!(py.error(py.0.next(&it)), "RuntimeError: dictionary changed size during iteration");
    assert_eq!(py.error(py.0.hash(&dict)), "TypeError: unhashable type: 'dict'");
}

#[test]
fn ranges_count_up_and_down() {
    let py = Py::new();
    let ty = py.0.type_for(&crate::range::RANGE).expect("type");
    let range = py.0.call_values(ty.value(), &py.ints(&[7, 0, -3])).expect("range");
    assert_eq!(py.read(&range), [7, 4, 1]);
    assert_eq!(py.0.get_item(&range, &py.int(-1)).expect("item").as_small_int(), Some(1));
    assert_eq!(py.error(py.0.get_item(&range, &py.int(3))), "IndexError: range object index out of range");
    assert_eq!(py.0.repr_lossy(&range).expect("repr"), "range(7, 0, -3)");
}

#[test]
fn bytes_are_searched_changed_and_refused_in_cpythons_words() {
    let py = Py::new();
    let b = |s: &str| py.0.bytes_from(s.as_bytes()).expect("bytes");
    let show = |v: Res| py.0.repr_lossy(&v.expect("a result")).expect("repr");
    assert_eq!(show(py.method(&b("a,b,,c"), "split", &[b(",")])), "[b'a', b'b', b'', b'c']");
    assert_eq!(show(py.method(&b("aXbX"), "replace", &[b("X"), b("--")])), "b'a--b--'");
    assert_eq!(show(py.method(&b("abc"), "find", &[py.int(98)])), "1");
    assert_eq!(show(py.method(&b("ab"), "hex", &[])), "'6162'");
    assert_eq!(show(py.method(&b(" a "), "strip", &[])), "b'a'");
    assert_eq!(show(py.0.get_item(&b("abcd"), &py.slice([None, None, Some(-2)]))), "b'db'");
    let text = py.0.new_str("a").expect("str");
    assert_eq!(
        py.error(py.method(&b("a"), "find", std::slice::from_ref(&text))),
        "TypeError: argument should be integer or bytes-like object, not 'str'"
    );
    assert_eq!(
        py.error(py.0.binary(pellucid_object::BinOp::Add, &b("a"), &text)),
        "TypeError: can't concat str to bytes"
    );
    assert_eq!(py.error(py.0.get_item(&b("a"), &py.int(1))), "IndexError: index out of range");
}

#[test]
fn a_bytearray_is_not_resized_while_somebody_looks() {
    let py = Py::new();
    let array = py.0.new_bytearray(b"abc".to_vec()).expect("bytearray");
    py.method(&array, "append", &[py.int(100)]).expect("append");
    let buffer = py.0.buffer(&array, 0).expect("a buffer");
    assert_eq!(
        py.error(py.method(&array, "append", &[py.int(100)])),
        "BufferError: Existing exports of data: object cannot be re-sized"
    );
    py.0.set_item(&array, &py.int(0), Some(&py.int(122))).expect("bytes may change");
    assert_eq!(&*buffer.bytes(), b"zbcd");
    drop(buffer);
    py.method(&array, "clear", &[]).expect("clear");
    assert_eq!(py.0.repr_lossy(&array).expect("repr"), "bytearray(b'')");
}

#[test]
fn text_is_encoded_and_decoded_with_handlers() {
    let py = Py::new();
    let lone = crate::str::from_code_points(&py.0, &[97, 0xdc80, 0x20ac]).expect("str");
    let encode = |errors: &str| crate::codecs::encode(&py.0, &lone, None, Some(errors));
    let show = |v: Res| py.0.repr_lossy(&v.expect("a result")).expect("repr");
    assert_eq!(show(encode("surrogateescape")), "b'a\\x80\\xe2\\x82\\xac'");
    assert_eq!(show(encode("xmlcharrefreplace")), "b'a&#56448;\\xe2\\x82\\xac'");
    let message = |result: Res| {
        let e = py.0.take_raised(result.expect_err("refused"));
        py.0.str_lossy(&py.0.str(&e).expect("str"))
    };
    assert_eq!(
        message(encode("strict")),
        "'utf-8' codec can't encode character '\\udc80' in position 1: surrogates not allowed"
    );
    let decode = |bytes: &[u8], name: &str, errors: &str| {
        let bytes = py.0.bytes_from(bytes).expect("bytes");
        crate::codecs::decode(&py.0, &bytes, Some(name), Some(errors))
    };
    assert_eq!(show(decode(b"a\xff\xe2\x82", "utf-8", "replace")), "'a\u{fffd}\u{fffd}'");
    assert_eq!(show(decode(b"a\xff", "ascii", "backslashreplace")), "'a\\\\xff'");
    assert_eq!(
        message(decode(b"\xe2\x82", "utf8", "strict")),
        "'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"
    );
    assert_eq!(show(decode(b"\xff\xfea\0=\xd8\0\xde", "UTF_16", "strict")), "'a\u{1f600}'");
    assert_eq!(
        message(decode(b"\0\xd8", "utf-16", "strict")),
        "'utf-16-le' codec can't decode bytes in position 0-1: unexpected end of data"
    );
}

#[test]
fn builtins_are_complete_and_give_every_block_back() {
    let py = Py::new();
    crate::builtins::make_builtins(&py.0).expect("the module");
    let call = |name: &str, args: &[Value]| {
        let function = crate::builtins::named(&py.0, name)?;
        py.0.call_values(&function, args)
    };
    assert_eq!(call("len", &[py.list(&[1, 2])]).expect("len").as_small_int(), Some(2));
    assert_eq!(py.read(&call("sorted", &[py.list(&[2, 1])]).expect("sorted")), [1, 2]);
    assert_eq!(call("max", &py.ints(&[2, 7, 1])).expect("max").as_small_int(), Some(7));
    let pairs =
        call("zip", &[py.list(&[1, 2]), py.list(&[3, 4])]).and_then(|z| py.0.collect(&z)).expect("zip");
    assert_eq!(pairs.iter().map(|p| py.read(p)).collect::<Vec<_>>(), [[1, 3], [2, 4]]);
    assert_eq!(py.error(call("min", &[py.list(&[])])), "ValueError: min() iterable argument is empty");
    let alias = py.0.get_item(py.0.types().set.value(), py.0.types().int.value()).expect("set[int]");
    assert_eq!(py.0.repr_lossy(&alias).expect("repr"), "set[int]");
    let union =
        py.0.binary(pellucid_object::BinOp::Or, py.0.types().int.value(), &Value::NONE).expect("int | None");
    assert_eq!(py.0.repr_lossy(&union).expect("repr"), "int | None");
}

#[test]
fn sets_keep_the_order_of_their_table() {
    let py = Py::new();
    let set = py.0.new_set(py.ints(&[5, 33, 1, 8, 9, 64])).expect("set");
    assert_eq!(py.0.repr_lossy(&set).expect("repr"), "{64, 33, 1, 5, 8, 9}");
    py.method(&set, "discard", &[py.int(33)]).expect("discard");
    let more = py.0.new_set(py.ints(&[1, 2])).expect("set");
    let both = py.0.binary(pellucid_object::BinOp::And, &set, &more).expect("and");
    assert_eq!(py.read(&both), [1]);
    assert_eq!(
        py.error(py.method(&set, "add", &[py.list(&[])])),
        "TypeError: cannot use 'list' as a set element (unhashable type: 'list')"
    );
    assert_eq!(
        py.0.hash(&py.0.new_frozenset(py.ints(&[1, 2, 3])).expect("set")).expect("hash"),
        -272375401224217160
    );
}

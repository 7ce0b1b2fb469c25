//! The module `_operator`: operators as functions, and callables that get items, attributes and results of methods.

use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Res,
    Slot, Str, TypeDef, TypeFlags, UnOp, Value, Visitor, payload,
};
use pellucid_types::seq::Writer;

fn compare(vm: &Interpreter, op: CmpOp, a: &Value, b: &Value) -> Res {
    vm.compare(op, a, b)
}

// ---- sequences ----

/// Whether `+` joins values of this type.
fn is_sequence(vm: &Interpreter, value: &Value) -> bool {
    let ty = vm.type_of_ref(value);
    ty.slots.getitem.get().is_some() && !ty.flags.get().contains(TypeFlags::MAPPING)
}

fn concat(vm: &Interpreter, a: &Value, b: &Value, in_place: bool) -> Res {
    if !is_sequence(vm, a) {
        let name = vm.type_name(a);
        return Err(vm.type_error(format!("'{name}' object can't be concatenated")));
    }
    if in_place { vm.inplace(BinOp::Add, a, b) } else { vm.binary(BinOp::Add, a, b) }
}

fn count_of(vm: &Interpreter, sequence: &Value, item: &Value) -> Res {
    let mut count = 0;
    vm.for_each(sequence, |candidate| {
        count += i64::from(vm.keys_equal(&candidate, item)?);
        Ok(())
    })?;
    vm.new_int(count)
}

fn index_of(vm: &Interpreter, sequence: &Value, item: &Value) -> Res {
    let iterator = vm.iter(sequence)?;
    let mut index = 0;
    while let Some(candidate) = vm.next(&iterator)? {
        if vm.keys_equal(&candidate, item)? {
            return vm.new_int(index);
        }
        index += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence".to_string()))
}

fn length_hint(vm: &Interpreter, args: &Args) -> Res {
    let default = match args.get(1) {
        None => 0,
        Some(value) if value.as_int().is_none() => {
            let got = vm.type_name(value);
            return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer")));
        }
        Some(value) => vm.expect_i64(value)?,
    };
    // A negative default is given back as it is.
    let hint = pellucid_types::iterators::length_hint(vm, args.req(0), usize::MAX)?;
    vm.new_int(if hint == usize::MAX { default } else { hint as i64 })
}

/// The bytes of an operand of `_compare_digest`. Errors: `TypeError`.
fn digest(vm: &Interpreter, value: &Value, is_text: bool) -> Res<Vec<u8>> {
    if let (true, Some(s)) = (is_text, value.downcast::<Str>()) {
        return match s.text.as_ascii() {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => {
                let what = "comparing strings with non-ASCII characters is not supported";
                Err(vm.type_error(what.to_string()))
            }
        };
    }
    let shown = vm.bytes_like(value)?;
    vm.copied(&shown.bytes())
}

fn compare_digest(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let text = |v: &Value| v.downcast::<Str>().is_some();
    let both = text(a) && text(b);
    if !both && !vm.has_buffer(a) && !vm.has_buffer(b) {
        let (a, b) = (vm.type_name(a), vm.type_name(b));
        return Err(
            vm.type_error(format!("unsupported operand types(s) or combination of types: '{a}' and '{b}'"))
        );
    }
    let (a, b) = (digest(vm, a, both)?, digest(vm, b, both)?);
    // The time taken tells how long the second operand is, and nothing else.
    let mut difference = u8::from(a.len() != b.len());
    for (i, byte) in b.iter().enumerate() {
        difference |= byte ^ a.get(i).unwrap_or(&!byte);
    }
    Ok(Value::bool(std::hint::black_box(difference) == 0))
}

fn call(vm: &Interpreter, args: &CallArgs) -> Res {
    match args.positional() {
        [callee, ..] => vm.call(callee, &CallArgs { values: &args.values[1..], names: args.names }),
        [] => Err(vm.type_error("call expected at least 1 argument, got 0".to_string())),
    }
}

// ---- callables ----

/// The one object that a getter is called with. Errors: `TypeError`.
fn only<'a>(vm: &Interpreter, name: &str, args: &CallArgs<'a>) -> Res<&'a Value> {
    if !args.names.is_empty() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args.values {
        [object] => Ok(object),
        given => Err(vm.type_error(format!("{name} expected 1 argument, got {}", given.len()))),
    }
}

/// One result, or a tuple of several.
fn one_or_tuple(vm: &Interpreter, mut results: Vec<Value>) -> Res {
    match results.len() {
        1 => Ok(results.pop().unwrap_or(Value::NONE)),
        _ => vm.new_tuple(results),
    }
}

/// `operator.name(arguments)`.
fn write_repr(vm: &Interpreter, this: &Value, parts: &[(Option<&Value>, Value)]) -> Res {
    let ty = vm.type_of(this);
    pellucid_types::seq::guarded_repr(vm, this, &format!("operator.{}(...)", ty.name()), |w| {
        w.push(&format!("operator.{}(", ty.name()));
        for (i, (name, value)) in parts.iter().enumerate() {
            if i > 0 {
                w.push(", ");
            }
            if let Some(name) = name {
                push_text(w, name);
                w.push("=");
            }
            w.push_repr(vm, value)?;
        }
        w.push(")");
        Ok(())
    })
}

fn push_text(w: &mut Writer, value: &Value) {
    w.push_value(value);
}

/// Payload of `itemgetter`.
struct ItemGetter {
    items: Vec<Value>,
}

impl Payload for ItemGetter {
    fn trace(&self, visit: &mut Visitor) {
        self.items.iter().for_each(visit);
    }
}

fn new_itemgetter(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("itemgetter() takes no keyword arguments".to_string()));
    }
    if args.values.is_empty() {
        return Err(vm.type_error("itemgetter expected 1 argument, got 0".to_string()));
    }
    vm.alloc_subclass(cls, ItemGetter { items: args.values.to_vec() })
}

fn itemgetter<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a ItemGetter> {
    this.downcast::<ItemGetter>().ok_or_else(|| vm.bug("no itemgetter"))
}

fn call_itemgetter(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
    let object = only(vm, "itemgetter", args)?;
    match &itemgetter(vm, this)?.items[..] {
        [item] => vm.get_item(object, item),
        items => {
            let results = items.iter().map(|item| vm.get_item(object, item)).collect::<Res<Vec<Value>>>()?;
            vm.new_tuple(results)
        }
    }
}

fn reduce_itemgetter(vm: &Interpreter, this: &Value) -> Res {
    let items = vm.new_tuple(itemgetter(vm, this)?.items.clone())?;
    vm.new_tuple(vec![vm.type_of(this).into_value(), items])
}

/// Payload of `attrgetter`: the names, each with its parts between dots.
struct AttrGetter {
    names: Vec<(Value, Vec<Value>)>,
}

impl Payload for AttrGetter {
    fn trace(&self, visit: &mut Visitor) {
        for (name, parts) in &self.names {
            visit(name);
            parts.iter().for_each(&mut *visit);
        }
    }
}

fn new_attrgetter(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("attrgetter() takes no keyword arguments".to_string()));
    }
    if args.values.is_empty() {
        return Err(vm.type_error("attrgetter expected 1 argument, got 0".to_string()));
    }
    let mut names = Vec::new();
    for name in args.values {
        let Some(s) = name.downcast::<Str>() else {
            return Err(vm.type_error("attribute name must be a string".to_string()));
        };
        let mut parts = Vec::new();
        let mut start = 0;
        for i in 0..=s.text.len() {
            if i == s.text.len() || s.text.get(i) == Some(u32::from('.')) {
                let part = s.text.slice(start, i).map_err(|_| vm.no_memory())?;
                parts.push(vm.intern_value(&vm.new_text(part)?)?);
                start = i + 1;
            }
        }
        names.push((name.clone(), parts));
    }
    vm.alloc_subclass(cls, AttrGetter { names })
}

fn attrgetter<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a AttrGetter> {
    this.downcast::<AttrGetter>().ok_or_else(|| vm.bug("no attrgetter"))
}

fn call_attrgetter(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
    let object = only(vm, "attrgetter", args)?;
    let mut results = Vec::new();
    for (_, parts) in &attrgetter(vm, this)?.names {
        let mut value = object.clone();
        for part in parts {
            value = vm.get_attr(&value, part)?;
        }
        results.push(value);
    }
    one_or_tuple(vm, results)
}

fn attrgetter_names(vm: &Interpreter, this: &Value) -> Res<Vec<Value>> {
    Ok(attrgetter(vm, this)?.names.iter().map(|(name, _)| name.clone()).collect())
}

/// Payload of `methodcaller`.
struct MethodCaller {
    name: Value,
    args: Vec<Value>,
    /// Names of the last ones of `args`.
    keywords: Vec<Value>,
}

impl Payload for MethodCaller {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        self.args.iter().for_each(&mut *visit);
        self.keywords.iter().for_each(visit);
    }
}

impl MethodCaller {
    fn positional(&self) -> &[Value] {
        &self.args[..self.args.len() - self.keywords.len()]
    }
    fn named(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.keywords.iter().zip(&self.args[self.args.len() - self.keywords.len()..])
    }
}

fn new_methodcaller(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let Some(name) = args.positional().first() else {
        let what = "methodcaller needs at least one argument, the method name";
        return Err(vm.type_error(what.to_string()));
    };
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("method name must be a string".to_string()));
    }
    let name = vm.intern_value(name)?;
    vm.alloc_subclass(
        cls,
        MethodCaller { name, args: args.values[1..].to_vec(), keywords: args.names.to_vec() },
    )
}

fn methodcaller<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a MethodCaller> {
    this.downcast::<MethodCaller>().ok_or_else(|| vm.bug("no methodcaller"))
}

fn call_methodcaller(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
    let object = only(vm, "methodcaller", args)?;
    let caller = methodcaller(vm, this)?;
    let method = vm.get_attr(object, &caller.name)?;
    vm.call(&method, &CallArgs { values: &caller.args, names: &caller.keywords })
}

fn repr_methodcaller(vm: &Interpreter, this: &Value) -> Res {
    let caller = methodcaller(vm, this)?;
    let mut parts = vec![(None, caller.name.clone())];
    parts.extend(caller.positional().iter().map(|v| (None, v.clone())));
    parts.extend(caller.named().map(|(name, v)| (Some(name), v.clone())));
    write_repr(vm, this, &parts)
}

fn reduce_methodcaller(vm: &Interpreter, this: &Value) -> Res {
    let caller = methodcaller(vm, this)?;
    let ty = vm.type_of(this).into_value();
    if caller.keywords.is_empty() {
        let mut args = vec![caller.name.clone()];
        args.extend_from_slice(&caller.args);
        return vm.new_tuple(vec![ty, vm.new_tuple(args)?]);
    }
    let partial = vm.get_attr_str(&vm.import("functools")?, "partial")?;
    let mut values = vec![ty, caller.name.clone()];
    values.extend(caller.named().map(|(_, v)| v.clone()));
    let bound = vm.call(&partial, &CallArgs { values: &values, names: &caller.keywords })?;
    vm.new_tuple(vec![bound, vm.new_tuple(caller.positional().to_vec())?])
}

/// How `inspect.signature` sees a call of the three types below.
const CALL_SIGNATURE: GetSetDef =
    GetSetDef { name: "__text_signature__", doc: "", get: |vm, _| vm.new_str("(obj, /)"), set: None };

static ITEMGETTER: TypeDef = TypeDef {
    name: "itemgetter",
    module: "operator",
    base: None,
    payload: payload::<ItemGetter>(),
    flags: TypeFlags::NONE,
    doc: "itemgetter(item, /, *items)\n--\n\n\
          Return a callable object that fetches the given item(s) from its operand.\n\nAfter f = itemgetter(2), the call f(r) \
          returns r[2].\nAfter g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])",
    slots: &[
        Slot::New(new_itemgetter),
        Slot::Call(call_itemgetter),
        Slot::Repr(|vm, this| {
            let items = itemgetter(vm, this)?.items.iter().map(|v| (None, v.clone()));
            write_repr(vm, this, &items.collect::<Vec<_>>())
        }),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling",
        NativeFn::F1(reduce_itemgetter),
    )],
    getset: &[CALL_SIGNATURE],
};

static ATTRGETTER: TypeDef = TypeDef {
    name: "attrgetter",
    module: "operator",
    base: None,
    payload: payload::<AttrGetter>(),
    flags: TypeFlags::NONE,
    doc: "attrgetter(attr, /, *attrs)\n--\n\n\
          Return a callable object that fetches the given attribute(s) from its operand.\n\nAfter f = attrgetter('name'), the call \
          f(r) returns r.name.\nAfter g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\nAfter h = \
          attrgetter('name.first', 'name.last'), the call h(r) returns\n(r.name.first, r.name.last).",
    slots: &[
        Slot::New(new_attrgetter),
        Slot::Call(call_attrgetter),
        Slot::Repr(|vm, this| {
            let names = attrgetter_names(vm, this)?.into_iter().map(|v| (None, v));
            write_repr(vm, this, &names.collect::<Vec<_>>())
        }),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling",
        NativeFn::F1(|vm, this| {
            let names = vm.new_tuple(attrgetter_names(vm, this)?)?;
            vm.new_tuple(vec![vm.type_of(this).into_value(), names])
        }),
    )],
    getset: &[CALL_SIGNATURE],
};

static METHODCALLER: TypeDef = TypeDef {
    name: "methodcaller",
    module: "operator",
    base: None,
    payload: payload::<MethodCaller>(),
    flags: TypeFlags::NONE,
    doc: "methodcaller(name, /, *args, **kwargs)\n--\n\n\
          Return a callable object that calls the given method on its operand.\n\nAfter f = methodcaller('name'), the call f(r) \
          returns r.name().\nAfter g = methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1).",
    slots: &[Slot::New(new_methodcaller), Slot::Call(call_methodcaller), Slot::Repr(repr_methodcaller)],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "Return state information for pickling",
        NativeFn::F1(reduce_methodcaller),
    )],
    getset: &[CALL_SIGNATURE],
};

macro_rules! unary {
    ($name:literal, $doc:literal, $f:expr) => {
        FunctionDef::new($name, "(a, /)", $doc, NativeFn::F1($f))
    };
}
macro_rules! two {
    ($name:literal, $doc:expr, $f:expr) => {
        FunctionDef::new($name, "(a, b, /)", $doc, NativeFn::F2($f))
    };
}
macro_rules! binary {
    ($name:literal, $iname:literal, $sign:literal, $op:ident) => {
        [
            two!($name, concat!("Same as a ", $sign, " b."), |vm, a, b| vm.binary(BinOp::$op, a, b)),
            two!($iname, concat!("Same as a ", $sign, "= b."), |vm, a, b| vm.inplace(BinOp::$op, a, b)),
        ]
    };
}

static OPERATORS: [[FunctionDef; 2]; 13] = [
    binary!("add", "iadd", "+", Add),
    binary!("sub", "isub", "-", Sub),
    binary!("mul", "imul", "*", Mul),
    binary!("matmul", "imatmul", "@", MatMul),
    binary!("truediv", "itruediv", "/", TrueDiv),
    binary!("floordiv", "ifloordiv", "//", FloorDiv),
    binary!("mod", "imod", "%", Mod),
    binary!("pow", "ipow", "**", Pow),
    binary!("lshift", "ilshift", "<<", LShift),
    binary!("rshift", "irshift", ">>", RShift),
    binary!("and_", "iand", "&", And),
    binary!("or_", "ior", "|", Or),
    binary!("xor", "ixor", "^", Xor),
];

/// Adds the binary operators.
fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    let name = vm.intern_static("_operator")?;
    for function in OPERATORS.iter().flatten() {
        let value = vm.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
        vm.set_attr_str(module, function.name, value)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_operator",
    doc: "Operator interface.\n\nThis module exports a set of functions implemented in C corresponding\nto the intrinsic \
          operators of Python.  For example, operator.add(x, y)\nis equivalent to the expression x+y.",
    functions: &[
        two!("lt", "Same as a < b.", |vm, a, b| compare(vm, CmpOp::Lt, a, b)),
        two!("le", "Same as a <= b.", |vm, a, b| compare(vm, CmpOp::Le, a, b)),
        two!("eq", "Same as a == b.", |vm, a, b| compare(vm, CmpOp::Eq, a, b)),
        two!("ne", "Same as a != b.", |vm, a, b| compare(vm, CmpOp::Ne, a, b)),
        two!("ge", "Same as a >= b.", |vm, a, b| compare(vm, CmpOp::Ge, a, b)),
        two!("gt", "Same as a > b.", |vm, a, b| compare(vm, CmpOp::Gt, a, b)),
        unary!("truth", "Return True if a is true, False otherwise.", |vm, a| Ok(Value::bool(vm.truthy(a)?))),
        unary!("not_", "Same as not a.", |vm, a| Ok(Value::bool(!vm.truthy(a)?))),
        two!("is_", "Same as a is b.", |_, a, b| Ok(Value::bool(a.is(b)))),
        two!("is_not", "Same as a is not b.", |_, a, b| Ok(Value::bool(!a.is(b)))),
        unary!("is_none", "Same as a is None.", |_, a| Ok(Value::bool(a.is_none()))),
        unary!("is_not_none", "Same as a is not None.", |_, a| Ok(Value::bool(!a.is_none()))),
        unary!("abs", "Same as abs(a).", |vm, a| vm.unary(UnOp::Abs, a)),
        unary!("index", "Same as a.__index__()", |vm, a| vm.index(a)),
        unary!("inv", "Same as ~a.", |vm, a| vm.unary(UnOp::Invert, a)),
        unary!("invert", "Same as ~a.", |vm, a| vm.unary(UnOp::Invert, a)),
        unary!("neg", "Same as -a.", |vm, a| vm.unary(UnOp::Neg, a)),
        unary!("pos", "Same as +a.", |vm, a| vm.unary(UnOp::Pos, a)),
        two!("concat", "Same as a + b, for a and b sequences.", |vm, a, b| concat(vm, a, b, false)),
        two!("iconcat", "Same as a += b, for a and b sequences.", |vm, a, b| concat(vm, a, b, true)),
        two!("contains", "Same as b in a (note reversed operands).", |vm, a, b| Ok(Value::bool(
            vm.contains(a, b)?
        ))),
        two!("countOf", "Return the number of items in a which are, or which equal, b.", count_of),
        two!("indexOf", "Return the first index of b in a.", index_of),
        two!("getitem", "Same as a[b].", |vm, a, b| vm.get_item(a, b)),
        FunctionDef::new(
            "setitem",
            "(a, b, c, /)",
            "Same as a[b] = c.",
            NativeFn::F3(|vm, a, b, c| vm.set_item(a, b, Some(c)).map(|()| Value::NONE)),
        ),
        two!("delitem", "Same as del a[b].", |vm, a, b| vm.set_item(a, b, None).map(|()| Value::NONE)),
        FunctionDef::new(
            "length_hint",
            "(obj, default=0, /)",
            "Return an estimate of the number of items in obj.\n\nThis is useful for presizing containers when building from an \
             iterable.\n\nIf the object supports len(), the result will be exact.\nOtherwise, it may over- or under-estimate by \
             an arbitrary amount.",
            NativeFn::Args(length_hint),
        ),
        FunctionDef::new(
            "call",
            "(obj, /, *args, **kwargs)",
            "Same as obj(*args, **kwargs).",
            NativeFn::Raw(call),
        ),
        two!(
            "_compare_digest",
            "Return 'a == b'.\n\nThis function uses an approach designed to prevent\ntiming analysis, making it appropriate for \
             cryptography.\n\na and b must both be of the same type: either str (ASCII only),\nor any bytes-like object.",
            compare_digest
        ),
    ],
    types: &[&ITEMGETTER, &ATTRGETTER, &METHODCALLER],
    constants: &[],
    init: Some(init),
};

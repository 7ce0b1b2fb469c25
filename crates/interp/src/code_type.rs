//! What Python sees of code objects.

use crate::code::{CodeObject, code_of, constant, new_code_with};
use pellucid_bytecode::{Code, Const, Wtf8, lines, positions, verify};
use pellucid_object::int::IntRef;
use pellucid_object::protocol::CmpOp;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Res, Slot, Str, Tuple, TypeDef, TypeFlags,
    Value, payload,
};
use std::rc::Rc;

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a CodeObject> {
    code_of(value).ok_or_else(|| vm.type_error("a code object was expected".to_string()))
}

fn bytes(vm: &Interpreter, data: &[u8]) -> Res {
    constant(vm, &Const::Bytes(data.into()))
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let code = this(vm, value)?;
    let (name, file) = (vm.str_lossy(&code.name), vm.str_lossy(&code.filename()));
    let line = code.code.firstlineno;
    vm.new_str(&format!("<code object {name} at {:#x}, file \"{file}\", line {line}>", value.bits()))
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) = (code_of(a), code_of(b), op) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let equal = a.is(b) || (same_data(&x.code, &y.code) && same_consts(vm, x, y)?);
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

/// Everything but the constants, which are compared as values.
fn same_data(a: &Code, b: &Code) -> bool {
    let numbers = |c: &Code| (c.argcount, c.posonlyargcount, c.kwonlyargcount, c.flags, c.firstlineno);
    numbers(a) == numbers(b)
        && a.code == b.code
        && a.name == b.name
        && a.names == b.names
        && a.varnames == b.varnames
        && a.freevars == b.freevars
        && a.cellvars == b.cellvars
        && a.linetable == b.linetable
}

fn same_consts(vm: &Interpreter, a: &CodeObject, b: &CodeObject) -> Res<bool> {
    if a.consts.len() != b.consts.len() {
        return Ok(false);
    }
    for (x, y) in a.consts.iter().zip(&b.consts) {
        if !vm.type_of(x).value().is(vm.type_of(y).value()) || !vm.keys_equal(x, y)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let code = this(vm, value)?;
    let mut hash = vm.hash(&code.name)?;
    for byte in &code.code.code {
        hash = hash.wrapping_mul(1_000_003) ^ i64::from(*byte);
    }
    Ok(if hash == -1 { -2 } else { hash })
}

/// `co_lines()`: (start, end, line) of ranges of bytes, in order. Where CPython has an instruction for the start of a
/// function, on the line of its `def`, there is an empty range: debuggers look for that line.
fn co_lines(vm: &Interpreter, value: &Value) -> Res {
    let code = this(vm, value)?;
    let mut rows = Vec::new();
    let first = code.code.firstlineno as i32;
    let mut ranges: Vec<lines::LineRange> = lines::decode(first, &code.code.linetable).collect();
    let begins_later = ranges.first().is_some_and(|range| range.line != Some(first));
    if begins_later && &*code.code.name.0 != b"<module>" {
        ranges.insert(0, lines::LineRange { start: 0, end: 0, line: Some(first) });
    }
    for range in ranges {
        let line = range.line.map_or(Ok(Value::NONE), |line| vm.new_int(i64::from(line)))?;
        let row = vec![vm.new_int(i64::from(range.start))?, vm.new_int(i64::from(range.end))?, line];
        rows.push(vm.new_tuple(row)?);
    }
    vm.iter(&vm.new_list(rows)?)
}

/// `co_positions()`: (line, end line, column, end column) of each instruction.
fn co_positions(vm: &Interpreter, value: &Value) -> Res {
    let code = this(vm, value)?;
    let number = |n: Option<u32>| n.map_or(Ok(Value::NONE), |n| vm.new_int(i64::from(n)));
    let mut rows = Vec::new();
    let first = code.code.firstlineno;
    let mut known: Vec<Option<positions::Position>> = Vec::new();
    for run in positions::runs(first, &code.code.positions) {
        known.extend(std::iter::repeat_n(run.position, run.length as usize).take(code.code.code.len()));
    }
    for index in 0..code.code.code.len() / 2 {
        let position = known.get(index).copied().flatten();
        let line = position.map(|p| p.line).or_else(|| code.line_at(2 * index as u32));
        let row = vec![
            number(line)?,
            number(position.map(|p| p.end_line).or(line))?,
            number(position.and_then(|p| p.columns).map(|c| c.0))?,
            number(position.and_then(|p| p.columns).map(|c| c.1))?,
        ];
        rows.push(vm.new_tuple(row)?);
    }
    vm.iter(&vm.new_list(rows)?)
}

/// The data inside an object with the buffer protocol, as `bytes(object)` gives it.
fn byte_vec(vm: &Interpreter, value: &Value) -> Res<Vec<u8>> {
    let items = vm.collect(value)?;
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match vm.as_i64(&item).and_then(|i| u8::try_from(i).ok()) {
            Some(byte) => out.push(byte),
            None => return Err(vm.type_error("a bytes object was expected".to_string())),
        }
    }
    Ok(out)
}

fn text(vm: &Interpreter, value: &Value, what: &str) -> Res<Wtf8> {
    let Some(s) = value.downcast::<Str>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("{what} must be str, not {got}")));
    };
    let bytes = s.text.to_wtf8().map_err(|_| vm.no_memory())?;
    Wtf8::from_bytes(&bytes).ok_or_else(|| vm.value_error(format!("{what} is no text")))
}

fn names(vm: &Interpreter, value: &Value, what: &str) -> Res<Box<[Wtf8]>> {
    let Some(tuple) = value.downcast::<Tuple>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("{what} must be tuple, not {got}")));
    };
    tuple.items().iter().map(|v| text(vm, v, "name tuples must contain only strings, not")).collect()
}

fn count(vm: &Interpreter, value: &Value, what: &str) -> Res<u32> {
    let index = vm.index(value)?;
    match index.as_int() {
        Some(IntRef::Small(i)) if u32::try_from(i).is_ok() => Ok(i as u32),
        _ => Err(vm.value_error(format!("code: {what} must be a non-negative int of 32 bits"))),
    }
}

/// One field of a code object by its `co_` name without the prefix. Errors: `TypeError` for the wrong type or name.
fn set_field(
    vm: &Interpreter,
    code: &mut Code,
    consts: &mut Vec<Value>,
    name: &str,
    value: &Value,
) -> Res<bool> {
    match name {
        "argcount" => code.argcount = count(vm, value, "argcount")?,
        "posonlyargcount" => code.posonlyargcount = count(vm, value, "posonlyargcount")?,
        "kwonlyargcount" => code.kwonlyargcount = count(vm, value, "kwonlyargcount")?,
        "nlocals" => {
            if count(vm, value, "nlocals")? as usize != code.varnames.len() {
                return Err(vm.value_error("code: co_nlocals != len(co_varnames)".to_string()));
            }
        }
        "stacksize" => code.stacksize = count(vm, value, "stacksize")?,
        "flags" => code.flags = count(vm, value, "flags")?,
        "firstlineno" => code.firstlineno = count(vm, value, "firstlineno")?,
        "code" => code.code = byte_vec(vm, value)?.into(),
        "linetable" => {
            code.linetable = byte_vec(vm, value)?.into();
            // The places that the old table went with mean nothing beside the new one.
            code.positions = Box::default();
        }
        "consts" => {
            let Some(tuple) = value.downcast::<Tuple>() else {
                let got = vm.type_name(value);
                return Err(vm.type_error(format!("replace() argument 'co_consts' must be tuple, not {got}")));
            };
            *consts = tuple.items();
        }
        "names" => code.names = names(vm, value, "co_names")?,
        "varnames" => code.varnames = names(vm, value, "co_varnames")?,
        "freevars" => code.freevars = names(vm, value, "co_freevars")?,
        "cellvars" => code.cellvars = names(vm, value, "co_cellvars")?,
        "filename" => code.filename = text(vm, value, "co_filename")?,
        "name" => code.name = text(vm, value, "co_name")?,
        "qualname" => code.qualname = text(vm, value, "co_qualname")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Checks code put together by Python code and makes it an object.
fn checked(vm: &Interpreter, mut code: Code, consts: Vec<Value>) -> Res {
    // The verifier looks at the number of constants only.
    code.consts = vec![Const::None; consts.len()].into();
    if let Err(error) = verify::verify_one(&code) {
        return Err(crate::code::refuse(vm, &error));
    }
    new_code_with(vm, Rc::new(code), consts)
}

fn replace(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value] = call.positional() else {
        return Err(vm.type_error("replace() takes no positional arguments".to_string()));
    };
    let old = this(vm, value)?;
    let (mut code, mut consts) = ((*old.code).clone(), old.consts.clone());
    for (name, value) in call.keywords() {
        let name = vm.str_lossy(name);
        let known = match name.strip_prefix("co_") {
            Some(field) => set_field(vm, &mut code, &mut consts, field, value)?,
            None => false,
        };
        if !known {
            return Err(vm.type_error(format!("replace() got an unexpected keyword argument '{name}'")));
        }
    }
    checked(vm, code, consts)
}

fn new(vm: &Interpreter, _: &Value, args: &CallArgs) -> Res {
    const FIELDS: [&str; 18] = [
        "argcount",
        "posonlyargcount",
        "kwonlyargcount",
        "nlocals",
        "stacksize",
        "flags",
        "code",
        "consts",
        "names",
        "varnames",
        "filename",
        "name",
        "qualname",
        "firstlineno",
        "linetable",
        "exceptiontable",
        "freevars",
        "cellvars",
    ];
    let given = args.positional();
    if !args.names.is_empty() || given.len() < 16 || given.len() > FIELDS.len() {
        return Err(vm.type_error(format!("code expected at least 16 arguments, got {}", given.len())));
    }
    let (mut code, mut consts) = (Code::default(), Vec::new());
    // Names first: the number of locals is checked against them.
    set_field(vm, &mut code, &mut consts, "varnames", &given[9])?;
    for (field, value) in FIELDS.iter().zip(given) {
        set_field(vm, &mut code, &mut consts, field, value)?;
    }
    checked(vm, code, consts)
}

fn tuple_of(vm: &Interpreter, values: &[Value]) -> Res {
    vm.new_tuple(values.to_vec())
}

fn varname_from_oparg(vm: &Interpreter, args: &Args) -> Res {
    let code = this(vm, args.req(0))?;
    let index = vm.expect_i64(args.req(1))?;
    let name = usize::try_from(index)
        .ok()
        .and_then(|i| code.varnames.iter().chain(&code.cellvars).chain(&code.freevars).nth(i).cloned());
    name.ok_or_else(|| vm.index_error("tuple index out of range".to_string()))
}

const fn readonly(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: None }
}

macro_rules! number {
    ($name:literal, $field:ident) => {
        readonly($name, |vm, c| vm.new_int(i64::from(this(vm, c)?.code.$field)))
    };
}

pub static CODE: TypeDef = TypeDef {
    name: "code",
    module: "builtins",
    base: None,
    payload: payload::<CodeObject>(),
    flags: TypeFlags::WEAKREF,
    doc: "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)\n--\n\n\
          Code that the virtual machine runs.",
    slots: &[Slot::New(new), Slot::Repr(repr), Slot::Compare(compare), Slot::Hash(hash)],
    methods: &[
        FunctionDef::new("co_lines", "($self, /)", "", NativeFn::F1(co_lines)),
        FunctionDef::new("co_positions", "($self, /)", "", NativeFn::F1(co_positions)),
        FunctionDef::new(
            "replace",
            "($self, /, **changes)",
            "Return a copy of the code object with new values for the specified fields.",
            NativeFn::Raw(replace),
        ),
        FunctionDef::new(
            "__replace__",
            "($self, /, **changes)",
            "The same as replace().",
            NativeFn::Raw(replace),
        ),
        FunctionDef::new("_varname_from_oparg", "($self, oparg)", "", NativeFn::Args(varname_from_oparg)),
    ],
    getset: &[
        number!("co_argcount", argcount),
        number!("co_posonlyargcount", posonlyargcount),
        number!("co_kwonlyargcount", kwonlyargcount),
        number!("co_stacksize", stacksize),
        number!("co_flags", flags),
        number!("co_firstlineno", firstlineno),
        readonly("co_nlocals", |vm, c| vm.new_int(this(vm, c)?.varnames.len() as i64)),
        readonly("co_code", |vm, c| bytes(vm, &this(vm, c)?.code.code)),
        readonly("_co_code_adaptive", |vm, c| bytes(vm, &this(vm, c)?.code.code)),
        readonly("co_linetable", |vm, c| bytes(vm, &this(vm, c)?.code.linetable)),
        readonly("co_lnotab", |vm, c| bytes(vm, &this(vm, c)?.code.linetable)),
        readonly("co_exceptiontable", |vm, _| bytes(vm, b"")),
        readonly("co_consts", |vm, c| tuple_of(vm, &this(vm, c)?.consts)),
        readonly("co_names", |vm, c| tuple_of(vm, &this(vm, c)?.names)),
        readonly("co_varnames", |vm, c| tuple_of(vm, &this(vm, c)?.varnames)),
        readonly("co_freevars", |vm, c| tuple_of(vm, &this(vm, c)?.freevars)),
        readonly("co_cellvars", |vm, c| tuple_of(vm, &this(vm, c)?.cellvars)),
        readonly("co_name", |vm, c| Ok(this(vm, c)?.name.clone())),
        readonly("co_qualname", |vm, c| Ok(this(vm, c)?.qualname.clone())),
        readonly("co_filename", |vm, c| Ok(this(vm, c)?.filename())),
    ],
};

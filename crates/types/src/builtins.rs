//! The module `builtins`: what needs no frame. The interpreter adds `exec`, `eval`, `compile`, `globals`, `locals`, `super`,
//! `__import__`, `__build_class__` and what else looks at the caller.

use crate::{iterators, sort};
use pellucid_object::args::Signature;
use pellucid_object::native::Module;
use pellucid_object::{
    Args, CallArgs, CmpOp, Dict, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Str, Text,
    Value, constant,
};
use std::cell::Cell;

/// The attribute of `sys` that is a stream, or `None` when it is gone or `None`.
fn stream(vm: &Interpreter, name: &str, missing: &str) -> Res<Option<Value>> {
    let found = vm.sys_attr(name)?;
    match found {
        Some(stream) if stream.is_none() => Ok(None),
        Some(stream) => Ok(Some(stream)),
        None => Err(vm.runtime_error(missing.to_string())),
    }
}

/// `print`: the keywords are few, so they are read by hand.
fn print(vm: &Interpreter, call: &CallArgs) -> Res {
    let (mut sep, mut end, mut file, mut flush) = (None, None, None, false);
    for (key, value) in call.keywords() {
        match vm.str_lossy(key).as_str() {
            "sep" => sep = text_or_none(vm, value, "sep")?,
            "end" => end = text_or_none(vm, value, "end")?,
            "file" => file = Some(value.clone()).filter(|v| !v.is_none()),
            "flush" => flush = vm.truthy(value)?,
            other => {
                return Err(vm.type_error(format!("print() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let file = match file {
        Some(file) => file,
        None => match stream(vm, "stdout", "lost sys.stdout")? {
            Some(file) => file,
            None => return Ok(Value::NONE),
        },
    };
    let write = vm.get_attr_str(&file, "write")?;
    let put = |text: &Value| vm.call_values(&write, std::slice::from_ref(text)).map(drop);
    for (i, value) in call.positional().iter().enumerate() {
        if i > 0 {
            match &sep {
                Some(sep) => put(sep)?,
                None => put(&vm.intern_static(" ")?)?,
            }
        }
        put(&vm.str(value)?)?;
    }
    match &end {
        Some(end) => put(end)?,
        None => put(&vm.intern_static("\n")?)?,
    }
    if flush {
        vm.call_attr(&file, "flush", &[])?;
    }
    Ok(Value::NONE)
}

fn text_or_none(vm: &Interpreter, value: &Value, what: &str) -> Res<Option<Value>> {
    if value.is_none() {
        return Ok(None);
    }
    match value.downcast::<Str>() {
        Some(_) => Ok(Some(value.clone())),
        None => Err(vm.type_error(format!("{what} must be None or a string, not {}", vm.type_name(value)))),
    }
}

fn input(vm: &Interpreter, args: &Args) -> Res {
    let lost = |name: &str| vm.runtime_error(format!("input(): lost sys.{name}"));
    let need = |name: &str| match stream(vm, name, &format!("input(): lost sys.{name}"))? {
        Some(stream) => Ok(stream),
        None => Err(lost(name)),
    };
    let (stdin, stdout, stderr) = (need("stdin")?, need("stdout")?, need("stderr")?);
    let ignore = |result: Res| {
        if let Err(raised) = result {
            drop(vm.take_raised(raised));
        }
    };
    ignore(vm.call_attr(&stderr, "flush", &[]));
    if let Some(prompt) = args.get(0) {
        let text = vm.str(prompt)?;
        vm.call_attr(&stdout, "write", &[text])?;
    }
    ignore(vm.call_attr(&stdout, "flush", &[]));
    let line = vm.call_attr(&stdin, "readline", &[])?;
    let Some(s) = line.downcast::<Str>() else {
        let got = vm.type_name(&line);
        return Err(vm.type_error(format!("object.readline() returned non-string (type {got})")));
    };
    let len = s.text.len();
    if len == 0 {
        return Err(vm.eof_error("EOF when reading a line".to_string()));
    }
    if s.text.get(len - 1) == Some(u32::from('\n')) {
        return vm.new_text(s.text.slice(0, len - 1).map_err(|_| vm.no_memory())?);
    }
    Ok(line)
}

fn len(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int(vm.len(value)? as i64)
}

/// `repr` with everything but ASCII escaped.
pub fn ascii(vm: &Interpreter, value: &Value) -> Res {
    let text = vm.repr(value)?;
    let Some(s) = text.downcast::<Str>() else { return Ok(text) };
    if s.text.as_ascii().is_some() {
        return Ok(text);
    }
    let mut escaped = String::new();
    for point in s.text.code_points() {
        match point {
            0..0x80 => escaped.push(point as u8 as char),
            0x80..0x100 => escaped.push_str(&format!("\\x{point:02x}")),
            0x100..0x10000 => escaped.push_str(&format!("\\u{point:04x}")),
            _ => escaped.push_str(&format!("\\U{point:08x}")),
        }
    }
    vm.new_str(&escaped)
}

fn isinstance(vm: &Interpreter, value: &Value, cls: &Value) -> Res {
    vm.isinstance(value, cls).map(Value::bool)
}

fn issubclass(vm: &Interpreter, derived: &Value, cls: &Value) -> Res {
    vm.issubclass(derived, cls).map(Value::bool)
}

fn hash(vm: &Interpreter, value: &Value) -> Res {
    vm.new_int(vm.hash(value)?)
}

/// The address of an object; for what lives in the word, a number that no address has.
pub fn id(vm: &Interpreter, value: &Value) -> Res {
    let bits = value.bits();
    vm.new_big(pellucid_object::int::IBig::from(bits))
}

fn iter(vm: &Interpreter, args: &Args) -> Res {
    match args.get(1) {
        None => vm.iter(args.req(0)),
        Some(_) if !callable_value(vm, args.req(0)) => {
            Err(vm.type_error("iter(v, w): v must be callable".to_string()))
        }
        Some(sentinel) => iterators::call_iterator(vm, args.req(0), sentinel),
    }
}

fn next(vm: &Interpreter, call: &CallArgs) -> Res {
    let (it, default) = match call.values {
        [it] if call.names.is_empty() => (it, None),
        [it, default] if call.names.is_empty() => (it, Some(default)),
        _ => return Err(arity(vm, "next", call, 1, 2)),
    };
    let found = match default {
        Some(_) => vm.next(it)?,
        None => vm.next_or_stop(it)?,
    };
    match (found, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.stop_iteration(None)),
    }
}

/// The error of a function without keywords called with a wrong number of arguments.
pub fn arity(vm: &Interpreter, name: &str, call: &CallArgs, least: usize, most: usize) -> Raised {
    if !call.names.is_empty() {
        return vm.type_error(format!("{name}() takes no keyword arguments"));
    }
    let given = call.values.len();
    let (word, count) = match () {
        () if least == most => ("", least),
        () if given < least => ("at least ", least),
        () => ("at most ", most),
    };
    let s = if count == 1 { "" } else { "s" };
    vm.type_error(format!("{name} expected {word}{count} argument{s}, got {given}"))
}

/// `self` and the positional arguments of a method. Errors: `TypeError` for keywords and wrong numbers.
pub fn method_args<'a>(
    vm: &Interpreter,
    name: &str,
    call: &CallArgs<'a>,
    least: usize,
    most: usize,
) -> Res<(&'a Value, &'a [Value])> {
    match call.values.split_first() {
        Some((this, rest)) if call.names.is_empty() && (least..=most).contains(&rest.len()) => {
            Ok((this, rest))
        }
        Some((_, rest)) if call.names.is_empty() => Err(arity(vm, name, &CallArgs::new(rest), least, most)),
        Some((this, _)) => {
            let ty = vm.type_name(this);
            Err(vm.type_error(format!("{ty}.{name}() takes no keyword arguments")))
        }
        None => Err(vm.type_error(format!("unbound method {name}() needs an argument"))),
    }
}

fn aiter(vm: &Interpreter, value: &Value) -> Res {
    let Some(f) = vm.type_of_ref(value).slots.aiter.get() else {
        return Err(vm.type_error(format!("'{}' object is not an async iterable", vm.type_name(value))));
    };
    let iterator = f(vm, value)?;
    if vm.type_of_ref(&iterator).slots.anext.get().is_none() {
        let name = vm.type_name(&iterator);
        return Err(vm.type_error(format!("aiter() returned not an async iterator of type '{name}'")));
    }
    Ok(iterator)
}

fn anext(vm: &Interpreter, args: &Args) -> Res {
    let it = args.req(0);
    let Some(f) = vm.type_of_ref(it).slots.anext.get() else {
        return Err(vm.type_error(format!("'{}' object is not an async iterator", vm.type_name(it))));
    };
    let awaitable = f(vm, it)?;
    match args.get(1) {
        None => Ok(awaitable),
        Some(default) => iterators::anext_awaitable(vm, awaitable, default.clone()),
    }
}

fn attribute_name(vm: &Interpreter, name: &Value) -> Res<()> {
    match name.downcast::<Str>() {
        Some(_) => Ok(()),
        None => Err(vm.type_error(format!("attribute name must be string, not '{}'", vm.type_name(name)))),
    }
}

fn getattr(vm: &Interpreter, call: &CallArgs) -> Res {
    let (object, name, default) = match call.values {
        [object, name] if call.names.is_empty() => (object, name, None),
        [object, name, default] if call.names.is_empty() => (object, name, Some(default)),
        _ => return Err(arity(vm, "getattr", call, 2, 3)),
    };
    attribute_name(vm, name)?;
    match default {
        Some(default) => Ok(vm.find_attr(object, name)?.unwrap_or_else(|| default.clone())),
        None => vm.get_attr(object, name),
    }
}

fn hasattr(vm: &Interpreter, object: &Value, name: &Value) -> Res {
    attribute_name(vm, name)?;
    vm.find_attr(object, name).map(|found| Value::bool(found.is_some()))
}

fn setattr(vm: &Interpreter, object: &Value, name: &Value, value: &Value) -> Res {
    attribute_name(vm, name)?;
    vm.set_attr(object, name, Some(value))?;
    Ok(Value::NONE)
}

fn delattr(vm: &Interpreter, object: &Value, name: &Value) -> Res {
    attribute_name(vm, name)?;
    vm.set_attr(object, name, None)?;
    Ok(Value::NONE)
}

/// `callable(value)`.
pub fn callable_value(vm: &Interpreter, value: &Value) -> bool {
    vm.type_of_ref(value).slots.call.get().is_some()
}

fn chr(vm: &Interpreter, value: &Value) -> Res {
    let index = vm.index(value)?;
    let point = vm.as_i64(&index).and_then(|i| u32::try_from(i).ok()).filter(|&p| p < 0x11_0000);
    match point {
        Some(point) => vm.new_text(Text::from_code_point(point).map_err(|_| vm.no_memory())?),
        None => Err(vm.value_error("chr() arg not in range(0x110000)".to_string())),
    }
}

fn ord(vm: &Interpreter, value: &Value) -> Res {
    let wrong =
        |n: usize| Err(vm.type_error(format!("ord() expected a character, but string of length {n} found")));
    if let Some(s) = value.downcast::<Str>() {
        return match (s.text.len(), s.text.get(0)) {
            (1, Some(point)) => vm.new_int(i64::from(point)),
            (n, _) => wrong(n),
        };
    }
    if crate::number::is_bytes(value) {
        let shown = vm.bytes_like(value)?;
        let bytes = shown.bytes();
        return match *bytes {
            [byte] => vm.new_int(i64::from(byte)),
            _ => wrong(bytes.len()),
        };
    }
    let got = vm.type_name(value);
    Err(vm.type_error(format!("ord() expected string of length 1, but {got} found")))
}

/// `sorted`: its keywords are those of `list.sort`, which complains about others.
fn sorted(vm: &Interpreter, call: &CallArgs) -> Res {
    let [iterable] = call.positional() else {
        let n = call.positional().len();
        return Err(vm.type_error(format!("sorted expected 1 argument, got {n}")));
    };
    let (mut key, mut reverse) = (None, false);
    for (keyword, value) in call.keywords() {
        match vm.str_lossy(keyword).as_str() {
            "key" => key = Some(value.clone()).filter(|v| !v.is_none()),
            "reverse" => reverse = vm.truthy(value)?,
            other => {
                return Err(vm.type_error(format!("sort() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let items = vm.collect(iterable)?;
    let (items, result) = sort::sort_items(vm, items, key.as_ref(), reverse);
    match result {
        Ok(()) => vm.new_list(items),
        Err(raised) => Err(raised),
    }
}

/// `min` and `max`: the first value that no other is before.
fn extreme(vm: &Interpreter, call: &CallArgs, name: &str, op: CmpOp) -> Res {
    let given = call.positional();
    let (mut key, mut default) = (None, None);
    for (keyword, value) in call.keywords() {
        match vm.str_lossy(keyword).as_str() {
            "key" => key = Some(value.clone()).filter(|v| !v.is_none()),
            "default" => default = Some(value.clone()),
            other => {
                return Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    if let ([first, rest @ ..], []) = (given, call.names)
        && !rest.is_empty()
    {
        return extreme_of(vm, first, rest, op);
    }
    let (source, many) = match given {
        [] => return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [one] => (vm.iter(one)?, false),
        many => (vm.iter(&vm.new_tuple(many.to_vec())?)?, true),
    };
    if many && default.is_some() {
        return Err(vm.type_error(format!(
            "Cannot specify a default for {name}() with multiple positional arguments"
        )));
    }
    let best = match &key {
        Some(key) => extreme_by(vm, &source, key, op)?,
        None => extreme_plain(vm, &source, op)?,
    };
    match (best, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

/// Whether `value` is more extreme than `best`.
#[inline]
fn better(vm: &Interpreter, op: CmpOp, value: &Value, best: &Value) -> Res<bool> {
    match (value.as_small_int(), best.as_small_int()) {
        (Some(a), Some(b)) => Ok(op.holds(a.cmp(&b))),
        _ => vm.truthy(&vm.compare(op, value, best)?),
    }
}

/// The extreme of what an iterator gives.
fn extreme_plain(vm: &Interpreter, source: &Value, op: CmpOp) -> Res<Option<Value>> {
    let best: Cell<Option<Value>> = Cell::new(None);
    // Small ints are compared without Python code.
    let mut quick = |value: Value| {
        let (kept, refused) = match best.take() {
            None => (value, None),
            Some(old) => match (value.as_small_int(), old.as_small_int()) {
                (Some(a), Some(b)) if op.holds(a.cmp(&b)) => (value, None),
                (Some(_), Some(_)) => (old, None),
                _ => (old, Some(value)),
            },
        };
        best.set(Some(kept));
        Ok(refused)
    };
    while let Some(value) = vm.drain(source, &mut quick)? {
        let old = best.take();
        let replaced = match &old {
            Some(old) => better(vm, op, &value, old)?,
            None => true,
        };
        best.set(if replaced { Some(value) } else { old });
    }
    Ok(best.take())
}

/// As [`extreme_plain`], by what `key` gives for each value.
fn extreme_by(vm: &Interpreter, source: &Value, key: &Value, op: CmpOp) -> Res<Option<Value>> {
    let mut best: Option<(Value, Value)> = None;
    while let Some(value) = vm.next(source)? {
        let rank = vm.call_values(key, std::slice::from_ref(&value))?;
        let replaced = match &best {
            Some((_, old)) => better(vm, op, &rank, old)?,
            None => true,
        };
        if replaced {
            best = Some((value, rank));
        }
    }
    Ok(best.map(|(value, _)| value))
}

/// `min(first, *rest)` and `max(first, *rest)`.
fn extreme_of(vm: &Interpreter, first: &Value, rest: &[Value], op: CmpOp) -> Res {
    let mut best = first;
    for value in rest {
        if better(vm, op, value, best)? {
            best = value;
        }
    }
    Ok(best.clone())
}

fn any(vm: &Interpreter, iterable: &Value) -> Res {
    let it = vm.iter(iterable)?;
    let mut skip =
        |value: Value| Ok(Some(value).filter(|value| !value.is(&Value::FALSE) && !value.is_none()));
    while let Some(value) = vm.drain(&it, &mut skip)? {
        if vm.truthy(&value)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn all(vm: &Interpreter, iterable: &Value) -> Res {
    let it = vm.iter(iterable)?;
    let mut skip = |value: Value| Ok(Some(value).filter(|value| !value.is_true()));
    while let Some(value) = vm.drain(&it, &mut skip)? {
        if !vm.truthy(&value)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

/// `format(value, spec)`. Errors: `TypeError` when `__format__` gives no `str`.
pub fn format_value(vm: &Interpreter, value: &Value, spec: Option<&Value>) -> Res {
    let empty;
    let spec = match spec {
        Some(spec) => spec,
        None => {
            empty = vm.intern_static("")?;
            &empty
        }
    };
    vm.format(value, spec)
}

fn format(vm: &Interpreter, args: &Args) -> Res {
    if let Some(spec) = args.get(1)
        && spec.downcast::<Str>().is_none()
    {
        let got = vm.type_name(spec);
        return Err(vm.type_error(format!("format() argument 2 must be str, not {got}")));
    }
    format_value(vm, args.req(0), args.get(1))
}

/// `dir(object)`: a sorted list.
pub fn dir(vm: &Interpreter, object: &Value) -> Res {
    let Some(method) = vm.lookup_special(object, "__dir__")? else {
        return Err(vm.type_error("object does not provide __dir__".to_string()));
    };
    let names = vm.call_descriptor(&method, object, &[])?;
    let (names, result) = sort::sort_items(vm, vm.collect(&names)?, None, false);
    result?;
    vm.new_list(names)
}

/// `vars(object)`.
pub fn vars(vm: &Interpreter, object: &Value) -> Res {
    match vm.get_attr_opt(object, "__dict__")? {
        Some(dict) => Ok(dict),
        None => Err(vm.type_error("vars() argument must have __dict__ attribute".to_string())),
    }
}

/// `open`: what `io.open` is.
fn open(vm: &Interpreter, call: &CallArgs) -> Res {
    let io = vm.import("io")?;
    let function = vm.get_attr_str(&io, "open")?;
    vm.call(&function, call)
}

/// The builtin function or type `name` as the running code sees it. Errors: `AttributeError` when it is not there.
pub fn named(vm: &Interpreter, name: &str) -> Res {
    let key = vm.intern(name)?;
    if let Some(mapping) = strange_builtins(vm)? {
        return vm.get_item(&mapping, &key).map_err(|raised| {
            if !vm.raised_is(vm.exceptions().key_error()) {
                return raised;
            }
            drop(vm.take_raised(raised));
            vm.attribute_error_text(name.to_string())
        });
    }
    let namespace = vm.builtins.get();
    let found = match namespace.as_ref().and_then(Value::downcast::<Dict>) {
        Some(namespace) => namespace.get(vm, &key)?,
        None => None,
    };
    found.ok_or_else(|| vm.attribute_error_text(format!("module 'builtins' has no attribute '{name}'")))
}

/// What the running code has for `__builtins__` when that is neither a dict nor a module.
fn strange_builtins(vm: &Interpreter) -> Res<Option<Value>> {
    let globals = vm.hooks.globals.get().and_then(|globals| globals(vm));
    let Some(globals) = globals.as_ref().and_then(Value::downcast::<Dict>) else { return Ok(None) };
    let found = globals.get_interned(vm, &vm.intern_static("__builtins__")?);
    Ok(found.filter(|b| b.downcast::<Dict>().is_none() && b.downcast::<Module>().is_none()))
}

static FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new(
        "print",
        "(*args, sep=' ', end='\\n', file=None, flush=False)",
        "Writes the text of the values to a stream, sys.stdout by default.",
        NativeFn::Raw(print),
    ),
    FunctionDef::new(
        "input",
        "(prompt='', /)",
        "Reads a line from standard input; its end is taken off.",
        NativeFn::Args(input),
    ),
    FunctionDef::new("len", "(obj, /)", "Return the number of items in a container.", NativeFn::F1(len)),
    FunctionDef::new(
        "repr",
        "(obj, /)",
        "The text of an object for programmers.",
        NativeFn::F1(|vm, v| vm.repr(v)),
    ),
    FunctionDef::new(
        "ascii",
        "(obj, /)",
        "As repr(), with everything but ASCII escaped.",
        NativeFn::F1(ascii),
    ),
    FunctionDef::new(
        "isinstance",
        "(obj, class_or_tuple, /)",
        "Return whether an object is an instance of a class or of a subclass thereof.",
        NativeFn::F2(isinstance),
    ),
    FunctionDef::new(
        "issubclass",
        "(cls, class_or_tuple, /)",
        "Return whether 'cls' is derived from another class or is the same class.",
        NativeFn::F2(issubclass),
    ),
    FunctionDef::new("hash", "(obj, /)", "Return the hash value for the given object.", NativeFn::F1(hash)),
    FunctionDef::new("id", "(obj, /)", "A number that no other living object has.", NativeFn::F1(id)),
    FunctionDef::new(
        "iter",
        "(object, sentinel=<unrepresentable>, /)",
        "An iterator over the object, or one that calls it until it gives the sentinel.",
        NativeFn::Args(iter),
    ),
    FunctionDef::new(
        "next",
        "",
        "next(iterator[, default])\n\nThe next item; at the end the default, if there is one.",
        NativeFn::Raw(next),
    ),
    FunctionDef::new(
        "aiter",
        "(async_iterable, /)",
        "Return an AsyncIterator for an AsyncIterable object.",
        NativeFn::F1(aiter),
    ),
    FunctionDef::new(
        "anext",
        "(aiterator, default=<unrepresentable>, /)",
        "An awaitable of the next item of an asynchronous iterator.",
        NativeFn::Args(anext),
    ),
    FunctionDef::new(
        "getattr",
        "",
        "getattr(object, name[, default]) -> value\n\nThe attribute, or the default when there is none.",
        NativeFn::Raw(getattr),
    ),
    FunctionDef::new(
        "hasattr",
        "(obj, name, /)",
        "Return whether the object has an attribute with the given name.",
        NativeFn::F2(hasattr),
    ),
    FunctionDef::new(
        "setattr",
        "(obj, name, value, /)",
        "Sets the named attribute on the given object to the specified value.",
        NativeFn::F3(setattr),
    ),
    FunctionDef::new(
        "delattr",
        "(obj, name, /)",
        "Deletes the named attribute from the given object.",
        NativeFn::F2(delattr),
    ),
    FunctionDef::new(
        "callable",
        "(obj, /)",
        "Return whether the object is callable (i.e., some kind of function).",
        NativeFn::F1(|vm, v| Ok(Value::bool(callable_value(vm, v)))),
    ),
    FunctionDef::new("chr", "(i, /)", "The string of one character with this code point.", NativeFn::F1(chr)),
    FunctionDef::new("ord", "(c, /)", "The code point of a one-character string.", NativeFn::F1(ord)),
    FunctionDef::new(
        "sorted",
        "(iterable, /, *, key=None, reverse=False)",
        "A new list of all items in ascending order.",
        NativeFn::Raw(sorted),
    ),
    FunctionDef::new(
        "min",
        "",
        "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\n\
         The smallest item or argument.",
        NativeFn::Raw(|vm, call| extreme(vm, call, "min", CmpOp::Lt)),
    ),
    FunctionDef::new(
        "max",
        "",
        "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\n\
         The largest item or argument.",
        NativeFn::Raw(|vm, call| extreme(vm, call, "max", CmpOp::Gt)),
    ),
    FunctionDef::new("any", "(iterable, /)", "Whether any item is true.", NativeFn::F1(any)),
    FunctionDef::new("all", "(iterable, /)", "Whether all items are true.", NativeFn::F1(all)),
    FunctionDef::new(
        "format",
        "(value, format_spec='', /)",
        "Return type(value).__format__(value, format_spec).",
        NativeFn::Args(format),
    ),
    FunctionDef::new(
        "open",
        "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
        "Opens a file; a stream.",
        NativeFn::Raw(open),
    ),
];

/// What the module is made of.
pub static BUILTINS: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all \
          'built-in'\nidentifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\n\
          This module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\n\
          objects with the same name as a builtin and need to reference\nthe built-in object.",
    functions: FUNCTIONS,
    types: crate::TYPES,
    constants: &[
        constant("None", |_| Ok(Value::NONE)),
        constant("Ellipsis", |_| Ok(Value::ELLIPSIS)),
        constant("NotImplemented", |_| Ok(Value::NOT_IMPLEMENTED)),
        constant("False", |_| Ok(Value::FALSE)),
        constant("True", |_| Ok(Value::TRUE)),
        constant("__debug__", |_| Ok(Value::TRUE)),
    ],
    init: Some(init),
};

/// Adds the core types and the exceptions.
fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    debug_assert!(module.downcast::<Module>().is_some());
    let name = vm.intern_static("builtins")?;
    for function in crate::number_builtins::FUNCTIONS {
        let value = vm.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
        vm.set_attr_str(module, function.name, value)?;
    }
    let types = vm.types();
    let core = [
        &types.type_,
        &types.object,
        &types.int,
        &types.bool,
        &types.float,
        &types.str,
        &types.bytes,
        &types.bytearray,
        &types.tuple,
        &types.list,
        &types.dict,
        &types.set,
        &types.frozenset,
        &types.staticmethod,
        &types.classmethod,
    ];
    for ty in core.into_iter().chain(vm.exceptions().all()) {
        vm.set_attr_str(module, &ty.name(), ty.value().clone())?;
    }
    let group = crate::exception_group::exception_group(vm)?;
    vm.set_attr_str(module, "ExceptionGroup", group.into_value())?;
    let os_error = vm.exceptions().os_error().value();
    vm.set_attr_str(module, "EnvironmentError", os_error.clone())?;
    vm.set_attr_str(module, "IOError", os_error.clone())
}

/// Makes the module and puts its namespace at [`Interpreter::builtins`].
pub fn make_builtins(vm: &Interpreter) -> Res {
    let module = vm.new_native_module(&BUILTINS)?;
    if let Some(dict) = vm.attrs_dict(&module)? {
        vm.builtins.set(Some(dict.into_value()));
    }
    Ok(module)
}

/// Binds a call to a signature written as text, for functions that are no [`FunctionDef`].
pub fn bind<'a>(vm: &Interpreter, name: &str, signature: &str, call: &CallArgs<'a>) -> Res<Args<'a>> {
    Signature::parse(signature).bind(vm, name, false, call)
}

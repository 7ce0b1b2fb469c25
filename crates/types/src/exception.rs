//! What Python sees of exceptions: construction, text, chaining, notes, and the fields of particular types.

use pellucid_object::{
    Args, CallArgs, Exception, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, Str, Tuple,
    Type, TypeDef, TypeFlags, Value, payload,
};

pub(crate) fn exception<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Exception> {
    value
        .downcast::<Exception>()
        .ok_or_else(|| vm.type_error("exceptions must derive from BaseException".to_string()))
}

fn args(vm: &Interpreter, value: &Value) -> Res<Vec<Value>> {
    let args = exception(vm, value)?.args.get();
    Ok(args.and_then(|a| a.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default())
}

pub(crate) fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    if !call.names.is_empty() {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", vm.type_name(this))));
    }
    let e = exception(vm, this)?;
    let given = call.positional();
    // Usually `__new__` got the same.
    let same = |items: &[Value]| items.len() == given.len() && items.iter().zip(given).all(|(a, b)| a.is(b));
    let args = e.args.get();
    if !args.and_then(|args| args.downcast::<Tuple>().map(|args| args.with(same))).unwrap_or(false) {
        e.args.set(Some(vm.new_tuple(given.to_vec())?));
    }
    Ok(())
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let parts: Res<Vec<String>> = args(vm, this)?.iter().map(|a| vm.repr_lossy(a)).collect();
    vm.new_str(&format!("{}({})", vm.type_of(this).name(), parts?.join(", ")))
}

pub(crate) fn str(vm: &Interpreter, this: &Value) -> Res {
    match args(vm, this)?.as_slice() {
        [] => vm.new_str(""),
        [one] => vm.str(one),
        _ => match exception(vm, this)?.args.get() {
            Some(all) => vm.repr(&all),
            None => vm.new_str(""),
        },
    }
}

/// `KeyError` shows its key as `repr` does, so that `KeyError('')` can be read.
fn key_error_str(vm: &Interpreter, this: &Value) -> Res {
    match args(vm, this)?.as_slice() {
        [key] => vm.repr(key),
        _ => str(vm, this),
    }
}

pub(crate) fn get_args(vm: &Interpreter, this: &Value) -> Res {
    match exception(vm, this)?.args.get() {
        Some(args) => Ok(args),
        None => vm.new_tuple(Vec::new()),
    }
}

fn set_args(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let Some(value) = value else { return Err(vm.type_error("args may not be deleted".to_string())) };
    let items = vm.collect(value)?;
    let tuple = vm.new_tuple(items)?;
    exception(vm, this)?.args.set(Some(tuple));
    Ok(())
}

/// `None` or an exception, else `TypeError`.
fn chained(vm: &Interpreter, value: Option<&Value>, what: &str) -> Res<Option<Value>> {
    match value {
        None => Err(vm.type_error(format!("{what} may not be deleted"))),
        Some(value) if value.is_none() => Ok(None),
        Some(value) if value.downcast::<Exception>().is_some() => Ok(Some(value.clone())),
        Some(_) => Err(vm.type_error(format!(
            "exception {} must be None or derive from BaseException",
            &what[2..what.len() - 2]
        ))),
    }
}

fn set_cause(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let cause = chained(vm, value, "__cause__")?;
    let e = exception(vm, this)?;
    e.suppress_context.set(true);
    e.cause.set(cause);
    Ok(())
}

fn set_context(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let context = chained(vm, value, "__context__")?;
    exception(vm, this)?.context.set(context);
    Ok(())
}

fn set_suppress_context(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(value) if value.is_bool() => {
            exception(vm, this)?.suppress_context.set(value.is_true());
            Ok(())
        }
        Some(_) => Err(vm.type_error("attribute value type must be bool".to_string())),
        None => Err(vm.type_error("can't delete numeric/char attribute".to_string())),
    }
}

fn with_traceback(vm: &Interpreter, this: &Value, traceback: &Value) -> Res {
    set_traceback(vm, this, Some(traceback))?;
    Ok(this.clone())
}

fn set_traceback(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let Some(value) = value else {
        return Err(vm.type_error("__traceback__ may not be deleted".to_string()));
    };
    if !value.is_none() && &*vm.type_name(value) != "traceback" {
        return Err(vm.type_error("__traceback__ must be a traceback or None".to_string()));
    }
    exception(vm, this)?.traceback.set(if value.is_none() { None } else { Some(value.clone()) });
    Ok(())
}

fn add_note(vm: &Interpreter, args: &Args) -> Res {
    let (this, note) = (args.req(0), args.req(1));
    if note.downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("note must be a str, not '{}'", vm.type_name(note))));
    }
    let notes = match vm.get_attr_opt(this, "__notes__")? {
        Some(notes) => notes,
        None => {
            let fresh = vm.new_list(Vec::new())?;
            vm.set_attr_str(this, "__notes__", fresh.clone())?;
            fresh
        }
    };
    match notes.downcast::<pellucid_object::List>() {
        Some(list) => list.push(vm, note.clone())?,
        None => return Err(vm.type_error("Cannot add note: __notes__ is not a list".to_string())),
    }
    Ok(Value::NONE)
}

/// `(type, args)`, and the instance's attributes if there are any.
fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let mut parts = vec![vm.type_of(this).into_value(), get_args(vm, this)?];
    if let Some(dict) = vm.attrs_dict(this)?
        && !dict.is_empty()
    {
        parts.push(dict.into_value());
    }
    vm.new_tuple(parts)
}

fn set_state(vm: &Interpreter, this: &Value, state: &Value) -> Res {
    if state.is_none() {
        return Ok(Value::NONE);
    }
    let Some(dict) = state.downcast::<pellucid_object::Dict>() else {
        return Err(vm.type_error("state is not a dictionary".to_string()));
    };
    for (name, value) in dict.pairs() {
        if name.downcast::<Str>().is_none() {
            let got = vm.type_name(&name);
            return Err(vm.type_error(format!("attribute name must be string, not '{got}'")));
        }
        vm.set_attr(this, &name, Some(&value))?;
    }
    Ok(Value::NONE)
}

fn or_none(value: Option<Value>) -> Res {
    Ok(value.unwrap_or(Value::NONE))
}

pub static BASE_EXCEPTION: TypeDef = TypeDef {
    name: "BaseException",
    module: "builtins",
    base: None,
    payload: payload::<Exception>(),
    flags: TypeFlags::BASETYPE,
    doc: "Common base class for all exceptions.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr), Slot::Str(str)],
    methods: &[
        FunctionDef::new(
            "with_traceback",
            "($self, object, /)",
            "Set self.__traceback__ to tb and return self.",
            NativeFn::F2(with_traceback),
        ),
        FunctionDef::new(
            "add_note",
            "($self, object, /)",
            "Add a note to the exception.",
            NativeFn::Args(add_note),
        ),
        FunctionDef::new("__reduce__", "($self, /)", "For pickling and copying.", NativeFn::F1(reduce)),
        FunctionDef::new("__setstate__", "($self, state, /)", "Sets attributes.", NativeFn::F2(set_state)),
    ],
    getset: &[
        GetSetDef { name: "args", doc: "", get: get_args, set: Some(set_args) },
        GetSetDef {
            name: "__cause__",
            doc: "exception cause",
            get: |vm, this| or_none(exception(vm, this)?.cause.get()),
            set: Some(set_cause),
        },
        GetSetDef {
            name: "__context__",
            doc: "exception context",
            get: |vm, this| or_none(exception(vm, this)?.context.get()),
            set: Some(set_context),
        },
        GetSetDef {
            name: "__traceback__",
            doc: "",
            get: |vm, this| or_none(exception(vm, this)?.traceback.get()),
            set: Some(set_traceback),
        },
        GetSetDef {
            name: "__suppress_context__",
            doc: "",
            get: |vm, this| Ok(Value::bool(exception(vm, this)?.suppress_context.get())),
            set: Some(set_suppress_context),
        },
    ],
};

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let fresh = Exception::default();
    fresh.args.set(Some(vm.new_tuple(call.positional().to_vec())?));
    vm.alloc_subclass(cls, fresh)
}

static KEY_ERROR: TypeDef =
    TypeDef { slots: &[Slot::Str(key_error_str)], ..plain("KeyError", &[], "Mapping key not found.") };

/// `StopIteration.value` and `SystemExit.code`: the first argument.
fn init_first_argument(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    init(vm, this, call)?;
    let value = match call.positional() {
        [] => None,
        [one, ..] => Some(one.clone()),
    };
    exception(vm, this)?.set_field(0, value);
    Ok(())
}

/// `SystemExit.code` is the tuple of arguments when there are several.
fn init_system_exit(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    init_first_argument(vm, this, call)?;
    if call.positional().len() > 1 {
        let e = exception(vm, this)?;
        e.set_field(0, e.args.get());
    }
    Ok(())
}

fn first_field(vm: &Interpreter, this: &Value) -> Res {
    or_none(exception(vm, this)?.field(0))
}

fn set_first_field(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    exception(vm, this)?.set_field(0, value.cloned());
    Ok(())
}

fn second_field(vm: &Interpreter, this: &Value) -> Res {
    or_none(exception(vm, this)?.field(1))
}

fn set_second_field(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    exception(vm, this)?.set_field(1, value.cloned());
    Ok(())
}

/// Takes the keywords `names` of the type `owner` as fields; the rest as every exception does.
fn init_keywords(vm: &Interpreter, this: &Value, call: &CallArgs, owner: &str, names: &[&str]) -> Res<()> {
    init(vm, this, &CallArgs::new(call.positional()))?;
    let e = exception(vm, this)?;
    (0..names.len()).for_each(|index| e.set_field(index, None));
    for (key, value) in call.keywords() {
        let key = vm.str_lossy(key);
        match names.iter().position(|n| *n == key) {
            Some(index) => e.set_field(index, Some(value.clone())),
            None => {
                return Err(vm.type_error(format!("{owner}() got an unexpected keyword argument '{key}'")));
            }
        }
    }
    Ok(())
}

/// The instance's attributes with those of `fields` that are set; `None` when there is nothing.
pub(crate) fn state_with(vm: &Interpreter, this: &Value, fields: &[(&str, Option<Value>)]) -> Res {
    let state = match vm.attrs_dict(this)? {
        Some(own) => own.copied(vm)?,
        None => Default::default(),
    };
    for (name, value) in fields {
        if let Some(value) = value {
            state.set(vm, vm.intern(name)?, value.clone())?;
        }
    }
    if state.is_empty() { Ok(Value::NONE) } else { vm.alloc(&vm.types().dict, state) }
}

/// The object itself may not be fit for pickling, so it is left out.
fn attribute_error_state(vm: &Interpreter, this: &Value) -> Res {
    let e = exception(vm, this)?;
    state_with(vm, this, &[("name", e.field(0)), ("args", e.args.get())])
}

fn attribute_error_reduce(vm: &Interpreter, this: &Value) -> Res {
    let state = attribute_error_state(vm, this)?;
    vm.new_tuple(vec![vm.type_of(this).into_value(), get_args(vm, this)?, state])
}

static ATTRIBUTE_ERROR_METHODS: &[FunctionDef] = &[
    FunctionDef::new("__getstate__", "($self, /)", "", NativeFn::F1(attribute_error_state)),
    FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(attribute_error_reduce)),
];

static FIRST_VALUE: GetSetDef =
    GetSetDef { name: "value", doc: "generator return value", get: first_field, set: Some(set_first_field) };

static STOP_ITERATION: TypeDef = TypeDef {
    slots: &[Slot::Init(init_first_argument)],
    ..plain("StopIteration", std::slice::from_ref(&FIRST_VALUE), "Signal the end from iterator.__next__().")
};
static STOP_ASYNC_ITERATION: TypeDef =
    plain("StopAsyncIteration", &[], "Signal the end from iterator.__anext__().");
static SYSTEM_EXIT: TypeDef = TypeDef {
    slots: &[Slot::Init(init_system_exit)],
    ..plain(
        "SystemExit",
        &[GetSetDef { name: "code", doc: "exception code", get: first_field, set: Some(set_first_field) }],
        "Request to exit from the interpreter.",
    )
};
static ATTRIBUTE_ERROR: TypeDef = TypeDef {
    slots: &[Slot::Init(|vm, this, call| init_keywords(vm, this, call, "AttributeError", &["name", "obj"]))],
    methods: ATTRIBUTE_ERROR_METHODS,
    ..plain(
        "AttributeError",
        &[
            GetSetDef { name: "name", doc: "attribute name", get: first_field, set: Some(set_first_field) },
            GetSetDef { name: "obj", doc: "object", get: second_field, set: Some(set_second_field) },
        ],
        "Attribute not found.",
    )
};
static NAME_ERROR: TypeDef = TypeDef {
    slots: &[Slot::Init(|vm, this, call| init_keywords(vm, this, call, "NameError", &["name"]))],
    ..plain(
        "NameError",
        &[GetSetDef { name: "name", doc: "name", get: first_field, set: Some(set_first_field) }],
        "Name not found globally.",
    )
};

/// A type that differs from its base in `getset` and slots alone.
pub(crate) const fn plain(name: &'static str, getset: &'static [GetSetDef], doc: &'static str) -> TypeDef {
    TypeDef {
        name,
        module: "builtins",
        base: None,
        payload: payload::<Exception>(),
        flags: TypeFlags::BASETYPE,
        doc,
        slots: &[],
        methods: &[],
        getset,
    }
}

/// Fills the exception types. Bases come before the types that inherit from them.
pub fn install(vm: &Interpreter) -> Res<()> {
    let types = vm.exceptions();
    // They were made when `BaseException` was bare, and have the slots of `object`.
    types.all().into_iter().for_each(|ty| ty.slots.reset());
    vm.fill_type(types.base_exception(), &BASE_EXCEPTION)?;
    let special: [(&Ref<Type>, &'static TypeDef); 10] = [
        (types.key_error(), &KEY_ERROR),
        (types.stop_iteration(), &STOP_ITERATION),
        (types.stop_async_iteration(), &STOP_ASYNC_ITERATION),
        (types.system_exit(), &SYSTEM_EXIT),
        (types.attribute_error(), &ATTRIBUTE_ERROR),
        (types.name_error(), &NAME_ERROR),
        (types.os_error(), &crate::os_error::OS_ERROR),
        (types.import_error(), &crate::exception_fields::IMPORT_ERROR),
        (types.syntax_error(), &crate::exception_fields::SYNTAX_ERROR),
        (types.base_exception_group(), &crate::exception_group::BASE_EXCEPTION_GROUP),
    ];
    for (ty, def) in special {
        vm.fill_type(ty, def)?;
    }
    for ty in types.all() {
        vm.refresh_slots(ty)?;
        let name = ty.name();
        let doc = DOCS.iter().find(|(known, _)| *known == &*name);
        if let (Some((_, doc)), Some(dict)) = (doc, ty.namespace()) {
            dict.set(vm, vm.intern_static("__doc__")?, vm.new_str(doc)?)?;
        }
    }
    Ok(())
}

/// What the types say of themselves that have no table of their own.
static DOCS: &[(&str, &str)] = &[
    ("ArithmeticError", "Base class for arithmetic errors."),
    ("AssertionError", "Assertion failed."),
    ("BlockingIOError", "I/O operation would block."),
    ("BrokenPipeError", "Broken pipe."),
    ("BufferError", "Buffer error."),
    ("BytesWarning", "Warnings about bytes and buffers, mostly about comparing them with str."),
    ("ChildProcessError", "Child process error."),
    ("ConnectionAbortedError", "Connection aborted."),
    ("ConnectionError", "Connection error."),
    ("ConnectionRefusedError", "Connection refused."),
    ("ConnectionResetError", "Connection reset."),
    ("DeprecationWarning", "Warnings about features that will go away."),
    ("EOFError", "Read beyond end of file."),
    ("EncodingWarning", "Warnings about encodings."),
    ("Exception", "Common base class for all non-exit exceptions."),
    ("FileExistsError", "File already exists."),
    ("FileNotFoundError", "File not found."),
    ("FloatingPointError", "Floating-point operation failed."),
    ("FutureWarning", "Warnings about constructs whose meaning will change."),
    ("GeneratorExit", "Request that a generator exit."),
    ("ImportWarning", "Warnings about probable mistakes in module imports."),
    ("IndentationError", "Improper indentation."),
    ("IndexError", "Sequence index out of range."),
    ("InterruptedError", "Interrupted by signal."),
    ("IsADirectoryError", "Operation doesn't work on directories."),
    ("KeyboardInterrupt", "Program interrupted by user."),
    ("LookupError", "Base class for lookup errors."),
    ("MemoryError", "Out of memory."),
    ("ModuleNotFoundError", "Module not found."),
    ("NotADirectoryError", "Operation only works on directories."),
    ("NotImplementedError", "Method or function hasn't been implemented yet."),
    ("OverflowError", "Result too large to be represented."),
    ("PendingDeprecationWarning", "Warnings about features that will be deprecated."),
    ("PermissionError", "Not enough permissions."),
    ("ProcessLookupError", "Process not found."),
    ("PythonFinalizationError", "Operation blocked during Python finalization."),
    ("RecursionError", "Recursion limit exceeded."),
    ("ReferenceError", "Weak ref proxy used after referent went away."),
    ("ResourceWarning", "Warnings about the use of resources."),
    ("RuntimeError", "Unspecified run-time error."),
    ("RuntimeWarning", "Warnings about dubious runtime behavior."),
    ("SyntaxWarning", "Warnings about dubious syntax."),
    ("SystemError", "Internal error in the interpreter."),
    ("TabError", "Improper mixture of spaces and tabs."),
    ("TimeoutError", "Timeout expired."),
    ("TypeError", "Inappropriate argument type."),
    ("UnboundLocalError", "Local name referenced but not bound to a value."),
    ("UnicodeError", "Unicode related error."),
    ("UnicodeWarning", "Warnings about problems of Unicode conversions."),
    ("UserWarning", "Base class for warnings generated by user code."),
    ("ValueError", "Inappropriate argument value (of correct type)."),
    ("Warning", "Base class for warning categories."),
    ("ZeroDivisionError", "Second argument to a division or modulo operation was zero."),
    ("_IncompleteInputError", "Incomplete input."),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(vm: &Interpreter, ty: &Ref<Type>, args: &[Value]) -> (String, String) {
        let e = vm.call_values(ty.value(), args).expect("an exception");
        (vm.repr_lossy(&e).expect("repr"), vm.str_lossy(&vm.str(&e).expect("str")))
    }

    #[test]
    fn text_and_fields() {
        let vm = Interpreter::new().expect("memory");
        install(&vm).expect("install");
        let types = vm.exceptions();
        let text = vm.new_str("boom").expect("str");
        assert_eq!(shown(&vm, types.value_error(), &[]), ("ValueError()".into(), String::new()));
        assert_eq!(shown(&vm, types.value_error(), std::slice::from_ref(&text)).1, "boom");
        let stop = vm.call_values(types.stop_iteration().value(), std::slice::from_ref(&text)).expect("made");
        assert!(vm.get_attr_str(&stop, "value").expect("value").is(&text));
        let e = vm.call_values(types.attribute_error().value(), &[]).expect("made");
        assert!(vm.get_attr_str(&e, "name").expect("name").is_none());
        vm.set_attr_str(&e, "__cause__", stop.clone()).expect("set");
        assert!(vm.get_attr_str(&e, "__suppress_context__").expect("flag").is_true());
        vm.call_attr(&e, "add_note", std::slice::from_ref(&text)).expect("note");
        let notes = vm.get_attr_str(&e, "__notes__").expect("notes");
        assert!(vm.collect(&notes).expect("a list").iter().all(|note| note.is(&text)));
    }

    #[test]
    fn wrong_values_are_refused() {
        let vm = Interpreter::new().expect("memory");
        install(&vm).expect("install");
        let e = vm.call_values(vm.exceptions().value_error().value(), &[]).expect("made");
        for (name, message) in [
            ("__cause__", "exception cause must be None or derive from BaseException"),
            ("__context__", "exception context must be None or derive from BaseException"),
            ("__traceback__", "__traceback__ must be a traceback or None"),
            ("__suppress_context__", "attribute value type must be bool"),
        ] {
            let raised = vm.set_attr_str(&e, name, vm.new_int(1).expect("int")).expect_err("refused");
            let error = vm.take_raised(raised);
            assert_eq!(vm.str_lossy(&vm.str(&error).expect("str")), message);
        }
    }
}

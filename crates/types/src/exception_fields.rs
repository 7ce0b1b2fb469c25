//! `ImportError` and `SyntaxError`: their fields, and how they read.

use crate::exception::{exception, get_args, init as init_base, plain, state_with, str as base_str};
use pellucid_object::{
    CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Res, Slot, Str, TypeDef, Value,
};

/// Field `index` of an exception as an attribute that can be set and deleted.
macro_rules! field {
    ($name:literal, $index:expr) => {
        GetSetDef {
            name: $name,
            doc: "",
            get: |vm, this| Ok(exception(vm, this)?.field($index).unwrap_or(Value::NONE)),
            set: Some(|vm, this, value| {
                exception(vm, this)?.set_field($index, value.cloned());
                Ok(())
            }),
        }
    };
}

const MSG: usize = 0;
const IMPORT_KEYWORDS: [&str; 3] = ["name", "path", "name_from"];

fn init_import_error(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    init_base(vm, this, &CallArgs::new(call.positional()))?;
    let e = exception(vm, this)?;
    (MSG..=IMPORT_KEYWORDS.len()).for_each(|index| e.set_field(index, None));
    for (key, value) in call.keywords() {
        let key = vm.str_lossy(key);
        match IMPORT_KEYWORDS.iter().position(|name| *name == key) {
            Some(index) => e.set_field(1 + index, Some(value.clone())),
            None => {
                let what = format!("ImportError() got an unexpected keyword argument '{key}'");
                return Err(vm.type_error(what));
            }
        }
    }
    if let [message] = call.positional() {
        e.set_field(MSG, Some(message.clone()));
    }
    Ok(())
}

fn import_error_str(vm: &Interpreter, this: &Value) -> Res {
    match exception(vm, this)?.field(MSG) {
        Some(message) if vm.is_exact(&message, &vm.types().str) => Ok(message),
        _ => base_str(vm, this),
    }
}

fn import_error_state(vm: &Interpreter, this: &Value) -> Res {
    let e = exception(vm, this)?;
    state_with(vm, this, &[("name", e.field(1)), ("path", e.field(2)), ("name_from", e.field(3))])
}

fn import_error_reduce(vm: &Interpreter, this: &Value) -> Res {
    let mut parts = vec![vm.type_of(this).into_value(), get_args(vm, this)?];
    parts.extend(Some(import_error_state(vm, this)?).filter(|state| !state.is_none()));
    vm.new_tuple(parts)
}

pub static IMPORT_ERROR: TypeDef = TypeDef {
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(import_error_reduce))],
    slots: &[Slot::Init(init_import_error), Slot::Str(import_error_str)],
    ..plain(
        "ImportError",
        &[field!("msg", MSG), field!("name", 1), field!("path", 2), field!("name_from", 3)],
        "Import can't find module, or can't find name in module.",
    )
};

const FILENAME: usize = 1;
const LINENO: usize = 2;
/// `filename`, `lineno`, `offset`, `text`, `end_lineno`, `end_offset` follow the message; then metadata.
const PLACE_FIELDS: usize = 6;
const METADATA: usize = 7;
const PRINT_FILE_AND_LINE: usize = 8;

fn init_syntax_error(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    init_base(vm, this, call)?;
    let e = exception(vm, this)?;
    if let Some(message) = call.positional().first() {
        e.set_field(MSG, Some(message.clone()));
    }
    let [_, place] = call.positional() else { return Ok(()) };
    let parts = vm.collect(place)?;
    if parts.len() < 4 {
        let got = parts.len();
        return Err(vm.type_error(format!("function takes at least 4 arguments ({got} given)")));
    }
    if parts.len() > PLACE_FIELDS + 1 {
        let got = parts.len();
        return Err(
            vm.type_error(format!("function takes at most {} arguments ({got} given)", PLACE_FIELDS + 1))
        );
    }
    if parts.len() == 5 {
        let what = "end_offset must be provided when end_lineno is provided";
        return Err(vm.type_error(what.to_string()));
    }
    for index in 0..PLACE_FIELDS {
        e.set_field(FILENAME + index, parts.get(index).cloned());
    }
    e.set_field(METADATA, parts.get(PLACE_FIELDS).cloned());
    Ok(())
}

/// The message, with the file's last part and the line where they are known.
fn syntax_error_str(vm: &Interpreter, this: &Value) -> Res {
    let e = exception(vm, this)?;
    let message = vm.str(&e.field(MSG).unwrap_or(Value::NONE))?;
    let file = e.field(FILENAME).filter(|f| f.downcast::<Str>().is_some());
    let file = file.map(|f| vm.str_lossy(&f)).map(|f| f.rsplit('/').next().unwrap_or("").to_string());
    let line = e.field(LINENO).and_then(|l| vm.as_i64(&l));
    let message = vm.str_lossy(&message);
    let text = match (file, line) {
        (Some(file), Some(line)) => format!("{message} ({file}, line {line})"),
        (Some(file), None) => format!("{message} ({file})"),
        (None, Some(line)) => format!("{message} (line {line})"),
        (None, None) => message,
    };
    vm.new_str(&text)
}

pub static SYNTAX_ERROR: TypeDef = TypeDef {
    slots: &[Slot::Init(init_syntax_error), Slot::Str(syntax_error_str)],
    ..plain(
        "SyntaxError",
        &[
            field!("msg", MSG),
            field!("filename", FILENAME),
            field!("lineno", LINENO),
            field!("offset", 3),
            field!("text", 4),
            field!("end_lineno", 5),
            field!("end_offset", 6),
            field!("_metadata", METADATA),
            field!("print_file_and_line", PRINT_FILE_AND_LINE),
        ],
        "Invalid syntax.",
    )
};

//! `_csv`: rows of text with separators.

mod dialect;
mod reader;
mod writer;

use crate::ModuleError;
use pellucid_object::{
    Args, Dict, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Ref, Res, Str, Value, constant,
};
use std::cell::{Cell, RefCell};

/// What this interpreter's module remembers.
struct State {
    error: ModuleError,
    dialects: RefCell<Option<Value>>,
    field_limit: Cell<i64>,
}

impl Default for State {
    fn default() -> State {
        State {
            error: ModuleError::default(),
            dialects: RefCell::default(),
            field_limit: Cell::new(128 * 1024),
        }
    }
}

fn error_class(vm: &Interpreter) -> Res {
    vm.state::<State>().error.class(vm, "_csv", "Error", vm.exceptions().exception())
}

/// `csv.Error`, raised.
#[cold]
fn error(vm: &Interpreter, message: &str) -> Raised {
    crate::raise_new(vm, error_class(vm), message)
}

/// The registered dialects by name.
fn dialects(vm: &Interpreter) -> Res<Ref<Dict>> {
    let state = vm.state::<State>();
    let known = state.dialects.borrow().clone();
    if let Some(dict) = known.and_then(|d| d.downcast_ref::<Dict>()) {
        return Ok(dict);
    }
    let dict = vm.new_dict()?;
    *state.dialects.borrow_mut() = Some(dict.value().clone());
    Ok(dict)
}

fn register_dialect(vm: &Interpreter, args: &Args) -> Res {
    let name = args.req(0);
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("dialect name must be a string".to_string()));
    }
    let made = dialect::with_keywords(vm, args.get(1), args.req(2))?;
    dialects(vm)?.set(vm, name.clone(), made)?;
    Ok(Value::NONE)
}

fn unregister_dialect(vm: &Interpreter, name: &Value) -> Res {
    match dialects(vm)?.remove(vm, name)? {
        Some(_) => Ok(Value::NONE),
        None => Err(error(vm, "unknown dialect")),
    }
}

fn get_dialect(vm: &Interpreter, name: &Value) -> Res {
    match dialects(vm)?.get(vm, name)? {
        Some(dialect) => Ok(dialect),
        None => Err(error(vm, "unknown dialect")),
    }
}

fn list_dialects(vm: &Interpreter) -> Res {
    vm.new_list(dialects(vm)?.keys())
}

fn field_size_limit(vm: &Interpreter, args: &Args) -> Res {
    let state = vm.state::<State>();
    let old = state.field_limit.get();
    if let Some(value) = args.get(0) {
        if value.as_int().is_none() {
            return Err(vm.type_error("limit must be an integer".to_string()));
        }
        match vm.as_i64(value) {
            Some(limit) => state.field_limit.set(limit),
            None => {
                let what = "Python int too large to convert to C long";
                return Err(vm.overflow_error(what.to_string()));
            }
        }
    }
    vm.new_int(old)
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "_csv",
    doc: "CSV parsing and writing.\n",
    functions: &[
        FunctionDef::new("reader", "($module, iterable, /, dialect='excel', **fmtparams)", "Return a reader object that will process lines from the given iterable.", NativeFn::Args(reader::new)),
        FunctionDef::new("writer", "($module, fileobj, /, dialect='excel', **fmtparams)", "Return a writer object that will write user data on the given file object.", NativeFn::Args(writer::new)),
        FunctionDef::new("list_dialects", "($module, /)", "Return a list of all known dialect names.", NativeFn::F0(list_dialects)),
        FunctionDef::new("register_dialect", "($module, name, /, dialect='excel', **fmtparams)", "Create a mapping from a string name to a CVS dialect.", NativeFn::Args(register_dialect)),
        FunctionDef::new("unregister_dialect", "($module, /, name)", "Delete the name/dialect mapping associated with a string name.", NativeFn::F1(unregister_dialect)),
        FunctionDef::new("get_dialect", "($module, /, name)", "Return the dialect instance associated with name.", NativeFn::F1(get_dialect)),
        FunctionDef::new("field_size_limit", "($module, /, new_limit=None)", "Sets an upper limit on parsed fields.", NativeFn::Args(field_size_limit)),
    ],
    types: &[&dialect::DIALECT],
    constants: &[
        constant("Error", error_class),
        constant("Reader", |vm| Ok(vm.type_for(&reader::READER)?.into_value())),
        constant("Writer", |vm| Ok(vm.type_for(&writer::WRITER)?.into_value())),
        constant("_dialects", |vm| Ok(dialects(vm)?.into_value())),
        constant("QUOTE_MINIMAL", |vm| vm.new_int(0)),
        constant("QUOTE_ALL", |vm| vm.new_int(1)),
        constant("QUOTE_NONNUMERIC", |vm| vm.new_int(2)),
        constant("QUOTE_NONE", |vm| vm.new_int(3)),
        constant("QUOTE_STRINGS", |vm| vm.new_int(4)),
        constant("QUOTE_NOTNULL", |vm| vm.new_int(5)),
    ],
    init: None,
};

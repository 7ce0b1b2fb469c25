//! The codec registry: search functions, found codecs, error handlers by name.

use super::handler::{FUNCTIONS, Known};
use pellucid_object::{Interpreter, Raised, Res, Tuple, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// An interpreter's registry.
#[derive(Default)]
pub struct Registry {
    search: RefCell<Vec<Value>>,
    found: RefCell<HashMap<String, Value>>,
    handlers: RefCell<HashMap<String, Value>>,
    /// Whether `encodings` was imported, which registers the search function of the library.
    started: Cell<bool>,
    /// Names of error handlers are looked up even where no error is handled (`-X dev`).
    checks: Cell<bool>,
}

/// From now on names of error handlers are looked up even where no error is handled.
pub fn check_names(vm: &Interpreter) {
    vm.state::<Registry>().checks.set(true);
}

/// Looks the name of an error handler up when names are to be checked. Errors: `LookupError`.
pub(super) fn check_errors(vm: &Interpreter, errors: Option<&str>) -> Res<()> {
    match errors {
        Some(errors) if vm.state::<Registry>().checks.get() => lookup_error(vm, errors).map(drop),
        _ => Ok(()),
    }
}

/// Whether names are to be checked, even of what is not used.
pub(super) fn checks(vm: &Interpreter) -> bool {
    vm.state::<Registry>().checks.get()
}

/// The name as search functions get it: lower case, one underscore for each run of anything but letters, digits and dots.
pub fn normalized(name: &str) -> String {
    let mut result = String::new();
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !result.is_empty() {
                result.push('_');
            }
            gap = false;
            result.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    result
}

fn start(vm: &Interpreter, registry: &Registry) -> Res<()> {
    if registry.started.replace(true) {
        return Ok(());
    }
    match vm.import("encodings") {
        Ok(_) => Ok(()),
        Err(raised) => {
            registry.started.set(false);
            Err(raised)
        }
    }
}

/// `codecs.register`. Errors: `TypeError`.
pub fn register(vm: &Interpreter, function: &Value) -> Res<()> {
    if vm.type_of_ref(function).slots.call.get().is_none() {
        return Err(vm.type_error("argument must be callable".to_string()));
    }
    vm.state::<Registry>().search.borrow_mut().push(function.clone());
    Ok(())
}

/// `codecs.unregister`: takes the search function out and forgets what was found.
pub fn unregister(vm: &Interpreter, function: &Value) {
    let registry = vm.state::<Registry>();
    let removed = {
        let mut search = registry.search.borrow_mut();
        search.iter().position(|f| f.is(function)).map(|at| search.remove(at))
    };
    if removed.is_some() {
        let found = registry.found.take();
        drop(found);
    }
}

#[cold]
fn unknown(vm: &Interpreter, encoding: &str) -> Raised {
    vm.lookup_error(format!("unknown encoding: {encoding}"))
}

/// `codecs.lookup`: the codec's tuple. Errors: `LookupError`, what search functions raise.
pub fn lookup(vm: &Interpreter, encoding: &str) -> Res {
    let registry = vm.state::<Registry>();
    let name = normalized(encoding);
    if let Some(found) = registry.found.borrow().get(&name) {
        return Ok(found.clone());
    }
    start(vm, &registry)?;
    let search = registry.search.borrow().clone();
    if search.is_empty() {
        let what = "no codec search functions registered: can't find encoding";
        return Err(vm.lookup_error(what.to_string()));
    }
    let argument = vm.new_str(&name)?;
    for function in search {
        let result = vm.call_values(&function, std::slice::from_ref(&argument))?;
        if result.is_none() {
            continue;
        }
        if result.downcast::<Tuple>().is_none_or(|t| t.len() != 4) {
            return Err(vm.type_error("codec search functions must return 4-tuples".to_string()));
        }
        let old = registry.found.borrow_mut().insert(name, result.clone());
        drop(old);
        return Ok(result);
    }
    Err(unknown(vm, encoding))
}

/// The codec, which must be one between text and bytes. Errors: `LookupError` that names what to use instead.
pub fn lookup_text(vm: &Interpreter, encoding: &str, instead: &str) -> Res {
    let codec = lookup(vm, encoding)?;
    if vm.is_exact(&codec, &vm.types().tuple) {
        return Ok(codec);
    }
    if let Some(flag) = vm.get_attr_opt(&codec, "_is_text_encoding")?
        && !vm.truthy(&flag)?
    {
        return Err(vm.lookup_error(format!(
            "'{encoding}' is not a text encoding; use {instead} to handle arbitrary codecs"
        )));
    }
    Ok(codec)
}

/// Which function of a codec.
#[derive(Clone, Copy)]
pub enum Direction {
    Encode,
    Decode,
}

/// Calls a codec's function; the first item of the pair it returns. Errors: what it raises, with a note that names the codec.
pub fn call(
    vm: &Interpreter,
    codec: &Value,
    direction: Direction,
    object: &Value,
    encoding: &str,
    errors: Option<&str>,
) -> Res {
    let (index, doing, noun) = match direction {
        Direction::Encode => (0, "encoding", "encoder"),
        Direction::Decode => (1, "decoding", "decoder"),
    };
    let Some(function) = codec.downcast::<Tuple>().and_then(|t| t.get(index)) else {
        return Err(vm.type_error("codec must be a tuple".to_string()));
    };
    let mut args = vec![object.clone()];
    if let Some(errors) = errors {
        args.push(vm.new_str(errors)?);
    }
    match vm.call_values(&function, &args) {
        Ok(result) => match result.downcast::<Tuple>().map(Tuple::items).as_deref() {
            Some([value, _]) => Ok(value.clone()),
            _ => Err(vm.type_error(format!("{noun} must return a tuple (object, integer)"))),
        },
        Err(raised) => {
            let exception = vm.take_raised(raised);
            let note = vm.new_str(&format!("{doing} with '{encoding}' codec failed"))?;
            vm.call_attr(&exception, "add_note", &[note])?;
            Err(vm.raise_as_is(exception))
        }
    }
}

/// `codecs.register_error`. Errors: `TypeError`.
pub fn register_error(vm: &Interpreter, name: &str, handler: &Value) -> Res<()> {
    if vm.type_of_ref(handler).slots.call.get().is_none() {
        return Err(vm.type_error("handler must be callable".to_string()));
    }
    let old = vm.state::<Registry>().handlers.borrow_mut().insert(name.to_string(), handler.clone());
    drop(old);
    Ok(())
}

/// `codecs._unregister_error`: whether there was one. Errors: `ValueError` for the known ones.
pub fn unregister_error(vm: &Interpreter, name: &str) -> Res<bool> {
    if Known::named(name).is_some() {
        return Err(vm.value_error(format!("cannot un-register built-in error handler '{name}'")));
    }
    let old = vm.state::<Registry>().handlers.borrow_mut().remove(name);
    Ok(old.is_some())
}

/// `codecs.lookup_error`. Errors: `LookupError`.
pub fn lookup_error(vm: &Interpreter, name: &str) -> Res {
    let registry = vm.state::<Registry>();
    if let Some(found) = registry.handlers.borrow().get(name) {
        return Ok(found.clone());
    }
    let Some(index) = Known::ALL.iter().position(|(n, _)| *n == name) else {
        return Err(vm.lookup_error(format!("unknown error handler name '{name}'")));
    };
    let function = vm.new_builtin(&FUNCTIONS[index], None, false, None)?;
    registry.handlers.borrow_mut().insert(name.to_string(), function.clone());
    Ok(function)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_normalised() {
        for (name, expected) in
            [("UTF-8", "utf_8"), ("  Iso 8859--1 ", "iso_8859_1"), ("utf8", "utf8"), ("a.b", "a.b")]
        {
            assert_eq!(super::normalized(name), expected);
        }
    }
}

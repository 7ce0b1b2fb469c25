//! The exceptions of the module, and notes that tell which part of an object could not be pickled.

use pellucid_object::{Interpreter, Raised, Ref, Res, Type, Value};
use std::cell::RefCell;

#[derive(Clone)]
struct Types {
    pickle: Ref<Type>,
    pickling: Ref<Type>,
    unpickling: Ref<Type>,
}

#[derive(Default)]
struct State(RefCell<Option<Types>>);

fn make(vm: &Interpreter, name: &str, base: &Value) -> Res<Ref<Type>> {
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str("_pickle")?)?;
    let class = vm.new_class(vm.types().type_.value(), name, vec![base.clone()], &namespace, &[])?;
    class.downcast_ref::<Type>().ok_or_else(|| vm.bug("a class is a type"))
}

fn types(vm: &Interpreter) -> Res<Types> {
    let state = vm.state::<State>();
    if let Some(known) = state.0.borrow().as_ref() {
        return Ok(known.clone());
    }
    let pickle = make(vm, "PickleError", vm.exceptions().exception().value())?;
    let types = Types {
        pickling: make(vm, "PicklingError", pickle.value())?,
        unpickling: make(vm, "UnpicklingError", pickle.value())?,
        pickle,
    };
    *state.0.borrow_mut() = Some(types.clone());
    Ok(types)
}

pub fn pickle_error_type(vm: &Interpreter) -> Res {
    Ok(types(vm)?.pickle.into_value())
}
pub fn pickling_error_type(vm: &Interpreter) -> Res {
    Ok(types(vm)?.pickling.into_value())
}
pub fn unpickling_error_type(vm: &Interpreter) -> Res {
    Ok(types(vm)?.unpickling.into_value())
}

#[cold]
pub fn pickling(vm: &Interpreter, message: &str) -> Raised {
    match types(vm) {
        Ok(types) => vm.raise_text(&types.pickling, message),
        Err(raised) => raised,
    }
}

/// A `PicklingError` whose cause is the exception that stands. The message gets the text of that.
#[cold]
pub fn pickling_from(vm: &Interpreter, raised: Raised, message: impl FnOnce(&str) -> String) -> Raised {
    let cause = vm.take_raised(raised);
    let text = match vm.str(&cause) {
        Ok(text) => vm.str_lossy(&text),
        Err(raised) => return raised,
    };
    let raised = pickling(vm, &message(&text));
    let error = vm.take_raised(raised);
    if let Some(e) = error.downcast::<pellucid_object::Exception>() {
        e.cause.set(Some(cause.clone()));
        e.context.set(Some(cause));
        e.suppress_context.set(true);
    }
    vm.raise_as_is(error)
}

#[cold]
pub fn unpickling(vm: &Interpreter, message: &str) -> Raised {
    match types(vm) {
        Ok(types) => vm.raise_text(&types.unpickling, message),
        Err(raised) => raised,
    }
}

pub fn is_unpickling(vm: &Interpreter) -> bool {
    types(vm).is_ok_and(|types| vm.raised_is(&types.unpickling))
}

/// Adds a note to the exception that stands, if the result is an error.
#[inline]
pub fn noted<T>(vm: &Interpreter, result: Res<T>, note: impl FnOnce() -> String) -> Res<T> {
    match result {
        Ok(value) => Ok(value),
        Err(raised) => Err(add_note(vm, raised, &note())),
    }
}

#[cold]
fn add_note(vm: &Interpreter, raised: Raised, note: &str) -> Raised {
    let exception = vm.take_raised(raised);
    let added = vm.new_str(note).and_then(|note| vm.call_attr(&exception, "add_note", &[note]));
    if let Err(raised) = added {
        // The error itself counts, not that the note could not be kept.
        drop(vm.take_raised(raised));
    }
    vm.raise_as_is(exception)
}

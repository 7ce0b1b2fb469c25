//! `atexit`: functions that run when the interpreter ends, last registered first.

use pellucid_object::{CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// A function with the arguments it is called with; the last of them belong to `names`.
struct Callback {
    function: Value,
    values: Vec<Value>,
    names: Vec<Value>,
}

#[derive(Default)]
struct Callbacks(RefCell<Vec<Rc<Callback>>>);

fn register(vm: &Interpreter, args: &CallArgs) -> Res {
    let Some(function) = args.positional().first() else {
        return Err(vm.type_error("register() takes at least 1 argument (0 given)".to_string()));
    };
    if vm.type_of(function).slots.call.get().is_none() {
        return Err(vm.type_error("the first argument must be callable".to_string()));
    }
    let callback = Callback {
        function: function.clone(),
        values: args.values[1..].to_vec(),
        names: args.names.to_vec(),
    };
    vm.state::<Callbacks>().0.borrow_mut().push(Rc::new(callback));
    Ok(function.clone())
}

fn unregister(vm: &Interpreter, function: &Value) -> Res {
    let callbacks = vm.state::<Callbacks>();
    let all = callbacks.0.borrow().clone();
    for callback in all {
        if vm.keys_equal(&callback.function, function)? {
            let gone: Vec<_> = {
                let mut list = callbacks.0.borrow_mut();
                let (gone, left) = list.drain(..).partition(|other| Rc::ptr_eq(other, &callback));
                *list = left;
                gone
            };
            drop(gone);
        }
    }
    Ok(Value::NONE)
}

fn clear(vm: &Interpreter) -> Res {
    let gone = vm.state::<Callbacks>().0.take();
    drop(gone);
    Ok(Value::NONE)
}

/// Runs the functions and forgets them; what they raise is reported and does not stop the others.
pub fn run(vm: &Interpreter) {
    let callbacks = vm.state::<Callbacks>();
    loop {
        let last = callbacks.0.borrow_mut().pop();
        let Some(callback) = last else { return };
        let args = CallArgs { values: &callback.values, names: &callback.names };
        if let Err(raised) = vm.call(&callback.function, &args) {
            crate::report_ignored(vm, raised, "Exception ignored in atexit callback", &callback.function);
        }
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "atexit",
    doc: "Allow programmer to define multiple exit functions to be executed upon normal program termination.",
    functions: &[
        FunctionDef::new(
            "register",
            "(func, /, *args, **kwargs)",
            "Register a function to be executed upon normal program termination.",
            NativeFn::Raw(register),
        ),
        FunctionDef::new(
            "unregister",
            "(func, /)",
            "Unregister an exit function which was previously registered using atexit.register",
            NativeFn::F1(unregister),
        ),
        FunctionDef::new(
            "_run_exitfuncs",
            "()",
            "Run all registered exit functions.",
            NativeFn::F0(|vm| {
                run(vm);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "_clear",
            "()",
            "Clear the list of previously registered exit functions.",
            NativeFn::F0(clear),
        ),
        FunctionDef::new(
            "_ncallbacks",
            "()",
            "Return the number of registered exit functions.",
            NativeFn::F0(|vm| vm.new_int(vm.state::<Callbacks>().0.borrow().len() as i64)),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

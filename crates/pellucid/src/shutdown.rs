//! The end of an interpreter: threads, `atexit`, flushing, and the modules one by one, in CPython's order.

use crate::errors;
use crate::import;
use pellucid_object::{
    Dict, Interpreter, Ref, Res, Str, TypeDef, TypeFlags, Value, payload, weakref::WeakRef,
};

/// What remembers a module without keeping it alive.
static MODULE_REFERENCE: TypeDef = TypeDef {
    name: "module_reference",
    module: "builtins",
    base: None,
    payload: payload::<WeakRef>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[],
    getset: &[],
};

/// Runs what must run before the interpreter falls apart. Errors in it are reported and do not stop it.
pub fn before(vm: &Interpreter) -> i32 {
    let mut status = 0;
    for (module, function) in [("threading", "_shutdown"), ("atexit", "_run_exitfuncs")] {
        if let Err(raised) = call_if_loaded(vm, module, function) {
            let exception = vm.take_raised(raised);
            errors::report(vm, &exception);
        }
    }
    if flush(vm).is_err() {
        drop(vm.save_raised());
        status = 120;
    }
    pellucid_interp::state::state(vm).tier.stop();
    pellucid_native_sys::sys::set_finalizing(vm);
    pellucid_native_sys::signal::finish(vm);
    status
}

fn call_if_loaded(vm: &Interpreter, module: &str, function: &str) -> Res<()> {
    let Some(module) = import::loaded(vm, &vm.intern(module)?)?.filter(|module| !module.is_none()) else {
        return Ok(());
    };
    match vm.get_attr_opt(&module, function)? {
        Some(function) => vm.call_values(&function, &[]).map(drop),
        None => Ok(()),
    }
}

/// Flushes `sys.stdout` and `sys.stderr`.
pub fn flush(vm: &Interpreter) -> Res<()> {
    let Some(sys) = vm.sys.get() else { return Ok(()) };
    let mut result = Ok(());
    for name in ["stdout", "stderr"] {
        let Some(stream) = vm.get_attr_opt(&sys, name)?.filter(|stream| !stream.is_none()) else { continue };
        if let Some(closed) = vm.get_attr_opt(&stream, "closed")?
            && vm.truthy(&closed)?
        {
            continue;
        }
        if let Err(raised) = vm.call_attr(&stream, "flush", &[]) {
            let exception = vm.take_raised(raised);
            if name == "stdout" {
                let raised = vm.raise_as_is(exception);
                vm.unraisable(raised, "Exception ignored on flushing sys.stdout", &stream);
            }
            result = Err(vm.raise_text(&vm.exceptions().runtime_error().clone(), "flushing failed"));
        }
    }
    result
}

/// Lets modules go, `__main__` among the first, `sys` and `builtins` last, so that what they hold can still run.
pub fn modules(vm: &Interpreter, builtins: &Value) -> Res<()> {
    let table = import::modules(vm)?;
    let sys = vm.sys.get();
    if let Some(sys) = &sys {
        forget_in_sys(vm, sys, builtins)?;
    }
    let mut weak: Vec<(Value, Value)> = Vec::new();
    for (name, module) in table.pairs() {
        if !module.is_none() && name.downcast::<Str>().is_some() {
            weak.push((name.clone(), weak_reference(vm, &module)?));
        }
        table.set(vm, name, Value::NONE)?;
    }
    table.clear_entries();
    vm.collect_garbage(2);
    for (_, reference) in weak.iter().rev() {
        let Some(module) = reference.downcast::<WeakRef>().and_then(WeakRef::upgrade) else { continue };
        if module.is(builtins) || sys.as_ref().is_some_and(|sys| sys.is(&module)) {
            continue;
        }
        clear_module(vm, &module)?;
    }
    vm.collect_garbage(2);
    Ok(())
}

/// Names in `sys` that hold on to what the program made.
fn forget_in_sys(vm: &Interpreter, sys: &Value, builtins: &Value) -> Res<()> {
    if let Some(namespace) = vm.attrs_dict(builtins)? {
        namespace.set(vm, vm.intern_static("_")?, Value::NONE)?;
    }
    let Some(namespace) = vm.attrs_dict(sys)? else { return Ok(()) };
    const NAMES: &[&str] = &[
        "path",
        "argv",
        "ps1",
        "ps2",
        "last_exc",
        "last_type",
        "last_value",
        "last_traceback",
        "path_hooks",
        "path_importer_cache",
        "meta_path",
        "__interactivehook__",
    ];
    for name in NAMES {
        let name = vm.intern(name)?;
        if namespace.contains(vm, &name)? {
            namespace.set(vm, name, Value::NONE)?;
        }
    }
    for name in ["stdin", "stdout", "stderr"] {
        let first = namespace.get(vm, &vm.intern(&format!("__{name}__"))?)?.unwrap_or(Value::NONE);
        namespace.set(vm, vm.intern(name)?, first)?;
    }
    Ok(())
}

fn weak_reference(vm: &Interpreter, module: &Value) -> Res {
    let reference = vm.alloc(&vm.type_for(&MODULE_REFERENCE)?, WeakRef::default())?;
    vm.weakrefs.register(&reference, module);
    Ok(reference)
}

/// Sets the names of a module to `None`: private ones first, so that functions used by them still work.
fn clear_module(vm: &Interpreter, module: &Value) -> Res<()> {
    let Some(namespace) = vm.attrs_dict(module)? else { return Ok(()) };
    let private = |name: &str| name.starts_with('_') && !name.starts_with("__");
    clear_names(vm, &namespace, private)?;
    clear_names(vm, &namespace, |name| name != "__builtins__")
}

fn clear_names(vm: &Interpreter, namespace: &Ref<Dict>, wanted: impl Fn(&str) -> bool) -> Res<()> {
    for (name, value) in namespace.pairs() {
        if !value.is_none() && name.downcast::<Str>().is_some() && wanted(&vm.str_lossy(&name)) {
            drop(value);
            namespace.set(vm, name, Value::NONE)?;
        }
    }
    Ok(())
}

/// Clears the namespaces of `sys` and `builtins`.
pub fn last(vm: &Interpreter, builtins: &Value) -> Res<()> {
    if let Some(sys) = vm.sys.replace(None)
        && let Some(namespace) = vm.attrs_dict(&sys)?
    {
        clear_names(vm, &namespace, |name| name != "__builtins__")?;
    }
    if let Some(namespace) = vm.attrs_dict(builtins)? {
        clear_names(vm, &namespace, |_| true)?;
    }
    Ok(())
}

//! What `sys` does with values typed in, exceptions that nobody catches, breakpoints and audit events.

use pellucid_object::{Args, CallArgs, Dict, Exception, Interpreter, Res, Str, Tuple, Value};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};

/// An attribute of the module `sys`; `None` when it was deleted, or `sys` is not there (any more).
pub fn sys_attribute(vm: &Interpreter, name: &str) -> Res<Option<Value>> {
    vm.sys_attr(name)
}

/// A standard stream by its name in `sys`, unless it is missing or `None`.
pub fn stream(vm: &Interpreter, name: &str) -> Res<Option<Value>> {
    Ok(sys_attribute(vm, name)?.filter(|file| !file.is_none()))
}

/// `file.write(text)`.
pub fn write(vm: &Interpreter, file: &Value, text: &str) -> Res<()> {
    vm.call_attr(file, "write", &[vm.new_str(text)?]).map(drop)
}

/// `sys.displayhook`: shows a value and keeps it as `_`.
pub fn displayhook(vm: &Interpreter, value: &Value) -> Res {
    let builtins = vm
        .builtins
        .get()
        .and_then(|b| b.downcast_ref::<Dict>())
        .ok_or_else(|| vm.runtime_error("lost builtins module".to_string()))?;
    if value.is_none() {
        return Ok(Value::NONE);
    }
    let underscore = vm.intern_static("_")?;
    builtins.set(vm, underscore.clone(), Value::NONE)?;
    let Some(out) = stream(vm, "stdout")? else {
        return Err(vm.runtime_error("lost sys.stdout".to_string()));
    };
    let text = vm.repr(value)?;
    match vm.call_attr(&out, "write", std::slice::from_ref(&text)) {
        Ok(_) => {}
        Err(raised) if vm.raised_is(vm.exceptions().unicode_encode_error()) => {
            drop(vm.take_raised(raised));
            write_escaped(vm, &out, &text)?;
        }
        Err(raised) => return Err(raised),
    }
    write(vm, &out, "\n")?;
    builtins.set(vm, underscore, value.clone())?;
    Ok(Value::NONE)
}

/// Writes what the encoding of the stream cannot show as backslash escapes.
fn write_escaped(vm: &Interpreter, out: &Value, text: &Value) -> Res<()> {
    let encoding = vm.get_attr_str(out, "encoding")?;
    let bytes = vm.call_attr(text, "encode", &[encoding.clone(), vm.new_str("backslashreplace")?])?;
    if let Some(buffer) = vm.get_attr_opt(out, "buffer")? {
        return vm.call_attr(&buffer, "write", &[bytes]).map(drop);
    }
    let text = vm.call_attr(&bytes, "decode", &[encoding, vm.new_str("strict")?])?;
    vm.call_attr(out, "write", &[text]).map(drop)
}

/// `sys.excepthook`: prints an exception with its traceback to `sys.stderr`.
pub fn excepthook(vm: &Interpreter, args: &Args) -> Res {
    let (value, traceback) = (args.req(1), args.req(2));
    if let Some(exception) = value.downcast::<Exception>()
        && !traceback.is_none()
        && exception.traceback.get().is_none()
    {
        vm.set_attr_str(value, "__traceback__", traceback.clone())?;
    }
    print_exception(vm, value)?;
    Ok(Value::NONE)
}

/// Prints an exception with its traceback to `sys.stderr`, through the module `traceback` when it can be had.
pub fn print_exception(vm: &Interpreter, value: &Value) -> Res<()> {
    let Some(file) = stream(vm, "stderr")? else { return Ok(()) };
    if value.downcast::<Exception>().is_none() {
        let name = vm.type_name(value);
        return write(
            vm,
            &file,
            &format!("TypeError: print_exception(): Exception expected for value, {name} found\n"),
        );
    }
    let printed = vm.import("traceback").and_then(|traceback| {
        vm.call_attr(&traceback, "_print_exception_bltin", std::slice::from_ref(value))
    });
    if let Err(raised) = printed {
        drop(vm.take_raised(raised));
        print_plainly(vm, &file, value)?;
    }
    flush(vm, &file);
    Ok(())
}

/// Flushes a file; what goes wrong there is nobody's business.
fn flush(vm: &Interpreter, file: &Value) {
    if let Err(raised) = vm.call_attr(file, "flush", &[]) {
        drop(vm.take_raised(raised));
    }
}

/// Prints an exception without help of Python code.
fn print_plainly(vm: &Interpreter, file: &Value, value: &Value) -> Res<()> {
    let exception = value.downcast::<Exception>();
    if let Some(mut at) = exception.and_then(|e| e.traceback.get()) {
        write(vm, file, "Traceback (most recent call last):\n")?;
        while !at.is_none() {
            let code = vm.get_attr_str(&vm.get_attr_str(&at, "tb_frame")?, "f_code")?;
            let file_name = vm.get_attr_str(&code, "co_filename")?;
            let function = vm.get_attr_str(&code, "co_name")?;
            let line = vm.repr_lossy(&vm.get_attr_str(&at, "tb_lineno")?)?;
            let (file_name, function) = (vm.str_lossy(&file_name), vm.str_lossy(&function));
            write(vm, file, &format!("  File \"{file_name}\", line {line}, in {function}\n"))?;
            at = vm.get_attr_str(&at, "tb_next")?;
        }
    }
    let text = match vm.str(value) {
        Ok(text) => vm.str_lossy(&text),
        Err(raised) => {
            drop(vm.take_raised(raised));
            "<exception str() failed>".to_string()
        }
    };
    let name = qualified_type_name(vm, value)?;
    let line = if text.is_empty() { format!("{name}\n") } else { format!("{name}: {text}\n") };
    write(vm, file, &line)
}

/// The type of an exception as tracebacks show it: with its module unless that is `builtins` or `__main__`.
fn qualified_type_name(vm: &Interpreter, value: &Value) -> Res<String> {
    let ty = vm.type_of(value);
    let name = match vm.get_attr_opt(ty.value(), "__qualname__")? {
        Some(name) => vm.str_lossy(&name),
        None => ty.name().to_string(),
    };
    Ok(match vm.get_attr_opt(ty.value(), "__module__")? {
        Some(module) if module.downcast::<Str>().is_some() => match vm.str_lossy(&module).as_str() {
            "builtins" | "__main__" => name,
            module => format!("{module}.{name}"),
        },
        _ => name,
    })
}

/// The argument of `sys.unraisablehook`.
pub static UNRAISABLE_HOOK_ARGS: StructSeqDef = StructSeqDef {
    ty: constructible(
        "UnraisableHookArgs",
        "builtins",
        "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
    ),
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("err_msg", "Error message"),
        ("object", "Object causing the exception"),
    ],
    visible: 5,
};

/// Reports an exception that nobody can catch through `sys.unraisablehook`: what `Hooks::unraisable` is set to.
pub fn report_unraisable(vm: &Interpreter, exception: &Value, message: &str, object: &Value) {
    if let Err(raised) = tell_unraisable(vm, exception, message, object) {
        let again = vm.take_raised(raised);
        let told = print_unraisable(vm, &again, "Exception ignored in sys.unraisablehook", &Value::NONE);
        if let Err(raised) = told {
            drop(vm.take_raised(raised));
        }
    }
}

/// With a message, what was at fault is a part of it; without one, the hook says that.
fn tell_unraisable(vm: &Interpreter, exception: &Value, message: &str, object: &Value) -> Res<()> {
    if !message.is_empty() && !object.is_none() {
        let message = format!("{message} {}", shown(vm, object));
        return tell_unraisable(vm, exception, &message, &Value::NONE);
    }
    let hook = sys_attribute(vm, "unraisablehook")?;
    // The default hook is called without the detour, so that it works while the interpreter ends.
    match hook.filter(|hook| !hook.is_none() && !is_default_hook(hook)) {
        Some(hook) => {
            let traceback = exception.downcast::<Exception>().and_then(|e| e.traceback.get());
            let text = if message.is_empty() { Value::NONE } else { vm.new_str(message)? };
            let args = vec![
                vm.type_of(exception).into_value(),
                exception.clone(),
                traceback.unwrap_or(Value::NONE),
                text,
                object.clone(),
            ];
            let args = new_structseq(vm, &UNRAISABLE_HOOK_ARGS, args)?;
            vm.audit("sys.unraisablehook", &[hook.clone(), args.clone()])?;
            vm.call_values(&hook, &[args]).map(drop)
        }
        None => print_unraisable(vm, exception, message, object),
    }
}

fn is_default_hook(hook: &Value) -> bool {
    use pellucid_object::native::Builtin;
    hook.downcast::<Builtin>().is_some_and(|builtin| builtin.def.name == "unraisablehook")
}

/// `sys.unraisablehook`.
pub fn unraisablehook(vm: &Interpreter, args: &Value) -> Res {
    if !vm.is_instance(args, &structseq_type(vm, &UNRAISABLE_HOOK_ARGS)?) {
        return Err(vm.type_error("sys.unraisablehook argument type must be UnraisableHookArgs".to_string()));
    }
    let fields = args.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [_, value, _, message, object] = fields.as_slice() else { return Err(vm.bug("unraisable")) };
    let message = if message.is_none() { String::new() } else { vm.str_lossy(message) };
    print_unraisable(vm, value, &message, object)?;
    Ok(Value::NONE)
}

fn shown(vm: &Interpreter, object: &Value) -> String {
    vm.repr_lossy(object).unwrap_or_else(|raised| {
        drop(vm.take_raised(raised));
        "<object repr() failed>".to_string()
    })
}

fn print_unraisable(vm: &Interpreter, exception: &Value, message: &str, object: &Value) -> Res<()> {
    let Some(file) = stream(vm, "stderr")? else { return Ok(()) };
    let shown = if object.is_none() { String::new() } else { shown(vm, object) };
    let head = match (message, shown.as_str()) {
        ("", "") => String::new(),
        ("", object) => format!("Exception ignored in: {object}\n"),
        (message, "") => format!("{message}:\n"),
        (message, object) => format!("{message}: {object}\n"),
    };
    write(vm, &file, &head)?;
    if exception.downcast::<Exception>().is_some() {
        print_exception(vm, exception)?;
    }
    flush(vm, &file);
    Ok(())
}

/// `sys.breakpointhook`: calls what `PYTHONBREAKPOINT` names, `pdb.set_trace` by default.
pub fn breakpointhook(vm: &Interpreter, args: &CallArgs) -> Res {
    let named = vm.host().getenv(b"PYTHONBREAKPOINT").unwrap_or_default();
    let named = String::from_utf8_lossy(&named).into_owned();
    let target = match named.as_str() {
        "0" => return Ok(Value::NONE),
        "" => "pdb.set_trace",
        other => other,
    };
    let (module, attribute) = target.rsplit_once('.').unwrap_or(("builtins", target));
    let found = if module.is_empty() {
        None
    } else {
        match vm.import(module) {
            Ok(module) => vm.get_attr_opt(&module, attribute)?,
            Err(raised) if vm.raised_is(vm.exceptions().import_error()) => {
                drop(vm.take_raised(raised));
                None
            }
            Err(raised) => return Err(raised),
        }
    };
    match found {
        Some(hook) => vm.call(&hook, args),
        None => {
            let text = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{target}\"");
            let category = vm.exceptions().runtime_warning().clone();
            crate::warnings::warn_text(vm, category.value(), &text, 1)?;
            Ok(Value::NONE)
        }
    }
}

/// `sys.audit(event, *args)`.
pub fn audit(vm: &Interpreter, args: &CallArgs) -> Res {
    if !args.names.is_empty() {
        return Err(vm.type_error("sys.audit() takes no keyword arguments".to_string()));
    }
    let [event, rest @ ..] = args.positional() else {
        return Err(vm.type_error("audit expected at least 1 argument, got 0".to_string()));
    };
    let Some(text) = event.downcast::<Str>() else {
        let name = vm.type_name(event);
        return Err(vm.type_error(format!("expected str for argument 'event', not {name}")));
    };
    let Some(event) = text.text.to_utf8() else {
        return Err(vm.value_error("event names are UTF-8".to_string()));
    };
    vm.audit(&event, rest)?;
    Ok(Value::NONE)
}

/// `sys.addaudithook(hook)`: hooks that are there already may forbid it with an `Exception`, silently.
pub fn addaudithook(vm: &Interpreter, hook: &Value) -> Res {
    match vm.audit("sys.addaudithook", &[]) {
        Ok(()) => vm.add_audit_hook(hook.clone()),
        Err(raised) if vm.raised_is(vm.exceptions().exception()) => drop(vm.take_raised(raised)),
        Err(raised) => return Err(raised),
    }
    Ok(Value::NONE)
}

//! What happens to an exception that nobody caught.

use crate::import;
use crate::stdio::print;
use pellucid_object::{Exception, Interpreter, Raised, Res, Value};

/// The exit code of an interrupted program: 130 for a shell, and a mark that the program should end by the signal.
pub const INTERRUPTED: i32 = 0x100 | 130;

/// Shows the exception as `sys.excepthook` does, or does what `SystemExit` asks for; gives the exit code.
pub fn uncaught(vm: &Interpreter, raised: Raised) -> i32 {
    let exception = vm.take_raised(raised);
    if vm.is_instance(&exception, vm.exceptions().system_exit()) {
        return system_exit(vm, &exception);
    }
    report(vm, &exception);
    if vm.is_instance(&exception, vm.exceptions().keyboard_interrupt()) { INTERRUPTED } else { 1 }
}

fn system_exit(vm: &Interpreter, exception: &Value) -> i32 {
    let code = match vm.get_attr_opt(exception, "code") {
        Ok(code) => code.unwrap_or(Value::NONE),
        Err(raised) => {
            drop(vm.take_raised(raised));
            exception.clone()
        }
    };
    if code.is_none() {
        return 0;
    }
    if vm.is_instance(&code, &vm.types().int) {
        return match vm.expect_i64(&code) {
            // What the system keeps of it are eight bits.
            Ok(code) => (code & 0xff) as i32,
            Err(raised) => {
                drop(vm.take_raised(raised));
                255
            }
        };
    }
    let text = match vm.str(&code) {
        Ok(text) => vm.str_lossy(&text),
        Err(raised) => {
            drop(vm.take_raised(raised));
            return 1;
        }
    };
    print(vm, "stderr", &format!("{text}\n"));
    1
}

/// Shows the exception through `sys.excepthook`.
pub fn report(vm: &Interpreter, exception: &Value) {
    if let Err(raised) = try_report(vm, exception) {
        let second = vm.take_raised(raised);
        print(vm, "stderr", "Error in sys.excepthook:\n");
        display(vm, &second);
        print(vm, "stderr", "\nOriginal exception was:\n");
        display(vm, exception);
    }
}

fn try_report(vm: &Interpreter, exception: &Value) -> Res<()> {
    let Some(sys) = vm.sys.get() else {
        display(vm, exception);
        return Ok(());
    };
    let ty = vm.type_of(exception).into_value();
    let traceback = vm.get_attr_opt(exception, "__traceback__")?.unwrap_or(Value::NONE);
    for (name, value) in [
        ("last_exc", exception),
        ("last_type", &ty),
        ("last_value", exception),
        ("last_traceback", &traceback),
    ] {
        vm.set_attr_str(&sys, name, value.clone())?;
    }
    match vm.get_attr_opt(&sys, "excepthook")? {
        Some(hook) if !hook.is_none() => vm.call_values(&hook, &[ty, exception.clone(), traceback]).map(drop),
        _ => {
            display(vm, exception);
            Ok(())
        }
    }
}

/// Shows the exception through `traceback`; with what is at hand when that fails.
pub fn display(vm: &Interpreter, exception: &Value) {
    let by_library = || -> Res<()> {
        let traceback = import::import_absolute(vm, &vm.intern_static("traceback")?)?;
        vm.call_attr(&traceback, "print_exception", std::slice::from_ref(exception)).map(drop)
    };
    if let Err(raised) = by_library() {
        drop(vm.take_raised(raised));
        print(vm, "stderr", &plainly(vm, exception));
    }
}

/// A traceback without source lines.
fn plainly(vm: &Interpreter, exception: &Value) -> String {
    let mut text = String::new();
    let mut at = exception.downcast::<Exception>().and_then(|e| e.traceback.get()).unwrap_or(Value::NONE);
    while !at.is_none() {
        if text.is_empty() {
            text.push_str("Traceback (most recent call last):\n");
        }
        match frame_line(vm, &at) {
            Ok((line, next)) => {
                text.push_str(&line);
                at = next;
            }
            Err(raised) => {
                drop(vm.take_raised(raised));
                break;
            }
        }
    }
    let message = match vm.str(exception) {
        Ok(message) => vm.str_lossy(&message),
        Err(raised) => {
            drop(vm.take_raised(raised));
            "<exception str() failed>".to_string()
        }
    };
    let name = vm.type_name(exception);
    text.push_str(&if message.is_empty() { format!("{name}\n") } else { format!("{name}: {message}\n") });
    text
}

fn frame_line(vm: &Interpreter, traceback: &Value) -> Res<(String, Value)> {
    let code = vm.get_attr_str(&vm.get_attr_str(traceback, "tb_frame")?, "f_code")?;
    let line = vm.str_lossy(&vm.get_attr_str(traceback, "tb_lineno")?);
    let file = vm.str_lossy(&vm.get_attr_str(&code, "co_filename")?);
    let name = vm.str_lossy(&vm.get_attr_str(&code, "co_name")?);
    let next = vm.get_attr_str(traceback, "tb_next")?;
    Ok((format!("  File \"{file}\", line {line}, in {name}\n"), next))
}

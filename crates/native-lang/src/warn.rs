//! Warnings, through the `warnings` module.

use pellucid_object::{Interpreter, Res, Value};

/// `warnings.warn(message, category)` for the Python code that is running.
pub fn warn(vm: &Interpreter, message: &str, category: Value) -> Res<()> {
    let module = vm.import("warnings")?;
    let level = vm.new_int(1)?;
    vm.call_attr(&module, "warn", &[vm.new_str(message)?, category, level]).map(drop)
}

/// `warnings.warn_explicit(message, category, filename, line)`.
pub fn warn_explicit(
    vm: &Interpreter,
    message: &str,
    category: Value,
    filename: &Value,
    line: usize,
) -> Res<()> {
    let module = vm.import("warnings")?;
    let line = vm.new_int(line as i64)?;
    vm.call_attr(&module, "warn_explicit", &[vm.new_str(message)?, category, filename.clone(), line])
        .map(drop)
}

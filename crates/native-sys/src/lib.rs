//! Native modules that speak with the system: `sys`, `_io`, `posix`, `time`, threads, signals, and their like.
//!
//! One file or folder a module, each ending in its `MODULE` table; [`MODULES`] lists them. What they need of the system they ask
//! of the interpreter's host.
#![forbid(unsafe_code)]

pub mod atexit;
pub mod errno;
pub mod io;
pub mod lock;
pub mod posix;
pub mod signal;
pub mod sys;
pub mod thread;
pub mod time;
pub mod warnings;

#[cfg(test)]
mod tests;

use pellucid_object::{Interpreter, ModuleDef, Raised, Res, Value};

pub static MODULES: &[&ModuleDef] = &[
    &sys::MODULE,
    &atexit::MODULE,
    &errno::MODULE,
    &io::MODULE,
    &posix::MODULE,
    &signal::MODULE,
    &thread::MODULE,
    &time::MODULE,
    &warnings::MODULE,
];

/// Joins these modules to the interpreter's hooks: reports of what nobody can catch, warnings from Rust code.
pub fn install(vm: &Interpreter) {
    vm.hooks.unraisable.set(Some(sys::report_unraisable));
    vm.hooks.warn.set(Some(warnings::warn_text));
}

/// Reports an exception that nobody can catch; the message ends with what the object looks like.
pub(crate) fn report_ignored(vm: &Interpreter, raised: Raised, message: &str, object: &Value) {
    let exception = vm.take_raised(raised);
    let shown = match vm.repr_lossy(object) {
        Ok(text) => text,
        Err(raised) => {
            drop(vm.take_raised(raised));
            "<object repr() failed>".to_string()
        }
    };
    if let Some(hook) = vm.hooks.unraisable.get() {
        hook(vm, &exception, &format!("{message} {shown}"), &Value::NONE);
    }
}

/// A new exception class of a module. Errors: `MemoryError`.
pub fn new_exception_class(vm: &Interpreter, module: &str, name: &str, base: &Value) -> Res {
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str(module)?)?;
    let bases = vm.new_tuple(vec![base.clone()])?;
    vm.call_values(vm.types().type_.value(), &[vm.new_str(name)?, bases, namespace.into_value()])
}

//! Native modules of the operating system beyond `posix`: processes for `subprocess`, sockets, waiting for many descriptors, terminals,
//! users, limits, memory maps.
//!
//! One file or folder a module, each ending in its `MODULE` table; [`MODULES`] lists them. Calls that may wait go through
//! [`waiting`]: other threads run meanwhile, handlers of signals run in between (PEP 475).
#![forbid(unsafe_code)]

pub mod faulthandler;
pub mod fcntl;
pub mod grp;
pub mod locale;
pub mod mmap;
pub mod multiprocessing;
pub mod posixshmem;
pub mod posixsubprocess;
pub mod pwd;
pub mod resource;
pub mod select;
pub mod socket;
pub mod stat;
pub mod syslog;
pub mod termios;
pub mod uuid;
mod waiting;

use pellucid_object::{Interpreter, ModuleDef, Res, Value};

pub static MODULES: &[&ModuleDef] = &[
    &faulthandler::MODULE,
    &fcntl::MODULE,
    &grp::MODULE,
    &locale::MODULE,
    &mmap::MODULE,
    &multiprocessing::MODULE,
    &posixshmem::MODULE,
    &posixsubprocess::MODULE,
    &pwd::MODULE,
    &resource::MODULE,
    &select::MODULE,
    &socket::MODULE,
    &stat::MODULE,
    &syslog::MODULE,
    &termios::MODULE,
    &uuid::MODULE,
];

/// The result of a call of the host that gives nothing. Errors: `OSError`.
pub(crate) fn done(vm: &Interpreter, result: pellucid_host::Result<()>) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// Sets names of a module to ints.
pub(crate) fn set_ints(vm: &Interpreter, module: &Value, names: &[(&str, i64)]) -> Res<()> {
    names.iter().try_for_each(|(name, number)| vm.set_attr_str(module, name, vm.new_int(*number)?))
}

/// A list of constants of the C library with their names.
macro_rules! libc_constants {
    ($($name:ident)*) => { &[$((stringify!($name), ::pellucid_host::libc::$name as i64)),*] };
}
pub(crate) use libc_constants;

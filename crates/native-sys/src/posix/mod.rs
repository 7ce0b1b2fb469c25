//! `posix`: what the module `os` is made of.

pub mod files;
mod names;
pub mod path;
pub mod process;
pub mod scheduling;
pub mod stat;
pub mod system;

use pellucid_object::{FunctionDef, Interpreter, ModuleDef, Res, Value, constant};
use pellucid_types::structseq::{StructSeqDef, structseq_type};

/// The functions, by file.
static FUNCTIONS: [&[FunctionDef]; 6] = [
    path::FUNCTIONS,
    stat::FUNCTIONS,
    files::FUNCTIONS,
    process::FUNCTIONS,
    scheduling::FUNCTIONS,
    system::FUNCTIONS,
];

/// Adds functions to a module. Errors: `MemoryError`.
pub fn add_functions(vm: &Interpreter, module: &Value, functions: &'static [FunctionDef]) -> Res<()> {
    let name = vm.get_attr_str(module, "__name__")?;
    for function in functions {
        let value = vm.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
        vm.set_attr_str(module, function.name, value)?;
    }
    Ok(())
}

fn names_dict(vm: &Interpreter, names: &[(&str, i32)]) -> Res {
    let dict = vm.new_dict()?;
    for (name, number) in names {
        dict.set(vm, vm.new_str(name)?, vm.new_int(i64::from(*number))?)?;
    }
    Ok(dict.into_value())
}

static STRUCTS: [(&str, &StructSeqDef); 7] = [
    ("stat_result", &stat::STAT_RESULT),
    ("statvfs_result", &stat::STATVFS_RESULT),
    ("uname_result", &system::UNAME_RESULT),
    ("terminal_size", &system::TERMINAL_SIZE),
    ("times_result", &system::TIMES_RESULT),
    ("sched_param", &scheduling::SCHED_PARAM),
    ("waitid_result", &process::WAITID_RESULT),
];

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    for functions in FUNCTIONS {
        add_functions(vm, module, functions)?;
    }
    for (name, number) in names::CONSTANTS.iter().chain(names::MORE_CONSTANTS) {
        vm.set_attr_str(module, name, vm.new_int(*number)?)?;
    }
    for (name, def) in STRUCTS {
        vm.set_attr_str(module, name, structseq_type(vm, def)?.into_value())?;
    }
    let have: Res<Vec<Value>> = names::HAVE_FUNCTIONS.iter().map(|name| vm.new_str(name)).collect();
    vm.set_attr_str(module, "_have_functions", vm.new_list(have?)?)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "posix",
    doc: "This module provides access to operating system functionality that is\nstandardized by the C Standard and the POSIX standard.",
    functions: &[],
    types: &[&stat::DIR_ENTRY],
    constants: &[
        constant("error", |vm| Ok(vm.exceptions().os_error().value().clone())),
        constant("environ", system::environ),
        constant("sysconf_names", |vm| names_dict(vm, names::SYSCONF_NAMES)),
        constant("confstr_names", |vm| names_dict(vm, names::CONFSTR_NAMES)),
        constant("pathconf_names", |vm| names_dict(vm, names::PATHCONF_NAMES)),
    ],
    init: Some(init),
};

//! `posix`: the system.

mod constants;
mod directory;
mod file;
pub mod path;
mod process;
mod stat;

use pellucid_object::{FunctionDef, Interpreter, ModuleDef, Res, Value};

/// What a set of files offers the module.
type Group = &'static [FunctionDef];

const GROUPS: [Group; 5] =
    [file::FUNCTIONS, stat::FUNCTIONS, directory::FUNCTIONS, process::FUNCTIONS, path::FUNCTIONS];

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    let name = vm.intern("posix")?;
    for function in GROUPS.iter().copied().flatten() {
        let value = vm.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
        vm.set_attr_str(module, function.name, value)?;
    }
    for (name, value) in constants::NUMBERS {
        vm.set_attr_str(module, name, vm.new_int(*value)?)?;
    }
    for (name, table) in [
        ("sysconf_names", constants::SYSCONF),
        ("pathconf_names", constants::PATHCONF),
        ("confstr_names", &[][..]),
    ] {
        let dict = vm.new_dict()?;
        for (key, value) in table {
            dict.set(vm, vm.intern(key)?, vm.new_int(*value)?)?;
        }
        vm.set_attr_str(module, name, dict.into_value())?;
    }
    stat::add_types(vm, module)?;
    process::add_types(vm, module)?;
    directory::add_types(vm, module)?;
    vm.set_attr_str(module, "error", vm.exceptions().os_error().value().clone())?;
    vm.set_attr_str(module, "environ", process::environment(vm)?)?;
    let have = constants::HAVE.iter().map(|name| vm.intern(name)).collect::<Res<Vec<Value>>>()?;
    vm.set_attr_str(module, "_have_functions", vm.new_list(have)?)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "posix",
    doc: "This module provides access to operating system functionality.",
    functions: &[],
    types: &[],
    constants: &[],
    init: Some(init),
};

//! Functions of the modules against results that CPython printed.

#[path = "../../types/tests/table/mod.rs"]
mod table;

use pellucid_object::{Interpreter, Res};

/// The module of that name.
fn module(vm: &Interpreter, name: &str) -> Res {
    match pellucid_native_core::MODULES.iter().find(|m| m.name == name) {
        Some(def) => vm.new_native_module(def),
        None => Err(vm.bug("no such module")),
    }
}

#[test]
fn mathematics_gives_the_numbers_of_cpython() {
    table::check(include_str!("math_calls.txt"), module);
}

#[test]
fn complex_mathematics_gives_the_numbers_of_cpython() {
    table::check(include_str!("cmath_calls.txt"), module);
}

#[test]
fn operators_and_packed_data_do_as_in_cpython() {
    table::check(include_str!("other_calls.txt"), module);
}

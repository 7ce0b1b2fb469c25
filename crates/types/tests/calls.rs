//! Builtin functions and methods of numbers and texts against results that CPython printed.

mod table;

use pellucid_types::builtins::named;

#[test]
fn numbers_are_made_and_asked_as_in_cpython() {
    table::check(include_str!("number_calls.txt"), named);
}

#[test]
fn values_are_formatted_as_in_cpython() {
    table::check(include_str!("format_calls.txt"), named);
}

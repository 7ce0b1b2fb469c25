//! `_uuid`: says that there is no generator beside the library's own.

use pellucid_object::{ModuleDef, Value, constant};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_uuid",
    doc: "",
    functions: &[],
    types: &[],
    constants: &[
        constant("has_uuid_generate_time_safe", |vm| vm.new_int(0)),
        constant("has_stable_extractable_node", |_| Ok(Value::FALSE)),
    ],
    init: None,
};

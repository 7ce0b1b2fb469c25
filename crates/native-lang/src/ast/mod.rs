//! `_ast`: the node classes, and the way between node objects and the parser's tree.
//!
//! Start reading at [`table`] (the classes as data), then [`class`] (what they do), `to_python` and `from_python`.

pub mod class;
mod from_python;
mod literal;
mod pattern;
pub mod table;
mod to_python;

pub use from_python::{from_python, is_node};
pub use to_python::to_python;

use pellucid_object::{Interpreter, ModuleDef, Res, Value, constant};

/// `compile` flags: return the tree.
pub const ONLY_AST: u32 = 0x400;
pub const TYPE_COMMENTS: u32 = 0x1000;
pub const ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;
pub const ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;
pub const DONT_IMPLY_DEDENT: u32 = 0x200;
pub const OPTIMIZED_AST: u32 = 0x8000 | ONLY_AST;

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    for (name, class) in class::Classes::of(vm)?.named(vm)? {
        vm.set_attr_str(module, name, class)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_ast",
    doc: "",
    functions: &[],
    types: &[],
    constants: &[
        constant("PyCF_ALLOW_TOP_LEVEL_AWAIT", |vm| vm.new_int(i64::from(ALLOW_TOP_LEVEL_AWAIT))),
        constant("PyCF_ONLY_AST", |vm| vm.new_int(i64::from(ONLY_AST))),
        constant("PyCF_TYPE_COMMENTS", |vm| vm.new_int(i64::from(TYPE_COMMENTS))),
        constant("PyCF_OPTIMIZED_AST", |vm| vm.new_int(i64::from(OPTIMIZED_AST))),
    ],
    init: Some(init),
};

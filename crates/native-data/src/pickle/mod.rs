//! `_pickle`: writing objects as bytes and making them again.
//!
//! [`save`] writes through [`output`], [`load`] reads through [`source`]; `Pickler` and `Unpickler` keep what lasts
//! longer than one object.

mod buffer;
mod errors;
mod global;
mod load;
mod memo;
mod opcodes;
mod output;
mod pickler;
mod save;
mod source;
mod unpickler;

use pellucid_object::{FunctionDef, ModuleDef, NativeFn, constant};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_pickle",
    doc: "Objects as bytes, and back.",
    functions: &[
        FunctionDef::new(
            "dump",
            "($module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)",
            "Writes an object to a file.",
            NativeFn::Args(pickler::dump_function),
        ),
        FunctionDef::new(
            "dumps",
            "($module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)",
            "An object as bytes.",
            NativeFn::Args(pickler::dumps_function),
        ),
        FunctionDef::new(
            "load",
            "($module, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
            "Reads an object from a file.",
            NativeFn::Args(unpickler::load_function),
        ),
        FunctionDef::new(
            "loads",
            "($module, data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
            "The object that the bytes hold.",
            NativeFn::Args(unpickler::loads_function),
        ),
    ],
    types: &[&pickler::PICKLER, &unpickler::UNPICKLER, &buffer::PICKLE_BUFFER],
    constants: &[
        constant("PickleError", errors::pickle_error_type),
        constant("PicklingError", errors::pickling_error_type),
        constant("UnpicklingError", errors::unpickling_error_type),
    ],
    init: None,
};

//! `_sre`: the engine behind `re`.
//!
//! `re._compiler` turns a pattern into code words. [`program`] checks them and makes instructions of them, [`matcher`] runs
//! those, [`pattern`] and [`match_object`] are what Python sees, [`subject`] is the text that is matched, [`template`] what
//! `sub` puts in.

mod match_object;
pub mod matcher;
mod pattern;
pub mod program;
mod subject;
mod template;

use pellucid_object::text::{case, unicode};
use pellucid_object::{Args, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Res, Value, constant};
use program::{MAX_GROUPS, MAX_REPEAT};

fn compile(vm: &Interpreter, args: &Args) -> Res {
    let code = args.req(2);
    let Some(items) = code.downcast::<List>().map(List::items) else {
        let got = vm.type_name(code);
        return Err(vm.type_error(format!("compile() argument 'code' must be list, not {got}")));
    };
    let mut words = Vec::new();
    if words.try_reserve_exact(items.len()).is_err() {
        return Err(vm.no_memory());
    }
    for item in &items {
        let index = vm.index(item)?;
        match vm.as_i64(&index).and_then(|i| u32::try_from(i).ok()) {
            Some(word) => words.push(word),
            None => {
                let what = "regular expression code size limit exceeded";
                return Err(vm.overflow_error(what.to_string()));
            }
        }
    }
    let groups = args.int(vm, 3)?;
    pattern::new(vm, args.req(0), args.int(vm, 1)?, words, groups, args.req(4), args.req(5))
}

fn point(vm: &Interpreter, value: &Value) -> Res<u32> {
    let point = vm.expect_i64(value)?;
    Ok(u32::try_from(point).unwrap_or(0))
}

fn unicode_iscased(vm: &Interpreter, value: &Value) -> Res {
    let point = point(vm, value)?;
    Ok(Value::bool(unicode::lower(point) != point || unicode::upper(point) != point))
}

fn ascii_iscased(vm: &Interpreter, value: &Value) -> Res {
    let point = point(vm, value)?;
    Ok(Value::bool(point < 0x80 && case::is_alpha(point)))
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "_sre",
    doc: "",
    functions: &[
        FunctionDef::new("compile", "($module, /, pattern, flags, code, groups, groupindex, indexgroup)", "", NativeFn::Args(compile)),
        FunctionDef::new("template", "($module, pattern, template, /)", "What sub() puts in: literals and group indices that take turns.", NativeFn::F2(template::new)),
        FunctionDef::new("getcodesize", "($module, /)", "", NativeFn::F0(|vm| vm.new_int(4))),
        FunctionDef::new("unicode_iscased", "($module, character, /)", "", NativeFn::F1(unicode_iscased)),
        FunctionDef::new("ascii_iscased", "($module, character, /)", "", NativeFn::F1(ascii_iscased)),
        FunctionDef::new("unicode_tolower", "($module, character, /)", "", NativeFn::F1(|vm, c| vm.new_int(i64::from(unicode::lower(point(vm, c)?))))),
        FunctionDef::new("ascii_tolower", "($module, character, /)", "", NativeFn::F1(|vm, c| vm.new_int(i64::from(program::lower_ascii(point(vm, c)?))))),
    ],
    types: &[],
    constants: &[
        constant("MAGIC", |vm| vm.new_int(program::MAGIC)),
        constant("CODESIZE", |vm| vm.new_int(4)),
        constant("MAXREPEAT", |vm| vm.new_int(i64::from(MAX_REPEAT))),
        constant("MAXGROUPS", |vm| vm.new_int(i64::from(MAX_GROUPS))),
    ],
    init: None,
};

//! `_functools`: `partial`, `reduce`, `cmp_to_key`, and the wrapper behind `lru_cache`.

mod cmp_to_key;
mod lru_cache;
mod partial;

use crate::support::bind;
use pellucid_object::{CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, constant};

fn reduce(vm: &Interpreter, call: &CallArgs) -> Res {
    let given = call.positional();
    if given.len() < 2 {
        return Err(vm.type_error(format!("reduce expected at least 2 arguments, got {}", given.len())));
    }
    let (function, iterable) = (&given[0], &given[1]);
    let rest = CallArgs { values: &call.values[2..], names: call.names };
    let args = match bind(vm, "reduce", "(initial=<unrepresentable>)", &rest) {
        Ok(args) => args,
        Err(raised) if given.len() > 3 => {
            drop(vm.take_raised(raised));
            let n = given.len() + call.names.len();
            return Err(vm.type_error(format!("reduce() takes at most 3 arguments ({n} given)")));
        }
        Err(raised) => return Err(raised),
    };
    let iterator = match vm.iter(iterable) {
        Ok(iterator) => iterator,
        Err(raised) if vm.raised_is(vm.exceptions().type_error()) => {
            drop(vm.take_raised(raised));
            return Err(vm.type_error("reduce() arg 2 must support iteration".to_string()));
        }
        Err(raised) => return Err(raised),
    };
    let mut total = args.get(0).cloned();
    while let Some(item) = vm.next(&iterator)? {
        total = Some(match total {
            Some(total) => vm.call_values(function, &[total, item])?,
            None => item,
        });
    }
    total.ok_or_else(|| vm.type_error("reduce() of empty iterable with no initial value".to_string()))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_functools",
    doc: "Functions about functions.",
    functions: &[
        FunctionDef::new(
            "reduce",
            "($module, function, iterable, /, initial=<functools initial sentinel>)",
            "Folds an iterable from the left with a function of two values.",
            NativeFn::Raw(reduce),
        ),
        FunctionDef::new(
            "cmp_to_key",
            "(mycmp)",
            "Makes a key function of a comparison function.",
            NativeFn::Args(cmp_to_key::cmp_to_key),
        ),
    ],
    types: &[&partial::PARTIAL, &partial::PLACEHOLDER_TYPE, &lru_cache::LRU_CACHE],
    constants: &[constant("Placeholder", partial::placeholder)],
    init: None,
};

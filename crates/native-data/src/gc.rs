//! `gc`: the cycle collector, asked and steered.

use crate::support;
use pellucid_object::collect::Collector;
use pellucid_object::{Args, CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value, constant};

fn enable(vm: &Interpreter) -> Res {
    vm.heap.enable();
    Ok(Value::NONE)
}

fn disable(vm: &Interpreter) -> Res {
    vm.heap.disable();
    Ok(Value::NONE)
}

fn is_enabled(vm: &Interpreter) -> Res {
    Ok(Value::bool(vm.heap.is_enabled()))
}

fn collect(vm: &Interpreter, args: &Args) -> Res {
    let generation = args.int_or(vm, 0, 2)?;
    match usize::try_from(generation) {
        Ok(generation) if generation <= 2 => vm.new_int(vm.collect_garbage(generation) as i64),
        _ => Err(vm.value_error("invalid generation".to_string())),
    }
}

fn set_debug(vm: &Interpreter, flags: &Value) -> Res {
    let flags = vm.expect_i64(flags)?;
    vm.state::<Collector>().debug.set(flags as u32);
    Ok(Value::NONE)
}

fn get_debug(vm: &Interpreter) -> Res {
    vm.new_int(i64::from(vm.state::<Collector>().debug.get()))
}

fn three(vm: &Interpreter, numbers: [usize; 3]) -> Res {
    let numbers = numbers.map(|n| vm.new_int(n as i64));
    vm.new_tuple(numbers.into_iter().collect::<Res<Vec<_>>>()?)
}

fn set_threshold(vm: &Interpreter, call: &CallArgs) -> Res {
    let given = support::positional(vm, "gc.set_threshold", call, 1, 3)?;
    let mut thresholds = vm.heap.thresholds();
    for (place, value) in thresholds.iter_mut().zip(given) {
        *place = usize::try_from(vm.expect_i64(value)?).unwrap_or(0);
    }
    vm.heap.set_thresholds(thresholds);
    Ok(Value::NONE)
}

fn get_threshold(vm: &Interpreter) -> Res {
    three(vm, vm.heap.thresholds())
}

fn get_count(vm: &Interpreter) -> Res {
    three(vm, vm.heap.counts())
}

fn get_objects(vm: &Interpreter, args: &Args) -> Res {
    let generation = match args.some(0) {
        None => None,
        Some(value) => match vm.expect_i64(value)? {
            ..0 => return Err(vm.value_error("generation parameter cannot be negative".to_string())),
            generation @ 0..=2 => Some(generation as usize),
            _ => {
                let what = "generation parameter must be less than the number of available generations (3)";
                return Err(vm.value_error(what.to_string()));
            }
        },
    };
    vm.new_list(vm.tracked_objects(generation))
}

fn get_referrers(vm: &Interpreter, call: &CallArgs) -> Res {
    support::no_keywords(vm, "gc.get_referrers", call)?;
    let mut found = vm.tracked_objects(None);
    found.retain(|object| {
        vm.referents(object).iter().any(|referent| call.values.iter().any(|wanted| wanted.is(referent)))
    });
    vm.new_list(found)
}

fn get_referents(vm: &Interpreter, call: &CallArgs) -> Res {
    support::no_keywords(vm, "gc.get_referents", call)?;
    vm.new_list(call.values.iter().flat_map(|value| vm.referents(value)).collect())
}

fn get_stats(vm: &Interpreter) -> Res {
    let mut all = Vec::new();
    for stats in vm.heap.generation_stats() {
        let dict = vm.new_dict()?;
        let numbers = [
            ("collections", stats.collections),
            ("collected", stats.collected),
            ("uncollectable", stats.uncollectable),
        ];
        for (key, number) in numbers {
            dict.set(vm, vm.intern(key)?, vm.new_int(number as i64)?)?;
        }
        all.push(dict.into_value());
    }
    vm.new_list(all)
}

fn freeze(vm: &Interpreter) -> Res {
    vm.heap.freeze();
    Ok(Value::NONE)
}

fn unfreeze(vm: &Interpreter) -> Res {
    vm.heap.unfreeze();
    Ok(Value::NONE)
}

fn get_freeze_count(vm: &Interpreter) -> Res {
    vm.new_int(vm.heap.freeze_count() as i64)
}

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    let state = vm.state::<Collector>();
    let (garbage, callbacks) = (vm.new_list(Vec::new())?, vm.new_list(Vec::new())?);
    state.garbage.set(Some(garbage.clone()));
    state.callbacks.set(Some(callbacks.clone()));
    vm.set_attr_str(module, "garbage", garbage)?;
    vm.set_attr_str(module, "callbacks", callbacks)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "gc",
    doc: "This module provides access to the garbage collector for reference cycles.",
    functions: &[
        FunctionDef::new("enable", "()", "Enable automatic garbage collection.", NativeFn::F0(enable)),
        FunctionDef::new("disable", "()", "Disable automatic garbage collection.", NativeFn::F0(disable)),
        FunctionDef::new(
            "isenabled",
            "()",
            "Returns true if automatic garbage collection is enabled.",
            NativeFn::F0(is_enabled),
        ),
        FunctionDef::new(
            "collect",
            "(generation=2)",
            "Collects a generation and the younger ones; the number of unreachable objects.",
            NativeFn::Args(collect),
        ),
        FunctionDef::new(
            "set_debug",
            "(flags, /)",
            "Set the garbage collection debugging flags.",
            NativeFn::F1(set_debug),
        ),
        FunctionDef::new(
            "get_debug",
            "()",
            "Get the garbage collection debugging flags.",
            NativeFn::F0(get_debug),
        ),
        FunctionDef::new(
            "set_threshold",
            "",
            "set_threshold(threshold0, [threshold1, [threshold2]])\nSet the collection thresholds (the collection \
             frequency).",
            NativeFn::Raw(set_threshold),
        ),
        FunctionDef::new(
            "get_threshold",
            "()",
            "Return the current collection thresholds.",
            NativeFn::F0(get_threshold),
        ),
        FunctionDef::new(
            "get_count",
            "()",
            "Return a three-tuple of the current collection counts.",
            NativeFn::F0(get_count),
        ),
        FunctionDef::new(
            "get_objects",
            "(generation=None)",
            "The objects that the collector knows, or those of one generation.",
            NativeFn::Args(get_objects),
        ),
        FunctionDef::new(
            "get_referrers",
            "(*objs)",
            "Return the list of objects that directly refer to any of 'objs'.",
            NativeFn::Raw(get_referrers),
        ),
        FunctionDef::new(
            "get_referents",
            "(*objs)",
            "Return the list of objects that are directly referred to by 'objs'.",
            NativeFn::Raw(get_referents),
        ),
        FunctionDef::new(
            "is_tracked",
            "(obj, /)",
            "Returns true if the object is tracked by the garbage collector.",
            NativeFn::F1(|vm, v| Ok(Value::bool(vm.is_tracked(v)))),
        ),
        FunctionDef::new(
            "is_finalized",
            "(obj, /)",
            "Returns true if the object has been already finalized by the GC.",
            NativeFn::F1(|vm, v| Ok(Value::bool(vm.is_finalized(v)))),
        ),
        FunctionDef::new(
            "get_stats",
            "()",
            "Return a list of dictionaries containing per-generation statistics.",
            NativeFn::F0(get_stats),
        ),
        FunctionDef::new(
            "freeze",
            "()",
            "Freeze all current tracked objects and ignore them for future collections.",
            NativeFn::F0(freeze),
        ),
        FunctionDef::new(
            "unfreeze",
            "()",
            "Unfreeze all objects in the permanent generation.",
            NativeFn::F0(unfreeze),
        ),
        FunctionDef::new(
            "get_freeze_count",
            "()",
            "Return the number of objects in the permanent generation.",
            NativeFn::F0(get_freeze_count),
        ),
    ],
    types: &[],
    constants: &[
        constant("DEBUG_STATS", |vm| vm.new_int(1)),
        constant("DEBUG_COLLECTABLE", |vm| vm.new_int(2)),
        constant("DEBUG_UNCOLLECTABLE", |vm| vm.new_int(4)),
        constant("DEBUG_SAVEALL", |vm| vm.new_int(32)),
        constant("DEBUG_LEAK", |vm| vm.new_int(38)),
    ],
    init: Some(init),
};

//! `_tracemalloc`: where the objects that are alive were allocated.

use pellucid_interp::allocations::{self, Allocation};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};
use std::collections::HashMap;

/// Most frames that can be asked for.
const MOST_FRAMES: i64 = u16::MAX as i64;

fn start(vm: &Interpreter, args: &Args) -> Res {
    let frames = args.int_or(vm, 0, 1)?;
    if !(1..=MOST_FRAMES).contains(&frames) {
        let what = format!("the number of frames must be in range [1; {MOST_FRAMES}]");
        return Err(vm.value_error(what));
    }
    allocations::start(vm, frames as usize);
    Ok(Value::NONE)
}

fn frames(vm: &Interpreter, allocation: &Allocation) -> Res {
    let mut rows = Vec::with_capacity(allocation.frames.len());
    for (file, line) in &allocation.frames {
        rows.push(vm.new_tuple(vec![file.clone(), vm.new_int(i64::from(*line))?])?);
    }
    vm.new_tuple(rows)
}

/// Equal tracebacks are one object.
fn get_traces(vm: &Interpreter) -> Res {
    let mut traces = Vec::new();
    let mut known: HashMap<Vec<(u64, u32)>, Value> = HashMap::new();
    for allocation in allocations::all(vm) {
        let key = allocation.frames.iter().map(|(file, line)| (file.bits(), *line)).collect::<Vec<_>>();
        let traceback = match known.get(&key) {
            Some(traceback) => traceback.clone(),
            None => {
                let traceback = frames(vm, &allocation)?;
                known.insert(key, traceback.clone());
                traceback
            }
        };
        let fields = vec![
            vm.new_int(0)?,
            vm.new_int(allocation.size as i64)?,
            traceback,
            vm.new_int(allocation.depth as i64)?,
        ];
        traces.push(vm.new_tuple(fields)?);
    }
    vm.new_list(traces)
}

fn get_object_traceback(vm: &Interpreter, object: &Value) -> Res {
    match allocations::of_object(vm, object) {
        Some(allocation) => frames(vm, &allocation),
        None => Ok(Value::NONE),
    }
}

fn pair(vm: &Interpreter, (current, peak): (usize, usize)) -> Res {
    vm.new_tuple(vec![vm.new_int(current as i64)?, vm.new_int(peak as i64)?])
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_tracemalloc",
    doc: "Debug module to trace memory blocks allocated by Python.",
    functions: &[
        FunctionDef::new(
            "start",
            "(nframe=1, /)",
            "Start tracing Python memory allocations.",
            NativeFn::Args(start),
        ),
        FunctionDef::new(
            "stop",
            "()",
            "Stop tracing Python memory allocations.\n\nAlso clear traces of memory blocks allocated by Python.",
            NativeFn::F0(|vm| {
                allocations::stop(vm);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "is_tracing",
            "()",
            "Return True if the tracemalloc module is tracing Python memory allocations.",
            NativeFn::F0(|vm| Ok(Value::bool(allocations::frame_limit(vm).is_some()))),
        ),
        FunctionDef::new(
            "clear_traces",
            "()",
            "Clear traces of memory blocks allocated by Python.",
            NativeFn::F0(|vm| {
                allocations::clear(vm);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "get_traceback_limit",
            "()",
            "Get the maximum number of frames stored in the traceback of a trace.",
            NativeFn::F0(|vm| vm.new_int(allocations::frame_limit(vm).unwrap_or(1) as i64)),
        ),
        FunctionDef::new(
            "get_traced_memory",
            "()",
            "Get the current size and peak size of memory blocks traced by tracemalloc.",
            NativeFn::F0(|vm| pair(vm, allocations::memory(vm))),
        ),
        FunctionDef::new(
            "reset_peak",
            "()",
            "Set the peak size of memory blocks traced by tracemalloc to the current size.",
            NativeFn::F0(|vm| {
                allocations::reset_peak(vm);
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "get_tracemalloc_memory",
            "()",
            "Get the memory usage in bytes of the tracemalloc module.",
            NativeFn::F0(|vm| vm.new_int(allocations::overhead(vm) as i64)),
        ),
        FunctionDef::new(
            "_get_traces",
            "()",
            "Get traces of all memory blocks allocated by Python.",
            NativeFn::F0(get_traces),
        ),
        FunctionDef::new(
            "_get_object_traceback",
            "(obj, /)",
            "Get the traceback where the Python object obj was allocated.",
            NativeFn::F1(get_object_traceback),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

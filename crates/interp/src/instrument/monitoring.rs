//! The module `sys.monitoring`.

use super::events::{self, bit};
use super::{PROFILE_TOOL, monitors};
use crate::code::code_of;
use pellucid_object::interpreter::Plain;
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Str, TypeDef, TypeFlags, Value,
    constant, payload,
};
use pellucid_types::namespace::SIMPLE_NAMESPACE;

/// The type of `DISABLE` and `MISSING`: objects that are nothing but themselves.
static MARK: TypeDef = TypeDef {
    name: "object",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[],
    methods: &[],
    getset: &[],
};

/// A tool's number. Errors: `ValueError` when Python code cannot have it.
fn tool(vm: &Interpreter, value: &Value) -> Res<u8> {
    let number = vm.expect_i64(value)?;
    match u8::try_from(number) {
        Ok(tool) if tool < PROFILE_TOOL => Ok(tool),
        _ => Err(vm.value_error(format!("invalid tool {number} (must be between 0 and 5)"))),
    }
}

/// A tool's number. Errors: also when nobody uses it.
fn used_tool(vm: &Interpreter, value: &Value) -> Res<u8> {
    let tool = tool(vm, value)?;
    if monitors(vm).names.borrow()[tool as usize].is_none() {
        return Err(vm.value_error(format!("tool {tool} is not in use")));
    }
    Ok(tool)
}

/// Takes a tool for a part of the runtime; false when somebody has it. Errors: `MemoryError`.
pub fn claim(vm: &Interpreter, tool: u8, name: &str) -> Res<bool> {
    let name = vm.new_str(name)?;
    let mut names = monitors(vm).names.borrow_mut();
    let free = names[tool as usize].is_none();
    if free {
        names[tool as usize] = Some(name);
    }
    Ok(free)
}

/// Gives a tool back, and all that it wanted. Errors: `MemoryError`.
pub fn release(vm: &Interpreter, tool: u8) -> Res<()> {
    clear(vm, tool)?;
    let old = monitors(vm).names.borrow_mut()[tool as usize].take();
    drop(old);
    Ok(())
}

/// Whether a value is `MISSING`: there is no first argument.
pub fn is_missing(vm: &Interpreter, value: &Value) -> bool {
    monitors(vm).missing.borrow().as_ref().is_some_and(|missing| missing.is(value))
}

fn use_tool_id(vm: &Interpreter, id: &Value, name: &Value) -> Res {
    let tool = tool(vm, id)?;
    if name.downcast::<Str>().is_none() {
        return Err(vm.value_error("tool name must be a str".to_string()));
    }
    let mut names = monitors(vm).names.borrow_mut();
    if names[tool as usize].is_some() {
        drop(names);
        return Err(vm.value_error(format!("tool {tool} is already in use")));
    }
    names[tool as usize] = Some(name.clone());
    Ok(Value::NONE)
}

/// Takes everything from a tool but its name.
fn clear(vm: &Interpreter, tool: u8) -> Res<()> {
    if monitors(vm).names.borrow()[tool as usize].is_none() {
        return Ok(());
    }
    for event in 0..events::COUNT as u8 {
        drop(super::set_callback(vm, tool, event, None));
    }
    super::set_global_events(vm, tool, 0)?;
    for code in vm.tracked_of_type(&crate::state::state(vm).code) {
        if let Some(code) = code_of(&code)
            && code.known_monitoring().is_some_and(|known| known.local(tool) != 0)
        {
            super::set_local_events(vm, tool, code, 0)?;
        }
    }
    Ok(())
}

fn clear_tool_id(vm: &Interpreter, id: &Value) -> Res {
    clear(vm, tool(vm, id)?)?;
    Ok(Value::NONE)
}

fn free_tool_id(vm: &Interpreter, id: &Value) -> Res {
    release(vm, tool(vm, id)?)?;
    Ok(Value::NONE)
}

fn get_tool(vm: &Interpreter, id: &Value) -> Res {
    let tool = tool(vm, id)?;
    Ok(monitors(vm).names.borrow()[tool as usize].clone().unwrap_or(Value::NONE))
}

fn register_callback(vm: &Interpreter, id: &Value, event: &Value, function: &Value) -> Res {
    let tool = tool(vm, id)?;
    let set = vm.expect_i64(event)?;
    if set <= 0 || set.count_ones() != 1 {
        return Err(vm.value_error("The callback can only be set for one event at a time".to_string()));
    }
    let event = set.trailing_zeros();
    if event as usize >= events::COUNT {
        return Err(vm.value_error(format!("invalid event {set}")));
    }
    let event = event as u8;
    vm.audit("sys.monitoring.register_callback", std::slice::from_ref(function))?;
    let callback = (!function.is_none()).then(|| function.clone());
    let monitors = monitors(vm);
    let old = if event == events::BRANCH {
        monitors.both_ways.set(monitors.both_ways.get() | 1 << tool);
        drop(super::set_callback(vm, tool, events::BRANCH_RIGHT, callback.clone()));
        super::set_callback(vm, tool, events::BRANCH_LEFT, callback)
    } else {
        if matches!(event, events::BRANCH_LEFT | events::BRANCH_RIGHT) {
            monitors.both_ways.set(monitors.both_ways.get() & !(1 << tool));
        }
        super::set_callback(vm, tool, event, callback)
    };
    Ok(old.unwrap_or(Value::NONE))
}

/// An event set as the machine wants it. Errors: `ValueError` for events of C functions without their calls.
fn normal(vm: &Interpreter, set: u32) -> Res<u32> {
    const C_EVENTS: u32 = bit(events::C_RETURN) | bit(events::C_RAISE);
    const C_CALL_EVENTS: u32 = C_EVENTS | bit(events::CALL);
    if set & C_EVENTS != 0 && set & C_CALL_EVENTS != C_CALL_EVENTS {
        return Err(vm.value_error("cannot set C_RETURN or C_RAISE events independently".to_string()));
    }
    let mut set = set & !C_EVENTS;
    if set & bit(events::BRANCH) != 0 {
        set = set & !bit(events::BRANCH) | bit(events::BRANCH_LEFT) | bit(events::BRANCH_RIGHT);
    }
    Ok(set)
}

fn get_events(vm: &Interpreter, id: &Value) -> Res {
    let tool = tool(vm, id)?;
    vm.new_int(i64::from(super::global_events(vm, tool)))
}

fn set_events(vm: &Interpreter, id: &Value, set: &Value) -> Res {
    let tool = tool(vm, id)?;
    let number = vm.expect_i64(set)?;
    let Some(set) = u32::try_from(number).ok().filter(|set| *set < 1 << events::COUNT) else {
        return Err(vm.value_error(format!("invalid event set 0x{:x}", number as i32)));
    };
    let set = normal(vm, set)?;
    used_tool(vm, id)?;
    super::set_global_events(vm, tool, set)?;
    Ok(Value::NONE)
}

fn get_local_events(vm: &Interpreter, id: &Value, code: &Value) -> Res {
    let Some(code) = code_of(code) else {
        return Err(vm.type_error("code must be a code object".to_string()));
    };
    let tool = tool(vm, id)?;
    vm.new_int(i64::from(code.known_monitoring().map_or(0, |known| known.local(tool))))
}

fn set_local_events(vm: &Interpreter, id: &Value, code: &Value, set: &Value) -> Res {
    let Some(code) = code_of(code) else {
        return Err(vm.type_error("code must be a code object".to_string()));
    };
    let tool = used_tool(vm, id)?;
    let number = vm.expect_i64(set)?;
    let invalid = || vm.value_error(format!("invalid local event set 0x{:x}", number as i32));
    let Some(set) = u32::try_from(number).ok().filter(|set| *set < 1 << events::COUNT) else {
        return Err(invalid());
    };
    let set = normal(vm, set)?;
    if set >= bit(events::LOCAL) {
        return Err(invalid());
    }
    super::set_local_events(vm, tool, code, set)?;
    Ok(Value::NONE)
}

fn restart_events(vm: &Interpreter) -> Res {
    super::restart(vm);
    Ok(Value::NONE)
}

/// For each event that some tool wants the tools, as bits.
fn all_events(vm: &Interpreter, _: &Args) -> Res {
    let dict = vm.new_dict()?;
    for (name, event) in events::NAMES.iter().filter(|(_, event)| *event < events::UNGROUPED) {
        let tools = (0..super::TOOLS as u8)
            .filter(|tool| super::global_events(vm, *tool) & bit(*event) != 0)
            .fold(0i64, |tools, tool| tools | 1 << tool);
        if tools != 0 {
            dict.set(vm, vm.intern(name)?, vm.new_int(tools)?)?;
        }
    }
    Ok(dict.into_value())
}

fn event_names(vm: &Interpreter) -> Res {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (name, event) in events::NAMES {
        names.push(vm.intern(name)?);
        values.push(vm.new_int(1 << event)?);
    }
    names.push(vm.intern_static("NO_EVENTS")?);
    values.push(vm.new_int(0)?);
    let ty = vm.type_for(&SIMPLE_NAMESPACE)?;
    vm.call(ty.value(), &CallArgs { values: &values, names: &names })
}

fn mark(vm: &Interpreter, place: &std::cell::RefCell<Option<Value>>) -> Res {
    if let Some(known) = place.borrow().clone() {
        return Ok(known);
    }
    let value = vm.alloc(&vm.type_for(&MARK)?, Plain)?;
    *place.borrow_mut() = Some(value.clone());
    Ok(value)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "sys.monitoring",
    doc: "",
    functions: &[
        FunctionDef::new("use_tool_id", "(tool_id, name, /)", "", NativeFn::F2(use_tool_id)),
        FunctionDef::new("clear_tool_id", "(tool_id, /)", "", NativeFn::F1(clear_tool_id)),
        FunctionDef::new("free_tool_id", "(tool_id, /)", "", NativeFn::F1(free_tool_id)),
        FunctionDef::new("get_tool", "(tool_id, /)", "", NativeFn::F1(get_tool)),
        FunctionDef::new(
            "register_callback",
            "(tool_id, event, func, /)",
            "",
            NativeFn::F3(register_callback),
        ),
        FunctionDef::new("get_events", "(tool_id, /)", "", NativeFn::F1(get_events)),
        FunctionDef::new("set_events", "(tool_id, event_set, /)", "", NativeFn::F2(set_events)),
        FunctionDef::new("get_local_events", "(tool_id, code, /)", "", NativeFn::F2(get_local_events)),
        FunctionDef::new(
            "set_local_events",
            "(tool_id, code, event_set, /)",
            "",
            NativeFn::F3(set_local_events),
        ),
        FunctionDef::new("restart_events", "()", "", NativeFn::F0(restart_events)),
        FunctionDef::new("_all_events", "()", "", NativeFn::Args(all_events)),
    ],
    types: &[],
    constants: &[
        constant("DEBUGGER_ID", |vm| vm.new_int(0)),
        constant("COVERAGE_ID", |vm| vm.new_int(1)),
        constant("PROFILER_ID", |vm| vm.new_int(2)),
        constant("OPTIMIZER_ID", |vm| vm.new_int(5)),
        constant("DISABLE", |vm| mark(vm, &monitors(vm).disable)),
        constant("MISSING", |vm| mark(vm, &monitors(vm).missing)),
        constant("events", event_names),
    ],
    init: None,
};

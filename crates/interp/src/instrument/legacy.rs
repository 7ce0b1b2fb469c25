//! `sys.settrace` and `sys.setprofile`: two tools whose callbacks are a thread's own.

use super::events::{self, bit};
use super::{PROFILE_TOOL, TRACE_TOOL, global_events, monitors, set_global_events};
use crate::code::CodeObject;
use crate::frame::{Frame, Thread};
use crate::frame_object::{self, FrameObject};
use crate::state::thread;
use pellucid_object::native::{Builtin, MethodDescriptor};
use pellucid_object::{Exception, Interpreter, Res, SlotWord, Value};
use std::cell::Cell;

/// What a thread has of tracing.
pub struct Tracing {
    /// Callbacks that are running: no events meanwhile.
    pub depth: Cell<u32>,
    /// The function of `sys.settrace`.
    pub trace: SlotWord,
    /// The function of `sys.setprofile`.
    pub profile: SlotWord,
    /// What the callback that is running was told of.
    pub event: Cell<Option<u8>>,
    /// The frame that it was told of.
    pub frame: Cell<*const Frame>,
}

impl Default for Tracing {
    fn default() -> Tracing {
        Tracing {
            depth: Cell::new(0),
            trace: SlotWord::default(),
            profile: SlotWord::default(),
            event: Cell::new(None),
            frame: Cell::new(std::ptr::null()),
        }
    }
}

/// Kinds of events that trace functions know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Call,
    Line,
    Return,
    Exception,
    Opcode,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Call => "call",
            What::Line => "line",
            What::Return => "return",
            What::Exception => "exception",
            What::Opcode => "opcode",
        }
    }
}

impl Tracing {
    /// Runs a callback that is told of `event` in `frame`: no events meanwhile.
    pub fn quietly<T>(&self, event: u8, frame: *const Frame, f: impl FnOnce() -> T) -> T {
        self.depth.set(self.depth.get() + 1);
        let outer = (self.event.replace(Some(event)), self.frame.replace(frame));
        let result = f();
        self.event.set(outer.0);
        self.frame.set(outer.1);
        self.depth.set(self.depth.get() - 1);
        result
    }
}

const TRACE_EVENTS: u32 = bit(events::PY_START)
    | bit(events::PY_RESUME)
    | bit(events::PY_THROW)
    | bit(events::PY_RETURN)
    | bit(events::PY_YIELD)
    | bit(events::PY_UNWIND)
    | bit(events::RAISE)
    | bit(events::STOP_ITERATION)
    | bit(events::LINE);

const PROFILE_EVENTS: u32 = bit(events::PY_START)
    | bit(events::PY_RESUME)
    | bit(events::PY_THROW)
    | bit(events::PY_RETURN)
    | bit(events::PY_YIELD)
    | bit(events::PY_UNWIND)
    | bit(events::CALL);

/// Gives a thread another trace function. Errors: `MemoryError`.
pub fn set_trace(vm: &Interpreter, thread: &Thread, function: Option<Value>) -> Res<()> {
    drop(thread.tracing.trace.replace(function));
    update(vm)
}

/// Gives a thread another profile function. Errors: `MemoryError`.
pub fn set_profile(vm: &Interpreter, thread: &Thread, function: Option<Value>) -> Res<()> {
    drop(thread.tracing.profile.replace(function));
    update(vm)
}

/// Brings the event sets of both tools up to date.
fn update(vm: &Interpreter) -> Res<()> {
    let (mut traced, mut profiled) = (false, false);
    each_thread(vm, |thread| {
        traced |= thread.tracing.trace.is_set();
        profiled |= thread.tracing.profile.is_set();
    });
    let set = |wanted: bool, set: u32| if wanted { set } else { 0 };
    if global_events(vm, TRACE_TOOL) != set(traced, TRACE_EVENTS) {
        set_global_events(vm, TRACE_TOOL, set(traced, TRACE_EVENTS))?;
    }
    if global_events(vm, PROFILE_TOOL) != set(profiled, PROFILE_EVENTS) {
        set_global_events(vm, PROFILE_TOOL, set(profiled, PROFILE_EVENTS))?;
    }
    Ok(())
}

/// Every thread's stack.
pub fn each_thread(vm: &Interpreter, mut f: impl FnMut(&Thread)) {
    let threads = monitors(vm).threads.borrow().clone();
    for thread in threads {
        // SAFETY: stacks take themselves off the list before they go, and nothing ends one while this runs.
        f(unsafe { &*thread });
    }
}

/// A thread is over: what it traced with goes. Nothing of Python runs here, so the event sets stay as they are until somebody
/// changes them.
pub fn thread_ends(_: &Interpreter, thread: &Thread) {
    drop((thread.tracing.trace.replace(None), thread.tracing.profile.replace(None)));
}

/// What an event is to a trace or profile function: its kind and argument.
fn translate(vm: &Interpreter, event: u8, rest: &[Value]) -> Res<Option<(What, Value)>> {
    let first = || rest.first().cloned().unwrap_or(Value::NONE);
    Ok(Some(match event {
        events::PY_START | events::PY_RESUME | events::PY_THROW => (What::Call, Value::NONE),
        events::PY_RETURN | events::PY_YIELD => (What::Return, first()),
        events::PY_UNWIND => (What::Return, Value::NONE),
        events::LINE => (What::Line, Value::NONE),
        events::INSTRUCTION => (What::Opcode, Value::NONE),
        events::RAISE | events::STOP_ITERATION => {
            let exception = first();
            let traceback = exception.downcast::<Exception>().and_then(|e| e.traceback.get());
            let ty = vm.type_of(&exception).into_value();
            (What::Exception, vm.new_tuple(vec![ty, exception, traceback.unwrap_or(Value::NONE)])?)
        }
        _ => return Ok(None),
    }))
}

/// Tells the running thread's trace function of an event. Errors: what it raises; then it is not called any more.
///
/// # Safety
/// `frame` is the innermost frame, live, its `pc` up to date.
pub unsafe fn trace(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    event: u8,
    rest: &[Value],
) -> Res<()> {
    let tracing = &thread.tracing;
    let Some(global) = tracing.trace.get() else { return Ok(()) };
    // SAFETY: by the contract.
    let known = unsafe { (*frame).object.get() };
    let is_call = matches!(event, events::PY_START | events::PY_RESUME | events::PY_THROW);
    if known.is_none() && !is_call {
        return Ok(());
    }
    let Some((what, arg)) = translate(vm, event, rest)? else { return Ok(()) };
    // SAFETY: by the contract.
    let value = unsafe { frame_object::of_frame(vm, &*frame)? };
    let Some(object) = value.downcast::<FrameObject>() else { return Ok(()) };
    let function = match what {
        What::Call => Some(global),
        What::Line if !object.trace_lines.get() => None,
        What::Opcode if !object.trace_opcodes.get() => None,
        _ => object.trace.get(),
    };
    let Some(function) = function else { return Ok(()) };
    let name = vm.intern(what.name())?;
    let result = tracing.quietly(event, frame, || vm.call_values(&function, &[value.clone(), name, arg]));
    match result {
        Ok(local) => {
            if !local.is_none() {
                object.trace.set(Some(local));
            }
            Ok(())
        }
        Err(raised) => {
            let exception = vm.take_raised(raised);
            object.trace.set(None);
            set_trace(vm, thread, None)?;
            Err(vm.raise_as_is(exception))
        }
    }
}

/// Tells the running thread's trace function of a line of a comprehension in `frame`. Errors: as for [`trace`].
///
/// # Safety
/// `frame` is live, on the running thread's stack, its `pc` up to date.
pub unsafe fn inner_line(vm: &Interpreter, thread: &Thread, frame: *mut Frame, line: u32) -> Res<()> {
    // SAFETY: by the contract.
    let object = unsafe { (*frame).object.get() };
    let Some(object) = object.as_ref().and_then(|o| o.downcast::<FrameObject>()) else { return Ok(()) };
    object.shown_line.set(Some(line));
    // SAFETY: by the contract.
    let result = unsafe { trace(vm, thread, frame, events::LINE, &[]) };
    object.shown_line.set(None);
    result
}

/// Tells the running thread's profile function of an event. Errors: what it raises; then it is not called any more.
///
/// # Safety
/// As for [`trace`].
pub unsafe fn profile(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    event: u8,
    rest: &[Value],
) -> Res<()> {
    let tracing = &thread.tracing;
    let Some(function) = tracing.profile.get() else { return Ok(()) };
    let (name, arg) = match event {
        events::CALL | events::C_RETURN | events::C_RAISE => {
            let Some(callee) = native_callee(vm, rest)? else { return Ok(()) };
            let name = match event {
                events::CALL => "c_call",
                events::C_RETURN => "c_return",
                _ => "c_exception",
            };
            (name, callee)
        }
        _ => match translate(vm, event, rest)? {
            Some((what @ (What::Call | What::Return), arg)) => (what.name(), arg),
            _ => return Ok(()),
        },
    };
    // SAFETY: by the contract.
    let value = unsafe { frame_object::of_frame(vm, &*frame)? };
    let name = vm.intern(name)?;
    match tracing.quietly(event, frame, || vm.call_values(&function, &[value, name, arg])) {
        Ok(_) => Ok(()),
        Err(raised) => {
            let exception = vm.take_raised(raised);
            set_profile(vm, thread, None)?;
            Err(vm.raise_as_is(exception))
        }
    }
}

/// The function of C that a call is to, if profilers are told of it.
fn native_callee(vm: &Interpreter, rest: &[Value]) -> Res<Option<Value>> {
    let [callee, first, ..] = rest else { return Ok(None) };
    if callee.downcast::<Builtin>().is_some() {
        return Ok(Some(callee.clone()));
    }
    if callee.downcast::<MethodDescriptor>().is_some()
        && vm.is_exact(callee, &vm.types().method_descriptor)
        && !super::monitoring::is_missing(vm, first)
    {
        return vm.bind_descriptor(callee, first, vm.type_of(first).value()).map(Some);
    }
    Ok(None)
}

/// A frame is to be told of each instruction, or not any more: its code's form changes.
pub fn set_opcode_tracing(vm: &Interpreter, code: &CodeObject, wanted: bool) -> Res<()> {
    let set = if wanted { bit(events::INSTRUCTION) } else { 0 };
    super::set_local_events(vm, TRACE_TOOL, code, set)
}

// ---- functions of `sys` ----

fn given(value: &Value) -> Option<Value> {
    (!value.is_none()).then(|| value.clone())
}

pub fn sys_settrace(vm: &Interpreter, function: &Value) -> Res {
    vm.audit("sys.settrace", &[])?;
    set_trace(vm, thread(vm), given(function))?;
    Ok(Value::NONE)
}

pub fn sys_gettrace(vm: &Interpreter) -> Res {
    Ok(thread(vm).tracing.trace.get().unwrap_or(Value::NONE))
}

pub fn sys_setprofile(vm: &Interpreter, function: &Value) -> Res {
    vm.audit("sys.setprofile", &[])?;
    set_profile(vm, thread(vm), given(function))?;
    Ok(Value::NONE)
}

pub fn sys_getprofile(vm: &Interpreter) -> Res {
    Ok(thread(vm).tracing.profile.get().unwrap_or(Value::NONE))
}

pub fn sys_settraceallthreads(vm: &Interpreter, function: &Value) -> Res {
    vm.audit("sys.settrace", &[])?;
    let mut old = Vec::new();
    each_thread(vm, |thread| old.push(thread.tracing.trace.replace(given(function))));
    drop(old);
    update(vm)?;
    Ok(Value::NONE)
}

pub fn sys_setprofileallthreads(vm: &Interpreter, function: &Value) -> Res {
    vm.audit("sys.setprofile", &[])?;
    let mut old = Vec::new();
    each_thread(vm, |thread| old.push(thread.tracing.profile.replace(given(function))));
    drop(old);
    update(vm)?;
    Ok(Value::NONE)
}

//! Tracing, profiling and monitoring: `sys.settrace`, `sys.setprofile`, `sys.monitoring` (PEP 669).
//!
//! Code that nobody watches runs its plain form and pays nothing. When a tool wants events, code objects forget which form they
//! run ([`CodeObject::forget_form`]); their next call decides anew and, if events are wanted of them, runs a form with these events in
//! it ([`weave`]). `sys.settrace` and `sys.setprofile` are tools like any other ([`legacy`]), with numbers that Python code cannot take.
//!
//! Frames that are under way change their form
//! - at once, while they wait for a Python function that they called: their loop looks at the record when it returns;
//! - else where their own loop can follow: at an event, behind a native call, at a poll ([`boundary`]);
//! - when they wake up, if they are generators ([`woken`]).
//!
//! Exceptions need no instructions: [`raising`] is asked by unwinding whenever a tool wants their events.

pub mod events;
mod fire;
mod jump;
pub mod legacy;
pub mod monitoring;
pub mod raising;
pub mod weave;

use crate::code::CodeObject;
use crate::form::{Form, Instr};
use crate::frame::{Frame, Thread};
use crate::generator::Outcome;
use crate::ops::Op;
use crate::state::{State, state, thread};
use crate::translate::{Malformed, translate_with};
use events::{COUNT, LOCAL, UNGROUPED, bit};
pub use fire::{event, settle};
pub use jump::{set_line, start_line};
use pellucid_object::{Interpreter, Res, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Tools: six for Python code, then those of `sys.setprofile` and `sys.settrace`.
pub const TOOLS: usize = 8;
pub const PROFILE_TOOL: u8 = 6;
pub const TRACE_TOOL: u8 = 7;

/// What an interpreter's tools want.
#[derive(Default)]
pub struct Monitors {
    /// Frames may run a form that their code does not run any more.
    pub stale: Cell<bool>,
    /// Some tool wants events of exceptions on their way.
    pub unwinding: Cell<bool>,
    /// The names of the tools in use.
    pub names: RefCell<[Option<Value>; TOOLS]>,
    /// The event sets of the tools.
    global: Cell<[u32; TOOLS]>,
    callbacks: RefCell<[[Option<Value>; COUNT]; TOOLS]>,
    /// Tools whose callback for branches was given for both ways at once.
    pub both_ways: Cell<u8>,
    /// Counts `restart_events`.
    restarts: Cell<u64>,
    /// `sys.monitoring.DISABLE` and `MISSING`.
    pub disable: RefCell<Option<Value>>,
    pub missing: RefCell<Option<Value>>,
    /// Threads' stacks.
    pub threads: RefCell<Vec<*const Thread>>,
}

/// What tools want of one code object.
#[derive(Default)]
pub struct CodeMonitoring {
    local: Cell<[u32; TOOLS]>,
    /// Tools that switched an event off at an offset, and the count of restarts that was valid then.
    disabled: RefCell<HashMap<(u32, u8), u8>>,
    disabled_at: Cell<u64>,
    /// Forms with events; kept, as frames may run any of them.
    #[expect(clippy::vec_box, reason = "frames hold the addresses of forms")]
    forms: RefCell<Vec<Box<Form>>>,
}

impl CodeMonitoring {
    /// The form with the events of `plan`.
    pub fn form<'c>(&'c self, code: &'c CodeObject, plan: u32) -> Result<&'c Form, Malformed> {
        let known = self
            .forms
            .borrow()
            .iter()
            .find(|form| form.woven.as_ref().is_some_and(|woven| woven.plan == plan))
            .map(|form| std::ptr::from_ref::<Form>(form));
        let form = match known {
            Some(form) => form,
            None => {
                let form = translate_with(&code.code, Some(&|draft| weave::weave(&code.code, plan, draft)))?;
                let form = Box::new(form);
                let place = std::ptr::from_ref::<Form>(&form);
                self.forms.borrow_mut().push(form);
                place
            }
        };
        // SAFETY: boxes are only added to the list, which lives as long as `self`.
        Ok(unsafe { &*form })
    }

    /// The event set of a tool.
    pub fn local(&self, tool: u8) -> u32 {
        self.local.get()[tool as usize]
    }
}

fn monitors(vm: &Interpreter) -> &Monitors {
    &state(vm).monitors
}

/// The set of events that the form of `code` must have; 0: the plain form will do.
pub fn plan(vm: &Interpreter, code: &CodeObject) -> u32 {
    let monitors = monitors(vm);
    let mut plan = 0;
    let global = monitors.global.get();
    let local = code.known_monitoring().map_or([0; TOOLS], |m| m.local.get());
    for (tool, (global, local)) in global.into_iter().zip(local).enumerate() {
        let events = (global | local) & (bit(LOCAL) - 1);
        plan |= events;
        if tool == TRACE_TOOL as usize && events & bit(events::LINE) != 0 {
            plan |= bit(events::LOOP);
        }
        // Iterators that raise StopIteration inside of a `for` loop.
        if events != 0 {
            plan |= global & bit(events::RAISE);
        }
    }
    if plan == 0 && global.iter().any(|g| g & bit(events::RAISE) != 0) {
        plan = bit(events::RAISE);
    }
    if is_comprehension(code) {
        plan &= !INLINED;
    }
    plan
}

/// Events that comprehensions do not have: since 3.12 CPython runs them in the frame around them. Here they are functions, but
/// tools do not see that: their lines are lines of the code around them, and exceptions are told of there only.
const INLINED: u32 =
    bit(events::PY_START) | bit(events::PY_RESUME) | bit(events::PY_RETURN) | bit(events::PY_YIELD);

/// Whether code is that of a list, set or dict comprehension.
pub fn is_comprehension(code: &CodeObject) -> bool {
    matches!(&*code.code.name.0, b"<listcomp>" | b"<setcomp>" | b"<dictcomp>")
}

/// The frame that a comprehension belongs to; of other frames the frame itself.
pub fn visible<'t>(thread: &'t Thread, frame: &'t Frame) -> &'t Frame {
    if !is_comprehension(frame.code()) {
        return frame;
    }
    let outer = |depth: &usize| thread.nth(*depth).is_some_and(|frame| !is_comprehension(frame.code()));
    (1..thread.depth.get()).find(outer).and_then(|depth| thread.nth(depth)).unwrap_or(frame)
}

/// The tools that want `event` of `code` at a place, as bits.
pub fn tools(vm: &Interpreter, code: &CodeObject, event: u8, offset: u32) -> u8 {
    let monitors = monitors(vm);
    // What a call of C code does belongs to the call.
    let asked = if matches!(event, events::C_RETURN | events::C_RAISE) { events::CALL } else { event };
    let global = monitors.global.get();
    let known = code.known_monitoring();
    let local = known.map_or([0; TOOLS], |m| m.local.get());
    let mut tools = 0;
    for tool in 0..TOOLS {
        if (global[tool] | local[tool]) & bit(asked) != 0 {
            tools |= 1 << tool;
        }
    }
    if tools != 0
        && asked < LOCAL
        && let Some(known) = known
        && known.disabled_at.get() == monitors.restarts.get()
        && let Some(disabled) = known.disabled.borrow().get(&(offset, asked))
    {
        tools &= !disabled;
    }
    tools
}

/// A tool does not want an event of a place any more.
fn disable(vm: &Interpreter, code: &CodeObject, event: u8, offset: u32, tool: u8) {
    let (monitors, known) = (monitors(vm), code.monitoring());
    let mut disabled = known.disabled.borrow_mut();
    if known.disabled_at.replace(monitors.restarts.get()) != monitors.restarts.get() {
        disabled.clear();
    }
    let both = matches!(event, events::BRANCH_LEFT | events::BRANCH_RIGHT)
        && monitors.both_ways.get() & (1 << tool) != 0;
    let all: &[u8] = if both { &[events::BRANCH_LEFT, events::BRANCH_RIGHT] } else { &[event] };
    for event in all {
        *disabled.entry((offset, *event)).or_default() |= 1 << tool;
    }
}

/// Whatever was switched off at places is wanted again.
pub fn restart(vm: &Interpreter) {
    let monitors = monitors(vm);
    monitors.restarts.set(monitors.restarts.get() + 1);
}

/// The event set of a tool.
pub fn global_events(vm: &Interpreter, tool: u8) -> u32 {
    monitors(vm).global.get()[tool as usize]
}

/// A tool wants other events of all code.
pub fn set_global_events(vm: &Interpreter, tool: u8, set: u32) -> Res<()> {
    let monitors = monitors(vm);
    let mut global = monitors.global.get();
    if std::mem::replace(&mut global[tool as usize], set) == set {
        return Ok(());
    }
    monitors.global.set(global);
    let exceptions = (LOCAL..UNGROUPED).fold(0, |set, event| set | bit(event));
    monitors.unwinding.set(global.iter().any(|g| g & exceptions != 0));
    for code in vm.tracked_of_type(&state(vm).code) {
        if let Some(code) = code.downcast::<CodeObject>() {
            code.forget_form();
        }
    }
    refresh(vm)
}

/// A tool wants other events of one code object.
pub fn set_local_events(vm: &Interpreter, tool: u8, code: &CodeObject, set: u32) -> Res<()> {
    let known = code.monitoring();
    let mut local = known.local.get();
    if std::mem::replace(&mut local[tool as usize], set) == set {
        return Ok(());
    }
    known.local.set(local);
    code.forget_form();
    refresh(vm)
}

/// The callback of a tool for an event, replaced.
pub fn set_callback(vm: &Interpreter, tool: u8, event: u8, callback: Option<Value>) -> Option<Value> {
    let mut callbacks = monitors(vm).callbacks.borrow_mut();
    std::mem::replace(&mut callbacks[tool as usize][event as usize], callback)
}

fn callback(vm: &Interpreter, tool: u8, event: u8) -> Option<Value> {
    monitors(vm).callbacks.borrow()[tool as usize][event as usize].clone()
}

// ---- frames under way ----

/// The counterpart in `new` of an instruction of `old`.
fn counterpart(old: &Form, pc: *const Instr, new: &Form) -> *const Instr {
    let key = weave::key_of(old, old.index_of(pc));
    let plain = key.plain;
    &new.instrs[weave::position(new, weave::real(plain))]
}

/// The instruction that waits for a generator at `pc`: in a form with events it is the loop's head alone.
fn loop_head(pc: *const Instr) -> *const Instr {
    // SAFETY: the record of a live frame points to an instruction, of the same form as the head.
    unsafe { if (*pc).op == Op::ForBack { pc.byte_offset((*pc).e as i32 as isize) } else { pc } }
}

/// Frames that wait for a Python function change their form now; others will.
fn refresh(vm: &Interpreter) -> Res<()> {
    let monitors = monitors(vm);
    monitors.stale.set(true);
    vm.attention.store(true, std::sync::atomic::Ordering::SeqCst);
    refresh_waiting(vm, thread(vm))
}

fn refresh_waiting(vm: &Interpreter, thread: &Thread) -> Res<()> {
    for depth in 1..thread.depth.get() {
        let Some(callee) = thread.nth(depth - 1) else { break };
        if callee.ret.is_native() {
            continue;
        }
        // SAFETY: the record is live, and its loop is running the callee: it reads the record again afterwards. Nobody
        // holds a reference to it.
        unsafe {
            let frame = thread.top_ptr().sub(depth);
            let code = (*frame).code.clone();
            let Some(code) = code.downcast::<CodeObject>() else { continue };
            let new = code.form(vm)?;
            if !std::ptr::eq((*frame).form, new) {
                (*frame).pc = counterpart(&*(*frame).form, loop_head((*frame).pc), new);
                (*frame).change_form(new);
            }
        }
    }
    Ok(())
}

/// Whether some frame of the thread runs a form that its code does not run any more.
fn any_stale(vm: &Interpreter, thread: &Thread) -> Res<bool> {
    for depth in 0..thread.depth.get() {
        let Some(frame) = thread.nth(depth) else { break };
        if !std::ptr::eq(frame.form, frame.code().form(vm)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The innermost frame, whose loop is at `pc` and reads the record again when told so, takes on the form that its code
/// runs now: it goes on at that instruction's counterpart, or behind it when the instruction is `done`. True: it did.
///
/// # Safety
/// `frame` is the innermost frame and its loop is at the instruction `pc` of its form, no event.
#[cold]
pub unsafe fn boundary(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    done: bool,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        refresh_waiting(vm, thread)?;
        let code = (*frame).code.clone();
        let Some(code) = code.downcast::<CodeObject>() else { return Ok(false) };
        let new = code.form(vm)?;
        let old = (*frame).form;
        let changed = !std::ptr::eq(old, new);
        if changed {
            (*frame).pc = counterpart(&*old, pc, new).add(usize::from(done));
            (*frame).change_form(new);
        }
        let monitors = &state(vm).monitors;
        if monitors.threads.borrow().len() < 2 && !any_stale(vm, thread)? {
            monitors.stale.set(false);
        }
        Ok(changed)
    }
}

/// Whether [`boundary`] has to be asked.
#[inline(always)]
pub fn stale(st: &State) -> bool {
    st.monitors.stale.get()
}

/// The form in which a generator goes on, and where: it slept at `pc` of `old`.
pub fn wake<'c>(
    vm: &Interpreter,
    code: &'c CodeObject,
    old: &Form,
    pc: *const Instr,
    begun: bool,
) -> Res<(&'c Form, *const Instr)> {
    let new = code.form(vm)?;
    if std::ptr::eq(old, new) {
        return Ok((new, pc));
    }
    let pc = if begun { counterpart(old, pc, new) } else { new.instrs.as_ptr() };
    Ok((new, pc))
}

/// A generator that slept in a `yield from` is resumed: the event of that stands before the instruction.
pub fn woken(frame: &mut Frame) {
    let form = frame.form();
    let Some(woven) = &form.woven else { return };
    if woven.plan & bit(events::PY_RESUME) == 0 {
        return;
    }
    let index = form.index_of(frame.pc);
    if index > 0 && form.instrs.get(index).is_some_and(|i| i.op == crate::ops::Op::YieldFrom) {
        frame.pc = &form.instrs[index - 1];
    }
}

/// A thread's stack comes to be.
pub fn thread_begins(vm: &Interpreter, thread: *const Thread) {
    monitors(vm).threads.borrow_mut().push(thread);
}

/// A thread's stack is about to go.
pub fn thread_ends(vm: &Interpreter, thread: &Thread) {
    monitors(vm).threads.borrow_mut().retain(|known| !std::ptr::eq(*known, thread));
    legacy::thread_ends(vm, thread);
}

/// Whether the type of a value is a class written in Python.
fn is_python(vm: &Interpreter, value: &Value) -> bool {
    vm.type_of(value).flags.get().contains(pellucid_object::TypeFlags::MUTABLE)
}

/// A `yield from` or `await` has taken a step: the frame yields what its receiver yields, or goes on.
///
/// # Safety
/// `frame` is the innermost frame, live, its `pc` up to date.
#[cold]
pub unsafe fn delegated(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    receiver: &Value,
    outcome: &Outcome,
) -> Res<()> {
    if thread.tracing.depth.get() > 0 {
        return Ok(());
    }
    // SAFETY: by the contract.
    unsafe {
        let offset = (*frame).offset();
        match outcome {
            Outcome::Yielded(value) => {
                fire::fire(vm, thread, frame, events::PY_YIELD, offset, std::slice::from_ref(value))
            }
            Outcome::Returned(value) if crate::generator::of(receiver).is_some() => {
                let raised = vm.stop_iteration((!value.is_none()).then(|| value.clone()));
                let exception = vm.take_raised(raised);
                fire::fire(vm, thread, frame, events::STOP_ITERATION, offset, &[exception])
            }
            // An iterator that is no generator ended by raising, unless it had nothing to say.
            Outcome::Returned(value) if !value.is_none() || is_python(vm, receiver) => {
                let raised = vm.stop_iteration((!value.is_none()).then(|| value.clone()));
                let exception = vm.take_raised(raised);
                fire::fire(vm, thread, frame, events::RAISE, offset, &[exception])
            }
            Outcome::Returned(_) => Ok(()),
        }
    }
}

//! Events: what their instructions do, and how callbacks are called.

use super::weave::{self, Key, Site};
use super::{TOOLS, boundary, callback, disable, events, legacy, tools};
use crate::code::CodeObject;
use crate::form::{Form, Instr};
use crate::frame::{Frame, Thread, drop_words};
use crate::ops::Op;
use crate::ops_arith::{rk, set};
use crate::state::State;
use crate::{generator, ops_generic, ops_name};
use pellucid_object::native::BoundMethod;
use pellucid_object::{CallArgs, Interpreter, List, Res, Tuple, Value};

/// Executes the event behind `pc`; true when the loop must read the frame's record again.
///
/// # Safety
/// `frame` is the innermost frame, at the event `pc`, and its `pc` is up to date.
#[cold]
pub unsafe fn event(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract; forms live as long as the code that the frame owns.
    unsafe {
        let form: &Form = &*(*frame).form;
        let Some(site) = weave::site(form, &*pc).copied() else {
            return Err(vm.bug("an event without a site"));
        };
        if thread.tracing.depth.get() > 0 {
            return Ok(false);
        }
        let real = real_instr(form, &site);
        match site.event {
            events::PY_RETURN | events::PY_YIELD => {
                let value = rk(frame, (*real).b).clone();
                fire(vm, thread, frame, site.event, site.offset, &[value])?;
            }
            events::LINE | events::LOOP => line(vm, thread, frame, &site)?,
            events::JUMP | events::BRANCH_LEFT | events::BRANCH_RIGHT => {
                let to = vm.new_int(i64::from(site.arg))?;
                fire(vm, thread, frame, site.event, site.offset, &[to])?;
            }
            events::CALL => return call(vm, st, thread, frame, pc, &site, real),
            events::STOP_ITERATION => return for_iter(vm, st, thread, frame, pc, &site, real),
            other => fire(vm, thread, frame, other, site.offset, &[])?,
        }
        go_on(vm, frame, pc, form, site.next)
    }
}

/// The instruction that an event belongs to.
fn real_instr(form: &Form, site: &Site) -> *const Instr {
    let index = weave::position(form, weave::real(site.plain));
    &form.instrs[index]
}

/// Behind an event, or wherever the callback made the frame go. True when the loop must read the record again.
///
/// # Safety
/// `frame` is the innermost frame, live, whose loop is at `pc` of `form`.
unsafe fn go_on(vm: &Interpreter, frame: *mut Frame, pc: *const Instr, form: &Form, next: Key) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let code = (*frame).code.clone();
        let Some(code) = code.downcast::<CodeObject>() else { return Ok(false) };
        let new = code.form(vm)?;
        let jumped = (*frame).pc != pc;
        if !jumped && std::ptr::eq(new, form) {
            return Ok(false);
        }
        let key = if jumped { weave::key_of(form, form.index_of((*frame).pc)) } else { next };
        (*frame).pc = &new.instrs[weave::position(new, key)];
        (*frame).change_form(new);
        Ok(true)
    }
}

/// Behind instruction `plain`, in whatever form the frame's code runs now.
///
/// # Safety
/// As for [`go_on`].
unsafe fn go_behind(vm: &Interpreter, frame: *mut Frame, plain: u32) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let code = (*frame).code.clone();
        let Some(code) = code.downcast::<CodeObject>() else { return Ok(false) };
        let new = code.form(vm)?;
        let index = weave::position(new, weave::real(plain));
        (*frame).pc = new.instrs.as_ptr().add(index + 1);
        (*frame).change_form(new);
        Ok(true)
    }
}

/// Calls the callbacks of the tools that want `event`. `rest`: the arguments behind code and offset. Errors: what they raise.
///
/// # Safety
/// `frame` is the innermost frame, live, its `pc` up to date.
pub unsafe fn fire(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    event: u8,
    offset: u32,
    rest: &[Value],
) -> Res<()> {
    // SAFETY: by the contract.
    let code = unsafe { (*frame).code.clone() };
    let Some(data) = code.downcast::<CodeObject>() else { return Ok(()) };
    let wanted = tools(vm, data, event, offset);
    if wanted == 0 {
        return Ok(());
    }
    let at = match event {
        events::LINE => rest[0].clone(),
        _ => vm.new_int(i64::from(offset))?,
    };
    let rest = if event == events::LINE { &rest[1..] } else { rest };
    let mut args = vec![code.clone(), at];
    args.extend_from_slice(rest);
    for tool in (0..TOOLS as u8).rev().filter(|tool| wanted & (1 << tool) != 0) {
        match tool {
            super::TRACE_TOOL => {
                // SAFETY: by the contract.
                unsafe { legacy::trace(vm, thread, frame, event, rest)? }
            }
            super::PROFILE_TOOL => {
                // SAFETY: by the contract.
                unsafe { legacy::profile(vm, thread, frame, event, rest)? }
            }
            _ => one(vm, thread, frame, tool, event, offset, &args)?,
        }
    }
    Ok(())
}

/// Calls the callback of one tool.
fn one(
    vm: &Interpreter,
    thread: &Thread,
    frame: *const Frame,
    tool: u8,
    event: u8,
    offset: u32,
    args: &[Value],
) -> Res<()> {
    let Some(function) = callback(vm, tool, event) else { return Ok(()) };
    let result = thread.tracing.quietly(event, frame, || vm.call_values(&function, args))?;
    let disabled = super::monitors(vm).disable.borrow().as_ref().is_some_and(|d| d.is(&result));
    if !disabled {
        return Ok(());
    }
    if event < events::LOCAL {
        if let Some(code) = args[0].downcast::<CodeObject>() {
            disable(vm, code, event, offset, tool);
        }
        return Ok(());
    }
    drop(super::set_callback(vm, tool, event, None));
    let name = events::name(event);
    Err(vm.value_error(format!("Cannot disable {name} events. Callback removed.")))
}

/// A line begins, or goes round.
///
/// # Safety
/// As for [`fire`].
unsafe fn line(vm: &Interpreter, thread: &Thread, frame: *mut Frame, site: &Site) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        if super::is_comprehension((*frame).code()) {
            return inner_line(vm, thread, frame, site);
        }
        if site.event == events::LOOP {
            return legacy::trace(vm, thread, frame, events::LINE, &[]);
        }
        let line = vm.new_int(i64::from(site.arg))?;
        fire(vm, thread, frame, events::LINE, site.offset, &[line])
    }
}

/// A line of a comprehension is one of the frame around it.
///
/// # Safety
/// As for [`fire`].
unsafe fn inner_line(vm: &Interpreter, thread: &Thread, frame: *mut Frame, site: &Site) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let outer = super::visible(thread, &*frame);
        if site.plain == 0 && outer.line() == Some(site.arg) {
            return Ok(());
        }
        let (code, outer) = (outer.code.clone(), std::ptr::from_ref(outer).cast_mut());
        let Some(data) = code.downcast::<CodeObject>() else { return Ok(()) };
        let wanted = if site.event == events::LOOP {
            1 << super::TRACE_TOOL
        } else {
            tools(vm, (*frame).code(), events::LINE, site.offset) | tools(vm, data, events::LINE, u32::MAX)
        };
        let args = [code.clone(), vm.new_int(i64::from(site.arg))?];
        for tool in (0..TOOLS as u8).rev().filter(|tool| wanted & (1 << tool) != 0) {
            match tool {
                super::TRACE_TOOL => legacy::inner_line(vm, thread, outer, site.arg)?,
                super::PROFILE_TOOL => {}
                _ => one(vm, thread, frame, tool, events::LINE, site.offset, &args)?,
            }
        }
        Ok(())
    }
}

/// Whether a value is the function of a comprehension.
fn is_comprehension_function(function: &Value) -> bool {
    let code = function.downcast::<crate::function::Function>().and_then(|f| f.code.get());
    code.as_ref().and_then(|code| code.downcast::<CodeObject>()).is_some_and(super::is_comprehension)
}

/// What is about to be called: the callee, its first argument, and where the arguments stand.
struct Callee {
    function: Value,
    first: Option<Value>,
    /// As it stands in its register, before a bound method was taken apart.
    whole: Value,
    args_at: usize,
    given: usize,
}

/// # Safety
/// `real` is a call, about to be executed by `frame`.
unsafe fn callee(frame: *mut Frame, real: *const Instr) -> Callee {
    // SAFETY: by the contract: the registers that the instruction names hold the callee and its arguments.
    unsafe {
        let i = *real;
        let reg = |index: usize| (*(*frame).regs.add(index)).clone();
        if i.op == Op::Generic {
            let base = i.a as usize - 2 - (i.d & 1) as usize;
            let (whole, args) = (reg(base), reg(base + 1));
            let first = match args.downcast::<Tuple>() {
                Some(tuple) => tuple.get(0),
                None => args.downcast::<List>().and_then(|list| list.at(0)),
            };
            return Callee { function: whole.clone(), first, whole, args_at: base + 1, given: 0 };
        }
        let (base, mut given) = (i.b as usize, i.c as usize);
        let mut args_at = base + 1;
        let mut whole = reg(base);
        if i.op == Op::CallMethod {
            if whole.is_unbound() {
                whole = reg(base + 1);
                args_at += 1;
            } else {
                given += 1;
            }
        }
        let mut first = (given > 0).then(|| reg(args_at));
        let mut function = whole.clone();
        if let Some(method) = whole.downcast::<BoundMethod>()
            && let (Some(inner), Some(this)) = (method.function.get(), method.this.get())
        {
            function = inner;
            first = Some(this);
        }
        Callee { function, first, whole, args_at, given }
    }
}

/// A call. That of a Python function goes on in the loop; any other is done here, as its end is an event too.
///
/// # Safety
/// As for [`event`]; `real` is the call.
unsafe fn call(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    site: &Site,
    real: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let form: &Form = &*(*frame).form;
        let code = (*frame).code.clone();
        let wanted = code.downcast::<CodeObject>().map_or(0, |c| tools(vm, c, events::CALL, site.offset));
        if wanted == 0 {
            return go_on(vm, frame, pc, form, site.next);
        }
        let missing = || super::monitors(vm).missing.borrow().clone().unwrap_or(Value::NONE);
        if matches!((*real).op, Op::LoadSuperAttr | Op::LoadSuperMethod) {
            let function =
                ops_name::global(vm, &*frame, &(&(*frame).code().names)[(*real).b as usize].clone())?;
            let rest = [function, missing()];
            fire(vm, thread, frame, events::CALL, site.offset, &rest)?;
            if rest[0].is(st.super_.value()) {
                fire(vm, thread, frame, events::C_RETURN, site.offset, &rest)?;
            }
            return go_on(vm, frame, pc, form, site.next);
        }
        let target = callee(frame, real);
        if is_comprehension_function(&target.function) {
            return go_on(vm, frame, pc, form, site.next);
        }
        let rest = [target.function.clone(), target.first.clone().unwrap_or_else(missing)];
        fire(vm, thread, frame, events::CALL, site.offset, &rest)?;
        if crate::run::is_function(st, &target.function) {
            return go_on(vm, frame, pc, form, site.next);
        }
        let i = *real;
        let (result, dst) = if i.op == Op::Generic {
            let base = i.a - 2 - (i.d & 1) as i16;
            (ops_generic::call_ex_natively(vm, frame, &i), base)
        } else {
            (call_natively(vm, frame, &i, &target), i.a)
        };
        match result {
            Ok(value) => {
                fire(vm, thread, frame, events::C_RETURN, site.offset, &rest)?;
                set(frame, dst, value);
                go_behind(vm, frame, site.plain)
            }
            Err(raised) => {
                let exception = vm.take_raised(raised);
                fire(vm, thread, frame, events::C_RAISE, site.offset, &rest)?;
                Err(vm.raise_as_is(exception))
            }
        }
    }
}

/// Does the call `i`, whose arguments are given up.
///
/// # Safety
/// As for [`call`].
unsafe fn call_natively(vm: &Interpreter, frame: *mut Frame, i: &Instr, target: &Callee) -> Res {
    // SAFETY: by the contract.
    unsafe {
        let base = (*frame).regs.add(i.b as usize);
        let words = (*frame).regs.add(target.args_at);
        let names = match i.op {
            Op::CallKw => (&(*frame).code().consts)[i.d as usize].clone(),
            _ => Value::NONE,
        };
        let names = names.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
        let values = std::slice::from_raw_parts(words, target.given);
        let result = vm.call(&target.whole, &CallArgs { values, names: &names });
        drop_words(base, words.add(target.given));
        result
    }
}

/// A step of a `for` loop. Iterators written in Python that end by raising StopIteration show that, as do generators
/// that return a value.
///
/// # Safety
/// As for [`event`]; `real` is the `ForIter`.
unsafe fn for_iter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    site: &Site,
    real: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let form: &Form = &*(*frame).form;
        let i = *real;
        let iterator = (*frame).reg(i.b as usize).clone();
        let ended = if crate::run::is_exact(&st.generator, &iterator) {
            match generator::resume(vm, &iterator, generator::Input::Send(Value::NONE))? {
                generator::Outcome::Yielded(value) => Ok(value),
                generator::Outcome::Returned(value) => Err((!value.is_none()).then(|| {
                    let raised = vm.stop_iteration(Some(value));
                    vm.take_raised(raised)
                })),
            }
        } else if super::is_python(vm, &iterator) {
            match vm.call_method(&iterator, "__next__", &[]) {
                Ok(value) => Ok(value),
                Err(raised) if vm.raised_is(vm.exceptions().stop_iteration()) => {
                    Err(Some(vm.take_raised(raised)))
                }
                Err(raised) => return Err(raised),
            }
        } else {
            return go_on(vm, frame, pc, form, site.next);
        };
        match ended {
            Ok(value) => {
                set(frame, i.a, value);
                go_behind(vm, frame, site.plain)
            }
            Err(exception) => {
                if let Some(exception) = exception {
                    fire(vm, thread, frame, events::RAISE, site.offset, &[exception])?;
                }
                set(frame, i.b, Value::UNBOUND);
                // In the form that it ran: the jump's target is an index of that.
                (*frame).pc = &form.instrs[i.d as usize];
                let form_now = std::ptr::from_ref(form);
                (*frame).change_form(&*form_now);
                Ok(true)
            }
        }
    }
}

/// Behind a native call, or at a poll: see [`boundary`].
///
/// # Safety
/// As for [`boundary`].
#[inline(always)]
pub unsafe fn settle(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    done: bool,
) -> Res<bool> {
    if !super::stale(st) {
        return Ok(false);
    }
    // SAFETY: by the contract.
    unsafe { boundary(vm, thread, frame, pc, done) }
}

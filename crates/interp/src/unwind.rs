//! Exceptions on their way to a handler.

use crate::form::{Block, Form, Instr};
use crate::frame::{Frame, Ret, Thread, drop_words, leave};
use crate::instrument::weave::EVENT;
use crate::instrument::{events, raising};
use crate::ops::Op;
use crate::ops_arith::{release, rk};
use crate::{generator, traceback};
use pellucid_bytecode::ops::Op as Word;
use pellucid_object::{Exception, Interpreter, Raised, Res, Tuple, Type, Value};

/// Takes the raised exception to the innermost handler, leaving frames that have none. `Ok`: the innermost frame goes on at
/// its `pc`. Errors: a frame that native code called was left.
#[cold]
#[inline(never)]
pub fn unwind(vm: &Interpreter, thread: &Thread, raised: Raised) -> Res<()> {
    let mut exception = vm.take_raised(raised);
    // What a callback of a handler's event raised passes on without being told of itself.
    let mut silent = false;
    loop {
        let frame = thread.top_ptr();
        // SAFETY: the innermost record is live; levels are those of its form.
        unsafe {
            let again = raises_again(vm, &*frame, &exception);
            if !again && !silent {
                traceback::add(vm, &*frame, &exception);
            }
            let told = raising::wanted(vm, thread);
            if told && !silent {
                let event = raising::raise_event(again);
                exception = raising::tell(vm, thread, frame, event, exception).0;
            }
            silent = false;
            let origin = origin(&*frame);
            let (found, left) = handler(vm, &*frame);
            if told {
                exception = raising::tell_left(vm, thread, frame, left, exception);
            }
            if let Some((target, level)) = found {
                enter_handler(vm, &mut *frame, exception.clone(), target, level, origin);
                if told {
                    let event = events::EXCEPTION_HANDLED;
                    (exception, silent) = raising::tell(vm, thread, frame, event, exception);
                    if silent {
                        continue;
                    }
                }
                return Ok(());
            }
            if let Some(instr) = instr_at((*frame).form(), origin) {
                (*frame).pc = instr;
            }
            if told {
                exception = raising::tell(vm, thread, frame, events::PY_UNWIND, exception).0;
            }
            drop_temporaries(&*frame, 0);
            if (*frame).generator.is_set() {
                let (error, ret) = generator::fail(vm, thread, exception);
                if ret.is_native() {
                    return Err(vm.raise_as_is(error));
                }
                exception = error;
                continue;
            }
        }
        let done = leave(vm, thread);
        let native = done.ret == Ret::Native;
        drop(done);
        if native {
            return Err(vm.raise_as_is(exception));
        }
    }
}

/// Leaves the innermost frame, which native code called, whatever handlers it has: there is no room to run it.
#[cold]
#[inline(never)]
pub fn abandon(vm: &Interpreter, thread: &Thread, raised: Raised) -> Raised {
    let exception = vm.take_raised(raised);
    let frame = thread.top_ptr();
    // SAFETY: the innermost record is live; levels are those of its form.
    let generator = unsafe {
        drop_temporaries(&*frame, 0);
        (*frame).generator.is_set()
    };
    let exception = if generator {
        generator::fail(vm, thread, exception).0
    } else {
        drop(leave(vm, thread));
        exception
    };
    vm.raise_as_is(exception)
}

/// Whether the current instruction only passes an exception on that this frame has already been noted for: also a bare
/// `raise`, unless there was nothing to raise.
fn raises_again(vm: &Interpreter, frame: &Frame, exception: &Value) -> bool {
    // SAFETY: `pc` points into the frame's form.
    let i = unsafe { &*frame.pc };
    if i.op != Op::Generic {
        return false;
    }
    match u8::try_from(i.b).ok().and_then(Word::from_u8) {
        Some(Word::Reraise | Word::EndAsyncFor) => true,
        Some(Word::RaiseVarargs) => i.d == 0 && vm.handled_exception().is_some_and(|e| e.is(exception)),
        _ => false,
    }
}

/// The wordcode offset that an exception is said to come from: that of the current instruction, or where the handler was
/// entered from whose end passes the exception on.
fn origin(frame: &Frame) -> u32 {
    let form = frame.form();
    // SAFETY: `pc` points into the frame's form.
    let i = unsafe { &*frame.pc };
    if i.op == Op::Generic
        && i.b == Word::Reraise as i16
        && i.d != 0
        && let Some(open) = form.open.get(form.index_of(frame.pc))
        && let Some(entry) = form.blocks.get((*open as usize).wrapping_sub(1))
        && let Block::Handler { level } = entry.block
        && let Some(saved) = frame.reg(usize::from(form.first_temp + level)).as_small_int()
    {
        return u32::try_from(saved).unwrap_or(0);
    }
    frame.offset()
}

/// The first instruction made of the wordcode at an offset, events left out.
fn instr_at(form: &Form, offset: u32) -> Option<&Instr> {
    let main = form.woven.as_ref().map_or(form.instrs.len(), |woven| woven.main as usize);
    let first = form.offsets[..main].partition_point(|at| *at < offset);
    form.instrs[first..main].iter().find(|i| i.op != Op::Generic || i.b != EVENT)
}

/// Where the innermost open `try` of the current instruction continues, and how many handlers are left on the way; these
/// give back what was handled before.
fn handler(vm: &Interpreter, frame: &Frame) -> (Option<(u32, u16)>, usize) {
    let form = frame.form();
    let mut open = form.open.get(form.index_of(frame.pc)).copied().unwrap_or(0);
    let mut left = 0;
    while open != 0 {
        let entry = form.blocks[open as usize - 1];
        match entry.block {
            Block::Try { target, level } => return (Some((target, level)), left),
            Block::Handler { level } => restore_handled(vm, frame, level),
        }
        left += 1;
        open = entry.outer;
    }
    (None, left)
}

/// Makes the exception that the handler at `level` interrupted the handled one again.
pub fn restore_handled(vm: &Interpreter, frame: &Frame, level: u16) {
    let old = frame.reg(usize::from(frame.form().first_temp + level) + 1).clone();
    let old = if old.is_none() || old.is_unbound() { frame.extra_handled() } else { Some(old) };
    vm.set_handled_exception(old);
}

impl Frame {
    /// What a generator's resumer handles; for other frames nothing.
    pub fn extra_handled(&self) -> Option<Value> {
        if self.generator.is_set() { self.extra.get() } else { None }
    }
}

/// Drops the temporaries from `level` on.
///
/// # Safety
/// `frame` is live and what it drops is not used any more.
unsafe fn drop_temporaries(frame: &Frame, level: u16) {
    let form = frame.form();
    // SAFETY: by the contract.
    unsafe {
        drop_words(
            frame.regs.add(usize::from(form.first_temp + level)),
            frame.regs.add(usize::from(form.nregs)),
        );
    }
}

/// # Safety
/// As for `drop_temporaries`.
unsafe fn enter_handler(
    vm: &Interpreter,
    frame: &mut Frame,
    exception: Value,
    target: u32,
    level: u16,
    origin: u32,
) {
    // SAFETY: by the contract; a handler has six temporaries more than its level.
    unsafe { drop_temporaries(frame, level) };
    let base = usize::from(frame.form().first_temp + level);
    let old = vm.handled_exception();
    let old = match (&old, frame.extra_handled()) {
        (Some(now), Some(outer)) if now.is(&outer) => None,
        _ => old,
    };
    let old_type = old.as_ref().map_or(Value::NONE, |o| vm.type_of(o).into_value());
    let traceback = exception.downcast::<Exception>().and_then(|e| e.traceback.get()).unwrap_or(Value::NONE);
    let ty = vm.type_of(&exception).into_value();
    vm.set_handled_exception(Some(exception.clone()));
    let origin = Value::small_int(i64::from(origin)).unwrap_or(Value::NONE);
    let values = [origin, old.unwrap_or(Value::NONE), old_type, traceback, exception, ty];
    for (at, value) in values.into_iter().enumerate() {
        drop(frame.replace_reg(base + at, value));
    }
    let target = match &frame.form().woven {
        Some(woven) => woven.handler_entry(target, frame.line()),
        None => target,
    };
    frame.pc = &frame.form().instrs[target as usize];
}

/// Whether an exception (or its type) is not one of those that a handler names.
///
/// # Safety
/// As for [`rk`]; `pc` is the instruction.
pub unsafe fn no_match(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let matches = matches(vm, rk(frame, i.b), rk(frame, i.c))?;
        release(frame, i.c);
        release(frame, i.b);
        Ok(!matches)
    }
}

/// Whether `class` inherits from `BaseException`.
pub fn is_exception_class(vm: &Interpreter, class: &Value) -> bool {
    class.downcast::<Type>().is_some_and(|ty| ty.is_subtype_of(vm.exceptions().base_exception()))
}

/// Whether an exception (type or instance) is caught by `wanted`, a class or a tuple of them. Errors: `TypeError` for
/// anything else.
pub fn matches(vm: &Interpreter, exception: &Value, wanted: &Value) -> Res<bool> {
    let ty = match exception.downcast_ref::<Type>() {
        Some(ty) => ty,
        None => vm.type_of(exception),
    };
    if ty.value().is(wanted) && is_exception_class(vm, wanted) {
        return Ok(true);
    }
    // Neither test runs Python code.
    let among = |classes: &[Value]| {
        let proper = classes.iter().all(|class| is_exception_class(vm, class));
        let catches =
            |class: &Value| class.downcast_ref::<Type>().is_some_and(|class| ty.is_subtype_of(&class));
        proper.then(|| classes.iter().any(catches))
    };
    let found = match wanted.downcast::<Tuple>() {
        Some(tuple) => tuple.with(among),
        None => among(std::slice::from_ref(wanted)),
    };
    found.ok_or_else(|| {
        let what = "catching classes that do not inherit from BaseException is not allowed";
        vm.type_error(what.to_string())
    })
}

/// The exception that `raise what` raises. Errors: `TypeError`, what calling a class raises.
pub fn exception_from(vm: &Interpreter, what: &Value) -> Res {
    if is_exception_class(vm, what) {
        let exception = vm.call_values(what, &[])?;
        if exception.downcast::<Exception>().is_none() {
            let (class, got) = (vm.repr_lossy(what)?, vm.repr_lossy(vm.type_of(&exception).value())?);
            return Err(vm.type_error(format!(
                "calling {class} should have returned an instance of BaseException, not {got}"
            )));
        }
        return Ok(exception);
    }
    if what.downcast::<Exception>().is_some() {
        return Ok(what.clone());
    }
    Err(vm.type_error("exceptions must derive from BaseException".to_string()))
}

/// `raise what from cause`. Always an error: the exception, or what is wrong with it.
pub fn raise(vm: &Interpreter, what: Option<&Value>, cause: Option<&Value>) -> Raised {
    let Some(what) = what else {
        return match vm.handled_exception() {
            Some(exception) => vm.raise_as_is(exception),
            None => vm.runtime_error("No active exception to reraise".to_string()),
        };
    };
    let exception = match exception_from(vm, what) {
        Ok(exception) => exception,
        Err(raised) => return raised,
    };
    if let Some(cause) = cause {
        let cause = match cause {
            none if none.is_none() => None,
            other if is_exception_class(vm, other) || other.downcast::<Exception>().is_some() => {
                match exception_from(vm, other) {
                    Ok(cause) => Some(cause),
                    Err(raised) => return raised,
                }
            }
            _ => return vm.type_error("exception causes must derive from BaseException".to_string()),
        };
        if let Some(e) = exception.downcast::<Exception>() {
            e.cause.set(cause);
            e.suppress_context.set(true);
        }
    }
    vm.raise(exception)
}

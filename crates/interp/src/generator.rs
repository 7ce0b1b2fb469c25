//! Generators, coroutines and asynchronous generators: suspended frames.
//!
//! A generator owns its registers. Resuming pushes a frame record that points to them; `yield` takes the record off again.
//! A `for` loop runs a generator in the same loop as itself (`Ret::ForIter`); native code runs it in a loop of its own.

use crate::code::CodeObject;
use crate::form::{Form, Instr};
use crate::frame::{Frame, Ret, SinkPtr, Thread, end_variables};
use crate::frame_object::{self, FrameObject};
use crate::function::Function;
use crate::instrument::{self, raising};
use crate::ops::Op;
use crate::ops_build::Step;
use crate::run::run;
use crate::state::{State, state, thread};
use pellucid_bytecode::code::flags;
use pellucid_object::heap::Visitor;
use pellucid_object::protocol::Sink;
use pellucid_object::tuple::drop_from_the_end;
use pellucid_object::{Exception, Interpreter, Payload, Raised, Ref, Res, SlotWord, Type, Value};
use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Generator,
    Coroutine,
    AsyncGenerator,
}

impl Kind {
    /// How messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Generator => "generator",
            Kind::Coroutine => "coroutine",
            Kind::AsyncGenerator => "async generator",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    Created,
    Suspended,
    Running,
    Done,
}

/// Payload of `generator`, `coroutine` and `async_generator`.
pub struct Generator {
    pub kind: Kind,
    pub life: Cell<Life>,
    regs: Cell<*mut Value>,
    nregs: usize,
    pc: Cell<*const Instr>,
    /// What `pc` points into.
    form: Cell<*const Form>,
    pub function: SlotWord,
    pub code: Value,
    /// The frame object, while the generator does not run.
    pub object: SlotWord,
    /// What its own handlers handle.
    handled: SlotWord,
    pub name: SlotWord,
    pub qualname: SlotWord,
    /// Of an asynchronous generator: an awaitable of its is being awaited.
    pub awaiting: Cell<bool>,
    /// Of an asynchronous generator: its hooks were called, and the finalizer to call at its end.
    pub hooked: Cell<bool>,
    pub finalizer: SlotWord,
    /// `cr_origin`.
    pub origin: SlotWord,
    /// The locals that `eval` gave code with `await` outside functions.
    namespace: SlotWord,
}

impl Generator {
    /// The registers, none after the end.
    fn words(&self) -> &[Value] {
        let regs = self.regs.get();
        if regs.is_null() {
            return &[];
        }
        // SAFETY: the generator owns `nregs` words there; while it runs the loop changes them, but nobody holds this slice then.
        unsafe { std::slice::from_raw_parts(regs, self.nregs) }
    }

    /// Gives the registers up.
    fn free(&self) {
        let regs = self.regs.replace(std::ptr::null_mut());
        if !regs.is_null() {
            // SAFETY: made by `new_registers` as a box of this length is, given back once.
            let words = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(regs, self.nregs)) };
            drop_from_the_end(words.into_vec());
        }
    }

    pub fn code(&self) -> Option<&CodeObject> {
        self.code.downcast::<CodeObject>()
    }

    /// The instruction at which it sleeps.
    fn instr(&self) -> Option<&Instr> {
        // SAFETY: points into the form of the code that the generator owns.
        (self.life.get() == Life::Suspended).then(|| unsafe { &*self.pc.get() })
    }

    /// What it delegates to with `yield from` or `await`.
    pub fn delegate(&self) -> Option<Value> {
        let i = self.instr().filter(|i| i.op == Op::YieldFrom)?;
        self.words().get(i.a as usize).cloned()
    }

    /// Whether a `yield from` that sends this can wake it in the same loop.
    fn runs_here(&self, sent: &Value) -> bool {
        self.kind != Kind::AsyncGenerator
            && match self.life.get() {
                Life::Created => sent.is_none(),
                Life::Suspended => true,
                _ => false,
            }
    }

    /// Whether it sleeps inside of a `try` or `with`, or in a `yield from`, whose receiver may have something to close.
    fn must_close(&self) -> bool {
        if self.delegate().is_some() {
            return true;
        }
        let form = self.form();
        self.instr().is_some_and(|i| form.open.get(form.index_of(i)).is_some_and(|open| *open != 0))
    }

    /// The wordcode offset at which it sleeps.
    pub fn offset(&self) -> u32 {
        self.form().offset_of(self.pc.get())
    }

    fn form(&self) -> &Form {
        // SAFETY: a form of the code that the generator owns.
        unsafe { &*self.form.get() }
    }

    /// A variable's register while it sleeps.
    pub fn variable(&self, index: usize) -> Option<Value> {
        self.words().get(index).cloned().and_then(Value::bound)
    }

    /// Replaces a variable while it sleeps.
    pub fn set_variable(&self, index: usize, value: Value) -> Option<Value> {
        if self.life.get() == Life::Running || index >= self.words().len() {
            return None;
        }
        // SAFETY: an owned word; no slice of them is held.
        Some(unsafe { self.regs.get().add(index).replace(value) })
    }
}

impl Payload for Generator {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.code);
        let words = [
            &self.function,
            &self.object,
            &self.handled,
            &self.name,
            &self.qualname,
            &self.finalizer,
            &self.origin,
            &self.namespace,
        ];
        words.into_iter().for_each(|word| word.trace(visit));
        self.words().iter().for_each(visit);
    }
    fn clear(&self) {
        if self.life.get() != Life::Running {
            self.life.set(Life::Done);
            frame_object::generator_ends(self, false);
            self.free();
            self.function.set(None);
        }
        self.object.set(None);
        self.handled.set(None);
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        frame_object::generator_ends(self, true);
        self.free();
    }
}

/// Memory for registers, which [`Generator::free`] gives back. `None`: there is none.
fn new_registers(count: usize) -> Option<*mut Value> {
    let layout = Layout::array::<Value>(count).ok()?;
    if count == 0 {
        return Some(NonNull::dangling().as_ptr());
    }
    // SAFETY: the layout is not empty.
    NonNull::new(unsafe { std::alloc::alloc(layout) }.cast::<Value>()).map(NonNull::as_ptr)
}

/// Makes the generator that a call gives; its bound variables are taken out of `window`.
///
/// # Safety
/// `window` holds the variables of a frame for `form`, bound.
pub unsafe fn make(
    vm: &Interpreter,
    st: &State,
    function: &Value,
    code: Value,
    form: &Form,
    window: *mut Value,
) -> Res {
    let (nregs, variables) = (form.nregs as usize, form.first_temp as usize);
    let Some(regs) = new_registers(nregs) else {
        // SAFETY: by the contract.
        unsafe { crate::frame::drop_words(window, window.add(variables)) };
        return Err(vm.no_memory());
    };
    // SAFETY: there are `nregs` new words, each of which is written; the rest by the contract.
    unsafe {
        for index in 0..variables {
            regs.add(index).write(window.add(index).replace(Value::UNBOUND));
        }
        for index in variables..nregs {
            regs.add(index).write(Value::UNBOUND);
        }
    }
    let data = code.downcast::<CodeObject>();
    let bits = data.map_or(0, |c| c.code.flags);
    let (kind, ty) = if bits & flags::COROUTINE != 0 {
        (Kind::Coroutine, &st.coroutine)
    } else if bits & flags::ASYNC_GENERATOR != 0 {
        (Kind::AsyncGenerator, &st.async_generator)
    } else {
        (Kind::Generator, &st.generator)
    };
    let origin = if kind == Kind::Coroutine { origin(vm, thread(vm)) } else { Ok(None) };
    let origin = match origin {
        Ok(origin) => origin,
        Err(raised) => {
            // SAFETY: made above with this length, not yet owned by a generator.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(regs, nregs)) });
            return Err(raised);
        }
    };
    let (name, qualname) = match (function.downcast::<Function>(), data) {
        (Some(f), _) if f.code.get().is_some_and(|own| own.is(&code)) => (f.name.get(), f.qualname.get()),
        // A generator expression runs as part of the function around it.
        (_, Some(data)) => (Some(data.name.clone()), Some(data.qualname.clone())),
        _ => (None, None),
    };
    let generator = Generator {
        kind,
        life: Cell::new(Life::Created),
        regs: Cell::new(regs),
        nregs,
        pc: Cell::new(form.instrs.as_ptr()),
        form: Cell::new(form),
        function: SlotWord::new(Some(function.clone())),
        code,
        object: SlotWord::default(),
        handled: SlotWord::default(),
        name: SlotWord::new(name),
        qualname: SlotWord::new(qualname),
        awaiting: Cell::new(false),
        hooked: Cell::new(false),
        finalizer: SlotWord::default(),
        origin: SlotWord::new(origin),
        namespace: SlotWord::default(),
    };
    vm.alloc(ty, generator)
}

/// Gives a generator that has not begun the locals that it looks names up in.
pub fn give_locals(value: &Value, locals: &Value) {
    let code = of(value).and_then(Generator::code);
    if code.is_some_and(|code| code.code.flags & flags::OPTIMIZED == 0)
        && let Some(generator) = of(value)
    {
        generator.namespace.set(Some(locals.clone()));
    }
}

/// The generator behind a value.
#[inline(always)]
pub fn of(value: &Value) -> Option<&Generator> {
    value.downcast::<Generator>()
}

/// Whether a value is a generator that waits at a `yield`.
pub fn sleeps(value: &Value) -> bool {
    of(value).is_some_and(|generator| generator.life.get() == Life::Suspended)
}

/// Pushes the frame record of a generator that sleeps, or has not begun.
#[inline]
fn begin(vm: &Interpreter, st: &State, thread: &Thread, value: &Value, ret: Ret, sent: Value) -> Res<()> {
    // SAFETY: the record that was pushed is a generator's, which sleeps there.
    unsafe {
        match wake(vm, st, thread, value, ret, true) {
            Some(Woken::Fresh) => return Ok(()),
            Some(Woken::Asleep) => {
                hand(&mut *thread.top_ptr(), sent);
                return Ok(());
            }
            None => {}
        }
    }
    push(vm, thread, value, ret, sent)?;
    take_handled(vm, value);
    Ok(())
}

/// How a generator was when it was woken.
enum Woken {
    /// It had not begun.
    Fresh,
    /// It slept: [`hand`] follows, or else what it delegates to is woken in its turn.
    Asleep,
}

/// Pushes the frame record of a generator that sleeps, or, if `begins`, has not begun, and has nothing that is out of the ordinary:
/// no frame object, no exception handled in it or around it, no new form, nobody who watches. Its function moves into the record until
/// [`sleep_one`]. `None`: nothing was done.
///
/// # Safety
/// See [`Woken`].
#[inline(always)]
unsafe fn wake(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    value: &Value,
    ret: Ret,
    begins: bool,
) -> Option<Woken> {
    let header = value.header()?;
    let ty = header.ty.get() as u64;
    if ty != st.generator.value().bits() && ty != st.coroutine.value().bits() {
        return None;
    }
    // SAFETY: the type says what the payloads are, and there is room for a record.
    unsafe {
        let generator = value.payload_unchecked::<Generator>();
        let code = generator.code.payload_unchecked::<CodeObject>();
        let form = generator.form.get();
        let odd = generator.object.raw() | generator.namespace.raw() | generator.handled.raw();
        let woken = match generator.life.get() {
            Life::Suspended => Woken::Asleep,
            Life::Created if begins => Woken::Fresh,
            _ => return None,
        };
        if !code.ready_form().is_some_and(|ready| std::ptr::eq(ready, form))
            || (*form).woven.is_some()
            || odd != 0
            || vm.handles_exception()
            || !thread.has_room(vm)
        {
            return None;
        }
        let function = generator.function.replace(None)?;
        generator.life.set(Life::Running);
        push_record(thread, value, code, &*form, generator.pc.get(), function, ret);
        Some(woken)
    }
}

/// Pushes a generator's record, with neither namespace nor frame object nor an exception that was handled.
///
/// # Safety
/// There is room; `value` is a generator of the code, in this form, and `function` its function.
#[inline(always)]
unsafe fn push_record(
    thread: &Thread,
    value: &Value,
    code: &CodeObject,
    form: &Form,
    pc: *const Instr,
    function: Value,
    ret: Ret,
) {
    // SAFETY: every field is written; the registers are the generator's.
    unsafe {
        let generator = value.payload_unchecked::<Generator>();
        let data = function.payload_unchecked::<Function>();
        let (globals, builtins) = (data.globals_dict(), data.builtins_dict());
        let top = thread.push_raw();
        let end = thread.words_before();
        top.write(Frame {
            pc,
            regs: generator.regs.get(),
            form,
            consts_end: code.consts.as_ptr_range().end,
            caches: form.caches.as_ptr(),
            end,
            globals,
            builtins,
            function,
            code: generator.code.clone(),
            locals: SlotWord::default(),
            object: SlotWord::default(),
            generator: SlotWord::new(Some(value.clone())),
            extra: SlotWord::default(),
            ret,
            dst: 0,
        });
    }
}

/// Gives what was sent to a generator that was woken.
///
/// # Safety
/// The record is that of a generator at the instruction at which it slept.
#[inline(always)]
unsafe fn hand(frame: &mut Frame, sent: Value) {
    // SAFETY: by the contract.
    unsafe {
        let i = &*frame.pc;
        match i.op {
            Op::YieldFrom => drop(frame.regs.offset(i.b as isize).replace(sent)),
            _ => {
                frame.pc = frame.pc.add(1);
                drop(frame.regs.offset(i.a as isize).replace(sent));
            }
        }
    }
}

/// What the generator itself handles is handled again.
#[inline]
fn take_handled(vm: &Interpreter, value: &Value) {
    if let Some(generator) = of(value).filter(|generator| generator.handled.is_set()) {
        vm.set_handled_exception(generator.handled.replace(None));
    }
}

/// Pushes the record, leaving alone what is being handled.
#[inline(never)]
fn push(vm: &Interpreter, thread: &Thread, value: &Value, ret: Ret, sent: Value) -> Res<()> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    let Some(code) = generator.code() else { return Err(vm.bug("a generator without code")) };
    let begun = generator.life.get() == Life::Suspended;
    let (form, pc) = instrument::wake(vm, code, generator.form(), generator.pc.get(), begun)?;
    if !thread.has_room(vm) {
        return Err(thread.too_deep(vm));
    }
    let Some(function) = generator.function.replace(None) else {
        return Err(vm.bug("a generator without a function"));
    };
    // SAFETY: there is room for a record; form and function are the generator's.
    unsafe {
        push_record(thread, value, code, form, pc, function, ret);
        let top = thread.top_ptr();
        (*top).locals.set(generator.namespace.get());
        (*top).object.set(generator.object.replace(None));
        (*top).extra.set(if vm.handles_exception() { vm.handled_exception() } else { None });
        if (*top).object.is_set() {
            frame_object::attach(&mut *top);
        }
        generator.life.set(Life::Running);
        if begun {
            hand(&mut *top, sent);
        }
    }
    Ok(())
}

/// What a yielded value does next.
pub enum Yielded {
    Native(Value),
    ForIter(Value),
}

/// `yield`: the innermost frame, a generator's, goes to sleep.
#[inline]
pub fn suspend(vm: &Interpreter, st: &State, thread: &Thread, value: Value) -> Res<Yielded> {
    // SAFETY: the innermost record is a generator's, which it owns.
    let owner = unsafe { (*thread.top_ptr()).generator.peek() };
    let wrapped = match owner.and_then(Value::header) {
        Some(header) if header.ty.get() as u64 == st.async_generator.value().bits() => {
            crate::async_generator::wrap(vm, value)?
        }
        _ => value,
    };
    Ok(sleep(vm, thread, wrapped))
}

/// The innermost generator goes to sleep, and those that delegate to it, up to one that something else runs.
#[inline]
fn sleep(vm: &Interpreter, thread: &Thread, value: Value) -> Yielded {
    loop {
        // SAFETY: the innermost record is a generator's.
        let ret = match unsafe { sleep_quick(vm, thread) } {
            Some(ret) => ret,
            None => sleep_one(vm, thread),
        };
        match ret {
            Ret::Delegate => {}
            Ret::ForIter => return Yielded::ForIter(value),
            _ => return Yielded::Native(value),
        }
    }
}

/// As [`sleep_one`], when nothing is out of the ordinary. `None`: nothing was done.
///
/// # Safety
/// The innermost record is a generator's.
#[inline(always)]
unsafe fn sleep_quick(vm: &Interpreter, thread: &Thread) -> Option<Ret> {
    let top = thread.top_ptr();
    // SAFETY: by the contract; the record is taken off once, and its function moves back into the generator.
    unsafe {
        if (*top).locals.raw() | (*top).object.raw() | (*top).extra.raw() != 0 || vm.handles_exception() {
            return None;
        }
        let owner = (*top).generator.replace(None)?;
        let generator = owner.payload_unchecked::<Generator>();
        generator.pc.set((*top).pc);
        generator.form.set((*top).form);
        generator.life.set(Life::Suspended);
        let ret = (*top).ret;
        let none = generator.function.replace(Some(thread.drop_top()));
        debug_assert!(none.is_none());
        std::mem::forget(none);
        Some(ret)
    }
}

/// Takes the record of a running generator off; what it handled itself stays with it.
#[inline(never)]
pub fn sleep_one(vm: &Interpreter, thread: &Thread) -> Ret {
    let top = thread.top_ptr();
    // SAFETY: the innermost record is a generator's; it is taken off once, and its function moves back into the generator.
    unsafe {
        let owner = (*top).generator.replace(None).unwrap_or(Value::NONE);
        let outer = (*top).extra.replace(None);
        // The generator keeps them.
        if (*top).locals.is_set() {
            (*top).locals.set(None);
        }
        if let Some(generator) = of(&owner) {
            if vm.handles_exception() {
                generator.handled.set(own_handled(vm, &*top, &outer));
            }
            generator.pc.set((*top).pc);
            generator.form.set((*top).form);
            generator.life.set(Life::Suspended);
            if (*top).object.is_set() {
                frame_object::suspend(&(*top).object, &owner);
                generator.object.set((*top).object.replace(None));
            }
        }
        if outer.is_some() || vm.handles_exception() {
            vm.set_handled_exception(outer);
        }
        let ret = (*top).ret;
        let function = thread.drop_top();
        if let Some(generator) = of(&owner) {
            generator.function.set(Some(function));
        }
        ret
    }
}

/// What a generator that goes to sleep handles itself; `outer` is what was handled when it was resumed.
#[cold]
fn own_handled(vm: &Interpreter, frame: &Frame, outer: &Option<Value>) -> Option<Value> {
    let now = vm.handled_exception();
    match (&now, outer) {
        // The same exception may be handled on both sides.
        (Some(now), Some(outer)) if now.is(outer) && !in_handler(frame) => None,
        _ => now,
    }
}

/// Whether the current instruction stands in an exception handler.
fn in_handler(frame: &Frame) -> bool {
    let form = frame.form();
    let mut open = form.open.get(form.index_of(frame.pc)).copied().unwrap_or(0);
    while let Some(entry) = form.blocks.get((open as usize).wrapping_sub(1)) {
        if matches!(entry.block, crate::form::Block::Handler { .. }) {
            return true;
        }
        open = entry.outer;
    }
    false
}

/// What the end of a generator does next.
pub enum Finished {
    Native(Value),
    ForIter,
    /// The result of a `yield from`.
    Delegate(Value),
}

/// `return` in a generator.
pub fn finish(vm: &Interpreter, thread: &Thread, value: Value) -> Finished {
    match end(vm, thread) {
        Ret::ForIter => Finished::ForIter,
        Ret::Delegate => Finished::Delegate(value),
        _ => Finished::Native(value),
    }
}

/// Leaves the frame of a generator for good.
fn end(vm: &Interpreter, thread: &Thread) -> Ret {
    let top = thread.top_ptr();
    // SAFETY: the innermost record is a generator's; it is taken off once, after what it owns.
    unsafe {
        end_variables(vm, thread);
        if (*top).locals.is_set() {
            (*top).locals.set(None);
        }
        let owner = (*top).generator.replace(None);
        let outer = (*top).extra.replace(None);
        if outer.is_some() || vm.handles_exception() {
            vm.set_handled_exception(outer);
        }
        let ret = (*top).ret;
        let function = thread.drop_top();
        if let Some(generator) = owner.as_ref().and_then(of) {
            generator.life.set(Life::Done);
            generator.free();
        }
        drop(function);
        ret
    }
}

/// An exception leaves a generator. `StopIteration` becomes a `RuntimeError` here (PEP 479).
/// The exception that goes on, and where to.
pub fn fail(vm: &Interpreter, thread: &Thread, exception: Value) -> (Value, Ret) {
    let kind = thread.top().and_then(|f| f.generator.get()).and_then(|g| of(&g).map(|g| g.kind));
    let ret = end(vm, thread);
    let exceptions = vm.exceptions();
    let is = |ty: &Ref<Type>| vm.is_instance(&exception, ty);
    let what = match kind {
        Some(kind) if is(exceptions.stop_iteration()) => format!("{} raised StopIteration", kind.noun()),
        Some(Kind::AsyncGenerator) if is(exceptions.stop_async_iteration()) => {
            "async generator raised StopAsyncIteration".to_string()
        }
        _ => return (exception, ret),
    };
    let raised = vm.runtime_error(what);
    let error = vm.take_raised(raised);
    if let Some(e) = error.downcast::<Exception>() {
        e.cause.set(Some(exception.clone()));
        e.context.set(Some(exception));
        e.suppress_context.set(true);
    }
    (error, ret)
}

/// What goes into a generator.
pub enum Input {
    Send(Value),
    /// The exception.
    Throw(Value),
}

/// What comes out.
pub enum Outcome {
    Yielded(Value),
    Returned(Value),
}

/// Runs a generator up to its next `yield` or its end. Errors: what it raises; `ValueError` when it runs already.
pub fn resume(vm: &Interpreter, value: &Value, input: Input) -> Res<Outcome> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    let kind = generator.kind;
    match (generator.life.get(), &input) {
        (Life::Running, _) => {
            let noun = if kind == Kind::AsyncGenerator { "async generator" } else { kind.noun() };
            return Err(vm.value_error(format!("{noun} already executing")));
        }
        (Life::Done, _) if kind == Kind::Coroutine => {
            return Err(vm.runtime_error("cannot reuse already awaited coroutine".to_string()));
        }
        (Life::Done, Input::Send(_)) => return Ok(Outcome::Returned(Value::NONE)),
        (Life::Done, Input::Throw(exception)) => return Err(vm.raise_as_is(exception.clone())),
        (Life::Created, Input::Send(sent)) if !sent.is_none() => {
            let noun = kind.noun();
            return Err(vm.type_error(format!("can't send non-None value to a just-started {noun}")));
        }
        _ => {}
    }
    let (st, thread) = (state(vm), thread(vm));
    let result = match input {
        Input::Send(sent) => {
            begin(vm, st, thread, value, Ret::Native, sent)?;
            // SAFETY: the record was just pushed.
            instrument::woken(unsafe { &mut *thread.top_ptr() });
            run(vm, st, thread)?
        }
        Input::Throw(exception) => {
            let behind = generator.life.get() == Life::Suspended && generator.delegate().is_none();
            begin(vm, st, thread, value, Ret::Native, Value::NONE)?;
            let mut raised = vm.raise(exception);
            // SAFETY: the record was just pushed; the exception is raised where the generator slept.
            unsafe {
                let top = thread.top_ptr();
                (*top).pc = (*top).pc.sub(usize::from(behind));
                if raising::wanted(vm, thread) {
                    let exception = vm.take_raised(raised);
                    let event = instrument::events::PY_THROW;
                    raised = vm.raise_as_is(raising::tell(vm, thread, top, event, exception).0);
                }
            }
            crate::unwind::unwind(vm, thread, raised)?;
            run(vm, st, thread)?
        }
    };
    match generator.life.get() {
        Life::Suspended => Ok(Outcome::Yielded(result)),
        _ => Ok(Outcome::Returned(result)),
    }
}

/// Continues a generator whose record stands innermost, at a `yield from`, behind that.
fn go_on_behind(vm: &Interpreter, value: &Value, result: Value) -> Res<Outcome> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    let (st, thread) = (state(vm), thread(vm));
    // SAFETY: by the contract of the private callers the innermost record is the generator's, at a `YieldFrom`.
    unsafe {
        let top = thread.top_ptr();
        let i = *(*top).pc;
        drop((*top).replace_reg(i.b as usize, Value::UNBOUND));
        drop((*top).replace_reg(i.a as usize, result));
        (*top).pc = (*top).pc.add(1);
    }
    let result = run(vm, st, thread)?;
    match generator.life.get() {
        Life::Suspended => Ok(Outcome::Yielded(result)),
        _ => Ok(Outcome::Returned(result)),
    }
}

/// A `for` loop asks a generator for its next value: it runs in the same loop.
///
/// # Safety
/// `frame` is the innermost frame, at the `ForIter` instruction `pc`.
#[inline(never)]
pub unsafe fn enter_for(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<Step> {
    // SAFETY: by the contract.
    unsafe {
        let place = (*frame).regs.offset((*pc).b as isize);
        // The end of the loop polls.
        match wake(vm, st, thread, &*place, Ret::ForIter, true) {
            Some(Woken::Asleep) => hand(&mut *thread.top_ptr(), Value::NONE),
            Some(Woken::Fresh) => {}
            None => return begin_for(vm, st, thread, place),
        }
        Ok(Step::Entered)
    }
}

/// [`enter_for`] of a generator that is at its end, runs already, or is out of the ordinary.
///
/// # Safety
/// As for that; the generator stands in `place`.
#[inline(never)]
unsafe fn begin_for(vm: &Interpreter, st: &State, thread: &Thread, place: *mut Value) -> Res<Step> {
    // SAFETY: by the contract.
    unsafe {
        let Some(generator) = of(&*place) else { return Err(vm.bug("no generator")) };
        match generator.life.get() {
            Life::Running => Err(vm.value_error("generator already executing".to_string())),
            Life::Done => {
                drop(place.replace(Value::UNBOUND));
                Ok(Step::End)
            }
            Life::Created | Life::Suspended => {
                if crate::poll::pending(vm) {
                    crate::poll::poll(vm)?;
                }
                begin(vm, st, thread, &*place, Ret::ForIter, Value::NONE)?;
                instrument::woken(&mut *thread.top_ptr());
                Ok(Step::Entered)
            }
        }
    }
}

/// Runs a generator, its values going into `sink` without it being suspended; see [`Interpreter::drain`].
pub fn drain(vm: &Interpreter, value: &Value, sink: &mut Sink) -> Res<Option<Value>> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    if let Some(code) = generator.code()
        && code.form(vm)?.woven.is_some()
    {
        // Each of its steps is an event.
        return vm.next(value);
    }
    let (st, thread) = (state(vm), thread(vm));
    loop {
        match generator.life.get() {
            Life::Running => return Err(vm.value_error("generator already executing".to_string())),
            Life::Done => return Ok(None),
            Life::Created | Life::Suspended => {}
        }
        begin(vm, st, thread, value, Ret::Drain, Value::NONE)?;
        // SAFETY: the sink is used only while the generator runs, below; `Thread::sink` is put back before this returns.
        let erased = unsafe { std::mem::transmute::<*mut Sink<'_>, SinkPtr>(sink) };
        let outer = thread.sink.replace(Some(erased));
        let result = run(vm, st, thread);
        thread.sink.set(outer);
        let result = result?;
        if generator.life.get() != Life::Suspended {
            return Ok(None);
        }
        // Refused by the sink, or yielded by what the generator delegates to.
        if let Some(refused) = sink(result)? {
            return Ok(Some(refused));
        }
    }
}

/// `yield` in a generator that is drained. `None`: the sink took the value.
///
/// # Safety
/// The innermost frame is that of a generator with `Ret::Drain`.
pub unsafe fn deliver(vm: &Interpreter, thread: &Thread, value: Value) -> Res<Option<Value>> {
    match thread.sink.get() {
        // SAFETY: `drain`, which called the loop, lends the sink for as long as its generator runs; it is not in use: sinks
        // run no Python code.
        Some(sink) => unsafe { (*sink)(value) },
        None => Err(vm.bug("a drained generator without a sink")),
    }
}

/// One step of an iterator that may end with a value: its `StopIteration` value, or what it yields.
pub fn step(vm: &Interpreter, receiver: &Value, sent: Value) -> Res<Outcome> {
    let st = state(vm);
    if of(receiver).is_some_and(|g| g.kind != Kind::AsyncGenerator) {
        return resume(vm, receiver, Input::Send(sent));
    }
    let ty = vm.type_of(receiver);
    let result = if sent.is_none() {
        match ty.slots.next.get() {
            Some(next) if !ty.flags.get().contains(pellucid_object::TypeFlags::MUTABLE) => {
                next(vm, receiver).map(|value| value.ok_or(()))
            }
            _ => vm.call_method(receiver, "__next__", &[]).map(Ok),
        }
    } else {
        let send = vm.get_attr(receiver, &st.names.send)?;
        vm.call_values(&send, &[sent]).map(Ok)
    };
    match result {
        Ok(Ok(value)) => Ok(Outcome::Yielded(value)),
        Ok(Err(())) => Ok(Outcome::Returned(Value::NONE)),
        Err(raised) => stop_value(vm, raised).map(Outcome::Returned),
    }
}

/// The value of the raised `StopIteration`; other exceptions stay raised.
pub fn stop_value(vm: &Interpreter, raised: Raised) -> Res {
    if !vm.raised_is(vm.exceptions().stop_iteration()) {
        return Err(raised);
    }
    let exception = vm.take_raised(raised);
    vm.get_attr_str(&exception, "value")
}

/// What a `yield from` does next.
pub enum Delegated {
    /// The receiver is finished, its result stored.
    Done,
    Yielded(Yielded),
    /// The receiver runs in the same loop.
    Entered,
}

/// `yield from` and `await`.
///
/// # Safety
/// `frame` is the innermost frame, at the `YieldFrom` instruction `pc`.
pub unsafe fn delegate(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<Delegated> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let sent = (*frame).replace_reg(i.b as usize, Value::UNBOUND);
        if (*frame).form().woven.is_none() {
            if crate::poll::pending(vm) {
                crate::poll::poll(vm)?;
            }
            // A generator that is woken and delegates itself passes on what it is sent.
            let mut top = frame;
            let mut at = pc;
            while let Some(woken) =
                wake(vm, st, thread, (*top).reg((*at).a as usize), Ret::Delegate, sent.is_none())
            {
                if matches!(woken, Woken::Fresh) {
                    return Ok(Delegated::Entered);
                }
                top = thread.top_ptr();
                at = (*top).pc;
                if (*at).op != Op::YieldFrom {
                    break;
                }
            }
            if top != frame {
                hand(&mut *top, sent);
                return Ok(Delegated::Entered);
            }
            if of((*frame).reg(i.a as usize)).is_some_and(|generator| generator.runs_here(&sent)) {
                begin(vm, st, thread, (*frame).reg(i.a as usize), Ret::Delegate, sent)?;
                return Ok(Delegated::Entered);
            }
        }
        let receiver = (*frame).reg(i.a as usize).clone();
        let outcome = step(vm, &receiver, sent)?;
        if (*frame).form().woven.is_some() {
            instrument::delegated(vm, thread, frame, &receiver, &outcome)?;
        }
        match outcome {
            Outcome::Yielded(value) => Ok(Delegated::Yielded(sleep(vm, thread, value))),
            Outcome::Returned(value) => {
                drop((*frame).replace_reg(i.a as usize, value));
                Ok(Delegated::Done)
            }
        }
    }
}

/// `generator.throw(exception)`: goes to what it delegates to first.
pub fn throw(vm: &Interpreter, value: &Value, exception: Value) -> Res<Outcome> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    let Some(receiver) = generator.delegate() else {
        return resume(vm, value, Input::Throw(exception));
    };
    if vm.is_instance(&exception, vm.exceptions().generator_exit()) {
        let closed = while_running(generator, || close_receiver(vm, &receiver));
        return match closed {
            Ok(()) => resume(vm, value, Input::Throw(exception)),
            Err(raised) => {
                let other = vm.take_raised(raised);
                resume(vm, value, Input::Throw(other))
            }
        };
    }
    if of(&receiver).is_some_and(|g| g.kind != Kind::AsyncGenerator) {
        return throw_through(vm, value, || throw(vm, &receiver, exception));
    }
    match vm.get_attr_opt(&receiver, "throw")? {
        None => resume(vm, value, Input::Throw(exception)),
        Some(method) => throw_through(vm, value, || match vm.call_values(&method, &[exception]) {
            Ok(value) => Ok(Outcome::Yielded(value)),
            Err(raised) => stop_value(vm, raised).map(Outcome::Returned),
        }),
    }
}

/// Raises an exception in what the generator `value` delegates to, while its own record stands below: tracebacks and
/// stacks show the whole chain.
fn throw_through(
    vm: &Interpreter,
    value: &Value,
    raise_there: impl FnOnce() -> Res<Outcome>,
) -> Res<Outcome> {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    let (st, thread) = (state(vm), thread(vm));
    push(vm, thread, value, Ret::Native, Value::NONE)?;
    match vm.nested("", raise_there) {
        Ok(Outcome::Yielded(yielded)) => {
            let handled = generator.handled.get();
            let Yielded::Native(yielded) = sleep(vm, thread, yielded) else {
                return Err(vm.bug("a record of another kind"));
            };
            generator.handled.set(handled);
            Ok(Outcome::Yielded(yielded))
        }
        Ok(Outcome::Returned(result)) => {
            take_handled(vm, value);
            go_on_behind(vm, value, result)
        }
        Err(raised) => {
            take_handled(vm, value);
            let exception = vm.take_raised(raised);
            let raised = vm.raise(exception);
            crate::unwind::unwind(vm, thread, raised)?;
            let result = run(vm, st, thread)?;
            match generator.life.get() {
                Life::Suspended => Ok(Outcome::Yielded(result)),
                _ => Ok(Outcome::Returned(result)),
            }
        }
    }
}

/// Runs `f` while the generator counts as running.
fn while_running<T>(generator: &Generator, f: impl FnOnce() -> T) -> T {
    let life = generator.life.replace(Life::Running);
    let result = f();
    generator.life.set(life);
    result
}

fn close_receiver(vm: &Interpreter, receiver: &Value) -> Res<()> {
    if of(receiver).is_some_and(|g| g.kind != Kind::AsyncGenerator) {
        return close(vm, receiver).map(drop);
    }
    match vm.get_attr_opt(receiver, "close")? {
        Some(method) => vm.call_values(&method, &[]).map(drop),
        None => Ok(()),
    }
}

/// `generator.close()`: what it returns then, usually None.
pub fn close(vm: &Interpreter, value: &Value) -> Res {
    let Some(generator) = of(value) else { return Err(vm.bug("no generator")) };
    match generator.life.get() {
        Life::Done => return Ok(Value::NONE),
        Life::Created => {
            frame_object::generator_ends(generator, true);
            generator.life.set(Life::Done);
            generator.free();
            return Ok(Value::NONE);
        }
        _ => {}
    }
    let exit = vm.call_values(vm.exceptions().generator_exit().value(), &[])?;
    match throw(vm, value, exit) {
        Ok(Outcome::Yielded(_)) => {
            Err(vm.runtime_error(format!("{} ignored GeneratorExit", generator.kind.noun())))
        }
        Ok(Outcome::Returned(value)) => Ok(value),
        Err(raised)
            if vm.raised_is(vm.exceptions().generator_exit())
                || vm.raised_is(vm.exceptions().stop_iteration()) =>
        {
            drop(vm.take_raised(raised));
            Ok(Value::NONE)
        }
        Err(raised) => Err(raised),
    }
}

/// What happens when the last reference to a generator goes: it is closed if it sleeps in a `try`.
pub fn finalize(vm: &Interpreter, value: &Value) {
    let Some(generator) = of(value) else { return };
    let saved = vm.save_raised();
    match generator.life.get() {
        Life::Created if generator.kind == Kind::Coroutine => warn_never_awaited(vm, generator, Some(value)),
        Life::Suspended if generator.kind == Kind::AsyncGenerator && generator.finalizer.is_set() => {
            if let Some(finalizer) = generator.finalizer.replace(None)
                && let Err(raised) = vm.call_values(&finalizer, std::slice::from_ref(value))
            {
                let message = "Exception ignored while calling async generator finalizer";
                unraisable(vm, raised, message, &finalizer);
            }
        }
        Life::Suspended if generator.must_close() => {
            if let Err(raised) = close(vm, value) {
                unraisable(vm, raised, "Exception ignored while closing generator", value);
            }
        }
        _ => {}
    }
    vm.restore_raised(saved);
}

/// Reports an exception that nobody can catch; if it has no traceback, that begins where Python code is now.
fn unraisable(vm: &Interpreter, raised: Raised, message: &str, object: &Value) {
    let exception = vm.take_raised(raised);
    if exception.downcast::<Exception>().is_some_and(|e| !e.traceback.is_set())
        && let Some(frame) = thread(vm).top()
    {
        crate::traceback::add(vm, frame, &exception);
    }
    vm.unraisable(vm.raise_as_is(exception), message, object);
}

/// Warns of a coroutine that nobody awaited: through the `warnings` module, which knows how to tell where the coroutine
/// was made, or without it.
fn warn_never_awaited(vm: &Interpreter, generator: &Generator, value: Option<&Value>) {
    let report = |raised: Raised| {
        let text = value.map_or(Ok(String::new()), |value| vm.repr_lossy(value));
        let text = text.unwrap_or_else(|raised| {
            drop(vm.take_raised(raised));
            String::new()
        });
        let message = format!("Exception ignored while finalizing coroutine {text}");
        unraisable(vm, raised, &message, &Value::NONE);
    };
    let hook = vm.import("warnings").and_then(|module| vm.get_attr_opt(&module, "_warn_unawaited_coroutine"));
    match (hook, value) {
        (Ok(Some(hook)), Some(value)) => match vm.call_values(&hook, std::slice::from_ref(value)) {
            Ok(_) => return,
            // The warning as an error is the answer; anything else leaves the warning to be given.
            Err(raised) if vm.raised_is(vm.exceptions().runtime_warning()) => return report(raised),
            Err(raised) => report(raised),
        },
        (Ok(_), _) => {}
        (Err(raised), _) => drop(vm.take_raised(raised)),
    }
    let name = vm.str_lossy(&generator.qualname.get().unwrap_or(Value::NONE));
    let text = format!("coroutine '{name}' was never awaited");
    if let Err(raised) = vm.warn(vm.exceptions().runtime_warning(), &text) {
        report(raised);
    }
}

/// `cr_origin`: file, line and function of as many calls as `sys.set_coroutine_origin_tracking_depth` asked for.
fn origin(vm: &Interpreter, thread: &Thread) -> Res<Option<Value>> {
    let wanted = vm.coroutine_origin_depth.get();
    if wanted == 0 {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for frame in (0..wanted).map_while(|depth| thread.nth(depth)) {
        let code = frame.code();
        let line = code.line_at(frame.offset()).map_or(Ok(Value::NONE), |line| vm.new_int(line.into()))?;
        entries.push(vm.new_tuple(vec![code.filename(), line, code.name.clone()])?);
    }
    vm.new_tuple(entries).map(Some)
}

/// Ends a generator that never began.
pub fn discard(vm: &Interpreter, generator: &Generator) {
    if generator.kind == Kind::Coroutine {
        warn_never_awaited(vm, generator, None);
    }
    frame_object::generator_ends(generator, true);
    generator.life.set(Life::Done);
    generator.free();
}

/// The frame object of a generator.
pub fn frame_of(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(generator) = of(value) else { return Ok(None) };
    match generator.life.get() {
        Life::Done => Ok(None),
        Life::Running => {
            let thread = thread(vm);
            let running = (0..thread.depth.get())
                .filter_map(|depth| thread.nth(depth))
                .find(|f| f.generator.get().is_some_and(|g| g.is(value)));
            match running {
                Some(frame) => frame_object::of_frame(vm, frame).map(Some),
                None => Ok(None),
            }
        }
        _ => match generator.object.get() {
            Some(object) => Ok(Some(object)),
            None => {
                let object = FrameObject::for_generator(vm, value)?;
                generator.object.set(Some(object.clone()));
                Ok(Some(object))
            }
        },
    }
}

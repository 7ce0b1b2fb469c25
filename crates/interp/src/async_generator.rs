//! Awaiting, and the awaitables of asynchronous generators.

use crate::generator::{self, Generator, Input, Kind, Life, Outcome};
use crate::state::state;
use pellucid_bytecode::code::flags;
use pellucid_object::heap::Visitor;
use pellucid_object::interpreter::AsyncgenHooks;
use pellucid_object::{
    Args, FunctionDef, Interpreter, NativeFn, Payload, Raised, Res, Slot, SlotWord, Type, TypeDef, TypeFlags,
    Value, payload,
};
use std::cell::Cell;

// ---- awaiting ----

/// The iterator that `await value` runs. Errors: `TypeError`.
pub fn awaitable(vm: &Interpreter, value: &Value) -> Res {
    if let Some(generator) = generator::of(value) {
        let iterable = generator.code().is_some_and(|c| c.code.flags & flags::ITERABLE_COROUTINE != 0);
        match generator.kind {
            Kind::Coroutine => {
                if generator.life.get() == Life::Suspended && generator.delegate().is_some() {
                    return Err(vm.runtime_error("coroutine is being awaited already".to_string()));
                }
                return Ok(value.clone());
            }
            Kind::Generator if iterable => return Ok(value.clone()),
            _ => {}
        }
    }
    let Some(await_) = vm.type_of_ref(value).slots.await_.get() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("'{got}' object can't be awaited")));
    };
    let iterator = await_(vm, value)?;
    if generator::of(&iterator).is_some_and(|g| g.kind == Kind::Coroutine) {
        return Err(vm.type_error("__await__() returned a coroutine".to_string()));
    }
    if vm.type_of_ref(&iterator).slots.next.get().is_none() {
        let got = vm.type_name(&iterator);
        return Err(vm.type_error(format!("__await__() returned non-iterator of type '{got}'")));
    }
    Ok(iterator)
}

/// The iterator that `async with` awaits; `method` is what gave `value`.
pub fn awaitable_of(vm: &Interpreter, value: &Value, method: &str) -> Res {
    if generator::of(value).is_none() && vm.type_of_ref(value).slots.await_.get().is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!(
            "'async with' received an object from {method} that does not implement __await__: {got}"
        )));
    }
    awaitable(vm, value)
}

/// `aiter(value)` as `async for` does it.
pub fn aiter(vm: &Interpreter, value: &Value) -> Res {
    let Some(aiter) = vm.type_of_ref(value).slots.aiter.get() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("'async for' requires an object with __aiter__ method, got {got}")));
    };
    let iterator = aiter(vm, value)?;
    if vm.type_of_ref(&iterator).slots.anext.get().is_none() {
        let got = vm.type_name(&iterator);
        return Err(vm.type_error(format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {got}"
        )));
    }
    Ok(iterator)
}

/// What `async for` awaits for the next value.
pub fn anext(vm: &Interpreter, iterator: &Value) -> Res {
    let Some(anext) = vm.type_of_ref(iterator).slots.anext.get() else {
        let got = vm.type_name(iterator);
        return Err(
            vm.type_error(format!("'async for' requires an iterator with __anext__ method, got {got}"))
        );
    };
    let next = anext(vm, iterator)?;
    match awaitable(vm, &next) {
        Err(raised) => {
            let cause = vm.take_raised(raised);
            let got = vm.type_name(&next);
            let raised =
                vm.type_error(format!("'async for' received an invalid object from __anext__: {got}"));
            let error = vm.take_raised(raised);
            if let Some(e) = error.downcast::<pellucid_object::Exception>() {
                e.cause.set(Some(cause.clone()));
                e.context.set(Some(cause));
                e.suppress_context.set(true);
            }
            Err(vm.raise_as_is(error))
        }
        other => other,
    }
}

/// What `yield from value` runs, in code with these flags.
pub fn yield_from_iter(vm: &Interpreter, code_flags: u32, value: &Value) -> Res {
    match generator::of(value).map(|g| g.kind) {
        Some(Kind::Coroutine) => {
            if code_flags & (flags::COROUTINE | flags::ITERABLE_COROUTINE) == 0 {
                let what = "cannot 'yield from' a coroutine object in a non-coroutine generator";
                return Err(vm.type_error(what.to_string()));
            }
            Ok(value.clone())
        }
        Some(Kind::Generator) => Ok(value.clone()),
        _ => vm.iter(value),
    }
}

// ---- values that an asynchronous generator yields itself, not what it awaits ----

/// Payload of `async_generator_wrapped_value`.
pub struct Wrapped(SlotWord);

impl Payload for Wrapped {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

pub static WRAPPED: TypeDef = TypeDef {
    name: "async_generator_wrapped_value",
    module: "builtins",
    base: None,
    payload: payload::<Wrapped>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[],
    getset: &[],
};

/// Marks a value as yielded.
pub fn wrap(vm: &Interpreter, value: Value) -> Res {
    vm.alloc(&state(vm).async_wrapped, Wrapped(SlotWord::new(Some(value))))
}

// ---- asend, athrow, aclose ----

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Iterating,
    Closed,
}

/// Payload of the awaitables `async_generator_asend` and `async_generator_athrow`.
pub struct Awaitable {
    generator: SlotWord,
    /// What is sent, or a tuple of the arguments of `throw`; nothing for `aclose()`.
    argument: SlotWord,
    stage: Cell<Stage>,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Send,
    Throw,
    Close,
}

impl Payload for Awaitable {
    fn trace(&self, visit: &mut Visitor) {
        self.generator.trace(visit);
        self.argument.trace(visit);
    }
    fn clear(&self) {
        self.generator.set(None);
        self.argument.set(None);
    }
}

fn new_awaitable(vm: &Interpreter, generator: &Value, argument: Option<Value>, what: What) -> Res {
    call_hooks(vm, generator)?;
    let st = state(vm);
    let ty = if what == What::Send { &st.async_send } else { &st.async_throw };
    let payload = Awaitable {
        generator: SlotWord::new(Some(generator.clone())),
        argument: SlotWord::new(argument),
        stage: Cell::new(Stage::Fresh),
        what,
    };
    vm.alloc(ty, payload)
}

/// The first use of an asynchronous generator is told to the event loop.
fn call_hooks(vm: &Interpreter, value: &Value) -> Res<()> {
    let Some(generator) = generator::of(value) else { return Ok(()) };
    if generator.hooked.replace(true) {
        return Ok(());
    }
    let hooks = vm.thread_state::<AsyncgenHooks>();
    generator.finalizer.set(hooks.finalizer.get());
    match hooks.firstiter.get() {
        Some(first) => vm.call_values(&first, std::slice::from_ref(value)).map(drop),
        None => Ok(()),
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<(&'a Awaitable, Value)> {
    let awaitable = value.downcast::<Awaitable>();
    match awaitable.and_then(|a| Some((a, a.generator.get()?))) {
        Some(found) => Ok(found),
        None => Err(vm.type_error("an awaitable of an async generator was expected".to_string())),
    }
}

impl Awaitable {
    /// How messages call it.
    fn name(&self) -> &'static str {
        match self.what {
            What::Send => "asend()",
            What::Throw => "athrow()",
            What::Close => "aclose()",
        }
    }

    fn reused(&self, vm: &Interpreter) -> Raised {
        let name = if self.what == What::Send { "__anext__()/asend()" } else { "aclose()/athrow()" };
        vm.runtime_error(format!("cannot reuse already awaited {name}"))
    }

    fn begin(&self, vm: &Interpreter, generator: &Generator) -> Res<()> {
        if generator.awaiting.get() {
            self.stage.set(Stage::Closed);
            let name = if self.what == What::Send { "anext()" } else { self.name() };
            return Err(vm.runtime_error(format!("{name}: asynchronous generator is already running")));
        }
        generator.awaiting.set(true);
        self.stage.set(Stage::Iterating);
        Ok(())
    }

    fn end(&self, generator: &Generator) {
        generator.awaiting.set(false);
        self.stage.set(Stage::Closed);
    }
}

/// `send(value)` into the awaitable; `Ok` is what the event loop gets.
fn send(vm: &Interpreter, value: &Value, sent: &Value) -> Res {
    let (awaitable, target) = this(vm, value)?;
    let Some(generator) = generator::of(&target) else { return Err(vm.bug("no async generator")) };
    match awaitable.stage.get() {
        Stage::Closed => return Err(awaitable.reused(vm)),
        Stage::Iterating => {
            return outcome(
                vm,
                awaitable,
                generator,
                generator::resume(vm, &target, Input::Send(sent.clone())),
            );
        }
        Stage::Fresh => {}
    }
    if awaitable.what != What::Send && generator.life.get() == Life::Done {
        awaitable.stage.set(Stage::Closed);
        return Err(match awaitable.what {
            What::Close => vm.stop_iteration(None),
            _ => vm.raise_with(&vm.exceptions().stop_async_iteration().clone(), Vec::new()),
        });
    }
    awaitable.begin(vm, generator)?;
    let result = match awaitable.what {
        What::Send => {
            let first =
                if sent.is_none() { awaitable.argument.get().unwrap_or(Value::NONE) } else { sent.clone() };
            generator::resume(vm, &target, Input::Send(first))
        }
        What::Throw => {
            let given = awaitable.argument.get().unwrap_or(Value::NONE);
            let given = given.downcast::<pellucid_object::Tuple>().map(|t| t.items()).unwrap_or_default();
            let given = [given.first(), given.get(1), given.get(2)];
            match thrown_by(vm, given[0].unwrap_or(Value::none_ref()), given[1], given[2]) {
                Ok(exception) => generator::throw(vm, &target, exception),
                Err(raised) => Err(raised),
            }
        }
        What::Close => match vm.call_values(vm.exceptions().generator_exit().value(), &[]) {
            Ok(exit) if generator.life.get() != Life::Created => generator::throw(vm, &target, exit),
            Ok(_) => {
                awaitable.end(generator);
                generator::close(vm, &target)?;
                return Err(vm.stop_iteration(None));
            }
            Err(raised) => Err(raised),
        },
    };
    outcome(vm, awaitable, generator, result)
}

/// What an event loop, or `await`, gets of what the generator did.
fn outcome(vm: &Interpreter, awaitable: &Awaitable, generator: &Generator, result: Res<Outcome>) -> Res {
    match result {
        Ok(Outcome::Yielded(value)) => match value.downcast::<Wrapped>() {
            None => Ok(value),
            Some(wrapped) => {
                awaitable.end(generator);
                if awaitable.what == What::Close {
                    return Err(vm.runtime_error("async generator ignored GeneratorExit".to_string()));
                }
                Err(vm.stop_iteration(wrapped.0.get()))
            }
        },
        Ok(Outcome::Returned(_)) => {
            awaitable.end(generator);
            Err(match awaitable.what {
                What::Close => vm.stop_iteration(None),
                _ => vm.raise_with(&vm.exceptions().stop_async_iteration().clone(), Vec::new()),
            })
        }
        Err(raised) => {
            awaitable.end(generator);
            let ended = vm.raised_is(vm.exceptions().stop_async_iteration())
                || vm.raised_is(vm.exceptions().generator_exit());
            if awaitable.what == What::Close && ended {
                drop(vm.take_raised(raised));
                return Err(vm.stop_iteration(None));
            }
            Err(raised)
        }
    }
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    send(vm, value, &Value::NONE).map(Some)
}

fn throw(vm: &Interpreter, args: &Args) -> Res {
    let value = args.req(0);
    warn_old_signature(vm, args, "throw")?;
    let (awaitable, target) = this(vm, value)?;
    let Some(generator) = generator::of(&target) else { return Err(vm.bug("no async generator")) };
    match awaitable.stage.get() {
        Stage::Closed => return Err(awaitable.reused(vm)),
        Stage::Fresh => awaitable.begin(vm, generator)?,
        Stage::Iterating => {}
    }
    let result = thrown(vm, args).and_then(|exception| generator::throw(vm, &target, exception));
    outcome(vm, awaitable, generator, result)
}

fn close(vm: &Interpreter, value: &Value) -> Res {
    let (awaitable, _) = this(vm, value)?;
    if awaitable.stage.get() == Stage::Closed {
        return Ok(Value::NONE);
    }
    let exit = vm.call_values(vm.exceptions().generator_exit().value(), &[])?;
    let throw = vm.get_attr_str(value, "throw")?;
    match vm.call_values(&throw, &[exit]) {
        Ok(_) => Err(vm.runtime_error("coroutine ignored GeneratorExit".to_string())),
        Err(raised)
            if vm.raised_is(vm.exceptions().generator_exit())
                || vm.raised_is(vm.exceptions().stop_iteration())
                || vm.raised_is(vm.exceptions().stop_async_iteration()) =>
        {
            drop(vm.take_raised(raised));
            Ok(Value::NONE)
        }
        Err(raised) => Err(raised),
    }
}

/// Warns of a call of `throw` with more than the exception.
pub fn warn_old_signature(vm: &Interpreter, args: &Args, method: &str) -> Res<()> {
    if args.get(2).is_none() && args.get(3).is_none() {
        return Ok(());
    }
    let text = format!(
        "the (type, exc, tb) signature of {method}() is deprecated, use the single-arg signature instead."
    );
    vm.warn(vm.exceptions().deprecation_warning(), &text)
}

/// The exception that `throw(type_or_value, value, traceback)` means. Errors: `TypeError`.
pub fn thrown(vm: &Interpreter, args: &Args) -> Res {
    thrown_by(vm, args.req(1), args.get(2), args.get(3))
}

/// The exception of a class that `throw(class, value)` means.
fn instance_of(vm: &Interpreter, class: &Value, value: Option<&Value>) -> Res {
    let made = match value {
        None => vm.call_values(class, &[])?,
        Some(value) if class.downcast_ref::<Type>().is_some_and(|ty| vm.is_instance(value, &ty)) => {
            return Ok(value.clone());
        }
        Some(value) => match value.downcast::<pellucid_object::Tuple>() {
            Some(tuple) => vm.call_values(class, &tuple.items())?,
            None => vm.call_values(class, std::slice::from_ref(value))?,
        },
    };
    if made.downcast::<pellucid_object::Exception>().is_none() {
        let (class, got) = (vm.repr_lossy(class)?, vm.type_name(&made));
        return Err(vm.type_error(format!(
            "calling {class} should have returned an instance of BaseException, not {got}"
        )));
    }
    Ok(made)
}

fn thrown_by(vm: &Interpreter, what: &Value, value: Option<&Value>, traceback: Option<&Value>) -> Res {
    let value = value.filter(|v| !v.is_none());
    let exception = if what.downcast::<Type>().is_some() && crate::unwind::is_exception_class(vm, what) {
        // What goes wrong in making the exception is thrown instead.
        instance_of(vm, what, value).unwrap_or_else(|raised| vm.take_raised(raised))
    } else if what.downcast::<pellucid_object::Exception>().is_some() {
        if value.is_some() {
            return Err(vm.type_error("instance exception may not have a separate value".to_string()));
        }
        what.clone()
    } else {
        let got = vm.type_name(what);
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {got}"
        )));
    };
    if let Some(traceback) = traceback.filter(|t| !t.is_none()) {
        if traceback.downcast::<crate::traceback::Traceback>().is_none() {
            return Err(vm.type_error("throw() third argument must be a traceback object".to_string()));
        }
        if let Some(e) = exception.downcast::<pellucid_object::Exception>() {
            e.traceback.set(Some(traceback.clone()));
        }
    }
    Ok(exception)
}

const AWAITABLE_METHODS: &[FunctionDef] = &[
    FunctionDef::new("send", "($self, value, /)", "", NativeFn::F2(send)),
    FunctionDef::new("throw", "($self, typ, val=None, tb=None, /)", "", NativeFn::Args(throw)),
    FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
];
const AWAITABLE_SLOTS: &[Slot] = &[
    Slot::Iter(|_, v| Ok(v.clone())),
    Slot::Next(next),
    Slot::Await(|_, v| Ok(v.clone())),
    Slot::Finalize(finalize),
];
const AWAITABLE_FLAGS: TypeFlags = TypeFlags::NO_NEW.or(TypeFlags::HAS_FINALIZER);

/// Warns of a call whose result nobody awaited.
fn finalize(vm: &Interpreter, value: &Value) {
    let Some(awaitable) = value.downcast::<Awaitable>().filter(|a| a.stage.get() == Stage::Fresh) else {
        return;
    };
    let Some(target) = awaitable.generator.get() else { return };
    let saved = vm.save_raised();
    let method = match awaitable.what {
        What::Send => "asend",
        What::Throw => "athrow",
        What::Close => "aclose",
    };
    let name = generator::of(&target).and_then(|g| g.qualname.get()).unwrap_or(Value::NONE);
    let name = vm.str_lossy(&name);
    let text = format!("coroutine method '{method}' of '{name}' was never awaited");
    if let Err(raised) = vm.warn(vm.exceptions().runtime_warning(), &text) {
        vm.unraisable(raised, "", value);
    }
    vm.restore_raised(saved);
}

pub static ASYNC_SEND: TypeDef = TypeDef {
    name: "async_generator_asend",
    module: "builtins",
    base: None,
    payload: payload::<Awaitable>(),
    flags: AWAITABLE_FLAGS,
    doc: "",
    slots: AWAITABLE_SLOTS,
    methods: AWAITABLE_METHODS,
    getset: &[],
};

pub static ASYNC_THROW: TypeDef = TypeDef {
    name: "async_generator_athrow",
    module: "builtins",
    base: None,
    payload: payload::<Awaitable>(),
    flags: AWAITABLE_FLAGS,
    doc: "",
    slots: AWAITABLE_SLOTS,
    methods: AWAITABLE_METHODS,
    getset: &[],
};

/// `async_generator.__anext__()` and `asend(value)`.
pub fn asend(vm: &Interpreter, generator: &Value, value: Value) -> Res {
    new_awaitable(vm, generator, Some(value), What::Send)
}

/// `async_generator.athrow(...)`.
pub fn athrow(vm: &Interpreter, args: &Args) -> Res {
    warn_old_signature(vm, args, "athrow")?;
    let given = (1..=3).map_while(|at| args.get(at).cloned()).collect();
    new_awaitable(vm, args.req(0), Some(vm.new_tuple(given)?), What::Throw)
}

/// `async_generator.aclose()`.
pub fn aclose(vm: &Interpreter, generator: &Value) -> Res {
    new_awaitable(vm, generator, None, What::Close)
}

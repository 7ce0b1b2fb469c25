//! What Python sees of generators, coroutines and asynchronous generators.

use crate::async_generator::{self, aclose, asend, athrow, thrown, warn_old_signature};
use crate::generator::{self, Generator, Input, Kind, Life, Outcome};
use crate::state::state;
use pellucid_object::heap::Visitor;
use pellucid_object::{
    Args, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Str, TypeDef,
    TypeFlags, Value, payload,
};

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Generator> {
    generator::of(value).ok_or_else(|| vm.type_error("a generator was expected".to_string()))
}

/// What a caller of `send` and `throw` gets: a value, or `StopIteration`.
fn unwrap(vm: &Interpreter, outcome: Outcome) -> Res {
    match outcome {
        Outcome::Yielded(value) => Ok(value),
        Outcome::Returned(value) if value.is_none() => Err(vm.stop_iteration(None)),
        Outcome::Returned(value) => Err(vm.stop_iteration(Some(value))),
    }
}

fn next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    match generator::resume(vm, value, Input::Send(Value::NONE))? {
        Outcome::Yielded(value) => Ok(Some(value)),
        Outcome::Returned(value) if value.is_none() => Ok(None),
        Outcome::Returned(value) => Err(vm.stop_iteration(Some(value))),
    }
}

fn send(vm: &Interpreter, value: &Value, sent: &Value) -> Res {
    this(vm, value)?;
    unwrap(vm, generator::resume(vm, value, Input::Send(sent.clone()))?)
}

fn throw(vm: &Interpreter, args: &Args) -> Res {
    this(vm, args.req(0))?;
    warn_old_signature(vm, args, "throw")?;
    let exception = thrown(vm, args)?;
    unwrap(vm, generator::throw(vm, args.req(0), exception)?)
}

fn close(vm: &Interpreter, value: &Value) -> Res {
    this(vm, value)?;
    generator::close(vm, value)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let generator = this(vm, value)?;
    let noun = if generator.kind == Kind::AsyncGenerator { "async_generator" } else { generator.kind.noun() };
    let name = vm.str_lossy(&generator.qualname.get().unwrap_or(Value::NONE));
    vm.new_str(&format!("<{noun} object {name} at {:#x}>", value.bits()))
}

fn set_name(vm: &Interpreter, value: Option<&Value>, what: &str, place: &SlotWord) -> Res<()> {
    match value {
        Some(value) if value.downcast::<Str>().is_some() => {
            place.set(Some(value.clone()));
            Ok(())
        }
        _ => Err(vm.type_error(format!("{what} must be set to a string object"))),
    }
}

const NAME: GetSetDef = GetSetDef {
    name: "__name__",
    doc: "Name of the generator.",
    get: |vm, g| Ok(this(vm, g)?.name.get().unwrap_or(Value::NONE)),
    set: Some(|vm, g, v| set_name(vm, v, "__name__", &this(vm, g)?.name)),
};
const QUALNAME: GetSetDef = GetSetDef {
    name: "__qualname__",
    doc: "Qualified name of the generator.",
    get: |vm, g| Ok(this(vm, g)?.qualname.get().unwrap_or(Value::NONE)),
    set: Some(|vm, g, v| set_name(vm, v, "__qualname__", &this(vm, g)?.qualname)),
};

const COROUTINE_NAME: GetSetDef = GetSetDef { doc: "Name of the coroutine.", ..NAME };
const COROUTINE_QUALNAME: GetSetDef = GetSetDef { doc: "Qualified name of the coroutine.", ..QUALNAME };

fn running(vm: &Interpreter, value: &Value) -> Res {
    Ok(Value::bool(this(vm, value)?.life.get() == Life::Running))
}
fn suspended(vm: &Interpreter, value: &Value) -> Res {
    Ok(Value::bool(this(vm, value)?.life.get() == Life::Suspended))
}
fn frame(vm: &Interpreter, value: &Value) -> Res {
    Ok(generator::frame_of(vm, value)?.unwrap_or(Value::NONE))
}
fn code(vm: &Interpreter, value: &Value) -> Res {
    Ok(this(vm, value)?.code.clone())
}
fn delegate(vm: &Interpreter, value: &Value) -> Res {
    Ok(this(vm, value)?.delegate().unwrap_or(Value::NONE))
}

const fn readonly(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: None }
}

const SEND: FunctionDef = FunctionDef::new(
    "send",
    "($self, value, /)",
    "Resumes by sending a value into generator: the waiting yield gives it. The next value, or StopIteration.",
    NativeFn::F2(send),
);
const THROW: FunctionDef = FunctionDef::new(
    "throw",
    "($self, typ, val=None, tb=None, /)",
    "Raises an exception in generator, where it waits. The next value, or StopIteration.",
    NativeFn::Args(throw),
);
const CLOSE: FunctionDef = FunctionDef::new(
    "close",
    "($self, /)",
    "Raises GeneratorExit inside generator, where it waits.",
    NativeFn::F1(close),
);
const COROUTINE_SEND: FunctionDef = FunctionDef::new(
    "send",
    "($self, value, /)",
    "Resumes by sending a value into coroutine. What it waits for next, or StopIteration.",
    NativeFn::F2(send),
);
const COROUTINE_THROW: FunctionDef = FunctionDef::new(
    "throw",
    "($self, typ, val=None, tb=None, /)",
    "Raises an exception in coroutine, where it waits. What it waits for next, or StopIteration.",
    NativeFn::Args(throw),
);
const COROUTINE_CLOSE: FunctionDef = FunctionDef::new(
    "close",
    "($self, /)",
    "Raises GeneratorExit inside coroutine, where it waits.",
    NativeFn::F1(close),
);
const GENERIC: FunctionDef = FunctionDef::class(
    "__class_getitem__",
    "($cls, item, /)",
    "See PEP 585",
    NativeFn::F2(pellucid_types::generic_alias::class_getitem),
);

const FLAGS: TypeFlags = TypeFlags::NO_NEW.or(TypeFlags::WEAKREF).or(TypeFlags::HAS_FINALIZER);

pub static GENERATOR: TypeDef = TypeDef {
    name: "generator",
    module: "builtins",
    base: None,
    payload: payload::<Generator>(),
    flags: FLAGS,
    doc: "",
    slots: &[
        Slot::Iter(|_, v| Ok(v.clone())),
        Slot::Next(next),
        Slot::Repr(repr),
        Slot::Finalize(generator::finalize),
    ],
    methods: &[SEND, THROW, CLOSE, GENERIC],
    getset: &[
        NAME,
        QUALNAME,
        readonly("gi_running", running),
        readonly("gi_suspended", suspended),
        readonly("gi_frame", frame),
        readonly("gi_code", code),
        readonly("gi_yieldfrom", delegate),
    ],
};

pub static COROUTINE: TypeDef = TypeDef {
    name: "coroutine",
    module: "builtins",
    base: None,
    payload: payload::<Generator>(),
    flags: FLAGS,
    doc: "",
    slots: &[Slot::Await(new_wrapper), Slot::Repr(repr), Slot::Finalize(generator::finalize)],
    methods: &[COROUTINE_SEND, COROUTINE_THROW, COROUTINE_CLOSE, GENERIC],
    getset: &[
        COROUTINE_NAME,
        COROUTINE_QUALNAME,
        readonly("cr_running", running),
        readonly("cr_suspended", suspended),
        readonly("cr_frame", frame),
        readonly("cr_code", code),
        readonly("cr_await", delegate),
        readonly("cr_origin", |vm, g| Ok(this(vm, g)?.origin.get().unwrap_or(Value::NONE))),
    ],
};

/// Payload of `coroutine_wrapper`: the iterator over a coroutine.
pub struct Wrapper(SlotWord);

impl Payload for Wrapper {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

fn new_wrapper(vm: &Interpreter, coroutine: &Value) -> Res {
    vm.alloc(&state(vm).coroutine_wrapper, Wrapper(SlotWord::new(Some(coroutine.clone()))))
}

fn inner(vm: &Interpreter, value: &Value) -> Res {
    let coroutine = value.downcast::<Wrapper>().and_then(|w| w.0.get());
    coroutine.ok_or_else(|| vm.type_error("a coroutine_wrapper was expected".to_string()))
}

pub static COROUTINE_WRAPPER: TypeDef = TypeDef {
    name: "coroutine_wrapper",
    module: "builtins",
    base: None,
    payload: payload::<Wrapper>(),
    flags: TypeFlags::NO_NEW,
    doc: "A wrapper object implementing __await__ for coroutines.",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(|vm, v| next(vm, &inner(vm, v)?))],
    methods: &[
        FunctionDef::new(
            "send",
            "($self, value, /)",
            "",
            NativeFn::F2(|vm, w, v| send(vm, &inner(vm, w)?, v)),
        ),
        FunctionDef::new(
            "throw",
            "($self, typ, val=None, tb=None, /)",
            "",
            NativeFn::Args(|vm, args| {
                warn_old_signature(vm, args, "throw")?;
                let exception = thrown(vm, args)?;
                unwrap(vm, generator::throw(vm, &inner(vm, args.req(0))?, exception)?)
            }),
        ),
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(|vm, w| close(vm, &inner(vm, w)?))),
    ],
    getset: &[],
};

pub static ASYNC_GENERATOR: TypeDef = TypeDef {
    name: "async_generator",
    module: "builtins",
    base: None,
    payload: payload::<Generator>(),
    flags: FLAGS,
    doc: "",
    slots: &[
        Slot::AIter(|_, v| Ok(v.clone())),
        Slot::ANext(|vm, v| asend(vm, v, Value::NONE)),
        Slot::Repr(repr),
        Slot::Finalize(generator::finalize),
    ],
    methods: &[
        FunctionDef::new(
            "asend",
            "($self, value, /)",
            "An awaitable that sends a value into the generator.",
            NativeFn::F2(|vm, g, v| asend(vm, g, v.clone())),
        ),
        FunctionDef::new(
            "athrow",
            "($self, typ, val=None, tb=None, /)",
            "An awaitable that raises an exception where the generator waits.",
            NativeFn::Args(athrow),
        ),
        FunctionDef::new(
            "aclose",
            "($self, /)",
            "An awaitable that ends the generator.",
            NativeFn::F1(aclose),
        ),
        GENERIC,
    ],
    getset: &[
        NAME,
        QUALNAME,
        readonly("ag_running", |vm, g| Ok(Value::bool(this(vm, g)?.awaiting.get()))),
        readonly("ag_suspended", suspended),
        readonly("ag_frame", frame),
        readonly("ag_code", code),
        readonly("ag_await", delegate),
    ],
};

/// The types of this file and of `async_generator`, for `install`.
pub static ASYNC_TYPES: [&TypeDef; 3] =
    [&async_generator::ASYNC_SEND, &async_generator::ASYNC_THROW, &async_generator::WRAPPED];

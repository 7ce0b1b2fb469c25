//! `_contextvars`: context variables, contexts and tokens.
//!
//! A context is an immutable map behind a shared pointer: copying a context shares the map, setting a variable copies
//! the map first when somebody else has it. Each thread has its own stack of entered contexts.

use crate::support::{CLASS_GETITEM, bind, no_keywords, positional, this, word};
use pellucid_object::{
    CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    SlotWord, Str, TypeDef, TypeFlags, Value, Visitor, interpreter::Plain, payload,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::thread::ThreadId;

/// Values by the word of their variable; the variable itself stands beside the value, to be shown and kept alive.
type Map = BTreeMap<u64, (Value, Value)>;

/// Payload of `Context`.
#[derive(Default)]
pub struct Context {
    map: RefCell<Rc<Map>>,
    previous: SlotWord,
    entered: Cell<bool>,
}

impl Payload for Context {
    fn trace(&self, visit: &mut Visitor) {
        let map = self.map.borrow();
        // A shared map would be shown more than once: what it owns then counts as held from outside.
        if Rc::strong_count(&map) == 1 {
            for (variable, value) in map.values() {
                visit(variable);
                visit(value);
            }
        }
        self.previous.trace(visit);
    }
    fn clear(&self) {
        let old = self.map.take();
        drop(old);
        self.previous.set(None);
    }
}

impl Context {
    fn get(&self, variable: &Value) -> Option<Value> {
        self.map.borrow().get(&variable.bits()).map(|(_, value)| value.clone())
    }
    /// Sets or removes a variable; the old value dies with the result, outside the borrow.
    fn put(&self, variable: &Value, value: Option<Value>) -> Option<(Value, Value)> {
        let mut map = self.map.borrow_mut();
        let map = Rc::make_mut(&mut map);
        match value {
            Some(value) => map.insert(variable.bits(), (variable.clone(), value)),
            None => map.remove(&variable.bits()),
        }
    }
    fn pairs(&self) -> Vec<(Value, Value)> {
        self.map.borrow().values().cloned().collect()
    }
}

/// The current context of each thread.
#[derive(Default)]
struct Current(RefCell<HashMap<ThreadId, Value>>);

fn thread() -> ThreadId {
    std::thread::current().id()
}

/// The context of the running thread, made when it has none.
fn current(vm: &Interpreter) -> Res {
    let state = vm.state::<Current>();
    if let Some(context) = state.0.borrow().get(&thread()) {
        return Ok(context.clone());
    }
    let context = vm.alloc(&vm.type_for(&CONTEXT)?, Context::default())?;
    state.0.borrow_mut().insert(thread(), context.clone());
    Ok(context)
}

fn set_current(vm: &Interpreter, context: Option<Value>) {
    let state = vm.state::<Current>();
    let old = match context {
        Some(context) => state.0.borrow_mut().insert(thread(), context),
        None => state.0.borrow_mut().remove(&thread()),
    };
    drop(old);
}

/// `copy_context()`: a context with the variables of the current one.
pub fn copy_context(vm: &Interpreter) -> Res {
    copy(vm, &current(vm)?)
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let map = this::<Context>(vm, value)?.map.borrow().clone();
    vm.alloc(&vm.type_for(&CONTEXT)?, Context { map: RefCell::new(map), ..Context::default() })
}

/// Enters a context. Errors: `RuntimeError` when it is entered already.
fn enter(vm: &Interpreter, value: &Value) -> Res<()> {
    let context = this::<Context>(vm, value)?;
    if context.entered.get() {
        let text = vm.repr_lossy(value)?;
        return Err(vm.runtime_error(format!("cannot enter context: {text} is already entered")));
    }
    let previous = vm.state::<Current>().0.borrow().get(&thread()).cloned();
    context.previous.set(previous);
    context.entered.set(true);
    set_current(vm, Some(value.clone()));
    Ok(())
}

fn leave(vm: &Interpreter, context: &Context) {
    context.entered.set(false);
    set_current(vm, context.previous.replace(None));
}

fn run(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, callee, ..] = call.positional() else {
        return Err(vm.type_error("run() missing 1 required positional argument".to_string()));
    };
    enter(vm, value)?;
    let result = vm.call(callee, &CallArgs { values: &call.values[2..], names: call.names });
    leave(vm, this::<Context>(vm, value)?);
    result
}

fn check_variable(vm: &Interpreter, key: &Value) -> Res<()> {
    if key.downcast::<Variable>().is_some() {
        return Ok(());
    }
    Err(vm.type_error(format!("a ContextVar key was expected, got {}", vm.repr_lossy(key)?)))
}

fn look_up(vm: &Interpreter, value: &Value, key: &Value) -> Res<Option<Value>> {
    check_variable(vm, key)?;
    Ok(this::<Context>(vm, value)?.get(key))
}

fn context_get(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, rest @ ..] = call.positional() else {
        return Err(vm.type_error("unbound method Context.get() needs an argument".to_string()));
    };
    let args = positional(vm, "get", &CallArgs { values: rest, names: call.names }, 1, 2)?;
    let found = look_up(vm, value, &args[0])?;
    Ok(found.or_else(|| args.get(1).cloned()).unwrap_or(Value::NONE))
}

fn context_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Context>(), b.downcast::<Context>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if op != CmpOp::Eq && op != CmpOp::Ne {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (left, right) = (x.pairs(), y.map.borrow().clone());
    let mut equal = left.len() == right.len();
    for (variable, value) in left {
        if !equal {
            break;
        }
        equal = match right.get(&variable.bits()) {
            Some((_, other)) => vm.keys_equal(&value, other)?,
            None => false,
        };
    }
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

/// A fixed list of what the context holds, to iterate over.
fn listed(vm: &Interpreter, value: &Value, pick: fn(&Interpreter, Value, Value) -> Res) -> Res {
    let pairs = this::<Context>(vm, value)?.pairs();
    let items: Res<Vec<Value>> = pairs.into_iter().map(|(k, v)| pick(vm, k, v)).collect();
    vm.iter(&vm.new_tuple(items?)?)
}

pub static CONTEXT: TypeDef = TypeDef {
    name: "Context",
    module: "_contextvars",
    base: None,
    payload: payload::<Context>(),
    flags: TypeFlags::WEAKREF,
    doc: "The values of context variables.",
    slots: &[
        Slot::New(|vm, cls, call| {
            if !call.values.is_empty() {
                return Err(vm.type_error("Context() does not accept any arguments".to_string()));
            }
            vm.alloc_subclass(cls, Context::default())
        }),
        Slot::Compare(context_compare),
        Slot::Len(|vm, v| Ok(this::<Context>(vm, v)?.map.borrow().len())),
        Slot::GetItem(|vm, v, key| look_up(vm, v, key)?.ok_or_else(|| vm.key_error(key.clone()))),
        Slot::Contains(|vm, v, key| Ok(look_up(vm, v, key)?.is_some())),
        Slot::Iter(|vm, v| listed(vm, v, |_, k, _| Ok(k))),
    ],
    methods: &[
        FunctionDef::new(
            "run",
            "($self, callable, /, *args, **kwargs)",
            "Calls a callable with this as the current context.",
            NativeFn::Raw(run),
        ),
        FunctionDef::new("copy", "($self, /)", "A context with the same variables.", NativeFn::F1(copy)),
        FunctionDef::new(
            "get",
            "($self, key, default=None, /)",
            "The value of a variable, or the default.",
            NativeFn::Raw(context_get),
        ),
        FunctionDef::new(
            "items",
            "($self, /)",
            "The variables with their values.",
            NativeFn::F1(|vm, v| listed(vm, v, |vm, k, v| vm.new_tuple(vec![k, v]))),
        ),
        FunctionDef::new(
            "keys",
            "($self, /)",
            "The variables.",
            NativeFn::F1(|vm, v| listed(vm, v, |_, k, _| Ok(k))),
        ),
        FunctionDef::new(
            "values",
            "($self, /)",
            "The values.",
            NativeFn::F1(|vm, v| listed(vm, v, |_, _, v| Ok(v))),
        ),
    ],
    getset: &[],
};

// ---- variables ----

/// Payload of `ContextVar`.
pub struct Variable {
    name: SlotWord,
    default: SlotWord,
}
crate::slot_payload!(Variable: name, default);

fn new_variable(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "ContextVar", "(name, *, default=<unrepresentable>)", call)?;
    if args.req(0).downcast::<Str>().is_none() {
        return Err(vm.type_error("context variable name must be a str".to_string()));
    }
    let default = SlotWord::new(args.get(1).cloned());
    vm.alloc_subclass(cls, Variable { name: word(args.req(0)), default })
}

fn variable_get(vm: &Interpreter, call: &CallArgs) -> Res {
    let [value, rest @ ..] = call.positional() else {
        return Err(vm.type_error("unbound method ContextVar.get() needs an argument".to_string()));
    };
    let args = positional(vm, "get", &CallArgs { values: rest, names: call.names }, 0, 1)?;
    let variable = this::<Variable>(vm, value)?;
    let state = vm.state::<Current>();
    let context = state.0.borrow().get(&thread()).cloned();
    if let Some(found) = context.and_then(|c| c.downcast::<Context>()?.get(value)) {
        return Ok(found);
    }
    match args.first().cloned().or_else(|| variable.default.get()) {
        Some(default) => Ok(default),
        None => {
            let ty = vm.exceptions().lookup_error().clone();
            Err(vm.raise_with(&ty, vec![value.clone()]))
        }
    }
}

fn variable_set(vm: &Interpreter, value: &Value, new: &Value) -> Res {
    this::<Variable>(vm, value)?;
    let context = current(vm)?;
    let old = this::<Context>(vm, &context)?.put(value, Some(new.clone())).map(|(_, old)| old);
    let token = Token {
        context: word(&context),
        variable: word(value),
        old: SlotWord::new(old),
        used: Cell::new(false),
    };
    vm.alloc(&vm.type_for(&TOKEN)?, token)
}

fn variable_reset(vm: &Interpreter, value: &Value, given: &Value) -> Res {
    let Some(token) = given.downcast::<Token>() else {
        return Err(vm.type_error(format!("expected an instance of Token, got {}", vm.repr_lossy(given)?)));
    };
    if token.used.get() {
        return Err(vm.runtime_error(format!("{} has already been used once", vm.repr_lossy(given)?)));
    }
    let wrong = |why: &str| -> Raised {
        match vm.repr_lossy(given) {
            Ok(text) => vm.value_error(format!("{text} was created {why}")),
            Err(raised) => raised,
        }
    };
    if !token.variable.get().is_some_and(|v| v.is(value)) {
        return Err(wrong("by a different ContextVar"));
    }
    let context = current(vm)?;
    if !token.context.get().is_some_and(|c| c.is(&context)) {
        return Err(wrong("in a different Context"));
    }
    token.used.set(true);
    let old = this::<Context>(vm, &context)?.put(value, token.old.get());
    drop(old);
    Ok(Value::NONE)
}

fn variable_repr(vm: &Interpreter, value: &Value) -> Res {
    let variable = this::<Variable>(vm, value)?;
    let name = vm.repr_lossy(&variable.name.get().unwrap_or(Value::NONE))?;
    let default = match variable.default.get() {
        Some(default) => format!(" default={}", vm.repr_lossy(&default)?),
        None => String::new(),
    };
    vm.new_str(&format!("<ContextVar name={name}{default} at {:#x}>", value.bits()))
}

pub static CONTEXT_VAR: TypeDef = TypeDef {
    name: "ContextVar",
    module: "_contextvars",
    base: None,
    payload: payload::<Variable>(),
    flags: TypeFlags::NONE,
    doc: "A variable with a value in each context.",
    slots: &[Slot::New(new_variable), Slot::Repr(variable_repr)],
    methods: &[
        FunctionDef::new(
            "get",
            "($self, default=<unrepresentable>, /)",
            "The value in the current context, or a default; LookupError when there is none.",
            NativeFn::Raw(variable_get),
        ),
        FunctionDef::new(
            "set",
            "($self, value, /)",
            "Sets the value in the current context; a token that takes it back.",
            NativeFn::F2(variable_set),
        ),
        FunctionDef::new(
            "reset",
            "($self, token, /)",
            "Takes back what the call of set() did that gave this token.",
            NativeFn::F2(variable_reset),
        ),
        CLASS_GETITEM,
    ],
    getset: &[GetSetDef {
        name: "name",
        doc: "",
        get: |vm, v| Ok(this::<Variable>(vm, v)?.name.get().unwrap_or(Value::NONE)),
        set: Some(|vm, _, _| Err(vm.attribute_error_text("readonly attribute".to_string()))),
    }],
};

// ---- tokens ----

/// Payload of `Token`.
pub struct Token {
    context: SlotWord,
    variable: SlotWord,
    old: SlotWord,
    used: Cell<bool>,
}
crate::slot_payload!(Token: context, variable, old);

#[derive(Default)]
struct Missing(RefCell<Option<Value>>);

fn missing(vm: &Interpreter) -> Res {
    let state = vm.state::<Missing>();
    if let Some(known) = state.0.borrow().as_ref() {
        return Ok(known.clone());
    }
    let made = vm.alloc(&vm.type_for(&MISSING)?, Plain)?;
    *state.0.borrow_mut() = Some(made.clone());
    Ok(made)
}

fn token_variable(vm: &Interpreter, value: &Value) -> Res {
    Ok(this::<Token>(vm, value)?.variable.get().unwrap_or(Value::NONE))
}

fn token_repr(vm: &Interpreter, value: &Value) -> Res {
    let used = if this::<Token>(vm, value)?.used.get() { " used" } else { "" };
    let variable = vm.repr_lossy(&token_variable(vm, value)?)?;
    vm.new_str(&format!("<Token{used} var={variable} at {:#x}>", value.bits()))
}

fn token_exit(vm: &Interpreter, call: &CallArgs) -> Res {
    no_keywords(vm, "__exit__", call)?;
    let [value, rest @ ..] = call.values else {
        return Err(vm.type_error("unbound method Token.__exit__() needs an argument".to_string()));
    };
    positional(vm, "__exit__", &CallArgs::new(rest), 3, 3)?;
    variable_reset(vm, &token_variable(vm, value)?, value)
}

static MISSING: TypeDef = TypeDef {
    name: "Token.MISSING",
    module: "builtins",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Repr(|vm, _| vm.new_str("<Token.MISSING>"))],
    methods: &[],
    getset: &[],
};

pub static TOKEN: TypeDef = TypeDef {
    name: "Token",
    module: "_contextvars",
    base: None,
    payload: payload::<Token>(),
    flags: TypeFlags::NONE,
    doc: "What ContextVar.set() gives, to take it back; a context manager that does so at its end.",
    slots: &[
        Slot::New(|vm, _, _| Err(vm.runtime_error("Tokens can only be created by ContextVars".to_string()))),
        Slot::Repr(token_repr),
    ],
    methods: &[
        FunctionDef::new("__enter__", "($self, /)", "The token itself.", NativeFn::F1(|_, v| Ok(v.clone()))),
        FunctionDef::new(
            "__exit__",
            "($self, type, value, traceback, /)",
            "Takes the change back.",
            NativeFn::Raw(token_exit),
        ),
        CLASS_GETITEM,
    ],
    getset: &[
        GetSetDef { name: "var", doc: "", get: token_variable, set: None },
        GetSetDef {
            name: "old_value",
            doc: "",
            get: |vm, v| this::<Token>(vm, v)?.old.get().map_or_else(|| missing(vm), Ok),
            set: None,
        },
    ],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_contextvars",
    doc: "Context variables.",
    functions: &[FunctionDef::new(
        "copy_context",
        "($module, /)",
        "A copy of the current context.",
        NativeFn::F0(copy_context),
    )],
    types: &[&CONTEXT, &CONTEXT_VAR, &TOKEN],
    constants: &[],
    init: Some(|vm, _| {
        let token = vm.type_for(&TOKEN)?;
        match token.namespace() {
            Some(namespace) => namespace.set(vm, vm.intern_static("MISSING")?, missing(vm)?),
            None => Ok(()),
        }
    }),
};

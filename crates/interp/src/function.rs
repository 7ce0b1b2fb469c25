//! Python functions: the object, and its attributes.

use crate::code::CodeObject;
use crate::state::{state, thread};
use pellucid_object::heap::Visitor;
use pellucid_object::native::Module;
use pellucid_object::{
    CallArgs, Dict, GetSetDef, Interpreter, Payload, Res, Slot, SlotWord, Str, Tuple, TypeDef, TypeFlags,
    Value, payload,
};

/// Payload of `function`.
pub struct Function {
    pub code: SlotWord,
    /// A dict.
    pub globals: Value,
    /// The dict that `__builtins__` of the globals meant when the function was made; for what is no plain dict see
    /// [`builtins_mapping`].
    pub builtins: Value,
    /// A tuple, or nothing.
    pub defaults: SlotWord,
    /// A dict, or nothing.
    pub kwdefaults: SlotWord,
    /// A tuple of cells, or nothing.
    pub closure: SlotWord,
    pub name: SlotWord,
    pub qualname: SlotWord,
    pub module: SlotWord,
    pub doc: SlotWord,
    pub annotations: SlotWord,
    pub annotate: SlotWord,
    pub type_params: SlotWord,
}

impl Function {
    fn words(&self) -> [&SlotWord; 11] {
        [
            &self.code,
            &self.defaults,
            &self.kwdefaults,
            &self.closure,
            &self.name,
            &self.qualname,
            &self.module,
            &self.doc,
            &self.annotations,
            &self.annotate,
            &self.type_params,
        ]
    }

    /// The storage of the globals.
    #[inline(always)]
    pub fn globals_dict(&self) -> *const Dict {
        // SAFETY: `globals` always is a dict.
        unsafe { self.globals.payload_unchecked::<Dict>() }
    }
    /// The storage of the builtins.
    #[inline(always)]
    pub fn builtins_dict(&self) -> *const Dict {
        // SAFETY: `builtins` always is a dict.
        unsafe { self.builtins.payload_unchecked::<Dict>() }
    }
    /// The code object.
    #[inline(always)]
    pub fn code(&self) -> &CodeObject {
        let bits = self.code.raw();
        debug_assert!(bits != 0);
        // SAFETY: `code` always holds a code object, which stays owned by this function for the borrow's use: callers
        // that run Python code clone the value first.
        unsafe { Value::borrow_bits(&*std::ptr::from_ref(&bits)).payload_unchecked::<CodeObject>() }
    }
}

impl Payload for Function {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.globals);
        visit(&self.builtins);
        self.words().into_iter().for_each(|word| word.trace(visit));
    }
    fn clear(&self) {
        // Code stays: a function without code could not be called, and code is never part of a cycle by itself.
        self.words()[1..].iter().for_each(|word| word.set(None));
    }
}

/// What a new function is made of.
pub struct FunctionParts {
    pub code: Value,
    pub globals: Value,
    pub qualname: Option<Value>,
    pub defaults: Option<Value>,
    pub kwdefaults: Option<Value>,
    pub closure: Option<Value>,
    pub annotate: Option<Value>,
}

/// Where names that each new function asks for stand in the globals that were asked last: entries, or `None` where there is
/// none, of the dict of this keys version.
#[derive(Clone, Copy, Default)]
pub struct GlobalsLayout {
    version: u64,
    builtins: Option<usize>,
    name: Option<usize>,
}

/// `__builtins__` and `__name__` in globals.
fn known_globals(vm: &Interpreter, globals: &Value) -> (Option<Value>, Option<Value>) {
    let Some(dict) = globals.downcast::<Dict>() else { return (None, None) };
    let st = state(vm);
    let version = dict.keys_version();
    let mut layout = st.globals_layout.get();
    if layout.version != version || version == 0 {
        let find = |name: &Value| dict.find_interned(vm, name);
        layout =
            GlobalsLayout { version, builtins: find(&st.names.__builtins__), name: find(&st.names.__name__) };
        st.globals_layout.set(layout);
    }
    let get = |entry: Option<usize>| entry.and_then(|entry| dict.value_at(entry));
    (get(layout.builtins), get(layout.name))
}

/// The builtins that code with these globals sees. What is neither a plain dict nor a module stands in a dict of its own
/// that has nothing else: look-ups miss there, and ask [`builtins_mapping`] before they give up.
pub fn builtins_of(vm: &Interpreter, globals: &Value) -> Res {
    builtins_from(vm, known_globals(vm, globals).0)
}

/// The builtins that `__builtins__` means.
fn builtins_from(vm: &Interpreter, found: Option<Value>) -> Res {
    let namespace = match found {
        Some(value) if vm.is_exact(&value, &vm.types().dict) => Some(value),
        Some(value) if value.downcast::<Module>().is_some() => vm.attrs_dict(&value)?.map(|d| d.into_value()),
        Some(value) => {
            let stand_in = vm.new_dict()?;
            stand_in.set(vm, Value::NOT_IMPLEMENTED, value)?;
            return Ok(stand_in.into_value());
        }
        None => None,
    };
    match namespace.or_else(|| vm.builtins.get()) {
        Some(dict) => Ok(dict),
        None => Err(vm.system_error("no builtins".to_string())),
    }
}

/// What stands in `builtins` instead of a plain dict.
pub fn builtins_mapping(builtins: &Dict) -> Option<Value> {
    match builtins.entry_from(0) {
        Some((_, key, mapping)) if builtins.len() == 1 && key.is_not_implemented() => Some(mapping),
        _ => None,
    }
}

/// The builtins as Python code gave them.
pub fn shown_builtins(builtins: &Value) -> Value {
    builtins.downcast::<Dict>().and_then(builtins_mapping).unwrap_or_else(|| builtins.clone())
}

/// Makes a function. Errors: `TypeError` when parts have the wrong types.
pub fn new_function(vm: &Interpreter, parts: FunctionParts) -> Res {
    let FunctionParts { code, globals, qualname, defaults, kwdefaults, closure, annotate } = parts;
    let Some(data) = code.downcast::<CodeObject>() else {
        return Err(vm.type_error("a function needs code".to_string()));
    };
    if globals.downcast::<Dict>().is_none() {
        return Err(vm.type_error("a function needs a dict of globals".to_string()));
    }
    let (builtins, module) = known_globals(vm, &globals);
    let has_doc = data.code.flags & HAS_DOCSTRING != 0 || data.code.flags & NEWLOCALS != 0;
    let doc = data.consts.first().filter(|c| has_doc && c.downcast::<Str>().is_some()).cloned();
    let function = Function {
        builtins: builtins_from(vm, builtins)?,
        name: SlotWord::new(Some(data.name.clone())),
        qualname: SlotWord::new(Some(qualname.unwrap_or_else(|| data.qualname.clone()))),
        module: SlotWord::new(module),
        doc: SlotWord::new(doc),
        code: SlotWord::new(Some(code.clone())),
        globals,
        defaults: SlotWord::new(defaults),
        kwdefaults: SlotWord::new(kwdefaults),
        closure: SlotWord::new(closure),
        annotations: SlotWord::default(),
        annotate: SlotWord::new(annotate),
        type_params: SlotWord::default(),
    };
    vm.alloc(&state(vm).function, function)
}

const NEWLOCALS: u32 = pellucid_bytecode::code::flags::NEWLOCALS;
/// `CO_HAS_DOCSTRING` of 3.13 and later.
const HAS_DOCSTRING: u32 = 0x400_0000;

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Function> {
    value.downcast::<Function>().ok_or_else(|| vm.type_error("a function was expected".to_string()))
}

/// Native code calls a Python function.
pub fn call(vm: &Interpreter, callee: &Value, args: &CallArgs) -> Res {
    crate::run::call_function(vm, thread(vm), callee, args)
}

fn get(vm: &Interpreter, function: &Value, object: Option<&Value>, _: &Value) -> Res {
    match object {
        Some(object) => vm.new_bound_method(function.clone(), object.clone()),
        None => Ok(function.clone()),
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let name = this(vm, value)?.qualname.get().unwrap_or(Value::NONE);
    vm.new_str(&format!("<function {} at {:#x}>", vm.str_lossy(&name), value.bits()))
}

fn new(vm: &Interpreter, _: &Value, args: &CallArgs) -> Res {
    const NAMES: [&str; 6] = ["code", "globals", "name", "argdefs", "closure", "kwdefaults"];
    let mut given: [Option<Value>; 6] = Default::default();
    for (place, value) in given.iter_mut().zip(args.positional()) {
        *place = Some(value.clone());
    }
    for (name, value) in args.keywords() {
        let name = vm.str_lossy(name);
        match NAMES.iter().position(|n| *n == name) {
            Some(index) => given[index] = Some(value.clone()),
            None => {
                return Err(vm.type_error(format!("function() got an unexpected keyword argument '{name}'")));
            }
        }
    }
    let [code, globals, name, defaults, closure, kwdefaults] = given;
    let (Some(code), Some(globals)) = (code, globals) else {
        return Err(vm.type_error("function() missing required argument 'code' (pos 1)".to_string()));
    };
    let Some(data) = code.downcast::<CodeObject>() else {
        let got = vm.type_name(&code);
        return Err(vm.type_error(format!("function() argument 'code' must be code, not {got}")));
    };
    if globals.downcast::<Dict>().is_none() {
        let got = vm.type_name(&globals);
        return Err(vm.type_error(format!("function() argument 'globals' must be dict, not {got}")));
    }
    let closure = closure.filter(|c| !c.is_none());
    check_closure(vm, data, closure.as_ref())?;
    let defaults = defaults.filter(|d| !d.is_none());
    if defaults.as_ref().is_some_and(|d| d.downcast::<Tuple>().is_none()) {
        return Err(vm.type_error("arg 4 (defaults) must be None or tuple".to_string()));
    }
    let kwdefaults = kwdefaults.filter(|d| !d.is_none());
    if kwdefaults.as_ref().is_some_and(|d| d.downcast::<Dict>().is_none()) {
        return Err(vm.type_error("arg 6 (kwdefaults) must be None or dict".to_string()));
    }
    let parts = FunctionParts {
        code: code.clone(),
        globals,
        qualname: None,
        defaults,
        kwdefaults,
        closure,
        annotate: None,
    };
    let function = new_function(vm, parts)?;
    if let Some(name) = name.filter(|n| !n.is_none()) {
        if name.downcast::<Str>().is_none() {
            return Err(vm.type_error("arg 3 (name) must be None or string".to_string()));
        }
        this(vm, &function)?.name.set(Some(name));
    }
    Ok(function)
}

/// Checks that a closure fits the free variables of code. Errors: `TypeError`, `ValueError`.
pub fn check_closure(vm: &Interpreter, code: &CodeObject, closure: Option<&Value>) -> Res<()> {
    let want = code.freevars.len();
    let cells = match closure {
        None if want == 0 => return Ok(()),
        None => return Err(vm.type_error("arg 5 (closure) must be tuple".to_string())),
        Some(closure) => match closure.downcast::<Tuple>() {
            Some(tuple) => tuple.items(),
            None => return Err(vm.type_error("arg 5 (closure) must be None or tuple".to_string())),
        },
    };
    if cells.len() != want {
        let (name, have) = (vm.str_lossy(&code.name), cells.len());
        return Err(vm.value_error(format!("{name} requires closure of length {want}, not {have}")));
    }
    match cells.iter().find(|c| c.downcast::<crate::cell::Cell>().is_none()) {
        Some(other) => {
            let got = vm.type_name(other);
            Err(vm.type_error(format!("arg 5 (closure) expected cell, found {got}")))
        }
        None => Ok(()),
    }
}

type Pick = fn(&Function) -> &SlotWord;

fn get_word(vm: &Interpreter, object: &Value, pick: Pick) -> Res {
    Ok(pick(this(vm, object)?).get().unwrap_or(Value::NONE))
}

fn set_str(vm: &Interpreter, object: &Value, value: Option<&Value>, what: &str, pick: Pick) -> Res<()> {
    match value {
        Some(value) if value.downcast::<Str>().is_some() => {
            pick(this(vm, object)?).set(Some(value.clone()));
            Ok(())
        }
        _ => Err(vm.type_error(format!("{what} must be set to a string object"))),
    }
}

fn set_checked<T: Payload>(
    vm: &Interpreter,
    object: &Value,
    value: Option<&Value>,
    message: &str,
    pick: Pick,
) -> Res<()> {
    match value.filter(|v| !v.is_none()) {
        Some(value) if value.downcast::<T>().is_none() => Err(vm.type_error(message.to_string())),
        value => {
            pick(this(vm, object)?).set(value.cloned());
            Ok(())
        }
    }
}

fn get_annotations(vm: &Interpreter, object: &Value) -> Res {
    let function = this(vm, object)?;
    if let Some(found) = function.annotations.get() {
        return Ok(found);
    }
    let annotations = match function.annotate.get().filter(|a| !a.is_none()) {
        None => vm.new_dict()?.into_value(),
        Some(annotate) => {
            let result = vm.call_values(&annotate, &[vm.new_int(1)?])?;
            if result.downcast::<Dict>().is_none() {
                let got = vm.type_name(&result);
                return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{got}'")));
            }
            result
        }
    };
    this(vm, object)?.annotations.set(Some(annotations.clone()));
    Ok(annotations)
}

fn set_code(vm: &Interpreter, object: &Value, value: Option<&Value>) -> Res<()> {
    let function = this(vm, object)?;
    let Some(value) = value.filter(|v| v.downcast::<CodeObject>().is_some()) else {
        return Err(vm.type_error("__code__ must be set to a code object".to_string()));
    };
    let want = value.downcast::<CodeObject>().map_or(0, |c| c.freevars.len());
    let have = function.closure.get().and_then(|c| c.downcast::<Tuple>().map(Tuple::len)).unwrap_or(0);
    if want != have {
        let name = vm.str_lossy(&function.name.get().unwrap_or(Value::NONE));
        return Err(
            vm.value_error(format!("{name}() requires a code object with {have} free vars, not {want}"))
        );
    }
    function.code.set(Some(value.clone()));
    Ok(())
}

macro_rules! getset {
    ($name:literal, $get:expr) => {
        GetSetDef { name: $name, doc: "", get: $get, set: None }
    };
    ($name:literal, $get:expr, $set:expr) => {
        GetSetDef { name: $name, doc: "", get: $get, set: Some($set) }
    };
}

pub static FUNCTION: TypeDef = TypeDef {
    name: "function",
    module: "builtins",
    base: None,
    payload: payload::<Function>(),
    flags: TypeFlags::METHOD_DESCRIPTOR.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF),
    doc: "function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)\n--\n\n\
          A function: code with its globals, defaults and closure.",
    slots: &[Slot::New(new), Slot::Call(call), Slot::DescrGet(get), Slot::Repr(repr)],
    methods: &[],
    getset: &[
        getset!("__code__", |vm, f| get_word(vm, f, |f| &f.code), set_code),
        getset!("__globals__", |vm, f| Ok(this(vm, f)?.globals.clone())),
        getset!("__builtins__", |vm, f| Ok(shown_builtins(&this(vm, f)?.builtins))),
        getset!("__closure__", |vm, f| get_word(vm, f, |f| &f.closure)),
        getset!("__name__", |vm, f| get_word(vm, f, |f| &f.name), |vm, f, v| set_str(
            vm,
            f,
            v,
            "__name__",
            |f| &f.name
        )),
        getset!("__qualname__", |vm, f| get_word(vm, f, |f| &f.qualname), |vm, f, v| set_str(
            vm,
            f,
            v,
            "__qualname__",
            |f| &f.qualname
        )),
        getset!("__module__", |vm, f| get_word(vm, f, |f| &f.module), |vm, f, v| {
            this(vm, f)?.module.set(v.cloned());
            Ok(())
        }),
        getset!("__doc__", |vm, f| get_word(vm, f, |f| &f.doc), |vm, f, v| {
            this(vm, f)?.doc.set(v.cloned());
            Ok(())
        }),
        getset!("__defaults__", |vm, f| get_word(vm, f, |f| &f.defaults), |vm, f, v| {
            set_checked::<Tuple>(vm, f, v, "__defaults__ must be set to a tuple object", |f| &f.defaults)
        }),
        getset!("__kwdefaults__", |vm, f| get_word(vm, f, |f| &f.kwdefaults), |vm, f, v| {
            set_checked::<Dict>(vm, f, v, "__kwdefaults__ must be set to a dict object", |f| &f.kwdefaults)
        }),
        getset!("__annotations__", get_annotations, |vm, f, v| {
            set_checked::<Dict>(vm, f, v, "__annotations__ must be set to a dict object", |f| {
                &f.annotations
            })?;
            this(vm, f)?.annotate.set(None);
            Ok(())
        }),
        getset!("__annotate__", |vm, f| get_word(vm, f, |f| &f.annotate), |vm, f, v| {
            match v {
                None => Err(vm.type_error("__annotate__ cannot be deleted".to_string())),
                Some(v) if v.is_none() || vm.type_of_ref(v).slots.call.get().is_some() => {
                    this(vm, f)?.annotate.set(Some(v.clone()));
                    if !v.is_none() {
                        this(vm, f)?.annotations.set(None);
                    }
                    Ok(())
                }
                Some(_) => Err(vm.type_error("__annotate__ must be callable or None".to_string())),
            }
        }),
        getset!(
            "__type_params__",
            |vm, f| match this(vm, f)?.type_params.get() {
                Some(params) => Ok(params),
                None => vm.new_tuple(Vec::new()),
            },
            |vm, f, v| match v {
                Some(v) if v.downcast::<Tuple>().is_some() => {
                    this(vm, f)?.type_params.set(Some(v.clone()));
                    Ok(())
                }
                _ => Err(vm.type_error("__type_params__ must be set to a tuple".to_string())),
            }
        ),
    ],
};

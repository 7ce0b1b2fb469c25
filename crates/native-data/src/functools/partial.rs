//! `partial` and the placeholders among its arguments.

use crate::slot_payload;
use crate::support::{CLASS_GETITEM, is_callable, qualified_type_name, this, word};
use pellucid_object::{
    CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Raised, Ref, Res, Slot, SlotWord, Tuple,
    TypeDef, TypeFlags, Value, class_new::DUNDER_DICT, interpreter::Plain, payload,
};
use pellucid_types::seq;
use std::cell::{Cell, RefCell};

/// Payload of `partial`.
pub struct Partial {
    function: SlotWord,
    /// A tuple.
    args: SlotWord,
    /// A dict.
    keywords: SlotWord,
    /// How many of `args` are placeholders.
    placeholders: Cell<usize>,
}
slot_payload!(Partial: function, args, keywords);

#[derive(Default)]
struct Singleton(RefCell<Option<Value>>);

/// `functools.Placeholder`.
pub fn placeholder(vm: &Interpreter) -> Res {
    let state = vm.state::<Singleton>();
    if let Some(known) = state.0.borrow().as_ref() {
        return Ok(known.clone());
    }
    let made = vm.alloc(&vm.type_for(&PLACEHOLDER_TYPE)?, Plain)?;
    *state.0.borrow_mut() = Some(made.clone());
    Ok(made)
}

fn trailing(vm: &Interpreter) -> Raised {
    vm.type_error("trailing Placeholders are not allowed".to_string())
}

struct Parts {
    function: Value,
    args: Value,
    keywords: Ref<Dict>,
}

fn parts(vm: &Interpreter, value: &Value) -> Res<Parts> {
    let partial = this::<Partial>(vm, value)?;
    let keywords = partial.keywords.get().and_then(|k| k.downcast_ref::<Dict>());
    match (partial.function.get(), partial.args.get(), keywords) {
        (Some(function), Some(args), Some(keywords)) => Ok(Parts { function, args, keywords }),
        _ => Err(vm.type_error("the partial object was cleared".to_string())),
    }
}

/// A partial object that can be taken apart when it is wrapped again: nobody gave it attributes.
fn is_plain(vm: &Interpreter, value: &Value) -> bool {
    value.downcast::<Partial>().is_some()
        && value.attrs().is_none_or(|a| a.dict().is_none() && a.shape().is_none_or(|s| s.names.is_empty()))
        && match (vm.type_of(value).slots.call.get(), vm.type_for(&PARTIAL).map(|t| t.slots.call.get())) {
            (Some(f), Ok(Some(g))) => std::ptr::fn_addr_eq(f, g),
            _ => false,
        }
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let Some((function, given)) = call.positional().split_first() else {
        return Err(vm.type_error("type 'partial' takes at least one argument".to_string()));
    };
    if !is_callable(vm, function) {
        return Err(vm.type_error("the first argument must be callable".to_string()));
    }
    let hole = placeholder(vm)?;
    if given.last().is_some_and(|v| v.is(&hole)) {
        return Err(trailing(vm));
    }
    if call.keywords().any(|(_, v)| v.is(&hole)) {
        return Err(vm.type_error("Placeholder cannot be passed as a keyword argument".to_string()));
    }
    let keywords = vm.new_dict()?;
    let (function, args) = if is_plain(vm, function) {
        let inner = parts(vm, function)?;
        keywords.update_from(vm, &inner.keywords)?;
        (inner.function.clone(), merge(&vm.collect(&inner.args)?, given, &hole))
    } else {
        (function.clone(), given.to_vec())
    };
    for (name, value) in call.keywords() {
        keywords.set(vm, name.clone(), value.clone())?;
    }
    let placeholders = args.iter().filter(|v| v.is(&hole)).count();
    let payload = Partial {
        function: word(&function),
        args: SlotWord::new(Some(vm.new_tuple(args)?)),
        keywords: word(keywords.value()),
        placeholders: Cell::new(placeholders),
    };
    vm.alloc_subclass(cls, payload)
}

/// `bound` with its placeholders filled from `given`, and what is left of that behind.
fn merge(bound: &[Value], given: &[Value], hole: &Value) -> Vec<Value> {
    let mut given = given.iter();
    let mut merged: Vec<Value> = bound
        .iter()
        .map(|v| if v.is(hole) { given.next().unwrap_or(v).clone() } else { v.clone() })
        .collect();
    merged.extend(given.cloned());
    merged
}

fn call(vm: &Interpreter, callee: &Value, call: &CallArgs) -> Res {
    let partial = this::<Partial>(vm, callee)?;
    let Parts { function, args, keywords } = parts(vm, callee)?;
    let given = call.positional();
    let mut values = Vec::new();
    if partial.placeholders.get() > 0 {
        let (expected, got) = (partial.placeholders.get(), given.len());
        if got < expected {
            return Err(vm.type_error(format!(
                "missing positional arguments in 'partial' call; expected at least {expected}, got {got}"
            )));
        }
        values = merge(&vm.collect(&args)?, given, &placeholder(vm)?);
    } else {
        values.reserve(call.values.len() + 4);
        if let Some(tuple) = args.downcast::<Tuple>() {
            tuple.with(|items| values.extend_from_slice(items));
        }
        values.extend_from_slice(given);
    }
    if keywords.is_empty() {
        values.extend(call.keywords().map(|(_, v)| v.clone()));
        return vm.call(&function, &CallArgs { values: &values, names: call.names });
    }
    let (names, more) = merged_keywords(vm, &keywords, call)?;
    values.extend(more);
    vm.call(&function, &CallArgs { values: &values, names: &names })
}

/// The keywords of the partial object, overridden and followed by those of the call.
fn merged_keywords(vm: &Interpreter, bound: &Dict, call: &CallArgs) -> Res<(Vec<Value>, Vec<Value>)> {
    if call.names.is_empty() {
        return Ok(bound.pairs().into_iter().unzip());
    }
    let merged = vm.new_dict()?;
    merged.update_from(vm, bound)?;
    for (name, value) in call.keywords() {
        merged.set(vm, name.clone(), value.clone())?;
    }
    Ok(merged.pairs().into_iter().unzip())
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    seq::guarded_repr(vm, value, "...", |w| {
        let Parts { function, args, keywords } = parts(vm, value)?;
        w.push(&qualified_type_name(vm, value)?);
        w.push("(");
        w.push_repr(vm, &function)?;
        for arg in vm.collect(&args)? {
            w.push(", ");
            w.push_repr(vm, &arg)?;
        }
        for (name, value) in keywords.pairs() {
            w.push(", ");
            w.push_value(&vm.str(&name)?);
            w.push("=");
            w.push_repr(vm, &value)?;
        }
        w.push(")");
        Ok(())
    })
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let Parts { function, args, keywords } = parts(vm, value)?;
    let dict = match value.attrs() {
        Some(a) if a.dict().is_some() || a.shape().is_some_and(|s| !s.names.is_empty()) => {
            vm.attrs_dict(value)?.map_or(Value::NONE, Ref::into_value)
        }
        _ => Value::NONE,
    };
    let state = vm.new_tuple(vec![function.clone(), args, keywords.into_value(), dict])?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), vm.new_tuple(vec![function])?, state])
}

fn set_state(vm: &Interpreter, value: &Value, state: &Value) -> Res {
    let partial = this::<Partial>(vm, value)?;
    let invalid = || vm.type_error("invalid partial state".to_string());
    let items = state.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [function, args, keywords, attributes] = items.as_slice() else { return Err(invalid()) };
    let Some(given) = args.downcast::<Tuple>().map(Tuple::items) else { return Err(invalid()) };
    let named = match keywords.downcast::<Dict>() {
        Some(dict) => Some(dict),
        None if keywords.is_none() => None,
        None => return Err(invalid()),
    };
    let attributes_fit = attributes.is_none() || attributes.downcast::<Dict>().is_some();
    if !is_callable(vm, function) || !attributes_fit {
        return Err(invalid());
    }
    let hole = placeholder(vm)?;
    if given.last().is_some_and(|v| v.is(&hole)) {
        return Err(trailing(vm));
    }
    let placeholders = given.iter().filter(|v| v.is(&hole)).count();
    let args = if vm.is_exact(args, &vm.types().tuple) { args.clone() } else { vm.new_tuple(given)? };
    let keywords = if vm.is_exact(keywords, &vm.types().dict) {
        keywords.clone()
    } else {
        let copy = vm.new_dict()?;
        if let Some(named) = named {
            copy.update_from(vm, named)?;
        }
        copy.into_value()
    };
    partial.placeholders.set(placeholders);
    partial.function.set(Some(function.clone()));
    partial.args.set(Some(args));
    partial.keywords.set(Some(keywords));
    let attributes = match attributes.downcast_ref::<Dict>() {
        Some(dict) => dict,
        None => vm.new_dict()?,
    };
    vm.attrs_replace_dict(value, attributes);
    Ok(Value::NONE)
}

fn get(vm: &Interpreter, value: &Value, object: Option<&Value>, _: &Value) -> Res {
    match object {
        Some(object) => vm.new_bound_method(value.clone(), object.clone()),
        None => Ok(value.clone()),
    }
}

const fn member(name: &'static str, doc: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef {
        name,
        doc,
        get,
        set: Some(|vm, _, _| Err(vm.attribute_error_text("readonly attribute".to_string()))),
    }
}

static GETSET: &[GetSetDef] = &[
    DUNDER_DICT,
    member("func", "The function that is called.", |vm, v| Ok(parts(vm, v)?.function)),
    member("args", "The arguments that come first.", |vm, v| Ok(parts(vm, v)?.args)),
    member("keywords", "The keyword arguments.", |vm, v| Ok(parts(vm, v)?.keywords.into_value())),
];

pub static PARTIAL: TypeDef = TypeDef {
    name: "partial",
    module: "functools",
    base: None,
    payload: payload::<Partial>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF),
    doc: "partial(func, /, *args, **keywords)\n--\n\nThe function with some of its arguments given.",
    slots: &[Slot::New(new), Slot::Call(call), Slot::Repr(repr), Slot::DescrGet(get)],
    methods: &[
        FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(reduce)),
        FunctionDef::new("__setstate__", "($self, state, /)", "", NativeFn::F2(set_state)),
        CLASS_GETITEM,
    ],
    getset: GETSET,
};

pub static PLACEHOLDER_TYPE: TypeDef = TypeDef {
    name: "_PlaceholderType",
    module: "functools",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::NONE,
    doc: "The type of Placeholder, which leaves a place for an argument in partial().",
    slots: &[
        Slot::New(|vm, _, call| {
            if !call.values.is_empty() {
                return Err(vm.type_error("_PlaceholderType takes no arguments".to_string()));
            }
            placeholder(vm)
        }),
        Slot::Repr(|vm, _| vm.new_str("Placeholder")),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "",
        NativeFn::F1(|vm, _| vm.new_str("Placeholder")),
    )],
    getset: &[],
};

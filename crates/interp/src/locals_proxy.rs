//! `FrameLocalsProxy` (PEP 667): the variables of a function's frame as a mapping that writes through.

use crate::frame_object::{FrameObject, snapshot, variables};
use crate::state::state;
use pellucid_object::heap::Visitor;
use pellucid_object::protocol::BinOp;
use pellucid_object::{
    Args, CallArgs, CmpOp, Dict, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, payload,
};

/// Payload of `FrameLocalsProxy`.
pub struct LocalsProxy {
    frame: SlotWord,
}

impl Payload for LocalsProxy {
    fn trace(&self, visit: &mut Visitor) {
        self.frame.trace(visit);
    }
    fn clear(&self) {
        self.frame.set(None);
    }
}

/// The proxy for a frame object.
pub fn new(vm: &Interpreter, frame: &Value) -> Res {
    vm.alloc(&state(vm).locals_proxy, LocalsProxy { frame: SlotWord::new(Some(frame.clone())) })
}

fn frame_value(vm: &Interpreter, proxy: &Value) -> Res {
    let frame = proxy.downcast::<LocalsProxy>().and_then(|p| p.frame.get());
    frame.ok_or_else(|| vm.type_error("a FrameLocalsProxy was expected".to_string()))
}

fn index_of(vm: &Interpreter, frame: &FrameObject, key: &Value) -> Res<Option<usize>> {
    let Some(code) = frame.code() else { return Ok(None) };
    let known: Vec<(usize, Value)> = variables(code).map(|(index, name)| (index, name.clone())).collect();
    for (index, name) in &known {
        if vm.keys_equal(name, key)? {
            return Ok(Some(*index));
        }
    }
    Ok(None)
}

fn with_frame<T>(vm: &Interpreter, proxy: &Value, f: impl FnOnce(&FrameObject) -> Res<T>) -> Res<T> {
    let value = frame_value(vm, proxy)?;
    match value.downcast::<FrameObject>() {
        Some(frame) => f(frame),
        None => Err(vm.bug("a proxy without a frame")),
    }
}

/// `FrameLocalsProxy(frame)`.
fn construct(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res {
    let [frame] = call.positional() else {
        let got = call.positional().len();
        return Err(vm.type_error(format!("FrameLocalsProxy expected 1 argument, got {got}")));
    };
    if !call.names.is_empty() {
        return Err(vm.type_error("FrameLocalsProxy takes no keyword arguments".to_string()));
    }
    if frame.downcast::<FrameObject>().is_none() {
        return Err(vm.type_error(format!("expect frame, not {}", vm.type_name(frame))));
    }
    new(vm, frame)
}

fn lookup(vm: &Interpreter, proxy: &Value, key: &Value) -> Res<Option<Value>> {
    vm.hash(key)?;
    with_frame(vm, proxy, |frame| {
        if let Some(index) = index_of(vm, frame, key)?
            && let Some(value) = frame.value(index)
        {
            return Ok(Some(value));
        }
        match frame.extra.get() {
            Some(extra) => extra.downcast::<Dict>().map_or(Ok(None), |d| d.get(vm, key)),
            None => Ok(None),
        }
    })
}

fn get_item(vm: &Interpreter, proxy: &Value, key: &Value) -> Res {
    match lookup(vm, proxy, key)? {
        Some(value) => Ok(value),
        None => Err(vm.key_error(key.clone())),
    }
}

fn set_item(vm: &Interpreter, proxy: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    vm.hash(key)?;
    with_frame(vm, proxy, |frame| {
        let index = index_of(vm, frame, key)?;
        match (index, value) {
            (Some(_), None) => {
                Err(vm.value_error("cannot remove local variables from FrameLocalsProxy".to_string()))
            }
            (Some(index), Some(value)) => {
                frame.set_value(index, value.clone());
                Ok(())
            }
            (None, value) => {
                let extra = match frame.extra.get() {
                    Some(extra) => extra,
                    None => {
                        let extra = vm.new_dict()?.into_value();
                        frame.extra.set(Some(extra.clone()));
                        extra
                    }
                };
                vm.set_item(&extra, key, value)
            }
        }
    })
}

fn copy(vm: &Interpreter, proxy: &Value) -> Res {
    with_frame(vm, proxy, |frame| Ok(snapshot(vm, frame)?.into_value()))
}

/// What a dict of the variables answers to a method.
fn of_copy(vm: &Interpreter, proxy: &Value, method: &'static str, args: &[Value]) -> Res {
    vm.call_method(&copy(vm, proxy)?, method, args)
}

/// The same as a list.
fn listed(vm: &Interpreter, proxy: &Value, method: &'static str) -> Res {
    vm.new_list(vm.collect(&of_copy(vm, proxy, method, &[])?)?)
}

fn reversed(vm: &Interpreter, proxy: &Value) -> Res {
    let mut keys = vm.collect(&of_copy(vm, proxy, "keys", &[])?)?;
    keys.reverse();
    vm.new_list(keys)
}

/// Variables cannot go, other keys can.
fn pop(vm: &Interpreter, args: &Args) -> Res {
    let (proxy, key) = (args.req(0), args.req(1));
    vm.hash(key)?;
    let known = with_frame(vm, proxy, |frame| index_of(vm, frame, key))?;
    if known.is_some() {
        return Err(vm.value_error("cannot remove local variables from FrameLocalsProxy".to_string()));
    }
    match (lookup(vm, proxy, key)?, args.get(2)) {
        (Some(value), _) => {
            set_item(vm, proxy, key, None)?;
            Ok(value)
        }
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.key_error(key.clone())),
    }
}

fn repr(vm: &Interpreter, proxy: &Value) -> Res {
    pellucid_types::seq::guarded_repr(vm, proxy, "{...}", |w| {
        let text = vm.repr(&copy(vm, proxy)?)?;
        w.push(&vm.str_lossy(&text));
        Ok(())
    })
}

fn unite(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let dict = vm.new_dict()?;
    vm.call_method(dict.value(), "update", std::slice::from_ref(b))?;
    for (key, value) in dict.pairs() {
        set_item(vm, a, &key, Some(&value))?;
    }
    Ok(a.clone())
}

fn update(vm: &Interpreter, args: &Args) -> Res {
    let other = args.req(1);
    if other.downcast::<Dict>().is_none() && other.downcast::<LocalsProxy>().is_none() {
        let what = "update() argument must be dict or another FrameLocalsProxy";
        return Err(vm.type_error(what.to_string()));
    }
    let dict = vm.new_dict()?;
    vm.call_method(dict.value(), "update", std::slice::from_ref(args.req(1)))?;
    for (key, value) in dict.pairs() {
        set_item(vm, args.req(0), &key, Some(&value))?;
    }
    Ok(Value::NONE)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let plain = |v: &Value| if v.downcast::<LocalsProxy>().is_some() { copy(vm, v) } else { Ok(v.clone()) };
    match op {
        CmpOp::Eq | CmpOp::Ne => vm.compare(op, &plain(a)?, &plain(b)?),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn union(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let fits = |v: &Value| v.downcast::<Dict>().is_some() || v.downcast::<LocalsProxy>().is_some();
    if !fits(a) || !fits(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let plain = |v: &Value| if v.downcast::<LocalsProxy>().is_some() { copy(vm, v) } else { Ok(v.clone()) };
    vm.binary(BinOp::Or, &plain(a)?, &plain(b)?)
}

pub static LOCALS_PROXY: TypeDef = TypeDef {
    name: "FrameLocalsProxy",
    module: "builtins",
    base: None,
    payload: payload::<LocalsProxy>(),
    flags: TypeFlags::MAPPING,
    doc: "",
    slots: &[
        Slot::New(construct),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Contains(|vm, proxy, key| Ok(lookup(vm, proxy, key)?.is_some())),
        Slot::Len(|vm, proxy| vm.len(&copy(vm, proxy)?)),
        Slot::Iter(|vm, proxy| vm.iter(&listed(vm, proxy, "keys")?)),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Binary(BinOp::Or, union),
        Slot::Inplace(BinOp::Or, unite),
        Slot::Hash(|vm, v| Err(vm.unhashable(v))),
    ],
    methods: &[
        FunctionDef::new("keys", "($self, /)", "", NativeFn::F1(|vm, p| listed(vm, p, "keys"))),
        FunctionDef::new("values", "($self, /)", "", NativeFn::F1(|vm, p| listed(vm, p, "values"))),
        FunctionDef::new("items", "($self, /)", "", NativeFn::F1(|vm, p| listed(vm, p, "items"))),
        FunctionDef::new("copy", "($self, /)", "", NativeFn::F1(copy)),
        FunctionDef::new("__reversed__", "($self, /)", "", NativeFn::F1(reversed)),
        FunctionDef::new("pop", "($self, key, default=<unrepresentable>, /)", "", NativeFn::Args(pop)),
        FunctionDef::new(
            "get",
            "($self, key, default=None, /)",
            "",
            NativeFn::Args(|vm, args| match lookup(vm, args.req(0), args.req(1))? {
                Some(value) => Ok(value),
                None => Ok(args.get(2).cloned().unwrap_or(Value::NONE)),
            }),
        ),
        FunctionDef::new(
            "setdefault",
            "($self, key, default=None, /)",
            "",
            NativeFn::Args(|vm, args| match lookup(vm, args.req(0), args.req(1))? {
                Some(value) => Ok(value),
                None => {
                    let value = args.get(2).cloned().unwrap_or(Value::NONE);
                    set_item(vm, args.req(0), args.req(1), Some(&value))?;
                    Ok(value)
                }
            }),
        ),
        FunctionDef::new("update", "($self, other, /)", "", NativeFn::Args(update)),
    ],
    getset: &[],
};

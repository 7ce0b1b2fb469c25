//! `defaultdict`: a dict that makes the values it lacks. The factory stands in the extra word behind the dict.

use crate::support::{CLASS_GETITEM, is_callable};
use pellucid_object::{
    BinOp, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, payload,
};
use pellucid_types::seq;

/// The word of the factory: the first one, whatever slots subclasses add.
fn word<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a SlotWord> {
    match value.slot_word(0) {
        Some(word) => Ok(word),
        None => Err(vm.bug("defaultdict without its factory")),
    }
}

fn factory(vm: &Interpreter, value: &Value) -> Res {
    Ok(word(vm, value)?.get().unwrap_or(Value::NONE))
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let (given, rest) = match call.positional().first() {
        Some(first) => (first.clone(), &call.values[1..]),
        None => (Value::NONE, call.values),
    };
    if !given.is_none() && !is_callable(vm, &given) {
        return Err(vm.type_error("first argument must be callable or None".to_string()));
    }
    word(vm, value)?.set(Some(given));
    match vm.types().dict.slots.init.get() {
        Some(init) => init(vm, value, &CallArgs { values: rest, names: call.names }),
        None => Ok(()),
    }
}

fn missing(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let factory = factory(vm, value)?;
    if factory.is_none() {
        return Err(vm.key_error(key.clone()));
    }
    let made = vm.call_values(&factory, &[])?;
    vm.set_item(value, key, Some(&made))?;
    Ok(made)
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    let found = match value.downcast::<Dict>() {
        Some(dict) => dict.get(vm, key)?,
        None => None,
    };
    if let Some(found) = found {
        return Ok(found);
    }
    match vm.lookup_special(value, "__missing__")? {
        Some(method) => vm.call_descriptor(&method, value, std::slice::from_ref(key)),
        None => Err(vm.key_error(key.clone())),
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let base = match vm.types().dict.slots.repr.get() {
        Some(repr) => repr(vm, value)?,
        None => return Err(vm.bug("dict without repr")),
    };
    let factory = factory(vm, value)?;
    // The factory may be a method of the dict itself; it has a guard of its own, apart from that of the items.
    let shown = FactoryRepr::enter(vm, value, &factory)?;
    let name = vm.type_of(value).name();
    let mut w = seq::Writer::default();
    w.push(&name);
    w.push("(");
    w.push(&shown);
    w.push(", ");
    w.push_value(&base);
    w.push(")");
    w.finish(vm)
}

#[derive(Default)]
struct FactoryRepr(std::cell::RefCell<Vec<u64>>);

impl FactoryRepr {
    fn enter(vm: &Interpreter, value: &Value, factory: &Value) -> Res<String> {
        let stack = vm.state::<FactoryRepr>();
        if stack.0.borrow().contains(&value.bits()) {
            return Ok("...".to_string());
        }
        stack.0.borrow_mut().push(value.bits());
        let text = vm.repr_lossy(factory);
        stack.0.borrow_mut().pop();
        text
    }
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    let cls = vm.type_of(value).into_value();
    vm.call_values(&cls, &[factory(vm, value)?, value.clone()])
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let factory = factory(vm, value)?;
    let args = vm.new_tuple(if factory.is_none() { Vec::new() } else { vec![factory] })?;
    let items = vm.iter(&vm.call_attr(value, "items", &[])?)?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), args, Value::NONE, Value::NONE, items])
}

fn or(vm: &Interpreter, left: &Value, right: &Value) -> Res {
    let ty = vm.type_for(&DEFAULT_DICT)?;
    let (this, other) = if vm.is_instance(left, &ty) { (left, right) } else { (right, left) };
    if other.downcast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let cls = vm.type_of(this).into_value();
    let new = vm.call_values(&cls, &[factory(vm, this)?, left.clone()])?;
    vm.call_attr(&new, "update", std::slice::from_ref(right))?;
    Ok(new)
}

pub static DEFAULT_DICT: TypeDef = TypeDef {
    name: "defaultdict",
    module: "collections",
    base: Some(|vm| vm.types().dict.clone()),
    payload: payload::<Dict>(),
    flags: TypeFlags::BASETYPE
        .or(TypeFlags::MAPPING)
        .or(TypeFlags::MATCH_SELF)
        .or(TypeFlags::EXTRA_WORD)
        .or(TypeFlags::WEAKREF),
    doc: "defaultdict(default_factory=None, /, [...])\n\nA dict that calls its factory for the values it lacks.",
    slots: &[Slot::Init(init), Slot::GetItem(get_item), Slot::Repr(repr), Slot::Binary(BinOp::Or, or)],
    methods: &[
        FunctionDef::new(
            "__missing__",
            "($self, key, /)",
            "The value that the factory makes for a key, stored.",
            NativeFn::F2(missing),
        ),
        FunctionDef::new(
            "copy",
            "($self, /)",
            "A new defaultdict of the same entries and factory.",
            NativeFn::F1(copy),
        ),
        FunctionDef::new(
            "__copy__",
            "($self, /)",
            "A new defaultdict of the same entries and factory.",
            NativeFn::F1(copy),
        ),
        FunctionDef::new("__reduce__", "($self, /)", "What pickling stores.", NativeFn::F1(reduce)),
        CLASS_GETITEM,
    ],
    getset: &[GetSetDef {
        name: "default_factory",
        doc: "What makes missing values, or None.",
        get: factory,
        set: Some(|vm, v, value| {
            word(vm, v)?.set(value.cloned());
            Ok(())
        }),
    }],
};

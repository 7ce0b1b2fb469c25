//! `types.SimpleNamespace`: an object with nothing but attributes.

use crate::seq;
use pellucid_object::interpreter::Plain;
use pellucid_object::{
    CallArgs, CmpOp, Dict, FunctionDef, Interpreter, NativeFn, Ref, Res, Slot, Str, TypeDef, TypeFlags,
    Value, payload,
};

fn attributes(vm: &Interpreter, value: &Value) -> Res<Ref<Dict>> {
    match vm.attrs_dict(value)? {
        Some(dict) => Ok(dict),
        None => Err(vm.type_error("a SimpleNamespace was expected".to_string())),
    }
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let given = call.positional();
    if given.len() > 1 {
        let (name, n) = (vm.type_of(this).name(), given.len());
        return Err(vm.type_error(format!("{name} expected at most 1 positional argument, got {n}")));
    }
    if let Some(source) = given.first() {
        let dict = vm.call_values(vm.types().dict.value(), std::slice::from_ref(source))?;
        let pairs = dict.downcast::<Dict>().map(Dict::pairs).unwrap_or_default();
        if pairs.iter().any(|(key, _)| key.downcast::<Str>().is_none()) {
            return Err(vm.type_error("keywords must be strings".to_string()));
        }
        for (key, value) in pairs {
            set(vm, this, &key, &value)?;
        }
    }
    for (key, value) in call.keywords() {
        set(vm, this, key, value)?;
    }
    Ok(())
}

/// Names of attributes are interned where that is possible.
fn set(vm: &Interpreter, this: &Value, key: &Value, value: &Value) -> Res<()> {
    vm.attrs_set(this, &vm.intern_value(key)?, value.clone()).map(drop)
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let own = vm.type_for(&SIMPLE_NAMESPACE)?;
    let name = match vm.is_exact(this, &own) {
        true => "namespace".to_string(),
        false => vm.type_of(this).name().to_string(),
    };
    let pairs = attributes(vm, this)?.pairs();
    seq::guarded_repr(vm, this, &format!("{name}(...)"), |w| {
        w.push(&name);
        w.push("(");
        let named = pairs.iter().filter(|(key, _)| key.downcast::<Str>().is_some_and(|s| !s.text.is_empty()));
        for (i, (key, value)) in named.enumerate() {
            if i > 0 {
                w.push(", ");
            }
            w.push_value(key);
            w.push("=");
            w.push_repr(vm, value)?;
        }
        w.push(")");
        Ok(())
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let own = vm.type_for(&SIMPLE_NAMESPACE)?;
    if !vm.is_instance(a, &own) || !vm.is_instance(b, &own) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.compare(op, attributes(vm, a)?.value(), attributes(vm, b)?.value())
}

fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let empty = vm.new_tuple(Vec::new())?;
    vm.new_tuple(vec![vm.type_of(this).into_value(), empty, attributes(vm, this)?.into_value()])
}

fn replace(vm: &Interpreter, call: &CallArgs) -> Res {
    let [this] = call.positional() else {
        let n = call.positional().len().saturating_sub(1);
        return Err(vm.type_error(format!("__replace__() takes no positional arguments ({n} given)")));
    };
    let fresh = vm.call_values(vm.type_of(this).value(), &[])?;
    attributes(vm, &fresh)?.update_from(vm, &*attributes(vm, this)?)?;
    for (key, value) in call.keywords() {
        set(vm, &fresh, key, value)?;
    }
    Ok(fresh)
}

pub static SIMPLE_NAMESPACE: TypeDef = TypeDef {
    name: "SimpleNamespace",
    module: "types",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT),
    doc: "A simple attribute-based namespace.",
    slots: &[
        Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Plain)),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Compare(compare),
    ],
    methods: &[
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "Return state information for pickling",
            NativeFn::F1(reduce),
        ),
        FunctionDef::new(
            "__replace__",
            "($self, /, **changes)",
            "Return a copy of the namespace object with new values for the specified attributes.",
            NativeFn::Raw(replace),
        ),
    ],
    getset: &[],
};

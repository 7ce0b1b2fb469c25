//! `types.MappingProxyType`: a mapping seen without its means of changing it. `cls.__dict__` is one.

use crate::generic_alias::CLASS_GETITEM;
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, Visitor, payload,
};

/// Payload of `mappingproxy`.
pub struct MappingProxy(SlotWord);

impl Payload for MappingProxy {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

/// A proxy of `mapping`.
pub fn new_proxy(vm: &Interpreter, mapping: Value) -> Res {
    vm.alloc(&vm.type_for(&MAPPING_PROXY)?, MappingProxy(SlotWord::new(Some(mapping))))
}

/// The mapping behind a proxy.
pub fn mapping_of(value: &Value) -> Option<Value> {
    value.downcast::<MappingProxy>()?.0.get()
}

fn inner(vm: &Interpreter, value: &Value) -> Res {
    mapping_of(value).ok_or_else(|| vm.type_error("a mappingproxy was expected".to_string()))
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = crate::builtins::bind(vm, "mappingproxy", "(mapping)", call)?;
    let mapping = args.req(0);
    let types = vm.types();
    let sequence = mapping.downcast::<pellucid_object::List>().is_some()
        || mapping.downcast::<pellucid_object::Tuple>().is_some();
    if sequence
        || vm.type_of_ref(mapping).slots.getitem.get().is_none()
        || vm.is_instance(mapping, &types.str)
    {
        let got = vm.type_name(mapping);
        return Err(vm.type_error(format!("mappingproxy() argument must be a mapping, not {got}")));
    }
    vm.alloc_subclass(cls, MappingProxy(SlotWord::new(Some(mapping.clone()))))
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let mapping = inner(vm, value)?;
    crate::seq::guarded_repr(vm, value, "mappingproxy(...)", |w| {
        w.push("mappingproxy(");
        w.push_repr(vm, &mapping)?;
        w.push(")");
        Ok(())
    })
}

fn plain(value: &Value) -> Value {
    mapping_of(value).unwrap_or_else(|| value.clone())
}

fn get(vm: &Interpreter, args: &Args) -> Res {
    let mapping = inner(vm, args.req(0))?;
    let default = args.get(2).cloned().unwrap_or(Value::NONE);
    vm.call_attr(&mapping, "get", &[args.req(1).clone(), default])
}

fn forward(vm: &Interpreter, value: &Value, name: &str) -> Res {
    vm.call_attr(&inner(vm, value)?, name, &[])
}

fn refuse_or(vm: &Interpreter, _: &Value, _: &Value) -> Res {
    Err(vm.type_error("'|=' is not supported by mappingproxy; use '|' instead".to_string()))
}

pub static MAPPING_PROXY: TypeDef = TypeDef {
    name: "mappingproxy",
    module: "builtins",
    base: None,
    payload: payload::<MappingProxy>(),
    flags: TypeFlags::MAPPING,
    doc: "mappingproxy(mapping)\n--\n\nRead-only proxy of a mapping.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Str(|vm, v| vm.str(&inner(vm, v)?)),
        Slot::Hash(|vm, v| vm.hash(&inner(vm, v)?)),
        Slot::Len(|vm, v| vm.len(&inner(vm, v)?)),
        Slot::GetItem(|vm, v, key| vm.get_item(&inner(vm, v)?, key)),
        Slot::Contains(|vm, v, key| vm.contains(&inner(vm, v)?, key)),
        Slot::Iter(|vm, v| vm.iter(&inner(vm, v)?)),
        Slot::Compare(|vm, a, b, op: CmpOp| vm.compare(op, &inner(vm, a)?, b)),
        Slot::Binary(BinOp::Or, |vm, a, b| vm.binary(BinOp::Or, &plain(a), &plain(b))),
        Slot::Inplace(BinOp::Or, refuse_or),
    ],
    methods: &[
        FunctionDef::new(
            "get",
            "($self, key, default=None, /)",
            "The value, or the default.",
            NativeFn::Args(get),
        ),
        FunctionDef::new(
            "keys",
            "($self, /)",
            "What keys() of the mapping gives.",
            NativeFn::F1(|vm, v| forward(vm, v, "keys")),
        ),
        FunctionDef::new(
            "values",
            "($self, /)",
            "What values() of the mapping gives.",
            NativeFn::F1(|vm, v| forward(vm, v, "values")),
        ),
        FunctionDef::new(
            "items",
            "($self, /)",
            "What items() of the mapping gives.",
            NativeFn::F1(|vm, v| forward(vm, v, "items")),
        ),
        FunctionDef::new(
            "copy",
            "($self, /)",
            "A copy of the mapping.",
            NativeFn::F1(|vm, v| forward(vm, v, "copy")),
        ),
        FunctionDef::new(
            "__reversed__",
            "($self, /)",
            "The reversed iterator of the mapping.",
            NativeFn::F1(|vm, v| {
                let reversed = vm.type_for(&crate::iterators::REVERSED)?;
                vm.call_values(reversed.value(), &[inner(vm, v)?])
            }),
        ),
        CLASS_GETITEM,
    ],
    getset: &[],
};

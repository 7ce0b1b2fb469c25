//! `cmp_to_key`: keys that compare by a function of two values.

use crate::slot_payload;
use crate::support::{bind, this, word};
use pellucid_object::{
    Args, CallArgs, CmpOp, GetSetDef, Interpreter, Res, Slot, SlotWord, TypeDef, TypeFlags, Value, payload,
};

/// Payload of the key function (which has no object) and of the keys that it makes.
pub struct KeyWrapper {
    function: SlotWord,
    object: SlotWord,
}
slot_payload!(KeyWrapper: function, object);

pub fn cmp_to_key(vm: &Interpreter, args: &Args) -> Res {
    let payload = KeyWrapper { function: word(args.req(0)), object: SlotWord::default() };
    vm.alloc(&vm.type_for(&KEY_WRAPPER)?, payload)
}

fn call(vm: &Interpreter, callee: &Value, call: &CallArgs) -> Res {
    let key = this::<KeyWrapper>(vm, callee)?;
    let object = match (call.values, call.names) {
        ([object], []) => object.clone(),
        _ => bind(vm, "K", "(obj)", call)?.req(0).clone(),
    };
    let payload = KeyWrapper { function: SlotWord::new(key.function.get()), object: word(&object) };
    vm.alloc(&vm.type_of(callee), payload)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<KeyWrapper>(), b.downcast::<KeyWrapper>()) else {
        return Err(vm.type_error("other argument must be K instance".to_string()));
    };
    let (Some(function), Some(p), Some(q)) = (x.function.get(), x.object.get(), y.object.get()) else {
        return Err(vm.attribute_error_text("object".to_string()));
    };
    let result = vm.call_values(&function, &[p, q])?;
    match result.as_small_int() {
        Some(i) => Ok(Value::bool(op.holds(i.cmp(&0)))),
        None => vm.compare(op, &result, &vm.new_int(0)?),
    }
}

static KEY_WRAPPER: TypeDef = TypeDef {
    name: "KeyWrapper",
    module: "functools",
    base: None,
    payload: payload::<KeyWrapper>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Call(call), Slot::Compare(compare)],
    methods: &[],
    getset: &[
        GetSetDef {
            name: "obj",
            doc: "The value that is compared.",
            get: |vm, v| Ok(this::<KeyWrapper>(vm, v)?.object.get().unwrap_or(Value::NONE)),
            set: Some(|vm, v, value| {
                this::<KeyWrapper>(vm, v)?.object.set(value.cloned());
                Ok(())
            }),
        },
        GetSetDef { name: "__text_signature__", doc: "", get: |vm, _| vm.new_str("(obj)"), set: None },
    ],
};

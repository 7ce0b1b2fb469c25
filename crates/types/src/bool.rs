//! `bool`: an int with two values and names of its own.

use pellucid_object::int::Int;
use pellucid_object::{BinOp, CallArgs, Interpreter, Res, Slot, TypeDef, TypeFlags, UnOp, Value, payload};

fn new(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("bool() takes no keyword arguments".to_string()));
    }
    match call.positional() {
        [] => Ok(Value::FALSE),
        [value] => Ok(Value::bool(vm.truthy(value)?)),
        given => Err(vm.type_error(format!("bool expected at most 1 argument, got {}", given.len()))),
    }
}

/// Two bools give a bool; with an int, the int operation.
fn logic(op: BinOp, vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if a.is_bool() && b.is_bool() {
        let (x, y) = (a.is_true(), b.is_true());
        return Ok(Value::bool(match op {
            BinOp::And => x & y,
            BinOp::Or => x | y,
            _ => x ^ y,
        }));
    }
    match vm.types().int.slots.binary[op as usize].get() {
        Some(f) => f(vm, a, b),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

const INVERSION: &str = "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the \
    bitwise inversion of the underlying int object and is usually not what you expect from the negation of a bool object. Use \
    the 'not' operator for boolean negation or ~int(x) for the bitwise inversion of the underlying int.";

fn invert(vm: &Interpreter, this: &Value) -> Res {
    crate::number::deprecated(vm, INVERSION)?;
    vm.new_int(!i64::from(this.is_true()))
}

pub static BOOL: TypeDef = TypeDef {
    name: "bool",
    module: "builtins",
    base: None,
    payload: payload::<Int>(),
    flags: TypeFlags::MATCH_SELF,
    doc: "bool(object=False, /)\n--\n\n\
          Returns True when the argument is true, False otherwise.\nThe builtins True and False are the only two instances \
          of the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed.",
    slots: &[
        Slot::New(new),
        Slot::Repr(|vm, this| vm.intern(if this.is_true() { "True" } else { "False" })),
        Slot::Unary(UnOp::Invert, invert),
        Slot::Binary(BinOp::And, |vm, a, b| logic(BinOp::And, vm, a, b)),
        Slot::Binary(BinOp::Or, |vm, a, b| logic(BinOp::Or, vm, a, b)),
        Slot::Binary(BinOp::Xor, |vm, a, b| logic(BinOp::Xor, vm, a, b)),
    ],
    methods: &[],
    getset: &[],
};

//! The module `_opcode`: the opcode table.

use pellucid_bytecode::Op;
use pellucid_bytecode::ops::{COMPARE, HAVE_ARGUMENT, Intrinsic, Operand};
use pellucid_interp::code::code_of;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value, constant};

/// The opcode that an argument means, if there is one.
fn op(vm: &Interpreter, number: &Value) -> Res<Option<Op>> {
    let number = vm.expect_i64(number)?;
    Ok(u8::try_from(number).ok().and_then(Op::from_u8))
}

fn stack_effect(vm: &Interpreter, args: &Args) -> Res {
    let Some(op) = op(vm, args.req(0))? else {
        return Err(vm.value_error("invalid opcode or oparg".to_string()));
    };
    let arg = match args.some(1).filter(|arg| !arg.is_none()) {
        Some(_) if !op.has_arg() => {
            let message = "stack_effect: opcode does not permit oparg but oparg was specified";
            return Err(vm.value_error(message.to_string()));
        }
        Some(arg) => u32::try_from(vm.expect_i64(arg)?)
            .map_err(|_| vm.value_error("invalid opcode or oparg".to_string()))?,
        None if op.has_arg() => {
            let message = "stack_effect: opcode requires oparg but oparg was not specified";
            return Err(vm.value_error(message.to_string()));
        }
        None => 0,
    };
    let jump = match args.some(2) {
        None => None,
        Some(jump) if jump.is_none() => None,
        Some(jump) if jump.is_bool() => Some(jump.is_true()),
        Some(_) => {
            return Err(vm.value_error("stack_effect: jump must be False, True or None".to_string()));
        }
    };
    vm.new_int(i64::from(op.stack_effect(arg, jump)))
}

macro_rules! predicates {
    ($($function:ident: $op:ident => $test:expr;)*) => {
        $(fn $function(vm: &Interpreter, number: &Value) -> Res {
            let test = |$op: Op| -> bool { $test };
            Ok(Value::bool(op(vm, number)?.is_some_and(test)))
        })*
    };
}

predicates! {
    is_valid: _op => true;
    has_arg: op => op.has_arg();
    has_const: op => op.operand() == Operand::Const;
    has_name: op => op.operand() == Operand::Name;
    has_jump: op => op.is_jump();
    has_free: op => op.operand() == Operand::Cell;
    has_local: op => op.operand() == Operand::Local;
    has_exc: op => matches!(op, Op::SetupFinally | Op::SetupWith | Op::SetupAsyncWith);
}

/// Pairs of an opcode's name and its number, by number.
fn opmap(vm: &Interpreter) -> Res {
    let map = vm.new_dict()?;
    for op in Op::ALL {
        map.set(vm, vm.intern(op.name())?, vm.new_int(i64::from(*op as u8))?)?;
    }
    Ok(map.into_value())
}

fn numbers(vm: &Interpreter, test: fn(Op) -> bool) -> Res {
    let all = Op::ALL.iter().filter(|op| test(**op)).map(|op| vm.new_int(i64::from(*op as u8)));
    vm.new_list(all.collect::<Res<_>>()?)
}

fn texts(vm: &Interpreter, texts: impl IntoIterator<Item = String>) -> Res {
    vm.new_list(texts.into_iter().map(|text| vm.new_str(&text)).collect::<Res<_>>()?)
}

fn intrinsics(vm: &Interpreter, arity: u32) -> Res {
    let name = |i: &Intrinsic| if i.arity() == arity { format!("{i:?}") } else { String::new() };
    texts(vm, Intrinsic::ALL.iter().map(name))
}

/// The private form that runs, as text.
fn form(vm: &Interpreter, code: &Value) -> Res {
    let Some(code) = code_of(code) else {
        let got = vm.type_name(code);
        return Err(vm.type_error(format!("expected a code object, not {got}")));
    };
    vm.new_str(&crate::form::listing(vm, code)?)
}

/// There is no machine code of traces.
fn get_executor(vm: &Interpreter, _code: &Value, _offset: &Value) -> Res {
    Err(vm.value_error("no executor exists at that offset".to_string()))
}

const fn predicate(
    name: &'static str,
    doc: &'static str,
    function: fn(&Interpreter, &Value) -> Res,
) -> FunctionDef {
    FunctionDef::new(name, "($module, /, opcode)", doc, NativeFn::F1(function))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_opcode",
    doc: "The opcodes of the virtual machine.",
    functions: &[
        FunctionDef::new(
            "stack_effect",
            "($module, opcode, oparg=None, /, *, jump=None)",
            "How many values an instruction adds to the stack: by the way it takes, or the larger of both.",
            NativeFn::Args(stack_effect),
        ),
        predicate("is_valid", "Whether there is an opcode of this number.", is_valid),
        predicate("has_arg", "Whether the opcode uses its argument.", has_arg),
        predicate("has_const", "Whether the argument is the index of a constant.", has_const),
        predicate("has_name", "Whether the argument is the index of a name.", has_name),
        predicate("has_jump", "Whether the argument is a place in the code.", has_jump),
        predicate("has_free", "Whether the argument is the index of a cell.", has_free),
        predicate("has_local", "Whether the argument is the index of a local variable.", has_local),
        predicate("has_exc", "Whether the opcode sets up an exception handler.", has_exc),
        FunctionDef::new(
            "form",
            "($module, code, /)",
            "The private form of the code, which is what runs, as text.",
            NativeFn::F1(form),
        ),
        FunctionDef::new(
            "get_executor",
            "($module, /, code, offset)",
            "Raise ValueError: no trace is compiled.",
            NativeFn::F2(get_executor),
        ),
        FunctionDef::new(
            "get_specialization_stats",
            "($module, /)",
            "Return None: no statistics are kept.",
            NativeFn::F0(|_| Ok(Value::NONE)),
        ),
        FunctionDef::new(
            "get_intrinsic1_descs",
            "($module, /)",
            "The names of the intrinsics of one operand, by number.",
            NativeFn::F0(|vm| intrinsics(vm, 1)),
        ),
        FunctionDef::new(
            "get_intrinsic2_descs",
            "($module, /)",
            "The names of the intrinsics of two operands, by number.",
            NativeFn::F0(|vm| intrinsics(vm, 2)),
        ),
    ],
    types: &[],
    constants: &[
        constant("opmap", opmap),
        constant("cmp_op", |vm| {
            vm.new_tuple(COMPARE.iter().map(|sign| vm.new_str(sign)).collect::<Res<_>>()?)
        }),
        // Wordcode never changes; what is learnt stands in inline caches of the private form.
        constant("ENABLE_SPECIALIZATION", |_| Ok(Value::bool(false))),
        constant("ENABLE_SPECIALIZATION_FT", |_| Ok(Value::bool(false))),
        constant("HAVE_ARGUMENT", |vm| vm.new_int(HAVE_ARGUMENT.into())),
        constant("hasjrel", |vm| numbers(vm, |op| op.operand() == Operand::JumpRelative)),
        constant("hasjabs", |vm| numbers(vm, |op| op.operand() == Operand::JumpAbsolute)),
        constant("hascompare", |vm| numbers(vm, |op| op.operand() == Operand::Compare)),
    ],
    init: None,
};

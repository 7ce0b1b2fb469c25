//! One instruction done out of line: what machine code calls for whatever it has no code of its own for.

use crate::form::Instr;
use crate::frame::{Frame, Thread};
use crate::hot::Step;
use crate::ops::Op;
use crate::ops_arith::{self as arith, release, rk, set};
use crate::state::State;
use crate::{comprehension, ops_attr, ops_build, ops_call, ops_generic, ops_name, super_, unwind};
use pellucid_object::protocol::{BinOp, CmpOp, UnOp};
use pellucid_object::{Interpreter, Res, Value};

/// The operator of an instruction, and whether it works in place.
pub fn binary_operator(op: Op) -> Option<(BinOp, bool)> {
    const OPERATORS: [BinOp; 14] = [
        BinOp::Add,
        BinOp::Sub,
        BinOp::Mul,
        BinOp::MatMul,
        BinOp::TrueDiv,
        BinOp::FloorDiv,
        BinOp::Mod,
        BinOp::DivMod,
        BinOp::Pow,
        BinOp::LShift,
        BinOp::RShift,
        BinOp::And,
        BinOp::Or,
        BinOp::Xor,
    ];
    let at = (op as usize).checked_sub(Op::Add as usize)?;
    match at {
        0..14 => Some((OPERATORS[at], false)),
        14..28 => Some((OPERATORS[at - 14], true)),
        _ => None,
    }
}

/// The comparison of an instruction, and whether it decides a jump.
pub fn comparison(op: Op) -> Option<(CmpOp, bool)> {
    const COMPARISONS: [CmpOp; 6] = [CmpOp::Lt, CmpOp::Le, CmpOp::Eq, CmpOp::Ne, CmpOp::Gt, CmpOp::Ge];
    let at = (op as usize).checked_sub(Op::Lt as usize)?;
    match at {
        0..6 => Some((COMPARISONS[at], false)),
        6..12 => Some((COMPARISONS[at - 6], true)),
        _ => None,
    }
}

/// By how many temporaries a `Generic` instruction changes their number.
pub fn generic_effect(instr: &Instr) -> Option<i64> {
    let word = u8::try_from(instr.b).ok().and_then(pellucid_bytecode::ops::Op::from_u8)?;
    Some(i64::from(word.stack_effect(instr.d, Some(false))))
}

/// The name of a `Generic` instruction's wordcode.
pub fn generic_name(instr: &Instr) -> &'static str {
    let word = u8::try_from(instr.b).ok().and_then(pellucid_bytecode::ops::Op::from_u8);
    word.map_or("", |word| word.name())
}

/// Whether a `Generic` instruction only ever raises.
pub fn always_raises(instr: &Instr) -> bool {
    use pellucid_bytecode::ops::Op as Word;
    let word = u8::try_from(instr.b).ok().and_then(Word::from_u8);
    instr.op == Op::Generic && matches!(word, Some(Word::RaiseVarargs | Word::Reraise))
}

fn jumps(taken: bool) -> Step {
    if taken { Step::Jump } else { Step::Next }
}

fn entered(pushed: bool) -> Step {
    if pushed { Step::Entered } else { Step::Next }
}

/// Does one instruction.
///
/// # Safety
/// `frame` is the innermost frame, its `pc` is `pc`, which is no return, yield, or jump without condition.
pub unsafe fn one(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<Step> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        if let Some((op, inplace)) = binary_operator(i.op) {
            return arith::binary(vm, st, thread, frame, pc, op, inplace).map(entered);
        }
        match comparison(i.op) {
            Some((op, false)) => return arith::compare(vm, st, thread, frame, pc, op).map(entered),
            Some((op, true)) => {
                let taken = arith::compare_test(vm, st, thread, frame, pc, op)?;
                return Ok(taken.map_or(Step::Entered, jumps));
            }
            None => {}
        }
        let done = match i.op {
            Op::Neg => arith::unary(vm, frame, pc, UnOp::Neg),
            Op::Pos => arith::unary(vm, frame, pc, UnOp::Pos),
            Op::Invert => arith::unary(vm, frame, pc, UnOp::Invert),
            Op::Not => arith::not(vm, frame, pc),
            Op::Contains => arith::contains(vm, frame, pc),
            Op::LoadGlobal => ops_name::load_global_quick(vm, frame, pc),
            Op::LoadName => ops_name::load_name(vm, frame, pc),
            Op::StoreName => ops_name::store_name(vm, frame, pc),
            Op::StoreGlobal => ops_name::store_global(vm, frame, pc),
            Op::StoreAttr => ops_attr::store_quick(vm, frame, pc),
            Op::LoadMethod => ops_attr::load_method_quick(vm, frame, pc),
            Op::LoadSuperAttr => super_::load(vm, st, frame, pc, false),
            Op::LoadSuperMethod => super_::load(vm, st, frame, pc, true),
            Op::LoadSlice => ops_attr::load_slice(vm, frame, pc),
            Op::StoreSlice => ops_attr::store_slice(vm, frame, pc),
            Op::LoadDeref => ops_name::load_deref(vm, frame, pc),
            Op::StoreDeref => {
                ops_name::store_deref(frame, pc);
                Ok(())
            }
            Op::MakeComprehension => comprehension::make(vm, frame, pc),
            Op::GetIter => ops_build::get_iter(vm, st, thread, frame, pc),
            Op::BuildTuple => ops_build::build_tuple(vm, frame, pc),
            Op::BuildList => ops_build::build_list(vm, frame, pc),
            Op::BuildString => ops_build::build_string(vm, frame, pc),
            Op::Format => ops_build::format(vm, frame, pc),
            Op::ListAppend => ops_build::list_append(vm, frame, pc),
            Op::BuildMap => ops_build::build_map(vm, frame, pc),
            Op::BuildSet => ops_build::build_set(vm, frame, pc),
            Op::MapAdd => ops_build::map_add(vm, frame, pc),
            Op::SetAdd => ops_build::set_add(vm, frame, pc),
            Op::UnpackTwo => ops_build::unpack_two(vm, frame, pc),
            Op::UnpackSequence => ops_build::unpack_sequence(vm, frame, pc),
            Op::CheckLocal => {
                if (*(*frame).regs.offset(i.a as isize)).is_unbound() {
                    ops_name::unbound_local(vm, frame, pc)
                } else {
                    Ok(())
                }
            }
            Op::DeleteLocal => ops_name::delete_local(vm, frame, pc),
            Op::LoadAttr => {
                if ops_attr::load_quick(frame, pc) {
                    return Ok(Step::Next);
                }
                return ops_attr::load(vm, st, thread, frame, pc).map(entered);
            }
            Op::LoadSubscr => return ops_attr::load_subscr_quick(vm, st, thread, frame, pc).map(entered),
            Op::StoreSubscr => return ops_attr::store_subscr_quick(vm, st, thread, frame, pc).map(entered),
            Op::Call => return ops_call::call(vm, st, thread, frame, pc).map(entered),
            Op::CallMethod => return ops_call::call_method(vm, st, thread, frame, pc).map(entered),
            Op::CallKw => return ops_call::call_kw(vm, st, thread, frame, pc).map(entered),
            Op::Comprehension => return comprehension::enter(vm, st, thread, frame, pc).map(entered),
            Op::Generic => return ops_generic::execute(vm, st, thread, frame, pc).map(entered),
            Op::JumpContains => return arith::contains_test(vm, frame, pc).map(jumps),
            Op::JumpIfFalse => return arith::test(vm, frame, pc, false).map(jumps),
            Op::JumpIfTrue => return arith::test(vm, frame, pc, true).map(jumps),
            Op::JumpIfFalseKeep => return arith::test_keep(vm, frame, pc, false).map(jumps),
            Op::JumpIfTrueKeep => return arith::test_keep(vm, frame, pc, true).map(jumps),
            Op::JumpIfNotExcMatch => return unwind::no_match(vm, frame, pc).map(jumps),
            Op::ForIter => return for_iter(vm, st, thread, frame, pc),
            Op::Is => {
                arith::is(frame, pc);
                Ok(())
            }
            Op::JumpIs => {
                let same = rk(frame, i.b).is(rk(frame, i.c));
                release(frame, i.c);
                release(frame, i.b);
                return Ok(jumps(same == (i.a != 0)));
            }
            Op::Nop => Ok(()),
            Op::Move => {
                let value = rk(frame, i.b).clone();
                set(frame, i.a, value);
                Ok(())
            }
            Op::Take => {
                let value = (*frame).regs.offset(i.b as isize).replace(Value::UNBOUND);
                set(frame, i.a, value);
                Ok(())
            }
            Op::Swap => {
                (*frame).regs.offset(i.a as isize).swap((*frame).regs.offset(i.b as isize));
                Ok(())
            }
            Op::LoadConst => {
                let value = (&(*frame).code().consts)[i.d as usize].clone();
                set(frame, i.a, value);
                Ok(())
            }
            Op::Drop => {
                drop((*frame).regs.offset(i.a as isize).replace(Value::UNBOUND));
                Ok(())
            }
            _ => Err(vm.bug("an instruction that only the loop can run")),
        };
        done.map(|()| Step::Next)
    }
}

/// The next value of an iterator. A generator runs in a loop of its own.
///
/// # Safety
/// As for [`one`].
unsafe fn for_iter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<Step> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let iterator = (*frame).regs.offset(i.b as isize);
        if crate::run::is_exact(&st.generator, &*iterator) {
            let iterator = (*iterator).clone();
            return Ok(match vm.next(&iterator)? {
                Some(value) => {
                    set(frame, i.a, value);
                    Step::Next
                }
                None => {
                    set(frame, i.b, Value::UNBOUND);
                    Step::Jump
                }
            });
        }
        Ok(match ops_build::for_iter::<false>(vm, st, thread, frame, pc)? {
            ops_build::Step::Next => Step::Next,
            ops_build::Step::End => Step::Jump,
            ops_build::Step::Entered => Step::Entered,
            ops_build::Step::Unpacked => return Err(vm.bug("two instructions done for one")),
        })
    }
}

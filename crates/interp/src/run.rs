//! The loop.
//!
//! Rules for whoever edits it:
//! 1. A handler's fast path comes first and neither allocates nor raises; the rest is an out-of-line function of `ops`
//!    that gets (`vm`, `frame`, `pc`) and reads its operands itself.
//! 2. `frame.pc` is written before anything that can raise, call or look at frames.
//! 3. A handler that consumes a temporary leaves a word there that is no heap word.
//! 4. A result is stored after operands were consumed; the old value of the destination dies last.
//! 5. After anything that pushed or left a frame, `reload!`.

use crate::code::CodeObject;
use crate::form::{Form, Instr, TEMP_A, TEMP_B, TEMP_C};
use crate::frame::{Frame, Ret, Thread, leave};
use crate::function::Function;
use crate::ops::Op;
use crate::ops_arith as arith;
use crate::state::{State, state};
use crate::{
    bind, comprehension, dunder, generator, hot, ops_attr, ops_build, ops_call, ops_generic, ops_name, poll,
    super_, unwind,
};
use pellucid_object::protocol::{BinOp, CmpOp, UnOp};
use pellucid_object::{CallArgs, Interpreter, ListIterator, Raised, RangeIterator, Res, Value};

/// Native code calls a Python function. Errors: what binding and the function raise.
pub fn call_function(vm: &Interpreter, thread: &Thread, callee: &Value, args: &CallArgs) -> Res {
    let st = state(vm);
    let window = thread.free_words();
    // SAFETY: the window is in the free words of the running thread.
    if args.names.is_empty() && unsafe { enter_plain(vm, st, thread, callee, window, args.values) } {
        return hot::run_pushed(vm, st, thread);
    }
    if !thread.ready(window, args.values.len() + 1) {
        return Err(thread.too_deep(vm));
    }
    for (index, value) in args.values.iter().enumerate() {
        // SAFETY: `ready` made these words usable; they are dead.
        unsafe { window.add(index).write(value.clone()) };
    }
    // SAFETY: the arguments stand in free words of the running thread.
    let entered = unsafe {
        enter(vm, st, thread, callee.clone(), window, args.values.len(), args.names, Ret::Native, 0, None)?
    };
    match entered {
        Entered::Value(value) => Ok(value),
        Entered::Frame => run(vm, st, thread),
    }
}

/// The quick way into a function whose parameters are exactly the arguments, which are copied. False: nothing was done.
///
/// # Safety
/// `window` is where the free words of the running thread begin.
#[inline(always)]
unsafe fn enter_plain(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    callee: &Value,
    window: *mut Value,
    values: &[Value],
) -> bool {
    if !is_function(st, callee) {
        return false;
    }
    // SAFETY: by the contract; the callee is a function; there is room for the record and the variables, all of which are written.
    unsafe {
        let function = callee.payload_unchecked::<Function>();
        let Some(form) = function.code().ready_form() else { return false };
        if !form.simple
            || form.argcount as usize != values.len()
            || !thread.has_room(vm)
            || !thread.ready(window, form.nregs as usize)
        {
            return false;
        }
        let Some(code) = function.code.get() else { return false };
        for (index, value) in values.iter().enumerate() {
            window.add(index).write(value.clone());
        }
        for index in values.len()..form.first_temp as usize {
            window.add(index).write(Value::UNBOUND);
        }
        if form.calls.left.get() != 0 {
            form.calls.cool();
        }
        thread.push_call(callee.clone(), code, form, window, Ret::Native, 0, None);
        true
    }
}

/// Whether a value is a Python function.
#[inline(always)]
pub fn is_function(st: &State, value: &Value) -> bool {
    is_exact(&st.function, value)
}

/// Whether a value is of that very type.
#[inline(always)]
pub fn is_exact(ty: &pellucid_object::Ref<pellucid_object::Type>, value: &Value) -> bool {
    value.header().is_some_and(|header| header.ty.get() as u64 == ty.value().bits())
}

/// What a call did at once.
pub enum Entered {
    /// A frame was pushed.
    Frame,
    /// The call is done: a generator was made.
    Value(Value),
}

/// Calls a Python function whose arguments stand in `window`: binds them and pushes a frame.
/// On an error the arguments are gone.
///
/// # Safety
/// `callee` is a function; `window` lies in the free words of the running thread and holds `given` owned values.
#[allow(clippy::too_many_arguments)]
pub unsafe fn enter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    callee: Value,
    window: *mut Value,
    given: usize,
    names: &[Value],
    ret: Ret,
    dst: i16,
    extra: Option<Value>,
) -> Res<Entered> {
    // SAFETY: by the contract.
    unsafe {
        let function = callee.payload_unchecked::<Function>();
        let Some(code) = function.code.get() else {
            crate::frame::drop_words(window, window.add(given));
            return Err(vm.system_error("a function without code".to_string()));
        };
        let data = code.payload_unchecked::<CodeObject>();
        let form: *const Form = match data.form(vm) {
            Ok(form) => form,
            Err(raised) => {
                crate::frame::drop_words(window, window.add(given));
                return Err(raised);
            }
        };
        let count = ((*form).nregs as usize).max(given) + 1 + names.len();
        if !thread.ready(window, count) {
            crate::frame::drop_words(window, window.add(given));
            return Err(thread.too_deep(vm));
        }
        if (*form).plain && given == (*form).argcount as usize && names.is_empty() {
            for index in given..(*form).first_temp as usize {
                window.add(index).write(Value::UNBOUND);
            }
        } else {
            bind::bind(vm, function, data, &*form, window, given, names)?;
        }
        if (*form).generator {
            return generator::make(vm, st, &callee, code.clone(), &*form, window).map(Entered::Value);
        }
        if !thread.has_room(vm) {
            crate::frame::drop_words(window, window.add((*form).first_temp as usize));
            return Err(thread.too_deep(vm));
        }
        if (*form).calls.left.get() != 0 {
            (*form).calls.cool();
        }
        thread.push_call(callee, code, &*form, window, ret, dst, extra);
        Ok(Entered::Frame)
    }
}

/// Runs code with given namespaces, as `exec` and import do. `locals` is any mapping.
pub fn run_code(vm: &Interpreter, code: &Value, globals: &Value, locals: &Value) -> Res {
    let function = crate::function::new_function(
        vm,
        crate::function::FunctionParts {
            code: code.clone(),
            globals: globals.clone(),
            qualname: None,
            defaults: None,
            kwdefaults: None,
            closure: None,
            annotate: None,
        },
    )?;
    run_function_with_locals(vm, &function, locals)
}

/// Runs a function's code without arguments, names being looked up in `locals` (modules, class bodies).
pub fn run_function_with_locals(vm: &Interpreter, function: &Value, locals: &Value) -> Res {
    let (st, thread) = (state(vm), crate::state::thread(vm));
    let window = thread.free_words();
    // SAFETY: no arguments; the callee is a function.
    match unsafe { enter(vm, st, thread, function.clone(), window, 0, &[], Ret::Native, 0, None)? } {
        Entered::Value(value) => {
            generator::give_locals(&value, locals);
            Ok(value)
        }
        Entered::Frame => {
            // SAFETY: the frame was just pushed.
            unsafe {
                let top = thread.top_ptr();
                // Code of a function has variables of its own.
                if (*top).code().code.flags & pellucid_bytecode::code::flags::OPTIMIZED == 0 {
                    (*top).locals.set(Some(locals.clone()));
                }
            }
            run(vm, st, thread)
        }
    }
}

/// Runs the innermost frame until it returns to native code.
pub fn run(vm: &Interpreter, st: &State, thread: &Thread) -> Res {
    let mut entered = false;
    st.runs.set(st.runs.get() + 1);
    let result = vm.nested("", || {
        entered = true;
        loop {
            // SAFETY: the innermost frame is live and its code was translated from verified wordcode, so that registers,
            // constants and targets are in range.
            let done = unsafe {
                if st.tier.budget.get() > 0 {
                    run_frames::<true>(vm, st, thread)?
                } else {
                    run_frames::<false>(vm, st, thread)?
                }
            };
            if let Some(value) = done {
                return Ok(value);
            }
        }
    });
    match result {
        Err(raised) if !entered => Err(unwind::abandon(vm, thread, raised)),
        result => result,
    }
}

/// Runs frames until one returns to native code. `None`: the other instance of the loop is to go on. With `OBSERVE` each
/// instruction's operands are noted.
///
/// # Safety
/// See `run`.
unsafe fn run_frames<const OBSERVE: bool>(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
) -> Res<Option<Value>> {
    let function_type = st.function.value().bits();
    // SAFETY: for the whole loop, see `run`.
    unsafe {
        let mut frame: *mut Frame = thread.top_ptr();
        let mut pc: *const Instr = (*frame).pc;
        let mut regs: *mut Value = (*frame).regs;

        macro_rules! reload {
            () => {{
                frame = thread.top_ptr();
                pc = (*frame).pc;
                regs = (*frame).regs;
            }};
        }
        loop {
            let raised: Raised = 'dispatch: loop {
                let i = &*pc;
                if OBSERVE && !hot::observe(vm, st, frame, pc) {
                    (*frame).pc = pc;
                    return Ok(None);
                }
                macro_rules! rk {
                    ($index:expr) => {{
                        let index = $index as isize;
                        let base = if index < 0 { (*frame).consts_end } else { regs.cast_const() };
                        &*base.offset(index)
                    }};
                }
                // An operand that is no constant.
                macro_rules! reg {
                    ($index:expr) => {
                        &*regs.offset($index as isize)
                    };
                }
                macro_rules! cache {
                    () => {
                        &*(*frame).caches.add(i.e as usize)
                    };
                }
                macro_rules! set {
                    ($index:expr, $value:expr) => {
                        drop(regs.offset($index as isize).replace($value))
                    };
                }
                // Consumes an operand: a temporary dies, locals and constants stay.
                macro_rules! release {
                    (a) => {
                        release!(i.a, TEMP_A)
                    };
                    (b) => {
                        release!(i.b, TEMP_B)
                    };
                    (c) => {
                        release!(i.c, TEMP_C)
                    };
                    ($index:expr, $mark:expr) => {
                        if i.temps & $mark != 0 {
                            drop(regs.offset($index as isize).replace(Value::UNBOUND));
                        }
                    };
                }
                macro_rules! next {
                    () => {{
                        pc = pc.add(1);
                        continue 'dispatch;
                    }};
                }
                macro_rules! jump {
                    () => {{
                        pc = pc.byte_offset(i.e as i32 as isize);
                        continue 'dispatch;
                    }};
                }
                // The collector, signals, limits, at an instruction that has not been executed.
                macro_rules! poll {
                    ($at:expr) => {
                        if poll::pending(vm) {
                            (*frame).pc = $at;
                            match poll::poll_loop(vm, st, thread, frame, $at) {
                                Ok(false) => {}
                                Ok(true) => {
                                    reload!();
                                    continue 'dispatch;
                                }
                                Err(raised) => break 'dispatch raised,
                            }
                        }
                    };
                }
                // What a hot place says.
                macro_rules! turned {
                    ($turn:expr) => {
                        match $turn {
                            Ok(hot::Turn::On) => {}
                            Ok(hot::Turn::Reload) => {
                                reload!();
                                continue 'dispatch;
                            }
                            Ok(hot::Turn::Switch) => return Ok(None),
                            Err(raised) => break 'dispatch raised,
                        }
                    };
                }
                // The end of a turn of a loop.
                macro_rules! turn {
                    ($target:expr) => {{
                        let target: *const Instr = $target;
                        if (*(*(*frame).form).loops.as_ptr().add(i.d as usize)).heat.cool() {
                            (*frame).pc = target;
                            turned!(hot::turn(vm, st, frame, i.d as usize));
                        }
                        pc = target;
                        continue 'dispatch;
                    }};
                }
                // A conditional jump. One that goes back ends a loop: signals, limits and the collector are polled.
                macro_rules! branch {
                    () => {{
                        let ahead = i.e as i32 as isize;
                        let target = pc.byte_offset(ahead);
                        if ahead <= 0 {
                            poll!(target);
                            turn!(target)
                        }
                        pc = target;
                        continue 'dispatch;
                    }};
                }
                // What quick code could not do: laid out and given registers behind what is quick.
                macro_rules! slow {
                    ($f:expr) => {{
                        std::hint::cold_path();
                        done!($f)
                    }};
                }
                // An instruction that is done out of line.
                macro_rules! done {
                    ($f:expr) => {{
                        (*frame).pc = pc;
                        match $f {
                            Ok(()) => next!(),
                            Err(raised) => break 'dispatch raised,
                        }
                    }};
                }
                // Whether a test holds, computed out of line, decides a jump.
                macro_rules! slow_jump {
                    ($f:expr) => {{
                        std::hint::cold_path();
                        (*frame).pc = pc;
                        match $f {
                            Ok(true) => branch!(),
                            Ok(false) => next!(),
                            Err(raised) => break 'dispatch raised,
                        }
                    }};
                }
                // A call: either it is done, or a frame was pushed.
                macro_rules! entering {
                    ($f:expr) => {{
                        (*frame).pc = pc;
                        match $f {
                            Ok(false) => next!(),
                            Ok(true) => {
                                reload!();
                                if OBSERVE == (st.tier.budget.get() == 0) {
                                    return Ok(None);
                                }
                                turned!(hot::called(vm, st, frame));
                                continue 'dispatch;
                            }
                            Err(raised) => break 'dispatch raised,
                        }
                    }};
                }
                // The next round of a loop whose body begins at `$body`, or its end.
                macro_rules! iterate {
                    ($body:expr, $end:expr) => {{
                        (*frame).pc = pc;
                        let iterator = reg!(i.b);
                        if let Some(header) = iterator.header() {
                            if header.ty.get() as u64 == st.range_iterator.value().bits() {
                                let range = iterator.payload_unchecked::<RangeIterator>();
                                match range.advance().and_then(Value::small_int) {
                                    Some(value) => {
                                        set!(i.a, value);
                                        pc = $body;
                                        continue 'dispatch;
                                    }
                                    None => {
                                        set!(i.b, Value::UNBOUND);
                                        pc = $end;
                                        continue 'dispatch;
                                    }
                                }
                            }
                            if header.ty.get() as u64 == st.list_iterator.value().bits()
                                && let Some(value) = iterator.payload_unchecked::<ListIterator>().advance()
                            {
                                set!(i.a, value);
                                pc = $body;
                                continue 'dispatch;
                            }
                        }
                        let step = if OBSERVE {
                            // Each instruction is to be seen.
                            ops_build::for_iter::<false>(vm, st, thread, frame, pc)
                        } else {
                            ops_build::for_iter::<true>(vm, st, thread, frame, pc)
                        };
                        match step {
                            Ok(ops_build::Step::Next) => {
                                pc = $body;
                                continue 'dispatch;
                            }
                            Ok(ops_build::Step::Unpacked) => {
                                pc = ($body).add(1);
                                continue 'dispatch;
                            }
                            Ok(ops_build::Step::End) => {
                                pc = $end;
                                continue 'dispatch;
                            }
                            Ok(ops_build::Step::Entered) => {
                                reload!();
                                continue 'dispatch;
                            }
                            Err(raised) => break 'dispatch raised,
                        }
                    }};
                }
                macro_rules! arith {
                    ($int:expr, $float:expr, $op:expr, $inplace:expr) => {{
                        let (x, y) = (rk!(i.b), rk!(i.c));
                        if let Some(value) = $int(x, y) {
                            set!(i.a, value);
                            next!()
                        }
                        if let (Some(p), Some(q)) = (x.as_small_float(), y.as_small_float())
                            && let Some(value) = $float(p, q)
                        {
                            set!(i.a, value);
                            next!()
                        }
                        std::hint::cold_path();
                        entering!(arith::binary(vm, st, thread, frame, pc, $op, $inplace))
                    }};
                }
                macro_rules! compare {
                    ($op:expr) => {{
                        let (x, y) = (rk!(i.b), rk!(i.c));
                        if x.is_small_int() && y.is_small_int() {
                            set!(i.a, Value::bool($op.holds((x.bits() as i64).cmp(&(y.bits() as i64)))));
                            next!()
                        }
                        if let (Some(p), Some(q)) = (x.as_small_float(), y.as_small_float()) {
                            set!(i.a, Value::bool(arith::floats_hold($op, p, q)));
                            next!()
                        }
                        std::hint::cold_path();
                        entering!(arith::compare(vm, st, thread, frame, pc, $op))
                    }};
                }
                macro_rules! jump_if {
                    ($sense:expr, $f:expr) => {{
                        if let Some(truth) = arith::word_truth(rk!(i.b)) {
                            if truth == $sense {
                                branch!()
                            }
                            next!()
                        }
                        slow_jump!($f(vm, frame, pc, $sense))
                    }};
                }
                macro_rules! compare_jump {
                    ($op:expr) => {{
                        let (x, y) = (rk!(i.b), rk!(i.c));
                        if x.is_small_int() && y.is_small_int() {
                            if $op.holds((x.bits() as i64).cmp(&(y.bits() as i64))) == (i.a != 0) {
                                branch!()
                            }
                            next!()
                        }
                        if let (Some(p), Some(q)) = (x.as_small_float(), y.as_small_float()) {
                            if arith::floats_hold($op, p, q) == (i.a != 0) {
                                branch!()
                            }
                            next!()
                        }
                        std::hint::cold_path();
                        (*frame).pc = pc;
                        match arith::compare_test(vm, st, thread, frame, pc, $op) {
                            Ok(Some(true)) => branch!(),
                            Ok(Some(false)) => next!(),
                            Ok(None) => {
                                reload!();
                                continue 'dispatch;
                            }
                            Err(raised) => break 'dispatch raised,
                        }
                    }};
                }
                match i.op {
                    Op::Nop => next!(),
                    Op::Move => {
                        let value = rk!(i.b).clone();
                        set!(i.a, value);
                        next!()
                    }
                    Op::Take => {
                        let value = regs.offset(i.b as isize).replace(Value::UNBOUND);
                        set!(i.a, value);
                        next!()
                    }
                    Op::Swap => {
                        regs.offset(i.a as isize).swap(regs.offset(i.b as isize));
                        next!()
                    }
                    Op::LoadConst => {
                        let value = (*frame).code().consts[i.d as usize].clone();
                        set!(i.a, value);
                        next!()
                    }
                    Op::Drop => {
                        let old = regs.offset(i.a as isize).replace(Value::UNBOUND);
                        if old.is_heap() {
                            (*frame).pc = pc;
                            drop(old);
                        }
                        next!()
                    }
                    Op::CheckLocal => {
                        if !(*regs.offset(i.a as isize)).is_unbound() {
                            next!()
                        }
                        slow!(ops_name::unbound_local(vm, frame, pc))
                    }
                    Op::DeleteLocal => done!(ops_name::delete_local(vm, frame, pc)),
                    Op::Add => {
                        arith!(arith::int_add, |p: f64, q| Value::small_float(p + q), BinOp::Add, false)
                    }
                    Op::InplaceAdd => {
                        arith!(arith::int_add, |p: f64, q| Value::small_float(p + q), BinOp::Add, true)
                    }
                    Op::Sub => {
                        arith!(arith::int_sub, |p: f64, q| Value::small_float(p - q), BinOp::Sub, false)
                    }
                    Op::InplaceSub => {
                        arith!(arith::int_sub, |p: f64, q| Value::small_float(p - q), BinOp::Sub, true)
                    }
                    Op::Mul => {
                        arith!(arith::int_mul, |p: f64, q| Value::small_float(p * q), BinOp::Mul, false)
                    }
                    Op::InplaceMul => {
                        arith!(arith::int_mul, |p: f64, q| Value::small_float(p * q), BinOp::Mul, true)
                    }
                    Op::TrueDiv | Op::InplaceTrueDiv => {
                        let (x, y) = (rk!(i.b), rk!(i.c));
                        if let (Some(p), Some(q)) = (x.as_small_float(), y.as_small_float())
                            && q != 0.0
                            && let Some(value) = Value::small_float(p / q)
                        {
                            set!(i.a, value);
                            next!()
                        }
                        std::hint::cold_path();
                        let inplace = i.op == Op::InplaceTrueDiv;
                        entering!(arith::binary(vm, st, thread, frame, pc, BinOp::TrueDiv, inplace))
                    }
                    Op::FloorDiv => {
                        arith!(arith::int_floor_div, |_: f64, _: f64| None, BinOp::FloorDiv, false)
                    }
                    Op::InplaceFloorDiv => {
                        arith!(arith::int_floor_div, |_: f64, _: f64| None, BinOp::FloorDiv, true)
                    }
                    Op::Mod => arith!(arith::int_mod, |_: f64, _: f64| None, BinOp::Mod, false),
                    Op::InplaceMod => arith!(arith::int_mod, |_: f64, _: f64| None, BinOp::Mod, true),
                    Op::And => arith!(arith::int_and, |_: f64, _: f64| None, BinOp::And, false),
                    Op::InplaceAnd => arith!(arith::int_and, |_: f64, _: f64| None, BinOp::And, true),
                    Op::Or => arith!(arith::int_or, |_: f64, _: f64| None, BinOp::Or, false),
                    Op::InplaceOr => arith!(arith::int_or, |_: f64, _: f64| None, BinOp::Or, true),
                    Op::Xor => arith!(arith::int_xor, |_: f64, _: f64| None, BinOp::Xor, false),
                    Op::InplaceXor => arith!(arith::int_xor, |_: f64, _: f64| None, BinOp::Xor, true),
                    Op::RShift => arith!(arith::int_rshift, |_: f64, _: f64| None, BinOp::RShift, false),
                    Op::InplaceRShift => {
                        arith!(arith::int_rshift, |_: f64, _: f64| None, BinOp::RShift, true)
                    }
                    Op::LShift => arith!(arith::int_lshift, |_: f64, _: f64| None, BinOp::LShift, false),
                    Op::InplaceLShift => {
                        arith!(arith::int_lshift, |_: f64, _: f64| None, BinOp::LShift, true)
                    }
                    Op::MatMul => entering!(arith::binary(vm, st, thread, frame, pc, BinOp::MatMul, false)),
                    Op::InplaceMatMul => {
                        entering!(arith::binary(vm, st, thread, frame, pc, BinOp::MatMul, true))
                    }
                    Op::DivMod | Op::InplaceDivMod => {
                        entering!(arith::binary(vm, st, thread, frame, pc, BinOp::DivMod, false))
                    }
                    Op::Pow => entering!(arith::binary(vm, st, thread, frame, pc, BinOp::Pow, false)),
                    Op::InplacePow => entering!(arith::binary(vm, st, thread, frame, pc, BinOp::Pow, true)),
                    Op::Neg => {
                        if let Some(value) = arith::negated(rk!(i.b)) {
                            set!(i.a, value);
                            next!()
                        }
                        slow!(arith::unary(vm, frame, pc, UnOp::Neg))
                    }
                    Op::Pos => done!(arith::unary(vm, frame, pc, UnOp::Pos)),
                    Op::Invert => done!(arith::unary(vm, frame, pc, UnOp::Invert)),
                    Op::Not => {
                        let value = rk!(i.b);
                        if value.is_bool() {
                            set!(i.a, Value::bool(!value.is_true()));
                            next!()
                        }
                        slow!(arith::not(vm, frame, pc))
                    }
                    Op::Lt => compare!(CmpOp::Lt),
                    Op::Le => compare!(CmpOp::Le),
                    Op::Eq => compare!(CmpOp::Eq),
                    Op::Ne => compare!(CmpOp::Ne),
                    Op::Gt => compare!(CmpOp::Gt),
                    Op::Ge => compare!(CmpOp::Ge),
                    Op::JumpLt => compare_jump!(CmpOp::Lt),
                    Op::JumpLe => compare_jump!(CmpOp::Le),
                    Op::JumpEq => compare_jump!(CmpOp::Eq),
                    Op::JumpNe => compare_jump!(CmpOp::Ne),
                    Op::JumpGt => compare_jump!(CmpOp::Gt),
                    Op::JumpGe => compare_jump!(CmpOp::Ge),
                    Op::Is => {
                        arith::is(frame, pc);
                        next!()
                    }
                    Op::JumpIs => {
                        let same = rk!(i.b).is(rk!(i.c));
                        release!(c);
                        release!(b);
                        if same == (i.a != 0) {
                            branch!()
                        }
                        next!()
                    }
                    Op::Contains => done!(arith::contains(vm, frame, pc)),
                    Op::JumpContains => slow_jump!(arith::contains_test(vm, frame, pc)),
                    Op::Jump => jump!(),
                    Op::JumpBack => {
                        poll!(pc);
                        turn!(pc.byte_offset(i.e as i32 as isize))
                    }
                    Op::JumpIfFalse => jump_if!(false, arith::test),
                    Op::JumpIfTrue => jump_if!(true, arith::test),
                    Op::JumpIfFalseKeep => jump_if!(false, arith::test_keep),
                    Op::JumpIfTrueKeep => jump_if!(true, arith::test_keep),
                    Op::LoadGlobal => {
                        if let Some(value) = ops_name::cached_global(frame, cache!()) {
                            set!(i.a, value);
                            next!()
                        }
                        slow!(ops_name::load_global(vm, frame, pc))
                    }
                    Op::LoadName => done!(ops_name::load_name(vm, frame, pc)),
                    Op::StoreName => done!(ops_name::store_name(vm, frame, pc)),
                    Op::StoreGlobal => done!(ops_name::store_global(vm, frame, pc)),
                    Op::LoadAttr => {
                        let object = reg!(i.b);
                        if let Some(value) = ops_attr::cached(cache!(), object) {
                            release!(b);
                            set!(i.a, value);
                            next!()
                        }
                        if let Some(value) = ops_attr::cached_elsewhere(cache!(), object) {
                            release!(b);
                            set!(i.a, value);
                            next!()
                        }
                        std::hint::cold_path();
                        entering!(ops_attr::load(vm, st, thread, frame, pc))
                    }
                    Op::StoreAttr => {
                        if ops_attr::cached_store(frame, i, cache!()) {
                            release!(b);
                            next!()
                        }
                        slow!(ops_attr::store(vm, frame, pc))
                    }
                    Op::LoadMethod => {
                        let object = reg!(i.b);
                        if let Some(function) = ops_attr::cached_method(cache!(), object) {
                            let this = if i.temps & TEMP_B != 0 {
                                regs.offset(i.b as isize).replace(Value::UNBOUND)
                            } else {
                                object.clone()
                            };
                            set!(i.a, function);
                            set!(i.a + 1, this);
                            next!()
                        }
                        slow!(ops_attr::load_method(vm, frame, pc))
                    }
                    Op::LoadSuperAttr => done!(super_::load(vm, st, frame, pc, false)),
                    Op::LoadSuperMethod => done!(super_::load(vm, st, frame, pc, true)),
                    Op::LoadSubscr => {
                        if let Some(value) = ops_attr::sequence_item(vm, reg!(i.b), rk!(i.c)) {
                            release!(b);
                            set!(i.a, value);
                            next!()
                        }
                        entering!(ops_attr::load_subscr(vm, st, thread, frame, pc))
                    }
                    Op::StoreSubscr => {
                        if ops_attr::set_list_item(vm, reg!(i.a), rk!(i.b), rk!(i.c)) {
                            release!(c);
                            release!(a);
                            next!()
                        }
                        entering!(ops_attr::store_subscr(vm, st, thread, frame, pc))
                    }
                    Op::LoadSlice => done!(ops_attr::load_slice(vm, frame, pc)),
                    Op::StoreSlice => done!(ops_attr::store_slice(vm, frame, pc)),
                    Op::LoadDeref => {
                        let cell = (*regs.offset(i.b as isize)).payload_unchecked::<crate::cell::Cell>();
                        if let Some(value) = cell.contents.get() {
                            set!(i.a, value);
                            next!()
                        }
                        slow!(ops_name::unbound_deref(vm, frame, pc))
                    }
                    Op::StoreDeref => {
                        let value = ops_name::take(frame, i.b);
                        let cell = (*regs.offset(i.a as isize)).payload_unchecked::<crate::cell::Cell>();
                        cell.contents.set(Some(value));
                        next!()
                    }
                    Op::Call => {
                        let callee = regs.offset(i.b as isize);
                        if let Some(header) = (*callee).header()
                            && header.ty.get() as u64 == function_type
                            && ops_call::enter_simple(vm, thread, frame, pc, callee, 1, i.c as usize)
                        {
                            reload!();
                            turned!(hot::called(vm, st, frame));
                            continue 'dispatch;
                        }
                        entering!(ops_call::call(vm, st, thread, frame, pc))
                    }
                    Op::CallMethod => {
                        let callee = regs.offset(i.b as isize);
                        if let Some(header) = (*callee).header()
                            && header.ty.get() as u64 == function_type
                            && ops_call::enter_simple(vm, thread, frame, pc, callee, 1, i.c as usize + 1)
                        {
                            reload!();
                            turned!(hot::called(vm, st, frame));
                            continue 'dispatch;
                        }
                        entering!(ops_call::call_method(vm, st, thread, frame, pc))
                    }
                    Op::CallKw => entering!(ops_call::call_kw(vm, st, thread, frame, pc)),
                    Op::Comprehension => entering!(comprehension::enter(vm, st, thread, frame, pc)),
                    Op::MakeComprehension => done!(comprehension::make(vm, frame, pc)),
                    Op::GetIter => done!(ops_build::get_iter(vm, st, thread, frame, pc)),
                    Op::ForIter => iterate!(pc.add(1), pc.byte_offset(i.e as i32 as isize)),
                    Op::ForBack => {
                        poll!(pc);
                        let head = pc.byte_offset(i.e as i32 as isize);
                        if OBSERVE {
                            turn!(head)
                        }
                        if (*(*(*frame).form).loops.as_ptr().add(i.d as usize)).heat.cool() {
                            (*frame).pc = head;
                            turned!(hot::turn(vm, st, frame, i.d as usize));
                        }
                        iterate!(head.add(1), head.byte_offset((*head).e as i32 as isize))
                    }
                    Op::BuildTuple => done!(ops_build::build_tuple(vm, frame, pc)),
                    Op::BuildList => done!(ops_build::build_list(vm, frame, pc)),
                    Op::BuildString => done!(ops_build::build_string(vm, frame, pc)),
                    Op::Format => done!(ops_build::format(vm, frame, pc)),
                    Op::ListAppend => done!(ops_build::list_append(vm, frame, pc)),
                    Op::BuildMap => done!(ops_build::build_map(vm, frame, pc)),
                    Op::BuildSet => done!(ops_build::build_set(vm, frame, pc)),
                    Op::MapAdd => done!(ops_build::map_add(vm, frame, pc)),
                    Op::SetAdd => done!(ops_build::set_add(vm, frame, pc)),
                    Op::UnpackTwo => done!(ops_build::unpack_two(vm, frame, pc)),
                    Op::UnpackSequence => done!(ops_build::unpack_sequence(vm, frame, pc)),
                    Op::JumpIfNotExcMatch => slow_jump!(unwind::no_match(vm, frame, pc)),
                    Op::Return => {
                        (*frame).pc = pc;
                        let value = if i.b >= 0 && !(*frame).object.is_set() {
                            regs.offset(i.b as isize).replace(Value::UNBOUND)
                        } else {
                            ops_name::take(frame, i.b)
                        };
                        if (*frame).ret == Ret::Call && !(*frame).object.is_set() {
                            let dst = thread.leave_call(vm);
                            reload!();
                            set!(dst, value);
                            next!()
                        }
                        if (*frame).ret == Ret::Native && (*frame).is_plain() {
                            thread.leave_call(vm);
                            return Ok(Some(value));
                        }
                        if (*frame).generator.is_set() {
                            match generator::finish(vm, thread, value) {
                                generator::Finished::Native(value) => return Ok(Some(value)),
                                generator::Finished::ForIter => {
                                    reload!();
                                    let i = &*pc;
                                    set!(i.b, Value::UNBOUND);
                                    pc = ops_build::end(pc);
                                    continue 'dispatch;
                                }
                                generator::Finished::Delegate(value) => {
                                    reload!();
                                    set!((*pc).a, value);
                                    next!()
                                }
                            }
                        }
                        let done = leave(vm, thread);
                        match done.ret {
                            Ret::Call => {
                                let dst = done.dst;
                                drop(done);
                                reload!();
                                set!(dst, value);
                                next!()
                            }
                            Ret::Native => return Ok(Some(value)),
                            Ret::Discard => {
                                drop((done, value));
                                reload!();
                                next!()
                            }
                            Ret::Operator => {
                                drop(done);
                                reload!();
                                match dunder::operator_returned(vm, frame, pc, value) {
                                    Ok(true) => {
                                        let i = &*pc;
                                        pc = pc.byte_offset(i.e as i32 as isize);
                                        continue 'dispatch;
                                    }
                                    Ok(false) => next!(),
                                    Err(raised) => break 'dispatch raised,
                                }
                            }
                            _ => {
                                reload!();
                                match ops_call::init_done(vm, &done, &value) {
                                    Ok(object) => {
                                        set!(done.dst, object);
                                        next!()
                                    }
                                    Err(raised) => break 'dispatch raised,
                                }
                            }
                        }
                    }
                    Op::Yield => {
                        (*frame).pc = pc;
                        let mut value = ops_name::take(frame, i.b);
                        if (*frame).ret == Ret::Drain && (*(*frame).form).woven.is_none() {
                            match generator::deliver(vm, thread, value) {
                                Ok(None) => {
                                    set!(i.a, Value::NONE);
                                    next!()
                                }
                                Ok(Some(refused)) => value = refused,
                                Err(raised) => {
                                    generator::sleep_one(vm, thread);
                                    return Err(raised);
                                }
                            }
                        }
                        match generator::suspend(vm, st, thread, value) {
                            Err(raised) => break 'dispatch raised,
                            Ok(generator::Yielded::Native(value)) => return Ok(Some(value)),
                            Ok(generator::Yielded::ForIter(value)) => {
                                reload!();
                                set!((*pc).a, value);
                                pc = ops_build::body(pc);
                                continue 'dispatch;
                            }
                        }
                    }
                    Op::YieldFrom => {
                        (*frame).pc = pc;
                        match generator::delegate(vm, st, thread, frame, pc) {
                            Err(raised) => break 'dispatch raised,
                            Ok(generator::Delegated::Done) => next!(),
                            Ok(generator::Delegated::Entered) => {
                                reload!();
                                continue 'dispatch;
                            }
                            Ok(generator::Delegated::Yielded(generator::Yielded::Native(value))) => {
                                return Ok(Some(value));
                            }
                            Ok(generator::Delegated::Yielded(generator::Yielded::ForIter(value))) => {
                                reload!();
                                set!((*pc).a, value);
                                pc = ops_build::body(pc);
                                continue 'dispatch;
                            }
                        }
                    }
                    Op::Generic => entering!(ops_generic::execute(vm, st, thread, frame, pc)),
                }
            };
            match unwind::unwind(vm, thread, raised) {
                Ok(()) => reload!(),
                Err(raised) => return Err(raised),
            }
        }
    }
}

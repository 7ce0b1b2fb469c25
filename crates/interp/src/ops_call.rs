//! Calls.

use crate::dunder::python_method;
use crate::form::Instr;
use crate::frame::{Frame, Ret, Thread, drop_words};
use crate::function::Function;
use crate::hot::Phase;
use crate::instrument;
use crate::ops_arith::set;
use crate::poll;
use crate::run::{Entered, enter};
use crate::state::State;
use pellucid_object::interpreter::Plain;
use pellucid_object::native::{BoundMethod, call_fixed};
use pellucid_object::{CallArgs, Interpreter, Res, SlotWord, Tuple, Type, TypeFlags, Value};

/// The quick way to call a Python function: when its arguments are exactly its parameters, the window begins at them.
/// False: nothing was done.
///
/// # Safety
/// `callee` is a register of `frame`, the innermost frame, that holds a function, and `given` arguments stand from
/// `skip` registers behind it on; `pc` is the instruction.
#[inline(always)]
pub unsafe fn enter_simple(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    callee: *mut Value,
    skip: usize,
    given: usize,
) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let function = (*callee).payload_unchecked::<Function>();
        let Some(form) = function.code().ready_form() else { return false };
        let window = callee.add(skip);
        if !form.simple
            || form.argcount as usize != given
            || (*frame).generator.is_set()
            || poll::pending(vm)
            || form.calls.cool() && form.calls.phase.get() != Phase::Native
            || !thread.has_room(vm)
            || !thread.ready(window, form.nregs as usize)
        {
            return false;
        }
        (*frame).pc = pc;
        for index in given..form.first_temp as usize {
            window.add(index).write(Value::UNBOUND);
        }
        let Some(code) = function.code.get() else { return false };
        let function = callee.replace(Value::UNBOUND);
        thread.push_call(function, code, form, window, Ret::Call, (*pc).a, None);
        true
    }
}

/// # Safety
/// The innermost frame is `frame`, at the `Call` instruction `pc`.
pub unsafe fn call(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let base = i.b as usize;
        let callee = (*frame).regs.add(base).replace(Value::UNBOUND);
        call_at(
            vm,
            st,
            thread,
            frame,
            Call { callee, first: base + 1, room: 1, given: i.c as usize, names: &[], dst: i.a },
        )
    }
}

/// # Safety
/// As for [`call`], the instruction being `CallMethod`.
pub unsafe fn call_method(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let base = i.b as usize;
        let given = i.c as usize;
        let take = |index: usize| (*frame).regs.add(index).replace(Value::UNBOUND);
        let what = if (*(*frame).regs.add(base)).is_unbound() {
            Call { callee: take(base + 1), first: base + 2, room: 2, given, names: &[], dst: i.a }
        } else {
            Call { callee: take(base), first: base + 1, room: 1, given: given + 1, names: &[], dst: i.a }
        };
        call_at(vm, st, thread, frame, what)
    }
}

/// # Safety
/// As for [`call`], the instruction being `CallKw`.
pub unsafe fn call_kw(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let names = (&(*frame).code().consts)[i.d as usize].clone();
        let Some(tuple) = names.downcast::<Tuple>() else {
            return Err(vm.system_error("keyword names are no tuple".to_string()));
        };
        let base = i.b as usize;
        let callee = (*frame).regs.add(base).replace(Value::UNBOUND);
        // The tuple is a constant: only the collector could change it, and not while it is reachable.
        tuple.with(|names| {
            let given = i.c as usize;
            call_at(vm, st, thread, frame, Call { callee, first: base + 1, room: 1, given, names, dst: i.a })
        })
    }
}

/// A call whose arguments stand in registers from `first` on; `room` registers before them are free.
pub struct Call<'a> {
    pub callee: Value,
    pub first: usize,
    pub room: usize,
    pub given: usize,
    pub names: &'a [Value],
    pub dst: i16,
}

/// Calls; true when a frame was pushed.
///
/// # Safety
/// `frame` is the innermost frame, its `pc` is up to date, and the arguments are the topmost live temporaries.
#[inline(never)]
pub unsafe fn call_at(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    call: Call,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        if poll::pending(vm) {
            poll::poll(vm)?;
        }
        let pc = (*frame).pc;
        let Call { mut callee, mut first, mut room, mut given, names, dst } = call;
        if names.is_empty() && (*frame).form().woven.is_none() {
            let words = (*frame).regs.add(first);
            if let Some(result) = call_fixed(vm, &callee, std::slice::from_raw_parts(words, given)) {
                drop_words(words, words.add(given));
                set(frame, dst, result?);
                return instrument::settle(vm, st, thread, frame, pc, true);
            }
        }
        let mut ret = Ret::Call;
        let mut extra = None;
        while let Some(header) = callee.header() {
            if header.ty.get() as u64 == st.function.value().bits() {
                let window = window(vm, thread, frame, first, given)?;
                return match enter(vm, st, thread, callee, window, given, names, ret, dst, extra)? {
                    Entered::Frame => Ok(true),
                    Entered::Value(value) => {
                        set(frame, dst, value);
                        instrument::settle(vm, st, thread, frame, pc, true)
                    }
                };
            }
            // A method of a method, or of a class, may need more room than there is: it is called as any other object.
            if room == 0 {
                break;
            }
            room -= 1;
            let parts = match callee.downcast::<BoundMethod>() {
                Some(method) if header.ty.get() as u64 == vm.types().method.value().bits() => {
                    method.function.get().zip(method.this.get())
                }
                _ => None,
            };
            if let Some((function, this)) = parts {
                first -= 1;
                given += 1;
                (*frame).regs.add(first).write(this);
                callee = function;
                continue;
            }
            if ret == Ret::Call
                && let Some(init) = python_init(vm, st, &callee)
            {
                let object = vm.alloc_subclass(&callee, Plain)?;
                first -= 1;
                given += 1;
                (*frame).regs.add(first).write(object.clone());
                ret = Ret::Init;
                extra = Some(object);
                callee = init;
                continue;
            }
            if let Some(method) = python_method(vm, st, &callee, &st.names.__call__) {
                first -= 1;
                given += 1;
                (*frame).regs.add(first).write(callee);
                callee = method;
                continue;
            }
            break;
        }
        let words = (*frame).regs.add(first);
        let args = CallArgs { values: std::slice::from_raw_parts(words, given), names };
        let result = vm.call(&callee, &args);
        drop_words(words, words.add(given));
        let value = result?;
        drop(callee);
        set(frame, dst, value);
        instrument::settle(vm, st, thread, frame, pc, true)
    }
}

/// The `__init__` of a class whose instances are made by `object.__new__` and set up by a Python function.
pub fn python_init(vm: &Interpreter, st: &State, callee: &Value) -> Option<Value> {
    let ty = callee.downcast::<Type>()?;
    let types = vm.types();
    let meta = vm.type_of_ref(callee);
    let same_call = std::ptr::fn_addr_eq(meta.slots.call.get()?, types.type_.slots.call.get()?);
    let same_new = std::ptr::fn_addr_eq(ty.slots.new.get()?, types.object.slots.new.get()?);
    if !same_call || !same_new || ty.flags.get().contains(TypeFlags::ABSTRACT) {
        return None;
    }
    let init = ty.lookup(vm, &st.names.__init__)?;
    (init.header()?.ty.get() as u64 == st.function.value().bits()).then_some(init)
}

/// Where the callee's window begins: at the arguments, or, for a generator, whose registers are not on the stack, at
/// a copy of them.
///
/// # Safety
/// As for [`call_at`].
unsafe fn window(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    first: usize,
    given: usize,
) -> Res<*mut Value> {
    // SAFETY: by the contract.
    unsafe {
        let args = (*frame).regs.add(first);
        if !(*frame).generator.is_set() {
            return Ok(args);
        }
        let window = (*frame).end;
        if !thread.ready(window, given + 1) {
            return Err(thread.too_deep(vm));
        }
        for index in 0..given {
            window.add(index).write(args.add(index).replace(Value::UNBOUND));
        }
        Ok(window)
    }
}

/// What a call of a class gives once its `__init__` has returned `value`. Errors: `TypeError` when that is not None.
pub fn init_done(vm: &Interpreter, frame: &Frame, value: &Value) -> Res {
    init_object(vm, SlotWord::get(&frame.extra), value)
}

/// The same, the object being given.
pub fn init_object(vm: &Interpreter, object: Option<Value>, value: &Value) -> Res {
    if !value.is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("__init__() should return None, not '{got}'")));
    }
    match object {
        Some(object) => Ok(object),
        None => Err(vm.bug("a call of a class lost its object")),
    }
}

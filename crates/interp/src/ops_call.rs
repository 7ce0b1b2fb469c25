//! Calls.

use crate::dunder::python_method;
use crate::form::Instr;
use crate::frame::{Frame, Ret, Thread, drop_words};
use crate::function::Function;
use crate::hot::Phase;
use crate::instrument;
use crate::ops_arith::set;
use crate::poll;
use crate::run::{Entered, enter, is_function};
use crate::state::State;
use pellucid_object::interpreter::Plain;
use pellucid_object::native::{BoundMethod, call_positional};
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

/// As [`enter_simple`], for functions that besides take defaults or have free variables, and for generators as callers, whose
/// registers are not on the stack.
///
/// # Safety
/// As for [`enter_simple`], `callee` being any value.
#[inline(never)]
unsafe fn enter_plain(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    callee: *mut Value,
    given: usize,
) -> bool {
    // SAFETY: by the contract; what is borrowed belongs to the function, and nothing runs before its frame stands.
    unsafe {
        if !is_function(st, &*callee) {
            return false;
        }
        let function = (*callee).payload_unchecked::<Function>();
        let Some(form) = function.code().ready_form() else { return false };
        let count = form.argcount as usize;
        let args = callee.add(1);
        let window = if (*frame).generator.is_set() { (*frame).end } else { args };
        if !form.positional
            || form.generator
            || form.ncells > 0
            || given > count
            || poll::pending(vm)
            || !thread.has_room(vm)
            || !thread.ready(window, form.nregs as usize)
        {
            return false;
        }
        let (defaults, closure) = (function.defaults.raw(), function.closure.raw());
        let (lacking, frees) = (count - given, form.nfrees as usize);
        let fits = |tuple: &u64, wanted: usize, exact: bool| {
            let len = match *tuple {
                0 => 0,
                _ => Value::borrow_bits(tuple).payload_unchecked::<Tuple>().len(),
            };
            if exact { len == wanted } else { len >= wanted }
        };
        if lacking > 0 && !fits(&defaults, lacking, false) || frees > 0 && !fits(&closure, frees, true) {
            return false;
        }
        let Some(code) = function.code.get() else { return false };
        (*frame).pc = pc;
        if window != args {
            (0..given).for_each(|index| window.add(index).write(args.add(index).replace(Value::UNBOUND)));
        }
        let copy = |tuple: &u64, to: usize, count: usize| {
            Value::borrow_bits(tuple).payload_unchecked::<Tuple>().with(|items| {
                let last = &items[items.len() - count..];
                last.iter().enumerate().for_each(|(at, item)| window.add(to + at).write(item.clone()));
            });
        };
        if lacking > 0 {
            copy(&defaults, given, lacking);
        }
        for index in count..form.nlocals as usize {
            window.add(index).write(Value::UNBOUND);
        }
        if frees > 0 {
            copy(&closure, form.nlocals as usize, frees);
        }
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
        let place = (*frame).regs.add(base);
        if enter_plain(vm, st, thread, frame, pc, place, i.c as usize) {
            return Ok(true);
        }
        let callee = place.replace(Value::UNBOUND);
        call_at(
            vm,
            st,
            thread,
            frame,
            Call {
                callee,
                place: Place::Register(base + 1),
                room: 1,
                given: i.c as usize,
                names: &[],
                dst: i.a,
            },
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
        let bound = usize::from((*(*frame).regs.add(base)).is_unbound());
        if enter_plain(vm, st, thread, frame, pc, (*frame).regs.add(base + bound), given + 1 - bound) {
            return Ok(true);
        }
        let take = |index: usize| (*frame).regs.add(index).replace(Value::UNBOUND);
        let what = if (*(*frame).regs.add(base)).is_unbound() {
            let place = Place::Register(base + 2);
            Call { callee: take(base + 1), place, room: 2, given, names: &[], dst: i.a }
        } else {
            let place = Place::Register(base + 1);
            Call { callee: take(base), place, room: 1, given: given + 1, names: &[], dst: i.a }
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
            let (place, given) = (Place::Register(base + 1), i.c as usize);
            call_at(vm, st, thread, frame, Call { callee, place, room: 1, given, names, dst: i.a })
        })
    }
}

/// Where the arguments of a call begin.
#[derive(Clone, Copy)]
pub enum Place {
    /// At a register of the caller.
    Register(usize),
    /// Behind the caller's window, in words that are nobody's.
    Behind(*mut Value),
}

/// A call; `room` words before its arguments are free.
pub struct Call<'a> {
    pub callee: Value,
    pub place: Place,
    pub room: usize,
    pub given: usize,
    pub names: &'a [Value],
    pub dst: i16,
}

/// Calls; true when a frame was pushed.
///
/// # Safety
/// `frame` is the innermost frame, its `pc` is up to date, and the arguments are the topmost live temporaries, or, behind
/// the frame's window, in words made ready, one more than it needs.
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
        let (pc, end) = ((*frame).pc, (*frame).end);
        let Call { mut callee, place, mut room, mut given, names, dst } = call;
        let mut first = match place {
            Place::Register(index) => {
                if poll::pending(vm) {
                    poll::poll(vm)?;
                }
                (*frame).regs.add(index)
            }
            Place::Behind(first) => {
                // What runs before the callee stays behind its arguments.
                (*frame).end = first.add(given);
                first
            }
        };
        let mut ret = Ret::Call;
        let mut extra = None;
        while let Some(header) = callee.header() {
            let ty = header.ty.get() as u64;
            if ty == st.function.value().bits() {
                let window = match place {
                    Place::Register(_) => window(vm, thread, frame, first, given)?,
                    Place::Behind(_) => first,
                };
                (*frame).end = end;
                return match enter(vm, st, thread, callee, window, given, names, ret, dst, extra)? {
                    Entered::Frame => Ok(true),
                    Entered::Value(value) => {
                        set(frame, dst, value);
                        instrument::settle(vm, st, thread, frame, pc, true)
                    }
                };
            }
            if ty == vm.types().method.value().bits() && room > 0 {
                let method = callee.payload_unchecked::<BoundMethod>();
                let Some((function, this)) = method.function.get().zip(method.this.get()) else { break };
                room -= 1;
                first = first.sub(1);
                given += 1;
                first.write(this);
                callee = function;
                continue;
            }
            let plain = ret == Ret::Call && names.is_empty() && (*frame).form().woven.is_none();
            if plain
                && let Some(result) = call_positional(vm, &callee, std::slice::from_raw_parts(first, given))
            {
                drop_words(first, first.add(given));
                (*frame).end = end;
                set(frame, dst, result?);
                return instrument::settle(vm, st, thread, frame, pc, true);
            }
            // A method of a method, or of a class, may need more room than there is: it is called as any other object.
            if room == 0 {
                break;
            }
            room -= 1;
            if ret == Ret::Call
                && let Some(init) = python_init(vm, st, &callee)
            {
                let object = match vm.alloc_subclass(&callee, Plain) {
                    Ok(object) => object,
                    Err(raised) => {
                        drop_words(first, first.add(given));
                        (*frame).end = end;
                        return Err(raised);
                    }
                };
                first = first.sub(1);
                given += 1;
                first.write(object.clone());
                ret = Ret::Init;
                extra = Some(object);
                callee = init;
                continue;
            }
            if let Some(method) = python_method(vm, st, &callee, &st.names.__call__) {
                first = first.sub(1);
                given += 1;
                first.write(callee);
                callee = method;
                continue;
            }
            break;
        }
        let args = CallArgs { values: std::slice::from_raw_parts(first, given), names };
        let result = vm.call(&callee, &args);
        drop_words(first, first.add(given));
        (*frame).end = end;
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
    args: *mut Value,
    given: usize,
) -> Res<*mut Value> {
    // SAFETY: by the contract.
    unsafe {
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

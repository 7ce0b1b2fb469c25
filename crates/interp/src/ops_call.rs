//! Calls.

use crate::dunder::python_method;
use crate::form::Instr;
use crate::frame::{Frame, Ret, Thread, drop_words};
use crate::function::Function;
use crate::hot::Phase;
use crate::instrument;
use crate::ops_arith::set;
use crate::poll;
use crate::run::{Entered, enter, is_exact, is_function};
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

/// As [`enter_simple`], for functions that besides take defaults or surplus arguments or have free variables, and for
/// generators as callers, whose registers are not on the stack. Errors: `MemoryError`.
///
/// # Safety
/// `function` is one, and `given` arguments stand in registers of `frame`, the innermost frame, from `args` on; `pc` is the
/// instruction.
#[inline(never)]
unsafe fn enter_plain(
    vm: &Interpreter,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    function: &Value,
    args: *mut Value,
    given: usize,
) -> Res<bool> {
    // SAFETY: by the contract; what is borrowed belongs to the function, and nothing runs before its frame stands.
    unsafe {
        let data = function.payload_unchecked::<Function>();
        let Some(form) = data.code().ready_form() else { return Ok(false) };
        let count = form.argcount as usize;
        let window = if (*frame).generator.is_set() { (*frame).end } else { args };
        if !form.quick
            || given > count && !form.star
            || poll::pending(vm)
            || !thread.has_room(vm)
            || !thread.ready(window, form.nregs as usize)
        {
            return Ok(false);
        }
        let (defaults, closure) = (data.defaults.raw(), data.closure.raw());
        let (lacking, frees) = (count.saturating_sub(given), form.nfrees as usize);
        let fits = |tuple: &u64, wanted: usize, exact: bool| {
            let len = match *tuple {
                0 => 0,
                _ => Value::borrow_bits(tuple).payload_unchecked::<Tuple>().len(),
            };
            if exact { len == wanted } else { len >= wanted }
        };
        if lacking > 0 && !fits(&defaults, lacking, false) || frees > 0 && !fits(&closure, frees, true) {
            return Ok(false);
        }
        let Some(code) = data.code.get() else { return Ok(false) };
        (*frame).pc = pc;
        let (mut star, mut double_star) = (None, None);
        if form.star {
            let surplus = |at: usize| args.add(count + at).replace(Value::UNBOUND);
            star = Some(vm.tuple_from(given.saturating_sub(count), surplus)?);
        }
        if form.double_star {
            double_star = Some(vm.new_dict()?.into_value());
        }
        let given = given.min(count);
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
        let mut next = count;
        if let Some(tuple) = star {
            window.add(next).write(tuple);
            next += 1;
        }
        if let Some(dict) = double_star {
            window.add(next).write(dict);
            next += 1;
        }
        for index in next..form.nlocals as usize {
            window.add(index).write(Value::UNBOUND);
        }
        if frees > 0 {
            copy(&closure, form.nlocals as usize, frees);
        }
        thread.push_call(function.clone(), code, form, window, Ret::Call, (*pc).a, None);
        Ok(true)
    }
}

/// The quick way to call a native function that takes its `given` arguments where they stand, behind the callee.
/// `None`: nothing was done.
///
/// # Safety
/// `callee` and the arguments are the topmost live temporaries of `frame`, the innermost frame.
#[inline(always)]
unsafe fn call_native(vm: &Interpreter, frame: *mut Frame, callee: *mut Value, given: usize) -> Option<Res> {
    // SAFETY: by the contract; nobody else reaches the temporaries while the function runs.
    unsafe {
        if poll::pending(vm) || (*frame).form().woven.is_some() {
            return None;
        }
        let args = callee.add(1);
        let result = call_positional(vm, &*callee, std::slice::from_raw_parts(args, given))?;
        drop_words(callee, args.add(given));
        Some(result)
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
    unsafe { call_register(vm, st, thread, frame, pc, (*pc).b as usize, (*pc).c as usize, 1) }
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
        let (base, given) = ((*pc).b as usize, (*pc).c as usize);
        match (*(*frame).regs.add(base)).is_unbound() {
            true => call_register(vm, st, thread, frame, pc, base + 1, given, 2),
            false => call_register(vm, st, thread, frame, pc, base, given + 1, 1),
        }
    }
}

/// Calls what stands in register `base` with the `given` arguments behind it; `room` words before these are free.
///
/// # Safety
/// As for [`call`].
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn call_register(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
    base: usize,
    given: usize,
    room: usize,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let place = (*frame).regs.add(base);
        if is_function(st, &*place) {
            if enter_plain(vm, thread, frame, pc, &*place, place.add(1), given)? {
                drop(place.replace(Value::UNBOUND));
                return Ok(true);
            }
        } else if is_exact(&vm.types().method, &*place) {
            let method = (*place).payload_unchecked::<BoundMethod>();
            if let Some((function, this)) = method.function.get().zip(method.this.get())
                && is_function(st, &function)
            {
                drop(place.replace(this));
                if enter_plain(vm, thread, frame, pc, &function, place, given + 1)? {
                    return Ok(true);
                }
                let place = Place::Register(base);
                let (callee, room, given) = (function, room - 1, given + 1);
                let call = Call { callee, place, room, given, names: &[], dst: (*pc).a };
                return call_at(vm, st, thread, frame, call);
            }
        } else if let Some(result) = call_native(vm, frame, place, given) {
            set(frame, (*pc).a, result?);
            return instrument::settle(vm, st, thread, frame, pc, true);
        }
        let callee = place.replace(Value::UNBOUND);
        let place = Place::Register(base + 1);
        let call = Call { callee, place, room, given, names: &[], dst: (*pc).a };
        call_at(vm, st, thread, frame, call)
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

//! The way back: what machine code calls when it leaves, so that the interpreter finds the frames as it would have made them.

use crate::ir::Ty;
use pellucid_interp::form::{Form, Instr};
use pellucid_interp::frame::{Frame, Ret};
use pellucid_interp::hot::{Heat, Place, Status};
use pellucid_object::{Interpreter, RangeIterator, Res, Value};
use std::cell::Cell;

/// What machine code holds the addresses of: it must not move when more is added.
#[allow(clippy::vec_box)]
pub type Pinned<T> = Vec<Box<T>>;

/// What a value is made of and how it becomes a word.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Int,
    Float,
    Bool,
    /// Borrowed: it is counted now.
    Word,
    /// Two values: the next or first value and the stop; the step stands here.
    Range(i64),
    RangeIter(i64),
}

/// A frame inside the root's.
pub struct WayFrame {
    pub code: Value,
    pub form: *const Form,
    pub base: u16,
    /// The caller's call, and its register for the result.
    pub call: u32,
    pub dst: i16,
    /// The caller's register that holds the callee, counted from the root's.
    pub callee: Option<u16>,
    pub has_object: bool,
    /// The frame exists already.
    pub framed: bool,
}

/// How the frame of an inlined call is made.
pub struct Push {
    pub code: Value,
    pub form: *const Form,
    pub base: u16,
    pub dst: i16,
    /// The caller's call.
    pub call: *const Instr,
}

/// An exit as the run time needs it.
pub struct Way {
    /// Where the innermost frame goes on; `u32::MAX`: it knows already.
    pub pc: u32,
    pub puts: Vec<(u16, Kind)>,
    pub frames: Vec<WayFrame>,
    /// An item of a list is still to be stored, of this type.
    pub item: Option<Ty>,
    pub why: &'static str,
    /// How often it was taken.
    pub taken: Cell<u32>,
    pub form: *const Form,
    pub place: Place,
}

/// How often an exit is taken before the code is compiled again.
const PATIENCE: u32 = 12;
/// The same where code that was left out is reached.
const PATIENCE_WITH_NEWS: u32 = 150;
/// Why exits are taken, where that matters.
pub const NEVER_REACHED: &str = "was never reached";
pub const BEFORE_LOOP: &str = "guard before a loop";
/// How often a place is compiled at most.
const MOST_COMPILED: u32 = 5;

/// Takes a way back: puts the values at `values` where they belong, makes the frames of inlined calls, and says where the
/// innermost one goes on.
///
/// # Safety
/// `frame` is the frame that machine code was entered with, `way` one of the code's, and `values` points to what that needs.
pub unsafe extern "C" fn leave(
    vm: *const Interpreter,
    frame: *mut Frame,
    way: *const Way,
    values: *const u64,
) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let (vm, way) = (&*vm, &*way);
        match take(vm, frame, way, values) {
            Ok(()) => Status::On as u64,
            Err(_) => Status::Raised as u64,
        }
    }
}

/// # Safety
/// As for [`leave`].
unsafe fn take(vm: &Interpreter, frame: *mut Frame, way: &Way, mut values: *const u64) -> Res<()> {
    // SAFETY: by the contract; registers that are put hold no heap word.
    unsafe {
        let mut next = || {
            let value = *values;
            values = values.add(1);
            value
        };
        let regs = (*frame).regs;
        for (register, kind) in &way.puts {
            let value = match kind {
                Kind::Int => Value::from_bits(next() | 1),
                Kind::Float => vm.new_float(f64::from_bits(next()))?,
                Kind::Bool => Value::bool(next() & 1 != 0),
                Kind::Word => {
                    let bits = next();
                    Value::borrow_bits(&bits).clone()
                }
                Kind::Range(step) => new_range(vm, next(), next(), *step)?,
                Kind::RangeIter(step) => new_range_iterator(vm, next(), next(), *step)?,
            };
            regs.add(*register as usize).write(value);
        }
        if way.pc == u32::MAX {
            return Ok(());
        }
        if let Some(ty) = way.item {
            // The last three values: where the item stands, its index, doubled, and its value, none of which is counted.
            let count = way.frames.iter().map(|frame| 1 + usize::from(frame.has_object)).sum::<usize>();
            let [items, index, value] = *values.add(count).cast::<[u64; 3]>();
            let word = match ty {
                Ty::Int => value | 1,
                Ty::Bool => Value::bool(value & 1 != 0).into_bits(),
                _ => value,
            };
            (items as *mut u64).add(int(index) as usize).write(word);
        }
        let mut next = || {
            let value = *values;
            values = values.add(1);
            value
        };
        let mut form: *const Form = way.form;
        let mut innermost = frame;
        let thread = pellucid_interp::state::thread(vm);
        for inner in &way.frames {
            let bits = next();
            let object = inner.has_object.then(&mut next);
            if inner.framed {
                (*innermost).pc = &(&(*form).instrs)[inner.call as usize];
                form = inner.form;
                innermost = innermost.add(1);
                continue;
            }
            let held = inner.callee.map(|callee| regs.add(callee as usize));
            let function = match held {
                Some(held) if (*held).is_heap() => held.replace(Value::UNBOUND),
                _ => Value::borrow_bits(&bits).clone(),
            };
            (*innermost).pc = &(&(*form).instrs)[inner.call as usize];
            let object = object.map(|bits| Value::borrow_bits(&bits).clone());
            let ret = if object.is_some() { Ret::Init } else { Ret::Call };
            form = inner.form;
            let window = regs.add(inner.base as usize);
            thread.push_call(function, inner.code.clone(), &*form, window, ret, inner.dst, object);
            innermost = thread.top_ptr();
        }
        (*innermost).pc = &(&(*form).instrs)[way.pc as usize];
        count(vm, way, &*form);
        Ok(())
    }
}

/// Counts an exit. One that is taken again and again shows that the code assumed too much.
///
/// # Safety
/// The forms are live.
unsafe fn count(vm: &Interpreter, way: &Way, innermost: &Form) {
    let taken = way.taken.get() + 1;
    way.taken.set(taken);
    if way.why.is_empty() || way.why == "poll" {
        return;
    }
    let seen = &innermost.seen()[way.pc as usize];
    let patience = match way.why {
        NEVER_REACHED => {
            seen.ran.set(seen.ran.get().max(1));
            PATIENCE_WITH_NEWS
        }
        BEFORE_LOOP => PATIENCE,
        _ => {
            seen.failed.set(seen.failed.get().saturating_add(1));
            PATIENCE
        }
    };
    if taken < patience {
        return;
    }
    // SAFETY: by the contract.
    let form = unsafe { &*way.form };
    let heat: &Heat = match way.place {
        Place::Call => &form.calls,
        Place::Loop(index) => &form.loops[index].heat,
    };
    if way.why == BEFORE_LOOP {
        heat.hoisted_in_vain.set(heat.hoisted_in_vain.get() + 1);
    }
    way.taken.set(0);
    if heat.compiled.get() < MOST_COMPILED {
        heat.again(pellucid_interp::state::state(vm).tier.loop_heat.get().clamp(1, 16));
    } else {
        heat.never();
    }
}

/// A doubled int.
fn int(doubled: u64) -> i64 {
    doubled as i64 >> 1
}

/// A range object.
fn new_range(vm: &Interpreter, start: u64, stop: u64, step: i64) -> Res {
    let range = vm.type_for(&pellucid_types::range::RANGE)?;
    let args = [vm.new_int(int(start))?, vm.new_int(int(stop))?, vm.new_int(step)?];
    vm.call(range.value(), &pellucid_object::CallArgs::new(&args))
}

/// An iterator over the rest of a range.
fn new_range_iterator(vm: &Interpreter, next: u64, stop: u64, step: i64) -> Res {
    let (next, stop) = (int(next), int(stop));
    let way = if step > 0 { stop - next } else { next - stop };
    let left = if way <= 0 { 0 } else { (way as u64).div_ceil(step.unsigned_abs()) as i64 };
    let iterator = RangeIterator { next: Cell::new(next), step, left: Cell::new(left) };
    vm.alloc(&pellucid_interp::state::state(vm).range_iterator, iterator)
}

/// Makes a range or its iterator; 0 without memory.
///
/// # Safety
/// Called by machine code.
pub unsafe extern "C" fn make_range(vm: *const Interpreter, a: u64, b: u64, step: i64, iterator: u64) -> u64 {
    // SAFETY: machine code passes its interpreter.
    let vm = unsafe { &*vm };
    let made = if iterator != 0 { new_range_iterator(vm, a, b, step) } else { new_range(vm, a, b, step) };
    match made {
        Ok(value) => value.into_bits(),
        Err(raised) => {
            // The exit that is taken does the instruction again, and raises then.
            drop(vm.take_raised(raised));
            0
        }
    }
}

/// Appends a word to an exact list; 0 without memory.
///
/// # Safety
/// Called by machine code with a list and a live word.
pub unsafe extern "C" fn append(vm: *const Interpreter, list: u64, word: u64) -> u64 {
    // SAFETY: by the contract.
    let (vm, list, value) = unsafe { (&*vm, Value::borrow_bits(&list), Value::borrow_bits(&word).clone()) };
    let Some(list) = list.downcast::<pellucid_object::List>() else { return 0 };
    match list.push(vm, value) {
        Ok(()) => 1,
        Err(raised) => {
            drop(vm.take_raised(raised));
            0
        }
    }
}

/// The word of a float that does not fit one. Without memory that of an unbound variable, which raises when it is used.
///
/// # Safety
/// Called by machine code.
pub unsafe extern "C" fn heap_float(vm: *const Interpreter, bits: u64) -> u64 {
    // SAFETY: machine code passes its interpreter.
    let vm = unsafe { &*vm };
    match vm.new_float(f64::from_bits(bits)) {
        Ok(value) => value.into_bits(),
        Err(raised) => {
            drop(vm.take_raised(raised));
            Value::UNBOUND.into_bits()
        }
    }
}

/// Makes the frame of an inlined call; the function's reference goes over to it.
///
/// # Safety
/// Called by machine code whose entry made sure of the room; `caller` is the innermost frame.
pub unsafe extern "C" fn push_frame(
    vm: *const Interpreter,
    caller: *mut Frame,
    regs: *mut Value,
    push: *const Push,
    function: u64,
    object: u64,
) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let push = &*push;
        let thread = pellucid_interp::state::thread(&*vm);
        (*caller).pc = push.call;
        let (ret, object) = match object {
            0 => (Ret::Call, None),
            bits => (Ret::Init, Some(Value::borrow_bits(&bits).clone())),
        };
        let window = regs.add(push.base as usize);
        let function = Value::from_bits(function);
        thread.push_call(function, push.code.clone(), &*push.form, window, ret, push.dst, object);
        0
    }
}

/// Takes the innermost frame, of an inlined call, off.
///
/// # Safety
/// Called by machine code that made the frame; nobody has asked for its frame object.
pub unsafe extern "C" fn pop_frame(vm: *const Interpreter) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let thread = pellucid_interp::state::thread(&*vm);
        match (*thread.top_ptr()).is_plain() {
            true => drop(thread.drop_top()),
            false => drop(thread.pop()),
        }
    }
    0
}

/// A new instance of a class whose instances are plain; 0 without memory.
///
/// # Safety
/// Called by machine code with a class that was seen to be such a one.
pub unsafe extern "C" fn new_instance(vm: *const Interpreter, class: u64) -> u64 {
    // SAFETY: by the contract.
    let (vm, class) = unsafe { (&*vm, Value::borrow_bits(&class)) };
    match vm.alloc_subclass(class, pellucid_object::interpreter::Plain) {
        Ok(object) => object.into_bits(),
        Err(raised) => {
            drop(vm.take_raised(raised));
            0
        }
    }
}

/// The item of an exact tuple at a doubled index, borrowed; 0 when there is none.
///
/// # Safety
/// Called by machine code with a tuple.
pub unsafe extern "C" fn tuple_item(tuple: u64, index: u64) -> u64 {
    // SAFETY: by the contract.
    let tuple = unsafe { Value::borrow_bits(&tuple).payload_unchecked::<pellucid_object::Tuple>() };
    let (items, index) = (tuple.as_slice(), int(index));
    let index = if index < 0 { index + items.len() as i64 } else { index };
    usize::try_from(index).ok().and_then(|index| items.get(index)).map_or(0, Value::bits)
}

//! The way back: what machine code calls when it leaves, so that the interpreter finds the frames as it would have made them.

use crate::build::EXACT;
use crate::ir::Ty;
use pellucid_interp::form::{Form, Instr};
use pellucid_interp::frame::{Frame, Ret};
use pellucid_interp::hot::{self, Heat, Place, Status};
use pellucid_object::protocol::CmpOp;
use pellucid_object::{Interpreter, RangeIterator, Res, Value};
use std::cell::Cell;

/// What machine code holds the addresses of: it must not move when more is added.
#[allow(clippy::vec_box)]
pub type Pinned<T> = Vec<Box<T>>;

/// What a value is made of and how it becomes a word.
#[derive(Clone, Debug)]
pub enum Kind {
    Int,
    Float,
    Bool,
    /// Borrowed: it is counted now.
    Word,
    /// Two values: the next or first value and the stop; the step stands here.
    Range(i64),
    RangeIter(i64),
    /// An iterator over the list in the register: the next index; for an enumeration also the number of the first item.
    Walk {
        counts: bool,
    },
    /// A tuple of so many values.
    Tuple(Box<[Kind]>),
    /// No value: the object that was put into this register.
    Again(u16),
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
    pub ret: Ret,
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
    pub ret: Ret,
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
    /// Words that die when all is in place.
    pub drops: usize,
    pub why: &'static str,
    /// How often it was taken since the code was last thought about, and in all.
    pub taken: Cell<u32>,
    pub total: Cell<u64>,
    /// How often it will be taken without need, which shows nothing.
    pub forced: Cell<u32>,
    pub form: *const Form,
    pub place: Place,
}

impl Way {
    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Way>() + size_of_val(&*self.puts) + size_of_val(&*self.frames)
    }
}

/// What machine code calls, with names for listings.
pub const HELPERS: &[(&str, *const ())] = &[
    ("leave", leave as *const ()),
    ("step", pellucid_interp::hot::step as *const ()),
    ("last_drop", pellucid_interp::hot::last_drop as *const ()),
    ("make_range", make_range as *const ()),
    ("make_tuple", make_tuple as *const ()),
    ("add", add as *const ()),
    ("sub", sub as *const ()),
    ("mul", mul as *const ()),
    ("compare", compare as *const ()),
    ("append", append as *const ()),
    ("heap_float", heap_float as *const ()),
    ("push_frame", push_frame as *const ()),
    ("pop_frame", pop_frame as *const ()),
    ("new_instance", new_instance as *const ()),
    ("tuple_item", tuple_item as *const ()),
];

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
                Kind::Walk { counts } => {
                    let list = regs.add(*register as usize).replace(Value::UNBOUND);
                    let index = int(next());
                    new_walk(vm, &list, index, counts.then(|| int(next())))?
                }
                Kind::Again(other) => (*regs.add(*other as usize)).clone(),
                kind => put(vm, kind, &mut next)?,
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
            form = inner.form;
            let window = regs.add(inner.base as usize);
            thread.push_call(function, inner.code.clone(), &*form, window, inner.ret, inner.dst, object);
            innermost = thread.top_ptr();
        }
        (*innermost).pc = &(&(*form).instrs)[way.pc as usize];
        count(vm, way, innermost, &*form);
        let dying = values.add(if way.item.is_some() { 3 } else { 0 });
        (0..way.drops).for_each(|index| drop(Value::from_bits(*dying.add(index))));
        Ok(())
    }
}

/// A value that is to be put into a register; `next` gives the machine's values.
///
/// # Safety
/// Those that are words are live.
unsafe fn put(vm: &Interpreter, kind: &Kind, next: &mut impl FnMut() -> u64) -> Res {
    Ok(match kind {
        Kind::Int => Value::small_int(int(next())).unwrap_or(Value::UNBOUND),
        Kind::Float => {
            let bits = next();
            insist(vm, || vm.new_float(f64::from_bits(bits)))?
        }
        Kind::Bool => Value::bool(next() & 1 != 0),
        Kind::Word => {
            let bits = next();
            // SAFETY: by the contract.
            unsafe { Value::borrow_bits(&bits).clone() }
        }
        Kind::Range(step) => new_range(vm, next(), next(), *step)?,
        Kind::RangeIter(step) => new_range_iterator(vm, next(), next(), *step)?,
        Kind::Tuple(kinds) => {
            // SAFETY: by the contract.
            let items: Res<Vec<Value>> = kinds.iter().map(|kind| unsafe { put(vm, kind, next) }).collect();
            vm.new_tuple(items?)?
        }
        Kind::Again(_) | Kind::Walk { .. } => return Err(vm.bug("a value that is no value's part")),
    })
}

/// Counts an exit. One that is taken again and again shows that the code assumed too much.
///
/// # Safety
/// The forms are live; `frame` is the innermost frame, which goes on with `innermost`.
unsafe fn count(vm: &Interpreter, way: &Way, frame: *mut Frame, innermost: &Form) {
    way.total.set(way.total.get() + 1);
    if way.forced.get() > 0 {
        way.forced.set(way.forced.get() - 1);
        return;
    }
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
            // SAFETY: by the contract.
            unsafe { hot::note_kinds(vm, frame, &innermost.instrs[way.pc as usize], seen) };
            seen.note_failure();
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
        heat.never("what it assumed did not hold too often");
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

/// An iterator over a list or tuple from an index on, or an enumeration whose first item would have the number `start`.
fn new_walk(vm: &Interpreter, sequence: &Value, index: i64, start: Option<i64>) -> Res {
    let iterator = match pellucid_object::list::ListIterator::new(sequence, index, 1) {
        Some(walk) => vm.alloc(&pellucid_interp::state::state(vm).list_iterator, walk)?,
        None => pellucid_types::tuple::iterator_from(vm, sequence, index)?,
    };
    match start {
        Some(start) => pellucid_types::iterators::enumerate_from(vm, iterator, start + index),
        None => Ok(iterator),
    }
}

/// The same for machine code, with doubled ints; takes the reference to the list. 0 without memory, and then it does not.
///
/// # Safety
/// Called by machine code with a live list.
pub unsafe extern "C" fn make_walk(
    vm: *const Interpreter,
    list: u64,
    index: u64,
    start: u64,
    counts: u64,
) -> u64 {
    // SAFETY: by the contract.
    let (vm, held) = unsafe { (&*vm, Value::borrow_bits(&list)) };
    match new_walk(vm, held, int(index), (counts != 0).then(|| int(start))) {
        Ok(value) => {
            // SAFETY: the caller's reference, which the iterator's own replaces.
            drop(unsafe { Value::from_bits(list) });
            value.into_bits()
        }
        Err(raised) => {
            drop(vm.take_raised(raised));
            0
        }
    }
}

/// Makes a tuple of `count` words at `items`, whose references it takes; 0 without memory.
///
/// # Safety
/// Called by machine code with so many live words.
pub unsafe extern "C" fn make_tuple(vm: *const Interpreter, items: *const u64, count: u64) -> u64 {
    // SAFETY: by the contract.
    let (vm, items) = unsafe { (&*vm, std::slice::from_raw_parts(items.cast::<Value>(), count as usize)) };
    // SAFETY: each word is moved out once.
    let made = vm.new_tuple(items.iter().map(|item| unsafe { std::ptr::read(item) }).collect());
    match made {
        Ok(value) => value.into_bits(),
        Err(raised) => {
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

/// Makes something where nothing can be raised: beyond the limit of memory if need be, and the next poll raises `MemoryError`.
/// Errors: the system itself has no memory left.
fn insist(vm: &Interpreter, make: impl Fn() -> Res) -> Res {
    make().or_else(|raised| {
        drop(vm.take_raised(raised));
        vm.memory_was_refused();
        make()
    })
}

/// The word of a float that does not fit one; see [`insist`]. When the system has nothing left, that of an unbound variable, which
/// raises when it is used.
///
/// # Safety
/// Called by machine code.
pub unsafe extern "C" fn heap_float(vm: *const Interpreter, bits: u64) -> u64 {
    // SAFETY: machine code passes its interpreter.
    let vm = unsafe { &*vm };
    match insist(vm, || vm.new_float(f64::from_bits(bits))) {
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
        let object = (object != 0).then(|| Value::borrow_bits(&object).clone());
        let window = regs.add(push.base as usize);
        let function = Value::from_bits(function);
        thread.push_call(function, push.code.clone(), &*push.form, window, push.ret, push.dst, object);
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

/// The number of items of an exact tuple.
///
/// # Safety
/// Called by machine code with a tuple.
pub unsafe extern "C" fn tuple_len(tuple: u64) -> u64 {
    // SAFETY: by the contract.
    let tuple = unsafe { Value::borrow_bits(&tuple).payload_unchecked::<pellucid_object::Tuple>() };
    tuple.as_slice().len() as u64
}

/// Where the items of an exact tuple begin.
///
/// # Safety
/// As for [`tuple_len`].
pub unsafe extern "C" fn tuple_items(tuple: u64) -> u64 {
    // SAFETY: by the contract.
    let tuple = unsafe { Value::borrow_bits(&tuple).payload_unchecked::<pellucid_object::Tuple>() };
    tuple.as_slice().as_ptr() as u64
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

/// A number in a word.
enum Number {
    Int(i64),
    Float(f64),
}

/// # Safety
/// `bits` is the word of a live value.
unsafe fn number(vm: &Interpreter, bits: u64) -> Option<Number> {
    // SAFETY: by the contract.
    let word = unsafe { Value::borrow_bits(&bits) };
    match (word.as_small_int(), word.as_small_float()) {
        (Some(n), _) => Some(Number::Int(n)),
        (_, Some(f)) => Some(Number::Float(f)),
        _ if pellucid_interp::run::is_exact(&vm.types().float, word) => {
            word.downcast::<pellucid_object::float::Float>().map(|f| Number::Float(f.0))
        }
        _ => None,
    }
}

/// What an operator makes of two numbers, with a reference to give away; 0 when an int does not fit a word, or without memory.
///
/// # Safety
/// Called by machine code with live words that are ints, exact floats or anything else.
unsafe fn arith(
    vm: *const Interpreter,
    a: u64,
    b: u64,
    ints: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
) -> u64 {
    use Number::{Float, Int};
    // SAFETY: by the contract.
    let (vm, a, b) = unsafe { (&*vm, number(&*vm, a), number(&*vm, b)) };
    let float = match (a, b) {
        (Some(Int(x)), Some(Int(y))) => {
            return ints(x, y).and_then(Value::small_int).map_or(0, Value::into_bits);
        }
        (Some(Int(x)), Some(Float(y))) => floats(x as f64, y),
        (Some(Float(x)), Some(Int(y))) => floats(x, y as f64),
        (Some(Float(x)), Some(Float(y))) => floats(x, y),
        _ => return 0,
    };
    match Value::small_float(float) {
        Some(word) => word.into_bits(),
        None => match vm.new_float(float) {
            Ok(value) => value.into_bits(),
            Err(raised) => {
                drop(vm.take_raised(raised));
                0
            }
        },
    }
}

/// `a + b`; see [`arith`].
///
/// # Safety
/// As there.
pub unsafe extern "C" fn add(vm: *const Interpreter, a: u64, b: u64) -> u64 {
    // SAFETY: by the contract.
    unsafe { arith(vm, a, b, i64::checked_add, |x, y| x + y) }
}

/// `a - b`; see [`arith`].
///
/// # Safety
/// As there.
pub unsafe extern "C" fn sub(vm: *const Interpreter, a: u64, b: u64) -> u64 {
    // SAFETY: by the contract.
    unsafe { arith(vm, a, b, i64::checked_sub, |x, y| x - y) }
}

/// `a * b`; see [`arith`].
///
/// # Safety
/// As there.
pub unsafe extern "C" fn mul(vm: *const Interpreter, a: u64, b: u64) -> u64 {
    // SAFETY: by the contract.
    unsafe { arith(vm, a, b, i64::checked_mul, |x, y| x * y) }
}

/// Compares two numbers: 0, 1, or 2 when they are none, or only exact arithmetic tells.
///
/// # Safety
/// Called by machine code with live words.
pub unsafe extern "C" fn compare(vm: *const Interpreter, a: u64, b: u64, op: u64) -> u64 {
    use Number::{Float, Int};
    let Some(op) = CmpOp::ALL.get(op as usize) else { return 2 };
    let exact = |n: i64| (n.unsigned_abs() <= EXACT as u64).then_some(n as f64);
    let floats = |x: f64, y: f64| match op {
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
    };
    // SAFETY: by the contract.
    let (a, b) = unsafe { (number(&*vm, a), number(&*vm, b)) };
    let holds = match (a, b) {
        (Some(Int(x)), Some(Int(y))) => Some(op.holds(x.cmp(&y))),
        (Some(Int(x)), Some(Float(y))) => exact(x).map(|x| floats(x, y)),
        (Some(Float(x)), Some(Int(y))) => exact(y).map(|y| floats(x, y)),
        (Some(Float(x)), Some(Float(y))) => Some(floats(x, y)),
        _ => None,
    };
    holds.map_or(2, u64::from)
}

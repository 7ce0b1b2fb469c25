//! When code is hot: it is counted, then observed for a while, then handed to the machine-code compiler.
//!
//! Every loop of a [`Form`] has a [`Loop`], which its backward jumps count down; every form counts its calls
//! ([`Form::calls`]). At zero the machine *observes*: it runs the second instance of the loop in `run.rs`, which notes of each
//! instruction what kinds of operands it saw ([`Seen`]). When the count is at zero again, the compiler that was
//! installed gets the form with what was seen. Its code is entered from then on at each turn of the loop
//! or call: the count stays at one, so that quick code always comes here.
//!
//! Machine code works on the frame's record and registers. It gives control back with the frame exactly as the
//! interpreter would have it ([`Status`]), at any instruction.

use crate::code::CodeObject;
use crate::form::{Form, Instr};
use crate::frame::{Frame, Thread};
use crate::ops::Op;
use crate::ops_arith::rk;
use crate::state::State;
use pellucid_object::array::Array;
use pellucid_object::heap::Visitor;
use pellucid_object::native::{Builtin, FunctionDef, MethodDescriptor};
use pellucid_object::{Interpreter, Res, SlotWord, Type, Value};
use std::cell::{Cell, RefCell};

/// Machine code: gets the interpreter, the innermost frame's record and its registers. Gives a [`Status`] as a number.
pub type Entry = unsafe extern "C" fn(vm: *const Interpreter, frame: *mut Frame, regs: *mut Value) -> u64;

/// How machine code, or an instruction that it had done out of line, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Status {
    /// Goes on: of machine code, the innermost frame at its `pc`; of an instruction, at the next one.
    On = 0,
    /// Of an instruction: the jump is taken.
    Jump = 1,
    /// Something was raised at the innermost frame's `pc`.
    Raised = 2,
    /// Of an instruction: the interpreter must go on with the innermost frame.
    Leave = 3,
    /// The same, where the instruction jumps.
    LeaveByJump = 4,
}

/// What owns machine code.
pub trait Native {
    /// Shows each value that the code keeps alive.
    fn trace(&self, visit: &mut Visitor);
    /// Where the code begins.
    fn entry(&self) -> Entry;
    /// For tools that know the compiler.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A place where machine code can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first instruction: a call.
    Call,
    /// The loop of this index, whose target is its first instruction.
    Loop(usize),
}

/// Compiles the code of the innermost frame, which is about to run the instruction at `place`.
pub type Compile = fn(&Interpreter, &Frame, Place) -> Outcome;

/// Whether the compiler would compile something now.
pub type Allows = fn(&Interpreter) -> bool;

/// What a compiler says.
pub enum Outcome {
    Compiled(Compiled),
    /// Too much time, or memory, went into compiling already: which of them.
    Later(&'static str),
    /// Not worth it, or not possible, and why; it is not asked again.
    Never(String),
}

/// What a compiler gives.
pub struct Compiled {
    pub entry: Entry,
    pub native: Box<dyn Native>,
    /// See [`Heat`].
    pub registers: u32,
    pub levels: u32,
}

/// How far a place is on its way to machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Counted,
    Observed,
    Native,
    Never,
}

/// The count of a loop or of calls, and the machine code that runs instead.
#[derive(Debug, Default)]
pub struct Heat {
    /// Turns until something is done; 0 means 2³².
    pub left: Cell<u32>,
    pub phase: Cell<Phase>,
    pub entry: Cell<Option<Entry>>,
    /// How often this place was compiled.
    pub compiled: Cell<u32>,
    /// Registers from the frame's first on that machine code uses, and calls that it holds inside.
    pub registers: Cell<u32>,
    pub levels: Cell<u32>,
    /// How often it was compiled again because guards that had been moved out of loops did not hold.
    pub hoisted_in_vain: Cell<u32>,
    /// What `left` was last set to, and the turns that were counted before.
    from: Cell<u32>,
    before: Cell<u64>,
    /// How often machine code was entered.
    pub entered: Cell<u64>,
    /// Why there is no machine code.
    why: RefCell<Option<Box<str>>>,
}

impl Heat {
    /// Begins to count `turns`.
    pub fn start(&self, turns: u32) {
        self.count_down(turns.max(1));
    }
    fn count_down(&self, turns: u32) {
        self.before.set(self.turns());
        self.from.set(turns);
        self.left.set(turns);
    }
    /// Turns that the interpreter made, or calls that it ran. Each entry into machine code counts as one more.
    pub fn turns(&self) -> u64 {
        self.before.get() + u64::from(self.from.get().wrapping_sub(self.left.get()))
    }
    /// Why the compiler refused, or put it off.
    pub fn why(&self) -> Option<String> {
        self.why.borrow().as_deref().map(str::to_string)
    }
    /// One turn less; true when there is something to do.
    #[inline(always)]
    pub fn cool(&self) -> bool {
        let left = self.left.get().wrapping_sub(1);
        self.left.set(left);
        left == 0
    }
    /// Gives up on machine code here.
    pub fn never(&self, why: &str) {
        self.entry.set(None);
        *self.why.borrow_mut() = Some(why.into());
        self.wait(Phase::Never, u32::MAX);
    }
    fn wait(&self, phase: Phase, turns: u32) {
        self.phase.set(phase);
        self.count_down(turns);
    }
    /// Forgets machine code that speculated wrongly, so that the place is observed and compiled again.
    pub fn again(&self, turns: u32) {
        self.entry.set(None);
        self.wait(Phase::Counted, turns);
    }
}

/// A loop: the target of backward jumps.
#[derive(Debug)]
pub struct Loop {
    pub heat: Heat,
    /// Index of its first instruction.
    pub header: u32,
    /// Index of the last instruction that jumps there.
    pub last: u32,
}

/// Kinds of values, as a set.
pub mod kinds {
    pub const INT: u16 = 1;
    /// In the word.
    pub const FLOAT: u16 = 2;
    pub const BOOL: u16 = 4;
    pub const NONE: u16 = 8;
    pub const LIST: u16 = 16;
    pub const TUPLE: u16 = 32;
    pub const DICT: u16 = 64;
    pub const STR: u16 = 128;
    /// Any other object on the heap.
    pub const OBJECT: u16 = 256;
    pub const OTHER: u16 = 512;
    /// A float that does not fit the word.
    pub const HEAP_FLOAT: u16 = 1024;
    /// Floats of either sort, and numbers of all.
    pub const FLOATS: u16 = FLOAT | HEAP_FLOAT;
    pub const NUMBERS: u16 = INT | FLOATS;
}

/// Of [`Seen::failed`].
pub const NEWS: u16 = u16::MAX;

/// What an instruction was seen to work on.
#[derive(Default)]
pub struct Seen {
    /// Kinds of operands `b` and `c`; of a call those of the first two arguments.
    pub b: Cell<u16>,
    pub c: Cell<u16>,
    /// Kinds of operand `a`, where that is one.
    pub a: Cell<u16>,
    /// How often it ran, as far as a `u16` counts.
    pub ran: Cell<u16>,
    /// How often machine code could not go on here; [`NEWS`]: that was before something new was seen.
    pub failed: Cell<u16>,
    /// Of items of arrays: the array's type code; 255 for several.
    pub code: Cell<u8>,
    /// Of calls of bound methods of builtin types: the method's definition. The type is [`Seen::other`], if there was one method.
    pub native: Cell<Option<&'static FunctionDef>>,
    /// See [`Seen::target`]; `Ellipsis` for several.
    target: SlotWord,
    /// See [`Seen::other`].
    other: SlotWord,
}

impl Seen {
    /// Of calls the code object behind the function, or the callee; of attributes, items, operators and iterators the type of the
    /// (first) object. `None` when there were several, or none at all.
    pub fn target(&self) -> Option<Value> {
        self.target.get().filter(Value::is_heap)
    }
    /// The type of an operator's second operand.
    pub fn other(&self) -> Option<Value> {
        self.other.get().filter(Value::is_heap)
    }
    /// Adds to what one of the operands was seen to be. Code that is built with what was not known before may do better than
    /// the code that failed.
    fn note_kind(&self, set: &Cell<u16>, kind: u16) {
        let known = set.get();
        if known | kind != known {
            set.set(known | kind);
            self.failed.set(NEWS);
        }
    }
    /// Machine code could not go on here.
    pub fn note_failure(&self) {
        if self.failed.get() != NEWS {
            self.failed.set((self.failed.get() + 1).min(NEWS - 1));
        }
    }
    /// The instruction is built with all that is known of it.
    pub fn consider(&self) {
        if self.failed.get() == NEWS {
            self.failed.set(0);
        }
    }
    fn note_target(&self, target: Option<&Value>) {
        note_in(&self.target, target);
    }
    fn note_container(&self, vm: &Interpreter, container: &Value) {
        let ty = container.is_heap().then(|| vm.type_of_ref(container));
        self.note_target(ty.map(|ty| ty.value()));
        if let Some(array) = container.downcast::<Array>() {
            let (code, known) = (array.code().letter() as u8, self.code.get());
            self.code.set(if known == 0 || known == code { code } else { u8::MAX });
        }
    }
    fn note_bound(&self, vm: &Interpreter, callee: &Value) {
        let bound = callee.downcast::<Builtin>().filter(|builtin| builtin.pass_this);
        if let Some((builtin, this)) = bound.and_then(|builtin| Some((builtin, builtin.this.get()?))) {
            let one = self.native.get().is_none_or(|known| std::ptr::eq(known, builtin.def));
            self.native.set(Some(builtin.def));
            note_in(&self.other, one.then(|| vm.type_of_ref(&this).value()));
        }
    }
    fn note_operands(&self, vm: &Interpreter, a: &Value, b: &Value) {
        for (slot, operand) in [(&self.target, a), (&self.other, b)] {
            note_in(slot, operand.is_heap().then(|| vm.type_of_ref(operand).value()));
        }
    }
    pub fn trace(&self, visit: &mut Visitor) {
        self.target.trace(visit);
        self.other.trace(visit);
    }
    pub fn forget(&self) {
        self.target.set(None);
        self.other.set(None);
    }
}

/// Remembers one value, or that there were several.
fn note_in(slot: &SlotWord, value: Option<&Value>) {
    let known = slot.raw();
    if known == 0 {
        slot.set(Some(value.cloned().unwrap_or(Value::ELLIPSIS)));
    } else if known != value.map_or(Value::ELLIPSIS.bits(), Value::bits) {
        slot.set(Some(Value::ELLIPSIS));
    }
}

/// What [`State`] holds for this.
pub struct Tier {
    pub compile: Cell<Option<Compile>>,
    /// Whether the compiler would compile something now.
    pub allows: Cell<Option<Allows>>,
    /// Turns of a loop, or calls, before it is observed.
    pub loop_heat: Cell<u32>,
    pub call_heat: Cell<u32>,
    /// Turns, or calls, for which it is observed.
    pub observe: Cell<u32>,
    /// Instructions that will still be observed; 0: the quick loop runs.
    pub budget: Cell<u32>,
    /// Places that are observed.
    pub watched: Cell<u32>,
    /// How many pieces of machine code are running, one inside the other or in several threads.
    pub running: Cell<u32>,
    /// Counts the periods of observation; the code objects that were seen in the current one.
    pub period: Cell<u32>,
    pub observed: RefCell<Vec<Value>>,
    /// The frame for which machine code last had an instruction done out of line, until that code is left.
    pub stepping: Cell<*const Frame>,
}

impl Tier {
    /// Nothing is observed or compiled any more.
    pub fn stop(&self) {
        self.compile.set(None);
        self.budget.set(0);
        self.forget_targets();
    }

    /// Begins to observe a place, in the period that is under way if there is one.
    fn watch(&self, heat: &Heat) {
        heat.wait(Phase::Observed, self.observe.get().max(1));
        self.watched.set(self.watched.get() + 1);
        self.budget.set(OBSERVED);
    }

    /// A place is observed no more; with the last one the period ends.
    fn leave_watch(&self) {
        self.watched.set(self.watched.get().saturating_sub(1));
        if self.watched.get() == 0 {
            self.budget.set(0);
            self.forget_targets();
        }
    }

    /// Ends a period of observation: what was seen of objects' types is let go, so that it keeps nothing alive.
    fn forget_targets(&self) {
        self.period.set(self.period.get().wrapping_add(1));
        self.watched.set(0);
        let observed = self.observed.take();
        let forms = observed.iter().filter_map(|code| code.downcast::<CodeObject>()?.ready_form());
        let seen = forms.filter_map(|form| form.seen.get()).flatten();
        // Whatever that runs finds the period over.
        seen.for_each(Seen::forget);
        drop(observed);
    }

    /// Begins to count the turns of a fresh form's loops, and its calls.
    pub fn start(&self, form: &Form) {
        let compiles = self.compile.get().is_some() && form.woven.is_none();
        let turns = |turns: &Cell<u32>| if compiles { turns.get() } else { u32::MAX };
        form.loops.iter().for_each(|l| l.heat.start(turns(&self.loop_heat)));
        form.calls.start(turns(&self.call_heat));
    }
}

impl Default for Tier {
    fn default() -> Tier {
        Tier {
            compile: Cell::new(None),
            allows: Cell::new(None),
            loop_heat: Cell::new(0),
            call_heat: Cell::new(0),
            observe: Cell::new(0),
            budget: Cell::new(0),
            watched: Cell::new(0),
            running: Cell::new(0),
            period: Cell::new(1),
            observed: RefCell::default(),
            stepping: Cell::new(std::ptr::null()),
        }
    }
}

/// Most instructions that are observed at a time.
const OBSERVED: u32 = 12_000;

/// What the loop does after a look at a hot place.
pub enum Turn {
    On,
    Reload,
    /// The other instance of the loop goes on.
    Switch,
}

/// At a loop whose count is at zero; the innermost frame `frame` stands at its first instruction.
///
/// # Safety
/// `index` is a loop of the frame's form, and its `pc` is up to date.
#[cold]
#[inline(never)]
pub unsafe fn turn(vm: &Interpreter, st: &State, frame: *mut Frame, index: usize) -> Res<Turn> {
    // SAFETY: by the contract; the form outlives the frame.
    unsafe {
        let form: &Form = &*(*frame).form;
        let heat = &form.loops[index].heat;
        if heat.phase.get() == Phase::Native {
            heat.left.set(1);
            // What is observed now may call this, and what this works on is to be seen then.
            return if st.tier.budget.get() > 0 { Ok(Turn::On) } else { enter(vm, st, frame, heat) };
        }
        if form.woven.is_some() {
            heat.wait(Phase::Never, 0);
            return Ok(Turn::On);
        }
        let outer = outermost(form, index);
        if outer != index && form.loops[outer].heat.phase.get() == Phase::Counted {
            // Its next turn begins the observation: machine code then is one piece for the whole nest.
            form.loops[outer].heat.start(1);
            heat.start(st.tier.loop_heat.get().saturating_mul(4));
            return Ok(Turn::On);
        }
        Ok(step_phase(vm, st, frame, heat, Place::Loop(index)))
    }
}

/// The loop around all those that hold loop `index`.
fn outermost(form: &Form, index: usize) -> usize {
    let inner = &form.loops[index];
    let holds = |l: &Loop| l.header < inner.header && l.last > inner.last;
    form.loops.iter().position(holds).unwrap_or(index)
}

/// After a frame was pushed: its code's count may be at zero, or it has machine code. True: go to the other instance
/// of the loop.
///
/// # Safety
/// `frame` is the innermost frame, about to run its first instruction.
#[inline(always)]
pub unsafe fn called(vm: &Interpreter, st: &State, frame: *mut Frame) -> Res<Turn> {
    // SAFETY: by the contract.
    unsafe {
        let heat = &(*(*frame).form).calls;
        if heat.left.get() != 0 {
            return Ok(Turn::On);
        }
        call_turn(vm, st, frame)
    }
}

/// # Safety
/// As for [`called`].
#[cold]
#[inline(never)]
unsafe fn call_turn(vm: &Interpreter, st: &State, frame: *mut Frame) -> Res<Turn> {
    // SAFETY: by the contract.
    unsafe {
        let form: &Form = &*(*frame).form;
        let heat = &form.calls;
        if heat.phase.get() == Phase::Native {
            heat.left.set(1);
            // What is observed now may call this, and what this works on is to be seen then.
            return if st.tier.budget.get() > 0 { Ok(Turn::On) } else { enter(vm, st, frame, heat) };
        }
        if form.woven.is_some() || (*frame).generator.is_set() {
            heat.wait(Phase::Never, u32::MAX);
            return Ok(Turn::On);
        }
        Ok(step_phase(vm, st, frame, heat, Place::Call))
    }
}

/// From counting to observing to compiling.
///
/// # Safety
/// `frame` is the innermost frame.
unsafe fn step_phase(vm: &Interpreter, st: &State, frame: *mut Frame, heat: &Heat, place: Place) -> Turn {
    let tier = &st.tier;
    let Some(compile) = tier.compile.get() else {
        heat.wait(Phase::Never, u32::MAX);
        return Turn::On;
    };
    match heat.phase.get() {
        Phase::Counted if tier.allows.get().is_some_and(|allows| !allows(vm)) => {
            heat.again(tier.loop_heat.get().saturating_mul(2).max(1));
            Turn::On
        }
        Phase::Counted => {
            tier.watch(heat);
            Turn::Switch
        }
        Phase::Observed => {
            // SAFETY: by the contract.
            let compiled = compile(vm, unsafe { &*frame }, place);
            tier.leave_watch();
            match compiled {
                Outcome::Compiled(Compiled { entry, native, registers, levels }) => {
                    // SAFETY: by the contract.
                    let form: &Form = unsafe { &*(*frame).form };
                    form.natives.borrow_mut().push(native);
                    heat.entry.set(Some(entry));
                    heat.registers.set(registers);
                    heat.levels.set(levels);
                    heat.compiled.set(heat.compiled.get() + 1);
                    heat.why.take();
                    heat.wait(Phase::Native, 1);
                    drop(replaced(tier, form));
                }
                Outcome::Later(why) => {
                    *heat.why.borrow_mut() = Some(why.into());
                    heat.again(tier.loop_heat.get().saturating_mul(8).max(1));
                }
                Outcome::Never(why) => heat.never(&why),
            }
            Turn::Switch
        }
        Phase::Native | Phase::Never => {
            heat.left.set(u32::MAX);
            Turn::On
        }
    }
}

/// Machine code of a form that is entered no more, when none of any form runs.
fn replaced(tier: &Tier, form: &Form) -> Vec<Box<dyn Native>> {
    if tier.running.get() > 0 {
        return Vec::new();
    }
    let heats = form.loops.iter().map(|l| &l.heat).chain([&form.calls]);
    let entries: Vec<usize> = heats.filter_map(|heat| Some(heat.entry.get()? as usize)).collect();
    let (used, gone) =
        form.natives.take().into_iter().partition(|native| entries.contains(&(native.entry() as usize)));
    form.natives.replace(used);
    gone
}

/// Runs machine code at the innermost frame.
///
/// # Safety
/// `frame` is the innermost frame, at the place of `heat`.
unsafe fn enter(vm: &Interpreter, st: &State, frame: *mut Frame, heat: &Heat) -> Res<Turn> {
    let Some(entry) = heat.entry.get() else { return Ok(Turn::On) };
    // SAFETY: by the contract; a thread runs.
    let fits = unsafe {
        let thread = &*st.thread.get();
        let generator = (*frame).generator.is_set();
        (generator || thread.ready((*frame).regs, heat.registers.get() as usize))
            && thread.depth.get() + heat.levels.get() as usize <= vm.recursion_limit.get()
            && !(*frame).object.is_set()
    };
    if !fits {
        return Ok(Turn::On);
    }
    heat.entered.set(heat.entered.get() + 1);
    st.tier.running.set(st.tier.running.get() + 1);
    // SAFETY: machine code for this place of this form; the code keeps the form, and with it the machine code, alive.
    let status = unsafe { entry(vm, frame, (*frame).regs) };
    st.tier.stepping.set(std::ptr::null());
    st.tier.running.set(st.tier.running.get() - 1);
    if status == Status::Raised as u64 { Err(vm.raised_mark()) } else { Ok(Turn::Reload) }
}

/// Notes what the instruction at `pc` works on. False: enough was observed.
///
/// # Safety
/// `frame` is the innermost frame and about to run `pc`.
pub unsafe fn observe(vm: &Interpreter, st: &State, frame: *mut Frame, pc: *const Instr) -> bool {
    // SAFETY: by the contract; operands are those of the form.
    unsafe {
        let form: &Form = &*(*frame).form;
        let i = &*pc;
        if form.woven.is_some() {
            return true;
        }
        if form.period.get() != st.tier.period.get() {
            form.period.set(st.tier.period.get());
            st.tier.observed.borrow_mut().push((*frame).code.clone());
        }
        let seen = &form.seen()[form.index_of(pc)];
        seen.ran.set(seen.ran.get().saturating_add(1));
        note_kinds(vm, frame, i, seen);
        match i.op {
            Op::Call | Op::CallMethod => {
                // A method that was found bound stands behind an empty place.
                let bound = i.op == Op::CallMethod && rk(frame, i.b).is_unbound();
                let callee = rk(frame, i.b + i16::from(bound));
                seen.note_target(callee_code(st, callee).as_ref());
                seen.note_bound(vm, callee);
            }
            Op::LoadAttr | Op::StoreAttr | Op::LoadMethod | Op::ForIter | Op::GetIter | Op::LoadSlice => {
                note_class(vm, seen, rk(frame, i.b));
            }
            Op::Contains | Op::JumpContains => note_class(vm, seen, rk(frame, i.c)),
            Op::LoadSubscr => seen.note_container(vm, rk(frame, i.b)),
            Op::StoreSubscr => seen.note_container(vm, rk(frame, i.a)),
            op if crate::one::binary_operator(op).is_some() || crate::one::comparison(op).is_some() => {
                seen.note_operands(vm, rk(frame, i.b), rk(frame, i.c));
            }
            _ => {}
        }
        let budget = st.tier.budget.get();
        st.tier.budget.set(budget.saturating_sub(1));
        budget > 1
    }
}

/// Notes the kinds of the operands of an instruction that is about to run.
///
/// # Safety
/// `frame` is the frame that runs `i`.
pub unsafe fn note_kinds(vm: &Interpreter, frame: *mut Frame, i: &Instr, seen: &Seen) {
    // SAFETY: by the contract.
    let note = |set: &Cell<u16>, operand: i16| unsafe {
        seen.note_kind(set, kind_of(vm, rk(frame, operand)));
    };
    match operands(i.op) {
        Operands::None => {}
        Operands::B => note(&seen.b, i.b),
        Operands::BC => {
            note(&seen.b, i.b);
            note(&seen.c, i.c);
        }
        Operands::ABC => {
            note(&seen.a, i.a);
            note(&seen.b, i.b);
            note(&seen.c, i.c);
        }
    }
    if let Op::Call | Op::CallMethod = i.op {
        let first = if i.op == Op::CallMethod { i.b + 2 } else { i.b + 1 };
        for (by, set) in [&seen.b, &seen.c].into_iter().enumerate().take(i.c as usize) {
            note(set, first + by as i16);
        }
    }
}

/// Notes the type of an operand.
fn note_class(vm: &Interpreter, seen: &Seen, object: &Value) {
    seen.note_target(object.is_heap().then(|| vm.type_of_ref(object).value()));
}

/// The code object of a Python function; a class or a builtin itself. Other objects are not remembered, for that would keep
/// them alive.
fn callee_code(st: &State, callee: &Value) -> Option<Value> {
    if crate::run::is_function(st, callee) {
        return callee.downcast::<crate::function::Function>()?.code.get();
    }
    let plain = callee.downcast::<Type>().is_some()
        || callee.downcast::<MethodDescriptor>().is_some()
        || callee.downcast::<Builtin>().is_some_and(|builtin| !builtin.pass_this);
    plain.then(|| callee.clone())
}

/// The kind of a value.
pub fn kind_of(vm: &Interpreter, value: &Value) -> u16 {
    let Some(header) = value.header() else {
        return match () {
            () if value.is_small_int() => kinds::INT,
            () if value.is_small_float() => kinds::FLOAT,
            () if value.is_bool() => kinds::BOOL,
            () if value.is_none() => kinds::NONE,
            () => kinds::OTHER,
        };
    };
    let (ty, types) = (header.ty.get() as u64, vm.types());
    let known = [
        (&types.list, kinds::LIST),
        (&types.tuple, kinds::TUPLE),
        (&types.dict, kinds::DICT),
        (&types.str, kinds::STR),
        (&types.float, kinds::HEAP_FLOAT),
    ];
    known.iter().find(|(t, _)| t.value().bits() == ty).map_or(kinds::OBJECT, |(_, kind)| *kind)
}

/// Which of an instruction's letters are operands that it reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    None,
    B,
    BC,
    ABC,
}

/// See [`Operands`]: those whose kinds are worth knowing.
pub fn operands(op: Op) -> Operands {
    use Op::*;
    match op {
        Move | Take | Neg | Pos | Invert | Not | JumpIfFalse | JumpIfTrue | JumpIfFalseKeep
        | JumpIfTrueKeep | LoadAttr | LoadMethod | ForIter | GetIter | Return | UnpackSequence
        | UnpackTwo | StoreDeref => Operands::B,
        Is | JumpIs | Contains | JumpContains | LoadSubscr | StoreAttr | ListAppend | LoadSlice => {
            Operands::BC
        }
        StoreSubscr => Operands::ABC,
        Lt | Le | Eq | Ne | Gt | Ge | JumpLt | JumpLe | JumpEq | JumpNe | JumpGt | JumpGe => Operands::BC,
        _ if (Add as u16..=InplaceXor as u16).contains(&(op as u16)) => Operands::BC,
        _ => Operands::None,
    }
}

/// Runs the callee that an instruction pushed until it returns, and puts its value where that goes. With little native
/// stack left the interpreter has to do it.
///
/// # Safety
/// `frame` is the frame under the innermost one, which was just pushed for it.
unsafe fn finish_call(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    levels: usize,
) -> Res<Status> {
    use crate::frame::Ret;
    if vm.native_is_deep() {
        return Ok(Status::Leave);
    }
    // SAFETY: the innermost record is live.
    unsafe {
        let top = thread.top_ptr();
        let (ret, dst) = ((*top).ret, (*top).dst);
        if ret == Ret::ForIter {
            return finish_turn(vm, st, thread, frame, levels);
        }
        if !matches!(ret, Ret::Call | Ret::Discard | Ret::Init | Ret::Operator) {
            return Ok(Status::Leave);
        }
        let object = if ret == Ret::Init { (*top).extra.get() } else { None };
        (*top).ret = Ret::Native;
        let value = run_callee(vm, st, thread, top)?;
        match ret {
            Ret::Call => crate::ops_arith::set(frame, dst, value),
            Ret::Init => {
                let object = crate::ops_call::init_object(vm, object, &value)?;
                crate::ops_arith::set(frame, dst, object);
            }
            Ret::Operator => {
                let pc = (*frame).pc;
                if crate::dunder::operator_returned(vm, frame, pc, value)? {
                    // Only the interpreter, as all is done already, can take this jump.
                    let jumps = !(crate::instrument::stale(st) || is_watched(frame, levels));
                    return Ok(if jumps { Status::Jump } else { Status::LeaveByJump });
                }
            }
            _ => drop(value),
        }
        Ok(if crate::instrument::stale(st) || is_watched(frame, levels) { Status::Leave } else { Status::On })
    }
}

/// Runs the generator that a `for` loop woke until it yields a value, which goes where the loop wants it, or ends.
///
/// # Safety
/// As for [`finish_call`]; the innermost frame is a generator's.
unsafe fn finish_turn(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    levels: usize,
) -> Res<Status> {
    // SAFETY: by the contract.
    unsafe {
        let top = thread.top_ptr();
        let generator = (*top).generator.get();
        (*top).ret = crate::frame::Ret::Native;
        let value = crate::run::run(vm, st, thread)?;
        let i = &*(*frame).pc;
        let yielded = generator.as_ref().is_some_and(crate::generator::sleeps);
        if yielded {
            crate::ops_arith::set(frame, i.a, value);
        } else {
            drop((generator, value));
            crate::ops_arith::set(frame, i.b, Value::UNBOUND);
        }
        // What died there may have asked for events.
        Ok(match (crate::instrument::stale(st) || is_watched(frame, levels), yielded) {
            (true, true) => Status::Leave,
            (true, false) => Status::LeaveByJump,
            (false, true) => Status::On,
            (false, false) => Status::Jump,
        })
    }
}

/// Runs the innermost frame, just pushed with `Ret::Native`, until it returns: machine code at once where there is some.
///
/// # Safety
/// `top` is the innermost frame.
unsafe fn run_callee(vm: &Interpreter, st: &State, thread: &Thread, top: *mut Frame) -> Res {
    // SAFETY: by the contract.
    unsafe {
        if (*(*top).form).calls.phase.get() == Phase::Native && st.tier.budget.get() == 0 {
            (*(*top).form).calls.left.set(1);
            st.runs.set(st.runs.get() + 1);
            let depth = vm.native_depth();
            vm.set_native_depth(depth + 1);
            let entered = enter(vm, st, top, &(*(*top).form).calls);
            vm.set_native_depth(depth);
            if let Err(raised) = entered {
                crate::unwind::unwind(vm, thread, raised)?;
            } else if thread.top_ptr() == top && !(*top).object.is_set() && (*(*top).pc).op == Op::Return {
                let value = crate::ops_name::take(top, (*(*top).pc).b);
                drop(crate::frame::leave(vm, thread));
                return Ok(value);
            }
        }
    }
    crate::run::run(vm, st, thread)
}

/// Runs the innermost frame, which native code pushed, until it returns.
pub fn run_pushed(vm: &Interpreter, st: &State, thread: &Thread) -> Res {
    if vm.native_is_deep() {
        return crate::run::run(vm, st, thread);
    }
    // SAFETY: the innermost record was just pushed, with `Ret::Native`.
    unsafe { run_callee(vm, st, thread, thread.top_ptr()) }
}

/// Whether somebody has the frame object of a frame or one of the `levels` below, and may change its variables.
///
/// # Safety
/// There are so many records.
unsafe fn is_watched(frame: *mut Frame, levels: usize) -> bool {
    // SAFETY: by the contract.
    (0..=levels).any(|level| unsafe { (*frame.sub(level)).object.is_set() })
}

/// An instruction that machine code has done out of line.
pub struct Outside {
    pub pc: *const Instr,
    /// How many frames below belong to the same machine code.
    pub levels: usize,
    pub done: Cell<u64>,
    /// How often machine code is still to be left behind it without need: for tests.
    pub leaves: Cell<u32>,
}

/// Does an instruction out of line, for machine code. See [`Status`].
///
/// # Safety
/// `frame` is the innermost frame, all its registers are as the interpreter would have them, and that of `outside` is an
/// instruction of its form other than a return, a yield, or a jump without condition.
pub unsafe extern "C" fn step(vm: *const Interpreter, frame: *mut Frame, outside: *const Outside) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let vm = &*vm;
        let Outside { pc, levels, ref done, ref leaves } = *outside;
        done.set(done.get() + 1);
        let st = crate::state::state(vm);
        let thread = crate::state::thread(vm);
        (*frame).pc = pc;
        st.tier.stepping.set(frame);
        let status = match crate::one::one(vm, st, thread, frame, pc) {
            Ok(Step::Next) if is_watched(frame, levels) => {
                (*frame).pc = pc.add(1);
                Status::Leave
            }
            Ok(Step::Next) => Status::On,
            Ok(Step::Jump) if is_watched(frame, levels) => {
                (*frame).pc = pc.byte_offset((*pc).e as i32 as isize);
                Status::Leave
            }
            Ok(Step::Jump) => Status::Jump,
            // Events are wanted from now on: the frame goes on in another form, in which it already stands.
            Ok(Step::Entered) if thread.top_ptr() == frame => Status::Leave,
            Ok(Step::Entered) => match finish_call(vm, st, thread, frame, levels) {
                Ok(Status::Leave) if thread.top_ptr() == frame => {
                    (*frame).pc = pc.add(1);
                    Status::Leave
                }
                Ok(Status::LeaveByJump) => {
                    (*frame).pc = pc.byte_offset((*pc).e as i32 as isize);
                    Status::Leave
                }
                Ok(status) => status,
                Err(_) => Status::Raised,
            },
            Err(_) => Status::Raised,
        };
        if leaves.get() > 0 && matches!(status, Status::On | Status::Jump) {
            leaves.set(leaves.get() - 1);
            let jumps = status == Status::Jump;
            (*frame).pc = if jumps { pc.byte_offset((*pc).e as i32 as isize) } else { pc.add(1) };
            return Status::Leave as u64;
        }
        status as u64
    }
}

/// Does a call for machine code, as [`step`] does. Where the callee is a function that has machine code and takes just
/// what it is given, that is entered at once.
///
/// # Safety
/// As for [`step`]; the instruction is a `Call` or `CallMethod`.
pub unsafe extern "C" fn call(vm: *const Interpreter, frame: *mut Frame, outside: *const Outside) -> u64 {
    // SAFETY: by the contract; arguments stand behind the callee, and the record is that of a plain call.
    unsafe {
        let vm_ref = &*vm;
        let Outside { pc, levels, ref done, ref leaves } = *outside;
        let st = crate::state::state(vm_ref);
        let thread = crate::state::thread(vm_ref);
        let Some((entry, top)) = push_direct(vm_ref, st, thread, frame, pc) else {
            return step(vm, frame, outside);
        };
        done.set(done.get() + 1);
        st.runs.set(st.runs.get() + 1);
        let depth = vm_ref.native_depth();
        vm_ref.set_native_depth(depth + 1);
        let status = entry(vm, top, (*top).regs);
        vm_ref.set_native_depth(depth);
        let returns = status != Status::Raised as u64
            && thread.top_ptr() == top
            && (*(*top).pc).op == Op::Return
            && !(*top).object.is_set();
        let value = if returns {
            let value = crate::ops_name::take(top, (*(*top).pc).b);
            thread.leave_call(vm_ref);
            value
        } else {
            let unwound = match status == Status::Raised as u64 {
                true => crate::unwind::unwind(vm_ref, thread, vm_ref.raised_mark()),
                false => Ok(()),
            };
            match unwound.and_then(|()| crate::run::run(vm_ref, st, thread)) {
                Ok(value) => value,
                Err(_) => return Status::Raised as u64,
            }
        };
        crate::ops_arith::set(frame, (*pc).a, value);
        let forced = leaves.get() > 0;
        if forced {
            leaves.set(leaves.get() - 1);
        }
        if forced || crate::instrument::stale(st) || is_watched(frame, levels) {
            (*frame).pc = pc.add(1);
            return Status::Leave as u64;
        }
        Status::On as u64
    }
}

/// Pushes the frame of a call whose callee's machine code can be entered: that, and the frame's record.
///
/// # Safety
/// As for [`call`].
#[inline(always)]
unsafe fn push_direct(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Option<(Entry, *mut Frame)> {
    // SAFETY: by the contract.
    unsafe {
        let i = &*pc;
        let callee = (*frame).regs.offset(i.b as isize);
        let given = i.c as usize + usize::from(i.op == Op::CallMethod);
        if !crate::run::is_function(st, &*callee) {
            return None;
        }
        let function = (*callee).payload_unchecked::<crate::function::Function>();
        let form = function.code().ready_form()?;
        let heat = &form.calls;
        let entry = heat.entry.get()?;
        let window = callee.add(1);
        let registers = (heat.registers.get() as usize).max(form.nregs as usize);
        if !form.simple
            || form.argcount as usize != given
            || heat.phase.get() != Phase::Native
            || st.tier.budget.get() > 0
            || (*frame).generator.is_set()
            || crate::poll::pending(vm)
            || vm.native_is_deep()
            || thread.depth.get() + heat.levels.get() as usize >= vm.recursion_limit.get()
            || !thread.has_room(vm)
            || !thread.ready(window, registers)
        {
            return None;
        }
        (*frame).pc = pc;
        for index in given..form.first_temp as usize {
            window.add(index).write(Value::UNBOUND);
        }
        let code = function.code.get()?;
        let function = callee.replace(Value::UNBOUND);
        thread.push_call(function, code, form, window, crate::frame::Ret::Native, 0, None);
        Some((entry, thread.top_ptr()))
    }
}

/// What became of an instruction done out of line.
pub enum Step {
    Next,
    Jump,
    /// A frame was pushed.
    Entered,
}

/// Drops a word whose count has reached zero, for machine code. Not 0: Python code ran, which may have changed anything.
///
/// # Safety
/// `word` is a heap word with one reference left, which the caller gives up.
pub unsafe extern "C" fn last_drop(vm: *const Interpreter, word: u64) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let st = crate::state::state(&*vm);
        let runs = st.runs.get();
        drop(Value::from_bits(word));
        u64::from(st.runs.get() != runs)
    }
}

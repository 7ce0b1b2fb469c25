//! Frames: the activation of a piece of code, and a thread's stack of them.
//!
//! Two stacks a thread, neither of which moves: windows of registers, and [`Frame`] records. A Python call's window begins
//! at its arguments in the caller's window, so that they are not copied. A generator owns its registers; while it
//! runs, a record on the stack points to them.
//!
//! Words of a window that hold nothing live are no heap words; that is why leaving a frame by an exception can
//! drop every heap word it finds.

use crate::code::CodeObject;
use crate::form::{Cache, Form, Instr};
use crate::function::Function;
use crate::state::{state, thread};
use pellucid_object::protocol::Sink;
use pellucid_object::{Dict, Interpreter, Raised, SlotWord, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What happens to the value that a frame returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Ret {
    /// Native code called: leave the loop.
    Native,
    /// Into register `dst` of the caller.
    Call,
    /// `__init__` was called for the object in `result`: that goes into `dst`, and the value must be None.
    Init,
    /// A generator that a `for` loop of the caller runs: a yielded value goes into `dst`, the end jumps.
    ForIter,
    /// A generator to which the caller, a generator too, delegates: what it yields, the caller yields; what it returns goes
    /// into the caller's receiver.
    Delegate,
    /// A generator that native code runs into a sink: what it yields goes there, and it goes on.
    Drain,
    /// Nowhere: `__setitem__` and its like were called.
    Discard,
    /// To the operator at the caller's instruction, whose method it was and whose operands are still there.
    Operator,
}

impl Ret {
    /// Whether the loop is left with the value.
    pub fn is_native(self) -> bool {
        matches!(self, Ret::Native | Ret::Drain)
    }
}

/// An activation.
#[repr(C)]
pub struct Frame {
    /// The instruction being executed, or at which the frame waits.
    pub pc: *const Instr,
    pub regs: *mut Value,
    pub form: *const Form,
    /// Behind the constants.
    pub consts_end: *const Value,
    /// The form's inline caches.
    pub caches: *const Cache,
    /// First word of the thread's stack that this frame does not use.
    pub end: *mut Value,
    pub globals: *const Dict,
    pub builtins: *const Dict,
    /// The function that runs; it owns globals and builtins. Code without one (modules) gets one made.
    pub function: Value,
    /// The code that runs, which need not be that of the function any more.
    pub code: Value,
    /// The namespace of a module or class body; empty for functions.
    pub locals: SlotWord,
    /// The frame object, once somebody asked for it.
    pub object: SlotWord,
    /// The generator whose frame this is.
    pub generator: SlotWord,
    /// For `Ret::Init`: the instance; for generators: what was handled when it was resumed.
    pub extra: SlotWord,
    pub ret: Ret,
    pub dst: i16,
}

impl Frame {
    pub fn form(&self) -> &Form {
        // SAFETY: the form belongs to the code that the frame owns.
        unsafe { &*self.form }
    }
    /// Goes on in another form of the same code.
    pub fn change_form(&mut self, form: &Form) {
        self.form = form;
        self.caches = form.caches.as_ptr();
    }
    pub fn code(&self) -> &CodeObject {
        // SAFETY: `code` always is a code object.
        unsafe { self.code.payload_unchecked::<CodeObject>() }
    }
    pub fn function(&self) -> &Function {
        // SAFETY: `function` always is a function.
        unsafe { self.function.payload_unchecked::<Function>() }
    }
    pub fn globals(&self) -> &Dict {
        // SAFETY: owned by the function.
        unsafe { &*self.globals }
    }
    /// Where code without variables of its own has its names: what `exec` was given, or the globals.
    pub fn namespace(&self) -> Value {
        self.locals.get().unwrap_or_else(|| self.function().globals.clone())
    }
    pub fn builtins(&self) -> &Dict {
        // SAFETY: owned by the function.
        unsafe { &*self.builtins }
    }
    /// The register's value.
    #[inline(always)]
    pub fn reg(&self, index: usize) -> &Value {
        debug_assert!(index < self.form().nregs as usize);
        // SAFETY: windows have `nregs` words, all of them values; callers use indexes of the form.
        unsafe { &*self.regs.add(index) }
    }
    /// Puts a value into a register; the old one.
    pub fn replace_reg(&self, index: usize, value: Value) -> Value {
        debug_assert!(index < self.form().nregs as usize);
        // SAFETY: as for `reg`; nobody holds a reference into the window across this call.
        unsafe { self.regs.add(index).replace(value) }
    }
    /// The byte offset of the current instruction.
    pub fn offset(&self) -> u32 {
        self.form().offset_of(self.pc)
    }
    /// The line that runs.
    pub fn line(&self) -> Option<u32> {
        crate::instrument::start_line(self).or_else(|| self.code().line_at(self.offset()))
    }
    /// Whether nothing belongs to it but function, code and variables.
    #[inline(always)]
    pub fn is_plain(&self) -> bool {
        self.locals.raw() | self.object.raw() | self.generator.raw() | self.extra.raw() == 0
    }
    pub fn is_generator(&self) -> bool {
        self.generator.is_set()
    }
}

/// Words of a thread's register stack: address space, touched only as far as it was used.
const STACK_WORDS: usize = 32 << 20;
/// Frames of a thread's stack.
const STACK_FRAMES: usize = 2 << 20;

/// A thread's stacks.
pub struct Thread {
    words: *mut Value,
    words_end: *mut Value,
    /// Words below have been written and hold no stale heap word.
    clean_to: Cell<*mut Value>,
    frames: *mut Frame,
    /// The innermost frame; one before `frames` when there is none.
    top: Cell<*mut Frame>,
    /// How many frames there are.
    pub depth: Cell<usize>,
    /// Where the values of the innermost drained generator go.
    pub sink: Cell<Option<SinkPtr>>,
    /// What the thread traces with.
    pub tracing: crate::instrument::legacy::Tracing,
}

/// A sink, its lifetime erased.
pub type SinkPtr = *mut Sink<'static>;

impl Thread {
    /// Fresh stacks; `None` when there is no address space.
    pub fn new() -> Option<Box<Thread>> {
        // SAFETY: the layouts are not empty; pages are used only after they were written.
        let (words, frames) = unsafe {
            (
                System.alloc(Self::words_layout()?).cast::<Value>(),
                System.alloc(Self::frames_layout()?).cast::<Frame>(),
            )
        };
        if words.is_null() || frames.is_null() {
            return None;
        }
        Some(Box::new(Thread {
            words,
            words_end: words.wrapping_add(STACK_WORDS),
            clean_to: Cell::new(words),
            frames,
            top: Cell::new(frames.wrapping_sub(1)),
            depth: Cell::new(0),
            sink: Cell::new(None),
            tracing: Default::default(),
        }))
    }

    fn words_layout() -> Option<Layout> {
        Layout::array::<Value>(STACK_WORDS).ok()
    }
    fn frames_layout() -> Option<Layout> {
        Layout::array::<Frame>(STACK_FRAMES).ok()
    }

    /// The innermost frame's record, for the loop.
    #[inline(always)]
    pub fn top_ptr(&self) -> *mut Frame {
        self.top.get()
    }

    /// The innermost frame.
    pub fn top(&self) -> Option<&Frame> {
        self.nth(0)
    }

    /// The frame `depth` calls up.
    pub fn nth(&self, depth: usize) -> Option<&Frame> {
        if depth >= self.depth.get() {
            return None;
        }
        // SAFETY: records from `frames` to `top` are live.
        Some(unsafe { &*self.top.get().sub(depth) })
    }

    /// Where a window that native code needs may begin.
    pub fn free_words(&self) -> *mut Value {
        self.top().map_or(self.words, |frame| frame.end)
    }

    /// Runs `f`, during which windows begin at `end` or behind it.
    ///
    /// # Safety
    /// `f` leaves the frames that there are as they are.
    #[inline(always)]
    pub unsafe fn reserving<T>(&self, end: *mut Value, f: impl FnOnce() -> T) -> T {
        if self.depth.get() == 0 {
            return f();
        }
        let top = self.top.get();
        // SAFETY: the innermost record is live, also when `f` is done.
        unsafe {
            let before = (*top).end;
            (*top).end = before.max(end);
            let result = f();
            (*top).end = before;
            result
        }
    }

    /// Makes `count` words from `window` on usable: dead ones hold no heap word. False when the stack is full.
    #[inline(always)]
    pub fn ready(&self, window: *mut Value, count: usize) -> bool {
        let end = window.wrapping_add(count);
        if end <= self.clean_to.get() {
            return true;
        }
        self.clean(end)
    }

    #[cold]
    fn clean(&self, end: *mut Value) -> bool {
        if end > self.words_end {
            return false;
        }
        // In steps, so that this is rare.
        let end = end.wrapping_add(1024).min(self.words_end);
        let mut at = self.clean_to.get();
        while at < end {
            // SAFETY: inside of the allocation; never written before.
            unsafe { at.write(Value::UNBOUND) };
            at = at.wrapping_add(1);
        }
        self.clean_to.set(end);
        true
    }

    /// Whether one more record may be pushed.
    #[inline(always)]
    pub fn has_room(&self, vm: &Interpreter) -> bool {
        let depth = self.depth.get() + 1;
        depth <= vm.recursion_limit.get() && depth < STACK_FRAMES
    }

    /// Pushes the record of a call, written where it stands: nothing is copied.
    ///
    /// # Safety
    /// There is room; `function` is a function, `code` a code object, `form` the form of that; `window` holds its variables,
    /// bound.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn push_call(
        &self,
        function: Value,
        code: Value,
        form: &Form,
        window: *mut Value,
        ret: Ret,
        dst: i16,
        extra: Option<Value>,
    ) {
        let top = self.top.get().wrapping_add(1);
        // SAFETY: fewer than `STACK_FRAMES` records are in use, so `top` is a free one; the rest by the contract.
        unsafe {
            let data = function.payload_unchecked::<Function>();
            let consts = code.payload_unchecked::<CodeObject>().consts.as_ptr_range().end;
            (&raw mut (*top).pc).write(form.instrs.as_ptr());
            (&raw mut (*top).regs).write(window);
            (&raw mut (*top).form).write(form);
            (&raw mut (*top).consts_end).write(consts);
            (&raw mut (*top).caches).write(form.caches.as_ptr());
            (&raw mut (*top).end).write(window.add(form.nregs as usize));
            (&raw mut (*top).globals).write(data.globals_dict());
            (&raw mut (*top).builtins).write(data.builtins_dict());
            (&raw mut (*top).function).write(function);
            (&raw mut (*top).code).write(code);
            (&raw mut (*top).locals).write(SlotWord::default());
            (&raw mut (*top).object).write(SlotWord::default());
            (&raw mut (*top).generator).write(SlotWord::default());
            (&raw mut (*top).extra).write(SlotWord::new(extra));
            (&raw mut (*top).ret).write(ret);
            (&raw mut (*top).dst).write(dst);
        }
        self.depth.set(self.depth.get() + 1);
        self.top.set(top);
    }

    /// Ends the innermost frame, of a plain call (`Ret::Call`, or any that [`Frame::is_plain`]) and without a frame object: its
    /// variables die. The register that its result goes to.
    ///
    /// # Safety
    /// The innermost frame is such a one.
    #[inline(always)]
    pub unsafe fn leave_call(&self, vm: &Interpreter) -> i16 {
        let top = self.top.get();
        // SAFETY: by the contract; of the record's owned words only these two are set, or `part_late` takes the third.
        unsafe {
            let variables = (*(*top).form).first_temp as usize;
            drop_words((*top).regs, (*top).regs.add(variables));
            if (*top).object.is_set() {
                part_late(vm, &*top);
            }
            let function = (&raw const (*top).function).read();
            let code = (&raw const (*top).code).read();
            let dst = (*top).dst;
            self.top.set(top.wrapping_sub(1));
            self.depth.set(self.depth.get() - 1);
            drop(code);
            drop(function);
            dst
        }
    }

    #[cold]
    pub fn too_deep(&self, vm: &Interpreter) -> Raised {
        // Making the exception runs code of its own.
        let limit = vm.recursion_limit.get();
        vm.recursion_limit.set(limit.saturating_add(50));
        let raised = vm.recursion_error("maximum recursion depth exceeded".to_string());
        vm.recursion_limit.set(limit);
        raised
    }

    /// A new innermost record, for the caller to write.
    ///
    /// # Safety
    /// There is room, and every field is written before anything looks at frames.
    #[inline(always)]
    pub unsafe fn push_raw(&self) -> *mut Frame {
        self.depth.set(self.depth.get() + 1);
        let top = self.top.get().wrapping_add(1);
        self.top.set(top);
        top
    }

    /// Where the free words begin below the innermost record.
    #[inline(always)]
    pub fn words_before(&self) -> *mut Value {
        if self.depth.get() <= 1 {
            return self.words;
        }
        // SAFETY: there is a record below the innermost one.
        unsafe { (*self.top.get().sub(1)).end }
    }

    /// Takes the innermost record off where it stands; its function.
    ///
    /// # Safety
    /// Its registers were given up.
    #[inline(always)]
    pub unsafe fn drop_top(&self) -> Value {
        let top = self.top.get();
        // SAFETY: the record is live and dropped once; what it owns dies when it is off the stack.
        unsafe {
            let function = (&raw const (*top).function).read();
            let code = (&raw const (*top).code).read();
            debug_assert!(!(*top).object.is_set() && !(*top).locals.is_set());
            self.top.set(top.wrapping_sub(1));
            self.depth.set(self.depth.get() - 1);
            drop(code);
            function
        }
    }

    /// Takes the innermost record off; its registers must have been given up.
    #[inline(always)]
    pub fn pop(&self) -> Frame {
        debug_assert!(self.depth.get() > 0);
        let top = self.top.get();
        self.top.set(top.wrapping_sub(1));
        self.depth.set(self.depth.get() - 1);
        // SAFETY: the record was live and is not any more.
        unsafe { top.read() }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        debug_assert!(std::thread::panicking() || self.depth.get() == 0);
        if let (Some(words), Some(frames)) = (Self::words_layout(), Self::frames_layout()) {
            // SAFETY: allocated in `new` with these layouts; no frame is left.
            unsafe {
                System.dealloc(self.words.cast(), words);
                System.dealloc(self.frames.cast(), frames);
            }
        }
    }
}

/// Drops every heap word of a window's part, the last one first as CPython does; what it leaves is dead.
///
/// # Safety
/// `from..to` are words of a window whose owner gives them up.
#[inline(always)]
pub unsafe fn drop_words(from: *mut Value, to: *mut Value) {
    let mut at = to;
    while at > from {
        at = at.wrapping_sub(1);
        // SAFETY: by the contract.
        unsafe {
            if (*at).is_heap() {
                drop(at.replace(Value::UNBOUND));
            }
        }
    }
}

/// Ends the innermost frame: its variables die, or move into the frame object if there is one.
#[inline(always)]
pub fn leave(vm: &Interpreter, thread: &Thread) -> Frame {
    end_variables(vm, thread);
    thread.pop()
}

/// [`leave`], the record staying for the moment.
#[inline(always)]
pub fn end_variables(vm: &Interpreter, thread: &Thread) {
    let top = thread.top_ptr();
    // SAFETY: the innermost record is live; its window has `first_temp` words of variables.
    unsafe {
        if (*top).object.is_set() {
            part_late(vm, &*top);
        }
        let variables = (*(*top).form).first_temp as usize;
        drop_words((*top).regs, (*top).regs.add(variables));
        if (*top).object.is_set() {
            part_late(vm, &*top);
        }
    }
}

/// What a variable ran when it died looked at the frame, whose record goes now: the frame object must not look at that any more.
#[cold]
#[inline(never)]
fn part_late(vm: &Interpreter, frame: &Frame) {
    crate::frame_object::detach(vm, frame);
    drop(frame.object.replace(None));
}

/// The innermost Python frame of the running thread.
pub fn current(vm: &Interpreter) -> Option<&Frame> {
    if vm.loop_state.get().is_null() || state(vm).thread.get().is_null() {
        return None;
    }
    thread(vm).top()
}

//! Frame objects: frames as Python sees them (`sys._getframe`, tracebacks, generators).
//!
//! A frame object looks at the record on the thread's stack while its frame runs, at the generator while that
//! sleeps, and keeps the variables itself afterwards.

use crate::cell::Cell as PyCell;
use crate::code::CodeObject;
use crate::frame::Frame;
use crate::function::Function;
use crate::generator::{self, Generator};
use crate::instrument;
use crate::state::{state, thread};
use pellucid_bytecode::code::flags;
use pellucid_object::heap::Visitor;
use pellucid_object::tuple::drop_from_the_end;
use pellucid_object::{
    Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, payload,
};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy)]
enum Place {
    /// The record on a thread's stack.
    Running(*const Frame),
    /// The generator sleeps: its address. It tells when it ends.
    Sleeping(*const Generator),
    Done,
}

/// Payload of `frame`.
pub struct FrameObject {
    place: Cell<Place>,
    pub code: Value,
    pub function: Value,
    /// The namespace of a module or class body.
    namespace: SlotWord,
    /// The variables, once the frame is done; `None` for unbound ones.
    variables: RefCell<Vec<Option<Value>>>,
    /// Values that writing through `f_locals` replaced while instructions may still look at them.
    replaced: RefCell<Vec<Value>>,
    /// Keys of `f_locals` that are no variables.
    pub extra: SlotWord,
    offset: Cell<u32>,
    back: SlotWord,
    pub trace: SlotWord,
    pub trace_lines: Cell<bool>,
    pub trace_opcodes: Cell<bool>,
    /// The line to show, when it is not that of the instruction.
    pub shown_line: Cell<Option<u32>>,
}

impl Payload for FrameObject {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.code);
        visit(&self.function);
        [&self.namespace, &self.extra, &self.back, &self.trace].into_iter().for_each(|w| w.trace(visit));
        self.variables.borrow().iter().flatten().for_each(&mut *visit);
        self.replaced.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        [&self.namespace, &self.extra, &self.back, &self.trace].into_iter().for_each(|w| w.set(None));
        drop_from_the_end(self.variables.take());
        drop(self.replaced.take());
    }
}

/// The last variable goes first, as it does when a frame ends that nobody looks at.
impl Drop for FrameObject {
    fn drop(&mut self) {
        drop_from_the_end(std::mem::take(self.variables.get_mut()));
    }
}

impl FrameObject {
    fn new(code: Value, function: Value, place: Place, namespace: Option<Value>) -> FrameObject {
        FrameObject {
            place: Cell::new(place),
            code,
            function,
            namespace: SlotWord::new(namespace),
            variables: RefCell::default(),
            replaced: RefCell::default(),
            extra: SlotWord::default(),
            offset: Cell::new(0),
            back: SlotWord::default(),
            trace: SlotWord::default(),
            trace_lines: Cell::new(true),
            trace_opcodes: Cell::new(false),
            shown_line: Cell::new(None),
        }
    }

    /// The frame object of a generator that sleeps or has not begun.
    pub fn for_generator(vm: &Interpreter, value: &Value) -> Res {
        let Some(generator) = generator::of(value) else { return Err(vm.bug("no generator")) };
        let function = generator.function.get().unwrap_or(Value::NONE);
        let place = Place::Sleeping(generator);
        vm.alloc(&state(vm).frame, FrameObject::new(generator.code.clone(), function, place, None))
    }

    pub fn code(&self) -> Option<&CodeObject> {
        self.code.downcast::<CodeObject>()
    }

    /// The record, while the frame runs.
    pub fn running(&self) -> Option<&Frame> {
        match self.place.get() {
            // SAFETY: `detach`, `suspend` and `generator_ends` change the place before the record goes.
            Place::Running(frame) => Some(unsafe { &*frame }),
            _ => None,
        }
    }

    /// The generator whose frame this is, while it sleeps.
    fn sleeping(&self) -> Option<&Generator> {
        match self.place.get() {
            // SAFETY: the generator calls `generator_ends` before it goes.
            Place::Sleeping(generator) => Some(unsafe { &*generator }),
            _ => None,
        }
    }

    /// The byte offset of the current or last instruction.
    pub fn offset(&self) -> u32 {
        match (self.running(), self.sleeping()) {
            (Some(frame), _) => frame.offset(),
            (_, Some(generator)) => generator.offset(),
            _ => self.offset.get(),
        }
    }

    /// The current line.
    pub fn line(&self) -> Option<u32> {
        if let Some(line) = self.shown_line.get() {
            return Some(line);
        }
        match (self.running(), self.sleeping()) {
            (Some(frame), _) => frame.line(),
            (_, Some(generator)) if generator.life.get() == generator::Life::Created => {
                Some(self.code()?.code.firstlineno)
            }
            _ => self.code()?.line_at(self.offset()),
        }
    }

    /// The word of variable `index`: locals, then cells and free variables.
    pub fn variable(&self, index: usize) -> Option<Value> {
        match (self.running(), self.sleeping()) {
            (Some(frame), _) => frame.reg(index).clone().bound(),
            (_, Some(generator)) => generator.variable(index),
            _ => self.variables.borrow().get(index).cloned().flatten(),
        }
    }

    /// The value of variable `index`, looked up in its cell if it has one.
    pub fn value(&self, index: usize) -> Option<Value> {
        let word = self.variable(index)?;
        let nlocals = self.code().map_or(0, |c| c.varnames.len());
        match word.downcast::<PyCell>().filter(|_| index >= nlocals) {
            Some(cell) => cell.contents.get(),
            None => Some(word),
        }
    }

    /// Writes variable `index`. The old value stays alive with the frame object: an instruction may be looking at it.
    pub fn set_value(&self, index: usize, value: Value) {
        let nlocals = self.code().map_or(0, |c| c.varnames.len());
        if index >= nlocals
            && let Some(word) = self.variable(index)
            && let Some(cell) = word.downcast::<PyCell>()
        {
            cell.contents.set(Some(value));
            return;
        }
        let old = match (self.running(), self.sleeping()) {
            (Some(frame), _) => Some(frame.replace_reg(index, value)),
            (_, Some(generator)) => generator.set_variable(index, value),
            _ => match self.variables.borrow_mut().get_mut(index) {
                Some(place) => place.replace(value),
                None => None,
            },
        };
        if let Some(old) = old {
            self.replaced.borrow_mut().push(old);
        }
    }

    /// The namespace of a module or class body.
    pub fn namespace(&self) -> Option<Value> {
        self.namespace.get()
    }
}

/// The variables of code, register and name, in the order in which Python lists them: a parameter that lives in a cell
/// stands where its parameter does.
pub fn variables(code: &CodeObject) -> impl Iterator<Item = (usize, &Value)> {
    let nlocals = code.varnames.len();
    let cell = |name: &Value| code.cellvars.iter().position(|cell| cell.is(name));
    let is_parameter = |name: &Value| code.varnames.iter().any(|local| local.is(name));
    let locals = code.varnames.iter().enumerate();
    let locals = locals.map(move |(index, name)| (cell(name).map_or(index, |cell| nlocals + cell), name));
    let others = code.cellvars.iter().chain(&code.freevars).enumerate();
    let others = others.map(move |(index, name)| (nlocals + index, name));
    locals.chain(
        others.filter(move |(index, name)| *index >= nlocals + code.cellvars.len() || !is_parameter(name)),
    )
}

/// The frame object of a frame on the running thread's stack.
pub fn of_frame(vm: &Interpreter, frame: &Frame) -> Res {
    if let Some(object) = frame.object.get() {
        return Ok(object);
    }
    let payload = FrameObject::new(
        frame.code.clone(),
        frame.function.clone(),
        Place::Running(frame),
        if frame.code().code.flags & flags::OPTIMIZED == 0 { Some(frame.namespace()) } else { None },
    );
    let object = vm.alloc(&state(vm).frame, payload)?;
    frame.object.set(Some(object.clone()));
    Ok(object)
}

/// The record of a resumed generator has an object already: it looks at the record from now on.
pub fn attach(frame: &mut Frame) {
    let object = frame.object.get();
    if let Some(object) = object.as_ref().and_then(|o| o.downcast::<FrameObject>()) {
        object.place.set(Place::Running(frame));
    }
}

/// The generator whose frame this is goes to sleep.
pub fn suspend(object: &SlotWord, generator: &Value) {
    let object = object.get();
    if let (Some(object), Some(generator)) =
        (object.as_ref().and_then(|o| o.downcast::<FrameObject>()), generator::of(generator))
    {
        object.place.set(Place::Sleeping(generator));
    }
}

/// A frame is left: its object keeps the variables, if anybody else holds it.
#[cold]
pub fn detach(vm: &Interpreter, frame: &Frame) {
    let Some(value) = frame.object.get() else { return };
    let Some(object) = value.downcast::<FrameObject>() else { return };
    object.offset.set(frame.offset());
    // The record, `value` here, and nobody else: the object goes with the frame.
    let alone = value.refcount() == Some(2);
    if !alone {
        let variables = (0..usize::from(frame.form().first_temp)).map(|i| frame.reg(i).clone().bound());
        let old = object.variables.replace(variables.collect());
        drop(old);
        // A generator is resumed from anywhere: what resumed it last is not where it comes from.
        if !frame.generator.is_set()
            && let Some(back) = outer(vm, frame)
        {
            object.back.set(Some(back));
        }
    }
    object.place.set(Place::Done);
}

/// The frame object of the caller.
fn outer(vm: &Interpreter, frame: &Frame) -> Option<Value> {
    let thread = thread(vm);
    let depth = (0..thread.depth.get()).find(|d| thread.nth(*d).is_some_and(|f| std::ptr::eq(f, frame)))?;
    let caller = thread.nth(depth + 1)?;
    match of_frame(vm, caller) {
        Ok(object) => Some(object),
        Err(raised) => {
            // Without memory for it there is no way back to show.
            drop(vm.take_raised(raised));
            None
        }
    }
}

/// A sleeping generator ends: the object of its frame must not look at it any more. If anybody else holds that, and if it
/// is not about breaking cycles, it `keeps` the variables.
pub fn generator_ends(generator: &Generator, keeps: bool) {
    let Some(value) = generator.object.get() else { return };
    let Some(object) = value.downcast::<FrameObject>() else { return };
    if !matches!(object.place.get(), Place::Sleeping(_)) {
        return;
    }
    object.offset.set(generator.offset());
    // The generator, `value` here, and nobody else.
    let alone = value.refcount() == Some(2);
    if keeps && !alone {
        let count =
            object.code().map_or(0, |code| variables(code).map(|(index, _)| index + 1).max().unwrap_or(0));
        let variables = (0..count).map(|index| generator.variable(index));
        drop(object.variables.replace(variables.collect()));
    }
    object.place.set(Place::Done);
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a FrameObject> {
    value.downcast::<FrameObject>().ok_or_else(|| vm.type_error("a frame was expected".to_string()))
}

/// A fresh dict of the bound variables of a function's frame.
pub fn snapshot(vm: &Interpreter, object: &FrameObject) -> Res<Ref<Dict>> {
    let dict = vm.new_dict()?;
    let Some(code) = object.code() else { return Ok(dict) };
    for (index, name) in variables(code) {
        if let Some(value) = object.value(index) {
            dict.set(vm, name.clone(), value)?;
        }
    }
    if let Some(extra) = object.extra.get()
        && let Some(extra) = extra.downcast::<Dict>()
    {
        dict.update_from(vm, extra)?;
    }
    Ok(dict)
}

/// `locals()` of the innermost frame.
pub fn locals(vm: &Interpreter, frame: &Frame) -> Res {
    let code = frame.code();
    if frame.locals.is_set() || code.code.flags & flags::OPTIMIZED == 0 {
        return Ok(frame.namespace());
    }
    let dict = vm.new_dict()?;
    for (index, name) in variables(code) {
        let word = frame.reg(index).clone().bound();
        let value =
            match word.as_ref().and_then(|w| w.downcast::<PyCell>()).filter(|_| index >= code.varnames.len())
            {
                Some(cell) => cell.contents.get(),
                None => word,
            };
        if let Some(value) = value {
            dict.set(vm, name.clone(), value)?;
        }
    }
    Ok(dict.into_value())
}

fn f_locals(vm: &Interpreter, value: &Value) -> Res {
    match this(vm, value)?.namespace() {
        Some(namespace) => Ok(namespace),
        None => crate::locals_proxy::new(vm, value),
    }
}

fn f_back(vm: &Interpreter, value: &Value) -> Res {
    let object = this(vm, value)?;
    match object.running() {
        Some(frame) => Ok(outer(vm, frame).unwrap_or(Value::NONE)),
        None => Ok(object.back.get().unwrap_or(Value::NONE)),
    }
}

fn function<'a>(vm: &Interpreter, object: &'a FrameObject) -> Res<&'a Function> {
    object.function.downcast::<Function>().ok_or_else(|| vm.bug("a frame without a function"))
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    let object = this(vm, value)?;
    match object.place.get() {
        Place::Running(_) => return Err(vm.runtime_error("cannot clear an executing frame".to_string())),
        Place::Sleeping(_) => {
            match object.sleeping().filter(|g| g.life.get() == crate::generator::Life::Created) {
                Some(generator) => {
                    crate::generator::discard(vm, generator);
                }
                None => return Err(vm.runtime_error("cannot clear a suspended frame".to_string())),
            }
        }
        Place::Done => {}
    }
    drop_from_the_end(object.variables.take());
    drop(object.replaced.take());
    Ok(Value::NONE)
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let object = this(vm, value)?;
    let Some(code) = object.code() else { return Err(vm.bug("a frame without code")) };
    let line = object.line().unwrap_or(code.code.firstlineno);
    let (file, name) = (vm.repr_lossy(&code.filename())?, vm.str_lossy(&code.name));
    vm.new_str(&format!("<frame at {:#x}, file {file}, line {line}, code {name}>", value.bits()))
}

fn set_bool(vm: &Interpreter, value: Option<&Value>, place: &Cell<bool>) -> Res<()> {
    match value {
        Some(value) if value.is_bool() => {
            place.set(value.is_true());
            Ok(())
        }
        _ => Err(vm.type_error("attribute value type must be bool".to_string())),
    }
}

macro_rules! readonly {
    ($name:literal, $get:expr) => {
        GetSetDef { name: $name, doc: "", get: $get, set: None }
    };
}

pub static FRAME: TypeDef = TypeDef {
    name: "frame",
    module: "builtins",
    base: None,
    payload: payload::<FrameObject>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[Slot::Repr(repr)],
    methods: &[FunctionDef::new(
        "clear",
        "($self, /)",
        "Clear all references held by the frame.",
        NativeFn::F1(clear),
    )],
    getset: &[
        readonly!("f_back", f_back),
        readonly!("f_code", |vm, f| Ok(this(vm, f)?.code.clone())),
        readonly!("f_globals", |vm, f| Ok(function(vm, this(vm, f)?)?.globals.clone())),
        readonly!("f_builtins", |vm, f| Ok(crate::function::shown_builtins(
            &function(vm, this(vm, f)?)?.builtins
        ))),
        readonly!("f_locals", f_locals),
        readonly!("f_lasti", |vm, f| vm.new_int(i64::from(this(vm, f)?.offset()))),
        GetSetDef {
            name: "f_lineno",
            doc: "",
            get: |vm, f| match this(vm, f)?.line() {
                Some(line) => vm.new_int(i64::from(line)),
                None => Ok(Value::NONE),
            },
            set: Some(|vm, f, v| match v {
                Some(v) => instrument::set_line(vm, this(vm, f)?, v),
                None => Err(vm.attribute_error_text("cannot delete attribute".to_string())),
            }),
        },
        readonly!("f_generator", |vm, f| match this(vm, f)?.running() {
            Some(frame) => Ok(frame.generator.get().unwrap_or(Value::NONE)),
            None => Ok(Value::NONE),
        }),
        GetSetDef {
            name: "f_trace",
            doc: "",
            get: |vm, f| Ok(this(vm, f)?.trace.get().unwrap_or(Value::NONE)),
            set: Some(|vm, f, v| {
                this(vm, f)?.trace.set(v.filter(|v| !v.is_none()).cloned());
                Ok(())
            }),
        },
        GetSetDef {
            name: "f_trace_lines",
            doc: "",
            get: |vm, f| Ok(Value::bool(this(vm, f)?.trace_lines.get())),
            set: Some(|vm, f, v| match v {
                Some(_) => set_bool(vm, v, &this(vm, f)?.trace_lines),
                None => Err(vm.type_error("can't delete numeric/char attribute".to_string())),
            }),
        },
        GetSetDef {
            name: "f_trace_opcodes",
            doc: "",
            get: |vm, f| Ok(Value::bool(this(vm, f)?.trace_opcodes.get())),
            set: Some(|vm, f, v| {
                let object = this(vm, f)?;
                set_bool(vm, v, &object.trace_opcodes)?;
                match object.code() {
                    Some(code) if object.trace_opcodes.get() => {
                        instrument::legacy::set_opcode_tracing(vm, code, true)
                    }
                    _ => Ok(()),
                }
            }),
        },
    ],
};

//! Code objects: the data of `pellucid_bytecode`, its constants as values, and the private form made at the first call.

use crate::form::Form;
use crate::instrument::{self, CodeMonitoring};
use crate::state::state;
use crate::translate;
use pellucid_bytecode::{Code, Const, Wtf8};
use pellucid_object::heap::Visitor;
use pellucid_object::{Interpreter, Payload, Raised, Res, SlotWord, Text, Value};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// Payload of `code`.
pub struct CodeObject {
    pub code: Rc<Code>,
    pub consts: Vec<Value>,
    /// Interned.
    pub names: Vec<Value>,
    pub varnames: Vec<Value>,
    pub cellvars: Vec<Value>,
    pub freevars: Vec<Value>,
    pub name: Value,
    pub qualname: Value,
    /// `co_filename`: changes when a `.pyc` file was moved since it was written.
    pub filename: SlotWord,
    /// What a call runs: the plain form, or one with events; null until a call has to decide.
    form: Cell<*const Form>,
    plain: OnceCell<Box<Form>>,
    /// Events that tools want of this code, and the forms with events.
    monitoring: OnceCell<Box<CodeMonitoring>>,
}

impl Payload for CodeObject {
    fn trace(&self, visit: &mut Visitor) {
        for list in [&self.consts, &self.names, &self.varnames, &self.cellvars, &self.freevars] {
            list.iter().for_each(&mut *visit);
        }
        [&self.name, &self.qualname].into_iter().for_each(&mut *visit);
        self.filename.trace(visit);
        if let Some(form) = self.plain.get() {
            form.natives.borrow().iter().for_each(|native| native.trace(visit));
            form.seen.get().into_iter().flatten().for_each(|seen| seen.trace(visit));
        }
    }

    /// Machine code may refer to what refers to this.
    fn clear(&self) {
        if let Some(form) = self.plain.get() {
            form.loops
                .iter()
                .map(|l| &l.heat)
                .chain([&form.calls])
                .for_each(|heat| heat.never("its code is gone"));
            drop(form.natives.take());
            form.seen.get().into_iter().flatten().for_each(|seen| seen.forget());
        }
    }
}

impl CodeObject {
    /// The private form, translated at the first use. Errors: `SystemError` for malformed code.
    #[inline]
    pub fn form(&self, vm: &Interpreter) -> Res<&Form> {
        match self.ready_form() {
            Some(form) => Ok(form),
            None => self.decide(vm),
        }
    }

    /// The form that a call runs, if that is known.
    #[inline(always)]
    pub fn ready_form(&self) -> Option<&Form> {
        // SAFETY: null, or a form that this code object owns and keeps until it dies.
        unsafe { self.form.get().as_ref() }
    }

    /// The next call decides anew which form it runs: the events that are wanted have changed.
    pub fn forget_form(&self) {
        self.form.set(std::ptr::null());
    }

    /// The form without events, which machine code is made of, if it ran.
    pub fn plain_form(&self) -> Option<&Form> {
        self.plain.get().map(|form| &**form)
    }

    #[cold]
    fn decide(&self, vm: &Interpreter) -> Res<&Form> {
        let plan = instrument::plan(vm, self);
        let form = if plan == 0 {
            match self.plain.get() {
                Some(form) => &**form,
                None => {
                    let form =
                        translate::translate(&self.code).map_err(|error| self.malformed(vm, &error))?;
                    state(vm).tier.start(&form);
                    &**self.plain.get_or_init(|| Box::new(form))
                }
            }
        } else {
            let form = self.monitoring().form(self, plan).map_err(|error| self.malformed(vm, &error))?;
            state(vm).tier.start(form);
            form
        };
        self.form.set(form);
        Ok(form)
    }

    #[cold]
    fn malformed(&self, vm: &Interpreter, error: &translate::Malformed) -> Raised {
        let name = vm.str_lossy(&self.qualname);
        vm.system_error(format!("code of {name} cannot run: {}", error.0))
    }

    /// What tools want of this code.
    pub fn monitoring(&self) -> &CodeMonitoring {
        self.monitoring.get_or_init(Box::default)
    }

    /// The same, if any tool ever wanted anything.
    pub fn known_monitoring(&self) -> Option<&CodeMonitoring> {
        self.monitoring.get().map(|m| &**m)
    }

    /// `co_filename`.
    pub fn filename(&self) -> Value {
        self.filename.get().unwrap_or(Value::NONE)
    }

    /// The line that tracebacks show for a wordcode offset: where what it stands for begins, which may be another line than
    /// the one that the instruction counts to.
    pub fn shown_line_at(&self, offset: u32) -> Option<u32> {
        let mut left = offset / 2;
        for run in pellucid_bytecode::positions::runs(self.code.firstlineno, &self.code.positions) {
            let length = u32::try_from(run.length).unwrap_or(u32::MAX);
            if left < length {
                return run.position.map(|p| p.line).or_else(|| self.line_at(offset));
            }
            left -= length;
        }
        self.line_at(offset)
    }

    /// The line of a wordcode offset, if it has one.
    pub fn line_at(&self, offset: u32) -> Option<u32> {
        pellucid_bytecode::lines::decode(self.code.firstlineno as i32, &self.code.linetable)
            .find(|range| range.start <= offset && offset < range.end)
            .and_then(|range| range.line)
            .and_then(|line| u32::try_from(line).ok())
    }
}

/// Gives a code object and those among its constants a file name.
pub fn set_filename(value: &Value, filename: &Value) {
    let Some(code) = code_of(value) else { return };
    code.filename.set(Some(filename.clone()));
    code.consts.iter().for_each(|constant| set_filename(constant, filename));
}

/// The code behind a value. A borrow that lasts as long as the value.
pub fn code_of(value: &Value) -> Option<&CodeObject> {
    value.downcast::<CodeObject>()
}

/// A `str` of WTF-8 text, interned when it is no surrogate's.
fn text(vm: &Interpreter, text: &Wtf8) -> Res {
    match std::str::from_utf8(&text.0) {
        Ok(text) => vm.intern(text),
        Err(_) => wide_text(vm, text),
    }
}

fn wide_text(vm: &Interpreter, text: &Wtf8) -> Res {
    match Text::from_wtf8(&text.0) {
        Ok(Some(text)) => vm.new_text(text),
        Ok(None) => Err(vm.value_error("invalid text in code".to_string())),
        Err(_) => Err(vm.no_memory()),
    }
}

fn texts(vm: &Interpreter, list: &[Wtf8]) -> Res<Vec<Value>> {
    list.iter().map(|t| text(vm, t)).collect()
}

/// A code object, and those of its constants. The code must have passed `verify` when it comes from outside.
pub fn new_code(vm: &Interpreter, code: Code) -> Res {
    new_code_shared(vm, Rc::new(code))
}

pub fn new_code_shared(vm: &Interpreter, code: Rc<Code>) -> Res {
    let consts = code.consts.iter().map(|c| constant(vm, c)).collect::<Res<Vec<Value>>>()?;
    new_code_with(vm, code, consts)
}

/// A code object whose constants are given as values (`code.replace`).
pub fn new_code_with(vm: &Interpreter, code: Rc<Code>, consts: Vec<Value>) -> Res {
    let payload = CodeObject {
        consts,
        names: texts(vm, &code.names)?,
        varnames: texts(vm, &code.varnames)?,
        cellvars: texts(vm, &code.cellvars)?,
        freevars: texts(vm, &code.freevars)?,
        name: text(vm, &code.name)?,
        qualname: text(vm, &code.qualname)?,
        filename: SlotWord::new(Some(text(vm, &code.filename)?)),
        code,
        form: Cell::new(std::ptr::null()),
        plain: OnceCell::new(),
        monitoring: OnceCell::new(),
    };
    vm.alloc(&state(vm).code, payload)
}

/// Strings that look like names are interned, as CPython does.
fn string_constant(vm: &Interpreter, constant: &Wtf8) -> Res {
    let name_like = constant.0.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    match std::str::from_utf8(&constant.0) {
        Ok(text) if name_like => vm.intern(text),
        Ok(text) => vm.new_str(text),
        Err(_) => wide_text(vm, constant),
    }
}

/// A constant as a value.
pub fn constant(vm: &Interpreter, constant: &Const) -> Res {
    let list = |items: &[Const]| items.iter().map(|c| self::constant(vm, c)).collect::<Res<Vec<Value>>>();
    Ok(match constant {
        Const::None => Value::NONE,
        Const::True => Value::TRUE,
        Const::False => Value::FALSE,
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(i) => vm.new_int(*i)?,
        Const::BigInt(big) => vm.new_big(big.clone())?,
        Const::Float(f) => vm.new_float(*f)?,
        Const::Str(text) => string_constant(vm, text)?,
        Const::Tuple(items) => vm.new_tuple(list(items)?)?,
        Const::Code(code) => new_code_shared(vm, code.clone())?,
        Const::Slice(parts) => {
            let [start, stop, step] = &**parts;
            let part = |c: &Const| self::constant(vm, c);
            pellucid_types::slice::new_slice(vm, part(start)?, part(stop)?, part(step)?)?
        }
        Const::FrozenSet(items) => vm.new_frozenset(list(items)?)?,
        Const::Bytes(bytes) => vm.bytes_from(bytes)?,
        Const::Complex(re, im) => pellucid_types::complex::new_complex(vm, *re, *im)?,
    })
}

/// The module `builtins`. Errors: `SystemError` before it is there.
pub fn builtins_module(vm: &Interpreter) -> Res {
    let modules = vm.modules.get();
    let name = vm.intern_static("builtins")?;
    let found = modules.and_then(|m| m.downcast::<pellucid_object::Dict>()?.get_interned(vm, &name));
    found.ok_or_else(|| vm.system_error("no module builtins".to_string()))
}

/// `ValueError` for code that the verifier refused.
pub fn refuse(vm: &Interpreter, error: &pellucid_bytecode::verify::Error) -> Raised {
    vm.value_error(error.to_string())
}

//! Names: locals, cells, globals, the namespaces of modules and classes.

use crate::form::{Cache, Instr};
use crate::frame::Frame;
use crate::function::builtins_mapping;
use crate::ops_arith::{release, rk, set};
use pellucid_object::{Dict, Exception, Interpreter, Raised, Res, Value};

/// The operand's value, owned; a temporary is consumed.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn take(frame: *mut Frame, index: i16) -> Value {
    // SAFETY: by the contract.
    unsafe {
        if index as isize >= (*(*frame).form).first_temp as isize {
            (*frame).regs.offset(index as isize).replace(Value::UNBOUND)
        } else {
            rk(frame, index).clone()
        }
    }
}

fn unbound(vm: &Interpreter, name: &Value) -> Raised {
    let text = vm.str_lossy(name);
    vm.unbound_local_error(format!(
        "cannot access local variable '{text}' where it is not associated with a value"
    ))
}

/// Sets `NameError.name`.
fn with_name(vm: &Interpreter, raised: Raised, name: &Value) -> Raised {
    let exception = vm.take_raised(raised);
    if let Some(e) = exception.downcast::<Exception>() {
        e.set_field(0, Some(name.clone()));
    }
    vm.raise_as_is(exception)
}

/// # Safety
/// As for [`rk`]; `pc` is the instruction.
#[cold]
pub unsafe fn unbound_local(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let name = (&(*frame).code().varnames)[(*pc).a as usize].clone();
        Err(unbound(vm, &name))
    }
}

/// # Safety
/// As for [`unbound_local`].
pub unsafe fn delete_local(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let place = (*frame).regs.offset((*pc).a as isize);
        if (*place).is_unbound() {
            return unbound_local(vm, frame, pc);
        }
        drop(place.replace(Value::UNBOUND));
        Ok(())
    }
}

/// # Safety
/// As for [`unbound_local`].
#[cold]
pub unsafe fn unbound_deref(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe { Err(unbound_cell(vm, &*frame, (*pc).b as usize)) }
}

/// The error for an empty cell at register `index`.
pub fn unbound_cell(vm: &Interpreter, frame: &Frame, index: usize) -> Raised {
    let (code, index) = (frame.code(), index - frame.form().nlocals as usize);
    match index.checked_sub(code.cellvars.len()) {
        None => unbound(vm, &code.cellvars[index]),
        Some(free) => {
            let name = code.freevars[free].clone();
            let text = vm.str_lossy(&name);
            let raised = vm.name_error(format!(
                "cannot access free variable '{text}' where it is not associated with a value in enclosing scope"
            ));
            with_name(vm, raised, &name)
        }
    }
}

/// `NameError: name 'x' is not defined`.
#[cold]
pub fn not_defined(vm: &Interpreter, name: &Value) -> Raised {
    let raised = vm.name_error(format!("name '{}' is not defined", vm.str_lossy(name)));
    with_name(vm, raised, name)
}

/// The `kind` of a global's cache: see [`cached_global`].
pub const GLOBAL: u16 = 1;
pub const BUILTIN: u16 = 2;

/// In the cache of a global: `kind` 1, found in the globals of keys version `version` at `index`; 2, not there, but in
/// the builtins of keys version `shape`.
///
/// # Safety
/// As for [`unbound_local`].
#[inline(always)]
pub unsafe fn cached_global(frame: *mut Frame, cache: &Cache) -> Option<Value> {
    // SAFETY: by the contract; caches and instructions were made together.
    unsafe {
        let globals = &*(*frame).globals;
        if cache.version.get() != globals.keys_version() {
            return None;
        }
        match cache.kind.get() {
            GLOBAL => globals.value_at(cache.index.get() as usize),
            BUILTIN => {
                let builtins = &*(*frame).builtins;
                if cache.shape.get() == builtins.keys_version() {
                    builtins.value_at(cache.index.get() as usize)
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

/// As [`load_global`], the cache being asked first.
///
/// # Safety
/// As for [`unbound_local`].
pub unsafe fn load_global_quick(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        match cached_global(frame, &(&(*(*frame).form).caches)[i.e as usize]) {
            Some(value) => {
                set(frame, i.a, value);
                Ok(())
            }
            None => load_global(vm, frame, pc),
        }
    }
}

/// The contents of a cell.
///
/// # Safety
/// As for [`unbound_local`].
pub unsafe fn load_deref(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract; the register holds a cell.
    unsafe {
        let i = *pc;
        let cell = (*(*frame).regs.offset(i.b as isize)).payload_unchecked::<crate::cell::Cell>();
        match cell.contents.get() {
            Some(value) => {
                set(frame, i.a, value);
                Ok(())
            }
            None => unbound_deref(vm, frame, pc),
        }
    }
}

/// Puts a value into a cell.
///
/// # Safety
/// As for [`unbound_local`].
pub unsafe fn store_deref(frame: *mut Frame, pc: *const Instr) {
    // SAFETY: by the contract; the register holds a cell.
    unsafe {
        let i = *pc;
        let value = take(frame, i.b);
        let cell = (*(*frame).regs.offset(i.a as isize)).payload_unchecked::<crate::cell::Cell>();
        cell.contents.set(Some(value));
    }
}

/// # Safety
/// As for [`unbound_local`].
#[inline(never)]
pub unsafe fn load_global(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let cache = &(&(*frame).form().caches)[i.e as usize];
        let value = find_global(vm, &*frame, cache, i.d as usize)?;
        set(frame, i.a, value);
        Ok(())
    }
}

/// The global or builtin of name `index`, which the cache remembers.
pub fn find_global(vm: &Interpreter, frame: &Frame, cache: &Cache, index: usize) -> Res {
    let name = frame.code().names[index].clone();
    if let Some(mapping) = special_globals(vm, frame) {
        return special_global(vm, frame, &mapping, &name);
    }
    let globals = frame.globals();
    let value = if let Some(index) = globals.find_interned(vm, &name) {
        cache.version.set(globals.keys_version());
        cache.kind.set(GLOBAL);
        cache.index.set(index as u32);
        globals.value_at(index)
    } else {
        let builtins = frame.builtins();
        match builtins.find_interned(vm, &name) {
            Some(index) => {
                cache.version.set(globals.keys_version());
                cache.shape.set(builtins.keys_version());
                cache.kind.set(BUILTIN);
                cache.index.set(index as u32);
                builtins.value_at(index)
            }
            None => None,
        }
    };
    match value {
        Some(value) => Ok(value),
        None => strange_builtin(vm, frame, &name)?.ok_or_else(|| not_defined(vm, &name)),
    }
}

/// A builtin by name, when `__builtins__` is no plain dict.
#[cold]
fn strange_builtin(vm: &Interpreter, frame: &Frame, name: &Value) -> Res<Option<Value>> {
    match builtins_mapping(frame.builtins()) {
        Some(mapping) => mapping_get(vm, &mapping, name),
        None => Ok(None),
    }
}

/// A builtin by name, whatever `__builtins__` is. Errors: what look-up raises but `KeyError`.
pub fn builtin(vm: &Interpreter, frame: &Frame, name: &Value) -> Res<Option<Value>> {
    match frame.builtins().get_interned(vm, name) {
        Some(value) => Ok(Some(value)),
        None => strange_builtin(vm, frame, name),
    }
}

/// The globals of a frame when they are of a subclass of `dict`, which may have keys of its own making.
#[inline]
fn special_globals(vm: &Interpreter, frame: &Frame) -> Option<Value> {
    let globals = &frame.function().globals;
    if vm.is_exact(globals, &vm.types().dict) { None } else { Some(globals.clone()) }
}

#[cold]
fn special_global(vm: &Interpreter, frame: &Frame, globals: &Value, name: &Value) -> Res {
    let found = match mapping_get(vm, globals, name)? {
        Some(value) => Some(value),
        None => builtin(vm, frame, name)?,
    };
    found.ok_or_else(|| not_defined(vm, name))
}

/// A global or builtin by name.
pub fn global(vm: &Interpreter, frame: &Frame, name: &Value) -> Res {
    if let Some(globals) = special_globals(vm, frame) {
        return special_global(vm, frame, &globals, name);
    }
    let found = match frame.globals().get_interned(vm, name) {
        Some(value) => Some(value),
        None => builtin(vm, frame, name)?,
    };
    found.ok_or_else(|| not_defined(vm, name))
}

/// The value of `name` in a mapping, `None` when it has no such key. Errors: what look-up raises but `KeyError`.
pub fn mapping_get(vm: &Interpreter, mapping: &Value, name: &Value) -> Res<Option<Value>> {
    if vm.is_exact(mapping, &vm.types().dict)
        && let Some(dict) = mapping.downcast::<Dict>()
    {
        return dict.get_str(vm, name);
    }
    match vm.get_item(mapping, name) {
        Ok(value) => Ok(Some(value)),
        Err(raised) if vm.raised_is(vm.exceptions().key_error()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// # Safety
/// As for [`unbound_local`].
pub unsafe fn load_name(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let name = (&(*frame).code().names)[i.d as usize].clone();
        let local = match (*frame).locals.get() {
            Some(locals) => mapping_get(vm, &locals, &name)?,
            None => None,
        };
        let value = match local {
            Some(value) => value,
            None => global(vm, &*frame, &name)?,
        };
        set(frame, i.a, value);
        Ok(())
    }
}

/// # Safety
/// As for [`unbound_local`].
pub unsafe fn store_name(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let name = (&(*frame).code().names)[i.d as usize].clone();
        let locals = (*frame).namespace();
        let value = rk(frame, i.b);
        match locals.downcast::<Dict>().filter(|_| vm.is_exact(&locals, &vm.types().dict)) {
            Some(dict) => dict.set(vm, name, value.clone())?,
            None => vm.set_item(&locals, &name, Some(value))?,
        }
        release(frame, i.b);
        Ok(())
    }
}

/// # Safety
/// As for [`unbound_local`].
pub unsafe fn store_global(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let name = (&(*frame).code().names)[i.d as usize].clone();
        (*frame).globals().set(vm, name, rk(frame, i.b).clone())?;
        release(frame, i.b);
        Ok(())
    }
}

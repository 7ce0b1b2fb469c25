//! Comprehensions: code of their own that runs as part of its function. Their frames borrow the function around them, so that
//! neither a function object nor a tuple of cells is made.

use crate::bind;
use crate::code::CodeObject;
use crate::form::{Comprehension, Form, Instr};
use crate::frame::{Frame, Ret, Thread, drop_words};
use crate::function::{FunctionParts, new_function};
use crate::generator;
use crate::ops_arith::set;
use crate::poll;
use crate::state::State;
use pellucid_object::{Interpreter, Res, Value};

/// The comprehension of an instruction, and its code.
///
/// # Safety
/// `frame` is live, at the instruction `i`, one of `Op::Comprehension` and `Op::MakeComprehension`.
unsafe fn parts<'a>(frame: *mut Frame, i: &Instr) -> (&'a Comprehension, &'a Value) {
    // SAFETY: by the contract; both belong to the code that the frame owns.
    unsafe {
        let comprehension = &(&(*(*frame).form).comprehensions)[i.d as usize];
        (comprehension, &(*frame).code.payload_unchecked::<CodeObject>().consts[comprehension.code as usize])
    }
}

/// Runs a comprehension: pushes its frame (true), or makes its generator (false).
///
/// # Safety
/// `frame` is the innermost frame, at the instruction `pc`, and its `pc` is up to date.
pub unsafe fn enter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract; each word of the window is accounted for.
    unsafe {
        if poll::pending(vm) {
            poll::poll(vm)?;
        }
        let i = *pc;
        let (comprehension, code) = parts(frame, &i);
        let form: &Form = code.payload_unchecked::<CodeObject>().form(vm)?;
        let iterator = (*frame).regs.offset(i.b as isize);
        // A generator's registers are not on the stack.
        let window = if (*frame).generator.is_set() { (*frame).end } else { iterator };
        if !thread.ready(window, form.nregs as usize + 1) {
            return Err(thread.too_deep(vm));
        }
        window.write(iterator.replace(Value::UNBOUND));
        let shared =
            &mut comprehension.cells.iter().map(|cell| (*(*frame).regs.offset(*cell as isize)).clone());
        bind::bind_comprehension(vm, form, window, shared)?;
        if form.generator {
            let made = generator::make(vm, st, &(*frame).function, code.clone(), form, window)?;
            set(frame, i.a, made);
            return Ok(false);
        }
        if !thread.has_room(vm) {
            drop_words(window, window.add(form.first_temp as usize));
            return Err(thread.too_deep(vm));
        }
        thread.push_call((*frame).function.clone(), code.clone(), form, window, Ret::Call, i.a, None);
        Ok(true)
    }
}

/// Makes the function after all, where control joins before it is called.
///
/// # Safety
/// As for [`enter`].
pub unsafe fn make(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (comprehension, code) = parts(frame, &i);
        let cells: Vec<Value> =
            comprehension.cells.iter().map(|cell| (*(*frame).regs.offset(*cell as isize)).clone()).collect();
        let closure = if cells.is_empty() { None } else { Some(vm.new_tuple(cells)?) };
        let parts = FunctionParts {
            code: code.clone(),
            globals: (*frame).function().globals.clone(),
            qualname: None,
            defaults: None,
            kwdefaults: None,
            closure,
            annotate: None,
        };
        let function = new_function(vm, parts)?;
        set(frame, i.a, function);
        Ok(())
    }
}

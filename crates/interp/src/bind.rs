//! How the arguments of a call become the variables of a frame.
//!
//! The arguments stand in the first words of the new window, positional ones first, then the values of keywords.

use crate::cell::Cell;
use crate::code::CodeObject;
use crate::form::Form;
use crate::frame::drop_words;
use crate::function::Function;
use crate::state::{state, thread};
use pellucid_bytecode::code::flags;
use pellucid_object::{Dict, Interpreter, Raised, Res, SlotWord, Str, Tuple, Value};

/// Binds `given` arguments, of which the last `names.len()` are keywords, in place. Afterwards all variables of the
/// window are set up; on an error none is left. Errors: `TypeError` in CPython's words, `MemoryError`.
///
/// # Safety
/// `window` has room for the form's registers and, behind them and the values that are given, for as many values as there
/// are names; it holds `given` owned values, and dead words behind them.
pub unsafe fn bind(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    form: &Form,
    window: *mut Value,
    given: usize,
    names: &[Value],
) -> Res<()> {
    let variables = form.first_temp as usize;
    // SAFETY: by the contract; every word of the window is accounted for.
    unsafe {
        for index in given..variables {
            window.add(index).write(Value::UNBOUND);
        }
        let done = if names.is_empty() && form.positional && given <= form.argcount as usize {
            fill_defaults(vm, function, code, window, given)
        } else {
            let spare = window.add(variables.max(given));
            // Comparing keywords may run Python code, which stays behind all that.
            let end = spare.add(names.len());
            let done =
                thread(vm).reserving(end, || bind_any(vm, function, code, window, given, names, spare));
            if done.is_err() {
                drop_words(spare, end);
            }
            done
        };
        let done = match done {
            Ok(()) if form.ncells + form.nfrees > 0 => make_cells(vm, function, form, window),
            done => done,
        };
        if done.is_err() {
            drop_words(window, window.add(variables.max(given)));
        }
        done
    }
}

/// Sets up the variables of a comprehension, whose iterator stands in the first word of `window`; `shared` are the cells
/// of its free variables. On an error none is left. Errors: `MemoryError`.
///
/// # Safety
/// As for [`bind`].
pub unsafe fn bind_comprehension(
    vm: &Interpreter,
    form: &Form,
    window: *mut Value,
    shared: &mut dyn Iterator<Item = Value>,
) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        for index in 1..form.first_temp as usize {
            window.add(index).write(Value::UNBOUND);
        }
        let frees = (form.nlocals + form.ncells) as usize;
        shared.enumerate().for_each(|(index, cell)| window.add(frees + index).write(cell));
        let done = make_own_cells(vm, form, window);
        if done.is_err() {
            drop_words(window, window.add(form.first_temp as usize));
        }
        done
    }
}

/// # Safety
/// As for `bind`.
unsafe fn fill_defaults(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    window: *mut Value,
    given: usize,
) -> Res<()> {
    let count = code.code.argcount as usize;
    if given == count {
        return Ok(());
    }
    let defaults = function.defaults.get();
    let copy = |defaults: &[Value]| {
        // The last default belongs to the last parameter.
        let from = (given + defaults.len()).checked_sub(count).ok_or_else(|| count - defaults.len())?;
        for (index, value) in (given..count).zip(&defaults[from..]) {
            // SAFETY: the word is unbound.
            unsafe { window.add(index).write(value.clone()) };
        }
        Ok(())
    };
    let done = match defaults.as_ref().and_then(|d| d.downcast::<Tuple>()) {
        Some(defaults) => defaults.with(copy),
        None => copy(&[]),
    };
    // SAFETY: as for `bind`.
    done.map_err(|first| unsafe { missing(vm, function, code, window, 0, first, "positional") })
}

/// # Safety
/// As for `bind`; `spare` are words for the values of the keywords.
unsafe fn bind_any(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    window: *mut Value,
    given: usize,
    names: &[Value],
    spare: *mut Value,
) -> Res<()> {
    let data = &code.code;
    let count = data.argcount as usize;
    let all = count + data.kwonlyargcount as usize;
    let positional = given - names.len();
    // SAFETY: as for `bind`; `take` leaves an unbound word.
    unsafe {
        let take = |index: usize| window.add(index).replace(Value::UNBOUND);
        (0..names.len()).for_each(|at| spare.add(at).write(take(positional + at)));
        let mut star = all;
        if data.flags & flags::VARARGS != 0 {
            let surplus = vm.tuple_from(positional.saturating_sub(count), |index| take(count + index))?;
            window.add(star).write(surplus);
            star += 1;
        } else {
            // They are refused, after the keywords.
            (count..positional).for_each(|index| drop(take(index)));
        }
        let extra = if data.flags & flags::VARKEYWORDS != 0 {
            let dict = vm.new_dict()?;
            window.add(star).write(dict.value().clone());
            Some(dict)
        } else {
            None
        };
        for (at, name) in names.iter().enumerate() {
            let value = spare.add(at);
            match (find_parameter(vm, code, name, data.posonlyargcount as usize, all)?, &extra) {
                (Some(index), _) => {
                    if !(*window.add(index)).is_unbound() {
                        let (function, name) = (qualname(vm, function), vm.str_lossy(name));
                        return Err(
                            vm.type_error(format!("{function}() got multiple values for argument '{name}'"))
                        );
                    }
                    window.add(index).write(value.replace(Value::UNBOUND));
                }
                (None, Some(dict)) => dict.set(vm, name.clone(), value.replace(Value::UNBOUND))?,
                (None, None) => return Err(unexpected(vm, function, code, name, names)),
            }
        }
        if positional > count && data.flags & flags::VARARGS == 0 {
            return Err(too_many(vm, function, code, positional, names));
        }
        default_any(vm, function, code, window, positional.min(count))
    }
}

/// # Safety
/// As for `bind`.
unsafe fn default_any(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    window: *mut Value,
    positional: usize,
) -> Res<()> {
    let count = code.code.argcount as usize;
    let all = count + code.code.kwonlyargcount as usize;
    // SAFETY: as for `bind`: words below `all` are variables.
    unsafe {
        let unbound = |index: usize| (*window.add(index)).is_unbound();
        if (positional..count).any(unbound) {
            let defaults = function.defaults.get();
            let defaults = defaults.as_ref().and_then(|d| d.downcast::<Tuple>());
            let first = count.saturating_sub(defaults.map_or(0, Tuple::len));
            if (positional..first).any(unbound) {
                return Err(missing(vm, function, code, window, 0, first, "positional"));
            }
            for index in positional.max(first)..count {
                if unbound(index)
                    && let Some(value) = defaults.and_then(|d| d.get(index + d.len() - count))
                {
                    window.add(index).write(value);
                }
            }
        }
        if (count..all).any(unbound) {
            let defaults = function.kwdefaults.get();
            let defaults = defaults.as_ref().and_then(|d| d.downcast::<Dict>());
            for index in count..all {
                if unbound(index)
                    && let Some(defaults) = defaults
                    && let Some(value) = defaults.get(vm, &code.varnames[index])?
                {
                    window.add(index).write(value);
                }
            }
            if (count..all).any(unbound) {
                return Err(missing(vm, function, code, window, count, all, "keyword-only"));
            }
        }
    }
    Ok(())
}

/// The parameter that a keyword means. Errors: what comparing raises; `TypeError` for keywords that are no strings.
fn find_parameter(
    vm: &Interpreter,
    code: &CodeObject,
    name: &Value,
    from: usize,
    to: usize,
) -> Res<Option<usize>> {
    let parameters = &code.varnames[from..to];
    if let Some(index) = parameters.iter().position(|p| p.is(name)) {
        return Ok(Some(from + index));
    }
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("keywords must be strings".to_string()));
    }
    for (index, parameter) in parameters.iter().enumerate() {
        if vm.keys_equal(parameter, name)? {
            return Ok(Some(from + index));
        }
    }
    Ok(None)
}

fn qualname(vm: &Interpreter, function: &Function) -> String {
    vm.str_lossy(&function.qualname.get().unwrap_or(Value::NONE))
}

/// # Safety
/// As for `bind`.
#[cold]
unsafe fn missing(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    window: *mut Value,
    from: usize,
    to: usize,
    kind: &str,
) -> Raised {
    let names: Vec<String> = (from..to)
        // SAFETY: words below `to` are variables.
        .filter(|index| unsafe { (*window.add(*index)).is_unbound() })
        .map(|index| format!("'{}'", vm.str_lossy(&code.varnames[index])))
        .collect();
    let count = names.len();
    let s = if count == 1 { "" } else { "s" };
    let list = match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
    };
    let function = qualname(vm, function);
    vm.type_error(format!("{function}() missing {count} required {kind} argument{s}: {list}"))
}

#[cold]
fn too_many(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    given: usize,
    names: &[Value],
) -> Raised {
    let count = code.code.argcount as usize;
    let defaults = function.defaults.get().and_then(|d| d.downcast::<Tuple>().map(Tuple::len)).unwrap_or(0);
    let only = &code.varnames[count..count + code.code.kwonlyargcount as usize];
    let only_given = names.iter().filter(|name| only.iter().any(|o| o.is(name))).count();
    let (plural, takes) = if defaults > 0 {
        // `__defaults__` may be longer than the parameters are many.
        (true, format!("from {} to {count}", count as i64 - defaults as i64))
    } else {
        (count != 1, count.to_string())
    };
    let s = |plural: bool| if plural { "s" } else { "" };
    let with_keywords = if only_given > 0 {
        format!(
            " positional argument{} (and {only_given} keyword-only argument{})",
            s(given != 1),
            s(only_given != 1)
        )
    } else {
        String::new()
    };
    let verb = if given == 1 && only_given == 0 { "was" } else { "were" };
    vm.type_error(format!(
        "{}() takes {takes} positional argument{} but {given}{with_keywords} {verb} given",
        qualname(vm, function),
        s(plural)
    ))
}

#[cold]
fn unexpected(
    vm: &Interpreter,
    function: &Function,
    code: &CodeObject,
    name: &Value,
    names: &[Value],
) -> Raised {
    let function = qualname(vm, function);
    let only = &code.varnames[..code.code.posonlyargcount as usize];
    let same = |a: &Value, b: &Value| vm.str_lossy(a) == vm.str_lossy(b);
    let wrong: Vec<String> =
        only.iter().filter(|o| names.iter().any(|n| same(o, n))).map(|o| vm.str_lossy(o)).collect();
    if !wrong.is_empty() {
        return vm.type_error(format!(
            "{function}() got some positional-only arguments passed as keyword arguments: '{}'",
            wrong.join(", ")
        ));
    }
    let name = vm.str_lossy(name);
    let all = (code.code.argcount + code.code.kwonlyargcount) as usize;
    let known: Vec<String> =
        code.varnames[code.code.posonlyargcount as usize..all].iter().map(|v| vm.str_lossy(v)).collect();
    match crate::suggest::closest(&name, known.iter().map(String::as_str)) {
        Some(other) => vm.type_error(format!(
            "{function}() got an unexpected keyword argument '{name}'. Did you mean '{other}'?"
        )),
        None => vm.type_error(format!("{function}() got an unexpected keyword argument '{name}'")),
    }
}

/// Cells for the variables that inner functions share, and those of the closure.
///
/// # Safety
/// As for `bind`.
unsafe fn make_cells(vm: &Interpreter, function: &Function, form: &Form, window: *mut Value) -> Res<()> {
    // SAFETY: by the contract.
    unsafe { make_own_cells(vm, form, window)? };
    let nlocals = form.nlocals as usize;
    if form.nfrees > 0 {
        let closure = function.closure.get();
        let Some(cells) = closure.as_ref().and_then(|c| c.downcast::<Tuple>()) else {
            return Err(vm.system_error("a function lost its closure".to_string()));
        };
        for index in 0..form.nfrees as usize {
            let Some(cell) = cells.get(index) else {
                return Err(vm.system_error("a function's closure is too short".to_string()));
            };
            // SAFETY: free variables follow the cells.
            unsafe { window.add(nlocals + form.ncells as usize + index).write(cell) };
        }
    }
    Ok(())
}

/// Cells for the variables that inner functions share.
///
/// # Safety
/// As for `bind`.
unsafe fn make_own_cells(vm: &Interpreter, form: &Form, window: *mut Value) -> Res<()> {
    let nlocals = form.nlocals as usize;
    for (index, parameter) in form.cell_params.iter().enumerate() {
        let contents = match usize::try_from(*parameter) {
            // SAFETY: a parameter is a variable of the window.
            Ok(parameter) => unsafe { window.add(parameter).replace(Value::UNBOUND) }.bound(),
            Err(_) => None,
        };
        let cell = vm.alloc(&state(vm).cell, Cell { contents: SlotWord::new(contents) })?;
        // SAFETY: cells follow the locals.
        unsafe { window.add(nlocals + index).write(cell) };
    }
    Ok(())
}

//! Instructions that are too rare for a register form: they work on the temporaries as on wordcode's value stack.

use crate::cell::Cell as PyCell;
use crate::dunder::{enter_method, generator_iter};
use crate::form::Instr;
use crate::frame::{Frame, Ret, Thread};
use crate::function::{FunctionParts, new_function};
use crate::ops_build::unpack;
use crate::ops_call::{Call, Place, call_at};
use crate::ops_name::{global, mapping_get, not_defined, unbound_cell};
use crate::run::{Entered, is_function};
use crate::state::{State, state};
use crate::{async_generator, groups, import, instrument, matching, poll, unwind};
use pellucid_bytecode::Op as Word;
use pellucid_object::native::call_positional;
use pellucid_object::{CallArgs, Dict, Interpreter, List, Raised, Res, Str, Tuple, Value};
use smallvec::SmallVec;

/// The temporaries of a frame as a stack.
struct Stack {
    frame: *mut Frame,
    /// Register of the next free temporary.
    top: usize,
}

impl Stack {
    fn place(&self, index: usize) -> *mut Value {
        // SAFETY: the wordcode was verified: depths stay inside of the window, whose frame is live.
        unsafe { (*self.frame).regs.add(index) }
    }
    fn push(&mut self, value: Value) {
        // SAFETY: see `place`; the old word is dead.
        drop(unsafe { self.place(self.top).replace(value) });
        self.top += 1;
    }
    fn pop(&mut self) -> Value {
        self.top -= 1;
        // SAFETY: see `place`.
        unsafe { self.place(self.top).replace(Value::UNBOUND) }
    }
    fn pop_many(&mut self, count: usize) -> SmallVec<[Value; 6]> {
        self.top -= count;
        // SAFETY: see `place`.
        (self.top..self.top + count).map(|i| unsafe { self.place(i).replace(Value::UNBOUND) }).collect()
    }
    /// The value `depth` below the top, which is 1.
    fn peek(&self, depth: usize) -> Value {
        // SAFETY: see `place`.
        unsafe { (*self.place(self.top - depth)).clone() }
    }
    /// Moves the top below `count - 1` values.
    fn rotate(&mut self, count: usize) {
        for at in (self.top - count + 1..self.top).rev() {
            // SAFETY: see `place`.
            unsafe { self.place(at).swap(self.place(at - 1)) }
        }
    }
}

/// Executes the wordcode instruction behind `pc`; true when a frame was pushed.
///
/// # Safety
/// `frame` is the innermost frame, at the `Generic` instruction `pc`, and its `pc` is up to date.
pub unsafe fn execute(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    let i = unsafe { *pc };
    if i.b == instrument::weave::EVENT {
        // SAFETY: by the contract.
        return unsafe { instrument::event(vm, st, thread, frame, pc) };
    }
    let Some(word) = u8::try_from(i.b).ok().and_then(Word::from_u8) else {
        return Err(vm.bug("an instruction without a meaning"));
    };
    let mut stack = Stack { frame, top: i.a as usize };
    if word == Word::CallFunctionEx {
        // SAFETY: by the contract.
        return unsafe { call_ex(vm, st, thread, &mut stack, i.d) };
    }
    if word == Word::SetupWith {
        // SAFETY: by the contract.
        unsafe {
            if enter_context(vm, st, thread, &mut stack)? {
                return Ok(true);
            }
            return instrument::settle(vm, st, thread, frame, pc, true);
        }
    }
    // SAFETY: by the contract.
    unsafe {
        if word == Word::GetYieldFromIter
            && let Some(iterator) = generator_iter(vm, st, thread, frame, &stack.peek(1))?
        {
            drop(stack.pop());
            stack.push(iterator);
            return instrument::settle(vm, st, thread, frame, pc, true);
        }
        simple(vm, &*frame, &mut stack, word, i.d)?;
        instrument::settle(vm, st, thread, frame, pc, true)
    }
}

/// The call `i` of something that is no Python function; its operands are given up.
///
/// # Safety
/// `frame` is the innermost frame, and `i` an instruction of its form, whose operands are in place.
pub unsafe fn call_ex_natively(vm: &Interpreter, frame: *mut Frame, i: &Instr) -> Res {
    let mut stack = Stack { frame, top: i.a as usize };
    let keywords = if i.d & 1 != 0 { Some(stack.pop()) } else { None };
    let (positional, callee) = (stack.pop(), stack.pop());
    let mut names = Names::new();
    let mut values = Vec::new();
    keyword_arguments(vm, &callee, keywords.as_ref(), &mut names, &mut values)?;
    let given = positional_items(vm, &callee, &positional)?;
    values.splice(0..0, given);
    vm.call(&callee, &CallArgs { values: &values, names: &names })
}

type Names = SmallVec<[Value; 6]>;

/// The keywords that a call with stars gives: names, interned, and values.
fn keyword_arguments(
    vm: &Interpreter,
    callee: &Value,
    keywords: Option<&Value>,
    names: &mut Names,
    values: &mut impl Extend<Value>,
) -> Res<()> {
    let Some(keywords) = keywords else { return Ok(()) };
    let copy;
    let dict = match keywords.downcast::<Dict>() {
        Some(dict) => dict,
        None => {
            copy = vm.new_dict()?;
            merge(vm, &copy, keywords, callee)?;
            &copy
        }
    };
    let mut at = 0;
    while let Some((entry, name, value)) = dict.entry_from(at) {
        if name.downcast::<Str>().is_none() {
            return Err(vm.type_error("keywords must be strings".to_string()));
        }
        names.push(vm.intern_value(&name)?);
        values.extend(Some(value));
        at = entry + 1;
    }
    Ok(())
}

/// `callee(*args, **kwargs)`. The arguments need not fit into the frame's temporaries: they stand behind its window.
///
/// # Safety
/// As for [`execute`].
unsafe fn call_ex(vm: &Interpreter, st: &State, thread: &Thread, stack: &mut Stack, arg: u32) -> Res<bool> {
    let keywords = if arg & 1 != 0 { Some(stack.pop()) } else { None };
    let (positional, callee) = (stack.pop(), stack.pop());
    let mut names = Names::new();
    let mut values: SmallVec<[Value; 6]> = SmallVec::new();
    keyword_arguments(vm, &callee, keywords.as_ref(), &mut names, &mut values)?;
    if poll::pending(vm) {
        poll::poll(vm)?;
    }
    let frame = stack.frame;
    // SAFETY: by the contract; `ready` makes the words usable, which are dead, and nothing runs before they are filled.
    unsafe {
        let put = |items: &[Value]| {
            let first = (*frame).end.add(1);
            if !thread.ready((*frame).end, items.len() + values.len() + 2) {
                return None;
            }
            items.iter().enumerate().for_each(|(at, item)| first.add(at).write(item.clone()));
            Some((first, items.len()))
        };
        let placed = match positional.downcast::<Tuple>() {
            Some(tuple) => tuple.with(put),
            None => {
                match positional.downcast::<List>().filter(|_| vm.is_exact(&positional, &vm.types().list)) {
                    Some(list) => list.with(put),
                    None => put(&positional_items(vm, &callee, &positional)?),
                }
            }
        };
        let Some((first, mut given)) = placed else { return Err(thread.too_deep(vm)) };
        for value in values {
            first.add(given).write(value);
            given += 1;
        }
        let call = Call {
            callee,
            place: Place::Behind(first),
            room: 1,
            given,
            names: &names,
            dst: stack.top as i16,
        };
        call_at(vm, st, thread, frame, call)
    }
}

/// How messages name what is called.
pub fn callee_name(vm: &Interpreter, callee: &Value) -> String {
    let name =
        vm.get_attr_opt(callee, "__qualname__").ok().flatten().filter(|n| n.downcast::<Str>().is_some());
    let module =
        vm.get_attr_opt(callee, "__module__").ok().flatten().filter(|m| m.downcast::<Str>().is_some());
    match (name, module.map(|m| vm.str_lossy(&m)).filter(|m| m != "builtins")) {
        (Some(name), Some(module)) => format!("{module}.{}()", vm.str_lossy(&name)),
        (Some(name), None) => format!("{}()", vm.str_lossy(&name)),
        (None, _) => format!("{} object", vm.type_name(callee)),
    }
}

fn positional_items(vm: &Interpreter, callee: &Value, args: &Value) -> Res<Vec<Value>> {
    if let Some(tuple) = args.downcast::<Tuple>() {
        return Ok(tuple.items());
    }
    match vm.collect(args) {
        Err(raised) if vm.raised_is(vm.exceptions().type_error()) && !iterable(vm, args) => {
            drop(vm.take_raised(raised));
            let (callee, got) = (callee_name(vm, callee), vm.type_name(args));
            Err(vm.type_error(format!("{callee} argument after * must be an iterable, not {got}")))
        }
        other => other,
    }
}

fn iterable(vm: &Interpreter, value: &Value) -> bool {
    let ty = vm.type_of_ref(value);
    ty.slots.iter.get().is_some() || ty.slots.getitem.get().is_some()
}

/// Adds the pairs of a mapping to the keywords of a call. Errors: `TypeError` for a key twice or no mapping.
fn merge(vm: &Interpreter, dict: &Dict, more: &Value, callee: &Value) -> Res<()> {
    let pairs = match more.downcast::<Dict>() {
        Some(more) => more.pairs(),
        None => {
            let Some(keys) = vm.get_attr_opt(more, "keys")? else {
                let (callee, got) = (callee_name(vm, callee), vm.type_name(more));
                return Err(vm.type_error(format!("{callee} argument after ** must be a mapping, not {got}")));
            };
            let keys = vm.collect(&vm.call_values(&keys, &[])?)?;
            keys.into_iter()
                .map(|key| Ok((key.clone(), vm.get_item(more, &key)?)))
                .collect::<Res<Vec<_>>>()?
        }
    };
    for (key, value) in pairs {
        if dict.contains(vm, &key)? {
            let callee = callee_name(vm, callee);
            let key = vm.str(&key)?;
            let key = vm.str_lossy(&key);
            return Err(vm.type_error(format!("{callee} got multiple values for keyword argument '{key}'")));
        }
        dict.set(vm, key, value)?;
    }
    Ok(())
}

fn simple(vm: &Interpreter, frame: &Frame, stack: &mut Stack, word: Word, arg: u32) -> Res<()> {
    use Word::*;
    let n = arg as usize;
    match word {
        RotThree => stack.rotate(3),
        RotFour => stack.rotate(4),
        RotN => stack.rotate(n),
        DupTopTwo => {
            let (a, b) = (stack.peek(2), stack.peek(1));
            stack.push(a);
            stack.push(b);
        }
        DeleteSubscr => {
            let (key, container) = (stack.pop(), stack.pop());
            vm.set_item(&container, &key, None)?;
        }
        DeleteAttr => {
            let object = stack.pop();
            vm.set_attr(&object, &frame.code().names[n].clone(), None)?;
        }
        DeleteName => delete_name(vm, frame, n)?,
        DeleteGlobal => {
            let name = frame.code().names[n].clone();
            if frame.globals().remove(vm, &name)?.is_none() {
                return Err(not_defined(vm, &name));
            }
        }
        DeleteDeref => {
            let index = frame.form().nlocals as usize + n;
            let cell = frame.reg(index).clone();
            if cell.downcast::<PyCell>().and_then(|c| c.contents.replace(None)).is_none() {
                return Err(unbound_cell(vm, frame, index));
            }
        }
        LoadClassderef => {
            let locals = frame.locals.get();
            let value = class_or_cell(vm, frame, locals.as_ref(), n)?;
            stack.push(value);
        }
        LoadFromDictOrDeref => {
            let mapping = stack.pop();
            let value = class_or_cell(vm, frame, Some(&mapping), n)?;
            stack.push(value);
        }
        LoadFromDictOrGlobals => {
            let (mapping, name) = (stack.pop(), frame.code().names[n].clone());
            let value = match mapping_get(vm, &mapping, &name)? {
                Some(value) => value,
                None => global(vm, frame, &name)?,
            };
            stack.push(value);
        }
        LoadLocals => stack.push(frame.namespace()),
        LoadAssertionError => stack.push(vm.exceptions().assertion_error().value().clone()),
        LoadNotImplementedError => stack.push(vm.exceptions().not_implemented_error().value().clone()),
        LoadBuildClass => {
            let name = &state(vm).names.__build_class__;
            match crate::ops_name::builtin(vm, frame, name)? {
                Some(value) => stack.push(value),
                None => return Err(vm.name_error("__build_class__ not found".to_string())),
            }
        }
        PrintExpr => {
            let value = stack.pop();
            let sys = vm.import("sys")?;
            match vm.get_attr_opt(&sys, "displayhook")? {
                Some(hook) => drop(vm.call_values(&hook, &[value])?),
                None => return Err(vm.runtime_error("lost sys.displayhook".to_string())),
            }
        }
        SetupAnnotations => {
            let locals = frame.namespace();
            let name = state(vm).names.__annotations__.clone();
            if mapping_get(vm, &locals, &name)?.is_none() {
                vm.set_item(&locals, &name, Some(&vm.new_dict()?.into_value()))?;
            }
        }
        SetUpdate => set_update(vm, stack, n)?,
        BuildConstKeyMap | DictUpdate | DictMerge => maps(vm, stack, word, n)?,
        BuildSlice => {
            let step = if n == 3 { stack.pop() } else { Value::NONE };
            let (stop, start) = (stack.pop(), stack.pop());
            stack.push(pellucid_types::slice::new_slice(vm, start, stop, step)?);
        }
        FormatValue => format_value(vm, stack, arg)?,
        ListExtend => list_extend(vm, stack, n)?,
        ListToTuple => {
            let list = stack.pop();
            let items = list.downcast::<List>().map(List::items).unwrap_or_default();
            stack.push(vm.new_tuple(items)?);
        }
        UnpackEx => {
            let source = stack.pop();
            let items = unpack(vm, &source, n & 0xff, Some(n >> 8))?;
            items.into_iter().rev().for_each(|item| stack.push(item));
        }
        MakeFunction => make_function(vm, frame, stack, arg)?,
        RaiseVarargs => {
            let cause = if n == 2 { Some(stack.pop()) } else { None };
            let what = if n >= 1 { Some(stack.pop()) } else { None };
            return Err(unwind::raise(vm, what.as_ref(), cause.as_ref()));
        }
        Reraise => {
            let (_ty, value, _traceback) = (stack.pop(), stack.pop(), stack.pop());
            return Err(reraise(vm, value));
        }
        PopExcept => {
            let level = stack.top - 3 - frame.form().first_temp as usize;
            unwind::restore_handled(vm, frame, level as u16);
            drop(stack.pop_many(3));
        }
        SetupWith | BeforeAsyncWith | WithExceptStart => with(vm, stack, word)?,
        GetAwaitable | GetAiter | GetAnext | GetYieldFromIter | EndAsyncFor => {
            asynchronous(vm, frame, stack, word)?;
        }
        ImportName | ImportFrom | ImportStar => imports(vm, frame, stack, word, n)?,
        GetLen | MatchMapping | MatchSequence | MatchKeys | MatchClass | CopyDictWithoutKeys => {
            patterns(vm, stack, word, n)?;
        }
        CheckEgMatch => {
            let (wanted, group) = (stack.pop(), stack.pop());
            let (matched, rest) = groups::split_match(vm, &group, &wanted)?;
            stack.push(rest);
            stack.push(matched);
        }
        PrepReraiseStar => {
            let (raised, original) = (stack.pop(), stack.pop());
            let value = groups::reraise(vm, &original, &raised)?;
            stack.push(value);
        }
        BuildTemplate | BuildInterpolation | Intrinsic1 | Intrinsic2 => new_syntax(vm, stack, word, arg)?,
        other => return Err(vm.system_error(format!("opcode {} cannot run", other.name()))),
    }
    Ok(())
}

/// `RERAISE` of a value that wordcode says is an exception.
fn reraise(vm: &Interpreter, value: Value) -> Raised {
    match value.downcast::<pellucid_object::Exception>() {
        Some(_) => vm.raise_as_is(value),
        None => vm.system_error("RERAISE without an exception".to_string()),
    }
}

fn delete_name(vm: &Interpreter, frame: &Frame, n: usize) -> Res<()> {
    let name = frame.code().names[n].clone();
    let locals = frame.namespace();
    match vm.set_item(&locals, &name, None) {
        Err(raised) if vm.raised_is(vm.exceptions().key_error()) => {
            drop(vm.take_raised(raised));
            Err(not_defined(vm, &name))
        }
        other => other,
    }
}

/// The value of cell `n`, unless the mapping has the name.
fn class_or_cell(vm: &Interpreter, frame: &Frame, mapping: Option<&Value>, n: usize) -> Res {
    let code = frame.code();
    let name = code.cellvars.iter().chain(&code.freevars).nth(n).cloned();
    let Some(name) = name else { return Err(vm.system_error("no such cell".to_string())) };
    if let Some(mapping) = mapping
        && let Some(value) = mapping_get(vm, mapping, &name)?
    {
        return Ok(value);
    }
    let index = frame.form().nlocals as usize + n;
    match frame.reg(index).downcast::<PyCell>().and_then(|c| c.contents.get()) {
        Some(value) => Ok(value),
        None => Err(unbound_cell(vm, frame, index)),
    }
}

fn set_update(vm: &Interpreter, stack: &mut Stack, n: usize) -> Res<()> {
    let value = stack.pop();
    let set = stack.peek(n);
    vm.call_method(&set, "update", &[value]).map(drop)
}

fn maps(vm: &Interpreter, stack: &mut Stack, word: Word, n: usize) -> Res<()> {
    match word {
        Word::BuildConstKeyMap => {
            let keys = stack.pop();
            let keys = keys.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
            let dict = vm.new_dict()?;
            for (key, value) in keys.into_iter().zip(stack.pop_many(n)) {
                dict.set(vm, key, value)?;
            }
            stack.push(dict.into_value());
        }
        Word::DictUpdate => {
            let more = stack.pop();
            let dict = stack.peek(n);
            dict_update(vm, &dict, &more)?;
        }
        _ => {
            let more = stack.pop();
            let (dict, callee) = (stack.peek(n), stack.peek(n + 2));
            match dict.downcast::<Dict>() {
                Some(dict) => merge(vm, dict, &more, &callee)?,
                None => return Err(vm.system_error("DICT_MERGE to no dict".to_string())),
            }
        }
    }
    Ok(())
}

fn dict_update(vm: &Interpreter, dict: &Value, more: &Value) -> Res<()> {
    if more.downcast::<Dict>().is_none() && vm.get_attr_opt(more, "keys")?.is_none() {
        let got = vm.type_name(more);
        return Err(vm.type_error(format!("'{got}' object is not a mapping")));
    }
    vm.call_method(dict, "update", std::slice::from_ref(more)).map(drop)
}

/// `FORMAT_VALUE` with a specification.
fn format_value(vm: &Interpreter, stack: &mut Stack, arg: u32) -> Res<()> {
    let spec = stack.pop();
    let value = stack.pop();
    let value = match arg & 3 {
        1 => vm.str(&value)?,
        2 => vm.repr(&value)?,
        3 => pellucid_types::format::ascii(vm, &value)?,
        _ => value,
    };
    let text = pellucid_types::format::format_value(vm, &value, &spec)?;
    stack.push(text);
    Ok(())
}

fn list_extend(vm: &Interpreter, stack: &mut Stack, n: usize) -> Res<()> {
    let source = stack.pop();
    let list = stack.peek(n);
    let Some(list) = list.downcast::<List>() else {
        return Err(vm.system_error("LIST_EXTEND to no list".to_string()));
    };
    match vm.for_each(&source, |item| list.push(vm, item)) {
        Err(raised) if vm.raised_is(vm.exceptions().type_error()) && !iterable(vm, &source) => {
            drop(vm.take_raised(raised));
            let got = vm.type_name(&source);
            Err(vm.type_error(format!("Value after * must be an iterable, not {got}")))
        }
        other => other,
    }
}

fn make_function(vm: &Interpreter, frame: &Frame, stack: &mut Stack, arg: u32) -> Res<()> {
    let qualname = stack.pop();
    let code = stack.pop();
    let closure = if arg & 8 != 0 { Some(stack.pop()) } else { None };
    let annotate = if arg & 4 != 0 { Some(stack.pop()) } else { None };
    let kwdefaults = if arg & 2 != 0 { Some(stack.pop()) } else { None };
    let defaults = if arg & 1 != 0 { Some(stack.pop()) } else { None };
    let globals = frame.function().globals.clone();
    let has_annotations =
        annotate.as_ref().is_some_and(|a| a.downcast::<Tuple>().is_some() || a.downcast::<Dict>().is_some());
    let (annotate, annotations) = if has_annotations { (None, annotate) } else { (annotate, None) };
    let parts =
        FunctionParts { code, globals, qualname: Some(qualname), defaults, kwdefaults, closure, annotate };
    let function = new_function(vm, parts)?;
    if let Some(annotations) = annotations {
        let dict = annotation_dict(vm, &annotations)?;
        vm.set_attr_str(&function, "__annotations__", dict)?;
    }
    stack.push(function);
    Ok(())
}

/// Annotations in wordcode are names and values in turn, in a tuple.
fn annotation_dict(vm: &Interpreter, annotations: &Value) -> Res {
    let Some(tuple) = annotations.downcast::<Tuple>() else { return Ok(annotations.clone()) };
    let dict = vm.new_dict()?;
    for pair in tuple.items().chunks_exact(2) {
        dict.set(vm, pair[0].clone(), pair[1].clone())?;
    }
    Ok(dict.into_value())
}

/// The method of a context manager, bound. Errors: `TypeError` in CPython's words.
fn manager_method(vm: &Interpreter, manager: &Value, name: &Value, asynchronous: bool) -> Res {
    let ty = vm.type_of(manager);
    if let Some(found) = ty.lookup(vm, name) {
        return vm.bind_descriptor(&found, manager, ty.value());
    }
    let (kind, name) = (vm.type_name(manager), vm.str_lossy(name));
    let (protocol, others, hint) = if asynchronous {
        ("asynchronous context manager", ["__enter__", "__exit__"], "with")
    } else {
        ("context manager", ["__aenter__", "__aexit__"], "async with")
    };
    let mut hint = format!(
        " but it supports the {} protocol. Did you mean to use '{hint}'?",
        if asynchronous { "context manager" } else { "asynchronous context manager" }
    );
    for other in others {
        if vm.lookup_special(manager, other)?.is_none() {
            hint.clear();
        }
    }
    Err(vm.type_error(format!(
        "'{kind}' object does not support the {protocol} protocol (missed {name} method){hint}"
    )))
}

/// The beginning of a `with` block: `__exit__`, bound, and what `__enter__` gives replace the manager. True: the frame of
/// `__enter__` was pushed.
///
/// # Safety
/// As for [`execute`].
unsafe fn enter_context(vm: &Interpreter, st: &State, thread: &Thread, stack: &mut Stack) -> Res<bool> {
    let ty = vm.type_of(&stack.peek(1));
    let methods = ty.lookup(vm, &st.names.__enter__).zip(ty.lookup(vm, &st.names.__exit__));
    let Some((enter, exit)) = methods else {
        return with(vm, stack, Word::SetupWith).map(|()| false);
    };
    let manager = stack.pop();
    if !is_function(st, &enter) {
        let bound = vm.bind_descriptor(&exit, &manager, ty.value())?;
        stack.push(bound);
        let result = match call_positional(vm, &enter, std::slice::from_ref(&manager)) {
            Some(result) => result?,
            None => vm.call_descriptor(&enter, &manager, &[])?,
        };
        stack.push(result);
        return Ok(false);
    }
    let bound = match is_function(st, &exit) {
        true => vm.new_bound_method(exit, manager.clone())?,
        false => vm.bind_descriptor(&exit, &manager, ty.value())?,
    };
    stack.push(bound);
    let dst = stack.top as i16;
    // SAFETY: by the contract.
    let entered = unsafe { enter_method(vm, st, thread, stack.frame, enter, &[&manager], Ret::Call, dst)? };
    match entered {
        Entered::Frame => Ok(true),
        Entered::Value(value) => {
            stack.push(value);
            Ok(false)
        }
    }
}

fn with(vm: &Interpreter, stack: &mut Stack, word: Word) -> Res<()> {
    let names = &state(vm).names;
    if word == Word::WithExceptStart {
        let (ty, value, traceback) = (stack.peek(1), stack.peek(2), stack.peek(3));
        let exit = stack.peek(7);
        let traceback = match value.downcast::<pellucid_object::Exception>() {
            Some(e) => e.traceback.get().unwrap_or(traceback),
            None => traceback,
        };
        let result = vm.call_values(&exit, &[ty, value, traceback])?;
        stack.push(result);
        return Ok(());
    }
    let asynchronous = word == Word::BeforeAsyncWith;
    let (enter, exit) = if asynchronous {
        (&names.__aenter__, &names.__aexit__)
    } else {
        (&names.__enter__, &names.__exit__)
    };
    let manager = stack.pop();
    let exit = manager_method(vm, &manager, exit, asynchronous)?;
    let enter = manager_method(vm, &manager, enter, asynchronous)?;
    stack.push(exit);
    drop(manager);
    let result = vm.call_values(&enter, &[])?;
    stack.push(result);
    Ok(())
}

/// If the current `GET_AWAITABLE` is one of `async with`, the method whose result is awaited: the instructions in front
/// of it tell.
fn context_method(frame: &Frame) -> Option<&'static str> {
    let code = &frame.code().code.code;
    let at = frame.offset() as usize;
    let before = |distance: usize| {
        at.checked_sub(2 * distance).and_then(|at| code.get(at)).and_then(|op| Word::from_u8(*op))
    };
    match before(1)? {
        Word::BeforeAsyncWith => Some("__aenter__"),
        Word::WithExceptStart => Some("__aexit__"),
        Word::CallFunction if before(2) == Some(Word::DupTop) => Some("__aexit__"),
        _ => None,
    }
}

fn asynchronous(vm: &Interpreter, frame: &Frame, stack: &mut Stack, word: Word) -> Res<()> {
    match word {
        Word::GetAwaitable => {
            let value = stack.pop();
            let iterator = match context_method(frame) {
                Some(method) => async_generator::awaitable_of(vm, &value, method)?,
                None => async_generator::awaitable(vm, &value)?,
            };
            stack.push(iterator);
        }
        Word::GetAiter => {
            let value = stack.pop();
            let iterator = async_generator::aiter(vm, &value)?;
            stack.push(iterator);
        }
        Word::GetAnext => {
            let iterator = stack.peek(1);
            let awaitable = async_generator::anext(vm, &iterator)?;
            stack.push(awaitable);
        }
        Word::GetYieldFromIter => {
            let value = stack.pop();
            let iterator = async_generator::yield_from_iter(vm, frame.code().code.flags, &value)?;
            stack.push(iterator);
        }
        _ => {
            let value = stack.peek(2);
            let ended = vm.is_instance(&value, vm.exceptions().stop_async_iteration());
            if !ended {
                let (_ty, value, _traceback) = (stack.pop(), stack.pop(), stack.pop());
                return Err(reraise(vm, value));
            }
            let level = stack.top - 6 - frame.form().first_temp as usize;
            drop(stack.pop_many(3));
            unwind::restore_handled(vm, frame, level as u16);
            drop(stack.pop_many(4));
        }
    }
    Ok(())
}

fn imports(vm: &Interpreter, frame: &Frame, stack: &mut Stack, word: Word, n: usize) -> Res<()> {
    match word {
        Word::ImportName => {
            let (from_list, level) = (stack.pop(), stack.pop());
            let name = frame.code().names[n].clone();
            let module = import::name(vm, frame, &name, from_list, level)?;
            stack.push(module);
        }
        Word::ImportFrom => {
            let module = stack.peek(1);
            let value = import::from(vm, &module, &frame.code().names[n].clone())?;
            stack.push(value);
        }
        _ => {
            let module = stack.pop();
            import::star(vm, &module, &frame.namespace())?;
        }
    }
    Ok(())
}

fn patterns(vm: &Interpreter, stack: &mut Stack, word: Word, n: usize) -> Res<()> {
    match word {
        Word::GetLen => {
            let len = vm.len(&stack.peek(1))?;
            stack.push(vm.new_int(len as i64)?);
        }
        Word::MatchMapping | Word::MatchSequence => {
            let flag = if word == Word::MatchMapping {
                pellucid_object::TypeFlags::MAPPING
            } else {
                pellucid_object::TypeFlags::SEQUENCE
            };
            let matches = vm.type_of(&stack.peek(1)).flags.get().contains(flag);
            stack.push(Value::bool(matches));
        }
        Word::MatchKeys => {
            let values = matching::keys(vm, &stack.peek(2), &stack.peek(1))?;
            let matched = Value::bool(values.is_some());
            stack.push(values.unwrap_or(Value::NONE));
            stack.push(matched);
        }
        Word::MatchClass => {
            let names = stack.pop();
            let (class, subject) = (stack.pop(), stack.pop());
            let attributes = matching::class(vm, &subject, &class, n, &names)?;
            let matched = Value::bool(attributes.is_some());
            stack.push(attributes.unwrap_or(subject));
            stack.push(matched);
        }
        _ => {
            let keys = stack.pop();
            let rest = matching::rest(vm, &stack.peek(1), &keys)?;
            stack.push(rest);
        }
    }
    Ok(())
}

fn new_syntax(vm: &Interpreter, stack: &mut Stack, word: Word, arg: u32) -> Res<()> {
    let value = match word {
        Word::BuildTemplate => {
            let interpolations = stack.pop();
            let strings = stack.pop();
            crate::extras::template(vm, &strings, &interpolations)?
        }
        Word::BuildInterpolation => {
            let spec = if arg & 1 != 0 { Some(stack.pop()) } else { None };
            let expression = stack.pop();
            let value = stack.pop();
            crate::extras::interpolation(vm, &value, &expression, arg >> 2, spec)?
        }
        Word::Intrinsic1 => {
            let value = stack.pop();
            crate::extras::intrinsic1(vm, arg, &value)?
        }
        _ => {
            let second = stack.pop();
            let first = stack.pop();
            crate::extras::intrinsic2(vm, arg, &first, &second)?
        }
    };
    stack.push(value);
    Ok(())
}

//! `frame.f_lineno = n`: a trace function makes its frame go on at another line.
//!
//! What stands on the value stack is found by abstract interpretation of the wordcode, as kinds: a jump may leave blocks, but can
//! enter none whose iterator, exception or context manager is not there. Between statements all that the stack holds
//! stands in its temporaries, so that the frame can simply go on elsewhere; what is left behind is dropped.

use super::weave::{self, Key};
use super::{events, weave::Woven};
use crate::code::CodeObject;
use crate::form::Block;
use crate::frame::{Frame, drop_words};
use crate::frame_object::FrameObject;
use crate::state::thread;
use crate::translate::{WordInstr, decode_words};
use crate::unwind;
use pellucid_bytecode::code::flags;
use pellucid_bytecode::ops::Op as Word;
use pellucid_object::int::IntRef;
use pellucid_object::{Interpreter, Res, Value};

/// The line of a frame that has only just begun: that of the `def`; modules begin before their first line.
pub fn start_line(frame: &Frame) -> Option<u32> {
    let form = frame.form();
    let instr = form.instrs.get(form.index_of(frame.pc))?;
    let site = weave::site(form, instr)?;
    match site.event {
        events::PY_START => Some(begin_line(frame.code())),
        events::LINE => Some(site.arg),
        _ => None,
    }
}

/// The line at which code begins before anything of it has run.
pub fn begin_line(code: &CodeObject) -> u32 {
    if &*code.code.name.0 == b"<module>" { 0 } else { code.code.firstlineno }
}

/// What a stack entry is, as far as jumps care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Object,
    Iterator,
    /// One of the words that an exception handler finds.
    Except,
}

type Stack = Vec<Kind>;

/// The stack before each word; `None` where control never comes.
fn stacks(code: &CodeObject, words: &[WordInstr]) -> Vec<Option<Stack>> {
    let mut found: Vec<Option<Stack>> = vec![None; words.len()];
    if words.is_empty() {
        return found;
    }
    let generator = code.code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
    found[0] = Some(if generator { vec![Kind::Object] } else { Vec::new() });
    let mut todo = vec![0];
    while let Some(at) = todo.pop() {
        let (word, Some(stack)) = (words[at], found[at].clone()) else { continue };
        let mut reach = |to: usize, stack: Stack| {
            if let Some(place @ None) = found.get_mut(to) {
                *place = Some(stack);
                todo.push(to);
            }
        };
        if word.op.is_jump() {
            reach(word.target, after(word, stack.clone(), true));
        }
        let ends = matches!(
            word.op,
            Word::ReturnValue | Word::RaiseVarargs | Word::Reraise | Word::JumpForward | Word::JumpAbsolute
        );
        if !ends {
            reach(at + 1, after(word, stack, false));
        }
    }
    found
}

/// The stack behind a word.
fn after(word: WordInstr, mut stack: Stack, jump: bool) -> Stack {
    use Word::*;
    let effect = i64::from(word.op.stack_effect(word.arg, Some(jump)));
    let depth = usize::try_from(stack.len() as i64 + effect).unwrap_or(0);
    let rotate = |stack: &mut Stack, count: usize| {
        if let Some(from) = stack.len().checked_sub(count) {
            stack[from..].rotate_right(1);
        }
    };
    match word.op {
        SetupFinally | SetupWith | SetupAsyncWith if jump => {
            stack.truncate(depth.saturating_sub(6));
            stack.resize(depth.saturating_sub(6), Kind::Object);
            stack.resize(depth, Kind::Except);
        }
        RotTwo => rotate(&mut stack, 2),
        RotThree => rotate(&mut stack, 3),
        RotFour => rotate(&mut stack, 4),
        RotN => rotate(&mut stack, word.arg as usize),
        GetIter | GetAiter => {
            stack.pop();
            stack.push(Kind::Iterator);
        }
        _ => {
            stack.truncate(depth);
            stack.resize(depth, Kind::Object);
        }
    }
    stack
}

/// Whether a frame with stack `from` can go on where `to` is expected: once what is too much has been dropped.
fn compatible(from: &Stack, to: &Stack) -> bool {
    to.len() <= from.len() && to.iter().zip(from).all(|(to, from)| *to == Kind::Object || to == from)
}

fn why_not(to: Option<&Stack>) -> &'static str {
    match to.map(|stack| stack.last()) {
        None => "can't jump into an exception handler, or code may be unreachable",
        Some(Some(Kind::Except)) => "can't jump into an 'except' block as there's no exception",
        Some(Some(Kind::Iterator)) => "can't jump into the body of a for loop",
        Some(_) => "incompatible stacks",
    }
}

/// The line that is meant. Errors: `ValueError` for what is no line of the code.
fn wanted_line(vm: &Interpreter, value: &Value) -> Res<i64> {
    if !vm.is_exact(value, &vm.types().int) {
        return Err(vm.value_error("lineno must be an integer".to_string()));
    }
    match value.as_int() {
        Some(IntRef::Small(line)) if i32::try_from(line).is_ok() => Ok(line),
        _ => Err(vm.value_error("lineno out of range".to_string())),
    }
}

/// Whether the event that is being told of allows jumps. Errors: `ValueError` if not.
fn check_event(vm: &Interpreter, event: Option<u8>) -> Res<()> {
    let message = match event {
        None => "f_lineno can only be set in a trace function",
        Some(events::PY_START) => "can't jump from the 'call' trace event of a new frame",
        Some(events::CALL | events::C_RETURN) => "can't jump during a call",
        Some(
            events::PY_RETURN
            | events::PY_THROW
            | events::PY_UNWIND
            | events::C_RAISE
            | events::RAISE
            | events::STOP_ITERATION
            | events::EXCEPTION_HANDLED
            | events::RERAISE,
        ) => "can only jump from a 'line' trace event",
        Some(_) => return Ok(()),
    };
    Err(vm.value_error(message.to_string()))
}

/// Sets `f_lineno`. Errors: `ValueError` in CPython's words.
pub fn set_line(vm: &Interpreter, object: &FrameObject, line: &Value) -> Res<()> {
    let wanted = wanted_line(vm, line)?;
    let tracing = &thread(vm).tracing;
    check_event(vm, tracing.event.get())?;
    let traced = tracing.frame.get();
    let outside = || vm.value_error("f_lineno can only be set in a trace function".to_string());
    let Some(frame) = object.running().filter(|frame| std::ptr::eq(*frame, traced)) else {
        return Err(outside());
    };
    let code_value = frame.code.clone();
    let Some(code) = code_value.downcast::<CodeObject>() else { return Err(outside()) };
    let Some(woven) = &frame.form().woven else { return Err(outside()) };
    let words = decode_words(&code.code).map_err(|error| vm.system_error(error.0.to_string()))?;
    let key = weave::key_of(frame.form(), frame.form().index_of(frame.pc));
    let (word, depth) = target(vm, code, woven, &words, key.word as usize, wanted)?;
    for position in 0..depth {
        if frame.reg(usize::from(frame.form().first_temp) + position).is_unbound() {
            return Err(vm.value_error("incompatible stacks".to_string()));
        }
    }
    bind_unbound(vm, frame, code)?;
    // SAFETY: the frame runs, and its loop is at an event: behind it, it reads the record again because `pc` is another. What
    // is dropped lies above the target's stack.
    unsafe {
        leave_blocks(vm, frame, depth);
        let first = usize::from(frame.form().first_temp) + depth;
        drop_words(frame.regs.add(first), frame.regs.add(usize::from(frame.form().nregs)));
        let key = Key { plain: woven.words[word].1, word: word as u32, rank: weave::BODY };
        let pc = &raw const frame.form().instrs[woven.position(key)];
        (*traced.cast_mut()).pc = pc;
    }
    Ok(())
}

/// The word to go on at, and its stack's depth.
fn target(
    vm: &Interpreter,
    code: &CodeObject,
    woven: &Woven,
    words: &[WordInstr],
    now: usize,
    wanted: i64,
) -> Res<(usize, usize)> {
    if wanted < i64::from(code.code.firstlineno) {
        return Err(vm.value_error(format!("line {wanted} comes before the current code block")));
    }
    let lines = weave::word_lines(&code.code, words.iter().map(|word| word.offset));
    let starts = |at: &usize| at.checked_sub(1).is_none_or(|before| lines[before] != lines[*at]);
    let begins: Vec<(usize, i64)> =
        (0..words.len()).filter(starts).filter_map(|at| Some((at, i64::from(lines[at]?)))).collect();
    let line = begins.iter().map(|(_, line)| *line).filter(|line| *line >= wanted).min();
    let Some(line) = line else {
        return Err(vm.value_error(format!("line {wanted} comes after the current code block")));
    };
    let stacks = stacks(code, words);
    let Some(from) = stacks.get(now).cloned().flatten() else {
        return Err(vm.value_error("can't jump from unreachable code".to_string()));
    };
    let mut best: Option<(usize, usize)> = None;
    let mut message = None;
    for (at, _) in begins.into_iter().filter(|(_, begins)| *begins == line) {
        match &stacks[at] {
            Some(to) if compatible(&from, to) && woven.words[at].1 != u32::MAX => {
                if best.is_none_or(|(_, depth)| to.len() > depth) {
                    best = Some((at, to.len()));
                }
            }
            to => message = message.or(Some(why_not(to.as_ref()))),
        }
    }
    let refused = || message.unwrap_or("cannot find bytecode for specified line").to_string();
    best.ok_or_else(|| vm.value_error(refused()))
}

/// Variables without a value get None: the code may rely on their being bound. Errors: the warning about it.
fn bind_unbound(vm: &Interpreter, frame: &Frame, code: &CodeObject) -> Res<()> {
    let unbound = || (0..code.varnames.len()).filter(|index| frame.reg(*index).is_unbound());
    let cell_of_parameter = |index: &usize| code.cellvars.iter().any(|cell| cell.is(&code.varnames[*index]));
    let wanted: Vec<usize> = unbound().filter(|index| !cell_of_parameter(index)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let s = if wanted.len() == 1 { "" } else { "s" };
    let text = format!("assigning None to {} unbound local{s}", wanted.len());
    vm.warn(vm.exceptions().runtime_warning(), &text)?;
    for index in wanted {
        drop(frame.replace_reg(index, Value::NONE));
    }
    Ok(())
}

/// Handlers that are left give back what was handled before.
fn leave_blocks(vm: &Interpreter, frame: &Frame, depth: usize) {
    let form = frame.form();
    let mut open = form.open.get(form.index_of(frame.pc)).copied().unwrap_or(0);
    while open != 0 {
        let entry = form.blocks[open as usize - 1];
        if let Block::Handler { level } = entry.block
            && usize::from(level) >= depth
        {
            unwind::restore_handled(vm, frame, level);
        }
        open = entry.outer;
    }
}

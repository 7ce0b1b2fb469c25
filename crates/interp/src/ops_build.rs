//! Iteration, and building and taking apart of sequences.

use crate::dunder::generator_iter;
use crate::form::Instr;
use crate::frame::{Frame, Thread, drop_words};
use crate::generator;
use crate::ops::Op;
use crate::ops_arith::{release, rk, set};
use crate::ops_name::take;
use crate::state::State;
use pellucid_object::slots::{NextItemsFn, Places, Unpacked};
use pellucid_object::{
    Dict, Interpreter, List, ListIterator, RangeIterator, Res, Set, Str, Text, Tuple, TupleIterator,
    TypeFlags, Value,
};
use pellucid_types::format::format_value;
use std::cell::Cell;
use std::mem::ManuallyDrop;

/// What a `for` loop does next.
pub enum Step {
    Next,
    End,
    /// A generator runs.
    Entered,
    /// The next instruction, which takes the value apart, is done as well.
    Unpacked,
}

/// # Safety
/// As for [`rk`]; `pc` is the instruction.
pub unsafe fn get_iter(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let iterator = match generator_iter(vm, st, thread, frame, rk(frame, i.b))? {
            Some(iterator) => iterator,
            None => vm.iter(rk(frame, i.b))?,
        };
        release(frame, i.b);
        set(frame, i.a, iterator);
        Ok(())
    }
}

/// Where the body of the loop begins whose `ForIter` or `ForBack` is at `pc`.
///
/// # Safety
/// `pc` is such an instruction of a form.
#[inline(always)]
pub unsafe fn body(pc: *const Instr) -> *const Instr {
    // SAFETY: by the contract.
    unsafe { head(pc).add(1) }
}

/// Where that loop ends.
///
/// # Safety
/// As for [`body`].
pub unsafe fn end(pc: *const Instr) -> *const Instr {
    // SAFETY: by the contract.
    unsafe {
        let head = head(pc);
        head.byte_offset((*head).e as i32 as isize)
    }
}

/// Its `ForIter`.
///
/// # Safety
/// As for [`body`].
#[inline(always)]
unsafe fn head(pc: *const Instr) -> *const Instr {
    // SAFETY: by the contract.
    unsafe { if (*pc).op == Op::ForBack { pc.byte_offset((*pc).e as i32 as isize) } else { pc } }
}

/// The next turn of a loop. With `UNPACKS` the instruction behind may be done as well, when that takes the value apart.
///
/// # Safety
/// As for [`get_iter`]; `frame` is the innermost one.
#[inline(never)]
pub unsafe fn for_iter<const UNPACKS: bool>(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<Step> {
    // SAFETY: by the contract.
    unsafe {
        let i = &*pc;
        let iterator = &*(*frame).regs.offset(i.b as isize);
        let Some(header) = iterator.header() else { return no_iterator(vm, iterator) };
        let ty = header.ty.get() as u64;
        let turn = |value: Option<Value>| match value {
            Some(value) => {
                set(frame, i.a, value);
                Ok(Step::Next)
            }
            None => {
                set(frame, i.b, Value::UNBOUND);
                Ok(Step::End)
            }
        };
        if ty == st.range_iterator.value().bits() {
            let range = iterator.payload_unchecked::<RangeIterator>();
            return turn(range.advance().and_then(Value::small_int));
        }
        if ty == st.list_iterator.value().bits() {
            return turn(iterator.payload_unchecked::<ListIterator>().advance());
        }
        if ty == st.tuple_iterator.value().bits() {
            return turn(iterator.payload_unchecked::<TupleIterator>().advance());
        }
        if ty == st.generator.value().bits() {
            return generator::enter_for(vm, st, thread, frame, pc);
        }
        let ty = pellucid_object::heap::type_of_header(header);
        let behind = &*body(pc);
        if UNPACKS
            && matches!(behind.op, Op::UnpackSequence | Op::UnpackTwo)
            && behind.b == i.a
            && let Some(next) = ty.slots.next_items.get()
            // A class may have a `__next__` of its own.
            && !ty.flags.get().contains(TypeFlags::MUTABLE)
            && let Some(step) = next_items(vm, frame, next, i, behind)?
        {
            return Ok(step);
        }
        let Some(next) = ty.slots.next.get() else {
            return no_iterator(vm, iterator);
        };
        turn(next(vm, iterator)?)
    }
}

/// `for a, b in ...` over an iterator that gives the items of its tuples without making the tuples. `None`: nothing was done.
///
/// # Safety
/// As for [`rk`]; `i` and `behind` are the frame's current instruction, a `ForIter`, and the one behind it, one that takes a value apart.
#[inline]
unsafe fn next_items(
    vm: &Interpreter,
    frame: *mut Frame,
    next: NextItemsFn,
    i: &Instr,
    behind: &Instr,
) -> Res<Option<Step>> {
    // SAFETY: by the contract. The targets are free temporaries, which nobody else looks at meanwhile; where an error leaves
    // values in them, unwinding finds them.
    unsafe {
        if behind.op == Op::UnpackTwo {
            let pair = [const { Cell::new(Value::UNBOUND) }; 2];
            return Ok(match next(vm, &*(*frame).regs.offset(i.b as isize), Places::new(&pair))? {
                Unpacked::Items => {
                    let [second, first] = pair.map(Cell::into_inner);
                    set(frame, behind.a, first);
                    set(frame, behind.c, second);
                    Some(Step::Unpacked)
                }
                Unpacked::End => {
                    set(frame, i.b, Value::UNBOUND);
                    Some(Step::End)
                }
                Unpacked::Other => None,
            });
        }
        let first = (*frame).regs.offset(behind.a as isize).cast::<Cell<Value>>();
        let places = Places::new(std::slice::from_raw_parts(first, behind.d as usize));
        match next(vm, &*(*frame).regs.offset(i.b as isize), places)? {
            Unpacked::Items => Ok(Some(Step::Unpacked)),
            Unpacked::End => {
                places.clear();
                set(frame, i.b, Value::UNBOUND);
                Ok(Some(Step::End))
            }
            Unpacked::Other => Ok(None),
        }
    }
}

#[cold]
fn no_iterator(vm: &Interpreter, value: &Value) -> Res<Step> {
    Err(vm.type_error(format!("'{}' object is not an iterator", vm.type_name(value))))
}

/// Takes `count` values out of the registers from `first` on.
///
/// # Safety
/// As for [`rk`]; they are temporaries.
pub unsafe fn take_many(frame: *mut Frame, first: usize, count: usize) -> Vec<Value> {
    let mut values = Vec::with_capacity(count);
    // SAFETY: by the contract; the vector has room for them, and what is left behind is dead.
    unsafe {
        let from = (*frame).regs.add(first);
        std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), count);
        values.set_len(count);
        (0..count).for_each(|index| from.add(index).write(Value::UNBOUND));
    }
    values
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn build_tuple(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let first = (*frame).regs.offset(i.b as isize);
        let tuple = vm.tuple_from(i.d as usize, |index| first.add(index).replace(Value::UNBOUND))?;
        set(frame, i.a, tuple);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn build_list(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let list = vm.new_list(take_many(frame, i.b as usize, i.d as usize))?;
        set(frame, i.a, list);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
#[inline(never)]
pub unsafe fn build_string(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let first = (*frame).regs.add(i.b as usize);
        let parts = std::slice::from_raw_parts(first, i.d as usize);
        let texts = parts.iter().filter_map(|part| part.downcast::<Str>()).map(|s| &s.text);
        let text = vm.str_join(&Text::empty(), texts)?;
        drop_words(first, first.add(i.d as usize));
        set(frame, i.a, text);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
#[inline(never)]
pub unsafe fn format(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let value = rk(frame, i.b);
        let text = match i.d {
            _ if vm.is_exact(value, &vm.types().str) && i.d < 2 => value.clone(),
            0 => match value.as_small_int() {
                Some(number) => vm.str_of_int(number)?,
                None => format_value(vm, value, &vm.intern_static("")?)?,
            },
            1 => vm.str(value)?,
            2 => vm.repr(value)?,
            _ => pellucid_types::format::ascii(vm, value)?,
        };
        // A conversion may give a `str` with a `__format__` of its own.
        let text = match i.d {
            0 => text,
            _ if vm.is_exact(&text, &vm.types().str) => text,
            _ => vm.format(&text, &vm.intern_static("")?)?,
        };
        release(frame, i.b);
        set(frame, i.a, text);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn list_append(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let value = take(frame, i.c);
        match (*frame).reg(i.b as usize).downcast::<List>() {
            Some(list) => list.push(vm, value),
            None => Err(vm.system_error("LIST_APPEND to no list".to_string())),
        }
    }
}

/// # Safety
/// As for [`get_iter`].
#[inline(never)]
pub unsafe fn build_map(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let take = |index: u32| (*frame).regs.add(i.b as usize + index as usize).replace(Value::UNBOUND);
        let dict = vm.new_dict_for(i.d as usize / 2)?;
        for index in (0..i.d).step_by(2) {
            dict.set(vm, take(index), take(index + 1))?;
        }
        set(frame, i.a, dict.into_value());
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
#[inline(never)]
pub unsafe fn build_set(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let items = (0..i.d as usize).map(|at| (*frame).regs.add(i.b as usize + at).replace(Value::UNBOUND));
        let made = vm.new_set(items)?;
        set(frame, i.a, made);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn map_add(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (value, key) = (take(frame, i.c), take(frame, i.a));
        match (*frame).reg(i.b as usize).downcast::<Dict>() {
            Some(dict) => dict.set(vm, key, value),
            None => Err(vm.system_error("MAP_ADD to no dict".to_string())),
        }
    }
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn set_add(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let value = take(frame, i.c);
        match (*frame).reg(i.b as usize).downcast::<Set>() {
            Some(set) => set.add(vm, value).map(drop),
            None => Err(vm.system_error("SET_ADD to no set".to_string())),
        }
    }
}

/// Copies items into registers from `first` on, the first item into the last one.
///
/// # Safety
/// As for [`rk`]; the registers are free temporaries, which hold nothing.
#[inline(always)]
unsafe fn spread(frame: *mut Frame, first: usize, items: &[Value]) {
    let mut at = first + items.len();
    for item in items {
        at -= 1;
        // SAFETY: by the contract.
        unsafe { (*frame).regs.add(at).write(item.clone()) }
    }
}

/// Takes a tuple of the right length apart. False: it is something else, and nothing was done.
///
/// # Safety
/// As for [`get_iter`]; `i` is the frame's current instruction.
#[inline(always)]
unsafe fn unpack_tuple(vm: &Interpreter, frame: *mut Frame, i: &Instr) -> bool {
    // SAFETY: by the contract.
    unsafe {
        // Its register may be one of those that are written: what stands there moves, or is only looked at.
        let source = ManuallyDrop::new(Value::from_bits(rk(frame, i.b).bits()));
        if !crate::run::is_exact(&vm.types().tuple, &source) {
            return false;
        }
        let items = source.payload_unchecked::<Tuple>().as_slice();
        if items.len() != i.d as usize {
            return false;
        }
        let consumed = i.b as isize >= (*(*frame).form).first_temp as isize;
        if consumed {
            (*frame).regs.offset(i.b as isize).write(Value::UNBOUND);
        }
        spread(frame, i.a as usize, items);
        if consumed {
            drop(ManuallyDrop::into_inner(source));
        }
        true
    }
}

/// # Safety
/// As for [`get_iter`].
#[inline(never)]
pub unsafe fn unpack_two(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let source = rk(frame, i.b);
        let types = vm.types();
        let both = |items: &[Value]| match items {
            [first, second] => Some((first.clone(), second.clone())),
            _ => None,
        };
        let items = match source.header().map(|header| header.ty.get() as u64) {
            Some(ty) if ty == types.tuple.value().bits() => source.payload_unchecked::<Tuple>().with(both),
            Some(ty) if ty == types.list.value().bits() => source.payload_unchecked::<List>().with(both),
            _ => None,
        };
        let (first, second) = match items {
            Some(items) => items,
            None => {
                let mut items = unpack(vm, &source.clone(), 2, None)?.into_iter();
                match (items.next(), items.next()) {
                    (Some(first), Some(second)) => (first, second),
                    _ => return Err(vm.bug("two values were unpacked")),
                }
            }
        };
        release(frame, i.b);
        set(frame, i.a, first);
        set(frame, i.c, second);
        Ok(())
    }
}

/// # Safety
/// As for [`get_iter`].
pub unsafe fn unpack_sequence(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = &*pc;
        if unpack_tuple(vm, frame, i) {
            return Ok(());
        }
        let (first, want) = (i.a as usize, i.d as usize);
        // The source may stand in the first of the registers to be written.
        let source = if i.b == i.a { take(frame, i.b) } else { rk(frame, i.b).clone() };
        let types = vm.types();
        let spread_all = |items: &[Value]| {
            let fits = items.len() == want;
            if fits {
                spread(frame, first, items);
            }
            fits
        };
        let done = match source.header().map(|header| header.ty.get() as u64) {
            Some(ty) if ty == types.list.value().bits() => {
                source.payload_unchecked::<List>().with(spread_all)
            }
            _ => false,
        };
        if !done {
            spread(frame, first, &unpack(vm, &source, want, None)?);
        }
        drop(source);
        if i.b != i.a {
            release(frame, i.b);
        }
        Ok(())
    }
}

/// `want` items of an iterable; with `after`, those before a starred target, a list of what is between, and `after`
/// items behind it. Errors: `TypeError`, `ValueError` in CPython's words.
pub fn unpack(vm: &Interpreter, source: &Value, want: usize, after: Option<usize>) -> Res<Vec<Value>> {
    let iterator = match vm.iter(source) {
        Ok(iterator) => iterator,
        Err(raised)
            if vm.raised_is(vm.exceptions().type_error())
                && vm.type_of_ref(source).slots.iter.get().is_none()
                && vm.type_of_ref(source).slots.getitem.get().is_none() =>
        {
            drop(vm.take_raised(raised));
            let name = vm.type_name(source);
            return Err(vm.type_error(format!("cannot unpack non-iterable {name} object")));
        }
        Err(raised) => return Err(raised),
    };
    let mut items = Vec::new();
    while items.len() < want {
        match vm.next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                let got = items.len();
                let least = if after.is_some() { "at least " } else { "" };
                let want = want + after.unwrap_or(0);
                return Err(vm.value_error(format!(
                    "not enough values to unpack (expected {least}{want}, got {got})"
                )));
            }
        }
    }
    let Some(after) = after else {
        if vm.next(&iterator)?.is_some() {
            return Err(too_many_values(vm, source, want));
        }
        return Ok(items);
    };
    let mut rest = vm.collect(&iterator)?;
    if rest.len() < after {
        let (least, got) = (want + after, want + rest.len());
        return Err(
            vm.value_error(format!("not enough values to unpack (expected at least {least}, got {got})"))
        );
    }
    let tail = rest.split_off(rest.len() - after);
    items.push(vm.new_list(rest)?);
    items.extend(tail);
    Ok(items)
}

#[cold]
fn too_many_values(vm: &Interpreter, source: &Value, want: usize) -> pellucid_object::Raised {
    let types = vm.types();
    let sized = [&types.list, &types.tuple, &types.dict].into_iter().any(|ty| vm.is_exact(source, ty));
    let len = source
        .downcast::<List>()
        .map(List::len)
        .or_else(|| source.downcast::<Tuple>().map(Tuple::len))
        .or_else(|| source.downcast::<Dict>().map(Dict::len));
    match len.filter(|len| sized && *len > want) {
        Some(got) => vm.value_error(format!("too many values to unpack (expected {want}, got {got})")),
        None => vm.value_error(format!("too many values to unpack (expected {want})")),
    }
}

//! `except*`: exception groups taken apart and put together again.

use crate::unwind::{is_exception_class, matches};
use pellucid_object::{Exception, Interpreter, List, Ref, Res, Tuple, Type, Value};

fn base_group(vm: &Interpreter) -> &Ref<Type> {
    vm.exceptions().base_exception_group()
}

fn is_group(vm: &Interpreter, value: &Value) -> bool {
    vm.is_instance(value, base_group(vm))
}

/// Checks what stands behind `except*`. Errors: `TypeError`.
fn check_wanted(vm: &Interpreter, wanted: &Value) -> Res<()> {
    let classes = match wanted.downcast::<Tuple>() {
        Some(tuple) => tuple.items(),
        None => vec![wanted.clone()],
    };
    for class in classes {
        if !is_exception_class(vm, &class) {
            let what = "catching classes that do not inherit from BaseException is not allowed";
            return Err(vm.type_error(what.to_string()));
        }
        if class.downcast::<Type>().is_some_and(|ty| ty.is_subtype_of(base_group(vm))) {
            let what = "catching ExceptionGroup with except* is not allowed. Use except instead.";
            return Err(vm.type_error(what.to_string()));
        }
    }
    Ok(())
}

/// The part of an exception that a clause catches, and the rest; None for nothing.
pub fn split_match(vm: &Interpreter, exception: &Value, wanted: &Value) -> Res<(Value, Value)> {
    check_wanted(vm, wanted)?;
    if exception.is_none() {
        return Ok((Value::NONE, Value::NONE));
    }
    let pair = if matches(vm, exception, wanted)? {
        let group = if is_group(vm, exception) { exception.clone() } else { wrap(vm, exception)? };
        (group, Value::NONE)
    } else if is_group(vm, exception) {
        let pair = vm.call_attr(exception, "split", std::slice::from_ref(wanted))?;
        match pair.downcast::<Tuple>().map(Tuple::items).as_deref() {
            Some([matched, rest, ..]) => (matched.clone(), rest.clone()),
            _ => {
                let (class, got) = (vm.type_name(exception), vm.type_name(&pair));
                let what = match pair.downcast::<Tuple>() {
                    Some(short) => format!("a 2-tuple, got tuple of size {}", short.items().len()),
                    None => format!("a tuple, not {got}"),
                };
                return Err(vm.type_error(format!("{class}.split must return {what}")));
            }
        }
    } else {
        (Value::NONE, exception.clone())
    };
    if !pair.0.is_none() {
        vm.set_handled_exception(Some(pair.0.clone()));
    }
    Ok(pair)
}

/// A group of one, with the traceback of the exception.
fn wrap(vm: &Interpreter, exception: &Value) -> Res {
    let list = vm.new_list(vec![exception.clone()])?;
    let group = vm.call_values(base_group(vm).value(), &[vm.new_str("")?, list])?;
    if let (Some(to), Some(from)) = (group.downcast::<Exception>(), exception.downcast::<Exception>()) {
        to.traceback.set(from.traceback.get());
    }
    Ok(group)
}

/// Whether `exception` is (part of) what was caught and is raised again unchanged: it has the metadata of `original`.
fn same_metadata(exception: &Value, original: &Value) -> bool {
    let (Some(a), Some(b)) = (exception.downcast::<Exception>(), original.downcast::<Exception>()) else {
        return false;
    };
    a.traceback.raw() == b.traceback.raw()
        && a.cause.raw() == b.cause.raw()
        && a.context.raw() == b.context.raw()
}

fn leaves(vm: &Interpreter, exception: &Value, into: &mut Vec<Value>) -> Res<()> {
    if !is_group(vm, exception) {
        into.push(exception.clone());
        return Ok(());
    }
    let inner = vm.get_attr_str(exception, "exceptions")?;
    vm.collect(&inner)?.iter().try_for_each(|e| leaves(vm, e, into))
}

/// The part of a group's tree whose leaves are among `keep`.
fn project(vm: &Interpreter, group: &Value, keep: &[Value]) -> Res {
    if !is_group(vm, group) {
        return Ok(if keep.iter().any(|k| k.is(group)) { group.clone() } else { Value::NONE });
    }
    let inner = vm.collect(&vm.get_attr_str(group, "exceptions")?)?;
    let mut kept = Vec::new();
    for exception in &inner {
        let part = project(vm, exception, keep)?;
        if !part.is_none() {
            kept.push(part);
        }
    }
    if kept.is_empty() {
        return Ok(Value::NONE);
    }
    if kept.len() == inner.len() && kept.iter().zip(&inner).all(|(a, b)| a.is(b)) {
        return Ok(group.clone());
    }
    let part = vm.call_attr(group, "derive", &[vm.new_list(kept)?])?;
    if let (Some(to), Some(from)) = (part.downcast::<Exception>(), group.downcast::<Exception>()) {
        to.traceback.set(from.traceback.get());
        to.context.set(from.context.get());
        to.cause.set(from.cause.get());
        to.suppress_context.set(from.suppress_context.get());
    }
    if let Some(notes) = vm.get_attr_opt(group, "__notes__")? {
        let copy = vm.new_list(vm.collect(&notes)?)?;
        vm.set_attr_str(&part, "__notes__", copy)?;
    }
    Ok(part)
}

/// What an `except*` statement raises at its end: the exceptions raised in its clauses, and what nobody caught in the
/// shape of the original group. None for nothing.
pub fn reraise(vm: &Interpreter, original: &Value, raised: &Value) -> Res {
    let items: Vec<Value> = raised
        .downcast::<List>()
        .map(List::items)
        .unwrap_or_default()
        .into_iter()
        .filter(|e| !e.is_none())
        .collect();
    if items.is_empty() {
        return Ok(Value::NONE);
    }
    if !is_group(vm, original) {
        return Ok(items.into_iter().next().unwrap_or(Value::NONE));
    }
    let (again, fresh): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|e| is_group(vm, e) && same_metadata(e, original));
    let mut keep = Vec::new();
    again.iter().try_for_each(|e| leaves(vm, e, &mut keep))?;
    let rest = project(vm, original, &keep)?;
    if fresh.is_empty() {
        return Ok(rest);
    }
    let mut all = fresh;
    if !rest.is_none() {
        all.push(rest);
    }
    if all.len() == 1 {
        return Ok(all.remove(0));
    }
    vm.call_values(base_group(vm).value(), &[vm.new_str("")?, vm.new_list(all)?])
}

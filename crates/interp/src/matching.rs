//! `match`: mappings and classes.

use pellucid_object::{Interpreter, Res, Str, Tuple, Type, TypeFlags, Value};

/// The values of `keys` in a mapping as a tuple, `None` when one is missing. Errors: `ValueError` for a key twice.
pub fn keys(vm: &Interpreter, subject: &Value, keys: &Value) -> Res<Option<Value>> {
    let keys = keys.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let mut values = Vec::new();
    if keys.is_empty() {
        return vm.new_tuple(values).map(Some);
    }
    let get = vm.get_attr_str(subject, "get")?;
    // A value of its own that stands for "not there".
    let missing = vm.call_values(vm.types().object.value(), &[])?;
    let seen = vm.new_dict()?;
    for key in keys {
        if seen.contains(vm, &key)? {
            let key = vm.repr_lossy(&key)?;
            return Err(vm.value_error(format!("mapping pattern checks duplicate key ({key})")));
        }
        seen.set(vm, key.clone(), Value::NONE)?;
        let value = vm.call_values(&get, &[key, missing.clone()])?;
        if value.is(&missing) {
            return Ok(None);
        }
        values.push(value);
    }
    vm.new_tuple(values).map(Some)
}

/// A dict of what a mapping holds beside `keys`.
pub fn rest(vm: &Interpreter, subject: &Value, keys: &Value) -> Res {
    let dict = vm.new_dict()?;
    vm.call_method(dict.value(), "update", std::slice::from_ref(subject))?;
    for key in keys.downcast::<Tuple>().map(Tuple::items).unwrap_or_default() {
        dict.remove(vm, &key)?;
    }
    Ok(dict.into_value())
}

/// The attributes that a class pattern with `count` positional subpatterns and those named matches, as a tuple; `None`
/// when it does not match. Errors: `TypeError` for patterns that cannot match.
pub fn class(
    vm: &Interpreter,
    subject: &Value,
    class: &Value,
    count: usize,
    names: &Value,
) -> Res<Option<Value>> {
    let Some(ty) = class.downcast::<Type>() else {
        return Err(vm.type_error("called match pattern must be a class".to_string()));
    };
    if !is_instance(vm, subject, class)? {
        return Ok(None);
    }
    let mut seen: Vec<String> = Vec::new();
    let mut values = Vec::new();
    if count > 0 {
        let (allowed, itself) = positional_names(vm, class, ty)?;
        let most = if itself { 1 } else { allowed.len() };
        if count > most {
            let (s, name) = (if most == 1 { "" } else { "s" }, ty.name());
            return Err(
                vm.type_error(format!("{name}() accepts {most} positional sub-pattern{s} ({count} given)"))
            );
        }
        if itself {
            values.push(subject.clone());
        }
        for name in allowed.iter().take(if itself { 0 } else { count }) {
            if name.downcast::<Str>().is_none() {
                let got = vm.type_name(name);
                return Err(vm.type_error(format!("__match_args__ elements must be strings (got {got})")));
            }
            match attribute(vm, subject, ty, name, &mut seen)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
    }
    for name in names.downcast::<Tuple>().map(Tuple::items).unwrap_or_default() {
        match attribute(vm, subject, ty, &name, &mut seen)? {
            Some(value) => values.push(value),
            None => return Ok(None),
        }
    }
    vm.new_tuple(values).map(Some)
}

fn is_instance(vm: &Interpreter, subject: &Value, class: &Value) -> Res<bool> {
    let isinstance = vm.get_attr_str(&crate::code::builtins_module(vm)?, "isinstance")?;
    let result = vm.call_values(&isinstance, &[subject.clone(), class.clone()])?;
    vm.truthy(&result)
}

/// `__match_args__`, or whether the one positional subpattern matches the subject itself.
fn positional_names(vm: &Interpreter, class: &Value, ty: &Type) -> Res<(Vec<Value>, bool)> {
    match vm.get_attr_opt(class, "__match_args__")? {
        Some(names) => match names.downcast::<Tuple>() {
            Some(tuple) => Ok((tuple.items(), false)),
            None => {
                let (name, got) = (ty.name(), vm.type_name(&names));
                Err(vm.type_error(format!("{name}.__match_args__ must be a tuple (got {got})")))
            }
        },
        None => Ok((Vec::new(), ty.flags.get().contains(TypeFlags::MATCH_SELF))),
    }
}

fn attribute(
    vm: &Interpreter,
    subject: &Value,
    ty: &Type,
    name: &Value,
    seen: &mut Vec<String>,
) -> Res<Option<Value>> {
    let text = vm.str_lossy(name);
    if seen.contains(&text) {
        return Err(
            vm.type_error(format!("{}() got multiple sub-patterns for attribute '{text}'", ty.name()))
        );
    }
    let value = vm.get_attr_opt(subject, &text)?;
    seen.push(text);
    Ok(value)
}

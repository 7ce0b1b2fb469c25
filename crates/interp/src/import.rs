//! The import statements.

use crate::frame::Frame;
use crate::state::state;
use pellucid_object::native::{Module, call_positional};
use pellucid_object::{CallArgs, Dict, Interpreter, Res, Str, Value};

/// `__import__(name, globals(), locals(), from_list, level)`, whatever `__import__` the builtins hold.
pub fn name(vm: &Interpreter, frame: &Frame, name: &Value, from_list: Value, level: Value) -> Res {
    let Some(import) = crate::ops_name::builtin(vm, frame, &state(vm).names.__import__)? else {
        return Err(vm.raise_text(&vm.exceptions().import_error().clone(), "__import__ not found"));
    };
    let locals = frame.locals.get().unwrap_or(Value::NONE);
    let globals = frame.function().globals.clone();
    let args = [name.clone(), globals, locals, from_list, level];
    call_positional(vm, &import, &args).unwrap_or_else(|| vm.call_values(&import, &args))
}

/// `from module import name`: the attribute, or the submodule that is being imported.
pub fn from(vm: &Interpreter, module: &Value, name: &Value) -> Res {
    match vm.get_attr(module, name) {
        Ok(value) => return Ok(value),
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => drop(vm.take_raised(raised)),
        Err(raised) => return Err(raised),
    }
    let package = vm.get_attr_opt(module, "__name__")?.filter(|n| n.downcast::<Str>().is_some());
    if let Some(package) = &package {
        let full = vm.new_str(&format!("{}.{}", vm.str_lossy(package), vm.str_lossy(name)))?;
        let modules = vm.modules.get();
        if let Some(modules) = modules.as_ref().and_then(|m| m.downcast::<Dict>())
            && let Some(found) = modules.get(vm, &full)?
        {
            return Ok(found);
        }
    }
    cannot_import(vm, module, name, package)
}

fn cannot_import(vm: &Interpreter, module: &Value, name: &Value, package: Option<Value>) -> Res {
    let (wanted, names) = (vm.str_lossy(name), &state(vm).names);
    let package_name = match &package {
        Some(package) => vm.repr_lossy(package)?,
        None => "'<unknown module name>'".to_string(),
    };
    let spec = vm.get_attr_opt(module, vm.str_lossy(&names.__spec__).as_str())?.filter(|s| !s.is_none());
    let initializing = match &spec {
        Some(spec) => match vm.get_attr_opt(spec, "_initializing")? {
            Some(flag) => vm.truthy(&flag)?,
            None => false,
        },
        None => false,
    };
    let file = match vm.get_attr_opt(module, "__file__")?.filter(|f| f.downcast::<Str>().is_some()) {
        Some(file) => Some(file),
        None => match &spec {
            Some(spec) => match vm.get_attr_opt(spec, "has_location")? {
                Some(has) if vm.truthy(&has)? => vm.get_attr_opt(spec, "origin")?,
                _ => None,
            },
            None => None,
        },
    };
    let place = file.as_ref().map_or("unknown location".to_string(), |f| vm.str_lossy(f));
    let message = if initializing {
        format!(
            "cannot import name '{wanted}' from partially initialized module {package_name} (most likely due to a circular import) ({place})"
        )
    } else {
        format!("cannot import name '{wanted}' from {package_name} ({place})")
    };
    let ty = vm.exceptions().import_error().value().clone();
    let text = vm.new_str(&message)?;
    let (path, package) = (file.unwrap_or(Value::NONE), package.unwrap_or(Value::NONE));
    let keywords = [vm.intern_static("name")?, vm.intern_static("path")?, vm.intern_static("name_from")?];
    let exception =
        vm.call(&ty, &CallArgs { values: &[text, package, path, name.clone()], names: &keywords })?;
    Err(vm.raise(exception))
}

/// `from module import *` into `locals`.
pub fn star(vm: &Interpreter, module: &Value, locals: &Value) -> Res<()> {
    let all = vm.get_attr_opt(module, "__all__")?;
    let (names, hidden) = match &all {
        Some(all) => (vm.collect(all)?, false),
        None => {
            let Some(dict) = vm.get_attr_opt(module, "__dict__")? else {
                let what = "from-import-* object has no __dict__ and no __all__";
                return Err(vm.raise_text(&vm.exceptions().import_error().clone(), what));
            };
            (vm.collect(&vm.call_attr(&dict, "keys", &[])?)?, true)
        }
    };
    for name in names {
        if name.downcast::<Str>().is_none() {
            let package = match module.downcast::<Module>() {
                Some(_) => vm.get_attr_opt(module, "__name__")?.map_or(String::new(), |n| vm.str_lossy(&n)),
                None => String::new(),
            };
            let (got, what) = (vm.type_name(&name), if all.is_some() { "Item in" } else { "Key in" });
            let which = if all.is_some() { "__all__" } else { "__dict__" };
            return Err(vm.type_error(format!("{what} {package}.{which} must be str, not {got}")));
        }
        if hidden && vm.str_lossy(&name).starts_with('_') {
            continue;
        }
        let value = vm.get_attr(module, &name)?;
        vm.set_item(locals, &name, Some(&value))?;
    }
    Ok(())
}

//! Writing classes, functions and other objects that are found by name.

use super::errors::{pickling, pickling_from};
use super::opcodes::*;
use super::save::Saver;
use pellucid_object::{Dict, Interpreter, Res, Str, Value};

impl Saver<'_> {
    /// Writes `object` as the global of that name, or of its own `__qualname__`.
    pub fn save_global(&mut self, object: &Value, name: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let name = match name {
            Some(name) => name.clone(),
            None => match vm.get_attr_opt(object, "__qualname__")? {
                Some(name) => name,
                None => vm.get_attr_str(object, "__name__")?,
            },
        };
        let path = vm.str_lossy(&name);
        let module_name = which_module(vm, object, &path)?;
        if self.protocol() >= 2 && self.save_extension(&module_name, &name)? {
            return Ok(());
        }
        if self.protocol() >= 4 {
            self.save(&module_name, true)?;
            self.save(&name, true)?;
            self.op(STACK_GLOBAL)?;
        } else {
            self.save_by_lines(&vm.str_lossy(&module_name), &path)?;
        }
        self.memoize(object)
    }

    /// Writes the code that `copyreg` has for the name, if there is one.
    fn save_extension(&mut self, module: &Value, name: &Value) -> Res<bool> {
        let vm = self.vm;
        let copyreg = self.copyreg()?;
        let registry = vm.get_attr_str(&copyreg, "_extension_registry")?;
        let Some(registry) = registry.downcast_ref::<Dict>() else { return Ok(false) };
        if registry.is_empty() {
            return Ok(false);
        }
        let key = vm.new_tuple(vec![module.clone(), name.clone()])?;
        let Some(code) = registry.get(vm, &key)? else { return Ok(false) };
        let Some(code) = vm.as_i64(&code) else {
            let got = vm.full_type_name(&code);
            return Err(pickling(vm, &format!("extension code is not an integer, but {got}")));
        };
        match code {
            1..=0xff => self.put(&[EXT1, code as u8])?,
            0x100..=0xffff => self.put(&[EXT2, code as u8, (code >> 8) as u8])?,
            0x1_0000..=0x7fff_ffff => {
                self.op(EXT4)?;
                self.put(&(code as i32).to_le_bytes())?;
            }
            _ => {
                return Err(vm.runtime_error(format!("extension code {code} is out of range")));
            }
        }
        Ok(true)
    }

    /// Before protocol 4: `module\nname\n`, and calls of `getattr` for what stands behind dots.
    fn save_by_lines(&mut self, module: &str, path: &str) -> Res<()> {
        let vm = self.vm;
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default().to_string();
        let rest: Vec<String> = names.map(str::to_string).collect();
        for _ in &rest {
            let getattr = self.getattr_function()?;
            self.save(&getattr, true)?;
            if self.protocol() < 2 {
                self.op(MARK)?;
            }
        }
        self.put_global(module, &first)?;
        for name in rest {
            self.save(&vm.new_str(&name)?, true)?;
            self.op(if self.protocol() < 2 { TUPLE } else { TUPLE2 })?;
            self.op(REDUCE)?;
        }
        Ok(())
    }

    fn put_global(&mut self, module: &str, name: &str) -> Res<()> {
        let vm = self.vm;
        let (mut module, mut name) = (module.to_string(), name.to_string());
        if self.setup.fix_imports && self.protocol() < 3 {
            (module, name) = old_names(vm, module, name)?;
        }
        for (what, text) in [("module", &module), ("global", &name)] {
            if self.protocol() < 3 && !text.is_ascii() {
                let (shown, protocol) = (vm.repr_lossy(&vm.new_str(text)?)?, self.protocol());
                return Err(pickling(
                    vm,
                    &format!("can't pickle {what} identifier {shown} using pickle protocol {protocol}"),
                ));
            }
        }
        self.op(GLOBAL)?;
        self.put(format!("{module}\n{name}\n").as_bytes())
    }
}

/// The names that Python 2 had for a global.
fn old_names(vm: &Interpreter, module: String, name: String) -> Res<(String, String)> {
    let tables = vm.import("_compat_pickle")?;
    let names = vm.get_attr_str(&tables, "REVERSE_NAME_MAPPING")?;
    let key = vm.new_tuple(vec![vm.new_str(&module)?, vm.new_str(&name)?])?;
    if let Some(names) = names.downcast::<Dict>()
        && let Some(pair) = names.get(vm, &key)?
    {
        return match vm.collect(&pair)?.as_slice() {
            [module, name] => Ok((vm.str_lossy(module), vm.str_lossy(name))),
            _ => {
                Err(vm.runtime_error("_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples".into()))
            }
        };
    }
    let modules = vm.get_attr_str(&tables, "REVERSE_IMPORT_MAPPING")?;
    if let Some(modules) = modules.downcast::<Dict>()
        && let Some(old) = modules.get(vm, &vm.new_str(&module)?)?
    {
        return Ok((vm.str_lossy(&old), name));
    }
    Ok((module, name))
}

/// `object.a.b.c`. Errors: `AttributeError`.
pub fn dotted(vm: &Interpreter, object: &Value, path: &str) -> Res {
    path.split('.').try_fold(object.clone(), |object, name| vm.get_attr_str(&object, name))
}

fn try_dotted(vm: &Interpreter, object: &Value, path: &str) -> Res<Option<Value>> {
    match dotted(vm, object, path) {
        Ok(found) => Ok(Some(found)),
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// The name of the module that has `object` under `path`. Errors: `PicklingError` when it is not there.
fn which_module(vm: &Interpreter, object: &Value, path: &str) -> Res {
    if path.split('.').any(|part| part == "<locals>") {
        let text = vm.repr_lossy(object)?;
        return Err(pickling(vm, &format!("Can't pickle local object {text}")));
    }
    let name = match vm.get_attr_opt(object, "__module__")? {
        Some(name) if !name.is_none() => name,
        _ => match search_modules(vm, object, path)? {
            Some(name) => return Ok(name),
            None => vm.new_str("__main__")?,
        },
    };
    if name.downcast::<Str>().is_none() {
        let got = vm.full_type_name(&name);
        return Err(pickling(vm, &format!("__module__ must be a string, not {got}")));
    }
    let module_name = vm.str_lossy(&name);
    let module = match vm.import(&module_name) {
        Ok(module) => module,
        Err(raised)
            if vm.raised_is(vm.exceptions().import_error())
                || vm.raised_is(vm.exceptions().value_error())
                || vm.raised_is(vm.exceptions().key_error()) =>
        {
            let saved = vm.take_raised(raised);
            let text = vm.repr_lossy(object)?;
            let raised = vm.raise_as_is(saved);
            return Err(pickling_from(vm, raised, |why| format!("Can't pickle {text}: {why}")));
        }
        Err(raised) => return Err(raised),
    };
    match dotted(vm, &module, path) {
        Ok(found) if found.is(object) => Ok(name),
        Ok(_) => {
            let text = vm.repr_lossy(object)?;
            Err(pickling(
                vm,
                &format!("Can't pickle {text}: it's not the same object as {module_name}.{path}"),
            ))
        }
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
            let saved = vm.take_raised(raised);
            let text = vm.repr_lossy(object)?;
            let raised = vm.raise_as_is(saved);
            Err(pickling_from(vm, raised, |_| {
                format!("Can't pickle {text}: it's not found as {module_name}.{path}")
            }))
        }
        Err(raised) => Err(raised),
    }
}

/// Looks for an object that does not name its module in all that are imported.
fn search_modules(vm: &Interpreter, object: &Value, path: &str) -> Res<Option<Value>> {
    let Some(modules) = vm.modules.get().and_then(|m| m.downcast_ref::<Dict>()) else { return Ok(None) };
    for (name, module) in modules.pairs() {
        let text = vm.str_lossy(&name);
        if text == "__main__" || text == "__mp_main__" || module.is_none() {
            continue;
        }
        if try_dotted(vm, &module, path)?.is_some_and(|found| found.is(object)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

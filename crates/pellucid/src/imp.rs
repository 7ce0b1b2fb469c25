//! `_imp`: what `importlib` asks of the runtime.

use crate::import::{self, ImportState};
use crate::importer;
use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Str, Value, constant, heap::SlotWord,
};
use std::cell::Cell;

/// The global import lock, which `importlib` takes for short moments only. Python threads take turns, and none of those
/// moments lets another thread run, so a count is all it is.
#[derive(Default)]
struct Lock(Cell<usize>);

/// The policy of `--check-hash-based-pycs`.
#[derive(Default)]
pub struct HashPolicy(pub SlotWord);

fn lock_held(vm: &Interpreter) -> Res {
    Ok(Value::bool(vm.state::<Lock>().0.get() > 0))
}

fn acquire_lock(vm: &Interpreter) -> Res {
    let lock = vm.state::<Lock>();
    lock.0.set(lock.0.get() + 1);
    Ok(Value::NONE)
}

fn release_lock(vm: &Interpreter) -> Res {
    let lock = vm.state::<Lock>();
    match lock.0.get().checked_sub(1) {
        Some(left) => {
            lock.0.set(left);
            Ok(Value::NONE)
        }
        None => Err(vm.runtime_error("not holding the import lock".to_string())),
    }
}

fn is_builtin(vm: &Interpreter, name: &Value) -> Res {
    let text = vm.expect_str(name)?;
    if !vm.state::<ImportState>().native.borrow().contains_key(text.as_str()) {
        return vm.new_int(0);
    }
    // -1: cannot be made a second time.
    vm.new_int(if matches!(text.as_str(), "sys" | "builtins") { -1 } else { 1 })
}

fn create_builtin(vm: &Interpreter, spec: &Value) -> Res {
    let name = vm.get_attr_str(spec, "name")?;
    let text = vm.expect_str(&name)?;
    if matches!(text.as_str(), "sys" | "builtins")
        && let Some(module) = import::loaded(vm, &name)?
    {
        return Ok(module);
    }
    let def = vm.state::<ImportState>().native.borrow().get(text.as_str()).copied();
    match def {
        Some(def) => import::make_native(vm, def),
        None => Ok(Value::NONE),
    }
}

/// What stands for frozen modules: the parts of `importlib` that run before it can import files.
fn frozen(name: &str) -> Option<(&'static str, String)> {
    let library = match name {
        "_frozen_importlib" => "importlib._bootstrap",
        "_frozen_importlib_external" => "importlib._bootstrap_external",
        "zipimport" => "zipimport",
        "__hello__" => "__hello__",
        _ => return None,
    };
    Some((library, format!("<frozen {library}>")))
}

fn is_frozen(vm: &Interpreter, name: &Value) -> Res {
    Ok(Value::bool(frozen(&vm.expect_str(name)?).is_some()))
}

fn is_frozen_package(vm: &Interpreter, name: &Value) -> Res {
    match frozen(&vm.expect_str(name)?) {
        Some((library, _)) => {
            Ok(Value::bool(pellucid_library::module(library).is_some_and(|module| module.package)))
        }
        None => Err(no_frozen(vm, name)?),
    }
}

fn no_frozen(vm: &Interpreter, name: &Value) -> Res<pellucid_object::Raised> {
    let message = format!("No such frozen object named {}", vm.str_lossy(name));
    Ok(import::import_error(vm, &message, name))
}

fn find_frozen(vm: &Interpreter, args: &Args) -> Res {
    let Some((library, _)) = frozen(&args.string(vm, 0)?) else { return Ok(Value::NONE) };
    let package = pellucid_library::module(library).is_some_and(|module| module.package);
    vm.new_tuple(vec![Value::NONE, Value::bool(package), vm.new_str(library)?])
}

fn get_frozen_object(vm: &Interpreter, args: &Args) -> Res {
    let name = args.req(0);
    let found = frozen(&vm.expect_str(name)?)
        .and_then(|(library, file)| Some((pellucid_library::module(library)?, file)));
    match found {
        Some((module, file)) => import::library_code(vm, &vm.state::<ImportState>(), &file, module),
        None => Err(no_frozen(vm, name)?),
    }
}

fn init_frozen(vm: &Interpreter, name: &Value) -> Res {
    if frozen(&vm.expect_str(name)?).is_none() {
        return Ok(Value::NONE);
    }
    import::import_absolute(vm, name)
}

fn source_hash(vm: &Interpreter, key: &Value, source: &Value) -> Res {
    let key = vm.expect_i64(key)?;
    let bytes = vm.bytes_like(source)?;
    let hash = pellucid_bytecode::pyc::keyed_hash(key.cast_unsigned(), &bytes.bytes());
    vm.new_bytes(hash.to_le_bytes().to_vec())
}

fn create_dynamic(vm: &Interpreter, args: &Args) -> Res {
    let name = vm.get_attr_str(args.req(0), "name")?;
    let message = "modules in C cannot be loaded";
    Err(import::import_error(vm, message, &name))
}

/// A `.pyc` file may have been moved since its code was compiled.
fn fix_co_filename(vm: &Interpreter, code: &Value, path: &Value) -> Res {
    if path.downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("expected str, got {}", vm.type_name(path))));
    }
    pellucid_interp::code::set_filename(code, path);
    Ok(Value::NONE)
}

/// The module `_imp`.
pub static MODULE: ModuleDef = ModuleDef {
    name: "_imp",
    doc: "(Extremely) low-level import machinery bits as used by importlib.",
    functions: &[
        FunctionDef::new("lock_held", "()", "Whether the import lock is held.", NativeFn::F0(lock_held)),
        FunctionDef::new("acquire_lock", "()", "Take the import lock.", NativeFn::F0(acquire_lock)),
        FunctionDef::new("release_lock", "()", "Give the import lock back.", NativeFn::F0(release_lock)),
        FunctionDef::new(
            "extension_suffixes",
            "()",
            "The suffixes of extension modules: none.",
            NativeFn::F0(|vm| vm.new_list(Vec::new())),
        ),
        FunctionDef::new(
            "is_builtin",
            "(name, /)",
            "Whether a native module has the name.",
            NativeFn::F1(is_builtin),
        ),
        FunctionDef::new(
            "create_builtin",
            "(spec, /)",
            "Make a native module.",
            NativeFn::F1(create_builtin),
        ),
        FunctionDef::new(
            "exec_builtin",
            "(mod, /)",
            "Nothing is left to do.",
            NativeFn::F1(|vm, _| vm.new_int(0)),
        ),
        FunctionDef::new(
            "is_frozen",
            "(name, /)",
            "Whether a frozen module has the name.",
            NativeFn::F1(is_frozen),
        ),
        FunctionDef::new(
            "is_frozen_package",
            "(name, /)",
            "Whether the frozen module is a package.",
            NativeFn::F1(is_frozen_package),
        ),
        FunctionDef::new(
            "find_frozen",
            "(name, /, *, withdata=False)",
            "Data, kind and original name of a frozen module, or None.",
            NativeFn::Args(find_frozen),
        ),
        FunctionDef::new(
            "get_frozen_object",
            "(name, data=None, /)",
            "The code of a frozen module.",
            NativeFn::Args(get_frozen_object),
        ),
        FunctionDef::new("init_frozen", "(name, /)", "Import a frozen module.", NativeFn::F1(init_frozen)),
        FunctionDef::new(
            "source_hash",
            "(key, source)",
            "The hash of a source that .pyc files hold.",
            NativeFn::F2(source_hash),
        ),
        FunctionDef::new(
            "create_dynamic",
            "(spec, file=None, /)",
            "ImportError: modules in C cannot be loaded.",
            NativeFn::Args(create_dynamic),
        ),
        FunctionDef::new(
            "exec_dynamic",
            "(mod, /)",
            "Nothing is left to do.",
            NativeFn::F1(|vm, _| vm.new_int(0)),
        ),
        FunctionDef::new(
            "_fix_co_filename",
            "(code, path, /)",
            "Give the code and all code in it a file name.",
            NativeFn::F2(fix_co_filename),
        ),
        FunctionDef::new(
            "_override_frozen_modules_for_tests",
            "(override, /)",
            "Nothing: there is one set of frozen modules.",
            NativeFn::F1(|_, _| Ok(Value::NONE)),
        ),
        FunctionDef::new(
            "_frozen_module_names",
            "()",
            "The names of frozen modules.",
            NativeFn::F0(|vm| {
                let names = ["_frozen_importlib", "_frozen_importlib_external", "zipimport", "__hello__"];
                let names = names.iter().map(|name| vm.new_str(name)).collect::<Res<Vec<_>>>()?;
                vm.new_list(names)
            }),
        ),
    ],
    types: &[&importer::IMPORTER],
    constants: &[
        constant("pyc_magic_number_token", |vm| {
            vm.new_int(i64::from(u32::from_le_bytes(pellucid_bytecode::pyc::MAGIC)))
        }),
        constant("check_hash_based_pycs", |vm| match vm.state::<HashPolicy>().0.get() {
            Some(policy) => Ok(policy),
            None => vm.new_str("default"),
        }),
    ],
    init: None,
};

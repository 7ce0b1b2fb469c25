//! The library's own `importlib`, loaded when something needs it: files to import, `sys.meta_path`, `__spec__`.
//!
//! Its two halves run as the modules `_frozen_importlib` and `_frozen_importlib_external`, set up as CPython sets them
//! up; from then on `sys.meta_path`, `sys.path_hooks` and `sys.path_importer_cache` exist.

use crate::import::{self, ImportState};
use crate::importer;
use pellucid_host::Place;
use pellucid_object::{CallArgs, FunctionDef, Interpreter, List, NativeFn, Raised, Res, Str, Value};

/// The names in `sys` that `importlib` fills.
pub const LAZY_IN_SYS: &[&str] = &["meta_path", "path_hooks", "path_importer_cache"];

const BOOTSTRAP: (&str, &str) = ("importlib._bootstrap", "<frozen importlib._bootstrap>");
const EXTERNAL: (&str, &str) = ("importlib._bootstrap_external", "<frozen importlib._bootstrap_external>");

/// `_frozen_importlib`, set up.
pub fn bootstrap(vm: &Interpreter) -> Res {
    let state = vm.state::<ImportState>();
    if state.maker.owner() == 0
        && let Some(module) = state.bootstrap.get()
    {
        return Ok(module);
    }
    state.maker.acquire(vm, None)?;
    let made = make(vm, &state);
    state.maker.release(vm);
    made
}

fn make(vm: &Interpreter, state: &ImportState) -> Res {
    if let Some(module) = state.bootstrap.get() {
        return Ok(module);
    }
    let sys = vm.sys.get().ok_or_else(|| vm.runtime_error("sys is not there yet".to_string()))?;
    let imp = import::import_absolute(vm, &vm.intern_static("_imp")?)?;
    let module = run_half(vm, "_frozen_importlib", BOOTSTRAP)?;
    vm.set_attr_str(&sys, "meta_path", vm.new_list(Vec::new())?)?;
    vm.set_attr_str(&sys, "path_hooks", vm.new_list(Vec::new())?)?;
    vm.set_attr_str(&sys, "path_importer_cache", vm.new_dict()?.into_value())?;
    // Set now: what follows imports modules, which come here again for their specs.
    state.bootstrap.set(Some(module.clone()));
    let done = vm
        .call_attr(&module, "_install", &[sys.clone(), imp])
        .and_then(|_| vm.call_attr(&module, "_install_external_importers", &[]))
        .and_then(|_| add_hooks(vm, state));
    match done {
        Ok(()) => Ok(module),
        Err(raised) => {
            state.bootstrap.set(None);
            for name in LAZY_IN_SYS {
                vm.attrs_delete(&sys, &vm.intern(name)?)?;
            }
            Err(raised)
        }
    }
}

/// `_frozen_importlib` or `_frozen_importlib_external`.
pub fn bootstrap_module(vm: &Interpreter, name: &str) -> Res {
    let bootstrap = bootstrap(vm)?;
    if name == "_frozen_importlib" {
        return Ok(bootstrap);
    }
    match import::loaded(vm, &vm.intern(name)?)? {
        Some(external) => Ok(external),
        None => run_half(vm, name, EXTERNAL),
    }
}

fn run_half(vm: &Interpreter, name: &str, (library_name, file): (&str, &str)) -> Res {
    let Some(found) = pellucid_library::module(library_name) else {
        return Err(vm.system_error(format!("the library lacks {library_name}")));
    };
    let module = vm.new_module(name)?;
    vm.set_attr_str(&module, "__package__", vm.new_str("")?)?;
    // What importlib asks of a module that was frozen before it could import itself.
    vm.set_attr_str(&module, "__origname__", vm.new_str(library_name)?)?;
    import::modules(vm)?.set(vm, vm.intern(name)?, module.clone())?;
    let code = import::library_code(vm, &vm.state::<ImportState>(), file, found)?;
    import::run_in(vm, &code, &module)?;
    Ok(module)
}

/// Puts the hooks for zip files and for the embedded library in front, and notes what is there.
fn add_hooks(vm: &Interpreter, state: &ImportState) -> Res<()> {
    let list = |name: &str| -> Res<Vec<Value>> {
        let found = vm.sys_attr(name)?;
        Ok(found.and_then(|list| list.downcast_ref::<List>()).map(|list| list.items()).unwrap_or_default())
    };
    let mut hooks = vec![
        vm.new_builtin(&ZIP_HOOK, None, false, None)?,
        vm.new_builtin(&importer::PATH_HOOK, None, false, None)?,
    ];
    hooks.extend(list("path_hooks")?);
    if let Some(sys) = vm.sys.get() {
        vm.set_attr_str(&sys, "path_hooks", vm.new_list(hooks.clone())?)?;
    }
    state.first_hooks.replace(hooks);
    state.first_finders.replace(list("meta_path")?);
    Ok(())
}

static ZIP_HOOK: FunctionDef = FunctionDef::new(
    "zip_path_hook",
    "(path, /)",
    "The zipimporter of an archive, or ImportError for anything else.",
    NativeFn::F1(zip_hook),
);

/// Folders are no archives: `zipimport` is not loaded to find that out.
fn zip_hook(vm: &Interpreter, path: &Value) -> Res {
    let not_an_archive = |vm: &Interpreter| {
        vm.raise_text(&vm.exceptions().import_error().clone(), "only archives are supported")
    };
    if path.downcast::<Str>().is_none() {
        return Err(not_an_archive(vm));
    }
    let bytes = vm.fs_encode(path)?;
    let mut at: &[u8] = &bytes;
    let file = loop {
        match vm.host().stat(Place::new(at), true) {
            Ok(stat) => break stat.is_file(),
            Err(_) => match at.iter().rposition(|&b| b == b'/') {
                Some(slash) if slash > 0 => at = &at[..slash],
                _ => break false,
            },
        }
    };
    if !file {
        return Err(not_an_archive(vm));
    }
    let zipimport = import::import_absolute(vm, &vm.intern_static("zipimport")?)?;
    vm.call_attr(&zipimport, "zipimporter", std::slice::from_ref(path))
}

/// The import system's general way. Frames of `importlib` itself do not show in tracebacks.
pub fn find_and_load(vm: &Interpreter, name: &Value) -> Res {
    let module = bootstrap(vm)?;
    let import = vm.get_attr_str(&module, "_gcd_import")?;
    vm.call_attr(&module, "_find_and_load", &[name.clone(), import])
        .map_err(|raised| without_importlib_frames(vm, raised))
}

/// Cuts chunks of frames out of the traceback: those of `importlib` at all for an `ImportError`; for other exceptions
/// those that end in the function `importlib` calls other code through.
fn without_importlib_frames(vm: &Interpreter, raised: Raised) -> Raised {
    let verbose = vm.state::<ImportState>().verbose.get() > 0;
    let always = vm.raised_is(vm.exceptions().import_error());
    let exception = vm.take_raised(raised);
    if !verbose && trim(vm, &exception, always).is_err() {
        // The traceback stays as it was; what went wrong with trimming it is of less interest.
        drop(vm.save_raised());
    }
    vm.raise_as_is(exception)
}

fn trim(vm: &Interpreter, exception: &Value, always: bool) -> Res<()> {
    let mut kept: Option<Value> = None;
    let mut chunk: Option<Option<Value>> = None;
    let mut at = vm.get_attr_str(exception, "__traceback__")?;
    let link = |after: &Option<Value>, next: &Value| match after {
        Some(tb) => vm.set_attr_str(tb, "tb_next", next.clone()),
        None => vm.set_attr_str(exception, "__traceback__", next.clone()),
    };
    while !at.is_none() {
        let next = vm.get_attr_str(&at, "tb_next")?;
        let code = vm.get_attr_str(&vm.get_attr_str(&at, "tb_frame")?, "f_code")?;
        let file = vm.str_lossy(&vm.get_attr_str(&code, "co_filename")?);
        let in_importlib = file == BOOTSTRAP.1 || file == EXTERNAL.1;
        if !in_importlib {
            chunk = None;
            kept = Some(at);
        } else {
            let start = chunk.get_or_insert_with(|| kept.clone()).clone();
            let name = vm.str_lossy(&vm.get_attr_str(&code, "co_name")?);
            if always || name == "_call_with_frames_removed" {
                link(&start, &next)?;
                kept = start;
                chunk = None;
            } else {
                kept = Some(at);
            }
        }
        at = next;
    }
    Ok(())
}

/// The hook for attributes that modules lack: names in `sys` that `importlib` fills, `__spec__` and `__loader__` of
/// modules that were loaded the quick way, and the words for what a module does not have (yet).
pub fn module_attribute(vm: &Interpreter, module: &Value, name: &Value) -> Res<Option<Value>> {
    let text = vm.str_lossy(name);
    let state = vm.state::<ImportState>();
    if text == "__spec__" || text == "__loader__" {
        return late_spec(vm, &state, module, name, &text);
    }
    if LAZY_IN_SYS.contains(&text.as_str()) && vm.sys.get().is_some_and(|sys| sys.is(module)) {
        if state.bootstrap.get().is_some() {
            return Ok(None);
        }
        bootstrap(vm)?;
        return vm.attrs_get(module, name);
    }
    unfinished(vm, &state, module, name, &text)
}

fn late_spec(
    vm: &Interpreter,
    state: &ImportState,
    module: &Value,
    name: &Value,
    text: &str,
) -> Res<Option<Value>> {
    let Some(module_name) = vm.attrs_get(module, &vm.intern_static("__name__")?)? else { return Ok(None) };
    if module_name.downcast::<Str>().is_none() {
        return Ok(None);
    }
    let full = vm.str_lossy(&module_name);
    let file = vm.attrs_get(module, &vm.intern_static("__file__")?)?;
    let native = state.native.borrow().contains_key(full.as_str());
    let library = pellucid_library::module(&full);
    let embedded =
        file.as_ref().is_some_and(|file| vm.str_lossy(file).starts_with(&**state.library.borrow()));
    if full == "__main__" && text == "__loader__" {
        return main_loader(vm, module, file).map(Some);
    }
    let from_library = library.is_some() && embedded;
    if !native && !from_library {
        return Ok(None);
    }
    let had_importlib = state.bootstrap.get().is_some();
    let bootstrap = bootstrap(vm)?;
    // Setting `importlib` up has given specs to the native modules there were.
    if !had_importlib && let Some(found) = vm.attrs_get(module, name)? {
        return Ok(Some(found));
    }
    let (loader, spec) = match (library, file) {
        (Some(found), Some(file)) if embedded => {
            let loader = importer::for_library(vm)?;
            let spec = importer::spec(vm, &bootstrap, &module_name, &loader, &file, found.package)?;
            (loader, spec)
        }
        _ => {
            let loader = vm.get_attr_str(&bootstrap, "BuiltinImporter")?;
            let make = vm.get_attr_str(&bootstrap, "ModuleSpec")?;
            let values = [module_name, loader.clone(), vm.new_str("built-in")?];
            let spec =
                vm.call(&make, &CallArgs { values: &values, names: &[vm.intern_static("origin")?] })?;
            (loader, spec)
        }
    };
    if text == "__spec__" && vm.attrs_get(module, &vm.intern_static("__loader__")?)?.is_none() {
        vm.set_attr_str(module, "__loader__", loader.clone())?;
    }
    let value = if text == "__spec__" { spec } else { loader };
    vm.set_attr(module, name, Some(&value))?;
    Ok(Some(value))
}

/// The loader that the program's own file would have had.
fn main_loader(vm: &Interpreter, module: &Value, file: Option<Value>) -> Res {
    let loader = match file {
        Some(file) if file.downcast::<Str>().is_some() => {
            let external = bootstrap_module(vm, "_frozen_importlib_external")?;
            vm.call_attr(&external, "SourceFileLoader", &[vm.intern_static("__main__")?, file])?
        }
        _ => vm.get_attr_str(&bootstrap(vm)?, "BuiltinImporter")?,
    };
    vm.set_attr_str(module, "__loader__", loader.clone())?;
    Ok(loader)
}

/// Says more about a missing attribute when the reason can be seen: the module is still being imported, or it is not
/// the one that was meant.
fn unfinished(
    vm: &Interpreter,
    state: &ImportState,
    module: &Value,
    name: &Value,
    text: &str,
) -> Res<Option<Value>> {
    let Some(module_name) = vm.attrs_get(module, &vm.intern_static("__name__")?)? else { return Ok(None) };
    let full = vm.str_lossy(&module_name);
    let spec = vm.attrs_get(module, &vm.intern_static("__spec__")?)?.filter(|spec| !spec.is_none());
    let Some(spec) = spec else {
        if state.loading.borrow().contains_key(&full) {
            let message = format!(
                "partially initialized module '{full}' has no attribute '{text}' (most likely due to a circular import)"
            );
            return Err(attribute_error(vm, module, name, &message));
        }
        return Ok(None);
    };
    let has_location = vm.get_attr_opt(&spec, "has_location")?;
    let located = has_location.map_or(Ok(false), |value| vm.truthy(&value))?;
    let origin = match vm.get_attr_opt(&spec, "origin")? {
        Some(origin) if located && origin.downcast::<Str>().is_some() => Some(origin),
        _ => None,
    };
    let shadowing = match &origin {
        Some(origin) => is_shadowing(vm, &vm.str_lossy(origin))?,
        None => false,
    };
    let initializing = match vm.get_attr_opt(&spec, "_initializing")? {
        Some(value) => vm.truthy(&value)?,
        None => false,
    };
    if let Some(origin) = origin.as_ref().filter(|_| shadowing) {
        let origin = vm.repr_lossy(origin)?;
        if is_stdlib_name(vm, &module_name)? {
            let message = format!(
                "module '{full}' has no attribute '{text}' (consider renaming {origin} since it has the same name as the \
                 standard library module named '{full}' and prevents importing that standard library module)"
            );
            return Err(attribute_error(vm, module, name, &message));
        }
        if initializing {
            let message = format!(
                "module '{full}' has no attribute '{text}' (consider renaming {origin} if it has the same name as a \
                 library you intended to import)"
            );
            return Err(attribute_error(vm, module, name, &message));
        }
    }
    if initializing {
        let message = match &origin {
            Some(origin) => format!(
                "partially initialized module '{full}' from '{}' has no attribute '{text}' (most likely due to a circular \
                 import)",
                vm.str_lossy(origin)
            ),
            None => format!(
                "partially initialized module '{full}' has no attribute '{text}' (most likely due to a circular import)"
            ),
        };
        return Err(attribute_error(vm, module, name, &message));
    }
    if let Some(submodules) = vm.get_attr_opt(&spec, "_uninitialized_submodules")?
        && vm.contains(&submodules, name)?
    {
        let message = format!(
            "cannot access submodule '{text}' of module '{full}' (most likely due to a circular import)"
        );
        return Err(attribute_error(vm, module, name, &message));
    }
    Ok(None)
}

/// Whether the file lies where the program itself lies.
fn is_shadowing(vm: &Interpreter, origin: &str) -> Res<bool> {
    let safe = match vm.sys_attr("flags")? {
        Some(flags) => match vm.get_attr_opt(&flags, "safe_path")? {
            Some(safe) => vm.truthy(&safe)?,
            None => false,
        },
        None => false,
    };
    if safe {
        return Ok(false);
    }
    let Some(path) = vm.sys_attr("path")?.and_then(|path| path.downcast_ref::<List>()) else {
        return Ok(false);
    };
    let Some(first) = path.get(0).filter(|first| first.downcast::<Str>().is_some()) else { return Ok(false) };
    let mut first = vm.str_lossy(&first);
    if first.is_empty() {
        first = match vm.host().getcwd() {
            Ok(cwd) => String::from_utf8_lossy(&cwd).into_owned(),
            Err(_) => return Ok(false),
        };
    }
    let folder = origin.strip_suffix("/__init__.py").unwrap_or(origin);
    Ok(folder.rsplit_once('/').is_some_and(|(folder, _)| folder == first))
}

fn is_stdlib_name(vm: &Interpreter, name: &Value) -> Res<bool> {
    match vm.sys_attr("stdlib_module_names")? {
        Some(names) => vm.contains(&names, name),
        None => Ok(false),
    }
}

fn attribute_error(vm: &Interpreter, module: &Value, name: &Value, message: &str) -> Raised {
    let make = || -> Res {
        let values = [vm.new_str(message)?, name.clone(), module.clone()];
        let names = [vm.intern_static("name")?, vm.intern_static("obj")?];
        let ty = vm.exceptions().attribute_error().value().clone();
        vm.call(&ty, &CallArgs { values: &values, names: &names })
    };
    match make() {
        Ok(error) => vm.raise(error),
        Err(raised) => raised,
    }
}

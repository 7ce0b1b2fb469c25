//! `__import__`, and the quick way to modules that need no file.
//!
//! Native modules and those of the embedded library are found and loaded here, without running any Python code but the
//! module's own. Everything else goes to the library's `importlib`, which is itself loaded when it is first needed
//! ([`crate::importlib`]). What Python code sees is the same: the quick way is taken only as long as `sys.meta_path` and
//! `sys.path_hooks` hold what they held at the start, and it looks at `sys.path` in the order of its entries. A folder
//! in front of the library that has a file of the module's name sends the import to `importlib`.
//!
//! `__spec__` and `__loader__` of modules loaded the quick way are made when someone asks for them
//! ([`crate::importlib::module_attribute`]).

use crate::importlib;
use pellucid_host::Place;
use pellucid_native_sys::lock::OwnedLock;
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Raised, Ref, Res, Str, Value,
    heap::SlotWord,
};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

/// What the import system of an interpreter remembers.
#[derive(Default)]
pub struct ImportState {
    /// Native modules by name.
    pub native: RefCell<HashMap<&'static str, &'static ModuleDef>>,
    /// The entry of `sys.path` that stands for the embedded library.
    pub library: RefCell<Rc<str>>,
    /// `_frozen_importlib`, once it is loaded.
    pub bootstrap: SlotWord,
    /// The first contents of `sys.meta_path` and `sys.path_hooks`.
    pub first_finders: RefCell<Vec<Value>>,
    pub first_hooks: RefCell<Vec<Value>>,
    /// Library modules whose code is running.
    /// By name, with the threads that run them.
    pub loading: RefCell<HashMap<String, u64>>,
    /// Modules that threads wait for, by thread.
    awaited: RefCell<HashMap<u64, String>>,
    /// Held by the thread that loads `importlib`.
    pub maker: OwnedLock,
    /// `-X importtime`: how deep imports are nested, and the time that inner ones took.
    pub timing: Cell<bool>,
    timing_depth: Cell<usize>,
    timing_inner: Cell<u64>,
    /// Code of `-c` and its source, for `linecache` when that is loaded.
    pub command: RefCell<Option<(Value, Value)>>,
    /// `-v`.
    pub verbose: Cell<u8>,
    /// `-O`: library code is compiled anew, as it was built without.
    pub optimize: Cell<u8>,
}

impl ImportState {
    /// Whether finders and hooks are those of the start, so that the quick way gives what they would give.
    fn pristine(&self, vm: &Interpreter) -> Res<bool> {
        let same = |name, first: &RefCell<Vec<Value>>| -> Res<bool> {
            Ok(match vm.sys_attr(name)? {
                // They are made when asked for, or `importlib` is being loaded right now.
                None => true,
                Some(_) if first.borrow().is_empty() => true,
                Some(now) => now.downcast::<List>().is_some_and(|list| {
                    let first = first.borrow();
                    list.with(|now| now.len() == first.len() && now.iter().zip(&*first).all(|(a, b)| a.is(b)))
                }),
            })
        };
        Ok(same("meta_path", &self.first_finders)? && same("path_hooks", &self.first_hooks)?)
    }
}

/// The dict `sys.modules`.
pub fn modules(vm: &Interpreter) -> Res<Ref<Dict>> {
    let modules = vm.modules.get().and_then(|modules| modules.downcast_ref::<Dict>());
    modules.ok_or_else(|| vm.runtime_error("unable to get sys.modules".to_string()))
}

/// The module in `sys.modules`; `None` stands there for a module that must not be imported.
pub fn loaded(vm: &Interpreter, name: &Value) -> Res<Option<Value>> {
    modules(vm)?.get(vm, name)
}

/// The `import` statement's function.
pub static DUNDER_IMPORT: FunctionDef = FunctionDef::new(
    "__import__",
    "(name, globals=None, locals=None, fromlist=(), level=0)",
    "Import a module.\n\nThe globals are only used to determine the context; they are not modified. The locals are\n\
     unused. The fromlist is a list of names to emulate ``from name import ...``, or an empty list to emulate\n\
     ``import name``. When importing a module from a package, __import__('A.B', ...) returns package A when fromlist\n\
     is empty, but its submodule B when fromlist is not empty. The level says whether the import is absolute (0) or\n\
     relative: the number of parent packages to search.",
    NativeFn::Args(dunder_import),
);

fn dunder_import(vm: &Interpreter, args: &Args) -> Res {
    let name = args.req(0);
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("module name must be a string".to_string()));
    }
    let level = args.int_or(vm, 4, 0)?;
    import(vm, name, args.some(1), args.some(3), level)
}

/// `__import__(name, globals, None, fromlist, level)`.
pub fn import(
    vm: &Interpreter,
    name: &Value,
    globals: Option<&Value>,
    fromlist: Option<&Value>,
    level: i64,
) -> Res {
    if level < 0 {
        return Err(vm.value_error("level must be >= 0".to_string()));
    }
    let absolute = if level > 0 {
        resolve(vm, name, globals, level)?
    } else if name.downcast::<Str>().is_some_and(|name| name.text.is_empty()) {
        return Err(vm.value_error("Empty module name".to_string()));
    } else {
        name.clone()
    };
    let module = import_absolute(vm, &absolute)?;
    let has_from = match fromlist {
        Some(fromlist) => vm.truthy(fromlist)?,
        None => false,
    };
    match fromlist {
        Some(fromlist) if has_from => {
            if is_package(vm, &module)? {
                from_list(vm, &module, fromlist, false)?;
            }
            Ok(module)
        }
        _ => top_level(vm, name, &absolute, module, level),
    }
}

/// Whether a module has `__path__`.
fn is_package(vm: &Interpreter, module: &Value) -> Res<bool> {
    let path = vm.intern_static("__path__")?;
    if vm.is_exact(module, &vm.types().module) && vm.attrs_get(module, &path)?.is_none() {
        // Only a `__getattr__` of its own could give it one.
        let getattr = vm.intern_static("__getattr__")?;
        return match vm.attrs_get(module, &getattr)? {
            None => Ok(false),
            Some(_) => Ok(vm.find_attr(module, &path)?.is_some()),
        };
    }
    Ok(vm.find_attr(module, &path)?.is_some())
}

/// The module of an absolute name, loaded if need be.
pub fn import_absolute(vm: &Interpreter, name: &Value) -> Res {
    match loaded(vm, name)? {
        Some(module) if !module.is_none() => {
            wait_until_loaded(vm, name, &module)?;
            Ok(module)
        }
        Some(_) => {
            let message = format!("import of {} halted; None in sys.modules", vm.str_lossy(name));
            Err(module_not_found(vm, &message, name))
        }
        None => timed(vm, name, || find_and_load(vm, name)),
    }
}

/// Another thread may be in the middle of importing it.
fn wait_until_loaded(vm: &Interpreter, name: &Value, module: &Value) -> Res<()> {
    let state = vm.state::<ImportState>();
    if !state.loading.borrow().is_empty() && vm.gil().threads() > 1 {
        wait_for_library(vm, &state, &vm.str_lossy(name))?;
    }
    let Some(bootstrap) = state.bootstrap.get() else { return Ok(()) };
    let spec = match vm.attrs_get(module, &vm.intern_static("__spec__")?)? {
        Some(spec) if !spec.is_none() => spec,
        _ => return Ok(()),
    };
    if let Some(initializing) = vm.find_attr(&spec, &vm.intern_static("_initializing")?)?
        && vm.truthy(&initializing)?
    {
        vm.call_attr(&bootstrap, "_lock_unlock_module", std::slice::from_ref(name))?;
    }
    Ok(())
}

/// Waits until the thread that runs a module of the library is done with it, unless that thread waits for a module of ours.
fn wait_for_library(vm: &Interpreter, state: &ImportState, name: &str) -> Res<()> {
    const SLICE: std::time::Duration = std::time::Duration::from_micros(500);
    let me = vm.gil().ident();
    let owner_of = |name: &str| state.loading.borrow().get(name).copied();
    let is_stuck = |mut owner: u64| {
        // Each thread waits for one module at most, so that the chain has an end.
        for _ in 0..state.awaited.borrow().len() {
            let next = state.awaited.borrow().get(&owner).cloned();
            match next.and_then(|next| owner_of(&next)) {
                Some(next) if next == me => return true,
                Some(next) => owner = next,
                None => return false,
            }
        }
        false
    };
    while let Some(owner) = owner_of(name).filter(|owner| *owner != me && !is_stuck(*owner)) {
        debug_assert_ne!(owner, me);
        state.awaited.borrow_mut().insert(me, name.to_string());
        let polled = if vm.host().grants(pellucid_host::Capability::Clock) {
            let host = vm.host();
            // An interrupted sleep is as good as a whole one.
            let _slept = vm.allow_threads(|| host.sleep(SLICE));
            vm.poll()
        } else {
            vm.allow_threads(std::thread::yield_now);
            vm.poll()
        };
        state.awaited.borrow_mut().remove(&me);
        polled?;
    }
    Ok(())
}

/// What `import a.b.c` binds: the package of the first name.
fn top_level(vm: &Interpreter, name: &Value, absolute: &Value, module: Value, level: i64) -> Res {
    let dotless = |name: &Str| name.text.as_ascii().is_some_and(|name| !name.contains('.'));
    if name.downcast::<Str>().is_some_and(dotless) {
        return Ok(module);
    }
    let text = vm.expect_str(name)?;
    if text.is_empty() && level > 0 {
        return Ok(module);
    }
    let Some((front, _)) = text.split_once('.') else { return Ok(module) };
    if level == 0 {
        return import_absolute(vm, &vm.new_str(front)?);
    }
    let whole = vm.expect_str(absolute)?;
    let cut = text.len() - front.len();
    let wanted = vm.new_str(&whole[..whole.len().saturating_sub(cut)])?;
    match loaded(vm, &wanted)? {
        Some(module) => Ok(module),
        None => {
            let message = format!("{} not in sys.modules as expected", vm.repr_lossy(&wanted)?);
            let message = vm.new_str(&message)?;
            Err(vm.key_error(message))
        }
    }
}

/// `from package import a, b`: those that are submodules are imported.
fn from_list(vm: &Interpreter, module: &Value, fromlist: &Value, recursive: bool) -> Res<()> {
    for item in vm.collect(fromlist)? {
        if item.downcast::<Str>().is_none() {
            let place = if recursive {
                format!("{}.__all__", vm.str_lossy(&vm.get_attr_str(module, "__name__")?))
            } else {
                "``from list''".to_string()
            };
            let ty = vm.type_name(&item);
            return Err(vm.type_error(format!("Item in {place} must be str, not {ty}")));
        }
        let text = vm.str_lossy(&item);
        if text == "*" {
            if !recursive && let Some(all) = vm.get_attr_opt(module, "__all__")? {
                from_list(vm, module, &all, true)?;
            }
        } else if vm.get_attr_opt(module, &text)?.is_none() {
            import_submodule(vm, module, &text)?;
        }
    }
    Ok(())
}

/// Imports the submodule if there is one; if not, `from` says what is missing.
fn import_submodule(vm: &Interpreter, package: &Value, child: &str) -> Res<()> {
    let name = vm.str_lossy(&vm.get_attr_str(package, "__name__")?);
    let name = vm.new_str(&format!("{name}.{child}"))?;
    match import_absolute(vm, &name) {
        Ok(_) => Ok(()),
        Err(raised) if vm.raised_is(vm.exceptions().module_not_found_error()) => {
            let error = vm.take_raised(raised);
            let missing = vm.get_attr_opt(&error, "name")?.unwrap_or(Value::NONE);
            let halted = loaded(vm, &name)?.is_some_and(|module| module.is_none());
            if !halted && missing.downcast::<Str>().is_some() && vm.keys_equal(&missing, &name)? {
                return Ok(());
            }
            Err(vm.raise_as_is(error))
        }
        Err(raised) => Err(raised),
    }
}

/// The absolute name of a relative import.
fn resolve(vm: &Interpreter, name: &Value, globals: Option<&Value>, level: i64) -> Res {
    let Some(globals) = globals else {
        return Err(vm.key_error(vm.new_str("'__name__' not in globals")?));
    };
    let Some(globals) = globals.downcast_ref::<Dict>() else {
        return Err(vm.type_error("globals must be a dict".to_string()));
    };
    let package = package_of(vm, &globals)?;
    let mut base = package.as_str();
    if base.is_empty() {
        let message = "attempted relative import with no known parent package";
        return Err(vm.raise_text(&vm.exceptions().import_error().clone(), message));
    }
    for _ in 1..level {
        let Some((outer, _)) = base.rsplit_once('.') else {
            let message = "attempted relative import beyond top-level package";
            return Err(vm.raise_text(&vm.exceptions().import_error().clone(), message));
        };
        base = outer;
    }
    let name = vm.expect_str(name)?;
    if name.is_empty() { vm.new_str(base) } else { vm.new_str(&format!("{base}.{name}")) }
}

/// The package in which a module's relative imports start.
fn package_of(vm: &Interpreter, globals: &Ref<Dict>) -> Res<String> {
    let get = |name: &str| -> Res<Option<Value>> {
        Ok(globals.get(vm, &vm.intern(name)?)?.filter(|value| !value.is_none()))
    };
    let parent = match get("__spec__")? {
        Some(spec) => vm.get_attr_opt(&spec, "parent")?.filter(|parent| !parent.is_none()),
        None => None,
    };
    if let Some(package) = get("__package__")? {
        if package.downcast::<Str>().is_none() {
            return Err(vm.type_error("package must be a string".to_string()));
        }
        if let Some(parent) = parent
            && !vm.keys_equal(&package, &parent)?
        {
            let message = format!(
                "__package__ != __spec__.parent ({} != {})",
                vm.repr_lossy(&package)?,
                vm.repr_lossy(&parent)?
            );
            warn(vm, vm.exceptions().deprecation_warning().value().clone(), &message)?;
        }
        return vm.expect_str(&package);
    }
    if let Some(parent) = parent {
        if parent.downcast::<Str>().is_none() {
            return Err(vm.type_error("__spec__.parent must be a string".to_string()));
        }
        return vm.expect_str(&parent);
    }
    let message = "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__";
    warn(vm, vm.exceptions().import_warning().value().clone(), message)?;
    let Some(name) = get("__name__")? else {
        return Err(vm.key_error(vm.new_str("'__name__' not in globals")?));
    };
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("__name__ must be a string".to_string()));
    }
    let name = vm.expect_str(&name)?;
    match get("__path__")? {
        Some(_) => Ok(name),
        None => Ok(name.rsplit_once('.').map(|(package, _)| package.to_string()).unwrap_or_default()),
    }
}

/// `warnings.warn(message, category)`.
pub fn warn(vm: &Interpreter, category: Value, message: &str) -> Res<()> {
    let warnings = import_absolute(vm, &vm.intern_static("_warnings")?)?;
    vm.call_attr(&warnings, "warn", &[vm.new_str(message)?, category]).map(drop)
}

/// `ModuleNotFoundError(message, name=name)`.
pub fn module_not_found(vm: &Interpreter, message: &str, name: &Value) -> Raised {
    named_error(vm, vm.exceptions().module_not_found_error().value(), message, name)
}

/// `ImportError(message, name=name)`.
pub fn import_error(vm: &Interpreter, message: &str, name: &Value) -> Raised {
    named_error(vm, vm.exceptions().import_error().value(), message, name)
}

fn named_error(vm: &Interpreter, ty: &Value, message: &str, name: &Value) -> Raised {
    let make = || -> Res {
        let values = [vm.new_str(message)?, name.clone()];
        let names = [vm.intern_static("name")?];
        vm.call(ty, &CallArgs { values: &values, names: &names })
    };
    match make() {
        Ok(error) => vm.raise(error),
        Err(raised) => raised,
    }
}

/// Where a module is.
enum Found {
    Native(&'static ModuleDef),
    Library(&'static pellucid_library::Module),
    /// `importlib` has to look.
    Elsewhere,
    Nowhere,
}

fn find_and_load(vm: &Interpreter, name: &Value) -> Res {
    let state = vm.state::<ImportState>();
    let plain = name.downcast::<Str>().and_then(|s| s.text.to_utf8());
    if let Some(text) = plain
        && state.pristine(vm)?
        && let Some(module) = find_and_load_quickly(vm, &state, name, &text)?
    {
        return Ok(module);
    }
    importlib::find_and_load(vm, name)
}

fn find_and_load_quickly(
    vm: &Interpreter,
    state: &ImportState,
    name: &Value,
    text: &str,
) -> Res<Option<Value>> {
    if matches!(text, "_frozen_importlib" | "_frozen_importlib_external") {
        return importlib::bootstrap_module(vm, text).map(Some);
    }
    let parent = match text.rsplit_once('.') {
        None => None,
        Some((package, child)) => {
            let package_name = vm.new_str(package)?;
            import_absolute(vm, &package_name)?;
            // Importing the package, or another thread meanwhile, may have imported this module.
            if let Some(module) = loaded(vm, name)? {
                wait_until_loaded(vm, name, &module)?;
                return Ok(Some(module));
            }
            let Some(package) = loaded(vm, &package_name)? else { return Ok(None) };
            let Some(path) = vm.get_attr_opt(&package, "__path__")? else {
                let (name_repr, package) = (vm.repr_lossy(name)?, vm.repr_lossy(&package_name)?);
                let message = format!("No module named {name_repr}; {package} is not a package");
                return Err(module_not_found(vm, &message, name));
            };
            Some((package, path, child))
        }
    };
    let path = match &parent {
        Some((_, path, _)) => Some(path.clone()),
        None => vm.sys_attr("path")?,
    };
    let found = locate(vm, state, text, path.as_ref())?;
    if vm.gil().threads() > 1
        && let Some(module) = loaded(vm, name)?
    {
        // Another thread was faster while files were looked at.
        wait_until_loaded(vm, name, &module)?;
        return Ok(Some(module));
    }
    let module = match found {
        Found::Native(def) => load_native(vm, name, def)?,
        Found::Library(module) => load_library(vm, state, name, text, module)?,
        Found::Elsewhere => return Ok(None),
        Found::Nowhere => {
            let message = format!("No module named {}", vm.repr_lossy(name)?);
            return Err(module_not_found(vm, &message, name));
        }
    };
    if let Some((package, _, child)) = &parent {
        vm.set_attr_str(package, child, module.clone())?;
    }
    if state.verbose.get() > 0 {
        verbose(vm, &format!("import {} # quick", vm.repr_lossy(name)?));
    }
    Ok(Some(module))
}

/// Modules that CPython has frozen: they are found before `sys.path` is looked at.
const BEFORE_PATH: &[&str] = &[
    "__hello__",
    "_collections_abc",
    "_sitebuiltins",
    "abc",
    "codecs",
    "genericpath",
    "importlib.machinery",
    "importlib.util",
    "io",
    "ntpath",
    "os",
    "posixpath",
    "runpy",
    "site",
    "stat",
    "zipimport",
];

/// Looks through the path in the order of its entries, as far as that can be done without `importlib`.
fn locate(vm: &Interpreter, state: &ImportState, name: &str, path: Option<&Value>) -> Res<Found> {
    if let Some(def) = state.native.borrow().get(name) {
        return Ok(Found::Native(def));
    }
    let in_library = pellucid_library::module(name);
    if BEFORE_PATH.contains(&name)
        && let Some(module) = in_library
    {
        return Ok(Found::Library(module));
    }
    let Some(entries) = path.and_then(|path| path.downcast_ref::<List>()) else {
        return Ok(Found::Elsewhere);
    };
    let (folder, child) = name.rsplit_once('.').unwrap_or(("", name));
    let library = state.library.borrow().clone();
    for entry in entries.items() {
        if entry.downcast::<Str>().is_none() {
            continue;
        }
        let Ok(bytes) = vm.fs_encode(&entry) else { return Ok(Found::Elsewhere) };
        if let Some(below) = bytes.strip_prefix(library.as_bytes()) {
            let expected = folder.replace('.', "/");
            let same = below.strip_prefix(b"/").unwrap_or(below) == expected.as_bytes();
            match in_library {
                Some(module) if same => return Ok(Found::Library(module)),
                // The library's folders without `__init__.py`, if any: importlib knows namespaces.
                _ if !same => return Ok(Found::Elsewhere),
                _ => continue,
            }
        }
        if may_hold(vm, &bytes, child) {
            return Ok(Found::Elsewhere);
        }
    }
    Ok(Found::Nowhere)
}

/// Whether a folder (the working directory when empty) has a file or folder that could be the module.
fn may_hold(vm: &Interpreter, folder: &[u8], child: &str) -> bool {
    let mut path = folder.to_vec();
    if !folder.is_empty() && !folder.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(child.as_bytes());
    let stem = path.len();
    ["", ".py", ".pyc"].iter().any(|suffix| {
        path.truncate(stem);
        path.extend_from_slice(suffix.as_bytes());
        match vm.host().stat(Place::new(&path), true) {
            Ok(_) => true,
            // Not there, or not to be read: then it cannot be imported either.
            Err(error) => !matches!(error.errno, pellucid_host::libc::ENOENT | pellucid_host::libc::EACCES),
        }
    })
}

/// Makes a native module. Its `__spec__` and `__loader__` come later.
pub fn make_native(vm: &Interpreter, def: &'static ModuleDef) -> Res {
    let module = vm.new_native_module(def)?;
    for absent in ["__spec__", "__loader__"] {
        vm.attrs_delete(&module, &vm.intern(absent)?)?;
    }
    vm.set_attr_str(&module, "__package__", vm.new_str("")?)?;
    Ok(module)
}

/// Makes a native module and puts it into `sys.modules`.
pub fn load_native(vm: &Interpreter, name: &Value, def: &'static ModuleDef) -> Res {
    let module = make_native(vm, def)?;
    modules(vm)?.set(vm, name.clone(), module.clone())?;
    Ok(module)
}

/// Runs a module of the library.
fn load_library(
    vm: &Interpreter,
    state: &ImportState,
    name: &Value,
    text: &str,
    found: &'static pellucid_library::Module,
) -> Res {
    let module = vm.new_module(text)?;
    let file = format!("{}/{}", state.library.borrow(), found.path);
    let package = if found.package { text } else { text.rsplit_once('.').map_or("", |(package, _)| package) };
    vm.attrs_delete(&module, &vm.intern_static("__spec__")?)?;
    vm.set_attr_str(&module, "__package__", vm.new_str(package)?)?;
    vm.set_attr_str(&module, "__loader__", crate::importer::for_library(vm)?)?;
    if found.package {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        vm.set_attr_str(&module, "__path__", vm.new_list(vec![vm.new_str(folder)?])?)?;
    }
    vm.set_attr_str(&module, "__file__", vm.new_str(&file)?)?;
    modules(vm)?.set(vm, name.clone(), module.clone())?;
    state.loading.borrow_mut().insert(text.to_string(), vm.gil().ident());
    let done = library_code(vm, state, &file, found).and_then(|code| run_in(vm, &code, &module));
    state.loading.borrow_mut().remove(text);
    if let Err(raised) = done {
        let saved = vm.save_raised();
        let removed = modules(vm)?.remove(vm, name)?;
        vm.restore_raised(saved);
        drop(removed);
        return Err(raised);
    }
    if text == "linecache" {
        register_command(vm, state, &module)?;
    }
    // The module may have put something else in its place.
    match loaded(vm, name)? {
        Some(module) => Ok(module),
        None => {
            let message = format!("Loaded module {} not found in sys.modules", vm.repr_lossy(name)?);
            Err(vm.raise_text(&vm.exceptions().import_error().clone(), &message))
        }
    }
}

/// Tells `linecache` the lines of the program given with `-c`, which tracebacks show.
fn register_command(vm: &Interpreter, state: &ImportState, linecache: &Value) -> Res<()> {
    let Some((code, source)) = state.command.take() else { return Ok(()) };
    vm.call_attr(linecache, "_register_code", &[code, source, vm.new_str("<string>")?]).map(drop)
}

/// Runs a code object in a module's namespace.
pub fn run_in(vm: &Interpreter, code: &Value, module: &Value) -> Res<()> {
    let Some(namespace) = vm.attrs_dict(module)? else {
        return Err(vm.type_error("a module without namespace".to_string()));
    };
    if let Some(builtins) = vm.builtins.get() {
        namespace.set_default(vm, vm.intern_static("__builtins__")?, builtins)?;
    }
    let namespace = namespace.into_value();
    pellucid_interp::run_code(vm, code, &namespace, &namespace).map(drop)
}

/// The code object of a module of the library, from its bytecode or its source.
pub fn library_code(
    vm: &Interpreter,
    state: &ImportState,
    file: &str,
    module: &pellucid_library::Module,
) -> Res {
    match module.code() {
        Some(bytes) if state.optimize.get() == 0 => {
            let mut code = pellucid_bytecode::marshal::read_code(bytes)
                .map_err(|error| vm.system_error(format!("{file}: {error}")))?;
            set_filename(&mut code, file);
            pellucid_interp::code::new_code(vm, code)
        }
        _ => {
            let source = vm.new_str(&String::from_utf8_lossy(&module.source.unpack()))?;
            compile(vm, &source, &vm.new_str(file)?, "exec")
        }
    }
}

/// Gives a code object and those inside it a file name.
pub fn set_filename(code: &mut pellucid_bytecode::code::Code, file: &str) {
    use pellucid_bytecode::code::Const;
    code.filename = file.into();
    for constant in &mut code.consts {
        if let Const::Code(inner) = constant {
            set_filename(std::rc::Rc::make_mut(inner), file);
        }
    }
}

/// `compile(source, filename, mode)` with the interpreter's own optimisation.
pub fn compile(vm: &Interpreter, source: &Value, filename: &Value, mode: &str) -> Res {
    let Some(compile) = vm.hooks.compile.get() else {
        return Err(vm.system_error("this interpreter has no compiler".to_string()));
    };
    compile(vm, &pellucid_object::CompileRequest { source, filename, mode, flags: 0, optimize: -1 })
}

/// `-v` and `-X importtime` write to the standard error output; what cannot be written is lost.
fn verbose(vm: &Interpreter, line: &str) {
    let _ = vm.host().write(2, format!("{line}\n").as_bytes());
}

/// `-X importtime`.
fn timed(vm: &Interpreter, name: &Value, load: impl FnOnce() -> Res) -> Res {
    let state = vm.state::<ImportState>();
    if !state.timing.get() {
        return load();
    }
    let depth = state.timing_depth.replace(state.timing_depth.get() + 1);
    if depth == 0 && state.timing_inner.get() == 0 {
        verbose(vm, "import time: self [us] | cumulative | imported package");
    }
    let outer = state.timing_inner.replace(0);
    let start = Instant::now();
    let result = load();
    let all = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let own = all.saturating_sub(state.timing_inner.get());
    verbose(vm, &format!("import time: {own:9} | {all:10} | {}{}", "  ".repeat(depth), vm.str_lossy(name)));
    state.timing_inner.set(outer.saturating_add(all).max(1));
    state.timing_depth.set(depth);
    result
}

/// Installs `__import__` and the hooks that lead here.
pub fn install(vm: &Interpreter, builtins: &Ref<Dict>) -> Res<()> {
    let state = vm.state::<ImportState>();
    state.native.borrow_mut().extend(crate::modules::all().map(|def| (def.name, def)));
    let function = vm.new_builtin(&DUNDER_IMPORT, None, false, Some(vm.new_str("builtins")?))?;
    builtins.set(vm, vm.intern_static("__import__")?, function)?;
    vm.hooks.import.set(Some(|vm, name| import_absolute(vm, &vm.new_str(name)?)));
    vm.hooks.module_attribute.set(Some(importlib::module_attribute));
    Ok(())
}

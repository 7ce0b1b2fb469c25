//! `_warnings`: the half of `warnings` that the runtime itself needs.

use crate::lock::OwnedLock;
use pellucid_object::{
    Args, Dict, Exception, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Ref, Res, Str, Tuple, Type,
    Value, constant, heap::SlotWord,
};
use std::cell::Cell;

/// Filters and the like, as long as the module `warnings` is not there to hold them.
struct State {
    filters: SlotWord,
    once_registry: SlotWord,
    default_action: SlotWord,
    /// Changes whenever the filters do; registries of other versions are stale.
    version: Cell<i64>,
    lock: OwnedLock,
}

impl Default for State {
    fn default() -> State {
        State {
            filters: SlotWord::default(),
            once_registry: SlotWord::default(),
            default_action: SlotWord::default(),
            version: Cell::new(1),
            lock: OwnedLock::default(),
        }
    }
}

fn filters(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(filters) = state.filters.get() {
        return Ok(filters);
    }
    let types = vm.exceptions();
    let filter = |action: &str, category: &Ref<Type>, module: Option<&str>| -> Res {
        let module = module.map_or(Ok(Value::NONE), |name| vm.new_str(name))?;
        let parts = vec![vm.new_str(action)?, Value::NONE, category.value().clone(), module, vm.new_int(0)?];
        vm.new_tuple(parts)
    };
    let list = vm.new_list(vec![
        filter("default", types.deprecation_warning(), Some("__main__"))?,
        filter("ignore", types.deprecation_warning(), None)?,
        filter("ignore", types.pending_deprecation_warning(), None)?,
        filter("ignore", types.import_warning(), None)?,
        filter("ignore", types.resource_warning(), None)?,
    ])?;
    state.filters.set(Some(list.clone()));
    Ok(list)
}

fn once_registry(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(found) = state.once_registry.get() {
        return Ok(found);
    }
    let fresh = vm.new_dict()?.into_value();
    state.once_registry.set(Some(fresh.clone()));
    Ok(fresh)
}

fn default_action(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(found) = state.default_action.get() {
        return Ok(found);
    }
    let fresh = vm.new_str("default")?;
    state.default_action.set(Some(fresh.clone()));
    Ok(fresh)
}

/// An attribute of the module `warnings`, if that was imported.
fn warnings_attribute(vm: &Interpreter, name: &str) -> Res<Option<Value>> {
    let Some(modules) = vm.modules.get().and_then(|m| m.downcast_ref::<Dict>()) else { return Ok(None) };
    match modules.get_str(vm, &vm.intern_static("warnings")?)? {
        Some(module) if !module.is_none() => vm.get_attr_opt(&module, name),
        _ => Ok(None),
    }
}

/// Whether a filter's pattern fits: `None` always does, a `str` when it is equal, else it is asked to match.
fn fits(vm: &Interpreter, pattern: &Value, text: &Value) -> Res<bool> {
    if pattern.is_none() {
        return Ok(true);
    }
    if vm.is_exact(pattern, &vm.types().str) {
        return vm.keys_equal(pattern, text);
    }
    let result = vm.call_attr(pattern, "match", std::slice::from_ref(text))?;
    vm.truthy(&result)
}

/// Looks for the action of the first filter that fits.
fn find_action(vm: &Interpreter, filters: &Value, w: &Warning) -> Res<Option<(Value, Value)>> {
    let Some(list) = filters.downcast_ref::<List>() else {
        return Err(vm.value_error("_warnings.filters must be a list".to_string()));
    };
    let mut index = 0;
    // The list may change while patterns are matched.
    while let Some(item) = list.get(index) {
        let parts = item.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
        let [action, message, category, module, line] = parts.as_slice() else {
            return Err(vm.value_error(format!("_warnings.filters item {index} isn't a 5-tuple")));
        };
        if action.downcast::<Str>().is_none() {
            let name = vm.type_name(action);
            return Err(vm.type_error(format!("action must be a string, not '{name}'")));
        }
        let category_fits = is_subclass(vm, &w.category, category)?;
        let line = vm.expect_i64(line)?;
        if category_fits
            && fits(vm, message, &w.text)?
            && fits(vm, module, &w.module)?
            && (line == 0 || line == w.line)
        {
            return Ok(Some((action.clone(), item)));
        }
        index += 1;
    }
    Ok(None)
}

/// `issubclass(cls, base)` for warning categories.
fn is_subclass(vm: &Interpreter, cls: &Value, base: &Value) -> Res<bool> {
    if let (Some(cls), Some(base)) = (cls.downcast::<Type>(), base.downcast_ref::<Type>())
        && cls.is_subtype_of(&base)
    {
        return Ok(true);
    }
    match vm.lookup_special(base, "__subclasscheck__")? {
        Some(check) => {
            let result = vm.call_descriptor(&check, base, std::slice::from_ref(cls))?;
            vm.truthy(&result)
        }
        None => Ok(false),
    }
}

/// A warning on its way.
struct Warning {
    category: Value,
    /// The warning object.
    message: Value,
    text: Value,
    filename: Value,
    line: i64,
    module: Value,
    source: Option<Value>,
}

/// Whether the registry knows the key already; if not and `note`, it does afterwards.
fn already_warned(vm: &Interpreter, registry: &Ref<Dict>, key: &Value, note: bool) -> Res<bool> {
    let version = vm.new_int(vm.state::<State>().version.get())?;
    let version_key = vm.intern_static("version")?;
    let fresh = match registry.get_str(vm, &version_key)? {
        Some(known) => vm.keys_equal(&known, &version)?,
        None => false,
    };
    if fresh {
        if let Some(seen) = registry.get(vm, key)?
            && vm.truthy(&seen)?
        {
            return Ok(true);
        }
    } else {
        registry.clear_entries();
        registry.set(vm, version_key, version)?;
    }
    if note {
        registry.set(vm, key.clone(), Value::TRUE)?;
    }
    Ok(false)
}

/// The module name that a file name stands for.
fn module_of_file(vm: &Interpreter, filename: &Value) -> Res {
    let Some(s) = filename.downcast::<Str>() else { return vm.new_str("<unknown>") };
    if s.text.is_empty() {
        return vm.new_str("<unknown>");
    }
    let text = vm.str_lossy(filename);
    match text.strip_suffix(".py") {
        Some(stem) => vm.new_str(stem),
        None => Ok(filename.clone()),
    }
}

fn explicit(vm: &Interpreter, w: Warning, registry: Option<Ref<Dict>>) -> Res<()> {
    let key = vm.new_tuple(vec![w.text.clone(), w.category.clone(), vm.new_int(w.line)?])?;
    if let Some(registry) = &registry
        && already_warned(vm, registry, &key, false)?
    {
        return Ok(());
    }
    let filters = match warnings_attribute(vm, "filters")? {
        Some(filters) => filters,
        None => filters(vm)?,
    };
    let (action, item) = match find_action(vm, &filters, &w)? {
        Some(found) => found,
        None => {
            let action = match warnings_attribute(vm, "defaultaction")? {
                Some(action) => action,
                None => default_action(vm)?,
            };
            (action, Value::NONE)
        }
    };
    let action = vm.str_lossy(&action);
    if action == "error" {
        return Err(vm.raise(w.message));
    }
    if action == "ignore" {
        return Ok(());
    }
    let seen = match action.as_str() {
        "always" | "all" => false,
        "once" => {
            let once = match warnings_attribute(vm, "onceregistry")? {
                Some(once) => once,
                None => once_registry(vm)?,
            };
            let Some(once) = once.downcast_ref::<Dict>() else {
                let name = vm.type_name(&once);
                return Err(vm.type_error(format!("_warnings._onceregistry must be a dict, not '{name}'")));
            };
            note(vm, registry.as_ref(), &key)?;
            let key = vm.new_tuple(vec![w.text.clone(), w.category.clone()])?;
            already_warned(vm, &once, &key, true)?
        }
        "module" => {
            note(vm, registry.as_ref(), &key)?;
            let key = vm.new_tuple(vec![w.text.clone(), w.category.clone(), vm.new_int(0)?])?;
            match &registry {
                Some(registry) => already_warned(vm, registry, &key, true)?,
                None => false,
            }
        }
        "default" => {
            note(vm, registry.as_ref(), &key)?;
            false
        }
        _ => {
            let (action, item) = (vm.new_str(&action)?, item);
            return Err(vm.runtime_error(format!(
                "Unrecognized action ({}) in warnings.filters:\n {}",
                vm.repr_lossy(&action)?,
                vm.repr_lossy(&item)?
            )));
        }
    };
    if seen { Ok(()) } else { show(vm, &w) }
}

fn note(vm: &Interpreter, registry: Option<&Ref<Dict>>, key: &Value) -> Res<()> {
    match registry {
        Some(registry) => registry.set(vm, key.clone(), Value::TRUE),
        None => Ok(()),
    }
}

fn show(vm: &Interpreter, w: &Warning) -> Res<()> {
    if w.source.is_some() && !crate::sys::is_finalizing(vm) && vm.hooks.import.get().is_some() {
        // Only `warnings` can say where the object was made.
        if let Err(raised) = vm.import("warnings") {
            drop(vm.take_raised(raised));
        }
    }
    let Some(show) = warnings_attribute(vm, "_showwarnmsg")? else { return show_plainly(vm, w) };
    if vm.type_of(&show).slots.call.get().is_none() {
        return Err(vm.type_error("warnings._showwarnmsg() must be set to a callable".to_string()));
    }
    let Some(class) = warnings_attribute(vm, "WarningMessage")? else {
        return Err(vm.runtime_error("unable to get warnings.WarningMessage".to_string()));
    };
    let message = vm.call_values(
        &class,
        &[
            w.message.clone(),
            w.category.clone(),
            w.filename.clone(),
            vm.new_int(w.line)?,
            Value::NONE,
            Value::NONE,
            w.source.clone().unwrap_or(Value::NONE),
        ],
    )?;
    vm.call_values(&show, &[message]).map(drop)
}

/// Shows a warning without help of Python code, and without the line of source.
fn show_plainly(vm: &Interpreter, w: &Warning) -> Res<()> {
    let Some(file) = crate::sys::hooks::stream(vm, "stderr")? else { return Ok(()) };
    let name = match w.category.downcast::<Type>() {
        Some(ty) => ty.name().to_string(),
        None => "Warning".to_string(),
    };
    let (file_name, line, text) = (vm.str_lossy(&w.filename), w.line, vm.str_lossy(&w.text));
    crate::sys::hooks::write(vm, &file, &format!("{file_name}:{line}: {name}: {text}\n"))
}

fn is_warning(vm: &Interpreter, value: &Value) -> bool {
    value.downcast::<Exception>().is_some() && vm.is_instance(value, vm.exceptions().warning())
}

/// Text and object of a message that is one or the other.
fn message_and_text(vm: &Interpreter, message: &Value, category: Value) -> Res<(Value, Value, Value)> {
    if is_warning(vm, message) {
        return Ok((message.clone(), vm.str(message)?, vm.type_of(message).into_value()));
    }
    let object = vm.call_values(&category, std::slice::from_ref(message))?;
    Ok((object, message.clone(), category))
}

/// Where a warning comes from: a frame that is `level` levels up, or nowhere in particular.
struct Origin {
    globals: Ref<Dict>,
    filename: Value,
    line: i64,
}

/// Frames of the import system are not shown to anybody.
fn is_internal(vm: &Interpreter, frame: &Value) -> Res<bool> {
    let name = frame_file(vm, frame)?;
    let name = vm.str_lossy(&name);
    Ok(name.contains("importlib") && name.contains("_bootstrap"))
}

fn frame_file(vm: &Interpreter, frame: &Value) -> Res {
    vm.get_attr_str(&vm.get_attr_str(frame, "f_code")?, "co_filename")
}

fn is_skipped(vm: &Interpreter, frame: &Value, skip: &[Value]) -> Res<bool> {
    let name = frame_file(vm, frame)?;
    let Some(name) = name.downcast::<Str>() else { return Ok(false) };
    Ok(skip.iter().filter_map(Value::downcast::<Str>).any(|prefix| name.text.starts_with(&prefix.text)))
}

fn origin(vm: &Interpreter, level: i64, skip: &[Value]) -> Res<Origin> {
    let mut frame = match vm.hooks.frame.get() {
        Some(hook) => hook(vm, 0)?,
        None => None,
    };
    let internal = match &frame {
        Some(frame) => is_internal(vm, frame)?,
        None => false,
    };
    let mut left = level;
    while left > 1
        && let Some(inner) = frame.take()
    {
        left -= 1;
        let mut outer = vm.get_attr_str(&inner, "f_back")?;
        while !internal && !outer.is_none() && (is_internal(vm, &outer)? || is_skipped(vm, &outer, skip)?) {
            outer = vm.get_attr_str(&outer, "f_back")?;
        }
        frame = Some(outer).filter(|outer| !outer.is_none());
    }
    if let Some(frame) = frame {
        let globals = vm.get_attr_str(&frame, "f_globals")?;
        if let Some(globals) = globals.downcast_ref::<Dict>() {
            let line = vm.get_attr_str(&frame, "f_lineno")?;
            return Ok(Origin {
                globals,
                filename: frame_file(vm, &frame)?,
                line: vm.as_i64(&line).unwrap_or(0),
            });
        }
    }
    let modules = vm.modules.get().and_then(|m| m.downcast_ref::<Dict>());
    let sys = match modules {
        Some(modules) => modules.get_str(vm, &vm.intern_static("sys")?)?,
        None => None,
    };
    let globals = match sys {
        Some(sys) => vm.attrs_dict(&sys)?,
        None => None,
    };
    let globals = globals.map_or_else(|| vm.new_dict(), Ok)?;
    Ok(Origin { globals, filename: vm.new_str("<sys>")?, line: 0 })
}

fn warn_from(
    vm: &Interpreter,
    message: &Value,
    category: Value,
    level: i64,
    source: Option<Value>,
    skip: &[Value],
) -> Res<()> {
    let origin = origin(vm, level, skip)?;
    let module = origin.globals.get_str(vm, &vm.intern_static("__name__")?)?;
    let module = match module.filter(|name| name.is_none() || name.downcast::<Str>().is_some()) {
        Some(name) => name,
        None => vm.new_str("<string>")?,
    };
    let registry_name = vm.intern_static("__warningregistry__")?;
    let registry = match origin.globals.get_str(vm, &registry_name)? {
        Some(registry) => registry,
        None => {
            let fresh = vm.new_dict()?.into_value();
            origin.globals.set(vm, registry_name, fresh.clone())?;
            fresh
        }
    };
    let (message, text, category) = message_and_text(vm, message, category)?;
    let warning =
        Warning { category, message, text, filename: origin.filename, line: origin.line, module, source };
    explicit(vm, warning, checked_registry(vm, &registry)?)
}

fn checked_registry(vm: &Interpreter, registry: &Value) -> Res<Option<Ref<Dict>>> {
    if registry.is_none() {
        return Ok(None);
    }
    match registry.downcast_ref::<Dict>() {
        Some(dict) => Ok(Some(dict)),
        None => {
            let name = vm.type_name(registry);
            Err(vm.type_error(format!("'registry' must be a dict or None, not '{name}'")))
        }
    }
}

/// Warns from Rust code, on behalf of the frame `level` levels up (1: the running one).
/// Errors: the warning itself when a filter says so.
pub fn warn_text(vm: &Interpreter, category: &Value, text: &str, level: i64) -> Res<()> {
    warn_from(vm, &vm.new_str(text)?, category.clone(), level, None, &[])
}

/// A `ResourceWarning` about an object that was not closed.
pub fn warn_resource(vm: &Interpreter, source: &Value, text: &str) -> Res<()> {
    let category = vm.exceptions().resource_warning().value().clone();
    warn_from(vm, &vm.new_str(text)?, category, 1, Some(source.clone()), &[])
}

fn checked_category(vm: &Interpreter, message: &Value, category: Option<&Value>) -> Res {
    if is_warning(vm, message) {
        return Ok(vm.type_of(message).into_value());
    }
    let Some(category) = category else { return Ok(vm.exceptions().user_warning().value().clone()) };
    if category.downcast::<Type>().is_some_and(|ty| ty.is_subtype_of(vm.exceptions().warning())) {
        return Ok(category.clone());
    }
    let name = vm.type_name(category);
    Err(vm.type_error(format!("category must be a Warning subclass, not '{name}'")))
}

fn warn(vm: &Interpreter, args: &Args) -> Res {
    let message = args.req(0);
    let category = checked_category(vm, message, args.some(1))?;
    let mut level = args.int_or(vm, 2, 1)?;
    let source = args.some(3).cloned();
    let skip = match args.get(4) {
        Some(skip) => skip.downcast::<Tuple>().map(Tuple::items).ok_or_else(|| {
            let name = vm.type_name(skip);
            vm.type_error(format!("warn() argument 'skip_file_prefixes' must be tuple, not {name}"))
        })?,
        None => Vec::new(),
    };
    if let Some(other) = skip.iter().find(|prefix| prefix.downcast::<Str>().is_none()) {
        let name = vm.type_name(other);
        return Err(vm.type_error(format!("Found non-str '{name}' in skip_file_prefixes.")));
    }
    if !skip.is_empty() {
        level = level.max(2);
    }
    warn_from(vm, message, category, level, source, &skip)?;
    Ok(Value::NONE)
}

fn warn_explicit(vm: &Interpreter, args: &Args) -> Res {
    let line = vm.expect_i64(args.req(3))?;
    let filename = args.req(2);
    if filename.downcast::<Str>().is_none() {
        let name = vm.type_name(filename);
        return Err(vm.type_error(format!("warn_explicit() argument 'filename' must be str, not {name}")));
    }
    let module = match args.some(4) {
        Some(module) => module.clone(),
        None => module_of_file(vm, filename)?,
    };
    if let Some(globals) = args.some(6)
        && globals.downcast::<Dict>().is_none()
    {
        let name = vm.type_name(globals);
        return Err(vm.type_error(format!("module_globals must be a dict, not '{name}'")));
    }
    let registry = checked_registry(vm, args.some(5).unwrap_or(&Value::NONE))?;
    let category = checked_category(vm, args.req(0), Some(args.req(1)))?;
    let (message, text, category) = message_and_text(vm, args.req(0), category)?;
    let source = args.some(7).cloned();
    let warning = Warning { category, message, text, filename: filename.clone(), line, module, source };
    explicit(vm, warning, registry)?;
    Ok(Value::NONE)
}

fn filters_mutated(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if !state.lock.is_mine(vm) {
        return Err(vm.runtime_error("warnings lock is not held".to_string()));
    }
    state.version.set(state.version.get().wrapping_add(1));
    Ok(Value::NONE)
}

fn acquire_lock(vm: &Interpreter) -> Res {
    vm.state::<State>().lock.acquire(vm, None)?;
    Ok(Value::NONE)
}

fn release_lock(vm: &Interpreter) -> Res {
    if vm.state::<State>().lock.release(vm) {
        return Ok(Value::NONE);
    }
    Err(vm.runtime_error("cannot release un-acquired lock".to_string()))
}

/// The context variable of `-X context_aware_warnings`; nobody asks for it otherwise.
fn context_variable(vm: &Interpreter) -> Res {
    if vm.state::<crate::sys::Startup>().with(|config| config.flags.context_aware_warnings) == 0 {
        return Ok(Value::NONE);
    }
    let class = vm.get_attr_str(&vm.import("_contextvars")?, "ContextVar")?;
    vm.call_values(&class, &[vm.new_str("warnings_context")?])
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_warnings",
    doc: "Basic warnings filtering support.",
    functions: &[
        FunctionDef::new(
            "warn",
            "(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())",
            "Issue a warning, or maybe ignore it or raise an exception.",
            NativeFn::Args(warn),
        ),
        FunctionDef::new(
            "warn_explicit",
            "(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)",
            "Issue a warning, or maybe ignore it or raise an exception.",
            NativeFn::Args(warn_explicit),
        ),
        FunctionDef::new(
            "_filters_mutated_lock_held",
            "()",
            "Registries are stale now.",
            NativeFn::F0(filters_mutated),
        ),
        FunctionDef::new("_acquire_lock", "()", "Take the lock of the filters.", NativeFn::F0(acquire_lock)),
        FunctionDef::new(
            "_release_lock",
            "()",
            "Give the lock of the filters back.",
            NativeFn::F0(release_lock),
        ),
    ],
    types: &[],
    constants: &[
        constant("filters", filters),
        constant("_onceregistry", once_registry),
        constant("_defaultaction", default_action),
        constant("_warnings_context", context_variable),
    ],
    init: None,
};

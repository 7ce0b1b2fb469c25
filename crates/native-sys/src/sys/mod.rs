//! `sys`: the interpreter as Python code sees it.
//!
//! What speaks of frames and of exceptions being handled (`_getframe`, `settrace`, `exc_info`, ...) is added by the
//! interpreter loop's crate; the rest stands here. [`Startup`] holds what the runtime fills in before.

mod config;
pub mod hooks;
pub mod info;
mod stdlib_names;

pub use config::{Config, Flags, Startup};
pub use hooks::report_unraisable;

use info::STR_DIGITS_THRESHOLD;
use pellucid_object::interpreter::AsyncgenHooks;
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Str, Tuple, Type, Value,
    constant,
};
use std::cell::{Cell, RefCell};

/// Names of the modules that are compiled in, for `sys.builtin_module_names`; the runtime fills it.
#[derive(Default)]
pub struct BuiltinNames(pub RefCell<Vec<&'static str>>);

/// State that only `sys` functions read.
#[derive(Default)]
struct State {
    dlopen_flags: Cell<Option<i64>>,
    finalizing: Cell<bool>,
}

/// Says that the interpreter has begun to end (`sys.is_finalizing`).
pub fn set_finalizing(vm: &Interpreter) {
    vm.state::<State>().finalizing.set(true);
}

/// Whether the interpreter has begun to end.
pub fn is_finalizing(vm: &Interpreter) -> bool {
    vm.state::<State>().finalizing.get()
}

fn exit(vm: &Interpreter, args: &Args) -> Res {
    let ty = vm.exceptions().system_exit().clone();
    let values = match args.some(0) {
        None => Vec::new(),
        Some(status) => match status.downcast::<Tuple>() {
            Some(tuple) => tuple.items(),
            None => vec![status.clone()],
        },
    };
    Err(vm.raise_with(&ty, values))
}

/// What `sys.getrefcount` says of values that live in the word, which nobody counts.
const UNCOUNTED: i64 = 3 << 30;

fn getrefcount(vm: &Interpreter, value: &Value) -> Res {
    match value.refcount() {
        Some(count) => vm.new_int(i64::from(count)),
        None => vm.new_int(UNCOUNTED),
    }
}

fn getsizeof(vm: &Interpreter, args: &Args) -> Res {
    let (object, default) = (args.req(0), args.get(1));
    let asked = match vm.lookup_special(object, "__sizeof__")? {
        Some(method) => vm.call_descriptor(&method, object, &[]).and_then(|size| vm.expect_i64(&size)),
        None => {
            let name = vm.type_name(object);
            Err(vm.type_error(format!("Type {name} doesn't define __sizeof__")))
        }
    };
    match (asked, default) {
        (Ok(size), _) if size < 0 => Err(vm.value_error("__sizeof__() should return >= 0".to_string())),
        (Ok(size), _) => vm.new_int(size),
        (Err(raised), Some(default)) if vm.raised_is(vm.exceptions().type_error()) => {
            drop(vm.take_raised(raised));
            Ok(default.clone())
        }
        (Err(raised), _) => Err(raised),
    }
}

fn getallocatedblocks(vm: &Interpreter) -> Res {
    vm.new_int(vm.heap.allocated_blocks() as i64)
}

fn intern(vm: &Interpreter, text: &Value) -> Res {
    if vm.is_exact(text, &vm.types().str) {
        return vm.intern_value(text);
    }
    let name = vm.type_name(text);
    if text.downcast::<Str>().is_some() {
        return Err(vm.type_error(format!("can't intern {name}")));
    }
    Err(vm.type_error(format!("intern() argument must be str, not {name}")))
}

fn is_interned(vm: &Interpreter, text: &Value) -> Res {
    match text.downcast::<Str>() {
        Some(s) => Ok(Value::bool(s.interned.get())),
        None => {
            let name = vm.type_name(text);
            Err(vm.type_error(format!("_is_interned() argument must be str, not {name}")))
        }
    }
}

fn clear_type_descriptors(vm: &Interpreter, class: &Value) -> Res {
    let Some(ty) = class.downcast_ref::<Type>() else {
        let name = vm.type_name(class);
        return Err(vm.type_error(format!("_clear_type_descriptors() argument must be type, not {name}")));
    };
    if !ty.flags.get().contains(pellucid_object::TypeFlags::MUTABLE) {
        return Err(vm.type_error("argument is immutable".to_string()));
    }
    if let Some(namespace) = ty.namespace() {
        for name in ["__dict__", "__weakref__"] {
            namespace.remove(vm, &vm.intern(name)?)?;
        }
    }
    ty.modified();
    Ok(Value::NONE)
}

fn is_immortal(_: &Interpreter, value: &Value) -> Res {
    Ok(Value::bool(value.refcount().is_none()))
}

/// An argument as `int` of 32 bits. Errors: `TypeError`, `OverflowError`.
pub fn c_int(vm: &Interpreter, value: &Value) -> Res<i32> {
    let index = vm.index(value)?;
    vm.as_i64(&index).and_then(|i| i32::try_from(i).ok()).ok_or_else(|| {
        let text = if index.as_int().is_some_and(|i| is_negative(&i)) {
            "less than minimum"
        } else {
            "greater than maximum"
        };
        vm.overflow_error(match vm.as_i64(&index) {
            Some(_) => format!("signed integer is {text}"),
            None => "Python int too large to convert to C int".to_string(),
        })
    })
}

fn is_negative(int: &pellucid_object::int::IntRef) -> bool {
    match int {
        pellucid_object::int::IntRef::Small(i) => *i < 0,
        pellucid_object::int::IntRef::Big(big) => **big < pellucid_object::int::IBig::ZERO,
    }
}

fn setrecursionlimit(vm: &Interpreter, limit: &Value) -> Res {
    let limit = c_int(vm, limit)?;
    let Ok(limit @ 1..) = usize::try_from(limit) else {
        return Err(vm.value_error("recursion limit must be greater or equal than 1".to_string()));
    };
    let depth = frame_depth(vm)?;
    if depth >= limit {
        return Err(vm.recursion_error(format!(
            "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
        )));
    }
    vm.recursion_limit.set(limit);
    Ok(Value::NONE)
}

/// How many Python frames there are, as far as anybody knows.
fn frame_depth(vm: &Interpreter) -> Res<usize> {
    let Some(frame) = vm.hooks.frame.get() else { return Ok(0) };
    let mut depth = 0;
    while frame(vm, depth)?.is_some() {
        depth += 1;
    }
    Ok(depth)
}

fn set_int_max_str_digits(vm: &Interpreter, digits: &Value) -> Res {
    let digits = i64::from(c_int(vm, digits)?);
    match usize::try_from(digits) {
        Ok(limit) if digits == 0 || digits >= STR_DIGITS_THRESHOLD => {
            vm.int_max_str_digits.set(limit);
            Ok(Value::NONE)
        }
        _ => Err(vm.value_error(format!("maxdigits must be >= {STR_DIGITS_THRESHOLD} or 0 for unlimited"))),
    }
}

fn call_tracing(vm: &Interpreter, function: &Value, args: &Value) -> Res {
    match args.downcast::<Tuple>() {
        Some(tuple) => vm.call_values(function, &tuple.items()),
        None => {
            let name = vm.type_name(args);
            Err(vm.type_error(format!("call_tracing() argument 2 must be tuple, not {name}")))
        }
    }
}

fn set_asyncgen_hooks(vm: &Interpreter, args: &Args) -> Res {
    let check = |value: Option<&Value>, what: &str| -> Res<()> {
        match value {
            Some(value) if !value.is_none() && vm.type_of(value).slots.call.get().is_none() => {
                let name = vm.type_name(value);
                Err(vm.type_error(format!("callable {what} expected, got {name}")))
            }
            _ => Ok(()),
        }
    };
    check(args.get(1), "finalizer")?;
    check(args.get(0), "firstiter")?;
    let hooks = vm.thread_state::<AsyncgenHooks>();
    for (index, event, word) in [
        (1, "sys.set_asyncgen_hooks_finalizer", &hooks.finalizer),
        (0, "sys.set_asyncgen_hooks_firstiter", &hooks.firstiter),
    ] {
        if let Some(value) = args.get(index) {
            vm.audit(event, &[])?;
            word.set(Some(value.clone()).filter(|v| !v.is_none()));
        }
    }
    Ok(Value::NONE)
}

static ASYNCGEN_HOOKS: pellucid_types::structseq::StructSeqDef = pellucid_types::structseq::StructSeqDef {
    ty: pellucid_types::structseq::constructible(
        "asyncgen_hooks",
        "sys",
        "asyncgen_hooks\n\nStruct sequence providing information about asynchronous\ngenerators hooks.  The attributes are read only.",
    ),
    fields: &[
        ("firstiter", "Hook to intercept first iteration"),
        ("finalizer", "Hook to intercept finalization"),
    ],
    visible: 2,
};

fn get_asyncgen_hooks(vm: &Interpreter) -> Res {
    let hooks = vm.thread_state::<AsyncgenHooks>();
    let word = |word: &pellucid_object::SlotWord| word.get().unwrap_or(Value::NONE);
    let values = vec![word(&hooks.firstiter), word(&hooks.finalizer)];
    pellucid_types::structseq::new_structseq(vm, &ASYNCGEN_HOOKS, values)
}

fn current_frames(vm: &Interpreter) -> Res {
    vm.audit("sys._current_frames", &[])?;
    let frames = vm.new_dict()?;
    for (ident, frame) in vm.frames_of_threads()? {
        frames.set(vm, vm.new_int(ident as i64)?, frame)?;
    }
    Ok(frames.into_value())
}

fn set_coroutine_origin_tracking_depth(vm: &Interpreter, args: &Args) -> Res {
    match usize::try_from(c_int(vm, args.req(0))?) {
        Ok(depth) => {
            vm.coroutine_origin_depth.set(depth);
            Ok(Value::NONE)
        }
        Err(_) => Err(vm.value_error("depth must be >= 0".to_string())),
    }
}

fn getframemodulename(vm: &Interpreter, args: &Args) -> Res {
    let depth = args.int_or(vm, 0, 0)?.max(0) as usize;
    vm.audit("sys._getframemodulename", &[vm.new_int(depth as i64)?])?;
    let Some(frame) = vm.hooks.frame.get() else { return Ok(Value::NONE) };
    let Some(frame) = frame(vm, depth)? else { return Ok(Value::NONE) };
    let globals = vm.get_attr_str(&frame, "f_globals")?;
    match globals.downcast::<Dict>() {
        Some(globals) => Ok(globals.get_str(vm, &vm.intern_static("__name__")?)?.unwrap_or(Value::NONE)),
        None => Ok(Value::NONE),
    }
}

fn setdlopenflags(vm: &Interpreter, flags: &Value) -> Res {
    let flags = c_int(vm, flags)?;
    vm.state::<State>().dlopen_flags.set(Some(i64::from(flags)));
    Ok(Value::NONE)
}

fn getdlopenflags(vm: &Interpreter) -> Res {
    let now = i64::from(pellucid_host::libc::RTLD_NOW);
    vm.new_int(vm.state::<State>().dlopen_flags.get().unwrap_or(now))
}

fn debugmallocstats(vm: &Interpreter) -> Res {
    if let Some(file) = hooks::stream(vm, "stderr")? {
        let blocks = vm.heap.allocated_blocks();
        hooks::write(vm, &file, &format!("{blocks} blocks are allocated\n"))?;
    }
    Ok(Value::NONE)
}

fn getswitchinterval(vm: &Interpreter) -> Res {
    vm.new_float(vm.gil().switch_interval().as_secs_f64())
}

fn setswitchinterval(vm: &Interpreter, seconds: &Value) -> Res {
    let seconds = crate::time::seconds_as_f64(vm, seconds)?;
    if seconds <= 0.0 || !seconds.is_finite() || seconds > 1e9 {
        return Err(vm.value_error("switch interval must be strictly positive".to_string()));
    }
    vm.gil().set_switch_interval(std::time::Duration::from_secs_f64(seconds));
    Ok(Value::NONE)
}

fn cpu_count_config(vm: &Interpreter) -> Res {
    let count = vm.state::<Startup>().with(|config| config.cpu_count);
    vm.new_int(count.map_or(-1, |count| count as i64))
}

/// A `types.SimpleNamespace` with these attributes.
pub(crate) fn new_namespace(vm: &Interpreter, attributes: &Dict) -> Res {
    let (names, values): (Vec<Value>, Vec<Value>) = attributes.pairs().into_iter().unzip();
    let ty = vm.type_for(&pellucid_types::namespace::SIMPLE_NAMESPACE)?;
    vm.call(ty.value(), &CallArgs { values: &values, names: &names })
}

fn names_tuple<'a>(vm: &Interpreter, names: impl IntoIterator<Item = &'a str>) -> Res {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let values: Res<Vec<Value>> = names.into_iter().map(|name| vm.new_str(name)).collect();
    vm.new_tuple(values?)
}

const COPYRIGHT: &str = "Copyright (c) the Pellucid developers.";

/// Fills in what depends on the start-up configuration and on other parts of the interpreter.
fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    for (name, value) in info::startup_attributes(vm)? {
        vm.set_attr_str(module, name, value)?;
    }
    let modules = match vm.modules.get() {
        Some(modules) => modules,
        None => {
            let fresh = vm.new_dict()?.into_value();
            vm.modules.set(Some(fresh.clone()));
            fresh
        }
    };
    vm.set_attr_str(module, "modules", modules)?;
    for name in ["meta_path", "path_hooks"] {
        vm.set_attr_str(module, name, vm.new_list(Vec::new())?)?;
    }
    vm.set_attr_str(module, "path_importer_cache", vm.new_dict()?.into_value())?;
    let implementation = new_namespace(vm, &*info::implementation_fields(vm)?)?;
    vm.set_attr_str(module, "implementation", implementation)?;
    let names = vm.state::<BuiltinNames>().0.borrow().clone();
    vm.set_attr_str(module, "builtin_module_names", names_tuple(vm, names)?)?;
    let stdlib: Res<Vec<Value>> =
        stdlib_names::NAMES.split_ascii_whitespace().map(|name| vm.new_str(name)).collect();
    vm.set_attr_str(module, "stdlib_module_names", vm.new_frozenset(stdlib?)?)?;
    for name in ["displayhook", "excepthook", "unraisablehook", "breakpointhook"] {
        let hook = vm.get_attr_str(module, name)?;
        vm.set_attr_str(module, &format!("__{name}__"), hook)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "sys",
    doc: "Objects that the interpreter uses or maintains, and functions that work closely with it.",
    functions: &[
        FunctionDef::new(
            "exit",
            "(status=None, /)",
            "Exit the interpreter by raising SystemExit(status).",
            NativeFn::Args(exit),
        ),
        FunctionDef::new(
            "getrefcount",
            "(object, /)",
            "Number of references to the object.",
            NativeFn::F1(getrefcount),
        ),
        FunctionDef::new(
            "getsizeof",
            "(object, default=None)",
            "Size of the object in bytes; the default when it does not say.",
            NativeFn::Args(getsizeof),
        ),
        FunctionDef::new(
            "getallocatedblocks",
            "()",
            "Number of blocks of memory in use.",
            NativeFn::F0(getallocatedblocks),
        ),
        FunctionDef::new(
            "getunicodeinternedsize",
            "(*, _only_immortal=False)",
            "Number of interned strings.",
            NativeFn::Args(|vm, _| vm.new_int(vm.interned_count() as i64)),
        ),
        FunctionDef::new(
            "_debugmallocstats",
            "()",
            "Print what the allocator knows of itself to stderr.",
            NativeFn::F0(debugmallocstats),
        ),
        FunctionDef::new(
            "intern",
            "(string, /)",
            "The one string object with this text.",
            NativeFn::F1(intern),
        ),
        FunctionDef::new(
            "_is_interned",
            "(string, /)",
            "Whether the string is interned.",
            NativeFn::F1(is_interned),
        ),
        FunctionDef::new(
            "_clear_type_descriptors",
            "(type, /)",
            "Remove the descriptors __dict__ and __weakref__ from a class.",
            NativeFn::F1(clear_type_descriptors),
        ),
        FunctionDef::new(
            "_is_immortal",
            "(op, /)",
            "Whether nobody counts its references.",
            NativeFn::F1(is_immortal),
        ),
        FunctionDef::new(
            "getdefaultencoding",
            "()",
            "Return the current default encoding used by the Unicode implementation.",
            NativeFn::F0(|vm| vm.new_str("utf-8")),
        ),
        FunctionDef::new(
            "getfilesystemencoding",
            "()",
            "Return the encoding used to convert Unicode filenames to OS filenames.",
            NativeFn::F0(|vm| vm.new_str("utf-8")),
        ),
        FunctionDef::new(
            "getfilesystemencodeerrors",
            "()",
            "Return the error mode used for Unicode to OS filename conversion.",
            NativeFn::F0(|vm| vm.new_str("surrogateescape")),
        ),
        FunctionDef::new(
            "getrecursionlimit",
            "()",
            "Return the current value of the recursion limit.",
            NativeFn::F0(|vm| vm.new_int(vm.recursion_limit.get() as i64)),
        ),
        FunctionDef::new(
            "setrecursionlimit",
            "(limit, /)",
            "Set the maximum depth of Python calls.",
            NativeFn::F1(setrecursionlimit),
        ),
        FunctionDef::new(
            "get_int_max_str_digits",
            "()",
            "Return the maximum string digits limit for non-binary int<->str conversions.",
            NativeFn::F0(|vm| vm.new_int(vm.int_max_str_digits.get() as i64)),
        ),
        FunctionDef::new(
            "set_int_max_str_digits",
            "(maxdigits)",
            "Set the maximum string digits limit for non-binary int<->str conversions.",
            NativeFn::F1(set_int_max_str_digits),
        ),
        FunctionDef::new(
            "displayhook",
            "(object, /)",
            "Print an object to sys.stdout and also save it in builtins._",
            NativeFn::F1(hooks::displayhook),
        ),
        FunctionDef::new(
            "excepthook",
            "(exctype, value, traceback, /)",
            "Handle an exception by displaying it with a traceback on sys.stderr.",
            NativeFn::Args(hooks::excepthook),
        ),
        FunctionDef::new(
            "unraisablehook",
            "(unraisable, /)",
            "Handle an unraisable exception.",
            NativeFn::F1(hooks::unraisablehook),
        ),
        FunctionDef::new(
            "breakpointhook",
            "(*args, **kwargs)",
            "This hook function is called by built-in breakpoint().",
            NativeFn::Raw(hooks::breakpointhook),
        ),
        FunctionDef::new(
            "audit",
            "(event, /, *args)",
            "Passes the event to any hooks that are attached.",
            NativeFn::Raw(hooks::audit),
        ),
        FunctionDef::new(
            "addaudithook",
            "(hook)",
            "Adds a new audit hook callback.",
            NativeFn::F1(hooks::addaudithook),
        ),
        FunctionDef::new(
            "call_tracing",
            "(func, args, /)",
            "Call func(*args), while tracing is enabled.",
            NativeFn::F2(call_tracing),
        ),
        FunctionDef::new(
            "is_finalizing",
            "()",
            "Return True if Python is exiting.",
            NativeFn::F0(|vm| Ok(Value::bool(is_finalizing(vm)))),
        ),
        FunctionDef::new(
            "set_asyncgen_hooks",
            "(firstiter=None, finalizer=None)",
            "Set a finalizer for async generators objects.",
            NativeFn::Args(set_asyncgen_hooks),
        ),
        FunctionDef::new(
            "get_asyncgen_hooks",
            "()",
            "Return the installed asynchronous generators hooks.",
            NativeFn::F0(get_asyncgen_hooks),
        ),
        FunctionDef::new(
            "set_coroutine_origin_tracking_depth",
            "(depth)",
            "Enable or disable origin tracking for coroutine objects in this thread.",
            NativeFn::Args(set_coroutine_origin_tracking_depth),
        ),
        FunctionDef::new(
            "get_coroutine_origin_tracking_depth",
            "()",
            "Check status of origin tracking for coroutine objects in this thread.",
            NativeFn::F0(|vm| vm.new_int(vm.coroutine_origin_depth.get() as i64)),
        ),
        FunctionDef::new(
            "_current_frames",
            "()",
            "Return a dict mapping each thread's thread id to its current stack frame.",
            NativeFn::F0(current_frames),
        ),
        FunctionDef::new(
            "_getframemodulename",
            "(depth=0)",
            "Return the name of the module for a calling frame.",
            NativeFn::Args(getframemodulename),
        ),
        FunctionDef::new(
            "_clear_type_cache",
            "()",
            "Forget remembered look-ups of methods.",
            NativeFn::F0(|vm| {
                vm.clear_method_cache();
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "_clear_internal_caches",
            "()",
            "Clear all internal performance-related caches.",
            NativeFn::F0(|vm| {
                vm.clear_method_cache();
                Ok(Value::NONE)
            }),
        ),
        FunctionDef::new(
            "setdlopenflags",
            "(flags, /)",
            "Set the flags used by the interpreter for dlopen calls.",
            NativeFn::F1(setdlopenflags),
        ),
        FunctionDef::new(
            "getdlopenflags",
            "()",
            "Return the current value of the flags that are used for dlopen calls.",
            NativeFn::F0(getdlopenflags),
        ),
        FunctionDef::new(
            "getswitchinterval",
            "()",
            "Return the current thread switch interval; see sys.setswitchinterval().",
            NativeFn::F0(getswitchinterval),
        ),
        FunctionDef::new(
            "setswitchinterval",
            "(interval, /)",
            "Set the ideal thread switching delay inside the Python interpreter.",
            NativeFn::F1(setswitchinterval),
        ),
        FunctionDef::new(
            "_is_gil_enabled",
            "()",
            "Return True if the GIL is currently enabled.",
            NativeFn::F0(|_| Ok(Value::TRUE)),
        ),
        FunctionDef::new(
            "_get_cpu_count_config",
            "()",
            "Number of processors that the command line says there are, or -1.",
            NativeFn::F0(cpu_count_config),
        ),
        FunctionDef::new(
            "is_remote_debug_enabled",
            "()",
            "Return True if remote debugging is enabled, False otherwise.",
            NativeFn::F0(|_| Ok(Value::FALSE)),
        ),
        FunctionDef::new(
            "is_stack_trampoline_active",
            "()",
            "Return *True* if a stack profiler trampoline is active.",
            NativeFn::F0(|_| Ok(Value::FALSE)),
        ),
        FunctionDef::new(
            "deactivate_stack_trampoline",
            "()",
            "Deactivate the current stack profiler trampoline backend.",
            NativeFn::F0(|_| Ok(Value::NONE)),
        ),
    ],
    types: &[],
    constants: &[
        constant("version", |vm| vm.new_str(&info::version())),
        constant("version_info", info::version_info),
        constant("hexversion", |vm| vm.new_int(info::HEXVERSION)),
        constant("api_version", |vm| vm.new_int(1013)),
        constant("copyright", |vm| vm.new_str(COPYRIGHT)),
        constant("float_info", info::float_info),
        constant("int_info", info::int_info),
        constant("hash_info", info::hash_info),
        constant("thread_info", info::thread_info),
        constant("float_repr_style", |vm| vm.new_str("short")),
        constant("maxsize", |vm| vm.new_int(i64::MAX)),
        constant("maxunicode", |vm| vm.new_int(0x10_ffff)),
        constant("byteorder", |vm| vm.new_str(if cfg!(target_endian = "big") { "big" } else { "little" })),
        constant("platform", |vm| vm.new_str(if cfg!(target_os = "macos") { "darwin" } else { "linux" })),
        constant("platlibdir", |vm| vm.new_str("lib")),
        constant("abiflags", |vm| vm.new_str("")),
        constant("_framework", |vm| vm.new_str("")),
        constant("_home", |_| Ok(Value::NONE)),
        constant("_git", |vm| vm.new_tuple(vec![vm.new_str("Pellucid")?, vm.new_str("")?, vm.new_str("")?])),
    ],
    init: Some(init),
};

/// `sys.breakpointhook` and its like are called by others too.
pub fn call_breakpoint(vm: &Interpreter, args: &CallArgs) -> Res {
    match hooks::sys_attribute(vm, "breakpointhook")? {
        Some(hook) => vm.call(&hook, args),
        None => Err(vm.runtime_error("lost sys.breakpointhook".to_string())),
    }
}

//! Making an interpreter, and ending it.

use crate::config::Config;
use crate::import::{self, ImportState};
use crate::paths::{self, Paths};
use crate::{errors, imp, shutdown, stdio};
use pellucid_memory::Stress;
use pellucid_native_sys::sys;
use pellucid_object::interpreter::HashKey;
use pellucid_object::{Dict, Interpreter, Raised, Ref, Res, Value};
use std::ops::Deref;
use std::rc::Rc;

/// Native code may nest as deep as [`NATIVE_DEPTH`] allows: what that takes at most is reserved, not used.
const STACK: usize = 512 << 20;

/// Deepest nesting of native calls before `RecursionError`.
const NATIVE_DEPTH: usize = 8000;

/// Runs the function in a thread whose stack is large enough for the deepest native recursion that is allowed.
/// Interpreters should be used in such a thread. The calling thread waits and takes no signals meanwhile, so that they interrupt
/// the system calls of the other one.
pub fn on_big_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("main".into()).stack_size(STACK);
        match builder.spawn_scoped(scope, f) {
            Ok(thread) => {
                let signals = pellucid_host::leave_signals_to_others();
                let ended = thread.join();
                drop(signals);
                match ended {
                    Ok(value) => value,
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Err(error) => panic!("cannot start a thread with a large stack: {error}"),
        }
    })
}

/// Owns the interpreter. When a bug of ours panics, frames and objects may be in any state: nothing of it is touched again.
struct Owner(Option<Box<Interpreter>>);

impl Deref for Owner {
    type Target = Interpreter;
    fn deref(&self) -> &Interpreter {
        match &self.0 {
            Some(vm) => vm,
            None => unreachable!("only the owner's end takes it out"),
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.0.take());
        }
    }
}

/// A running interpreter with everything that belongs to one.
pub struct Pellucid {
    config: Config,
    main: Value,
    builtins: Value,
    // The last field: it is dropped after the objects that it made.
    vm: Owner,
}

impl Pellucid {
    /// Starts an interpreter. Errors: why it could not start.
    pub fn start(config: Config) -> Result<Pellucid, String> {
        let key = hash_key(&config);
        let stress = stress(&config)?;
        // Collecting at each chance begins when the program does.
        let starting = Stress { collect_every: false, ..stress };
        let vm = Owner(Some(Interpreter::with_hash_key(key, starting).ok_or("not enough memory")?));
        vm.native_limit.set(NATIVE_DEPTH);
        vm.int_max_str_digits.set(config.flags.int_max_str_digits);
        vm.dev_mode.set(config.flags.dev_mode);
        if !vm.set_host(config.host.clone()) {
            return Err("the interpreter has a host already".to_string());
        }
        match assemble(&vm, &config) {
            Ok((main, builtins)) => {
                if let Some(options) = config.jit {
                    pellucid_jit::install(&vm, options);
                }
                vm.heap.set_stress(stress);
                vm.heap.set_limit(config.memory_limit.or_else(|| room_in_process(&vm)));
                Ok(Pellucid { config, main, builtins, vm })
            }
            Err(raised) => {
                let exception = vm.take_raised(raised);
                let text = vm.str(&exception).map_or_else(
                    |raised| {
                        drop(vm.take_raised(raised));
                        String::new()
                    },
                    |text| vm.str_lossy(&text),
                );
                Err(format!("{}: {text}", vm.type_name(&exception)))
            }
        }
    }

    /// The interpreter.
    pub fn vm(&self) -> &Interpreter {
        self.vm.heap.meter().enter();
        &self.vm
    }

    /// What it was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The module `__main__`.
    pub fn main(&self) -> &Value {
        &self.main
    }

    /// Shows an exception that nobody caught and gives the exit code.
    pub fn uncaught(&self, raised: Raised) -> i32 {
        errors::uncaught(&self.vm, raised)
    }

    /// Shows an exception as `sys.excepthook` does.
    pub fn report(&self, exception: &Value) {
        errors::report(&self.vm, exception);
    }

    /// Writes to `sys.stderr`.
    pub fn complain(&self, text: &str) {
        stdio::print(&self.vm, "stderr", text);
    }

    /// Ends the interpreter: waits for threads, runs `atexit` functions, lets modules go in order. Gives the exit code
    /// for a program that ended with `status`.
    pub fn end(self, status: i32) -> i32 {
        let (vm, status) = self.wind_up(status);
        drop(vm);
        status
    }

    /// As [`Pellucid::end`], for the last thing that a process does: its memory is left to the system, unless this is a debug
    /// build, which shows that it can be given back.
    pub fn end_with_process(self, status: i32) -> i32 {
        let (vm, status) = self.wind_up(status);
        if cfg!(debug_assertions) {
            drop(vm);
        } else {
            std::mem::forget(vm);
        }
        status
    }

    fn wind_up(self, status: i32) -> (Owner, i32) {
        let Pellucid { vm, config, main, builtins } = self;
        let flushed = shutdown::before(&vm);
        if cfg!(debug_assertions) && config.x_option("stress").is_some() {
            let wrong = vm.wrong_counts();
            assert!(wrong.is_empty(), "more references than counted (type, counted, found): {wrong:?}");
        }
        drop(main);
        if let Err(raised) = shutdown::modules(&vm, &builtins) {
            drop(vm.take_raised(raised));
        }
        if shutdown::flush(&vm).is_err() {
            drop(vm.save_raised());
        }
        if let Err(raised) = shutdown::last(&vm, &builtins) {
            drop(vm.take_raised(raised));
        }
        drop(builtins);
        (vm, if status == 0 { flushed } else { status })
    }
}

/// The modes that `-X stress=collect,no-pools` asks for.
fn stress(config: &Config) -> Result<Stress, String> {
    let mut stress = Stress::default();
    for mode in config.x_option("stress").into_iter().flat_map(|modes| modes.split(',')) {
        match mode {
            _ if !cfg!(debug_assertions) => return Err("-X stress: only debug builds have it".to_string()),
            "collect" => stress.collect_every = true,
            "no-pools" => stress.bypass_pools = true,
            _ => return Err(format!("-X stress: collect or no-pools is expected, not '{mode}'")),
        }
    }
    Ok(stress)
}

/// What the interpreter may take where the process as a whole is limited: reaching the limit of the process is
/// harder to bear than reaching one's own.
fn room_in_process(vm: &Interpreter) -> Option<usize> {
    /// For what is not the interpreter's.
    const MARGIN: usize = 64 << 20;
    let left = pellucid_host::address_space_left()?;
    Some(vm.heap.used().saturating_add(left).saturating_sub(MARGIN))
}

fn hash_key(config: &Config) -> HashKey {
    if let Some(seed) = config.hash_seed {
        return HashKey::from_seed(seed);
    }
    let mut bytes = [0; 16];
    match config.host.random(&mut bytes) {
        Ok(()) => HashKey::from_bytes(bytes),
        // Not granted: hashes are the same in every run then.
        Err(_) => HashKey::default(),
    }
}

/// Puts the parts together; gives `__main__` and `builtins`.
fn assemble(vm: &Interpreter, config: &Config) -> Res<(Value, Value)> {
    pellucid_types::install(vm)?;
    pellucid_interp::install(vm)?;
    pellucid_native_lang::install(vm);
    pellucid_native_sys::install(vm);
    let paths = Paths::find(config);
    let state = vm.state::<ImportState>();
    state.library.replace(Rc::from(&*String::from_utf8_lossy(&paths.library)));
    state.timing.set(config.x_option("importtime").is_some());
    state.verbose.set(config.flags.verbose);
    state.optimize.set(config.flags.optimize);
    vm.state::<pellucid_native_lang::compile::Settings>().optimize.set(config.flags.optimize);
    vm.state::<imp::HashPolicy>().0.set(Some(vm.new_str(&config.check_hash_pycs)?));
    if config.flags.dev_mode {
        pellucid_types::codecs::registry::check_names(vm);
    }
    let modules = vm.new_dict()?;
    vm.modules.set(Some(modules.value().clone()));
    let builtins = pellucid_types::builtins::make_builtins(vm)?;
    pellucid_interp::add_builtins(vm, &builtins)?;
    let namespace = namespace(vm, &builtins)?;
    vm.builtins.set(Some(namespace.value().clone()));
    modules.set(vm, vm.intern_static("builtins")?, builtins.clone())?;
    import::install(vm, &namespace)?;
    namespace.set(vm, vm.intern_static("__debug__")?, Value::bool(config.flags.optimize == 0))?;
    let sys = make_sys(vm, config, &paths)?;
    vm.sys.set(Some(sys.clone()));
    stdio::install(vm, &sys, config)?;
    let main = vm.new_module("__main__")?;
    let main_namespace = self::namespace(vm, &main)?;
    main_namespace.remove(vm, &vm.intern_static("__loader__")?)?;
    main_namespace.set(vm, vm.intern_static("__builtins__")?, builtins.clone())?;
    modules.set(vm, vm.intern_static("__main__")?, main.clone())?;
    if let Some(frames) = config.allocation_frames {
        pellucid_interp::allocations::start(vm, frames.into());
    }
    if !config.flags.no_site {
        site(vm, config, &paths, &namespace)?;
    }
    if config.signals {
        pellucid_native_sys::signal::install(vm)?;
    }
    if wants_faulthandler(vm, config) {
        pellucid_native_os::faulthandler::enable_at_start(vm)?;
    }
    if !config.warn_options.is_empty() {
        import::import_absolute(vm, &vm.intern_static("warnings")?)?;
    }
    Ok((main, builtins))
}

fn wants_faulthandler(vm: &Interpreter, config: &Config) -> bool {
    let set = vm.host().getenv(b"PYTHONFAULTHANDLER").is_some_and(|value| !value.is_empty());
    config.x_option("faulthandler").is_some()
        || config.flags.dev_mode
        || set && !config.flags.ignore_environment
}

fn namespace(vm: &Interpreter, module: &Value) -> Res<Ref<Dict>> {
    vm.attrs_dict(module)?.ok_or_else(|| vm.system_error("a module without namespace".to_string()))
}

/// What `sys` is made from.
fn startup(config: &Config, paths: &Paths) -> sys::Config {
    let flags = &config.flags;
    sys::Config {
        flags: sys::Flags {
            debug: flags.debug.into(),
            inspect: flags.inspect.into(),
            interactive: flags.interactive.into(),
            optimize: flags.optimize.into(),
            dont_write_bytecode: flags.dont_write_bytecode.into(),
            no_user_site: flags.no_user_site.into(),
            no_site: flags.no_site.into(),
            ignore_environment: flags.ignore_environment.into(),
            verbose: flags.verbose.into(),
            bytes_warning: flags.bytes_warning.into(),
            quiet: flags.quiet.into(),
            hash_randomization: flags.hash_randomization.into(),
            isolated: flags.isolated.into(),
            dev_mode: flags.dev_mode,
            utf8_mode: flags.utf8_mode.into(),
            warn_default_encoding: flags.warn_default_encoding.into(),
            safe_path: flags.safe_path,
            int_max_str_digits: flags.int_max_str_digits as i64,
            ..sys::Flags::default()
        },
        argv: config.argv.clone(),
        orig_argv: config.orig_argv.clone(),
        executable: paths.executable.clone(),
        base_executable: paths.base_executable.clone(),
        prefix: paths.prefix.clone(),
        base_prefix: paths.base_prefix.clone(),
        path: config.search.iter().chain([&paths.library]).chain(&paths.site).cloned().collect(),
        stdlib_dir: Some(paths.library.clone()),
        pycache_prefix: config.pycache_prefix.clone(),
        warnoptions: config.warn_options.clone(),
        xoptions: config.x_options.clone(),
        unbuffered: config.unbuffered,
        cpu_count: config.x_option("cpu_count").and_then(|count| count.parse().ok()),
        ..sys::Config::default()
    }
}

/// Makes `sys`. What `importlib` fills in it comes when `importlib` does.
fn make_sys(vm: &Interpreter, config: &Config, paths: &Paths) -> Res {
    vm.state::<sys::Startup>().set(startup(config, paths));
    vm.state::<sys::BuiltinNames>().0.replace(crate::modules::all().map(|def| def.name).collect());
    let module = import::import_absolute(vm, &vm.intern_static("sys")?)?;
    pellucid_interp::add_sys(vm, &module)?;
    let namespace = namespace(vm, &module)?;
    for name in crate::importlib::LAZY_IN_SYS {
        namespace.remove(vm, &vm.intern(name)?)?;
    }
    namespace.set(vm, vm.intern_static("platlibdir")?, vm.new_str(&config.platlibdir)?)?;
    Ok(module)
}

/// What `site` does at the start: the helpers in `builtins`; all of it when folders have `.pth` files or customizing
/// modules.
fn site(vm: &Interpreter, config: &Config, paths: &Paths, builtins: &Ref<Dict>) -> Res<()> {
    if paths::needs_site(vm.host(), paths, &config.search) {
        let site = import::import_absolute(vm, &vm.intern_static("site")?)?;
        return vm.call_attr(&site, "main", &[]).map(drop);
    }
    let helpers = import::import_absolute(vm, &vm.intern_static("_sitebuiltins")?)?;
    let quitter = vm.get_attr_str(&helpers, "Quitter")?;
    let end = vm.new_str("Ctrl-D (i.e. EOF)")?;
    for name in ["quit", "exit"] {
        let value = vm.call_values(&quitter, &[vm.new_str(name)?, end.clone()])?;
        builtins.set(vm, vm.intern(name)?, value)?;
    }
    let printer = vm.get_attr_str(&helpers, "_Printer")?;
    const TEXTS: &[(&str, &str)] = &[
        (
            "copyright",
            "Pellucid's library is that of CPython.\nCopyright (c) 2001 Python Software Foundation.\nAll Rights Reserved.",
        ),
        ("credits", "Thanks to all who made Python and its library."),
        ("license", "See https://www.python.org/psf/license/"),
    ];
    for (name, text) in TEXTS {
        // Its own `__init__` imports `os` to look for files, of which there are none.
        let value = vm.call_attr(&printer, "__new__", std::slice::from_ref(&printer))?;
        vm.set_attr_str(&value, "_Printer__name", vm.new_str(name)?)?;
        vm.set_attr_str(&value, "_Printer__data", vm.new_str(text)?)?;
        vm.set_attr_str(&value, "_Printer__lines", Value::NONE)?;
        vm.set_attr_str(&value, "_Printer__filenames", vm.new_list(Vec::new())?)?;
        builtins.set(vm, vm.intern(name)?, value)?;
    }
    let helper = vm.call_attr(&helpers, "_Helper", &[])?;
    builtins.set(vm, vm.intern_static("help")?, helper)
}

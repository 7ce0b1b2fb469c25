//! What the tests with random input share: an interpreter with limits, in which nothing but Python exceptions may happen.

#![allow(dead_code)] // each test uses a part

use pellucid_runtime::{Config, Interpreter, Pellucid, Raised, Res, Value};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// How many cases to run: `PELLUCID_CASES`, or `few`, ten times as many in an optimised build.
pub fn cases(few: usize) -> usize {
    let usual = if cfg!(debug_assertions) { few } else { few * 10 };
    std::env::var("PELLUCID_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The first seed: `PELLUCID_SEED`, or the same in every run.
pub fn first_seed() -> u64 {
    std::env::var("PELLUCID_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Names the seed on the way out of a panic; with `PELLUCID_TRACE` set each one before it runs.
pub struct Seed(pub u64);

impl Seed {
    pub fn new(seed: u64) -> Seed {
        if std::env::var_os("PELLUCID_TRACE").is_some() {
            eprintln!("seed {seed}");
        }
        Seed(seed)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("PELLUCID_SEED={} PELLUCID_CASES=1 shows it again", self.0);
        }
    }
}

/// The programs of `tests/lang`, in the order of their names.
pub fn programs() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of cases").flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let cases = folders.map(|folder| folder.join("tests/lang")).find(|cases| cases.is_dir());
    collect(&cases.expect("the repository's cases"), &mut files);
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a readable case")).collect()
}

#[derive(Default)]
struct Budget {
    until: Cell<Option<Instant>>,
}

fn check_budget(vm: &Interpreter) -> Res<()> {
    let budget = vm.state::<Budget>();
    match budget.until.get() {
        Some(until) if Instant::now() > until => {
            let ty = vm.exceptions().keyboard_interrupt().clone();
            Err(vm.raise_text(&ty, "out of time"))
        }
        _ => Ok(()),
    }
}

/// An interpreter that is granted nothing, may use so much memory, and whose code is interrupted when its time is over.
pub struct Sandbox {
    pub pellucid: Option<Pellucid>,
    /// Milliseconds until code is interrupted.
    pub patience: Cell<u64>,
    stop: Arc<AtomicBool>,
    clock: Option<thread::JoinHandle<()>>,
}

impl Sandbox {
    pub fn new(memory: usize) -> Sandbox {
        let config = Config { memory_limit: Some(memory), hash_seed: Some(0), ..Config::default() };
        let pellucid = Pellucid::start(config).expect("an interpreter");
        pellucid.vm().add_poller(check_budget);
        let (stop, attention) = (Arc::new(AtomicBool::new(false)), pellucid.vm().attention.clone());
        let stopped = stop.clone();
        let clock = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
                attention.store(true, Ordering::SeqCst);
            }
        });
        Sandbox { pellucid: Some(pellucid), patience: Cell::new(300), stop, clock: Some(clock) }
    }

    pub fn pellucid(&self) -> &Pellucid {
        self.pellucid.as_ref().expect("running")
    }

    pub fn vm(&self) -> &Interpreter {
        self.pellucid().vm()
    }

    /// Runs `f`, interrupted after a while; what it raises is given back as an object.
    pub fn limited<T>(&self, f: impl FnOnce(&Interpreter) -> Res<T>) -> Result<T, Value> {
        let vm = self.vm();
        let budget = vm.state::<Budget>();
        budget.until.set(Some(Instant::now() + Duration::from_millis(self.patience.get())));
        let result = f(vm);
        budget.until.set(None);
        result.map_err(|raised| vm.take_raised(raised))
    }

    /// `module.function(arguments)`.
    pub fn call(&self, module: &str, function: &str, arguments: &[Value]) -> Result<Value, Value> {
        self.limited(|vm| {
            let module = vm.import(module)?;
            vm.call_attr(&module, function, arguments)
        })
    }

    /// Runs a code object or source in a namespace of its own.
    pub fn exec(&self, code: &Value) -> Result<Value, Value> {
        self.limited(|vm| {
            let builtins = vm.import("builtins")?;
            let namespace = vm.new_dict()?.into_value();
            let result = vm.call_attr(&builtins, "exec", &[code.clone(), namespace.clone()]);
            // Whatever the code left behind must be fit to die.
            vm.call_attr(&namespace, "clear", &[])?;
            result
        })
    }

    /// As [`Sandbox::limited`], for what ends by itself, however busy the machine is.
    fn patiently<T>(&self, f: impl FnOnce(&Interpreter) -> Res<T>) -> Result<T, Value> {
        let usual = self.patience.replace(60_000);
        let result = self.limited(f);
        self.patience.set(usual);
        result
    }

    pub fn compile(&self, source: &str) -> Result<Value, Value> {
        self.patiently(|vm| {
            let builtins = vm.import("builtins")?;
            let arguments = [vm.new_str(source)?, vm.new_str("<random>")?, vm.new_str("exec")?];
            vm.call_attr(&builtins, "compile", &arguments)
        })
    }

    /// A code object as bytes.
    pub fn dumps(&self, code: Value) -> Result<Value, Value> {
        self.patiently(|vm| {
            let module = vm.import("marshal")?;
            vm.call_attr(&module, "dumps", &[code])
        })
    }

    /// Bytes as an object.
    pub fn loads(&self, bytes: Value) -> Result<Value, Value> {
        self.patiently(|vm| {
            let module = vm.import("marshal")?;
            vm.call_attr(&module, "loads", &[bytes])
        })
    }

    /// A `SystemError` says that something happened that cannot.
    pub fn expect_no_bug(&self, result: &Result<Value, Value>) {
        if let Err(exception) = result {
            let vm = self.vm();
            if &*vm.type_name(exception) == "SystemError" {
                let text = vm.str(exception).map_or_else(|_| String::new(), |text| vm.str_lossy(&text));
                panic!("SystemError: {text}");
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(clock) = self.clock.take() {
            // It cannot panic.
            let _ = clock.join();
        }
        if let Some(pellucid) = self.pellucid.take() {
            pellucid.end(0);
        }
    }
}

/// Makes the value of an operation that cannot fail here.
pub fn sure(result: Res) -> Value {
    result.unwrap_or_else(|_: Raised| panic!("not enough memory"))
}

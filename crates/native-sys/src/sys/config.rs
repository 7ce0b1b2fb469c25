//! What an interpreter is started with: the command line, paths and flags that `sys` shows.

use std::cell::RefCell;

/// The values of `sys.flags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    pub debug: i64,
    pub inspect: i64,
    pub interactive: i64,
    pub optimize: i64,
    pub dont_write_bytecode: i64,
    pub no_user_site: i64,
    pub no_site: i64,
    pub ignore_environment: i64,
    pub verbose: i64,
    pub bytes_warning: i64,
    pub quiet: i64,
    pub hash_randomization: i64,
    pub isolated: i64,
    pub dev_mode: bool,
    pub utf8_mode: i64,
    pub warn_default_encoding: i64,
    pub safe_path: bool,
    pub int_max_str_digits: i64,
    pub thread_inherit_context: i64,
    pub context_aware_warnings: i64,
}

impl Default for Flags {
    fn default() -> Flags {
        Flags {
            debug: 0,
            inspect: 0,
            interactive: 0,
            optimize: 0,
            dont_write_bytecode: 0,
            no_user_site: 0,
            no_site: 0,
            ignore_environment: 0,
            verbose: 0,
            bytes_warning: 0,
            quiet: 0,
            hash_randomization: 1,
            isolated: 0,
            dev_mode: false,
            utf8_mode: 1,
            warn_default_encoding: 0,
            safe_path: false,
            int_max_str_digits: 4300,
            thread_inherit_context: 0,
            context_aware_warnings: 0,
        }
    }
}

/// What the runtime knows before the first line of Python runs. Strings of the system are bytes, as it has them.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub flags: Flags,
    pub argv: Vec<Vec<u8>>,
    /// The command line as it was.
    pub orig_argv: Vec<Vec<u8>>,
    pub executable: Vec<u8>,
    /// The program of the installation, which differs from `executable` in a virtual environment.
    pub base_executable: Vec<u8>,
    pub prefix: Vec<u8>,
    pub base_prefix: Vec<u8>,
    pub path: Vec<Vec<u8>>,
    /// Where the files of the standard library stand; `None`: in the program itself.
    pub stdlib_dir: Option<Vec<u8>>,
    pub pycache_prefix: Option<Vec<u8>>,
    /// Filters of `-W` and `PYTHONWARNINGS`.
    pub warnoptions: Vec<String>,
    /// Options of `-X`: the value is `None` when there was no `=`.
    pub xoptions: Vec<(String, Option<String>)>,
    /// Encoding and error handler of the standard streams (`PYTHONIOENCODING`).
    pub stdio_encoding: Option<(String, String)>,
    /// `-u`: the standard streams do not keep what is written.
    pub unbuffered: bool,
    /// `-X cpu_count`.
    pub cpu_count: Option<usize>,
}

/// The configuration of an interpreter, in its state: put there before `sys` is made.
#[derive(Default)]
pub struct Startup(RefCell<Config>);

impl Startup {
    pub fn set(&self, config: Config) {
        self.0.replace(config);
    }
    pub fn get(&self) -> Config {
        self.0.borrow().clone()
    }
    pub fn with<R>(&self, f: impl FnOnce(&Config) -> R) -> R {
        f(&self.0.borrow())
    }
}

//! What an interpreter is started with.

use pellucid_host::Host;
use std::sync::Arc;

/// The fields of `sys.flags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// `-d`.
    pub debug: u8,
    /// `-i`: go on interactively after the program.
    pub inspect: u8,
    /// Whether the program is typed in.
    pub interactive: u8,
    /// `-O`, twice `-OO`.
    pub optimize: u8,
    /// `-B`.
    pub dont_write_bytecode: bool,
    /// `-s`, or implied by `-I`.
    pub no_user_site: bool,
    /// `-S`.
    pub no_site: bool,
    /// `-E`, or implied by `-I`.
    pub ignore_environment: bool,
    /// `-v`, as often as it was given.
    pub verbose: u8,
    /// `-b`, twice `-bb`.
    pub bytes_warning: u8,
    /// `-q`.
    pub quiet: bool,
    /// Whether string hashes differ from run to run.
    pub hash_randomization: bool,
    /// `-I`.
    pub isolated: bool,
    /// `-X dev`.
    pub dev_mode: bool,
    /// `-X utf8`; on unless turned off.
    pub utf8_mode: u8,
    /// `-X warn_default_encoding`.
    pub warn_default_encoding: bool,
    /// `-P`, or implied by `-I`.
    pub safe_path: bool,
    /// `-X int_max_str_digits`.
    pub int_max_str_digits: usize,
}

impl Default for Flags {
    fn default() -> Flags {
        Flags {
            debug: 0,
            inspect: 0,
            interactive: 0,
            optimize: 0,
            dont_write_bytecode: false,
            no_user_site: false,
            no_site: false,
            ignore_environment: false,
            verbose: 0,
            bytes_warning: 0,
            quiet: false,
            hash_randomization: true,
            isolated: false,
            dev_mode: false,
            utf8_mode: 0,
            warn_default_encoding: false,
            safe_path: false,
            int_max_str_digits: 4300,
        }
    }
}

/// What an interpreter is started with. Strings of the system are bytes, as the system has them.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sys.argv`.
    pub argv: Vec<Vec<u8>>,
    /// `sys.orig_argv`.
    pub orig_argv: Vec<Vec<u8>>,
    /// `sys.executable`; found by asking the system when absent.
    pub executable: Option<Vec<u8>>,
    /// The entries of `PYTHONPATH`, or other folders to search before the library.
    pub search: Vec<Vec<u8>>,
    /// `sys.flags`.
    pub flags: Flags,
    /// `sys.warnoptions`: filters of `-W` and `PYTHONWARNINGS`, weakest first.
    pub warn_options: Vec<String>,
    /// `sys._xoptions`; an option without a value is true.
    pub x_options: Vec<(String, Option<String>)>,
    /// `-u`.
    pub unbuffered: bool,
    /// `PYTHONIOENCODING`.
    pub io_encoding: Option<String>,
    /// `sys.pycache_prefix`.
    pub pycache_prefix: Option<Vec<u8>>,
    /// `PYTHONPLATLIBDIR`.
    pub platlibdir: String,
    /// `--check-hash-based-pycs`.
    pub check_hash_pycs: String,
    /// Seed of string hashes; `None`: from the system's random numbers.
    pub hash_seed: Option<u32>,
    /// Frames that are recorded of each allocation (`tracemalloc`); `None`: nothing is recorded.
    pub allocation_frames: Option<u16>,
    /// The most bytes of memory the interpreter may take; `None`: no limit.
    pub memory_limit: Option<usize>,
    /// Whether hot code is compiled to machine code, and when; `None`: the interpreter runs alone.
    pub jit: Option<pellucid_jit::Options>,
    /// What the interpreter may do to the system.
    pub host: Arc<Host>,
    /// Whether `sys.stdin`, `sys.stdout` and `sys.stderr` are made from the descriptors 0, 1 and 2.
    pub stdio: bool,
    /// Whether signals of the process are for this interpreter. One can have them.
    pub signals: bool,
}

impl Default for Config {
    /// A config for embedding: nothing of the environment is read, and the system is not granted.
    fn default() -> Config {
        Config {
            argv: vec![Vec::new()],
            orig_argv: Vec::new(),
            executable: None,
            search: Vec::new(),
            flags: Flags {
                ignore_environment: true,
                safe_path: true,
                no_user_site: true,
                ..Flags::default()
            },
            warn_options: Vec::new(),
            x_options: Vec::new(),
            unbuffered: false,
            io_encoding: None,
            pycache_prefix: None,
            platlibdir: "lib".into(),
            check_hash_pycs: "default".into(),
            hash_seed: None,
            allocation_frames: None,
            memory_limit: None,
            jit: Some(pellucid_jit::Options::default()),
            host: Arc::new(Host::none()),
            stdio: false,
            signals: false,
        }
    }
}

impl Config {
    /// The value of an `-X` option: `None` when it was not given, `Some("")` without a value.
    pub fn x_option(&self, name: &str) -> Option<&str> {
        let found = self.x_options.iter().rev().find(|(key, _)| key == name)?;
        Some(found.1.as_deref().unwrap_or_default())
    }
}

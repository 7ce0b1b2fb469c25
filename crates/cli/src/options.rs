//! The command line and the variables of the environment, read as CPython reads them.

use pellucid_runtime::{Config, Host};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// `-c`.
    Command(Vec<u8>),
    /// `-m`.
    Module(String),
    /// A file, folder, archive or notebook.
    File(Vec<u8>),
    /// `-`, or nothing.
    Stdin,
}

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    pub program: Program,
    pub config: Config,
    /// `-i` or `PYTHONINSPECT`: a prompt after the program.
    pub inspect: bool,
    /// `-i`: a prompt even if standard input is no terminal.
    pub interactive: bool,
    /// `-x`: the first line is skipped.
    pub skip_first_line: bool,
    /// `--save`: where the notebook goes with its outputs.
    pub save: Option<OsString>,
}

/// What the command line asks for.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made a run")]
pub enum Request {
    Run(Options),
    /// Something to print: help, the version.
    Print(String),
}

/// The version of the language.
pub const VERSION: &str = "3.14.6";

const USAGE: &str = "usage: pellucid [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";

const HELP: &str = "\
Options (and corresponding environment variables):
-b     : warn about comparing bytes with str and similar (-bb: as errors)
-B     : don't write .pyc files (PYTHONDONTWRITEBYTECODE=x)
-c cmd : run a program given as text; ends the list of options
-d     : accepted and without effect (PYTHONDEBUG=x)
-E     : ignore PYTHON* environment variables
-h     : this text (also -? or --help)
-i     : a prompt after the program has run (PYTHONINSPECT=x)
-I     : isolate from the user's environment (implies -E, -P and -s)
-m mod : run a module of the library or of sys.path; ends the list of options
-O     : leave out assert statements (PYTHONOPTIMIZE=x)
-OO    : leave out docstrings too
-P     : don't put an unsafe path in front of sys.path (PYTHONSAFEPATH=x)
-q     : no greeting at the prompt
-s     : don't search the user's own site folder (PYTHONNOUSERSITE=x)
-S     : don't do what the module site does at the start
-u     : write output at once (PYTHONUNBUFFERED=x)
-v     : say what is imported (PYTHONVERBOSE=x)
-V     : print the version and exit (also --version; -VV says more)
-W arg : control warnings; action:message:category:module:lineno (PYTHONWARNINGS=arg)
-x     : skip the first line of the source
-X opt : an option of the implementation; --help-xoptions lists them
--check-hash-based-pycs always|default|never : how .pyc files made from a hash are checked
--save file : where to write a notebook with its outputs, when one is run
--help-env, --help-xoptions, --help-all : more help

Arguments:
file   : a program, a folder or archive with a __main__.py, or a notebook (.ipynb)
-      : the program is read from standard input, as without any argument; a prompt if that is a terminal
arg ...: what sys.argv holds after the program
";

const HELP_ENV: &str = "\
Environment variables:
PYTHONPATH              : folders, separated by ':', to search for modules before the library
PYTHONSTARTUP           : a file that is run before the first prompt
PYTHONSAFEPATH          : as -P
PYTHONDONTWRITEBYTECODE : as -B
PYTHONPYCACHEPREFIX     : the folder of .pyc files, as -X pycache_prefix
PYTHONHASHSEED          : the seed of string hashes: random or a number
PYTHONINTMAXSTRDIGITS   : the longest text that is converted to an int, as -X int_max_str_digits
PYTHONIOENCODING        : encoding[:errors] of the standard streams
PYTHONINSPECT           : as -i
PYTHONNOUSERSITE        : as -s
PYTHONUSERBASE          : where the user's own site folder lies
PYTHONOPTIMIZE          : as -O
PYTHONPROFILEIMPORTTIME : as -X importtime
PYTHONDEVMODE           : as -X dev
PYTHONTRACEMALLOC       : as -X tracemalloc
PYTHONUNBUFFERED        : as -u
PYTHONVERBOSE           : as -v
PYTHONWARNINGS          : as -W, several separated by ','
PYTHONUTF8              : as -X utf8
PELLUCID_JIT            : as -X jit
PYTHON_HISTORY          : the file of lines typed at the prompt
";

const HELP_X: &str = "\
The following implementation-specific options are available:
-X dev                       : development mode: more warnings
-X importtime                : say how long each import takes
-X jit=off|on|eager          : machine code for hot code: never, when it pays (default), at once
-X jit_loop=n, -X jit_call=n : turns of a loop, calls of a function, before it is compiled
-X jit_dump                  : show what is compiled on standard error
-X jit_record                : keep what the module pellucid shows of compiled code: graphs, sources
-X jit_memory=size           : the most memory for machine code: bytes, or 50M (default 64M)
-X jit_fail=once|n           : each guard of machine code fails so often without need: for tests
-X memory_limit=size         : the most memory that the program may use: bytes, or 50M, 2G
-X int_max_str_digits=number : the longest text that is converted to an int; 0 is no limit
-X no_debug_ranges           : no columns in tracebacks
-X pycache_prefix=path       : the folder of .pyc files
-X tracemalloc[=frames]      : trace memory allocations from the start
-X utf8[=0|1]                : the UTF-8 mode
-X warn_default_encoding     : warn where a file is opened without naming its encoding
";

/// Reads the command line. Errors: what to tell the user.
pub fn parse(arguments: &[OsString]) -> Result<Request, String> {
    let host = Arc::new(Host::all());
    let mut reader = Reader {
        config: Config { host, stdio: true, signals: true, argv: Vec::new(), ..Config::default() },
        interactive: false,
        skip_first_line: false,
        versions: 0,
        save: None,
        warnings: Vec::new(),
    };
    reader.config.flags = pellucid_runtime::Flags::default();
    reader.config.orig_argv = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    match reader.options(arguments)? {
        Found::Print(text) => Ok(Request::Print(text)),
        Found::Program(program) => reader.finish(program).map(Request::Run),
    }
}

enum Found {
    Program(Program),
    Print(String),
}

struct Reader {
    config: Config,
    interactive: bool,
    skip_first_line: bool,
    versions: u8,
    save: Option<OsString>,
    warnings: Vec<String>,
}

fn problem(text: String) -> String {
    format!("{text}\n{USAGE}Try `pellucid -h' for more information.\n")
}

impl Reader {
    fn options(&mut self, arguments: &[OsString]) -> Result<Found, String> {
        use lexopt::Arg::{Long, Short, Value};
        let mut parser = lexopt::Parser::from_iter(arguments.iter().cloned());
        loop {
            let argument = parser.next().map_err(|error| problem(error.to_string()))?;
            let flags = &mut self.config.flags;
            match argument {
                None => break,
                Some(Short('b')) => flags.bytes_warning = flags.bytes_warning.saturating_add(1),
                Some(Short('B')) => flags.dont_write_bytecode = true,
                Some(Short('d')) => flags.debug = flags.debug.saturating_add(1),
                Some(Short('E')) => flags.ignore_environment = true,
                Some(Short('i')) => self.interactive = true,
                Some(Short('I')) => {
                    flags.isolated = true;
                    flags.ignore_environment = true;
                    flags.no_user_site = true;
                    flags.safe_path = true;
                }
                Some(Short('O')) => flags.optimize = flags.optimize.saturating_add(1),
                Some(Short('P')) => flags.safe_path = true,
                Some(Short('q')) => flags.quiet = true,
                // Ignored by CPython too.
                Some(Short('R' | 't' | 'J')) => {}
                Some(Short('s')) => flags.no_user_site = true,
                Some(Short('S')) => flags.no_site = true,
                Some(Short('u')) => self.config.unbuffered = true,
                Some(Short('v')) => flags.verbose = flags.verbose.saturating_add(1),
                Some(Short('V') | Long("version")) => self.versions += 1,
                Some(Short('x')) => self.skip_first_line = true,
                Some(Short('h' | '?') | Long("help")) => {
                    return Ok(Found::Print(format!("{USAGE}{HELP}")));
                }
                Some(Long("help-env")) => return Ok(Found::Print(HELP_ENV.to_string())),
                Some(Long("help-xoptions")) => return Ok(Found::Print(HELP_X.to_string())),
                Some(Long("help-all")) => {
                    return Ok(Found::Print(format!("{USAGE}{HELP}\n{HELP_ENV}\n{HELP_X}")));
                }
                Some(Short('W')) => {
                    let value = self::value(&mut parser, "-W")?;
                    self.warnings.push(value.to_string_lossy().into_owned());
                }
                Some(Short('X')) => {
                    let value = self::value(&mut parser, "-X")?.to_string_lossy().into_owned();
                    let option = match value.split_once('=') {
                        Some((key, value)) => (key.to_string(), Some(value.to_string())),
                        None => (value, None),
                    };
                    self.config.x_options.push(option);
                }
                Some(Long("check-hash-based-pycs")) => {
                    let mode = value(&mut parser, "--check-hash-based-pycs")?.to_string_lossy().into_owned();
                    if !matches!(mode.as_str(), "always" | "default" | "never") {
                        return Err(problem(
                            "--check-hash-based-pycs must be one of 'default', 'always', or 'never'"
                                .to_string(),
                        ));
                    }
                    self.config.check_hash_pycs = mode;
                }
                Some(Long("save")) => self.save = Some(value(&mut parser, "--save")?),
                Some(Short('c')) => {
                    let mut command = value(&mut parser, "-c")?.into_vec();
                    command.push(b'\n');
                    return self.program(Program::Command(command), "-c", parser);
                }
                Some(Short('m')) => {
                    let module = value(&mut parser, "-m")?.to_string_lossy().into_owned();
                    return self.program(Program::Module(module), "-m", parser);
                }
                Some(Short(other)) => return Err(problem(format!("unknown option -{other}"))),
                Some(Long(other)) => return Err(problem(format!("unknown option --{other}"))),
                Some(Value(name)) if name == "-" => return self.program(Program::Stdin, "-", parser),
                Some(Value(name)) => {
                    let argv0 = name.clone();
                    return self.program(Program::File(name.into_vec()), argv0, parser);
                }
            }
        }
        if let Some(text) = self.version() {
            return Ok(Found::Print(text));
        }
        self.config.argv = vec![Vec::new()];
        Ok(Found::Program(Program::Stdin))
    }

    fn version(&self) -> Option<String> {
        match self.versions {
            0 => None,
            1 => Some(format!("Python {VERSION}\n")),
            _ => Some(format!("Python {VERSION} (Pellucid {}) [Rust]\n", env!("CARGO_PKG_VERSION"))),
        }
    }

    /// The program was found: everything behind it is its own.
    fn program(
        &mut self,
        program: Program,
        argv0: impl Into<OsString>,
        mut parser: lexopt::Parser,
    ) -> Result<Found, String> {
        if let Some(text) = self.version() {
            return Ok(Found::Print(text));
        }
        let mut argv = vec![argv0.into().into_vec()];
        let rest = parser.raw_args().map_err(|error| problem(error.to_string()))?;
        argv.extend(rest.map(OsStringExt::into_vec));
        if let Program::File(name) = &program
            && name.ends_with(b".ipynb")
            && let Some(at) = argv.iter().position(|argument| argument == b"--save")
        {
            if at + 1 >= argv.len() {
                return Err(problem("Argument expected for the --save option".to_string()));
            }
            let file = argv.remove(at + 1);
            argv.remove(at);
            self.save = Some(OsString::from_vec(file));
        }
        self.config.argv = argv;
        Ok(Found::Program(program))
    }

    /// Adds what the environment says.
    fn finish(mut self, program: Program) -> Result<Options, String> {
        let host = self.config.host.clone();
        let ignore = self.config.flags.ignore_environment;
        let variable = |name: &str| {
            let value = host.getenv(name.as_bytes()).filter(|value| !value.is_empty());
            if ignore { None } else { value }
        };
        let is_set = |name: &str| variable(name).is_some();
        let text = |name: &str| variable(name).map(|value| String::from_utf8_lossy(&value).into_owned());
        // A number, or any text for 1.
        let level = |name: &str| text(name).map_or(0, |text| text.trim().parse().unwrap_or(1));
        let flags = &mut self.config.flags;
        flags.optimize = flags.optimize.max(level("PYTHONOPTIMIZE"));
        flags.verbose = flags.verbose.max(level("PYTHONVERBOSE"));
        flags.debug = flags.debug.max(level("PYTHONDEBUG"));
        flags.dont_write_bytecode |= is_set("PYTHONDONTWRITEBYTECODE");
        flags.no_user_site |= is_set("PYTHONNOUSERSITE");
        flags.safe_path |= is_set("PYTHONSAFEPATH");
        self.config.unbuffered |= is_set("PYTHONUNBUFFERED");
        let inspect = self.interactive || is_set("PYTHONINSPECT");
        if self.interactive {
            flags.interactive = 1;
        }
        flags.inspect = inspect.into();
        if is_set("PYTHONPROFILEIMPORTTIME") && self.config.x_option("importtime").is_none() {
            self.config.x_options.push(("importtime".into(), None));
        }
        let dev = self.config.x_option("dev").is_some() || is_set("PYTHONDEVMODE");
        self.config.flags.dev_mode = dev;
        let utf8 = self.config.x_option("utf8").map(str::to_string).or_else(|| text("PYTHONUTF8"));
        match utf8.as_deref() {
            None => {}
            Some("" | "1") => self.config.flags.utf8_mode = 1,
            Some("0") => self.config.flags.utf8_mode = 0,
            Some(_) => return Err("Fatal Python error: invalid -X utf8 option value\n".to_string()),
        }
        let warn =
            self.config.x_option("warn_default_encoding").is_some() || is_set("PYTHONWARNDEFAULTENCODING");
        self.config.flags.warn_default_encoding = warn;
        if let Some(size) = self.config.x_option("memory_limit") {
            let limit =
                bytes(size).ok_or_else(|| "-X memory_limit: a size such as 50M is expected\n".to_string())?;
            self.config.memory_limit = Some(limit);
        }
        self.jit(text("PELLUCID_JIT"))?;
        self.int_digits(text("PYTHONINTMAXSTRDIGITS"))?;
        self.allocation_frames(text("PYTHONTRACEMALLOC"))?;
        self.hash_seed(text("PYTHONHASHSEED"))?;
        let prefix = self.config.x_option("pycache_prefix").map(|prefix| prefix.as_bytes().to_vec());
        self.config.pycache_prefix =
            prefix.or_else(|| variable("PYTHONPYCACHEPREFIX")).filter(|prefix| !prefix.is_empty());
        self.config.io_encoding = text("PYTHONIOENCODING");
        if let Some(folder) = text("PYTHONPLATLIBDIR") {
            self.config.platlibdir = folder;
        }
        if let Some(path) = variable("PYTHONPATH") {
            self.config.search = path.split(|&b| b == b':').map(<[u8]>::to_vec).collect();
        }
        self.config.warn_options = self.warn_options(text("PYTHONWARNINGS"), dev);
        Ok(Options {
            program,
            config: self.config,
            inspect,
            interactive: self.interactive,
            skip_first_line: self.skip_first_line,
            save: self.save,
        })
    }

    /// `-X jit` and what belongs to it.
    fn jit(&mut self, variable: Option<String>) -> Result<(), String> {
        let mode = self.config.x_option("jit").map(str::to_string).or(variable);
        let mut options = Default::default();
        match mode.as_deref() {
            None | Some("" | "on") => {}
            Some("off") => {
                self.config.jit = None;
                return Ok(());
            }
            Some("eager") => options = pellucid_runtime::jit::Options::eager(),
            Some(_) => return Err("Fatal Python error: -X jit: off, on or eager is expected\n".to_string()),
        }
        for (name, count) in [("jit_loop", &mut options.loop_heat), ("jit_call", &mut options.call_heat)] {
            if let Some(text) = self.config.x_option(name) {
                *count = text
                    .parse()
                    .map_err(|_| format!("Fatal Python error: -X {name}: a number is expected\n"))?;
            }
        }
        options.dump = self.config.x_option("jit_dump").is_some();
        options.record = self.config.x_option("jit_record").is_some();
        options.fail = match self.config.x_option("jit_fail") {
            None => 0,
            Some("" | "once") => 1,
            Some(text) => text
                .parse()
                .map_err(|_| "Fatal Python error: -X jit_fail: once or a number is expected\n".to_string())?,
        };
        if let Some(size) = self.config.x_option("jit_memory") {
            options.memory = bytes(size).ok_or_else(|| {
                "Fatal Python error: -X jit_memory: a size such as 50M is expected\n".to_string()
            })?;
        }
        self.config.jit = Some(options);
        Ok(())
    }

    fn int_digits(&mut self, variable: Option<String>) -> Result<(), String> {
        let (given, name) = match self.config.x_option("int_max_str_digits") {
            Some(given) => (Some(given.to_string()), "-X int_max_str_digits"),
            None => (variable, "PYTHONINTMAXSTRDIGITS"),
        };
        let Some(given) = given else { return Ok(()) };
        match given.parse::<usize>() {
            Ok(digits) if digits == 0 || digits >= 640 => {
                self.config.flags.int_max_str_digits = digits;
                Ok(())
            }
            _ => Err(format!(
                "Fatal Python error: {name}: invalid limit; must be >= 640 or 0 for unlimited.\n"
            )),
        }
    }

    fn allocation_frames(&mut self, variable: Option<String>) -> Result<(), String> {
        let (given, name) = match self.config.x_option("tracemalloc") {
            Some("") => (Some("1".to_string()), ""),
            Some(given) => (Some(given.to_string()), "-X tracemalloc=NFRAME"),
            None => (variable, "PYTHONTRACEMALLOC"),
        };
        let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(()) };
        match given.parse::<u16>() {
            Ok(frames) => {
                self.config.allocation_frames = Some(frames).filter(|frames| *frames > 0);
                Ok(())
            }
            Err(_) => Err(format!("Fatal Python error: {name}: invalid number of frames\n")),
        }
    }

    fn hash_seed(&mut self, variable: Option<String>) -> Result<(), String> {
        match variable.as_deref() {
            None | Some("" | "random") => Ok(()),
            Some(text) => match text.parse::<u32>() {
                Ok(seed) => {
                    self.config.flags.hash_randomization = seed != 0;
                    self.config.hash_seed = Some(seed);
                    Ok(())
                }
                Err(_) => {
                    Err("Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an \
                               integer in range [0; 4294967295]\n"
                        .to_string())
                }
            },
        }
    }

    /// The filters, weakest first.
    fn warn_options(&self, variable: Option<String>, dev: bool) -> Vec<String> {
        let mut options = Vec::new();
        if dev {
            options.push("default".to_string());
        }
        if let Some(variable) = variable {
            options.extend(variable.split(',').map(str::to_string));
        }
        options.extend(self.warnings.iter().cloned());
        match self.config.flags.bytes_warning {
            0 => {}
            1 => options.push("default::BytesWarning".to_string()),
            _ => options.push("error::BytesWarning".to_string()),
        }
        options
    }
}

fn value(parser: &mut lexopt::Parser, option: &str) -> Result<OsString, String> {
    parser.value().map_err(|_| problem(format!("Argument expected for the {option} option")))
}

/// A size: digits, then perhaps `K`, `M` or `G`.
fn bytes(text: &str) -> Option<usize> {
    let (digits, shift) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) if text.ends_with('K') => (digits, 10),
        Some(digits) if text.ends_with('M') => (digits, 20),
        Some(digits) => (digits, 30),
        None => (text, 0),
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        let arguments: Vec<OsString> = ["pellucid"].iter().chain(arguments).map(OsString::from).collect();
        match parse(&arguments) {
            Ok(Request::Run(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_end_at_the_program() {
        let found = options(&["-Bc", "pass", "-x", "y"]);
        assert_eq!(found.program, Program::Command(b"pass\n".to_vec()));
        assert_eq!(found.config.argv, [&b"-c"[..], b"-x", b"y"]);
        assert!(found.config.flags.dont_write_bytecode);
        let found = options(&["-Wdefault", "-X", "a=b", "-Xc", "file.py", "-O"]);
        assert_eq!(found.program, Program::File(b"file.py".to_vec()));
        assert_eq!(found.config.argv, [&b"file.py"[..], b"-O"]);
        assert_eq!(found.config.flags.optimize, 0);
        assert_eq!(found.config.x_options, [("a".into(), Some("b".into())), ("c".into(), None)]);
        let found = options(&["-OO", "-mmod", "1"]);
        assert_eq!(found.program, Program::Module("mod".into()));
        assert_eq!(found.config.flags.optimize, 2);
    }

    #[test]
    fn a_notebook_can_be_saved() {
        let found = options(&["a.ipynb", "x", "--save", "b.ipynb"]);
        assert_eq!(found.save, Some("b.ipynb".into()));
        assert_eq!(found.config.argv, [&b"a.ipynb"[..], b"x"]);
        assert_eq!(options(&["a.py", "--save", "b"]).save, None);
    }

    #[test]
    fn wrong_options_are_named() {
        let complaint = |arguments: &[&str]| {
            let arguments: Vec<OsString> = ["pellucid"].iter().chain(arguments).map(OsString::from).collect();
            parse(&arguments).expect_err("an error")
        };
        assert!(complaint(&["-z"]).starts_with("unknown option -z\nusage: "));
        assert!(complaint(&["-c"]).starts_with("Argument expected for the -c option\n"));
    }
}

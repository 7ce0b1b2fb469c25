//! Running programs: source text, files, modules, standard input.

use crate::import;
use crate::paths;
use crate::start::Pellucid;
use pellucid_host::{Place, libc};
use pellucid_object::{Dict, Interpreter, Ref, Res, Value};

impl Pellucid {
    /// The namespace of `__main__`.
    pub fn namespace(&self) -> Res<Ref<Dict>> {
        let vm = self.vm();
        vm.attrs_dict(self.main())?.ok_or_else(|| vm.system_error("__main__ has no namespace".to_string()))
    }

    /// Runs source text in `__main__`, as `-c` does.
    pub fn run_source(&self, source: &[u8], filename: &str) -> Res<()> {
        let vm = self.vm();
        let source = vm.new_bytes(source.to_vec())?;
        let code = import::compile(vm, &source, &vm.new_str(filename)?, "exec")?;
        self.run_code(&code).map(drop)
    }

    /// Evaluates an expression in `__main__`.
    pub fn eval(&self, source: &str) -> Res {
        let vm = self.vm();
        let code = import::compile(vm, &vm.new_str(source)?, &vm.new_str("<string>")?, "eval")?;
        self.run_code(&code)
    }

    /// Runs a code object in `__main__`.
    pub fn run_code(&self, code: &Value) -> Res {
        let namespace = self.namespace()?.into_value();
        pellucid_interp::run_code(self.vm(), code, &namespace, &namespace)
    }

    /// Runs a file: source, a `.pyc` file, or a folder or archive with a `__main__` in it.
    pub fn run_file(&self, path: &[u8]) -> Res<()> {
        let vm = self.vm();
        if is_container(vm, path)? {
            return self.run_container(path);
        }
        let file = vm.fs_decode(path)?;
        let bytes = paths::read(vm.host(), path).map_err(|error| vm.os_error_at(error, &file))?;
        self.run_file_content(&bytes, &file, path.ends_with(b".pyc"))
    }

    /// Runs the content of the program's file.
    pub fn run_file_content(&self, bytes: &[u8], file: &Value, compiled: bool) -> Res<()> {
        let vm = self.vm();
        let namespace = self.namespace()?;
        namespace.set(vm, vm.intern_static("__file__")?, file.clone())?;
        namespace.set(vm, vm.intern_static("__cached__")?, Value::NONE)?;
        namespace.remove(vm, &vm.intern_static("__loader__")?)?;
        let code = if compiled {
            compiled_code(vm, bytes)?
        } else {
            check_encoding(vm, bytes, file)?;
            import::compile(vm, &vm.new_bytes(bytes.to_vec())?, file, "exec")?
        };
        self.run_code(&code).map(drop)
    }

    /// Runs the `__main__` of a folder or an archive, which becomes the first entry of `sys.path`.
    fn run_container(&self, path: &[u8]) -> Res<()> {
        let vm = self.vm();
        let entry = vm.fs_decode(path)?;
        let sys = import::import_absolute(vm, &vm.intern_static("sys")?)?;
        let search = vm.get_attr_str(&sys, "path")?;
        vm.call_attr(&search, "insert", &[vm.new_int(0)?, entry])?;
        self.run_main_module("__main__", false)
    }

    /// Runs a module as `-m` does.
    pub fn run_module(&self, name: &str) -> Res<()> {
        self.run_main_module(name, true)
    }

    fn run_main_module(&self, name: &str, set_argv0: bool) -> Res<()> {
        let vm = self.vm();
        let runpy = import::import_absolute(vm, &vm.intern_static("runpy")?)?;
        vm.call_attr(&runpy, "_run_module_as_main", &[vm.new_str(name)?, Value::bool(set_argv0)]).map(drop)
    }

    /// Runs what standard input holds, as a program.
    pub fn run_stdin(&self) -> Res<()> {
        let vm = self.vm();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match vm.retry(|| vm.host().read(0, &mut buffer))? {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) => return Err(vm.os_error(error)),
            }
        }
        self.run_source(&bytes, "<stdin>")
    }
}

/// The code in a `.pyc` file.
fn compiled_code(vm: &Interpreter, bytes: &[u8]) -> Res {
    match pellucid_bytecode::pyc::load(bytes) {
        Ok((_, code)) => pellucid_interp::code::new_code(vm, code),
        Err(error) => Err(vm.runtime_error(format!("Bad code in .pyc file: {error}"))),
    }
}

/// Whether a path is a folder, or an archive: a file that ends in a zip directory.
fn is_container(vm: &Interpreter, path: &[u8]) -> Res<bool> {
    let host = vm.host();
    let Ok(stat) = host.stat(Place::new(path), true) else { return Ok(false) };
    if stat.is_dir() {
        return Ok(true);
    }
    if !stat.is_file() {
        return Ok(false);
    }
    let Ok(fd) = host.open(Place::new(path), libc::O_RDONLY, 0) else { return Ok(false) };
    let mut start = [0; 4];
    let read = host.read(fd, &mut start);
    // Nothing was written to it.
    let _ = host.close(fd);
    if matches!(read, Ok(4)) && start == *b"PK\x03\x04" {
        return Ok(true);
    }
    if path.ends_with(b".pyz") {
        return Ok(true);
    }
    Ok(false)
}

/// Programs as the command line names them: with `sys.path[0]` as each kind has it.
impl Pellucid {
    fn search_first(&self, folder: &[u8]) -> Res<()> {
        if self.config().flags.safe_path {
            return Ok(());
        }
        let vm = self.vm();
        let sys = import::import_absolute(vm, &vm.intern_static("sys")?)?;
        let search = vm.get_attr_str(&sys, "path")?;
        vm.call_attr(&search, "insert", &[vm.new_int(0)?, vm.fs_decode(folder)?]).map(drop)
    }

    /// Puts the folder of a file in front of `sys.path`.
    pub fn search_beside(&self, path: &[u8]) -> Res<()> {
        let host = self.vm().host();
        let real = paths::absolute(host, &paths::resolve(host, path));
        self.search_first(paths::folder(&real))
    }

    /// `-c`.
    pub fn main_command(&self, source: &[u8]) -> Res<()> {
        self.search_first(b"")?;
        let vm = self.vm();
        let source = vm.new_bytes(source.to_vec())?;
        let code = import::compile(vm, &source, &vm.new_str("<string>")?, "exec")?;
        if let Ok(text) = std::str::from_utf8(vm.expect_bytes(&source)?) {
            let text = vm.new_str(text)?;
            *vm.state::<import::ImportState>().command.borrow_mut() = Some((code.clone(), text));
        }
        self.run_code(&code).map(drop)
    }

    /// `-m`.
    pub fn main_module(&self, name: &str) -> Res<()> {
        let folder = self.vm().host().getcwd().unwrap_or_default();
        self.search_first(&folder)?;
        self.run_module(name)
    }

    /// A program on standard input.
    pub fn main_stdin(&self) -> Res<()> {
        self.search_first(b"")?;
        self.run_stdin()
    }

    /// A file, folder or archive.
    pub fn main_file(&self, path: &[u8], skip_first_line: bool) -> Res<()> {
        let vm = self.vm();
        if is_container(vm, path)? {
            return self.run_container(path);
        }
        self.search_beside(path)?;
        let absolute = paths::absolute(vm.host(), path);
        if !skip_first_line {
            return self.run_file(&absolute);
        }
        let file = vm.fs_decode(&absolute)?;
        let bytes = paths::read(vm.host(), &absolute).map_err(|error| vm.os_error_at(error, &file))?;
        // The line end stays, so that lines keep their numbers.
        let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
        self.run_file_content(&bytes[end..], &file, false)
    }

    /// Before the first prompt: `sys.path[0]`, and the file that `PYTHONSTARTUP` names.
    pub fn start_prompt(&self) -> Res<()> {
        self.search_first(b"")?;
        let vm = self.vm();
        let named = vm.host().getenv(b"PYTHONSTARTUP").filter(|name| !name.is_empty());
        if let Some(name) = named.filter(|_| !self.config().flags.ignore_environment) {
            let file = vm.fs_decode(&name)?;
            match paths::read(vm.host(), &name) {
                Ok(source) => {
                    let code = import::compile(vm, &vm.new_bytes(source)?, &file, "exec");
                    if let Err(raised) = code.and_then(|code| self.run_code(&code)) {
                        let exception = vm.take_raised(raised);
                        self.report(&exception);
                    }
                }
                Err(error) => {
                    let name = vm.str_lossy(&file);
                    let (number, text) = (error.errno, error.message());
                    self.complain(&format!(
                        "Could not open PYTHONSTARTUP\nOSError: [Errno {number}] {text}: '{name}'\n"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the program has set `PYTHONINSPECT`: then a prompt follows it.
    pub fn wants_prompt(&self) -> bool {
        let set = self.vm().host().getenv(b"PYTHONINSPECT").is_some_and(|value| !value.is_empty());
        set && !self.config().flags.ignore_environment
    }

    /// Whether a file can be opened.
    pub fn readable(&self, path: &[u8]) -> pellucid_host::Result<()> {
        let host = self.vm().host();
        let fd = host.open(Place::new(path), libc::O_RDONLY, 0)?;
        host.close(fd)
    }

    /// The bytes of a file.
    pub fn read(&self, path: &[u8]) -> pellucid_host::Result<Vec<u8>> {
        paths::read(self.vm().host(), path)
    }

    /// Writes a file.
    pub fn write(&self, path: &[u8], bytes: &[u8]) -> pellucid_host::Result<()> {
        let host = self.vm().host();
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
        let fd = host.open(Place::new(path), flags, 0o666)?;
        let mut rest = bytes;
        let mut done = Ok(());
        while !rest.is_empty() && done.is_ok() {
            match host.write(fd, rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.is_interrupted() => {}
                Err(error) => done = Err(error),
            }
        }
        let closed = host.close(fd);
        done.and(closed)
    }
}

/// A program's file that names no encoding is UTF-8. Errors: `SyntaxError`, which tells how to name one.
fn check_encoding(vm: &Interpreter, bytes: &[u8], file: &Value) -> Res<()> {
    if bytes.contains(&0) {
        let message = vm.new_str("source code cannot contain null bytes")?;
        return Err(vm.raise(vm.call_values(vm.exceptions().syntax_error().value(), &[message])?));
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    if pellucid_syntax::declared_encoding(bytes).is_some() || bytes.starts_with(b"\xef\xbb\xbf") {
        return Ok(());
    }
    let (before, rest) = bytes.split_at(error.valid_up_to());
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let (bad, name) = (rest.first().copied().unwrap_or(0), vm.str_lossy(file));
    let message = format!(
        "Non-UTF-8 code starting with '\\x{bad:02x}' in file {name} on line {line}, but no encoding declared; see \
         https://peps.python.org/pep-0263/ for details"
    );
    let message = vm.new_str(&message)?;
    Err(vm.raise(vm.call_values(vm.exceptions().syntax_error().value(), &[message])?))
}

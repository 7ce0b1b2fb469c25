//! What the modules do, natively: results, and the words of errors.

use pellucid_object::{Exception, Interpreter, ModuleDef, Res, Tuple, Value};
use std::sync::Arc;

/// An interpreter with these modules, and the whole host.
pub struct Py(pub Box<Interpreter>);

impl Py {
    pub fn new() -> Py {
        let vm = Interpreter::new().expect("memory");
        pellucid_types::install(&vm).expect("types");
        assert!(vm.set_host(Arc::new(pellucid_host::Host::all())));
        vm.modules.set(Some(vm.new_dict().expect("dict").into_value()));
        vm.builtins.set(Some(vm.new_dict().expect("dict").into_value()));
        crate::install(&vm);
        Py(vm)
    }
    pub fn module(&self, def: &'static ModuleDef) -> Value {
        self.0.new_native_module(def).expect("a module")
    }
    pub fn int(&self, i: i64) -> Value {
        self.0.new_int(i).expect("int")
    }
    pub fn text(&self, text: &str) -> Value {
        self.0.new_str(text).expect("str")
    }
    pub fn call(&self, object: &Value, name: &str, args: &[Value]) -> Res {
        self.0.call_attr(object, name, args)
    }
    pub fn repr(&self, result: Res) -> String {
        match result {
            Ok(value) => self.0.repr_lossy(&value).expect("repr"),
            Err(raised) => {
                let exception = self.0.take_raised(raised);
                let args = exception.downcast::<Exception>().and_then(|e| e.args.get()).expect("args");
                let first = args.downcast::<Tuple>().and_then(|t| t.get(0)).unwrap_or(Value::NONE);
                format!("{}: {}", self.0.type_name(&exception), self.0.str_lossy(&first))
            }
        }
    }
}

#[test]
fn sys_tells_of_itself() {
    let py = Py::new();
    let sys = py.module(&crate::sys::MODULE);
    let get = |name: &str| py.repr(py.0.get_attr_str(&sys, name));
    assert_eq!(
        get("version_info"),
        "sys.version_info(major=3, minor=14, micro=6, releaselevel='final', serial=0)"
    );
    assert_eq!(get("byteorder"), "'little'");
    assert!(get("implementation").starts_with("namespace(name='pellucid', cache_tag='pellucid-314'"));
    assert_eq!(py.repr(py.call(&sys, "getrecursionlimit", &[])), "1000");
    assert_eq!(
        py.repr(py.call(&sys, "setrecursionlimit", &[py.int(0)])),
        "ValueError: recursion limit must be greater or equal than 1"
    );
    assert_eq!(py.repr(py.call(&sys, "exit", &[py.int(3)])), "SystemExit: ");
    assert_eq!(
        py.repr(py.call(&sys, "set_int_max_str_digits", &[py.int(5)])),
        "ValueError: maxdigits must be >= 640 or 0 for unlimited"
    );
}

#[test]
fn time_passes_and_is_shown() {
    let py = Py::new();
    let time = py.module(&crate::time::MODULE);
    let gm = py.call(&time, "gmtime", &[py.int(0)]).expect("gmtime");
    assert_eq!(
        py.repr(Ok(gm.clone())),
        "time.struct_time(tm_year=1970, tm_mon=1, tm_mday=1, tm_hour=0, tm_min=0, tm_sec=0, tm_wday=3, tm_yday=1, tm_isdst=0)"
    );
    assert_eq!(py.repr(py.call(&time, "asctime", std::slice::from_ref(&gm))), "'Thu Jan  1 00:00:00 1970'");
    assert_eq!(py.repr(py.call(&time, "strftime", &[py.text("%Y-%m-%d %%é"), gm])), "'1970-01-01 %é'");
    assert_eq!(
        py.repr(py.call(&time, "sleep", &[py.int(-1)])),
        "ValueError: sleep length must be non-negative"
    );
    assert_eq!(py.repr(py.call(&time, "sleep", &[py.0.new_float(0.001).expect("float")])), "None");
}

#[test]
fn threads_run_and_are_joined() {
    let py = Py::new();
    let thread = py.module(&crate::thread::MODULE);
    let lock = py.call(&thread, "allocate_lock", &[]).expect("lock");
    assert_eq!(py.repr(py.call(&lock, "acquire", &[])), "True");
    assert_eq!(py.repr(py.call(&lock, "acquire", &[Value::FALSE])), "False");
    assert_eq!(
        py.repr(py.call(&lock, "acquire", &[Value::FALSE, py.int(1)])),
        "ValueError: can't specify a timeout for a non-blocking call"
    );
    let release = py.0.get_attr_str(&lock, "release").expect("release");
    let handle = py.call(&thread, "start_joinable_thread", &[release]).expect("started");
    assert_eq!(py.repr(py.call(&lock, "acquire", &[])), "True");
    assert_eq!(py.repr(py.call(&handle, "join", &[])), "None");
    assert_eq!(py.repr(py.call(&handle, "is_done", &[])), "True");
    assert_eq!(py.repr(py.call(&thread, "_count", &[])), "0");
    let local = py.call(&thread, "_local", &[]).expect("local");
    py.0.set_attr_str(&local, "x", py.int(1)).expect("set");
    let set = py.0.get_attr_str(&local, "__setattr__").expect("setattr");
    let args = py.0.new_tuple(vec![py.text("x"), py.int(2)]).expect("tuple");
    py.call(&thread, "start_new_thread", &[set, args]).expect("started");
    while py.repr(py.call(&thread, "_count", &[])) != "0" {
        py.0.poll().expect("poll");
    }
    assert_eq!(py.repr(py.0.get_attr_str(&local, "x")), "1");
    assert_eq!(
        py.repr(py.call(&lock, "release", &[]).and_then(|_| py.call(&lock, "release", &[]))),
        "RuntimeError: release unlocked lock"
    );
}

#[test]
fn exit_functions_run_last_first() {
    let py = Py::new();
    let atexit = py.module(&crate::atexit::MODULE);
    let list = py.0.new_list(Vec::new()).expect("list");
    let append = py.0.get_attr_str(&list, "append").expect("append");
    for i in 0..3 {
        py.call(&atexit, "register", &[append.clone(), py.int(i)]).expect("registered");
    }
    crate::atexit::run(&py.0);
    assert_eq!(py.repr(Ok(list)), "[2, 1, 0]");
}

#[test]
fn warnings_follow_filters() {
    let py = Py::new();
    let warnings = py.module(&crate::warnings::MODULE);
    let filters = py.0.get_attr_str(&warnings, "filters").expect("filters");
    let rule = vec![
        py.text("error"),
        Value::NONE,
        py.0.exceptions().user_warning().value().clone(),
        Value::NONE,
        py.int(0),
    ];
    let rule = py.0.new_tuple(rule).expect("tuple");
    py.call(&filters, "insert", &[py.int(0), rule]).expect("insert");
    assert_eq!(py.repr(py.call(&warnings, "warn", &[py.text("careful")])), "UserWarning: careful");
    let deprecated = py.0.exceptions().deprecation_warning().value().clone();
    assert_eq!(py.repr(py.call(&warnings, "warn", &[py.text("old"), deprecated])), "None");
    assert_eq!(
        py.repr(py.call(&warnings, "warn", &[py.text("x"), py.int(1)])),
        "TypeError: category must be a Warning subclass, not 'int'"
    );
}

#[test]
fn files_are_written_and_read_through_all_layers() {
    let py = Py::new();
    let io = py.module(&crate::io::MODULE);
    let path = std::env::temp_dir().join(format!("pellucid-io-{}", std::process::id()));
    let name = py.text(path.to_str().expect("UTF-8"));
    let open = |mode: &str| py.call(&io, "open", &[name.clone(), py.text(mode)]);
    let file = open("w").expect("opened");
    assert_eq!(py.repr(py.call(&file, "write", &[py.text("one\ntwo €\r\nthree")])), "16");
    assert_eq!(py.repr(py.call(&file, "close", &[])), "None");
    assert_eq!(
        py.repr(py.call(&file, "write", &[py.text("x")])),
        "ValueError: I/O operation on closed file."
    );
    let file = open("r").expect("opened");
    assert_eq!(py.repr(py.call(&file, "readline", &[])), "'one\\n'");
    let at = py.call(&file, "tell", &[]).expect("tell");
    assert_eq!(py.repr(py.call(&file, "read", &[])), "'two €\\nthree'");
    assert_eq!(py.repr(py.call(&file, "seek", &[at])), "4");
    assert_eq!(py.repr(py.call(&file, "readlines", &[])), "['two €\\n', 'three']");
    assert_eq!(py.repr(py.call(&file, "write", &[py.text("x")])), "UnsupportedOperation: not writable");
    py.call(&file, "close", &[]).expect("closed");
    let file = open("r+b").expect("opened");
    assert_eq!(py.repr(py.call(&file, "read", &[py.int(3)])), "b'one'");
    py.call(&file, "write", &[py.0.new_bytes(b"!".to_vec()).expect("bytes")]).expect("written");
    assert_eq!(py.repr(py.call(&file, "seek", &[py.int(0)])), "0");
    assert_eq!(py.repr(py.call(&file, "readline", &[])), "b'one!two \\xe2\\x82\\xac\\r\\n'");
    py.call(&file, "close", &[]).expect("closed");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(py.repr(open("r")), "FileNotFoundError: ");
    assert_eq!(py.repr(open("rw")), "ValueError: must have exactly one of create/read/write/append mode");
}

#[test]
fn streams_in_memory_are_read_and_written() {
    let py = Py::new();
    let io = py.module(&crate::io::MODULE);
    let bytes = py.call(&io, "BytesIO", &[py.0.new_bytes(b"ab\ncd".to_vec()).expect("bytes")]).expect("made");
    assert_eq!(py.repr(py.call(&bytes, "readlines", &[])), "[b'ab\\n', b'cd']");
    py.call(&bytes, "seek", &[py.int(7)]).expect("seek");
    py.call(&bytes, "write", &[py.0.new_bytes(b"!".to_vec()).expect("bytes")]).expect("written");
    assert_eq!(py.repr(py.call(&bytes, "getvalue", &[])), "b'ab\\ncd\\x00\\x00!'");
    let text = py.call(&io, "StringIO", &[]).expect("made");
    py.call(&text, "write", &[py.text("añ\n€")]).expect("written");
    py.call(&text, "seek", &[py.int(1)]).expect("seek");
    assert_eq!(py.repr(py.call(&text, "readline", &[])), "'ñ\\n'");
    assert_eq!(py.repr(py.call(&text, "getvalue", &[])), "'añ\\n€'");
    assert_eq!(
        py.repr(py.call(&text, "write", &[py.int(1)])),
        "TypeError: string argument expected, got 'int'"
    );
}

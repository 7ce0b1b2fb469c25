//! Builtin functions that look at frames or run code.

use crate::code::code_of;
use crate::frame::current;
use crate::frame_object;
use crate::function::{FunctionParts, check_closure, new_function, shown_builtins};
use crate::instrument::legacy;
use crate::run::{run_code, run_function_with_locals};
use crate::state::state;
use pellucid_bytecode::code::flags;
use pellucid_object::{
    Args, CallArgs, CompileRequest, Dict, Exception, FunctionDef, Interpreter, NativeFn, Res, Str, Type,
    Value,
};

/// Bits of `__future__` features that code passes on to what it compiles.
const FUTURE_FLAGS: u32 = flags::FUTURE_ANNOTATIONS | 0xfe_0000;

fn globals(vm: &Interpreter) -> Res {
    match current(vm) {
        Some(frame) => Ok(frame.function().globals.clone()),
        None => Err(vm.system_error("globals() needs a running frame".to_string())),
    }
}

fn locals(vm: &Interpreter) -> Res {
    match current(vm) {
        Some(frame) => frame_object::locals(vm, frame),
        None => Err(vm.system_error("locals() needs a running frame".to_string())),
    }
}

fn inherited_flags(vm: &Interpreter) -> u32 {
    current(vm).map_or(0, |frame| frame.code().code.flags & FUTURE_FLAGS)
}

fn compile_with(vm: &Interpreter, request: &CompileRequest) -> Res {
    match vm.hooks.compile.get() {
        Some(compile) => compile(vm, request),
        None => Err(vm.system_error("no compiler to compile source".to_string())),
    }
}

fn compile(vm: &Interpreter, args: &Args) -> Res {
    let number = |index: usize, default: i64| match args.get(index) {
        Some(value) => vm.expect_i64(value),
        None => Ok(default),
    };
    let given_flags = number(3, 0)?;
    let Ok(mut bits) = u32::try_from(given_flags) else {
        return Err(vm.value_error("compile(): unrecognised flags".to_string()));
    };
    let inherit = match args.get(4) {
        Some(value) => !vm.truthy(value)?,
        None => true,
    };
    if inherit {
        bits |= inherited_flags(vm);
    }
    let optimize = number(5, -1)?;
    if !(-1..=2).contains(&optimize) {
        return Err(vm.value_error("compile(): invalid optimize value".to_string()));
    }
    let filename = file_name(vm, args.req(1))?;
    let mode = vm.expect_str(args.req(2))?;
    let request = CompileRequest {
        source: args.req(0),
        filename: &filename,
        mode: &mode,
        flags: bits,
        optimize: optimize as i32,
    };
    compile_with(vm, &request)
}

/// A file name as `str`; bytes and paths are decoded by `os.fsdecode`.
fn file_name(vm: &Interpreter, value: &Value) -> Res {
    if value.downcast::<Str>().is_some() {
        return Ok(value.clone());
    }
    let os = vm.import("os")?;
    vm.call_attr(&os, "fsdecode", std::slice::from_ref(value))
}

/// What `exec` and `eval` run: code, given or compiled.
fn to_code(vm: &Interpreter, source: &Value, mode: &str, function: &str) -> Res {
    if code_of(source).is_some() {
        return Ok(source.clone());
    }
    let is_text = source.downcast::<Str>().is_some()
        || vm.bytes_like(source).map(drop).map_err(|r| drop(vm.take_raised(r))).is_ok();
    if !is_text {
        let what = "string, bytes or code object";
        return Err(vm.type_error(format!("{function}() arg 1 must be a {what}")));
    }
    let filename = vm.intern_static("<string>")?;
    let stripped = if mode == "eval" { strip_left(vm, source)? } else { source.clone() };
    let request = CompileRequest {
        source: &stripped,
        filename: &filename,
        mode,
        flags: inherited_flags(vm),
        optimize: -1,
    };
    compile_with(vm, &request)
}

/// `eval` allows blanks in front of an expression.
fn strip_left(vm: &Interpreter, source: &Value) -> Res {
    match source.downcast::<Str>() {
        Some(_) => vm.call_attr(source, "lstrip", &[vm.new_str(" \t")?]),
        None => Ok(source.clone()),
    }
}

struct Namespaces {
    globals: Value,
    locals: Value,
}

/// The namespaces that `exec` and `eval` run in. Errors: `TypeError` for globals that are no dict.
fn namespaces(vm: &Interpreter, args: &Args, function: &str) -> Res<Namespaces> {
    let given = |index: usize| args.get(index).filter(|v| !v.is_none()).cloned();
    let (given_globals, given_locals) = (given(1), given(2));
    if let Some(globals) = &given_globals
        && globals.downcast::<Dict>().is_none()
    {
        let mapping = vm.get_attr_opt(globals, "keys")?.is_some() && function == "eval";
        let got = vm.type_name(globals);
        return Err(vm.type_error(if mapping {
            "globals must be a real dict; try eval(code, {}, mapping)".to_string()
        } else {
            format!("{function}() globals must be a dict, not {got}")
        }));
    }
    if let Some(locals) = &given_locals
        && vm.type_of_ref(locals).slots.getitem.get().is_none()
    {
        let got = vm.type_name(locals);
        return Err(vm.type_error(format!("{function}() locals must be a mapping or None, not {got}")));
    }
    let namespaces = match given_globals {
        Some(globals) => {
            let locals = given_locals.unwrap_or_else(|| globals.clone());
            Namespaces { globals, locals }
        }
        None => {
            let locals = match given_locals {
                Some(locals) => locals,
                None => self::locals(vm)?,
            };
            Namespaces { globals: self::globals(vm)?, locals }
        }
    };
    let names = &state(vm).names;
    if let Some(dict) = namespaces.globals.downcast::<Dict>()
        && dict.get_interned(vm, &names.__builtins__).is_none()
    {
        let builtins = match current(vm) {
            Some(frame) => Some(shown_builtins(&frame.function().builtins)),
            None => vm.builtins.get(),
        };
        if let Some(builtins) = builtins {
            dict.set(vm, names.__builtins__.clone(), builtins)?;
        }
    }
    Ok(namespaces)
}

fn exec(vm: &Interpreter, args: &Args) -> Res {
    let Namespaces { globals, locals } = namespaces(vm, args, "exec")?;
    let closure = args.get(3).filter(|c| !c.is_none()).cloned();
    if closure.is_some() && code_of(args.req(0)).is_none() {
        let what = "closure can only be used when source is a code object";
        return Err(vm.type_error(what.to_string()));
    }
    let code = to_code(vm, args.req(0), "exec", "exec")?;
    let Some(data) = code_of(&code) else { return Err(vm.bug("compile() made no code")) };
    if closure.is_some() && data.freevars.is_empty() {
        let what = "cannot use a closure with this code object";
        return Err(vm.type_error(what.to_string()));
    }
    if !data.freevars.is_empty()
        && let Err(raised) = check_closure(vm, data, closure.as_ref())
    {
        drop(vm.take_raised(raised));
        let want = data.freevars.len();
        return Err(vm.type_error(format!("code object requires a closure of exactly length {want}")));
    }
    let parts = FunctionParts {
        code: code.clone(),
        globals,
        qualname: None,
        defaults: None,
        kwdefaults: None,
        closure,
        annotate: None,
    };
    let function = new_function(vm, parts)?;
    run_function_with_locals(vm, &function, &locals)?;
    Ok(Value::NONE)
}

fn eval(vm: &Interpreter, args: &Args) -> Res {
    let Namespaces { globals, locals } = namespaces(vm, args, "eval")?;
    let code = to_code(vm, args.req(0), "eval", "eval")?;
    if code_of(&code).is_some_and(|c| !c.freevars.is_empty()) {
        return Err(vm.type_error("code object passed to eval() may not contain free variables".to_string()));
    }
    run_code(vm, &code, &globals, &locals)
}

/// `__build_class__(function, name, *bases, metaclass=..., **keywords)`.
fn build_class(vm: &Interpreter, args: &CallArgs) -> Res {
    let names = &state(vm).names;
    let [function, name, bases @ ..] = args.positional() else {
        return Err(vm.type_error("__build_class__: not enough arguments".to_string()));
    };
    if function.downcast::<crate::function::Function>().is_none() {
        return Err(vm.type_error("__build_class__: func must be a function".to_string()));
    }
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("__build_class__: name is not a string".to_string()));
    }
    let original = vm.new_tuple(bases.to_vec())?;
    let bases = resolve_bases(vm, bases, &original)?;
    let changed = bases.is_some();
    let bases = bases.unwrap_or_else(|| original.clone());
    let mut keywords: Vec<(Value, Value)> = args.keywords().map(|(n, v)| (n.clone(), v.clone())).collect();
    let given = keywords.iter().position(|(n, _)| n.is(&names.metaclass)).map(|at| keywords.remove(at).1);
    let base_list = vm.collect(&bases)?;
    let meta = match given {
        Some(meta) => meta,
        None => match base_list.first() {
            Some(base) => vm.type_of(base).into_value(),
            None => vm.types().type_.value().clone(),
        },
    };
    let meta =
        if meta.downcast::<Type>().is_some() { vm.most_derived_metaclass(&meta, &base_list)? } else { meta };
    let (keyword_names, keyword_values): (Vec<Value>, Vec<Value>) = keywords.into_iter().unzip();
    let call = |callee: &Value, mut values: Vec<Value>| {
        values.extend(keyword_values.iter().cloned());
        vm.call(callee, &CallArgs { values: &values, names: &keyword_names })
    };
    let namespace = match vm.get_attr_opt(&meta, "__prepare__")? {
        Some(prepare) => call(&prepare, vec![name.clone(), bases.clone()])?,
        None => vm.new_dict()?.into_value(),
    };
    if vm.type_of_ref(&namespace).slots.getitem.get().is_none() {
        let got = vm.type_name(&namespace);
        let meta_name = match meta.downcast::<Type>() {
            Some(ty) => ty.name().to_string(),
            None => "<metaclass>".to_string(),
        };
        return Err(vm.type_error(format!("{meta_name}.__prepare__() must return a mapping, not {got}")));
    }
    let cell = run_function_with_locals(vm, function, &namespace)?;
    if changed {
        vm.set_item(&namespace, &names.__orig_bases__, Some(&original))?;
    }
    let class = call(&meta, vec![name.clone(), bases, namespace])?;
    check_class_cell(vm, &cell, &class, name)?;
    Ok(class)
}

/// Bases that are no classes say with `__mro_entries__` what stands for them. `None`: all are classes.
fn resolve_bases(vm: &Interpreter, bases: &[Value], original: &Value) -> Res<Option<Value>> {
    let mut resolved = Vec::new();
    let mut changed = false;
    for base in bases {
        let entries = match base.downcast::<Type>() {
            Some(_) => None,
            None => vm.get_attr_opt(base, "__mro_entries__")?,
        };
        match entries {
            None => resolved.push(base.clone()),
            Some(entries) => {
                changed = true;
                let list = vm.call_values(&entries, std::slice::from_ref(original))?;
                match list.downcast::<pellucid_object::Tuple>() {
                    Some(tuple) => resolved.extend(tuple.items()),
                    None => return Err(vm.type_error("__mro_entries__ must return a tuple".to_string())),
                }
            }
        }
    }
    if changed { vm.new_tuple(resolved).map(Some) } else { Ok(None) }
}

/// The `__class__` cell of the methods must have been filled by `type.__new__`.
fn check_class_cell(vm: &Interpreter, cell: &Value, class: &Value, name: &Value) -> Res<()> {
    let Some(cell) = cell.downcast::<crate::cell::Cell>() else { return Ok(()) };
    if class.downcast::<Type>().is_none() {
        return Ok(());
    }
    let name = vm.repr_lossy(name)?;
    match cell.contents.get() {
        Some(found) if found.is(class) => Ok(()),
        None => Err(vm.runtime_error(format!(
            "__class__ not set defining {name} as {}. Was __classcell__ propagated to type.__new__?",
            vm.repr_lossy(class)?
        ))),
        Some(found) => Err(vm.type_error(format!(
            "__class__ set to {} defining {name} as {}",
            vm.repr_lossy(&found)?,
            vm.repr_lossy(class)?
        ))),
    }
}

fn vars(vm: &Interpreter, args: &Args) -> Res {
    let Some(object) = args.get(0) else { return locals(vm) };
    match vm.get_attr_opt(object, "__dict__")? {
        Some(dict) => Ok(dict),
        None => Err(vm.type_error("vars() argument must have __dict__ attribute".to_string())),
    }
}

fn dir(vm: &Interpreter, args: &Args) -> Res {
    let names = match args.get(0) {
        None => vm.call_attr(&locals(vm)?, "keys", &[])?,
        Some(object) => match vm.lookup_special(object, "__dir__")? {
            Some(method) => vm.call_descriptor(&method, object, &[])?,
            None => return Err(vm.type_error("object does not provide __dir__".to_string())),
        },
    };
    let list = vm.new_list(vm.collect(&names)?)?;
    vm.call_method(&list, "sort", &[])?;
    Ok(list)
}

fn breakpoint(vm: &Interpreter, args: &CallArgs) -> Res {
    let sys = vm.import("sys")?;
    match vm.get_attr_opt(&sys, "breakpointhook")? {
        Some(hook) => vm.call(&hook, args),
        None => Err(vm.runtime_error("lost sys.breakpointhook".to_string())),
    }
}

pub static FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new("globals", "()", "The globals of the running frame.", NativeFn::F0(globals)),
    FunctionDef::new("locals", "()", "The variables of the running frame.", NativeFn::F0(locals)),
    FunctionDef::new(
        "vars",
        "(object=None, /)",
        "The __dict__ of an object, or locals().",
        NativeFn::Args(vars),
    ),
    FunctionDef::new(
        "dir",
        "(object=None, /)",
        "The names that an object or the running frame has.",
        NativeFn::Args(dir),
    ),
    FunctionDef::new(
        "compile",
        "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)",
        "Compile source into a code object that exec() or eval() runs, or into an AST.",
        NativeFn::Args(compile),
    ),
    FunctionDef::new(
        "exec",
        "(source, /, globals=None, locals=None, *, closure=None)",
        "Run source or a code object in the given namespaces.",
        NativeFn::Args(exec),
    ),
    FunctionDef::new(
        "eval",
        "(source, /, globals=None, locals=None)",
        "The value of an expression in the given namespaces.",
        NativeFn::Args(eval),
    ),
    FunctionDef::new("__build_class__", "", "What the class statement calls.", NativeFn::Raw(build_class)),
    FunctionDef::new(
        "breakpoint",
        "(*args, **kws)",
        "Call sys.breakpointhook() with the same arguments.",
        NativeFn::Raw(breakpoint),
    ),
];

// ---- what `sys` has of frames ----

fn get_frame(vm: &Interpreter, args: &Args) -> Res {
    let depth = match args.get(0) {
        Some(depth) => vm.expect_i64(depth)?,
        None => 0,
    };
    let thread = crate::state::thread(vm);
    match usize::try_from(depth.max(0)).ok().and_then(|depth| thread.nth(depth)) {
        Some(frame) => frame_object::of_frame(vm, frame),
        None => Err(vm.value_error("call stack is not deep enough".to_string())),
    }
}

fn exc_info(vm: &Interpreter) -> Res {
    match vm.handled_exception() {
        None => vm.new_tuple(vec![Value::NONE; 3]),
        Some(exception) => {
            let traceback = exception.downcast::<Exception>().and_then(|e| e.traceback.get());
            let ty = vm.type_of(&exception).into_value();
            vm.new_tuple(vec![ty, exception.clone(), traceback.unwrap_or(Value::NONE)])
        }
    }
}

fn frame_module_name(vm: &Interpreter, args: &Args) -> Res {
    let depth = match args.get(0) {
        Some(depth) => vm.expect_i64(depth)?,
        None => 0,
    };
    let frame = usize::try_from(depth).ok().and_then(|depth| crate::state::thread(vm).nth(depth));
    Ok(frame.and_then(|f| f.function().module.get()).unwrap_or(Value::NONE))
}

/// Functions of `sys` that look at frames.
pub static SYS_FUNCTIONS: &[FunctionDef] = &[
    FunctionDef::new("_getframe", "(depth=0, /)", "The frame so many calls up.", NativeFn::Args(get_frame)),
    FunctionDef::new(
        "_getframemodulename",
        "(depth=0)",
        "The name of the module of the frame so many calls up.",
        NativeFn::Args(frame_module_name),
    ),
    FunctionDef::new(
        "exception",
        "()",
        "The exception being handled.",
        NativeFn::F0(|vm| Ok(vm.handled_exception().unwrap_or(Value::NONE))),
    ),
    FunctionDef::new(
        "exc_info",
        "()",
        "Type, value and traceback of what is being handled.",
        NativeFn::F0(exc_info),
    ),
    FunctionDef::new(
        "settrace",
        "(function, /)",
        "Set the global debug tracing function.\n\nIt will be called on each function call.",
        NativeFn::F1(legacy::sys_settrace),
    ),
    FunctionDef::new(
        "gettrace",
        "()",
        "Return the global debug tracing function set with sys.settrace.",
        NativeFn::F0(legacy::sys_gettrace),
    ),
    FunctionDef::new(
        "setprofile",
        "(function, /)",
        "Set the profiling function.\n\nIt will be called on each function call and return.",
        NativeFn::F1(legacy::sys_setprofile),
    ),
    FunctionDef::new(
        "getprofile",
        "()",
        "Return the profiling function set with sys.setprofile.",
        NativeFn::F0(legacy::sys_getprofile),
    ),
    FunctionDef::new(
        "_settraceallthreads",
        "(arg, /)",
        "Set the global debug tracing function in all running threads.",
        NativeFn::F1(legacy::sys_settraceallthreads),
    ),
    FunctionDef::new(
        "_setprofileallthreads",
        "(arg, /)",
        "Set the profiling function in all running threads.",
        NativeFn::F1(legacy::sys_setprofileallthreads),
    ),
];

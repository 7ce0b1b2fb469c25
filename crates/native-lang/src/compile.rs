//! What `compile()`, `exec()`, `eval()` and import ask for: source or nodes in, code object or nodes out.

use crate::ast;
use pellucid_bytecode::code::flags;
use pellucid_object::{CompileRequest, Dict, Interpreter, Raised, Res, Str, Value};
use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{ErrorKind, Mode, Parsed, Source, SyntaxError, Warning};

/// The `compile` hook.
pub fn compile(vm: &Interpreter, request: &CompileRequest) -> Res {
    let mode = match request.mode {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" if request.flags & ast::ONLY_AST != 0 => Mode::FuncType,
        "func_type" => {
            let message = "compile() mode 'func_type' requires flag PyCF_ONLY_AST";
            return Err(vm.value_error(message.to_string()));
        }
        _ => {
            let message = if request.flags & ast::ONLY_AST != 0 {
                "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
            } else {
                "compile() mode must be 'exec', 'eval' or 'single'"
            };
            return Err(vm.value_error(message.to_string()));
        }
    };
    if ast::is_node(vm, request.source)? {
        let parsed = ast::from_python(vm, request.source, mode)?;
        if request.flags & ast::ONLY_AST != 0 {
            return Ok(request.source.clone());
        }
        return code(vm, &parsed, request);
    }
    let parsed = parse(vm, request, mode)?;
    warn_all(vm, &parsed, &parsed.warnings, request.filename)?;
    if request.flags & ast::ONLY_AST != 0 { ast::to_python(vm, &parsed) } else { code(vm, &parsed, request) }
}

fn parse(vm: &Interpreter, request: &CompileRequest, mode: Mode) -> Res<Parsed> {
    let source = match request.source.downcast::<Str>() {
        Some(text) => match text.text.to_utf8() {
            Some(text) => Ok(Source::from_text(text)),
            None => return Err(encode_error(vm, request.source)),
        },
        None => Source::from_bytes(vm.bytes_like(request.source)?.bytes().as_ref()),
    };
    let parsed = source.and_then(|source| pellucid_syntax::parse(source, mode));
    parsed.map_err(|error| raise(vm, &error, request.filename))
}

/// What encoding a `str` with lone surrogates raises.
fn encode_error(vm: &Interpreter, text: &Value) -> Raised {
    match vm.call_attr(text, "encode", &[]) {
        Err(raised) => raised,
        Ok(_) => vm.bug("text with surrogates was encoded"),
    }
}

/// Bit of `ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`.
const TOP_LEVEL_AWAIT: u32 = 0x2000;

/// Bits of `from __future__` imports that the calling code is under.
const FUTURE_MASK: u32 = 0x1fe_0000;

fn code(vm: &Interpreter, parsed: &Parsed, request: &CompileRequest) -> Res {
    let optimize = match u8::try_from(request.optimize) {
        Ok(level) => level.min(2),
        Err(_) => started_optimize(vm)?,
    };
    let future = request.flags & FUTURE_MASK;
    let options = pellucid_compiler::Options {
        optimize,
        future_annotations: future & flags::FUTURE_ANNOTATIONS != 0,
        top_level_await: request.flags & TOP_LEVEL_AWAIT != 0,
        flags: future & !flags::FUTURE_ANNOTATIONS,
        ..pellucid_compiler::Options::default()
    };
    let filename = vm.str_lossy(request.filename);
    let compiled = pellucid_compiler::compile_with_warnings(parsed, &filename, &options)
        .map_err(|error| raise(vm, &error, request.filename))?;
    let warnings: Vec<Warning> = compiled
        .warnings
        .into_iter()
        .map(|warning| {
            let line = parsed.source.line(warning.range.start());
            Warning { message: warning.message, range: warning.range, line }
        })
        .collect();
    warn_all(vm, parsed, &warnings, request.filename)?;
    pellucid_interp::code::new_code_shared(vm, std::rc::Rc::new(compiled.code))
}

/// `sys.flags.optimize`.
fn started_optimize(vm: &Interpreter) -> Res<u8> {
    let sys = match vm.modules.get().and_then(|modules| modules.downcast_ref::<Dict>()) {
        Some(modules) => modules.get_str(vm, &vm.intern("sys")?)?,
        None => None,
    };
    let flags = match sys {
        Some(sys) => vm.get_attr_opt(&sys, "flags")?,
        None => None,
    };
    match flags {
        Some(flags) => Ok(u8::try_from(vm.expect_i64(&vm.get_attr_str(&flags, "optimize")?)?).unwrap_or(0)),
        None => Ok(0),
    }
}

/// Issues `SyntaxWarning`s; one that a filter turns into an error becomes a `SyntaxError` that shows its place.
fn warn_all(vm: &Interpreter, parsed: &Parsed, warnings: &[Warning], filename: &Value) -> Res<()> {
    for warning in warnings {
        let category = vm.exceptions().syntax_warning().clone();
        let issued =
            crate::warn_explicit(vm, &warning.message, category.value().clone(), filename, warning.line);
        let Err(raised) = issued else { continue };
        if !vm.raised_is(&category) {
            return Err(raised);
        }
        drop(vm.take_raised(raised));
        return Err(at(vm, &parsed.source, warning.range, &warning.message, filename));
    }
    Ok(())
}

fn at(vm: &Interpreter, source: &Source, range: TextRange, message: &str, filename: &Value) -> Raised {
    raise(vm, &SyntaxError::at(source, range, message), filename)
}

/// Raises the Python exception of an error in the source.
pub fn raise(vm: &Interpreter, error: &SyntaxError, filename: &Value) -> Raised {
    let exceptions = vm.exceptions();
    let ty = match error.kind {
        ErrorKind::Syntax => exceptions.syntax_error(),
        ErrorKind::Indentation => exceptions.indentation_error(),
        ErrorKind::Tab => exceptions.tab_error(),
        ErrorKind::Incomplete => exceptions.incomplete_input_error(),
        ErrorKind::Value => exceptions.value_error(),
        ErrorKind::Recursion => exceptions.recursion_error(),
        ErrorKind::Memory => exceptions.memory_error(),
    };
    match arguments(vm, error, filename) {
        Ok(args) => vm.raise_with(ty, args),
        Err(raised) => raised,
    }
}

fn arguments(vm: &Interpreter, error: &SyntaxError, filename: &Value) -> Res<Vec<Value>> {
    let mut args = vec![vm.new_str(&error.message)?];
    if error.line > 0 {
        let text = match &error.text {
            Some(text) => vm.new_str(text)?,
            None => Value::NONE,
        };
        let mut place =
            vec![filename.clone(), vm.new_int(error.line as i64)?, vm.new_int(error.offset as i64)?, text];
        if error.end_line > 0 {
            place.extend([vm.new_int(error.end_line as i64)?, vm.new_int(error.end_offset as i64)?]);
        }
        args.push(vm.new_tuple(place)?);
    }
    Ok(args)
}

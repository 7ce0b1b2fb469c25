//! What `compile()`, `exec()`, `eval()` and import ask for: source or nodes in, code object or nodes out.

use crate::ast;
use pellucid_bytecode::code::flags;
use pellucid_compiler::Options;
use pellucid_object::{CompileRequest, Interpreter, Raised, Res, Str, Value};
use pellucid_syntax::ast::visitor::transformer::{self, Transformer};
use pellucid_syntax::ast::{self as tree, Expr, ExprContext};
use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{ErrorKind, Flags, Mode, Parsed, Source, SyntaxError, Warning};
use std::cell::Cell;
use std::rc::Rc;

/// The `compile` hook.
pub fn compile(vm: &Interpreter, request: &CompileRequest) -> Res {
    if request.flags & !KNOWN != 0 {
        return Err(vm.value_error("compile(): unrecognised flags".to_string()));
    }
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
    let mut parsed = parse(vm, request, mode)?;
    warn_all(vm, &parsed, &parsed.warnings, request.filename)?;
    if request.flags & ast::ONLY_AST == 0 {
        return code(vm, &parsed, request);
    }
    if request.flags & ast::OPTIMIZED_AST == ast::OPTIMIZED_AST {
        optimize(&mut parsed, optimize_level(vm, request) == 0);
    }
    ast::to_python(vm, &parsed)
}

/// The tree of a request's source. Errors: as Python raises them.
pub(crate) fn parse(vm: &Interpreter, request: &CompileRequest, mode: Mode) -> Res<Parsed> {
    let source = match request.source.downcast::<Str>() {
        Some(text) => match text.text.to_utf8() {
            Some(text) => Ok(Source::from_text(text)),
            None => return Err(encode_error(vm, request.source)),
        },
        None if !vm.has_buffer(request.source) => {
            let message = "compile() arg 1 must be a string, bytes or AST object";
            return Err(vm.type_error(message.to_string()));
        }
        None => {
            let bytes = vm.bytes_like(request.source)?.bytes().to_vec();
            match pellucid_syntax::declared_encoding(&bytes) {
                Some(name)
                    if name != "utf-8" && name != "iso-8859-1" && !bytes.starts_with(b"\xef\xbb\xbf") =>
                {
                    decode(vm, &bytes, name)
                }
                _ => Source::from_bytes(&bytes),
            }
        }
    };
    let has = |flag: u32| request.flags & flag != 0;
    let options = Flags {
        allow_incomplete: has(ast::ALLOW_INCOMPLETE_INPUT),
        dont_imply_dedent: has(ast::DONT_IMPLY_DEDENT),
        barry: has(BARRY),
        max_digits: match vm.int_max_str_digits.get() {
            0 => usize::MAX,
            limit => limit,
        },
    };
    let parsed = source.and_then(|source| pellucid_syntax::parse_with(source, mode, options));
    parsed.map_err(|error| raise(vm, &error, request.filename))
}

/// Source in an encoding that a codec of Python's knows. Errors: that it does not, or that it does not fit.
fn decode(vm: &Interpreter, bytes: &[u8], encoding: String) -> Result<Source, SyntaxError> {
    let decoded = vm.new_bytes(bytes.to_vec()).and_then(|bytes| {
        let text = vm.call_attr(&bytes, "decode", &[vm.new_str(&encoding)?])?;
        vm.expect_str(&text)
    });
    let raised = match decoded {
        Ok(text) => return Ok(Source::from_decoded(text, encoding)),
        Err(raised) => raised,
    };
    let unknown = vm.raised_is(vm.exceptions().lookup_error());
    let exception = vm.take_raised(raised);
    if unknown {
        // The parser knows some encodings that no codec stands for.
        return Source::from_bytes(bytes);
    }
    let message = vm.str(&exception).unwrap_or_else(|raised| {
        drop(vm.take_raised(raised));
        Value::NONE
    });
    Err(SyntaxError::of_encoding(vm.str_lossy(&message)))
}

/// What encoding a `str` with lone surrogates raises.
fn encode_error(vm: &Interpreter, text: &Value) -> Raised {
    match vm.call_attr(text, "encode", &[]) {
        Err(raised) => raised,
        Ok(_) => vm.bug("text with surrogates was encoded"),
    }
}

/// How the interpreter was started, as far as it concerns compilation.
#[derive(Default)]
pub struct Settings {
    /// `-O` options: what `optimize=-1` means.
    pub optimize: Cell<u8>,
}

/// Flags of `compile` that stand for a feature in force, and are kept in code.
const FEATURES: u32 = flags::FUTURE_ANNOTATIONS | BARRY;
const BARRY: u32 = 0x40_0000;
/// All flags that `compile` knows; those of features that all code has do nothing.
const KNOWN: u32 = FEATURES
    | ast::OPTIMIZED_AST
    | ast::TYPE_COMMENTS
    | ast::ALLOW_TOP_LEVEL_AWAIT
    | ast::ALLOW_INCOMPLETE_INPUT
    | ast::DONT_IMPLY_DEDENT
    | 0x10
    | 0x100
    | 0x2_0000
    | 0x4_0000
    | 0x8_0000
    | 0x10_0000
    | 0x20_0000
    | 0x80_0000;

fn optimize_level(vm: &Interpreter, request: &CompileRequest) -> u8 {
    u8::try_from(request.optimize).unwrap_or_else(|_| vm.state::<Settings>().optimize.get())
}

/// Gives `__debug__` its value in a tree, as `ast.parse(optimize=...)` does.
fn optimize(parsed: &mut Parsed, debug: bool) {
    struct Debug(bool);
    impl Transformer for Debug {
        fn visit_expr(&self, expr: &mut Expr) {
            match expr {
                Expr::Name(name) if name.ctx == ExprContext::Load && name.id.as_str() == "__debug__" => {
                    *expr = Expr::BooleanLiteral(tree::ExprBooleanLiteral {
                        range: name.range,
                        node_index: tree::AtomicNodeIndex::NONE,
                        value: self.0,
                    });
                }
                _ => transformer::walk_expr(self, expr),
            }
        }
    }
    let debug = Debug(debug);
    pellucid_syntax::with_stack_for(parsed.depth, || match &mut parsed.module {
        tree::Mod::Module(module) => module.body.iter_mut().for_each(|stmt| debug.visit_stmt(stmt)),
        tree::Mod::Expression(expression) => debug.visit_expr(&mut expression.body),
    });
}

fn code(vm: &Interpreter, parsed: &Parsed, request: &CompileRequest) -> Res {
    let optimize = optimize_level(vm, request);
    let options = Options {
        optimize,
        future_annotations: request.flags & flags::FUTURE_ANNOTATIONS != 0,
        top_level_await: request.flags & ast::ALLOW_TOP_LEVEL_AWAIT != 0,
        flags: request.flags & BARRY,
        like_3_10: false,
    };
    let filename = vm.str_lossy(request.filename);
    let compiled = pellucid_compiler::compile_with_warnings(parsed, &filename, &options)
        .map_err(|error| raise(vm, &error, request.filename))?;
    let warnings: Vec<Warning> = compiled
        .warnings
        .into_iter()
        .map(|w| Warning { line: parsed.source.line(w.range.start()), message: w.message, range: w.range })
        .collect();
    warn_all(vm, parsed, &warnings, request.filename)?;
    pellucid_interp::code::new_code_shared(vm, Rc::new(compiled.code))
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
    let made = arguments(vm, error, filename).and_then(|args| {
        let exception = vm.call_values(ty.value(), &args)?;
        if let Some(metadata) = &error.metadata {
            let source = vm.new_str(&metadata.source)?;
            let place = [vm.new_int(metadata.line as i64)?, vm.new_int(metadata.column as i64)?, source];
            vm.set_attr_str(&exception, "_metadata", vm.new_tuple(place.to_vec())?)?;
        }
        Ok(exception)
    });
    match made {
        Ok(exception) => vm.raise(exception),
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
    } else if error.is_of_encoding() {
        let place = vec![filename.clone(), vm.new_int(0)?, vm.new_int(-1)?, Value::NONE];
        args.push(vm.new_tuple(place)?);
    }
    Ok(args)
}

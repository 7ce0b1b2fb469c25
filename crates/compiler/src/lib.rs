//! From syntax tree to code object. Never sees a heap object.
//!
//! ```text
//! Parsed -> symtable (which scope each name is of)
//!        -> fold     (which expressions are constant)
//!        -> codegen  (blocks of instructions, one graph a code object)
//!        -> flow     (the optimiser on that graph)
//!        -> assemble (bytes, lines, positions) -> Code
//! ```
//! For source that Python 3.10 accepts the code is what its compiler emits, constants, names and jumps included;
//! `DIFFERENCES.md` lists where 3.14's semantics ask for something else. Errors and warnings are worded as 3.14 does.
//!
//! Start reading at [`compile`], then `codegen.rs`. `symtable.rs` serves the `_symtable` module as well.
#![forbid(unsafe_code)]

mod assemble;
mod codegen;
mod error;
mod flow;
mod fold;
mod place;
pub mod symtable;
mod unparse;

use pellucid_bytecode::Code;
use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{Parsed, SyntaxError, ast, with_stack_for};

/// How to compile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// 0; 1: without `assert` and with `__debug__` false; 2: without docstrings too.
    pub optimize: u8,
    /// `from __future__ import annotations` is in force already.
    pub future_annotations: bool,
    /// `await` is allowed outside functions, which makes the module's code a coroutine's.
    pub top_level_await: bool,
    /// Bits that every code object's flags get: those of other features in force.
    pub flags: u32,
    /// For comparison with 3.10: class bodies set neither `__firstlineno__` nor `__static_attributes__`, and decorators are
    /// called on the line of the definition.
    pub like_3_10: bool,
}

/// A warning about the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxWarning {
    /// What it says.
    pub message: String,
    /// The source it is about.
    pub range: TextRange,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The code of the module.
    pub code: Code,
    /// Warnings in the order they were found, those of the parser left out.
    pub warnings: Vec<SyntaxWarning>,
    /// Features that the program asks for.
    pub future: Future,
}

/// Features that a program asks for with `from __future__ import`, as bits of code flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Future {
    /// The bits.
    pub flags: u32,
}

/// Compiles a tree.
pub fn compile(parsed: &Parsed, filename: &str, options: &Options) -> Result<Code, SyntaxError> {
    compile_with_warnings(parsed, filename, options).map(|compiled| compiled.code)
}

/// Compiles a tree, and says what is dubious about it.
pub fn compile_with_warnings(
    parsed: &Parsed,
    filename: &str,
    options: &Options,
) -> Result<Compiled, SyntaxError> {
    with_stack_for(parsed.depth, || {
        compiled(parsed, filename, options).map_err(|failure| failure.into_syntax_error(&parsed.source))
    })
}

fn compiled(parsed: &Parsed, filename: &str, options: &Options) -> error::Outcome<Compiled> {
    let mut options = *options;
    let future = future_features(parsed)?;
    options.flags |= future.flags & !pellucid_bytecode::code::flags::FUTURE_ANNOTATIONS;
    if future.flags & pellucid_bytecode::code::flags::FUTURE_ANNOTATIONS != 0 {
        options.future_annotations = true;
    }
    let mut warnings = Vec::new();
    let folds = fold::Folds::of(parsed, options.optimize, options.future_annotations, &mut warnings);
    let mut table = symtable::build(parsed, table_options(&options))?;
    let code = codegen::generate(parsed, filename, &options, &mut table, &folds, &mut warnings)?;
    Ok(Compiled { code, warnings, future })
}

fn table_options(options: &Options) -> symtable::TableOptions {
    symtable::TableOptions {
        future_annotations: options.future_annotations,
        top_level_await: options.top_level_await,
    }
}

/// The symbol table of a tree.
pub fn symbol_table(parsed: &Parsed, options: &Options) -> Result<symtable::SymbolTable, SyntaxError> {
    with_stack_for(parsed.depth, || {
        let future = future_features(parsed).map_err(|failure| failure.into_syntax_error(&parsed.source))?;
        let mut options = *options;
        options.future_annotations |= future.flags & pellucid_bytecode::code::flags::FUTURE_ANNOTATIONS != 0;
        symtable::build(parsed, table_options(&options))
            .map_err(|failure| failure.into_syntax_error(&parsed.source))
    })
}

/// Features by name, and their bits.
const FEATURES: [(&str, u32); 10] = [
    ("nested_scopes", 0),
    ("generators", 0),
    ("division", 0),
    ("absolute_import", 0),
    ("with_statement", 0),
    ("print_function", 0),
    ("unicode_literals", 0),
    ("barry_as_FLUFL", 0x40_0000),
    ("generator_stop", 0),
    ("annotations", pellucid_bytecode::code::flags::FUTURE_ANNOTATIONS),
];

/// Reads the `from __future__` imports at the start of a module. Errors: later ones, and features there are not.
fn future_features(parsed: &Parsed) -> error::Outcome<Future> {
    let mut future = Future::default();
    let ast::Mod::Module(module) = &parsed.module else { return Ok(future) };
    let mut done = false;
    for (i, stmt) in module.body.iter().enumerate() {
        match stmt {
            ast::Stmt::ImportFrom(import) if is_future(import) => {
                if done {
                    return late_future(import);
                }
                for alias in &import.names {
                    let name = alias.name.as_str();
                    match FEATURES.iter().find(|(known, _)| *known == name) {
                        Some((_, flag)) => future.flags |= flag,
                        None if name == "braces" => return error::Failure::at(alias.range, "not a chance"),
                        None => {
                            let message = format!("future feature {name} is not defined");
                            return error::Failure::at(alias.range, message);
                        }
                    }
                }
            }
            ast::Stmt::Expr(e) if i == 0 && e.value.is_string_literal_expr() => {}
            _ => done = true,
        }
    }
    Ok(future)
}

pub(crate) fn is_future(import: &ast::StmtImportFrom) -> bool {
    import.level == 0 && import.module.as_deref() == Some("__future__")
}

pub(crate) fn late_future<T>(import: &ast::StmtImportFrom) -> error::Outcome<T> {
    let message = "from __future__ imports must occur at the beginning of the file";
    error::Failure::at(import.range, message)
}

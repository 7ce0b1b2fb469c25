//! Code generation: the tree to a graph of blocks, one code object at a time.
//!
//! What is emitted, and the order of constants and names that follows from the order of emission, is what 3.10's
//! compiler does; `DIFFERENCES.md` says where 3.14 asks for something else.

mod annotations;
mod class;
mod comprehension;
mod expr;
mod fblock;
mod function;
mod pattern;
mod stmt;
mod strings;
mod try_stmt;
mod types;
mod unit;
mod warn;

use crate::error::{Failure, Outcome};
use crate::flow::{self, Instr};
use crate::fold::Folds;
use crate::place::{Place, Places};
use crate::symtable::{BlockId, BlockKind, Name, Reach, SymbolTable};
use crate::{Options, SyntaxWarning};
use pellucid_bytecode::{Code, Const, Op, Wtf8};
use pellucid_syntax::Parsed;
use pellucid_syntax::ast::{self, Expr, Stmt};
use pellucid_syntax::text_size::{Ranged, TextRange};
use unit::{Unit, UnitKind};

/// The most values that are pushed for one display or call before a list is built up step by step.
const STACK_USE: usize = 30;

/// What a name is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Load,
    Store,
    Delete,
}

/// Compiles a tree whose names have been analysed.
pub(crate) fn generate<'a>(
    parsed: &'a Parsed,
    filename: &str,
    options: &Options,
    table: &'a mut SymbolTable,
    folds: &'a Folds<'a>,
    warnings: &'a mut Vec<SyntaxWarning>,
) -> Outcome<Code> {
    let mut compiler = Compiler {
        table,
        folds,
        options: *options,
        places: Places::new(&parsed.source),
        filename: filename.into(),
        interactive: parsed.mode == pellucid_syntax::Mode::Single,
        units: Vec::new(),
        warnings,
        in_finally_copy: 0,
    };
    compiler.module(&parsed.module)
}

struct Compiler<'a> {
    table: &'a mut SymbolTable,
    folds: &'a Folds<'a>,
    options: Options,
    places: Places<'a>,
    filename: Wtf8,
    interactive: bool,
    /// The code objects being generated, the innermost last. Never empty while something is generated.
    units: Vec<Unit<'a>>,
    warnings: &'a mut Vec<SyntaxWarning>,
    /// How many copies of a `finally` body are being generated: only the first gives warnings.
    in_finally_copy: u32,
}

impl<'a> Compiler<'a> {
    fn module(&mut self, module: &'a ast::Mod) -> Outcome<Code> {
        self.enter(SymbolTable::TOP, UnitKind::Module, "<module>", Place::line(1), None)?;
        match module {
            ast::Mod::Module(module) => {
                self.unit().place = Place::line(1);
                self.body(&module.body)?;
                self.leave(true)
            }
            ast::Mod::Expression(expression) => {
                self.expr(&expression.body)?;
                self.leave(false)
            }
        }
    }

    fn unit(&mut self) -> &mut Unit<'a> {
        let last = self.units.len() - 1;
        &mut self.units[last]
    }

    fn unit_ref(&self) -> &Unit<'a> {
        &self.units[self.units.len() - 1]
    }

    fn block(&self) -> &crate::symtable::Block {
        self.table.block(self.unit_ref().block)
    }

    /// Starts a code object.
    fn enter(
        &mut self,
        block: BlockId,
        kind: UnitKind,
        name: &str,
        first: Place,
        private: Option<Name>,
    ) -> Outcome {
        let private = private.or_else(|| self.units.last().and_then(|u| u.private.clone()));
        let qualname = self.qualname(kind, name);
        let unit = Unit::new(self.table.block(block), block, kind, name.into(), qualname, first, private);
        self.units.push(unit);
        Ok(())
    }

    fn qualname(&self, kind: UnitKind, name: &str) -> String {
        let Some(mut parent) = self.units.last().filter(|_| self.units.len() > 1) else {
            return name.to_string();
        };
        if parent.kind == UnitKind::Annotations {
            // The block of type parameters or annotations does not show.
            match self.units.len() {
                2 => return name.to_string(),
                n => parent = &self.units[n - 2],
            }
            if self.units.len() == 2 {
                return name.to_string();
            }
        }
        if parent.kind == UnitKind::Module {
            return name.to_string();
        }
        if matches!(kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Class) {
            let block = self.table.block(parent.block);
            let mangled = crate::symtable::mangle(parent.private.as_deref(), name);
            if block.reach(&mangled) == Some(Reach::GlobalExplicit) {
                return name.to_string();
            }
        }
        match parent.kind {
            UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda => {
                format!("{}.<locals>.{name}", parent.qualname)
            }
            _ => format!("{}.{name}", parent.qualname),
        }
    }

    /// Finishes a code object. Unless the code already returns, it returns None or, without `add_none`, what is on
    /// the stack.
    fn leave(&mut self, add_none: bool) -> Outcome<Code> {
        if !self.unit().graph.ends_in_return() {
            self.unit().place = Place::NONE;
            if add_none {
                self.load_const(Const::None);
            }
            self.op(Op::ReturnValue);
        }
        let Some(unit) = self.units.pop() else {
            return Failure::of_kind(pellucid_syntax::ErrorKind::Value, "no code object to finish");
        };
        let block = self.table.block(unit.block);
        unit.finish(block, &self.filename, &self.options, &mut self.places)
    }

    fn op(&mut self, op: Op) {
        self.op_arg(op, 0);
    }

    fn op_arg(&mut self, op: Op, arg: u32) {
        let unit = self.unit();
        let place = unit.place;
        unit.graph.push(Instr { op, arg, target: None, place });
    }

    fn jump(&mut self, op: Op, target: flow::BlockId) {
        let unit = self.unit();
        let place = unit.place;
        unit.graph.push(Instr { op, arg: 0, target: Some(target), place });
    }

    fn jump_without_line(&mut self, op: Op, target: flow::BlockId) {
        self.unit().graph.push(Instr { op, arg: 0, target: Some(target), place: Place::NONE });
    }

    fn op_without_line(&mut self, op: Op) {
        self.op_arg_without_line(op, 0);
    }

    fn op_arg_without_line(&mut self, op: Op, arg: u32) {
        self.unit().graph.push(Instr { op, arg, target: None, place: Place::NONE });
    }

    fn load_const(&mut self, value: Const) {
        let index = self.unit().consts.index(value);
        self.op_arg(Op::LoadConst, index);
    }

    fn load_str(&mut self, text: &str) {
        self.load_const(Const::Str(text.into()));
    }

    fn load_count(&mut self, count: usize) {
        self.load_const(Const::Int(count as i64));
    }

    fn new_block(&mut self) -> flow::BlockId {
        self.unit().graph.new_block()
    }

    fn use_next(&mut self, block: flow::BlockId) {
        self.unit().graph.use_next(block);
    }

    fn set_place(&mut self, range: TextRange) {
        let place = self.places.of(range);
        self.unit().place = place;
    }

    /// The line of `range` with the columns of `inner`: where 3.10's line table and later tracebacks differ.
    fn set_inner_place(&mut self, range: TextRange, inner: TextRange) {
        let place = Place { line: self.places.line(range.start()), range: Some(inner) };
        self.unit().place = place;
    }

    fn no_place(&mut self) {
        self.unit().place = Place::NONE;
    }

    /// Emits with another place, then goes back to the one before.
    fn at(&mut self, place: Place, f: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let before = std::mem::replace(&mut self.unit().place, place);
        f(self)?;
        self.unit().place = before;
        Ok(())
    }

    fn here(&mut self) -> TextRange {
        self.unit().place.range.unwrap_or_default()
    }

    fn mangle(&self, name: &str) -> Name {
        self.block().mangle(self.unit_ref().private.as_deref(), name)
    }

    /// An instruction with a name of an attribute, global or module.
    fn op_name(&mut self, op: Op, name: &str) {
        let mangled = self.mangle(name);
        let index = self.unit().names.index(&mangled);
        self.op_arg(op, index);
    }

    /// Loads, stores or deletes a variable.
    fn name(&mut self, name: &str, usage: Use) -> Outcome {
        let mangled = self.mangle(name);
        self.variable(&mangled, usage)
    }

    fn variable(&mut self, name: &Name, usage: Use) -> Outcome {
        let block = self.block();
        let reach = block.reach(name);
        let kind = block.kind;
        let sees_class = block.can_see_class_scope;
        let pick = |load, store, delete| match usage {
            Use::Load => load,
            Use::Store => store,
            Use::Delete => delete,
        };
        match reach {
            Some(reach @ (Reach::Free | Reach::Cell)) => {
                // `__class__` in a class body is that of the class around, beside the cell made for the methods.
                let index = match reach {
                    Reach::Free => self.unit().free_index(name)?,
                    _ => self.unit().cell_index(name)?,
                };
                let load = if kind == BlockKind::Class {
                    Op::LoadClassderef
                } else if sees_class && usage == Use::Load {
                    let classdict = self.unit().cell_index(&"__classdict__".into())?;
                    self.op_arg(Op::LoadDeref, classdict);
                    Op::LoadFromDictOrDeref
                } else {
                    Op::LoadDeref
                };
                self.op_arg(pick(load, Op::StoreDeref, Op::DeleteDeref), index);
            }
            Some(Reach::Local) if kind.is_function_like() => {
                let index = self.unit().varnames.index(name);
                self.op_arg(pick(Op::LoadFast, Op::StoreFast, Op::DeleteFast), index);
            }
            Some(Reach::GlobalImplicit) if sees_class && usage == Use::Load => {
                let classdict = self.unit().cell_index(&"__classdict__".into())?;
                self.op_arg(Op::LoadDeref, classdict);
                let index = self.unit().names.index(name);
                self.op_arg(Op::LoadFromDictOrGlobals, index);
            }
            Some(Reach::GlobalExplicit) => {
                let index = self.unit().names.index(name);
                self.op_arg(pick(Op::LoadGlobal, Op::StoreGlobal, Op::DeleteGlobal), index);
            }
            Some(Reach::GlobalImplicit) if kind.is_function_like() => {
                let index = self.unit().names.index(name);
                self.op_arg(pick(Op::LoadGlobal, Op::StoreGlobal, Op::DeleteGlobal), index);
            }
            _ => {
                let index = self.unit().names.index(name);
                self.op_arg(pick(Op::LoadName, Op::StoreName, Op::DeleteName), index);
            }
        }
        Ok(())
    }

    /// Makes a function of a code object: its closure, code and name, behind what `flags` say is on the stack already.
    fn make_closure(&mut self, code: Code, mut flags: u32, qualname: Wtf8) -> Outcome {
        if !code.freevars.is_empty() {
            for free in &code.freevars {
                let name: Name = free.to_lossy().as_ref().into();
                let index = self.unit().cell_index(&name)?;
                self.op_arg(Op::LoadClosure, index);
            }
            flags |= 8;
            self.op_arg(Op::BuildTuple, code.freevars.len() as u32);
        }
        self.load_const(Const::Code(std::rc::Rc::new(code)));
        self.load_const(Const::Str(qualname));
        self.op_arg(Op::MakeFunction, flags);
        Ok(())
    }

    /// The statements of a module or class.
    fn body(&mut self, body: &'a [Stmt]) -> Outcome {
        let module = self.unit().kind == UnitKind::Module;
        if let (true, Some(first)) = (module, body.first()) {
            let range = crate::place::statement(self.places.source(), first);
            self.set_place(range);
        }
        self.annotations_start(module)?;
        let mut rest = body;
        if !self.interactive || !module {
            let docstring = self.docstring(body);
            if let (Some((text, range)), Some((_, after))) = (docstring, body.split_first()) {
                rest = after;
                if self.options.optimize < 2 {
                    let place = self.places.of(range);
                    self.at(place, |this| {
                        this.load_const(text);
                        Ok(())
                    })?;
                    self.no_place();
                    self.name("__doc__", Use::Store)?;
                }
            }
        }
        self.statements(rest)?;
        self.deferred_annotations()
    }

    /// The docstring that a body starts with, its indentation removed.
    fn docstring(&self, body: &[Stmt]) -> Option<(Const, TextRange)> {
        let Stmt::Expr(first) = body.first()? else { return None };
        let Expr::StringLiteral(_) = &*first.value else { return None };
        let Const::Str(text) = self.folds.constant(&first.value)? else { return None };
        Some((Const::Str(Wtf8(clean_doc(&text.0).into())), first.value.range()))
    }

    fn statements(&mut self, body: &'a [Stmt]) -> Outcome {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }
}

/// A docstring without the indentation that its lines share, as `inspect.cleandoc` has it, trailing blank lines kept.
fn clean_doc(doc: &[u8]) -> Vec<u8> {
    let expanded = expand_tabs(doc);
    let blank = |line: &[u8]| line.iter().all(|&b| b == b' ');
    let margin = expanded
        .split(|&b| b == b'\n')
        .skip(1)
        .filter(|line| !blank(line))
        .map(|line| line.iter().take_while(|&&b| b == b' ').count())
        .min();
    let mut out = Vec::with_capacity(expanded.len());
    for (number, line) in expanded.split(|&b| b == b'\n').enumerate() {
        if number == 0 {
            let spaces = line.iter().take_while(|&&b| b == b' ').count();
            out.extend(&line[spaces..]);
        } else {
            out.push(b'\n');
            let spaces = line.iter().take_while(|&&b| b == b' ').count();
            out.extend(&line[margin.unwrap_or(usize::MAX).min(spaces)..]);
        }
    }
    out
}

/// `str.expandtabs()`.
fn expand_tabs(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut column = 0;
    for &byte in text {
        match byte {
            b'\t' => {
                let spaces = 8 - column % 8;
                out.extend(std::iter::repeat_n(b' ', spaces));
                column += spaces;
            }
            b'\n' | b'\r' => {
                out.push(byte);
                column = 0;
            }
            _ => {
                out.push(byte);
                // Bytes inside a character do not move on.
                column += usize::from(byte & 0xc0 != 0x80);
            }
        }
    }
    out
}

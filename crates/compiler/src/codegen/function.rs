//! Functions and lambdas.

use super::unit::UnitKind;
use super::{Compiler, Use};
use crate::error::Outcome;
use crate::place::Place;
use crate::symtable::{Name, Part};
use pellucid_bytecode::{Const, Op, Wtf8};
use pellucid_syntax::ast;
use pellucid_syntax::text_size::{Ranged, TextRange};

/// Bits of `MAKE_FUNCTION`.
pub(super) const DEFAULTS: u32 = 1;
pub(super) const KWDEFAULTS: u32 = 2;
pub(super) const ANNOTATIONS: u32 = 4;

impl<'a> Compiler<'a> {
    pub(super) fn decorators(&mut self, decorators: &'a [ast::Decorator]) -> Outcome {
        decorators.iter().try_for_each(|decorator| self.expr(&decorator.expression))
    }

    /// Calls the decorators that are on the stack, each with what the one behind it returned. Every call is placed
    /// at its decorator, as CPython does since 3.11.
    pub(super) fn apply_decorators(&mut self, decorators: &[ast::Decorator]) {
        let before = self.unit().place;
        for decorator in decorators.iter().rev() {
            self.set_place(decorator.expression.range());
            if self.options.like_3_10 {
                self.unit().place.line = before.line;
            }
            self.op_arg(Op::CallFunction, 1);
        }
        self.unit().place = before;
    }

    /// The line of a definition: that of its first decorator.
    pub(super) fn first_line(&mut self, decorators: &[ast::Decorator], range: TextRange) -> Place {
        let start = decorators.first().map_or(range.start(), |first| first.expression.start());
        Place { line: self.places.line(start), range: None }
    }

    pub(super) fn function(&mut self, f: &'a ast::StmtFunctionDef, range: TextRange) -> Outcome {
        self.decorators(&f.decorator_list)?;
        let first = self.first_line(&f.decorator_list, range);
        let mut flags = self.defaults(&f.parameters)?;
        match &f.type_params {
            None => {
                flags |= self.function_annotations(f, range)?;
                self.function_body(f, first, flags)?;
            }
            Some(type_params) => self.generic_function(f, type_params, first, flags, range)?,
        }
        self.apply_decorators(&f.decorator_list);
        self.name(&f.name, Use::Store)
    }

    /// A function with type parameters: a hidden function binds them, gets the defaults as arguments, and returns it.
    fn generic_function(
        &mut self,
        f: &'a ast::StmtFunctionDef,
        type_params: &'a ast::TypeParams,
        first: Place,
        mut flags: u32,
        range: TextRange,
    ) -> Outcome {
        let given = (flags & (DEFAULTS | KWDEFAULTS)).count_ones();
        let name = format!("<generic parameters of {}>", f.name);
        let block = self.block_of(type_params, Part::TypeParameters)?;
        self.enter(block, UnitKind::Annotations, &name, first, None)?;
        self.unit().argcount = given;
        self.set_place(range);
        self.type_parameters(type_params)?;
        for i in 0..given {
            self.op_arg(Op::LoadFast, i);
        }
        flags |= self.function_annotations(f, range)?;
        self.function_body(f, first, flags)?;
        // The function is on top of its type parameters.
        self.op(Op::RotTwo);
        self.op_arg(Op::Intrinsic2, pellucid_bytecode::ops::Intrinsic::SetFunctionTypeParams as u32);
        let code = self.leave(false)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, 0, qualname)?;
        match given {
            1 => self.op(Op::RotTwo),
            2 => self.op(Op::RotThree),
            _ => {}
        }
        self.op_arg(Op::CallFunction, given);
        Ok(())
    }

    fn function_body(&mut self, f: &'a ast::StmtFunctionDef, first: Place, flags: u32) -> Outcome {
        let kind = if f.is_async { UnitKind::AsyncFunction } else { UnitKind::Function };
        let block = self.block_of(f, Part::Body)?;
        let docstring = self.docstring(&f.body);
        self.enter(block, kind, &f.name, first, None)?;
        let mut body = &f.body[..];
        let mut doc = Const::None;
        if let (Some((text, _)), Some((_, after))) = (docstring, body.split_first()) {
            body = after;
            if self.options.optimize < 2 {
                doc = text;
            }
        }
        self.unit().consts.index(doc);
        self.parameter_counts(&f.parameters);
        self.statements(body)?;
        let code = self.leave(true)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, flags, qualname)
    }

    fn parameter_counts(&mut self, parameters: &ast::Parameters) {
        let unit = self.unit();
        unit.posonlyargcount = parameters.posonlyargs.len() as u32;
        unit.argcount = unit.posonlyargcount + parameters.args.len() as u32;
        unit.kwonlyargcount = parameters.kwonlyargs.len() as u32;
    }

    /// Pushes the defaults. Returns the flags of `MAKE_FUNCTION` about them.
    fn defaults(&mut self, parameters: &'a ast::Parameters) -> Outcome<u32> {
        let mut flags = 0;
        let mut count = 0;
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args) {
            if let Some(default) = &parameter.default {
                self.expr(default)?;
                count += 1;
            }
        }
        if count > 0 {
            self.op_arg(Op::BuildTuple, count);
            flags |= DEFAULTS;
        }
        let mut names = Vec::new();
        for parameter in &parameters.kwonlyargs {
            if let Some(default) = &parameter.default {
                let name: Name = self.mangle(&parameter.parameter.name);
                names.push(Const::Str(Wtf8::from(&*name)));
                self.expr(default)?;
            }
        }
        if !names.is_empty() {
            let count = names.len() as u32;
            self.load_const(Const::Tuple(names.into()));
            self.op_arg(Op::BuildConstKeyMap, count);
            flags |= KWDEFAULTS;
        }
        Ok(flags)
    }

    pub(super) fn lambda(&mut self, e: &'a ast::ExprLambda) -> Outcome {
        let flags = match &e.parameters {
            Some(parameters) => self.defaults(parameters)?,
            None => 0,
        };
        let block = self.block_of(e, Part::Body)?;
        let first = Place::line(u32::try_from(self.places.line(e.range.start())).unwrap_or(1));
        self.enter(block, UnitKind::Lambda, "<lambda>", first, None)?;
        self.unit().consts.index(Const::None);
        if let Some(parameters) = &e.parameters {
            self.parameter_counts(parameters);
        }
        self.expr(&e.body)?;
        let code = if self.block().generator {
            self.leave(false)?
        } else {
            self.unit().place = Place::SAME;
            self.op(Op::ReturnValue);
            self.leave(true)?
        };
        let qualname = code.qualname.clone();
        self.make_closure(code, flags, qualname)
    }
}

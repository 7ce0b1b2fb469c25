//! Annotations: functions that are called when somebody asks for them, or strings.

use super::function::ANNOTATIONS;
use super::unit::UnitKind;
use super::{Compiler, Use};
use crate::error::Outcome;
use crate::flow::Instr;
use crate::place::Place;
use crate::symtable::{BlockKind, Part, annotated_parameters};
use crate::unparse::unparse;
use pellucid_bytecode::{Const, Op, Wtf8};
use pellucid_syntax::ast::{self, Expr};
use pellucid_syntax::text_size::{Ranged, TextRange};

/// The annotated variables of a module or class, and what is known of whether they are reached.
#[derive(Debug, Default)]
pub(super) struct Deferred<'a> {
    list: Vec<(&'a ast::StmtAnnAssign, Option<u32>)>,
    next_index: u32,
    start: Option<Place>,
}

impl<'a> Compiler<'a> {
    /// What a module or class with annotations starts with.
    pub(super) fn annotations_start(&mut self, module: bool) -> Outcome {
        let place = self.unit().place;
        self.unit().annotations.start = Some(place);
        if self.options.future_annotations {
            if self.block().annotations_used {
                self.op(Op::SetupAnnotations);
            }
        } else if module && self.block().has_conditional_annotations {
            self.op_arg(Op::BuildSet, 0);
            self.name("__conditional_annotations__", Use::Store)?;
        }
        Ok(())
    }

    pub(super) fn annotated(&mut self, s: &'a ast::StmtAnnAssign) -> Outcome {
        if let Some(value) = &s.value {
            self.expr(value)?;
            self.expr(&s.target)?;
        }
        match &*s.target {
            Expr::Name(name) => {
                let kind = self.unit().kind;
                if s.simple && matches!(kind, UnitKind::Module | UnitKind::Class) {
                    self.simple_annotation(s, &name.id)?;
                }
            }
            // Without a value, what the target is made of is evaluated all the same.
            Expr::Attribute(target) if s.value.is_none() => self.discard(&target.value)?,
            Expr::Subscript(target) if s.value.is_none() => {
                self.discard(&target.value)?;
                self.discard_index(&target.slice)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn discard(&mut self, expr: &'a Expr) -> Outcome {
        self.expr(expr)?;
        self.op(Op::PopTop);
        Ok(())
    }

    fn discard_index(&mut self, slice: &'a Expr) -> Outcome {
        match slice {
            Expr::Slice(slice) => {
                for part in [&slice.lower, &slice.upper, &slice.step].into_iter().flatten() {
                    self.discard(part)?;
                }
                Ok(())
            }
            Expr::Tuple(tuple) => tuple.elts.iter().try_for_each(|elt| self.discard_index(elt)),
            _ => self.discard(slice),
        }
    }

    fn simple_annotation(&mut self, s: &'a ast::StmtAnnAssign, name: &str) -> Outcome {
        if self.options.future_annotations {
            self.annotation_text(&s.annotation);
            self.op_name(Op::LoadName, "__annotations__");
            let mangled = self.mangle(name);
            self.load_str(&mangled);
            self.op(Op::StoreSubscr);
            return Ok(());
        }
        let conditional = self.unit().kind == UnitKind::Module || self.unit().conditional > 0;
        let deferred = &mut self.unit().annotations;
        let index = conditional.then(|| {
            deferred.next_index += 1;
            deferred.next_index - 1
        });
        deferred.list.push((s, index));
        if let Some(index) = index {
            match self.unit().kind {
                UnitKind::Class => {
                    let cell = self.unit().cell_index(&"__conditional_annotations__".into())?;
                    self.op_arg(Op::LoadDeref, cell);
                }
                _ => self.op_name(Op::LoadName, "__conditional_annotations__"),
            }
            self.load_const(Const::Int(index.into()));
            self.op_arg(Op::SetAdd, 1);
            self.op(Op::PopTop);
        }
        Ok(())
    }

    /// An annotation as text.
    fn annotation_text(&mut self, annotation: &Expr) {
        let text = unparse(annotation, self.places.source());
        self.load_const(Const::Str(Wtf8(text.into())));
    }

    /// Makes the function for the annotations of a module or class: a module gets it at its start, a class at its end.
    pub(super) fn deferred_annotations(&mut self) -> Outcome {
        let deferred = std::mem::take(&mut self.unit().annotations);
        if deferred.list.is_empty() {
            return Ok(());
        }
        let Some(block) = self.block().annotation_block else { return Ok(()) };
        let class = self.unit().kind == UnitKind::Class;
        let before = self.unit().place;
        let place = deferred.start.unwrap_or(Place::NONE);
        let first = Place::line(self.unit().first_line);
        self.enter(block, UnitKind::Annotations, "__annotate__", first, None)?;
        self.unit().place = first;
        self.format_check(first)?;
        self.op_arg(Op::BuildMap, 0);
        for (s, index) in &deferred.list {
            self.deferred_annotation(s, *index, class)?;
        }
        self.op(Op::ReturnValue);
        let code = self.leave(true)?;
        let qualname = code.qualname.clone();
        if class {
            self.unit().place = place;
            self.make_closure(code, 0, qualname)?;
            self.name("__annotate_func__", Use::Store)?;
        } else {
            let unit = self.unit();
            let load = |op, arg| Instr { op, arg, target: None, place };
            let code = unit.consts.index(Const::Code(std::rc::Rc::new(code)));
            let qualname = unit.consts.index(Const::Str(qualname));
            let name = unit.names.index(&"__annotate__".into());
            unit.graph.prepend(vec![
                load(Op::LoadConst, code),
                load(Op::LoadConst, qualname),
                load(Op::MakeFunction, 0),
                load(Op::StoreName, name),
            ]);
        }
        self.unit().place = before;
        Ok(())
    }

    fn deferred_annotation(&mut self, s: &'a ast::StmtAnnAssign, index: Option<u32>, class: bool) -> Outcome {
        self.set_place(s.range);
        let Expr::Name(name) = &*s.target else { return Ok(()) };
        let not_set = self.new_block();
        if let Some(index) = index {
            self.load_const(Const::Int(index.into()));
            if class {
                let cell = self.unit().cell_index(&"__conditional_annotations__".into())?;
                self.op_arg(Op::LoadDeref, cell);
            } else {
                self.op_name(Op::LoadGlobal, "__conditional_annotations__");
            }
            self.op_arg(Op::ContainsOp, 0);
            self.jump(Op::PopJumpIfFalse, not_set);
        }
        let mangled = self.mangle(&name.id);
        self.load_str(&mangled);
        self.expr(&s.annotation)?;
        self.op_arg(Op::MapAdd, 1);
        self.use_next(not_set);
        Ok(())
    }

    /// Pushes the annotations of a function: a tuple of names and texts, or a function. Returns the flag of
    /// `MAKE_FUNCTION` about them.
    pub(super) fn function_annotations(
        &mut self,
        f: &'a ast::StmtFunctionDef,
        range: TextRange,
    ) -> Outcome<u32> {
        let mut all: Vec<(&'a str, &'a Expr)> = annotated_parameters(&f.parameters)
            .map(|(name, annotation)| (name.as_str(), annotation))
            .collect();
        all.extend(f.returns.as_deref().map(|returns| ("return", returns)));
        if all.is_empty() {
            return Ok(0);
        }
        let count = all.len() as u32;
        if self.options.future_annotations {
            for (name, annotation) in all {
                let mangled = self.mangle(name);
                self.load_str(&mangled);
                let place = self.places.of(annotation.range());
                self.at(place, |this| {
                    this.annotation_text(annotation);
                    Ok(())
                })?;
            }
            self.op_arg(Op::BuildTuple, 2 * count);
            return Ok(ANNOTATIONS);
        }
        let block = self.block_of(f, Part::Annotations)?;
        let place = self.places.of(range);
        self.enter(block, UnitKind::Annotations, "__annotate__", Place { range: None, ..place }, None)?;
        self.unit().place = place;
        self.format_check(place)?;
        for (name, annotation) in all {
            let mangled = self.mangle(name);
            self.load_str(&mangled);
            match annotation {
                Expr::Starred(starred) => {
                    self.expr(&starred.value)?;
                    self.op_arg(Op::UnpackSequence, 1);
                }
                _ => self.expr(annotation)?,
            }
        }
        self.op_arg(Op::BuildMap, count);
        self.op(Op::ReturnValue);
        let code = self.leave(true)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, 0, qualname)?;
        debug_assert!(self.block().kind != BlockKind::Annotation);
        Ok(ANNOTATIONS)
    }
}

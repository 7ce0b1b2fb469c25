//! Comprehensions and generator expressions: functions of their outermost iterator.

use super::Compiler;
use super::fblock::Fblock;
use super::unit::UnitKind;
use crate::error::{Failure, Outcome};
use crate::fold::Iterated;
use crate::place::Place;
use crate::symtable::{ComprehensionKind, Part};
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ast::{self, Expr};
use pellucid_syntax::text_size::Ranged;

/// What a comprehension makes of each item.
#[derive(Clone, Copy)]
struct Element<'a> {
    kind: ComprehensionKind,
    elt: &'a Expr,
    value: Option<&'a Expr>,
}

impl<'a> Compiler<'a> {
    pub(super) fn comprehension(&mut self, expr: &'a Expr) -> Outcome {
        use ComprehensionKind::*;
        let (block, generators, element, name) = match expr {
            Expr::ListComp(e) => {
                let element = Element { kind: List, elt: &e.elt, value: None };
                (self.block_of(e, Part::Body)?, &e.generators, element, "<listcomp>")
            }
            Expr::SetComp(e) => {
                let element = Element { kind: Set, elt: &e.elt, value: None };
                (self.block_of(e, Part::Body)?, &e.generators, element, "<setcomp>")
            }
            Expr::DictComp(e) => {
                let Some(key) = &e.key else {
                    return Failure::at(e.range, "dict unpacking cannot be used in dict comprehension");
                };
                let element = Element { kind: Dict, elt: key, value: Some(&e.value) };
                (self.block_of(e, Part::Body)?, &e.generators, element, "<dictcomp>")
            }
            Expr::Generator(e) => {
                let element = Element { kind: Generator, elt: &e.elt, value: None };
                (self.block_of(e, Part::Body)?, &e.generators, element, "<genexpr>")
            }
            _ => return Ok(()),
        };
        let place = self.unit().place;
        self.enter(block, UnitKind::Comprehension, name, Place { range: None, ..place }, None)?;
        self.unit().place = place;
        let is_async = self.block().coroutine;
        match element.kind {
            List => self.op_arg(Op::BuildList, 0),
            Set => self.op_arg(Op::BuildSet, 0),
            Dict => self.op_arg(Op::BuildMap, 0),
            Generator => {}
        }
        self.generators(generators, 0, 0, element)?;
        if element.kind != Generator {
            self.op(Op::ReturnValue);
        }
        let code = self.leave(true)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, 0, qualname)?;
        if let Some(outermost) = generators.first() {
            if outermost.is_async {
                self.expr(&outermost.iter)?;
                self.op(Op::GetAiter);
            } else {
                self.iterable(&outermost.iter)?;
                self.op(Op::GetIter);
            }
        }
        self.op_arg(Op::CallFunction, 1);
        if is_async && element.kind != Generator {
            self.await_top();
        }
        Ok(())
    }

    fn generators(
        &mut self,
        generators: &'a [ast::Comprehension],
        index: usize,
        depth: u32,
        element: Element<'a>,
    ) -> Outcome {
        match generators.get(index) {
            Some(generator) if generator.is_async => {
                self.async_generator(generators, generator, index, depth, element)
            }
            Some(generator) => self.sync_generator(generators, generator, index, depth, element),
            None => Ok(()),
        }
    }

    fn sync_generator(
        &mut self,
        generators: &'a [ast::Comprehension],
        generator: &'a ast::Comprehension,
        index: usize,
        mut depth: u32,
        element: Element<'a>,
    ) -> Outcome {
        let start = self.new_block();
        let if_cleanup = self.new_block();
        let anchor = self.new_block();
        let mut loops = true;
        if index == 0 {
            self.unit().argcount = 1;
            self.op_arg(Op::LoadFast, 0);
        } else if let Some(only) = self.only_item(&generator.iter) {
            // `for x in [y]` is an assignment.
            self.expr(only)?;
            loops = false;
        } else {
            self.iterable(&generator.iter)?;
            self.op(Op::GetIter);
        }
        if loops {
            depth += 1;
            self.use_next(start);
            let place = self.unit().place;
            self.unit().place.range = Some(generator.iter.range());
            self.jump(Op::ForIter, anchor);
            self.unit().place = place;
            self.unit().graph.start_block();
        }
        self.expr(&generator.target)?;
        for condition in &generator.ifs {
            self.jump_if(condition, if_cleanup, false)?;
            self.unit().graph.start_block();
        }
        self.element(generators, index, depth, element)?;
        self.use_next(if_cleanup);
        if loops {
            self.jump(Op::JumpAbsolute, start);
            self.use_next(anchor);
        }
        Ok(())
    }

    fn only_item(&self, iter: &'a Expr) -> Option<&'a Expr> {
        let elts = match iter {
            Expr::List(list) if self.folds.iterated(iter) == Iterated::Tuple => &list.elts,
            Expr::List(list) if list.elts.iter().any(Expr::is_starred_expr) => &list.elts,
            Expr::Tuple(tuple) if !self.folds.is_constant(iter) => &tuple.elts,
            _ => return None,
        };
        match &elts[..] {
            [only] if !only.is_starred_expr() => Some(only),
            _ => None,
        }
    }

    fn async_generator(
        &mut self,
        generators: &'a [ast::Comprehension],
        generator: &'a ast::Comprehension,
        index: usize,
        depth: u32,
        element: Element<'a>,
    ) -> Outcome {
        let start = self.new_block();
        let except = self.new_block();
        let if_cleanup = self.new_block();
        if index == 0 {
            self.unit().argcount = 1;
            self.op_arg(Op::LoadFast, 0);
        } else {
            self.expr(&generator.iter)?;
            self.op(Op::GetAiter);
        }
        self.use_next(start);
        self.push_fblock(Fblock::AsyncComprehension)?;
        self.jump(Op::SetupFinally, except);
        self.op(Op::GetAnext);
        self.load_const(Const::None);
        self.op(Op::YieldFrom);
        self.op(Op::PopBlock);
        self.expr(&generator.target)?;
        for condition in &generator.ifs {
            self.jump_if(condition, if_cleanup, false)?;
            self.unit().graph.start_block();
        }
        self.element(generators, index, depth + 1, element)?;
        self.use_next(if_cleanup);
        self.jump(Op::JumpAbsolute, start);
        self.pop_fblock();
        self.use_next(except);
        self.op(Op::EndAsyncFor);
        Ok(())
    }

    /// The inner generators, or the element behind the last one.
    fn element(
        &mut self,
        generators: &'a [ast::Comprehension],
        index: usize,
        depth: u32,
        element: Element<'a>,
    ) -> Outcome {
        if index + 1 < generators.len() {
            return self.generators(generators, index + 1, depth, element);
        }
        let starred = element.elt.is_starred_expr();
        if starred {
            let message = "iterable unpacking cannot be used in comprehension";
            return Failure::at(element.elt.range(), message);
        }
        self.expr(element.elt)?;
        match element.kind {
            ComprehensionKind::Generator => {
                self.op(Op::YieldValue);
                self.op(Op::PopTop);
            }
            ComprehensionKind::List => self.op_arg(Op::ListAppend, depth + 1),
            ComprehensionKind::Set => self.op_arg(Op::SetAdd, depth + 1),
            ComprehensionKind::Dict => {
                if let Some(value) = element.value {
                    self.expr(value)?;
                }
                self.op_arg(Op::MapAdd, depth + 1);
            }
        }
        Ok(())
    }
}

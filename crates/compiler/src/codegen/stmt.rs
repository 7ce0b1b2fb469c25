//! Statements.

use super::fblock::Fblock;
use super::unit::UnitKind;
use super::{Compiler, Use};
use crate::error::{Failure, Outcome};
use crate::place::Place;
use crate::symtable::{BlockKind, SymbolTable};
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ast::{self, Expr, Operator, Stmt};
use pellucid_syntax::text_size::{Ranged, TextRange};

impl<'a> Compiler<'a> {
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) -> Outcome {
        let range = crate::place::statement(self.places.source(), stmt);
        self.set_place(range);
        match stmt {
            Stmt::FunctionDef(s) => self.function(s, range),
            Stmt::ClassDef(s) => self.class(s, range),
            Stmt::TypeAlias(s) => self.type_alias(s),
            Stmt::Return(s) => self.return_stmt(s),
            Stmt::Delete(s) => s.targets.iter().try_for_each(|target| self.expr(target)),
            Stmt::Assign(s) => {
                self.expr(&s.value)?;
                for (i, target) in s.targets.iter().enumerate() {
                    if i + 1 < s.targets.len() {
                        self.op(Op::DupTop);
                    }
                    self.expr(target)?;
                }
                Ok(())
            }
            Stmt::AugAssign(s) => self.augmented(s),
            Stmt::AnnAssign(s) => self.annotated(s),
            Stmt::For(s) => self.conditionally(|this| this.for_stmt(s)),
            Stmt::While(s) => self.conditionally(|this| this.while_stmt(s)),
            Stmt::If(s) => self.conditionally(|this| this.if_stmt(&s.test, &s.body, &s.elif_else_clauses)),
            Stmt::With(s) => self.conditionally(|this| this.with(s, 0)),
            Stmt::Match(s) => self.conditionally(|this| this.match_stmt(s)),
            Stmt::Raise(s) => {
                let mut count = 0;
                for value in s.exc.iter().chain(&s.cause) {
                    self.expr(value)?;
                    count += 1;
                }
                self.op_arg(Op::RaiseVarargs, count);
                Ok(())
            }
            Stmt::Try(s) => self.conditionally(|this| this.try_stmt(s)),
            Stmt::Assert(s) => self.assert_stmt(s),
            Stmt::Import(s) => s.names.iter().try_for_each(|alias| self.import(alias)),
            Stmt::ImportFrom(s) => self.import_from(s),
            Stmt::Global(_) | Stmt::Nonlocal(_) => Ok(()),
            Stmt::Expr(s) => self.expr_stmt(s),
            Stmt::Pass(_) => {
                self.op(Op::Nop);
                Ok(())
            }
            Stmt::Break(s) => self.break_stmt(s.range),
            Stmt::Continue(s) => self.continue_stmt(s.range),
            Stmt::IpyEscapeCommand(s) => Failure::at(s.range, "invalid syntax"),
        }
    }

    fn conditionally(&mut self, f: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.unit().conditional += 1;
        f(self)?;
        self.unit().conditional -= 1;
        Ok(())
    }

    fn expr_stmt(&mut self, s: &'a ast::StmtExpr) -> Outcome {
        if self.interactive && self.units.len() <= 1 {
            self.expr(&s.value)?;
            self.op(Op::PrintExpr);
        } else if self.folds.is_constant(&s.value) {
            self.op(Op::Nop);
        } else {
            self.expr(&s.value)?;
            self.no_place();
            self.op(Op::PopTop);
        }
        Ok(())
    }

    fn return_stmt(&mut self, s: &'a ast::StmtReturn) -> Outcome {
        if self.block().kind != BlockKind::Function {
            return Failure::at(s.range, "'return' outside function");
        }
        let block = self.block();
        if s.value.is_some() && block.coroutine && block.generator {
            return Failure::at(s.range, "'return' with value in async generator");
        }
        let constant = s.value.as_ref().and_then(|value| self.folds.constant(value));
        let preserve_tos = s.value.is_some() && constant.is_none();
        let line = self.unit().place.line;
        let mut value_line = None;
        if let Some(value) = &s.value {
            value_line = Some(self.places.line(value.start()));
            if preserve_tos {
                self.expr(value)?;
            } else {
                self.set_place(value.range());
                self.op(Op::Nop);
            }
        }
        if value_line != Some(line) {
            self.set_place(s.range);
            self.op(Op::Nop);
        }
        let range = self.here();
        self.unwind(preserve_tos, false, range)?;
        if !preserve_tos {
            self.load_const(constant.unwrap_or(Const::None));
        }
        self.op(Op::ReturnValue);
        self.unit().graph.start_block();
        Ok(())
    }

    fn break_stmt(&mut self, range: TextRange) -> Outcome {
        self.op(Op::Nop);
        match self.unwind(false, true, range)? {
            Some(fblock @ Fblock::Loop { exit, .. }) => {
                self.unwind_one(fblock, false)?;
                self.jump(Op::JumpForward, exit);
                Ok(())
            }
            _ => Failure::at(range, "'break' outside loop"),
        }
    }

    fn continue_stmt(&mut self, range: TextRange) -> Outcome {
        self.op(Op::Nop);
        match self.unwind(false, true, range)? {
            Some(Fblock::Loop { start, .. }) => {
                self.jump(Op::JumpAbsolute, start);
                Ok(())
            }
            _ => Failure::at(range, "'continue' not properly in loop"),
        }
    }

    fn if_stmt(
        &mut self,
        mut test: &'a Expr,
        mut body: &'a [Stmt],
        mut clauses: &'a [ast::ElifElseClause],
    ) -> Outcome {
        // An `elif` is an `if` in the `else` of the one before, but there may be too many for recursion.
        let mut ends = Vec::new();
        loop {
            let end = self.new_block();
            ends.push(end);
            let next = if clauses.is_empty() { end } else { self.new_block() };
            self.jump_if(test, next, false)?;
            self.statements(body)?;
            let Some((clause, rest)) = clauses.split_first() else { break };
            self.jump_without_line(Op::JumpForward, end);
            self.use_next(next);
            let Some(clause_test) = &clause.test else {
                self.statements(&clause.body)?;
                break;
            };
            self.set_place(clause.range);
            (test, body, clauses) = (clause_test, &clause.body, rest);
        }
        ends.into_iter().rev().for_each(|end| self.use_next(end));
        Ok(())
    }

    fn for_stmt(&mut self, s: &'a ast::StmtFor) -> Outcome {
        if s.is_async {
            return self.async_for(s);
        }
        let start = self.new_block();
        let body = self.new_block();
        let cleanup = self.new_block();
        let end = self.new_block();
        self.push_fblock(Fblock::Loop { start, exit: end, iterator: true })?;
        self.iterable(&s.iter)?;
        // What goes wrong with the iterator is shown at the expression that it comes from.
        self.set_inner_place(s.range, s.iter.range());
        self.op(Op::GetIter);
        self.use_next(start);
        self.jump(Op::ForIter, cleanup);
        self.set_place(s.range);
        self.use_next(body);
        self.expr(&s.target)?;
        self.statements(&s.body)?;
        self.no_place();
        self.jump(Op::JumpAbsolute, start);
        self.use_next(cleanup);
        self.pop_fblock();
        self.statements(&s.orelse)?;
        self.use_next(end);
        Ok(())
    }

    fn async_for(&mut self, s: &'a ast::StmtFor) -> Outcome {
        self.need_async("'async for' outside async function", s.range)?;
        let start = self.new_block();
        let except = self.new_block();
        let end = self.new_block();
        self.expr(&s.iter)?;
        self.op(Op::GetAiter);
        self.use_next(start);
        self.push_fblock(Fblock::Loop { start, exit: end, iterator: true })?;
        self.jump(Op::SetupFinally, except);
        self.op(Op::GetAnext);
        self.load_const(Const::None);
        self.op(Op::YieldFrom);
        self.op(Op::PopBlock);
        self.expr(&s.target)?;
        self.statements(&s.body)?;
        self.no_place();
        self.jump(Op::JumpAbsolute, start);
        self.pop_fblock();
        self.use_next(except);
        self.set_place(s.iter.range());
        self.op(Op::EndAsyncFor);
        self.statements(&s.orelse)?;
        self.use_next(end);
        Ok(())
    }

    /// Errors: the code is not asynchronous and cannot become so.
    pub(super) fn need_async(&mut self, message: &str, range: TextRange) -> Outcome {
        let top = self.options.top_level_await && self.units.len() == 1;
        if top {
            self.table.set_coroutine(SymbolTable::TOP);
            return Ok(());
        }
        match self.unit().kind {
            UnitKind::AsyncFunction => Ok(()),
            _ => Failure::at(range, message),
        }
    }

    fn while_stmt(&mut self, s: &'a ast::StmtWhile) -> Outcome {
        let start = self.new_block();
        let body = self.new_block();
        let anchor = self.new_block();
        let end = self.new_block();
        self.use_next(start);
        self.push_fblock(Fblock::Loop { start, exit: end, iterator: false })?;
        self.jump_if(&s.test, anchor, false)?;
        self.use_next(body);
        self.statements(&s.body)?;
        self.set_place(s.range);
        self.in_finally_copy += 1;
        self.jump_if(&s.test, body, true)?;
        self.in_finally_copy -= 1;
        self.pop_fblock();
        self.use_next(anchor);
        self.statements(&s.orelse)?;
        self.use_next(end);
        Ok(())
    }

    fn augmented(&mut self, s: &'a ast::StmtAugAssign) -> Outcome {
        let target = &*s.target;
        let before = self.unit().place;
        let place = self.places.of(target.range());
        self.unit().place = place;
        match target {
            Expr::Attribute(e) => {
                self.expr(&e.value)?;
                self.op(Op::DupTop);
                let place = self.attribute_place(e);
                self.at(place, |this| {
                    this.op_name(Op::LoadAttr, &e.attr);
                    Ok(())
                })?;
            }
            Expr::Subscript(e) => {
                self.expr(&e.value)?;
                self.expr(&e.slice)?;
                self.op(Op::DupTopTwo);
                self.op(Op::BinarySubscr);
            }
            Expr::Name(e) => self.name(&e.id, Use::Load)?,
            _ => return Failure::at(target.range(), "invalid target of an augmented assignment"),
        }
        self.unit().place = before;
        self.expr(&s.value)?;
        self.op(inplace(s.op));
        self.unit().place = place;
        match target {
            Expr::Attribute(e) => {
                self.unit().place = self.attribute_place(e);
                self.op(Op::RotTwo);
                self.op_name(Op::StoreAttr, &e.attr);
                self.note_static_attribute(e);
            }
            Expr::Subscript(_) => {
                self.op(Op::RotThree);
                self.op(Op::StoreSubscr);
            }
            Expr::Name(e) => self.name(&e.id, Use::Store)?,
            _ => {}
        }
        Ok(())
    }

    fn with(&mut self, s: &'a ast::StmtWith, item: usize) -> Outcome {
        if s.is_async && item == 0 {
            self.need_async("'async with' outside async function", s.range)?;
        }
        let Some(current) = s.items.get(item) else { return self.statements(&s.body) };
        let block = self.new_block();
        let last = self.new_block();
        let exit = self.new_block();
        let item_range = current.context_expr.range();
        self.expr(&current.context_expr)?;
        let before = self.unit().place;
        self.unit().place = Place { line: before.line, range: Some(item_range) };
        if s.is_async {
            self.op(Op::BeforeAsyncWith);
            self.await_top();
            self.jump(Op::SetupAsyncWith, last);
        } else {
            self.jump(Op::SetupWith, last);
        }
        self.unit().place = before;
        self.use_next(block);
        self.push_fblock(Fblock::With { range: s.range, item: item_range, is_async: s.is_async })?;
        match &current.optional_vars {
            Some(target) => self.expr(target)?,
            None => self.op(Op::PopTop),
        }
        self.with(s, item + 1)?;
        self.no_place();
        self.op(Op::PopBlock);
        self.pop_fblock();
        self.set_inner_place(s.range, item_range);
        self.call_exit_with_nones();
        if s.is_async {
            self.await_top();
        }
        self.op(Op::PopTop);
        self.jump(Op::JumpForward, exit);
        self.use_next(last);
        self.op(Op::WithExceptStart);
        if s.is_async {
            self.await_top();
        }
        let suppressed = self.new_block();
        self.jump(Op::PopJumpIfTrue, suppressed);
        self.op_arg(Op::Reraise, 1);
        self.use_next(suppressed);
        (0..3).for_each(|_| self.op(Op::PopTop));
        self.op(Op::PopExcept);
        self.op(Op::PopTop);
        self.use_next(exit);
        Ok(())
    }

    fn assert_stmt(&mut self, s: &'a ast::StmtAssert) -> Outcome {
        if let Expr::Tuple(tuple) = &*s.test
            && !tuple.elts.is_empty()
        {
            self.warn(s.range, "assertion is always true, perhaps remove parentheses?");
        }
        if self.options.optimize > 0 {
            return Ok(());
        }
        let end = self.new_block();
        self.jump_if(&s.test, end, true)?;
        self.op(Op::LoadAssertionError);
        if let Some(message) = &s.msg {
            self.expr(message)?;
            self.op_arg(Op::CallFunction, 1);
        }
        self.op_arg(Op::RaiseVarargs, 1);
        self.use_next(end);
        Ok(())
    }

    fn import(&mut self, alias: &'a ast::Alias) -> Outcome {
        self.load_const(Const::Int(0));
        self.load_const(Const::None);
        self.op_name(Op::ImportName, &alias.name);
        let mut parts = alias.name.split('.');
        let first = parts.next().unwrap_or_default();
        let Some(asname) = &alias.asname else { return self.name(first, Use::Store) };
        let rest: Vec<&str> = parts.collect();
        for (i, attribute) in rest.iter().enumerate() {
            self.op_name(Op::ImportFrom, attribute);
            if i + 1 < rest.len() {
                self.op(Op::RotTwo);
                self.op(Op::PopTop);
            }
        }
        self.name(asname, Use::Store)?;
        if !rest.is_empty() {
            self.op(Op::PopTop);
        }
        Ok(())
    }

    fn import_from(&mut self, s: &'a ast::StmtImportFrom) -> Outcome {
        if crate::is_future(s) && (self.units.len() > 1 || self.unit().conditional > 0) {
            return crate::late_future(s);
        }
        self.load_count(s.level as usize);
        let names = s.names.iter().map(|alias| Const::Str(alias.name.as_str().into())).collect();
        self.load_const(Const::Tuple(names));
        self.op_name(Op::ImportName, s.module.as_deref().unwrap_or_default());
        for alias in &s.names {
            if alias.name.as_str() == "*" {
                self.op(Op::ImportStar);
                return Ok(());
            }
            self.op_name(Op::ImportFrom, &alias.name);
            self.name(alias.asname.as_ref().unwrap_or(&alias.name), Use::Store)?;
        }
        self.op(Op::PopTop);
        Ok(())
    }
}

fn inplace(op: Operator) -> Op {
    match op {
        Operator::Add => Op::InplaceAdd,
        Operator::Sub => Op::InplaceSubtract,
        Operator::Mult => Op::InplaceMultiply,
        Operator::MatMult => Op::InplaceMatrixMultiply,
        Operator::Div => Op::InplaceTrueDivide,
        Operator::Mod => Op::InplaceModulo,
        Operator::Pow => Op::InplacePower,
        Operator::LShift => Op::InplaceLshift,
        Operator::RShift => Op::InplaceRshift,
        Operator::BitOr => Op::InplaceOr,
        Operator::BitXor => Op::InplaceXor,
        Operator::BitAnd => Op::InplaceAnd,
        Operator::FloorDiv => Op::InplaceFloorDivide,
    }
}

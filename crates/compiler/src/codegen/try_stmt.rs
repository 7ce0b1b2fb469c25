//! `try` statements.

use super::fblock::Fblock;
use super::{Compiler, Use};
use crate::error::{Failure, Outcome};
use crate::flow::BlockId;
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ast;

impl<'a> Compiler<'a> {
    pub(super) fn try_stmt(&mut self, s: &'a ast::StmtTry) -> Outcome {
        if s.finalbody.is_empty() { self.handled(s) } else { self.try_finally(s) }
    }

    fn handled(&mut self, s: &'a ast::StmtTry) -> Outcome {
        if s.is_star { self.try_star(s) } else { self.try_except(s) }
    }

    fn try_finally(&mut self, s: &'a ast::StmtTry) -> Outcome {
        let body = self.new_block();
        let end = self.new_block();
        let exit = self.new_block();
        self.jump(Op::SetupFinally, end);
        self.use_next(body);
        self.push_fblock(Fblock::FinallyTry(&s.finalbody))?;
        if s.handlers.is_empty() {
            self.statements(&s.body)?;
        } else {
            self.handled(s)?;
        }
        self.op_without_line(Op::PopBlock);
        self.pop_fblock();
        self.statements(&s.finalbody)?;
        self.jump_without_line(Op::JumpForward, exit);
        self.use_next(end);
        self.push_fblock(Fblock::FinallyEnd)?;
        self.in_finally_copy += 1;
        self.statements(&s.finalbody)?;
        self.in_finally_copy -= 1;
        self.pop_fblock();
        self.op_arg(Op::Reraise, 0);
        self.use_next(exit);
        Ok(())
    }

    fn try_except(&mut self, s: &'a ast::StmtTry) -> Outcome {
        let body = self.new_block();
        let mut except = self.new_block();
        let orelse = self.new_block();
        let end = self.new_block();
        self.jump(Op::SetupFinally, except);
        self.use_next(body);
        self.push_fblock(Fblock::TryExcept)?;
        self.statements(&s.body)?;
        self.pop_fblock();
        self.op_without_line(Op::PopBlock);
        self.jump_without_line(Op::JumpForward, orelse);
        self.use_next(except);
        self.push_fblock(Fblock::ExceptionHandler)?;
        for (i, ast::ExceptHandler::ExceptHandler(handler)) in s.handlers.iter().enumerate() {
            self.set_place(handler.range);
            if handler.type_.is_none() && i + 1 < s.handlers.len() {
                return Failure::at(handler.range, "default 'except:' must be last");
            }
            except = self.new_block();
            if let Some(class) = &handler.type_ {
                self.op(Op::DupTop);
                self.expr(class)?;
                self.jump(Op::JumpIfNotExcMatch, except);
            }
            self.op(Op::PopTop);
            match &handler.name {
                Some(name) => self.named_handler(name, handler, end)?,
                None => {
                    let cleanup_body = self.new_block();
                    self.op(Op::PopTop);
                    self.op(Op::PopTop);
                    self.use_next(cleanup_body);
                    self.push_fblock(Fblock::HandlerCleanup(None))?;
                    self.statements(&handler.body)?;
                    self.pop_fblock();
                    self.no_place();
                    self.op(Op::PopExcept);
                    self.jump(Op::JumpForward, end);
                }
            }
            self.use_next(except);
        }
        self.pop_fblock();
        self.no_place();
        self.op_arg(Op::Reraise, 0);
        self.use_next(orelse);
        self.statements(&s.orelse)?;
        self.use_next(end);
        Ok(())
    }

    /// A handler that binds its exception to a name, which is deleted at its end.
    fn named_handler(
        &mut self,
        name: &'a str,
        handler: &'a ast::ExceptHandlerExceptHandler,
        end: BlockId,
    ) -> Outcome {
        let cleanup_end = self.new_block();
        let cleanup_body = self.new_block();
        self.name(name, Use::Store)?;
        self.op(Op::PopTop);
        self.jump(Op::SetupFinally, cleanup_end);
        self.use_next(cleanup_body);
        self.push_fblock(Fblock::HandlerCleanup(Some(name)))?;
        self.statements(&handler.body)?;
        self.pop_fblock();
        self.no_place();
        self.op(Op::PopBlock);
        self.op(Op::PopExcept);
        self.forget(name)?;
        self.jump(Op::JumpForward, end);
        self.use_next(cleanup_end);
        self.no_place();
        self.forget(name)?;
        self.op_arg(Op::Reraise, 1);
        Ok(())
    }

    /// `except*`. While the handlers run, the stack has, above the exception handled before: the group that was raised, the
    /// list of what handlers raised, and what is left of the group.
    fn try_star(&mut self, s: &'a ast::StmtTry) -> Outcome {
        let body = self.new_block();
        let except = self.new_block();
        let orelse = self.new_block();
        let end = self.new_block();
        let reraise = self.new_block();
        self.jump(Op::SetupFinally, except);
        self.use_next(body);
        self.push_fblock(Fblock::TryExcept)?;
        self.statements(&s.body)?;
        self.pop_fblock();
        self.op_without_line(Op::PopBlock);
        self.jump_without_line(Op::JumpForward, orelse);
        self.use_next(except);
        self.push_fblock(Fblock::GroupHandler)?;
        if let Some(ast::ExceptHandler::ExceptHandler(first)) = s.handlers.first() {
            self.set_place(first.range);
        }
        // Type, value, traceback become value, list, value.
        self.op(Op::PopTop);
        self.op(Op::RotTwo);
        self.op(Op::PopTop);
        self.op(Op::DupTop);
        self.op_arg(Op::BuildList, 0);
        self.op(Op::RotTwo);
        for ast::ExceptHandler::ExceptHandler(handler) in &s.handlers {
            self.star_handler(handler)?;
        }
        self.pop_fblock();
        self.no_place();
        self.op_arg(Op::ListAppend, 1);
        self.op(Op::PrepReraiseStar);
        self.op(Op::DupTop);
        self.load_const(Const::None);
        self.op_arg(Op::IsOp, 0);
        self.jump(Op::PopJumpIfFalse, reraise);
        self.op(Op::PopTop);
        self.op(Op::PopExcept);
        self.jump(Op::JumpForward, end);
        self.use_next(reraise);
        self.op(Op::RotFour);
        self.op(Op::PopExcept);
        self.op(Op::DupTop);
        self.op(Op::DupTop);
        self.op_arg(Op::Reraise, 0);
        self.use_next(orelse);
        self.statements(&s.orelse)?;
        self.use_next(end);
        Ok(())
    }

    fn star_handler(&mut self, handler: &'a ast::ExceptHandlerExceptHandler) -> Outcome {
        let no_match = self.new_block();
        let cleanup_end = self.new_block();
        let cleanup_body = self.new_block();
        let next = self.new_block();
        self.set_place(handler.range);
        if let Some(class) = &handler.type_ {
            self.expr(class)?;
        }
        self.op(Op::CheckEgMatch);
        self.op(Op::DupTop);
        self.load_const(Const::None);
        self.op_arg(Op::IsOp, 0);
        self.jump(Op::PopJumpIfTrue, no_match);
        let name = handler.name.as_ref().map(|name| name.as_str());
        match name {
            Some(name) => self.name(name, Use::Store)?,
            None => self.op(Op::PopTop),
        }
        self.jump(Op::SetupFinally, cleanup_end);
        self.use_next(cleanup_body);
        self.push_fblock(Fblock::HandlerCleanup(name))?;
        self.statements(&handler.body)?;
        self.pop_fblock();
        self.no_place();
        self.op(Op::PopBlock);
        if let Some(name) = name {
            self.forget(name)?;
        }
        self.jump(Op::JumpForward, next);
        self.use_next(cleanup_end);
        self.no_place();
        // The exception goes to the list, which is below the rest, the exception before and the traceback.
        self.op(Op::PopTop);
        self.op_arg(Op::ListAppend, 6);
        self.op(Op::PopTop);
        self.op(Op::PopExcept);
        if let Some(name) = name {
            self.forget(name)?;
        }
        self.jump(Op::JumpForward, next);
        self.use_next(no_match);
        self.no_place();
        self.op(Op::PopTop);
        self.use_next(next);
        Ok(())
    }
}

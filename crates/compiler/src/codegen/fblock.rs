//! What has to be undone when a `return`, `break` or `continue` leaves blocks.

use super::{Compiler, Use};
use crate::error::{Failure, Outcome};
use crate::flow::BlockId;
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ast::Stmt;
use pellucid_syntax::text_size::TextRange;

/// The most blocks in each other.
const MAX_NESTED: usize = 21;

/// A block that is open.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fblock<'a> {
    /// A loop: where it starts, where it ends, and whether its iterator is on the stack.
    Loop { start: BlockId, exit: BlockId, iterator: bool },
    /// The body of a `try` with handlers.
    TryExcept,
    /// The `try` of a `finally`, whose body runs whichever way it is left.
    FinallyTry(&'a [Stmt]),
    /// The `finally` body that runs because of an exception.
    FinallyEnd,
    /// The body of a `with`, whose context manager is at `item`.
    With { range: TextRange, item: TextRange, is_async: bool },
    /// The body of a handler; `Some`: the name of its exception.
    HandlerCleanup(Option<&'a str>),
    /// A value to be returned.
    PopValue,
    /// The choice between handlers.
    ExceptionHandler,
    /// The same for `except*`.
    GroupHandler,
    /// A loop of an asynchronous comprehension.
    AsyncComprehension,
}

impl<'a> Compiler<'a> {
    pub(super) fn push_fblock(&mut self, fblock: Fblock<'a>) -> Outcome {
        if self.unit().fblocks.len() >= MAX_NESTED {
            let range = self.here();
            return Failure::at(range, "too many statically nested blocks");
        }
        self.unit().fblocks.push(fblock);
        Ok(())
    }

    pub(super) fn pop_fblock(&mut self) {
        self.unit().fblocks.pop();
    }

    /// Undoes the innermost blocks up to a loop, or all of them, which stay open for the code that follows. Returns
    /// the loop if `to_loop`.
    pub(super) fn unwind(
        &mut self,
        preserve_tos: bool,
        to_loop: bool,
        range: TextRange,
    ) -> Outcome<Option<Fblock<'a>>> {
        let Some(&top) = self.unit().fblocks.last() else { return Ok(None) };
        match top {
            Fblock::Loop { .. } if to_loop => return Ok(Some(top)),
            Fblock::GroupHandler => {
                let message = "'break', 'continue' and 'return' cannot appear in an except* block";
                return Failure::at(range, message);
            }
            _ => {}
        }
        self.unit().fblocks.pop();
        self.unwind_one(top, preserve_tos)?;
        let found = self.unwind(preserve_tos, to_loop, range)?;
        self.unit().fblocks.push(top);
        Ok(found)
    }

    /// Undoes one block.
    pub(super) fn unwind_one(&mut self, fblock: Fblock<'a>, preserve_tos: bool) -> Outcome {
        match fblock {
            Fblock::Loop { iterator: false, .. }
            | Fblock::ExceptionHandler
            | Fblock::GroupHandler
            | Fblock::AsyncComprehension => {}
            Fblock::Loop { iterator: true, .. } | Fblock::PopValue => {
                if preserve_tos {
                    self.op(Op::RotTwo);
                }
                self.op(Op::PopTop);
            }
            Fblock::TryExcept => self.op(Op::PopBlock),
            Fblock::FinallyTry(body) => {
                self.op(Op::PopBlock);
                if preserve_tos {
                    self.push_fblock(Fblock::PopValue)?;
                }
                self.in_finally_copy += 1;
                self.statements(body)?;
                self.in_finally_copy -= 1;
                if preserve_tos {
                    self.pop_fblock();
                }
                self.no_place();
            }
            Fblock::FinallyEnd => {
                if preserve_tos {
                    self.op(Op::RotFour);
                }
                (0..3).for_each(|_| self.op(Op::PopTop));
                if preserve_tos {
                    self.op(Op::RotFour);
                }
                self.op(Op::PopExcept);
            }
            Fblock::With { range, item, is_async } => {
                self.set_inner_place(range, item);
                self.op(Op::PopBlock);
                if preserve_tos {
                    self.op(Op::RotTwo);
                }
                self.call_exit_with_nones();
                if is_async {
                    self.await_top();
                }
                self.op(Op::PopTop);
                self.no_place();
            }
            Fblock::HandlerCleanup(name) => {
                if name.is_some() {
                    self.op(Op::PopBlock);
                }
                if preserve_tos {
                    self.op(Op::RotFour);
                }
                self.op(Op::PopExcept);
                if let Some(name) = name {
                    self.forget(name)?;
                }
            }
        }
        Ok(())
    }

    /// `name = None; del name`.
    pub(super) fn forget(&mut self, name: &str) -> Outcome {
        self.load_const(Const::None);
        self.name(name, Use::Store)?;
        self.name(name, Use::Delete)
    }

    pub(super) fn call_exit_with_nones(&mut self) {
        self.load_const(Const::None);
        self.op(Op::DupTop);
        self.op(Op::DupTop);
        self.op_arg(Op::CallFunction, 3);
    }

    /// `await` of the value on the stack.
    pub(super) fn await_top(&mut self) {
        self.op(Op::GetAwaitable);
        self.load_const(Const::None);
        self.op(Op::YieldFrom);
    }
}

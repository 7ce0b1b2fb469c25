//! `SyntaxWarning`s: what is valid, but hardly meant.

use super::Compiler;
use crate::SyntaxWarning;
use pellucid_bytecode::Const;
use pellucid_syntax::ast::{self, CmpOp, Expr};
use pellucid_syntax::text_size::{Ranged, TextRange};

impl Compiler<'_> {
    pub(super) fn warn(&mut self, range: TextRange, message: impl Into<String>) {
        if self.in_finally_copy == 0 {
            self.warnings.push(SyntaxWarning { message: message.into(), range });
        }
    }

    /// The name of the type that a literal's value is known to have.
    fn literal_type(&self, expr: &Expr) -> Option<&'static str> {
        Some(match self.folds.constant(expr) {
            Some(Const::None) => "NoneType",
            Some(Const::True | Const::False) => "bool",
            Some(Const::Ellipsis) => "ellipsis",
            Some(Const::Int(_) | Const::BigInt(_)) => "int",
            Some(Const::Float(_)) => "float",
            Some(Const::Complex(..)) => "complex",
            Some(Const::Str(_)) => "str",
            Some(Const::Bytes(_)) => "bytes",
            Some(Const::Tuple(_)) => "tuple",
            Some(Const::FrozenSet(_)) => "frozenset",
            Some(Const::Slice(_) | Const::Code(_)) => return None,
            None => match expr {
                Expr::Tuple(_) => "tuple",
                Expr::List(_) | Expr::ListComp(_) => "list",
                Expr::Dict(_) | Expr::DictComp(_) => "dict",
                Expr::Set(_) | Expr::SetComp(_) => "set",
                Expr::Generator(_) => "generator",
                Expr::Lambda(_) => "function",
                Expr::FString(_) => "str",
                Expr::TString(_) => "string.templatelib.Template",
                _ => return None,
            },
        })
    }

    pub(super) fn check_caller(&mut self, func: &Expr) {
        if matches!(func, Expr::Lambda(_)) {
            return;
        }
        if let Some(name) = self.literal_type(func) {
            let message = format!("'{name}' object is not callable; perhaps you missed a comma?");
            self.warn(func.range(), message);
        }
    }

    pub(super) fn check_subscript(&mut self, e: &ast::ExprSubscript) {
        let Some(name) = self.literal_type(&e.value) else { return };
        match name {
            "str" | "bytes" | "tuple" | "list" => {
                let index = self.literal_type(&e.slice);
                let fits =
                    matches!(index, None | Some("int" | "bool")) || matches!(&*e.slice, Expr::Slice(_));
                if let (Some(index), false) = (index, fits) {
                    let message = format!(
                        "{name} indices must be integers or slices, not {index}; perhaps you missed a comma?"
                    );
                    self.warn(e.range, message);
                }
            }
            "dict" => {}
            _ => {
                let message = format!("'{name}' object is not subscriptable; perhaps you missed a comma?");
                self.warn(e.range, message);
            }
        }
    }

    pub(super) fn check_compare(&mut self, e: &ast::ExprCompare) {
        // Comparing identity is right for the singletons.
        let literal = |this: &Self, expr: &Expr| match this.folds.constant(expr) {
            Some(Const::None | Const::True | Const::False | Const::Ellipsis) => None,
            Some(_) => this.literal_type(expr),
            None => None,
        };
        let mut left = literal(self, &e.left);
        for (op, comparator) in e.ops.iter().zip(&e.comparators) {
            let right = literal(self, comparator);
            if matches!(op, CmpOp::Is | CmpOp::IsNot)
                && let Some(name) = right.or(left)
            {
                let (word, other) = if *op == CmpOp::Is { ("is", "==") } else { ("is not", "!=") };
                let name = left.unwrap_or(name);
                let message = format!("\"{word}\" with '{name}' literal. Did you mean \"{other}\"?");
                self.warn(e.range, message);
                return;
            }
            left = right;
        }
    }
}

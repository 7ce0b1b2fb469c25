//! Patterns of `match`, from node objects.

use super::from_python::{Node, Reader, index};
use super::table::Kind;
use pellucid_object::{Res, Value};
use pellucid_syntax::ast::{self, Expr, ExprContext, Pattern};
use pellucid_syntax::text_size::TextRange;

impl Reader<'_> {
    fn refuse<T>(&self, message: &str) -> Res<T> {
        Err(self.vm.value_error(message.to_string()))
    }

    /// A pattern; `star`: a `MatchStar` may stand here.
    pub(super) fn pattern(&self, value: &Value, star: bool) -> Res<Pattern> {
        let node = self.node(value, "pattern")?;
        self.deeper("pattern", || self.pattern_of(&node, star))
    }

    fn patterns(&self, node: &Node, name: &str, star: bool) -> Res<Vec<Pattern>> {
        self.items(node, name)?.iter().map(|item| self.pattern(item, star)).collect()
    }

    fn capture(&self, node: &Node, name: &str, range: TextRange) -> Res<Option<ast::Identifier>> {
        let captured = self.opt_identifier(node, name, range)?;
        if captured.as_ref().is_some_and(|name| name.as_str() == "_") {
            return self.refuse("can't capture name '_' in patterns");
        }
        Ok(captured)
    }

    fn pattern_of(&self, node: &Node, star: bool) -> Res<Pattern> {
        let (range, node_index) = (self.range(node, "pattern")?, index());
        Ok(match node.kind {
            Kind::MatchValue => {
                let value = self.expr_field(node, "value")?;
                if !is_pattern_value(&value) {
                    return self.refuse("patterns may only match literals and attribute lookups");
                }
                Pattern::MatchValue(ast::PatternMatchValue { range, node_index, value: Box::new(value) })
            }
            Kind::MatchSingleton => {
                let value = self.vm.get_attr_str(node.value, "value")?;
                let value = if value.is_none() {
                    ast::Singleton::None
                } else if value.is_bool() {
                    if value.is_true() { ast::Singleton::True } else { ast::Singleton::False }
                } else {
                    return self.refuse("MatchSingleton can only contain True, False and None");
                };
                Pattern::MatchSingleton(ast::PatternMatchSingleton { range, node_index, value })
            }
            Kind::MatchSequence => {
                let patterns = self.patterns(node, "patterns", true)?;
                Pattern::MatchSequence(ast::PatternMatchSequence { range, node_index, patterns })
            }
            Kind::MatchMapping => self.mapping(node, range)?,
            Kind::MatchClass => self.class_pattern(node, range)?,
            Kind::MatchStar => {
                if !star {
                    return self.refuse("can't use MatchStar here");
                }
                let name = self.capture(node, "name", range)?;
                Pattern::MatchStar(ast::PatternMatchStar { range, node_index, name })
            }
            Kind::MatchAs => {
                let pattern = self.optional(node, "pattern")?;
                let pattern = pattern.map(|pattern| self.pattern(&pattern, false)).transpose()?;
                let name = self.capture(node, "name", range)?;
                if name.is_none() && pattern.is_some() {
                    return self.refuse("MatchAs must specify a target name if a pattern is given");
                }
                Pattern::MatchAs(ast::PatternMatchAs {
                    range,
                    node_index,
                    pattern: pattern.map(Box::new),
                    name,
                })
            }
            Kind::MatchOr => {
                let patterns = self.patterns(node, "patterns", false)?;
                if patterns.len() < 2 {
                    return self.refuse("MatchOr requires at least 2 patterns");
                }
                Pattern::MatchOr(ast::PatternMatchOr { range, node_index, patterns })
            }
            _ => return Err(self.vm.system_error("unexpected pattern".to_string())),
        })
    }

    fn mapping(&self, node: &Node, range: TextRange) -> Res<Pattern> {
        let keys = self.exprs(node, "keys", ExprContext::Load)?;
        let patterns = self.patterns(node, "patterns", false)?;
        if keys.len() != patterns.len() {
            return self.refuse("MatchMapping doesn't have the same number of keys as patterns");
        }
        let constant = |key: &Expr| matches!(key, Expr::NoneLiteral(_) | Expr::BooleanLiteral(_));
        if !keys.iter().all(|key| constant(key) || is_pattern_value(key)) {
            return self.refuse("patterns may only match literals and attribute lookups");
        }
        Ok(Pattern::MatchMapping(ast::PatternMatchMapping {
            range,
            node_index: index(),
            keys: keys.into_iter().collect(),
            patterns: patterns.into_iter().collect(),
            rest: self.capture(node, "rest", range)?,
        }))
    }

    fn class_pattern(&self, node: &Node, range: TextRange) -> Res<Pattern> {
        let names = self.items(node, "kwd_attrs")?;
        let values = self.patterns(node, "kwd_patterns", false)?;
        if names.len() != values.len() {
            return self.refuse("MatchClass doesn't have the same number of keyword attributes as patterns");
        }
        let cls = self.expr_field(node, "cls")?;
        let mut part = &cls;
        while let Expr::Attribute(attribute) = part {
            part = &attribute.value;
        }
        if !part.is_name_expr() {
            return self.refuse("MatchClass cls field can only contain Name or Attribute nodes.");
        }
        let mut keywords = Vec::new();
        for (name, pattern) in names.iter().zip(values) {
            let attr = self.identifier_value(name, range)?;
            keywords.push(ast::PatternKeyword { range, node_index: index(), attr, pattern });
        }
        let patterns = self.patterns(node, "patterns", false)?.into_iter().collect();
        let arguments = ast::PatternArguments { range, node_index: index(), patterns, keywords };
        Ok(Pattern::MatchClass(ast::PatternMatchClass {
            range,
            node_index: index(),
            cls: Box::new(cls),
            arguments,
        }))
    }
}

/// Literals, their negatives, complex sums and attribute look-ups.
fn is_pattern_value(value: &Expr) -> bool {
    let number = |e: &Expr| match e {
        Expr::NumberLiteral(_) => true,
        Expr::UnaryOp(u) => u.op == ast::UnaryOp::USub && u.operand.is_number_literal_expr(),
        _ => false,
    };
    match value {
        Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::Attribute(_) | Expr::FString(_) => true,
        Expr::BinOp(b) => {
            matches!(b.op, ast::Operator::Add | ast::Operator::Sub)
                && number(&b.left)
                && b.right.is_number_literal_expr()
        }
        other => number(other),
    }
}

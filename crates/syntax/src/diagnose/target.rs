//! What can be assigned to and deleted.

use super::node::{NodeKind as N, Targets};
use super::{Id, K, Parser, Rule, first};

impl Parser<'_> {
    pub(super) fn star_targets(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let target = p.star_target()?;
                p.not(|p| p.tok(K::Comma))?;
                Some(target)
            };
            |p| {
                let start = p.mark;
                let items = p.list(Self::star_target)?;
                p.opt(|p| p.tok(K::Comma))?;
                Some(p.node(N::Tuple, start, items))
            };
        }
    }

    pub(super) fn star_target(&mut self) -> Option<Id> {
        self.memo(Rule::StarTarget, |p| {
            first! { p:
                |p| {
                    let start = p.tok(K::Star)?;
                    p.not(|p| p.tok(K::Star))?;
                    let target = p.deeper(Self::star_target)?;
                    Some(p.node(N::Starred, start, vec![target]))
                };
                Self::target_with_star_atom;
            }
        })
    }

    fn target_with_star_atom(&mut self) -> Option<Id> {
        self.memo(Rule::StarAtomTarget, |p| {
            first! { p:
                Self::subscript_or_attribute;
                |p| p.deeper(Self::star_atom);
            }
        })
    }

    /// `a.b` or `a[b]` with nothing more behind it.
    pub(super) fn subscript_or_attribute(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.mark;
                p.target_primary()?;
                p.tok(K::Dot)?;
                p.plain_name()?;
                p.not(Self::target_lookahead)?;
                Some(p.node(N::Attribute, start, vec![]))
            };
            |p| {
                let start = p.mark;
                p.target_primary()?;
                p.tok(K::LeftBracket)?;
                p.slices()?;
                p.tok(K::RightBracket)?;
                p.not(Self::target_lookahead)?;
                Some(p.node(N::Subscript, start, vec![]))
            };
        }
    }

    fn target_lookahead(&mut self) -> Option<usize> {
        self.any(&[K::LeftParen, K::LeftBracket, K::Dot])
    }

    fn target_primary(&mut self) -> Option<Id> {
        self.memo(Rule::TargetPrimary, |p| {
            let start = p.mark;
            let mut left = p.atom()?;
            p.ahead(Self::target_lookahead)?;
            while let Some(next) = p.attempt(|p| {
                let next = p.trailer(start)?;
                p.ahead(Self::target_lookahead)?;
                Some(next)
            }) {
                left = next;
            }
            if p.failed() { None } else { Some(left) }
        })
    }

    fn star_atom(&mut self) -> Option<Id> {
        first! { self:
            Self::plain_name;
            |p| {
                p.tok(K::LeftParen)?;
                let target = p.target_with_star_atom()?;
                p.tok(K::RightParen)?;
                Some(target)
            };
            |p| {
                let start = p.tok(K::LeftParen)?;
                let items = p.opt(|p| {
                    let mut items = vec![p.star_target()?];
                    items.extend(p.many(|p| {
                        p.tok(K::Comma)?;
                        p.star_target()
                    })?);
                    let comma = p.opt(|p| p.tok(K::Comma))?;
                    (items.len() > 1 || comma.is_some()).then_some(items)
                })?;
                p.tok(K::RightParen)?;
                Some(p.node(N::Tuple, start, items.unwrap_or_default()))
            };
            |p| {
                let start = p.tok(K::LeftBracket)?;
                let items = p.opt(|p| {
                    let items = p.list(Self::star_target)?;
                    p.opt(|p| p.tok(K::Comma))?;
                    Some(items)
                })?;
                p.tok(K::RightBracket)?;
                Some(p.node(N::List, start, items.unwrap_or_default()))
            };
        }
    }

    pub(super) fn single_target(&mut self) -> Option<Id> {
        first! { self:
            Self::subscript_or_attribute;
            Self::plain_name;
            |p| {
                p.tok(K::LeftParen)?;
                let target = p.deeper(Self::single_target)?;
                p.tok(K::RightParen)?;
                Some(target)
            };
        }
    }

    pub(super) fn delete_targets(&mut self) -> Option<()> {
        self.list(Self::delete_target)?;
        self.opt(|p| p.tok(K::Comma)).map(drop)
    }

    fn delete_target(&mut self) -> Option<Id> {
        self.memo(Rule::DeleteTarget, |p| {
            first! { p:
                Self::subscript_or_attribute;
                |p| p.deeper(Self::delete_atom);
            }
        })
    }

    fn delete_atom(&mut self) -> Option<Id> {
        first! { self:
            Self::plain_name;
            |p| {
                p.tok(K::LeftParen)?;
                let target = p.delete_target()?;
                p.tok(K::RightParen)?;
                Some(target)
            };
            |p| {
                let start = p.tok(K::LeftParen)?;
                p.opt(Self::delete_targets)?;
                p.tok(K::RightParen)?;
                Some(p.node(N::Tuple, start, vec![]))
            };
            |p| {
                let start = p.tok(K::LeftBracket)?;
                p.opt(Self::delete_targets)?;
                p.tok(K::RightBracket)?;
                Some(p.node(N::List, start, vec![]))
            };
        }
    }

    pub(super) fn wrong_for_target(&mut self) -> Option<()> {
        self.opt(|p| p.kw("async"))?;
        self.kw("for")?;
        let targets = self.star_expressions()?;
        self.raise_invalid_target(targets, Targets::For);
        Some(())
    }

    /// Raises for the first part of `node` that is no target.
    pub(super) fn raise_invalid_target(&mut self, node: Id, targets: Targets) {
        if let Some(wrong) = self.invalid_target(node, targets) {
            let verb = if targets == Targets::Delete { "delete" } else { "assign to" };
            self.raise(self.at(wrong), &format!("cannot {verb} {}", self.name_of(wrong)));
        }
    }

    fn invalid_target(&self, node: Id, targets: Targets) -> Option<Id> {
        match self.kind(node) {
            N::List | N::Tuple => {
                self.children(node).into_iter().find_map(|item| self.invalid_target(item, targets))
            }
            N::Starred if targets == Targets::Delete => Some(node),
            N::Starred => self.children(node).first().and_then(|&value| self.invalid_target(value, targets)),
            // `for a in b` without more reads as a comparison.
            N::InComparison if targets == Targets::For => {
                self.children(node).first().and_then(|&left| self.invalid_target(left, targets))
            }
            N::Comparison if targets == Targets::For => None,
            N::Name | N::Subscript | N::Attribute => None,
            _ => Some(node),
        }
    }
}

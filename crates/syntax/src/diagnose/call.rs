//! Arguments of calls.

use super::node::NodeKind as N;
use super::{Id, K, Parser, Rule, first};

impl Parser<'_> {
    pub(super) fn arguments(&mut self) -> Option<Id> {
        self.memo(Rule::Arguments, |p| {
            first! { p:
                |p| {
                    let args = p.args()?;
                    p.opt(|p| p.tok(K::Comma))?;
                    p.ahead(|p| p.tok(K::RightParen))?;
                    Some(args)
                };
                |p| {
                    p.wrong(Self::wrong_arguments)?;
                    None
                };
            }
        })
    }

    /// `expression`, but no `name :=`... that is cut short; also the element of a generator expression.
    pub(super) fn positional_argument(&mut self) -> Option<Id> {
        let committed = self
            .ahead(|p| {
                p.plain_name()?;
                p.tok(K::ColonEqual)
            })
            .is_some();
        if self.failed() {
            return None;
        }
        if committed {
            return self.assignment_expression();
        }
        let value = self.expression()?;
        self.not(|p| p.tok(K::ColonEqual))?;
        Some(value)
    }

    fn positional(&mut self) -> Option<Id> {
        first! { self:
            Self::starred_argument;
            |p| {
                let value = p.positional_argument()?;
                p.not(|p| p.tok(K::Equal))?;
                Some(value)
            };
        }
    }

    fn args(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.mark;
                let mut items = p.list(Self::positional)?;
                let keywords = p.opt(|p| {
                    p.tok(K::Comma)?;
                    p.keywords()
                })?;
                items.extend(keywords.unwrap_or_default());
                Some(p.node(N::Args, start, items))
            };
            |p| {
                let start = p.mark;
                let items = p.keywords()?;
                Some(p.node(N::Args, start, items))
            };
        }
    }

    fn keywords(&mut self) -> Option<Vec<Id>> {
        first! { self:
            |p| {
                let mut items = p.list(Self::keyword_or_starred)?;
                p.tok(K::Comma)?;
                items.extend(p.list(Self::keyword_or_double_starred)?);
                Some(items)
            };
            |p| p.list(Self::keyword_or_starred);
            |p| p.list(Self::keyword_or_double_starred);
        }
    }

    pub(super) fn starred_argument(&mut self) -> Option<Id> {
        self.wrong(|p| {
            let star = p.tok(K::Star)?;
            p.expression()?;
            p.tok(K::Equal)?;
            let b = p.expression()?;
            p.raise(p.place(star).to(p.at(b)), "cannot assign to iterable argument unpacking");
            Some(())
        })?;
        first! { self:
            |p| {
                let start = p.tok(K::Star)?;
                let value = p.expression()?;
                Some(p.node(N::Starred, start, vec![value]))
            };
            |p| {
                p.wrong(|p| {
                    p.tok(K::Star)?;
                    p.raise_last("Invalid star expression");
                    Some(())
                })?;
                None
            };
        }
    }

    fn keyword(&mut self) -> Option<Id> {
        let start = self.mark;
        self.plain_name()?;
        self.tok(K::Equal)?;
        self.expression()?;
        Some(self.node(N::Keyword, start, vec![]))
    }

    fn keyword_or_starred(&mut self) -> Option<Id> {
        self.wrong(Self::wrong_keyword)?;
        first! { self:
            Self::keyword;
            Self::starred_argument;
        }
    }

    fn keyword_or_double_starred(&mut self) -> Option<Id> {
        self.wrong(Self::wrong_keyword)?;
        first! { self:
            Self::keyword;
            |p| {
                let start = p.tok(K::DoubleStar)?;
                p.expression()?;
                Some(p.node(N::DoubleStarred, start, vec![]))
            };
        }
    }

    fn wrong_keyword(&mut self) -> Option<()> {
        first! { self:
            |p| {
                let a = p.kw("True").or_else(|| p.kw("False")).or_else(|| p.kw("None"))?;
                let b = p.tok(K::Equal)?;
                let message = format!("cannot assign to {}", p.text_of(a));
                p.raise(p.place(a).to(p.place(b)), &message);
                Some(())
            };
            Self::keyword_generator;
            |p| {
                p.not(|p| {
                    p.plain_name()?;
                    p.tok(K::Equal)
                })?;
                let a = p.expression()?;
                let b = p.tok(K::Equal)?;
                let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
                p.raise(p.at(a).to(p.place(b)), message);
                Some(())
            };
            |p| {
                let stars = p.tok(K::DoubleStar)?;
                p.expression()?;
                p.tok(K::Equal)?;
                let b = p.expression()?;
                p.raise(p.place(stars).to(p.at(b)), "cannot assign to keyword argument unpacking");
                Some(())
            };
        }
    }

    fn keyword_generator(&mut self) -> Option<()> {
        let a = self.plain_name()?;
        let b = self.tok(K::Equal)?;
        self.expression()?;
        self.clauses()?;
        let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
        self.raise(self.at(a).to(self.place(b)), message);
        Some(())
    }

    fn wrong_arguments(&mut self) -> Option<()> {
        const UNPARENTHESIZED: &str = "Generator expression must be parenthesized";
        first! { self:
            |p| {
                p.attempt(|p| {
                    p.list(Self::positional)?;
                    p.tok(K::Comma)?;
                    p.keywords().map(drop)
                })
                .or_else(|| p.attempt(|p| p.keywords().map(drop)))?;
                let comma = p.tok(K::Comma)?;
                p.list(|p| {
                    p.starred_argument()?;
                    p.not(|p| p.tok(K::Equal))
                })?;
                let message = "iterable argument unpacking follows keyword argument unpacking";
                p.raise_from(p.place(comma), message);
                Some(())
            };
            |p| {
                let a = p.expression()?;
                let last = p.clauses()?;
                p.tok(K::Comma)?;
                p.opt(|p| {
                    p.attempt(|p| p.args().map(drop)).or_else(|| {
                        p.attempt(|p| {
                            p.expression()?;
                            p.clauses().map(drop)
                        })
                    })
                })?;
                p.raise(p.at(a).to(p.at(last)), UNPARENTHESIZED);
                Some(())
            };
            Self::keyword_generator;
            |p| {
                p.opt(|p| {
                    p.args()?;
                    p.tok(K::Comma)
                })?;
                let a = p.plain_name()?;
                let b = p.tok(K::Equal)?;
                p.ahead(|p| p.any(&[K::Comma, K::RightParen]))?;
                p.raise(p.at(a).to(p.place(b)), "expected argument value expression");
                Some(())
            };
            |p| {
                let args = p.args()?;
                let last = p.clauses()?;
                let plain: Vec<Id> = p
                    .children(args)
                    .into_iter()
                    .filter(|&arg| !matches!(p.kind(arg), N::Keyword | N::DoubleStarred))
                    .collect();
                if plain.len() > 1 {
                    p.raise(p.at(plain[plain.len() - 1]).to(p.at(last)), UNPARENTHESIZED);
                }
                Some(())
            };
            |p| {
                p.args()?;
                p.tok(K::Comma)?;
                let a = p.expression()?;
                let last = p.clauses()?;
                p.raise(p.at(a).to(p.at(last)), UNPARENTHESIZED);
                Some(())
            };
            |p| {
                let args = p.args()?;
                p.tok(K::Comma)?;
                p.args()?;
                let unpacking = p.children(args).iter().any(|&arg| p.kind(arg) == N::DoubleStarred);
                p.raise_last(if unpacking {
                    "positional argument follows keyword argument unpacking"
                } else {
                    "positional argument follows keyword argument"
                });
                Some(())
            };
        }
    }
}

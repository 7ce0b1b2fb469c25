//! Parameters of functions and lambdas, type parameters. The two kinds of parameter lists differ in what ends them and
//! in annotations.

use super::{Id, K, Parser, Rule, first};

impl Parser<'_> {
    pub(super) fn params(&mut self) -> Option<()> {
        self.wrong(|p| p.wrong_params(false))?;
        self.parameters(false)
    }

    pub(super) fn lambda_params(&mut self) -> Option<()> {
        self.wrong(|p| p.wrong_params(true))?;
        self.parameters(true)
    }

    fn end(lambda: bool) -> K {
        if lambda { K::Colon } else { K::RightParen }
    }

    fn parameters(&mut self, lambda: bool) -> Option<()> {
        first! { self:
            |p| {
                p.slash_no_default(lambda)?;
                p.many(|p| p.param_no_default(lambda))?;
                p.many(|p| p.param_with_default(lambda))?;
                p.opt(|p| p.star_etc(lambda)).map(drop)
            };
            |p| {
                p.slash_with_default(lambda)?;
                p.many(|p| p.param_with_default(lambda))?;
                p.opt(|p| p.star_etc(lambda)).map(drop)
            };
            |p| {
                p.some(|p| p.param_no_default(lambda))?;
                p.many(|p| p.param_with_default(lambda))?;
                p.opt(|p| p.star_etc(lambda)).map(drop)
            };
            |p| {
                p.some(|p| p.param_with_default(lambda))?;
                p.opt(|p| p.star_etc(lambda)).map(drop)
            };
            |p| p.star_etc(lambda);
        }
    }

    /// A comma, or the end of the list ahead.
    fn param_end(&mut self, lambda: bool) -> Option<()> {
        if self.tok(K::Comma).is_some() {
            return Some(());
        }
        self.ahead(|p| p.tok(Self::end(lambda)))
    }

    fn slash(&mut self, lambda: bool) -> Option<()> {
        self.tok(K::Slash)?;
        self.param_end(lambda)
    }

    fn slash_no_default(&mut self, lambda: bool) -> Option<()> {
        self.some(|p| p.param_no_default(lambda))?;
        self.slash(lambda)
    }

    fn slash_with_default(&mut self, lambda: bool) -> Option<()> {
        self.many(|p| p.param_no_default(lambda))?;
        self.some(|p| p.param_with_default(lambda))?;
        self.slash(lambda)
    }

    fn param(&mut self, lambda: bool) -> Option<Id> {
        let start = self.mark;
        let name = self.plain_name()?;
        if lambda {
            return Some(name);
        }
        self.opt(|p| {
            p.tok(K::Colon)?;
            p.expression()
        })?;
        Some(self.node(super::node::NodeKind::Other, start, vec![]))
    }

    fn param_no_default(&mut self, lambda: bool) -> Option<Id> {
        let param = self.param(lambda)?;
        self.param_end(lambda)?;
        Some(param)
    }

    fn default(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::Equal)?;
                p.expression().map(drop)
            };
            |p| {
                p.wrong(|p| {
                    let equal = p.tok(K::Equal)?;
                    p.ahead(|p| p.any(&[K::RightParen, K::Comma]))?;
                    p.raise(p.place(equal), "expected default value expression");
                    Some(())
                })?;
                None
            };
        }
    }

    fn param_with_default(&mut self, lambda: bool) -> Option<Id> {
        let param = self.param(lambda)?;
        self.default()?;
        self.param_end(lambda)?;
        Some(param)
    }

    fn param_maybe_default(&mut self, lambda: bool) -> Option<Id> {
        let param = self.param(lambda)?;
        self.opt(Self::default)?;
        self.param_end(lambda)?;
        Some(param)
    }

    fn star_etc(&mut self, lambda: bool) -> Option<()> {
        self.wrong(|p| p.wrong_star_etc(lambda))?;
        first! { self:
            |p| {
                p.tok(K::Star)?;
                p.param_no_default(lambda)?;
                p.many(|p| p.param_maybe_default(lambda))?;
                p.opt(|p| p.kwds(lambda)).map(drop)
            };
            |p| {
                if lambda {
                    return None;
                }
                p.tok(K::Star)?;
                p.plain_name()?;
                p.tok(K::Colon)?;
                p.star_expression()?;
                p.param_end(lambda)?;
                p.many(|p| p.param_maybe_default(lambda))?;
                p.opt(|p| p.kwds(lambda)).map(drop)
            };
            |p| {
                p.tok(K::Star)?;
                p.tok(K::Comma)?;
                p.some(|p| p.param_maybe_default(lambda))?;
                p.opt(|p| p.kwds(lambda)).map(drop)
            };
            |p| p.kwds(lambda);
        }
    }

    fn kwds(&mut self, lambda: bool) -> Option<()> {
        self.wrong(|p| p.wrong_kwds(lambda))?;
        self.tok(K::DoubleStar)?;
        self.param_no_default(lambda).map(drop)
    }

    fn wrong_params(&mut self, lambda: bool) -> Option<()> {
        first! { self:
            |p| {
                let slash = p.tok(K::Slash)?;
                p.tok(K::Comma)?;
                p.raise(p.place(slash), "at least one argument must precede /");
                Some(())
            };
            |p| {
                p.any_slash(lambda)?;
                p.many(|p| p.param_maybe_default(lambda))?;
                let slash = p.tok(K::Slash)?;
                p.raise(p.place(slash), "/ may appear only once");
                Some(())
            };
            |p| {
                p.opt(|p| p.slash_no_default(lambda))?;
                p.many(|p| p.param_no_default(lambda))?;
                p.attempt(|p| p.slash_with_default(lambda))
                    .or_else(|| p.attempt(|p| p.some(|p| p.param_with_default(lambda)).map(drop)))?;
                let param = p.param_no_default(lambda)?;
                p.raise(p.at(param), "parameter without a default follows parameter with a default");
                Some(())
            };
            |p| {
                p.many(|p| p.param_no_default(lambda))?;
                let open = p.tok(K::LeftParen)?;
                if lambda {
                    p.list(|p| p.param(lambda))?;
                } else {
                    p.some(|p| p.param_no_default(lambda))?;
                }
                p.opt(|p| p.tok(K::Comma))?;
                let close = p.tok(K::RightParen)?;
                let what = if lambda { "Lambda expression" } else { "Function" };
                p.raise(p.place(open).to(p.place(close)), &format!("{what} parameters cannot be parenthesized"));
                Some(())
            };
            |p| {
                p.opt(|p| p.any_slash(lambda))?;
                p.many(|p| p.param_maybe_default(lambda))?;
                p.tok(K::Star)?;
                if p.tok(K::Comma).is_none() {
                    p.param_no_default(lambda)?;
                }
                p.many(|p| p.param_maybe_default(lambda))?;
                let slash = p.tok(K::Slash)?;
                p.raise(p.place(slash), "/ must be ahead of *");
                Some(())
            };
            |p| {
                p.some(|p| p.param_maybe_default(lambda))?;
                p.tok(K::Slash)?;
                let star = p.tok(K::Star)?;
                p.raise(p.place(star), "expected comma between / and *");
                Some(())
            };
        }
    }

    fn any_slash(&mut self, lambda: bool) -> Option<()> {
        self.attempt(|p| p.slash_no_default(lambda))
            .or_else(|| self.attempt(|p| p.slash_with_default(lambda)))
    }

    fn wrong_star_etc(&mut self, lambda: bool) -> Option<()> {
        first! { self:
            |p| {
                let star = p.tok(K::Star)?;
                let end = Self::end(lambda);
                if p.tok(end).is_none() {
                    p.tok(K::Comma)?;
                    p.any(&[end, K::DoubleStar])?;
                }
                let message = "named arguments must follow bare *";
                if lambda { p.raise_last(message) } else { p.raise(p.place(star), message) }
                Some(())
            };
            |p| {
                p.tok(K::Star)?;
                p.param(lambda)?;
                let equal = p.tok(K::Equal)?;
                p.raise(p.place(equal), "var-positional argument cannot have default value");
                Some(())
            };
            |p| {
                p.tok(K::Star)?;
                p.param_or_comma(lambda)?;
                p.many(|p| p.param_maybe_default(lambda))?;
                let star = p.tok(K::Star)?;
                p.param_or_comma(lambda)?;
                p.raise(p.place(star), "* argument may appear only once");
                Some(())
            };
        }
    }

    fn param_or_comma(&mut self, lambda: bool) -> Option<()> {
        if self.attempt(|p| p.param_no_default(lambda)).is_some() {
            return Some(());
        }
        self.tok(K::Comma).map(drop)
    }

    fn wrong_kwds(&mut self, lambda: bool) -> Option<()> {
        const AFTER: &str = "arguments cannot follow var-keyword argument";
        first! { self:
            |p| {
                p.tok(K::DoubleStar)?;
                p.param(lambda)?;
                let equal = p.tok(K::Equal)?;
                p.raise(p.place(equal), "var-keyword argument cannot have default value");
                Some(())
            };
            |p| {
                p.tok(K::DoubleStar)?;
                p.param(lambda)?;
                p.tok(K::Comma)?;
                let param = p.param(lambda)?;
                p.raise(p.at(param), AFTER);
                Some(())
            };
            |p| {
                p.tok(K::DoubleStar)?;
                p.param(lambda)?;
                p.tok(K::Comma)?;
                let next = p.any(&[K::Star, K::DoubleStar, K::Slash])?;
                p.raise(p.place(next), AFTER);
                Some(())
            };
        }
    }

    // Type parameters.

    pub(super) fn type_params(&mut self) -> Option<()> {
        self.wrong(|p| {
            p.tok(K::LeftBracket)?;
            let close = p.tok(K::RightBracket)?;
            p.raise_from(p.place(close), "Type parameter list cannot be empty");
            Some(())
        })?;
        self.tok(K::LeftBracket)?;
        self.list(Self::type_param)?;
        self.opt(|p| p.tok(K::Comma))?;
        self.tok(K::RightBracket).map(drop)
    }

    fn type_param(&mut self) -> Option<Id> {
        self.memo(Rule::TypeParam, |p| {
            let start = p.mark;
            let default = |p: &mut Self, starred: bool| {
                p.opt(|p| {
                    p.tok(K::Equal)?;
                    if starred { p.star_expression() } else { p.expression() }
                })
            };
            first! { p:
                |p| {
                    p.plain_name()?;
                    p.opt(|p| {
                        p.tok(K::Colon)?;
                        p.expression()
                    })?;
                    default(p, false)?;
                    Some(p.node(super::node::NodeKind::Other, start, vec![]))
                };
                |p| {
                    p.wrong(Self::wrong_type_param)?;
                    None
                };
                |p| {
                    p.tok(K::Star)?;
                    p.plain_name()?;
                    default(p, true)?;
                    Some(p.node(super::node::NodeKind::Other, start, vec![]))
                };
                |p| {
                    p.tok(K::DoubleStar)?;
                    p.plain_name()?;
                    default(p, false)?;
                    Some(p.node(super::node::NodeKind::Other, start, vec![]))
                };
            }
        })
    }

    fn wrong_type_param(&mut self) -> Option<()> {
        let stars = self.any(&[K::Star, K::DoubleStar])?;
        let what = if self.place(stars).end_column - self.place(stars).column == 2 {
            "ParamSpec"
        } else {
            "TypeVarTuple"
        };
        self.plain_name()?;
        let colon = self.tok(K::Colon)?;
        let bound = self.expression()?;
        let word = if self.kind(bound) == super::node::NodeKind::Tuple { "constraints" } else { "bound" };
        self.raise_from(self.place(colon), &format!("cannot use {word} with {what}"));
        Some(())
    }
}

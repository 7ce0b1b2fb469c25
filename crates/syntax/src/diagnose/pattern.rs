//! Patterns of `case`.

use super::node::NodeKind as N;
use super::{Id, K, Parser, Rule, first};

impl Parser<'_> {
    pub(super) fn patterns(&mut self) -> Option<()> {
        first! { self:
            Self::open_sequence;
            |p| p.pattern().map(drop);
        }
    }

    fn pattern(&mut self) -> Option<Id> {
        self.deeper(|p| {
            first! { p:
                Self::as_pattern;
                Self::or_pattern;
            }
        })
    }

    fn as_pattern(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.mark;
                p.or_pattern()?;
                p.kw("as")?;
                p.capture_target()?;
                Some(p.node(N::Other, start, vec![]))
            };
            |p| {
                p.wrong(Self::wrong_as_pattern)?;
                None
            };
        }
    }

    fn wrong_as_pattern(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.or_pattern()?;
                p.kw("as")?;
                let wildcard = p.soft("_")?;
                p.raise(p.place(wildcard), "cannot use '_' as a target");
                Some(())
            };
            |p| {
                p.or_pattern()?;
                p.kw("as")?;
                let target = p.expression()?;
                let message = format!("cannot use {} as pattern target", p.name_of(target));
                p.raise(p.at(target), &message);
                Some(())
            };
        }
    }

    fn or_pattern(&mut self) -> Option<Id> {
        let start = self.mark;
        self.closed_pattern()?;
        self.many(|p| {
            p.tok(K::Bar)?;
            p.closed_pattern()
        })?;
        Some(self.node(N::Other, start, vec![]))
    }

    fn closed_pattern(&mut self) -> Option<Id> {
        self.memo(Rule::ClosedPattern, |p| {
            let start = p.mark;
            p.closed_new()?;
            Some(p.node(N::Other, start, vec![]))
        })
    }

    fn closed_new(&mut self) -> Option<()> {
        first! { self:
            Self::literal_pattern;
            Self::capture_target;
            |p| p.soft("_").map(drop);
            |p| {
                p.attribute()?;
                p.not(|p| p.any(&[K::Dot, K::LeftParen, K::Equal]))
            };
            |p| {
                p.tok(K::LeftParen)?;
                p.pattern()?;
                p.tok(K::RightParen).map(drop)
            };
            |p| {
                p.tok(K::LeftBracket)?;
                p.opt(Self::maybe_sequence)?;
                p.tok(K::RightBracket).map(drop)
            };
            |p| {
                p.tok(K::LeftParen)?;
                p.opt(Self::open_sequence)?;
                p.tok(K::RightParen).map(drop)
            };
            Self::mapping_pattern;
            Self::class_pattern;
        }
    }

    fn singleton(&mut self) -> Option<()> {
        self.kw("None").or_else(|| self.kw("True")).or_else(|| self.kw("False")).map(drop)
    }

    fn number_pattern(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.opt(|p| p.any(&[K::Plus, K::Minus]))?;
                p.number()?;
                p.not(|p| p.any(&[K::Plus, K::Minus]))
            };
            |p| {
                p.opt(|p| p.any(&[K::Plus, K::Minus]))?;
                let real = p.number()?;
                if p.kind(real) == N::Imaginary {
                    p.raise(p.at(real), "real number required in complex literal");
                    return None;
                }
                p.any(&[K::Plus, K::Minus])?;
                let imaginary = p.number()?;
                if p.kind(imaginary) != N::Imaginary {
                    p.raise(p.at(imaginary), "imaginary number required in complex literal");
                    return None;
                }
                Some(())
            };
        }
    }

    fn literal_pattern(&mut self) -> Option<()> {
        first! { self:
            Self::number_pattern;
            |p| p.strings().map(drop);
            Self::singleton;
        }
    }

    fn capture_target(&mut self) -> Option<()> {
        self.not(|p| p.soft("_"))?;
        self.plain_name()?;
        self.not(|p| p.any(&[K::Dot, K::LeftParen, K::Equal]))
    }

    fn attribute(&mut self) -> Option<()> {
        self.plain_name()?;
        self.some(|p| {
            p.tok(K::Dot)?;
            p.plain_name()
        })
        .map(drop)
    }

    fn name_or_attribute(&mut self) -> Option<()> {
        self.plain_name()?;
        self.many(|p| {
            p.tok(K::Dot)?;
            p.plain_name()
        })
        .map(drop)
    }

    fn open_sequence(&mut self) -> Option<()> {
        self.maybe_star()?;
        self.tok(K::Comma)?;
        self.opt(Self::maybe_sequence).map(drop)
    }

    fn maybe_sequence(&mut self) -> Option<()> {
        self.list(Self::maybe_star)?;
        self.opt(|p| p.tok(K::Comma)).map(drop)
    }

    fn maybe_star(&mut self) -> Option<Id> {
        first! { self:
            |p| p.memo(Rule::StarPattern, |p| {
                let start = p.tok(K::Star)?;
                let found = p.attempt(Self::capture_target);
                if found.is_none() {
                    p.soft("_")?;
                }
                Some(p.node(N::Other, start, vec![]))
            });
            Self::pattern;
        }
    }

    fn double_star(&mut self) -> Option<()> {
        self.tok(K::DoubleStar)?;
        self.capture_target()
    }

    fn items(&mut self) -> Option<()> {
        self.list(|p| {
            let literal = p.attempt(Self::literal_pattern);
            if literal.is_none() {
                p.attribute()?;
            }
            p.tok(K::Colon)?;
            p.pattern()
        })
        .map(drop)
    }

    fn mapping_pattern(&mut self) -> Option<()> {
        let end = |p: &mut Self| {
            p.opt(|p| p.tok(K::Comma))?;
            p.tok(K::RightBrace).map(drop)
        };
        first! { self:
            |p| {
                p.tok(K::LeftBrace)?;
                p.tok(K::RightBrace).map(drop)
            };
            |p| {
                p.tok(K::LeftBrace)?;
                p.double_star()?;
                end(p)
            };
            |p| {
                p.tok(K::LeftBrace)?;
                p.items()?;
                p.tok(K::Comma)?;
                p.double_star()?;
                end(p)
            };
            |p| {
                p.tok(K::LeftBrace)?;
                p.items()?;
                end(p)
            };
        }
    }

    fn keyword_patterns(&mut self) -> Option<()> {
        self.list(|p| {
            p.plain_name()?;
            p.tok(K::Equal)?;
            p.pattern()
        })
        .map(drop)
    }

    fn class_pattern(&mut self) -> Option<()> {
        let end = |p: &mut Self| {
            p.opt(|p| p.tok(K::Comma))?;
            p.tok(K::RightParen).map(drop)
        };
        first! { self:
            |p| {
                p.name_or_attribute()?;
                p.tok(K::LeftParen)?;
                p.tok(K::RightParen).map(drop)
            };
            |p| {
                p.name_or_attribute()?;
                p.tok(K::LeftParen)?;
                p.list(Self::pattern)?;
                end(p)
            };
            |p| {
                p.name_or_attribute()?;
                p.tok(K::LeftParen)?;
                p.keyword_patterns()?;
                end(p)
            };
            |p| {
                p.name_or_attribute()?;
                p.tok(K::LeftParen)?;
                p.list(Self::pattern)?;
                p.tok(K::Comma)?;
                p.keyword_patterns()?;
                end(p)
            };
            |p| {
                p.wrong(Self::wrong_class_pattern)?;
                None
            };
        }
    }

    fn wrong_class_pattern(&mut self) -> Option<()> {
        self.name_or_attribute()?;
        self.tok(K::LeftParen)?;
        self.opt(|p| {
            p.list(Self::pattern)?;
            p.tok(K::Comma)
        })?;
        self.keyword_patterns()?;
        self.tok(K::Comma)?;
        let late = self.list(Self::pattern)?;
        let place = self.at(late[0]).to(self.at(late[late.len() - 1]));
        self.raise(place, "positional patterns follow keyword patterns");
        Some(())
    }
}

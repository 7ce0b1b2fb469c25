//! Whole inputs and simple statements.

use super::node::{NodeKind as N, Targets};
use super::{Id, K, Parser, Rule, first};

const AUGMENTED: [K; 13] = [
    K::PlusEqual,
    K::MinusEqual,
    K::StarEqual,
    K::AtEqual,
    K::SlashEqual,
    K::PercentEqual,
    K::AmpersandEqual,
    K::BarEqual,
    K::CaretEqual,
    K::LeftShiftEqual,
    K::RightShiftEqual,
    K::DoubleStarEqual,
    K::DoubleSlashEqual,
];

impl Parser<'_> {
    pub(super) fn file(&mut self) -> Option<()> {
        self.opt(Self::statements)?;
        self.tok(K::EndMarker).map(drop)
    }

    pub(super) fn interactive(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.compound()?;
                p.tok(K::Newline).map(drop)
            };
            |p| p.simple_statements().map(drop);
            |p| p.tok(K::Newline).map(drop);
        }
    }

    pub(super) fn eval(&mut self) -> Option<()> {
        self.expressions()?;
        self.many(|p| p.tok(K::Newline))?;
        self.tok(K::EndMarker).map(drop)
    }

    pub(super) fn func_type(&mut self) -> Option<()> {
        self.tok(K::LeftParen)?;
        self.opt(|p| {
            p.list(|p| {
                p.opt(|p| p.any(&[K::Star, K::DoubleStar]))?;
                p.expression()
            })
        })?;
        self.tok(K::RightParen)?;
        self.tok(K::Arrow)?;
        self.expression()?;
        self.many(|p| p.tok(K::Newline))?;
        self.tok(K::EndMarker).map(drop)
    }

    pub(super) fn statements(&mut self) -> Option<()> {
        self.some(|p| {
            // Functions do not count.
            let function = p.peek().is_some_and(|t| t.token.kind == K::At)
                || matches!(p.text_of(p.mark), "def" | "async");
            let Some(compound) = p.attempt(Self::compound) else {
                return p.attempt(Self::simple_statements).map(drop);
            };
            let place = p.at(compound);
            if p.second && !function && place.line >= p.last_statement.line {
                p.last_statement = place;
            }
            Some(())
        })
        .map(drop)
    }

    /// A line of statements; gives the last one.
    pub(super) fn simple_statements(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let statement = p.simple_statement()?;
                p.not(|p| p.tok(K::Semicolon))?;
                p.tok(K::Newline)?;
                Some(statement)
            };
            |p| {
                let mut last = p.simple_statement()?;
                while let Some(next) = p.attempt(|p| {
                    p.tok(K::Semicolon)?;
                    p.simple_statement()
                }) {
                    last = next;
                }
                p.opt(|p| p.tok(K::Semicolon))?;
                p.tok(K::Newline)?;
                Some(last)
            };
        }
    }

    pub(super) fn simple_statement(&mut self) -> Option<Id> {
        self.memo(Rule::SimpleStatement, |p| {
            let start = p.mark;
            p.simple_new()?;
            Some(p.node(N::Other, start, vec![]))
        })
    }

    fn simple_new(&mut self) -> Option<()> {
        if self.attempt(Self::assignment).is_some() {
            return Some(());
        }
        if self.attempt(Self::type_alias).is_some() {
            return Some(());
        }
        if self.attempt(Self::star_expressions).is_some() {
            return Some(());
        }
        let next = self.peek()?;
        if !next.keyword {
            return None;
        }
        match self.text_of(self.mark) {
            "return" => {
                self.mark += 1;
                self.opt(Self::star_expressions).map(drop)
            }
            "import" | "from" => self.import(),
            "raise" => self.raise_statement(),
            "pass" | "break" | "continue" => {
                self.mark += 1;
                Some(())
            }
            "del" => self.delete(),
            "yield" => self.yield_expression().map(drop),
            "assert" => self.assert(),
            "global" | "nonlocal" => {
                self.mark += 1;
                self.list(Self::plain_name).map(drop)
            }
            _ => None,
        }
    }

    fn optional_value(&mut self) -> Option<()> {
        self.opt(|p| {
            p.tok(K::Equal)?;
            p.value()
        })
        .map(drop)
    }

    fn assignment(&mut self) -> Option<()> {
        let annotated = self.attempt(|p| {
            p.plain_name()?;
            p.tok(K::Colon)?;
            p.expression()?;
            p.optional_value()
        });
        if annotated.is_some() || self.failed() {
            return annotated;
        }
        let annotated = self.attempt(|p| {
            let grouped = p.attempt(|p| {
                p.tok(K::LeftParen)?;
                p.single_target()?;
                p.tok(K::RightParen)
            });
            if grouped.is_none() {
                p.subscript_or_attribute()?;
            }
            p.tok(K::Colon)?;
            p.expression()?;
            p.optional_value()
        });
        if annotated.is_some() || self.failed() {
            return annotated;
        }
        let assigned = self.attempt(|p| {
            p.some(Self::target_and_equal)?;
            p.value()?;
            p.not(|p| p.tok(K::Equal))
        });
        if assigned.is_some() || self.failed() {
            return assigned;
        }
        let augmented = self.attempt(|p| {
            p.single_target()?;
            p.any(&AUGMENTED)
        });
        if self.failed() {
            return None;
        }
        if augmented.is_some() {
            // The operator decides.
            return self.value().map(drop);
        }
        self.wrong(Self::wrong_assignment)?;
        None
    }

    fn target_and_equal(&mut self) -> Option<()> {
        self.star_targets()?;
        self.tok(K::Equal).map(drop)
    }

    fn wrong_assignment(&mut self) -> Option<()> {
        first! { self:
            |p| {
                let target = p.wrong_annotated()?;
                p.tok(K::Colon)?;
                p.expression()?;
                let message = format!("only single target (not {}) can be annotated", p.name_of(target));
                p.raise(p.at(target), &message);
                Some(())
            };
            |p| {
                let first = p.star_named()?;
                p.tok(K::Comma)?;
                p.many(Self::star_named_list)?;
                p.tok(K::Colon)?;
                p.expression()?;
                p.raise(p.at(first), "only single target (not tuple) can be annotated");
                Some(())
            };
            |p| {
                let target = p.expression()?;
                p.tok(K::Colon)?;
                p.expression()?;
                p.raise(p.at(target), "illegal target for annotation");
                Some(())
            };
            |p| {
                p.many(Self::target_and_equal)?;
                let target = p.star_expressions()?;
                p.tok(K::Equal)?;
                p.raise_invalid_target(target, Targets::Star);
                Some(())
            };
            |p| {
                p.many(Self::target_and_equal)?;
                let target = p.yield_expression()?;
                p.tok(K::Equal)?;
                p.raise(p.at(target), "assignment to yield expression not possible");
                Some(())
            };
            |p| {
                let target = p.star_expressions()?;
                p.any(&AUGMENTED)?;
                p.value()?;
                let message =
                    format!("'{}' is an illegal expression for augmented assignment", p.name_of(target));
                p.raise(p.at(target), &message);
                Some(())
            };
        }
    }

    fn wrong_annotated(&mut self) -> Option<Id> {
        first! { self:
            Self::list_display;
            Self::tuple_display;
            |p| {
                p.tok(K::LeftParen)?;
                let target = p.deeper(Self::wrong_annotated)?;
                p.tok(K::RightParen)?;
                Some(target)
            };
        }
    }

    fn type_alias(&mut self) -> Option<()> {
        self.soft("type")?;
        self.plain_name()?;
        self.opt(Self::type_params)?;
        self.tok(K::Equal)?;
        self.expression().map(drop)
    }

    fn raise_statement(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.kw("raise")?;
                p.expression()?;
                p.kw("from")?;
                p.expression().map(drop)
            };
            |p| {
                p.kw("raise")?;
                p.expression().map(drop)
            };
            |p| p.kw("raise").map(drop);
        }
    }

    fn delete(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.kw("del")?;
                p.delete_targets()?;
                p.ahead(|p| p.any(&[K::Semicolon, K::Newline]))
            };
            |p| {
                p.wrong(|p| {
                    p.kw("del")?;
                    let targets = p.star_expressions()?;
                    p.raise_invalid_target(targets, Targets::Delete);
                    Some(())
                })?;
                None
            };
        }
    }

    fn assert(&mut self) -> Option<()> {
        self.kw("assert")?;
        self.expression()?;
        self.opt(|p| {
            p.tok(K::Comma)?;
            p.expression()
        })
        .map(drop)
    }

    // Imports.

    fn import(&mut self) -> Option<()> {
        self.wrong(Self::wrong_import)?;
        first! { self:
            |p| {
                p.kw("import")?;
                p.list(Self::dotted_as_name).map(drop)
            };
            |p| {
                p.kw("from")?;
                p.many(|p| p.any(&[K::Dot, K::Ellipsis]))?;
                p.dotted_name()?;
                p.kw("import")?;
                p.import_targets()
            };
            |p| {
                p.kw("from")?;
                p.some(|p| p.any(&[K::Dot, K::Ellipsis]))?;
                p.kw("import")?;
                p.import_targets()
            };
        }
    }

    fn wrong_import(&mut self) -> Option<()> {
        first! { self:
            |p| {
                let import = p.kw("import")?;
                p.list(Self::dotted_name)?;
                p.kw("from")?;
                p.dotted_name()?;
                p.raise_from(p.place(import), "Did you mean to use 'from ... import ...' instead?");
                Some(())
            };
            |p| {
                p.kw("import")?;
                let newline = p.tok(K::Newline)?;
                p.raise_from(p.place(newline), "Expected one or more names after 'import'");
                Some(())
            };
        }
    }

    fn dotted_name(&mut self) -> Option<()> {
        self.plain_name()?;
        self.many(|p| {
            p.tok(K::Dot)?;
            p.plain_name()
        })
        .map(drop)
    }

    fn optional_as(&mut self) -> Option<()> {
        self.opt(|p| {
            p.kw("as")?;
            p.plain_name()
        })
        .map(drop)
    }

    /// `as` with something that no name can be bound by.
    fn wrong_import_target(&mut self) -> Option<()> {
        self.kw("as")?;
        self.not(|p| {
            p.plain_name()?;
            p.any(&[K::Comma, K::RightParen, K::Semicolon, K::Newline])
        })?;
        let target = self.expression()?;
        let message = format!("cannot use {} as import target", self.name_of(target));
        self.raise(self.at(target), &message);
        Some(())
    }

    fn dotted_as_name(&mut self) -> Option<()> {
        self.wrong(|p| {
            p.dotted_name()?;
            p.wrong_import_target()
        })?;
        self.dotted_name()?;
        self.optional_as()
    }

    fn import_as_name(&mut self) -> Option<()> {
        self.wrong(|p| {
            p.plain_name()?;
            p.wrong_import_target()
        })?;
        self.plain_name()?;
        self.optional_as()
    }

    fn import_targets(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::LeftParen)?;
                p.list(Self::import_as_name)?;
                p.opt(|p| p.tok(K::Comma))?;
                p.tok(K::RightParen).map(drop)
            };
            |p| {
                p.list(Self::import_as_name)?;
                p.not(|p| p.tok(K::Comma))
            };
            |p| p.tok(K::Star).map(drop);
            |p| {
                p.wrong(Self::wrong_import_targets)?;
                None
            };
        }
    }

    fn wrong_import_targets(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.list(Self::import_as_name)?;
                p.tok(K::Comma)?;
                p.tok(K::Newline)?;
                p.raise_last("trailing comma not allowed without surrounding parentheses");
                Some(())
            };
            |p| {
                let newline = p.tok(K::Newline)?;
                p.raise_from(p.place(newline), "Expected one or more names after 'import'");
                Some(())
            };
        }
    }
}

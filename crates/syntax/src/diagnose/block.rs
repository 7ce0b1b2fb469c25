//! Statements with blocks.

use super::node::{NodeKind as N, Targets};
use super::{Id, K, Parser, Rule, first};

const EXPECTED_COLON: &str = "expected ':'";

impl Parser<'_> {
    pub(super) fn compound(&mut self) -> Option<Id> {
        let start = self.mark;
        self.deeper(Self::compound_new)?;
        Some(self.node(N::Other, start, vec![]))
    }

    fn compound_new(&mut self) -> Option<()> {
        let next = self.peek()?;
        let word = if next.keyword { self.text_of(self.mark) } else { "" };
        if word == "def" || word == "async" || next.token.kind == K::At {
            let found = self.attempt(|p| p.decorated(Self::function));
            if found.is_some() || self.failed() {
                return found;
            }
        }
        if word == "class" || next.token.kind == K::At {
            let found = self.attempt(|p| p.decorated(Self::class));
            if found.is_some() || self.failed() {
                return found;
            }
        }
        if word == "with" || word == "async" {
            let found = self.attempt(Self::with);
            if found.is_some() || self.failed() {
                return found;
            }
        }
        match word {
            "if" => self.if_statement("if"),
            "for" | "async" => self.for_statement(),
            "try" => self.try_statement(),
            "while" => self.while_statement(),
            _ => self.match_statement(),
        }
    }

    pub(super) fn block(&mut self) -> Option<Id> {
        self.memo(Rule::Block, |p| {
            let start = p.mark;
            let found = p.attempt(|p| {
                p.tok(K::Newline)?;
                p.tok(K::Indent)?;
                p.statements()?;
                p.tok(K::Dedent)
            });
            if found.is_none() {
                if p.failed() {
                    return None;
                }
                if p.attempt(Self::simple_statements).is_none() {
                    p.wrong(|p| {
                        p.missing_block()?;
                        p.raise_indentation("expected an indented block");
                        Some(())
                    })?;
                    return None;
                }
            }
            Some(p.node(N::Other, start, vec![]))
        })
    }

    /// What announces a block: a colon, and the block itself.
    fn colon_block(&mut self) -> Option<Id> {
        self.tok(K::Colon)?;
        self.block()
    }

    fn decorated(&mut self, definition: fn(&mut Self) -> Option<()>) -> Option<()> {
        first! { self:
            |p| {
                p.some(|p| {
                    p.tok(K::At)?;
                    p.named()?;
                    p.tok(K::Newline)
                })?;
                definition(p)
            };
            definition;
        }
    }

    fn class_head(&mut self) -> Option<usize> {
        let start = self.kw("class")?;
        self.plain_name()?;
        self.opt(Self::type_params)?;
        self.opt(|p| {
            p.tok(K::LeftParen)?;
            p.opt(Self::arguments)?;
            p.tok(K::RightParen)
        })?;
        Some(start)
    }

    fn class(&mut self) -> Option<()> {
        self.wrong(|p| {
            first! { p:
                |p| {
                    p.class_head()?;
                    p.tok(K::Newline)?;
                    p.raise_last(EXPECTED_COLON);
                    Some(())
                };
                |p| {
                    let start = p.class_head()?;
                    p.tok(K::Colon)?;
                    p.missing_block()?;
                    p.raise_missing_block("class definition", start);
                    Some(())
                };
            }
        })?;
        self.class_head()?;
        self.colon_block().map(drop)
    }

    fn function_tail(&mut self) -> Option<()> {
        self.opt(Self::params)?;
        self.tok(K::RightParen)?;
        self.opt(|p| {
            p.tok(K::Arrow)?;
            p.expression()
        })
        .map(drop)
    }

    fn function_name(&mut self) -> Option<usize> {
        self.opt(|p| p.kw("async"))?;
        let start = self.kw("def")?;
        self.plain_name()?;
        self.opt(Self::type_params)?;
        Some(start)
    }

    fn function(&mut self) -> Option<()> {
        self.wrong(|p| {
            first! { p:
                |p| {
                    let start = p.function_name()?;
                    p.tok(K::LeftParen)?;
                    p.function_tail()?;
                    p.tok(K::Colon)?;
                    p.missing_block()?;
                    p.raise_missing_block("function definition", start);
                    Some(())
                };
                |p| {
                    p.function_name()?;
                    p.forced(K::LeftParen, "(")?;
                    p.function_tail()?;
                    p.forced(K::Colon, ":")?;
                    p.block().map(drop)
                };
            }
        })?;
        self.function_name()?;
        self.tok(K::LeftParen)?;
        self.function_tail()?;
        self.colon_block().map(drop)
    }

    fn if_statement(&mut self, word: &'static str) -> Option<()> {
        self.wrong(|p| p.wrong_test(word))?;
        let found = self.attempt(|p| {
            p.kw(word)?;
            p.named()?;
            p.colon_block()?;
            p.deeper(|p| p.if_statement("elif"))
        });
        if found.is_some() || self.failed() {
            return found;
        }
        self.kw(word)?;
        self.named()?;
        self.colon_block()?;
        self.opt(Self::else_block).map(drop)
    }

    /// `if test`, `elif test`, `while test` without colon or block.
    fn wrong_test(&mut self, word: &'static str) -> Option<()> {
        first! { self:
            |p| {
                p.kw(word)?;
                p.named()?;
                p.tok(K::Newline)?;
                p.raise_last(EXPECTED_COLON);
                Some(())
            };
            |p| {
                let start = p.kw(word)?;
                p.named()?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block(&format!("'{word}' statement"), start);
                Some(())
            };
        }
    }

    fn else_block(&mut self) -> Option<()> {
        self.wrong(|p| {
            first! { p:
                |p| {
                    let start = p.kw("else")?;
                    p.tok(K::Colon)?;
                    p.missing_block()?;
                    p.raise_missing_block("'else' statement", start);
                    Some(())
                };
                |p| {
                    p.kw("else")?;
                    p.colon_block()?;
                    p.kw("elif")?;
                    p.raise_last("'elif' block follows an 'else' block");
                    Some(())
                };
            }
        })?;
        self.kw("else")?;
        self.forced(K::Colon, ":")?;
        self.block().map(drop)
    }

    fn while_statement(&mut self) -> Option<()> {
        self.wrong(|p| p.wrong_test("while"))?;
        self.kw("while")?;
        self.named()?;
        self.colon_block()?;
        self.opt(Self::else_block).map(drop)
    }

    fn for_head(&mut self) -> Option<usize> {
        self.opt(|p| p.kw("async"))?;
        let start = self.kw("for")?;
        self.star_targets()?;
        self.kw("in")?;
        Some(start)
    }

    fn for_statement(&mut self) -> Option<()> {
        self.wrong(|p| {
            first! { p:
                |p| {
                    p.for_head()?;
                    p.star_expressions()?;
                    p.tok(K::Newline)?;
                    p.raise_last(EXPECTED_COLON);
                    Some(())
                };
                |p| {
                    let start = p.for_head()?;
                    p.star_expressions()?;
                    p.tok(K::Colon)?;
                    p.missing_block()?;
                    p.raise_missing_block("'for' statement", start);
                    Some(())
                };
            }
        })?;
        if self.attempt(Self::for_head).is_some() {
            // `in` decides.
            self.star_expressions()?;
            self.colon_block()?;
            return self.opt(Self::else_block).map(drop);
        }
        if self.failed() {
            return None;
        }
        self.wrong(Self::wrong_for_target)?;
        None
    }

    // With.

    fn with(&mut self) -> Option<()> {
        self.wrong(Self::wrong_with_block)?;
        let found = self.attempt(|p| {
            p.opt(|p| p.kw("async"))?;
            p.kw("with")?;
            p.tok(K::LeftParen)?;
            p.list(Self::with_item)?;
            p.opt(|p| p.tok(K::Comma))?;
            p.tok(K::RightParen)?;
            p.colon_block().map(drop)
        });
        if found.is_some() || self.failed() {
            return found;
        }
        let found = self.attempt(|p| {
            p.opt(|p| p.kw("async"))?;
            p.kw("with")?;
            p.list(Self::with_item)?;
            p.colon_block().map(drop)
        });
        if found.is_some() || self.failed() {
            return found;
        }
        self.wrong(Self::wrong_with)?;
        None
    }

    fn with_item(&mut self) -> Option<()> {
        const ENDS: [K; 3] = [K::Comma, K::RightParen, K::Colon];
        first! { self:
            |p| {
                p.expression()?;
                p.kw("as")?;
                p.star_target()?;
                p.ahead(|p| p.any(&ENDS))
            };
            |p| {
                p.wrong(|p| {
                    p.expression()?;
                    p.kw("as")?;
                    let target = p.expression()?;
                    p.ahead(|p| p.any(&ENDS))?;
                    p.raise_invalid_target(target, Targets::Star);
                    Some(())
                })?;
                None
            };
            |p| p.expression().map(drop);
        }
    }

    /// The items of a `with` that may have anything wrong behind them.
    fn loose_items(&mut self, item: fn(&mut Self) -> Option<Id>) -> Option<()> {
        self.list(|p| {
            item(p)?;
            p.opt(|p| {
                p.kw("as")?;
                p.star_target()
            })
        })
        .map(drop)
    }

    fn loose_with(&mut self, grouped: bool) -> Option<usize> {
        self.opt(|p| p.kw("async"))?;
        let start = self.kw("with")?;
        if grouped {
            self.tok(K::LeftParen)?;
            self.loose_items(Self::expressions)?;
            self.opt(|p| p.tok(K::Comma))?;
            self.tok(K::RightParen)?;
        } else {
            self.loose_items(Self::expression)?;
        }
        Some(start)
    }

    fn wrong_with(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.loose_with(false)?;
                p.tok(K::Newline)?;
                p.raise_last(EXPECTED_COLON);
                Some(())
            };
            |p| {
                p.loose_with(true)?;
                p.tok(K::Newline)?;
                p.raise_last(EXPECTED_COLON);
                Some(())
            };
        }
    }

    fn wrong_with_block(&mut self) -> Option<()> {
        for grouped in [false, true] {
            let found = self.attempt(|p| {
                let start = p.loose_with(grouped)?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block("'with' statement", start);
                Some(())
            });
            if found.is_some() || self.failed() {
                return found;
            }
        }
        None
    }

    // Try.

    fn try_head(&mut self) -> Option<()> {
        self.kw("try")?;
        self.forced(K::Colon, ":")?;
        self.block().map(drop)
    }

    fn try_statement(&mut self) -> Option<()> {
        self.wrong(Self::wrong_try)?;
        let found = self.attempt(|p| {
            p.try_head()?;
            p.finally()
        });
        if found.is_some() || self.failed() {
            return found;
        }
        for star in [false, true] {
            let found = self.attempt(|p| {
                p.try_head()?;
                p.some(|p| p.except(star))?;
                p.opt(Self::else_block)?;
                p.opt(Self::finally).map(drop)
            });
            if found.is_some() || self.failed() {
                return found;
            }
        }
        None
    }

    fn wrong_try(&mut self) -> Option<()> {
        const BOTH: &str = "cannot have both 'except' and 'except*' on the same 'try'";
        first! { self:
            |p| {
                let start = p.kw("try")?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block("'try' statement", start);
                Some(())
            };
            |p| {
                p.kw("try")?;
                p.colon_block()?;
                p.not(|p| p.kw("except").or_else(|| p.kw("finally")))?;
                p.raise_last("expected 'except' or 'finally' block");
                Some(())
            };
            |p| {
                p.kw("try")?;
                p.tok(K::Colon)?;
                p.many(Self::block)?;
                p.some(|p| p.except(false))?;
                let a = p.kw("except")?;
                let b = p.tok(K::Star)?;
                p.expression()?;
                p.optional_name()?;
                p.tok(K::Colon)?;
                p.raise(p.place(a).to(p.place(b)), BOTH);
                Some(())
            };
            |p| {
                p.kw("try")?;
                p.tok(K::Colon)?;
                p.many(Self::block)?;
                p.some(|p| p.except(true))?;
                let a = p.kw("except")?;
                p.opt(|p| {
                    p.expression()?;
                    p.optional_name()
                })?;
                p.tok(K::Colon)?;
                p.raise(p.place(a), BOTH);
                Some(())
            };
        }
    }

    fn optional_name(&mut self) -> Option<()> {
        self.opt(|p| {
            p.kw("as")?;
            p.plain_name()
        })
        .map(drop)
    }

    fn except_word(&mut self, star: bool) -> Option<usize> {
        let start = self.kw("except")?;
        if star {
            self.tok(K::Star)?;
        }
        Some(start)
    }

    fn except(&mut self, star: bool) -> Option<()> {
        self.wrong(|p| p.wrong_except_block(star))?;
        let found = self.attempt(|p| {
            p.except_word(star)?;
            p.expression()?;
            p.colon_block().map(drop)
        });
        if found.is_some() || self.failed() {
            return found;
        }
        let found = self.attempt(|p| {
            p.except_word(star)?;
            p.expression()?;
            p.kw("as")?;
            p.plain_name()?;
            p.colon_block().map(drop)
        });
        if found.is_some() || self.failed() {
            return found;
        }
        let found = self.attempt(|p| {
            p.except_word(star)?;
            p.expressions()?;
            p.colon_block().map(drop)
        });
        if found.is_some() || self.failed() {
            return found;
        }
        if !star {
            let found = self.attempt(|p| {
                p.kw("except")?;
                p.colon_block().map(drop)
            });
            if found.is_some() || self.failed() {
                return found;
            }
        }
        self.wrong(|p| p.wrong_except(star))?;
        None
    }

    fn wrong_except_block(&mut self, star: bool) -> Option<()> {
        let what = if star { "'except*' statement" } else { "'except' statement" };
        first! { self:
            |p| {
                let start = p.except_word(star)?;
                p.expression()?;
                p.optional_name()?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block(what, start);
                Some(())
            };
            |p| {
                if star {
                    return None;
                }
                let start = p.kw("except")?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block(what, start);
                Some(())
            };
        }
    }

    fn wrong_except(&mut self, star: bool) -> Option<()> {
        first! { self:
            |p| {
                p.except_word(star)?;
                let a = p.expression()?;
                p.tok(K::Comma)?;
                p.expressions()?;
                p.kw("as")?;
                p.plain_name()?;
                p.tok(K::Colon)?;
                p.raise_from(p.at(a), "multiple exception types must be parenthesized when using 'as'");
                Some(())
            };
            |p| {
                p.except_word(star)?;
                p.expression()?;
                p.optional_name()?;
                p.tok(K::Newline)?;
                p.raise_last(EXPECTED_COLON);
                Some(())
            };
            |p| {
                p.except_word(star)?;
                if star {
                    p.any(&[K::Newline, K::Colon])?;
                    p.raise_last("expected one or more exception types");
                } else {
                    p.tok(K::Newline)?;
                    p.raise_last(EXPECTED_COLON);
                }
                Some(())
            };
            |p| {
                p.except_word(star)?;
                p.expression()?;
                p.kw("as")?;
                let target = p.expression()?;
                p.colon_block()?;
                let word = if star { "except*" } else { "except" };
                let message = format!("cannot use {word} statement with {}", p.name_of(target));
                p.raise(p.at(target), &message);
                Some(())
            };
        }
    }

    fn finally(&mut self) -> Option<()> {
        self.wrong(|p| {
            let start = p.kw("finally")?;
            p.tok(K::Colon)?;
            p.missing_block()?;
            p.raise_missing_block("'finally' statement", start);
            Some(())
        })?;
        self.kw("finally")?;
        self.forced(K::Colon, ":")?;
        self.block().map(drop)
    }

    // Match.

    fn subject(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.star_named()?;
                p.tok(K::Comma)?;
                p.opt(Self::star_named_list).map(drop)
            };
            |p| p.named().map(drop);
        }
    }

    fn match_statement(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.soft("match")?;
                p.subject()?;
                p.tok(K::Colon)?;
                p.tok(K::Newline)?;
                p.tok(K::Indent)?;
                p.some(Self::case)?;
                p.tok(K::Dedent).map(drop)
            };
            |p| {
                p.wrong(Self::wrong_match)?;
                None
            };
        }
    }

    fn wrong_match(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.soft("match")?;
                p.subject()?;
                p.tok(K::Newline)?;
                p.raise_last(EXPECTED_COLON);
                Some(())
            };
            |p| {
                let start = p.soft("match")?;
                p.subject()?;
                p.tok(K::Colon)?;
                p.missing_block()?;
                p.raise_missing_block("'match' statement", start);
                Some(())
            };
        }
    }

    fn case_head(&mut self) -> Option<usize> {
        let start = self.soft("case")?;
        self.patterns()?;
        self.opt(|p| {
            p.kw("if")?;
            p.named()
        })?;
        Some(start)
    }

    fn case(&mut self) -> Option<()> {
        self.wrong(|p| {
            first! { p:
                |p| {
                    p.case_head()?;
                    p.tok(K::Newline)?;
                    p.raise_last(EXPECTED_COLON);
                    Some(())
                };
                |p| {
                    let start = p.case_head()?;
                    p.tok(K::Colon)?;
                    p.missing_block()?;
                    p.raise_missing_block("'case' statement", start);
                    Some(())
                };
            }
        })?;
        self.case_head()?;
        self.colon_block().map(drop)
    }
}

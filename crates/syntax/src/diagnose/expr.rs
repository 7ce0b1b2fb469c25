//! Expressions: operators, atoms, displays, comprehensions, lambdas.

use super::node::NodeKind as N;
use super::{Id, K, Parser, Rule, first};

const SOFT_KEYWORDS: [&str; 4] = ["_", "case", "match", "type"];

impl Parser<'_> {
    /// A list without brackets: one item is itself, a comma makes a tuple.
    fn open_tuple(&mut self, item: fn(&mut Self) -> Option<Id>) -> Option<Id> {
        let start = self.mark;
        let first = item(self)?;
        let rest = self.many(|p| {
            p.tok(K::Comma)?;
            item(p)
        })?;
        let comma = self.opt(|p| p.tok(K::Comma))?;
        if rest.is_empty() && comma.is_none() {
            return Some(first);
        }
        let mut items = vec![first];
        items.extend(rest);
        Some(self.node(N::Tuple, start, items))
    }

    pub(super) fn expressions(&mut self) -> Option<Id> {
        self.open_tuple(Self::expression)
    }

    pub(super) fn star_expressions(&mut self) -> Option<Id> {
        self.open_tuple(Self::star_expression)
    }

    pub(super) fn expression(&mut self) -> Option<Id> {
        self.memo(Rule::Expression, |p| p.deeper(Self::expression_new))
    }

    fn expression_new(&mut self) -> Option<Id> {
        self.wrong(Self::wrong_expression)?;
        self.wrong(Self::wrong_legacy)?;
        first! { self:
            Self::conditional;
            Self::disjunction;
            Self::lambda;
        }
    }

    pub(super) fn conditional(&mut self) -> Option<Id> {
        let start = self.mark;
        let body = self.disjunction()?;
        self.kw("if")?;
        let test = self.disjunction()?;
        self.kw("else")?;
        let other = self.expression()?;
        Some(self.node(N::Conditional, start, vec![body, test, other]))
    }

    fn expression_without_mistakes(&mut self) -> Option<Id> {
        let second = std::mem::replace(&mut self.second, false);
        let found = self.attempt(Self::conditional);
        let found = if found.is_some() || self.failed() { found } else { self.attempt(Self::disjunction) };
        let found = if found.is_some() || self.failed() { found } else { self.attempt(Self::lambda) };
        self.second = second;
        found
    }

    fn wrong_expression(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::String)?;
                let inner = p.some(|p| {
                    p.not(|p| p.tok(K::String))?;
                    p.expression_without_mistakes()
                })?;
                p.tok(K::String)?;
                let place = p.at(inner[0]).to(p.at(inner[inner.len() - 1]));
                p.raise(place, "invalid syntax. Is this intended to be part of the string?");
                Some(())
            };
            |p| {
                p.not(|p| {
                    p.attempt(|p| {
                        p.plain_name()?;
                        p.tok(K::String)
                    })
                    .or_else(|| p.soft_keyword())
                })?;
                let a = p.disjunction()?;
                let b = p.expression_without_mistakes()?;
                let level = p.tokens.get(p.mark - 1).map_or(0, |t| t.level);
                if !p.is_legacy(a) && level > 0 {
                    p.raise(p.at(a).to(p.at(b)), "invalid syntax. Perhaps you forgot a comma?");
                }
                Some(())
            };
            |p| {
                let a = p.disjunction()?;
                p.kw("if")?;
                let b = p.disjunction()?;
                p.not(|p| p.kw("else").or_else(|| p.tok(K::Colon)))?;
                p.raise(p.at(a).to(p.at(b)), "expected 'else' after 'if' expression");
                Some(())
            };
            |p| {
                p.disjunction()?;
                p.kw("if")?;
                p.disjunction()?;
                p.kw("else")?;
                p.not(Self::expression)?;
                p.raise_next("expected expression after 'else', but statement is given");
                Some(())
            };
            |p| {
                let statement = p.kw("pass").or_else(|| p.kw("break")).or_else(|| p.kw("continue"))?;
                p.kw("if")?;
                p.disjunction()?;
                p.kw("else")?;
                p.simple_statement()?;
                p.raise(p.place(statement), "expected expression before 'if', but statement is given");
                Some(())
            };
            |p| {
                let start = p.kw("lambda")?;
                p.opt(Self::lambda_params)?;
                let colon = p.tok(K::Colon)?;
                let mut kind = 'f';
                p.ahead(|p| {
                    if p.tok(K::TStringMiddle).is_some() {
                        kind = 't';
                        return Some(());
                    }
                    p.tok(K::FStringMiddle).map(drop)
                })?;
                let place = p.place(start).to(p.place(colon));
                p.raise(place, &format!("{kind}-string: lambda expressions are not allowed without parentheses"));
                Some(())
            };
        }
    }

    /// Takes a name that a soft keyword starts with: CPython compares no further than the name goes.
    fn soft_keyword(&mut self) -> Option<usize> {
        let token = self.tok(K::Name)?;
        let text = self.text_of(token);
        SOFT_KEYWORDS.contains(&text).then_some(token)
    }

    /// Whether a node is the name `print` or `exec`.
    fn is_legacy(&mut self, node: Id) -> bool {
        let place = self.at(node);
        self.kind(node) == N::Name
            && self.tokens.iter().enumerate().any(|(index, tok)| {
                tok.token.line == place.line
                    && tok.token.column == place.column
                    && matches!(self.text_of(index), "print" | "exec")
            })
    }

    fn wrong_legacy(&mut self) -> Option<()> {
        let start = self.mark;
        let name = self.plain_name()?;
        self.not(|p| p.tok(K::LeftParen))?;
        let rest = self.star_expressions()?;
        let text = self.text_of(start);
        if matches!(text, "print" | "exec") {
            let message = format!("Missing parentheses in call to '{text}'. Did you mean {text}(...)?");
            self.raise(self.at(name).to(self.at(rest)), &message);
        }
        Some(())
    }

    /// A name that is no keyword.
    pub(super) fn plain_name(&mut self) -> Option<Id> {
        let start = self.tok(K::Name)?;
        Some(self.node(N::Name, start, vec![]))
    }

    pub(super) fn yield_expression(&mut self) -> Option<Id> {
        let start = self.kw("yield")?;
        let from = self.attempt(|p| {
            p.kw("from")?;
            p.expression()
        });
        if from.is_none() {
            self.opt(Self::star_expressions)?;
        }
        Some(self.node(N::Yield, start, vec![]))
    }

    /// What stands right of `=`.
    pub(super) fn value(&mut self) -> Option<Id> {
        first! { self:
            Self::yield_expression;
            Self::star_expressions;
        }
    }

    pub(super) fn star_expression(&mut self) -> Option<Id> {
        self.memo(Rule::StarExpression, |p| {
            first! { p:
                Self::starred;
                Self::expression;
            }
        })
    }

    fn starred(&mut self) -> Option<Id> {
        let start = self.tok(K::Star)?;
        let value = self.bit_or()?;
        Some(self.node(N::Starred, start, vec![value]))
    }

    pub(super) fn star_named(&mut self) -> Option<Id> {
        first! { self:
            Self::starred;
            Self::named;
        }
    }

    pub(super) fn star_named_list(&mut self) -> Option<Vec<Id>> {
        let items = self.list(Self::star_named)?;
        self.opt(|p| p.tok(K::Comma))?;
        Some(items)
    }

    pub(super) fn assignment_expression(&mut self) -> Option<Id> {
        let start = self.mark;
        let name = self.plain_name()?;
        self.tok(K::ColonEqual)?;
        // From here on nothing else can match: the caller sees a failure of the whole.
        let value = self.expression()?;
        Some(self.node(N::Named, start, vec![name, value]))
    }

    pub(super) fn named(&mut self) -> Option<Id> {
        // `name :=` decides for an assignment expression.
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
            if let Some(found) = self.attempt(Self::assignment_expression) {
                return Some(found);
            }
            if self.failed() {
                return None;
            }
        }
        self.wrong(|p| p.memo(Rule::WrongNamed, |p| p.wrong_named().map(|()| 0)))?;
        let value = self.expression()?;
        self.not(|p| p.tok(K::ColonEqual))?;
        Some(value)
    }

    fn wrong_named(&mut self) -> Option<()> {
        first! { self:
            |p| {
                let a = p.expression()?;
                p.tok(K::ColonEqual)?;
                p.expression()?;
                p.raise(p.at(a), &format!("cannot use assignment expressions with {}", p.name_of(a)));
                Some(())
            };
            |p| {
                let a = p.plain_name()?;
                p.tok(K::Equal)?;
                let b = p.bit_or()?;
                p.not(|p| p.any(&[K::Equal, K::ColonEqual]))?;
                let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
                p.raise(p.at(a).to(p.at(b)), message);
                Some(())
            };
            |p| {
                p.not(|p| {
                    first! { p:
                        Self::list_display;
                        Self::tuple_display;
                        Self::generator;
                        |p| p.kw("True").or_else(|| p.kw("None")).or_else(|| p.kw("False")).map(|_| 0);
                    }
                })?;
                let a = p.bit_or()?;
                p.tok(K::Equal)?;
                p.bit_or()?;
                p.not(|p| p.any(&[K::Equal, K::ColonEqual]))?;
                let name = p.name_of(a);
                let message = format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?");
                p.raise(p.at(a), &message);
                Some(())
            };
        }
    }

    fn boolean(&mut self, word: &str, operand: fn(&mut Self) -> Option<Id>) -> Option<Id> {
        let start = self.mark;
        let first = operand(self)?;
        let rest = self.many(|p| {
            p.kw(word)?;
            operand(p)
        })?;
        if rest.is_empty() { Some(first) } else { Some(self.node(N::Operation, start, vec![])) }
    }

    pub(super) fn disjunction(&mut self) -> Option<Id> {
        self.memo(Rule::Disjunction, |p| p.boolean("or", Self::conjunction))
    }

    fn conjunction(&mut self) -> Option<Id> {
        self.memo(Rule::Conjunction, |p| p.boolean("and", Self::inversion))
    }

    pub(super) fn inversion(&mut self) -> Option<Id> {
        self.memo(Rule::Inversion, |p| {
            first! { p:
                |p| {
                    let start = p.kw("not")?;
                    p.deeper(Self::inversion)?;
                    Some(p.node(N::Operation, start, vec![]))
                };
                Self::comparison;
            }
        })
    }

    fn comparison(&mut self) -> Option<Id> {
        let start = self.mark;
        let first = self.bit_or()?;
        let rest = self.many(Self::comparison_pair)?;
        match rest.first() {
            None => Some(first),
            Some(is_in) => {
                let kind = if *is_in { N::InComparison } else { N::Comparison };
                Some(self.node(kind, start, vec![first]))
            }
        }
    }

    /// An operator with its operand; whether it is `in`.
    fn comparison_pair(&mut self) -> Option<bool> {
        let mut is_in = false;
        let operators = [K::EqEqual, K::NotEqual, K::LessEqual, K::Less, K::GreaterEqual, K::Greater];
        let next = self.peek()?;
        if operators.contains(&next.token.kind) {
            if next.token.kind == K::NotEqual && (self.text_of(self.mark) == "<>") != self.flags.barry {
                self.raise_last(if self.flags.barry {
                    "with Barry as BDFL, use '<>' instead of '!='"
                } else {
                    "invalid syntax.  Maybe you meant '!=' instead of '<>'?"
                });
                return None;
            }
            self.mark += 1;
        } else if self.kw("not").is_some() {
            self.kw("in")?;
        } else if self.kw("in").is_some() {
            is_in = true;
        } else {
            self.kw("is")?;
            self.opt(|p| p.kw("not"))?;
        }
        self.bit_or()?;
        Some(is_in)
    }

    fn binary(&mut self, rule: Rule, operators: &[K], operand: fn(&mut Self) -> Option<Id>) -> Option<Id> {
        self.memo(rule, |p| {
            let start = p.mark;
            let mut left = operand(p)?;
            while p
                .attempt(|p| {
                    p.any(operators)?;
                    operand(p)
                })
                .is_some()
            {
                left = p.node(N::Operation, start, vec![]);
            }
            if p.failed() { None } else { Some(left) }
        })
    }

    pub(super) fn bit_or(&mut self) -> Option<Id> {
        self.binary(Rule::BitOr, &[K::Bar], Self::bit_xor)
    }
    fn bit_xor(&mut self) -> Option<Id> {
        self.binary(Rule::BitXor, &[K::Caret], Self::bit_and)
    }
    fn bit_and(&mut self) -> Option<Id> {
        self.binary(Rule::BitAnd, &[K::Ampersand], Self::shift)
    }

    fn shift(&mut self) -> Option<Id> {
        self.binary(Rule::Shift, &[K::LeftShift, K::RightShift], |p| {
            p.wrong(Self::wrong_arithmetic)?;
            p.sum()
        })
    }

    fn wrong_arithmetic(&mut self) -> Option<()> {
        self.sum()?;
        self.any(&[K::Plus, K::Minus, K::Star, K::Slash, K::Percent, K::DoubleSlash, K::At])?;
        let not = self.kw("not")?;
        let operand = self.inversion()?;
        let place = self.place(not).to(self.at(operand));
        self.raise(place, "'not' after an operator must be parenthesized");
        Some(())
    }

    fn sum(&mut self) -> Option<Id> {
        self.binary(Rule::Sum, &[K::Plus, K::Minus], Self::term)
    }

    fn term(&mut self) -> Option<Id> {
        let operators = [K::Star, K::Slash, K::DoubleSlash, K::Percent, K::At];
        self.binary(Rule::Term, &operators, |p| {
            p.wrong(Self::wrong_factor)?;
            p.factor()
        })
    }

    fn wrong_factor(&mut self) -> Option<()> {
        self.any(&[K::Plus, K::Minus, K::Tilde])?;
        let not = self.kw("not")?;
        let operand = self.factor()?;
        let place = self.place(not).to(self.at(operand));
        self.raise(place, "'not' after an operator must be parenthesized");
        Some(())
    }

    fn factor(&mut self) -> Option<Id> {
        self.memo(Rule::Factor, |p| {
            first! { p:
                |p| {
                    let start = p.any(&[K::Plus, K::Minus, K::Tilde])?;
                    p.deeper(Self::factor)?;
                    Some(p.node(N::Operation, start, vec![]))
                };
                Self::power;
            }
        })
    }

    fn power(&mut self) -> Option<Id> {
        let start = self.mark;
        let base = self.await_primary()?;
        let exponent = self.opt(|p| {
            p.tok(K::DoubleStar)?;
            p.deeper(Self::factor)
        })?;
        if exponent.is_some() { Some(self.node(N::Operation, start, vec![])) } else { Some(base) }
    }

    fn await_primary(&mut self) -> Option<Id> {
        self.memo(Rule::AwaitPrimary, |p| {
            first! { p:
                |p| {
                    let start = p.kw("await")?;
                    p.primary()?;
                    Some(p.node(N::Await, start, vec![]))
                };
                Self::primary;
            }
        })
    }

    fn primary(&mut self) -> Option<Id> {
        self.memo(Rule::Primary, |p| {
            let start = p.mark;
            let mut left = p.atom()?;
            while let Some(next) = p.attempt(|p| p.trailer(start)) {
                left = next;
            }
            if p.failed() { None } else { Some(left) }
        })
    }

    /// What follows a primary: an attribute, a call, a subscript.
    pub(super) fn trailer(&mut self, start: usize) -> Option<Id> {
        first! { self:
            |p| {
                p.tok(K::Dot)?;
                p.plain_name()?;
                Some(p.node(N::Attribute, start, vec![]))
            };
            |p| {
                p.generator()?;
                Some(p.node(N::Call, start, vec![]))
            };
            |p| {
                p.tok(K::LeftParen)?;
                p.opt(Self::arguments)?;
                p.tok(K::RightParen)?;
                Some(p.node(N::Call, start, vec![]))
            };
            |p| {
                p.tok(K::LeftBracket)?;
                p.slices()?;
                p.tok(K::RightBracket)?;
                Some(p.node(N::Subscript, start, vec![]))
            };
        }
    }

    pub(super) fn slices(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let slice = p.slice()?;
                p.not(|p| p.tok(K::Comma))?;
                Some(slice)
            };
            |p| {
                let start = p.mark;
                let items = p.list(|p| {
                    first! { p:
                        Self::slice;
                        Self::starred_argument;
                    }
                })?;
                p.opt(|p| p.tok(K::Comma))?;
                Some(p.node(N::Tuple, start, items))
            };
        }
    }

    fn slice(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.mark;
                p.opt(Self::expression)?;
                p.tok(K::Colon)?;
                p.opt(Self::expression)?;
                p.opt(|p| {
                    p.tok(K::Colon)?;
                    p.opt(Self::expression)
                })?;
                Some(p.node(N::Slice, start, vec![]))
            };
            Self::named;
        }
    }

    pub(super) fn atom(&mut self) -> Option<Id> {
        self.memo(Rule::Atom, Self::atom_new)
    }

    fn atom_new(&mut self) -> Option<Id> {
        let next = self.peek()?;
        let start = self.mark;
        if next.keyword {
            let kind = match self.text_of(start) {
                "True" => N::TrueLiteral,
                "False" => N::FalseLiteral,
                "None" => N::NoneLiteral,
                _ => return None,
            };
            self.mark += 1;
            return Some(self.node(kind, start, vec![]));
        }
        match next.token.kind {
            K::Name => self.plain_name(),
            K::String | K::FStringStart | K::TStringStart => self.strings(),
            K::Number => self.number(),
            K::Ellipsis => {
                self.mark += 1;
                Some(self.node(N::Ellipsis, start, vec![]))
            }
            K::LeftParen => first! { self:
                |p| p.deeper(Self::generator);
                |p| p.deeper(Self::tuple_display);
                |p| p.deeper(Self::group);
            },
            K::LeftBracket => first! { self:
                |p| p.deeper(Self::list_comprehension);
                |p| p.deeper(Self::list_display);
            },
            K::LeftBrace => first! { self:
                |p| p.deeper(Self::dict_comprehension);
                |p| p.deeper(Self::set_comprehension);
                |p| p.deeper(Self::dict_display);
                |p| p.deeper(Self::set_display);
            },
            _ => None,
        }
    }

    fn group(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                p.tok(K::LeftParen)?;
                let inner = p.attempt(Self::yield_expression);
                let inner = match inner {
                    Some(inner) => inner,
                    None => p.named()?,
                };
                p.tok(K::RightParen)?;
                Some(inner)
            };
            |p| {
                p.wrong(Self::wrong_group)?;
                None
            };
        }
    }

    fn wrong_group(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::LeftParen)?;
                let a = p.starred_argument()?;
                p.tok(K::RightParen)?;
                p.raise(p.at(a), "cannot use starred expression here");
                Some(())
            };
            |p| {
                p.tok(K::LeftParen)?;
                let stars = p.tok(K::DoubleStar)?;
                p.expression()?;
                p.tok(K::RightParen)?;
                p.raise(p.place(stars), "cannot use double starred expression here");
                Some(())
            };
        }
    }

    pub(super) fn list_display(&mut self) -> Option<Id> {
        let start = self.tok(K::LeftBracket)?;
        let items = self.opt(Self::star_named_list)?.unwrap_or_default();
        self.tok(K::RightBracket)?;
        Some(self.node(N::List, start, items))
    }

    pub(super) fn tuple_display(&mut self) -> Option<Id> {
        let start = self.tok(K::LeftParen)?;
        let items = self.opt(|p| {
            let mut items = vec![p.star_named()?];
            p.tok(K::Comma)?;
            items.extend(p.opt(Self::star_named_list)?.unwrap_or_default());
            Some(items)
        })?;
        self.tok(K::RightParen)?;
        Some(self.node(N::Tuple, start, items.unwrap_or_default()))
    }

    fn set_display(&mut self) -> Option<Id> {
        let start = self.tok(K::LeftBrace)?;
        self.star_named_list()?;
        self.tok(K::RightBrace)?;
        Some(self.node(N::Set, start, vec![]))
    }

    fn dict_display(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.tok(K::LeftBrace)?;
                p.opt(|p| {
                    p.list(Self::dict_item)?;
                    p.opt(|p| p.tok(K::Comma))
                })?;
                p.tok(K::RightBrace)?;
                Some(p.node(N::Dict, start, vec![]))
            };
            |p| {
                // CPython looks for this mistake in its first pass already.
                p.tok(K::LeftBrace)?;
                p.wrong_dict_items()?;
                None
            };
        }
    }

    fn dict_item(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::DoubleStar)?;
                p.bit_or().map(drop)
            };
            Self::key_value;
        }
    }

    fn key_value(&mut self) -> Option<()> {
        self.expression()?;
        self.tok(K::Colon)?;
        self.expression().map(drop)
    }

    fn wrong_dict_items(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.list(Self::dict_item)?;
                p.tok(K::Comma)?;
                p.wrong_key_value()
            };
            |p| {
                p.expression()?;
                p.tok(K::Colon)?;
                let star = p.tok(K::Star)?;
                p.bit_or()?;
                p.raise_from(p.place(star), "cannot use a starred expression in a dictionary value");
                Some(())
            };
            |p| {
                p.expression()?;
                let colon = p.tok(K::Colon)?;
                p.ahead(|p| p.any(&[K::RightBrace, K::Comma]))?;
                p.raise(p.place(colon), "expression expected after dictionary key and ':'");
                Some(())
            };
        }
    }

    fn wrong_key_value(&mut self) -> Option<()> {
        first! { self:
            |p| {
                let a = p.expression()?;
                p.not(|p| p.tok(K::Colon))?;
                let place = p.at(a);
                let numbers =
                    [place.line as i64, i64::from(place.end_column) - 1 + 1, place.end_line as i64, 0];
                p.raise_raw(crate::error::ErrorKind::Syntax, numbers, "':' expected after dictionary key");
                Some(())
            };
            |p| {
                p.expression()?;
                p.tok(K::Colon)?;
                let star = p.tok(K::Star)?;
                p.bit_or()?;
                p.raise_from(p.place(star), "cannot use a starred expression in a dictionary value");
                Some(())
            };
            |p| {
                p.expression()?;
                let colon = p.tok(K::Colon)?;
                p.ahead(|p| p.any(&[K::RightBrace, K::Comma]))?;
                p.raise(p.place(colon), "expression expected after dictionary key and ':'");
                Some(())
            };
        }
    }

    // Comprehensions.

    fn list_comprehension(&mut self) -> Option<Id> {
        self.comprehension(K::LeftBracket, K::RightBracket, N::ListComp, Self::named)
    }

    fn set_comprehension(&mut self) -> Option<Id> {
        self.comprehension(K::LeftBrace, K::RightBrace, N::SetComp, Self::named)
    }

    pub(super) fn generator(&mut self) -> Option<Id> {
        self.memo(Rule::GenExp, |p| {
            p.comprehension(K::LeftParen, K::RightParen, N::Generator, Self::positional_argument)
        })
    }

    fn comprehension(&mut self, open: K, close: K, kind: N, item: fn(&mut Self) -> Option<Id>) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.tok(open)?;
                item(p)?;
                p.clauses()?;
                p.tok(close)?;
                Some(p.node(kind, start, vec![]))
            };
            |p| {
                p.wrong(Self::wrong_comprehension)?;
                None
            };
        }
    }

    fn wrong_comprehension(&mut self) -> Option<()> {
        first! { self:
            |p| {
                p.any(&[K::LeftBracket, K::LeftParen, K::LeftBrace])?;
                let a = p.starred_argument()?;
                p.clauses()?;
                p.raise(p.at(a), "iterable unpacking cannot be used in comprehension");
                Some(())
            };
            |p| {
                p.any(&[K::LeftBracket, K::LeftBrace])?;
                let a = p.star_named()?;
                p.tok(K::Comma)?;
                let rest = p.star_named_list()?;
                p.clauses()?;
                let place = p.at(a).to(p.at(rest[rest.len() - 1]));
                p.raise(place, "did you forget parentheses around the comprehension target?");
                Some(())
            };
            |p| {
                p.any(&[K::LeftBracket, K::LeftBrace])?;
                let a = p.star_named()?;
                let comma = p.tok(K::Comma)?;
                p.clauses()?;
                let place = p.at(a).to(p.place(comma));
                p.raise(place, "did you forget parentheses around the comprehension target?");
                Some(())
            };
        }
    }

    fn dict_comprehension(&mut self) -> Option<Id> {
        first! { self:
            |p| {
                let start = p.tok(K::LeftBrace)?;
                p.key_value()?;
                p.clauses()?;
                p.tok(K::RightBrace)?;
                Some(p.node(N::DictComp, start, vec![]))
            };
            |p| {
                p.wrong(|p| {
                    p.tok(K::LeftBrace)?;
                    let stars = p.tok(K::DoubleStar)?;
                    p.bit_or()?;
                    p.clauses()?;
                    p.tok(K::RightBrace)?;
                    p.raise(p.place(stars), "dict unpacking cannot be used in dict comprehension");
                    Some(())
                })?;
                None
            };
        }
    }

    /// The `for` clauses; gives the last part of the last one.
    pub(super) fn clauses(&mut self) -> Option<Id> {
        let clauses = self.some(Self::clause)?;
        clauses.last().copied()
    }

    fn clause(&mut self) -> Option<Id> {
        for is_async in [true, false] {
            let start = self.mark;
            let head = self.attempt(|p| {
                if is_async {
                    p.kw("async")?;
                }
                p.kw("for")?;
                p.star_targets()?;
                p.kw("in")
            });
            if self.failed() {
                return None;
            }
            if head.is_some() {
                // `in` decides: what follows must fit.
                let body = self.attempt(|p| {
                    let mut last = p.disjunction()?;
                    let conditions = p.many(|p| {
                        p.kw("if")?;
                        p.disjunction()
                    })?;
                    last = conditions.last().copied().unwrap_or(last);
                    Some(last)
                });
                if body.is_none() {
                    self.mark = start;
                }
                return body;
            }
        }
        self.wrong(|p| {
            p.opt(|p| p.kw("async"))?;
            p.kw("for")?;
            p.bit_or()?;
            p.many(|p| {
                p.tok(K::Comma)?;
                p.bit_or()
            })?;
            p.opt(|p| p.tok(K::Comma))?;
            p.not(|p| p.kw("in"))?;
            p.raise_last("'in' expected after for-loop variables");
            Some(())
        })?;
        self.wrong(Self::wrong_for_target)?;
        None
    }

    // Lambdas.

    fn lambda(&mut self) -> Option<Id> {
        let start = self.kw("lambda")?;
        self.opt(Self::lambda_params)?;
        self.tok(K::Colon)?;
        self.expression()?;
        Some(self.node(N::Lambda, start, vec![]))
    }
}

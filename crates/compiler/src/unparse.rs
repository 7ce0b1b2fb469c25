//! Expressions as text, as `ast.unparse` writes annotations.

use pellucid_syntax::Source;
use pellucid_syntax::ast::{self, BoolOp, CmpOp, Expr, Number, Operator, UnaryOp};
use pellucid_syntax::strings::{debug_text, element_value, literal_value, string_value};

/// How tightly an expression binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Level {
    fn tighter(self) -> Level {
        use Level::*;
        const ALL: [Level; 16] = [
            Tuple, Test, Or, And, Not, Compare, BitOr, BitXor, BitAnd, Shift, Arith, Term, Factor, Power,
            Await, Atom,
        ];
        ALL.get(self as usize + 1).copied().unwrap_or(Atom)
    }
}

/// The text of an expression, WTF-8.
pub fn unparse(expr: &Expr, source: &Source) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), source };
    writer.expr(expr, Level::Test);
    writer.out
}

struct Writer<'a> {
    out: Vec<u8>,
    source: &'a Source,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend(text.as_bytes());
    }

    fn wrapped(&mut self, paren: bool, f: impl FnOnce(&mut Self)) {
        if paren {
            self.text("(");
        }
        f(self);
        if paren {
            self.text(")");
        }
    }

    fn list<'e>(&mut self, items: impl IntoIterator<Item = &'e Expr>) {
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.expr(item, Level::Test);
        }
    }

    fn expr(&mut self, expr: &Expr, level: Level) {
        match expr {
            Expr::BoolOp(e) => {
                let (own, word) = match e.op {
                    BoolOp::And => (Level::And, " and "),
                    BoolOp::Or => (Level::Or, " or "),
                };
                self.wrapped(level > own, |w| {
                    for (i, value) in e.values.iter().enumerate() {
                        if i > 0 {
                            w.text(word);
                        }
                        w.expr(value, own.tighter());
                    }
                });
            }
            Expr::Named(e) => self.wrapped(level > Level::Tuple, |w| {
                w.expr(&e.target, Level::Atom);
                w.text(" := ");
                w.expr(&e.value, Level::Atom);
            }),
            Expr::BinOp(e) => {
                let (own, right_to_left) = match e.op {
                    Operator::Add | Operator::Sub => (Level::Arith, false),
                    Operator::Mult
                    | Operator::MatMult
                    | Operator::Div
                    | Operator::Mod
                    | Operator::FloorDiv => (Level::Term, false),
                    Operator::Pow => (Level::Power, true),
                    Operator::LShift | Operator::RShift => (Level::Shift, false),
                    Operator::BitOr => (Level::BitOr, false),
                    Operator::BitXor => (Level::BitXor, false),
                    Operator::BitAnd => (Level::BitAnd, false),
                };
                self.wrapped(level > own, |w| {
                    w.expr(&e.left, if right_to_left { own.tighter() } else { own });
                    w.text(" ");
                    w.text(e.op.as_str());
                    w.text(" ");
                    w.expr(&e.right, if right_to_left { own } else { own.tighter() });
                });
            }
            Expr::UnaryOp(e) => {
                let (own, word) = match e.op {
                    UnaryOp::Not => (Level::Not, "not "),
                    UnaryOp::Invert => (Level::Factor, "~"),
                    UnaryOp::UAdd => (Level::Factor, "+"),
                    UnaryOp::USub => (Level::Factor, "-"),
                };
                self.wrapped(level > own, |w| {
                    w.text(word);
                    w.expr(&e.operand, own);
                });
            }
            Expr::Lambda(e) => self.wrapped(level > Level::Test, |w| {
                w.text("lambda");
                if let Some(parameters) = &e.parameters {
                    w.text(" ");
                    w.parameters(parameters);
                }
                w.text(": ");
                w.expr(&e.body, Level::Test);
            }),
            Expr::If(e) => self.wrapped(level > Level::Test, |w| {
                w.expr(&e.body, Level::Test.tighter());
                w.text(" if ");
                w.expr(&e.test, Level::Test.tighter());
                w.text(" else ");
                w.expr(&e.orelse, Level::Test);
            }),
            Expr::Dict(e) => {
                self.text("{");
                for (i, item) in e.items.iter().enumerate() {
                    if i > 0 {
                        self.text(", ");
                    }
                    match &item.key {
                        Some(key) => {
                            self.expr(key, Level::Test);
                            self.text(": ");
                            self.expr(&item.value, Level::Test);
                        }
                        None => {
                            self.text("**");
                            self.expr(&item.value, Level::BitOr);
                        }
                    }
                }
                self.text("}");
            }
            Expr::Set(e) => {
                self.text("{");
                self.list(&e.elts);
                self.text("}");
            }
            Expr::ListComp(e) => self.comprehension("[", &e.elt, None, &e.generators, "]"),
            Expr::SetComp(e) => self.comprehension("{", &e.elt, None, &e.generators, "}"),
            Expr::DictComp(e) => match &e.key {
                Some(key) => self.comprehension("{", key, Some(&e.value), &e.generators, "}"),
                None => self.comprehension("{**", &e.value, None, &e.generators, "}"),
            },
            Expr::Generator(e) => self.comprehension("(", &e.elt, None, &e.generators, ")"),
            Expr::Await(e) => self.wrapped(level > Level::Await, |w| {
                w.text("await ");
                w.expr(&e.value, Level::Atom);
            }),
            Expr::Yield(e) => {
                self.text(if e.value.is_some() { "(yield " } else { "(yield" });
                if let Some(value) = &e.value {
                    self.expr(value, Level::Test);
                }
                self.text(")");
            }
            Expr::YieldFrom(e) => {
                self.text("(yield from ");
                self.expr(&e.value, Level::Test);
                self.text(")");
            }
            Expr::Compare(e) => self.wrapped(level > Level::Compare, |w| {
                w.expr(&e.left, Level::Compare.tighter());
                for (op, value) in e.ops.iter().zip(&e.comparators) {
                    w.text(match op {
                        CmpOp::Eq => " == ",
                        CmpOp::NotEq => " != ",
                        CmpOp::Lt => " < ",
                        CmpOp::LtE => " <= ",
                        CmpOp::Gt => " > ",
                        CmpOp::GtE => " >= ",
                        CmpOp::Is => " is ",
                        CmpOp::IsNot => " is not ",
                        CmpOp::In => " in ",
                        CmpOp::NotIn => " not in ",
                    });
                    w.expr(value, Level::Compare.tighter());
                }
            }),
            Expr::Call(e) => {
                self.expr(&e.func, Level::Atom);
                if let ([Expr::Generator(_)], true) = (&*e.arguments.args, e.arguments.keywords.is_empty()) {
                    return self.expr(&e.arguments.args[0], Level::Atom);
                }
                self.text("(");
                self.list(&e.arguments.args);
                let mut first = e.arguments.args.is_empty();
                for keyword in &e.arguments.keywords {
                    if !std::mem::take(&mut first) {
                        self.text(", ");
                    }
                    match &keyword.arg {
                        Some(arg) => {
                            self.text(arg);
                            self.text("=");
                        }
                        None => self.text("**"),
                    }
                    self.expr(&keyword.value, Level::Test);
                }
                self.text(")");
            }
            Expr::FString(e) => self.f_string(e),
            Expr::TString(e) => {
                let mut inner = Writer { out: Vec::new(), source: self.source };
                e.value.iter().for_each(|t| inner.elements(&t.elements, t.flags.prefix().is_raw()));
                self.text("t");
                self.quoted(&inner.out);
            }
            Expr::StringLiteral(e) => {
                if e.value.is_unicode() {
                    self.text("u");
                }
                let value = string_value(self.source, e).into_owned();
                self.quoted(&value);
            }
            Expr::BytesLiteral(e) => {
                let bytes = e.value.iter().flat_map(|part| part.value.iter().copied()).collect();
                self.text(&pellucid_bytecode::dis::repr(&pellucid_bytecode::Const::Bytes(bytes)));
            }
            Expr::NumberLiteral(e) => self.number(&e.value),
            Expr::BooleanLiteral(e) => self.text(if e.value { "True" } else { "False" }),
            Expr::NoneLiteral(_) => self.text("None"),
            Expr::EllipsisLiteral(_) => self.text("..."),
            Expr::Attribute(e) => {
                self.expr(&e.value, Level::Atom);
                if matches!(&*e.value, Expr::NumberLiteral(n) if matches!(n.value, Number::Int(_))) {
                    self.text(" ");
                }
                self.text(".");
                self.text(&e.attr);
            }
            Expr::Subscript(e) => {
                self.expr(&e.value, Level::Atom);
                self.text("[");
                self.expr(&e.slice, Level::Tuple);
                self.text("]");
            }
            Expr::Starred(e) => {
                self.text("*");
                self.expr(&e.value, Level::BitOr);
            }
            Expr::Name(e) => self.text(&e.id),
            Expr::List(e) => {
                self.text("[");
                self.list(&e.elts);
                self.text("]");
            }
            Expr::Tuple(e) => {
                if e.elts.is_empty() {
                    return self.text("()");
                }
                self.wrapped(level > Level::Tuple, |w| {
                    w.list(&e.elts);
                    if e.elts.len() == 1 {
                        w.text(",");
                    }
                });
            }
            Expr::Slice(e) => {
                if let Some(lower) = &e.lower {
                    self.expr(lower, Level::Test);
                }
                self.text(":");
                if let Some(upper) = &e.upper {
                    self.expr(upper, Level::Test);
                }
                if let Some(step) = &e.step {
                    self.text(":");
                    self.expr(step, Level::Test);
                }
            }
            Expr::IpyEscapeCommand(_) => {}
        }
    }

    fn quoted(&mut self, value: &[u8]) {
        let text = pellucid_bytecode::Const::Str(pellucid_bytecode::Wtf8(value.into()));
        self.text(&pellucid_bytecode::dis::repr(&text));
    }

    /// Infinity has no literal: a number that overflows stands for it.
    fn number(&mut self, value: &Number) {
        let text = pellucid_bytecode::dis::repr(&crate::fold::number(value));
        self.text(&text.replace("inf", "1e309"));
    }

    fn comprehension(
        &mut self,
        open: &str,
        elt: &Expr,
        value: Option<&Expr>,
        generators: &[ast::Comprehension],
        close: &str,
    ) {
        self.text(open);
        self.expr(elt, Level::Test);
        if let Some(value) = value {
            self.text(": ");
            self.expr(value, Level::Test);
        }
        for generator in generators {
            self.text(if generator.is_async { " async for " } else { " for " });
            self.expr(&generator.target, Level::Tuple);
            self.text(" in ");
            self.expr(&generator.iter, Level::Test.tighter());
            for condition in &generator.ifs {
                self.text(" if ");
                self.expr(condition, Level::Test.tighter());
            }
        }
        self.text(close);
    }

    fn parameters(&mut self, parameters: &ast::Parameters) {
        let mut first = true;
        let mut comma = |w: &mut Self| {
            if !std::mem::take(&mut first) {
                w.text(", ");
            }
        };
        let plain = |w: &mut Self, p: &ast::ParameterWithDefault| {
            w.text(&p.parameter.name);
            if let Some(default) = &p.default {
                w.text("=");
                w.expr(default, Level::Test);
            }
        };
        for p in &parameters.posonlyargs {
            comma(self);
            plain(self, p);
        }
        if !parameters.posonlyargs.is_empty() {
            comma(self);
            self.text("/");
        }
        for p in &parameters.args {
            comma(self);
            plain(self, p);
        }
        if parameters.vararg.is_some() || !parameters.kwonlyargs.is_empty() {
            comma(self);
            self.text("*");
            if let Some(p) = &parameters.vararg {
                self.text(&p.name);
            }
        }
        for p in &parameters.kwonlyargs {
            comma(self);
            plain(self, p);
        }
        if let Some(p) = &parameters.kwarg {
            comma(self);
            self.text("**");
            self.text(&p.name);
        }
    }

    fn f_string(&mut self, e: &ast::ExprFString) {
        let mut inner = Writer { out: Vec::new(), source: self.source };
        for part in &e.value {
            match part {
                ast::FStringPart::Literal(literal) => {
                    let value = literal_value(self.source, literal).into_owned();
                    inner.braces(&value);
                }
                ast::FStringPart::FString(f) => inner.elements(&f.elements, f.flags.prefix().is_raw()),
            }
        }
        self.text("f");
        self.quoted(&inner.out);
    }

    fn braces(&mut self, text: &[u8]) {
        for &byte in text {
            self.out.push(byte);
            if matches!(byte, b'{' | b'}') {
                self.out.push(byte);
            }
        }
    }

    fn elements(&mut self, elements: &ast::InterpolatedStringElements, raw: bool) {
        for element in elements {
            match element {
                ast::InterpolatedStringElement::Literal(text) => {
                    let value = element_value(self.source, text, raw).into_owned();
                    self.braces(&value);
                }
                ast::InterpolatedStringElement::Interpolation(field) => self.field(field),
            }
        }
    }

    fn field(&mut self, field: &ast::InterpolatedElement) {
        let mut conversion = field.conversion;
        if let Some(debug) = &field.debug_text {
            self.braces(debug_text(debug).as_bytes());
            if conversion == ast::ConversionFlag::None && field.format_spec.is_none() {
                conversion = ast::ConversionFlag::Repr;
            }
        }
        let mut inner = Writer { out: Vec::new(), source: self.source };
        inner.expr(&field.expression, Level::Test.tighter());
        self.text(if inner.out.starts_with(b"{") { "{ " } else { "{" });
        self.out.extend(inner.out);
        self.text(match conversion {
            ast::ConversionFlag::None => "",
            ast::ConversionFlag::Str => "!s",
            ast::ConversionFlag::Repr => "!r",
            ast::ConversionFlag::Ascii => "!a",
        });
        if let Some(spec) = &field.format_spec {
            self.text(":");
            self.elements(&spec.elements, false);
        }
        self.text("}");
    }
}

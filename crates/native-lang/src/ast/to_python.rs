//! From the parser's tree to Python's node objects.
//!
//! The two differ in places: `elif` is a nested `If` here; strings next to each other are one node, whose f-string parts
//! are flattened; decorated definitions start at `def`; a lone generator argument covers the parentheses of its call.

use super::class::Classes;
use super::table::Kind;
use pellucid_object::{Interpreter, Res, Text, Value};
use pellucid_syntax::ast::{self, Expr, InterpolatedStringElement, Pattern, Stmt};
use pellucid_syntax::text_size::{Ranged, TextRange, TextSize};
use pellucid_syntax::{Mode, Parsed, Source, strings};
use std::rc::Rc;

struct Converter<'a> {
    vm: &'a Interpreter,
    classes: Rc<Classes>,
    source: &'a Source,
}

/// The tree as an `ast.Module`, `ast.Expression`, `ast.Interactive` or `ast.FunctionType`.
pub fn to_python(vm: &Interpreter, parsed: &Parsed) -> Res {
    let c = Converter { vm, classes: Classes::of(vm)?, source: &parsed.source };
    pellucid_syntax::with_stack_for(parsed.depth, || c.module(parsed))
}

/// Whether statements of the kind end with a block.
fn ends_with_block(kind: Kind) -> bool {
    use Kind as K;
    matches!(
        kind,
        K::FunctionDef
            | K::AsyncFunctionDef
            | K::ClassDef
            | K::For
            | K::AsyncFor
            | K::While
            | K::If
            | K::With
            | K::AsyncWith
            | K::Match
            | K::Try
            | K::TryStar
            | K::ExceptHandler
    )
}

/// A part of a string: text that merges with text next to it, or a finished node.
enum Piece {
    Text { bytes: Vec<u8>, range: TextRange, unicode: bool },
    Node(Value),
}

impl Converter<'_> {
    fn module(&self, parsed: &Parsed) -> Res {
        match (&parsed.module, parsed.mode) {
            (ast::Mod::Expression(e), _) => self.node(Kind::Expression, vec![self.expr(&e.body)?]),
            (ast::Mod::Module(m), Mode::Single) => self.node(Kind::Interactive, vec![self.body(&m.body)?]),
            (ast::Mod::Module(m), Mode::FuncType) => {
                let (Some(Stmt::Expr(args)), Some(Stmt::Expr(returns))) = (m.body.first(), m.body.get(1))
                else {
                    return Err(self.vm.bug("a signature is two expressions"));
                };
                let Expr::Tuple(args) = &*args.value else {
                    return Err(self.vm.bug("arguments are a tuple"));
                };
                self.node(Kind::FunctionType, vec![self.exprs(&args.elts)?, self.expr(&returns.value)?])
            }
            (ast::Mod::Module(m), _) => {
                let ignores = self.vm.new_list(Vec::new())?;
                self.node(Kind::Module, vec![self.body(&m.body)?, ignores])
            }
        }
    }

    fn node(&self, kind: Kind, fields: Vec<Value>) -> Res {
        self.classes.node(self.vm, kind, fields, None)
    }

    fn at(&self, kind: Kind, range: TextRange, fields: Vec<Value>) -> Res {
        let range = if ends_with_block(kind) { self.with_semicolon(range) } else { range };
        let (start, end) = (self.source.position(range.start()), self.source.position(range.end()));
        self.classes.node(self.vm, kind, fields, Some([start.line, start.column, end.line, end.column]))
    }

    /// A semicolon after the last statement of a block belongs to what ends with the block.
    fn with_semicolon(&self, range: TextRange) -> TextRange {
        let rest = self.source.text().get(range.end().to_usize()..).unwrap_or("");
        let after = rest.trim_start_matches([' ', '\t', '\x0c']);
        let extra = if after.starts_with(';') { rest.len() - after.len() + 1 } else { 0 };
        TextRange::new(range.start(), range.end() + TextSize::from(extra as u32))
    }

    fn list<T>(&self, items: impl IntoIterator<Item = T>, convert: impl Fn(T) -> Res) -> Res {
        let items = items.into_iter().map(convert).collect::<Res<Vec<Value>>>()?;
        self.vm.new_list(items)
    }

    fn name(&self, name: &str) -> Res {
        self.vm.intern(name)
    }
    fn opt_name(&self, name: Option<&ast::Identifier>) -> Res {
        name.map_or(Ok(Value::NONE), |name| self.name(name.as_str()))
    }
    fn wtf8(&self, bytes: &[u8]) -> Res {
        match Text::from_wtf8(bytes) {
            Ok(Some(text)) => self.vm.new_text(text),
            Ok(None) => Err(self.vm.bug("literals are WTF-8")),
            Err(_) => Err(self.vm.no_memory()),
        }
    }

    fn body(&self, body: &[Stmt]) -> Res {
        self.list(body, |stmt| self.stmt(stmt))
    }
    fn exprs(&self, exprs: &[Expr]) -> Res {
        self.list(exprs, |expr| self.expr(expr))
    }
    fn opt(&self, expr: Option<&Expr>) -> Res {
        expr.map_or(Ok(Value::NONE), |expr| self.expr(expr))
    }

    fn definition_range(
        &self,
        range: TextRange,
        name: &ast::Identifier,
        keyword: &str,
        is_async: bool,
    ) -> TextRange {
        TextRange::new(self.source.definition_start(range, name.range, keyword, is_async), range.end())
    }

    fn stmt(&self, stmt: &Stmt) -> Res {
        match stmt {
            Stmt::FunctionDef(s) => self.function(s),
            Stmt::ClassDef(s) => self.class(s),
            Stmt::Return(s) => self.at(Kind::Return, s.range, vec![self.opt(s.value.as_deref())?]),
            Stmt::Delete(s) => self.at(Kind::Delete, s.range, vec![self.exprs(&s.targets)?]),
            Stmt::TypeAlias(s) => self.at(
                Kind::TypeAlias,
                s.range,
                vec![self.expr(&s.name)?, self.type_params(s.type_params.as_deref())?, self.expr(&s.value)?],
            ),
            Stmt::Assign(s) => self.at(
                Kind::Assign,
                s.range,
                vec![self.exprs(&s.targets)?, self.expr(&s.value)?, Value::NONE],
            ),
            Stmt::AugAssign(s) => self.at(
                Kind::AugAssign,
                s.range,
                vec![self.expr(&s.target)?, self.operator(s.op)?, self.expr(&s.value)?],
            ),
            Stmt::AnnAssign(s) => {
                let simple = self.vm.new_int(i64::from(s.simple))?;
                let value = self.opt(s.value.as_deref())?;
                let fields = vec![self.expr(&s.target)?, self.expr(&s.annotation)?, value, simple];
                self.at(Kind::AnnAssign, s.range, fields)
            }
            Stmt::For(s) => {
                let kind = if s.is_async { Kind::AsyncFor } else { Kind::For };
                let head = [self.expr(&s.target)?, self.expr(&s.iter)?];
                let fields = [&head[..], &[self.body(&s.body)?, self.body(&s.orelse)?, Value::NONE]].concat();
                self.at(kind, s.range, fields)
            }
            Stmt::While(s) => self.at(
                Kind::While,
                s.range,
                vec![self.expr(&s.test)?, self.body(&s.body)?, self.body(&s.orelse)?],
            ),
            Stmt::If(s) => self.if_stmt(s),
            Stmt::With(s) => {
                let kind = if s.is_async { Kind::AsyncWith } else { Kind::With };
                let items = self.list(&s.items, |item| {
                    let vars = self.opt(item.optional_vars.as_deref())?;
                    self.node(Kind::WithItem, vec![self.expr(&item.context_expr)?, vars])
                })?;
                self.at(kind, s.range, vec![items, self.body(&s.body)?, Value::NONE])
            }
            Stmt::Match(s) => {
                let cases = self.list(&s.cases, |case| {
                    let guard = self.opt(case.guard.as_deref())?;
                    self.node(
                        Kind::MatchCase,
                        vec![self.pattern(&case.pattern)?, guard, self.body(&case.body)?],
                    )
                })?;
                self.at(Kind::Match, s.range, vec![self.expr(&s.subject)?, cases])
            }
            Stmt::Raise(s) => self.at(
                Kind::Raise,
                s.range,
                vec![self.opt(s.exc.as_deref())?, self.opt(s.cause.as_deref())?],
            ),
            Stmt::Try(s) => self.try_stmt(s),
            Stmt::Assert(s) => {
                self.at(Kind::Assert, s.range, vec![self.expr(&s.test)?, self.opt(s.msg.as_deref())?])
            }
            Stmt::Import(s) => self.at(Kind::Import, s.range, vec![self.aliases(&s.names)?]),
            Stmt::ImportFrom(s) => {
                let level = self.vm.new_int(i64::from(s.level))?;
                let fields = vec![self.opt_name(s.module.as_ref())?, self.aliases(&s.names)?, level];
                self.at(Kind::ImportFrom, s.range, fields)
            }
            Stmt::Global(s) => {
                self.at(Kind::Global, s.range, vec![self.list(&s.names, |n| self.name(n.as_str()))?])
            }
            Stmt::Nonlocal(s) => {
                self.at(Kind::Nonlocal, s.range, vec![self.list(&s.names, |n| self.name(n.as_str()))?])
            }
            Stmt::Expr(s) => self.at(Kind::Expr, s.range, vec![self.expr(&s.value)?]),
            Stmt::Pass(s) => self.at(Kind::Pass, s.range, vec![]),
            Stmt::Break(s) => self.at(Kind::Break, s.range, vec![]),
            Stmt::Continue(s) => self.at(Kind::Continue, s.range, vec![]),
            Stmt::IpyEscapeCommand(_) => Err(self.vm.bug("escape commands are not parsed")),
        }
    }

    fn decorators(&self, decorators: &[ast::Decorator]) -> Res {
        self.list(decorators, |d| self.expr(&d.expression))
    }

    fn function(&self, s: &ast::StmtFunctionDef) -> Res {
        let kind = if s.is_async { Kind::AsyncFunctionDef } else { Kind::FunctionDef };
        let range = self.definition_range(s.range, &s.name, "def", s.is_async);
        let fields = vec![
            self.name(s.name.as_str())?,
            self.arguments(Some(&s.parameters))?,
            self.body(&s.body)?,
            self.decorators(&s.decorator_list)?,
            self.opt(s.returns.as_deref())?,
            Value::NONE,
            self.type_params(s.type_params.as_deref())?,
        ];
        self.at(kind, range, fields)
    }

    fn class(&self, s: &ast::StmtClassDef) -> Res {
        let range = self.definition_range(s.range, &s.name, "class", false);
        let fields = vec![
            self.name(s.name.as_str())?,
            self.exprs(s.bases())?,
            self.keywords(s.keywords())?,
            self.body(&s.body)?,
            self.decorators(&s.decorator_list)?,
            self.type_params(s.type_params.as_deref())?,
        ];
        self.at(Kind::ClassDef, range, fields)
    }

    /// Clauses become nested statements, made from the last one on.
    fn if_stmt(&self, s: &ast::StmtIf) -> Res {
        let mut orelse = self.vm.new_list(Vec::new())?;
        for clause in s.elif_else_clauses.iter().rev() {
            orelse = match &clause.test {
                None => self.body(&clause.body)?,
                Some(test) => {
                    let range = TextRange::new(clause.start(), s.range.end());
                    let nested =
                        self.at(Kind::If, range, vec![self.expr(test)?, self.body(&clause.body)?, orelse])?;
                    self.vm.new_list(vec![nested])?
                }
            };
        }
        self.at(Kind::If, s.range, vec![self.expr(&s.test)?, self.body(&s.body)?, orelse])
    }

    fn try_stmt(&self, s: &ast::StmtTry) -> Res {
        let handlers = self.list(&s.handlers, |handler| {
            let ast::ExceptHandler::ExceptHandler(h) = handler;
            let fields =
                vec![self.opt(h.type_.as_deref())?, self.opt_name(h.name.as_ref())?, self.body(&h.body)?];
            self.at(Kind::ExceptHandler, h.range, fields)
        })?;
        let kind = if s.is_star { Kind::TryStar } else { Kind::Try };
        self.at(
            kind,
            s.range,
            vec![self.body(&s.body)?, handlers, self.body(&s.orelse)?, self.body(&s.finalbody)?],
        )
    }

    fn aliases(&self, names: &[ast::Alias]) -> Res {
        self.list(names, |alias| {
            let fields = vec![self.name(alias.name.as_str())?, self.opt_name(alias.asname.as_ref())?];
            self.at(Kind::Alias, alias.range, fields)
        })
    }

    fn type_params(&self, params: Option<&ast::TypeParams>) -> Res {
        self.list(params.into_iter().flat_map(|p| &p.type_params), |param| match param {
            ast::TypeParam::TypeVar(p) => {
                let default = self.opt(p.default.as_deref())?;
                self.at(
                    Kind::TypeVar,
                    p.range,
                    vec![self.name(p.name.as_str())?, self.opt(p.bound.as_deref())?, default],
                )
            }
            ast::TypeParam::ParamSpec(p) => self.at(
                Kind::ParamSpec,
                p.range,
                vec![self.name(p.name.as_str())?, self.opt(p.default.as_deref())?],
            ),
            ast::TypeParam::TypeVarTuple(p) => self.at(
                Kind::TypeVarTuple,
                p.range,
                vec![self.name(p.name.as_str())?, self.opt(p.default.as_deref())?],
            ),
        })
    }

    fn arguments(&self, p: Option<&ast::Parameters>) -> Res {
        let empty = ast::Parameters::default();
        let p = p.unwrap_or(&empty);
        let arg = |a: &ast::Parameter| {
            let annotation = self.opt(a.annotation.as_deref())?;
            // The star of `*args` belongs to the parser's range only.
            let range = TextRange::new(a.name.start(), a.range.end());
            self.at(Kind::Arg, range, vec![self.name(a.name.as_str())?, annotation, Value::NONE])
        };
        let opt_arg = |a: Option<&ast::Parameter>| a.map_or(Ok(Value::NONE), arg);
        let positional = p.posonlyargs.iter().chain(&p.args);
        let defaults = self.list(positional.filter_map(|a| a.default.as_deref()), |d| self.expr(d))?;
        let fields = vec![
            self.list(&p.posonlyargs, |a| arg(&a.parameter))?,
            self.list(&p.args, |a| arg(&a.parameter))?,
            opt_arg(p.vararg.as_deref())?,
            self.list(&p.kwonlyargs, |a| arg(&a.parameter))?,
            self.list(&p.kwonlyargs, |a| self.opt(a.default.as_deref()))?,
            opt_arg(p.kwarg.as_deref())?,
            defaults,
        ];
        self.node(Kind::Arguments, fields)
    }

    fn keywords(&self, keywords: &[ast::Keyword]) -> Res {
        self.list(keywords, |k| {
            self.at(Kind::Keyword, k.range, vec![self.opt_name(k.arg.as_ref())?, self.expr(&k.value)?])
        })
    }

    fn context(&self, ctx: ast::ExprContext) -> Res {
        let kind = match ctx {
            ast::ExprContext::Store => Kind::Store,
            ast::ExprContext::Del => Kind::Del,
            ast::ExprContext::Load | ast::ExprContext::Invalid => Kind::Load,
        };
        self.classes.singleton(self.vm, kind)
    }

    fn operator(&self, op: ast::Operator) -> Res {
        use ast::Operator as O;
        let kind = match op {
            O::Add => Kind::Add,
            O::Sub => Kind::Sub,
            O::Mult => Kind::Mult,
            O::MatMult => Kind::MatMult,
            O::Div => Kind::Div,
            O::Mod => Kind::Mod,
            O::Pow => Kind::Pow,
            O::LShift => Kind::LShift,
            O::RShift => Kind::RShift,
            O::BitOr => Kind::BitOr,
            O::BitXor => Kind::BitXor,
            O::BitAnd => Kind::BitAnd,
            O::FloorDiv => Kind::FloorDiv,
        };
        self.classes.singleton(self.vm, kind)
    }

    fn comparison(&self, op: ast::CmpOp) -> Res {
        use ast::CmpOp as C;
        let kind = match op {
            C::Eq => Kind::Eq,
            C::NotEq => Kind::NotEq,
            C::Lt => Kind::Lt,
            C::LtE => Kind::LtE,
            C::Gt => Kind::Gt,
            C::GtE => Kind::GtE,
            C::Is => Kind::Is,
            C::IsNot => Kind::IsNot,
            C::In => Kind::In,
            C::NotIn => Kind::NotIn,
        };
        self.classes.singleton(self.vm, kind)
    }

    fn expr(&self, expr: &Expr) -> Res {
        let range = expr.range();
        match expr {
            Expr::BoolOp(e) => {
                let op = if e.op == ast::BoolOp::And { Kind::And } else { Kind::Or };
                self.at(
                    Kind::BoolOp,
                    range,
                    vec![self.classes.singleton(self.vm, op)?, self.exprs(&e.values)?],
                )
            }
            Expr::Named(e) => {
                self.at(Kind::NamedExpr, range, vec![self.expr(&e.target)?, self.expr(&e.value)?])
            }
            Expr::BinOp(e) => self.at(
                Kind::BinOp,
                range,
                vec![self.expr(&e.left)?, self.operator(e.op)?, self.expr(&e.right)?],
            ),
            Expr::UnaryOp(e) => {
                let op = match e.op {
                    ast::UnaryOp::Invert => Kind::Invert,
                    ast::UnaryOp::Not => Kind::Not,
                    ast::UnaryOp::UAdd => Kind::UAdd,
                    ast::UnaryOp::USub => Kind::USub,
                };
                self.at(
                    Kind::UnaryOp,
                    range,
                    vec![self.classes.singleton(self.vm, op)?, self.expr(&e.operand)?],
                )
            }
            Expr::Lambda(e) => self.at(
                Kind::Lambda,
                range,
                vec![self.arguments(e.parameters.as_deref())?, self.expr(&e.body)?],
            ),
            Expr::If(e) => self.at(
                Kind::IfExp,
                range,
                vec![self.expr(&e.test)?, self.expr(&e.body)?, self.expr(&e.orelse)?],
            ),
            Expr::Dict(e) => {
                let keys = self.list(&e.items, |item| self.opt(item.key.as_ref()))?;
                self.at(Kind::Dict, range, vec![keys, self.list(&e.items, |item| self.expr(&item.value))?])
            }
            Expr::Set(e) => self.at(Kind::Set, range, vec![self.exprs(&e.elts)?]),
            Expr::ListComp(e) => {
                self.at(Kind::ListComp, range, vec![self.expr(&e.elt)?, self.generators(&e.generators)?])
            }
            Expr::SetComp(e) => {
                self.at(Kind::SetComp, range, vec![self.expr(&e.elt)?, self.generators(&e.generators)?])
            }
            Expr::DictComp(e) => {
                let fields =
                    vec![self.opt(e.key.as_deref())?, self.expr(&e.value)?, self.generators(&e.generators)?];
                self.at(Kind::DictComp, range, fields)
            }
            Expr::Generator(e) => self.generator(e, range),
            Expr::Await(e) => self.at(Kind::Await, range, vec![self.expr(&e.value)?]),
            Expr::Yield(e) => self.at(Kind::Yield, range, vec![self.opt(e.value.as_deref())?]),
            Expr::YieldFrom(e) => self.at(Kind::YieldFrom, range, vec![self.expr(&e.value)?]),
            Expr::Compare(e) => {
                let ops = self.list(e.ops.iter(), |op| self.comparison(*op))?;
                self.at(Kind::Compare, range, vec![self.expr(&e.left)?, ops, self.exprs(&e.comparators)?])
            }
            Expr::Call(e) => self.call(e, range),
            Expr::FString(_) | Expr::StringLiteral(_) => self.string(expr),
            Expr::TString(e) => self.template(e),
            Expr::BytesLiteral(e) => {
                let bytes: Vec<u8> = e.value.bytes().collect();
                let value = self.vm.new_bytes(bytes)?;
                self.at(Kind::Constant, range, vec![value, Value::NONE])
            }
            Expr::NumberLiteral(e) => {
                self.at(Kind::Constant, range, vec![crate::number(self.vm, &e.value)?, Value::NONE])
            }
            Expr::BooleanLiteral(e) => {
                self.at(Kind::Constant, range, vec![Value::bool(e.value), Value::NONE])
            }
            Expr::NoneLiteral(_) => self.at(Kind::Constant, range, vec![Value::NONE, Value::NONE]),
            Expr::EllipsisLiteral(_) => self.at(Kind::Constant, range, vec![Value::ELLIPSIS, Value::NONE]),
            Expr::Attribute(e) => {
                let fields = vec![self.expr(&e.value)?, self.name(e.attr.as_str())?, self.context(e.ctx)?];
                self.at(Kind::Attribute, range, fields)
            }
            Expr::Subscript(e) => {
                let fields = vec![self.expr(&e.value)?, self.expr(&e.slice)?, self.context(e.ctx)?];
                self.at(Kind::Subscript, range, fields)
            }
            Expr::Starred(e) => {
                self.at(Kind::Starred, range, vec![self.expr(&e.value)?, self.context(e.ctx)?])
            }
            Expr::Name(e) => {
                self.at(Kind::Name, range, vec![self.name(e.id.as_str())?, self.context(e.ctx)?])
            }
            Expr::List(e) => self.at(Kind::List, range, vec![self.exprs(&e.elts)?, self.context(e.ctx)?]),
            Expr::Tuple(e) => self.at(Kind::Tuple, range, vec![self.exprs(&e.elts)?, self.context(e.ctx)?]),
            Expr::Slice(e) => {
                let bounds = [e.lower.as_deref(), e.upper.as_deref(), e.step.as_deref()];
                let fields = bounds.into_iter().map(|bound| self.opt(bound)).collect::<Res<Vec<Value>>>()?;
                self.at(Kind::Slice, range, fields)
            }
            Expr::IpyEscapeCommand(_) => Err(self.vm.bug("escape commands are not parsed")),
        }
    }

    fn generator(&self, e: &ast::ExprGenerator, range: TextRange) -> Res {
        self.at(Kind::GeneratorExp, range, vec![self.expr(&e.elt)?, self.generators(&e.generators)?])
    }

    fn call(&self, e: &ast::ExprCall, range: TextRange) -> Res {
        let args = match &*e.arguments.args {
            [Expr::Generator(only)] if !only.parenthesized && e.arguments.keywords.is_empty() => {
                self.vm.new_list(vec![self.generator(only, e.arguments.range)?])?
            }
            args => self.exprs(args)?,
        };
        self.at(Kind::Call, range, vec![self.expr(&e.func)?, args, self.keywords(&e.arguments.keywords)?])
    }

    fn generators(&self, generators: &[ast::Comprehension]) -> Res {
        self.list(generators, |g| {
            let is_async = self.vm.new_int(i64::from(g.is_async))?;
            let fields = vec![self.expr(&g.target)?, self.expr(&g.iter)?, self.exprs(&g.ifs)?, is_async];
            self.node(Kind::Comprehension, fields)
        })
    }

    fn string(&self, expr: &Expr) -> Res {
        let range = expr.range();
        let mut pieces = Vec::new();
        match expr {
            Expr::StringLiteral(e) => {
                let value = self.wtf8(&strings::string_value(self.source, e))?;
                let unicode = e.value.iter().next().is_some_and(|part| part.flags.prefix().is_unicode());
                return self.at(Kind::Constant, range, vec![value, self.kind(unicode)?]);
            }
            Expr::FString(e) => {
                for part in e.value.iter() {
                    match part {
                        ast::FStringPart::Literal(literal) => pieces.push(self.literal_piece(literal)),
                        ast::FStringPart::FString(f) => {
                            self.elements(
                                &f.elements,
                                f.flags.prefix().is_raw(),
                                Kind::FormattedValue,
                                &mut pieces,
                            )?;
                        }
                    }
                }
            }
            _ => return Err(self.vm.bug("a string expression")),
        }
        let values = self.pieces(pieces)?;
        self.at(Kind::JoinedStr, range, vec![values])
    }

    fn template(&self, e: &ast::ExprTString) -> Res {
        let mut pieces = Vec::new();
        for t in e.value.iter() {
            self.elements(&t.elements, t.flags.prefix().is_raw(), Kind::Interpolation, &mut pieces)?;
        }
        let values = self.pieces(pieces)?;
        self.at(Kind::TemplateStr, e.range, vec![values])
    }

    fn kind(&self, unicode: bool) -> Res {
        if unicode { self.name("u") } else { Ok(Value::NONE) }
    }

    fn literal_piece(&self, literal: &ast::StringLiteral) -> Piece {
        Piece::Text {
            bytes: strings::literal_value(self.source, literal).into_owned(),
            range: literal.range,
            unicode: literal.flags.prefix().is_unicode(),
        }
    }

    fn elements(
        &self,
        elements: &[InterpolatedStringElement],
        raw: bool,
        field: Kind,
        pieces: &mut Vec<Piece>,
    ) -> Res<()> {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(text) => pieces.push(Piece::Text {
                    bytes: strings::element_value(self.source, text, raw).into_owned(),
                    range: text.range,
                    unicode: false,
                }),
                InterpolatedStringElement::Interpolation(element) => {
                    if let Some(debug) = &element.debug_text {
                        let start = element.start() + TextSize::from(1);
                        let range = TextRange::at(start, TextSize::of(debug.as_str()));
                        let bytes = strings::debug_text(debug).as_bytes().to_vec();
                        pieces.push(Piece::Text { bytes, range, unicode: false });
                    }
                    pieces.push(Piece::Node(self.interpolation(element, raw, field)?));
                }
            }
        }
        Ok(())
    }

    fn interpolation(&self, element: &ast::InterpolatedElement, raw: bool, kind: Kind) -> Res {
        let plain_debug = element.debug_text.is_some() && element.format_spec.is_none();
        let conversion = match element.conversion {
            ast::ConversionFlag::None if plain_debug => i64::from(b'r'),
            flag => flag.to_byte().map_or(-1, i64::from),
        };
        let spec = match &element.format_spec {
            Some(spec) => {
                let mut pieces = Vec::new();
                self.elements(&spec.elements, raw, Kind::FormattedValue, &mut pieces)?;
                let values = self.pieces(pieces)?;
                // The colon belongs to the specification.
                let range = TextRange::new(spec.range.start() - TextSize::from(1), spec.range.end());
                self.at(Kind::JoinedStr, range, vec![values])?
            }
            None => Value::NONE,
        };
        let mut fields = vec![self.expr(&element.expression)?];
        if kind == Kind::Interpolation {
            fields.push(self.vm.new_str(&strings::expression_text(self.source, element))?);
        }
        fields.extend([self.vm.new_int(conversion)?, spec]);
        self.at(kind, element.range, fields)
    }

    /// The nodes of a string's parts: text next to text is one constant, empty text is none.
    fn pieces(&self, pieces: Vec<Piece>) -> Res {
        let mut values = Vec::new();
        let mut open: Option<(Vec<u8>, TextRange, bool)> = None;
        let close = |open: Option<(Vec<u8>, TextRange, bool)>, values: &mut Vec<Value>| -> Res<()> {
            if let Some((bytes, range, unicode)) = open
                && !bytes.is_empty()
            {
                let fields = vec![self.wtf8(&bytes)?, self.kind(unicode)?];
                values.push(self.at(Kind::Constant, range, fields)?);
            }
            Ok(())
        };
        for piece in pieces {
            match piece {
                Piece::Text { bytes, range, unicode } => match &mut open {
                    Some((text, whole, _)) => {
                        text.extend_from_slice(&bytes);
                        *whole = TextRange::new(whole.start(), range.end());
                    }
                    None => open = Some((bytes, range, unicode)),
                },
                Piece::Node(node) => {
                    close(open.take(), &mut values)?;
                    values.push(node);
                }
            }
        }
        close(open, &mut values)?;
        self.vm.new_list(values)
    }

    fn patterns(&self, patterns: &[Pattern]) -> Res {
        self.list(patterns, |pattern| self.pattern(pattern))
    }

    fn pattern(&self, pattern: &Pattern) -> Res {
        let range = pattern.range();
        match pattern {
            Pattern::MatchValue(p) => self.at(Kind::MatchValue, range, vec![self.expr(&p.value)?]),
            Pattern::MatchSingleton(p) => {
                let value = match p.value {
                    ast::Singleton::None => Value::NONE,
                    ast::Singleton::True => Value::TRUE,
                    ast::Singleton::False => Value::FALSE,
                };
                self.at(Kind::MatchSingleton, range, vec![value])
            }
            Pattern::MatchSequence(p) => {
                self.at(Kind::MatchSequence, range, vec![self.patterns(&p.patterns)?])
            }
            Pattern::MatchMapping(p) => {
                let fields =
                    vec![self.exprs(&p.keys)?, self.patterns(&p.patterns)?, self.opt_name(p.rest.as_ref())?];
                self.at(Kind::MatchMapping, range, fields)
            }
            Pattern::MatchClass(p) => {
                let keywords = &p.arguments.keywords;
                let fields = vec![
                    self.expr(&p.cls)?,
                    self.patterns(&p.arguments.patterns)?,
                    self.list(keywords, |k| self.name(k.attr.as_str()))?,
                    self.list(keywords, |k| self.pattern(&k.pattern))?,
                ];
                self.at(Kind::MatchClass, range, fields)
            }
            Pattern::MatchStar(p) => self.at(Kind::MatchStar, range, vec![self.opt_name(p.name.as_ref())?]),
            Pattern::MatchAs(p) => {
                let inner = p.pattern.as_deref().map_or(Ok(Value::NONE), |inner| self.pattern(inner))?;
                self.at(Kind::MatchAs, range, vec![inner, self.opt_name(p.name.as_ref())?])
            }
            Pattern::MatchOr(p) => self.at(Kind::MatchOr, range, vec![self.patterns(&p.patterns)?]),
        }
    }
}

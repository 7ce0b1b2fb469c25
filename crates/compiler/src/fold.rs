//! Expressions whose value is known before the program runs.
//!
//! [`Folds::of`] walks the tree once, bottom up, and notes the value of each expression that CPython's AST optimiser
//! replaces by a constant, with the same limits on the size of results. The tree itself stays as it is: the code
//! generator asks [`Folds::constant`] wherever it cares about constants.

mod arith;

use crate::SyntaxWarning;
use crate::symtable::address;
use pellucid_bytecode::{Const, Wtf8};
use pellucid_syntax::ast::{self, CmpOp, Expr, ExprContext, Number, Operator, Pattern, Stmt, UnaryOp};
use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{Parsed, Source, strings};
use std::collections::HashMap;

/// What the optimiser found out.
#[derive(Debug)]
pub struct Folds<'a> {
    source: &'a Source,
    values: HashMap<usize, Const>,
    debug: bool,
    annotations: bool,
    /// What statements are in, as far as `finally` is concerned.
    context: Context,
    warnings: Vec<SyntaxWarning>,
}

/// Whether statements are in a `finally`, and whether they can leave it.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    finally: bool,
    function: bool,
    in_loop: bool,
}

/// A list or set that is only iterated over or searched.
#[derive(Clone, Debug, PartialEq)]
pub enum Iterated {
    /// A constant stands for it.
    Constant(Const),
    /// A list becomes a tuple.
    Tuple,
    /// It stays.
    Unchanged,
}

impl<'a> Folds<'a> {
    /// The folds of a tree.
    pub fn of(
        parsed: &'a Parsed,
        optimize: u8,
        future_annotations: bool,
        warnings: &mut Vec<SyntaxWarning>,
    ) -> Folds<'a> {
        let mut folds = Folds {
            source: &parsed.source,
            values: HashMap::new(),
            debug: optimize == 0,
            annotations: !future_annotations,
            context: Context::default(),
            warnings: Vec::new(),
        };
        match &parsed.module {
            ast::Mod::Module(module) => folds.statements(&module.body),
            ast::Mod::Expression(expression) => folds.expr(&expression.body),
        }
        warnings.append(&mut folds.warnings);
        folds
    }

    /// The value of an expression, if it is a literal or was folded.
    pub fn constant(&self, expr: &Expr) -> Option<Const> {
        Some(match expr {
            Expr::NumberLiteral(e) => number(&e.value),
            Expr::StringLiteral(e) => Const::Str(Wtf8(strings::string_value(self.source, e).into())),
            Expr::BytesLiteral(e) => {
                Const::Bytes(e.value.iter().flat_map(|part| part.value.iter().copied()).collect())
            }
            Expr::BooleanLiteral(e) if e.value => Const::True,
            Expr::BooleanLiteral(_) => Const::False,
            Expr::NoneLiteral(_) => Const::None,
            Expr::EllipsisLiteral(_) => Const::Ellipsis,
            Expr::UnaryOp(_) | Expr::BinOp(_) | Expr::Tuple(_) | Expr::Subscript(_) | Expr::Name(_) => {
                self.values.get(&address(expr))?.clone()
            }
            _ => return None,
        })
    }

    /// Whether an expression is a literal or was folded.
    pub fn is_constant(&self, expr: &Expr) -> bool {
        match expr {
            Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => true,
            _ => self.values.contains_key(&address(expr)),
        }
    }

    /// The values of expressions, if all are constant.
    pub fn constants<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<Box<[Const]>> {
        exprs.into_iter().map(|expr| self.constant(expr)).collect()
    }

    /// What stands for an expression that is only iterated over, or searched by `in`.
    pub fn iterated(&self, expr: &Expr) -> Iterated {
        match expr {
            Expr::List(list) if !list.elts.iter().any(Expr::is_starred_expr) => {
                match self.constants(&list.elts) {
                    Some(items) => Iterated::Constant(Const::Tuple(items)),
                    None => Iterated::Tuple,
                }
            }
            Expr::Set(set) => match self.constants(&set.elts) {
                Some(items) => Iterated::Constant(frozenset(items)),
                None => Iterated::Unchanged,
            },
            _ => Iterated::Unchanged,
        }
    }

    /// For `not a in b` and the like, the comparison and its opposite operator.
    pub fn negated_comparison<'e>(&self, e: &'e ast::ExprUnaryOp) -> Option<(&'e ast::ExprCompare, CmpOp)> {
        let Expr::Compare(compare) = &*e.operand else { return None };
        let (UnaryOp::Not, [op]) = (e.op, &*compare.ops) else { return None };
        let opposite = match op {
            CmpOp::Is => CmpOp::IsNot,
            CmpOp::IsNot => CmpOp::Is,
            CmpOp::In => CmpOp::NotIn,
            CmpOp::NotIn => CmpOp::In,
            _ => return None,
        };
        Some((compare, opposite))
    }

    fn set(&mut self, expr: &Expr, value: Option<Const>) {
        if let Some(value) = value {
            self.values.insert(address(expr), value);
        }
    }

    fn statements(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn within(&mut self, context: Context, body: &[Stmt]) {
        let before = std::mem::replace(&mut self.context, context);
        self.statements(body);
        self.context = before;
    }

    /// Warns of a statement that swallows the exception because of which a `finally` runs.
    fn leaves_finally(&mut self, range: TextRange, word: &str, stays: bool) {
        if self.context.finally && !stays {
            let message = format!("'{word}' in a 'finally' block");
            self.warnings.push(SyntaxWarning { message, range });
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn optional(&mut self, expr: &Option<Box<Expr>>) {
        self.exprs(expr.as_deref());
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(f) => {
                self.exprs(f.decorator_list.iter().map(|d| &d.expression));
                self.type_params(f.type_params.as_deref());
                self.parameters(&f.parameters);
                if self.annotations {
                    self.optional(&f.returns);
                }
                self.within(Context { function: true, ..Context::default() }, &f.body);
            }
            Stmt::ClassDef(c) => {
                self.exprs(c.decorator_list.iter().map(|d| &d.expression));
                self.type_params(c.type_params.as_deref());
                if let Some(arguments) = &c.arguments {
                    self.arguments(arguments);
                }
                self.statements(&c.body);
            }
            Stmt::Return(s) => {
                self.leaves_finally(s.range, "return", self.context.function);
                self.optional(&s.value);
            }
            Stmt::Delete(s) => self.exprs(&s.targets),
            Stmt::TypeAlias(s) => {
                self.type_params(s.type_params.as_deref());
                self.expr(&s.value);
            }
            Stmt::Assign(s) => {
                self.exprs(&s.targets);
                self.expr(&s.value);
            }
            Stmt::AugAssign(s) => {
                self.expr(&s.target);
                self.expr(&s.value);
            }
            Stmt::AnnAssign(s) => {
                self.expr(&s.target);
                if self.annotations {
                    self.expr(&s.annotation);
                }
                self.optional(&s.value);
            }
            Stmt::For(s) => {
                self.expr(&s.target);
                self.expr(&s.iter);
                self.within(Context { in_loop: true, ..self.context }, &s.body);
                self.statements(&s.orelse);
            }
            Stmt::While(s) => {
                self.expr(&s.test);
                self.within(Context { in_loop: true, ..self.context }, &s.body);
                self.statements(&s.orelse);
            }
            Stmt::If(s) => {
                self.expr(&s.test);
                self.statements(&s.body);
                for clause in &s.elif_else_clauses {
                    self.exprs(&clause.test);
                    self.statements(&clause.body);
                }
            }
            Stmt::With(s) => {
                for item in &s.items {
                    self.expr(&item.context_expr);
                    self.optional(&item.optional_vars);
                }
                self.statements(&s.body);
            }
            Stmt::Match(s) => {
                self.expr(&s.subject);
                for case in &s.cases {
                    self.pattern(&case.pattern);
                    self.optional(&case.guard);
                    self.statements(&case.body);
                }
            }
            Stmt::Raise(s) => {
                self.optional(&s.exc);
                self.optional(&s.cause);
            }
            Stmt::Try(s) => {
                self.statements(&s.body);
                for ast::ExceptHandler::ExceptHandler(handler) in &s.handlers {
                    self.optional(&handler.type_);
                    self.statements(&handler.body);
                }
                self.statements(&s.orelse);
                self.within(Context { finally: true, ..Context::default() }, &s.finalbody);
            }
            Stmt::Assert(s) => {
                self.expr(&s.test);
                self.optional(&s.msg);
            }
            Stmt::Expr(s) => self.expr(&s.value),
            Stmt::Break(s) => self.leaves_finally(s.range, "break", self.context.in_loop),
            Stmt::Continue(s) => self.leaves_finally(s.range, "continue", self.context.in_loop),
            Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Pass(_)
            | Stmt::IpyEscapeCommand(_) => {}
        }
    }

    fn type_params(&mut self, type_params: Option<&ast::TypeParams>) {
        for param in type_params.iter().flat_map(|p| &p.type_params) {
            match param {
                ast::TypeParam::TypeVar(p) => {
                    self.optional(&p.bound);
                    self.optional(&p.default);
                }
                ast::TypeParam::TypeVarTuple(p) => self.optional(&p.default),
                ast::TypeParam::ParamSpec(p) => self.optional(&p.default),
            }
        }
    }

    fn parameters(&mut self, parameters: &ast::Parameters) {
        for p in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
            self.optional(&p.default);
            if self.annotations {
                self.optional(&p.parameter.annotation);
            }
        }
        if self.annotations {
            for p in parameters.vararg.iter().chain(&parameters.kwarg) {
                self.optional(&p.annotation);
            }
        }
    }

    fn arguments(&mut self, arguments: &ast::Arguments) {
        self.exprs(&arguments.args);
        self.exprs(arguments.keywords.iter().map(|k| &k.value));
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::MatchValue(p) => self.expr(&p.value),
            Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => {}
            Pattern::MatchSequence(p) => p.patterns.iter().for_each(|p| self.pattern(p)),
            Pattern::MatchMapping(p) => {
                self.exprs(&p.keys);
                p.patterns.iter().for_each(|p| self.pattern(p));
            }
            Pattern::MatchClass(p) => {
                self.expr(&p.cls);
                p.arguments.patterns.iter().for_each(|p| self.pattern(p));
                p.arguments.keywords.iter().for_each(|k| self.pattern(&k.pattern));
            }
            Pattern::MatchAs(p) => p.pattern.iter().for_each(|p| self.pattern(p)),
            Pattern::MatchOr(p) => p.patterns.iter().for_each(|p| self.pattern(p)),
        }
    }

    fn comprehension(&mut self, generators: &[ast::Comprehension]) {
        for generator in generators {
            self.expr(&generator.target);
            self.expr(&generator.iter);
            self.exprs(&generator.ifs);
        }
    }

    fn interpolated(&mut self, elements: &ast::InterpolatedStringElements) {
        for element in elements {
            if let ast::InterpolatedStringElement::Interpolation(field) = element {
                self.expr(&field.expression);
                if let Some(spec) = &field.format_spec {
                    self.interpolated(&spec.elements);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::BoolOp(e) => self.exprs(&e.values),
            Expr::Named(e) => self.expr(&e.value),
            Expr::BinOp(e) => {
                self.expr(&e.left);
                self.expr(&e.right);
                self.set(expr, self.binary(e));
            }
            Expr::UnaryOp(e) => {
                self.expr(&e.operand);
                let value = self.constant(&e.operand).and_then(|v| arith::unary(e.op, &v));
                self.set(expr, value);
            }
            Expr::Lambda(e) => {
                if let Some(parameters) = &e.parameters {
                    self.parameters(parameters);
                }
                self.expr(&e.body);
            }
            Expr::If(e) => {
                self.expr(&e.test);
                self.expr(&e.body);
                self.expr(&e.orelse);
            }
            Expr::Dict(e) => {
                for item in &e.items {
                    self.exprs(&item.key);
                    self.expr(&item.value);
                }
            }
            Expr::Set(e) => self.exprs(&e.elts),
            Expr::ListComp(e) => {
                self.expr(&e.elt);
                self.comprehension(&e.generators);
            }
            Expr::SetComp(e) => {
                self.expr(&e.elt);
                self.comprehension(&e.generators);
            }
            Expr::DictComp(e) => {
                self.optional(&e.key);
                self.expr(&e.value);
                self.comprehension(&e.generators);
            }
            Expr::Generator(e) => {
                self.expr(&e.elt);
                self.comprehension(&e.generators);
            }
            Expr::Await(e) => self.expr(&e.value),
            Expr::Yield(e) => self.optional(&e.value),
            Expr::YieldFrom(e) => self.expr(&e.value),
            Expr::Compare(e) => {
                self.expr(&e.left);
                self.exprs(&e.comparators);
            }
            Expr::Call(e) => {
                self.expr(&e.func);
                self.arguments(&e.arguments);
            }
            Expr::FString(e) => e.value.f_strings().for_each(|f| self.interpolated(&f.elements)),
            Expr::TString(e) => e.value.iter().for_each(|t| self.interpolated(&t.elements)),
            Expr::Attribute(e) => self.expr(&e.value),
            Expr::Subscript(e) => {
                self.expr(&e.value);
                self.expr(&e.slice);
                if e.ctx == ExprContext::Load
                    && let Some(value) = self.constant(&e.value)
                    && let Some(index) = self.constant(&e.slice)
                {
                    self.set(expr, arith::subscript(&value, &index));
                }
            }
            Expr::Starred(e) => self.expr(&e.value),
            Expr::Name(e) => {
                if e.ctx == ExprContext::Load && e.id.as_str() == "__debug__" {
                    self.set(expr, Some(if self.debug { Const::True } else { Const::False }));
                }
            }
            Expr::List(e) => self.exprs(&e.elts),
            Expr::Tuple(e) => {
                self.exprs(&e.elts);
                if e.ctx == ExprContext::Load {
                    self.set(expr, self.constants(&e.elts).map(Const::Tuple));
                }
            }
            Expr::Slice(e) => {
                self.optional(&e.lower);
                self.optional(&e.upper);
                self.optional(&e.step);
            }
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::IpyEscapeCommand(_) => {}
        }
    }

    fn binary(&self, e: &ast::ExprBinOp) -> Option<Const> {
        if e.op == Operator::MatMult || !self.is_constant(&e.left) || !self.is_constant(&e.right) {
            return None;
        }
        arith::binary(e.op, &self.constant(&e.left)?, &self.constant(&e.right)?)
    }
}

/// The value of a number literal.
pub fn number(value: &Number) -> Const {
    match value {
        Number::Int(int) => match int.as_i64() {
            Some(small) => Const::Int(small),
            None => arith::parse_int(&int.to_string()),
        },
        Number::Float(value) => Const::Float(*value),
        Number::Complex { real, imag } => Const::Complex(*real, *imag),
    }
}

/// A frozenset of constants, those equal to an earlier one left out.
pub fn frozenset(items: Box<[Const]>) -> Const {
    let mut kept: Vec<Const> = Vec::with_capacity(items.len());
    // Where in `kept` those with a hash are.
    let mut known: HashMap<u64, Vec<usize>> = HashMap::with_capacity(items.len());
    for item in items {
        let places = known.entry(arith::hash(&item)).or_default();
        if !places.iter().any(|&at| arith::equal(&kept[at], &item)) {
            places.push(kept.len());
            kept.push(item);
        }
    }
    Const::FrozenSet(kept.into())
}

/// Whether a constant is true.
pub fn truth(value: &Const) -> bool {
    arith::truth(value)
}

/// Whether two constants are equal as Python's `==` has it.
pub fn equal(a: &Const, b: &Const) -> bool {
    arith::equal(a, b)
}

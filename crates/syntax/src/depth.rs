//! How deep a tree may be, and how deep ones are measured and taken apart without deep recursion.
//!
//! Ruff's parser grows its stack on the heap while it recurses (`stacker`), so parsing any input is safe. What comes
//! after is not: visitors, the compiler and the destructor of the tree all recurse. Hence three rules. A tree deeper
//! than [`MAX_DEPTH`] becomes an error as soon as it is parsed. It is measured and taken apart by a walk that grows its
//! stack. Whoever walks a tree recursively does so within [`with_stack_for`], which provides stack by the depth.

use ruff_python_ast::visitor::transformer::{self, Transformer};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Mod, Pattern, Stmt};
use std::cell::Cell;

/// The deepest nesting of nodes that is compiled.
pub const MAX_DEPTH: usize = 6_000;

/// Trees up to this depth are dropped as they are.
const SHALLOW: usize = 200;
const RED_ZONE: usize = 128 * 1024;
const SEGMENT: usize = 2 * 1024 * 1024;
/// Stack for one level of a tree in the greediest of its visitors, unoptimised.
const BYTES_A_LEVEL: usize = 16 * 1024;

/// Runs `f`, which recurses over a tree of that depth, on a stack large enough for it.
pub fn with_stack_for<T>(depth: usize, f: impl FnOnce() -> T) -> T {
    let needed = 512 * 1024 + depth * BYTES_A_LEVEL;
    stacker::maybe_grow(needed, needed + RED_ZONE, f)
}

fn grown<T>(depth: usize, f: impl FnOnce() -> T) -> T {
    if depth.is_multiple_of(16) { stacker::maybe_grow(RED_ZONE, SEGMENT, f) } else { f() }
}

#[derive(Default)]
struct Depth {
    now: usize,
    most: usize,
    odd_pattern: bool,
}

impl Depth {
    fn deeper(&mut self, f: impl FnOnce(&mut Self)) {
        self.now += 1;
        self.most = self.most.max(self.now);
        grown(self.now, || f(self));
        self.now -= 1;
    }
}

impl<'a> Visitor<'a> for Depth {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.deeper(|this| visitor::walk_stmt(this, stmt));
    }
    fn visit_expr(&mut self, expr: &'a Expr) {
        self.deeper(|this| visitor::walk_expr(this, expr));
    }
    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.odd_pattern |= is_odd(pattern);
        self.deeper(|this| visitor::walk_pattern(this, pattern));
    }
    fn visit_interpolated_string_element(&mut self, element: &'a ast::InterpolatedStringElement) {
        self.deeper(|this| visitor::walk_interpolated_string_element(this, element));
    }
}

/// Whether the parser took a pattern that CPython's grammar may not have.
fn is_odd(pattern: &Pattern) -> bool {
    let Pattern::MatchValue(value) = pattern else { return false };
    match &*value.value {
        Expr::BinOp(sum) => !matches!(sum.op, ast::Operator::Add | ast::Operator::Sub),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::Attribute(_) => false,
        _ => true,
    }
}

/// The most nodes on a way from the root to a leaf, and whether there is a pattern to look at twice.
pub(crate) fn measure(module: &Mod) -> (usize, bool) {
    let mut depth = Depth::default();
    match module {
        Mod::Module(module) => depth.visit_body(&module.body),
        Mod::Expression(expression) => depth.visit_expr(&expression.body),
    }
    (depth.most, depth.odd_pattern)
}

/// Replaces what lies below every so many levels, bottom up, so that no drop recurses deeper than that.
#[derive(Default)]
struct Dismantle {
    now: Cell<usize>,
}

impl Dismantle {
    fn deeper(&self, f: impl FnOnce()) -> bool {
        let now = self.now.get() + 1;
        self.now.set(now);
        grown(now, f);
        self.now.set(now - 1);
        now.is_multiple_of(SHALLOW / 2)
    }
}

impl Transformer for Dismantle {
    fn visit_stmt(&self, stmt: &mut Stmt) {
        if self.deeper(|| transformer::walk_stmt(self, stmt)) {
            *stmt = Stmt::Pass(ast::StmtPass { range: Default::default(), node_index: Default::default() });
        }
    }
    fn visit_expr(&self, expr: &mut Expr) {
        if self.deeper(|| transformer::walk_expr(self, expr)) {
            *expr = leaf();
        }
    }
    fn visit_pattern(&self, pattern: &mut Pattern) {
        if self.deeper(|| transformer::walk_pattern(self, pattern)) {
            *pattern = Pattern::MatchSingleton(ast::PatternMatchSingleton {
                range: Default::default(),
                node_index: Default::default(),
                value: ast::Singleton::None,
            });
        }
    }
    fn visit_interpolated_string_element(&self, element: &mut ast::InterpolatedStringElement) {
        if self.deeper(|| transformer::walk_interpolated_string_element(self, element)) {
            *element = ast::InterpolatedStringElement::Literal(ast::InterpolatedStringLiteralElement {
                range: Default::default(),
                node_index: Default::default(),
                value: "".into(),
            });
        }
    }
}

fn leaf() -> Expr {
    Expr::NoneLiteral(ast::ExprNoneLiteral { range: Default::default(), node_index: Default::default() })
}

/// Takes a tree apart so that it can be dropped on a small stack.
pub(crate) fn dismantle(module: &mut Mod, depth: usize) {
    if depth <= SHALLOW {
        return;
    }
    let dismantle = Dismantle::default();
    match module {
        Mod::Module(module) => {
            dismantle.visit_body(&mut module.body);
        }
        Mod::Expression(expression) => dismantle.visit_expr(&mut expression.body),
    }
}

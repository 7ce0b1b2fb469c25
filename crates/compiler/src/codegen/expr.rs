//! Expressions.

use super::unit::UnitKind;
use super::{Compiler, STACK_USE, Use};
use crate::error::{Failure, Outcome};
use crate::flow::BlockId;
use crate::fold::Iterated;
use crate::place::{Place, bare_generator};
use crate::symtable::BlockKind;
use pellucid_bytecode::{Const, Op, Wtf8};
use pellucid_syntax::ast::{self, BoolOp, CmpOp, Expr, ExprContext, Operator, UnaryOp};
use pellucid_syntax::text_size::{Ranged, TextRange};

fn usage(ctx: ExprContext) -> Use {
    match ctx {
        ExprContext::Load | ExprContext::Invalid => Use::Load,
        ExprContext::Store => Use::Store,
        ExprContext::Del => Use::Delete,
    }
}

/// What a list of expressions is built into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    List,
    Set,
    Tuple,
}

impl<'a> Compiler<'a> {
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Outcome {
        self.expr_at(expr, expr.range())
    }

    pub(super) fn expr_at(&mut self, expr: &'a Expr, range: TextRange) -> Outcome {
        let place = self.places.of(range);
        self.at(place, |this| this.expr_here(expr))
    }

    fn expr_here(&mut self, expr: &'a Expr) -> Outcome {
        if let Some(value) = self.folds.constant(expr) {
            self.load_const(value);
            return Ok(());
        }
        match expr {
            Expr::Named(e) => {
                self.expr(&e.value)?;
                self.op(Op::DupTop);
                self.expr(&e.target)
            }
            Expr::BoolOp(e) => self.bool_op(e),
            Expr::BinOp(e) => self.binary(e),
            Expr::UnaryOp(e) => {
                if let Some((compare, op)) = self.folds.negated_comparison(e) {
                    let place = self.places.of(compare.range);
                    return self.at(place, |this| this.compare_one(compare, op));
                }
                self.expr(&e.operand)?;
                self.op(match e.op {
                    UnaryOp::Invert => Op::UnaryInvert,
                    UnaryOp::Not => Op::UnaryNot,
                    UnaryOp::UAdd => Op::UnaryPositive,
                    UnaryOp::USub => Op::UnaryNegative,
                });
                Ok(())
            }
            Expr::Lambda(e) => self.lambda(e),
            Expr::If(e) => {
                let end = self.new_block();
                let next = self.new_block();
                self.jump_if(&e.test, next, false)?;
                self.expr(&e.body)?;
                self.jump_without_line(Op::JumpForward, end);
                self.use_next(next);
                self.expr(&e.orelse)?;
                self.use_next(end);
                Ok(())
            }
            Expr::Dict(e) => self.dict(e),
            Expr::Set(e) => self.display(&e.elts, 0, Display::Set),
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehension(expr)
            }
            Expr::Await(e) => {
                let top = self.options.top_level_await && self.units.len() == 1;
                if !top {
                    if self.block().kind != BlockKind::Function {
                        return Failure::at(e.range, "'await' outside function");
                    }
                    if !matches!(self.unit().kind, UnitKind::AsyncFunction | UnitKind::Comprehension) {
                        return Failure::at(e.range, "'await' outside async function");
                    }
                }
                self.expr(&e.value)?;
                self.await_top();
                Ok(())
            }
            Expr::Yield(e) => {
                if !self.block().kind.is_function_like() {
                    return Failure::at(e.range, "'yield' outside function");
                }
                match &e.value {
                    Some(value) => self.expr(value)?,
                    None => self.load_const(Const::None),
                }
                self.op(Op::YieldValue);
                Ok(())
            }
            Expr::YieldFrom(e) => {
                if !self.block().kind.is_function_like() {
                    return Failure::at(e.range, "'yield from' outside function");
                }
                if self.unit().kind == UnitKind::AsyncFunction {
                    return Failure::at(e.range, "'yield from' inside async function");
                }
                self.expr(&e.value)?;
                self.op(Op::GetYieldFromIter);
                self.load_const(Const::None);
                self.op(Op::YieldFrom);
                Ok(())
            }
            Expr::Compare(e) => self.compare(e),
            Expr::Call(e) => self.call(e),
            Expr::FString(e) => self.f_string(e),
            Expr::TString(e) => self.t_string(e),
            Expr::Attribute(e) => self.attribute(e),
            Expr::Subscript(e) => {
                if e.ctx == ExprContext::Load {
                    self.check_subscript(e);
                }
                self.expr(&e.value)?;
                self.expr(&e.slice)?;
                self.op(match usage(e.ctx) {
                    Use::Load => Op::BinarySubscr,
                    Use::Store => Op::StoreSubscr,
                    Use::Delete => Op::DeleteSubscr,
                });
                Ok(())
            }
            Expr::Starred(e) => match e.ctx {
                ExprContext::Store => {
                    Failure::at(e.range, "starred assignment target must be in a list or tuple")
                }
                _ => Failure::at(e.range, "can't use starred expression here"),
            },
            Expr::Name(e) => self.name(&e.id, usage(e.ctx)),
            Expr::List(e) => self.sequence(&e.elts, e.ctx, Display::List),
            Expr::Tuple(e) => self.sequence(&e.elts, e.ctx, Display::Tuple),
            Expr::Slice(e) => {
                let mut count = 2;
                for part in [&e.lower, &e.upper] {
                    match part {
                        Some(part) => self.expr(part)?,
                        None => self.load_const(Const::None),
                    }
                }
                if let Some(step) = &e.step {
                    self.expr(step)?;
                    count = 3;
                }
                self.op_arg(Op::BuildSlice, count);
                Ok(())
            }
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => Ok(()),
            Expr::IpyEscapeCommand(e) => Failure::at(e.range, "invalid syntax"),
        }
    }

    /// An expression that is only iterated over or searched.
    pub(super) fn iterable(&mut self, expr: &'a Expr) -> Outcome {
        match (self.folds.iterated(expr), expr) {
            (Iterated::Constant(value), _) => {
                let place = self.places.of(expr.range());
                self.at(place, |this| {
                    this.load_const(value);
                    Ok(())
                })
            }
            (Iterated::Tuple, Expr::List(list)) => {
                let place = self.places.of(expr.range());
                self.at(place, |this| this.display(&list.elts, 0, Display::Tuple))
            }
            _ => self.expr(expr),
        }
    }

    fn bool_op(&mut self, e: &'a ast::ExprBoolOp) -> Outcome {
        let op = match e.op {
            BoolOp::And => Op::JumpIfFalseOrPop,
            BoolOp::Or => Op::JumpIfTrueOrPop,
        };
        let end = self.new_block();
        let Some((last, before)) = e.values.split_last() else { return Ok(()) };
        for value in before {
            self.expr(value)?;
            self.jump(op, end);
            self.unit().graph.start_block();
        }
        self.expr(last)?;
        self.use_next(end);
        Ok(())
    }

    fn binary(&mut self, e: &'a ast::ExprBinOp) -> Outcome {
        self.expr(&e.left)?;
        self.expr(&e.right)?;
        self.op(match e.op {
            Operator::Add => Op::BinaryAdd,
            Operator::Sub => Op::BinarySubtract,
            Operator::Mult => Op::BinaryMultiply,
            Operator::MatMult => Op::BinaryMatrixMultiply,
            Operator::Div => Op::BinaryTrueDivide,
            Operator::Mod => Op::BinaryModulo,
            Operator::Pow => Op::BinaryPower,
            Operator::LShift => Op::BinaryLshift,
            Operator::RShift => Op::BinaryRshift,
            Operator::BitOr => Op::BinaryOr,
            Operator::BitXor => Op::BinaryXor,
            Operator::BitAnd => Op::BinaryAnd,
            Operator::FloorDiv => Op::BinaryFloorDivide,
        });
        Ok(())
    }

    /// Jumps if an expression is true or, without `cond`, false.
    pub(super) fn jump_if(&mut self, expr: &'a Expr, target: BlockId, cond: bool) -> Outcome {
        let constant = self.folds.is_constant(expr);
        match expr {
            Expr::UnaryOp(e)
                if e.op == UnaryOp::Not && !constant && self.folds.negated_comparison(e).is_none() =>
            {
                return self.jump_if(&e.operand, target, !cond);
            }
            Expr::BoolOp(e) => {
                let Some((last, before)) = e.values.split_last() else { return Ok(()) };
                let cond2 = e.op == BoolOp::Or;
                let inner = if cond2 == cond { target } else { self.new_block() };
                for value in before {
                    self.jump_if(value, inner, cond2)?;
                }
                self.jump_if(last, target, cond)?;
                if inner != target {
                    self.use_next(inner);
                }
                return Ok(());
            }
            Expr::If(e) => {
                let end = self.new_block();
                let next = self.new_block();
                self.jump_if(&e.test, next, false)?;
                self.jump_if(&e.body, target, cond)?;
                self.jump_without_line(Op::JumpForward, end);
                self.use_next(next);
                self.jump_if(&e.orelse, target, cond)?;
                self.use_next(end);
                return Ok(());
            }
            // From a comparison on, its place is that of what follows.
            Expr::Compare(e) => {
                self.set_place(e.range);
                if e.ops.len() > 1 {
                    return self.jump_if_compare(e, target, cond);
                }
            }
            Expr::UnaryOp(e) => {
                if let Some((compare, _)) = self.folds.negated_comparison(e) {
                    self.set_place(compare.range);
                }
            }
            _ => {}
        }
        self.expr(expr)?;
        self.jump(if cond { Op::PopJumpIfTrue } else { Op::PopJumpIfFalse }, target);
        self.unit().graph.start_block();
        Ok(())
    }

    fn jump_if_compare(&mut self, e: &'a ast::ExprCompare, target: BlockId, cond: bool) -> Outcome {
        self.check_compare(e);
        let cleanup = self.new_block();
        self.expr(&e.left)?;
        let last = e.ops.len() - 1;
        for (op, comparator) in e.ops[..last].iter().zip(&e.comparators) {
            self.expr(comparator)?;
            self.op(Op::DupTop);
            self.op(Op::RotThree);
            self.compare_op(*op);
            self.jump(Op::PopJumpIfFalse, cleanup);
            self.unit().graph.start_block();
        }
        self.comparator(&e.comparators[last], e.ops[last])?;
        self.compare_op(e.ops[last]);
        self.jump(if cond { Op::PopJumpIfTrue } else { Op::PopJumpIfFalse }, target);
        self.unit().graph.start_block();
        let end = self.new_block();
        self.jump_without_line(Op::JumpForward, end);
        self.use_next(cleanup);
        self.op(Op::PopTop);
        if !cond {
            self.jump_without_line(Op::JumpForward, target);
        }
        self.use_next(end);
        Ok(())
    }

    fn compare(&mut self, e: &'a ast::ExprCompare) -> Outcome {
        if let [op] = *e.ops {
            return self.compare_one(e, op);
        }
        self.check_compare(e);
        self.expr(&e.left)?;
        let last = e.ops.len() - 1;
        let cleanup = self.new_block();
        for (op, comparator) in e.ops[..last].iter().zip(&e.comparators) {
            self.expr(comparator)?;
            self.op(Op::DupTop);
            self.op(Op::RotThree);
            self.compare_op(*op);
            self.jump(Op::JumpIfFalseOrPop, cleanup);
            self.unit().graph.start_block();
        }
        self.comparator(&e.comparators[last], e.ops[last])?;
        self.compare_op(e.ops[last]);
        let end = self.new_block();
        self.jump_without_line(Op::JumpForward, end);
        self.use_next(cleanup);
        self.op(Op::RotTwo);
        self.op(Op::PopTop);
        self.use_next(end);
        Ok(())
    }

    /// A comparison with one operator, which may be the opposite of the one written.
    fn compare_one(&mut self, e: &'a ast::ExprCompare, op: CmpOp) -> Outcome {
        self.check_compare(e);
        self.expr(&e.left)?;
        self.comparator(&e.comparators[0], op)?;
        self.compare_op(op);
        Ok(())
    }

    fn comparator(&mut self, expr: &'a Expr, op: CmpOp) -> Outcome {
        match op {
            CmpOp::In | CmpOp::NotIn => self.iterable(expr),
            _ => self.expr(expr),
        }
    }

    pub(super) fn compare_op(&mut self, op: CmpOp) {
        let (op, arg) = match op {
            CmpOp::Lt => (Op::CompareOp, 0),
            CmpOp::LtE => (Op::CompareOp, 1),
            CmpOp::Eq => (Op::CompareOp, 2),
            CmpOp::NotEq => (Op::CompareOp, 3),
            CmpOp::Gt => (Op::CompareOp, 4),
            CmpOp::GtE => (Op::CompareOp, 5),
            CmpOp::Is => (Op::IsOp, 0),
            CmpOp::IsNot => (Op::IsOp, 1),
            CmpOp::In => (Op::ContainsOp, 0),
            CmpOp::NotIn => (Op::ContainsOp, 1),
        };
        self.op_arg(op, arg);
    }

    /// Where the name of an attribute is, if that is in another line than the start of the expression; else the whole.
    pub(super) fn attribute_place(&mut self, e: &ast::ExprAttribute) -> Place {
        let start = self.places.of(e.range);
        let end = self.places.line(e.range.end());
        if start.line == end { start } else { Place { line: end, range: Some(e.attr.range) } }
    }

    fn attribute(&mut self, e: &'a ast::ExprAttribute) -> Outcome {
        self.expr(&e.value)?;
        let op = match usage(e.ctx) {
            Use::Load => Op::LoadAttr,
            Use::Store => {
                self.note_static_attribute(e);
                Op::StoreAttr
            }
            Use::Delete => {
                self.op_name(Op::DeleteAttr, &e.attr);
                return Ok(());
            }
        };
        let place = self.attribute_place(e);
        self.at(place, |this| {
            this.op_name(op, &e.attr);
            Ok(())
        })
    }

    /// A class knows which attributes its methods set on `self`.
    pub(super) fn note_static_attribute(&mut self, e: &ast::ExprAttribute) {
        let Expr::Name(name) = &*e.value else { return };
        if name.id.as_str() != "self" {
            return;
        }
        let mangled = self.mangle(&e.attr);
        if let Some(class) = self.units.iter_mut().rev().find(|u| u.kind == UnitKind::Class) {
            class.static_attributes.insert(mangled);
        }
    }

    fn sequence(&mut self, elts: &'a [Expr], ctx: ExprContext, display: Display) -> Outcome {
        match usage(ctx) {
            Use::Load => self.display(elts, 0, display),
            Use::Store => {
                self.unpack(elts)?;
                for elt in elts {
                    match elt {
                        Expr::Starred(starred) => self.expr(&starred.value)?,
                        _ => self.expr(elt)?,
                    }
                }
                Ok(())
            }
            Use::Delete => elts.iter().try_for_each(|elt| self.expr(elt)),
        }
    }

    fn unpack(&mut self, elts: &'a [Expr]) -> Outcome {
        let mut starred = elts.iter().enumerate().filter(|(_, elt)| elt.is_starred_expr());
        let Some((before, _)) = starred.next() else {
            self.op_arg(Op::UnpackSequence, elts.len() as u32);
            return Ok(());
        };
        let range = self.here();
        if starred.next().is_some() {
            return Failure::at(range, "multiple starred expressions in assignment");
        }
        let after = elts.len() - before - 1;
        if before >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
            return Failure::at(range, "too many expressions in star-unpacking assignment");
        }
        self.op_arg(Op::UnpackEx, (before + (after << 8)) as u32);
        Ok(())
    }

    /// Builds a list, set or tuple of expressions and of the values that are on the stack already.
    pub(super) fn display(&mut self, elts: &'a [Expr], pushed: u32, display: Display) -> Outcome {
        let (build, add, extend) = match display {
            Display::Set => (Op::BuildSet, Op::SetAdd, Op::SetUpdate),
            _ => (Op::BuildList, Op::ListAppend, Op::ListExtend),
        };
        if elts.len() > 2
            && pushed == 0
            && let Some(items) = self.folds.constants(elts)
        {
            match display {
                Display::Tuple => self.load_const(Const::Tuple(items)),
                _ => {
                    self.op_arg(build, 0);
                    let folded = match display {
                        Display::Set => crate::fold::frozenset(items),
                        _ => Const::Tuple(items),
                    };
                    self.load_const(folded);
                    self.op_arg(extend, 1);
                }
            }
            return Ok(());
        }
        let big = elts.len() + pushed as usize > STACK_USE;
        if !big && !elts.iter().any(Expr::is_starred_expr) {
            for elt in elts {
                self.expr(elt)?;
            }
            let op = if display == Display::Tuple { Op::BuildTuple } else { build };
            self.op_arg(op, elts.len() as u32 + pushed);
            return Ok(());
        }
        let mut built = big;
        if big {
            self.op_arg(build, pushed);
        }
        for (i, elt) in elts.iter().enumerate() {
            if let Expr::Starred(starred) = elt {
                if !built {
                    self.op_arg(build, i as u32 + pushed);
                    built = true;
                }
                self.expr(&starred.value)?;
                self.op_arg(extend, 1);
            } else {
                self.expr(elt)?;
                if built {
                    self.op_arg(add, 1);
                }
            }
        }
        if display == Display::Tuple {
            self.op(Op::ListToTuple);
        }
        Ok(())
    }

    fn dict(&mut self, e: &'a ast::ExprDict) -> Outcome {
        let mut have_dict = false;
        let mut elements = 0;
        for (i, item) in e.items.iter().enumerate() {
            if item.key.is_none() {
                if elements > 0 {
                    self.sub_dict(&e.items[i - elements..i])?;
                    if have_dict {
                        self.op_arg(Op::DictUpdate, 1);
                    }
                    have_dict = true;
                    elements = 0;
                }
                if !have_dict {
                    self.op_arg(Op::BuildMap, 0);
                    have_dict = true;
                }
                self.expr(&item.value)?;
                self.op_arg(Op::DictUpdate, 1);
            } else if elements * 2 > STACK_USE {
                self.sub_dict(&e.items[i - elements..=i])?;
                if have_dict {
                    self.op_arg(Op::DictUpdate, 1);
                }
                have_dict = true;
                elements = 0;
            } else {
                elements += 1;
            }
        }
        if elements > 0 {
            self.sub_dict(&e.items[e.items.len() - elements..])?;
            if have_dict {
                self.op_arg(Op::DictUpdate, 1);
            }
            have_dict = true;
        }
        if !have_dict {
            self.op_arg(Op::BuildMap, 0);
        }
        Ok(())
    }

    fn sub_dict(&mut self, items: &'a [ast::DictItem]) -> Outcome {
        let big = items.len() * 2 > STACK_USE;
        if items.len() > 1
            && !big
            && let Some(keys) = items
                .iter()
                .map(|item| item.key.as_ref().and_then(|key| self.folds.constant(key)))
                .collect::<Option<Box<[Const]>>>()
        {
            for item in items {
                self.expr(&item.value)?;
            }
            self.load_const(Const::Tuple(keys));
            self.op_arg(Op::BuildConstKeyMap, items.len() as u32);
            return Ok(());
        }
        if big {
            self.op_arg(Op::BuildMap, 0);
        }
        for item in items {
            if let Some(key) = &item.key {
                self.expr(key)?;
            }
            self.expr(&item.value)?;
            if big {
                self.op_arg(Op::MapAdd, 1);
            }
        }
        if !big {
            self.op_arg(Op::BuildMap, items.len() as u32);
        }
        Ok(())
    }

    fn call(&mut self, e: &'a ast::ExprCall) -> Outcome {
        let args = &e.arguments.args;
        if let Expr::Attribute(method) = &*e.func
            && e.arguments.keywords.is_empty()
            && args.len() < STACK_USE
            && !args.iter().any(Expr::is_starred_expr)
        {
            self.expr(&method.value)?;
            let before = self.unit().place;
            let name = self.attribute_place(method);
            self.unit().place = name;
            self.op_name(Op::LoadMethod, &method.attr);
            self.call_args(&e.arguments)?;
            if name.line != before.line {
                let range = TextRange::new(method.attr.start(), e.range().end());
                self.unit().place = Place { line: name.line, range: Some(range) };
            } else {
                self.unit().place = before;
            }
            self.op_arg(Op::CallMethod, args.len() as u32);
            self.unit().place = before;
            return Ok(());
        }
        self.check_caller(&e.func);
        self.expr(&e.func)?;
        self.call_helper(0, Some(&e.arguments), None)
    }

    /// Plain arguments by position.
    fn call_args(&mut self, arguments: &'a ast::Arguments) -> Outcome {
        if bare_generator(arguments).is_some() {
            return arguments.args.iter().try_for_each(|arg| self.expr_at(arg, arguments.range));
        }
        arguments.args.iter().try_for_each(|arg| self.expr(arg))
    }

    /// Calls what is on the stack below `pushed` arguments, with more arguments. `last`: a variable that is one more
    /// argument by position.
    pub(super) fn call_helper(
        &mut self,
        pushed: u32,
        arguments: Option<&'a ast::Arguments>,
        last: Option<&str>,
    ) -> Outcome {
        let (args, keywords): (&'a [Expr], &'a [ast::Keyword]) = match arguments {
            Some(arguments) => (&arguments.args, &arguments.keywords),
            None => (&[], &[]),
        };
        let count = args.len() as u32 + u32::from(last.is_some());
        let simple = count as usize + keywords.len() * 2 <= STACK_USE
            && !args.iter().any(Expr::is_starred_expr)
            && keywords.iter().all(|keyword| keyword.arg.is_some());
        if simple {
            if let Some(arguments) = arguments {
                self.call_args(arguments)?;
            }
            if let Some(last) = last {
                self.name(last, Use::Load)?;
            }
            if keywords.is_empty() {
                self.op_arg(Op::CallFunction, pushed + count);
                return Ok(());
            }
            for keyword in keywords {
                self.expr(&keyword.value)?;
            }
            self.keyword_names(keywords);
            self.op_arg(Op::CallFunctionKw, pushed + count + keywords.len() as u32);
            return Ok(());
        }
        match (args, last) {
            ([Expr::Starred(starred)], None) if pushed == 0 => self.expr(&starred.value)?,
            (_, None) => self.display(args, pushed, Display::Tuple)?,
            (_, Some(last)) => {
                self.display(args, pushed, Display::List)?;
                self.name(last, Use::Load)?;
                self.op_arg(Op::ListAppend, 1);
                self.op(Op::ListToTuple);
            }
        }
        if !keywords.is_empty() {
            self.keyword_dict(keywords)?;
        }
        self.op_arg(Op::CallFunctionEx, u32::from(!keywords.is_empty()));
        Ok(())
    }

    fn keyword_names(&mut self, keywords: &[ast::Keyword]) {
        let names = keywords
            .iter()
            .map(|keyword| Const::Str(keyword.arg.as_ref().map_or("", |arg| arg.as_str()).into()));
        let names = Const::Tuple(names.collect());
        self.load_const(names);
    }

    fn keyword_dict(&mut self, keywords: &'a [ast::Keyword]) -> Outcome {
        let mut have_dict = false;
        let mut seen = 0;
        for (i, keyword) in keywords.iter().enumerate() {
            if keyword.arg.is_some() {
                seen += 1;
                continue;
            }
            if seen > 0 {
                self.sub_keywords(&keywords[i - seen..i])?;
                if have_dict {
                    self.op_arg(Op::DictMerge, 1);
                }
                have_dict = true;
                seen = 0;
            }
            if !have_dict {
                self.op_arg(Op::BuildMap, 0);
                have_dict = true;
            }
            self.expr(&keyword.value)?;
            self.op_arg(Op::DictMerge, 1);
        }
        if seen > 0 {
            self.sub_keywords(&keywords[keywords.len() - seen..])?;
            if have_dict {
                self.op_arg(Op::DictMerge, 1);
            }
        }
        Ok(())
    }

    fn sub_keywords(&mut self, keywords: &'a [ast::Keyword]) -> Outcome {
        let big = keywords.len() * 2 > STACK_USE;
        if keywords.len() > 1 && !big {
            for keyword in keywords {
                self.expr(&keyword.value)?;
            }
            self.keyword_names(keywords);
            self.op_arg(Op::BuildConstKeyMap, keywords.len() as u32);
            return Ok(());
        }
        if big {
            self.op_arg_without_line(Op::BuildMap, 0);
        }
        for keyword in keywords {
            self.load_str(keyword.arg.as_ref().map_or("", |arg| arg.as_str()));
            self.expr(&keyword.value)?;
            if big {
                self.op_arg_without_line(Op::MapAdd, 1);
            }
        }
        if !big {
            self.op_arg(Op::BuildMap, keywords.len() as u32);
        }
        Ok(())
    }

    /// Joins strings: `parts` emits one of `count` each time it is called.
    pub(super) fn joined(
        &mut self,
        count: usize,
        mut part: impl FnMut(&mut Self, usize) -> Outcome,
    ) -> Outcome {
        if count > STACK_USE {
            self.load_const(Const::Str(Wtf8::from("")));
            self.op_name(Op::LoadMethod, "join");
            self.op_arg(Op::BuildList, 0);
            for i in 0..count {
                part(self, i)?;
                self.op_arg(Op::ListAppend, 1);
            }
            self.op_arg(Op::CallMethod, 1);
            return Ok(());
        }
        for i in 0..count {
            part(self, i)?;
        }
        if count != 1 {
            self.op_arg(Op::BuildString, count as u32);
        }
        Ok(())
    }
}

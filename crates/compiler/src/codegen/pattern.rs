//! `match` statements.
//!
//! While patterns are matched, the stack has the subject, the values captured so far, and `on_top` values that the
//! pattern at hand works on. A failure jumps to where as many values are popped as there are.

use super::Compiler;
use super::Use;
use crate::error::{Failure, Outcome};
use crate::flow::BlockId;
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ast::{self, CmpOp, Expr, Operator, Pattern, Singleton, UnaryOp};
use pellucid_syntax::text_size::{Ranged, TextRange};

#[derive(Default)]
struct Matching<'a> {
    /// The names captured so far, the first being the deepest on the stack.
    stores: Vec<&'a str>,
    allow_irrefutable: bool,
    /// By the number of values to pop, where to jump to.
    fail_pop: Vec<BlockId>,
    /// Values above the captured ones.
    on_top: usize,
}

fn is_wildcard(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::MatchAs(p) if p.name.is_none() && p.pattern.is_none())
}

impl<'a> Compiler<'a> {
    pub(super) fn match_stmt(&mut self, s: &'a ast::StmtMatch) -> Outcome {
        let mut pc = Matching::default();
        self.expr(&s.subject)?;
        let end = self.new_block();
        let count = s.cases.len();
        let default = s.cases.last().filter(|case| is_wildcard(&case.pattern) && count > 1);
        let tested = count - usize::from(default.is_some());
        for (i, case) in s.cases[..tested].iter().enumerate() {
            let last = i + 1 == tested;
            self.set_place(case.pattern.range());
            if !last {
                self.op(Op::DupTop);
            }
            pc.stores.clear();
            pc.allow_irrefutable = case.guard.is_some() || i + 1 == count;
            pc.fail_pop.clear();
            pc.on_top = 0;
            self.pattern(&case.pattern, &mut pc)?;
            for name in std::mem::take(&mut pc.stores) {
                self.name(name, Use::Store)?;
            }
            if let Some(guard) = &case.guard {
                let fail = self.fail_pop(&mut pc, 0);
                self.jump_if(guard, fail, false)?;
            }
            if !last {
                self.op(Op::PopTop);
            }
            self.statements(&case.body)?;
            self.jump(Op::JumpForward, end);
            self.set_place(case.pattern.range());
            self.emit_fail_pop(&mut pc);
        }
        if let Some(case) = default {
            self.set_place(case.pattern.range());
            if count == 1 {
                self.op(Op::PopTop);
            } else {
                self.op(Op::Nop);
            }
            if let Some(guard) = &case.guard {
                self.jump_if(guard, end, false)?;
            }
            self.statements(&case.body)?;
        }
        self.use_next(end);
        Ok(())
    }

    fn fail_pop(&mut self, pc: &mut Matching<'a>, pops: usize) -> BlockId {
        while pc.fail_pop.len() <= pops {
            let block = self.new_block();
            pc.fail_pop.push(block);
        }
        pc.fail_pop[pops]
    }

    fn jump_to_fail_pop(&mut self, pc: &mut Matching<'a>, op: Op) {
        let block = self.fail_pop(pc, pc.on_top + pc.stores.len());
        self.jump(op, block);
        self.unit().graph.start_block();
    }

    fn emit_fail_pop(&mut self, pc: &mut Matching<'a>) {
        if pc.fail_pop.is_empty() {
            self.unit().graph.start_block();
            return;
        }
        let blocks = std::mem::take(&mut pc.fail_pop);
        for &block in blocks[1..].iter().rev() {
            self.use_next(block);
            self.op(Op::PopTop);
        }
        self.use_next(blocks[0]);
    }

    fn capture(&mut self, name: Option<&'a str>, range: TextRange, pc: &mut Matching<'a>) -> Outcome {
        let Some(name) = name else {
            self.op(Op::PopTop);
            return Ok(());
        };
        if pc.stores.contains(&name) {
            return duplicate(name, range);
        }
        // Under the values that are still needed.
        self.op_arg(Op::RotN, (pc.on_top + pc.stores.len() + 1) as u32);
        pc.stores.push(name);
        Ok(())
    }

    fn subpattern(&mut self, pattern: &'a Pattern, pc: &mut Matching<'a>) -> Outcome {
        let before = std::mem::replace(&mut pc.allow_irrefutable, true);
        self.pattern(pattern, pc)?;
        pc.allow_irrefutable = before;
        Ok(())
    }

    fn pattern(&mut self, pattern: &'a Pattern, pc: &mut Matching<'a>) -> Outcome {
        self.set_place(pattern.range());
        match pattern {
            Pattern::MatchValue(p) => {
                if !is_value(&p.value) {
                    let message = "patterns may only match literals and attribute lookups";
                    return Failure::at(p.range, message);
                }
                self.expr(&p.value)?;
                self.compare_op(CmpOp::Eq);
                self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
                Ok(())
            }
            Pattern::MatchSingleton(p) => {
                self.load_const(match p.value {
                    Singleton::None => Const::None,
                    Singleton::True => Const::True,
                    Singleton::False => Const::False,
                });
                self.compare_op(CmpOp::Is);
                self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
                Ok(())
            }
            Pattern::MatchSequence(p) => self.sequence_pattern(p, pc),
            Pattern::MatchMapping(p) => self.mapping_pattern(p, pc),
            Pattern::MatchClass(p) => self.class_pattern(p, pc),
            Pattern::MatchStar(p) => self.capture(p.name.as_deref(), p.range, pc),
            Pattern::MatchAs(p) => self.as_pattern(p, pc),
            Pattern::MatchOr(p) => self.or_pattern(p, pc),
        }
    }

    fn as_pattern(&mut self, p: &'a ast::PatternMatchAs, pc: &mut Matching<'a>) -> Outcome {
        let name = p.name.as_deref();
        let Some(pattern) = &p.pattern else {
            if !pc.allow_irrefutable {
                let message = match name {
                    Some(name) => format!("name capture '{name}' makes remaining patterns unreachable"),
                    None => "wildcard makes remaining patterns unreachable".into(),
                };
                return Failure::at(p.range, message);
            }
            return self.capture(name, p.range, pc);
        };
        pc.on_top += 1;
        self.op(Op::DupTop);
        self.pattern(pattern, pc)?;
        pc.on_top -= 1;
        self.capture(name, p.range, pc)
    }

    fn sequence_pattern(&mut self, p: &'a ast::PatternMatchSequence, pc: &mut Matching<'a>) -> Outcome {
        let size = p.patterns.len();
        let mut star = None;
        let mut star_wildcard = false;
        let mut only_wildcard = true;
        for (i, pattern) in p.patterns.iter().enumerate() {
            if let Pattern::MatchStar(starred) = pattern {
                if star.is_some() {
                    let message = "multiple starred names in sequence pattern";
                    return Failure::at(p.range, message);
                }
                star = Some(i);
                star_wildcard = starred.name.is_none();
                only_wildcard &= star_wildcard;
            } else {
                only_wildcard &= is_wildcard(pattern);
            }
        }
        pc.on_top += 1;
        self.op(Op::MatchSequence);
        self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        let length = match star {
            None => Some((size, CmpOp::Eq)),
            Some(_) if size > 1 => Some((size - 1, CmpOp::GtE)),
            Some(_) => None,
        };
        if let Some((length, op)) = length {
            self.op(Op::GetLen);
            self.load_count(length);
            self.compare_op(op);
            self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        }
        pc.on_top -= 1;
        match star {
            _ if only_wildcard => {
                self.op(Op::PopTop);
                Ok(())
            }
            Some(star) if star_wildcard => self.sequence_by_index(&p.patterns, star, pc),
            _ => self.sequence_by_unpacking(&p.patterns, star, p.range, pc),
        }
    }

    fn sequence_by_unpacking(
        &mut self,
        patterns: &'a [Pattern],
        star: Option<usize>,
        range: TextRange,
        pc: &mut Matching<'a>,
    ) -> Outcome {
        match star {
            None => self.op_arg(Op::UnpackSequence, patterns.len() as u32),
            Some(before) => {
                let after = patterns.len() - before - 1;
                if before >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
                    let message = "too many expressions in star-unpacking sequence pattern";
                    return Failure::at(range, message);
                }
                self.op_arg(Op::UnpackEx, (before + (after << 8)) as u32);
            }
        }
        pc.on_top += patterns.len();
        for pattern in patterns {
            pc.on_top -= 1;
            self.subpattern(pattern, pc)?;
        }
        Ok(())
    }

    fn sequence_by_index(&mut self, patterns: &'a [Pattern], star: usize, pc: &mut Matching<'a>) -> Outcome {
        pc.on_top += 1;
        for (i, pattern) in patterns.iter().enumerate() {
            if i == star || is_wildcard(pattern) {
                continue;
            }
            self.op(Op::DupTop);
            if i < star {
                self.load_count(i);
            } else {
                self.op(Op::GetLen);
                self.load_count(patterns.len() - i);
                self.op(Op::BinarySubtract);
            }
            self.op(Op::BinarySubscr);
            self.subpattern(pattern, pc)?;
        }
        pc.on_top -= 1;
        self.op(Op::PopTop);
        Ok(())
    }

    /// Matches patterns against the items of the tuple on the stack.
    fn items(&mut self, patterns: impl Iterator<Item = &'a Pattern>, pc: &mut Matching<'a>) -> Outcome {
        for (i, pattern) in patterns.enumerate() {
            if is_wildcard(pattern) {
                continue;
            }
            self.op(Op::DupTop);
            self.load_count(i);
            self.op(Op::BinarySubscr);
            self.subpattern(pattern, pc)?;
        }
        Ok(())
    }

    fn class_pattern(&mut self, p: &'a ast::PatternMatchClass, pc: &mut Matching<'a>) -> Outcome {
        let keywords = &p.arguments.keywords;
        for (i, keyword) in keywords.iter().enumerate() {
            if keywords[..i].iter().any(|earlier| earlier.attr.id == keyword.attr.id) {
                let message = format!("attribute name repeated in class pattern: {}", keyword.attr);
                return Failure::at(keyword.pattern.range(), message);
            }
        }
        self.expr(&p.cls)?;
        let names = keywords.iter().map(|keyword| Const::Str(keyword.attr.as_str().into())).collect();
        self.load_const(Const::Tuple(names));
        self.op_arg(Op::MatchClass, p.arguments.patterns.len() as u32);
        pc.on_top += 1;
        self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        let patterns = p.arguments.patterns.iter().chain(keywords.iter().map(|keyword| &keyword.pattern));
        self.items(patterns, pc)?;
        pc.on_top -= 1;
        self.op(Op::PopTop);
        Ok(())
    }

    fn mapping_pattern(&mut self, p: &'a ast::PatternMatchMapping, pc: &mut Matching<'a>) -> Outcome {
        let size = p.keys.len();
        pc.on_top += 1;
        self.op(Op::MatchMapping);
        self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        if size == 0 && p.rest.is_none() {
            pc.on_top -= 1;
            self.op(Op::PopTop);
            return Ok(());
        }
        if size > 0 {
            self.op(Op::GetLen);
            self.load_count(size);
            self.compare_op(CmpOp::GtE);
            self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        }
        self.mapping_keys(p)?;
        self.op_arg(Op::BuildTuple, size as u32);
        self.op(Op::MatchKeys);
        pc.on_top += 2;
        self.jump_to_fail_pop(pc, Op::PopJumpIfFalse);
        self.items(p.patterns.iter(), pc)?;
        pc.on_top -= 2;
        self.op(Op::PopTop);
        match &p.rest {
            Some(rest) => {
                self.op(Op::CopyDictWithoutKeys);
                self.capture(Some(rest), p.range, pc)?;
            }
            None => self.op(Op::PopTop),
        }
        pc.on_top -= 1;
        self.op(Op::PopTop);
        Ok(())
    }

    fn mapping_keys(&mut self, p: &'a ast::PatternMatchMapping) -> Outcome {
        let mut seen: Vec<Const> = Vec::new();
        for key in &p.keys {
            match self.folds.constant(key) {
                Some(value) => {
                    if seen.iter().any(|known| crate::fold::equal(known, &value)) {
                        let repr = pellucid_bytecode::dis::repr(&value);
                        let message = format!("mapping pattern checks duplicate key ({repr})");
                        return Failure::at(p.range, message);
                    }
                    seen.push(value);
                }
                None if !matches!(key, Expr::Attribute(_)) => {
                    let message = "mapping pattern keys may only match literals and attribute lookups";
                    return Failure::at(p.range, message);
                }
                None => {}
            }
            self.expr(key)?;
        }
        Ok(())
    }

    fn or_pattern(&mut self, p: &'a ast::PatternMatchOr, pc: &mut Matching<'a>) -> Outcome {
        let end = self.new_block();
        let mut control: Vec<&'a str> = Vec::new();
        for (i, alternative) in p.patterns.iter().enumerate() {
            self.set_place(alternative.range());
            let mut inner = Matching {
                allow_irrefutable: i + 1 == p.patterns.len() && pc.allow_irrefutable,
                ..Matching::default()
            };
            self.op(Op::DupTop);
            self.pattern(alternative, &mut inner)?;
            if i == 0 {
                control.clone_from(&inner.stores);
            } else {
                self.reorder(&control, &mut inner.stores, p.range)?;
            }
            self.jump(Op::JumpForward, end);
            self.unit().graph.start_block();
            self.emit_fail_pop(&mut inner);
        }
        // No alternative matched: the copy of the subject goes.
        self.op(Op::PopTop);
        self.jump_to_fail_pop(pc, Op::JumpForward);
        self.use_next(end);
        let rotated = control.len() + 1 + pc.on_top + pc.stores.len();
        for name in control {
            self.op_arg(Op::RotN, rotated as u32);
            if pc.stores.contains(&name) {
                return duplicate(name, p.range);
            }
            pc.stores.push(name);
        }
        self.op(Op::PopTop);
        Ok(())
    }

    /// Brings captured values into the order of the first alternative.
    fn reorder(&mut self, control: &[&'a str], stores: &mut Vec<&'a str>, range: TextRange) -> Outcome {
        let differ = || Failure::at(range, "alternative patterns bind different names");
        if stores.len() != control.len() {
            return differ();
        }
        for (wanted, name) in control.iter().enumerate().rev() {
            let Some(found) = stores.iter().position(|store| store == name) else { return differ() };
            if found == wanted {
                continue;
            }
            let rotations = found + 1;
            let moved: Vec<&'a str> = stores.drain(..rotations).collect();
            let at = wanted - found;
            stores.splice(at..at, moved);
            for _ in 0..rotations {
                self.op_arg(Op::RotN, wanted as u32 + 1);
            }
        }
        Ok(())
    }
}

fn duplicate(name: &str, range: TextRange) -> Outcome {
    Failure::at(range, format!("multiple assignments to name '{name}' in pattern"))
}

/// Whether an expression may stand in a pattern: literals, numbers with a sign, complex numbers, dotted names.
fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Attribute(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_) => true,
        Expr::UnaryOp(e) => e.op == UnaryOp::USub && is_value(&e.operand),
        Expr::BinOp(e) => matches!(e.op, Operator::Add | Operator::Sub),
        _ => false,
    }
}

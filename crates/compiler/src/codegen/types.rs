//! Type parameters and type aliases.

use super::unit::UnitKind;
use super::{Compiler, Use};
use crate::error::{Failure, Outcome};
use crate::place::Place;
use crate::symtable::{BlockId, Part};
use pellucid_bytecode::ops::Intrinsic;
use pellucid_bytecode::{Const, Op};
use pellucid_syntax::ErrorKind;
use pellucid_syntax::ast::{self, Expr, TypeParam};
use pellucid_syntax::text_size::{Ranged, TextRange};

impl<'a> Compiler<'a> {
    /// The block of a node.
    pub(super) fn block_of<T>(&self, node: &T, part: Part) -> Outcome<BlockId> {
        match self.table.of_node(node, part) {
            Some(id) => Ok(id),
            None => Failure::of_kind(ErrorKind::Value, "unknown symbol table entry"),
        }
    }

    /// Binds type parameters and pushes the tuple of them.
    pub(super) fn type_parameters(&mut self, type_params: &'a ast::TypeParams) -> Outcome {
        let mut default_seen = false;
        for param in &type_params.type_params {
            let place = self.places.of(param.range());
            self.at(place, |this| this.type_parameter(param, &mut default_seen))?;
        }
        self.op_arg(Op::BuildTuple, type_params.type_params.len() as u32);
        Ok(())
    }

    fn type_parameter(&mut self, param: &'a TypeParam, default_seen: &mut bool) -> Outcome {
        let (name, default) = match param {
            TypeParam::TypeVar(p) => (&p.name, &p.default),
            TypeParam::TypeVarTuple(p) => (&p.name, &p.default),
            TypeParam::ParamSpec(p) => (&p.name, &p.default),
        };
        self.load_str(name);
        match param {
            TypeParam::TypeVar(p) => match &p.bound {
                None => self.op_arg(Op::Intrinsic1, Intrinsic::TypeVar as u32),
                Some(bound) => {
                    let block = self.block_of(p, Part::Body)?;
                    self.evaluator(block, name, bound)?;
                    let intrinsic = match **bound {
                        Expr::Tuple(_) => Intrinsic::TypeVarWithConstraints,
                        _ => Intrinsic::TypeVarWithBound,
                    };
                    self.op_arg(Op::Intrinsic2, intrinsic as u32);
                }
            },
            TypeParam::TypeVarTuple(_) => self.op_arg(Op::Intrinsic1, Intrinsic::TypeVarTuple as u32),
            TypeParam::ParamSpec(_) => self.op_arg(Op::Intrinsic1, Intrinsic::ParamSpec as u32),
        }
        match default {
            Some(default) => {
                *default_seen = true;
                let block = match param {
                    TypeParam::TypeVar(p) => self.block_of(p, Part::Default)?,
                    TypeParam::TypeVarTuple(p) => self.block_of(p, Part::Default)?,
                    TypeParam::ParamSpec(p) => self.block_of(p, Part::Default)?,
                };
                self.evaluator(block, name, default)?;
                self.op_arg(Op::Intrinsic2, Intrinsic::SetTypeParamDefault as u32);
            }
            None if *default_seen => {
                let message = format!("non-default type parameter '{name}' follows default type parameter");
                return Failure::at(param.range(), message);
            }
            None => {}
        }
        self.op(Op::DupTop);
        self.name(name, Use::Store)
    }

    /// A function that evaluates an expression when it is asked to: it takes a format, by default that of values.
    fn evaluator(&mut self, block: BlockId, name: &str, value: &'a Expr) -> Outcome {
        self.load_const(Const::Tuple([Const::Int(1)].into()));
        let place = self.unit().place;
        self.enter(block, UnitKind::Annotations, name, Place { range: None, ..place }, None)?;
        self.unit().place = place;
        self.format_check(place)?;
        match value {
            // `*Ts: *tuple[int, ...]` has the value of its one item.
            Expr::Starred(starred) => {
                self.expr(&starred.value)?;
                self.op_arg(Op::UnpackSequence, 1);
            }
            _ => self.expr(value)?,
        }
        self.op(Op::ReturnValue);
        let code = self.leave(true)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, super::function::DEFAULTS, qualname)
    }

    /// What a function asked for annotations starts with: it knows no other format than values.
    pub(super) fn format_check(&mut self, place: Place) -> Outcome {
        let unit = self.unit();
        unit.argcount = 1;
        unit.posonlyargcount = 1;
        // The first constant is no docstring.
        unit.consts.index(Const::None);
        self.at(place, |this| {
            let body = this.new_block();
            this.op_arg(Op::LoadFast, 0);
            this.load_const(Const::Int(2));
            this.op_arg(Op::CompareOp, 4);
            this.jump(Op::PopJumpIfFalse, body);
            this.op(Op::LoadNotImplementedError);
            this.op_arg(Op::RaiseVarargs, 1);
            this.use_next(body);
            Ok(())
        })
    }

    pub(super) fn type_alias(&mut self, s: &'a ast::StmtTypeAlias) -> Outcome {
        let Expr::Name(name) = &*s.name else {
            return Failure::at(s.name.range(), "invalid target of a type alias");
        };
        let range: TextRange = s.range;
        match &s.type_params {
            None => {
                self.load_str(&name.id);
                self.load_const(Const::None);
                self.alias_value(s, &name.id)?;
            }
            Some(type_params) => {
                let block = self.block_of(&**type_params, Part::TypeParameters)?;
                let place = self.unit().place;
                let hidden = format!("<generic parameters of {}>", name.id);
                self.enter(block, UnitKind::Annotations, &hidden, Place { range: None, ..place }, None)?;
                self.set_place(range);
                self.load_str(&name.id);
                self.type_parameters(type_params)?;
                self.alias_value(s, &name.id)?;
                let code = self.leave(false)?;
                let qualname = code.qualname.clone();
                self.make_closure(code, 0, qualname)?;
                self.op_arg(Op::CallFunction, 0);
            }
        }
        self.name(&name.id, Use::Store)
    }

    fn alias_value(&mut self, s: &'a ast::StmtTypeAlias, name: &str) -> Outcome {
        let block = self.block_of(s, Part::Body)?;
        self.evaluator(block, name, &s.value)?;
        self.op_arg(Op::BuildTuple, 3);
        self.op_arg(Op::Intrinsic1, Intrinsic::TypeAlias as u32);
        Ok(())
    }
}

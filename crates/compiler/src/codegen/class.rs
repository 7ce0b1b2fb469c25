//! Classes.

use super::unit::UnitKind;
use super::{Compiler, Use};
use crate::error::Outcome;
use crate::place::Place;
use crate::symtable::{Name, Part};
use pellucid_bytecode::ops::Intrinsic;
use pellucid_bytecode::{Code, Const, Op, Wtf8};
use pellucid_syntax::ast;
use pellucid_syntax::text_size::TextRange;

impl<'a> Compiler<'a> {
    pub(super) fn class(&mut self, c: &'a ast::StmtClassDef, range: TextRange) -> Outcome {
        self.decorators(&c.decorator_list)?;
        let first = self.first_line(&c.decorator_list, range);
        match &c.type_params {
            None => {
                let code = self.class_body(c, first)?;
                self.build_class(c, code, None)?;
            }
            Some(type_params) => self.generic_class(c, type_params, first, range)?,
        }
        self.apply_decorators(&c.decorator_list);
        self.name(&c.name, Use::Store)
    }

    /// A class with type parameters: a hidden function binds them and makes the class.
    fn generic_class(
        &mut self,
        c: &'a ast::StmtClassDef,
        type_params: &'a ast::TypeParams,
        first: Place,
        range: TextRange,
    ) -> Outcome {
        let name = format!("<generic parameters of {}>", c.name);
        let block = self.block_of(type_params, Part::TypeParameters)?;
        self.enter(block, UnitKind::Annotations, &name, first, Some(c.name.as_str().into()))?;
        self.set_place(range);
        self.type_parameters(type_params)?;
        self.name(".type_params", Use::Store)?;
        let code = self.class_body(c, first)?;
        self.name(".type_params", Use::Load)?;
        self.op_arg(Op::Intrinsic1, Intrinsic::SubscriptGeneric as u32);
        self.name(".generic_base", Use::Store)?;
        self.build_class(c, code, Some(".generic_base"))?;
        self.op(Op::ReturnValue);
        let code = self.leave(false)?;
        let qualname = code.qualname.clone();
        self.make_closure(code, 0, qualname)?;
        self.op_arg(Op::CallFunction, 0);
        Ok(())
    }

    fn build_class(&mut self, c: &'a ast::StmtClassDef, code: Code, last: Option<&str>) -> Outcome {
        self.op(Op::LoadBuildClass);
        let name = code.name.clone();
        self.make_closure(code, 0, name)?;
        self.load_str(&c.name);
        self.call_helper(2, c.arguments.as_deref(), last)
    }

    fn class_body(&mut self, c: &'a ast::StmtClassDef, first: Place) -> Outcome<Code> {
        let block = self.block_of(c, Part::Body)?;
        self.enter(block, UnitKind::Class, &c.name, first, Some(c.name.as_str().into()))?;
        self.name("__name__", Use::Load)?;
        self.name("__module__", Use::Store)?;
        let qualname = Wtf8::from(self.unit().qualname.as_str());
        self.load_const(Const::Str(qualname));
        self.name("__qualname__", Use::Store)?;
        if !self.options.like_3_10 {
            let line = self.unit().first_line;
            self.load_const(Const::Int(line.into()));
            self.name("__firstlineno__", Use::Store)?;
        }
        if c.type_params.is_some() {
            self.name(".type_params", Use::Load)?;
            self.name("__type_params__", Use::Store)?;
        }
        let needs_classdict = self.block().needs_classdict;
        let classdict: Name = "__classdict__".into();
        if needs_classdict {
            self.op(Op::LoadLocals);
            let index = self.unit().cell_index(&classdict)?;
            self.op_arg(Op::StoreDeref, index);
        }
        if self.block().has_conditional_annotations && !self.options.future_annotations {
            self.op_arg(Op::BuildSet, 0);
            let index = self.unit().cell_index(&"__conditional_annotations__".into())?;
            self.op_arg(Op::StoreDeref, index);
        }
        self.body(&c.body)?;
        self.no_place();
        if !self.options.like_3_10 {
            let names = std::mem::take(&mut self.unit().static_attributes);
            let names = names.iter().map(|name| Const::Str(Wtf8::from(&**name))).collect();
            self.load_const(Const::Tuple(names));
            self.name("__static_attributes__", Use::Store)?;
        }
        if needs_classdict {
            let index = self.unit().cell_index(&classdict)?;
            self.op_arg(Op::LoadClosure, index);
            self.name("__classdictcell__", Use::Store)?;
        }
        if self.block().needs_class_closure {
            let index = self.unit().cell_index(&"__class__".into())?;
            self.op_arg(Op::LoadClosure, index);
            self.op(Op::DupTop);
            self.name("__classcell__", Use::Store)?;
        } else {
            self.load_const(Const::None);
        }
        self.op(Op::ReturnValue);
        self.leave(true)
    }
}

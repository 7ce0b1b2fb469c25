//! The first pass: what each block does with its names.

use super::{
    Block, BlockId, BlockKind, ComprehensionKind, Name, Part, SymbolTable, TableOptions, address, mangle,
    symbol,
};
use crate::error::{Failure, Outcome};
use crate::place::{bare_generator, definition};
use pellucid_syntax::Parsed;
use pellucid_syntax::Source;
use pellucid_syntax::ast::{self, Expr, ExprContext, Pattern, Stmt};
use pellucid_syntax::text_size::{Ranged, TextRange};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

pub(super) fn walk(parsed: &Parsed, options: TableOptions) -> Outcome<SymbolTable> {
    let top = Block::new("top".into(), BlockKind::Module, 0);
    let mut walker = Walker {
        table: SymbolTable { blocks: vec![top], nodes: HashMap::new() },
        stack: vec![SymbolTable::TOP],
        private: None,
        source: &parsed.source,
        options,
    };
    match &parsed.module {
        ast::Mod::Module(module) => walker.statements(&module.body)?,
        ast::Mod::Expression(expression) => walker.expr(&expression.body)?,
    }
    Ok(walker.table)
}

struct Walker<'a> {
    table: SymbolTable,
    stack: Vec<BlockId>,
    /// The class that private names belong to.
    private: Option<Name>,
    source: &'a Source,
    options: TableOptions,
}

/// What a definition with type parameters is.
struct Generic<'a> {
    name: &'a str,
    defaults: bool,
    kwdefaults: bool,
    class: bool,
    range: TextRange,
}

impl Walker<'_> {
    fn current_id(&self) -> BlockId {
        self.stack.last().copied().unwrap_or(SymbolTable::TOP)
    }

    fn current(&self) -> &Block {
        &self.table.blocks[self.current_id()]
    }

    fn current_mut(&mut self) -> &mut Block {
        let id = self.current_id();
        &mut self.table.blocks[id]
    }

    fn new_block(&mut self, name: Name, kind: BlockKind, range: TextRange) -> BlockId {
        let line = u32::try_from(self.source.line(range.start())).unwrap_or(u32::MAX);
        let around = self.current();
        let mut block = Block::new(name, kind, line);
        block.nested = around.nested || around.kind.is_function_like();
        if around.kind == BlockKind::Class {
            block.method = kind == BlockKind::Function;
        }
        self.table.blocks.push(block);
        self.table.blocks.len() - 1
    }

    fn enter<T>(&mut self, name: Name, kind: BlockKind, node: &T, part: Part, range: TextRange) -> BlockId {
        let id = self.new_block(name, kind, range);
        self.table.nodes.insert((address(node), part), id);
        self.enter_existing(id);
        id
    }

    fn enter_existing(&mut self, id: BlockId) {
        if id + 1 == self.table.blocks.len() || !self.current().children.contains(&id) {
            let current = self.current_mut();
            if !current.children.contains(&id) {
                current.children.push(id);
            }
        }
        let around = self.current();
        let (mangled_names, comp_iter_expr) = (around.mangled_names.clone(), around.comp_iter_expr);
        let block = &mut self.table.blocks[id];
        block.comp_iter_expr = comp_iter_expr;
        if block.kind != BlockKind::Class {
            block.mangled_names = mangled_names;
        }
        self.stack.push(id);
    }

    fn leave(&mut self) {
        self.stack.pop();
    }

    fn lookup(&self, name: &str) -> u32 {
        let block = self.current();
        block.symbols.flags(&block.mangle(self.private.as_deref(), name))
    }

    fn define(&mut self, name: &str, flag: u32, range: TextRange) -> Outcome {
        self.define_in(self.current_id(), name, flag, range)
    }

    fn define_in(&mut self, id: BlockId, name: &str, flag: u32, range: TextRange) -> Outcome {
        if flag & symbol::BOUND != 0 && name == "__debug__" {
            return Failure::at(range, "cannot assign to __debug__");
        }
        let private = self.private.clone();
        let block = &mut self.table.blocks[id];
        let mangled = match &block.mangled_names {
            Some(names) if flag & symbol::TYPE_PARAM != 0 => {
                names.borrow_mut().insert(name.into());
                mangle(private.as_deref(), name)
            }
            _ => block.mangle(private.as_deref(), name),
        };
        let mut flags = block.symbols.flags(&mangled);
        if flag & flags & symbol::PARAM != 0 {
            return Failure::at(range, format!("duplicate argument '{name}' in function definition"));
        }
        if flag & flags & symbol::TYPE_PARAM != 0 {
            return Failure::at(range, format!("duplicate type parameter '{name}'"));
        }
        flags |= flag;
        if block.comp_iter_target {
            if flags & (symbol::GLOBAL | symbol::NONLOCAL) != 0 {
                let message =
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return Failure::at(range, message);
            }
            flags |= symbol::COMP_ITER;
        }
        block.symbols.set(&mangled, flags);
        if flag & symbol::PARAM != 0 {
            block.parameters.push(mangled.clone());
        }
        if flag & symbol::GLOBAL != 0 && id != SymbolTable::TOP {
            let top = &mut self.table.blocks[SymbolTable::TOP];
            let known = top.symbols.flags(&mangled);
            top.symbols.set(&mangled, known | flag);
        }
        Ok(())
    }

    fn directive(&mut self, name: &str, range: TextRange) {
        let private = self.private.clone();
        let block = self.current_mut();
        let mangled = block.mangle(private.as_deref(), name);
        block.directives.push((mangled, range));
    }

    fn statements(&mut self, body: &[Stmt]) -> Outcome {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn conditional(&mut self, f: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let before = std::mem::replace(&mut self.current_mut().in_conditional, true);
        f(self)?;
        self.current_mut().in_conditional = before;
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Outcome {
        match stmt {
            Stmt::FunctionDef(f) => self.function(f),
            Stmt::ClassDef(c) => self.class(c),
            Stmt::TypeAlias(alias) => self.type_alias(alias),
            Stmt::Return(r) => {
                if let Some(value) = &r.value {
                    self.expr(value)?;
                    self.current_mut().returns_value = true;
                }
                Ok(())
            }
            Stmt::Delete(d) => self.exprs(&d.targets),
            Stmt::Assign(a) => {
                self.exprs(&a.targets)?;
                self.expr(&a.value)
            }
            Stmt::AugAssign(a) => {
                self.expr(&a.target)?;
                if let Expr::Name(name) = &*a.target {
                    // The target counts as assigned, and is read as well.
                    self.define(&name.id, symbol::LOCAL, name.range)?;
                }
                self.expr(&a.value)
            }
            Stmt::AnnAssign(a) => self.annotated(a),
            Stmt::For(f) => {
                self.expr(&f.target)?;
                self.expr(&f.iter)?;
                self.conditional(|this| {
                    this.statements(&f.body)?;
                    this.statements(&f.orelse)
                })
            }
            Stmt::While(w) => {
                self.expr(&w.test)?;
                self.conditional(|this| {
                    this.statements(&w.body)?;
                    this.statements(&w.orelse)
                })
            }
            Stmt::If(i) => {
                self.expr(&i.test)?;
                self.conditional(|this| {
                    this.statements(&i.body)?;
                    i.elif_else_clauses.iter().try_for_each(|clause| {
                        clause.test.iter().try_for_each(|test| this.expr(test))?;
                        this.statements(&clause.body)
                    })
                })
            }
            Stmt::Match(m) => {
                self.expr(&m.subject)?;
                self.conditional(|this| {
                    m.cases.iter().try_for_each(|case| {
                        this.pattern(&case.pattern)?;
                        case.guard.iter().try_for_each(|guard| this.expr(guard))?;
                        this.statements(&case.body)
                    })
                })
            }
            Stmt::Raise(r) => {
                self.optional(r.exc.as_deref())?;
                self.optional(r.cause.as_deref())
            }
            Stmt::Try(t) => self.conditional(|this| {
                this.statements(&t.body)?;
                for ast::ExceptHandler::ExceptHandler(handler) in &t.handlers {
                    this.optional(handler.type_.as_deref())?;
                    if let Some(name) = &handler.name {
                        this.define(name, symbol::LOCAL, handler.range)?;
                    }
                    this.statements(&handler.body)?;
                }
                this.statements(&t.orelse)?;
                this.statements(&t.finalbody)
            }),
            Stmt::Assert(a) => {
                self.expr(&a.test)?;
                self.optional(a.msg.as_deref())
            }
            Stmt::Import(i) => i.names.iter().try_for_each(|alias| self.alias(alias)),
            Stmt::ImportFrom(i) => i.names.iter().try_for_each(|alias| self.alias(alias)),
            Stmt::Global(g) => g.names.iter().try_for_each(|name| {
                self.declaration(name, "global", symbol::GLOBAL, g.range)?;
                Ok(())
            }),
            Stmt::Nonlocal(n) => n.names.iter().try_for_each(|name| {
                self.declaration(name, "nonlocal", symbol::NONLOCAL, n.range)?;
                Ok(())
            }),
            Stmt::Expr(e) => self.expr(&e.value),
            Stmt::With(w) => self.conditional(|this| {
                for item in &w.items {
                    this.expr(&item.context_expr)?;
                    this.optional(item.optional_vars.as_deref())?;
                }
                this.statements(&w.body)
            }),
            Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_) | Stmt::IpyEscapeCommand(_) => Ok(()),
        }
    }

    fn declaration(&mut self, name: &ast::Identifier, word: &str, flag: u32, range: TextRange) -> Outcome {
        let known = self.lookup(name);
        let message = if known & symbol::PARAM != 0 {
            format!("name '{name}' is parameter and {word}")
        } else if known & symbol::USE != 0 {
            format!("name '{name}' is used prior to {word} declaration")
        } else if known & symbol::ANNOT != 0 {
            format!("annotated name '{name}' can't be {word}")
        } else if known & symbol::LOCAL != 0 {
            format!("name '{name}' is assigned to before {word} declaration")
        } else {
            self.define(name, flag, range)?;
            self.directive(name, range);
            return Ok(());
        };
        Failure::at(range, message)
    }

    fn alias(&mut self, alias: &ast::Alias) -> Outcome {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        let stored = name.split('.').next().unwrap_or_default();
        if stored == "*" {
            if self.current().kind != BlockKind::Module {
                return Failure::at(alias.range, "import * only allowed at module level");
            }
            return Ok(());
        }
        self.define(stored, symbol::IMPORT, alias.range)
    }

    fn annotated(&mut self, a: &ast::StmtAnnAssign) -> Outcome {
        if let Expr::Name(name) = &*a.target {
            let known = self.lookup(&name.id);
            if known & (symbol::GLOBAL | symbol::NONLOCAL) != 0
                && self.current_id() != SymbolTable::TOP
                && a.simple
            {
                let word = if known & symbol::GLOBAL != 0 { "global" } else { "nonlocal" };
                return Failure::at(a.range, format!("annotated name '{}' can't be {word}", name.id));
            }
            if a.simple {
                self.define(&name.id, symbol::ANNOT | symbol::LOCAL, name.range)?;
            } else if a.value.is_some() {
                self.define(&name.id, symbol::LOCAL, name.range)?;
            }
        } else {
            self.expr(&a.target)?;
        }
        self.annotation(&a.annotation)?;
        self.optional(a.value.as_deref())
    }

    /// An annotation of a variable: all of a block share one annotation block.
    fn annotation(&mut self, annotation: &Expr) -> Outcome {
        let around = self.current_id();
        let kind = self.current().kind;
        let conditional =
            kind == BlockKind::Module || kind == BlockKind::Class && self.current().in_conditional;
        self.current_mut().annotations_used = true;
        if conditional && !self.current().has_conditional_annotations {
            self.current_mut().has_conditional_annotations = true;
            if kind == BlockKind::Module {
                self.define("__conditional_annotations__", symbol::USE, annotation.range())?;
            }
        }
        match self.current().annotation_block {
            Some(id) => self.enter_existing(id),
            None => {
                let id = self.new_block("__annotate__".into(), BlockKind::Annotation, annotation.range());
                self.current_mut().annotation_block = Some(id);
                self.enter_existing(id);
                self.annotation_block(kind == BlockKind::Class, annotation.range())?;
            }
        }
        if conditional && kind == BlockKind::Class {
            self.define("__conditional_annotations__", symbol::USE, annotation.range())?;
        }
        let unevaluated = kind == BlockKind::Function;
        self.current_mut().in_unevaluated_annotation = unevaluated;
        self.expr(annotation)?;
        self.current_mut().in_unevaluated_annotation = false;
        self.leave();
        debug_assert_eq!(around, self.current_id());
        Ok(())
    }

    /// What every annotation block starts with: the format it is asked for.
    fn annotation_block(&mut self, in_class: bool, range: TextRange) -> Outcome {
        self.define(".format", symbol::PARAM, range)?;
        self.define(".format", symbol::USE, range)?;
        if in_class && !self.options.future_annotations {
            self.current_mut().can_see_class_scope = true;
            self.define("__classdict__", symbol::USE, range)?;
        }
        Ok(())
    }

    fn function(&mut self, f: &ast::StmtFunctionDef) -> Outcome {
        let range = definition(self.source, &f.decorator_list, f.range);
        self.define(&f.name, symbol::LOCAL, range)?;
        self.defaults(&f.parameters)?;
        f.decorator_list.iter().try_for_each(|d| self.expr(&d.expression))?;
        if let Some(type_params) = &f.type_params {
            let (defaults, kwdefaults) = has_defaults(&f.parameters);
            let generic = Generic { name: &f.name, defaults, kwdefaults, class: false, range };
            self.enter_type_parameters(type_params, generic)?;
            self.type_parameters(type_params)?;
        }
        let id = self.new_block(f.name.as_str().into(), BlockKind::Function, range);
        self.table.nodes.insert((address(f), Part::Body), id);
        self.function_annotations(f, id, range)?;
        self.enter_existing(id);
        if f.is_async {
            self.current_mut().coroutine = true;
        }
        self.parameters(&f.parameters)?;
        self.statements(&f.body)?;
        self.leave();
        if f.type_params.is_some() {
            self.leave();
        }
        Ok(())
    }

    fn function_annotations(
        &mut self,
        f: &ast::StmtFunctionDef,
        function: BlockId,
        range: TextRange,
    ) -> Outcome {
        let in_class = self.current().kind == BlockKind::Class || self.current().can_see_class_scope;
        let id = self.new_block("__annotate__".into(), BlockKind::Annotation, range);
        self.table.nodes.insert((address(f), Part::Annotations), id);
        self.table.blocks[function].annotation_block = Some(id);
        // The block counts among the children only if there are annotations.
        let any = f.returns.is_some() || annotated_parameters(&f.parameters).next().is_some();
        if !any {
            return Ok(());
        }
        self.table.blocks[function].annotations_used = true;
        self.enter_existing(id);
        self.annotation_block(in_class, range)?;
        for (_, annotation) in annotated_parameters(&f.parameters) {
            self.expr(annotation)?;
        }
        self.optional(f.returns.as_deref())?;
        self.leave();
        Ok(())
    }

    fn class(&mut self, c: &ast::StmtClassDef) -> Outcome {
        let range = definition(self.source, &c.decorator_list, c.range);
        self.define(&c.name, symbol::LOCAL, range)?;
        c.decorator_list.iter().try_for_each(|d| self.expr(&d.expression))?;
        let private = self.private.clone();
        if let Some(type_params) = &c.type_params {
            let generic = Generic { name: &c.name, defaults: false, kwdefaults: false, class: true, range };
            self.enter_type_parameters(type_params, generic)?;
            self.private = Some(c.name.as_str().into());
            self.current_mut().mangled_names = Some(Rc::default());
            self.type_parameters(type_params)?;
        }
        if let Some(arguments) = &c.arguments {
            self.arguments(arguments)?;
        }
        self.enter(c.name.as_str().into(), BlockKind::Class, c, Part::Body, range);
        self.private = Some(c.name.as_str().into());
        if c.type_params.is_some() {
            self.define("__type_params__", symbol::LOCAL, range)?;
            self.define(".type_params", symbol::USE, range)?;
        }
        self.statements(&c.body)?;
        self.leave();
        if c.type_params.is_some() {
            self.leave();
        }
        self.private = private;
        Ok(())
    }

    fn type_alias(&mut self, alias: &ast::StmtTypeAlias) -> Outcome {
        self.expr(&alias.name)?;
        let name = match &*alias.name {
            Expr::Name(name) => name.id.as_str(),
            _ => "",
        };
        let in_class = self.current().kind == BlockKind::Class;
        if let Some(type_params) = &alias.type_params {
            let generic =
                Generic { name, defaults: false, kwdefaults: false, class: false, range: alias.range };
            self.enter_type_parameters(type_params, generic)?;
            self.type_parameters(type_params)?;
        }
        self.enter(name.into(), BlockKind::TypeAlias, alias, Part::Body, alias.range);
        self.define(".format", symbol::PARAM, alias.range)?;
        self.define(".format", symbol::USE, alias.range)?;
        if in_class {
            self.current_mut().can_see_class_scope = true;
            self.define("__classdict__", symbol::USE, alias.value.range())?;
        }
        self.expr(&alias.value)?;
        self.leave();
        if alias.type_params.is_some() {
            self.leave();
        }
        Ok(())
    }

    fn enter_type_parameters(&mut self, node: &ast::TypeParams, generic: Generic<'_>) -> Outcome {
        let in_class = self.current().kind == BlockKind::Class;
        let range = generic.range;
        self.enter(generic.name.into(), BlockKind::TypeParameters, node, Part::TypeParameters, range);
        if in_class {
            self.current_mut().can_see_class_scope = true;
            self.define("__classdict__", symbol::USE, range)?;
        }
        if generic.class {
            for name in [".type_params", ".generic_base"] {
                self.define(name, symbol::LOCAL, range)?;
                self.define(name, symbol::USE, range)?;
            }
        }
        if generic.defaults {
            self.define(".defaults", symbol::PARAM, range)?;
        }
        if generic.kwdefaults {
            self.define(".kwdefaults", symbol::PARAM, range)?;
        }
        Ok(())
    }

    fn type_parameters(&mut self, type_params: &ast::TypeParams) -> Outcome {
        for param in &type_params.type_params {
            let name = match param {
                ast::TypeParam::TypeVar(p) => &p.name,
                ast::TypeParam::TypeVarTuple(p) => &p.name,
                ast::TypeParam::ParamSpec(p) => &p.name,
            };
            if name.as_str() == "__classdict__" {
                let message = "reserved name '__classdict__' cannot be used for type parameter";
                return Failure::at(param.range(), message);
            }
            self.define(name, symbol::TYPE_PARAM | symbol::LOCAL, param.range())?;
            match param {
                ast::TypeParam::TypeVar(p) => {
                    if let Some(bound) = &p.bound {
                        let what = match **bound {
                            Expr::Tuple(_) => "a TypeVar constraint",
                            _ => "a TypeVar bound",
                        };
                        self.type_variable(name, bound, p, Part::Body, what)?;
                    }
                    self.type_default(name, p.default.as_deref(), p, "a TypeVar default")?;
                }
                ast::TypeParam::TypeVarTuple(p) => {
                    self.type_default(name, p.default.as_deref(), p, "a TypeVarTuple default")?;
                }
                ast::TypeParam::ParamSpec(p) => {
                    self.type_default(name, p.default.as_deref(), p, "a ParamSpec default")?;
                }
            }
        }
        Ok(())
    }

    fn type_default<T>(
        &mut self,
        name: &str,
        default: Option<&Expr>,
        node: &T,
        what: &'static str,
    ) -> Outcome {
        match default {
            Some(default) => self.type_variable(name, default, node, Part::Default, what),
            None => Ok(()),
        }
    }

    fn type_variable<T>(
        &mut self,
        name: &str,
        value: &Expr,
        node: &T,
        part: Part,
        what: &'static str,
    ) -> Outcome {
        let sees_class = self.current().can_see_class_scope;
        self.enter(name.into(), BlockKind::TypeVariable, node, part, value.range());
        self.define(".format", symbol::PARAM, value.range())?;
        self.define(".format", symbol::USE, value.range())?;
        self.current_mut().scope_info = what;
        if sees_class {
            self.current_mut().can_see_class_scope = true;
            self.define("__classdict__", symbol::USE, value.range())?;
        }
        self.expr(value)?;
        self.leave();
        Ok(())
    }

    fn defaults(&mut self, parameters: &ast::Parameters) -> Outcome {
        let positional = parameters.posonlyargs.iter().chain(&parameters.args);
        for parameter in positional.chain(&parameters.kwonlyargs) {
            self.optional(parameter.default.as_deref())?;
        }
        Ok(())
    }

    fn parameters(&mut self, parameters: &ast::Parameters) -> Outcome {
        for p in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
            self.define(&p.parameter.name, symbol::PARAM, p.parameter.range)?;
        }
        if let Some(p) = &parameters.vararg {
            self.define(&p.name, symbol::PARAM, p.name.range)?;
            self.current_mut().varargs = true;
        }
        if let Some(p) = &parameters.kwarg {
            self.define(&p.name, symbol::PARAM, p.name.range)?;
            self.current_mut().varkeywords = true;
        }
        Ok(())
    }

    fn arguments(&mut self, arguments: &ast::Arguments) -> Outcome {
        self.exprs(&arguments.args)?;
        let mut seen: HashSet<&str> = HashSet::new();
        for keyword in &arguments.keywords {
            if let Some(arg) = &keyword.arg {
                if arg.as_str() == "__debug__" {
                    return Failure::at(keyword.range, "cannot assign to __debug__");
                }
                if !seen.insert(arg) {
                    return Failure::at(keyword.range, format!("keyword argument repeated: {arg}"));
                }
            }
        }
        arguments.keywords.iter().try_for_each(|keyword| self.expr(&keyword.value))
    }

    fn optional(&mut self, expr: Option<&Expr>) -> Outcome {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Outcome {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    fn expr(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Named(named) => {
                self.not_in_annotation(named.range, "named expression")?;
                if self.current().comp_iter_expr > 0 {
                    let message =
                        "assignment expression cannot be used in a comprehension iterable expression";
                    return Failure::at(named.range, message);
                }
                if self.current().comprehension.is_some()
                    && let Expr::Name(name) = &*named.target
                {
                    self.extend_named(name)?;
                }
                self.expr(&named.value)?;
                self.expr(&named.target)
            }
            Expr::BoolOp(e) => self.exprs(&e.values),
            Expr::BinOp(e) => {
                self.expr(&e.left)?;
                self.expr(&e.right)
            }
            Expr::UnaryOp(e) => self.expr(&e.operand),
            Expr::Lambda(e) => {
                if let Some(parameters) = &e.parameters {
                    self.defaults(parameters)?;
                }
                self.enter("lambda".into(), BlockKind::Function, e, Part::Body, e.range);
                if let Some(parameters) = &e.parameters {
                    self.parameters(parameters)?;
                }
                self.expr(&e.body)?;
                self.leave();
                Ok(())
            }
            Expr::If(e) => {
                self.expr(&e.test)?;
                self.expr(&e.body)?;
                self.expr(&e.orelse)
            }
            Expr::Dict(e) => {
                e.items.iter().try_for_each(|item| self.optional(item.key.as_ref()))?;
                e.items.iter().try_for_each(|item| self.expr(&item.value))
            }
            Expr::Set(e) => self.exprs(&e.elts),
            Expr::ListComp(e) => {
                self.comprehension(e, e.range, ComprehensionKind::List, &e.generators, &e.elt, None)
            }
            Expr::SetComp(e) => {
                self.comprehension(e, e.range, ComprehensionKind::Set, &e.generators, &e.elt, None)
            }
            Expr::DictComp(e) => {
                let kind = ComprehensionKind::Dict;
                match &e.key {
                    Some(key) => self.comprehension(e, e.range, kind, &e.generators, key, Some(&e.value)),
                    None => {
                        Failure::at(e.value.range(), "dict unpacking cannot be used in dict comprehension")
                    }
                }
            }
            Expr::Generator(e) => self.generator(e, e.range),
            Expr::Await(e) => {
                self.not_in_annotation(e.range, "await expression")?;
                self.no_await(e.range)?;
                self.expr(&e.value)?;
                self.current_mut().coroutine = true;
                Ok(())
            }
            Expr::Yield(e) => {
                self.not_in_annotation(e.range, "yield expression")?;
                self.optional(e.value.as_deref())?;
                self.yielding(e.range)
            }
            Expr::YieldFrom(e) => {
                self.not_in_annotation(e.range, "yield expression")?;
                self.expr(&e.value)?;
                self.yielding(e.range)
            }
            Expr::Compare(e) => {
                self.expr(&e.left)?;
                self.exprs(&e.comparators)
            }
            Expr::Call(e) => {
                self.expr(&e.func)?;
                match bare_generator(&e.arguments) {
                    Some(generator) => self.generator(generator, e.arguments.range),
                    None => self.arguments(&e.arguments),
                }
            }
            Expr::FString(e) => {
                for f in e.value.f_strings() {
                    self.interpolated(&f.elements)?;
                }
                Ok(())
            }
            Expr::TString(e) => e.value.iter().try_for_each(|t| self.interpolated(&t.elements)),
            Expr::Attribute(e) => {
                if e.attr.as_str() == "__debug__" {
                    match e.ctx {
                        ExprContext::Store => {
                            return Failure::at(e.range, "cannot assign to __debug__");
                        }
                        ExprContext::Del => return Failure::at(e.range, "cannot delete __debug__"),
                        _ => {}
                    }
                }
                self.expr(&e.value)
            }
            Expr::Subscript(e) => {
                self.expr(&e.value)?;
                self.expr(&e.slice)
            }
            Expr::Starred(e) => self.expr(&e.value),
            Expr::Name(e) => self.name(e),
            Expr::List(e) => self.exprs(&e.elts),
            Expr::Tuple(e) => self.exprs(&e.elts),
            Expr::Slice(e) => {
                self.optional(e.lower.as_deref())?;
                self.optional(e.upper.as_deref())?;
                self.optional(e.step.as_deref())
            }
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::IpyEscapeCommand(_) => Ok(()),
        }
    }

    fn name(&mut self, e: &ast::ExprName) -> Outcome {
        if self.current().in_unevaluated_annotation {
            return Ok(());
        }
        match e.ctx {
            ExprContext::Load => {
                self.define(&e.id, symbol::USE, e.range)?;
                // The two names that make a method's `__class__` a free variable.
                if e.id.as_str() == "super" && self.current().kind.is_function_like() {
                    self.define("__class__", symbol::USE, e.range)?;
                }
                Ok(())
            }
            ExprContext::Del if e.id.as_str() == "__debug__" => {
                Failure::at(e.range, "cannot delete __debug__")
            }
            _ => self.define(&e.id, symbol::LOCAL, e.range),
        }
    }

    fn interpolated(&mut self, elements: &ast::InterpolatedStringElements) -> Outcome {
        for element in elements {
            if let ast::InterpolatedStringElement::Interpolation(field) = element {
                self.expr(&field.expression)?;
                if let Some(spec) = &field.format_spec {
                    self.interpolated(&spec.elements)?;
                }
            }
        }
        Ok(())
    }

    fn generator(&mut self, e: &ast::ExprGenerator, range: TextRange) -> Outcome {
        self.comprehension(e, range, ComprehensionKind::Generator, &e.generators, &e.elt, None)
    }

    fn comprehension<T>(
        &mut self,
        node: &T,
        range: TextRange,
        kind: ComprehensionKind,
        generators: &[ast::Comprehension],
        elt: &Expr,
        value: Option<&Expr>,
    ) -> Outcome {
        let Some((outermost, inner)) = generators.split_first() else { return Ok(()) };
        self.current_mut().comp_iter_expr += 1;
        self.expr(&outermost.iter)?;
        self.current_mut().comp_iter_expr -= 1;
        let name = match kind {
            ComprehensionKind::List => "listcomp",
            ComprehensionKind::Set => "setcomp",
            ComprehensionKind::Dict => "dictcomp",
            ComprehensionKind::Generator => "genexpr",
        };
        self.enter(name.into(), BlockKind::Function, node, Part::Body, range);
        let block = self.current_mut();
        block.comprehension = Some(kind);
        block.coroutine = outermost.is_async;
        self.define(".0", symbol::PARAM, range)?;
        self.current_mut().comp_iter_target = true;
        self.expr(&outermost.target)?;
        self.current_mut().comp_iter_target = false;
        self.exprs(&outermost.ifs)?;
        for generator in inner {
            self.current_mut().comp_iter_target = true;
            self.expr(&generator.target)?;
            self.current_mut().comp_iter_target = false;
            self.current_mut().comp_iter_expr += 1;
            self.expr(&generator.iter)?;
            self.current_mut().comp_iter_expr -= 1;
            self.exprs(&generator.ifs)?;
            if generator.is_async {
                self.current_mut().coroutine = true;
            }
        }
        self.optional(value)?;
        self.expr(elt)?;
        self.current_mut().generator = kind == ComprehensionKind::Generator;
        let is_async = self.current().coroutine && kind != ComprehensionKind::Generator;
        self.leave();
        if is_async {
            let around = self.current();
            let allowed = around.coroutine && around.kind == BlockKind::Function
                || around.comprehension.is_some()
                || self.options.top_level_await && around.kind == BlockKind::Module;
            if !allowed {
                let message = "asynchronous comprehension outside of an asynchronous function";
                return Failure::at(range, message);
            }
            self.current_mut().coroutine = true;
        }
        Ok(())
    }

    /// `x := ...` in a comprehension binds in the function around it.
    fn extend_named(&mut self, name: &ast::ExprName) -> Outcome {
        let range = name.range;
        for &id in self.stack.clone().iter().rev() {
            let block = &self.table.blocks[id];
            if block.comprehension.is_some() {
                let flags = block.symbols.flags(&block.mangle(self.private.as_deref(), &name.id));
                if flags & symbol::COMP_ITER != 0 && flags & (symbol::LOCAL | symbol::GLOBAL) != 0 {
                    let message = format!(
                        "assignment expression cannot rebind comprehension iteration variable '{}'",
                        name.id
                    );
                    return Failure::at(range, message);
                }
                continue;
            }
            let message = match block.kind {
                BlockKind::Function => {
                    let known = block.symbols.flags(&block.mangle(self.private.as_deref(), &name.id));
                    let global = known & symbol::GLOBAL != 0;
                    self.define(&name.id, if global { symbol::GLOBAL } else { symbol::NONLOCAL }, range)?;
                    self.directive(&name.id, range);
                    return self.define_in(id, &name.id, symbol::LOCAL, range);
                }
                BlockKind::Module => {
                    self.define(&name.id, symbol::GLOBAL, range)?;
                    self.directive(&name.id, range);
                    return self.define_in(id, &name.id, symbol::GLOBAL, range);
                }
                BlockKind::Class => {
                    "assignment expression within a comprehension cannot be used in a class body"
                }
                BlockKind::TypeParameters => {
                    "assignment expression within a comprehension cannot be used within the definition of a generic"
                }
                BlockKind::TypeAlias => {
                    "assignment expression within a comprehension cannot be used in a type alias"
                }
                BlockKind::TypeVariable => {
                    "assignment expression within a comprehension cannot be used in a TypeVar bound"
                }
                BlockKind::Annotation => "named expression cannot be used within an annotation",
            };
            return Failure::at(range, message);
        }
        Ok(())
    }

    /// `yield`, `await` and `:=` are not for blocks that are evaluated when somebody asks.
    fn not_in_annotation(&self, range: TextRange, what: &str) -> Outcome {
        let block = self.current();
        let place = match block.kind {
            BlockKind::Annotation => "an annotation",
            BlockKind::TypeVariable => block.scope_info,
            BlockKind::TypeAlias => "a type alias",
            BlockKind::TypeParameters => "the definition of a generic",
            _ => return Ok(()),
        };
        Failure::at(range, format!("{what} cannot be used within {place}"))
    }

    fn no_await(&self, range: TextRange) -> Outcome {
        let block = self.current();
        match block.kind {
            BlockKind::Function => Ok(()),
            BlockKind::Module if self.options.top_level_await => Ok(()),
            _ => Failure::at(range, "'await' outside function"),
        }
    }

    fn yielding(&mut self, range: TextRange) -> Outcome {
        let block = self.current_mut();
        block.generator = true;
        let kind = match block.comprehension {
            Some(ComprehensionKind::List) => "list comprehension",
            Some(ComprehensionKind::Set) => "set comprehension",
            Some(ComprehensionKind::Dict) => "dict comprehension",
            Some(ComprehensionKind::Generator) => "generator expression",
            None => return Ok(()),
        };
        Failure::at(range, format!("'yield' inside {kind}"))
    }

    fn pattern(&mut self, pattern: &Pattern) -> Outcome {
        match pattern {
            Pattern::MatchValue(p) => self.expr(&p.value),
            Pattern::MatchSingleton(_) => Ok(()),
            Pattern::MatchSequence(p) => p.patterns.iter().try_for_each(|p| self.pattern(p)),
            Pattern::MatchMapping(p) => {
                self.exprs(&p.keys)?;
                p.patterns.iter().try_for_each(|p| self.pattern(p))?;
                match &p.rest {
                    Some(rest) => self.define(rest, symbol::LOCAL, p.range),
                    None => Ok(()),
                }
            }
            Pattern::MatchClass(p) => {
                self.expr(&p.cls)?;
                p.arguments.patterns.iter().try_for_each(|p| self.pattern(p))?;
                for keyword in &p.arguments.keywords {
                    if keyword.attr.as_str() == "__debug__" {
                        return Failure::at(keyword.pattern.range(), "cannot assign to __debug__");
                    }
                }
                p.arguments.keywords.iter().try_for_each(|k| self.pattern(&k.pattern))
            }
            Pattern::MatchStar(p) => match &p.name {
                Some(name) => self.define(name, symbol::LOCAL, p.range),
                None => Ok(()),
            },
            Pattern::MatchAs(p) => {
                p.pattern.iter().try_for_each(|p| self.pattern(p))?;
                match &p.name {
                    Some(name) => self.define(name, symbol::LOCAL, p.range),
                    None => Ok(()),
                }
            }
            Pattern::MatchOr(p) => p.patterns.iter().try_for_each(|p| self.pattern(p)),
        }
    }
}

/// Whether parameters have defaults: by position, and by keyword only.
pub(crate) fn has_defaults(parameters: &ast::Parameters) -> (bool, bool) {
    let any = |list: &[ast::ParameterWithDefault]| list.iter().any(|p| p.default.is_some());
    (any(&parameters.posonlyargs) || any(&parameters.args), any(&parameters.kwonlyargs))
}

/// The annotated parameters in the order in which annotations are evaluated.
pub(crate) fn annotated_parameters(
    parameters: &ast::Parameters,
) -> impl Iterator<Item = (&ast::Identifier, &Expr)> {
    let positional = parameters.posonlyargs.iter().chain(&parameters.args).map(|p| &p.parameter);
    positional
        .chain(parameters.vararg.as_deref())
        .chain(parameters.kwonlyargs.iter().map(|p| &p.parameter))
        .chain(parameters.kwarg.as_deref())
        .filter_map(|p| Some((&p.name, p.annotation.as_deref()?)))
}

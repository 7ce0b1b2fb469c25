//! From Python's node objects to the parser's tree: what `compile(tree, ...)` does first.
//!
//! A tree made by hand has no source. Each node's position goes into a table, the node's range points there (see
//! `Source::synthetic`). Every rule that the parser would have enforced is checked here, worded as CPython does.

use super::class::{AST, Classes};
use super::literal;
use super::table::{Kind, ROWS};
use pellucid_object::{Interpreter, List, Raised, Res, Value};
use pellucid_syntax::ast::{self, Expr, ExprContext, Stmt};
use pellucid_syntax::text_size::TextRange;
use pellucid_syntax::{Mode, Parsed, Position, Source, StringOverride};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Nodes deeper than this are refused while they are read.
const MAX_NESTING: usize = 3_000;

/// Reads node objects; `pattern.rs` has the part for patterns.
pub(super) struct Reader<'a> {
    pub vm: &'a Interpreter,
    pub classes: Rc<Classes>,
    places: RefCell<Vec<[Position; 2]>>,
    overrides: RefCell<HashMap<u32, StringOverride>>,
    depth: Cell<usize>,
}

pub(super) type Body = Vec<Stmt>;

/// Whether the value is a node.
pub fn is_node(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_instance(value, &vm.type_for(&AST)?))
}

/// The tree behind a node object. Errors: `TypeError` and `ValueError` for what is no tree of Python.
pub fn from_python(vm: &Interpreter, node: &Value, mode: Mode) -> Res<Parsed> {
    let reader = Reader {
        vm,
        classes: Classes::of(vm)?,
        places: RefCell::default(),
        overrides: RefCell::default(),
        depth: Cell::default(),
    };
    let expected = match mode {
        Mode::Exec => Kind::Module,
        Mode::Eval => Kind::Expression,
        Mode::Single => Kind::Interactive,
        Mode::FuncType => Kind::FunctionType,
    };
    if !vm.is_instance(node, &reader.classes.ty(vm, expected)?) {
        let (want, got) = (ROWS[expected as usize].name, vm.type_name(node));
        return Err(vm.type_error(format!("expected {want} node, got {got}")));
    }
    let module = pellucid_syntax::with_stack_for(MAX_NESTING, || reader.module(node, mode))?;
    let source = Source::synthetic(reader.places.take(), reader.overrides.take());
    Parsed::from_tree(module, source, mode).map_err(|error| crate::compile::raise(vm, &error, &Value::NONE))
}

pub(super) fn index() -> ast::AtomicNodeIndex {
    ast::AtomicNodeIndex::NONE
}

/// A node object with the name of its class.
pub(super) struct Node<'a> {
    pub value: &'a Value,
    pub kind: Kind,
}

impl Node<'_> {
    pub fn name(&self) -> &'static str {
        ROWS[self.kind as usize].name
    }
}

impl Reader<'_> {
    fn module(&self, node: &Value, mode: Mode) -> Res<ast::Mod> {
        let range = TextRange::default();
        let module = |body: Body| {
            ast::Mod::Module(ast::ModModule { range, node_index: index(), body: body.into_iter().collect() })
        };
        match mode {
            Mode::Eval => {
                let node = Node { value: node, kind: Kind::Expression };
                let body = Box::new(self.expr_field(&node, "body")?);
                Ok(ast::Mod::Expression(ast::ModExpression { range, node_index: index(), body }))
            }
            Mode::Exec => Ok(module(self.stmts(&Node { value: node, kind: Kind::Module }, "body")?)),
            Mode::Single => Ok(module(self.stmts(&Node { value: node, kind: Kind::Interactive }, "body")?)),
            Mode::FuncType => {
                Err(self.vm.system_error("this compiler does not handle FunctionTypes".to_string()))
            }
        }
    }

    // Fields.

    /// A field, `None` as it is; absent when the attribute does not exist.
    fn field(&self, node: &Node, name: &str) -> Res<Option<Value>> {
        self.vm.get_attr_opt(node.value, name)
    }

    /// A field that must be there and not be `None`.
    pub fn required(&self, node: &Node, name: &str) -> Res {
        match self.field(node, name)? {
            Some(value) if value.is_none() => {
                let class = node.name();
                Err(self.vm.value_error(format!("field '{name}' is required for {class}")))
            }
            Some(value) => Ok(value),
            None => Err(self.missing(name, node.name())),
        }
    }

    fn missing(&self, name: &str, class: &str) -> Raised {
        self.vm.type_error(format!("required field \"{name}\" missing from {class}"))
    }

    pub fn optional(&self, node: &Node, name: &str) -> Res<Option<Value>> {
        Ok(self.field(node, name)?.filter(|value| !value.is_none()))
    }

    /// The items of a list field; an absent one is empty.
    pub fn items(&self, node: &Node, name: &str) -> Res<Vec<Value>> {
        let Some(value) = self.field(node, name)? else { return Ok(Vec::new()) };
        match value.downcast::<List>() {
            Some(list) => Ok(list.items()),
            None => {
                let (class, got) = (node.name(), self.vm.type_name(&value));
                Err(self.vm.type_error(format!("{class} field \"{name}\" must be a list, not a {got}")))
            }
        }
    }

    /// The items of a list field that must not be empty.
    pub fn some_items(&self, node: &Node, name: &str) -> Res<Vec<Value>> {
        let items = self.items(node, name)?;
        if items.is_empty() {
            return Err(self.vm.value_error(format!("empty {name} on {}", node.name())));
        }
        Ok(items)
    }

    pub fn identifier_value(&self, value: &Value, range: TextRange) -> Res<ast::Identifier> {
        if value.downcast::<pellucid_object::Str>().is_none() {
            return Err(self.vm.type_error("AST identifier must be of type str".to_string()));
        }
        let text = self.vm.expect_str(value)?;
        if matches!(text.as_str(), "None" | "True" | "False") {
            return Err(self.vm.value_error(format!("identifier field can't represent '{text}' constant")));
        }
        Ok(ast::Identifier { id: ast::name::Name::new(text), range, node_index: index() })
    }

    pub fn identifier(&self, node: &Node, name: &str, range: TextRange) -> Res<ast::Identifier> {
        self.identifier_value(&self.required(node, name)?, range)
    }

    pub fn opt_identifier(&self, node: &Node, name: &str, range: TextRange) -> Res<Option<ast::Identifier>> {
        self.optional(node, name)?.map(|value| self.identifier_value(&value, range)).transpose()
    }

    fn int(&self, value: &Value) -> Res<i64> {
        match self.vm.as_i64(value) {
            Some(number) if i32::try_from(number).is_ok() => Ok(number),
            _ => {
                let shown = self.vm.repr_lossy(value)?;
                Err(self.vm.value_error(format!("invalid integer value: {shown}")))
            }
        }
    }

    /// Puts the node's position into the table; `sum` names the kind of node in messages.
    pub fn range(&self, node: &Node, sum: &str) -> Res<TextRange> {
        let mut place = [0i64; 4];
        for (index, name) in super::class::POSITION.iter().enumerate() {
            place[index] = match self.field(node, name)? {
                Some(value) if index >= 2 && value.is_none() => place[index - 2],
                Some(value) => self.int(&value)?,
                None if index >= 2 => place[index - 2],
                None => return Err(self.missing(name, sum)),
            };
        }
        let [line, column, end_line, end_column] = place;
        let problem = if line > end_line {
            format!("AST node line range ({line}, {end_line}) is not valid")
        } else if (line < 0 && end_line != line) || (column < 0 && column != end_column) {
            format!(
                "AST node column range ({column}, {end_column}) for line range ({line}, {end_line}) is not valid"
            )
        } else if line == end_line && column > end_column {
            format!("line {line}, column {column}-{end_column} is not a valid range")
        } else {
            return Ok(self.place(line, column, end_line, end_column));
        };
        Err(self.vm.value_error(problem))
    }

    fn place(&self, line: i64, column: i64, end_line: i64, end_column: i64) -> TextRange {
        let position = |line: i64, column: i64| {
            let column = column.max(0) as usize;
            Position { line: line.max(0) as usize, column, column_chars: column }
        };
        self.add_place([position(line, column), position(end_line, end_column)])
    }

    fn add_place(&self, place: [Position; 2]) -> TextRange {
        let mut places = self.places.borrow_mut();
        places.push(place);
        Source::synthetic_range(places.len() as u32 - 1)
    }

    /// A place of its own for a piece of a string, at the position of `range`.
    fn place_like(&self, range: TextRange) -> TextRange {
        let place = self.places.borrow().get(range.start().to_usize()).copied();
        self.add_place(place.unwrap_or_default())
    }

    fn keep_text(&self, range: TextRange, text: Vec<u8>) {
        self.overrides.borrow_mut().insert(range.start().to_u32(), StringOverride::Text(text));
    }

    /// The node of a value that must be of a class derived from `base`.
    pub fn node<'v>(&self, value: &'v Value, base: &str) -> Res<Node<'v>> {
        for row in ROWS.iter().filter(|row| row.base == base || (row.name == base && row.base == "AST")) {
            if row.name == base && ROWS.iter().any(|r| r.base == base) {
                continue;
            }
            if self.vm.is_instance(value, &self.classes.ty(self.vm, row.kind)?) {
                return Ok(Node { value, kind: row.kind });
            }
        }
        let shown = self.vm.repr_lossy(value)?;
        Err(self.vm.type_error(format!("expected some sort of {base}, but got {shown}")))
    }

    pub fn deeper<T>(&self, doing: &str, f: impl FnOnce() -> Res<T>) -> Res<T> {
        let depth = self.depth.get() + 1;
        if depth > MAX_NESTING {
            let message = format!("maximum recursion depth exceeded while traversing '{doing}' node");
            return Err(self.vm.recursion_error(message));
        }
        self.depth.set(depth);
        let result = f();
        self.depth.set(depth - 1);
        result
    }

    // Statements.

    fn stmts(&self, node: &Node, name: &str) -> Res<Body> {
        let mut body = Vec::new();
        for item in self.items(node, name)? {
            if item.is_none() {
                return Err(self.vm.value_error("None disallowed in statement list".to_string()));
            }
            body.push(self.stmt(&item)?);
        }
        Ok(body)
    }

    fn body<C: FromIterator<Stmt>>(&self, node: &Node, name: &str) -> Res<C> {
        self.some_items(node, name)?;
        Ok(self.stmts(node, name)?.into_iter().collect())
    }

    fn orelse<C: FromIterator<Stmt>>(&self, node: &Node, name: &str) -> Res<C> {
        Ok(self.stmts(node, name)?.into_iter().collect())
    }

    fn stmt(&self, value: &Value) -> Res<Stmt> {
        let node = self.node(value, "stmt")?;
        self.deeper("stmt", || self.stmt_of(&node))
    }

    fn stmt_of(&self, node: &Node) -> Res<Stmt> {
        let (range, node_index) = (self.range(node, "stmt")?, index());
        let stmt = match node.kind {
            Kind::FunctionDef | Kind::AsyncFunctionDef => Stmt::FunctionDef(ast::StmtFunctionDef {
                is_async: node.kind == Kind::AsyncFunctionDef,
                name: self.identifier(node, "name", range)?,
                type_params: self.type_params(node, range)?,
                parameters: Box::new(self.parameters(&self.required(node, "args")?, range)?),
                body: self.body(node, "body")?,
                decorator_list: self.decorators(node)?.into_iter().collect(),
                returns: self.opt_expr_field(node, "returns")?.map(Box::new),
                range,
                node_index,
            }),
            Kind::ClassDef => Stmt::ClassDef(ast::StmtClassDef {
                name: self.identifier(node, "name", range)?,
                type_params: self.type_params(node, range)?,
                arguments: self.class_arguments(node, range)?,
                body: self.body(node, "body")?,
                decorator_list: self.decorators(node)?.into_iter().collect(),
                range,
                node_index,
            }),
            Kind::Return => Stmt::Return(ast::StmtReturn {
                value: self.opt_expr_field(node, "value")?.map(Box::new),
                range,
                node_index,
            }),
            Kind::Delete => {
                self.some_items(node, "targets")?;
                Stmt::Delete(ast::StmtDelete {
                    targets: self.exprs(node, "targets", ExprContext::Del)?,
                    range,
                    node_index,
                })
            }
            Kind::Assign => {
                self.some_items(node, "targets")?;
                let targets = self.exprs(node, "targets", ExprContext::Store)?;
                Stmt::Assign(ast::StmtAssign {
                    targets,
                    value: self.boxed(node, "value")?,
                    range,
                    node_index,
                })
            }
            Kind::TypeAlias => {
                let name = self.expr(&self.required(node, "name")?, ExprContext::Store)?;
                if !name.is_name_expr() {
                    return Err(self.vm.type_error("TypeAlias with non-Name name".to_string()));
                }
                Stmt::TypeAlias(ast::StmtTypeAlias {
                    name: Box::new(name),
                    type_params: self.type_params(node, range)?,
                    value: self.boxed(node, "value")?,
                    range,
                    node_index,
                })
            }
            Kind::AugAssign => Stmt::AugAssign(ast::StmtAugAssign {
                target: Box::new(self.expr(&self.required(node, "target")?, ExprContext::Store)?),
                op: self.operator(node)?,
                value: self.boxed(node, "value")?,
                range,
                node_index,
            }),
            Kind::AnnAssign => {
                let target = self.expr(&self.required(node, "target")?, ExprContext::Store)?;
                let simple = self.int(&self.required(node, "simple")?)? != 0;
                if simple && !target.is_name_expr() {
                    return Err(self.vm.type_error("AnnAssign with simple non-Name target".to_string()));
                }
                Stmt::AnnAssign(ast::StmtAnnAssign {
                    target: Box::new(target),
                    annotation: self.boxed(node, "annotation")?,
                    value: self.opt_expr_field(node, "value")?.map(Box::new),
                    simple,
                    range,
                    node_index,
                })
            }
            Kind::For | Kind::AsyncFor => Stmt::For(ast::StmtFor {
                is_async: node.kind == Kind::AsyncFor,
                target: Box::new(self.expr(&self.required(node, "target")?, ExprContext::Store)?),
                iter: self.boxed(node, "iter")?,
                body: self.body(node, "body")?,
                orelse: self.orelse(node, "orelse")?,
                range,
                node_index,
            }),
            Kind::While => Stmt::While(ast::StmtWhile {
                test: self.boxed(node, "test")?,
                body: self.body(node, "body")?,
                orelse: self.orelse(node, "orelse")?,
                range,
                node_index,
            }),
            Kind::If => self.if_stmt(node, range)?,
            Kind::With | Kind::AsyncWith => Stmt::With(ast::StmtWith {
                is_async: node.kind == Kind::AsyncWith,
                items: self.with_items(node, range)?,
                body: self.body(node, "body")?,
                range,
                node_index,
            }),
            Kind::Match => Stmt::Match(ast::StmtMatch {
                subject: self.boxed(node, "subject")?,
                cases: self.cases(node, range)?,
                range,
                node_index,
            }),
            Kind::Raise => {
                let exc = self.opt_expr_field(node, "exc")?.map(Box::new);
                let cause = self.opt_expr_field(node, "cause")?.map(Box::new);
                if exc.is_none() && cause.is_some() {
                    return Err(self.vm.value_error("Raise with cause but no exception".to_string()));
                }
                Stmt::Raise(ast::StmtRaise { exc, cause, range, node_index })
            }
            Kind::Try | Kind::TryStar => self.try_stmt(node, range)?,
            Kind::Assert => Stmt::Assert(ast::StmtAssert {
                test: self.boxed(node, "test")?,
                msg: self.opt_expr_field(node, "msg")?.map(Box::new),
                range,
                node_index,
            }),
            Kind::Import => Stmt::Import(ast::StmtImport {
                names: self.aliases(node)?,
                is_lazy: false,
                range,
                node_index,
            }),
            Kind::ImportFrom => {
                let level = match self.optional(node, "level")? {
                    Some(level) => self.int(&level)?,
                    None => 0,
                };
                let Ok(level) = u32::try_from(level) else {
                    return Err(self.vm.value_error("Negative ImportFrom level".to_string()));
                };
                Stmt::ImportFrom(ast::StmtImportFrom {
                    module: self.opt_identifier(node, "module", range)?,
                    names: self.aliases(node)?,
                    level,
                    is_lazy: false,
                    range,
                    node_index,
                })
            }
            Kind::Global => {
                Stmt::Global(ast::StmtGlobal { names: self.names(node, range)?, range, node_index })
            }
            Kind::Nonlocal => {
                Stmt::Nonlocal(ast::StmtNonlocal { names: self.names(node, range)?, range, node_index })
            }
            Kind::Expr => Stmt::Expr(ast::StmtExpr { value: self.boxed(node, "value")?, range, node_index }),
            Kind::Pass => Stmt::Pass(ast::StmtPass { range, node_index }),
            Kind::Break => Stmt::Break(ast::StmtBreak { range, node_index }),
            Kind::Continue => Stmt::Continue(ast::StmtContinue { range, node_index }),
            _ => return Err(self.vm.system_error("unexpected statement".to_string())),
        };
        Ok(stmt)
    }

    fn names(&self, node: &Node, range: TextRange) -> Res<Vec<ast::Identifier>> {
        self.some_items(node, "names")?.iter().map(|name| self.identifier_value(name, range)).collect()
    }

    fn decorators(&self, node: &Node) -> Res<Vec<ast::Decorator>> {
        let expressions = self.exprs(node, "decorator_list", ExprContext::Load)?;
        let decorator = |expression: Expr| {
            let range = pellucid_syntax::text_size::Ranged::range(&expression);
            ast::Decorator { range, node_index: index(), expression }
        };
        Ok(expressions.into_iter().map(decorator).collect())
    }

    fn class_arguments(&self, node: &Node, range: TextRange) -> Res<Option<Box<ast::Arguments>>> {
        let args = self.exprs(node, "bases", ExprContext::Load)?;
        let keywords = self.keywords(node)?;
        if args.is_empty() && keywords.is_empty() {
            return Ok(None);
        }
        let keywords = keywords.into_iter().collect();
        Ok(Some(Box::new(ast::Arguments { range, node_index: index(), args: args.into(), keywords })))
    }

    /// A lone `If` in the `else` part becomes an `elif`, however long the chain is.
    fn if_stmt(&self, node: &Node, range: TextRange) -> Res<Stmt> {
        let test = self.boxed(node, "test")?;
        let body = self.body(node, "body")?;
        let mut clauses = Vec::new();
        let mut orelse = self.items(node, "orelse")?;
        let if_class = self.classes.ty(self.vm, Kind::If)?;
        while let [only] = orelse.as_slice()
            && self.vm.is_instance(only, &if_class)
        {
            let only = only.clone();
            let nested = Node { value: &only, kind: Kind::If };
            clauses.push(ast::ElifElseClause {
                range: self.range(&nested, "stmt")?,
                node_index: index(),
                test: Some(self.expr_field(&nested, "test")?),
                body: self.body(&nested, "body")?,
            });
            orelse = self.items(&nested, "orelse")?;
            self.vm.poll()?;
        }
        if !orelse.is_empty() {
            let mut body = Vec::new();
            for stmt in &orelse {
                if stmt.is_none() {
                    return Err(self.vm.value_error("None disallowed in statement list".to_string()));
                }
                body.push(self.stmt(stmt)?);
            }
            let range = body.first().map_or(range, pellucid_syntax::text_size::Ranged::range);
            clauses.push(ast::ElifElseClause {
                range,
                node_index: index(),
                test: None,
                body: body.into_iter().collect(),
            });
        }
        Ok(Stmt::If(ast::StmtIf { test, body, elif_else_clauses: clauses, range, node_index: index() }))
    }

    fn with_items(&self, node: &Node, range: TextRange) -> Res<Vec<ast::WithItem>> {
        let mut items = Vec::new();
        for value in self.some_items(node, "items")? {
            let item = self.node(&value, "withitem")?;
            let context_expr = self.expr_field(&item, "context_expr")?;
            let vars = self.optional(&item, "optional_vars")?;
            let vars = vars.map(|vars| self.expr(&vars, ExprContext::Store)).transpose()?;
            items.push(ast::WithItem {
                range,
                node_index: index(),
                context_expr,
                optional_vars: vars.map(Box::new),
            });
        }
        Ok(items)
    }

    fn cases(&self, node: &Node, range: TextRange) -> Res<Vec<ast::MatchCase>> {
        let mut cases = Vec::new();
        for value in self.some_items(node, "cases")? {
            let case = self.node(&value, "match_case")?;
            cases.push(ast::MatchCase {
                range,
                node_index: index(),
                pattern: self.pattern(&self.required(&case, "pattern")?, false)?,
                guard: self.opt_expr_field(&case, "guard")?.map(Box::new),
                body: self.body(&case, "body")?,
            });
        }
        Ok(cases)
    }

    fn try_stmt(&self, node: &Node, range: TextRange) -> Res<Stmt> {
        let class = node.name();
        let body = self.body(node, "body")?;
        let mut handlers = Vec::new();
        for value in self.items(node, "handlers")? {
            let handler = self.node(&value, "excepthandler")?;
            let range = self.range(&handler, "excepthandler")?;
            handlers.push(ast::ExceptHandler::ExceptHandler(ast::ExceptHandlerExceptHandler {
                range,
                node_index: index(),
                type_: self.opt_expr_field(&handler, "type")?.map(Box::new),
                name: self.opt_identifier(&handler, "name", range)?,
                body: self.body(&handler, "body")?,
            }));
        }
        let orelse: Body = self.orelse(node, "orelse")?;
        let finalbody: Body = self.orelse(node, "finalbody")?;
        if handlers.is_empty() && finalbody.is_empty() {
            return Err(self.vm.value_error(format!("{class} has neither except handlers nor finalbody")));
        }
        if handlers.is_empty() && !orelse.is_empty() {
            return Err(self.vm.value_error(format!("{class} has orelse but no except handlers")));
        }
        Ok(Stmt::Try(ast::StmtTry {
            body,
            handlers,
            orelse: orelse.into_iter().collect(),
            finalbody: finalbody.into_iter().collect(),
            is_star: node.kind == Kind::TryStar,
            range,
            node_index: index(),
        }))
    }

    fn aliases(&self, node: &Node) -> Res<Vec<ast::Alias>> {
        let mut aliases = Vec::new();
        for value in self.some_items(node, "names")? {
            let alias = self.node(&value, "alias")?;
            let range = self.range(&alias, "alias")?;
            aliases.push(ast::Alias {
                range,
                node_index: index(),
                name: self.identifier(&alias, "name", range)?,
                asname: self.opt_identifier(&alias, "asname", range)?,
            });
        }
        Ok(aliases)
    }

    fn type_params(&self, node: &Node, range: TextRange) -> Res<Option<Box<ast::TypeParams>>> {
        let mut params = Vec::new();
        for value in self.items(node, "type_params")? {
            let param = self.node(&value, "type_param")?;
            let range = self.range(&param, "type_param")?;
            let name = self.identifier(&param, "name", range)?;
            let default = self.opt_expr_field(&param, "default_value")?.map(Box::new);
            let node_index = index();
            params.push(match param.kind {
                Kind::TypeVar => {
                    let bound = self.opt_expr_field(&param, "bound")?.map(Box::new);
                    ast::TypeParam::TypeVar(ast::TypeParamTypeVar { range, node_index, name, bound, default })
                }
                Kind::ParamSpec => {
                    ast::TypeParam::ParamSpec(ast::TypeParamParamSpec { range, node_index, name, default })
                }
                _ => ast::TypeParam::TypeVarTuple(ast::TypeParamTypeVarTuple {
                    range,
                    node_index,
                    name,
                    default,
                }),
            });
        }
        let params = ast::TypeParams { range, node_index: index(), type_params: params };
        Ok((!params.type_params.is_empty()).then(|| Box::new(params)))
    }

    // Parts of expressions and definitions.

    fn parameters(&self, value: &Value, range: TextRange) -> Res<ast::Parameters> {
        let node = self.node(value, "arguments")?;
        let args = |name: &str| -> Res<Vec<ast::Parameter>> {
            self.items(&node, name)?.iter().map(|value| self.parameter(value)).collect()
        };
        let (positional_only, positional, keyword_only) =
            (args("posonlyargs")?, args("args")?, args("kwonlyargs")?);
        let mut defaults = self.exprs(&node, "defaults", ExprContext::Load)?;
        let count = positional_only.len() + positional.len();
        if defaults.len() > count {
            return Err(self.vm.value_error("more positional defaults than args on arguments".to_string()));
        }
        let mut keyword_defaults = Vec::new();
        for default in self.items(&node, "kw_defaults")? {
            let default = Some(default).filter(|value| !value.is_none());
            keyword_defaults.push(default.map(|value| self.expr(&value, ExprContext::Load)).transpose()?);
        }
        if keyword_defaults.len() != keyword_only.len() {
            let message = "length of kwonlyargs is not the same as kw_defaults on arguments";
            return Err(self.vm.value_error(message.to_string()));
        }
        let mut first_default = count - defaults.len();
        let mut with_defaults = |parameters: Vec<ast::Parameter>| -> Vec<ast::ParameterWithDefault> {
            let mut result = Vec::new();
            for parameter in parameters {
                let default = if first_default == 0 {
                    Some(Box::new(defaults.remove(0)))
                } else {
                    first_default -= 1;
                    None
                };
                result.push(with_default(parameter, default));
            }
            result
        };
        let posonlyargs = with_defaults(positional_only).into_iter().collect();
        let args = with_defaults(positional).into_iter().collect();
        let keyword_only = keyword_only.into_iter().zip(keyword_defaults);
        let kwonlyargs =
            keyword_only.map(|(parameter, default)| with_default(parameter, default.map(Box::new)));
        let star = |name: &str| -> Res<Option<Box<ast::Parameter>>> {
            let value = self.optional(&node, name)?;
            Ok(value.map(|value| self.parameter(&value)).transpose()?.map(Box::new))
        };
        Ok(ast::Parameters {
            range,
            node_index: index(),
            posonlyargs,
            args,
            vararg: star("vararg")?,
            kwonlyargs: kwonlyargs.collect(),
            kwarg: star("kwarg")?,
        })
    }

    fn parameter(&self, value: &Value) -> Res<ast::Parameter> {
        let arg = self.node(value, "arg")?;
        let range = self.range(&arg, "arg")?;
        let name = self.identifier(&arg, "arg", range)?;
        let annotation = self.opt_expr_field(&arg, "annotation")?.map(Box::new);
        Ok(ast::Parameter { range, node_index: index(), name, annotation })
    }

    fn keywords(&self, node: &Node) -> Res<Vec<ast::Keyword>> {
        let mut keywords = Vec::new();
        for value in self.items(node, "keywords")? {
            let keyword = self.node(&value, "keyword")?;
            let range = self.range(&keyword, "keyword")?;
            let arg = self.opt_identifier(&keyword, "arg", range)?;
            keywords.push(ast::Keyword {
                range,
                node_index: index(),
                arg,
                value: self.expr_field(&keyword, "value")?,
            });
        }
        Ok(keywords)
    }

    fn comprehensions(&self, node: &Node, range: TextRange) -> Res<Vec<ast::Comprehension>> {
        let mut generators = Vec::new();
        for value in self.items(node, "generators")? {
            let generator = self.node(&value, "comprehension")?;
            generators.push(ast::Comprehension {
                range,
                node_index: index(),
                target: self.expr(&self.required(&generator, "target")?, ExprContext::Store)?,
                iter: self.expr_field(&generator, "iter")?,
                ifs: self.exprs(&generator, "ifs", ExprContext::Load)?,
                is_async: self.int(&self.required(&generator, "is_async")?)? != 0,
            });
        }
        if generators.is_empty() {
            return Err(self.vm.value_error("comprehension with no generators".to_string()));
        }
        Ok(generators)
    }

    // Expressions.

    pub fn expr_field(&self, node: &Node, name: &str) -> Res<Expr> {
        self.expr(&self.required(node, name)?, ExprContext::Load)
    }
    fn boxed(&self, node: &Node, name: &str) -> Res<Box<Expr>> {
        Ok(Box::new(self.expr_field(node, name)?))
    }
    pub fn opt_expr_field(&self, node: &Node, name: &str) -> Res<Option<Expr>> {
        self.optional(node, name)?.map(|value| self.expr(&value, ExprContext::Load)).transpose()
    }

    pub fn exprs(&self, node: &Node, name: &str, ctx: ExprContext) -> Res<Vec<Expr>> {
        let mut exprs = Vec::new();
        for item in self.items(node, name)? {
            if item.is_none() {
                return Err(self.vm.value_error("None disallowed in expression list".to_string()));
            }
            exprs.push(self.expr(&item, ctx)?);
        }
        Ok(exprs)
    }

    fn operator(&self, node: &Node) -> Res<ast::Operator> {
        use ast::Operator as O;
        let value = self.required(node, "op")?;
        Ok(match self.node(&value, "operator")?.kind {
            Kind::Add => O::Add,
            Kind::Sub => O::Sub,
            Kind::Mult => O::Mult,
            Kind::MatMult => O::MatMult,
            Kind::Div => O::Div,
            Kind::Mod => O::Mod,
            Kind::Pow => O::Pow,
            Kind::LShift => O::LShift,
            Kind::RShift => O::RShift,
            Kind::BitOr => O::BitOr,
            Kind::BitXor => O::BitXor,
            Kind::BitAnd => O::BitAnd,
            _ => O::FloorDiv,
        })
    }

    fn comparison(&self, value: &Value) -> Res<ast::CmpOp> {
        use ast::CmpOp as C;
        Ok(match self.node(value, "cmpop")?.kind {
            Kind::Eq => C::Eq,
            Kind::NotEq => C::NotEq,
            Kind::Lt => C::Lt,
            Kind::LtE => C::LtE,
            Kind::Gt => C::Gt,
            Kind::GtE => C::GtE,
            Kind::Is => C::Is,
            Kind::IsNot => C::IsNot,
            Kind::In => C::In,
            _ => C::NotIn,
        })
    }

    /// The node's own context, which must be the one that its place asks for.
    fn context(&self, node: &Node, expected: ExprContext) -> Res<ExprContext> {
        let value = self.required(node, "ctx")?;
        let actual = match self.node(&value, "expr_context")?.kind {
            Kind::Store => ExprContext::Store,
            Kind::Del => ExprContext::Del,
            _ => ExprContext::Load,
        };
        if actual != expected {
            return Err(self.vm.value_error(format!(
                "expression must have {expected:?} context but has {actual:?} instead"
            )));
        }
        Ok(actual)
    }

    pub fn expr(&self, value: &Value, ctx: ExprContext) -> Res<Expr> {
        let node = self.node(value, "expr")?;
        self.deeper("expr", || self.expr_of(&node, ctx))
    }

    fn expr_of(&self, node: &Node, ctx: ExprContext) -> Res<Expr> {
        let (range, node_index) = (self.range(node, "expr")?, index());
        let assignable =
            [Kind::Attribute, Kind::Subscript, Kind::Starred, Kind::Name, Kind::List, Kind::Tuple];
        if assignable.contains(&node.kind) {
            return self.assignable(node, ctx, range);
        }
        if ctx != ExprContext::Load {
            return Err(self
                .vm
                .value_error(format!("expression which can't be assigned to in {ctx:?} context")));
        }
        Ok(match node.kind {
            Kind::BoolOp => {
                let op = self.required(node, "op")?;
                let op = if self.node(&op, "boolop")?.kind == Kind::And {
                    ast::BoolOp::And
                } else {
                    ast::BoolOp::Or
                };
                let values = self.exprs(node, "values", ctx)?;
                if values.len() < 2 {
                    return Err(self.vm.value_error("BoolOp with less than 2 values".to_string()));
                }
                Expr::BoolOp(ast::ExprBoolOp { op, values, range, node_index })
            }
            Kind::NamedExpr => {
                let target = self.required(node, "target")?;
                if self.node(&target, "expr")?.kind != Kind::Name {
                    return Err(self.vm.type_error("NamedExpr target must be a Name".to_string()));
                }
                let target = self.expr(&target, ExprContext::Store)?;
                Expr::Named(ast::ExprNamed {
                    target: Box::new(target),
                    value: self.boxed(node, "value")?,
                    range,
                    node_index,
                })
            }
            Kind::BinOp => Expr::BinOp(ast::ExprBinOp {
                left: self.boxed(node, "left")?,
                op: self.operator(node)?,
                right: self.boxed(node, "right")?,
                range,
                node_index,
            }),
            Kind::UnaryOp => {
                let op = self.required(node, "op")?;
                let op = match self.node(&op, "unaryop")?.kind {
                    Kind::Invert => ast::UnaryOp::Invert,
                    Kind::Not => ast::UnaryOp::Not,
                    Kind::UAdd => ast::UnaryOp::UAdd,
                    _ => ast::UnaryOp::USub,
                };
                Expr::UnaryOp(ast::ExprUnaryOp {
                    op,
                    operand: self.boxed(node, "operand")?,
                    range,
                    node_index,
                })
            }
            Kind::Lambda => {
                let parameters = self.parameters(&self.required(node, "args")?, range)?;
                let parameters = (!parameters.is_empty()).then(|| Box::new(parameters));
                Expr::Lambda(ast::ExprLambda {
                    parameters,
                    body: self.boxed(node, "body")?,
                    range,
                    node_index,
                })
            }
            Kind::IfExp => Expr::If(ast::ExprIf {
                test: self.boxed(node, "test")?,
                body: self.boxed(node, "body")?,
                orelse: self.boxed(node, "orelse")?,
                range,
                node_index,
            }),
            Kind::Dict => self.dict(node, range)?,
            Kind::Set => Expr::Set(ast::ExprSet { elts: self.exprs(node, "elts", ctx)?, range, node_index }),
            Kind::ListComp => {
                let generators = self.comprehensions(node, range)?;
                Expr::ListComp(ast::ExprListComp {
                    elt: self.boxed(node, "elt")?,
                    generators,
                    range,
                    node_index,
                })
            }
            Kind::SetComp => {
                let generators = self.comprehensions(node, range)?;
                Expr::SetComp(ast::ExprSetComp {
                    elt: self.boxed(node, "elt")?,
                    generators,
                    range,
                    node_index,
                })
            }
            Kind::GeneratorExp => {
                let (generators, parenthesized) = (self.comprehensions(node, range)?, true);
                let elt = self.boxed(node, "elt")?;
                Expr::Generator(ast::ExprGenerator { elt, generators, parenthesized, range, node_index })
            }
            Kind::DictComp => {
                let generators = self.comprehensions(node, range)?;
                let key = Some(self.boxed(node, "key")?);
                Expr::DictComp(ast::ExprDictComp {
                    key,
                    value: self.boxed(node, "value")?,
                    generators,
                    range,
                    node_index,
                })
            }
            Kind::Await => {
                Expr::Await(ast::ExprAwait { value: self.boxed(node, "value")?, range, node_index })
            }
            Kind::Yield => Expr::Yield(ast::ExprYield {
                value: self.opt_expr_field(node, "value")?.map(Box::new),
                range,
                node_index,
            }),
            Kind::YieldFrom => {
                Expr::YieldFrom(ast::ExprYieldFrom { value: self.boxed(node, "value")?, range, node_index })
            }
            Kind::Compare => self.compare(node, range)?,
            Kind::Call => {
                let keywords = self.keywords(node)?.into_iter().collect();
                let args = self.exprs(node, "args", ctx)?.into();
                let arguments = ast::Arguments { range, node_index: index(), args, keywords };
                let func = self.boxed(node, "func")?;
                Expr::Call(ast::ExprCall { range_start: range.start(), node_index, func, arguments })
            }
            Kind::FormattedValue => {
                let element = self.interpolation(node, range, false)?;
                self.f_string(vec![ast::InterpolatedStringElement::Interpolation(element)], range)
            }
            Kind::JoinedStr => self.f_string(self.elements(node, false)?, range),
            Kind::TemplateStr => {
                let elements = self.elements(node, true)?.into();
                let t =
                    ast::TString { range, node_index: index(), elements, flags: ast::TStringFlags::empty() };
                Expr::TString(ast::ExprTString { value: ast::TStringValue::single(t), range, node_index })
            }
            Kind::Interpolation => {
                return Err(self.vm.value_error("Interpolation outside of a TemplateStr".to_string()));
            }
            Kind::Constant => {
                let value = match self.field(node, "value")? {
                    Some(value) => value,
                    None => return Err(self.missing("value", "Constant")),
                };
                self.constant(&value, range)?
            }
            Kind::Slice => Expr::Slice(ast::ExprSlice {
                lower: self.opt_expr_field(node, "lower")?.map(Box::new),
                upper: self.opt_expr_field(node, "upper")?.map(Box::new),
                step: self.opt_expr_field(node, "step")?.map(Box::new),
                range,
                node_index,
            }),
            _ => return Err(self.vm.system_error("unexpected expression".to_string())),
        })
    }

    fn assignable(&self, node: &Node, ctx: ExprContext, range: TextRange) -> Res<Expr> {
        let (ctx, node_index) = (self.context(node, ctx)?, index());
        Ok(match node.kind {
            Kind::Attribute => Expr::Attribute(ast::ExprAttribute {
                value: self.boxed(node, "value")?,
                attr: self.identifier(node, "attr", range)?,
                ctx,
                range,
                node_index,
            }),
            Kind::Subscript => Expr::Subscript(ast::ExprSubscript {
                value: self.boxed(node, "value")?,
                slice: self.boxed(node, "slice")?,
                ctx,
                range,
                node_index,
            }),
            Kind::Starred => {
                let value = Box::new(self.expr(&self.required(node, "value")?, ctx)?);
                Expr::Starred(ast::ExprStarred { value, ctx, range, node_index })
            }
            Kind::Name => {
                let id = self.identifier(node, "id", range)?.id;
                Expr::Name(ast::ExprName { id, ctx, range, node_index })
            }
            Kind::List => {
                Expr::List(ast::ExprList { elts: self.exprs(node, "elts", ctx)?, ctx, range, node_index })
            }
            _ => {
                let (elts, parenthesized) = (self.exprs(node, "elts", ctx)?, true);
                Expr::Tuple(ast::ExprTuple { elts, ctx, parenthesized, range, node_index })
            }
        })
    }

    fn dict(&self, node: &Node, range: TextRange) -> Res<Expr> {
        let (keys, values) = (self.items(node, "keys")?, self.exprs(node, "values", ExprContext::Load)?);
        if keys.len() != values.len() {
            let message = "Dict doesn't have the same number of keys as values";
            return Err(self.vm.value_error(message.to_string()));
        }
        let mut items = Vec::new();
        for (key, value) in keys.into_iter().zip(values) {
            let key = Some(key).filter(|key| !key.is_none());
            let key = key.map(|key| self.expr(&key, ExprContext::Load)).transpose()?;
            items.push(ast::DictItem { key, value });
        }
        Ok(Expr::Dict(ast::ExprDict { items, range, node_index: index() }))
    }

    fn compare(&self, node: &Node, range: TextRange) -> Res<Expr> {
        let comparators = self.exprs(node, "comparators", ExprContext::Load)?;
        if comparators.is_empty() {
            return Err(self.vm.value_error("Compare has no comparators".to_string()));
        }
        let ops: Vec<ast::CmpOp> =
            self.items(node, "ops")?.iter().map(|op| self.comparison(op)).collect::<Res<_>>()?;
        if ops.len() != comparators.len() {
            let message = "Compare has a different number of comparators and operands";
            return Err(self.vm.value_error(message.to_string()));
        }
        Ok(Expr::Compare(ast::ExprCompare {
            left: self.boxed(node, "left")?,
            ops: ops.into(),
            comparators: comparators.into(),
            range,
            node_index: index(),
        }))
    }

    /// A constant of any type that code can hold.
    pub fn constant(&self, value: &Value, range: TextRange) -> Res<Expr> {
        if value.is_none() || value.is_bool() || value.is_ellipsis() {
            return Ok(literal::singleton(value, range));
        }
        if let Some(text) = value.downcast::<pellucid_object::Str>()
            && self.vm.is_exact(value, &self.vm.types().str)
        {
            let bytes = text.text.to_wtf8().map_err(|_| self.vm.no_memory())?;
            let (value, lossless) = match String::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(error) => {
                    let bytes = error.into_bytes();
                    (String::from_utf8_lossy(&bytes).into_owned(), Some(bytes))
                }
            };
            if let Some(bytes) = lossless {
                self.keep_text(range, bytes);
            }
            return Ok(literal::string(value, range));
        }
        if let Some(tuple) = value.downcast::<pellucid_object::Tuple>()
            && self.vm.is_exact(value, &self.vm.types().tuple)
        {
            return self.constant_tuple(&tuple.items(), range);
        }
        if let Some(expr) = literal::number(self.vm, value, range)? {
            return Ok(expr);
        }
        match &*self.vm.type_name(value) {
            "bytes" => Ok(literal::bytes(self.vm.expect_bytes(value)?.to_vec(), range)),
            "frozenset" => {
                let items = self.constant_tuple(&self.vm.collect(value)?, range)?;
                Ok(literal::frozenset(items, range))
            }
            got => Err(self.vm.type_error(format!("got an invalid type in Constant: {got}"))),
        }
    }

    fn constant_tuple(&self, items: &[Value], range: TextRange) -> Res<Expr> {
        let elts = self.deeper("Constant", || {
            items.iter().map(|item| self.constant(item, self.place_like(range))).collect::<Res<Vec<Expr>>>()
        })?;
        let (ctx, parenthesized) = (ExprContext::Load, true);
        Ok(Expr::Tuple(ast::ExprTuple { elts, ctx, parenthesized, range, node_index: index() }))
    }

    fn f_string(&self, elements: Vec<ast::InterpolatedStringElement>, range: TextRange) -> Expr {
        let elements = elements.into();
        let f = ast::FString { range, node_index: index(), elements, flags: ast::FStringFlags::empty() };
        Expr::FString(ast::ExprFString { value: ast::FStringValue::single(f), range, node_index: index() })
    }

    /// The parts of a `JoinedStr` or `TemplateStr`.
    fn elements(&self, node: &Node, template: bool) -> Res<Vec<ast::InterpolatedStringElement>> {
        let mut elements = Vec::new();
        for value in self.items(node, "values")? {
            if value.is_none() {
                return Err(self.vm.value_error("None disallowed in expression list".to_string()));
            }
            let part = self.node(&value, "expr")?;
            let range = self.range(&part, "expr")?;
            elements.push(match part.kind {
                Kind::FormattedValue => {
                    ast::InterpolatedStringElement::Interpolation(self.interpolation(&part, range, false)?)
                }
                Kind::Interpolation if template => {
                    ast::InterpolatedStringElement::Interpolation(self.interpolation(&part, range, true)?)
                }
                Kind::Constant => self.text_element(&part, range)?,
                _ => {
                    let expression = Box::new(self.expr(&value, ExprContext::Load)?);
                    ast::InterpolatedStringElement::Interpolation(literal::field(expression, range))
                }
            });
        }
        Ok(elements)
    }

    fn text_element(&self, part: &Node, range: TextRange) -> Res<ast::InterpolatedStringElement> {
        let value = self.required(part, "value")?;
        if value.downcast::<pellucid_object::Str>().is_none() {
            let expression = Box::new(self.constant(&value, self.place_like(range))?);
            return Ok(ast::InterpolatedStringElement::Interpolation(literal::field(expression, range)));
        }
        let Expr::StringLiteral(string) = self.constant(&value, range)? else {
            return Err(self.vm.bug("a string constant"));
        };
        Ok(ast::InterpolatedStringElement::Literal(ast::InterpolatedStringLiteralElement {
            range,
            node_index: index(),
            value: string.value.to_str().into(),
        }))
    }

    fn interpolation(&self, node: &Node, range: TextRange, template: bool) -> Res<ast::InterpolatedElement> {
        let conversion = match self.int(&self.required(node, "conversion")?)? {
            -1 => ast::ConversionFlag::None,
            115 => ast::ConversionFlag::Str,
            114 => ast::ConversionFlag::Repr,
            97 => ast::ConversionFlag::Ascii,
            other => {
                return Err(self.vm.system_error(format!("Unrecognized conversion character {other}")));
            }
        };
        if template {
            let text = self.required(node, "str")?;
            self.keep_text(range, self.vm.expect_str(&text)?.into_bytes());
        }
        let spec = self.optional(node, "format_spec")?.map(|spec| self.format_spec(&spec)).transpose()?;
        Ok(ast::InterpolatedElement {
            conversion,
            format_spec: spec.map(Box::new),
            ..literal::field(self.boxed(node, "value")?, range)
        })
    }

    fn format_spec(&self, value: &Value) -> Res<ast::InterpolatedStringFormatSpec> {
        let spec = self.node(value, "expr")?;
        let range = self.range(&spec, "expr")?;
        let elements = if spec.kind == Kind::JoinedStr {
            self.elements(&spec, false)?
        } else {
            let expression = Box::new(self.expr(value, ExprContext::Load)?);
            vec![ast::InterpolatedStringElement::Interpolation(literal::field(expression, range))]
        };
        Ok(ast::InterpolatedStringFormatSpec { range, node_index: index(), elements: elements.into() })
    }
}

fn with_default(parameter: ast::Parameter, default: Option<Box<Expr>>) -> ast::ParameterWithDefault {
    ast::ParameterWithDefault { range: parameter.range, node_index: index(), parameter, default }
}

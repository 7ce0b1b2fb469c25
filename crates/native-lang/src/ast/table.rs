//! The node classes as data: name, base and fields, as the abstract grammar of Python 3.14 has them.

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    One,
    Optional,
    Many,
}

/// A field of a node class.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    /// A node class, or `identifier`, `string`, `int`, `constant`.
    pub ty: &'static str,
    pub quantity: Quantity,
}

/// A node class.
pub struct Row {
    pub kind: Kind,
    pub name: &'static str,
    pub base: &'static str,
    /// The fields as the grammar writes them.
    pub fields: &'static str,
}

impl Row {
    /// The fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.fields.split(", ").filter_map(|field| {
            let (ty, name) = field.split_once(' ')?;
            Some(match (ty.strip_suffix('*'), ty.strip_suffix('?')) {
                (Some(ty), _) => Field { name, ty, quantity: Quantity::Many },
                (_, Some(ty)) => Field { name, ty, quantity: Quantity::Optional },
                _ => Field { name, ty, quantity: Quantity::One },
            })
        })
    }

    /// Whether nodes of the class carry their position (the class itself declares that: subclasses inherit).
    pub fn has_position(&self) -> bool {
        matches!(
            self.name,
            "stmt" | "expr" | "excepthandler" | "arg" | "keyword" | "alias" | "pattern" | "type_param"
        )
    }

    /// The constructor as the grammar writes it: `BinOp(expr left, operator op, expr right)`.
    pub fn signature(&self) -> String {
        if self.fields.is_empty() { self.name.to_string() } else { format!("{}({})", self.name, self.fields) }
    }
}

macro_rules! nodes {
    ($($kind:ident $name:literal $base:literal $fields:literal;)*) => {
        /// A node class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($kind,)* }
        /// All node classes, bases before what derives from them, in the order of [`Kind`].
        pub static ROWS: &[Row] = &[$(Row { kind: Kind::$kind, name: $name, base: $base, fields: $fields },)*];
    };
}

nodes! {
    ModBase "mod" "AST" "";
    Module "Module" "mod" "stmt* body, type_ignore* type_ignores";
    Interactive "Interactive" "mod" "stmt* body";
    Expression "Expression" "mod" "expr body";
    FunctionType "FunctionType" "mod" "expr* argtypes, expr returns";
    StmtBase "stmt" "AST" "";
    FunctionDef "FunctionDef" "stmt" "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
    AsyncFunctionDef "AsyncFunctionDef" "stmt" "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
    ClassDef "ClassDef" "stmt" "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params";
    Return "Return" "stmt" "expr? value";
    Delete "Delete" "stmt" "expr* targets";
    Assign "Assign" "stmt" "expr* targets, expr value, string? type_comment";
    TypeAlias "TypeAlias" "stmt" "expr name, type_param* type_params, expr value";
    AugAssign "AugAssign" "stmt" "expr target, operator op, expr value";
    AnnAssign "AnnAssign" "stmt" "expr target, expr annotation, expr? value, int simple";
    For "For" "stmt" "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
    AsyncFor "AsyncFor" "stmt" "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
    While "While" "stmt" "expr test, stmt* body, stmt* orelse";
    If "If" "stmt" "expr test, stmt* body, stmt* orelse";
    With "With" "stmt" "withitem* items, stmt* body, string? type_comment";
    AsyncWith "AsyncWith" "stmt" "withitem* items, stmt* body, string? type_comment";
    Match "Match" "stmt" "expr subject, match_case* cases";
    Raise "Raise" "stmt" "expr? exc, expr? cause";
    Try "Try" "stmt" "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
    TryStar "TryStar" "stmt" "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
    Assert "Assert" "stmt" "expr test, expr? msg";
    Import "Import" "stmt" "alias* names";
    ImportFrom "ImportFrom" "stmt" "identifier? module, alias* names, int? level";
    Global "Global" "stmt" "identifier* names";
    Nonlocal "Nonlocal" "stmt" "identifier* names";
    Expr "Expr" "stmt" "expr value";
    Pass "Pass" "stmt" "";
    Break "Break" "stmt" "";
    Continue "Continue" "stmt" "";
    ExprBase "expr" "AST" "";
    BoolOp "BoolOp" "expr" "boolop op, expr* values";
    NamedExpr "NamedExpr" "expr" "expr target, expr value";
    BinOp "BinOp" "expr" "expr left, operator op, expr right";
    UnaryOp "UnaryOp" "expr" "unaryop op, expr operand";
    Lambda "Lambda" "expr" "arguments args, expr body";
    IfExp "IfExp" "expr" "expr test, expr body, expr orelse";
    Dict "Dict" "expr" "expr* keys, expr* values";
    Set "Set" "expr" "expr* elts";
    ListComp "ListComp" "expr" "expr elt, comprehension* generators";
    SetComp "SetComp" "expr" "expr elt, comprehension* generators";
    DictComp "DictComp" "expr" "expr key, expr value, comprehension* generators";
    GeneratorExp "GeneratorExp" "expr" "expr elt, comprehension* generators";
    Await "Await" "expr" "expr value";
    Yield "Yield" "expr" "expr? value";
    YieldFrom "YieldFrom" "expr" "expr value";
    Compare "Compare" "expr" "expr left, cmpop* ops, expr* comparators";
    Call "Call" "expr" "expr func, expr* args, keyword* keywords";
    FormattedValue "FormattedValue" "expr" "expr value, int conversion, expr? format_spec";
    Interpolation "Interpolation" "expr" "expr value, constant str, int conversion, expr? format_spec";
    JoinedStr "JoinedStr" "expr" "expr* values";
    TemplateStr "TemplateStr" "expr" "expr* values";
    Constant "Constant" "expr" "constant value, string? kind";
    Attribute "Attribute" "expr" "expr value, identifier attr, expr_context ctx";
    Subscript "Subscript" "expr" "expr value, expr slice, expr_context ctx";
    Starred "Starred" "expr" "expr value, expr_context ctx";
    Name "Name" "expr" "identifier id, expr_context ctx";
    List "List" "expr" "expr* elts, expr_context ctx";
    Tuple "Tuple" "expr" "expr* elts, expr_context ctx";
    Slice "Slice" "expr" "expr? lower, expr? upper, expr? step";
    ExprContextBase "expr_context" "AST" "";
    Load "Load" "expr_context" "";
    Store "Store" "expr_context" "";
    Del "Del" "expr_context" "";
    BoolOpBase "boolop" "AST" "";
    And "And" "boolop" "";
    Or "Or" "boolop" "";
    OperatorBase "operator" "AST" "";
    Add "Add" "operator" "";
    Sub "Sub" "operator" "";
    Mult "Mult" "operator" "";
    MatMult "MatMult" "operator" "";
    Div "Div" "operator" "";
    Mod "Mod" "operator" "";
    Pow "Pow" "operator" "";
    LShift "LShift" "operator" "";
    RShift "RShift" "operator" "";
    BitOr "BitOr" "operator" "";
    BitXor "BitXor" "operator" "";
    BitAnd "BitAnd" "operator" "";
    FloorDiv "FloorDiv" "operator" "";
    UnaryOpBase "unaryop" "AST" "";
    Invert "Invert" "unaryop" "";
    Not "Not" "unaryop" "";
    UAdd "UAdd" "unaryop" "";
    USub "USub" "unaryop" "";
    CmpOpBase "cmpop" "AST" "";
    Eq "Eq" "cmpop" "";
    NotEq "NotEq" "cmpop" "";
    Lt "Lt" "cmpop" "";
    LtE "LtE" "cmpop" "";
    Gt "Gt" "cmpop" "";
    GtE "GtE" "cmpop" "";
    Is "Is" "cmpop" "";
    IsNot "IsNot" "cmpop" "";
    In "In" "cmpop" "";
    NotIn "NotIn" "cmpop" "";
    Comprehension "comprehension" "AST" "expr target, expr iter, expr* ifs, int is_async";
    ExceptHandlerBase "excepthandler" "AST" "";
    ExceptHandler "ExceptHandler" "excepthandler" "expr? type, identifier? name, stmt* body";
    Arguments "arguments" "AST" "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, expr* defaults";
    Arg "arg" "AST" "identifier arg, expr? annotation, string? type_comment";
    Keyword "keyword" "AST" "identifier? arg, expr value";
    Alias "alias" "AST" "identifier name, identifier? asname";
    WithItem "withitem" "AST" "expr context_expr, expr? optional_vars";
    MatchCase "match_case" "AST" "pattern pattern, expr? guard, stmt* body";
    PatternBase "pattern" "AST" "";
    MatchValue "MatchValue" "pattern" "expr value";
    MatchSingleton "MatchSingleton" "pattern" "constant value";
    MatchSequence "MatchSequence" "pattern" "pattern* patterns";
    MatchMapping "MatchMapping" "pattern" "expr* keys, pattern* patterns, identifier? rest";
    MatchClass "MatchClass" "pattern" "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns";
    MatchStar "MatchStar" "pattern" "identifier? name";
    MatchAs "MatchAs" "pattern" "pattern? pattern, identifier? name";
    MatchOr "MatchOr" "pattern" "pattern* patterns";
    TypeIgnoreBase "type_ignore" "AST" "";
    TypeIgnore "TypeIgnore" "type_ignore" "int lineno, string tag";
    TypeParamBase "type_param" "AST" "";
    TypeVar "TypeVar" "type_param" "identifier name, expr? bound, expr? default_value";
    ParamSpec "ParamSpec" "type_param" "identifier name, expr? default_value";
    TypeVarTuple "TypeVarTuple" "type_param" "identifier name, expr? default_value";
}

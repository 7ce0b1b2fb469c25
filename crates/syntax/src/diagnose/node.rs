//! Nodes: what messages say of an expression.

use super::{Id, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Name,
    Attribute,
    Subscript,
    Starred,
    List,
    Tuple,
    Lambda,
    Call,
    /// Operators.
    Operation,
    Generator,
    Yield,
    Await,
    ListComp,
    SetComp,
    DictComp,
    Dict,
    Set,
    FString,
    TString,
    NoneLiteral,
    TrueLiteral,
    FalseLiteral,
    Ellipsis,
    Bytes,
    Str,
    Literal,
    Imaginary,
    Comparison,
    /// A comparison whose first operator is `in`.
    InComparison,
    Conditional,
    Named,
    /// `name=value` in a call.
    Keyword,
    /// `**value` in a call.
    DoubleStarred,
    Slice,
    /// Arguments of a call.
    Args,
    Other,
}

impl NodeKind {
    /// The words for it in `cannot assign to ...`.
    pub(super) fn describe(self) -> &'static str {
        use NodeKind as N;
        match self {
            N::Name => "name",
            N::Attribute => "attribute",
            N::Subscript => "subscript",
            N::Starred => "starred",
            N::List => "list",
            N::Tuple => "tuple",
            N::Lambda => "lambda",
            N::Call => "function call",
            N::Operation => "expression",
            N::Generator => "generator expression",
            N::Yield => "yield expression",
            N::Await => "await expression",
            N::ListComp => "list comprehension",
            N::SetComp => "set comprehension",
            N::DictComp => "dict comprehension",
            N::Dict => "dict literal",
            N::Set => "set display",
            N::FString => "f-string expression",
            N::TString => "t-string expression",
            N::NoneLiteral => "None",
            N::TrueLiteral => "True",
            N::FalseLiteral => "False",
            N::Ellipsis => "ellipsis",
            N::Comparison | N::InComparison => "comparison",
            N::Conditional => "conditional expression",
            N::Named => "named expression",
            _ => "literal",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub place: Place,
    pub children: Vec<Id>,
}

/// What is assigned to, deleted or looped over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Targets {
    Star,
    Delete,
    For,
}

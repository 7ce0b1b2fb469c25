//! The symbol table: which scope each name belongs to.
//!
//! Two passes. [`build`] walks the tree and notes for each block the names it binds, uses and declares. The analysis
//! (`analyze.rs`) then decides for each name of each block whether it is local, a cell, free or global. The blocks,
//! flags and rules are those of CPython's symbol table, which the `_symtable` module shows.

mod analyze;
mod visit;

pub(crate) use visit::annotated_parameters;

use crate::error::Outcome;
use pellucid_syntax::Parsed;
use pellucid_syntax::text_size::TextRange;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// A name, mangled if it is a private one.
pub type Name = Rc<str>;

/// Bits of what a block does with a name.
pub mod symbol {
    /// `global`.
    pub const GLOBAL: u32 = 1;
    /// Assigned.
    pub const LOCAL: u32 = 2;
    /// A parameter.
    pub const PARAM: u32 = 4;
    /// `nonlocal`.
    pub const NONLOCAL: u32 = 8;
    /// Read.
    pub const USE: u32 = 16;
    /// Free in a method, and a name of the class too.
    pub const FREE_CLASS: u32 = 64;
    /// Bound by an import.
    pub const IMPORT: u32 = 128;
    /// Annotated.
    pub const ANNOT: u32 = 256;
    /// The variable of a comprehension.
    pub const COMP_ITER: u32 = 512;
    /// A type parameter.
    pub const TYPE_PARAM: u32 = 1024;
    /// A cell of an inlined comprehension.
    pub const COMP_CELL: u32 = 2048;
    /// All ways to be bound.
    pub const BOUND: u32 = LOCAL | PARAM | IMPORT | TYPE_PARAM;
    /// Where the [`super::Reach`] is.
    pub const SCOPE_OFFSET: u32 = 12;
    /// The bits of the [`super::Reach`], shifted down.
    pub const SCOPE_MASK: u32 = GLOBAL | LOCAL | PARAM | NONLOCAL;
}

/// Where a name of a block lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In this block.
    Local = 1,
    /// Declared to be of the module.
    GlobalExplicit = 2,
    /// Of the module, not being bound anywhere around.
    GlobalImplicit = 3,
    /// In a block around this one.
    Free = 4,
    /// In this block, and used in one inside it.
    Cell = 5,
}

impl Reach {
    fn from_bits(bits: u32) -> Option<Reach> {
        [Reach::Local, Reach::GlobalExplicit, Reach::GlobalImplicit, Reach::Free, Reach::Cell]
            .into_iter()
            .find(|&reach| reach as u32 == bits)
    }
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A function, lambda or comprehension.
    Function,
    /// A class body.
    Class,
    /// A module.
    Module,
    /// Annotations.
    Annotation,
    /// The value of a `type` statement.
    TypeAlias,
    /// The type parameters of a definition.
    TypeParameters,
    /// The bound, constraints or default of a type parameter.
    TypeVariable,
}

impl BlockKind {
    /// Whether names of the block are seen by blocks inside it.
    pub fn is_function_like(self) -> bool {
        !matches!(self, BlockKind::Class | BlockKind::Module)
    }
}

/// The kinds of comprehensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComprehensionKind {
    /// `[x for ...]`.
    List,
    /// `{x: y for ...}`.
    Dict,
    /// `{x for ...}`.
    Set,
    /// `(x for ...)`.
    Generator,
}

/// The names of a block with their flags, in the order they were met.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    list: Vec<(Name, u32)>,
    index: HashMap<Name, u32>,
}

impl Symbols {
    /// The flags of a name, 0 if the block does not have it.
    pub fn flags(&self, name: &str) -> u32 {
        self.index.get(name).and_then(|&i| self.list.get(i as usize)).map_or(0, |&(_, flags)| flags)
    }

    /// Whether the block has the name.
    pub fn contains(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    fn set(&mut self, name: &Name, flags: u32) {
        match self.index.get(name).and_then(|&i| self.list.get_mut(i as usize)) {
            Some(entry) => entry.1 = flags,
            None => {
                self.index.insert(name.clone(), self.list.len() as u32);
                self.list.push((name.clone(), flags));
            }
        }
    }

    /// The names and their flags.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, u32)> {
        self.list.iter().map(|(name, flags)| (name, *flags))
    }
}

/// The number of a block.
pub type BlockId = usize;

/// A block of code with names of its own.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: BlockKind,
    /// If it is a comprehension, which.
    pub comprehension: Option<ComprehensionKind>,
    /// Its names.
    pub symbols: Symbols,
    /// Its parameters in order.
    pub parameters: Vec<Name>,
    /// The blocks in it.
    pub children: Vec<BlockId>,
    /// Line of its definition.
    pub line: u32,
    /// It is in a function.
    pub nested: bool,
    /// It has a `yield`.
    pub generator: bool,
    /// It is asynchronous.
    pub coroutine: bool,
    /// It has `*args`.
    pub varargs: bool,
    /// It has `**kwargs`.
    pub varkeywords: bool,
    /// It returns a value.
    pub returns_value: bool,
    /// It is a class one of whose methods needs `__class__`.
    pub needs_class_closure: bool,
    /// It is a class that a block inside looks up names in.
    pub needs_classdict: bool,
    /// Some of its annotations may not be reached.
    pub has_conditional_annotations: bool,
    /// Its names may be found in the class around it.
    pub can_see_class_scope: bool,
    /// It has annotations.
    pub annotations_used: bool,
    /// It is a method of a class.
    pub method: bool,
    /// The block of its annotations.
    pub annotation_block: Option<BlockId>,
    /// For the type parameters of a class and the blocks among them, the names that are mangled.
    mangled_names: Option<Rc<RefCell<HashSet<Name>>>>,
    directives: Vec<(Name, TextRange)>,
    in_conditional: bool,
    in_unevaluated_annotation: bool,
    comp_iter_target: bool,
    comp_iter_expr: u32,
    /// What a type variable block evaluates, for errors.
    scope_info: &'static str,
}

impl Block {
    fn new(name: Name, kind: BlockKind, line: u32) -> Block {
        Block {
            name,
            kind,
            comprehension: None,
            symbols: Symbols::default(),
            parameters: Vec::new(),
            children: Vec::new(),
            line,
            nested: false,
            generator: false,
            coroutine: false,
            varargs: false,
            varkeywords: false,
            returns_value: false,
            needs_class_closure: false,
            needs_classdict: false,
            has_conditional_annotations: false,
            can_see_class_scope: false,
            annotations_used: false,
            method: false,
            annotation_block: None,
            mangled_names: None,
            directives: Vec::new(),
            in_conditional: false,
            in_unevaluated_annotation: false,
            comp_iter_target: false,
            comp_iter_expr: 0,
            scope_info: "",
        }
    }

    /// Where a name lives, if the block has it.
    pub fn reach(&self, name: &str) -> Option<Reach> {
        Reach::from_bits(self.symbols.flags(name) >> symbol::SCOPE_OFFSET & symbol::SCOPE_MASK)
    }

    /// The name as this block knows it, in the class `private`.
    pub fn mangle(&self, private: Option<&str>, name: &str) -> Name {
        match &self.mangled_names {
            Some(names) if !names.borrow().contains(name) => name.into(),
            _ => mangle(private, name),
        }
    }
}

/// Which block of a node is meant: some nodes have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The node's own.
    Body,
    /// That of its type parameters.
    TypeParameters,
    /// That of its annotations.
    Annotations,
    /// That of a type parameter's default.
    Default,
}

/// The symbol table of a program.
#[derive(Debug)]
pub struct SymbolTable {
    blocks: Vec<Block>,
    nodes: HashMap<(usize, Part), BlockId>,
}

/// What to take into account.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions {
    /// `from __future__ import annotations` is in force.
    pub future_annotations: bool,
    /// `await` is allowed in a module.
    pub top_level_await: bool,
}

impl SymbolTable {
    /// The module's block.
    pub const TOP: BlockId = 0;

    /// A block.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id]
    }

    /// A block that the code generator finds to be asynchronous.
    pub(crate) fn set_coroutine(&mut self, id: BlockId) {
        self.blocks[id].coroutine = true;
    }

    /// The block of a node.
    pub(crate) fn of_node<T>(&self, node: &T, part: Part) -> Option<BlockId> {
        self.nodes.get(&(address(node), part)).copied()
    }
}

/// What tells nodes of one tree apart.
pub(crate) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

/// A name in the class `private`: `__x` becomes `_Class__x`.
pub fn mangle(private: Option<&str>, name: &str) -> Name {
    let Some(class) = private else { return name.into() };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.into();
    }
    match class.trim_start_matches('_') {
        "" => name.into(),
        class => format!("_{class}{name}").into(),
    }
}

/// The symbol table of a tree. Errors: names that are bound in ways which contradict each other.
pub fn build(parsed: &Parsed, options: TableOptions) -> Outcome<SymbolTable> {
    let mut table = visit::walk(parsed, options)?;
    analyze::analyze(&mut table)?;
    Ok(table)
}

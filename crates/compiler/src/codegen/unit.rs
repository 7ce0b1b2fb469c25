//! What is known of a code object while it is generated.

use super::fblock::Fblock;
use crate::Options;
use crate::assemble::assemble;
use crate::error::{Failure, Outcome};
use crate::flow::{ConstTable, Graph, Instr};
use crate::fold::truth;
use crate::place::{Place, Places};
use crate::symtable::{Block, BlockId, BlockKind, Name, Reach, symbol};
use pellucid_bytecode::code::flags;
use pellucid_bytecode::{Code, Const, Op, Wtf8};
use pellucid_syntax::ErrorKind;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The kinds of code objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    /// Annotations, type parameters, and what is evaluated for them.
    Annotations,
}

/// Names, each with a number.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    list: Vec<Name>,
    index: HashMap<Name, u32>,
}

impl NameTable {
    pub(super) fn index(&mut self, name: &Name) -> u32 {
        if let Some(&index) = self.index.get(name) {
            return index;
        }
        let index = self.list.len() as u32;
        self.list.push(name.clone());
        self.index.insert(name.clone(), index);
        index
    }

    fn into_texts(self) -> Box<[Wtf8]> {
        self.list.iter().map(|name| Wtf8::from(&**name)).collect()
    }
}

/// Constants, each with a number; equal ones of one type are one.
#[derive(Debug, Default)]
pub(super) struct Consts {
    list: Vec<Const>,
    index: HashMap<Vec<u8>, u32>,
    /// Code objects by a hash of what tells most of them apart.
    codes: HashMap<u64, Vec<u32>>,
}

impl Consts {
    pub(super) fn index(&mut self, value: Const) -> u32 {
        if let Const::Code(code) = &value {
            let mut hasher = DefaultHasher::new();
            (&code.name.0, code.firstlineno, &code.code, &code.positions).hash(&mut hasher);
            let hash = hasher.finish();
            let alike = self.codes.get(&hash).map_or(&[][..], Vec::as_slice);
            if let Some(&known) = alike.iter().find(|&&known| self.list.get(known as usize) == Some(&value)) {
                return known;
            }
            let index = self.push(value);
            self.codes.entry(hash).or_default().push(index);
            return index;
        }
        let mut key = Vec::new();
        write_key(&mut key, &value);
        if let Some(&index) = self.index.get(&key) {
            return index;
        }
        let index = self.push(value);
        self.index.insert(key, index);
        index
    }

    fn push(&mut self, value: Const) -> u32 {
        self.list.push(value);
        self.list.len() as u32 - 1
    }
}

impl ConstTable for Consts {
    fn truth(&self, index: u32) -> bool {
        self.list.get(index as usize).is_some_and(truth)
    }

    fn tuple(&mut self, items: &[u32]) -> u32 {
        let items = items.iter().filter_map(|&item| self.list.get(item as usize)).cloned();
        let tuple = Const::Tuple(items.collect());
        self.index(tuple)
    }

    fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
    }
}

/// Bytes that are the same for constants that may stand for each other.
fn write_key(out: &mut Vec<u8>, value: &Const) {
    let text = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Const::None => out.push(b'N'),
        Const::True => out.push(b'T'),
        Const::False => out.push(b'F'),
        Const::Ellipsis => out.push(b'.'),
        Const::Int(n) => {
            out.push(b'i');
            out.extend(n.to_le_bytes());
        }
        Const::BigInt(n) => text(out, b'I', n.to_string().as_bytes()),
        Const::Float(f) => {
            out.push(b'f');
            out.extend(f.to_bits().to_le_bytes());
        }
        Const::Complex(re, im) => {
            out.push(b'c');
            out.extend(re.to_bits().to_le_bytes());
            out.extend(im.to_bits().to_le_bytes());
        }
        Const::Str(s) => text(out, b's', &s.0),
        Const::Bytes(b) => text(out, b'b', b),
        Const::Tuple(items) | Const::FrozenSet(items) => {
            out.push(if matches!(value, Const::Tuple(_)) { b'(' } else { b'{' });
            out.extend((items.len() as u64).to_le_bytes());
            let mut keys: Vec<Vec<u8>> = items
                .iter()
                .map(|item| {
                    let mut key = Vec::new();
                    write_key(&mut key, item);
                    key
                })
                .collect();
            if matches!(value, Const::FrozenSet(_)) {
                keys.sort();
            }
            keys.iter().for_each(|key| out.extend(key));
        }
        Const::Slice(parts) => {
            out.push(b':');
            parts.iter().for_each(|part| write_key(out, part));
        }
        Const::Code(code) => text(out, b'C', &code.code),
    }
}

/// A code object being generated.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub(super) block: BlockId,
    pub(super) kind: UnitKind,
    pub(super) name: Name,
    pub(super) qualname: String,
    pub(super) private: Option<Name>,
    pub(super) graph: Graph,
    pub(super) place: Place,
    pub(super) consts: Consts,
    pub(super) names: NameTable,
    pub(super) varnames: NameTable,
    cells: Vec<Name>,
    free: Vec<Name>,
    /// Where a name is among the cells and, if it is none, among the free variables behind them.
    cell_indices: HashMap<Name, u32>,
    free_indices: HashMap<Name, u32>,
    pub(super) argcount: u32,
    pub(super) posonlyargcount: u32,
    pub(super) kwonlyargcount: u32,
    pub(super) first_line: u32,
    pub(super) fblocks: Vec<Fblock<'a>>,
    /// How many conditional statements the code is in.
    pub(super) conditional: u32,
    /// For a class, the attributes its methods set on `self`.
    pub(super) static_attributes: BTreeSet<Name>,
    pub(super) annotations: super::annotations::Deferred<'a>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(
        block: &Block,
        id: BlockId,
        kind: UnitKind,
        name: Name,
        qualname: String,
        first: Place,
        private: Option<Name>,
    ) -> Unit<'a> {
        let with = |wanted: Reach, flag: u32| {
            let mut names: Vec<Name> = block
                .symbols
                .iter()
                .filter(|(name, flags)| block.reach(name) == Some(wanted) || flags & flag != 0)
                .map(|(name, _)| name.clone())
                .collect();
            names.sort();
            names
        };
        let mut cells = with(Reach::Cell, 0);
        if block.needs_class_closure {
            cells.push("__class__".into());
        }
        if block.needs_classdict {
            cells.push("__classdict__".into());
        }
        if block.kind == BlockKind::Class && block.has_conditional_annotations {
            cells.push("__conditional_annotations__".into());
        }
        let free = with(Reach::Free, symbol::FREE_CLASS);
        let numbered = |names: &[Name], first: usize| -> HashMap<Name, u32> {
            names
                .iter()
                .enumerate()
                .rev()
                .map(|(index, name)| (name.clone(), (first + index) as u32))
                .collect()
        };
        let (cell_indices, free_indices) = (numbered(&cells, 0), numbered(&free, cells.len()));
        let mut varnames = NameTable::default();
        block.parameters.iter().for_each(|name| {
            varnames.index(name);
        });
        Unit {
            block: id,
            kind,
            name,
            qualname,
            private,
            graph: Graph::default(),
            place: first,
            consts: Consts::default(),
            names: NameTable::default(),
            varnames,
            cells,
            free,
            cell_indices,
            free_indices,
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            first_line: u32::try_from(first.line).unwrap_or(1),
            fblocks: Vec::new(),
            conditional: 0,
            static_attributes: BTreeSet::new(),
            annotations: super::annotations::Deferred::default(),
        }
    }

    /// The argument of instructions about a cell or free variable.
    pub(super) fn cell_index(&self, name: &Name) -> Outcome<u32> {
        match self.cell_indices.get(name).or_else(|| self.free_indices.get(name)) {
            Some(index) => Ok(*index),
            None => Failure::of_kind(ErrorKind::Value, format!("no cell for '{name}' in '{}'", self.name)),
        }
    }

    /// The index of a variable of an outer scope.
    pub(super) fn free_index(&self, name: &Name) -> Outcome<u32> {
        match self.free_indices.get(name) {
            Some(index) => Ok(*index),
            None => self.cell_index(name),
        }
    }

    fn flags(&self, block: &Block, options: &Options) -> u32 {
        let mut result = 0;
        if block.kind.is_function_like() {
            result |= flags::NEWLOCALS | flags::OPTIMIZED;
            let set = |on: bool, flag: u32| if on { flag } else { 0 };
            result |= set(block.nested, flags::NESTED);
            result |= match (block.generator, block.coroutine) {
                (true, false) => flags::GENERATOR,
                (false, true) => flags::COROUTINE,
                (true, true) => flags::ASYNC_GENERATOR,
                (false, false) => 0,
            };
            result |= set(block.varargs, flags::VARARGS);
            result |= set(block.varkeywords, flags::VARKEYWORDS);
        }
        result |= options.flags;
        if options.future_annotations {
            result |= flags::FUTURE_ANNOTATIONS;
        }
        if options.top_level_await && self.kind == UnitKind::Module && block.coroutine && !block.generator {
            result |= flags::COROUTINE;
        }
        if self.cells.is_empty() && self.free.is_empty() {
            result |= flags::NOFREE;
        }
        result
    }

    /// The code object.
    pub(super) fn finish(
        mut self,
        block: &Block,
        filename: &Wtf8,
        options: &Options,
        places: &mut Places<'_>,
    ) -> Outcome<Code> {
        let flags = self.flags(block, options);
        let kind = match flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) {
            0 => None,
            flags::GENERATOR => Some(0),
            flags::COROUTINE => Some(1),
            _ => Some(2),
        };
        if let Some(arg) = kind {
            self.graph.prepend(vec![Instr { op: Op::GenStart, arg, target: None, place: Place::NONE }]);
        }
        if self.first_line == 0 {
            self.first_line = self.graph.first_line().unwrap_or(1);
        }
        self.graph.optimize(&mut self.consts, self.first_line);
        let Some(stacksize) = self.graph.stack_depth(u32::from(kind.is_some())) else {
            return Failure::of_kind(ErrorKind::Value, format!("stack underflow in '{}'", self.name));
        };
        let assembled = assemble(&self.graph, self.first_line, places);
        let mut varnames = self.varnames.into_texts();
        if self.kind == UnitKind::Annotations
            && let Some(first) = varnames.first_mut()
            && *first == Wtf8::from(".format")
        {
            *first = "format".into();
        }
        let texts = |names: Vec<Name>| names.iter().map(|name| Wtf8::from(&**name)).collect();
        Ok(Code {
            argcount: self.argcount,
            posonlyargcount: self.posonlyargcount,
            kwonlyargcount: self.kwonlyargcount,
            stacksize,
            flags,
            code: assembled.code.into(),
            consts: self.consts.list.into(),
            names: self.names.into_texts(),
            varnames,
            freevars: texts(self.free),
            cellvars: texts(self.cells),
            filename: filename.clone(),
            name: (&*self.name).into(),
            qualname: self.qualname.as_str().into(),
            firstlineno: self.first_line,
            linetable: assembled.linetable.into(),
            positions: assembled.positions.into(),
        })
    }
}

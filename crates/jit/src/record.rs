//! What is known of machine code afterwards.
//!
//! Of every piece of code are kept: how long it took, what was inlined, unrolled, moved and left out ([`Tally`], notes), each exit
//! with how often it was taken, each instruction done out of line with how often that was. The texts of the graph and the map
//! from machine code to Python code are kept only when that was asked for ([`Options::record`](crate::Options::record)).

use crate::ir::{Graph, Op, Origin, StepSite};
use pellucid_interp::code::CodeObject;
use pellucid_interp::function::Function;
use pellucid_object::native::{Builtin, MethodDescriptor};
use pellucid_object::{Interpreter, Type, Value};
use std::collections::HashMap;
use std::time::Duration;

/// How often something was done, by its name.
#[derive(Clone, Debug, Default)]
pub struct Tally(Vec<(&'static str, u32)>);

impl Tally {
    pub fn add(&mut self, what: &'static str, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None if count > 0 => self.0.push((what, count)),
            None => {}
        }
    }
    /// What was done at least once.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().copied()
    }
}

/// Bytes of machine code, and the instruction that they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: u32,
    pub end: u32,
    /// Index into [`Record::codes`] plus one; 0: the code object itself.
    pub code: u32,
    /// Index of the instruction of the private form, and how deep it is inlined.
    pub pc: u32,
    pub level: u32,
}

/// A way out of machine code.
#[derive(Clone, Debug)]
pub struct Exit {
    /// Where the interpreter goes on: the code object, when that is an inlined one, and the index of the instruction.
    pub code: Option<Value>,
    pub pc: u32,
    pub why: &'static str,
    pub taken: u64,
}

/// An instruction of the private form: the code object, when that is an inlined one, and its index.
#[derive(Clone, Debug)]
pub struct Site {
    pub code: Option<Value>,
    pub pc: u32,
}

/// See the module.
#[derive(Default)]
pub struct Record {
    /// Graphs that were built until one held.
    pub attempts: u32,
    /// Time from the first look to machine code, and Cranelift's part of it.
    pub time: Duration,
    pub lowering: Duration,
    pub tally: Tally,
    pub notes: Vec<String>,
    /// What was asked for: each pass's name and the graph behind it, in order, Cranelift's form the last.
    pub stages: Vec<(&'static str, String)>,
    /// Where machine code comes from, in its own order.
    pub map: Vec<Piece>,
    /// Instructions done out of line.
    pub steps: Vec<Site>,
    /// The code objects of inlined calls.
    pub codes: Vec<Value>,
    /// Exits of code for the same place that was replaced by this.
    pub earlier: Vec<Exit>,
}

impl Record {
    /// Notes where machine code comes from; `root` is the code object itself.
    pub(crate) fn map(&mut self, map: &[(u32, u32, Origin)], root: u64) {
        for (start, end, origin) in map {
            let code = if origin.code == root { 0 } else { self.code(origin.code) };
            self.map.push(Piece { start: *start, end: *end, code, pc: origin.pc, level: origin.level });
        }
    }

    /// Notes which instructions are done out of line.
    pub(crate) fn sites(&mut self, sites: &[StepSite], root: u64) {
        self.steps = sites
            .iter()
            .map(|site| {
                // SAFETY: the code objects of a graph are held while it is compiled.
                let code = || unsafe { Value::borrow_bits(&site.code).clone() };
                Site { code: (site.code != root).then(code), pc: site.pc }
            })
            .collect();
    }

    fn code(&mut self, bits: u64) -> u32 {
        let found = self.codes.iter().position(|code| code.bits() == bits).unwrap_or_else(|| {
            // SAFETY: the code objects of a graph are held while it is compiled.
            self.codes.push(unsafe { Value::borrow_bits(&bits).clone() });
            self.codes.len() - 1
        });
        found as u32 + 1
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        let texts = self.stages.iter().map(|(_, text)| text.len()).sum::<usize>();
        let notes = self.notes.iter().map(|note| note.len() + size_of::<String>()).sum::<usize>();
        size_of::<Record>() + texts + notes + size_of_val(&*self.map) + size_of_val(&*self.earlier)
    }
}

/// Gives addresses and versions names that are the same in every run.
pub struct Names<'a> {
    vm: &'a Interpreter,
    /// Words that are known.
    objects: HashMap<u64, String>,
    numbers: HashMap<u64, usize>,
}

impl<'a> Names<'a> {
    /// Of a graph made of the code object `root`: objects that it holds, in `keep`, have names, as have those of the code.
    pub fn new(vm: &'a Interpreter, root: &Value, keep: &[Value]) -> Names<'a> {
        let (types, machine) = (vm.types(), pellucid_interp::state::state(vm));
        let types = [&types.list, &types.tuple, &types.dict, &types.str, &types.float, &types.int];
        let types =
            types.into_iter().chain([&machine.range_iterator, &machine.function]).map(|ty| ty.value());
        let mut objects = HashMap::new();
        for value in types.chain([root]).chain(keep) {
            objects.insert(value.bits(), name(vm, value));
            let constants = value.downcast::<CodeObject>().into_iter().flat_map(|code| &code.consts);
            objects.extend(constants.map(|value| (value.bits(), name(vm, value))));
        }
        Names { vm, objects, numbers: HashMap::new() }
    }

    /// The graph as text.
    pub fn text(&mut self, graph: &Graph) -> String {
        for inst in &graph.insts {
            let Op::Word(bits) = inst.op else { continue };
            if bits & 7 != 0 {
                // SAFETY: no object.
                let value = unsafe { Value::from_bits(bits) };
                self.objects.insert(bits, name(self.vm, &value));
            }
        }
        graph.text(&mut |word| match self.objects.get(&word) {
            Some(name) => name.clone(),
            None => {
                let next = self.numbers.len();
                format!("#{}", self.numbers.entry(word).or_insert(next))
            }
        })
    }
}

/// What an object is called in a graph. Runs no Python code.
fn name(vm: &Interpreter, value: &Value) -> String {
    if let Some(n) = value.as_small_int() {
        return n.to_string();
    }
    if let Some(f) = value.as_small_float() {
        return format!("{f:?}");
    }
    let constants = [
        (Value::NONE, "None"),
        (Value::TRUE, "True"),
        (Value::FALSE, "False"),
        (Value::ELLIPSIS, "Ellipsis"),
        (Value::UNBOUND, "unbound"),
    ];
    if let Some((_, name)) = constants.iter().find(|(known, _)| known.bits() == value.bits()) {
        return (*name).to_string();
    }
    if let Some(ty) = value.downcast::<Type>() {
        return format!("<class {}>", ty.name());
    }
    if let Some(function) = value.downcast::<Function>() {
        let code = function.code.get();
        let name =
            code.as_ref().and_then(|code| code.downcast::<CodeObject>()).map(|c| vm.str_lossy(&c.qualname));
        return format!("<function {}>", name.unwrap_or_default());
    }
    if let Some(code) = value.downcast::<CodeObject>() {
        return format!("<code {}>", vm.str_lossy(&code.qualname));
    }
    let builtin = value.downcast::<Builtin>().map(|b| b.def.name);
    if let Some(name) = builtin.or_else(|| value.downcast::<MethodDescriptor>().map(|m| m.def.name)) {
        return format!("<builtin {name}>");
    }
    format!("<{}>", vm.type_name(value))
}

//! The machine-code compiler.
//!
//! The interpreter hands over code that is hot ([`pellucid_interp::hot`]). It becomes a graph of typed values ([`ir`]) by
//! way of what the interpreter saw ([`build`]), is improved ([`opt`]) and goes through Cranelift ([`lower`]) into
//! memory ([`memory`]). Whatever the code assumed and does not find leads back to the interpreter ([`exit`]).

mod build;
mod exit;
pub mod ir;
mod lower;
mod memory;
mod opt;

use build::{Builder, Lessons, Stop};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use memory::CodeMemory;
use pellucid_interp::frame::Frame;
use pellucid_interp::hot::{Compiled, Native, Place};
use pellucid_object::heap::Visitor;
use pellucid_object::layout::Layout;
use pellucid_object::{Interpreter, Value};
use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

/// How the compiler works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Turns of a loop, and calls, before code is observed; turns for which it is.
    pub loop_heat: u32,
    pub call_heat: u32,
    pub observe: u32,
    /// Writes graphs and machine code to standard error.
    pub dump: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { loop_heat: 400, call_heat: 300, observe: 12, dump: false }
    }
}

impl Options {
    /// Everything is compiled after its first turn or call: for tests.
    pub fn eager() -> Options {
        Options { loop_heat: 1, call_heat: 1, observe: 2, dump: false }
    }
}

/// What an interpreter's compiler keeps.
#[derive(Default)]
struct Compiler {
    isa: OnceCell<Option<OwnedTargetIsa>>,
    layout: OnceCell<Option<Layout>>,
    dump: Cell<bool>,
    spent: Cell<Duration>,
}

/// Machine code of a piece of Python code.
pub struct Code {
    memory: CodeMemory,
    ways: Vec<Box<exit::Way>>,
    keep: Vec<Value>,
    /// What was inlined, unrolled, moved.
    pub notes: Vec<String>,
}

impl Native for Code {
    fn trace(&self, visit: &mut Visitor) {
        self.keep.iter().for_each(&mut *visit);
        self.ways.iter().flat_map(|way| &way.frames).for_each(|frame| visit(&frame.code));
    }
    fn size(&self) -> usize {
        self.memory.bytes().len() + self.ways.len() * size_of::<exit::Way>()
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Makes an interpreter compile what is hot. Where there is no back end for the machine nothing happens.
pub fn install(vm: &Interpreter, options: Options) {
    let compiler = vm.state::<Compiler>();
    compiler.dump.set(options.dump);
    let tier = &pellucid_interp::state::state(vm).tier;
    tier.loop_heat.set(options.loop_heat);
    tier.call_heat.set(options.call_heat);
    tier.observe.set(options.observe);
    tier.compile.set(Some(compile));
}

fn back_end() -> Option<OwnedTargetIsa> {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").ok()?;
    flags.set("unwind_info", "false").ok()?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).ok()?;
    let isa = cranelift_codegen::isa::lookup(target_lexicon::Triple::host()).ok()?;
    isa.finish(settings::Flags::new(flags)).ok()
}

/// See [`pellucid_interp::hot::Compile`].
fn compile(vm: &Interpreter, frame: &Frame, place: Place) -> Option<Compiled> {
    let compiler = vm.state::<Compiler>();
    let started = Instant::now();
    let layout = (*compiler.layout.get_or_init(Layout::measure))?;
    let isa = compiler.isa.get_or_init(back_end).as_ref()?;
    let result = compile_with(vm, frame, place, layout, isa, compiler.dump.get());
    compiler.spent.set(compiler.spent.get() + started.elapsed());
    match result {
        Ok(compiled) => Some(compiled),
        Err(why) => {
            if compiler.dump.get() {
                eprintln!("not compiled: {}: {why}", vm.str_lossy(&frame.code().qualname));
            }
            None
        }
    }
}

/// How often guards may be moved out of loops in vain.
const MOST_IN_VAIN: u32 = 3;

/// Attempts to build a graph on fewer assumptions each time.
const ATTEMPTS: usize = 40;

fn compile_with(
    vm: &Interpreter,
    frame: &Frame,
    place: Place,
    layout: Layout,
    isa: &OwnedTargetIsa,
    dump: bool,
) -> Result<Compiled, String> {
    let machine = pellucid_interp::state::state(vm);
    let mut lessons = Lessons::default();
    for _ in 0..ATTEMPTS {
        let mut builder = Builder::new(vm, machine, layout, frame, place, &lessons);
        match builder.build() {
            Ok(()) => {
                let Builder { graph, keep, registers, levels, notes, .. } = builder;
                return finish(vm, frame, place, isa, dump, Built { graph, keep, registers, levels, notes });
            }
            Err(Stop::Widen(key, slot)) => *lessons.widened.entry((key, slot)).or_insert(0) += 1,
            Err(Stop::Outline(key)) => drop(lessons.outlined.insert(key)),
            Err(Stop::No(why)) => return Err(why.to_string()),
        }
    }
    Err("too many attempts".to_string())
}

struct Built {
    graph: ir::Graph,
    keep: Vec<Value>,
    registers: usize,
    levels: u32,
    notes: Vec<String>,
}

fn finish(
    vm: &Interpreter,
    frame: &Frame,
    place: Place,
    isa: &OwnedTargetIsa,
    dump: bool,
    built: Built,
) -> Result<Compiled, String> {
    let Built { mut graph, keep, registers, levels, mut notes } = built;
    let name = vm.str_lossy(&frame.code().qualname);
    if dump {
        eprintln!("--- {name} {place:?}\n{graph}");
    }
    let in_vain = match place {
        Place::Call => frame.form().calls.hoisted_in_vain.get(),
        Place::Loop(index) => frame.form().loops[index].heat.hoisted_in_vain.get(),
    };
    opt::sweep(&mut graph);
    if in_vain < MOST_IN_VAIN {
        notes.push(format!("hoisted: {}", opt::hoist(&mut graph)));
    }
    notes.push(format!("removed: {}", opt::sweep(&mut graph)));
    if dump {
        eprintln!("--- {name}, improved\n{graph}");
    }
    let target = lower::Target { vm, form: frame.form(), place, listing: dump };
    let lowered = lower::lower(&graph, &target, isa)?;
    if let Some(listing) = &lowered.listing {
        eprintln!("--- {name}, machine code\n{listing}\n{}", notes.join("\n"));
    }
    let memory = CodeMemory::new(&lowered.code).ok_or("no executable memory")?;
    // SAFETY: compiled as such a function; the code lives as long as the form, which outlives its frames.
    let entry = unsafe { memory.entry() };
    let native = Box::new(Code { memory, ways: lowered.ways, keep, notes });
    Ok(Compiled { entry, native, registers: registers as u32 + 1, levels })
}

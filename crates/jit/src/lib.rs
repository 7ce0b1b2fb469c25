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
use pellucid_interp::hot::{Compiled, Native, Outcome, Place};
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
    /// Compiles also what does not pay: for tests.
    pub eager: bool,
    /// Writes graphs and machine code to standard error.
    pub dump: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { loop_heat: 400, call_heat: 300, observe: 12, eager: false, dump: false }
    }
}

impl Options {
    /// Everything is compiled after its first turn or call: for tests.
    pub fn eager() -> Options {
        Options { loop_heat: 1, call_heat: 1, observe: 2, eager: true, dump: false }
    }
}

/// What an interpreter's compiler keeps.
#[derive(Default)]
struct Compiler {
    isa: OnceCell<Option<OwnedTargetIsa>>,
    layout: OnceCell<Option<Layout>>,
    dump: Cell<bool>,
    /// Whether it pays does not matter.
    eager: Cell<bool>,
    installed: Cell<Option<Instant>>,
    spent: Cell<Duration>,
}

/// Machine code of a piece of Python code.
pub struct Code {
    /// Where the code stands: entries point there.
    _memory: CodeMemory,
    ways: exit::Pinned<exit::Way>,
    pushes: exit::Pinned<exit::Push>,
    keep: Vec<Value>,
    /// What was inlined, unrolled, moved.
    pub notes: Vec<String>,
}

impl Native for Code {
    fn trace(&self, visit: &mut Visitor) {
        self.keep.iter().for_each(&mut *visit);
        self.ways.iter().flat_map(|way| &way.frames).for_each(|frame| visit(&frame.code));
        self.pushes.iter().for_each(|push| visit(&push.code));
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Makes an interpreter compile what is hot. Where there is no back end for the machine nothing happens.
pub fn install(vm: &Interpreter, options: Options) {
    let compiler = vm.state::<Compiler>();
    compiler.dump.set(options.dump);
    compiler.eager.set(options.eager);
    compiler.installed.set(Some(Instant::now()));
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
fn compile(vm: &Interpreter, frame: &Frame, place: Place) -> Outcome {
    let compiler = vm.state::<Compiler>();
    let started = Instant::now();
    let installed = compiler.installed.get().unwrap_or(started);
    let allowed = SPENT_AT_START + started.duration_since(installed) / SHARE;
    if compiler.spent.get() > allowed && !compiler.eager.get() {
        return Outcome::Later;
    }
    let Some(layout) = *compiler.layout.get_or_init(Layout::measure) else { return Outcome::Never };
    let Some(isa) = compiler.isa.get_or_init(back_end) else { return Outcome::Never };
    let result = compile_with(vm, frame, place, layout, isa, compiler.dump.get(), compiler.eager.get());
    compiler.spent.set(compiler.spent.get() + started.elapsed());
    match result {
        Ok(compiled) => Outcome::Compiled(compiled),
        Err(why) => {
            if compiler.dump.get() {
                eprintln!("not compiled: {}: {why}", vm.str_lossy(&frame.code().qualname));
            }
            Outcome::Never
        }
    }
}

/// Code of which more than one instruction of so many is done out of line does not pay.
const OUT_OF_LINE: u64 = 4;

/// How often guards may be moved out of loops in vain.
const MOST_IN_VAIN: u32 = 3;

/// Compiling may take this long, and one part of so many of the time that went by since the start.
const SPENT_AT_START: Duration = Duration::from_millis(25);
const SHARE: u32 = 5;
/// Most instructions that are built in vain for one piece of code.
const IN_VAIN: usize = 40_000;

/// Attempts to build a graph on fewer assumptions each time.
const ATTEMPTS: usize = 100;

fn compile_with(
    vm: &Interpreter,
    frame: &Frame,
    place: Place,
    layout: Layout,
    isa: &OwnedTargetIsa,
    dump: bool,
    eager: bool,
) -> Result<Compiled, String> {
    let machine = pellucid_interp::state::state(vm);
    let mut lessons = Lessons::default();
    let mut built = 0;
    for _ in 0..ATTEMPTS {
        let mut builder = Builder::new(vm, machine, layout, frame, place, &lessons);
        let result = builder.build();
        built += builder.graph.insts.len();
        let in_vain = std::mem::take(&mut builder.in_vain);
        if !in_vain.is_empty() {
            if dump {
                eprintln!("again: {in_vain:?}");
            }
            if built > IN_VAIN {
                return Err("too many attempts".to_string());
            }
            lessons.learn(in_vain);
            continue;
        }
        match result {
            Ok(()) if !eager && builder.ran_out_of_line * OUT_OF_LINE > builder.ran => {
                let counts = format!("{} of {} out of line", builder.ran_out_of_line, builder.ran);
                let notes = if dump { builder.notes.join("\n") } else { String::new() };
                return Err(format!("{counts}\n{notes}"));
            }
            Ok(()) => {
                let Builder { graph, keep, registers, levels, notes, .. } = builder;
                return finish(vm, frame, place, isa, dump, Built { graph, keep, registers, levels, notes });
            }
            Err(Stop::No(why)) => return Err(format!("{why} {}", builder.trouble)),
            Err(stop) => return Err(format!("{stop:?}")),
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
        notes.push(format!("shared bounds: {}", opt::share_bounds(&mut graph)));
    }
    notes.push(format!("relaxed: {}", opt::relax_sums(&mut graph)));
    opt::quicken_polls(&mut graph);
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
    let native = Box::new(Code { _memory: memory, ways: lowered.ways, pushes: lowered.pushes, keep, notes });
    Ok(Compiled { entry, native, registers: registers as u32 + 1, levels })
}

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
pub mod record;

use build::{Builder, Lessons, Stop};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use memory::CodeMemory;
use pellucid_interp::form::Form;
use pellucid_interp::frame::Frame;
use pellucid_interp::hot::{Compiled, Entry, Native, Outcome, Outside, Place};
use pellucid_object::heap::Visitor;
use pellucid_object::layout::Layout;
use pellucid_object::{Interpreter, Value};
use record::{Names, Record};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
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
    /// Keeps graphs, and where machine code comes from: see [`record::Record`].
    pub record: bool,
    /// How often each guard takes its exit, though it holds, before it looks: for tests.
    pub fail: u32,
    /// The most bytes of machine code and what belongs to it.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            loop_heat: 1000,
            call_heat: 1000,
            observe: 12,
            eager: false,
            dump: false,
            record: false,
            fail: 0,
            memory: MEMORY,
        }
    }
}

impl Options {
    /// Everything is compiled after its first turn or call: for tests.
    pub fn eager() -> Options {
        Options { loop_heat: 1, call_heat: 1, observe: 2, eager: true, ..Options::default() }
    }
}

/// What an interpreter's compiler keeps.
#[derive(Default)]
struct Compiler {
    isa: OnceCell<Option<OwnedTargetIsa>>,
    layout: OnceCell<Option<Layout>>,
    /// `None`: nothing is compiled.
    options: Cell<Option<Options>>,
    /// When it was asked for the first time.
    since: Cell<Option<Instant>>,
    spent: Cell<Duration>,
    /// Pieces of code that were made, and bytes that are in use.
    made: Cell<u64>,
    used: Rc<Cell<usize>>,
}

/// What machine code costs an interpreter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub spent: Duration,
    pub made: u64,
    pub memory: usize,
}

/// See [`Usage`].
pub fn usage(vm: &Interpreter) -> Usage {
    let compiler = vm.state::<Compiler>();
    Usage { spent: compiler.spent.get(), made: compiler.made.get(), memory: compiler.used.get() }
}

/// How the interpreter's compiler works; `None`: there is none.
pub fn options(vm: &Interpreter) -> Option<Options> {
    vm.state::<Compiler>().options.get()
}

/// Has it work in another way from now on. Code that was counted already goes on counting.
pub fn set_options(vm: &Interpreter, options: Options) {
    vm.state::<Compiler>().options.set(Some(options));
    let tier = &pellucid_interp::state::state(vm).tier;
    tier.loop_heat.set(options.loop_heat);
    tier.call_heat.set(options.call_heat);
    tier.observe.set(options.observe);
}

/// Machine code of a piece of Python code.
pub struct Code {
    /// Where the code stands: entries point there.
    memory: CodeMemory,
    place: Place,
    ways: exit::Pinned<exit::Way>,
    pushes: exit::Pinned<exit::Push>,
    outside: exit::Pinned<Outside>,
    /// Machine code counts here.
    _fails: exit::Pinned<Cell<u32>>,
    keep: Vec<Value>,
    pub record: Record,
    size: usize,
    used: Rc<Cell<usize>>,
}

impl Code {
    pub fn place(&self) -> Place {
        self.place
    }
    /// The machine code, and the address at which it stands.
    pub fn bytes(&self) -> (&[u8], u64) {
        (self.memory.bytes(), self.memory.bytes().as_ptr() as u64)
    }
    /// Bytes of memory that it takes with all that belongs to it.
    pub fn size(&self) -> usize {
        self.size
    }
    /// All exits, those of code that this replaced first.
    pub fn exits(&self) -> impl Iterator<Item = record::Exit> {
        let own = self.ways.iter().filter(|way| way.pc != u32::MAX).map(|way| record::Exit {
            code: way.frames.last().map(|frame| frame.code.clone()),
            pc: way.pc,
            why: way.why,
            taken: way.total.get(),
        });
        self.record.earlier.iter().cloned().chain(own)
    }
    /// Instructions done out of line, with how often that was.
    pub fn outside(&self) -> impl Iterator<Item = (&record::Site, u64)> {
        self.record.steps.iter().zip(&self.outside).map(|(site, outside)| (site, outside.done.get()))
    }
    /// What machine code has the address of.
    pub fn symbol(&self, address: u64) -> Option<String> {
        let is = |at: *const u8| at as u64 == address;
        if let Some(at) = self.ways.iter().position(|way| is((&raw const **way).cast())) {
            return Some(format!("exit {at}: {}", self.ways[at].why));
        }
        let outside = self.outside.iter().position(|outside| is((&raw const **outside).cast()));
        if let Some(at) = outside {
            return Some(format!("out of line {at}"));
        }
        exit::HELPERS.iter().find(|(_, at)| *at as u64 == address).map(|(name, _)| (*name).to_string())
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.used.set(self.used.get().saturating_sub(self.size));
    }
}

impl Native for Code {
    fn trace(&self, visit: &mut Visitor) {
        self.keep.iter().for_each(&mut *visit);
        self.ways.iter().flat_map(|way| &way.frames).for_each(|frame| visit(&frame.code));
        self.pushes.iter().for_each(|push| visit(&push.code));
        self.record.codes.iter().for_each(&mut *visit);
        self.record.steps.iter().filter_map(|site| site.code.as_ref()).for_each(&mut *visit);
        self.record.earlier.iter().filter_map(|exit| exit.code.as_ref()).for_each(visit);
    }
    fn entry(&self) -> Entry {
        // SAFETY: compiled as such a function; who calls it holds the code.
        unsafe { self.memory.entry() }
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Makes an interpreter compile what is hot. Where there is no back end for the machine nothing happens.
pub fn install(vm: &Interpreter, options: Options) {
    let compiler = vm.state::<Compiler>();
    compiler.since.set(None);
    set_options(vm, options);
    let tier = &pellucid_interp::state::state(vm).tier;
    tier.allows.set(Some(allows));
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

/// Whether as much time may go into compiling as has gone by since something was hot for the first time.
fn allows(vm: &Interpreter) -> bool {
    let compiler = vm.state::<Compiler>();
    let now = Instant::now();
    let since = compiler.since.get().unwrap_or_else(|| {
        compiler.since.set(Some(now));
        now
    });
    let allowed = SPENT_AT_START + now.duration_since(since) / SHARE;
    compiler.spent.get() <= allowed || compiler.options.get().unwrap_or_default().eager
}

/// See [`pellucid_interp::hot::Compile`].
fn compile(vm: &Interpreter, frame: &Frame, place: Place) -> Outcome {
    let compiler = vm.state::<Compiler>();
    let started = Instant::now();
    let options = compiler.options.get().unwrap_or_default();
    if !allows(vm) {
        return Outcome::Later("enough time went into compiling for now");
    }
    if compiler.used.get() >= options.memory {
        return Outcome::Later("the memory for machine code is full");
    }
    let none = || Outcome::Never("there is no compiler for this machine".to_string());
    let Some(layout) = *compiler.layout.get_or_init(Layout::measure) else { return none() };
    let Some(isa) = compiler.isa.get_or_init(back_end) else { return none() };
    let job = Job { vm, frame, place, layout, isa, options, started, used: &compiler.used };
    let result = compile_with(&job);
    compiler.spent.set(compiler.spent.get() + started.elapsed());
    match result {
        Ok(compiled) => {
            compiler.made.set(compiler.made.get() + 1);
            Outcome::Compiled(compiled)
        }
        Err(why) => {
            if options.dump {
                eprintln!("not compiled: {}: {why}", vm.str_lossy(&frame.code().qualname));
            }
            Outcome::Never(why)
        }
    }
}

/// What is to be compiled, and how.
struct Job<'a> {
    vm: &'a Interpreter,
    frame: &'a Frame,
    place: Place,
    layout: Layout,
    isa: &'a OwnedTargetIsa,
    options: Options,
    started: Instant,
    used: &'a Rc<Cell<usize>>,
}

/// Code of which more than one instruction of so many is done out of line does not pay.
const OUT_OF_LINE: u64 = 4;

/// How often guards may be moved out of loops in vain.
const MOST_IN_VAIN: u32 = 3;

/// The most bytes of machine code and its metadata unless told otherwise.
const MEMORY: usize = 64 << 20;

/// Compiling may take this long, and one part of so many of the time that went by since something was hot for the first time:
/// a program that is done soon is not to wait for machine code that it has no use for.
const SPENT_AT_START: Duration = Duration::from_millis(2);
const SHARE: u32 = 4;
/// Most instructions that are built in vain for one piece of code.
const IN_VAIN: usize = 40_000;

/// Attempts to build a graph on fewer assumptions each time.
const ATTEMPTS: usize = 100;

fn compile_with(job: &Job) -> Result<Compiled, String> {
    let Job { vm, frame, place, layout, options, .. } = *job;
    let machine = pellucid_interp::state::state(vm);
    let mut lessons = Lessons::default();
    let mut built = 0;
    for attempt in 1..=ATTEMPTS {
        let mut builder = Builder::new(vm, machine, layout, frame, place, &lessons);
        let result = builder.build();
        built += builder.graph.insts.len();
        let in_vain = std::mem::take(&mut builder.in_vain);
        if !in_vain.is_empty() {
            if options.dump {
                eprintln!("again: {in_vain:?}");
            }
            if built > IN_VAIN {
                return Err("too many attempts".to_string());
            }
            lessons.learn(in_vain);
            continue;
        }
        match result {
            Ok(()) if !options.eager && builder.ran_out_of_line * OUT_OF_LINE > builder.ran => {
                let counts = format!("{} of {} out of line", builder.ran_out_of_line, builder.ran);
                let notes = if options.dump { builder.notes.join("\n") } else { String::new() };
                return Err(format!("{counts}\n{notes}").trim_end().to_string());
            }
            Ok(()) => {
                let Builder { graph, keep, registers, levels, notes, .. } = builder;
                let record = Record { attempts: attempt as u32, notes, ..Record::default() };
                return finish(job, Built { graph, keep, registers, levels, record });
            }
            Err(Stop::No(why)) => return Err(format!("{why} {}", builder.trouble).trim_end().to_string()),
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
    record: Record,
}

/// What is done to a graph, in this order.
type Pass = fn(&mut ir::Graph);
const PASSES: &[(&str, Pass)] = &[
    ("swept", opt::sweep),
    ("hoisted", opt::hoist),
    ("bounds shared", opt::share_bounds),
    ("sums relaxed", opt::relax_sums),
    ("polls quickened", opt::quicken_polls),
    ("improved", opt::sweep),
];
/// Passes that move guards out of loops: what they assume may turn out to hold too rarely.
const SPECULATIVE: &[&str] = &["hoisted", "bounds shared"];

fn improve(job: &Job, graph: &mut ir::Graph, record: &mut Record, names: &mut Option<Names>) {
    let form = job.frame.form();
    let in_vain = match job.place {
        Place::Call => form.calls.hoisted_in_vain.get(),
        Place::Loop(index) => form.loops[index].heat.hoisted_in_vain.get(),
    };
    let mut keep = |name, graph: &ir::Graph| {
        if let Some(names) = names {
            record.stages.push((name, names.text(graph)));
        }
    };
    keep("built", graph);
    for (name, pass) in PASSES {
        if in_vain < MOST_IN_VAIN || !SPECULATIVE.contains(name) {
            pass(graph);
            keep(name, graph);
        }
    }
    graph.count_floats();
    record.tally = std::mem::take(&mut graph.tally);
}

fn finish(job: &Job, built: Built) -> Result<Compiled, String> {
    let Built { mut graph, keep, registers, levels, mut record } = built;
    let Job { vm, frame, place, options, .. } = *job;
    let wanted = options.dump || options.record;
    improve(job, &mut graph, &mut record, &mut wanted.then(|| Names::new(vm, &frame.code, &keep)));
    let name = vm.str_lossy(&frame.code().qualname);
    if options.dump {
        let shown = record.stages.iter().filter(|(stage, _)| ["built", "improved"].contains(stage));
        shown.for_each(|(stage, text)| eprintln!("--- {name} {place:?}, {stage}\n{text}"));
    }
    let lowering = Instant::now();
    let target = lower::Target {
        vm,
        form: frame.form(),
        place,
        listing: options.dump,
        record: options.record,
        fail: options.fail,
    };
    let lowered = lower::lower(&graph, &target, job.isa)?;
    if let Some(listing) = &lowered.listing {
        let tally: Vec<String> =
            record.tally.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        eprintln!("--- {name}, machine code\n{listing}\n{}\n{}", record.notes.join("\n"), tally.join("\n"));
    }
    record.map(&lowered.map, frame.code.bits());
    record.sites(&lowered.sites, frame.code.bits());
    record.stages.extend(lowered.text.map(|text| ("cranelift", text)));
    if !options.record {
        record.stages = Vec::new();
    }
    record.earlier = earlier(frame.form(), place);
    let memory = CodeMemory::new(&lowered.code).ok_or("no executable memory")?;
    record.lowering = lowering.elapsed();
    record.time = job.started.elapsed();
    let lower::Lowered { ways, pushes, outside, fails, .. } = lowered;
    let size = memory.size()
        + ways.iter().map(|way| way.size()).sum::<usize>()
        + pushes.len() * size_of::<exit::Push>()
        + outside.len() * size_of::<Outside>()
        + keep.len() * size_of::<Value>()
        + record.size();
    job.used.set(job.used.get() + size);
    let used = job.used.clone();
    let code = Code { memory, place, ways, pushes, outside, _fails: fails, keep, record, size, used };
    let native = Box::new(code);
    Ok(Compiled { entry: native.entry(), native, registers: registers as u32 + 1, levels })
}

/// What is known of the exits of code for the same place that is there now. Those that were never taken tell nothing.
fn earlier(form: &Form, place: Place) -> Vec<record::Exit> {
    let natives = form.natives.borrow();
    let codes = natives.iter().filter_map(|native| native.as_any().downcast_ref::<Code>());
    let last = codes.rev().find(|code| code.place == place);
    last.map(|code| code.exits().filter(|exit| exit.taken > 0).collect()).unwrap_or_default()
}

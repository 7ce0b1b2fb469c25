//! `_lsprof`: where time goes, call by call. The machine of `cProfile`.
//!
//! A profiler is a tool of `sys.monitoring`. Each call under way is a [`Context`]; when it ends, its time goes to the entry of what
//! was called and, per caller, to a sub-entry. Nothing is borrowed while a timer written in Python runs.

use pellucid_host::Clock;
use pellucid_interp::instrument::{self, events, monitoring};
use pellucid_object::native::{Builtin, MethodDescriptor, Module};
use pellucid_object::{
    Args, CallArgs, FunctionDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, Visitor, constant, payload,
};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The tool that profilers are.
const TOOL: u8 = 2;

/// Times and counts of something called, or of something called by one caller.
#[derive(Default, Clone, Copy)]
struct Times {
    total: f64,
    inline: f64,
    calls: u64,
    recursive_calls: u64,
    /// Calls under way.
    level: u32,
}

impl Times {
    fn end(&mut self, total: f64, inline: f64) {
        self.level = self.level.saturating_sub(1);
        if self.level == 0 {
            self.total += total;
        } else {
            self.recursive_calls += 1;
        }
        self.inline += inline;
        self.calls += 1;
    }
}

/// Something called: a code object, or the name of a builtin function.
struct Entry {
    what: Value,
    times: Times,
    /// By what it called: index of the entry.
    called: Vec<(usize, Times)>,
}

impl Entry {
    fn called(&mut self, callee: usize) -> &mut Times {
        let at = match self.called.iter().position(|(index, _)| *index == callee) {
            Some(at) => at,
            None => {
                self.called.push((callee, Times::default()));
                self.called.len() - 1
            }
        };
        &mut self.called[at].1
    }
}

/// A call under way.
struct Context {
    entry: usize,
    began: f64,
    /// Time spent in calls made by it.
    below: f64,
}

#[derive(Default)]
struct Table {
    /// Entries by the address of their code or definition.
    index: HashMap<u64, usize>,
    entries: Vec<Entry>,
    contexts: Vec<Context>,
}

/// Payload of `Profiler`.
#[derive(Default)]
struct Profiler {
    table: RefCell<Table>,
    timer: SlotWord,
    unit: Cell<f64>,
    subcalls: Cell<bool>,
    builtins: Cell<bool>,
    enabled: Cell<bool>,
    /// The timer is running.
    timing: Cell<bool>,
}

impl Payload for Profiler {
    fn trace(&self, visit: &mut Visitor) {
        self.timer.trace(visit);
        self.table.borrow().entries.iter().for_each(|entry| visit(&entry.what));
    }
    fn clear(&self) {
        self.timer.set(None);
        let old = self.table.take();
        drop(old);
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Profiler> {
    value.downcast::<Profiler>().ok_or_else(|| vm.type_error("a Profiler was expected".to_string()))
}

impl Profiler {
    /// The time now, in units of the timer. What a timer in Python raises is reported and counts as 0.
    fn now(&self, vm: &Interpreter) -> f64 {
        let Some(timer) = self.timer.get() else {
            return vm.host().clock(Clock::Monotonic).map_or(0.0, |nanoseconds| nanoseconds as f64);
        };
        self.timing.set(true);
        let time = vm.call_values(&timer, &[]).and_then(|value| {
            if self.unit.get() == 0.0 {
                return pellucid_types::number::to_f64(vm, &value);
            }
            vm.expect_i64(&value).map(|ticks| ticks as f64)
        });
        self.timing.set(false);
        match time {
            Ok(time) => time,
            Err(raised) => {
                vm.unraisable(raised, "Exception ignored in profiler timer", &timer);
                0.0
            }
        }
    }

    /// What a unit of the timer is in seconds.
    fn factor(&self) -> f64 {
        match (self.timer.is_set(), self.unit.get()) {
            (false, _) => 1e-9,
            (true, 0.0) => 1.0,
            (true, unit) => unit,
        }
    }

    fn enter(&self, vm: &Interpreter, key: u64, what: impl FnOnce() -> Res) -> Res<()> {
        let known = self.table.borrow().index.get(&key).copied();
        let entry = match known {
            Some(entry) => entry,
            None => {
                let what = what()?;
                let mut table = self.table.borrow_mut();
                let entry = table.entries.len();
                table.entries.push(Entry { what, times: Times::default(), called: Vec::new() });
                table.index.insert(key, entry);
                entry
            }
        };
        let mut table = self.table.borrow_mut();
        table.entries[entry].times.level += 1;
        if self.subcalls.get()
            && let Some(caller) = table.contexts.last().map(|context| context.entry)
        {
            table.entries[caller].called(entry).level += 1;
        }
        table.contexts.push(Context { entry, began: 0.0, below: 0.0 });
        drop(table);
        let now = self.now(vm);
        if let Some(context) = self.table.borrow_mut().contexts.last_mut() {
            context.began = now;
        }
        Ok(())
    }

    /// The innermost call ends, if it is to `key` or there is no telling.
    fn leave(&self, vm: &Interpreter, key: Option<u64>) {
        if self.table.borrow().contexts.is_empty() {
            return;
        }
        let now = self.now(vm);
        let mut table = self.table.borrow_mut();
        let known = key.is_none_or(|key| table.index.contains_key(&key));
        let Some(Context { entry, began, below }) = table.contexts.pop() else { return };
        if !known {
            return;
        }
        let total = now - began;
        let inline = total - below;
        let caller = table.contexts.last_mut().map(|context| {
            context.below += total;
            context.entry
        });
        table.entries[entry].times.end(total, inline);
        if self.subcalls.get()
            && let Some(caller) = caller
        {
            table.entries[caller].called(entry).end(total, inline);
        }
    }
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    let profiler = Profiler::default();
    profiler.subcalls.set(true);
    profiler.builtins.set(true);
    vm.alloc_subclass(cls, profiler)
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let profiler = this(vm, value)?;
    const NAMES: [&str; 4] = ["timer", "timeunit", "subcalls", "builtins"];
    let mut given: [Option<&Value>; 4] = [None; 4];
    if call.positional().len() > 4 {
        let got = call.values.len();
        return Err(vm.type_error(format!("Profiler() takes at most 4 arguments ({got} given)")));
    }
    for (place, value) in given.iter_mut().zip(call.positional()) {
        *place = Some(value);
    }
    for (name, value) in call.keywords() {
        let name = vm.str_lossy(name);
        match NAMES.iter().position(|known| *known == name) {
            Some(index) if given[index].is_none() => given[index] = Some(value),
            Some(index) => {
                let at = index + 1;
                return Err(vm.type_error(format!(
                    "argument for Profiler() given by name ('{name}') and position ({at})"
                )));
            }
            None => {
                return Err(vm.type_error(format!("Profiler() got an unexpected keyword argument '{name}'")));
            }
        }
    }
    profiler.timer.set(given[0].filter(|timer| !timer.is_none()).cloned());
    let unit = given[1].map_or(Ok(0.0), |unit| pellucid_types::number::to_f64(vm, unit))?;
    profiler.unit.set(unit);
    profiler.subcalls.set(given[2].map_or(Ok(true), |v| vm.truthy(v))?);
    profiler.builtins.set(given[3].map_or(Ok(true), |v| vm.truthy(v))?);
    Ok(())
}

/// The callbacks: event and method.
const CALLBACKS: [(u8, &str); 9] = [
    (events::PY_START, "_pystart_callback"),
    (events::PY_RESUME, "_pystart_callback"),
    (events::PY_THROW, "_pystart_callback"),
    (events::PY_RETURN, "_pyreturn_callback"),
    (events::PY_YIELD, "_pyreturn_callback"),
    (events::PY_UNWIND, "_pyreturn_callback"),
    (events::CALL, "_ccall_callback"),
    (events::C_RETURN, "_creturn_callback"),
    (events::C_RAISE, "_creturn_callback"),
];

fn enable(vm: &Interpreter, args: &Args) -> Res {
    let value = args.req(0);
    let profiler = this(vm, value)?;
    profiler.subcalls.set(args.bool_or(vm, 1, true)?);
    profiler.builtins.set(args.bool_or(vm, 2, true)?);
    if profiler.enabled.get() {
        return Ok(Value::NONE);
    }
    if !monitoring::claim(vm, TOOL, "cProfile")? {
        return Err(vm.value_error("Another profiling tool is already active".to_string()));
    }
    profiler.enabled.set(true);
    let mut set = 0;
    for (event, method) in CALLBACKS {
        let callback = vm.get_attr_str(value, method)?;
        drop(instrument::set_callback(vm, TOOL, event, Some(callback)));
        if event < events::UNGROUPED {
            set |= events::bit(event);
        }
    }
    instrument::set_global_events(vm, TOOL, set)?;
    Ok(Value::NONE)
}

fn stop(vm: &Interpreter, profiler: &Profiler) -> Res<()> {
    if profiler.timing.get() {
        return Err(vm.runtime_error("cannot disable profiler in external timer".to_string()));
    }
    if profiler.enabled.replace(false) {
        monitoring::release(vm, TOOL)?;
    }
    while !profiler.table.borrow().contexts.is_empty() {
        profiler.leave(vm, None);
    }
    Ok(())
}

fn disable(vm: &Interpreter, value: &Value) -> Res {
    stop(vm, this(vm, value)?)?;
    Ok(Value::NONE)
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    let profiler = this(vm, value)?;
    if profiler.timing.get() {
        return Err(vm.runtime_error("cannot clear profiler in external timer".to_string()));
    }
    let old = profiler.table.take();
    drop(old);
    Ok(Value::NONE)
}

static ENTRY: StructSeqDef = StructSeqDef {
    ty: constructible("profiler_entry", "_lsprof", ""),
    fields: &[
        ("code", "code object or built-in function name"),
        ("callcount", "how many times this was called"),
        ("reccallcount", "how many times called recursively"),
        ("totaltime", "total time in this entry"),
        ("inlinetime", "inline time in this entry (not in subcalls)"),
        ("calls", "details of the calls"),
    ],
    visible: 6,
};

static SUBENTRY: StructSeqDef = StructSeqDef {
    ty: constructible("profiler_subentry", "_lsprof", ""),
    fields: &[
        ("code", "called code object or built-in function name"),
        ("callcount", "how many times this is called"),
        ("reccallcount", "how many times this is called recursively"),
        ("totaltime", "total time spent in this call"),
        ("inlinetime", "inline time (not in further subcalls)"),
    ],
    visible: 5,
};

fn getstats(vm: &Interpreter, value: &Value) -> Res {
    let profiler = this(vm, value)?;
    let factor = profiler.factor();
    let rows = {
        let table = profiler.table.borrow();
        let what = |index: usize| table.entries[index].what.clone();
        let called = |entry: &Entry| -> Vec<(Value, Times)> {
            entry.called.iter().map(|(index, times)| (what(*index), *times)).collect()
        };
        table.entries.iter().map(|e| (e.what.clone(), e.times, called(e))).collect::<Vec<_>>()
    };
    let fields = |what: Value, times: Times| -> Res<Vec<Value>> {
        Ok(vec![
            what,
            vm.new_int(times.calls as i64)?,
            vm.new_int(times.recursive_calls as i64)?,
            vm.new_float(times.total * factor)?,
            vm.new_float(times.inline * factor)?,
        ])
    };
    let mut stats = Vec::new();
    for (what, times, called) in rows.into_iter().filter(|(_, times, _)| times.calls > 0) {
        let mut subs = Vec::new();
        let some = !called.is_empty();
        for (what, times) in called.into_iter().filter(|(_, times)| times.calls > 0) {
            subs.push(new_structseq(vm, &SUBENTRY, fields(what, times)?)?);
        }
        let mut row = fields(what, times)?;
        row.push(if some { vm.new_list(subs)? } else { Value::NONE });
        stats.push(new_structseq(vm, &ENTRY, row)?);
    }
    vm.new_list(stats)
}

fn py_start(vm: &Interpreter, args: &CallArgs) -> Res {
    if let [this_value, code, ..] = args.values {
        this(vm, this_value)?.enter(vm, code.bits(), || Ok(code.clone()))?;
    }
    Ok(Value::NONE)
}

fn py_return(vm: &Interpreter, args: &CallArgs) -> Res {
    if let [this_value, code, ..] = args.values {
        this(vm, this_value)?.leave(vm, Some(code.bits()));
    }
    Ok(Value::NONE)
}

/// The builtin function that is called, methods of types being bound; `None` for anything else.
fn c_function(vm: &Interpreter, callee: &Value, first: &Value) -> Res<Option<Value>> {
    if callee.downcast::<Builtin>().is_some() {
        return Ok(Some(callee.clone()));
    }
    if callee.downcast::<MethodDescriptor>().is_none() || monitoring::is_missing(vm, first) {
        return Ok(None);
    }
    let bound = vm.bind_descriptor(callee, first, vm.type_of(first).value())?;
    Ok(bound.downcast::<Builtin>().is_some().then_some(bound))
}

fn key(function: &Value) -> u64 {
    function.downcast::<Builtin>().map_or(0, |builtin| std::ptr::from_ref(builtin.def) as u64)
}

/// What statistics call a builtin function.
fn builtin_name(vm: &Interpreter, function: &Value) -> Res {
    let Some(builtin) = function.downcast::<Builtin>() else { return Ok(function.clone()) };
    let name = builtin.def.name;
    if let Some(owner) = builtin.this.get()
        && owner.downcast::<Module>().is_none()
        && let Some(found) = vm.type_of(&owner).lookup(vm, &vm.intern(name)?)
    {
        return vm.repr(&found);
    }
    let module = builtin.module.get().filter(|module| !module.is_none());
    match module.map(|module| vm.str_lossy(&module)) {
        Some(module) => vm.new_str(&format!("<built-in method {module}.{name}>")),
        None => vm.new_str(&format!("<built-in method {name}>")),
    }
}

fn c_call(vm: &Interpreter, args: &CallArgs) -> Res {
    let [value, _, _, callee, first] = args.values else { return Ok(Value::NONE) };
    let profiler = this(vm, value)?;
    if profiler.builtins.get()
        && let Some(function) = c_function(vm, callee, first)?
    {
        profiler.enter(vm, key(&function), || builtin_name(vm, &function))?;
    }
    Ok(Value::NONE)
}

fn c_return(vm: &Interpreter, args: &CallArgs) -> Res {
    let [value, _, _, callee, first] = args.values else { return Ok(Value::NONE) };
    let profiler = this(vm, value)?;
    if profiler.builtins.get()
        && let Some(function) = c_function(vm, callee, first)?
    {
        profiler.leave(vm, Some(key(&function)));
    }
    Ok(Value::NONE)
}

fn finalize(vm: &Interpreter, value: &Value) {
    if let Some(profiler) = value.downcast::<Profiler>()
        && let Err(raised) = stop(vm, profiler)
    {
        vm.unraisable(raised, "Exception ignored while ending a profiler", value);
    }
}

static PROFILER: TypeDef = TypeDef {
    name: "Profiler",
    module: "_lsprof",
    base: None,
    payload: payload::<Profiler>(),
    flags: TypeFlags::BASETYPE,
    doc: "Build a profiler object using the specified timer function.\n\n  timer\n    By default, a fast built-in one based on real time.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Finalize(finalize)],
    methods: &[
        FunctionDef::new(
            "enable",
            "($self, /, subcalls=True, builtins=True)",
            "Start collecting profiling information.",
            NativeFn::Args(enable),
        ),
        FunctionDef::new(
            "disable",
            "($self, /)",
            "Stop collecting profiling information.",
            NativeFn::F1(disable),
        ),
        FunctionDef::new(
            "clear",
            "($self, /)",
            "Clear all profiling information collected so far.",
            NativeFn::F1(clear),
        ),
        FunctionDef::new("getstats", "($self, /)", "list of profiler_entry objects.", NativeFn::F1(getstats)),
        FunctionDef::new("_pystart_callback", "", "", NativeFn::Raw(py_start)),
        FunctionDef::new("_pyreturn_callback", "", "", NativeFn::Raw(py_return)),
        FunctionDef::new("_ccall_callback", "", "", NativeFn::Raw(c_call)),
        FunctionDef::new("_creturn_callback", "", "", NativeFn::Raw(c_return)),
    ],
    getset: &[],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_lsprof",
    doc: "Fast profiler",
    functions: &[],
    types: &[&PROFILER],
    constants: &[
        constant("profiler_entry", |vm| Ok(structseq_type(vm, &ENTRY)?.into_value())),
        constant("profiler_subentry", |vm| Ok(structseq_type(vm, &SUBENTRY)?.into_value())),
    ],
    init: None,
};

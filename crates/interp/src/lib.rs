//! The virtual machine: functions, frames, generators, and the loop that runs them.
//!
//! Wordcode is translated once per code object, at its first call, into the private form ([`translate`], [`form`],
//! [`ops`]): register instructions whose operands are locals, constants and temporaries. [`run`] executes it.
//! What an instruction does out of line stands in `ops_*.rs`. Start reading at [`frame`] (the stack), then [`run`].
//!
//! Invariants
//! - Python calls do not use the native stack: they push frames. Native code that calls Python runs a loop of its own.
//! - A temporary that holds nothing live holds no heap word; unwinding drops every heap word that it finds.
//! - `frame.pc` is up to date whenever anything outside of the loop may look at frames.
//! - The block stack of an instruction is known statically: entering a `try` costs nothing.

pub mod allocations;
pub mod async_generator;
pub mod bind;
pub mod builtins;
pub mod cell;
pub mod code;
pub mod code_type;
pub mod comprehension;
pub mod dunder;
pub mod extras;
pub mod form;
pub mod frame;
pub mod frame_object;
pub mod function;
pub mod generator;
pub mod generator_types;
pub mod groups;
pub mod hot;
pub mod import;
pub mod instrument;
pub mod jit_state;
pub mod locals_proxy;
pub mod matching;
pub mod one;
pub mod ops;
mod ops_arith;
mod ops_attr;
mod ops_build;
mod ops_call;
mod ops_generic;
mod ops_name;
pub mod poll;
pub mod quick;
pub mod run;
pub mod state;
pub mod suggest;
pub mod super_;
pub mod threads;
pub mod traceback;
pub mod translate;
mod unwind;

use pellucid_object::{Interpreter, Res, Value};
/// What inline caches of names and attributes hold: see [`form::Cache`].
pub mod caches {
    pub use crate::ops_attr::{
        ADD, BY_CLASS, CLASS, GETSET, HINT, METHOD, MODULE, OVERFLOW, OWN, OWN_BY_CLASS, OWN_STATIC, UNLIKE,
    };
    pub use crate::ops_attr::{PROPERTY, STATIC, TYPE_OFFSET, WORD};
    pub use crate::ops_attr::{known_attr, known_method, store_known};
    pub use crate::ops_name::{BUILTIN, GLOBAL};
}
pub use run::run_code;
use state::{Names, Owner, State};
use std::cell::Cell;

/// Gives an interpreter its machine: types, hooks, and the stack of its first thread. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    let stacks = vm.state::<Stacks>();
    let thread = match stacks.0.take() {
        Some(thread) => thread,
        None => frame::Thread::new().ok_or_else(|| vm.no_memory())?,
    };
    let state = State {
        code: vm.type_for(&code_type::CODE)?,
        function: vm.type_for(&function::FUNCTION)?,
        cell: vm.type_for(&cell::CELL)?,
        frame: vm.type_for(&frame_object::FRAME)?,
        traceback: vm.type_for(&traceback::TRACEBACK)?,
        generator: vm.type_for(&generator_types::GENERATOR)?,
        coroutine: vm.type_for(&generator_types::COROUTINE)?,
        coroutine_wrapper: vm.type_for(&generator_types::COROUTINE_WRAPPER)?,
        async_generator: vm.type_for(&generator_types::ASYNC_GENERATOR)?,
        async_send: vm.type_for(&async_generator::ASYNC_SEND)?,
        async_throw: vm.type_for(&async_generator::ASYNC_THROW)?,
        async_wrapped: vm.type_for(&async_generator::WRAPPED)?,
        super_: vm.type_for(&super_::SUPER)?,
        locals_proxy: vm.type_for(&locals_proxy::LOCALS_PROXY)?,
        range_iterator: vm.type_for(&pellucid_types::range::RANGE_ITERATOR)?,
        list_iterator: vm.type_for(&pellucid_types::list::LIST_ITERATOR)?,
        tuple_iterator: vm.type_for(&pellucid_types::tuple::TUPLE_ITERATOR)?,
        names: Names::new(vm)?,
        globals_layout: Cell::default(),
        thread: Cell::new(std::ptr::from_ref::<frame::Thread>(&thread).cast_mut()),
        monitors: instrument::Monitors::default(),
        tier: hot::Tier::default(),
        runs: Cell::new(0),
    };
    state.monitors.threads.borrow_mut().push(&*thread);
    stacks.0.set(Some(thread));
    vm.state::<Owner>().fill(vm, state);
    vm.keep_state_longest::<Owner>();
    vm.keep_state_longest::<Stacks>();
    vm.hooks.frame.set(Some(|vm, depth| match state::thread(vm).nth(depth) {
        Some(frame) => frame_object::of_frame(vm, frame).map(Some),
        None => Ok(None),
    }));
    let generator = state::state(vm).generator.value().bits();
    vm.hooks.drain.set(Some((generator, generator::drain)));
    vm.hooks.threads.set(Some(threads::HOOKS));
    vm.hooks.globals.set(Some(|vm| Some(frame::current(vm)?.function().globals.clone())));
    Ok(())
}

/// The stacks of the interpreter's first thread.
#[derive(Default)]
struct Stacks(Cell<Option<Box<frame::Thread>>>);

/// Adds the builtins that need the machine to the module `builtins`. Errors: `MemoryError`.
pub fn add_builtins(vm: &Interpreter, module: &Value) -> Res<()> {
    add_functions(vm, module, builtins::FUNCTIONS)?;
    vm.set_attr_str(module, "super", state::state(vm).super_.value().clone())
}

/// Adds what `sys` has of frames to the module `sys`. Errors: `MemoryError`.
pub fn add_sys(vm: &Interpreter, module: &Value) -> Res<()> {
    add_functions(vm, module, builtins::SYS_FUNCTIONS)?;
    let monitoring = vm.new_native_module(&instrument::monitoring::MODULE)?;
    vm.set_attr_str(module, "monitoring", monitoring)?;
    let jit = vm.new_native_module(&jit_state::MODULE)?;
    vm.set_attr_str(module, "_jit", jit)
}

fn add_functions(
    vm: &Interpreter,
    module: &Value,
    functions: &'static [pellucid_object::FunctionDef],
) -> Res<()> {
    let name = vm.get_attr_str(module, "__name__")?;
    for function in functions {
        let value = vm.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
        vm.set_attr_str(module, function.name, value)?;
    }
    Ok(())
}

/// The `__init__` of a class whose instances are made by `object.__new__` and set up by a Python function.
pub fn python_init(vm: &Interpreter, class: &Value) -> Option<Value> {
    ops_call::python_init(vm, state::state(vm), class)
}

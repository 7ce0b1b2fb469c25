//! The interpreter: everything that a running Python has hangs off it. Two interpreters share nothing that changes.
//!
//! What lies above (the loop, the compiler, native modules) installs itself in [`Hooks`]; its own state lives in
//! [`Interpreter::state`].

use crate::address_cache::AddressCache;
use crate::attrs::{Shape, Shapes};
use crate::buffer::Buffer;
use crate::bytes::Shared;
use crate::class::{MethodCache, Type, TypeFlags};
use crate::exception::Exceptions;
use crate::heap::{PayloadInfo, Ref, SlotWord, payload};
use crate::native::{self, BoundMethod, Builtin, GetSet, Member, MethodDescriptor, Module, Wrapped};
use crate::slots::SlotWrapper;
use crate::value::Value;
use crate::weakref::WeakRefs;
use crate::words::WordMap;
use crate::{Dict, Raised, Res, Str, Tuple};
use pellucid_host::Host;
use pellucid_memory::{Header, Heap, Stress};
use std::any::{Any, TypeId};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The key of string hashes: CPython's, so that equal seeds give equal hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HashKey(pub u64, pub u64);

impl HashKey {
    /// The key that a number stands for (`PYTHONHASHSEED`): the bytes of a linear congruential generator, none for 0.
    pub fn from_seed(seed: u32) -> HashKey {
        if seed == 0 {
            return HashKey::default();
        }
        let mut state = seed;
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            state = state.wrapping_mul(214_013).wrapping_add(2_531_011);
            *byte = (state >> 16) as u8;
        }
        HashKey::from_bytes(bytes)
    }

    pub fn from_bytes(bytes: [u8; 16]) -> HashKey {
        let number = u128::from_le_bytes(bytes);
        HashKey(number as u64, (number >> 64) as u64)
    }
}

/// The hooks of `sys.set_asyncgen_hooks`, which each thread has for itself ([`Interpreter::thread_state`]).
#[derive(Default)]
pub struct AsyncgenHooks {
    /// Called at the first iteration of an asynchronous generator.
    pub firstiter: SlotWord,
    /// Called before an asynchronous generator is finalised.
    pub finalizer: SlotWord,
}

/// Objects with no payload of their own: plain instances, singletons.
pub struct Plain;
impl crate::heap::Payload for Plain {
    const CONTAINER: bool = false;
}

/// Reports an exception that nobody can catch: (exception, message, object).
pub type UnraisableHook = fn(&Interpreter, &Value, &str, &Value);

/// Something to do at a poll.
pub type Poller = fn(&Interpreter) -> Res<()>;

/// What `compile()` is asked for.
pub struct CompileRequest<'a> {
    /// A `str`, an object with bytes, or an `ast` node.
    pub source: &'a Value,
    /// A `str`.
    pub filename: &'a Value,
    /// `exec`, `eval`, `single` or `func_type`.
    pub mode: &'a str,
    /// `co_flags` bits of `from __future__` imports, and `ast.PyCF_*` bits.
    pub flags: u32,
    /// -1: as the interpreter was started.
    pub optimize: i32,
}

/// Looks for an attribute that a module lacks: (module, name).
pub type ModuleAttributeHook = fn(&Interpreter, &Value, &Value) -> Res<Option<Value>>;

/// Calls into the layers above, filled when the interpreter is put together. An empty hook means that its layer is
/// not there: callers raise `SystemError` or go without, as each says.
#[derive(Default)]
#[allow(clippy::type_complexity)] // one signature each, used once
pub struct Hooks {
    pub unraisable: Cell<Option<UnraisableHook>>,
    /// Source to code object (or to an `ast` node, when the flags ask for it).
    pub compile: Cell<Option<fn(&Interpreter, &CompileRequest) -> Res>>,
    /// The frame object `depth` Python calls up (0: the innermost one).
    pub frame: Cell<Option<fn(&Interpreter, usize) -> Res<Option<Value>>>>,
    /// The globals dict of the innermost Python frame.
    pub globals: Cell<Option<fn(&Interpreter) -> Option<Value>>>,
    /// `importlib.import_module(name)`: the module of that dotted name itself.
    pub import: Cell<Option<fn(&Interpreter, &str) -> Res>>,
    /// An attribute that is not in a module's namespace: the import system makes some only when asked for, and words the
    /// error for modules that are still being imported.
    pub module_attribute: Cell<Option<ModuleAttributeHook>>,
    /// A `memoryview` of a buffer.
    pub memoryview: Cell<Option<fn(&Interpreter, Buffer) -> Res>>,
    /// Whether a value is a `memoryview`.
    pub is_memoryview: Cell<Option<fn(&Value) -> bool>>,
    /// Runs a generator into a [`Sink`](crate::protocol::Sink); the word of the type `generator` says for which objects.
    pub drain: Cell<Option<(u64, crate::protocol::DrainHook)>>,
    /// The stacks of threads.
    pub threads: Cell<Option<crate::gil::ThreadHooks>>,
    /// Warns on behalf of the frame that is so many levels up (1: the running one): (category, text, level).
    pub warn: Cell<Option<fn(&Interpreter, &Value, &str, i64) -> Res<()>>>,
    /// Runs pending signal handlers and checks limits; long native loops call [`Interpreter::poll`].
    pub poll: Cell<Option<fn(&Interpreter) -> Res<()>>>,
}

macro_rules! core_types {
    ($($field:ident $name:literal $payload:ty, $flags:expr;)*) => {
        /// The types that the object model itself makes objects of.
        pub struct CoreTypes { $(pub $field: Ref<Type>,)* }
        mod infos {
            use super::*;
            $(#[allow(non_upper_case_globals)] pub static $field: PayloadInfo = payload::<$payload>();)*
        }
        impl Interpreter {
            fn bootstrap_types(&self) -> Option<CoreTypes> {
                let kernel = self.bare_type_of_types(&infos::type_)?;
                $(let $field = self.bare_core_type(&kernel, stringify!($field), $name, &infos::$field, $flags)?;)*
                Some(CoreTypes { $($field,)* })
            }
        }
        impl CoreTypes {
            pub(crate) fn each(&self) -> Vec<&Ref<Type>> { vec![$(&self.$field),*] }
        }
    };
}

const FINAL: TypeFlags = TypeFlags::NONE;
const BASE: TypeFlags = TypeFlags::BASETYPE;
const LITERAL: TypeFlags = TypeFlags::BASETYPE.or(TypeFlags::MATCH_SELF);

core_types! {
    type_ "type" Type, BASE.or(TypeFlags::WEAKREF);
    object "object" Plain, BASE;
    int "int" crate::int::Int, LITERAL;
    bool "bool" crate::int::Int, TypeFlags::MATCH_SELF;
    float "float" crate::float::Float, LITERAL;
    str "str" Str, LITERAL;
    tuple "tuple" Tuple, LITERAL.or(TypeFlags::SEQUENCE);
    list "list" crate::List, LITERAL.or(TypeFlags::SEQUENCE);
    dict "dict" Dict, LITERAL.or(TypeFlags::MAPPING);
    bytes "bytes" crate::bytes::Bytes, LITERAL;
    bytearray "bytearray" crate::bytes::ByteArray, LITERAL;
    set "set" crate::Set, LITERAL.or(TypeFlags::WEAKREF);
    frozenset "frozenset" crate::Set, LITERAL.or(TypeFlags::WEAKREF);
    none_type "NoneType" Plain, FINAL;
    ellipsis_type "ellipsis" Plain, FINAL;
    not_implemented_type "NotImplementedType" Plain, FINAL;
    module "module" Module, BASE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF);
    builtin_function "builtin_function_or_method" Builtin, TypeFlags::WEAKREF;
    method_descriptor "method_descriptor" MethodDescriptor, TypeFlags::METHOD_DESCRIPTOR;
    classmethod_descriptor "classmethod_descriptor" MethodDescriptor, FINAL;
    getset_descriptor "getset_descriptor" GetSet, FINAL;
    member_descriptor "member_descriptor" Member, FINAL;
    wrapper_descriptor "wrapper_descriptor" SlotWrapper, TypeFlags::METHOD_DESCRIPTOR;
    method "method" BoundMethod, TypeFlags::WEAKREF;
    method_wrapper "method-wrapper" BoundMethod, FINAL;
    staticmethod "staticmethod" Wrapped, BASE.or(TypeFlags::HAS_DICT);
    classmethod "classmethod" Wrapped, BASE.or(TypeFlags::HAS_DICT);
    sequence_iterator "iterator" crate::protocol::SequenceIterator, FINAL;
}

/// A Python interpreter. Not `Sync`: Python threads take turns.
pub struct Interpreter {
    pub heap: Heap,
    core: OnceCell<CoreTypes>,
    exceptions: OnceCell<Exceptions>,
    interned: RefCell<HashMap<Box<str>, Value, foldhash::fast::RandomState>>,
    /// How many strings there may be before a full collection looks for those that nobody else holds.
    interned_bound: Cell<usize>,
    /// See [`Interpreter::memory_was_refused`].
    refused: Cell<bool>,
    /// Names in the program text that were interned, by address.
    static_names: AddressCache,
    /// The strings of one code point below 256, and the empty one.
    pub(crate) small_strs: Shared,
    /// The same of `bytes`.
    pub(crate) small_bytes: Shared,
    pub(crate) raised: SlotWord,
    pub(crate) memory_error: SlotWord,
    /// A `MemoryError` is being made.
    pub(crate) out_of_memory: Cell<bool>,
    handled: SlotWord,
    pub hooks: Hooks,
    pub shapes: Shapes,
    pub(crate) dictionary_shape: Cell<NonNull<Shape>>,
    pub(crate) method_cache: MethodCache,
    pub(crate) next_type_version: Cell<u32>,
    next_keys_version: Cell<u64>,
    pub(crate) native_types: RefCell<WordMap<usize, Ref<Type>>>,
    /// In front of `native_types`.
    pub(crate) native_type_cache: AddressCache,
    pub weakrefs: Rc<WeakRefs>,
    pub(crate) births: crate::heap::Births,
    pub(crate) trashcan: RefCell<Vec<NonNull<Header>>>,
    pub(crate) destroy_depth: Cell<usize>,
    pub(crate) native_depth: Cell<usize>,
    /// Deepest nesting of native calls before `RecursionError`.
    pub native_limit: Cell<usize>,
    pub empty_tuple: SlotWord,
    /// `sys.modules`.
    pub modules: SlotWord,
    /// The module `sys`, whatever `sys.modules` holds.
    pub sys: SlotWord,
    /// The namespace of `builtins`.
    pub builtins: SlotWord,
    /// Key of string hashes. Strings exist from the start: it is never changed.
    pub hash_key: HashKey,
    /// State of the layer that runs Python code, kept alive by it through [`Interpreter::state`]; null before it is there.
    pub loop_state: Cell<*const ()>,
    /// Set from signal handlers and other threads: the loop is to call [`Interpreter::poll`] soon.
    pub attention: Arc<AtomicBool>,
    /// `-X dev`: arguments are checked more than needed.
    pub dev_mode: Cell<bool>,
    /// Longest int text that is converted; 0: no limit.
    pub int_max_str_digits: Cell<usize>,
    /// Deepest nesting of Python calls (`sys.setrecursionlimit`).
    pub recursion_limit: Cell<usize>,
    pub(crate) gil: crate::gil::Gil,
    pollers: RefCell<Vec<Poller>>,
    pub(crate) host: OnceCell<Arc<Host>>,
    /// Hooks of `sys.addaudithook`.
    pub(crate) audit_hooks: RefCell<Vec<Value>>,
    /// Frames that coroutines remember of where they were made (`sys.set_coroutine_origin_tracking_depth`).
    pub coroutine_origin_depth: Cell<usize>,
    states: RefCell<WordMap<TypeId, Rc<dyn Any>>>,
    /// The signatures of native functions, by the addresses of their definitions.
    pub(crate) signatures: RefCell<WordMap<usize, Rc<crate::args::Signature>>>,
    /// States without which Python code cannot run: they go last.
    last_states: RefCell<Vec<TypeId>>,
    /// Nothing of Python runs any more.
    ended: Cell<bool>,
}

impl Interpreter {
    /// A new interpreter with bare core types and the exception tree; `None` when memory is short. Boxed: objects
    /// point back to it, so it must not move.
    pub fn new() -> Option<Box<Interpreter>> {
        Interpreter::with_hash_key(HashKey::default(), Stress::default())
    }

    /// As [`Interpreter::new`], with a key for the hashes of strings, and with stress modes of the heap.
    pub fn with_hash_key(hash_key: HashKey, stress: Stress) -> Option<Box<Interpreter>> {
        let attention: Arc<AtomicBool> = Arc::default();
        let heap = Heap::with_alarm(attention.clone());
        heap.meter().enter();
        heap.set_stress(stress);
        let shapes = Shapes::default();
        let dictionary_shape = shapes.add(Shape::root(true, 0));
        let vm = Box::new(Interpreter {
            heap,
            core: OnceCell::new(),
            exceptions: OnceCell::new(),
            interned: RefCell::default(),
            interned_bound: Cell::new(20_000),
            refused: Cell::new(false),
            static_names: AddressCache::default(),
            small_strs: Shared::new(),
            small_bytes: Shared::new(),
            raised: SlotWord::default(),
            memory_error: SlotWord::default(),
            out_of_memory: Cell::new(false),
            handled: SlotWord::default(),
            hooks: Hooks::default(),
            shapes,
            dictionary_shape: Cell::new(dictionary_shape),
            method_cache: MethodCache::default(),
            next_type_version: Cell::new(1),
            next_keys_version: Cell::new(1),
            native_types: RefCell::default(),
            native_type_cache: AddressCache::default(),
            weakrefs: Rc::default(),
            births: crate::heap::Births::default(),
            trashcan: RefCell::default(),
            destroy_depth: Cell::new(0),
            native_depth: Cell::new(0),
            native_limit: Cell::new(200),
            empty_tuple: SlotWord::default(),
            modules: SlotWord::default(),
            sys: SlotWord::default(),
            builtins: SlotWord::default(),
            hash_key,
            loop_state: Cell::new(std::ptr::null()),
            dev_mode: Cell::new(false),
            int_max_str_digits: Cell::new(4300),
            recursion_limit: Cell::new(1000),
            gil: crate::gil::Gil::new(&attention),
            attention,
            pollers: RefCell::default(),
            host: OnceCell::new(),
            audit_hooks: RefCell::default(),
            coroutine_origin_depth: Cell::new(0),
            states: RefCell::default(),
            signatures: RefCell::default(),
            last_states: RefCell::default(),
            ended: Cell::new(false),
        });
        let core = vm.bootstrap_types()?;
        vm.core.set(core).ok()?;
        vm.finish_core().ok()?;
        let exceptions = vm.make_exceptions().ok()?;
        vm.exceptions.set(exceptions).ok()?;
        let memory_error = vm.call_values(vm.exceptions().memory_error().value(), &[]).ok()?;
        vm.memory_error.set(Some(memory_error));
        Some(vm)
    }

    /// The type `type`, whose type is itself.
    fn bare_type_of_types(&self, info: &'static PayloadInfo) -> Option<Ref<Type>> {
        let bare = Type::bare(self, "type", info, BASE.or(TypeFlags::WEAKREF));
        crate::heap::alloc_type_of_types(self, bare)
    }

    fn bare_core_type(
        &self,
        kernel: &Ref<Type>,
        field: &str,
        name: &str,
        info: &'static PayloadInfo,
        flags: TypeFlags,
    ) -> Option<Ref<Type>> {
        if field == "type_" {
            return Some(kernel.clone());
        }
        let bare = Type::bare(self, name, info, flags);
        self.alloc(kernel, bare).ok()?.downcast_ref::<Type>()
    }

    fn finish_core(&self) -> Res<()> {
        let types = self.types();
        self.empty_tuple.set(Some(self.alloc(&types.tuple, Tuple::new(Vec::new()))?));
        types.object.dict.set(Some(self.new_dict()?.into_value()));
        types.object.bases.set(self.empty_tuple.get());
        types.object.set_mro(vec![types.object.value().clone()]);
        for ty in types.each() {
            if ty.value().is(types.object.value()) {
                continue;
            }
            let base = if ty.value().is(types.bool.value()) { &types.int } else { &types.object };
            self.finish_type(ty, std::slice::from_ref(base.value()), base)?;
            let dict = ty.flags.get().contains(TypeFlags::HAS_DICT);
            ty.lay_out(0, dict, 0);
        }
        types.builtin_function.slots.call.set(Some(native::call_builtin));
        types.type_.slots.call.set(Some(|vm, cls, args| vm.instantiate(cls, args)));
        types.module.slots.getattr.set(Some(native::module_getattr));
        self.install_protocol_slots()
    }

    /// The core types. They exist as soon as an `Interpreter` can be reached from outside.
    #[inline(always)]
    pub fn types(&self) -> &CoreTypes {
        match self.core.get() {
            Some(types) => types,
            None => unreachable!("core types are made before anything uses them"),
        }
    }

    /// The builtin exception types.
    pub fn exceptions(&self) -> &Exceptions {
        match self.exceptions.get() {
            Some(types) => types,
            None => unreachable!("exception types are made before anything raises"),
        }
    }

    /// The same, while they may not be made yet or any more.
    pub(crate) fn exceptions_if_made(&self) -> Option<&Exceptions> {
        self.exceptions.get()
    }

    /// State of another crate, one value a type, made on first use.
    pub fn state<T: Default + 'static>(&self) -> Rc<T> {
        let mut states = self.states.borrow_mut();
        let any = states.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(T::default())).clone();
        match any.downcast::<T>() {
            Ok(state) => state,
            Err(_) => unreachable!("keyed by its type"),
        }
    }

    /// That state outlives the others: finalisers of what they hold still run Python code.
    pub fn keep_state_longest<T: 'static>(&self) {
        self.last_states.borrow_mut().push(TypeId::of::<T>());
    }

    /// The one `str` object for a name. Errors: `MemoryError`.
    pub fn intern(&self, name: &str) -> Res {
        if let Some(found) = self.interned.borrow().get(name) {
            return Ok(found.clone());
        }
        let value = self.new_str(name)?;
        if let Some(s) = value.downcast::<Str>() {
            s.interned.set(true);
        }
        self.interned.borrow_mut().insert(name.into(), value.clone());
        Ok(value)
    }

    /// [`Interpreter::intern`] for a name in the program text, which the address finds again.
    #[inline]
    pub fn intern_static(&self, name: &'static str) -> Res {
        let key = name.as_ptr() as usize;
        if let Some(found) = self.static_names.get(key, name.len()) {
            return Ok(found);
        }
        let value = self.intern(name)?;
        // SAFETY: whoever takes strings out of `interned` (`sweep_interned`, the interpreter's end) clears the cache first.
        unsafe { self.static_names.set(key, name.len(), &value) };
        Ok(value)
    }

    /// The interned object equal to this `str`; strings with surrogates and subclass instances stay as they are.
    pub fn intern_value(&self, value: &Value) -> Res {
        match value.downcast::<Str>() {
            Some(s) if s.interned.get() => Ok(value.clone()),
            Some(s) => match s.text.to_utf8() {
                Some(text) if self.is_exact(value, &self.types().str) => {
                    if let Some(found) = self.interned.borrow().get(&*text) {
                        return Ok(found.clone());
                    }
                    s.interned.set(true);
                    self.interned.borrow_mut().insert((&*text).into(), value.clone());
                    Ok(value.clone())
                }
                Some(text) => self.intern(&text),
                None => Ok(value.clone()),
            },
            None => Ok(value.clone()),
        }
    }

    pub(crate) fn next_keys_version(&self) -> u64 {
        let version = self.next_keys_version.get();
        self.next_keys_version.set(version + 1);
        version
    }

    /// A name in the module `sys`; nothing is loaded to find it.
    pub fn sys_attr(&self, name: &str) -> Res<Option<Value>> {
        match self.sys.get() {
            Some(sys) => self.attrs_get(&sys, &self.intern(name)?),
            None => Ok(None),
        }
    }

    /// The exception being handled (`sys.exception()`).
    #[inline]
    pub fn handled_exception(&self) -> Option<Value> {
        self.handled.get()
    }
    /// Whether an exception is being handled.
    #[inline]
    pub fn handles_exception(&self) -> bool {
        self.handled.is_set()
    }
    #[inline]
    pub fn set_handled_exception(&self, exception: Option<Value>) {
        self.handled.set(exception);
    }

    /// Runs `f` one native level deeper. Errors: `RecursionError`, and those of [`Interpreter::poll`].
    #[inline]
    pub fn nested<T>(&self, doing: &str, f: impl FnOnce() -> Res<T>) -> Res<T> {
        let depth = self.native_depth.get();
        if depth >= self.native_limit.get() {
            return Err(self.too_deep(doing));
        }
        self.poll()?;
        self.native_depth.set(depth + 1);
        let result = f();
        self.native_depth.set(depth);
        result
    }

    /// Whether native code should rather not call deeper.
    pub fn native_is_deep(&self) -> bool {
        self.native_depth.get() + 100 >= self.native_limit.get()
    }

    /// How deep native code is nested, for code that nests without [`Interpreter::nested`].
    pub fn native_depth(&self) -> usize {
        self.native_depth.get()
    }
    pub fn set_native_depth(&self, depth: usize) {
        self.native_depth.set(depth);
    }

    /// The mark of an exception that was raised already.
    pub fn raised_mark(&self) -> Raised {
        debug_assert!(self.raised.is_set());
        Raised(())
    }

    /// Making the exception needs a few levels itself.
    #[cold]
    fn too_deep(&self, doing: &str) -> Raised {
        const HEADROOM: usize = 50;
        let depth = self.native_depth.get();
        self.native_depth.set(depth.saturating_sub(HEADROOM));
        let raised = self.recursion_error(format!("maximum recursion depth exceeded{doing}"));
        self.native_depth.set(depth);
        raised
    }

    pub(crate) fn run_finalizer(&self, value: &Value) {
        if self.ended.get() {
            // The interpreter is ending, and there is nothing left that a finaliser could work with.
            return;
        }
        if let Some(finalize) = self.type_of(value).slots.finalize.get() {
            finalize(self, value);
        }
    }

    /// Long native loops call this now and then. Errors: `KeyboardInterrupt` and what signal handlers and limits raise.
    #[inline]
    pub fn poll(&self) -> Res<()> {
        if self.attention.load(Ordering::Relaxed) { self.attend() } else { Ok(()) }
    }

    #[cold]
    fn attend(&self) -> Res<()> {
        if !self.attention.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        self.give_way();
        if self.refused.replace(false) {
            return Err(self.no_memory());
        }
        let over = self.heap.is_over();
        if over || self.heap.take_pressure() {
            self.interned_bound.set(0);
            self.collect_garbage(2);
            self.heap.relieved();
            if over && self.heap.is_over() {
                return Err(self.no_memory());
            }
        }
        if let Some(poll) = self.hooks.poll.get() {
            poll(self)?;
        }
        let pollers = self.pollers.borrow().clone();
        pollers.iter().try_for_each(|poll| poll(self))
    }

    /// Memory was refused to somebody who could raise nothing: the next poll raises `MemoryError`.
    pub fn memory_was_refused(&self) {
        self.refused.set(true);
        self.attention.store(true, Ordering::SeqCst);
    }

    /// Whether buffers of `bytes` more may be made: to be asked where input decides how large they are. Errors: `MemoryError`.
    #[inline]
    pub fn expect_room(&self, bytes: usize) -> Res<()> {
        if self.heap.fits(bytes) { Ok(()) } else { Err(self.no_memory()) }
    }

    /// Warns, on behalf of the running Python code. Errors: the warning itself, when a filter says so.
    pub fn warn(&self, category: &Ref<Type>, text: &str) -> Res<()> {
        match self.hooks.warn.get() {
            Some(warn) => warn(self, category.value(), text, 1),
            None => Ok(()),
        }
    }

    /// Adds something to do at each poll that has been asked for by [`Interpreter::attention`].
    pub fn add_poller(&self, poller: Poller) {
        let mut pollers = self.pollers.borrow_mut();
        if !pollers.iter().any(|known| std::ptr::fn_addr_eq(*known, poller)) {
            pollers.push(poller);
        }
    }

    /// Lets interned strings go that nobody else holds, when there are many new ones.
    pub(crate) fn sweep_interned(&self) {
        if self.interned.borrow().len() <= self.interned_bound.get() {
            return;
        }
        let alone = |value: &Value| value.refcount() == Some(1);
        let dead: Vec<Value> =
            self.interned.borrow_mut().extract_if(|_, value| alone(value)).map(|(_, value)| value).collect();
        self.interned_bound.set((self.interned.borrow().len() * 2).max(20_000));
        // These know names by their addresses.
        self.clear_method_cache();
        self.static_names.clear();
        drop(dead);
    }

    /// Number of interned strings.
    pub fn interned_count(&self) -> usize {
        self.interned.borrow().len()
    }

    /// Forgets remembered look-ups of methods.
    pub fn clear_method_cache(&self) {
        self.method_cache.clear();
    }

    /// The module of that dotted name, imported if need be. Errors: what importing raises.
    pub fn import(&self, name: &str) -> Res {
        match self.hooks.import.get() {
            Some(import) => import(self, name),
            None => Err(self.system_error(format!("no import system to import {name}"))),
        }
    }

    /// A `SystemError` for what cannot happen; tests fail on it.
    pub fn bug(&self, what: &str) -> Raised {
        debug_assert!(false, "{what}");
        self.system_error(what.to_string())
    }
}

impl Interpreter {
    /// Objects that are no containers hold their types without showing it: what they held falls in the next round. The
    /// type `type` is found every time (it is its own type), hence the look at the number of blocks.
    fn collect_until_stable(&self) {
        let mut before = usize::MAX;
        while self.heap.allocated_blocks() < before {
            before = self.heap.allocated_blocks();
            self.collect_garbage(2);
        }
    }
}

impl Interpreter {
    /// Drops the states of other crates, and what nothing else holds then; those that Python code needs to run at the very last.
    fn drop_states(&self) {
        // What runs meanwhile may make states anew.
        for _ in 0..10 {
            let last = self.last_states.borrow().clone();
            let mut states = self.states.borrow_mut();
            let keys: Vec<TypeId> = states.keys().filter(|key| !last.contains(key)).copied().collect();
            let dropped: Vec<Rc<dyn Any>> = keys.iter().filter_map(|key| states.remove(key)).collect();
            drop(states);
            if dropped.is_empty() {
                break;
            }
            drop(dropped);
            self.collect_until_stable();
        }
        self.ended.set(true);
        let states = self.states.take();
        drop(states);
        self.collect_until_stable();
    }
}

impl Drop for Interpreter {
    /// Ends the interpreter: gives up the roots, collects, and in debug builds proves that every block came back.
    fn drop(&mut self) {
        self.gil.close();
        self.gil.drop_states();
        self.heap.set_observer(None);
        let roots = [&self.modules, &self.sys, &self.builtins, &self.raised, &self.handled];
        roots.into_iter().for_each(|root| root.set(None));
        drop(self.audit_hooks.take());
        self.drop_states();
        let core: Vec<Value> = self
            .core
            .get()
            .map_or_else(Vec::new, |core| core.each().iter().map(|ty| ty.value().clone()).collect());
        let type_of_types = self.core.get().map(|core| core.type_.value().bits());
        drop((self.memory_error.replace(None), self.empty_tuple.replace(None)));
        self.native_type_cache.clear();
        self.static_names.clear();
        drop((
            self.native_types.take(),
            self.interned.take(),
            self.small_strs.take(),
            self.small_bytes.take(),
        ));
        drop((self.exceptions.take(), self.core.take()));
        // What was frozen is given back as well; no finaliser runs any more.
        self.heap.unfreeze();
        self.collect_until_stable();
        // Only now: what died above still knew its shape. Shapes own names, and names their type.
        self.shapes.clear();
        // The names in a core type's namespace are strings, which keep `str` alive: cut by hand.
        core.iter().filter_map(Value::header).for_each(crate::heap::clear_object);
        drop(core);
        self.collect_until_stable();
        if let Some(bits) = type_of_types
            && self.heap.allocated_blocks() == 1
        {
            // SAFETY: the one object left is `type`; it holds the last reference to itself, which is given up here.
            drop(unsafe { Value::from_bits(bits) });
        }
        // Daemon threads that still run stay where they are, with what they hold.
        debug_assert!(
            std::thread::panicking() || self.gil.threads() > 1 || self.heap.allocated_blocks() == 0,
            "{} blocks were not given back",
            self.heap.allocated_blocks()
        );
        self.heap.meter().leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BinOp, CallArgs, CmpOp};

    fn interpreter() -> Box<Interpreter> {
        Interpreter::new().expect("memory")
    }

    #[test]
    fn an_interpreter_gives_every_block_back() {
        drop(interpreter());
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_value_that_was_not_given_back_is_reported() {
        let vm = interpreter();
        std::mem::forget(vm.new_list(Vec::new()).expect("memory"));
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(vm)));
        let message = end.expect_err("the proof fails").downcast::<String>().expect("a text");
        assert!(message.ends_with("blocks were not given back"), "{message}");
    }

    #[test]
    fn a_cycle_is_collected_and_a_chain_of_a_million_ends_without_recursion() {
        let vm = interpreter();
        let before = vm.heap.allocated_blocks();
        let list = vm.new_list(Vec::new()).expect("memory");
        let inner = list.downcast::<crate::List>().expect("a list");
        inner.push(&vm, list.clone()).expect("memory");
        drop(list);
        assert_eq!(vm.heap.allocated_blocks(), before + 1);
        assert_eq!(vm.collect_garbage(2), 1);
        assert_eq!(vm.heap.allocated_blocks(), before);
        let mut chain = Value::NONE;
        for _ in 0..1_000_000 {
            chain = vm.new_tuple(vec![chain]).expect("memory");
        }
        drop(chain);
        assert_eq!(vm.heap.allocated_blocks(), before);
    }

    #[test]
    fn attributes_share_shapes_overflow_and_become_a_dict() {
        let vm = interpreter();
        let (a, b) = (vm.new_module("a").expect("module"), exception(&vm));
        let names: Vec<Value> = (0..10).map(|i| vm.intern(&format!("n{i}")).expect("name")).collect();
        for object in [&a, &b] {
            for (i, name) in names.iter().enumerate() {
                vm.set_attr(object, name, Some(&vm.new_int(i as i64).expect("int"))).expect("set");
            }
            assert_eq!(vm.get_attr(object, &names[7]).expect("get").as_small_int(), Some(7));
            vm.set_attr(object, &names[7], None).expect("delete");
            assert!(vm.get_attr_opt(object, "n7").expect("no error").is_none());
        }
        let (c, d) = (exception(&vm), exception(&vm));
        vm.set_attr(&c, &names[0], Some(&a)).expect("set");
        vm.set_attr(&d, &names[0], Some(&c)).expect("set");
        let shape = |v: &Value| v.attrs().map(|attrs| attrs.shape_ptr());
        assert_eq!(shape(&c), shape(&d));
        assert!(vm.attrs_dict(&d).expect("dict").is_some_and(|dict| dict.len() == 1));
        assert_ne!(shape(&c), shape(&d));
    }

    fn exception(vm: &Interpreter) -> Value {
        vm.call_values(vm.exceptions().value_error().value(), &[]).expect("an exception")
    }

    #[test]
    fn dict_keeps_order_through_growth_and_deletion() {
        let vm = interpreter();
        let dict = vm.new_dict().expect("memory");
        let int = |i| Value::small_int(i).expect("small");
        for i in 0..1000 {
            dict.set(&vm, int(i), int(i * i)).expect("set");
        }
        for i in (0..1000).step_by(3) {
            assert!(dict.remove(&vm, &int(i)).expect("remove").is_some());
        }
        dict.set(&vm, int(0), int(7)).expect("set");
        let keys: Vec<i64> = dict.keys().iter().filter_map(Value::as_small_int).collect();
        let mut expected: Vec<i64> = (0..1000).filter(|i| i % 3 != 0).collect();
        expected.push(0);
        assert_eq!(keys, expected);
        assert_eq!(dict.get(&vm, &int(10)).expect("get").and_then(|v| v.as_small_int()), Some(100));
        assert_eq!(dict.get(&vm, &int(9)).expect("get").map(|v| v.bits()), None);
    }

    #[test]
    fn errors_are_worded_as_cpython_words_them() {
        let vm = interpreter();
        let message = |result: Res| {
            let Err(raised) = result else { panic!("no error") };
            let exception = vm.take_raised(raised);
            let args = exception.downcast::<crate::Exception>().and_then(|e| e.args.get()).expect("args");
            let first = args.downcast::<Tuple>().and_then(|t| t.get(0)).expect("a message");
            format!("{}: {}", vm.type_name(&exception), vm.str_lossy(&first))
        };
        let (one, none) = (vm.new_int(1).expect("int"), Value::NONE);
        assert_eq!(
            message(vm.binary(BinOp::Add, &one, &none)),
            "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'"
        );
        assert_eq!(
            message(vm.compare(CmpOp::Lt, &one, &none)),
            "TypeError: '<' not supported between instances of 'int' and 'NoneType'"
        );
        assert_eq!(message(vm.get_attr_str(&one, "x")), "AttributeError: 'int' object has no attribute 'x'");
        assert_eq!(message(vm.call(&one, &CallArgs::new(&[]))), "TypeError: 'int' object is not callable");
    }

    static WEAK: crate::TypeDef = crate::TypeDef {
        name: "weak",
        module: "test",
        base: None,
        payload: payload::<crate::weakref::WeakRef>(),
        flags: TypeFlags::NONE,
        doc: "",
        slots: &[],
        methods: &[],
        getset: &[],
    };

    #[test]
    fn weak_references_die_with_their_object() {
        let vm = interpreter();
        let target = vm.new_list(Vec::new()).expect("memory");
        let weak = vm
            .alloc(&vm.type_for(&WEAK).expect("memory"), crate::weakref::WeakRef::default())
            .expect("memory");
        vm.weakrefs.register(&weak, &target);
        let upgraded = || weak.downcast::<crate::weakref::WeakRef>().and_then(|w| w.upgrade());
        assert!(upgraded().is_some_and(|v| v.is(&target)));
        drop(target);
        assert!(upgraded().is_none());
    }
}

//! `_queue`: `SimpleQueue`, which never blocks a writer. Readers wait without the interpreter's lock.

use crate::support::{CLASS_GETITEM, no_keywords, this};
use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Ref, Res, Slot, Type, TypeDef,
    TypeFlags, Value, Visitor, payload,
};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts the items ever put, for readers that wait for the next one.
#[derive(Default)]
struct Arrivals {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Arrivals {
    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn announce(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_one();
    }
    /// Waits until the count is another one than `seen`, at most until `end`.
    fn wait(&self, seen: u64, end: Instant) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count == seen {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            count = self.changed.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Payload of `SimpleQueue`.
#[derive(Default)]
pub struct SimpleQueue {
    items: RefCell<VecDeque<Value>>,
    arrivals: Arc<Arrivals>,
}

impl Payload for SimpleQueue {
    fn trace(&self, visit: &mut Visitor) {
        self.items.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        let items = self.items.take();
        drop(items);
    }
}

#[derive(Default)]
struct EmptyType(RefCell<Option<Ref<Type>>>);

/// The exception `_queue.Empty`, made on first use.
fn empty_type(vm: &Interpreter) -> Res<Ref<Type>> {
    let state = vm.state::<EmptyType>();
    if let Some(known) = state.0.borrow().as_ref() {
        return Ok(known.clone());
    }
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.new_str("_queue")?)?;
    namespace.set(vm, vm.intern_static("__doc__")?, vm.new_str("Raised by get() of an empty queue.")?)?;
    let base = vm.exceptions().exception().value().clone();
    let made = vm.new_class(vm.types().type_.value(), "Empty", vec![base], &namespace, &[])?;
    let Some(ty) = made.downcast_ref::<Type>() else { return Err(vm.bug("a class is a type")) };
    *state.0.borrow_mut() = Some(ty.clone());
    Ok(ty)
}

fn empty(vm: &Interpreter) -> Raised {
    match empty_type(vm) {
        Ok(ty) => vm.raise_with(&ty, Vec::new()),
        Err(raised) => raised,
    }
}

fn queue<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a SimpleQueue> {
    this::<SimpleQueue>(vm, value)
}

fn put(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let queue = queue(vm, value)?;
    let mut items = queue.items.borrow_mut();
    if items.try_reserve(1).is_err() {
        drop(items);
        return Err(vm.no_memory());
    }
    items.push_back(item.clone());
    drop(items);
    queue.arrivals.announce();
    Ok(Value::NONE)
}

/// A timeout in seconds. Errors: `TypeError`, `ValueError`, `OverflowError`.
fn timeout(vm: &Interpreter, value: &Value) -> Res<Duration> {
    let seconds = match value.as_float() {
        Some(seconds) => seconds,
        None => vm.expect_i64(value)? as f64,
    };
    if seconds < 0.0 || seconds.is_nan() {
        return Err(vm.value_error("'timeout' must be a non-negative number".to_string()));
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| vm.overflow_error("timeout value is too large".to_string()))
}

/// How often a waiting reader looks after signals.
const SLICE: Duration = Duration::from_millis(20);

fn get(vm: &Interpreter, args: &Args) -> Res {
    let queue = queue(vm, args.req(0))?;
    let block = args.bool_or(vm, 1, true)?;
    let end = match args.some(2).filter(|_| block) {
        Some(value) => Instant::now().checked_add(timeout(vm, value)?),
        None => None,
    };
    loop {
        // Read before the look into the queue, so that nothing put in between is slept through.
        let seen = if block { queue.arrivals.count() } else { 0 };
        let item = queue.items.borrow_mut().pop_front();
        if let Some(item) = item {
            return Ok(item);
        }
        let now = Instant::now();
        if !block || end.is_some_and(|end| now >= end) {
            return Err(empty(vm));
        }
        let until = end.map_or(now + SLICE, |end| end.min(now + SLICE));
        let arrivals = queue.arrivals.clone();
        vm.allow_threads(move || arrivals.wait(seen, until));
        vm.poll()?;
    }
}

fn get_nowait(vm: &Interpreter, value: &Value) -> Res {
    let item = queue(vm, value)?.items.borrow_mut().pop_front();
    item.ok_or_else(|| empty(vm))
}

static SIMPLE_QUEUE: TypeDef = TypeDef {
    name: "SimpleQueue",
    module: "_queue",
    base: None,
    payload: payload::<SimpleQueue>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF),
    doc: "SimpleQueue()\n--\n\n\
          A queue without a limit, first in, first out.",
    slots: &[Slot::New(|vm, cls, call| {
        if vm.type_for(&SIMPLE_QUEUE)?.value().is(cls) {
            no_keywords(vm, "SimpleQueue", call)?;
            if !call.values.is_empty() {
                return Err(vm.type_error("SimpleQueue() takes no positional arguments".to_string()));
            }
        }
        vm.alloc_subclass(cls, SimpleQueue::default())
    })],
    methods: &[
        FunctionDef::new(
            "put",
            "($self, /, item, block=True, timeout=None)",
            "Adds an item; the other arguments are there for the sake of Queue.put().",
            NativeFn::Args(|vm, args| put(vm, args.req(0), args.req(1))),
        ),
        FunctionDef::new("put_nowait", "($self, /, item)", "Adds an item.", NativeFn::F2(put)),
        FunctionDef::new(
            "get",
            "($self, /, block=True, timeout=None)",
            "Takes the oldest item out, waiting for one if need be; Empty when none comes in time.",
            NativeFn::Args(get),
        ),
        FunctionDef::new(
            "get_nowait",
            "($self, /)",
            "Takes the oldest item out; Empty when there is none.",
            NativeFn::F1(get_nowait),
        ),
        FunctionDef::new(
            "empty",
            "($self, /)",
            "Whether the queue is empty now.",
            NativeFn::F1(|vm, v| Ok(Value::bool(queue(vm, v)?.items.borrow().is_empty()))),
        ),
        FunctionDef::new(
            "qsize",
            "($self, /)",
            "How many items are there now.",
            NativeFn::F1(|vm, v| vm.new_int(queue(vm, v)?.items.borrow().len() as i64)),
        ),
        CLASS_GETITEM,
    ],
    getset: &[],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_queue",
    doc: "A queue for threads.",
    functions: &[],
    types: &[&SIMPLE_QUEUE],
    constants: &[pellucid_object::constant("Empty", |vm| Ok(empty_type(vm)?.into_value()))],
    init: None,
};

//! The interpreter's lock: Python threads of one interpreter are threads of the system that take turns.
//!
//! Whoever has the lock may use the [`Interpreter`] and its values, nobody else. It is given away around calls that may
//! wait ([`Interpreter::allow_threads`]) and, when others ask for it, at polls ([`Interpreter::poll`]) after the
//! switch interval. While there is one thread only, all this costs a comparison.
//!
//! What belongs to a thread and not to the interpreter (the exception under way, the native depth, the loop's stack)
//! stands in the `Interpreter` while its thread has the lock and in a [`ThreadState`] on that thread's stack else.
//!
//! ```text
//!   thread A   run ──── poll ─┐ leave()            ┌─ enter() ── run
//!   thread B   wait ──────────┴ enter() ── run ────┴ leave() ...
//! ```
//!
//! When the interpreter ends, the lock is closed: a thread that comes back for it afterwards waits for ever and
//! touches nothing, as daemon threads do in CPython.
//!
//! This module holds the one promise that makes threads sound, in `Parcel`: what it carries into a new thread is
//! looked at with the lock only.

use crate::heap::SlotWord;
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::words::WordMap;
use crate::{Res, host};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How the loop keeps a stack for each thread; it installs itself in `Hooks::threads`.
#[derive(Clone, Copy)]
pub struct ThreadHooks {
    /// A stack for a new thread.
    pub make: fn(&Interpreter) -> Res<NonNull<()>>,
    /// Makes this the running stack and gives the one that was.
    pub swap: fn(&Interpreter, NonNull<()>) -> NonNull<()>,
    /// Ends a stack that is not running.
    pub end: fn(&Interpreter, NonNull<()>),
}

/// What belongs to one thread.
#[derive(Default)]
pub struct ThreadState {
    raised: SlotWord,
    handled: SlotWord,
    native_depth: usize,
    ident: u64,
    loop_stack: Option<NonNull<()>>,
    states: WordMap<TypeId, Rc<dyn Any>>,
}

#[derive(Default)]
struct State {
    held: bool,
    closed: bool,
    /// Counts changes of hands, so that a thread that was asked to give way can see that somebody took over.
    turn: u64,
    waiting: usize,
}

struct Lock {
    state: Mutex<State>,
    freed: Condvar,
    taken: Condvar,
    drop_requested: AtomicBool,
    interval: AtomicU64,
    /// Makes the running thread poll.
    attention: Arc<AtomicBool>,
}

/// The lock of an interpreter, and what is known of its threads.
pub struct Gil {
    lock: Arc<Lock>,
    threads: Cell<usize>,
    main: Cell<u64>,
    ident: Cell<u64>,
    loop_stack: Cell<Option<NonNull<()>>>,
    states: RefCell<WordMap<TypeId, Rc<dyn Any>>>,
    /// The stacks of all threads that run Python code, by ident, once there is more than one.
    stacks: RefCell<Vec<(u64, NonNull<()>)>>,
}

const DEFAULT_INTERVAL: Duration = Duration::from_millis(5);

impl Lock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acquire(&self) {
        let mut state = self.state();
        state.waiting += 1;
        while state.held || state.closed {
            let turn = state.turn;
            if state.closed {
                state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let interval = Duration::from_nanos(self.interval.load(Ordering::Relaxed));
            let (next, timed_out) =
                self.freed.wait_timeout(state, interval).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timed_out.timed_out() && state.held && state.turn == turn {
                self.drop_requested.store(true, Ordering::SeqCst);
                self.attention.store(true, Ordering::SeqCst);
            }
        }
        state.waiting -= 1;
        state.held = true;
        state.turn = state.turn.wrapping_add(1);
        self.drop_requested.store(false, Ordering::SeqCst);
        self.taken.notify_all();
    }

    fn release(&self) {
        self.state().held = false;
        self.freed.notify_one();
    }

    /// Releases, and waits until one of those who wait has the lock, if there is any.
    fn give_way(&self) {
        let mut state = self.state();
        let turn = state.turn;
        state.held = false;
        self.freed.notify_one();
        while state.turn == turn && state.waiting > 0 && !state.closed {
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Gil {
    pub(crate) fn new(attention: &Arc<AtomicBool>) -> Gil {
        let lock = Lock {
            state: Mutex::new(State { held: true, ..State::default() }),
            freed: Condvar::new(),
            taken: Condvar::new(),
            drop_requested: AtomicBool::new(false),
            interval: AtomicU64::new(DEFAULT_INTERVAL.as_nanos() as u64),
            attention: attention.clone(),
        };
        let ident = host::thread_ident();
        Gil {
            lock: Arc::new(lock),
            threads: Cell::new(1),
            main: Cell::new(ident),
            ident: Cell::new(ident),
            loop_stack: Cell::new(None),
            states: RefCell::default(),
            stacks: RefCell::default(),
        }
    }

    /// Number of Python threads, the main one included.
    pub fn threads(&self) -> usize {
        self.threads.get()
    }

    /// `threading.get_ident()`.
    pub fn ident(&self) -> u64 {
        self.ident.get()
    }

    /// The thread that made the interpreter: signal handlers run there.
    pub fn main_ident(&self) -> u64 {
        self.main.get()
    }

    pub fn is_main(&self) -> bool {
        self.ident.get() == self.main.get()
    }

    /// How long a thread that wants the lock waits before it asks for it.
    pub fn switch_interval(&self) -> Duration {
        Duration::from_nanos(self.lock.interval.load(Ordering::Relaxed))
    }
    pub fn set_switch_interval(&self, interval: Duration) {
        let nanoseconds = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.lock.interval.store(nanoseconds, Ordering::Relaxed);
    }

    /// From now on a thread that has left never comes back.
    pub(crate) fn close(&self) {
        self.lock.state().closed = true;
    }

    /// The stacks and states of all threads but the running one, which is the main one now, are gone: in the child of a fork.
    pub fn only_this_thread(&self) {
        self.threads.set(1);
        self.main.set(self.ident.get());
        self.stacks.borrow_mut().retain(|(ident, _)| *ident == self.ident.get());
        let mut state = self.lock.state();
        *state = State { held: true, turn: state.turn, ..State::default() };
        self.lock.drop_requested.store(false, Ordering::SeqCst);
    }

    pub(crate) fn drop_states(&self) {
        let states = self.states.take();
        drop(states);
    }
}

/// Carries the body of a thread and its interpreter into that thread.
struct Parcel {
    vm: *const Interpreter,
    lock: Arc<Lock>,
    body: Box<dyn FnOnce(&Interpreter)>,
}

// SAFETY: the new thread touches `vm` and `body` only after it has taken the interpreter's lock, and gives the lock back
// after it is done with both, so nobody else uses the interpreter meanwhile. The lock, which is made for that, is all
// that it touches before. An interpreter that ends closes its lock first: then the thread stays inside `acquire`
// for ever and never reaches them.
unsafe impl Send for Parcel {}

impl Parcel {
    fn run(self) {
        self.lock.acquire();
        // SAFETY: we have the lock, so the interpreter lives and is ours.
        let vm = unsafe { &*self.vm };
        let meter = vm.heap.meter().clone();
        meter.enter();
        vm.enter(ThreadState { ident: host::thread_ident(), ..ThreadState::default() });
        (self.body)(vm);
        vm.end_thread();
        meter.leave();
        self.lock.release();
    }
}

impl Interpreter {
    #[inline(always)]
    pub fn gil(&self) -> &Gil {
        &self.gil
    }

    /// Runs `f`, which may wait, while other threads may use the interpreter. Nothing of the interpreter can be used
    /// inside: `Send` sees to that.
    #[inline]
    pub fn allow_threads<R>(&self, f: impl FnOnce() -> R + Send) -> R {
        if self.gil.threads.get() == 1 { f() } else { self.without_lock(f) }
    }

    fn without_lock<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Takes the lock again, after a panic too.
        struct Return<'a>(&'a Interpreter, Option<ThreadState>);
        impl Drop for Return<'_> {
            fn drop(&mut self) {
                self.0.gil.lock.acquire();
                if let Some(state) = self.1.take() {
                    self.0.enter(state);
                }
            }
        }
        let back = Return(self, Some(self.leave()));
        self.gil.lock.release();
        let result = f();
        drop(back);
        result
    }

    /// Lets another thread run if one has asked for it.
    pub(crate) fn give_way(&self) {
        if !self.gil.lock.drop_requested.load(Ordering::SeqCst) {
            return;
        }
        let state = self.leave();
        self.gil.lock.give_way();
        self.gil.lock.acquire();
        self.enter(state);
    }

    /// Takes what belongs to this thread out of the interpreter.
    fn leave(&self) -> ThreadState {
        ThreadState {
            raised: SlotWord::new(self.save_raised()),
            handled: SlotWord::new(self.replace_handled(None)),
            native_depth: self.native_depth.replace(0),
            ident: self.gil.ident.get(),
            loop_stack: self.gil.loop_stack.get(),
            states: self.gil.states.take(),
        }
    }

    /// Puts what belongs to this thread into the interpreter.
    fn enter(&self, state: ThreadState) {
        self.restore_raised(state.raised.replace(None));
        drop(self.replace_handled(state.handled.replace(None)));
        self.native_depth.set(state.native_depth);
        self.gil.ident.set(state.ident);
        self.gil.states.replace(state.states);
        self.gil.loop_stack.set(state.loop_stack);
        if let (Some(stack), Some(hooks)) = (state.loop_stack, self.hooks.threads.get()) {
            (hooks.swap)(self, stack);
        }
        // Only some threads see to some things (the main thread to signals): each looks when its turn comes.
        self.attention.store(true, Ordering::SeqCst);
    }

    /// Ends what belongs to the running thread, which does not run Python code any more.
    fn end_thread(&self) {
        drop(self.save_raised());
        drop(self.replace_handled(None));
        self.gil.drop_states();
        let ident = self.gil.ident.get();
        self.gil.stacks.borrow_mut().retain(|(owner, _)| *owner != ident);
        if let (Some(stack), Some(hooks)) = (self.gil.loop_stack.take(), self.hooks.threads.get()) {
            (hooks.end)(self, stack);
        }
        self.gil.threads.set(self.gil.threads.get() - 1);
    }

    /// Starts a thread that runs `body` when its turn comes. Errors: those of the system (no more threads), of making the loop's stack.
    pub fn start_thread(
        &self,
        name: &str,
        stack_size: usize,
        body: Box<dyn FnOnce(&Interpreter)>,
    ) -> Res<Result<(), host::Error>> {
        let stack = match self.hooks.threads.get() {
            Some(hooks) => Some(self.loop_stack_for_new_thread(hooks)?),
            None => None,
        };
        let run = Box::new(move |vm: &Interpreter| {
            if let (Some(stack), Some(hooks)) = (stack, vm.hooks.threads.get()) {
                vm.gil.loop_stack.set(Some(stack));
                vm.gil.stacks.borrow_mut().push((vm.gil.ident.get(), stack));
                (hooks.swap)(vm, stack);
            }
            body(vm);
        });
        let parcel = Parcel { vm: self, lock: self.gil.lock.clone(), body: run };
        self.gil.threads.set(self.gil.threads.get() + 1);
        let started = std::thread::Builder::new()
            .name(name.chars().filter(|c| *c != '\0').collect())
            .stack_size(stack_size)
            .spawn(move || {
                parcel.run();
                pellucid_memory::retire_thread();
            });
        if let Err(error) = started {
            self.gil.threads.set(self.gil.threads.get() - 1);
            if let (Some(stack), Some(hooks)) = (stack, self.hooks.threads.get()) {
                (hooks.end)(self, stack);
            }
            return Ok(Err(error.into()));
        }
        Ok(Ok(()))
    }

    /// A stack of the loop for a new thread. The running thread's own one becomes known here, the first time.
    fn loop_stack_for_new_thread(&self, hooks: ThreadHooks) -> Res<NonNull<()>> {
        let fresh = (hooks.make)(self)?;
        if self.gil.loop_stack.get().is_none() {
            let mine = (hooks.swap)(self, fresh);
            (hooks.swap)(self, mine);
            self.gil.loop_stack.set(Some(mine));
            self.gil.stacks.borrow_mut().push((self.gil.ident.get(), mine));
        }
        Ok(fresh)
    }

    /// The innermost frames of all threads, by ident, the newest thread first. Errors: `MemoryError`.
    pub fn frames_of_threads(&self) -> Res<Vec<(u64, Value)>> {
        let own = self.gil.ident.get();
        let mut result = Vec::new();
        let (Some(frame), Some(hooks)) = (self.hooks.frame.get(), self.hooks.threads.get()) else {
            return Ok(result);
        };
        let stacks = self.gil.stacks.borrow().clone();
        if !stacks.iter().any(|(ident, _)| *ident == own) {
            result.extend(frame(self, 0)?.map(|frame| (own, frame)));
        }
        for (ident, stack) in stacks.into_iter().rev() {
            let mine = (hooks.swap)(self, stack);
            let found = frame(self, 0);
            (hooks.swap)(self, mine);
            result.extend(found?.map(|frame| (ident, frame)));
        }
        Ok(result)
    }

    /// State of another crate that each thread has for itself, made on first use.
    pub fn thread_state<T: Default + 'static>(&self) -> Rc<T> {
        let mut states = self.gil.states.borrow_mut();
        let any = states.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(T::default())).clone();
        match any.downcast::<T>() {
            Ok(state) => state,
            Err(_) => unreachable!("keyed by its type"),
        }
    }

    fn replace_handled(&self, exception: Option<Value>) -> Option<Value> {
        let old = self.handled_exception();
        self.set_handled_exception(exception);
        old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_turns_and_keep_their_own_state() {
        let vm = Interpreter::new().expect("memory");
        let log: Rc<RefCell<Vec<u32>>> = Rc::default();
        for id in 1..=3 {
            let log = log.clone();
            let body = Box::new(move |vm: &Interpreter| {
                vm.thread_state::<Cell<u32>>().set(id);
                for _ in 0..200 {
                    vm.allow_threads(std::thread::yield_now);
                    assert_eq!(vm.thread_state::<Cell<u32>>().get(), id);
                    log.borrow_mut().push(id);
                }
            });
            vm.start_thread("t", 1 << 20, body).expect("raised").expect("started");
        }
        while vm.gil().threads() > 1 {
            vm.allow_threads(|| std::thread::sleep(Duration::from_millis(1)));
        }
        assert_eq!(log.borrow().len(), 600);
    }

    #[test]
    fn a_thread_that_polls_gives_way() {
        let vm = Interpreter::new().expect("memory");
        let done: Rc<Cell<bool>> = Rc::default();
        let flag = done.clone();
        vm.start_thread("t", 1 << 20, Box::new(move |_| flag.set(true))).expect("raised").expect("started");
        while !done.get() {
            vm.poll().expect("nothing raises");
        }
    }
}

//! Locks that Python threads wait for without the interpreter's lock.

use pellucid_object::{Interpreter, Res};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the main thread looks after signals while it waits.
const SLICE: Duration = Duration::from_millis(20);

/// A lock that any thread may release.
#[derive(Default)]
pub struct RawLock {
    held: AtomicBool,
    waiting: AtomicUsize,
    gate: Mutex<()>,
    freed: Condvar,
}

impl RawLock {
    pub fn try_acquire(&self) -> bool {
        self.held.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// False when nobody held it.
    pub fn release(&self) -> bool {
        if !self.held.swap(false, Ordering::SeqCst) {
            return false;
        }
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // Who waits has looked at `held` with the gate closed, so nobody falls asleep between the two.
            drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
            self.freed.notify_one();
        }
        true
    }

    /// Forgets all who held or waited: in the child of a fork.
    pub fn reset(&self) {
        self.held.store(false, Ordering::SeqCst);
        self.waiting.store(0, Ordering::SeqCst);
    }

    /// Waits at most until `end`. Needs nothing of an interpreter.
    fn wait(&self, end: Option<Instant>) -> bool {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let got = loop {
            if self.try_acquire() {
                break true;
            }
            gate = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.freed.wait(gate).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break false,
                Some(left) => self.freed.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        got
    }

    /// Waits for the lock, at most `timeout`; other threads run meanwhile, and so do handlers of signals.
    /// Errors: what handlers raise.
    pub fn acquire(&self, vm: &Interpreter, timeout: Option<Duration>) -> Res<bool> {
        if self.try_acquire() {
            return Ok(true);
        }
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let slice = if vm.gil().is_main() { Instant::now().checked_add(SLICE) } else { None };
            let until = match (end, slice) {
                (Some(end), Some(slice)) => Some(end.min(slice)),
                (end, slice) => end.or(slice),
            };
            if vm.allow_threads(|| self.wait(until)) {
                return Ok(true);
            }
            vm.poll()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(self.try_acquire());
            }
        }
    }
}

/// A lock that its owner may take again, and nobody else may release.
#[derive(Default)]
pub struct OwnedLock {
    lock: RawLock,
    owner: Cell<u64>,
    count: Cell<usize>,
}

impl OwnedLock {
    pub fn is_mine(&self, vm: &Interpreter) -> bool {
        self.count.get() > 0 && self.owner.get() == vm.gil().ident()
    }

    pub fn owner(&self) -> u64 {
        if self.count.get() > 0 { self.owner.get() } else { 0 }
    }

    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// Errors: what handlers of signals raise.
    pub fn acquire(&self, vm: &Interpreter, timeout: Option<Duration>) -> Res<bool> {
        if self.is_mine(vm) {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        if !self.lock.acquire(vm, timeout)? {
            return Ok(false);
        }
        self.owner.set(vm.gil().ident());
        self.count.set(1);
        Ok(true)
    }

    /// False when somebody else has it, or nobody.
    pub fn release(&self, vm: &Interpreter) -> bool {
        if !self.is_mine(vm) {
            return false;
        }
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.owner.set(0);
            self.lock.release();
        }
        true
    }

    /// Gives it up whole and says how often it was taken; `None` when it is not ours.
    pub fn release_all(&self, vm: &Interpreter) -> Option<(usize, u64)> {
        if !self.is_mine(vm) {
            return None;
        }
        let state = (self.count.replace(0), self.owner.replace(0));
        self.lock.release();
        Some(state)
    }

    /// Takes it back as it was before [`OwnedLock::release_all`]. Errors: what handlers raise.
    pub fn acquire_all(&self, vm: &Interpreter, count: usize, owner: u64) -> Res<()> {
        self.lock.acquire(vm, None)?;
        self.count.set(count);
        self.owner.set(owner);
        Ok(())
    }

    pub fn reset(&self) {
        self.lock.reset();
        self.owner.set(0);
        self.count.set(0);
    }
}

/// Something that happens once, which others may wait for.
#[derive(Default)]
pub struct Event {
    happened: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    pub fn set(&self) {
        *self.happened.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub fn is_set(&self) -> bool {
        *self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(&self, end: Option<Instant>) -> bool {
        let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        while !*happened {
            happened = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(happened).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    self.changed.wait_timeout(happened, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }

    /// Waits for it, at most `timeout`. Errors: what handlers of signals raise.
    pub fn wait(&self, vm: &Interpreter, timeout: Option<Duration>) -> Res<bool> {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let slice = if vm.gil().is_main() { Instant::now().checked_add(SLICE) } else { None };
            let until = match (end, slice) {
                (Some(end), Some(slice)) => Some(end.min(slice)),
                (end, slice) => end.or(slice),
            };
            if vm.allow_threads(|| self.wait_until(until)) {
                return Ok(true);
            }
            vm.poll()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(self.is_set());
            }
        }
    }
}

//! Dicts: storage. Ordered by insertion: an entry vector plus an open-addressing index (Raymond Hettinger's compact
//! dict). A small dict has no index: its entries are looked through. Comparing keys may run Python code, which may change the dict: a look-up copies the key it compares,
//! and starts again when the dict's `revision` moved meanwhile.
//!
//! `keys_version` changes whenever an entry appears, disappears or moves; a cache that remembers it knows that entry `i` is
//! still the entry of its key, and reads the value there.

use crate::Res;
use crate::heap::{Payload, Ref, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::str::Str;
use crate::value::Value;
use std::cell::{Cell, RefCell};

struct Entry {
    hash: i64,
    key: Value,
    value: Value,
}

#[derive(Default)]
struct Table {
    /// `None`: the entry was deleted.
    entries: Vec<Option<Entry>>,
    /// 0: empty; 1: deleted; else entry index + 2. The length is a power of two, or 0: there are at most [`SMALL`] entries.
    index: Vec<u32>,
    live: usize,
    /// No entry before this one lives.
    first: usize,
    /// Places of the index that are not empty, deleted ones included: one empty place must be left to end look-ups.
    used: usize,
}

/// Payload of `dict`.
#[derive(Default)]
pub struct Dict {
    table: RefCell<Table>,
    keys_version: Cell<u64>,
}

/// How many entries, deleted ones included, are looked through without an index.
const SMALL: usize = 8;

/// How errors call a key.
const KEY: &str = "a dict key";

/// What a look-up that asks nobody gives.
enum Plain {
    Found(usize),
    Missing,
    /// A key with the same hash must be asked whether it is equal.
    Ask,
}

enum Probe {
    Found(usize),
    Missing,
    /// A key with the same hash at this entry must be compared.
    Compare(usize, Value),
}

impl Payload for Dict {
    fn trace(&self, visit: &mut Visitor) {
        for entry in self.table.borrow().entries.iter().flatten() {
            visit(&entry.key);
            visit(&entry.value);
        }
    }
    fn clear(&self) {
        self.clear_entries();
    }
}

impl Entry {
    /// What a look-up for `key` says of the entry, which is number `at`; `None`: it is another key.
    #[inline]
    fn probe(&self, at: usize, key: &Value, hash: i64, text: Option<&Str>) -> Option<Probe> {
        if self.key.is(key) {
            return Some(Probe::Found(at));
        }
        if self.hash != hash || self.key.is_small_int() && key.is_small_int() {
            return None;
        }
        if let Some(text) = text
            && same_type(&self.key, key)
            && let Some(other) = self.key.downcast::<Str>()
        {
            return (other.text == text.text).then_some(Probe::Found(at));
        }
        Some(Probe::Compare(at, self.key.clone()))
    }
}

impl Table {
    /// The next live entry at or after `position`, and its index.
    #[inline]
    fn from(&self, position: usize) -> Option<(usize, &Entry)> {
        let mut at = position.max(self.first);
        loop {
            match self.entries.get(at)? {
                Some(entry) => return Some((at, entry)),
                None => at += 1,
            }
        }
    }

    /// The last live entry before `position`, and its index.
    fn before(&self, position: usize) -> Option<(usize, &Entry)> {
        let mut at = position.min(self.entries.len());
        loop {
            at = at.checked_sub(1)?;
            if let Some(entry) = self.entries.get(at)? {
                return Some((at, entry));
            }
        }
    }

    /// Looks for `key` from probe step `step` on, which it advances. Strings of one type and small ints are compared here:
    /// no Python code needs to be asked about them.
    #[inline]
    fn probe(&self, key: &Value, hash: i64, text: Option<&Str>, step: &mut usize) -> Probe {
        if self.index.is_empty() {
            while let Some(entry) = self.entries.get(*step) {
                let at = *step;
                *step += 1;
                if let Some(entry) = entry
                    && let Some(probe) = entry.probe(at, key, hash, text)
                {
                    return probe;
                }
            }
            return Probe::Missing;
        }
        let mask = self.index.len() - 1;
        let spread = spread(hash);
        loop {
            let at = (spread + triangular(*step)) & mask;
            *step += 1;
            let slot = self.index[at] as usize;
            if slot < 2 {
                if slot == 0 {
                    return Probe::Missing;
                }
                continue;
            }
            if let Some(Some(entry)) = self.entries.get(slot - 2)
                && let Some(probe) = entry.probe(slot - 2, key, hash, text)
            {
                return probe;
            }
        }
    }

    /// Looks for `key` among keys that can be compared without Python code.
    #[inline]
    fn find_plain(&self, vm: &Interpreter, key: &Value, hash: i64) -> Plain {
        let Some(mask) = self.index.len().checked_sub(1) else { return self.find_small(vm, key, hash) };
        let (spread, mut step) = (spread(hash), 0);
        loop {
            let slot = self.index[(spread + triangular(step)) & mask] as usize;
            step += 1;
            if slot < 2 {
                if slot == 0 {
                    return Plain::Missing;
                }
                continue;
            }
            let Some(Some(entry)) = self.entries.get(slot - 2) else { continue };
            if entry.key.is(key) {
                return Plain::Found(slot - 2);
            }
            if entry.hash != hash {
                continue;
            }
            match vm.plainly_equal(&entry.key, key) {
                Some(true) => return Plain::Found(slot - 2),
                Some(false) => {}
                None => return Plain::Ask,
            }
        }
    }

    /// As [`Table::find_plain`], without an index.
    #[inline]
    fn find_small(&self, vm: &Interpreter, key: &Value, hash: i64) -> Plain {
        for (at, entry) in self.entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            if entry.key.is(key) {
                return Plain::Found(at);
            }
            if entry.hash == hash {
                match vm.plainly_equal(&entry.key, key) {
                    Some(true) => return Plain::Found(at),
                    Some(false) => {}
                    None => return Plain::Ask,
                }
            }
        }
        Plain::Missing
    }

    /// Makes room for `more` entries in a new table, and gives it the index that they need.
    fn reserve(&mut self, more: usize) -> Result<(), std::collections::TryReserveError> {
        self.entries.try_reserve_exact(more)?;
        if more > SMALL {
            let size = ((more + 1) * 2).next_power_of_two();
            self.index.try_reserve_exact(size)?;
            self.index.resize(size, 0);
        }
        Ok(())
    }

    fn grow(&mut self) -> Result<(), std::collections::TryReserveError> {
        let size = ((self.live + 1) * 2).next_power_of_two().max(8);
        let mut index = Vec::new();
        index.try_reserve_exact(size)?;
        index.resize(size, 0);
        self.entries.try_reserve((size / 2).saturating_sub(self.entries.len()))?;
        if self.entries.len() > self.live {
            self.entries.retain(Option::is_some);
        }
        self.first = 0;
        for (i, entry) in self.entries.iter().enumerate() {
            if let Some(entry) = entry {
                let _ = place(&mut index, entry.hash, i);
            }
        }
        self.index = index;
        self.used = self.live;
        Ok(())
    }

    fn append(
        &mut self,
        hash: i64,
        key: Value,
        value: Value,
    ) -> Result<(), std::collections::TryReserveError> {
        if self.index.is_empty() {
            if self.entries.len() == SMALL {
                self.grow()?;
            } else if self.entries.len() == self.entries.capacity() {
                self.entries.try_reserve(1)?;
            }
        } else if (self.entries.len().max(self.used) + 1) * 4 > self.index.len() * 3 {
            self.grow()?;
        }
        if !self.index.is_empty() {
            self.used += usize::from(place(&mut self.index, hash, self.entries.len()));
        }
        self.entries.push(Some(Entry { hash, key, value }));
        self.live += 1;
        Ok(())
    }

    fn delete(&mut self, i: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(i)?.take()?;
        if let Some(mask) = self.index.len().checked_sub(1) {
            let mut step = 0;
            loop {
                let at = (spread(entry.hash) + triangular(step)) & mask;
                if self.index[at] as usize == i + 2 {
                    self.index[at] = 1;
                    break;
                }
                step += 1;
            }
        }
        self.live -= 1;
        if i == self.first {
            self.first +=
                self.entries.get(i..).map_or(0, |rest| rest.iter().take_while(|e| e.is_none()).count());
        }
        self.first = self.first.min(self.entries.len());
        Some(entry)
    }

    /// Gives up the places of deleted entries at the end. An iterator that stands beyond them does not see entries that come
    /// there later, so only what takes the last entry does this.
    fn trim(&mut self) {
        while matches!(self.entries.last(), Some(None)) {
            self.entries.pop();
        }
        self.first = self.first.min(self.entries.len());
    }

    /// Makes room for entries before the first one, so that moving there is cheap on average.
    fn open_front(&mut self) -> Result<(), std::collections::TryReserveError> {
        let gap = self.live.max(4);
        let mut entries = Vec::new();
        entries.try_reserve_exact(gap + self.live + 1)?;
        entries.resize_with(gap, || None);
        entries.extend(self.entries.drain(..).filter(Option::is_some));
        let size = ((entries.len() + 1) * 2).next_power_of_two().max(8);
        self.entries = entries;
        self.first = gap;
        let mut index = Vec::new();
        index.try_reserve_exact(size)?;
        index.resize(size, 0);
        for (i, entry) in self.entries.iter().enumerate() {
            if let Some(entry) = entry {
                let _ = place(&mut index, entry.hash, i);
            }
        }
        self.index = index;
        self.used = self.live;
        Ok(())
    }
}

/// Enters entry `i` in an index that has room; whether an empty place was used up.
fn place(index: &mut [u32], hash: i64, i: usize) -> bool {
    let (mask, mut step) = (index.len() - 1, 0);
    while index[(spread(hash) + triangular(step)) & mask] > 1 {
        step += 1;
    }
    let place = &mut index[(spread(hash) + triangular(step)) & mask];
    let fresh = *place == 0;
    *place = i as u32 + 2;
    fresh
}

fn same_type(a: &Value, b: &Value) -> bool {
    a.header().map(|h| h.ty.get()) == b.header().map(|h| h.ty.get())
}

/// Where a hash begins to look. Ints in a row have places of their own near each other, which is kind to caches; the higher
/// bits come in for keys that differ only there, such as addresses.
#[inline]
fn spread(hash: i64) -> usize {
    let hash = hash as u64;
    (hash ^ (hash >> 4) ^ (hash >> 8) ^ (hash >> 20) ^ (hash >> 40)) as usize & (usize::MAX >> 1)
}

/// Triangular probing visits every place of a table whose size is a power of two.
#[inline]
fn triangular(step: usize) -> usize {
    step * (step + 1) / 2
}

impl Dict {
    /// For machine code, in bytes: from the payload's start to the keys' version and to the vector of entries; the size of an
    /// entry, and where its value stands.
    pub(crate) fn offsets() -> Option<(usize, usize, usize, usize)> {
        let mut dict = Dict::default();
        let start = std::ptr::from_ref(&dict) as usize;
        let version = std::ptr::from_ref(&dict.keys_version) as usize - start;
        let table = dict.table.get_mut();
        let entries = std::ptr::from_ref(&table.entries) as usize - start;
        let entry = Some(Entry { hash: 0, key: Value::NONE, value: Value::NONE });
        let value = std::ptr::from_ref(&entry.as_ref()?.value) as usize - std::ptr::from_ref(&entry) as usize;
        Some((version, entries, size_of::<Option<Entry>>(), value))
    }
    pub fn len(&self) -> usize {
        self.table.borrow().live
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// See the module's text.
    #[inline(always)]
    pub fn keys_version(&self) -> u64 {
        self.keys_version.get()
    }
    fn keys_changed(&self, vm: &Interpreter) {
        self.keys_version.set(vm.next_keys_version());
    }

    /// The entry index of `key`. Errors: what comparing raises.
    #[inline]
    pub fn find(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<Option<usize>> {
        let Some(table) = self.peek() else { return Err(vm.bug("a dict is looked at while it changes")) };
        match table.find_plain(vm, key, hash) {
            Plain::Found(i) => Ok(Some(i)),
            Plain::Missing => Ok(None),
            Plain::Ask => self.find_asking(vm, key, hash),
        }
    }

    /// As [`Dict::find`], some of the keys being of types that must be asked.
    #[inline(never)]
    fn find_asking(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<Option<usize>> {
        let text = if vm.is_exact(key, &vm.types().str) { key.downcast::<Str>() } else { None };
        let mut step = 0;
        loop {
            let probe = self.table.borrow().probe(key, hash, text, &mut step);
            match probe {
                Probe::Found(i) => return Ok(Some(i)),
                Probe::Missing => return Ok(None),
                Probe::Compare(i, candidate) => {
                    let version = self.keys_version.get();
                    if vm.keys_equal(&candidate, key)? {
                        let intact = self.keys_version.get() == version
                            || self
                                .table
                                .borrow()
                                .entries
                                .get(i)
                                .and_then(Option::as_ref)
                                .is_some_and(|e| e.key.is(&candidate));
                        if intact {
                            return Ok(Some(i));
                        }
                        step = 0;
                    } else if self.keys_version.get() != version {
                        step = 0;
                    }
                }
            }
        }
    }

    /// The entry index of `key`, where nobody needs to be asked: `None` when somebody must.
    pub fn find_plain(&self, vm: &Interpreter, key: &Value, hash: i64) -> Option<Option<usize>> {
        match self.peek()?.find_plain(vm, key, hash) {
            Plain::Found(i) => Some(Some(i)),
            Plain::Missing => Some(None),
            Plain::Ask => None,
        }
    }

    /// The value of entry `i`, if that entry lives; `value` stands there then.
    pub fn swap_at(&self, i: usize, value: &Value) -> Option<Value> {
        let mut table = self.table.borrow_mut();
        let entry = table.entries.get_mut(i)?.as_mut()?;
        Some(std::mem::replace(&mut entry.value, value.clone()))
    }

    /// Enters a key that is known not to be there. Errors: `MemoryError`.
    pub fn enter(&self, vm: &Interpreter, key: Value, hash: i64, value: Value) -> Res<()> {
        let done = self.table.borrow_mut().append(hash, key, value);
        self.keys_changed(vm);
        done.map_err(|_| vm.no_memory())
    }

    #[inline]
    pub fn get(&self, vm: &Interpreter, key: &Value) -> Res<Option<Value>> {
        let hash = vm.hash_key(key, KEY)?;
        Ok(self.find(vm, key, hash)?.and_then(|i| self.value_at(i)))
    }

    pub fn contains(&self, vm: &Interpreter, key: &Value) -> Res<bool> {
        let hash = vm.hash_key(key, KEY)?;
        Ok(self.find(vm, key, hash)?.is_some())
    }

    /// Look-up by a `str`.
    pub fn get_str(&self, vm: &Interpreter, key: &Value) -> Res<Option<Value>> {
        self.get(vm, key)
    }

    /// Look-up by an interned `str`, which cannot raise when all keys are exact strings (namespaces); other keys are skipped.
    pub fn get_interned(&self, vm: &Interpreter, key: &Value) -> Option<Value> {
        self.find_interned(vm, key).and_then(|i| self.value_at(i))
    }

    /// As [`Dict::get_interned`], but keys of other types with the same hash are asked whether they are equal; what they raise
    /// does not count.
    pub fn get_interned_or_ask(&self, vm: &Interpreter, key: &Value) -> Option<Value> {
        let text = key.downcast::<Str>()?;
        let hash = vm.str_hash(text);
        let probe = self.table.borrow().probe(key, hash, Some(text), &mut 0);
        match probe {
            Probe::Found(i) => self.value_at(i),
            Probe::Missing => None,
            Probe::Compare(..) => match self.get(vm, key) {
                Ok(found) => found,
                Err(raised) => {
                    drop(vm.take_raised(raised));
                    None
                }
            },
        }
    }

    /// As [`Dict::get_interned`], the entry index.
    pub fn find_interned(&self, vm: &Interpreter, key: &Value) -> Option<usize> {
        let text = key.downcast::<Str>()?;
        let hash = vm.str_hash(text);
        let table = self.table.borrow();
        let mut step = 0;
        loop {
            match table.probe(key, hash, Some(text), &mut step) {
                Probe::Found(i) => return Some(i),
                Probe::Missing => return None,
                Probe::Compare(i, candidate) => {
                    if candidate.downcast::<Str>().is_some_and(|other| other.text == text.text) {
                        return Some(i);
                    }
                }
            }
        }
    }

    /// The value of entry `i`, if that entry lives.
    #[inline]
    pub fn value_at(&self, i: usize) -> Option<Value> {
        self.peek()?.entries.get(i)?.as_ref().map(|e| e.value.clone())
    }

    /// The value of entry `i`, if that is the entry of `key` itself.
    #[inline]
    pub fn value_of(&self, i: usize, key: &Value) -> Option<Value> {
        let entry = self.peek()?.entries.get(i)?.as_ref()?;
        if entry.key.is(key) { Some(entry.value.clone()) } else { None }
    }

    /// Replaces the value of entry `i`, if that is the entry of `key` itself; false when it is not.
    #[inline]
    pub fn set_value_of(&self, i: usize, key: &Value, value: &Value) -> bool {
        let old = match self.table.borrow_mut().entries.get_mut(i) {
            Some(Some(entry)) if entry.key.is(key) => std::mem::replace(&mut entry.value, value.clone()),
            _ => return false,
        };
        drop(old);
        true
    }

    /// Whether an interned `str` is certainly no key: false when a key of another type must be asked.
    pub fn lacks_interned(&self, vm: &Interpreter, key: &Value) -> bool {
        let Some(text) = key.downcast::<Str>() else { return false };
        let probe = self.table.borrow().probe(key, vm.str_hash(text), Some(text), &mut 0);
        matches!(probe, Probe::Missing)
    }

    /// The table, for as long as nothing else runs.
    #[inline(always)]
    fn peek(&self) -> Option<&Table> {
        // SAFETY: its users neither run Python code nor change the table while they hold the reference.
        unsafe { self.table.try_borrow_unguarded() }.ok()
    }

    /// Replaces the value of entry `i`; gives `value` back when there is no such entry.
    #[inline]
    pub fn set_at(&self, i: usize, value: Value) -> Result<(), Value> {
        let old = match self.table.borrow_mut().entries.get_mut(i) {
            Some(Some(entry)) => std::mem::replace(&mut entry.value, value),
            _ => return Err(value),
        };
        drop(old);
        Ok(())
    }

    /// All keys with their hashes, safe to keep while Python code runs.
    pub fn hashed_keys(&self) -> Vec<(i64, Value)> {
        self.table.borrow().entries.iter().flatten().map(|e| (e.hash, e.key.clone())).collect()
    }

    /// The next live entry at or after `position`: (its index, key, value). For iteration.
    pub fn entry_from(&self, position: usize) -> Option<(usize, Value, Value)> {
        let table = self.table.borrow();
        let (at, entry) = table.from(position)?;
        Some((at, entry.key.clone(), entry.value.clone()))
    }

    /// The last live entry before `position`, for reversed iteration.
    pub fn entry_before(&self, position: usize) -> Option<(usize, Value, Value)> {
        let table = self.table.borrow();
        let (at, entry) = table.before(position)?;
        Some((at, entry.key.clone(), entry.value.clone()))
    }

    /// Length of the entry vector, deleted ones included: where reversed iteration starts.
    pub fn entry_count(&self) -> usize {
        self.table.borrow().entries.len()
    }

    /// Sets `self[key] = value`. Errors: unhashable key, what comparing raises, `MemoryError`.
    pub fn set(&self, vm: &Interpreter, key: Value, value: Value) -> Res<()> {
        let hash = vm.hash_key(&key, KEY)?;
        self.set_hashed(vm, key, hash, value)
    }

    pub fn set_hashed(&self, vm: &Interpreter, key: Value, hash: i64, value: Value) -> Res<()> {
        let value = match self.find(vm, &key, hash)? {
            Some(i) => match self.set_at(i, value) {
                Ok(()) => return Ok(()),
                Err(value) => value,
            },
            None => value,
        };
        self.enter(vm, key, hash, value)
    }

    /// Sets unless present; the value that is there afterwards.
    pub fn set_default(&self, vm: &Interpreter, key: Value, value: Value) -> Res {
        let hash = vm.hash_key(&key, KEY)?;
        if let Some(found) = self.find(vm, &key, hash)?.and_then(|i| self.value_at(i)) {
            return Ok(found);
        }
        let done = self.table.borrow_mut().append(hash, key, value.clone());
        self.keys_changed(vm);
        done.map_err(|_| vm.no_memory())?;
        Ok(value)
    }

    /// Removes the key; its value.
    pub fn remove(&self, vm: &Interpreter, key: &Value) -> Res<Option<Value>> {
        let hash = vm.hash_key(key, KEY)?;
        let Some(i) = self.find(vm, key, hash)? else { return Ok(None) };
        let Some(Entry { key, value, .. }) = self.table.borrow_mut().delete(i) else { return Ok(None) };
        self.keys_changed(vm);
        drop(key);
        Ok(Some(value))
    }

    /// Removes entry `i`; when it is the last one, its place too.
    pub fn remove_at(&self, vm: &Interpreter, i: usize) -> Option<(Value, Value)> {
        let mut table = self.table.borrow_mut();
        let entry = table.delete(i)?;
        table.trim();
        drop(table);
        self.keys_changed(vm);
        let Entry { key, value, .. } = entry;
        Some((key, value))
    }

    /// Makes entry `i` the last one. Errors: `MemoryError`.
    pub fn move_to_end(&self, vm: &Interpreter, i: usize) -> Res<()> {
        let mut table = self.table.borrow_mut();
        if i + 1 == table.entries.len() {
            return Ok(());
        }
        let Some(Entry { hash, key, value }) = table.delete(i) else { return Ok(()) };
        let done = table.append(hash, key, value);
        drop(table);
        self.keys_changed(vm);
        done.map_err(|_| vm.no_memory())
    }

    /// Makes entry `i` the first one. Errors: `MemoryError`.
    pub fn move_to_front(&self, vm: &Interpreter, i: usize) -> Res<()> {
        let mut table = self.table.borrow_mut();
        if i == table.first {
            return Ok(());
        }
        let Some(entry) = table.delete(i) else { return Ok(()) };
        if table.first == 0
            && let Err(_) = table.open_front()
        {
            drop(table);
            drop(entry);
            return Err(vm.no_memory());
        }
        let at = table.first - 1;
        if at < table.entries.len() {
            let table = &mut *table;
            if !table.index.is_empty() {
                table.used += usize::from(place(&mut table.index, entry.hash, at));
            }
            table.entries[at] = Some(entry);
            table.first = at;
            table.live += 1;
            self.keys_changed(vm);
            return Ok(());
        }
        let done = table.append(entry.hash, entry.key, entry.value);
        drop(table);
        self.keys_changed(vm);
        done.map_err(|_| vm.no_memory())
    }

    pub fn clear_entries(&self) {
        let old = self.table.take();
        // Any cached entry index is out of range now, whatever the version says.
        self.keys_version.set(0);
        drop(old);
    }

    /// A copy of all pairs, safe to keep while Python code runs.
    pub fn pairs(&self) -> Vec<(Value, Value)> {
        self.table.borrow().entries.iter().flatten().map(|e| (e.key.clone(), e.value.clone())).collect()
    }
    pub fn keys(&self) -> Vec<Value> {
        self.table.borrow().entries.iter().flatten().map(|e| e.key.clone()).collect()
    }
    pub fn values(&self) -> Vec<Value> {
        self.table.borrow().entries.iter().flatten().map(|e| e.value.clone()).collect()
    }

    /// The first live entry at or after `position` with its hash: (its index, hash, key, value).
    pub fn hashed_from(&self, position: usize) -> Option<(usize, i64, Value, Value)> {
        let table = self.table.borrow();
        let position = position.max(table.first);
        let rest = table.entries.get(position..)?;
        let (skip, entry) = rest.iter().enumerate().find_map(|(i, e)| e.as_ref().map(|e| (i, e)))?;
        Some((position + skip, entry.hash, entry.key.clone(), entry.value.clone()))
    }

    /// A dict of the same entries. Errors: `MemoryError`.
    pub fn copied(&self, vm: &Interpreter) -> Res<Dict> {
        let copy = Dict::default();
        let done =
            {
                let (table, mut fresh) = (self.table.borrow(), copy.table.borrow_mut());
                fresh.live = table.live;
                match fresh.entries.try_reserve(table.live) {
                    Err(error) => Err(error),
                    Ok(()) => {
                        let living = table.entries.iter().flatten();
                        fresh.entries.extend(living.map(|e| {
                            Some(Entry { hash: e.hash, key: e.key.clone(), value: e.value.clone() })
                        }));
                        if table.live <= SMALL { Ok(()) } else { fresh.grow() }
                    }
                }
            };
        copy.keys_changed(vm);
        done.map_err(|_| vm.no_memory())?;
        Ok(copy)
    }

    /// Takes over the entries of `other`; the old ones die.
    pub fn replace(&self, vm: &Interpreter, other: Dict) {
        let old = self.table.replace(other.table.take());
        self.keys_changed(vm);
        drop(old);
    }

    /// Bytes of the table, for `__sizeof__`.
    pub fn table_bytes(&self) -> usize {
        let table = self.table.borrow();
        table.index.len() * size_of::<u32>() + table.entries.capacity() * size_of::<Option<Entry>>()
    }

    /// Takes every entry of `other`; its keys keep their hashes.
    pub fn update_from(&self, vm: &Interpreter, other: &Dict) -> Res<()> {
        let pairs: Vec<(i64, Value, Value)> = other
            .table
            .borrow()
            .entries
            .iter()
            .flatten()
            .map(|e| (e.hash, e.key.clone(), e.value.clone()))
            .collect();
        pairs.into_iter().try_for_each(|(hash, key, value)| self.set_hashed(vm, key, hash, value))
    }
}

/// A place in a dict's entries: what its iterators hold.
pub struct DictCursor {
    /// A dict, or nothing at the end.
    dict: SlotWord,
    position: Cell<usize>,
    /// Entries that the dict had at the start; `usize::MAX` after a change was noticed.
    expected: Cell<usize>,
    left: Cell<usize>,
    backward: bool,
}

impl DictCursor {
    /// Before the first entry, or, `backward`, behind the last. `None`: that is no dict.
    pub fn new(value: &Value, backward: bool) -> Option<DictCursor> {
        let dict = value.downcast::<Dict>()?;
        Some(DictCursor {
            dict: SlotWord::new(Some(value.clone())),
            position: Cell::new(if backward { dict.table.borrow().entries.len() } else { 0 }),
            expected: Cell::new(dict.len()),
            left: Cell::new(dict.len()),
            backward,
        })
    }

    /// Another one at the same place.
    pub fn copy(&self) -> DictCursor {
        DictCursor {
            dict: SlotWord::new(self.dict.get()),
            position: self.position.clone(),
            expected: self.expected.clone(),
            left: self.left.clone(),
            backward: self.backward,
        }
    }

    /// How many entries are left.
    pub fn remaining(&self) -> usize {
        let len = self.dict.get().and_then(|dict| dict.downcast::<Dict>().map(Dict::len));
        if len == Some(self.expected.get()) { self.left.get() } else { 0 }
    }

    pub fn trace(&self, visit: &mut Visitor) {
        self.dict.trace(visit);
    }

    /// Ends the iteration.
    pub fn clear(&self) {
        self.dict.set(None);
    }

    /// What `take`, which must not run Python code, makes of the next key and value. Errors: `RuntimeError` when the dict has changed.
    #[inline]
    pub fn advance<R>(&self, vm: &Interpreter, take: impl FnOnce(&Value, &Value) -> R) -> Res<Option<R>> {
        // SAFETY: `new` took a dict, and the word is replaced only where the dict is not used any more.
        let Some(dict) = (unsafe { self.dict.peek().map(|dict| dict.payload_unchecked::<Dict>()) }) else {
            return Ok(None);
        };
        let table = dict.table.borrow();
        if table.live != self.expected.get() {
            drop(table);
            self.expected.set(usize::MAX);
            return Err(vm.runtime_error("dictionary changed size during iteration".to_string()));
        }
        let position = self.position.get();
        let found = if self.backward { table.before(position) } else { table.from(position) };
        let Some((at, entry)) = found else {
            drop(table);
            self.clear();
            return Ok(None);
        };
        let Some(left) = self.left.get().checked_sub(1) else {
            drop(table);
            self.clear();
            return Err(vm.runtime_error("dictionary keys changed during iteration".to_string()));
        };
        self.left.set(left);
        self.position.set(if self.backward { at } else { at + 1 });
        Ok(Some(take(&entry.key, &entry.value)))
    }
}

impl Interpreter {
    /// A new empty dict. Errors: `MemoryError`.
    #[inline]
    pub fn new_dict(&self) -> Res<Ref<Dict>> {
        // SAFETY: that type's objects hold a `Dict`, and it is no class made in Python.
        unsafe { Ok(Ref::assume(self.alloc_exact(&self.types().dict, Dict::default())?)) }
    }

    /// A new empty dict with room for `count` entries. Errors: `MemoryError`.
    pub fn new_dict_for(&self, count: usize) -> Res<Ref<Dict>> {
        let dict = self.new_dict()?;
        let done = dict.table.borrow_mut().reserve(count);
        done.map_err(|_| self.no_memory())?;
        Ok(dict)
    }

    /// A new dict of interned strings, all different, and their values. Errors: `MemoryError`.
    pub(crate) fn new_dict_of_names(
        &self,
        count: usize,
        pairs: impl Iterator<Item = (Value, Value)>,
    ) -> Res<Ref<Dict>> {
        let dict = self.new_dict_for(count)?;
        let mut table = dict.table.borrow_mut();
        for (name, value) in pairs {
            let hash = name.downcast::<Str>().map_or(0, |text| self.str_hash(text));
            if table.append(hash, name, value).is_err() {
                return Err(self.no_memory());
            }
        }
        drop(table);
        dict.keys_changed(self);
        Ok(dict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(i: i64) -> Value {
        Value::small_int(i).expect("small")
    }

    fn ints(dict: &Dict) -> Vec<i64> {
        dict.keys().iter().filter_map(Value::as_small_int).collect()
    }

    #[test]
    fn one_entry_can_come_and_go_for_ever() {
        let vm = Interpreter::new().expect("memory");
        let dict = vm.new_dict().expect("memory");
        for i in 0..1000 {
            dict.set(&vm, int(i), int(i)).expect("set");
            assert_eq!(dict.get(&vm, &int(i + 1)).map(|found| found.is_some()), Ok(false));
            assert!(dict.remove(&vm, &int(i)).expect("remove").is_some());
        }
        assert!(dict.is_empty());
    }

    #[test]
    fn small_dicts_grow_an_index_and_lose_entries() {
        let vm = Interpreter::new().expect("memory");
        for (count, room) in [(7, 0), (8, 0), (9, 0), (8, 8), (20, 12), (5, 9)] {
            let dict = vm.new_dict_for(room).expect("memory");
            (0..count).for_each(|i| dict.set(&vm, int(i), int(-i)).expect("set"));
            let found = |i| dict.get(&vm, &int(i)).expect("get").and_then(|v| v.as_small_int());
            (0..count).for_each(|i| assert_eq!(found(i), Some(-i)));
            assert_eq!(found(count), None);
            (0..count).step_by(2).for_each(|i| assert!(dict.remove(&vm, &int(i)).expect("remove").is_some()));
            (0..count).for_each(|i| assert_eq!(found(i), (i % 2 == 1).then_some(-i)));
            (0..count).step_by(2).for_each(|i| dict.set(&vm, int(i), int(i)).expect("set"));
            let odd = (0..count).filter(|i| i % 2 == 1);
            assert_eq!(ints(&dict), odd.chain((0..count).step_by(2)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn entries_move_to_either_end() {
        let vm = Interpreter::new().expect("memory");
        let dict = vm.new_dict().expect("memory");
        let find =
            |i| dict.find(&vm, &int(i), vm.hash(&int(i)).expect("hash")).expect("find").expect("there");
        let mut model: Vec<i64> = (0..10).collect();
        model.iter().for_each(|&i| dict.set(&vm, int(i), int(i)).expect("set"));
        let mut state = 7_u64;
        for round in 0..3000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (state >> 33) as i64 % 10;
            model.retain(|&i| i != key);
            match round % 3 {
                0 => {
                    dict.move_to_front(&vm, find(key)).expect("memory");
                    model.insert(0, key);
                }
                1 => {
                    dict.move_to_end(&vm, find(key)).expect("memory");
                    model.push(key);
                }
                _ => {
                    dict.remove_at(&vm, find(key)).expect("there");
                    dict.set(&vm, int(key), int(key)).expect("set");
                    model.push(key);
                }
            }
            assert_eq!(ints(&dict), model);
            assert_eq!(dict.entry_from(0).and_then(|(_, k, _)| k.as_small_int()), model.first().copied());
        }
    }
}

//! Sets: storage. One open-addressing table of hash and key, probed in the order of CPython's sets, so that small sets
//! are written and iterated in the same order. Comparing keys may run Python code, which may change the set: a
//! look-up copies the key it compares and starts again when the table moved meanwhile.

use crate::Res;
use crate::heap::{Payload, Visitor};
use crate::interpreter::Interpreter;
use crate::str::Str;
use crate::value::Value;
use std::cell::{Cell, RefCell};

/// One place of the table.
enum Place {
    Empty,
    Deleted,
    Key(i64, Value),
}

#[derive(Default)]
struct Table {
    /// The length is a power of two, or 0 while nothing was added.
    places: Vec<Place>,
    used: usize,
    /// Keys and deleted places.
    filled: usize,
}

/// Payload of `set` and `frozenset`.
#[derive(Default)]
pub struct Set {
    table: RefCell<Table>,
    /// Changes with every change of the keys.
    version: Cell<u64>,
    /// Where `pop` looks first.
    finger: Cell<usize>,
    /// Hash of a `frozenset`, computed once.
    pub hash: Cell<Option<i64>>,
}

impl Payload for Set {
    fn trace(&self, visit: &mut Visitor) {
        for place in &self.table.borrow().places {
            if let Place::Key(_, key) = place {
                visit(key);
            }
        }
    }
    fn clear(&self) {
        self.clear_keys();
    }
}

/// How errors call a key.
const ELEMENT: &str = "a set element";
const LEAST: usize = 8;
/// So many neighbours are looked at before the next jump.
const NEIGHBOURS: usize = 9;

/// The places that a hash is looked for at, in order.
struct Path {
    mask: usize,
    at: usize,
    perturb: u64,
    step: usize,
}

impl Path {
    fn new(hash: i64, mask: usize) -> Path {
        Path { mask, at: hash as usize & mask, perturb: hash as u64, step: 0 }
    }
    #[inline]
    fn next(&mut self) -> usize {
        let place = self.at + self.step;
        if self.step < NEIGHBOURS && self.at + NEIGHBOURS <= self.mask {
            self.step += 1;
        } else {
            self.perturb >>= 5;
            self.at =
                (self.at.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize)) & self.mask;
            self.step = 0;
        }
        place
    }
}

enum Probe {
    Found(usize),
    /// Not there; the empty place where it belongs. Deleted places are not used again, as in CPython.
    Missing(usize),
    /// This key with the same hash must be compared.
    Compare(usize, Value),
}

fn same_text(a: &Value, b: &Value) -> Option<bool> {
    match (a.downcast::<Str>(), b.downcast::<Str>()) {
        (Some(x), Some(y)) => Some(x.text == y.text),
        _ => None,
    }
}

impl Table {
    /// Looks for `key` among keys that can be compared without Python code; `None`: one must be asked.
    fn find_plain(&self, vm: &Interpreter, key: &Value, hash: i64) -> Option<Result<usize, usize>> {
        let Some(mask) = self.places.len().checked_sub(1) else { return Some(Err(usize::MAX)) };
        let mut path = Path::new(hash, mask);
        loop {
            let i = path.next();
            match self.places.get(i)? {
                Place::Empty => return Some(Err(i)),
                Place::Key(h, found) if *h == hash && vm.plainly_equal(found, key)? => return Some(Ok(i)),
                _ => {}
            }
        }
    }

    fn probe(&self, key: &Value, hash: i64, plain_text: bool, path: &mut Path) -> Probe {
        loop {
            let i = path.next();
            match &self.places[i] {
                Place::Empty => return Probe::Missing(i),
                Place::Deleted => {}
                Place::Key(h, found) => {
                    if *h != hash {
                        continue;
                    }
                    if found.is(key) {
                        return Probe::Found(i);
                    }
                    // Strings of one type with equal texts are equal: no Python code needs to be asked.
                    if plain_text && found.header().map(|h| h.ty.get()) == key.header().map(|h| h.ty.get()) {
                        match same_text(found, key) {
                            Some(true) => return Probe::Found(i),
                            Some(false) => continue,
                            None => {}
                        }
                    }
                    return Probe::Compare(i, found.clone());
                }
            }
        }
    }

    /// Puts a key that is known to be new into a table without deleted places.
    fn insert_clean(places: &mut [Place], hash: i64, key: Value) {
        let mut path = Path::new(hash, places.len() - 1);
        loop {
            let i = path.next();
            if matches!(places[i], Place::Empty) {
                places[i] = Place::Key(hash, key);
                return;
            }
        }
    }

    fn resize(&mut self, wanted: usize) -> Result<(), std::collections::TryReserveError> {
        let mut size = LEAST;
        while size <= wanted {
            size <<= 1;
        }
        let mut places = Vec::new();
        places.try_reserve_exact(size)?;
        places.resize_with(size, || Place::Empty);
        for place in std::mem::take(&mut self.places) {
            if let Place::Key(hash, key) = place {
                Table::insert_clean(&mut places, hash, key);
            }
        }
        self.places = places;
        self.filled = self.used;
        Ok(())
    }
}

impl Set {
    #[inline]
    pub fn len(&self) -> usize {
        self.table.borrow().used
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Changes whenever a key comes or goes.
    pub fn version(&self) -> u64 {
        self.version.get()
    }
    fn changed(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    /// Looks for `key`: `Ok(place)` where it is, `Err(place)` where it belongs. The table is not empty.
    fn find(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<Result<usize, usize>> {
        // SAFETY: comparing plain values changes nothing.
        let table = unsafe { self.table.try_borrow_unguarded() };
        let Ok(table) = table else { return Err(vm.bug("a set is looked at while it changes")) };
        match table.find_plain(vm, key, hash) {
            Some(found) => Ok(found),
            None => self.find_asking(vm, key, hash),
        }
    }

    /// Whether `key` is there, where nobody needs to be asked: `None` when somebody must.
    pub fn contains_plain(&self, vm: &Interpreter, key: &Value, hash: i64) -> Option<bool> {
        // SAFETY: comparing plain values changes nothing.
        let table = unsafe { self.table.try_borrow_unguarded() }.ok()?;
        table.find_plain(vm, key, hash).map(|found| found.is_ok())
    }

    /// As [`Set::find`], some of the keys being of types that must be asked.
    #[inline(never)]
    fn find_asking(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<Result<usize, usize>> {
        let plain_text = vm.is_exact(key, &vm.types().str);
        'again: loop {
            let version = self.version.get();
            let mut path = Path::new(hash, self.table.borrow().places.len().max(1) - 1);
            loop {
                let probe = {
                    let table = self.table.borrow();
                    if table.places.is_empty() {
                        return Ok(Err(usize::MAX));
                    }
                    table.probe(key, hash, plain_text, &mut path)
                };
                match probe {
                    Probe::Found(i) => return Ok(Ok(i)),
                    Probe::Missing(i) => return Ok(Err(i)),
                    Probe::Compare(i, candidate) => {
                        let equal = vm.keys_equal(&candidate, key)?;
                        if self.version.get() != version {
                            continue 'again;
                        }
                        if equal {
                            return Ok(Ok(i));
                        }
                    }
                }
            }
        }
    }

    pub fn contains_hashed(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<bool> {
        Ok(self.find(vm, key, hash)?.is_ok())
    }
    /// Errors: unhashable key, what comparing raises.
    pub fn contains(&self, vm: &Interpreter, key: &Value) -> Res<bool> {
        let hash = vm.hash_key(key, ELEMENT)?;
        self.contains_hashed(vm, key, hash)
    }

    /// Adds; false when it was there. Errors: unhashable key, what comparing raises, `MemoryError`.
    pub fn add(&self, vm: &Interpreter, key: Value) -> Res<bool> {
        let hash = vm.hash_key(&key, ELEMENT)?;
        self.add_hashed(vm, key, hash)
    }

    pub fn add_hashed(&self, vm: &Interpreter, key: Value, hash: i64) -> Res<bool> {
        let place = match self.find(vm, &key, hash)? {
            Ok(_) => return Ok(false),
            Err(place) => place,
        };
        let mut table = self.table.borrow_mut();
        if table.places.is_empty() {
            if table.resize(0).is_err() {
                drop(table);
                return Err(vm.no_memory());
            }
            Table::insert_clean(&mut table.places, hash, key);
            table.filled = 1;
        } else {
            table.filled += 1;
            table.places[place] = Place::Key(hash, key);
        }
        table.used += 1;
        self.changed();
        if table.filled * 5 >= (table.places.len() - 1) * 3 {
            let wanted = if table.used > 50_000 { table.used * 2 } else { table.used * 4 };
            if table.resize(wanted).is_err() && table.filled + 1 >= table.places.len() {
                drop(table);
                return Err(vm.no_memory());
            }
        }
        Ok(true)
    }

    /// Takes the key out; what was there.
    pub fn remove_hashed(&self, vm: &Interpreter, key: &Value, hash: i64) -> Res<Option<Value>> {
        let Ok(place) = self.find(vm, key, hash)? else { return Ok(None) };
        let old = {
            let mut table = self.table.borrow_mut();
            table.used -= 1;
            std::mem::replace(&mut table.places[place], Place::Deleted)
        };
        self.changed();
        Ok(match old {
            Place::Key(_, key) => Some(key),
            Place::Empty | Place::Deleted => None,
        })
    }
    pub fn remove(&self, vm: &Interpreter, key: &Value) -> Res<Option<Value>> {
        let hash = vm.hash_key(key, ELEMENT)?;
        self.remove_hashed(vm, key, hash)
    }

    /// Takes some key out, behind the one taken last time.
    pub fn pop(&self) -> Option<Value> {
        let mut table = self.table.borrow_mut();
        if table.used == 0 {
            return None;
        }
        let mask = table.places.len() - 1;
        let mut i = self.finger.get() & mask;
        while !matches!(table.places[i], Place::Key(..)) {
            i = (i + 1) & mask;
        }
        let old = std::mem::replace(&mut table.places[i], Place::Deleted);
        table.used -= 1;
        self.finger.set(i + 1);
        self.changed();
        match old {
            Place::Key(_, key) => Some(key),
            Place::Empty | Place::Deleted => None,
        }
    }

    pub fn clear_keys(&self) {
        let old = self.table.take();
        self.changed();
        drop(old);
    }

    /// The next key at or after `place`: (its place, the key).
    pub fn key_from(&self, place: usize) -> Option<(usize, Value)> {
        let table = self.table.borrow();
        let rest = table.places.get(place..)?;
        rest.iter().enumerate().find_map(|(i, p)| match p {
            Place::Key(_, key) => Some((place + i, key.clone())),
            Place::Empty | Place::Deleted => None,
        })
    }

    /// As [`Set::key_from`], with the hash.
    pub fn entry_from(&self, place: usize) -> Option<(usize, Value, i64)> {
        let table = self.table.borrow();
        let rest = table.places.get(place..)?;
        rest.iter().enumerate().find_map(|(i, p)| match p {
            Place::Key(hash, key) => Some((place + i, key.clone(), *hash)),
            Place::Empty | Place::Deleted => None,
        })
    }

    /// A copy of the keys, safe to keep while Python code runs.
    pub fn keys(&self) -> Vec<Value> {
        self.entries().into_iter().map(|(_, key)| key).collect()
    }
    /// As [`Set::keys`], with their hashes.
    pub fn entries(&self) -> Vec<(i64, Value)> {
        let table = self.table.borrow();
        let mut entries = Vec::with_capacity(table.used);
        for place in &table.places {
            if let Place::Key(hash, key) = place {
                entries.push((*hash, key.clone()));
            }
        }
        entries
    }

    /// Makes room for `more` keys. Errors: `MemoryError`.
    pub fn reserve(&self, vm: &Interpreter, more: usize) -> Res<()> {
        let mut table = self.table.borrow_mut();
        let full = (table.filled + more) * 5 >= (table.places.len().max(LEAST) - 1) * 3;
        let wanted = if full { (table.used + more) * 2 } else { 0 };
        if (full || table.places.is_empty()) && table.resize(wanted).is_err() {
            drop(table);
            return Err(vm.no_memory());
        }
        self.changed();
        Ok(())
    }

    /// Takes every key of `other`, with its hash. Errors: what comparing raises, `MemoryError`.
    pub fn merge(&self, vm: &Interpreter, other: &Set) -> Res<()> {
        if std::ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        self.reserve(vm, other.len())?;
        if self.table.borrow().filled == 0 {
            // Every key is new.
            let (mut mine, theirs) = (self.table.borrow_mut(), other.table.borrow());
            let same_places = mine.places.len() == theirs.places.len() && theirs.filled == theirs.used;
            for (i, place) in theirs.places.iter().enumerate() {
                let Place::Key(hash, key) = place else { continue };
                if same_places {
                    mine.places[i] = Place::Key(*hash, key.clone());
                } else {
                    Table::insert_clean(&mut mine.places, *hash, key.clone());
                }
            }
            (mine.used, mine.filled) = (theirs.used, theirs.used);
            return Ok(());
        }
        for (hash, key) in other.entries() {
            self.add_hashed(vm, key, hash)?;
        }
        Ok(())
    }

    /// Rebuilds the table when more than a quarter of its places are deleted ones. Errors: `MemoryError`.
    pub fn tidy(&self, vm: &Interpreter) -> Res<()> {
        let mut table = self.table.borrow_mut();
        if table.filled - table.used <= (table.places.len().max(1) - 1) / 4 {
            return Ok(());
        }
        let wanted = if table.used > 50_000 { table.used * 2 } else { table.used * 4 };
        self.changed();
        if table.resize(wanted).is_err() {
            drop(table);
            return Err(vm.no_memory());
        }
        Ok(())
    }

    /// Swaps the keys of two sets.
    pub fn swap(&self, other: &Set) {
        self.table.swap(&other.table);
        self.changed();
        other.changed();
    }

    /// Bytes of the table, for `__sizeof__`.
    pub fn table_bytes(&self) -> usize {
        self.table.borrow().places.len() * 16
    }
}

impl Interpreter {
    /// A new set of these keys. Errors: unhashable keys, what comparing raises, `MemoryError`.
    pub fn new_set(&self, keys: impl IntoIterator<Item = Value>) -> Res {
        let set = Set::default();
        for key in keys {
            set.add(self, key)?;
        }
        self.alloc(&self.types().set, set)
    }

    /// A new frozenset of these keys.
    pub fn new_frozenset(&self, keys: impl IntoIterator<Item = Value>) -> Res {
        let set = Set::default();
        for key in keys {
            set.add(self, key)?;
        }
        self.alloc(&self.types().frozenset, set)
    }
}

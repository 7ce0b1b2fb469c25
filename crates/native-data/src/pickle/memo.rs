//! What an unpickler remembers: objects read so far, by their numbers.

use pellucid_object::{Interpreter, Res, Value};

/// A greater number in a pickle than this is damage, not a large pickle.
const LIMIT: usize = 1 << 31;

/// Objects by number. How many there are is known, as `MEMOIZE` numbers the next one by it.
#[derive(Default, Clone)]
pub struct Memo {
    slots: Vec<Option<Value>>,
    filled: usize,
}

impl Memo {
    /// How many objects are remembered.
    pub fn len(&self) -> usize {
        self.filled
    }

    pub fn get(&self, index: usize) -> Option<Value> {
        self.slots.get(index).cloned().flatten()
    }

    /// Remembers an object; what had the number before, which may run code when it dies. Errors: `MemoryError`.
    pub fn set(&mut self, vm: &Interpreter, index: usize, value: Value) -> Res<Option<Value>> {
        if index >= self.slots.len() {
            let more = index + 1 - self.slots.len();
            if index >= LIMIT || self.slots.try_reserve(more).is_err() {
                return Err(vm.no_memory());
            }
            self.slots.resize(index + 1, None);
        }
        let old = self.slots[index].replace(value);
        self.filled += usize::from(old.is_none());
        Ok(old)
    }

    /// Numbers and objects.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &Value)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((i, slot.as_ref()?)))
    }
}

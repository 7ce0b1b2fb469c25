//! `product`, `permutations`, `combinations`, `combinations_with_replacement`.
//!
//! Each holds pools of items and the indices of the tuple that was given last, and steps the indices.

use crate::support::{ITSELF, bind, this};
use pellucid_object::slots::{Places, Unpacked};
use pellucid_object::{CallArgs, Interpreter, Payload, Raised, Res, Slot, TypeDef, Value, Visitor};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Running,
    Ended,
}

/// Payload of the four. The pools never change, so that a cycle has another object for the collector to empty.
pub struct Choice {
    /// One pool, for `product` one for each place.
    pools: Vec<Vec<Value>>,
    indices: RefCell<Vec<usize>>,
    /// `permutations`: how far each place is from its next round.
    cycles: RefCell<Vec<usize>>,
    /// How many of the indices make a tuple.
    length: usize,
    stage: Cell<Stage>,
}

impl Payload for Choice {
    fn trace(&self, visit: &mut Visitor) {
        self.pools.iter().flatten().for_each(visit);
    }
}

impl Choice {
    fn new(pools: Vec<Vec<Value>>, indices: Vec<usize>, empty: bool) -> Choice {
        Choice {
            pools,
            length: indices.len(),
            indices: RefCell::new(indices),
            cycles: RefCell::default(),
            stage: Cell::new(if empty { Stage::Ended } else { Stage::Fresh }),
        }
    }

    /// The item that an index means at a place of the tuple.
    fn item(&self, place: usize, index: usize) -> Value {
        let pool = self.pools.get(place).or(self.pools.last());
        pool.and_then(|pool| pool.get(index)).map_or(Value::NONE, Clone::clone)
    }

    /// Steps with `step` (false: there is no further tuple), unless it is the first time.
    fn advance(&self, step: impl FnOnce(&mut [usize], &mut [usize]) -> bool) -> bool {
        match self.stage.get() {
            Stage::Ended => return false,
            Stage::Fresh => {
                self.stage.set(Stage::Running);
                return true;
            }
            Stage::Running => {}
        }
        let more = step(&mut self.indices.borrow_mut(), &mut self.cycles.borrow_mut());
        if !more {
            self.stage.set(Stage::Ended);
        }
        more
    }
}

/// The next tuple, found by `step`.
fn next(vm: &Interpreter, value: &Value, step: fn(&Choice) -> bool) -> Res<Option<Value>> {
    let it = this::<Choice>(vm, value)?;
    if !step(it) {
        return Ok(None);
    }
    let indices = it.indices.borrow();
    vm.tuple_from(it.length, |place| it.item(place, indices[place])).map(Some)
}

/// As [`next`], without a tuple.
fn next_items(vm: &Interpreter, value: &Value, places: Places, step: fn(&Choice) -> bool) -> Res<Unpacked> {
    let it = this::<Choice>(vm, value)?;
    if places.len() != it.length {
        return Ok(Unpacked::Other);
    }
    if !step(it) {
        return Ok(Unpacked::End);
    }
    for (place, &index) in it.indices.borrow().iter().take(it.length).enumerate() {
        places.put(place, it.item(place, index));
    }
    Ok(Unpacked::Items)
}

/// The slots of one of the four.
macro_rules! slots {
    ($new:expr, $step:expr) => {
        &[
            Slot::New($new),
            ITSELF,
            Slot::Next(|vm, value| next(vm, value, $step)),
            Slot::NextItems(|vm, value, places| next_items(vm, value, places, $step)),
        ]
    };
}

/// A vector of indices. Errors: `MemoryError`.
fn indices(vm: &Interpreter, items: impl ExactSizeIterator<Item = usize>) -> Res<Vec<usize>> {
    let mut list = Vec::new();
    if list.try_reserve_exact(items.len()).is_err() {
        return Err(vm.no_memory());
    }
    list.extend(items);
    Ok(list)
}

// ---- product ----

fn new_product(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let mut repeat = 1;
    for (name, value) in call.keywords() {
        let text = vm.str_lossy(name);
        if text != "repeat" || call.names.len() > 1 {
            let what = format!("product() got an unexpected keyword argument '{text}'");
            return Err(vm.type_error(what));
        }
        repeat = vm.expect_i64(value)?;
    }
    let Ok(repeat) = usize::try_from(repeat) else {
        return Err(vm.value_error("repeat argument cannot be negative".to_string()));
    };
    let given = if repeat == 0 { &[][..] } else { call.positional() };
    let Some(places) = given.len().checked_mul(repeat).filter(|&n| n <= isize::MAX as usize / 64) else {
        return Err(too_large(vm));
    };
    let mut once = Vec::with_capacity(given.len());
    for iterable in given {
        once.push(vm.collect(iterable)?);
    }
    let empty = once.iter().any(Vec::is_empty);
    let mut pools = Vec::new();
    if pools.try_reserve_exact(places).is_err() {
        return Err(vm.no_memory());
    }
    for _ in 0..repeat.min(places) {
        pools.extend(once.iter().cloned());
    }
    let start = indices(vm, std::iter::repeat_n(0, places))?;
    vm.alloc_subclass(cls, Choice::new(pools, start, empty))
}

fn too_large(vm: &Interpreter) -> Raised {
    vm.overflow_error("repeat argument too large".to_string())
}

fn step_product(it: &Choice) -> bool {
    it.advance(|indices, _| {
        for (index, pool) in indices.iter_mut().zip(&it.pools).rev() {
            *index += 1;
            if *index < pool.len() {
                return true;
            }
            *index = 0;
        }
        false
    })
}

pub static PRODUCT: TypeDef = super::iterator::<Choice>(
    "product",
    "product(*iterables, repeat=1)\n--\n\nEvery tuple with one item of each iterable, the last place moving fastest.",
    slots!(new_product, step_product),
    &[],
);

// ---- the others take one pool and a length ----

fn length(vm: &Interpreter, value: &Value) -> Res<usize> {
    usize::try_from(vm.expect_i64(value)?).map_err(|_| vm.value_error("r must be non-negative".to_string()))
}

fn new_permutations(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "permutations", "(iterable, r=None)", call)?;
    let pool = vm.collect(args.req(0))?;
    let n = pool.len();
    let r = match args.some(1) {
        None => n,
        Some(r) if r.as_int().is_none() => return Err(vm.type_error("Expected int as r".to_string())),
        Some(r) => length(vm, r)?,
    };
    let cycles = if r > n { Vec::new() } else { indices(vm, (0..r).map(|i| n - i))? };
    let start = indices(vm, 0..n)?;
    let mut choice = Choice::new(vec![pool], start, r > n);
    choice.length = cycles.len();
    choice.cycles = RefCell::new(cycles);
    vm.alloc_subclass(cls, choice)
}

fn step_permutation(it: &Choice) -> bool {
    it.advance(|indices, cycles| {
        let n = indices.len();
        for i in (0..cycles.len()).rev() {
            cycles[i] -= 1;
            if cycles[i] == 0 {
                indices[i..].rotate_left(1);
                cycles[i] = n - i;
            } else {
                indices.swap(i, n - cycles[i]);
                return true;
            }
        }
        false
    })
}

pub static PERMUTATIONS: TypeDef = super::iterator::<Choice>(
    "permutations",
    "permutations(iterable, r=None)\n--\n\nEvery order of r of the items.",
    slots!(new_permutations, step_permutation),
    &[],
);

fn new_combinations(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "combinations", "(iterable, r)", call)?;
    let pool = vm.collect(args.req(0))?;
    let r = length(vm, args.req(1))?;
    let empty = r > pool.len();
    let start = indices(vm, 0..if empty { 0 } else { r })?;
    vm.alloc_subclass(cls, Choice::new(vec![pool], start, empty))
}

fn step_combination(it: &Choice) -> bool {
    let n = it.pools.first().map_or(0, Vec::len);
    it.advance(|indices, _| {
        let r = indices.len();
        let Some(i) = (0..r).rev().find(|&i| indices[i] != i + n - r) else { return false };
        indices[i] += 1;
        for j in i + 1..r {
            indices[j] = indices[j - 1] + 1;
        }
        true
    })
}

pub static COMBINATIONS: TypeDef = super::iterator::<Choice>(
    "combinations",
    "combinations(iterable, r)\n--\n\nEvery choice of r of the items, in their order.",
    slots!(new_combinations, step_combination),
    &[],
);

fn new_with_replacement(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "combinations_with_replacement", "(iterable, r)", call)?;
    let pool = vm.collect(args.req(0))?;
    let r = length(vm, args.req(1))?;
    let empty = pool.is_empty() && r > 0;
    let start = indices(vm, std::iter::repeat_n(0, r))?;
    vm.alloc_subclass(cls, Choice::new(vec![pool], start, empty))
}

fn step_with_replacement(it: &Choice) -> bool {
    let n = it.pools.first().map_or(0, Vec::len);
    it.advance(|indices, _| {
        let Some(i) = (0..indices.len()).rev().find(|&i| indices[i] + 1 < n) else { return false };
        let next = indices[i] + 1;
        indices[i..].fill(next);
        true
    })
}

pub static COMBINATIONS_WITH_REPLACEMENT: TypeDef = super::iterator::<Choice>(
    "combinations_with_replacement",
    "combinations_with_replacement(iterable, r)\n--\n\nEvery choice of r items, each as often as one likes.",
    slots!(new_with_replacement, step_with_replacement),
    &[],
);

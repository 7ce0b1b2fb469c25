//! `product`, `permutations`, `combinations`, `combinations_with_replacement`.
//!
//! Each holds pools of items and the indices of the tuple that was given last, and steps the indices.

use crate::support::{ITSELF, bind, this};
use pellucid_object::{CallArgs, Interpreter, Payload, Raised, Res, Slot, TypeDef, Value, Visitor};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Running,
    Ended,
}

/// Payload of the four.
pub struct Choice {
    /// One pool, for `product` one for each place.
    pools: RefCell<Vec<Vec<Value>>>,
    indices: RefCell<Vec<usize>>,
    /// `permutations`: how far each place is from its next round.
    cycles: RefCell<Vec<usize>>,
    stage: Cell<Stage>,
}

impl Payload for Choice {
    fn trace(&self, visit: &mut Visitor) {
        self.pools.borrow().iter().flatten().for_each(visit);
    }
    fn clear(&self) {
        let pools = self.pools.take();
        drop(pools);
    }
}

impl Choice {
    fn new(pools: Vec<Vec<Value>>, indices: Vec<usize>, cycles: Vec<usize>, empty: bool) -> Choice {
        Choice {
            pools: RefCell::new(pools),
            indices: RefCell::new(indices),
            cycles: RefCell::new(cycles),
            stage: Cell::new(if empty { Stage::Ended } else { Stage::Fresh }),
        }
    }

    /// The tuple of the current indices; `taken` of them count.
    fn tuple(&self, vm: &Interpreter, taken: usize) -> Res<Option<Value>> {
        let items: Option<Vec<Value>> = {
            let (pools, indices) = (self.pools.borrow(), self.indices.borrow());
            indices[..taken.min(indices.len())]
                .iter()
                .enumerate()
                .map(|(place, &i)| pools.get(place).or(pools.last())?.get(i).cloned())
                .collect()
        };
        match items {
            Some(items) => vm.new_tuple(items).map(Some),
            None => Ok(None),
        }
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

fn choice<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Choice> {
    this::<Choice>(vm, value)
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
    vm.alloc_subclass(cls, Choice::new(pools, start, Vec::new(), empty))
}

fn too_large(vm: &Interpreter) -> Raised {
    vm.overflow_error("repeat argument too large".to_string())
}

fn next_product(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = choice(vm, value)?;
    let more = it.advance(|indices, _| {
        let pools = it.pools.borrow();
        for (index, pool) in indices.iter_mut().zip(pools.iter()).rev() {
            *index += 1;
            if *index < pool.len() {
                return true;
            }
            *index = 0;
        }
        false
    });
    if more { it.tuple(vm, usize::MAX) } else { Ok(None) }
}

pub static PRODUCT: TypeDef = super::iterator::<Choice>(
    "product",
    "product(*iterables, repeat=1)\n--\n\nEvery tuple with one item of each iterable, the last place moving fastest.",
    &[Slot::New(new_product), ITSELF, Slot::Next(next_product)],
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
    vm.alloc_subclass(cls, Choice::new(vec![pool], start, cycles, r > n))
}

fn next_permutation(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = choice(vm, value)?;
    let more = it.advance(|indices, cycles| {
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
    });
    let r = it.cycles.borrow().len();
    if more { it.tuple(vm, r) } else { Ok(None) }
}

pub static PERMUTATIONS: TypeDef = super::iterator::<Choice>(
    "permutations",
    "permutations(iterable, r=None)\n--\n\nEvery order of r of the items.",
    &[Slot::New(new_permutations), ITSELF, Slot::Next(next_permutation)],
    &[],
);

fn new_combinations(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "combinations", "(iterable, r)", call)?;
    let pool = vm.collect(args.req(0))?;
    let r = length(vm, args.req(1))?;
    let empty = r > pool.len();
    let start = indices(vm, 0..if empty { 0 } else { r })?;
    vm.alloc_subclass(cls, Choice::new(vec![pool], start, Vec::new(), empty))
}

fn next_combination(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = choice(vm, value)?;
    let n = it.pools.borrow().first().map_or(0, Vec::len);
    let more = it.advance(|indices, _| {
        let r = indices.len();
        let Some(i) = (0..r).rev().find(|&i| indices[i] != i + n - r) else { return false };
        indices[i] += 1;
        for j in i + 1..r {
            indices[j] = indices[j - 1] + 1;
        }
        true
    });
    if more { it.tuple(vm, usize::MAX) } else { Ok(None) }
}

pub static COMBINATIONS: TypeDef = super::iterator::<Choice>(
    "combinations",
    "combinations(iterable, r)\n--\n\nEvery choice of r of the items, in their order.",
    &[Slot::New(new_combinations), ITSELF, Slot::Next(next_combination)],
    &[],
);

fn new_with_replacement(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "combinations_with_replacement", "(iterable, r)", call)?;
    let pool = vm.collect(args.req(0))?;
    let r = length(vm, args.req(1))?;
    let empty = pool.is_empty() && r > 0;
    let start = indices(vm, std::iter::repeat_n(0, r))?;
    vm.alloc_subclass(cls, Choice::new(vec![pool], start, Vec::new(), empty))
}

fn next_with_replacement(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let it = choice(vm, value)?;
    let n = it.pools.borrow().first().map_or(0, Vec::len);
    let more = it.advance(|indices, _| {
        let Some(i) = (0..indices.len()).rev().find(|&i| indices[i] + 1 < n) else { return false };
        let next = indices[i] + 1;
        indices[i..].fill(next);
        true
    });
    if more { it.tuple(vm, usize::MAX) } else { Ok(None) }
}

pub static COMBINATIONS_WITH_REPLACEMENT: TypeDef = super::iterator::<Choice>(
    "combinations_with_replacement",
    "combinations_with_replacement(iterable, r)\n--\n\nEvery choice of r items, each as often as one likes.",
    &[Slot::New(new_with_replacement), ITSELF, Slot::Next(next_with_replacement)],
    &[],
);

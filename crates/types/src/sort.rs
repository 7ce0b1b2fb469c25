//! `list.sort` and `sorted`: stable, comparing with `<` only. Keys that are all small ints, all common floats or all
//! strings are compared without asking anybody; others are put in order by a natural merge sort whose comparisons may run
//! Python code, and raise. The list is empty meanwhile; room in it afterwards means that somebody put something in.

use crate::list;
use pellucid_object::{Args, CmpOp, Interpreter, Res, Str, Tuple, Value};
use std::cmp::Ordering;

/// What all keys are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ints,
    Floats,
    Texts,
    Mixed,
}

fn kind_of(vm: &Interpreter, key: &Value) -> Kind {
    if key.is_small_int() {
        Kind::Ints
    } else if key.is_small_float() {
        Kind::Floats
    } else if vm.is_exact(key, &vm.types().str) {
        Kind::Texts
    } else {
        Kind::Mixed
    }
}

fn common_kind(vm: &Interpreter, keys: &[Value]) -> Kind {
    let Some(first) = keys.first() else { return Kind::Mixed };
    let kind = kind_of(vm, first);
    if keys.iter().all(|key| kind_of(vm, key) == kind) { kind } else { Kind::Mixed }
}

fn by_text(a: &Value, b: &Value) -> Ordering {
    match (a.downcast::<Str>(), b.downcast::<Str>()) {
        (Some(x), Some(y)) => x.text.cmp(&y.text),
        _ => Ordering::Equal,
    }
}

fn by_float(a: &Value, b: &Value) -> Ordering {
    // Floats in the word are never NaN.
    a.as_small_float().partial_cmp(&b.as_small_float()).unwrap_or(Ordering::Equal)
}

/// `a < b`, quickly for ints, floats, strings, and tuples of such.
fn less(vm: &Interpreter, a: &Value, b: &Value) -> Res<bool> {
    if let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int()) {
        return Ok(x < y);
    }
    if let (Some(x), Some(y)) = (a.as_small_float(), b.as_small_float()) {
        return Ok(x < y);
    }
    let types = vm.types();
    if vm.is_exact(a, &types.str) && vm.is_exact(b, &types.str) {
        return Ok(by_text(a, b).is_lt());
    }
    if vm.is_exact(a, &types.tuple)
        && vm.is_exact(b, &types.tuple)
        && let (Some(x), Some(y)) = (a.downcast::<Tuple>(), b.downcast::<Tuple>())
    {
        for (p, q) in x.as_slice().iter().zip(y.as_slice()) {
            if !vm.keys_equal(p, q)? {
                return vm.nested(" in comparison", || less(vm, p, q));
            }
        }
        return Ok(x.len() < y.len());
    }
    let result = vm.compare(CmpOp::Lt, a, b)?;
    vm.truthy(&result)
}

/// The stable order of `keys`. Errors: what comparing raises.
pub fn order(vm: &Interpreter, keys: &[Value]) -> Res<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    match common_kind(vm, keys) {
        Kind::Ints => order.sort_by_key(|&i| keys[i].as_small_int()),
        Kind::Floats => order.sort_by(|&i, &j| by_float(&keys[i], &keys[j])),
        Kind::Texts => order.sort_by(|&i, &j| by_text(&keys[i], &keys[j])),
        Kind::Mixed => return order_mixed(vm, keys, order),
    }
    Ok(order)
}

/// Finds runs that are in order, or in reverse order, already.
fn find_runs(vm: &Interpreter, keys: &[Value], order: &mut [usize]) -> Res<Vec<std::ops::Range<usize>>> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let mut end = start + 1;
        if end < keys.len() && less(vm, &keys[end], &keys[start])? {
            end += 1;
            while end < keys.len() && less(vm, &keys[end], &keys[end - 1])? {
                end += 1;
            }
            order[start..end].reverse();
        } else {
            while end < keys.len() && !less(vm, &keys[end], &keys[end - 1])? {
                end += 1;
            }
        }
        end = lengthen(vm, keys, order, start, end)?;
        runs.push(start..end);
        start = end;
    }
    Ok(runs)
}

/// Shorter runs than this are made longer by inserting what follows them.
const SHORT: usize = 24;

/// Inserts the keys behind a short run into it; where it ends then.
fn lengthen(vm: &Interpreter, keys: &[Value], order: &mut [usize], start: usize, end: usize) -> Res<usize> {
    let goal = (start + SHORT).min(keys.len());
    for at in end..goal {
        let (mut low, mut high) = (start, at);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(vm, &keys[at], &keys[order[middle]])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        order[low..=at].rotate_right(1);
    }
    Ok(end.max(goal))
}

fn order_mixed(vm: &Interpreter, keys: &[Value], mut order: Vec<usize>) -> Res<Vec<usize>> {
    let mut runs = find_runs(vm, keys, &mut order)?;
    let mut other = order.clone();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        for pair in runs.chunks(2) {
            let (from, to) = (pair[0].start, pair[pair.len() - 1].end);
            match pair {
                [a, b] => {
                    let (left, right) = (&order[a.clone()], &order[b.clone()]);
                    merge(vm, keys, left, right, &mut other[from..to])?;
                }
                _ => other[from..to].copy_from_slice(&order[from..to]),
            }
            merged.push(from..to);
        }
        std::mem::swap(&mut order, &mut other);
        runs = merged;
    }
    Ok(order)
}

fn merge(vm: &Interpreter, keys: &[Value], left: &[usize], right: &[usize], out: &mut [usize]) -> Res<()> {
    if let (Some(&last), Some(&first)) = (left.last(), right.first())
        && !less(vm, &keys[first], &keys[last])?
    {
        out[..left.len()].copy_from_slice(left);
        out[left.len()..].copy_from_slice(right);
        return Ok(());
    }
    let (mut i, mut j) = (0, 0);
    for place in out {
        let from_right = match (left.get(i), right.get(j)) {
            (Some(&l), Some(&r)) => less(vm, &keys[r], &keys[l])?,
            (None, _) => true,
            (_, None) => false,
        };
        if from_right {
            *place = right[j];
            j += 1;
        } else {
            *place = left[i];
            i += 1;
        }
    }
    Ok(())
}

/// Puts items that are their own keys in order, where no Python code needs to be asked; false when it does.
fn sort_plain(vm: &Interpreter, items: &mut [Value]) -> bool {
    match common_kind(vm, items) {
        Kind::Ints => items.sort_by_key(Value::as_small_int),
        Kind::Floats => items.sort_by(by_float),
        Kind::Texts => items.sort_by(by_text),
        Kind::Mixed => return items.len() < 2,
    }
    true
}

/// Sorts items by key. On an error they come back in the order they had.
pub fn sort_items(
    vm: &Interpreter,
    mut items: Vec<Value>,
    key: Option<&Value>,
    reverse: bool,
) -> (Vec<Value>, Res<()>) {
    let keys = match key {
        Some(f) => items.iter().map(|v| vm.call_values(f, std::slice::from_ref(v))).collect::<Res<Vec<_>>>(),
        None => Ok(Vec::new()),
    };
    let mut keys = match keys {
        Ok(keys) => keys,
        Err(raised) => return (items, Err(raised)),
    };
    // Equal items keep their order in reverse, too: what is sorted is the reversed list.
    if reverse {
        keys.reverse();
        items.reverse();
    }
    let result = if key.is_none() && sort_plain(vm, &mut items) {
        Ok(())
    } else {
        let order = order(vm, if key.is_some() { &keys } else { &items });
        order.map(|order| items = order.into_iter().map(|i| items[i].clone()).collect())
    };
    if reverse {
        items.reverse();
    }
    (items, result)
}

/// `list.sort(*, key=None, reverse=False)`.
pub fn sort(vm: &Interpreter, args: &Args) -> Res {
    let list = list::this(vm, args.req(0))?;
    let reverse = args.bool_or(vm, 2, false)?;
    let (sorted, result) = sort_items(vm, list.take(), args.some(1), reverse);
    let changed = !list.is_pristine();
    drop(list.replace(sorted));
    result?;
    if changed {
        return Err(vm.value_error("list modified during sort".to_string()));
    }
    Ok(Value::NONE)
}

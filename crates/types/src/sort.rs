//! `list.sort`: a stable natural merge sort that compares with `<` only. The list is empty while Python code runs; an
//! item found in it afterwards means that somebody changed it.

use crate::list;
use pellucid_object::{Args, CmpOp, Interpreter, Res, Str, Value};

/// `a < b`, quickly for two small ints, two common floats or two strings.
fn less(vm: &Interpreter, a: &Value, b: &Value) -> Res<bool> {
    if let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int()) {
        return Ok(x < y);
    }
    if let (Some(x), Some(y)) = (a.as_small_float(), b.as_small_float()) {
        return Ok(x < y);
    }
    let types = vm.types();
    if vm.is_exact(a, &types.str)
        && vm.is_exact(b, &types.str)
        && let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>())
    {
        return Ok(x.text.code_points().lt(y.text.code_points()));
    }
    let result = vm.compare(CmpOp::Lt, a, b)?;
    vm.truthy(&result)
}

/// The stable order of `keys`. Errors: what comparing raises.
pub fn order(vm: &Interpreter, keys: &[Value]) -> Res<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
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
        runs.push(start..end);
        start = end;
    }
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

/// Sorts items by key. On an error they come back in the order they had.
pub fn sort_items(
    vm: &Interpreter,
    mut items: Vec<Value>,
    key: Option<&Value>,
    reverse: bool,
) -> (Vec<Value>, Res<()>) {
    let keys = match key {
        Some(f) => items.iter().map(|v| vm.call_values(f, std::slice::from_ref(v))).collect::<Res<Vec<_>>>(),
        None => Ok(items.clone()),
    };
    let mut keys = match keys {
        Ok(keys) => keys,
        Err(raised) => return (items, Err(raised)),
    };
    if reverse {
        keys.reverse();
        items.reverse();
    }
    let (mut items, result) = match order(vm, &keys) {
        Ok(order) => (order.into_iter().map(|i| items[i].clone()).collect(), Ok(())),
        Err(raised) => (items, Err(raised)),
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
    let found = list.replace(sorted);
    let changed = !found.is_empty();
    result?;
    drop(found);
    if changed {
        return Err(vm.value_error("list modified during sort".to_string()));
    }
    Ok(Value::NONE)
}

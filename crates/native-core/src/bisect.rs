//! The module `_bisect`: where a value belongs in a sorted sequence.

use pellucid_object::{Args, CmpOp, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Res, Value};

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Arguments: `(a, x, lo=0, hi=None, *, key=None)`; `x` is compared as it is.
fn search(vm: &Interpreter, args: &Args, x: &Value, side: Side) -> Res<i64> {
    let sequence = args.req(0);
    let mut low = args.int_or(vm, 2, 0)?;
    if low < 0 {
        return Err(vm.value_error("lo must be non-negative".to_string()));
    }
    let mut high = match args.some(3) {
        Some(high) => match vm.expect_i64(high)? {
            // What the functions once took for "no bound".
            -1 => vm.len(sequence)? as i64,
            high => high,
        },
        None => vm.len(sequence)? as i64,
    };
    let key = args.some(4);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut item = vm.get_item(sequence, &vm.new_int(middle)?)?;
        if let Some(key) = key {
            item = vm.call_values(key, &[item])?;
        }
        let (a, b) = match side {
            Side::Left => (&item, x),
            Side::Right => (x, &item),
        };
        let less = match (a.as_small_int(), b.as_small_int()) {
            (Some(a), Some(b)) => a < b,
            _ => vm.truthy(&vm.compare(CmpOp::Lt, a, b)?)?,
        };
        match (side, less) {
            (Side::Left, true) | (Side::Right, false) => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

fn bisect(vm: &Interpreter, args: &Args, side: Side) -> Res {
    vm.new_int(search(vm, args, args.req(1), side)?)
}

fn insort(vm: &Interpreter, args: &Args, side: Side) -> Res {
    let (sequence, item) = (args.req(0), args.req(1));
    let index = match args.some(4) {
        Some(key) => search(vm, args, &vm.call_values(key, std::slice::from_ref(item))?, side)?,
        None => search(vm, args, item, side)?,
    };
    if vm.is_exact(sequence, &vm.types().list)
        && let Some(list) = sequence.downcast::<List>()
    {
        return list.with_mut(|items| {
            if items.try_reserve(1).is_err() {
                return Err(vm.no_memory());
            }
            items.insert((index as usize).min(items.len()), item.clone());
            Ok(Value::NONE)
        });
    }
    vm.call_attr(sequence, "insert", &[vm.new_int(index)?, item.clone()])?;
    Ok(Value::NONE)
}

const SIGNATURE: &str = "(a, x, lo=0, hi=None, *, key=None)";
const BISECT_RIGHT: &str = "Return the index where to insert item x in list a, assuming a is sorted.\n\nThe return value i is \
    such that all e in a[:i] have e <= x, and all e in\na[i:] have e > x.  So if x already appears in the list, \
    a.insert(i, x) will\ninsert just after the rightmost x already there.\n\nOptional args lo (default 0) and hi (default \
    len(a)) bound the\nslice of a to be searched.\n\nA custom key function can be supplied to customize the sort order.";
const BISECT_LEFT: &str = "Return the index where to insert item x in list a, assuming a is sorted.\n\nThe return value i is \
    such that all e in a[:i] have e < x, and all e in\na[i:] have e >= x.  So if x already appears in the list, \
    a.insert(i, x) will\ninsert just before the leftmost x already there.\n\nOptional args lo (default 0) and hi (default \
    len(a)) bound the\nslice of a to be searched.\n\nA custom key function can be supplied to customize the sort order.";
const INSORT: &str = "Insert item x in list a, and keep it sorted assuming a is sorted.\n\nOptional args lo (default 0) and hi \
    (default len(a)) bound the\nslice of a to be searched.\n\nA custom key function can be supplied to customize the sort order.";

pub static MODULE: ModuleDef = ModuleDef {
    name: "_bisect",
    doc: "Bisection algorithms.\n\nThis module provides support for maintaining a list in sorted order without\nhaving to sort \
          the list after each insertion. For long lists of items with\nexpensive comparison operations, this can be an \
          improvement over the more\ncommon approach.\n",
    functions: &[
        FunctionDef::new(
            "bisect_right",
            SIGNATURE,
            BISECT_RIGHT,
            NativeFn::Args(|vm, a| bisect(vm, a, Side::Right)),
        ),
        FunctionDef::new(
            "bisect",
            SIGNATURE,
            BISECT_RIGHT,
            NativeFn::Args(|vm, a| bisect(vm, a, Side::Right)),
        ),
        FunctionDef::new(
            "bisect_left",
            SIGNATURE,
            BISECT_LEFT,
            NativeFn::Args(|vm, a| bisect(vm, a, Side::Left)),
        ),
        FunctionDef::new(
            "insort_right",
            SIGNATURE,
            INSORT,
            NativeFn::Args(|vm, a| insort(vm, a, Side::Right)),
        ),
        FunctionDef::new("insort", SIGNATURE, INSORT, NativeFn::Args(|vm, a| insort(vm, a, Side::Right))),
        FunctionDef::new("insort_left", SIGNATURE, INSORT, NativeFn::Args(|vm, a| insort(vm, a, Side::Left))),
    ],
    types: &[],
    constants: &[],
    init: None,
};

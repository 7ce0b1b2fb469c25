//! The module `_heapq`: heaps in lists, with the least or the greatest item first.
//!
//! Comparisons run Python code, which may change the list: items are taken by index one by one, and a list whose length has
//! changed is an error.

use pellucid_object::{CmpOp, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Raised, Ref, Res, Value};

/// Which item comes first.
#[derive(Clone, Copy)]
enum Order {
    Least,
    Greatest,
}

struct Heap<'a> {
    vm: &'a Interpreter,
    list: Ref<List>,
    order: Order,
}

impl<'a> Heap<'a> {
    fn of(vm: &'a Interpreter, value: &Value, name: &str, only: bool, order: Order) -> Res<Heap<'a>> {
        match value.downcast_ref::<List>() {
            Some(list) => Ok(Heap { vm, list, order }),
            None => {
                let got = vm.type_name(value);
                let which = if only { "argument" } else { "argument 1" };
                Err(vm.type_error(format!("{name}() {which} must be list, not {got}")))
            }
        }
    }

    fn changed(&self) -> Raised {
        self.vm.runtime_error("list changed size during iteration".to_string())
    }

    fn empty(&self) -> Raised {
        self.vm.index_error("index out of range".to_string())
    }

    fn get(&self, index: usize) -> Res {
        self.list.get(index).ok_or_else(|| self.changed())
    }

    fn swap(&self, a: usize, b: usize) {
        self.list.with_mut(|items| {
            if a < items.len() && b < items.len() {
                items.swap(a, b);
            }
        });
    }

    /// Whether `a` belongs before `b`; the list must keep its length `len`.
    fn before(&self, a: &Value, b: &Value, len: usize) -> Res<bool> {
        let (a, b) = match self.order {
            Order::Least => (a, b),
            Order::Greatest => (b, a),
        };
        if let (Some(a), Some(b)) = (a.as_small_int(), b.as_small_int()) {
            return Ok(a < b);
        }
        let less = self.vm.truthy(&self.vm.compare(CmpOp::Lt, a, b)?)?;
        if self.list.len() != len {
            return Err(self.changed());
        }
        Ok(less)
    }

    /// Moves the item at `at` towards `start` while it belongs before its parent.
    fn sift_down(&self, start: usize, mut at: usize) -> Res<()> {
        let len = self.list.len();
        let item = self.list.get(at).ok_or_else(|| self.empty())?;
        while at > start {
            let parent = (at - 1) >> 1;
            if !self.before(&item, &self.get(parent)?, len)? {
                break;
            }
            self.swap(at, parent);
            at = parent;
        }
        Ok(())
    }

    /// Moves the item at `start` to a leaf along the children that come first, then back up to where it belongs.
    fn sift_up(&self, start: usize) -> Res<()> {
        let len = self.list.len();
        if start >= len {
            return Err(self.empty());
        }
        let mut at = start;
        while at < len / 2 {
            let mut child = 2 * at + 1;
            if child + 1 < len && !self.before(&self.get(child)?, &self.get(child + 1)?, len)? {
                child += 1;
            }
            self.swap(at, child);
            at = child;
        }
        self.sift_down(start, at)
    }

    fn push(&self, item: &Value) -> Res {
        self.list.push(self.vm, item.clone())?;
        self.sift_down(0, self.list.len() - 1)?;
        Ok(Value::NONE)
    }

    fn pop(&self) -> Res {
        let Some(last) = self.list.with_mut(Vec::pop) else { return Err(self.empty()) };
        match self.list.get(0) {
            None => Ok(last),
            Some(first) => {
                drop(self.list.set(0, last));
                self.sift_up(0)?;
                Ok(first)
            }
        }
    }

    fn replace(&self, item: &Value) -> Res {
        let first = self.list.get(0).ok_or_else(|| self.empty())?;
        drop(self.list.set(0, item.clone()));
        self.sift_up(0)?;
        Ok(first)
    }

    fn push_pop(&self, item: &Value) -> Res {
        let Some(first) = self.list.get(0) else { return Ok(item.clone()) };
        let (a, b) = match self.order {
            Order::Least => (&first, item),
            Order::Greatest => (item, &first),
        };
        if !self.vm.truthy(&self.vm.compare(CmpOp::Lt, a, b)?)? {
            return Ok(item.clone());
        }
        self.replace(item)
    }

    fn heapify(&self) -> Res {
        for i in (0..self.list.len() / 2).rev() {
            self.sift_up(i)?;
        }
        Ok(Value::NONE)
    }
}

macro_rules! with_item {
    ($name:literal, $order:ident, $f:ident, $doc:literal) => {
        FunctionDef::new(
            $name,
            "(heap, item, /)",
            $doc,
            NativeFn::F2(|vm, heap, item| Heap::of(vm, heap, $name, false, Order::$order)?.$f(item)),
        )
    };
}
macro_rules! alone {
    ($name:literal, $order:ident, $f:ident, $doc:literal) => {
        FunctionDef::new(
            $name,
            "(heap, /)",
            $doc,
            NativeFn::F1(|vm, heap| Heap::of(vm, heap, $name, true, Order::$order)?.$f()),
        )
    };
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_heapq",
    doc: "Heap queue algorithm (a.k.a. priority queue).\n\nHeaps are lists in which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all \
          k,\ncounting elements from 0.",
    functions: &[
        with_item!("heappush", Least, push, "Push item onto heap, maintaining the heap invariant."),
        with_item!(
            "heappushpop",
            Least,
            push_pop,
            "Push item on the heap, then pop and return the smallest item from the heap.\n\nThe combined action runs more efficiently than heappush() followed by\na separate call to heappop()."
        ),
        alone!("heappop", Least, pop, "Pop the smallest item off the heap, maintaining the heap invariant."),
        with_item!(
            "heapreplace",
            Least,
            replace,
            "Pop and return the current smallest value, and add the new item.\n\nThis is more efficient than heappop() followed by heappush(), and can be\nmore appropriate when using a fixed-size heap."
        ),
        alone!("heapify", Least, heapify, "Transform list into a heap, in-place, in O(len(heap)) time."),
        with_item!(
            "heappush_max",
            Greatest,
            push,
            "Push item onto max heap, maintaining the heap invariant."
        ),
        with_item!(
            "heappushpop_max",
            Greatest,
            push_pop,
            "Maxheap variant of heappushpop.\n\nThe combined action runs more efficiently than heappush_max() followed by\na separate call to heappop_max()."
        ),
        alone!("heappop_max", Greatest, pop, "Maxheap variant of heappop."),
        with_item!("heapreplace_max", Greatest, replace, "Maxheap variant of heapreplace."),
        alone!("heapify_max", Greatest, heapify, "Maxheap variant of heapify."),
    ],
    types: &[],
    constants: &[],
    init: None,
};

//! What the builtin sequences share: indices, comparison, repetition, text of containers.

use crate::slice::Slice;
use pellucid_object::text::NoMemory;
use pellucid_object::{CmpOp, Interpreter, Res, Str, TextBuilder, Type, Value};
use std::cell::RefCell;

/// Containers whose `repr` is under way in a thread: one that meets itself writes dots.
#[derive(Default)]
struct ReprStack(RefCell<Vec<u64>>);

/// The text of a container being put together. Memory that is not there is reported at the end.
#[derive(Default)]
pub struct Writer {
    text: TextBuilder,
    full: bool,
}

impl Writer {
    fn done(&mut self, done: Result<(), NoMemory>) {
        self.full |= done.is_err();
    }
    pub fn push(&mut self, text: &str) {
        let done = self.text.push_str(text);
        self.done(done);
    }
    /// Writes `repr(value)`. Errors: what that raises.
    pub fn push_repr(&mut self, vm: &Interpreter, value: &Value) -> Res<()> {
        let types = vm.types();
        let done = if let Some(number) = value.as_small_int() {
            self.text.push_int(number)
        } else if vm.is_exact(value, &types.str)
            && let Some(s) = value.downcast::<Str>()
        {
            s.text.push_repr(&mut self.text)
        } else {
            let text = vm.repr(value)?;
            self.push_value(&text);
            Ok(())
        };
        self.done(done);
        Ok(())
    }
    /// Writes a `str` object.
    pub fn push_value(&mut self, text: &Value) {
        if let Some(s) = text.downcast::<Str>() {
            let done = self.text.push_text(&s.text);
            self.done(done);
        }
    }
    pub fn finish(self, vm: &Interpreter) -> Res {
        match self.text.finish() {
            Ok(text) if !self.full => vm.new_text(text),
            _ => Err(vm.no_memory()),
        }
    }
}

/// Writes a container with `write`, or `dots` when it is being written already.
pub fn guarded_repr(
    vm: &Interpreter,
    this: &Value,
    dots: &str,
    write: impl FnOnce(&mut Writer) -> Res<()>,
) -> Res {
    let stack = vm.thread_state::<ReprStack>();
    if stack.0.borrow().contains(&this.bits()) {
        return vm.new_str(dots);
    }
    stack.0.borrow_mut().push(this.bits());
    let mut writer = Writer::default();
    let done = write(&mut writer);
    stack.0.borrow_mut().pop();
    done?;
    writer.finish(vm)
}

/// What stands between the brackets of a subscript.
pub enum Subscript {
    Index(i64),
    Slice(Value),
}

/// Reads a subscript. Errors: `TypeError` naming `kind`, `IndexError` for ints beyond 64 bits.
pub fn subscript(vm: &Interpreter, key: &Value, kind: &str) -> Res<Subscript> {
    if let Some(i) = key.as_small_int() {
        return Ok(Subscript::Index(i));
    }
    if key.downcast::<Slice>().is_some() {
        return Ok(Subscript::Slice(key.clone()));
    }
    if !has_index(vm, key) {
        let name = vm.type_name(key);
        return Err(vm.type_error(format!("{kind} indices must be integers or slices, not {name}")));
    }
    index_i64(vm, key).map(Subscript::Index)
}

/// Whether `operator.index` can do something with the value.
pub fn has_index(vm: &Interpreter, value: &Value) -> bool {
    value.as_int().is_some()
        || vm.type_of_ref(value).slots.unary[pellucid_object::UnOp::Index as usize].get().is_some()
}

/// An index as `i64`. Errors: `TypeError`, `IndexError`.
pub fn index_i64(vm: &Interpreter, value: &Value) -> Res<i64> {
    let index = vm.index(value)?;
    vm.as_i64(&index).ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(value)))
    })
}

/// The place of `index` in `len` items, counting from the end when negative.
pub fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|&i| i < len)
}

/// An index clamped to `0..=len`, as `insert` and the bounds of `index` take it.
pub fn clamp(index: i64, len: usize) -> usize {
    let index = if index < 0 { index.saturating_add(len as i64).max(0) } else { index };
    (index as usize).min(len)
}

/// A bound of `index(x, start, stop)`: ints beyond 64 bits count as the extremes.
pub fn bound(vm: &Interpreter, value: Option<&Value>, default: i64) -> Res<i64> {
    let Some(value) = value else { return Ok(default) };
    if !has_index(vm, value) {
        return Err(vm.type_error("slice indices must be integers or have an __index__ method".to_string()));
    }
    crate::slice::clamped(vm, value)
}

/// `count` copies of `items`. Errors: `MemoryError`.
pub fn repeat(vm: &Interpreter, items: &[Value], count: i64) -> Res<Vec<Value>> {
    let count = usize::try_from(count).unwrap_or(0);
    let Some(total) = items.len().checked_mul(count) else { return Err(vm.no_memory()) };
    vm.expect_room(total.saturating_mul(size_of::<Value>()))?;
    let mut result = Vec::new();
    if result.try_reserve_exact(total).is_err() {
        return Err(vm.no_memory());
    }
    if !items.is_empty() {
        (0..count).for_each(|_| result.extend_from_slice(items));
    }
    Ok(result)
}

/// `a + b` of the items. Errors: `MemoryError`.
pub fn joined(vm: &Interpreter, mut a: Vec<Value>, b: Vec<Value>) -> Res<Vec<Value>> {
    if a.try_reserve(b.len()).is_err() {
        return Err(vm.no_memory());
    }
    a.extend(b);
    Ok(a)
}

/// A repetition count. `None`: the operand is no int. Errors: `OverflowError`.
pub fn times(vm: &Interpreter, value: &Value) -> Res<Option<i64>> {
    if !has_index(vm, value) {
        return Ok(None);
    }
    let index = vm.index(value)?;
    match vm.as_i64(&index) {
        Some(i) => Ok(Some(i)),
        None => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer".to_string())),
    }
}

/// Compares two sequences read through `a` and `b`, which may change while Python code compares items.
pub fn compare(
    vm: &Interpreter,
    op: CmpOp,
    a: (&dyn Fn() -> usize, &dyn Fn(usize) -> Option<Value>),
    b: (&dyn Fn() -> usize, &dyn Fn(usize) -> Option<Value>),
) -> Res {
    if (op == CmpOp::Eq || op == CmpOp::Ne) && a.0() != b.0() {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    let mut i = 0;
    while let (Some(x), Some(y)) = (a.1(i), b.1(i)) {
        if !vm.keys_equal(&x, &y)? {
            // The comparison may have changed either: what stands there now is what counts.
            let (Some(x), Some(y)) = (a.1(i), b.1(i)) else { break };
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.compare(op, &x, &y),
            };
        }
        i += 1;
    }
    Ok(Value::bool(op.holds(a.0().cmp(&b.0()))))
}

/// The bounds of a search, `start` and `end` arguments that may be left out or `None`, for `len` items. `start` may lie
/// beyond the end (nothing is found then); `end` does not. Errors: `TypeError`.
pub fn bounds(
    vm: &Interpreter,
    start: Option<&Value>,
    end: Option<&Value>,
) -> Res<impl Fn(usize) -> (usize, usize) + use<>> {
    let read = |value: Option<&Value>, default: i64| match value {
        Some(value) if !value.is_none() => {
            if !has_index(vm, value) {
                let what = "slice indices must be integers or None or have an __index__ method";
                return Err(vm.type_error(what.to_string()));
            }
            crate::slice::clamped(vm, value)
        }
        _ => Ok(default),
    };
    let (start, end) = (read(start, 0)?, read(end, i64::MAX)?);
    Ok(move |len: usize| {
        let fit = |i: i64| if i < 0 { i.saturating_add(len as i64).max(0) as usize } else { i as usize };
        (fit(start), fit(end).min(len))
    })
}

/// Whether objects of class `cls` are initialised as those of the builtin type `ty`, which is one of its bases: then what
/// the type refuses in a call is refused in one of the class, too.
pub fn same_init(cls: &Type, ty: &Type) -> bool {
    match (cls.slots.init.get(), ty.slots.init.get()) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Binds the arguments of a constructor whose parameters `names` can all be given by position or name.
/// Errors: `TypeError`.
pub fn bind<const N: usize>(
    vm: &Interpreter,
    function: &str,
    names: [&str; N],
    args: &pellucid_object::CallArgs,
) -> Res<[Option<Value>; N]> {
    let given = args.positional();
    if given.len() + args.names.len() > N {
        let (s, total) = (if N == 1 { "" } else { "s" }, given.len() + args.names.len());
        return Err(vm.type_error(format!("{function}() takes at most {N} argument{s} ({total} given)")));
    }
    let mut bound = [const { None }; N];
    for (place, value) in bound.iter_mut().zip(given) {
        *place = Some(value.clone());
    }
    for (name, value) in args.keywords() {
        let text = vm.str_lossy(name);
        match names.iter().position(|n| *n == text && !n.is_empty()) {
            Some(i) if bound[i].is_some() => {
                return Err(vm.type_error(format!(
                    "argument for {function}() given by name ('{text}') and position ({})",
                    i + 1
                )));
            }
            Some(i) => bound[i] = Some(value.clone()),
            None => {
                return Err(
                    vm.type_error(format!("{function}() got an unexpected keyword argument '{text}'"))
                );
            }
        }
    }
    Ok(bound)
}

/// Room for `total` items. Errors: `MemoryError`.
pub fn reserve<T>(vm: &Interpreter, total: Option<usize>) -> Res<Vec<T>> {
    let mut items = Vec::new();
    vm.expect_room(total.unwrap_or(usize::MAX).saturating_mul(size_of::<T>()))?;
    match total {
        Some(total) if items.try_reserve_exact(total).is_ok() => Ok(items),
        _ => Err(vm.no_memory()),
    }
}

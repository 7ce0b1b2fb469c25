//! What machine code calls for operations on builtin containers, strings and large ints: the cases in which nothing is raised and
//! no Python code can run. Such a call needs no frame, and no registers in memory.
//!
//! A function here that gives nothing has changed nothing: machine code leaves then, and the interpreter does the
//! instruction, which knows all cases. Arguments are words that others own; a result is owned by whoever gets it.

use crate::ops_attr::{bound, sequence_item, sequence_slice, stepped_slice, text_item};
use pellucid_object::native::{Builtin, MethodDescriptor, call_positional};
use pellucid_object::protocol::{BinOp, CmpOp};
use pellucid_object::{
    ByteArray, Bytes, Dict, Interpreter, List, Ref, Res, Set, Str, Text, Tuple, Type, TypeFlags, Value,
};
use std::mem::ManuallyDrop;

/// What a quick function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A word with its reference.
    Owned,
    /// A small int.
    Int,
    Truth,
    /// Nothing but that it is done.
    Done,
}

/// What a quick function changes that machine code may have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    Nothing,
    Lists,
    Dicts,
}

/// A result as a word, 0 being none.
trait Outcome {
    const GIVES: Gives;
    fn word(self) -> u64;
}

impl Outcome for Option<Value> {
    const GIVES: Gives = Gives::Owned;
    fn word(self) -> u64 {
        self.map_or(0, Value::into_bits)
    }
}

impl Outcome for Option<i64> {
    const GIVES: Gives = Gives::Int;
    fn word(self) -> u64 {
        self.and_then(Value::small_int).map_or(0, Value::into_bits)
    }
}

impl Outcome for Option<bool> {
    const GIVES: Gives = Gives::Truth;
    fn word(self) -> u64 {
        self.map_or(0, |truth| 1 + u64::from(truth))
    }
}

impl Outcome for Option<()> {
    const GIVES: Gives = Gives::Done;
    fn word(self) -> u64 {
        u64::from(self.is_some())
    }
}

macro_rules! argument {
    ($arg:ident value) => {
        Value::borrow_bits(&$arg)
    };
    ($arg:ident raw) => {
        $arg
    };
}

macro_rules! quick {
    ($($(#[$doc:meta])* $name:ident = $function:ident($($arg:ident: $kind:ident),*) -> $result:ty, $changes:ident;)*) => {
        /// A quick function. Arguments are values, or, where this says so, plain numbers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Quick { $($(#[$doc])* $name),* }

        impl Quick {
            /// The address of its machine code: takes the interpreter and words, gives a word, 0 for nothing.
            pub fn address(self) -> usize {
                match self {
                    $(Quick::$name => {
                        unsafe extern "C" fn entry(vm: *const Interpreter $(, $arg: u64)*) -> u64 {
                            // SAFETY: machine code passes its interpreter, and words of live values.
                            unsafe { $function(&*vm $(, argument!($arg $kind))*).word() }
                        }
                        entry as *const () as usize
                    })*
                }
            }
            pub fn gives(self) -> Gives {
                match self { $(Quick::$name => <$result as Outcome>::GIVES),* }
            }
            pub fn changes(self) -> Changes {
                match self { $(Quick::$name => Changes::$changes),* }
            }
        }
    };
}

quick! {
    /// `len(a)`
    Len = len(a: value) -> Option<i64>, Nothing;
    /// Whether `a` is true.
    Truth = truth(a: value) -> Option<bool>, Nothing;
    /// `a[b]`
    Item = item(a: value, b: value) -> Option<Value>, Nothing;
    /// `a[b]` of a dict.
    DictItem = dict_item(a: value, b: value) -> Option<Value>, Nothing;
    /// `a.get(b, c)` of a dict.
    DictGet = dict_get(a: value, b: value, c: value) -> Option<Value>, Nothing;
    /// `a[b] = c` of a dict; gives what was there, or an unbound word.
    SetDictItem = set_dict_item(a: value, b: value, c: value) -> Option<Value>, Dicts;
    /// `a[b] = c` of a bytearray.
    SetByte = set_byte(a: value, b: value, c: value) -> Option<()>, Nothing;
    /// `b in a`
    Contains = contains(a: value, b: value) -> Option<bool>, Nothing;
    /// `a[b:c]`
    Slice = slice(a: value, b: value, c: value) -> Option<Value>, Nothing;
    /// `a[b:c:d]`
    StepSlice = step_slice(a: value, b: value, c: value, d: value) -> Option<Value>, Nothing;
    /// `a[b:c] = d` of lists; gives the old items that are objects, or an unbound word.
    SetSlice = set_slice(a: value, b: value, c: value, d: value) -> Option<Value>, Lists;
    /// `a op b`, the operator as its number.
    Binary = binary(a: value, b: value, op: raw) -> Option<Value>, Nothing;
    /// `a op b` of a comparison, as its number.
    Compare = compare(a: value, b: value, op: raw) -> Option<bool>, Nothing;
    /// `a + b` of strings; takes `a` over.
    AddText = add_text(a: raw, b: value) -> Option<Value>, Nothing;
    /// `a.extend(b)` of a list, `b` being another list or a tuple.
    Extend = extend(a: value, b: value) -> Option<()>, Lists;
    /// `a.append(b)` of a list.
    Append = append(a: value, b: value) -> Option<()>, Lists;
    /// `a.pop()` of a list.
    Pop = pop(a: value) -> Option<Value>, Lists;
    /// `a.pop(b)` of a list.
    PopAt = pop_at(a: value, b: value) -> Option<Value>, Lists;
    /// `a.add(b)` of a set.
    SetAdd = set_add(a: value, b: value) -> Option<()>, Nothing;
    /// `isinstance(a, b)`
    IsInstance = is_instance(a: value, b: value) -> Option<bool>, Nothing;
    /// `type(a)`
    Class = class(a: value) -> Option<Value>, Nothing;
    /// `iter(a)`
    Iter = iter(a: value) -> Option<Value>, Nothing;
    /// `next(a)` of an iterator that runs no Python code; an unbound word at its end.
    Next = next(a: value) -> Option<Value>, Nothing;
    /// `[]`, and lists of items.
    List0 = list0() -> Option<Value>, Nothing;
    List1 = list1(a: value) -> Option<Value>, Nothing;
    List2 = list2(a: value, b: value) -> Option<Value>, Nothing;
    List3 = list3(a: value, b: value, c: value) -> Option<Value>, Nothing;
    /// `list(a)` and `tuple(a)` of a list or tuple.
    NewList = new_list(a: value) -> Option<Value>, Nothing;
    NewTuple = new_tuple(a: value) -> Option<Value>, Nothing;
    /// `{}`
    Dict0 = dict0() -> Option<Value>, Nothing;
    /// `f"{a}"`
    Format = format(a: value) -> Option<Value>, Nothing;
    /// The strings from the register at this address on, so many of them, as one.
    Join = join(first: raw, count: raw) -> Option<Value>, Nothing;
    /// `callee(a)` of what [`is_safe`].
    CallSafe = call_safe(callee: value, a: raw) -> Option<Value>, Nothing;
    /// `callee(a, ...)` of a function that [`is_quiet`], with plain values.
    Call0 = call0(callee: value) -> Option<Value>, Nothing;
    Call1 = call1(callee: value, a: raw) -> Option<Value>, Nothing;
    Call2 = call2(callee: value, a: raw, b: raw) -> Option<Value>, Nothing;
    Call3 = call3(callee: value, a: raw, b: raw, c: raw) -> Option<Value>, Nothing;
    /// The same of a method, `a` being its object.
    Method1 = method1(callee: value, a: raw) -> Option<Value>, Nothing;
    Method2 = method2(callee: value, a: raw, b: raw) -> Option<Value>, Nothing;
    Method3 = method3(callee: value, a: raw, b: raw, c: raw) -> Option<Value>, Nothing;
    /// `a.insert(b, c)` of a list.
    Insert = insert(a: value, b: value, c: value) -> Option<()>, Lists;
    /// `a.reverse()` of a list.
    Reverse = reverse(a: value) -> Option<()>, Lists;
    /// `id(a)`
    Id = id(a: value) -> Option<Value>, Nothing;
}

/// A result; what was raised is forgotten, for the interpreter will raise it again.
fn quiet<T>(vm: &Interpreter, result: Res<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(raised) => {
            drop(vm.take_raised(raised));
            None
        }
    }
}

/// The payload of an object of exactly this type.
#[inline(always)]
fn exact<'a, T: pellucid_object::Payload>(value: &'a Value, ty: &Ref<Type>) -> Option<&'a T> {
    let exact = value.header()?.ty.get() as u64 == ty.value().bits();
    // SAFETY: the core types' objects have their payloads.
    exact.then(|| unsafe { value.payload_unchecked::<T>() })
}

/// Whether operations on a value run no Python code: numbers, strings and singletons.
#[inline]
fn is_plain(vm: &Interpreter, value: &Value) -> bool {
    let Some(header) = value.header() else { return true };
    let (ty, types) = (header.ty.get() as u64, vm.types());
    [&types.str, &types.int, &types.float, &types.bytes].iter().any(|t| t.value().bits() == ty)
}

fn len(vm: &Interpreter, value: &Value) -> Option<i64> {
    let types = vm.types();
    let len = match value.header()?.ty.get() as u64 {
        ty if ty == types.list.value().bits() => exact::<List>(value, &types.list)?.len(),
        ty if ty == types.tuple.value().bits() => exact::<Tuple>(value, &types.tuple)?.len(),
        ty if ty == types.str.value().bits() => exact::<Str>(value, &types.str)?.text.len(),
        ty if ty == types.dict.value().bits() => exact::<Dict>(value, &types.dict)?.len(),
        ty if ty == types.bytes.value().bits() => exact::<Bytes>(value, &types.bytes)?.as_slice().len(),
        ty if ty == types.bytearray.value().bits() => {
            exact::<ByteArray>(value, &types.bytearray)?.borrow().len()
        }
        _ => set(vm, value)?.len(),
    };
    i64::try_from(len).ok()
}

fn set<'a>(vm: &Interpreter, value: &'a Value) -> Option<&'a Set> {
    let types = vm.types();
    exact::<Set>(value, &types.set).or_else(|| exact::<Set>(value, &types.frozenset))
}

fn truth(vm: &Interpreter, value: &Value) -> Option<bool> {
    vm.plain_truth(value)
}

fn item(vm: &Interpreter, container: &Value, key: &Value) -> Option<Value> {
    let types = vm.types();
    if exact::<Dict>(container, &types.dict).is_some() {
        return dict_item(vm, container, key);
    }
    if let Some(value) = sequence_item(vm, container, key) {
        return Some(value);
    }
    if let Some(value) = text_item(vm, container, key) {
        return quiet(vm, value);
    }
    let bytes = exact::<ByteArray>(container, &types.bytearray)?;
    let (bytes, index) = (bytes.borrow(), key.as_small_int()?);
    let index = if index < 0 { index + bytes.len() as i64 } else { index };
    Value::small_int(i64::from(*bytes.get(usize::try_from(index).ok()?)?))
}

/// Where a dict has a key. `None`: nobody knows without asking.
#[inline]
fn find(vm: &Interpreter, dict: &Dict, key: &Value) -> Option<(i64, Option<usize>)> {
    let hash = vm.plain_hash(key)?;
    Some((hash, dict.find_plain(vm, key, hash)?))
}

fn dict_item(vm: &Interpreter, dict: &Value, key: &Value) -> Option<Value> {
    let dict = exact::<Dict>(dict, &vm.types().dict)?;
    dict.value_at(find(vm, dict, key)?.1?)
}

fn dict_get(vm: &Interpreter, dict: &Value, key: &Value, default: &Value) -> Option<Value> {
    let dict = exact::<Dict>(dict, &vm.types().dict)?;
    match find(vm, dict, key)?.1 {
        Some(at) => dict.value_at(at),
        None => Some(default.clone()),
    }
}

fn set_dict_item(vm: &Interpreter, dict: &Value, key: &Value, value: &Value) -> Option<Value> {
    let dict = exact::<Dict>(dict, &vm.types().dict)?;
    match find(vm, dict, key)? {
        (_, Some(at)) => dict.swap_at(at, value),
        (hash, None) => {
            quiet(vm, dict.enter(vm, key.clone(), hash, value.clone()))?;
            Some(Value::UNBOUND)
        }
    }
}

fn set_byte(vm: &Interpreter, array: &Value, index: &Value, value: &Value) -> Option<()> {
    let array = exact::<ByteArray>(array, &vm.types().bytearray)?;
    let byte = u8::try_from(value.as_small_int()?).ok()?;
    let index = index.as_small_int()?;
    let mut bytes = array.borrow_mut();
    let index = if index < 0 { index + bytes.len() as i64 } else { index };
    *bytes.get_mut(usize::try_from(index).ok()?)? = byte;
    Some(())
}

fn contains(vm: &Interpreter, container: &Value, item: &Value) -> Option<bool> {
    let types = vm.types();
    let among = |items: &[Value]| {
        for other in items {
            if vm.plainly_equal(other, item)? {
                return Some(true);
            }
        }
        Some(false)
    };
    match container.header()?.ty.get() as u64 {
        ty if ty == types.dict.value().bits() => {
            let dict = exact::<Dict>(container, &types.dict)?;
            Some(find(vm, dict, item)?.1.is_some())
        }
        ty if ty == types.tuple.value().bits() => exact::<Tuple>(container, &types.tuple)?.with(among),
        ty if ty == types.list.value().bits() => exact::<List>(container, &types.list)?.with(among),
        ty if ty == types.str.value().bits() || ty == types.bytes.value().bits() => {
            let plain = is_plain(vm, item);
            plain.then(|| quiet(vm, vm.contains(container, item)))?
        }
        _ => set(vm, container)?.contains_plain(vm, item, vm.plain_hash(item)?),
    }
}

fn slice(vm: &Interpreter, container: &Value, start: &Value, stop: &Value) -> Option<Value> {
    quiet(vm, sequence_slice(vm, container, start, stop)?)
}

fn step_slice(
    vm: &Interpreter,
    container: &Value,
    start: &Value,
    stop: &Value,
    step: &Value,
) -> Option<Value> {
    quiet(vm, stepped_slice(vm, container, start, stop, step)?)
}

fn set_slice(vm: &Interpreter, list: &Value, start: &Value, stop: &Value, new: &Value) -> Option<Value> {
    let ty = &vm.types().list;
    if list.is(new) {
        return None;
    }
    let (list, new) = (exact::<List>(list, ty)?, exact::<List>(new, ty)?);
    let len = list.len();
    let (from, to) = (bound(start, len, 0)?, bound(stop, len, len)?);
    let to = to.max(from);
    // Numbers die unseen.
    let plain = list.with(|items| !items[from..to].iter().any(Value::is_heap));
    if plain && to - from == new.len() {
        list.with_mut(|items| new.with(|new| items[from..to].clone_from_slice(new)));
        return Some(Value::UNBOUND);
    }
    let room = vm.heap.fits(new.len() * size_of::<Value>())
        && list.with_mut(|items| items.try_reserve(new.len()).is_ok());
    let old = if plain { Value::UNBOUND } else { quiet(vm, vm.new_list(Vec::new()))? };
    if !room {
        return None;
    }
    let dead = list.with_mut(|items| items.splice(from..to, new.items()).collect::<Vec<Value>>());
    if !plain {
        exact::<List>(&old, ty)?.replace(dead);
    }
    Some(old)
}

const OPERATORS: [BinOp; BinOp::COUNT] = {
    use BinOp::*;
    [Add, Sub, Mul, MatMul, TrueDiv, FloorDiv, Mod, DivMod, Pow, LShift, RShift, And, Or, Xor]
};

const COMPARISONS: [CmpOp; 6] = [CmpOp::Lt, CmpOp::Le, CmpOp::Eq, CmpOp::Ne, CmpOp::Gt, CmpOp::Ge];

/// The number by which quick functions know an operator.
pub fn operator_number(op: BinOp) -> i64 {
    OPERATORS.iter().position(|known| *known == op).map_or(0, |at| at as i64)
}

/// The same for a comparison.
pub fn comparison_number(op: CmpOp) -> i64 {
    COMPARISONS.iter().position(|known| *known == op).map_or(0, |at| at as i64)
}

fn binary(vm: &Interpreter, a: &Value, b: &Value, op: u64) -> Option<Value> {
    let op = *OPERATORS.get(op as usize)?;
    let types = vm.types();
    let text = |v: &Value| exact::<Str>(v, &types.str).is_some() || exact::<Bytes>(v, &types.bytes).is_some();
    let sequence =
        |v: &Value| exact::<List>(v, &types.list).is_some() || exact::<Tuple>(v, &types.tuple).is_some();
    let known = match op {
        BinOp::Add if sequence(a) => sequence(b),
        BinOp::Mul if sequence(a) => b.is_small_int(),
        BinOp::Mul if sequence(b) => a.is_small_int(),
        // Formatting calls what its arguments say.
        BinOp::Mod if text(a) => false,
        _ => is_plain(vm, a) && is_plain(vm, b),
    };
    if !known {
        return None;
    }
    if op == BinOp::Add && exact::<Str>(a, &types.str).is_some() && exact::<Str>(b, &types.str).is_some() {
        return quiet(vm, vm.str_concat(a, b));
    }
    quiet(vm, vm.binary(op, a, b))
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: u64) -> Option<bool> {
    let op = *COMPARISONS.get(op as usize)?;
    compare_plain(vm, a, b, op, 3)
}

fn compare_plain(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp, depth: usize) -> Option<bool> {
    let types = vm.types();
    if let (Some(x), Some(y)) = (exact::<Str>(a, &types.str), exact::<Str>(b, &types.str)) {
        return Some(match op {
            CmpOp::Eq => a.is(b) || x.text == y.text,
            CmpOp::Ne => !a.is(b) && x.text != y.text,
            _ => op.holds(x.text.cmp(&y.text)),
        });
    }
    if is_plain(vm, a) && is_plain(vm, b) {
        let result = quiet(vm, vm.compare(op, a, b))?;
        return Some(result.is_true());
    }
    let (x, y) = (sequence_items(vm, a)?, sequence_items(vm, b)?);
    if depth == 0 || !vm.type_of_ref(a).value().is(vm.type_of_ref(b).value()) {
        return None;
    }
    for (x, y) in x.iter().zip(&y) {
        // Sequences take the same object for equal, whatever it says itself.
        if x.is(y) || compare_plain(vm, x, y, CmpOp::Eq, depth - 1)? {
            continue;
        }
        return match op {
            CmpOp::Eq => Some(false),
            CmpOp::Ne => Some(true),
            _ => compare_plain(vm, x, y, op, depth - 1),
        };
    }
    Some(op.holds(x.len().cmp(&y.len())))
}

/// The items of an exact tuple or list, if there are few.
fn sequence_items(vm: &Interpreter, value: &Value) -> Option<smallvec::SmallVec<[Value; 8]>> {
    let types = vm.types();
    let few = |items: &[Value]| (items.len() <= 8).then(|| items.iter().cloned().collect());
    match exact::<Tuple>(value, &types.tuple) {
        Some(tuple) => tuple.with(few),
        None => exact::<List>(value, &types.list)?.with(few),
    }
}

/// `a` is a word whose reference is taken over when this gives something.
fn add_text(vm: &Interpreter, a: u64, right: &Value) -> Option<Value> {
    // SAFETY: machine code passes the word of a live value; it is not dropped here unless its reference was taken over.
    let mut left = ManuallyDrop::new(unsafe { Value::from_bits(a) });
    let ty = &vm.types().str;
    let text = exact::<Str>(right, ty)?;
    exact::<Str>(&left, ty)?;
    if !left.is(right) && quiet(vm, vm.str_append(&mut left, text))? {
        return Some(ManuallyDrop::into_inner(left));
    }
    let sum = quiet(vm, vm.str_concat(&left, right))?;
    drop(ManuallyDrop::into_inner(left));
    Some(sum)
}

fn extend(vm: &Interpreter, list: &Value, other: &Value) -> Option<()> {
    let types = vm.types();
    let to = exact::<List>(list, &types.list)?;
    let items = match exact::<Tuple>(other, &types.tuple) {
        Some(tuple) => tuple.items(),
        None => exact::<List>(other, &types.list)?.items(),
    };
    let room = vm.heap.fits(items.len() * size_of::<Value>());
    (room && to.with_mut(|held| held.try_reserve(items.len()).is_ok())).then_some(())?;
    to.with_mut(|held| held.extend(items));
    Some(())
}

fn append(vm: &Interpreter, list: &Value, value: &Value) -> Option<()> {
    quiet(vm, exact::<List>(list, &vm.types().list)?.push(vm, value.clone()))
}

fn pop(vm: &Interpreter, list: &Value) -> Option<Value> {
    exact::<List>(list, &vm.types().list)?.with_mut(Vec::pop)
}

fn pop_at(vm: &Interpreter, list: &Value, index: &Value) -> Option<Value> {
    let list = exact::<List>(list, &vm.types().list)?;
    let (index, len) = (index.as_small_int()?, list.len() as i64);
    let index = if index < 0 { index + len } else { index };
    (0..len).contains(&index).then(|| list.with_mut(|items| items.remove(index as usize)))
}

fn insert(vm: &Interpreter, list: &Value, index: &Value, value: &Value) -> Option<()> {
    let list = exact::<List>(list, &vm.types().list)?;
    let at = bound(index, list.len(), 0).filter(|_| index.is_small_int())?;
    // Makes room, and then moves the last item to its place.
    quiet(vm, list.push(vm, value.clone()))?;
    list.with_mut(|items| items[at..].rotate_right(1));
    Some(())
}

fn reverse(vm: &Interpreter, list: &Value) -> Option<()> {
    exact::<List>(list, &vm.types().list)?.with_mut(|items| items.reverse());
    Some(())
}

fn id(vm: &Interpreter, value: &Value) -> Option<Value> {
    quiet(vm, pellucid_types::builtins::id(vm, value))
}

fn set_add(vm: &Interpreter, set: &Value, key: &Value) -> Option<()> {
    let set = exact::<Set>(set, &vm.types().set)?;
    let hash = vm.plain_hash(key)?;
    if set.contains_plain(vm, key, hash)? {
        return Some(());
    }
    quiet(vm, set.add_hashed(vm, key.clone(), hash)).map(|_| ())
}

fn is_instance(vm: &Interpreter, value: &Value, class: &Value) -> Option<bool> {
    let own = vm.type_of_ref(value);
    let one = |class: &Value| {
        if own.value().is(class) {
            return Some(true);
        }
        // Another metaclass may have a say of its own.
        vm.is_exact(class, &vm.types().type_).then_some(())?;
        let class = class.downcast_ref::<Type>()?;
        if own.is_subtype_of(&class) {
            return Some(true);
        }
        quiet(vm, vm.is_what_it_claims(value))?.then_some(false)
    };
    let Some(classes) = exact::<Tuple>(class, &vm.types().tuple) else { return one(class) };
    for class in classes.as_slice() {
        if one(class)? {
            return Some(true);
        }
    }
    Some(false)
}

fn class(vm: &Interpreter, value: &Value) -> Option<Value> {
    Some(vm.type_of_ref(value).value().clone())
}

fn iter(vm: &Interpreter, value: &Value) -> Option<Value> {
    let (ty, types) = (value.header()?.ty.get() as u64, vm.types());
    let known =
        [&types.list, &types.tuple, &types.dict, &types.str, &types.set, &types.bytes, &types.frozenset];
    known.iter().any(|t| t.value().bits() == ty).then(|| quiet(vm, vm.iter(value)))?
}

fn next(vm: &Interpreter, iterator: &Value) -> Option<Value> {
    let next = vm.type_of_ref(iterator).slots.next.get()?;
    let runs = &crate::state::state(vm).runs;
    let before = runs.get();
    match quiet(vm, next(vm, iterator))? {
        Some(value) => Some(value),
        // At its end it gives up what it iterated over. Where that ran code the interpreter finds it at its end again.
        None => (runs.get() == before).then_some(Value::UNBOUND),
    }
}

/// Whether the iterators of a type run no Python code.
pub fn is_plain_iterator(vm: &Interpreter, ty: &Value) -> bool {
    use pellucid_types::{cursor, list, range, set, tuple, views};
    [
        &list::LIST_REVERSE_ITERATOR,
        &tuple::TUPLE_ITERATOR,
        &range::RANGE_ITERATOR,
        &set::SET_ITERATOR,
        &cursor::STR_ITERATOR,
        &cursor::STR_ASCII_ITERATOR,
        &cursor::BYTES_ITERATOR,
        &cursor::BYTEARRAY_ITERATOR,
        &views::KEY_ITERATOR,
        &views::VALUE_ITERATOR,
        &views::ITEM_ITERATOR,
    ]
    .into_iter()
    .any(|def| vm.type_for(def).is_ok_and(|known| known.value().is(ty)))
}

fn list(vm: &Interpreter, items: &[&Value]) -> Option<Value> {
    quiet(vm, vm.new_list(items.iter().copied().cloned().collect()))
}

fn list0(vm: &Interpreter) -> Option<Value> {
    list(vm, &[])
}

fn list1(vm: &Interpreter, a: &Value) -> Option<Value> {
    list(vm, &[a])
}

fn list2(vm: &Interpreter, a: &Value, b: &Value) -> Option<Value> {
    list(vm, &[a, b])
}

fn list3(vm: &Interpreter, a: &Value, b: &Value, c: &Value) -> Option<Value> {
    list(vm, &[a, b, c])
}

fn new_list(vm: &Interpreter, from: &Value) -> Option<Value> {
    let types = vm.types();
    let items = match exact::<Tuple>(from, &types.tuple) {
        Some(tuple) => tuple.items(),
        None => match exact::<List>(from, &types.list) {
            Some(list) => list.items(),
            None => return of_plain_iterable(vm, &types.list, from),
        },
    };
    quiet(vm, vm.new_list(items))
}

fn new_tuple(vm: &Interpreter, from: &Value) -> Option<Value> {
    let types = vm.types();
    if exact::<Tuple>(from, &types.tuple).is_some() {
        return Some(from.clone());
    }
    match exact::<List>(from, &types.list) {
        Some(list) => quiet(vm, vm.new_tuple(list.items())),
        None => of_plain_iterable(vm, &types.tuple, from),
    }
}

/// A list or tuple of what a builtin container gives.
fn of_plain_iterable(vm: &Interpreter, class: &Ref<Type>, from: &Value) -> Option<Value> {
    use pellucid_types::{range::RANGE, views};
    let (ty, types) = (vm.type_of_ref(from).value(), vm.types());
    let core = [&types.dict, &types.set, &types.frozenset, &types.str, &types.bytes];
    let known = core.iter().any(|known| known.value().is(ty))
        || [&RANGE, &views::DICT_KEYS, &views::DICT_VALUES, &views::DICT_ITEMS]
            .into_iter()
            .any(|def| vm.type_for(def).is_ok_and(|known| known.value().is(ty)));
    known.then(|| quiet(vm, vm.call_values(class.value(), std::slice::from_ref(from))))?
}

fn dict0(vm: &Interpreter) -> Option<Value> {
    quiet(vm, vm.new_dict()).map(Ref::into_value)
}

fn format(vm: &Interpreter, value: &Value) -> Option<Value> {
    if exact::<Str>(value, &vm.types().str).is_some() {
        return Some(value.clone());
    }
    quiet(vm, vm.str_of_int(value.as_small_int()?))
}

fn join(vm: &Interpreter, first: u64, count: u64) -> Option<Value> {
    // SAFETY: machine code passes the address of so many registers of the innermost frame.
    let parts = unsafe { std::slice::from_raw_parts(first as *const Value, count as usize) };
    let ty = &vm.types().str;
    if parts.iter().any(|part| exact::<Str>(part, ty).is_none()) {
        return None;
    }
    let texts = parts.iter().filter_map(|part| part.downcast::<Str>()).map(|s| &s.text);
    quiet(vm, vm.str_join(&Text::empty(), texts))
}

/// Whether a value is plain, or a list or tuple of plain ones.
fn is_plain_argument(vm: &Interpreter, value: &Value) -> bool {
    let types = vm.types();
    let all = |items: &[Value]| items.iter().all(|item| is_plain(vm, item));
    if is_plain(vm, value) {
        return true;
    }
    match exact::<Tuple>(value, &types.tuple) {
        Some(tuple) => tuple.with(all),
        None => exact::<List>(value, &types.list).is_some_and(|list| list.with(all)),
    }
}

/// Calls what [`is_quiet`] with plain arguments.
fn call(vm: &Interpreter, callee: &Value, args: &[Value]) -> Option<Value> {
    if !args.iter().all(|arg| is_plain_argument(vm, arg)) {
        return None;
    }
    let result = call_positional(vm, callee, args).unwrap_or_else(|| vm.call_values(callee, args));
    quiet(vm, result)
}

/// Words that others own, as values.
fn borrowed<const N: usize>(words: [u64; N]) -> ManuallyDrop<[Value; N]> {
    // SAFETY: machine code passes words of live values; the copies are not dropped.
    ManuallyDrop::new(words.map(|word| unsafe { Value::from_bits(word) }))
}

fn call0(vm: &Interpreter, callee: &Value) -> Option<Value> {
    call(vm, callee, &[])
}

fn call1(vm: &Interpreter, callee: &Value, a: u64) -> Option<Value> {
    call(vm, callee, &*borrowed([a]))
}

fn call2(vm: &Interpreter, callee: &Value, a: u64, b: u64) -> Option<Value> {
    call(vm, callee, &*borrowed([a, b]))
}

fn call3(vm: &Interpreter, callee: &Value, a: u64, b: u64, c: u64) -> Option<Value> {
    call(vm, callee, &*borrowed([a, b, c]))
}

fn call_safe(vm: &Interpreter, callee: &Value, a: u64) -> Option<Value> {
    quiet(vm, call_positional(vm, callee, &*borrowed([a]))?)
}

/// Whether a native method, called with its object alone, neither runs Python code nor changes anything.
pub fn is_safe(vm: &Interpreter, callee: &Value) -> bool {
    let types = vm.types();
    callee.downcast::<MethodDescriptor>().is_some_and(|method| {
        let owner = method.owner.value();
        let name = method.def.name;
        owner.is(types.dict.value()) && ["keys", "values", "items", "copy"].contains(&name)
            || owner.is(types.list.value()) && name == "copy"
    })
}

/// As [`call`], of a method descriptor; the first argument is the object, of the very type that the method belongs to.
fn call_method(vm: &Interpreter, callee: &Value, args: &[Value]) -> Option<Value> {
    let method = callee.downcast::<MethodDescriptor>()?;
    let (this, rest) = args.split_first()?;
    if !vm.is_exact(this, &method.owner) || !rest.iter().all(|arg| is_plain_argument(vm, arg)) {
        return None;
    }
    quiet(vm, call_positional(vm, callee, args)?)
}

fn method1(vm: &Interpreter, callee: &Value, a: u64) -> Option<Value> {
    call_method(vm, callee, &*borrowed([a]))
}

fn method2(vm: &Interpreter, callee: &Value, a: u64, b: u64) -> Option<Value> {
    call_method(vm, callee, &*borrowed([a, b]))
}

fn method3(vm: &Interpreter, callee: &Value, a: u64, b: u64, c: u64) -> Option<Value> {
    call_method(vm, callee, &*borrowed([a, b, c]))
}

fn module_of(vm: &Interpreter, builtin: &Builtin) -> String {
    builtin.module.get().map(|name| vm.str_lossy(&name)).unwrap_or_default()
}

/// Whether a function is one of the module `builtins`.
pub fn is_of_builtins(vm: &Interpreter, builtin: &Builtin) -> bool {
    module_of(vm, builtin) == "builtins"
}

/// Whether a function or class, called with plain values, runs no Python code, changes nothing that machine code reads, and
/// nothing at all when it raises.
pub fn is_quiet(vm: &Interpreter, callee: &Value) -> bool {
    if let Some(builtin) = callee.downcast::<Builtin>() {
        let module = module_of(vm, builtin);
        return !builtin.pass_this && is_listed(QUIET_FUNCTIONS, &module, builtin.def.name);
    }
    let types = vm.types();
    [&types.int, &types.float, &types.str].iter().any(|ty| callee.is(ty.value()))
}

/// The same of a method of this type.
pub fn is_quiet_method(owner: &Value, name: &str) -> bool {
    owner.downcast::<Type>().is_some_and(|ty| {
        !ty.flags.get().contains(TypeFlags::MUTABLE) && is_listed(QUIET_METHODS, &ty.name(), name)
    })
}

fn is_listed(list: &[(&str, &[&str])], of: &str, name: &str) -> bool {
    list.iter().any(|(owner, names)| *owner == of && names.contains(&name))
}

const QUIET_FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "builtins",
        &["abs", "ord", "chr", "min", "max", "sum", "hash", "divmod", "round", "bin", "hex", "oct", "repr"],
    ),
    (
        "math",
        &[
            "sqrt", "sin", "cos", "tan", "exp", "log", "log2", "log10", "floor", "ceil", "fabs", "atan",
            "atan2", "hypot", "isqrt", "gcd", "pow", "fmod", "isnan", "isinf", "radians", "degrees",
        ],
    ),
    ("time", &["time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns"]),
    ("_thread", &["get_ident"]),
    ("posix", &["getpid"]),
    ("_struct", &["pack", "unpack", "calcsize"]),
];

const QUIET_METHODS: &[(&str, &[&str])] = &[
    (
        "str",
        &[
            "startswith",
            "endswith",
            "find",
            "rfind",
            "index",
            "count",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "rsplit",
            "partition",
            "rpartition",
            "replace",
            "lower",
            "upper",
            "isdigit",
            "isalpha",
            "isalnum",
            "isspace",
            "isupper",
            "islower",
            "title",
            "capitalize",
            "ljust",
            "rjust",
            "center",
            "zfill",
            "splitlines",
            "join",
        ],
    ),
    (
        "bytes",
        &[
            "startswith",
            "endswith",
            "find",
            "rfind",
            "index",
            "count",
            "strip",
            "split",
            "replace",
            "hex",
            "join",
        ],
    ),
    ("int", &["bit_length", "bit_count"]),
    ("BytesIO", &["read", "write", "tell", "getvalue"]),
    ("Pattern", &["match", "search", "fullmatch"]),
    ("Match", &["group", "start", "end", "span", "groups"]),
    ("Random", &["random", "getrandbits"]),
];

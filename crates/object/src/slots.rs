//! Type slots: what the runtime calls on an object, and how Python's dunder methods and slots meet.
//!
//! A builtin type fills its slots with Rust functions ([`Slot`] entries of its `TypeDef`), and gets a wrapper method
//! (`int.__add__`) for each from the [`DUNDERS`] table. A Python class that defines a dunder gets the generic slot
//! function of that row, which looks the method up and calls it. A class that inherits the wrapper inherits the Rust function.

use crate::args::CallArgs;
use crate::class::Type;
use crate::heap::{Payload, Visitor};
use crate::int::IntRef;
use crate::interpreter::Interpreter;
use crate::protocol::{BinOp, CmpOp, UnOp};
use crate::value::Value;
use crate::{Ref, Res};
use std::cell::Cell;

pub type UnaryFn = fn(&Interpreter, &Value) -> Res;
pub type BinaryFn = fn(&Interpreter, &Value, &Value) -> Res;
pub type LenFn = fn(&Interpreter, &Value) -> Res<usize>;
pub type BoolFn = fn(&Interpreter, &Value) -> Res<bool>;
pub type HashFn = fn(&Interpreter, &Value) -> Res<i64>;
pub type ContainsFn = fn(&Interpreter, &Value, &Value) -> Res<bool>;
pub type CompareFn = fn(&Interpreter, &Value, &Value, CmpOp) -> Res;
/// `None` deletes.
pub type SetFn = fn(&Interpreter, &Value, &Value, Option<&Value>) -> Res<()>;
pub type GetFn = fn(&Interpreter, &Value, Option<&Value>, &Value) -> Res;
pub type CallFn = fn(&Interpreter, &Value, &CallArgs) -> Res;
pub type InitFn = fn(&Interpreter, &Value, &CallArgs) -> Res<()>;
/// `Ok(None)` is the end: no `StopIteration` object is made.
pub type NextFn = fn(&Interpreter, &Value) -> Res<Option<Value>>;
/// The items of the tuple that `next` would give, without a tuple; see [`Unpacked`].
pub type NextItemsFn = fn(&Interpreter, &Value, Places) -> Res<Unpacked>;
/// Repeats a sequence.
pub type RepeatFn = fn(&Interpreter, &Value, i64) -> Res;
pub type FinalizeFn = fn(&Interpreter, &Value);
/// The last argument has the bits of [`flags`](crate::buffer::flags).
pub type BufferFn = fn(&Interpreter, &Value, u32) -> Res<crate::buffer::Buffer>;

/// Where the items of a tuple go: the registers of a frame.
#[derive(Clone, Copy)]
pub struct Places<'a>(&'a [Cell<Value>]);

impl<'a> Places<'a> {
    /// Unpacking leaves the first item on top, hence the first item's place is the last of these.
    pub fn new(places: &'a [Cell<Value>]) -> Places<'a> {
        Places(places)
    }
    #[allow(clippy::len_without_is_empty)]
    #[inline(always)]
    pub fn len(self) -> usize {
        self.0.len()
    }
    /// Puts an item in its place, if there is one for it.
    #[inline(always)]
    pub fn put(self, index: usize, item: Value) {
        let place = self.0.len().checked_sub(index + 1).and_then(|at| self.0.get(at));
        if let Some(place) = place {
            place.set(item);
        }
    }
    /// Empties all of them.
    pub fn clear(self) {
        self.0.iter().for_each(|place| place.set(Value::UNBOUND));
    }
}

/// What an iterator whose values are tuples did when it was asked for a tuple's items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unpacked {
    /// They stand in their places.
    Items,
    /// There is no further tuple; some places may have been filled.
    End,
    /// Nothing: its tuples are of another length.
    Other,
}

macro_rules! slots {
    ($($field:ident $variant:ident $fn:ty;)*) => {
        /// The slots of a type; empty ones are inherited when the type is made.
        #[derive(Default)]
        pub struct Slots {
            $(pub $field: Cell<Option<$fn>>,)*
            pub binary: [Cell<Option<BinaryFn>>; BinOp::COUNT],
            pub inplace: [Cell<Option<BinaryFn>>; BinOp::COUNT],
            pub unary: [Cell<Option<UnaryFn>>; UnOp::COUNT],
        }
        /// One slot of a builtin type, as data in its `TypeDef`.
        #[derive(Clone, Copy)]
        pub enum Slot {
            $($variant($fn),)*
            Binary(BinOp, BinaryFn),
            Inplace(BinOp, BinaryFn),
            Unary(UnOp, UnaryFn),
        }
        impl Slot {
            /// Where the function stands, to tell functions apart.
            fn address(self) -> usize {
                match self {
                    $(Slot::$variant(f) => f as usize,)*
                    Slot::Binary(_, f) | Slot::Inplace(_, f) => f as usize,
                    Slot::Unary(_, f) => f as usize,
                }
            }
        }
        impl Slots {
            /// Puts one slot in its place.
            pub fn install(&self, slot: Slot) {
                match slot {
                    $(Slot::$variant(f) => self.$field.set(Some(f)),)*
                    Slot::Binary(op, f) => self.binary[op as usize].set(Some(f)),
                    Slot::Inplace(op, f) => self.inplace[op as usize].set(Some(f)),
                    Slot::Unary(op, f) => self.unary[op as usize].set(Some(f)),
                }
            }
            /// Empties every slot.
            pub fn reset(&self) {
                $(self.$field.set(None);)*
                self.binary.iter().chain(&self.inplace).for_each(|slot| slot.set(None));
                self.unary.iter().for_each(|slot| slot.set(None));
            }
            /// Takes from `base` what is still empty here.
            pub fn inherit(&self, base: &Slots) {
                $(if self.$field.get().is_none() { self.$field.set(base.$field.get()); })*
                let pairs = self.binary.iter().zip(&base.binary).chain(self.inplace.iter().zip(&base.inplace));
                for (mine, theirs) in pairs {
                    if mine.get().is_none() { mine.set(theirs.get()); }
                }
                for (mine, theirs) in self.unary.iter().zip(&base.unary) {
                    if mine.get().is_none() { mine.set(theirs.get()); }
                }
            }
        }
    };
}

slots! {
    repr Repr UnaryFn;
    str Str UnaryFn;
    hash Hash HashFn;
    call Call CallFn;
    getattr GetAttr BinaryFn;
    setattr SetAttr SetFn;
    descr_get DescrGet GetFn;
    descr_set DescrSet SetFn;
    iter Iter UnaryFn;
    next Next NextFn;
    next_items NextItems NextItemsFn;
    compare Compare CompareFn;
    len Len LenFn;
    bool Bool BoolFn;
    getitem GetItem BinaryFn;
    setitem SetItem SetFn;
    contains Contains ContainsFn;
    init Init InitFn;
    new New CallFn;
    finalize Finalize FinalizeFn;
    await_ Await UnaryFn;
    aiter AIter UnaryFn;
    anext ANext UnaryFn;
    concat Concat BinaryFn;
    repeat Repeat RepeatFn;
    inplace_concat InplaceConcat BinaryFn;
    inplace_repeat InplaceRepeat RepeatFn;
    buffer Buffer BufferFn;
}

/// How a dunder method relates to its slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Repr,
    Str,
    Hash,
    Call,
    GetAttribute,
    GetAttr,
    SetAttr,
    DelAttr,
    Get,
    Set,
    Delete,
    Iter,
    Next,
    Compare(CmpOp),
    Len,
    Bool,
    GetItem,
    SetItem,
    DelItem,
    Contains,
    Init,
    Del,
    Await,
    AIter,
    ANext,
    Buffer,
    Unary(UnOp),
    Binary(BinOp),
    Reflected(BinOp),
    Inplace(BinOp),
    /// `+` of sequences, asked after the numbers' `+`.
    Concat,
    Repeat,
    RepeatReflected,
    InplaceConcat,
    InplaceRepeat,
}

/// A row of the table that joins dunder methods and slots.
pub struct Dunder {
    pub name: &'static str,
    pub sig: &'static str,
    pub doc: &'static str,
    pub kind: Kind,
    generic: Slot,
}

macro_rules! row {
    ($name:literal, $sig:literal, $doc:expr, $kind:expr, $generic:expr) => {
        Dunder { name: $name, sig: $sig, doc: $doc, kind: $kind, generic: $generic }
    };
}
macro_rules! unary {
    ($name:literal, $op:ident, $doc:literal) => {
        row!(
            $name,
            "($self, /)",
            $doc,
            Kind::Unary(UnOp::$op),
            Slot::Unary(UnOp::$op, |vm, a| vm.call_method(a, $name, &[]))
        )
    };
}
macro_rules! binary {
    ($name:literal, $rname:literal, $iname:literal, $op:ident, $sign:literal) => {
        [
            row!(
                $name,
                "($self, value, /)",
                concat!("Return self", $sign, "value."),
                Kind::Binary(BinOp::$op),
                Slot::Binary(BinOp::$op, |vm, a, b| generic_binary(vm, BinOp::$op, a, b, $name, $rname))
            ),
            row!(
                $rname,
                "($self, value, /)",
                concat!("Return value", $sign, "self."),
                Kind::Reflected(BinOp::$op),
                Slot::Binary(BinOp::$op, |vm, a, b| generic_binary(vm, BinOp::$op, a, b, $name, $rname))
            ),
            row!(
                $iname,
                "($self, value, /)",
                concat!("Return self", $sign, "=value."),
                Kind::Inplace(BinOp::$op),
                Slot::Inplace(BinOp::$op, |vm, a, b| vm.call_method(a, $iname, std::slice::from_ref(b)))
            ),
        ]
    };
}
macro_rules! compare {
    ($name:literal, $op:ident, $sign:literal) => {
        row!(
            $name,
            "($self, value, /)",
            concat!("Return self", $sign, "value."),
            Kind::Compare(CmpOp::$op),
            Slot::Compare(generic_compare)
        )
    };
}

/// The plain rows; [`dunders`] gives them with the binary operators.
static PLAIN: &[Dunder] = &[
    row!(
        "__repr__",
        "($self, /)",
        "Return repr(self).",
        Kind::Repr,
        Slot::Repr(|vm, a| vm.call_method(a, "__repr__", &[]))
    ),
    row!("__hash__", "($self, /)", "Return hash(self).", Kind::Hash, Slot::Hash(generic_hash)),
    row!(
        "__str__",
        "($self, /)",
        "Return str(self).",
        Kind::Str,
        Slot::Str(|vm, a| vm.call_method(a, "__str__", &[]))
    ),
    row!(
        "__call__",
        "($self, /, *args, **kwargs)",
        "Call self as a function.",
        Kind::Call,
        Slot::Call(generic_call)
    ),
    row!(
        "__getattribute__",
        "($self, name, /)",
        "Return getattr(self, name).",
        Kind::GetAttribute,
        Slot::GetAttr(generic_getattr)
    ),
    row!("__getattr__", "", "", Kind::GetAttr, Slot::GetAttr(generic_getattr)),
    row!(
        "__setattr__",
        "($self, name, value, /)",
        "Implement setattr(self, name, value).",
        Kind::SetAttr,
        Slot::SetAttr(generic_setattr)
    ),
    row!(
        "__delattr__",
        "($self, name, /)",
        "Implement delattr(self, name).",
        Kind::DelAttr,
        Slot::SetAttr(generic_setattr)
    ),
    row!(
        "__get__",
        "($self, instance, owner=None, /)",
        "Return an attribute of instance, which is of type owner.",
        Kind::Get,
        Slot::DescrGet(generic_get)
    ),
    row!(
        "__set__",
        "($self, instance, value, /)",
        "Set an attribute of instance to value.",
        Kind::Set,
        Slot::DescrSet(generic_set)
    ),
    row!(
        "__delete__",
        "($self, instance, /)",
        "Delete an attribute of instance.",
        Kind::Delete,
        Slot::DescrSet(generic_set)
    ),
    row!("__iter__", "($self, /)", "Implement iter(self).", Kind::Iter, Slot::Iter(generic_iter)),
    row!("__next__", "($self, /)", "Implement next(self).", Kind::Next, Slot::Next(generic_next)),
    row!("__len__", "($self, /)", "Return len(self).", Kind::Len, Slot::Len(generic_len)),
    row!("__bool__", "($self, /)", "True if self else False", Kind::Bool, Slot::Bool(generic_bool)),
    row!(
        "__getitem__",
        "($self, key, /)",
        "Return self[key].",
        Kind::GetItem,
        Slot::GetItem(|vm, a, b| vm.call_method(a, "__getitem__", std::slice::from_ref(b)))
    ),
    row!(
        "__setitem__",
        "($self, key, value, /)",
        "Set self[key] to value.",
        Kind::SetItem,
        Slot::SetItem(generic_setitem)
    ),
    row!(
        "__delitem__",
        "($self, key, /)",
        "Delete self[key].",
        Kind::DelItem,
        Slot::SetItem(generic_setitem)
    ),
    row!(
        "__contains__",
        "($self, key, /)",
        "Return bool(key in self).",
        Kind::Contains,
        Slot::Contains(generic_contains)
    ),
    row!(
        "__init__",
        "($self, /, *args, **kwargs)",
        "Initialize self.  See help(type(self)) for accurate signature.",
        Kind::Init,
        Slot::Init(generic_init)
    ),
    row!(
        "__del__",
        "($self, /)",
        "Called when the instance is about to be destroyed.",
        Kind::Del,
        Slot::Finalize(generic_finalize)
    ),
    row!(
        "__await__",
        "($self, /)",
        "Return an iterator to be used in await expression.",
        Kind::Await,
        Slot::Await(|vm, a| vm.call_method(a, "__await__", &[]))
    ),
    row!(
        "__aiter__",
        "($self, /)",
        "Return an awaitable, that resolves in asynchronous iterator.",
        Kind::AIter,
        Slot::AIter(|vm, a| vm.call_method(a, "__aiter__", &[]))
    ),
    row!(
        "__anext__",
        "($self, /)",
        "Return a value or raise StopAsyncIteration.",
        Kind::ANext,
        Slot::ANext(|vm, a| vm.call_method(a, "__anext__", &[]))
    ),
    row!(
        "__buffer__",
        "($self, flags, /)",
        "Return a buffer object that exposes the underlying memory of the object.",
        Kind::Buffer,
        Slot::Buffer(crate::buffer::python_buffer)
    ),
    compare!("__eq__", Eq, "=="),
    compare!("__ne__", Ne, "!="),
    compare!("__lt__", Lt, "<"),
    compare!("__le__", Le, "<="),
    compare!("__gt__", Gt, ">"),
    compare!("__ge__", Ge, ">="),
    unary!("__neg__", Neg, "-self"),
    unary!("__pos__", Pos, "+self"),
    unary!("__invert__", Invert, "~self"),
    unary!("__abs__", Abs, "abs(self)"),
    unary!("__int__", Int, "int(self)"),
    unary!("__float__", Float, "float(self)"),
    unary!(
        "__index__",
        Index,
        "Return self converted to an integer, if self is suitable for use as an index into a list."
    ),
];

static OPERATORS: &[[Dunder; 3]] = &[
    binary!("__add__", "__radd__", "__iadd__", Add, "+"),
    binary!("__sub__", "__rsub__", "__isub__", Sub, "-"),
    binary!("__mul__", "__rmul__", "__imul__", Mul, "*"),
    binary!("__matmul__", "__rmatmul__", "__imatmul__", MatMul, "@"),
    binary!("__truediv__", "__rtruediv__", "__itruediv__", TrueDiv, "/"),
    binary!("__floordiv__", "__rfloordiv__", "__ifloordiv__", FloorDiv, "//"),
    binary!("__mod__", "__rmod__", "__imod__", Mod, "%"),
    binary!("__divmod__", "__rdivmod__", "__idivmod__", DivMod, " divmod "),
    binary!("__pow__", "__rpow__", "__ipow__", Pow, "**"),
    binary!("__lshift__", "__rlshift__", "__ilshift__", LShift, "<<"),
    binary!("__rshift__", "__rrshift__", "__irshift__", RShift, ">>"),
    binary!("__and__", "__rand__", "__iand__", And, "&"),
    binary!("__or__", "__ror__", "__ior__", Or, "|"),
    binary!("__xor__", "__rxor__", "__ixor__", Xor, "^"),
];

/// `+` and `*` of sequences. No generic function: what Python code defines is the numbers' method.
static SEQUENCES: &[Dunder] = &[
    row!("__add__", "($self, value, /)", "Return self+value.", Kind::Concat, Slot::Concat(not_implemented)),
    row!("__mul__", "($self, value, /)", "Return self*value.", Kind::Repeat, Slot::Concat(not_implemented)),
    row!(
        "__rmul__",
        "($self, value, /)",
        "Return value*self.",
        Kind::RepeatReflected,
        Slot::Concat(not_implemented)
    ),
    row!(
        "__iadd__",
        "($self, value, /)",
        "Implement self+=value.",
        Kind::InplaceConcat,
        Slot::Concat(not_implemented)
    ),
    row!(
        "__imul__",
        "($self, value, /)",
        "Implement self*=value.",
        Kind::InplaceRepeat,
        Slot::Concat(not_implemented)
    ),
];

fn not_implemented(_: &Interpreter, _: &Value, _: &Value) -> Res {
    Ok(Value::NOT_IMPLEMENTED)
}

/// Every dunder that has a slot, each name once.
pub fn dunders() -> impl Iterator<Item = &'static Dunder> {
    PLAIN.iter().chain(OPERATORS.iter().flatten())
}

/// The rows of [`dunders`], and those of sequences, whose names are among them: what builtin types get wrappers for.
pub(crate) fn wrapped_dunders() -> impl Iterator<Item = &'static Dunder> {
    dunders().chain(SEQUENCES)
}

impl Slots {
    /// Empties the slot of a dunder.
    fn empty(&self, kind: Kind) {
        match kind {
            Kind::Repr => self.repr.set(None),
            Kind::Str => self.str.set(None),
            Kind::Hash => self.hash.set(None),
            Kind::Call => self.call.set(None),
            Kind::GetAttribute | Kind::GetAttr => self.getattr.set(None),
            Kind::SetAttr | Kind::DelAttr => self.setattr.set(None),
            Kind::Get => self.descr_get.set(None),
            Kind::Set | Kind::Delete => self.descr_set.set(None),
            Kind::Iter => self.iter.set(None),
            Kind::Next => self.next.set(None),
            Kind::Compare(_) => self.compare.set(None),
            Kind::Len => self.len.set(None),
            Kind::Bool => self.bool.set(None),
            Kind::GetItem => self.getitem.set(None),
            Kind::SetItem | Kind::DelItem => self.setitem.set(None),
            Kind::Contains => self.contains.set(None),
            Kind::Init => self.init.set(None),
            Kind::Del => self.finalize.set(None),
            Kind::Await => self.await_.set(None),
            Kind::AIter => self.aiter.set(None),
            Kind::ANext => self.anext.set(None),
            Kind::Buffer => self.buffer.set(None),
            Kind::Unary(op) => self.unary[op as usize].set(None),
            Kind::Binary(op) | Kind::Reflected(op) => self.binary[op as usize].set(None),
            Kind::Inplace(op) => self.inplace[op as usize].set(None),
            Kind::Concat => self.concat.set(None),
            Kind::Repeat | Kind::RepeatReflected => self.repeat.set(None),
            Kind::InplaceConcat => self.inplace_concat.set(None),
            Kind::InplaceRepeat => self.inplace_repeat.set(None),
        }
    }

    /// The Rust function behind a dunder, if the slot is filled.
    pub fn get(&self, kind: Kind) -> Option<Slot> {
        Some(match kind {
            Kind::Repr => Slot::Repr(self.repr.get()?),
            Kind::Str => Slot::Str(self.str.get()?),
            Kind::Hash => Slot::Hash(self.hash.get()?),
            Kind::Call => Slot::Call(self.call.get()?),
            Kind::GetAttribute | Kind::GetAttr => Slot::GetAttr(self.getattr.get()?),
            Kind::SetAttr | Kind::DelAttr => Slot::SetAttr(self.setattr.get()?),
            Kind::Get => Slot::DescrGet(self.descr_get.get()?),
            Kind::Set | Kind::Delete => Slot::DescrSet(self.descr_set.get()?),
            Kind::Iter => Slot::Iter(self.iter.get()?),
            Kind::Next => Slot::Next(self.next.get()?),
            Kind::Compare(_) => Slot::Compare(self.compare.get()?),
            Kind::Len => Slot::Len(self.len.get()?),
            Kind::Bool => Slot::Bool(self.bool.get()?),
            Kind::GetItem => Slot::GetItem(self.getitem.get()?),
            Kind::SetItem | Kind::DelItem => Slot::SetItem(self.setitem.get()?),
            Kind::Contains => Slot::Contains(self.contains.get()?),
            Kind::Init => Slot::Init(self.init.get()?),
            Kind::Del => Slot::Finalize(self.finalize.get()?),
            Kind::Await => Slot::Await(self.await_.get()?),
            Kind::AIter => Slot::AIter(self.aiter.get()?),
            Kind::ANext => Slot::ANext(self.anext.get()?),
            Kind::Buffer => Slot::Buffer(self.buffer.get()?),
            Kind::Unary(op) => Slot::Unary(op, self.unary[op as usize].get()?),
            Kind::Binary(op) | Kind::Reflected(op) => Slot::Binary(op, self.binary[op as usize].get()?),
            Kind::Inplace(op) => Slot::Inplace(op, self.inplace[op as usize].get()?),
            Kind::Concat => Slot::Concat(self.concat.get()?),
            Kind::Repeat | Kind::RepeatReflected => Slot::Repeat(self.repeat.get()?),
            Kind::InplaceConcat => Slot::InplaceConcat(self.inplace_concat.get()?),
            Kind::InplaceRepeat => Slot::InplaceRepeat(self.inplace_repeat.get()?),
        })
    }
}

/// Whether two dunders feed the same slot.
fn same_slot(a: Kind, b: Kind) -> bool {
    match (a, b) {
        (Kind::Compare(_), Kind::Compare(_)) => true,
        (Kind::Binary(a) | Kind::Reflected(a), Kind::Binary(b) | Kind::Reflected(b)) => a == b,
        (Kind::GetAttribute | Kind::GetAttr, Kind::GetAttribute | Kind::GetAttr) => true,
        (Kind::SetAttr | Kind::DelAttr, Kind::SetAttr | Kind::DelAttr) => true,
        (Kind::Set | Kind::Delete, Kind::Set | Kind::Delete) => true,
        (Kind::SetItem | Kind::DelItem, Kind::SetItem | Kind::DelItem) => true,
        (a, b) => a == b,
    }
}

/// Fills the slot of `dunder` in a Python class: the Rust function when every method found is a wrapper of it,
/// else the generic one. When no class on the MRO has such a method, the base decides.
pub(crate) fn refresh_slot(interp: &Interpreter, ty: &Type, dunder: &'static Dunder) -> Res<()> {
    if let Some(sequence) = sequence_kind(dunder.kind) {
        // What the method says replaces both the numbers' and the sequences' way.
        ty.slots.empty(sequence);
    }
    let mut native: Option<Slot> = None;
    for sibling in dunders().filter(|d| same_slot(d.kind, dunder.kind)) {
        let Some(method) = ty.lookup(interp, &interp.intern(sibling.name)?) else { continue };
        match method.downcast::<SlotWrapper>() {
            Some(wrapper)
                if same_slot(wrapper.dunder.kind, sibling.kind)
                    && ty.is_subtype_of(&wrapper.owner)
                    && native.is_none_or(|n| n.address() == wrapper.slot.address()) =>
            {
                native = Some(wrapper.slot);
            }
            None if method.is_none() && matches!(sibling.kind, Kind::Hash) => {
                ty.slots.hash.set(Some(|vm, a| Err(vm.unhashable(a))));
                return Ok(());
            }
            _ => {
                // One function for an operator and its reflection: `generic_binary` tells its users by it.
                let generic = match sibling.kind {
                    Kind::Reflected(op) => {
                        OPERATORS.get(op as usize).map_or(sibling.generic, |r| r[0].generic)
                    }
                    _ => sibling.generic,
                };
                ty.slots.install(generic);
                return Ok(());
            }
        }
    }
    match native {
        Some(slot) => ty.slots.install(slot),
        None => {
            if ty.flags.get().contains(crate::TypeFlags::MUTABLE) {
                ty.slots.empty(dunder.kind);
            }
            if let Some(base) = ty.base.get().and_then(|b| b.downcast_ref::<Type>()) {
                ty.slots.inherit(&base.slots);
            }
        }
    }
    Ok(())
}

/// The slot of sequences that shares its method with an operator.
fn sequence_kind(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::Binary(BinOp::Add) => Some(Kind::Concat),
        Kind::Binary(BinOp::Mul) => Some(Kind::Repeat),
        Kind::Inplace(BinOp::Add) => Some(Kind::InplaceConcat),
        Kind::Inplace(BinOp::Mul) => Some(Kind::InplaceRepeat),
        _ => None,
    }
}

/// The dunder rows named `name`.
pub(crate) fn named(name: &str) -> Option<&'static Dunder> {
    dunders().find(|d| d.name == name)
}

/// `int.__add__`: a slot seen as a method.
pub struct SlotWrapper {
    pub dunder: &'static Dunder,
    pub slot: Slot,
    pub owner: Ref<Type>,
}

impl Payload for SlotWrapper {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.owner.value());
    }
}

impl SlotWrapper {
    /// Checks that `this` fits the slot's type. Errors: `TypeError`.
    pub fn check_self(&self, vm: &Interpreter, this: &Value) -> Res<()> {
        if vm.is_exact(this, &self.owner) || vm.is_instance(this, &self.owner) {
            return Ok(());
        }
        let (name, owner, got) = (self.dunder.name, self.owner.message_name(), vm.type_name(this));
        Err(vm.type_error(format!("descriptor '{name}' requires a '{owner}' object but received a '{got}'")))
    }

    /// Attributes are not set past a builtin type that guards them: `object.__setattr__(str, ...)` is refused.
    fn check_override(&self, vm: &Interpreter, this: &Value) -> Res<()> {
        let Slot::SetAttr(mine) = self.slot else { return Ok(()) };
        let ty = vm.type_of(this);
        let is = |ty: &Type, f: SetFn| ty.slots.setattr.get().is_some_and(|g| std::ptr::fn_addr_eq(f, g));
        let generic = |ty: &Type| is(ty, generic_setattr);
        let mro = ty.mro();
        let defining = mro
            .iter()
            .rev()
            .filter_map(|base| base.downcast_ref::<Type>())
            .find(|base| !generic(base) && ty.slots.setattr.get().is_some_and(|own| is(base, own)));
        let mut at = Some(defining.unwrap_or_else(|| ty.clone()));
        while let Some(base) = at {
            if is(&base, mine) {
                break;
            }
            if !generic(&base) && base.slots.setattr.get().is_some() {
                let (name, ty) = (self.dunder.name, ty.message_name());
                return Err(vm.type_error(format!("can't apply this {name} to {ty} object")));
            }
            at = base.base.get().and_then(|b| b.downcast_ref::<Type>());
        }
        Ok(())
    }

    /// Calls the slot with `self` and the Python-level arguments.
    pub fn call(&self, vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
        if let (Slot::Call(f), Kind::Call) = (self.slot, self.dunder.kind) {
            return f(vm, this, args);
        }
        if let Slot::Init(f) = self.slot {
            return f(vm, this, args).map(|()| Value::NONE);
        }
        let name = self.dunder.name;
        if !args.names.is_empty() {
            return Err(vm.type_error(format!("wrapper {name}() takes no keyword arguments")));
        }
        let a = args.positional();
        let want = |least: usize, most: usize| {
            if a.len() < least || a.len() > most {
                let wanted = if least == most { least.to_string() } else { format!("{least} or {most}") };
                let s = if most == 1 { "" } else { "s" };
                return Err(vm.type_error(format!("expected {wanted} argument{s}, got {}", a.len())));
            }
            Ok(())
        };
        match (self.slot, self.dunder.kind) {
            (
                Slot::Repr(f)
                | Slot::Str(f)
                | Slot::Iter(f)
                | Slot::Await(f)
                | Slot::AIter(f)
                | Slot::ANext(f)
                | Slot::Unary(_, f),
                _,
            ) => {
                want(0, 0)?;
                f(vm, this)
            }
            (Slot::Hash(f), _) => want(0, 0).and_then(|()| f(vm, this)).and_then(|h| vm.new_int(h)),
            (Slot::Len(f), _) => want(0, 0).and_then(|()| f(vm, this)).and_then(|n| vm.new_int(n as i64)),
            (Slot::Bool(f), _) => want(0, 0).and_then(|()| f(vm, this)).map(Value::bool),
            (Slot::Next(f), _) => {
                want(0, 0)?;
                match f(vm, this)? {
                    Some(value) => Ok(value),
                    None => Err(vm.stop_iteration(None)),
                }
            }
            (Slot::Finalize(f), _) => {
                want(0, 0)?;
                f(vm, this);
                Ok(Value::NONE)
            }
            (Slot::Buffer(f), _) => {
                want(1, 1)?;
                let wanted = vm.expect_i64(&a[0])?;
                let Ok(wanted) = u32::try_from(wanted) else {
                    return Err(vm.overflow_error("buffer flags too large".to_string()));
                };
                vm.new_memoryview(f(vm, this, wanted)?)
            }
            (Slot::Contains(f), _) => want(1, 1).and_then(|()| f(vm, this, &a[0])).map(Value::bool),
            (Slot::Compare(f), Kind::Compare(op)) => want(1, 1).and_then(|()| f(vm, this, &a[0], op)),
            (Slot::Binary(BinOp::Pow, f), kind @ (Kind::Binary(_) | Kind::Reflected(_))) => {
                want(1, 2)?;
                let (left, right) =
                    if matches!(kind, Kind::Binary(_)) { (this, &a[0]) } else { (&a[0], this) };
                match a.get(1).filter(|modulus| !modulus.is_none()) {
                    Some(modulus) => vm.power(left, right, modulus),
                    None => f(vm, left, right),
                }
            }
            (Slot::Binary(_, f), Kind::Reflected(_)) => want(1, 1).and_then(|()| f(vm, &a[0], this)),
            (Slot::Repeat(f) | Slot::InplaceRepeat(f), _) => {
                want(1, 1)?;
                f(vm, this, vm.expect_i64(&a[0])?)
            }
            (
                Slot::Binary(_, f)
                | Slot::Inplace(_, f)
                | Slot::GetItem(f)
                | Slot::GetAttr(f)
                | Slot::Concat(f)
                | Slot::InplaceConcat(f),
                _,
            ) => want(1, 1).and_then(|()| f(vm, this, &a[0])),
            (
                Slot::SetAttr(f) | Slot::SetItem(f) | Slot::DescrSet(f),
                Kind::SetAttr | Kind::SetItem | Kind::Set,
            ) => {
                want(2, 2)?;
                self.check_override(vm, this)?;
                f(vm, this, &a[0], Some(&a[1])).map(|()| Value::NONE)
            }
            (Slot::SetAttr(f) | Slot::SetItem(f) | Slot::DescrSet(f), _) => {
                want(1, 1)?;
                self.check_override(vm, this)?;
                f(vm, this, &a[0], None).map(|()| Value::NONE)
            }
            (Slot::DescrGet(f), _) => {
                want(1, 2)?;
                let object = if a[0].is_none() { None } else { Some(&a[0]) };
                let owner = a.get(1).cloned().unwrap_or(Value::NONE);
                if object.is_none() && owner.is_none() {
                    return Err(vm.type_error("__get__(None, None) is invalid".to_string()));
                }
                f(vm, this, object, &owner)
            }
            _ => Err(vm.system_error(format!("{name} has no slot"))),
        }
    }
}

// ---- generic slot functions: look the method up on the class and call it ----

/// Asks `a.__op__`, then `b.__rop__`, those of them that are methods in Python; the other way round when the class of `b`
/// refines that of `a`.
fn generic_binary(vm: &Interpreter, op: BinOp, a: &Value, b: &Value, name: &str, rname: &str) -> Res {
    let (ta, tb) = (vm.type_of(a), vm.type_of(b));
    let generic = OPERATORS.get(op as usize).map(|rows| rows[0].generic.address());
    let asks = |ty: &Type| ty.slots.binary[op as usize].get().map(|f| f as usize) == generic;
    let rname = vm.intern(rname)?;
    let mut ask_b = !ta.value().is(tb.value()) && asks(&tb);
    if asks(&ta) {
        if ask_b
            && tb.is_subtype_of(&ta)
            && let Some(reflected) = tb.lookup(vm, &rname)
            && !ta.lookup(vm, &rname).is_some_and(|mine| mine.is(&reflected))
        {
            let result = vm.call_descriptor(&reflected, b, std::slice::from_ref(a))?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
            ask_b = false;
        }
        if let Some(method) = ta.lookup(vm, &vm.intern(name)?) {
            let result = vm.call_descriptor(&method, a, std::slice::from_ref(b))?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
    }
    match tb.lookup(vm, &rname) {
        Some(reflected) if ask_b => vm.call_descriptor(&reflected, b, std::slice::from_ref(a)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

impl Interpreter {
    /// Asks `b.__rop__` when the operator of its class is a method in Python.
    pub(crate) fn ask_reflected(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        let Some(rows) = OPERATORS.get(op as usize) else { return Ok(Value::NOT_IMPLEMENTED) };
        match self.lookup_special(b, rows[1].name)? {
            Some(reflected) => self.call_descriptor(&reflected, b, std::slice::from_ref(a)),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }
}

fn generic_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let Some(method) = vm.lookup_special(a, op.dunder())? else { return Ok(Value::NOT_IMPLEMENTED) };
    if vm.type_of_ref(&method).flags.get().contains(crate::TypeFlags::METHOD_DESCRIPTOR) {
        return vm.call_descriptor(&method, a, std::slice::from_ref(b));
    }
    let bound = vm.bind_descriptor(&method, a, vm.type_of_ref(a).value())?;
    vm.call_values(&bound, std::slice::from_ref(b))
}

fn generic_hash(vm: &Interpreter, a: &Value) -> Res<i64> {
    let result = vm.call_method(a, "__hash__", &[])?;
    let word = result.as_int().and_then(|int| match int {
        IntRef::Small(i) => Some(i),
        IntRef::Big(big) => i64::try_from(big).ok(),
    });
    if let Some(hash) = word {
        // What fits is the hash itself, so that `return hash(x)` hashes as `x` does; -1 stays the mark of an error.
        return Ok(if hash == -1 { -2 } else { hash });
    }
    match vm.hash_of_int(&result) {
        Some(hash) => Ok(hash),
        None => Err(vm.type_error("__hash__ method should return an integer".to_string())),
    }
}

fn generic_call(vm: &Interpreter, a: &Value, args: &CallArgs) -> Res {
    match vm.lookup_special(a, "__call__")? {
        Some(m) => vm.call_descriptor_args(&m, a, args),
        None => Err(vm.type_error(format!("'{}' object is not callable", vm.type_name(a)))),
    }
}

fn generic_getattr(vm: &Interpreter, a: &Value, name: &Value) -> Res {
    let ty = vm.type_of(a);
    let getattribute = ty.lookup(vm, &vm.intern_static("__getattribute__")?);
    let plain = vm.types().object.slots.getattr.get().map(|f| f as usize);
    let result = match &getattribute {
        Some(m) => match m.downcast::<SlotWrapper>() {
            // No exception is made for what `__getattr__` may find.
            Some(SlotWrapper { slot: Slot::GetAttr(f), .. }) if Some(*f as usize) == plain => {
                match vm.generic_find(a, name) {
                    Ok(Some(value)) => return Ok(value),
                    Err(raised) => Err(raised),
                    Ok(None) => match ty.lookup(vm, &vm.intern_static("__getattr__")?) {
                        Some(m) => return vm.call_descriptor(&m, a, std::slice::from_ref(name)),
                        None => return Err(vm.no_attribute(a, name)),
                    },
                }
            }
            Some(SlotWrapper { slot: Slot::GetAttr(f), .. }) => f(vm, a, name),
            _ => vm.call_descriptor(m, a, std::slice::from_ref(name)),
        },
        None => vm.generic_getattr(a, name),
    };
    match result {
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
            match ty.lookup(vm, &vm.intern_static("__getattr__")?) {
                Some(m) => {
                    drop(vm.take_raised(raised));
                    vm.call_descriptor(&m, a, std::slice::from_ref(name))
                }
                None => Err(raised),
            }
        }
        other => other,
    }
}

fn generic_setattr(vm: &Interpreter, a: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(v) => vm.call_method(a, "__setattr__", &[name.clone(), v.clone()]),
        None => vm.call_method(a, "__delattr__", std::slice::from_ref(name)),
    }
    .map(drop)
}

fn generic_get(vm: &Interpreter, descr: &Value, object: Option<&Value>, owner: &Value) -> Res {
    match vm.lookup_special(descr, "__get__")? {
        Some(m) => vm.call_descriptor(&m, descr, &[object.cloned().unwrap_or(Value::NONE), owner.clone()]),
        None => Ok(descr.clone()),
    }
}

fn generic_set(vm: &Interpreter, descr: &Value, object: &Value, value: Option<&Value>) -> Res<()> {
    let (name, args) = match value {
        Some(v) => ("__set__", vec![object.clone(), v.clone()]),
        None => ("__delete__", vec![object.clone()]),
    };
    match vm.lookup_special(descr, name)? {
        Some(m) => vm.call_descriptor(&m, descr, &args).map(drop),
        None => Err(vm.attribute_error_text(name.to_string())),
    }
}

fn generic_iter(vm: &Interpreter, a: &Value) -> Res {
    match vm.lookup_special(a, "__iter__")? {
        Some(m) if m.is_none() => Err(vm.type_error(format!("'{}' object is not iterable", vm.type_name(a)))),
        Some(m) => vm.call_descriptor(&m, a, &[]),
        None => vm.sequence_iter(a),
    }
}

fn generic_next(vm: &Interpreter, a: &Value) -> Res<Option<Value>> {
    match vm.call_method(a, "__next__", &[]) {
        Ok(value) => Ok(Some(value)),
        Err(raised) if vm.raised_is(vm.exceptions().stop_iteration()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

fn generic_len(vm: &Interpreter, a: &Value) -> Res<usize> {
    let result = vm.call_method(a, "__len__", &[])?;
    let index = vm.index(&result)?;
    match vm.as_i64(&index) {
        Some(n) if n >= 0 => Ok(n as usize),
        None if !index.as_int().is_some_and(|int| int.is_negative()) => {
            Err(vm.overflow_error("cannot fit 'int' into an index-sized integer".to_string()))
        }
        _ => Err(vm.value_error("__len__() should return >= 0".to_string())),
    }
}

fn generic_bool(vm: &Interpreter, a: &Value) -> Res<bool> {
    let result = vm.call_method(a, "__bool__", &[])?;
    if result.is_bool() {
        return Ok(result.is_true());
    }
    Err(vm.type_error(format!("__bool__ should return bool, returned {}", vm.type_name(&result))))
}

fn generic_setitem(vm: &Interpreter, a: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let (name, args) = match value {
        Some(v) => ("__setitem__", vec![key.clone(), v.clone()]),
        None => ("__delitem__", vec![key.clone()]),
    };
    match vm.lookup_special(a, name)? {
        Some(m) => vm.call_descriptor(&m, a, &args).map(drop),
        None => Err(vm.no_items(a, key, value.is_some())),
    }
}

fn generic_contains(vm: &Interpreter, a: &Value, item: &Value) -> Res<bool> {
    match vm.lookup_special(a, "__contains__")? {
        Some(m) if m.is_none() => {
            Err(vm.type_error(format!("'{}' object is not a container", vm.type_name(a))))
        }
        Some(m) => {
            let result = vm.call_descriptor(&m, a, std::slice::from_ref(item))?;
            vm.truthy(&result)
        }
        None => vm.contains_by_iteration(a, item),
    }
}

fn generic_init(vm: &Interpreter, a: &Value, args: &CallArgs) -> Res<()> {
    let Some(m) = vm.lookup_special(a, "__init__")? else { return Ok(()) };
    let result = vm.call_descriptor_args(&m, a, args)?;
    if result.is_none() {
        return Ok(());
    }
    Err(vm.type_error(format!("__init__() should return None, not '{}'", vm.type_name(&result))))
}

fn generic_finalize(vm: &Interpreter, a: &Value) {
    let saved = vm.save_raised();
    if let Ok(Some(m)) = vm.lookup_special(a, "__del__") {
        match vm.bind_descriptor(&m, a, vm.type_of_ref(a).value()) {
            Ok(bound) => {
                if let Err(raised) = vm.call_values(&bound, &[]) {
                    vm.unraisable(raised, "Exception ignored while calling deallocator", &m);
                }
            }
            // A descriptor that cannot give the method counts as none.
            Err(raised) => drop(vm.take_raised(raised)),
        }
    }
    vm.restore_raised(saved);
}

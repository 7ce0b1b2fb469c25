//! Types: creation from data ([`TypeDef`]) and from Python (`class`), method resolution order, attribute look-up
//! with a version per type, and layout (where an object's parts stand, see [`heap`](crate::heap)).

use crate::Res;
use crate::attrs::{Attrs, MAX_INLINE, Shape};
use crate::dict::Dict;
use crate::heap::{PAYLOAD_OFFSET, Payload, PayloadInfo, Ref, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::native::{FunctionDef, GetSetDef};
use crate::slots::{self, Slot, Slots};
use crate::value::Value;
use pellucid_memory::Header;
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;

/// Properties of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TypeFlags(pub u32);

impl TypeFlags {
    pub const NONE: TypeFlags = TypeFlags(0);
    /// Python code may subclass it.
    pub const BASETYPE: TypeFlags = TypeFlags(1);
    /// Python code may set its attributes.
    pub const MUTABLE: TypeFlags = TypeFlags(2);
    /// `type()` calls of it are refused.
    pub const NO_NEW: TypeFlags = TypeFlags(4);
    /// Has `__del__` or a native finaliser.
    pub const HAS_FINALIZER: TypeFlags = TypeFlags(8);
    /// Instances of the type itself have a `__dict__` (modules, exceptions, functions).
    pub const HAS_DICT: TypeFlags = TypeFlags(16);
    /// `match` treats it as a sequence.
    pub const SEQUENCE: TypeFlags = TypeFlags(32);
    /// `match` treats it as a mapping.
    pub const MAPPING: TypeFlags = TypeFlags(64);
    /// A class pattern with one positional subpattern matches the whole subject (int, str, ...).
    pub const MATCH_SELF: TypeFlags = TypeFlags(128);
    /// Instances can be weakly referenced.
    pub const WEAKREF: TypeFlags = TypeFlags(256);
    /// Abstract methods are left: instances cannot be made.
    pub const ABSTRACT: TypeFlags = TypeFlags(512);
    /// Descriptors of this type behave as methods (no bound method needed to call them).
    pub const METHOD_DESCRIPTOR: TypeFlags = TypeFlags(1024);
    /// A builtin type with the payload of its base and one word more ([`Value::slot_word`], the last one).
    pub const EXTRA_WORD: TypeFlags = TypeFlags(2048);

    pub const fn or(self, other: TypeFlags) -> TypeFlags {
        TypeFlags(self.0 | other.0)
    }
    pub const fn contains(self, other: TypeFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The payload of type objects. What inline caches and allocation look at stands in its first cache line.
#[repr(C)]
pub struct Type {
    version: Cell<u32>,
    pub flags: Cell<TypeFlags>,
    /// Offset of the attribute area; 0 when instances have none.
    pub attrs_offset: Cell<usize>,
    /// Words of attributes that stand in the object.
    pub inline_slots: Cell<usize>,
    /// Words of `__slots__`, bases' included.
    pub slot_count: Cell<usize>,
    pub payload: &'static PayloadInfo,
    interp: Cell<*const Interpreter>,
    /// Bytes of an instance, header included.
    object_size: Cell<usize>,
    /// Whether the collector looks at instances.
    container: Cell<bool>,
    pub slots: Slots,
    name: RefCell<Rc<str>>,
    /// The same as a `str`, once Python asked for it: it is the same object each time.
    name_object: SlotWord,
    /// The module of a type made from a `TypeDef`, which messages show; empty for all others.
    native_module: Cell<&'static str>,
    /// `__qualname__` when it differs from the name.
    pub qualname: SlotWord,
    pub bases: SlotWord,
    pub base: SlotWord,
    mro: RefCell<Rc<[Value]>>,
    pub dict: SlotWord,
    subclasses: RefCell<Vec<NonNull<Header>>>,
    root_shape: Cell<Option<NonNull<Shape>>>,
    /// The `TypeDef`'s doc, which may begin with a signature.
    pub doc: Cell<&'static str>,
}

impl Payload for Type {
    fn trace(&self, visit: &mut Visitor) {
        self.bases.trace(visit);
        self.base.trace(visit);
        self.dict.trace(visit);
        self.mro.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        self.leave_bases();
        self.name_object.set(None);
        let mro = std::mem::replace(&mut *self.mro.borrow_mut(), Rc::new([]));
        drop(mro);
        self.dict.set(None);
        self.base.set(None);
    }
}

/// A builtin type as data.
pub struct TypeDef {
    pub name: &'static str,
    /// `__module__`; also the prefix in messages unless it is `builtins`.
    pub module: &'static str,
    /// The base; `None` is `object`.
    pub base: Option<fn(&Interpreter) -> Ref<Type>>,
    pub payload: PayloadInfo,
    pub flags: TypeFlags,
    pub doc: &'static str,
    pub slots: &'static [Slot],
    pub methods: &'static [FunctionDef],
    pub getset: &'static [GetSetDef],
}

impl Type {
    /// Whether the payload of its objects is a `T`.
    pub fn holds<T: crate::heap::Payload>(&self) -> bool {
        self.payload.type_id == std::any::TypeId::of::<T>()
    }
    pub(crate) fn bare(
        interp: *const Interpreter,
        name: &str,
        payload: &'static PayloadInfo,
        flags: TypeFlags,
    ) -> Type {
        Type {
            interp: Cell::new(interp),
            name: RefCell::new(name.into()),
            name_object: SlotWord::default(),
            native_module: Cell::new(""),
            qualname: SlotWord::default(),
            bases: SlotWord::default(),
            base: SlotWord::default(),
            mro: RefCell::new(Rc::new([])),
            dict: SlotWord::default(),
            flags: Cell::new(flags),
            payload,
            slots: Slots::default(),
            version: Cell::new(0),
            subclasses: RefCell::default(),
            attrs_offset: Cell::new(0),
            inline_slots: Cell::new(0),
            slot_count: Cell::new(0),
            container: Cell::new(payload.container),
            object_size: Cell::new(PAYLOAD_OFFSET + payload.size.next_multiple_of(8)),
            root_shape: Cell::new(None),
            doc: Cell::new(""),
        }
    }

    pub fn interpreter(&self) -> Option<&Interpreter> {
        // SAFETY: an interpreter outlives every object it made.
        unsafe { self.interp.get().as_ref() }
    }

    /// `__name__`: the last part of a dotted name.
    pub fn name(&self) -> Rc<str> {
        self.name.borrow().clone()
    }
    /// The name as messages give it: that of a native type outside `builtins` with its module.
    pub fn message_name(&self) -> Rc<str> {
        match self.native_module.get() {
            "" => self.name(),
            module => format!("{module}.{}", self.name.borrow()).into(),
        }
    }
    /// Whether a type made from a `TypeDef` belongs to `builtins`; true for classes made in Python as well.
    pub fn is_of_builtins(&self) -> bool {
        self.native_module.get().is_empty()
    }
    pub fn set_name(&self, name: &str) {
        *self.name.borrow_mut() = name.into();
        self.name_object.set(None);
    }
    /// `__name__` as Python sees it. Errors: `MemoryError`.
    pub fn name_object(&self, vm: &Interpreter) -> Res {
        if let Some(known) = self.name_object.get() {
            return Ok(known);
        }
        let made = vm.new_str(&self.name())?;
        self.name_object.set(Some(made.clone()));
        Ok(made)
    }
    /// `__qualname__`.
    pub fn qualified_name(&self, vm: &Interpreter) -> String {
        self.qualname.get().map_or_else(|| self.name().to_string(), |q| vm.str_lossy(&q))
    }

    /// Method resolution order.
    pub fn mro(&self) -> Rc<[Value]> {
        self.mro.borrow().clone()
    }
    pub fn set_mro(&self, mro: Vec<Value>) {
        let old = self.mro.replace(mro.into());
        self.modified();
        drop(old);
    }

    /// The type's own attributes.
    pub fn namespace(&self) -> Option<Ref<Dict>> {
        self.dict.get()?.downcast_ref::<Dict>()
    }

    pub fn is_subtype_of(&self, other: &Ref<Type>) -> bool {
        let mro = self.mro.borrow();
        mro.iter().any(|t| t.is(other.value())) || mro.is_empty() && self.extends(other)
    }

    /// Whether `other` is on the chain of bases: what can be said of a class whose order is not known yet.
    #[cold]
    fn extends(&self, other: &Type) -> bool {
        let mut at = self.base.get().and_then(|base| base.downcast_ref::<Type>());
        while let Some(base) = at {
            if std::ptr::eq(&*base, other) {
                return true;
            }
            at = base.base.get().and_then(|base| base.downcast_ref::<Type>());
        }
        std::ptr::eq(self, other)
    }

    pub(crate) fn slots_offset(&self) -> usize {
        PAYLOAD_OFFSET + self.payload.size.next_multiple_of(8)
    }

    /// Bytes of an instance, header included.
    #[inline(always)]
    pub fn object_size(&self) -> usize {
        self.object_size.get()
    }

    /// Whether instances have slots or attributes behind the payload.
    #[inline(always)]
    pub(crate) fn adds_to_payload(&self) -> bool {
        self.attrs_offset.get() != 0 || self.slot_count.get() != 0
    }

    /// Whether the collector looks at instances: at those of a class made in Python always, as they hold the class.
    #[inline(always)]
    pub(crate) fn holds_references(&self) -> bool {
        self.container.get()
    }

    pub(crate) fn root_shape(&self) -> NonNull<Shape> {
        self.root_shape.get().unwrap_or_else(|| {
            let shape = match self.interpreter() {
                Some(interp) => interp.shapes.add(Shape::root(false, self.inline_slots.get())),
                None => NonNull::from(Box::leak(Box::new(Shape::root(false, self.inline_slots.get())))),
            };
            self.root_shape.set(Some(shape));
            shape
        })
    }

    /// An instance has got more attributes than have room in it: later ones get more.
    #[cold]
    pub(crate) fn make_room(&self, attributes: usize) {
        let (old, offset) = (self.inline_slots.get(), self.attrs_offset.get());
        let new = attributes.next_multiple_of(4).min(MAX_INLINE);
        // Sizes of instances that differ must fit into headers.
        if new <= old || offset == 0 || offset > 7900 || !self.flags.get().contains(TypeFlags::MUTABLE) {
            return;
        }
        self.inline_slots.set(new);
        self.object_size.set(offset + size_of::<Attrs>() + 8 * new);
        self.root_shape.set(None);
        self.modified();
    }

    /// Gives instances an attribute area with `inline` words in the object.
    pub(crate) fn lay_out(&self, slot_count: usize, attrs: bool, inline: usize) {
        self.slot_count.set(slot_count);
        self.inline_slots.set(inline);
        let fixed = self.slots_offset() + 8 * slot_count;
        self.attrs_offset.set(if attrs { fixed } else { 0 });
        self.object_size.set(if attrs { fixed + 16 + 8 * inline } else { fixed });
        let made_in_python = self.flags.get().contains(TypeFlags::MUTABLE);
        self.container.set(self.payload.container || self.adds_to_payload() || made_in_python);
    }

    /// The version, or 0 as long as nobody asked for one.
    pub fn known_version(&self) -> u32 {
        self.version.get()
    }
    /// The version that inline caches remember: changes when an attribute of the type or of a base changes, and when new
    /// instances get another layout.
    #[inline]
    pub fn version(&self) -> u32 {
        let version = self.version.get();
        if version != 0 {
            return version;
        }
        let Some(interp) = self.interpreter() else { return 0 };
        let fresh = interp.next_type_version.get();
        interp.next_type_version.set(fresh.wrapping_add(1).max(1));
        self.version.set(fresh);
        fresh
    }

    /// The version as machine code and caches see it; 0 when nobody asked yet.
    #[inline(always)]
    pub fn current_version(&self) -> u32 {
        self.version.get()
    }

    /// The class of this version among this one and those below it.
    pub fn with_version(this: &Value, version: u32) -> Option<Value> {
        let ty = this.downcast::<Type>()?;
        if ty.current_version() == version {
            return Some(this.clone());
        }
        ty.subclasses().iter().find_map(|class| Type::with_version(class, version))
    }

    /// The address of the shape that fresh instances have, if there ever was one.
    pub fn known_root_shape(&self) -> Option<u64> {
        Some(self.root_shape.get()?.as_ptr() as u64)
    }

    /// Bytes from the payload's start to the version.
    pub(crate) const VERSION_OFFSET: usize = std::mem::offset_of!(Type, version);

    /// Tells caches that an attribute of this type changed.
    pub fn modified(&self) {
        if self.version.get() == 0 && self.subclasses.borrow().is_empty() {
            return;
        }
        self.version.set(0);
        let subclasses: Vec<_> = self.subclasses.borrow().clone();
        for sub in subclasses {
            // SAFETY: a type removes itself from this list before its block is given back.
            if let Some(ty) = unsafe { type_payload(sub) } {
                ty.modified();
            }
        }
    }

    /// Live direct subclasses.
    pub fn subclasses(&self) -> Vec<Value> {
        let list = self.subclasses.borrow();
        list.iter()
            // SAFETY: see `modified`; dying types (count 0) are left out.
            .filter(|h| unsafe { h.as_ref() }.refcount.get() > 0)
            .map(|h| {
                // SAFETY: live, and the temporary is forgotten after it was cloned.
                let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_header(*h) });
                (*borrowed).clone()
            })
            .collect()
    }

    /// The attribute on the MRO, without binding. `name` is an interned `str`.
    #[inline]
    pub fn lookup(&self, interp: &Interpreter, name: &Value) -> Option<Value> {
        let version = self.version();
        let entry = interp.method_cache.entry(version, name);
        if let Some(found) = entry.get(version, name) {
            return found;
        }
        let found = self.lookup_uncached(interp, name);
        if version != 0 && version == self.version.get() {
            entry.fill(version, name, found.as_ref());
        }
        found
    }

    fn lookup_uncached(&self, interp: &Interpreter, name: &Value) -> Option<Value> {
        let mro = self.mro();
        mro.iter().find_map(|t| t.downcast::<Type>()?.namespace()?.get_interned_or_ask(interp, name))
    }
}

/// Splits the doc of a type as CPython writes it, `name(arguments)\n--\n\ntext`, into signature and text.
pub fn split_signature<'a>(name: &str, doc: &'a str) -> (Option<&'a str>, &'a str) {
    let split = doc.strip_prefix(name).filter(|rest| rest.starts_with('(')).and_then(|rest| {
        let end = rest.find(")\n--\n\n")?;
        Some((&rest[..=end], &rest[end + ")\n--\n\n".len()..]))
    });
    match split {
        Some((signature, text)) => (Some(signature), text),
        None => (None, doc),
    }
}

/// # Safety
/// `header` is a live type object, or one that is being destroyed but whose payload is intact.
unsafe fn type_payload<'a>(header: NonNull<Header>) -> Option<&'a Type> {
    // SAFETY: by the contract.
    unsafe { header.as_ptr().cast::<u8>().add(PAYLOAD_OFFSET).cast::<Type>().as_ref() }
}

impl Type {
    /// Takes itself off the subclass lists of its bases, which hold its address without owning it.
    fn leave_bases(&self) {
        let me = (self as *const Type).cast::<u8>().wrapping_sub(PAYLOAD_OFFSET).cast_mut().cast::<Header>();
        // The collector may have emptied the tuple of bases already; the MRO is the type's own.
        for ancestor in self.mro().iter() {
            if let Some(ty) = ancestor.downcast::<Type>()
                && !std::ptr::eq(ty, self)
            {
                ty.subclasses.borrow_mut().retain(|p| p.as_ptr() != me);
            }
        }
        self.bases.set(None);
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        self.leave_bases();
    }
}

/// Method look-ups of all types, direct-mapped.
pub struct MethodCache(Box<[CacheEntry]>);

/// One remembered look-up. The value is borrowed: the type whose version it names owns it, and any change of that
/// type's attributes gives it another version.
#[derive(Default)]
pub struct CacheEntry {
    version: Cell<u32>,
    name: Cell<u64>,
    value: Cell<u64>,
}

const CACHE_ENTRIES: usize = 1024;

impl Default for MethodCache {
    fn default() -> Self {
        MethodCache((0..CACHE_ENTRIES).map(|_| CacheEntry::default()).collect())
    }
}

impl MethodCache {
    pub(crate) fn clear(&self) {
        self.0.iter().for_each(|entry| entry.version.set(0));
    }
    #[inline(always)]
    fn entry(&self, version: u32, name: &Value) -> &CacheEntry {
        let hash = (name.bits() >> 4) as usize ^ (version as usize).wrapping_mul(0x9e37);
        &self.0[hash & (CACHE_ENTRIES - 1)]
    }
}

impl CacheEntry {
    #[inline(always)]
    fn get(&self, version: u32, name: &Value) -> Option<Option<Value>> {
        if version == 0 || self.version.get() != version || self.name.get() != name.bits() {
            return None;
        }
        let bits = self.value.get();
        // SAFETY: the owning type still has this version, so it still owns the value.
        Some(if bits == 0 { None } else { Some(unsafe { Value::borrow_bits(&bits).clone() }) })
    }
    fn fill(&self, version: u32, name: &Value, value: Option<&Value>) {
        self.version.set(version);
        self.name.set(name.bits());
        self.value.set(value.map_or(0, Value::bits));
    }
}

impl Interpreter {
    /// Makes a builtin type from its description.
    pub fn new_type(&self, def: &'static TypeDef) -> Res<Ref<Type>> {
        self.new_type_with_slots(def, 0)
    }

    /// As [`Interpreter::new_type`]; its objects have `slots` words of their own behind the payload
    /// ([`Value::slot_word`]).
    pub fn new_type_with_slots(&self, def: &'static TypeDef, slots: usize) -> Res<Ref<Type>> {
        let base = def.base.map_or_else(|| self.types().object.clone(), |f| f(self));
        let bare = Type::bare(self, def.name, &def.payload, def.flags);
        let ty = self.alloc_type(bare)?;
        self.finish_type(&ty, std::slice::from_ref(base.value()), &base)?;
        let dict = base.attrs_offset.get() != 0 || def.flags.contains(TypeFlags::HAS_DICT);
        let slots = slots + usize::from(def.flags.contains(TypeFlags::EXTRA_WORD));
        ty.lay_out(base.slot_count.get() + slots, dict, if dict { 4 } else { 0 });
        self.fill_type(&ty, def)?;
        Ok(ty)
    }

    pub(crate) fn alloc_type(&self, bare: Type) -> Res<Ref<Type>> {
        let metatype = self.types().type_.clone();
        let value = self.alloc(&metatype, bare)?;
        match value.downcast_ref::<Type>() {
            Some(ty) => Ok(ty),
            None => Err(self.system_error("a type was expected".to_string())),
        }
    }

    /// Sets bases, MRO and dict of a fresh type.
    pub(crate) fn finish_type(&self, ty: &Ref<Type>, bases: &[Value], base: &Ref<Type>) -> Res<()> {
        if !ty.dict.is_set() {
            ty.dict.set(Some(self.new_dict()?.into_value()));
        }
        ty.bases.set(Some(self.new_tuple(bases.to_vec())?));
        ty.base.set(Some(base.value().clone()));
        let mro = self.mro_of(ty, bases)?;
        ty.set_mro(mro);
        for parent in bases {
            self.add_subclass(parent, ty);
        }
        Ok(())
    }

    pub(crate) fn add_subclass(&self, parent: &Value, ty: &Ref<Type>) {
        if let (Some(parent), Some(header)) = (parent.downcast::<Type>(), ty.value().header()) {
            parent.subclasses.borrow_mut().push(NonNull::from(header));
        }
    }

    /// Forgets `ty` among the subclasses of `parent` (when `__bases__` is assigned).
    pub fn remove_subclass(&self, parent: &Value, ty: &Value) {
        if let (Some(parent), Some(header)) = (parent.downcast::<Type>(), ty.header()) {
            parent.subclasses.borrow_mut().retain(|p| !std::ptr::eq(p.as_ptr(), header));
        }
    }

    /// Installs slots, methods and attributes of a builtin type, then takes over what its base has.
    pub fn fill_type(&self, ty: &Ref<Type>, def: &'static TypeDef) -> Res<()> {
        let Some(dict) = ty.namespace() else {
            return Err(self.system_error("type without a dict".to_string()));
        };
        ty.doc.set(def.doc);
        for slot in def.slots {
            ty.slots.install(*slot);
        }
        let own = Slots::default();
        def.slots.iter().for_each(|slot| own.install(*slot));
        self.add_wrappers(ty, &own)?;
        if own.compare.get().is_some() && own.hash.get().is_none() {
            dict.set(self, self.intern_static("__hash__")?, Value::NONE)?;
            ty.slots.hash.set(Some(|vm, a| Err(vm.unhashable(a))));
        }
        for method in def.methods {
            dict.set(self, self.intern(method.name)?, self.new_method_entry(ty, method)?)?;
        }
        for getset in def.getset {
            dict.set(self, self.intern(getset.name)?, self.new_getset(ty, getset)?)?;
        }
        let base = ty.base.get().and_then(|b| b.downcast_ref::<Type>());
        let new_attrs = ty.attrs_offset.get() != 0 && base.is_none_or(|b| b.attrs_offset.get() == 0);
        if new_attrs && !def.getset.iter().any(|g| g.name == "__dict__") {
            let getset = self.new_getset(ty, &crate::class_new::DUNDER_DICT)?;
            dict.set(self, self.intern_static("__dict__")?, getset)?;
        }
        let (_, text) = split_signature(def.name, def.doc);
        let doc = if text.is_empty() { Value::NONE } else { self.new_str(text)? };
        if !def.getset.iter().any(|g| g.name == "__doc__") {
            dict.set(self, self.intern_static("__doc__")?, doc)?;
        }
        if def.module != "builtins" {
            ty.native_module.set(def.module);
            dict.set(self, self.intern_static("__module__")?, self.new_str(def.module)?)?;
        }
        if let Some(base) = ty.base.get().and_then(|b| b.downcast_ref::<Type>()) {
            ty.slots.inherit(&base.slots);
        }
        ty.modified();
        Ok(())
    }

    /// Gives a type a wrapper method for each of `slots`, and `__new__`.
    pub(crate) fn add_wrappers(&self, ty: &Ref<Type>, slots: &Slots) -> Res<()> {
        let Some(dict) = ty.namespace() else { return Err(self.bug("type without a dict")) };
        for dunder in slots::wrapped_dunders().filter(|d| d.kind != slots::Kind::GetAttr) {
            if let Some(slot) = slots.get(dunder.kind) {
                let wrapper = slots::SlotWrapper { dunder, slot, owner: ty.clone() };
                let value = self.alloc(&self.types().wrapper_descriptor, wrapper)?;
                dict.set(self, self.intern(dunder.name)?, value)?;
            }
        }
        if slots.new.get().is_some() {
            dict.set(self, self.intern_static("__new__")?, self.new_dunder_new(ty)?)?;
        }
        Ok(())
    }

    /// C3 linearisation. Errors: `TypeError` when no consistent order exists.
    pub fn compute_mro(&self, ty: &Value, bases: &[Value]) -> Res<Vec<Value>> {
        let mut lists: Vec<Vec<Value>> = Vec::new();
        for base in bases {
            match base.downcast::<Type>() {
                Some(b) if b.mro.borrow().is_empty() => {
                    return Err(self.type_error(format!("Cannot extend an incomplete type '{}'", b.name())));
                }
                Some(b) => lists.push(b.mro().to_vec()),
                None => return Err(self.type_error("bases must be types".to_string())),
            }
        }
        for (i, base) in bases.iter().enumerate() {
            if bases[..i].iter().any(|b| b.is(base)) {
                let name = base.downcast::<Type>().map(Type::name).unwrap_or_default();
                return Err(self.type_error(format!("duplicate base class {name}")));
            }
        }
        let mut mro = vec![ty.clone()];
        if bases.len() == 1
            && let Some(order) = lists.pop()
        {
            mro.extend(order);
            return Ok(mro);
        }
        lists.push(bases.to_vec());
        loop {
            lists.retain(|l| !l.is_empty());
            if lists.is_empty() {
                return Ok(mro);
            }
            let in_tail = |v: &Value| lists.iter().any(|l| l[1..].iter().any(|t| t.is(v)));
            let heads: Vec<Value> = lists.iter().map(|l| l[0].clone()).collect();
            let Some(next) = heads.iter().find(|head| !in_tail(head)).cloned() else {
                return Err(self.no_order(&heads));
            };
            for list in &mut lists {
                if list.first().is_some_and(|head| head.is(&next)) {
                    list.remove(0);
                }
            }
            mro.push(next);
        }
    }

    /// Fills the slots of a class made by Python code: what its base has, then what the methods of the classes say that the
    /// base does not inherit from.
    pub fn refresh_slots(&self, ty: &Ref<Type>) -> Res<()> {
        let base = ty.base.get().and_then(|b| b.downcast_ref::<Type>());
        if !ty.flags.get().contains(TypeFlags::MUTABLE) {
            // A builtin type keeps its own functions and has nothing in Python to ask.
            for ancestor in ty.mro().iter().filter_map(|cls| cls.downcast::<Type>()) {
                ty.slots.inherit(&ancestor.slots);
            }
            return Ok(());
        }
        ty.slots.reset();
        if let Some(base) = &base {
            ty.slots.inherit(&base.slots);
        }
        for cls in ty.mro().iter() {
            if base.as_ref().is_some_and(|base| base.mro().iter().any(|t| t.is(cls))) {
                continue;
            }
            let Some(names) = cls.downcast::<Type>().and_then(Type::namespace) else { continue };
            for name in names.keys() {
                let name = self.str_lossy(&name);
                if name.starts_with("__")
                    && let Some(dunder) = slots::named(&name)
                {
                    slots::refresh_slot(self, ty, dunder)?;
                }
            }
        }
        self.refresh_new(ty)?;
        self.refresh_finalizer(ty)
    }

    fn refresh_finalizer(&self, ty: &Ref<Type>) -> Res<()> {
        let flags = ty.flags.get();
        let has_del = ty.slots.finalize.get().is_some();
        let rest = TypeFlags(flags.0 & !TypeFlags::HAS_FINALIZER.0);
        ty.flags.set(if has_del { flags.or(TypeFlags::HAS_FINALIZER) } else { rest });
        Ok(())
    }

    /// After `cls.name = value`: brings the slot behind a dunder up to date, here and in subclasses.
    pub fn attribute_of_type_changed(&self, ty: &Ref<Type>, name: &str) -> Res<()> {
        ty.modified();
        if name == "__new__" {
            self.refresh_new(ty)?;
        } else if name.starts_with("__")
            && let Some(dunder) = slots::named(name)
        {
            slots::refresh_slot(self, ty, dunder)?;
            self.refresh_finalizer(ty)?;
        } else {
            return Ok(());
        }
        for sub in ty.subclasses() {
            if let Some(sub) = sub.downcast_ref::<Type>() {
                self.attribute_of_type_changed(&sub, name)?;
            }
        }
        Ok(())
    }
}

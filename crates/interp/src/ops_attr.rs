//! Attributes and items.
//!
//! What the cache of a `LoadAttr` or `LoadMethod` holds, `version` being that of the object's type. For the first four
//! kinds, `HINT`, `UNLIKE`, `STATIC` and `BY_CLASS` the word `place` bytes into the object is `shape`: the instance's shape, or, where that says nothing, its type.
//!
//! | kind | meaning |
//! |---|---|
//! | `WORD` | the word `index` bytes into the object: an inline attribute, an entry of `__slots__` |
//! | `OVERFLOW` | attribute `index`, which stands out of line |
//! | `CLASS` | the class attribute `value`, which binds nothing |
//! | `METHOD` | as `CLASS`, a function that gets the object as its first argument |
//! | `MODULE` | the module's dict has keys version `shape`: its entry `index` |
//! | `PROPERTY` | the property `value` of the class |
//! | `OWN` | the object is a class of version `shape`: its attribute `value` |
//! | `HINT` | the object has a dict, whose entry `index` was the attribute (named `value`) last time |
//! | `UNLIKE` | as `METHOD`, the object having a dict, which is to be asked first |
//! | `GETSET` | the native attribute `value` of the class, which computes it |
//! | `STATIC`, `OWN_STATIC` | as `CLASS` and `OWN`, what the static method `value` wraps |
//! | `BY_CLASS`, `OWN_BY_CLASS` | as `CLASS` and `OWN`, what the class method `value` wraps, its first argument being the class |
//!
//! Values are borrowed: whoever owns them changes its version when it gives them up.

use crate::dunder::{enter_method, python_method};
use crate::form::{Cache, Instr, TEMP_C};
use crate::frame::{Frame, Ret, Thread};
use crate::ops_arith::{release, rk, set};
use crate::ops_name::take;
use crate::run::{Entered, is_function};
use crate::state::State;
use crate::translate::{NO_STEP, operand_of};
use pellucid_memory::Header;
use pellucid_object::attrs::Attrs;
use pellucid_object::heap::{type_of_header, type_ref_of_header};
use pellucid_object::native::{GetSet, Member, Module, Wrapped};
use pellucid_object::{Bytes, Dict, Interpreter, List, Res, SlotWord, Str, Tuple, Type, TypeFlags, Value};
use pellucid_types::property::{PROPERTY as PROPERTY_TYPE, Property};
use pellucid_types::slice::{Parts, new_slice};

// What the cache of an instruction has learnt (`kind`): where the attribute stands, or what it is.
/// In the object itself, `index` bytes from its start; among those that stand out of line, the one of this index.
pub const WORD: u16 = 1;
pub const OVERFLOW: u16 = 2;
pub const CLASS: u16 = 4;
pub const METHOD: u16 = 5;
pub const MODULE: u16 = 6;
pub const OWN: u16 = 7;
pub const PROPERTY: u16 = 9;
pub const STATIC: u16 = 10;
pub const OWN_STATIC: u16 = 11;
pub const BY_CLASS: u16 = 12;
pub const OWN_BY_CLASS: u16 = 13;
pub const HINT: u16 = 14;
pub const UNLIKE: u16 = 15;
pub const GETSET: u16 = 16;
/// Of a `StoreAttr`: the attribute is added, the shape becoming `value`.
pub const ADD: u16 = 8;
/// Where the type of an object stands.
pub const TYPE_OFFSET: usize = std::mem::offset_of!(Header, ty);

/// # Safety
/// As for [`rk`].
#[inline(always)]
unsafe fn cache_of<'a>(frame: *mut Frame, i: &Instr) -> &'a Cache {
    // SAFETY: caches and instructions were made together.
    unsafe {
        let form = &*(*frame).form;
        form.caches.get_unchecked(i.e as usize)
    }
}

#[inline(always)]
fn shape_bits(attrs: Option<&Attrs>) -> u64 {
    attrs.map_or(0, |a| a.shape_ptr() as u64)
}

/// Whether an object is laid out as it was when the cache learnt.
///
/// # Safety
/// The cache was filled by [`learn`] or [`learn_store`], for one of the kinds with a `place`.
#[inline(always)]
unsafe fn known(cache: &Cache, header: &Header) -> bool {
    // SAFETY: the type's version says that objects of this type have a word there.
    cache.version.get() == u64::from(type_of_header(header).current_version())
        && unsafe { word_at(header, usize::from(cache.place.get())) } == cache.shape.get()
}

/// # Safety
/// The object has a word `offset` bytes from its start.
#[inline(always)]
unsafe fn word_at(header: &Header, offset: usize) -> u64 {
    // SAFETY: by the contract.
    unsafe { std::ptr::from_ref(header).byte_add(offset).cast::<u64>().read() }
}

/// The attribute that stands `offset` bytes into an object.
///
/// # Safety
/// As for [`word_at`], the word being a `SlotWord`.
#[inline(always)]
unsafe fn slot_at(header: &Header, offset: u32) -> &SlotWord {
    // SAFETY: by the contract.
    unsafe { &*std::ptr::from_ref(header).byte_add(offset as usize).cast::<SlotWord>() }
}

/// A borrowed value in a cache, counted.
///
/// # Safety
/// The version was just checked.
#[inline(always)]
unsafe fn cached_value(cache: &Cache) -> Value {
    let bits = cache.value.get();
    // SAFETY: the owner still has the version that was remembered, so it still owns the value.
    unsafe { Value::borrow_bits(&bits).clone() }
}

/// The attribute by the cache, where it is a word of the object.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn cached(cache: &Cache, object: &Value) -> Option<Value> {
    // SAFETY: by the contract; what versions and shapes say of layouts holds.
    unsafe {
        let header = object.header()?;
        if cache.kind.get() == WORD && known(cache, header) {
            return slot_at(header, cache.index.get()).get();
        }
        None
    }
}

/// The attribute by a cache of any kind, and what is kept beside it.
///
/// # Safety
/// As for [`cached`].
#[inline(never)]
pub unsafe fn cached_elsewhere(cache: &Cache, object: &Value) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe {
        let header = object.header()?;
        let version = u64::from(type_of_header(header).current_version());
        let entry = |cache: &Cache| match cache.version.get() == version {
            true => entry_value(cache, object, header),
            false => None,
        };
        entry(cache).or_else(|| cache.others.get()?.iter().find_map(entry))
    }
}

/// The attribute by one entry of a cache, which has the version of the object's type.
///
/// # Safety
/// As for [`cached`].
#[inline(always)]
unsafe fn entry_value(cache: &Cache, object: &Value, header: &Header) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe {
        match cache.kind.get() {
            WORD if known(cache, header) => slot_at(header, cache.index.get()).get(),
            CLASS if known(cache, header) => Some(cached_value(cache)),
            OVERFLOW if known(cache, header) => object.attrs()?.word(cache.index.get() as usize),
            HINT if known(cache, header) => {
                let name = cache.value.get();
                let dict = object.attrs()?.peek_dict()?;
                dict.value_of(cache.index.get() as usize, Value::borrow_bits(&name))
            }
            MODULE => {
                let dict = object.attrs()?.peek_dict()?;
                if dict.keys_version() != cache.shape.get() {
                    return None;
                }
                dict.value_at(cache.index.get() as usize)
            }
            OWN if u64::from(object.downcast::<Type>()?.current_version()) == cache.shape.get() => {
                Some(cached_value(cache))
            }
            STATIC if known(cache, header) => wrapped(cache),
            OWN_STATIC if u64::from(object.downcast::<Type>()?.current_version()) == cache.shape.get() => {
                wrapped(cache)
            }
            _ => None,
        }
    }
}

/// What the static or class method in a cache wraps.
///
/// # Safety
/// As for [`cached_value`].
unsafe fn wrapped(cache: &Cache) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe { cached_value(cache).downcast::<Wrapped>()?.callable.get() }
}

/// What the class method `object.name` wraps, and its class, by the cache.
///
/// # Safety
/// As for [`cached`].
unsafe fn cached_class_method(cache: &Cache, object: &Value) -> Option<(Value, Value)> {
    // SAFETY: by the contract.
    unsafe {
        let header = object.header()?;
        if cache.version.get() != u64::from(type_of_header(header).current_version()) {
            return None;
        }
        match cache.kind.get() {
            BY_CLASS if known(cache, header) => {
                Some((wrapped(cache)?, type_ref_of_header(header).value().clone()))
            }
            OWN_BY_CLASS if u64::from(object.downcast::<Type>()?.current_version()) == cache.shape.get() => {
                Some((wrapped(cache)?, object.clone()))
            }
            _ => None,
        }
    }
}

/// The function that `object.name(...)` calls with the object as its first argument, by the cache.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn cached_method(cache: &Cache, object: &Value) -> Option<Value> {
    // SAFETY: as for `cached`.
    unsafe {
        let header = object.header()?;
        if cache.kind.get() == METHOD && known(cache, header) { Some(cached_value(cache)) } else { None }
    }
}

/// For machine code: the attribute that a `LoadAttr` finds by what its caches know, borrowed; 0: they do not know.
///
/// # Safety
/// `object` is a live word, the cache one of a `LoadAttr` of this name.
pub unsafe extern "C" fn known_attr(object: u64, cache: *const Cache, name: u64) -> u64 {
    // SAFETY: by the contract, and as for `cached`.
    unsafe {
        let (object, name) = (Value::borrow_bits(&object), Value::borrow_bits(&name));
        let Some(header) = object.header() else { return 0 };
        let known = (*cache).entries().find(|c| known(c, header));
        match known.map(|cache| (cache.kind.get(), cache)) {
            Some((WORD, cache)) => slot_at(header, cache.index.get()).raw(),
            Some((CLASS, cache)) => cache.value.get(),
            Some((OVERFLOW, _)) => word_out_of_line(object, name),
            Some(_) => 0,
            None => match word_of_instance(cache, object, header, name) {
                Some(word) => word.raw(),
                None if is_of_instances(cache, header) => word_out_of_line(object, name),
                None => 0,
            },
        }
    }
}

/// The word of an attribute that stands out of line, borrowed from the object; 0: there is none.
fn word_out_of_line(object: &Value, name: &Value) -> u64 {
    let word = object.attrs().and_then(|attrs| {
        let shape = attrs.shape().filter(|shape| !shape.dictionary)?;
        attrs.word(shape.lookup(name)?)
    });
    word.map_or(0, |value| value.bits())
}

/// Where an attribute stands in an object of a type whose instances, laid out otherwise, a cache knows to have it.
///
/// # Safety
/// As for [`known_attr`].
unsafe fn word_of_instance<'a>(
    cache: *const Cache,
    object: &Value,
    header: &'a Header,
    name: &Value,
) -> Option<&'a SlotWord> {
    // SAFETY: by the contract; the index is below the number of words that instances have.
    unsafe {
        if !is_of_instances(cache, header) {
            return None;
        }
        let ty = type_of_header(header);
        let shape = object.attrs()?.shape().filter(|shape| !shape.dictionary)?;
        let index = shape.lookup(name).filter(|index| *index < shape.inline)?;
        Some(slot_at(header, (ty.attrs_offset.get() + size_of::<Attrs>() + 8 * index) as u32))
    }
}

/// Whether a cache knows of the object's type that the attribute is one of its instances', whatever their shape.
///
/// # Safety
/// As for [`known_attr`].
unsafe fn is_of_instances(cache: *const Cache, header: &Header) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let version = u64::from(type_of_header(header).current_version());
        let own = |c: &Cache| {
            c.version.get() == version
                && matches!(c.kind.get(), WORD | ADD | OVERFLOW)
                && usize::from(c.place.get()) != TYPE_OFFSET
        };
        version != 0 && (*cache).entries().any(own)
    }
}

/// The same for a `LoadMethod`: the function that is called with the object as its first argument.
///
/// # Safety
/// As for [`known_attr`].
pub unsafe extern "C" fn known_method(object: u64, cache: *const Cache, _name: u64) -> u64 {
    // SAFETY: as for `known_attr`.
    unsafe {
        let object = Value::borrow_bits(&object);
        let Some(header) = object.header() else { return 0 };
        let known = (*cache).entries().find(|c| c.kind.get() == METHOD && known(c, header));
        known.map_or(0, |cache| cache.value.get())
    }
}

/// For machine code: stores by one of the caches of a `StoreAttr`, the value being borrowed. What stood there before, for the
/// caller to drop, the word of an unbound variable if nothing did; 0: nothing was done.
///
/// # Safety
/// As for [`known_attr`].
pub unsafe extern "C" fn store_known(
    vm: *const Interpreter,
    object: u64,
    cache: *const Cache,
    name: u64,
    value: u64,
) -> u64 {
    // SAFETY: as for `cached_store`.
    unsafe {
        let (object, value) = (Value::borrow_bits(&object), Value::borrow_bits(&value));
        let Some(header) = object.header() else { return 0 };
        let Some(cache) = (*cache).entries().find(|c| known(c, header)) else {
            let name = Value::borrow_bits(&name);
            return store_in_instance(&*vm, cache, object, name, value);
        };
        let old = slot_at(header, cache.index.get()).replace(Some(value.clone()));
        if cache.kind.get() == ADD
            && let Some(attrs) = object.attrs()
        {
            attrs.set_shape_ptr(cache.value.get() as *const _);
        }
        old.unwrap_or(Value::UNBOUND).into_bits()
    }
}

/// [`store_known`] for an object laid out as no cache knows.
///
/// # Safety
/// As for [`store_known`].
unsafe fn store_in_instance(
    vm: &Interpreter,
    cache: *const Cache,
    object: &Value,
    name: &Value,
    value: &Value,
) -> u64 {
    // SAFETY: by the contract.
    unsafe {
        let Some(header) = object.header() else { return 0 };
        if let Some(word) = word_of_instance(cache, object, header, name) {
            return word.replace(Some(value.clone())).unwrap_or(Value::UNBOUND).into_bits();
        }
        let fresh =
            object.attrs().and_then(Attrs::shape).is_some_and(|s| !s.dictionary && s.lookup(name).is_none());
        if !fresh || !is_of_instances(cache, header) {
            return 0;
        }
        match vm.attrs_set(object, name, value.clone()) {
            Ok(true) => Value::UNBOUND.into_bits(),
            Ok(false) => 0,
            Err(raised) => {
                drop(vm.take_raised(raised));
                0
            }
        }
    }
}

type AttrFn = pellucid_object::slots::BinaryFn;

fn same(a: Option<AttrFn>, b: Option<AttrFn>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if std::ptr::fn_addr_eq(a, b))
}

/// Remembers where an attribute was found, when a cache can say so.
fn learn(vm: &Interpreter, cache: &Cache, object: &Value, name: &Value, is_method: bool) {
    if !cache.retire() {
        return;
    }
    let ty = vm.type_of(object);
    let version = u64::from(ty.version());
    if version == 0 || !object.is_heap() {
        return;
    }
    let getattr = ty.slots.getattr.get();
    let found = ty.lookup(vm, name);
    if object.downcast::<Module>().is_some() {
        learn_module(vm, cache, object, name, version, found.is_some());
        return;
    }
    if let Some(own) = object.downcast::<Type>() {
        if same(getattr, vm.types().type_.slots.getattr.get()) && found.is_none() {
            learn_class(vm, cache, own, name, version);
        }
        return;
    }
    if !same(getattr, vm.types().object.slots.getattr.get()) {
        return;
    }
    let attrs = object.attrs();
    if attrs.is_some_and(|a| a.shape().is_none()) {
        return;
    }
    let place = match attrs {
        Some(_) => ty.attrs_offset.get(),
        None => TYPE_OFFSET,
    };
    let (Ok(place), Some(header)) = (u16::try_from(place), object.header()) else { return };
    let remember = |kind: u16, index: usize, value: u64| {
        cache.version.set(version);
        // SAFETY: the attributes begin with the shape; else it is the type's place.
        cache.shape.set(unsafe { word_at(header, usize::from(place)) });
        cache.place.set(place);
        cache.index.set(index as u32);
        cache.value.set(value);
        cache.kind.set(kind);
    };
    if let Some(descr) = &found
        && vm.is_data_descriptor(descr)
    {
        let member = descr.downcast::<Member>().filter(|m| ty.is_subtype_of(&m.owner));
        if let Some(offset) = member.and_then(Member::slot).and_then(|index| slot_offset(object, index)) {
            remember(WORD, offset, 0);
            cache.place.set(TYPE_OFFSET as u16);
            cache.shape.set(header.ty.get() as u64);
        } else if vm.type_for(&PROPERTY_TYPE).is_ok_and(|ty| vm.is_exact(descr, &ty)) {
            remember(PROPERTY, 0, descr.bits());
        } else if descr.downcast::<GetSet>().is_some_and(|getset| ty.is_subtype_of(&getset.owner)) {
            remember(GETSET, 0, descr.bits());
        }
        return;
    }
    if let Some(dict) = attrs.and_then(Attrs::dict) {
        let method = |value: &Value| vm.type_of_ref(value).flags.get().contains(TypeFlags::METHOD_DESCRIPTOR);
        match (dict.find_interned(vm, name), found) {
            (Some(index), _) => remember(HINT, index, name.bits()),
            (None, Some(value)) if is_method && method(&value) => remember(UNLIKE, 0, value.bits()),
            _ => {}
        }
        return;
    }
    if let Some((attrs, index)) = attrs.and_then(|a| Some((a, a.shape()?.lookup(name)?))) {
        match index < attrs.inline() {
            true => remember(WORD, ty.attrs_offset.get() + size_of::<Attrs>() + 8 * index, 0),
            false => remember(OVERFLOW, index, 0),
        }
        return;
    }
    let Some(value) = found else { return };
    let descr = vm.type_of_ref(&value);
    if is_method && descr.flags.get().contains(TypeFlags::METHOD_DESCRIPTOR) {
        remember(METHOD, 0, value.bits());
    } else if vm.is_exact(&value, &vm.types().staticmethod) {
        remember(STATIC, 0, value.bits());
    } else if vm.is_exact(&value, &vm.types().classmethod) {
        remember(BY_CLASS, 0, value.bits());
    } else if descr.slots.descr_get.get().is_none() {
        remember(CLASS, 0, value.bits());
    }
}

/// Where entry `index` of `__slots__` stands, bytes from the start of the object.
fn slot_offset(object: &Value, index: usize) -> Option<usize> {
    let word = std::ptr::from_ref(object.slot_word(index)?);
    Some(word.addr() - object.bits() as usize)
}

fn learn_module(vm: &Interpreter, cache: &Cache, module: &Value, name: &Value, version: u64, in_class: bool) {
    let Some(dict) = module.attrs().and_then(|a| a.dict()).filter(|_| !in_class) else { return };
    if let Some(index) = dict.find_interned(vm, name) {
        cache.version.set(version);
        cache.shape.set(dict.keys_version());
        cache.index.set(index as u32);
        cache.kind.set(MODULE);
    }
}

fn learn_class(vm: &Interpreter, cache: &Cache, own: &Type, name: &Value, version: u64) {
    let Some(value) = own.lookup(vm, name) else { return };
    let plain = vm.type_of_ref(&value).slots.descr_get.get().is_none()
        || value.downcast::<crate::function::Function>().is_some();
    let kind = match () {
        () if plain => OWN,
        () if vm.is_exact(&value, &vm.types().staticmethod) => OWN_STATIC,
        () if vm.is_exact(&value, &vm.types().classmethod) => OWN_BY_CLASS,
        () => return,
    };
    let own_version = own.version();
    if own_version != 0 {
        cache.version.set(version);
        cache.shape.set(u64::from(own_version));
        cache.value.set(value.bits());
        cache.kind.set(kind);
    }
}

/// # Safety
/// As for [`rk`]; `pc` is the instruction.
#[inline(never)]
pub unsafe fn load(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let object = rk(frame, i.b);
        let cache = cache_of(frame, &i);
        let getter = cache.entries().find_map(|c| cached_getter(c, object));
        if let Some(getter) = getter.filter(|f| is_function(st, f)) {
            let entered = enter_method(vm, st, thread, frame, getter, &[object], Ret::Call, i.a)?;
            release(frame, i.b);
            return match entered {
                Entered::Frame => Ok(true),
                Entered::Value(value) => {
                    set(frame, i.a, value);
                    Ok(false)
                }
            };
        }
        let value = match cache.entries().find_map(|c| cached_getset(c, object)) {
            Some(getset) => match getset.downcast::<GetSet>() {
                Some(getset) => (getset.def.get)(vm, object)?,
                None => return Err(vm.bug("a getset descriptor was expected")),
            },
            None => {
                let name = (&(*frame).code().names)[i.d as usize].clone();
                let value = vm.get_attr(object, &name)?;
                learn(vm, cache, object, &name, false);
                value
            }
        };
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(false)
    }
}

/// The function behind a property, by the cache.
///
/// # Safety
/// As for [`cached`].
unsafe fn cached_getter(cache: &Cache, object: &Value) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe {
        let known = cache.kind.get() == PROPERTY
            && cache.version.get() == u64::from(type_of_header(object.header()?).current_version());
        if known { cached_value(cache).downcast::<Property>()?.getter() } else { None }
    }
}

/// The native attribute that the class has by that name, by the cache.
///
/// # Safety
/// As for [`cached`].
unsafe fn cached_getset(cache: &Cache, object: &Value) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe {
        let known = cache.kind.get() == GETSET
            && cache.version.get() == u64::from(type_of_header(object.header()?).current_version());
        if known { Some(cached_value(cache)) } else { None }
    }
}

/// The method of a class whose instance has a dict that does not have the name, by the cache.
///
/// # Safety
/// As for [`cached`].
unsafe fn cached_unlike(vm: &Interpreter, cache: &Cache, object: &Value, name: &Value) -> Option<Value> {
    // SAFETY: by the contract.
    unsafe {
        if cache.kind.get() != UNLIKE || !known(cache, object.header()?) {
            return None;
        }
        let dict = object.attrs()?.peek_dict()?;
        // A key of another type is asked where all that is done in full.
        if dict.lacks_interned(vm, name) { Some(cached_value(cache)) } else { None }
    }
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn load_method(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let object = rk(frame, i.b);
        let cache = cache_of(frame, &i);
        if let Some(function) = cache.entries().find_map(|c| cached_method(c, object)) {
            let this = take(frame, i.b);
            set(frame, i.a, function);
            set(frame, i.a + 1, this);
            return Ok(());
        }
        if let Some((function, class)) = cache.entries().find_map(|c| cached_class_method(c, object)) {
            release(frame, i.b);
            set(frame, i.a, function);
            set(frame, i.a + 1, class);
            return Ok(());
        }
        let value = match cached_elsewhere(cache, object) {
            Some(value) => value,
            None => {
                let name = (&(*frame).code().names)[i.d as usize].clone();
                let unlike = cache.entries().find_map(|c| cached_unlike(vm, c, object, &name));
                if let Some(function) = unlike.or_else(|| word_method(vm, object, &name)) {
                    let this = take(frame, i.b);
                    set(frame, i.a, function);
                    set(frame, i.a + 1, this);
                    return Ok(());
                }
                learn(vm, cache, object, &name, true);
                if let Some(function) = cached_method(cache, object) {
                    let this = take(frame, i.b);
                    set(frame, i.a, function);
                    set(frame, i.a + 1, this);
                    return Ok(());
                }
                vm.get_attr(object, &name)?
            }
        };
        release(frame, i.b);
        set(frame, i.a, Value::UNBOUND);
        set(frame, i.a + 1, value);
        Ok(())
    }
}

/// The method of an int, float or other value that lives in the word.
fn word_method(vm: &Interpreter, object: &Value, name: &Value) -> Option<Value> {
    if object.is_heap() {
        return None;
    }
    let found = vm.type_of_ref(object).lookup(vm, name)?;
    vm.type_of_ref(&found).flags.get().contains(TypeFlags::METHOD_DESCRIPTOR).then_some(found)
}

/// Stores by the cache; the value was moved or copied, the object is for the caller to release.
///
/// # Safety
/// As for [`rk`].
#[inline(always)]
pub unsafe fn cached_store(frame: *mut Frame, i: &Instr, cache: &Cache) -> bool {
    // SAFETY: as for `cached`.
    unsafe {
        let object = (*frame).reg(i.b as usize);
        let Some(header) = object.header() else { return false };
        if !matches!(cache.kind.get(), WORD | ADD) || !known(cache, header) {
            return false;
        }
        let value = if i.temps & TEMP_C != 0 {
            (*frame).regs.offset(i.c as isize).replace(Value::UNBOUND)
        } else {
            rk(frame, i.c).clone()
        };
        let old = slot_at(header, cache.index.get()).replace(Some(value));
        if cache.kind.get() == ADD
            && let Some(attrs) = object.attrs()
        {
            attrs.set_shape_ptr(cache.value.get() as *const _);
        }
        drop(old);
        true
    }
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn store(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let cache = cache_of(frame, &i);
        let others = cache.others.get().map_or(&[][..], |others| &others[..]);
        if others.iter().any(|c| cached_store(frame, &i, c)) || hinted_store(frame, &i, cache) {
            release(frame, i.b);
            return Ok(());
        }
        let object = rk(frame, i.b);
        let name = (&(*frame).code().names)[i.d as usize].clone();
        let before = shape_bits(object.attrs());
        vm.set_attr(object, &name, Some(rk(frame, i.c)))?;
        learn_store(vm, cache, object, &name, before);
        release(frame, i.c);
        release(frame, i.b);
        Ok(())
    }
}

/// As [`cached_store`], for an object with a dict.
///
/// # Safety
/// As for [`rk`].
unsafe fn hinted_store(frame: *mut Frame, i: &Instr, cache: &Cache) -> bool {
    // SAFETY: as for `cached`.
    unsafe {
        let object = (*frame).reg(i.b as usize);
        let Some(header) = object.header() else { return false };
        if cache.kind.get() != HINT || !known(cache, header) {
            return false;
        }
        let name = cache.value.get();
        let Some(dict) = object.attrs().and_then(Attrs::dict) else { return false };
        let at = cache.index.get() as usize;
        if !dict.set_value_of(at, Value::borrow_bits(&name), rk(frame, i.c)) {
            return false;
        }
        release(frame, i.c);
        true
    }
}

fn learn_store(vm: &Interpreter, cache: &Cache, object: &Value, name: &Value, before: u64) {
    if !cache.retire() {
        return;
    }
    if !object.is_heap() {
        return;
    }
    let ty = vm.type_of(object);
    let generic = match (ty.slots.setattr.get(), vm.types().object.slots.setattr.get()) {
        (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
        _ => false,
    };
    let version = u64::from(ty.version());
    if !generic || version == 0 {
        return;
    }
    if let Some(descr) = ty.lookup(vm, name)
        && vm.is_data_descriptor(&descr)
    {
        let member = descr.downcast::<Member>().filter(|m| ty.is_subtype_of(&m.owner));
        if let Some(offset) = member.and_then(Member::slot).and_then(|index| slot_offset(object, index)) {
            cache.version.set(version);
            cache.place.set(TYPE_OFFSET as u16);
            cache.shape.set(ty.value().bits());
            cache.index.set(offset as u32);
            cache.kind.set(WORD);
        }
        return;
    }
    let Some((attrs, shape)) = object.attrs().and_then(|a| Some((a, a.shape()?))) else { return };
    if let Some(dict) = attrs.dict() {
        let place = u16::try_from(ty.attrs_offset.get());
        if let (Some(index), Ok(place)) = (dict.find_interned(vm, name), place) {
            cache.version.set(version);
            cache.shape.set(attrs.shape_ptr() as u64);
            cache.place.set(place);
            cache.index.set(index as u32);
            cache.value.set(name.bits());
            cache.kind.set(HINT);
        }
        return;
    }
    let index = match shape.lookup(name) {
        Some(index) if !shape.dictionary && index < shape.inline => index,
        _ => return,
    };
    let after = attrs.shape_ptr() as u64;
    let Ok(place) = u16::try_from(ty.attrs_offset.get()) else { return };
    cache.version.set(version);
    cache.shape.set(before);
    cache.place.set(place);
    cache.index.set((ty.attrs_offset.get() + size_of::<Attrs>() + 8 * index) as u32);
    cache.value.set(after);
    cache.kind.set(if before == after { WORD } else { ADD });
}

/// An item of an exact list or tuple at a small int.
#[inline(always)]
pub fn sequence_item(vm: &Interpreter, container: &Value, key: &Value) -> Option<Value> {
    let index = key.as_small_int()?;
    let ty = container.header()?.ty.get() as u64;
    let types = vm.types();
    if ty == types.list.value().bits() {
        // SAFETY: exact lists have a list's payload.
        return unsafe { container.payload_unchecked::<List>() }.at(index);
    }
    if ty == types.tuple.value().bits() {
        // SAFETY: exact tuples have a tuple's payload.
        return unsafe { container.payload_unchecked::<Tuple>() }.at(index);
    }
    None
}

/// Replaces an item of an exact list; false when that is not what is asked for.
#[inline(always)]
pub fn set_list_item(vm: &Interpreter, container: &Value, key: &Value, value: &Value) -> bool {
    let (Some(header), Some(index)) = (container.header(), key.as_small_int()) else { return false };
    if header.ty.get() as u64 != vm.types().list.value().bits() {
        return false;
    }
    // SAFETY: exact lists have a list's payload.
    unsafe { container.payload_unchecked::<List>() }.set_at(index, value)
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn load_subscr(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (container, key) = (rk(frame, i.b), rk(frame, i.c));
        let value = match exact_dict(vm, container) {
            Some(dict) => dict.get(vm, key)?.ok_or_else(|| vm.key_error(key.clone()))?,
            None if let Some(item) = text_item(vm, container, key) => item?,
            None => match python_method(vm, st, container, &st.names.__getitem__) {
                Some(method) => {
                    let args = [container, key];
                    match enter_method(vm, st, thread, frame, method, &args, Ret::Call, i.a)? {
                        Entered::Value(value) => value,
                        Entered::Frame => {
                            release(frame, i.c);
                            release(frame, i.b);
                            return Ok(true);
                        }
                    }
                }
                None => vm.get_item(container, key)?,
            },
        };
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(false)
    }
}

/// Whether a container is an exact dict.
#[inline(always)]
fn exact_dict<'a>(vm: &Interpreter, container: &'a Value) -> Option<&'a Dict> {
    let exact = container.header()?.ty.get() as u64 == vm.types().dict.value().bits();
    // SAFETY: exact dicts have a dict's payload.
    exact.then(|| unsafe { container.payload_unchecked::<Dict>() })
}

/// The items of a sequence that a bound of a slice means; `None`: not a small int or None.
#[inline(always)]
pub fn bound(value: &Value, len: usize, absent: usize) -> Option<usize> {
    if value.is_none() {
        return Some(absent);
    }
    let index = value.as_small_int()?;
    let index = if index < 0 { index + len as i64 } else { index };
    Some(index.clamp(0, len as i64) as usize)
}

/// A slice of an exact list, tuple, `str` or `bytes`.
pub fn sequence_slice(vm: &Interpreter, container: &Value, start: &Value, stop: &Value) -> Option<Res> {
    let types = vm.types();
    let copy = |items: &[Value]| {
        let (from, to) = (bound(start, items.len(), 0)?, bound(stop, items.len(), items.len())?);
        let part = items.get(from..to).unwrap_or(&[]);
        let mut copy = Vec::new();
        copy.try_reserve_exact(part.len()).ok()?;
        copy.extend_from_slice(part);
        Some(copy)
    };
    if vm.is_exact(container, &types.str) {
        let text = &container.downcast::<Str>()?.text;
        let len = text.len();
        return match (bound(start, len, 0)?, bound(stop, len, len)?) {
            (0, to) if to == len => Some(Ok(container.clone())),
            (from, to) => Some(vm.text_piece(text, from, to)),
        };
    }
    if vm.is_exact(container, &types.list) {
        let items = container.downcast::<List>()?.with(copy)?;
        return Some(vm.new_list(items));
    }
    if vm.is_exact(container, &types.tuple) {
        let items = container.downcast::<Tuple>()?.with(copy)?;
        return Some(vm.new_tuple(items));
    }
    if vm.is_exact(container, &types.bytes) {
        let bytes = container.downcast::<Bytes>()?.as_slice();
        return match (bound(start, bytes.len(), 0)?, bound(stop, bytes.len(), bytes.len())?) {
            (0, to) if to == bytes.len() => Some(Ok(container.clone())),
            (from, to) => Some(vm.bytes_from(bytes.get(from..to).unwrap_or_default())),
        };
    }
    None
}

/// A code point of an exact `str`, or a byte of exact `bytes`, at a small int.
#[inline]
pub fn text_item(vm: &Interpreter, container: &Value, key: &Value) -> Option<Res> {
    let index = key.as_small_int()?;
    let place = |len: usize| usize::try_from(if index < 0 { index + len as i64 } else { index }).ok();
    let ty = container.header()?.ty.get() as u64;
    let types = vm.types();
    if ty == types.str.value().bits() {
        let text = &container.downcast::<Str>()?.text;
        return Some(vm.str_of_point(text.get(place(text.len())?)?));
    }
    if ty == types.bytes.value().bits() {
        let bytes = container.downcast::<Bytes>()?.as_slice();
        return Some(vm.new_int(i64::from(*bytes.get(place(bytes.len())?)?)));
    }
    None
}

/// Every so many of the items of an exact list or tuple between two bounds.
pub fn stepped_slice(
    vm: &Interpreter,
    container: &Value,
    start: &Value,
    stop: &Value,
    step: &Value,
) -> Option<Res> {
    let bound = |value: &Value| match value.is_none() {
        true => Some(None),
        false => value.as_small_int().map(Some),
    };
    let step = if step.is_none() { 1 } else { step.as_small_int().filter(|step| *step != 0)? };
    let parts = Parts::new(bound(start)?, bound(stop)?, step);
    let copy = |items: &[Value]| {
        let span = parts.over(items.len());
        let mut copy = Vec::new();
        copy.try_reserve_exact(span.count).ok()?;
        copy.extend(span.places().filter_map(|place| items.get(place).cloned()));
        Some(copy)
    };
    if vm.is_exact(container, &vm.types().list) {
        let items = container.downcast::<List>()?.with(copy)?;
        return Some(vm.new_list(items));
    }
    if vm.is_exact(container, &vm.types().tuple) {
        let items = container.downcast::<Tuple>()?.with(copy)?;
        return Some(vm.new_tuple(items));
    }
    None
}

/// Puts the items of an exact list in place of a part of another one; false when that is not what is asked for.
/// A new list that `dies` now gives its items away.
fn replace_slice(
    vm: &Interpreter,
    list: &Value,
    start: &Value,
    stop: &Value,
    new: &Value,
    dies: bool,
) -> Res<bool> {
    let ty = &vm.types().list;
    if !vm.is_exact(list, ty) || !vm.is_exact(new, ty) {
        return Ok(false);
    }
    let (Some(list), Some(new)) = (list.downcast::<List>(), new.downcast::<List>()) else { return Ok(false) };
    let len = list.len();
    let (Some(from), Some(to)) = (bound(start, len, 0), bound(stop, len, len)) else { return Ok(false) };
    let mut new = if dies { new.take() } else { new.items() };
    let to = to.max(from);
    // What was there dies when the list is whole again.
    let old = list.with_mut(|items| {
        if to - from == new.len() {
            items[from..to].swap_with_slice(&mut new);
            return Ok(new);
        }
        items.try_reserve(new.len()).map_err(|_| vm.no_memory())?;
        Ok(items.splice(from..to, new).collect())
    })?;
    pellucid_object::tuple::drop_from_the_end(old);
    Ok(true)
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn load_slice(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let end = operand_of(i.d);
        let (container, start, stop) = (rk(frame, i.b), rk(frame, i.c), rk(frame, end));
        let step = (i.e != NO_STEP).then(|| operand_of(i.e));
        let quick = match step {
            None => sequence_slice(vm, container, start, stop),
            Some(step) => stepped_slice(vm, container, start, stop, rk(frame, step)),
        };
        let value = match quick {
            Some(value) => value?,
            None => {
                let step = step.map_or(Value::NONE, |step| rk(frame, step).clone());
                let slice = new_slice(vm, start.clone(), stop.clone(), step)?;
                vm.get_item(container, &slice)?
            }
        };
        if let Some(step) = step {
            release(frame, step);
        }
        release(frame, end);
        release(frame, i.c);
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(())
    }
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn store_slice(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let end = operand_of(i.d);
        let (container, start, stop, value) =
            (rk(frame, i.a), rk(frame, i.b), rk(frame, end), rk(frame, i.c));
        let dies = i.temps & TEMP_C != 0 && value.refcount() == Some(1);
        if !replace_slice(vm, container, start, stop, value, dies)? {
            let slice = new_slice(vm, start.clone(), stop.clone(), Value::NONE)?;
            vm.set_item(container, &slice, Some(value))?;
        }
        release(frame, end);
        release(frame, i.b);
        release(frame, i.a);
        release(frame, i.c);
        Ok(())
    }
}

/// # Safety
/// As for [`load`].
#[inline(never)]
pub unsafe fn store_subscr(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let (container, key, value) = (rk(frame, i.a), rk(frame, i.b), rk(frame, i.c));
        let mut entered = false;
        match exact_dict(vm, container) {
            Some(dict) => dict.set(vm, key.clone(), value.clone())?,
            None => match python_method(vm, st, container, &st.names.__setitem__) {
                Some(method) => {
                    let args = [container, key, value];
                    if let Entered::Frame =
                        enter_method(vm, st, thread, frame, method, &args, Ret::Discard, 0)?
                    {
                        entered = true;
                    }
                }
                None => vm.set_item(container, key, Some(value))?,
            },
        }
        release(frame, i.c);
        release(frame, i.b);
        release(frame, i.a);
        Ok(entered)
    }
}

/// A `LoadAttr` by what its cache knows now; false when that does not know.
///
/// # Safety
/// As for [`load`].
pub unsafe fn load_quick(frame: *mut Frame, pc: *const Instr) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let Some(value) = cached_elsewhere(cache_of(frame, &i), rk(frame, i.b)) else { return false };
        release(frame, i.b);
        set(frame, i.a, value);
        true
    }
}

/// As [`store`], the cache being asked first.
///
/// # Safety
/// As for [`load`].
pub unsafe fn store_quick(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        if cached_store(frame, &i, cache_of(frame, &i)) {
            release(frame, i.b);
            return Ok(());
        }
        store(vm, frame, pc)
    }
}

/// As [`load_method`], the cache being asked first.
///
/// # Safety
/// As for [`load`].
pub unsafe fn load_method_quick(vm: &Interpreter, frame: *mut Frame, pc: *const Instr) -> Res<()> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let Some(function) = cached_method(cache_of(frame, &i), rk(frame, i.b)) else {
            return load_method(vm, frame, pc);
        };
        let this = take(frame, i.b);
        set(frame, i.a, function);
        set(frame, i.a + 1, this);
        Ok(())
    }
}

/// As [`load_subscr`], lists and tuples first.
///
/// # Safety
/// As for [`load`].
pub unsafe fn load_subscr_quick(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        let Some(value) = sequence_item(vm, rk(frame, i.b), rk(frame, i.c)) else {
            return load_subscr(vm, st, thread, frame, pc);
        };
        release(frame, i.b);
        set(frame, i.a, value);
        Ok(false)
    }
}

/// As [`store_subscr`], lists first.
///
/// # Safety
/// As for [`load`].
pub unsafe fn store_subscr_quick(
    vm: &Interpreter,
    st: &State,
    thread: &Thread,
    frame: *mut Frame,
    pc: *const Instr,
) -> Res<bool> {
    // SAFETY: by the contract.
    unsafe {
        let i = *pc;
        if !set_list_item(vm, rk(frame, i.a), rk(frame, i.b), rk(frame, i.c)) {
            return store_subscr(vm, st, thread, frame, pc);
        }
        release(frame, i.c);
        release(frame, i.a);
        Ok(false)
    }
}

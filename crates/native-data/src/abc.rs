//! `_abc`: what `abc.ABCMeta` does on every `isinstance` and `issubclass`.
//!
//! Each abstract class has a `_abc_data` object with three sets of classes, held weakly: those registered, those known
//! to be subclasses, those known not to be. The last is void as soon as any class is registered anywhere.

use crate::support::{this, upgrade, weak};
use pellucid_object::{
    FunctionDef, Interpreter, ModuleDef, NativeFn, Payload, Ref, Res, Slot, Str, Tuple, Type, TypeDef,
    TypeFlags, Value, Visitor, payload,
};
use pellucid_types::builtins::named as builtin;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Classes held weakly, by identity.
#[derive(Default)]
struct ClassSet {
    references: RefCell<BTreeMap<u64, Value>>,
    /// Size at which the dead are next looked for.
    sweep_at: Cell<usize>,
}

impl ClassSet {
    fn contains(&self, class: &Value) -> bool {
        self.references.borrow().get(&class.bits()).is_some_and(|r| upgrade(r).is_some_and(|c| c.is(class)))
    }

    fn add(&self, vm: &Interpreter, class: &Value) -> Res<()> {
        let reference = weak(vm, class)?;
        let old = self.references.borrow_mut().insert(class.bits(), reference);
        drop(old);
        if self.references.borrow().len() > self.sweep_at.get().max(16) {
            let dead: Vec<Value> = {
                let mut references = self.references.borrow_mut();
                let gone: Vec<u64> =
                    references.iter().filter(|(_, r)| upgrade(r).is_none()).map(|(k, _)| *k).collect();
                gone.iter().filter_map(|k| references.remove(k)).collect()
            };
            drop(dead);
            self.sweep_at.set(self.references.borrow().len() * 2);
        }
        Ok(())
    }

    fn live(&self) -> Vec<Value> {
        self.references.borrow().values().filter_map(upgrade).collect()
    }

    fn references(&self) -> Vec<Value> {
        self.references.borrow().values().cloned().collect()
    }

    fn clear(&self) {
        let old = self.references.take();
        drop(old);
    }

    fn trace(&self, visit: &mut Visitor) {
        self.references.borrow().values().for_each(visit);
    }
}

/// Payload of `_abc_data`.
#[derive(Default)]
pub struct AbcData {
    registry: ClassSet,
    cache: ClassSet,
    negative: ClassSet,
    negative_version: Cell<u64>,
}

impl Payload for AbcData {
    fn trace(&self, visit: &mut Visitor) {
        for set in [&self.registry, &self.cache, &self.negative] {
            set.trace(visit);
        }
    }
    fn clear(&self) {
        for set in [&self.registry, &self.cache, &self.negative] {
            set.clear();
        }
    }
}

/// Counts registrations: `get_cache_token()`.
#[derive(Default)]
struct Registrations(Cell<u64>);

static ABC_DATA: TypeDef = TypeDef {
    name: "_abc_data",
    module: "_abc",
    base: None,
    payload: payload::<AbcData>(),
    flags: TypeFlags::NONE,
    doc: "What an abstract class knows of its subclasses.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, AbcData::default()))],
    methods: &[],
    getset: &[],
};

/// The `_abc_data` of a class.
fn data(vm: &Interpreter, class: &Value) -> Res {
    let name = vm.intern_static("_abc_impl")?;
    let found = match class.downcast::<Type>().and_then(|ty| ty.lookup(vm, &name)) {
        Some(found) => found,
        None => vm.get_attr(class, &name)?,
    };
    if found.downcast::<AbcData>().is_none() {
        return Err(vm.type_error("_abc_impl is set to a wrong type".to_string()));
    }
    Ok(found)
}

fn is_abstract(vm: &Interpreter, value: &Value) -> Res<bool> {
    match vm.get_attr_opt(value, "__isabstractmethod__")? {
        Some(flag) => vm.truthy(&flag),
        None => Ok(false),
    }
}

/// Works out `__abstractmethods__` and marks the class when any are left.
fn compute_abstract_methods(vm: &Interpreter, class: &Value, ty: &Type) -> Res<()> {
    let names = vm.new_dict()?;
    let namespace = ty.namespace().map(|n| n.pairs()).unwrap_or_default();
    for (name, value) in namespace {
        if is_abstract(vm, &value)? {
            names.set(vm, name, Value::NONE)?;
        }
    }
    let bases = ty.bases.get().and_then(|b| b.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default();
    for base in bases {
        let Some(inherited) = vm.get_attr_opt(&base, "__abstractmethods__")? else { continue };
        for name in vm.collect(&inherited)? {
            if name.downcast::<Str>().is_none() {
                continue;
            }
            let found = match vm.get_attr(class, &name) {
                Ok(found) => found,
                Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
                    drop(vm.take_raised(raised));
                    continue;
                }
                Err(raised) => return Err(raised),
            };
            if is_abstract(vm, &found)? {
                names.set(vm, name, Value::NONE)?;
            }
        }
    }
    let list = vm.new_list(names.keys())?;
    let set = vm.call_values(&builtin(vm, "frozenset")?, &[list])?;
    vm.set_attr_str(class, "__abstractmethods__", set)?;
    let flags = ty.flags.get();
    ty.flags.set(if names.is_empty() {
        TypeFlags(flags.0 & !TypeFlags::ABSTRACT.0)
    } else {
        flags.or(TypeFlags::ABSTRACT)
    });
    Ok(())
}

fn class(vm: &Interpreter, value: &Value) -> Res<Ref<Type>> {
    value.downcast_ref::<Type>().ok_or_else(|| vm.type_error("a class was expected".to_string()))
}

fn abc_init(vm: &Interpreter, this_class: &Value) -> Res {
    let ty = class(vm, this_class)?;
    compute_abstract_methods(vm, this_class, &ty)?;
    let data = vm.alloc(&vm.type_for(&ABC_DATA)?, AbcData::default())?;
    vm.set_attr_str(this_class, "_abc_impl", data)?;
    let key = vm.intern_static("__abc_tpflags__")?;
    let declared = match ty.namespace() {
        Some(namespace) => namespace.get_interned(vm, &key),
        None => None,
    };
    if let Some(bits) = declared.and_then(|f| f.as_small_int()) {
        let flags = collection_flags(vm, bits)?;
        ty.flags.set(ty.flags.get().or(flags));
        vm.set_attr(this_class, &key, None)?;
    }
    Ok(Value::NONE)
}

const COLLECTIONS: TypeFlags = TypeFlags::SEQUENCE.or(TypeFlags::MAPPING);

/// `__abc_tpflags__` as `collections.abc` writes it.
fn collection_flags(vm: &Interpreter, bits: i64) -> Res<TypeFlags> {
    match bits & 0x60 {
        0x20 => Ok(TypeFlags::SEQUENCE),
        0x40 => Ok(TypeFlags::MAPPING),
        0x60 => Err(vm.type_error(
            "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING".to_string(),
        )),
        _ => Ok(TypeFlags::NONE),
    }
}

fn check(vm: &Interpreter, function: &str, a: &Value, b: &Value) -> Res<bool> {
    let result = vm.call_values(&builtin(vm, function)?, &[a.clone(), b.clone()])?;
    vm.truthy(&result)
}

fn abc_register(vm: &Interpreter, this_class: &Value, subclass: &Value) -> Res {
    let Some(sub) = subclass.downcast_ref::<Type>() else {
        return Err(vm.type_error("Can only register classes".to_string()));
    };
    if check(vm, "issubclass", subclass, this_class)? {
        return Ok(subclass.clone());
    }
    if check(vm, "issubclass", this_class, subclass)? {
        return Err(vm.runtime_error("Refusing to create an inheritance cycle".to_string()));
    }
    let data = data(vm, this_class)?;
    this::<AbcData>(vm, &data)?.registry.add(vm, subclass)?;
    vm.state::<Registrations>().0.update(|n| n + 1);
    if let Some(ty) = this_class.downcast::<Type>() {
        let flags = TypeFlags(ty.flags.get().0 & COLLECTIONS.0);
        if flags != TypeFlags::NONE {
            spread_flags(&sub, flags);
        }
    }
    Ok(subclass.clone())
}

/// Gives a class and all below it the collection flags.
fn spread_flags(ty: &Ref<Type>, flags: TypeFlags) {
    let own = ty.flags.get();
    if !own.contains(TypeFlags::MUTABLE) || own.0 & COLLECTIONS.0 == flags.0 {
        return;
    }
    ty.flags.set(TypeFlags(own.0 & !COLLECTIONS.0 | flags.0));
    for sub in ty.subclasses() {
        if let Some(sub) = sub.downcast_ref::<Type>() {
            spread_flags(&sub, flags);
        }
    }
}

fn subclass_check(vm: &Interpreter, this_class: &Value, subclass: &Value) -> Res {
    vm.call_method(this_class, "__subclasscheck__", std::slice::from_ref(subclass))
}

fn abc_instancecheck(vm: &Interpreter, this_class: &Value, instance: &Value) -> Res {
    let data = data(vm, this_class)?;
    let abc = this::<AbcData>(vm, &data)?;
    let subclass = vm.get_attr(instance, &vm.intern_static("__class__")?)?;
    if abc.cache.contains(&subclass) {
        return Ok(Value::TRUE);
    }
    let own = vm.type_of(instance).into_value();
    if own.is(&subclass) {
        let current = abc.negative_version.get() == vm.state::<Registrations>().0.get();
        if current && abc.negative.contains(&subclass) {
            return Ok(Value::FALSE);
        }
        return subclass_check(vm, this_class, &subclass);
    }
    let result = subclass_check(vm, this_class, &subclass)?;
    if vm.truthy(&result)? {
        return Ok(result);
    }
    subclass_check(vm, this_class, &own)
}

fn abc_subclasscheck(vm: &Interpreter, this_class: &Value, subclass: &Value) -> Res {
    let Some(sub) = subclass.downcast_ref::<Type>() else {
        return Err(vm.type_error("issubclass() arg 1 must be a class".to_string()));
    };
    let data = data(vm, this_class)?;
    let abc = this::<AbcData>(vm, &data)?;
    if abc.cache.contains(subclass) {
        return Ok(Value::TRUE);
    }
    let version = vm.state::<Registrations>().0.get();
    if abc.negative_version.get() < version {
        abc.negative.clear();
        abc.negative_version.set(version);
    } else if abc.negative.contains(subclass) {
        return Ok(Value::FALSE);
    }
    let verdict = |holds: bool| {
        let set = if holds { &abc.cache } else { &abc.negative };
        set.add(vm, subclass)?;
        Ok(Value::bool(holds))
    };
    let hook = vm.call_attr(this_class, "__subclasshook__", std::slice::from_ref(subclass))?;
    if hook.is_bool() {
        return verdict(hook.is_true());
    }
    if !hook.is_not_implemented() {
        let what = "__subclasshook__ must return either False, True, or NotImplemented";
        return Err(vm.assertion_error(what.to_string()));
    }
    if sub.mro().iter().any(|t| t.is(this_class)) {
        return verdict(true);
    }
    for registered in abc.registry.live() {
        if check(vm, "issubclass", subclass, &registered)? {
            return verdict(true);
        }
    }
    let below = vm.call_attr(this_class, "__subclasses__", &[])?;
    if !vm.is_instance(&below, &vm.types().list) {
        return Err(vm.type_error("__subclasses__() must return a list".to_string()));
    }
    for child in vm.collect(&below)? {
        if check(vm, "issubclass", subclass, &child)? {
            return verdict(true);
        }
    }
    verdict(false)
}

fn get_dump(vm: &Interpreter, this_class: &Value) -> Res {
    let data = data(vm, this_class)?;
    let abc = this::<AbcData>(vm, &data)?;
    let mut parts = Vec::new();
    for set in [&abc.registry, &abc.cache, &abc.negative] {
        let list = vm.new_list(set.references())?;
        parts.push(vm.call_values(&builtin(vm, "set")?, &[list])?);
    }
    parts.push(vm.new_int(abc.negative_version.get() as i64)?);
    vm.new_tuple(parts)
}

fn reset_registry(vm: &Interpreter, this_class: &Value) -> Res {
    let data = data(vm, this_class)?;
    this::<AbcData>(vm, &data)?.registry.clear();
    Ok(Value::NONE)
}

fn reset_caches(vm: &Interpreter, this_class: &Value) -> Res {
    let data = data(vm, this_class)?;
    let abc = this::<AbcData>(vm, &data)?;
    abc.cache.clear();
    abc.negative.clear();
    Ok(Value::NONE)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_abc",
    doc: "The machinery of abstract base classes.",
    functions: &[
        FunctionDef::new(
            "get_cache_token",
            "($module, /)",
            "A number that changes with every registration of a class anywhere.",
            NativeFn::F0(|vm| vm.new_int(vm.state::<Registrations>().0.get() as i64)),
        ),
        FunctionDef::new(
            "_abc_init",
            "($module, self, /)",
            "Prepares an abstract class.",
            NativeFn::F1(abc_init),
        ),
        FunctionDef::new(
            "_abc_register",
            "($module, self, subclass, /)",
            "Registers a class as a virtual subclass.",
            NativeFn::F2(abc_register),
        ),
        FunctionDef::new(
            "_abc_instancecheck",
            "($module, self, instance, /)",
            "isinstance() for abstract classes.",
            NativeFn::F2(abc_instancecheck),
        ),
        FunctionDef::new(
            "_abc_subclasscheck",
            "($module, self, subclass, /)",
            "issubclass() for abstract classes.",
            NativeFn::F2(abc_subclasscheck),
        ),
        FunctionDef::new(
            "_get_dump",
            "($module, self, /)",
            "Copies of the registry and of both caches, and the version of the negative one.",
            NativeFn::F1(get_dump),
        ),
        FunctionDef::new(
            "_reset_registry",
            "($module, self, /)",
            "Forgets the registered classes.",
            NativeFn::F1(reset_registry),
        ),
        FunctionDef::new(
            "_reset_caches",
            "($module, self, /)",
            "Forgets what the caches know.",
            NativeFn::F1(reset_caches),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

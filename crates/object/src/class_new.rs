//! Classes made by Python code: metaclass, layout, `__slots__`, `__set_name__`, `__init_subclass__`.

use crate::attrs::MAX_INLINE;
use crate::class::{Type, TypeFlags};
use crate::class_change::solid_base;
use crate::dict::Dict;
use crate::heap::{Ref, SlotWord};
use crate::interpreter::Interpreter;
use crate::native::{GetSet, GetSetDef, Member, MethodDescriptor, Place, Wrapped};
use crate::slots::SlotWrapper;
use crate::value::Value;
use crate::{Raised, Res, Str, Tuple};

/// What `__slots__` asks for.
struct SlotNames {
    names: Vec<String>,
    dict: bool,
    weakref: bool,
}

static DUNDER_WEAKREF: GetSetDef = GetSetDef {
    name: "__weakref__",
    doc: "list of weak references to the object",
    get: |vm, object| Ok(vm.weakrefs.of(object).into_iter().next().unwrap_or(Value::NONE)),
    set: None,
};

/// `__dict__` of instances, for the `TypeDef` of a builtin type whose instances have one.
pub const DUNDER_DICT: GetSetDef = GetSetDef {
    name: "__dict__",
    doc: "dictionary for instance variables",
    get: |vm, object| match vm.attrs_dict(object)? {
        Some(dict) => Ok(dict.into_value()),
        None => match builtin_dict(vm, object)? {
            Some(descriptor) if object.downcast::<Type>().is_some() => {
                vm.bind_descriptor(&descriptor, object, vm.type_of(object).value())
            }
            _ => Err(vm.no_attribute(object, &vm.intern_static("__dict__")?)),
        },
    },
    set: Some(|vm, object, value| {
        if let Some(descriptor) = builtin_dict(vm, object)?
            && descriptor.downcast::<GetSet>().is_none_or(|known| known.def.set.is_none())
            && let Some(set) = vm.type_of_ref(&descriptor).slots.descr_set.get()
        {
            return set(vm, &descriptor, object, value);
        }
        if object.attrs().is_none() {
            let name = vm.type_name(object);
            return Err(vm.type_error(format!("this __dict__ descriptor does not support '{name}' objects")));
        }
        let dict = match value {
            None if builtin_dict(vm, object)?.is_some() => {
                return Err(vm.type_error("cannot delete __dict__".to_string()));
            }
            None => vm.new_dict()?,
            Some(value) => match value.downcast_ref::<Dict>() {
                Some(dict) => dict,
                None => {
                    let got = vm.type_name(value);
                    return Err(vm.type_error(format!("__dict__ must be set to a dictionary, not a '{got}'")));
                }
            },
        };
        vm.attrs_replace_dict(object, dict);
        Ok(())
    }),
};

/// The descriptor `__dict__` of the builtin type that an object extends (a class, a module), which may not be passed by
/// through that of a class written in Python.
fn builtin_dict(vm: &Interpreter, object: &Value) -> Res<Option<Value>> {
    let name = vm.intern_static("__dict__")?;
    let mut at = Some(vm.type_of(object));
    while let Some(ty) = at {
        if !ty.flags.get().contains(TypeFlags::MUTABLE)
            && let Some(found) = ty.namespace().and_then(|names| names.get_interned(vm, &name))
        {
            return Ok(Some(found));
        }
        at = ty.base.get().and_then(|base| base.downcast_ref::<Type>());
    }
    Ok(None)
}

impl Interpreter {
    /// `meta(name, bases, namespace, **keywords)` for a metaclass that keeps `type.__new__`.
    /// Errors: `TypeError` for bases that do not fit, what `__set_name__` and `__init_subclass__` raise.
    pub fn new_class(
        &self,
        meta: &Value,
        name: &str,
        bases: Vec<Value>,
        namespace: &Dict,
        keywords: &[(Value, Value)],
    ) -> Res {
        let bases = if bases.is_empty() { vec![self.types().object.value().clone()] } else { bases };
        let meta = self.most_derived_metaclass(meta, &bases)?;
        let base = self.best_base(&bases)?;
        let flags = inherited_flags(&bases);
        let value = self.alloc_subclass(&meta, Type::bare(self, name, base.payload, flags))?;
        let Some(ty) = value.downcast_ref::<Type>() else { return Err(self.bug("a class is a type")) };
        let dict = self.new_dict()?;
        dict.update_from(self, namespace)?;
        let qualname = dict.remove(self, &self.intern_static("__qualname__")?)?;
        if let Some(q) = &qualname
            && q.downcast::<Str>().is_none()
        {
            let got = self.type_name(q);
            return Err(self.type_error(format!("type __qualname__ must be a str, not {got}")));
        }
        ty.qualname.set(qualname);
        let cell = dict.remove(self, &self.intern_static("__classcell__")?)?;
        let namespace_cell = dict.remove(self, &self.intern_static("__classdictcell__")?)?;
        let slots = self.slot_names(name, &dict, &base)?;
        self.wrap_implicit_methods(&dict)?;
        self.complete_namespace(&dict)?;
        let weak = |base: &Value| {
            base.downcast::<Type>().is_some_and(|b| b.flags.get().contains(TypeFlags::WEAKREF))
        };
        let had_weakref = bases.iter().any(weak);
        let weakref = had_weakref || slots.as_ref().is_none_or(|s| s.weakref);
        if weakref {
            ty.flags.set(ty.flags.get().or(TypeFlags::WEAKREF));
        }
        let own = self.static_attribute_count(&dict)?;
        let inline = (base.inline_slots.get() + own).clamp(2, MAX_INLINE);
        ty.dict.set(Some(dict.value().clone()));
        if let Some(cell) = cell {
            self.fill_class_cell(&cell, "__classcell__", &value)?;
        }
        if let Some(cell) = namespace_cell {
            self.fill_class_cell(&cell, "__classdictcell__", dict.value())?;
        }
        // `mro()` of a metaclass may make instances: the layout must stand before.
        self.lay_out_class(&ty, &bases, &base, &dict, slots, inline)?;
        if weakref && !had_weakref {
            let key = self.intern_static("__weakref__")?;
            dict.set_default(self, key, self.new_getset(&ty, &DUNDER_WEAKREF)?)?;
        }
        self.finish_type(&ty, &bases, &base)?;
        self.refresh_slots(&ty)?;
        ty.slots.inherit(&base.slots);
        if dict.keys().iter().any(|key| key.downcast::<Str>().is_none()) {
            let text = format!("non-string key in the __dict__ of class {name}");
            self.warn(&self.exceptions().runtime_warning().clone(), &text)?;
        }
        self.call_set_name(&value, &dict)?;
        self.call_init_subclass(&ty, &value, keywords)?;
        Ok(value)
    }

    /// Fills the cell that the compiler left in the namespace for functions that use `__class__`.
    fn fill_class_cell(&self, cell: &Value, name: &str, content: &Value) -> Res<()> {
        let kind = self.type_of(cell);
        if &*kind.name() != "cell" || kind.flags.get().contains(TypeFlags::MUTABLE) {
            let kind = self.repr_lossy(kind.value())?;
            return Err(self.type_error(format!("{name} must be a nonlocal cell, not {kind}")));
        }
        self.set_attr_str(cell, "cell_contents", content.clone())
    }

    /// The metaclass that all bases allow. Errors: `TypeError` on a conflict.
    pub fn most_derived_metaclass(&self, meta: &Value, bases: &[Value]) -> Res {
        let mut winner = match meta.downcast_ref::<Type>() {
            Some(ty) => ty,
            None => return Err(self.type_error("metaclass must be a type".to_string())),
        };
        for base in bases {
            let candidate = self.type_of(base);
            if winner.is_subtype_of(&candidate) {
                continue;
            }
            if !candidate.is_subtype_of(&winner) {
                return Err(self.type_error(
                    "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the \
                     metaclasses of all its bases"
                        .to_string(),
                ));
            }
            winner = candidate;
        }
        Ok(winner.into_value())
    }

    /// The base whose layout the class extends.
    pub(crate) fn best_base(&self, bases: &[Value]) -> Res<Ref<Type>> {
        let mut best: Option<(Ref<Type>, Ref<Type>)> = None;
        for base in bases {
            let Some(ty) = base.downcast_ref::<Type>() else {
                return Err(self.type_error("bases must be types".to_string()));
            };
            if !ty.flags.get().contains(TypeFlags::BASETYPE) {
                return Err(
                    self.type_error(format!("type '{}' is not an acceptable base type", ty.message_name()))
                );
            }
            let solid = solid_base(&ty);
            best = match best {
                None => Some((ty, solid)),
                Some((_, ref old)) if solid.is_subtype_of(old) && !solid.value().is(old.value()) => {
                    Some((ty, solid))
                }
                Some((first, old)) if old.is_subtype_of(&solid) => Some((first, old)),
                Some(_) => {
                    return Err(self.type_error("multiple bases have instance lay-out conflict".to_string()));
                }
            };
        }
        match best {
            Some((ty, _)) => Ok(ty),
            None => Ok(self.types().object.clone()),
        }
    }

    fn slot_names(&self, class: &str, dict: &Dict, base: &Ref<Type>) -> Res<Option<SlotNames>> {
        let Some(declared) = dict.get_str(self, &self.intern_static("__slots__")?)? else { return Ok(None) };
        let items = match declared.downcast::<Str>() {
            Some(_) => vec![declared.clone()],
            None => self.collect(&declared)?,
        };
        let mut slots = SlotNames { names: Vec::new(), dict: false, weakref: false };
        let variable = [&self.types().int, &self.types().tuple, &self.types().type_];
        let refuses =
            variable.iter().any(|ty| base.is_subtype_of(ty)) || &*solid_base(base).name() == "bytes";
        if refuses && !items.is_empty() {
            let name = base.name();
            return Err(self.type_error(format!("nonempty __slots__ not supported for subtype of '{name}'")));
        }
        for item in items {
            let Some(text) = item.downcast::<Str>().map(|_| self.str_lossy(&item)) else {
                let got = self.type_name(&item);
                return Err(self.type_error(format!("__slots__ items must be strings, not '{got}'")));
            };
            match text.as_str() {
                "__dict__" if slots.dict || base.attrs_offset.get() != 0 => {
                    let what = "__dict__ slot disallowed: we already got one";
                    return Err(self.type_error(what.to_string()));
                }
                "__dict__" => slots.dict = true,
                "__weakref__" if slots.weakref || base.flags.get().contains(TypeFlags::WEAKREF) => {
                    let what = "__weakref__ slot disallowed: we already got one";
                    return Err(self.type_error(what.to_string()));
                }
                "__weakref__" => slots.weakref = true,
                _ if !is_identifier(&text) => {
                    return Err(self.type_error("__slots__ must be identifiers".to_string()));
                }
                _ => {
                    if dict.contains(self, &item)?
                        && text != "__qualname__"
                        && text != "__classcell__"
                        && text != "__classdictcell__"
                    {
                        return Err(
                            self.value_error(format!("'{text}' in __slots__ conflicts with class variable"))
                        );
                    }
                    slots.names.push(mangle(class, &text));
                }
            }
        }
        slots.names.sort();
        Ok(Some(slots))
    }

    /// `__new__` becomes a static method, `__init_subclass__` and `__class_getitem__` class methods.
    fn wrap_implicit_methods(&self, dict: &Dict) -> Res<()> {
        let types = self.types();
        let wrappers = [
            ("__new__", &types.staticmethod),
            ("__init_subclass__", &types.classmethod),
            ("__class_getitem__", &types.classmethod),
        ];
        for (name, wrapper) in wrappers {
            let key = self.intern(name)?;
            let Some(function) = dict.get_str(self, &key)? else { continue };
            let plain = self.type_of(&function).flags.get().contains(TypeFlags::METHOD_DESCRIPTOR)
                && function.downcast::<MethodDescriptor>().is_none()
                && function.downcast::<SlotWrapper>().is_none();
            if plain {
                let callable = SlotWord::new(Some(function));
                dict.set(self, key, self.alloc(wrapper, Wrapped { callable })?)?;
            }
        }
        Ok(())
    }

    /// `__doc__` is always there; `__eq__` without `__hash__` makes instances unhashable.
    fn complete_namespace(&self, dict: &Dict) -> Res<()> {
        let module = self.intern_static("__module__")?;
        if !dict.contains(self, &module)? {
            let globals = self.hooks.globals.get().and_then(|globals| globals(self));
            let globals = globals.and_then(|g| g.downcast_ref::<Dict>());
            if let Some(name) =
                globals.and_then(|g| g.get_interned(self, &self.intern_static("__name__").ok()?))
            {
                dict.set(self, module, name)?;
            }
        }
        let doc = self.intern_static("__doc__")?;
        dict.set_default(self, doc, Value::NONE)?;
        let hash = self.intern_static("__hash__")?;
        if dict.contains(self, &self.intern_static("__eq__")?)? {
            dict.set_default(self, hash, Value::NONE)?;
        }
        Ok(())
    }

    /// How many attributes the methods of the class assign, as the compiler counted them.
    fn static_attribute_count(&self, dict: &Dict) -> Res<usize> {
        let names = dict.get_str(self, &self.intern_static("__static_attributes__")?)?;
        Ok(names.and_then(|n| n.downcast::<Tuple>().map(Tuple::len)).unwrap_or(2))
    }

    fn lay_out_class(
        &self,
        ty: &Ref<Type>,
        bases: &[Value],
        base: &Ref<Type>,
        dict: &Dict,
        slots: Option<SlotNames>,
        inline: usize,
    ) -> Res<()> {
        let metaclass = base.is_subtype_of(&self.types().type_);
        let had_attrs = base.attrs_offset.get() != 0;
        let other_has_attrs =
            || bases.iter().filter_map(|b| b.downcast::<Type>()).any(|b| b.attrs_offset.get() != 0);
        let wants_attrs = slots.as_ref().is_none_or(|s| s.dict) || other_has_attrs();
        let names = slots.map(|s| s.names).unwrap_or_default();
        let first = base.slot_count.get();
        let attrs = !metaclass && (had_attrs || wants_attrs);
        ty.lay_out(first + names.len(), attrs, if attrs { inline } else { 0 });
        for (i, name) in names.iter().enumerate() {
            let name = self.intern(name)?;
            let member = Member { name: name.clone(), owner: ty.clone(), place: Place::Slot(first + i) };
            dict.set(self, name, self.alloc(&self.types().member_descriptor, member)?)?;
        }
        if attrs && !had_attrs {
            let key = self.intern_static("__dict__")?;
            if !dict.contains(self, &key)? {
                dict.set(self, key, self.new_getset(ty, &DUNDER_DICT)?)?;
            }
        }
        Ok(())
    }

    fn call_set_name(&self, class: &Value, dict: &Dict) -> Res<()> {
        for (key, value) in dict.pairs() {
            let Some(method) = self.lookup_special(&value, "__set_name__")? else { continue };
            if let Err(raised) = self.call_descriptor(&method, &value, &[class.clone(), key.clone()]) {
                let name = class.downcast::<Type>().map(Type::name).unwrap_or_default();
                let (ty, key) = (self.type_name(&value), self.repr_lossy(&key)?);
                let note = format!("Error calling __set_name__ on '{ty}' instance {key} in '{name}'");
                return Err(self.note_raised(raised, &note));
            }
        }
        Ok(())
    }

    /// `super(cls, cls).__init_subclass__(**keywords)`.
    fn call_init_subclass(&self, ty: &Ref<Type>, class: &Value, keywords: &[(Value, Value)]) -> Res<()> {
        let name = self.intern_static("__init_subclass__")?;
        let mro = ty.mro();
        // As `super(cls, cls)` would: behind the class in its order.
        let Some(own) = mro.iter().position(|t| t.is(class)) else {
            let name = ty.name();
            return Err(self.type_error(format!(
                "super(type, obj): obj (type {name}) is not an instance or subtype of type ({name})."
            )));
        };
        let found = mro
            .iter()
            .skip(own + 1)
            .find_map(|t| t.downcast::<Type>()?.namespace()?.get_interned(self, &name));
        let Some(found) = found else {
            return match keywords.first() {
                None => Ok(()),
                Some(_) => Err(self.no_keywords_error(ty)),
            };
        };
        let bound = match self.type_of(&found).slots.descr_get.get() {
            Some(get) => get(self, &found, None, class)?,
            None => found,
        };
        let values: Vec<Value> = keywords.iter().map(|(_, v)| v.clone()).collect();
        let names: Vec<Value> = keywords.iter().map(|(k, _)| k.clone()).collect();
        self.call(&bound, &crate::CallArgs { values: &values, names: &names }).map(drop)
    }

    fn no_keywords_error(&self, ty: &Ref<Type>) -> Raised {
        self.type_error(format!("{}.__init_subclass__() takes no keyword arguments", ty.message_name()))
    }
}

fn inherited_flags(bases: &[Value]) -> TypeFlags {
    // What `match` takes it for is what the first base with an answer is.
    let collection = TypeFlags::SEQUENCE.or(TypeFlags::MAPPING);
    let passed_on =
        [TypeFlags::MATCH_SELF, TypeFlags::HAS_FINALIZER, TypeFlags::HAS_DICT, TypeFlags::WEAKREF];
    let mut flags = TypeFlags::BASETYPE.or(TypeFlags::MUTABLE);
    for base in bases.iter().filter_map(|b| b.downcast::<Type>()) {
        if flags.0 & collection.0 == 0 {
            flags = flags.or(TypeFlags(base.flags.get().0 & collection.0));
        }
        for flag in passed_on {
            if base.flags.get().contains(flag) {
                flags = flags.or(flag);
            }
        }
    }
    flags
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}

/// Private name mangling: `__x` in class `_C` is `_C__x`.
pub fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') || class.is_empty() {
        return name.to_string();
    }
    format!("_{class}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(vm: &Interpreter, name: &str, bases: &[&Value], names: &[(&str, Value)]) -> Res {
        let namespace = vm.new_dict()?;
        for (key, value) in names {
            namespace.set(vm, vm.intern(key)?, value.clone())?;
        }
        let bases = bases.iter().map(|b| (*b).clone()).collect();
        vm.new_class(vm.types().type_.value(), name, bases, &namespace, &[])
    }

    fn message(vm: &Interpreter, result: Res) -> String {
        let Err(raised) = result else { panic!("no error") };
        let exception = vm.take_raised(raised);
        let args = exception.downcast::<crate::Exception>().and_then(|e| e.args.get()).expect("args");
        vm.str_lossy(&args.downcast::<Tuple>().and_then(|t| t.get(0)).expect("a message"))
    }

    #[test]
    fn the_order_of_bases_is_c3() {
        let vm = Interpreter::new().expect("memory");
        let a = class(&vm, "A", &[], &[]).expect("A");
        let b = class(&vm, "B", &[&a], &[]).expect("B");
        let c = class(&vm, "C", &[&a], &[]).expect("C");
        let d = class(&vm, "D", &[&b, &c], &[]).expect("D");
        let mro = d.downcast::<Type>().expect("a type").mro();
        let names: Vec<String> =
            mro.iter().map(|t| t.downcast::<Type>().expect("a type").name().to_string()).collect();
        assert_eq!(names, ["D", "B", "C", "A", "object"]);
        assert_eq!(
            message(&vm, class(&vm, "E", &[&a, &b], &[])),
            "Cannot create a consistent method resolution order (MRO) for bases A, B"
        );
    }

    #[test]
    fn bases_must_fit_together() {
        let vm = Interpreter::new().expect("memory");
        let types = vm.types();
        let cases: [(&[&Value], &str); 3] = [
            (&[types.bool.value()], "type 'bool' is not an acceptable base type"),
            (&[types.int.value(), types.list.value()], "multiple bases have instance lay-out conflict"),
            (
                &[&Value::NONE],
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses \
                 of all its bases",
            ),
        ];
        for (bases, expected) in cases {
            assert_eq!(message(&vm, class(&vm, "X", bases, &[])), expected);
        }
    }

    #[test]
    fn slots_are_words_of_the_object_and_names_are_mangled() {
        let vm = Interpreter::new().expect("memory");
        let names = vm
            .new_tuple(vec![vm.intern_static("x").expect("x"), vm.intern_static("__y").expect("y")])
            .expect("names");
        let c = class(&vm, "C", &[], &[("__slots__", names)]).expect("C");
        let ty = c.downcast_ref::<Type>().expect("a type");
        assert_eq!((ty.slot_count.get(), ty.attrs_offset.get()), (2, 0));
        let object = vm.alloc(&ty, crate::interpreter::Plain).expect("an instance");
        let nothing = vm.get_attr_opt(&object, "x").expect("no error");
        assert!(nothing.is_none());
        vm.set_attr_str(&object, "x", c.clone()).expect("set");
        vm.set_attr_str(&object, "_C__y", object.clone()).expect("set");
        assert!(vm.get_attr_str(&object, "x").expect("get").is(&c));
        let error = vm.set_attr_str(&object, "z", Value::NONE).map(|()| Value::NONE);
        assert_eq!(
            message(&vm, error),
            "'C' object has no attribute 'z' and no __dict__ for setting new attributes"
        );
    }

    #[test]
    fn a_method_set_on_a_class_takes_effect_in_subclasses_at_once() {
        let vm = Interpreter::new().expect("memory");
        let a = class(&vm, "A", &[], &[]).expect("A");
        let b = class(&vm, "B", &[&a], &[]).expect("B");
        let ty = b.downcast_ref::<Type>().expect("a type");
        let object = vm.alloc(&ty, crate::interpreter::Plain).expect("an instance");
        assert_eq!(message(&vm, vm.len(&object).map(|_| Value::NONE)), "object of type 'B' has no len()");
        static SEVEN: crate::FunctionDef =
            crate::FunctionDef::new("__len__", "()", "", crate::NativeFn::F0(|vm| vm.new_int(7)));
        let seven = vm.new_builtin(&SEVEN, None, false, None).expect("a function");
        vm.set_attr_str(&a, "__len__", seven).expect("set");
        assert_eq!(vm.len(&object), Ok(7));
        assert!(vm.truthy(&object).expect("no error"));
    }

    #[test]
    fn private_names() {
        let cases = [("__x", "_C__x"), ("__x__", "__x__"), ("_x", "_x"), ("__a.b", "__a.b")];
        for (name, mangled) in cases {
            assert_eq!(mangle("_C", name), mangled);
        }
        assert_eq!(mangle("__", "__x"), "__x");
    }
}

//! Classes and objects that change their place: `C.__bases__ = ...`, `x.__class__ = ...`, and `mro()` of metaclasses.

use crate::class::{Type, TypeFlags};
use crate::heap::Ref;
use crate::interpreter::Interpreter;
use crate::native::{Member, MethodDescriptor};
use crate::value::Value;
use crate::{Raised, Res};
use std::rc::Rc;

/// A class that got another order while bases were assigned.
struct MroChange {
    class: Ref<Type>,
    old: Rc<[Value]>,
    new: Rc<[Value]>,
}

impl Interpreter {
    /// The method resolution order of a class: C3, or what `mro()` of its metaclass says.
    /// Errors: `TypeError` when no order exists or `mro()` gives unfit bases.
    pub(crate) fn mro_of(&self, ty: &Ref<Type>, bases: &[Value]) -> Res<Vec<Value>> {
        let meta = self.type_of(ty.value());
        if meta.value().is(self.types().type_.value()) {
            return self.compute_mro(ty.value(), bases);
        }
        let found = meta.lookup(self, &self.intern_static("mro")?);
        let Some(method) = found.filter(|m| m.downcast::<MethodDescriptor>().is_none()) else {
            return self.compute_mro(ty.value(), bases);
        };
        let given = self.call_descriptor(&method, ty.value(), &[])?;
        let order = self.collect(&given)?;
        let solid = ty.base.get().and_then(|b| b.downcast_ref::<Type>()).map(|b| solid_base(&b));
        for cls in &order {
            let Some(parent) = cls.downcast_ref::<Type>() else {
                let name = self.type_name(cls);
                return Err(self.type_error(format!("mro() returned a non-class ('{name}')")));
            };
            let fits = cls.is(ty.value())
                || solid.as_ref().is_none_or(|solid| solid.is_subtype_of(&solid_base(&parent)));
            if !fits {
                let name = parent.name();
                return Err(self.type_error(format!("mro() returned base with unsuitable layout ('{name}')")));
            }
        }
        Ok(order)
    }

    /// `ty.__bases__ = bases`, which are classes that do not inherit from it. Errors: `TypeError`; nothing has
    /// changed then.
    pub fn assign_bases(&self, ty: &Ref<Type>, bases: Vec<Value>) -> Res<()> {
        let base = self.best_base(&bases)?;
        let old_base = match ty.base.get().and_then(|b| b.downcast_ref::<Type>()) {
            Some(old) => old,
            None => return Err(self.type_error("the class has no bases".to_string())),
        };
        let attrs = |ty: &Type| ty.attrs_offset.get() != 0;
        let fits = solid_base(&base).value().is(solid_base(&old_base).value())
            && (attrs(&base) == attrs(&old_base) || attrs(ty) && !attrs(&base));
        if !fits {
            let (new, old) = (base.name(), old_base.name());
            return Err(
                self.type_error(format!("__bases__ assignment: '{new}' object layout differs from '{old}'"))
            );
        }
        let tuple = self.new_tuple(bases.clone())?;
        let old_bases = ty.bases.replace(Some(tuple.clone()));
        ty.base.set(Some(base.value().clone()));
        let mut changed = Vec::new();
        let renewed = self.renew_mro(ty, &mut changed);
        // `mro()` may have assigned the bases itself: the inner assignment has done everything then.
        let still_ours = ty.bases.get().is_some_and(|now| now.is(&tuple));
        if let Err(raised) = renewed {
            for change in
                changed.into_iter().rev().filter(|change| Rc::ptr_eq(&change.new, &change.class.mro()))
            {
                change.class.set_mro(change.old.to_vec());
            }
            if still_ours {
                ty.bases.set(old_bases);
                ty.base.set(Some(old_base.into_value()));
            }
            return Err(raised);
        }
        if !still_ours {
            return Ok(());
        }
        let saved = self.save_raised();
        let parents = |tuple: &Option<Value>| {
            tuple
                .as_ref()
                .and_then(|t| t.downcast::<crate::Tuple>())
                .map(crate::Tuple::items)
                .unwrap_or_default()
        };
        for parent in parents(&old_bases) {
            self.remove_subclass(&parent, ty.value());
        }
        for parent in &bases {
            self.add_subclass(parent, ty);
        }
        self.restore_raised(saved);
        self.renew_slots(ty)
    }

    /// Computes the orders of a class and of all below it; the old ones are noted.
    fn renew_mro(&self, ty: &Ref<Type>, changed: &mut Vec<MroChange>) -> Res<()> {
        let bases = ty.bases.get().map_or(Ok(Vec::new()), |b| self.collect(&b))?;
        let old = ty.mro();
        let order = self.mro_of(ty, &bases)?;
        if !Rc::ptr_eq(&old, &ty.mro()) {
            // `mro()` came back here for the same class: what it set is newer.
            return Ok(());
        }
        ty.set_mro(order);
        changed.push(MroChange { class: ty.clone(), old, new: ty.mro() });
        for sub in ty.subclasses() {
            if let Some(sub) = sub.downcast_ref::<Type>() {
                self.nested("", || self.renew_mro(&sub, changed))?;
            }
        }
        Ok(())
    }

    fn renew_slots(&self, ty: &Ref<Type>) -> Res<()> {
        self.refresh_slots(ty)?;
        for sub in ty.subclasses() {
            if let Some(sub) = sub.downcast_ref::<Type>() {
                self.nested("", || self.renew_slots(&sub))?;
            }
        }
        Ok(())
    }

    /// Makes `object` an instance of `class`; false when their layouts differ.
    pub fn set_class(&self, object: &Value, class: &Ref<Type>) -> bool {
        let old = self.type_of(object);
        if old.value().is(class.value()) {
            return true;
        }
        let same = old.payload.type_id == class.payload.type_id
            && old.slot_count.get() == class.slot_count.get()
            && old.attrs_offset.get() == class.attrs_offset.get()
            && old.flags.get().contains(TypeFlags::WEAKREF) == class.flags.get().contains(TypeFlags::WEAKREF)
            && (solid_base(&old).value().is(solid_base(class).value()) || same_slots(self, &old, class));
        if !same {
            return false;
        }
        // Caches and inline words belong to the old class: the attributes move to a dict, which any class understands.
        match self.attrs_dict(object) {
            Ok(_) => crate::heap::change_class(object, class),
            Err(raised) => {
                drop(self.take_raised(raised));
                false
            }
        }
    }

    /// The error for a class whose order cannot be found: names the classes that stand in each other's way.
    #[cold]
    pub(crate) fn no_order(&self, heads: &[Value]) -> Raised {
        let mut names: Vec<String> = Vec::new();
        for head in heads.iter().filter_map(|h| h.downcast::<Type>()) {
            let name = head.name().to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let names = names.join(", ");
        self.type_error(format!("Cannot create a consistent method resolution order (MRO) for bases {names}"))
    }
}

/// Whether two classes add slots of the same names to the same layout.
fn same_slots(vm: &Interpreter, a: &Ref<Type>, b: &Ref<Type>) -> bool {
    let (a, b) = (solid_base(a), solid_base(b));
    let parent =
        |ty: &Ref<Type>| ty.base.get().and_then(|p| p.downcast_ref::<Type>()).map(|p| solid_base(&p));
    let (Some(pa), Some(pb)) = (parent(&a), parent(&b)) else { return false };
    let names = |ty: &Ref<Type>| {
        let mut names: Vec<String> = ty.namespace().map_or_else(Vec::new, |ns| {
            ns.values().iter().filter_map(|v| v.downcast::<Member>()).map(|m| vm.str_lossy(&m.name)).collect()
        });
        names.sort();
        names
    };
    pa.value().is(pb.value()) && names(&a) == names(&b)
}

/// The nearest type on the base chain that adds to the layout: another payload, or slots.
pub(crate) fn solid_base(ty: &Ref<Type>) -> Ref<Type> {
    let mut at = ty.clone();
    loop {
        let Some(base) = at.base.get().and_then(|b| b.downcast_ref::<Type>()) else { return at };
        let same_payload = at.payload.type_id == base.payload.type_id;
        if !same_payload || at.slot_count.get() > base.slot_count.get() {
            return at;
        }
        at = base;
    }
}

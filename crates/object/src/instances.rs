//! `isinstance` and `issubclass`: real classes, tuples of them, and whatever has `__instancecheck__`.

use crate::class::Type;
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::{Res, Tuple};

const SECOND_OF_ISINSTANCE: &str = "isinstance() arg 2 must be a type, a tuple of types, or a union";
const SECOND_OF_ISSUBCLASS: &str = "issubclass() arg 2 must be a class, a tuple of classes, or a union";

impl Interpreter {
    /// `isinstance(value, cls)`. Errors: `TypeError`, what `__instancecheck__` raises.
    pub fn isinstance(&self, value: &Value, cls: &Value) -> Res<bool> {
        if self.type_of_ref(value).value().is(cls) {
            return Ok(true);
        }
        if self.is_exact(cls, &self.types().type_) {
            return self.plain_isinstance(value, cls);
        }
        if let Some(tuple) = cls.downcast::<Tuple>() {
            for item in tuple.items() {
                if self.nested(" in __instancecheck__", || self.isinstance(value, &item))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match self.lookup_special(cls, "__instancecheck__")? {
            Some(check) => {
                let result = self.call_descriptor(&check, cls, std::slice::from_ref(value))?;
                self.truthy(&result)
            }
            None => self.plain_isinstance(value, cls),
        }
    }

    /// `isinstance` without hooks: what `type.__instancecheck__` says. A proxy may claim another class.
    pub fn plain_isinstance(&self, value: &Value, cls: &Value) -> Res<bool> {
        if let Some(ty) = cls.downcast_ref::<Type>() {
            if self.is_instance(value, &ty) {
                return Ok(true);
            }
            if self.is_what_it_claims(value)? {
                return Ok(false);
            }
            let claimed = self.get_attr_opt(value, "__class__")?;
            let claimed = claimed.filter(|c| !c.is(self.type_of_ref(value).value()));
            return Ok(claimed.and_then(|c| c.downcast_ref::<Type>()).is_some_and(|c| c.is_subtype_of(&ty)));
        }
        self.expect_class(cls, SECOND_OF_ISINSTANCE)?;
        match self.get_attr_opt(value, "__class__")? {
            Some(claimed) => self.derives_from(&claimed, cls),
            None => Ok(false),
        }
    }

    /// Whether `value.__class__` cannot be but the type: nothing of the object's own comes before it. Errors: `MemoryError`.
    pub fn is_what_it_claims(&self, value: &Value) -> Res<bool> {
        if !value.is_heap() {
            return Ok(true);
        }
        let (ty, object) = (self.type_of_ref(value), &self.types().object);
        let plain = match (ty.slots.getattr.get(), object.slots.getattr.get()) {
            (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
            _ => false,
        };
        if !plain {
            return Ok(false);
        }
        let name = self.intern_static("__class__")?;
        Ok(match (ty.lookup(self, &name), object.lookup(self, &name)) {
            (Some(a), Some(b)) => a.is(&b),
            _ => false,
        })
    }

    /// `issubclass(derived, cls)`. Errors: `TypeError`, what `__subclasscheck__` raises.
    pub fn issubclass(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if self.is_exact(cls, &self.types().type_) {
            return if derived.is(cls) { Ok(true) } else { self.plain_issubclass(derived, cls) };
        }
        if let Some(tuple) = cls.downcast::<Tuple>() {
            for item in tuple.items() {
                if self.nested(" in __subclasscheck__", || self.issubclass(derived, &item))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match self.lookup_special(cls, "__subclasscheck__")? {
            Some(check) => {
                let result = self.call_descriptor(&check, cls, std::slice::from_ref(derived))?;
                self.truthy(&result)
            }
            None => self.plain_issubclass(derived, cls),
        }
    }

    /// `issubclass` without hooks: what `type.__subclasscheck__` says.
    pub fn plain_issubclass(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if let (Some(sub), Some(ty)) = (derived.downcast::<Type>(), cls.downcast_ref::<Type>()) {
            return Ok(sub.is_subtype_of(&ty));
        }
        self.expect_class(derived, "issubclass() arg 1 must be a class")?;
        self.expect_class(cls, SECOND_OF_ISSUBCLASS)?;
        self.derives_from(derived, cls)
    }

    /// `__bases__`, when it is a tuple.
    fn bases_of(&self, cls: &Value) -> Res<Option<Value>> {
        Ok(self.get_attr_opt(cls, "__bases__")?.filter(|b| b.downcast::<Tuple>().is_some()))
    }

    fn expect_class(&self, cls: &Value, message: &str) -> Res<()> {
        match self.bases_of(cls)? {
            Some(_) => Ok(()),
            None => Err(self.type_error(message.to_string())),
        }
    }

    /// Whether `cls` is among `derived` and its `__bases__`, followed up.
    fn derives_from(&self, derived: &Value, cls: &Value) -> Res<bool> {
        if derived.is(cls) {
            return Ok(true);
        }
        let Some(bases) = self.bases_of(derived)? else { return Ok(false) };
        for base in bases.downcast::<Tuple>().map(Tuple::items).unwrap_or_default() {
            if self.nested(" in __issubclass__", || self.derives_from(&base, cls))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

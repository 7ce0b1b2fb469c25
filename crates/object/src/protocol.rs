//! The protocols: what `a + b`, `a[i]`, `a.b`, `a(b)`, `iter(a)`, `a == b`, ... do for any values.

use crate::args::CallArgs;
use crate::class::{Type, TypeFlags};
use crate::heap::{Payload, Ref, SlotWord, Visitor};
use crate::int::{Int, IntRef};
use crate::interpreter::Interpreter;
use crate::native::{
    BoundMethod, GetSet, Member, MethodDescriptor, Place, Wrapped, call_positional, module_find,
};
use crate::slots::HashFn;
use crate::slots::{Slot, SlotWrapper};
use crate::value::Value;
use crate::{Bytes, Dict, Exception, List, ListIterator, Raised, RangeIterator, Res, Str, Tuple};
use std::cell::Cell;
use std::rc::Rc;

macro_rules! operators {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $sign:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($variant,)* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub const COUNT: usize = Self::ALL.len();
            /// How messages show the operator.
            pub fn sign(self) -> &'static str { match self { $($name::$variant => $sign,)* } }
        }
    };
}
operators!(
    /// Binary operators.
    BinOp { Add "+", Sub "-", Mul "*", MatMul "@", TrueDiv "/", FloorDiv "//", Mod "%", DivMod "divmod()", Pow "** or pow()",
        LShift "<<", RShift ">>", And "&", Or "|", Xor "^", }
);
operators!(
    /// Unary operators and conversions.
    UnOp { Neg "-", Pos "+", Invert "~", Abs "abs()", Int "int()", Float "float()", Index "index", }
);
operators!(
    /// Comparisons, in the order of wordcode's `COMPARE_OP`.
    CmpOp { Lt "<", Le "<=", Eq "==", Ne "!=", Gt ">", Ge ">=", }
);

impl CmpOp {
    pub fn dunder(self) -> &'static str {
        ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"][self as usize]
    }
    /// `a op b` as `b op' a`.
    pub fn swapped(self) -> CmpOp {
        [CmpOp::Gt, CmpOp::Ge, CmpOp::Eq, CmpOp::Ne, CmpOp::Lt, CmpOp::Le][self as usize]
    }
    /// What the operator says of an ordering.
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            CmpOp::Lt => ordering.is_lt(),
            CmpOp::Le => ordering.is_le(),
            CmpOp::Eq => ordering.is_eq(),
            CmpOp::Ne => ordering.is_ne(),
            CmpOp::Gt => ordering.is_gt(),
            CmpOp::Ge => ordering.is_ge(),
        }
    }
}

/// Payload of the iterator over objects that only have `__getitem__`.
pub struct SequenceIterator {
    pub sequence: SlotWord,
    pub index: Cell<i64>,
}

impl Payload for SequenceIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.sequence.trace(visit);
    }
    fn clear(&self) {
        self.sequence.set(None);
    }
}

// ---- types and names ----
/// Takes values that an iterator gives, without running Python code; gives back what it cannot take so.
pub type Sink<'a> = dyn FnMut(Value) -> Res<Option<Value>> + 'a;

/// See [`Interpreter::drain`].
pub type DrainHook = fn(&Interpreter, &Value, &mut Sink) -> Res<Option<Value>>;

impl Interpreter {
    /// `type(value)`.
    #[inline]
    pub fn type_of(&self, value: &Value) -> Ref<Type> {
        self.type_of_ref(value).clone()
    }

    /// `type(value)`, borrowed.
    #[inline]
    pub fn type_of_ref<'a>(&'a self, value: &'a Value) -> &'a Ref<Type> {
        if let Some(header) = value.header() {
            return crate::heap::type_ref_of_header(header);
        }
        let types = self.types();
        if value.is_small_int() {
            &types.int
        } else if value.is_small_float() {
            &types.float
        } else if value.is_bool() {
            &types.bool
        } else if value.is_none() {
            &types.none_type
        } else if value.is_not_implemented() {
            &types.not_implemented_type
        } else {
            &types.ellipsis_type
        }
    }

    /// Name of the value's type, for messages.
    pub fn type_name(&self, value: &Value) -> Rc<str> {
        self.type_of_ref(value).message_name()
    }

    /// `module.qualname` of the value's type; the module is left out for builtins and the main program.
    pub fn full_type_name(&self, value: &Value) -> String {
        let ty = self.type_of(value);
        let qualname = ty.qualname.get().map_or_else(|| ty.name().to_string(), |q| self.str_lossy(&q));
        let module = self.intern_static("__module__").ok().and_then(|name| ty.lookup(self, &name));
        match module.map(|m| self.str_lossy(&m)) {
            Some(module) if !module.is_empty() && module != "builtins" && module != "__main__" => {
                format!("{module}.{qualname}")
            }
            _ => qualname,
        }
    }

    /// Whether `value` is an instance of `ty` or of a subtype, by its real type.
    pub fn is_instance(&self, value: &Value, ty: &Ref<Type>) -> bool {
        let own = self.type_of_ref(value);
        own.value().is(ty.value()) || own.is_subtype_of(ty)
    }

    /// Whether the value's type is exactly `ty`.
    #[inline]
    pub fn is_exact(&self, value: &Value, ty: &Ref<Type>) -> bool {
        self.type_of_ref(value).value().is(ty.value())
    }

    /// The method `name` of the value's type, unbound. Errors: `MemoryError`.
    pub fn lookup_special(&self, value: &Value, name: &'static str) -> Res<Option<Value>> {
        let name = self.intern_static(name)?;
        Ok(self.type_of_ref(value).lookup(self, &name))
    }
}

// ---- attributes ----
impl Interpreter {
    /// `getattr(object, name)`; `name` is a `str`.
    #[inline]
    pub fn get_attr(&self, object: &Value, name: &Value) -> Res {
        let result = match self.type_of_ref(object).slots.getattr.get() {
            Some(f) => f(self, object, name),
            None => self.generic_getattr(object, name),
        };
        if result.is_err() {
            self.complete_attribute_error(object, name);
        }
        result
    }

    /// A raised `AttributeError` that knows neither name nor object learns them.
    #[cold]
    fn complete_attribute_error(&self, object: &Value, name: &Value) {
        if !self.raised_is(self.exceptions().attribute_error()) {
            return;
        }
        let exception = self.raised.get();
        if let Some(e) = exception.as_ref().and_then(|e| e.downcast::<crate::Exception>())
            && e.field(0).is_none()
            && e.field(1).is_none()
        {
            e.set_field(0, Some(name.clone()));
            e.set_field(1, Some(object.clone()));
        }
    }

    pub fn get_attr_str(&self, object: &Value, name: &str) -> Res {
        self.get_attr(object, &self.intern(name)?)
    }

    /// The attribute, or `None` instead of an `AttributeError`.
    pub fn get_attr_opt(&self, object: &Value, name: &str) -> Res<Option<Value>> {
        self.find_attr(object, &self.intern(name)?)
    }

    /// `getattr(object, name, None)`, an attribute that is not there being `None`: usually no exception is made for it.
    pub fn find_attr(&self, object: &Value, name: &Value) -> Res<Option<Value>> {
        let slot = self.type_of_ref(object).slots.getattr.get().map(|f| f as usize);
        let is = |ty: &Ref<Type>| slot.is_some() && slot == ty.slots.getattr.get().map(|f| f as usize);
        let found = if is(&self.types().object) {
            self.generic_find(object, name)
        } else if is(&self.types().type_) {
            self.type_find(object, name)
        } else if is(&self.types().module) {
            module_find(self, object, name)
        } else {
            self.get_attr(object, name).map(Some)
        };
        match found {
            Err(raised) if self.raised_is(self.exceptions().attribute_error()) => {
                drop(self.take_raised(raised));
                Ok(None)
            }
            found => found,
        }
    }

    /// Sets (`Some`) or deletes (`None`) an attribute.
    pub fn set_attr(&self, object: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
        match self.type_of_ref(object).slots.setattr.get() {
            Some(f) => f(self, object, name, value),
            None => self.generic_setattr(object, name, value),
        }
    }

    pub fn set_attr_str(&self, object: &Value, name: &str, value: Value) -> Res<()> {
        self.set_attr(object, &self.intern(name)?, Some(&value))
    }

    /// `object.__getattribute__`.
    pub fn generic_getattr(&self, object: &Value, name: &Value) -> Res {
        self.generic_find(object, name)?.ok_or_else(|| self.no_attribute(object, name))
    }

    /// [`Interpreter::generic_getattr`] without the exception: `None` when there is no such attribute.
    pub(crate) fn generic_find(&self, object: &Value, name: &Value) -> Res<Option<Value>> {
        let name = &self.attribute_name(name)?;
        let ty = self.type_of(object);
        let found = ty.lookup(self, name);
        if let Some(descr) = &found
            && self.is_data_descriptor(descr)
            && let Some(get) = self.type_of_ref(descr).slots.descr_get.get()
        {
            return get(self, descr, Some(object), ty.value()).map(Some);
        }
        if let Some(value) = self.attrs_get(object, name)? {
            return Ok(Some(value));
        }
        found.map(|descr| self.bind_descriptor(&descr, object, ty.value())).transpose()
    }

    /// `type.__getattribute__`.
    pub fn type_getattr(&self, cls: &Value, name: &Value) -> Res {
        self.type_find(cls, name)?.ok_or_else(|| self.no_attribute(cls, name))
    }

    /// [`Interpreter::type_getattr`] without the exception.
    fn type_find(&self, cls: &Value, name: &Value) -> Res<Option<Value>> {
        let name = &self.attribute_name(name)?;
        let Some(ty) = cls.downcast_ref::<Type>() else { return self.generic_find(cls, name) };
        let meta = self.type_of(cls);
        let found = meta.lookup(self, name);
        if let Some(descr) = &found
            && self.is_data_descriptor(descr)
            && let Some(get) = self.type_of_ref(descr).slots.descr_get.get()
        {
            return get(self, descr, Some(cls), meta.value()).map(Some);
        }
        if let Some(value) = ty.lookup(self, name) {
            return match self.type_of_ref(&value).slots.descr_get.get() {
                Some(get) => get(self, &value, None, cls).map(Some),
                None => Ok(Some(value)),
            };
        }
        found.map(|descr| self.bind_descriptor(&descr, cls, meta.value())).transpose()
    }

    /// The name of an attribute, interned. Errors: `TypeError` when it is no `str`.
    #[inline]
    fn attribute_name(&self, name: &Value) -> Res {
        if name.downcast::<Str>().is_some() {
            return self.intern_value(name);
        }
        Err(self.type_error(format!("attribute name must be string, not '{}'", self.type_name(name))))
    }

    pub fn is_data_descriptor(&self, descr: &Value) -> bool {
        descr.is_heap() && self.type_of_ref(descr).slots.descr_set.get().is_some()
    }

    /// What a class attribute is when it is got from an instance.
    #[inline]
    pub fn bind_descriptor(&self, descr: &Value, object: &Value, owner: &Value) -> Res {
        match self.type_of_ref(descr).slots.descr_get.get() {
            Some(get) => get(self, descr, Some(object), owner),
            None => Ok(descr.clone()),
        }
    }

    /// `object.__setattr__` / `__delattr__`.
    pub fn generic_setattr(&self, object: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
        let name = &self.attribute_name(name)?;
        let found = self.type_of_ref(object).lookup(self, name);
        if let Some(descr) = &found
            && let Some(set) = self.type_of_ref(descr).slots.descr_set.get()
        {
            return set(self, descr, object, value);
        }
        let done = match value {
            Some(value) => self.attrs_set(object, name, value.clone())?,
            None => self.attrs_delete(object, name)?,
        };
        if done {
            return Ok(());
        }
        if found.is_some() && object.attrs().is_none() {
            let (ty, name) = (self.type_name(object), self.str_lossy(name));
            return Err(self.attribute_error_text(format!("'{ty}' object attribute '{name}' is read-only")));
        }
        if value.is_some() && object.attrs().is_none() {
            let (ty, name) = (self.type_name(object), self.str_lossy(name));
            return Err(self.attribute_error_text(format!(
                "'{ty}' object has no attribute '{name}' and no __dict__ for setting new attributes"
            )));
        }
        Err(self.no_attribute(object, name))
    }

    /// `type.__setattr__` / `__delattr__`.
    pub fn type_setattr(&self, cls: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
        let Some(ty) = cls.downcast_ref::<Type>() else { return self.generic_setattr(cls, name, value) };
        let text = self.str_lossy(name);
        if !ty.flags.get().contains(TypeFlags::MUTABLE) {
            let tn = ty.message_name();
            return Err(self.type_error(format!("cannot set '{text}' attribute of immutable type '{tn}'")));
        }
        let name = &self.attribute_name(name)?;
        let meta = self.type_of(cls);
        if let Some(descr) = meta.lookup(self, name)
            && let Some(set) = self.type_of_ref(&descr).slots.descr_set.get()
        {
            return set(self, &descr, cls, value);
        }
        let Some(dict) = ty.namespace() else { return Err(self.no_attribute(cls, name)) };
        match value {
            Some(value) => {
                ty.modified();
                dict.set(self, name.clone(), value.clone())?;
            }
            None => {
                ty.modified();
                if dict.remove(self, name)?.is_none() {
                    return Err(self.no_attribute(cls, name));
                }
            }
        }
        self.attribute_of_type_changed(&ty, &text)
    }
}

// ---- calls ----
impl Interpreter {
    /// `callee(*args, **kwargs)`.
    #[inline]
    pub fn call(&self, callee: &Value, args: &CallArgs) -> Res {
        match self.type_of_ref(callee).slots.call.get() {
            Some(f) => self.nested("", || {
                let quick =
                    if args.names.is_empty() { call_positional(self, callee, args.values) } else { None };
                quick.unwrap_or_else(|| f(self, callee, args))
            }),
            None => Err(self.type_error(format!("'{}' object is not callable", self.type_name(callee)))),
        }
    }

    /// `callee(*values)`.
    pub fn call_values(&self, callee: &Value, values: &[Value]) -> Res {
        self.call(callee, &CallArgs::new(values))
    }

    /// `type(object).name(object, *args)`. Errors: `AttributeError` when there is no such method.
    pub fn call_method(&self, object: &Value, name: &'static str, args: &[Value]) -> Res {
        let name = self.intern_static(name)?;
        match self.type_of(object).lookup(self, &name) {
            Some(method) => self.call_descriptor(&method, object, args),
            None => Err(self.no_attribute(object, &name)),
        }
    }

    /// `object.name(*args)` with the whole attribute look-up.
    pub fn call_attr(&self, object: &Value, name: &str, args: &[Value]) -> Res {
        let method = self.get_attr_str(object, name)?;
        self.call_values(&method, args)
    }

    /// Calls what was found on a type as a method of `this`, without making a bound method where that can be avoided.
    pub fn call_descriptor(&self, method: &Value, this: &Value, args: &[Value]) -> Res {
        self.call_descriptor_args(method, this, &CallArgs::new(args))
    }

    pub fn call_descriptor_args(&self, method: &Value, this: &Value, args: &CallArgs) -> Res {
        if let Some(wrapper) = method.downcast::<SlotWrapper>() {
            wrapper.check_self(self, this)?;
            return self.nested("", || wrapper.call(self, this, args));
        }
        let ty = self.type_of(method);
        if ty.flags.get().contains(TypeFlags::METHOD_DESCRIPTOR) {
            if args.values.is_empty() {
                return self.call_values(method, std::slice::from_ref(this));
            }
            return args.with_first(this.clone(), |args| self.call(method, args));
        }
        let bound = match ty.slots.descr_get.get() {
            Some(get) => get(self, method, Some(this), self.type_of(this).value())?,
            None => method.clone(),
        };
        self.call(&bound, args)
    }

    /// `type.__call__`: `__new__`, then `__init__`.
    pub fn instantiate(&self, cls: &Value, args: &CallArgs) -> Res {
        let Some(ty) = cls.downcast_ref::<Type>() else {
            return Err(self.type_error("not a type".to_string()));
        };
        if let ([object], true) = (args.values, cls.is(self.types().type_.value())) {
            return Ok(self.type_of(object).into_value());
        }
        let new = ty.slots.new.get().filter(|_| !ty.flags.get().contains(TypeFlags::NO_NEW));
        let Some(new) = new else {
            return Err(self.type_error(format!("cannot create '{}' instances", ty.message_name())));
        };
        let object = new(self, cls, args)?;
        if self.is_instance(&object, &ty)
            && let Some(init) = self.type_of(&object).slots.init.get()
        {
            init(self, &object, args)?;
        }
        Ok(object)
    }
}

// ---- operators ----
impl Interpreter {
    /// `a op b`.
    pub fn binary(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        let result = self.binary_opt(op, a, b)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        match self.sequence_op(op, a, b)? {
            Some(result) => Ok(result),
            None => Err(self.unsupported(op.sign(), a, b)),
        }
    }

    /// `a op= b`.
    pub fn inplace(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        let slots = &self.type_of(a).slots;
        if let Some(f) = slots.inplace[op as usize].get() {
            let result = f(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        let result = self.binary_opt(op, a, b)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        match (op, slots.inplace_concat.get(), slots.inplace_repeat.get()) {
            (BinOp::Add, Some(f), _) => return f(self, a, b),
            (BinOp::Mul, _, Some(f)) => return f(self, a, self.repetitions(b)?),
            _ => {}
        }
        if let Some(result) = self.sequence_op(op, a, b)? {
            return Ok(result);
        }
        let sign = if op == BinOp::Pow { "**=".to_string() } else { format!("{}=", op.sign()) };
        Err(self.unsupported(&sign, a, b))
    }

    /// `+` and `*` of sequences, when no number wanted to do it.
    fn sequence_op(&self, op: BinOp, a: &Value, b: &Value) -> Res<Option<Value>> {
        let (sa, sb) = (&self.type_of(a).slots, &self.type_of(b).slots);
        match op {
            BinOp::Add => sa.concat.get().map(|f| f(self, a, b)).transpose(),
            BinOp::Mul => match (sa.repeat.get(), sb.repeat.get()) {
                (Some(f), _) => f(self, a, self.repetitions(b)?).map(Some),
                (None, Some(f)) => f(self, b, self.repetitions(a)?).map(Some),
                (None, None) => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// How often a sequence is to be repeated. Errors: `TypeError`, `OverflowError`.
    fn repetitions(&self, count: &Value) -> Res<i64> {
        if let Some(count) = count.as_small_int() {
            return Ok(count);
        }
        let is_int = count.as_int().is_some()
            || self.type_of_ref(count).slots.unary[UnOp::Index as usize].get().is_some();
        if !is_int {
            let name = self.type_name(count);
            return Err(self.type_error(format!("can't multiply sequence by non-int of type '{name}'")));
        }
        let index = self.index(count)?;
        self.as_i64(&index).ok_or_else(|| {
            let name = self.type_name(count);
            self.overflow_error(format!("cannot fit '{name}' into an index-sized integer"))
        })
    }

    fn binary_opt(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        // What runs below may change the types of the operands: they are not looked at again.
        let (ta, tb) = (self.type_of_ref(a), self.type_of_ref(b));
        let fa = ta.slots.binary[op as usize].get();
        let fb = if ta.value().is(tb.value()) { None } else { tb.slots.binary[op as usize].get() };
        // Two classes may share one generic function, which looks at both operands itself.
        let fb = fb.filter(|f| fa.is_none_or(|g| !std::ptr::fn_addr_eq(*f, g)));
        let refined = fb.is_some() && fa.is_some() && tb.is_subtype_of(ta);
        if let Some(f) = fb
            && refined
        {
            let result = f(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if let Some(f) = fa {
            let result = f(self, a, b)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        match fb {
            Some(f) => f(self, a, b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    /// What `a op b` gives when a method of `a` for it, the first to be asked, has returned `NotImplemented`.
    pub fn binary_refused(&self, op: BinOp, inplace: bool, a: &Value, b: &Value) -> Res {
        let (ta, tb) = (self.type_of(a), self.type_of(b));
        let other = tb.slots.binary[op as usize].get().filter(|_| !ta.value().is(tb.value()));
        let shared = other.zip(ta.slots.binary[op as usize].get());
        let result = match (other, shared) {
            (Some(_), Some((f, g))) if std::ptr::fn_addr_eq(f, g) => self.ask_reflected(op, a, b)?,
            (Some(f), _) => f(self, a, b)?,
            (None, _) => Value::NOT_IMPLEMENTED,
        };
        if !result.is_not_implemented() {
            return Ok(result);
        }
        if let Some(result) = self.sequence_op(op, a, b)? {
            return Ok(result);
        }
        let sign = match op {
            BinOp::Pow if inplace => "**=".to_string(),
            _ if inplace => format!("{}=", op.sign()),
            _ => op.sign().to_string(),
        };
        Err(self.unsupported(&sign, a, b))
    }

    #[cold]
    fn unsupported(&self, sign: &str, a: &Value, b: &Value) -> Raised {
        let (a, b) = (self.type_name(a), self.type_name(b));
        self.type_error(format!("unsupported operand type(s) for {sign}: '{a}' and '{b}'"))
    }

    /// `pow(base, exponent, modulus)`.
    pub fn power(&self, base: &Value, exponent: &Value, modulus: &Value) -> Res {
        if modulus.is_none() {
            return self.binary(BinOp::Pow, base, exponent);
        }
        if let (Some(b), Some(e), Some(m)) = (base.as_int(), exponent.as_int(), modulus.as_int())
            && self.is_exact(base, &self.types().int)
            && self.is_exact(exponent, &self.types().int)
        {
            return self.int_pow_mod(&b.big(), &e.big(), &m.big());
        }
        for (object, other, name) in [(base, exponent, "__pow__"), (exponent, base, "__rpow__")] {
            if let Some(m) = self.lookup_special(object, name)?
                && m.downcast::<SlotWrapper>().is_none()
            {
                let result = self.call_descriptor(&m, object, &[other.clone(), modulus.clone()])?;
                if !result.is_not_implemented() {
                    return Ok(result);
                }
            }
        }
        if let (Some(b), Some(e), Some(m)) = (base.as_int(), exponent.as_int(), modulus.as_int()) {
            return self.int_pow_mod(&b.big(), &e.big(), &m.big());
        }
        let operands = [base, exponent, modulus];
        let is_complex = |v: &Value| v.downcast::<crate::complex::Complex>().is_some();
        let is_real = |v: &Value| v.as_int().is_some() || v.as_float().is_some();
        let numbers = [base, exponent].iter().all(|v| is_complex(v) || is_real(v));
        if numbers && operands.iter().any(|v| is_complex(v)) {
            return Err(self.value_error("complex modulo".to_string()));
        }
        if numbers && operands.iter().any(|v| v.as_float().is_some()) {
            let what = "pow() 3rd argument not allowed unless all arguments are integers";
            return Err(self.type_error(what.to_string()));
        }
        let names = operands.map(|v| self.type_name(v));
        Err(self.type_error(format!(
            "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
            names[0], names[1], names[2]
        )))
    }

    fn int_pow_mod(
        &self,
        base: &crate::int::IBig,
        exponent: &crate::int::IBig,
        modulus: &crate::int::IBig,
    ) -> Res {
        use crate::int::IBig;
        use dashu_int::ops::BitTest;
        let zero = IBig::from(0);
        if *modulus == zero {
            return Err(self.value_error("pow() 3rd argument cannot be 0".to_string()));
        }
        let floor_mod = |v: IBig| {
            let r = v % modulus;
            if r != zero && (r < zero) != (*modulus < zero) { r + modulus } else { r }
        };
        let (mut base, mut exponent) = (floor_mod(base.clone()), exponent.clone());
        if exponent < zero {
            let (mut r0, mut r1, mut s0, mut s1) =
                (modulus.clone(), base.clone(), zero.clone(), IBig::from(1));
            while r1 != zero {
                let q = &r0 / &r1;
                (r0, r1) = (r1.clone(), r0 - &q * &r1);
                (s0, s1) = (s1.clone(), s0 - q * s1);
            }
            if r0 != IBig::from(1) && r0 != IBig::from(-1) {
                return Err(self.value_error("base is not invertible for the given modulus".to_string()));
            }
            base = floor_mod(s0 * r0);
            exponent = -exponent;
        }
        let mut result = floor_mod(IBig::ONE);
        let bits = exponent.bit_len();
        for i in (0..bits).rev() {
            result = floor_mod(&result * &result);
            if exponent.bit(i) {
                result = floor_mod(result * &base);
            }
            if i % 64 == 0 {
                self.poll()?;
            }
        }
        self.new_big(result)
    }

    /// `-a`, `+a`, `~a`, `abs(a)`.
    pub fn unary(&self, op: UnOp, a: &Value) -> Res {
        match self.type_of_ref(a).slots.unary[op as usize].get() {
            Some(f) => f(self, a),
            None => {
                let what =
                    if op == UnOp::Invert || op == UnOp::Neg || op == UnOp::Pos { "unary " } else { "" };
                Err(self.type_error(format!(
                    "bad operand type for {what}{}: '{}'",
                    op.sign(),
                    self.type_name(a)
                )))
            }
        }
    }

    /// `operator.index(value)`: an exact int. Errors: `TypeError`.
    pub fn index(&self, value: &Value) -> Res {
        if value.is_small_int() {
            return Ok(value.clone());
        }
        if let Some(int) = value.as_int() {
            return match int {
                IntRef::Small(i) => self.new_int(i),
                IntRef::Big(b) => self.new_big(b.clone()),
            };
        }
        match self.type_of_ref(value).slots.unary[UnOp::Index as usize].get() {
            Some(f) => {
                let result = f(self, value)?;
                if self.is_exact(&result, &self.types().int) {
                    return Ok(result);
                }
                let got = self.type_name(&result);
                if result.as_int().is_none() {
                    return Err(self.type_error(format!("__index__ returned non-int (type {got})")));
                }
                self.warn(
                    &self.exceptions().deprecation_warning().clone(),
                    &format!(
                        "__index__ returned non-int (type {got}).  The ability to return an instance of a strict \
                         subclass of int is deprecated, and may be removed in a future version of Python."
                    ),
                )?;
                self.index(&result)
            }
            None => Err(self.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                self.type_name(value)
            ))),
        }
    }

    /// An argument as `i64`. Errors: `TypeError`, `OverflowError`.
    pub fn expect_i64(&self, value: &Value) -> Res<i64> {
        let index = self.index(value)?;
        self.as_i64(&index)
            .ok_or_else(|| self.overflow_error("Python int too large to convert to C ssize_t".to_string()))
    }

    /// A `str` argument. Errors: `TypeError`.
    pub fn expect_str(&self, value: &Value) -> Res<String> {
        match value.downcast::<Str>() {
            Some(_) => Ok(self.str_lossy(value)),
            None => Err(self.type_error(format!("expected str instance, {} found", self.type_name(value)))),
        }
    }

    /// `a op b` for comparisons; identity for `==` and `!=` when nobody implements it.
    pub fn compare(&self, op: CmpOp, a: &Value, b: &Value) -> Res {
        let (ta, tb) = (self.type_of(a), self.type_of(b));
        let (fa, fb) = (ta.slots.compare.get(), tb.slots.compare.get());
        let reflected_first = !ta.value().is(tb.value()) && tb.is_subtype_of(&ta);
        self.nested(" in comparison", || {
            if reflected_first && let Some(f) = fb {
                let result = f(self, b, a, op.swapped())?;
                if !result.is_not_implemented() {
                    return Ok(result);
                }
            }
            if let Some(f) = fa {
                let result = f(self, a, b, op)?;
                if !result.is_not_implemented() {
                    return Ok(result);
                }
            }
            if !reflected_first && let Some(f) = fb {
                let result = f(self, b, a, op.swapped())?;
                if !result.is_not_implemented() {
                    return Ok(result);
                }
            }
            self.uncompared(op, a, b)
        })
    }

    /// What `a op b` gives when a method of `a` for it, the first to be asked, has returned `NotImplemented`.
    pub fn compare_refused(&self, op: CmpOp, a: &Value, b: &Value) -> Res {
        if let Some(f) = self.type_of_ref(b).slots.compare.get() {
            let result = self.nested(" in comparison", || f(self, b, a, op.swapped()))?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        self.uncompared(op, a, b)
    }

    /// A comparison that nobody implements.
    fn uncompared(&self, op: CmpOp, a: &Value, b: &Value) -> Res {
        match op {
            CmpOp::Eq => Ok(Value::bool(a.is(b))),
            CmpOp::Ne => Ok(Value::bool(!a.is(b))),
            _ => Err(self.type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                op.sign(),
                self.type_name(a),
                self.type_name(b)
            ))),
        }
    }

    /// [`Interpreter::keys_equal`] of values that can be compared without Python code: numbers, strings, and tuples of them, `depth`
    /// levels of them.
    pub(crate) fn quick_equal(&self, a: &Value, b: &Value, depth: usize) -> Option<bool> {
        if a.is(b) {
            return Some(true);
        }
        if a.is_small_int() && b.is_small_int() || a.is_bool() && b.is_bool() {
            return Some(false);
        }
        if let (Some(x), Some(y)) = (a.as_small_float(), b.as_small_float()) {
            // The zeros are equal.
            return Some(x == y);
        }
        let types = self.types();
        let (x, y) = match (a.header(), b.header()) {
            (Some(x), Some(y)) => (x, y),
            // No number or singleton equals a string.
            (Some(_), None) if self.is_exact(a, &types.str) => return Some(false),
            (None, Some(_)) if self.is_exact(b, &types.str) => return Some(false),
            _ => return None,
        };
        if x.ty.get() != y.ty.get() {
            return None;
        }
        if self.is_exact(a, &types.str) {
            return Some(a.downcast::<Str>()?.text == b.downcast::<Str>()?.text);
        }
        if self.is_exact(a, &types.bytes) {
            return Some(a.downcast::<Bytes>()?.as_slice() == b.downcast::<Bytes>()?.as_slice());
        }
        if depth == 0 || !self.is_exact(a, &types.tuple) {
            return None;
        }
        let (x, y) = (a.downcast::<Tuple>()?.as_slice(), b.downcast::<Tuple>()?.as_slice());
        if x.len() != y.len() {
            return Some(false);
        }
        for (x, y) in x.iter().zip(y) {
            match self.quick_equal(x, y, depth - 1) {
                Some(true) => {}
                different_or_unknown => return different_or_unknown,
            }
        }
        Some(true)
    }

    /// What [`Interpreter::keys_equal`] says, where nobody needs to be asked.
    #[inline]
    pub fn plainly_equal(&self, a: &Value, b: &Value) -> Option<bool> {
        match () {
            () if a.is(b) => Some(true),
            () if a.is_small_int() && b.is_small_int() => Some(false),
            () => self.quick_equal(a, b, 3),
        }
    }

    /// `a is b or a == b`, as containers compare.
    pub fn keys_equal(&self, a: &Value, b: &Value) -> Res<bool> {
        if let Some(equal) = self.quick_equal(a, b, 3) {
            return Ok(equal);
        }
        let result = self.compare(CmpOp::Eq, a, b)?;
        self.truthy(&result)
    }

    /// `bool(value)`.
    pub fn truthy(&self, value: &Value) -> Res<bool> {
        if value.is_bool() {
            return Ok(value.is_true());
        }
        if let Some(i) = value.as_small_int() {
            return Ok(i != 0);
        }
        if value.is_none() {
            return Ok(false);
        }
        let ty = self.type_of_ref(value);
        if let Some(f) = ty.slots.bool.get() {
            return f(self, value);
        }
        match ty.slots.len.get() {
            Some(f) => Ok(f(self, value)? != 0),
            None => Ok(true),
        }
    }

    /// The hash of a value, where nobody needs to be asked: of strings, numbers, tuples of such, and of objects that are hashed by
    /// their identity.
    pub fn plain_hash(&self, value: &Value) -> Option<i64> {
        let Some(header) = value.header() else { return self.hash(value).ok() };
        let (ty, types) = (header.ty.get() as u64, self.types());
        if ty == types.str.value().bits() {
            return value.downcast::<Str>().map(|s| self.str_hash(s));
        }
        if ty == types.tuple.value().bits() {
            let tuple = value.downcast::<Tuple>()?;
            let known = tuple.hash.get() != -1;
            let plain = |item: &Value| !item.is_heap() || self.is_exact(item, &types.str);
            return (known || tuple.as_slice().iter().all(plain)).then(|| self.hash(value).ok())?;
        }
        let same = |a: HashFn, b: HashFn| std::ptr::fn_addr_eq(a, b);
        let native = [&types.int, &types.float, &types.bytes].iter().any(|t| t.value().bits() == ty);
        match (self.type_of_ref(value).slots.hash.get(), types.object.slots.hash.get()) {
            (None, _) => Some(identity_hash(value)),
            (Some(own), Some(identity)) if same(own, identity) => Some(identity_hash(value)),
            _ if native => self.hash(value).ok(),
            _ => None,
        }
    }

    /// Whether a value is true, where nobody needs to be asked.
    pub fn plain_truth(&self, value: &Value) -> Option<bool> {
        let Some(header) = value.header() else {
            // That of NotImplemented raises.
            let known = value.is_bool() || value.is_none() || value.is_small_int() || value.is_small_float();
            return known.then(|| self.truthy(value).ok())?;
        };
        let (ty, types) = (header.ty.get() as u64, self.types());
        let len = match () {
            () if ty == types.list.value().bits() => value.downcast::<List>().map(List::len),
            () if ty == types.str.value().bits() => value.downcast::<Str>().map(|s| s.text.len()),
            () if ty == types.tuple.value().bits() => value.downcast::<Tuple>().map(Tuple::len),
            () if ty == types.dict.value().bits() => value.downcast::<Dict>().map(Dict::len),
            () => None,
        };
        if len.is_some() {
            return len.map(|len| len != 0);
        }
        let own = self.type_of_ref(value);
        if own.slots.bool.get().is_none() && own.slots.len.get().is_none() {
            return Some(true);
        }
        let native = [&types.int, &types.float, &types.bytes, &types.bytearray, &types.set, &types.frozenset];
        native.iter().any(|t| t.value().bits() == ty).then(|| self.truthy(value).ok())?
    }

    /// `hash(value)`. Errors: `TypeError` when unhashable.
    pub fn hash(&self, value: &Value) -> Res<i64> {
        if let Some(s) = value.downcast::<Str>()
            && self.is_exact(value, &self.types().str)
        {
            return Ok(self.str_hash(s));
        }
        if let Some(i) = value.as_small_int() {
            if i.unsigned_abs() < 1 << 60 {
                return Ok(if i == -1 { -2 } else { i });
            }
            if let Some(hash) = self.hash_of_int(value) {
                return Ok(hash);
            }
        }
        if let Some(tuple) = value.downcast::<Tuple>()
            && tuple.hash.get() != -1
            && self.is_exact(value, &self.types().tuple)
        {
            return Ok(tuple.hash.get());
        }
        match self.type_of_ref(value).slots.hash.get() {
            Some(f) => f(self, value),
            None => Ok(identity_hash(value)),
        }
    }

    /// The hash of a key of a container. Errors: `TypeError`, which says that it cannot be used `as_what`.
    #[inline]
    pub fn hash_key(&self, key: &Value, as_what: &str) -> Res<i64> {
        match self.hash(key) {
            Err(raised) => Err(self.unhashable_key(raised, key, as_what)),
            hash => hash,
        }
    }

    /// Rewords the plain `TypeError` of an unhashable key.
    #[cold]
    fn unhashable_key(&self, raised: Raised, key: &Value, as_what: &str) -> Raised {
        let exception = self.take_raised(raised);
        if !self.is_exact(&exception, self.exceptions().type_error()) {
            return self.raise_as_is(exception);
        }
        let why = match self.str(&exception) {
            Ok(why) => self.str_lossy(&why),
            Err(raised) => return raised,
        };
        self.type_error(format!("cannot use '{}' as {as_what} ({why})", self.full_type_name(key)))
    }

    /// Hash of an int object: its value modulo 2^61 - 1, with the sign kept, and -2 for -1.
    pub fn hash_of_int(&self, value: &Value) -> Option<i64> {
        const MODULUS: i64 = (1 << 61) - 1;
        let reduced = match value.as_int()? {
            IntRef::Small(i) => (i as i128 % MODULUS as i128) as i64,
            IntRef::Big(b) => i64::try_from(b % crate::int::IBig::from(MODULUS)).unwrap_or(0),
        };
        Some(if reduced == -1 { -2 } else { reduced })
    }
}

/// Hash of an object that compares by identity.
pub fn identity_hash(value: &Value) -> i64 {
    value.bits().rotate_right(4) as i64
}

// ---- containers and iteration ----
impl Interpreter {
    /// `len(value)`.
    pub fn len(&self, value: &Value) -> Res<usize> {
        match self.type_of_ref(value).slots.len.get() {
            Some(f) => f(self, value),
            None => Err(self.type_error(format!("object of type '{}' has no len()", self.type_name(value)))),
        }
    }

    /// `container[key]`.
    pub fn get_item(&self, container: &Value, key: &Value) -> Res {
        if let Some(f) = self.type_of_ref(container).slots.getitem.get() {
            return f(self, container, key);
        }
        if let Some(ty) = container.downcast::<Type>() {
            let name = self.intern_static("__class_getitem__")?;
            if ty.lookup(self, &name).is_some() {
                let method = self.get_attr(container, &name)?;
                return self.call_values(&method, std::slice::from_ref(key));
            }
            return Err(self.type_error(format!("type '{}' is not subscriptable", ty.message_name())));
        }
        Err(self.type_error(format!("'{}' object is not subscriptable", self.type_name(container))))
    }

    /// `container[key] = value`, or `del container[key]` with `None`.
    pub fn set_item(&self, container: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
        match self.type_of_ref(container).slots.setitem.get() {
            Some(f) => f(self, container, key, value),
            None => Err(self.no_items(container, key, value.is_some())),
        }
    }

    /// Items of the container cannot be set or deleted. What could be a sequence has words of its own for `del`.
    #[cold]
    pub(crate) fn no_items(&self, container: &Value, key: &Value, assignment: bool) -> Raised {
        let ty = self.type_of_ref(container);
        let what = if assignment { "assignment" } else { "deletion" };
        let sequence = ty.flags.get().contains(TypeFlags::MUTABLE) || ty.slots.len.get().is_some();
        let by_index = !assignment
            && sequence
            && self.type_of_ref(key).slots.unary[UnOp::Index as usize].get().is_some();
        let verb = if by_index { "doesn't" } else { "does not" };
        self.type_error(format!("'{}' object {verb} support item {what}", self.type_name(container)))
    }

    /// `item in container`.
    pub fn contains(&self, container: &Value, item: &Value) -> Res<bool> {
        match self.type_of_ref(container).slots.contains.get() {
            Some(f) => f(self, container, item),
            None => self.contains_by_iteration(container, item),
        }
    }

    pub(crate) fn contains_by_iteration(&self, container: &Value, item: &Value) -> Res<bool> {
        let iterator = match self.iter(container) {
            Ok(iterator) => iterator,
            Err(raised) if self.raised_is(self.exceptions().type_error()) => {
                drop(self.take_raised(raised));
                let name = self.type_name(container);
                return Err(
                    self.type_error(format!("argument of type '{name}' is not a container or iterable"))
                );
            }
            Err(raised) => return Err(raised),
        };
        while let Some(candidate) = self.next(&iterator)? {
            if self.keys_equal(&candidate, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `iter(value)`.
    pub fn iter(&self, value: &Value) -> Res {
        let ty = self.type_of_ref(value);
        if let Some(f) = ty.slots.iter.get() {
            let iterator = f(self, value)?;
            if self.type_of_ref(&iterator).slots.next.get().is_none() {
                let name = self.type_name(&iterator);
                return Err(self.type_error(format!("iter() returned non-iterator of type '{name}'")));
            }
            return Ok(iterator);
        }
        self.sequence_iter(value)
    }

    /// An iterator that calls `__getitem__` with 0, 1, 2, ...
    pub(crate) fn sequence_iter(&self, value: &Value) -> Res {
        let ty = self.type_of_ref(value);
        if ty.slots.getitem.get().is_none() || ty.flags.get().contains(TypeFlags::MAPPING) {
            return Err(self.type_error(format!("'{}' object is not iterable", ty.message_name())));
        }
        let payload = SequenceIterator { sequence: SlotWord::new(Some(value.clone())), index: Cell::new(0) };
        self.alloc(&self.types().sequence_iterator, payload)
    }

    /// The next value of an iterator, `None` at its end.
    #[inline]
    pub fn next(&self, iterator: &Value) -> Res<Option<Value>> {
        match self.next_or_stop(iterator) {
            Err(raised) if self.raised_is(self.exceptions().stop_iteration()) => {
                drop(self.take_raised(raised));
                Ok(None)
            }
            done => done,
        }
    }

    /// As [`Interpreter::next`], but an end with a value (`return value` in a generator) is a `StopIteration`.
    #[inline]
    pub fn next_or_stop(&self, iterator: &Value) -> Res<Option<Value>> {
        match self.type_of_ref(iterator).slots.next.get() {
            Some(f) => f(self, iterator),
            None => Err(self.type_error(format!("'{}' object is not an iterator", self.type_name(iterator)))),
        }
    }

    /// Passes the values of an iterator to `sink`, as long as it takes them: a generator need not be suspended for it. The value
    /// that it refused, or, of other iterators, the next one; `None` at the end.
    pub fn drain(&self, iterator: &Value, sink: &mut Sink) -> Res<Option<Value>> {
        match self.hooks.drain.get() {
            Some((generator, drain)) if self.type_of_ref(iterator).value().bits() == generator => {
                drain(self, iterator, sink)
            }
            _ => {
                if let Some(list) = iterator.downcast::<ListIterator>() {
                    return self.drain_quick(|| list.advance(), sink);
                }
                if let Some(range) = iterator.downcast::<RangeIterator>() {
                    return self.drain_quick(|| range.advance().and_then(Value::small_int), sink);
                }
                self.next(iterator)
            }
        }
    }

    /// [`Interpreter::drain`] of what runs no Python code.
    fn drain_quick(&self, next: impl Fn() -> Option<Value>, sink: &mut Sink) -> Res<Option<Value>> {
        while let Some(value) = next() {
            self.poll()?;
            if let Some(refused) = sink(value)? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    /// Calls `f` for each value, as [`Interpreter::for_each`]; what `quiet` takes it does not see.
    pub fn for_each_quiet(
        &self,
        iterable: &Value,
        mut quiet: impl FnMut(Value) -> Res<Option<Value>>,
        mut f: impl FnMut(Value) -> Res<()>,
    ) -> Res<()> {
        let iterator = self.iter(iterable)?;
        while let Some(value) = self.drain(&iterator, &mut quiet)? {
            f(value)?;
        }
        Ok(())
    }

    /// Calls `f` for each value; stops at the first error.
    pub fn for_each(&self, iterable: &Value, mut f: impl FnMut(Value) -> Res<()>) -> Res<()> {
        let iterator = self.iter(iterable)?;
        while let Some(value) = self.next(&iterator)? {
            self.poll()?;
            f(value)?;
        }
        Ok(())
    }

    /// All values of an iterable.
    pub fn collect(&self, iterable: &Value) -> Res<Vec<Value>> {
        if self.is_exact(iterable, &self.types().list)
            && let Some(list) = iterable.downcast::<crate::List>()
        {
            return Ok(list.items());
        }
        if self.is_exact(iterable, &self.types().tuple)
            && let Some(tuple) = iterable.downcast::<Tuple>()
        {
            return Ok(tuple.items());
        }
        let values = std::cell::RefCell::new(Vec::new());
        let push = |value| {
            let mut values = values.borrow_mut();
            if values.try_reserve(1).is_err() {
                return Err(self.no_memory());
            }
            values.push(value);
            Ok(())
        };
        self.for_each_quiet(iterable, |value| push(value).map(|()| None), push)?;
        Ok(values.into_inner())
    }
}

// ---- text ----
impl Interpreter {
    /// `format(value, spec)`, a `str` object; `spec` is a `str`.
    pub fn format(&self, value: &Value, spec: &Value) -> Res {
        if spec.downcast::<Str>().is_some_and(|s| s.text.is_empty())
            && (self.is_exact(value, &self.types().str) || self.is_exact(value, &self.types().int))
        {
            return self.str(value);
        }
        let Some(method) = self.lookup_special(value, "__format__")? else {
            let name = self.type_name(value);
            return Err(self.type_error(format!("Type {name} doesn't define __format__")));
        };
        let result = self.call_descriptor(&method, value, std::slice::from_ref(spec))?;
        if result.downcast::<Str>().is_some() {
            return Ok(result);
        }
        Err(self.type_error(format!("__format__ must return a str, not {}", self.type_name(&result))))
    }

    /// `repr(value)`, a `str` object.
    pub fn repr(&self, value: &Value) -> Res {
        let result = match self.type_of_ref(value).slots.repr.get() {
            Some(f) => self.nested(" while getting the repr of an object", || f(self, value))?,
            None => self.new_str(&self.default_repr(value))?,
        };
        if result.downcast::<Str>().is_some() {
            return Ok(result);
        }
        Err(self.type_error(format!("__repr__ returned non-string (type {})", self.type_name(&result))))
    }

    /// `<module.Class object at 0x...>`.
    pub fn default_repr(&self, value: &Value) -> String {
        let ty = self.type_of(value);
        let module = self
            .intern("__module__")
            .ok()
            .and_then(|name| ty.lookup(self, &name))
            .filter(|m| m.downcast::<Str>().is_some())
            .map(|m| format!("{}.", self.str_lossy(&m)))
            .filter(|m| m != "builtins.")
            .unwrap_or_default();
        format!("<{module}{} object at {:#x}>", ty.qualified_name(self), value.bits())
    }

    /// `str(value)`, a `str` object.
    pub fn str(&self, value: &Value) -> Res {
        if self.is_exact(value, &self.types().str) {
            return Ok(value.clone());
        }
        let Some(f) = self.type_of_ref(value).slots.str.get() else { return self.repr(value) };
        let result = self.nested(" while getting the str of an object", || f(self, value))?;
        if result.downcast::<Str>().is_some() {
            return Ok(result);
        }
        Err(self.type_error(format!("__str__ returned non-string (type {})", self.type_name(&result))))
    }

    /// The text of a `str` for messages; lone surrogates become U+FFFD. Empty for other values.
    pub fn str_lossy(&self, value: &Value) -> String {
        value.downcast::<Str>().map(|s| s.text.to_string()).unwrap_or_default()
    }

    /// `repr` for messages and tests.
    pub fn repr_lossy(&self, value: &Value) -> Res<String> {
        Ok(self.str_lossy(&self.repr(value)?))
    }
}

// ---- the slots of the binding types, which everything else rests on ----
impl Interpreter {
    /// Installs what attribute look-up and calls need of the core types.
    pub(crate) fn install_protocol_slots(&self) -> Res<()> {
        let types = self.types();
        let put = |ty: &Ref<Type>, slots: &[Slot]| slots.iter().for_each(|s| ty.slots.install(*s));
        put(
            &types.object,
            &[
                Slot::GetAttr(|vm, o, n| vm.generic_getattr(o, n)),
                Slot::SetAttr(|vm, o, n, v| vm.generic_setattr(o, n, v)),
                Slot::Hash(|_, v| Ok(identity_hash(v))),
                Slot::Repr(|vm, v| vm.new_str(&vm.default_repr(v))),
                Slot::Str(|vm, v| vm.repr(v)),
                Slot::Compare(object_compare),
                Slot::New(object_new),
                Slot::Init(object_init),
            ],
        );
        put(
            &types.type_,
            &[
                Slot::GetAttr(|vm, o, n| vm.type_getattr(o, n)),
                Slot::SetAttr(|vm, o, n, v| vm.type_setattr(o, n, v)),
            ],
        );
        put(
            &types.method_descriptor,
            &[
                Slot::Call(|vm, callee, args| match callee.downcast::<MethodDescriptor>() {
                    Some(d) => d.call(vm, args),
                    None => Err(vm.bug("method descriptor without payload")),
                }),
                Slot::DescrGet(get_method_descriptor),
            ],
        );
        put(&types.wrapper_descriptor, &[Slot::Call(call_slot_wrapper), Slot::DescrGet(get_slot_wrapper)]);
        put(&types.classmethod_descriptor, &[Slot::DescrGet(get_classmethod_descriptor)]);
        put(&types.getset_descriptor, &[Slot::DescrGet(get_getset), Slot::DescrSet(set_getset)]);
        put(&types.member_descriptor, &[Slot::DescrGet(get_member), Slot::DescrSet(set_member)]);
        put(&types.method, &[Slot::Call(call_bound_method)]);
        put(&types.method_wrapper, &[Slot::Call(call_bound_method)]);
        put(
            &types.staticmethod,
            &[
                Slot::DescrGet(|vm, descr, _, _| wrapped(vm, descr)),
                Slot::Call(|vm, callee, args| vm.call(&wrapped(vm, callee)?, args)),
            ],
        );
        put(
            &types.classmethod,
            &[Slot::DescrGet(|vm, descr, object, owner| {
                let owner = match object {
                    Some(o) if owner.is_none() => vm.type_of(o).into_value(),
                    _ => owner.clone(),
                };
                vm.new_bound_method(wrapped(vm, descr)?, owner)
            })],
        );
        put(&types.sequence_iterator, &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(sequence_next)]);
        for ty in types.each() {
            self.add_wrappers(ty, &ty.slots)?;
        }
        for ty in types.each() {
            ty.slots.inherit(&types.object.slots);
        }
        Ok(())
    }
}

/// `object.__eq__` and `__ne__`; the other comparisons are not implemented.
fn object_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    match op {
        CmpOp::Eq if a.is(b) => Ok(Value::TRUE),
        CmpOp::Ne => {
            let Some(compare) = vm.type_of(a).slots.compare.get() else { return Ok(Value::NOT_IMPLEMENTED) };
            let equal = compare(vm, a, b, CmpOp::Eq)?;
            if equal.is_not_implemented() {
                return Ok(equal);
            }
            Ok(Value::bool(!vm.truthy(&equal)?))
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn overrides_new(ty: &Type) -> bool {
    ty.slots.new.get().is_some_and(|f| !std::ptr::fn_addr_eq(f, object_new as crate::slots::CallFn))
}

impl Type {
    /// Whether a class has an `__init__` other than that of `object`, which may take what `__new__` does not.
    pub fn overrides_init(&self) -> bool {
        overrides_init(self)
    }
}

fn overrides_init(ty: &Type) -> bool {
    ty.slots.init.get().is_some_and(|f| !std::ptr::fn_addr_eq(f, object_init as crate::slots::InitFn))
}

/// `object.__new__`: surplus arguments are an error unless `__init__` takes them.
fn object_new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let Some(ty) = cls.downcast_ref::<Type>() else { return Err(vm.bug("__new__ of no type")) };
    if !args.values.is_empty() {
        if overrides_new(&ty) {
            let what = "object.__new__() takes exactly one argument (the type to instantiate)";
            return Err(vm.type_error(what.to_string()));
        }
        if !overrides_init(&ty) {
            return Err(vm.type_error(format!("{}() takes no arguments", ty.message_name())));
        }
    }
    if ty.flags.get().contains(TypeFlags::ABSTRACT) {
        return Err(vm.abstract_class_error(&ty));
    }
    vm.alloc_subclass(cls, crate::interpreter::Plain)
}

/// `object.__init__`: surplus arguments are an error unless `__new__` takes them.
fn object_init(vm: &Interpreter, object: &Value, args: &CallArgs) -> Res<()> {
    if args.values.is_empty() {
        return Ok(());
    }
    let ty = vm.type_of(object);
    if overrides_init(&ty) {
        let what = "object.__init__() takes exactly one argument (the instance to initialize)";
        return Err(vm.type_error(what.to_string()));
    }
    if !overrides_new(&ty) {
        let name = ty.message_name();
        let what = "takes exactly one argument (the instance to initialize)";
        return Err(vm.type_error(format!("{name}.__init__() {what}")));
    }
    Ok(())
}

impl Interpreter {
    /// `Can't instantiate abstract class C without an implementation for abstract method 'f'`.
    #[cold]
    fn abstract_class_error(&self, ty: &Ref<Type>) -> Raised {
        let names = (|| {
            let key = self.intern_static("__abstractmethods__")?;
            let Some(methods) = ty.lookup(self, &key) else { return Ok(Vec::new()) };
            let mut names: Vec<String> =
                self.collect(&methods)?.iter().map(|n| format!("'{}'", self.str_lossy(n))).collect();
            names.sort();
            Ok(names)
        })();
        match names {
            Err(raised) => raised,
            Ok(names) => {
                let s = if names.len() == 1 { "" } else { "s" };
                self.type_error(format!(
                    "Can't instantiate abstract class {} without an implementation for abstract method{s} {}",
                    ty.name(),
                    names.join(", ")
                ))
            }
        }
    }
}

fn wrapped(vm: &Interpreter, descr: &Value) -> Res {
    match descr.downcast::<Wrapped>().and_then(|w| w.callable.get()) {
        Some(callable) => Ok(callable),
        None => Err(vm.runtime_error("uninitialized staticmethod object".to_string())),
    }
}

fn sequence_next(vm: &Interpreter, iterator: &Value) -> Res<Option<Value>> {
    let Some(it) = iterator.downcast::<SequenceIterator>() else { return Err(vm.bug("sequence iterator")) };
    let Some(sequence) = it.sequence.get() else { return Ok(None) };
    let index = it.index.get();
    let result = vm.get_item(&sequence, &vm.new_int(index)?);
    match result {
        Ok(value) => {
            it.index.set(index + 1);
            Ok(Some(value))
        }
        Err(raised)
            if vm.raised_is(vm.exceptions().index_error())
                || vm.raised_is(vm.exceptions().stop_iteration()) =>
        {
            drop(vm.take_raised(raised));
            it.sequence.set(None);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

fn get_method_descriptor(vm: &Interpreter, descr: &Value, object: Option<&Value>, _: &Value) -> Res {
    match (object, descr.downcast::<MethodDescriptor>()) {
        (Some(object), Some(d)) => {
            d.check_self(vm, object)?;
            vm.new_builtin(d.def, Some(object.clone()), true, None)
        }
        _ => Ok(descr.clone()),
    }
}

fn get_classmethod_descriptor(vm: &Interpreter, descr: &Value, object: Option<&Value>, owner: &Value) -> Res {
    let Some(d) = descr.downcast::<MethodDescriptor>() else { return Err(vm.bug("classmethod descriptor")) };
    let owner = match object {
        Some(o) if owner.is_none() => vm.type_of(o).into_value(),
        _ => owner.clone(),
    };
    vm.new_builtin(d.def, Some(owner), true, None)
}

fn get_slot_wrapper(vm: &Interpreter, descr: &Value, object: Option<&Value>, _: &Value) -> Res {
    match object {
        None => Ok(descr.clone()),
        Some(object) => {
            let payload = BoundMethod {
                function: SlotWord::new(Some(descr.clone())),
                this: SlotWord::new(Some(object.clone())),
            };
            vm.alloc(&vm.types().method_wrapper, payload)
        }
    }
}

fn call_slot_wrapper(vm: &Interpreter, callee: &Value, args: &CallArgs) -> Res {
    let Some(wrapper) = callee.downcast::<SlotWrapper>() else { return Err(vm.bug("slot wrapper")) };
    let (name, owner) = (wrapper.dunder.name, wrapper.owner.message_name());
    let Some(this) = args.positional().first() else {
        return Err(vm.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument")));
    };
    wrapper.check_self(vm, this)?;
    wrapper.call(vm, this, &CallArgs { values: &args.values[1..], names: args.names })
}

fn call_bound_method(vm: &Interpreter, callee: &Value, args: &CallArgs) -> Res {
    let parts = callee.downcast::<BoundMethod>().and_then(|m| Some((m.function.get()?, m.this.get()?)));
    let Some((function, this)) = parts else { return Err(vm.bug("bound method")) };
    args.with_first(this, |args| vm.call(&function, args))
}

fn get_getset(vm: &Interpreter, descr: &Value, object: Option<&Value>, _: &Value) -> Res {
    match (object, descr.downcast::<GetSet>()) {
        (Some(object), Some(d)) => {
            check_owner(vm, d.def.name, &d.owner, object)?;
            (d.def.get)(vm, object)
        }
        _ => Ok(descr.clone()),
    }
}

fn set_getset(vm: &Interpreter, descr: &Value, object: &Value, value: Option<&Value>) -> Res<()> {
    let Some(d) = descr.downcast::<GetSet>() else { return Err(vm.bug("getset descriptor")) };
    check_owner(vm, d.def.name, &d.owner, object)?;
    match d.def.set {
        Some(set) => set(vm, object, value),
        None => {
            let (name, owner) = (d.def.name, d.owner.message_name());
            Err(vm.attribute_error_text(format!("attribute '{name}' of '{owner}' objects is not writable")))
        }
    }
}

fn check_owner(vm: &Interpreter, name: &str, owner: &Ref<Type>, object: &Value) -> Res<()> {
    if vm.is_instance(object, owner) {
        return Ok(());
    }
    let (owner, got) = (owner.message_name(), vm.type_name(object));
    Err(vm.type_error(format!("descriptor '{name}' for '{owner}' objects doesn't apply to a '{got}' object")))
}

fn get_member(vm: &Interpreter, descr: &Value, object: Option<&Value>, _: &Value) -> Res {
    let (Some(object), Some(d)) = (object, descr.downcast::<Member>()) else { return Ok(descr.clone()) };
    check_owner(vm, &vm.str_lossy(&d.name), &d.owner, object)?;
    let index = match d.place {
        Place::Slot(index) => index,
        Place::Field(def) => return (def.get)(vm, object),
    };
    match object.slot_word(index).and_then(SlotWord::get) {
        Some(value) => Ok(value),
        None => Err(vm.empty_slot(object, &d.name)),
    }
}

fn set_member(vm: &Interpreter, descr: &Value, object: &Value, value: Option<&Value>) -> Res<()> {
    let Some(d) = descr.downcast::<Member>() else { return Err(vm.bug("member descriptor")) };
    check_owner(vm, &vm.str_lossy(&d.name), &d.owner, object)?;
    let index = match d.place {
        Place::Slot(index) => index,
        Place::Field(_) => return crate::native::read_only(vm, object, value),
    };
    let Some(word) = object.slot_word(index) else { return Err(vm.no_attribute(object, &d.name)) };
    if value.is_none() && !word.is_set() {
        return Err(vm.attribute_error_text(vm.str_lossy(&d.name)));
    }
    word.set(value.cloned());
    Ok(())
}

/// The int inside a value, for code that needs `i64` or big ints from an exact or derived int.
pub fn int_payload(value: &Value) -> Option<&Int> {
    value.downcast::<Int>()
}

/// Whether a value is an exception instance.
pub fn is_exception(value: &Value) -> bool {
    value.downcast::<Exception>().is_some()
}

//! Rust functions as Python functions, methods and attributes; native modules as data.
//!
//! One style: plain typed functions, and at the foot of a file one `static` table of [`FunctionDef`]s with Python
//! signature text and doc.

use crate::Res;
use crate::args::{Args, CallArgs, Signature};
use crate::class::{Type, TypeDef, TypeFlags};
use crate::heap::{Payload, Ref, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use std::cell::OnceCell;
use std::rc::Rc;

/// A Rust function behind a Python function. Methods get `self` as their first argument; class methods the class.
#[derive(Clone, Copy)]
pub enum NativeFn {
    /// No argument.
    F0(fn(&Interpreter) -> Res),
    /// One positional argument.
    F1(fn(&Interpreter, &Value) -> Res),
    /// Two positional arguments.
    F2(fn(&Interpreter, &Value, &Value) -> Res),
    /// Three positional arguments.
    F3(fn(&Interpreter, &Value, &Value, &Value) -> Res),
    /// Bound to the signature.
    Args(fn(&Interpreter, &Args) -> Res),
    /// The call as it is; the function checks it itself.
    Raw(fn(&Interpreter, &CallArgs) -> Res),
}

/// What the function is on its type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    Plain,
    Class,
    Static,
}

/// A Python function written in Rust, as data.
pub struct FunctionDef {
    pub name: &'static str,
    /// Python signature text, `($self, x, /)`; empty when it cannot be written so.
    pub sig: &'static str,
    pub doc: &'static str,
    pub function: NativeFn,
    pub binding: Binding,
}

impl FunctionDef {
    pub const fn new(
        name: &'static str,
        sig: &'static str,
        doc: &'static str,
        function: NativeFn,
    ) -> FunctionDef {
        FunctionDef { name, sig, doc, function, binding: Binding::Plain }
    }
    pub const fn class(
        name: &'static str,
        sig: &'static str,
        doc: &'static str,
        function: NativeFn,
    ) -> FunctionDef {
        FunctionDef { name, sig, doc, function, binding: Binding::Class }
    }
    pub const fn fixed(
        name: &'static str,
        sig: &'static str,
        doc: &'static str,
        function: NativeFn,
    ) -> FunctionDef {
        FunctionDef { name, sig, doc, function, binding: Binding::Static }
    }
}

/// Sets a computed attribute of an object; `None` deletes it.
pub type Setter = fn(&Interpreter, &Value, Option<&Value>) -> Res<()>;

/// A computed attribute, as data.
pub struct GetSetDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub get: fn(&Interpreter, &Value) -> Res,
    pub set: Option<Setter>,
}

impl GetSetDef {
    /// A field that is only read, which Python sees as a `member_descriptor`.
    pub const fn member(
        name: &'static str,
        doc: &'static str,
        get: fn(&Interpreter, &Value) -> Res,
    ) -> GetSetDef {
        GetSetDef { name, doc, get, set: Some(read_only) }
    }

    fn is_member(&self) -> bool {
        self.set.is_some_and(|set| std::ptr::fn_addr_eq(set, read_only as Setter))
    }
}

/// The setter of what [`GetSetDef::member`] makes, by which it is known.
pub fn read_only(vm: &Interpreter, _: &Value, _: Option<&Value>) -> Res<()> {
    Err(vm.attribute_error_text("readonly attribute".to_string()))
}

/// A constant of a module.
pub struct Constant {
    pub name: &'static str,
    pub make: fn(&Interpreter) -> Res,
}

/// A module constant computed when the module is made.
pub const fn constant(name: &'static str, make: fn(&Interpreter) -> Res) -> Constant {
    Constant { name, make }
}

/// A native module as data.
pub struct ModuleDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub functions: &'static [FunctionDef],
    pub types: &'static [&'static TypeDef],
    pub constants: &'static [Constant],
    /// Runs last, for what data cannot say.
    pub init: Option<fn(&Interpreter, &Value) -> Res<()>>,
}

/// Payload of `builtin_function_or_method`.
pub struct Builtin {
    pub def: &'static FunctionDef,
    /// The module, instance or class it is bound to.
    pub this: SlotWord,
    /// `__module__`.
    pub module: SlotWord,
    /// Whether `this` is passed as the first argument.
    pub pass_this: bool,
    signature: OnceCell<Rc<Signature>>,
}

impl Payload for Builtin {
    fn trace(&self, visit: &mut Visitor) {
        self.this.trace(visit);
        self.module.trace(visit);
    }
    fn clear(&self) {
        self.this.set(None);
        self.module.set(None);
    }
}

/// Payload of `method_descriptor` and `classmethod_descriptor`.
pub struct MethodDescriptor {
    pub def: &'static FunctionDef,
    pub owner: Ref<Type>,
    signature: OnceCell<Rc<Signature>>,
}

impl Payload for MethodDescriptor {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.owner.value());
    }
}

/// Payload of `getset_descriptor`.
pub struct GetSet {
    pub def: &'static GetSetDef,
    pub owner: Ref<Type>,
}

impl Payload for GetSet {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.owner.value());
    }
}

/// Payload of `member_descriptor`: an entry of `__slots__`, or a field of a builtin type that is only read.
pub struct Member {
    pub name: Value,
    pub owner: Ref<Type>,
    pub place: Place,
}

/// Where a member stands.
#[derive(Clone, Copy)]
pub enum Place {
    /// The word of that index ([`Value::slot_word`]).
    Slot(usize),
    /// In the payload.
    Field(&'static GetSetDef),
}

impl Member {
    /// The index of an entry of `__slots__`.
    pub fn slot(&self) -> Option<usize> {
        match self.place {
            Place::Slot(index) => Some(index),
            Place::Field(_) => None,
        }
    }
}

impl Payload for Member {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        visit(self.owner.value());
    }
}

/// Payload of `method`: a callable with its first argument.
pub struct BoundMethod {
    pub function: SlotWord,
    pub this: SlotWord,
}

impl Payload for BoundMethod {
    fn trace(&self, visit: &mut Visitor) {
        self.function.trace(visit);
        self.this.trace(visit);
    }
    fn clear(&self) {
        self.function.set(None);
        self.this.set(None);
    }
}

/// Payload of `staticmethod` and `classmethod`.
pub struct Wrapped {
    pub callable: SlotWord,
}

impl Payload for Wrapped {
    fn trace(&self, visit: &mut Visitor) {
        self.callable.trace(visit);
    }
    fn clear(&self) {
        self.callable.set(None);
    }
}

/// Payload of modules; the namespace is the attribute dict.
pub struct Module;

impl Payload for Module {}

/// Calls a Rust function: fast paths by arity, else binding by signature.
pub fn call_native(
    vm: &Interpreter,
    def: &'static FunctionDef,
    signature: &OnceCell<Rc<Signature>>,
    has_self: bool,
    qualified: &dyn Fn() -> String,
    args: &CallArgs,
) -> Res {
    if args.names.is_empty()
        && let Some(done) = call_plain(vm, def, signature, args.values)
    {
        return done;
    }
    if let NativeFn::Raw(f) = def.function {
        return f(vm, args);
    }
    let signature = signature.get_or_init(|| vm.signature_of(def));
    let bound = signature.bind_named(vm, def.name, qualified, has_self, args)?;
    match def.function {
        NativeFn::Args(f) => f(vm, &bound),
        NativeFn::F0(f) => f(vm),
        NativeFn::F1(f) => f(vm, bound.req(0)),
        NativeFn::F2(f) => f(vm, bound.req(0), bound.req(1)),
        NativeFn::F3(f) => f(vm, bound.req(0), bound.req(1), bound.req(2)),
        NativeFn::Raw(f) => f(vm, args),
    }
}

/// Calls a builtin function or method whose Rust function takes these positional arguments as they are, or `type` with one
/// argument. `None`: it is something else, or the arguments do not fit.
#[inline]
pub fn call_positional(vm: &Interpreter, callee: &Value, args: &[Value]) -> Option<Res> {
    let ty = callee.header()?.ty.get() as u64;
    let types = vm.types();
    if ty == types.method_descriptor.value().bits() {
        let method = callee.downcast::<MethodDescriptor>()?;
        let own = vm.type_of_ref(args.first()?);
        if !own.value().is(method.owner.value()) && !own.is_subtype_of(&method.owner) {
            return None;
        }
        return call_plain(vm, method.def, &method.signature, args);
    }
    if ty != types.builtin_function.value().bits() {
        let asks = callee.is(types.type_.value()) && args.len() == 1;
        return asks.then(|| Ok(vm.type_of_ref(&args[0]).value().clone()));
    }
    let builtin = callee.downcast::<Builtin>()?;
    if !builtin.pass_this {
        return call_plain(vm, builtin.def, &builtin.signature, args);
    }
    let this = builtin.this.get()?;
    match (builtin.def.function, args) {
        (NativeFn::F1(f), []) => Some(f(vm, &this)),
        (NativeFn::F2(f), [a]) => Some(f(vm, &this, a)),
        (NativeFn::F3(f), [a, b]) => Some(f(vm, &this, a, b)),
        (NativeFn::Args(_) | NativeFn::Raw(_), args) => CallArgs::new(args)
            .with_first(this, |args| call_plain(vm, builtin.def, &builtin.signature, args.values)),
        _ => None,
    }
}

/// `None`: the arguments must be bound to the signature, or refused.
#[inline]
fn call_plain(
    vm: &Interpreter,
    def: &'static FunctionDef,
    signature: &OnceCell<Rc<Signature>>,
    args: &[Value],
) -> Option<Res> {
    match (def.function, args) {
        (NativeFn::F0(f), []) => Some(f(vm)),
        (NativeFn::F1(f), [a]) => Some(f(vm, a)),
        (NativeFn::F2(f), [a, b]) => Some(f(vm, a, b)),
        (NativeFn::F3(f), [a, b, c]) => Some(f(vm, a, b, c)),
        (NativeFn::Raw(f), values) => Some(f(vm, &CallArgs::new(values))),
        (NativeFn::Args(f), values) => {
            let signature = signature.get_or_init(|| vm.signature_of(def));
            signature.bind_plain(values).map(|bound| f(vm, &bound))
        }
        _ => None,
    }
}

/// The call slot of `builtin_function_or_method`.
pub fn call_builtin(vm: &Interpreter, callee: &Value, args: &CallArgs) -> Res {
    let Some(builtin) = callee.downcast::<Builtin>() else {
        return Err(vm.system_error("not a builtin function".to_string()));
    };
    let qualified = || builtin.qualified_name(vm);
    match builtin.this.get() {
        Some(this) if builtin.pass_this => args.with_first(this, |args| {
            call_native(vm, builtin.def, &builtin.signature, true, &qualified, args)
        }),
        _ => call_native(vm, builtin.def, &builtin.signature, false, &qualified, args),
    }
}

/// The attribute slot of modules: what the namespace lacks is asked of the import system, then of the module's own
/// `__getattr__` (PEP 562).
pub fn module_getattr(vm: &Interpreter, module: &Value, name: &Value) -> Res {
    module_find(vm, module, name)?.ok_or_else(|| vm.no_attribute(module, name))
}

/// As [`module_getattr`], an attribute that is not there being `None`.
pub(crate) fn module_find(vm: &Interpreter, module: &Value, name: &Value) -> Res<Option<Value>> {
    match vm.generic_find(module, name) {
        Ok(None) => module_missing(vm, module, name),
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
            let error = vm.take_raised(raised);
            module_missing(vm, module, name)?
                .map_or_else(|| Err(vm.raise_as_is(error)), |found| Ok(Some(found)))
        }
        done => done,
    }
}

#[cold]
fn module_missing(vm: &Interpreter, module: &Value, name: &Value) -> Res<Option<Value>> {
    let own = matches!(vm.str_lossy(name).as_str(), "__spec__" | "__loader__");
    if let Some(getattr) = vm.attrs_get(module, &vm.intern_static("__getattr__")?)?.filter(|_| !own) {
        return vm.call_values(&getattr, std::slice::from_ref(name)).map(Some);
    }
    match vm.hooks.module_attribute.get() {
        Some(hook) => hook(vm, module, name),
        None => Ok(None),
    }
}

impl Builtin {
    /// How messages name the function: with its type, or with its module unless that is `builtins`.
    fn qualified_name(&self, vm: &Interpreter) -> String {
        let name = self.def.name;
        match self.this.get() {
            Some(this) if this.downcast::<Module>().is_none() => {
                let owner = match this.downcast_ref::<Type>() {
                    Some(ty) => ty,
                    None => vm.type_of(&this),
                };
                format!("{}.{name}", owner.qualified_name(vm))
            }
            _ => match self.module.get().map(|module| vm.str_lossy(&module)) {
                Some(module) if !module.is_empty() && module != "builtins" => format!("{module}.{name}"),
                _ => name.to_string(),
            },
        }
    }
}

impl MethodDescriptor {
    /// Checks that `this` fits the descriptor's type. Errors: `TypeError`.
    pub fn check_self(&self, vm: &Interpreter, this: &Value) -> Res<()> {
        if vm.type_of(this).is_subtype_of(&self.owner) {
            return Ok(());
        }
        Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.def.name,
            self.owner.message_name(),
            vm.type_name(this)
        )))
    }

    /// Calls the method; `args` starts with `self`, which is checked.
    pub fn call(&self, vm: &Interpreter, args: &CallArgs) -> Res {
        match args.positional().first() {
            Some(this) => self.check_self(vm, this)?,
            None => {
                return Err(vm.type_error(format!(
                    "unbound method {}.{}() needs an argument",
                    self.owner.message_name(),
                    self.def.name
                )));
            }
        }
        let qualified = || format!("{}.{}", self.owner.qualified_name(vm), self.def.name);
        call_native(vm, self.def, &self.signature, true, &qualified, args)
    }
}

impl Interpreter {
    /// The signature of a function, parsed once.
    fn signature_of(&self, def: &'static FunctionDef) -> Rc<Signature> {
        let mut signatures = self.signatures.borrow_mut();
        let parse = || Rc::new(Signature::parse(def.sig));
        signatures.entry(std::ptr::from_ref(def).addr()).or_insert_with(parse).clone()
    }

    /// A builtin function bound to `this` (passed as the first argument when `pass_this`).
    pub fn new_builtin(
        &self,
        def: &'static FunctionDef,
        this: Option<Value>,
        pass_this: bool,
        module: Option<Value>,
    ) -> Res {
        let payload = Builtin {
            def,
            this: SlotWord::new(this),
            module: SlotWord::new(module),
            pass_this,
            signature: OnceCell::new(),
        };
        self.alloc(&self.types().builtin_function, payload)
    }

    pub fn new_bound_method(&self, function: Value, this: Value) -> Res {
        let payload =
            BoundMethod { function: SlotWord::new(Some(function)), this: SlotWord::new(Some(this)) };
        self.alloc(&self.types().method, payload)
    }

    /// What stands in a type's dict for a native method.
    pub(crate) fn new_method_entry(&self, ty: &Ref<Type>, def: &'static FunctionDef) -> Res {
        let descriptor = |this: &Interpreter, kind: &Ref<Type>| {
            this.alloc(kind, MethodDescriptor { def, owner: ty.clone(), signature: OnceCell::new() })
        };
        match def.binding {
            Binding::Plain => descriptor(self, &self.types().method_descriptor),
            Binding::Class => descriptor(self, &self.types().classmethod_descriptor),
            Binding::Static => {
                let function = self.new_builtin(def, Some(ty.value().clone()), false, None)?;
                self.alloc(&self.types().staticmethod, Wrapped { callable: SlotWord::new(Some(function)) })
            }
        }
    }

    pub(crate) fn new_getset(&self, ty: &Ref<Type>, def: &'static GetSetDef) -> Res {
        if def.is_member() {
            let member = Member { name: self.intern(def.name)?, owner: ty.clone(), place: Place::Field(def) };
            return self.alloc(&self.types().member_descriptor, member);
        }
        self.alloc(&self.types().getset_descriptor, GetSet { def, owner: ty.clone() })
    }

    /// Makes a module object from its description.
    pub fn new_native_module(&self, def: &'static ModuleDef) -> Res {
        let module = self.new_module(def.name)?;
        let doc = if def.doc.is_empty() { Value::NONE } else { self.new_str(def.doc)? };
        self.set_attr_str(&module, "__doc__", doc)?;
        let name = self.new_str(def.name)?;
        for function in def.functions {
            let value = self.new_builtin(function, Some(module.clone()), false, Some(name.clone()))?;
            self.set_attr_str(&module, function.name, value)?;
        }
        for ty in def.types {
            let value = self.type_for(ty)?;
            self.set_attr_str(&module, ty.name, value.into_value())?;
        }
        for constant in def.constants {
            self.set_attr_str(&module, constant.name, (constant.make)(self)?)?;
        }
        if let Some(init) = def.init {
            init(self, &module)?;
        }
        Ok(module)
    }

    /// An empty module with `__name__`, `__doc__`, `__package__`, `__loader__`, `__spec__` set.
    pub fn new_module(&self, name: &str) -> Res {
        let module = self.alloc(&self.types().module, Module)?;
        let dict = self.new_dict()?;
        dict.set(self, self.intern_static("__name__")?, self.new_str(name)?)?;
        for key in ["__doc__", "__package__", "__loader__", "__spec__"] {
            dict.set(self, self.intern(key)?, Value::NONE)?;
        }
        self.attrs_replace_dict(&module, dict);
        Ok(module)
    }

    /// `__new__` as it stands in a builtin type's dict: a builtin bound to the type.
    pub(crate) fn new_dunder_new(&self, ty: &Ref<Type>) -> Res {
        self.new_builtin(&DUNDER_NEW, Some(ty.value().clone()), true, None)
    }

    /// The type made from `def`, once per interpreter.
    pub fn type_for(&self, def: &'static TypeDef) -> Res<Ref<Type>> {
        let key = def as *const TypeDef as usize;
        if let Some(found) = self.native_type_cache.get(key, 0).and_then(|v| v.downcast_ref::<Type>()) {
            return Ok(found);
        }
        let known = self.native_types.borrow().get(&key).cloned();
        let ty = match known {
            Some(ty) => ty,
            None => {
                let ty = self.new_type(def)?;
                self.native_types.borrow_mut().insert(key, ty.clone());
                ty
            }
        };
        // SAFETY: `native_types` keeps its types until the interpreter ends, which clears the cache first.
        unsafe { self.native_type_cache.set(key, 0, ty.value()) };
        Ok(ty)
    }

    /// Brings the `new` slot of a Python class up to date.
    pub(crate) fn refresh_new(&self, ty: &Ref<Type>) -> Res<()> {
        let Some(found) = ty.lookup(self, &self.intern_static("__new__")?) else { return Ok(()) };
        let native = found.downcast::<Builtin>().filter(|b| std::ptr::eq(b.def, &DUNDER_NEW));
        match native.and_then(|b| b.this.get()).and_then(|t| t.downcast_ref::<Type>()) {
            // What a builtin `__new__` makes must fit the layout: the base decides.
            Some(owner) => {
                let mutable = ty.flags.get().contains(crate::TypeFlags::MUTABLE);
                let base = ty.base.get().and_then(|base| base.downcast_ref::<Type>()).filter(|_| mutable);
                ty.slots.new.set(base.unwrap_or(owner).slots.new.get());
            }
            None => ty.slots.new.set(Some(call_python_new)),
        }
        Ok(())
    }
}

/// The `new` slot of classes that define `__new__` in Python.
fn call_python_new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let Some(ty) = cls.downcast::<Type>() else {
        return Err(vm.type_error("__new__ needs a type".to_string()));
    };
    let name = vm.intern_static("__new__")?;
    let found = ty.lookup(vm, &name).filter(|found| vm.is_exact(found, &vm.types().staticmethod));
    let callee = match found.and_then(|found| found.downcast::<Wrapped>()?.callable.get()) {
        Some(function) => function,
        None => vm.get_attr(cls, &name)?,
    };
    args.with_first(cls.clone(), |args| vm.call(&callee, args))
}

/// The builtin type whose `__new__` must make instances of `ty`, when that of `owner` would make other objects than they
/// are: those of another layout, or of a type that makes its instances itself (`bool`).
fn other_maker(owner: &Ref<Type>, ty: &Ref<Type>) -> Option<Ref<Type>> {
    let python = |f: crate::slots::CallFn| std::ptr::fn_addr_eq(f, call_python_new as crate::slots::CallFn);
    let mut maker = ty.clone();
    while maker.slots.new.get().is_some_and(python) {
        maker = maker.base.get()?.downcast_ref::<Type>()?;
    }
    let (made, makes) = (maker.slots.new.get()?, owner.slots.new.get()?);
    let apart =
        maker.payload.type_id != owner.payload.type_id || !maker.flags.get().contains(TypeFlags::BASETYPE);
    (apart && !std::ptr::fn_addr_eq(made, makes)).then_some(maker)
}

pub(crate) static DUNDER_NEW: FunctionDef = FunctionDef::new(
    "__new__",
    "($type, /, *args, **kwargs)",
    "Create and return a new object.  See help(type) for accurate signature.",
    NativeFn::Raw(|vm, args| {
        let [owner, cls, ..] = args.positional() else {
            let owner = args.values.first().and_then(|o| o.downcast_ref::<Type>());
            let name = owner.map_or_else(String::new, |ty| format!("{}.", ty.message_name()));
            return Err(vm.type_error(format!("{name}__new__(): not enough arguments")));
        };
        let (Some(owner), Some(ty)) = (owner.downcast_ref::<Type>(), cls.downcast_ref::<Type>()) else {
            let name = vm.type_name(cls);
            return Err(vm.type_error(format!("__new__(X): X is not a type object ({name})")));
        };
        if !ty.is_subtype_of(&owner) {
            let (o, t) = (owner.message_name(), ty.message_name());
            return Err(vm.type_error(format!("{o}.__new__({t}): {t} is not a subtype of {o}")));
        }
        if let Some(maker) = other_maker(&owner, &ty) {
            let (o, t, m) = (owner.message_name(), ty.message_name(), maker.message_name());
            return Err(vm.type_error(format!("{o}.__new__({t}) is not safe, use {m}.__new__()")));
        }
        match owner.slots.new.get() {
            Some(new) => new(vm, cls, &CallArgs { values: &args.values[2..], names: args.names }),
            None => Err(vm.type_error(format!("cannot create '{}' instances", owner.message_name()))),
        }
    }),
);

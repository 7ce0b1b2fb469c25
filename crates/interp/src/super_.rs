//! `super`: the type, and the look-up `super().name`, for which no object is made.

use crate::cell::Cell as PyCell;
use crate::form::{Cache, Instr};
use crate::frame::{self, Frame};
use crate::ops_arith::set;
use crate::ops_name;
use crate::state::{State, state};
use pellucid_object::heap::{Visitor, type_of_header, type_ref_of_header};
use pellucid_object::native::Wrapped;
use pellucid_object::{
    CallArgs, GetSetDef, Interpreter, Payload, Ref, Res, Slot, SlotWord, Type, TypeDef, TypeFlags, Value,
    payload,
};

/// Payload of `super`.
#[derive(Default)]
pub struct Super {
    this_class: SlotWord,
    object: SlotWord,
    /// The class in whose MRO the look-up starts behind `this_class`.
    object_class: SlotWord,
}

impl Payload for Super {
    fn trace(&self, visit: &mut Visitor) {
        [&self.this_class, &self.object, &self.object_class].into_iter().for_each(|w| w.trace(visit));
    }
    fn clear(&self) {
        [&self.this_class, &self.object, &self.object_class].into_iter().for_each(|w| w.set(None));
    }
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Super::default())
}

fn init(vm: &Interpreter, value: &Value, args: &CallArgs) -> Res<()> {
    if !args.names.is_empty() {
        return Err(vm.type_error("super() takes no keyword arguments".to_string()));
    }
    let (class, object) = match args.values {
        [] => implicit(vm)?,
        [class] => (class.clone(), None),
        [class, object] => (class.clone(), Some(object.clone()).filter(|o| !o.is_none())),
        more => {
            return Err(vm.type_error(format!("super() expected at most 2 arguments, got {}", more.len())));
        }
    };
    let Some(this_class) = class.downcast_ref::<Type>() else {
        let got = vm.type_name(&class);
        return Err(vm.type_error(format!("super() argument 1 must be a type, not {got}")));
    };
    let object_class = match &object {
        Some(object) => Some(start_class(vm, &this_class, object)?.into_value()),
        None => None,
    };
    let Some(data) = value.downcast::<Super>() else { return Err(vm.bug("super without payload")) };
    data.this_class.set(Some(class));
    data.object.set(object);
    data.object_class.set(object_class);
    Ok(())
}

/// The class and first argument of the method that calls `super()`. Errors: `RuntimeError`.
fn implicit(vm: &Interpreter) -> Res<(Value, Option<Value>)> {
    let fail = |what: &str| Err(vm.runtime_error(what.to_string()));
    let Some(frame) = frame::current(vm) else { return fail("super(): no current frame") };
    let code = frame.code();
    if code.code.argcount == 0 {
        return fail("super(): no arguments");
    }
    let form = frame.form();
    let nlocals = usize::from(form.nlocals);
    let Some(first) = first_argument(frame) else { return fail("super(): arg[0] deleted") };
    let class_name = &state(vm).names.__class__;
    let Some(free) = code.freevars.iter().position(|f| f.is(class_name)) else {
        return fail("super(): __class__ cell not found");
    };
    let cell = frame.reg(nlocals + usize::from(form.ncells) + free);
    match cell.downcast::<PyCell>().and_then(|c| c.contents.get()) {
        Some(class) => Ok((class, Some(first))),
        None => fail("super(): empty __class__ cell"),
    }
}

/// Whose MRO is searched: that of the object if it is a class, else of its class.
fn start_class(vm: &Interpreter, class: &Ref<Type>, object: &Value) -> Res<Ref<Type>> {
    if let Some(ty) = object.downcast_ref::<Type>()
        && ty.is_subtype_of(class)
    {
        return Ok(ty);
    }
    let ty = vm.type_of(object);
    if ty.is_subtype_of(class) {
        return Ok(ty);
    }
    if let Some(claimed) = vm.get_attr_opt(object, "__class__")?
        && let Some(claimed) = claimed.downcast_ref::<Type>()
        && claimed.is_subtype_of(class)
    {
        return Ok(claimed);
    }
    let what = if object.downcast::<Type>().is_some() { "type" } else { "instance of" };
    let name = match object.downcast::<Type>() {
        Some(ty) => ty.name(),
        None => ty.name(),
    };
    Err(vm.type_error(format!(
        "super(type, obj): obj ({what} {name}) is not an instance or subtype of type ({}).",
        class.name()
    )))
}

fn get_attribute(vm: &Interpreter, value: &Value, name: &Value) -> Res {
    let Some(data) = value.downcast::<Super>() else { return vm.generic_getattr(value, name) };
    let name = vm.intern_value(name)?;
    let parts = (data.this_class.get(), data.object.get(), data.object_class.get());
    let (Some(this_class), Some(object), Some(object_class)) = parts else {
        return vm.generic_getattr(value, &name);
    };
    if name.is(&state(vm).names.__class__) {
        return vm.generic_getattr(value, &name);
    }
    match find_behind(vm, &object_class, &this_class, &name) {
        Some(found) => bind_found(vm, &found, &object, &object_class),
        None => vm.generic_getattr(value, &name),
    }
}

/// What the classes behind `class` in the MRO of `start` hold under an interned name.
fn find_behind(vm: &Interpreter, start: &Value, class: &Value, name: &Value) -> Option<Value> {
    let mro = start.downcast::<Type>()?.mro();
    let mut behind = mro.iter().skip_while(|c| !c.is(class)).skip(1);
    behind.find_map(|class| class.downcast::<Type>()?.namespace()?.get_interned(vm, name))
}

fn bind_found(vm: &Interpreter, found: &Value, object: &Value, start: &Value) -> Res {
    match vm.type_of_ref(found).slots.descr_get.get() {
        Some(get) if object.is(start) => get(vm, found, None, start),
        Some(get) => get(vm, found, Some(object), start),
        None => Ok(found.clone()),
    }
}

// What the cache of `super().name` holds, `shape` being the class whose method it is in, and `value` what was found behind it:
/// The object's type has version `version`.
const OF_INSTANCE: u16 = 1;
/// The object is a class of version `version`, of which the method's class is a base.
const OF_CLASS: u16 = 2;

/// `super().name`, to be called (`method`) or not.
///
/// # Safety
/// `frame` is the innermost frame, its `pc` is up to date and the instruction `pc`.
#[inline(never)]
pub unsafe fn load(
    vm: &Interpreter,
    st: &State,
    frame: *mut Frame,
    pc: *const Instr,
    method: bool,
) -> Res<()> {
    // SAFETY: by the contract; caches and instructions were made together.
    unsafe {
        let i = *pc;
        let caches = &(*(*frame).form).caches;
        let (global, cache) = (&caches[i.e as usize], &caches[i.e as usize + 1]);
        let callee = match ops_name::cached_global(frame, global) {
            Some(value) => value,
            None => ops_name::find_global(vm, &*frame, global, i.b as usize)?,
        };
        let place = if callee.is(st.super_.value()) { first_and_class(&*frame, i.c) } else { None };
        let looked_up = match &place {
            Some((object, class)) => match cached(cache, object, class) {
                Some(found) => Some(found),
                None => look_up(vm, st, cache, object, class, &(&(*frame).code().names)[i.d as usize]),
            },
            None => None,
        };
        let Some(((object, _), (found, start))) = place.zip(looked_up) else {
            let made = vm.call_values(&callee, &[])?;
            let name = (&(*frame).code().names)[i.d as usize].clone();
            let value = vm.get_attr(&made, &name)?;
            if method {
                set(frame, i.a, Value::UNBOUND);
            }
            set(frame, i.a + i16::from(method), value);
            return Ok(());
        };
        let (function, this) = parts(vm, &found, &object, &start);
        match (function, this) {
            (Some(function), Some(this)) if method => {
                set(frame, i.a, function);
                set(frame, i.a + 1, this);
            }
            (Some(value), None) if method => {
                set(frame, i.a, Value::UNBOUND);
                set(frame, i.a + 1, value);
            }
            (Some(value), None) => set(frame, i.a, value),
            _ => {
                let value = bind_found(vm, &found, &object, &start)?;
                if method {
                    set(frame, i.a, Value::UNBOUND);
                }
                set(frame, i.a + i16::from(method), value);
            }
        }
        Ok(())
    }
}

/// The first argument of the running method, and its class, when both are where they were.
fn first_and_class(frame: &Frame, cell: i16) -> Option<(Value, Value)> {
    let class = frame.reg(cell as usize).downcast::<PyCell>()?.contents.get()?;
    Some((first_argument(frame)?, class))
}

fn first_argument(frame: &Frame) -> Option<Value> {
    let form = frame.form();
    match form.cell_params.iter().position(|p| *p == 0) {
        Some(cell) => frame.reg(usize::from(form.nlocals) + cell).downcast::<PyCell>()?.contents.get(),
        None => frame.reg(0).clone().bound(),
    }
}

/// What was found, by the cache, and the class in whose MRO it was looked for.
///
/// # Safety
/// The cache is one of `super().name`.
unsafe fn cached(cache: &Cache, object: &Value, class: &Value) -> Option<(Value, Value)> {
    if cache.shape.get() != class.bits() {
        return None;
    }
    let of = type_of_header(object.header()?);
    let (ty, start) = match cache.kind.get() {
        OF_INSTANCE => (of, None),
        OF_CLASS => (object.downcast::<Type>()?, Some(object)),
        _ => return None,
    };
    if cache.version.get() != u64::from(ty.current_version()) {
        return None;
    }
    let bits = cache.value.get();
    // SAFETY: a class in the MRO of one that still has this version still owns the value.
    let found = unsafe { Value::borrow_bits(&bits).clone() };
    let start = match start {
        Some(start) => start.clone(),
        None => type_ref_of_header(object.header()?).value().clone(),
    };
    Some((found, start))
}

/// Looks the attribute up and fills the cache; `None`: it takes a `super` object to say what is meant.
fn look_up(
    vm: &Interpreter,
    st: &State,
    cache: &Cache,
    object: &Value,
    class: &Value,
    name: &Value,
) -> Option<(Value, Value)> {
    cache.kind.set(0);
    if name.is(&st.names.__class__) || !object.is_heap() {
        return None;
    }
    let this_class = class.downcast_ref::<Type>()?;
    let own = object.downcast_ref::<Type>().filter(|own| own.is_subtype_of(&this_class));
    let (kind, start) = match own {
        Some(own) => (OF_CLASS, own),
        None => (OF_INSTANCE, vm.type_of(object)),
    };
    if !start.is_subtype_of(&this_class) || kind == OF_INSTANCE && object.downcast::<Type>().is_some() {
        return None;
    }
    let version = start.version();
    let found = find_behind(vm, start.value(), class, name)?;
    if version != 0 && version == start.current_version() {
        cache.version.set(u64::from(version));
        cache.shape.set(class.bits());
        cache.value.set(found.bits());
        cache.kind.set(kind);
    }
    Some((found, start.into_value()))
}

/// How what was found is called: the callable, and its first argument if it gets one. Neither: it has to be bound.
fn parts(vm: &Interpreter, found: &Value, object: &Value, start: &Value) -> (Option<Value>, Option<Value>) {
    let ty = vm.type_of_ref(found);
    let types = vm.types();
    let wrapped = || found.downcast::<Wrapped>().and_then(|w| w.callable.get());
    if ty.value().is(types.staticmethod.value()) {
        (wrapped(), None)
    } else if ty.value().is(types.classmethod.value()) {
        (wrapped(), Some(start.clone()))
    } else if ty.slots.descr_get.get().is_none() {
        (Some(found.clone()), None)
    } else if ty.flags.get().contains(TypeFlags::METHOD_DESCRIPTOR) && !object.is(start) {
        (Some(found.clone()), Some(object.clone()))
    } else {
        (None, None)
    }
}

fn bind(vm: &Interpreter, value: &Value, object: Option<&Value>, _: &Value) -> Res {
    let (Some(object), Some(data)) = (object, value.downcast::<Super>()) else { return Ok(value.clone()) };
    if object.is_none() || data.object.is_set() {
        return Ok(value.clone());
    }
    let Some(class) = data.this_class.get() else { return Ok(value.clone()) };
    vm.call_values(vm.type_of(value).value(), &[class, object.clone()])
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let Some(data) = value.downcast::<Super>() else { return Err(vm.bug("super without payload")) };
    let name = |class: Option<Value>| {
        class.and_then(|c| c.downcast::<Type>().map(Type::name)).map_or("NULL".to_string(), |n| n.to_string())
    };
    let class = name(data.this_class.get());
    let text = match data.object_class.get() {
        Some(of) => format!("<super: <class '{class}'>, <{} object>>", name(Some(of))),
        None => format!("<super: <class '{class}'>, NULL>"),
    };
    vm.new_str(&text)
}

fn word(value: &Value, pick: fn(&Super) -> &SlotWord) -> Value {
    value.downcast::<Super>().and_then(|s| pick(s).get()).unwrap_or(Value::NONE)
}

pub static SUPER: TypeDef = TypeDef {
    name: "super",
    module: "builtins",
    base: None,
    payload: payload::<Super>(),
    flags: TypeFlags::BASETYPE,
    doc: "The attributes of an object as the classes behind a given one in its MRO define them.",
    slots: &[
        Slot::New(new),
        Slot::Init(init),
        Slot::GetAttr(get_attribute),
        Slot::DescrGet(bind),
        Slot::Repr(repr),
    ],
    methods: &[],
    getset: &[
        GetSetDef::member("__thisclass__", "", |_, s| Ok(word(s, |s| &s.this_class))),
        GetSetDef::member("__self__", "", |_, s| Ok(word(s, |s| &s.object))),
        GetSetDef {
            name: "__self_class__",
            doc: "",
            get: |_, s| Ok(word(s, |s| &s.object_class)),
            set: None,
        },
    ],
};

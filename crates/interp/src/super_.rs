//! `super`.

use crate::cell::Cell as PyCell;
use crate::frame;
use crate::state::state;
use pellucid_object::heap::Visitor;
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
    let first = match form.cell_params.iter().position(|p| *p == 0) {
        Some(cell) => frame.reg(nlocals + cell).downcast::<PyCell>().and_then(|c| c.contents.get()),
        None => frame.reg(0).clone().bound(),
    };
    let Some(first) = first else { return fail("super(): arg[0] deleted") };
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
    let mro = object_class.downcast::<Type>().map(Type::mro);
    let classes = mro.as_deref().unwrap_or(&[]);
    let behind = classes.iter().position(|c| c.is(&this_class)).map_or(classes.len(), |at| at + 1);
    for class in &classes[behind..] {
        let found = class.downcast::<Type>().and_then(Type::namespace);
        let Some(found) = found.and_then(|dict| dict.get_interned(vm, &name)) else { continue };
        return match vm.type_of_ref(&found).slots.descr_get.get() {
            Some(get) if object.is(&object_class) => get(vm, &found, None, &object_class),
            Some(get) => get(vm, &found, Some(&object), &object_class),
            None => Ok(found),
        };
    }
    vm.generic_getattr(value, &name)
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

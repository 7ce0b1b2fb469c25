//! `_thread._local`: an object whose attributes each thread has for itself.

use pellucid_object::{
    CallArgs, Dict, Interpreter, Payload, Ref, Res, Slot, Str, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

type Dicts = RefCell<HashMap<u64, Ref<Dict>>>;

/// Payload: a dict for each thread that has used the object.
struct Local {
    dicts: Rc<Dicts>,
    /// What `__init__` is called with in each thread.
    values: RefCell<Vec<Value>>,
    names: RefCell<Vec<Value>>,
}

impl Payload for Local {
    fn trace(&self, visit: &mut Visitor) {
        self.dicts.borrow().values().for_each(|dict| visit(dict.value()));
        self.values.borrow().iter().for_each(&mut *visit);
        self.names.borrow().iter().for_each(visit);
    }
    fn clear(&self) {
        let gone = (self.dicts.take(), self.values.take(), self.names.take());
        drop(gone);
    }
}

/// The locals that a thread has used: when it ends, its attributes there go.
#[derive(Default)]
struct Used(RefCell<(u64, Vec<Weak<Dicts>>)>);

impl Drop for Used {
    fn drop(&mut self) {
        let (ident, list) = self.0.take();
        for dicts in list.iter().filter_map(Weak::upgrade) {
            let gone = dicts.borrow_mut().remove(&ident);
            drop(gone);
        }
    }
}

fn local<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Local> {
    this.downcast::<Local>().ok_or_else(|| vm.type_error("a _local was expected".to_string()))
}

fn has_init(vm: &Interpreter, this: &Value) -> bool {
    let (mine, objects) = (vm.type_of(this).slots.init.get(), vm.types().object.slots.init.get());
    match (mine, objects) {
        (Some(mine), Some(objects)) => !std::ptr::fn_addr_eq(mine, objects),
        (mine, _) => mine.is_some(),
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let fresh = Local {
        dicts: Rc::default(),
        values: RefCell::new(args.values.to_vec()),
        names: RefCell::new(args.names.to_vec()),
    };
    let this = vm.alloc_subclass(cls, fresh)?;
    if !args.values.is_empty() && !has_init(vm, &this) {
        return Err(vm.type_error("Initialization arguments are not supported".to_string()));
    }
    // The thread that makes it gets its `__init__` call from the class.
    add_dict(vm, local(vm, &this)?)?;
    Ok(this)
}

fn add_dict(vm: &Interpreter, local: &Local) -> Res<Ref<Dict>> {
    let dict = vm.new_dict()?;
    let ident = vm.gil().ident();
    local.dicts.borrow_mut().insert(ident, dict.clone());
    let used = vm.thread_state::<Used>();
    let mut used = used.0.borrow_mut();
    used.0 = ident;
    used.1.retain(|known| known.strong_count() > 0);
    used.1.push(Rc::downgrade(&local.dicts));
    Ok(dict)
}

/// The running thread's dict; made, and `__init__` called, when it comes here for the first time.
fn dict_of(vm: &Interpreter, this: &Value) -> Res<Ref<Dict>> {
    let local = local(vm, this)?;
    let ident = vm.gil().ident();
    let found = local.dicts.borrow().get(&ident).cloned();
    if let Some(dict) = found {
        return Ok(dict);
    }
    let dict = add_dict(vm, local)?;
    if has_init(vm, this)
        && let Some(init) = vm.type_of(this).slots.init.get()
    {
        let (values, names) = (local.values.borrow().clone(), local.names.borrow().clone());
        if let Err(raised) = init(vm, this, &CallArgs { values: &values, names: &names }) {
            // The next use tries again.
            let gone = local.dicts.borrow_mut().remove(&ident);
            drop(gone);
            return Err(raised);
        }
    }
    Ok(dict)
}

fn is_dict_name(name: &Value) -> bool {
    name.downcast::<Str>().is_some_and(|s| s.text.as_ascii() == Some("__dict__"))
}

fn get_attr(vm: &Interpreter, this: &Value, name: &Value) -> Res {
    let dict = dict_of(vm, this)?;
    if is_dict_name(name) {
        return Ok(dict.into_value());
    }
    let ty = vm.type_of(this);
    let found = ty.lookup(vm, &vm.intern_value(name)?);
    if let Some(descriptor) = &found
        && vm.is_data_descriptor(descriptor)
    {
        return vm.bind_descriptor(descriptor, this, ty.value());
    }
    if let Some(value) = dict.get(vm, name)? {
        return Ok(value);
    }
    match found {
        Some(attribute) => vm.bind_descriptor(&attribute, this, ty.value()),
        None => Err(vm.no_attribute(this, name)),
    }
}

fn set_attr(vm: &Interpreter, this: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
    let dict = dict_of(vm, this)?;
    let ty = vm.type_of(this);
    if is_dict_name(name) {
        let type_name = ty.name();
        return Err(
            vm.attribute_error_text(format!("'{type_name}' object attribute '__dict__' is read-only"))
        );
    }
    if let Some(descriptor) = ty.lookup(vm, &vm.intern_value(name)?)
        && let Some(set) = vm.type_of(&descriptor).slots.descr_set.get()
    {
        return set(vm, &descriptor, this, value);
    }
    match value {
        Some(value) => dict.set(vm, vm.intern_value(name)?, value.clone()),
        None => match dict.remove(vm, name)? {
            Some(_) => Ok(()),
            None => Err(vm.no_attribute(this, name)),
        },
    }
}

pub static LOCAL: TypeDef = TypeDef {
    name: "_local",
    module: "_thread",
    base: None,
    payload: payload::<Local>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF),
    doc: "_local()\n--\n\nThread-local data.",
    slots: &[Slot::New(new), Slot::GetAttr(get_attr), Slot::SetAttr(set_attr)],
    methods: &[],
    getset: &[],
};

//! Struct sequences: tuples whose items have names (`sys.flags`, `os.stat_result`, `time.struct_time`).
//!
//! A [`StructSeqDef`] names the fields. The first `visible` ones are the items of the tuple; the others are reached
//! by name only and stand in words behind the payload.

use crate::seq::Writer;
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, Tuple, Type, TypeDef,
    TypeFlags, Value, Visitor, payload,
};
use std::cell::RefCell;
use std::collections::HashMap;

/// A named field and its doc. An item without a name (`""`) is reached by index alone.
pub type Field = (&'static str, &'static str);

/// A struct sequence type, as data.
pub struct StructSeqDef {
    /// The type; made by [`structseq_type`].
    pub ty: TypeDef,
    pub fields: &'static [Field],
    /// How many fields are items of the tuple.
    pub visible: usize,
}

const METHODS: &[FunctionDef] = &[
    FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(reduce)),
    FunctionDef::new(
        "__replace__",
        "($self, /, **changes)",
        "Return a copy of the structure with new values for the specified fields.",
        NativeFn::Args(replace),
    ),
];

/// The `TypeDef` of a struct sequence that Python code may construct.
pub const fn constructible(name: &'static str, module: &'static str, doc: &'static str) -> TypeDef {
    TypeDef {
        name,
        module,
        base: Some(|vm| vm.types().tuple.clone()),
        payload: payload::<Tuple>(),
        flags: TypeFlags::SEQUENCE,
        doc,
        slots: &[Slot::New(new), Slot::Repr(repr)],
        methods: METHODS,
        getset: &[],
    }
}

/// The `TypeDef` of a struct sequence with the one value that its module makes (`sys.flags`).
pub const fn singleton(name: &'static str, module: &'static str, doc: &'static str) -> TypeDef {
    TypeDef { slots: &[Slot::New(refuse_new), Slot::Repr(repr)], ..constructible(name, module, doc) }
}

/// The types made in this interpreter: by definition, and the definition by type.
#[derive(Default)]
struct Made {
    types: RefCell<HashMap<usize, Ref<Type>>>,
    defs: RefCell<HashMap<u64, &'static StructSeqDef>>,
}

/// The type of a definition, made on first use. Errors: `MemoryError`.
pub fn structseq_type(vm: &Interpreter, def: &'static StructSeqDef) -> Res<Ref<Type>> {
    let made = vm.state::<Made>();
    let key = std::ptr::from_ref(def) as usize;
    if let Some(found) = made.types.borrow().get(&key) {
        return Ok(found.clone());
    }
    let hidden = def.fields.len().saturating_sub(def.visible);
    let ty = vm.new_type_with_slots(&def.ty, hidden)?;
    add_fields(vm, &ty, def)?;
    made.defs.borrow_mut().insert(ty.value().bits(), def);
    made.types.borrow_mut().insert(key, ty.clone());
    Ok(ty)
}

fn add_fields(vm: &Interpreter, ty: &Ref<Type>, def: &'static StructSeqDef) -> Res<()> {
    let Some(dict) = ty.namespace() else { return Err(vm.bug("type without a dict")) };
    let descriptor_type = vm.type_for(&FIELD)?;
    let mut match_args = Vec::new();
    let mut unnamed = 0;
    for (index, (name, doc)) in def.fields.iter().enumerate() {
        if name.is_empty() {
            unnamed += 1;
            continue;
        }
        let name = vm.intern(name)?;
        let descriptor =
            FieldDescriptor { name: name.clone(), doc, owner: ty.clone(), index, visible: def.visible };
        dict.set(vm, name.clone(), vm.alloc(&descriptor_type, descriptor)?)?;
        if index < def.visible {
            match_args.push(name);
        }
    }
    for (name, count) in
        [("n_sequence_fields", def.visible), ("n_fields", def.fields.len()), ("n_unnamed_fields", unnamed)]
    {
        dict.set(vm, vm.intern(name)?, vm.new_int(count as i64)?)?;
    }
    dict.set(vm, vm.intern_static("__match_args__")?, vm.new_tuple(match_args)?)?;
    ty.modified();
    Ok(())
}

/// A new struct sequence; `values` has one entry a field, missing ones at the end are `None`.
/// Errors: `MemoryError`.
pub fn new_structseq(vm: &Interpreter, def: &'static StructSeqDef, mut values: Vec<Value>) -> Res {
    values.resize_with(def.fields.len(), || Value::NONE);
    let ty = structseq_type(vm, def)?;
    build(vm, ty.value(), def, values)
}

/// A new struct sequence of a class that was made from the definition, or inherits from it. Errors: `MemoryError`.
pub fn build_structseq(vm: &Interpreter, cls: &Value, def: &StructSeqDef, values: Vec<Value>) -> Res {
    build(vm, cls, def, values)
}

fn build(vm: &Interpreter, cls: &Value, def: &StructSeqDef, mut values: Vec<Value>) -> Res {
    let hidden = values.split_off(def.visible.min(values.len()));
    let this = vm.alloc_subclass(cls, Tuple::new(values))?;
    for (index, value) in hidden.into_iter().enumerate() {
        if let Some(word) = this.slot_word(index) {
            word.set(Some(value));
        }
    }
    Ok(this)
}

fn def_of(vm: &Interpreter, cls: &Value) -> Res<&'static StructSeqDef> {
    match vm.state::<Made>().defs.borrow().get(&cls.bits()) {
        Some(def) => Ok(def),
        None => Err(vm.type_error("not a struct sequence type".to_string())),
    }
}

fn def_of_value(vm: &Interpreter, this: &Value) -> Res<&'static StructSeqDef> {
    def_of(vm, vm.type_of(this).value())
}

/// All fields of a value, hidden ones too.
fn all_values(def: &StructSeqDef, this: &Value) -> Vec<Value> {
    let mut values = this.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    for index in 0..def.fields.len().saturating_sub(def.visible) {
        values.push(this.slot_word(index).and_then(|word| word.get()).unwrap_or(Value::NONE));
    }
    values
}

fn full_name(def: &StructSeqDef) -> String {
    if def.ty.module == "builtins" {
        def.ty.name.to_string()
    } else {
        format!("{}.{}", def.ty.module, def.ty.name)
    }
}

fn refuse_new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    Err(vm.type_error(format!("cannot create '{}' instances", full_name(def_of(vm, cls)?))))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let def = def_of(vm, cls)?;
    let name = full_name(def);
    let short = def.ty.name;
    let (mut sequence, mut dict) = (None, None);
    match args.positional() {
        [] => {}
        [one] => sequence = Some(one.clone()),
        [one, two] => (sequence, dict) = (Some(one.clone()), Some(two.clone())),
        more => {
            let given = more.len();
            return Err(vm.type_error(format!("{short}() takes at most 2 arguments ({given} given)")));
        }
    }
    for (key, value) in args.keywords() {
        match vm.str_lossy(key).as_str() {
            "sequence" if sequence.is_none() => sequence = Some(value.clone()),
            "dict" if dict.is_none() => dict = Some(value.clone()),
            other => {
                return Err(vm.type_error(format!("{short}() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let Some(sequence) = sequence else {
        return Err(vm.type_error(format!("{short}() missing required argument 'sequence' (pos 1)")));
    };
    let mut values = match vm.iter(&sequence) {
        Ok(iterator) => vm.collect(&iterator)?,
        Err(raised) if vm.raised_is(vm.exceptions().type_error()) => {
            drop(vm.take_raised(raised));
            return Err(vm.type_error("constructor requires a sequence".to_string()));
        }
        Err(raised) => return Err(raised),
    };
    let dict = match dict {
        Some(dict) if !dict.is_none() => Some(
            dict.downcast_ref::<Dict>()
                .ok_or_else(|| vm.type_error(format!("{name}() takes a dict as second arg, if any")))?,
        ),
        _ => None,
    };
    check_length(vm, def, &name, values.len())?;
    let given = values.len();
    values.resize_with(def.fields.len(), || Value::NONE);
    if let Some(dict) = dict {
        fill_from_dict(vm, def, &name, &dict, &mut values, given)?;
    }
    build(vm, cls, def, values)
}

fn check_length(vm: &Interpreter, def: &StructSeqDef, name: &str, given: usize) -> Res<()> {
    let (least, most) = (def.visible, def.fields.len());
    let message = if least != most && given < least {
        format!("{name}() takes an at least {least}-sequence ({given}-sequence given)")
    } else if least != most && given > most {
        format!("{name}() takes an at most {most}-sequence ({given}-sequence given)")
    } else if least == most && given != most {
        format!("{name}() takes a {most}-sequence ({given}-sequence given)")
    } else {
        return Ok(());
    };
    Err(vm.type_error(message))
}

/// Fields that the sequence left out come from the dict. Errors: `TypeError` for other or double names.
fn fill_from_dict(
    vm: &Interpreter,
    def: &StructSeqDef,
    name: &str,
    dict: &Dict,
    values: &mut [Value],
    given: usize,
) -> Res<()> {
    let mut used = 0;
    for (index, (field, _)) in def.fields.iter().enumerate().skip(given) {
        if let Some(value) = dict.get_str(vm, &vm.intern(field)?)? {
            values[index] = value;
            used += 1;
        }
    }
    if dict.len() > used {
        return Err(vm.type_error(format!("{name}() got duplicate or unexpected field name(s)")));
    }
    Ok(())
}

/// `name(field=value, ...)`.
pub fn repr(vm: &Interpreter, this: &Value) -> Res {
    let def = def_of_value(vm, this)?;
    let items = this.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let mut writer = Writer::default();
    writer.push(&full_name(def));
    writer.push("(");
    let mut first = true;
    for ((field, _), item) in def.fields.iter().zip(&items) {
        if !std::mem::take(&mut first) {
            writer.push(", ");
        }
        writer.push(field);
        writer.push("=");
        writer.push_repr(vm, item)?;
    }
    writer.push(")");
    writer.finish(vm)
}

fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let def = def_of_value(vm, this)?;
    let mut values = all_values(def, this);
    let hidden = values.split_off(def.visible.min(values.len()));
    let dict = vm.new_dict()?;
    for ((field, _), value) in def.fields[def.visible.min(def.fields.len())..].iter().zip(hidden) {
        dict.set(vm, vm.intern(field)?, value)?;
    }
    let args = vm.new_tuple(vec![vm.new_tuple(values)?, dict.into_value()])?;
    vm.new_tuple(vec![vm.type_of(this).into_value(), args])
}

fn replace(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let def = def_of_value(vm, this)?;
    if def.fields.iter().any(|(name, _)| name.is_empty()) {
        return Err(vm.type_error(format!(
            "__replace__() is not supported for {} because it has unnamed field(s)",
            full_name(def)
        )));
    }
    let mut values = all_values(def, this);
    let changes = args.req(1).downcast::<Dict>().map(Dict::pairs).unwrap_or_default();
    let mut unknown = Vec::new();
    for (key, value) in changes {
        let name = vm.str_lossy(&key);
        match def.fields.iter().position(|(field, _)| *field == name) {
            Some(index) => values[index] = value,
            None => unknown.push(key),
        }
    }
    if !unknown.is_empty() {
        let names = vm.new_list(unknown)?;
        return Err(vm.type_error(format!("Got unexpected field name(s): {}", vm.repr_lossy(&names)?)));
    }
    build(vm, vm.type_of(this).value(), def, values)
}

/// A field seen from its class.
struct FieldDescriptor {
    name: Value,
    doc: &'static str,
    owner: Ref<Type>,
    index: usize,
    visible: usize,
}

impl Payload for FieldDescriptor {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        visit(self.owner.value());
    }
}

fn descriptor<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a FieldDescriptor> {
    value.downcast::<FieldDescriptor>().ok_or_else(|| vm.bug("field descriptor"))
}

fn check_owner(vm: &Interpreter, field: &FieldDescriptor, object: &Value) -> Res<()> {
    if vm.is_instance(object, &field.owner) {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
        vm.str_lossy(&field.name),
        field.owner.name(),
        vm.type_name(object)
    )))
}

fn field_get(vm: &Interpreter, this: &Value, object: Option<&Value>, _: &Value) -> Res {
    let Some(object) = object else { return Ok(this.clone()) };
    let field = descriptor(vm, this)?;
    check_owner(vm, field, object)?;
    let found = match field.index.checked_sub(field.visible) {
        Some(hidden) => object.slot_word(hidden).and_then(|word| word.get()),
        None => object.downcast::<Tuple>().and_then(|tuple| tuple.get(field.index)),
    };
    Ok(found.unwrap_or(Value::NONE))
}

fn field_set(vm: &Interpreter, this: &Value, object: &Value, _: Option<&Value>) -> Res<()> {
    check_owner(vm, descriptor(vm, this)?, object)?;
    Err(vm.attribute_error_text("readonly attribute".to_string()))
}

fn field_repr(vm: &Interpreter, this: &Value) -> Res {
    let field = descriptor(vm, this)?;
    let owner = field.owner.name();
    vm.new_str(&format!("<member '{}' of '{owner}' objects>", vm.str_lossy(&field.name)))
}

static FIELD: TypeDef = TypeDef {
    name: "member_descriptor",
    module: "builtins",
    base: None,
    payload: payload::<FieldDescriptor>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::DescrGet(field_get), Slot::DescrSet(field_set), Slot::Repr(field_repr)],
    methods: &[],
    getset: &[
        pellucid_object::GetSetDef {
            name: "__name__",
            doc: "",
            get: |vm, this| Ok(descriptor(vm, this)?.name.clone()),
            set: None,
        },
        pellucid_object::GetSetDef {
            name: "__doc__",
            doc: "",
            get: |vm, this| match descriptor(vm, this)?.doc {
                "" => Ok(Value::NONE),
                doc => vm.new_str(doc),
            },
            set: None,
        },
        pellucid_object::GetSetDef {
            name: "__objclass__",
            doc: "",
            get: |vm, this| Ok(descriptor(vm, this)?.owner.value().clone()),
            set: None,
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    static PAIR: StructSeqDef = StructSeqDef {
        ty: constructible("pair", "test", "Two items and a hidden one."),
        fields: &[("first", ""), ("second", ""), ("hidden", "")],
        visible: 2,
    };

    #[test]
    fn fields_have_names_and_some_are_hidden() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("types");
        let int = |i| vm.new_int(i).expect("int");
        let pair = new_structseq(&vm, &PAIR, vec![int(1), int(2), int(3)]).expect("made");
        assert_eq!(vm.repr_lossy(&pair).expect("repr"), "test.pair(first=1, second=2)");
        assert_eq!(vm.len(&pair).expect("len"), 2);
        assert_eq!(vm.get_attr_str(&pair, "hidden").expect("field").as_small_int(), Some(3));
        assert!(vm.set_attr_str(&pair, "first", int(7)).is_err());
        drop(vm.save_raised());
        let ty = structseq_type(&vm, &PAIR).expect("type");
        let short = vm.new_tuple(vec![int(1)]).expect("tuple");
        let raised = vm.call_values(ty.value(), &[short]).expect_err("too short");
        let message = vm.str(&vm.take_raised(raised)).expect("str");
        assert_eq!(vm.str_lossy(&message), "test.pair() takes an at least 2-sequence (1-sequence given)");
        let reduced = vm.call_attr(&pair, "__reduce__", &[]).expect("reduce");
        assert!(vm.repr_lossy(&reduced).expect("repr").ends_with("((1, 2), {'hidden': 3}))"));
    }
}

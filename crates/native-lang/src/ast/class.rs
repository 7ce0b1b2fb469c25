//! The node classes as Python sees them: their making, construction, `repr`, pickling and replacement.

use super::table::{Kind, Quantity, ROWS, Row};
use pellucid_object::interpreter::Plain;
use pellucid_object::native::NativeFn;
use pellucid_object::{
    CallArgs, Dict, FunctionDef, Interpreter, List, Ref, Res, Slot, Tuple, Type, TypeDef, TypeFlags, Value,
    payload,
};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

/// Names of the attributes that say where a node is.
pub const POSITION: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

/// A node class, ready for making nodes.
pub struct Class {
    pub ty: Value,
    /// Interned names of the fields.
    pub fields: Vec<Value>,
}

/// The classes of an interpreter, and one instance of each class without fields.
#[derive(Default)]
pub struct Classes {
    made: OnceCell<Vec<Class>>,
    position: OnceCell<[Value; 4]>,
    singletons: RefCell<Vec<Option<Value>>>,
}

impl Classes {
    /// The classes, made on first use.
    pub fn of(vm: &Interpreter) -> Res<Rc<Classes>> {
        let classes = vm.state::<Classes>();
        if classes.made.get().is_none() {
            let made = make_classes(vm)?;
            // Making classes runs no code that could come here again.
            let _ = classes.made.set(made);
            let [a, b, c, d] = POSITION;
            let _ = classes.position.set([vm.intern(a)?, vm.intern(b)?, vm.intern(c)?, vm.intern(d)?]);
            *classes.singletons.borrow_mut() = vec![None; ROWS.len()];
        }
        Ok(classes)
    }

    /// The class of a kind of node.
    pub fn class(&self, vm: &Interpreter, kind: Kind) -> Res<&Class> {
        match self.made.get().and_then(|made| made.get(kind as usize)) {
            Some(class) => Ok(class),
            None => Err(vm.bug("node classes are made before they are used")),
        }
    }

    /// The type object of a kind of node.
    pub fn ty(&self, vm: &Interpreter, kind: Kind) -> Res<Ref<Type>> {
        match self.class(vm, kind)?.ty.downcast_ref::<Type>() {
            Some(ty) => Ok(ty),
            None => Err(vm.bug("a node class is a type")),
        }
    }

    /// A new node with its fields in order; `at` is the position, when it has one.
    pub fn node(&self, vm: &Interpreter, kind: Kind, fields: Vec<Value>, at: Option<[usize; 4]>) -> Res {
        let class = self.class(vm, kind)?;
        let node = vm.alloc_subclass(&class.ty, Plain)?;
        for (name, value) in class.fields.iter().zip(fields) {
            vm.set_attr(&node, name, Some(&value))?;
        }
        if let (Some(at), Some(names)) = (at, self.position.get()) {
            for (name, number) in names.iter().zip(at) {
                vm.set_attr(&node, name, Some(&vm.new_int(number as i64)?))?;
            }
        }
        Ok(node)
    }

    /// The one instance of a class without fields (`Load`, `Add`, ...).
    pub fn singleton(&self, vm: &Interpreter, kind: Kind) -> Res {
        if let Some(found) = self.singletons.borrow().get(kind as usize).cloned().flatten() {
            return Ok(found);
        }
        let node = vm.alloc_subclass(&self.class(vm, kind)?.ty, Plain)?;
        if let Some(place) = self.singletons.borrow_mut().get_mut(kind as usize) {
            *place = Some(node.clone());
        }
        Ok(node)
    }

    /// All classes with their names, `AST` first: what the module holds.
    pub fn named(&self, vm: &Interpreter) -> Res<Vec<(&'static str, Value)>> {
        let mut all = vec![("AST", vm.type_for(&AST)?.into_value())];
        all.extend(
            ROWS.iter()
                .zip(self.made.get().into_iter().flatten())
                .map(|(row, class)| (row.name, class.ty.clone())),
        );
        Ok(all)
    }
}

fn make_classes(vm: &Interpreter) -> Res<Vec<Class>> {
    let base = vm.type_for(&AST)?;
    for name in ["_fields", "_attributes", "__match_args__"] {
        let entry = vm.new_tuple(Vec::new())?;
        if let Some(namespace) = base.namespace() {
            namespace.set(vm, vm.intern(name)?, entry)?;
        }
    }
    base.modified();
    let mut made: Vec<Class> = Vec::with_capacity(ROWS.len());
    for row in ROWS {
        let parent = ROWS.iter().position(|r| r.name == row.base && is_abstract(r));
        let parent = match parent.and_then(|index| made.get(index)) {
            Some(class) => class.ty.clone(),
            None => base.value().clone(),
        };
        made.push(make_class(vm, row, parent)?);
    }
    for (row, class) in ROWS.iter().zip(&made) {
        if row.fields.is_empty() {
            continue;
        }
        let types = vm.new_dict()?;
        for field in row.fields() {
            let ty = field_type(vm, &made, field.ty, field.quantity)?;
            types.set(vm, vm.intern(field.name)?, ty)?;
        }
        vm.set_attr_str(&class.ty, "_field_types", types.value().clone())?;
        vm.set_attr_str(&class.ty, "__annotations__", types.into_value())?;
    }
    Ok(made)
}

/// Whether other classes of the table derive from it.
fn is_abstract(row: &Row) -> bool {
    row.base == "AST" && ROWS.iter().any(|r| r.base == row.name)
}

fn make_class(vm: &Interpreter, row: &Row, base: Value) -> Res<Class> {
    let namespace = vm.new_dict()?;
    let set = |name: &str, value: Value| namespace.set(vm, vm.intern(name)?, value);
    let mut fields = Vec::new();
    for field in row.fields() {
        fields.push(vm.intern(field.name)?);
    }
    let names = vm.new_tuple(fields.clone())?;
    set("_fields", names.clone())?;
    set("__match_args__", names)?;
    set("__module__", vm.new_str("ast")?)?;
    set("__doc__", vm.new_str(&doc(row))?)?;
    if row.has_position() {
        let mut names = Vec::new();
        for name in POSITION {
            names.push(vm.intern(name)?);
        }
        set("_attributes", vm.new_tuple(names)?)?;
        set("end_lineno", Value::NONE)?;
        set("end_col_offset", Value::NONE)?;
    } else if row.base == "AST" {
        set("_attributes", vm.new_tuple(Vec::new())?)?;
    }
    for field in row.fields().filter(|field| field.quantity == Quantity::Optional) {
        set(field.name, Value::NONE)?;
    }
    let ty = vm.new_class(vm.types().type_.value(), row.name, vec![base], &namespace, &[])?;
    Ok(Class { ty, fields })
}

fn doc(row: &Row) -> String {
    if !is_abstract(row) {
        return row.signature();
    }
    let members: Vec<&Row> = ROWS.iter().filter(|r| r.base == row.name).collect();
    let plain = members.iter().all(|r| r.fields.is_empty());
    let separator = if plain { " | ".to_string() } else { format!("\n{} | ", " ".repeat(row.name.len())) };
    let signatures: Vec<String> = members.iter().map(|r| r.signature()).collect();
    format!("{} = {}", row.name, signatures.join(&separator))
}

fn field_type(vm: &Interpreter, made: &[Class], name: &str, quantity: Quantity) -> Res {
    let types = vm.types();
    let plain = match name {
        "identifier" | "string" => types.str.value().clone(),
        "int" => types.int.value().clone(),
        "constant" => types.object.value().clone(),
        _ => match ROWS.iter().position(|row| row.name == name).and_then(|index| made.get(index)) {
            Some(class) => class.ty.clone(),
            None => return Err(vm.bug("a field has a known type")),
        },
    };
    match quantity {
        Quantity::One => Ok(plain),
        Quantity::Many => pellucid_types::generic_alias::class_getitem(vm, types.list.value(), &plain),
        Quantity::Optional => pellucid_types::union::or(vm, &plain, &Value::NONE),
    }
}

/// The tuple of names that a class attribute holds (`_fields`, `_attributes`).
fn names(vm: &Interpreter, node: &Value, attribute: &str) -> Res<Vec<Value>> {
    let ty = vm.type_of(node);
    match vm.get_attr_opt(ty.value(), attribute)? {
        Some(value) => match value.downcast::<Tuple>() {
            Some(tuple) => Ok(tuple.items()),
            None => vm.collect(&value),
        },
        None => Ok(Vec::new()),
    }
}

fn same_name(a: &Value, b: &Value, vm: &Interpreter) -> Res<bool> {
    Ok(a.is(b) || vm.keys_equal(a, b)?)
}

fn position_of(vm: &Interpreter, list: &[Value], name: &Value) -> Res<Option<usize>> {
    for (index, item) in list.iter().enumerate() {
        if same_name(item, name, vm)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn new_node(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Plain)
}

fn init_node(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res<()> {
    let class = vm.type_name(this);
    let fields = names(vm, this, "_fields")?;
    let given = args.positional();
    if given.len() > fields.len() {
        let s = if fields.len() == 1 { "" } else { "s" };
        return Err(vm.type_error(format!(
            "{class} constructor takes at most {} positional argument{s}",
            fields.len()
        )));
    }
    let mut missing = vec![true; fields.len()];
    for (index, (name, value)) in fields.iter().zip(given).enumerate() {
        vm.set_attr(this, name, Some(value))?;
        missing[index] = false;
    }
    for (name, value) in args.keywords() {
        match position_of(vm, &fields, name)? {
            Some(index) if !missing[index] => {
                let shown = vm.repr_lossy(name)?;
                return Err(vm.type_error(format!("{class} got multiple values for argument {shown}")));
            }
            Some(index) => missing[index] = false,
            None => {
                if position_of(vm, &names(vm, this, "_attributes")?, name)?.is_none() {
                    let shown = vm.repr_lossy(name)?;
                    deprecated(
                        vm,
                        &format!(
                            "{class}.__init__ got an unexpected keyword argument {shown}. Support for arbitrary \
                             keyword arguments is deprecated and will be removed in Python 3.15."
                        ),
                    )?;
                }
            }
        }
        vm.set_attr(this, name, Some(value))?;
    }
    if missing.contains(&true) {
        let left = fields.into_iter().zip(missing).filter(|(_, missing)| *missing).map(|(name, _)| name);
        fill_defaults(vm, this, &class, left)?;
    }
    Ok(())
}

/// What a constructor that was given too little sets: empty lists, `Load()`; optional fields are `None` in the class.
fn fill_defaults(vm: &Interpreter, this: &Value, class: &str, left: impl Iterator<Item = Value>) -> Res<()> {
    let Some(types) = vm.get_attr_opt(vm.type_of(this).value(), "_field_types")? else { return Ok(()) };
    let Some(types) = types.downcast_ref::<Dict>() else { return Ok(()) };
    let classes = Classes::of(vm)?;
    for name in left {
        let Some(ty) = types.get(vm, &name)? else {
            let shown = vm.repr_lossy(&name)?;
            deprecated(
                vm,
                &format!(
                    "Field {shown} is missing from {class}._field_types. This will become an error in Python 3.15."
                ),
            )?;
            continue;
        };
        match &*vm.type_name(&ty) {
            "types.UnionType" | "UnionType" | "typing.Union" | "Union" => {}
            "types.GenericAlias" | "GenericAlias" => {
                let list = vm.new_list(Vec::new())?;
                vm.set_attr(this, &name, Some(&list))?;
            }
            _ if ty.is(classes.ty(vm, Kind::ExprContextBase)?.value()) => {
                vm.set_attr(this, &name, Some(&classes.singleton(vm, Kind::Load)?))?;
            }
            _ => {
                let shown = vm.repr_lossy(&name)?;
                deprecated(
                    vm,
                    &format!(
                        "{class}.__init__ missing 1 required positional argument: {shown}. This will become an error \
                         in Python 3.15."
                    ),
                )?;
            }
        }
    }
    Ok(())
}

fn deprecated(vm: &Interpreter, message: &str) -> Res<()> {
    let category = vm.exceptions().deprecation_warning().value().clone();
    crate::warn(vm, message, category)
}

const REPR_DEPTH: usize = 3;

fn repr_node(vm: &Interpreter, this: &Value) -> Res {
    let text = vm.nested(" while getting the repr of an object", || shown(vm, this, REPR_DEPTH))?;
    vm.new_str(&text)
}

fn is_node(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_instance(value, &vm.type_for(&AST)?))
}

/// The `repr` of a node: nodes deeper than `depth` are only named, long lists show their ends.
fn shown(vm: &Interpreter, this: &Value, depth: usize) -> Res<String> {
    let class = vm.type_name(this);
    if depth == 0 {
        return Ok(format!("{class}(...)"));
    }
    let mut parts = Vec::new();
    for name in names(vm, this, "_fields")? {
        let value = vm.get_attr(this, &name)?;
        let text = if let Some(list) = value.downcast::<List>() {
            shown_items(vm, list.items(), depth, ("[", "]"))?
        } else if let Some(tuple) = value.downcast::<Tuple>() {
            shown_items(vm, tuple.items(), depth, ("(", ")"))?
        } else if is_node(vm, &value)? {
            shown(vm, &value, depth - 1)?
        } else {
            vm.repr_lossy(&value)?
        };
        parts.push(format!("{}={text}", vm.str_lossy(&name)));
    }
    Ok(format!("{class}({})", parts.join(", ")))
}

fn shown_items(vm: &Interpreter, items: Vec<Value>, depth: usize, ends: (&str, &str)) -> Res<String> {
    let count = items.len();
    let mut text = String::from(ends.0);
    for (index, item) in items.iter().enumerate().filter(|(index, _)| *index == 0 || index + 1 == count) {
        if index > 0 {
            text.push_str(if count > 2 { ", ..., " } else { ", " });
        }
        if is_node(vm, item)? {
            text.push_str(&shown(vm, item, depth - 1)?);
        } else {
            text.push_str(&vm.repr_lossy(item)?);
        }
    }
    text.push_str(ends.1);
    Ok(text)
}

/// `__reduce__`: the class, `None` for each leading field, and the attributes.
fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let ty = vm.type_of(this).into_value();
    let Some(dict) = vm.attrs_dict(this)? else {
        let empty = vm.new_tuple(Vec::new())?;
        return vm.new_tuple(vec![ty, empty]);
    };
    let mut leading = Vec::new();
    for name in names(vm, this, "_fields")? {
        if !dict.contains(vm, &name)? {
            break;
        }
        leading.push(Value::NONE);
    }
    let leading = vm.new_tuple(leading)?;
    vm.new_tuple(vec![ty, leading, dict.into_value()])
}

/// `__replace__`: a shallow copy with other fields.
fn replace(vm: &Interpreter, args: &CallArgs) -> Res {
    let Some(this) = args.positional().first() else {
        return Err(vm.type_error("__replace__() needs a node".to_string()));
    };
    if args.positional().len() > 1 {
        return Err(vm.type_error("__replace__() takes no positional arguments".to_string()));
    }
    let class = vm.type_name(this);
    let fields = names(vm, this, "_fields")?;
    let attributes = names(vm, this, "_attributes")?;
    for (name, _) in args.keywords() {
        if position_of(vm, &fields, name)?.is_none() && position_of(vm, &attributes, name)?.is_none() {
            let shown = vm.repr_lossy(name)?;
            return Err(
                vm.type_error(format!("{class}.__replace__ got an unexpected keyword argument {shown}."))
            );
        }
    }
    let (mut keys, mut values, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
    let given: Vec<(Value, Value)> = args.keywords().map(|(k, v)| (k.clone(), v.clone())).collect();
    for name in &fields {
        let mut value = given.iter().find(|(k, _)| k.is(name)).map(|(_, v)| v.clone());
        if value.is_none() {
            for (key, new) in &given {
                if same_name(key, name, vm)? {
                    value = Some(new.clone());
                }
            }
        }
        let value = match value {
            Some(value) => Some(value),
            None => vm.get_attr_opt(this, &vm.str_lossy(name))?,
        };
        match value {
            Some(value) => {
                keys.push(name.clone());
                values.push(value);
            }
            None => lacking.push(vm.repr_lossy(name)?),
        }
    }
    if !lacking.is_empty() {
        let s = if lacking.len() == 1 { "" } else { "s" };
        return Err(vm.type_error(format!(
            "{class}.__replace__ missing {} keyword argument{s}: {}.",
            lacking.len(),
            lacking.join(", ")
        )));
    }
    let dict = vm.attrs_dict(this)?;
    for name in &attributes {
        let new = given.iter().find(|(k, _)| k.is(name)).map(|(_, v)| v.clone());
        let old = match &dict {
            Some(dict) => dict.get(vm, name)?,
            None => None,
        };
        if let Some(value) = new.or(old) {
            keys.push(name.clone());
            values.push(value);
        }
    }
    vm.call(vm.type_of(this).value(), &CallArgs { values: &values, names: &keys })
}

/// The base of all nodes.
pub static AST: TypeDef = TypeDef {
    name: "AST",
    module: "ast",
    base: None,
    payload: payload::<Plain>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::MUTABLE),
    doc: "",
    slots: &[Slot::New(new_node), Slot::Init(init_node), Slot::Repr(repr_node)],
    methods: &[
        FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(reduce)),
        FunctionDef::new(
            "__replace__",
            "",
            "Return a copy of the AST node with new values for the specified fields.",
            NativeFn::Raw(replace),
        ),
    ],
    getset: &[],
};

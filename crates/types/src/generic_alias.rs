//! `types.GenericAlias`: what `list[int]` is. The substitution of type parameters, which unions and `typing` share,
//! stands here as well.

use crate::builtins::named as builtin;
use crate::seq::Writer;
use crate::union;
use pellucid_object::{
    BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, List, NativeFn, Payload, Res, Slot,
    SlotWord, Tuple, Type, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// Payload of `types.GenericAlias`.
pub struct GenericAlias {
    pub origin: SlotWord,
    /// A tuple.
    pub args: SlotWord,
    /// Made on first use.
    parameters: SlotWord,
    /// It was unpacked: `*tuple[int, ...]`.
    pub starred: Cell<bool>,
}

impl Payload for GenericAlias {
    fn trace(&self, visit: &mut Visitor) {
        for word in [&self.origin, &self.args, &self.parameters] {
            word.trace(visit);
        }
    }
    fn clear(&self) {
        for word in [&self.origin, &self.args, &self.parameters] {
            word.set(None);
        }
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a GenericAlias> {
    value.downcast::<GenericAlias>().ok_or_else(|| vm.type_error("a generic alias was expected".to_string()))
}

fn parts(vm: &Interpreter, value: &Value) -> Res<(Value, Value)> {
    let alias = this(vm, value)?;
    Ok((
        alias.origin.get().unwrap_or(Value::NONE),
        alias.args.get().map_or_else(|| vm.new_tuple(vec![]), Ok)?,
    ))
}

/// `origin[item]` for a class whose `__class_getitem__` makes plain aliases; a tuple is several arguments.
pub fn class_getitem(vm: &Interpreter, origin: &Value, item: &Value) -> Res {
    let cls = vm.type_for(&GENERIC_ALIAS)?;
    make(vm, cls.value(), origin, item, false)
}

/// The entry `__class_getitem__` of a builtin type's methods.
pub const CLASS_GETITEM: FunctionDef =
    FunctionDef::class("__class_getitem__", "($type, object, /)", "See PEP 585", NativeFn::F2(class_getitem));

fn make(vm: &Interpreter, cls: &Value, origin: &Value, item: &Value, starred: bool) -> Res {
    let args = match item.downcast::<Tuple>() {
        Some(_) => item.clone(),
        None => vm.new_tuple(vec![item.clone()])?,
    };
    let alias = GenericAlias {
        origin: SlotWord::new(Some(origin.clone())),
        args: SlotWord::new(Some(args)),
        parameters: SlotWord::default(),
        starred: Cell::new(starred),
    };
    vm.alloc_subclass(cls, alias)
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("GenericAlias() takes no keyword arguments".to_string()));
    }
    let [origin, args] = call.values else {
        let n = call.values.len();
        return Err(vm.type_error(format!("GenericAlias expected 2 arguments, got {n}")));
    };
    make(vm, cls, origin, args, false)
}

/// Writes a type as annotations are read: `int`, `typing.Any`, `...`.
pub fn write_type(vm: &Interpreter, w: &mut Writer, value: &Value) -> Res<()> {
    if value.is_ellipsis() {
        w.push("...");
        return Ok(());
    }
    let alias_like =
        vm.get_attr_opt(value, "__origin__")?.is_some() && vm.get_attr_opt(value, "__args__")?.is_some();
    if alias_like {
        return w.push_repr(vm, value);
    }
    let Some(qualname) = vm.get_attr_opt(value, "__qualname__")? else { return w.push_repr(vm, value) };
    match vm.get_attr_opt(value, "__module__")? {
        Some(module) if !module.is_none() => {
            let module = vm.str_lossy(&vm.str(&module)?);
            if module != "builtins" {
                w.push(&module);
                w.push(".");
            }
            w.push(&vm.str_lossy(&vm.str(&qualname)?));
            Ok(())
        }
        _ => w.push_repr(vm, value),
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let (origin, args) = parts(vm, value)?;
    let mut w = Writer::default();
    if this(vm, value)?.starred.get() {
        w.push("*");
    }
    write_type(vm, &mut w, &origin)?;
    w.push("[");
    let items = vm.collect(&args)?;
    if items.is_empty() {
        w.push("()");
    }
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            w.push(", ");
        }
        match item.downcast_ref::<List>() {
            // The argument list of a `Callable` or of a `ParamSpec`.
            Some(list) => {
                w.push("[");
                for (j, inner) in list.items().iter().enumerate() {
                    if j > 0 {
                        w.push(", ");
                    }
                    write_type(vm, &mut w, inner)?;
                }
                w.push("]");
            }
            None => write_type(vm, &mut w, item)?,
        }
    }
    w.push("]");
    w.finish(vm)
}

fn push_unique(vm: &Interpreter, list: &mut Vec<Value>, value: Value) -> Res<()> {
    for known in list.iter() {
        if vm.keys_equal(known, &value)? {
            return Ok(());
        }
    }
    list.push(value);
    Ok(())
}

fn position(list: &[Value], value: &Value) -> Option<usize> {
    list.iter().position(|v| v.is(value))
}

/// The type parameters among `args`, each once, in order.
pub fn parameters_of(vm: &Interpreter, args: &[Value]) -> Res<Vec<Value>> {
    let mut found = Vec::new();
    for arg in args {
        if arg.downcast::<Type>().is_some() {
            continue;
        }
        let nested = vm.is_exact(arg, &vm.types().tuple) || vm.is_exact(arg, &vm.types().list);
        if nested {
            for inner in parameters_of(vm, &vm.collect(arg)?)? {
                push_unique(vm, &mut found, inner)?;
            }
            continue;
        }
        if vm.get_attr_opt(arg, "__typing_subst__")?.is_some() {
            push_unique(vm, &mut found, arg.clone())?;
        } else if let Some(inner) = vm.get_attr_opt(arg, "__parameters__")?
            && inner.downcast::<Tuple>().is_some()
        {
            for parameter in vm.collect(&inner)? {
                push_unique(vm, &mut found, parameter)?;
            }
        }
    }
    Ok(found)
}

/// `(int, *tuple[str, bytes])` as `(int, str, bytes)`.
fn unpack_arguments(vm: &Interpreter, item: &Value) -> Res<Vec<Value>> {
    let items = match item.downcast::<Tuple>() {
        Some(tuple) => tuple.items(),
        None => vec![item.clone()],
    };
    let mut result = Vec::with_capacity(items.len());
    for item in items {
        if item.downcast::<Type>().is_none()
            && let Some(inner) = vm.get_attr_opt(&item, "__typing_unpacked_tuple_args__")?
            && let Some(inner) = inner.downcast::<Tuple>().map(Tuple::items)
            && !inner.last().is_some_and(Value::is_ellipsis)
        {
            result.extend(inner);
        } else {
            result.push(item);
        }
    }
    Ok(result)
}

/// `this[item]`: `args` with `parameters` replaced. Errors: `TypeError` for a wrong number of arguments.
pub fn substitute(
    vm: &Interpreter,
    this: &Value,
    args: &[Value],
    parameters: &[Value],
    item: &Value,
) -> Res<Vec<Value>> {
    if parameters.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_lossy(this)?)));
    }
    let mut given = vm.new_tuple(unpack_arguments(vm, item)?)?;
    for parameter in parameters {
        let Some(prepare) = vm.get_attr_opt(parameter, "__typing_prepare_subst__")? else { continue };
        if prepare.is_none() {
            continue;
        }
        let prepared = vm.call_values(&prepare, &[this.clone(), given])?;
        given = match prepared.downcast::<Tuple>() {
            Some(_) => prepared,
            None => vm.new_tuple(vec![prepared])?,
        };
    }
    let given = vm.collect(&given)?;
    if given.len() != parameters.len() {
        let word = if given.len() > parameters.len() { "many" } else { "few" };
        return Err(vm.type_error(format!(
            "Too {word} arguments for {}; actual {}, expected {}",
            vm.repr_lossy(this)?,
            given.len(),
            parameters.len()
        )));
    }
    replace(vm, args, parameters, &given)
}

fn replace(vm: &Interpreter, args: &[Value], parameters: &[Value], given: &[Value]) -> Res<Vec<Value>> {
    let mut result = Vec::with_capacity(args.len());
    for arg in args {
        if arg.downcast::<Type>().is_some() {
            result.push(arg.clone());
            continue;
        }
        if vm.is_exact(arg, &vm.types().tuple) || vm.is_exact(arg, &vm.types().list) {
            let inner = replace(vm, &vm.collect(arg)?, parameters, given)?;
            let list = vm.is_exact(arg, &vm.types().list);
            result.push(if list { vm.new_list(inner)? } else { vm.new_tuple(inner)? });
            continue;
        }
        let unpack = match vm.get_attr_opt(arg, "__typing_is_unpacked_typevartuple__")? {
            Some(flag) => vm.truthy(&flag)?,
            None => false,
        };
        let new = match vm.get_attr_opt(arg, "__typing_subst__")? {
            Some(subst) => match position(parameters, arg).and_then(|i| given.get(i)) {
                Some(value) => vm.call_values(&subst, std::slice::from_ref(value))?,
                None => return Err(vm.bug("a type parameter that is not among the parameters")),
            },
            None => replace_inside(vm, arg, parameters, given)?,
        };
        if !unpack {
            result.push(new);
        } else if let Some(tuple) = new.downcast::<Tuple>() {
            result.extend(tuple.items());
        } else {
            let (of, got) = (vm.type_name(arg), vm.type_name(&new));
            return Err(vm.type_error(format!(
                "expected __typing_subst__ of {of} objects to return a tuple, not {got}"
            )));
        }
    }
    Ok(result)
}

/// `arg[...]` when it has type parameters itself.
fn replace_inside(vm: &Interpreter, arg: &Value, parameters: &[Value], given: &[Value]) -> Res {
    let Some(inner) = vm.get_attr_opt(arg, "__parameters__")? else { return Ok(arg.clone()) };
    let Some(inner) = inner.downcast::<Tuple>().map(Tuple::items).filter(|i| !i.is_empty()) else {
        return Ok(arg.clone());
    };
    let mut items = Vec::with_capacity(inner.len());
    for parameter in inner {
        match position(parameters, &parameter).and_then(|i| given.get(i)) {
            Some(value) => match value.downcast::<Tuple>() {
                Some(tuple) if vm.type_of(&parameter).slots.iter.get().is_some() => {
                    items.extend(tuple.items());
                }
                _ => items.push(value.clone()),
            },
            None => items.push(parameter),
        }
    }
    vm.get_item(arg, &vm.new_tuple(items)?)
}

fn parameters(vm: &Interpreter, value: &Value) -> Res {
    let alias = this(vm, value)?;
    if let Some(known) = alias.parameters.get() {
        return Ok(known);
    }
    let (_, args) = parts(vm, value)?;
    let made = vm.new_tuple(parameters_of(vm, &vm.collect(&args)?)?)?;
    this(vm, value)?.parameters.set(Some(made.clone()));
    Ok(made)
}

fn get_item(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let (origin, args) = parts(vm, value)?;
    let parameters = vm.collect(&parameters(vm, value)?)?;
    let new = substitute(vm, value, &vm.collect(&args)?, &parameters, item)?;
    let cls = vm.type_for(&GENERIC_ALIAS)?;
    make(vm, cls.value(), &origin, &vm.new_tuple(new)?, this(vm, value)?.starred.get())
}

/// Attributes of the alias itself; all others are its origin's.
static OWN: &[&str] = &[
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];
/// Attributes that neither the alias nor, through it, its origin has.
static BLOCKED: &[&str] = &["__bases__", "__copy__", "__deepcopy__"];

fn get_attr(vm: &Interpreter, value: &Value, name: &Value) -> Res {
    let text = vm.str_lossy(name);
    if OWN.contains(&text.as_str()) || BLOCKED.contains(&text.as_str()) {
        return vm.generic_getattr(value, name);
    }
    let (origin, _) = parts(vm, value)?;
    vm.get_attr(&origin, name)
}

fn call(vm: &Interpreter, value: &Value, args: &CallArgs) -> Res {
    let (origin, _) = parts(vm, value)?;
    let object = vm.call(&origin, args)?;
    if let Err(raised) = vm.set_attr_str(&object, "__orig_class__", value.clone()) {
        let errors = vm.exceptions();
        if !vm.raised_is(errors.attribute_error()) && !vm.raised_is(errors.type_error()) {
            return Err(raised);
        }
        drop(vm.take_raised(raised));
    }
    Ok(object)
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<GenericAlias>(), b.downcast::<GenericAlias>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if op != CmpOp::Eq && op != CmpOp::Ne {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let same_star = x.starred.get() == y.starred.get();
    let (xp, yp) = (parts(vm, a)?, parts(vm, b)?);
    let equal = same_star && vm.keys_equal(&xp.0, &yp.0)? && vm.keys_equal(&xp.1, &yp.1)?;
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let (origin, args) = parts(vm, value)?;
    Ok(match vm.hash(&origin)? ^ vm.hash(&args)? {
        -1 => -2,
        hash => hash,
    })
}

/// Payload of the iterator that gives the unpacked alias once.
struct AliasIterator(SlotWord);

impl Payload for AliasIterator {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    this(vm, value)?;
    vm.alloc(&vm.type_for(&ALIAS_ITERATOR)?, AliasIterator(SlotWord::new(Some(value.clone()))))
}

fn iter_next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(alias) = value.downcast::<AliasIterator>().and_then(|i| i.0.replace(None)) else {
        return Ok(None);
    };
    let (origin, args) = parts(vm, &alias)?;
    let cls = vm.type_for(&GENERIC_ALIAS)?;
    make(vm, cls.value(), &origin, &args, true).map(Some)
}

fn iter_reduce(vm: &Interpreter, value: &Value) -> Res {
    let left = value.downcast::<AliasIterator>().and_then(|i| i.0.get());
    let content = left.map_or_else(|| vm.new_tuple(vec![]), Ok)?;
    let args = vm.new_tuple(vec![content])?;
    vm.new_tuple(vec![builtin(vm, "iter")?, args])
}

fn reduce(vm: &Interpreter, value: &Value) -> Res {
    let (origin, args) = parts(vm, value)?;
    let cls = vm.type_for(&GENERIC_ALIAS)?;
    if this(vm, value)?.starred.get() {
        let plain = make(vm, cls.value(), &origin, &args, false)?;
        let args = vm.new_tuple(vec![iter(vm, &plain)?])?;
        return vm.new_tuple(vec![builtin(vm, "next")?, args]);
    }
    let args = vm.new_tuple(vec![origin, args])?;
    vm.new_tuple(vec![cls.into_value(), args])
}

fn dir(vm: &Interpreter, value: &Value) -> Res {
    let (origin, _) = parts(vm, value)?;
    let names = vm.call_values(&builtin(vm, "dir")?, &[origin])?;
    let mut names = vm.collect(&names)?;
    for name in OWN {
        push_unique(vm, &mut names, vm.intern(name)?)?;
    }
    vm.new_list(names)
}

static METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "__mro_entries__",
        "($self, bases, /)",
        "",
        NativeFn::F2(|vm, v, _| vm.new_tuple(vec![parts(vm, v)?.0])),
    ),
    FunctionDef::new(
        "__instancecheck__",
        "($self, instance, /)",
        "",
        NativeFn::F2(|vm, _, _| {
            Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic".to_string()))
        }),
    ),
    FunctionDef::new(
        "__subclasscheck__",
        "($self, cls, /)",
        "",
        NativeFn::F2(|vm, _, _| {
            Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic".to_string()))
        }),
    ),
    FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(reduce)),
    FunctionDef::new("__dir__", "($self, /)", "", NativeFn::F1(dir)),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::member("__origin__", "", |vm, v| Ok(parts(vm, v)?.0)),
    GetSetDef::member("__args__", "", |vm, v| Ok(parts(vm, v)?.1)),
    GetSetDef {
        name: "__parameters__",
        doc: "The type parameters among the arguments.",
        get: parameters,
        set: None,
    },
    GetSetDef {
        name: "__unpacked__",
        doc: "",
        get: |vm, v| Ok(Value::bool(this(vm, v)?.starred.get())),
        set: None,
    },
    GetSetDef {
        name: "__typing_unpacked_tuple_args__",
        doc: "",
        get: |vm, v| {
            let (origin, args) = parts(vm, v)?;
            let unpacked = this(vm, v)?.starred.get() && origin.is(vm.types().tuple.value());
            Ok(if unpacked { args } else { Value::NONE })
        },
        set: None,
    },
];

pub static GENERIC_ALIAS: TypeDef = TypeDef {
    name: "GenericAlias",
    module: "types",
    base: None,
    payload: payload::<GenericAlias>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::WEAKREF),
    doc: "GenericAlias(origin, args, /)\n--\n\nA class with type arguments: list[int].",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::Call(call),
        Slot::GetAttr(get_attr),
        Slot::GetItem(get_item),
        Slot::Iter(iter),
        Slot::Binary(BinOp::Or, union::or),
    ],
    methods: METHODS,
    getset: GETSET,
};

pub static ALIAS_ITERATOR: TypeDef = TypeDef {
    name: "generic_alias_iterator",
    module: "builtins",
    base: None,
    payload: payload::<AliasIterator>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(iter_next)],
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(iter_reduce))],
    getset: &[],
};

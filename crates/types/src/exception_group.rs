//! `BaseExceptionGroup` and `ExceptionGroup`.
//!
//! The message and the tuple of exceptions are the exception's fields 0 and 1.

use crate::exception::{exception, str as base_str};
use pellucid_object::{
    CallArgs, Exception, FunctionDef, GetSetDef, Interpreter, List, NativeFn, Ref, Res, Slot, Str, Tuple,
    Type, TypeDef, TypeFlags, Value, payload,
};

const MESSAGE: usize = 0;
const EXCEPTIONS: usize = 1;
/// How the sequence of members looked when the group was made, if it is no plain list or tuple.
const SHOWN: usize = 2;

fn is_a(vm: &Interpreter, value: &Value, ty: &Ref<Type>) -> bool {
    vm.is_instance(value, ty)
}

/// The type `ExceptionGroup`, which has two bases.
pub fn exception_group(vm: &Interpreter) -> Res<Ref<Type>> {
    let state = vm.state::<GroupType>();
    if let Some(ty) = state.0.borrow().clone() {
        return Ok(ty);
    }
    let namespace = vm.new_dict()?;
    namespace.set(vm, vm.intern_static("__module__")?, vm.intern_static("builtins")?)?;
    let bases = vec![
        vm.exceptions().base_exception_group().value().clone(),
        vm.exceptions().exception().value().clone(),
    ];
    let meta = vm.types().type_.value().clone();
    let class = vm.new_class(&meta, "ExceptionGroup", bases, &namespace, &[])?;
    match class.downcast_ref::<Type>() {
        Some(ty) => {
            // It is a builtin type in every other way.
            ty.flags.set(TypeFlags(ty.flags.get().0 & !TypeFlags::MUTABLE.0));
            *state.0.borrow_mut() = Some(ty.clone());
            Ok(ty)
        }
        None => Err(vm.bug("a class is a type")),
    }
}

#[derive(Default)]
struct GroupType(std::cell::RefCell<Option<Ref<Type>>>);

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let name = cls.downcast::<Type>().map(Type::name);
    let name = name.as_deref().unwrap_or("BaseExceptionGroup").to_string();
    if !call.names.is_empty() {
        return Err(vm.type_error(format!("{name}.__new__() takes no keyword arguments")));
    }
    let [message, exceptions] = call.values else {
        let got = call.values.len();
        return Err(
            vm.type_error(format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({got} given)"))
        );
    };
    if message.downcast::<Str>().is_none() {
        let got = vm.type_name(message);
        return Err(vm.type_error(format!("BaseExceptionGroup.__new__() argument 1 must be str, not {got}")));
    }
    if vm.type_of_ref(exceptions).slots.getitem.get().is_none() {
        return Err(vm.type_error("second argument (exceptions) must be a sequence".to_string()));
    }
    let items = vm.collect(exceptions)?;
    if items.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence".to_string()));
    }
    for (index, item) in items.iter().enumerate() {
        if item.downcast::<Exception>().is_none() {
            return Err(
                vm.value_error(format!("Item {index} of second argument (exceptions) is not an exception"))
            );
        }
    }
    let plain = items.iter().all(|item| is_a(vm, item, vm.exceptions().exception()));
    let cls = class_for(vm, cls, plain, &name)?;
    let group = Exception::default();
    group.args.set(Some(vm.new_tuple(call.values.to_vec())?));
    group.set_field(MESSAGE, Some(message.clone()));
    group.set_field(EXCEPTIONS, Some(vm.new_tuple(items)?));
    if !is_plain_sequence(vm, exceptions) {
        group.set_field(SHOWN, Some(vm.repr(exceptions)?));
    }
    vm.alloc_subclass(&cls, group)
}

/// `BaseExceptionGroup` of plain exceptions makes an `ExceptionGroup`. Errors: `TypeError` for nested base exceptions in a
/// class that cannot hold them.
fn class_for(vm: &Interpreter, cls: &Value, plain: bool, name: &str) -> Res {
    let group = exception_group(vm)?;
    if cls.is(vm.exceptions().base_exception_group().value()) {
        return Ok(if plain { group.into_value() } else { cls.clone() });
    }
    if plain {
        return Ok(cls.clone());
    }
    if cls.is(group.value()) {
        return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup".to_string()));
    }
    if cls.downcast::<Type>().is_some_and(|ty| ty.is_subtype_of(vm.exceptions().exception())) {
        return Err(vm.type_error(format!("Cannot nest BaseExceptions in '{name}'")));
    }
    Ok(cls.clone())
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    crate::exception::init(vm, this, call)
}

fn members(vm: &Interpreter, this: &Value) -> Res<Vec<Value>> {
    let field = exception(vm, this)?.field(EXCEPTIONS);
    Ok(field.and_then(|f| f.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default())
}

fn is_plain_sequence(vm: &Interpreter, value: &Value) -> bool {
    let ty = vm.type_of_ref(value).value();
    ty.is(vm.types().list.value()) || ty.is(vm.types().tuple.value())
}

/// What became of the sequence or of `args` since does not show.
fn repr(vm: &Interpreter, this: &Value) -> Res {
    let group = exception(vm, this)?;
    let message = vm.repr_lossy(&group.field(MESSAGE).unwrap_or(Value::NONE))?;
    let shown = match group.field(SHOWN) {
        Some(shown) => vm.str_lossy(&shown),
        None => {
            let args = group.args.get().and_then(|args| args.downcast::<Tuple>().map(Tuple::items));
            let as_list = matches!(args.as_deref(), Some([_, given]) if given.downcast::<List>().is_some());
            let members = members(vm, this)?;
            let members = if as_list { vm.new_list(members)? } else { vm.new_tuple(members)? };
            vm.repr_lossy(&members)?
        }
    };
    vm.new_str(&format!("{}({message}, {shown})", vm.type_name(this)))
}

fn str(vm: &Interpreter, this: &Value) -> Res {
    let Some(message) = exception(vm, this)?.field(MESSAGE) else { return base_str(vm, this) };
    let count = members(vm, this)?.len();
    let s = if count == 1 { "" } else { "s" };
    let message = vm.str(&message)?;
    vm.new_str(&format!("{} ({count} sub-exception{s})", vm.str_lossy(&message)))
}

/// A group with other members, and the traceback, cause, context and notes of this one.
fn derived(vm: &Interpreter, this: &Value, items: Vec<Value>) -> Res {
    let list = vm.new_list(items)?;
    let group = vm.call_attr(this, "derive", &[list])?;
    if !is_a(vm, &group, vm.exceptions().base_exception_group()) {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup".to_string()));
    }
    let (to, from) = (exception(vm, &group)?, exception(vm, this)?);
    to.traceback.set(from.traceback.get());
    to.context.set(from.context.get());
    to.cause.set(from.cause.get());
    to.suppress_context.set(from.suppress_context.get());
    if let Some(notes) = vm.get_attr_opt(this, "__notes__")?
        && notes.downcast::<pellucid_object::List>().is_some()
    {
        let copy = vm.new_list(vm.collect(&notes)?)?;
        vm.set_attr_str(&group, "__notes__", copy)?;
    }
    Ok(group)
}

fn derive(vm: &Interpreter, this: &Value, exceptions: &Value) -> Res {
    let message = exception(vm, this)?.field(MESSAGE).unwrap_or(Value::NONE);
    vm.call_values(vm.exceptions().base_exception_group().value(), &[message, exceptions.clone()])
}

/// What `split` and `subgroup` select by.
enum Condition {
    Classes(Vec<Value>),
    Function(Value),
}

fn condition(vm: &Interpreter, value: &Value) -> Res<Condition> {
    let is_class =
        |v: &Value| v.downcast::<Type>().is_some_and(|ty| ty.is_subtype_of(vm.exceptions().base_exception()));
    if is_class(value) {
        return Ok(Condition::Classes(vec![value.clone()]));
    }
    if let Some(tuple) = value.downcast::<Tuple>()
        && tuple.items().iter().all(is_class)
    {
        return Ok(Condition::Classes(tuple.items()));
    }
    if vm.type_of_ref(value).slots.call.get().is_some() && value.downcast::<Type>().is_none() {
        return Ok(Condition::Function(value.clone()));
    }
    let what = "expected an exception type, a tuple of exception types, or a callable (other than a class)";
    Err(vm.type_error(what.to_string()))
}

impl Condition {
    fn holds(&self, vm: &Interpreter, value: &Value) -> Res<bool> {
        match self {
            Condition::Classes(classes) => {
                Ok(classes.iter().filter_map(Value::downcast_ref::<Type>).any(|ty| is_a(vm, value, &ty)))
            }
            Condition::Function(function) => {
                let result = vm.call_values(function, std::slice::from_ref(value))?;
                vm.truthy(&result)
            }
        }
    }
}

/// The part that matches, and the rest; None where nothing is.
fn split_by(vm: &Interpreter, this: &Value, by: &Condition, with_rest: bool) -> Res<(Value, Value)> {
    if by.holds(vm, this)? {
        return Ok((this.clone(), Value::NONE));
    }
    if !is_a(vm, this, vm.exceptions().base_exception_group()) {
        return Ok((Value::NONE, this.clone()));
    }
    let (mut matched, mut rest) = (Vec::new(), Vec::new());
    for member in members(vm, this)? {
        let (yes, no) = vm.nested(" in exceptiongroup", || split_by(vm, &member, by, with_rest))?;
        matched.extend(Some(yes).filter(|v| !v.is_none()));
        rest.extend(Some(no).filter(|v| !v.is_none()));
    }
    let group = |items: Vec<Value>| if items.is_empty() { Ok(Value::NONE) } else { derived(vm, this, items) };
    let matched = group(matched)?;
    Ok((matched, if with_rest { group(rest)? } else { Value::NONE }))
}

fn split(vm: &Interpreter, this: &Value, by: &Value) -> Res {
    let (matched, rest) = split_by(vm, this, &condition(vm, by)?, true)?;
    vm.new_tuple(vec![matched, rest])
}

fn subgroup(vm: &Interpreter, this: &Value, by: &Value) -> Res {
    Ok(split_by(vm, this, &condition(vm, by)?, false)?.0)
}

pub static BASE_EXCEPTION_GROUP: TypeDef = TypeDef {
    name: "BaseExceptionGroup",
    module: "builtins",
    base: None,
    payload: payload::<Exception>(),
    flags: TypeFlags::BASETYPE,
    doc: "A combination of multiple unrelated exceptions.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Repr(repr), Slot::Str(str)],
    methods: &[
        FunctionDef::new(
            "derive",
            "($self, excs, /)",
            "A group of other exceptions like this one.",
            NativeFn::F2(derive),
        ),
        FunctionDef::new(
            "split",
            "($self, matcher, /)",
            "The part that matches, and the rest.",
            NativeFn::F2(split),
        ),
        FunctionDef::new("subgroup", "($self, matcher, /)", "The part that matches.", NativeFn::F2(subgroup)),
        FunctionDef::class(
            "__class_getitem__",
            "($cls, item, /)",
            "See PEP 585",
            NativeFn::F2(crate::generic_alias::class_getitem),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "message",
            doc: "exception message",
            get: |vm, this| Ok(exception(vm, this)?.field(MESSAGE).unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef {
            name: "exceptions",
            doc: "nested exceptions",
            get: |vm, this| Ok(exception(vm, this)?.field(EXCEPTIONS).unwrap_or(Value::NONE)),
            set: None,
        },
    ],
};

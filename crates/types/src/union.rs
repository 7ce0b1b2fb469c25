//! `typing.Union`, which is `types.UnionType`: what `int | str` is.

use crate::builtins::named as builtin;
use crate::generic_alias::{self, GENERIC_ALIAS};
use crate::seq::Writer;
use pellucid_object::{
    BinOp, CmpOp, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, SlotWord,
    Tuple, Type, TypeDef, TypeFlags, Value, Visitor, payload,
};

/// Payload of `typing.Union`.
pub struct Union {
    /// A tuple of the members, each once.
    pub args: SlotWord,
    /// The hashable members as keys.
    hashable: Ref<Dict>,
    /// A tuple of the others.
    unhashable: SlotWord,
    /// Made on first use.
    parameters: SlotWord,
}

impl Payload for Union {
    fn trace(&self, visit: &mut Visitor) {
        visit(self.hashable.value());
        for word in [&self.args, &self.unhashable, &self.parameters] {
            word.trace(visit);
        }
    }
    fn clear(&self) {
        for word in [&self.args, &self.unhashable, &self.parameters] {
            word.set(None);
        }
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Union> {
    value.downcast::<Union>().ok_or_else(|| vm.type_error("a union was expected".to_string()))
}

/// The members of a union. Errors: `TypeError`.
pub fn members(vm: &Interpreter, value: &Value) -> Res<Vec<Value>> {
    Ok(this(vm, value)?.args.get().and_then(|a| a.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default())
}

struct Builder {
    args: Vec<Value>,
    hashable: Ref<Dict>,
    unhashable: Vec<Value>,
}

impl Builder {
    fn new(vm: &Interpreter) -> Res<Builder> {
        Ok(Builder { args: Vec::new(), hashable: vm.new_dict()?, unhashable: Vec::new() })
    }

    /// Adds a type, or the members of a union; `None` stands for its type.
    fn add(&mut self, vm: &Interpreter, arg: &Value) -> Res<()> {
        if arg.downcast::<Union>().is_some() {
            return members(vm, arg)?.iter().try_for_each(|member| self.add(vm, member));
        }
        let arg = if arg.is_none() { vm.types().none_type.value() } else { arg };
        match vm.hash(arg) {
            Ok(hash) => {
                if self.hashable.find(vm, arg, hash)?.is_some() {
                    return Ok(());
                }
                self.hashable.set_hashed(vm, arg.clone(), hash, Value::NONE)?;
            }
            Err(raised) if vm.raised_is(vm.exceptions().type_error()) => {
                drop(vm.take_raised(raised));
                for known in &self.unhashable {
                    if vm.keys_equal(known, arg)? {
                        return Ok(());
                    }
                }
                self.unhashable.push(arg.clone());
            }
            Err(raised) => return Err(raised),
        }
        self.args.push(arg.clone());
        Ok(())
    }

    fn finish(self, vm: &Interpreter) -> Res {
        match self.args.as_slice() {
            [] => return Err(vm.type_error("Cannot take a Union of no types.".to_string())),
            [one] => return Ok(one.clone()),
            _ => {}
        }
        let union = Union {
            args: SlotWord::new(Some(vm.new_tuple(self.args)?)),
            hashable: self.hashable,
            unhashable: SlotWord::new(Some(vm.new_tuple(self.unhashable)?)),
            parameters: SlotWord::default(),
        };
        vm.alloc(&vm.type_for(&UNION)?, union)
    }
}

/// `Union[a, b, ...]` of values that need not be types: what is none goes through `typing._type_check`.
pub fn from_values(vm: &Interpreter, values: &[Value]) -> Res {
    let mut builder = Builder::new(vm)?;
    for value in values {
        if is_unionable(vm, value) {
            builder.add(vm, value)?;
            continue;
        }
        let check = vm.get_attr_str(&vm.import("typing")?, "_type_check")?;
        let message = vm.new_str("Union[arg, ...]: each arg must be a type.")?;
        let checked = vm.call_values(&check, &[value.clone(), message])?;
        builder.add(vm, &checked)?;
    }
    builder.finish(vm)
}

fn is_unionable(vm: &Interpreter, value: &Value) -> bool {
    value.is_none()
        || value.downcast::<Type>().is_some()
        || value.downcast::<Union>().is_some()
        || value.downcast::<generic_alias::GenericAlias>().is_some()
        || vm.type_for(&crate::typing::TYPE_ALIAS_TYPE).is_ok_and(|ty| vm.is_exact(value, &ty))
}

/// `a | b` of types.
pub fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    if !is_unionable(vm, a) || !is_unionable(vm, b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let mut builder = Builder::new(vm)?;
    builder.add(vm, a)?;
    builder.add(vm, b)?;
    builder.finish(vm)
}

/// `a | b` of what `typing` makes, forward references as strings included.
pub fn or_checked(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    from_values(vm, &[a.clone(), b.clone()])
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let mut w = Writer::default();
    for (i, member) in members(vm, value)?.iter().enumerate() {
        if i > 0 {
            w.push(" | ");
        }
        if member.is(vm.types().none_type.value()) {
            w.push("None");
        } else {
            generic_alias::write_type(vm, &mut w, member)?;
        }
    }
    w.finish(vm)
}

fn unhashable(value: &Union) -> Vec<Value> {
    value.unhashable.get().and_then(|u| u.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default()
}

fn equal(vm: &Interpreter, a: &Union, b: &Union) -> Res<bool> {
    if a.hashable.len() != b.hashable.len() {
        return Ok(false);
    }
    for key in a.hashable.keys() {
        if !b.hashable.contains(vm, &key)? {
            return Ok(false);
        }
    }
    let mut left = unhashable(b);
    for value in unhashable(a) {
        let mut found = None;
        for (i, other) in left.iter().enumerate() {
            if vm.keys_equal(&value, other)? {
                found = Some(i);
                break;
            }
        }
        match found {
            Some(i) => drop(left.remove(i)),
            None => return Ok(false),
        }
    }
    Ok(left.is_empty())
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Union>(), b.downcast::<Union>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match op {
        CmpOp::Eq => Ok(Value::bool(equal(vm, x, y)?)),
        CmpOp::Ne => Ok(Value::bool(!equal(vm, x, y)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// The order of the members does not count, so neither may it in the hash.
fn hash(vm: &Interpreter, value: &Value) -> Res<i64> {
    let union = this(vm, value)?;
    let others = unhashable(union);
    if !others.is_empty() {
        let n = others.len();
        for other in &others {
            // A member that became hashable is still no key of the union.
            if let Err(raised) = vm.hash(other) {
                drop(vm.take_raised(raised));
                let s = if n == 1 { "" } else { "s" };
                return Err(vm.type_error(format!("union contains {n} unhashable element{s}")));
            }
        }
        let s = if n == 1 { "" } else { "s" };
        return Err(vm.type_error(format!("union contains {n} unhashable element{s}")));
    }
    let mut hash = 1_927_868_237_u64.wrapping_mul(union.hashable.len() as u64 + 1);
    for key in union.hashable.keys() {
        let h = vm.hash(&key)? as u64;
        hash ^= (h ^ (h << 16) ^ 89_869_747).wrapping_mul(3_644_798_167);
    }
    hash = (hash ^ (hash >> 11) ^ (hash >> 25)).wrapping_mul(69069).wrapping_add(907_133_923);
    Ok(if hash == u64::MAX { 590_923_713 } else { hash as i64 })
}

fn parameters(vm: &Interpreter, value: &Value) -> Res {
    if let Some(known) = this(vm, value)?.parameters.get() {
        return Ok(known);
    }
    let made = vm.new_tuple(generic_alias::parameters_of(vm, &members(vm, value)?)?)?;
    this(vm, value)?.parameters.set(Some(made.clone()));
    Ok(made)
}

fn get_item(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    let parameters = vm.collect(&parameters(vm, value)?)?;
    let new = generic_alias::substitute(vm, value, &members(vm, value)?, &parameters, item)?;
    from_values(vm, &new)
}

fn class_getitem(vm: &Interpreter, _: &Value, item: &Value) -> Res {
    match item.downcast::<Tuple>() {
        Some(tuple) => from_values(vm, &tuple.items()),
        None => from_values(vm, std::slice::from_ref(item)),
    }
}

/// Whether `check` (`isinstance` or `issubclass`) holds of a member.
fn any_member(vm: &Interpreter, value: &Value, subject: &Value, check: &str) -> Res {
    let function = builtin(vm, check)?;
    for member in members(vm, value)? {
        let result = vm.call_values(&function, &[subject.clone(), member])?;
        if vm.truthy(&result)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

static METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "__mro_entries__",
        "($self, bases, /)",
        "",
        NativeFn::F2(|vm, v, _| Err(vm.type_error(format!("Cannot subclass {}", vm.repr_lossy(v)?)))),
    ),
    FunctionDef::class("__class_getitem__", "($type, item, /)", "", NativeFn::F2(class_getitem)),
    FunctionDef::new(
        "__instancecheck__",
        "($self, instance, /)",
        "",
        NativeFn::F2(|vm, v, o| any_member(vm, v, o, "isinstance")),
    ),
    FunctionDef::new(
        "__subclasscheck__",
        "($self, cls, /)",
        "",
        NativeFn::F2(|vm, v, o| any_member(vm, v, o, "issubclass")),
    ),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::member("__args__", "", |vm, v| vm.new_tuple(members(vm, v)?)),
    GetSetDef { name: "__name__", doc: "", get: |vm, _| vm.new_str("Union"), set: None },
    GetSetDef { name: "__qualname__", doc: "", get: |vm, _| vm.new_str("Union"), set: None },
    GetSetDef {
        name: "__origin__",
        doc: "The type Union itself.",
        get: |vm, _| Ok(vm.type_for(&UNION)?.into_value()),
        set: None,
    },
    GetSetDef {
        name: "__parameters__",
        doc: "The type parameters among the members.",
        get: parameters,
        set: None,
    },
];

pub static UNION: TypeDef = TypeDef {
    name: "Union",
    module: "typing",
    base: None,
    payload: payload::<Union>(),
    flags: TypeFlags::NO_NEW.or(TypeFlags::WEAKREF),
    doc: "A union of types, as int | str makes it.",
    slots: &[
        Slot::Repr(repr),
        Slot::Hash(hash),
        Slot::Compare(compare),
        Slot::GetItem(get_item),
        Slot::Binary(BinOp::Or, or),
    ],
    methods: METHODS,
    getset: GETSET,
};

/// The alias type, for whoever needs to tell aliases from unions.
pub fn is_alias(vm: &Interpreter, value: &Value) -> Res<bool> {
    Ok(vm.is_instance(value, &vm.type_for(&GENERIC_ALIAS)?))
}

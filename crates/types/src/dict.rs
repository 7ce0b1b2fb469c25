//! The type `dict`. Its views and iterators stand in [`views`](crate::views).

use crate::builtins::method_args;
use crate::generic_alias::CLASS_GETITEM;
use crate::seq;
use crate::views;
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, Dict, FunctionDef, Interpreter, NativeFn, Res, Set, Slot, TypeDef,
    TypeFlags, Value, payload,
};

/// The dict inside a value. Errors: `TypeError`.
pub fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Dict> {
    value.downcast::<Dict>().ok_or_else(|| {
        vm.type_error(format!("expected a 'dict' object but received a '{}'", vm.type_name(value)))
    })
}

fn new(vm: &Interpreter, cls: &Value, _: &CallArgs) -> Res {
    vm.alloc_subclass(cls, Dict::default())
}

fn init(vm: &Interpreter, value: &Value, args: &CallArgs) -> Res<()> {
    let dict = this(vm, value)?;
    fill(vm, dict, "dict", args.positional(), args)
}

fn update(vm: &Interpreter, args: &CallArgs) -> Res {
    let Some((first, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("unbound method dict.update() needs an argument".to_string()));
    };
    let dict = this(vm, first)?;
    fill(vm, dict, "update", rest, args)?;
    Ok(Value::NONE)
}

fn fill(vm: &Interpreter, dict: &Dict, name: &str, given: &[Value], args: &CallArgs) -> Res<()> {
    if given.len() > 1 {
        let n = given.len();
        return Err(vm.type_error(format!("{name} expected at most 1 argument, got {n}")));
    }
    if let Some(source) = given.first() {
        merge(vm, dict, source)?;
    }
    args.keywords().try_for_each(|(key, value)| dict.set(vm, key.clone(), value.clone()))
}

/// Takes the entries of a mapping or of an iterable of pairs.
fn merge(vm: &Interpreter, dict: &Dict, source: &Value) -> Res<()> {
    let plain = vm.types().dict.slots.iter.get();
    if let Some(other) = source.downcast_ref::<Dict>()
        && match (vm.type_of_ref(source).slots.iter.get(), plain) {
            (Some(a), Some(b)) => std::ptr::fn_addr_eq(a, b),
            _ => false,
        }
    {
        if dict.is_empty() && !std::ptr::eq::<Dict>(dict, &*other) {
            dict.replace(vm, other.copied(vm)?);
            return Ok(());
        }
        return merge_dict(vm, dict, &other);
    }
    if vm.get_attr_opt(source, "keys")?.is_some() {
        let keys = vm.call_attr(source, "keys", &[])?;
        return vm.for_each(&keys, |key| {
            let value = vm.get_item(source, &key)?;
            dict.set(vm, key, value)
        });
    }
    let mut i = 0;
    vm.for_each(source, |pair| {
        let items = match vm.collect(&pair) {
            Ok(items) => items,
            Err(raised)
                if vm.raised_is(vm.exceptions().type_error())
                    && vm.type_of_ref(&pair).slots.iter.get().is_none() =>
            {
                drop(vm.take_raised(raised));
                let raised = vm.type_error("object is not iterable".to_string());
                let note = format!("Cannot convert dictionary update sequence element #{i} to a sequence");
                return Err(vm.note_raised(raised, &note));
            }
            Err(raised) => return Err(raised),
        };
        let [key, value] = items.as_slice() else {
            let n = items.len();
            return Err(vm.value_error(format!(
                "dictionary update sequence element #{i} has length {n}; 2 is required"
            )));
        };
        i += 1;
        dict.set(vm, key.clone(), value.clone())
    })
}

fn merge_dict(vm: &Interpreter, dict: &Dict, other: &Dict) -> Res<()> {
    let (len, mut at) = (other.len(), 0);
    while let Some((i, hash, key, value)) = other.hashed_from(at) {
        dict.set_hashed(vm, key, hash, value)?;
        if other.len() != len {
            return Err(vm.runtime_error("dict mutated during update".to_string()));
        }
        at = i + 1;
    }
    Ok(())
}

fn get_item(vm: &Interpreter, value: &Value, key: &Value) -> Res {
    if let Some(found) = this(vm, value)?.get(vm, key)? {
        return Ok(found);
    }
    if !vm.is_exact(value, &vm.types().dict)
        && let Some(missing) = vm.lookup_special(value, "__missing__")?
    {
        return vm.call_descriptor(&missing, value, std::slice::from_ref(key));
    }
    Err(vm.key_error(key.clone()))
}

fn set_item(vm: &Interpreter, value: &Value, key: &Value, new: Option<&Value>) -> Res<()> {
    let dict = this(vm, value)?;
    match new {
        Some(new) => dict.set(vm, key.clone(), new.clone()),
        None => match dict.remove(vm, key)? {
            Some(old) => {
                drop(old);
                Ok(())
            }
            None => Err(vm.key_error(key.clone())),
        },
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let dict = this(vm, value)?;
    seq::guarded_repr(vm, value, "{...}", |w| {
        w.push("{");
        for (i, (key, value)) in dict.pairs().iter().enumerate() {
            if i > 0 {
                w.push(", ");
            }
            w.push_repr(vm, key)?;
            w.push(": ");
            w.push_repr(vm, value)?;
        }
        w.push("}");
        Ok(())
    })
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match op {
        CmpOp::Eq => Ok(Value::bool(equal(vm, &x, &y)?)),
        CmpOp::Ne => Ok(Value::bool(!equal(vm, &x, &y)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn equal(vm: &Interpreter, a: &Dict, b: &Dict) -> Res<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    let mut at = 0;
    while let Some((i, hash, key, value)) = a.hashed_from(at) {
        let other = b.find(vm, &key, hash)?.and_then(|i| b.value_at(i));
        match other {
            Some(other) if vm.keys_equal(&value, &other)? => {}
            _ => return Ok(false),
        }
        at = i + 1;
    }
    Ok(true)
}

fn or(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (Some(x), Some(y)) = (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let dict = vm.alloc(&vm.types().dict, x.copied(vm)?)?;
    merge(vm, this(vm, &dict)?, y.value())?;
    Ok(dict)
}

fn or_inplace(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let dict = this(vm, a)?;
    merge(vm, dict, b)?;
    Ok(a.clone())
}

fn get(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, args) = method_args(vm, "get", call, 1, 2)?;
    let found = this(vm, value)?.get(vm, &args[0])?;
    Ok(found.unwrap_or_else(|| args.get(1).cloned().unwrap_or(Value::NONE)))
}

fn set_default(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, args) = method_args(vm, "setdefault", call, 1, 2)?;
    let default = args.get(1).cloned().unwrap_or(Value::NONE);
    this(vm, value)?.set_default(vm, args[0].clone(), default)
}

fn pop(vm: &Interpreter, call: &CallArgs) -> Res {
    let (value, args) = method_args(vm, "pop", call, 1, 2)?;
    let dict = this(vm, value)?;
    let found = if dict.is_empty() { None } else { dict.remove(vm, &args[0])? };
    match (found, args.get(1)) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.key_error(args[0].clone())),
    }
}

fn pop_item(vm: &Interpreter, value: &Value) -> Res {
    let dict = this(vm, value)?;
    let last = dict.entry_before(usize::MAX).and_then(|(i, ..)| dict.remove_at(vm, i));
    match last {
        Some((key, value)) => vm.new_tuple(vec![key, value]),
        None => Err(vm.key_error(vm.new_str("popitem(): dictionary is empty")?)),
    }
}

fn clear(vm: &Interpreter, value: &Value) -> Res {
    this(vm, value)?.clear_entries();
    Ok(Value::NONE)
}

fn copy(vm: &Interpreter, value: &Value) -> Res {
    vm.alloc(&vm.types().dict, this(vm, value)?.copied(vm)?)
}

fn size_of(vm: &Interpreter, value: &Value) -> Res {
    let bytes = vm.type_of(value).object_size() + this(vm, value)?.table_bytes();
    vm.new_int(bytes as i64)
}

fn from_keys(vm: &Interpreter, args: &Args) -> Res {
    let value = args.get(2).cloned().unwrap_or(Value::NONE);
    let made = vm.call_values(args.req(0), &[])?;
    let exact = vm.is_exact(&made, &vm.types().dict);
    let dict = made.downcast_ref::<Dict>().filter(|_| exact);
    // Keys of a dict or set are hashed already.
    let source = args.req(1);
    let types = vm.types();
    let hashed = if vm.is_exact(source, &types.set) || vm.is_exact(source, &types.frozenset) {
        source.downcast::<Set>().map(Set::entries)
    } else {
        source.downcast::<Dict>().filter(|_| vm.is_exact(source, &types.dict)).map(Dict::hashed_keys)
    };
    if let (Some(dict), Some(hashed)) = (&dict, hashed) {
        for (hash, key) in hashed {
            dict.set_hashed(vm, key, hash, value.clone())?;
        }
        return Ok(made);
    }
    vm.for_each(source, |key| match &dict {
        Some(dict) => dict.set(vm, key, value.clone()),
        None => vm.set_item(&made, &key, Some(&value)),
    })?;
    Ok(made)
}

static METHODS: &[FunctionDef] = &[
    FunctionDef::new(
        "get",
        "($self, key, default=None, /)",
        "The value, or the default.",
        NativeFn::Raw(get),
    ),
    FunctionDef::new(
        "setdefault",
        "($self, key, default=None, /)",
        "The value, set to the default when the key is new.",
        NativeFn::Raw(set_default),
    ),
    FunctionDef::new(
        "pop",
        "($self, key, default=<unrepresentable>, /)",
        "Takes a key out; its value.",
        NativeFn::Raw(pop),
    ),
    FunctionDef::new("popitem", "($self, /)", "Takes the last pair out.", NativeFn::F1(pop_item)),
    FunctionDef::new(
        "update",
        "",
        "Takes over the entries of a mapping, pairs, keywords.",
        NativeFn::Raw(update),
    ),
    FunctionDef::new("clear", "($self, /)", "Takes out all entries.", NativeFn::F1(clear)),
    FunctionDef::new("copy", "($self, /)", "A new dict of the same entries.", NativeFn::F1(copy)),
    FunctionDef::class(
        "fromkeys",
        "($type, iterable, value=None, /)",
        "A dict of these keys.",
        NativeFn::Args(from_keys),
    ),
    FunctionDef::new("keys", "($self, /)", "A view of the keys.", NativeFn::F1(views::keys)),
    FunctionDef::new("values", "($self, /)", "A view of the values.", NativeFn::F1(views::values)),
    FunctionDef::new("items", "($self, /)", "A view of the pairs.", NativeFn::F1(views::items)),
    FunctionDef::new(
        "__reversed__",
        "($self, /)",
        "An iterator over the keys from the end.",
        NativeFn::F1(views::reversed_keys),
    ),
    FunctionDef::new(
        "__contains__",
        "($self, key, /)",
        "True if the dictionary has the specified key, else False.",
        NativeFn::F2(|vm, v, key| this(vm, v)?.contains(vm, key).map(Value::bool)),
    ),
    FunctionDef::new("__getitem__", "($self, key, /)", "Return self[key].", NativeFn::F2(get_item)),
    FunctionDef::new(
        "__sizeof__",
        "($self, /)",
        "Size of the dict in memory, in bytes.",
        NativeFn::F1(size_of),
    ),
    CLASS_GETITEM,
];

pub static DICT: TypeDef = TypeDef {
    name: "dict",
    module: "builtins",
    base: None,
    payload: payload::<Dict>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MAPPING).or(TypeFlags::MATCH_SELF),
    doc: "A mapping in the order of insertion, made of a mapping or of pairs, and of keywords.",
    slots: &[
        Slot::New(new),
        Slot::Init(init),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Len(|vm, v| Ok(this(vm, v)?.len())),
        Slot::GetItem(get_item),
        Slot::SetItem(set_item),
        Slot::Contains(|vm, v, key| this(vm, v)?.contains(vm, key)),
        Slot::Iter(views::iter_keys),
        Slot::Binary(BinOp::Or, or),
        Slot::Inplace(BinOp::Or, or_inplace),
    ],
    methods: METHODS,
    getset: &[],
};

//! What `typing` has natively: type variables, parameter specifications, type aliases, `Generic`. The `type`
//! statement and bracketed type parameters make them through [`intrinsic1`] and [`intrinsic2`].
//!
//! Bounds, constraints, defaults and the values of aliases may be given as evaluators: functions that are called when
//! somebody asks, once.

use crate::seq::Writer;
use crate::{generic_alias, union};
use pellucid_object::args::Signature;
use pellucid_object::{
    Args, BinOp, CallArgs, CmpOp, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot,
    SlotWord, Str, Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::RefCell;

/// A value that is known, or that an evaluator gives when it is first asked for.
#[derive(Default)]
struct Lazy {
    value: SlotWord,
    evaluator: SlotWord,
}

impl Lazy {
    fn known(value: Option<Value>) -> Lazy {
        Lazy { value: SlotWord::new(value), evaluator: SlotWord::default() }
    }
    fn evaluated(evaluator: Option<Value>) -> Lazy {
        Lazy { value: SlotWord::default(), evaluator: SlotWord::new(evaluator) }
    }
    fn trace(&self, visit: &mut Visitor) {
        self.value.trace(visit);
        self.evaluator.trace(visit);
    }
    fn clear(&self) {
        self.value.set(None);
        self.evaluator.set(None);
    }
    /// The value, `None` when there is none and no evaluator either.
    fn get(&self, vm: &Interpreter) -> Res<Option<Value>> {
        if let Some(value) = self.value.get() {
            return Ok(Some(value));
        }
        let Some(evaluator) = self.evaluator.get() else { return Ok(None) };
        let value = vm.call_values(&evaluator, &[])?;
        self.value.set(Some(value.clone()));
        Ok(Some(value))
    }
    /// The evaluator; one that gives the constant when the value was given as such.
    fn evaluator(&self, vm: &Interpreter) -> Res {
        match (self.evaluator.get(), self.value.get()) {
            (Some(evaluator), _) => Ok(evaluator),
            (None, Some(value)) => {
                let payload = ConstEvaluator(SlotWord::new(Some(value)));
                vm.alloc(&vm.type_for(&CONST_EVALUATOR)?, payload)
            }
            (None, None) => Ok(Value::NONE),
        }
    }
}

/// Which kind of type parameter an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    TypeVar,
    ParamSpec,
    TypeVarTuple,
}

/// Payload of `TypeVar`, `ParamSpec` and `TypeVarTuple`.
pub struct TypeParam {
    name: Value,
    kind: Kind,
    bound: Lazy,
    constraints: Lazy,
    default: Lazy,
    covariant: bool,
    contravariant: bool,
    infer_variance: bool,
}

impl Payload for TypeParam {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        for part in [&self.bound, &self.constraints, &self.default] {
            part.trace(visit);
        }
    }
    fn clear(&self) {
        for part in [&self.bound, &self.constraints, &self.default] {
            part.clear();
        }
    }
}

fn param<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a TypeParam> {
    value.downcast::<TypeParam>().ok_or_else(|| vm.type_error("a type parameter was expected".to_string()))
}

/// Calls `typing.<name>(*args)`.
fn call_typing(vm: &Interpreter, name: &str, args: &[Value]) -> Res {
    let function = vm.get_attr_str(&vm.import("typing")?, name)?;
    vm.call_values(&function, args)
}

fn type_check(vm: &Interpreter, value: &Value, message: &str) -> Res {
    if value.is_none() {
        return Ok(vm.types().none_type.value().clone());
    }
    call_typing(vm, "_type_check", &[value.clone(), vm.new_str(message)?])
}

/// `__name__` of the module whose code is running.
fn calling_module(vm: &Interpreter) -> Res<Option<Value>> {
    let Some(globals) = vm.hooks.globals.get().and_then(|hook| hook(vm)) else { return Ok(None) };
    match globals.downcast_ref::<pellucid_object::Dict>() {
        Some(dict) => dict.get_str(vm, &vm.intern_static("__name__")?),
        None => Ok(None),
    }
}

fn set_module(vm: &Interpreter, object: &Value) -> Res<()> {
    vm.set_attr_str(object, "__module__", calling_module(vm)?.unwrap_or(Value::NONE))
}

fn check_name(vm: &Interpreter, function: &str, name: &Value) -> Res<()> {
    if name.downcast::<Str>().is_some() {
        return Ok(());
    }
    let got = vm.type_name(name);
    Err(vm.type_error(format!("{function}() argument 'name' must be str, not {got}")))
}

/// What the constructors of `TypeVar` and `ParamSpec` take besides name and constraints, by index in their signatures.
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}

fn variance(vm: &Interpreter, args: &Args, first: [usize; 3]) -> Res<Variance> {
    let v = Variance {
        covariant: args.bool_or(vm, first[0], false)?,
        contravariant: args.bool_or(vm, first[1], false)?,
        infer: args.bool_or(vm, first[2], false)?,
    };
    if v.covariant && v.contravariant {
        return Err(vm.value_error("Bivariant types are not supported.".to_string()));
    }
    if v.infer && (v.covariant || v.contravariant) {
        return Err(vm.value_error("Variance cannot be specified with infer_variance.".to_string()));
    }
    Ok(v)
}

fn no_default(vm: &Interpreter) -> Res {
    let state = vm.state::<Singletons>();
    if let Some(known) = state.no_default.borrow().as_ref() {
        return Ok(known.clone());
    }
    let made = vm.alloc(&vm.type_for(&NO_DEFAULT_TYPE)?, pellucid_object::interpreter::Plain)?;
    *state.no_default.borrow_mut() = Some(made.clone());
    Ok(made)
}

#[derive(Default)]
struct Singletons {
    no_default: RefCell<Option<Value>>,
}

fn given_default(vm: &Interpreter, value: Option<&Value>) -> Res<Lazy> {
    let absent = no_default(vm)?;
    Ok(Lazy::known(value.filter(|v| !v.is(&absent)).cloned()))
}

fn given_bound(vm: &Interpreter, value: Option<&Value>) -> Res<Lazy> {
    match value {
        Some(bound) if !bound.is_none() => {
            Ok(Lazy::known(Some(type_check(vm, bound, "Bound must be a type.")?)))
        }
        _ => Ok(Lazy::default()),
    }
}

const TYPE_VAR_SIGNATURE: &str = "(name, *constraints, bound=None, default=typing.NoDefault, covariant=False, \
                                  contravariant=False, infer_variance=False)";

fn new_type_var(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = Signature::parse(TYPE_VAR_SIGNATURE).bind(vm, "typevar", false, call)?;
    check_name(vm, "typevar", args.req(0))?;
    let v = variance(vm, &args, [4, 5, 6])?;
    let constraints = vm.collect(args.req(1))?;
    let bound = given_bound(vm, args.get(2))?;
    if constraints.len() == 1 {
        return Err(vm.type_error("A single constraint is not allowed".to_string()));
    }
    if !constraints.is_empty() && bound.value.is_set() {
        return Err(vm.type_error("Constraints cannot be combined with bound=...".to_string()));
    }
    let made = vm.alloc_subclass(
        cls,
        TypeParam {
            name: args.req(0).clone(),
            kind: Kind::TypeVar,
            bound,
            constraints: Lazy::known(Some(args.req(1).clone()).filter(|_| !constraints.is_empty())),
            default: given_default(vm, args.get(3))?,
            covariant: v.covariant,
            contravariant: v.contravariant,
            infer_variance: v.infer,
        },
    )?;
    set_module(vm, &made)?;
    Ok(made)
}

const PARAM_SPEC_SIGNATURE: &str = "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)";

fn new_param_spec(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = Signature::parse(PARAM_SPEC_SIGNATURE).bind(vm, "paramspec", false, call)?;
    check_name(vm, "paramspec", args.req(0))?;
    let v = variance(vm, &args, [3, 4, 5])?;
    let made = vm.alloc_subclass(
        cls,
        TypeParam {
            name: args.req(0).clone(),
            kind: Kind::ParamSpec,
            bound: given_bound(vm, args.get(1))?,
            constraints: Lazy::default(),
            default: given_default(vm, args.get(2))?,
            covariant: v.covariant,
            contravariant: v.contravariant,
            infer_variance: v.infer,
        },
    )?;
    set_module(vm, &made)?;
    Ok(made)
}

fn new_type_var_tuple(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args =
        Signature::parse("(name, *, default=typing.NoDefault)").bind(vm, "typevartuple", false, call)?;
    check_name(vm, "typevartuple", args.req(0))?;
    let default = given_default(vm, args.get(1))?;
    let made =
        vm.alloc_subclass(cls, plain_param(args.req(0).clone(), Kind::TypeVarTuple, false, default))?;
    set_module(vm, &made)?;
    Ok(made)
}

fn plain_param(name: Value, kind: Kind, infer_variance: bool, default: Lazy) -> TypeParam {
    TypeParam {
        name,
        kind,
        bound: Lazy::default(),
        constraints: Lazy::default(),
        default,
        covariant: false,
        contravariant: false,
        infer_variance,
    }
}

fn param_repr(vm: &Interpreter, value: &Value) -> Res {
    let p = param(vm, value)?;
    let sign = match (p.infer_variance || p.kind == Kind::TypeVarTuple, p.covariant, p.contravariant) {
        (true, ..) => return Ok(p.name.clone()),
        (_, true, _) => "+",
        (_, _, true) => "-",
        _ => "~",
    };
    vm.new_str(&format!("{sign}{}", vm.str_lossy(&p.name)))
}

fn param_default(vm: &Interpreter, value: &Value) -> Res {
    param(vm, value)?.default.get(vm)?.map_or_else(|| no_default(vm), Ok)
}

fn param_bound(vm: &Interpreter, value: &Value) -> Res {
    Ok(param(vm, value)?.bound.get(vm)?.unwrap_or(Value::NONE))
}

fn param_constraints(vm: &Interpreter, value: &Value) -> Res {
    param(vm, value)?.constraints.get(vm)?.map_or_else(|| vm.new_tuple(Vec::new()), Ok)
}

fn cannot_subclass(vm: &Interpreter, value: &Value, _: &Value) -> Res {
    let name = vm.type_of(value).name();
    Err(vm.type_error(format!("Cannot subclass an instance of {name}")))
}

fn subst(vm: &Interpreter, value: &Value, arg: &Value) -> Res {
    match param(vm, value)?.kind {
        Kind::TypeVar => call_typing(vm, "_typevar_subst", &[value.clone(), arg.clone()]),
        Kind::ParamSpec => call_typing(vm, "_paramspec_subst", &[value.clone(), arg.clone()]),
        Kind::TypeVarTuple => {
            Err(vm.type_error("Substitution of bare TypeVarTuple is not supported".to_string()))
        }
    }
}

fn prepare_subst(vm: &Interpreter, value: &Value, alias: &Value, args: &Value) -> Res {
    let call = |name: &str| call_typing(vm, name, &[value.clone(), alias.clone(), args.clone()]);
    match param(vm, value)?.kind {
        Kind::ParamSpec => return call("_paramspec_prepare_subst"),
        Kind::TypeVarTuple => return call("_typevartuple_prepare_subst"),
        Kind::TypeVar => {}
    }
    let parameters = vm.collect(&vm.get_attr_str(alias, "__parameters__")?)?;
    let mut given = vm.collect(args)?;
    let mut index = parameters.len();
    for (i, p) in parameters.iter().enumerate() {
        if vm.keys_equal(p, value)? {
            index = i;
            break;
        }
    }
    if index < given.len() {
        return Ok(args.clone());
    }
    if index == given.len()
        && let Some(default) = param(vm, value)?.default.get(vm)?
    {
        given.push(default);
        return vm.new_tuple(given);
    }
    let (alias, actual, least) = (vm.str_lossy(&vm.str(alias)?), given.len(), index + 1);
    Err(vm.type_error(format!("Too few arguments for {alias}; actual {actual}, expected at least {least}")))
}

fn has_default(vm: &Interpreter, value: &Value) -> Res {
    let default = &param(vm, value)?.default;
    Ok(Value::bool(default.value.is_set() || default.evaluator.is_set()))
}

/// `Unpack[value]`.
fn unpacked(vm: &Interpreter, value: &Value) -> Res {
    let unpack = vm.get_attr_str(&vm.import("typing")?, "Unpack")?;
    vm.get_item(&unpack, value)
}

fn iter_unpacked(vm: &Interpreter, value: &Value) -> Res {
    vm.iter(&vm.new_tuple(vec![unpacked(vm, value)?])?)
}

fn param_reduce(vm: &Interpreter, value: &Value) -> Res {
    Ok(param(vm, value)?.name.clone())
}

const fn method(name: &'static str, sig: &'static str, doc: &'static str, function: NativeFn) -> FunctionDef {
    FunctionDef::new(name, sig, doc, function)
}

const fn attribute(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: None }
}

/// As [`attribute`], of the kind that answers to assignment with `readonly attribute`.
const fn member(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef::member(name, "", get)
}

const PARAM_METHODS: [FunctionDef; 5] = [
    method("__typing_subst__", "($self, arg, /)", "", NativeFn::F2(subst)),
    method("__typing_prepare_subst__", "($self, alias, args, /)", "", NativeFn::F3(prepare_subst)),
    method("__reduce__", "($self, /)", "", NativeFn::F1(param_reduce)),
    method("has_default", "($self, /)", "", NativeFn::F1(has_default)),
    method("__mro_entries__", "($self, bases, /)", "", NativeFn::F2(cannot_subclass)),
];

static PARAM_METHOD_TABLE: [FunctionDef; 5] = PARAM_METHODS;

const NAME: GetSetDef = member("__name__", |vm, v| Ok(param(vm, v)?.name.clone()));
const COVARIANT: GetSetDef = member("__covariant__", |vm, v| Ok(Value::bool(param(vm, v)?.covariant)));
const CONTRAVARIANT: GetSetDef =
    member("__contravariant__", |vm, v| Ok(Value::bool(param(vm, v)?.contravariant)));
const INFER: GetSetDef = member("__infer_variance__", |vm, v| Ok(Value::bool(param(vm, v)?.infer_variance)));
const BOUND: GetSetDef = attribute("__bound__", param_bound);
const DEFAULT: GetSetDef = attribute("__default__", param_default);
const EVALUATE_DEFAULT: GetSetDef =
    attribute("evaluate_default", |vm, v| param(vm, v)?.default.evaluator(vm));

const PARAM_FLAGS: TypeFlags = TypeFlags::WEAKREF.or(TypeFlags::HAS_DICT);

pub static TYPE_VAR: TypeDef = TypeDef {
    name: "TypeVar",
    module: "typing",
    base: None,
    payload: payload::<TypeParam>(),
    flags: PARAM_FLAGS,
    doc: "A type variable: stands for any type, for one of its constraints, or for what its bound allows.",
    slots: &[Slot::New(new_type_var), Slot::Repr(param_repr), Slot::Binary(BinOp::Or, union::or_checked)],
    methods: &PARAM_METHOD_TABLE,
    getset: &[
        NAME,
        COVARIANT,
        CONTRAVARIANT,
        INFER,
        BOUND,
        DEFAULT,
        EVALUATE_DEFAULT,
        attribute("__constraints__", param_constraints),
        attribute("evaluate_bound", |vm, v| param(vm, v)?.bound.evaluator(vm)),
        attribute("evaluate_constraints", |vm, v| param(vm, v)?.constraints.evaluator(vm)),
    ],
};

pub static PARAM_SPEC: TypeDef = TypeDef {
    name: "ParamSpec",
    module: "typing",
    base: None,
    payload: payload::<TypeParam>(),
    flags: PARAM_FLAGS,
    doc: "A parameter specification: stands for the parameters of a callable.",
    slots: &[Slot::New(new_param_spec), Slot::Repr(param_repr), Slot::Binary(BinOp::Or, union::or_checked)],
    methods: &PARAM_METHOD_TABLE,
    getset: &[
        NAME,
        COVARIANT,
        CONTRAVARIANT,
        INFER,
        BOUND,
        DEFAULT,
        EVALUATE_DEFAULT,
        attribute("args", |vm, v| new_part(vm, &PARAM_SPEC_ARGS, v)),
        attribute("kwargs", |vm, v| new_part(vm, &PARAM_SPEC_KWARGS, v)),
    ],
};

pub static TYPE_VAR_TUPLE: TypeDef = TypeDef {
    name: "TypeVarTuple",
    module: "typing",
    base: None,
    payload: payload::<TypeParam>(),
    flags: PARAM_FLAGS,
    doc: "A type variable tuple: stands for any number of types.",
    slots: &[Slot::New(new_type_var_tuple), Slot::Repr(param_repr), Slot::Iter(iter_unpacked)],
    methods: &PARAM_METHOD_TABLE,
    getset: &[NAME, DEFAULT, EVALUATE_DEFAULT],
};

// ---- P.args and P.kwargs ----

/// Payload of `ParamSpecArgs` and `ParamSpecKwargs`.
pub struct ParamSpecPart {
    origin: Value,
}

impl Payload for ParamSpecPart {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.origin);
    }
}

fn new_part(vm: &Interpreter, def: &'static TypeDef, origin: &Value) -> Res {
    vm.alloc(&vm.type_for(def)?, ParamSpecPart { origin: origin.clone() })
}

fn origin(vm: &Interpreter, value: &Value) -> Res {
    match value.downcast::<ParamSpecPart>() {
        Some(part) => Ok(part.origin.clone()),
        None => Err(vm.type_error("a part of a ParamSpec was expected".to_string())),
    }
}

fn part_repr(vm: &Interpreter, value: &Value, what: &str) -> Res {
    let origin = origin(vm, value)?;
    let name = match origin.downcast::<TypeParam>() {
        Some(p) if p.kind == Kind::ParamSpec => vm.str_lossy(&p.name),
        _ => vm.repr_lossy(&origin)?,
    };
    vm.new_str(&format!("{name}.{what}"))
}

fn part_compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !vm.type_of(a).value().is(vm.type_of(b).value()) || (op != CmpOp::Eq && op != CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.compare(op, &origin(vm, a)?, &origin(vm, b)?)
}

static PART_METHODS: [FunctionDef; 1] =
    [method("__mro_entries__", "($self, bases, /)", "", NativeFn::F2(cannot_subclass))];
static PART_GETSET: [GetSetDef; 1] = [member("__origin__", origin)];

pub static PARAM_SPEC_ARGS: TypeDef = TypeDef {
    name: "ParamSpecArgs",
    module: "typing",
    base: None,
    payload: payload::<ParamSpecPart>(),
    flags: TypeFlags::WEAKREF,
    doc: "The args for a ParamSpec object: P.args.",
    slots: &[
        Slot::New(|vm, cls, call| {
            let args = Signature::parse("(origin)").bind(vm, "paramspecargs", false, call)?;
            vm.alloc_subclass(cls, ParamSpecPart { origin: args.req(0).clone() })
        }),
        Slot::Repr(|vm, v| part_repr(vm, v, "args")),
        Slot::Compare(part_compare),
    ],
    methods: &PART_METHODS,
    getset: &PART_GETSET,
};

pub static PARAM_SPEC_KWARGS: TypeDef = TypeDef {
    name: "ParamSpecKwargs",
    module: "typing",
    base: None,
    payload: payload::<ParamSpecPart>(),
    flags: TypeFlags::WEAKREF,
    doc: "The kwargs for a ParamSpec object: P.kwargs.",
    slots: &[
        Slot::New(|vm, cls, call| {
            let args = Signature::parse("(origin)").bind(vm, "paramspeckwargs", false, call)?;
            vm.alloc_subclass(cls, ParamSpecPart { origin: args.req(0).clone() })
        }),
        Slot::Repr(|vm, v| part_repr(vm, v, "kwargs")),
        Slot::Compare(part_compare),
    ],
    methods: &PART_METHODS,
    getset: &PART_GETSET,
};

// ---- type aliases ----

/// Payload of `TypeAliasType`.
pub struct TypeAlias {
    name: Value,
    /// A tuple, or `None` when it is not generic.
    type_params: Option<Value>,
    value: Lazy,
    module: SlotWord,
}

impl Payload for TypeAlias {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.name);
        self.type_params.iter().for_each(&mut *visit);
        self.value.trace(visit);
        self.module.trace(visit);
    }
    fn clear(&self) {
        self.value.clear();
        self.module.set(None);
    }
}

fn alias<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a TypeAlias> {
    value.downcast::<TypeAlias>().ok_or_else(|| vm.type_error("a type alias was expected".to_string()))
}

fn new_alias(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = Signature::parse("(name, value, *, type_params=())").bind(vm, "typealias", false, call)?;
    check_name(vm, "typealias", args.req(0))?;
    let type_params = match args.get(2) {
        None => None,
        Some(params) if params.downcast::<Tuple>().is_some() => {
            check_type_params(vm, params)?;
            Some(params.clone()).filter(|p| p.downcast::<Tuple>().is_some_and(|t| !t.is_empty()))
        }
        Some(_) => return Err(vm.type_error("type_params must be a tuple".to_string())),
    };
    let module = SlotWord::new(calling_module(vm)?);
    let value = Lazy::known(Some(args.req(1).clone()));
    vm.alloc_subclass(cls, TypeAlias { name: args.req(0).clone(), type_params, value, module })
}

fn check_type_params(vm: &Interpreter, params: &Value) -> Res<()> {
    let mut default_seen = false;
    for p in vm.collect(params)? {
        let Some(info) = p.downcast::<TypeParam>() else {
            let text = vm.repr_lossy(&p)?;
            return Err(vm.type_error(format!("Expected a type param, got {text}")));
        };
        if info.default.get(vm)?.is_some() {
            default_seen = true;
        } else if default_seen {
            let text = vm.repr_lossy(&p)?;
            return Err(
                vm.type_error(format!("non-default type parameter '{text}' follows default type parameter"))
            );
        }
    }
    Ok(())
}

/// The parameters with type variable tuples unpacked, as `Generic` and aliases show them.
fn unpack_tuples(vm: &Interpreter, params: &Value) -> Res {
    let items = vm.collect(params)?;
    let mut result = Vec::with_capacity(items.len());
    for item in items {
        let tuple = item.downcast::<TypeParam>().is_some_and(|p| p.kind == Kind::TypeVarTuple);
        result.push(if tuple { unpacked(vm, &item)? } else { item });
    }
    vm.new_tuple(result)
}

fn alias_parameters(vm: &Interpreter, value: &Value) -> Res {
    match &alias(vm, value)?.type_params {
        Some(params) => unpack_tuples(vm, params),
        None => vm.new_tuple(Vec::new()),
    }
}

fn alias_get_item(vm: &Interpreter, value: &Value, item: &Value) -> Res {
    if alias(vm, value)?.type_params.is_none() {
        return Err(vm.type_error("Only generic type aliases are subscriptable".to_string()));
    }
    generic_alias::class_getitem(vm, value, item)
}

fn alias_module(vm: &Interpreter, value: &Value) -> Res {
    let this = alias(vm, value)?;
    if let Some(evaluator) = this.value.evaluator.get()
        && let Some(module) = vm.get_attr_opt(&evaluator, "__module__")?
    {
        return Ok(module);
    }
    Ok(this.module.get().unwrap_or(Value::NONE))
}

pub static TYPE_ALIAS_TYPE: TypeDef = TypeDef {
    name: "TypeAliasType",
    module: "typing",
    base: None,
    payload: payload::<TypeAlias>(),
    flags: TypeFlags::WEAKREF,
    doc: "A type alias, as the type statement makes it: its value is worked out when it is first asked for.",
    slots: &[
        Slot::New(new_alias),
        Slot::Repr(|vm, v| Ok(alias(vm, v)?.name.clone())),
        Slot::GetItem(alias_get_item),
        Slot::Iter(iter_unpacked),
        Slot::Binary(BinOp::Or, union::or_checked),
    ],
    methods: &[method("__reduce__", "($self, /)", "", NativeFn::F1(|vm, v| Ok(alias(vm, v)?.name.clone())))],
    getset: &[
        member("__name__", |vm, v| Ok(alias(vm, v)?.name.clone())),
        attribute("__value__", |vm, v| Ok(alias(vm, v)?.value.get(vm)?.unwrap_or(Value::NONE))),
        attribute("__parameters__", alias_parameters),
        attribute("__type_params__", |vm, v| match &alias(vm, v)?.type_params {
            Some(params) => Ok(params.clone()),
            None => vm.new_tuple(Vec::new()),
        }),
        attribute("__module__", alias_module),
        attribute("evaluate_value", |vm, v| alias(vm, v)?.value.evaluator(vm)),
    ],
};

// ---- Generic, NoDefault, evaluators of constants ----

/// Payload of what a [`Lazy`] without an evaluator answers with.
pub struct ConstEvaluator(SlotWord);

impl Payload for ConstEvaluator {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

/// `annotationlib.Format.STRING`.
const FORMAT_STRING: i64 = 4;

fn call_const_evaluator(vm: &Interpreter, callee: &Value, call: &CallArgs) -> Res {
    let value = callee.downcast::<ConstEvaluator>().and_then(|e| e.0.get()).unwrap_or(Value::NONE);
    if !call.names.is_empty() {
        return Err(vm.type_error("constevaluator.__call__() takes no keyword arguments".to_string()));
    }
    let [format] = call.values else {
        let n = call.values.len();
        return Err(vm.type_error(format!("constevaluator.__call__() takes exactly 1 argument ({n} given)")));
    };
    if vm.expect_i64(format)? != FORMAT_STRING {
        return Ok(value);
    }
    let mut w = Writer::default();
    match value.downcast::<Tuple>() {
        Some(tuple) => {
            let items = tuple.items();
            w.push("(");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    w.push(", ");
                }
                generic_alias::write_type(vm, &mut w, item)?;
            }
            w.push(if items.len() == 1 { ",)" } else { ")" });
        }
        None => generic_alias::write_type(vm, &mut w, &value)?,
    }
    w.finish(vm)
}

pub static CONST_EVALUATOR: TypeDef = TypeDef {
    name: "_ConstEvaluator",
    module: "_typing",
    base: None,
    payload: payload::<ConstEvaluator>(),
    flags: TypeFlags::NO_NEW,
    doc: "Gives a constant, as the evaluator of a bound, constraint or default that was not lazy.",
    slots: &[
        Slot::Call(call_const_evaluator),
        Slot::Repr(|vm, v| {
            let value = v.downcast::<ConstEvaluator>().and_then(|e| e.0.get()).unwrap_or(Value::NONE);
            vm.new_str(&format!("<constevaluator {}>", vm.repr_lossy(&value)?))
        }),
    ],
    methods: &[],
    getset: &[],
};

pub static NO_DEFAULT_TYPE: TypeDef = TypeDef {
    name: "NoDefaultType",
    module: "typing",
    base: None,
    payload: payload::<pellucid_object::interpreter::Plain>(),
    flags: TypeFlags::NONE,
    doc: "The type of the NoDefault singleton.",
    slots: &[
        Slot::New(|vm, _, call| {
            if !call.values.is_empty() {
                return Err(vm.type_error("NoDefaultType takes no arguments".to_string()));
            }
            no_default(vm)
        }),
        Slot::Repr(|vm, _| vm.new_str("typing.NoDefault")),
    ],
    methods: &[method("__reduce__", "($self, /)", "", NativeFn::F1(|vm, _| vm.new_str("NoDefault")))],
    getset: &[],
};

fn call_typing_with(vm: &Interpreter, name: &str, call: &CallArgs) -> Res {
    let function = vm.get_attr_str(&vm.import("typing")?, name)?;
    vm.call(&function, call)
}

pub static GENERIC: TypeDef = TypeDef {
    name: "Generic",
    module: "typing",
    base: None,
    payload: payload::<pellucid_object::interpreter::Plain>(),
    flags: TypeFlags::BASETYPE.or(TypeFlags::MUTABLE),
    doc: "Abstract base class for generic types, written class C[T]: or class C(Generic[T]):.",
    slots: &[],
    methods: &[
        FunctionDef::class(
            "__class_getitem__",
            "($cls, /, *args, **kwargs)",
            "Parameterizes a generic class.",
            NativeFn::Raw(|vm, call| call_typing_with(vm, "_generic_class_getitem", call)),
        ),
        FunctionDef::class(
            "__init_subclass__",
            "($cls, /, *args, **kwargs)",
            "Function to initialize subclasses.",
            NativeFn::Raw(|vm, call| call_typing_with(vm, "_generic_init_subclass", call)),
        ),
    ],
    getset: &[],
};

/// `typing.NoDefault`.
pub fn no_default_constant(vm: &Interpreter) -> Res {
    no_default(vm)
}

// ---- what the compiler asks for ----
// The numbers are those of `pellucid_bytecode::ops::Intrinsic`. ORDER INTRINSIC.

fn compiled_param(vm: &Interpreter, def: &'static TypeDef, param: TypeParam) -> Res {
    vm.alloc(&vm.type_for(def)?, param)
}

/// `INTRINSIC_1 number`: what becomes of the value on the stack.
pub fn intrinsic1(vm: &Interpreter, number: u32, value: Value) -> Res {
    match number {
        0 => compiled_param(vm, &TYPE_VAR, plain_param(value, Kind::TypeVar, true, Lazy::default())),
        3 => compiled_param(vm, &PARAM_SPEC, plain_param(value, Kind::ParamSpec, true, Lazy::default())),
        4 => compiled_param(
            vm,
            &TYPE_VAR_TUPLE,
            plain_param(value, Kind::TypeVarTuple, false, Lazy::default()),
        ),
        6 => compiled_alias(vm, &value),
        7 => {
            let params = unpack_tuples(vm, &value)?;
            let generic = vm.type_for(&GENERIC)?.into_value();
            call_typing(vm, "_GenericAlias", &[generic, params])
        }
        _ => Err(vm.system_error(format!("intrinsic {number} does not take one value"))),
    }
}

/// `type name[params] = ...`, of a tuple of name, parameters (or `None`) and evaluator.
fn compiled_alias(vm: &Interpreter, parts: &Value) -> Res {
    let items = vm.collect(parts)?;
    let [name, params, evaluator] = items.as_slice() else {
        return Err(vm.system_error("a type alias needs name, parameters and evaluator".to_string()));
    };
    let params = Some(params).filter(|p| p.downcast::<Tuple>().is_some_and(|t| !t.is_empty())).cloned();
    let alias = TypeAlias {
        name: name.clone(),
        type_params: params,
        value: Lazy::evaluated(Some(evaluator.clone())),
        module: SlotWord::default(),
    };
    vm.alloc(&vm.type_for(&TYPE_ALIAS_TYPE)?, alias)
}

/// `INTRINSIC_2 number`: what becomes of the two values on the stack, `b` being on top.
pub fn intrinsic2(vm: &Interpreter, number: u32, a: Value, b: Value) -> Res {
    match number {
        1 => {
            let mut param = plain_param(a, Kind::TypeVar, true, Lazy::default());
            param.bound = Lazy::evaluated(Some(b));
            compiled_param(vm, &TYPE_VAR, param)
        }
        2 => {
            let mut param = plain_param(a, Kind::TypeVar, true, Lazy::default());
            param.constraints = Lazy::evaluated(Some(b));
            compiled_param(vm, &TYPE_VAR, param)
        }
        5 => {
            param(vm, &a)?.default.evaluator.set(Some(b));
            Ok(a)
        }
        8 => {
            vm.set_attr_str(&a, "__type_params__", b)?;
            Ok(a)
        }
        _ => Err(vm.system_error(format!("intrinsic {number} does not take two values"))),
    }
}

/// The types of the module `_typing`.
pub static TYPES: &[&TypeDef] = &[
    &TYPE_VAR,
    &PARAM_SPEC,
    &TYPE_VAR_TUPLE,
    &PARAM_SPEC_ARGS,
    &PARAM_SPEC_KWARGS,
    &TYPE_ALIAS_TYPE,
    &GENERIC,
    &union::UNION,
];

//! `_csv.Dialect`: how rows are written and read.

use super::{dialects, error};
use pellucid_object::{
    CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Slot, Str, TypeDef,
    TypeFlags, Value, payload,
};

/// When fields are quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    Minimal,
    All,
    NonNumeric,
    None,
    Strings,
    NotNull,
}

const QUOTINGS: [Quoting; 6] =
    [Quoting::Minimal, Quoting::All, Quoting::NonNumeric, Quoting::None, Quoting::Strings, Quoting::NotNull];

/// Payload of `_csv.Dialect`.
#[derive(Clone)]
pub struct Dialect {
    pub delimiter: u32,
    pub quote: Option<u32>,
    pub escape: Option<u32>,
    pub line_terminator: Vec<u32>,
    pub double_quote: bool,
    pub skip_space: bool,
    pub strict: bool,
    pub quoting: Quoting,
}

impl Payload for Dialect {
    const CONTAINER: bool = false;
}

const PARAMETERS: [&str; 9] = [
    "dialect",
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

/// One character, or `None`. Errors: `TypeError`.
fn character(vm: &Interpreter, name: &str, value: Option<&Value>, default: Option<u32>) -> Res<Option<u32>> {
    let Some(value) = value else { return Ok(default) };
    if value.is_none() {
        return Ok(None);
    }
    let Some(s) = value.downcast::<Str>() else {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("\"{name}\" must be string or None, not {got}")));
    };
    match (s.text.len(), s.text.get(0)) {
        (1, Some(point)) => Ok(Some(point)),
        _ => Err(vm.type_error(format!("\"{name}\" must be a 1-character string"))),
    }
}

/// The parameters given by keyword, over those of another dialect.
fn build(vm: &Interpreter, bound: [Option<Value>; 9]) -> Res<Dialect> {
    let [base, delimiter, double_quote, escape, line_terminator, quote, quoting, skip_space, strict] = bound;
    let field = |given: Option<Value>, name: &str| -> Res<Option<Value>> {
        match (given, &base) {
            (Some(value), _) => Ok(Some(value)),
            (None, Some(base)) => vm.get_attr_opt(base, name),
            (None, None) => Ok(None),
        }
    };
    let delimiter = field(delimiter, "delimiter")?;
    let double_quote = field(double_quote, "doublequote")?;
    let escape = field(escape, "escapechar")?;
    let line_terminator = field(line_terminator, "lineterminator")?;
    let quote = field(quote, "quotechar")?;
    let quoting_given = field(quoting, "quoting")?;
    let skip_space = field(skip_space, "skipinitialspace")?;
    let strict = field(strict, "strict")?;
    let flag = |value: &Option<Value>, default: bool| value.as_ref().map_or(Ok(default), |v| vm.truthy(v));
    let delimiter = match &delimiter {
        None => u32::from(','),
        Some(value) => {
            if value.downcast::<Str>().is_none() {
                let got = vm.type_name(value);
                return Err(vm.type_error(format!("\"delimiter\" must be string, not {got}")));
            }
            character(vm, "delimiter", Some(value), None)?.unwrap_or(0)
        }
    };
    let double_quote = flag(&double_quote, true)?;
    let escape = character(vm, "escapechar", escape.as_ref(), None)?;
    let line_terminator = match &line_terminator {
        None => vec![13, 10],
        Some(value) => match value.downcast::<Str>() {
            Some(s) => s.text.code_points().collect(),
            None => return Err(vm.type_error("\"lineterminator\" must be a string".to_string())),
        },
    };
    let quote_given = character(vm, "quotechar", quote.as_ref(), Some(u32::from('"')))?;
    let quoting = match &quoting_given {
        // Without a quote character and without a wish, nothing is quoted.
        None if quote.is_some() && quote_given.is_none() => Quoting::None,
        None => Quoting::Minimal,
        Some(value) if value.as_int().is_none() => {
            return Err(vm.type_error("\"quoting\" must be an integer".to_string()));
        }
        Some(value) => {
            let number = vm.as_i64(value).and_then(|i| usize::try_from(i).ok());
            match number.and_then(|n| QUOTINGS.get(n)) {
                Some(quoting) => *quoting,
                None => return Err(vm.type_error("bad \"quoting\" value".to_string())),
            }
        }
    };
    let skip_space = flag(&skip_space, false)?;
    let strict = flag(&strict, false)?;
    if quoting != Quoting::None && quote_given.is_none() {
        return Err(vm.type_error("quotechar must be set if quoting enabled".to_string()));
    }
    let dialect = Dialect {
        delimiter,
        quote: quote_given,
        escape,
        line_terminator,
        double_quote,
        skip_space,
        strict,
        quoting,
    };
    check(vm, &dialect)?;
    Ok(dialect)
}

/// Characters that mean two things at once are refused. Errors: `ValueError`.
fn check(vm: &Interpreter, dialect: &Dialect) -> Res<()> {
    let named = [
        ("delimiter", Some(dialect.delimiter)),
        ("escapechar", dialect.escape),
        ("quotechar", dialect.quote),
    ];
    for (name, point) in named {
        let Some(point) = point else { continue };
        let space = dialect.skip_space && point == 0x20 && name != "delimiter";
        if matches!(point, 0x0a | 0x0d) || space {
            return Err(vm.value_error(format!("bad {name} value")));
        }
    }
    for (i, (name, point)) in named.iter().enumerate() {
        for (other, second) in &named[i + 1..] {
            if point.is_some() && point == second {
                return Err(vm.value_error(format!("bad {name} or {other} value")));
            }
        }
    }
    for (name, point) in named {
        if point.is_some_and(|point| dialect.line_terminator.contains(&point)) {
            return Err(vm.value_error(format!("bad {name} or lineterminator value")));
        }
    }
    Ok(())
}

/// A dialect given by name or as an object that has the parameters as attributes.
fn base(vm: &Interpreter, value: Option<Value>) -> Res<Option<Value>> {
    match value {
        Some(name) if name.downcast::<Str>().is_some() => match dialects(vm)?.get(vm, &name)? {
            Some(found) => Ok(Some(found)),
            None => Err(error(vm, "unknown dialect")),
        },
        Some(value) if value.is_none() => Ok(None),
        other => Ok(other),
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let mut bound = bind(vm, args)?;
    bound[0] = base(vm, bound[0].take())?;
    let only_base = bound[1..].iter().all(Option::is_none);
    if let Some(given) = &bound[0]
        && only_base
        && given.downcast::<Dialect>().is_some()
    {
        return Ok(given.clone());
    }
    vm.alloc_subclass(cls, build(vm, bound)?)
}

fn bind(vm: &Interpreter, args: &CallArgs) -> Res<[Option<Value>; 9]> {
    for (name, _) in args.keywords() {
        let name = vm.str_lossy(name);
        if !PARAMETERS.contains(&name.as_str()) {
            return Err(vm.type_error(format!("this function got an unexpected keyword argument '{name}'")));
        }
    }
    pellucid_types::seq::bind(vm, "Dialect", PARAMETERS, args)
}

/// The dialect of a reader or writer: one object, and keywords over it.
pub fn with_keywords(vm: &Interpreter, dialect: Option<&Value>, keywords: &Value) -> Res {
    let ty = vm.type_for(&DIALECT)?;
    let mut values: Vec<Value> = dialect.cloned().into_iter().collect();
    let mut names = Vec::new();
    if let Some(keywords) = keywords.downcast::<Dict>() {
        for (name, value) in keywords.pairs() {
            names.push(name);
            values.push(value);
        }
    }
    new(vm, ty.value(), &CallArgs { values: &values, names: &names })
}

/// The payload of what [`with_keywords`] made.
pub fn of(vm: &Interpreter, value: &Value) -> Res<Ref<Dialect>> {
    value.downcast_ref::<Dialect>().ok_or_else(|| vm.bug("no dialect"))
}

fn text(vm: &Interpreter, point: Option<u32>) -> Res {
    point.map_or(Ok(Value::NONE), |point| vm.str_of_point(point))
}

fn refuse_pickling(vm: &Interpreter, this: &Value) -> Res {
    Err(vm.type_error(format!("cannot pickle '{}' object", vm.type_name(this))))
}

#[rustfmt::skip]
pub static DIALECT: TypeDef = TypeDef {
    name: "Dialect",
    module: "_csv",
    base: None,
    payload: payload::<Dialect>(),
    flags: TypeFlags::BASETYPE,
    doc: "CSV dialect\n\nThe Dialect type records CSV dialect options.",
    slots: &[Slot::New(new)],
    methods: &[
        FunctionDef::new("__reduce__", "($self, /)", "raises an exception to avoid pickling", NativeFn::F1(refuse_pickling)),
        FunctionDef::new("__reduce_ex__", "($self, protocol, /)", "raises an exception to avoid pickling", NativeFn::F2(|vm, this, _| refuse_pickling(vm, this))),
    ],
    getset: &[
        GetSetDef { name: "delimiter", doc: "", get: |vm, this| text(vm, Some(of(vm, this)?.delimiter)), set: None },
        GetSetDef { name: "doublequote", doc: "", get: |vm, this| Ok(Value::bool(of(vm, this)?.double_quote)), set: None },
        GetSetDef { name: "escapechar", doc: "", get: |vm, this| text(vm, of(vm, this)?.escape), set: None },
        GetSetDef { name: "lineterminator", doc: "", get: |vm, this| vm.made_text(pellucid_object::Text::from_code_points(&of(vm, this)?.line_terminator)), set: None },
        GetSetDef { name: "quotechar", doc: "", get: |vm, this| text(vm, of(vm, this)?.quote), set: None },
        GetSetDef { name: "quoting", doc: "", get: |vm, this| vm.new_int(of(vm, this)?.quoting as i64), set: None },
        GetSetDef { name: "skipinitialspace", doc: "", get: |vm, this| Ok(Value::bool(of(vm, this)?.skip_space)), set: None },
        GetSetDef { name: "strict", doc: "", get: |vm, this| Ok(Value::bool(of(vm, this)?.strict)), set: None },
    ],
};

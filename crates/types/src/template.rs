//! `string.templatelib`: what template strings (`t"..."`) are made of.

use crate::generic_alias::CLASS_GETITEM;
use crate::seq::Writer;
use pellucid_object::args::Signature;
use pellucid_object::{
    BinOp, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Str, Text,
    Tuple, TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::Cell;

/// Payload of `Template`: one string more than interpolations.
pub struct Template {
    strings: SlotWord,
    interpolations: SlotWord,
}

impl Payload for Template {
    fn trace(&self, visit: &mut Visitor) {
        self.strings.trace(visit);
        self.interpolations.trace(visit);
    }
    fn clear(&self) {
        self.strings.set(None);
        self.interpolations.set(None);
    }
}

/// Payload of `Interpolation`.
pub struct Interpolation {
    value: SlotWord,
    expression: SlotWord,
    /// A `str` or `None`.
    conversion: SlotWord,
    format_spec: SlotWord,
}

impl Interpolation {
    fn words(&self) -> [&SlotWord; 4] {
        [&self.value, &self.expression, &self.conversion, &self.format_spec]
    }
}

impl Payload for Interpolation {
    fn trace(&self, visit: &mut Visitor) {
        self.words().iter().for_each(|w| w.trace(visit));
    }
    fn clear(&self) {
        self.words().iter().for_each(|w| w.set(None));
    }
}

fn template<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Template> {
    value.downcast::<Template>().ok_or_else(|| vm.type_error("a Template was expected".to_string()))
}

fn interpolation<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Interpolation> {
    value
        .downcast::<Interpolation>()
        .ok_or_else(|| vm.type_error("an Interpolation was expected".to_string()))
}

/// A `Template` of strings and the interpolations between them. Errors: `MemoryError`.
pub fn new_template(vm: &Interpreter, strings: Value, interpolations: Value) -> Res {
    let payload = Template {
        strings: SlotWord::new(Some(strings)),
        interpolations: SlotWord::new(Some(interpolations)),
    };
    vm.alloc(&vm.type_for(&TEMPLATE)?, payload)
}

/// An `Interpolation`; `conversion` is `'s'`, `'r'`, `'a'` or `None`. Errors: `MemoryError`.
pub fn new_interpolation(
    vm: &Interpreter,
    value: Value,
    expression: Value,
    conversion: Value,
    format_spec: Value,
) -> Res {
    let payload = Interpolation {
        value: SlotWord::new(Some(value)),
        expression: SlotWord::new(Some(expression)),
        conversion: SlotWord::new(Some(conversion)),
        format_spec: SlotWord::new(Some(format_spec)),
    };
    vm.alloc(&vm.type_for(&INTERPOLATION)?, payload)
}

fn word(place: &SlotWord) -> Value {
    place.get().unwrap_or(Value::NONE)
}

fn items(place: &SlotWord) -> Vec<Value> {
    place.get().and_then(|t| t.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default()
}

/// Joins two strings. Errors: `MemoryError`.
fn concat(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let mut points: Vec<u32> = Vec::new();
    for part in [a, b] {
        if let Some(s) = part.downcast::<Str>() {
            points.extend(s.text.code_points());
        }
    }
    vm.new_text(Text::from_code_points(&points).map_err(|_| vm.no_memory())?)
}

/// Strings and interpolations sorted out; neighbouring strings become one.
#[derive(Default)]
struct Parts {
    strings: Vec<Value>,
    interpolations: Vec<Value>,
    /// The last thing was a string, which another one continues.
    open: bool,
}

impl Parts {
    fn string(&mut self, vm: &Interpreter, text: &Value) -> Res<()> {
        match self.strings.last_mut().filter(|_| self.open) {
            Some(last) => *last = concat(vm, last, text)?,
            None => self.strings.push(text.clone()),
        }
        self.open = true;
        Ok(())
    }

    fn interpolation(&mut self, vm: &Interpreter, value: &Value) -> Res<()> {
        if !self.open {
            self.strings.push(vm.new_str("")?);
        }
        self.open = false;
        self.interpolations.push(value.clone());
        Ok(())
    }

    fn finish(mut self, vm: &Interpreter) -> Res {
        if !self.open {
            self.strings.push(vm.new_str("")?);
        }
        new_template(vm, vm.new_tuple(self.strings)?, vm.new_tuple(self.interpolations)?)
    }
}

fn template_new(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("Template.__new__ only accepts *args arguments".to_string()));
    }
    let mut parts = Parts::default();
    for part in call.values {
        if part.downcast::<Str>().is_some() {
            parts.string(vm, part)?;
        } else if part.downcast::<Interpolation>().is_some() {
            parts.interpolation(vm, part)?;
        } else {
            let got = vm.type_name(part);
            return Err(vm.type_error(format!(
                "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {got}"
            )));
        }
    }
    parts.finish(vm)
}

fn add(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Template>(), b.downcast::<Template>()) else {
        let (left, right) = (vm.type_name(a), vm.type_name(b));
        return Err(vm.type_error(format!("can only concatenate {left} (not \"{right}\") to {left}")))
            .or_else(|raised| {
                // `"text" + t"..."` is the business of `str`, which has refused already.
                if a.downcast::<Template>().is_some() {
                    return Err(raised);
                }
                drop(vm.take_raised(raised));
                Ok(Value::NOT_IMPLEMENTED)
            });
    };
    let mut parts = Parts::default();
    for part in [x, y] {
        let (strings, values) = (items(&part.strings), items(&part.interpolations));
        for (i, string) in strings.iter().enumerate() {
            parts.string(vm, string)?;
            if let Some(value) = values.get(i) {
                parts.interpolation(vm, value)?;
            }
        }
    }
    parts.finish(vm)
}

fn template_repr(vm: &Interpreter, value: &Value) -> Res {
    let this = template(vm, value)?;
    let mut w = Writer::default();
    w.push("Template(strings=");
    w.push_repr(vm, &word(&this.strings))?;
    w.push(", interpolations=");
    w.push_repr(vm, &word(&this.interpolations))?;
    w.push(")");
    w.finish(vm)
}

fn template_values(vm: &Interpreter, value: &Value) -> Res {
    let mut values = Vec::new();
    for item in items(&template(vm, value)?.interpolations) {
        values.push(word(&interpolation(vm, &item)?.value));
    }
    vm.new_tuple(values)
}

fn template_reduce(vm: &Interpreter, value: &Value) -> Res {
    let this = template(vm, value)?;
    let function = vm.get_attr_str(&vm.import("string.templatelib")?, "_template_unpickle")?;
    let args = vm.new_tuple(vec![word(&this.strings), word(&this.interpolations)])?;
    vm.new_tuple(vec![function, args])
}

/// Payload of `TemplateIter`: the place counts strings and interpolations in turn.
pub struct TemplateIter {
    template: SlotWord,
    place: Cell<usize>,
}

impl Payload for TemplateIter {
    fn trace(&self, visit: &mut Visitor) {
        self.template.trace(visit);
    }
    fn clear(&self) {
        self.template.set(None);
    }
}

fn iter(vm: &Interpreter, value: &Value) -> Res {
    let payload = TemplateIter { template: SlotWord::new(Some(value.clone())), place: Cell::new(0) };
    vm.alloc(&vm.type_for(&TEMPLATE_ITER)?, payload)
}

fn iter_next(vm: &Interpreter, value: &Value) -> Res<Option<Value>> {
    let Some(it) = value.downcast::<TemplateIter>() else { return Err(vm.bug("template iterator")) };
    let Some(source) = it.template.get() else { return Ok(None) };
    let this = template(vm, &source)?;
    loop {
        let place = it.place.get();
        it.place.set(place + 1);
        let from = if place % 2 == 0 { &this.strings } else { &this.interpolations };
        let Some(item) = from.get().and_then(|t| t.downcast::<Tuple>()?.get(place / 2)) else {
            it.template.set(None);
            return Ok(None);
        };
        if !item.downcast::<Str>().is_some_and(|s| s.text.is_empty()) {
            return Ok(Some(item));
        }
    }
}

pub static TEMPLATE: TypeDef = TypeDef {
    name: "Template",
    module: "string.templatelib",
    base: None,
    payload: payload::<Template>(),
    flags: TypeFlags::NONE,
    doc: "What a template string gives: its literal parts and its interpolations.",
    slots: &[
        Slot::New(template_new),
        Slot::Repr(template_repr),
        Slot::Iter(iter),
        Slot::Binary(BinOp::Add, add),
    ],
    methods: &[
        FunctionDef::new("__reduce__", "($self, /)", "What pickling stores.", NativeFn::F1(template_reduce)),
        CLASS_GETITEM,
    ],
    getset: &[
        read_only("strings", "The literal parts, one more than interpolations.", |vm, v| {
            Ok(word(&template(vm, v)?.strings))
        }),
        read_only("interpolations", "The interpolations.", |vm, v| {
            Ok(word(&template(vm, v)?.interpolations))
        }),
        GetSetDef {
            name: "values",
            doc: "The values of the interpolations.",
            get: template_values,
            set: None,
        },
    ],
};

const fn read_only(name: &'static str, doc: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef::member(name, doc, get)
}

pub static TEMPLATE_ITER: TypeDef = TypeDef {
    name: "TemplateIter",
    module: "string.templatelib",
    base: None,
    payload: payload::<TemplateIter>(),
    flags: TypeFlags::NO_NEW,
    doc: "Gives the parts of a template that are not empty.",
    slots: &[Slot::Iter(|_, v| Ok(v.clone())), Slot::Next(iter_next)],
    methods: &[],
    getset: &[],
};

fn interpolation_new(vm: &Interpreter, _: &Value, call: &CallArgs) -> Res {
    let signature = Signature::parse("(value, expression='', conversion=None, format_spec='')");
    let args = signature.bind(vm, "Interpolation", false, call)?;
    let text = |index: usize, name: &str| match args.get(index) {
        None => vm.new_str(""),
        Some(text) if text.downcast::<Str>().is_some() => Ok(text.clone()),
        Some(other) => {
            let got = vm.type_name(other);
            Err(vm.type_error(format!("Interpolation() argument '{name}' must be str, not {got}")))
        }
    };
    let expression = text(1, "expression")?;
    let conversion = match args.some(2) {
        None => Value::NONE,
        Some(_) => {
            let conversion = text(2, "conversion")?;
            if !matches!(vm.str_lossy(&conversion).as_str(), "s" | "r" | "a") {
                let what = "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'";
                return Err(vm.value_error(what.to_string()));
            }
            conversion
        }
    };
    new_interpolation(vm, args.req(0).clone(), expression, conversion, text(3, "format_spec")?)
}

fn interpolation_repr(vm: &Interpreter, value: &Value) -> Res {
    let mut w = Writer::default();
    w.push("Interpolation(");
    for (i, part) in interpolation(vm, value)?.words().into_iter().enumerate() {
        if i > 0 {
            w.push(", ");
        }
        w.push_repr(vm, &word(part))?;
    }
    w.push(")");
    w.finish(vm)
}

fn interpolation_reduce(vm: &Interpreter, value: &Value) -> Res {
    let args = vm.new_tuple(interpolation(vm, value)?.words().into_iter().map(word).collect())?;
    vm.new_tuple(vec![vm.type_of(value).into_value(), args])
}

fn match_args(vm: &Interpreter, _: &Value) -> Res {
    let names = ["value", "expression", "conversion", "format_spec"];
    vm.new_tuple(names.iter().map(|n| vm.intern(n)).collect::<Res<Vec<Value>>>()?)
}

pub static INTERPOLATION: TypeDef = TypeDef {
    name: "Interpolation",
    module: "string.templatelib",
    base: None,
    payload: payload::<Interpolation>(),
    flags: TypeFlags::NONE,
    doc: "What stands between braces in a template string.",
    slots: &[Slot::New(interpolation_new), Slot::Repr(interpolation_repr)],
    methods: &[
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "What pickling stores.",
            NativeFn::F1(interpolation_reduce),
        ),
        CLASS_GETITEM,
    ],
    getset: &[
        read_only("value", "The value.", |vm, v| Ok(word(&interpolation(vm, v)?.value))),
        read_only("expression", "The text of the expression.", |vm, v| {
            Ok(word(&interpolation(vm, v)?.expression))
        }),
        read_only("conversion", "'s', 'r', 'a' or None.", |vm, v| {
            Ok(word(&interpolation(vm, v)?.conversion))
        }),
        read_only("format_spec", "The format specification.", |vm, v| {
            Ok(word(&interpolation(vm, v)?.format_spec))
        }),
    ],
};

/// Completes the types of this file. Errors: `MemoryError`.
pub fn install(vm: &Interpreter) -> Res<()> {
    let ty = vm.type_for(&INTERPOLATION)?;
    match ty.namespace() {
        Some(namespace) => {
            namespace.set(vm, vm.intern_static("__match_args__")?, match_args(vm, &Value::NONE)?)
        }
        None => Ok(()),
    }
}

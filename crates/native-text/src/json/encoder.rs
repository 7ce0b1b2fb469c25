//! Writing JSON.

use super::string::{ENCODE, ENCODE_ASCII, push_quoted};
use super::{MAX_DEPTH, too_deep};
use pellucid_object::native::Builtin;
use pellucid_object::text::NoMemory;
use pellucid_object::{
    CallArgs, Dict, GetSetDef, Interpreter, List, Payload, Raised, Res, Slot, Str, TextBuilder, Tuple,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::collections::HashSet;

/// How strings are written.
enum Quoting {
    Plain,
    Ascii,
    Call(Value),
}

/// Payload of `_json.Encoder`: how an encoder of `json` wants the text.
pub struct Encoder {
    markers: Value,
    default: Value,
    encoder: Value,
    quoting: Quoting,
    indent: Value,
    key_separator: Value,
    item_separator: Value,
    sort_keys: bool,
    skip_keys: bool,
    allow_nan: bool,
}

impl Payload for Encoder {
    fn trace(&self, visit: &mut Visitor) {
        for value in [
            &self.markers,
            &self.default,
            &self.encoder,
            &self.indent,
            &self.key_separator,
            &self.item_separator,
        ] {
            visit(value);
        }
        if let Quoting::Call(function) = &self.quoting {
            visit(function);
        }
    }
}

const PARAMETERS: [&str; 9] = [
    "markers",
    "default",
    "encoder",
    "indent",
    "key_separator",
    "item_separator",
    "sort_keys",
    "skipkeys",
    "allow_nan",
];

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let bound = pellucid_types::seq::bind(vm, "make_encoder", PARAMETERS, args)?;
    if let Some(missing) = bound.iter().position(Option::is_none) {
        return Err(vm.type_error(format!(
            "make_encoder() missing required argument '{}' (pos {})",
            PARAMETERS[missing],
            missing + 1
        )));
    }
    let [markers, default, encoder, indent, key_separator, item_separator, sort_keys, skip_keys, allow_nan] =
        bound.map(|value| value.unwrap_or(Value::NONE));
    if !markers.is_none() && markers.downcast::<Dict>().is_none() {
        let got = vm.type_name(&markers);
        return Err(vm.type_error(format!("make_encoder() argument 1 must be dict or None, not {got}")));
    }
    for (index, value) in [(5, &key_separator), (6, &item_separator)] {
        if value.downcast::<Str>().is_none() {
            let got = vm.type_name(value);
            return Err(vm.type_error(format!("make_encoder() argument {index} must be str, not {got}")));
        }
    }
    if !indent.is_none() && indent.downcast::<Str>().is_none() {
        let got = vm.type_name(&indent);
        return Err(vm.type_error(format!("make_encoder() argument 4 must be str or None, not {got}")));
    }
    let quoting = match encoder.downcast::<Builtin>().map(|b| b.def) {
        Some(def) if std::ptr::eq(def, &ENCODE) => Quoting::Plain,
        Some(def) if std::ptr::eq(def, &ENCODE_ASCII) => Quoting::Ascii,
        _ => Quoting::Call(encoder.clone()),
    };
    let payload = Encoder {
        markers,
        default,
        encoder,
        quoting,
        indent,
        key_separator,
        item_separator,
        sort_keys: vm.truthy(&sort_keys)?,
        skip_keys: vm.truthy(&skip_keys)?,
        allow_nan: vm.truthy(&allow_nan)?,
    };
    vm.alloc_subclass(cls, payload)
}

/// What is being written.
enum Open {
    Array {
        object: Value,
        /// The list or tuple of the items. A list that `default` changes meanwhile is written as it is by then.
        items: Value,
        next: usize,
    },
    Object {
        object: Value,
        pairs: Vec<(Value, Value)>,
        next: usize,
        any: bool,
        /// Writing the key is over.
        in_value: bool,
    },
    /// An object for which `default` gave another one.
    Default { object: Value },
}

/// An item of a list or tuple.
fn item_at(items: &Value, index: usize) -> Option<Value> {
    match items.downcast::<List>() {
        Some(list) => list.get(index),
        None => items.downcast::<Tuple>()?.get(index),
    }
}

impl Open {
    fn object(&self) -> &Value {
        match self {
            Open::Array { object, .. } | Open::Object { object, .. } | Open::Default { object } => object,
        }
    }
}

struct Writer<'a> {
    vm: &'a Interpreter,
    encoder: &'a Encoder,
    out: TextBuilder,
    open: Vec<Open>,
    /// The words of the objects in `open`, to find cycles.
    met: HashSet<u64>,
    level: usize,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) -> Res<()> {
        self.out.push_str(text).map_err(|NoMemory| self.vm.no_memory())
    }

    fn push_value(&mut self, value: &Value) -> Res<()> {
        match value.downcast::<Str>() {
            Some(s) => self.out.push_text(&s.text).map_err(|NoMemory| self.vm.no_memory()),
            None => Err(self.vm.bug("no str")),
        }
    }

    fn push_str_object(&mut self, value: &Value) -> Res<()> {
        let Some(s) = value.downcast::<Str>() else { return Err(self.vm.bug("no str")) };
        let ascii = match &self.encoder.quoting {
            Quoting::Plain => false,
            Quoting::Ascii => true,
            Quoting::Call(function) => {
                let vm = self.vm;
                let result = vm.call_values(function, std::slice::from_ref(value))?;
                if result.downcast::<Str>().is_none() {
                    let got = vm.type_name(&result);
                    return Err(vm.type_error(format!("encoder() must return a string, not {got}")));
                }
                return self.push_value(&result);
            }
        };
        push_quoted(&mut self.out, &s.text, ascii).map_err(|NoMemory| self.vm.no_memory())
    }

    fn float_text(&self, value: &Value, f: f64) -> Res<String> {
        if f.is_finite() {
            return Ok(pellucid_types::float::text(f));
        }
        if !self.encoder.allow_nan {
            let shown = self.vm.repr_lossy(value)?;
            return Err(self
                .vm
                .value_error(format!("Out of range float values are not JSON compliant: {shown}")));
        }
        let text = if f.is_nan() { "NaN" } else { ["Infinity", "-Infinity"][usize::from(f < 0.0)] };
        Ok(text.to_string())
    }

    /// An int as `int` itself writes it, whatever a subclass says.
    fn int_text(&self, value: &Value) -> Res<String> {
        if let Some(i) = value.as_small_int() {
            return Ok(i.to_string());
        }
        match self.vm.types().int.slots.repr.get() {
            Some(repr) => Ok(self.vm.str_lossy(&repr(self.vm, value)?)),
            None => Err(self.vm.bug("int without a repr")),
        }
    }

    /// Writes a value without parts; false when it has some, or is of another type.
    fn simple(&mut self, value: &Value) -> Res<bool> {
        if value.downcast::<Str>().is_some() {
            self.push_str_object(value)?;
        } else if value.is_none() {
            self.push("null")?;
        } else if value.is_bool() {
            self.push(if value.is_true() { "true" } else { "false" })?;
        } else if value.as_int().is_some() {
            let text = self.int_text(value)?;
            self.push(&text)?;
        } else if let Some(f) = value.as_float() {
            let text = self.float_text(value, f)?;
            self.push(&text)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn new_line(&mut self) -> Res<()> {
        if self.encoder.indent.is_none() {
            return Ok(());
        }
        self.push("\n")?;
        let indent = self.encoder.indent.clone();
        (0..self.level).try_for_each(|_| self.push_value(&indent))
    }

    fn enter(&mut self, open: Open, what: &str) -> Res<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(self.vm, &format!("encoding a JSON {what}")));
        }
        if !self.encoder.markers.is_none() && !self.met.insert(open.object().bits()) {
            return Err(self.vm.value_error("Circular reference detected".to_string()));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(open) = self.open.pop() {
            self.met.remove(&open.object().bits());
        }
    }

    /// Starts a value: writes it when it has no parts, else opens it.
    fn start(&mut self, value: &Value) -> Res<()> {
        let vm = self.vm;
        if self.simple(value)? {
            return Ok(());
        }
        if value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some() {
            let exact = vm.is_exact(value, &vm.types().list) || vm.is_exact(value, &vm.types().tuple);
            let items = if exact { value.clone() } else { vm.new_list(vm.collect(value)?)? };
            if item_at(&items, 0).is_none() {
                return self.push("[]");
            }
            self.enter(Open::Array { object: value.clone(), items, next: 0 }, "object")?;
            self.level += 1;
            self.push("[")?;
            return self.new_line();
        }
        if let Some(dict) = value.downcast::<Dict>() {
            if dict.is_empty() {
                return self.push("{}");
            }
            let pairs = self.pairs(value, dict)?;
            self.enter(
                Open::Object { object: value.clone(), pairs, next: 0, any: false, in_value: false },
                "object",
            )?;
            self.level += 1;
            return self.push("{");
        }
        self.enter(Open::Default { object: value.clone() }, "object")?;
        let other = match vm.call_values(&self.encoder.default, std::slice::from_ref(value)) {
            Ok(other) => other,
            Err(raised) => {
                // Its own error is not that of a part.
                self.leave();
                return Err(raised);
            }
        };
        self.start(&other)
    }

    fn pairs(&self, object: &Value, dict: &Dict) -> Res<Vec<(Value, Value)>> {
        let vm = self.vm;
        let exact = vm.is_exact(object, &vm.types().dict);
        if exact && !self.encoder.sort_keys {
            return Ok(dict.pairs());
        }
        let items = if exact {
            let tuples: Res<Vec<Value>> =
                dict.pairs().into_iter().map(|(key, value)| vm.new_tuple(vec![key, value])).collect();
            tuples?
        } else {
            let items = vm.call_attr(object, "items", &[])?;
            vm.collect(&items)?
        };
        let items = if self.encoder.sort_keys {
            let list = vm.new_list(items)?;
            vm.call_attr(&list, "sort", &[])?;
            vm.collect(&list)?
        } else {
            items
        };
        let pair = |item: &Value| match item.downcast::<Tuple>().map(Tuple::items).as_deref() {
            Some([key, value]) => Ok((key.clone(), value.clone())),
            _ => Err(vm.value_error("items must return 2-tuples".to_string())),
        };
        items.iter().map(pair).collect()
    }

    /// The text of a key; `None` when it is skipped.
    fn key(&self, key: &Value) -> Res<Option<Value>> {
        let vm = self.vm;
        if key.downcast::<Str>().is_some() {
            return Ok(Some(key.clone()));
        }
        let text = if let Some(f) = key.as_float() {
            self.float_text(key, f)?
        } else if key.is_none() {
            "null".to_string()
        } else if key.is_bool() {
            if key.is_true() { "true".to_string() } else { "false".to_string() }
        } else if key.as_int().is_some() {
            self.int_text(key)?
        } else if self.encoder.skip_keys {
            return Ok(None);
        } else {
            let got = vm.type_name(key);
            return Err(vm.type_error(format!("keys must be str, int, float, bool or None, not {got}")));
        };
        vm.new_str(&text).map(Some)
    }

    /// Goes on with the innermost open value; false when nothing is open.
    fn step(&mut self) -> Res<bool> {
        let (item, key) = match self.open.last_mut() {
            None => return Ok(false),
            Some(Open::Default { .. }) => {
                self.leave();
                return Ok(true);
            }
            Some(Open::Array { items, next, .. }) => {
                let item = item_at(items, *next);
                *next += 1;
                (item, None)
            }
            Some(Open::Object { pairs, next, in_value, .. }) => match pairs.get(*next).cloned() {
                Some((key, value)) => {
                    *next += 1;
                    *in_value = false;
                    (Some(value), Some(key))
                }
                None => (None, Some(Value::NONE)),
            },
        };
        let first = match self.open.last() {
            Some(Open::Array { next, .. }) => *next == 1,
            Some(Open::Object { any, .. }) => !any,
            _ => false,
        };
        let Some(item) = item else {
            self.level -= 1;
            let in_object = key.is_some();
            self.leave();
            if !(in_object && first) {
                self.new_line()?;
            }
            self.push(if in_object { "}" } else { "]" })?;
            return Ok(true);
        };
        if let Some(key) = key {
            let Some(key) = self.key(&key)? else { return Ok(true) };
            if !first {
                let separator = self.encoder.item_separator.clone();
                self.push_value(&separator)?;
            }
            self.new_line()?;
            if let Some(Open::Object { any, in_value, .. }) = self.open.last_mut() {
                (*any, *in_value) = (true, true);
            }
            self.push_str_object(&key)?;
            let separator = self.encoder.key_separator.clone();
            self.push_value(&separator)?;
        } else if !first {
            let separator = self.encoder.item_separator.clone();
            self.push_value(&separator)?;
            self.new_line()?;
        }
        self.start(&item)?;
        Ok(true)
    }

    /// Notes on the exception where in the whole it happened.
    #[cold]
    fn annotate(&mut self, raised: Raised) -> Raised {
        let vm = self.vm;
        let exception = vm.take_raised(raised);
        let depth = self.open.len();
        for (i, open) in self.open.drain(..).enumerate().rev() {
            // What failed while it was opened has no part yet.
            let note = match &open {
                Open::Array { next: 0, .. } | Open::Object { in_value: false, .. } => continue,
                Open::Array { object, next, .. } => {
                    format!("when serializing {} item {}", vm.type_name(object), next - 1)
                }
                Open::Object { object, pairs, next, .. } => {
                    let Some((key, _)) = pairs.get(next - 1) else { continue };
                    match vm.repr_lossy(key) {
                        Ok(key) => format!("when serializing {} item {key}", vm.type_name(object)),
                        Err(raised) => return raised,
                    }
                }
                Open::Default { object } => format!("when serializing {} object", vm.type_name(object)),
            };
            // A stack of thousands of notes helps nobody.
            if depth - i > 1000 {
                break;
            }
            let added = vm.new_str(&note).and_then(|note| vm.call_attr(&exception, "add_note", &[note]));
            if let Err(raised) = added {
                return raised;
            }
        }
        vm.raise_as_is(exception)
    }
}

fn call(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
    let Some(encoder) = this.downcast::<Encoder>() else { return Err(vm.bug("no encoder")) };
    let [object, level] =
        pellucid_types::seq::bind(vm, "_iterencode", ["obj", "_current_indent_level"], args)?;
    let (Some(object), Some(level)) = (object, level) else {
        return Err(vm.type_error("_iterencode() missing required argument 'obj' (pos 1)".to_string()));
    };
    let level = usize::try_from(vm.expect_i64(&level)?).unwrap_or(0);
    let mut writer =
        Writer { vm, encoder, out: TextBuilder::new(), open: Vec::new(), met: HashSet::new(), level };
    let mut write = || {
        writer.start(&object)?;
        let mut steps = 0u32;
        while writer.step()? {
            steps = steps.wrapping_add(1);
            if steps & 0xffff == 0 {
                vm.poll()?;
            }
        }
        Ok(())
    };
    if let Err(raised) = write() {
        return Err(writer.annotate(raised));
    }
    let text = vm.made_text(writer.out.finish())?;
    vm.new_tuple(vec![text])
}

macro_rules! field {
    ($name:literal, $get:expr) => {
        GetSetDef {
            name: $name,
            doc: $name,
            get: |vm, this| {
                let get: fn(&Encoder) -> Value = $get;
                match this.downcast::<Encoder>() {
                    Some(encoder) => Ok(get(encoder)),
                    None => Err(vm.bug("no encoder")),
                }
            },
            set: None,
        }
    };
}

pub static ENCODER: TypeDef = TypeDef {
    name: "Encoder",
    module: "_json",
    base: None,
    payload: payload::<Encoder>(),
    flags: TypeFlags::BASETYPE,
    doc: "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)",
    slots: &[Slot::New(new), Slot::Call(call)],
    methods: &[],
    getset: &[
        field!("markers", |e| e.markers.clone()),
        field!("default", |e| e.default.clone()),
        field!("encoder", |e| e.encoder.clone()),
        field!("indent", |e| e.indent.clone()),
        field!("key_separator", |e| e.key_separator.clone()),
        field!("item_separator", |e| e.item_separator.clone()),
        field!("sort_keys", |e| Value::bool(e.sort_keys)),
        field!("skipkeys", |e| Value::bool(e.skip_keys)),
    ],
};

//! Reading JSON.

use super::string::{Scanned, Unit, decode_error, scan_units};
use super::{MAX_DEPTH, not_str, too_deep};
use pellucid_object::text::Slice;
use pellucid_object::{
    CallArgs, Dict, GetSetDef, Interpreter, Payload, Raised, Ref, Res, Slot, Str, Text, TypeDef, TypeFlags,
    Value, Visitor, payload,
};

/// Payload of `_json.Scanner`: how a decoder wants values.
pub struct Scanner {
    strict: bool,
    object_hook: Value,
    object_pairs_hook: Value,
    parse_float: Value,
    parse_int: Value,
    parse_constant: Value,
}

impl Payload for Scanner {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.object_hook);
        visit(&self.object_pairs_hook);
        visit(&self.parse_float);
        visit(&self.parse_int);
        visit(&self.parse_constant);
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let [context] = pellucid_types::seq::bind(vm, "make_scanner", ["context"], args)?;
    let Some(context) = context else {
        let what = "make_scanner() missing required argument 'context' (pos 1)";
        return Err(vm.type_error(what.to_string()));
    };
    let get = |name: &str| vm.get_attr_str(&context, name);
    let scanner = Scanner {
        strict: vm.truthy(&get("strict")?)?,
        object_hook: get("object_hook")?,
        object_pairs_hook: get("object_pairs_hook")?,
        parse_float: get("parse_float")?,
        parse_int: get("parse_int")?,
        parse_constant: get("parse_constant")?,
    };
    vm.alloc_subclass(cls, scanner)
}

/// An array or object that is being read.
enum Open {
    Array(Vec<Value>),
    Object {
        dict: Ref<Dict>,
        key: Value,
    },
    /// For a hook that wants the pairs.
    Pairs {
        pairs: Vec<Value>,
        key: Value,
    },
}

/// Keys met lately, so that equal keys are one object: each has one place, which it shares with others.
struct Keys([Option<Value>; Keys::PLACES]);

impl Keys {
    const PLACES: usize = 64;

    fn place<T: Unit>(&mut self, units: &[T]) -> &mut Option<Value> {
        let at = |index: usize| units.get(index).map_or(0, |unit| unit.point() as usize);
        let (len, middle) = (units.len(), units.len() / 2);
        let mixed =
            at(0) ^ at(middle) << 1 ^ at(len.wrapping_sub(1)) << 2 ^ at(len.wrapping_sub(2)) << 3 ^ len << 4;
        &mut self.0[(mixed ^ mixed >> 6) % Keys::PLACES]
    }

    /// The text between two places as a `str`. Errors: `MemoryError`.
    fn get<T: Unit>(&mut self, vm: &Interpreter, text: &Text, units: &[T], start: usize, end: usize) -> Res {
        let units = &units[start..end];
        let place = self.place(units);
        if let Some(known) = place
            && let Some(s) = known.downcast::<Str>()
            && s.text.len() == units.len()
            && s.text.code_points().zip(units).all(|(point, unit)| point == unit.point())
        {
            return Ok(known.clone());
        }
        let key = vm.text_piece(text, start, end)?;
        *place = Some(key.clone());
        Ok(key)
    }
}

struct Reader<'a, T> {
    vm: &'a Interpreter,
    scanner: &'a Scanner,
    document: &'a Value,
    text: &'a Text,
    units: &'a [T],
    at: usize,
    keys: Keys,
    open: Vec<Open>,
}

impl<'a, T: Unit> Reader<'a, T> {
    fn peek(&self) -> Option<u32> {
        self.units.get(self.at).map(|u| u.point())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(0x20 | 0x09 | 0x0a | 0x0d)) {
            self.at += 1;
        }
    }

    #[cold]
    fn error(&self, message: &str, at: usize) -> Raised {
        decode_error(self.vm, message, self.document, at)
    }

    /// Nothing that could be a value: the caller words the error.
    #[cold]
    fn no_value(&self, at: usize) -> Raised {
        match self.vm.new_int(at as i64) {
            Ok(at) => self.vm.stop_iteration(Some(at)),
            Err(raised) => raised,
        }
    }

    fn starts_with(&self, word: &str) -> bool {
        let rest = self.units.get(self.at..).unwrap_or_default();
        rest.len() >= word.len() && word.bytes().zip(rest).all(|(b, u)| u32::from(b) == u.point())
    }

    /// The whole value from the position on.
    fn value(&mut self) -> Res {
        loop {
            let mut value = match self.simple_or_open()? {
                Some(value) => value,
                None => continue,
            };
            // The value is complete: put it where it belongs, and close what ends with it.
            loop {
                match self.store(value)? {
                    Stored::Done(value) => return Ok(value),
                    Stored::Closed(whole) => value = whole,
                    Stored::More => break,
                }
            }
        }
    }

    /// A value without parts; `None` when an array or object was opened and its first value follows.
    fn simple_or_open(&mut self) -> Res<Option<Value>> {
        let at = self.at;
        match self.peek() {
            Some(0x22) => self.string().map(Some),
            Some(0x7b) => self.open_object(),
            Some(0x5b) => self.open_array(),
            Some(0x6e) if self.starts_with("null") => {
                self.at += 4;
                Ok(Some(Value::NONE))
            }
            Some(0x74) if self.starts_with("true") => {
                self.at += 4;
                Ok(Some(Value::TRUE))
            }
            Some(0x66) if self.starts_with("false") => {
                self.at += 5;
                Ok(Some(Value::FALSE))
            }
            Some(0x4e) if self.starts_with("NaN") => self.constant("NaN").map(Some),
            Some(0x49) if self.starts_with("Infinity") => self.constant("Infinity").map(Some),
            Some(0x2d) if self.starts_with("-Infinity") => self.constant("-Infinity").map(Some),
            Some(0x2d | 0x30..=0x39) => self.number().map(Some),
            _ => Err(self.no_value(at)),
        }
    }

    fn check_depth(&self, what: &str) -> Res<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(self.vm, &format!("decoding a JSON {what} from a unicode string")));
        }
        Ok(())
    }

    fn open_array(&mut self) -> Res<Option<Value>> {
        self.check_depth("array")?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(0x5d) {
            self.at += 1;
            return self.vm.new_list(Vec::new()).map(Some);
        }
        self.open.push(Open::Array(Vec::new()));
        Ok(None)
    }

    fn open_object(&mut self) -> Res<Option<Value>> {
        self.check_depth("object")?;
        let with_pairs = !self.scanner.object_pairs_hook.is_none();
        self.at += 1;
        self.skip_space();
        let open = |key: Value| -> Res<Open> {
            Ok(match with_pairs {
                true => Open::Pairs { pairs: Vec::new(), key },
                false => Open::Object { dict: self.vm.new_dict()?, key },
            })
        };
        if self.peek() == Some(0x7d) {
            let empty = open(Value::NONE)?;
            self.at += 1;
            return self.closed(empty).map(Some);
        }
        let mut fresh = open(Value::NONE)?;
        let name = self.key()?;
        match &mut fresh {
            Open::Object { key, .. } | Open::Pairs { key, .. } => *key = name,
            Open::Array(_) => {}
        }
        self.open.push(fresh);
        Ok(None)
    }

    /// A key with its colon.
    fn key(&mut self) -> Res {
        if self.peek() != Some(0x22) {
            let what = "Expecting property name enclosed in double quotes";
            return Err(self.error(what, self.at));
        }
        let (scanned, next) =
            scan_units(self.vm, self.document, self.text, self.units, self.at + 1, self.scanner.strict)?;
        self.at = next;
        let key = match scanned {
            Scanned::Plain(start, end) => self.keys.get(self.vm, self.text, self.units, start, end)?,
            Scanned::Text(text) => self.vm.new_text(text)?,
        };
        self.skip_space();
        if self.peek() != Some(0x3a) {
            return Err(self.error("Expecting ':' delimiter", self.at));
        }
        self.at += 1;
        self.skip_space();
        Ok(key)
    }

    fn string(&mut self) -> Res {
        let (scanned, next) =
            scan_units(self.vm, self.document, self.text, self.units, self.at + 1, self.scanner.strict)?;
        self.at = next;
        match scanned {
            Scanned::Plain(start, end) => self.vm.text_piece(self.text, start, end),
            Scanned::Text(text) => self.vm.new_text(text),
        }
    }

    fn constant(&mut self, name: &str) -> Res {
        self.at += name.len();
        self.vm.call_values(&self.scanner.parse_constant, &[self.vm.new_str(name)?])
    }

    fn digits(&mut self) -> usize {
        let rest = self.units.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|u| matches!(u.point(), 0x30..=0x39)).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Res {
        let start = self.at;
        if self.peek() == Some(0x2d) {
            self.at += 1;
        }
        match self.peek() {
            Some(0x30) => self.at += 1,
            Some(0x31..=0x39) => drop(self.digits()),
            _ => return Err(self.no_value(start)),
        }
        let mut is_float = false;
        let whole = self.at;
        if self.peek() == Some(0x2e) {
            self.at += 1;
            if self.digits() > 0 {
                is_float = true;
            } else {
                self.at = whole;
            }
        }
        let before = self.at;
        if matches!(self.peek(), Some(0x45 | 0x65)) {
            self.at += 1;
            if matches!(self.peek(), Some(0x2b | 0x2d)) {
                self.at += 1;
            }
            if self.digits() > 0 {
                is_float = true;
            } else {
                self.at = before;
            }
        }
        let digits = &self.units[start..self.at];
        let vm = self.vm;
        let parse = if is_float { &self.scanner.parse_float } else { &self.scanner.parse_int };
        let exact = if is_float { &vm.types().float } else { &vm.types().int };
        if !parse.is(exact.value()) || !is_float && digits.len() > 18 {
            return vm.call_values(parse, &[vm.made_text(self.text.slice(start, self.at))?]);
        }
        if is_float {
            let text: String = digits.iter().map(|u| char::from(u.point() as u8)).collect();
            return match text.parse::<f64>() {
                Ok(f) => vm.new_float(f),
                Err(_) => vm.call_values(parse, &[vm.new_str(&text)?]),
            };
        }
        let (sign, digits) = match digits {
            [minus, rest @ ..] if minus.point() == 0x2d => (-1, rest),
            all => (1, all),
        };
        vm.new_int(sign * digits.iter().fold(0, |n, u| n * 10 + i64::from(u.point()) - 0x30))
    }

    /// Puts a value into the innermost open array or object, and reads what follows.
    fn store(&mut self, value: Value) -> Res<Stored> {
        let vm = self.vm;
        let Some(open) = self.open.last_mut() else { return Ok(Stored::Done(value)) };
        let is_array = match open {
            Open::Array(items) => {
                if items.try_reserve(1).is_err() {
                    return Err(vm.no_memory());
                }
                items.push(value);
                true
            }
            Open::Object { dict, key } => {
                dict.set(vm, std::mem::replace(key, Value::NONE), value)?;
                false
            }
            Open::Pairs { pairs, key } => {
                pairs.push(vm.new_tuple(vec![std::mem::replace(key, Value::NONE), value])?);
                false
            }
        };
        self.skip_space();
        let end = if is_array { 0x5d } else { 0x7d };
        match self.peek() {
            Some(0x2c) => {}
            Some(point) if point == end => {
                self.at += 1;
                let Some(open) = self.open.pop() else { return Err(vm.bug("nothing is open")) };
                return self.closed(open).map(Stored::Closed);
            }
            _ => return Err(self.error("Expecting ',' delimiter", self.at)),
        }
        let comma = self.at;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(end) {
            let what = if is_array { "array" } else { "object" };
            return Err(self.error(&format!("Illegal trailing comma before end of {what}"), comma));
        }
        if !is_array {
            let name = self.key()?;
            if let Some(Open::Object { key, .. } | Open::Pairs { key, .. }) = self.open.last_mut() {
                *key = name;
            }
        }
        Ok(Stored::More)
    }

    /// A complete array or object, as hooks want it.
    fn closed(&self, open: Open) -> Res {
        let vm = self.vm;
        match open {
            Open::Array(items) => vm.new_list(items),
            Open::Pairs { pairs, .. } => {
                vm.call_values(&self.scanner.object_pairs_hook, &[vm.new_list(pairs)?])
            }
            Open::Object { dict, .. } if self.scanner.object_hook.is_none() => Ok(dict.into_value()),
            Open::Object { dict, .. } => vm.call_values(&self.scanner.object_hook, &[dict.into_value()]),
        }
    }
}

enum Stored {
    /// Nothing is open: this is the result.
    Done(Value),
    /// An array or object that has just ended.
    Closed(Value),
    More,
}

fn scan<T: Unit>(
    vm: &Interpreter,
    scanner: &Scanner,
    document: &Value,
    text: &Text,
    units: &[T],
    at: usize,
) -> Res<(Value, usize)> {
    let keys = Keys([const { None }; Keys::PLACES]);
    let mut reader = Reader { vm, scanner, document, text, units, at, keys, open: Vec::new() };
    let value = reader.value()?;
    Ok((value, reader.at))
}

fn call(vm: &Interpreter, this: &Value, args: &CallArgs) -> Res {
    let Some(scanner) = this.downcast::<Scanner>() else { return Err(vm.bug("no scanner")) };
    let [string, index] = pellucid_types::seq::bind(vm, "scan_once", ["string", "idx"], args)?;
    let (Some(string), Some(index)) = (string, index) else {
        return Err(vm.type_error("scan_once() missing required argument 'string' (pos 1)".to_string()));
    };
    let Some(s) = string.downcast::<Str>() else { return Err(not_str(vm, &string)) };
    let Ok(at) = usize::try_from(vm.expect_i64(&index)?) else {
        return Err(vm.value_error("idx cannot be negative".to_string()));
    };
    let (value, end) = match s.text.units() {
        Slice::One(units) => scan(vm, scanner, &string, &s.text, units, at)?,
        Slice::Two(units) => scan(vm, scanner, &string, &s.text, units, at)?,
        Slice::Four(units) => scan(vm, scanner, &string, &s.text, units, at)?,
    };
    vm.new_tuple(vec![value, vm.new_int(end as i64)?])
}

macro_rules! field {
    ($name:ident) => {
        GetSetDef {
            name: stringify!($name),
            doc: stringify!($name),
            get: |vm, this| match this.downcast::<Scanner>() {
                Some(scanner) => Ok(scanner.$name.clone()),
                None => Err(vm.bug("no scanner")),
            },
            set: None,
        }
    };
}

pub static SCANNER: TypeDef = TypeDef {
    name: "Scanner",
    module: "_json",
    base: None,
    payload: payload::<Scanner>(),
    flags: TypeFlags::BASETYPE,
    doc: "JSON scanner object",
    slots: &[Slot::New(new), Slot::Call(call)],
    methods: &[],
    getset: &[
        GetSetDef {
            name: "strict",
            doc: "strict",
            get: |vm, this| match this.downcast::<Scanner>() {
                Some(scanner) => Ok(Value::bool(scanner.strict)),
                None => Err(vm.bug("no scanner")),
            },
            set: None,
        },
        field!(object_hook),
        field!(object_pairs_hook),
        field!(parse_float),
        field!(parse_int),
        field!(parse_constant),
    ],
};

//! `str.format`: literal text and fields, `{name.attr[item]!r:spec}`.

use super::spec::read_integer;
use super::{Output, ascii};
use pellucid_object::{CallArgs, Interpreter, Res, Str, Text, Value};

/// How deeply fields nest in format specifiers.
const NESTING: usize = 2;

/// Where field values come from.
enum Source<'a> {
    Call(&'a CallArgs<'a>),
    Mapping(&'a Value),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Unknown,
    Automatic,
    Manual,
}

/// `template.format(*args, **kwargs)`. Errors: `ValueError`, `IndexError`, `KeyError`, what formatting raises.
pub fn str_format(vm: &Interpreter, template: &Text, args: &CallArgs) -> Res {
    Formatter::new(vm, Source::Call(args)).build(template, 0, template.len(), NESTING)
}

/// `template.format_map(mapping)`.
pub fn format_map(vm: &Interpreter, template: &Text, mapping: &Value) -> Res {
    Formatter::new(vm, Source::Mapping(mapping)).build(template, 0, template.len(), NESTING)
}

/// A piece of a template: literal text, then perhaps a field. Ranges are positions in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub literal: (usize, usize),
    pub field: Option<Field>,
}

/// A replacement field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: (usize, usize),
    pub conversion: Option<u32>,
    pub spec: (usize, usize),
    /// The specifier holds fields itself.
    pub nested: bool,
}

/// Cuts `template[at..end]` into pieces.
pub struct Pieces<'a> {
    vm: &'a Interpreter,
    template: &'a Text,
    at: usize,
    end: usize,
}

impl<'a> Pieces<'a> {
    /// The pieces of `template` from position `at` on.
    pub fn starting_at(vm: &'a Interpreter, template: &'a Text, at: usize) -> Pieces<'a> {
        Pieces { vm, template, at, end: template.len() }
    }

    /// How far the template was read.
    pub fn position(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<char> {
        if self.at >= self.end {
            return None;
        }
        self.template.get(self.at).map(|p| char::from_u32(p).unwrap_or('\u{fffd}'))
    }

    fn bad<T>(&self, message: &str) -> Res<T> {
        Err(self.vm.value_error(message.to_string()))
    }

    /// The next piece, `None` at the end. Errors: `ValueError`.
    pub fn advance(&mut self) -> Res<Option<Piece>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        let mut brace = None;
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == '{' || c == '}' {
                brace = Some(c);
                break;
            }
        }
        let Some(brace) = brace else { return Ok(Some(Piece { literal: (start, self.at), field: None })) };
        match (brace, self.peek()) {
            ('}', next) if next != Some('}') => self.bad("Single '}' encountered in format string"),
            ('{', None) => self.bad("Single '{' encountered in format string"),
            (brace, next) if next == Some(brace) => {
                // The first brace of a pair belongs to the literal text.
                self.at += 1;
                Ok(Some(Piece { literal: (start, self.at - 1), field: None }))
            }
            _ => {
                let literal = (start, self.at - 1);
                Ok(Some(Piece { literal, field: Some(self.field()?) }))
            }
        }
    }

    fn field(&mut self) -> Res<Field> {
        let start = self.at;
        let mut last = None;
        while let Some(c) = self.peek() {
            self.at += 1;
            last = Some(c);
            match c {
                '{' => return self.bad("unexpected '{' in field name"),
                '[' => {
                    while self.peek().is_some_and(|c| c != ']') {
                        self.at += 1;
                    }
                }
                '}' | ':' | '!' => break,
                _ => {}
            }
        }
        let mut field =
            Field { name: (start, self.at.saturating_sub(1)), conversion: None, spec: (0, 0), nested: false };
        match last {
            Some('}') => return Ok(field),
            Some('!') => {
                let Some(conversion) = self.template.get(self.at).filter(|_| self.at < self.end) else {
                    return self.bad("end of string while looking for conversion specifier");
                };
                field.conversion = Some(conversion);
                self.at += 1;
                if let Some(c) = self.peek() {
                    self.at += 1;
                    match c {
                        '}' => return Ok(field),
                        ':' => {}
                        _ => return self.bad("expected ':' after conversion specifier"),
                    }
                }
            }
            Some(':') => {}
            _ => return self.bad("expected '}' before end of string"),
        }
        let (start, mut depth) = (self.at, 1);
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '{' => {
                    field.nested = true;
                    depth += 1;
                }
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        field.spec = (start, self.at - 1);
                        return Ok(field);
                    }
                }
                _ => {}
            }
        }
        self.bad("unmatched '{' in format spec")
    }
}

/// The first part of a field name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    Empty,
    Index(usize),
    /// A range of the template.
    Name(usize, usize),
}

/// A further part of a field name; names are ranges of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Attribute(usize, usize),
    Index(usize),
    Item(usize, usize),
}

/// Splits the field name `text[start..end]`. Errors: `ValueError`.
pub fn split_field_name(vm: &Interpreter, text: &Text, start: usize, end: usize) -> Res<(First, usize)> {
    let mut at = start;
    while at < end && !matches!(text.get(at), Some(0x2e | 0x5b)) {
        at += 1;
    }
    let first = match whole_integer(vm, text, start, at)? {
        _ if start == at => First::Empty,
        Some(index) => First::Index(index),
        None => First::Name(start, at),
    };
    Ok((first, at))
}

/// The int that `text[start..end]` is, if it is all digits. Errors: `ValueError` when it is too big.
fn whole_integer(vm: &Interpreter, text: &Text, start: usize, end: usize) -> Res<Option<usize>> {
    let (value, stopped) = read_integer(vm, text, start, end)?;
    Ok(value.filter(|_| stopped == end))
}

/// The next step of a field name from `at` on, and where it ends; `None` at the end. Errors: `ValueError`.
pub fn next_step(vm: &Interpreter, text: &Text, at: usize, end: usize) -> Res<Option<(Step, usize)>> {
    if at >= end {
        return Ok(None);
    }
    let bad = |message: &str| Err(vm.value_error(message.to_string()));
    let start = at + 1;
    let mut stop = start;
    let (step, next) = match text.get(at) {
        Some(0x2e) => {
            while stop < end && !matches!(text.get(stop), Some(0x2e | 0x5b)) {
                stop += 1;
            }
            (Step::Attribute(start, stop), stop)
        }
        Some(0x5b) => {
            while stop < end && text.get(stop) != Some(0x5d) {
                stop += 1;
            }
            if stop >= end {
                return bad("Missing ']' in format string");
            }
            let step = match whole_integer(vm, text, start, stop)? {
                Some(index) => Step::Index(index),
                None => Step::Item(start, stop),
            };
            (step, stop + 1)
        }
        _ => return bad("Only '.' or '[' may follow ']' in format field specifier"),
    };
    if start == stop {
        return bad("Empty attribute in format string");
    }
    Ok(Some((step, next)))
}

/// A piece of a text as a `str` object.
pub fn piece(vm: &Interpreter, text: &Text, start: usize, end: usize) -> Res {
    match text.slice(start, end) {
        Ok(text) => vm.new_text(text),
        Err(_) => Err(vm.no_memory()),
    }
}

struct Formatter<'a> {
    vm: &'a Interpreter,
    source: Source<'a>,
    numbering: Numbering,
    next_index: usize,
}

impl<'a> Formatter<'a> {
    fn new(vm: &'a Interpreter, source: Source<'a>) -> Formatter<'a> {
        Formatter { vm, source, numbering: Numbering::Unknown, next_index: 0 }
    }

    fn build(&mut self, template: &Text, at: usize, end: usize, depth: usize) -> Res {
        let vm = self.vm;
        if depth == 0 {
            return Err(vm.value_error("Max string recursion exceeded".to_string()));
        }
        let mut out = Output::new(vm);
        let mut pieces = Pieces { vm, template, at, end };
        while let Some(piece) = pieces.advance()? {
            out.range(template, piece.literal.0, piece.literal.1)?;
            if let Some(field) = &piece.field {
                let text = self.field(template, field, depth)?;
                out.value(&text)?;
            }
        }
        out.finish()
    }

    fn field(&mut self, template: &Text, field: &Field, depth: usize) -> Res {
        let vm = self.vm;
        let mut value = self.value(template, field.name)?;
        if let Some(conversion) = field.conversion {
            value = convert(vm, &value, conversion)?;
        }
        let spec = if field.nested {
            self.build(template, field.spec.0, field.spec.1, depth - 1)?
        } else {
            piece(vm, template, field.spec.0, field.spec.1)?
        };
        super::format_value(vm, &value, &spec)
    }

    fn value(&mut self, template: &Text, (start, end): (usize, usize)) -> Res {
        let vm = self.vm;
        let (first, mut at) = split_field_name(vm, template, start, end)?;
        let first = self.numbered(first)?;
        let mut value = match (first, &self.source) {
            (First::Name(start, end), Source::Mapping(mapping)) => {
                vm.get_item(mapping, &piece(vm, template, start, end)?)?
            }
            (First::Name(start, end), Source::Call(args)) => {
                let key = piece(vm, template, start, end)?;
                let mut found = None;
                for (name, value) in args.keywords() {
                    if vm.keys_equal(name, &key)? {
                        found = Some(value.clone());
                        break;
                    }
                }
                found.ok_or_else(|| vm.key_error(key))?
            }
            (First::Index(index), Source::Call(args)) => match args.positional().get(index) {
                Some(value) => value.clone(),
                None => {
                    return Err(vm.index_error(format!(
                        "Replacement index {index} out of range for positional args tuple"
                    )));
                }
            },
            _ => return Err(vm.value_error("Format string contains positional fields".to_string())),
        };
        while let Some((step, next)) = next_step(vm, template, at, end)? {
            value = match step {
                Step::Attribute(start, end) => vm.get_attr(&value, &piece(vm, template, start, end)?)?,
                Step::Index(index) => vm.get_item(&value, &vm.new_int(index as i64)?)?,
                Step::Item(start, end) => vm.get_item(&value, &piece(vm, template, start, end)?)?,
            };
            at = next;
        }
        Ok(value)
    }

    /// Gives an empty field name its number; both kinds of numbering do not mix. Errors: `ValueError`.
    fn numbered(&mut self, first: First) -> Res<First> {
        let numbering = match first {
            First::Name(..) => return Ok(first),
            First::Empty => Numbering::Automatic,
            First::Index(_) => Numbering::Manual,
        };
        if self.numbering == Numbering::Unknown {
            self.numbering = numbering;
        } else if self.numbering != numbering {
            let message = if numbering == Numbering::Automatic {
                "cannot switch from manual field specification to automatic field numbering"
            } else {
                "cannot switch from automatic field numbering to manual field specification"
            };
            return Err(self.vm.value_error(message.to_string()));
        }
        if first != First::Empty {
            return Ok(first);
        }
        self.next_index += 1;
        Ok(First::Index(self.next_index - 1))
    }
}

/// `!r`, `!s` or `!a`. Errors: `ValueError` for others.
fn convert(vm: &Interpreter, value: &Value, conversion: u32) -> Res {
    match char::from_u32(conversion) {
        Some('r') => vm.repr(value),
        Some('s') => vm.str(value),
        Some('a') => ascii(vm, value),
        Some(c) if conversion > 32 && conversion < 127 => {
            Err(vm.value_error(format!("Unknown conversion specifier {c}")))
        }
        _ => Err(vm.value_error(format!("Unknown conversion specifier \\x{conversion:x}"))),
    }
}

/// The text of a value that must be a `str`.
pub fn text_of<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Text> {
    match value.downcast::<Str>() {
        Some(s) => Ok(&s.text),
        None => Err(vm.type_error(format!("expected str, got {}", vm.type_name(value)))),
    }
}

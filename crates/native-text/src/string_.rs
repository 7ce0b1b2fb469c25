//! The module `_string`: what `string.Formatter` is made of.

use pellucid_object::{
    FunctionDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Slot, TypeDef, TypeFlags, Value, Visitor,
    payload,
};
use pellucid_types::format::template::{First, Pieces, Step, next_step, piece, split_field_name, text_of};
use std::cell::Cell;

/// Payload of both iterators: a text and how far it was read.
struct Reader {
    text: Value,
    at: Cell<usize>,
}

impl Payload for Reader {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.text);
    }
}

fn reader<'a>(vm: &Interpreter, this: &'a Value) -> Res<&'a Reader> {
    this.downcast::<Reader>().ok_or_else(|| vm.bug("no reader"))
}

/// The next `(literal, field_name, format_spec, conversion)`.
fn next_piece(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let reader = reader(vm, this)?;
    let text = text_of(vm, &reader.text)?;
    let mut pieces = Pieces::starting_at(vm, text, reader.at.get());
    let Some(found) = pieces.advance()? else { return Ok(None) };
    reader.at.set(pieces.position());
    let literal = piece(vm, text, found.literal.0, found.literal.1)?;
    let rest = match found.field {
        None => [Value::NONE, Value::NONE, Value::NONE],
        Some(field) => [
            piece(vm, text, field.name.0, field.name.1)?,
            piece(vm, text, field.spec.0, field.spec.1)?,
            match field.conversion {
                Some(point) => pellucid_types::str::from_code_points(vm, &[point])?,
                None => Value::NONE,
            },
        ],
    };
    let mut parts = vec![literal];
    parts.extend(rest);
    vm.new_tuple(parts).map(Some)
}

fn parser(vm: &Interpreter, text: &Value) -> Res {
    text_of(vm, text)?;
    vm.alloc(&vm.type_for(&FORMATTER_ITERATOR)?, Reader { text: text.clone(), at: Cell::new(0) })
}

/// The next `(is_attribute, name)`.
fn next_name(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let reader = reader(vm, this)?;
    let text = text_of(vm, &reader.text)?;
    let Some((step, at)) = next_step(vm, text, reader.at.get(), text.len())? else { return Ok(None) };
    reader.at.set(at);
    let (is_attribute, name) = match step {
        Step::Attribute(start, end) => (true, piece(vm, text, start, end)?),
        Step::Item(start, end) => (false, piece(vm, text, start, end)?),
        Step::Index(index) => (false, vm.new_int(index as i64)?),
    };
    vm.new_tuple(vec![Value::bool(is_attribute), name]).map(Some)
}

fn split(vm: &Interpreter, name: &Value) -> Res {
    let text = text_of(vm, name)?;
    let (first, at) = split_field_name(vm, text, 0, text.len())?;
    let first = match first {
        First::Empty => vm.new_str("")?,
        First::Index(index) => vm.new_int(index as i64)?,
        First::Name(start, end) => piece(vm, text, start, end)?,
    };
    let rest =
        vm.alloc(&vm.type_for(&FIELD_NAME_ITERATOR)?, Reader { text: name.clone(), at: Cell::new(at) })?;
    vm.new_tuple(vec![first, rest])
}

static FORMATTER_ITERATOR: TypeDef = TypeDef {
    name: "formatteriterator",
    module: "builtins",
    base: None,
    payload: payload::<Reader>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next_piece)],
    methods: &[],
    getset: &[],
};

static FIELD_NAME_ITERATOR: TypeDef = TypeDef {
    name: "fieldnameiterator",
    module: "builtins",
    base: None,
    payload: payload::<Reader>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next_name)],
    methods: &[],
    getset: &[],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_string",
    doc: "string helper module",
    functions: &[
        FunctionDef::new(
            "formatter_field_name_split",
            "(object, /)",
            "split the argument as a field name",
            NativeFn::F1(split),
        ),
        FunctionDef::new(
            "formatter_parser",
            "(object, /)",
            "parse the argument as a format string",
            NativeFn::F1(parser),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

//! `_csv.writer`.

use super::dialect::{self, Dialect, Quoting};
use super::error;
use pellucid_object::text::NoMemory;
use pellucid_object::{
    Args, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Ref, Res, Str, Text, TextBuilder, TypeDef,
    TypeFlags, Value, Visitor, payload,
};

/// Payload of `_csv.writer`.
pub struct Writer {
    write: Value,
    dialect: Ref<Dialect>,
}

impl Payload for Writer {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.write);
        visit(self.dialect.value());
    }
}

pub fn new(vm: &Interpreter, args: &Args) -> Res {
    let made = dialect::with_keywords(vm, args.get(1), args.req(2))?;
    let write = vm.get_attr_opt(args.req(0), "write")?;
    let Some(write) = write.filter(|write| vm.type_of_ref(write).slots.call.get().is_some()) else {
        return Err(vm.type_error("argument 1 must have a \"write\" method".to_string()));
    };
    vm.alloc(&vm.type_for(&WRITER)?, Writer { write, dialect: dialect::of(vm, &made)? })
}

fn writer<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Writer> {
    value.downcast::<Writer>().ok_or_else(|| vm.bug("no writer"))
}

/// Whether the text must be quoted, and what of it escaped. Errors: `csv.Error` when it must be escaped and cannot be.
fn append(
    vm: &Interpreter,
    d: &Dialect,
    row: &mut TextBuilder,
    text: Option<&Text>,
    quoted: bool,
) -> Res<()> {
    let full = |NoMemory| vm.no_memory();
    let mut quoted = quoted;
    let mut field = TextBuilder::new();
    for point in text.map(Text::code_points).into_iter().flatten() {
        let special = point == d.delimiter
            || Some(point) == d.escape
            || Some(point) == d.quote
            || matches!(point, 0x0a | 0x0d)
            || d.line_terminator.contains(&point);
        if special {
            let mut escape = false;
            if d.quoting == Quoting::None {
                escape = true;
            } else {
                if Some(point) == d.quote {
                    if d.double_quote {
                        field.push(point).map_err(full)?;
                    } else {
                        escape = true;
                    }
                } else if Some(point) == d.escape {
                    escape = true;
                }
                if !escape {
                    quoted = true;
                }
            }
            if escape {
                match d.escape {
                    Some(escape) => field.push(escape).map_err(full)?,
                    None => return Err(error(vm, "need to escape, but no escapechar set")),
                }
            }
        }
        field.push(point).map_err(full)?;
    }
    let field = field.finish().map_err(full)?;
    let quote = if quoted { d.quote } else { None };
    quote.map_or(Ok(()), |quote| row.push(quote)).map_err(full)?;
    row.push_text(&field).map_err(full)?;
    quote.map_or(Ok(()), |quote| row.push(quote)).map_err(full)
}

fn write_row(vm: &Interpreter, this: &Value, fields: &Value) -> Res {
    let writer = writer(vm, this)?;
    let d = &*writer.dialect;
    let iterable = vm.type_of_ref(fields).slots.iter.get().is_some()
        || vm.type_of_ref(fields).slots.getitem.get().is_some();
    if !iterable {
        let got = vm.type_name(fields);
        return Err(error(vm, &format!("iterable expected, not {got}")));
    }
    let full = |NoMemory| vm.no_memory();
    let mut row = TextBuilder::new();
    let (mut count, mut null) = (0usize, false);
    vm.for_each(fields, |field| {
        let is_str = field.downcast::<Str>().is_some();
        let quoted = match d.quoting {
            Quoting::NonNumeric => field.as_int().is_none() && field.as_float().is_none(),
            Quoting::All => true,
            Quoting::Strings => is_str,
            Quoting::NotNull => !field.is_none(),
            Quoting::Minimal | Quoting::None => false,
        };
        if count > 0 {
            row.push(d.delimiter).map_err(full)?;
        }
        count += 1;
        null = field.is_none();
        let text = if null { None } else { Some(vm.str(&field)?) };
        let text = text.as_ref().and_then(|text| text.downcast::<Str>()).map(|s| &s.text);
        // A reader that skips spaces would see no field here.
        let lost = d.delimiter == 0x20 && d.skip_space && text.is_none_or(Text::is_empty);
        let unquotable =
            d.quoting == Quoting::None || null && matches!(d.quoting, Quoting::Strings | Quoting::NotNull);
        if lost && unquotable {
            let what = "empty field must be quoted if delimiter is a space and skipinitialspace is true";
            return Err(error(vm, what));
        }
        append(vm, d, &mut row, text, quoted || lost)
    })?;
    if count == 1 && row.is_empty() {
        let cannot =
            d.quoting == Quoting::None || null && matches!(d.quoting, Quoting::Strings | Quoting::NotNull);
        match d.quote {
            Some(quote) if !cannot => row.push_repeated(quote, 2).map_err(full)?,
            _ => return Err(error(vm, "single empty field record must be quoted")),
        }
    }
    d.line_terminator.iter().try_for_each(|point| row.push(*point)).map_err(full)?;
    let line = vm.made_text(row.finish())?;
    vm.call_values(&writer.write, &[line])
}

fn write_rows(vm: &Interpreter, this: &Value, rows: &Value) -> Res {
    vm.for_each(rows, |row| write_row(vm, this, &row).map(drop))?;
    Ok(Value::NONE)
}

#[rustfmt::skip]
pub static WRITER: TypeDef = TypeDef {
    name: "writer",
    module: "_csv",
    base: None,
    payload: payload::<Writer>(),
    flags: TypeFlags::NO_NEW,
    doc: "CSV writer\n\nWriter objects are responsible for generating tabular data\nin CSV format from sequence input.\n",
    slots: &[],
    methods: &[
        FunctionDef::new("writerow", "($self, row, /)", "Construct and write a CSV record from an iterable of fields.", NativeFn::F2(write_row)),
        FunctionDef::new("writerows", "($self, rows, /)", "Construct and write a series of iterables to a csv file.", NativeFn::F2(write_rows)),
    ],
    getset: &[GetSetDef { name: "dialect", doc: "", get: |vm, this| Ok(writer(vm, this)?.dialect.value().clone()), set: None }],
};

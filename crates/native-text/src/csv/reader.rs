//! `_csv.reader`.

use super::dialect::{self, Dialect, Quoting};
use super::{State, error};
use pellucid_object::{
    Args, GetSetDef, Interpreter, Payload, Ref, Res, Slot, Str, TextBuilder, TypeDef, TypeFlags, Value,
    Visitor, payload,
};
use std::cell::Cell;

/// Payload of `_csv.reader`.
pub struct Reader {
    lines: Value,
    dialect: Ref<Dialect>,
    line_number: Cell<i64>,
}

impl Payload for Reader {
    fn trace(&self, visit: &mut Visitor) {
        visit(&self.lines);
        visit(self.dialect.value());
    }
}

pub fn new(vm: &Interpreter, args: &Args) -> Res {
    let lines = vm.iter(args.req(0))?;
    let made = dialect::with_keywords(vm, args.get(1), args.req(2))?;
    let reader = Reader { lines, dialect: dialect::of(vm, &made)?, line_number: Cell::new(0) };
    vm.alloc(&vm.type_for(&READER)?, reader)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    StartOfRecord,
    StartOfField,
    EscapedChar,
    InField,
    InQuotedField,
    EscapeInQuotedField,
    QuoteInQuotedField,
    EatNewLine,
    AfterEscapedNewLine,
}

/// A row being read.
struct Row<'a> {
    vm: &'a Interpreter,
    dialect: &'a Dialect,
    at: At,
    fields: Vec<Value>,
    field: TextBuilder,
    /// The field was not quoted.
    unquoted: bool,
    limit: i64,
}

impl Row<'_> {
    fn add(&mut self, point: u32) -> Res<()> {
        if self.field.len() as i64 >= self.limit {
            let limit = self.limit;
            return Err(error(self.vm, &format!("field larger than field limit ({limit})")));
        }
        self.field.push(point).map_err(|_| self.vm.no_memory())
    }

    fn save(&mut self) -> Res<()> {
        let vm = self.vm;
        let quoting = self.dialect.quoting;
        let empty = self.field.is_empty();
        let text = vm.made_text(std::mem::take(&mut self.field).finish())?;
        let nullable = matches!(quoting, Quoting::Strings | Quoting::NotNull);
        let value = if self.unquoted && empty && nullable {
            Value::NONE
        } else if self.unquoted && !empty && matches!(quoting, Quoting::NonNumeric | Quoting::Strings) {
            vm.call_values(vm.types().float.value(), &[text])?
        } else {
            text
        };
        self.unquoted = true;
        self.fields.push(value);
        Ok(())
    }

    fn start_of_field(&mut self, point: u32) -> Res<()> {
        let d = self.dialect;
        if matches!(point, 0x0a | 0x0d) {
            self.save()?;
            self.at = At::EatNewLine;
        } else if Some(point) == d.quote && d.quoting != Quoting::None {
            self.unquoted = false;
            self.at = At::InQuotedField;
        } else if Some(point) == d.escape {
            self.at = At::EscapedChar;
        } else if point == 0x20 && d.skip_space {
            // Spaces before a field are no part of it.
        } else if point == d.delimiter {
            self.save()?;
            self.at = At::StartOfField;
        } else {
            self.at = At::InField;
            self.add(point)?;
        }
        Ok(())
    }

    fn in_field(&mut self, point: u32) -> Res<()> {
        let d = self.dialect;
        if matches!(point, 0x0a | 0x0d) {
            self.save()?;
            self.at = At::EatNewLine;
        } else if Some(point) == d.escape {
            self.at = At::EscapedChar;
        } else if point == d.delimiter {
            self.save()?;
            self.at = At::StartOfField;
        } else {
            self.add(point)?;
        }
        Ok(())
    }

    fn take(&mut self, point: u32) -> Res<()> {
        let d = self.dialect;
        match self.at {
            At::StartOfRecord if matches!(point, 0x0a | 0x0d) => self.at = At::EatNewLine,
            At::StartOfRecord | At::StartOfField => {
                self.at = At::StartOfField;
                self.start_of_field(point)?;
            }
            At::EscapedChar => {
                self.at = if matches!(point, 0x0a | 0x0d) { At::AfterEscapedNewLine } else { At::InField };
                self.add(point)?;
            }
            At::AfterEscapedNewLine | At::InField => {
                self.at = At::InField;
                self.in_field(point)?;
            }
            At::InQuotedField => {
                if Some(point) == d.escape {
                    self.at = At::EscapeInQuotedField;
                } else if Some(point) == d.quote && d.quoting != Quoting::None {
                    self.at = if d.double_quote { At::QuoteInQuotedField } else { At::InField };
                } else {
                    self.add(point)?;
                }
            }
            At::EscapeInQuotedField => {
                self.at = At::InQuotedField;
                self.add(point)?;
            }
            At::QuoteInQuotedField => {
                if d.quoting != Quoting::None && Some(point) == d.quote {
                    self.add(point)?;
                    self.at = At::InQuotedField;
                } else if point == d.delimiter {
                    self.save()?;
                    self.at = At::StartOfField;
                } else if matches!(point, 0x0a | 0x0d) {
                    self.save()?;
                    self.at = At::EatNewLine;
                } else if !d.strict {
                    self.add(point)?;
                    self.at = At::InField;
                } else {
                    let shown = |p: Option<u32>| p.and_then(char::from_u32).unwrap_or('\u{fffd}');
                    let (delimiter, quote) = (shown(Some(d.delimiter)), shown(d.quote));
                    return Err(error(self.vm, &format!("'{delimiter}' expected after '{quote}'")));
                }
            }
            At::EatNewLine => {
                if !matches!(point, 0x0a | 0x0d) {
                    let what = "new-line character seen in unquoted field - do you need to open the file with \
                                newline=''?";
                    return Err(error(self.vm, what));
                }
            }
        }
        Ok(())
    }

    /// The end of what the iterator gave.
    fn end_of_line(&mut self) -> Res<()> {
        match self.at {
            At::StartOfRecord | At::EatNewLine => self.at = At::StartOfRecord,
            At::StartOfField => {
                self.save()?;
                self.at = At::StartOfRecord;
            }
            At::InField | At::QuoteInQuotedField => {
                self.save()?;
                self.at = At::StartOfRecord;
            }
            At::EscapedChar => {
                self.add(0x0a)?;
                self.at = At::InField;
            }
            At::EscapeInQuotedField => {
                self.add(0x0a)?;
                self.at = At::InQuotedField;
            }
            At::InQuotedField | At::AfterEscapedNewLine => {}
        }
        Ok(())
    }
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(reader) = this.downcast::<Reader>() else { return Err(vm.bug("no reader")) };
    let mut row = Row {
        vm,
        dialect: &reader.dialect,
        at: At::StartOfRecord,
        fields: Vec::new(),
        field: TextBuilder::new(),
        unquoted: true,
        limit: vm.state::<State>().field_limit.get(),
    };
    loop {
        let Some(line) = vm.next(&reader.lines)? else {
            if !row.field.is_empty() || row.at == At::InQuotedField {
                if reader.dialect.strict {
                    return Err(error(vm, "unexpected end of data"));
                }
                row.save()?;
                break;
            }
            return Ok(None);
        };
        let Some(s) = line.downcast::<Str>() else {
            let got = vm.type_name(&line);
            return Err(error(
                vm,
                &format!(
                    "iterator should return strings, not {got} (the file should be opened in text mode)"
                ),
            ));
        };
        reader.line_number.set(reader.line_number.get() + 1);
        for point in s.text.code_points() {
            row.take(point)?;
        }
        row.end_of_line()?;
        if row.at == At::StartOfRecord {
            break;
        }
    }
    vm.new_list(row.fields).map(Some)
}

#[rustfmt::skip]
pub static READER: TypeDef = TypeDef {
    name: "reader",
    module: "_csv",
    base: None,
    payload: payload::<Reader>(),
    flags: TypeFlags::NO_NEW,
    doc: "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\nin CSV format.\n",
    slots: &[Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[
        GetSetDef {
            name: "dialect",
            doc: "",
            get: |vm, this| match this.downcast::<Reader>() {
                Some(reader) => Ok(reader.dialect.value().clone()),
                None => Err(vm.bug("no reader")),
            },
            set: None,
        },
        GetSetDef {
            name: "line_num",
            doc: "",
            get: |vm, this| match this.downcast::<Reader>() {
                Some(reader) => vm.new_int(reader.line_number.get()),
                None => Err(vm.bug("no reader")),
            },
            set: None,
        },
    ],
};

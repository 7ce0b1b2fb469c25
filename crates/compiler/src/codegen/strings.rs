//! f-strings and t-strings.

use super::Compiler;
use crate::error::Outcome;
use crate::unparse::unparse;
use pellucid_bytecode::{Const, Op, Wtf8};
use pellucid_syntax::ast::{self, ConversionFlag, InterpolatedStringElement};
use pellucid_syntax::strings::{debug_text, element_value, expression_text, literal_value};
use pellucid_syntax::text_size::TextRange;

/// A piece of an f-string.
enum Piece<'a> {
    Text(Vec<u8>),
    /// A field, and the range of the string that it is in: of several next to each other, one.
    Field(&'a ast::InterpolatedElement, TextRange),
}

/// Pieces, texts next to each other being one.
#[derive(Default)]
struct Pieces<'a>(Vec<Piece<'a>>);

impl<'a> Pieces<'a> {
    fn text(&mut self, text: &[u8]) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(known)) => known.extend(text),
            _ => self.0.push(Piece::Text(text.into())),
        }
    }
}

/// A conversion by number: none, str, repr, ascii.
fn conversion(field: &ast::InterpolatedElement) -> u32 {
    match field.conversion {
        ConversionFlag::None if field.debug_text.is_some() && field.format_spec.is_none() => 2,
        ConversionFlag::None => 0,
        ConversionFlag::Str => 1,
        ConversionFlag::Repr => 2,
        ConversionFlag::Ascii => 3,
    }
}

impl<'a> Compiler<'a> {
    fn elements(
        &self,
        elements: &'a ast::InterpolatedStringElements,
        (string, raw): (TextRange, bool),
        pieces: &mut Pieces<'a>,
    ) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(text) => {
                    pieces.text(&element_value(self.places.source(), text, raw));
                }
                InterpolatedStringElement::Interpolation(field) => {
                    if let Some(debug) = &field.debug_text {
                        pieces.text(debug_text(debug).as_bytes());
                    }
                    pieces.0.push(Piece::Field(field, string));
                }
            }
        }
    }

    pub(super) fn f_string(&mut self, e: &'a ast::ExprFString) -> Outcome {
        let mut pieces = Pieces::default();
        for part in &e.value {
            match part {
                ast::FStringPart::Literal(literal) => {
                    pieces.text(&literal_value(self.places.source(), literal));
                }
                ast::FStringPart::FString(f) => {
                    self.elements(&f.elements, (f.range, f.flags.prefix().is_raw()), &mut pieces);
                }
            }
        }
        self.join_pieces(pieces)
    }

    fn join_pieces(&mut self, pieces: Pieces<'a>) -> Outcome {
        let mut list = pieces.0.into_iter();
        self.joined(list.len(), |this, _| {
            match list.next() {
                Some(Piece::Text(text)) => this.load_const(Const::Str(Wtf8(text.into()))),
                Some(Piece::Field(field, string)) => this.field(field, string)?,
                None => {}
            }
            Ok(())
        })
    }

    fn field(&mut self, field: &'a ast::InterpolatedElement, string: TextRange) -> Outcome {
        self.expr(&field.expression)?;
        let mut arg = conversion(field);
        if let Some(spec) = &field.format_spec {
            self.format_spec(spec, string)?;
            arg |= 4;
        }
        let line = self.unit().place.line;
        let place = self.places.of(field.range);
        if place.line == line {
            return self.at(place, |this| {
                this.op_arg(Op::FormatValue, arg);
                Ok(())
            });
        }
        self.op_arg(Op::FormatValue, arg);
        Ok(())
    }

    /// A format, whose line is that of its string.
    fn format_spec(&mut self, spec: &'a ast::InterpolatedStringFormatSpec, string: TextRange) -> Outcome {
        let mut pieces = Pieces::default();
        self.elements(&spec.elements, (string, false), &mut pieces);
        let place = self.places.of(string);
        self.at(place, |this| this.join_pieces(pieces))
    }

    /// The texts around the fields, then the fields.
    pub(super) fn t_string(&mut self, e: &'a ast::ExprTString) -> Outcome {
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        let mut fields = Vec::new();
        for t in &e.value {
            let raw = t.flags.prefix().is_raw();
            let mut pieces = Pieces::default();
            self.elements(&t.elements, (t.range, raw), &mut pieces);
            for piece in pieces.0 {
                match piece {
                    Piece::Text(text) => texts.iter_mut().last().into_iter().for_each(|t| t.extend(&text)),
                    Piece::Field(field, string) => {
                        fields.push((field, string));
                        texts.push(Vec::new());
                    }
                }
            }
        }
        let texts = texts.into_iter().map(|text| Const::Str(Wtf8(text.into()))).collect();
        self.load_const(Const::Tuple(texts));
        let count = fields.len() as u32;
        for (field, string) in fields {
            self.interpolation(field, string)?;
        }
        self.op_arg(Op::BuildTuple, count);
        self.op(Op::BuildTemplate);
        Ok(())
    }

    fn interpolation(&mut self, field: &'a ast::InterpolatedElement, string: TextRange) -> Outcome {
        self.expr(&field.expression)?;
        let source = self.places.source();
        let text = match source.has_text() {
            true => expression_text(source, field).as_bytes().to_vec(),
            false => unparse(&field.expression, source),
        };
        self.load_const(Const::Str(Wtf8(text.into())));
        let mut arg = conversion(field) << 2;
        if let Some(spec) = &field.format_spec {
            self.format_spec(spec, string)?;
            arg |= 1;
        }
        self.op_arg(Op::BuildInterpolation, arg);
        Ok(())
    }
}

//! f-strings, t-strings, and `%` with a format that is known.

use super::Compiler;
use crate::error::Outcome;
use crate::place::Place;
use crate::unparse::unparse;
use pellucid_bytecode::{Const, Op, Wtf8};
use pellucid_syntax::ast::{self, ConversionFlag, Expr, InterpolatedStringElement, Operator};
use pellucid_syntax::strings::{element_value, expression_text, literal_value};
use pellucid_syntax::text_size::Ranged;

/// The most digits of a width or precision, and one.
const MAX_DIGITS: usize = 3;

/// A piece of an f-string.
enum Piece<'a> {
    Text(Vec<u8>),
    Field(&'a ast::InterpolatedElement),
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
    fn elements(&self, elements: &'a ast::InterpolatedStringElements, raw: bool, pieces: &mut Pieces<'a>) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(text) => {
                    pieces.text(&element_value(self.places.source(), text, raw));
                }
                InterpolatedStringElement::Interpolation(field) => {
                    if let Some(debug) = &field.debug_text {
                        pieces.text(debug.as_str().as_bytes());
                    }
                    pieces.0.push(Piece::Field(field));
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
                    self.elements(&f.elements, f.flags.prefix().is_raw(), &mut pieces);
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
                Some(Piece::Field(field)) => this.field(field)?,
                None => {}
            }
            Ok(())
        })
    }

    fn field(&mut self, field: &'a ast::InterpolatedElement) -> Outcome {
        self.expr(&field.expression)?;
        let mut arg = conversion(field);
        if let Some(spec) = &field.format_spec {
            let mut pieces = Pieces::default();
            self.elements(&spec.elements, false, &mut pieces);
            self.join_pieces(pieces)?;
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

    /// The texts around the fields, then the fields.
    pub(super) fn t_string(&mut self, e: &'a ast::ExprTString) -> Outcome {
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        let mut fields: Vec<&'a ast::InterpolatedElement> = Vec::new();
        for t in &e.value {
            let raw = t.flags.prefix().is_raw();
            let mut pieces = Pieces::default();
            self.elements(&t.elements, raw, &mut pieces);
            for piece in pieces.0 {
                match piece {
                    Piece::Text(text) => texts.iter_mut().last().into_iter().for_each(|t| t.extend(&text)),
                    Piece::Field(field) => {
                        fields.push(field);
                        texts.push(Vec::new());
                    }
                }
            }
        }
        let texts = texts.into_iter().map(|text| Const::Str(Wtf8(text.into()))).collect();
        self.load_const(Const::Tuple(texts));
        for field in &fields {
            self.interpolation(field)?;
        }
        self.op_arg(Op::BuildTuple, fields.len() as u32);
        self.op(Op::BuildTemplate);
        Ok(())
    }

    fn interpolation(&mut self, field: &'a ast::InterpolatedElement) -> Outcome {
        self.expr(&field.expression)?;
        let source = self.places.source();
        let text = match source.has_text() {
            true => expression_text(source, field).as_bytes().to_vec(),
            false => unparse(&field.expression, source),
        };
        self.load_const(Const::Str(Wtf8(text.into())));
        let mut arg = conversion(field) << 2;
        if let Some(spec) = &field.format_spec {
            let mut pieces = Pieces::default();
            self.elements(&spec.elements, false, &mut pieces);
            self.join_pieces(pieces)?;
            arg |= 1;
        }
        self.op_arg(Op::BuildInterpolation, arg);
        Ok(())
    }

    /// `'...%s...' % (a, b)` as an f-string would do it. Returns whether it could be done.
    pub(super) fn percent_format(&mut self, e: &'a ast::ExprBinOp) -> Outcome<bool> {
        let (Operator::Mod, Expr::Tuple(tuple)) = (e.op, &*e.right) else { return Ok(false) };
        if self.folds.is_constant(&e.right) || tuple.elts.iter().any(Expr::is_starred_expr) {
            return Ok(false);
        }
        let Some(Const::Str(format)) = self.folds.constant(&e.left) else { return Ok(false) };
        let Some(pieces) = parse_format(&format.0, &tuple.elts) else { return Ok(false) };
        let mut list = pieces.into_iter();
        self.joined(list.len(), |this, _| match list.next() {
            Some(FormatPiece::Text(text)) => this.at(Place::NONE, |this| {
                this.load_const(Const::Str(Wtf8(text.into())));
                Ok(())
            }),
            Some(FormatPiece::Value { value, conversion, spec }) => {
                let place = this.places.of(value.range());
                this.at(place, |this| {
                    this.expr(value)?;
                    let mut arg = conversion;
                    if let Some(spec) = spec {
                        this.load_str(&spec);
                        arg |= 4;
                    }
                    this.op_arg(Op::FormatValue, arg);
                    Ok(())
                })
            }
            None => Ok(()),
        })?;
        Ok(true)
    }
}

enum FormatPiece<'a> {
    Text(Vec<u8>),
    Value { value: &'a Expr, conversion: u32, spec: Option<String> },
}

/// The pieces of a `%` format, if it has only `%s`, `%r`, `%a` and `%%`, and as many as there are values.
fn parse_format<'a>(format: &[u8], values: &'a [Expr]) -> Option<Vec<FormatPiece<'a>>> {
    let mut pieces = Vec::new();
    let mut values = values.iter();
    let mut rest = format;
    loop {
        let mut text = Vec::new();
        loop {
            match rest {
                [b'%', b'%', after @ ..] => {
                    text.push(b'%');
                    rest = after;
                }
                [b'%', ..] | [] => break,
                [byte, after @ ..] => {
                    text.push(*byte);
                    rest = after;
                }
            }
        }
        if !text.is_empty() {
            pieces.push(FormatPiece::Text(text));
        }
        let Some((_, after)) = rest.split_first() else { break };
        rest = after;
        let value = values.next()?;
        let (conversion, spec) = parse_unit(&mut rest)?;
        pieces.push(FormatPiece::Value { value, conversion, spec });
    }
    values.next().is_none().then_some(pieces)
}

/// Takes a byte off the front.
fn next(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

/// A number that starts with `byte`; the byte behind it takes its place. Fails if it is long.
fn number(byte: &mut u8, rest: &mut &[u8]) -> Option<Option<u32>> {
    let mut value = None;
    let mut digits = 0;
    while byte.is_ascii_digit() {
        value = Some(value.unwrap_or(0) * 10 + u32::from(*byte - b'0'));
        *byte = next(rest)?;
        digits += 1;
        if digits >= MAX_DIGITS {
            return None;
        }
    }
    Some(value)
}

/// What follows a `%`: the conversion, and the format that means the same.
fn parse_unit(rest: &mut &[u8]) -> Option<(u32, Option<String>)> {
    let mut byte = next(rest)?;
    let mut left = false;
    while matches!(byte, b'-' | b'+' | b' ' | b'#' | b'0') {
        left |= byte == b'-';
        byte = next(rest)?;
    }
    let mut spec = String::new();
    if let Some(width) = number(&mut byte, rest)? {
        if !left && width > 0 {
            spec.push('>');
        }
        spec += &width.to_string();
    }
    if byte == b'.' {
        byte = next(rest)?;
        spec += &format!(".{}", number(&mut byte, rest)?.unwrap_or(0));
    }
    let conversion = match byte {
        b's' => 1,
        b'r' => 2,
        b'a' => 3,
        _ => return None,
    };
    Some((conversion, (!spec.is_empty()).then_some(spec)))
}

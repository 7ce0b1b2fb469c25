//! Literals of the parser's tree, made from values.

use super::from_python::index;
use dashu_int::IBig;
use pellucid_object::{Interpreter, Res, Value};
use pellucid_syntax::ast::{self, Expr, ExprContext};
use pellucid_syntax::text_size::TextRange;

/// `None`, `True`, `False`, `...`.
pub(super) fn singleton(value: &Value, range: TextRange) -> Expr {
    let node_index = index();
    if value.is_none() {
        Expr::NoneLiteral(ast::ExprNoneLiteral { range, node_index })
    } else if value.is_ellipsis() {
        Expr::EllipsisLiteral(ast::ExprEllipsisLiteral { range, node_index })
    } else {
        Expr::BooleanLiteral(ast::ExprBooleanLiteral { value: value.is_true(), range, node_index })
    }
}

pub(super) fn string(value: String, range: TextRange) -> Expr {
    let flags = ast::StringLiteralFlags::empty();
    let part = ast::StringLiteral { range, node_index: index(), value: value.into(), flags };
    let value = ast::StringLiteralValue::single(part);
    Expr::StringLiteral(ast::ExprStringLiteral { range, node_index: index(), value })
}

pub(super) fn bytes(value: Vec<u8>, range: TextRange) -> Expr {
    let flags = ast::BytesLiteralFlags::empty();
    let part = ast::BytesLiteral { range, node_index: index(), value: value.into(), flags };
    let value = ast::BytesLiteralValue::single(part);
    Expr::BytesLiteral(ast::ExprBytesLiteral { range, node_index: index(), value })
}

/// `frozenset(items)`: a set constant has no literal.
pub(super) fn frozenset(items: Expr, range: TextRange) -> Expr {
    let ctx = ExprContext::Load;
    let func =
        Expr::Name(ast::ExprName { id: ast::name::Name::new("frozenset"), ctx, range, node_index: index() });
    let args = vec![items].into();
    let arguments = ast::Arguments { range, node_index: index(), args, keywords: Default::default() };
    Expr::Call(ast::ExprCall {
        range_start: range.start(),
        node_index: index(),
        func: Box::new(func),
        arguments,
    })
}

/// A field of an f-string without conversion and specification.
pub(super) fn field(expression: Box<Expr>, range: TextRange) -> ast::InterpolatedElement {
    ast::InterpolatedElement {
        range,
        node_index: index(),
        expression,
        debug_text: None,
        conversion: ast::ConversionFlag::None,
        format_spec: None,
    }
}

fn number_expr(value: ast::Number, range: TextRange) -> Expr {
    Expr::NumberLiteral(ast::ExprNumberLiteral { range, node_index: index(), value })
}

/// The literal of an int, float or complex; negative ints are the literal with its sign.
pub(super) fn number(vm: &Interpreter, value: &Value, range: TextRange) -> Res<Option<Expr>> {
    let types = vm.types();
    if vm.is_exact(value, &types.int) {
        let Some(int) = value.as_int() else { return Ok(None) };
        let big = int.to_big();
        let negative = big < IBig::ZERO;
        let digits = format!("{:x}", if negative { -big } else { big });
        let Ok(int) = ast::Int::from_str_radix(&digits, 16, &format!("0x{digits}")) else {
            return Err(vm.bug("hexadecimal digits"));
        };
        let literal = number_expr(ast::Number::Int(int), range);
        if !negative {
            return Ok(Some(literal));
        }
        let (op, operand) = (ast::UnaryOp::USub, Box::new(literal));
        return Ok(Some(Expr::UnaryOp(ast::ExprUnaryOp { range, node_index: index(), op, operand })));
    }
    if vm.is_exact(value, &types.float) {
        return Ok(value.as_float().map(|f| number_expr(ast::Number::Float(f), range)));
    }
    if &*vm.type_name(value) == "complex" {
        let part =
            |name: &str| -> Res<f64> { Ok(vm.get_attr_str(value, name)?.as_float().unwrap_or_default()) };
        let (real, imag) = (part("real")?, part("imag")?);
        return Ok(Some(number_expr(ast::Number::Complex { real, imag }, range)));
    }
    Ok(None)
}

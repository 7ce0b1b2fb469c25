//! Floats as decimal text: `e`, `f`, `g` with a precision, and the shortest form that reads back.

/// How a float is written.
#[derive(Clone, Copy)]
pub struct Style {
    /// `e`, `f`, `g`, or `r` for the shortest digits that read back.
    pub code: u8,
    pub uppercase: bool,
    /// Digits after the point (`e`, `f`), significant digits (`g`).
    pub precision: usize,
    /// Keep the point and, with `g`, trailing zeros.
    pub alternate: bool,
    /// `1` becomes `1.0`.
    pub add_dot_zero: bool,
    pub no_negative_zero: bool,
}

/// A float has no digits that are not 0 beyond this many places; further ones are appended as zeros.
const MOST_PLACES: usize = 1100;

/// The text of `f`; `None` when memory is short.
pub fn float_text(f: f64, style: &Style) -> Option<String> {
    let mut text = String::new();
    if f.is_nan() {
        text.push_str("nan");
    } else {
        let body = if f.is_infinite() { "inf".to_string() } else { finite(f.abs(), style)? };
        let zero = style.no_negative_zero
            && !body.bytes().take_while(|b| *b != b'e').any(|b| matches!(b, b'1'..=b'9' | b'i'));
        if f.is_sign_negative() && !zero {
            text.try_reserve(body.len() + 1).ok()?;
            text.push('-');
            text.push_str(&body);
        } else {
            text = body;
        }
    }
    if style.uppercase {
        text.make_ascii_uppercase();
    }
    Some(text)
}

fn push_zeros(text: &mut String, count: usize) -> Option<()> {
    text.try_reserve(count).ok()?;
    text.extend(std::iter::repeat_n('0', count));
    Some(())
}

fn finite(f: f64, style: &Style) -> Option<String> {
    let asked = style.precision;
    let places = asked.min(MOST_PLACES);
    match style.code {
        b'f' => {
            let mut text = format!("{f:.places$}");
            if style.alternate && asked == 0 {
                text.push('.');
            }
            push_zeros(&mut text, asked - places)?;
            Some(text)
        }
        b'e' => {
            let (digits, exponent) = scientific(&format!("{f:.places$e}"));
            exponential(&digits, asked - places, exponent, style.alternate)
        }
        b'g' => {
            let asked = asked.max(1);
            let places = asked.min(MOST_PLACES);
            let (digits, exponent) = scientific(&format!("{f:.*e}", places - 1));
            let most = (asked - usize::from(style.add_dot_zero)) as i64;
            let padding = if style.alternate { asked - places } else { 0 };
            general(&digits, padding, exponent, exponent < -4 || exponent >= most, style)
        }
        _ => {
            let (digits, exponent) = scientific(&crate::float::shortest(f));
            general(&digits, 0, exponent, !(-4..16).contains(&exponent), style)
        }
    }
}

/// `d.ddde-7` as digits and exponent.
fn scientific(text: &str) -> (String, i64) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn exponential(digits: &str, zeros: usize, exponent: i64, keep_point: bool) -> Option<String> {
    let mut text = String::new();
    text.try_reserve(digits.len().checked_add(zeros)?.checked_add(8)?).ok()?;
    let (first, rest) = digits.split_at(1.min(digits.len()));
    text.push_str(first);
    if !rest.is_empty() || zeros > 0 || keep_point {
        text.push('.');
    }
    text.push_str(rest);
    push_zeros(&mut text, zeros)?;
    let sign = if exponent < 0 { '-' } else { '+' };
    text.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
    Some(text)
}

/// Digits with `zeros` more behind them, as `g` and `repr` write them.
fn general(
    digits: &str,
    zeros: usize,
    exponent: i64,
    exponential_form: bool,
    style: &Style,
) -> Option<String> {
    let digits = if style.alternate && style.code == b'g' { digits } else { digits.trim_end_matches('0') };
    let digits = if digits.is_empty() { "0" } else { digits };
    if exponential_form {
        return exponential(digits, zeros, exponent, style.alternate);
    }
    let mut text = String::new();
    text.try_reserve(digits.len().checked_add(zeros)?.checked_add(24)?).ok()?;
    let point = exponent + 1;
    if point <= 0 {
        text.push_str("0.");
        push_zeros(&mut text, point.unsigned_abs() as usize)?;
        text.push_str(digits);
        push_zeros(&mut text, zeros)?;
        return Some(text);
    }
    let point = point as usize;
    let whole = digits.get(..point.min(digits.len())).unwrap_or(digits);
    let fraction = digits.get(point.min(digits.len())..).unwrap_or("");
    text.push_str(whole);
    push_zeros(&mut text, point - whole.len())?;
    let zeros = zeros.saturating_sub(point - whole.len());
    if !fraction.is_empty() || zeros > 0 {
        text.push('.');
        text.push_str(fraction);
        push_zeros(&mut text, zeros)?;
    } else if style.add_dot_zero {
        text.push_str(".0");
    } else if style.alternate {
        text.push('.');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(f: f64, code: u8, precision: usize, alternate: bool) -> String {
        let style = Style {
            code,
            uppercase: false,
            precision,
            alternate,
            add_dot_zero: code == b'r',
            no_negative_zero: false,
        };
        float_text(f, &style).expect("memory")
    }

    #[test]
    fn floats_are_written_in_all_styles() {
        assert_eq!(show(0.5, b'f', 0, false), "0");
        assert_eq!(show(2.5, b'f', 0, true), "2.");
        assert_eq!(show(12345.678, b'e', 3, false), "1.235e+04");
        assert_eq!(show(0.0001, b'g', 6, false), "0.0001");
        assert_eq!(show(0.00001, b'g', 6, false), "1e-05");
        assert_eq!(show(1e5, b'g', 6, true), "100000.");
        assert_eq!(show(1.0, b'g', 6, true), "1.00000");
        assert_eq!(show(0.0, b'g', 6, true), "0.00000");
        assert_eq!(show(1e16, b'r', 0, false), "1e+16");
        assert_eq!(show(-1e15, b'r', 0, false), "-1000000000000000.0");
        assert_eq!(show(1.5, b'f', 1200, false).len(), 1202);
    }
}

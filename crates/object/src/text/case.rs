//! Full Unicode case maps, and the predicates of `str`.

use super::unicode::{self, character};
use super::{NoMemory, Text, TextBuilder, with_units};
use crate::text::Unit;
use rustpython_unicode::{case, classify, identifier};

/// Asks `ask` for a code point that is a character; surrogates have no property.
fn has(point: u32, ask: impl Fn(char) -> bool) -> bool {
    character(point).is_some_and(ask)
}

/// `str.isspace` of one code point.
#[inline]
pub fn is_space(point: u32) -> bool {
    match point {
        0..0x80 => matches!(point, 9..=13 | 28..=32),
        _ => has(point, classify::is_space),
    }
}

/// `str.isalpha` of one code point.
pub fn is_alpha(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_alphabetic(),
        _ => has(point, classify::is_alpha),
    }
}

/// `str.isdecimal` of one code point.
pub fn is_decimal(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_digit(),
        _ => has(point, classify::is_decimal),
    }
}

/// `str.isdigit` of one code point.
pub fn is_digit(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_digit(),
        _ => has(point, classify::is_digit),
    }
}

/// `str.isnumeric` of one code point.
pub fn is_numeric(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_digit(),
        _ => has(point, classify::is_numeric) && !unicode::is_newer_number(point),
    }
}

/// `str.isalnum` of one code point.
pub fn is_alnum(point: u32) -> bool {
    is_alpha(point) || is_numeric(point)
}

/// Whether `repr` shows the code point as itself.
pub fn is_printable(point: u32) -> bool {
    match point {
        0..0x80 => matches!(point, 0x20..0x7f),
        _ => has(point, classify::is_printable),
    }
}

fn is_lower(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_lowercase(),
        unicode::ONCE_LOWER => true,
        _ => has(point, case::is_lowercase),
    }
}

fn is_upper(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_uppercase(),
        _ => has(point, case::is_uppercase),
    }
}

fn is_title(point: u32) -> bool {
    point >= 0x80 && has(point, case::is_titlecase)
}

fn is_cased(point: u32) -> bool {
    match point {
        0..0x80 => (point as u8).is_ascii_alphabetic(),
        unicode::ONCE_LOWER => true,
        _ => has(point, case::is_cased),
    }
}

/// The value of a decimal digit of any script.
pub fn decimal_value(point: u32) -> Option<u32> {
    if point < 0x80 {
        return (point as u8).is_ascii_digit().then(|| point - 0x30);
    }
    if !is_decimal(point) {
        return None;
    }
    // Decimal digits stand in contiguous runs of ten that begin with zero; runs of several scripts may touch
    // (the mathematical digits), so the distance to the start of the run is taken modulo ten.
    let below = (1..).take_while(|&d| point.checked_sub(d).is_some_and(is_decimal)).count();
    u32::try_from(below % 10).ok()
}

const SIGMA: u32 = 0x3a3;

impl Text {
    /// Applies `map` to each code point with its position.
    fn map_points(
        &self,
        mut map: impl FnMut(&mut TextBuilder, usize, u32) -> Result<(), NoMemory>,
    ) -> Result<Text, NoMemory> {
        let mut builder = TextBuilder::with_kind(self.kind());
        builder.reserve(self.len())?;
        for (i, point) in self.code_points().enumerate() {
            map(&mut builder, i, point)?;
        }
        builder.finish()
    }

    /// The lower case of the code point at `i`; a capital sigma that ends a word becomes a final one.
    fn push_lower(&self, builder: &mut TextBuilder, i: usize, point: u32) -> Result<(), NoMemory> {
        match character(point) {
            _ if point < 0x80 => builder.push(u32::from((point as u8).to_ascii_lowercase())),
            _ if point == SIGMA => builder.push(if self.sigma_is_final(i) { 0x3c2 } else { 0x3c3 }),
            Some(c) => push_mapped(builder, point, c.to_lowercase()),
            None => builder.push(point),
        }
    }

    fn sigma_is_final(&self, i: usize) -> bool {
        let skipped = |p: &u32| has(*p, case::is_case_ignorable);
        let before = self.code_points_in(0, i).rev().find(|p| !skipped(p)).is_some_and(is_cased);
        before && !self.code_points_in(i + 1, self.len()).find(|p| !skipped(p)).is_some_and(is_cased)
    }

    /// `str.lower`.
    pub fn to_lower(&self) -> Result<Text, NoMemory> {
        if let Some(text) = self.mapped_ascii(<[u8]>::make_ascii_lowercase)? {
            return Ok(text);
        }
        self.map_points(|builder, i, point| self.push_lower(builder, i, point))
    }

    /// `str.upper`.
    pub fn to_upper(&self) -> Result<Text, NoMemory> {
        if let Some(text) = self.mapped_ascii(<[u8]>::make_ascii_uppercase)? {
            return Ok(text);
        }
        self.map_points(|builder, _, point| push_upper(builder, point))
    }

    /// `str.casefold`.
    pub fn casefold(&self) -> Result<Text, NoMemory> {
        if let Some(text) = self.mapped_ascii(<[u8]>::make_ascii_lowercase)? {
            return Ok(text);
        }
        self.map_points(|builder, _, point| match character(point) {
            _ if point < 0x80 => builder.push(u32::from((point as u8).to_ascii_lowercase())),
            Some(c) => push_mapped(builder, point, case::casefold_str(c.encode_utf8(&mut [0; 4])).chars()),
            None => builder.push(point),
        })
    }

    /// `str.title`.
    pub fn to_title(&self) -> Result<Text, NoMemory> {
        let titled = self.mapped_ascii(|bytes| {
            let mut in_word = false;
            for byte in bytes {
                match in_word {
                    true => byte.make_ascii_lowercase(),
                    false => byte.make_ascii_uppercase(),
                }
                in_word = byte.is_ascii_alphabetic();
            }
        })?;
        if let Some(titled) = titled {
            return Ok(titled);
        }
        let mut in_word = false;
        self.map_points(|builder, i, point| {
            let started = std::mem::replace(&mut in_word, is_cased(point));
            if started { self.push_lower(builder, i, point) } else { push_title(builder, point) }
        })
    }

    /// `str.capitalize`.
    pub fn capitalize(&self) -> Result<Text, NoMemory> {
        let capitalized = self.mapped_ascii(|bytes| {
            bytes.make_ascii_lowercase();
            if let [first, ..] = bytes {
                first.make_ascii_uppercase();
            }
        })?;
        if let Some(capitalized) = capitalized {
            return Ok(capitalized);
        }
        self.map_points(|builder, i, point| match i {
            0 => push_title(builder, point),
            _ => self.push_lower(builder, i, point),
        })
    }

    /// `str.swapcase`.
    pub fn swapcase(&self) -> Result<Text, NoMemory> {
        self.map_points(|builder, i, point| match point {
            _ if is_upper(point) => self.push_lower(builder, i, point),
            _ if is_lower(point) => push_upper(builder, point),
            _ => builder.push(point),
        })
    }

    fn all(&self, test: impl Fn(u32) -> bool) -> bool {
        !self.is_empty() && with_units!(self, units => units.iter().all(|u| test(u.point())))
    }

    pub fn is_ascii(&self) -> bool {
        self.as_ascii().is_some()
    }
    pub fn is_alpha(&self) -> bool {
        self.all(is_alpha)
    }
    pub fn is_alnum(&self) -> bool {
        self.all(is_alnum)
    }
    pub fn is_decimal(&self) -> bool {
        self.all(is_decimal)
    }
    pub fn is_digit(&self) -> bool {
        self.all(is_digit)
    }
    pub fn is_numeric(&self) -> bool {
        self.all(is_numeric)
    }
    pub fn is_space(&self) -> bool {
        self.all(is_space)
    }
    /// True for the empty text too.
    pub fn is_printable(&self) -> bool {
        with_units!(self, units => units.iter().all(|u| is_printable(u.point())))
    }

    /// All cased code points are lower case, and there is one.
    pub fn is_lower(&self) -> bool {
        self.code_points().any(is_lower) && !self.code_points().any(|p| is_upper(p) || is_title(p))
    }

    /// All cased code points are upper case, and there is one.
    pub fn is_upper(&self) -> bool {
        self.code_points().any(is_upper) && !self.code_points().any(|p| is_lower(p) || is_title(p))
    }

    /// Upper and title case only at starts of words, lower case only inside.
    pub fn is_title(&self) -> bool {
        let (mut any, mut in_word) = (false, false);
        for point in self.code_points() {
            if is_upper(point) || is_title(point) {
                if in_word {
                    return false;
                }
                (any, in_word) = (true, true);
            } else if is_lower(point) {
                if !in_word {
                    return false;
                }
                any = true;
            } else {
                in_word = false;
            }
        }
        any
    }

    /// Whether it is an identifier (keywords too).
    pub fn is_identifier(&self) -> bool {
        let mut points = self.code_points();
        points.next().is_some_and(|p| has(p, identifier::is_start))
            && points.all(|p| has(p, identifier::is_continue))
    }
}

/// What `point` is mapped to, or itself where that is newer than the database.
fn push_mapped(
    builder: &mut TextBuilder,
    point: u32,
    mut mapped: impl Iterator<Item = char> + Clone,
) -> Result<(), NoMemory> {
    if mapped.clone().any(|c| unicode::is_newer(u32::from(c))) {
        return builder.push(point);
    }
    mapped.try_for_each(|c| builder.push_char(c))
}

fn push_upper(builder: &mut TextBuilder, point: u32) -> Result<(), NoMemory> {
    match character(point) {
        _ if point < 0x80 => builder.push(u32::from((point as u8).to_ascii_uppercase())),
        Some(c) => push_mapped(builder, point, c.to_uppercase()),
        None => builder.push(point),
    }
}

fn push_title(builder: &mut TextBuilder, point: u32) -> Result<(), NoMemory> {
    match character(point) {
        _ if point < 0x80 => builder.push(u32::from((point as u8).to_ascii_uppercase())),
        Some(c) => push_mapped(builder, point, case::capitalize_str(c.encode_utf8(&mut [0; 4])).chars()),
        None => builder.push(point),
    }
}

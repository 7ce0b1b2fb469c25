//! Immutable Python strings as plain data: code points in the narrowest of one, two or four bytes (PEP 393), so
//! that indexing is O(1). Lone surrogates are ordinary code points.

use std::collections::TryReserveError;
use std::fmt;
use std::hash::Hasher;

/// The code points; the kind is always the narrowest that holds them, so equal strings have equal representations.
#[derive(PartialEq, Eq)]
enum Units {
    /// All below 128: these bytes are UTF-8 too.
    Ascii(Box<str>),
    /// All below 256.
    Latin1(Box<[u8]>),
    /// All below 65536.
    Ucs2(Box<[u16]>),
    Ucs4(Box<[u32]>),
}

/// A Python string without its object.
#[derive(PartialEq, Eq)]
pub struct Text(Units);

impl Text {
    /// From code points (each below 0x110000). Errors: no memory.
    pub fn from_code_points(points: &[u32]) -> Result<Text, TryReserveError> {
        let widest = points.iter().copied().max().unwrap_or(0);
        Ok(Text(match widest {
            0..0x80 => {
                let mut text = String::new();
                text.try_reserve_exact(points.len())?;
                text.extend(points.iter().map(|&p| p as u8 as char));
                Units::Ascii(text.into_boxed_str())
            }
            0x80..0x100 => Units::Latin1(narrow(points, |p| p as u8)?),
            0x100..0x10000 => Units::Ucs2(narrow(points, |p| p as u16)?),
            _ => Units::Ucs4(narrow(points, |p| p)?),
        }))
    }

    /// From UTF-8. Errors: no memory.
    pub fn from_utf8(text: &str) -> Result<Text, TryReserveError> {
        if text.is_ascii() {
            let mut copy = String::new();
            copy.try_reserve_exact(text.len())?;
            copy.push_str(text);
            return Ok(Text(Units::Ascii(copy.into_boxed_str())));
        }
        let mut points = Vec::new();
        points.try_reserve_exact(text.len())?;
        points.extend(text.chars().map(u32::from));
        Text::from_code_points(&points)
    }

    /// Number of code points.
    pub fn len(&self) -> usize {
        match &self.0 {
            Units::Ascii(s) => s.len(),
            Units::Latin1(s) => s.len(),
            Units::Ucs2(s) => s.len(),
            Units::Ucs4(s) => s.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code point at `index`.
    pub fn get(&self, index: usize) -> Option<u32> {
        match &self.0 {
            Units::Ascii(s) => s.as_bytes().get(index).map(|&b| u32::from(b)),
            Units::Latin1(s) => s.get(index).map(|&b| u32::from(b)),
            Units::Ucs2(s) => s.get(index).map(|&u| u32::from(u)),
            Units::Ucs4(s) => s.get(index).copied(),
        }
    }

    pub fn code_points(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// The text itself when it is ASCII.
    pub fn as_ascii(&self) -> Option<&str> {
        match &self.0 {
            Units::Ascii(s) => Some(s),
            _ => None,
        }
    }

    /// UTF-8, or `None` when there is a lone surrogate.
    pub fn to_utf8(&self) -> Option<String> {
        match self.as_ascii() {
            Some(s) => Some(s.to_string()),
            None => self.code_points().map(char::from_u32).collect(),
        }
    }
}

fn narrow<T>(points: &[u32], unit: impl Fn(u32) -> T) -> Result<Box<[T]>, TryReserveError> {
    let mut units = Vec::new();
    units.try_reserve_exact(points.len())?;
    units.extend(points.iter().map(|&p| unit(p)));
    Ok(units.into_boxed_slice())
}

impl Text {
    /// The units as CPython hashes them: the bytes of the narrowest kind, little-endian.
    pub fn hash_bytes(&self, hasher: &mut impl Hasher) {
        match &self.0 {
            Units::Ascii(s) => hasher.write(s.as_bytes()),
            Units::Latin1(s) => hasher.write(s),
            Units::Ucs2(s) => s.iter().for_each(|u| hasher.write(&u.to_le_bytes())),
            Units::Ucs4(s) => s.iter().for_each(|u| hasher.write(&u.to_le_bytes())),
        }
    }
}

/// Lone surrogates show as U+FFFD.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_ascii() {
            Some(s) => f.write_str(s),
            None => self.code_points().try_for_each(|p| {
                fmt::Write::write_char(f, char::from_u32(p).unwrap_or(char::REPLACEMENT_CHARACTER))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_kind_is_chosen_and_nothing_is_lost() {
        for points in [vec![], vec![97], vec![97, 233], vec![97, 0x20ac], vec![0xd800], vec![0x1f600, 97]] {
            let text = Text::from_code_points(&points).expect("memory");
            assert_eq!(text.code_points().collect::<Vec<_>>(), points);
            assert_eq!(text.as_ascii().is_some(), points.iter().all(|&p| p < 128));
        }
        let lone = Text::from_code_points(&[97, 0xd800]).expect("memory");
        assert_eq!((lone.to_utf8(), lone.to_string()), (None, "a\u{fffd}".to_string()));
    }
}

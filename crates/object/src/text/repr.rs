//! Texts as string literals: `repr` and `ascii`.

use super::case::is_printable;
use super::{NoMemory, Text, TextBuilder};

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Appends `\xhh`, `\uhhhh` or `\Uhhhhhhhh`, the shortest that fits.
pub fn push_escape(builder: &mut TextBuilder, point: u32) -> Result<(), NoMemory> {
    let (letter, digits) = match point {
        0..0x100 => ('x', 2),
        0x100..0x10000 => ('u', 4),
        _ => ('U', 8),
    };
    builder.push_char('\\')?;
    builder.push_char(letter)?;
    (0..digits).rev().try_for_each(|i| builder.push(u32::from(HEX[(point >> (4 * i) & 15) as usize])))
}

impl Text {
    /// `repr(self)`.
    pub fn repr(&self) -> Result<Text, NoMemory> {
        self.quoted(is_printable)
    }

    /// `ascii(self)`.
    pub fn ascii_repr(&self) -> Result<Text, NoMemory> {
        self.quoted(|point| matches!(point, 0x20..0x7f))
    }

    /// Appends `repr(self)`.
    pub fn push_repr(&self, builder: &mut TextBuilder) -> Result<(), NoMemory> {
        self.push_quoted(builder, is_printable)
    }

    fn quoted(&self, shows: impl Fn(u32) -> bool) -> Result<Text, NoMemory> {
        let mut builder = TextBuilder::new();
        builder.reserve(self.len().saturating_add(2))?;
        self.push_quoted(&mut builder, shows)?;
        builder.finish()
    }

    fn push_quoted(&self, builder: &mut TextBuilder, shows: impl Fn(u32) -> bool) -> Result<(), NoMemory> {
        let quote = match self.as_ascii() {
            // What needs no care, as most texts, goes out in one piece.
            Some(ascii) if ascii.bytes().all(|b| matches!(b, 0x20..0x7f) && b != b'\'' && b != b'\\') => {
                builder.push_str("'")?;
                builder.push_str(ascii)?;
                return builder.push_str("'");
            }
            _ => {
                let has = |c: char| self.code_points().any(|p| p == u32::from(c));
                u32::from(if has('\'') && !has('"') { '"' } else { '\'' })
            }
        };
        builder.push(quote)?;
        for point in self.code_points() {
            match point {
                0x09 => builder.push_str("\\t")?,
                0x0a => builder.push_str("\\n")?,
                0x0d => builder.push_str("\\r")?,
                0x5c => builder.push_str("\\\\")?,
                _ if point == quote => {
                    builder.push_char('\\')?;
                    builder.push(point)?;
                }
                _ if shows(point) => builder.push(point)?,
                _ => push_escape(builder, point)?,
            }
        }
        builder.push(quote)
    }
}

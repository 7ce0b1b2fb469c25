//! The Unicode Character Database at the version that Python 3.14 has.
//!
//! The data behind it are newer. Code points that were assigned since then count as unassigned here, and the few
//! properties that changed are what they were.

use rustpython_unicode::{case, data};

/// The version of the database.
pub const VERSION: &str = "16.0.0";

/// What was assigned after [`VERSION`]; first and last of each run.
#[rustfmt::skip]
const NEWER: [(u32, u32); 83] = [
    (0x558, 0x558),
    (0x58b, 0x58c),
    (0x5c8, 0x5c9),
    (0x88f, 0x88f),
    (0xb53, 0xb54),
    (0xc5c, 0xc5c),
    (0xcdc, 0xcdc),
    (0x1acf, 0x1af0),
    (0x208f, 0x208f),
    (0x209d, 0x209f),
    (0x20c1, 0x20c4),
    (0x2b96, 0x2b96),
    (0x2e60, 0x2e63),
    (0xa7ce, 0xa7cf),
    (0xa7d2, 0xa7d2),
    (0xa7d4, 0xa7d4),
    (0xa7dd, 0xa7dd),
    (0xa7e2, 0xa7e2),
    (0xa7f1, 0xa7f1),
    (0xab6c, 0xab6d),
    (0xfbc3, 0xfbd2),
    (0xfd90, 0xfd91),
    (0xfdc8, 0xfdce),
    (0x107bb, 0x107bf),
    (0x10940, 0x10959),
    (0x10ec5, 0x10ec7),
    (0x10ec9, 0x10eee),
    (0x10ef0, 0x10efb),
    (0x11b0a, 0x11b0a),
    (0x11b60, 0x11b67),
    (0x11db0, 0x11ddb),
    (0x11de0, 0x11de9),
    (0x11df0, 0x11df1),
    (0x1246f, 0x1246f),
    (0x12475, 0x1247f),
    (0x12550, 0x12686),
    (0x16ea0, 0x16eb8),
    (0x16ebb, 0x16ed3),
    (0x16ff2, 0x16ff6),
    (0x187f8, 0x187ff),
    (0x18cd6, 0x18cda),
    (0x18d09, 0x18d20),
    (0x18d80, 0x18df2),
    (0x18e00, 0x19191),
    (0x191a0, 0x191d2),
    (0x1b123, 0x1b128),
    (0x1b168, 0x1b168),
    (0x1ccfa, 0x1ccfc),
    (0x1ceba, 0x1ced0),
    (0x1ced2, 0x1ced4),
    (0x1cedd, 0x1cefd),
    (0x1d127, 0x1d128),
    (0x1d1eb, 0x1d1ff),
    (0x1d250, 0x1d281),
    (0x1d6a6, 0x1d6a6),
    (0x1db00, 0x1db1c),
    (0x1df1f, 0x1df24),
    (0x1df2b, 0x1df81),
    (0x1df90, 0x1df96),
    (0x1dfcd, 0x1dfff),
    (0x1e6c0, 0x1e6de),
    (0x1e6e0, 0x1e6f5),
    (0x1e6fe, 0x1e6ff),
    (0x1f1ae, 0x1f1ae),
    (0x1f6d8, 0x1f6d9),
    (0x1f777, 0x1f77a),
    (0x1f7da, 0x1f7db),
    (0x1f7f1, 0x1f7ff),
    (0x1f8d0, 0x1f8d8),
    (0x1fa54, 0x1fa57),
    (0x1fa8a, 0x1fa8e),
    (0x1fac8, 0x1fac8),
    (0x1facc, 0x1facd),
    (0x1fadd, 0x1fadd),
    (0x1faea, 0x1faeb),
    (0x1faef, 0x1faef),
    (0x1faf9, 0x1fafa),
    (0x1fbfa, 0x1fbfa),
    (0x2b73a, 0x2b73f),
    (0x2b81e, 0x2b81e),
    (0x2cea2, 0x2cead),
    (0x323b0, 0x33479),
    (0x3d000, 0x3fc3f),
];

/// Signs of cuneiform that were no numbers.
const NEW_NUMBERS: [u32; 8] = [0x12038, 0x12039, 0x12079, 0x12226, 0x1222b, 0x1230b, 0x1230d, 0x12399];

/// LATIN LETTER PHARYNGEAL VOICED FRICATIVE was a lower-case letter.
pub const ONCE_LOWER: u32 = 0x295;

/// Whether the code point is assigned, but only in later versions.
pub fn is_newer(point: u32) -> bool {
    point >= NEWER[0].0 && {
        let after = NEWER.partition_point(|(first, _)| *first <= point);
        after > 0 && point <= NEWER[after - 1].1
    }
}

/// Whether the code point got a numeric value only in later versions.
pub fn is_newer_number(point: u32) -> bool {
    NEW_NUMBERS.contains(&point)
}

/// The code point as a character that can have properties: no surrogate, and not newer than the database.
#[inline]
pub fn character(point: u32) -> Option<char> {
    char::from_u32(point).filter(|_| !is_newer(point))
}

/// The name of a character, as `unicodedata.name` gives it.
pub fn name(point: u32) -> Option<String> {
    character(point).and_then(data::character_name).filter(|name| !name.starts_with(TANGUT))
}

/// The character of a name or alias.
pub fn lookup(name: &str) -> Option<char> {
    data::lookup_character(name).filter(|c| is_known_as(*c, name))
}

/// Whether the database has the character by this name, which newer data gave it.
pub fn is_known_as(c: char, name: &str) -> bool {
    !is_newer(u32::from(c))
        && !name.get(..TANGUT.len()).is_some_and(|start| start.eq_ignore_ascii_case(TANGUT))
}

/// Names that are made by rule, but not by Python's.
const TANGUT: &str = "TANGUT IDEOGRAPH-";

/// The lower case of a code point as one code point: the first where there are several.
pub fn lower(point: u32) -> u32 {
    match point {
        0..0x80 => u32::from((point as u8).to_ascii_lowercase()),
        0x130 => 0x69,
        _ => one(point, case::simple_lowercase),
    }
}

/// The upper case of a code point as one code point: the first where there are several.
pub fn upper(point: u32) -> u32 {
    match point {
        0..0x80 => u32::from((point as u8).to_ascii_uppercase()),
        _ => one(point, |c| c.to_uppercase().next().unwrap_or(c)),
    }
}

fn one(point: u32, map: impl Fn(char) -> char) -> u32 {
    character(point).map(|c| u32::from(map(c))).filter(|mapped| !is_newer(*mapped)).unwrap_or(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_in_order() {
        assert!(NEWER.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(NEWER.iter().all(|(first, last)| first <= last));
    }

    #[test]
    fn later_characters_are_unassigned() {
        assert!(!is_newer(0x41) && is_newer(0x88f) && !is_newer(0x890) && !is_newer(0x10ffff));
        assert_eq!(name(0x20c1), None);
        assert_eq!(name(0xe4).as_deref(), Some("LATIN SMALL LETTER A WITH DIAERESIS"));
        assert_eq!((upper(0xdf), upper(0xfb05), lower(0x130)), (0x53, 0x53, 0x69));
    }
}

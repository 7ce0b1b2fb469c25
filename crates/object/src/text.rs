//! Immutable Python strings as plain data: code points in the narrowest of one, two or four bytes (PEP 393), so
//! that indexing is O(1). Lone surrogates are ordinary code points.
//!
//! Here: representation, constructors, indexing, comparison. [`builder`] grows a text piece by piece, [`search`] finds
//! and replaces, [`split`] cuts, [`case`] maps cases and classifies, [`unicode`] is the version of the database, [`layout`] pads and strips, [`repr`] quotes.
//!
//! Invariants
//! - The kind is always the narrowest that holds the code points, so equal texts have equal representations.
//! - Positions are counted in code points. Ranges from callers are clamped, never trusted.
//! - Memory whose size the input decides is reserved fallibly: [`NoMemory`].

pub mod builder;
pub mod case;
pub mod layout;
pub mod repr;
pub mod search;
pub mod split;
pub mod unicode;

pub use builder::TextBuilder;

use std::cmp::Ordering;
use std::collections::TryReserveError;
use std::fmt;
use std::hash::Hasher;

/// Memory ran out, or the result would be longer than memory can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> NoMemory {
        NoMemory
    }
}

/// Longest ASCII text that stands in the object itself.
pub(crate) const SHORT: usize = 30;

/// ASCII text without an allocation.
#[derive(Clone, Copy)]
struct Short {
    len: u8,
    bytes: [u8; SHORT],
}

impl Short {
    const EMPTY: Short = Short { len: 0, bytes: [0; SHORT] };

    #[inline]
    fn new(text: &[u8]) -> Short {
        let mut short = Short::EMPTY;
        short.push(&text[..text.len().min(SHORT)]);
        short
    }
    /// Appends bytes below 128; false when there is no room.
    #[inline]
    fn push(&mut self, added: &[u8]) -> bool {
        let len = usize::from(self.len);
        let Some(room) = self.bytes.get_mut(len..len + added.len()) else { return false };
        match added {
            // Separators and signs.
            [byte] => room[0] = *byte,
            _ => room.copy_from_slice(added),
        }
        self.len += added.len() as u8;
        true
    }
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
    #[inline(always)]
    fn as_str(&self) -> &str {
        // SAFETY: made from ASCII only.
        unsafe { std::str::from_utf8_unchecked(self.bytes()) }
    }
}

/// The code points; the kind is always the narrowest that holds them, so equal strings have equal kinds. Storage may be
/// larger than what it holds: texts grow in place.
enum Units {
    /// All below 128, few.
    Short(Short),
    /// All below 128.
    Ascii(String),
    /// All below 256.
    Latin1(Vec<u8>),
    /// All below 65536.
    Ucs2(Vec<u16>),
    Ucs4(Vec<u32>),
}

/// A Python string without its object.
pub struct Text(Units);

impl PartialEq for Text {
    #[inline]
    fn eq(&self, other: &Text) -> bool {
        match (&self.0, &other.0) {
            (Units::Ucs2(a), Units::Ucs2(b)) => a == b,
            (Units::Ucs4(a), Units::Ucs4(b)) => a == b,
            (Units::Latin1(a), Units::Latin1(b)) => a == b,
            _ => match (self.as_ascii(), other.as_ascii()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl Eq for Text {}

/// How wide the code points of a [`Text`] are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Ascii,
    Latin1,
    Ucs2,
    Ucs4,
}

/// The stored code points of a [`Text`], for loops that want one width at a time.
#[derive(Clone, Copy)]
pub enum Slice<'a> {
    One(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

/// One stored code point.
pub(crate) trait Unit: Copy + Ord + 'static {
    fn point(self) -> u32;
    /// `None` when it does not fit.
    fn from_point(point: u32) -> Option<Self>;
}

macro_rules! unit {
    ($($ty:ty),*) => {$(
        impl Unit for $ty {
            #[inline]
            fn point(self) -> u32 {
                u32::from(self)
            }
            #[inline]
            fn from_point(point: u32) -> Option<Self> {
                <$ty>::try_from(point).ok()
            }
        }
    )*};
}
unit!(u8, u16, u32);

/// Evaluates `$body` with `$s` as the slice of units, whatever their width.
macro_rules! with_units {
    ($text:expr, $s:ident => $body:expr) => {
        match &$text.0 {
            $crate::text::Units::Short(short) => {
                let $s = short.bytes();
                $body
            }
            $crate::text::Units::Ascii(units) => {
                let $s = units.as_bytes();
                $body
            }
            $crate::text::Units::Latin1(units) => {
                let $s = &units[..];
                $body
            }
            $crate::text::Units::Ucs2(units) => {
                let $s = &units[..];
                $body
            }
            $crate::text::Units::Ucs4(units) => {
                let $s = &units[..];
                $body
            }
        }
    };
}
pub(crate) use with_units;

impl Text {
    /// The empty text; allocates nothing.
    pub fn empty() -> Text {
        Text(Units::Short(Short::EMPTY))
    }

    /// From code points (each below 0x110000). Errors: no memory.
    pub fn from_code_points(points: &[u32]) -> Result<Text, NoMemory> {
        Text::from_units(points)
    }

    /// One code point (below 0x110000).
    pub fn from_code_point(point: u32) -> Result<Text, NoMemory> {
        Text::from_units(&[point])
    }

    /// The decimal digits of a number.
    pub fn from_int(number: i64) -> Text {
        // At most twenty of them.
        Text(Units::Short(Short::new(itoa::Buffer::new().format(number).as_bytes())))
    }

    /// From code points as they come.
    pub fn collect(points: impl IntoIterator<Item = u32>) -> Result<Text, NoMemory> {
        let mut builder = TextBuilder::new();
        for point in points {
            builder.push(point)?;
        }
        builder.finish()
    }

    /// From UTF-8. Errors: no memory.
    pub fn from_utf8(text: &str) -> Result<Text, NoMemory> {
        if text.is_ascii() {
            return ascii(text.as_bytes()).map(Text);
        }
        fn collected<T>(text: &str, count: usize, unit: impl Fn(char) -> T) -> Result<Vec<T>, NoMemory> {
            let mut units = Vec::new();
            units.try_reserve_exact(count)?;
            units.extend(text.chars().map(unit));
            Ok(units)
        }
        // The first bytes of characters say how many there are, and the greatest how wide they are.
        let (mut count, mut greatest) = (0, 0);
        for &byte in text.as_bytes() {
            count += usize::from(byte & 0xc0 != 0x80);
            greatest = greatest.max(byte);
        }
        Ok(Text(match greatest {
            ..0xc4 => Units::Latin1(collected(text, count, |c| c as u8)?),
            0xc4..0xf0 => Units::Ucs2(collected(text, count, |c| c as u16)?),
            _ => Units::Ucs4(collected(text, count, u32::from)?),
        }))
    }

    /// From Latin-1: each byte a code point.
    pub fn from_latin1(bytes: &[u8]) -> Result<Text, NoMemory> {
        Text::from_units(bytes)
    }

    /// From WTF-8 (UTF-8 in which surrogates may stand alone); `None` when it is malformed.
    pub fn from_wtf8(bytes: &[u8]) -> Result<Option<Text>, NoMemory> {
        if bytes.is_ascii() {
            return ascii(bytes).map(|units| Some(Text(units)));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Text::from_utf8(text).map(Some);
        }
        let (mut rest, mut builder) = (bytes, TextBuilder::new());
        while !rest.is_empty() {
            let valid = match std::str::from_utf8(rest) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            let (good, bad) = rest.split_at(valid);
            builder.push_str(std::str::from_utf8(good).unwrap_or_default())?;
            rest = match bad {
                [] => bad,
                [0xed, a @ 0xa0..=0xbf, b @ 0x80..=0xbf, tail @ ..] => {
                    builder.push(0xd000 | u32::from(a & 0x3f) << 6 | u32::from(b & 0x3f))?;
                    tail
                }
                _ => return Ok(None),
            };
        }
        builder.finish().map(Some)
    }

    /// From units of any width, stored in the narrowest one.
    pub(crate) fn from_units<T: Unit>(units: &[T]) -> Result<Text, NoMemory> {
        let seen = units.iter().fold(0, |seen, u| seen | u.point());
        Ok(Text(match kind_of(seen) {
            Kind::Ascii if units.len() <= SHORT => {
                let mut short = Short { len: units.len() as u8, bytes: [0; SHORT] };
                short.bytes.iter_mut().zip(units).for_each(|(to, from)| *to = from.point() as u8);
                Units::Short(short)
            }
            Kind::Ascii => {
                // SAFETY: all units are below 128.
                Units::Ascii(unsafe { String::from_utf8_unchecked(narrow(units, |u| u.point() as u8)?) })
            }
            Kind::Latin1 => Units::Latin1(narrow(units, |u| u.point() as u8)?),
            Kind::Ucs2 => Units::Ucs2(narrow(units, |u| u.point() as u16)?),
            Kind::Ucs4 => Units::Ucs4(narrow(units, |u| u.point())?),
        }))
    }

    /// Number of code points.
    #[inline]
    pub fn len(&self) -> usize {
        with_units!(self, s => s.len())
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn kind(&self) -> Kind {
        match &self.0 {
            Units::Short(_) | Units::Ascii(_) => Kind::Ascii,
            Units::Latin1(_) => Kind::Latin1,
            Units::Ucs2(_) => Kind::Ucs2,
            Units::Ucs4(_) => Kind::Ucs4,
        }
    }

    /// Bytes that the code points take.
    pub fn size_in_bytes(&self) -> usize {
        with_units!(self, s => size_of_val(s))
    }

    /// The code point at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u32> {
        with_units!(self, s => s.get(index).map(|u| u.point()))
    }

    /// The code points in order, from either end.
    pub fn code_points(&self) -> CodePoints<'_> {
        self.code_points_in(0, self.len())
    }

    /// The code points of `start..end`.
    pub fn code_points_in(&self, start: usize, end: usize) -> CodePoints<'_> {
        let end = end.min(self.len());
        let start = start.min(end);
        match &self.0 {
            Units::Short(s) => CodePoints::One(s.bytes()[start..end].iter()),
            Units::Ascii(s) => CodePoints::One(s.as_bytes()[start..end].iter()),
            Units::Latin1(s) => CodePoints::One(s[start..end].iter()),
            Units::Ucs2(s) => CodePoints::Two(s[start..end].iter()),
            Units::Ucs4(s) => CodePoints::Four(s[start..end].iter()),
        }
    }

    /// The text itself when it is ASCII.
    #[inline]
    pub fn as_ascii(&self) -> Option<&str> {
        match &self.0 {
            Units::Short(s) => Some(s.as_str()),
            Units::Ascii(s) => Some(s),
            _ => None,
        }
    }

    /// One byte a code point, when all are below 256.
    pub fn as_latin1(&self) -> Option<&[u8]> {
        match &self.0 {
            Units::Short(s) => Some(s.bytes()),
            Units::Ascii(s) => Some(s.as_bytes()),
            Units::Latin1(s) => Some(s),
            _ => None,
        }
    }

    /// The stored code points.
    #[inline]
    pub fn units(&self) -> Slice<'_> {
        match &self.0 {
            Units::Short(s) => Slice::One(s.bytes()),
            Units::Ascii(s) => Slice::One(s.as_bytes()),
            Units::Latin1(s) => Slice::One(s),
            Units::Ucs2(s) => Slice::Two(s),
            Units::Ucs4(s) => Slice::Four(s),
        }
    }

    /// UTF-8, or `None` when there is a lone surrogate.
    pub fn to_utf8(&self) -> Option<String> {
        match self.as_ascii() {
            Some(s) => Some(s.to_string()),
            None => self.code_points().map(char::from_u32).collect(),
        }
    }

    /// UTF-8 in which lone surrogates are encoded like any code point.
    pub fn to_wtf8(&self) -> Result<Vec<u8>, NoMemory> {
        let mut bytes = Vec::new();
        match &self.0 {
            Units::Latin1(units) => {
                let wide = units.iter().map(|u| usize::from(u >> 7)).sum::<usize>();
                bytes.try_reserve_exact(units.len().checked_add(wide).ok_or(NoMemory)?)?;
                for run in units.chunk_by(|a, b| (a ^ b) & 0x80 == 0) {
                    match run {
                        [first, ..] if first & 0x80 == 0 => bytes.extend_from_slice(run),
                        _ => run.iter().for_each(|u| bytes.extend([0xc0 | u >> 6, 0x80 | u & 0x3f])),
                    }
                }
            }
            Units::Ucs2(_) | Units::Ucs4(_) => {
                bytes.try_reserve_exact(self.code_points().map(utf8_len).sum())?;
                self.code_points().for_each(|p| push_wtf8(&mut bytes, p));
            }
            _ => {
                let ascii = self.as_ascii().unwrap_or_default();
                bytes.try_reserve_exact(ascii.len())?;
                bytes.extend_from_slice(ascii.as_bytes());
            }
        }
        Ok(bytes)
    }

    /// The units as CPython hashes them: the bytes of the narrowest kind, little-endian.
    pub fn hash_bytes(&self, hasher: &mut impl Hasher) {
        match &self.0 {
            Units::Short(s) => hasher.write(s.bytes()),
            Units::Ascii(s) => hasher.write(s.as_bytes()),
            Units::Latin1(s) => hasher.write(s),
            Units::Ucs2(s) => s.iter().for_each(|u| hasher.write(&u.to_le_bytes())),
            Units::Ucs4(s) => s.iter().for_each(|u| hasher.write(&u.to_le_bytes())),
        }
    }

    /// A copy.
    pub fn try_clone(&self) -> Result<Text, NoMemory> {
        self.slice(0, self.len())
    }

    /// The code points `start..end`; bounds beyond the end mean the end.
    pub fn slice(&self, start: usize, end: usize) -> Result<Text, NoMemory> {
        let end = end.min(self.len());
        let start = start.min(end);
        match self.as_ascii() {
            Some(s) => ascii(&s.as_bytes()[start..end]).map(Text),
            None => with_units!(self, s => Text::from_units(&s[start..end])),
        }
    }

    /// `count` code points from `start` on, each `step` after the last: an extended slice. Stops at either end.
    pub fn slice_step(&self, start: usize, step: isize, count: usize) -> Result<Text, NoMemory> {
        if step == 1 {
            return self.slice(start, start.saturating_add(count));
        }
        fn stepped<T: Unit>(
            units: &[T],
            start: usize,
            step: isize,
            count: usize,
        ) -> Result<Vec<T>, NoMemory> {
            let mut picked = Vec::new();
            picked.try_reserve_exact(count.min(units.len()))?;
            let by = step.unsigned_abs().max(1);
            if step >= 0 {
                let from = units.get(start..).unwrap_or_default();
                picked.extend(from.iter().step_by(by).take(count));
            } else {
                let to = units.get(..start.saturating_add(1)).unwrap_or_default();
                picked.extend(to.iter().rev().step_by(by).take(count));
            }
            Ok(picked)
        }
        if let Some(ascii) = self.as_ascii() {
            return Ok(Text(ascii_vec(stepped(ascii.as_bytes(), start, step, count)?)));
        }
        with_units!(self, units => Text::from_units(&stepped(units, start, step, count)?))
    }

    /// `self + other`.
    pub fn concat(&self, other: &Text) -> Result<Text, NoMemory> {
        if let (Some(a), Some(b)) = (self.as_ascii(), other.as_ascii()) {
            let total = a.len().checked_add(b.len()).ok_or(NoMemory)?;
            if total <= SHORT {
                let mut short = Short::new(a.as_bytes());
                short.push(b.as_bytes());
                return Ok(Text(Units::Short(short)));
            }
            let mut text = String::new();
            text.try_reserve_exact(total)?;
            text.push_str(a);
            text.push_str(b);
            return Ok(Text(Units::Ascii(text)));
        }
        let mut builder = TextBuilder::with_kind(self.kind().max(other.kind()));
        builder.reserve(self.len().checked_add(other.len()).ok_or(NoMemory)?)?;
        builder.push_text(self)?;
        builder.push_text(other)?;
        builder.finish()
    }

    /// `parts` with `self` between them.
    pub fn join<'a>(&self, parts: impl Iterator<Item = &'a Text> + Clone) -> Result<Text, NoMemory> {
        if let Some(short) = self.join_short(parts.clone()) {
            return Ok(Text(Units::Short(short)));
        }
        let (mut count, mut total, mut kind) = (0usize, 0usize, Kind::Ascii);
        for part in parts.clone() {
            count += 1;
            total = total.checked_add(part.len()).ok_or(NoMemory)?;
            kind = kind.max(part.kind());
        }
        if count > 1 {
            let gaps = self.len().checked_mul(count - 1).ok_or(NoMemory)?;
            total = total.checked_add(gaps).ok_or(NoMemory)?;
            kind = kind.max(self.kind());
        }
        let mut builder = TextBuilder::with_kind(kind);
        builder.reserve_exact(total)?;
        for (i, part) in parts.enumerate() {
            if i > 0 {
                builder.push_text(self)?;
            }
            builder.push_text(part)?;
        }
        builder.finish()
    }

    /// [`Text::join`] of what is ASCII and makes a short text.
    #[inline]
    fn join_short<'a>(&self, parts: impl Iterator<Item = &'a Text>) -> Option<Short> {
        let mut joined = Short::EMPTY;
        let between = self.as_ascii()?.as_bytes();
        for (i, part) in parts.enumerate() {
            let part = part.as_ascii()?.as_bytes();
            let fits = (i == 0 || joined.push(between)) && joined.push(part);
            if !fits {
                return None;
            }
        }
        Some(joined)
    }

    /// `self * times`.
    pub fn repeat(&self, times: usize) -> Result<Text, NoMemory> {
        fn repeated<T: Copy>(units: &[T], times: usize) -> Result<Vec<T>, NoMemory> {
            let total = units.len().checked_mul(times).ok_or(NoMemory)?;
            let mut result = Vec::new();
            result.try_reserve_exact(total)?;
            if let [unit] = units {
                result.resize(total, *unit);
            } else if total > 0 {
                // Doubling what is there: each copy is one long one.
                result.extend_from_slice(units);
                while result.len() < total {
                    let more = result.len().min(total - result.len());
                    result.extend_from_within(..more);
                }
            }
            Ok(result)
        }
        if times == 0 || self.is_empty() {
            return Ok(Text::empty());
        }
        Ok(Text(match &self.0 {
            Units::Short(s) => ascii_vec(repeated(s.bytes(), times)?),
            Units::Ascii(s) => ascii_vec(repeated(s.as_bytes(), times)?),
            Units::Latin1(s) => Units::Latin1(repeated(s, times)?),
            Units::Ucs2(s) => Units::Ucs2(repeated(s, times)?),
            Units::Ucs4(s) => Units::Ucs4(repeated(s, times)?),
        }))
    }

    /// Whether `part` stands at position `at`.
    pub fn has_at(&self, at: usize, part: &Text) -> bool {
        let Some(end) = at.checked_add(part.len()) else { return false };
        end <= self.len() && part.kind() <= self.kind() && self.code_points_in(at, end).eq(part.code_points())
    }

    pub fn starts_with(&self, prefix: &Text) -> bool {
        self.has_at(0, prefix)
    }

    pub fn ends_with(&self, suffix: &Text) -> bool {
        self.len().checked_sub(suffix.len()).is_some_and(|at| self.has_at(at, suffix))
    }
}

/// The kind that holds code points whose bits are all in `seen`.
fn kind_of(seen: u32) -> Kind {
    match seen {
        0..0x80 => Kind::Ascii,
        0x80..0x100 => Kind::Latin1,
        0x100..0x10000 => Kind::Ucs2,
        _ => Kind::Ucs4,
    }
}

/// A copy of bytes below 128 as units.
fn ascii(bytes: &[u8]) -> Result<Units, NoMemory> {
    debug_assert!(bytes.is_ascii());
    if bytes.len() <= SHORT {
        return Ok(Units::Short(Short::new(bytes)));
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    copy.extend_from_slice(bytes);
    // SAFETY: the callers have looked: all bytes are below 128.
    Ok(Units::Ascii(unsafe { String::from_utf8_unchecked(copy) }))
}

/// Bytes below 128 as units, without a copy.
fn ascii_vec(bytes: Vec<u8>) -> Units {
    debug_assert!(bytes.is_ascii());
    if bytes.len() <= SHORT {
        return Units::Short(Short::new(&bytes));
    }
    // SAFETY: the callers have looked: all bytes are below 128.
    Units::Ascii(unsafe { String::from_utf8_unchecked(bytes) })
}

fn narrow<T: Unit, U>(points: &[T], unit: impl Fn(T) -> U) -> Result<Vec<U>, NoMemory> {
    let mut units = Vec::new();
    units.try_reserve_exact(points.len())?;
    units.extend(points.iter().map(|&p| unit(p)));
    Ok(units)
}

impl Text {
    /// Appends bytes below 128 to a short text; false when it would not be short any more.
    pub(crate) fn append_short(&mut self, ascii: &[u8]) -> bool {
        debug_assert!(ascii.is_ascii());
        match &mut self.0 {
            Units::Short(short) => short.push(ascii),
            _ => false,
        }
    }

    /// Appends in place, with room to spare for more. Errors: no memory; the text is as before.
    pub fn append(&mut self, other: &Text) -> Result<(), NoMemory> {
        if other.kind() > self.kind() {
            let mut builder = TextBuilder::with_kind(other.kind());
            builder.reserve(self.len().checked_add(other.len()).ok_or(NoMemory)?)?;
            builder.push_text(self)?;
            builder.push_text(other)?;
            *self = builder.finish()?;
            return Ok(());
        }
        fn extend<T: Copy>(
            units: &mut Vec<T>,
            other: &Text,
            unit: impl Fn(u32) -> T,
        ) -> Result<(), NoMemory> {
            units.try_reserve(other.len())?;
            units.extend(other.code_points().map(unit));
            Ok(())
        }
        match &mut self.0 {
            Units::Short(short) => {
                let Some(added) = other.as_ascii() else { return Ok(()) };
                if short.push(added.as_bytes()) {
                    return Ok(());
                }
                let total = short.bytes().len() + added.len();
                let mut text = String::new();
                text.try_reserve(total.checked_mul(2).ok_or(NoMemory)?)?;
                text.push_str(short.as_str());
                text.push_str(added);
                self.0 = Units::Ascii(text);
            }
            Units::Ascii(text) => {
                let Some(added) = other.as_ascii() else { return Ok(()) };
                text.try_reserve(added.len())?;
                text.push_str(added);
            }
            Units::Latin1(units) => {
                let Some(added) = other.as_latin1() else { return Ok(()) };
                units.try_reserve(added.len())?;
                units.extend_from_slice(added);
            }
            Units::Ucs2(units) => extend(units, other, |p| p as u16)?,
            Units::Ucs4(units) => extend(units, other, |p| p)?,
        }
        Ok(())
    }

    /// ASCII text changed in place by `map`, which leaves it ASCII; `None` for other text.
    fn mapped_ascii(&self, map: impl FnOnce(&mut [u8])) -> Result<Option<Text>, NoMemory> {
        Ok(Some(Text(match &self.0 {
            Units::Short(text) => {
                let mut copy = *text;
                map(&mut copy.bytes[..usize::from(text.len)]);
                Units::Short(copy)
            }
            Units::Ascii(text) => {
                let mut copy = Vec::new();
                copy.try_reserve_exact(text.len())?;
                copy.extend_from_slice(text.as_bytes());
                map(&mut copy);
                ascii_vec(copy)
            }
            _ => return Ok(None),
        })))
    }
}

/// Bytes of a code point in UTF-8 (surrogates as three).
pub fn utf8_len(point: u32) -> usize {
    match point {
        0..0x80 => 1,
        0x80..0x800 => 2,
        0x800..0x10000 => 3,
        _ => 4,
    }
}

/// Appends a code point as (generalised) UTF-8.
pub fn push_wtf8(bytes: &mut Vec<u8>, point: u32) {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match utf8_len(point) {
        1 => bytes.push(point as u8),
        2 => bytes.extend([0xc0 | (point >> 6) as u8, tail(0)]),
        3 => bytes.extend([0xe0 | (point >> 12) as u8, tail(6), tail(0)]),
        _ => bytes.extend([0xf0 | (point >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Iterator over the code points of a [`Text`].
#[derive(Clone)]
pub enum CodePoints<'a> {
    One(std::slice::Iter<'a, u8>),
    Two(std::slice::Iter<'a, u16>),
    Four(std::slice::Iter<'a, u32>),
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            CodePoints::One(units) => units.next().map(|u| u.point()),
            CodePoints::Two(units) => units.next().map(|u| u.point()),
            CodePoints::Four(units) => units.next().map(|u| u.point()),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            CodePoints::One(units) => units.size_hint(),
            CodePoints::Two(units) => units.size_hint(),
            CodePoints::Four(units) => units.size_hint(),
        }
    }

    fn fold<B, F: FnMut(B, u32) -> B>(self, init: B, mut f: F) -> B {
        match self {
            CodePoints::One(units) => units.fold(init, |b, u| f(b, u.point())),
            CodePoints::Two(units) => units.fold(init, |b, u| f(b, u.point())),
            CodePoints::Four(units) => units.fold(init, |b, u| f(b, u.point())),
        }
    }
}

impl DoubleEndedIterator for CodePoints<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        match self {
            CodePoints::One(units) => units.next_back().map(|u| u.point()),
            CodePoints::Two(units) => units.next_back().map(|u| u.point()),
            CodePoints::Four(units) => units.next_back().map(|u| u.point()),
        }
    }
}

impl ExactSizeIterator for CodePoints<'_> {}

/// By code points.
impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        match (&self.0, &other.0) {
            (Units::Ucs2(a), Units::Ucs2(b)) => a.cmp(b),
            (Units::Ucs4(a), Units::Ucs4(b)) => a.cmp(b),
            _ => match (self.as_latin1(), other.as_latin1()) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => self.code_points().cmp(other.code_points()),
            },
        }
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        match self.as_ascii() {
            Some(s) => s == other,
            None => self.code_points().eq(other.chars().map(u32::from)),
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

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repr() {
            Ok(quoted) => write!(f, "{quoted}"),
            Err(NoMemory) => f.write_str("<text>"),
        }
    }
}

#[cfg(test)]
mod tests;

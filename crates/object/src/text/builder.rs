//! Growing a text: storage widens when a code point needs it.

use super::{Kind, NoMemory, SHORT, Short, Text, Unit, Units, ascii_vec, kind_of, with_units};

enum Buffer {
    /// ASCII that needs no allocation yet.
    Short(Short),
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
}

/// Builds a [`Text`] piece by piece.
pub struct TextBuilder {
    buffer: Buffer,
    /// All bits of all code points so far: says how wide the result must be.
    seen: u32,
}

impl Default for TextBuilder {
    fn default() -> Self {
        TextBuilder::new()
    }
}

impl TextBuilder {
    pub fn new() -> TextBuilder {
        TextBuilder::with_kind(Kind::Ascii)
    }

    /// With storage for code points as wide as `kind` from the start.
    pub fn with_kind(kind: Kind) -> TextBuilder {
        let buffer = match kind {
            Kind::Ascii => Buffer::Short(Short::EMPTY),
            Kind::Latin1 => Buffer::One(Vec::new()),
            Kind::Ucs2 => Buffer::Two(Vec::new()),
            Kind::Ucs4 => Buffer::Four(Vec::new()),
        };
        TextBuilder { buffer, seen: 0 }
    }

    /// Number of code points so far.
    pub fn len(&self) -> usize {
        match &self.buffer {
            Buffer::Short(short) => short.bytes().len(),
            Buffer::One(units) => units.len(),
            Buffer::Two(units) => units.len(),
            Buffer::Four(units) => units.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last code point.
    pub fn last(&self) -> Option<u32> {
        match &self.buffer {
            Buffer::Short(short) => short.bytes().last().map(|u| u.point()),
            Buffer::One(units) => units.last().map(|u| u.point()),
            Buffer::Two(units) => units.last().map(|u| u.point()),
            Buffer::Four(units) => units.last().map(|u| u.point()),
        }
    }

    /// Drops what stands after the first `len` code points.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.buffer {
            Buffer::Short(short) => short.len = short.len.min(len.min(SHORT) as u8),
            Buffer::One(units) => units.truncate(len),
            Buffer::Two(units) => units.truncate(len),
            Buffer::Four(units) => units.truncate(len),
        }
        self.seen = match &self.buffer {
            Buffer::Short(short) => short.bytes().iter().fold(0, |seen, u| seen | u.point()),
            Buffer::One(units) => units.iter().fold(0, |seen, u| seen | u.point()),
            Buffer::Two(units) => units.iter().fold(0, |seen, u| seen | u.point()),
            Buffer::Four(units) => units.iter().fold(0, |seen, u| seen | u.point()),
        };
    }

    /// Makes room for `more` code points.
    pub fn reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::Short(short) if more <= SHORT - short.bytes().len() => {}
            Buffer::Short(_) => self.spill(more)?,
            Buffer::One(units) => units.try_reserve(more)?,
            Buffer::Two(units) => units.try_reserve(more)?,
            Buffer::Four(units) => units.try_reserve(more)?,
        }
        Ok(())
    }

    /// As [`TextBuilder::reserve`], when no more will come.
    pub fn reserve_exact(&mut self, more: usize) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::Short(short) if short.bytes().is_empty() && more > SHORT => {
                let mut units = Vec::new();
                units.try_reserve_exact(more)?;
                self.buffer = Buffer::One(units);
            }
            Buffer::Short(_) => self.reserve(more)?,
            Buffer::One(units) => units.try_reserve_exact(more)?,
            Buffer::Two(units) => units.try_reserve_exact(more)?,
            Buffer::Four(units) => units.try_reserve_exact(more)?,
        }
        Ok(())
    }

    /// Moves what stands in the builder itself to storage with room for `more` code points.
    fn spill(&mut self, more: usize) -> Result<(), NoMemory> {
        if let Buffer::Short(short) = &self.buffer {
            let mut units = Vec::new();
            units.try_reserve((short.bytes().len().saturating_add(more)).max(2 * SHORT))?;
            units.extend_from_slice(short.bytes());
            self.buffer = Buffer::One(units);
        }
        Ok(())
    }

    /// Makes storage wide enough for `kind`.
    fn widen(&mut self, kind: Kind) -> Result<(), NoMemory> {
        fn wider<T: Unit, U>(units: &[T], unit: impl Fn(u32) -> U) -> Result<Vec<U>, NoMemory> {
            let mut result = Vec::new();
            result.try_reserve(units.len().saturating_add(16))?;
            result.extend(units.iter().map(|u| unit(u.point())));
            Ok(result)
        }
        let replacement = match (&self.buffer, kind) {
            (Buffer::Short(_), Kind::Latin1) => return self.spill(1),
            (Buffer::Short(short), Kind::Ucs2) => Buffer::Two(wider(short.bytes(), |p| p as u16)?),
            (Buffer::Short(short), Kind::Ucs4) => Buffer::Four(wider(short.bytes(), |p| p)?),
            (Buffer::One(units), Kind::Ucs2) => Buffer::Two(wider(units, |p| p as u16)?),
            (Buffer::One(units), Kind::Ucs4) => Buffer::Four(wider(units, |p| p)?),
            (Buffer::Two(units), Kind::Ucs4) => Buffer::Four(wider(units, |p| p)?),
            _ => return Ok(()),
        };
        self.buffer = replacement;
        Ok(())
    }

    /// Appends a code point (below 0x110000).
    #[inline]
    pub fn push(&mut self, point: u32) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::Short(short) if point < 0x80 => {
                if short.push(&[point as u8]) {
                    self.seen |= point;
                    return Ok(());
                }
                self.spill(1)?;
                return self.push(point);
            }
            Buffer::One(units) if point < 0x100 => {
                units.try_reserve(1)?;
                units.push(point as u8);
            }
            Buffer::Two(units) if point < 0x10000 => {
                units.try_reserve(1)?;
                units.push(point as u16);
            }
            Buffer::Four(units) => {
                units.try_reserve(1)?;
                units.push(point);
            }
            _ => {
                self.widen(kind_of(point))?;
                return self.push(point);
            }
        }
        self.seen |= point;
        Ok(())
    }

    pub fn push_char(&mut self, c: char) -> Result<(), NoMemory> {
        self.push(u32::from(c))
    }

    /// Appends `point` as often as `times` says.
    pub fn push_repeated(&mut self, point: u32, times: usize) -> Result<(), NoMemory> {
        if times == 0 {
            return Ok(());
        }
        self.widen(kind_of(point))?;
        self.reserve(times)?;
        match &mut self.buffer {
            // There is room for it.
            Buffer::Short(short) => {
                let len = short.bytes().len();
                short.bytes[len..len + times].fill(point as u8);
                short.len += times as u8;
            }
            Buffer::One(units) => units.resize(units.len() + times, point as u8),
            Buffer::Two(units) => units.resize(units.len() + times, point as u16),
            Buffer::Four(units) => units.resize(units.len() + times, point),
        }
        self.seen |= point;
        Ok(())
    }

    pub fn push_str(&mut self, text: &str) -> Result<(), NoMemory> {
        if text.is_ascii() {
            return self.push_ascii(text.as_bytes());
        }
        self.reserve(text.chars().count())?;
        text.chars().try_for_each(|c| self.push(u32::from(c)))
    }

    /// Appends bytes below 128.
    fn push_ascii(&mut self, added: &[u8]) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::Short(short) => {
                if !short.push(added) {
                    self.spill(added.len())?;
                    return self.push_ascii(added);
                }
            }
            Buffer::One(units) => {
                units.try_reserve(added.len())?;
                units.extend_from_slice(added);
            }
            _ => return self.push_units(added),
        }
        // The bits of ASCII decide nothing, whichever they are.
        self.seen |= 0x7f * u32::from(!added.is_empty());
        Ok(())
    }

    /// Appends the decimal digits of a number.
    pub fn push_int(&mut self, number: i64) -> Result<(), NoMemory> {
        self.push_ascii(itoa::Buffer::new().format(number).as_bytes())
    }

    #[inline]
    pub fn push_text(&mut self, text: &Text) -> Result<(), NoMemory> {
        self.push_range(text, 0, text.len())
    }

    /// Appends `text[start..end]`; bounds beyond the end mean the end.
    pub fn push_range(&mut self, text: &Text, start: usize, end: usize) -> Result<(), NoMemory> {
        let end = end.min(text.len());
        let start = start.min(end);
        if let Some(ascii) = text.as_ascii() {
            return self.push_ascii(&ascii.as_bytes()[start..end]);
        }
        with_units!(text, units => self.push_units(&units[start..end]))
    }

    fn push_units<T: Unit>(&mut self, added: &[T]) -> Result<(), NoMemory> {
        let seen = added.iter().fold(0, |seen, u| seen | u.point());
        self.widen(kind_of(seen))?;
        self.reserve(added.len())?;
        match &mut self.buffer {
            Buffer::Short(short) => {
                // There is room for it; what is no ASCII has moved it elsewhere.
                let len = short.bytes().len();
                short.bytes[len..].iter_mut().zip(added).for_each(|(to, from)| *to = from.point() as u8);
                short.len += added.len() as u8;
            }
            Buffer::One(units) => units.extend(added.iter().map(|u| u.point() as u8)),
            Buffer::Two(units) => units.extend(added.iter().map(|u| u.point() as u16)),
            Buffer::Four(units) => units.extend(added.iter().map(|u| u.point())),
        }
        self.seen |= seen;
        Ok(())
    }

    /// The text, in the narrowest kind.
    pub fn finish(self) -> Result<Text, NoMemory> {
        Ok(Text(match (self.buffer, kind_of(self.seen)) {
            (Buffer::Short(short), _) => Units::Short(short),
            (Buffer::One(units), Kind::Ascii) => ascii_vec(fitted(units)),
            (Buffer::One(units), Kind::Latin1) => Units::Latin1(fitted(units)),
            (Buffer::Two(units), Kind::Ucs2) => Units::Ucs2(fitted(units)),
            (Buffer::Four(units), Kind::Ucs4) => Units::Ucs4(fitted(units)),
            (Buffer::One(units), _) => return Text::from_units(&units),
            (Buffer::Two(units), _) => return Text::from_units(&units),
            (Buffer::Four(units), _) => return Text::from_units(&units),
        }))
    }
}

/// Gives back room that was reserved for much more than what came.
fn fitted<T>(mut units: Vec<T>) -> Vec<T> {
    if units.capacity() - units.len() > units.len() / 4 + 16 {
        units.shrink_to_fit();
    }
    units
}

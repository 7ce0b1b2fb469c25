//! Padding, tabs, translation.

use super::{NoMemory, Text, TextBuilder};

/// What `str.translate` does with a code point.
pub enum Translated {
    Keep,
    Delete,
    Point(u32),
    Text(Text),
}

impl Text {
    /// `left` and `right` copies of `fill` around the text.
    pub fn pad(&self, left: usize, right: usize, fill: u32) -> Result<Text, NoMemory> {
        let mut builder = TextBuilder::with_kind(self.kind());
        let total = left.checked_add(right).and_then(|pad| pad.checked_add(self.len())).ok_or(NoMemory)?;
        builder.reserve(total)?;
        builder.push_repeated(fill, left)?;
        builder.push_text(self)?;
        builder.push_repeated(fill, right)?;
        builder.finish()
    }

    /// `str.ljust`.
    pub fn ljust(&self, width: usize, fill: u32) -> Result<Text, NoMemory> {
        self.pad(0, width.saturating_sub(self.len()), fill)
    }

    /// `str.rjust`.
    pub fn rjust(&self, width: usize, fill: u32) -> Result<Text, NoMemory> {
        self.pad(width.saturating_sub(self.len()), 0, fill)
    }

    /// `str.center`: of an odd number of fills the extra one goes left when the width is odd.
    pub fn center(&self, width: usize, fill: u32) -> Result<Text, NoMemory> {
        let pad = width.saturating_sub(self.len());
        let left = pad / 2 + (pad & width & 1);
        self.pad(left, pad - left, fill)
    }

    /// `str.zfill`: zeros after the sign.
    pub fn zfill(&self, width: usize) -> Result<Text, NoMemory> {
        let zeros = width.saturating_sub(self.len());
        let sign = usize::from(zeros > 0 && matches!(self.get(0), Some(0x2b | 0x2d)));
        let mut builder = TextBuilder::with_kind(self.kind());
        builder.reserve(self.len().checked_add(zeros).ok_or(NoMemory)?)?;
        builder.push_range(self, 0, sign)?;
        builder.push_repeated(0x30, zeros)?;
        builder.push_range(self, sign, self.len())?;
        builder.finish()
    }

    /// `str.expandtabs`; a size of 0 drops the tabs.
    pub fn expand_tabs(&self, size: usize) -> Result<Text, NoMemory> {
        let (mut builder, mut column) = (TextBuilder::with_kind(self.kind()), 0usize);
        for point in self.code_points() {
            match point {
                0x09 => {
                    let spaces = column.checked_rem(size).map_or(0, |past| size - past);
                    builder.push_repeated(0x20, spaces)?;
                    column += spaces;
                }
                0x0a | 0x0d => {
                    builder.push(point)?;
                    column = 0;
                }
                _ => {
                    builder.push(point)?;
                    column += 1;
                }
            }
        }
        builder.finish()
    }

    /// `str.translate`: `map` decides for each code point; its errors pass through.
    pub fn translate<E: From<NoMemory>>(
        &self,
        mut map: impl FnMut(u32) -> Result<Translated, E>,
    ) -> Result<Text, E> {
        let mut builder = TextBuilder::with_kind(self.kind());
        for point in self.code_points() {
            match map(point)? {
                Translated::Keep => builder.push(point)?,
                Translated::Delete => {}
                Translated::Point(point) => builder.push(point)?,
                Translated::Text(text) => builder.push_text(&text)?,
            }
        }
        Ok(builder.finish()?)
    }
}

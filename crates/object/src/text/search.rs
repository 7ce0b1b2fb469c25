//! Finding, counting and replacing substrings.
//!
//! Bytes are searched with `memchr::memmem`. Wider units are compared in place, first unit first; when that has cost
//! several times the length of the text (a periodic text and needle), Knuth-Morris-Pratt takes over, so the whole is linear.

use super::{NoMemory, Text, TextBuilder, Unit, Units};
use memchr::memmem;

/// A needle in the units of the text it is looked for in; `None` when it cannot occur there.
fn converted<T: Unit>(needle: &Text) -> Option<Vec<T>> {
    let mut units = Vec::new();
    units.try_reserve_exact(needle.len()).ok()?;
    for point in needle.code_points() {
        units.push(T::from_point(point)?);
    }
    Some(units)
}

/// Where the needle (`n_len` units, read by `n`) first occurs among the `h_len` units read by `h`.
fn find_by<T: Unit>(
    h_len: usize,
    n_len: usize,
    h: impl Fn(usize) -> T,
    n: impl Fn(usize) -> T,
) -> Option<usize> {
    let last = h_len.checked_sub(n_len)?;
    if n_len == 0 {
        return Some(0);
    }
    let first = n(0);
    let mut budget = h_len.saturating_mul(4).saturating_add(256);
    let mut at = 0;
    while at <= last {
        if h(at) == first {
            let same = (1..n_len).take_while(|&k| h(at + k) == n(k)).count() + 1;
            if same == n_len {
                return Some(at);
            }
            budget = budget.saturating_sub(same);
            if budget == 0
                && let Some(table) = failure_table(n_len, &n)
            {
                return find_periodic(at, h_len, &table, h, n);
            }
        }
        at += 1;
    }
    None
}

/// For each prefix of the needle, the length of its longest proper prefix that is also its suffix.
fn failure_table<T: Unit>(n_len: usize, n: &impl Fn(usize) -> T) -> Option<Vec<usize>> {
    let mut table = Vec::new();
    table.try_reserve_exact(n_len).ok()?;
    table.push(0);
    let mut matched = 0;
    for i in 1..n_len {
        while matched > 0 && n(i) != n(matched) {
            matched = table[matched - 1];
        }
        if n(i) == n(matched) {
            matched += 1;
        }
        table.push(matched);
    }
    Some(table)
}

fn find_periodic<T: Unit>(
    from: usize,
    h_len: usize,
    table: &[usize],
    h: impl Fn(usize) -> T,
    n: impl Fn(usize) -> T,
) -> Option<usize> {
    let mut matched = 0;
    for i in from..h_len {
        while matched > 0 && h(i) != n(matched) {
            matched = table[matched - 1];
        }
        if h(i) == n(matched) {
            matched += 1;
        }
        if matched == table.len() {
            return Some(i + 1 - matched);
        }
    }
    None
}

fn find_wide<T: Unit>(units: &[T], needle: &Text) -> Option<usize> {
    let needle = converted::<T>(needle)?;
    if let [one] = needle.as_slice() {
        return units.iter().position(|unit| unit == one);
    }
    find_by(units.len(), needle.len(), |i| units[i], |i| needle[i])
}

fn rfind_wide<T: Unit>(units: &[T], needle: &Text) -> Option<usize> {
    let needle = converted::<T>(needle)?;
    let (h_len, n_len) = (units.len(), needle.len());
    let found = find_by(h_len, n_len, |i| units[h_len - 1 - i], |i| needle[n_len - 1 - i])?;
    Some(h_len - found - n_len)
}

/// In so few bytes, searching costs less than preparing the search.
const FEW_BYTES: usize = 256;

/// Iterator over the matches of a needle: [`Text::matches`].
pub struct Matches<'a>(Search<'a>);

enum Search<'a> {
    Nothing,
    /// One byte among bytes.
    Byte {
        found: memchr::Memchr<'a>,
        start: usize,
    },
    Bytes {
        found: Box<memmem::FindIter<'a, 'a>>,
        start: usize,
    },
    Any {
        text: &'a Text,
        needle: &'a Text,
        from: usize,
        end: usize,
    },
}

impl Iterator for Matches<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match &mut self.0 {
            Search::Nothing => None,
            Search::Byte { found, start } => found.next().map(|at| *start + at),
            Search::Bytes { found, start } => found.next().map(|at| *start + at),
            Search::Any { text, needle, from, end } => {
                let at = text.find(needle, *from, *end)?;
                *from = at + needle.len();
                Some(at)
            }
        }
    }
}

impl Text {
    /// The first position in `start..end` where all of `needle` stands before `end`. An empty needle is found at
    /// `start` if `start <= end`.
    pub fn find(&self, needle: &Text, start: usize, end: usize) -> Option<usize> {
        let end = end.min(self.len());
        if start > end || needle.len() > end - start || needle.kind() > self.kind() {
            return None;
        }
        let found = match &self.0 {
            Units::Ucs2(units) => find_wide(&units[start..end], needle),
            Units::Ucs4(units) => find_wide(&units[start..end], needle),
            _ => match (&self.as_latin1()?[start..end], needle.as_latin1()?) {
                (units, [one]) => memchr::memchr(*one, units),
                (units, needle) => memmem::find(units, needle),
            },
        };
        found.map(|at| start + at)
    }

    /// The last such position. An empty needle is found at `end`.
    pub fn rfind(&self, needle: &Text, start: usize, end: usize) -> Option<usize> {
        let end = end.min(self.len());
        if start > end || needle.len() > end - start || needle.kind() > self.kind() {
            return None;
        }
        let found = match &self.0 {
            Units::Ucs2(units) => rfind_wide(&units[start..end], needle),
            Units::Ucs4(units) => rfind_wide(&units[start..end], needle),
            _ => match (&self.as_latin1()?[start..end], needle.as_latin1()?) {
                (units, [one]) => memchr::memrchr(*one, units),
                (units, needle) => memmem::rfind(units, needle),
            },
        };
        found.map(|at| start + at)
    }

    /// Whether `needle` occurs.
    pub fn contains(&self, needle: &Text) -> bool {
        self.find(needle, 0, self.len()).is_some()
    }

    /// The positions of non-overlapping matches of a needle that is not empty, from the left.
    pub fn matches<'a>(&'a self, needle: &'a Text, start: usize, end: usize) -> Matches<'a> {
        let end = end.min(self.len());
        if start > end || needle.is_empty() || needle.kind() > self.kind() {
            return Matches(Search::Nothing);
        }
        Matches(match (self.as_latin1(), needle.as_latin1()) {
            (Some(units), Some([one])) => {
                Search::Byte { found: memchr::memchr_iter(*one, &units[start..end]), start }
            }
            (Some(units), Some(needle)) if end - start > FEW_BYTES => {
                Search::Bytes { found: Box::new(memmem::find_iter(&units[start..end], needle)), start }
            }
            _ => Search::Any { text: self, needle, from: start, end },
        })
    }

    /// Number of non-overlapping matches in `start..end`; an empty needle matches at every position.
    pub fn count(&self, needle: &Text, start: usize, end: usize) -> usize {
        let end = end.min(self.len());
        match (start > end, needle.is_empty()) {
            (true, _) => 0,
            (_, true) => end - start + 1,
            _ if needle.len() == 1
                && let (Some(units), Some([one])) = (self.as_latin1(), needle.as_latin1()) =>
            {
                memchr::memchr_iter(*one, &units[start..end]).count()
            }
            _ => self.matches(needle, start, end).count(),
        }
    }

    /// A copy with the first `limit` matches of `old` replaced (all, when there is no limit). `None`: nothing to
    /// replace, so the caller can keep the object.
    pub fn replace(&self, old: &Text, new: &Text, limit: Option<usize>) -> Result<Option<Text>, NoMemory> {
        let limit = limit.unwrap_or(usize::MAX);
        if limit == 0 || (old.is_empty() && new.is_empty()) {
            return Ok(None);
        }
        let mut builder = TextBuilder::with_kind(self.kind());
        if old.is_empty() {
            let times = limit.min(self.len() + 1);
            builder.reserve(self.len().saturating_add(new.len().saturating_mul(times)))?;
            let mut left = limit;
            for point in self.code_points() {
                if left > 0 {
                    builder.push_text(new)?;
                    left -= 1;
                }
                builder.push(point)?;
            }
            if left > 0 {
                builder.push_text(new)?;
            }
            return builder.finish().map(Some);
        }
        // When the result may be huge, its size is found first: there may be no room for it.
        const HUGE: usize = 1 << 24;
        let most = (self.len() / old.len()).min(limit);
        if new.len() > old.len() && most.saturating_mul(new.len()) > HUGE {
            let times = self.matches(old, 0, self.len()).take(limit).count();
            builder.reserve(self.len().saturating_add((new.len() - old.len()).saturating_mul(times)))?;
        }
        let mut copied = 0;
        for at in self.matches(old, 0, self.len()).take(limit) {
            builder.push_range(self, copied, at)?;
            builder.push_text(new)?;
            copied = at + old.len();
        }
        if copied == 0 {
            return Ok(None);
        }
        builder.push_range(self, copied, self.len())?;
        builder.finish().map(Some)
    }
}

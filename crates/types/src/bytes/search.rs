//! Finding, cutting and replacing in bytes: plain functions, without objects.

use memchr::memmem;
use std::ops::Range;

/// Where `needle` first stands in `hay[start..end]`; an empty one stands at `start`.
pub fn find(hay: &[u8], needle: &[u8], start: usize, end: usize) -> Option<usize> {
    let part = hay.get(start..end)?;
    let found = match needle {
        [] => Some(0),
        [byte] => memchr::memchr(*byte, part),
        _ => memmem::find(part, needle),
    };
    found.map(|at| start + at)
}

/// The same for the last place.
pub fn rfind(hay: &[u8], needle: &[u8], start: usize, end: usize) -> Option<usize> {
    let part = hay.get(start..end)?;
    let found = match needle {
        [] => Some(part.len()),
        [byte] => memchr::memrchr(*byte, part),
        _ => memmem::rfind(part, needle),
    };
    found.map(|at| start + at)
}

/// Number of non-overlapping matches; an empty needle matches at every position.
pub fn count(hay: &[u8], needle: &[u8], start: usize, end: usize) -> usize {
    let Some(part) = hay.get(start..end) else { return 0 };
    match needle {
        [] => part.len() + 1,
        [byte] => memchr::memchr_iter(*byte, part).count(),
        _ => memmem::find_iter(part, needle).count(),
    }
}

/// A copy with the first `limit` matches replaced; `None` when nothing changes. The length is known before
/// anything is copied: `Err` when memory cannot hold it.
#[expect(clippy::result_unit_err, reason = "the one way to fail is a lack of memory")]
pub fn replace(hay: &[u8], old: &[u8], new: &[u8], limit: Option<usize>) -> Result<Option<Vec<u8>>, ()> {
    let times = count(hay, old, 0, hay.len()).min(limit.unwrap_or(usize::MAX));
    if times == 0 || old.is_empty() && new.is_empty() {
        return Ok(None);
    }
    let total = times
        .checked_mul(new.len())
        .and_then(|added| added.checked_add(hay.len() - times * old.len()))
        .filter(|&n| n <= isize::MAX as usize)
        .ok_or(())?;
    let mut result = Vec::new();
    result.try_reserve_exact(total).map_err(|_| ())?;
    if old.is_empty() {
        for (i, &byte) in hay.iter().enumerate() {
            if i < times {
                result.extend_from_slice(new);
            }
            result.push(byte);
        }
        if times > hay.len() {
            result.extend_from_slice(new);
        }
        return Ok(Some(result));
    }
    let mut copied = 0;
    for at in memmem::find_iter(hay, old).take(times) {
        result.extend_from_slice(&hay[copied..at]);
        result.extend_from_slice(new);
        copied = at + old.len();
    }
    result.extend_from_slice(&hay[copied..]);
    Ok(Some(result))
}

/// What separates words in bytes.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

type Pieces = Vec<Range<usize>>;

/// Pieces between runs of whitespace; at most `limit` cuts, from the left.
pub fn split_whitespace(bytes: &[u8], limit: Option<usize>) -> Pieces {
    let (mut pieces, mut at) = (Vec::new(), 0);
    loop {
        at += bytes[at..].iter().take_while(|b| is_space(**b)).count();
        if at == bytes.len() {
            return pieces;
        }
        if limit.is_some_and(|limit| pieces.len() >= limit) {
            pieces.push(at..bytes.len());
            return pieces;
        }
        let start = at;
        at += bytes[at..].iter().take_while(|b| !is_space(**b)).count();
        pieces.push(start..at);
    }
}

/// The same with the cuts counted from the right.
pub fn rsplit_whitespace(bytes: &[u8], limit: Option<usize>) -> Pieces {
    let (mut pieces, mut at) = (Vec::new(), bytes.len());
    loop {
        at -= bytes[..at].iter().rev().take_while(|b| is_space(**b)).count();
        if at == 0 {
            break;
        }
        if limit.is_some_and(|limit| pieces.len() >= limit) {
            pieces.push(0..at);
            break;
        }
        let end = at;
        at -= bytes[..at].iter().rev().take_while(|b| !is_space(**b)).count();
        pieces.push(at..end);
    }
    pieces.reverse();
    pieces
}

/// Pieces between occurrences of a separator that is not empty.
pub fn split(bytes: &[u8], separator: &[u8], limit: Option<usize>) -> Pieces {
    let (mut pieces, mut from) = (Vec::new(), 0);
    let mut cut = |at: usize| {
        pieces.push(from..at);
        from = at + separator.len();
    };
    let limit = limit.unwrap_or(usize::MAX);
    match separator {
        [byte] => memchr::memchr_iter(*byte, bytes).take(limit).for_each(&mut cut),
        _ => memmem::find_iter(bytes, separator).take(limit).for_each(&mut cut),
    }
    pieces.push(from..bytes.len());
    pieces
}

/// The same with the cuts counted from the right.
pub fn rsplit(bytes: &[u8], separator: &[u8], limit: Option<usize>) -> Pieces {
    let (mut pieces, mut end) = (Vec::new(), bytes.len());
    while limit.is_none_or(|limit| pieces.len() < limit) {
        let Some(at) = rfind(bytes, separator, 0, end) else { break };
        pieces.push(at + separator.len()..end);
        end = at;
    }
    pieces.push(0..end);
    pieces.reverse();
    pieces
}

/// Lines, which end in `\n`, `\r` or `\r\n`.
pub fn split_lines(bytes: &[u8], keep_ends: bool) -> Pieces {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        at = memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |found| at + found);
        let end = at;
        at += match &bytes[at..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        pieces.push(start..if keep_ends { at } else { end });
    }
    pieces
}

/// What is left when bytes that `gone` names are taken off the chosen ends.
pub fn strip(bytes: &[u8], left: bool, right: bool, gone: impl Fn(u8) -> bool) -> Range<usize> {
    let start = if left { bytes.iter().take_while(|b| gone(**b)).count() } else { 0 };
    let rest = &bytes[start..];
    let cut = if right { rest.iter().rev().take_while(|b| gone(**b)).count() } else { 0 };
    start..bytes.len() - cut
}

/// `bytes.expandtabs`. `None` when memory cannot hold the result.
pub fn expand_tabs(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let (mut result, mut column) = (Vec::new(), 0usize);
    for &byte in bytes {
        match byte {
            b'\t' => {
                let spaces = column.checked_rem(size).map_or(0, |past| size - past);
                result.try_reserve(spaces).ok()?;
                result.resize(result.len() + spaces, b' ');
                column += spaces;
            }
            _ => {
                result.try_reserve(1).ok()?;
                result.push(byte);
                column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
            }
        }
    }
    Some(result)
}

/// Upper case where a word starts, lower case inside.
pub fn title(bytes: &mut [u8]) {
    let mut in_word = false;
    for byte in bytes {
        *byte = if in_word { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        in_word = byte.is_ascii_alphabetic();
    }
}

/// Whether upper case stands only at starts of words, lower case only inside, and there is one.
pub fn is_title(bytes: &[u8]) -> bool {
    let (mut any, mut in_word) = (false, false);
    for byte in bytes {
        if byte.is_ascii_uppercase() && in_word || byte.is_ascii_lowercase() && !in_word {
            return false;
        }
        in_word = byte.is_ascii_alphabetic();
        any |= in_word;
    }
    any
}

/// `bytes.hex`: a separator between groups of `group` bytes, counted from the right, or from the left when negative.
/// `None` when memory cannot hold the result.
pub fn hex(bytes: &[u8], separator: Option<u8>, group: i64) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let cuts = match separator {
        Some(_) if size > 0 && !bytes.is_empty() => (bytes.len() - 1) / size,
        _ => 0,
    };
    let mut result = Vec::new();
    result.try_reserve_exact(bytes.len().checked_mul(2)?.checked_add(cuts)?).ok()?;
    for (i, byte) in bytes.iter().enumerate() {
        let before = if group < 0 { i } else { bytes.len() - i };
        if let Some(separator) = separator
            && i > 0
            && cuts > 0
            && before.is_multiple_of(size)
        {
            result.push(separator);
        }
        result.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    Some(result)
}

/// The literal that means these bytes. `escape_quotes`: single ones always.
pub fn repr(bytes: &[u8], prefix: &str, escape_quotes: bool) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = String::with_capacity(bytes.len() + prefix.len() + 3);
    text.push_str(prefix);
    text.push(quote);
    for &byte in bytes {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            b'\'' if escape_quotes => text.push_str("\\'"),
            _ if char::from(byte) == quote => text.extend(['\\', quote]),
            0x20..0x7f => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_replacements() {
        let cut = |pieces: Pieces, b: &[u8]| pieces.into_iter().map(|r| b[r].to_vec()).collect::<Vec<_>>();
        assert_eq!(cut(split(b"a,b,,c", b",", Some(2)), b"a,b,,c"), [&b"a"[..], b"b", b",c"]);
        assert_eq!(cut(rsplit(b"a,b,,c", b",", Some(2)), b"a,b,,c"), [&b"a,b"[..], b"", b"c"]);
        assert_eq!(cut(split_whitespace(b" a  b c ", Some(1)), b" a  b c "), [&b"a"[..], b"b c "]);
        assert_eq!(cut(rsplit_whitespace(b" a  b c ", Some(1)), b" a  b c "), [&b" a  b"[..], b"c"]);
        assert_eq!(cut(split_lines(b"a\r\nb\rc\n", true), b"a\r\nb\rc\n"), [&b"a\r\n"[..], b"b\r", b"c\n"]);
        assert_eq!(replace(b"aXbX", b"X", b"--", Some(1)), Ok(Some(b"a--bX".to_vec())));
        assert_eq!(replace(b"ab", b"", b"-", None), Ok(Some(b"-a-b-".to_vec())));
        assert_eq!(replace(b"ab", b"", b"-", Some(2)), Ok(Some(b"-a-b".to_vec())));
        assert_eq!(replace(b"ab", b"x", b"-", None), Ok(None));
        assert_eq!(hex(b"abcd", Some(b':'), -3), Some(b"616263:64".to_vec()));
        assert_eq!(hex(b"abcd", Some(b':'), 3), Some(b"61:626364".to_vec()));
        assert_eq!(repr(b"a'b\"\0\xff", "b", false), "b'a\\'b\"\\x00\\xff'");
    }
}

//! Numbers and strings: literals whose value is wrong.

use super::node::NodeKind as N;
use super::{Id, K, Parser, Rule, first};
use crate::error::ErrorKind;

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Option<Id> {
        let start = self.tok(K::Number)?;
        let text = self.text_of(start);
        let imaginary = text.ends_with(['j', 'J']);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let limit = self.flags.max_digits;
        if digits > limit && text.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            let place = self.place(start);
            let message = format!(
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; use \
                 sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals \
                 to avoid decimal conversion limits."
            );
            self.raise_raw(ErrorKind::Syntax, [place.line as i64, 0, place.end_line as i64, 0], &message);
            return None;
        }
        Some(self.node(if imaginary { N::Imaginary } else { N::Literal }, start, vec![]))
    }

    pub(super) fn strings(&mut self) -> Option<Id> {
        self.memo(Rule::Strings, |p| {
            p.wrong(Self::wrong_mix)?;
            let start = p.mark;
            let parts = p.many(Self::string_or_fields)?;
            if parts.is_empty() {
                p.some(Self::template)?;
                return Some(p.node(N::TString, start, vec![]));
            }
            let kinds: Vec<N> = parts.iter().map(|&part| p.kind(part)).collect();
            let bytes = kinds.contains(&N::Bytes);
            if bytes && kinds.iter().any(|&kind| kind != N::Bytes) {
                p.raise_last("cannot mix bytes and nonbytes literals");
                return None;
            }
            let kind = if kinds.contains(&N::FString) { N::FString } else { N::Literal };
            Some(p.node(kind, start, vec![]))
        })
    }

    fn string_or_fields(&mut self) -> Option<Id> {
        first! { self:
            |p| p.with_fields(K::FStringStart, K::FStringEnd);
            Self::string;
        }
    }

    fn template(&mut self) -> Option<Id> {
        self.with_fields(K::TStringStart, K::TStringEnd)
    }

    fn wrong_mix(&mut self) -> Option<()> {
        const MIXED: &str = "cannot mix t-string literals with string or bytes literals";
        first! { self:
            |p| {
                let plain = p.some(Self::string_or_fields)?;
                let template = p.template()?;
                p.raise(p.at(plain[plain.len() - 1]).to(p.at(template)), MIXED);
                Some(())
            };
            |p| {
                let templates = p.some(Self::template)?;
                let plain = p.string_or_fields()?;
                p.raise(p.at(templates[templates.len() - 1]).to(p.at(plain)), MIXED);
                Some(())
            };
        }
    }

    fn string(&mut self) -> Option<Id> {
        let start = self.tok(K::String)?;
        let text = self.text_of(start);
        let quote = text.find(['"', '\'']).unwrap_or(0);
        let (prefix, body) = text.split_at(quote);
        let prefix = prefix.to_ascii_lowercase();
        let quotes =
            if body.len() >= 6 && (body.starts_with("\"\"\"") || body.starts_with("'''")) { 3 } else { 1 };
        let contents = body.get(quotes..body.len().saturating_sub(quotes)).unwrap_or("");
        let (bytes, raw) = (prefix.contains('b'), prefix.contains('r'));
        if bytes && !contents.is_ascii() {
            self.raise(self.place(start), "bytes can only contain ASCII literal characters");
            return None;
        }
        if !raw && let Some(message) = wrong_escape(contents, bytes) {
            self.raise_last(&message);
            return None;
        }
        Some(self.node(if bytes { N::Bytes } else { N::Str }, start, vec![]))
    }

    fn with_fields(&mut self, open: K, close: K) -> Option<Id> {
        let start = self.tok(open)?;
        let raw = self.text_of(start).to_ascii_lowercase().contains('r');
        let template = open == K::TStringStart;
        let texts = self.many(|p| p.middle(raw, template))?;
        self.tok(close)?;
        if !raw
            && let Some(message) =
                texts.into_iter().flatten().find_map(|at| wrong_escape(self.text_of(at), false))
        {
            self.raise_last(&message);
            return None;
        }
        Some(self.node(if template { N::TString } else { N::FString }, start, vec![]))
    }

    /// A field, or text, which is decoded when the whole string has been read.
    fn middle(&mut self, raw: bool, template: bool) -> Option<Option<usize>> {
        first! { self:
            |p| p.deeper(|p| p.field(raw, template)).map(|()| None);
            |p| p.tok(if template { K::TStringMiddle } else { K::FStringMiddle }).map(Some);
        }
    }

    fn field_text(&mut self, raw: bool, template: bool) -> Option<()> {
        let token = self.tok(if template { K::TStringMiddle } else { K::FStringMiddle })?;
        let text = self.text_of(token);
        if !raw && let Some(message) = wrong_escape(text, false) {
            self.raise_last(&message);
            return None;
        }
        Some(())
    }

    fn field(&mut self, raw: bool, template: bool) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::LeftBrace)?;
                p.value()?;
                p.opt(|p| p.tok(K::Equal))?;
                p.opt(|p| p.conversion(template))?;
                p.opt(|p| p.specification(raw, template))?;
                p.tok(K::RightBrace).map(drop)
            };
            |p| {
                p.wrong(|p| p.wrong_field(raw, template))?;
                None
            };
        }
    }

    fn specification(&mut self, raw: bool, template: bool) -> Option<()> {
        self.tok(K::Colon)?;
        self.many(|p| {
            first! { p:
                |p| p.field_text(raw, template);
                |p| p.deeper(|p| p.field(raw, template));
            }
        })
        .map(drop)
    }

    fn conversion(&mut self, template: bool) -> Option<()> {
        let mark = self.tok(K::Exclamation)?;
        let name = self.tok(K::Name)?;
        let kind = if template { 't' } else { 'f' };
        let (from, to) = (self.place(mark), self.place(name));
        if from.line != to.line || from.end_column != to.column {
            let message =
                format!("{kind}-string: conversion type must come right after the exclamation mark");
            self.raise(from.to(to), &message);
            return None;
        }
        let text = self.text_of(name);
        if !matches!(text, "s" | "r" | "a") {
            let message =
                format!("{kind}-string: invalid conversion character '{text}': expected 's', 'r', or 'a'");
            self.raise(to, &message);
            return None;
        }
        Some(())
    }

    /// The start of a field up to its `=`, which must be there if `debug` says so.
    fn field_start(&mut self) -> Option<()> {
        self.tok(K::LeftBrace)?;
        self.value().map(drop)
    }

    fn loose_conversion(&mut self) -> Option<()> {
        self.opt(|p| p.tok(K::Equal))?;
        self.opt(|p| {
            p.tok(K::Exclamation)?;
            p.tok(K::Name)
        })
        .map(drop)
    }

    fn wrong_field(&mut self, raw: bool, template: bool) -> Option<()> {
        let kind = if template { 't' } else { 'f' };
        first! { self:
            |p| {
                p.tok(K::LeftBrace)?;
                let sign = p.any(&[K::Equal, K::Exclamation, K::Colon, K::RightBrace])?;
                let text = p.text_of(sign);
                p.raise(p.place(sign), &format!("{kind}-string: valid expression required before '{text}'"));
                Some(())
            };
            |p| {
                p.tok(K::LeftBrace)?;
                p.not(Self::value)?;
                p.raise_next(&format!("{kind}-string: expecting a valid expression after '{{'"));
                Some(())
            };
            |p| {
                p.field_start()?;
                p.not(|p| p.any(&[K::Equal, K::Exclamation, K::Colon, K::RightBrace]))?;
                p.raise_next(&format!("{kind}-string: expecting '=', or '!', or ':', or '}}'"));
                Some(())
            };
            |p| {
                p.field_start()?;
                p.tok(K::Equal)?;
                p.not(|p| p.any(&[K::Exclamation, K::Colon, K::RightBrace]))?;
                p.raise_next(&format!("{kind}-string: expecting '!', or ':', or '}}'"));
                Some(())
            };
            |p| {
                p.field_start()?;
                p.opt(|p| p.tok(K::Equal))?;
                p.wrong_conversion(kind)
            };
            |p| {
                p.field_start()?;
                p.loose_conversion()?;
                p.not(|p| p.any(&[K::Colon, K::RightBrace]))?;
                p.raise_next(&format!("{kind}-string: expecting ':' or '}}'"));
                Some(())
            };
            |p| {
                p.field_start()?;
                p.loose_conversion()?;
                p.specification(raw, template)?;
                p.not(|p| p.tok(K::RightBrace))?;
                p.raise_next(&format!("{kind}-string: expecting '}}', or format specs"));
                Some(())
            };
            |p| {
                p.field_start()?;
                p.loose_conversion()?;
                p.not(|p| p.tok(K::RightBrace))?;
                p.raise_next(&format!("{kind}-string: expecting '}}'"));
                Some(())
            };
        }
    }

    fn wrong_conversion(&mut self, kind: char) -> Option<()> {
        first! { self:
            |p| {
                p.tok(K::Exclamation)?;
                p.ahead(|p| p.any(&[K::Colon, K::RightBrace]))?;
                p.raise_next(&format!("{kind}-string: missing conversion character"));
                Some(())
            };
            |p| {
                p.tok(K::Exclamation)?;
                p.not(|p| p.tok(K::Name))?;
                p.raise_next(&format!("{kind}-string: invalid conversion character"));
                Some(())
            };
        }
    }
}

/// The message about the first escape that cannot be decoded.
fn wrong_escape(contents: &str, bytes: bool) -> Option<String> {
    // Positions count bytes as CPython's decoder sees them: other characters stand there as `\UXXXXXXXX`.
    let mut position = 0;
    let mut chars = contents.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        if c != '\\' {
            position += if c.is_ascii() || bytes { 1 } else { 10 };
            continue;
        }
        let start = position;
        position += 1;
        let Some(&(at, kind)) = chars.peek() else {
            return Some(format!(
                "(unicode error) 'unicodeescape' codec can't decode byte 0x5c in position {start}: \\ at end of string"
            ));
        };
        if !kind.is_ascii() {
            continue;
        }
        chars.next();
        position += 1;
        let rest = &contents[at + 1..];
        let count = match kind {
            'x' => 2,
            'u' if !bytes => 4,
            'U' if !bytes => 8,
            'N' if !bytes => {
                let named = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                let problem = match named {
                    Some((name, _)) if !name.is_empty() => {
                        let length = name.len() + 2;
                        let known = unicode_names2::character(name).is_some();
                        for _ in 0..name.chars().count() + 2 {
                            chars.next();
                        }
                        position += length;
                        if known {
                            continue;
                        }
                        "unknown Unicode character name"
                    }
                    _ => "malformed \\N character escape",
                };
                let end = if problem.starts_with("unknown") {
                    position - 1
                } else {
                    // What belongs to the escape: all up to the closing brace or the end.
                    let more = if rest.starts_with('{') {
                        rest.find('}').map_or(rest.len(), |at| at + 1)
                    } else {
                        0
                    };
                    position - 1 + more
                };
                return Some(undecodable(start, end, problem));
            }
            _ => continue,
        };
        let digits = rest.bytes().take(count).take_while(u8::is_ascii_hexdigit).count();
        if digits < count {
            if bytes {
                return Some(format!("(value error) invalid \\x escape at position {start}"));
            }
            let pattern = match kind {
                'x' => "truncated \\xXX escape",
                'u' => "truncated \\uXXXX escape",
                _ => "truncated \\UXXXXXXXX escape",
            };
            return Some(undecodable(start, start + 1 + digits, pattern));
        }
        if kind == 'U' && u32::from_str_radix(&rest[..8], 16).is_ok_and(|code| code > 0x10ffff) {
            return Some(undecodable(start, start + 9, "illegal Unicode character"));
        }
        for _ in 0..count {
            chars.next();
        }
        position += count;
    }
    None
}

fn undecodable(start: usize, end: usize, problem: &str) -> String {
    let place = if end > start {
        format!("can't decode bytes in position {start}-{end}")
    } else {
        format!("can't decode byte 0x5c in position {start}")
    };
    format!("(unicode error) 'unicodeescape' codec {place}: {problem}")
}

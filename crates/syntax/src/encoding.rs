//! From bytes to text: byte order mark and coding comment (PEP 263).

use crate::error::{ErrorKind, SyntaxError};
use crate::source::Source;
use ruff_text_size::TextSize;

pub(crate) struct Decoded {
    pub text: String,
    pub declared: Option<String>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The name in a coding comment on one of the first two lines, normalised as CPython does for UTF-8 and Latin-1.
pub fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    for (index, line) in bytes.split(|&b| b == b'\n' || b == b'\r').take(3).enumerate() {
        // A "\r\n" after the first line leaves an empty piece, which is no line of its own.
        if index == 2 && !bytes.windows(2).take(400).any(|w| w == b"\r\n") {
            break;
        }
        if let Some(name) = coding_of_line(line) {
            return Some(normalized(&name));
        }
        let blank = line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\x0c'));
        let comment = line.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\x0c')) == Some(&b'#');
        if !blank && !comment {
            return None;
        }
    }
    None
}

/// `coding[:=]\s*([-\w.]+)` within a line that is only a comment.
fn coding_of_line(line: &[u8]) -> Option<String> {
    let start = line.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\x0c'))?;
    if line[start] != b'#' {
        return None;
    }
    let mut rest = &line[start..];
    while let Some(at) = memchr::memmem::find(rest, b"coding") {
        rest = &rest[at + 6..];
        let Some((b':' | b'=', after)) = rest.split_first() else { continue };
        let skip = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let name: Vec<u8> = after[skip..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            .copied()
            .collect();
        if !name.is_empty() {
            return Some(name.into_iter().map(char::from).collect());
        }
    }
    None
}

fn normalized(name: &str) -> String {
    let short: String =
        name.chars().take(12).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    let is = |known: &str| short == known || short.strip_prefix(known).is_some_and(|r| r.starts_with('-'));
    if is("utf-8") {
        "utf-8".to_string()
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") {
        "iso-8859-1".to_string()
    } else {
        name.to_string()
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, SyntaxError> {
    let declared = declared_encoding(bytes);
    let marked = bytes.starts_with(BOM);
    let body = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let name = match (&declared, marked) {
        (Some(name), true) if name != "utf-8" => {
            let message = format!("encoding problem: {name} with BOM");
            let line =
                String::from_utf8_lossy(body.split(|&b| b == b'\n').next().unwrap_or_default()).into_owned();
            return Err(SyntaxError {
                line: 1,
                end_line: 1,
                end_offset: line.chars().count() as isize,
                text: Some(line),
                ..SyntaxError::without_place(ErrorKind::Syntax, message)
            });
        }
        (Some(name), _) => name.as_str(),
        (None, _) => "utf-8",
    };
    let text = match name {
        "utf-8" => utf8(body)?,
        "iso-8859-1" => body.iter().map(|&b| char::from(b)).collect(),
        _ => by_name(name, body)?,
    };
    Ok(Decoded { text, declared: declared.or_else(|| marked.then(|| "utf-8".to_string())) })
}

fn utf8(bytes: &[u8]) -> Result<String, SyntaxError> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_string()),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    let bad = bytes.get(at).copied().unwrap_or(0);
    let source = Source::from_text(String::from_utf8_lossy(bytes).into_owned());
    let start = TextSize::from(at as u32);
    let line = source.position(start).line;
    let message = format!(
        "Non-UTF-8 code starting with '\\x{bad:02x}' on line {line}, but no encoding declared; see \
         https://peps.python.org/pep-0263/ for details"
    );
    let mut error = SyntaxError::new(ErrorKind::Syntax, &source, start, Some(start), message);
    error.text = error.text.map(|text| text.trim_end_matches('\n').to_string());
    Err(error)
}

fn by_name(name: &str, bytes: &[u8]) -> Result<String, SyntaxError> {
    let unknown = || SyntaxError::of_encoding(format!("unknown encoding: {name}"));
    let folded: String = name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    if matches!(folded.as_str(), "ascii" | "us-ascii") {
        return match bytes.iter().position(|b| !b.is_ascii()) {
            None => Ok(bytes.iter().map(|&b| char::from(b)).collect()),
            Some(at) => Err(SyntaxError::of_encoding(format!(
                "'ascii' codec can't decode byte {:#04x} in position {at}: ordinal not in range(128)",
                bytes[at]
            ))),
        };
    }
    // Web standards, which the table below follows, mean another encoding by these names.
    if matches!(folded.as_str(), "latin" | "latin1" | "l1" | "iso8859-1" | "iso8859" | "8859" | "cp819") {
        return Ok(bytes.iter().map(|&b| char::from(b)).collect());
    }
    let label = match folded.strip_prefix("cp") {
        Some(page) if page.starts_with("125") => format!("windows-{page}"),
        Some("932") => "shift_jis".to_string(),
        Some("936") => "gbk".to_string(),
        Some("949") => "euc-kr".to_string(),
        Some("950") => "big5".to_string(),
        Some("866") => "ibm866".to_string(),
        // Names that Python has and the table has not.
        _ if matches!(folded.as_str(), "latin9" | "latin-9" | "l9") => "iso-8859-15".to_string(),
        _ if matches!(folded.as_str(), "latin7" | "latin-7" | "l7") => "iso-8859-13".to_string(),
        _ if matches!(folded.as_str(), "latin8" | "latin-8" | "l8") => "iso-8859-14".to_string(),
        _ if matches!(folded.as_str(), "latin10" | "latin-10" | "l10") => "iso-8859-16".to_string(),
        _ => folded.replace("iso8859", "iso-8859").replace("shift-jis", "shift_jis"),
    };
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
        .filter(|e| {
            *e != encoding_rs::REPLACEMENT && *e != encoding_rs::UTF_16LE && *e != encoding_rs::UTF_16BE
        })
        .ok_or_else(unknown)?;
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text.into_owned()),
        None => Err(SyntaxError::of_encoding(format!(
            "'{name}' codec can't decode the source: character maps to <undefined>"
        ))),
    }
}

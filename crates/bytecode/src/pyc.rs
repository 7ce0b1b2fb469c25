//! Files of compiled modules: a header of 16 bytes, then the module's code as [`crate::marshal`]
//! writes it.
//!
//! The header is that of PEP 552: magic number, flags, and eight bytes which say what source the code
//! was made from: its time of modification and size, or its hash. All here is pure; whoever imports
//! reads the files and words the exceptions with [`HeaderError::message`].

use crate::code::{Code, Const};
use crate::dis::repr;
use crate::{marshal, verify};
use std::fmt;

/// The first bytes of a file. The number in front of the line end changes with the bytecode, the
/// code object's record or the meaning of either; it is none of CPython's or PyPy's.
pub const MAGIC: [u8; 4] = *b"Pl\r\n";

/// How long the header is.
pub const HEADER_SIZE: usize = 16;

/// Which source the code was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The one with this time of modification, in seconds, and this size, both modulo 2^32.
    Stamp {
        /// Time of modification.
        mtime: u32,
        /// Size in bytes.
        size: u32,
    },
    /// The one with this [`source_hash`].
    Hash {
        /// The hash.
        hash: [u8; 8],
        /// Whether importing compares it with the source, or trusts whoever made the file.
        check: bool,
    },
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Another magic number: the first bytes, zero where the file is shorter, and how many there are.
    Magic([u8; 4], usize),
    /// The file ends within the header.
    Eof,
    /// Flags that mean nothing.
    Flags(u32),
}

impl HeaderError {
    /// The Python exception this is.
    pub const fn exception(self) -> &'static str {
        match self {
            HeaderError::Eof => "EOFError",
            HeaderError::Magic(..) | HeaderError::Flags(_) => "ImportError",
        }
    }

    /// The exception's text for the module of a name.
    pub fn message(self, module: &str) -> String {
        let module = repr(&Const::Str(module.into()));
        match self {
            HeaderError::Magic(bytes, length) => {
                let bytes = Const::Bytes(bytes.get(..length).unwrap_or(&bytes).into());
                format!("bad magic number in {module}: {}", repr(&bytes))
            }
            HeaderError::Eof => format!("reached EOF while reading pyc header of {module}"),
            HeaderError::Flags(flags) => format!("invalid flags {flags} in {module}"),
        }
    }
}

/// Reads the header.
pub fn read_header(file: &[u8]) -> Result<Source, HeaderError> {
    let mut magic = [0; 4];
    let length = file.len().min(4);
    magic[..length].copy_from_slice(&file[..length]);
    if magic != MAGIC || length < 4 {
        return Err(HeaderError::Magic(magic, length));
    }
    let Some(&[_, _, _, _, f0, f1, f2, f3, a, b, c, d, e, f, g, h]) = file.first_chunk::<HEADER_SIZE>()
    else {
        return Err(HeaderError::Eof);
    };
    match u32::from_le_bytes([f0, f1, f2, f3]) {
        0 => {
            let (mtime, size) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
            Ok(Source::Stamp { mtime, size })
        }
        flags @ (1 | 3) => Ok(Source::Hash { hash: [a, b, c, d, e, f, g, h], check: flags & 2 != 0 }),
        flags => Err(HeaderError::Flags(flags)),
    }
}

/// Whether a stamp is that of a source with this time of modification and size.
pub fn stamp_matches(stamp: Source, source_mtime: i64, source_size: u64) -> bool {
    stamp == Source::Stamp { mtime: source_mtime as u32, size: source_size as u32 }
}

/// Why there is no code in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// Its header is wrong.
    Header(HeaderError),
    /// What follows cannot be read.
    Marshal(marshal::ReadError),
    /// What follows is no code object: `Non-code object in ...`.
    NoCode,
    /// The code is not safe to run.
    Verify(verify::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Header(HeaderError::Eof) => f.write_str("reached EOF while reading pyc header"),
            LoadError::Header(HeaderError::Magic(..)) => f.write_str("bad magic number"),
            LoadError::Header(HeaderError::Flags(flags)) => write!(f, "invalid flags {flags}"),
            LoadError::Marshal(error) => error.fmt(f),
            LoadError::NoCode => f.write_str("Non-code object"),
            LoadError::Verify(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads a file, and checks that its code is safe to run.
pub fn load(file: &[u8]) -> Result<(Source, Code), LoadError> {
    let source = read_header(file).map_err(LoadError::Header)?;
    let body = file.get(HEADER_SIZE..).unwrap_or_default();
    let (value, _) = marshal::read(body).map_err(LoadError::Marshal)?;
    let Const::Code(code) = value else { return Err(LoadError::NoCode) };
    verify::verify(&code).map_err(LoadError::Verify)?;
    Ok((source, std::rc::Rc::unwrap_or_clone(code)))
}

/// The header for code of this source.
pub fn header(source: Source) -> [u8; HEADER_SIZE] {
    let (flags, rest) = match source {
        Source::Stamp { mtime, size } => (0u32, u64::from(size) << 32 | u64::from(mtime)),
        Source::Hash { hash, check } => (if check { 3 } else { 1 }, u64::from_le_bytes(hash)),
    };
    let mut out = [0; HEADER_SIZE];
    out[..4].copy_from_slice(&MAGIC);
    out[4..8].copy_from_slice(&flags.to_le_bytes());
    out[8..].copy_from_slice(&rest.to_le_bytes());
    out
}

/// The file for a module's code.
pub fn dump(code: &Code, source: Source) -> Result<Vec<u8>, marshal::WriteError> {
    let mut file = header(source).to_vec();
    file.extend(marshal::write_code(code)?);
    Ok(file)
}

/// The hash of a source that headers hold: `_imp.source_hash(key, source)` with [`MAGIC`] as key.
pub fn source_hash(source: &[u8]) -> [u8; 8] {
    keyed_hash(u64::from(u32::from_le_bytes(MAGIC)), source).to_le_bytes()
}

/// SipHash-1-3 (Aumasson and Bernstein) with the key `key`, 0.
pub fn keyed_hash(key: u64, data: &[u8]) -> u64 {
    let mut v = [
        key ^ 0x736f_6d65_7073_6575,
        0x646f_7261_6e64_6f6d,
        key ^ 0x6c79_6765_6e65_7261,
        0x7465_6462_7974_6573,
    ];
    let words = data.chunks_exact(8);
    let tail = words.remainder().iter().rev().fold(0u64, |word, &b| word << 8 | u64::from(b));
    for word in words {
        absorb(&mut v, word.iter().rev().fold(0, |word, &b| word << 8 | u64::from(b)));
    }
    absorb(&mut v, (data.len() as u64) << 56 | tail);
    v[2] ^= 0xff;
    (0..3).for_each(|_| sip_round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

fn sip_round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_both_ways() {
        let all = [
            Source::Stamp { mtime: 0x1234_5678, size: 0x9abc_def0 },
            Source::Hash { hash: *b"12345678", check: true },
            Source::Hash { hash: *b"12345678", check: false },
        ];
        for source in all {
            assert_eq!(read_header(&header(source)), Ok(source));
        }
        assert!(stamp_matches(all[0], 0x7_1234_5678, 0x9abc_def0));
        assert!(!stamp_matches(all[0], 0x1234_5679, 0x9abc_def0));
    }

    #[test]
    fn wrong_headers_are_worded_as_by_importlib() {
        let good = header(Source::Stamp { mtime: 0, size: 0 });
        let text = |file: &[u8]| read_header(file).unwrap_err().message("it");
        assert_eq!(text(b"a\n"), "bad magic number in 'it': b'a\\n'");
        assert_eq!(text(&good[..9]), "reached EOF while reading pyc header of 'it'");
        let mut flags = good;
        flags[4] = 4;
        assert_eq!(text(&flags), "invalid flags 4 in 'it'");
        assert_eq!(load(&[&good[..], b"N"].concat()), Err(LoadError::NoCode));
    }

    /// Values of `_imp.source_hash(1234, ...)`.
    #[test]
    fn hashes_are_those_of_cpython() {
        assert_eq!(keyed_hash(1234, b""), 0x691ec42ef3442408);
        assert_eq!(keyed_hash(1234, b"abc"), 0xa5a8a3896e79d70d);
        assert_eq!(keyed_hash(1234, b"12345678"), 0x58a35a40a883abf7);
        assert_eq!(keyed_hash(1234, &b"def f():\n    return 1\n".repeat(5)), 0xad30224864764827);
    }
}

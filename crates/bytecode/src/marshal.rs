//! Constants and code objects as bytes, in the format of `marshal` version 5.
//!
//! An object is a type byte and what belongs to it, numbers little-endian. Bit 0x80 of the type byte
//! gives the object the next reference number, in the order in which such type bytes appear; `r`
//! and a number stands for that object again. The record of a code object (`c`) is our own, as the
//! code object is: six numbers
//! and eleven objects, see [`write_code`].
//!
//! Reading is total: any bytes give a constant or an error. Nesting is limited, and so is what
//! references may expand to, as the result is a tree: a few bytes that refer to each other could
//! otherwise stand for more than any memory. What was read is well-formed data and no more; a code
//! object from outside has to pass [`crate::verify`] before it may run.

use crate::code::{Code, Const, Str, Wtf8};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// The version of the format.
pub const VERSION: u8 = 5;

/// The deepest nesting that is written or read.
pub const MAX_DEPTH: usize = 2000;

/// Bit of a type byte: the object gets a reference number.
const FLAG_REF: u8 = 0x80;

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// They end too early.
    Eof(&'static str),
    /// They make no sense.
    Value(&'static str),
    /// An object is not what belongs in its place.
    Type(&'static str),
    /// The mark for "no object" is where there must be one.
    Null(&'static str),
}

impl ReadError {
    /// The Python exception this is.
    pub const fn exception(self) -> &'static str {
        match self {
            ReadError::Eof(_) => "EOFError",
            ReadError::Value(_) => "ValueError",
            ReadError::Type(_) | ReadError::Null(_) => "TypeError",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Eof(text) => f.write_str(text),
            ReadError::Value("recursion limit exceeded") => f.write_str("recursion limit exceeded"),
            ReadError::Value(what) | ReadError::Type(what) => write!(f, "bad marshal data ({what})"),
            ReadError::Null(place) => write!(f, "NULL object in marshal data for {place}"),
        }
    }
}

impl std::error::Error for ReadError {}

const TOO_SHORT: ReadError = ReadError::Eof("marshal data too short");
const NO_BYTE: ReadError = ReadError::Eof("EOF read where not expected");
const NO_OBJECT: ReadError = ReadError::Eof("EOF read where object expected");

/// Reads the constant that the bytes start with, and says how many bytes it took.
pub fn read(bytes: &[u8]) -> Result<(Const, usize), ReadError> {
    let budget = bytes.len().saturating_mul(64).saturating_add(16 << 20);
    let mut reader = Reader { bytes, at: 0, refs: Vec::new(), budget };
    let value = reader.object()?;
    Ok((value, reader.at))
}

/// Reads a code object. Bytes behind it are ignored, as `marshal.loads` does.
pub fn read_code(bytes: &[u8]) -> Result<Code, ReadError> {
    match read(bytes)?.0 {
        Const::Code(code) => Ok(Rc::unwrap_or_clone(code)),
        _ => Err(ReadError::Type("no code object")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The objects by reference number; none while an object is being read.
    refs: Vec<Option<Const>>,
    /// How many more bytes copies of referred objects may take, about.
    budget: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], ReadError> {
        let end = self.at.checked_add(size).ok_or(TOO_SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(TOO_SHORT)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        self.take(N)?.try_into().map_err(|_| TOO_SHORT)
    }

    fn long(&mut self) -> Result<i32, ReadError> {
        self.array().map(i32::from_le_bytes)
    }

    fn double(&mut self) -> Result<f64, ReadError> {
        self.array().map(f64::from_le_bytes)
    }

    fn size(&mut self, error: &'static str) -> Result<usize, ReadError> {
        usize::try_from(self.long()?).map_err(|_| ReadError::Value(error))
    }

    fn short_size(&mut self) -> Result<usize, ReadError> {
        self.array::<1>().map(|[n]| usize::from(n)).map_err(|_| NO_BYTE)
    }

    /// Reads an object with all that is in it. Its nesting is on a stack of ours, not on the native one.
    fn object(&mut self) -> Result<Const, ReadError> {
        let mut open: Vec<Container> = Vec::new();
        loop {
            let place = open.last().map_or("object", |c| c.kind.place());
            let mut done = match self.start(place, open.len())? {
                Started::Value(value, reference) => self.complete(value, reference)?,
                Started::Container(container) if container.count > 0 => {
                    open.push(container);
                    continue;
                }
                Started::Container(container) => self.close(container)?,
            };
            loop {
                let Some(mut parent) = open.pop() else { return Ok(done) };
                parent.items.push(done);
                if parent.items.len() < parent.count {
                    open.push(parent);
                    break;
                }
                done = self.close(parent)?;
            }
        }
    }

    /// Reads an object's type byte and what follows it, up to the objects in it.
    fn start(&mut self, place: &'static str, depth: usize) -> Result<Started, ReadError> {
        let &byte = self.bytes.get(self.at).ok_or(NO_OBJECT)?;
        self.at += 1;
        if depth >= MAX_DEPTH {
            return Err(ReadError::Value("recursion limit exceeded"));
        }
        let type_byte = byte & !FLAG_REF;
        match type_byte {
            // Neither of them gets a number of its own.
            b'r' => return self.referred().map(|value| Started::Value(value, None)),
            b'0' => return Err(ReadError::Null(place)),
            _ => {}
        }
        let reference = (byte & FLAG_REF != 0).then_some(self.refs.len());
        if reference.is_some() {
            self.refs.push(None);
        }
        let (kind, count) = match type_byte {
            b'(' => (Kind::Tuple, self.size("tuple size out of range")?),
            b')' => (Kind::Tuple, self.short_size()?),
            b'>' => (Kind::FrozenSet, self.size("set size out of range")?),
            b':' => (Kind::Slice, 3),
            b'c' => {
                let mut numbers = [0; 6];
                for number in &mut numbers {
                    *number = self.long()? as u32;
                }
                (Kind::Code(numbers), 11)
            }
            _ => return self.leaf(type_byte).map(|value| Started::Value(value, reference)),
        };
        // Counts may be wrong and containers nested: memory is asked for as items come.
        let items = Vec::with_capacity(count.min(16));
        Ok(Started::Container(Container { kind, items, count, reference }))
    }

    fn close(&mut self, container: Container) -> Result<Const, ReadError> {
        let value = match container.kind {
            Kind::Tuple => Const::Tuple(container.items.into()),
            Kind::FrozenSet => Const::FrozenSet(container.items.into()),
            Kind::Slice => match container.items.try_into() {
                Ok(items) => Const::Slice(Box::new(items)),
                Err(_) => return Err(ReadError::Null("slice")),
            },
            Kind::Code(numbers) => Const::Code(Rc::new(code(numbers, container.items)?)),
        };
        self.complete(value, container.reference)
    }

    fn complete(&mut self, value: Const, reference: Option<usize>) -> Result<Const, ReadError> {
        if let Some(slot) = reference.and_then(|index| self.refs.get_mut(index)) {
            self.budget -= footprint(&value, self.budget).ok_or(EXPANDS)?;
            *slot = Some(value.clone());
        }
        Ok(value)
    }

    fn referred(&mut self) -> Result<Const, ReadError> {
        let invalid = ReadError::Value("invalid reference");
        let index = self.size("invalid reference")?;
        let value = self.refs.get(index).and_then(Option::as_ref).ok_or(invalid)?;
        let size = footprint(value, self.budget).ok_or(EXPANDS)?;
        self.budget -= size;
        Ok(value.clone())
    }

    fn leaf(&mut self, kind: u8) -> Result<Const, ReadError> {
        Ok(match kind {
            b'N' => Const::None,
            b'T' => Const::True,
            b'F' => Const::False,
            b'.' => Const::Ellipsis,
            b'i' => Const::Int(i64::from(self.long()?)),
            b'I' => Const::Int(i64::from_le_bytes(self.array()?)),
            b'l' => self.int()?,
            b'f' => Const::Float(self.float_text()?),
            b'g' => Const::Float(self.double()?),
            b'x' => Const::Complex(self.float_text()?, self.float_text()?),
            b'y' => Const::Complex(self.double()?, self.double()?),
            b's' => {
                let size = self.size("bytes object size out of range")?;
                Const::Bytes(self.take(size)?.into())
            }
            b'u' | b't' => {
                let size = self.size("string size out of range")?;
                let text = self.take(size)?;
                Const::Str(Wtf8::from_bytes(text).ok_or(ReadError::Value("invalid UTF-8"))?)
            }
            b'a' | b'A' => {
                let size = self.size("string size out of range")?;
                Const::Str(latin1(self.take(size)?))
            }
            b'z' | b'Z' => {
                let size = self.short_size()?;
                Const::Str(latin1(self.take(size)?))
            }
            b'S' | b'[' | b'{' | b'<' => return Err(ReadError::Value("not a constant")),
            _ => return Err(ReadError::Value("unknown type code")),
        })
    }

    /// An int of any size: its sign with the number of its digits, then digits of 15 bits.
    fn int(&mut self) -> Result<Const, ReadError> {
        let count = self.long()?;
        if count == i32::MIN {
            return Err(ReadError::Value("long size out of range"));
        }
        let data = self.take((count.unsigned_abs() as usize).checked_mul(2).ok_or(TOO_SHORT)?)?;
        let mut bytes = Vec::with_capacity(data.len());
        let (mut bits, mut held, mut last) = (0u32, 0u32, 1u16);
        for pair in data.chunks_exact(2) {
            last = u16::from_le_bytes([pair[0], pair[1]]);
            if last > 0x7fff {
                return Err(ReadError::Value("digit out of range in long"));
            }
            bits |= u32::from(last) << held;
            held += 15;
            while held >= 8 {
                bytes.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
        bytes.push(bits as u8);
        if last == 0 {
            return Err(ReadError::Value("unnormalized long data"));
        }
        let sign = if count < 0 { Sign::Negative } else { Sign::Positive };
        let value = IBig::from_parts(sign, UBig::from_le_bytes(&bytes));
        Ok(i64::try_from(&value).map_or(Const::BigInt(value), Const::Int))
    }

    fn float_text(&mut self) -> Result<f64, ReadError> {
        let size = self.short_size()?;
        let text = std::str::from_utf8(self.take(size)?).ok();
        text.and_then(|t| t.parse().ok()).ok_or(ReadError::Value("could not convert string to float"))
    }
}

/// An object whose parts are being read.
struct Container {
    kind: Kind,
    items: Vec<Const>,
    count: usize,
    reference: Option<usize>,
}

enum Kind {
    Tuple,
    FrozenSet,
    Slice,
    Code([u32; 6]),
}

impl Kind {
    fn place(&self) -> &'static str {
        match self {
            Kind::Tuple => "tuple",
            Kind::FrozenSet => "set",
            Kind::Slice => "slice",
            Kind::Code(_) => "code object",
        }
    }
}

enum Started {
    Value(Const, Option<usize>),
    Container(Container),
}

/// The code object of a record. The fields are in the order in which [`Writer::code`] writes them.
fn code(numbers: [u32; 6], fields: Vec<Const>) -> Result<Code, ReadError> {
    let mut fields = fields.into_iter();
    let mut next = || fields.next().ok_or(ReadError::Null("code object"));
    let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno] = numbers;
    Ok(Code {
        argcount,
        posonlyargcount,
        kwonlyargcount,
        stacksize,
        flags,
        firstlineno,
        code: bytes_field(next()?)?,
        consts: tuple_field(next()?)?,
        names: names_field(next()?)?,
        varnames: names_field(next()?)?,
        freevars: names_field(next()?)?,
        cellvars: names_field(next()?)?,
        filename: str_field(next()?)?,
        name: str_field(next()?)?,
        qualname: str_field(next()?)?,
        linetable: bytes_field(next()?)?,
        positions: bytes_field(next()?)?,
    })
}

fn bytes_field(value: Const) -> Result<Box<[u8]>, ReadError> {
    match value {
        Const::Bytes(bytes) => Ok(bytes),
        _ => Err(ReadError::Type("bytes expected in code object")),
    }
}

fn str_field(value: Const) -> Result<Str, ReadError> {
    match value {
        Const::Str(text) => Ok(text),
        _ => Err(ReadError::Type("string expected in code object")),
    }
}

fn tuple_field(value: Const) -> Result<Box<[Const]>, ReadError> {
    match value {
        Const::Tuple(items) => Ok(items),
        _ => Err(ReadError::Type("tuple expected in code object")),
    }
}

fn names_field(value: Const) -> Result<Box<[Str]>, ReadError> {
    tuple_field(value)?.into_iter().map(str_field).collect()
}

const EXPANDS: ReadError = ReadError::Value("references expand too far");

fn latin1(bytes: &[u8]) -> Wtf8 {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => text.into(),
        _ => bytes.iter().map(|&b| char::from(b)).collect::<String>().as_str().into(),
    }
}

/// About how many bytes a copy takes, unless it is more than `limit`.
fn footprint(value: &Const, limit: usize) -> Option<usize> {
    let mut left = limit;
    // Most values have no parts: nothing is put there for them.
    let mut todo = Vec::new();
    let mut next = Some(value);
    while let Some(value) = next {
        let own = match value {
            Const::Str(text) => text.0.len(),
            Const::Bytes(bytes) => bytes.len(),
            Const::BigInt(n) => n.bit_len() / 8,
            Const::Tuple(items) | Const::FrozenSet(items) => {
                todo.extend(items.iter());
                0
            }
            Const::Slice(items) => {
                todo.extend(items.iter());
                0
            }
            Const::Code(code) => {
                todo.extend(code.consts.iter());
                let names = [&code.names, &code.varnames, &code.freevars, &code.cellvars];
                let names: usize = names.into_iter().flatten().map(|n| n.0.len() + size_of::<Str>()).sum();
                let texts = code.filename.0.len() + code.name.0.len() + code.qualname.0.len();
                let tables = code.code.len() + code.linetable.len() + code.positions.len();
                size_of::<Code>() + names + texts + tables
            }
            _ => 0,
        };
        left = left.checked_sub(own.saturating_add(size_of::<Const>()))?;
        next = todo.pop();
    }
    Some(limit - left)
}

/// Why a constant cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A part of it is larger than the format can say.
    TooLarge,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WriteError::TooDeep => "object too deeply nested to marshal",
            WriteError::TooLarge => "unmarshallable object",
        })
    }
}

impl std::error::Error for WriteError {}

/// The bytes of a constant. Equal strings are written once and then referred to.
pub fn write(value: &Const) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer::default();
    writer.object(value)?;
    Ok(writer.out)
}

/// The bytes of a code object: `c`; as numbers of four bytes the counts of arguments (all, positional
/// only, keyword only), stack size, flags and first line; as objects instructions, constants, names,
/// local, free and cell variables, filename, name, qualified name, line table and positions.
pub fn write_code(code: &Code) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer::default();
    writer.code(code)?;
    Ok(writer.out)
}

#[derive(Default)]
struct Writer<'a> {
    out: Vec<u8>,
    depth: usize,
    /// The reference numbers of the strings written.
    strings: HashMap<&'a [u8], u32>,
}

impl<'a> Writer<'a> {
    fn long(&mut self, number: u32) {
        self.out.extend(number.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> Result<(), WriteError> {
        let size = i32::try_from(size).map_err(|_| WriteError::TooLarge)?;
        self.out.extend(size.to_le_bytes());
        Ok(())
    }

    fn object(&mut self, value: &'a Const) -> Result<(), WriteError> {
        if self.depth >= MAX_DEPTH {
            return Err(WriteError::TooDeep);
        }
        self.depth += 1;
        match value {
            Const::None => self.out.push(b'N'),
            Const::True => self.out.push(b'T'),
            Const::False => self.out.push(b'F'),
            Const::Ellipsis => self.out.push(b'.'),
            Const::Int(n) => self.int(*n)?,
            Const::BigInt(n) => self.big_int(n)?,
            Const::Float(x) => {
                self.out.push(b'g');
                self.out.extend(x.to_le_bytes());
            }
            Const::Complex(re, im) => {
                self.out.push(b'y');
                self.out.extend(re.to_le_bytes());
                self.out.extend(im.to_le_bytes());
            }
            Const::Str(text) => self.text(text, false)?,
            Const::Bytes(bytes) => self.bytes(bytes)?,
            Const::Tuple(items) => self.tuple(items)?,
            Const::FrozenSet(items) => {
                self.out.push(b'>');
                self.size(items.len())?;
                items.iter().try_for_each(|item| self.object(item))?;
            }
            Const::Slice(items) => {
                self.out.push(b':');
                items.iter().try_for_each(|item| self.object(item))?;
            }
            // The code's own nesting is counted there.
            Const::Code(code) => {
                self.depth -= 1;
                return self.code(code);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn int(&mut self, number: i64) -> Result<(), WriteError> {
        match i32::try_from(number) {
            Ok(small) => {
                self.out.push(b'i');
                self.out.extend(small.to_le_bytes());
                Ok(())
            }
            Err(_) => self.big_int(&IBig::from(number)),
        }
    }

    fn big_int(&mut self, number: &IBig) -> Result<(), WriteError> {
        let (sign, magnitude) = number.clone().into_parts();
        let count = i32::try_from(magnitude.bit_len().div_ceil(15)).map_err(|_| WriteError::TooLarge)?;
        self.out.push(b'l');
        self.out.extend(if sign == Sign::Negative { -count } else { count }.to_le_bytes());
        let (mut bits, mut held, mut left) = (0u32, 0u32, count);
        for byte in magnitude.to_le_bytes().iter().copied().chain([0, 0]) {
            bits |= u32::from(byte) << held;
            held += 8;
            if held >= 15 && left > 0 {
                self.out.extend((bits as u16 & 0x7fff).to_le_bytes());
                bits >>= 15;
                held -= 15;
                left -= 1;
            }
        }
        Ok(())
    }

    /// A string; `name` says that it is one which the interpreter interns.
    fn text(&mut self, text: &'a Str, name: bool) -> Result<(), WriteError> {
        let bytes = &*text.0;
        if let Some(&index) = self.strings.get(bytes) {
            self.out.push(b'r');
            self.long(index);
            return Ok(());
        }
        let index = u32::try_from(self.strings.len()).map_err(|_| WriteError::TooLarge)?;
        self.strings.insert(bytes, index);
        let identifier = bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let kind = match (bytes.is_ascii(), bytes.len() < 256, name || identifier) {
            (true, true, true) => b'Z',
            (true, true, false) => b'z',
            (true, false, true) => b'A',
            (true, false, false) => b'a',
            (false, _, true) => b't',
            (false, _, false) => b'u',
        };
        self.out.push(kind | FLAG_REF);
        match u8::try_from(bytes.len()) {
            Ok(size) if bytes.is_ascii() => self.out.push(size),
            _ => self.size(bytes.len())?,
        }
        self.out.extend(bytes);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.push(b's');
        self.size(bytes.len())?;
        self.out.extend(bytes);
        Ok(())
    }

    fn tuple_head(&mut self, count: usize) -> Result<(), WriteError> {
        match u8::try_from(count) {
            Ok(count) => self.out.extend([b')', count]),
            Err(_) => {
                self.out.push(b'(');
                self.size(count)?;
            }
        }
        Ok(())
    }

    fn tuple(&mut self, items: &'a [Const]) -> Result<(), WriteError> {
        self.tuple_head(items.len())?;
        items.iter().try_for_each(|item| self.object(item))
    }

    fn names(&mut self, names: &'a [Str]) -> Result<(), WriteError> {
        self.tuple_head(names.len())?;
        names.iter().try_for_each(|name| self.text(name, true))
    }

    fn code(&mut self, code: &'a Code) -> Result<(), WriteError> {
        // Reading nests once for the code and once for the tuple of its constants.
        if self.depth + 2 > MAX_DEPTH {
            return Err(WriteError::TooDeep);
        }
        self.depth += 2;
        self.out.push(b'c');
        for n in [
            code.argcount,
            code.posonlyargcount,
            code.kwonlyargcount,
            code.stacksize,
            code.flags,
            code.firstlineno,
        ] {
            self.long(n);
        }
        self.bytes(&code.code)?;
        self.tuple(&code.consts)?;
        for names in [&code.names, &code.varnames, &code.freevars, &code.cellvars] {
            self.names(names)?;
        }
        for text in [&code.filename, &code.name, &code.qualname] {
            self.text(text, true)?;
        }
        self.bytes(&code.linetable)?;
        self.bytes(&code.positions)?;
        self.depth -= 2;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(value: &Const) {
        let bytes = write(value).unwrap();
        assert_eq!(read(&bytes), Ok((value.clone(), bytes.len())));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut big = IBig::from(1);
        for shift in 0..200 {
            for n in [big.clone() << shift, (big.clone() << shift) - 1, -(big.clone() << shift)] {
                both_ways(&i64::try_from(&n).map_or(Const::BigInt(n), Const::Int));
            }
        }
        big = (big << 100_003) - 12345;
        let text = Const::Str("x".repeat(300).as_str().into());
        let all = [
            Const::BigInt(big),
            Const::Float(-0.0),
            Const::Complex(1.5, f64::INFINITY),
            Const::Str(Wtf8([0xed, 0xa0, 0x80, b'a'].into())),
            Const::Slice(Box::new([Const::None, Const::Int(-1), text.clone()])),
            Const::FrozenSet([Const::Str("\u{e9}".into()), text].into()),
            Const::Tuple(vec![Const::Ellipsis; 256].into()),
            Const::Bytes([0, 255].into()),
        ];
        all.iter().for_each(both_ways);
        both_ways(&Const::Tuple(all.into()));
    }

    /// What CPython 3.13 says of the same bytes.
    #[test]
    fn errors_are_worded_as_in_cpython() {
        let all: [(&[u8], &str); 16] = [
            (b"", "EOF read where object expected"),
            (b"i\x01", "marshal data too short"),
            (b"?", "bad marshal data (unknown type code)"),
            (b"s\xff\xff\xff\xff", "bad marshal data (bytes object size out of range)"),
            (b"u\xff\xff\xff\xff", "bad marshal data (string size out of range)"),
            (b"(\xff\xff\xff\xff", "bad marshal data (tuple size out of range)"),
            (b">\xff\xff\xff\xff", "bad marshal data (set size out of range)"),
            (b"l\x00\x00\x00\x80", "bad marshal data (long size out of range)"),
            (b"l\x01\x00\x00\x00\x00\x80", "bad marshal data (digit out of range in long)"),
            (b"l\x01\x00\x00\x00\x00\x00", "bad marshal data (unnormalized long data)"),
            (b"r\x00\x00\x00\x00", "bad marshal data (invalid reference)"),
            (b")\x010", "NULL object in marshal data for tuple"),
            (b"0", "NULL object in marshal data for object"),
            (b")", "EOF read where not expected"),
            (b">\x01\x00\x00\x000", "NULL object in marshal data for set"),
            (b")\x02N", "EOF read where object expected"),
        ];
        for (bytes, text) in all {
            assert_eq!(read(bytes).unwrap_err().to_string(), text, "{bytes:?}");
        }
    }

    #[test]
    fn references_count_from_the_outside() {
        // (("ab",), ("ab",), "ab"), with numbers 0, 1 and 2.
        let bytes = b"\xa9\x03\xa9\x01\xda\x02abr\x01\x00\x00\x00r\x02\x00\x00\x00";
        let text = Const::Str("ab".into());
        let inner = Const::Tuple([text.clone()].into());
        assert_eq!(read(bytes).unwrap().0, Const::Tuple([inner.clone(), inner, text].into()));
        // A tuple in itself cannot be a tree.
        assert_eq!(read(b"\xa9\x01r\x00\x00\x00\x00"), Err(ReadError::Value("invalid reference")));
    }

    #[test]
    fn nesting_and_references_are_limited() {
        let deep = |n: usize| {
            let mut bytes = b")\x01".repeat(n - 1);
            bytes.push(b'N');
            read(&bytes)
        };
        let (value, _) = deep(MAX_DEPTH).unwrap();
        both_ways(&value);
        assert_eq!(deep(MAX_DEPTH + 1).unwrap_err().to_string(), "recursion limit exceeded");
        assert_eq!(write(&Const::Tuple([value].into())), Err(WriteError::TooDeep));
        // Each tuple holds the one before it twice: 2 ** 60 items.
        let mut bytes = b")\x3c\xa9\x00".to_vec();
        for n in 0..59u32 {
            bytes.extend(b"\xa9\x02");
            bytes.extend([&b"r"[..], &n.to_le_bytes(), b"r", &n.to_le_bytes()].concat());
        }
        assert_eq!(read(&bytes), Err(EXPANDS));
    }
}

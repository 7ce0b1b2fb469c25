//! Where a pickle is read from: bytes in memory, or a file's `read` and `readline`.

use super::errors::unpickling;
use pellucid_object::bytes::Bytes;
use pellucid_object::{Interpreter, Raised, Res, Value};

/// `read` and `readline` of a file, and what was read ahead (the rest of a frame).
pub struct File {
    pub read: Value,
    pub readline: Value,
    pub ahead: Vec<u8>,
}

pub enum Source<'a> {
    Memory { bytes: &'a [u8], at: usize },
    File { file: File, at: usize },
}

#[cold]
fn truncated(vm: &Interpreter) -> Raised {
    unpickling(vm, "pickle data was truncated")
}

/// The bytes that a file method gave.
fn bytes_of(vm: &Interpreter, data: &Value, method: &str) -> Res<Vec<u8>> {
    match data.downcast::<Bytes>() {
        Some(bytes) => vm.copied(bytes.as_slice()),
        None if vm.has_buffer(data) => vm.copied(&vm.bytes_like(data)?.bytes()),
        None => {
            let got = vm.type_name(data);
            Err(vm.value_error(format!("{method}() returned non-bytes object ({got})")))
        }
    }
}

impl Source<'_> {
    /// The next `len` bytes. Errors: `UnpicklingError` when there are fewer.
    #[inline]
    pub fn take(&mut self, vm: &Interpreter, len: usize) -> Res<&[u8]> {
        self.fill(vm, len)?;
        let (bytes, at) = match self {
            Source::Memory { bytes, at } => (*bytes, at),
            Source::File { file, at } => (file.ahead.as_slice(), at),
        };
        let start = *at;
        *at += len;
        Ok(&bytes[start..start + len])
    }

    /// Makes sure that `len` bytes are there.
    pub fn fill(&mut self, vm: &Interpreter, len: usize) -> Res<()> {
        match self {
            Source::Memory { bytes, at } => match bytes.len() - *at >= len {
                true => Ok(()),
                false => Err(truncated(vm)),
            },
            Source::File { file, at } => {
                let there = file.ahead.len() - *at;
                if there >= len {
                    return Ok(());
                }
                let wanted = vm.new_int(i64::try_from(len - there).map_err(|_| truncated(vm))?)?;
                let data = vm.call_values(&file.read, &[wanted])?;
                let data = bytes_of(vm, &data, "read")?;
                file.ahead.drain(..*at);
                *at = 0;
                if file.ahead.try_reserve(data.len()).is_err() {
                    return Err(vm.no_memory());
                }
                file.ahead.extend_from_slice(&data);
                if file.ahead.len() < len { Err(truncated(vm)) } else { Ok(()) }
            }
        }
    }

    /// The bytes up to the next newline, which is read as well but left out.
    pub fn line(&mut self, vm: &Interpreter) -> Res<Vec<u8>> {
        let rest = match self {
            Source::Memory { bytes, at } => &bytes[*at..],
            Source::File { file, at } => &file.ahead[*at..],
        };
        if let Some(end) = rest.iter().position(|&b| b == b'\n') {
            let line = vm.copied(&rest[..end])?;
            match self {
                Source::Memory { at, .. } | Source::File { at, .. } => *at += end + 1,
            }
            return Ok(line);
        }
        let Source::File { file, at } = self else { return Err(truncated(vm)) };
        let mut line = file.ahead.split_off(*at);
        file.ahead.clear();
        *at = 0;
        let data = vm.call_values(&file.readline, &[])?;
        line.extend(bytes_of(vm, &data, "readline")?);
        if line.pop() != Some(b'\n') {
            return Err(truncated(vm));
        }
        Ok(line)
    }

    pub fn byte(&mut self, vm: &Interpreter) -> Res<u8> {
        Ok(self.take(vm, 1)?[0])
    }
    pub fn array<const N: usize>(&mut self, vm: &Interpreter) -> Res<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(vm, N)?);
        Ok(array)
    }
    pub fn u16(&mut self, vm: &Interpreter) -> Res<u16> {
        Ok(u16::from_le_bytes(self.array(vm)?))
    }
    pub fn u32(&mut self, vm: &Interpreter) -> Res<u32> {
        Ok(u32::from_le_bytes(self.array(vm)?))
    }
    pub fn i32(&mut self, vm: &Interpreter) -> Res<i32> {
        Ok(i32::from_le_bytes(self.array(vm)?))
    }
    pub fn u64(&mut self, vm: &Interpreter) -> Res<u64> {
        Ok(u64::from_le_bytes(self.array(vm)?))
    }
}

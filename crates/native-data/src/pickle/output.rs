//! Where a pickle is written: to memory, or through a file's `write`. From protocol 4 on opcodes stand in frames, so
//! that a reader can fetch many at once; large objects stand between frames.

use super::opcodes::FRAME;
use pellucid_object::{Interpreter, Res, Value};

/// A frame that has grown this long is closed at the next opcode.
const FRAME_TARGET: usize = 64 * 1024;
/// A shorter one is not worth its header.
const FRAME_LEAST: usize = 4;
/// Bytes of a frame's header.
const HEADER: usize = 9;

pub struct Output {
    bytes: Vec<u8>,
    /// `file.write`; `None`: everything stays in memory.
    write: Option<Value>,
    pub framing: bool,
    frame: Option<usize>,
}

impl Output {
    pub fn new(write: Option<Value>) -> Output {
        Output { bytes: Vec::new(), write, framing: false, frame: None }
    }

    fn open_frame(&mut self) {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.bytes.len());
            self.bytes.extend_from_slice(&[0; HEADER]);
        }
    }

    /// Appends bytes. Errors: `MemoryError`.
    #[inline]
    pub fn put(&mut self, vm: &Interpreter, bytes: &[u8]) -> Res<()> {
        if self.bytes.try_reserve(bytes.len() + HEADER).is_err() {
            return Err(vm.no_memory());
        }
        self.open_frame();
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    pub fn op(&mut self, vm: &Interpreter, op: u8) -> Res<()> {
        self.put(vm, &[op])
    }

    /// Between two objects: closes a frame that is long enough. Errors: what `write` raises.
    #[inline]
    pub fn boundary(&mut self, vm: &Interpreter) -> Res<()> {
        match self.frame {
            Some(start) if self.bytes.len() - start - HEADER >= FRAME_TARGET => {
                self.end_frame();
                self.flush(vm)
            }
            _ => Ok(()),
        }
    }

    pub fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.bytes.len() - start - HEADER;
        if len < FRAME_LEAST {
            self.bytes.drain(start..start + HEADER);
            return;
        }
        self.bytes[start] = FRAME;
        self.bytes[start + 1..start + HEADER].copy_from_slice(&(len as u64).to_le_bytes());
    }

    /// Gives what was written to the file, if there is one. Errors: what `write` raises.
    pub fn flush(&mut self, vm: &Interpreter) -> Res<()> {
        let Some(write) = &self.write else { return Ok(()) };
        if self.bytes.is_empty() {
            return Ok(());
        }
        let data = vm.new_bytes(std::mem::take(&mut self.bytes))?;
        vm.call_values(write, &[data]).map(drop)
    }

    /// Writes a header and what belongs to it, which goes to the file as it is when it is large.
    /// Errors: what `write` raises, `MemoryError`.
    pub fn put_large(
        &mut self,
        vm: &Interpreter,
        header: &[u8],
        data: &[u8],
        object: Option<&Value>,
    ) -> Res<()> {
        if data.len() < FRAME_TARGET {
            self.put(vm, header)?;
            return self.put(vm, data);
        }
        self.end_frame();
        let framing = std::mem::replace(&mut self.framing, false);
        let done = self.put_unframed(vm, header, data, object);
        self.framing = framing;
        done
    }

    fn put_unframed(
        &mut self,
        vm: &Interpreter,
        header: &[u8],
        data: &[u8],
        object: Option<&Value>,
    ) -> Res<()> {
        self.put(vm, header)?;
        let Some(write) = self.write.clone() else { return self.put(vm, data) };
        self.flush(vm)?;
        let object = match object {
            Some(object) => object.clone(),
            None => vm.bytes_from(data)?,
        };
        vm.call_values(&write, &[object]).map(drop)
    }

    /// Everything written, when there is no file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

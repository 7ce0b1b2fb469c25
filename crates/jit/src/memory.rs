//! Memory that holds machine code: written once, then executable and not writable any more.

use memmap2::{Mmap, MmapMut};

/// A piece of machine code.
pub struct CodeMemory {
    map: Mmap,
    len: usize,
}

/// Memory is given by the page.
const PAGE: usize = 4096;

impl CodeMemory {
    /// Copies `code` to where it can run. `None`: the system has no such memory.
    pub fn new(code: &[u8]) -> Option<CodeMemory> {
        let mut map = MmapMut::map_anon(code.len().max(1)).ok()?;
        map[..code.len()].copy_from_slice(code);
        Some(CodeMemory { map: map.make_exec().ok()?, len: code.len() })
    }

    pub fn bytes(&self) -> &[u8] {
        self.map.get(..self.len).unwrap_or_default()
    }

    /// Bytes of memory that it takes.
    pub fn size(&self) -> usize {
        self.len.next_multiple_of(PAGE).max(PAGE)
    }

    /// The code as a function.
    ///
    /// # Safety
    /// It is the code of a function of this type, and the function is not called after `self` is gone.
    pub unsafe fn entry(&self) -> pellucid_interp::hot::Entry {
        // SAFETY: by the contract.
        unsafe { std::mem::transmute::<*const u8, pellucid_interp::hot::Entry>(self.map.as_ptr()) }
    }
}

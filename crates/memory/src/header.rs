//! The sixteen bytes at the start of every block.

use std::cell::Cell;

/// The header of every heap object: reference count, flags, type.
///
/// The allocator uses it too: a free block keeps [`Header::FREE`] in `flags` and the link of its pool's free list in `ty`.
/// That is why a block needs no other bookkeeping, and why whoever owns a block must leave the bits of
/// [`Header::RESERVED`] alone once the block is allocated.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// How many owned references point here. Values from [`Header::IMMORTAL`] upward never change.
    pub refcount: Cell<u32>,
    /// Bits, see the constants. Bits 16 to 29 (`USER_MASK`) belong to the layer above.
    pub flags: Cell<u32>,
    /// The type of the object, a pointer that only the layer above understands.
    pub ty: Cell<*const ()>,
}

impl Header {
    /// The collector may look at this container: it is fully made and its references may be traversed.
    pub const TRACKED: u32 = 1 << 0;
    /// The finaliser (`__del__`) has run; it runs once in the life of an object (PEP 442).
    pub const FINALIZED: u32 = 1 << 1;
    /// The two bits that hold the generation: 0 young, 1 middle, 2 old, 3 frozen (permanent).
    pub const GENERATION_MASK: u32 = 0b11 << Self::GENERATION_SHIFT;
    /// Where the generation bits begin.
    pub const GENERATION_SHIFT: u32 = 2;
    /// The object is a candidate of the collection that is under way.
    pub const COLLECTING: u32 = 1 << 4;
    /// With `COLLECTING`: the object is not in a pool.
    pub const LARGE: u32 = 1 << 5;
    /// Bits that the layer above may use as it likes.
    pub const USER_MASK: u32 = 0x3fff_0000;
    /// The block is not allocated.
    pub const FREE: u32 = 1 << 31;
    /// Bits that only this crate writes.
    pub const RESERVED: u32 = Self::GENERATION_MASK | Self::COLLECTING | Self::LARGE | Self::FREE;
    /// Counts from here upward mean "never freed"; the layer above does not count them.
    pub const IMMORTAL: u32 = 1 << 31;

    /// The generation of a container: 0, 1, 2, or 3 for frozen.
    #[inline]
    pub fn generation(&self) -> u32 {
        (self.flags.get() & Self::GENERATION_MASK) >> Self::GENERATION_SHIFT
    }

    /// Sets the generation bits.
    #[inline]
    pub(crate) fn set_generation(&self, generation: u32) {
        let rest = self.flags.get() & !Self::GENERATION_MASK;
        self.flags.set(rest | ((generation << Self::GENERATION_SHIFT) & Self::GENERATION_MASK));
    }

    /// Tells whether all bits of `mask` are set.
    #[inline]
    pub fn has(&self, mask: u32) -> bool {
        self.flags.get() & mask == mask
    }

    /// Sets the bits of `mask`.
    #[inline]
    pub fn set(&self, mask: u32) {
        self.flags.set(self.flags.get() | mask);
    }

    /// Clears the bits of `mask`.
    #[inline]
    pub fn unset(&self, mask: u32) {
        self.flags.set(self.flags.get() & !mask);
    }
}

// The layout is read by machine code and by every field access of the layers above.
const _: () = assert!(size_of::<Header>() == 16 && align_of::<Header>() == 8);

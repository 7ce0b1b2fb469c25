//! What a heap tells about itself, and its stress modes.

/// Stress modes, for tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stress {
    /// A collection is due after every allocation of a container.
    pub collect_every: bool,
    /// Each block comes from the system, so that tools see uses after free. Takes effect only while the heap is empty.
    pub bypass_pools: bool,
}

/// The pools of one size class.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ClassStats {
    /// Bytes of a block.
    pub block_size: usize,
    /// Whether the blocks are containers.
    pub container: bool,
    /// Pools of the class.
    pub pools: usize,
    /// Allocated blocks.
    pub used_blocks: usize,
    /// Free blocks.
    pub free_blocks: usize,
}

/// The counts of one generation, as `gc.get_stats()` shows them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct GenerationStats {
    /// Collections that ran.
    pub collections: usize,
    /// Objects collected.
    pub collected: usize,
    /// Objects found unreachable and not freed.
    pub uncollectable: usize,
}

/// The state of the allocator.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Arenas held now.
    pub arenas: usize,
    /// Arenas ever taken from the system.
    pub arenas_allocated: usize,
    /// Most arenas held at once.
    pub arenas_peak: usize,
    /// Bytes of an arena.
    pub arena_size: usize,
    /// Bytes of a pool.
    pub pool_size: usize,
    /// Pools in the held arenas that belong to no class now.
    pub free_pools: usize,
    /// One entry per size class and kind that has pools, by size, containers second.
    pub classes: Vec<ClassStats>,
    /// Blocks that came from the system.
    pub large_blocks: usize,
    /// Their bytes.
    pub large_bytes: usize,
    /// Bytes charged for buffers outside of blocks.
    pub charged_bytes: usize,
}

//! Memory of an interpreter: arenas, pools, blocks, the object header, accounting, limits, and the cycle collector.
//!
//! Knows no Python type. Start at [`Heap`], then `header.rs`.

mod cycles;
mod header;
mod heap;

pub use cycles::{CollectStats, CollectorOps};
pub use header::Header;
pub use heap::{ClassStats, GenerationStats, Heap, Stats, Stress};

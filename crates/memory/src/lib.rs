//! Memory of an interpreter: arenas, pools, blocks, the object header, accounting and limits, and the cycle collector.
//!
//! ```text
//!   Heap ── families: (size class, container or not) ── current pool ── free list of blocks
//!     │                                              └─ partial pools
//!     ├─ arenas (1 MiB) ── 64 pools (16 KiB) ── blocks (16 to 512 bytes), each begins with a Header
//!     ├─ large blocks, straight from the system
//!     └─ collector: young and middle pools, thresholds, side table while it runs
//! ```
//!
//! Invariants:
//! - Nothing here knows a Python type; the collector reaches types through [`CollectorOps`] only.
//! - Blocks do not move. A block is used or has [`Header::FREE`]; so every walk over pools sees exactly the used blocks.
//! - Every allocation can fail, those of the collector included. Nothing aborts.
//! - What counts against the limit ([`Heap::used`]) is what was taken from the system for this heap, plus buffers (`meter.rs`).
//! - A heap belongs to one interpreter and is never shared between threads that run at once. Nothing of it is global;
//!   `buffers.rs`, the allocator of Rust's own small pieces, is the process's, and `meter.rs` counts what it gives.
//! - Absent on purpose: link fields in containers, write barriers, roots, moving.
//!
//! Start with `pool.rs` (its head explains blocks and pools), then `heap.rs`, then `cycles.rs` (the collector).

mod arena;
mod buffers;
mod cycles;
mod header;
mod heap;
mod large;
mod meter;
mod pool;
mod schedule;
mod stats;
#[cfg(test)]
mod tests;

pub use buffers::{Buffers, retire_thread};
pub use cycles::{CollectStats, CollectorOps};
pub use header::Header;
pub use heap::{Heap, Observer};
pub use meter::Meter;
pub use stats::{ClassStats, GenerationStats, Stats, Stress};

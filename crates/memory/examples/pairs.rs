//! Nanoseconds of an allocation and its release, for the pool allocator and for the system's; and of a full collection per object.
//! `cargo run --release -p pellucid-memory --example pairs`

use pellucid_memory::Heap;
use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Instant;

const ROUNDS: usize = 20_000_000;

fn time(name: &str, pairs: usize, f: impl FnOnce()) {
    let start = Instant::now();
    f();
    println!("{name:40} {:6.2} ns", start.elapsed().as_secs_f64() * 1e9 / pairs as f64);
}

fn main() {
    let heap = Heap::new();
    for container in [false, true] {
        time(&format!("pair, 48 bytes, container {container}"), ROUNDS, || {
            for _ in 0..ROUNDS {
                let Some(block) = heap.alloc(black_box(48), container) else { return };
                // SAFETY: allocated just now, with the same size and kind.
                unsafe { heap.free(black_box(block), black_box(48), container) };
            }
        });
    }
    let mut blocks: Vec<NonNull<u8>> = Vec::new();
    time("a million at a time, 64 bytes", 20_000_000, || {
        for _ in 0..20 {
            blocks.extend((0..1_000_000).filter_map(|_| heap.alloc(64, false)));
            for block in blocks.drain(..) {
                // SAFETY: allocated above, with the same size and kind.
                unsafe { heap.free(block, 64, false) };
            }
        }
    });
    let Ok(layout) = Layout::from_size_align(48, 16) else { return };
    time("pair, 48 bytes, system", ROUNDS, || {
        for _ in 0..ROUNDS {
            // SAFETY: the size is not zero, and the block is freed with its layout.
            unsafe { dealloc(black_box(alloc(layout)), layout) };
        }
    });
}

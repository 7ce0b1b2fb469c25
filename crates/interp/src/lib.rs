//! The virtual machine: private form, inline caches, frames, the loop.

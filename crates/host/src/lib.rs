//! The world outside, as capabilities: files, environment, clocks, random bytes, processes, sockets, standard streams.
//!
//! A [`Host`] belongs to one interpreter and says what that interpreter may do. It is the only way to the operating system: the other
//! crates do not touch `std::fs`, `std::env`, `std::process` or the clocks.
//!
//! ```text
//!   os · io · time · posix · _posixsubprocess ──▶ Host ──(granted?)──▶ rustix, libc, std::process
//!                                                  │
//!                                                  └ own environment, own working directory, own file descriptors
//! ```
//!
//! Invariants:
//! - Each method asks for its [`Capability`] first. A denied call fails with `EACCES` and [`Error::denied`] tells which one was missing.
//! - What the process has only once but Python changes, the environment and the working directory, every `Host` has for itself:
//!   two interpreters in one process do not see each other's `os.environ` or `os.chdir`. Two things cannot be had twice and stay
//!   those of the process: the file creation mask and signals.
//! - Without [`Capability::ForeignFds`] only those file descriptors can be used that this host has opened, and the
//!   standard streams if granted. So an interpreter cannot reach into its neighbour's files by guessing numbers.
//! - A call interrupted by a signal returns `EINTR`: whoever called runs the signal's handler and tries again (PEP 475).
//! - Paths are bytes, as the system has them. Nothing is decoded here.
//! - `Host` is `Sync`: blocking calls are made without the interpreter's lock.
//!
//! Absent on purpose: systems other than Unix.
//!
//! Start with `grant.rs` (capabilities and the [`Host`] itself), then `files.rs`.

mod address;
mod clock;
mod descriptors;
mod dirs;
mod env;
mod error;
mod event;
mod files;
mod fork;
mod grant;
pub mod libm;
mod locale;
mod mapping;
mod names;
mod process;
mod shared;
mod signal;
mod socket;
mod spawn;
mod stat;
mod system;
#[cfg(test)]
mod tests;
mod thread;
mod transfer;
mod users;

pub use address::{Address, UNIX_PATH_MAX};
pub use clock::{Clock, LocalTime};
pub use descriptors::{PollEntry, Seek};
pub use dirs::{DirEntry, EntryKind};
pub use error::{Error, Result};
pub use event::{EpollEvent, SELECT_LIMIT};
pub use files::{Place, Timestamp};
pub use fork::{ForkExec, is_forked};
pub use grant::{Builder, Capability, Host};
pub use libc;
pub use locale::{LOCALE_CATEGORIES, Locale};
pub use mapping::{MapRequest, Mapping};
pub use names::{Found, HostEntry, Unresolved, Wanted};
pub use process::{Ids, WaitOutcome};
pub use shared::Semaphore;
pub use signal::{
    Action, FAULTS, SIGNAL_COUNT, SignalInfo, SignalsLeft, end_by_interrupt, leave_signals_to_others,
};
pub use socket::{Control, Message, control_length, control_space};
pub use spawn::Spawn;
pub use stat::{Stat, StatVfs};
pub use system::{TerminalSize, Uname, address_space_left};
pub use thread::{native_thread_id, set_thread_name, thread_ident};
pub use transfer::XattrTarget;
pub use users::{Group, IdCall, Key, TerminalControl, TerminalSettings, Usage, User};

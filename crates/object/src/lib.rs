//! The object model: the value word, heap objects, types and slots, shapes, the storage of the core builtin types,
//! the call protocol, exceptions, and the [`Interpreter`] that owns all of it.
//!
//! Start reading at [`value`] (the word), [`heap`] (objects), [`class`] (types and slots), [`native`] (how Rust
//! functions become Python functions) and [`interpreter`] (the state, and the hooks for what lies above).
//!
//! Invariants
//! - An `Err(Raised)` means that the exception stands in the interpreter ([`Interpreter::take_raised`]).
//! - No borrow of an object's storage is held across anything that can run Python code; dropping a `Value` can.
//! - The context `&Interpreter` comes first; what was read from an object is read again after such a call.
//! - Absent on purpose: the compiler, the loop, methods of builtin types. They install themselves as [`Hooks`].

mod address_cache;
pub mod args;
pub mod array;
pub mod attrs;
pub mod buffer;
pub mod bytes;
pub mod class;
pub mod class_change;
pub mod class_new;
pub mod collect;
pub mod complex;
pub mod dict;
pub mod exception;
pub mod float;
pub mod gil;
pub mod heap;
pub mod instances;
pub mod int;
pub mod interpreter;
pub mod layout;
pub mod list;
pub mod native;
pub mod os;
pub mod protocol;
pub mod range;
pub mod set;
pub mod slots;
pub mod str;
pub mod text;
pub mod tuple;
pub mod value;
pub mod weakref;
pub mod words;

pub use args::{Args, CallArgs};
pub use buffer::{Buffer, BytesLike, BytesRef};
pub use bytes::{ByteArray, Bytes};
pub use class::{Type, TypeDef, TypeFlags};
pub use dict::{Dict, DictCursor};
pub use exception::Exception;
pub use heap::{Payload, PayloadInfo, Ref, SlotWord, Visitor, payload};
pub use interpreter::{CompileRequest, Hooks, Interpreter};
pub use list::{List, ListIterator};
pub use native::{FunctionDef, GetSetDef, ModuleDef, NativeFn, constant};
pub use pellucid_host as host;
pub use protocol::{BinOp, CmpOp, UnOp};
pub use range::RangeIterator;
pub use set::Set;
pub use slots::Slot;
pub use str::Str;
pub use text::{Text, TextBuilder};
pub use tuple::{Tuple, TupleIterator};
pub use value::Value;

/// The mark of a raised exception, which stands in the [`Interpreter`]. Zero bytes: a `Res` is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Raised(pub(crate) ());

/// What everything that can raise returns.
pub type Res<T = Value> = Result<T, Raised>;
const _: () = assert!(size_of::<Res>() == 8);

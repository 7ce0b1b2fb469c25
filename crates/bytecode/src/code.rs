//! A code object as plain data: what the compiler makes and the interpreter reads.

use dashu_int::IBig;
use std::fmt;
use std::rc::Rc;

/// Text as WTF-8: UTF-8 that may also hold surrogates on their own, as Python's strings do.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Wtf8(pub Box<[u8]>);

impl Wtf8 {
    /// The text of bytes, if they are UTF-8 but for surrogates, which may stand alone or in pairs.
    pub fn from_bytes(bytes: &[u8]) -> Option<Wtf8> {
        let mut rest = bytes;
        while let Err(error) = std::str::from_utf8(rest) {
            rest = match rest.get(error.valid_up_to()..)? {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..] => rest,
                _ => return None,
            };
        }
        Some(Wtf8(bytes.into()))
    }

    /// The text, surrogates shown as replacement characters.
    pub fn to_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<&str> for Wtf8 {
    fn from(text: &str) -> Wtf8 {
        Wtf8(text.as_bytes().into())
    }
}

impl fmt::Debug for Wtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_lossy(), f)
    }
}

/// The text of names and string constants.
pub type Str = Wtf8;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// `None`.
    None,
    /// `True`.
    True,
    /// `False`.
    False,
    /// `...`.
    Ellipsis,
    /// An int of 64 bits.
    Int(i64),
    /// An int beyond 64 bits.
    BigInt(IBig),
    /// A float.
    Float(f64),
    /// A complex: real and imaginary part.
    Complex(f64, f64),
    /// A str.
    Str(Wtf8),
    /// A bytes.
    Bytes(Box<[u8]>),
    /// A tuple.
    Tuple(Box<[Const]>),
    /// A frozenset.
    FrozenSet(Box<[Const]>),
    /// A slice: start, stop and step.
    Slice(Box<[Const; 3]>),
    /// The code of a function, class body or comprehension.
    Code(Rc<Code>),
}

/// The bits of [`Code::flags`].
pub mod flags {
    /// Locals are in slots.
    pub const OPTIMIZED: u32 = 0x1;
    /// A call makes new locals.
    pub const NEWLOCALS: u32 = 0x2;
    /// Takes `*args`.
    pub const VARARGS: u32 = 0x4;
    /// Takes `**kwargs`.
    pub const VARKEYWORDS: u32 = 0x8;
    /// Is inside another function.
    pub const NESTED: u32 = 0x10;
    /// A call makes a generator.
    pub const GENERATOR: u32 = 0x20;
    /// Has neither cell nor free variables.
    pub const NOFREE: u32 = 0x40;
    /// A call makes a coroutine.
    pub const COROUTINE: u32 = 0x80;
    /// The generator can be awaited.
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    /// A call makes an asynchronous generator.
    pub const ASYNC_GENERATOR: u32 = 0x200;
    /// `from __future__ import annotations` is in force.
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
}

/// A code object: each field is the `co_` attribute of its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// Parameters that can be given by position.
    pub argcount: u32,
    /// Those of them that only can be given by position.
    pub posonlyargcount: u32,
    /// Parameters that only can be given by keyword.
    pub kwonlyargcount: u32,
    /// The most values on the stack at once.
    pub stacksize: u32,
    /// See [`flags`].
    pub flags: u32,
    /// The instructions.
    pub code: Box<[u8]>,
    /// The constants.
    pub consts: Box<[Const]>,
    /// Names of globals, attributes and modules.
    pub names: Box<[Wtf8]>,
    /// Local variables, parameters first.
    pub varnames: Box<[Wtf8]>,
    /// Variables of enclosing functions.
    pub freevars: Box<[Wtf8]>,
    /// Local variables that inner functions use.
    pub cellvars: Box<[Wtf8]>,
    /// The file the source came from.
    pub filename: Wtf8,
    /// The function's name.
    pub name: Wtf8,
    /// The name with those of the scopes around it.
    pub qualname: Wtf8,
    /// The line of the first instruction, or of the first decorator.
    pub firstlineno: u32,
    /// Lines by instruction: see [`crate::lines`].
    pub linetable: Box<[u8]>,
    /// Lines and columns by instruction: see [`crate::positions`]. May be empty.
    pub positions: Box<[u8]>,
}

impl Default for Code {
    fn default() -> Code {
        Code {
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize: 0,
            flags: 0,
            code: Box::default(),
            consts: Box::default(),
            names: Box::default(),
            varnames: Box::default(),
            freevars: Box::default(),
            cellvars: Box::default(),
            filename: "".into(),
            name: "".into(),
            qualname: "".into(),
            firstlineno: 1,
            linetable: Box::default(),
            positions: Box::default(),
        }
    }
}

impl Code {
    /// How many local variables there are: `co_nlocals`.
    pub fn nlocals(&self) -> usize {
        self.varnames.len()
    }

    /// The name behind the argument of a cell opcode.
    pub fn cell_name(&self, arg: u32) -> Option<&Wtf8> {
        self.cellvars.iter().chain(&self.freevars).nth(arg as usize)
    }
}

//! What the digest modules (`_md5`, `_sha1`, `_sha2`, `_sha3`, `_blake2`) share: an object that takes bytes.

use pellucid_object::{
    Args, BytesLike, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Str, TypeDef, TypeFlags,
    Value, payload,
};
use std::cell::RefCell;

/// An algorithm that has taken some bytes.
pub trait Algorithm {
    fn update(&mut self, bytes: &[u8]);
    /// The digest of what was taken so far; `len` bytes of it, for those that give any number.
    fn digest(&self, len: usize) -> Vec<u8>;
    fn copy(&self) -> Box<dyn Algorithm>;
}

/// What an object says of its algorithm.
pub struct Info {
    pub name: &'static str,
    pub digest_size: usize,
    pub block_size: usize,
}

/// Payload of digest objects.
pub struct Digest {
    state: RefCell<Box<dyn Algorithm>>,
    pub info: Info,
}

impl Payload for Digest {
    const CONTAINER: bool = false;
}

fn digest<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Digest> {
    value.downcast::<Digest>().ok_or_else(|| vm.bug("no digest"))
}

pub fn new(vm: &Interpreter, def: &'static TypeDef, info: Info, state: Box<dyn Algorithm>) -> Res {
    vm.alloc(&vm.type_for(def)?, Digest { state: RefCell::new(state), info })
}

/// Data to be taken. Errors: `TypeError`.
pub fn data(vm: &Interpreter, value: &Value) -> Res<BytesLike> {
    if value.downcast::<Str>().is_some() {
        return Err(vm.type_error("Strings must be encoded before hashing".to_string()));
    }
    if !vm.has_buffer(value) {
        return Err(vm.type_error("object supporting the buffer API required".to_string()));
    }
    let like = vm.bytes_like(value)?;
    if like.ndim() > 1 {
        return Err(vm.buffer_error("Buffer must be single dimension".to_string()));
    }
    Ok(like)
}

/// The data argument of a constructor: `data`, or its old name `string`.
pub fn initial(vm: &Interpreter, args: &Args, name: &str, string: usize) -> Res<Option<BytesLike>> {
    let value = match (args.get(0), args.get(string)) {
        (Some(_), Some(_)) => {
            let what = "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version.";
            let _ = name;
            return Err(vm.type_error(what.to_string()));
        }
        (data, string) => data.or(string),
    };
    value.map(|value| data(vm, value)).transpose()
}

fn update(vm: &Interpreter, this: &Value, value: &Value) -> Res {
    let data = data(vm, value)?;
    digest(vm, this)?.state.borrow_mut().update(&data.bytes());
    Ok(Value::NONE)
}

fn finished(vm: &Interpreter, this: &Value) -> Res<Vec<u8>> {
    let digest = digest(vm, this)?;
    Ok(digest.state.borrow().digest(digest.info.digest_size))
}

/// Bytes as lower-case hexadecimal digits.
fn hex(vm: &Interpreter, bytes: &[u8]) -> Res {
    let digits = pellucid_types::bytes::hex_text(vm, bytes, None, 1)?;
    vm.made_text(pellucid_object::Text::from_latin1(&digits))
}

fn copy(vm: &Interpreter, this: &Value) -> Res {
    let digest = digest(vm, this)?;
    let info = Info { ..digest.info };
    let state = digest.state.borrow().copy();
    let ty = vm.type_of(this);
    vm.alloc_subclass(ty.value(), Digest { state: RefCell::new(state), info })
}

/// The length that `shake` digests are asked for.
fn wanted(vm: &Interpreter, args: &Args) -> Res<usize> {
    let len = args.int(vm, 1)?;
    match usize::try_from(len) {
        Ok(len) if len < 1 << 29 => Ok(len),
        Ok(_) => Err(vm.value_error("length is too large".to_string())),
        Err(_) => Err(vm.value_error("value must be positive".to_string())),
    }
}

fn shake(vm: &Interpreter, args: &Args) -> Res<Vec<u8>> {
    let len = wanted(vm, args)?;
    Ok(digest(vm, args.req(0))?.state.borrow().digest(len))
}

#[rustfmt::skip]
const METHODS: &[FunctionDef] = &[
    FunctionDef::new("update", "($self, obj, /)", "Update this hash object's state with the provided string.", NativeFn::F2(update)),
    FunctionDef::new("digest", "($self, /)", "Return the digest value as a bytes object.", NativeFn::F1(|vm, this| vm.new_bytes(finished(vm, this)?))),
    FunctionDef::new("hexdigest", "($self, /)", "Return the digest value as a string of hexadecimal digits.", NativeFn::F1(|vm, this| hex(vm, &finished(vm, this)?))),
    FunctionDef::new("copy", "($self, /)", "Return a copy of the hash object.", NativeFn::F1(copy)),
];

#[rustfmt::skip]
const SHAKE_METHODS: &[FunctionDef] = &[
    FunctionDef::new("update", "($self, obj, /)", "Update this hash object's state with the provided string.", NativeFn::F2(update)),
    FunctionDef::new("digest", "($self, length, /)", "Return the digest value as a bytes object.", NativeFn::Args(|vm, args| vm.new_bytes(shake(vm, args)?))),
    FunctionDef::new("hexdigest", "($self, length, /)", "Return the digest value as a string of hexadecimal digits.", NativeFn::Args(|vm, args| hex(vm, &shake(vm, args)?))),
    FunctionDef::new("copy", "($self, /)", "Return a copy of the hash object.", NativeFn::F1(copy)),
];

pub const GETSET: &[GetSetDef] = &[
    GetSetDef { name: "name", doc: "", get: |vm, this| vm.new_str(digest(vm, this)?.info.name), set: None },
    GetSetDef {
        name: "digest_size",
        doc: "",
        get: |vm, this| vm.new_int(digest(vm, this)?.info.digest_size as i64),
        set: None,
    },
    GetSetDef {
        name: "block_size",
        doc: "",
        get: |vm, this| vm.new_int(digest(vm, this)?.info.block_size as i64),
        set: None,
    },
];

/// A type of digests; those made by functions of their modules cannot be made by calling the type.
pub const fn def(name: &'static str, module: &'static str, is_shake: bool) -> TypeDef {
    TypeDef {
        name,
        module,
        base: None,
        payload: payload::<Digest>(),
        flags: TypeFlags::NO_NEW,
        doc: "",
        slots: &[],
        methods: if is_shake { SHAKE_METHODS } else { METHODS },
        getset: GETSET,
    }
}

/// An algorithm of RustCrypto.
#[derive(Clone)]
pub struct Fixed<D>(pub D);

impl<D: ::sha2::digest::Digest + Clone + 'static> Algorithm for Fixed<D> {
    fn update(&mut self, bytes: &[u8]) {
        ::sha2::digest::Digest::update(&mut self.0, bytes);
    }
    fn digest(&self, _: usize) -> Vec<u8> {
        self.0.clone().finalize().to_vec()
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(Fixed(self.0.clone()))
    }
}

/// Defines the type and the function of one algorithm of fixed size.
macro_rules! fixed {
    ($def:ident, $function:ident, $type_name:literal, $module:literal, $name:literal, $algorithm:ty, $size:literal, $block:literal) => {
        pub static $def: TypeDef = $crate::digest::def($type_name, $module, false);

        fn $function(vm: &Interpreter, args: &Args) -> Res {
            let data = $crate::digest::initial(vm, args, $name, 2)?;
            let mut state = $crate::digest::Fixed(<$algorithm>::default());
            if let Some(data) = data {
                $crate::digest::Algorithm::update(&mut state, &data.bytes());
            }
            let info = $crate::digest::Info { name: $name, digest_size: $size, block_size: $block };
            $crate::digest::new(vm, &$def, info, Box::new(state))
        }
    };
}
pub(crate) use fixed;

/// What the functions that make digests take.
pub const SIGNATURE: &str = "($module, /, data=b'', *, usedforsecurity=True, string=None)";

//! `_sha3`: SHA-3 and SHAKE.

use crate::digest::{self, Algorithm, Digest, Info};
use ::sha3::digest::{ExtendableOutput, Update, XofReader};
use pellucid_object::{
    CallArgs, GetSetDef, Interpreter, ModuleDef, Res, Slot, TypeDef, TypeFlags, Value, constant,
};

/// SHA-3, which gives so many bytes.
struct Fixed<D>(D);

impl<D: ::sha3::digest::Digest + Clone + 'static> Algorithm for Fixed<D> {
    fn update(&mut self, bytes: &[u8]) {
        ::sha3::digest::Digest::update(&mut self.0, bytes);
    }
    fn digest(&self, _: usize) -> Vec<u8> {
        self.0.clone().finalize().to_vec()
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(Fixed(self.0.clone()))
    }
}

/// SHAKE, which gives any number of bytes.
struct Shake<D>(D);

impl<D: Update + ExtendableOutput + Clone + 'static> Algorithm for Shake<D> {
    fn update(&mut self, bytes: &[u8]) {
        Update::update(&mut self.0, bytes);
    }
    fn digest(&self, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        self.0.clone().finalize_xof().read(&mut out);
        out
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(Shake(self.0.clone()))
    }
}

fn make(
    vm: &Interpreter,
    def: &'static TypeDef,
    info: Info,
    mut state: Box<dyn Algorithm>,
    call: &CallArgs,
) -> Res {
    // The parameter after `data` is only known by its name.
    let [data, _, string] =
        pellucid_types::seq::bind(vm, info.name, ["data", "usedforsecurity", "string"], call)?;
    if call.positional().len() > 1 {
        let (name, given) = (info.name, call.positional().len());
        return Err(vm.type_error(format!("{name}() takes at most 1 positional argument ({given} given)")));
    }
    if let Some(value) = data.or(string) {
        let data = digest::data(vm, &value)?;
        state.update(&data.bytes());
    }
    digest::new(vm, def, info, state)
}

fn rate(vm: &Interpreter, this: &Value) -> Res<i64> {
    match this.downcast::<Digest>() {
        Some(digest) => Ok(digest.info.block_size as i64 * 8),
        None => Err(vm.bug("no digest")),
    }
}

macro_rules! own_getset {
    ($suffix:literal) => {
        &[
            digest_field!("name", |vm, d| vm.new_str(d.info.name)),
            digest_field!("digest_size", |vm, d| vm.new_int(d.info.digest_size as i64)),
            digest_field!("block_size", |vm, d| vm.new_int(d.info.block_size as i64)),
            GetSetDef { name: "_rate_bits", doc: "", get: |vm, this| vm.new_int(rate(vm, this)?), set: None },
            GetSetDef {
                name: "_capacity_bits",
                doc: "",
                get: |vm, this| vm.new_int(1600 - rate(vm, this)?),
                set: None,
            },
            GetSetDef { name: "_suffix", doc: "", get: |vm, _| vm.new_bytes(vec![$suffix]), set: None },
        ]
    };
}
macro_rules! digest_field {
    ($name:literal, $get:expr) => {
        GetSetDef {
            name: $name,
            doc: "",
            get: |vm, this| {
                let get: fn(&Interpreter, &Digest) -> Res = $get;
                match this.downcast::<Digest>() {
                    Some(digest) => get(vm, digest),
                    None => Err(vm.bug("no digest")),
                }
            },
            set: None,
        }
    };
}

macro_rules! algorithm {
    ($def:ident, $name:literal, $wrap:ident, $algorithm:ty, $size:literal, $block:literal, $shake:literal, $suffix:literal) => {
        pub static $def: TypeDef = TypeDef {
            slots: &[Slot::New(|vm, _, call| {
                let info = Info { name: $name, digest_size: $size, block_size: $block };
                make(vm, &$def, info, Box::new($wrap(<$algorithm>::default())), call)
            })],
            flags: TypeFlags::NONE,
            getset: own_getset!($suffix),
            ..digest::def($name, "_sha3", $shake)
        };
    };
}

algorithm!(SHA3_224, "sha3_224", Fixed, ::sha3::Sha3_224, 28, 144, false, 6);
algorithm!(SHA3_256, "sha3_256", Fixed, ::sha3::Sha3_256, 32, 136, false, 6);
algorithm!(SHA3_384, "sha3_384", Fixed, ::sha3::Sha3_384, 48, 104, false, 6);
algorithm!(SHA3_512, "sha3_512", Fixed, ::sha3::Sha3_512, 64, 72, false, 6);
algorithm!(SHAKE_128, "shake_128", Shake, ::sha3::Shake128, 0, 168, true, 0x1f);
algorithm!(SHAKE_256, "shake_256", Shake, ::sha3::Shake256, 0, 136, true, 0x1f);

pub static MODULE: ModuleDef = ModuleDef {
    name: "_sha3",
    doc: "",
    functions: &[],
    types: &[&SHA3_224, &SHA3_256, &SHA3_384, &SHA3_512, &SHAKE_128, &SHAKE_256],
    constants: &[constant("implementation", |vm| vm.new_str("RustCrypto"))],
    init: None,
};

//! `_blake2`: BLAKE2b and BLAKE2s (RFC 7693) with all parameters of the tree mode.

use crate::digest::{self, Algorithm, Info};
use pellucid_object::{CallArgs, Interpreter, ModuleDef, Res, Slot, TypeDef, TypeFlags, Value, constant};

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// One of the two functions: words of one width.
macro_rules! function {
    ($name:ident, $word:ty, $count:ty, $bytes:literal, $rounds:literal, $rotations:expr, $iv:expr) => {
        #[derive(Clone)]
        struct $name {
            h: [$word; 8],
            /// Bytes that were compressed.
            count: $count,
            block: Vec<u8>,
            last_node: bool,
        }

        impl $name {
            const BLOCK: usize = 16 * $bytes;
            const IV: [$word; 8] = $iv;

            fn new(parameters: &[u8], last_node: bool) -> $name {
                let mut h = Self::IV;
                for (word, bytes) in h.iter_mut().zip(parameters.chunks($bytes)) {
                    let mut array = [0; $bytes];
                    array[..bytes.len()].copy_from_slice(bytes);
                    *word ^= <$word>::from_le_bytes(array);
                }
                $name { h, count: 0, block: Vec::with_capacity(Self::BLOCK), last_node }
            }

            fn compress(&mut self, last: bool) {
                let mut m: [$word; 16] = [0; 16];
                for (word, bytes) in m.iter_mut().zip(self.block.chunks($bytes)) {
                    let mut array = [0; $bytes];
                    array[..bytes.len()].copy_from_slice(bytes);
                    *word = <$word>::from_le_bytes(array);
                }
                let mut v: [$word; 16] = [0; 16];
                v[..8].copy_from_slice(&self.h);
                v[8..].copy_from_slice(&Self::IV);
                v[12] ^= self.count as $word;
                v[13] ^= (self.count >> <$word>::BITS) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                const R: [u32; 4] = $rotations;
                let mut mix = |a: usize, b: usize, c: usize, d: usize, x: $word, y: $word| {
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                    v[d] = (v[d] ^ v[a]).rotate_right(R[0]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(R[1]);
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                    v[d] = (v[d] ^ v[a]).rotate_right(R[2]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(R[3]);
                };
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
                    mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
                    mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
                    mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
                    mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
                    mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
                    mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
                    mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
                }
                for (i, word) in self.h.iter_mut().enumerate() {
                    *word ^= v[i] ^ v[i + 8];
                }
            }
        }

        impl Algorithm for $name {
            fn update(&mut self, mut bytes: &[u8]) {
                while !bytes.is_empty() {
                    // The last block is kept: it is compressed in another way.
                    if self.block.len() == Self::BLOCK {
                        self.count += Self::BLOCK as $count;
                        self.compress(false);
                        self.block.clear();
                    }
                    let (now, later) = bytes.split_at(bytes.len().min(Self::BLOCK - self.block.len()));
                    self.block.extend_from_slice(now);
                    bytes = later;
                }
            }
            fn digest(&self, len: usize) -> Vec<u8> {
                let mut end = self.clone();
                end.count += end.block.len() as $count;
                end.block.resize(Self::BLOCK, 0);
                end.compress(true);
                let mut out: Vec<u8> = end.h.iter().flat_map(|word| word.to_le_bytes()).collect();
                out.truncate(len);
                out
            }
            fn copy(&self) -> Box<dyn Algorithm> {
                Box::new(self.clone())
            }
        }
    };
}

function!(
    Blake2b,
    u64,
    u128,
    8,
    12,
    [32, 24, 16, 63],
    [
        0x6a09e667f3bcc908,
        0xbb67ae8584caa73b,
        0x3c6ef372fe94f82b,
        0xa54ff53a5f1d36f1,
        0x510e527fade682d1,
        0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b,
        0x5be0cd19137e2179,
    ]
);
function!(
    Blake2s,
    u32,
    u64,
    4,
    10,
    [16, 12, 8, 7],
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,]
);

/// The sizes of one of the two functions.
struct Limits {
    name: &'static str,
    digest: usize,
    key: usize,
    salt: usize,
    block: usize,
    /// Bits of `node_offset`.
    offset_bits: u32,
}

const B: Limits = Limits { name: "blake2b", digest: 64, key: 64, salt: 16, block: 128, offset_bits: 64 };
const S: Limits = Limits { name: "blake2s", digest: 32, key: 32, salt: 8, block: 64, offset_bits: 48 };

const PARAMETERS: [&str; 14] = [
    "data",
    "digest_size",
    "key",
    "salt",
    "person",
    "fanout",
    "depth",
    "leaf_size",
    "node_offset",
    "node_depth",
    "inner_size",
    "last_node",
    "usedforsecurity",
    "string",
];

fn make(vm: &Interpreter, def: &'static TypeDef, limits: &Limits, call: &CallArgs) -> Res {
    let given = call.positional().len();
    if given > 1 {
        let name = limits.name;
        return Err(vm.type_error(format!("{name}() takes at most 1 positional argument ({given} given)")));
    }
    let bound = pellucid_types::seq::bind(vm, limits.name, PARAMETERS, call)?;
    let refuse = |message: String| Err(vm.value_error(message));
    let small = |index: usize, default: i64, least: i64, most: i64, what: &str| -> Res<u8> {
        let value = bound[index].as_ref().map_or(Ok(default), |v| vm.expect_i64(v))?;
        match u8::try_from(value) {
            Ok(small) if (least..=most).contains(&value) => Ok(small),
            _ => Err(vm.value_error(what.to_string())),
        }
    };
    // Not negative, however large.
    let large = |index: usize| -> Res<u64> {
        let Some(value) = &bound[index] else { return Ok(0) };
        let index = vm.index(value)?;
        let big = index.as_int().map(|i| i.to_big()).unwrap_or_default();
        if big < pellucid_object::int::IBig::from(0) {
            return Err(vm.value_error("value must be positive".to_string()));
        }
        u64::try_from(&big).map_err(|_| vm.overflow_error("int too big to convert".to_string()))
    };
    let text = |index: usize, most: usize, what: &str| -> Res<Vec<u8>> {
        let Some(value) = &bound[index] else { return Ok(Vec::new()) };
        let bytes = vm.copied(&vm.bytes_like(value)?.bytes())?;
        if bytes.len() > most {
            return Err(vm.value_error(format!("maximum {what} length is {most} bytes")));
        }
        Ok(bytes)
    };
    let most = limits.digest;
    let what = format!("digest_size must be between 1 and {most} bytes");
    let digest_size = small(1, most as i64, 1, most as i64, &what)?;
    let salt = text(3, limits.salt, "salt")?;
    let person = text(4, limits.salt, "person")?;
    let fanout = small(5, 1, 0, 255, "fanout must be between 0 and 255")?;
    let depth = small(6, 1, 1, 255, "depth must be between 1 and 255")?;
    let Ok(leaf_size) = u32::try_from(large(7)?) else {
        return Err(vm.overflow_error("leaf_size is too large".to_string()));
    };
    let node_offset = large(8)?;
    if limits.offset_bits < 64 && node_offset >> limits.offset_bits != 0 {
        return Err(vm.overflow_error("node_offset is too large".to_string()));
    }
    let node_depth = small(9, 0, 0, 255, "node_depth must be between 0 and 255")?;
    let what = format!("inner_size must be between 0 and is {most}");
    let inner_size = small(10, 0, 0, most as i64, &what)?;
    let last_node = bound[11].as_ref().map_or(Ok(false), |v| vm.truthy(v))?;
    let key = text(2, limits.key, "key")?;
    if bound[0].is_some() && bound[13].is_some() {
        return refuse("'data' and 'string' are mutually exclusive".to_string());
    }
    let mut parameters = vec![digest_size, key.len() as u8, fanout, depth];
    parameters.extend(leaf_size.to_le_bytes());
    parameters.extend(&node_offset.to_le_bytes()[..limits.offset_bits as usize / 8]);
    parameters.extend([node_depth, inner_size]);
    // Salt and person stand at the end; what is between is reserved.
    parameters.resize(limits.digest - 2 * limits.salt, 0);
    for part in [salt, person] {
        let start = parameters.len();
        parameters.extend(part);
        parameters.resize(start + limits.salt, 0);
    }
    let mut state: Box<dyn Algorithm> = match limits.digest {
        64 => Box::new(Blake2b::new(&parameters, last_node)),
        _ => Box::new(Blake2s::new(&parameters, last_node)),
    };
    if !key.is_empty() {
        let mut block = key;
        block.resize(limits.block, 0);
        state.update(&block);
    }
    if let Some(value) = bound[0].as_ref().or(bound[13].as_ref()) {
        let data = digest::data(vm, value)?;
        state.update(&data.bytes());
    }
    let info = Info { name: limits.name, digest_size: usize::from(digest_size), block_size: limits.block };
    digest::new(vm, def, info, state)
}

static BLAKE2B: TypeDef = TypeDef {
    slots: &[Slot::New(|vm, _, call| make(vm, &BLAKE2B, &B, call))],
    flags: TypeFlags::NONE,
    ..digest::def("blake2b", "_blake2", false)
};
static BLAKE2S: TypeDef = TypeDef {
    slots: &[Slot::New(|vm, _, call| make(vm, &BLAKE2S, &S, call))],
    flags: TypeFlags::NONE,
    ..digest::def("blake2s", "_blake2", false)
};

/// The sizes as attributes of the types, which nobody may change later.
fn init(vm: &Interpreter, _: &Value) -> Res<()> {
    for (def, limits) in [(&BLAKE2B, &B), (&BLAKE2S, &S)] {
        let ty = vm.type_for(def)?;
        let Some(namespace) = ty.namespace() else { return Err(vm.bug("type without a dict")) };
        for (name, size) in [
            ("SALT_SIZE", limits.salt),
            ("PERSON_SIZE", limits.salt),
            ("MAX_KEY_SIZE", limits.key),
            ("MAX_DIGEST_SIZE", limits.digest),
        ] {
            namespace.set(vm, vm.intern(name)?, vm.new_int(size as i64)?)?;
        }
        ty.modified();
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_blake2",
    doc: "_blake2b provides BLAKE2b for hashlib\n",
    functions: &[],
    types: &[&BLAKE2B, &BLAKE2S],
    constants: &[
        constant("BLAKE2B_SALT_SIZE", |vm| vm.new_int(B.salt as i64)),
        constant("BLAKE2B_PERSON_SIZE", |vm| vm.new_int(B.salt as i64)),
        constant("BLAKE2B_MAX_KEY_SIZE", |vm| vm.new_int(B.key as i64)),
        constant("BLAKE2B_MAX_DIGEST_SIZE", |vm| vm.new_int(B.digest as i64)),
        constant("BLAKE2S_SALT_SIZE", |vm| vm.new_int(S.salt as i64)),
        constant("BLAKE2S_PERSON_SIZE", |vm| vm.new_int(S.salt as i64)),
        constant("BLAKE2S_MAX_KEY_SIZE", |vm| vm.new_int(S.key as i64)),
        constant("BLAKE2S_MAX_DIGEST_SIZE", |vm| vm.new_int(S.digest as i64)),
    ],
    init: Some(init),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_abc() {
        let mut b = Blake2b::new(&[64, 0, 1, 1], false);
        b.update(b"abc");
        assert_eq!(b.digest(64)[..4], [0xba, 0x80, 0xa5, 0x3f]);
        let mut s = Blake2s::new(&[32, 0, 1, 1], false);
        s.update(b"abc");
        assert_eq!(s.digest(32)[..4], [0x50, 0x8c, 0x5e, 0x8c]);
    }
}

//! `zlib`: compression of streams. Copies of a stream under way are absent: the library underneath has none.

use crate::ModuleError;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    TypeDef, TypeFlags, Value, constant, payload,
};
use std::cell::{Cell, RefCell};

const MAX_WBITS: i64 = 15;
const DEFAULT_LEVEL: i64 = -1;
const DEFLATED: i64 = 8;
const BUFFER: usize = 16 * 1024;

const Z_NO_FLUSH: i64 = 0;
const Z_PARTIAL_FLUSH: i64 = 1;
const Z_SYNC_FLUSH: i64 = 2;
const Z_FULL_FLUSH: i64 = 3;
const Z_FINISH: i64 = 4;
const Z_BLOCK: i64 = 5;

/// The exception class of this interpreter's module.
#[derive(Default)]
struct State {
    error: ModuleError,
}

fn error_class(vm: &Interpreter) -> Res {
    vm.state::<State>().error.class(vm, "zlib", "error", vm.exceptions().exception())
}

/// `zlib.error`, raised.
#[cold]
fn error(vm: &Interpreter, message: &str) -> Raised {
    crate::raise_new(vm, error_class(vm), message)
}

/// What a number of window bits asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrap {
    Raw,
    Zlib,
    Gzip,
    /// The first bytes decide between zlib and gzip.
    Either,
}

fn wrap(bits: i64) -> Option<(Wrap, u8)> {
    Some(match bits {
        -15..=-8 => (Wrap::Raw, (-bits).max(9) as u8),
        0 => (Wrap::Zlib, 15),
        8..=15 => (Wrap::Zlib, bits.max(9) as u8),
        16 => (Wrap::Gzip, 15),
        24..=31 => (Wrap::Gzip, (bits - 16).max(9) as u8),
        32 => (Wrap::Either, 15),
        40..=47 => (Wrap::Either, (bits - 32).max(9) as u8),
        _ => return None,
    })
}

fn compressor(level: i64, bits: i64) -> Option<Compress> {
    let level = match level {
        DEFAULT_LEVEL => Compression::default(),
        0..=9 => Compression::new(level as u32),
        _ => return None,
    };
    match wrap(bits)? {
        _ if matches!(bits, 0 | 16) => None,
        (Wrap::Raw, bits) => Some(Compress::new_with_window_bits(level, false, bits)),
        (Wrap::Zlib, bits) => Some(Compress::new_with_window_bits(level, true, bits)),
        (Wrap::Gzip, bits) => Some(Compress::new_gzip(level, bits)),
        (Wrap::Either, _) => None,
    }
}

fn decompressor(wrap: Wrap, bits: u8, first: &[u8]) -> Decompress {
    match wrap {
        Wrap::Raw => Decompress::new_with_window_bits(false, bits),
        Wrap::Zlib => Decompress::new_with_window_bits(true, bits),
        Wrap::Gzip => Decompress::new_gzip(bits),
        Wrap::Either if first.first() == Some(&0x1f) => Decompress::new_gzip(bits),
        Wrap::Either => Decompress::new_with_window_bits(true, bits),
    }
}

/// Makes room for more output. Errors: `MemoryError`.
fn grow(vm: &Interpreter, out: &mut Vec<u8>) -> Res<()> {
    let more = out.len().clamp(BUFFER, 1 << 24);
    out.try_reserve(more).map_err(|_| vm.no_memory())
}

fn compress_all(
    vm: &Interpreter,
    stream: &mut Compress,
    data: &[u8],
    flush: FlushCompress,
    doing: &str,
) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    let start = stream.total_in();
    loop {
        grow(vm, &mut out)?;
        let taken = (stream.total_in() - start) as usize;
        let before = out.len();
        let status = stream
            .compress_vec(data.get(taken..).unwrap_or_default(), &mut out, flush)
            .map_err(|_| error(vm, &format!("Error -2 while {doing}: inconsistent stream state")))?;
        let taken = (stream.total_in() - start) as usize;
        match status {
            Status::StreamEnd => return Ok(out),
            // The output was not filled: all that there is has been written.
            _ if taken == data.len() && out.len() < out.capacity() => match flush {
                FlushCompress::Finish => {}
                _ => return Ok(out),
            },
            Status::BufError if out.len() == before && taken == data.len() => return Ok(out),
            _ => {}
        }
        vm.poll()?;
    }
}

/// What zlib says was wrong.
#[cold]
fn bad_data(vm: &Interpreter, failure: &flate2::DecompressError) -> Raised {
    match failure.needs_dictionary() {
        Some(_) => error(vm, "Error 2 while decompressing data"),
        None => {
            let detail = failure.message().map(|m| format!(": {m}")).unwrap_or_default();
            error(vm, &format!("Error -3 while decompressing data{detail}"))
        }
    }
}

/// Bytes taken, and whether the stream has ended.
struct Progress {
    taken: usize,
    ended: bool,
}

/// Decompresses into `out`, at most up to `most` bytes. A stream that asks for a dictionary gets it.
fn decompress_into(
    vm: &Interpreter,
    stream: &mut Decompress,
    data: &[u8],
    out: &mut Vec<u8>,
    most: Option<usize>,
    dictionary: Option<&[u8]>,
) -> Res<Progress> {
    let start = stream.total_in();
    loop {
        let taken = (stream.total_in() - start) as usize;
        if most.is_some_and(|most| out.len() >= most) {
            return Ok(Progress { taken, ended: false });
        }
        let before = out.len();
        let rest = data.get(taken..).unwrap_or_default();
        let status = match most {
            None => {
                grow(vm, out)?;
                stream.decompress_vec(rest, out, FlushDecompress::Sync)
            }
            Some(most) => {
                // Into a piece of the size that is left, as a `Vec` may have more room than was asked for.
                let room = (most - out.len()).min(1 << 20);
                if out.try_reserve(room).is_err() {
                    return Err(vm.no_memory());
                }
                out.resize(before + room, 0);
                let written = stream.total_out();
                let status = stream.decompress(rest, &mut out[before..], FlushDecompress::Sync);
                out.truncate(before + (stream.total_out() - written) as usize);
                status
            }
        };
        let status = match status {
            Ok(status) => status,
            Err(failure) => match dictionary {
                Some(dictionary) if failure.needs_dictionary().is_some() => {
                    if stream.set_dictionary(dictionary).is_err() {
                        return Err(error(vm, "Error -3 while setting dictionary: incorrect dictionary"));
                    }
                    continue;
                }
                _ => return Err(bad_data(vm, &failure)),
            },
        };
        let taken = (stream.total_in() - start) as usize;
        match status {
            Status::StreamEnd => return Ok(Progress { taken, ended: true }),
            _ if out.len() == before && taken == data.len() => {
                return Ok(Progress { taken, ended: false });
            }
            Status::BufError if out.len() == before && most.is_none() && out.len() < out.capacity() => {
                return Ok(Progress { taken, ended: false });
            }
            _ => {}
        }
        vm.poll()?;
    }
}

fn compress(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.copied(&vm.bytes_like(args.req(0))?.bytes())?;
    let level = args.int_or(vm, 1, DEFAULT_LEVEL)?;
    let bits = args.int_or(vm, 2, MAX_WBITS)?;
    let Some(mut stream) = compressor(level, bits) else {
        return Err(error(vm, "Bad compression level"));
    };
    vm.new_bytes(compress_all(vm, &mut stream, &data, FlushCompress::Finish, "compressing data")?)
}

fn decompress(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.copied(&vm.bytes_like(args.req(0))?.bytes())?;
    let bits = args.int_or(vm, 1, MAX_WBITS)?;
    if args.int_or(vm, 2, BUFFER as i64)? < 0 {
        return Err(vm.value_error("bufsize must be non-negative".to_string()));
    }
    let Some((wrap, bits)) = wrap(bits) else {
        return Err(error(vm, "Error -2 while preparing to decompress data: inconsistent stream state"));
    };
    let mut out = Vec::new();
    let mut stream = decompressor(wrap, bits, &data);
    let progress = decompress_into(vm, &mut stream, &data, &mut out, None, None)?;
    if !progress.ended {
        return Err(error(vm, "Error -5 while decompressing data: incomplete or truncated stream"));
    }
    vm.new_bytes(out)
}

/// Payload of `zlib.Compress`.
struct Deflater(RefCell<Option<Compress>>);

impl Payload for Deflater {
    const CONTAINER: bool = false;
}

fn compressobj(vm: &Interpreter, args: &Args) -> Res {
    let level = args.int_or(vm, 0, DEFAULT_LEVEL)?;
    let method = args.int_or(vm, 1, DEFLATED)?;
    let bits = args.int_or(vm, 2, MAX_WBITS)?;
    let memory = args.int_or(vm, 3, 8)?;
    let strategy = args.int_or(vm, 4, 0)?;
    let fine = method == DEFLATED && (1..=9).contains(&memory) && (0..=4).contains(&strategy);
    let Some(mut stream) = compressor(level, bits).filter(|_| fine) else {
        return Err(vm.value_error("Invalid initialization option".to_string()));
    };
    if let Some(dictionary) = args.some(5) {
        let dictionary = vm.bytes_like(dictionary)?;
        if stream.set_dictionary(&dictionary.bytes()).is_err() {
            return Err(vm.value_error("Invalid dictionary".to_string()));
        }
    }
    vm.alloc(&vm.type_for(&COMPRESS)?, Deflater(RefCell::new(Some(stream))))
}

/// Runs `f` with the stream, which nobody else can use meanwhile.
fn with_stream<R>(
    vm: &Interpreter,
    this: &Value,
    doing: &str,
    f: impl FnOnce(&mut Compress) -> Res<(R, bool)>,
) -> Res<R> {
    let Some(deflater) = this.downcast::<Deflater>() else { return Err(vm.bug("no compressor")) };
    let Some(mut stream) = deflater.0.take() else {
        return Err(error(vm, &format!("Error -2 while {doing}: inconsistent stream state")));
    };
    let (result, ended) = f(&mut stream)?;
    if !ended {
        *deflater.0.borrow_mut() = Some(stream);
    }
    Ok(result)
}

fn compress_some(vm: &Interpreter, this: &Value, data: &Value) -> Res {
    let data = vm.copied(&vm.bytes_like(data)?.bytes())?;
    let out = with_stream(vm, this, "compressing data", |stream| {
        Ok((compress_all(vm, stream, &data, FlushCompress::None, "compressing data")?, false))
    })?;
    vm.new_bytes(out)
}

fn flush(vm: &Interpreter, args: &Args) -> Res {
    let mode = match args.int_or(vm, 1, Z_FINISH)? {
        Z_NO_FLUSH => return vm.new_bytes(Vec::new()),
        // The library underneath cannot end a block and hold its last bits back: they come out too.
        Z_PARTIAL_FLUSH | Z_BLOCK => FlushCompress::Partial,
        Z_SYNC_FLUSH => FlushCompress::Sync,
        Z_FULL_FLUSH => FlushCompress::Full,
        Z_FINISH => FlushCompress::Finish,
        _ => return Err(error(vm, "Error -2 while flushing: inconsistent stream state")),
    };
    let out = with_stream(vm, args.req(0), "flushing", |stream| {
        let out = compress_all(vm, stream, &[], mode, "flushing")?;
        Ok((out, matches!(mode, FlushCompress::Finish)))
    })?;
    vm.new_bytes(out)
}

/// Payload of `zlib.Decompress` and `zlib._ZlibDecompressor`.
struct Inflater {
    /// `None` until the first bytes say what the stream is, and while it is used.
    stream: RefCell<Option<Decompress>>,
    wrap: Wrap,
    bits: u8,
    dictionary: Option<Vec<u8>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
    /// What follows the end of the stream.
    unused: RefCell<Vec<u8>>,
    /// What was not taken yet because of a limit.
    pending: RefCell<Vec<u8>>,
}

impl Payload for Inflater {
    const CONTAINER: bool = false;
}

fn inflater<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Inflater> {
    value.downcast::<Inflater>().ok_or_else(|| vm.bug("no decompressor"))
}

fn new_inflater(vm: &Interpreter, bits: i64, dictionary: Option<&Value>) -> Res<Inflater> {
    let Some((wrap, bits)) = wrap(bits) else {
        return Err(vm.value_error("Invalid initialization option".to_string()));
    };
    let dictionary = match dictionary {
        Some(value) if !vm.has_buffer(value) => {
            let what = "zdict argument must support the buffer protocol";
            return Err(vm.type_error(what.to_string()));
        }
        Some(value) => Some(vm.copied(&vm.bytes_like(value)?.bytes())?),
        None => None,
    };
    let mut stream = None;
    if wrap == Wrap::Raw {
        let mut raw = decompressor(wrap, bits, &[]);
        if let Some(dictionary) = &dictionary
            && raw.set_dictionary(dictionary).is_err()
        {
            return Err(vm.value_error("Invalid dictionary".to_string()));
        }
        stream = Some(raw);
    }
    Ok(Inflater {
        stream: RefCell::new(stream),
        wrap,
        bits,
        dictionary,
        eof: Cell::new(false),
        needs_input: Cell::new(true),
        unused: RefCell::default(),
        pending: RefCell::default(),
    })
}

fn decompressobj(vm: &Interpreter, args: &Args) -> Res {
    let inflater = new_inflater(vm, args.int_or(vm, 0, MAX_WBITS)?, args.some(1))?;
    vm.alloc(&vm.type_for(&DECOMPRESS)?, inflater)
}

/// Decompresses `data`; what is left of it is returned.
fn inflate(
    vm: &Interpreter,
    inflater: &Inflater,
    data: &[u8],
    most: Option<usize>,
) -> Res<(Vec<u8>, Vec<u8>)> {
    if data.is_empty() && inflater.stream.borrow().is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut stream = match inflater.stream.take() {
        Some(stream) => stream,
        None => decompressor(inflater.wrap, inflater.bits, data),
    };
    let mut out = Vec::new();
    let progress = decompress_into(vm, &mut stream, data, &mut out, most, inflater.dictionary.as_deref());
    *inflater.stream.borrow_mut() = Some(stream);
    let progress = progress?;
    let rest = vm.copied(data.get(progress.taken..).unwrap_or_default())?;
    if progress.ended {
        inflater.eof.set(true);
        inflater.unused.borrow_mut().extend_from_slice(&rest);
        return Ok((out, Vec::new()));
    }
    Ok((out, rest))
}

fn decompress_some(vm: &Interpreter, args: &Args) -> Res {
    let inflater = inflater(vm, args.req(0))?;
    let data = vm.copied(&vm.bytes_like(args.req(1))?.bytes())?;
    let most = match args.int_or(vm, 2, 0)? {
        0 => None,
        most => match usize::try_from(most) {
            Ok(most) => Some(most),
            Err(_) => return Err(vm.value_error("max_length must be non-negative".to_string())),
        },
    };
    if inflater.eof.get() {
        inflater.unused.borrow_mut().extend_from_slice(&data);
        return vm.new_bytes(Vec::new());
    }
    let (out, rest) = inflate(vm, inflater, &data, most)?;
    *inflater.pending.borrow_mut() = rest;
    vm.new_bytes(out)
}

fn flush_rest(vm: &Interpreter, args: &Args) -> Res {
    if args.int_or(vm, 1, BUFFER as i64)? <= 0 {
        return Err(vm.value_error("length must be greater than zero".to_string()));
    }
    let inflater = inflater(vm, args.req(0))?;
    let data = inflater.pending.take();
    if inflater.eof.get() {
        return vm.new_bytes(Vec::new());
    }
    let (out, rest) = inflate(vm, inflater, &data, None)?;
    *inflater.pending.borrow_mut() = rest;
    vm.new_bytes(out)
}

fn new_decompressor(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let [bits, dictionary] = pellucid_types::seq::bind(vm, "_ZlibDecompressor", ["wbits", "zdict"], args)?;
    let bits = bits.map_or(Ok(MAX_WBITS), |v| vm.expect_i64(&v))?;
    vm.alloc_subclass(cls, new_inflater(vm, bits, dictionary.filter(|d| !d.is_none()).as_ref())?)
}

/// `_ZlibDecompressor.decompress`, which keeps what it could not take yet.
fn decompress_next(vm: &Interpreter, args: &Args) -> Res {
    let inflater = inflater(vm, args.req(0))?;
    if inflater.eof.get() {
        return Err(vm.eof_error("End of stream already reached".to_string()));
    }
    let mut data = inflater.pending.take();
    data.extend_from_slice(&vm.bytes_like(args.req(1))?.bytes());
    let most = usize::try_from(args.int_or(vm, 2, -1)?).ok();
    let (out, rest) = inflate(vm, inflater, &data, most)?;
    let limited = most.is_some_and(|most| out.len() >= most);
    inflater.needs_input.set(!inflater.eof.get() && rest.is_empty() && !limited);
    *inflater.pending.borrow_mut() = rest;
    vm.new_bytes(out)
}

fn adler32(vm: &Interpreter, args: &Args) -> Res {
    let data = vm.bytes_like(args.req(0))?;
    let start = match args.get(1) {
        None => 1,
        Some(value) => {
            let index = vm.index(value)?;
            let mask = pellucid_object::int::IBig::from(u32::MAX);
            let low = index.as_int().map(|i| i.to_big() & mask);
            low.and_then(|low| u32::try_from(low).ok()).unwrap_or(1)
        }
    };
    let (mut a, mut b) = (start & 0xffff, start >> 16);
    // So many sums fit 32 bits before they must be reduced.
    for chunk in data.bytes().chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    vm.new_int(i64::from(b) << 16 | i64::from(a))
}

#[rustfmt::skip]
static COMPRESS: TypeDef = TypeDef {
    name: "Compress",
    module: "zlib",
    base: None,
    payload: payload::<Deflater>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[
        FunctionDef::new("compress", "($self, data, /)", "Returns a bytes object containing compressed data.", NativeFn::F2(compress_some)),
        FunctionDef::new("flush", "($self, mode=4, /)", "Return a bytes object containing any remaining compressed data.", NativeFn::Args(flush)),
    ],
    getset: &[],
};

#[rustfmt::skip]
static DECOMPRESS: TypeDef = TypeDef {
    name: "Decompress",
    module: "zlib",
    base: None,
    payload: payload::<Inflater>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[],
    methods: &[
        FunctionDef::new("decompress", "($self, data, /, max_length=0)", "Return a bytes object containing the decompressed version of the data.", NativeFn::Args(decompress_some)),
        FunctionDef::new("flush", "($self, length=16384, /)", "Return a bytes object containing any remaining decompressed data.", NativeFn::Args(flush_rest)),
    ],
    getset: &[
        GetSetDef { name: "unused_data", doc: "", get: |vm, this| vm.new_bytes(vm.copied(&inflater(vm, this)?.unused.borrow())?), set: None },
        GetSetDef { name: "unconsumed_tail", doc: "", get: |vm, this| vm.new_bytes(vm.copied(&inflater(vm, this)?.pending.borrow())?), set: None },
        GetSetDef { name: "eof", doc: "", get: |vm, this| Ok(Value::bool(inflater(vm, this)?.eof.get())), set: None },
    ],
};

#[rustfmt::skip]
static DECOMPRESSOR: TypeDef = TypeDef {
    name: "_ZlibDecompressor",
    module: "zlib",
    base: None,
    payload: payload::<Inflater>(),
    flags: TypeFlags::NONE,
    doc: "_ZlibDecompressor(wbits=15, zdict=b'')\n--\n\n\
          Create a decompressor object for decompressing data incrementally.",
    slots: &[Slot::New(new_decompressor)],
    methods: &[
        FunctionDef::new("decompress", "($self, /, data, max_length=-1)", "Decompress *data*, returning uncompressed data as bytes.", NativeFn::Args(decompress_next)),
    ],
    getset: &[
        GetSetDef { name: "unused_data", doc: "Data found after the end of the compressed stream.", get: |vm, this| vm.new_bytes(vm.copied(&inflater(vm, this)?.unused.borrow())?), set: None },
        GetSetDef { name: "needs_input", doc: "True if more input is needed before more decompressed data can be produced.", get: |vm, this| Ok(Value::bool(inflater(vm, this)?.needs_input.get())), set: None },
        GetSetDef { name: "eof", doc: "True if the end-of-stream marker has been reached.", get: |vm, this| Ok(Value::bool(inflater(vm, this)?.eof.get())), set: None },
    ],
};

macro_rules! int {
    ($name:literal, $value:expr) => {
        constant($name, |vm| vm.new_int($value))
    };
}

#[rustfmt::skip]
pub static MODULE: ModuleDef = ModuleDef {
    name: "zlib",
    doc: "The functions in this module allow compression and decompression using the\nzlib library, which is based on GNU zip.",
    functions: &[
        FunctionDef::new("compress", "($module, data, /, level=-1, wbits=15)", "Returns a bytes object containing compressed data.", NativeFn::Args(compress)),
        FunctionDef::new("decompress", "($module, data, /, wbits=15, bufsize=16384)", "Returns a bytes object containing the uncompressed data.", NativeFn::Args(decompress)),
        FunctionDef::new("compressobj", "($module, /, level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=None)", "Return a compressor object.", NativeFn::Args(compressobj)),
        FunctionDef::new("decompressobj", "($module, /, wbits=15, zdict=b'')", "Return a decompressor object.", NativeFn::Args(decompressobj)),
        FunctionDef::new("adler32", "($module, data, value=1, /)", "Compute an Adler-32 checksum of data.", NativeFn::Args(adler32)),
        FunctionDef::new("crc32", "($module, data, value=0, /)", "Compute a CRC-32 checksum of data.", NativeFn::Args(crate::binascii::crc32)),
    ],
    types: &[&DECOMPRESSOR],
    constants: &[
        constant("error", error_class),
        constant("ZLIB_VERSION", |vm| vm.new_str("1.3.1")),
        constant("ZLIB_RUNTIME_VERSION", |vm| vm.new_str("1.3.1")),
        constant("__version__", |vm| vm.new_str("1.0")),
        int!("MAX_WBITS", MAX_WBITS),
        int!("DEFLATED", DEFLATED),
        int!("DEF_MEM_LEVEL", 8),
        int!("DEF_BUF_SIZE", BUFFER as i64),
        int!("Z_NO_COMPRESSION", 0),
        int!("Z_BEST_SPEED", 1),
        int!("Z_BEST_COMPRESSION", 9),
        int!("Z_DEFAULT_COMPRESSION", DEFAULT_LEVEL),
        int!("Z_DEFAULT_STRATEGY", 0),
        int!("Z_FILTERED", 1),
        int!("Z_HUFFMAN_ONLY", 2),
        int!("Z_RLE", 3),
        int!("Z_FIXED", 4),
        int!("Z_NO_FLUSH", Z_NO_FLUSH),
        int!("Z_PARTIAL_FLUSH", Z_PARTIAL_FLUSH),
        int!("Z_SYNC_FLUSH", Z_SYNC_FLUSH),
        int!("Z_FULL_FLUSH", Z_FULL_FLUSH),
        int!("Z_FINISH", Z_FINISH),
        int!("Z_BLOCK", Z_BLOCK),
        int!("Z_TREES", 6),
    ],
    init: None,
};

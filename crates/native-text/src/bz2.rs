//! `_bz2`: streams of bzip2.

use bzip2::{Action, Compress, Compression, Decompress, Error, Status};
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Raised, Res, Slot,
    TypeDef, TypeFlags, Value, payload,
};
use std::cell::{Cell, RefCell};

/// First room for output.
const BUFFER: usize = 8 * 1024;

/// What libbz2 says was wrong.
#[cold]
fn failed(vm: &Interpreter, failure: &Error) -> Raised {
    match failure {
        Error::Sequence => vm.runtime_error("Invalid sequence of commands sent to libbzip2".to_string()),
        Error::Param => vm.value_error("Internal error - invalid parameters passed to libbzip2".to_string()),
        Error::Data | Error::DataMagic => {
            let make = || {
                let message = vm.new_str("Invalid data stream")?;
                vm.call_values(vm.exceptions().os_error().value(), &[message])
            };
            make().map_or_else(|raised| raised, |exception| vm.raise(exception))
        }
    }
}

/// Makes room for more output. Errors: `MemoryError`.
fn grow(vm: &Interpreter, out: &mut Vec<u8>) -> Res<()> {
    let more = out.len().clamp(BUFFER, 1 << 24);
    out.try_reserve(more).map_err(|_| vm.no_memory())
}

/// Payload of `BZ2Compressor`; `None` once it is flushed, and while it is used.
struct Compressor(RefCell<Option<Compress>>);

impl Payload for Compressor {
    const CONTAINER: bool = false;
}

fn compressor<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Compressor> {
    value.downcast::<Compressor>().ok_or_else(|| vm.bug("no compressor"))
}

fn new_compressor(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("BZ2Compressor() takes no keyword arguments".to_string()));
    }
    let level = match call.values {
        [] => 9,
        [level] => vm.expect_i64(level)?,
        more => {
            let given = more.len();
            return Err(vm.type_error(format!("BZ2Compressor expected at most 1 argument, got {given}")));
        }
    };
    let Some(level) = u32::try_from(level).ok().filter(|level| (1..=9).contains(level)) else {
        return Err(vm.value_error("compresslevel must be between 1 and 9".to_string()));
    };
    let stream = Compress::new(Compression::new(level), 0);
    vm.alloc_subclass(cls, Compressor(RefCell::new(Some(stream))))
}

fn compress_all(vm: &Interpreter, stream: &mut Compress, data: &[u8], action: Action) -> Res<Vec<u8>> {
    let mut out = Vec::new();
    let (start, finish) = (stream.total_in(), action == Action::Finish);
    loop {
        let taken = (stream.total_in() - start) as usize;
        if taken == data.len() && !finish {
            return Ok(out);
        }
        grow(vm, &mut out)?;
        let rest = data.get(taken..).unwrap_or_default();
        match stream.compress_vec(rest, &mut out, action) {
            Ok(Status::StreamEnd) => return Ok(out),
            Ok(_) => vm.poll()?,
            Err(failure) => return Err(failed(vm, &failure)),
        }
    }
}

fn compress(vm: &Interpreter, this: &Value, data: &Value) -> Res {
    let compressor = compressor(vm, this)?;
    let data = vm.copied(&vm.bytes_like(data)?.bytes())?;
    let Some(mut stream) = compressor.0.take() else {
        return Err(vm.value_error("Compressor has been flushed".to_string()));
    };
    let out = compress_all(vm, &mut stream, &data, Action::Run);
    *compressor.0.borrow_mut() = Some(stream);
    vm.new_bytes(out?)
}

fn flush(vm: &Interpreter, this: &Value) -> Res {
    let Some(mut stream) = compressor(vm, this)?.0.take() else {
        return Err(vm.value_error("Repeated call to flush()".to_string()));
    };
    vm.new_bytes(compress_all(vm, &mut stream, &[], Action::Finish)?)
}

/// Payload of `BZ2Decompressor`.
struct Decompressor {
    /// `None` at the end of the stream, and while it is used.
    stream: RefCell<Option<Decompress>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
    /// What follows the end of the stream.
    unused: RefCell<Vec<u8>>,
    /// What was not taken yet because of a limit.
    pending: RefCell<Vec<u8>>,
}

impl Payload for Decompressor {
    const CONTAINER: bool = false;
}

fn decompressor<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Decompressor> {
    value.downcast::<Decompressor>().ok_or_else(|| vm.bug("no decompressor"))
}

fn new_decompressor(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    if !call.names.is_empty() {
        return Err(vm.type_error("BZ2Decompressor() takes no keyword arguments".to_string()));
    }
    if !call.values.is_empty() {
        let given = call.values.len();
        return Err(vm.type_error(format!("BZ2Decompressor expected 0 arguments, got {given}")));
    }
    let decompressor = Decompressor {
        stream: RefCell::new(Some(Decompress::new(false))),
        eof: Cell::new(false),
        needs_input: Cell::new(true),
        unused: RefCell::default(),
        pending: RefCell::default(),
    };
    vm.alloc_subclass(cls, decompressor)
}

/// What a run of the decompressor came to.
struct Progress {
    out: Vec<u8>,
    taken: usize,
    ended: bool,
    /// The output is as long as it may be.
    full: bool,
}

fn decompress_some(
    vm: &Interpreter,
    stream: &mut Decompress,
    data: &[u8],
    most: Option<usize>,
) -> Res<Progress> {
    let mut out: Vec<u8> = Vec::new();
    let start = stream.total_in();
    loop {
        let taken = (stream.total_in() - start) as usize;
        if most.is_some_and(|most| out.len() >= most) {
            return Ok(Progress { out, taken, ended: false, full: true });
        }
        // Into a piece of exact size, as a `Vec` may have more room than was asked for.
        let (before, step) = (out.len(), out.len().clamp(BUFFER, 1 << 24));
        let room = most.map_or(step, |most| (most - before).min(step));
        if out.try_reserve(room).is_err() {
            return Err(vm.no_memory());
        }
        out.resize(before + room, 0);
        let written = stream.total_out();
        let status = stream.decompress(data.get(taken..).unwrap_or_default(), &mut out[before..]);
        out.truncate(before + (stream.total_out() - written) as usize);
        let taken = (stream.total_in() - start) as usize;
        match status {
            Ok(Status::StreamEnd) => return Ok(Progress { out, taken, ended: true, full: false }),
            Ok(Status::MemNeeded) => return Err(vm.no_memory()),
            Ok(_) if taken == data.len() && out.len() < before + room => {
                return Ok(Progress { out, taken, ended: false, full: false });
            }
            Ok(_) => vm.poll()?,
            Err(failure) => return Err(failed(vm, &failure)),
        }
    }
}

fn decompress(vm: &Interpreter, args: &Args) -> Res {
    let this = decompressor(vm, args.req(0))?;
    let input = vm.copied(&vm.bytes_like(args.req(1))?.bytes())?;
    let most = usize::try_from(args.int_or(vm, 2, -1)?).ok();
    if this.eof.get() {
        return Err(vm.eof_error("End of stream already reached".to_string()));
    }
    let Some(mut stream) = this.stream.take() else {
        return Err(vm.value_error("the decompressor is in use".to_string()));
    };
    let mut data = this.pending.take();
    data.extend_from_slice(&input);
    let progress = decompress_some(vm, &mut stream, &data, most);
    let progress = match progress {
        Ok(progress) => progress,
        Err(raised) => {
            *this.stream.borrow_mut() = Some(stream);
            return Err(raised);
        }
    };
    data.drain(..progress.taken.min(data.len()));
    if progress.ended {
        this.eof.set(true);
        this.needs_input.set(false);
        *this.unused.borrow_mut() = data;
    } else {
        this.needs_input.set(data.is_empty() && !progress.full);
        *this.pending.borrow_mut() = data;
        *this.stream.borrow_mut() = Some(stream);
    }
    vm.new_bytes(progress.out)
}

#[rustfmt::skip]
static COMPRESSOR: TypeDef = TypeDef {
    name: "BZ2Compressor",
    module: "_bz2",
    base: None,
    payload: payload::<Compressor>(),
    flags: TypeFlags::NONE,
    doc: "Create a compressor object for compressing data incrementally.\n\n  compresslevel\n    Compression level, as a number between 1 and 9.\n\nFor one-shot compression, use the compress() function instead.",
    slots: &[Slot::New(new_compressor)],
    methods: &[
        FunctionDef::new("compress", "($self, data, /)", "Provide data to the compressor object.\n\nReturns a chunk of compressed data if possible, or b'' otherwise.", NativeFn::F2(compress)),
        FunctionDef::new("flush", "($self, /)", "Finish the compression process.\n\nReturns the compressed data left in internal buffers.", NativeFn::F1(flush)),
    ],
    getset: &[],
};

#[rustfmt::skip]
static DECOMPRESSOR: TypeDef = TypeDef {
    name: "BZ2Decompressor",
    module: "_bz2",
    base: None,
    payload: payload::<Decompressor>(),
    flags: TypeFlags::NONE,
    doc: "Create a decompressor object for decompressing data incrementally.\n\nFor one-shot decompression, use the decompress() function instead.",
    slots: &[Slot::New(new_decompressor)],
    methods: &[
        FunctionDef::new("decompress", "($self, /, data, max_length=-1)", "Decompress *data*, returning uncompressed data as bytes.", NativeFn::Args(decompress)),
    ],
    getset: &[
        GetSetDef { name: "eof", doc: "True if the end-of-stream marker has been reached.", get: |vm, this| Ok(Value::bool(decompressor(vm, this)?.eof.get())), set: None },
        GetSetDef { name: "unused_data", doc: "Data found after the end of the compressed stream.", get: |vm, this| vm.new_bytes(vm.copied(&decompressor(vm, this)?.unused.borrow())?), set: None },
        GetSetDef { name: "needs_input", doc: "True if more input is needed before more decompressed data can be produced.", get: |vm, this| Ok(Value::bool(decompressor(vm, this)?.needs_input.get())), set: None },
    ],
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_bz2",
    doc: "",
    functions: &[],
    types: &[&COMPRESSOR, &DECOMPRESSOR],
    constants: &[],
    init: None,
};

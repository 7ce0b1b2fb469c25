//! `BufferedRWPair`: a reader and a writer that are used as one.

use super::base::{BUFFERED_IO_BASE, STREAM, check_readable, check_writable};
use super::{DEFAULT_BUFFER_SIZE, and_finally, ask, base_type, buffered};
use pellucid_object::heap::SlotWord;
use pellucid_object::{
    CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, TypeDef, Value, Visitor,
    payload,
};

/// Payload of `BufferedRWPair`.
#[derive(Default)]
pub struct Pair {
    reader: SlotWord,
    writer: SlotWord,
}

impl Payload for Pair {
    fn trace(&self, visit: &mut Visitor) {
        self.reader.trace(visit);
        self.writer.trace(visit);
    }
    fn clear(&self) {
        self.reader.set(None);
        self.writer.set(None);
    }
}

fn half(vm: &Interpreter, this: &Value, which: fn(&Pair) -> &SlotWord) -> Res {
    match this.downcast::<Pair>().and_then(|pair| which(pair).get()) {
        Some(half) => Ok(half),
        None => Err(vm.value_error("I/O operation on uninitialized object".to_string())),
    }
}

fn reader(vm: &Interpreter, this: &Value) -> Res {
    half(vm, this, |pair| &pair.reader)
}

fn writer(vm: &Interpreter, this: &Value) -> Res {
    half(vm, this, |pair| &pair.writer)
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let Some(me) = this.downcast::<Pair>() else { return Err(vm.bug("a pair was expected")) };
    if !call.names.is_empty() {
        return Err(vm.type_error("BufferedRWPair() takes no keyword arguments".to_string()));
    }
    let given = call.positional();
    let (source, sink, size) = match given {
        [source, sink] => (source, sink, DEFAULT_BUFFER_SIZE as i64),
        [source, sink, size] => (source, sink, vm.expect_i64(size)?),
        _ => {
            let (word, n) = (if given.len() < 2 { "at least 2" } else { "at most 3" }, given.len());
            return Err(vm.type_error(format!("BufferedRWPair expected {word} arguments, got {n}")));
        }
    };
    check_readable(vm, source)?;
    check_writable(vm, sink)?;
    me.reader.set(Some(buffered::new_buffered(vm, source, true, false, size)?));
    me.writer.set(Some(buffered::new_buffered(vm, sink, false, true, size)?));
    Ok(())
}

macro_rules! to_half {
    ($half:ident $name:literal $sig:literal) => {
        FunctionDef::new(
            $name,
            $sig,
            "",
            NativeFn::Raw(|vm, args| {
                let Some(this) = args.values.first() else { return Err(vm.bug("a method without self")) };
                let method = vm.get_attr_str(&$half(vm, this)?, $name)?;
                vm.call(&method, &CallArgs { values: &args.values[1..], names: args.names })
            }),
        )
    };
}

fn close(vm: &Interpreter, this: &Value) -> Res {
    let (reader, writer) = (reader(vm, this)?, writer(vm, this)?);
    and_finally(
        vm,
        || vm.call_attr(&writer, "close", &[]).map(drop),
        || vm.call_attr(&reader, "close", &[]).map(drop),
    )?;
    Ok(Value::NONE)
}

pub static RW_PAIR: TypeDef = TypeDef {
    name: "BufferedRWPair",
    module: "_io",
    base: Some(|vm| base_type(vm, &BUFFERED_IO_BASE)),
    payload: payload::<Pair>(),
    flags: STREAM,
    doc: "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\n\
          A buffered reader and writer object together.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Pair::default())), Slot::Init(init)],
    methods: &[
        to_half!(reader "read" "($self, size=-1, /)"),
        to_half!(reader "read1" "($self, size=-1, /)"),
        to_half!(reader "peek" "($self, size=0, /)"),
        to_half!(reader "readinto" "($self, buffer, /)"),
        to_half!(reader "readinto1" "($self, buffer, /)"),
        to_half!(reader "readable" "($self, /)"),
        to_half!(writer "write" "($self, buffer, /)"),
        to_half!(writer "flush" "($self, /)"),
        to_half!(writer "writable" "($self, /)"),
        FunctionDef::new("close", "($self, /)", "", NativeFn::F1(close)),
        FunctionDef::new(
            "isatty",
            "($self, /)",
            "",
            NativeFn::F1(|vm, this| {
                let yes = ask(vm, &writer(vm, this)?, "isatty")? || ask(vm, &reader(vm, this)?, "isatty")?;
                Ok(Value::bool(yes))
            }),
        ),
    ],
    getset: &[GetSetDef {
        name: "closed",
        doc: "",
        get: |vm, this| match this.downcast::<Pair>().and_then(|pair| pair.writer.get()) {
            Some(writer) => vm.get_attr_str(&writer, "closed"),
            None => Err(vm.runtime_error("the BufferedRWPair object is being garbage-collected".to_string())),
        },
        set: None,
    }],
};

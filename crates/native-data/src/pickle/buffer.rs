//! `PickleBuffer`: wraps an object with a buffer, so that its bytes can travel outside the pickle.

use crate::support::{bind, this};
use pellucid_object::buffer::{Buffer, Layout, flags};
use pellucid_object::{
    CallArgs, FunctionDef, Interpreter, NativeFn, Payload, Res, Slot, TypeDef, TypeFlags, Value, Visitor,
    payload,
};
use std::cell::RefCell;

/// Payload of `PickleBuffer`; `None` after `release()`.
pub struct PickleBuffer(RefCell<Option<Buffer>>);

impl Payload for PickleBuffer {
    fn trace(&self, visit: &mut Visitor) {
        if let Some(buffer) = &*self.0.borrow() {
            buffer.trace(visit);
        }
    }
    fn clear(&self) {
        let old = self.0.take();
        drop(old);
    }
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "PickleBuffer", "(object, /)", call)?;
    let buffer = vm.buffer(args.req(0), flags::FULL_RO)?;
    vm.alloc_subclass(cls, PickleBuffer(RefCell::new(Some(buffer))))
}

/// The buffer inside. Errors: `ValueError` after `release()`.
pub fn view(vm: &Interpreter, value: &Value) -> Res<Buffer> {
    let inner = this::<PickleBuffer>(vm, value)?.0.borrow();
    match &*inner {
        Some(buffer) => Ok(buffer.with_layout(buffer.layout.clone())),
        None => Err(vm.value_error("operation forbidden on released PickleBuffer object".to_string())),
    }
}

/// A flat `memoryview` of bytes.
fn raw(vm: &Interpreter, value: &Value) -> Res {
    let buffer = view(vm, value)?;
    let layout = &buffer.layout;
    if !layout.is_c_contiguous() && !layout.is_f_contiguous() {
        let what = "cannot extract raw buffer from non-contiguous buffer";
        return Err(vm.buffer_error(what.to_string()));
    }
    let mut flat = Layout::bytes(layout.len(), layout.readonly);
    flat.offset = layout.offset;
    vm.new_memoryview(buffer.with_layout(flat))
}

fn release(vm: &Interpreter, value: &Value) -> Res {
    let old = this::<PickleBuffer>(vm, value)?.0.take();
    drop(old);
    Ok(Value::NONE)
}

pub static PICKLE_BUFFER: TypeDef = TypeDef {
    name: "PickleBuffer",
    module: "pickle",
    base: None,
    payload: payload::<PickleBuffer>(),
    flags: TypeFlags::WEAKREF,
    doc: "Wraps an object with a buffer that can travel outside the pickle.",
    slots: &[Slot::New(new), Slot::Buffer(|vm, v, _| view(vm, v))],
    methods: &[
        FunctionDef::new("raw", "($self, /)", "A flat memoryview of the bytes.", NativeFn::F1(raw)),
        FunctionDef::new("release", "($self, /)", "Gives the buffer up.", NativeFn::F1(release)),
    ],
    getset: &[],
};

//! Where objects were allocated: what `_tracemalloc` records.
//!
//! While recording is on, the heap tells a [`Recorder`] of each block; else nothing here runs and nothing is asked. A block is
//! known by its address until it is freed. The recorder makes no objects: frames are noted as numbers of file names and lines.
//! What an object holds outside of its block (the items of a list, the text of a string) counts with it when the traces are read.

use crate::state::{state, thread};
use pellucid_memory::{Header, Observer};
use pellucid_object::{Interpreter, TypeFlags, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::NonNull;
use std::rc::Rc;

/// A frame: number of the file name, and line.
type Frame = (u32, u32);

struct Trace {
    size: usize,
    frames: Rc<[Frame]>,
    /// How many frames there were, recorded or not.
    depth: usize,
}

/// What is recorded.
#[derive(Default)]
struct Record {
    traces: HashMap<usize, Trace>,
    files: Vec<Value>,
    numbers: HashMap<u64, u32>,
    current: usize,
    peak: usize,
}

/// The observer of an interpreter's heap.
pub struct Recorder {
    vm: *const Interpreter,
    most_frames: Cell<usize>,
    record: RefCell<Record>,
}

/// The recorder of an interpreter, while it records.
#[derive(Default)]
struct Recording(RefCell<Option<Rc<Recorder>>>);

impl Recorder {
    fn frames(&self, record: &mut Record) -> (Rc<[Frame]>, usize) {
        // SAFETY: the heap is a part of the interpreter, and only the interpreter's own calls come here.
        let vm = unsafe { &*self.vm };
        if vm.loop_state.get().is_null() || state(vm).thread.get().is_null() {
            return (Rc::new([]), 0);
        }
        let thread = thread(vm);
        let depth = thread.depth.get();
        let frames = (0..depth.min(self.most_frames.get()))
            .filter_map(|at| thread.nth(at))
            .map(|frame| {
                let file = frame.code().filename();
                let number = *record.numbers.entry(file.bits()).or_insert_with(|| {
                    record.files.push(file);
                    record.files.len() as u32 - 1
                });
                (number, frame.line().unwrap_or(0))
            })
            .collect();
        (frames, depth)
    }
}

impl Observer for Recorder {
    fn allocated(&self, block: NonNull<u8>, size: usize) {
        let Ok(mut record) = self.record.try_borrow_mut() else { return };
        let (frames, depth) = self.frames(&mut record);
        record.current += size;
        record.peak = record.peak.max(record.current);
        record.traces.insert(block.as_ptr() as usize, Trace { size, frames, depth });
    }

    fn freed(&self, block: NonNull<u8>) {
        let Ok(mut record) = self.record.try_borrow_mut() else { return };
        if let Some(trace) = record.traces.remove(&(block.as_ptr() as usize)) {
            record.current -= trace.size;
        }
    }
}

fn recorder(vm: &Interpreter) -> Option<Rc<Recorder>> {
    vm.state::<Recording>().0.borrow().clone()
}

/// Starts recording, with so many frames of each allocation; goes on if it was on.
pub fn start(vm: &Interpreter, most_frames: usize) {
    if let Some(recorder) = recorder(vm) {
        recorder.most_frames.set(most_frames);
        return;
    }
    let recorder = Rc::new(Recorder { vm, most_frames: Cell::new(most_frames), record: RefCell::default() });
    *vm.state::<Recording>().0.borrow_mut() = Some(recorder.clone());
    vm.heap.set_observer(Some(recorder));
}

/// Stops recording; what was recorded goes.
pub fn stop(vm: &Interpreter) {
    vm.heap.set_observer(None);
    let recorder = vm.state::<Recording>().0.borrow_mut().take();
    if let Some(recorder) = recorder {
        let record = recorder.record.take();
        drop(record);
    }
}

/// Forgets what was recorded.
pub fn clear(vm: &Interpreter) {
    if let Some(recorder) = recorder(vm) {
        let old = recorder.record.take();
        drop(old);
    }
}

/// How many frames are recorded, if anything is.
pub fn frame_limit(vm: &Interpreter) -> Option<usize> {
    recorder(vm).map(|recorder| recorder.most_frames.get())
}

/// The object in a block; `None` while it is being made or destroyed.
fn object_at(address: usize) -> Option<Value> {
    let header = NonNull::new(address as *mut Header)?;
    // SAFETY: the block is allocated, as its trace would be gone otherwise, and its header was written when it was.
    let alive = unsafe { header.as_ref() };
    if alive.ty.get().is_null() || alive.refcount.get() == 0 {
        return None;
    }
    let bits = address as u64;
    // SAFETY: the object is alive; the clone is a reference of its own.
    Some(unsafe { Value::borrow_bits(&bits) }.clone())
}

/// What an object takes with what it holds outside of its block. Only types of the runtime are asked.
fn whole_size(vm: &Interpreter, value: &Value, block: usize) -> usize {
    if vm.type_of(value).flags.get().contains(TypeFlags::MUTABLE) {
        return block;
    }
    match vm.call_method(value, "__sizeof__", &[]) {
        Ok(size) => vm.as_i64(&size).and_then(|size| usize::try_from(size).ok()).unwrap_or(0).max(block),
        Err(raised) => {
            drop(vm.take_raised(raised));
            block
        }
    }
}

/// A trace as Python sees it.
pub struct Allocation {
    pub size: usize,
    /// File names and lines, the innermost frame first.
    pub frames: Vec<(Value, u32)>,
    pub depth: usize,
}

fn export(record: &Record, trace: &Trace) -> Allocation {
    let frames = trace.frames.iter().map(|(file, line)| (record.files[*file as usize].clone(), *line));
    Allocation { size: trace.size, frames: frames.collect(), depth: trace.depth }
}

/// Every allocation that is alive and was recorded.
pub fn all(vm: &Interpreter) -> Vec<Allocation> {
    let Some(recorder) = recorder(vm) else { return Vec::new() };
    let mut found: Vec<(usize, Allocation)> = {
        let record = recorder.record.borrow();
        record.traces.iter().map(|(address, trace)| (*address, export(&record, trace))).collect()
    };
    // Held first, so that none of them goes while others are asked for their size.
    let objects: Vec<Option<Value>> = found.iter().map(|(address, _)| object_at(*address)).collect();
    for ((_, allocation), object) in found.iter_mut().zip(&objects) {
        if let Some(object) = object {
            allocation.size = whole_size(vm, object, allocation.size);
        }
    }
    found.into_iter().map(|(_, allocation)| allocation).collect()
}

/// The allocation of an object.
pub fn of_object(vm: &Interpreter, value: &Value) -> Option<Allocation> {
    let recorder = recorder(vm)?;
    let record = recorder.record.borrow();
    let trace = record.traces.get(&(value.bits() as usize))?;
    Some(export(&record, trace))
}

/// Bytes of what is recorded now, and the most that there were.
pub fn memory(vm: &Interpreter) -> (usize, usize) {
    let Some(recorder) = recorder(vm) else { return (0, 0) };
    let current = all(vm).iter().map(|allocation| allocation.size).sum();
    let mut record = recorder.record.borrow_mut();
    record.peak = record.peak.max(current);
    (current, record.peak)
}

/// The most that there were is what there is now.
pub fn reset_peak(vm: &Interpreter) {
    if let Some(recorder) = recorder(vm) {
        let mut record = recorder.record.borrow_mut();
        record.peak = record.current;
    }
}

/// Bytes that recording takes itself.
pub fn overhead(vm: &Interpreter) -> usize {
    let Some(recorder) = recorder(vm) else { return 0 };
    let record = recorder.record.borrow();
    record.traces.capacity() * (size_of::<Trace>() + size_of::<usize>())
        + record.traces.values().map(|trace| size_of_val(&*trace.frames)).sum::<usize>()
}

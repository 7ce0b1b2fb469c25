//! Traceback objects.

use crate::frame::Frame;
use crate::frame_object::{self, FrameObject};
use crate::state::state;
use pellucid_object::heap::Visitor;
use pellucid_object::{
    Args, CallArgs, Exception, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord,
    TypeDef, TypeFlags, Value, payload,
};
use std::cell::Cell;

/// Payload of `traceback`.
pub struct Traceback {
    pub next: SlotWord,
    pub frame: SlotWord,
    /// Wordcode offset of the instruction.
    pub lasti: Cell<i64>,
    /// The line, when it was given and not found by `lasti`.
    pub line: Cell<Option<i64>>,
}

impl Payload for Traceback {
    fn trace(&self, visit: &mut Visitor) {
        self.next.trace(visit);
        self.frame.trace(visit);
    }
    fn clear(&self) {
        self.next.set(None);
        self.frame.set(None);
    }
}

/// Notes that an exception passed through `frame`. Without memory the traceback stays shorter.
pub fn add(vm: &Interpreter, frame: &Frame, exception: &Value) {
    let Some(e) = exception.downcast::<Exception>() else { return };
    let entry = frame_object::of_frame(vm, frame).and_then(|object| {
        let traceback = Traceback {
            next: SlotWord::new(e.traceback.get()),
            frame: SlotWord::new(Some(object)),
            lasti: Cell::new(i64::from(frame.offset())),
            line: Cell::new(crate::instrument::start_line(frame).map(i64::from)),
        };
        vm.alloc(&state(vm).traceback, traceback)
    });
    match entry {
        Ok(entry) => e.traceback.set(Some(entry)),
        Err(raised) => drop(vm.take_raised(raised)),
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Traceback> {
    value.downcast::<Traceback>().ok_or_else(|| vm.type_error("a traceback was expected".to_string()))
}

impl Traceback {
    /// `tb_lineno`.
    pub fn line(&self) -> Option<i64> {
        if let Some(line) = self.line.get().filter(|line| *line > 0) {
            return Some(line);
        }
        let frame = self.frame.get()?;
        let code = frame.downcast::<FrameObject>()?.code()?;
        code.shown_line_at(u32::try_from(self.lasti.get()).ok()?).map(i64::from)
    }
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    let [next, frame, lasti, line] = args.values else {
        return Err(vm.type_error(format!("TracebackType() takes 4 arguments ({} given)", args.values.len())));
    };
    if !args.names.is_empty() {
        let names: Vec<String> = args.names.iter().map(|n| vm.str_lossy(n)).collect();
        if names
            .iter()
            .map(String::as_str)
            .ne(["tb_next", "tb_frame", "tb_lasti", "tb_lineno"].into_iter().skip(4 - names.len()))
        {
            return Err(vm.type_error("TracebackType() got keyword arguments in another order".to_string()));
        }
    }
    if !next.is_none() && next.downcast::<Traceback>().is_none() {
        let got = vm.type_name(next);
        return Err(vm.type_error(format!("expected traceback object or None, got '{got}'")));
    }
    if frame.downcast::<FrameObject>().is_none() {
        let got = vm.type_name(frame);
        return Err(vm.type_error(format!("TracebackType() argument 'tb_frame' must be frame, not {got}")));
    }
    let traceback = Traceback {
        next: SlotWord::new(Some(next.clone()).filter(|n| !n.is_none())),
        frame: SlotWord::new(Some(frame.clone())),
        lasti: Cell::new(vm.expect_i64(lasti)?),
        line: Cell::new(Some(vm.expect_i64(line)?)),
    };
    vm.alloc_subclass(cls, traceback)
}

fn set_next(vm: &Interpreter, value: &Value, next: Option<&Value>) -> Res<()> {
    let Some(next) = next else { return Err(vm.type_error("can't delete tb_next attribute".to_string())) };
    if !next.is_none() && next.downcast::<Traceback>().is_none() {
        let got = vm.type_name(next);
        return Err(vm.type_error(format!("expected traceback object, got '{got}'")));
    }
    let mut at = Some(next.clone()).filter(|n| !n.is_none());
    while let Some(entry) = at {
        if entry.is(value) {
            return Err(vm.value_error("traceback loop detected".to_string()));
        }
        at = entry.downcast::<Traceback>().and_then(|t| t.next.get());
    }
    this(vm, value)?.next.set(Some(next.clone()).filter(|n| !n.is_none()));
    Ok(())
}

fn dir(vm: &Interpreter, _: &Args) -> Res {
    let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
    vm.new_list(names.into_iter().map(|n| vm.intern(n)).collect::<Res<Vec<Value>>>()?)
}

pub static TRACEBACK: TypeDef = TypeDef {
    name: "traceback",
    module: "builtins",
    base: None,
    payload: payload::<Traceback>(),
    flags: TypeFlags::NONE,
    doc: "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nCreate a new traceback object.",
    slots: &[Slot::New(new)],
    methods: &[FunctionDef::new("__dir__", "($self, /)", "", NativeFn::Args(dir))],
    getset: &[
        GetSetDef {
            name: "tb_next",
            doc: "",
            get: |vm, t| Ok(this(vm, t)?.next.get().unwrap_or(Value::NONE)),
            set: Some(set_next),
        },
        GetSetDef {
            name: "tb_frame",
            doc: "",
            get: |vm, t| Ok(this(vm, t)?.frame.get().unwrap_or(Value::NONE)),
            set: None,
        },
        GetSetDef { name: "tb_lasti", doc: "", get: |vm, t| vm.new_int(this(vm, t)?.lasti.get()), set: None },
        GetSetDef {
            name: "tb_lineno",
            doc: "",
            get: |vm, t| match this(vm, t)?.line() {
                Some(line) => vm.new_int(line),
                None => Ok(Value::NONE),
            },
            set: None,
        },
    ],
};

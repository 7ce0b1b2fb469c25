//! Cells: variables that functions share.

use pellucid_object::heap::Visitor;
use pellucid_object::{CallArgs, CmpOp};
use pellucid_object::{
    GetSetDef, Interpreter, Payload, Res, Slot, SlotWord, TypeDef, TypeFlags, Value, payload,
};

/// Payload of `cell`.
#[derive(Default)]
pub struct Cell {
    pub contents: SlotWord,
}

impl Payload for Cell {
    fn trace(&self, visit: &mut Visitor) {
        self.contents.trace(visit);
    }
    fn clear(&self) {
        self.contents.set(None);
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Cell> {
    value.downcast::<Cell>().ok_or_else(|| vm.type_error("a cell was expected".to_string()))
}

fn new(vm: &Interpreter, cls: &Value, args: &CallArgs) -> Res {
    match args.values {
        _ if !args.names.is_empty() => Err(vm.type_error("cell() takes no keyword arguments".to_string())),
        [] => vm.alloc_subclass(cls, Cell::default()),
        [value] => vm.alloc_subclass(cls, Cell { contents: SlotWord::new(Some(value.clone())) }),
        more => Err(vm.type_error(format!("cell expected at most 1 argument, got {}", more.len()))),
    }
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    let what = match this(vm, value)?.contents.get() {
        None => "empty".to_string(),
        Some(inner) => format!("{} object at {:#x}", vm.type_name(&inner), inner.bits()),
    };
    vm.new_str(&format!("<cell at {:#x}: {what}>", value.bits()))
}

fn compare(vm: &Interpreter, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.downcast::<Cell>(), b.downcast::<Cell>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match (x.contents.get(), y.contents.get()) {
        (Some(x), Some(y)) => vm.compare(op, &x, &y),
        (x, y) => Ok(Value::bool(op.holds(x.is_some().cmp(&y.is_some())))),
    }
}

pub static CELL: TypeDef = TypeDef {
    name: "cell",
    module: "builtins",
    base: None,
    payload: payload::<Cell>(),
    flags: TypeFlags::NONE,
    doc: "cell([contents])\n--\n\n\
          A variable that a function shares with those inside it.",
    slots: &[
        Slot::New(new),
        Slot::Repr(repr),
        Slot::Compare(compare),
        Slot::Hash(|vm, v| Err(vm.unhashable(v))),
    ],
    methods: &[],
    getset: &[GetSetDef {
        name: "cell_contents",
        doc: "",
        get: |vm, cell| match this(vm, cell)?.contents.get() {
            Some(value) => Ok(value),
            None => Err(vm.value_error("cell is empty".to_string())),
        },
        set: Some(|vm, cell, value| {
            this(vm, cell)?.contents.set(value.cloned());
            Ok(())
        }),
    }],
};

//! The type `Pickler` and the proxy of its memo.

use super::errors::pickling;
use super::opcodes::{DEFAULT_PROTOCOL, HIGHEST_PROTOCOL};
use super::output::Output;
use super::save::{Memo, Saver, Setup};
use crate::support::{bind, this, word};
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Tuple,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};

/// Payload of `Pickler`.
#[derive(Default)]
pub struct Pickler {
    write: SlotWord,
    protocol: Cell<i64>,
    fix_imports: Cell<bool>,
    fast: Cell<i64>,
    binary: Cell<i64>,
    buffer_callback: SlotWord,
    /// Set on the instance; classes define a method.
    persistent_id: SlotWord,
    dispatch_table: SlotWord,
    pub memo: RefCell<Memo>,
    running: Cell<bool>,
}

impl Pickler {
    fn words(&self) -> [&SlotWord; 4] {
        [&self.write, &self.buffer_callback, &self.persistent_id, &self.dispatch_table]
    }
}

impl Payload for Pickler {
    fn trace(&self, visit: &mut Visitor) {
        self.words().iter().for_each(|w| w.trace(visit));
        self.memo.borrow().values().for_each(|(_, value)| visit(value));
    }
    fn clear(&self) {
        self.words().iter().for_each(|w| w.set(None));
        let memo = self.memo.take();
        drop(memo);
    }
}

/// The protocol that an argument asks for. Errors: `ValueError`.
pub fn protocol(vm: &Interpreter, value: Option<&Value>) -> Res<i64> {
    let Some(value) = value else { return Ok(DEFAULT_PROTOCOL) };
    match vm.expect_i64(value)? {
        negative if negative < 0 => Ok(HIGHEST_PROTOCOL),
        high if high > HIGHEST_PROTOCOL => {
            Err(vm.value_error(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")))
        }
        protocol => Ok(protocol),
    }
}

/// Checks that the protocol has buffers. Errors: `ValueError`.
pub fn check_callback(vm: &Interpreter, callback: Option<&Value>, protocol: i64) -> Res<()> {
    if callback.is_some() && protocol < 5 {
        return Err(vm.value_error("buffer_callback needs protocol >= 5".to_string()));
    }
    Ok(())
}

/// `file.write`. Errors: `TypeError`.
pub fn write_method(vm: &Interpreter, file: &Value) -> Res {
    match vm.get_attr_opt(file, "write")? {
        Some(write) => Ok(write),
        None => Err(vm.type_error("file must have a 'write' attribute".to_string())),
    }
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let args = bind(vm, "Pickler", "(file, protocol=None, fix_imports=True, buffer_callback=None)", call)?;
    let pickler = this::<Pickler>(vm, value)?;
    let chosen = protocol(vm, args.some(1))?;
    check_callback(vm, args.some(3), chosen)?;
    pickler.protocol.set(chosen);
    pickler.binary.set(i64::from(chosen > 0));
    pickler.fix_imports.set(args.bool_or(vm, 2, true)? && chosen < 3);
    pickler.fast.set(0);
    pickler.buffer_callback.set(args.some(3).cloned());
    let old = pickler.memo.take();
    drop(old);
    pickler.write.set(Some(write_method(vm, args.req(0))?));
    Ok(())
}

fn dump(vm: &Interpreter, value: &Value, object: &Value) -> Res {
    let pickler = this::<Pickler>(vm, value)?;
    let Some(write) = pickler.write.get() else {
        let name = vm.type_of(value).name();
        return Err(pickling(vm, &format!("Pickler.__init__() was not called by {name}.__init__()")));
    };
    if pickler.running.get() {
        return Err(vm.runtime_error("Pickler object is already used".to_string()));
    }
    let exact = vm.is_exact(value, &vm.type_for(&PICKLER)?);
    let persistent_id = match pickler.persistent_id.get() {
        Some(function) => Some(function),
        None if exact => None,
        None => {
            vm.get_attr_opt(value, "persistent_id")?.filter(|f| !super::save::is_default(f, &PERSISTENT_ID))
        }
    };
    let setup = Setup {
        protocol: pickler.protocol.get(),
        fix_imports: pickler.fix_imports.get(),
        fast: pickler.fast.get() != 0,
        buffer_callback: pickler.buffer_callback.get(),
        persistent_id,
        reducer_override: if exact { None } else { vm.get_attr_opt(value, "reducer_override")? },
        dispatch_table: vm.get_attr_opt(value, "dispatch_table")?,
    };
    pickler.running.set(true);
    let done = Saver::new(vm, Output::new(Some(write)), &pickler.memo, setup).dump(object);
    pickler.running.set(false);
    done.map(|()| Value::NONE)
}

fn clear_memo(vm: &Interpreter, value: &Value) -> Res {
    let old = this::<Pickler>(vm, value)?.memo.take();
    drop(old);
    Ok(Value::NONE)
}

/// The method that answers when no class says otherwise.
pub static PERSISTENT_ID: FunctionDef = FunctionDef::new(
    "persistent_id",
    "($self, obj, /)",
    "None: the object has no persistent id.",
    NativeFn::F2(|_, _, _| Ok(Value::NONE)),
);

fn get_persistent_id(vm: &Interpreter, value: &Value) -> Res {
    match this::<Pickler>(vm, value)?.persistent_id.get() {
        Some(function) => Ok(function),
        None => vm.new_builtin(&PERSISTENT_ID, Some(value.clone()), true, None),
    }
}

fn set_persistent_id(vm: &Interpreter, value: &Value, new: Option<&Value>) -> Res<()> {
    if let Some(new) = new
        && !crate::support::is_callable(vm, new)
    {
        return Err(vm.type_error("persistent_id must be a callable taking one argument".to_string()));
    }
    this::<Pickler>(vm, value)?.persistent_id.set(new.cloned());
    Ok(())
}

fn get_memo(vm: &Interpreter, value: &Value) -> Res {
    vm.alloc(&vm.type_for(&MEMO_PROXY)?, MemoProxy(word(value)))
}

fn set_memo(vm: &Interpreter, value: &Value, new: Option<&Value>) -> Res<()> {
    let pickler = this::<Pickler>(vm, value)?;
    let Some(new) = new else {
        return Err(vm.type_error("attribute deletion is not supported".to_string()));
    };
    let fresh: Memo = if let Some(proxy) = new.downcast::<MemoProxy>() {
        match proxy.0.get() {
            Some(other) => this::<Pickler>(vm, &other)?.memo.borrow().clone(),
            None => Memo::default(),
        }
    } else if let Some(dict) = new.downcast_ref::<Dict>() {
        let mut fresh = Memo::default();
        for (_, entry) in dict.pairs() {
            let parts = entry.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
            let [index, object] = parts.as_slice() else {
                return Err(vm.type_error("'memo' values must be 2-item tuples".to_string()));
            };
            let index = u32::try_from(vm.expect_i64(index)?)
                .map_err(|_| vm.value_error("'memo' index out of range".to_string()))?;
            fresh.insert(object.bits(), (index, object.clone()));
        }
        fresh
    } else {
        let got = vm.type_name(new);
        return Err(
            vm.type_error(format!("'memo' attribute must be a PicklerMemoProxy object or dict, not {got}"))
        );
    };
    let old = pickler.memo.replace(fresh);
    drop(old);
    Ok(())
}

const fn flag(
    name: &'static str,
    get: fn(&Interpreter, &Value) -> Res,
    set: pellucid_object::native::Setter,
) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: Some(set) }
}

pub static PICKLER: TypeDef = TypeDef {
    name: "Pickler",
    module: "_pickle",
    base: None,
    payload: payload::<Pickler>(),
    flags: TypeFlags::BASETYPE,
    doc: "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\nWrites pickles to a file.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Pickler::default())), Slot::Init(init)],
    methods: &[
        FunctionDef::new("dump", "($self, obj, /)", "Writes an object.", NativeFn::F2(dump)),
        FunctionDef::new(
            "clear_memo",
            "($self, /)",
            "Forgets the objects written.",
            NativeFn::F1(clear_memo),
        ),
    ],
    getset: &[
        GetSetDef { name: "memo", doc: "", get: get_memo, set: Some(set_memo) },
        GetSetDef { name: "persistent_id", doc: "", get: get_persistent_id, set: Some(set_persistent_id) },
        GetSetDef {
            name: "dispatch_table",
            doc: "",
            get: |vm, v| match this::<Pickler>(vm, v)?.dispatch_table.get() {
                Some(table) => Ok(table),
                None => Err(vm.no_attribute(v, &vm.intern_static("dispatch_table")?)),
            },
            set: Some(|vm, v, new| {
                this::<Pickler>(vm, v)?.dispatch_table.set(new.cloned());
                Ok(())
            }),
        },
        flag(
            "fast",
            |vm, v| vm.new_int(this::<Pickler>(vm, v)?.fast.get()),
            |vm, v, new| {
                let number = new.map_or(Ok(0), |n| vm.expect_i64(n))?;
                this::<Pickler>(vm, v)?.fast.set(number);
                Ok(())
            },
        ),
        flag(
            "bin",
            |vm, v| vm.new_int(this::<Pickler>(vm, v)?.binary.get()),
            |vm, v, new| {
                let number = new.map_or(Ok(0), |n| vm.expect_i64(n))?;
                this::<Pickler>(vm, v)?.binary.set(number);
                Ok(())
            },
        ),
    ],
};

/// Payload of `PicklerMemoProxy`.
pub struct MemoProxy(SlotWord);

impl Payload for MemoProxy {
    fn trace(&self, visit: &mut Visitor) {
        self.0.trace(visit);
    }
    fn clear(&self) {
        self.0.set(None);
    }
}

fn proxied(vm: &Interpreter, value: &Value) -> Res {
    match this::<MemoProxy>(vm, value)?.0.get() {
        Some(pickler) => Ok(pickler),
        None => Err(vm.runtime_error("the pickler is gone".to_string())),
    }
}

/// `{id: (number, object)}`.
fn copy_memo(vm: &Interpreter, value: &Value) -> Res {
    let pickler = proxied(vm, value)?;
    let entries: Vec<(u64, (u32, Value))> =
        this::<Pickler>(vm, &pickler)?.memo.borrow().iter().map(|(k, v)| (*k, v.clone())).collect();
    let dict = vm.new_dict()?;
    for (id, (index, object)) in entries {
        let pair = vm.new_tuple(vec![vm.new_int(i64::from(index))?, object])?;
        dict.set(vm, vm.new_int(id as i64)?, pair)?;
    }
    Ok(dict.into_value())
}

static MEMO_PROXY: TypeDef = TypeDef {
    name: "PicklerMemoProxy",
    module: "_pickle",
    base: None,
    payload: payload::<MemoProxy>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Hash(|vm, v| Err(vm.unhashable(v)))],
    methods: &[
        FunctionDef::new(
            "clear",
            "($self, /)",
            "Forgets all objects.",
            NativeFn::F1(|vm, v| clear_memo(vm, &proxied(vm, v)?)),
        ),
        FunctionDef::new("copy", "($self, /)", "The memo as a dict.", NativeFn::F1(copy_memo)),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "What pickling stores.",
            NativeFn::F1(|vm, v| {
                let args = vm.new_tuple(vec![copy_memo(vm, v)?])?;
                vm.new_tuple(vec![vm.types().dict.value().clone(), args])
            }),
        ),
    ],
    getset: &[],
};

// ---- functions ----

fn setup(vm: &Interpreter, protocol: i64, fix_imports: bool, callback: Option<&Value>) -> Res<Setup> {
    check_callback(vm, callback, protocol)?;
    Ok(Setup {
        protocol,
        fix_imports: fix_imports && protocol < 3,
        fast: false,
        buffer_callback: callback.cloned(),
        persistent_id: None,
        reducer_override: None,
        dispatch_table: None,
    })
}

/// `dump(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)`.
pub fn dump_function(vm: &Interpreter, args: &Args) -> Res {
    let setup = setup(vm, protocol(vm, args.some(2))?, args.bool_or(vm, 3, true)?, args.some(4))?;
    let write = write_method(vm, args.req(1))?;
    let memo = RefCell::default();
    Saver::new(vm, Output::new(Some(write)), &memo, setup).dump(args.req(0))?;
    Ok(Value::NONE)
}

/// `dumps(obj, protocol=None, *, fix_imports=True, buffer_callback=None)`.
pub fn dumps_function(vm: &Interpreter, args: &Args) -> Res {
    let setup = setup(vm, protocol(vm, args.some(1))?, args.bool_or(vm, 2, true)?, args.some(3))?;
    let memo = RefCell::default();
    let mut saver = Saver::new(vm, Output::new(None), &memo, setup);
    saver.dump(args.req(0))?;
    vm.new_bytes(saver.out.into_bytes())
}

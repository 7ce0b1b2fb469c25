//! The type `Unpickler` and the proxy of its memo.

use super::errors::unpickling;
use super::load::{self, Loader, Setup};
use super::memo::Memo;
use super::source::{File, Source};
use crate::support::{bind, this, word};
use pellucid_object::bytes::Bytes;
use pellucid_object::{
    Args, CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Str,
    TypeDef, TypeFlags, Value, Visitor, payload,
};
use std::cell::{Cell, RefCell};

/// Payload of `Unpickler`.
#[derive(Default)]
pub struct Unpickler {
    read: SlotWord,
    readline: SlotWord,
    buffers: SlotWord,
    persistent_load: SlotWord,
    encoding: RefCell<String>,
    errors: RefCell<String>,
    fix_imports: Cell<bool>,
    protocol: Cell<i64>,
    memo: RefCell<Memo>,
    /// Read from the file beyond the last pickle.
    ahead: RefCell<Vec<u8>>,
    running: Cell<bool>,
}

impl Unpickler {
    fn words(&self) -> [&SlotWord; 4] {
        [&self.read, &self.readline, &self.buffers, &self.persistent_load]
    }
}

impl Payload for Unpickler {
    fn trace(&self, visit: &mut Visitor) {
        self.words().iter().for_each(|w| w.trace(visit));
        self.memo.borrow().entries().for_each(|(_, object)| visit(object));
    }
    fn clear(&self) {
        self.words().iter().for_each(|w| w.set(None));
        let memo = self.memo.take();
        drop(memo);
    }
}

/// `read` and `readline` of a file. Errors: `TypeError`.
fn file_methods(vm: &Interpreter, file: &Value) -> Res<(Value, Value)> {
    match (vm.get_attr_opt(file, "read")?, vm.get_attr_opt(file, "readline")?) {
        (Some(read), Some(readline)) => Ok((read, readline)),
        _ => Err(vm.type_error("file must have 'read' and 'readline' attributes".to_string())),
    }
}

fn text(
    vm: &Interpreter,
    function: &str,
    args: &Args,
    index: usize,
    name: &str,
    default: &str,
) -> Res<String> {
    match args.get(index) {
        None => Ok(default.to_string()),
        Some(value) if value.downcast::<Str>().is_some() => Ok(vm.str_lossy(value)),
        Some(value) => {
            let got = vm.type_name(value);
            Err(vm.type_error(format!("{function}() argument '{name}' must be str, not {got}")))
        }
    }
}

fn buffers(vm: &Interpreter, value: Option<&Value>) -> Res<Option<Value>> {
    value.map(|b| vm.iter(b)).transpose()
}

fn init(vm: &Interpreter, value: &Value, call: &CallArgs) -> Res<()> {
    let signature = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())";
    let args = bind(vm, "Unpickler", signature, call)?;
    let unpickler = this::<Unpickler>(vm, value)?;
    let (read, readline) = file_methods(vm, args.req(0))?;
    *unpickler.encoding.borrow_mut() = text(vm, "Unpickler", &args, 2, "encoding", "ASCII")?;
    *unpickler.errors.borrow_mut() = text(vm, "Unpickler", &args, 3, "errors", "strict")?;
    unpickler.buffers.set(buffers(vm, args.some(4))?);
    unpickler.fix_imports.set(args.bool_or(vm, 1, true)?);
    unpickler.protocol.set(0);
    let old = unpickler.memo.take();
    drop(old);
    unpickler.ahead.borrow_mut().clear();
    unpickler.read.set(Some(read));
    unpickler.readline.set(Some(readline));
    Ok(())
}

fn load_method(vm: &Interpreter, value: &Value) -> Res {
    let unpickler = this::<Unpickler>(vm, value)?;
    let (Some(read), Some(readline)) = (unpickler.read.get(), unpickler.readline.get()) else {
        let name = vm.type_of(value).name();
        return Err(unpickling(vm, &format!("Unpickler.__init__() was not called by {name}.__init__()")));
    };
    if unpickler.running.get() {
        return Err(vm.runtime_error("Unpickler object is already used".to_string()));
    }
    let exact = vm.is_exact(value, &vm.type_for(&UNPICKLER)?);
    let persistent_load = match unpickler.persistent_load.get() {
        Some(function) => Some(function),
        None if exact => None,
        None => vm
            .get_attr_opt(value, "persistent_load")?
            .filter(|f| !super::save::is_default(f, &PERSISTENT_LOAD)),
    };
    let setup = Setup {
        fix_imports: unpickler.fix_imports.get(),
        encoding: unpickler.encoding.borrow().clone(),
        errors: unpickler.errors.borrow().clone(),
        buffers: unpickler.buffers.get(),
        finder: if exact { None } else { Some(value.clone()) },
        persistent_load,
    };
    let file = File { read, readline, ahead: unpickler.ahead.take() };
    let memo = RefCell::new(unpickler.memo.take());
    unpickler.running.set(true);
    let mut loader = Loader::new(vm, Source::File { file, at: 0 }, &memo, setup);
    loader.publish(&unpickler.protocol);
    let result = loader.load();
    let (source, protocol) = loader.finish();
    unpickler.running.set(false);
    unpickler.protocol.set(protocol);
    if let Source::File { mut file, at } = source {
        *unpickler.ahead.borrow_mut() = file.ahead.split_off(at.min(file.ahead.len()));
    }
    let old = unpickler.memo.replace(memo.into_inner());
    drop(old);
    result
}

fn find_class(vm: &Interpreter, value: &Value, module: &Value, name: &Value) -> Res {
    let unpickler = this::<Unpickler>(vm, value)?;
    load::find_class(vm, unpickler.protocol.get(), unpickler.fix_imports.get(), module, name)
}

/// The method that answers when no class says otherwise.
pub static PERSISTENT_LOAD: FunctionDef = FunctionDef::new(
    "persistent_load",
    "($self, pid, /)",
    "Refuses: nobody said what persistent ids mean.",
    NativeFn::F2(|vm, _, _| {
        Err(unpickling(
            vm,
            "A load persistent id instruction was encountered, but no persistent_load function was specified.",
        ))
    }),
);

fn get_persistent_load(vm: &Interpreter, value: &Value) -> Res {
    match this::<Unpickler>(vm, value)?.persistent_load.get() {
        Some(function) => Ok(function),
        None => vm.new_builtin(&PERSISTENT_LOAD, Some(value.clone()), true, None),
    }
}

fn set_persistent_load(vm: &Interpreter, value: &Value, new: Option<&Value>) -> Res<()> {
    if let Some(new) = new
        && !crate::support::is_callable(vm, new)
    {
        return Err(vm.type_error("persistent_load must be a callable taking one argument".to_string()));
    }
    this::<Unpickler>(vm, value)?.persistent_load.set(new.cloned());
    Ok(())
}

fn get_memo(vm: &Interpreter, value: &Value) -> Res {
    vm.alloc(&vm.type_for(&MEMO_PROXY)?, MemoProxy(word(value)))
}

fn set_memo(vm: &Interpreter, value: &Value, new: Option<&Value>) -> Res<()> {
    let unpickler = this::<Unpickler>(vm, value)?;
    let Some(new) = new else {
        return Err(vm.type_error("attribute deletion is not supported".to_string()));
    };
    let fresh: Memo = if let Some(proxy) = new.downcast::<MemoProxy>() {
        match proxy.0.get() {
            Some(other) => this::<Unpickler>(vm, &other)?.memo.borrow().clone(),
            None => Memo::default(),
        }
    } else if let Some(dict) = new.downcast_ref::<Dict>() {
        let mut fresh = Memo::default();
        for (key, object) in dict.pairs() {
            if key.as_int().is_none() {
                return Err(vm.type_error("memo key must be integers".to_string()));
            }
            let index = usize::try_from(vm.expect_i64(&key)?)
                .map_err(|_| vm.value_error("memo key must be positive integers.".to_string()))?;
            drop(fresh.set(vm, index, object)?);
        }
        fresh
    } else {
        let got = vm.type_name(new);
        return Err(vm.type_error(format!(
            "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {got}"
        )));
    };
    let old = unpickler.memo.replace(fresh);
    drop(old);
    Ok(())
}

pub static UNPICKLER: TypeDef = TypeDef {
    name: "Unpickler",
    module: "_pickle",
    base: None,
    payload: payload::<Unpickler>(),
    flags: TypeFlags::BASETYPE,
    doc: "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())\n--\n\nReads pickles from a \
          file.",
    slots: &[Slot::New(|vm, cls, _| vm.alloc_subclass(cls, Unpickler::default())), Slot::Init(init)],
    methods: &[
        FunctionDef::new("load", "($self, /)", "Reads one object.", NativeFn::F1(load_method)),
        FunctionDef::new(
            "find_class",
            "($self, module_name, global_name, /)",
            "The object of that name in that module.",
            NativeFn::F3(find_class),
        ),
    ],
    getset: &[
        GetSetDef { name: "memo", doc: "", get: get_memo, set: Some(set_memo) },
        GetSetDef {
            name: "persistent_load",
            doc: "",
            get: get_persistent_load,
            set: Some(set_persistent_load),
        },
    ],
};

/// Payload of `UnpicklerMemoProxy`.
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
        Some(unpickler) => Ok(unpickler),
        None => Err(vm.runtime_error("the unpickler is gone".to_string())),
    }
}

fn copy_memo(vm: &Interpreter, value: &Value) -> Res {
    let unpickler = proxied(vm, value)?;
    let entries = this::<Unpickler>(vm, &unpickler)?.memo.borrow().clone();
    let dict = vm.new_dict()?;
    for (i, object) in entries.entries() {
        dict.set(vm, vm.new_int(i as i64)?, object.clone())?;
    }
    Ok(dict.into_value())
}

static MEMO_PROXY: TypeDef = TypeDef {
    name: "UnpicklerMemoProxy",
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
            NativeFn::F1(|vm, v| {
                let unpickler = proxied(vm, v)?;
                let old = this::<Unpickler>(vm, &unpickler)?.memo.take();
                drop(old);
                Ok(Value::NONE)
            }),
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

fn setup(vm: &Interpreter, function: &str, args: &Args) -> Res<Setup> {
    Ok(Setup {
        fix_imports: args.bool_or(vm, 1, true)?,
        encoding: text(vm, function, args, 2, "encoding", "ASCII")?,
        errors: text(vm, function, args, 3, "errors", "strict")?,
        buffers: buffers(vm, args.some(4))?,
        finder: None,
        persistent_load: None,
    })
}

/// `load(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())`.
pub fn load_function(vm: &Interpreter, args: &Args) -> Res {
    let (read, readline) = file_methods(vm, args.req(0))?;
    let setup = setup(vm, "load", args)?;
    let memo = RefCell::default();
    let file = File { read, readline, ahead: Vec::new() };
    Loader::new(vm, Source::File { file, at: 0 }, &memo, setup).load()
}

/// `loads(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())`.
pub fn loads_function(vm: &Interpreter, args: &Args) -> Res {
    let setup = setup(vm, "loads", args)?;
    let memo = RefCell::default();
    let data = args.req(0);
    let copy;
    let bytes = match data.downcast::<Bytes>() {
        Some(bytes) => bytes.as_slice(),
        None => {
            copy = vm.copied(&vm.bytes_like(data)?.bytes())?;
            &copy
        }
    };
    Loader::new(vm, Source::Memory { bytes, at: 0 }, &memo, setup).load()
}

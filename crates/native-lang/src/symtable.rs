//! `_symtable`: the compiler's symbol tables as objects.

use pellucid_compiler::symtable::{BlockId, BlockKind, Reach, SymbolTable, symbol};
use pellucid_compiler::{Options, symbol_table};
use pellucid_object::{
    Args, CompileRequest, FunctionDef, GetSetDef, Interpreter, ModuleDef, NativeFn, Payload, Res, Slot,
    SlotWord, TypeDef, TypeFlags, Value, Visitor, constant, payload,
};
use pellucid_syntax::Mode;

/// A block of the table. The fields are the attributes of their names.
struct Entry {
    name: SlotWord,
    symbols: SlotWord,
    varnames: SlotWord,
    children: SlotWord,
    kind: BlockKind,
    line: u32,
    nested: bool,
}

impl Payload for Entry {
    fn trace(&self, visit: &mut Visitor) {
        [&self.name, &self.symbols, &self.varnames, &self.children].iter().for_each(|word| word.trace(visit));
    }
    fn clear(&self) {
        [&self.name, &self.symbols, &self.varnames, &self.children].iter().for_each(|word| word.set(None));
    }
}

fn symtable(vm: &Interpreter, args: &Args) -> Res {
    let mode = match args.string(vm, 2)?.as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => {
            let message = "symtable() arg 3 must be 'exec' or 'eval' or 'single'";
            return Err(vm.value_error(message.to_string()));
        }
    };
    let filename = args.req(1);
    let mode_name = args.string(vm, 2)?;
    let request = CompileRequest { source: args.req(0), filename, mode: &mode_name, flags: 0, optimize: -1 };
    let parsed = crate::compile::parse(vm, &request, mode)?;
    let table = symbol_table(&parsed, &Options::default())
        .map_err(|error| crate::compile::raise(vm, &error, filename))?;
    entry(vm, &table, SymbolTable::TOP)
}

fn entry(vm: &Interpreter, table: &SymbolTable, id: BlockId) -> Res {
    let block = table.block(id);
    let symbols = vm.new_dict()?;
    for (name, flags) in block.symbols.iter() {
        symbols.set(vm, vm.intern(name)?, vm.new_int(i64::from(flags))?)?;
    }
    let varnames = block.parameters.iter().map(|name| vm.intern(name)).collect::<Res<Vec<Value>>>()?;
    let children =
        block.children.iter().map(|&child| vm.nested(" during compilation", || entry(vm, table, child)));
    let children = children.collect::<Res<Vec<Value>>>()?;
    let payload = Entry {
        name: SlotWord::new(Some(vm.intern(&block.name)?)),
        symbols: SlotWord::new(Some(symbols.into_value())),
        varnames: SlotWord::new(Some(vm.new_list(varnames)?)),
        children: SlotWord::new(Some(vm.new_list(children)?)),
        kind: block.kind,
        line: block.line,
        nested: block.nested,
    };
    vm.alloc(&vm.type_for(&ENTRY)?, payload)
}

fn with<T>(vm: &Interpreter, this: &Value, f: impl FnOnce(&Entry) -> Res<T>) -> Res<T> {
    match this.downcast::<Entry>() {
        Some(entry) => f(entry),
        None => Err(vm.type_error("a symbol table entry is needed".to_string())),
    }
}

fn repr(vm: &Interpreter, this: &Value) -> Res {
    let name = with(vm, this, |entry| Ok(vm.str_lossy(&word(&entry.name))))?;
    let line = with(vm, this, |entry| Ok(entry.line))?;
    vm.new_str(&format!("<symtable entry {name}({}), line {line}>", identity(this)))
}

fn word(word: &SlotWord) -> Value {
    word.get().unwrap_or(Value::NONE)
}

fn identity(this: &Value) -> u64 {
    this.bits()
}

/// The numbers that stand for kinds of blocks.
const KINDS: [(&str, BlockKind); 7] = [
    ("TYPE_FUNCTION", BlockKind::Function),
    ("TYPE_CLASS", BlockKind::Class),
    ("TYPE_MODULE", BlockKind::Module),
    ("TYPE_ANNOTATION", BlockKind::Annotation),
    ("TYPE_TYPE_ALIAS", BlockKind::TypeAlias),
    ("TYPE_TYPE_PARAMETERS", BlockKind::TypeParameters),
    ("TYPE_TYPE_VARIABLE", BlockKind::TypeVariable),
];

fn kind(vm: &Interpreter, this: &Value) -> Res {
    let kind = with(vm, this, |entry| Ok(entry.kind))?;
    vm.new_int(KINDS.iter().position(|(_, k)| *k == kind).unwrap_or(0) as i64)
}

const fn get(name: &'static str, get: fn(&Interpreter, &Value) -> Res) -> GetSetDef {
    GetSetDef { name, doc: "", get, set: None }
}

static ENTRY: TypeDef = TypeDef {
    name: "symtable entry",
    module: "builtins",
    base: None,
    payload: payload::<Entry>(),
    flags: TypeFlags::NO_NEW,
    doc: "",
    slots: &[Slot::Repr(repr)],
    methods: &[],
    getset: &[
        get("id", |vm, this| vm.new_int(identity(this) as i64)),
        get("name", |vm, this| with(vm, this, |entry| Ok(word(&entry.name)))),
        get("symbols", |vm, this| with(vm, this, |entry| Ok(word(&entry.symbols)))),
        get("varnames", |vm, this| with(vm, this, |entry| Ok(word(&entry.varnames)))),
        get("children", |vm, this| with(vm, this, |entry| Ok(word(&entry.children)))),
        get("nested", |vm, this| with(vm, this, |entry| vm.new_int(i64::from(entry.nested)))),
        get("type", kind),
        get("lineno", |vm, this| with(vm, this, |entry| vm.new_int(i64::from(entry.line)))),
    ],
};

/// `DEF_*`, `USE`, the scopes, and the kinds of blocks.
fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    for (index, (name, _)) in KINDS.iter().enumerate() {
        vm.set_attr_str(module, name, vm.new_int(index as i64)?)?;
    }
    let scopes = [
        ("LOCAL", Reach::Local),
        ("GLOBAL_EXPLICIT", Reach::GlobalExplicit),
        ("GLOBAL_IMPLICIT", Reach::GlobalImplicit),
        ("FREE", Reach::Free),
        ("CELL", Reach::Cell),
    ];
    for (name, reach) in scopes {
        vm.set_attr_str(module, name, vm.new_int(reach as i64)?)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_symtable",
    doc: "",
    functions: &[FunctionDef::new(
        "symtable",
        "($module, source, filename, startstr, /)",
        "Return symbol and scope dictionaries used internally by compiler.",
        NativeFn::Args(symtable),
    )],
    types: &[],
    constants: &[
        constant("USE", |vm| vm.new_int(symbol::USE.into())),
        constant("DEF_GLOBAL", |vm| vm.new_int(symbol::GLOBAL.into())),
        constant("DEF_NONLOCAL", |vm| vm.new_int(symbol::NONLOCAL.into())),
        constant("DEF_LOCAL", |vm| vm.new_int(symbol::LOCAL.into())),
        constant("DEF_PARAM", |vm| vm.new_int(symbol::PARAM.into())),
        constant("DEF_TYPE_PARAM", |vm| vm.new_int(symbol::TYPE_PARAM.into())),
        constant("DEF_FREE_CLASS", |vm| vm.new_int(symbol::FREE_CLASS.into())),
        constant("DEF_IMPORT", |vm| vm.new_int(symbol::IMPORT.into())),
        constant("DEF_BOUND", |vm| vm.new_int(symbol::BOUND.into())),
        constant("DEF_ANNOT", |vm| vm.new_int(symbol::ANNOT.into())),
        constant("DEF_COMP_ITER", |vm| vm.new_int(symbol::COMP_ITER.into())),
        constant("DEF_COMP_CELL", |vm| vm.new_int(symbol::COMP_CELL.into())),
        constant("SCOPE_OFF", |vm| vm.new_int(symbol::SCOPE_OFFSET.into())),
        constant("SCOPE_MASK", |vm| vm.new_int(symbol::SCOPE_MASK.into())),
    ],
    init: Some(init),
};

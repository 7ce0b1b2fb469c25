//! The importer of the embedded library, as Python code sees it: the finder that `sys.path_importer_cache` holds for the
//! library's entry in `sys.path`, and the `__loader__` of its modules. It has the methods of `zipimport.zipimporter`.

use crate::import::{self, ImportState};
use crate::importlib;
use pellucid_object::{
    Args, CallArgs, FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, TypeDef, TypeFlags,
    Value, heap::SlotWord, payload,
};

/// An importer for one folder of the library.
pub struct Importer {
    /// The entry of a path that it stands for.
    archive: String,
    /// The folder in the library, with a dot behind each part: `""`, `"json."`.
    prefix: String,
}

impl Payload for Importer {}

/// The importer that is the `__loader__` of all modules of the library.
#[derive(Default)]
struct Loader(SlotWord);

/// The importer for the whole library.
pub fn for_library(vm: &Interpreter) -> Res {
    let loader = vm.state::<Loader>();
    if let Some(found) = loader.0.get() {
        return Ok(found);
    }
    let archive = vm.state::<ImportState>().library.borrow().to_string();
    let made = make(vm, archive, String::new())?;
    loader.0.set(Some(made.clone()));
    Ok(made)
}

fn make(vm: &Interpreter, archive: String, prefix: String) -> Res {
    vm.alloc(&vm.type_for(&IMPORTER)?, Importer { archive, prefix })
}

/// The hook in `sys.path_hooks`.
pub static PATH_HOOK: FunctionDef = FunctionDef::new(
    "library_path_hook",
    "(path, /)",
    "The importer of a folder of the embedded library, or ImportError for any other path.",
    NativeFn::F1(path_hook),
);

fn path_hook(vm: &Interpreter, path: &Value) -> Res {
    let state = vm.state::<ImportState>();
    let text = vm.str_lossy(path);
    let library = state.library.borrow().clone();
    match text.strip_prefix(&*library) {
        Some("") => for_library(vm),
        Some(below) if below.starts_with('/') => {
            let prefix = format!("{}.", below.trim_matches('/').replace('/', "."));
            make(vm, text, prefix)
        }
        _ => Err(vm.raise_text(&vm.exceptions().import_error().clone(), "not a folder of the library")),
    }
}

fn this<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Importer> {
    value.downcast::<Importer>().ok_or_else(|| vm.type_error("not a library importer".to_string()))
}

/// The module of a full name, as the loader knows it.
fn known(vm: &Interpreter, name: &Value) -> Res<(String, &'static pellucid_library::Module)> {
    let text = vm.expect_str(name)?;
    match pellucid_library::module(&text) {
        Some(module) => Ok((text, module)),
        None => {
            let message = format!("can't find module {}", vm.repr_lossy(name)?);
            Err(vm.raise_text(&vm.exceptions().import_error().clone(), &message))
        }
    }
}

fn file_of(vm: &Interpreter, module: &pellucid_library::Module) -> String {
    format!("{}/{}", vm.state::<ImportState>().library.borrow(), module.path)
}

/// `ModuleSpec(name, loader, origin=file, is_package=package)`, with a location.
pub fn spec(
    vm: &Interpreter,
    bootstrap: &Value,
    name: &Value,
    loader: &Value,
    file: &Value,
    package: bool,
) -> Res {
    let make = vm.get_attr_str(bootstrap, "ModuleSpec")?;
    let values = [name.clone(), loader.clone(), file.clone(), Value::bool(package)];
    let names = [vm.intern_static("origin")?, vm.intern_static("is_package")?];
    let spec = vm.call(&make, &CallArgs { values: &values, names: &names })?;
    vm.set_attr_str(&spec, "_set_fileattr", Value::TRUE)?;
    vm.set_attr_str(&spec, "_cached", Value::NONE)?;
    if package {
        let text = vm.str_lossy(file);
        let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
        let locations = vm.new_list(vec![vm.new_str(folder)?])?;
        vm.set_attr_str(&spec, "submodule_search_locations", locations)?;
    }
    Ok(spec)
}

fn find_spec(vm: &Interpreter, args: &Args) -> Res {
    let importer = this(vm, args.req(0))?;
    let full = args.string(vm, 1)?;
    let tail = full.rsplit_once('.').map_or(full.as_str(), |(_, tail)| tail);
    let name = format!("{}{tail}", importer.prefix);
    let Some(module) = pellucid_library::module(&name) else { return Ok(Value::NONE) };
    let bootstrap = importlib::bootstrap(vm)?;
    let loader = for_library(vm)?;
    spec(vm, &bootstrap, args.req(1), &loader, &vm.new_str(&file_of(vm, module))?, module.package)
}

fn exec_module(vm: &Interpreter, _: &Value, module: &Value) -> Res {
    let name = vm.get_attr_str(module, "__name__")?;
    let (_, found) = known(vm, &name)?;
    let code = import::library_code(vm, &vm.state::<ImportState>(), &file_of(vm, found), found)?;
    import::run_in(vm, &code, module)?;
    Ok(Value::NONE)
}

fn get_code(vm: &Interpreter, _: &Value, name: &Value) -> Res {
    let (_, found) = known(vm, name)?;
    import::library_code(vm, &vm.state::<ImportState>(), &file_of(vm, found), found)
}

fn get_source(vm: &Interpreter, _: &Value, name: &Value) -> Res {
    let (_, found) = known(vm, name)?;
    vm.new_str(&String::from_utf8_lossy(&found.source.unpack()))
}

fn get_filename(vm: &Interpreter, _: &Value, name: &Value) -> Res {
    let (_, found) = known(vm, name)?;
    vm.new_str(&file_of(vm, found))
}

fn is_package(vm: &Interpreter, _: &Value, name: &Value) -> Res {
    Ok(Value::bool(known(vm, name)?.1.package))
}

/// The bytes of any file of the library.
pub fn read(vm: &Interpreter, path: &str) -> Option<Vec<u8>> {
    let library = vm.state::<ImportState>().library.borrow().clone();
    let below = path.strip_prefix(&*library).map_or(path, |below| below.trim_start_matches('/'));
    if let Some(data) = pellucid_library::data(below) {
        return Some(data.unpack());
    }
    let name = below.strip_suffix(".py")?.replace('/', ".");
    let name = name.strip_suffix(".__init__").unwrap_or(&name);
    let module = pellucid_library::module(name)?;
    (module.path == below).then(|| module.source.unpack())
}

fn get_data(vm: &Interpreter, _: &Value, path: &Value) -> Res {
    let text = vm.expect_str(path)?;
    match read(vm, &text) {
        Some(bytes) => vm.new_bytes(bytes),
        None => Err(vm.os_error_at(pellucid_host::Error::os(pellucid_host::libc::ENOENT), path)),
    }
}

/// The names of files in a folder of the library, folders with `/` behind.
fn list(vm: &Interpreter, _: &Value, folder: &Value) -> Res {
    let text = vm.expect_str(folder)?;
    let library = vm.state::<ImportState>().library.borrow().clone();
    let below = text.strip_prefix(&*library).unwrap_or(&text).trim_matches('/');
    let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
    let mut names: Vec<String> = pellucid_library::modules()
        .map(|(_, module)| module.path)
        .chain(pellucid_library::data_paths())
        .filter_map(|path| path.strip_prefix(&prefix))
        .map(|rest| match rest.split_once('/') {
            Some((folder, _)) => format!("{folder}/"),
            None => rest.to_string(),
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let names = names.iter().map(|name| vm.new_str(name)).collect::<Res<Vec<_>>>()?;
    vm.new_list(names)
}

/// For `pkgutil.iter_modules`: pairs of name and whether it is a package.
fn iter_modules(vm: &Interpreter, args: &Args) -> Res {
    let importer = this(vm, args.req(0))?;
    let prefix = match args.get(1) {
        Some(_) => args.string(vm, 1)?,
        None => String::new(),
    };
    let mut names: Vec<(&str, bool)> = pellucid_library::modules()
        .filter_map(|(name, module)| Some((name.strip_prefix(importer.prefix.as_str())?, module.package)))
        .filter(|(name, _)| !name.contains('.'))
        .collect();
    names.sort_unstable();
    let pairs = names
        .into_iter()
        .map(|(name, package)| {
            vm.new_tuple(vec![vm.new_str(&format!("{prefix}{name}"))?, Value::bool(package)])
        })
        .collect::<Res<Vec<_>>>()?;
    let pairs = vm.new_list(pairs)?;
    vm.iter(&pairs)
}

fn get_resource_reader(vm: &Interpreter, this: &Value, name: &Value) -> Res {
    let (_, found) = known(vm, name)?;
    if !found.package {
        return Ok(Value::NONE);
    }
    let folder = file_of(vm, found);
    let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
    let reader = import::import_absolute(vm, &vm.intern_static("_pellucid_resources")?)?;
    vm.call_attr(&reader, "LibraryReader", &[this.clone(), vm.new_str(folder)?])
}

fn repr(vm: &Interpreter, value: &Value) -> Res {
    vm.new_str(&format!("<library importer {:?}>", this(vm, value)?.archive))
}

/// The type of importers.
pub static IMPORTER: TypeDef = TypeDef {
    name: "LibraryImporter",
    module: "_imp",
    base: None,
    payload: payload::<Importer>(),
    flags: TypeFlags::NONE,
    doc: "Finds and loads the modules of the embedded standard library.",
    slots: &[Slot::Repr(repr)],
    methods: &[
        FunctionDef::new(
            "find_spec",
            "($self, fullname, target=None)",
            "The spec of a module, or None.",
            NativeFn::Args(find_spec),
        ),
        FunctionDef::new(
            "create_module",
            "($self, spec, /)",
            "None: modules are made as usual.",
            NativeFn::F2(|_, _, _| Ok(Value::NONE)),
        ),
        FunctionDef::new("exec_module", "($self, module, /)", "Run the module.", NativeFn::F2(exec_module)),
        FunctionDef::new("get_code", "($self, fullname, /)", "The module's code.", NativeFn::F2(get_code)),
        FunctionDef::new(
            "get_source",
            "($self, fullname, /)",
            "The module's source.",
            NativeFn::F2(get_source),
        ),
        FunctionDef::new(
            "get_filename",
            "($self, fullname, /)",
            "What the module's __file__ is.",
            NativeFn::F2(get_filename),
        ),
        FunctionDef::new(
            "is_package",
            "($self, fullname, /)",
            "Whether the module is a package.",
            NativeFn::F2(is_package),
        ),
        FunctionDef::new("get_data", "($self, path, /)", "The bytes of a file.", NativeFn::F2(get_data)),
        FunctionDef::new("list", "($self, path, /)", "The names in a folder.", NativeFn::F2(list)),
        FunctionDef::new(
            "iter_modules",
            "($self, prefix='')",
            "Names of modules, each with whether it is a package.",
            NativeFn::Args(iter_modules),
        ),
        FunctionDef::new(
            "get_resource_reader",
            "($self, fullname, /)",
            "A reader of the package's files.",
            NativeFn::F2(get_resource_reader),
        ),
        FunctionDef::new(
            "invalidate_caches",
            "($self, /)",
            "Nothing: the library does not change.",
            NativeFn::F1(|_, _| Ok(Value::NONE)),
        ),
    ],
    getset: &[
        GetSetDef {
            name: "archive",
            doc: "The entry of sys.path.",
            get: |vm, value| vm.new_str(&this(vm, value)?.archive),
            set: None,
        },
        GetSetDef {
            name: "prefix",
            doc: "The folder in the library.",
            get: |vm, value| vm.new_str(&this(vm, value)?.prefix.replace('.', "/")),
            set: None,
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_path() {
        let vm = Interpreter::new().expect("memory");
        vm.state::<ImportState>().library.replace("/x/lib".into());
        assert!(read(&vm, "/x/lib/json/decoder.py").is_some());
        assert!(read(&vm, "json/__init__.py").is_some());
        assert!(read(&vm, "/x/lib/json.py").is_none());
        assert!(read(&vm, "/x/lib/venv/scripts/common/activate").is_some());
    }
}

//! Packs the Python half of the standard library into two files of the output directory: `library.bin`, everything one
//! behind the other, and `library.rs`, perfect hash tables that say what is where.
//!
//! Modules are compiled and verified here; a module that cannot be compiled is stored as source only, which is the
//! case of a few files that are not meant to be imported.
//!
//! Modules come from CPython's library (the crate `rustpython-pylib`) and from the `py` folders of our crates, which
//! take precedence.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io, thread};

/// Folders of our own modules; a later one takes precedence over an earlier one, and over CPython's library.
const OWN: &[&str] = &["py", "../notebook/py", "../lens/py"];

/// Parts of the library that are of no use: they need the GUI toolkit, or are tests of it.
const LEFT_OUT: &[&str] = &["idlelib", "turtledemo", "tkinter", "turtle.py"];

/// Where CPython's library looks for instructions that our wordcode does not have: file, what it says, what it is to say.
const ADAPTED: &[(&str, &str, &str)] = &[
    // Code that has begun is behind RESUME there, at its first instruction here.
    ("pdb.py", "if prev is not None and prev.opname == 'RESUME':", "if instr.opname != 'GEN_START':"),
];

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = BTreeMap::new();
    gather(Path::new(rustpython_pylib::LIB_PATH), "", &mut files)?;
    for folder in OWN {
        let folder = here.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        if folder.is_dir() {
            gather(&folder, "", &mut files)?;
        }
    }
    let entries = files
        .iter()
        .map(|(path, file)| Ok((path.as_str(), adapt(path, fs::read(file)?))))
        .collect::<io::Result<Vec<_>>>()?;
    let prepared = prepare(&entries);
    let mut pack = Pack::default();
    for ((path, content), prepared) in entries.iter().zip(&prepared) {
        pack.add(path, content.len(), prepared);
    }
    fs::write(out.join("library.bin"), &pack.bytes)?;
    fs::write(out.join("library.rs"), pack.tables())
}

/// A file as it is stored.
fn adapt(path: &str, content: Vec<u8>) -> Vec<u8> {
    let Some((_, old, new)) = ADAPTED.iter().find(|(adapted, ..)| *adapted == path) else { return content };
    match String::from_utf8(content) {
        Ok(text) if text.contains(old) => text.replace(old, new).into_bytes(),
        Ok(text) => {
            println!("cargo:warning={path} does not say what was to be adapted");
            text.into_bytes()
        }
        Err(error) => error.into_bytes(),
    }
}

/// All files below a folder by their path in the library.
fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if prefix.is_empty() && LEFT_OUT.contains(&name.as_str()) || name == "__pycache__" {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{path}/"), files)?;
        } else if !prefix.is_empty() || name.ends_with(".py") {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}

/// What is stored of a file.
#[derive(Default)]
struct Prepared {
    compressed: Vec<u8>,
    /// The module's code; empty for other files.
    code: Vec<u8>,
}

/// Compresses and compiles, on all processors.
fn prepare(entries: &[(&str, Vec<u8>)]) -> Vec<Prepared> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Prepared>>> = Mutex::new(entries.iter().map(|_| None).collect());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, content)) = entries.get(index) else { return };
            let prepared = Prepared {
                compressed: miniz_oxide::deflate::compress_to_vec(content, 7),
                code: if path.ends_with(".py") {
                    compile(path, content).unwrap_or_default()
                } else {
                    Vec::new()
                },
            };
            if let Some(place) = done.lock().ok().as_mut().and_then(|done| done.get_mut(index)) {
                *place = Some(prepared);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, |count| count.get()) {
            // The compiler recurses with the depth of the source.
            let spawned = thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work);
            if let Err(error) = spawned {
                println!("cargo:warning=no thread to compile the library in: {error}");
            }
        }
    });
    let done = done.into_inner().unwrap_or_default();
    done.into_iter().map(Option::unwrap_or_default).collect()
}

/// The code of a module as `marshal` writes it, with its path as file name.
fn compile(path: &str, content: &[u8]) -> Option<Vec<u8>> {
    let explain = |what: String| println!("cargo:warning={path} is stored without code: {what}");
    let parsed = pellucid_syntax::Source::from_bytes(content)
        .and_then(|source| pellucid_syntax::parse(source, pellucid_syntax::Mode::Exec))
        .map_err(|error| explain(error.message))
        .ok()?;
    let code = pellucid_compiler::compile(&parsed, path, &pellucid_compiler::Options::default())
        .map_err(|error| explain(error.message))
        .ok()?;
    pellucid_bytecode::verify::verify(&code).map_err(|error| explain(error.to_string())).ok()?;
    pellucid_bytecode::marshal::write_code(&code).map_err(|error| explain(format!("{error:?}"))).ok()
}

#[derive(Default)]
struct Pack {
    bytes: Vec<u8>,
    modules: Vec<(String, String)>,
    data: Vec<(String, String)>,
}

impl Pack {
    fn add(&mut self, path: &str, size: usize, prepared: &Prepared) {
        let stored = self.append(&prepared.compressed);
        let packed = format!("Packed {{ at: {stored}, size: {size} }}");
        if let Some((name, package)) = module_name(path) {
            let code = self.append(&prepared.code);
            self.modules.push((
                name,
                format!("Module {{ path: {path:?}, package: {package}, source: {packed}, code: {code} }}"),
            ));
        } else {
            self.data.push((path.to_string(), packed));
        }
    }

    fn append(&mut self, bytes: &[u8]) -> String {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        format!("Span {{ start: {start}, end: {} }}", self.bytes.len())
    }

    fn tables(&self) -> String {
        let mut text = String::new();
        for (table, kind, rows) in [("MODULES", "Module", &self.modules), ("DATA", "Packed", &self.data)] {
            let mut map = phf_codegen::Map::new();
            for (key, row) in rows {
                map.entry(key.as_str(), row);
            }
            // Writing to a string cannot fail.
            let _ = writeln!(text, "static {table}: phf::Map<&'static str, {kind}> = {};", map.build());
        }
        text
    }
}

/// The dotted name of the module in a file, and whether it is a package.
fn module_name(path: &str) -> Option<(String, bool)> {
    let stem = path.strip_suffix(".py")?;
    let dotted = stem.replace('/', ".");
    match dotted.strip_suffix(".__init__") {
        Some(package) => Some((package.to_string(), true)),
        None => Some((dotted, false)),
    }
}

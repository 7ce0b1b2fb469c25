//! Packs the Python half of the standard library into two files of the output directory: `library.bin`, everything one
//! behind the other, and `library.rs`, perfect hash tables that say what is where.
//!
//! Modules come from CPython's library (the crate `rustpython-pylib`) and from the `py` folders of our crates, which
//! take precedence.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders of our own modules; a later one takes precedence over an earlier one, and over CPython's library.
const OWN: &[&str] = &["py", "../notebook/py", "../lens/py"];

/// Parts of the library that are of no use: they need the GUI toolkit, or are tests of it.
const LEFT_OUT: &[&str] = &["idlelib", "turtledemo", "tkinter", "turtle.py"];

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
    let mut pack = Pack::default();
    for (path, file) in &files {
        pack.add(path, &fs::read(file)?);
    }
    fs::write(out.join("library.bin"), &pack.bytes)?;
    fs::write(out.join("library.rs"), pack.tables())
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

#[derive(Default)]
struct Pack {
    bytes: Vec<u8>,
    modules: Vec<(String, String)>,
    data: Vec<(String, String)>,
}

impl Pack {
    fn add(&mut self, path: &str, content: &[u8]) {
        let stored = self.append(&miniz_oxide::deflate::compress_to_vec(content, 9));
        let packed = format!("Packed {{ at: {stored}, size: {} }}", content.len());
        if let Some((name, package)) = module_name(path) {
            let code = self.append(&[]);
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

//! The Python half of the standard library, embedded: a binary that has this crate needs no file beside it.
//!
//! Modules are found by their dotted names through a perfect hash ([`module`]), other files by their path
//! ([`data`]). A module's source is compressed and only unpacked when someone wants to see it; what is imported is its
//! code, compiled and verified when this crate was built ([`Module::code`]).
#![forbid(unsafe_code)]

/// Where bytes lie in the pack.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn bytes(self) -> &'static [u8] {
        PACK.get(self.start..self.end).unwrap_or_default()
    }
}

/// Compressed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    at: Span,
    size: usize,
}

impl Packed {
    /// How long the bytes are when unpacked.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The bytes.
    pub fn unpack(&self) -> Vec<u8> {
        // The build packed them itself; nothing else can be there.
        miniz_oxide::inflate::decompress_to_vec_with_limit(self.at.bytes(), self.size).unwrap_or_default()
    }
}

/// A module of the library.
#[derive(Debug)]
pub struct Module {
    /// Its file in the library, with `/`: `json/__init__.py`.
    pub path: &'static str,
    /// Whether it is a package.
    pub package: bool,
    /// What its author wrote.
    pub source: Packed,
    code: Span,
}

impl Module {
    /// The code object in the format of `marshal`, its `co_filename` being [`Module::path`]; `None` when the module has
    /// to be compiled from its source.
    pub fn code(&self) -> Option<&'static [u8]> {
        Some(self.code.bytes()).filter(|code| !code.is_empty())
    }
}

static PACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));
include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The module of a dotted name.
pub fn module(name: &str) -> Option<&'static Module> {
    MODULES.get(name)
}

/// All modules with their names, in no order.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static Module)> {
    MODULES.entries().map(|(name, module)| (*name, module))
}

/// A file that is no module, by its path in the library.
pub fn data(path: &str) -> Option<&'static Packed> {
    DATA.get(path)
}

/// The paths of all files that are no modules, in no order.
pub fn data_paths() -> impl Iterator<Item = &'static str> {
    DATA.keys().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_name() {
        let json = module("json").expect("json");
        assert!(json.package);
        assert_eq!(json.path, "json/__init__.py");
        let decoder = module("json.decoder").expect("json.decoder");
        assert!(!decoder.package);
        let source = decoder.source.unpack();
        assert_eq!(source.len(), decoder.source.size());
        assert!(String::from_utf8_lossy(&source).contains("class JSONDecoder"));
        assert!(module("json.nothing").is_none());
    }

    #[test]
    fn other_files_are_found_by_path() {
        assert!(data_paths().any(|path| path.starts_with("ensurepip/_bundled/pip-")));
        assert!(data("venv/scripts/common/activate").is_some_and(|file| !file.unpack().is_empty()));
    }
}

//! A notebook as a file: reading, checking, cells, outputs, writing.

use serde_json::{Map, Value, json};
use std::fmt;

/// Why a file is no notebook that can be run.
#[derive(Debug)]
pub enum Error {
    /// It is no JSON.
    Json(serde_json::Error),
    /// It is JSON, but no notebook.
    Shape(String),
    /// It is a notebook of a version that is not known.
    Version(String),
    /// It is a notebook in another language.
    Language(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Json(error) => write!(f, "not a notebook: the file is not JSON ({error})"),
            Error::Shape(what) => write!(f, "not a notebook: {what}"),
            Error::Version(version) => {
                write!(f, "notebooks of format {version} are not supported, only those of formats 3 and 4")
            }
            Error::Language(language) => write!(f, "the notebook is written in {language}, not in Python"),
        }
    }
}

impl std::error::Error for Error {}

/// A notebook of format 4; those of format 3 are brought up to it when they are read.
#[derive(Debug, Clone)]
pub struct Notebook {
    root: Map<String, Value>,
}

/// A code cell to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeCell {
    /// Its number among all cells.
    pub index: usize,
    /// Its text.
    pub source: String,
    /// Whether an error in it is expected, so that the run goes on.
    pub may_raise: bool,
}

impl Notebook {
    /// Reads a notebook.
    pub fn parse(bytes: &[u8]) -> Result<Notebook, Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Value::Object(root) = serde_json::from_slice(bytes).map_err(Error::Json)? else {
            return Err(Error::Shape("its top level is no object".to_string()));
        };
        let major = match root.get("nbformat") {
            Some(Value::Number(version)) => version.clone(),
            Some(other) => return Err(Error::Version(other.to_string())),
            None => return Err(Error::Shape("it has no \"nbformat\"".to_string())),
        };
        let notebook = match major.as_u64() {
            Some(4) => Notebook { root },
            Some(3) => Notebook { root: upgraded(root)? },
            _ => return Err(Error::Version(major.to_string())),
        };
        notebook.check()?;
        Ok(notebook)
    }

    fn check(&self) -> Result<(), Error> {
        let Some(Value::Array(cells)) = self.root.get("cells") else {
            return Err(Error::Shape("it has no list \"cells\"".to_string()));
        };
        for (number, cell) in cells.iter().enumerate() {
            let kind = cell.get("cell_type").and_then(Value::as_str);
            if kind.is_none() {
                return Err(Error::Shape(format!("cell {} has no \"cell_type\"", number + 1)));
            }
            if text_of(cell.get("source")).is_none() {
                return Err(Error::Shape(format!("cell {} has no \"source\"", number + 1)));
            }
        }
        let metadata = self.root.get("metadata");
        let at = |object: &str, key: &str| {
            metadata.and_then(|m| m.get(object)).and_then(|o| o.get(key)).and_then(Value::as_str)
        };
        match at("language_info", "name").or_else(|| at("kernelspec", "language")) {
            Some(language) if !language.to_ascii_lowercase().contains("python") => {
                Err(Error::Language(language.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn cells(&self) -> &[Value] {
        match self.root.get("cells") {
            Some(Value::Array(cells)) => cells,
            _ => &[],
        }
    }

    fn cell_mut(&mut self, index: usize) -> Option<&mut Map<String, Value>> {
        self.root.get_mut("cells")?.as_array_mut()?.get_mut(index)?.as_object_mut()
    }

    /// The code cells in order.
    pub fn code_cells(&self) -> Vec<CodeCell> {
        let code = |(index, cell): (usize, &Value)| {
            if cell.get("cell_type")?.as_str()? != "code" {
                return None;
            }
            let source = text_of(cell.get("source"))?;
            let tags = cell.get("metadata").and_then(|m| m.get("tags")).and_then(Value::as_array);
            let may_raise = tags.is_some_and(|tags| tags.iter().any(|tag| tag == "raises-exception"));
            Some(CodeCell { index, source, may_raise })
        };
        self.cells().iter().enumerate().filter_map(code).collect()
    }

    /// Forgets the outputs of all cells.
    pub fn clear_outputs(&mut self) {
        for cell in self.code_cells() {
            self.set_outputs(cell.index, Value::Null, Value::Array(Vec::new()));
        }
    }

    /// Notes what running a cell gave.
    pub fn set_outputs(&mut self, index: usize, execution_count: Value, outputs: Value) {
        if let Some(cell) = self.cell_mut(index) {
            cell.insert("execution_count".into(), execution_count);
            cell.insert("outputs".into(), outputs);
        }
    }

    /// The file's content, as Jupyter writes it: indented by one, with a line end.
    pub fn to_json(&self, version: &str) -> String {
        let mut root = self.root.clone();
        complete(&mut root, version);
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        // Writing JSON values to memory cannot fail.
        let _ = serde::Serialize::serialize(&Value::Object(root), &mut serializer);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        text.push('\n');
        text
    }
}

/// Adds what format 4 wants each notebook and cell to have.
fn complete(root: &mut Map<String, Value>, version: &str) {
    root.entry("nbformat_minor").or_insert_with(|| json!(4));
    let with_ids = root.get("nbformat_minor").and_then(Value::as_u64).is_some_and(|minor| minor >= 5);
    let metadata = root.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.entry("kernelspec").or_insert_with(
            || json!({"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}),
        );
        let info = metadata.entry("language_info").or_insert_with(|| json!({"name": "python"}));
        if let Some(info) = info.as_object_mut() {
            info.insert("version".into(), json!(version));
        }
    }
    let Some(cells) = root.get_mut("cells").and_then(Value::as_array_mut) else { return };
    for (number, cell) in cells.iter_mut().filter_map(Value::as_object_mut).enumerate() {
        cell.entry("metadata").or_insert_with(|| json!({}));
        if with_ids {
            cell.entry("id").or_insert_with(|| json!(format!("cell-{}", number + 1)));
        }
        if cell.get("cell_type").is_some_and(|kind| kind == "code") {
            cell.entry("execution_count").or_insert(Value::Null);
            cell.entry("outputs").or_insert_with(|| json!([]));
        }
    }
}

/// A text that may be stored as a list of lines.
fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Format 3 has worksheets of cells, the text of code cells is `input`, and headings are cells of their own.
fn upgraded(mut root: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let Some(Value::Array(sheets)) = root.remove("worksheets") else {
        return Err(Error::Shape("it has no list \"worksheets\"".to_string()));
    };
    let mut cells = Vec::new();
    for sheet in sheets {
        let Value::Object(mut sheet) = sheet else {
            return Err(Error::Shape("a worksheet is no object".to_string()));
        };
        if let Some(Value::Array(found)) = sheet.remove("cells") {
            cells.extend(found);
        }
    }
    let cells = cells.into_iter().map(upgraded_cell).collect::<Result<Vec<_>, _>>()?;
    root.insert("nbformat".into(), json!(4));
    root.insert("nbformat_minor".into(), json!(4));
    root.insert("cells".into(), Value::Array(cells));
    if let Some(Value::Object(metadata)) = root.get_mut("metadata") {
        metadata.remove("name");
        metadata.remove("signature");
    }
    Ok(root)
}

fn upgraded_cell(cell: Value) -> Result<Value, Error> {
    let Value::Object(mut cell) = cell else { return Err(Error::Shape("a cell is no object".to_string())) };
    match cell.get("cell_type").and_then(Value::as_str) {
        Some("code") => {
            if let Some(input) = cell.remove("input") {
                cell.insert("source".into(), input);
            }
            cell.remove("language");
            let collapsed = cell.remove("collapsed");
            if let (Some(collapsed), Some(metadata)) =
                (collapsed, cell.entry("metadata").or_insert_with(|| json!({})).as_object_mut())
            {
                metadata.insert("collapsed".into(), collapsed);
            }
            let count = cell.remove("prompt_number").unwrap_or(Value::Null);
            cell.insert("execution_count".into(), count);
            // They are made anew by the run.
            cell.insert("outputs".into(), json!([]));
        }
        Some("heading") => {
            let level = cell.remove("level").and_then(|level| level.as_u64()).unwrap_or(1).clamp(1, 6);
            let text = text_of(cell.get("source")).unwrap_or_default().replace('\n', " ");
            let marks = "#".repeat(usize::try_from(level).unwrap_or(1));
            cell.insert("source".into(), json!(format!("{marks} {text}")));
            cell.insert("cell_type".into(), json!("markdown"));
        }
        Some("html") => {
            cell.insert("cell_type".into(), json!("markdown"));
        }
        _ => {}
    }
    Ok(Value::Object(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Notebook::parse(text.as_bytes()).expect_err("no notebook").to_string()
    }

    #[test]
    fn what_is_no_notebook_is_told_so() {
        assert!(complaint("print(1)").starts_with("not a notebook: the file is not JSON"));
        assert_eq!(complaint("[]"), "not a notebook: its top level is no object");
        assert_eq!(complaint("{}"), "not a notebook: it has no \"nbformat\"");
        assert_eq!(complaint(r#"{"nbformat": 4}"#), "not a notebook: it has no list \"cells\"");
        assert!(complaint(r#"{"nbformat": 2}"#).starts_with("notebooks of format 2"));
        let other = r#"{"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "julia"}}}"#;
        assert_eq!(complaint(other), "the notebook is written in julia, not in Python");
    }

    #[test]
    fn format_3_becomes_format_4() {
        let old = r##"{"nbformat": 3, "metadata": {"name": "x"}, "worksheets": [{"cells": [
            {"cell_type": "heading", "level": 2, "source": "Hi"},
            {"cell_type": "code", "input": ["a = 1\n", "a"], "language": "python", "prompt_number": 4, "outputs": []}]}]}"##;
        let notebook = Notebook::parse(old.as_bytes()).expect("a notebook");
        let cells = notebook.code_cells();
        assert_eq!(cells, [CodeCell { index: 1, source: "a = 1\na".into(), may_raise: false }]);
        let json = notebook.to_json("3.14");
        assert!(json.contains("\"## Hi\""));
        assert!(Notebook::parse(json.as_bytes()).is_ok());
    }

    #[test]
    fn saving_keeps_what_nobody_knows() {
        let text = r#"{"cells": [{"cell_type": "code", "source": "1", "metadata": {"zz": [1.50]}}], "nbformat": 4,
            "nbformat_minor": 5, "metadata": {"mine": true}}"#;
        let mut notebook = Notebook::parse(text.as_bytes()).expect("a notebook");
        notebook.set_outputs(0, json!(1), json!([]));
        let saved: Value = serde_json::from_str(&notebook.to_json("3.14")).expect("JSON");
        assert_eq!(saved["metadata"]["mine"], true);
        assert_eq!(saved["cells"][0]["metadata"]["zz"][0], 1.5);
        assert_eq!(saved["cells"][0]["id"], "cell-1");
        assert_eq!(saved["cells"][0]["execution_count"], 1);
    }
}

//! Errors of broken source: `errors/<topic>.py` holds snippets between lines `#---`, `errors/<topic>.err` what CPython says
//! of each, a line a snippet: type, message, and the place as `line,offset-end_line,end_offset`.

use pellucid_syntax::{ErrorKind, Mode, Source, SyntaxError, parse};
use std::path::Path;

fn shown(error: &SyntaxError) -> String {
    let kind = match error.kind {
        ErrorKind::Syntax => "SyntaxError",
        ErrorKind::Indentation => "IndentationError",
        ErrorKind::Tab => "TabError",
        ErrorKind::Incomplete => "_IncompleteInputError",
        ErrorKind::Value => "ValueError",
        ErrorKind::Recursion => "RecursionError",
        ErrorKind::Memory => "MemoryError",
    };
    let (line, offset) = (error.line, error.offset);
    format!("{kind}: {} @ {line},{offset}-{},{}", error.message, error.end_line, error.end_offset)
}

#[test]
fn broken_source_is_reported_as_cpython_reports_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("tests/errors")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .collect();
    files.sort();
    let mut wrong = Vec::new();
    for path in files {
        let source = std::fs::read_to_string(&path).expect("a file");
        let expected = std::fs::read_to_string(path.with_extension("err")).expect("expected errors");
        let mut expected = expected.lines();
        for snippet in source.split_terminator("#---\n") {
            let snippet = snippet.strip_suffix("#no newline\n").unwrap_or(snippet);
            let found = match parse(Source::from_text(snippet.to_string()), Mode::Exec) {
                Ok(_) => "accepted".to_string(),
                Err(error) => shown(&error),
            };
            let expected = expected.next().unwrap_or("no expectation");
            if found != expected {
                wrong.push(format!(
                    "{}: {snippet:?}\n  expected {expected}\n  found    {found}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn error_of(source: String) -> SyntaxError {
    parse(Source::from_text(source), Mode::Exec).expect_err("an error")
}

#[test]
fn deep_nesting_is_an_error_and_never_a_crash() {
    const DEEP: usize = 100_000;
    for open in ["(", "[", "{"] {
        assert_eq!(error_of(open.repeat(DEEP)).message, "too many nested parentheses");
    }
    for (pattern, end) in
        [("-", "1"), ("not ", "1"), ("lambda: ", "1"), ("~", "x"), ("x if y else ", "z"), ("a ** ", "b")]
    {
        let error = error_of(format!("{}{end}\n", pattern.repeat(DEEP)));
        assert!(matches!(error.kind, ErrorKind::Memory | ErrorKind::Recursion), "{pattern}: {error}");
    }
    for (start, pattern) in [("a", ".b"), ("a", "()"), ("a", "[0]"), ("a", " + a"), ("a", " @ a")] {
        let error = error_of(format!("{start}{}\n", pattern.repeat(DEEP)));
        assert_eq!(error.kind, ErrorKind::Recursion, "{pattern}");
    }
    let blocks: String = (0..DEEP / 100).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    assert_eq!(error_of(blocks).message, "too many levels of indentation");
    let clauses = format!("if a: pass\n{}", "elif a: pass\n".repeat(DEEP / 10));
    assert!(parse(Source::from_text(clauses), Mode::Exec).is_ok());
    let nested: String = "f'{".repeat(DEEP);
    assert!(error_of(nested).message.contains("string"));
}

#[test]
fn null_bytes_and_decoding_are_reported() {
    assert_eq!(error_of("x\0".to_string()).message, "source code string cannot contain null bytes");
    let error = Source::from_bytes(b"# coding: nowhere\n").expect_err("unknown");
    assert_eq!(error.message, "unknown encoding: nowhere");
    let latin = Source::from_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n").expect("latin-1");
    assert_eq!(latin.line_text(2), "x = 'é'\n");
    let cp = Source::from_bytes(b"#!/x\n# vim: set fileencoding=cp1252 :\n'\x80'").expect("cp1252");
    assert_eq!(cp.line_text(3), "'€'");
    assert_eq!(Source::from_bytes(b"\xef\xbb\xbfx\r\ny").expect("marked").text(), "x\ny");
}

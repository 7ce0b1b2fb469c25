//! Lines for the prompt, edited on a terminal, plain elsewhere.

use pellucid_runtime::{Pellucid, Res, Value};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};
use std::path::PathBuf;

/// What reading a line gave.
pub enum Line {
    /// The line, without its end.
    Text(String),
    /// The user interrupted it.
    Interrupted,
    /// There are no more.
    End,
}

/// Where lines come from.
pub enum Input<'a> {
    Terminal { editor: Box<Editor<Names<'a>, FileHistory>>, history: Option<PathBuf> },
    Plain { pellucid: &'a Pellucid, rest: Vec<u8>, ended: bool },
}

impl<'a> Input<'a> {
    /// The standard input of the interpreter.
    pub fn new(pellucid: &'a Pellucid) -> Input<'a> {
        let host = pellucid.vm().host();
        if host.isatty(0) && host.isatty(1) {
            let config = Config::builder().auto_add_history(true).build();
            if let Ok(mut editor) = Editor::with_config(config) {
                editor.set_helper(Some(Names { pellucid }));
                let history = history_file(pellucid);
                if let Some(file) = &history {
                    // The first time there is none.
                    let _ = editor.load_history(file);
                }
                return Input::Terminal { editor: Box::new(editor), history };
            }
        }
        Input::Plain { pellucid, rest: Vec::new(), ended: false }
    }

    /// Reads a line.
    pub fn line(&mut self, prompt: &str) -> Line {
        match self {
            Input::Terminal { editor, .. } => match editor.readline(prompt) {
                Ok(line) => Line::Text(line),
                Err(ReadlineError::Interrupted) => Line::Interrupted,
                Err(_) => Line::End,
            },
            Input::Plain { pellucid, rest, ended } => {
                pellucid.complain(prompt);
                plain_line(pellucid, rest, ended)
            }
        }
    }

    /// Remembers the lines for the next time.
    pub fn save(&mut self) {
        if let Input::Terminal { editor, history: Some(file) } = self {
            // A history that cannot be written is not worth an error message.
            let _ = editor.save_history(file);
        }
    }
}

fn plain_line(pellucid: &Pellucid, rest: &mut Vec<u8>, ended: &mut bool) -> Line {
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = rest.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            return Line::Text(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        if *ended {
            if rest.is_empty() {
                return Line::End;
            }
            let line = std::mem::take(rest);
            return Line::Text(String::from_utf8_lossy(&line).into_owned());
        }
        let vm = pellucid.vm();
        match vm.retry(|| vm.host().read(0, &mut buffer)) {
            Ok(Ok(0) | Err(_)) => *ended = true,
            Ok(Ok(count)) => rest.extend_from_slice(&buffer[..count]),
            Err(raised) => {
                drop(vm.take_raised(raised));
                return Line::Interrupted;
            }
        }
    }
}

fn history_file(pellucid: &Pellucid) -> Option<PathBuf> {
    let config = pellucid.config();
    if config.flags.isolated {
        return None;
    }
    let variable = |name: &[u8]| {
        let value = pellucid.vm().host().getenv(name)?;
        String::from_utf8(value).ok().filter(|value| !value.is_empty())
    };
    if !config.flags.ignore_environment
        && let Some(file) = variable(b"PYTHON_HISTORY")
    {
        return Some(file.into());
    }
    Some(PathBuf::from(variable(b"HOME")?).join(".pellucid_history"))
}

/// Completes names with the library's `rlcompleter`.
pub struct Names<'a> {
    pellucid: &'a Pellucid,
}

impl Names<'_> {
    fn matches(&self, word: &str) -> Res<Vec<String>> {
        let vm = self.pellucid.vm();
        let module = vm.import("rlcompleter")?;
        let namespace = self.pellucid.namespace()?.into_value();
        let completer = vm.call_attr(&module, "Completer", &[namespace])?;
        let complete = vm.get_attr_str(&completer, "complete")?;
        let word = vm.new_str(word)?;
        let mut found = Vec::new();
        for state in 0..500 {
            let one: Value = vm.call_values(&complete, &[word.clone(), vm.new_int(state)?])?;
            if one.is_none() {
                break;
            }
            found.push(vm.str_lossy(&one));
        }
        Ok(found)
    }
}

impl Completer for Names<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or(line);
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let start =
            before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(pos, |(at, _)| at);
        if before[start..].is_empty() {
            let indent = Pair { display: "    ".into(), replacement: "    ".into() };
            return Ok((pos, vec![indent]));
        }
        let found = match self.matches(&before[start..]) {
            Ok(found) => found,
            Err(raised) => {
                drop(self.pellucid.vm().take_raised(raised));
                Vec::new()
            }
        };
        Ok((start, found.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

impl Hinter for Names<'_> {
    type Hint = String;
}
impl Highlighter for Names<'_> {}
impl Validator for Names<'_> {}
impl Helper for Names<'_> {}

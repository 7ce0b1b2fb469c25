//! `_tokenize`: the tokenizer that `tokenize` is built on.

use pellucid_object::{
    CallArgs, Interpreter, ModuleDef, Payload, Raised, Res, Slot, SlotWord, Str, TypeDef, TypeFlags, Value,
    Visitor, payload,
};
use pellucid_syntax::tokenizer::{Token, TokenError, TokenKind, Tokenizer, TokenizerOptions};
use pellucid_syntax::{ErrorKind, SyntaxError};
use std::cell::{Cell, RefCell};

/// An iterator over tokens, which reads no more lines than the next token needs.
#[derive(Default)]
struct TokenizerIter {
    readline: SlotWord,
    /// Name of the encoding of the lines, when they are bytes.
    encoding: SlotWord,
    extra: Cell<bool>,
    /// `None` at the end, and while a token is cut.
    cut: RefCell<Option<Cut>>,
}

impl Payload for TokenizerIter {
    fn trace(&self, visit: &mut Visitor) {
        self.readline.trace(visit);
        self.encoding.trace(visit);
    }
    fn clear(&self) {
        self.readline.set(None);
        self.encoding.set(None);
    }
}

/// A token as `tokenize` shows it: columns in characters.
struct Row {
    kind: u8,
    text: String,
    start: (usize, i64),
    end: (usize, i64),
    line: String,
}

/// The lines read so far and how far they are cut.
struct Cut {
    text: String,
    /// The text is whole.
    whole: bool,
    /// The last line end was added.
    implicit: bool,
    /// Stands in `text`, which it is given again for each token.
    tokenizer: Tokenizer<'static>,
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let [readline] = call.positional() else {
        let got = call.positional().len();
        return Err(
            vm.type_error(format!("tokenizeriter() takes exactly 1 positional argument ({got} given)"))
        );
    };
    let mut iterator =
        TokenizerIter { readline: SlotWord::new(Some(readline.clone())), ..TokenizerIter::default() };
    let mut extra = None;
    for (name, value) in call.keywords() {
        match vm.str_lossy(name).as_str() {
            "encoding" if value.downcast::<Str>().is_some() => {
                iterator.encoding = SlotWord::new(Some(value.clone()))
            }
            "encoding" => {
                let got = vm.type_name(value);
                return Err(
                    vm.type_error(format!("tokenizeriter() argument 'encoding' must be str, not {got}"))
                );
            }
            "extra_tokens" => extra = Some(vm.truthy(value)?),
            other => {
                let message = format!("tokenizeriter() got an unexpected keyword argument '{other}'");
                return Err(vm.type_error(message));
            }
        }
    }
    let Some(extra) = extra else {
        let message = "tokenizeriter() missing required argument 'extra_tokens' (pos 2)";
        return Err(vm.type_error(message.to_string()));
    };
    iterator.extra.set(extra);
    *iterator.cut.borrow_mut() = Some(Cut {
        text: String::new(),
        whole: false,
        implicit: false,
        tokenizer: Tokenizer::new("", TokenizerOptions { extra_tokens: extra }),
    });
    vm.alloc_subclass(cls, iterator)
}

/// The next line that `readline` gives; empty at the end.
fn read(vm: &Interpreter, readline: &Value, encoding: Option<&Value>) -> Res<String> {
    let line = match vm.call_values(readline, &[]) {
        Ok(line) => line,
        Err(raised) if vm.raised_is(vm.exceptions().stop_iteration()) => {
            drop(vm.take_raised(raised));
            return Ok(String::new());
        }
        Err(raised) => return Err(raised),
    };
    match encoding {
        None if line.downcast::<Str>().is_none() => Err(wrong_line(vm, "a non-string object")),
        None => vm.expect_str(&line),
        Some(_) if line.downcast::<pellucid_object::Bytes>().is_none() => {
            Err(wrong_line(vm, "a non-bytes object"))
        }
        Some(encoding) => vm.expect_str(&vm.call_attr(&line, "decode", std::slice::from_ref(encoding))?),
    }
}

fn wrong_line(vm: &Interpreter, what: &str) -> Raised {
    vm.type_error(format!("readline() returned {what}"))
}

impl Cut {
    /// The next token, unless more lines are needed to tell.
    fn token(&mut self, extra: bool) -> Option<Result<Row, SyntaxError>> {
        let mut tokenizer = self.tokenizer.clone().with_text(&self.text);
        let got = tokenizer.get();
        if tokenizer.is_done() && !self.whole {
            return None;
        }
        let result = match got {
            Ok(token) => {
                // The line end that was added belongs to the last line only.
                let implicit = self.implicit && tokenizer.line_end() == self.text.len();
                Ok(row(&tokenizer, &self.text, token, extra, implicit))
            }
            Err(error) => Err(syntax_error(&tokenizer, &self.text, error)),
        };
        self.tokenizer = tokenizer.with_text("");
        Some(result)
    }

    /// Takes what `readline` gave. A line gets a line end when it has none.
    fn add(&mut self, line: &str) {
        if line.is_empty() {
            self.whole = true;
            return;
        }
        self.text.push_str(line);
        self.implicit = !line.ends_with('\n');
        if self.implicit {
            self.text.push('\n');
        }
    }
}

fn row(tokenizer: &Tokenizer, text: &str, token: Token, extra: bool, implicit: bool) -> Row {
    let trailing =
        token.kind == TokenKind::EndMarker || (token.kind == TokenKind::Dedent && tokenizer.is_done());
    let line_start = tokenizer.token_line_start(token.kind);
    let mut line_end = tokenizer.line_end();
    if implicit && line_end > line_start {
        line_end -= 1;
    }
    let chars = |start: usize, end: usize, column: i32| match text.get(start..end) {
        Some(before) if column >= 0 => before.chars().count() as i64,
        _ => i64::from(column),
    };
    let mut row = Row {
        kind: token.kind as u8,
        text: text.get(token.start..token.end).unwrap_or("").to_string(),
        start: (token.line, chars(line_start, token.start, token.column)),
        end: (token.end_line, chars(tokenizer.line_start(), token.end, token.end_column)),
        line: text.get(line_start..line_end).unwrap_or("").to_string(),
    };
    if !extra {
        if token.kind == TokenKind::Newline {
            row.text.clear();
            row.end = row.start;
        }
        return row;
    }
    if trailing {
        row.start = (token.line + 1, 0);
        row.end = row.start;
        row.line.clear();
    }
    match token.kind {
        kind if kind.is_operator() => row.kind = TokenKind::Op as u8,
        TokenKind::Newline | TokenKind::Nl if implicit => row.text.clear(),
        TokenKind::Newline => {
            // A comment may stand between the last token and the line end.
            row.text = if row.text.ends_with("\r\n") { "\r\n" } else { "\n" }.to_string();
        }
        _ => {}
    }
    row
}

fn syntax_error(tokenizer: &Tokenizer, text: &str, error: TokenError) -> SyntaxError {
    let (kind, message) = match &error {
        TokenError::Syntax(error) => return error.clone(),
        TokenError::EndOfFile => (ErrorKind::Syntax, "unexpected EOF in multi-line statement"),
        TokenError::Dedent => (ErrorKind::Indentation, "unindent does not match any outer indentation level"),
        TokenError::TabSpace => (ErrorKind::Tab, "inconsistent use of tabs and spaces in indentation"),
        TokenError::TooDeep => (ErrorKind::Indentation, "too many levels of indentation"),
        TokenError::Continuation => {
            (ErrorKind::Syntax, "unexpected character after line continuation character")
        }
    };
    let line = text.get(tokenizer.line_start()..tokenizer.line_end()).unwrap_or("");
    let offset = match error {
        // What was read of a string with fields, else of a line that goes on; brackets read from nothing.
        TokenError::EndOfFile if tokenizer.in_string() => {
            tokenizer.line_end().saturating_sub(tokenizer.token_line_start(TokenKind::FStringMiddle))
        }
        TokenError::EndOfFile if !line.ends_with("\\\n") => 0,
        _ => line.chars().count(),
    };
    let line = line.strip_suffix('\n').unwrap_or(line);
    SyntaxError {
        line: tokenizer.line(),
        offset,
        text: Some(line.to_string()),
        ..SyntaxError::without_place(kind, message)
    }
}

fn next(vm: &Interpreter, this: &Value) -> Res<Option<Value>> {
    let Some(iterator) = this.downcast::<TokenizerIter>() else {
        return Err(vm.bug("a tokenizer"));
    };
    // Taken out, as reading lines runs Python code.
    let Some(mut cut) = iterator.cut.take() else { return Ok(None) };
    let got = loop {
        if let Some(got) = cut.token(iterator.extra.get()) {
            break got;
        }
        let readline = iterator.readline.get().unwrap_or(Value::NONE);
        match read(vm, &readline, iterator.encoding.get().as_ref()) {
            Ok(line) => cut.add(&line),
            Err(raised) => {
                *iterator.cut.borrow_mut() = Some(cut);
                return Err(raised);
            }
        }
        vm.poll()?;
    };
    let Row { kind, text, start, end, line } = match got {
        Ok(row) => row,
        Err(error) => {
            let filename = vm.intern_static("<string>")?;
            return Err(crate::compile::raise(vm, &error, &filename));
        }
    };
    if kind != TokenKind::EndMarker as u8 {
        *iterator.cut.borrow_mut() = Some(cut);
    }
    let place = |(line, column): (usize, i64)| -> Res {
        vm.new_tuple(vec![vm.new_int(line as i64)?, vm.new_int(column)?])
    };
    let fields = vec![
        vm.new_int(i64::from(kind))?,
        vm.new_str(&text)?,
        place(start)?,
        place(end)?,
        vm.new_str(&line)?,
    ];
    vm.new_tuple(fields).map(Some)
}

static ITERATOR: TypeDef = TypeDef {
    name: "TokenizerIter",
    module: "_tokenize",
    base: None,
    payload: payload::<TokenizerIter>(),
    flags: TypeFlags::BASETYPE,
    doc: "",
    slots: &[Slot::New(new), Slot::Iter(|_, this| Ok(this.clone())), Slot::Next(next)],
    methods: &[],
    getset: &[],
};

pub static MODULE: ModuleDef =
    ModuleDef { name: "_tokenize", doc: "", functions: &[], types: &[&ITERATOR], constants: &[], init: None };

//! Arguments of calls, and how they are bound to the signature of a Rust function.
//!
//! The signature is Python text (`"($self, x, /, y=None, *args, key=None, **kwargs)"`): it is what
//! `__text_signature__` shows and what binding and its error messages follow.

use crate::interpreter::Interpreter;
use crate::str::Str;
use crate::value::Value;
use crate::{Raised, Res};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Arguments as the caller gives them: the last `names.len()` values belong to keywords.
#[derive(Clone, Copy)]
pub struct CallArgs<'a> {
    pub values: &'a [Value],
    pub names: &'a [Value],
}

impl<'a> CallArgs<'a> {
    pub fn new(values: &'a [Value]) -> Self {
        CallArgs { values, names: &[] }
    }
    pub fn positional(&self) -> &'a [Value] {
        &self.values[..self.values.len() - self.names.len()]
    }
    pub fn keywords(&self) -> impl Iterator<Item = (&'a Value, &'a Value)> {
        self.names.iter().zip(&self.values[self.values.len() - self.names.len()..])
    }
    /// Gives `f` these arguments with `this` in front of them.
    #[inline]
    pub fn with_first<R>(&self, this: Value, f: impl FnOnce(&CallArgs) -> R) -> R {
        let mut values: SmallVec<[Value; 6]> = SmallVec::with_capacity(self.values.len() + 1);
        values.push(this);
        values.extend(self.values.iter().cloned());
        f(&CallArgs { values: &values, names: self.names })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ParamKind {
    PositionalOnly,
    Either,
    KeywordOnly,
    VarArgs,
    VarKeywords,
}

#[derive(Debug)]
struct Param {
    name: String,
    kind: ParamKind,
    required: bool,
}

/// A parsed signature.
#[derive(Debug)]
pub struct Signature {
    params: Vec<Param>,
    /// Number of leading parameters that can be given by position.
    positional: usize,
    /// Position of `*args`.
    var_args: Option<usize>,
    var_keywords: Option<usize>,
    /// So many values by position, or more, leave no required parameter out.
    least: usize,
}

impl Signature {
    /// Parses the text of a signature; defaults may contain brackets and quotes.
    pub fn parse(text: &str) -> Signature {
        let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
        let mut params: Vec<Param> = Vec::new();
        let mut keyword_only = false;
        for part in split_top_level(inner) {
            let part = part.trim();
            if part == "$module" {
                // Shown by `__text_signature__`; the function does not get it.
            } else if part == "/" {
                params.iter_mut().for_each(|p| p.kind = ParamKind::PositionalOnly);
            } else if part == "*" {
                keyword_only = true;
            } else if let Some(name) = part.strip_prefix("**") {
                params.push(Param { name: name.into(), kind: ParamKind::VarKeywords, required: false });
            } else if let Some(name) = part.strip_prefix('*') {
                params.push(Param { name: name.into(), kind: ParamKind::VarArgs, required: false });
                keyword_only = true;
            } else if !part.is_empty() {
                let (name, default) = match part.split_once('=') {
                    Some((name, _)) => (name, true),
                    None => (part, false),
                };
                let kind = if keyword_only { ParamKind::KeywordOnly } else { ParamKind::Either };
                params.push(Param {
                    name: name.trim().trim_start_matches('$').into(),
                    kind,
                    required: !default,
                });
            }
        }
        let positional = params
            .iter()
            .take_while(|p| matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Either))
            .count();
        let find = |kind| params.iter().position(|p| p.kind == kind);
        Signature {
            positional,
            var_args: find(ParamKind::VarArgs),
            var_keywords: find(ParamKind::VarKeywords),
            least: params.iter().rposition(|p| p.required).map_or(0, |last| last + 1),
            params,
        }
    }

    /// What a call that gives all it gives by position, and neither too much nor too little, means: nothing is copied.
    #[inline]
    pub fn bind_plain<'a>(&self, values: &'a [Value]) -> Option<Args<'a>> {
        let fits = (self.least..=self.positional).contains(&values.len());
        let stars = self.var_args.is_some() || self.var_keywords.is_some();
        (fits && !stars).then(|| Args { given: values, rest: SmallVec::new() })
    }

    /// Binds a call: one entry a parameter, in the order of the signature; `*args` is a tuple, `**kwargs` a dict.
    /// Errors: `TypeError`, worded as CPython's argument clinic does.
    pub fn bind<'a>(
        &self,
        vm: &Interpreter,
        function: &str,
        has_self: bool,
        args: &CallArgs<'a>,
    ) -> Res<Args<'a>> {
        self.bind_named(vm, function, &|| function.to_string(), has_self, args)
    }

    /// As [`Signature::bind`]; `qualified` is the name that messages about plain functions (no argument, just one, no
    /// keywords) show.
    pub fn bind_named<'a>(
        &self,
        vm: &Interpreter,
        function: &str,
        qualified: &dyn Fn() -> String,
        has_self: bool,
        args: &CallArgs<'a>,
    ) -> Res<Args<'a>> {
        if args.names.is_empty()
            && let Some(bound) = self.bind_plain(args.values)
        {
            return Ok(bound);
        }
        let given = args.positional();
        let taken = given.len().min(self.positional);
        // The parameters behind those that are given by position.
        let mut rest: Rest<'a> = SmallVec::new();
        rest.resize(self.params.len() - taken, None);
        let skip = usize::from(has_self);
        let total = given.len() + args.names.len();
        if total > self.params.len()
            && self.var_args.is_none()
            && self.var_keywords.is_none()
            && self.takes_keywords()
        {
            let (most, total) = (self.params.len() - skip, total - skip);
            let kind = if given.len() == skip { "keyword " } else { "" };
            let s = if most == 1 { "" } else { "s" };
            return Err(
                vm.type_error(format!("{function}() takes at most {most} {kind}argument{s} ({total} given)"))
            );
        }
        if let Some(name) = args.names.first()
            && self.var_keywords.is_none()
            && !self.takes_keywords()
        {
            return Err(self.unexpected(vm, function, qualified, skip, &vm.str_lossy(name)));
        }
        match self.var_args {
            Some(index) => rest[index - taken] = Some(Cow::Owned(vm.new_tuple(given[taken..].to_vec())?)),
            None if given.len() > self.positional => {
                return Err(self.too_many(vm, function, qualified, skip, given.len()));
            }
            None => {}
        }
        let mut extra = Vec::new();
        for (name, value) in args.keywords() {
            match self.by_keyword(vm, name) {
                Some(index) if index < taken || rest[index - taken].is_some() => {
                    let (text, position) = (vm.str_lossy(name), index + 1 - skip);
                    return Err(vm.type_error(format!(
                        "argument for {function}() given by name ('{text}') and position ({position})"
                    )));
                }
                Some(index) => rest[index - taken] = Some(Cow::Borrowed(value)),
                None => extra.push((name.clone(), value.clone())),
            }
        }
        let missing =
            (taken..self.params.len()).find(|&i| rest[i - taken].is_none() && self.params[i].required);
        if let Some(index) = missing
            && self.takes_keywords()
        {
            return Err(self.missing(vm, function, qualified, skip, index, given.len()));
        }
        match self.var_keywords {
            Some(index) => {
                let dict = vm.new_dict()?;
                for (name, value) in extra {
                    dict.set(vm, name, value)?;
                }
                rest[index - taken] = Some(Cow::Owned(dict.into_value()));
            }
            None => {
                if let Some((name, _)) = extra.first() {
                    return Err(self.unexpected(vm, function, qualified, skip, &vm.str_lossy(name)));
                }
            }
        }
        if let Some(index) = missing {
            return Err(self.missing(vm, function, qualified, skip, index, given.len()));
        }
        Ok(Args { given: &given[..taken], rest })
    }

    /// The parameter that a keyword means.
    fn by_keyword(&self, vm: &Interpreter, name: &Value) -> Option<usize> {
        let find = |text: &str| {
            let named =
                |p: &Param| matches!(p.kind, ParamKind::Either | ParamKind::KeywordOnly) && p.name == text;
            self.params.iter().position(named)
        };
        match name.downcast::<Str>().and_then(|name| name.text.as_ascii()) {
            Some(text) => find(text),
            None => find(&vm.str_lossy(name)),
        }
    }

    fn takes_keywords(&self) -> bool {
        self.params.iter().any(|p| matches!(p.kind, ParamKind::Either | ParamKind::KeywordOnly))
    }

    fn required_positional(&self, skip: usize) -> usize {
        self.params[skip..self.positional.max(skip)].iter().filter(|p| p.required).count()
    }

    #[cold]
    fn too_many(
        &self,
        vm: &Interpreter,
        function: &str,
        qualified: &dyn Fn() -> String,
        skip: usize,
        given: usize,
    ) -> Raised {
        let (most, given) = (self.positional - skip, given - skip);
        let least = self.required_positional(skip);
        if self.params.len() == skip {
            return vm.type_error(format!("{}() takes no arguments ({given} given)", qualified()));
        }
        let only_positional = self.params.iter().all(|p| p.kind == ParamKind::PositionalOnly);
        if only_positional && most == 1 && least == 1 {
            return vm.type_error(format!("{}() takes exactly one argument ({given} given)", qualified()));
        }
        if most == 0 {
            return vm.type_error(format!("{function}() takes no positional arguments"));
        }
        let word = if least == most { "exactly" } else { "at most" };
        let s = if most == 1 { "" } else { "s" };
        if only_positional {
            return vm
                .type_error(format!("{function} expected {} {most} argument{s}, got {given}", at(word)));
        }
        if most == 0 {
            return vm.type_error(format!("{function}() takes no positional arguments"));
        }
        let kind =
            if self.params.iter().any(|p| p.kind == ParamKind::KeywordOnly) { "positional " } else { "" };
        vm.type_error(format!("{function}() takes {word} {most} {kind}argument{s} ({given} given)"))
    }

    #[cold]
    fn missing(
        &self,
        vm: &Interpreter,
        function: &str,
        qualified: &dyn Fn() -> String,
        skip: usize,
        index: usize,
        given: usize,
    ) -> Raised {
        let param = &self.params[index];
        if param.kind != ParamKind::PositionalOnly {
            return vm.type_error(format!(
                "{function}() missing required argument '{}' (pos {})",
                param.name,
                index + 1 - skip
            ));
        }
        let (least, most) = (self.required_positional(skip), self.positional - skip);
        let given = given.saturating_sub(skip);
        if least == 1 && most == 1 {
            return vm.type_error(format!("{}() takes exactly one argument ({given} given)", qualified()));
        }
        let word = if least == most && self.var_args.is_none() { "" } else { "at least " };
        let s = if least == 1 { "" } else { "s" };
        vm.type_error(format!("{function} expected {word}{least} argument{s}, got {given}"))
    }

    #[cold]
    fn unexpected(
        &self,
        vm: &Interpreter,
        function: &str,
        qualified: &dyn Fn() -> String,
        skip: usize,
        name: &str,
    ) -> Raised {
        let none = self.params[skip..].iter().all(|p| p.kind == ParamKind::PositionalOnly);
        if none {
            return vm.type_error(format!("{}() takes no keyword arguments", qualified()));
        }
        vm.type_error(format!("{function}() got an unexpected keyword argument '{name}'"))
    }
}

fn at(word: &str) -> &str {
    if word == "exactly" { "" } else { word }
}

/// Splits at commas outside brackets and quotes.
fn split_top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start, mut parts) = (0, None, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

type Rest<'a> = SmallVec<[Option<Cow<'a, Value>>; 6]>;

/// Bound arguments, one entry a parameter; `None` where an optional one was left out.
pub struct Args<'a> {
    /// The first ones, where the caller has them.
    given: &'a [Value],
    /// Those behind them, unless all of these were left out.
    rest: Rest<'a>,
}

impl Args<'_> {
    /// The argument, or `None` when it was left out.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Value> {
        match self.given.get(index) {
            None => self.rest.get(index - self.given.len())?.as_deref(),
            given => given,
        }
    }
    /// A required argument (binding has checked that it is there).
    pub fn req(&self, index: usize) -> &Value {
        self.get(index).unwrap_or(Value::none_ref())
    }
    /// The argument unless it was left out or is `None`.
    pub fn some(&self, index: usize) -> Option<&Value> {
        self.get(index).filter(|v| !v.is_none())
    }
    /// A `str` argument. Errors: `TypeError`.
    pub fn string(&self, vm: &Interpreter, index: usize) -> Res<String> {
        vm.expect_str(self.req(index))
    }
    /// An int argument in `i64`. Errors: `TypeError`, `OverflowError`.
    pub fn int(&self, vm: &Interpreter, index: usize) -> Res<i64> {
        vm.expect_i64(self.req(index))
    }
    /// An optional int argument.
    pub fn int_or(&self, vm: &Interpreter, index: usize, default: i64) -> Res<i64> {
        self.get(index).map_or(Ok(default), |v| vm.expect_i64(v))
    }
    /// An optional truth value.
    pub fn bool_or(&self, vm: &Interpreter, index: usize, default: bool) -> Res<bool> {
        self.get(index).map_or(Ok(default), |v| vm.truthy(v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_parse() {
        let s = Signature::parse("($self, x, /, y=(1, ','), *args, key=None, **kw)");
        let kinds: Vec<_> = s.params.iter().map(|p| (p.name.as_str(), p.kind, p.required)).collect();
        assert_eq!(
            kinds,
            [
                ("self", ParamKind::PositionalOnly, true),
                ("x", ParamKind::PositionalOnly, true),
                ("y", ParamKind::Either, false),
                ("args", ParamKind::VarArgs, false),
                ("key", ParamKind::KeywordOnly, false),
                ("kw", ParamKind::VarKeywords, false),
            ]
        );
        assert_eq!((s.positional, s.var_args, s.var_keywords), (3, Some(3), Some(5)));
    }
}

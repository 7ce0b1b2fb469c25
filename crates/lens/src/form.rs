//! Listings of the private form: what really runs.
//!
//! A line is an instruction: its number, the offset of the wordcode that it was made from, its name, and its operands as
//! an equation. Locals, cells and free variables go by their names, temporaries by `t0`, `t1`, ..., constants by their
//! reprs. Behind a semicolon stands what the instruction's inline cache has learnt: of each class that it saw where the attribute
//! stands; behind another one what was seen while the code was observed: how often the instruction ran, on what kinds of
//! operands, the one function, class or type that it always met, and how often machine code could not go on there.

use pellucid_bytecode::Op as Word;
use pellucid_interp::caches;
use pellucid_interp::code::CodeObject;
use pellucid_interp::form::{Cache, Form, Instr};
use pellucid_interp::hot::{NEWS, Operands, kinds, operands};
use pellucid_interp::ops::Op;
use pellucid_interp::translate::{NO_STEP, operand_of};
use pellucid_object::{Interpreter, Res, Type};
use std::collections::HashSet;
use std::fmt::Write;

/// Each instruction of the form without events, if that ran.
pub fn texts(vm: &Interpreter, code: &CodeObject) -> Res<Vec<String>> {
    let Some(form) = code.plain_form() else { return Ok(Vec::new()) };
    let view = view(vm, code, form)?;
    let text = |i: &Instr| format!("{} {}", i.op.name(), view.operands(i)).trim_end().to_string();
    Ok(form.instrs.iter().map(text).collect())
}

fn view<'a>(vm: &'a Interpreter, code: &CodeObject, form: &'a Form) -> Res<View<'a>> {
    let mut consts = Vec::new();
    for value in code.consts.iter() {
        consts.push(vm.repr_lossy(value)?);
    }
    let variables = code.varnames.iter().chain(&code.cellvars).chain(&code.freevars);
    let variables = variables.map(|name| vm.str_lossy(name)).collect();
    let names = code.names.iter().map(|name| vm.str_lossy(name)).collect();
    Ok(View { vm, form, consts, variables, names })
}

/// The listing of a code object's form, which is made if it has not run yet.
pub fn listing(vm: &Interpreter, code: &CodeObject) -> Res<String> {
    let form = code.form(vm)?;
    let view = view(vm, code, form)?;
    let jumping = form.instrs.iter().enumerate().filter(|(_, i)| jumps(i.op));
    let targets: HashSet<usize> = jumping.map(|(at, _)| form.target(at)).collect();
    let mut out = String::new();
    let mut last = None;
    for (index, i) in form.instrs.iter().enumerate() {
        let offset = form.offsets.get(index).copied().unwrap_or(0);
        let line = code.line_at(offset);
        let shown = if line == last { String::new() } else { line.map_or(String::new(), |l| l.to_string()) };
        if index > 0 && !shown.is_empty() {
            out.push('\n');
        }
        last = line.or(last);
        let mark = if targets.contains(&index) { ">>" } else { "  " };
        let text = format!(
            "{shown:>4} {mark} {index:4} @{offset:<4} {:18} {}{}{}",
            i.op.name(),
            view.operands(i),
            view.cache(i),
            view.observed(index, i)
        );
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", text.trim_end());
    }
    Ok(out)
}

/// Whether `d` is the index of an instruction.
fn jumps(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        JumpLt
            | JumpLe
            | JumpEq
            | JumpNe
            | JumpGt
            | JumpGe
            | JumpIs
            | JumpContains
            | Jump
            | JumpBack
            | JumpIfFalse
            | JumpIfTrue
            | JumpIfFalseKeep
            | JumpIfTrueKeep
            | ForIter
            | ForBack
            | JumpIfNotExcMatch
    )
}

/// The sign of an operation on two operands.
fn sign(op: Op) -> Option<&'static str> {
    use Op::*;
    Some(match op {
        Add | InplaceAdd => "+",
        Sub | InplaceSub => "-",
        Mul | InplaceMul => "*",
        MatMul | InplaceMatMul => "@",
        TrueDiv | InplaceTrueDiv => "/",
        FloorDiv | InplaceFloorDiv => "//",
        Mod | InplaceMod => "%",
        Pow | InplacePow => "**",
        LShift | InplaceLShift => "<<",
        RShift | InplaceRShift => ">>",
        And | InplaceAnd => "&",
        Or | InplaceOr => "|",
        Xor | InplaceXor => "^",
        Lt | JumpLt => "<",
        Le | JumpLe => "<=",
        Eq | JumpEq => "==",
        Ne | JumpNe => "!=",
        Gt | JumpGt => ">",
        Ge | JumpGe => ">=",
        _ => return None,
    })
}

struct View<'a> {
    vm: &'a Interpreter,
    form: &'a Form,
    consts: Vec<String>,
    variables: Vec<String>,
    names: Vec<String>,
}

impl View<'_> {
    /// A register, or, when negative, a constant.
    fn value(&self, operand: i16) -> String {
        let unknown = || format!("?{operand}");
        match usize::try_from(operand) {
            Ok(register) => match register.checked_sub(usize::from(self.form.first_temp)) {
                Some(temporary) => format!("t{temporary}"),
                None => self.variables.get(register).cloned().unwrap_or_else(unknown),
            },
            Err(_) => {
                let from_end = usize::from(operand.unsigned_abs());
                let at = self.consts.len().checked_sub(from_end);
                at.and_then(|at| self.consts.get(at)).cloned().unwrap_or_else(unknown)
            }
        }
    }

    fn name(&self, index: u32) -> &str {
        self.names.get(index as usize).map_or("?", String::as_str)
    }

    /// `count` registers from `first` on.
    fn row(&self, first: i16, count: u32) -> String {
        let items =
            (0..count).map(|n| self.value(first.saturating_add(i16::try_from(n).unwrap_or(i16::MAX))));
        items.collect::<Vec<_>>().join(", ")
    }

    fn operands(&self, i: &Instr) -> String {
        use Op::*;
        let (a, b, c) = (self.value(i.a), self.value(i.b), self.value(i.c));
        let to = if jumps(i.op) { self.form.target(self.form.index_of(i)) } else { 0 };
        if let Some(sign) = sign(i.op) {
            return match jumps(i.op) {
                true => {
                    format!("if ({b} {sign} {c}) is {}: to {to}", if i.a != 0 { "True" } else { "False" })
                }
                false => format!("{a} = {b} {sign} {c}"),
            };
        }
        match i.op {
            Nop => String::new(),
            Move => format!("{a} = {b}"),
            Take => format!("{a} = {b}, moved"),
            Swap => format!("{a}, {b} = {b}, {a}"),
            LoadConst => {
                format!("{a} = {}", self.consts.get(i.d as usize).map_or("?", String::as_str))
            }
            Drop | CheckLocal | DeleteLocal => a,
            DivMod | InplaceDivMod => format!("{a} = divmod({b}, {c})"),
            Neg => format!("{a} = -{b}"),
            Pos => format!("{a} = +{b}"),
            Invert => format!("{a} = ~{b}"),
            Not => format!("{a} = not {b}"),
            Is => format!("{a} = {b} is{} {c}", if i.d != 0 { " not" } else { "" }),
            Contains => format!("{a} = {b}{} in {c}", if i.d != 0 { " not" } else { "" }),
            JumpIs => format!("if ({b} is {c}) is {}: to {to}", if i.a != 0 { "True" } else { "False" }),
            JumpContains => {
                format!("if ({b} in {c}) is {}: to {to}", if i.a != 0 { "True" } else { "False" })
            }
            Jump | JumpBack => format!("to {to}"),
            JumpIfFalse | JumpIfFalseKeep => format!("if not {b}: to {to}"),
            JumpIfTrue | JumpIfTrueKeep => format!("if {b}: to {to}"),
            LoadGlobal | LoadName => format!("{a} = {}", self.name(i.d)),
            StoreName | StoreGlobal => format!("{} = {b}", self.name(i.d)),
            LoadAttr => format!("{a} = {b}.{}", self.name(i.d)),
            StoreAttr => format!("{b}.{} = {c}", self.name(i.d)),
            LoadMethod => format!("{} = {b}.{}", self.row(i.a, 2), self.name(i.d)),
            LoadSuperAttr => format!("{a} = super().{}", self.name(i.d)),
            LoadSuperMethod => format!("{} = super().{}", self.row(i.a, 2), self.name(i.d)),
            LoadSubscr => format!("{a} = {b}[{c}]"),
            StoreSubscr => format!("{a}[{b}] = {c}"),
            LoadDeref => format!("{a} = contents of {b}"),
            StoreDeref => format!("contents of {a} = {b}"),
            Call => format!("{a} = {b}({})", self.row(i.b.saturating_add(1), i.c.unsigned_abs().into())),
            CallMethod => {
                let arguments = self.row(i.b.saturating_add(2), i.c.unsigned_abs().into());
                format!("{a} = {}({arguments})", self.row(i.b, 2))
            }
            CallKw => {
                let arguments = self.row(i.b.saturating_add(1), i.c.unsigned_abs().into());
                let names = self.consts.get(i.d as usize).map_or("?", String::as_str);
                format!("{a} = {b}({arguments}), names {names}")
            }
            GetIter => format!("{a} = iter({b})"),
            ForIter => format!("{a} = next({b}), at the end to {to}"),
            BuildTuple => format!("{a} = ({})", self.row(i.b, i.d)),
            BuildList => format!("{a} = [{}]", self.row(i.b, i.d)),
            ListAppend => format!("{b}.append({c})"),
            BuildMap => format!("{a} = dict of pairs ({})", self.row(i.b, i.d)),
            BuildSet => format!("{a} = {{{}}}", self.row(i.b, i.d)),
            MapAdd => format!("{b}[{a}] = {c}"),
            SetAdd => format!("{b}.add({c})"),
            BuildString => format!("{a} = ''.join(({}))", self.row(i.b, i.d)),
            Format => format!("{a} = {}({b})", ["format", "str", "repr", "ascii"][i.d as usize & 3]),
            ForBack => format!("to {to}, {a} = next({b})"),
            LoadSlice => {
                let stop = self.value(operand_of(i.d));
                match i.e {
                    NO_STEP => format!("{a} = {b}[{c}:{stop}]"),
                    step => format!("{a} = {b}[{c}:{stop}:{}]", self.value(operand_of(step))),
                }
            }
            UnpackTwo => format!("{a}, {c} = {b}"),
            UnpackSequence => format!("{} = reversed({b})", self.row(i.a, i.d)),
            JumpIfNotExcMatch => format!("if {b} does not match {c}: to {to}"),
            Return => b,
            Yield => format!("{a} = yield {b}"),
            YieldFrom => format!("{a} = yield from {a}, sending {b}"),
            Generic => {
                let word = u8::try_from(i.b).ok().and_then(Word::from_u8);
                let name = word.map_or("?", Word::name);
                match word.is_some_and(Word::has_arg) {
                    true => format!("{name} {} on {}", i.d, self.stack_below(i.a)),
                    false => format!("{name} on {}", self.stack_below(i.a)),
                }
            }
            _ => format!("a={} b={} c={} k={}", i.a, i.b, i.c, i.d),
        }
    }

    /// The temporaries below register `top`.
    fn stack_below(&self, top: i16) -> String {
        match usize::try_from(top).ok().and_then(|top| top.checked_sub(usize::from(self.form.first_temp))) {
            None | Some(0) => "an empty stack".to_string(),
            Some(1) => "t0".to_string(),
            Some(depth) => format!("t0..t{}", depth - 1),
        }
    }

    /// What an instruction with an inline cache has learnt.
    fn cache(&self, i: &Instr) -> String {
        use Op::*;
        if !matches!(
            i.op,
            LoadGlobal
                | LoadName
                | StoreName
                | StoreGlobal
                | LoadAttr
                | StoreAttr
                | LoadMethod
                | LoadSuperAttr
                | LoadSuperMethod
        ) {
            return String::new();
        }
        // The first of `super().name` is that of the global.
        let is_super = matches!(i.op, LoadSuperAttr | LoadSuperMethod);
        let Some(cache) = self.form.caches.get(i.e as usize + usize::from(is_super)) else {
            return String::new();
        };
        let is_name = matches!(i.op, LoadGlobal | LoadName | StoreName | StoreGlobal);
        let known: Vec<String> = cache
            .entries()
            .map(|entry| match (is_name, is_super) {
                (true, _) => global_text(entry),
                (_, true) => "found behind its class".to_string(),
                _ => self.attribute_text(entry),
            })
            .collect();
        match known.as_slice() {
            [] => "  ; nothing learnt".to_string(),
            known => format!("  ; learnt {}", known.join(" | ")),
        }
    }

    fn attribute_text(&self, cache: &Cache) -> String {
        let (class, index) = (self.class(cache.version.get()), cache.index.get());
        match cache.kind.get() {
            caches::WORD => format!("{class}: in the object, at {index}"),
            caches::ADD => format!("{class}: added to the object, at {index}"),
            caches::OVERFLOW => format!("{class}: out of line, number {index}"),
            caches::CLASS => format!("{class}: of the class"),
            caches::METHOD => format!("{class}: a method"),
            caches::PROPERTY => format!("{class}: a property"),
            caches::STATIC => format!("{class}: a static method"),
            caches::BY_CLASS => format!("{class}: a class method"),
            caches::HINT => format!("{class}: in the object's dict, entry {index}"),
            caches::UNLIKE => format!("{class}: a method, which the object's dict does not hide"),
            caches::GETSET => format!("{class}: a native attribute"),
            caches::MODULE => format!("a module's, entry {index}"),
            caches::OWN => format!("{}: its own", self.class(cache.shape.get())),
            caches::OWN_STATIC => format!("{}: its own static method", self.class(cache.shape.get())),
            caches::OWN_BY_CLASS => format!("{}: its own class method", self.class(cache.shape.get())),
            kind => format!("kind {kind}"),
        }
    }

    /// The class of this version, if it has that version still.
    fn class(&self, version: u64) -> String {
        let mut todo = vec![self.vm.types().object.value().clone()];
        let mut seen: HashSet<u64> = HashSet::new();
        while let Some(class) = todo.pop() {
            let Some(ty) = class.downcast::<Type>().filter(|_| seen.insert(class.bits())) else { continue };
            if version != 0 && u64::from(ty.known_version()) == version {
                return ty.name().to_string();
            }
            todo.extend(ty.subclasses());
        }
        "a class that has changed".to_string()
    }

    /// What an instruction was seen to work on while its code was observed.
    fn observed(&self, at: usize, i: &Instr) -> String {
        let Some(seen) = self.form.seen.get().and_then(|seen| seen.get(at)) else { return String::new() };
        if seen.ran.get() == 0 {
            return String::new();
        }
        let operands = match operands(i.op) {
            Operands::None => vec![],
            Operands::B => vec![&seen.b],
            Operands::BC => vec![&seen.b, &seen.c],
            Operands::ABC => vec![&seen.a, &seen.b, &seen.c],
        };
        let mut parts = vec![format!("ran {}", seen.ran.get())];
        let kinds: Vec<String> = operands.iter().map(|kinds| kinds_text(kinds.get())).collect();
        parts.extend((!kinds.is_empty()).then(|| format!("on {}", kinds.join(", "))));
        if let Some(target) = seen.target() {
            let name = match (target.downcast::<CodeObject>(), target.downcast::<Type>()) {
                (Some(code), _) => self.vm.str_lossy(&code.qualname),
                (_, Some(ty)) => ty.name().to_string(),
                _ => self.vm.type_name(&target).to_string(),
            };
            parts.push(format!("always {name}"));
        }
        match seen.failed.get() {
            0 => {}
            NEWS => parts.push("more is known than machine code was made for".to_string()),
            times => parts.push(format!("machine code left {times} times")),
        }
        format!("  ; {}", parts.join(", "))
    }
}

fn global_text(cache: &Cache) -> String {
    match cache.kind.get() {
        caches::GLOBAL => format!("the module's, entry {}", cache.index.get()),
        caches::BUILTIN => format!("a builtin, entry {}", cache.index.get()),
        kind => format!("kind {kind}"),
    }
}

/// A set of kinds of values.
fn kinds_text(set: u16) -> String {
    let names = [
        (kinds::INT, "int"),
        (kinds::FLOAT, "float"),
        (kinds::HEAP_FLOAT, "float on the heap"),
        (kinds::BOOL, "bool"),
        (kinds::NONE, "None"),
        (kinds::LIST, "list"),
        (kinds::TUPLE, "tuple"),
        (kinds::DICT, "dict"),
        (kinds::STR, "str"),
        (kinds::OBJECT, "object"),
        (kinds::OTHER, "other"),
    ];
    let known: Vec<&str> = names.iter().filter(|(kind, _)| set & kind != 0).map(|(_, name)| *name).collect();
    if known.is_empty() { "?".to_string() } else { known.join("|") }
}

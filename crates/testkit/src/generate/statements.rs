//! Statements, and the events that break what a compiler believed.

use super::{FUNCTION_BUDGET, Kind, LISTS, Loop, Scope, Variable, Writer};

/// How many kinds of statements [`Writer::statement`] tells apart.
pub(super) const KINDS: usize = 20;

/// How deep statements are nested.
const DEEPEST: usize = 7;

impl Writer<'_> {
    /// One to a few statements.
    pub(super) fn block(&mut self) {
        let known = self.scope.variables.len();
        for _ in 0..1 + self.random.below(4) {
            self.statement();
        }
        // What a branch assigned may be unbound behind it: that is an error to provoke, but not each time.
        if !self.random.one_in(12) {
            self.scope.variables.truncate(known.min(self.scope.variables.len()));
        }
    }

    fn value(&mut self, kind: Kind) -> String {
        let depth = self.random.below(self.taste.depth + 1);
        self.expression(kind, depth)
    }

    /// Something to assign values of a kind to.
    pub(super) fn target(&mut self, kind: Kind) -> Option<String> {
        let ill = self.ill();
        let fits: Vec<&Variable> = (self.scope.variables.iter())
            .filter(|variable| !variable.fixed && (ill || variable.kind == kind))
            .collect();
        if fits.is_empty() { None } else { Some(fits[self.random.below(fits.len())].name.clone()) }
    }

    fn declare(&mut self, name: &str, kind: Kind) {
        if self.scope.variables.iter().any(|variable| variable.name == name) {
            return;
        }
        self.scope.variables.push(Variable { name: name.to_string(), kind, fixed: false });
        if let Kind::Object(class) = kind
            && let Some(class) = self.classes.get(class).cloned()
        {
            for (field, kind) in class.fields.into_iter().chain(class.properties) {
                let name = format!("{name}.{field}");
                self.scope.variables.push(Variable { name, kind, fixed: false });
            }
        }
    }

    /// An assignment; in loops, what may grow is kept small.
    fn assign(&mut self, kind: Kind) {
        let value = self.value(kind);
        let target = if self.random.one_in(3) { None } else { self.target(kind) };
        let name = target.unwrap_or_else(|| self.fresh(kind.prefix()));
        self.line(&format!("{name} = {value}"));
        self.keep_small(&name, kind, &value);
        self.declare(&name, kind);
    }

    fn keep_small(&mut self, name: &str, kind: Kind, value: &str) {
        if self.scope.loops.is_empty() && !name.contains(['.', '[', 'G']) {
            return;
        }
        let grows = value.contains(['*', '+', '<', '(', '[']) || !matches!(kind, Kind::Int | Kind::Float);
        if !grows {
            return;
        }
        if kind == Kind::Int && self.taste.ill > 100 && self.random.one_in(2) {
            self.line(&format!("if {name} > LIMIT or {name} < -LIMIT:"));
            self.line(&format!("    {name} %= 1000003"));
        } else if !(kind == Kind::Int && !value.contains(['*', '<', '('])
            || kind == Kind::Float && self.taste.ill > 100)
        {
            self.line(&format!("{name} = clamp({name})"));
        }
    }

    pub(super) fn statement(&mut self) {
        self.scope.cost += self.scope.weight;
        let weights = self.taste.statements;
        let mut at = self.random.below(weights.iter().sum());
        let mut choice = 0;
        for (kind, weight) in weights.iter().enumerate() {
            if at < *weight {
                choice = kind;
                break;
            }
            at -= weight;
        }
        if self.indent > DEEPEST || self.scope.cost > FUNCTION_BUDGET {
            choice %= 3;
        }
        match choice {
            1 => self.note(),
            2 => self.augmented(),
            3 => self.branch(),
            4 | 5 => self.counting_loop(),
            6 => self.container_loop(),
            7 => self.while_loop(),
            8 => self.try_statement(),
            9 => self.with_statement(),
            10 => self.list_change(),
            11 => self.dict_change(),
            12 => self.event(),
            13 => self.call_statement(),
            14 => self.unpack(),
            15 => self.delete(),
            16 => self.raise(),
            17 => self.jump(),
            18 if self.scope.in_function => self.closure(),
            19 if self.taste.frames => self.frame_access(),
            _ => {
                let kind = if self.random.one_in(4) { self.any_kind() } else { self.scalar() };
                self.assign(kind);
            }
        }
    }

    fn note(&mut self) {
        let Some(name) = self.variable(Kind::Any) else { return };
        let other = self.variable(Kind::Any).unwrap_or_default();
        let label = self.fresh("at");
        let text = format!("note(\"{label}\", {name}, {other})");
        match self.scope.loops.last().and_then(|around| around.index.clone()) {
            Some((index, early, late)) if self.scope.weight > 30 => {
                let when = if self.random.one_in(2) { late } else { early };
                self.line(&format!("if {index} == {when}:"));
                self.line(&format!("    {text}"));
            }
            _ => self.line(&text),
        }
    }

    fn augmented(&mut self) {
        let kind = match self.random.below(8) {
            0..4 => Kind::Int,
            4 => Kind::Float,
            5 => Kind::Str,
            6 => self.random.pick(LISTS),
            _ => self.any_kind(),
        };
        let Some(name) = self.target(kind) else { return self.assign(kind) };
        let (op, operand) = match kind {
            Kind::Int => (self.random.pick(&["+", "+", "-", "*", "//", "%", "&", "|", "^", ">>"]), Kind::Int),
            Kind::Float => (self.random.pick(&["+", "-", "*", "/", "//", "%"]), Kind::Float),
            Kind::Set => (self.random.pick(&["|", "&", "-", "^"]), Kind::Set),
            Kind::Dict => ("|", Kind::Dict),
            Kind::Object(_) | Kind::Any => (self.random.pick(&["+", "-", "*"]), Kind::Int),
            _ => ("+", kind),
        };
        let value = self.value(operand);
        let value = match op {
            ">>" => format!("({value}) & 63"),
            "*" => format!("({value}) % 1000"),
            _ => value,
        };
        self.line(&format!("{name} {op}= {value}"));
        self.keep_small(&name, if op == "*" { Kind::Any } else { kind }, &value);
    }

    fn branch(&mut self) {
        let condition = self.value(Kind::Bool);
        self.clause(&format!("if {condition}:"), Self::block);
        while self.random.one_in(4) {
            let condition = self.value(Kind::Bool);
            self.clause(&format!("elif {condition}:"), Self::block);
        }
        if self.random.one_in(2) {
            self.clause("else:", Self::block);
        }
    }

    /// How often a loop may turn here.
    fn turns(&mut self) -> i64 {
        let left = FUNCTION_BUDGET.saturating_sub(self.scope.cost) / self.scope.weight.max(1) / 4;
        let wanted = self.random.pick(&[3, 7, 20, 60, 150, 300]);
        i64::from(wanted.min(left).max(2))
    }

    fn in_loop(&mut self, head: &str, turns: i64, around: Loop, first: &str) {
        let weight = self.scope.weight;
        self.scope.weight = weight.saturating_mul(turns as u32);
        self.scope.loops.push(around);
        let in_finally = std::mem::replace(&mut self.scope.in_finally, false);
        self.clause(head, |this| {
            if !first.is_empty() {
                this.line(first);
            }
            this.block();
            if this.random.one_in(3) {
                this.event();
            }
        });
        self.scope.in_finally = in_finally;
        self.scope.loops.pop();
        self.scope.weight = weight;
        if self.random.one_in(5) {
            self.clause("else:", Self::block);
        }
    }

    fn counting_loop(&mut self) {
        let turns = self.turns();
        let step = self.random.pick(&[1, 1, 1, 2, 3, -1, -2, 7, 1 << 40]);
        let start = match self.random.below(8) {
            0 => (1i64 << 62) - 1 - turns / 2 * step,
            1 => -(1i64 << 61) - turns / 2 * step,
            2 => -3,
            3 => 5,
            _ => 0,
        };
        let stop = i128::from(start) + i128::from(turns) * i128::from(step);
        let name = self.fresh("i");
        let range = match (start, step) {
            (0, 1) => format!("range({stop})"),
            (_, 1) => format!("range({start}, {stop})"),
            _ => format!("range({start}, {stop}, {step})"),
        };
        let index = Some((name.clone(), start + step, start + (turns * 2 / 3) * step));
        self.scope.variables.push(Variable {
            name: name.clone(),
            kind: Kind::Int,
            fixed: self.random.one_in(2),
        });
        self.in_loop(&format!("for {name} in {range}:"), turns, Loop { index }, "");
    }

    fn container_loop(&mut self) {
        let kind = self.random.pick(LISTS);
        let generators: Vec<_> =
            self.functions.iter().filter(|function| function.generator).cloned().collect();
        let list = self.value(kind);
        let name = self.fresh("w");
        let element = kind.element();
        let mut around = Loop { index: None };
        let head = match self.random.below(7) {
            0 => {
                let index = self.fresh("i");
                around.index = Some((index.clone(), 1, 3));
                self.scope.variables.push(Variable { name: index.clone(), kind: Kind::Int, fixed: true });
                let start = self.random.pick(&["", ", 1", ", -2"]);
                format!("for {index}, {name} in enumerate({list}{start}):")
            }
            1 => {
                let other = self.fresh("w");
                let range =
                    self.random.pick(&["range(9)", "range(50, 0, -7)", "\"abcdef\"", "(1, 2.5, None)"]);
                self.scope.variables.push(Variable { name: other.clone(), kind: Kind::Any, fixed: false });
                format!("for {other}, {name} in zip({range}, {list}):")
            }
            2 => format!("for {name} in reversed({list}):"),
            3 => format!("for {name} in {}:", self.value(Kind::Str)),
            4 if !generators.is_empty() => {
                let function = &generators[self.random.below(generators.len())];
                self.scope.cost += self.scope.weight * function.cost;
                let arguments = self.arguments(function, 1);
                format!("for {name} in {}({arguments}):", function.name)
            }
            5 => format!("for {name} in list({}):", self.value(Kind::Dict)),
            _ => format!("for {name} in {list}:"),
        };
        self.scope.variables.push(Variable { name, kind: element, fixed: false });
        self.in_loop(&head, 8, around, "");
    }

    /// A loop that counts down a name of its own, so that it ends whatever else it does.
    fn while_loop(&mut self) {
        let turns = self.turns();
        let name = self.fresh("left");
        self.line(&format!("{name} = {turns}"));
        self.scope.variables.push(Variable { name: name.clone(), kind: Kind::Int, fixed: true });
        let condition =
            if self.random.one_in(2) { format!(" and {}", self.value(Kind::Bool)) } else { String::new() };
        let index = Some((name.clone(), turns - 1, turns / 3));
        let around = Loop { index };
        self.in_loop(&format!("while {name} > 0{condition}:"), turns, around, &format!("{name} -= 1"));
    }

    fn try_statement(&mut self) {
        self.clause("try:", Self::block);
        let mut handled = false;
        for _ in 0..1 + self.random.below(2) {
            let kind = self.random.pick(&[
                "ZeroDivisionError",
                "(TypeError, ValueError)",
                "IndexError",
                "KeyError",
                "LookupError",
                "OverflowError",
                "AttributeError",
                "NameError",
                "Custom",
                "ArithmeticError",
            ]);
            if self.random.one_in(3) {
                continue;
            }
            handled = true;
            self.handler(kind);
        }
        if !handled || self.random.one_in(3) {
            handled = true;
            self.handler("Exception");
        }
        if handled && self.random.one_in(4) {
            self.clause("else:", Self::block);
        }
        if self.random.one_in(3) {
            let was = std::mem::replace(&mut self.scope.in_finally, true);
            self.clause("finally:", Self::block);
            self.scope.in_finally = was;
        }
    }

    fn handler(&mut self, kind: &str) {
        let label = self.fresh("caught");
        let name = self.fresh("error");
        self.clause(&format!("except {kind} as {name}:"), |this| {
            if this.scope.weight <= 30 || this.random.one_in(8) {
                this.line(&format!("fault(\"{label}\", {name})"));
            }
            match this.random.below(6) {
                0 => this.line("raise"),
                1 => this.line(&format!("raise Custom(\"{label}\", 1) from {name}")),
                _ => this.block(),
            }
        });
    }

    fn with_statement(&mut self) {
        let label = self.fresh("guard");
        let swallow = self.random.pick(&["", ", TypeError", ", ArithmeticError", ", Exception"]);
        let head = if self.random.one_in(4) {
            format!("with Guard(\"{label}\") as {label}, Guard(\"inner\"{swallow}):")
        } else {
            format!("with Guard(\"{label}\"{swallow}) as {label}:")
        };
        self.clause(&head, Self::block);
    }

    fn list_change(&mut self) {
        let kind = self.random.pick(LISTS);
        let Some(name) = self.variable(kind) else { return self.assign(kind) };
        let value = self.value(kind.element());
        let at = self.value(Kind::Int);
        let text = match self.random.below(14) {
            0..3 => format!("{name}.append({value})"),
            3..6 => format!("{name}[{at}] = {value}"),
            6 => format!("{name}[{at} % 3] += {value}"),
            7 => format!("{name}.insert({at}, {value})"),
            8 => format!("{name}.pop()"),
            9 => format!("del {name}[{at}]"),
            10 => format!("{name}[{}:{}] = [{value}]", self.random.below(3), self.random.below(5)),
            11 => format!("{name}.extend([{value}, {value}])"),
            12 => format!("{name}.{}()", self.random.pick(&["reverse", "sort", "clear"])),
            _ => format!("{name}.remove({value})"),
        };
        self.line(&text);
        self.line(&format!("clamp({name})"));
    }

    fn dict_change(&mut self) {
        let kind = if self.random.one_in(3) { Kind::Set } else { Kind::Dict };
        let Some(name) = self.variable(kind) else { return self.assign(kind) };
        let (key, value) = (self.value(Kind::Int), self.value(Kind::Int));
        let text = match (kind, self.random.below(6)) {
            (Kind::Set, 0..4) => format!("{name}.add({key})"),
            (Kind::Set, _) => format!("{name}.discard({key})"),
            (_, 0 | 1) => format!("{name}[{key}] = {value}"),
            (_, 2) => format!("{name}[{key}] += 1"),
            (_, 3) => format!("{name}.setdefault({key}, {value})"),
            (_, 4) => format!("{name}.pop({key}, None)"),
            _ => format!("del {name}[{key}]"),
        };
        self.line(&text);
        self.line(&format!("clamp({name})"));
    }

    fn call_statement(&mut self) {
        if self.random.one_in(6) {
            let label = self.fresh("w");
            return self.line(&format!("{label} = Witness(\"{label}\")"));
        }
        let Some(call) = self.call(Kind::Any, 2) else { return self.note() };
        let name = self.fresh("v");
        self.line(&format!("{name} = {call}"));
        self.declare(&name, Kind::Any);
    }

    fn unpack(&mut self) {
        let kind = self.scalar();
        match self.random.below(4) {
            0 | 1 => {
                let (Some(a), Some(b)) = (self.target(kind), self.target(kind)) else {
                    return self.assign(kind);
                };
                let value = if self.random.one_in(2) {
                    format!("{b}, {a}")
                } else {
                    format!("{}, {}", self.value(kind), self.value(kind))
                };
                self.line(&format!("{a}, {b} = {value}"));
                self.keep_small(&a, Kind::Any, "(");
                self.keep_small(&b, Kind::Any, "(");
            }
            2 => {
                let (a, rest) = (self.fresh("v"), self.fresh("l"));
                let kind = self.random.pick(LISTS);
                let value = self.value(kind);
                self.line(&format!("{a}, *{rest} = {value}"));
                self.declare(&a, kind.element());
                self.declare(&rest, kind);
            }
            _ => {
                let (a, b) = (self.fresh("n"), self.fresh("v"));
                let value = self.value(Kind::Tuple);
                self.line(&format!("{a}, {b} = {value}"));
                self.declare(&a, Kind::Int);
                self.declare(&b, Kind::Any);
            }
        }
    }

    fn delete(&mut self) {
        let kind = self.any_kind();
        let Some(name) = self.target(kind) else { return self.note() };
        if self.rarely() {
            self.line(&format!("del {name}"));
            if self.random.one_in(2) {
                self.scope.variables.retain(|variable| variable.name != name);
            }
        }
    }

    /// Opens an `if` that is true once in a hot loop, if one is around; what is written next by [`Writer::event`] stands
    /// in it. Without a loop, seldom.
    fn rarely(&mut self) -> bool {
        self.scope.loops.is_empty() || self.random.one_in(4)
    }

    fn raise(&mut self) {
        let condition = self.value(Kind::Bool);
        let value = self.value(Kind::Int);
        if self.random.one_in(3) {
            return self.line(&format!("assert {condition}, {value}"));
        }
        let error = match self.random.below(6) {
            0 => "Custom".to_string(),
            1 => format!("Custom(1, extra={value})"),
            2 => format!("ValueError({value})"),
            3 => "KeyError(\"missing\")".to_string(),
            4 => "ZeroDivisionError".to_string(),
            _ => format!("IndexError({value}) from None"),
        };
        self.line(&format!("if {condition}:"));
        self.line(&format!("    raise {error}"));
    }

    fn jump(&mut self) {
        let condition = self.value(Kind::Bool);
        let in_loop = !self.scope.loops.is_empty();
        let text = match self.random.below(4) {
            0 | 1 if in_loop => self.random.pick(&["break", "continue", "continue"]).to_string(),
            2 if self.scope.in_function && !self.scope.in_finally => match self.scope.result {
                Some(kind) => format!("return {}", self.value(kind)),
                None => "return".to_string(),
            },
            _ if self.scope.in_generator => {
                let kind = self.scalar();
                let value = self.value(kind);
                let name = self.fresh("v");
                if self.random.one_in(3) {
                    self.declare(&name, Kind::Any);
                    return self.line(&format!("{name} = yield {value}"));
                }
                return self.line(&format!("yield {value}"));
            }
            _ => return self.note(),
        };
        self.line(&format!("if {condition}:"));
        self.line(&format!("    {text}"));
    }

    /// A function in a function, which may assign what it shares.
    fn closure(&mut self) {
        let name = self.fresh("inner");
        let shared: Vec<Variable> = (self.scope.variables.iter())
            .filter(|variable| {
                !variable.fixed && !variable.name.contains(['.', '[', 'G']) && variable.name != "self"
            })
            .cloned()
            .collect();
        let assigned: Vec<Variable> =
            shared.iter().filter(|_| self.random.one_in(2)).take(2).cloned().collect();
        let parameter = self.fresh("n");
        let mut variables: Vec<Variable> = (self.scope.variables.iter())
            .map(|variable| Variable { fixed: true, ..variable.clone() })
            .filter(|variable| assigned.iter().all(|other| other.name != variable.name))
            .collect();
        variables.extend(assigned.iter().cloned());
        variables.push(Variable { name: parameter.clone(), kind: Kind::Int, fixed: false });
        let result = self.scalar();
        let inner = Scope {
            variables,
            in_function: true,
            weight: 1,
            cost: self.scope.cost.max(FUNCTION_BUDGET - FUNCTION_BUDGET / 10),
            result: Some(result),
            ..Scope::default()
        };
        let outer = std::mem::replace(&mut self.scope, inner);
        self.clause(&format!("def {name}({parameter}=1):"), |this| {
            let names: Vec<&str> = assigned.iter().map(|variable| variable.name.as_str()).collect();
            if !names.is_empty() {
                this.line(&format!("nonlocal {}", names.join(", ")));
            }
            this.block();
            let value = this.value(result);
            this.line(&format!("return {value}"));
        });
        let cost = self.scope.cost - FUNCTION_BUDGET * 9 / 10;
        self.scope = outer;
        let target = self.fresh(result.prefix());
        let argument = self.value(Kind::Int);
        if self.scope.cost + self.scope.weight * (cost + 1) * 6 < FUNCTION_BUDGET {
            self.scope.cost += self.scope.weight * cost * 6;
            match self.random.below(3) {
                0 => self.line(&format!("{target} = [{name}(q) for q in range(5)][-1]")),
                1 => self.line(&format!("{target} = {name}({argument})")),
                _ => {
                    self.line(&format!("for {target} in range(6):"));
                    self.line(&format!("    {target} = {name}({target})"));
                }
            }
            self.declare(&target, result);
        }
    }

    fn frame_access(&mut self) {
        let kind = self.scalar();
        match self.target(kind) {
            Some(name)
                if self.random.one_in(2) && !name.contains(['.', '[', 'G']) && self.scope.in_function =>
            {
                let value = self.value(kind);
                self.once(&format!("poke({name:?}, {value})"));
            }
            _ => self.once("peek()"),
        }
    }

    /// A statement that runs in one turn of the loop around.
    fn once(&mut self, text: &str) {
        match self.scope.loops.last().and_then(|around| around.index.clone()) {
            Some((index, early, late)) => {
                let when = if self.random.one_in(4) { early } else { late };
                self.line(&format!("if {index} == {when}:"));
                self.line(&format!("    {text}"));
            }
            None if self.scope.loops.is_empty() || self.random.one_in(3) => self.line(text),
            None => {}
        }
    }

    /// Something that a compiler took for granted stops being so.
    pub(super) fn event(&mut self) {
        if self.taste.events == 0 {
            return;
        }
        let text = match self.random.below(6) {
            0 | 1 => self.type_change(),
            2 | 3 => self.list_event(),
            _ => self.world_event(),
        };
        if let Some(text) = text {
            self.once(&text);
        }
    }

    /// An event at the top of the module, which may fail.
    pub(super) fn guarded_event(&mut self) {
        let Some(event) = self.world_event() else { return };
        self.line("try:");
        self.line(&format!("    {event}"));
        self.line("except Exception as e:");
        self.line("    fault(\"event\", e)");
    }

    fn type_change(&mut self) -> Option<String> {
        let kind = self.scalar();
        let name = self.target(kind)?;
        let value = match self.random.below(9) {
            0 => format!("float({name})"),
            1 => format!("str({name})"),
            2 => "None".to_string(),
            3 => format!("bool({name})"),
            4 => "MyInt(5)".to_string(),
            5 => "MyFloat(1.5)".to_string(),
            6 => "1 << 80".to_string(),
            7 => format!("[{name}]"),
            _ => {
                let kind = self.any_kind();
                self.value(kind)
            }
        };
        Some(format!("{name} = {value}"))
    }

    fn list_event(&mut self) -> Option<String> {
        let kind = self.random.pick(LISTS);
        let name = self.variable(kind)?;
        Some(match self.random.below(8) {
            0 => format!("{name}.clear()"),
            1 => format!("del {name}[1:]"),
            2 => format!("{name}[0] = 1.5"),
            3 => format!("{name}[-1] = \"text\""),
            4 => format!("{name}[:] = [None, 1, \"s\", 2.5]"),
            5 => format!("{name}.append({name})"),
            6 => format!("{name}[:0] = [1 << 70]"),
            _ => format!("{name} = {name}[:]"),
        })
    }

    /// Functions, classes, globals and builtins become others.
    pub(super) fn world_event(&mut self) -> Option<String> {
        match self.random.below(10) {
            0 | 1 => {
                let at = self.random.below(self.functions.len().max(1));
                let function = self.functions.get(at)?;
                let earlier: Vec<&str> = (self.functions[..at].iter())
                    .filter(|other| other.cost <= function.cost && other.generator == function.generator)
                    .map(|other| other.name.as_str())
                    .collect();
                let name = &function.name;
                let code = self.random.below(6);
                if earlier.is_empty() || code == 5 {
                    return Some(match code {
                        0 => format!("{name}.__defaults__ = (1, 2.5, \"s\")"),
                        1 => format!("globals()[{name:?}] = len"),
                        _ => format!("globals()[{name:?}] = lambda *a, **k: 1 << 62"),
                    });
                }
                let other = earlier[self.random.below(earlier.len())];
                Some(match code {
                    0 | 1 => format!("{name}.__code__ = {other}.__code__"),
                    _ => format!("globals()[{name:?}] = {other}"),
                })
            }
            2 => {
                let fake = self.random.pick(&[
                    "globals()[\"len\"] = lambda x: 7",
                    "globals().pop(\"len\", None)",
                    "globals()[\"abs\"] = lambda x: x",
                    "globals()[\"min\"] = max",
                    "globals()[\"int\"] = float",
                    "globals()[\"range\"] = lambda *a: [3, 1, 2]",
                    "globals()[\"sum\"] = sorted",
                    "builtins.abs = lambda x: \"abs\"",
                    "builtins.max = lambda *a: a[0]",
                    "math.floor = lambda x: \"floor\"",
                ]);
                Some(fake.to_string())
            }
            3 | 4 => {
                let globals: Vec<Variable> = self.globals.clone();
                let name = &globals.get(self.random.below(globals.len().max(1)))?.name;
                let kind = self.any_kind();
                let value = self.value(kind);
                Some(match self.random.below(5) {
                    0 => format!("globals().pop({name:?}, None)"),
                    _ => format!("globals()[{name:?}] = clamp({value})"),
                })
            }
            _ => self.class_event(),
        }
    }

    fn class_event(&mut self) -> Option<String> {
        let at = self.random.below(self.classes.len().max(1));
        let class = self.classes.get(at)?.clone();
        let other = self.classes[self.random.below(self.classes.len())].name.clone();
        let instance = self.variable(Kind::Object(at));
        let (name, fields, methods) = (&class.name, &class.fields, &class.methods);
        let field = fields.get(self.random.below(fields.len().max(1))).map(|field| field.0.clone());
        let method = methods.get(self.random.below(methods.len().max(1))).map(|method| method.name.clone());
        let field = field.unwrap_or_else(|| "extra".to_string());
        let method = method.unwrap_or_else(|| "extra".to_string());
        let instance_event = self.random.one_in(2);
        if let Some(instance) = instance.filter(|_| instance_event) {
            return Some(match self.random.below(8) {
                0 => format!("{instance}.{method} = lambda *a, **k: \"own\""),
                1 => format!("del {instance}.{field}"),
                2 => format!("{instance}.__class__ = {other}"),
                3 => format!("{instance}.__dict__.clear()"),
                4 => format!("{instance}.{field} = \"text\""),
                5 => format!("{instance}.{field} = 2.5"),
                6 => format!("{instance}.__dict__[{field:?}] = None"),
                _ => format!("{instance}.extra = 1"),
            });
        }
        Some(match self.random.below(13) {
            0 => format!("{name}.{method} = lambda self, *a, **k: \"new\""),
            1 => format!("del {name}.{method}"),
            2 => format!("{name}.{field} = property(lambda self: 11)"),
            3 => format!("{name}.{field} = 13"),
            4 => format!("{name}.__getattr__ = lambda self, name: name"),
            5 => format!("{name}.__getattribute__ = lambda self, name: object.__getattribute__(self, name)"),
            6 => format!("{name}.__eq__ = lambda self, other: \"eq\""),
            7 => format!("{name}.__add__ = lambda self, other: 1 << 63"),
            8 => format!("{name}.__bool__ = lambda self: False"),
            9 => format!("{name}.__setattr__ = lambda self, name, value: object.__setattr__(self, name, 99)"),
            10 => format!("{name}.__len__ = lambda self: {}", self.random.pick(&["0", "5", "-1", "\"x\""])),
            11 => format!("{name}.{method} = staticmethod(lambda *a, **k: len(a))"),
            _ => format!("{name}.__init__ = lambda self, *a, **k: None"),
        })
    }
}

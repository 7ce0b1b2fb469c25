//! Functions, generators and classes.

use super::{Class, FUNCTION_BUDGET, Function, Kind, Parameter, Scope, Variable, Writer};

impl Writer<'_> {
    pub(super) fn function(&mut self) {
        if self.random.one_in(5) {
            return self.recursive_function();
        }
        let name = self.fresh("f");
        let generator = self.random.one_in(5);
        let function = self.write_function(name, None, generator);
        self.functions.push(function);
    }

    fn parameters(&mut self) -> (Vec<Parameter>, bool) {
        let mut parameters: Vec<Parameter> = Vec::new();
        let count = self.random.below(4);
        let takes_more = self.random.one_in(5);
        let mut defaults = false;
        for at in 0..count {
            let kind = if self.random.one_in(2) { self.scalar() } else { self.any_kind() };
            defaults |= self.random.one_in(3);
            let keyword_only = at + 1 == count && self.random.one_in(5);
            let name = self.fresh(kind.prefix());
            parameters.push(Parameter { name, kind, has_default: defaults, keyword_only });
        }
        (parameters, takes_more)
    }

    /// Writes a function, or a method of the class whose fields are given.
    fn write_function(
        &mut self,
        name: String,
        fields: Option<&[(String, Kind)]>,
        generator: bool,
    ) -> Function {
        let (parameters, takes_more) = self.parameters();
        let result = if self.random.one_in(3) { self.any_kind() } else { self.scalar() };
        let mut head: Vec<String> = if fields.is_some() { vec!["self".to_string()] } else { Vec::new() };
        let mut starred = false;
        for parameter in &parameters {
            if parameter.keyword_only {
                head.push(if takes_more { "*more".to_string() } else { "*".to_string() });
                starred = true;
            }
            let value = if parameter.has_default {
                format!("={}", self.sound(parameter.kind))
            } else {
                String::new()
            };
            head.push(format!("{}{value}", parameter.name));
        }
        if takes_more && !starred {
            head.push("*more".to_string());
        }
        let mut variables: Vec<Variable> =
            self.globals.iter().map(|global| Variable { fixed: true, ..global.clone() }).collect();
        let assigned: Vec<String> = (self.globals.iter())
            .filter(|_| self.random.one_in(4))
            .map(|global| global.name.clone())
            .collect();
        for variable in &mut variables {
            variable.fixed = !assigned.contains(&variable.name);
        }
        if takes_more {
            variables.push(Variable { name: "more".to_string(), kind: Kind::Tuple, fixed: true });
        }
        for (field, kind) in fields.unwrap_or_default() {
            variables.push(Variable { name: format!("self.{field}"), kind: *kind, fixed: false });
        }
        for parameter in &parameters {
            let kind = parameter.kind;
            variables.push(Variable { name: parameter.name.clone(), kind, fixed: false });
            if kind.is_list() {
                let name = format!("{}[0]", parameter.name);
                variables.push(Variable { name, kind: kind.element(), fixed: false });
            }
        }
        let budget = if fields.is_some() || generator { FUNCTION_BUDGET / 12 } else { FUNCTION_BUDGET };
        let scope = Scope {
            variables,
            in_function: true,
            in_generator: generator,
            weight: 1,
            cost: FUNCTION_BUDGET - budget,
            result: Some(result),
            ..Scope::default()
        };
        let outer = std::mem::replace(&mut self.scope, scope);
        self.clause(&format!("def {name}({}):", head.join(", ")), |this| {
            if !assigned.is_empty() {
                this.line(&format!("global {}", assigned.join(", ")));
            }
            let statements =
                if fields.is_some() { 1 + this.random.below(2) } else { 2 + this.random.below(5) };
            for _ in 0..statements {
                this.statement();
            }
            if generator {
                let value = this.expression(result, 1);
                this.line(&format!("yield {value}"));
            }
            let value = this.expression(result, 1);
            this.line(&format!("return {value}"));
        });
        let cost = (self.scope.cost + budget).saturating_sub(FUNCTION_BUDGET) + 2;
        self.scope = outer;
        if self.indent == 0 {
            self.line("");
        }
        Function { name, parameters, takes_more, result, cost, generator }
    }

    /// Functions that call themselves, with a bound.
    fn recursive_function(&mut self) {
        let name = self.fresh("f");
        let kind = self.scalar();
        let (cost, body): (u32, Vec<String>) = match self.random.below(5) {
            0 => (
                300,
                vec![
                    format!("if n < 2 or n > 12:"),
                    format!("    return n"),
                    format!("return {name}(n - 1) + {name}(n - 2)"),
                ],
            ),
            1 => (
                40,
                vec![
                    "if n <= 0 or n > 30:".to_string(),
                    format!("    return {}", self.expression(kind, 1)),
                    format!("result = {name}(n - 1)"),
                    format!("if n == 7:"),
                    format!("    return {}", self.expression(Kind::Any, 1)),
                    format!("return result"),
                ],
            ),
            2 => (
                2500,
                vec![
                    // To the limit of recursion, and back through a handler.
                    "global depth".to_string(),
                    "try:".to_string(),
                    "    depth = depth + 1".to_string(),
                    "except NameError:".to_string(),
                    "    depth = 1".to_string(),
                    format!("return {name}(n + 1) + 1"),
                ],
            ),
            3 => (
                60,
                vec![
                    "if n > 40 or n < 0:".to_string(),
                    "    raise Custom(\"deep\", n)".to_string(),
                    "try:".to_string(),
                    format!("    return {name}(n + 7)"),
                    "finally:".to_string(),
                    format!("    note({name:?}, n, {})", self.expression(Kind::Any, 0)),
                ],
            ),
            _ => (
                60,
                vec![
                    "if not isinstance(n, int) or n <= 0 or n > 40:".to_string(),
                    "    return [n]".to_string(),
                    format!("return [*{name}(n - 3), n]"),
                ],
            ),
        };
        self.clause(&format!("def {name}(n):"), |this| body.iter().for_each(|line| this.line(line)));
        self.line("");
        let parameter =
            Parameter { name: "n".to_string(), kind: Kind::Int, has_default: false, keyword_only: false };
        self.functions.push(Function {
            name,
            parameters: vec![parameter],
            takes_more: false,
            result: Kind::Int,
            cost,
            generator: false,
        });
    }

    pub(super) fn class(&mut self) {
        let name = self.fresh("C");
        let base = if self.random.one_in(3) { self.classes.last().cloned() } else { None };
        let mut fields: Vec<(String, Kind)> = base.iter().flat_map(|base| base.fields.clone()).collect();
        let mut own = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let kind = if self.random.one_in(3) { self.any_kind() } else { self.scalar() };
            let kind = if matches!(kind, Kind::Object(_)) { Kind::Int } else { kind };
            own.push((self.fresh("a"), kind));
        }
        fields.extend(own.iter().cloned());
        let slots = self.random.one_in(4);
        let head = match &base {
            Some(base) => format!("class {name}({}):", base.name),
            None => format!("class {name}:"),
        };
        let mut class = Class { name, fields, methods: Vec::new(), properties: Vec::new() };
        if let Some(base) = &base {
            class.properties = base.properties.clone();
            class.methods = base.methods.clone();
        }
        self.clause(&head, |this| {
            if slots {
                let names: Vec<String> = own.iter().map(|(name, _)| format!("{name:?}")).collect();
                this.line(&format!("__slots__ = [{}]", names.join(", ")));
            } else if this.random.one_in(3) {
                let value = this.sound(own[0].1);
                this.line(&format!("{} = {value}", own[0].0));
            }
            this.constructor(&class.fields.clone(), base.as_ref());
            // No address is printed.
            this.line("def __repr__(self):");
            this.line("    return type(self).__name__ + \"()\"");
            for _ in 0..1 + this.random.below(3) {
                let inherited = class.methods.get(this.random.below(class.methods.len().max(1)));
                let name = match inherited {
                    Some(method) if this.random.one_in(4) => method.name.clone(),
                    _ => this.fresh("m"),
                };
                let fields = class.fields.clone();
                let method = this.write_function(name, Some(&fields), false);
                class.methods.retain(|other| other.name != method.name);
                class.methods.push(method);
            }
            for _ in 0..this.random.below(4) {
                let field = own[this.random.below(own.len())].0.clone();
                this.special_method(&field);
            }
            if this.random.one_in(3) {
                let name = this.fresh("p");
                this.property(&name, &own[0]);
                class.properties.push((name, own[0].1));
            }
        });
        self.line("");
        self.classes.push(class);
    }

    fn constructor(&mut self, fields: &[(String, Kind)], base: Option<&Class>) {
        let parameters: Vec<String> =
            fields.iter().map(|(name, kind)| format!("{name}={}", self.sound(*kind))).collect();
        self.line(&format!("def __init__(self, {}):", parameters.join(", ")));
        let inherited = base.map_or(0, |base| base.fields.len());
        if base.is_some() {
            let names: Vec<String> = fields[..inherited].iter().map(|(name, _)| name.clone()).collect();
            self.line(&format!("    super().__init__({})", names.join(", ")));
        }
        for (name, _) in &fields[inherited..] {
            self.line(&format!("    self.{name} = {name}"));
        }
    }

    fn property(&mut self, name: &str, field: &(String, Kind)) {
        self.line("@property");
        self.line(&format!("def {name}(self):"));
        self.line(&format!("    return self.{}", field.0));
        if self.random.one_in(2) {
            self.line(&format!("@{name}.setter"));
            self.line(&format!("def {name}(self, value):"));
            self.line(&format!("    self.{} = value", field.0));
        }
    }

    /// Special methods; none of them runs other code of the program, so that no call goes round in a circle.
    fn special_method(&mut self, field: &str) {
        let (head, body) = match self.random.below(20) {
            0 | 1 => ("__add__(self, other)", format!("return (self.{field}, type(other).__name__)")),
            2 => ("__radd__(self, other)", format!("return self.{field}")),
            3 => (
                "__eq__(self, other)",
                format!("return type(self) is type(other) and self.{field} is other.{field}"),
            ),
            4 => ("__lt__(self, other)", "return NotImplemented".to_string()),
            5 => ("__gt__(self, other)", "return True".to_string()),
            6 => ("__getitem__(self, at)", "return (0, 1.5, None)[at]".to_string()),
            7 => ("__len__(self)", "return 2".to_string()),
            8 => ("__bool__(self)", format!("return self.{field} is not None")),
            9 => ("__call__(self, *args)", format!("return self.{field}")),
            10 => ("__iter__(self)", "yield 1; yield \"two\"".to_string()),
            11 => ("__contains__(self, item)", "return item is None".to_string()),
            12 => ("__hash__(self)", "return 5".to_string()),
            13 => ("__getattr__(self, name)", "return \"no \" + name".to_string()),
            14 => ("__setattr__(self, name, value)", "object.__setattr__(self, name, value)".to_string()),
            15 => ("__del__(self)", "say(\"died\", type(self).__name__)".to_string()),
            16 => ("__index__(self)", "return 1".to_string()),
            17 => ("__neg__(self)", format!("return self.{field}")),
            18 => ("__iadd__(self, other)", format!("self.{field} = other; return self")),
            _ => ("__mul__(self, other)", "raise Custom(\"mul\")".to_string()),
        };
        self.line(&format!("def {head}:"));
        self.line(&format!("    {body}"));
    }
}

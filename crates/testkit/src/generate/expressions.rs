//! Expressions of a wanted type, which now and then are of another.

use super::{Function, Kind, LISTS, Variable, Writer};

/// Around the ends of 62, 63 and 64 bits, where representations change.
const LARGE: &[&str] = &[
    "2147483647",
    "-2147483648",
    "4294967296",
    "3037000500",
    "2305843009213693951",
    "2305843009213693952",
    "-2305843009213693953",
    "4611686018427387903",
    "4611686018427387904",
    "-4611686018427387904",
    "-4611686018427387905",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "10**18",
    "(1 << 62) - 100",
    "(1 << 61) - 50",
    "-(1 << 62) + 100",
];
const SMALL: &[&str] = &["0", "1", "2", "3", "5", "7", "10", "-1", "-2", "-7", "64", "100", "255", "1000"];
const FLOATS: &[&str] = &[
    "0.0",
    "-0.0",
    "1.0",
    "0.5",
    "-1.5",
    "3.25",
    "0.1",
    "1e16",
    "1e308",
    "-1e308",
    "5e-324",
    "9007199254740993.0",
    "4611686018427387904.0",
    "9.3e18",
    "1e-300",
    "NAN",
    "INF",
    "-INF",
];
const TEXTS: &[&str] =
    &["\"\"", "\"a\"", "\"abc\"", "\"\u{e9}\u{4e00}z\"", "\"x,y,,z\"", "\"12\"", "\" 3.5 \"", "\"A b\""];

impl Writer<'_> {
    /// A variable of a kind; now and then of any.
    pub(super) fn variable(&mut self, kind: Kind) -> Option<String> {
        let ill = self.ill();
        let fits: Vec<&Variable> = (self.scope.variables.iter())
            .filter(|variable| ill || kind == Kind::Any || variable.kind == kind)
            .collect();
        if fits.is_empty() {
            return None;
        }
        // The latest are the most interesting: they change in the loop at hand.
        let at = self.random.below(fits.len()).max(self.random.below(fits.len()));
        Some(fits[at].name.clone())
    }

    pub(super) fn ill(&mut self) -> bool {
        self.random.one_in(self.taste.ill)
    }

    pub(super) fn expression(&mut self, kind: Kind, depth: usize) -> String {
        let kind = if self.ill() { self.any_kind() } else { kind };
        if (depth == 0 || self.random.one_in(3))
            && !self.random.one_in(4)
            && let Some(name) = self.variable(kind)
        {
            return name;
        }
        if depth > 0 && self.random.one_in(10) {
            return self.whatever(kind, depth - 1);
        }
        match kind {
            Kind::Int => self.int(depth),
            Kind::Float => self.float(depth),
            Kind::Bool => self.condition(depth),
            Kind::Str => self.string(depth),
            Kind::Ints | Kind::Floats | Kind::Strs | Kind::Mixed => self.list(kind, depth),
            Kind::Tuple => self.tuple(depth),
            Kind::Dict => self.dict(depth),
            Kind::Set => self.set(depth),
            Kind::Object(class) => self.object(class, depth),
            Kind::Any => self.anything(depth),
        }
    }

    /// What has the type that its parts have.
    fn whatever(&mut self, kind: Kind, depth: usize) -> String {
        match self.random.below(7) {
            0 => {
                let (a, c, b) =
                    (self.expression(kind, depth), self.condition(depth), self.expression(kind, depth));
                format!("({a} if {c} else {b})")
            }
            1 => {
                let (a, b) = (self.expression(kind, depth), self.expression(kind, depth));
                format!("({a} {} {b})", self.random.pick(&["and", "or"]))
            }
            2 if !self.no_walrus && self.scope.in_function => {
                let value = self.expression(kind, depth);
                match self.target(kind) {
                    Some(name) if !name.contains(['.', '[']) => format!("({name} := {value})"),
                    _ => value,
                }
            }
            3 => {
                let value = self.expression(kind, depth);
                let other = self.any_kind();
                let other = self.expression(other, depth);
                let at = self.random.pick(&["0", "0", "0", "-2", "False"]);
                format!("({value}, {other})[{at}]")
            }
            4 => {
                let name = self.fresh("p");
                let body = self.quiet(|this| this.expression(kind, depth));
                let argument = self.expression(kind, depth);
                format!(
                    "(lambda {name}: {})({argument})",
                    if self.random.one_in(2) { name.clone() } else { body }
                )
            }
            _ => self.call(kind, depth).unwrap_or_else(|| self.expression(kind, depth)),
        }
    }

    /// Without `:=`.
    pub(super) fn quiet<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let was = std::mem::replace(&mut self.no_walrus, true);
        let result = write(self);
        self.no_walrus = was;
        result
    }

    /// A call of a function or method that gives such a value and costs little enough.
    pub(super) fn call(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let limit = (super::FUNCTION_BUDGET.saturating_sub(self.scope.cost)) / self.scope.weight.max(1);
        let ill = self.ill();
        let fits = |function: &&Function| {
            !function.generator
                && function.cost < limit
                && (ill || kind == Kind::Any || function.result == kind)
        };
        let mut found: Vec<(String, Function)> = self
            .functions
            .iter()
            .filter(fits)
            .map(|function| (function.name.clone(), function.clone()))
            .collect();
        for variable in &self.scope.variables {
            if let Kind::Object(class) = variable.kind
                && let Some(class) = self.classes.get(class)
            {
                found.extend(
                    (class.methods.iter().filter(fits))
                        .map(|method| (format!("{}.{}", variable.name, method.name), method.clone())),
                );
            }
        }
        if found.is_empty() {
            return None;
        }
        let (name, function) = found.swap_remove(self.random.below(found.len()));
        self.scope.cost += self.scope.weight * function.cost;
        let arguments = self.arguments(&function, depth);
        Some(format!("{name}({arguments})"))
    }

    pub(super) fn arguments(&mut self, function: &Function, depth: usize) -> String {
        let mut written = Vec::new();
        let mut by_name = false;
        for parameter in &function.parameters {
            if parameter.has_default && self.random.one_in(2) {
                by_name = true;
                continue;
            }
            let value = self.expression(parameter.kind, depth.saturating_sub(1));
            by_name |= parameter.keyword_only || self.random.one_in(6);
            written.push(if by_name { format!("{}={value}", parameter.name) } else { value });
        }
        if function.takes_more && !by_name && self.random.one_in(2) {
            let more = self.random.pick(&["1", "2.5, None", "*(1, 2)", "*[]", "*\"xy\", 3"]);
            written.push(more.to_string());
        }
        if self.ill() {
            match self.random.below(4) {
                0 => drop(written.pop()),
                1 => written.push("surplus=1".to_string()),
                2 => written.insert(0, "1".to_string()),
                _ => written.push("**{\"other\": 2}".to_string()),
            }
        }
        written.join(", ")
    }

    pub(super) fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            let pool = if self.random.one_in(4) { LARGE } else { SMALL };
            return self.random.pick(pool).to_string();
        }
        let depth = depth - 1;
        let a = self.expression(Kind::Int, depth);
        match self.random.below(34) {
            0..4 => format!("({a} + {})", self.expression(Kind::Int, depth)),
            4..7 => format!("({a} - {})", self.expression(Kind::Int, depth)),
            7 => format!("({a} * {})", self.random.pick(SMALL)),
            8 | 9 => format!("(({a} * {}) % 1000000007)", self.expression(Kind::Int, depth)),
            10 => format!("({a} // {})", self.expression(Kind::Int, depth)),
            11 => format!("({a} % {})", self.expression(Kind::Int, depth)),
            12 => format!("(-{a})"),
            13 => format!("(~{a})"),
            14 | 15 => {
                let op = self.random.pick(&["&", "|", "^"]);
                format!("({a} {op} {})", self.expression(Kind::Int, depth))
            }
            16 => format!("({a} >> ({} & 63))", self.expression(Kind::Int, depth)),
            17 => format!(
                "(({a} & 0xffff) << ({} % 70 - {}))",
                self.expression(Kind::Int, depth),
                self.random.pick(&["0", "0", "0", "3"])
            ),
            18 => format!("({a} >> {})", self.random.pick(&["1", "3", "62", "63", "64", "200", "-1"])),
            19 => {
                let name = self.random.pick(&["min", "max"]);
                format!("{name}({a}, {})", self.expression(Kind::Int, depth))
            }
            20 => format!("abs({a})"),
            21 => format!("int({})", self.expression(Kind::Float, depth)),
            22 => {
                let kind = self.container();
                format!("len({})", self.expression(kind, depth))
            }
            23..26 => {
                let list = self.expression(Kind::Ints, depth);
                let at = self.index();
                format!("{list}[{at}]")
            }
            26 => format!(
                "{}[{}]",
                self.expression(Kind::Tuple, depth),
                self.random.pick(&["0", "1", "-1", "5"])
            ),
            27 => format!("{}.get({a}, 0)", self.receiver(Kind::Dict, depth)),
            28 => format!("sum({})", self.expression(Kind::Ints, depth)),
            29 => format!("pow({a}, {}, 1000003)", self.random.pick(&["2", "3", "-1", "0"])),
            30 => format!("divmod({a}, {})[{}]", self.expression(Kind::Int, depth), self.random.below(2)),
            31 => format!("({} + {a})", self.condition(depth)),
            32 => format!("({a}).bit_length()"),
            _ => {
                self.random.pick(&["True", "MyInt(3)", "int(\"17\")", "ord(\"a\")", "hash(1.0)"]).to_string()
            }
        }
    }

    /// Something that a dot may follow.
    fn receiver(&mut self, kind: Kind, depth: usize) -> String {
        let value = self.expression(kind, depth);
        if value.starts_with(|first: char| first.is_ascii_digit()) { format!("({value})") } else { value }
    }

    fn index(&mut self) -> String {
        match self.random.below(6) {
            0..3 => self.expression(Kind::Int, 0),
            3 => format!("{} % 4", self.expression(Kind::Int, 0)),
            4 => self.random.pick(&["0", "-1", "1", "2", "-4", "9"]).to_string(),
            _ => self.random.pick(&["True", "Index(1)", "-1", "0"]).to_string(),
        }
    }

    pub(super) fn container(&mut self) -> Kind {
        match self.random.below(8) {
            0 => Kind::Str,
            1 => Kind::Tuple,
            2 => Kind::Dict,
            3 => Kind::Set,
            _ => self.random.pick(LISTS),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.random.pick(FLOATS).to_string();
        }
        let depth = depth - 1;
        let a = self.expression(Kind::Float, depth);
        match self.random.below(20) {
            0..5 => {
                let op = self.random.pick(&["+", "-", "*", "+"]);
                format!("({a} {op} {})", self.expression(Kind::Float, depth))
            }
            5..8 => {
                let op = self.random.pick(&["+", "-", "*", "/"]);
                format!("({a} {op} {})", self.expression(Kind::Int, depth))
            }
            8 | 9 => {
                let op = self.random.pick(&["/", "//", "%"]);
                format!("({a} {op} {})", self.expression(Kind::Float, depth))
            }
            10 => format!("({} / {})", self.expression(Kind::Int, depth), self.expression(Kind::Int, depth)),
            11 => format!("({a} ** {})", self.random.pick(&["2", "0.5", "-1", "0"])),
            12 => format!("(-{a})"),
            13 => format!("abs({a})"),
            14 => format!("float({})", self.expression(Kind::Int, depth)),
            15 => {
                let name = self.random.pick(&["min", "max"]);
                format!("{name}({a}, {})", self.expression(Kind::Float, depth))
            }
            16 => format!("{}[{}]", self.expression(Kind::Floats, depth), self.index()),
            17 => format!("math.{}({a})", self.random.pick(&["sqrt", "floor", "trunc", "fabs", "copysign"])),
            18 => format!("round({a}, {})", self.random.pick(&["0", "2", "-1"])),
            _ => self.random.pick(&["MyFloat(2.5)", "float(\"1.5\")", "sum([0.1, 0.2, 0.3])"]).to_string(),
        }
    }

    pub(super) fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.random.pick(&["True", "False"]).to_string();
        }
        let depth = depth - 1;
        match self.random.below(16) {
            0..6 => {
                let kind = self.scalar();
                let kind = if self.random.one_in(6) { self.any_kind() } else { kind };
                let op = self.random.pick(&["<", "<=", "==", "!=", ">", ">="]);
                format!("({} {op} {})", self.expression(kind, depth), self.expression(kind, depth))
            }
            6 => {
                let (a, b, c) = (
                    self.expression(Kind::Int, depth),
                    self.expression(Kind::Int, depth),
                    self.expression(Kind::Int, depth),
                );
                format!("({a} < {b} <= {c})")
            }
            7 => {
                let op = self.random.pick(&["is", "is not"]);
                format!("({} {op} None)", self.expression(Kind::Any, depth))
            }
            8 => {
                let kinds =
                    self.random.pick(&["int", "float", "str", "bool", "list", "(int, float)", "MyInt"]);
                format!("isinstance({}, {kinds})", self.expression(Kind::Any, depth))
            }
            9 | 10 => {
                let kind = self.container();
                let op = self.random.pick(&["in", "not in"]);
                format!("({} {op} {})", self.expression(kind.element(), depth), self.expression(kind, depth))
            }
            11 => format!("(not {})", self.expression(Kind::Any, depth)),
            12 => format!("({} and {})", self.condition(depth), self.condition(depth)),
            13 => format!("({} or {})", self.condition(depth), self.condition(depth)),
            14 => {
                let name = self.random.pick(&["any", "all"]);
                let kind = self.random.pick(LISTS);
                let list = self.quiet(|this| this.expression(kind, depth));
                let test = self.quiet(|this| this.condition(depth));
                format!("{name}({test} for q in {list})")
            }
            _ => format!("bool({})", self.expression(Kind::Any, depth)),
        }
    }

    fn string(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.random.pick(TEXTS).to_string();
        }
        let depth = depth - 1;
        let a = self.expression(Kind::Str, depth);
        match self.random.below(15) {
            0 | 1 => format!("({a} + {})", self.expression(Kind::Str, depth)),
            2 => format!("{a}[{}]", self.index()),
            3 => format!("{a}[{}:{}]", self.index(), self.index()),
            4 => format!("({a} * ({} % 3))", self.expression(Kind::Int, depth)),
            5 => format!("str({})", self.expression(Kind::Int, depth)),
            6 => {
                let kind = self.scalar();
                format!("repr({})", self.expression(kind, depth))
            }
            7 => {
                let spec = self.random.pick(&["", "!r", ":>6", ":<4"]);
                let kind = self.scalar();
                let value = self.quiet(|this| this.expression(kind, 0));
                format!("f'{{({value}){spec}}}|'")
            }
            8 => format!("\",\".join({})", self.expression(Kind::Strs, depth)),
            9 => format!(
                "{}.{}()",
                self.receiver(Kind::Str, depth),
                self.random.pick(&["upper", "lower", "strip", "title"])
            ),
            10 => {
                format!(
                    "{}.replace(\"a\", {})",
                    self.receiver(Kind::Str, depth),
                    self.expression(Kind::Str, 0)
                )
            }
            11 => format!("(\"%s-%r\" % ({a}, {}))", self.expression(Kind::Int, depth)),
            12 => format!("chr({} % 500 + 32)", self.expression(Kind::Int, depth)),
            13 => format!("{}[{}]", self.expression(Kind::Strs, depth), self.index()),
            _ => self.random.pick(&["MyStr(\"mine\")", "type(1.5).__name__", "\"\".join([])"]).to_string(),
        }
    }

    fn list(&mut self, kind: Kind, depth: usize) -> String {
        let element = kind.element();
        if depth == 0 || self.random.one_in(3) {
            let items: Vec<String> = (0..self.random.below(6))
                .map(|_| self.expression(element, depth.saturating_sub(1)))
                .collect();
            return format!("[{}]", items.join(", "));
        }
        let depth = depth - 1;
        match self.random.below(9) {
            0 | 1 => {
                let body = self.quiet(|this| this.expression(element, depth));
                let step = self.random.pick(&["range(6)", "range(9, 0, -2)", "range(1, 20, 7)", "range(0)"]);
                let name = self.fresh("q") + "_";
                let body = if kind == Kind::Ints && self.random.one_in(2) {
                    format!("{name} * {name}")
                } else {
                    body
                };
                format!("[{body} for {name} in {step}]")
            }
            2 => {
                let list = self.quiet(|this| this.expression(kind, depth));
                let test = self.quiet(|this| this.condition(depth));
                format!("[q for q in {list} if {test}]")
            }
            3 => format!("({} + {})", self.expression(kind, depth), self.expression(kind, depth)),
            4 => format!("{}[{}:{}]", self.expression(kind, depth), self.index(), self.index()),
            5 => format!("{}[::{}]", self.expression(kind, depth), self.random.pick(&["-1", "2", "-2", "0"])),
            6 => format!(
                "({} * {})",
                self.expression(kind, depth),
                self.random.pick(&["2", "0", "-1", "True"])
            ),
            7 if kind == Kind::Ints => {
                let many = self.random.pick(&["range(5)", "range(5, -5, -3)", "map(int, \"123\")", "(1, 2)"]);
                format!("{}({many})", self.random.pick(&["list", "sorted", "MyList"]))
            }
            7 if kind == Kind::Strs => format!("{}.split(\",\")", self.receiver(Kind::Str, depth)),
            _ => format!("list({})", self.expression(kind, depth)),
        }
    }

    fn tuple(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        let items: Vec<String> = (0..2 + self.random.below(2))
            .map(|_| {
                let kind = self.scalar();
                self.expression(kind, depth)
            })
            .collect();
        match self.random.below(5) {
            0 => format!("divmod({}, {})", items[0], items[1]),
            1 => {
                let kind = self.random.pick(LISTS);
                format!("({}, *{})", items[0], self.expression(kind, depth))
            }
            _ => format!("({})", items.join(", ")),
        }
    }

    fn dict(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match self.random.below(5) {
            0 => {
                let name = self.fresh("q") + "_";
                let value = self.quiet(|this| this.expression(Kind::Int, depth));
                format!("{{{name}: {value} for {name} in range({})}}", self.random.below(6))
            }
            1 => format!("dict(a={}, b=2)", self.expression(Kind::Int, depth)),
            2 => "{}".to_string(),
            _ => {
                let items: Vec<String> = (0..self.random.below(4))
                    .map(|_| {
                        format!("{}: {}", self.expression(Kind::Int, 0), self.expression(Kind::Int, depth))
                    })
                    .collect();
                format!("{{{}}}", items.join(", "))
            }
        }
    }

    fn set(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match self.random.below(4) {
            0 => {
                let value = self.quiet(|this| this.expression(Kind::Int, depth));
                format!("{{{value} for q in range(4)}}")
            }
            1 => format!("set({})", self.expression(Kind::Ints, depth)),
            2 => {
                let op = self.random.pick(&["|", "&", "-", "^"]);
                format!("({} {op} {{1, 2, 3}})", self.expression(Kind::Set, depth))
            }
            _ => format!("{{1, {}}}", self.expression(Kind::Int, depth)),
        }
    }

    fn object(&mut self, class: usize, depth: usize) -> String {
        let Some(class) = self.classes.get(class).cloned() else { return "Index(2)".to_string() };
        let mut written = Vec::new();
        for (name, kind) in &class.fields {
            match self.random.below(3) {
                0 => written.push(format!("{name}={}", self.expression(*kind, depth.saturating_sub(1)))),
                1 => break,
                _ => {}
            }
        }
        format!("{}({})", class.name, written.join(", "))
    }

    fn anything(&mut self, depth: usize) -> String {
        match self.random.below(8) {
            0 => "None".to_string(),
            1 if depth > 0 => {
                // An operator on whatever there is.
                let (left, right) = (self.any_kind(), self.any_kind());
                let op = self.random.pick(&["+", "-", "//", "%", "/", "&", "|", "^", "@"]);
                format!("({} {op} {})", self.expression(left, depth - 1), self.expression(right, depth - 1))
            }
            2 if depth > 0 => {
                let kind = self.container();
                format!("{}[{}]", self.expression(kind, depth - 1), self.index())
            }
            3 => self.call(Kind::Any, depth).unwrap_or_else(|| "None".to_string()),
            _ => {
                let kind = self.any_kind();
                if kind == Kind::Any { "\"any\"".to_string() } else { self.expression(kind, depth) }
            }
        }
    }
}

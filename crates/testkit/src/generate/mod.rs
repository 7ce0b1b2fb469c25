//! Random programs for comparing two ways of running Python: a compiler that specialises on types, say, with an interpreter
//! that does not.
//!
//! A program always ends, prints its intermediate and final state, and catches every exception and prints it with its
//! message, its lines and the locals of its frames. So what it prints is all that can be observed. It is typed where a
//! compiler would like it to be, and breaks its types, its lists, classes, functions and builtins where that hurts: in the
//! middle of hot loops.
//!
//! - *It ends*: loops run over ranges, containers that [`clamp`](self) keeps small, or count down a name that nothing else
//!   may assign. A function calls only functions defined before it; those that call themselves are templates with a bound.
//! - *It ends soon*: each statement is paid for by the number of times that it may run ([`Scope::weight`]).
//! - *Seeds differ in kind*, not only in detail: each draws which features it uses and how often types are broken.
//!
//! `prelude.py` is what every program begins with.

mod definitions;
mod expressions;
mod statements;

use crate::random::Random;

const PRELUDE: &str = include_str!("prelude.py");

/// What a whole program may cost, in statements run.
const BUDGET: u32 = 40_000;
/// What one call of a function may cost.
const FUNCTION_BUDGET: u32 = 3_000;

/// The types that the generator keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
    Bool,
    Str,
    Ints,
    Floats,
    Strs,
    Mixed,
    Tuple,
    Dict,
    Set,
    /// An instance of the class with that number.
    Object(usize),
    Any,
}

const SCALARS: &[Kind] = &[Kind::Int, Kind::Int, Kind::Float, Kind::Bool, Kind::Str];
const LISTS: &[Kind] = &[Kind::Ints, Kind::Floats, Kind::Strs, Kind::Mixed];

impl Kind {
    fn is_list(self) -> bool {
        LISTS.contains(&self)
    }

    fn element(self) -> Kind {
        match self {
            Kind::Ints => Kind::Int,
            Kind::Floats => Kind::Float,
            Kind::Strs | Kind::Str => Kind::Str,
            _ => Kind::Any,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Kind::Int => "n",
            Kind::Float => "x",
            Kind::Bool => "b",
            Kind::Str => "s",
            Kind::Ints | Kind::Floats | Kind::Strs | Kind::Mixed => "l",
            Kind::Tuple => "t",
            Kind::Dict => "d",
            Kind::Set => "e",
            Kind::Object(_) => "o",
            Kind::Any => "v",
        }
    }
}

#[derive(Debug, Clone)]
struct Variable {
    /// A name, `self.x`, or `name[0]`.
    name: String,
    kind: Kind,
    /// Nothing may assign it.
    fixed: bool,
}

#[derive(Debug, Clone)]
struct Function {
    name: String,
    parameters: Vec<Parameter>,
    takes_more: bool,
    result: Kind,
    /// What a call costs at most, roughly.
    cost: u32,
    generator: bool,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: String,
    kind: Kind,
    has_default: bool,
    keyword_only: bool,
}

#[derive(Debug, Clone)]
struct Class {
    name: String,
    fields: Vec<(String, Kind)>,
    methods: Vec<Function>,
    /// What looks like a field and runs a function.
    properties: Vec<(String, Kind)>,
}

/// A loop that is being written.
#[derive(Debug, Clone)]
struct Loop {
    /// The name that counts, if there is one, and two values that it takes: early and late.
    index: Option<(String, i64, i64)>,
}

/// A function body that is being written.
#[derive(Debug, Clone, Default)]
struct Scope {
    variables: Vec<Variable>,
    loops: Vec<Loop>,
    in_function: bool,
    in_generator: bool,
    in_finally: bool,
    /// How often the statement that comes next may run in one call.
    weight: u32,
    /// What a call costs so far.
    cost: u32,
    /// How many calls of this body itself to plan for.
    result: Option<Kind>,
}

/// How much a program uses of each feature; drawn once a program.
#[derive(Debug, Clone)]
struct Taste {
    /// One expression in so many is of another type than wanted.
    ill: usize,
    depth: usize,
    /// Weights of the kinds of statements.
    statements: [usize; statements::KINDS],
    events: usize,
    frames: bool,
    floats: bool,
}

struct Writer<'a> {
    random: &'a mut Random,
    text: String,
    indent: usize,
    taste: Taste,
    scope: Scope,
    functions: Vec<Function>,
    classes: Vec<Class>,
    globals: Vec<Variable>,
    names: usize,
    /// Inside an expression in which `:=` is not allowed or would bind elsewhere.
    no_walrus: bool,
}

/// A program for a seed.
pub fn program(random: &mut Random) -> String {
    let taste = Taste::draw(random);
    let mut writer = Writer {
        random,
        text: PRELUDE.to_string(),
        indent: 0,
        taste,
        scope: Scope::default(),
        functions: Vec::new(),
        classes: Vec::new(),
        globals: Vec::new(),
        names: 0,
        no_walrus: false,
    };
    writer.program();
    writer.text
}

impl Taste {
    fn draw(random: &mut Random) -> Taste {
        let ill = random.pick(&[10_000, 60, 60, 20, 8]);
        let depth = random.pick(&[1, 2, 2, 3]);
        let mut kinds = [0; statements::KINDS];
        for weight in &mut kinds {
            *weight = random.pick(&[0, 1, 1, 2, 4]);
        }
        // Something must be computed and shown.
        kinds[0] = kinds[0].max(4);
        kinds[1] = kinds[1].max(2);
        Taste {
            ill,
            depth,
            statements: kinds,
            events: random.pick(&[0, 1, 1, 3]),
            frames: random.one_in(4),
            floats: !random.one_in(4),
        }
    }
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(&"    ".repeat(self.indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A clause with statements below; `pass` if they come to nothing.
    fn clause(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.line(head);
        self.indent += 1;
        let before = self.text.len();
        body(self);
        if self.text.len() == before {
            self.line("pass");
        }
        self.indent -= 1;
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn scalar(&mut self) -> Kind {
        let kind = self.random.pick(SCALARS);
        if kind == Kind::Float && !self.taste.floats { Kind::Int } else { kind }
    }

    fn any_kind(&mut self) -> Kind {
        match self.random.below(14) {
            0..6 => self.scalar(),
            6..9 => self.random.pick(LISTS),
            9 => Kind::Tuple,
            10 => Kind::Dict,
            11 => Kind::Set,
            12 if !self.classes.is_empty() => Kind::Object(self.random.below(self.classes.len())),
            _ => Kind::Any,
        }
    }

    /// An expression without variables that does not raise, for what is evaluated outside of `try`.
    fn sound(&mut self, kind: Kind) -> String {
        let outer = std::mem::take(&mut self.scope);
        let ill = std::mem::replace(&mut self.taste.ill, usize::MAX);
        let value = match kind {
            Kind::Any => self.random.pick(&["None", "1", "2.5", "\"any\"", "True", "()"]).to_string(),
            Kind::Mixed => "[1, None, 2.5, \"mixed\"]".to_string(),
            Kind::Tuple => "(3, 1.5)".to_string(),
            kind => self.expression(kind, 0),
        };
        self.taste.ill = ill;
        self.scope = outer;
        value
    }

    fn program(&mut self) {
        for _ in 0..1 + self.random.below(4) {
            let kind = self.any_kind();
            let name = self.fresh("G");
            let value = self.sound(kind);
            self.line(&format!("{name} = {value}"));
            self.globals.push(Variable { name, kind, fixed: false });
        }
        for _ in 0..2 + self.random.below(5) {
            if self.random.one_in(3) {
                self.class();
            } else {
                self.function();
            }
        }
        self.main();
    }

    /// Calls of everything, and a little of everything at the top of the module.
    fn main(&mut self) {
        let mut left = BUDGET;
        let functions = self.functions.clone();
        for round in 0..3 {
            for function in &functions {
                let times = (left / 8 / function.cost.max(1)).min(if round == 0 { 40 } else { 3 });
                left = left.saturating_sub(times * function.cost);
                self.attempts(function, times);
                if left == 0 {
                    break;
                }
            }
            self.top_level(&mut left);
            if round < 2 && self.taste.events > 0 {
                for _ in 0..1 + self.random.below(2) {
                    self.guarded_event();
                }
            }
        }
        self.line("globals().pop(\"len\", None)");
        let names: Vec<String> = self.globals.iter().map(|variable| variable.name.clone()).collect();
        for name in names {
            self.line(&format!("note({name:?}, globals().get({name:?}, \"deleted\"))"));
        }
        self.line("lines = 0");
    }

    fn attempts(&mut self, function: &Function, times: u32) {
        if times == 0 {
            return;
        }
        let call = |this: &mut Self| {
            let call = format!("{}({})", function.name, this.arguments(function, 1));
            let call = if function.generator { format!("list({call})") } else { call };
            format!("attempt({:?}, lambda: {call})", function.name)
        };
        let text = call(self);
        self.line(&text);
        if times > 4 {
            let text = call(self);
            self.clause(&format!("for turn in range({}):", times - 2), |this| this.line(&text));
        }
        if times > 1 {
            let text = call(self);
            self.line(&text);
        }
    }

    fn top_level(&mut self, left: &mut u32) {
        let allowed = (*left / 4).min(FUNCTION_BUDGET);
        let variables = self.globals.clone();
        let mut cost = 0;
        let scope = Scope { variables, weight: 1, ..Scope::default() };
        let outer = std::mem::replace(&mut self.scope, scope);
        self.clause("try:", |this| {
            for _ in 0..1 + this.random.below(3) {
                if this.scope.cost < allowed {
                    this.statement();
                }
            }
            cost = this.scope.cost;
        });
        self.clause("except BaseException as e:", |this| this.line("fault(\"main\", e)"));
        self.scope = outer;
        *left = left.saturating_sub(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::program;
    use crate::random::Random;

    #[test]
    fn a_seed_gives_the_same_program_again() {
        assert_eq!(program(&mut Random::new(7)), program(&mut Random::new(7)));
        assert_ne!(program(&mut Random::new(7)), program(&mut Random::new(8)));
    }
}

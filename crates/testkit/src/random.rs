//! Random input from a seed: damaged bytes, changed sources, programs out of nothing. The same seed gives the same input
//! everywhere.

/// A small generator of random numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Seeds that are near each other give sequences that are not.
    pub fn new(seed: u64) -> Random {
        let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Random((mixed ^ (mixed >> 31)) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.bits() >> 16) as usize % end }
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// One to four changes in a copy of the bytes: flipped bits, other bytes, parts removed, doubled, or the end cut off.
pub fn damaged(random: &mut Random, data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(8)).min(bytes.len());
        match random.below(16) {
            0..8 => bytes[at] ^= 1 << random.below(8),
            8..11 => bytes[at] = random.bits() as u8,
            11 => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            12 => drop(bytes.drain(at..end)),
            13 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, part);
            }
            14 => bytes.swap(at, end - 1),
            _ if random.one_in(4) => bytes.truncate(at),
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
    bytes
}

/// What stands between spaces, roughly: names, numbers, strings, operators.
pub fn tokens(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if first == ' ' {
            rest.find(|c| c != ' ').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, left) = rest.split_at(length);
        found.push(token);
        rest = left;
    }
    found
}

/// Words that change what a program means.
const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "=",
    ":=",
    "*",
    "**",
    "@",
    "->",
    "lambda ",
    "not ",
    "await ",
    "yield ",
    "yield from ",
    "async ",
    "for x in y",
    "if ",
    " else ",
    "in ",
    "is ",
    "and ",
    "or ",
    "def f(",
    "class C",
    "return ",
    "del ",
    "global x",
    "nonlocal x",
    "import x",
    "from . import *",
    "try:",
    "except* E:",
    "finally:",
    "with ",
    "as x",
    "match x:",
    "case ",
    "type X = ",
    "f'{x!r:{y}}'",
    "t'{x}'",
    "b'\\xff'",
    "'''",
    "\"",
    "'",
    "\\",
    "\n",
    "\n    ",
    "\t",
    "0x",
    "1_0",
    "1e400",
    "1j",
    "...",
    "None",
    "True",
    "__class__",
    "super()",
    "_",
    "x",
    "#",
    ";",
    "\u{c}",
    "\u{e9}",
    "\0",
    "pass",
    "break",
    "continue",
    "raise ",
    "assert ",
    "~",
    "<<",
    "//=",
    "!=",
    "<",
    "[T: (int, str) = int]",
    "%s",
    "$",
    "?",
];

/// A source with some of its tokens changed, removed, doubled, moved, or taken from another source.
pub fn changed(random: &mut Random, sources: &[String]) -> String {
    let base = tokens(&sources[random.below(sources.len())]);
    let other = tokens(&sources[random.below(sources.len())]);
    if base.is_empty() || other.is_empty() {
        return String::new();
    }
    // A part is enough, and quicker than the whole.
    let start = random.below(base.len());
    let start = base[..start].iter().rposition(|token| *token == "\n").map_or(0, |at| at + 1);
    let length = 40 + random.below(400);
    let mut result: Vec<&str> = base[start..base.len().min(start + length)].to_vec();
    for _ in 0..1 + random.below(6) {
        if result.is_empty() {
            break;
        }
        let at = random.below(result.len());
        let end = (at + 1 + random.below(6)).min(result.len());
        match random.below(8) {
            0 => drop(result.drain(at..end)),
            1 => {
                let part = result[at..end].to_vec();
                result.splice(at..at, part);
            }
            2 => result.swap(at, end - 1),
            3 => result[at] = random.pick(&other),
            4 => {
                let from = random.below(other.len());
                let part = other[from..(from + 8).min(other.len())].to_vec();
                result.splice(at..end, part);
            }
            5 => result[at] = random.pick(WORDS),
            _ => result.insert(at, random.pick(WORDS)),
        }
    }
    result.concat()
}

/// Writes programs that always end.
struct Writer<'a> {
    random: &'a mut Random,
    text: String,
    depth: usize,
    /// Whether a loop is around, and a function.
    in_loop: bool,
    in_function: bool,
    in_generator: bool,
}

/// A random program that is well-formed and ends by itself.
pub fn program(random: &mut Random) -> String {
    let mut writer = Writer {
        random,
        text: "a, b, c, d = 1, [1, 2, 3], {'k': 1, 2: 'v'}, 'text'\ndef f(x=0, *y, **z): return x\n"
            .to_string(),
        depth: 0,
        in_loop: false,
        in_function: false,
        in_generator: false,
    };
    for _ in 0..3 + writer.random.below(10) {
        writer.statement();
    }
    writer.text
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(&"    ".repeat(self.depth));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn block(&mut self) {
        self.depth += 1;
        for _ in 0..1 + self.random.below(3) {
            self.statement();
        }
        self.depth -= 1;
    }

    fn name(&mut self) -> &'static str {
        self.random.pick(&["a", "b", "c", "d", "f", "e", "g"])
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.random.below(6) {
                0..3 => self.name().to_string(),
                3 => self.random.below(20).to_string(),
                4 => (self.random.pick(&[
                    "'s'", "b'x'", "1.5", "None", "True", "-1", "2**70", "...", "()", "[]", "{}", "1j",
                ]))
                .to_string(),
                _ => self
                    .random
                    .pick(&["len", "str", "repr", "list", "tuple", "set", "dict", "sorted", "type", "iter"])
                    .to_string(),
            };
        }
        let depth = depth - 1;
        let (x, y) = (self.expression(depth), self.expression(depth));
        match self.random.below(22) {
            0 => {
                let op = self.random.pick(&["+", "-", "%", "//", "/", "&", "|", "^", "@", "<<", ">>"]);
                // Shifts by what the program computes could be huge.
                if matches!(op, "<<" | ">>") { format!("({x} {op} 3)") } else { format!("({x} {op} {y})") }
            }
            1 => {
                let op =
                    self.random.pick(&["<", "<=", "==", "!=", ">", ">=", "is", "is not", "in", "not in"]);
                format!("({x} {op} {y})")
            }
            2 => format!("({x} {} {y})", self.random.pick(&["and", "or"])),
            3 => format!("({x} if {y} else {})", self.name()),
            4 => format!("{x}[{y}]"),
            5 => format!("{x}[{y}:]"),
            6 => format!("({}{x})", self.random.pick(&["-", "not ", "+", "~"])),
            7 => format!("[{x}, *{y}]"),
            8 => format!("({x}, {y})"),
            9 => format!("{{{x}, {y}}}"),
            10 => format!("{{{x}: {y}}}"),
            11 => format!("f({x}, {y})"),
            12 => format!("f(*{x}, **{y})"),
            13 => format!("f(k={x})"),
            14 => format!("[{x} for e in {y}]"),
            15 => format!("{{e: {x} for e in {y} if e}}"),
            16 => format!("list({x} for e in {y})"),
            17 => format!("f'{{{x}}}{{{y}!r}}'"),
            18 => format!("(lambda e: {x})({y})"),
            19 => format!("({} := {x})", self.name()),
            20 => format!(
                "{x}.{}",
                self.random.pick(&["append", "__class__", "keys", "real", "__doc__", "nothing"])
            ),
            _ => format!(
                "{}({x})",
                self.random.pick(&["str", "repr", "list", "len", "sorted", "hash", "type", "iter", "bool"])
            ),
        }
    }

    fn condition(&mut self) -> String {
        let depth = 1 + self.random.below(2);
        self.expression(depth)
    }

    fn statement(&mut self) {
        let depth = self.random.below(4);
        let (x, y) = (self.expression(depth), self.condition());
        let name = self.name();
        if self.depth > 4 {
            return self.line(&format!("{name} = {x}"));
        }
        match self.random.below(22) {
            0..4 => self.line(&format!("{name} = {x}")),
            4 => self.line(&format!("{name}, *e = {x}")),
            5 => self.line(&format!("{name} += {x}")),
            6 => self.line(&format!("{name}[{y}] = {x}")),
            7 => self.line(&x),
            8 => {
                self.line(&format!("if {y}:"));
                self.block();
                if self.random.one_in(2) {
                    self.line("else:");
                    self.block();
                }
            }
            9 => {
                self.line(&format!("for {name} in {x}:"));
                let was = std::mem::replace(&mut self.in_loop, true);
                self.block();
                self.in_loop = was;
            }
            10 => {
                self.line("for e in range(5):");
                let was = std::mem::replace(&mut self.in_loop, true);
                self.block();
                self.in_loop = was;
            }
            11 | 12 => {
                self.line("try:");
                self.block();
                let kind = self.random.pick(&["except", "except*", "finally"]);
                match kind {
                    "finally" => self.line("finally:"),
                    kind => self.line(&format!("{kind} Exception as e:")),
                }
                let was = (self.in_loop, self.in_function);
                if kind != "except" {
                    (self.in_loop, self.in_function) = (false, false);
                }
                self.block();
                (self.in_loop, self.in_function) = was;
            }
            13 => {
                self.line(&format!("def {name}(x={x}, *y, k=1):"));
                let was = (self.in_loop, self.in_function, self.in_generator);
                (self.in_loop, self.in_function, self.in_generator) = (false, true, self.random.one_in(3));
                self.block();
                (self.in_loop, self.in_function, self.in_generator) = was;
            }
            14 => {
                self.line(&format!("class {name}:"));
                let was = (self.in_loop, self.in_function);
                (self.in_loop, self.in_function) = (false, false);
                self.block();
                (self.in_loop, self.in_function) = was;
            }
            15 if self.in_loop => {
                let word = self.random.pick(&["break", "continue"]);
                self.line(word);
            }
            15 | 16 if self.in_function && self.in_generator => self.line(&format!("{name} = yield {x}")),
            16 if self.in_function => self.line(&format!("return {x}")),
            17 => self.line(&format!("raise {x}")),
            18 => self.line(&format!("assert {y}, {x}")),
            19 => self.line(&format!("del {name}")),
            20 => {
                self.line(&format!("match {x}:"));
                self.depth += 1;
                for pattern in ["[e, *g]", "{'k': e}", "int(real=e) | float(real=e)", "str() as e if e", "_"]
                {
                    if pattern == "_" || self.random.one_in(2) {
                        self.line(&format!("case {pattern}:"));
                        self.block();
                    }
                }
                self.depth -= 1;
            }
            21 => {
                self.line(&format!("with {x} as {name}:"));
                self.block();
            }
            _ => self.line("pass"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_input_again() {
        let once = |seed| {
            let mut random = Random::new(seed);
            (damaged(&mut random, b"some bytes"), program(&mut random))
        };
        assert_eq!(once(7), once(7));
        assert_ne!(once(7), once(8));
    }

    #[test]
    fn tokens_lose_nothing() {
        let source = "if a:\n    b = 'x\u{e9}' + 1\n";
        assert_eq!(tokens(source).concat(), source);
    }
}

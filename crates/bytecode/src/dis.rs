//! The listing of a code object, to the character as 3.10's `dis` prints it.

use crate::code::{Code, Const, Wtf8};
use crate::decode::{Instr, instrs, jump_targets};
use crate::lines::find_line_starts;
use crate::ops::{COMPARE, Intrinsic, Op, Operand};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// What an argument stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgVal<'a> {
    /// No argument.
    None,
    /// The number itself, or a jump's target.
    Int(u64),
    /// A constant.
    Const(&'a Const),
    /// A name.
    Name(&'a Wtf8),
    /// An operator.
    Compare(&'static str),
    /// `FORMAT_VALUE`: conversion (0 none, 1 str, 2 repr, 3 ascii), and whether there is a format.
    Format(u8, bool),
}

/// The eight fields of `dis.Instruction`.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction<'a> {
    /// Name of the opcode, `<number>` if there is none.
    pub opname: String,
    /// Number of the opcode.
    pub opcode: u8,
    /// The argument.
    pub arg: Option<u32>,
    /// What the argument stands for.
    pub argval: ArgVal<'a>,
    /// That as text.
    pub argrepr: String,
    /// Offset in the code.
    pub offset: u32,
    /// The line that starts here.
    pub starts_line: Option<i32>,
    /// Whether a jump goes here.
    pub is_jump_target: bool,
}

const CONVERSIONS: [(&str, &str); 4] = [
    ("", "None"),
    ("str", "<class 'str'>"),
    ("repr", "<built-in function repr>"),
    ("ascii", "<built-in function ascii>"),
];

/// Says what the `repr` of a constant is. [`repr`] knows no more than the data; an interpreter knows
/// at which address a code object is.
pub type ReprOf<'r> = &'r dyn Fn(&Const) -> String;

fn argument<'a>(code: &'a Code, instr: &Instr, repr: ReprOf<'_>) -> (ArgVal<'a>, String) {
    let Some(op) = instr.op().filter(|op| op.has_arg()) else {
        return if instr.number >= crate::ops::HAVE_ARGUMENT {
            (ArgVal::Int(instr.arg.into()), String::new())
        } else {
            (ArgVal::None, String::new())
        };
    };
    let index = instr.arg as usize;
    let name = |name: Option<&'a Wtf8>| name.map(|n| (ArgVal::Name(n), n.to_lossy().into_owned()));
    let found = match op.operand() {
        Operand::Const => code.consts.get(index).map(|c| (ArgVal::Const(c), repr(c))),
        Operand::Name => name(code.names.get(index)),
        Operand::Local => name(code.varnames.get(index)),
        Operand::Cell => name(code.cell_name(instr.arg)),
        Operand::Compare => COMPARE.get(index).map(|c| (ArgVal::Compare(c), c.to_string())),
        Operand::JumpRelative | Operand::JumpAbsolute => {
            instr.target().map(|to| (ArgVal::Int(to), format!("to {to}")))
        }
        Operand::None | Operand::Raw => None,
    };
    let int = ArgVal::Int(instr.arg.into());
    found.unwrap_or_else(|| match op {
        Op::FormatValue => {
            let (conversion, spec) = ((instr.arg & 3) as u8, instr.arg & 4 != 0);
            let mut text = CONVERSIONS[usize::from(conversion)].0.to_string();
            if spec {
                text += if text.is_empty() { "with format" } else { ", with format" };
            }
            (ArgVal::Format(conversion, spec), text)
        }
        Op::MakeFunction => {
            let names = ["defaults", "kwdefaults", "annotations", "closure"];
            let given: Vec<&str> = (0..4).filter(|i| index >> i & 1 == 1).map(|i| names[i]).collect();
            (int, given.join(", "))
        }
        Op::Intrinsic1 | Op::Intrinsic2 => {
            (int, Intrinsic::from_arg(instr.arg).map_or(String::new(), |i| format!("{i:?}")))
        }
        _ => (int, String::new()),
    })
}

/// The instructions as `dis.get_instructions` gives them.
pub fn instructions(code: &Code) -> impl Iterator<Item = Instruction<'_>> {
    instructions_with(code, &repr)
}

/// The instructions, constants being shown as `repr` says.
pub fn instructions_with<'a>(code: &'a Code, repr: ReprOf<'a>) -> impl Iterator<Item = Instruction<'a>> {
    let first_line = i32::try_from(code.firstlineno).unwrap_or(i32::MAX);
    let starts: BTreeMap<u32, i32> = find_line_starts(first_line, &code.linetable).collect();
    let targets = jump_targets(&code.code);
    instrs(&code.code).map(move |instr| {
        let (argval, argrepr) = argument(code, &instr, repr);
        Instruction {
            opname: instr.op().map_or_else(|| format!("<{}>", instr.number), |op| op.name().to_string()),
            opcode: instr.number,
            arg: (instr.number >= crate::ops::HAVE_ARGUMENT).then_some(instr.arg),
            argval,
            argrepr,
            offset: instr.offset,
            starts_line: starts.get(&instr.offset).copied(),
            is_jump_target: targets.contains(&u64::from(instr.offset)),
        }
    })
}

impl fmt::Display for Instruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = |v: Option<String>| v.unwrap_or_else(|| "None".to_string());
        let argval = match &self.argval {
            ArgVal::None => "None".to_string(),
            ArgVal::Int(n) => n.to_string(),
            ArgVal::Const(c) => repr(c),
            ArgVal::Name(n) => repr_str(n),
            ArgVal::Compare(c) => format!("'{c}'"),
            ArgVal::Format(c, spec) => {
                let spec = if *spec { "True" } else { "False" };
                format!("({}, {spec})", CONVERSIONS[usize::from(c & 3)].1)
            }
        };
        write!(
            f,
            "Instruction(opname={}, opcode={}, arg={}, argval={argval}, argrepr={}, offset={}, starts_line={}, is_jump_target={})",
            repr_str(&self.opname.as_str().into()),
            self.opcode,
            none(self.arg.map(|a| a.to_string())),
            repr_str(&self.argrepr.as_str().into()),
            self.offset,
            none(self.starts_line.map(|l| l.to_string())),
            if self.is_jump_target { "True" } else { "False" },
        )
    }
}

/// The listing that `dis.disassemble` prints, with the instruction at `current` marked.
pub fn listing(code: &Code, current: Option<u32>) -> String {
    listing_with(code, current, &repr)
}

/// The listing, constants being shown as `repr` says.
pub fn listing_with(code: &Code, current: Option<u32>, repr: ReprOf<'_>) -> String {
    let all: Vec<Instruction<'_>> = instructions_with(code, repr).collect();
    let first_line = i32::try_from(code.firstlineno).unwrap_or(i32::MAX);
    let max_line = find_line_starts(first_line, &code.linetable).map(|(_, line)| line).max();
    let width = max_line.map(|line| if line >= 1000 { line.to_string().len() } else { 3 });
    let last = code.code.len().saturating_sub(2);
    let offset_width = if last >= 10000 { last.to_string().len() } else { 4 };
    let mut out = String::new();
    for i in &all {
        if i.starts_line.is_some() && i.offset > 0 {
            out.push('\n');
        }
        let mut line = String::new();
        if let Some(width) = width {
            let text = i.starts_line.map_or(String::new(), |l| l.to_string());
            let _ = write!(line, "{text:>width$} ");
        }
        let mark = if current == Some(i.offset) { "-->" } else { "   " };
        let target = if i.is_jump_target { ">>" } else { "  " };
        let _ = write!(line, "{mark} {target} {:>offset_width$} {:<20}", i.offset, i.opname);
        if let Some(arg) = i.arg {
            let _ = write!(line, " {arg:>5}");
            if !i.argrepr.is_empty() {
                let _ = write!(line, " ({})", i.argrepr);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The listing with those of the code among the constants behind it, as `dis.dis` prints it.
pub fn listing_recursive(code: &Code, depth: u32) -> String {
    let mut out = listing(code, None);
    for c in &code.consts {
        if let (Const::Code(inner), Some(depth)) = (c, depth.checked_sub(1)) {
            let _ = write!(out, "\nDisassembly of {}:\n{}", repr(c), listing_recursive(inner, depth));
        }
    }
    out
}

/// What Python's `repr` says of a constant.
pub fn repr(value: &Const) -> String {
    let list = |items: &[Const]| items.iter().map(repr).collect::<Vec<_>>().join(", ");
    match value {
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        Const::Ellipsis => "Ellipsis".into(),
        Const::Int(n) => n.to_string(),
        Const::BigInt(n) => n.to_string(),
        Const::Float(x) => float(*x, true),
        Const::Complex(re, im) if *re == 0.0 && re.is_sign_positive() => float(*im, false) + "j",
        Const::Complex(re, im) => {
            let sign = if im.is_sign_negative() && !im.is_nan() { "" } else { "+" };
            format!("({}{sign}{}j)", float(*re, false), float(*im, false))
        }
        Const::Str(s) => repr_str(s),
        Const::Bytes(b) => repr_bytes(b),
        Const::Tuple(items) if items.len() == 1 => format!("({},)", list(items)),
        Const::Tuple(items) => format!("({})", list(items)),
        Const::FrozenSet(items) if items.is_empty() => "frozenset()".into(),
        Const::FrozenSet(items) => format!("frozenset({{{}}})", list(items)),
        Const::Slice(items) => format!("slice({})", list(&items[..])),
        Const::Code(code) => format!(
            "<code object {} at {:p}, file \"{}\", line {}>",
            code.name.to_lossy(),
            &**code,
            code.filename.to_lossy(),
            code.firstlineno
        ),
    }
}

fn float(x: f64, point: bool) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.into();
    }
    // The shortest digits, and of two that are equally near the even ones, as Python has it.
    let shortest = format!("{x:e}");
    let places = shortest
        .split('e')
        .next()
        .map_or(0, |d| d.bytes().filter(u8::is_ascii_digit).count().saturating_sub(1));
    let exact = format!("{x:.places$e}");
    let text = if exact.parse() == Ok(x) { exact } else { shortest };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let decimals = (places as i32 - exponent).max(i32::from(point));
        return format!("{x:.*}", decimals as usize);
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn quote(bytes: &[u8]) -> char {
    if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' }
}

fn escape_ascii(out: &mut String, c: char, quote: char) -> bool {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        c if c == quote => out.extend(['\\', c]),
        ' '..='~' => out.push(c),
        _ => return false,
    }
    true
}

fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote(bytes);
    let mut out = format!("b{quote}");
    for &b in bytes {
        if !escape_ascii(&mut out, char::from(b), quote) {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
    out.push(quote);
    out
}

fn repr_str(text: &Wtf8) -> String {
    let bytes = &text.0;
    let quote = quote(bytes);
    let mut out = String::from(quote);
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let size = match first {
            0..0xc0 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let piece = bytes.get(at..at + size).unwrap_or(&bytes[at..=at]);
        at += piece.len();
        match (std::str::from_utf8(piece).ok().and_then(|s| s.chars().next()), piece) {
            (Some(c), _) if escape_ascii(&mut out, c, quote) => {}
            (Some(c), _) => match c as u32 {
                // Inside of a string, `escape_debug` leaves exactly what Python calls printable.
                n if n > 0xa0 && ['.', c].iter().collect::<String>().escape_debug().count() == 2 => {
                    out.push(c)
                }
                n @ 0..=0xff => _ = write!(out, "\\x{n:02x}"),
                n @ 0..=0xffff => _ = write!(out, "\\u{n:04x}"),
                n => _ = write!(out, "\\U{n:08x}"),
            },
            (None, &[0xed, b, c]) => {
                let n = 0xd000 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f);
                _ = write!(out, "\\u{n:04x}");
            }
            (None, piece) => piece.iter().for_each(|b| _ = write!(out, "\\x{b:02x}")),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_look_as_in_python() {
        let all = [
            (Const::Float(1e16), "1e+16"),
            (Const::Float(1.0), "1.0"),
            (Const::Float(-0.0), "-0.0"),
            (Const::Float(0.00001), "1e-05"),
            (Const::Complex(1.0, 1e15), "(1+1000000000000000j)"),
            (Const::Float(2f64.powi(-25)), "2.9802322387695312e-08"),
            (Const::Float(f64::MAX), "1.7976931348623157e+308"),
            (Const::Float(-5e-324), "-5e-324"),
            (Const::Float(1234567890123456.0), "1234567890123456.0"),
            (Const::Complex(0.0, 2.0), "2j"),
            (Const::Complex(-0.0, -2.5), "(-0-2.5j)"),
            (Const::Str("it's\n\u{e9}\u{a0}\u{301}\u{200b}".into()), "\"it's\\n\u{e9}\\xa0\u{301}\\u200b\""),
            (Const::Str(Wtf8([0xed, 0xb2, 0x80].into())), "'\\udc80'"),
            (Const::Bytes((*b"a'\"\0").into()), "b'a\\'\"\\x00'"),
            (Const::Tuple([Const::Int(1)].into()), "(1,)"),
        ];
        for (value, text) in all {
            assert_eq!(repr(&value), text);
        }
    }
}

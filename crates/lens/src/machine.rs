//! `_pellucid`: what is known of code that is counted, observed and compiled. The module `pellucid` makes it readable.

use crate::form;
use pellucid_interp::code::{CodeObject, code_of};
use pellucid_interp::form::Form;
use pellucid_interp::hot::{Heat, Phase, Place};
use pellucid_jit::{Code, Options};
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};

const SWITCHED_OFF: &str = "machine code is switched off (-X jit=off)";

fn expect_code<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a CodeObject> {
    code_of(value).ok_or_else(|| {
        let got = vm.type_name(value);
        vm.type_error(format!("expected a code object, not {got}"))
    })
}

/// A dict with names as keys.
fn table(vm: &Interpreter, rows: impl IntoIterator<Item = (&'static str, Value)>) -> Res {
    let dict = vm.new_dict()?;
    for (name, value) in rows {
        dict.set(vm, vm.intern(name)?, value)?;
    }
    Ok(dict.into_value())
}

fn count(vm: &Interpreter, count: impl TryInto<i64>) -> Res {
    vm.new_int(count.try_into().unwrap_or(i64::MAX))
}

fn text_or_none(vm: &Interpreter, text: Option<&str>) -> Res {
    text.map_or(Ok(Value::NONE), |text| vm.new_str(text))
}

/// The wordcode offset and the line of an instruction of the private form.
fn position(vm: &Interpreter, code: &CodeObject, pc: u32) -> Res<[Value; 2]> {
    let offset = code.plain_form().and_then(|form| form.offsets.get(pc as usize).copied()).unwrap_or(0);
    let line = code.line_at(offset).map_or(Ok(Value::NONE), |line| count(vm, line))?;
    Ok([count(vm, offset)?, line])
}

fn places_of(form: &Form) -> impl Iterator<Item = (Place, u32, &Heat)> {
    let loops = form.loops.iter().enumerate().map(|(index, l)| (Place::Loop(index), l.header, &l.heat));
    std::iter::once((Place::Call, 0, &form.calls)).chain(loops)
}

/// Where machine code can begin, and how far each place is.
fn places(vm: &Interpreter, code: &Value) -> Res {
    let code = expect_code(vm, code)?;
    let Some(form) = code.plain_form() else { return vm.new_list(Vec::new()) };
    let compiles = pellucid_jit::options(vm).is_some();
    let mut all = Vec::new();
    for (place, pc, heat) in places_of(form) {
        let state = match heat.phase.get() {
            _ if !compiles => "interpreted",
            Phase::Counted => "counted",
            Phase::Observed => "observed",
            Phase::Native => "compiled",
            Phase::Never => "rejected",
        };
        let [offset, line] = position(vm, code, pc)?;
        all.push(table(
            vm,
            [
                ("kind", vm.new_str(if place == Place::Call { "call" } else { "loop" })?),
                ("offset", offset),
                ("line", line),
                ("state", vm.new_str(state)?),
                ("turns", count(vm, heat.turns())?),
                ("entries", count(vm, heat.entered.get())?),
                ("compilations", count(vm, heat.compiled.get())?),
                ("reason", text_or_none(vm, heat.why().as_deref())?),
            ],
        )?);
    }
    vm.new_list(all)
}

/// Calls `f` with each piece of machine code of a code object.
///
/// What `f` makes of it must not run Python code, for the list is borrowed.
fn each<T>(code: &CodeObject, mut f: impl FnMut(&Form, &Code) -> Res<T>) -> Res<Vec<T>> {
    let Some(form) = code.plain_form() else { return Ok(Vec::new()) };
    let natives = form.natives.borrow();
    let codes = natives.iter().filter_map(|native| native.as_any().downcast_ref::<Code>());
    codes.map(|native| f(form, native)).collect()
}

fn natives(vm: &Interpreter, code: &Value) -> Res {
    let code = expect_code(vm, code)?;
    vm.new_list(each(code, |form, native| describe(vm, code, form, native))?)
}

fn describe(vm: &Interpreter, root: &CodeObject, form: &Form, native: &Code) -> Res {
    let (bytes, address) = native.bytes();
    let record = &native.record;
    let place = places_of(form).position(|(place, ..)| place == native.place());
    let used = places_of(form).any(|(place, _, heat)| {
        place == native.place() && heat.entry.get().is_some_and(|entry| entry as usize as u64 == address)
    });
    let mut exits = Vec::new();
    for exit in native.exits() {
        let code = exit.code.as_ref().and_then(code_of).unwrap_or(root);
        let [offset, line] = position(vm, code, exit.pc)?;
        let why = if exit.why.is_empty() { "the end" } else { exit.why };
        let function = code.qualname.clone();
        exits.push(vm.new_tuple(vec![function, line, offset, vm.new_str(why)?, count(vm, exit.taken)?])?);
    }
    let mut steps = Vec::new();
    for (step, done) in native.outside() {
        let code = step.code.as_ref().and_then(code_of).unwrap_or(root);
        let [offset, line] = position(vm, code, step.pc)?;
        let op = code.plain_form().and_then(|form| form.instrs.get(step.pc as usize)).map(|i| i.op.name());
        let (function, op) = (code.qualname.clone(), vm.new_str(op.unwrap_or("?"))?);
        steps.push(vm.new_tuple(vec![function, line, offset, op, count(vm, done)?])?);
    }
    let tally = vm.new_dict()?;
    for (what, number) in record.tally.iter() {
        tally.set(vm, vm.new_str(what)?, count(vm, number)?)?;
    }
    let stages = vm.new_dict()?;
    for (stage, text) in &record.stages {
        stages.set(vm, vm.new_str(stage)?, vm.new_str(text)?)?;
    }
    let notes = record.notes.iter().map(|note| vm.new_str(note)).collect::<Res<Vec<_>>>()?;
    table(
        vm,
        [
            ("place", place.map_or(Ok(Value::NONE), |place| count(vm, place))?),
            ("used", Value::bool(used)),
            ("address", count(vm, address)?),
            ("size", count(vm, bytes.len())?),
            ("memory", count(vm, native.size())?),
            ("attempts", count(vm, record.attempts)?),
            ("time", vm.new_float(record.time.as_secs_f64())?),
            ("lowering", vm.new_float(record.lowering.as_secs_f64())?),
            ("tally", tally.into_value()),
            ("notes", vm.new_list(notes)?),
            ("stages", stages.into_value()),
            ("exits", vm.new_list(exits)?),
            ("steps", vm.new_list(steps)?),
        ],
    )
}

/// The instructions of a piece of machine code; `None` where there is no disassembler for the machine.
fn listing(vm: &Interpreter, code: &Value, index: &Value) -> Res {
    let code = expect_code(vm, code)?;
    let index = vm.expect_i64(index)?;
    let mut at = -1;
    let rows = each(code, |_, native| {
        at += 1;
        if at == index { rows(vm, code, native) } else { Ok(None) }
    })?;
    match rows.into_iter().flatten().next() {
        Some(rows) => vm.new_list(rows),
        None => Ok(Value::NONE),
    }
}

fn rows(vm: &Interpreter, root: &CodeObject, native: &Code) -> Res<Option<Vec<Value>>> {
    let (bytes, address) = native.bytes();
    let Some(instructions) = disassemble(bytes, address, &|address| native.symbol(address)) else {
        return Ok(None);
    };
    // Of the code object itself, and of those inlined into it.
    let mut texts = vec![(root, form::texts(vm, root)?)];
    for code in &native.record.codes {
        let code = expect_code(vm, code)?;
        texts.push((code, form::texts(vm, code)?));
    }
    let mut rows = Vec::new();
    for (offset, length, text) in instructions {
        let piece = native.record.map.iter().find(|piece| (piece.start..piece.end).contains(&offset));
        let known = piece.and_then(|piece| Some((piece, texts.get(piece.code as usize)?)));
        let mut row =
            vec![count(vm, offset)?, vm.new_bytes(bytes_at(bytes, offset, length))?, vm.new_str(&text)?];
        match known {
            Some((piece, (code, texts))) => {
                let [offset, line] = position(vm, code, piece.pc)?;
                let from = texts.get(piece.pc as usize).map_or("", String::as_str);
                row.extend([code.qualname.clone(), line, offset, vm.new_str(from)?]);
            }
            None => row.extend([Value::NONE, Value::NONE, Value::NONE, Value::NONE]),
        }
        rows.push(vm.new_tuple(row)?);
    }
    Ok(Some(rows))
}

fn bytes_at(bytes: &[u8], offset: u32, length: usize) -> Vec<u8> {
    bytes.get(offset as usize..offset as usize + length).unwrap_or_default().to_vec()
}

/// Offset, length and text of each instruction.
#[cfg(target_arch = "x86_64")]
fn disassemble(
    bytes: &[u8],
    address: u64,
    symbol: &dyn Fn(u64) -> Option<String>,
) -> Option<Vec<(u32, usize, String)>> {
    use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter, OpKind};
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.options_mut().set_hex_prefix("0x");
    formatter.options_mut().set_hex_suffix("");
    formatter.options_mut().set_branch_leading_zeros(false);
    formatter.options_mut().set_uppercase_hex(false);
    let mut all = Vec::new();
    // Constants stand behind the code, which reads them by their distance.
    let mut data = bytes.len();
    for instruction in Decoder::with_ip(64, bytes, address, DecoderOptions::NONE) {
        if (instruction.ip() - address) as usize >= data {
            break;
        }
        if instruction.is_ip_rel_memory_operand() {
            let at = instruction.ip_rel_memory_address().wrapping_sub(address) as usize;
            data = data.min(at);
        }
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        let near = (instruction.near_branch_target()).wrapping_sub(address);
        if instruction.op_count() > 0
            && instruction.op_kind(0) == OpKind::NearBranch64
            && near < bytes.len() as u64
        {
            // Jumps within the code are shown by offset, as instructions are.
            let mnemonic = text.split(' ').next().unwrap_or("").to_string();
            text = format!("{mnemonic} {near:#x}");
        }
        let immediate = (0..instruction.op_count()).find_map(|at| match instruction.op_kind(at) {
            OpKind::Immediate64 | OpKind::Immediate32 | OpKind::Immediate32to64 => {
                symbol(instruction.immediate(at))
            }
            _ => None,
        });
        if let Some(name) = immediate {
            text = format!("{text}  ; {name}");
        }
        all.push(((instruction.ip() - address) as u32, instruction.len(), text));
    }
    let constants = bytes.get(data..).unwrap_or_default().chunks_exact(8).enumerate();
    all.extend(constants.map(|(index, word)| {
        let word = word.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        ((data + 8 * index) as u32, 8, format!("constant {word:#x}"))
    }));
    Some(all)
}

#[cfg(not(target_arch = "x86_64"))]
fn disassemble(
    _bytes: &[u8],
    _address: u64,
    _symbol: &dyn Fn(u64) -> Option<String>,
) -> Option<Vec<(u32, usize, String)>> {
    None
}

/// Has code observed from its next call, and its loops from their next turn on, and then compiled.
fn hasten(vm: &Interpreter, code: &Value) -> Res {
    let code = expect_code(vm, code)?;
    if pellucid_jit::options(vm).is_none() {
        return Err(vm.runtime_error(SWITCHED_OFF.to_string()));
    }
    code.form(vm)?;
    let Some(form) = code.plain_form() else { return Ok(Value::NONE) };
    for (_, _, heat) in places_of(form) {
        if matches!(heat.phase.get(), Phase::Counted | Phase::Never) {
            heat.again(1);
        }
    }
    Ok(Value::NONE)
}

fn options(vm: &Interpreter) -> Res {
    let Some(options) = pellucid_jit::options(vm) else { return Ok(Value::NONE) };
    table(
        vm,
        [
            ("loop_heat", count(vm, options.loop_heat)?),
            ("call_heat", count(vm, options.call_heat)?),
            ("observe", count(vm, options.observe)?),
            ("eager", Value::bool(options.eager)),
            ("record", Value::bool(options.record)),
            ("fail", count(vm, options.fail)?),
            ("memory", count(vm, options.memory)?),
        ],
    )
}

fn set_options(vm: &Interpreter, args: &Args) -> Res {
    let Some(known) = pellucid_jit::options(vm) else {
        return Err(vm.runtime_error(SWITCHED_OFF.to_string()));
    };
    let number = |index: usize| -> Res<u32> {
        let number = vm.expect_i64(args.req(index))?;
        u32::try_from(number).map_err(|_| vm.value_error(format!("{number} is out of range")))
    };
    let memory = vm.expect_i64(args.req(6))?;
    let memory = usize::try_from(memory).map_err(|_| vm.value_error(format!("{memory} is out of range")))?;
    let options = Options {
        loop_heat: number(0)?.max(1),
        call_heat: number(1)?.max(1),
        observe: number(2)?.max(1),
        eager: vm.truthy(args.req(3))?,
        record: vm.truthy(args.req(4))?,
        fail: number(5)?,
        memory,
        ..known
    };
    pellucid_jit::set_options(vm, options);
    Ok(Value::NONE)
}

fn usage(vm: &Interpreter) -> Res {
    let usage = pellucid_jit::usage(vm);
    let time = vm.new_float(usage.spent.as_secs_f64())?;
    vm.new_tuple(vec![count(vm, usage.made)?, time, count(vm, usage.memory)?])
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_pellucid",
    doc: "What the virtual machine knows of compiled code; see the module pellucid.",
    functions: &[
        FunctionDef::new(
            "places",
            "($module, code, /)",
            "The places of the code where machine code can begin: its calls, and its loops.",
            NativeFn::F1(places),
        ),
        FunctionDef::new(
            "natives",
            "($module, code, /)",
            "The machine code of the code.",
            NativeFn::F1(natives),
        ),
        FunctionDef::new(
            "listing",
            "($module, code, index, /)",
            "The instructions of a piece of machine code; None without a disassembler.",
            NativeFn::F2(listing),
        ),
        FunctionDef::new(
            "hasten",
            "($module, code, /)",
            "Have the code compiled soon.",
            NativeFn::F1(hasten),
        ),
        FunctionDef::new(
            "options",
            "($module, /)",
            "How the compiler works; None: there is none.",
            NativeFn::F0(options),
        ),
        FunctionDef::new(
            "set_options",
            "($module, loop_heat, call_heat, observe, eager, record, fail, memory, /)",
            "Have the compiler work in another way.",
            NativeFn::Args(set_options),
        ),
        FunctionDef::new(
            "usage",
            "($module, /)",
            "Pieces of machine code that were made, seconds that it took, bytes that it takes.",
            NativeFn::F0(usage),
        ),
    ],
    types: &[],
    constants: &[],
    init: None,
};

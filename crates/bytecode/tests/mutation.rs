//! Damaged code: reading, verifying and listing never fail hard, and what the verifier accepts keeps
//! its promises on random walks of a machine that knows only depths and blocks.

use pellucid_bytecode::code::{Code, Const, flags};
use pellucid_bytecode::decode::{Instr, instrs};
use pellucid_bytecode::ops::Op;
use pellucid_bytecode::{dis, lines, marshal, positions, pyc, verify};

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

fn all_codes(code: &Code) -> Vec<Code> {
    let mut out = vec![code.clone()];
    for c in &code.consts {
        if let Const::Code(inner) = c {
            out.extend(all_codes(inner));
        }
    }
    out
}

fn sample() -> Code {
    marshal::read_code(include_bytes!("listing/sample.marshal")).unwrap()
}

/// Walks through verified code: any branch is taken, any instruction may raise.
fn walk(code: &Code, random: &mut Random, steps: usize) {
    let all: Vec<Instr> = instrs(&code.code).collect();
    let generator = code.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
    let (mut at, mut depth) = (0, i64::from(generator));
    // Where a block's handler is, none for a handler that runs, and the depth it goes back to.
    let mut blocks: Vec<(Option<u64>, i64)> = Vec::new();
    for _ in 0..steps {
        let instr = all[at];
        let op = instr.op().unwrap();
        assert!(depth <= i64::from(code.stacksize) && blocks.len() <= 40);
        let jump = instr.target().is_some() && random.below(2) == 0;
        if matches!(op, Op::RaiseVarargs | Op::Reraise) || random.below(8) == 0 && op != Op::ExtendedArg {
            // Whatever the instruction takes may be gone when it raises.
            let fall = i64::from(op.stack_effect(instr.arg, Some(false))).min(0);
            depth += if matches!(op, Op::PopExcept | Op::EndAsyncFor) { 0 } else { fall };
            let target = loop {
                match blocks.pop() {
                    None => return,
                    Some((None, level)) => {
                        assert!(depth >= level + 3);
                        depth = level;
                    }
                    Some((Some(target), level)) => {
                        assert!(depth >= level);
                        depth = level + 6;
                        blocks.push((None, level));
                        break target;
                    }
                }
            };
            at = (target / 2) as usize;
            continue;
        }
        if op == Op::ReturnValue {
            assert!(depth >= 1 && blocks.is_empty());
            return;
        }
        let setup = matches!(op, Op::SetupFinally | Op::SetupWith | Op::SetupAsyncWith);
        let jump = jump && !setup || matches!(op, Op::JumpForward | Op::JumpAbsolute);
        match op {
            Op::SetupFinally => blocks.push((instr.target(), depth)),
            Op::SetupWith => blocks.push((instr.target(), depth)),
            Op::SetupAsyncWith => blocks.push((instr.target(), depth - 1)),
            Op::PopBlock => assert!(blocks.pop().unwrap().0.is_some()),
            Op::PopExcept | Op::EndAsyncFor => assert!(blocks.pop().unwrap().0.is_none()),
            _ => {}
        }
        depth += i64::from(op.stack_effect(instr.arg, Some(jump)));
        assert!(depth >= 0);
        at = if jump { (instr.target().unwrap() / 2) as usize } else { at + 1 };
    }
}

fn examine(code: &Code, random: &mut Random) -> bool {
    let text = dis::listing(code, None);
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), dis::instructions(code).count());
    let _ = lines::decode(code.firstlineno as i32, &code.linetable).count();
    let _ = positions::runs(code.firstlineno, &code.positions).count();
    let accepted = verify::verify_one(code).is_ok();
    if accepted {
        (0..2).for_each(|_| walk(code, random, 200));
    }
    accepted
}

#[test]
fn what_is_accepted_can_be_walked() {
    let mut random = Random(0x1234_5678);
    for code in all_codes(&sample()) {
        for _ in 0..200 {
            assert!(examine(&code, &mut random));
        }
    }
}

#[test]
fn flipped_bits_in_marshalled_code_do_no_harm() {
    let mut random = Random(99);
    let good = marshal::write_code(&sample()).unwrap();
    let mut read = 0;
    for _ in 0..10_000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(2) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        if let Ok((Const::Code(code), _)) = marshal::read(&bytes) {
            read += 1;
            if verify::verify(&code).is_ok() {
                let again = marshal::read_code(&marshal::write_code(&code).unwrap()).unwrap();
                // Compared as text, in which a float that is not a number equals itself.
                assert_eq!(format!("{again:?}"), format!("{code:?}"));
            }
        }
    }
    assert!(read > 1000);
    for length in 0..good.len() {
        assert!(marshal::read(&good[..length]).is_err());
    }
}

#[test]
fn damaged_instructions_are_refused_or_safe() {
    let mut random = Random(7);
    let codes = all_codes(&sample());
    let mut accepted = 0;
    for _ in 0..10_000 {
        let mut code = codes[random.below(codes.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(code.code.len());
            code.code[at] = match random.below(3) {
                0 => code.code[at] ^ 1 << random.below(8),
                1 => code.code[random.below(code.code.len())],
                _ => Op::ALL[random.below(Op::ALL.len())] as u8,
            };
        }
        accepted += usize::from(examine(&code, &mut random));
    }
    assert!(accepted > 1000);
}

#[test]
fn nesting_of_code_is_limited_before_the_native_stack_is() {
    let mut code = Code::default();
    for _ in 1..marshal::MAX_DEPTH / 2 {
        code = Code { consts: [Const::Code(std::rc::Rc::new(code))].into(), ..Code::default() };
    }
    let bytes = marshal::write_code(&code).unwrap();
    let read = marshal::read_code(&bytes).unwrap();
    assert!(verify::verify(&read).is_err());
    assert_eq!(read, code);
    assert_eq!(
        marshal::write(&Const::Tuple([Const::Code(std::rc::Rc::new(code))].into())),
        Err(marshal::WriteError::TooDeep)
    );
}

#[test]
fn files_are_loaded_only_if_safe() {
    let source = pyc::Source::Stamp { mtime: 1, size: 2 };
    let mut code = sample();
    let file = pyc::dump(&code, source).unwrap();
    assert_eq!(pyc::load(&file), Ok((source, code.clone())));
    code.stacksize = 0;
    assert!(matches!(pyc::load(&pyc::dump(&code, source).unwrap()), Err(pyc::LoadError::Verify(_))));
    for length in 0..file.len() {
        assert!(pyc::load(&file[..length]).is_err());
    }
}

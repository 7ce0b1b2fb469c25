//! The opcode table against what CPython 3.10 printed.
use pellucid_bytecode::ops::Op;

#[test]
fn stack_effects_are_those_of_3_10() {
    let mut seen = 0;
    for line in include_str!("stack_effects_3_10.txt").lines().filter(|l| !l.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let op = Op::from_u8(fields[0].parse().unwrap()).unwrap();
        assert_eq!(op.name(), fields[1]);
        assert_eq!(op.has_arg(), fields[2] != "-");
        let arg = fields[2].parse().unwrap_or(0);
        for (jump, text) in [Some(false), Some(true), None].into_iter().zip(&fields[3..]) {
            assert_eq!(op.stack_effect(arg, jump), text.parse::<i32>().unwrap(), "{line}");
        }
        seen += 1;
    }
    assert!(seen > 1000);
}

#[test]
fn numbers_and_opcodes_agree() {
    for number in 0..=255 {
        if let Some(op) = Op::from_u8(number) {
            assert_eq!(op as u8, number);
        }
    }
}

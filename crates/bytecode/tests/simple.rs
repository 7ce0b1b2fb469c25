//! The listing of a small function, as 3.10 prints it.
use pellucid_bytecode::code::{Code, Const};
use pellucid_bytecode::dis;

/// `def simple()` with its body from line 2 on.
pub fn simple() -> Code {
    Code {
        stacksize: 3,
        flags: 67,
        code: [
            116, 0, 116, 1, 100, 1, 131, 1, 131, 1, 125, 0, 116, 0, 116, 1, 100, 2, 131, 1, 131, 1, 125, 1,
            116, 2, 124, 0, 124, 1, 23, 0, 131, 1, 1, 0, 100, 0, 83, 0,
        ]
        .into(),
        consts: [Const::None, Const::Str("x? ".into()), Const::Str("y? ".into())].into(),
        names: ["int".into(), "input".into(), "print".into()].into(),
        varnames: ["x".into(), "y".into()].into(),
        name: "simple".into(),
        qualname: "simple".into(),
        linetable: [12, 1, 12, 1, 16, 2].into(),
        ..Code::default()
    }
}

const LISTING: &str = "  2           0 LOAD_GLOBAL              0 (int)
              2 LOAD_GLOBAL              1 (input)
              4 LOAD_CONST               1 ('x? ')
              6 CALL_FUNCTION            1
              8 CALL_FUNCTION            1
             10 STORE_FAST               0 (x)

  3          12 LOAD_GLOBAL              0 (int)
             14 LOAD_GLOBAL              1 (input)
             16 LOAD_CONST               2 ('y? ')
             18 CALL_FUNCTION            1
             20 CALL_FUNCTION            1
             22 STORE_FAST               1 (y)

  5          24 LOAD_GLOBAL              2 (print)
             26 LOAD_FAST                0 (x)
             28 LOAD_FAST                1 (y)
             30 BINARY_ADD
             32 CALL_FUNCTION            1
             34 POP_TOP
             36 LOAD_CONST               0 (None)
             38 RETURN_VALUE
";

#[test]
fn the_listing_is_that_of_3_10() {
    assert_eq!(dis::listing(&simple(), None), LISTING);
    let code = simple();
    let all: Vec<String> = dis::instructions(&code).map(|i| i.to_string()).collect();
    assert_eq!(
        all[0],
        "Instruction(opname='LOAD_GLOBAL', opcode=116, arg=0, argval='int', argrepr='int', offset=0, starts_line=2, is_jump_target=False)"
    );
    assert_eq!(
        all[2],
        "Instruction(opname='LOAD_CONST', opcode=100, arg=1, argval='x? ', argrepr=\"'x? '\", offset=4, starts_line=None, is_jump_target=False)"
    );
}

#[test]
fn whole_code_is_safe_and_broken_code_is_not() {
    use pellucid_bytecode::verify::{Problem, verify};
    assert_eq!(verify(&simple()), Ok(()));
    let problem = |code: &[u8]| verify(&Code { code: code.into(), ..simple() }).map_err(|e| e.problem);
    assert_eq!(problem(&[]), Err(Problem::Length));
    assert_eq!(problem(&[7, 0]), Err(Problem::UnknownOp));
    assert_eq!(problem(&[100, 3, 83, 0]), Err(Problem::Argument));
    assert_eq!(problem(&[100, 0]), Err(Problem::End));
    assert_eq!(problem(&[113, 1]), Err(Problem::Jump));
    assert_eq!(problem(&[83, 0]), Err(Problem::Underflow));
    assert_eq!(problem(&[100, 0, 113, 0]), Err(Problem::Inconsistent));
    assert_eq!(problem(&[100, 0, 100, 0, 100, 0, 100, 0, 83, 0]), Err(Problem::Overflow));
    assert_eq!(problem(&[87, 0, 100, 0, 83, 0]), Err(Problem::Block));
    assert_eq!(problem(&[100, 0, 86, 0, 83, 0]), Err(Problem::Yield));
    assert_eq!(problem(&[144, 0, 9, 0, 100, 0, 83, 0]), Err(Problem::Prefix));
}

#[test]
fn no_bytes_make_it_panic() {
    use pellucid_bytecode::{lines, verify};
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below
    };
    for _ in 0..10_000 {
        let mut code = Code { stacksize: random(20) as u32, flags: random(1 << 10) as u32, ..simple() };
        for _ in 0..=random(6) {
            let (at, to) = (random(code.code.len()), random(256) as u8);
            code.code[at] = to;
            let at = random(code.linetable.len());
            code.linetable[at] = to;
        }
        if random(8) == 0 {
            code.code = code.code[random(code.code.len())..].into();
        }
        let _ = verify::verify(&code);
        let _ = dis::listing_recursive(&code, 5);
        dis::instructions(&code).for_each(|i| drop(i.to_string()));
        lines::decode(i32::MAX, &code.linetable).for_each(drop);
    }
}

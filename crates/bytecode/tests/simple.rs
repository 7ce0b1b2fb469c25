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

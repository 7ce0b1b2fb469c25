//! Random sources and random programs: compiling and running give a result or a Python exception, what the compiler emits passes
//! the verifier, and code survives the way through bytes.

mod common;

use common::{Sandbox, Seed, cases, first_seed, programs, sure};
use pellucid_runtime::on_big_stack;
use pellucid_testkit::random::{Random, changed, program};

const CASES_PER_INTERPRETER: usize = 200;

fn each_case(total: usize, check: impl Fn(&Sandbox, &mut Random) + Sync) {
    on_big_stack(|| {
        let first = first_seed();
        let mut done = 0;
        while done < total {
            let sandbox = Sandbox::new(400 << 20);
            for case in done..total.min(done + CASES_PER_INTERPRETER) {
                let seed = first + case as u64;
                let _seed = Seed::new(seed);
                check(&sandbox, &mut Random::new(seed));
            }
            done += CASES_PER_INTERPRETER;
        }
    });
}

#[test]
fn changed_sources_compile_or_raise() {
    let sources = programs();
    each_case(cases(1500), |sandbox, random| {
        let source = changed(random, &sources);
        let code = sandbox.compile(&source);
        sandbox.expect_no_bug(&code);
        if let Ok(code) = code {
            // `loads` verifies what it makes.
            let bytes = sandbox.dumps(code.clone()).expect("code has a form in bytes");
            sandbox.loads(bytes).expect("compiled code is valid");
        }
        let source = sure(sandbox.vm().new_str(&source));
        sandbox.expect_no_bug(&sandbox.call("ast", "parse", &[source]));
    });
}

#[test]
fn random_programs_end() {
    each_case(cases(300), |sandbox, random| {
        let source = program(random);
        if let Ok(code) = sandbox.compile(&source) {
            sandbox.expect_no_bug(&sandbox.exec(&code));
        }
    });
}

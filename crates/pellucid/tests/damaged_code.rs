//! Damaged compiled code: what `marshal` or the verifier lets through is run, and nothing but Python exceptions may happen.
//!
//! `PELLUCID_CASES=10000 cargo test --release -p pellucid-runtime --test damaged_code` takes some minutes.

mod common;

use common::{Sandbox, Seed, cases, first_seed, programs, sure};
use pellucid_runtime::on_big_stack;
use pellucid_testkit::random::{Random, damaged};

/// Interpreters age when damaged code changes what they share.
const CASES_PER_INTERPRETER: usize = 100;

#[test]
fn damaged_code_raises() {
    on_big_stack(|| {
        let sources: Vec<String> = programs().into_iter().filter(|source| source.len() < 6000).collect();
        let (total, first) = (cases(600), first_seed());
        let (mut loaded, mut ended) = (0, 0);
        let mut done = 0;
        while done < total {
            let sandbox = Sandbox::new(400 << 20);
            let vm = sandbox.vm();
            let mut compiled = Vec::new();
            for case in done..total.min(done + CASES_PER_INTERPRETER) {
                let seed = first + case as u64;
                let _seed = Seed::new(seed);
                let mut random = Random::new(seed);
                let which = random.below(sources.len());
                compiled.resize(sources.len(), None);
                let bytes = compiled[which].get_or_insert_with(|| {
                    let code = sandbox.compile(&sources[which]).expect("a case compiles");
                    let bytes = sandbox.dumps(code).expect("code has a form in bytes");
                    sandbox.limited(|vm| vm.expect_bytes(&bytes).map(<[u8]>::to_vec)).expect("bytes")
                });
                let bytes = sure(vm.new_bytes(damaged(&mut random, bytes)));
                let code = sandbox.loads(bytes);
                if let Ok(code) = code
                    && &*vm.type_name(&code) == "code"
                {
                    loaded += 1;
                    ended += usize::from(sandbox.exec(&code).is_ok());
                }
            }
            done += CASES_PER_INTERPRETER;
        }
        println!("{total} cases, {loaded} were code, {ended} of it ended without an exception");
    });
}

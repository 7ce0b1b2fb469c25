//! Under a memory limit every kind of growth ends in `MemoryError`, and the interpreter can go on.

mod common;

use common::Sandbox;
use pellucid_runtime::on_big_stack;

const LIMIT: usize = 48 << 20;

/// Programs that never stop taking memory.
const GREEDY: &[&str] = &[
    "x = []\nwhile True: x.append(object())",
    "x = {}\nwhile True: x[len(x)] = None",
    "x = set()\nwhile True: x.add(len(x))",
    "x = 'ab'\nwhile True: x += x",
    "x = b'ab'\nwhile True: x += x",
    "x = bytearray(b'ab')\nwhile True: x += x",
    "x = [1]\nwhile True: x = [*x, *x]",
    "x = (1,)\nwhile True: x += x",
    "x = 3\nwhile True: x *= x",
    "x = 'ab'\nwhile True: x = x.join([x, x])",
    "x = ''\nwhile True: x = f'{x}{x}abc'",
    "x = None\nwhile True: x = [x]",
    "x = None\nwhile True: x = lambda x=x: x",
    "class A: pass\na = A()\nwhile True: setattr(a, f'a{len(a.__dict__)}', 1)",
    "def f(x): return f([x])\nimport sys\nsys.setrecursionlimit(10**8)\nf(1)",
    "def g(x): yield x\nx = None\nwhile True: x = g(x)",
    "x = None\nwhile True:\n  try: raise ValueError(x)\n  except ValueError as e: x = e",
    "import itertools\n[x for x in itertools.count()]",
    "import itertools\nlist(itertools.count())",
    "import itertools\nset(itertools.count())",
    "import itertools\ndict.fromkeys(itertools.count())",
    "import itertools\n''.join(map(str, itertools.count()))",
    "import itertools\nsorted(map(str, itertools.count()))",
    "import io\nx = io.StringIO()\nwhile True: x.write('a' * 10**5)",
    "import io\nx = io.BytesIO()\nwhile True: x.write(b'a' * 10**5)",
    "import collections\nx = collections.deque()\nwhile True: x.append(1)",
    "import array\nx = array.array('d', [1])\nwhile True: x += x",
    "x = [1, 2]\nfor i in range(40): x = [x, x]\nrepr(x)",
    "bytes(10**9)",
    "[0] * 10**9",
    "'%0*d' % (10**9, 1)",
    "1 << 10**10",
    "10 ** 10**8",
    "list(range(10**9))",
];

#[test]
fn growth_ends_in_memory_error_and_the_interpreter_goes_on() {
    on_big_stack(|| {
        let sandbox = Sandbox::new(LIMIT);
        sandbox.patience.set(120_000);
        for source in GREEDY {
            let code = sandbox.compile(source).expect("a program");
            match sandbox.exec(&code) {
                Ok(_) => panic!("no end: {source}"),
                Err(exception) => {
                    let got = sandbox.vm().type_name(&exception);
                    assert_eq!(&*got, "MemoryError", "{source}");
                }
            }
            let code = sandbox.compile("assert sum(range(10)) == 45").expect("a program");
            assert!(sandbox.exec(&code).is_ok(), "after {source}");
        }
        let peak = sandbox.vm().heap.peak();
        assert!(peak < LIMIT * 4, "{peak} bytes were used");
    });
}

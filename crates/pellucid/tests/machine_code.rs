//! What machine code is said to do happens: the compiler's own notes of functions that became machine code, and their results.

use pellucid_interp::code::CodeObject;
use pellucid_interp::function::Function;
use pellucid_jit::{Code, Options};
use pellucid_runtime::{Config, Pellucid, Value, on_big_stack};

/// Runs a program with a compiler that begins early; the value of `answer` as text, and the notes of the piece of machine code
/// that was made last of function `name`.
fn notes(source: &str, name: &str) -> (String, Vec<String>) {
    on_big_stack(|| {
        // Whether it pays, and how long it takes, is another matter.
        let options =
            Options { loop_heat: 20, call_heat: 20, observe: 12, eager: true, ..Options::default() };
        let config = Config { jit: Some(options), hash_seed: Some(0), ..Config::default() };
        let pellucid = Pellucid::start(config).expect("an interpreter");
        if let Err(raised) = pellucid.run_source(source.as_bytes(), "<test>") {
            let exception = pellucid.vm().take_raised(raised);
            panic!("{}", pellucid.vm().type_name(&exception));
        }
        let answer = pellucid.eval("repr(answer)").map(|text| pellucid.vm().str_lossy(&text));
        let notes = pellucid.eval(name).map(|function| notes_of(&function));
        let result = (answer.expect("an answer"), notes.expect("a function"));
        pellucid.end(0);
        result
    })
}

fn notes_of(function: &Value) -> Vec<String> {
    let code = function.downcast::<Function>().and_then(|f| f.code.get()).expect("a function");
    let form = code.downcast::<CodeObject>().and_then(|code| code.ready_form()).expect("code that ran");
    let natives = form.natives.borrow();
    let last = natives.last().and_then(|native| native.as_any().downcast_ref::<Code>());
    let Some(code) = last else { return Vec::new() };
    let tally = code.record.tally.iter().map(|(what, count)| format!("{what}: {count}"));
    code.record.notes.iter().cloned().chain(tally).collect()
}

fn has(notes: &[String], what: &str) -> bool {
    notes.iter().any(|note| note.contains(what))
}

/// The number behind `what`, the greatest of all.
fn count(notes: &[String], what: &str) -> usize {
    let numbers = notes.iter().filter_map(|note| note.strip_prefix(what)?.trim().parse().ok());
    numbers.max().unwrap_or(0)
}

const CLASS: &str = "
def func(count, value):
    return count + value

def no_opt(array_size, the_array):
    sum_val = 0
    for idx in range(0, array_size):
        for count in range(0, 5):
            the_array[idx] = func(count, the_array[idx])
            sum_val += the_array[idx]

def reg_opt(array_size, the_array):
    sum_val = 0
    for idx in range(0, array_size):
        arr_idx = the_array[idx]
        for count in range(0, 5):
            arr_idx = func(count, arr_idx)
            sum_val += arr_idx
        the_array[idx] = arr_idx
";

#[test]
fn the_plain_loop_is_inlined_unrolled_and_kept_in_registers() {
    for name in ["no_opt", "reg_opt"] {
        let source = format!(
            "{CLASS}\na = [0] * 500\nfor _ in range(60): {name}(500, a)\nanswer = a[0], a[-1], sum(a)\n"
        );
        let (answer, notes) = notes(&source, name);
        assert_eq!(answer, "(600, 600, 300000)");
        assert!(has(&notes, "inlined func"), "{name}: {notes:?}");
        assert!(has(&notes, "unrolled"), "{name}: {notes:?}");
        assert!(count(&notes, "guards hoisted:") > 3, "{name}: {notes:?}");
        assert!(count(&notes, "overflow checks shared:") > 0, "{name}: {notes:?}");
        assert!(!has(&notes, "out of line"), "{name}: {notes:?}");
    }
}

#[test]
fn a_counted_loop_looks_at_bounds_once() {
    let source = "
def total(items):
    s = 0.0
    for i in range(len(items)):
        s += items[i]
    return s
data = [float(i) for i in range(300)]
for _ in range(60): answer = total(data)
";
    let (answer, notes) = notes(source, "total");
    assert_eq!(answer, "44850.0");
    assert!(count(&notes, "bounds checks shared:") > 0, "{notes:?}");
}

#[test]
fn methods_and_instances_are_inlined() {
    let source = "
class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y
    def dot(self, other):
        return self.x * other.x + self.y * other.y

def work(n):
    s = 0
    for i in range(n):
        v = Vector(i, 2)
        s += v.dot(v)
    return s
for _ in range(60): answer = work(100)
";
    let (answer, notes) = notes(source, "work");
    assert_eq!(answer, "328750");
    assert!(has(&notes, "inlined Vector.__init__"), "{notes:?}");
    assert!(has(&notes, "inlined Vector.dot"), "{notes:?}");
}

#[test]
fn overflow_type_changes_and_redefinitions_give_the_right_answer() {
    let source = "
def grow(n):
    x = 1
    for i in range(n):
        x = x * 3 + i
    return x

def add(a, b):
    return a + b

def through(items):
    s = items[0]
    for item in items[1:]:
        s = add(s, item)
    return s

answer = []
for n in (10, 50, 200): answer.append([grow(n) for _ in range(40)][-1] % 1000007)
for _ in range(60): r = through([1, 2, 3])
answer.append(r)
answer.append(through([1.5, 2, 3]))
answer.append(through(['a', 'b', 'c']))
old = add
def add(a, b):
    return (a, b)
answer.append(through([1, 2, 3]))
add = old
answer.append(through([2 ** 62 - 1, 1, 1]))
";
    let (answer, _) = notes(source, "through");
    let grow = |n: u32| {
        let mut x = 1u128;
        for i in 0..n {
            x = (x * 3 + u128::from(i)) % 1_000_007;
        }
        x
    };
    let expected = format!(
        "[{}, {}, {}, 6, 6.5, 'abc', ((1, 2), 3), {}]",
        grow(10),
        grow(50),
        grow(200),
        (1u64 << 62) + 1
    );
    assert_eq!(answer, expected);
}

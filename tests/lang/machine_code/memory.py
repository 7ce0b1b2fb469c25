# test: modes plain
# Machine code goes with its code object; there is a limit to its memory, at which code goes on being interpreted.
import gc
import pellucid

pellucid.options(loop_heat=20, call_heat=20, eager=True)


def make():
    names = {}
    exec("def f(n):\n  s = 0\n  for i in range(n):\n    s += i\n  return s", names)
    return names["f"]


def heat(f):
    # Nothing that is compiled calls f itself, and holds its code then.
    list(map(f, [10] * 60))


heat(make())
gc.collect()
before = pellucid.usage().memory
f = make()
heat(f)
print(pellucid.report(f).state, pellucid.usage().memory > before)
del f
gc.collect()
print(pellucid.usage().memory <= before)

pellucid.options(memory=0)
f = make()
for _ in range(10):
    heat(f)
report = pellucid.report(f)
print(report.state, sorted(set(report.reasons)))
print(f(10), pellucid.usage().memory <= before)

pellucid.options(memory=64 << 20)
for _ in range(10):
    heat(f)
print(pellucid.report(f).state, pellucid.report(f).reasons, f(10))

# Code that was replaced is given back too.
def g(a, b):
    return a + b
for value in (1, 1.5, "a", [1], (1,), 2 ** 80):
    for _ in range(200):
        g(value, value)
print(len(pellucid.report(g).machine_code) <= 2, g(1, 2))

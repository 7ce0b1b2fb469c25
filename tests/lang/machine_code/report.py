# test: modes plain
# The module pellucid tells what became of code.
import dis
import io
import contextlib
import pellucid

pellucid.options(loop_heat=20, call_heat=20, eager=True)


def add(a, b):
    return a + b


def total(items):
    s = 0
    for i in range(len(items)):
        s = add(s, items[i])
    return s


class Box:
    def get(self):
        return 1


def never():
    pass


items = list(range(50))
print(pellucid.report(never).state, pellucid.report(never).places)
total(items)
report = pellucid.report(total)
print(report.state, [place.kind for place in report.places])

with pellucid.record():
    print(pellucid.options().record)
    for _ in range(60):
        total(items)
print(pellucid.options().record)

report = pellucid.report(total)
print(report.name, report.state, report.code is total.__code__)
call, loop = report.places
print(call, "|", call.kind, call.line - total.__code__.co_firstlineno, call.state, call.reason)
print(loop.kind, loop.line - total.__code__.co_firstlineno, loop.state, loop.turns > 0)
print(call.code.inlined, call.code.size > 0, call.code.memory > call.code.size, call.code.seconds > 0)
print(report.done["calls inlined"] >= 1, report.done["bounds checks shared"])
print(total.__name__ in str(report), "add" in str(report))

print(pellucid.stages(total)[0], pellucid.stages(total)[-2:])
print("IntAdd" in pellucid.graph(total, "built"), pellucid.graph(total) == pellucid.graph(total, "improved"))
print(pellucid.graph(total, place=call) != pellucid.graph(total, place=loop))
try:
    pellucid.graph(total, "no such")
except ValueError as error:
    print(str(error).split(";")[0])

try:
    listing = pellucid.machine_code(total)
except NotImplementedError:
    pass
else:
    assert [line for line in listing if line.function == "add" and line.line == add.__code__.co_firstlineno + 1]
    assert [line for line in listing if line.text == "ret"]
    sources = {line.source.split()[0] for line in listing if line.source}
    assert "Add" in sources, sources
    assert all(len(line.bytes) for line in listing)
    assert "; add, line" in str(listing)

print(pellucid.exits(total)[0].function, pellucid.exits(total)[0].taken > 1)
before = sum(exit.taken for exit in pellucid.exits(total))
# What is observed meanwhile is seen in the interpreter.
print(list(map(total, [[1, 2.5, 3] * 50] * 200))[-1])
print(sum(exit.taken for exit in pellucid.exits(total)) > before)

for wrong in (1, "x", Box):
    try:
        pellucid.report(wrong)
    except TypeError as error:
        print(error)
try:
    pellucid.machine_code(never)
except LookupError as error:
    print(error)
print(pellucid.report(Box().get).name)
print(total in [None] or total.__qualname__ in [found.name for found in pellucid.hot()])
print(pellucid.usage().compiled > 0, pellucid.usage().memory > 0, pellucid.usage().seconds > 0)

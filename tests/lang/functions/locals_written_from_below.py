# A callee writes its caller's variables through the frame object, while the caller runs from a hot loop.
import sys


def poke(name, value):
    frame = sys._getframe(1)
    frame.f_locals[name] = value


def plain(n):
    poke("n", n + 6)
    return n


def branch(n):
    if poke("n", 3) is None and n == 3:
        return "written"
    return n


def native(n):
    sorted([2, 1], key=lambda x: sys._getframe(1).f_locals.__setitem__("n", x) or x)
    return n


def loop(n):
    total = 0
    for i in range(5):
        total += n
        poke("n", i)
        total += n
    return total


for call in plain, branch, native, loop:
    results = []
    for turn in range(60):
        results.append(call(-1))
    print(call.__name__, set(results))
